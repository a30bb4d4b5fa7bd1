"""Check the promises that every stage makes, whatever it computes."""

import dataclasses
import itertools
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lanes import make_coils, make_phasors, make_sensor, make_sweep

import minesense.stage
from minesense import emi, gpr
from minesense.sensor import Sensor
from minesense.stage import LaneStage, Pipeline, run_lane, stream
from minesense.sweep import Quality, join


class Lag(LaneStage):
    """The simplest stage with look-ahead: hand on what came `latency` traces ago."""

    def __init__(self, *, n_traces):
        super().__init__(n_traces=n_traces)
        self.latency = n_traces

    def reset(self):
        """Drop what is kept as well."""
        super().reset()
        self._kept = None

    def _advance(self, samples, is_usable):
        kept = samples if self._kept is None else np.concatenate([self._kept, samples])
        stop = max(0, len(kept) - self.latency)
        self._kept = kept[stop:].copy()
        return kept[:stop].copy(), None

    def _finish(self):
        return self._kept, None


N_TRACES = 60


def make_lane(sensor):
    """Return noise, half of it rounded: that makes ties and negative zeros, like converters."""
    rng = np.random.default_rng(seed=0)
    traces = rng.normal(size=(N_TRACES, *sensor.shape)).astype(np.float32)
    traces[..., ::2] = traces[..., ::2].round()
    return make_sweep(traces, sensor=sensor)


RADAR, COILS = make_lane(make_sensor(2, 48)), make_lane(make_coils(2, 12))
HOVERING = dataclasses.replace(
    RADAR,
    position=RADAR.position + [[0, 0, 0.1 * np.sin(i / 5)] for i in range(N_TRACES)],
)
FEW_GATES = make_lane(make_coils(2, 4))
# the ends of a trace are within the rails, or it could not be restored
CLIPPED = make_lane(make_sensor(2, 12))
CLIPPED.samples[..., [0, -1]] = 0
np.clip(CLIPPED.samples, -1.5, 1.5, out=CLIPPED.samples)
PHASORS = make_lane(make_phasors(2, (1e3, 5e3, 25e3)))
FEW_SAMPLES = make_lane(make_sensor(2, 5))
TONES = make_lane(
    Sensor(
        name="test tones",
        kind="gpr",
        axis=np.linspace(1e9, 2e9, 11),
        axis_unit="Hz",
        lever_arms=np.zeros((2, 3)),
        is_complex=True,
    )
)

#: Any two filters, over three traces and five samples.
SHAPES = gpr.EchoShapes(
    form=gpr.PatchForm(
        spacing=0.05, reach=0.1, step=0.1, start_time=2e-10, interval=2e-10, n_samples=5
    ),
    filters=np.random.default_rng(seed=6).normal(size=(3, 5, 2)).astype("<f4").tobytes(),
)

