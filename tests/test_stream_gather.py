"""Test that traces of a wide radar, which wait for one another, lose nothing by it."""

import dataclasses

import live_streams as live
import numpy as np
import pytest

from minesense.message import PositionMessage
from minesense.sensor import Sensor
from minesense.stream import Session, sensor_path
from minesense.stream.events import AlarmRaised, LaneChunk, LaneEnded
from minesense.stream.gathering import Gatherer
from minesense.stream.replay import event_digest, replay
from minesense.sweep import Sweep

SPEED, RATE = 1.0, 100.0
MESSAGES = live.messages(14.0, rate=RATE, speed=SPEED, sensors=("radar",))


def events_of(gather, messages=MESSAGES, **options):
    """Return the events of a session whose traces wait for as long."""
    session = Session(live.config(gather=gather, **options), settings=live.SETTINGS)
    return live.run(session, messages)


@pytest.fixture
def wide(monkeypatch):
    """Let a small radar count as a wide one."""
    monkeypatch.setattr(sensor_path, "_WIDE", 1.0)


@pytest.mark.usefixtures("wide")
@pytest.mark.parametrize("gather", [0.3, 1e3])
def test_the_results_are_the_same(gather):
    """Chunks joined, alarms and what became of the scans do not depend on who waited."""
    alone, together = events_of(0.0), events_of(gather)
    chunks = [live.only(events, LaneChunk) for events in (alone, together)]
    assert len(chunks[1]) < len(chunks[0]) / 2
    for name in ("samples", "time", "position", "heading", "quality"):
        one, other = (
            np.concatenate([getattr(chunk.sweep, name) for chunk in found]) for found in chunks
        )
        assert one.tobytes() == other.tobytes(), name
    alarms = [live.only(events, AlarmRaised) for events in (alone, together)]
    assert alarms[0]
    as_told = [
        [dataclasses.replace(alarm, declared_latency=0.0) for alarm in found]
        for found in alarms
    ]
    assert as_told[0] == as_told[1]
    assert live.only(alone, LaneEnded) == live.only(together, LaneEnded)


@pytest.mark.usefixtures("wide")
def test_no_more_wait_than_go_together():
    """At a rate that fills a chunk they wait no longer; alarms state the track it adds."""
    alone, together = events_of(0.0), events_of(1e3)
    sizes = [len(chunk.sweep) for chunk in live.only(together, LaneChunk)]
    # not so the first, of which the stages hold back a part, nor what is flushed at the end
    assert len(sizes) > 10
    assert set(sizes[1:-2]) == {32}
    spacing = live.SETTINGS.radar.spacing
    (reach,) = {alarm.declared_latency for alarm in live.only(alone, AlarmRaised)}
    found = {alarm.declared_latency for alarm in live.only(together, AlarmRaised)}
    assert max(found) == reach + 31 * spacing
    assert min(found) >= reach


