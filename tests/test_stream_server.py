"""The server and its clients: streams of several links, caps, tokens, hostile bytes."""

from __future__ import annotations

import contextlib
import json
import math
import socket
import struct
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from links import Running, declaration, frames_of, scan

from minesense.message import NoteMessage
from minesense.payload import Decoder, Encoder
from minesense.stream.byte_input import TcpInput
from minesense.stream.framed_source import FramedSource
from minesense.stream.frames import MAGIC, FrameDecoder, encode_frame
from minesense.stream.numbering import UNKNOWN_STREAM, number_of
from minesense.stream.server_limits import ServerLimits, is_loopback, read_token, token_payload
from minesense.stream.source import packets_from
from minesense.stream.tcp_server import TcpServer

TOKEN = "sixteen letters!"


def connect(server):
    channel = socket.create_connection(server.address, timeout=10)
    channel.settimeout(10)
    return channel


def told(channel):
    """Return the reasons that a server tells until it closes."""
    data = b""
    with contextlib.suppress(OSError):
        while part := channel.recv(4096):
            data += part
    notes = [Decoder().decode(payload) for payload in FrameDecoder().feed(data)]
    return [note.content["reason"] for note in notes]


def test_several_clients_have_streams_of_their_own():
    """Both number their stream 0; each scan arrives under its own name, in its order."""
    with Running(TcpServer()) as running:
        channels = [connect(running.source) for _ in range(3)]
        for k, channel in enumerate(channels):
            channel.sendall(frames_of(f"coil {k}", range(50)))
        running.wait(lambda: len(running.messages) == 3 * 51)
        for k in range(3):
            assert running.numbers(f"coil {k}") == list(range(50))
        counters = running.source.counters()
        assert len(counters["connections"]) == 3
        assert {c["n_frames"] for c in counters["connections"].values()} == {51}
        for channel in channels:
            channel.close()
        running.wait(lambda: not running.source.counters()["connections"])
    counters = running.source.counters()
    assert (counters["n_connections"], counters["n_frames"]) == (3, 153)
    assert counters["sent_away"] == {}


def test_a_client_that_reconnects_goes_on_with_its_stream():
    """Cut in mid-frame, it declares again on a new link while the old one still hangs."""
    with Running(TcpServer()) as running:
        old, new = connect(running.source), connect(running.source)
        old.sendall(frames_of("coil", range(5))[:-7])
        running.wait(lambda: running.numbers("coil") == [0, 1, 2, 3])
        new.sendall(frames_of("coil", range(4, 8)))
        running.wait(lambda: running.numbers("coil") == list(range(8)))
        old.sendall(frames_of("coil", [])[-7:])  # the rest of what was torn
        old.close()
        running.wait(lambda: len(running.source.counters()["connections"]) == 1)
        new.close()
        numbers = {number_of(packet.payload) for packet in running.packets}
        assert numbers == {0}


def test_what_arrived_before_a_link_broke_is_not_lost():
    """Sent while the server had no time, it is read before the next link takes the stream."""
    server = TcpServer()
    for numbers in (range(4000), range(4000, 4010)):  # the first are more than one read holds
        with connect(server) as channel:
            channel.sendall(frames_of("coil", numbers))
    with Running(server) as running:
        running.wait(lambda: len(running.packets) == 4012)
        assert running.numbers("coil") == list(range(4010))
        running.wait(lambda: not running.source.counters()["connections"])
        assert running.source.counters()["n_refused"] == 0


def test_links_that_take_streams_from_each_other_harm_nobody():
    """Each declares both streams again and again, all of it before the server has time."""
    server = TcpServer()
    channels = [connect(server) for _ in range(2)]
    for _ in range(200):
        for channel in channels:
            channel.sendall(frames_of("a", range(3)) + frames_of("b", range(3)))
    with Running(server) as running:
        running.wait(lambda: len(running.packets) == 2 * 200 * 8)
        for channel in channels:
            channel.close()
        running.wait(lambda: not running.source.counters()["connections"])


