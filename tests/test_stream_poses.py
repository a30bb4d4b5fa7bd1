"""Test poses between fixes beside a slow version, scan by scan, and what is no fix at all."""

import itertools
import math

import numpy as np
import numpy.testing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minesense.message import FixClass, PositionMessage, StreamDeclaration
from minesense.stream import StreamConfig
from minesense.stream.poses import PoseTrack
from minesense.stream.timebase import Taken
from minesense.sweep import Frame, Quality

ARM = (0.1, -0.2, 1.5)
GAP = 0.3


def new_track(arm=(0.0, 0.0, 0.0), **options):
    """Return a track without fixes."""
    declaration = StreamDeclaration(
        name="position", kind="position", clock="utc", lag_error=0.0, frame=Frame(),
        height_datum="local", lever_arm=arm,
    )  # fmt: skip
    return PoseTrack(declaration, StreamConfig(task_clock="utc", max_fix_gap=GAP, **options))


def take_all(track, fixes):
    """Take each (time, place, more of the message, error of the time); return the flags."""
    flags = []
    for k, (time, place, more, time_error) in enumerate(fixes):
        message = PositionMessage(
            stream="position", sequence=k, stamp=time, coordinates=place,
            **({"fix": FixClass.FIXED} | more),
        )  # fmt: skip
        taken = Taken(message=message, time=time, flags=0, time_error=time_error)
        flags.append(track.take(taken))
    return flags


def track_of(fixes, arm=(0.0, 0.0, 0.0), **options):
    """Return a track that has taken fixes."""
    track = new_track(arm, **options)
    take_all(track, fixes)
    return track


def slow_pose(fixes, time, time_error, reach):
    """Return position, heading, speed and error at a time, or None; headings are stated."""
    pairs = itertools.pairwise(fixes)
    for (t0, p0, m0, e0), (t1, p1, m1, e1) in pairs:
        if not (t0 < time <= t1 or time == t0 == fixes[0][0]):
            continue
        if t1 - t0 > GAP * (1 + 1e-9):
            return None
        share = (time - t0) / (t1 - t0)
        turn = math.remainder(m1["heading"] - m0["heading"], 2 * math.pi)
        heading = m0["heading"] + share * turn
        right = (math.cos(heading), -math.sin(heading))
        forward = (math.sin(heading), math.cos(heading))
        place = [
            p0[k] + share * (p1[k] - p0[k]) - ARM[0] * right[k] - ARM[1] * forward[k]
            for k in range(2)
        ]
        place.append(p0[2] + share * (p1[2] - p0[2]) - ARM[2])
        error = max(m0["error"], m1["error"])
        return place, heading, error, time_error + max(e0, e1)
    return None


@st.composite
def drives(draw):
    """Return fixes of a platform that wanders, some of them farther apart than GAP."""
    steps = draw(st.lists(st.sampled_from([0.1, 0.2, 0.29, 0.6]), min_size=2, max_size=9))
    time, place, fixes = 100.0, [3.0, 5.0, 1.0], []
    for step in [0.0, *steps]:
        time += step
        move = draw(st.tuples(*[st.floats(-0.1, 0.1)] * 3))
        place = [a + b for a, b in zip(place, move, strict=True)]
        more = {
            "heading": draw(st.floats(-3.0, 3.0)),
            "error": draw(st.sampled_from([0.01, 0.02, 0.3])),
        }
        fixes.append((time, tuple(place), more, draw(st.sampled_from([0.0, 0.001, 0.02]))))
    return fixes


@given(fixes=drives(), seed=st.integers(0, 2**32 - 1))
def test_poses_are_those_of_the_slow_version(fixes, seed):
    """Place less the turned lever arm, the greater error of both fixes, NaN over gaps."""
    rng = np.random.default_rng(seed)
    track = new_track(ARM)
    flags = take_all(track, fixes)
    none = int(Quality.POSE_STALE | Quality.POSE_NONE)  # STALE alone: those before it were
    stale = [k for k, flag in enumerate(flags) if flag & none == none]
    assert all(fixes[k][1] == fixes[k - 1][1] for k in stale)  # and as good as none
    first, last = fixes[0][0], fixes[-1][0]
    times = np.sort([*rng.uniform(first - 0.1, last + 0.1, 12), *[fix[0] for fix in fixes]])
    late, reach = rng.uniform(0, 0.01, len(times)), 0.4
    poses = track.locate(times, late, reach=reach)
    fixes = [fix for k, fix in enumerate(fixes) if k not in stale]
    for k, time in enumerate(times):
        expected = slow_pose(fixes, time, late[k], reach)
        if expected is None:
            assert poses.flags[k] & Quality.POSE_NONE
            assert np.isnan(poses.position[k]).all()
            assert np.isnan(poses.heading[k])
            assert poses.error[k] == np.inf
            continue
        place, heading, error, seconds = expected
        npt.assert_allclose(poses.position[k], place, atol=1e-9)
        assert math.remainder(poses.heading[k] - heading, 2 * math.pi) == pytest.approx(0)
        speed = poses.speed[k] if np.isfinite(poses.speed[k]) else 0.0
        assert poses.error[k] == pytest.approx(error + speed * seconds)


def test_an_unknown_heading_costs_the_lever_arms():
    """At a standstill no course tells it: the error grows by all that it would turn."""
    fixes = [(0.1 * k, (2.0, 3.0 + 1e-4 * k, 0.0), {"error": 0.02}, 0.0) for k in range(4)]
    poses = track_of(fixes, ARM).locate(np.array([0.15]), np.zeros(1), reach=0.4)
    assert poses.error[0] == pytest.approx(0.02 + math.hypot(*ARM[:2]) + 0.4)


@pytest.mark.parametrize(("interval", "n_used"), [(0.0, 21), (0.05, 11), (0.1, 6)])
def test_fixes_nearer_than_stated_are_left_out(interval, n_used):
    """Counted from the last one used, not from the last one."""
    fixes = [(k / 40, (0.0, k / 40, 0.0), {}, 0.0) for k in range(21)]
    track = track_of(fixes, least_fix_interval=interval - 1e-9 if interval else 0.0)
    assert len(track._fixes) == n_used
    assert track.newest == 0.5


def test_a_jump_says_since_when_poses_are_wrong():
    """Those since the last good fix, up to that before it; none if that one was good."""
    coarse = {"fix": FixClass.SINGLE, "error": 0.02}
    fixes = [(0.1 * k, (0.0, 0.1 * k, 0.0), coarse if k > 2 else {}, 0.0) for k in range(6)]
    track = track_of([*fixes, (0.6, (9.0, 0.6, 0.0), {}, 0.0)])
    assert track.taken_back == pytest.approx((0.2, 0.5))
    track = track_of([*fixes[:3], (0.3, (9.0, 0.3, 0.0), {}, 0.0)])
    assert track.taken_back is None


def test_coordinates_that_repeat_are_stale_only_while_moving():
    """A standstill repeats them, too."""
    moving = [(0.1 * k, (0.0, 0.1 * min(k, 4), 0.0), {}, 0.0) for k in range(7)]
    track = track_of(moving)
    assert track.newest == pytest.approx(0.4)
    late = track.locate(np.array([0.55]), np.zeros(1))
    assert late.flags[0] & Quality.POSE_STALE
    still = [(0.1 * k, (0.0, 1.0, 0.0), {}, 0.0) for k in range(7)]
    assert track_of(still).newest == pytest.approx(0.6)
