"""Benchmark what an operator waits for: the start of `minesense stream`, and every scan."""

import json
import os
import re
import socket
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from minesense.message import SensorMessage, StreamDeclaration
from minesense.payload import Encoder
from minesense.sensor import Circle, Head, PulseTrain, Sensor
from minesense.stream.frames import encode_frame

RATE, SECONDS = 100.0, 5.0
START_LIMIT = 2.0  # s, from the command to the first scan that was processed, caches warm
LATE_LIMIT = 0.03  # s, from sending a scan to its line, behind the first second of scans


def coil():
    """Return a metal detector of one coil and eight gates."""
    edges = 1e-5 * 1.5 ** np.arange(9.0)
    train = PulseTrain(
        pulse=2e-4,
        ramp=1e-6,
        half_period=2e-3,
        receiver_tau=1e-6,
        gates=np.column_stack([edges[:-1], edges[1:]]),
    )
    circle = (Circle(radius=0.1, turns=10),)
    return Sensor(
        name="coil",
        kind="emi",
        axis=np.sqrt(edges[:-1] * edges[1:]),
        lever_arms=np.zeros((1, 3)),
        head=Head(transmitter=circle, receiver=circle, excitation=train, height=0.05),
    )


def frames():
    """Return the frames of a declaration and of scans."""
    encoder, rng = Encoder(), np.random.default_rng(seed=0)
    sensor = coil()
    stream = StreamDeclaration(
        name="coil", kind="sensor", clock="sensor", rate=RATE, lag_error=0.0, sensor=sensor
    )
    yield encode_frame(encoder.encode(stream))
    for k in range(int(RATE * SECONDS)):
        samples = rng.normal(size=sensor.shape).astype(np.float32)
        scan = SensorMessage(stream="coil", sequence=k, stamp=k / RATE, samples=samples)
        yield encode_frame(encoder.encode(scan))


def conduct(folder):
    """Run the program and a device; return the start and the delays of all scans, s."""
    began = time.monotonic()
    words = ["stream", "--source", "listen:0", "--record", f"{began}.mcap", "--events", "all"]
    program = subprocess.Popen(
        [sys.executable, "-m", "minesense", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
        env=os.environ | {"MINESENSE_CACHE": "1", "NUMBA_CACHE_DIR": str(folder / "kernels")},
    )
    told = []

    def read():
        for line in program.stdout:
            if json.loads(line)["event"] == "search_score":
                told.append(time.monotonic())

    reader = threading.Thread(target=read)
    reader.start()
    port = int(re.search(r":(\d+)$", program.stderr.readline().strip())[1])
    sent = []
    with socket.create_connection(("127.0.0.1", port)) as link:
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        first, *others = frames()
        link.sendall(first)
        start = time.monotonic()
        for k, frame in enumerate(others):
            time.sleep(max(0.0, start + k / RATE - time.monotonic()))
            sent.append(time.monotonic())
            link.sendall(frame)
        while len(told) < len(sent):
            time.sleep(0.01)
    program.terminate()
    program.stderr.read()
    assert program.wait(30) == 0
    reader.join()
    program.stdout.close()
    program.stderr.close()
    return told[0] - began, np.array(told) - np.array(sent)


@pytest.mark.parametrize("figure", ["start", "late"])
def test_the_operator_does_not_wait(benchmark, tmp_path, figure):
    """A device that connects at once; the first run warms the caches up and is left out."""
    conduct(tmp_path)
    starts, longest = [], []

    def run():
        start, delays = conduct(tmp_path)
        starts.append(start)
        longest.append(float(delays[int(RATE) :].max()))

    benchmark.pedantic(run, rounds=3)
    benchmark.extra_info["start_s"] = min(starts)
    benchmark.extra_info["longest_delay_s"] = min(longest)
    if benchmark.stats:
        if figure == "start":
            assert min(starts) < START_LIMIT
        else:
            assert min(longest) < LATE_LIMIT