def test_the_newest_link_owns_a_stream():
    """What an old link sends afterwards is kept under no stream, and it is told why."""
    with Running(TcpServer()) as running:
        old, new = connect(running.source), connect(running.source)
        old.sendall(frames_of("coil", [0]))
        running.wait(lambda: running.numbers("coil") == [0])
        new.sendall(frames_of("coil", [1]))
        running.wait(lambda: running.numbers("coil") == [0, 1])
        encoder = Encoder()
        encoder.encode(declaration("coil"))
        old.sendall(encode_frame(encoder.encode(scan("coil", 99))))
        running.wait(lambda: running.refused == 1)
        assert number_of(running.packets[-1].payload) == UNKNOWN_STREAM
        old.shutdown(socket.SHUT_WR)
        assert "declared by another link" in told(old)[0]
        old.close(), new.close()


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "Must have 16 bytes"),
        (bytes([2, 9]) + bytes(30), "the second 1"),
        (bytes([2, 1, 7, 0]) + bytes(30), "declared before it is used"),
        (bytes([1, 1, 0, 0]) + bytes(12) + b'{"name": 1}', "Invalid"),
        (bytes([1, 1, 255, 255]) + bytes(12) + b"{}", "Invalid stream number"),
        (bytes([1, 1, 0, 0]) + bytes(12) + b"\xff", "Must be an object in UTF-8"),
    ],
)
def test_a_client_is_told_what_is_wrong(payload, reason):
    """The link stays; the bytes are kept, and are no message of any stream."""
    with Running(TcpServer()) as running:
        channel = connect(running.source)
        channel.sendall(encode_frame(payload) + frames_of("coil", [3]))
        running.wait(lambda: running.numbers("coil") == [3])
        assert running.refused == 1
        channel.shutdown(socket.SHUT_WR)
        assert reason in told(channel)[0]
        channel.close()


# Who may connect


def test_loopback_is_the_default_and_others_need_a_token():
    """Nothing listens for other computers unless both are said."""
    server = TcpServer()
    assert server.address[0] == "127.0.0.1"
    server.stop()
    server.run(print)
    for host in ("0.0.0.0", "::", "192.0.2.1", "detector.example"):
        assert not is_loopback(host)
        with pytest.raises(ValueError, match="Must be a loopback address, or come with a"):
            TcpServer(host)
    with pytest.raises(ValueError, match="Invalid token of 5 bytes") as caught:
        TcpServer("0.0.0.0", token="12345")
    assert "12345" not in str(caught.value)


def test_the_right_token_is_taken_and_never_passed_on():
    """On an address that others could reach; frames may come in one piece with it."""
    with Running(TcpServer("0.0.0.0", token=TOKEN)) as running:
        port = running.source.address[1]
        channel = socket.create_connection(("127.0.0.1", port), timeout=10)
        channel.sendall(encode_frame(token_payload(TOKEN)) + frames_of("coil", range(3)))
        running.wait(lambda: running.numbers("coil") == [0, 1, 2])
        channel.close()
    assert all(TOKEN.encode() not in packet.payload for packet in running.packets)


@pytest.mark.parametrize(
    "first",
    [
        b"",
        encode_frame(token_payload("a wrong token, 1")),
        encode_frame(token_payload(TOKEN + "x")),
        encode_frame(token_payload("")),
        encode_frame(TOKEN.encode()),
        encode_frame(b""),
    ],
)
def test_without_the_token_nothing_passes(first):
    """None, a wrong one, a longer one, an empty one, one in another place."""
    with Running(TcpServer(token=TOKEN)) as running:
        channel = connect(running.source)
        channel.sendall(first + frames_of("coil", range(3)))
        assert told(channel) == ["the first frame must hold the token"]
        channel.close()
        running.wait(lambda: not running.source.counters()["connections"])
        assert running.packets == []
        sent_away = running.source.counters()["sent_away"]
        assert sent_away == {"the first frame must hold the token": 1}


def test_a_token_that_nobody_asked_for_is_left_out():
    with Running(TcpServer()) as running:
        channel = connect(running.source)
        channel.sendall(encode_frame(token_payload(TOKEN)) + frames_of("coil", [0]))
        running.wait(lambda: running.numbers("coil") == [0])
        assert len(running.packets) == 2
        channel.close()


