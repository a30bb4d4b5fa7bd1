"""Benchmark prescreeners by covariance, beside NumPy with arrays of all channels and blocks."""

import time
from functools import partial

import numpy as np
import numpy.testing as npt
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from minesense.gpr.anomaly import PrescreenAnomaly
from minesense.gpr.matched import PrescreenTemplates
from minesense.sensor import Radar, Sensor
from minesense.stage import run_lane
from minesense.sweep import Sweep

SPACING, WIDTH, N_GUARD, N_TURNS = 0.05, 16, 8, 10
FORGET = 1 - np.exp(-SPACING / 5.0)


def make_lane(n_traces, n_channels, n_samples):
    """Return correlated clutter of an array as a lane northward."""
    rng = np.random.default_rng(0)
    samples = rng.normal(size=(n_traces, n_channels, n_samples)).astype(np.float32)
    samples[..., 1:] += 0.8 * samples[..., :-1]
    northing = SPACING * np.arange(n_traces)
    sensor = Sensor(
        name="array",
        kind="gpr",
        axis=5e-11 * np.arange(n_samples),
        lever_arms=0.05 * np.arange(n_channels)[:, None] * [1, 0, 0],
        radar=Radar(centre_frequency=1.5e9),
    )
    return Sweep(
        samples=samples,
        time=northing,
        position=np.column_stack([0 * northing, northing, 0 * northing]),
        heading=np.zeros(n_traces),
        sensor=sensor,
    )


def make_bank(n_samples):
    """Return a short wave every third sample."""
    wave = np.array([-0.5, 2.0, -3.0, 2.0, -0.5])
    bank = np.zeros((len(range(0, n_samples - 8, 3)), n_samples))
    for k, row in enumerate(bank):
        row[3 * k : 3 * k + 5] = wave
    return bank


def blocks_of(values):
    """Return half-overlapping blocks of the last axis, as a view."""
    return sliding_window_view(values, WIDTH, axis=-1)[..., :: WIDTH // 2, :]


def numpy_clutter(samples, bank=None):
    """Score a lane with NumPy: distances, or ACE over a bank; all blocks renewed at a time."""
    blocks = blocks_of(samples)
    shape = blocks.shape[1:]
    mean = np.zeros(shape, np.float32)
    cov = np.zeros((*shape, WIDTH), np.float32)
    out = np.zeros(blocks.shape[:3], np.float32)
    squares, inverse, templates, n = 0.0, None, None, 0
    if bank is not None:
        parts = blocks_of(bank / np.linalg.norm(bank, axis=1, keepdims=True))
        has = (parts**2).sum(axis=-1) >= 0.5  # (n_templates, n_blocks)
        n_most = int(has.sum(axis=0).max())
        kept = np.zeros((shape[1], n_most, WIDTH), np.float32)
        for b in range(shape[1]):
            kept[b, : has[:, b].sum()] = parts[has[:, b], b]
    for k in range(len(blocks)):
        if n >= 50:
            z = blocks[k] - mean
            white = np.einsum("cbij,cbj->cbi", inverse, z)
            whole = (white**2).sum(axis=-1)
            out[k] = whole
            if bank is not None:
                along = np.einsum("cbpi,cbi->cbp", templates, white)
                out[k] = (along**2).max(axis=-1) / whole
        if k >= N_GUARD:
            n += 1
            g = np.float32(max(FORGET, 1 / n))
            d = blocks[k - N_GUARD] - mean
            mean = mean + g * d
            cov += g * (d[..., :, None] * d[..., None, :])
            cov *= 1 - g
            squares = (1 - g) ** 2 * squares + g**2
            if n >= 2 and k % N_TURNS == 0:
                level = np.trace(cov, axis1=-2, axis2=-1)[..., None, None] / WIDTH
                shrunk = (0.9 * cov + 0.1 * level * np.eye(WIDTH)) / (1 - squares)
                inverse = np.linalg.inv(np.linalg.cholesky(shrunk)).astype(np.float32)
                if bank is not None:
                    templates = np.einsum("cbij,bpj->cbpi", inverse, kept)
                    size = np.linalg.norm(templates, axis=-1, keepdims=True)
                    templates = templates / np.maximum(size, 1e-30)
    return out


LANE = make_lane(300, 16, 256)
BANK = make_bank(256)
OPTIONS = {"spacing": SPACING, "block_length": 8e-10}
CASES = {  # a new stage; what a user would write
    "distance": (partial(PrescreenAnomaly, **OPTIONS), numpy_clutter),
    "ace": (partial(PrescreenTemplates, BANK, **OPTIONS), partial(numpy_clutter, bank=BANK)),
}


@pytest.mark.parametrize(("new", "baseline"), CASES.values(), ids=CASES)
def test_lane(benchmark, new, baseline):
    """A lane of 16 channels, beside NumPy in the same process, in turns."""
    run_lane(new(), LANE[:80])  # compiles the kernels
    ours, theirs = [], []
    for _ in range(5):
        start = time.perf_counter()
        result = run_lane(new(), LANE).samples
        middle = time.perf_counter()
        expected = baseline(LANE.samples)
        ours.append(middle - start)
        theirs.append(time.perf_counter() - middle)
    # renewed together there and in turns here: alike, not equal
    late = slice(100, None)
    assert np.corrcoef(result[late].ravel(), expected[late].ravel())[0, 1] > 0.97
    npt.assert_allclose(result[late].mean(), expected[late].mean(), rtol=0.02)
    benchmark.pedantic(lambda: run_lane(new(), LANE), rounds=3)
    if benchmark.stats:
        benchmark.extra_info["baseline_s"] = float(np.median(theirs))
        ratio = float(np.median(np.array(theirs) / np.array(ours)))
        benchmark.extra_info["ratio"] = ratio
        assert ratio > 1.5


SCAN = {
    "distance": CASES["distance"][0],
    "residual": partial(PrescreenAnomaly, **OPTIONS, n_components=4),
    "ace": partial(PrescreenTemplates, make_bank(415), **OPTIONS),
}


@pytest.mark.parametrize("new", SCAN.values(), ids=SCAN)
def test_one_scan(benchmark, new):
    """Compute time of one scan of 51 channels in a stream, at the 99th percentile too."""
    lane, stage = make_lane(200, 51, 415), new()
    scans = [lane[i : i + 1] for i in range(200)]
    stage.process(lane[:80])  # compiles the kernels and fills what is learnt
    wall, processor = [], []
    for i in range(80, 160):
        start, begun = time.perf_counter(), time.thread_time()
        stage.process(scans[i])
        processor.append(time.thread_time() - begun)
        wall.append(time.perf_counter() - start)
    rest = iter(scans[160:])
    benchmark.pedantic(lambda: stage.process(next(rest)), rounds=40)
    for name, seconds in (("", wall), ("processor_", processor)):
        for share in (50, 95, 99):
            benchmark.extra_info[f"{name}p{share}_s"] = float(np.percentile(seconds, share))
    if benchmark.stats:
        # 3 ms a scan at 333 scans/s
        benchmark.extra_info["share_of_interval"] = float(np.median(wall)) / 3e-3
        assert np.median(processor) < 2 * 3e-3
