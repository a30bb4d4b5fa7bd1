"""Sweeps as recordings of streams: written, read back, described, damaged."""

from __future__ import annotations

import dataclasses
import json
import math
import struct
import subprocess
import sys
import time
import zlib

import numpy as np
import numpy.testing as npt
import pytest
from mcap.reader import SeekingReader
from radar_files import scans, write_dzt

from minesense import cli
from minesense.io import FormatError, FormatWarning, read, write
from minesense.io.mcap_reading import pieces_of, read_packets
from minesense.io.mcap_summary import describe_streams
from minesense.io.mcap_sweep_writer import write_mcap
from minesense.io.mcap_sweeps import read_mcap
from minesense.io.mcap_writer import McapWriter
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
from minesense.sweep import Frame, Quality, Sweep

COIL = Sensor(name="coil", kind="emi", axis=[1e-5, 2e-5], lever_arms=np.zeros((3, 3)))
TONES = Sensor(
    name="tones",
    kind="emi",
    axis=[1e3, 2e3],
    axis_unit="Hz",
    lever_arms=np.zeros((1, 3)),
    is_complex=True,
)


def lane(name="A", *, sensor=COIL, start=100.0, n_traces=40, seed=0, **changes):
    """Return a sweep with every kind of trouble."""
    rng = np.random.default_rng(seed)
    samples = rng.normal(size=(n_traces, *sensor.shape))
    quality = np.zeros(n_traces, np.int64)
    quality[3:6] = int(Quality.TILT_LIMIT | Quality.GAP)
    quality[7] = int(Quality.STUCK)
    quality[9] = int(Quality.POSE_NONE)
    samples[11, 0, 0], quality[11] = np.nan, int(Quality.NOT_FINITE)
    position = rng.normal(size=(n_traces, 3))
    position[9] = np.nan
    fields = {
        "samples": samples,
        "time": start + np.cumsum(rng.uniform(0.01, 4.0, n_traces)),
        "position": position,
        "heading": rng.uniform(-7, 7, n_traces),
        "quality": quality,
        "sensor": sensor,
        "lane": name,
        "frame": Frame(crs="EPSG:32638", origin="peg 1"),
        "history": ("SYNTHETIC: made here", "one more line"),
    }
    return Sweep(**{**fields, **changes})


def assert_same(found, wanted, *, time=0.0):
    """Compare all that a recording must keep."""
    npt.assert_array_equal(found.samples, wanted.samples)
    npt.assert_array_equal(found.quality, wanted.quality)
    npt.assert_array_equal(found.position, wanted.position)
    npt.assert_allclose(found.time, wanted.time, rtol=0, atol=time)
    lost = (wanted.quality & int(Quality.POSE_NONE)) != 0
    npt.assert_allclose(found.heading[~lost], wanted.heading[~lost], rtol=1e-7)
    assert (found.lane, found.frame) == (wanted.lane, wanted.frame)
    assert found.history[-len(wanted.history) :] == wanted.history


def test_sweeps_come_back_as_they_were(tmp_path):
    """Samples, times, places, flags, frames and histories, of real and complex sensors."""
    first = lane()
    second = lane("B", sensor=TONES, start=first.time[-1] + 1, seed=1, frame=Frame())
    path = write_mcap([first, second], tmp_path / "a.mcap")
    result = read(path)
    assert (result.format, result.warnings, len(result.sweeps)) == ("mcap", (), 2)
    assert_same(result.sweeps[0], first)
    assert_same(result.sweeps[1], second)
    assert result.sweeps[1].sensor.is_complex


def test_lanes_that_overlap_in_time_are_put_one_behind_the_other(tmp_path):
    """In the file stamps run on; the reader takes the shift off."""
    lanes = [lane("A"), lane("B", seed=1), lane("C", seed=2, start=-50.0)]
    path = write_mcap(lanes, tmp_path / "a.mcap")
    for found, wanted in zip(read(path).sweeps, lanes, strict=True):
        assert_same(found, wanted, time=1e-12)
    decoder = Decoder()
    stamps = [
        message.stamp
        for packet in read_packets(path)
        if isinstance(message := decoder.decode(packet.payload), SensorMessage)
    ]
    assert (np.diff(stamps) > 0).all()