# One line per stage: what makes a new one, and a lane of its sensor.
STAGES = {
    "lag": (partial(Lag, n_traces=3), RADAR),
    "lag of coils": (partial(Lag, n_traces=1), COILS),
    "series": (
        lambda: Pipeline(Lag(n_traces=2), Pipeline(Lag(n_traces=0), Lag(n_traces=5))),
        RADAR,
    ),
    "background mean": (partial(gpr.RemoveBackground, spacing=0.05, length=1.0), RADAR),
    "background mean, frozen": (
        partial(gpr.RemoveBackground, spacing=0.05, length=0.3, freeze=1.05, longest=0.1),
        RADAR,
    ),
    "background median": (
        partial(gpr.RemoveMedianBackground, spacing=0.05, half_width=0.15),
        FEW_SAMPLES,
    ),
    "baseline of coils": (
        partial(gpr.RemoveMedianBackground, spacing=0.05, half_width=0.25),
        FEW_GATES,
    ),
    "background median, groups": (
        partial(gpr.RemoveMedianBackground, spacing=0.05, half_width=0.8),
        FEW_SAMPLES,
    ),
    "background median, guard": (
        partial(gpr.RemoveMedianBackground, spacing=0.05, half_width=0.3, guard=0.1),
        FEW_SAMPLES,
    ),
    "background centred mean": (
        partial(gpr.RemoveMeanBackground, spacing=0.05, half_width=0.1),
        FEW_SAMPLES,
    ),
    "background centred mean, guard": (
        partial(gpr.RemoveMeanBackground, spacing=0.05, half_width=0.2, guard=0.05),
        FEW_SAMPLES,
    ),
    "display": (
        partial(
            gpr.PrepareDisplay,
            spacing=0.05,
            drift_window=1.5e-9,
            background_length=1.0,
            gain_window=1.1e-9,
            floor=0.3,
        ),
        RADAR,
    ),
    "whiten": (partial(gpr.Whiten, spacing=0.05, length=0.5, guard=0.1), FEW_SAMPLES),
    "whiten, of some traces": (
        partial(gpr.Whiten, spacing=0.05, length=0.8, guard=0.1, step=0.15),
        FEW_SAMPLES,
    ),
    "time zero": (
        partial(gpr.AlignTimeZero, spacing=0.05, template=0.25, smoothing=0.3),
        RADAR,
    ),
    "ground": (
        partial(gpr.AlignGround, search=(8e-10, 3e-9), ground_time=1.5e-9),
        RADAR,
    ),
    "ground, noted": (
        lambda: gpr.NoteBounce(gpr.AlignGround(search=(8e-10, 3e-9), ground_time=1.5e-9)),
        RADAR,
    ),
    "ground, looking ahead": (
        partial(
            gpr.AlignGround,
            search=(8e-10, 3e-9),
            ground_time=1.5e-9,
            look_ahead=0.2,
            spacing=0.05,
        ),
        RADAR,
    ),
    "height": (partial(gpr.LevelHeight, reference=0.3, ground=-0.25), HOVERING),
    "dewow": (partial(gpr.Dewow, window=1.5e-9), RADAR),
    "loss": (
        partial(gpr.CompensateLoss, rate=3e8, ground_time=1e-9, start=3e-10, most=40.0),
        RADAR,
    ),
    "automatic gain": (partial(gpr.Equalise, window=1.1e-9, floor=0.3), RADAR),
    "band-pass": (partial(gpr.BandPass, low=0.4e9, high=3.5e9, order=2), RADAR),
    "causal band-pass": (
        partial(gpr.BandPass, low=0.4e9, high=3.5e9, order=3, phase="causal"),
        FEW_SAMPLES,
    ),
    "dewow by median": (partial(gpr.Dewow, window=3e-10, statistic="median"), FEW_SAMPLES),
    "spikes": (
        partial(gpr.Despike, window=3e-10, longest=1e-10, threshold=2.0),
        FEW_SAMPLES,
    ),
    "clipping": (partial(gpr.Declip, rails=(-1.5, 1.5), longest=1e-9), CLIPPED),
    "flat spectrum": (
        partial(gpr.FlattenSpectrum, low=0.5e9, high=4e9, taper=5e8, smoothing=7e8),
        RADAR,
    ),
    "envelope": (gpr.Envelope, RADAR),
    "focus": (
        partial(gpr.Focus, permittivity=6.0, spacing=0.05, aperture=0.23, height=0.1),
        RADAR,
    ),
    "focus, from the ground": (
        partial(
            gpr.Focus,
            permittivity=4.0,
            spacing=0.05,
            aperture=0.3,
            height=0.0,
            time_zero=3.1e-10,
            angle=0.7,
            min_share=0.6,
        ),
        RADAR,
    ),
    "prescreen energy": (
        partial(gpr.PrescreenEnergy, spacing=0.05, bin_length=16e-10, guard=0.05, ring=0.25),
        RADAR,
    ),
    "prescreen energy, mean of a half": (
        partial(
            gpr.PrescreenEnergy,
            spacing=0.05,
            bin_length=16e-10,
            guard=0.05,
            ring=0.25,
            reference="mean",
            halves="greatest",
        ),
        RADAR,
    ),
    "prescreen energy, quantile": (
        partial(
            gpr.PrescreenEnergy,
            spacing=0.05,
            bin_length=16e-10,
            guard=0.05,
            ring=0.25,
            reference="quantile",
        ),
        RADAR,
    ),
    "prescreen prediction": (
        partial(
            gpr.PrescreenPrediction,
            spacing=0.05,
            bin_length=16e-10,
            guard=0.1,
            length=0.25,
            reach=1,
        ),
        RADAR,
    ),
    "tones": (
        partial(
            gpr.TracesFromTones,
            interval=2e-10,
            duration=6e-9,
            empty=np.linspace(0, 1, 11),
            plate=np.ones(11),
        ),
        TONES,
    ),
    "prescreen prediction, of some traces": (
        partial(
            gpr.PrescreenPrediction,
            spacing=0.05,
            bin_length=16e-10,
            guard=0.1,
            length=0.3,
            reach=1,
            step=0.1,
        ),
        RADAR,
    ),
    "prescreen anomaly": (
        partial(
            gpr.PrescreenAnomaly,
            spacing=0.05,
            block_length=8e-10,
            guard=0.1,
            memory=0.5,
            refresh=0.15,
            shrinkage=None,
        ),
        RADAR,
    ),
    "prescreen anomaly, components": (
        partial(
            gpr.PrescreenAnomaly,
            spacing=0.05,
            block_length=8e-10,
            n_components=3,
            guard=0.1,
            memory=0.5,
            refresh=0.15,
        ),
        RADAR,
    ),
    "prescreen shapes": (
        partial(
            gpr.PrescreenShapes,
            SHAPES,
            bin_length=16e-10,
            guard=0.05,
            ring=0.2,
        ),
        RADAR,
    ),
    "prescreen templates": (
        partial(
            gpr.PrescreenTemplates,
            np.eye(48)[4:44:3] - np.eye(48)[5:45:3],
            spacing=0.05,
            block_length=8e-10,
            guard=0.1,
            memory=0.5,
            refresh=0.15,
        ),
        RADAR,
    ),
    "prescreen templates, span of two": (
        partial(
            gpr.PrescreenTemplates,
            np.eye(48)[4:44:3] - np.eye(48)[5:45:3],
            spacing=0.05,
            block_length=8e-10,
            statistic="glrt",
            rank=2,
            guard=0.0,
            memory=0.5,
            refresh=0.05,
        ),
        RADAR,
    ),
    "project soil": (partial(emi.ProjectSoil, offset=True), COILS),
    "prescreen decay": (
        partial(
            emi.PrescreenDecay,
            spacing=0.05,
            footprint=0.2,
            guard=0.05,
            noise_length=0.25,
            taus=[5e-5, 3e-4],
        ),
        FEW_GATES,
    ),
    "prescreen decay, trailing": (
        partial(
            emi.PrescreenDecay,
            spacing=0.05,
            footprint=0.1,
            guard=0.05,
            noise_length=0.3,
            look_ahead=0,
            taus=[1e-4],
        ),
        FEW_GATES,
    ),
    "level": (
        partial(emi.LevelBaseline, spacing=0.05, length=0.4, freeze=1.3, longest=0.15),
        FEW_GATES,
    ),
    "level, centred": (
        partial(
            emi.LevelBaseline,
            spacing=0.05,
            length=0.5,
            freeze=1.3,
            longest=0.15,
            centred=True,
            guard=0.05,
        ),
        PHASORS,
    ),
    "re-zero": (
        partial(emi.Rezero, interval=0.1, hold=0.3, threshold=0.5, share=0.3, commands=[2.02]),
        FEW_GATES,
    ),
    "lag, samples late": (partial(emi.CorrectLag, lag=0.23, interval=0.1), COILS),
    "lag, positions late": (partial(emi.CorrectLag, lag=-0.23, interval=0.1), COILS),
    # at 10 traces a second the mains of railways appear at 3.3 Hz
    "mains": (partial(emi.RejectMains, interval=0.1, mains=16.7, bandwidth=0.05), COILS),
    "low-pass": (partial(emi.FilterInTime, interval=0.1, high=1.0), PHASORS),
    "band-pass along time": (
        partial(emi.FilterInTime, interval=0.1, low=0.3, high=2.0, order=3),
        COILS,
    ),
    "balance phase": (partial(emi.BalancePhase, angle=[0.1, 0.2, -0.3]), PHASORS),
    "quadrature to the soil": (
        partial(emi.BalancePhase, angle=0.4, keep="quadrature"),
        PHASORS,
    ),
    "track soil": (
        partial(emi.TrackSoil, spacing=0.05, turn_length=0.5, freeze=1.3, length=0.4),
        COILS,
    ),
    "track soil in phasors": (
        partial(emi.TrackSoil, spacing=0.05, turn_length=0.5, freeze=None),
        PHASORS,
    ),
    "likelihood ratio": (
        partial(
            emi.PrescreenTargets,
            spacing=0.05,
            taus=[5e-5, 3e-4],
            guard=0.1,
            noise_length=0.5,
            freeze=1.3,
        ),
        FEW_GATES,
    ),
    "coherence": (
        partial(
            emi.PrescreenTargets,
            spacing=0.05,
            statistic="ace",
            decays=np.eye(6)[:3],
            rank=2,
            guard=0.0,
        ),
        PHASORS,
    ),
    "energy": (
        partial(emi.PrescreenTargets, spacing=0.05, statistic="energy", guard=0.1),
        FEW_GATES,
    ),
    "energy off the soil": (emi.GateEnergy, FEW_GATES),
}
every_stage = pytest.mark.parametrize(("new", "lane"), STAGES.values(), ids=STAGES)
AT_ONCE = {x: y for x, y in STAGES.items() if getattr(y[0](), "_at_once", False)}

