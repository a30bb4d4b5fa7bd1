"""Test the live session: batch and replay equal it, and everything is accounted for."""

import dataclasses
import itertools
import math

import live_streams as live
import numpy as np
import pytest

from minesense.detect import Screen
from minesense.message import NoteMessage, Packet
from minesense.resampling import resample_track
from minesense.sensor import Sensor
from minesense.stream import (
    Lost,
    PacketQueue,
    Session,
    StreamConfig,
    event_digest,
    load_config,
    read_config,
    replay,
)
from minesense.stream.cells import CellReport
from minesense.stream.events import (
    AlarmRaised,
    CountersReport,
    CoverageCells,
    CoverageStretch,
    GapFound,
    Invalidated,
    LaneBegun,
    LaneChunk,
    LaneEnded,
    LaneFailed,
    MessageRejected,
    NoteTaken,
    PayloadRefused,
    QualityChanged,
    SearchScore,
    StreamRefused,
)
from minesense.stream.states import Observation
from minesense.sweep import Quality, Sweep

LIVE = live.messages(24.0, sensors=("coils", "radar"))


def new_session(**options):
    return Session(live.config(**options), settings=live.SETTINGS)


@pytest.fixture(scope="module")
def events():
    """Return the events of a drive without faults."""
    return live.run(new_session(), LIVE)


def counted(found):
    """Return the last counters."""
    return live.only(found, CountersReport)[-1].streams


def assert_all_accounted(found):
    """Fail unless counters add up and stretches account for every scan that was taken."""
    for name, counters in counted(found).items():
        rejected = counters.duplicate + counters.late + counters.backward + counters.time_jump
        rejected += counters.not_a_time + counters.bad_shape + counters.undeclared
        total = counters.accepted + rejected + counters.overflow + counters.undecided
        assert counters.received == total, name
        settled = counters.observed + counters.partial + counters.not_observed
        settled += counters.invalid
        if settled:
            assert counters.pending == 0
            assert settled == counters.accepted, name


def test_targets_are_found_where_they_are(events):
    """Both sensors alarm at both targets, at the place and with the error that was stated."""
    for sensor in ("emi", "gpr"):
        found = [e for e in live.only(events, AlarmRaised) if e.sensor == sensor]
        for target in (6.0, 10.0):
            near = [e for e in found if abs(e.northing - target) < 0.2]
            assert near
            assert max(e.score for e in near) > 15
            assert all(e.position_error == pytest.approx(0.02, abs=1e-4) for e in near)


def test_everything_is_accounted_for(events):
    """Every scan is observed, or not with a reason; the area is that of the track."""
    assert_all_accounted(events)
    counters = counted(events)
    assert counters["coils"].received == counters["radar"].received == 1200
    assert counters["radar"].observed > 1000
    stretches = [e for e in live.only(events, CoverageStretch) if e.stream == "coils"]
    assert sum(e.n_scans for e in stretches) == 1200
    assert sum(e.length for e in stretches) == pytest.approx(12.0, abs=0.1)
    for one, two in itertools.pairwise(stretches):
        assert one.stop_time <= two.start_time


def test_a_lane_in_one_piece_gives_the_same_alarms(events):
    """Slow and obvious: locate all scans, resample them, push the whole lane at once."""
    for name in ("coils", "radar"):
        scans = [m for m in LIVE if getattr(m, "stream", "") == name]
        fixes = [m for m in LIVE if getattr(m, "stream", "") == "gnss"]
        time = np.array([m.stamp for m in scans])
        known = np.array([m.stamp for m in fixes])
        place = np.array([m.coordinates for m in fixes])
        after = np.clip(np.searchsorted(known, time), 1, len(known) - 1)
        share = (time - known[after - 1]) / (known[after] - known[after - 1])
        position = place[after - 1] + share[:, None] * (place[after] - place[after - 1])
        position = position - [0.0, 0.25, 0.0]  # from the antenna to the platform
        declared = next(m for m in LIVE if getattr(m, "name", "") == name)
        lane = Sweep(
            samples=np.stack([m.samples for m in scans]),
            time=time,
            position=position,
            heading=np.zeros(len(time)),
            sensor=declared.sensor,
            lane="1",
            frame=live.FRAME,
        )
        options = live.SETTINGS.coils if name == "coils" else live.SETTINGS.radar
        even = resample_track(lane, spacing=options.spacing, max_step=live.SETTINGS.max_gap)
        screen = Screen(live.SETTINGS)
        found = screen.push(even) + screen.end_part()
        expected = [(c.time, c.channel, c.easting, c.northing, c.score) for c in found]
        told = [
            (e.time, e.channel, e.easting, e.northing, e.score)
            for e in live.only(events, AlarmRaised)
            if e.stream == name
        ]
        assert told == expected
        assert len(told) >= 2


