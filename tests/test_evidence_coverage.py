"""Test states of ground against a slow version, by hand, and however tracks are cut."""

import dataclasses
import itertools
import math
import subprocess
import sys
from pathlib import Path

import naive_evidence
import numpy as np
import numpy.testing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lanes import make_sensor, make_sweep
from sites import around, make_check, make_site, make_track

from minesense.alarm import Alarm
from minesense.evidence import (
    CoverageTracker,
    Shortfall,
    State,
    Track,
    observe_site,
    reason_names,
    track_of,
)
from minesense.evidence.jumps import contradicted, jumps_in
from minesense.evidence.reasons import NOT_CREDITED, NOT_VALID, PARTIAL, SUMMARY_ORDER
from minesense.evidence.stretches import stretches_of
from minesense.evidence.task_cells import task_cells
from minesense.sweep import Frame, Quality

SITE = make_site()
ARRAY = [[-0.15, 0.05], [0.15, 0.0]]  # m, lever arms of two channels
SEEN: set[int] = set()  # states that recordings had


def make_alarm(name="a", east=1.0, north=1.0, error=0.0):
    """Return an alarm at a place."""
    return Alarm(
        identifier=name,
        lane="A",
        time=1.0,
        easting=east,
        northing=north,
        position_error=error,
        depth=math.nan,
        probability=math.nan,
        score=1.0,
    )


def observe(*tracks, site=SITE, checks=None, **options):
    """Return the grid of tracks with checks around them."""
    checks = around(*tracks) if checks is None else checks
    return observe_site(site, tracks, checks=checks, **options)


def states_of(grid):
    """Return the states that occur in the first layer."""
    return {State(int(value)) for value in np.unique(grid.layers[0].state)}


def under(grid, *, east=1.0, north=1.0):
    """Return state and reasons of the first layer at a place."""
    layer = grid.layers[0]
    state = State(int(grid.at(layer.state, east, north)))
    return state, set(reason_names(grid.at(layer.reasons(), east, north)))


def assert_same_bits(one, other):
    """Fail unless two grids are the same, bit for bit."""
    arrays, others = one.to_arrays(), other.to_arrays()
    assert list(arrays) == list(others)
    for name, array in arrays.items():
        assert array.dtype == others[name].dtype, name
        assert array.tobytes() == others[name].tobytes(), name
    assert (one.unlocated, one.checks, one.invalid, one.alarms) == (
        other.unlocated,
        other.checks,
        other.invalid,
        other.alarms,
    )


# Against the definitions


@st.composite
def recordings(draw):
    """Return lanes near each other, from good to poor, with checks and alarms."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    faulty = draw(st.sampled_from([0.0, 0.02, 0.15]))  # share of figures that are odd
    tracks, start = [], 0.0

    def odd(usual, *others, size):
        shares = [1 - faulty, *(faulty / len(others) for _ in others)]
        return rng.choice([usual, *others], size=size, p=shares)

    for k in range(draw(st.integers(1, 4))):
        n = int(rng.integers(1, 24))
        angle = rng.choice([0.0, np.pi / 2, rng.uniform(0, 2 * np.pi)])
        steps = odd(rng.choice([0.05, 0.09]), 0.0, 0.15, 0.3, 1.0, -1.0, size=n)
        middle = np.cumsum(steps) - steps.sum() / 2
        place = 1 + rng.uniform(-0.2, 0.2, 2) + np.outer(middle, [np.sin(angle), np.cos(angle)])
        quality = np.zeros(n, np.int64)
        for flag in rng.choice(list(Quality), size=2):
            quality[rng.uniform(size=n) < faulty / 2] |= int(flag)
        place[(quality & int(Quality.POSE_NONE)) != 0] = np.nan
        times = start + np.cumsum(odd(0.12, 0.1, 1.5, 0.01, size=n))
        start = float(times[-1]) + rng.choice([0.5, 30.0, 700.0], p=[0.4, 0.5, 0.1])
        tracks.append(
            Track(
                sensor="coil",
                session="1",
                lane=f"lane {k}",
                time=times,
                position=place,
                heading=angle,
                height=odd(rng.choice([0.05, 0.09]), 0.12, 0.3, np.nan, -0.01, size=n),
                tilt=odd(0.1, -0.3, np.nan, size=n),
                position_error=odd(0.05, 0.02, 0.09, np.nan, size=n),
                noise=odd(1.0, 3.0, np.nan, size=n),
                quality=quality,
                lever_arms=[[0.0, 0.0]]
                if rng.uniform() < 0.5
                else [[-0.15, 0.05], [0.15, 0.0]],
                speed=None if rng.uniform() < 0.5 else odd(0.5, 1.5, 0.01, np.nan, size=n),
                frame=SITE.frame.frame,
            )
        )
    end = float(tracks[-1].time[-1])
    times = np.unique(np.concatenate([[-1.0], rng.uniform(0, end, draw(st.integers(0, 2)))]))
    times = [*times, end + 1] if rng.uniform() < 0.9 else times
    answers = rng.choice([100.0, 90.0, 50.0], size=len(times), p=[0.6, 0.3, 0.1])
    checks = [make_check(float(t), response=r) for t, r in zip(times, answers, strict=True)]
    alarms = [make_alarm("a", *rng.uniform(0, 2, 2), rng.uniform(0, 0.1))]
    return tracks, checks, alarms[: draw(st.integers(0, 1))]


@settings(deadline=None, derandomize=True, max_examples=40)
@given(
    recording=recordings(),
    looks=st.sampled_from([1, 2]),
    overlap=st.sampled_from([None, 0.1, 0.5]),
)
def agree_with_the_slow_version(recording, looks, overlap):
    """Compare states, flags, looks and heights with those of a search cell by cell."""
    tracks, checks, alarms = recording
    site = make_site(cell=0.2, looks=looks, overlap=overlap)
    grid = observe_site(site, tracks, checks=checks, alarms=alarms)
    state, flags, n_looks, height = naive_evidence.observe(
        site, site.sensor[0], site.sensor[0].footprint[0], tracks, checks, alarms
    )
    layer = grid.layers[0]
    npt.assert_array_equal(layer.state, state)
    npt.assert_array_equal(layer.flags, flags)
    npt.assert_array_equal(layer.looks, n_looks)
    npt.assert_array_equal(layer.height, height.astype(np.float32))
    SEEN.update(np.unique(layer.state).tolist())
    assert sum(grid.exact_areas(layer.state).values()) == grid.task_units


def test_agrees_with_the_slow_version():
    """On lanes of all kinds, which among them have every state."""
    SEEN.clear()
    agree_with_the_slow_version()
    assert set(map(int, State)) == SEEN


@pytest.mark.parametrize("speed", [None, 0.5])
@pytest.mark.parametrize("angle", [0.0, 0.3, 2.0])
def test_the_area_of_a_lane_is_that_of_a_capsule(angle, speed):
    """2 r l + pi r^2, with r the radius less the position error, within a cell's share."""
    site = make_site(cell=0.01, polygon=((-2, -2), (2, -2), (2, 2), (-2, 2)), speed_lower=None)
    length, radius = 1.5, 0.25 - 0.05
    along = np.linspace(-length / 2, length / 2, 31)
    track = make_track(
        site,
        n=31,
        position=np.outer(along, [np.sin(angle), np.cos(angle)]),
        time=along / 0.5,
        heading=angle,
        speed=speed if speed is not None else 0.5,
    )
    grid = observe(track, site=site)
    expected = 2 * radius * length + np.pi * radius**2
    found = grid.areas(grid.layers[0].state)[State.OBSERVED_NO_ALARM]
    assert found == pytest.approx(expected, rel=2e-3)