cuts = st.lists(st.integers(0, N_TRACES), max_size=8).map(sorted)


def split(sweep, where):
    """Return the sweep cut into chunks, empty ones included."""
    bounds = [0, *[min(i, len(sweep)) for i in where], len(sweep)]
    return [sweep[a:b] for a, b in itertools.pairwise(bounds)]


def assert_same_bits(actual, desired):
    """Fail unless two sweeps agree in every bit, signs of zeros included."""
    for name in ("samples", "time", "position", "heading", "quality"):
        a, b = getattr(actual, name), getattr(desired, name)
        assert (a.dtype, a.shape) == (b.dtype, b.shape), name
        assert a.tobytes() == b.tobytes(), name
    assert actual.history == desired.history
    assert actual.lane == desired.lane


def damaged(sweep, bad):
    """Return the sweep with flagged dropouts, NaN and rail values, in the traces `bad`."""
    samples, quality = sweep.samples.copy(), sweep.quality.copy()
    samples[bad] = np.where(np.arange(len(bad))[:, None, None] % 2, np.nan, 3e4)
    quality[bad] |= Quality.NOT_FINITE
    return dataclasses.replace(sweep, samples=samples, quality=quality)


def narrow(lane):
    """Return the first channel of a lane alone."""
    sensor = dataclasses.replace(lane.sensor, lever_arms=lane.sensor.lever_arms[:1])
    return dataclasses.replace(lane, samples=lane.samples[:, :1], sensor=sensor)