def test_the_file_depends_on_the_sweeps_alone_and_any_program_reads_it(tmp_path):
    """The same bytes again; the format's own library counts the same messages."""
    one, two = (write_mcap(lane(), tmp_path / name) for name in ("a.mcap", "b.mcap"))
    assert one.read_bytes() == two.read_bytes()
    with one.open("rb") as file:
        topics = [c.topic for _, c, _ in SeekingReader(file).iter_messages()]
    assert topics.count("coil") == 40 + 1
    assert topics.count("position") == 40 + 1
    assert topics.count("notes") == 4


def test_what_was_read_as_a_whole_is_copied_byte_for_byte(tmp_path):
    """Also what the sweeps cannot hold; a part is written anew."""
    source = write_recording(tmp_path / "a.mcap")
    with pytest.warns(FormatWarning, match="sequence numbers jump"):
        part = read(source, traces=slice(2, 5))
    assert [len(sweep) for sweep in part.sweeps] == [3]
    npt.assert_array_equal(read(write(part, tmp_path / "p.mcap")[0]).to_sweep().time, [2, 3, 5])
    clean = write_recording(tmp_path / "c.mcap", lost=())
    copy = write(read(clean), tmp_path / "b.mcap")[0]
    assert copy.read_bytes() == clean.read_bytes()


def write_recording(path, *, lost=(4,), clock="host", cut=0, **position):
    """Write what a device and a receiver could have sent: 10 scans, and places at 2 Hz."""
    encoder, decoder = Encoder(), Decoder()
    fields = {
        "name": "gnss",
        "kind": "position",
        "clock": "host",
        "frame": Frame(),
        "height_datum": "local",
        "lever_arm": (0.0, 0.0, 0.0),
        **position,
    }
    messages = [
        StreamDeclaration(name="coil", kind="sensor", clock=clock, sensor=COIL),
        StreamDeclaration(**fields),
    ]
    for k in range(20):
        if k % 2 == 0 and k // 2 not in lost:
            samples = np.full((3, 2), k / 2, np.float32)
            flags = DeviceFlag.SATURATED if k == 4 else DeviceFlag.INVALID * (k == 6)
            messages.append(
                SensorMessage(
                    stream="coil", sequence=k // 2, stamp=k / 2, samples=samples, flags=flags
                )
            )
        place = (45.0 + 1e-6 * k, 7.0, 1.0) if "coordinates" in fields else (0.0, 0.5 * k, 1.0)
        fix = FixClass.NONE if k in (13, 14, 15) else FixClass.FIXED
        messages.append(
            PositionMessage(
                stream="gnss", sequence=k, stamp=0.25 + k / 2, coordinates=place, fix=fix
            )
        )
    with path.open("wb", buffering=0) as file:
        writer = McapWriter(file, chunk_size=400)
        for k, message in enumerate(messages):
            payload = encoder.encode(message)
            decoder.decode(payload)
            writer.write(Packet(1.7e9 + 0.1 * k, payload))
        writer.finish()
    if cut:
        path.write_bytes(path.read_bytes()[:-cut])
    return path


@pytest.mark.filterwarnings("ignore::minesense.io.FormatWarning")
def test_a_recording_of_devices_becomes_a_sweep(tmp_path):
    """Places between two of the receiver only, flags of the device, gaps by the numbers."""
    sweep = read(write_recording(tmp_path / "a.mcap")).to_sweep()
    npt.assert_array_equal(sweep.time, [0, 1, 2, 3, 5, 6, 7, 8, 9])
    known = [1, 2, 3, 4, 5, 8]  # before the first there is none, nor where the fix was lost
    lost = (sweep.quality & Quality.POSE_NONE) != 0
    assert np.flatnonzero(~lost).tolist() == known
    npt.assert_allclose(sweep.position[known, 1], sweep.time[known] - 0.25)
    npt.assert_allclose(sweep.heading[known], 0.0)
    assert sweep.quality[2] & Quality.SATURATED
    assert sweep.quality[3] & Quality.NOT_FINITE
    assert np.flatnonzero(sweep.quality & Quality.GAP).tolist() == [4]


