"""Test energy, GLRT and ACE of metal-detector traces against algebra and distributions."""

import dataclasses

import naive_soil
import numpy as np
import numpy.testing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lanes import make_coils, make_phasors, make_sensor, make_sweep
from numba import config
from scipy.stats import beta, chi2, kstest, norm

from minesense.along_track import whiten
from minesense.emi.preprocess import project_soil, received_decays, soil_decay
from minesense.emi.soil_tracking import viscous_columns
from minesense.emi.target_statistics import (
    GateEnergy,
    PrescreenTargets,
    prescreen_gate_energy,
    prescreen_targets,
)
from minesense.stage import run_lane
from minesense.sweep import Quality

COILS = make_coils(2, 5)
TAUS = [5e-5, 1e-4, 4e-4]
OPTIONS = {"spacing": 0.05, "taus": TAUS, "noise_length": 1.0, "guard": 0.1, "longest": 0.15}
STATISTICS = ["energy", "glrt", "ace"]


def noise(n_traces=60, *, sensor=COILS, seed=0, bad=(), mixing=None):
    """Return correlated Gaussian noise with dropouts."""
    rng = np.random.default_rng(seed)
    n = sensor.shape[1]
    mixing = np.eye(n) + 0.5 * np.tri(n, k=-1) if mixing is None else mixing
    samples = rng.normal(size=(n_traces, *sensor.shape)) @ mixing
    quality = np.zeros(n_traces, int)
    quality[list(bad)] = Quality.STUCK
    samples[list(bad)] = 1e9
    return make_sweep(samples, sensor=sensor, quality=quality)


def with_samples(sweep, samples):
    """Return the sweep with other samples."""
    return dataclasses.replace(sweep, samples=samples)


@pytest.mark.parametrize("statistic", STATISTICS)
@given(
    bad=st.sets(st.integers(0, 59)),
    freeze=st.sampled_from([None, 1.2, 2.0]),
    rank=st.sampled_from([None, 1, 2]),
    n_guard=st.integers(0, 4),
    n_columns=st.integers(0, 1),
    most=st.integers(1, 5),
)
def test_matches_the_definition(statistic, bad, freeze, rank, n_guard, n_columns, most):
    """Covariance, guard, freeze, bank or subspace, against inverses of matrices."""
    lane = noise(bad=sorted(bad))
    soil = soil_decay(COILS.excitation)
    columns = np.array([soil / soil.max()])[:n_columns].reshape(n_columns, 5)
    options = OPTIONS | {"freeze": freeze, "guard": 0.05 * n_guard, "longest": 0.05 * most}
    result = prescreen_targets(lane, **options, statistic=statistic, rank=rank, columns=columns)
    expected, is_short = naive_soil.match(
        lane.samples,
        lane.is_usable,
        columns=columns,
        bank=received_decays(COILS.excitation, TAUS),
        rank=rank,
        weight=-np.expm1(-0.05),
        guard=n_guard,
        freeze=freeze,
        most=most,
        shrinkage=0.1,
    )
    good = lane.is_usable
    npt.assert_allclose(
        result.samples[good, :, 0], expected[statistic][good], rtol=1e-3, atol=1e-4
    )
    npt.assert_array_equal((result.quality & Quality.EDGE != 0)[good], is_short[good])


