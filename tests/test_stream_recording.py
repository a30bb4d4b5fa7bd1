"""Recordings of streams: another program's reader, kills, torn tails, bytes that changed."""

from __future__ import annotations

import errno
import io
import json
import math
import struct
import threading
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcap.reader import SeekingReader
from mcap.stream_reader import StreamReader
from mcap.writer import CompressionType, Writer

from benchmarks.kill_recorder import losses
from minesense.cli import main
from minesense.io import FormatError
from minesense.io.mcap_reading import Piece, pieces_of, read_packets
from minesense.io.mcap_recovery import recover
from minesense.io.mcap_summary import describe_streams
from minesense.io.mcap_writer import REPEATED, McapWriter
from minesense.message import NoteMessage, Packet, SensorMessage, StreamDeclaration
from minesense.payload import Decoder, Encoder
from minesense.sensor import Sensor
from minesense.stream import recorder as recorder_module
from minesense.stream.recorder import Recorder

RADAR = Sensor(name="demo", kind="gpr", axis=1e-10 * np.arange(8), lever_arms=np.zeros((2, 3)))


def packets_of(n_scans, *, start=1.7e9, step=0.01):
    """Return a declaration, scans and a note, as they could arrive."""
    encoder = Encoder()
    declared = StreamDeclaration(name="radar", kind="sensor", clock="sensor", sensor=RADAR)
    messages = [declared]
    for k in range(n_scans):
        samples = np.random.default_rng(k).normal(size=(2, 8)).astype(np.float32)
        messages.append(
            SensorMessage(stream="radar", sequence=k, stamp=k * step, samples=samples)
        )
    messages.append(NoteMessage(stream="", sequence=0, stamp=math.nan, topic="mark"))
    return [
        Packet(start + round(k * step, 9), encoder.encode(m)) for k, m in enumerate(messages)
    ]


def written(packets, *, finish=True, **options):
    """Return the bytes of a file with these packets."""
    file = io.BytesIO()
    writer = McapWriter(file, **options)
    for packet in packets:
        writer.write(packet)
    if finish:
        writer.finish()
    else:
        writer.close_chunk()
    return file.getvalue()


def same(found, expected):
    """Whether packets are these, arrival to the nanosecond of a double."""
    return [p.payload for p in found] == [p.payload for p in expected] and all(
        abs(a.arrival - b.arrival) < 1e-6 for a, b in zip(found, expected, strict=True)
    )


def test_packets_come_back_in_order(tmp_path):
    packets = packets_of(500)
    path = tmp_path / "a.mcap"
    path.write_bytes(written(packets, chunk_size=2048))
    assert same(list(read_packets(path)), packets)
    recovery = recover(path)
    assert recovery.is_whole
    assert recovery.n_packets == len(packets)
    assert not recovery.damages
    assert not recovery.lost


@given(
    st.lists(st.tuples(st.floats(0, 4e9), st.binary(max_size=300)), min_size=1, max_size=20),
    st.integers(1, 500),
)
def test_any_bytes_are_recorded_unchanged(items, chunk_size):
    packets = [Packet(arrival, payload) for arrival, payload in items]
    data = written(packets, chunk_size=chunk_size)
    pieces = list(pieces_of(memoryview(data)))
    assert pieces[-1].is_end
    assert all(piece.damage is None for piece in pieces)
    assert same([p for piece in pieces for p in piece.packets], packets)


@pytest.mark.parametrize("arrival", [math.nan, -1.0, math.inf, 1e300])
def test_an_arrival_that_cannot_be_is_recorded_as_zero(arrival):
    data = written([Packet(arrival, b"x")])
    (packet,) = next(iter(pieces_of(memoryview(data)))).packets
    assert packet == Packet(0.0, b"x")


def test_the_reader_of_the_format_finds_the_same():
    packets = packets_of(200)
    data = written(packets, chunk_size=4096)
    reader = SeekingReader(io.BytesIO(data), validate_crcs=True)
    summary = reader.get_summary()
    assert summary.statistics.message_count == len(packets)
    assert sorted(channel.topic for channel in summary.channels.values()) == ["notes", "radar"]
    assert next(iter(summary.schemas.values())).name == "minesense.payload"
    found = list(reader.iter_messages(log_time_order=False))
    assert [message.data for _, _, message in found] == [p.payload for p in packets]
    assert found[1][2].publish_time == 0  # the stamp of the first scan
    times = [message.log_time for _, _, message in found]
    assert times == [round(p.arrival * 1e9) for p in packets]
    subset = reader.iter_messages(topics=["notes"])
    assert [message.data for _, _, message in subset] == [packets[-1].payload]
    # and record by record, with checksums
    assert list(StreamReader(io.BytesIO(data), validate_crcs=True).records)