def test_clocks_that_cannot_be_compared_give_no_places(tmp_path):
    """A warning, and no position made up."""
    path = write_recording(tmp_path / "a.mcap", clock="sensor", lost=())
    with pytest.warns(FormatWarning, match="clock 'sensor'.*no position"):
        sweep = read(path).to_sweep()
    assert (sweep.quality & Quality.POSE_NONE).all()
    with pytest.raises(FormatError, match="clock 'sensor'"):
        read(path, strict=True)


def test_places_are_those_of_the_platform(tmp_path):
    """The lever arm of the antenna is taken off; degrees become metres about the first."""
    path = write_recording(tmp_path / "a.mcap", lost=(), lever_arm=(0.5, 2.0, 1.0))
    sweep = read(path).to_sweep()
    npt.assert_allclose(sweep.position[1], [-0.5, 0.75 - 2.0, 0.0], atol=1e-12)
    path = write_recording(tmp_path / "b.mcap", lost=(), coordinates="geographic")
    sweep = read(path).to_sweep()
    npt.assert_allclose(sweep.position[2, :2], [0.0, 3.5e-6 * 111131.7], atol=1e-4)
    assert "latitude 45" in sweep.frame.origin
    with pytest.raises(FormatError, match="position_stream 'x'"):
        read(path, position_stream="x")


