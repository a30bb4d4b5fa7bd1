"""
Benchmark the whole radar chain on the largest array, one scan at a time on one core.

51 channels of 415 samples, a scan each centimetre at 12 km/h: 333 scans/s, 3 ms for each.
A scan goes from raw samples through every stage to candidates; figures are by stage too.
"""

import contextlib
import subprocess
import sys
import time

import numpy as np
import pytest

from minesense.detect import ExtractCandidates
from minesense.gpr import (
    AlignGround,
    BandPass,
    Dewow,
    PrescreenPrediction,
    RemoveBackground,
    Whiten,
)
from minesense.sensor import Radar, Sensor
from minesense.sweep import Sweep

SPACING, INTERVAL, STEP = 0.01, 0.003, 5e-11
N_SCANS, N_CHANNELS, N_SAMPLES = 900, 51, 415
N_FIRST = 400  # scans until the longest window is full and every kernel is compiled

#: From raw samples to candidates, in the order the data visits them.
STAGES = {
    "ground": lambda: AlignGround(search=(2e-9, 4.5e-9), ground_time=3e-9),
    "dewow": lambda: Dewow(window=1.4e-9),
    "band": lambda: BandPass(low=0.4e9, high=3.5e9),
    "background": lambda: RemoveBackground(spacing=SPACING, length=1.5),
    "whiten": lambda: Whiten(spacing=SPACING, length=2.5, guard=0.4, step=0.05),
    "prediction": lambda: PrescreenPrediction(
        spacing=SPACING, bin_length=0.6e-9, start_time=3.2e-9, step=0.05
    ),
    "candidates": lambda: ExtractCandidates(spacing=SPACING, merge_radius=0.25, threshold=40.0),
}


def ricker(phase):
    """Return a pulse of unit peak."""
    return (1 - 2 * phase**2) * np.exp(-(phase**2))


@pytest.fixture(scope="module")
def lane():
    """Return a lane of an array: noise, direct wave, a bounce that wanders, and echoes."""
    rng = np.random.default_rng(seed=0)
    samples = rng.normal(size=(N_SCANS, N_CHANNELS, N_SAMPLES)).astype(np.float32)
    k, j = np.arange(N_SCANS)[:, None], np.arange(N_SAMPLES)
    bounce = 60 + 4 * np.sin(k / 80)
    clutter = 20 * ricker(np.pi * 0.075 * (j - bounce)) + 30 * ricker(0.24 * (j - 25))
    samples += clutter[:, None]
    for middle in range(450, N_SCANS, 100):
        near = slice(middle - 15, middle + 16)
        along = np.hypot(80, 4 * np.arange(-15, 16))[:, None]
        echo = 12 * ricker(np.pi * 0.075 * (j - bounce[near] - along))
        samples[near, 20:24] += echo[:, None]
    northing = SPACING * np.arange(N_SCANS)
    return Sweep(
        samples=samples,
        time=INTERVAL * np.arange(N_SCANS),
        position=np.column_stack([0 * northing, northing, 0 * northing]),
        heading=np.zeros(N_SCANS),
        sensor=Sensor(
            name="array",
            kind="gpr",
            axis=STEP * np.arange(N_SAMPLES),
            lever_arms=0.05 * np.arange(N_CHANNELS)[:, None] * [1, 0, 0],
            radar=Radar(centre_frequency=1.5e9),
        ),
    )


def run_chain(chunks):
    """Return seconds by chunk and stage, and the candidates."""
    chain = [make() for make in STAGES.values()]
    seconds, found = np.zeros((len(chunks), len(chain))), []
    for k, chunk in enumerate(chunks):
        result = chunk
        for s, stage in enumerate(chain):
            start = time.perf_counter()
            result = stage.process(result)
            seconds[k, s] = time.perf_counter() - start
        found += result
    return seconds, found


@contextlib.contextmanager
def busy_neighbour():
    """Keep another core busy for as long as this lasts."""
    neighbour = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        neighbour.kill()
        neighbour.wait()


@pytest.mark.parametrize(("n_together", "neighbour"), [(1, "idle"), (1, "busy"), (10, "idle")])
def test_chain_keeps_up(benchmark, lane, n_together, neighbour):
    """Time of a scan, alone or ten together, beside the 3 ms that it has."""
    chunks = [lane[i : i + n_together] for i in range(0, N_SCANS, n_together)]
    run_chain(chunks[: len(chunks) // 2])  # compiles the kernels
    with busy_neighbour() if neighbour == "busy" else contextlib.nullcontext():
        seconds, found = benchmark.pedantic(lambda: run_chain(chunks), rounds=1)
    assert {20, 21, 22, 23} & {c.channel for c in found}
    steady = seconds[N_FIRST // n_together :]
    whole = steady.sum(axis=1)
    times_real_time = n_together * INTERVAL / whole.mean()
    p99 = float(np.percentile(whole, 99))
    figures = {
        "times_real_time": round(float(times_real_time), 2),
        "median_ms": round(1e3 * float(np.median(whole)), 3),
        "p99_ms": round(1e3 * p99, 3),
    }
    for name, column in zip(STAGES, steady.T, strict=True):
        figures[f"{name}_median_ms"] = round(1e3 * float(np.median(column)), 3)
        figures[f"{name}_p99_ms"] = round(1e3 * float(np.percentile(column, 99)), 3)
    benchmark.extra_info.update(figures)
    # about a quarter of what an idle machine reached
    assert not benchmark.stats or times_real_time > (1.0 if neighbour == "idle" else 0.5)
