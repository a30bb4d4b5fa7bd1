"""Benchmark compiled trees beside scikit-learn: one candidate, and many."""

import time

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from minesense.detect import fit, predict

N_FEATURES = 60


@pytest.fixture(scope="module")
def world():
    """Return a fitted pipeline of the detector's default kind, and rows to score."""
    rng = np.random.default_rng(seed=0)
    x = rng.normal(size=(600, N_FEATURES))
    y = x[:, :5].sum(axis=1) + rng.normal(size=600) > 1
    x[rng.random(x.shape) < 0.05] = np.nan
    estimator = fit(x, y)
    rows = rng.normal(size=(5000, N_FEATURES))
    rows[rng.random(rows.shape) < 0.05] = np.nan
    predict(estimator, rows[:1])  # compiles the kernel and tests it
    return estimator, rows


def seconds_of(call, n):
    """Return the mean time of a call among n."""
    start = time.perf_counter()
    for _ in range(n):
        call()
    return (time.perf_counter() - start) / n


def test_one_row(benchmark, world):
    """One candidate, as a stream judges it: at most 20 us, 25 times scikit-learn."""
    estimator, rows = world
    row = rows[:1]
    with threadpool_limits(limits=1):
        expected = estimator.decision_function(row)
        assert predict(estimator, row).tobytes() == expected.tobytes()
        own, ratios = [], []
        for _ in range(15):  # in turns: what else the machine does slows both
            own.append(seconds_of(lambda: predict(estimator, row), 500))
            ratios.append(seconds_of(lambda: estimator.decision_function(row), 5) / own[-1])
    benchmark(lambda: predict(estimator, row))
    if benchmark.stats:
        benchmark.extra_info["seconds"] = float(np.median(own))
        benchmark.extra_info["ratio"] = float(np.median(ratios))
        assert np.median(own) < 20e-6
        # 250 where it was written, beside one thread of scikit-learn
        assert np.median(ratios) > 100


def test_many_rows(benchmark, world):
    """All candidates of a field at once, one thread each."""
    estimator, rows = world
    with threadpool_limits(limits=1):
        expected = estimator.decision_function(rows)
        assert predict(estimator, rows).tobytes() == expected.tobytes()
        ratios = []
        for _ in range(7):
            own = seconds_of(lambda: predict(estimator, rows), 3)
            ratios.append(seconds_of(lambda: estimator.decision_function(rows), 3) / own)
    benchmark(lambda: predict(estimator, rows))
    if benchmark.stats:
        benchmark.extra_info["ratio"] = float(np.median(ratios))
        assert np.median(ratios) > 1.0