def test_replay_of_packets_equals_live(events):
    """Bytes give the events that messages gave, bit for bit, twice."""
    digest = event_digest(events)
    packets = live.packets(LIVE)
    assert event_digest(replay(packets, live.config(), settings=live.SETTINGS)) == digest
    late = live.packets(LIVE, arrival=1e9)  # another wall clock
    assert event_digest(replay(late, live.config(), settings=live.SETTINGS)) == digest


def test_digest_tells_events_apart(events):
    """One bit of one array changes it, and so does the order."""
    chunk = live.only(events, LaneChunk)[0]
    heights = chunk.height.copy()
    heights[0] = np.nextafter(heights[0], 1)
    other = dataclasses.replace(chunk, height=heights)
    assert event_digest([chunk]) != event_digest([other])
    assert event_digest(events[:2]) != event_digest(events[1::-1])


def test_alarms_come_at_the_declared_latency():
    """An alarm is told as soon as the track is the declared latency beyond its place."""
    session = new_session()
    place, late = math.nan, []
    for message in LIVE:
        if getattr(message, "stream", "") == "gnss":
            place = message.coordinates[1] - 0.25
        for event in session.push(message):
            if isinstance(event, AlarmRaised) and event.kind == "prescreener":
                late.append((place - event.northing - event.declared_latency, event.sensor))
    # behind it: a fix, the step of the zero, three spacings of resampling, one trace
    assert late
    for metres, sensor in late:
        allowed = 0.05 + 0.05 + 4 * (0.05 if sensor == "emi" else 0.025) + 0.25
        assert metres <= allowed


def test_search_scores_come_with_their_scan():
    """The score of a scan is told by its own push, loud over the target."""
    session = new_session()
    loud = []
    for message in LIVE:
        found = live.only(session.push(message), SearchScore)
        if getattr(message, "stream", "") == "coils":
            assert [e.time for e in found] == [message.stamp]
            if max(found[0].scores) > 20:
                loud.append(0.5 * (message.stamp - 1000.0))
        else:
            assert not found
    assert loud
    assert min(loud) > 5.5
    assert all(min(abs(place - 6), abs(place - 10)) < 0.6 for place in loud)


def test_cells_are_those_of_the_track(events):
    """Observed cells lie within the footprint less the position error, and fill it."""
    cells = [e for e in live.only(events, CoverageCells) if e.stream == "coils"]
    seen = {tuple(c) for e in cells for c in e.cells[e.is_observed].tolist()}
    side = cells[0].cell
    east = np.array([(i + 0.5) * side for i, _ in seen])
    north = np.array([(j + 0.5) * side for _, j in seen])
    radius = live.SETTINGS.coil_footprint - 0.02
    across = np.minimum(abs(east - 0.1), abs(east + 0.1))
    assert across.max() <= radius + 0.005
    # 24 s at 0.5 m/s, two coils whose discs do not overlap
    assert len(seen) * side**2 == pytest.approx(2 * 2 * radius * 12.0, rel=0.1)
    assert north.max() < 12.2


def test_without_limits_nothing_counts_as_observed():
    """No limits, no coverage; alarms all the same."""
    found = live.run(new_session(limits=None), LIVE)
    assert not live.only(found, CoverageCells)
    assert {e.reasons for e in live.only(found, CoverageStretch) if e.stream == "coils"} == {
        ("LIMITS_NOT_STATED",)
    }
    assert live.only(found, AlarmRaised)
    assert_all_accounted(found)


