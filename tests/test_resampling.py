"""Test equal distances along the track against the definition, theory, and dropouts."""

import dataclasses
import itertools
import math

import naive_geometry as naive
import numpy as np
import numpy.testing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lanes import make_coils, make_sensor, make_sweep

from minesense.gpr import ResampleTrack, resample_track
from minesense.stage import Pipeline, run_lane, stream
from minesense.sweep import Quality, join

RNG = np.random.default_rng(seed=0)
N = 120
STEPS = RNG.uniform(0.01, 0.05, N - 1)
PLACES = np.concatenate([[0.0], np.cumsum(STEPS)])
OPTIONS = {"spacing": 0.05, "max_step": 0.2}
methods = pytest.mark.parametrize("method", ["linear", "sinc"])


def lane_of(traces, places=PLACES, **options):
    """Return traces northward at the given distances along the track."""
    traces = np.asarray(traces, np.float32)
    position = np.column_stack([0 * places, places, 0 * places])
    options = {"time": 0.1 * np.arange(len(places)), "position": position} | options
    return make_sweep(traces, **options)


def noise(n=N, n_channels=2, n_samples=3):
    """Return noise."""
    return np.random.default_rng(seed=1).normal(size=(n, n_channels, n_samples))


NOISE = lane_of(noise())


def flagged(lane, flags):
    """Return the lane with flags of traces; samples and pose follow from them."""
    samples, position = lane.samples.copy(), lane.position.copy()
    quality = lane.quality.copy()
    for trace, flag in flags.items():
        quality[trace] |= int(flag)
        if flag & (Quality.STUCK | Quality.NOT_FINITE):
            samples[trace] = [np.nan, 3e4][trace % 2]
        if flag & Quality.POSE_NONE:
            position[trace] = np.nan
    return dataclasses.replace(lane, samples=samples, position=position, quality=quality)


# Against the definition


@pytest.mark.parametrize("spacing", [0.013, 0.03, 0.05, 0.11])
@pytest.mark.parametrize(("method", "lobes"), [("linear", 0), ("sinc", 3)])
def test_matches_the_definition(method, lobes, spacing):
    """For coarser and for finer spacings than the traces had."""
    result = resample_track(NOISE, spacing=spacing, max_step=0.2, method=method)
    places = spacing * np.arange(len(result))
    assert places[-1] <= PLACES[-1] < places[-1] + spacing
    rows = NOISE.samples.reshape(N, -1).astype(float)
    expected = [naive.read_along(PLACES, rows, s, spacing, lobes) for s in places]
    npt.assert_allclose(result.samples.reshape(len(result), -1), expected, atol=2e-6)
    npt.assert_allclose(result.position[:, 1], places, atol=1e-12)
    npt.assert_allclose(result.time, np.interp(places, PLACES, NOISE.time), atol=1e-12)
    assert (result.quality == 0).all()
    assert (
        repr(ResampleTrack(spacing=spacing, max_step=0.2, method=method))
        in (result.history[-1])
    )


@methods
def test_equal_distances_stay_as_they_are(method):
    """A lane that is equal already comes back, to the bits of float32."""
    lane = lane_of(noise(), 0.05 * np.arange(N))
    result = resample_track(lane, **OPTIONS, method=method)
    npt.assert_allclose(result.samples, lane.samples, atol=1e-6)
    npt.assert_allclose(result.position, lane.position, atol=1e-12)
    npt.assert_allclose(result.time, lane.time, atol=1e-12)


@methods
def test_a_line_stays_a_line(method):
    """A constant and a slope, however uneven the traces are."""
    rows = np.stack([np.ones(N), PLACES], axis=-1)[:, None]
    result = resample_track(lane_of(rows), **OPTIONS, method=method).samples[:, 0]
    npt.assert_allclose(result[:, 0], 1, atol=1e-6)
    npt.assert_allclose(result[:, 1], 0.05 * np.arange(len(result)), atol=1e-6)


