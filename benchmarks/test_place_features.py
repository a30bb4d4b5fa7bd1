"""
Benchmark the features of places beside the careful fits of the same stations.

The baseline is what a user would do for one place without them: a dipole fit, and shared
relaxations of four decays. The ratio holds within one process, the two taking turns.
"""

import time

import numpy as np

from minesense.emi import Stations, fit_decays, fit_dipole, place_features, soil_decay
from minesense.physics import array_response, nail, rotation_onto
from minesense.sensor import pulse_train_of
from minesense.sweep import Sweep
from minesense.synthetic import cart


def make_lane():
    """Return a lane over a nail that lies askew in rough soil: SYNTHETIC."""
    sensor = cart().coils
    northing = 0.05 * np.arange(80)
    places = np.column_stack([0 * northing, northing, 0 * northing + 0.05])
    body = nail(length=0.05, diameter=0.004).rotated(rotation_onto([1.0, -1.0, 0.5]))
    volts = array_response(
        places, sensor=sensor, object_position=[[0.03, 2.01, -0.08]], objects=[body]
    )
    soil, rng = soil_decay(pulse_train_of(sensor)), np.random.default_rng(seed=0)
    rough = 1e-9 * rng.normal(size=volts.shape[:2])[..., None] * soil / soil[0]
    return Sweep(
        samples=volts + rough + 1e-10 * rng.normal(size=volts.shape),
        time=northing,
        position=places,
        heading=0 * northing,
        sensor=sensor,
    ), soil


def test_features_of_forty_places(benchmark):
    """At most a third of the time of the careful fits; a place takes the time that is shown."""
    lane, soil = make_lane()
    train, spread = pulse_train_of(lane.sensor), np.full((7, 12), 1e-10)
    near = np.hypot(*(lane.channel_position[..., :2] - [0, 2.0]).T).T <= 0.4
    stations = Stations(
        position=lane.channel_position[near], data=lane.samples[near].astype(np.float64)
    )
    loudest = np.argsort(-stations.data[:, 0])[:4]

    def ours():
        options = {"spread": spread, "soil": soil, "spacing": 0.05}
        place_features(lane, [40] * 40, [3] * 40, **options)

    def careful():
        fit_dipole(
            stations,
            head=lane.sensor.head,
            area=[[-0.2, 0.2], [1.8, 2.2]],
            depths=[-0.03, 0.45],
            noise=1e-10,
        )
        fit_decays(stations.data[loudest], train=train, noise=1e-10, columns=[soil])

    ours(), careful()  # compile the kernels
    ratios, each = [], []
    for _ in range(1 if benchmark.disabled else 5):
        start = time.perf_counter()
        ours()
        middle = time.perf_counter()
        careful()
        each.append((middle - start) / 40)
        ratios.append((time.perf_counter() - middle) / each[-1])
    benchmark(ours)
    benchmark.extra_info["place_s"] = float(np.median(each))
    benchmark.extra_info["ratio"] = float(np.median(ratios))
    if not benchmark.disabled:
        assert benchmark.extra_info["ratio"] > 3
