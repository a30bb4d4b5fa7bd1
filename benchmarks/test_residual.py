"""Time what may remain: draws for a hectare, and strips put into cells beside NumPy."""

import time

import numpy as np
import numpy.testing as npt
import pytest

from benchmarks.residual.fields import CLASS, finds_of, look, make_site, model_of, random_blocks
from benchmarks.residual.fields import search_of as evidence_of
from minesense._kernels.strip_laws import add_strip
from minesense.evidence import draw_intensity, estimate_remaining
from minesense.evidence.learning import _points

#: s, for 300 draws of a hectare in cells of a metre, six scenarios: "seconds".
MOST_SECONDS = 30.0


@pytest.fixture(scope="module")
def task():
    """Return a SYNTHETIC field, half of it searched, and what was found."""
    site = make_site(5000)
    mask = random_blocks(site, 0.5, np.random.default_rng(seed=1))
    found = look(site, mask, np.random.default_rng(seed=2))
    return model_of(site), [evidence_of(site, mask)], finds_of(site, found)


def test_draws_of_a_hectare(benchmark, task):
    """300 draws of 10,000 cells, one class."""
    model, evidence, finds = task

    def run():
        rng = np.random.default_rng(seed=3)
        return draw_intensity(model, CLASS, evidence=evidence, finds=finds, rng=rng)

    run()  # compiles
    drawn = benchmark.pedantic(run, rounds=3)
    assert drawn.items.shape == (300, 10_000)
    benchmark.extra_info["finds"] = len(finds)


def test_a_whole_estimate_takes_seconds(task):
    """With all combinations and scenarios."""
    model, evidence, finds = task
    start = time.perf_counter()
    left = estimate_remaining(model, evidence, finds, rng=np.random.default_rng(seed=3))
    assert time.perf_counter() - start < MOST_SECONDS
    assert len(left.scenarios) == 3


def numpy_strip(strip, points, origin, cell, out):
    """Put a strip into cells as a user would with NumPy."""
    sin, cos = np.sin(strip[2]), np.cos(strip[2])
    u, v = points[:, 0] * strip[3], points[:, 1] * strip[4]
    column = np.floor((strip[0] + u * sin + v * cos - origin[0]) / cell).astype(int)
    row = np.floor((strip[1] + u * cos - v * sin - origin[1]) / cell).astype(int)
    inside = (row >= 0) & (row < out.shape[0]) & (column >= 0) & (column < out.shape[1])
    np.add.at(out, (row[inside], column[inside]), strip[5] / len(points))


def test_strips_are_put_into_cells_faster_than_with_numpy(benchmark):
    """The same cells; at least three times as fast."""
    rng = np.random.default_rng(seed=4)
    points, origin = _points(1536), np.zeros(2)
    strips = np.column_stack(
        [rng.uniform(0, 100, (500, 2)), rng.uniform(0, 3, 500), np.full(500, 60.0),
         np.full(500, 0.7), np.full(500, 20.0)]
    )  # fmt: skip
    ours, theirs = np.zeros((100, 100)), np.zeros((100, 100))

    def run():
        for strip in strips:
            add_strip(strip, points, origin, 1.0, 1.0, ours)

    run()
    start = time.perf_counter()
    for strip in strips:
        numpy_strip(strip, points, origin, 1.0, theirs)
    seconds = time.perf_counter() - start
    npt.assert_allclose(ours, theirs, atol=1e-9)
    benchmark.pedantic(run, rounds=5)
    if benchmark.stats:
        benchmark.extra_info["numpy_over_ours"] = seconds / benchmark.stats["median"]
        assert seconds > 3 * benchmark.stats["median"]
