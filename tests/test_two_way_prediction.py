"""Test prediction out of both directions against two runs of the definition."""

import dataclasses

import numpy as np
import numpy.testing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lanes import make_sweep
from naive_prediction import predict_field
from test_prediction_prescreener import COUNTS, OPTIONS, flagged, log_energy, noise, with_levels

from minesense.gpr.prediction import prescreen_prediction
from minesense.gpr.two_way import prescreen_prediction_two_way
from minesense.sweep import Quality, no_traces


def naive_two_way(samples, is_usable):
    """Return sums of the smaller ratio and what neither way can judge, from the definition."""
    y, options = log_energy(samples), COUNTS | {"rate": 0.05, "floor": 0.1, "least": 2}
    _, there, short_there = predict_field(y, is_usable, **options)
    _, back, short_back = predict_field(y[::-1], is_usable[::-1], **options)
    back, short_back = back[::-1], short_back[::-1]
    ratio = np.minimum(there, back)
    ratio[short_there] = back[short_there]
    ratio[short_back] = there[short_back]
    ratio[short_there & short_back] = 0.0
    return ratio[..., :-1] + ratio[..., 1:], short_there & short_back


@given(bad=st.sets(st.integers(0, 29), max_size=25), n_traces=st.integers(1, 30))
def test_matches_the_definition(bad, n_traces):
    """The smaller error of both ways, or that of the only one that can judge."""
    bad = sorted(k for k in bad if k < n_traces)
    sweep = flagged(noise(n_traces, n_channels=2, n_samples=20), bad)
    result = prescreen_prediction_two_way(sweep, **OPTIONS)
    is_usable = sweep.quality == 0
    expected, is_dark = naive_two_way(sweep.samples, is_usable)
    npt.assert_array_equal((result.quality & Quality.EDGE) != 0, is_dark)
    npt.assert_allclose(result.samples[is_usable], expected[is_usable], rtol=2e-3, atol=1e-4)
    assert np.isnan(result.samples[bad]).all()
    assert (result.quality & sweep.quality == sweep.quality).all()


def test_one_way_is_an_upper_bound():
    """Where the way there can judge, both ways together score no more; the axis is the same."""
    sweep = noise(60)
    one, two = (
        run(sweep, **OPTIONS) for run in (prescreen_prediction, prescreen_prediction_two_way)
    )
    judged = one.quality == 0
    assert (two.samples[judged] <= one.samples[judged]).all()
    assert not two.quality.any()  # the start of a lane is judged on the way back
    npt.assert_array_equal(two.sensor.axis, one.sensor.axis)
    assert two.sensor.quantity == "score"
    assert two.history[-1] == one.history[-1].replace(
        "PrescreenPrediction", "prescreen_prediction_two_way"
    )


def test_a_lane_turned_round_has_its_scores_turned_round():
    """There and back are alike: no direction is preferred, in any bit."""
    sweep = flagged(noise(50), [7, 30])
    turned = dataclasses.replace(
        sweep, samples=sweep.samples[::-1], quality=sweep.quality[::-1]
    )
    first = prescreen_prediction_two_way(sweep, **OPTIONS)
    second = prescreen_prediction_two_way(turned, **OPTIONS)
    npt.assert_array_equal(second.samples[::-1], first.samples)
    npt.assert_array_equal(second.quality[::-1], first.quality)


def test_the_echo_of_a_target_in_the_score_is_gone():
    """Behind a target its own prediction misleads, on the way there alone."""
    y = 3 + 0.2 * np.random.default_rng(1).normal(size=(120, 1))
    y[60:63] += 3.0
    sweep, options = with_levels(y), OPTIONS | {"rate": 0.5}
    one = prescreen_prediction(sweep, **options).samples.max(axis=(1, 2))
    two = prescreen_prediction_two_way(sweep, **options).samples.max(axis=(1, 2))
    assert one[63:72].max() > 3 * two[63:72].max()
    assert two[60:63].max() > 3 * two[63:72].max()
    assert two[:50].max() < two[60:63].max()


def test_a_gap_may_lie_before_the_lane():
    """Missing ground ahead of the first trace is no gap within, on either way."""
    sweep = noise(40)
    quality = sweep.quality.copy()
    quality[0] = Quality.GAP
    result = prescreen_prediction_two_way(
        dataclasses.replace(sweep, quality=quality), **OPTIONS
    )
    assert result.quality[0] == Quality.GAP
    npt.assert_array_equal(
        result.samples, prescreen_prediction_two_way(sweep, **OPTIONS).samples
    )
    quality[20] = Quality.GAP
    with pytest.raises(ValueError, match="a gap lies before 2 of its traces"):
        prescreen_prediction_two_way(dataclasses.replace(sweep, quality=quality), **OPTIONS)


def test_traces_flagged_edge_before_stay_dark():
    """What an earlier stage could not judge scores zero and predicts nothing."""
    sweep = noise()
    sweep.samples[:4] = 0.0
    result = prescreen_prediction_two_way(flagged(sweep, slice(4), Quality.EDGE), **OPTIONS)
    npt.assert_array_equal(result.samples[:4], 0.0)
    assert (result.quality[:4] == Quality.EDGE).all()
    rest = prescreen_prediction_two_way(sweep[4:], **OPTIONS)
    npt.assert_array_equal(result.samples[4:], rest.samples)


def test_a_lane_of_no_sensor_stays_so():
    """As for every other stage."""
    assert prescreen_prediction_two_way(no_traces(), **OPTIONS).sensor.shape == (0, 0)


def test_an_empty_lane_stays_empty():
    """No traces in, no traces out, with the axis of scores."""
    result = prescreen_prediction_two_way(make_sweep(np.zeros((0, 2, 32))), **OPTIONS)
    assert result.samples.shape == (0, 2, 6)