@pytest.mark.parametrize(
    ("height", "error", "radius"),
    [(0.05, 0.0, 0.25), (0.05, 0.05, 0.20), (0.1, 0.0, 0.20), (0.1, 0.08, 0.12)],
)
def test_the_footprint_follows_height_and_position_error(height, error, radius):
    """The table is read at the height, and the error taken off."""
    site = make_site(cell=0.01)
    grid = observe(make_track(site, height=height, position_error=error), site=site)
    row = grid.layers[0].state[100]
    seen = np.flatnonzero(row == State.OBSERVED_NO_ALARM)
    assert len(seen) * 0.01 == pytest.approx(2 * radius, abs=0.011)
    margin = grid.layers[0].height_margin[100, 100]
    assert margin == pytest.approx(0.10 - height, abs=1e-6)


def test_channels_have_their_lever_arms():
    """An array sees strips beside the platform, turned with the heading."""
    site = make_site(cell=0.02)
    arms = [[-0.6, 0.0], [0.6, 0.0]]
    grid = observe(make_track(site, lever_arms=arms), site=site)
    assert under(grid)[0] == State.NOT_OBSERVED
    for east in (0.4, 1.6):
        assert under(grid, east=east)[0] == State.OBSERVED_NO_ALARM
    backward = make_track(site, lever_arms=[[-0.6, 0.0]], heading=np.pi)
    grid = observe(backward, site=site)
    assert under(grid, east=1.6)[0] == State.OBSERVED_NO_ALARM
    assert under(grid, east=0.4) == (State.NOT_OBSERVED, {"NOT_SWEPT"})


# Each gate, alone

GATES = {
    "height above the limit": ({"height": 0.101}, State.NOT_OBSERVED, "HEIGHT_LIMIT"),
    "height unknown": ({"height": np.nan}, State.PARTIALLY_OBSERVED, "HEIGHT_UNKNOWN"),
    "height below ground": ({"height": -0.02}, State.PARTIALLY_OBSERVED, "HEIGHT_UNKNOWN"),
    "tilt": ({"tilt": -0.27}, State.NOT_OBSERVED, "TILT_LIMIT"),
    "tilt unknown": ({"tilt": np.nan}, State.PARTIALLY_OBSERVED, "TILT_UNKNOWN"),
    "too fast": ({"speed": 1.01}, State.NOT_OBSERVED, "SPEED_LIMIT"),
    "too slow": ({"speed": 0.09}, State.NOT_OBSERVED, "SPEED_LIMIT"),
    "speed unknown": ({"speed": np.nan}, State.PARTIALLY_OBSERVED, "SPEED_UNKNOWN"),
    "error": ({"position_error": 0.081}, State.NOT_OBSERVED, "POSITION_ERROR"),
    "error unknown": (
        {"position_error": np.nan},
        State.NOT_OBSERVED,
        "POSITION_ERROR_UNKNOWN",
    ),
    "noise": ({"noise": 2.1}, State.INVALID, "INTERFERENCE"),
    "noise unknown": ({"noise": np.nan}, State.PARTIALLY_OBSERVED, "NOISE_UNKNOWN"),
}


@pytest.mark.parametrize(("fault", "state", "reason"), GATES.values(), ids=GATES)
def test_each_gate_alone(fault, state, reason):
    """A lane that meets all gates but one has the state and the reason of that one."""
    site = make_site()
    good = make_track(site)
    values = {k: v for k, v in fault.items() if k != "speed"}
    track = dataclasses.replace(good, **values)
    if "speed" in fault:
        track = dataclasses.replace(good, speed=np.full(len(good), fault["speed"]))
    grid = observe(track)
    found, reasons = under(grid)
    assert (found, reason in reasons) == (state, True)
    assert State.OBSERVED_NO_ALARM not in states_of(grid)
    assert states_of(observe(good)) == {State.NOT_OBSERVED, State.OBSERVED_NO_ALARM}


@pytest.mark.parametrize(
    ("gate", "fault"),
    [
        ("tilt", {"tilt": 1.0}),
        ("noise", {"noise": 50.0}),
        ("head_height", {"height": 0.11}),
        ("position_error", {"position_error": 0.1}),
    ],
)
def test_an_unlimited_gate_lets_pass(gate, fault):
    """What the site file declares to be unlimited misses no gate."""
    site = make_site(**{gate: None})
    grid = observe(dataclasses.replace(make_track(site), **fault), site=site)
    assert under(grid)[0] == State.OBSERVED_NO_ALARM