@pytest.mark.parametrize("compression", list(CompressionType))
@pytest.mark.parametrize("is_chunked", [True, False])
def test_files_of_another_writer_are_read(tmp_path, compression, is_chunked):
    path = tmp_path / "other.mcap"
    with path.open("wb") as file:
        writer = Writer(file, chunk_size=1000, compression=compression, use_chunking=is_chunked)
        writer.start()
        schema = writer.register_schema("text", "text", b"")
        channel = writer.register_channel("words", "utf-8", schema)
        for k in range(100):
            writer.add_message(channel, k * 10**9, f"message {k}".encode() * 9, k)
        writer.finish()
    expected = [Packet(float(k), f"message {k}".encode() * 9) for k in range(100)]
    assert list(read_packets(path)) == expected


def test_declarations_are_said_again_and_are_no_packets(tmp_path):
    packets = packets_of(3000)
    path = tmp_path / "a.mcap"
    path.write_bytes(written(packets, chunk_size=1000, repeat_after=20_000))
    assert same(list(read_packets(path)), packets)
    reader = SeekingReader(io.BytesIO(path.read_bytes()))
    again = [m for _, channel, m in reader.iter_messages() if channel.topic == REPEATED]
    assert len(again) > 5
    assert {m.data for m in again} == {packets[0].payload}


def test_a_lost_beginning_does_not_take_the_meaning_of_the_rest(tmp_path):
    packets = packets_of(3000)
    data = bytearray(written(packets, chunk_size=1000, repeat_after=20_000))
    data[100:3000] = bytes(2900)
    path, copy = tmp_path / "a.mcap", tmp_path / "b.mcap"
    path.write_bytes(data)
    recovery = recover(path, copy)
    assert recovery.n_restored == 1
    decoder = Decoder()
    scans = []
    for packet in read_packets(copy):
        try:
            message = decoder.decode(packet.payload)
        except ValueError:
            continue  # scans before the first repetition
        if isinstance(message, SensorMessage):
            scans.append(message.sequence)
    assert len(scans) > 2500
    assert scans == list(range(scans[0], 3000))


def test_every_cut_keeps_what_lies_before_it():
    packets = packets_of(40)
    data = written(packets, chunk_size=700)
    ends = []  # where each message is complete in the file
    at = 0
    for packet in packets:
        at = data.index(packet.payload, at) + len(packet.payload)
        ends.append(at)
    for cut in range(len(data)):
        pieces = list(pieces_of(memoryview(data[:cut])))
        found = [p.payload for piece in pieces for p in piece.packets]
        n_before = sum(end <= cut for end in ends)
        assert found == [p.payload for p in packets[:n_before]]
        assert any(piece.damage is not None for piece in pieces), cut


def test_a_damaged_summary_is_told_and_costs_no_packet(tmp_path):
    """Packets are read on without it, but the file is not as it was written."""
    packets = packets_of(40)
    data = written(packets, chunk_size=700)
    path = tmp_path / "a.mcap"
    start = (
        next(p for p in range(len(data)) if data[p : p + 13] == b"\x0f\x04" + bytes(11)) + 13
    )
    for k in range(start, len(data)):
        changed = bytearray(data)
        changed[k] ^= 0x10
        path.write_bytes(changed)
        recovery = recover(path)
        assert (recovery.n_packets, recovery.is_whole) == (len(packets), False), k
        assert "no packets are lost" in recovery.damages[0].reason
    assert len(list(read_packets(path))) == len(packets)


def test_what_lies_behind_the_end_is_not_passed_over(tmp_path):
    """Two recordings in one file: all packets, and that something is wrong."""
    packets = packets_of(40)
    data = written(packets)
    path = tmp_path / "a.mcap"
    path.write_bytes(data + data)
    recovery = recover(path, tmp_path / "b.mcap")
    assert (recovery.n_packets, recovery.is_whole) == (2 * len(packets), False)
    assert "more behind it" in recovery.damages[0].reason
    with pytest.raises(FormatError, match="more behind it"):
        list(read_packets(path))
    path.write_bytes(data + b"junk")
    assert not recover(path).is_whole
    assert recover(tmp_path / "b.mcap").is_whole


