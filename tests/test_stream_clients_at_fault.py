"""What a client may do wrong: strange numbers, wrong clocks, blocks, silence about heads."""

import dataclasses
import json
import math
import socket
import struct

import live_streams as live
import numpy as np
import pytest
from links import Running

from minesense.apps.event_lines import event_line
from minesense.message import NoteMessage, Packet, PositionMessage, SensorMessage
from minesense.payload import NO_STREAM, NOTE, Decoder, Encoder
from minesense.stream import Session
from minesense.stream.events import (
    AlarmRaised,
    CountersReport,
    LaneBegun,
    LaneEnded,
    NoteTaken,
    PayloadRefused,
    StreamAccepted,
)
from minesense.stream.frames import FrameDecoder, encode_frame
from minesense.stream.scan_checks import ScanChecks
from minesense.stream.tcp_server import TcpServer

DRIVE = live.messages(16.0, sensors=("coils",))


def new_session(**options):
    return Session(live.config(**options), settings=live.SETTINGS)


def shifted(found, shift, kinds, *, after=-math.inf):
    """Return messages, some with other stamps."""
    for message in found:
        is_one = isinstance(message, kinds) and message.stamp >= after
        yield live.changed(message, stamp=message.stamp + shift) if is_one else message


def raw_note(text):
    """Return a note as bytes that no encoder of ours would write."""
    return Packet(0.0, struct.pack("<BBHId", NOTE, 1, NO_STREAM, 0, math.nan) + text)


def counted(events, name="coils"):
    return live.only(events, CountersReport)[-1].streams[name]


@pytest.mark.parametrize(
    "content",
    [
        {"easting": 10**400, "northing": 1.0},
        {"sensor": "coils", "passed": True, "response": 10**400},
    ],
)
@pytest.mark.parametrize("topic", ["mark", "check"])
def test_integers_that_no_float_holds_harm_nobody(topic, content):
    """They count as numbers that were not told."""
    session = new_session()
    session.push(DRIVE[0])
    text = json.dumps({"topic": topic, "content": content}).encode()
    events = session.push(raw_note(text))
    assert isinstance(events[0], NoteTaken)
    for alarm in live.only(events, AlarmRaised):
        assert math.isnan(alarm.easting)


@pytest.mark.parametrize("depth", [33, 500, 100_000])
def test_deep_notes_are_refused_and_can_be_told(depth):
    """What could be parsed but not written again would end the program."""
    text = b'{"topic":"a","content":{"a":' + b"[" * depth + b"]" * depth + b"}}"
    events = new_session().push(raw_note(text))
    assert isinstance(events[0], PayloadRefused)
    assert event_line(events[0])


def test_half_surrogates_are_no_names():
    """A stream of such a name could not be recorded: it is refused at the door."""
    payload = Encoder().encode(DRIVE[0])
    name = DRIVE[0].name.encode()
    broken = payload.replace(b'"name":"' + name, b'"name":"\\ud800', 1)
    assert broken != payload
    with pytest.raises(ValueError, match="surrogates not allowed"):
        Decoder().decode(broken)
    whole = payload.replace(b'"name":"' + name, b'"name":"\\ud83d\\ude00', 1)
    assert "\U0001f600" in Decoder().decode(whole).name


def test_rates_size_what_is_held_only_so_far():
    """A rate that is not true neither overflows nor lets a coil hold scans without end."""
    declaration = next(m for m in DRIVE if getattr(m, "sensor", None) is not None)
    with pytest.raises(ValueError, match=r"Invalid rate '1e\+308'.* at most 1e6 Hz"):
        live.changed(declaration, rate=1e308)
    size = 4 * math.prod(declaration.sensor.shape)
    checks = ScanChecks(
        live.changed(declaration, rate=1e6), live.config(max_held=100 * size, step_hold=10.0)
    )
    assert checks.delay == pytest.approx(100 / 1e6)