def test_the_sinc_stops_what_the_spacing_is_too_coarse_for():
    """Fine ripples vanish where lines alias them; long waves pass."""
    places = 0.005 * np.arange(1000)

    def size(wavelength, method):
        lane = lane_of(np.sin(2 * math.pi * places / wavelength)[:, None, None], places)
        result = resample_track(lane, spacing=0.05, max_step=0.1, method=method)
        return math.sqrt(2 * (result.samples[10:-10] ** 2).mean())

    assert size(0.0513, "linear") > 0.9
    assert size(0.0513, "sinc") < 0.04
    assert size(0.075, "sinc") < 0.05
    assert 0.95 < size(0.151, "sinc") < 1.05
    assert 0.98 < size(0.5, "sinc") < 1.02


def test_a_slow_wave_is_restored_from_uneven_traces():
    """Between traces 1 to 5 cm apart, a wave of 60 cm comes out within 4 % of its size."""
    wave = np.sin(2 * math.pi * PLACES / 0.6)[:, None, None]
    for method in ("linear", "sinc"):
        result = resample_track(lane_of(wave), spacing=0.02, max_step=0.1, method=method)
        expected = np.sin(2 * math.pi * 0.02 * np.arange(len(result)) / 0.6)
        npt.assert_allclose(result.samples[:, 0, 0], expected, atol=0.04)


def test_a_bent_track_is_measured_along_itself():
    """Places are lengths of the track; heading turns the short way round."""
    angle = np.linspace(0, math.pi, 200)
    position = np.column_stack([np.cos(angle), np.sin(angle), 5 + angle])
    heading = (-angle + math.pi + 0.3) % (2 * math.pi)  # through north on the way
    lane = make_sweep(noise(200), position=position, heading=heading)
    result = resample_track(lane, spacing=0.1, max_step=0.2)
    assert len(result) == 32
    npt.assert_allclose(np.hypot(*result.position[:, :2].T), 1, atol=1e-4)
    place = np.arctan2(result.position[:, 1], result.position[:, 0])
    npt.assert_allclose(place, 0.1 * np.arange(32), atol=1e-3)
    npt.assert_allclose(result.position[:, 2], 5 + place, atol=1e-3)
    wrapped = (result.heading + place - math.pi - 0.3 + math.pi) % (2 * math.pi) - math.pi
    npt.assert_allclose(wrapped, 0, atol=1e-3)


def test_a_platform_that_stands():
    """Traces without a step, or below the least one, add no length and are left out."""
    places = np.concatenate([PLACES[:60], np.full(30, PLACES[59]), PLACES[60:]])
    rows = np.insert(noise(), [60] * 30, 99.0, axis=0)
    still = lane_of(rows, places, time=0.1 * np.arange(150))
    result = resample_track(still, **OPTIONS)
    expected = resample_track(NOISE, **OPTIONS)
    npt.assert_array_equal(result.samples, expected.samples)
    npt.assert_allclose(result.position, expected.position, atol=1e-12)
    wander = still.position.copy()
    wander[60:90, 0] += RNG.uniform(-0.002, 0.002, 30)
    wandering = dataclasses.replace(still, position=wander)
    result = resample_track(wandering, **OPTIONS, min_step=0.005)
    npt.assert_allclose(result.samples, expected.samples, atol=1e-6)
    assert len(resample_track(wandering, **OPTIONS)) > len(result)


# Dropouts, lost positions, gaps


@methods
def test_nothing_is_read_across_a_dropout(method):
    """Traces whose neighbours or whose cell hold one are flagged NaN, others are not."""
    bad = {50: Quality.STUCK, 51: Quality.STUCK}
    result = resample_track(flagged(NOISE, bad), **OPTIONS, method=method)
    at = 0.05 * np.arange(len(result))
    is_bad = (at >= PLACES[49]) & (at < PLACES[52])
    near = (np.abs(at[:, None] - PLACES[[50, 51]]) <= 0.0).any(axis=1)
    npt.assert_array_equal(np.isnan(result.samples).all(axis=(1, 2)), ~result.is_usable)
    assert (~result.is_usable)[is_bad | near].all()
    assert is_bad.any()
    # cells that only touch the hole are flagged, not others
    far = (at + 0.025 < PLACES[49]) | (at - 0.025 > PLACES[52])
    assert result.is_usable[far].all()
    assert (result.quality[~result.is_usable] & Quality.STUCK != 0).all()