def test_a_stage_that_fails_ends_the_part_alone(monkeypatch):
    """What was pending is INVALID, the cause is told, the other sensor and the rest go on."""
    push, calls = Screen.push, []

    def failing(self, chunk):
        if chunk.sensor.name == "coils" and len(chunk):
            calls.append(1)
            if len(calls) == 60:
                msg = "the stage broke"
                raise RuntimeError(msg)
        return push(self, chunk)

    monkeypatch.setattr(Screen, "push", failing)
    found = live.run(new_session(), LIVE)
    failed = live.only(found, LaneFailed)
    assert [(e.stream, e.cause) for e in failed] == [("coils", "RuntimeError: the stage broke")]
    invalid = [e for e in live.only(found, CoverageStretch) if e.state == Observation.INVALID]
    assert invalid
    assert {e.reasons for e in invalid} == {("LANE_FAILED",)}
    assert {e.stream for e in invalid} == {"coils"}
    assert_all_accounted(found)
    assert any(e.northing > 9.5 for e in live.only(found, AlarmRaised) if e.sensor == "emi")
    parts = [e for e in live.only(found, LaneBegun) if e.stream == "coils"]
    assert [e.part for e in parts] == [1, 2]


def test_cells_that_fail_end_the_part_alone(monkeypatch):
    """Also where a part is given up: the session goes on."""

    def failing(self):
        msg = "no cells"
        raise ValueError(msg)

    monkeypatch.setattr(CellReport, "take", failing)
    found = live.run(new_session(), LIVE)
    failed = live.only(found, LaneFailed)
    assert failed
    assert {e.cause for e in failed} == {"ValueError: no cells"}
    assert_all_accounted(found)
    assert not live.only(found, CoverageCells)


@pytest.mark.parametrize("far", [1e16, 1e18, 1e300])
def test_places_beyond_all_cells_have_none(far):
    """A coordinate without bound is no fault of the session."""
    report = CellReport(cell=0.1, footprint=0.1, limit=0.1, max_step=1.0)
    sensor = Sensor(name="coil", kind="emi", axis=[1e-4], lever_arms=[[0, 0, 0]])
    sweep = Sweep(
        samples=np.zeros((2, 1, 1)),
        time=[0.0, 1.0],
        position=[[0, far, 0], [0, -far, 0]],
        heading=np.zeros(2),
        sensor=sensor,
    )
    report.add(sweep, np.zeros(2))
    assert not len(report.take()[0])


def test_notes_name_lanes_and_marks_are_alarms():
    """A note begins a lane at its stamp; a mark of a person is an alarm that stays."""
    found = list(LIVE)
    note = NoteMessage(
        stream="coils", sequence=0, stamp=1010.0, topic="lane", content={"name": "B"}
    )
    mark = NoteMessage(
        stream="",
        sequence=1,
        stamp=math.nan,
        topic="mark",
        content={"easting": 0.5, "northing": 3.0},
    )
    found[600:600] = [note, mark]
    told = live.run(new_session(lanes="note"), found)
    assert [(e.lane, e.time) for e in live.only(told, LaneBegun) if e.stream == "coils"] == [
        ("1", 1000.0),
        ("B", 1010.0),
    ]
    marks = [e for e in live.only(told, AlarmRaised) if e.kind == "mark"]
    assert [(e.easting, e.northing) for e in marks] == [(0.5, 3.0)]
    assert [e.topic for e in live.only(told, NoteTaken)] == ["lane", "mark"]


def test_function_checks():
    """Without a check nothing is valid; a failed one takes back what is since the last."""

    def check(stamp, **content):
        return NoteMessage(stream="", sequence=0, stamp=stamp, topic="check", content=content)

    found = list(LIVE)
    found.insert(3, check(1000.0, passed=True, response=100.0))
    found.insert(2000, check(1016.0, passed=True, response=60.0))
    told = live.run(new_session(checks="required", check_tolerance=0.2), found)
    taken_back = [e for e in live.only(told, Invalidated) if e.stream == "coils"]
    assert [(e.start_time, e.reason) for e in taken_back] == [
        (1000.0, "CHECK_FAILED"),
        (1000.0, "CHECK_FAILED"),
    ]
    assert taken_back[-1].stop_time == pytest.approx(1023.98)
    assert counted(told)["coils"].reasons["CHECK_FAILED"] > 250
    none = live.run(new_session(checks="required"), LIVE)
    assert counted(none)["coils"].invalid == counted(none)["coils"].accepted