def test_samples_too_far_apart_leave_the_footprint_open():
    """Beyond the spacing a stretch is not credited; beyond the gap it is a gap as well."""
    for spacing, reasons in ((0.101, {"SAMPLE_SPACING"}), (0.25, {"SAMPLE_SPACING", "GAP"})):
        grid = observe(make_track(SITE, spacing=spacing, n=9))
        assert states_of(grid) == {State.NOT_OBSERVED}
        assert under(grid)[1] == reasons


def test_a_gap_in_time_or_place_is_not_observed():
    """Ground that was passed in a gap is not observed, with the reason."""
    track = make_track(SITE)
    late = track.time + np.where(np.arange(41) >= 20, 1.1, 0.0)
    for kind in (
        dataclasses.replace(track, time=late),
        track[np.r_[0:16, 26:41]],
        dataclasses.replace(track, quality=np.where(np.arange(41) == 20, int(Quality.GAP), 0)),
    ):
        site = make_site(cell=0.02, table=((0.0, 0.1), (0.03, 0.03)), position_error=None)
        faulty = dataclasses.replace(kind, position_error=np.full(len(kind), 0.01))
        grid = observe(faulty, site=site)
        state, reasons = under(grid, north=0.975)
        assert (state, "GAP" in reasons) == (State.NOT_OBSERVED, True)
        assert under(grid, north=0.4)[0] == State.OBSERVED_NO_ALARM


def test_a_jump_draws_no_line():
    """A position that leaps faster than anything moves observes nothing on its way."""
    track = make_track(SITE, n=20)
    place = track.position.copy()
    place[10:, 0] += 0.8
    grid = observe(dataclasses.replace(track, position=place))
    assert under(grid, east=1.4, north=0.5) == (State.NOT_OBSERVED, {"NOT_SWEPT"})
    assert "POSE_JUMP" in reason_names(int(np.bitwise_or.reduce(grid.layers[0].flags.ravel())))
    for east, north in ((1.0, 0.2), (1.8, 0.6)):  # one side is wrong, and nobody knows which
        state, reasons = under(grid, east=east, north=north)
        assert (state, "POSE_JUMP" in reasons) == (State.NOT_OBSERVED, True)
    away = make_track(SITE)
    place = away.position.copy()
    place[15:25, 0] += 0.8  # and back: between the two jumps nothing is credited
    grid = observe(dataclasses.replace(away, position=place))
    for north in (0.9, 1.0, 1.1):
        state, reasons = under(grid, east=1.8, north=north)
        assert (state, "POSE_JUMP" in reasons) == (State.NOT_OBSERVED, True)
    assert under(grid, north=0.3)[0] == under(grid, north=1.7)[0] == State.OBSERVED_NO_ALARM
    lone = track.position.copy()
    lone[10, 0] += 0.8  # one sample out of place, and back
    grid = observe(dataclasses.replace(track, position=lone))
    state, reasons = under(grid, east=1.8, north=0.5)
    assert (state, "POSE_JUMP" in reasons) == (State.NOT_OBSERVED, True)


@pytest.mark.parametrize("flag", [Quality.POSE_COARSE, None])
def test_a_jump_takes_back_all_since_the_last_good_fix(flag):
    """Ground under a poor fix counts in part, but not if a jump ends it."""
    track = make_track(SITE)
    poor = (np.arange(41) >= 10) & (np.arange(41) < 30)
    fields = (
        {"position_error": np.where(poor, 0.09, 0.05)}
        if flag is None
        else {"quality": np.where(poor, int(flag), 0)}
    )
    place = track.position.copy()
    place[30, 0] += 0.8  # out and back: what is in front of it and behind it agrees
    for moved, expected in ((False, State.PARTIALLY_OBSERVED), (True, State.NOT_OBSERVED)):
        position = place if moved else track.position
        grid = observe(dataclasses.replace(track, position=position, **fields))
        for north in (0.75, 1.25):
            state, reasons = under(grid, north=north)
            assert (state, "POSE_JUMP" in reasons) == (
                expected if flag else State.NOT_OBSERVED,
                moved,
            )
        assert under(grid, north=0.3)[0] == under(grid, north=1.8)[0] == State.OBSERVED_NO_ALARM


@pytest.mark.parametrize("flag", [Quality.POSE_COARSE, Quality.POSE_STALE])
def test_what_a_jump_takes_back_begins_behind_the_last_good_sample(flag):
    """The stretch from a good sample to a poor one is the first."""
    quality = np.zeros(12, np.int64)
    quality[3:8] = int(flag)
    track = make_track(SITE, n=12, quality=quality)
    track.position[8, 0] += 5.0  # sample 8 lies elsewhere, behind the poor ones
    stretches = stretches_of(track, SITE.sensor[0].gates, lane=0)
    jumps = jumps_in(stretches)
    assert [(jump.before, jump.landing) for jump in jumps] == [
        (track.time[7], track.time[8]),
        (track.time[8], track.time[9]),
    ]
    assert [jump.east for jump in jumps] == pytest.approx([5.0, -5.0])
    taken = contradicted(stretches, jumps, SITE.sensor[0].gates)
    times = stretches.times[taken & ~stretches.jumped]
    npt.assert_array_equal(times, track.time[[(k, k + 1) for k in range(2, 7)]])


def jumps_out_and_back(n_jumps):
    """Return fields of a track whose position jumps often, every time by 0.8 m."""
    place = make_track(SITE).position.copy()
    for k in range(n_jumps):
        place[10 + 2 * k :, 0] += 0.8 * (-1) ** k
    return {"position": place}