def test_a_dropout_in_a_coarse_cell_is_not_lost():
    """One bad trace of ten in a cell: the cell is flagged, since no flag is lost."""
    places = 0.01 * np.arange(200)
    lane = flagged(lane_of(noise(200), places), {57: Quality.NOT_FINITE, 90: Quality.DRIFT})
    result = resample_track(lane, spacing=0.1, max_step=0.2)
    npt.assert_array_equal(np.flatnonzero(~result.is_usable), [6])
    npt.assert_array_equal(np.flatnonzero(result.quality & Quality.DRIFT), [9])
    assert np.isfinite(result.samples[result.is_usable]).all()


@methods
@pytest.mark.parametrize("flag", [Quality.NOT_FINITE, Quality.POSE_NONE])
def test_a_dropout_where_two_cells_meet_is_not_lost(method, flag):
    """It may lie in either cell: both are flagged, though neither is read next to it."""
    places = 0.01 * np.arange(200) + 0.001
    lane = flagged(lane_of(noise(200), places), {55: flag})
    result = resample_track(lane, spacing=0.1, max_step=0.2, method=method)
    npt.assert_array_equal(np.flatnonzero(result.quality & flag), [5, 6])
    stage = ResampleTrack(spacing=0.1, max_step=0.2, method=method)
    parts = list(stream(stage, [lane[k : k + 1] for k in range(200)]))
    npt.assert_array_equal(join(parts).quality, result.quality)


def test_garbage_in_a_dropout_does_not_leak():
    """Whatever a flagged trace holds, no other changes."""
    lane = flagged(NOISE, dict.fromkeys([20, 21, 70], Quality.STUCK))
    other = dataclasses.replace(lane, samples=lane.samples.copy())
    other.samples[[20, 21, 70]] = 1e30
    npt.assert_array_equal(
        resample_track(other, **OPTIONS).samples, resample_track(lane, **OPTIONS).samples
    )


def test_lost_positions():
    """Read across a short stretch, flagged; a long one is made up neither way."""
    lane = lane_of(noise(), 0.02 * np.arange(N))
    short = flagged(lane, dict.fromkeys(range(40, 44), Quality.POSE_NONE))
    result = resample_track(short, **OPTIONS)
    flags = result.quality & Quality.POSE_NONE != 0
    npt.assert_array_equal(np.flatnonzero(flags), [16, 17])  # 0.78 m to 0.88 m
    assert np.isfinite(result.samples).all()
    long = flagged(lane, dict.fromkeys(range(40, 60), Quality.POSE_NONE))
    result = resample_track(long, **OPTIONS)
    at = 0.05 * np.arange(len(result))
    hidden = (at >= 0.78) & (at < 1.2)
    npt.assert_array_equal(~result.is_usable, hidden)
    assert (result.quality[hidden] & Quality.POSE_NONE != 0).all()
    assert (result.quality[hidden] & Quality.NOT_FINITE != 0).all()
    npt.assert_allclose(result.position[:, 1], at, atol=1e-12)


def test_a_long_dropout():
    """More than max_step of bad traces keep their length and their flag."""
    lane = flagged(
        lane_of(noise(), 0.02 * np.arange(N)), dict.fromkeys(range(30, 90), Quality.STUCK)
    )
    result = resample_track(lane, **OPTIONS)
    assert len(result) == 48
    assert (result.quality[12:36] & Quality.STUCK != 0).all()
    assert np.isfinite(result.samples[:12]).all()


