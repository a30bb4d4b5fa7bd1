"""Several sources into one order: what is recorded, what is lost, what stops it all."""

from __future__ import annotations

import json
import math
import struct
import threading
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from links import declaration, frames_of, scan

from minesense.apps.source_spec import make_source
from minesense.io.mcap_reading import read_packets
from minesense.io.mcap_sweep_writer import messages_of
from minesense.message import (
    DeviceFlag,
    FixClass,
    NoteMessage,
    Packet,
    PositionMessage,
    SensorMessage,
    StreamDeclaration,
)
from minesense.payload import Decoder, Encoder
from minesense.sensor import Sensor
from minesense.stream import Lost, PacketQueue
from minesense.stream.byte_input import FileInput
from minesense.stream.framed_source import FramedSource
from minesense.stream.frames import FrameDecoder, write_frames
from minesense.stream.intake import Intake
from minesense.stream.numbering import UNKNOWN_STREAM, Numbering, number_of, of_no_stream
from minesense.stream.pace import Pace
from minesense.stream.recorder import Recorder
from minesense.stream.replay_source import ReplaySource, StampTimes, read_stream
from minesense.stream.source import packets_from
from minesense.stream.sweep_source import PAUSE, SweepMessages, SweepSource
from minesense.sweep import Frame, Quality, Sweep


class Device:
    """A source that sends at once what it has, and waits for nobody if it is live."""

    def __init__(self, name, numbers, *, is_live=True, error=None):
        self.name, self.is_live = name, is_live
        self.payloads = FrameDecoder().feed(frames_of(name, numbers))
        self.is_stopped = threading.Event()
        self.error = error
        self.waits_at_end = False

    def run(self, deliver):
        """Send everything."""
        for k, payload in enumerate(self.payloads):
            if self.is_stopped.is_set():
                return
            deliver(Packet(float(k), payload))
        if self.error is not None:
            raise self.error
        if self.waits_at_end:
            self.is_stopped.wait(20)

    def stop(self):
        """Ask it to end."""
        self.is_stopped.set()

    def counters(self):
        """Return nothing."""
        return {}


class List:
    """A recorder into a list, as slow as wished."""

    def __init__(self, pause=0.0):
        self.packets, self.pause = [], pause

    def write(self, packet):
        """Take a packet."""
        time.sleep(self.pause)
        self.packets.append(packet)


def decode(items):
    """Return the messages of packets."""
    decoder, found = Decoder(), []
    for item in items:
        if isinstance(item, Packet):
            found.append(decoder.decode(item.payload))
    return found


def test_sources_get_streams_of_their_own_and_one_order():
    """Each numbers from zero; recorded is what is processed, in the same order."""
    recorder = List()
    devices = [Device(f"coil {k}", range(300)) for k in range(4)]
    intake = Intake(devices, recorder=recorder)
    items = list(intake.packets())
    assert items == recorder.packets
    messages = decode(items)
    for k in range(4):
        scans = [
            m for m in messages if isinstance(m, SensorMessage) and m.stream == f"coil {k}"
        ]
        assert [m.sequence for m in scans] == list(range(300))
    counters = intake.counters()
    assert (counters["n_received"], counters["n_recorded"]) == (1204, 1204)
    assert (counters["n_lost_live"], counters["n_refused"]) == (0, 0)


def test_a_slow_session_loses_live_and_nothing_recorded():
    """The oldest leave; how many, and of which stream, is told at their place."""
    device = Device("coil", range(5000))
    recorder = List()
    intake = Intake([device], recorder=recorder, queue=PacketQueue(most_packets=100))
    packets = intake.packets()
    items = [next(packets)]
    while len(recorder.packets) < 5001:  # nobody processes meanwhile
        time.sleep(0.01)
    items += packets
    assert [m.sequence for m in decode(recorder.packets)[1:]] == list(range(5000))
    lost = sum(item.by_number[0] for item in items if isinstance(item, Lost))
    scans = [m.sequence for m in decode(items) if isinstance(m, SensorMessage)]
    assert lost + len(scans) == 5000
    assert lost == intake.counters()["n_lost_live"] >= 4800
    assert scans[-1] == 4999
    assert len(items) < 210


