"""Test the radar's prediction prescreener against its definition and its promises."""

import dataclasses

import numpy as np
import numpy.testing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lanes import make_coils, make_sensor, make_sweep
from naive_prediction import predict_field

from minesense.detect.candidates import extract_candidates
from minesense.gpr.gain import equalise
from minesense.gpr.prediction import PrescreenPrediction, prescreen_prediction
from minesense.stage import run_lane
from minesense.sweep import Quality

# 8 samples a bin, 4 from one to the next; traces 3 to 6 behind predict
OPTIONS = {
    "spacing": 0.05,
    "bin_length": 8e-10,
    "guard": 0.1,
    "length": 0.2,
    "reach": 1,
    "memory": 0.5,
    "n_best": 2,
}
#: The same as the definition takes them.
COUNTS = {"n_guard": 2, "n_lags": 4, "reach": 1, "weight": 1 - np.exp(-0.1)}


def noise(n_traces=40, n_channels=3, n_samples=32, *, seed=0, **options):
    """Return a lane of whitened noise."""
    rng = np.random.default_rng(seed)
    return make_sweep(rng.normal(size=(n_traces, n_channels, n_samples)), **options)


def log_energy(samples, start=0, hop=4):
    """Return y from the definition."""
    starts = range(start, samples.shape[2] - 2 * hop + 1, hop)
    squares = samples.astype(float) ** 2
    return np.log(
        1 + np.stack([squares[..., b : b + 2 * hop].sum(axis=-1) for b in starts], -1)
    )


def with_levels(y, hop=4):
    """Return a lane whose log energies are y at every depth: (n_traces, n_channels)."""
    level = np.sqrt(np.expm1(y) / (2 * hop))
    return make_sweep(np.repeat(level[..., None], 4 * hop, axis=-1))


def flagged(sweep, bad, flag=Quality.STUCK):
    """Return the lane with these traces flagged."""
    quality = sweep.quality.copy()
    quality[bad] |= flag
    return dataclasses.replace(sweep, quality=quality)


@pytest.mark.parametrize("rate", [0.05, 0.7])
@pytest.mark.parametrize("floor", [0.1, 0.6])
@pytest.mark.parametrize("bad", [[], [0, 1, 12, 13, 20], list(range(9, 20))])
def test_matches_the_definition(rate, floor, bad):
    """Neighbourhoods, stand-ins for dropouts, weights, spread, floor and windows."""
    sweep = flagged(noise(), bad)
    result = prescreen_prediction(sweep, **OPTIONS, rate=rate, floor=floor, start_time=5e-10)
    is_usable = sweep.quality == 0
    y = log_energy(sweep.samples, start=5)
    _, ratio, is_short = predict_field(y, is_usable, **COUNTS, rate=rate, floor=floor, least=2)
    expected = ratio[..., :-1] + ratio[..., 1:]
    npt.assert_array_equal((result.quality & Quality.EDGE) != 0, is_short)
    npt.assert_allclose(result.samples[is_usable], expected[is_usable], rtol=2e-3, atol=1e-4)
    assert np.isnan(result.samples[bad]).all()
    assert not result.samples[is_usable & is_short].any()


@given(
    bad=st.sets(st.integers(0, 19)),
    reach=st.integers(0, 3),
    n_guard=st.integers(0, 3),
    n_lags=st.integers(1, 4),
    min_share=st.sampled_from([0.2, 0.5, 1.0]),
    every=st.integers(1, 3),
)
def test_matches_the_definition_whatever_is_asked(
    bad, reach, n_guard, n_lags, min_share, every
):
    """Every reach, also beyond the array, guard, length, step, share, pattern of dropouts."""
    sweep = flagged(noise(20, n_samples=12), sorted(bad))
    counts = {"n_guard": n_guard, "n_lags": n_lags, "reach": reach, "every": every}
    options = {"guard": 0.05 * n_guard, "length": 0.05 * n_lags * every, "reach": reach}
    options["step"] = 0.05 * every
    result = prescreen_prediction(sweep, **OPTIONS | options, min_share=min_share)
    is_usable = sweep.quality == 0
    _, ratio, is_short = predict_field(
        log_energy(sweep.samples),
        is_usable,
        **COUNTS | counts,
        rate=0.05,
        floor=0.1,
        least=int(np.ceil(min_share * n_lags)),
    )
    npt.assert_array_equal((result.quality & Quality.EDGE) != 0, is_short)
    expected = ratio.sum(axis=-1)[is_usable]
    npt.assert_allclose(result.samples[is_usable, :, 0], expected, rtol=2e-3, atol=1e-4)