def test_a_gap_is_refused_and_the_chunk_not_kept():
    """Nothing recorded over more than max_step: the message says what to do."""
    places = np.concatenate([PLACES[:60], PLACES[60:] + 0.3])
    lane = lane_of(noise(), places)
    with pytest.raises(ValueError, match=r"m lie before trace 60 .* use split_at_gaps"):
        resample_track(lane, **OPTIONS)
    stage = ResampleTrack(**OPTIONS)
    with pytest.raises(ValueError, match="use split_at_gaps"):
        stage.process(lane)
    parts = [stage.process(NOISE), stage.flush()]
    npt.assert_array_equal(join(parts).samples, resample_track(NOISE, **OPTIONS).samples)
    wide = resample_track(lane, spacing=0.05, max_step=0.4)
    assert wide.is_usable.all()


def test_the_ends_of_a_lane():
    """What is before the first and after the last usable trace has no place."""
    ends = [0, 1, 118, 119]
    lane = flagged(NOISE, dict.fromkeys(ends, Quality.NOT_FINITE))
    result = resample_track(lane, **OPTIONS)
    assert result.is_usable.all()
    npt.assert_allclose(result.position[0], lane.position[2])
    assert result.position[-1, 1] <= lane.position[117, 1]
    first_flag = flagged(NOISE, {0: Quality.GAP})
    assert resample_track(first_flag, **OPTIONS).quality[0] == Quality.GAP
    both = flagged(NOISE, {0: Quality.GAP | Quality.STUCK})
    assert resample_track(both, **OPTIONS).quality[0] == Quality.GAP


def test_an_end_is_hardly_noisier_than_the_lane():
    """Of dense traces one alone, at an end or beside a hole, would pass for a target."""
    n = 40_000
    lane = lane_of(noise(n, 1, 1), 0.0006 * np.arange(n), time=np.arange(n) / 1000)
    lane = flagged(lane, dict.fromkeys(range(700, n - 1, 1000), Quality.NOT_FINITE))
    result = resample_track(lane, **OPTIONS)
    values, is_lost = result.samples[:, 0, 0], ~result.is_usable
    beside = np.roll(is_lost, 1) | np.roll(is_lost, -1)
    beside[[0, -1]] = True
    spread = values[~beside & ~is_lost].std()
    ends = values[beside & ~is_lost]
    assert spread < 0.15
    assert len(ends) > 60
    assert ends.std() < 2.5 * spread


@pytest.mark.parametrize("min_step", [0.0, 0.01])
def test_standing_hides_no_gap(min_step):
    """Traces left out before a jump were recorded where the last one was, not within."""
    lane = lane_of(noise(5), np.array([0.0, 0.05, 0.05, 3.0, 3.05]))
    with pytest.raises(ValueError, match=r"m lie before trace 3 .* use split_at_gaps"):
        resample_track(lane, **OPTIONS, min_step=min_step)
    lost = flagged(lane, {2: Quality.NOT_FINITE})
    assert not resample_track(lost, **OPTIONS, min_step=min_step).is_usable[3:-3].any()


@pytest.mark.parametrize("spacing", [0.012, 0.05])
@methods
def test_a_part_behind_a_gap_goes_on_to_the_next_stage(method, spacing):
    """However many traces come from the neighbours of the first, it alone has the flag."""
    lane = flagged(lane_of(noise(), 0.06 * np.arange(N)), {0: Quality.GAP})
    options = {"spacing": spacing, "max_step": 0.1, "method": method}
    quality = resample_track(lane, **options).quality
    assert quality[0] == Quality.GAP
    assert not quality[1:].any()
    stages = Pipeline(ResampleTrack(**options), ResampleTrack(**options))
    assert len(join(list(stream(stages, [lane[i : i + 1] for i in range(N)]))))


@pytest.mark.parametrize("n_traces", [0, 1, 2, 3])
@methods
def test_short_lanes(n_traces, method):
    """None, one and few traces; and none that is usable."""
    result = resample_track(NOISE[:n_traces], **OPTIONS, method=method)
    expected = 0 if not n_traces else 1 + int(PLACES[n_traces - 1] / 0.05)
    assert len(result) == expected
    npt.assert_allclose(result.samples[:1], NOISE.samples[:n_traces][:1], atol=1e-7)
    gone = flagged(NOISE[:n_traces], dict.fromkeys(range(n_traces), Quality.STUCK))
    assert len(resample_track(gone, **OPTIONS)) == 0


