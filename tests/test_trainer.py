"""Test labels, weights, thresholds and likelihood ratios that training works with."""

import math
from types import SimpleNamespace

import numpy as np
import numpy.testing as npt
import pytest
from fields import make_alarm, make_target, make_truth

from minesense import synthetic
from minesense.detect import (
    RECIPES,
    Platt,
    expected_calibration_error,
    fit_calibration,
    fit_platt,
    log_odds,
)
from minesense.detect.ratios import likelihood_ratios
from minesense.score import Halo, match
from minesense.sweep import Sweep
from minesense.training import emplacement_weights, label_sites, rate_threshold


def make_site(easting, northing=0.0, **features):
    """Return what labelling and judging need of a place."""
    return SimpleNamespace(easting=easting, northing=northing, features=features, lane="A")


def test_labels_follow_the_halo_and_leave_a_ring_out():
    """Within a halo a mine, within two neither, beyond clutter; the nearest target owns."""
    truth = make_truth(make_target("a", 0.0, 0.0), make_target("b", 1.0, 0.0))
    reach = Halo().reach(0.1)
    places = [0.0, 0.99 * reach, 1.01 * reach, 1.99 * reach, 2.01 * reach, 1.0 - 0.5 * reach]
    owner, keep = label_sites([make_site(x) for x in places], truth, Halo())
    assert owner.tolist() == [0, 0, -1, -1, -1, 1]
    assert keep.tolist() == [True, True, False, False, True, True]


@pytest.mark.parametrize("ring", [1.0, 1.5, 3.0])
def test_the_ring_is_that_of_the_score(ring):
    """Places are left out of training where alarms are left out of the score."""
    truth = make_truth(make_target("a", 0.0, 0.0))
    reach, halo = Halo().reach(0.1), Halo(ring=ring)
    places = np.array([0.99, 1.01, 0.99 * ring, 1.01 * ring]) * reach
    _, keep = label_sites([make_site(x) for x in places], truth, halo)
    assert keep.tolist() == [True, ring == 1.0, ring == 1.0, True]


def test_the_halo_of_a_long_target_is_the_ellipse_of_the_score():
    """Beside a cable, and beyond its end, as alarms would be judged there."""
    cable = make_target("c", 0.0, 0.0, diameter=2.0)  # along north
    halo = Halo(kind="elongated")
    sites = [make_site(0.0, 1.4), make_site(0.45, 0.0), make_site(0.6, 0.0), make_site(1.1, 0)]
    owner, keep = label_sites(sites, make_truth(cable), halo)
    assert (owner.tolist(), keep.tolist()) == ([0, 0, -1, -1], [True, True, False, True])
    alarms = [make_alarm(site.easting, site.northing) for site in sites]
    found = {a.easting: a.outcome for a in match(alarms, make_truth(cable), halo).alarms}
    assert found == {0.0: "repeat", 0.45: "hit", 0.6: "outside", 1.1: "false"}


def test_a_place_that_is_not_known_is_neither_mine_nor_clutter():
    """Where positions were lost a mine may lie; it is not taught as something else."""
    lost = [make_site(math.nan, math.nan), make_site(0.0, math.nan), make_site(math.inf, 0.0)]
    for truth in (make_truth(make_target("a", 0.0, 0.0)), make_truth()):
        owner, keep = label_sites([*lost, make_site(9.0)], truth, Halo())
        assert (owner.tolist(), keep.tolist()) == ([-1] * 4, [False, False, False, True])


def test_larger_targets_reach_further():
    """The nearest is the one whose halo holds the place, in shares of its halo."""
    truth = make_truth(make_target("s", 0.0, 0.0), make_target("l", 0.5, 0.0, diameter=0.5))
    owner, _ = label_sites([make_site(0.2)], truth, Halo())
    assert owner.tolist() == [1]


def test_nothing_to_label():
    """No targets: all is clutter. No places: nothing."""
    owner, keep = label_sites([make_site(0.0)], make_truth(), Halo())
    assert (owner.tolist(), keep.tolist()) == ([-1], [True])
    owner, keep = label_sites([], make_truth(make_target("a", 0, 0)), Halo())
    assert len(owner) == len(keep) == 0


def test_several_places_at_one_target_weigh_one():
    """Clutter weighs one each."""
    weights = emplacement_weights(np.array([0, 0, 2, -1, 2, 2, -1]))
    npt.assert_allclose(weights, [1 / 2, 1 / 2, 1 / 3, 1, 1 / 3, 1 / 3, 1])


@pytest.mark.parametrize(
    ("scores", "rate", "n_above"),
    [
        ([1, 2, 3, 4], 0.2, 2),
        ([1, 2, 3, 4], 0.0, 0),
        ([1, 2, 3, 4], 0.3, 3),
        ([1, 3, 3, 3], 0.2, 0),  # three at once would be more than two
        ([4, 3, 2, 1], 0.4, 4),
        ([4, 3, 2, 1], 9.0, 4),
    ],
)
def test_the_threshold_allows_as_many_as_the_rate(scores, rate, n_above):
    """At or above it lie as many as the rate allows over 10 m^2; with ties fewer."""
    threshold = rate_threshold(np.array(scores, float), rate=rate, area=10.0)
    assert (np.array(scores) >= threshold).sum() == n_above