def test_a_sensor_that_cannot_be_screened_is_said_to_be_so():
    """Without its head a metal detector raises no alarm: the first line says that and why."""
    declaration = next(m for m in DRIVE if getattr(m, "sensor", None) is not None)
    bare = dataclasses.replace(declaration.sensor, head=None, heads=())
    (told,) = live.only(
        new_session().push(live.changed(declaration, sensor=bare)), StreamAccepted
    )
    assert "No alarms of a prescreener: " in told.unscreened
    assert "no head" in event_line(told)
    (told,) = live.only(new_session().push(declaration), StreamAccepted)
    assert told.unscreened == ""


@pytest.mark.parametrize("after", [-math.inf, 3.0])
@pytest.mark.parametrize("shift", [-3600.0, -18.0, 18.0])
def test_alarms_come_from_a_sensor_whose_clock_is_wrong(shift, after):
    """Its scans say nothing of places, but are screened in one piece, not one by one."""
    start = min(m.stamp for m in DRIVE if isinstance(m, SensorMessage))
    events = live.run(new_session(), shifted(DRIVE, shift, SensorMessage, after=start + after))
    counters = counted(events)
    bad = sum(n for why, n in counters.reasons.items() if why.startswith("TIME_"))
    assert counters.not_observed >= bad >= counters.accepted - (0 if after < 0 else 160)
    found = [e for e in live.only(events, AlarmRaised) if e.score > 15]
    assert found
    assert all(math.isnan(e.northing) and e.position_error == math.inf for e in found)
    assert len(live.only(events, LaneEnded)) <= 4


def test_a_sensor_that_sends_seconds_at_once_is_not_cut_scan_by_scan():
    """Blocks longer than the hold end parts, one for each block."""
    held, late = [], []
    for message in DRIVE:
        if not isinstance(message, SensorMessage):
            late.append(message)
            continue
        held.append(message)
        if len(held) == 150:
            late += held
            held.clear()
    events = live.run(new_session(), late + held)
    n_blocks = 16 * 50 // 150 + 1
    assert len(live.only(events, LaneEnded)) <= 3 * n_blocks


def test_lanes_begin_although_a_note_was_stamped_in_the_future():
    """One by another clock does not hold up those that follow."""
    middle = len(DRIVE) // 2
    notes = [
        NoteMessage(stream="", sequence=k, stamp=stamp, topic="lane", content={"name": name})
        for k, (stamp, name) in enumerate([(1e300, "A"), (math.nan, "B")])
    ]
    found = [*DRIVE[:middle], notes[0], *DRIVE[middle:-50], notes[1], *DRIVE[-50:]]
    names = [e.lane for e in live.only(live.run(new_session(), found), LaneBegun)]
    assert names[-2:] == ["A", "B"]


def test_lanes_begin_although_the_clock_was_set_back():
    """Bounds by the old time, an hour ahead, do not hold them up."""
    start = min(m.stamp for m in DRIVE if isinstance(m, SensorMessage))
    both = (SensorMessage, PositionMessage)
    found = list(shifted(DRIVE, -3600.0, both, after=start + 5.0))
    note = NoteMessage(
        stream="", sequence=0, stamp=math.nan, topic="lane", content={"name": "B"}
    )
    early = live.changed(note, content={"name": "A"})
    found = [*found[:100], early, *found[100:-100], note, *found[-100:]]
    events = live.run(new_session(), found)
    names = [e.lane for e in live.only(events, LaneBegun)]
    assert names[0] == "1"
    assert names[-1] == "B"
    identifiers = [(e.lane, e.part) for e in live.only(events, LaneBegun)]
    assert len(set(identifiers)) == len(identifiers)


@pytest.mark.parametrize("error", [math.inf, -1.0])
def test_an_error_without_bound_credits_nothing(error):
    """A receiver that states no size of its error does not get that of its class."""
    found = [
        live.changed(m, error=error) if isinstance(m, PositionMessage) else m for m in DRIVE
    ]
    counters = counted(live.run(new_session(), found))
    assert counters.observed == counters.partial == 0
    assert counters.not_observed == counters.accepted