def test_damage_is_told_and_the_rest_is_read(tmp_path):
    """A cut tail, and a changed byte in the middle: in strict mode an error."""
    path = write_recording(tmp_path / "a.mcap", lost=(), cut=1500)
    with pytest.warns(FormatWarning, match="minesense recover"):
        sweep = read(path).to_sweep()
    assert 3 < len(sweep) < 10
    with pytest.raises(FormatError, match="damaged"):
        read(path, strict=True)
    data = bytearray(write_recording(tmp_path / "b.mcap", lost=()).read_bytes())
    data[len(data) // 3] ^= 1
    path.write_bytes(data)
    with pytest.warns(FormatWarning, match="damaged|sequence"):
        assert len(read(path).to_sweep()) < 10
    with pytest.warns(FormatWarning, match="damaged"):
        assert describe_streams(path)["warnings"]


def test_hostile_notes_change_nothing(tmp_path):
    """Flags of more traces than there are, of no flags at all, and shifts beyond all bounds."""
    wanted = lane()
    path = write_mcap(wanted, tmp_path / "a.mcap")
    decoder, encoder = Decoder(), Encoder()
    messages = [decoder.decode(packet.payload) for packet in read_packets(path)]

    def changed(topic, content):
        target = tmp_path / "b.mcap"
        with target.open("wb", buffering=0) as file:
            writer = McapWriter(file)
            for message in messages:
                is_meant = isinstance(message, NoteMessage) and message.topic == topic
                other = dataclasses.replace(message, content=content) if is_meant else message
                writer.write(Packet(0.0, encoder.encode(other)))
            writer.finish()
        return read(target)

    with pytest.warns(FormatWarning, match="those of the device are used"):
        assert changed("quality", {"stream": "coil", "runs": [[2**40, 1]]}).sweeps
    for runs in ("x", [[1]], [[1, -1]], [[40, 2**40]], [[1e9, 0]]):
        found = changed("quality", {"stream": "coil", "runs": runs}).to_sweep()
        assert found.quality[7] & Quality.NOT_FINITE
    for shift in ("x", 1e300, math.inf, None, [1]):
        assert changed("lane", {"name": 3, "shift": shift}).to_sweep().time[0] == wanted.time[0]
    for content in ({"stream": 1}, {"stream": "coil", "lines": 3}):
        assert changed("history", content).to_sweep().history


def test_refusals_of_reader_and_writer(tmp_path):
    """Each names what it wants; no file appears."""
    path = write_mcap(lane(), tmp_path / "a.mcap")
    with pytest.raises(FileExistsError, match="it exists"):
        write_mcap(lane(), path)
    assert write_mcap(lane(seed=3), path, overwrite=True) == path
    with pytest.raises(ValueError, match="without traces"):
        write_mcap(lane()[:0], tmp_path / "b.mcap")
    with pytest.raises(ValueError, match="Invalid clock 'tai'"):
        write_mcap(lane(), tmp_path / "b.mcap", clock="tai")
    assert [p.name for p in tmp_path.iterdir()] == ["a.mcap"]
    with pytest.raises(FormatError, match="max_bytes, 100"):
        read_mcap(path, max_bytes=100)
    with pytest.raises(FormatError, match="traces"):
        read_mcap(path, traces=slice(500, 600))
    with pytest.raises(TypeError, match="without a step"):
        read_mcap(path, traces=slice(0, 9, 2))
    for content in (b"", b"\x89MCAP0\r\n", path.read_bytes()[:30], b"x" * 100):
        (tmp_path / "c.mcap").write_bytes(content)
        with pytest.raises(FormatError):
            read_mcap(tmp_path / "c.mcap")


def test_info_and_convert_of_recordings_of_streams(tmp_path, capsys):
    """A radar file to MCAP, described, and back to arrays."""
    source = write_dzt(tmp_path / "line.DZT", scans(30))

    def run(*arguments):
        code = cli.main([str(argument) for argument in arguments])
        return code, *capsys.readouterr()

    target = tmp_path / "line.mcap"
    code, out, err = run("convert", source, target)
    assert (code, err) == (0, "")
    assert out.startswith(f"wrote {target}")
    npt.assert_array_equal(read(target).to_sweep().samples, read(source).to_sweep().samples)
    report = tmp_path / "info.json"
    code, out, err = run("info", target, "--output", report)
    assert (code, err) == (0, "")
    document = json.loads(report.read_text())
    assert document["kind"] == "recording of streams"
    assert document["lanes"] == ["line"]
    streams = {stream["kind"]: stream for stream in document["streams"]}
    assert streams["sensor"]["messages"] == streams["position"]["messages"] == 30
    assert (streams["sensor"]["channels"], streams["sensor"]["samples"]) == (1, 8)
    assert streams["sensor"]["missing_by_sequence"] == 0
    code, out, err = run("convert", target, tmp_path / "line.h5")
    assert (code, err) == (0, "")
    assert_equal_sweeps(read(tmp_path / "line.h5").to_sweep(), read(target).to_sweep())
    code, out, err = run("convert", target, tmp_path / "line.DT1")
    assert code == 2
    assert len(err.splitlines()) == 1
    assert "sweeps are written as one of ['hdf5', 'mcap'" in err
    code, out, err = run("convert", target, tmp_path / "part.mcap", "--traces", "3:7")
    assert (code, err) == (0, "")
    part = read(tmp_path / "part.mcap").to_sweep()
    npt.assert_array_equal(part.samples, read(source)[3:7].samples)
    code, out, err = run("convert", target, tmp_path / "no.mcap", "--traces", "300:700")
    assert code == 2
    assert "Must name some" in err


def assert_equal_sweeps(one, other):
    """Compare the arrays of two sweeps."""
    for name in ("samples", "time", "position", "heading", "quality"):
        npt.assert_array_equal(getattr(one, name), getattr(other, name))


def test_info_of_a_damaged_recording(tmp_path, capsys):
    """Streams, what is missing, and that it is damaged."""
    path = write_recording(tmp_path / "a.mcap", cut=1500)
    assert cli.main(["info", str(path), "--output", str(tmp_path / "i.json")]) == 0
    out = capsys.readouterr().out
    assert "minesense recover" in out
    document = json.loads((tmp_path / "i.json").read_text())
    coil = next(stream for stream in document["streams"] if stream["name"] == "coil")
    assert coil["missing_by_sequence"] == coil["jumps_of_sequence"] == 1
    assert cli.main(["info", str(path), "--option", "strict=true"]) == 2


def test_a_compressed_chunk_cannot_unpack_to_more_than_it_says(tmp_path):
    """A few kB that unpack to 400 MB are refused without unpacking them."""
    zstandard = pytest.importorskip("zstandard")
    bomb = zstandard.ZstdCompressor(level=19).compress(bytes(400 * 2**20))
    assert len(bomb) < 50_000
    text = struct.pack("<I", 4) + b"zstd"
    head = struct.pack("<QQQI", 0, 0, 1000, zlib.crc32(b"")) + text
    chunk = head + struct.pack("<Q", len(bomb)) + bomb
    path = tmp_path / "bomb.mcap"
    header = struct.pack("<I", 9) + b"minesense" + struct.pack("<I", 0)
    path.write_bytes(
        b"\x89MCAP0\r\n"
        + struct.pack("<BQ", 1, len(header))
        + header
        + struct.pack("<BQ", 6, len(chunk))
        + chunk
    )
    code = (
        "import sys\n"
        "from minesense.io.mcap_reading import read_packets\n"
        "def peak():\n"
        "    lines = open('/proc/self/status').read().splitlines()\n"
        "    return int(dict(x.split(':', 1) for x in lines)['VmHWM'].split()[0])\n"
        "before = peak()\n"
        "try:\n"
        "    list(read_packets(sys.argv[1]))\n"
        "except ValueError as error:\n"
        "    print(error)\n"
        "print((peak() - before) // 1024)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    *message, megabytes = done.stdout.splitlines()
    assert "cannot be read" in message[0]
    assert int(megabytes) < 64


def file_of(*chunks):
    """Return the start of a file, and chunks of content, compression and stored bytes."""
    header = struct.pack("<I", 9) + b"minesense" + struct.pack("<I", 0)
    data = b"\x89MCAP0\r\n" + struct.pack("<BQ", 1, len(header)) + header
    for content, compression, stored in chunks:
        head = struct.pack("<QQQI", 0, 0, len(content), zlib.crc32(content))
        body = head + struct.pack("<I", len(compression)) + compression
        body += struct.pack("<Q", len(stored)) + stored
        data += struct.pack("<BQ", 6, len(body)) + body
    return data


def damage_of(path):
    """Return what is wrong with a file, and how long it took to tell, in seconds."""
    began = time.process_time()
    damages = [p.damage.reason for p in pieces_of(memoryview(path.read_bytes())) if p.damage]
    return damages[0], time.process_time() - began


def test_hostile_chunks_take_neither_memory_nor_time(tmp_path):
    """Millions of records of nothing, packed into a few kB, and chunks within chunks."""
    zstandard = pytest.importorskip("zstandard")
    path = tmp_path / "hostile.mcap"
    nothing = bytes(40 * 2**20)
    packed = zstandard.ZstdCompressor().compress(nothing)
    path.write_bytes(file_of((nothing, b"zstd", packed)))
    reason, seconds = damage_of(path)
    assert "compressed bytes, more than" in reason
    assert seconds < 1
    for content, match in (
        (bytes(9 * 1000), "opcode 0"),
        (b"\x0f" + bytes(8), "more than 400000 records"),
    ):
        whole = content * (1 if "opcode" in match else 400_001)
        path.write_bytes(file_of((whole, b"", whole)))
        reason, seconds = damage_of(path)
        assert match in reason
        assert seconds < 3
    # as many chunks as there is room for, each of which ends with the file
    size = 2**21
    data = bytearray(file_of())
    data += b"\xff" * 16
    while len(data) < size - 100:
        left = size - len(data) - 9
        head = struct.pack("<BQQQQIIQ", 6, left, 0, 0, left - 40, 1, 0, left - 40)
        data += head
    path.write_bytes(bytes(data).ljust(size, b"\0"))
    _, seconds = damage_of(path)
    assert seconds < 5


def test_info_keeps_no_pages_of_a_long_recording(tmp_path):
    """What a pass over 150 MB holds at once is a part of it."""
    sensor = Sensor(
        name="radar", kind="gpr", axis=1e-10 * np.arange(512), lever_arms=np.zeros((64, 3))
    )
    samples = np.zeros(sensor.shape, np.float32)
    path = tmp_path / "long.mcap"
    encoder = Encoder()
    with path.open("wb", buffering=0) as file:
        writer = McapWriter(file)
        declared = StreamDeclaration(name="radar", kind="sensor", clock="host", sensor=sensor)
        writer.write(Packet(0.0, encoder.encode(declared)))
        for k in range(1150):
            scan = SensorMessage(stream="radar", sequence=k, stamp=0.01 * k, samples=samples)
            writer.write(Packet(0.01 * k, encoder.encode(scan)))
        writer.finish()
    assert path.stat().st_size > 150e6
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from minesense.io.mcap_summary import describe_streams\n"
        "def peak():\n"
        "    text = Path('/proc/self/status').read_text()\n"
        "    return int(text.partition('VmHWM:')[2].split()[0])\n"
        "before = peak()\n"
        "print(describe_streams(sys.argv[1])['messages'], (peak() - before) // 1024)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    n_messages, megabytes = map(int, done.stdout.split())
    assert n_messages == 1151
    assert megabytes < 80