# As a stage

flags = st.dictionaries(
    st.integers(0, N - 1),
    st.sampled_from([Quality.STUCK, Quality.POSE_NONE, Quality.DRIFT, Quality.NOT_FINITE]),
    max_size=12,
)


def split(sweep, where):
    """Return the sweep cut into chunks, empty ones included."""
    return [sweep[a:b] for a, b in itertools.pairwise([0, *where, len(sweep)])]


@methods
@pytest.mark.parametrize("spacing", [0.017, 0.05, 0.15])
@given(flags=flags, where=st.lists(st.integers(0, N), max_size=8).map(sorted))
def test_chunks_do_not_matter(method, spacing, flags, where):
    """However a lane is cut, the result is that of the whole, byte for byte."""
    lane = flagged(NOISE, flags)
    options = {"spacing": spacing, "max_step": 0.06, "method": method}
    whole = run_lane(ResampleTrack(**options), lane)
    result = join(list(stream(ResampleTrack(**options), split(lane, where))))
    for name in ("samples", "time", "position", "heading", "quality"):
        assert getattr(result, name).tobytes() == getattr(whole, name).tobytes(), name
    assert result.history == whole.history
    assert np.isfinite(result.samples[result.is_usable]).all()


@methods
def test_traces_come_as_soon_as_they_are_final(method):
    """Trace by trace, no more than the latency is held back; what is out stays."""
    lane = lane_of(noise(), 0.02 * np.arange(N))
    stage, whole, n_out = ResampleTrack(**OPTIONS, method=method), [], 0
    for k in range(N):
        part = stage.process(lane[k : k + 1])
        whole.append(part)
        n_out += len(part)
        reached = math.floor(lane.position[k, 1] / 0.05 + 1e-9) + 1
        assert reached - stage.latency - 1 <= n_out <= reached
    assert stage._places.size < 60  # 3 x 0.2 m on both sides: nothing longer than needed
    whole.append(stage.flush())
    npt.assert_array_equal(
        join(whole).samples, resample_track(lane, **OPTIONS, method=method).samples
    )


def test_the_next_lane_starts_afresh():
    """After a flush or a reset nothing remains; a stage without a lane returns nothing."""
    stage = ResampleTrack(**OPTIONS)
    assert len(stage.flush()) == 0
    expected = resample_track(NOISE, **OPTIONS).samples
    for end in ("flush", "reset"):
        stage.process(dataclasses.replace(NOISE[:50], lane="other"))
        getattr(stage, end)()
        parts = [stage.process(NOISE), stage.flush()]
        npt.assert_array_equal(join(parts).samples, expected)


def test_it_stands_in_a_pipeline_and_buffers_stay_apart():
    """Between other stages; a driver may reuse its buffers."""
    pipeline = Pipeline(ResampleTrack(**OPTIONS), ResampleTrack(spacing=0.1, max_step=0.2))
    assert pipeline.latency == 6
    once = resample_track(NOISE, **OPTIONS)
    expected = resample_track(once, spacing=0.1, max_step=0.2)
    parts = []
    for chunk in split(NOISE, [30, 60, 61]):
        buffer = chunk.samples.copy()
        parts.append(pipeline.process(dataclasses.replace(chunk, samples=buffer)))
        buffer[:] = 77
    npt.assert_array_equal(join([*parts, pipeline.flush()]).samples, expected.samples)


def test_coils_too():
    """Nothing in it knows of radar."""
    lane = lane_of(noise(N, 1, 12), sensor=make_coils(1, 12))
    assert resample_track(lane, **OPTIONS).sensor.kind == "emi"