def test_garbage_is_refused_and_counted():
    """Bytes that are no message, undeclared streams, scans of another shape: no crash."""
    rng = np.random.default_rng(3)
    packets = live.packets(LIVE[:400])
    noise = [Packet(0.0, rng.bytes(int(rng.integers(0, 200)))) for _ in range(300)]
    mixed = [p for pair in zip(packets, noise, strict=False) for p in pair] + packets[300:]
    session = new_session()
    found = live.run(session, mixed)
    assert (
        len(live.only(found, PayloadRefused)) == live.only(found, CountersReport)[-1].n_refused
    )
    clean = live.run(new_session(), packets)
    alarms = [live.only(x, (AlarmRaised, CoverageStretch)) for x in (found, clean)]
    assert event_digest(alarms[0]) == event_digest(alarms[1])
    scan = next(m for m in LIVE if getattr(m, "stream", "") == "coils")
    wrong = [
        live.changed(scan, stream="nobody"),
        live.changed(scan, samples=scan.samples[:1]),
        live.changed(scan, stamp=math.nan, sequence=77),
    ]
    reasons = [
        e.reason
        for e in live.only(live.run(new_session(), [*LIVE[:3], *wrong]), MessageRejected)
    ]
    assert reasons == ["undeclared", "bad_shape", "not_a_time"]


def test_clocks_that_do_not_go_together_are_refused():
    """GPS time and UTC are never joined; another clock needs a calibrated offset."""
    declared = live.declarations()
    for change, words in (
        ({"clock": "gps"}, "leap seconds"),
        ({"clock": "host"}, "offset_error"),
        ({"coordinates": "geographic"}, "origin"),
    ):
        told = new_session().push(live.changed(declared[1], **change))
        assert len(told) == 1
        assert isinstance(told[0], StreamRefused)
        assert words in told[0].reason
    with pytest.raises(ValueError, match="leap seconds"):
        read_config({"task_clock": "utc", "streams": [{"name": "x", "clock": "gps"}]})
    assert not isinstance(
        new_session().push(live.changed(declared[1], clock="host", offset_error=0.01))[0],
        StreamRefused,
    )


def test_a_session_ends_once():
    """After the end nothing is taken."""
    session = new_session()
    session.finish()
    assert session.finish() == ()
    with pytest.raises(ValueError, match="was finished"):
        session.push(LIVE[0])
    with pytest.raises(TypeError, match="Must be a message"):
        new_session().push("text")
    with pytest.raises(TypeError, match="Must be a StreamConfig"):
        Session({})


@pytest.mark.parametrize("sensors", [("coils",), ("radar",)])
def test_a_sensor_can_be_alone(sensors):
    """One sensor is enough; without positions its alarms are kept, unlocated."""
    found = live.messages(16.0, sensors=sensors)
    alone = [m for m in found if getattr(m, "stream", getattr(m, "name", "")) != "gnss"]
    told = live.run(new_session(), alone)
    assert_all_accounted(told)
    counters = counted(told)[sensors[0]]
    assert counters.not_observed == counters.accepted == 800
    alarms = live.only(told, AlarmRaised)
    near = [e for e in alarms if abs(e.time - 1012.0) < 1.0]
    assert near
    assert not any(e.is_located for e in alarms)
    assert all(e.position_error == math.inf for e in alarms)


def test_queue_loses_the_oldest_and_tells(events):
    """A session that falls behind loses scans at a known place; memory does not grow."""
    queue = PacketQueue(most_packets=500, most_bytes=1 << 20)
    session, told = new_session(), []
    packets = live.packets(LIVE)
    for k, packet in enumerate(packets):
        queue.put(packet)
        assert len(queue) <= 500
        assert queue.n_bytes <= 1 << 20
        if not 1000 <= k < 2500:  # busy with something else
            while len(queue):
                told += session.push(queue.get())
    told += session.finish()
    n_lost = sum(queue.n_lost.values())
    assert n_lost == 1001  # 1501 came before there was room
    assert sum(c.overflow for c in counted(told).values()) == n_lost
    assert_all_accounted(told)
    gaps = [e for e in live.only(told, GapFound) if e.cause == "overflow"]
    assert {e.stream for e in gaps} == {"coils", "radar"}
    before = [e for e in live.only(events, AlarmRaised) if e.time < 1005.0]
    assert before == [e for e in live.only(told, AlarmRaised) if e.time < 1005.0]
    assert isinstance(Lost({}), Lost)