def test_a_threshold_without_scores_is_finite():
    """Nothing was noticed where nothing lies."""
    assert math.isfinite(rate_threshold(np.array([]), rate=0.3, area=10.0))


class Likely:
    """An estimator whose score is the first feature."""

    classes_ = np.array([False, True])

    def decision_function(self, features):
        """Return the first column."""
        return np.asarray(features)[:, 0]

    def predict_proba(self, features):
        """Return probabilities of which the first column is the log odds."""
        p = 1 / (1 + np.exp(-np.asarray(features)[:, 0]))
        return np.column_stack([1 - p, p])


def test_a_likelihood_ratio_is_posterior_over_prior():
    """More like a mine is greater; the prior's log odds are taken off; NaN if unseen."""
    sites = [make_site(0.0, gpr=np.array([x, 0.0])) for x in (2.0, -2.0, math.nan)] + [
        make_site(0.0, emi=np.array([1.0]))
    ]
    calibration = Platt(slope=2.0, offset=0.5)
    ratios = likelihood_ratios(Likely(), calibration, 0.2, sites, "gpr")
    expected = calibration.log_odds(np.array([2.0, -2.0])) - log_odds(0.2)
    npt.assert_allclose(ratios[:2], expected, rtol=1e-9)
    assert ratios[0] > ratios[1]
    assert np.isnan(ratios[2:]).all()
    assert len(likelihood_ratios(Likely(), calibration, 0.2, [], "gpr")) == 0


def test_a_shift_alone_keeps_the_ranking():
    """The mean is the share of mines, even where the ratios rank the wrong way round."""
    from minesense.training.judges import _calibrate_alone  # noqa: PLC0415, private

    ratios, ones = np.tile([2.0, 1.0, -1.0, -2.0], 100), np.ones(400)
    for mines in ([True, True, True, False], [False, False, False, True]):
        labels = np.tile(mines, 100)
        found = _calibrate_alone(ratios, labels, ones, 0.2)
        assert found.slope == 1.0
        mean = (1 / (1 + np.exp(-found.log_odds(ratios)))).mean()
        assert mean == pytest.approx(labels.mean(), abs=0.01)
    weights = np.where(labels, 1 / 3, 1.0)  # three places at one mine are one
    odds = _calibrate_alone(0 * ratios, labels, weights, 0.2).offset
    assert odds == pytest.approx(math.log(1 / 9), abs=0.05)
    only = _calibrate_alone(np.zeros(3), np.ones(3, bool), np.ones(3), 0.2)
    assert only.offset == pytest.approx(math.log(4 / 1))
    none = _calibrate_alone(np.zeros(0), np.zeros(0, bool), np.zeros(0), 0.2)
    assert none.offset == pytest.approx(log_odds(0.2))


def test_copies_of_a_lane_are_refused():
    """Under another name: held out, one would be known by the other."""
    from minesense.training import screen_lanes  # noqa: PLC0415, only here

    northing = 0.05 * np.arange(400)
    sensor = synthetic.cart(n_coils=1).coils
    samples = np.random.default_rng(seed=0).normal(scale=1e-9, size=(400, 1, 12))
    lanes = [
        Sweep(
            samples=samples,
            time=northing / 0.5,
            position=np.column_stack([0 * northing + k, northing, 0 * northing]),
            heading=0 * northing,
            sensor=sensor,
            lane=f"lane {k}",
        )
        for k in range(2)
    ]
    with pytest.raises(
        ValueError, match="lanes 'lane 0' and 'lane 1' of kind 'emi' have a corr"
    ):
        screen_lanes(lanes, recipe=RECIPES["metal_detector"])


def test_quality_on_the_card_is_that_of_lanes_held_out():
    """Steps fitted to lanes with effects of their own look perfect there, and are not."""
    from minesense.training.modes import _quality  # noqa: PLC0415, private

    rng = np.random.default_rng(seed=3)
    effect = np.repeat(rng.normal(scale=1.5, size=40), 100)
    lanes = [f"lane {k // 100:02d}" for k in range(4000)]
    ratios = rng.normal(size=4000)
    labels = rng.random(4000) < 1 / (1 + np.exp(-(ratios + effect)))
    ones = np.ones(4000)
    found = _quality("both", ratios, labels, ones, {}, lanes)
    assert labels.sum() > 1000  # steps, not a law
    first = fit_platt(ratios, labels)
    stated = fit_calibration(first.log_odds(ratios), labels).log_odds(first.log_odds(ratios))
    inside = expected_calibration_error(1 / (1 + np.exp(-stated)), labels)
    assert inside < 0.005
    assert found["calibration_error"] > 3 * inside
    assert found["n_mines"] + found["n_others"] == 4000
