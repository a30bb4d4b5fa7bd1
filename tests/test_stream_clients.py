"""Clients written from the page on the protocol alone, against the real program."""

from __future__ import annotations

import ast
import re
import shutil
import signal
import subprocess
import sys

import pytest
from links import ROOT, Program

from minesense.message import DeviceFlag, FixClass, PositionMessage, SensorMessage
from minesense.payload import MOST_STREAMS, NO_STREAM, Decoder
from minesense.stream.frames import MAGIC, MAX_FRAME, encode_frame
from minesense.stream.replay_source import read_stream
from minesense.stream.server_limits import ServerLimits

CLIENTS = ROOT / "examples" / "clients"
PAGE = (ROOT / "docs" / "protocol.md").read_text()
COMPILER = shutil.which("cc") or shutil.which("gcc")

pytestmark = pytest.mark.endtoend


def compiled(folder):
    """Return the client in C, compiled without a warning."""
    if COMPILER is None:
        pytest.skip("there is no C compiler: neither cc nor gcc was found")
    program = folder / "client"
    words = ["-std=c99", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-O1", "-o"]
    source = CLIENTS / "client.c"
    subprocess.run([COMPILER, *words, program, source, "-lm"], check=True, cwd=folder)
    return [program]


def interpreted(folder):
    """Return the client in Python, without our package in reach."""
    return [sys.executable, "-I", CLIENTS / "client.py"]


@pytest.mark.parametrize(
    ("client", "coil", "gnss", "n_scans", "n_positions", "shape"),
    [
        (compiled, "coil in C", "gnss in C", 200, 200, (1, 2)),
        (interpreted, "example coil", "example gnss", 200, 40, (1, 4)),
    ],
)
def test_a_client_is_understood(tmp_path, client, coil, gnss, n_scans, n_positions, shape):
    """Declarations, scans and positions arrive whole; the recording says the same again."""
    command = client(tmp_path)
    words = ["--source", "listen:0", "--record", "task.mcap"]
    with Program("stream", *words, folder=tmp_path) as program:
        port = program.port()
        subprocess.run([*command, "127.0.0.1", str(port), "4"], check=True, timeout=60)
        assert program.end() == 0, program.complaints
    assert [event["stream"] for event in program.events("stream_accepted")] == [coil, gnss]
    (counters,) = program.events("counters_report")
    assert counters["n_refused"] == 0
    streams = counters["streams"]
    assert (streams[coil]["accepted"], streams[coil]["missing"]) == (n_scans, 0)
    assert (streams[gnss]["accepted"], streams[gnss]["missing"]) == (n_positions, 0)
    decoder = Decoder()
    found = [decoder.decode(packet.payload) for packet in read_stream(tmp_path / "task.mcap")]
    scans = [message for message in found if isinstance(message, SensorMessage)]
    assert {message.samples.shape for message in scans} == {shape}
    peak = max(scans, key=lambda message: message.samples[0, 0])
    assert 150 < peak.samples[0, 0] < 310
    places = [message for message in found if isinstance(message, PositionMessage)]
    assert {message.fix for message in places} == {FixClass.FIXED}
    # both walk at half a metre a second; the coil, 0.4 m ahead, passes metal at 2 m
    walked = {round(m.stamp - places[0].stamp, 3): m.coordinates[1] for m in places}
    assert walked[1.6] == pytest.approx(0.8)
    with Program("replay", "task.mcap", folder=tmp_path) as again:
        assert again.finish() == 0
    assert again.lines == program.lines


def test_a_client_with_a_token(tmp_path):
    """The same client, with a token and without, at a server that asks for one."""
    (tmp_path / "token").write_text("sixteen letters!\n")
    words = ["--source", "listen:0", "--host", "0.0.0.0", "--token-file", "token"]
    with Program("stream", *words, folder=tmp_path) as program:
        command = [*interpreted(tmp_path), "127.0.0.1", str(program.port()), "0.2"]
        subprocess.run(command, check=False, timeout=60, stderr=subprocess.DEVNULL)
        subprocess.run([*command, "sixteen letters!"], check=True, timeout=60)
        program.wait(lambda: len(program.events("stream_accepted")) == 2)
        assert program.end(signal.SIGTERM) == 0
    (counters,) = program.events("counters_report")
    assert counters["streams"]["example coil"]["received"] == 10
    assert not any("sixteen letters!" in line for line in program.complaints)


def test_the_client_in_python_stands_alone():
    """It imports nothing but the standard library."""
    tree = ast.parse((CLIENTS / "client.py").read_text())
    names = {
        alias.name.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    names |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert names <= sys.stdlib_module_names


def test_the_client_in_c_is_short():
    """Forty lines of code, and nothing but sockets and arithmetic."""
    lines = (CLIENTS / "client.c").read_text().splitlines()
    code = [
        line for line in lines if line.strip() and not re.match(r"\s*(/\*|\*|#include)", line)
    ]
    assert len(code) <= 40


# The page says what the code does


def test_the_frame_on_the_page_is_one():
    text = re.search(r"makes this frame:\n\n +([0-9A-F ]+)\n", PAGE)[1]
    assert bytes.fromhex(text) == encode_frame(b"hi")
    assert MAGIC.hex(" ").upper() in PAGE


def test_numbers_on_the_page_are_those_of_the_code():
    limits = ServerLimits()
    assert f"from 0 to {MOST_STREAMS - 1}" in PAGE
    assert f"{NO_STREAM} for notes" in PAGE
    assert MAX_FRAME == limits.max_frame == 4 * 2**20
    assert limits.max_skipped == 2**20
    for row, value in (
        ("connections at a time", limits.max_connections),
        ("bytes per second of a connection", f"{limits.max_byte_rate / 1e6:.0f} million"),
        ("frames per second of a connection", "20 000"),
        ("until the first whole frame", f"{limits.first_frame_timeout:.0f} s"),
        ("for one frame, from its first byte to its last", f"{limits.frame_timeout:.0f} s"),
        ("without any whole frame", f"{limits.idle_timeout:.0f} s"),
    ):
        assert f"| {row} | {value} |" in PAGE
    assert limits.max_frame_rate == 20_000
    for flag, words in zip(
        DeviceFlag, ("saturated", "samples mean nothing", "a setting changed"), strict=False
    ):
        assert f"{int(flag)} {words}" in PAGE
    for fix in FixClass:
        assert re.search(rf"{int(fix)} {fix.name.lower()}\b", PAGE)


def test_all_fields_of_a_declaration_are_on_the_page():
    """Those that the code knows, and no others."""
    from minesense.message import StreamDeclaration  # noqa: PLC0415

    declared = set(StreamDeclaration.__dataclass_fields__)
    part = PAGE[PAGE.index("### Declaration") : PAGE.index("The `sensor` object:")]
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", part, re.MULTILINE)
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} == declared
