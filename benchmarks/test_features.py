"""
Benchmark the families of radar features: gradient histograms beside scikit-image, and each.

Ratios are of medians of calls taken in turns in this process, so that a busy neighbour
slows both.
"""

import statistics
import time

import numpy as np
import numpy.testing as npt
import pytest

from minesense.gpr import (
    edge_histogram_features,
    energy_spectrum_features,
    gradient_histogram,
    gradient_histogram_features,
    texture_features,
)
from minesense.sensor import Radar, Sensor
from minesense.sweep import Sweep

hog = pytest.importorskip("skimage.feature").hog

RNG = np.random.default_rng(seed=0)
CASES = {  # rows and columns of patches, of cells
    "28 x 48": ((28, 48), (6, 8)),
    "29 x 45": ((29, 45), (7, 7)),
    "64 x 64": ((64, 64), (8, 8)),
}
LEAST = 7  # times faster than scikit-image: measured 10 to 20


def seconds_of(function):
    """Return the time a call takes."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", CASES)
def test_gradient_histogram(benchmark, name, dtype):
    """Patches of a hundred candidates, and the same result."""
    shape, cell = CASES[name]
    patches = RNG.normal(size=(100, *shape)).astype(dtype)

    def peer():
        return [hog(patch, 9, cell, (2, 2), "L2-Hys") for patch in patches]

    def own():
        return gradient_histogram(patches, cell=cell)

    npt.assert_allclose(own(), peer(), rtol=1e-5, atol=1e-6)
    pairs = [(seconds_of(peer), seconds_of(own)) for _ in range(9)]
    ratio = statistics.median(theirs / ours for theirs, ours in pairs)
    benchmark.extra_info["peer_s"] = statistics.median(theirs for theirs, _ in pairs)
    benchmark.extra_info["times_faster_than_peer"] = round(ratio, 2)
    benchmark(own)
    assert not benchmark.stats or ratio > LEAST


def make_lane(n_traces=400, n_channels=8, n_samples=256):
    """Return whitened noise: 10 m at 2.5 cm."""
    northing = 0.025 * np.arange(n_traces)
    arms = np.zeros((n_channels, 3))
    arms[:, 0] = 0.1 * np.arange(n_channels)
    return Sweep(
        samples=RNG.normal(size=(n_traces, n_channels, n_samples)),
        time=northing,
        position=np.column_stack([0 * northing, northing, 0 * northing]),
        heading=np.zeros(n_traces),
        sensor=Sensor(
            name="benchmark",
            kind="gpr",
            axis=62.5e-12 * np.arange(n_samples),
            lever_arms=arms,
            radar=Radar(centre_frequency=1.5e9),
        ),
    )


FAMILIES = (
    energy_spectrum_features,
    edge_histogram_features,
    gradient_histogram_features,
    texture_features,
)


@pytest.mark.parametrize("describe", FAMILIES, ids=lambda describe: describe.__name__)
def test_family(benchmark, describe):
    """A hundred candidates of a lane; a detector may take a few milliseconds for each."""
    lane = make_lane()
    traces, channels = RNG.integers(0, 400, 100), RNG.integers(0, 8, 100)
    times = RNG.uniform(2e-9, 14e-9, 100)
    options = {"ground_time": 1.5e-9, "spacing": 0.025}
    assert np.isfinite(describe(lane, traces, channels, times, **options)).all()
    benchmark(lambda: describe(lane, traces, channels, times, **options))
    seconds = benchmark.stats["median"] / 100 if benchmark.stats else 0.0
    benchmark.extra_info["microseconds_a_candidate"] = round(1e6 * seconds, 1)
    assert seconds < 5e-3