def test_a_token_file_holds_one_line(tmp_path):
    path = tmp_path / "token"
    path.write_text(f"{TOKEN}\n")
    assert read_token(path) == TOKEN
    for data in (b"", b"one\ntwo", b"\xff\xfe"):
        path.write_bytes(data)
        with pytest.raises(ValueError, match="Must hold one line of text"):
            read_token(path)


# Caps


def test_frames_beyond_the_cap_are_left_out():
    """The link goes on; what was skipped is counted."""
    limits = ServerLimits(max_frame=2000)
    with Running(TcpServer(limits=limits)) as running:
        channel = connect(running.source)
        channel.sendall(encode_frame(bytes(2001)) + frames_of("coil", [1]))
        running.wait(lambda: running.numbers("coil") == [1])
        (counters,) = running.source.counters()["connections"].values()
        assert counters["n_oversized"] == 1
        channel.close()


def test_connections_beyond_the_cap_are_sent_away():
    """When one of those there were has gone there is room again."""
    with Running(TcpServer(limits=ServerLimits(max_connections=2))) as running:
        channels = [connect(running.source) for _ in range(2)]
        for k, channel in enumerate(channels):
            channel.sendall(frames_of(f"coil {k}", [0]))
        running.wait(lambda: len(running.messages) == 4)
        third = connect(running.source)
        assert told(third) == ["too many connections"]
        third.close()
        channels[0].close()
        running.wait(lambda: len(running.source.counters()["connections"]) == 1)
        fourth = connect(running.source)
        fourth.sendall(frames_of("coil 3", [7]))
        running.wait(lambda: running.numbers("coil 3") == [7])
        fourth.close(), channels[1].close()


@pytest.mark.parametrize("cap", [{"max_byte_rate": 1e5}, {"max_frame_rate": 2e3}])
def test_a_client_that_sends_too_fast_waits(cap):
    """Nothing is lost, it only takes as long as the cap wants."""
    data = frames_of("coil", range(2999))  # 144 kB
    with Running(TcpServer(limits=ServerLimits(**cap))) as running:
        channel = connect(running.source)
        began = time.monotonic()
        for start in range(0, len(data), 4000):
            channel.sendall(data[start : start + 4000])
        running.wait(lambda: running.numbers("coil") == list(range(2999)))
        assert 0.7 < time.monotonic() - began < 9
        channel.close()


@pytest.mark.parametrize(
    ("limits", "sent", "reason"),
    [
        ({"first_frame_timeout": 0.2}, b"", "no whole frame came in time"),
        ({"frame_timeout": 0.2}, frames_of("coil", [0])[:-3], "a frame took too long"),
        ({"idle_timeout": 0.2}, frames_of("coil", [0]), "no frame came for too long"),
        ({"max_skipped": 100}, bytes(300), "what arrives holds no frames"),
    ],
)
def test_a_client_that_takes_too_long_is_sent_away(limits, sent, reason):
    """Those who only hold a connection open do not keep others out."""
    with Running(TcpServer(limits=ServerLimits(**limits))) as running:
        channel = connect(running.source)
        channel.sendall(sent)
        assert told(channel) == [reason]
        channel.close()


def test_a_client_that_drips_is_sent_away():
    """A byte now and then is no progress: the frame as a whole has its time."""
    with Running(TcpServer(limits=ServerLimits(frame_timeout=0.3))) as running:
        channel = connect(running.source)
        channel.sendall(frames_of("coil", [0]))
        for byte in encode_frame(bytes(50)):
            if running.source.counters()["sent_away"]:
                break
            with contextlib.suppress(OSError):
                channel.sendall(bytes([byte]))
            time.sleep(0.05)
        running.wait(
            lambda: running.source.counters()["sent_away"] == {"a frame took too long": 1}
        )
        channel.close()


def test_others_go_on_beside_a_client_that_hangs():
    with Running(TcpServer()) as running:
        hanging, working = connect(running.source), connect(running.source)
        hanging.sendall(MAGIC + struct.pack("<II", 4_000_000, ~4_000_000 % 2**32) + bytes(9))
        working.sendall(frames_of("coil", range(20)))
        running.wait(lambda: running.numbers("coil") == list(range(20)))
        hanging.close(), working.close()


