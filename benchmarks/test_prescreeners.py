"""Benchmark prescreeners and candidates: a lane, and one trace, beside plain NumPy."""

import itertools
import time
import warnings
from functools import partial

import numpy as np
import numpy.testing as npt
import pytest
from numpy.lib.stride_tricks import sliding_window_view
from scipy.ndimage import maximum_filter, uniform_filter1d

from minesense.detect.candidates import ExtractCandidates, extract_candidates
from minesense.emi.preprocess import received_decays, soil_decay
from minesense.emi.prescreen import PrescreenDecay
from minesense.gpr import EchoShapes, PatchForm, PrescreenShapes
from minesense.gpr.prescreen import PrescreenEnergy
from minesense.sensor import Circle, Head, PulseTrain, Radar, Sensor
from minesense.stage import run_lane
from minesense.sweep import Sweep

SPACING = 0.05
N_TRACES = 400  # 20 m


def make_lane(sensor, seed):
    """Return noise as a lane northward."""
    rng = np.random.default_rng(seed)
    northing = SPACING * np.arange(N_TRACES)
    return Sweep(
        samples=rng.normal(size=(N_TRACES, *sensor.shape)),
        time=northing,
        position=np.column_stack([0 * northing, northing, 0 * northing]),
        heading=np.zeros(N_TRACES),
        sensor=sensor,
    )


EDGES = np.geomspace(12e-6, 400e-6, 13)
TRAIN = PulseTrain(
    gates=np.column_stack([EDGES[:-1], EDGES[1:]]),
    pulse=200e-6,
    ramp=5e-6,
    half_period=1e-3,
    receiver_tau=1e-6,
)
COIL = (Circle(radius=0.1),)
RADAR = Sensor(
    name="radar",
    kind="gpr",
    axis=5e-11 * np.arange(320),
    lever_arms=0.1 * np.arange(8)[:, None] * [1, 0, 0],
    radar=Radar(centre_frequency=1.5e9),
)
COILS = Sensor(
    name="coils",
    kind="emi",
    axis=EDGES[:-1],
    lever_arms=0.25 * np.arange(4)[:, None] * [1, 0, 0],
    head=Head(transmitter=COIL, receiver=COIL, excitation=TRAIN),
)
TAUS = np.geomspace(5e-6, 1e-3, 10)


def ring_view(values, n_guard, n_ring):
    """Return the values around each trace but for a guard, NaN beyond the lane."""
    padded = np.pad(values, [(n_ring, n_ring), (0, 0), (0, 0)], constant_values=np.nan)
    windows = sliding_window_view(padded, 2 * n_ring + 1, axis=0)
    index = np.arange(-n_ring, n_ring + 1)
    return windows[..., np.abs(index) > n_guard]


def median_and_spread(ring):
    """Return median and 1.4826 MAD, as a user would write them."""
    middle = np.nanmedian(ring, axis=-1)
    return middle, 1.4826 * np.nanmedian(np.abs(ring - middle[..., None]), axis=-1)


def numpy_energy(samples):
    """Score a radar lane with NumPy: bins of 10 samples from 5 to 5, best three."""
    halves = (samples.astype(float) ** 2).reshape(*samples.shape[:2], -1, 5).sum(axis=-1)
    y = np.log1p(halves[..., 1:] + halves[..., :-1])
    middle, spread = median_and_spread(ring_view(y, 7, 24))
    t = (y - middle) / np.maximum(spread, 0.1)
    return sliding_window_view(t, 3, axis=-1).sum(axis=-1)


def log_energy(samples):
    """Return the log energies of bins of 10 samples from 5 to 5."""
    halves = (samples.astype(float) ** 2).reshape(*samples.shape[:2], -1, 5).sum(axis=-1)
    return np.log1p(halves[..., 1:] + halves[..., :-1])


def scipy_mean(samples):
    """Score a radar lane by means and deviations from running sums, with SciPy."""
    y = log_energy(samples)

    def ring_sum(values):
        sums = [
            n * uniform_filter1d(values, n, axis=0, mode="constant") for n in (2 * 24 + 1, 15)
        ]
        return sums[0] - sums[1]

    count = ring_sum(np.ones((len(y), 1, 1)))
    mean = ring_sum(y) / count
    variance = (ring_sum(y**2) - count * mean**2) / (count - 1)
    t = (y - mean) / np.maximum(np.sqrt(np.maximum(variance, 0)), 0.1)
    return sliding_window_view(t, 3, axis=-1).sum(axis=-1)