@pytest.mark.usefixtures("wide")
def test_they_wait_no_longer_than_stated():
    """With the push of a scan, no trace is left that has waited for longer."""
    session = Session(live.config(gather=0.2), settings=live.SETTINGS)
    newest, behind = -np.inf, []
    for message in MESSAGES:
        found = live.only(session.push(message), LaneChunk)
        if found:
            newest = found[-1].sweep.time[-1]
        behind.append(getattr(message, "stamp", np.nan) - newest)
    alone = Session(live.config(gather=0.0), settings=live.SETTINGS)
    newest, less = -np.inf, []
    for message in MESSAGES:
        found = live.only(alone.push(message), LaneChunk)
        if found:
            newest = found[-1].sweep.time[-1]
        less.append(getattr(message, "stamp", np.nan) - newest)
    behind, less = (np.array(lag)[len(MESSAGES) // 2 :] for lag in (behind, less))
    assert behind.max() > less.max()
    assert behind.max() <= less.max() + 0.2 + 2 / RATE + 0.1  # a pause between two fixes


@pytest.mark.parametrize(("wait", "n"), [(0.3, 63), (1.5, 63), (1.7, 32), (1e3, 32)])
def test_of_many_at_once_none_stays_that_has_waited_for_longer(wait, n):
    """The rest of 32 stays only as long as it may: the next scan can be far."""
    sensor = Sensor(name="demo", kind="gpr", axis=[0.0, 1e-10], lever_arms=[[0, 0, 0]])
    time = 0.05 * np.arange(63)
    sweep = Sweep(
        samples=np.zeros((63, 1, 2), np.float32),
        time=time,
        position=np.zeros((63, 3)),
        heading=np.zeros(63),
        sensor=sensor,
    )
    gatherer = Gatherer(wait)
    assert len(gatherer.take(sweep, 3.15)) == n
    assert len(gatherer.take(sweep[:0], 3.15, is_last=True)) == 63 - n


@pytest.mark.usefixtures("wide")
def test_a_replay_is_the_same():
    """Of the bytes, event for event."""
    again = replay(live.packets(MESSAGES), live.config(gather=0.3), settings=live.SETTINGS)
    assert event_digest(again) == event_digest(events_of(0.3))


def test_a_narrow_radar_does_not_wait():
    """Below a million samples a second nothing is gathered, whatever it may be."""
    sizes = [len(chunk.sweep) for chunk in live.only(events_of(1e3), LaneChunk)]
    assert max(sizes[1:-1]) < 32


def test_gather_is_refused_below_zero():
    """It is a time."""
    with pytest.raises(ValueError, match=r"Invalid gather '-0\.1'"):
        live.config(gather=-0.1)


@pytest.mark.usefixtures("wide")
def test_a_platform_that_stops_holds_no_trace():
    """Scans that make no trace let those go that waited for one."""
    stop, counts = 8.05, []
    for gather in (0.0, 0.3):
        session = Session(live.config(gather=gather), settings=live.SETTINGS)
        n_told = 0
        for message in MESSAGES:
            stamp = getattr(message, "stamp", 0.0)
            if isinstance(message, PositionMessage) and stamp > 1000 + stop:
                place = (1e-3 * (stamp % 0.2), SPEED * stop + 0.25, 0.0)  # not stale
                events = session.push(live.changed(message, coordinates=place))
            else:
                events = session.push(message)
            found = live.only(events, LaneChunk)
            if stamp < 1000 + stop + 1.0:
                n_told += sum(len(chunk.sweep) for chunk in found)
        counts.append(n_told)
    assert counts[0] == counts[1] > 100


def lane_of(times):
    """Return traces at these times."""
    n = len(times)
    sensor = Sensor(name="radar", kind="gpr", axis=[0.0, 1e-9], lever_arms=np.zeros((1, 3)))
    return Sweep(
        samples=np.zeros((n, 1, 2)), time=times, position=np.zeros((n, 3)), heading=np.zeros(n),
        sensor=sensor,
    )  # fmt: skip


def test_traces_go_on_when_they_are_many_or_late():
    """The 32nd lets all go; a trace goes at the moment that it has waited for as long."""
    gatherer = Gatherer(0.5)
    assert len(gatherer.take(lane_of(0.01 * np.arange(31)), 0.3)) == 0
    assert len(gatherer.take(lane_of([0.31]), 0.31)) == 32
    assert len(gatherer.take(lane_of([1.0, 1.25]), 1.25)) == 0
    assert len(gatherer.take(lane_of([]), 1.4990)) == 0
    assert len(gatherer.take(lane_of([]), 1.5)) == 2
    assert len(gatherer.take(lane_of([2.0]), 2.0)) == 0
    assert len(gatherer.take(lane_of([]), 2.0, is_last=True)) == 1


def test_what_has_not_waited_yet_stays_behind_whole_chunks():
    """Of 40 traces 32 go, and the others wait for their own time."""
    gatherer = Gatherer(0.5)
    assert len(gatherer.take(lane_of(np.arange(40) / 64), 0.625)) == 32
    assert len(gatherer.take(lane_of([]), 0.984375)) == 0
    assert len(gatherer.take(lane_of([]), 1.0)) == 8
