"""`minesense stream`, `replay` and `serve-simulator` as a user runs them."""

from __future__ import annotations

import gc
import json
import re
import signal
import socket
import subprocess
import sys

import live_streams
import numpy as np
import numpy.testing as npt
import pytest
from bags import write_bag
from links import ROOT, Program, frames_of

from minesense.apps.commands import Parser, add_commands
from minesense.apps.event_lines import event_line, flag_names, is_told
from minesense.apps.simulator_source import simulate
from minesense.apps.stream import stream
from minesense.cli import main
from minesense.io.mcap_reading import read_packets
from minesense.message import Packet, SensorMessage, StreamDeclaration
from minesense.payload import Decoder
from minesense.stream import Session
from minesense.stream.events import CountersReport, SearchScore, StreamRefused
from minesense.stream.frames import encode_frame, write_frames
from minesense.stream.recorder import Recorder
from minesense.stream.source import packets_from
from minesense.sweep import Quality

CONFIG = """
task_clock = "utc"

[limits]
height = 0.3
tilt = inf
least_speed = 0.0
greatest_speed = 3.0
position_error = 0.1
noise = inf
"""


@pytest.fixture(scope="module")
def payloads():
    """Return what a cart sends in thirty seconds. SYNTHETIC."""
    return [packet.payload for packet in live_streams.packets(live_streams.messages())]


def lines_of(text):
    """Return the events of lines."""
    return [json.loads(line) for line in text.splitlines()]


def test_a_replay_prints_what_the_stream_printed(payloads, tmp_path, capsys, monkeypatch):
    """With a configuration, all events; from the recording and from the file of frames."""
    monkeypatch.chdir(tmp_path)
    write_frames("link.frames", payloads)
    (tmp_path / "task.toml").write_text(CONFIG)
    options = ["--config", "task.toml", "--events", "all"]
    source = ["--source", "replay:link.frames", "--record", "task.mcap"]
    assert main(["stream", *source, *options]) == 0
    live = capsys.readouterr()
    for path in ("task.mcap", "link.frames"):
        assert main(["replay", path, *options]) == 0
        assert capsys.readouterr().out == live.out
    events = lines_of(live.out)
    kinds = {event["event"] for event in events}
    assert {"stream_accepted", "search_score", "alarm_raised", "coverage_stretch"} <= kinds
    assert events[-1]["event"] == "counters_report"
    assert events[-1]["streams"]["coils"]["observed"] > 0
    links = json.loads(live.err.splitlines()[-1])
    assert links["n_recorded"] == len(payloads)
    assert [p.payload for p in read_packets("task.mcap")] == payloads