def numpy_quantile(samples):
    """Score a radar lane by the quantile of each ring, and its MAD."""
    y = log_energy(samples)
    ring = ring_view(y, 7, 24)
    _, spread = median_and_spread(ring)
    t = (y - np.nanquantile(ring, 0.75, axis=-1)) / np.maximum(spread, 0.1)
    return sliding_window_view(t, 3, axis=-1).sum(axis=-1)


def numpy_greatest(samples):
    """Score a radar lane by the half ring of the greater median."""
    y = log_energy(samples)
    both = ring_view(y, 7, 24)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # halves beyond the lane are empty
        found = [median_and_spread(both[..., :17]), median_and_spread(both[..., 17:])]
    # a half of fewer than 5 traces has no say
    levels = [
        np.where(np.isfinite(half).sum(axis=-1) >= 5, level, -np.inf)
        for half, (level, _) in zip((both[..., :17], both[..., 17:]), found, strict=True)
    ]
    is_behind = levels[0] >= levels[1]
    spread = np.where(is_behind, found[0][1], found[1][1])
    t = (y - np.maximum(*levels)) / np.maximum(spread, 0.1)
    return sliding_window_view(t, 3, axis=-1).sum(axis=-1)


def numpy_decay(samples):
    """Score a coil lane with NumPy, taking the gates as independent once projected."""
    soil = soil_decay(TRAIN) / np.linalg.norm(soil_decay(TRAIN))
    z = samples - (samples @ soil)[..., None] * soil
    z = sliding_window_view(np.pad(z, [(2, 2), (0, 0), (0, 0)]), 5, axis=0).sum(axis=-1)
    bank = received_decays(TRAIN, TAUS)
    _, spread = median_and_spread(ring_view(z, 10, 100))
    white = soil / spread
    white /= np.linalg.norm(white, axis=-1, keepdims=True)
    template = bank[:, None, None] / spread
    template -= (template * white).sum(axis=-1, keepdims=True) * white
    template /= np.linalg.norm(template, axis=-1, keepdims=True)
    return np.maximum(0, (template * z / spread).sum(axis=-1).max(axis=0))[..., None]


new_energy = partial(PrescreenEnergy, spacing=SPACING, bin_length=5e-10)
new_decay = partial(PrescreenDecay, spacing=SPACING, taus=TAUS)
CASES = {  # a new stage; its lane; what a user would write
    "energy": (new_energy, make_lane(RADAR, 0), numpy_energy),
    "decay": (new_decay, make_lane(COILS, 1), numpy_decay),
}
#: Other references of the energy: options, what a user would write, least ratio.
REFERENCES = {
    "mean": ({"reference": "mean"}, scipy_mean, 0.7),
    "quantile": ({"reference": "quantile"}, numpy_quantile, 10),
    "greatest": ({"halves": "greatest"}, numpy_greatest, 10),
}
each = pytest.mark.parametrize(("new", "lane", "baseline"), CASES.values(), ids=CASES)


@each
def test_lane(benchmark, new, lane, baseline):
    """A whole lane, ten times faster than NumPy's sorts in the same process."""
    run_lane(new(), lane[:50])  # compiles the kernels
    result = benchmark(lambda: run_lane(new(), lane)).samples
    start = time.perf_counter()
    expected = baseline(lane.samples)
    seconds = benchmark.extra_info["baseline_s"] = time.perf_counter() - start
    if baseline is numpy_energy:
        npt.assert_allclose(result, expected, rtol=1e-3, atol=1e-3)
    else:  # it leaves out the step from spreads to variances: alike, not equal
        assert np.corrcoef(result[9:-9].ravel(), expected[9:-9].ravel())[0, 1] > 0.9
    if benchmark.stats:
        ratio = benchmark.extra_info["ratio"] = seconds / benchmark.stats["median"]
        assert ratio > 10


@pytest.mark.parametrize(("options", "baseline", "least"), REFERENCES.values(), ids=REFERENCES)
def test_references(benchmark, options, baseline, least):
    """Other references of the energy beside SciPy's running sums and NumPy's sorts."""
    lane = CASES["energy"][1]
    run_lane(new_energy(**options), lane[:50])  # compiles the kernels
    ours, theirs = [], []
    for _ in range(3):
        start = time.perf_counter()
        result = run_lane(new_energy(**options), lane).samples
        middle = time.perf_counter()
        expected = baseline(lane.samples)
        ours.append(middle - start)
        theirs.append(time.perf_counter() - middle)
    npt.assert_allclose(result, expected, rtol=2e-3, atol=2e-3)
    benchmark(lambda: run_lane(new_energy(**options), lane))
    if benchmark.stats:
        ratio = float(np.median(np.array(theirs) / np.array(ours)))
        benchmark.extra_info["ratio"] = ratio
        assert ratio > least


