"""Test backgrounds of centred windows: groups, guards, threads, means."""

import itertools
import math
import os

import naive_sliding
import numpy as np
import numpy.testing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lanes import make_sensor, make_sweep

from minesense.along_track import RemoveMedianBackground, remove_median_background
from minesense.gpr import (
    Dewow,
    Equalise,
    PrepareDisplay,
    PrescreenEnergy,
    RemoveBackground,
    prepare_display,
)
from minesense.sliding_mean import RemoveMeanBackground, remove_mean_background
from minesense.stage import Pipeline, run_lane, stream
from minesense.sweep import Quality, join

#: Plain Python takes a second for what kernels do in a millisecond.
IS_COMPILED = os.environ.get("NUMBA_DISABLE_JIT", "0") == "0"
FUNCTIONS = {
    "median": (remove_median_background, np.median),
    "mean": (remove_mean_background, np.mean),
}
both = pytest.mark.parametrize(("remove", "statistic"), FUNCTIONS.values(), ids=FUNCTIONS)

TRACES = np.random.default_rng(seed=0).normal(size=(50, 2, 40)).astype(np.float32)
TRACES[..., ::2] = TRACES[..., ::2].round()  # ties, and zeros of either sign

dropouts = st.sets(st.integers(0, 49), max_size=30)


def lane_of(traces, bad=()):
    """Return a lane whose traces `bad` are flagged and hold nonsense."""
    traces = np.array(traces, np.float32)
    quality = np.zeros(len(traces), np.int64)
    traces[list(bad)], quality[list(bad)] = np.nan, Quality.NOT_FINITE
    return make_sweep(traces, quality=quality)


def steps(n):
    """Return options for a window of n traces on each side."""
    return {"spacing": 0.05, "half_width": 0.05 * n}


# Groups of 16, 32 and 64 windows; one or two whole blocks in common, and what is left of one.
@pytest.mark.parametrize("h", [15, 16, 19, 23, 27, 30, 31, 34, 39, 47, 50, 62, 63, 77, 87, 95])
@pytest.mark.parametrize("share", [0.0, 0.15, 1.0])
def test_groups_of_medians_match_the_definition(h, share):
    """To the last bit, with ties, dropouts and a number of columns that fills no block."""
    n_traces = 400 if IS_COMPILED else 90
    rng = np.random.default_rng(seed=h)
    traces = rng.normal(size=(n_traces, 1, 37)).astype(np.float32)
    traces[..., ::3] = traces[..., ::3].round()
    lane = lane_of(traces, np.flatnonzero(rng.random(n_traces) < share))
    expected, _ = naive_sliding.remove_centred(traces, h, -1, lane.is_usable, np.median)
    result = remove_median_background(lane, **steps(h)).samples
    npt.assert_array_equal(result, expected.astype(np.float32))


@pytest.mark.parametrize("n_traces", [0, 1, 7, 8, 16, 17, 40])
def test_groups_of_medians_in_short_lanes(n_traces):
    """A lane shorter than a window, a group or half of one."""
    lane = lane_of(TRACES[:n_traces], [0] if n_traces > 7 else [])
    expected, _ = naive_sliding.remove_centred(
        TRACES[:n_traces], 20, -1, lane.is_usable, np.median
    )
    result = remove_median_background(lane, **steps(20)).samples
    npt.assert_array_equal(result, expected.astype(np.float32))


def test_methods_may_take_turns():
    """Large chunks go in groups, small ones trace by trace: the same bits, zeros included."""
    rng = np.random.default_rng(seed=1)
    traces = rng.normal(size=(260, 1, 70)).round().astype(np.float32)
    traces *= np.where(rng.random(traces.shape) < 0.5, -1, 1)  # zeros of either sign
    lane = lane_of(traces, [3, 60, 61, 140, 200])
    whole = remove_median_background(lane, **steps(16)).samples
    bounds = [0, 1, 90, 92, 100, 108, 180, 181, 259, 260]
    chunks = [lane[a:b] for a, b in itertools.pairwise(bounds)]
    one_by_one = [lane[k : k + 1] for k in range(260)]
    for cut in (chunks, one_by_one):
        result = join(list(stream(RemoveMedianBackground(**steps(16)), cut))).samples
        assert result.tobytes() == whole.tobytes()


