"""Is the ground of a place like that of training: margins, stretches, places."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minesense.detect import (
    DetectorSettings,
    Screen,
    ShiftMonitor,
    Unfamiliar,
    familiar_margin,
    fit_monitors,
    ground_statistics,
    is_unfamiliar,
    unfamiliar_ground,
)
from minesense.gpr import CONTEXT_FEATURES
from minesense.sensor import Radar, Sensor
from minesense.sweep import Quality, Sweep
from tests.test_decision import site

SETTINGS = DetectorSettings()
RADAR = Sensor(
    name="demo",
    kind="gpr",
    axis=1e-10 * np.arange(64),
    lever_arms=[[0, 0, 0]],
    radar=Radar(centre_frequency=1.5e9),
)


def lane(name, *, level=1.0, seed=0, n=800):
    """Return a lane of noise, of so strong a ground."""
    northing = 0.025 * np.arange(n)
    samples = level * np.random.default_rng(seed).normal(size=(n, 1, 64))
    samples[:, 0, 12] += 40.0  # the ground
    return Sweep(
        samples=samples,
        time=northing / 0.5,
        position=np.column_stack([0 * northing, northing, 0 * northing]),
        heading=0 * northing,
        sensor=RADAR,
        lane=name,
    )


def screened(sweep):
    """Return what the radar's screen finds."""
    screen = Screen(SETTINGS)
    screen.push(sweep)
    return {"gpr": screen.finish()}


@given(st.integers(3, 40), st.integers(0, 2**20))
def test_margin_takes_in_all_but_a_twentieth_of_the_lanes(n, seed):
    """Against leaving each lane out in turn and counting."""
    rng = np.random.default_rng(seed)
    lanes = [
        [{"a": float(rng.standard_t(2)), "b": float(rng.normal())} for _ in range(2)]
        for _ in range(n)
    ]
    margin = familiar_margin(lanes)
    out = 0
    for k in range(n):
        rest = [row for j, rows in enumerate(lanes) if j != k for row in rows]
        monitor = ShiftMonitor.fit(rest, margin=margin * (1 + 1e-6))
        out += any(not monitor.check(row).in_range for row in lanes[k])
    assert margin >= 0.25
    assert out <= max(0, n - min(n, math.ceil(0.95 * (n + 1))))


def test_lanes_of_the_same_ground_are_mostly_familiar():
    """New lanes of a law with 20 figures: one of twenty is strange, not all of them."""
    rng = np.random.default_rng(seed=2)
    strange = []
    for _ in range(40):
        table = rng.normal(size=(60, 20))
        rows = [[dict(zip("abcdefghijklmnopqrst", x.tolist(), strict=True))] for x in table]
        known, new = rows[:40], rows[40:]
        margin = familiar_margin(known)
        monitor = ShiftMonitor.fit([row for rows in known for row in rows], margin=margin)
        strange += [not monitor.check(row).in_range for (row,) in new]
    # 800 lanes in 40 groups: about 3 standard deviations of a group are 0.02
    assert np.mean(strange) < 0.07


def test_statistics_of_radar_ground_hold_its_context():
    """Beside those of the background; and none is infinite."""
    (part,) = screened(lane("A"))["gpr"].parts
    found = ground_statistics(part, SETTINGS)
    assert {f.name for f in CONTEXT_FEATURES} <= set(found)
    assert {"spread_shallow", "score_median", "tail"} <= set(found)
    assert not any(math.isinf(value) for value in found.values())


def test_other_ground_is_unfamiliar_from_end_to_end_of_its_stretch():
    """Ground of heavier clutter, by name; and not another lane of the same ground."""
    training = [screened(lane(f"T{k}", seed=k)) for k in range(12)]
    monitors = fit_monitors(training, SETTINGS)
    same = screened(lane("same", seed=40))
    rough = lane("rough", seed=41)
    samples = rough.samples.copy()
    samples[:, 0, 20:] *= 1 + 4 * (np.random.default_rng(1).random((len(rough), 1)) < 0.02)
    rough = dataclasses.replace(rough, samples=samples)
    found = unfamiliar_ground([same, screened(rough)], monitors, SETTINGS)
    assert {item.lane for item in found} == {"rough"}
    (stretch,) = found
    assert stretch.kind == "gpr"
    assert "tail" in stretch.reason
    assert stretch.stop - stretch.start == pytest.approx(
        rough.time[-1] - rough.time[0], rel=0.1
    )


