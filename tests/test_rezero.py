"""Test that steps of the zero are found, undone and never silent, and targets left alone."""

import dataclasses
import itertools

import naive_coils
import numpy as np
import numpy.testing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lanes import make_coils, make_phasors, make_sweep

from minesense.emi.rezero import Rezero, rezero
from minesense.stage import stream
from minesense.sweep import Quality, join

# 10 traces a second: windows of 5 traces, spreads of 20 jumps
OPTIONS = {"interval": 0.1, "hold": 0.5, "memory": 2.0, "threshold": 6.0}
COUNTS = {"n": 5, "n_memory": 20, "threshold": 6.0}
HEIGHT = np.array([4.0, 3.0, -2.0])


def make_lane(samples, *, bad=(), sensor=None):
    """Return samples as a lane of coils, 10 traces a second, with dropouts."""
    samples = np.array(samples)
    quality = np.zeros(len(samples), int)
    quality[list(bad)] = Quality.NOT_FINITE
    samples[list(bad)] = np.nan
    sensor = sensor or make_coils(*samples.shape[1:])
    return make_sweep(
        samples, sensor=sensor, time=0.1 * np.arange(len(samples)), quality=quality
    )


def noise(n_traces=120, shape=(2, 3), *, scale=0.05, seed=0):
    """Return noise."""
    return scale * np.random.default_rng(seed).normal(size=(n_traces, *shape))


def with_steps(*steps, **options):
    """Return noise whose zero jumps by HEIGHT times a factor, in one channel, at traces."""
    samples = noise(**options)
    for trace, channel, factor in steps:
        samples[trace:, channel] += factor * HEIGHT
    return samples


def approach(n_rise, n_over, n_traces=120):
    """Return the response of a head that comes slowly to a target and stays over it."""
    rise = np.concatenate(
        [np.zeros(50), np.sin(np.linspace(0, np.pi / 2, n_rise)) ** 2, np.ones(n_over)]
    )
    return np.resize(np.pad(rise, (0, n_traces), mode="edge"), n_traces)[:, None, None]


@given(
    steps=st.lists(
        st.tuples(st.integers(0, 119), st.integers(0, 1), st.sampled_from([0.1, 1, -1, 5])),
        max_size=3,
    ),
    bad=st.sets(st.integers(0, 119), max_size=30),
    commanded=st.lists(st.integers(0, 119), max_size=2, unique=True).map(sorted),
    share=st.sampled_from([0.4, 1.0]),
)
def test_matches_the_definition(steps, bad, commanded, share):
    """Jumps, spreads, windows, dropouts and commands, whatever comes together."""
    lane = make_lane(with_steps(*steps), bad=sorted(bad))
    commanded = [k for k in commanded if k > 0]
    times = [0.1 * k - 0.05 for k in commanded]
    found, expected = naive_coils.find_steps(
        lane.samples, lane.is_usable, commanded, **COUNTS, share=share
    )
    started = np.flatnonzero(lane.is_usable)[:1]
    found = {key: value for key, value in found.items() if key[0] > started[0]}
    result, audit = rezero(lane, **OPTIONS, share=share, commands=times)
    assert {(e.trace, e.channel): e.cause for e in audit} == {
        key: cause for key, (cause, _) in found.items()
    }
    for entry in audit:
        npt.assert_allclose(entry.step, found[entry.trace, entry.channel][1], atol=1e-5)
    npt.assert_allclose(result.samples[lane.is_usable], expected[lane.is_usable], atol=2e-5)


