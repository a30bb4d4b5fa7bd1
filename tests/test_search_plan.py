"""Test the order of a search against its rule, and rows against patterns that are known."""

import math

import numpy as np
import numpy.testing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minesense.evidence import (
    Find,
    SiteGrid,
    after_failed_search,
    infer_rows,
    next_units,
    plan_search,
)

GRID = SiteGrid(origin=(100.0, 200.0), cell=1.0, shape=(60, 60))


def make_rng(seed=1):
    return np.random.default_rng(seed=seed)


@settings(deadline=None, derandomize=True)
@given(p=st.floats(0.0, 1.0), d=st.floats(0.0, 0.999))
def test_failure_lowers_the_probability_by_bayes_rule(p, d):
    """And never to zero, unless it was."""
    after = float(after_failed_search(p, d))
    npt.assert_allclose(after * (1 - p * d), p * (1 - d), atol=1e-12)
    assert after <= p + 1e-12
    assert (after > 0) == (p > 0)


def test_a_search_that_finds_everything_is_refused():
    """Detection of one, or a probability beyond one."""
    for p, d in ((0.5, 1.0), (1.1, 0.5)):
        with pytest.raises(ValueError, match="no search finds everything"):
            after_failed_search(p, d)


def plan(expected, **changes):
    options = {
        "area": 100.0, "sweep_rate": 100.0, "hours": 5.0, "rng": make_rng(),
        "random_share": 1e-9,
    } | changes  # fmt: skip
    return plan_search(expected, **options)


def test_the_greedy_order_is_the_best_one():
    """Exponential detection: no other way to share out the steps finds more."""
    rng = make_rng(2)
    for _ in range(20):
        items, areas = rng.uniform(0.1, 2.0, 3), rng.uniform(50, 200, 3)
        made = plan(items, area=areas, hours=4.0, step_hours=1.0)
        best = 0.0
        for a in range(5):
            for b in range(5 - a):
                effort = np.array([a, b, 4 - a - b])
                best = max(best, (0.95 * items * -np.expm1(-100.0 * effort / areas)).sum())
        npt.assert_allclose(made.expected_found, best, rtol=1e-9)
        npt.assert_allclose(made.expected_found + made.residual, items.sum(), rtol=1e-9)


def test_what_can_never_be_found_stays():
    """However long the search; and the plan settles nothing."""
    made = plan([1.0, 1.0], hours=400.0, never_found=0.05)
    npt.assert_allclose(made.residual, 0.1, rtol=1e-3)
    assert made.residual >= 0.1 - 1e-12
    words = " ".join(dir(made)).lower()
    assert "stop" not in words
    assert "done" not in words


def test_value_cost_and_overhead_move_the_order():
    """Risk removed per hour."""
    items = [1.0, 1.0, 1.0]
    assert plan(items, value=[1.0, 5.0, 2.0], hours=3.0).steps[0].unit == 1
    assert plan(items, area=[100.0, 100.0, 20.0], step_hours=0.2).steps[0].unit == 2
    made = plan([1.0, 0.9, 0.1], overhead_hours=[4.0, 0.0, 0.0], hours=5.0)
    assert made.steps[0].unit == 1
    assert made.hours <= 5.0


def test_chance_gets_its_share_and_is_logged():
    """Each step's probability is what it was; inverse weights give back the average."""
    items = np.linspace(0.1, 3.0, 30)
    made = plan(items, hours=4000.0, random_share=0.1, rng=make_rng(3), step_hours=1.0)
    assert abs(made.n_random / len(made.steps) - 0.1) < 0.02
    assert {round(s.probability, 9) for s in made.steps} <= {
        round(0.1 / 30, 9), round(0.1 / 30 + 0.9, 9)
    }  # fmt: skip
    assert len({step.unit for step in made.steps if step.is_random}) == 30
    rows = made.rows()
    assert list(rows[0]) == [
        "order", "unit", "hours", "expected_found_items", "residual_before_items",
        "residual_after_items", "probability", "is_random",
    ]  # fmt: skip
    assert [row["order"] for row in rows] == list(range(1, len(rows) + 1))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"random_share": 0.0}, "without chance maps confirm themselves"),
        ({"never_found": 1.0}, "Invalid random_share"),
        ({"expected": [0.0, 1.0]}, "no unit is without items"),
        ({"hours": 0.0}, "Invalid hours"),
        ({"sweep_rate": -1.0}, "Invalid sweep_rate"),
        ({"expected": []}, "Invalid number of units"),
    ],
)
def test_plans_that_cannot_be_are_refused(changes, message):
    """Each error names the argument."""
    options = {"expected": [1.0, 2.0]} | changes
    with pytest.raises(ValueError, match=message):
        plan(options.pop("expected"), **options)


