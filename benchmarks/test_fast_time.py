"""
Benchmark what works along the two-way time of each trace beside what a user would write.

Ratios are of medians of calls taken in turns in this process, so that a busy neighbour
slows both. They go into the report with their losses; only ratios far below what was
measured fail, since the peers' speed differs between machines.
"""

import itertools
import statistics
import time
from functools import partial

import numpy as np
import numpy.testing as npt
import pytest
from scipy import fft, ndimage, signal

from minesense.gpr import BandPass, Declip, Despike, Dewow, FlattenSpectrum
from minesense.sensor import Radar, Sensor
from minesense.stage import run_lane
from minesense.sweep import Sweep

try:
    import bottleneck
except ImportError:  # not a dependency; the best peer of sliding windows where it is there
    bottleneck = None

STEP, N_SAMPLES = 5e-11, 512
BAND = (0.4e9, 3.5e9)
SOS = signal.butter(4, BAND, "bandpass", output="sos", fs=1 / STEP)
NARROW = signal.butter(4, (2e7, 4e8), "bandpass", output="sos", fs=1 / STEP)


def make_lane(n_traces):
    """Return noise with a strong bounce that is clipped at 15, and a spike here and there."""
    rng = np.random.default_rng(seed=0)
    bounce = 60 + 10 * np.sin(np.arange(n_traces) / 40)
    phase = np.pi * 0.075 * (np.arange(N_SAMPLES) - bounce[:, None])
    samples = 20 * (1 - 2 * phase**2) * np.exp(-(phase**2))
    samples += rng.normal(size=samples.shape)
    samples[:, ::100] += 30 * (rng.random((n_traces, 6)) < 0.01)
    return Sweep(
        samples=samples.clip(-15, 15)[:, None],
        time=np.arange(n_traces),
        position=np.zeros((n_traces, 3)),
        heading=np.zeros(n_traces),
        sensor=Sensor(
            name="benchmark",
            kind="gpr",
            axis=STEP * np.arange(N_SAMPLES),
            lever_arms=[[0, 0, 0]],
            radar=Radar(centre_frequency=1.5e9),
        ),
    )


LANE = make_lane(20_000)
TRACES = [LANE[k : k + 1] for k in range(2_000)]


def causal(x):
    """Filter with SciPy, settled on the first sample."""
    start = signal.sosfilt_zi(SOS)[:, None, None, :] * x[None, :, :, :1]
    return signal.sosfilt(SOS, x, axis=2, zi=start)[0]


def sliding_median(x, size=11):
    """Subtract the sliding median: bottleneck's, else SciPy's by trace."""
    if bottleneck is not None:
        median = np.zeros_like(x)
        half = size // 2
        median[..., half:-half] = bottleneck.move_median(x, size, axis=2)[..., 2 * half :]
        return x - median
    return x - np.stack([ndimage.median_filter(trace[0], size) for trace in x])[:, None]


