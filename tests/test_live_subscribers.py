"""Page and tone beside the printed lines: what they are told, over the real commands."""

from __future__ import annotations

import http.client
import json
import re
import subprocess
import sys
import threading
import wave

import live_streams as live
import numpy as np
import pytest

from minesense.apps.live_page import LivePage
from minesense.apps.live_subscribers import PageSubscriber, ToneSubscriber
from minesense.cli import main
from minesense.emi.wav import WavWriter
from minesense.message import Packet
from minesense.stream import Session
from minesense.stream.events import AlarmRaised, SearchScore
from minesense.stream.recorder import Recorder


def score(time, value, stream="coils", quality=0):
    return SearchScore(stream=stream, time=time, scores=(0.0, value), quality=quality)


def test_the_page_is_told_of_packets_and_events():
    page = LivePage()
    try:
        subscriber = PageSubscriber(page)
        session = Session(live.config(), settings=live.SETTINGS)
        reader = page.feed.join()
        n_alarms = 0
        for packet in live.packets(live.messages(seconds=26.0)):
            events = session.push(packet)
            n_alarms += sum(isinstance(e, AlarmRaised) for e in events)
            subscriber(packet, events)
        subscriber(Packet(0.0, b"no message"), ())
        subscriber(None, session.finish())
        told = []
        while (item := reader.get(timeout=0.0)) is not None:
            told.append(item[0])
        assert n_alarms > 0
        assert told.count("alarm") >= n_alarms
        assert {"state", "stream", "row", "quality", "track", "cells", "lane"} <= set(told)
    finally:
        page.close()


def test_the_tone_follows_the_loudest_channel(tmp_path):
    path = tmp_path / "tone.wav"
    with WavWriter(path, rate=8000) as writer:
        subscriber = ToneSubscriber(writer)
        for k in range(100):
            subscriber(None, [score(k / 100, 40.0 if k >= 50 else 0.0)])
            subscriber(None, [score(k / 100, 99.0, stream="other")])  # one is heard
        subscriber(None, [score(0.2, 0.0)])  # and time does not go back
    with wave.open(str(path)) as file:
        assert file.getnframes() == pytest.approx(0.99 * 8000, abs=8)
        audio = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768
    quiet, loud = audio[800:3600], audio[4400:7600]
    assert loud.std() > 3 * quiet.std() > 0.0


def test_replay_writes_the_tone(tmp_path, capsys):
    recording, sound = tmp_path / "task.mcap", tmp_path / "tone.wav"
    with Recorder(recording) as recorder:
        for packet in live.packets(live.messages(seconds=12.0)):
            recorder.write(packet)
    assert main(["replay", str(recording)]) == 0
    lines = capsys.readouterr().out
    assert main(["replay", str(recording), "--audio", str(sound)]) == 0
    assert capsys.readouterr().out == lines
    with wave.open(str(sound)) as file:
        assert file.getnframes() / file.getframerate() == pytest.approx(12.0, abs=0.1)
    assert main(["replay", str(recording), "--audio", str(sound)]) == 2
    assert "it exists" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.endtoend
def test_the_page_of_a_running_command(tmp_path):
    recording = tmp_path / "task.mcap"
    with Recorder(recording) as recorder:
        for packet in live.packets(live.messages(seconds=26.0)):
            recorder.write(packet)
    command = [sys.executable, "-m", "minesense", "replay", str(recording), "--http", "0"]
    # at its true speed the recording of 1 ms a packet takes two seconds
    with subprocess.Popen(
        [*command, "--speed", "0.2"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        drain = threading.Thread(target=process.stdout.read)
        drain.start()
        found = re.search(r"127\.0\.0\.1:(\d+)", process.stderr.readline())
        connection = http.client.HTTPConnection("127.0.0.1", int(found[1]), timeout=120)
        connection.request("GET", "/updates")
        response = connection.getresponse()
        assert response.getheader("Content-Type") == "text/event-stream"
        names = []
        for line in response:
            if line.startswith(b"event: "):
                names.append(line[7:].strip().decode())
            elif line.startswith(b"data: "):
                json.loads(line[6:])
            if "alarm" in names:
                break
        assert names[0] == "state"
        connection.close()
        process.terminate()
        assert process.wait(60) == 0
        drain.join()
        process.stderr.read()
