"""Lanes of known statistics, for the tests of realism."""

import numpy as np
from lanes import make_sensor, make_sweep

from minesense.sensor import Radar
from minesense.synthetic import ornstein_uhlenbeck

PERIOD = 1 / 1.5e9
INTERVAL = 50e-12
GROUND = 2e-9  #: s, of the first arrival


def ricker(time, peak=1.5e9):
    """Return a Ricker pulse around time zero."""
    square = (np.pi * peak * time) ** 2
    return (1 - 2 * square) * np.exp(-square)


def radar_axis(n_samples=240):
    """Return two-way times, s."""
    return INTERVAL * np.arange(n_samples)


def clutter(n_traces, n_samples=240, *, length=0.1, spacing=0.025, rng):
    """Return Gaussian clutter (n_traces, n_samples) of unit power, in the band of the pulse."""
    step = {"step": spacing, "time": length, "std": 1.0}
    white = np.array(
        [ornstein_uhlenbeck(n_traces, rng=rng, **step) for _ in range(n_samples)]
    ).T
    frequency = np.fft.rfftfreq(n_samples, INTERVAL)
    shape = frequency**2 * np.exp(-((frequency / 1.5e9) ** 2))
    field = np.fft.irfft(np.fft.rfft(white) * shape, n_samples)
    return field / field.std()


def lane(ground, *, direct=100.0, delay=0.0, gain=1.0, sensor=None, spacing=0.025, **options):
    """Return clutter (n_traces, n_samples) below a first arrival at GROUND as a sweep."""
    time = radar_axis(ground.shape[1])
    n = len(ground)
    late = np.broadcast_to(np.asarray(delay), (n,))[:, None]
    height = np.broadcast_to(np.asarray(gain), (n,))[:, None]
    arrival = -direct * height * ricker(time - GROUND - late)
    sensor = sensor or make_sensor(1, len(time), interval=INTERVAL)
    return make_sweep((ground + arrival)[:, None], sensor=sensor, spacing=spacing, **options)


def raised(height=0.12, separation=0.06, n_samples=240):
    """Return a radar that knows how high it is."""
    sensor = make_sensor(1, n_samples, interval=INTERVAL)
    object.__setattr__(
        sensor,
        "radar",
        Radar(centre_frequency=1.5e9, separation=separation, height=height),
    )
    return sensor