def test_a_step_is_undone_and_recorded():
    """Trace, time, channel, cause and height; flags behind it; a line in the history."""
    lane = make_lane(with_steps((70, 1, 1.0)))
    result, (entry,) = rezero(lane, **OPTIONS)
    assert (entry.trace, entry.channel, entry.cause) == (70, 1, "detected")
    assert (entry.lane, entry.sensor, entry.time) == ("lane 1", "test coils", lane.time[70])
    npt.assert_allclose(entry.step, HEIGHT, atol=0.1)
    npt.assert_allclose(result.samples[70:, 1], lane.samples[70:, 1] - entry.step, atol=1e-5)
    npt.assert_array_equal(result.samples[:, 0], lane.samples[:, 0])
    npt.assert_array_equal(result.samples[:70], lane.samples[:70])
    flagged = np.flatnonzero(result.quality == Quality.BASELINE_STEP | Quality.EDGE)
    npt.assert_array_equal(flagged, range(70, 75))
    assert not result.quality[:70].any()
    assert not result.quality[75:].any()
    assert result.history[-1] == str(entry)
    assert "channel 1, before trace 70 at 7.0 s: " in str(entry)


def test_two_steps_add_up():
    """Each later trace is less all steps before it."""
    result, audit = rezero(make_lane(with_steps((50, 0, 1.0), (90, 0, 5.0))), **OPTIONS)
    assert [entry.trace for entry in audit] == [50, 90]
    assert np.abs(result.samples).max() < 0.3


@pytest.mark.parametrize("n_rise", [6, 10, 30])
def test_a_slow_approach_is_no_step(n_rise):
    """A head that comes to a target and stays there keeps all of its signal."""
    lane = make_lane(noise(scale=0.001) + HEIGHT * approach(n_rise, 60))
    result, audit = rezero(lane, **OPTIONS)
    assert audit == ()
    npt.assert_array_equal(result.samples, lane.samples)
    assert not result.quality.any()


@pytest.mark.parametrize("scale", [0.0, 0.15])
def test_a_target_in_whole_numbers_is_no_row_of_steps(scale):
    """Numbers that seldom change have a spread of one of their steps: 20 of them are found."""
    rise = 6 * np.exp(-(((np.arange(600) - 250) / 50) ** 2))[:, None, None]
    samples = np.round(rise + noise(600, (1, 3), scale=scale)[..., :1]) * np.ones(3)
    result, audit = rezero(make_lane(samples), **OPTIONS)
    assert audit == ()
    assert result.samples.max() == samples.max()
    samples[400:] += 20
    _, (entry,) = rezero(make_lane(samples), **OPTIONS | {"memory": 30.0})
    assert entry.trace == 400


def test_a_zero_taken_over_a_target_does_not_hide_it():
    """The head approaches, is re-zeroed over the target, and leaves again."""
    target = approach(20, 0) - np.roll(approach(20, 0), 40, axis=0)
    target = HEIGHT * np.clip(target, 0, 1)
    recorded = target + noise(scale=0.01)
    recorded[80:] -= HEIGHT
    result, audit = rezero(make_lane(recorded), **OPTIONS)
    assert {(e.trace, e.cause) for e in audit} == {(80, "detected")}
    npt.assert_allclose(
        result.samples[:, 0], np.broadcast_to(target, (120, 2, 3))[:, 0], atol=0.1
    )


def test_spikes_and_single_gates_are_no_steps():
    """What comes back, and what one gate does alone, is not the zero of a channel."""
    samples = noise()
    samples[60] += HEIGHT
    samples[80:, :, 1] += 4.0
    lane = make_lane(samples)
    result, audit = rezero(lane, **OPTIONS)
    assert audit == ()
    npt.assert_array_equal(result.samples, lane.samples)
    assert len(rezero(lane, **OPTIONS, share=0.3)[1]) == 2


@pytest.mark.parametrize(
    ("bad", "n_found"),
    [((56, 57), 1), ((55, 56, 57), 0), ((61, 62), 1), ((61, 62, 63), 0)],
)
def test_half_of_each_window_must_be_known(bad, n_found):
    """Three of the five traces before, and of the five from the step on."""
    _, audit = rezero(make_lane(with_steps((60, 0, 1.0)), bad=bad), **OPTIONS)
    assert len(audit) == n_found


def test_the_end_of_a_spike_is_no_step():
    """A fall while the level rises is not the change of level, however alike in size."""
    samples = with_steps((60, 0, 1.0))
    samples[59, 0] += 2.75 * HEIGHT
    assert rezero(make_lane(samples), **OPTIONS)[1] == ()


