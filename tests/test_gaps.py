"""Test that nothing missing is ever bridged, whatever hides it."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lanes import make_sweep

from minesense.gaps import GapFinder, split_at_gaps
from minesense.sweep import Quality

SPACING = 0.1


def make_lane(n=40, *, missing=(), lost=()):
    """Return a lane of 10 cm steps, with traces missing, and others without a position."""
    keep = np.setdiff1d(np.arange(n), np.array(missing, dtype=int))
    whole = make_sweep(np.zeros((n, 1, 2)), spacing=SPACING)
    position, quality = whole.position.copy(), whole.quality.copy()
    position[list(lost)] = np.nan
    quality[list(lost)] |= Quality.POSE_NONE
    return dataclasses.replace(
        whole,
        samples=whole.samples[keep],
        time=whole.time[keep],
        position=position[keep],
        heading=whole.heading[keep],
        quality=quality[keep],
    )


LIMITS = {"max_step": 0.25, "spacing": SPACING}


@pytest.mark.parametrize("lost", [(), (9,), (15,), (9, 15), (5, 6, 7, 8, 9), (15, 16, 17)])
def test_lost_positions_do_not_hide_a_gap(lost):
    """Half a metre is missing; positions just before, just after or on both sides too."""
    lane = make_lane(missing=range(10, 15), lost=lost)
    parts, gaps = split_at_gaps(lane, **LIMITS)
    assert len(parts) == 2
    assert len(gaps) == 1
    located = [k for k in range(10) if k not in lost][-1], min(set(range(15, 40)) - set(lost))
    assert gaps[0].length == pytest.approx(SPACING * (located[1] - located[0]))
    assert parts[1].quality[0] & Quality.GAP


def test_lost_positions_alone_are_no_gap():
    """Traces without a position that go on at the lane's own pace."""
    lane = make_lane(lost=range(10, 20))
    assert split_at_gaps(lane, **LIMITS)[1] == []


def test_without_any_position_time_tells():
    """A pause that a moving platform would not make."""
    lane = make_lane(missing=range(10, 30), lost=range(40))
    assert split_at_gaps(lane, **LIMITS)[1] == []
    parts, gaps = split_at_gaps(lane, **LIMITS, max_pause=2.0)
    assert [len(part) for part in parts] == [10, 10]
    assert np.isnan(gaps[0].length)
    standing = make_lane()
    later = dataclasses.replace(standing, time=standing.time + 60 * (standing.time > 2))
    assert split_at_gaps(later, **LIMITS, max_pause=2.0)[1] == []  # it stood still


@given(
    missing=st.sets(st.integers(1, 38), max_size=12),
    lost=st.sets(st.integers(0, 39), max_size=20),
    where=st.lists(st.integers(0, 40), max_size=6).map(sorted),
)
def test_gaps_do_not_depend_on_chunks(missing, lost, where):
    """A lane in pieces has the gaps of the whole lane."""
    lane = make_lane(missing=sorted(missing), lost=sorted(lost))
    whole = GapFinder(**LIMITS, max_pause=0.5).find(lane)
    finder, found, start = GapFinder(**LIMITS, max_pause=0.5), [], 0
    for stop in [*[min(k, len(lane)) for k in where], len(lane)]:
        found += [(start + i, gap) for i, gap in finder.find(lane[start:stop])]
        start = max(start, stop)
    assert [i for i, _ in found] == [i for i, _ in whole]
    assert str(found) == str(whole)


@given(first=st.integers(1, 30), n=st.integers(0, 8))
def test_a_gap_is_as_long_as_it_is(first, n):
    """Steps up to the limit are none; beyond it there is one, of the right length."""
    gaps = split_at_gaps(make_lane(missing=range(first, first + n)), **LIMITS)[1]
    assert len(gaps) == (SPACING * (n + 1) > 0.25)
    if gaps:
        assert gaps[0].length == pytest.approx(SPACING * (n + 1))


def test_flags_and_intervals_cut_too():
    """A flag by the reader, and time alone if it is asked for."""
    lane = make_lane()
    quality = lane.quality.copy()
    quality[[0, 7]] |= Quality.GAP
    flagged = dataclasses.replace(lane, quality=quality)
    assert [len(part) for part in split_at_gaps(flagged)[0]] == [7, 33]
    later = dataclasses.replace(lane, time=lane.time + 5 * (lane.time > 2))
    assert len(split_at_gaps(later, max_interval=1.0)[0]) == 2


@pytest.mark.parametrize("name", ["max_step", "max_interval", "max_pause", "spacing"])
def test_limits_are_checked(name):
    """Each of them is a length or time."""
    with pytest.raises(ValueError, match=f"Invalid {name} '0.0'"):
        split_at_gaps(make_lane(), **{name: 0})