def test_every_changed_byte_costs_its_chunk_at_most():
    packets = packets_of(40)
    data = written(packets, chunk_size=700)
    chunks = [p.packets for p in pieces_of(memoryview(data)) if p.packets]
    whole = [p.payload for p in packets]
    for k in range(8, len(data)):
        changed = bytearray(data)
        changed[k] ^= 0x40
        pieces = list(pieces_of(memoryview(bytes(changed))))
        found = [p.payload for piece in pieces for p in piece.packets]
        if found == whole:
            continue  # the header, the index: not what was recorded
        assert any(piece.damage is not None for piece in pieces), k
        lost = [p for p in whole if p not in found]
        assert all(p in whole for p in found), k
        assert any({q.payload for q in chunk} >= set(lost) for chunk in chunks), k


def test_reading_stops_at_the_first_fault(tmp_path):
    packets = packets_of(200)
    data = bytearray(written(packets, chunk_size=2000))
    data[len(data) // 2] ^= 1
    path = tmp_path / "a.mcap"
    path.write_bytes(data)
    found = []
    with pytest.raises(FormatError, match=r"checksum is wrong.*minesense recover"):
        found += read_packets_into(path, found)
    assert 0 < len(found) < len(packets)
    path.write_bytes(written(packets, finish=False))
    with pytest.raises(FormatError, match="not finished"):
        list(read_packets(path))


def read_packets_into(path, found):
    """Read into a list that outlives the error."""
    for packet in read_packets(path):
        found.append(packet)
    return []


def test_recovery_says_what_is_missing(tmp_path, capsys):
    packets = packets_of(400)
    data = bytearray(written(packets, chunk_size=3000))
    middle = data.index(packets[200].payload)
    data[middle] ^= 0xFF
    path = tmp_path / "task.mcap"
    path.write_bytes(data[:-500])
    before = path.read_bytes()
    assert main(["recover", str(path)]) == 0
    shown = capsys.readouterr().out
    assert path.read_bytes() == before
    copy = tmp_path / "task-recovered.mcap"
    kept = list(read_packets(copy))
    gone = len(packets) - len(kept)
    assert 0 < gone < 60
    assert f"missing: {gone} messages of 'radar'" in shown
    assert "checksum is wrong" in shown
    assert "whole: false" in shown
    assert packets[200].payload not in [p.payload for p in kept]
    json.dumps(recover(path).describe())
    assert main(["recover", str(path)]) == 2
    assert "it exists" in capsys.readouterr().err


@pytest.mark.parametrize("gone", [1, 2, 7])
def test_messages_that_never_came_are_counted_to_the_last(tmp_path, gone):
    packets = packets_of(40)
    path = tmp_path / "a.mcap"
    path.write_bytes(written([*packets[:11], *packets[11 + gone :]]))
    (lost,) = recover(path).lost
    assert (lost.stream, lost.n_messages) == ("radar", gone)
    assert (lost.last_stamp, lost.next_stamp) == (9 * 0.01, (10 + gone) * 0.01)


@pytest.mark.parametrize("start", [0, 2**32 - 60])
@pytest.mark.parametrize("gone", [(), (30,), (30, 31, 33), (64,)])
def test_messages_out_of_order_are_not_missing(tmp_path, start, gone):
    """Nor are payloads that are none, whatever number they hold."""
    packets = packets_of(100)
    scans = []
    for k, packet in enumerate(packets[1:-1]):
        payload = bytearray(packet.payload)
        struct.pack_into("<I", payload, 4, (start + k) % 2**32)
        scans.append(Packet(packet.arrival, bytes(payload)))
    order = np.argsort(np.arange(100) + np.random.default_rng(1).uniform(0, 20, 100))
    moved = [scans[k] for k in order if k not in gone]
    moved.insert(50, Packet(1.7e9, bytes([9, 1]) + bytes(14)))
    moved.insert(60, moved[40])  # twice
    path = tmp_path / "a.mcap"
    path.write_bytes(written([packets[0], *moved]))
    lost = recover(path).lost
    assert sum(item.n_messages for item in lost) == len(gone)
    del moved[60], moved[50]  # a summary keeps no numbers: what comes twice would count
    path.write_bytes(written([packets[0], *moved]))
    (stream,) = describe_streams(path)["streams"]
    assert stream["missing_by_sequence"] == len(gone)
    for item in lost:
        assert item.last_stamp < gone[0] * 0.01 + 0.05
        assert item.last_stamp < item.next_stamp


def test_a_device_that_begins_anew_is_followed(tmp_path):
    packets = packets_of(1500)
    again = packets_of(40)[1:]
    path = tmp_path / "a.mcap"
    path.write_bytes(written([*packets, *again[:10], *again[13:]]))
    (lost,) = recover(path).lost
    assert lost.n_messages == 3


@pytest.mark.parametrize("data", [b"", b"x", b"\x89MCAP0\r\n", bytes(5000), b"abc" * 3000])
def test_files_without_anything_are_refused(tmp_path, capsys, data):
    path = tmp_path / "none.mcap"
    path.write_bytes(data)
    with pytest.raises(FormatError):
        recover(path)
    with pytest.raises(FormatError):
        list(read_packets(path))
    assert main(["recover", str(path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert [p.name for p in tmp_path.iterdir()] == ["none.mcap"]


@given(st.binary(max_size=400))
def test_random_bytes_end(data):
    for start in (b"", b"\x89MCAP0\r\n", b"\x89MCAP0\r\n\x06"):
        for piece in pieces_of(memoryview(start + data)):
            assert isinstance(piece, Piece)


def test_lengths_are_not_believed():
    head = b"\x89MCAP0\r\n"
    for length in (2**63, 2**40, 2**32 + 5, 100):
        fields = struct.pack("<QQQI", 0, 0, length, 1) + struct.pack("<I", 4) + b"zstd"
        chunk = fields + struct.pack("<Q", 20) + bytes(20)
        data = head + struct.pack("<BQ", 6, len(chunk)) + chunk
        pieces = list(pieces_of(memoryview(data)))
        assert pieces[0].damage is not None


def test_a_recorder_gives_the_system_what_it_has_in_time(tmp_path):
    path = tmp_path / "a.mcap"
    with Recorder(path, flush_interval=0.02) as recorder:
        recorder.write(Packet(1.0, b"alone"))
        deadline = time.monotonic() + 5.0
        while b"alone" not in path.read_bytes():
            assert time.monotonic() < deadline
            time.sleep(0.005)
        assert (recorder.n_packets, recorder.n_bytes) == (1, 5)
    assert list(read_packets(path)) == [Packet(1.0, b"alone")]
    with pytest.raises(ValueError, match="it was closed"):
        recorder.write(Packet(2.0, b"late"))
    with pytest.raises(FileExistsError):
        Recorder(path)
    with pytest.raises(ValueError, match="flush_interval '0'"):
        Recorder(tmp_path / "b.mcap", flush_interval=0)


def test_the_disk_is_asked_regularly(tmp_path, monkeypatch):
    calls = []
    real = recorder_module.os.fsync
    monkeypatch.setattr(recorder_module.os, "fsync", lambda fd: (calls.append(fd), real(fd)))
    with Recorder(tmp_path / "a.mcap", sync_interval=0.02):
        deadline = time.monotonic() + 5.0
        while len(calls) < 3:
            assert time.monotonic() < deadline
            time.sleep(0.005)
    assert len(calls) > 3  # and once at the end


def test_threads_share_a_recorder(tmp_path):
    path = tmp_path / "a.mcap"
    with Recorder(path, chunk_size=500) as recorder:

        def record(name):
            for k in range(300):
                recorder.write(Packet(float(k), b"%s %d" % (name, k)))

        threads = [threading.Thread(target=record, args=(name,)) for name in (b"a", b"b")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    found = [p.payload for p in read_packets(path)]
    assert len(found) == 600
    for name in (b"a", b"b"):
        own = [p for p in found if p.startswith(name)]
        assert own == [b"%s %d" % (name, k) for k in range(300)]


def test_a_full_disk_stops_the_task_aloud(tmp_path):
    path = tmp_path / "a.mcap"
    recorder = Recorder(path, chunk_size=100)

    class Full:
        def write(self, data):
            raise OSError(errno.ENOSPC, "No space left on device")

    recorder.write(Packet(0.0, b"x" * 100))
    recorder._writer._output = Full()
    with pytest.raises(OSError, match="No space"):
        recorder.write(Packet(1.0, b"x" * 100))
    with pytest.raises(OSError, match="recording stopped"):
        recorder.write(Packet(2.0, b"x"))
    with pytest.raises(OSError, match="recording stopped"):
        recorder.check()
    with pytest.raises(OSError, match="recording stopped"):
        recorder.close()
    assert recover(path).n_packets == 1


def test_an_output_that_takes_little_at_a_time():
    class Slow(io.BytesIO):
        def write(self, data):
            return super().write(bytes(data[:7]))

    packets = packets_of(5)
    file = Slow()
    writer = McapWriter(file)
    for packet in packets:
        writer.write(packet)
    writer.finish()
    assert file.getvalue() == written(packets)


@pytest.mark.slow
def test_kills_cost_fifty_milliseconds_at_most():
    found = losses(n_kills=25, seed=3, longest=0.4)
    assert found.max() <= 50
