"""Test that a platform that stands stays where it is, whatever its positions do."""

import itertools

import numpy as np
import numpy.testing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minesense.standstill import SPEED_WINDOW, STANDSTILL, Standstill, TrackSpeed

RNG = np.random.default_rng(seed=4)


def drive(n=200, *, interval=0.05, noise=0.0):
    """Return times and places of a platform that stands from 4 to 6 s and creeps after 8 s."""
    time = interval * np.arange(n)
    speed = np.where((time > 4) & (time < 6), 0.0, np.where(time > 8, 0.02, 0.5))
    north = np.cumsum(speed) * interval
    return time, np.column_stack([0 * north, north]) + noise * RNG.normal(size=(n, 2))


def naive_speeds(time, place):
    """Return the speeds, one trace at a time."""
    own = [np.nan]
    for k in range(1, len(time)):
        older = [i for i in range(k) if time[k] - time[i] >= SPEED_WINDOW - 1e-9]
        i = older[-1] if older else 0
        own.append(np.hypot(*(place[k] - place[i])) / (time[k] - time[i]))
    return np.array([np.fmax(own[k], own[max(0, k - 1)]) for k in range(len(own))])


def naive_hold(position, is_still, reach):
    """Return the places, one trace at a time."""
    found = [position[0]]
    for k in range(1, len(position)):
        here, since = position[k], position[max(0, k - 5)]
        gets_on = np.hypot(*(here - since)[:2]) >= reach / 2
        is_near = np.hypot(*(here - found[-1])[:2]) < reach
        found.append(found[-1] if is_still[k] and is_near and not gets_on else here)
    return np.array(found)


@pytest.mark.parametrize("interval", [0.01, 0.05, 0.4])
def test_speeds_are_those_of_the_definition(interval):
    time, place = drive(interval=interval, noise=0.003)
    npt.assert_allclose(TrackSpeed().speeds(time, place), naive_speeds(time, place), rtol=1e-9)


def test_places_are_those_of_the_definition():
    time, place = drive(noise=0.003)
    position = np.column_stack([place, 0 * time])
    is_still = naive_speeds(time, place) < 0.1
    assert 0.1 < is_still.mean() < 0.9
    found = Standstill(reach=0.025).hold(position, is_still)
    npt.assert_array_equal(found, naive_hold(position, is_still, 0.025))
    assert not np.array_equal(found, position)


@settings(max_examples=30, deadline=None)
@given(cuts=st.lists(st.integers(0, 200), max_size=8))
def test_chunks_do_not_matter(cuts):
    time, place = drive(noise=0.003)
    position = np.column_stack([place, 0 * time])
    speed, still, found = TrackSpeed(), Standstill(reach=0.025), []
    for a, b in itertools.pairwise([0, *sorted(cuts), 200]):
        if a < b:
            is_still = speed.speeds(time[a:b], place[a:b]) < STANDSTILL
            found.append(still.hold(position[a:b], is_still))
    is_still = TrackSpeed().speeds(time, place) < STANDSTILL
    whole = Standstill(reach=0.025).hold(position, is_still)
    npt.assert_array_equal(np.concatenate(found), whole)


@pytest.mark.parametrize("interval", [0.4, 1.0, 60.0])
@pytest.mark.parametrize("step", [0.0051, 0.01, 0.02, 0.025, 0.05])
@pytest.mark.parametrize("origin", [0.0, 5.4e6])
def test_who_gets_on_by_steps_does_not_stand(interval, step, origin):
    """However long a step takes, or if times only count traces: but for the first few."""
    north = origin + step * np.arange(100)
    position = np.column_stack([0 * north, north, 0 * north])
    speed = TrackSpeed().speeds(interval * np.arange(100), position[:, :2])
    found = Standstill(reach=0.05).hold(position, speed < STANDSTILL)
    npt.assert_array_equal(found[5:], position[5:])
    # and who stands there does, with a noise of 2 mm
    noise = 0.002 * RNG.normal(size=(100, 3))
    speed = TrackSpeed().speeds(interval * np.arange(100), noise[:, :2])
    assert len(np.unique(Standstill(reach=0.05).hold(noise, speed < STANDSTILL)[:, 1])) == 1


def test_who_moves_is_left_alone():
    time, place = drive(70)
    position = np.column_stack([place, 0 * time])
    is_still = TrackSpeed().speeds(time, place) < STANDSTILL
    assert Standstill(reach=0.025).hold(position, is_still) is position


def test_a_driver_may_use_its_buffers_again():
    """The place that is held is that of the last trace, whatever became of its memory."""
    still, buffer = Standstill(reach=0.025), np.array([[0.0, 0.5, 0.0]])
    still.hold(buffer, np.array([False]))
    buffer[:] = 0.51
    found = still.hold(np.array([[0.0, 0.501, 0.0]]), np.array([True]))
    npt.assert_array_equal(found, [[0.0, 0.5, 0.0]])


def test_creeping_gets_on():
    time = 0.05 * np.arange(2000)
    position = np.column_stack([0 * time, 0.02 * time, 0 * time])
    is_still = TrackSpeed().speeds(time, position[:, :2]) < STANDSTILL
    found = Standstill(reach=0.025).hold(position, is_still)
    assert np.abs(found - position).max() < 0.025
    assert len(np.unique(found[:, 1])) < 90
