"""
Benchmark operations along the track beside what a user would write, and beside a copy.

Ratios are of medians of calls taken in turns in this process, so that a busy neighbour slows
both; a copy of the samples is timed in the same rounds and tells what memory allows. They go
into the report with their losses; only ratios far below what was measured fail, since the
peers' speed differs between machines. It also differs within one: where the allocator gives
memory back to the system between calls, a peer that makes its results anew takes up to three
times as long. What is bound by memory is therefore held to its share of a copy too, which
neither allocator nor neighbour changed by more than half.

Lanes are a part of the full ones unless MINESENSE_FULL_BENCHMARKS=1: a profile of 512 samples
x 20,000 traces, and a cube of 51 channels x 415 samples x 4,000 traces.
"""

import os
import statistics
import time
from functools import partial

import numpy as np
import numpy.testing as npt
import pytest
from scipy import ndimage

from minesense._kernels.fast_time import divide_by_rms, subtract_centred_mean
from minesense.gpr import (
    Dewow,
    Equalise,
    PrepareDisplay,
    RemoveMeanBackground,
    RemoveMedianBackground,
    remove_mean_background,
    remove_median_background,
)
from minesense.gpr._window_sums import window_sums
from minesense.sensor import Sensor
from minesense.stage import run_lane
from minesense.sweep import Sweep

bottleneck = pytest.importorskip("bottleneck", reason="the best peer of sliding windows")

#: Least ratios are half of the lowest seen on a processor shared by many, or less.
IS_FULL = os.environ.get("MINESENSE_FULL_BENCHMARKS") == "1"
STEP, SPACING = 5e-11, 0.05
N_ROUNDS = 7 if IS_FULL else 5


def make_lane(n_traces, n_channels, n_samples):
    """Return noise on a level."""
    rng = np.random.default_rng(seed=0)
    samples = rng.standard_normal((n_traces, n_channels, n_samples), np.float32)
    samples += 3
    lever_arms = np.zeros((n_channels, 3))
    lever_arms[:, 0] = 0.05 * np.arange(n_channels)
    northing = SPACING * np.arange(n_traces)
    return Sweep(
        samples=samples,
        time=northing,
        position=np.column_stack([0 * northing, northing, 0 * northing]),
        heading=np.zeros(n_traces),
        sensor=Sensor(
            name="benchmark",
            kind="gpr",
            axis=STEP * np.arange(n_samples),
            lever_arms=lever_arms,
        ),
    )


@pytest.fixture(scope="module")
def profile():
    """Return one channel of 512 samples."""
    return make_lane(20_000 if IS_FULL else 2_000, 1, 512)


@pytest.fixture(scope="module")
def cube():
    """Return an array of 51 channels of 415 samples."""
    return make_lane(4_000 if IS_FULL else 200, 51, 415)


def seconds_of(function):
    """Return the time a call takes."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def compare(benchmark, ours, peers, samples, n_rounds=N_ROUNDS):
    """Time ours, peers and a copy in turns; report ratios, return that to the best peer."""
    copy = np.empty_like(samples)
    calls = {"ours": ours, "copy": lambda: np.copyto(copy, samples)} | peers
    ours()  # compiles the kernels
    rounds = [{name: seconds_of(call) for name, call in calls.items()} for _ in range(n_rounds)]
    ratios = {
        name: statistics.median(row[name] / row["ours"] for row in rounds) for name in calls
    }
    benchmark.extra_info["ns_a_value"] = round(
        1e9 * statistics.median(row["ours"] for row in rounds) / samples.size, 2
    )
    benchmark.extra_info["share_of_copy"] = round(ratios["copy"], 3)
    for name in peers:
        benchmark.extra_info[f"times_faster_than_{name}"] = round(ratios[name], 2)
    benchmark.pedantic(ours, rounds=1)
    print(benchmark.name, benchmark.extra_info)
    return min(ratios[name] for name in peers)


def peers_of_the_median(samples, width, axis):
    """Return calls of the sliding median: bottleneck's, with time along rows as it likes it."""
    if axis == 0:
        return {"bottleneck": lambda: bottleneck.move_median(samples, width, axis=0)}
    traces = np.ascontiguousarray(samples[:, 0].T)
    return {"bottleneck": lambda: bottleneck.move_median(traces, width, axis=1)}


@pytest.mark.parametrize(("workers", "least"), [(1, 2.3), (2, 2.5)])
def test_median_of_a_profile(benchmark, profile, workers, least):
    """101 traces: as many times faster than bottleneck, and equal to it bit for bit."""
    options = {"spacing": SPACING, "half_width": 50 * SPACING}
    result = remove_median_background(profile, **options, workers=workers).samples
    x = profile.samples
    expected = x[50:-50] - bottleneck.move_median(x, 101, axis=0)[100:]
    assert result[50:-50].tobytes() == expected.tobytes()
    ratio = compare(
        benchmark,
        lambda: remove_median_background(profile, **options, workers=workers),
        peers_of_the_median(x, 101, axis=1),
        x,
    )
    assert not benchmark.stats or ratio > least


def test_median_beside_the_call_in_two_dimensions(benchmark, profile):
    """A part of the lane beside SciPy's filter of an image, which takes a slow path."""
    part = profile[:500]
    image = np.ascontiguousarray(part.samples[:, 0].T)
    ratio = compare(
        benchmark,
        lambda: run_lane(RemoveMedianBackground(spacing=SPACING, half_width=2.5), part),
        {"scipy": lambda: ndimage.median_filter(image, size=(1, 101))},
        part.samples,
        n_rounds=3,
    )
    assert not benchmark.stats or ratio > 40


