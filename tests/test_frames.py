"""Frames: cutting changes nothing, damage costs only what it hits, memory is bounded."""

from __future__ import annotations

import struct
import time
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minesense.stream.frames import (
    MAGIC,
    FrameCounters,
    FrameDecoder,
    encode_frame,
    read_frames,
    write_frames,
)

# Magics and pieces of them within payloads are what a decoder may stumble over.
pieces = st.one_of(st.binary(max_size=40), st.sampled_from([MAGIC, MAGIC[:3], MAGIC * 2, b""]))
payloads = st.lists(pieces.map(bytes), min_size=1, max_size=8)


def decode(data, cuts=(), **options):
    """Return payloads and counters of bytes that come in pieces."""
    decoder = FrameDecoder(**options)
    found, start = [], 0
    for stop in [*sorted(cut for cut in cuts if cut <= len(data)), len(data)]:
        found += decoder.feed(data[start:stop])
        start = stop
    found += decoder.finish()
    return found, decoder.counters


def test_a_frame_is_what_the_page_says():
    """Byte for byte, made here by hand."""
    crc = zlib.crc32(b"abc")
    assert encode_frame(b"abc") == b"\xa7MSF" + struct.pack(
        "<II3sI", 3, ~3 % 2**32, b"abc", crc
    )


@given(payloads=payloads, cuts=st.lists(st.integers(0, 400)))
def test_cutting_changes_nothing(payloads, cuts):
    data = b"".join(map(encode_frame, payloads))
    assert decode(data, cuts)[0] == payloads
    assert decode(data, range(len(data))) == decode(data)


@given(noise=st.binary(max_size=300), cuts=st.lists(st.integers(0, 300)))
def test_cutting_changes_nothing_of_noise_either(noise, cuts):
    """Counters too are the same; all bytes are accounted for."""
    noise = noise.replace(b"\x00", MAGIC)
    found, counters = decode(noise, cuts)
    assert (found, counters) == decode(noise)
    in_frames = sum(len(payload) + 16 for payload in found)
    assert counters.n_skipped + in_frames == counters.n_bytes == len(noise)


def test_cutting_changes_nothing_of_nested_headers():
    """The bound on failed checks depends on the place in the stream alone."""
    head = MAGIC + struct.pack("<II", 500, ~500 % 2**32)
    data = head * 400 + encode_frame(b"last")
    assert decode(data, range(0, len(data), 7), max_frame=600) == decode(data, max_frame=600)


@given(payloads=payloads, data=st.data())
def test_damage_costs_only_what_it_hits(payloads, data):
    """Bytes of one frame are changed; all others arrive, and nothing else does."""
    hit = data.draw(st.integers(0, len(payloads) - 1))
    frames = [bytearray(encode_frame(payload)) for payload in payloads]
    frame = frames[hit]
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(frame) - 1))
        frame[at] ^= data.draw(st.integers(1, 255))
    if frame == encode_frame(payloads[hit]):
        return  # two changes undid each other
    found, counters = decode(b"".join(frames))
    assert found == payloads[:hit] + payloads[hit + 1 :]
    assert counters.n_skipped == len(frame)


@given(payloads=payloads, data=st.data())
def test_lost_bytes_cost_only_what_they_hit(payloads, data):
    """Bytes vanish from one frame, as of a serial line that overran."""
    hit = data.draw(st.integers(0, len(payloads) - 1))
    frames = [encode_frame(payload) for payload in payloads]
    start = data.draw(st.integers(0, len(frames[hit]) - 1))
    stop = data.draw(st.integers(start + 1, len(frames[hit])))
    frames[hit] = frames[hit][:start] + frames[hit][stop:]
    found, _ = decode(b"".join(frames))
    assert found == payloads[:hit] + payloads[hit + 1 :]


@given(payloads=payloads, start=st.integers(0, 60))
def test_joining_in_mid_frame_gives_all_that_follow(payloads, start):
    """A link that begins within a frame."""
    first = encode_frame(b"x" * 50)
    found, counters = decode(first[start:] + b"".join(map(encode_frame, payloads)))
    assert found == [b"x" * 50][start:][: start == 0] + payloads
    assert counters.n_torn == 0


def test_a_torn_frame_is_counted():
    found, counters = decode(encode_frame(b"one") + encode_frame(b"two")[:-1])
    assert found == [b"one"]
    assert (counters.n_torn, counters.n_frames, counters.n_skipped) == (1, 1, 18)


def test_an_oversized_frame_is_not_waited_for():
    """Its header alone is enough; the next frame arrives without its content."""
    decoder = FrameDecoder(max_frame=100)
    assert decoder.feed(encode_frame(b"a" * 101)[:20]) == []
    assert decoder.feed(encode_frame(b"next")) == [b"next"]
    assert decoder.counters.n_oversized == 1
    assert FrameDecoder(max_frame=101).feed(encode_frame(b"a" * 101)) == [b"a" * 101]


@pytest.mark.parametrize("size", [2**32 - 1, 2**31, 4 * 2**20 + 1])
def test_a_hostile_length_takes_no_memory(size):
    decoder = FrameDecoder()
    decoder.feed(MAGIC + struct.pack("<II", size, size ^ 0xFFFFFFFF))
    assert decoder.pending < 12


def test_a_damaged_length_holds_nobody_up():
    """One bit of the length makes it two megabytes; the next frame is there at once."""
    frame = bytearray(encode_frame(b"hit"))
    frame[6] ^= 0x20
    decoder = FrameDecoder()
    assert decoder.feed(bytes(frame) + encode_frame(b"next")) == [b"next"]


def test_memory_is_bounded_by_the_cap():
    """Whatever comes, no more than one frame is held."""
    decoder = FrameDecoder(max_frame=1000)
    noise = MAGIC + struct.pack("<II", 1000, ~1000 % 2**32) + bytes(500)
    for _ in range(200):
        decoder.feed(noise)
        assert decoder.pending <= 1016


def test_nested_headers_cost_time_in_proportion():
    """Each header claims all that follows: checks of them all would take an hour."""
    head = MAGIC + struct.pack("<II", 4_000_000, ~4_000_000 % 2**32)
    started = time.perf_counter()
    _, counters = decode(head * 700_000)
    assert time.perf_counter() - started < 30
    assert counters.n_corrupt + counters.n_torn == 700_000


def test_counters_add_up():
    a, b = FrameCounters(n_bytes=1, n_torn=2), FrameCounters(n_bytes=3, n_frames=1)
    assert a + b == FrameCounters(n_bytes=4, n_frames=1, n_torn=2)


def test_files_of_frames(tmp_path):
    """They are what a link carried; a torn tail is told behind what was whole."""
    path = tmp_path / "link.frames"
    write_frames(path, [b"one", b"two"])
    with pytest.raises(FileExistsError):
        write_frames(path, [])
    with path.open("ab") as file:
        file.write(encode_frame(b"three")[:-2])
    reader = read_frames(path)
    assert [next(reader), next(reader)] == [b"one", b"two"]
    with pytest.raises(ValueError, match="19 bytes are part of no whole frame"):
        next(reader)


def test_a_cap_is_a_count():
    with pytest.raises(ValueError, match="Invalid max_frame"):
        FrameDecoder(max_frame=0)