def test_files_wait_for_a_slow_session():
    """What does not happen now cannot be missed."""
    device = Device("coil", range(3000), is_live=False)
    intake = Intake([device], queue=PacketQueue(most_packets=50))
    items = []
    for item in intake.packets():
        if len(items) % 500 == 0:
            time.sleep(0.02)
        items.append(item)
    assert [m.sequence for m in decode(items)[1:]] == list(range(3000))


def test_a_slow_recorder_makes_sources_wait():
    """Its queue is bounded, and nothing that was received is left out of it."""
    device = Device("coil", range(6000))
    recorder = List(pause=1e-4)
    intake = Intake([device], recorder=recorder)
    items = list(intake.packets())
    assert len(recorder.packets) == 6001
    assert len(items) + intake.counters()["n_lost_live"] >= 6001


def test_a_full_disk_stops_the_task_aloud():
    """Not one packet more is processed as if it had been recorded."""

    class Full(List):
        def write(self, packet):
            if len(self.packets) == 10:
                raise OSError(28, "No space left on device", "task.mcap")
            super().write(packet)

    device = Device("coil", range(100))
    device.waits_at_end = True
    intake = Intake([device], recorder=Full())
    with pytest.raises(OSError, match="No space left"):
        list(intake.packets())
    assert device.is_stopped.is_set()


def test_a_source_that_fails_stops_the_others():
    """What came before is given first."""
    waiting = Device("coil 1", range(3))
    waiting.waits_at_end = True
    failing = Device("coil 2", range(3), error=OSError("unplugged"))
    items = []
    with pytest.raises(OSError, match="unplugged"):
        items.extend(Intake([waiting, failing]).packets())
    assert waiting.is_stopped.is_set()


def test_stopping_gives_what_was_delivered():
    device = Device("coil", range(50))
    device.waits_at_end = True
    recorder = List()
    intake = Intake([device], recorder=recorder)
    items = []
    for item in intake.packets():
        items.append(item)
        if len(items) == 51:
            intake.stop()
    assert items == recorder.packets
    with pytest.raises(ValueError, match="Invalid sources: none"):
        Intake([])


def test_the_recorder_of_the_package_takes_it_all(tmp_path):
    """What is read back is what was processed, bit for bit."""
    path = tmp_path / "task.mcap"
    with Recorder(path) as recorder:
        items = list(Intake([Device("coil", range(500))], recorder=recorder).packets())
    assert list(read_packets(path)) == items


# Numbers of streams


@given(order=st.lists(st.integers(0, 2), min_size=1, max_size=40))
def test_links_do_not_mix(order):
    """Whatever the order of three links, every scan arrives under its name."""
    numbering = Numbering()
    links = []
    for k in range(3):
        encoder = Encoder()
        for other in range(k):  # so that numbers differ from link to link
            encoder.encode(declaration(f"{k} {other}"))
        payload = encoder.encode(declaration(f"coil {k}"))
        links.append((numbering.link(), encoder, payload))
    decoder = Decoder()
    for link, _, payload in links:
        decoder.decode(link.renumber(payload))
    for count, k in enumerate(order):
        link, encoder, _ = links[k]
        message = decoder.decode(link.renumber(encoder.encode(scan(f"coil {k}", count))))
        assert (message.stream, message.sequence) == (f"coil {k}", count)


def test_a_name_has_one_kind():
    link = Numbering().link()
    link.renumber(Encoder().encode(declaration("coil")))
    place = StreamDeclaration(
        name="coil",
        kind="position",
        clock="utc",
        frame=Frame(),
        height_datum="local",
        lever_arm=(0.0, 0.0, 0.0),
    )
    with pytest.raises(ValueError, match="Must be 'sensor', as it was declared before"):
        link.renumber(Encoder().encode(place))


def test_there_are_no_more_streams_than_numbers():
    link = Numbering().link()
    payload = Encoder().encode(declaration("x"))
    for k in range(1024):
        link.renumber(payload.replace(b'"name":"x"', b'"name":"%d"' % k))
    with pytest.raises(ValueError, match="at most 1024"):
        link.renumber(payload)