def head_of(size):
    """Return the head of a frame of any length."""
    return MAGIC + struct.pack("<II", size, size ^ 0xFFFFFFFF)


@settings(max_examples=30, deadline=None)
@given(
    noise=st.lists(
        st.one_of(
            st.binary(max_size=200),
            st.integers(0, 2**32 - 1).map(
                lambda n: MAGIC + struct.pack("<II", n, n ^ 0xFFFFFFFF)
            ),
            st.binary(max_size=60).map(encode_frame),
            st.binary(max_size=40).map(lambda b: encode_frame(bytes([1, 1, 0, 0, *b]))),
            st.binary(max_size=40).map(lambda b: encode_frame(bytes([4, 1, 255, 255, *b]))),
        ),
        max_size=6,
    )
)
def test_garbage_harms_nobody(shared_server, noise):
    """Whatever a client sends and however it leaves, the next one is served."""
    channel = connect(shared_server.source)
    with contextlib.suppress(OSError):
        channel.sendall(b"".join(noise))
    channel.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    channel.close()  # with a reset
    before = len(shared_server.numbers("coil"))
    with connect(shared_server.source) as other:
        other.sendall(frames_of("coil", [5]))
        shared_server.wait(lambda: len(shared_server.numbers("coil")) == before + 1)


@pytest.fixture(scope="module")
def shared_server():
    with Running(TcpServer()) as running:
        yield running


def test_names_of_messages_are_never_paths(tmp_path, monkeypatch):
    """A stream called like a file is only called so: nothing is opened or made."""
    monkeypatch.chdir(tmp_path)
    name = "../../etc/passwd"
    with Running(TcpServer()) as running:
        channel = connect(running.source)
        channel.sendall(frames_of(name, [0]))
        running.wait(lambda: running.numbers(name) == [0])
        channel.close()
    assert list(tmp_path.iterdir()) == []


# We connect to a server


def test_a_source_connects_again_when_its_server_comes_back():
    """Cut within a frame; after the second declaration the stream goes on."""
    listener = socket.create_server(("127.0.0.1", 0))
    source = FramedSource(TcpInput(*listener.getsockname()))
    with Running(source) as running:
        first, _ = listener.accept()
        first.sendall(frames_of("coil", range(3))[:-5])
        running.wait(lambda: running.numbers("coil") == [0, 1])
        first.close()
        second, _ = listener.accept()
        second.sendall(frames_of("coil", range(2, 5)))
        running.wait(lambda: running.numbers("coil") == list(range(5)))
        second.close()
    listener.close()
    counters = source.counters()
    assert counters["n_connections"] >= 2
    assert counters["n_torn"] == 1


def test_a_server_that_is_not_there_is_an_error_in_the_end():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
    source = FramedSource(TcpInput(*address), connect_timeout=0.3)
    with pytest.raises(ConnectionRefusedError):
        list(packets_from(source))


def test_a_source_sends_its_token():
    """One minesense may be a client of another."""
    listener = socket.create_server(("127.0.0.1", 0))
    with Running(FramedSource(TcpInput(*listener.getsockname(), token=TOKEN))):
        channel, _ = listener.accept()
        channel.settimeout(10)
        assert FrameDecoder().feed(channel.recv(1000)) == [token_payload(TOKEN)]
        channel.close()
        listener.close()


def test_an_iterator_stops_its_source():
    """Closing it ends the thread, whatever the clients do."""
    server = TcpServer()
    with connect(server) as channel:
        channel.sendall(frames_of("coil", range(5)))
        packets = packets_from(server, max_waiting=2)
        first = next(packets)
        assert json.loads(first.payload[16:])["name"] == "coil"
        packets.close()
    assert not any(thread.name == f"source {server.name}" for thread in threading.enumerate())


def test_notes_need_no_stream():
    with Running(TcpServer()) as running:
        channel = connect(running.source)
        note = NoteMessage(stream="", sequence=0, stamp=math.nan, topic="alive")
        channel.sendall(encode_frame(Encoder().encode(note)))
        running.wait(lambda: [m.topic for m in running.messages] == ["alive"])
        channel.close()