@every_stage
@given(n_traces=st.integers(0, N_TRACES), where=cuts)
def test_chunks_do_not_matter(new, lane, n_traces, where):
    """However a lane is cut, the result is that of the whole, trace for trace."""
    lane = lane[:n_traces]
    result = join(list(stream(new(), split(lane, where))))
    assert len(result) == n_traces
    assert_same_bits(result, run_lane(new(), lane))
    np.testing.assert_array_equal(result.time, lane.time)


@every_stage
@given(bad=st.sets(st.integers(0, N_TRACES - 1), max_size=N_TRACES), where=cuts)
def test_flagged_traces_keep_their_place(new, lane, bad, where):
    """A dropout comes out flagged, as NaN, where it went in, however the lane is cut."""
    bad = sorted(bad)
    lane = damaged(lane, bad)
    result = join(list(stream(new(), split(lane, where))))
    assert_same_bits(result, run_lane(new(), lane))
    assert (result.quality & lane.quality == lane.quality).all()
    is_bad = np.isin(np.arange(N_TRACES), bad)
    assert np.isnan(result.samples[is_bad]).all()
    assert np.isfinite(result.samples[result.is_usable]).all()
    assert result.is_usable[~is_bad].all()


@every_stage
@pytest.mark.parametrize("n_bytes", [1, 7_000])
def test_long_lanes_are_gathered_as_they_are(monkeypatch, new, lane, n_bytes):
    """Results written where they belong have the bits of those that are joined."""
    lane = damaged(lane, [0, 7, 8, 59])
    before = lane.samples.copy()
    expected = join(list(stream(new(), [lane])))
    monkeypatch.setattr(minesense.stage, "_CHUNK", n_bytes)
    stage = new()
    assert_same_bits(run_lane(stage, lane), expected)
    assert_same_bits(run_lane(stage, lane), expected)  # nothing is left of the first
    np.testing.assert_array_equal(lane.samples, before)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize(("new", "lane"), AT_ONCE.values(), ids=AT_ONCE)
