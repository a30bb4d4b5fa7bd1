"""Sources that run in threads, devices that send to them, and the program as a process."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np

from minesense.message import Packet, SensorMessage, StreamDeclaration
from minesense.payload import Decoder, Encoder
from minesense.sensor import Sensor
from minesense.stream.frames import encode_frame

ROOT = Path(__file__).parents[1]
COILS = Sensor(name="coils", kind="emi", axis=[1e-5, 2e-5], lever_arms=np.zeros((1, 3)))


def declaration(name):
    """Return the declaration of a metal detector with two gates."""
    return StreamDeclaration(name=name, kind="sensor", clock="sensor", sensor=COILS)


def scan(name, k):
    """Return its scan of a number."""
    samples = np.full((1, 2), k, np.float32)
    return SensorMessage(stream=name, sequence=k, stamp=0.01 * k, samples=samples)


def frames_of(name, numbers):
    """Return a link's bytes: a declaration and scans."""
    encoder = Encoder()
    messages = [declaration(name), *(scan(name, k) for k in numbers)]
    return b"".join(encode_frame(encoder.encode(message)) for message in messages)


class Running:
    """A source that runs in a thread, and what it delivered."""

    def __init__(self, source):
        self.source, self.packets = source, []
        self.decoder, self.messages, self.refused = Decoder(), [], 0
        self.thread = threading.Thread(target=source.run, args=(self.take,))

    def take(self, packet: Packet):
        """Note a packet and what it says."""
        self.packets.append(packet)
        try:
            self.messages.append(self.decoder.decode(packet.payload))
        except ValueError:
            self.refused += 1

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *error):
        self.source.stop()
        self.thread.join(10)
        assert not self.thread.is_alive()

    def numbers(self, name):
        """Return the sequence numbers of the scans of a stream that arrived."""
        scans = [m for m in self.messages if isinstance(m, SensorMessage) and m.stream == name]
        return [message.sequence for message in scans]

    def wait(self, condition, seconds=20.0):
        """Wait until something is so."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, (self.messages, self.source.counters())
            time.sleep(0.005)


class Program:
    """`minesense` as a process: its lines as they come."""

    def __init__(self, *words, folder):
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "minesense", *map(str, words)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=folder,
            env=environment,
        )
        self.lines, self.complaints = [], []
        self.times = []
        self._threads = [
            threading.Thread(target=self._read, args=(self.process.stdout, self.lines, True)),
            threading.Thread(target=self._read, args=(self.process.stderr, self.complaints)),
        ]
        for thread in self._threads:
            thread.start()

    def _read(self, pipe, lines, is_timed=False):
        for line in pipe:
            if is_timed:
                self.times.append(time.monotonic())
            lines.append(line.rstrip("\n"))

    def __enter__(self):
        return self

    def __exit__(self, *error):
        if self.process.poll() is None:
            self.process.kill()
        self.join()

    def wait(self, condition, seconds=120.0):
        """Wait until something is so."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert self.process.poll() is None, self.complaints
            assert time.monotonic() < deadline, (self.lines, self.complaints)
            time.sleep(0.01)

    def port(self):
        """Return the port that it says it listens or sends at."""
        ports = []

        def is_told():
            ports.extend(re.findall(r"(?:listen|at) [0-9.]+:(\d+)", "\n".join(self.complaints)))
            return bool(ports)

        self.wait(is_told)
        return int(ports[0])

    def events(self, kind):
        """Return the events of a kind that were printed so far."""
        found = [json.loads(line) for line in self.lines.copy()]
        return [event for event in found if event["event"] == kind]

    def end(self, number=signal.SIGINT, seconds=60.0):
        """Send a signal; return the exit code."""
        self.process.send_signal(number)
        return self.finish(seconds)

    def finish(self, seconds=120.0):
        """Wait for the end; return the exit code."""
        code = self.process.wait(seconds)
        self.join()
        return code

    def join(self):
        """Wait for the last lines."""
        for thread in self._threads:
            thread.join(10)
        with contextlib.suppress(OSError):
            self.process.stdout.close()
            self.process.stderr.close()