def test_the_next_units_are_the_best_ones_and_some_by_chance():
    """Each once; those done come not again; what is logged is how often it happens."""
    items = np.array([0.1, 0.5, 0.2, 0.4])
    units, chances = next_units(items, 9, rng=make_rng(), random_share=1e-12)
    assert units.tolist() == [1, 3, 2, 0]
    npt.assert_allclose(chances, 1.0)
    units, _ = next_units(items, 2, rng=make_rng(), done=[0, 1, 0, 0], random_share=1e-12)
    assert units.tolist() == [3, 2]
    rng, first = make_rng(4), []
    for _ in range(2000):
        (unit,), (chance,) = next_units(items, 1, rng=rng, random_share=0.4)
        first.append(unit)
        npt.assert_allclose(chance, 0.1 + 0.6 * (unit == 1))
    npt.assert_allclose(np.bincount(first) / 2000, [0.1, 0.7, 0.1, 0.1], atol=0.04)
    with pytest.raises(ValueError, match="Invalid done"):
        next_units(items, 1, rng=rng, done=[True])
    with pytest.raises(ValueError, match="Invalid random_share '0'"):
        next_units(items, 1, rng=rng, random_share=0.0)


# Rows


def make_row(heading, *, spacing=3.0, n=14, scatter=0.1, found=1.0, seed=1, middle=(130, 230)):
    """Return finds along a line, with scatter and gaps."""
    rng = make_rng(seed)
    t = spacing * (np.arange(n) - (n - 1) / 2) + rng.normal(0, scatter, n)
    v = rng.normal(0, scatter, n)
    kept = rng.random(n) < found
    sin, cos = math.sin(heading), math.cos(heading)
    return [
        Find(easting=middle[0] + a * sin + b * cos, northing=middle[1] + a * cos - b * sin,
             target_class="AP")
        for a, b in zip(t[kept], v[kept], strict=True)
    ]  # fmt: skip


def anywhere(n, seed):
    rng = make_rng(seed)
    return [
        Find(easting=e, northing=m, target_class="AP")
        for e, m in rng.uniform((100, 200), (160, 260), (n, 2))
    ]


def rows_of(finds, **options):
    options = {"rng": make_rng(9)} | options
    return infer_rows(finds, GRID, np.ones(GRID.shape), **options)


@pytest.mark.parametrize("degrees", [0, 17, 45, 90, 133, 179])
def test_a_row_is_found_with_its_heading_and_spacing(degrees):
    """Among finds anywhere, with gaps, whichever way it runs; errors say how well."""
    finds = make_row(math.radians(degrees), found=0.75, seed=degrees) + anywhere(6, 5)
    (row,) = rows_of(finds, n_trials=99)
    off = (math.degrees(row.heading) - degrees + 90) % 180 - 90
    assert abs(off) < 4 * max(math.degrees(row.heading_error), 0.1)
    assert math.degrees(row.heading_error) < 1.0
    assert row.p_value <= 0.01
    if not math.isnan(row.spacing):  # with every fourth item missing it may not be told
        npt.assert_allclose(row.spacing, 3.0, atol=max(5 * row.spacing_error, 0.05))
    (whole,) = rows_of(make_row(math.radians(degrees), seed=degrees), n_trials=99)
    npt.assert_allclose(whole.spacing, 3.0, atol=max(5 * whole.spacing_error, 0.05))
    assert row.gap_low <= row.gap <= row.gap_high
    # the line passes the true middle
    across = (row.easting - 130) * math.cos(row.heading) - (row.northing - 230) * math.sin(
        row.heading
    )
    assert abs(across) < 0.3
    assert row.describe()["n_finds"] == len(row.members)


def test_two_rows_are_two():
    """Side by side; members are each of one."""
    finds = make_row(0.6, middle=(120, 225)) + make_row(0.6, middle=(140, 235), seed=2)
    rows = rows_of(finds)
    assert len(rows) == 2
    assert not set(rows[0].members) & set(rows[1].members)
    assert all(abs(row.heading - 0.6) < 0.03 for row in rows)


def test_chance_makes_few_rows():
    """Of forty patterns without rows hardly any shows one: the stated share of them."""
    found = sum(
        len(rows_of(anywhere(20, seed), rng=make_rng(seed), n_trials=99)) > 0
        for seed in range(100, 140)
    )
    assert found <= 3


def test_the_shape_of_a_search_is_no_row():
    """Finds anywhere along a searched lane line up as the lane does, and no better."""
    searched = np.zeros(GRID.shape)
    searched[20:23] = 1.0
    rng = make_rng(6)
    finds = [
        Find(easting=100 + e, northing=220 + n, target_class="AP")
        for e, n in rng.uniform((0, 0), (60, 3), (18, 2))
    ]
    assert infer_rows(finds, GRID, searched, rng=rng, width=2.0) == ()


def test_an_irregular_row_has_no_spacing():
    """Its items lie along a line at any distance: a gap is told, a step is not."""
    told = 0
    for seed in range(30, 38):
        rng = make_rng(seed)
        finds = [
            Find(easting=100 + e, northing=230 + 0.05 * rng.normal(), target_class="AP")
            for e in np.sort(rng.uniform(2, 58, 16))
        ]
        (row,) = rows_of(finds, n_trials=99)
        told += not math.isnan(row.spacing)
        assert row.gap > 0
    assert told <= 1


def test_few_finds_make_no_row():
    """And nothing searched is an error."""
    assert rows_of([]) == ()
    assert rows_of(make_row(0.3, n=4)) == ()
    with pytest.raises(ValueError, match="Invalid searched: all cells are zero"):
        infer_rows([], GRID, np.zeros(GRID.shape), rng=make_rng())
    with pytest.raises(ValueError, match="crs 'x' of find 0"):
        rows_of([Find(easting=1.0, northing=1.0, target_class="AP", crs="x")])