def test_what_became_not_finite_is_refused(monkeypatch, new, lane, value):
    """A stage that takes a long lane in one piece, unchecked, hands on nothing of the kind."""
    monkeypatch.setattr(minesense.stage, "_CHUNK", 1)
    for trace, sample in ((0, 0), (25, 3), (59, -1)):
        changed = dataclasses.replace(lane, samples=lane.samples.copy())
        changed.samples[trace, 1, sample] = value
        # kernels that are not compiled would warn
        with (
            np.errstate(all="ignore"),
            pytest.raises(ValueError, match=r"Invalid samples: .* traces hold NaN or inf"),
        ):
            run_lane(new(), changed)


@every_stage
@given(garbage=st.floats(-(2.0**100), 2.0**100, width=32))
def test_flagged_samples_do_not_leak(new, lane, garbage):
    """What a flagged trace holds changes no other trace."""
    lane = damaged(lane, [7, 8, 30])
    other = dataclasses.replace(lane, samples=lane.samples.copy())
    other.samples[[7, 8, 30]] = garbage
    assert_same_bits(run_lane(new(), other), run_lane(new(), lane))


@every_stage
def test_latency_is_as_declared(new, lane):
    """After n traces, the first n - latency results are out, and they are final."""
    stage, n_out, expected = new(), 0, run_lane(new(), lane)
    for n_in in range(1, N_TRACES + 1):
        result = stage.process(lane[n_in - 1 : n_in])
        assert_same_bits(result, expected[n_out : n_out + len(result)])
        n_out += len(result)
        assert n_out == max(0, n_in - stage.latency)


@every_stage
@pytest.mark.parametrize("end", ["flush", "reset"])
def test_the_next_lane_starts_afresh(new, lane, end):
    """After a flush, or a reset in mid-lane, nothing of the last lane remains."""
    stage = new()
    other = make_sweep(
        narrow(lane).samples[:23] + 100, sensor=narrow(lane).sensor, lane="lane 0"
    )
    stage.process(other)
    getattr(stage, end)()
    assert len(stage.flush()) == 0
    assert_same_bits(join([stage.process(lane), stage.flush()]), run_lane(new(), lane))


@every_stage
def test_buffers_stay_apart(new, lane):
    """A driver may reuse its buffer, and a caller may write into the results."""
    stage, buffer, results = new(), np.empty_like(lane.samples[:15]), []
    for chunk in split(lane, [15, 30, 45]):
        buffer[:] = chunk.samples
        result = stage.process(dataclasses.replace(chunk, samples=buffer))
        assert buffer.tobytes() == chunk.samples.tobytes()
        results.append(dataclasses.replace(result, samples=result.samples.copy()))
        buffer[:] = result.samples[:] = 77
    assert_same_bits(join([*results, stage.flush()]), run_lane(new(), lane))


