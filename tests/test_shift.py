"""Test that what was not trained on is noticed, and never passes for usual."""

import json
import math

import numpy as np
import numpy.testing as npt
import pytest

from minesense.detect import (
    ShiftMonitor,
    conformal_p_values,
    is_unknown,
    stability_index,
    thin_places,
    withhold,
)
from minesense.sweep import Quality


def rows_of(rng, n, *, shift=0.0):
    """Return statistics of n places or lanes of one soil."""
    return [
        {"permittivity": float(x), "slope": float(y)}
        for x, y in zip(rng.normal(9 + shift, 1, n), rng.normal(-1, 0.1, n), strict=True)
    ]


def test_a_range_is_that_of_quantiles_with_a_margin():
    """Inside, at the edge and outside; how far, in widths of the range."""
    values = np.linspace(0, 100, 1001)
    monitor = ShiftMonitor.fit([{"x": float(v)} for v in values], margin=0.5)
    low, high = 1 - 0.5 * 98, 99 + 0.5 * 98
    assert monitor.check({"x": low + 1e-9}).in_range
    assert monitor.check({"x": high - 1e-9}).in_range
    verdict = monitor.check({"x": high + 19.6})
    (departure,) = verdict.departures
    npt.assert_allclose(departure.distance, 19.6 / (high - low))
    assert (departure.name, departure.reason) == ("x", "range")
    assert verdict.quality == Quality.OUT_OF_DOMAIN
    assert not monitor.check({"x": low - 1e-6}).in_range


def test_a_new_soil_withholds_probabilities_and_keeps_alarms():
    """NaN with a flag, one for each alarm that came in; the statistic is named."""
    rng = np.random.default_rng(seed=1)
    monitor = ShiftMonitor.fit(rows_of(rng, 40))
    lanes = [*rows_of(rng, 2), {"permittivity": 25.0, "slope": -1.0}]
    p, quality = withhold([0.9, 0.2, 0.9], [monitor.check(row) for row in lanes])
    npt.assert_array_equal(p, [0.9, 0.2, math.nan])
    npt.assert_array_equal(quality, [0, 0, Quality.OUT_OF_DOMAIN])
    assert monitor.check(lanes[2]).reason.startswith("permittivity 25 beyond")


def test_what_is_missing_is_not_in_range():
    """Unless training lacked it as often; a name that nobody knows is refused."""
    rng = np.random.default_rng(seed=2)
    monitor = ShiftMonitor.fit(rows_of(rng, 30))
    for row in ({"slope": -1.0}, {"slope": -1.0, "permittivity": math.nan}):
        (departure,) = monitor.check(row).departures
        assert (departure.name, departure.reason) == ("permittivity", "missing")
    assert not monitor.check({"slope": -1.0, "permittivity": math.inf}).in_range
    holes = ShiftMonitor.fit([*rows_of(rng, 18), {"slope": -1.0}, {"slope": -1.0}])
    assert holes.check({"slope": -1.0}).in_range
    with pytest.raises(ValueError, match=r"names colour\. Must name statistics"):
        monitor.check({"colour": 1.0})


def test_what_never_varied_may_not_vary():
    """One soil in training says nothing of another."""
    monitor = ShiftMonitor.fit([{"x": 4.0}] * 5)
    assert monitor.check({"x": 4.0}).in_range
    assert not monitor.check({"x": 4.1}).in_range


def test_the_index_finds_a_shift_that_no_single_place_shows():
    """Half a standard deviation, over 400 places; the same soil stays within its limit."""
    rng = np.random.default_rng(seed=3)
    monitor = ShiftMonitor.fit(rows_of(rng, 2000))
    moved = [{**row, "permittivity": row["permittivity"] + 0.8} for row in rows_of(rng, 400)]
    assert monitor.check_together(rows_of(rng, 400)).in_range
    (departure,) = monitor.check_together(moved).departures
    assert (departure.name, departure.reason) == ("permittivity", "distribution")
    false = sum(not monitor.check_together(rows_of(rng, 12)).in_range for _ in range(200))
    assert false <= 20  # few places vary by chance: the limit knows
    both = [0.5, 0.5], [0.25, 0.75]
    expected = 0.25 * math.log(2) + -0.25 * math.log(0.5 / 0.75)
    npt.assert_allclose(stability_index(*both), expected)
    npt.assert_allclose(stability_index(*both[::-1]), expected)


def test_a_monitor_survives_json():
    """Plain numbers there and back; the same verdicts."""
    rng = np.random.default_rng(seed=4)
    monitor = ShiftMonitor.fit(rows_of(rng, 50))
    document = json.loads(json.dumps(monitor.as_dict()))
    again = ShiftMonitor.from_dict(document)
    assert again == monitor
    for row in rows_of(rng, 20, shift=3.0):
        assert again.check(row) == monitor.check(row)
    del document["ranges"]["slope"]["low"]
    with pytest.raises(ValueError, match="it lacks 'low'"):
        ShiftMonitor.from_dict(document)


def test_p_values_of_background_are_uniform():
    """At most a share a of background places have p at most a; ties count against them."""
    rng = np.random.default_rng(seed=5)
    p = np.concatenate(
        [conformal_p_values(rng.normal(size=20), rng.normal(size=99)) for _ in range(300)]
    )
    for level in (0.01, 0.1, 0.5):
        assert abs((p <= level + 1e-12).mean() - level) < 0.02
    background = [1.0, 1.0, 2.0]
    npt.assert_array_equal(conformal_p_values([1.0, 1.5, 3.0], background), [1.0, 0.5, 0.25])


def test_unknown_is_dug():
    """Strange or not judged; too few background places to ever say so are refused."""
    assert is_unknown([math.nan, 0.01, 0.02], level=0.01, n_background=99).tolist() == [
        True,
        True,
        False,
    ]
    with pytest.raises(ValueError, match="Must be at least 99"):
        is_unknown([0.5], level=0.01, n_background=98)


def test_thinned_places_are_apart_and_leave_no_hole():
    """Every pair is far enough apart, and no place that was left out would have fitted."""
    rng = np.random.default_rng(seed=6)
    east, north = rng.uniform(0, 3, (2, 200))
    kept = thin_places(east, north, separation=0.5)
    place = np.column_stack([east, north])
    distance = np.linalg.norm(place[:, None] - place[kept], axis=-1)
    assert (distance[kept] + 9 * np.eye(len(kept))).min() >= 0.5
    assert (distance.min(axis=1) < 0.5).all()


def test_bad_tables_are_named():
    """Too few rows, infinite values, a statistic that nobody measured."""
    with pytest.raises(ValueError, match=r"table with 1 rows\. Must have at least two"):
        ShiftMonitor.fit([{"x": 1.0}])
    with pytest.raises(ValueError, match="Invalid x: row 1 is infinite"):
        ShiftMonitor.fit([{"x": 1.0}, {"x": math.inf}])
    with pytest.raises(ValueError, match="Invalid y: every row lacks it"):
        ShiftMonitor.fit([{"x": 1.0}, {"x": 2.0, "y": math.nan}])


def test_a_row_that_tells_nothing_is_out_of_range():
    """Also where every statistic was missing now and then in training."""
    rows = [{"a": float(k)} for k in range(18)] + [{"a": math.nan}] * 2
    monitor = ShiftMonitor.fit(rows)
    for row in ({}, {"a": math.nan}):
        verdict = monitor.check(row)
        assert not verdict.in_range
        assert verdict.reason == "a missing"
    assert monitor.check({"a": 3.0}).in_range
