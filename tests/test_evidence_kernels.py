"""Test the kernels of coverage cell by cell; small enough to run without JIT."""

import math

import numpy as np
import numpy.testing as npt
import pytest
from naive_evidence import distance

from minesense._kernels.evidence_grid import add_side, mark_discs, sweep_footprint

SHAPE = (12, 16)


def sweep(
    starts,
    stops,
    *,
    reach=0.3,
    outer=0.5,
    credit=1,
    times=None,
    passes=None,
    channels=None,
    figures=None,
    window=(0, 0, *SHAPE),
    into=None,
):
    """Return the arrays that stretches leave behind, on cells of 0.1 m from (0, 0)."""
    starts, stops = np.array(starts, float), np.array(stops, float)
    n = len(starts)
    row, column, n_rows, n_columns = window
    shape = (n_rows, n_columns)
    arrays = into or {
        "looks": np.zeros(shape, np.uint16),
        "marks": np.zeros(shape, np.int64),
        "greatest": np.full((*shape, 3), -1, np.float32),
        "nearest": np.full(shape, 2, np.float32),
        "last_time": np.zeros(shape),
        "last_pass": np.full(shape, -1, np.int32),
        "last_channel": np.zeros(shape, np.int32),
    }
    times = np.column_stack([np.arange(n), np.arange(n) + 1.0]) if times is None else times
    sweep_footprint(
        starts,
        stops,
        np.full(n, reach),
        np.full(n, outer),
        np.array(times, float),
        np.zeros((n, 3), np.float32) if figures is None else np.array(figures, np.float32),
        np.full(n, 1),
        np.full(n, 2),
        np.full(n, credit),
        np.array(passes if passes is not None else np.zeros(n), np.int32),
        np.array(channels if channels is not None else np.zeros(n), np.int32),
        2.0,
        0.0,
        0.0,
        0.1,
        row,
        column,
        *arrays.values(),
    )
    return arrays


def distances(start, stop):
    """Return the distance of every cell's centre from a stretch."""
    return np.array(
        [
            [distance(((c + 0.5) * 0.1, (r + 0.5) * 0.1), start, stop) for c in range(SHAPE[1])]
            for r in range(SHAPE[0])
        ]
    )


@pytest.mark.parametrize(
    ("start", "stop"),
    [((0.33, 0.41), (1.21, 0.87)), ((0.8, 0.6), (0.8, 0.6)), ((-0.2, 0.5), (3.0, 0.5))],
)
def test_marks_are_those_of_the_distance(start, stop):
    """Flags up to the outer radius, looks up to the reach, also across the border."""
    away = distances(start, stop)
    found = sweep([start], [stop])
    npt.assert_array_equal(found["looks"], away <= 0.3)
    npt.assert_array_equal(
        found["marks"], np.where(away <= 0.3, 3, np.where(away <= 0.5, 1, 0))
    )
    near = np.where(away <= 0.3, (away / 0.3) ** 2, 2)
    npt.assert_allclose(found["nearest"], near, rtol=1e-5, atol=1e-12)
    without = sweep([start], [stop], credit=0)
    assert not without["looks"].any()
    npt.assert_array_equal(without["marks"], found["marks"])


def test_a_window_is_a_part_of_the_whole():
    """The same bits, wherever the window begins."""
    ends = ([(0.33, 0.41), (0.9, 0.8)], [(1.21, 0.87), (0.4, 0.2)])
    whole = sweep(*ends)
    part = sweep(*ends, window=(3, 5, 6, 4))
    for name, array in part.items():
        npt.assert_array_equal(array, whole[name][3:9, 5:9], err_msg=name)


@pytest.mark.parametrize(
    ("changes", "looks", "is_shared"),
    [
        ({"times": [[0, 1], [3.0, 4]]}, 1, False),  # no later than the separation
        ({"times": [[0, 1], [3.1, 4]]}, 2, True),
        ({"passes": [0, 1]}, 2, True),
        ({"channels": [0, 1]}, 1, True),
    ],
)
def test_looks_and_paths_are_told_apart(changes, looks, is_shared):
    """By pass, by time, and paths also by channel."""
    place = [(0.8, 0.6)] * 2
    found = sweep(place, place, **changes)
    assert found["looks"].max() == looks
    assert (found["nearest"].min() == -1) == is_shared
    again = sweep(place[:1], place[:1], passes=[9], into=found)
    assert (again["looks"].max(), again["nearest"].min()) == (looks + 1, -1)


def test_figures_are_the_greatest_and_looks_do_not_overflow():
    """NaN is no figure; 65535 looks are as many as are counted."""
    place = [(0.8, 0.6)] * 3
    figures = [[0.1, np.nan, 0.3], [0.2, np.nan, 0.1], [0.05, np.nan, np.nan]]
    found = sweep(place, place, figures=figures)
    npt.assert_array_equal(found["greatest"][6, 8], np.array([0.2, -1, 0.3], np.float32))
    found["looks"][:] = 65535
    assert sweep(place[:1], place[:1], passes=[5], into=found)["looks"].max() == 65535


def test_discs_mark_centres_within():
    """In a window, as in the whole grid."""
    marks = np.zeros(SHAPE, np.uint8)
    centres, radii = np.array([[0.42, 0.5], [1.6, 1.2]]), np.array([0.25, 0.31])
    mark_discs(centres, radii, 0.0, 0.0, 0.1, 0, 0, marks)
    expected = np.zeros(SHAPE, bool)
    for centre, radius in zip(centres, radii, strict=True):
        expected |= distances(centre, centre) <= radius
    npt.assert_array_equal(marks, expected)
    part = np.zeros((5, 6), np.uint8)
    mark_discs(centres, radii, 0.0, 0.0, 0.1, 2, 3, part)
    npt.assert_array_equal(part, marks[2:7, 3:9])


def shares(ring, shape):
    """Return the area of a ring in every cell, sides added one by one."""
    share, rest = np.zeros(shape), np.zeros(shape)
    for (x, y), (x_2, y_2) in zip(ring, [*ring[1:], ring[0]], strict=True):
        add_side(float(x), float(y), float(x_2), float(y_2), share, rest)
    return share + np.cumsum(rest, axis=1)


def test_sides_share_a_ring_among_cells():
    """A triangle by hand; whole cells; and any ring against its area."""
    found = shares([(0, 0), (2, 0), (0, 2)], (2, 3))
    npt.assert_allclose(found, [[1, 0.5, 0], [0.5, 0, 0]], atol=1e-12)
    npt.assert_allclose(shares([(1, 0), (3, 0), (3, 2), (1, 2)], (2, 3)), [[0, 1, 1]] * 2)
    rng = np.random.default_rng(seed=3)
    angles = np.sort(rng.uniform(0, 2 * np.pi, 9))
    radii = rng.uniform(1, 4, 9)
    ring = list(zip(4 + radii * np.cos(angles), 4 + radii * np.sin(angles), strict=True))
    found = shares(ring, (8, 8))
    turned = [*ring[1:], ring[0]]
    area = sum(x * b - a * y for (x, y), (a, b) in zip(ring, turned, strict=True)) / 2
    assert math.isclose(found.sum(), area, rel_tol=1e-12)
    assert -1e-12 <= found.min() <= found.max() <= 1 + 1e-12
