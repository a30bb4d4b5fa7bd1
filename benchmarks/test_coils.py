"""
Benchmark what metal detectors need trace by trace, beside SciPy.

Ratios are of calls taken in turns in this process, so that a busy neighbour slows both.
They go into the report; only ratios far below what was measured fail.
"""

import itertools
import statistics
import time
from functools import partial

import numpy as np
import numpy.testing as npt
import pytest
from scipy import signal

from minesense.emi import LevelBaseline, PrescreenTargets, RejectMains, Rezero, TrackSoil
from minesense.emi.sections import SectionFilter
from minesense.sensor import Sensor
from minesense.sweep import Sweep

N_CHANNELS, SPACING = 16, 0.0125
ROWS = np.random.default_rng(seed=0).normal(size=(2_000, N_CHANNELS)).astype(np.float32)
#: What is filtered with, and the least ratio that passes.
SECTIONS = {
    "one notch": (np.hstack(signal.iirnotch(0.3, 10.0))[None], 10.0),
    "band-pass of order 4": (signal.butter(4, (0.01, 0.4), "bandpass", output="sos"), 10.0),
}


def seconds_a_row(step, rows):
    """Return the mean time a call takes over a stretch of rows."""
    start = time.perf_counter()
    for row in rows:
        step(row)
    return (time.perf_counter() - start) / len(rows)


@pytest.mark.parametrize("name", SECTIONS)
def test_one_trace_of_16_channels(benchmark, name):
    """One row at a time: against sosfilt with zi, and the same numbers."""
    sos, least = SECTIONS[name]
    traces = [ROWS[k : k + 1] for k in range(len(ROWS))]
    held = [signal.sosfilt_zi(sos)[:, :, None] * ROWS[0].astype(float)]

    def theirs(row):
        result, held[0] = signal.sosfilt(sos, row, axis=0, zi=held[0])
        return result

    ours = SectionFilter(sos, N_CHANNELS)
    expected = np.concatenate([theirs(row) for row in traces[:200]])
    result = np.concatenate([ours.feed(row) for row in traces[:200]])
    npt.assert_allclose(result, expected, atol=1e-5)
    rounds = [
        (seconds_a_row(theirs, part), seconds_a_row(ours.feed, part))
        for part in (traces[k : k + 200] for k in range(200, 2_000, 100))
    ]
    ratio = statistics.median(a / b for a, b in rounds)
    benchmark.extra_info["peer_s"] = statistics.median(a for a, _ in rounds)
    benchmark.extra_info["times_faster_than_peer"] = round(ratio, 2)
    benchmark(ours.feed, traces[0])
    assert not benchmark.stats or ratio > least


def make_lane(n_traces=2_000, n_gates=12):
    """Return noise of 16 coils, 80 traces a second."""
    northing = SPACING * np.arange(n_traces)
    rng = np.random.default_rng(seed=0)
    return Sweep(
        samples=rng.normal(size=(n_traces, N_CHANNELS, n_gates)),
        time=np.arange(n_traces) / 80.0,
        position=np.column_stack([0 * northing, northing, 0 * northing]),
        heading=np.zeros(n_traces),
        sensor=Sensor(
            name="benchmark",
            kind="emi",
            axis=1e-5 * np.arange(1, n_gates + 1),
            lever_arms=np.zeros((N_CHANNELS, 3)),
        ),
    )


STAGES = {
    "mains": partial(RejectMains, interval=1 / 80),
    "re-zero": partial(Rezero, interval=1 / 80),
    "level": partial(LevelBaseline, spacing=SPACING),
    "level, centred": partial(LevelBaseline, spacing=SPACING, centred=True),
    "track soil": partial(TrackSoil, spacing=SPACING, columns=[1 / np.arange(1.0, 13.0)]),
    "likelihood ratio": partial(
        PrescreenTargets,
        spacing=SPACING,
        decays=np.exp(-np.arange(12) / np.array([[2.0], [4.0], [8.0]])),
        columns=[1 / np.arange(1.0, 13.0)],
    ),
}


@pytest.mark.parametrize("name", STAGES)
def test_one_sweep_trace(benchmark, name):
    """A trace of 16 coils with 12 gates through a whole stage: a share of its interval."""
    lane = make_lane()
    traces, stage = [lane[k : k + 1] for k in range(2_000)], STAGES[name]()
    stage.process(lane[:1_000])  # compiles the kernels and fills the windows
    counter = itertools.count(1_000)

    def step():
        k = next(counter)
        if k % 2_000 == 0:
            stage.reset()
        stage.process(traces[k % 2_000])

    benchmark.pedantic(step, rounds=400, iterations=1)
    share = benchmark.stats["median"] * 80.0 if benchmark.stats else 0.0
    benchmark.extra_info["share_of_interval_at_80_hz"] = round(share, 5)
    assert share < 0.5