def stays_behind(*, flagged=False, coarse=False):
    """Return fields of a track that jumps for good by 0.7 m; then comes what may hide it."""
    place, error = make_track(SITE).position.copy(), np.full(41, 0.05)
    place[10:, 0] += 0.7
    if coarse:
        place[25, 0] += 5.0
        error[25] = 0.6
    lost = flagged & np.isin(np.arange(41), range(20, 27))
    quality = np.where(lost, int(Quality.POSE_JUMP), 0)
    return {"position": place, "position_error": error, "quality": quality}


@pytest.mark.parametrize(
    ("fields", "counts"),
    [
        (jumps_out_and_back(2), True),
        (jumps_out_and_back(6), True),
        (jumps_out_and_back(9), False),
        (jumps_out_and_back(11), False),
        (stays_behind(flagged=True), False),
        (stays_behind(coarse=True), False),
    ],
    ids=["there and back", "often", "one more", "many", "slow", "coarse"],
)
def test_the_seconds_and_errors_of_some_jumps_hide_no_other(fields, counts):
    """Each of them alone explains little; together as much as a jump that stayed."""
    track = dataclasses.replace(make_track(SITE), **fields)
    grid = observe(track)
    state = State.OBSERVED_NO_ALARM if counts else State.NOT_OBSERVED
    assert under(grid, north=0.2)[0] == state
    assert under(grid, east=float(track.position[-1, 0]), north=1.9)[0] == state


@pytest.mark.parametrize("error", [0.02, 0.05])
def test_a_step_within_the_stated_errors_contradicts_nothing(error):
    """Faster than possible, but by less than both positions may be wrong: both sides count."""
    site = make_site(possible_speed=1.1)
    track = make_track(site, position_error=error)
    place = track.position.copy()
    place[20:, 1] += 0.13  # a step of 0.18 m, of which 0.1 m can be movement
    grid = observe(dataclasses.replace(track, position=place), site=site)
    expected = State.OBSERVED_NO_ALARM if error == 0.05 else State.NOT_OBSERVED
    assert [under(grid, north=north)[0] for north in (0.3, 1.6)] == [expected] * 2


@pytest.mark.parametrize("flag", [Quality.POSE_JUMP, Quality.POSE_NONE])
@pytest.mark.parametrize("back", [False, True])
@pytest.mark.parametrize("lost_go", ["on", "alone", "first", "last"])
def test_a_jump_flagged_between_lanes_counts_for_both(flag, back, lost_go):
    """As from a stream, which begins a lane where the position has jumped; or in one lane."""
    track = make_track(SITE)
    place = track.position.copy()
    place[15:, 0] += 0.8
    if back:
        place[30:, 0] -= 0.8
    lost = np.isin(np.arange(41), [14, 15, 29, 30] if back else [14, 15])
    place[lost] = np.nan
    whole = dataclasses.replace(
        track, position=place, quality=np.where(lost, int(flag | Quality.POSE_NONE), 0)
    )
    cuts = {
        "on": [0, 41],  # samples without a place are in the middle of the one lane,
        "alone": [0, 14, 16, 29, 31, 41],  # are lanes of their own,
        "first": [0, 14, 29, 41],  # begin a lane,
        "last": [0, 16, 31, 41],  # end one
    }[lost_go]
    cuts = [cut for cut in cuts if back or cut not in (29, 31)]
    lanes = [
        dataclasses.replace(whole[a:b], lane=f"A/{k}")
        for k, (a, b) in enumerate(itertools.pairwise(cuts))
    ]
    grid = observe(*lanes, checks=list(around(track)))
    is_jump = flag == Quality.POSE_JUMP
    counts, not_ = State.OBSERVED_NO_ALARM, State.NOT_OBSERVED
    assert under(grid, east=1.8, north=1.0)[0] == (not_ if is_jump else counts)
    for north in (0.3, 1.8) if back else (0.3,):
        assert under(grid, north=north)[0] == (not_ if is_jump and not back else counts)


@pytest.mark.parametrize("flag", list(Quality), ids=lambda flag: flag.name)
def test_each_flag_keeps_ground_from_being_observed(flag):
    """No flag of quality leaves ground OBSERVED_NO_ALARM where no other pass was."""
    track = make_track(SITE)
    if flag in (Quality.POSE_NONE,):
        place = np.full_like(track.position, np.nan)
        track = dataclasses.replace(track, position=place, quality=np.full(41, int(flag)))
    else:
        track = dataclasses.replace(track, quality=np.full(41, int(flag)))
    grid = observe(track)
    assert State.OBSERVED_NO_ALARM not in states_of(grid)
    state, reasons = under(grid)
    if flag in (Quality.POSE_NONE, Quality.POSE_JUMP):
        assert (state, grid.unlocated) == (State.NOT_OBSERVED, {"coil": 41})
    else:
        expected = (
            State.ALARM
            if flag == Quality.SATURATED
            else State.INVALID
            if flag & NOT_VALID
            else State.NOT_OBSERVED
            if flag & NOT_CREDITED
            else State.PARTIALLY_OBSERVED
        )
        assert (state, flag.name in reasons) == (expected, True)


def test_every_reason_has_one_consequence():
    """Flags and shortfalls are partial, not credited or not valid, and only one of them."""
    every = 0
    for flag in (*Quality, *Shortfall):
        assert sum(bool(flag & group) for group in (PARTIAL, NOT_CREDITED, NOT_VALID)) == 1, (
            flag
        )
        assert not every & flag, "bits are used once"
        every |= int(flag)


# Looks, overlap, several passes


def test_the_best_pass_counts_but_an_alarm_stays():
    """A good pass mends a poor one, in either order; saturation and alarms remain."""
    good = make_track(SITE, lane="good", start=100.0)
    poor = [
        dataclasses.replace(make_track(SITE, lane="poor", start=start), **fault)
        for start in (0.0, 200.0)
        for fault in (
            {"height": np.full(41, 0.15)},
            {"quality": np.full(41, int(Quality.STUCK))},
        )
    ]
    for track in poor:
        assert under(observe(good, track)) == (State.OBSERVED_NO_ALARM, set())
    saturated = dataclasses.replace(
        make_track(SITE, lane="poor"), quality=np.full(41, int(Quality.SATURATED))
    )
    assert under(observe(good, saturated)) == (State.ALARM, {"SATURATED"})