def test_all_ground_is_unfamiliar_without_a_monitor():
    """Two training lanes of a sensor tell of no range: unknown is not the same as known."""
    training = [screened(lane(f"T{k}", seed=k)) for k in range(3)]
    new = screened(lane("new", seed=40))
    few = fit_monitors(training[:2], SETTINGS)
    assert few == {}
    other = {"emi": fit_monitors(training, SETTINGS)["gpr"]}
    for monitors in (few, other):
        (stretch,) = unfamiliar_ground([new], monitors, SETTINGS)
        assert (stretch.lane, stretch.kind) == ("new", "gpr")
        assert "fewer than three training lanes" in stretch.reason
        (part,) = new["gpr"].parts
        assert [stretch.start, stretch.stop] == part.processed.time[[0, -1]].tolist()


def test_too_little_background_to_tell_is_unfamiliar():
    """Unknown is not the same as known."""
    monitors = fit_monitors([screened(lane(f"T{k}", seed=k)) for k in range(5)], SETTINGS)
    screen = screened(lane("short", seed=9))["gpr"]
    (part,) = screen.parts
    quality = np.full(len(part.scores), int(Quality.EDGE), np.uint32)  # nothing was judged
    quality[100:110] = 0
    parts = (
        dataclasses.replace(part, scores=dataclasses.replace(part.scores, quality=quality)),
    )
    lost = dataclasses.replace(screen, parts=parts)
    (found,) = unfamiliar_ground([{"gpr": lost}], monitors, SETTINGS)
    assert "missing" in found.reason
    # neither its background nor its clutter is told: it says nothing of what is familiar
    told = ground_statistics(parts[0], SETTINGS)
    assert math.isnan(told["tail"])
    assert math.isnan(told["context_clutter"])
    assert math.isnan(told["context_clutter_tail"])
    assert math.isfinite(told["context_height"])


def test_places_take_the_verdict_of_the_sensors_that_saw_them():
    """Within the stretch, of the lane, and only if that sensor has features there."""
    stretch = Unfamiliar(lane="A", kind="gpr", start=1.0, stop=3.0, reason="tail")
    sites = [
        site(0),
        site(1),
        site(3),
        site(4),
        site(2, lane="B"),
        site(2, features={"gpr": np.full(2, np.nan), "emi": np.ones(1)}),
        site(2, features={"emi": np.ones(1)}),
        site(9, quality=int(Quality.OUT_OF_DOMAIN)),  # somebody knew before
    ]
    assert is_unfamiliar(sites, (stretch,)).tolist() == [
        False, True, True, False, False, False, False, True,
    ]  # fmt: skip
    assert is_unfamiliar(sites, ()).tolist() == [False] * 7 + [True]


def test_each_sensor_has_a_clock_of_its_own():
    """A place that the coils noticed at 1002 s was passed by the radar at 2 s."""
    stretch = Unfamiliar(lane="A", kind="gpr", start=1.0, stop=3.0, reason="tail")
    sites = [
        site(1002, times={"emi": 1002.0, "gpr": 2.0}),
        site(2, times={"emi": 2.0, "gpr": 1002.0}),
    ]
    assert is_unfamiliar(sites, (stretch,)).tolist() == [True, False]


def test_one_lane_makes_no_monitor():
    """Nothing can be said of a range of one."""
    found = screened(lane("T"))
    assert fit_monitors([found], SETTINGS) == {}
    empty = {"gpr": dataclasses.replace(found["gpr"], parts=())}
    assert fit_monitors([empty] * 3, SETTINGS) == {}
