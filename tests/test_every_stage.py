"""Check the promises that every stage makes, whatever it computes."""

import dataclasses
import itertools
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lanes import make_sensor, make_sweep

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


# One line per stage: what makes a new one.
STAGES = {
    "lag": partial(Lag, n_traces=3),
    "series": lambda: Pipeline(Lag(n_traces=2), Pipeline(Lag(n_traces=0), Lag(n_traces=5))),
}
every_stage = pytest.mark.parametrize("new", STAGES.values(), ids=STAGES)

N_TRACES, SENSOR = 60, make_sensor(2, 48)
# Rounding half of the samples makes ties and negative zeros, as converters do.
TRACES = np.random.default_rng(seed=0).normal(size=(N_TRACES, *SENSOR.shape)).astype(np.float32)
TRACES[..., ::2] = TRACES[..., ::2].round()
LANE = make_sweep(TRACES, sensor=SENSOR)
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


@every_stage
@given(n_traces=st.integers(0, N_TRACES), where=cuts)
def test_chunks_do_not_matter(new, n_traces, where):
    """However a lane is cut, the result is that of the whole, trace for trace."""
    lane = LANE[:n_traces]
    result = join(list(stream(new(), split(lane, where))))
    assert len(result) == n_traces
    assert_same_bits(result, run_lane(new(), lane))
    np.testing.assert_array_equal(result.time, lane.time)


@every_stage
@given(bad=st.sets(st.integers(0, N_TRACES - 1), max_size=N_TRACES), where=cuts)
def test_flagged_traces_keep_their_place(new, bad, where):
    """A dropout comes out flagged, as NaN, where it went in, however the lane is cut."""
    bad = sorted(bad)
    lane = damaged(LANE, bad)
    result = join(list(stream(new(), split(lane, where))))
    assert_same_bits(result, run_lane(new(), lane))
    assert (result.quality & lane.quality == lane.quality).all()
    is_bad = np.isin(np.arange(N_TRACES), bad)
    assert np.isnan(result.samples[is_bad]).all()
    assert np.isfinite(result.samples[result.is_usable]).all()
    assert result.is_usable[~is_bad].all()


@every_stage
@given(garbage=st.floats(-(2.0**100), 2.0**100, width=32))
def test_flagged_samples_do_not_leak(new, garbage):
    """What a flagged trace holds changes no other trace."""
    lane = damaged(LANE, [7, 8, 30])
    other = dataclasses.replace(lane, samples=lane.samples.copy())
    other.samples[[7, 8, 30]] = garbage
    assert_same_bits(run_lane(new(), other), run_lane(new(), lane))


@every_stage
def test_latency_is_as_declared(new):
    """After n traces, the first n - latency results are out, and they are final."""
    stage, n_out, expected = new(), 0, run_lane(new(), LANE)
    for n_in in range(1, N_TRACES + 1):
        result = stage.process(LANE[n_in - 1 : n_in])
        assert_same_bits(result, expected[n_out : n_out + len(result)])
        n_out += len(result)
        assert n_out == max(0, n_in - stage.latency)


@every_stage
@pytest.mark.parametrize("end", ["flush", "reset"])
def test_the_next_lane_starts_afresh(new, end):
    """After a flush, or a reset in mid-lane, nothing of the last lane remains."""
    stage = new()
    other = make_sweep(TRACES[:23, :1] + 100, sensor=make_sensor(1, 48), lane="lane 0")
    stage.process(other)
    getattr(stage, end)()
    assert len(stage.flush()) == 0
    assert_same_bits(join([stage.process(LANE), stage.flush()]), run_lane(new(), LANE))


@every_stage
def test_buffers_stay_apart(new):
    """A driver may reuse its buffer, and a caller may write into the results."""
    stage, buffer, results = new(), np.empty_like(TRACES[:15]), []
    for chunk in split(LANE, [15, 30, 45]):
        buffer[:] = chunk.samples
        result = stage.process(dataclasses.replace(chunk, samples=buffer))
        assert buffer.tobytes() == chunk.samples.tobytes()
        results.append(dataclasses.replace(result, samples=result.samples.copy()))
        buffer[:] = result.samples[:] = 77
    assert_same_bits(join([*results, stage.flush()]), run_lane(new(), LANE))


@every_stage
def test_the_lane_must_continue(new):
    """A chunk of another shape, lane or time, or behind a gap, is refused and not kept."""
    stage, rest = new(), LANE[10:]
    results = [stage.process(LANE[:10])]
    narrow = make_sweep(TRACES[10:, :1], sensor=make_sensor(1, 48))
    gap = dataclasses.replace(rest, quality=rest.quality | Quality.GAP)
    for bad, message in [
        (narrow, r"Must be \(2, 48\)"),
        (dataclasses.replace(rest, lane="lane 2"), "Must be .* lane 'lane 1'"),
        (LANE[5:], "Must follow the chunk before"),
        (gap, "a gap lies before 50 of its traces, the first is trace 0"),
    ]:
        with pytest.raises(ValueError, match=message):
            stage.process(bad)
    with pytest.raises(TypeError, match=r"Invalid chunk of type ndarray\. Must be a Sweep"):
        stage.process(TRACES)
    results += [stage.process(rest), stage.flush()]
    assert_same_bits(join(results), run_lane(new(), LANE))


@every_stage
def test_history_names_every_step(new):
    """The result says what was done to it, the stage with its options."""
    result = run_lane(new(), LANE)
    inner = repr(new()).removeprefix("Pipeline(").split("(")[0]
    assert len(result.history) >= 1
    assert result.history[0].startswith("minesense ")
    assert inner.split(",")[0] in result.history[0]