def test_looks_are_separate_passes():
    """Lanes, and returns after a while, are looks; neighbouring channels are not."""
    site = make_site(looks=2)
    one, two = make_track(site), make_track(site, lane="B", start=100.0)
    assert under(observe(one, site=site)) == (State.PARTIALLY_OBSERVED, {"LOOKS_TOO_FEW"})
    grid = observe(one, two, site=site)
    assert under(grid)[0] == State.OBSERVED_NO_ALARM
    assert grid.at(grid.layers[0].looks, 1.0, 1.0) == 2
    array = make_track(site, lever_arms=[[-0.05, 0.0], [0.05, 0.0]])
    assert grid.at(observe(array, site=site).layers[0].looks, 1.0, 1.0) == 1
    # there and back in one lane: the turn is one look, ground passed 3 s before is another
    there = np.concatenate([np.arange(0, 1.6, 0.05), np.arange(1.6, 0.0, -0.05)])
    back = make_track(
        site,
        n=len(there),
        position=np.column_stack([np.ones(len(there)), there]),
        time=np.arange(len(there)) * 0.1,
    )
    looks = observe(back, site=site).layers[0].looks[:, 10]
    assert (looks[16], looks[4]) == (1, 2)
    never = make_site(
        looks=2, look_separation=None
    )  # then a lane is one look, whatever it does
    assert observe(back, site=never).layers[0].looks.max() == 1


def test_overlap_flags_the_strips_that_neighbours_do_not_share():
    """Lanes that share less than asked leave partial strips; those that share enough none."""
    for spacing, is_whole in ((0.32, True), (0.38, False), (0.45, False)):
        site = make_site(
            cell=0.01, polygon=((0.6, 0.2), (1.4, 0.2), (1.4, 1.8), (0.6, 1.8)), overlap=0.2
        )
        lanes = [
            make_track(site, east=1.0 + k * spacing, lane=f"{k}", start=100.0 * k)
            for k in range(-2, 3)
        ]
        grid = observe(*lanes, site=site)
        areas = grid.areas(grid.layers[0].state)
        assert (areas[State.OBSERVED_NO_ALARM] == pytest.approx(grid.task_area)) == is_whole
        # footprint 0.4 m wide: a gap of spacing - 0.4 between lanes is not swept at all
        strips = 2 * max(spacing - 0.4, 0.0) * 1.6
        assert areas[State.NOT_OBSERVED] == pytest.approx(strips, abs=0.4 * strips)
        reasons = grid.reason_areas(grid.layers[0], State.PARTIALLY_OBSERVED)
        assert set(reasons) == (set() if is_whole else {"OVERLAP_TOO_SMALL"})


def test_lanes_may_come_in_any_order():
    """A grid of lanes does not depend on the order in which they are given."""
    lanes = [
        make_track(SITE, east=0.8 + 0.15 * k, lane=f"{k}", start=100.0 * k) for k in range(4)
    ]
    grids = [observe(*order) for order in itertools.permutations(lanes)]
    for grid in grids[1:]:
        assert_same_bits(grid, grids[0])


# Function checks


def test_without_an_opening_check_all_is_invalid_until_one_passes():
    """What came before the first pass is INVALID; what came after it counts."""
    track = make_track(SITE)  # 4 s long
    checks = [make_check(2.05), make_check(10.0)]
    grid = observe(track, checks=checks)
    assert under(grid, north=0.3) == (State.INVALID, {"CHECK_MISSING"})
    assert under(grid, north=1.7)[0] == State.OBSERVED_NO_ALARM
    (interval,) = grid.invalid
    assert (interval.start, interval.reason) == (0.0, "CHECK_MISSING")
    assert interval.stop == pytest.approx(2.1)


def test_without_a_closing_check_all_since_the_last_pass_is_invalid():
    """The opening check alone proves nothing about what came after it."""
    grid = observe(make_track(SITE), checks=[make_check(-1.0), make_check(2.05)])
    assert under(grid, north=0.3)[0] == State.OBSERVED_NO_ALARM
    assert under(grid, north=1.7) == (State.INVALID, {"CHECK_MISSING"})


@pytest.mark.parametrize("fault", [{"response": 79.0}, {"response": np.nan}, {"noise": 2.1}])
def test_a_failed_check_takes_all_back_to_the_last_pass(fault):
    """And all up to the next pass."""
    track = make_track(SITE)
    checks = [make_check(-1.0), make_check(1.0), make_check(2.0, **fault), make_check(3.0)]
    checks.append(make_check(10.0))
    grid = observe(track, checks=checks)
    assert under(grid, north=0.2)[0] == State.OBSERVED_NO_ALARM
    for north in (0.8, 1.2):
        assert under(grid, north=north) == (State.INVALID, {"CHECK_FAILED"})
    assert under(grid, north=1.8)[0] == State.OBSERVED_NO_ALARM
    assert [item.passed for item in grid.checks] == [True, True, False, True, True]
    assert [(i.reason, round(i.stop)) for i in grid.invalid] == [("CHECK_FAILED", 3)]


@pytest.mark.parametrize("is_checked", [False, True])
@pytest.mark.parametrize("kind", ["break", "setting"])
def test_breaks_and_changes_need_a_check(kind, is_checked):
    """Data after a pause, or a change of settings, count only once a check was made."""
    first = make_track(SITE, n=21)
    second = make_track(SITE, lane="B", n=21, start=1000.0 if kind == "break" else 3.0)
    second = dataclasses.replace(second, position=second.position + np.array([0.0, 1.0]))
    if kind == "setting":
        changed = np.where(np.arange(21) == 0, int(Quality.SETTING_CHANGED), 0)
        second = dataclasses.replace(second, quality=changed)
    start = float(second.time[0])
    checks = [make_check(-1.0), make_check(2000.0)]
    if is_checked:
        checks.append(make_check(start - 1.0 if kind == "break" else start + 0.05))
    grid = observe(first, second, checks=checks)
    assert under(grid, north=0.4)[0] == State.OBSERVED_NO_ALARM
    found = under(grid, north=1.7)
    assert found[0] == (State.OBSERVED_NO_ALARM if is_checked else State.INVALID)
    assert found[1] == (set() if is_checked else {"CHECK_MISSING"})