def test_what_is_refused_is_kept_under_no_stream():
    payload = of_no_stream(bytes([2, 1, 0, 0]) + bytes(28))
    assert number_of(payload) == UNKNOWN_STREAM
    with pytest.raises(ValueError, match="Must be declared"):
        Decoder().decode(payload)
    assert number_of(b"") == 65535


# Replay


def test_a_file_of_frames_has_the_times_of_its_stamps(tmp_path):
    """Streams of different clocks run side by side; nothing goes back."""
    encoder = Encoder()
    messages = [declaration("a"), declaration("b")]
    for k in range(5):
        messages += [scan("a", k), scan("b", 1000 + k)]  # stamps 10 s apart, by two clocks
    path = tmp_path / "link.frames"
    write_frames(path, [encoder.encode(message) for message in messages])
    arrivals = [packet.arrival for packet in read_stream(path)]
    assert arrivals[2:] == pytest.approx(np.repeat(0.01 * np.arange(5), 2), abs=1e-9)


@given(stamps=st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=20))
def test_times_of_stamps_never_go_back(stamps):
    times = StampTimes()
    found = []
    for stamp in stamps:
        note = NoteMessage(stream="", sequence=0, stamp=stamp, topic="x")
        found.append(times.take(Encoder().encode(note)))
    assert found == sorted(found)
    assert all(map(math.isfinite, found))
    assert StampTimes().take(b"short") == 0.0


def test_a_replay_keeps_its_pace(tmp_path):
    """Forty times as fast as it came, as fast as can be, and stopped in between."""
    path = tmp_path / "task.mcap"
    payload = Encoder().encode(declaration("coil"))
    with Recorder(path) as recorder:
        for k in range(5):
            recorder.write(Packet(1000.0 + 4.0 * k, payload))
    began = time.monotonic()
    packets = list(packets_from(ReplaySource(path, speed=40.0)))
    assert 0.4 <= time.monotonic() - began < 5
    assert packets == list(packets_from(ReplaySource(path))) == list(read_packets(path))
    slow = ReplaySource(path, speed=1e-3)
    threading.Timer(0.2, slow.stop).start()
    slow.run(lambda packet: None)
    assert slow.counters() == {"n_packets": 1}
    with pytest.raises(ValueError, match="Invalid speed"):
        ReplaySource(path, speed=0.0)


def test_pace_does_not_wait_for_what_has_passed():
    pace = Pace(1.0, threading.Event())
    began = time.monotonic()
    assert pace.wait_for(100.0)
    assert pace.wait_for(50.0)
    assert pace.wait_for(math.nan)
    assert time.monotonic() - began < 0.5


def test_a_file_of_a_link_is_read_as_the_link(tmp_path):
    """With noise and a torn end, which a replay refuses."""
    path = tmp_path / "capture.frames"
    path.write_bytes(b"noise" + frames_of("coil", range(3)) + frames_of("coil", [3])[:-1])
    source = FramedSource(FileInput(path))
    messages = decode(packets_from(source))
    assert [m.sequence for m in messages if isinstance(m, SensorMessage)] == [0, 1, 2]
    assert source.counters()["n_torn"] == 1
    with pytest.raises(ValueError, match="part of no whole frame"):
        list(read_stream(path))


# Sweeps


def sweep(name, n, interval, *, lane="lane 1", quality=0):
    """Return a sweep of a metal detector that walks north."""
    sensor = Sensor(name=name, kind="emi", axis=[1e-5, 2e-5], lever_arms=np.zeros((1, 3)))
    time = interval * np.arange(n)
    position = np.column_stack([np.zeros(n), time, np.zeros(n)])
    samples = np.arange(2 * n, dtype=np.float32).reshape(n, 1, 2)
    flags = np.full(n, int(quality), np.int64)
    if quality & Quality.POSE_NONE:
        position = np.full((n, 3), np.nan)
    heading = np.where(np.isnan(position[:, 0]), np.nan, 0.0)
    return Sweep(
        samples=samples,
        time=time,
        position=position,
        heading=heading,
        sensor=sensor,
        quality=flags,
        lane=lane,
    )


