"""Small lanes that tests make for themselves."""

import numpy as np

from minesense.sensor import Circle, ContinuousWave, Head, PulseTrain, Radar, Sensor
from minesense.sweep import Sweep


def make_sensor(
    n_channels=2, n_samples=4, *, interval=1e-10, centre_frequency=1.5e9, **options
):
    """Return a radar with channels 12.5 cm apart."""
    arms = np.zeros((n_channels, 3))
    arms[:, 0] = 0.125 * (np.arange(n_channels) - (n_channels - 1) / 2)
    return Sensor(
        name="test radar",
        kind="gpr",
        axis=interval * np.arange(n_samples),
        lever_arms=arms,
        radar=Radar(centre_frequency=centre_frequency),
        **options,
    )


def make_coils(n_channels=2, n_gates=12, **options):
    """Return a pulse-induction head of coils 25 cm apart, gates of 12 to 400 us."""
    edges = np.geomspace(12e-6, 400e-6, n_gates + 1)
    gates = np.column_stack([edges[:-1], edges[1:]])
    arms = np.zeros((n_channels, 3))
    arms[:, 0] = 0.25 * (np.arange(n_channels) - (n_channels - 1) / 2)
    train = PulseTrain(
        gates=gates, pulse=200e-6, ramp=5e-6, half_period=1e-3, receiver_tau=1e-6
    )
    return Sensor(
        name="test coils",
        kind="emi",
        axis=gates.mean(axis=1),
        lever_arms=arms,
        head=make_head(train),
        **options,
    )


def make_head(excitation, *, radius=0.1, **options):
    """Return a head of one horizontal circular coil that transmits and receives."""
    coil = (Circle(radius=radius),)
    return Head(transmitter=coil, receiver=coil, excitation=excitation, **options)


def make_phasors(n_channels=2, frequencies=(2.4e3, 19.2e3), **options):
    """Return a continuous-wave head with complex samples."""
    return Sensor(
        name="test phasors",
        kind="emi",
        axis=frequencies,
        axis_unit="Hz",
        lever_arms=np.zeros((n_channels, 3)),
        is_complex=True,
        head=make_head(ContinuousWave(frequencies=frequencies)),
        **options,
    )


def make_sweep(samples, *, spacing=0.05, sensor=None, lane="lane 1", speed=0.5, **options):
    """Return samples as a sweep northward along a straight lane."""
    samples = np.asarray(samples)
    northing = spacing * np.arange(len(samples))
    position = np.column_stack([0 * northing, northing, 0 * northing])
    return Sweep(
        samples=samples,
        time=options.pop("time", northing / speed),
        position=options.pop("position", position),
        heading=options.pop("heading", np.zeros(len(samples))),
        sensor=sensor or make_sensor(*samples.shape[1:]),
        lane=lane,
        **options,
    )