def test_checks_count_for_their_own_sensor_and_session():
    """A check of yesterday, or of another sensor, opens nothing."""
    site = make_site(sensors=("coil", "second"))
    track = make_track(site, session="2", start=1000.0)
    yesterday = around(make_track(site))
    other = [make_check(t, sensor="second", session="2") for t in (900.0, 1100.0)]
    grid = observe(track, site=site, checks=[*yesterday, *other])
    assert under(grid) == (State.INVALID, {"CHECK_MISSING"})


def test_sessions_whose_clocks_contradict_each_other_are_refused():
    """A sensor is in one place at a time."""
    one = make_track(SITE)
    two = make_track(SITE, session="2", lane="B", start=2.0)
    with pytest.raises(
        ValueError, match=r"session '2' .* overlaps session '1'.*clocks contradict"
    ):
        observe_site(SITE, [one, two])
    with pytest.raises(ValueError, match=r"session '2' .* overlaps session '1'"):
        observe_site(SITE, [one], checks=[*around(one), make_check(1.0, session="2")])
    site = make_site(sensors=("coil", "second"))  # two sensors may
    observe_site(site, [one, dataclasses.replace(two, sensor="second")])
    with pytest.raises(ValueError, match=r"Invalid clock 'gnss' of lane 'A'. Must be 'utc'"):
        observe_site(SITE, [dataclasses.replace(one, clock="gnss")])
    with pytest.raises(ValueError, match=r"Invalid clock 'host' of function check"):
        observe_site(SITE, [], checks=[make_check(1.0, clock="host")])


# Alarms


def test_an_alarm_stays_until_a_named_person_disposes_of_it():
    """Afterwards the ground has the state that the looks give it."""
    tracker = CoverageTracker(SITE)
    track = make_track(SITE)
    for check in around(track):
        tracker.push_check(check)
    tracker.push_track(track)
    tracker.push_alarm(make_alarm(error=0.05))
    assert under(tracker.grid())[0] == State.ALARM
    with pytest.raises(ValueError, match=r"Invalid by ' '. Must name a person"):
        tracker.dispose("a", by=" ")
    with pytest.raises(ValueError, match=r"Invalid alarm 'b'. Must be one that was pushed"):
        tracker.dispose("b", by="deminer 3")
    with pytest.raises(ValueError, match=r"Invalid alarm 'a': it came before"):
        tracker.push_alarm(make_alarm())
    tracker.dispose("a", by="deminer 3")
    grid = tracker.finish()
    assert under(grid)[0] == State.OBSERVED_NO_ALARM
    assert grid.alarms == {"a": True}
    with pytest.raises(ValueError, match="tracker that is finished"):
        tracker.push_track(track)


def test_an_alarm_reaches_as_far_as_its_halo_and_its_error():
    """Every cell that the disc of halo and 95 % error touches is ALARM, in every layer."""
    site = make_site(cell=0.01, polygon=((0, 0), (2, 0), (2, 2), (0, 2)))
    grid = observe_site(site, [], alarms=[make_alarm(error=0.1), make_alarm("b", math.nan)])
    for layer in grid.layers:
        area = grid.areas(layer.state)[State.ALARM]
        radius = 0.15 + 2.4477 * 0.1
        assert np.pi * radius**2 <= area <= np.pi * (radius + 0.02) ** 2
    assert set(np.unique(grid.summary())) == {State.ALARM, State.NOT_OBSERVED}
    assert grid.alarms == {"a": False, "b": False}
    only = CoverageTracker(make_site(sensors=("coil", "second")))
    only.push_alarm(make_alarm(), sensors=["second"])
    assert [int(layer.state.max()) for layer in only.grid().layers] == [0, 4, 0, 4]


# Live


@settings(deadline=None, derandomize=True, max_examples=40)
@given(recording=recordings(), data=st.data())
def test_live_is_the_same_bit_for_bit(recording, data):
    """In any chunks, with checks and alarms between them, and with looks at what changed."""
    tracks, checks, alarms = recording
    site = make_site(overlap=0.1, looks=2)
    batch = observe_site(site, tracks, checks=checks, alarms=alarms)
    tracker = CoverageTracker(site)
    chunks = []
    for track in tracks:
        cuts = sorted(data.draw(st.lists(st.integers(0, len(track)), max_size=4)))
        chunks += [track[a:b] for a, b in itertools.pairwise([0, *cuts, len(track)])]
    waiting = [sorted(checks, key=lambda c: c.time), list(alarms)]
    shown = [np.zeros(grid_layer.state.shape, np.uint8) for grid_layer in batch.layers[:1]]

    def apply(changes):
        for change in changes:
            shown[change.layer][change.rows, change.columns] = change.state

    for chunk in chunks:
        tracker.push_track(chunk)
        for queue, push in zip(waiting, (tracker.push_check, tracker.push_alarm), strict=True):
            for _ in range(data.draw(st.integers(0, len(queue)))):
                push(queue.pop(0))
        if data.draw(st.booleans()):
            apply(tracker.changed())
            npt.assert_array_equal(shown[0], tracker.grid().layers[0].state)
    for queue, push in zip(waiting, (tracker.push_check, tracker.push_alarm), strict=True):
        for item in queue:
            push(item)
    final = tracker.finish()
    apply(tracker.changed())
    npt.assert_array_equal(shown[0], final.layers[0].state)
    assert_same_bits(final, batch)