def test_sweeps_become_the_messages_of_their_sensors():
    """In order of time, declared once, each lane between its notes."""
    messages = SweepMessages(note="SYNTHETIC")
    lanes = [
        [sweep("slow", 3, 0.2), sweep("quick", 5, 0.1)],
        [sweep("slow", 3, 0.2, lane="lane 2"), sweep("quick", 5, 0.1, lane="lane 2")],
    ]
    found = [item for lane in lanes for item in messages.lane(lane)]
    moments = [moment for moment, _ in found]
    assert moments == sorted(moments)
    declared = [m for _, m in found if isinstance(m, StreamDeclaration)]
    assert {m.name: m.rate for m in declared} == pytest.approx(
        {"position": 10.0, "slow": 5.0, "quick": 10.0}
    )
    assert {m.note for m in declared} == {"SYNTHETIC"}
    notes = [(m.topic, m.content["name"]) for _, m in found if isinstance(m, NoteMessage)]
    assert notes == [
        *[("lane", "lane 1"), ("end lane", "lane 1")],
        *[("lane", "lane 2"), ("end lane", "lane 2")],
    ]
    for name, n, interval in (("slow", 3, 0.2), ("quick", 5, 0.1)):
        scans = [m for _, m in found if isinstance(m, SensorMessage) and m.stream == name]
        assert [m.sequence for m in scans] == list(range(2 * n))
        stamps = interval * np.arange(n)
        second = 0.4 + PAUSE + stamps
        assert [m.stamp for m in scans] == pytest.approx([*stamps, *second])
    fixes = [m for _, m in found if isinstance(m, PositionMessage)]
    assert len(fixes) == 10
    assert fixes[7].coordinates[1] == pytest.approx(0.2)


def test_flags_of_sweeps_are_what_a_device_would_say():
    lost = sweep("coil", 2, 0.1, quality=Quality.POSE_NONE | Quality.SATURATED)
    found = [message for _, message in SweepMessages().lane([lost])]
    scans = [m for m in found if isinstance(m, SensorMessage)]
    assert {m.flags for m in scans} == {DeviceFlag.SATURATED}
    fixes = [m for m in found if isinstance(m, PositionMessage)]
    assert {m.fix for m in fixes} == {FixClass.NONE}
    assert all(math.isnan(value) for m in fixes for value in (*m.coordinates, m.heading))
    with pytest.raises(ValueError, match="Must have a name each"):
        list(SweepMessages().lane([lost, lost]))
    assert list(SweepMessages().lane([lost[:0]])) == []


def test_a_recording_of_a_sweep_holds_what_its_source_sends():
    """Scans, positions and declarations, whatever the flags: one sensor is described once."""
    for flags, fix, said in (
        (0, FixClass.TRACKED, DeviceFlag(0)),
        (Quality.POSE_COARSE | Quality.STUCK, FixClass.SINGLE, DeviceFlag.INVALID),
        (Quality.NOT_FINITE | Quality.BASELINE_STEP, FixClass.TRACKED, None),
        (Quality.POSE_NONE | Quality.POSE_COARSE, FixClass.NONE, DeviceFlag(0)),
    ):
        lane = sweep("coil", 4, 0.1, quality=flags)
        sent = [message for _, message in SweepMessages(clock="utc").lane([lane])]
        kept = [message for _, message in messages_of([lane], "utc")]
        for kind in (StreamDeclaration, SensorMessage, PositionMessage):
            one, other = ([m for m in found if isinstance(m, kind)] for found in (sent, kept))
            assert [repr(m) for m in one] == [repr(m) for m in other]
            assert one
            if kind is PositionMessage:
                assert {m.fix for m in one} == {fix}
            if kind is SensorMessage:
                wanted = DeviceFlag.INVALID | DeviceFlag.REZEROED if said is None else said
                assert {m.flags for m in one} == {wanted}