def test_angles_in_degrees_are_unknown():
    """A heading of 270 is no number of rad: the track's is taken; so much tilt is no tilt."""

    def drive(**values):
        for message in DRIVE:
            is_fix = isinstance(message, PositionMessage)
            yield live.changed(message, **values) if is_fix else message

    def places(found):
        return [e.easting for e in live.only(found, AlarmRaised) if e.score > 15]

    right = live.run(new_session(), drive(heading=0.0))
    degrees = live.run(new_session(), drive(heading=270.0))
    assert places(degrees) == pytest.approx(places(right), abs=0.02)
    limits = dataclasses.replace(live.LIMITS, tilt=0.3)
    for values in ({"pitch": 360.0, "roll": 0.0}, {"pitch": 0.0, "roll": math.inf}):
        counters = counted(live.run(new_session(limits=limits), drive(**values)))
        assert counters.observed == 0
        assert counters.reasons["TILT_LIMIT"] > 500


def test_latitude_and_longitude_in_the_wrong_order_credit_nothing():
    """Places thousands of kilometres from the task's origin are none."""
    latitude, longitude = 47.285, 8.565

    def drive(*, is_swapped):
        for message in DRIVE:
            if getattr(message, "kind", "") == "position":
                yield live.changed(message, coordinates="geographic")
            elif isinstance(message, PositionMessage):
                north = latitude + message.coordinates[1] / 111180.0
                place = (longitude, north) if is_swapped else (north, longitude)
                yield live.changed(message, coordinates=(*place, 547.0))
            else:
                yield message

    origin = (latitude, longitude, 547.0)
    right = counted(live.run(new_session(origin=origin), drive(is_swapped=False)))
    wrong = counted(live.run(new_session(origin=origin), drive(is_swapped=True)))
    assert right.observed > 500
    assert wrong.observed == wrong.partial == 0
    assert wrong.reasons["POSE_NONE"] > 500


def test_a_height_above_ground_is_that_of_the_platform():
    """The antenna on its mast is not the head: the lever arm is taken off."""
    position = next(m for m in DRIVE if getattr(m, "kind", "") == "position")
    raised = live.changed(position, lever_arm=(0.0, 0.0, 1.2), height_datum="ground")

    def drive(upward):
        for message in DRIVE:
            if message is position:
                yield raised
            elif isinstance(message, PositionMessage):
                east, north, _ = message.coordinates
                yield live.changed(message, coordinates=(east, north, upward), height=math.nan)
            else:
                yield message

    assert counted(live.run(new_session(), drive(1.25))).observed > 500
    lost = counted(live.run(new_session(), drive(0.0)))  # an unknown height, sent as zero
    assert lost.observed == 0
    assert lost.reasons["HEIGHT_UNKNOWN"] > 500


def test_fixes_do_not_pile_up_for_a_sensor_that_is_silent():
    """What nobody waits for any more is forgotten, however long it goes on."""
    session = new_session()
    coils = list(live.messages(40.0, sensors=("coils", "radar")))
    start = min(m.stamp for m in coils if isinstance(m, SensorMessage))
    for message in coils:
        if getattr(message, "stream", "") == "radar" and message.stamp > start + 2:
            continue
        session.push(message)
    assert len(session._track._fixes) < 100


def test_a_client_is_told_of_scans_that_do_not_fit():
    """The commonest mistake of all is answered in words on the connection."""
    declaration = next(m for m in DRIVE if getattr(m, "sensor", None) is not None)
    encoder = Encoder()
    first = encoder.encode(declaration)
    scan = encoder.encode(
        SensorMessage(
            stream=declaration.name,
            sequence=0,
            stamp=0.0,
            samples=np.zeros((1, 1), np.float32),
        )
    )
    with (
        Running(TcpServer()) as running,
        socket.create_connection(running.source.address, timeout=10) as channel,
    ):
        channel.sendall(encode_frame(first) + encode_frame(scan))
        decoder, told = FrameDecoder(), []
        while not told:
            told += [Decoder().decode(p) for p in decoder.feed(channel.recv(4096))]
    assert "1 channels of 1 samples" in told[0].content["reason"]