@every_stage
def test_a_driver_may_let_its_buffers_go(new, lane):
    """No stage holds on to the memory of a chunk, not even as a view of none of it."""
    stage, names = new(), ("samples", "time", "position", "heading", "quality")
    for begin, stop in ((0, 5), (5, 5), (5, 12)):
        arrays = [getattr(lane, name)[begin:stop] for name in names]
        memory = [bytearray(array.tobytes()) for array in arrays]
        views = [
            np.frombuffer(buffer, array.dtype).reshape(array.shape)
            for buffer, array in zip(memory, arrays, strict=True)
        ]
        stage.process(dataclasses.replace(lane, **dict(zip(names, views, strict=True))))
        del views
        for buffer in memory:
            buffer.append(0)  # refused while an array looks at it


WITH_ARRAYS = {
    name: (new, lane)
    for name, (new, lane) in STAGES.items()
    if isinstance(new, partial)
    and any(
        isinstance(value, (list, np.ndarray)) for value in (*new.args, *new.keywords.values())
    )
}


@pytest.mark.parametrize(("new", "lane"), WITH_ARRAYS.values(), ids=WITH_ARRAYS)
def test_options_stay_what_they_were(new, lane):
    """Who writes into an array after a stage was made of it changes no result."""

    def own(value):
        return np.array(value, float) if isinstance(value, (list, np.ndarray)) else value

    args = [own(value) for value in new.args]
    options = {name: own(value) for name, value in new.keywords.items()}
    stage, expected = new.func(*args, **options), run_lane(new.func(*args, **options), lane)
    for value in (*args, *options.values()):
        if isinstance(value, np.ndarray):
            np.multiply(value, 0.5, out=value)
    assert_same_bits(run_lane(stage, lane), expected)


@pytest.mark.parametrize("shape", [(), (1,), (5,), (3, 1)])
def test_flags_are_one_for_each_trace(shape):
    """Others are refused, and not spread over the traces or made into more."""

    class Flagging(LaneStage):
        def _advance(self, samples, is_usable):
            return samples.copy(), np.zeros(shape, np.int64)

    n_traces = 1 if shape == (5,) else 3
    with pytest.raises(ValueError, match="Invalid flags with shape"):
        Flagging().process(RADAR[:n_traces])


@every_stage
def test_the_lane_must_continue(new, lane):
    """A chunk of another shape, lane or time, or behind a gap, is refused and not kept."""
    stage, rest, shape = new(), lane[10:], str(lane.sensor.shape).strip("()")
    results = [stage.process(lane[:10])]
    gap = dataclasses.replace(rest, quality=rest.quality | Quality.GAP)
    for bad, message in [
        (narrow(lane)[10:], rf"Must be \({shape}\)"),
        (dataclasses.replace(rest, lane="lane 2"), "Must be .* lane 'lane 1'"),
        (lane[5:], "Must follow the chunk before"),
        (gap, "a gap lies before 50 of its traces, the first is trace 0"),
    ]:
        with pytest.raises(ValueError, match=message):
            stage.process(bad)
    with pytest.raises(TypeError, match=r"Invalid chunk of type ndarray\. Must be a Sweep"):
        stage.process(lane.samples)
    results += [stage.process(rest), stage.flush()]
    assert_same_bits(join(results), run_lane(new(), lane))


@every_stage
def test_history_names_every_step(new, lane):
    """The result says what was done to it, the stage with its options."""
    result = run_lane(new(), lane)
    inner = repr(new()).removeprefix("Pipeline(").split("(")[0]
    assert len(result.history) >= 1
    assert result.history[0].startswith("minesense ")
    assert inner.split(",")[0] in result.history[0]