def test_axis_is_the_centre_of_each_window():
    """An impulse scores most in the windows whose two-way time surrounds it."""
    sweep = noise(n_samples=48)
    sweep.samples[30, 0, 26] = 50.0
    result = prescreen_prediction(sweep, **OPTIONS, start_time=5e-10)
    # samples 5 to 16 are the first window of two bins, its centre 10.5; 4 samples a step
    npt.assert_allclose(result.sensor.axis, (10.5 + 4 * np.arange(8)) * 1e-10)
    best = result.samples[30, 0].argmax()
    assert abs(result.sensor.axis[best] - 26e-10) <= 2e-10
    assert result.sensor.quantity == "score"
    assert np.argmax(result.samples[:, 0].max(axis=1)) == 30


def test_a_constant_background_is_predicted_from_the_start():
    """Ground that never changes and is alike for all channels has no error, so no score."""
    ground = np.random.default_rng(3).normal(size=32)
    result = prescreen_prediction(make_sweep(np.tile(ground, (40, 3, 1))), **OPTIONS)
    npt.assert_allclose(result.samples, 0.0, atol=1e-8)
    assert not prescreen_prediction(make_sweep(np.zeros((40, 3, 32))), **OPTIONS).samples.any()


def test_channels_of_unlike_levels_are_learnt():
    """What a plain mean over the channels gets wrong fades at the rate of learning."""
    y = np.tile([1.0, 2.0, 4.0], (120, 1))
    error, _, _ = predict_field(
        y[..., None], np.ones(120, bool), **COUNTS, rate=0.05, floor=0.1, least=2
    )
    first = 4  # the first trace with two behind the guard
    # u stays the same, so that each trace takes the share mu / (1 + delta) off the error
    steps = np.arange(120 - first)[:, None]
    decay = (1 - 0.05 / 1.001) ** steps
    npt.assert_allclose(error[first:, :, 0], error[first, :, 0] * decay, rtol=1e-6, atol=1e-9)
    scores = prescreen_prediction(with_levels(y), **OPTIONS).samples
    assert scores[10].max() > 1.0
    assert scores[-1].max() < 1e-2


def test_steady_noise_scores_as_many_as_bins():
    """The variance of errors is followed: on Gaussian noise the mean score is n_best."""
    rng = np.random.default_rng(4)
    y = 3 + 0.3 * rng.normal(size=(600, 3))
    scores = prescreen_prediction(with_levels(y), **OPTIONS | {"memory": 3.0})
    judged = scores.samples[100:]
    # two equal bins, each of a mean of 1; the trailing variance adds some per cent
    assert 1.9 < judged.mean() < 2.3
    assert not scores.quality[8:].any()


def test_a_field_that_remembers_is_predicted_better_than_its_variance():
    """An autoregressive field: errors stay far below the variance."""
    rng = np.random.default_rng(5)
    n = 1500
    deviation = np.zeros((n, 1))
    for k in range(1, n):
        deviation[k] = 0.97 * deviation[k - 1] + 0.1 * rng.normal()
    y = 3 + deviation
    error, _, _ = predict_field(
        y[..., None],
        np.ones(n, bool),
        **COUNTS | {"n_guard": 0, "reach": 0},
        rate=0.05,
        floor=0.1,
        least=2,
    )
    assert np.var(error[300:]) < 0.3 * np.var(y[300:])
    # nothing is better than the innovations
    assert np.var(error[300:]) > 0.1**2