def any_shapes():
    """Return shapes of the size that training learns: 14 over 17 traces and 32 samples."""
    form = PatchForm(
        spacing=SPACING, reach=0.4, step=0.05, start_time=1.5e-9, interval=1e-10, n_samples=32
    )
    weights = np.random.default_rng(2).normal(size=(*form.shape, 14)).astype("<f4")
    return EchoShapes(form=form, filters=weights.tobytes())


def numpy_shapes(samples, weights):
    """Score every patch as BLAS projects it, with NumPy's medians around."""
    traces = np.pad(samples[:, :, 30:94:2], [(8, 8), (0, 0), (0, 0)])
    windows = sliding_window_view(traces, 17, axis=0)  # traces, channels, samples, taps
    along = np.tensordot(windows, weights, axes=([3, 2], [0, 1]))
    energy = 10 * np.log10((along**2).sum(axis=-1))
    return energy - np.nanmedian(ring_view(energy[..., None], 2, 10), axis=-1)[..., 0]


def test_shapes(benchmark):
    """A lane by learnt shapes, beside BLAS, which gives no depths and sums as it likes."""
    shapes, lane = any_shapes(), CASES["energy"][1]

    def ours():
        return run_lane(PrescreenShapes(shapes, bin_length=5e-10), lane).samples

    ours()  # compiles the kernels
    times = []
    for _ in range(5):
        start = time.perf_counter()
        result = ours().max(axis=2)
        middle = time.perf_counter()
        expected = numpy_shapes(lane.samples, shapes.weights)
        times.append((time.perf_counter() - middle) / (middle - start))
    npt.assert_allclose(result, expected, rtol=1e-3, atol=1e-3)
    benchmark(ours)
    if benchmark.stats:
        benchmark.extra_info["ratio"] = float(np.median(times))
        assert np.median(times) > 0.4


@each
def test_one_trace(benchmark, new, lane, baseline):
    """Compute time of one trace in a stream."""
    stage = new()
    traces = [lane[i : i + 1] for i in range(N_TRACES)]
    stage.process(lane[:50])  # compiles the kernels and fills the rings

    def feed(number=itertools.count(50)):  # noqa: B008  counts on from call to call
        i = next(number)
        if i % N_TRACES == 0:
            stage.reset()
        return stage.process(traces[i % N_TRACES])

    benchmark(feed)
    if benchmark.stats:
        # 0.1 s a trace, at 0.5 m/s
        benchmark.extra_info["share_of_interval"] = benchmark.stats["median"] / 0.1
        assert benchmark.stats["median"] < 0.01 * 0.1


def test_candidates(benchmark):
    """Peaks of a lane beside a rectangular maximum filter, which knows no distances."""
    scores = run_lane(new_energy(), CASES["energy"][1])
    options = {"spacing": SPACING, "merge_radius": 0.25, "threshold": 4.0}
    extract_candidates(scores[:20], **options)  # compiles the kernel
    found = benchmark(lambda: extract_candidates(scores, **options))
    start = time.perf_counter()
    cells = scores.samples.max(axis=2)
    peaks = np.argwhere((cells == maximum_filter(cells, size=(11, 5))) & (cells > 4.0))
    seconds = benchmark.extra_info["baseline_s"] = time.perf_counter() - start
    # the rectangle holds the disc, so that its peaks are candidates as well
    assert {(c.trace, c.channel) for c in found} >= set(map(tuple, peaks.tolist()))
    if benchmark.stats:
        benchmark.extra_info["ratio"] = seconds / benchmark.stats["median"]


def test_candidates_of_one_trace(benchmark):
    """Compute time of one trace of scores in a stream."""
    scores = run_lane(new_energy(), CASES["energy"][1])
    stage = ExtractCandidates(spacing=SPACING, merge_radius=0.25, threshold=4.0)
    traces = [scores[i : i + 1] for i in range(N_TRACES)]
    stage.process(scores[:20])

    def feed(number=itertools.count(20)):  # noqa: B008  counts on from call to call
        i = next(number)
        if i % N_TRACES == 0:
            stage.reset()
        return stage.process(traces[i % N_TRACES])

    benchmark(feed)