def hampel(x, size=11):
    """Replace single outliers: median and spread of SciPy and NumPy, on views of windows."""
    windows = np.lib.stride_tricks.sliding_window_view(x, size, axis=2)
    middle = np.median(windows, axis=3)
    spread = 1.4826 * np.median(np.abs(windows - middle[..., None]), axis=3)
    usual = np.median(spread, axis=2, keepdims=True)
    inner = x[..., size // 2 : -(size // 2)]
    is_out = np.abs(inner - middle) > 6 * np.maximum(spread, 0.1 * usual)
    cleaned = x.copy()
    cleaned[..., size // 2 : -(size // 2)] = np.where(is_out, middle, inner)
    return cleaned


def flattened(x):
    """Divide by a running mean of the spectrum, as one would write it with SciPy."""
    n = fft.next_fast_len(N_SAMPLES + 100, real=True)
    spectra = fft.rfft(x, n, axis=2)
    frequency = np.arange(spectra.shape[2]) / (n * STEP)
    width = 2 * round((2e8 * n * STEP - 1) / 2) + 1
    inside = (frequency > BAND[0]) & (frequency < BAND[1])
    share = np.where(inside, 1, 0).astype(np.float32)
    edge = np.minimum(frequency - BAND[0], BAND[1] - frequency) / 4e8
    share[inside] = np.sin(np.pi / 2 * edge[inside].clip(0, 1)) ** 2
    smooth = ndimage.uniform_filter1d(np.abs(spectra), width, axis=2)
    most = smooth[..., inside].max(axis=2, keepdims=True)
    wanted = share * spectra
    flat = wanted / np.maximum(smooth, 0.01 * most)
    before = (np.abs(wanted) ** 2).sum(axis=2, keepdims=True)
    flat *= np.sqrt(before / (np.abs(flat) ** 2).sum(axis=2, keepdims=True))
    return fft.irfft(flat, n, axis=2)[..., :N_SAMPLES]


CASES = {  # a new stage; its peer; traces; samples left out at ends; least ratio that passes
    "band-pass": (
        partial(BandPass, low=BAND[0], high=BAND[1]),
        partial(signal.sosfiltfilt, SOS, axis=2),
        20_000,
        0,
        2.4,
    ),
    "band-pass, low": (
        partial(BandPass, low=2e7, high=4e8),
        partial(signal.sosfiltfilt, NARROW, axis=2),
        20_000,
        0,
        2.4,
    ),
    "causal band-pass": (
        partial(BandPass, low=BAND[0], high=BAND[1], phase="causal"),
        causal,
        20_000,
        0,
        1.0,
    ),
    "median dewow": (
        partial(Dewow, window=11 * STEP, statistic="median"),
        sliding_median,
        20_000,
        5,
        2.8,
    ),
    "median dewow, long": (
        partial(Dewow, window=51 * STEP, statistic="median"),
        partial(sliding_median, size=51),
        20_000,
        25,
        2.5,
    ),
    "spikes": (partial(Despike, window=11 * STEP, longest=STEP), hampel, 500, 0, 6.0),
    "flat spectrum": (
        partial(FlattenSpectrum, low=BAND[0], high=BAND[1], taper=4e8, smoothing=2e8),
        flattened,
        20_000,
        0,
        1.1,
    ),
}
CLIPPING = partial(Declip, rails=(-15.0, 15.0), longest=10 * STEP)
NEW = {name: case[0] for name, case in CASES.items()} | {"clipping": CLIPPING}


def seconds_of(function):
    """Return the time a call takes."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


@pytest.mark.parametrize("name", CASES)
def test_lane(benchmark, name):
    """A whole lane; the ratio to the peer in turns, and the same result."""
    new, peer, n_traces, n_ends, least = CASES[name]
    lane = LANE[:n_traces]
    result = run_lane(new(), lane).samples  # compiles the kernels
    expected = peer(lane.samples)
    inner = (slice(None), 0, slice(n_ends, N_SAMPLES - n_ends))
    differs = np.abs(result[inner] - expected[inner]) > 1e-5 * 15
    # spikes beside each other stay, and windows are shorter at the ends
    assert differs.mean() < {"spikes": 5e-3}.get(name, 1e-9)
    pairs = [
        (seconds_of(lambda: peer(lane.samples)), seconds_of(lambda: run_lane(new(), lane)))
        for _ in range(7)
    ]
    ratio = statistics.median(theirs / ours for theirs, ours in pairs)
    benchmark.extra_info["peer_s"] = statistics.median(theirs for theirs, _ in pairs)
    benchmark.extra_info["times_faster_than_peer"] = round(ratio, 2)
    benchmark.pedantic(lambda: run_lane(new(), lane), rounds=5)
    assert not benchmark.stats or ratio > least


def test_clipping_of_a_lane(benchmark):
    """A bounce that is clipped in every trace; no call of a library does this."""
    lane = LANE[:2_000]
    stage = CLIPPING()
    restored = stage.process(lane)
    assert (stage.n_replaced > 0).mean() > 0.9  # a spike in the first sample cannot be undone
    known = (np.abs(lane.samples) < 15) & restored.is_usable[:, None, None]
    npt.assert_array_equal(restored.samples[known], lane.samples[known])
    benchmark.pedantic(lambda: run_lane(CLIPPING(), lane), rounds=5)


@pytest.mark.parametrize("name", NEW)
def test_one_trace(benchmark, name):
    """Compute time of one trace; an operator waits for this."""
    stage, counter = NEW[name](), itertools.count()
    stage.process(LANE[:150])  # compiles the kernels

    def step():
        k = 150 + next(counter)
        if k % len(TRACES) == 0:
            stage.reset()
        stage.process(TRACES[k % len(TRACES)])

    benchmark.pedantic(step, rounds=400, iterations=1)
    # 240 traces a second are what a fast instrument with one channel delivers
    assert not benchmark.stats or benchmark.stats["median"] < 0.25 / 240