def test_a_source_of_sweeps_goes_at_the_pace_of_its_sensors():
    source = SweepSource(name="x", lanes=lambda: [[sweep("coil", 5, 0.1)]], speed=2.0)
    began = time.monotonic()
    packets = list(packets_from(source))
    assert 0.2 <= time.monotonic() - began < 5
    assert source.counters() == {"n_packets": len(packets), "n_lanes": 1}
    stopped = SweepSource(name="x", lanes=lambda: [[sweep("coil", 500, 0.1)]], speed=1.0)
    stopped.stop()
    assert list(packets_from(stopped)) == []


# Words of the command line


@pytest.mark.parametrize(
    ("spec", "rule"),
    [
        ("radio:1", "Must begin with one of listen:, tcp:"),
        ("tcp:", "Must name what is behind"),
        ("listen:70000", "Must be from 0 to 65535"),
        ("listen:x", "Invalid port 'x'"),
        ("tcp:host:-1", "Invalid port '-1'"),
        ("listen:0?size=3", "Invalid option 'size'.*one of: max_frame"),
        ("listen:0?max_frame=-3", "Invalid max_frame '-3'.*whole number"),
        ("replay:a.mcap?speed=0", "greater than zero, or 'max'"),
        ("replay:a.mcap?speed", "Must have options like"),
        ("nmea+file:log", "Invalid lever_arm None"),
        ("nmea+file:log?lever_arm=1,2", "right, forward and upward"),
        ("nmea+file:log?lever_arm=0,0,1&date=1.3.2026", "Invalid date"),
        ("nmea+file:log?lever_arm=0,0,1&clock=gps", "Invalid leap_seconds None"),
        ("ubx+file:log?lever_arm=0,0,1&datum=ground", "'geoid' or 'ellipsoid'"),
        ("simulator:nowhere", "nowhere"),
        ("file:x?colour=1", "Invalid option 'colour'"),
    ],
)
def test_words_that_describe_no_source_are_named(spec, rule):
    with pytest.raises(ValueError, match=rule):
        make_source(spec)


def test_a_receiver_is_described_by_its_options(tmp_path):
    """All that a declaration needs can be said."""
    (tmp_path / "log").write_bytes(b"")
    spec = (
        f"nmea+file:{tmp_path}/log?name=rover&lever_arm=0.1,-0.2,1.5&datum=geoid&clock=gps"
        "&leap_seconds=18&date=2026-03-01&lag=0.05&lag_error=0.01&lateness=0.2&rate=5"
    )
    (packet,) = packets_from(make_source(spec))
    document = json.loads(packet.payload[16:])
    assert document["lever_arm"] == [0.1, -0.2, 1.5]
    assert (document["name"], document["clock"], document["lag_error"]) == (
        "rover",
        "gps",
        0.01,
    )
    assert (document["height_datum"], document["rate"]) == ("geoid", 5.0)


@pytest.mark.filterwarnings("ignore::minesense.io.FormatWarning")
def test_a_recording_of_a_radar_is_a_source(tmp_path):
    """Every trace is a scan, in counts, at places along the line. Made here, 40 scans."""
    header = bytearray(1024)
    struct.pack_into("<4H", header, 0, 0x00FF, 1024, 4, 16)
    struct.pack_into("<f8xf", header, 14, 50.0, 8.0)
    header[52] = 1
    scans = np.tile(np.array([0, 0, 30000, 40000], "<u2"), (40, 1))
    scans[:, 0] = np.arange(40)
    path = tmp_path / "line.DZT"
    path.write_bytes(header + scans.tobytes())
    messages = decode(packets_from(make_source(f"file:{path}")))
    found = [m for m in messages if isinstance(m, SensorMessage)]
    assert [m.sequence for m in found] == list(range(40))
    assert {tuple(m.samples[0].tolist()) for m in found} == {
        (-2768.0, -2768.0, -2768.0, 7232.0)
    }
    places = [m.coordinates[1] for m in messages if isinstance(m, PositionMessage)]
    assert places == pytest.approx(0.02 * np.arange(40))