def test_what_waits_for_its_check_is_partial_at_best():
    """Live, ground is shown at once, but not as observed before the next check passed."""
    tracker = CoverageTracker(SITE)
    track = make_track(SITE)
    opening, closing = around(track)
    tracker.push_check(opening)
    tracker.push_track(track)
    assert under(tracker.grid()) == (State.PARTIALLY_OBSERVED, {"CHECK_PENDING"})
    assert not tracker.push_check(dataclasses.replace(closing, response=10.0)).passed
    assert under(tracker.grid()) == (State.INVALID, {"CHECK_FAILED"})


def test_tracks_in_the_wrong_order_are_refused():
    """Time of a session goes forward; chunks of a lane are alike."""
    tracker = CoverageTracker(SITE)
    track = make_track(SITE)
    tracker.push_track(track[:20])
    with pytest.raises(ValueError, match=r"begins at .* Must be in order of time"):
        tracker.push_track(track[10:])
    with pytest.raises(ValueError, match="lever arms differ"):
        tracker.push_track(dataclasses.replace(track, lever_arms=[[0.1, 0.0]])[20:])
    with pytest.raises(ValueError, match=r"Invalid frame .* Must be that of the site"):
        tracker.push_track(dataclasses.replace(track, frame=Frame(crs="EPSG:32638"))[20:])
    with pytest.raises(ValueError, match=r"Invalid sensor 'radar'. Must be one of 'coil'"):
        tracker.push_track(dataclasses.replace(track, sensor="radar"))
    with pytest.raises(TypeError, match=r"Invalid track of type str"):
        observe_site(SITE, ["track"])
    tracker.push_check(make_check(100.0))
    with pytest.raises(ValueError, match=r"Must be later than 100.0"):
        tracker.push_check(make_check(50.0))
    tracker.push_track(track[20:])  # nothing of what was refused is left


# Areas and summaries


@settings(deadline=None, derandomize=True, max_examples=40)
@given(
    corners=st.lists(st.floats(0.3, 3.0), min_size=3, max_size=9),
    cell=st.sampled_from([0.05, 0.1, 0.07, 0.3]),
    shift=st.tuples(st.floats(-1e4, 1e4), st.floats(-1e4, 1e4)),
)
def test_areas_add_up_to_the_polygon_exactly(corners, cell, shift):
    """Whatever its corners: whole square micrometres, not one lost."""
    angles = 2 * np.pi * np.arange(len(corners)) / len(corners)
    polygon = np.column_stack([corners * np.sin(angles), corners * np.cos(angles)]) + shift
    site = make_site(polygon=tuple(map(tuple, polygon)), cell=cell)
    grid = observe_site(site, [], alarms=[make_alarm("a", *shift)])
    exact = round(site.area[0].square_metres * 1e12)
    for state in (*(layer.state for layer in grid.layers), grid.summary()):
        assert sum(grid.exact_areas(state).values()) == exact == grid.task_units
    assert grid.units.min() >= 0
    assert grid.units.max() <= cell**2 * 1e12 * (1 + 1e-9)


def test_shares_of_cells_are_those_of_shapely():
    """Cells of polygons with holes, one by one."""
    shapely = pytest.importorskip("shapely")
    polygon = ((0.03, 0.0), (1.9, 0.21), (1.3, 0.9), (1.77, 1.61), (0.21, 1.4))
    hole = ((0.5, 0.5), (0.9, 0.55), (0.7, 1.13))
    site = make_site(polygon=polygon, holes=(hole,), cell=0.17)
    cells = task_cells(site)
    shape = shapely.Polygon(polygon, [hole])
    for row, column in np.ndindex(*cells.units.shape):
        west = cells.origin[0] + column * 0.17
        south = cells.origin[1] + row * 0.17
        area = shape.intersection(shapely.box(west, south, west + 0.17, south + 0.17)).area
        assert cells.units[row, column] == pytest.approx(area * 1e12, abs=10)


def test_the_summary_takes_the_first_that_occurs():
    """ALARM, INVALID, NOT_OBSERVED, PARTIALLY_OBSERVED, OBSERVED_NO_ALARM, over sensors."""
    site = make_site(sensors=("coil", "second"))
    plastic = [dataclasses.replace(site.target[0])]  # what both can see, alone
    sensors = tuple(dataclasses.replace(s, cannot_see=()) for s in site.sensor)
    site = dataclasses.replace(site, target=tuple(plastic), sensor=sensors)
    faults = {
        State.INVALID: {"quality": np.full(41, int(Quality.STUCK))},
        State.NOT_OBSERVED: {"height": np.full(41, 0.15)},
        State.PARTIALLY_OBSERVED: {"height": np.full(41, np.nan)},
        State.OBSERVED_NO_ALARM: {},
    }
    for (one, fault), (other, second) in itertools.product(faults.items(), repeat=2):
        tracks = [
            dataclasses.replace(make_track(site, sensor=name), **change)
            for name, change in (("coil", fault), ("second", second))
        ]
        checks = [*around(*tracks), *around(*tracks, sensor="second")]
        grid = observe(*tracks, site=site, checks=checks)
        expected = min((one, other), key=SUMMARY_ORDER.index)
        assert grid.at(grid.summary(), 1.0, 1.0) == expected


def test_what_no_sensor_sees_is_not_observed_in_the_summary():
    """A class that every sensor is blind to keeps the ground NOT_OBSERVED."""
    grid = observe(make_track(SITE))
    assert under(grid)[0] == State.OBSERVED_NO_ALARM
    assert grid.at(grid.summary(), 1.0, 1.0) == State.NOT_OBSERVED
    blind = grid.layer("coil", "plastic", 0.0, 0.1)
    areas = grid.reason_areas(blind, State.NOT_OBSERVED)
    assert areas == {"CANNOT_SEE": grid.task_area}
    with pytest.raises(ValueError, match=r"Invalid layer .* Must be one of"):
        grid.layer("coil", "AT", 0.0, 0.1)
    rule = r"^Invalid place, given by easting and northing\. Must lie within the grid\.$"
    with pytest.raises(ValueError, match=rule):
        grid.at(blind.state, 3.0, 0.0)