def test_lines_are_those_of_the_session(payloads, tmp_path, capsys):
    """Every event that is told, in its order, and nothing else."""
    path = tmp_path / "link.frames"
    write_frames(path, payloads)
    assert main(["replay", str(path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    session = Session(live_streams.config(limits=None))
    events = [event for p in payloads for event in session.push(Packet(0.0, p))]
    events += session.finish()
    told = [event_line(event) for event in events if is_told(event, tell_all=False)]
    assert lines == [*told, event_line(events[-1])]
    alarms = [event for event in lines_of("\n".join(lines)) if event["event"] == "alarm_raised"]
    for place in (6.0, 10.0):
        assert min(abs(alarm["northing"] - place) for alarm in alarms) < 0.2


@pytest.mark.endtoend
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_in_good_order(payloads, tmp_path, number):
    """Lanes are flushed, counters printed, the recording finished, the exit code is 0."""
    words = ["--source", "listen:0", "--record", "task.mcap", "--events", "all"]
    with Program("stream", *words, folder=tmp_path) as program:
        with socket.create_connection(("127.0.0.1", program.port())) as link:
            link.sendall(b"".join(map(encode_frame, payloads)))
            program.wait(lambda: len(program.events("search_score")) == 1500)
        assert program.end(number) == 0, program.complaints
    assert program.events("counters_report")[0]["streams"]["coils"]["accepted"] == 1500
    assert program.events("lane_ended")
    assert [p.payload for p in read_packets(tmp_path / "task.mcap")] == payloads


@pytest.mark.endtoend
def test_several_sources_are_one_session(tmp_path):
    """Two devices at two ports and a receiver in a file."""
    (tmp_path / "log").write_bytes(
        b"$GPGGA,092725.00,4717.11399,N,00833.91590,E,1,08,1.01,499.6,M,48.0,M,,*5B\r\n"
    )
    receiver = "nmea+file:log?lever_arm=0,0,1&date=2026-03-01&name=rover"
    words = ["--source", "listen:0", "--source", receiver]
    with Program("stream", *words, folder=tmp_path) as program:
        port = program.port()
        for name in ("a", "b"):
            with socket.create_connection(("127.0.0.1", port)) as link:
                link.sendall(frames_of(name, range(20)))

        def names():
            # whichever comes first gives the task's clock, and others may be refused for it
            told = program.events("stream_accepted") + program.events("stream_refused")
            return {event["stream"] for event in told}

        program.wait(lambda: names() == {"a", "b", "rover"})
        assert program.end() == 0


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        (["--source", "radio:1"], "Must begin with one of"),
        (["--source", "listen:0", "--host", "0.0.0.0"], "or come with a token"),
        (["--source", "replay:nothing.mcap"], "No such file"),
        (["--source", "replay:nothing.mcap", "--config", "nothing.toml"], "nothing.toml"),
        (["--source", "replay:nothing.mcap", "--model", "nothing.skops"], "nothing.skops"),
        (["--source", "listen:0", "--token-file", "nothing"], "No such file"),
        (["--source", "listen:0", "--record", "there.mcap"], "File exists"),
    ],
)
def test_what_cannot_be_used_is_one_line(words, rule, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there.mcap").write_text("precious")
    assert main(["stream", *words]) == 2
    complaint = capsys.readouterr().err.splitlines()[-1]
    assert complaint.startswith("minesense stream: ")
    assert rule in complaint
    assert (tmp_path / "there.mcap").read_text() == "precious"


def test_a_damaged_recording_is_read_up_to_the_damage(payloads, tmp_path, capsys):
    path = tmp_path / "task.mcap"
    with Recorder(path) as recorder:
        for payload in payloads:
            recorder.write(Packet(0.0, payload))
    path.write_bytes(path.read_bytes()[:100_000])
    assert main(["replay", str(path)]) == 2
    said = capsys.readouterr()
    assert "minesense recover" in said.err
    assert lines_of(said.out)[0]["event"] == "stream_accepted"
    assert main(["replay", "nothing.mcap"]) == 2


def test_noise_alone_is_a_session_without_streams(tmp_path, capsys):
    path = tmp_path / "link.frames"
    write_frames(path, [b"noise", bytes([2, 1, 5, 0]) + bytes(28)])
    assert main(["replay", str(path)]) == 0
    (counters,) = lines_of(capsys.readouterr().out)
    assert counters["n_refused"] == 2


def test_what_json_cannot_hold_is_null():
    """NaN and infinity are never written; flags have names."""
    score = SearchScore(
        stream="\ud800", time=float("nan"), scores=(float("inf"), 1.5), quality=33
    )
    assert json.loads(event_line(score)) == {
        "event": "search_score",
        "stream": "?",
        "time": None,
        "scores": [None, 1.5],
        "quality": flag_names(33),
    }
    assert flag_names(int(Quality.SATURATED | Quality.GAP)) == ["GAP", "SATURATED"]
    assert is_told(StreamRefused(stream="a", reason="b"), tell_all=False)
    assert not is_told(score, tell_all=False)
    assert is_told(score, tell_all=True)
    report = CountersReport(time=0.0, streams={}, n_refused=0)
    assert not is_told(report, tell_all=True)


# The simulator. SYNTHETIC


@pytest.fixture(scope="module")
def simulated():
    """Return the packets of a short lane."""
    return list(packets_from(simulate("farmland", seed=1, n_lanes=1, length=1.0, speed=1e9)))


@pytest.mark.slow
def test_the_simulator_sends_what_its_sweeps_hold(simulated):
    """Twice the same bytes; both sensors and positions; every declaration says what it is."""
    again = simulate("farmland", seed=1, n_lanes=1, length=1.0, speed=float("inf"))
    assert not again.is_live
    assert [p.payload for p in packets_from(again)] == [p.payload for p in simulated]
    decoder = Decoder()
    messages = [decoder.decode(packet.payload) for packet in simulated]
    declared = [m for m in messages if isinstance(m, StreamDeclaration)]
    assert {m.name for m in declared} == {"position", "cart radar", "cart coils"}
    assert all("SYNTHETIC" in m.note for m in declared)
    assert sum(isinstance(m, SensorMessage) for m in messages) > 50


@pytest.mark.endtoend
@pytest.mark.slow
def test_the_simulator_as_a_device(tmp_path):
    """One process sends at a port, another connects to it, records and ends with it."""
    (tmp_path / "token").write_text("sixteen letters!")
    words = ["--port", "0", "--lanes", "1", "--length", "1", "--speed", "max"]
    with Program("serve-simulator", *words, "--token-file", "token", folder=tmp_path) as device:
        source = f"tcp:127.0.0.1:{device.port()}?token_file=token"
        with Program("stream", "--source", source, "--record", "a.mcap", folder=tmp_path) as it:
            it.wait(lambda: len(it.events("stream_accepted")) >= 3)
            it.wait(lambda: it.events("lane_begun"))
            assert it.end() == 0
        device.process.send_signal(signal.SIGTERM)
        assert device.finish() == 0
    assert "SYNTHETIC" in device.lines[0]
    assert len(list(read_packets(tmp_path / "a.mcap"))) > 50


def test_the_simulator_is_not_for_everybody(capsys):
    assert main(["serve-simulator", "--host", "0.0.0.0", "--port", "0"]) == 2
    assert "or come with a token" in capsys.readouterr().err


def test_help_loads_nothing_of_sources():
    """Optional packages are for those who use them."""
    script = (
        "import sys, minesense.cli as c\n"
        "try: c.main(['stream', '--help'])\n"
        "except SystemExit: pass\n"
        "bad = {'serial', 'pynmeagps', 'pyubx2', 'numba'} & set(sys.modules)\n"
        "sys.exit(str(bad) if bad else 0)"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    assert "listen:[PORT]" in result.stdout


def test_collections_leave_out_what_the_program_is_made_of(payloads, tmp_path, capsys):
    """While packets come, so that none of them waits; behind them all is as before."""
    path = tmp_path / "link.frames"
    write_frames(path, payloads[:200])
    options = Parser()
    add_commands(options)
    words = ["stream", "--source", f"replay:{path}"]
    counts = []
    stream(
        options.parse_args(words), subscribers=[lambda *_: counts.append(gc.get_freeze_count())]
    )
    assert len(counts) > 100
    assert min(counts) > 10_000
    assert gc.get_freeze_count() == 0


def test_a_session_that_ends_before_it_is_warm_leaves_nothing_frozen(tmp_path, capsys):
    """Collections see all again, also where kernels were still being loaded at its end."""
    (tmp_path / "link.frames").write_bytes(b"")
    main(["stream", "--source", f"replay:{tmp_path / 'link.frames'}"])
    assert gc.get_freeze_count() == 0


@pytest.mark.filterwarnings("ignore:.*alarms:UserWarning")
@pytest.mark.parametrize("kind", ["ros1", "mcap"])
def test_a_bag_is_a_source(tmp_path, capsys, kind):
    """Both coils as they took turns, from the bag to the recording and back."""
    pytest.importorskip("rosbags")
    start, speed, place = 100.0, 0.3, 3.0
    rng, sent = np.random.default_rng(0), []
    for k in range(240):
        time = start + 0.1 * k
        bump = 0.5 * np.exp(-(((speed * (time - start) - place) / 0.15) ** 2))
        value = float(0.2 + 0.002 * rng.normal() + bump)
        sent.append((time, value, 0.0) if k % 2 == 0 else (time, 0.0, value))
    driven = [(start + 0.2 * k, 0.0, 0.2 * k * speed, 0.0) for k in range(121)]
    bag = write_bag(tmp_path, sent, odometry=driven, kind=kind)
    (tmp_path / "task.toml").write_text(CONFIG.replace("utc", "host").replace("0.3", "inf"))
    options = ["--config", str(tmp_path / "task.toml"), "--events", "all"]
    record = tmp_path / "record.mcap"
    source = f"file:{bag}?lever_arms=-0.2,0.1,0;0.2,0.1,0&topic=/coils"
    assert main(["stream", "--source", source, "--record", str(record), *options]) == 0
    live = capsys.readouterr()
    assert main(["replay", str(record), *options]) == 0
    assert capsys.readouterr().out == live.out
    events = lines_of(live.out)
    # what was sent, in its order, under the streams of both coils
    decoder = Decoder()
    scans = [
        message
        for packet in read_packets(record)
        if isinstance(message := decoder.decode(packet.payload), SensorMessage)
    ]
    assert [scan.stream for scan in scans] == ["coil left", "coil right"] * 120
    npt.assert_allclose(
        [s.samples.item() for s in scans], [a + b for _, a, b in sent], rtol=1e-6
    )
    npt.assert_allclose([s.stamp for s in scans], [t - start for t, _, _ in sent], atol=1e-6)
    counters = events[-1]["streams"]
    for name in ("coil left", "coil right"):
        assert (counters[name]["received"], counters[name]["accepted"]) == (120, 120)
        scores = [e for e in events if e["event"] == "search_score" and e["stream"] == name]
        loudest = max(scores, key=lambda e: e["scores"][0] or 0.0)
        assert loudest["scores"][0] > 50
        assert abs(loudest["time"] - place / speed) <= 0.2
        # the axis of the bag is no waveform: it is heard, and nothing is observed
        assert counters[name]["invalid"] == 120
        accepted = next(e for e in events if e.get("stream") == name)
        assert accepted["unscreened"].startswith("No alarms of a prescreener")
        cells = [e for e in events if e["event"] == "coverage_cells" and e["stream"] == name]
        assert cells
    arms = [e["declaration"]["sensor"]["lever_arms"] for e in events[1:3]]
    assert arms == [[[-0.2, 0.1, 0.0]], [[0.2, 0.1, 0.0]]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lever_arms=1,2", "Invalid lever_arms '1,2'"),
        ("topic=/other", "other"),
        ("lever_arms=0,0,0", "lever_arms"),
        (
            "spacing=0.1",
            r"Invalid option 'spacing' of format coil. Must be one of",
        ),
        ("colour=red", "Must be one of: .*lever_arms"),
    ],
)
def test_a_bag_that_is_named_wrongly(tmp_path, capsys, text, message):
    """One line, no traceback."""
    pytest.importorskip("rosbags")
    bag = write_bag(tmp_path, [(1.0, 0.2, 0.0), (1.1, 0.0, 0.2)])
    assert main(["stream", "--source", f"file:{bag}?{text}"]) == 2
    error = capsys.readouterr().err
    assert re.search(message, error)
    assert "Traceback" not in error


class Faulty(Session):
    """A session with a fault of the program at its 1700th packet."""

    n_taken = 0

    def push(self, message):
        """Count, and fail."""
        self.n_taken += 1
        if self.n_taken == 1700:
            msg = "the roof fell"
            raise TypeError(msg)
        return super().push(message)


@pytest.mark.parametrize("is_recorded", [True, False])
def test_a_fault_of_the_program_stops_no_recording(
    payloads, tmp_path, capsys, monkeypatch, is_recorded
):
    """It is told at once, nothing behind it is processed, everything is recorded."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("minesense.apps.live_session.Session", Faulty)
    write_frames("link.frames", payloads)
    record = ["--record", "task.mcap"] if is_recorded else []
    assert main(["stream", "--source", "replay:link.frames", "--events", "all", *record]) == 1
    told = capsys.readouterr()
    events = lines_of(told.out)
    *before, stopped, counters = events
    assert stopped["event"] == "processing_stopped"
    assert stopped["cause"] == "TypeError: the roof fell"
    assert any(event["event"] == "alarm_raised" for event in before)
    assert counters["event"] == "counters_report"
    assert 0 < counters["streams"]["coils"]["received"] < 1500
    assert "TypeError: the roof fell" in told.err.splitlines()[-1]
    assert "Traceback" not in told.err
    if is_recorded:
        assert [p.payload for p in read_packets("task.mcap")] == payloads
        monkeypatch.setattr("minesense.apps.live_session.Session", Session)
        assert main(["replay", "task.mcap", "--events", "all"]) == 0
        assert capsys.readouterr().out.startswith(told.out.partition('{"event":"proc')[0])


def test_a_fault_at_the_end_of_a_session_is_told(payloads, tmp_path, capsys, monkeypatch):
    """Counters are those of what was processed; a replay ends with 1, too."""

    class FailsAtTheEnd(Session):
        def finish(self):
            name = "lane"
            raise KeyError(name)

    monkeypatch.setattr("minesense.apps.live_session.Session", FailsAtTheEnd)
    write_frames(tmp_path / "link.frames", payloads)
    assert main(["replay", str(tmp_path / "link.frames")]) == 1
    events = lines_of(capsys.readouterr().out)
    assert [event["event"] for event in events[-2:]] == [
        "processing_stopped",
        "counters_report",
    ]
    assert events[-1]["streams"]["coils"]["accepted"] == 1500