def test_config_of_a_file(tmp_path):
    """TOML gives a configuration; errors name the field."""
    path = tmp_path / "stream.toml"
    path.write_text(
        'task_clock = "utc"\nhold = 3.0\n[limits]\nheight = 0.2\ntilt = inf\n'
        "least_speed = 0.0\ngreatest_speed = 1.5\nposition_error = 0.1\nnoise = inf\n"
        '[[streams]]\nname = "coils"\nfull_scale = 1000.0\n'
    )
    config = load_config(path)
    assert config.limits.tilt == math.inf
    assert config.expected("coils").full_scale == 1000.0
    path.write_text('task_clock = "utc"\n[limits]\nheigth = 0.2\n')
    with pytest.raises(ValueError, match="unknown field 'heigth'"):
        load_config(path)
    path.write_text("task_clock = \n")
    with pytest.raises(ValueError, match="Must be TOML"):
        load_config(path)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"hold": 0.1}, "at least max_fix_gap"),
        ({"max_fix_gap": -1.0}, "max_fix_gap"),
        ({"fix_errors": (1.0,)}, "fix_errors"),
        ({"plausible_height": (1.0, 0.0)}, "Must rise"),
        ({"stale_after": 1}, "stale_after"),
    ],
)
def test_bad_configuration_is_named(bad, message):
    """The error names the field and states the rule."""
    with pytest.raises(ValueError, match=message):
        StreamConfig(**({"task_clock": "utc"} | bad))


def test_quality_lights_change_with_the_flags():
    """What is wrong with a stream is told when it begins and when it ends."""
    found = [
        live.changed(m, height=0.9)
        if getattr(m, "stream", "") == "gnss" and 1008 <= m.stamp < 1010
        else m
        for m in LIVE
        if getattr(m, "stream", getattr(m, "name", "")) != "radar"
    ]
    told = live.only(live.run(new_session(), found), QualityChanged)
    added = [e.time for e in told if "HEIGHT_LIMIT" in e.added]
    removed = [e.time for e in told if "HEIGHT_LIMIT" in e.removed]
    assert added == [pytest.approx(1008, abs=0.2)]
    assert removed == [pytest.approx(1010, abs=0.2)]
    assert all(not (e.quality & Quality.HEIGHT_LIMIT) for e in told if e.time < 1007.8)


def test_lane_reports_add_up(events):
    """The report of a lane counts what its events told."""
    for ended in live.only(events, LaneEnded):
        begun = [
            e
            for e in live.only(events, LaneBegun)
            if (e.stream, e.lane, e.part) == (ended.stream, ended.lane, ended.part)
        ]
        assert len(begun) == 1
        assert ended.n_scans == ended.n_observed + sum(ended.not_observed.values())
        alarms = [e for e in live.only(events, AlarmRaised) if e.stream == ended.stream]
        assert ended.n_alarms == len(alarms)


@pytest.mark.parametrize(("interval", "is_located"), [(0.25, True), (0.32, False)])
def test_nothing_is_located_between_fixes_farther_apart_than_stated(interval, is_located):
    """The default is 0.3 s: scans between later fixes are not observed, and none is guessed."""
    session = Session(live.config(), settings=live.SETTINGS)
    for message in live.messages(seconds=12.0, fix_rate=1.0 / interval, targets=()):
        session.push(message)
    counters = session.finish()[-1].streams["coils"]
    assert (counters.observed > 0) is is_located
    # those at the very time of a fix have its place; and some before the first and the last
    share = counters.reasons.get("POSE_NONE", 0) / counters.accepted
    assert share < 0.05 if is_located else share > 0.85