def test_each_target_has_its_own_footprint():
    """A strip as wide as its radius allows; looks that are not required do not count."""
    site = make_site(cell=0.02, table=((0.0, 0.1), (0.3, 0.3)))
    (sensor,) = site.sensor
    wide = sensor.footprint[0]
    narrow = dataclasses.replace(wide, target="plastic", radii=(0.15, 0.15))
    for is_required in (True, False):
        both = (wide, dataclasses.replace(narrow, required=is_required))
        sensors = (dataclasses.replace(sensor, footprint=both, cannot_see=()),)
        seeing = dataclasses.replace(site, sensor=sensors)
        grid = observe(make_track(seeing), site=seeing)
        widths = [
            0.02 * np.count_nonzero(layer.state[50] == State.OBSERVED_NO_ALARM)
            for layer in grid.layers
        ]
        assert widths == pytest.approx([0.5, 0.2], abs=0.021)
        # A target that nobody is required to look for is judged by those who did.
        assert grid.at(grid.summary(), 1.0, 1.0) == State.OBSERVED_NO_ALARM
        assert grid.at(grid.summary(), 1.2, 1.0) == State.NOT_OBSERVED
    second = dataclasses.replace(sensor, identifier="second")
    optional = dataclasses.replace(
        second, footprint=(dataclasses.replace(wide, required=False),), cannot_see=()
    )
    first = dataclasses.replace(sensor, cannot_see=())
    pair = dataclasses.replace(site, target=site.target[:1], sensor=(first, optional))
    grid = observe(make_track(pair), site=pair)
    assert grid.at(grid.summary(), 1.0, 1.0) == State.OBSERVED_NO_ALARM
    tracker = CoverageTracker(pair)
    tracker.push_alarm(make_alarm(), sensors=["second"])
    assert grid.at(tracker.finish().summary(), 1.0, 1.0) == State.ALARM


def test_nothing_swept_is_written_out():
    """Without any track all is NOT_OBSERVED, with the reason."""
    grid = observe_site(SITE, [])
    layer = grid.layers[0]
    assert grid.reason_areas(layer, State.NOT_OBSERVED) == {"NOT_SWEPT": 4.0}
    assert np.isnan(layer.height).all()


# Tracks


def test_a_sweep_gives_its_track():
    """Time, place, heading, quality, lever arms, lane and frame are the sweep's."""
    sensor = make_sensor(2, 3)
    sweep = make_sweep(np.zeros((5, 2, 3)), sensor=sensor, lane="L")
    track = track_of(sweep, session="s", height=0.05, tilt=[0.1] * 5, position_error=0.02)
    npt.assert_array_equal(track.channel_position, sweep.channel_position[..., :2])
    assert (track.lane, track.sensor, track.frame) == ("L", "test radar", sweep.frame)
    assert np.isnan(track.noise).all()


@pytest.mark.parametrize(
    ("bad", "error", "message"),
    [
        ({"time": [0.0, 0.0]}, ValueError, "Invalid time: value 1 is 0.0"),
        ({"time": [0.0, np.nan]}, ValueError, "Invalid time: 1 of 2"),
        ({"position": np.zeros((2, 4))}, ValueError, r"Invalid position with shape \(2, 4\)"),
        ({"position": [[0, 0], [np.nan, 0]]}, ValueError, "1 of 2 samples hold NaN"),
        ({"position": [[0, 0], [1e9, 0]]}, ValueError, r"beyond 1e\+08, the first is sample 1"),
        ({"heading": np.inf}, ValueError, "2 of 2 samples hold NaN"),
        ({"position_error": -0.1}, ValueError, "Invalid position_error '-0.1'"),
        ({"speed": -1.0}, ValueError, "Invalid speed '-1.0'. Must not be negative"),
        ({"height": [0.1] * 3}, ValueError, r"Invalid height with shape \(3,\)"),
        ({"height": "low"}, TypeError, "Invalid height of dtype"),
        ({"quality": 0.5}, TypeError, "Invalid quality of dtype float64"),
        ({"lever_arms": np.zeros((0, 2))}, ValueError, "Invalid lever_arms"),
    ],
)
def test_bad_tracks_are_named(bad, error, message):
    """The error names the argument, shows its value and states the rule."""
    record = {"time": [0.0, 1.0], "position": np.zeros((2, 2)), "heading": 0.0, "height": 0.05}
    record |= {"tilt": 0.0, "position_error": 0.0}
    with pytest.raises(error, match=message):
        Track(sensor="coil", session="1", lane="A", **record | bad)


def test_far_places_cost_nothing():
    """A track far from the task, or with a leap to nowhere, neither fails nor observes."""
    track = make_track(SITE)
    far = dataclasses.replace(track, position=track.position + 9e7)
    assert states_of(observe(far)) == {State.NOT_OBSERVED}
    site = make_site(possible_speed=None, speed_upper=None)
    place = track.position.copy()
    place[20:] += 9e7
    grid = observe(dataclasses.replace(track, position=place), site=site)
    assert under(grid, north=0.5)[0] == State.OBSERVED_NO_ALARM


MEMORY = """
import runpy
from pathlib import Path
names = runpy.run_path("benchmarks/test_evidence.py", run_name="measured")
grid = names["observe_hectare"](*names["hectare"](1_000_000))
lines = Path("/proc/self/status").read_text().splitlines()
status = dict(line.split(":", 1) for line in lines)
print(int(status["VmHWM"].split()[0]) * 1024, grid.task_area)
"""


@pytest.mark.endtoend
@pytest.mark.slow
def test_a_hectare_takes_less_than_a_gigabyte():
    """
    1e6 positions over 100 m by 100 m in cells of 5 cm, imports included.

    Linux tells the peak of the process since it started its program; that of getrusage holds
    what the process of the tests had taken before.
    """
    root = Path(__file__).parents[1]
    result = subprocess.run(
        [sys.executable, "-c", MEMORY], capture_output=True, text=True, check=False, cwd=root
    )
    assert result.returncode == 0, result.stderr
    peak, area = (float(word) for word in result.stdout.split())
    assert area == 10_000.0
    assert peak < 1e9