def test_a_command_is_obeyed_and_recorded_however_small():
    """A known re-zero has an entry for each channel, even where nothing moved."""
    lane = make_lane(with_steps((60, 0, 0.05)))
    _, audit = rezero(lane, **OPTIONS, commands=[-3.0, 5.95, 50.0])
    assert [(e.trace, e.channel, e.cause) for e in audit] == [
        (60, 0, "commanded"),
        (60, 1, "commanded"),
    ]
    npt.assert_allclose(audit[0].step, 0.05 * HEIGHT, atol=0.1)


def test_a_command_waits_for_a_usable_trace():
    """In a dropout a command acts on the next trace that means something."""
    lane = make_lane(with_steps((60, 0, 1.0)), bad=range(60, 63))
    _, audit = rezero(lane, **OPTIONS, commands=[5.95])
    assert [(e.trace, e.channel) for e in audit] == [(63, 0), (63, 1)]


def test_a_command_behind_a_long_dropout_subtracts_nothing():
    """Without a level before, the entry says that nothing was subtracted."""
    lane = make_lane(with_steps((60, 0, 1.0)), bad=range(50, 60))
    result, (entry, _) = rezero(lane, **OPTIONS, commands=[5.5])
    assert (entry.trace, entry.step) == (60, (0.0, 0.0, 0.0))
    npt.assert_array_equal(result.samples[60:], lane.samples[60:])


def test_phasors_have_steps_as_gates_do():
    """In-phase and quadrature jump together."""
    sensor = make_phasors(1)
    samples = noise(shape=sensor.shape)
    samples[60:] += [1.0, -2.0, 0.5, 3.0]
    _, (entry,) = rezero(make_lane(samples, sensor=sensor), **OPTIONS)
    npt.assert_allclose(entry.step, [1.0, -2.0, 0.5, 3.0], atol=0.1)


@given(where=st.lists(st.integers(0, 120), max_size=5).map(sorted))
def test_a_stream_keeps_the_same_audit(where):
    """However the lane is cut: the same entries, and the same samples."""
    lane = make_lane(with_steps((50, 0, 1.0), (90, 1, -1.0)), bad=[48, 51, 92])
    options = OPTIONS | {"commands": [3.02]}
    expected, audit = rezero(lane, **options)
    assert len(audit) == 4
    stage = Rezero(**options)
    bounds = [0, *where, 120]
    chunks = [lane[a:b] for a, b in itertools.pairwise(bounds)]
    result = join(list(stream(stage, chunks)))
    assert tuple(stage.audit) == audit
    npt.assert_array_equal(result.samples, expected.samples)
    npt.assert_array_equal(result.quality, expected.quality)
    # a second lane adds its entries to those of the first
    list(stream(stage, [dataclasses.replace(lane, lane="lane 2")]))
    assert [entry.lane for entry in stage.audit] == ["lane 1"] * 4 + ["lane 2"] * 4


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"interval": 0}, "Invalid interval '0.0'"),
        ({"hold": 0.1}, "Invalid hold '0.1' with a memory of 2.0 s. Must be at least two"),
        ({"memory": 0.3}, "Invalid hold '0.5' with a memory of 0.3 s"),
        ({"threshold": -1}, "Invalid threshold '-1.0'"),
        ({"share": 1.5}, "Invalid share '1.5'. Must be at most 1"),
        ({"commands": [2.0, 1.0]}, "Invalid commands: value 1 is 1.0 after 2.0"),
        ({"commands": [np.nan]}, "Invalid commands: 1 of 1 values are NaN"),
    ],
)
def test_bad_options_are_named(bad, message):
    """The error names the option, shows its value and states the rule."""
    with pytest.raises(ValueError, match=message):
        Rezero(**OPTIONS | bad)


def test_commands_are_numbers():
    """Words are refused by name."""
    for bad in ("now", [1.0, "later"]):
        with pytest.raises(TypeError, match="Invalid commands of dtype"):
            Rezero(**OPTIONS, commands=bad)
