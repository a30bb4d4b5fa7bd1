"""Small lanes that tests make for themselves."""

import numpy as np

from minesense.sweep import Radar, Sensor, Sweep


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