def test_median_of_a_cube(benchmark, cube):
    """51 traces along the first axis of an array's data."""
    options = {"spacing": SPACING, "half_width": 25 * SPACING}
    x = cube.samples
    ratio = compare(
        benchmark,
        lambda: remove_median_background(cube, **options),
        peers_of_the_median(x, 51, axis=0),
        x,
        n_rounds=3,
    )
    assert not benchmark.stats or ratio > 1.2


def subtract_on_arrays(new, samples):
    """Return a call of what a stage computes: arrays in, arrays out, as the peers do."""
    stage = new()
    lane = make_lane(1, *samples.shape[1:])
    is_usable = np.ones(len(samples), bool)

    def call():
        stage.reset()
        stage.process(lane[:0])
        return stage._advance(samples, is_usable)

    return call


@pytest.mark.parametrize("guard", [None, 0.4])
@pytest.mark.parametrize("form", ["function", "arrays"])
def test_mean_of_a_cube(benchmark, cube, guard, form):
    """51 traces along the first axis; the whole function, and its arithmetic alone."""
    options = {"spacing": SPACING, "half_width": 25 * SPACING, "guard": guard}
    x = cube.samples
    if guard is None:
        result = remove_mean_background(cube, **options).samples[25:-25]
        npt.assert_allclose(result, (x - ndimage.uniform_filter1d(x, 51, 0))[25:-25], atol=1e-5)
    ours = {
        "function": lambda: remove_mean_background(cube, **options),
        "arrays": subtract_on_arrays(partial(RemoveMeanBackground, **options), x),
    }[form]
    peers = {
        "scipy": lambda: x - ndimage.uniform_filter1d(x, 51, axis=0),
        "bottleneck": lambda: x - bottleneck.move_mean(x, 51, axis=0),
    }
    ratio = compare(benchmark, ours, peers, x, n_rounds=3)
    least_ratio, least_share = {"function": (0.4, 0.045), "arrays": (1.0, 0.09)}[form]
    assert not benchmark.stats or ratio > least_ratio
    assert not benchmark.stats or benchmark.extra_info["share_of_copy"] > least_share


def dewow_of_bottleneck(x):
    """Subtract bottleneck's mean of 31 samples, which looks back."""
    return x - bottleneck.move_mean(x, 31, axis=2, min_count=1)


def gain_of_bottleneck(x):
    """Divide by the root of bottleneck's mean of 51 squares, which looks back."""
    local = bottleneck.move_mean(x * x, 51, axis=2, min_count=1)
    return x / np.sqrt(local + np.float32(1e-6))


def dewow_into(x):
    """Return a call of the arithmetic of dewow alone, into an array that is there."""
    traces, out = x[:, 0], np.empty_like(x[:, 0])
    window = window_sums(15, x.shape[2])
    return lambda: subtract_centred_mean(traces, *window, out)


def gain_into(x):
    """Return a call of the arithmetic of the gain alone, into an array that is there."""
    traces, out = x[:, 0], np.empty_like(x[:, 0])
    window = window_sums(25, x.shape[2])
    return lambda: divide_by_rms(traces, *window, 0.01, out)


ALONG_TIME = {  # a new stage; its kernel; its peer; least ratios to it and to a copy
    "dewow": (
        partial(Dewow, window=31 * STEP),
        dewow_into,
        dewow_of_bottleneck,
        {"function": (0.15, 0.08), "arrays": (0.6, 0.1), "kernel": (0.9, 0.12)},
    ),
    "gain": (
        partial(Equalise, window=51 * STEP),
        gain_into,
        gain_of_bottleneck,
        {"function": (0.5, 0.06), "arrays": (0.5, 0.08), "kernel": (0.8, 0.11)},
    ),
}


@pytest.mark.parametrize("form", ["function", "arrays", "kernel"])
@pytest.mark.parametrize("name", ALONG_TIME)
def test_sums_along_time_of_a_profile(benchmark, profile, name, form):
    """Slow part and strength of each trace beside the fastest sliding mean."""
    new, kernel_on, peer, least = ALONG_TIME[name]
    x = profile.samples
    ours = {
        "function": lambda: run_lane(new(), profile),
        "arrays": subtract_on_arrays(new, x),
        "kernel": kernel_on(x),
    }[form]
    ratio = compare(benchmark, ours, {"bottleneck": lambda: peer(x)}, x)
    least_ratio, least_share = least[form]
    assert not benchmark.stats or ratio > least_ratio
    assert not benchmark.stats or benchmark.extra_info["share_of_copy"] > least_share


def three_calls(x):
    """Dewow, centred background mean and automatic gain by three of SciPy's calls."""
    y = x - ndimage.uniform_filter1d(x, 31, axis=2)
    y -= ndimage.uniform_filter1d(y, 101, axis=0)
    local = ndimage.uniform_filter1d(y * y, 51, axis=2)
    return y / np.sqrt(np.maximum(local, 1e-8))


@pytest.mark.parametrize("form", ["function", "arrays"])
def test_display_of_a_profile(benchmark, profile, form):
    """Dewow, background and gain in one pass beside three calls."""
    new = partial(
        PrepareDisplay,
        spacing=SPACING,
        drift_window=31 * STEP,
        background_length=1.0,
        gain_window=51 * STEP,
    )
    x = profile.samples
    ours = {
        "function": lambda: run_lane(new(), profile),
        "arrays": subtract_on_arrays(new, x),
    }[form]
    ratio = compare(benchmark, ours, {"scipy": lambda: three_calls(x)}, x)
    least_ratio, least_share = {"function": (1.3, 0.03), "arrays": (2.1, 0.045)}[form]
    assert not benchmark.stats or ratio > least_ratio
    assert not benchmark.stats or benchmark.extra_info["share_of_copy"] > least_share