@pytest.mark.parametrize("rank", [1, 2])
def test_noise_has_its_distribution(rank):
    """Chi-square, beta and standard energy, whatever the covariance and the unit are."""
    n = 300 if config.DISABLE_JIT else 3000
    lane = noise(n, seed=4, mixing=1e-7 * np.linalg.cholesky(np.eye(5) + np.ones((5, 5))).T)
    options = OPTIONS | {"noise_length": 40.0, "shrinkage": 1e-6, "freeze": None}
    m = 4  # five gates less the soil
    for statistic, law in [
        ("glrt", lambda x: chi2(rank).cdf(x**2)),
        ("ace", beta(rank / 2, (m - rank) / 2).cdf),
        ("energy", lambda x: chi2(m).cdf(m + x * np.sqrt(2 * m))),
    ]:
        scores = prescreen_targets(lane, **options, statistic=statistic, rank=rank)
        assert kstest(scores.samples[n // 3 :].ravel(), law).pvalue > 1e-3, statistic


def test_one_target_has_the_positive_half_of_a_normal():
    """A bank of one: half of the noise scores zero, the rest is Gaussian."""
    n = 300 if config.DISABLE_JIT else 3000
    options = OPTIONS | {"noise_length": 40.0, "shrinkage": 1e-6, "taus": [1e-4]}
    scores = prescreen_targets(noise(n, seed=5), **options).samples[n // 3 :].ravel()
    for threshold in (0.0, 1.0, 2.0):
        share, expected = np.mean(scores > threshold), norm.sf(threshold)
        assert abs(share - expected) < 4 * np.sqrt(expected / scores.size), threshold


def test_ace_does_not_know_sizes_and_glrt_does():
    """A target a hundred times as strong has the same coherence, near 1, and scores more."""
    target = received_decays(COILS.excitation, [1e-4])[0]
    lane = noise(80)
    found = {}
    for factor in (1e2, 1e4):
        samples = lane.samples.copy()
        samples[70] = factor * target / np.linalg.norm(target)
        found[factor] = [
            prescreen_targets(with_samples(lane, samples), **OPTIONS, statistic=s).samples[70]
            for s in ("ace", "glrt")
        ]
    npt.assert_allclose(found[1e2][0], 1.0, atol=1e-3)
    npt.assert_allclose(found[1e4][0], 1.0, atol=1e-5)
    npt.assert_allclose(found[1e4][1], 100 * found[1e2][1], rtol=1e-3)


def test_what_is_no_target_has_energy_but_little_coherence():
    """A signal across the targets is strong and not alike."""
    lane = noise(80)
    target = received_decays(COILS.excitation, [1e-4])
    soil = soil_decay(COILS.excitation)
    across = np.linalg.svd(np.stack([soil / soil.max(), target[0] / target.max()]))[2][-1]
    samples = lane.samples.copy()
    samples[70] = 1e3 * across
    lane = with_samples(lane, samples)
    options = OPTIONS | {"taus": [1e-4]}
    energy, ace = (
        prescreen_targets(lane, **options, statistic=s).samples[70, 0, 0]
        for s in ("energy", "ace")
    )
    assert energy > 1e3
    assert ace < 0.75


@pytest.mark.parametrize("statistic", STATISTICS)
def test_soil_changes_nothing(statistic):
    """With its soil, without it, or with a thousand times as much: the same statistic."""
    lane = noise()
    soil = soil_decay(COILS.excitation) / soil_decay(COILS.excitation).max()
    height = np.random.default_rng(seed=1).normal(size=(60, 2, 1))
    expected = prescreen_targets(lane, **OPTIONS, statistic=statistic).samples
    for other in (lane.samples + 1e3 * height * soil, project_soil(lane).samples):
        scores = prescreen_targets(with_samples(lane, other), **OPTIONS, statistic=statistic)
        npt.assert_allclose(scores.samples, expected, atol=0.02)


def test_a_long_target_does_not_enter_its_own_noise():
    """Frozen, the score of a metre of target stays; else it falls."""
    target = received_decays(COILS.excitation, [1e-4])[0]
    samples = noise(200).samples.copy()
    samples[150:170] += 100 * target / np.linalg.norm(target)
    lane = with_samples(noise(200), samples)
    options = OPTIONS | {"longest": 2.0}
    frozen, free = (
        prescreen_targets(lane, **options, freeze=freeze).samples[150:170].min(axis=1)
        for freeze in (5.0, None)
    )
    assert frozen[15:].mean() > 0.8 * frozen[:3].mean()
    assert free[15:].max() < 0.5 * free[:2].min()


def test_phasors_are_matched_with_given_targets():
    """Continuous wave: the soil's default, and a target of one relaxation."""
    sensor = make_phasors(1, (1e3, 5e3, 25e3))
    omega = 2 * np.pi * sensor.axis
    h = 1j * omega * 5e-5 / (1 + 1j * omega * 5e-5)
    target = np.stack([h.real, h.imag], axis=1).ravel()
    lane = noise(100, sensor=sensor)
    samples = lane.samples + 50 * viscous_columns(sensor.axis)[1]
    samples[80] += 15 * target
    scores = prescreen_targets(with_samples(lane, samples), **OPTIONS, decays=[target])
    assert scores.sensor.shape == (1, 1)
    assert scores.samples[:, 0, 0].argmax() == 80
    with pytest.raises(ValueError, match="with ContinuousWave and complex samples"):
        prescreen_targets(lane, **OPTIONS)


def test_traces_flagged_edge_before_are_in_no_statistic():
    """What an earlier stage could not judge has score 0 and helps no other."""
    lane = noise()
    flags = np.where(np.arange(60) < 4, int(Quality.EDGE), 0)
    result = prescreen_targets(dataclasses.replace(lane, quality=flags), **OPTIONS)
    npt.assert_array_equal(result.samples[:4], 0.0)
    npt.assert_array_equal(result.samples[4:], prescreen_targets(lane[4:], **OPTIONS).samples)


def test_a_channel_that_does_not_move_is_not_judged():
    """Zeros have no noise: EDGE, score 0 there; a first signal is no alarm of infinite size."""
    samples = noise().samples.copy()
    samples[:, 1] = 0.0
    result = prescreen_targets(with_samples(noise(), samples), **OPTIONS, statistic="ace")
    assert (result.quality & Quality.EDGE).all()
    npt.assert_array_equal(result.samples[:, 1], 0.0)
    assert result.samples[20:, 0].max() > 0
    assert np.isfinite(result.samples).all()


@pytest.mark.parametrize("statistic", ["glrt", "ace"])
def test_a_trace_of_nothing_scores_nothing(statistic):
    """Zero is like no target, in noise that is known."""
    samples = noise().samples.copy()
    samples[40] = 0.0
    result = prescreen_targets(with_samples(noise(), samples), **OPTIONS, statistic=statistic)
    npt.assert_array_equal(result.samples[40], 0.0)
    assert result.quality[40] == 0


def test_gate_energy_is_whitened():
    """Squares without the soil's part, in spreads of those behind."""
    lane = noise(120)
    energy = run_lane(GateEnergy(), lane)
    expected = (project_soil(lane).samples.astype(float) ** 2).sum(axis=2)
    npt.assert_allclose(energy.samples[..., 0], expected, rtol=1e-6)
    scores = prescreen_gate_energy(lane, spacing=0.05, length=2.0, guard=0.5)
    npt.assert_array_equal(
        scores.samples, whiten(energy, spacing=0.05, length=2.0, guard=0.5).samples
    )
    loud = with_samples(lane, 1e30 * lane.samples)
    assert np.isfinite(run_lane(GateEnergy(), loud).samples).all()
    volts = dataclasses.replace(lane, sensor=dataclasses.replace(COILS, unit="V"))
    assert run_lane(GateEnergy(), volts).sensor.unit == "V^2"


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"spacing": 0}, "Invalid spacing '0.0'"),
        ({"statistic": "rx"}, "Invalid statistic 'rx'. Must be one of 'energy'"),
        ({"rank": 0}, "Invalid rank '0'"),
        ({"noise_length": 0}, "Invalid noise_length '0.0'"),
        ({"guard": -1}, "Invalid guard '-1.0'"),
        ({"freeze": 1}, "Invalid freeze '1.0'. Must be more than 1"),
        ({"longest": 0}, "Invalid longest '0.0'"),
        ({"shrinkage": 0}, "Invalid shrinkage '0.0'"),
        ({"shrinkage": 2}, "Invalid shrinkage '2.0'. Must be at most 1"),
    ],
)
def test_bad_options_are_named(bad, message):
    """The error names the option, shows its value and states the rule."""
    with pytest.raises(ValueError, match=message):
        PrescreenTargets(**OPTIONS | bad)


def test_bad_targets_are_named():
    """Targets that the soil hides or that do not fit, and ranks that they do not have."""
    soil = soil_decay(COILS.excitation)
    for options, message in [
        ({"decays": [soil, np.ones(5)]}, "bank of 2 targets, 1 of which are zero or removed"),
        ({"decays": np.zeros((1, 5))}, "bank of 1 targets, 1 of which"),
        ({"decays": np.empty((0, 5))}, "bank of 0 targets"),
        ({"decays": np.ones((1, 4))}, r"decays with shape \(1, 4\). Must be \(n_targets, 5\)"),
        ({"rank": 4}, "rank '4' of 3 targets in 4 samples"),
        ({"decays": [[1, 2, 3, 4, 5.0]], "rank": 2}, "rank '2' of 1 targets in 4"),
    ]:
        with pytest.raises(ValueError, match=message):
            prescreen_targets(noise(3), **OPTIONS, **options)
    with pytest.raises(ValueError, match="of kind 'gpr'"):
        prescreen_targets(make_sweep(np.ones((3, 1, 4)), sensor=make_sensor(1, 4)), **OPTIONS)