@both
@pytest.mark.parametrize("guard", [None, 0.1])
def test_workers_do_not_matter(remove, statistic, guard):
    """However many threads share the columns, more than there are blocks included."""
    traces = np.random.default_rng(seed=2).normal(size=(120, 3, 50)).astype(np.float32)
    lane = lane_of(traces, [5, 50])
    options = {**steps(16), "guard": guard}
    expected = remove(lane, **options).samples.tobytes()
    for workers in (2, 3, 300):
        assert remove(lane, **options, workers=workers).samples.tobytes() == expected


@both
@given(bad=dropouts, h=st.integers(1, 20), g=st.integers(-1, 19))
def test_guards_match_the_definition(remove, statistic, bad, h, g):
    """The window is what lies between guard and half-width; where empty, that is said."""
    g = min(g, h - 1)
    lane = lane_of(TRACES[:, :1, :5], sorted(bad))
    expected, has_any = naive_sliding.remove_centred(
        TRACES[:, :1, :5], h, g, lane.is_usable, statistic
    )
    guard = None if g < 0 else 0.05 * g
    result = remove(lane, **steps(h), guard=guard)
    npt.assert_allclose(result.samples, expected.astype(np.float32), atol=1e-6)
    is_edge = result.quality & Quality.EDGE != 0
    npt.assert_array_equal(is_edge[lane.is_usable], ~has_any[lane.is_usable])


@both
def test_a_target_is_no_part_of_its_background(remove, statistic):
    """Up to the guard's length it comes out whole; without a guard the mean keeps less."""
    echo = np.zeros((80, 1, 3), np.float32)
    echo[40:44] = 1.0
    whole = remove(lane_of(echo + 7), **steps(15), guard=0.2).samples
    npt.assert_allclose(whole[40:44], 1.0, atol=1e-6)
    assert abs(whole[:20]).max() < 1e-6
    if statistic is np.mean:
        less = remove(lane_of(echo + 7), **steps(15)).samples
        npt.assert_allclose(less[40:44], 1 - 4 / 31, rtol=1e-5)


def test_mean_of_noise_has_its_variance():
    """White noise leaves s^2 (1 - 1 / n), with a guard s^2 (1 + 1 / n)."""
    noise = 3 * np.random.default_rng(seed=3).normal(size=(900, 1, 60))
    for guard, expected in ((None, 9 * (1 - 1 / 21)), (0.1, 9 * (1 + 1 / 16))):
        residual = remove_mean_background(lane_of(noise), **steps(10), guard=guard).samples
        inner = residual[10:-10]
        # neighbours share windows, so that fewer values are independent
        assert abs(inner.var() - expected) < 6 * expected * math.sqrt(2 / inner.size)


def test_rounding_errors_do_not_live_on():
    """A huge sample spoils sums until they are added up anew, after 16 windows at most."""
    traces = np.random.default_rng(seed=4).normal(size=(400, 1, 3)).astype(np.float32)
    loud = traces.copy()
    loud[60] = 1e25
    quiet, spoilt = (
        remove_mean_background(lane_of(x), **steps(3), guard=0.05).samples
        for x in (traces, loud)
    )
    assert np.abs(spoilt - quiet)[64:112].max() > 0.1
    npt.assert_array_equal(spoilt[112:], quiet[112:])
    npt.assert_allclose(quiet[:57], spoilt[:57], atol=1e-6)


def test_mean_keeps_small_steps_on_a_great_level():
    """Sums are float64: a level of a million does not swallow a ripple of a tenth."""
    level = np.float32(2.0**20)
    ripple = (np.arange(300) % 2 / 8).astype(np.float32)[:, None, None]
    result = remove_mean_background(lane_of(level + ripple), **steps(8)).samples
    expected, _ = naive_sliding.remove_centred(
        ripple + level, 8, -1, np.ones(300, bool), np.mean
    )
    npt.assert_allclose(result, expected, atol=1e-7)