def test_an_object_raises_the_score_at_its_place():
    """The score of a burst exceeds all others, in its channel, traces and depth."""
    sweep = noise(80, n_samples=48)
    sweep.samples[60:63, 1, 20:28] *= 6
    result = prescreen_prediction(sweep, **OPTIONS)
    trace, channel, window = np.unravel_index(result.samples.argmax(), result.samples.shape)
    assert 60 <= trace <= 62
    assert channel == 1
    assert abs(result.sensor.axis[window] - 24e-10) <= 8e-10


def test_candidates_are_found_in_the_scores():
    """The scores have the form that candidates are extracted from."""
    sweep = noise(80, n_samples=48)
    sweep.samples[60:63, 1, 20:28] *= 6
    scores = prescreen_prediction(sweep, **OPTIONS)
    found = extract_candidates(scores, spacing=0.05, merge_radius=0.3, threshold=40.0)
    best = max(found, key=lambda candidate: candidate.score)
    assert 60 <= best.trace <= 62
    assert best.score == scores.samples.max()


def test_a_guard_keeps_a_long_target_from_predicting_itself():
    """With a guard of its length a target is as plain at its end; without, it has faded."""
    y = np.full((80, 1), 2.0) + 0.2 * np.random.default_rng(6).normal(size=(80, 1))
    y[60:66] += 2.0  # 30 cm
    sweep = with_levels(y)
    near = prescreen_prediction(sweep, **OPTIONS | {"guard": 0.0}).samples[65].max()
    kept = prescreen_prediction(sweep, **OPTIONS | {"guard": 0.3}).samples[65].max()
    assert near < 0.3 * kept


def test_one_strong_trace_hardly_raises_the_spread():
    """A second target behind a very strong trace keeps its score, within the bound."""
    rng = np.random.default_rng(7)
    y = 3 + 0.2 * rng.normal(size=(120, 1))
    y[99:101] = [[3.0], [4.0]]
    first = prescreen_prediction(with_levels(y), **OPTIONS | {"rate": 1e-9}).samples
    y[99] = 8.0
    second = prescreen_prediction(with_levels(y), **OPTIONS | {"rate": 1e-9}).samples
    ratio = first[100].max() / second[100].max()
    a = 1 - np.exp(-0.1)
    assert 1 < ratio <= (1 + 3.4 * a) / (1 - a)


def test_nothing_is_learnt_from_flagged_traces():
    """Flagged ones far behind the window leave the weights and the variance as they are."""
    sweep = noise(60)
    plain = prescreen_prediction(sweep, **OPTIONS)
    strange = sweep.samples.copy()
    strange[30] = 1e4
    bad = flagged(dataclasses.replace(sweep, samples=strange), [30])
    other = flagged(sweep, [30])
    result = prescreen_prediction(bad, **OPTIONS)
    npt.assert_array_equal(result.samples, prescreen_prediction(other, **OPTIONS).samples)
    npt.assert_array_equal(result.samples[:30], plain.samples[:30])
    assert np.isnan(result.samples[30]).all()
    npt.assert_array_equal(np.flatnonzero(~result.is_credited), [*range(8), 30])


def test_traces_flagged_edge_before_do_not_predict():
    """What an earlier stage could not judge is zero here and no reference for others."""
    sweep = noise()
    sweep.samples[:4] = 0.0
    result = prescreen_prediction(flagged(sweep, slice(4), Quality.EDGE), **OPTIONS)
    npt.assert_array_equal(result.samples[:4], 0.0)
    assert (result.quality[:4] == Quality.EDGE).all()
    rest = prescreen_prediction(sweep[4:], **OPTIONS)
    npt.assert_array_equal(result.samples[4:], rest.samples)
    later = prescreen_prediction(flagged(sweep, [20, 30], Quality.EDGE), **OPTIONS)
    npt.assert_array_equal(later.samples[[20, 30]], 0.0)
    assert later.samples[[19, 21, 29, 31]].all()