# Bad input


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"spacing": 0.0}, "spacing '0.0'"),
        ({"max_step": -1.0}, "max_step '-1.0'"),
        ({"min_step": -0.1}, "min_step '-0.1'"),
        ({"min_step": 0.2}, r"min_step '0.2'. Must be less than max_step, 0.2 m"),
        ({"method": "cubic"}, "method 'cubic'. Must be one of 'linear', 'sinc'"),
    ],
)
def test_bad_options_are_named(options, message):
    """The error names the option, shows its value and states the rule."""
    with pytest.raises(ValueError, match=message):
        resample_track(NOISE, **(OPTIONS | options))


def test_the_lane_must_continue():
    """A chunk of another lane or time is refused and not kept."""
    stage = ResampleTrack(**OPTIONS)
    parts = [stage.process(NOISE[:50])]
    with pytest.raises(ValueError, match="Must follow the chunk before"):
        stage.process(NOISE[40:])
    with pytest.raises(ValueError, match="flush or reset between lanes"):
        stage.process(dataclasses.replace(NOISE[50:], sensor=make_sensor(2, 3, interval=2e-10)))
    with pytest.raises(TypeError, match=r"Invalid chunk of type ndarray\. Must be a Sweep"):
        stage.process(NOISE.samples)
    parts += [stage.process(NOISE[50:]), stage.flush()]
    npt.assert_array_equal(join(parts).samples, resample_track(NOISE, **OPTIONS).samples)


@pytest.mark.parametrize("k", [-1, -2, -3])
@pytest.mark.parametrize("n", [23, 24, 25])
@methods
def test_flags_of_the_last_traces_are_kept(method, n, k):
    """They lie less than a spacing behind the last trace returned."""
    lane = make_sweep(np.random.default_rng(3).normal(size=(n, 1, 4)), spacing=0.01)
    quality = lane.quality.copy()
    quality[k] = int(Quality.TILT_LIMIT)
    lane = dataclasses.replace(lane, quality=quality)
    options = {"spacing": 0.05, "max_step": 0.2, "method": method}
    found = resample_track(lane, **options)
    assert len(found) == 5
    assert (found.quality != 0).tolist() == [False] * 4 + [True]
    by_trace = stream(ResampleTrack(**options), [lane[i : i + 1] for i in range(n)])
    npt.assert_array_equal(join(list(by_trace)).quality, found.quality)


@methods
@pytest.mark.parametrize("flag", [Quality.SATURATED, Quality.TILT_LIMIT])
@pytest.mark.parametrize(
    "northing",
    [
        [0, 0.005, 0.010, 0.015, 0.0175, 0.020],
        [0, 0.025, 0.050, 0.050, 0.0500, 0.050],
        [0, 0.025, 0.050, 0.055, 0.0600, 0.065],
    ],
    ids=["left out", "stand", "behind"],
)
def test_flags_of_traces_left_out_at_the_end_are_kept(method, flag, northing):
    """As long as one with samples and a place comes behind them; and it is a dropout then."""
    lane = flagged(lane_of(noise(6), np.array(northing)), {4: flag})
    found = resample_track(lane, spacing=0.025, max_step=0.25, method=method)
    assert found.quality[-1] == flag
    assert not found.quality[:-1].any()
    assert np.isnan(found.samples[-1]).all() == (flag == Quality.SATURATED)
    ends = dataclasses.replace(
        lane,
        position=np.where([[True]] * 4 + [[False]] * 2, lane.position, np.nan),
        quality=lane.quality | np.array([0] * 4 + [int(Quality.POSE_NONE)] * 2),
    )
    assert not resample_track(ends, spacing=0.025, max_step=0.25, method=method).quality.any()


@methods
def test_large_coordinates_cost_no_trace_and_smooth_none(method):
    """A place on a grid of metres is as good as one near the origin, up to the ends."""
    lane = make_sweep(np.random.default_rng(3).normal(size=(800, 1, 4)), spacing=0.025)
    lane = dataclasses.replace(lane, position=lane.position + np.array([5e5, 5.4e6, 0]))
    found = resample_track(lane, spacing=0.025, max_step=0.2, method=method)
    assert len(found) == 800
    npt.assert_allclose(found.samples, lane.samples, atol=1e-4)