def test_latency_is_in_metres():
    """Half a metre at 5 cm is ten traces, and the history names the guard if there is one."""
    stage = RemoveMeanBackground(spacing=0.05, half_width=0.5)
    assert stage.latency == 10
    assert repr(stage) == "RemoveMeanBackground(spacing=0.05, half_width=0.5)"
    stage = RemoveMedianBackground(spacing=0.05, half_width=0.5, guard=0.2)
    assert "guard=0.2" in repr(stage)


@both
@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"spacing": 0.0}, ValueError, "Invalid spacing '0.0'"),
        ({"half_width": 0.04}, ValueError, "Invalid half_width '0.04'. Must be at least the"),
        ({"guard": -0.1}, ValueError, "Invalid guard '-0.1'. Must be finite and not neg"),
        ({"guard": 0.28}, ValueError, "Invalid guard '0.28'. Must be less than the half_width"),
        ({"guard": "wide"}, TypeError, "Invalid guard 'wide'. Must be a number"),
        ({"workers": 0}, ValueError, "Invalid workers '?0'?"),
    ],
)
def test_bad_options_are_named(remove, statistic, options, error, message):
    """The error names the argument, shows its value and states the rule."""
    with pytest.raises(error, match=message):
        remove(lane_of(TRACES), **{**steps(6), **options})


DISPLAY = {
    "spacing": 0.05,
    "drift_window": 1.5e-9,
    "background_length": 1.0,
    "gain_window": 1.1e-9,
    "floor": 0.05,
}


@given(
    bad=dropouts,
    drift=st.integers(1, 19),
    gain=st.integers(1, 19),
    silent=st.booleans(),
)
def test_display_is_its_stages_in_series(bad, drift, gain, silent):
    """To the last bit, whatever the windows, through dropouts and traces of zeros."""
    traces = 5 + TRACES * np.linspace(2, 0.1, 40, dtype=np.float32)
    traces[10:13] = 0.0
    if silent:
        traces[:] = 0.0
    lane = lane_of(traces[..., :39], sorted(bad))
    step = lane.sensor.sample_interval
    windows = {"drift_window": (2 * drift + 1) * step, "gain_window": (2 * gain + 1) * step}
    result = prepare_display(lane, **DISPLAY | windows)
    series = Pipeline(
        Dewow(window=windows["drift_window"]),
        RemoveBackground(spacing=0.05, length=1.0),
        Equalise(window=windows["gain_window"], floor=0.05),
    )
    expected = run_lane(series, lane)
    assert result.samples.tobytes() == expected.samples.tobytes()
    assert result.sensor.describe() == expected.sensor.describe()


def test_prescreeners_refuse_what_is_made_for_the_eye():
    """Its amplitudes do not tell a strong echo from a weak one."""
    section = prepare_display(make_sweep(TRACES, sensor=make_sensor(2, 40)), **DISPLAY)
    with pytest.raises(ValueError, match="equalised amplitude"):
        run_lane(
            PrescreenEnergy(spacing=0.05, bin_length=16e-10, guard=0.05, ring=0.25), section
        )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"spacing": -1}, "Invalid spacing '-1.0'"),
        ({"drift_window": 1e-10}, "Invalid drift_window '1e-10'. Must be 3 to 40 samples"),
        ({"gain_window": 1e-6}, "Invalid gain_window '1e-06'. Must be 3 to 40 samples"),
        ({"background_length": 0}, "Invalid background_length '0.0'"),
        ({"floor": 2}, "Invalid floor '2'. Must be at most 1"),
    ],
)
def test_bad_display_options_are_named(options, message):
    """The error names the argument of the stage that joins three."""
    with pytest.raises(ValueError, match=message):
        run_lane(PrepareDisplay(**DISPLAY | options), lane_of(TRACES))