def test_dropouts_are_not_silence():
    """A flagged dropout leaves as NaN and uncredited, also on a lane of nothing else."""
    sweep = noise(12)
    sweep.samples[:] = np.nan
    quality = np.full(12, int(Quality.NOT_FINITE))
    result = prescreen_prediction(dataclasses.replace(sweep, quality=quality), **OPTIONS)
    assert np.isnan(result.samples).all()
    assert not result.is_credited.any()


def test_the_start_of_a_lane_is_not_observed():
    """Two behind the guard, then as many learnt from as predict: flagged EDGE until then."""
    result = prescreen_prediction(noise(), **OPTIONS)
    is_edge = (result.quality & Quality.EDGE) != 0
    npt.assert_array_equal(np.flatnonzero(is_edge), np.arange(8))
    whole = prescreen_prediction(noise(), **OPTIONS, min_share=1.0)
    npt.assert_array_equal(np.flatnonzero(whole.quality), np.arange(10))
    assert not result.samples[is_edge].any()


def test_a_lane_forgets_the_one_before():
    """After a flush the weights, the spread and what is held start anew."""
    stage, first, second = PrescreenPrediction(**OPTIONS), noise(seed=8), noise(seed=9)
    run_lane(stage, dataclasses.replace(first, samples=50 * first.samples))
    npt.assert_array_equal(
        run_lane(stage, second).samples, prescreen_prediction(second, **OPTIONS).samples
    )


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"spacing": 0}, "Invalid spacing '0.0'"),
        ({"bin_length": -1e-9}, "Invalid bin_length '-1e-09'"),
        ({"guard": -0.1}, "Invalid guard '-0.1'. Must be finite and not negative"),
        ({"length": 0}, "Invalid length '0.0'"),
        ({"length": 0.02}, "Invalid length '0.02'. Must hold a trace or more at .* 0.05 m"),
        ({"step": 0.01}, "Invalid step .0.01.. Must be at least the spacing, 0.05 m"),
        ({"reach": -1}, "Invalid reach '-1'. Must be at least 0"),
        ({"rate": 0}, "Invalid rate '0.0'"),
        ({"rate": 2}, "Invalid rate '2.0'. Must be less than 2: weights diverge"),
        ({"memory": np.nan}, "Invalid memory 'nan'"),
        ({"n_best": 0}, "Invalid n_best '0'. Must be at least 1"),
        ({"start_time": np.inf}, "Invalid start_time 'inf'"),
        ({"floor": 0}, "Invalid floor '0.0'"),
        ({"min_share": 0}, "Invalid min_share '0.0'"),
        ({"min_share": 1.1}, "Invalid min_share '1.1'. Must be at most 1"),
    ],
)
def test_bad_options_are_named(bad, message):
    """The error names the option, shows its value and states the rule."""
    with pytest.raises(ValueError, match=message):
        PrescreenPrediction(**OPTIONS | bad)


def test_bad_sensors_are_named():
    """A coil, a frequency axis, automatic gain, or too short a record is refused."""
    stage = PrescreenPrediction(**OPTIONS)
    coils = make_sweep(np.zeros((3, 2, 12)), sensor=make_coils())
    with pytest.raises(ValueError, match=r"'test coils' of kind 'emi'.* Must be a radar"):
        run_lane(stage, coils)
    stepped = make_sweep(np.zeros((3, 2, 48)), sensor=make_sensor(2, 48, axis_unit="Hz"))
    with pytest.raises(ValueError, match=r"axis in Hz. Must be a radar with two-way times"):
        run_lane(stage, stepped)
    with pytest.raises(ValueError, match=r"Must hold amplitudes: automatic gain is for"):
        run_lane(stage, equalise(noise(), window=1.1e-9))
    with pytest.raises(ValueError, match=r"ends at 1.1e-09 s and holds 1 bins after 3e-10 s"):
        prescreen_prediction(noise(n_samples=12), **OPTIONS, start_time=3e-10)
    with pytest.raises(ValueError, match=r"holds 0 bins after 1 s. Must hold .* n_best = 2"):
        prescreen_prediction(noise(), **OPTIONS, start_time=1.0)
