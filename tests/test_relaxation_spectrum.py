"""Test relaxation rates: slow fits, closed forms, poses of the head, noise, refusals."""

import dataclasses
import math

import naive_rates
import numpy as np
import numpy.testing as npt
import pytest
from lanes import make_head
from scipy.optimize import nnls

from minesense.emi import fit_decays, fit_phasors, received_decays, soil_decay
from minesense.emi._rates import merge_neighbours, spectrum_on_grid
from minesense.physics import (
    Relaxation,
    attitude,
    continuous_wave_response,
    pulse_tensors,
    pulse_voltage,
    sphere_polarizability,
    sphere_poles,
    sphere_relaxation,
)
from minesense.sensor import ContinuousWave, PulseTrain

EDGES = np.geomspace(12e-6, 400e-6, 13)
TRAIN = PulseTrain(
    gates=np.column_stack([EDGES[:-1], EDGES[1:]]),
    pulse=200e-6,
    ramp=5e-6,
    half_period=1e-3,
    receiver_tau=1e-6,
)
TIMES = np.sqrt(EDGES[:-1] * EDGES[1:])
TAUS = np.array([150e-6, 30e-6])
TONES = np.geomspace(300.0, 96e3, 12)
ALUMINIUM = {"radius": 0.005, "conductivity": 3.5e7, "permeability": 1.0}


def make_decays(amplitudes, *, noise=0.0, seed=0):
    """Return decays of two relaxations and what noise was added."""
    volts = np.asarray(amplitudes, float) @ received_decays(TRAIN, TAUS)
    spread = noise * np.abs(volts).max()
    return volts + spread * np.random.default_rng(seed).normal(size=volts.shape), spread


def ring(axis, tau):
    """Return a thin ring: one relaxation that takes all of the static moment back."""
    amplitude = 1e-6 * np.diag(np.eye(3)[axis])
    return Relaxation(instantaneous=-amplitude, amplitudes=amplitude[None], taus=[tau])


# The grid


def test_one_place_is_the_optimum_of_ridged_least_squares():
    """Karush, Kuhn and Tucker: no gradient where active, none that helps where not."""
    design = received_decays(TRAIN, np.geomspace(1e-6, 1e-3, 40))
    rows, _ = make_decays([[3, 1]], noise=1e-2)
    rows = rows / rows.max()
    found = spectrum_on_grid(design, rows, 1e-3)[0]
    norms = np.linalg.norm(design, axis=1)
    scaled = found * norms
    unit = design / norms[:, None]
    gradient = unit @ (scaled @ unit - rows[0]) + 1e-3 * scaled
    assert (found >= 0).all()
    assert 2 < np.count_nonzero(found) < 30
    npt.assert_allclose(gradient[found > 0], 0, atol=1e-10)
    assert (gradient > -1e-10).all()


def test_without_ridge_it_is_nnls():
    """Column by column the same numbers, in the unit of the data."""
    design = received_decays(TRAIN, np.geomspace(5e-6, 1e-3, 12))
    rows, _ = make_decays([[3, 1]], noise=1e-2)
    found = spectrum_on_grid(design, rows, 0.0)
    expected = nnls((design / design.max()).T, rows[0])[0] / design.max()
    npt.assert_allclose(found[0], expected, rtol=1e-6, atol=1e-9 * expected.max())


def test_groups_share_their_rates():
    """Of several places, fewer rates of the grid count than without the group norm."""
    rows, spread = make_decays(np.random.default_rng(2).uniform(1, 3, (6, 2)), noise=1e-2)
    design = received_decays(TRAIN, np.geomspace(1e-6, 1e-3, 60)) / spread
    rows = rows / spread
    alone = np.array([spectrum_on_grid(design, row[None], 1e-3)[0] for row in rows])
    shared = spectrum_on_grid(design, rows, 1e-3)

    def sizes(found):
        return np.linalg.norm(found * np.linalg.norm(design, axis=1), axis=0)

    n_alone, n_shared = (
        np.count_nonzero(sizes(found) > 0.01 * sizes(found).max()) for found in (alone, shared)
    )
    assert n_shared < n_alone

    def objective(found):
        weight = 1e-3 * sizes(alone).max()
        return ((rows - found @ design) ** 2).sum() + 2 * weight * sizes(found).sum()

    assert objective(shared) < objective(alone)


def test_neighbours_merge_to_their_centroid():
    """Runs are separated by zeros, or by the least value between two maxima."""
    grid = np.exp(np.arange(10.0))
    amplitudes = np.array([0, 1, 1, 0, 0, 2, 6, 1, 3, 0])
    npt.assert_allclose(
        np.log(merge_neighbours(grid, amplitudes)), [1.5, (10 + 36 + 7) / 9, 8], rtol=1e-12
    )
    assert len(merge_neighbours(grid, np.zeros(10))) == 0


# Against the slow version and closed forms


def test_courses_are_those_of_the_train():
    """Ramp, pulses before and the mean over each gate: numerical integration agrees."""
    train = dataclasses.replace(TRAIN, receiver_tau=0.0, gates=TRAIN.gates[[0, 5, 11]])
    expected = [[naive_rates.gate_mean(1e4, gate, train) for gate in train.gates]]
    npt.assert_allclose(received_decays(train, [1e-4]), expected, rtol=1e-7)
    found = fit_decays(expected, train=train, noise=1e-6)
    npt.assert_allclose(found.rates, [1e4], rtol=1e-6)
    npt.assert_allclose(found.amplitudes, [[1.0]], rtol=1e-6)


@pytest.mark.parametrize("n_places", [1, 4])
def test_exact_decays_are_recovered(n_places):
    """Rates to the share of the stated noise, at one place or several."""
    amplitudes = np.array([[3.0, 1.0], [0.5, 2.0], [1.0, 0.0], [0.0, 1.0]])[:n_places]
    volts, _ = make_decays(amplitudes)
    found = fit_decays(volts, train=TRAIN, noise=1e-9 * volts.max())
    assert (found.outcome, found.reason) == ("fitted", "")
    npt.assert_allclose(found.taus, TAUS, rtol=1e-6)
    npt.assert_allclose(found.amplitudes, amplitudes, atol=1e-5)
    npt.assert_allclose(found.frequencies, 1 / (2 * math.pi * TAUS), rtol=1e-6)
    assert not found.is_at_edge.any()


@pytest.mark.parametrize("n_places", [1, 3])
def test_optimum_is_that_of_the_slow_version(n_places):
    """All amplitudes and rates searched at once by SciPy: the same misfit and rates."""
    volts, spread = make_decays([[3, 1], [1, 2], [2, 0.2]][:n_places], noise=3e-3, seed=4)
    found = fit_decays(volts, train=TRAIN, noise=spread)
    rows = volts / spread
    rates, misfit = naive_rates.fit(
        lambda z: received_decays(TRAIN, 1 / z) / spread, rows, found.rates * [1.2, 0.9]
    )
    freedom = rows.size - 2 * (n_places + 1)
    npt.assert_allclose(found.residual**2 * freedom, misfit, rtol=1e-6)
    npt.assert_allclose(found.rates, np.sort(rates), rtol=2e-4)


def test_plain_exponentials_at_times():
    """Without a train: z exp(-z t), so amplitudes are those of the moment."""
    rates = 1 / TAUS
    volts = [1.0, 2.0] @ (rates[:, None] * np.exp(-rates[:, None] * TIMES))
    found = fit_decays([volts], times=TIMES, noise=1e-9 * volts.max())
    npt.assert_allclose(found.rates, rates, rtol=1e-6)
    npt.assert_allclose(found.amplitudes, [[1.0, 2.0]], rtol=1e-5)


@pytest.mark.parametrize("noise", [1e-3, 1e-4])
def test_slowest_rate_is_the_first_pole_of_a_sphere(noise):
    """Aluminium, pulses and phasors: within three standard errors and a share for the rest."""
    first = 1 / sphere_poles(1, **ALUMINIUM)[1][0]
    volts = pulse_tensors([sphere_relaxation(**ALUMINIUM)], train=TRAIN)[0, :, 0, 0][None]
    moments = sphere_polarizability(TONES, **ALUMINIUM)[None]
    rng = np.random.default_rng(seed=5)
    spread = noise * volts.max()
    pulses = fit_decays(
        volts + spread * rng.normal(size=volts.shape), train=TRAIN, noise=spread
    )
    spread = noise * np.abs(moments).max()
    turned = moments + spread * (rng.normal(size=(2, *moments.shape)).T @ [1, 1j]).T
    waves = fit_phasors(turned, frequency=TONES, noise=spread)
    for found in (pulses, waves):
        assert found.outcome == "fitted"
        assert len(found.rates) >= 3
        allowed = 3 * found.rate_errors[0] + 10 * noise
        assert abs(math.log(found.rates[0] / first)) < allowed
        assert allowed < 0.1


def test_pulses_and_waves_tell_the_same_rate():
    """One ring: what decays with tau in time turns at 1 / (2 pi tau) in frequency."""
    body = ring(2, 58e-6)
    place = {"object_position": [[0.0, 0.0, -0.1]], "objects": [body]}
    volts = pulse_voltage([[0.0, 0.0, 0.05]], head=make_head(TRAIN), **place)
    head = make_head(ContinuousWave(frequencies=TONES))
    phasors = continuous_wave_response([[0.0, 0.0, 0.05]], head=head, **place)
    pulses = fit_decays(volts, train=TRAIN, noise=1e-6 * volts.max())
    waves = fit_phasors(phasors, frequency=TONES, noise=1e-6 * np.abs(phasors).max())
    npt.assert_allclose(pulses.taus, body.taus, rtol=1e-4)
    npt.assert_allclose(waves.taus, body.taus, rtol=1e-4)
    # passive: all of the static moment of a ring is taken back at once
    npt.assert_allclose(waves.offsets, -waves.amplitudes, rtol=1e-3)


def test_rates_do_not_depend_on_pose():
    """Two crossed rings from two sets of places: other amplitudes, the same two rates."""
    bodies = [ring(0, 90e-6), ring(2, 25e-6)]
    rng = np.random.default_rng(seed=6)
    found = []
    for shift in (0.0, 0.07):
        places = np.column_stack(
            [np.linspace(-0.15, 0.15, 5) + shift, 0.3 * shift * np.ones(5), 0.05 * np.ones(5)]
        )
        volts = pulse_voltage(
            places,
            head=make_head(TRAIN),
            object_position=[[0.0, 0.0, -0.08]] * 2,
            objects=bodies,
            rotation=attitude(np.linspace(0, 2, 5), pitch=0.1 * np.ones(5)),
        )
        spread = 1e-4 * volts.max()
        volts += spread * rng.normal(size=volts.shape)
        found.append(fit_decays(volts, train=TRAIN, noise=spread))
    truth = np.sort([1 / body.taus[0] for body in bodies])
    for spectrum in found:
        assert spectrum.outcome == "fitted"
        assert (np.abs(np.log(spectrum.rates / truth)) < 4 * spectrum.rate_errors).all()
        assert spectrum.rate_errors.max() < 0.02
    shares = [s.amplitudes[:, 0] / s.amplitudes.sum(axis=1) for s in found]
    assert np.abs(shares[0] - shares[1]).max() > 0.1


# Properties


def test_units_and_order_of_places_do_not_matter():
    """A million times the data and noise, places the other way round: the same rates."""
    volts, spread = make_decays([[3, 1], [1, 2], [2, 0.2]], noise=3e-3)
    here = fit_decays(volts, train=TRAIN, noise=spread)
    there = fit_decays(1e6 * volts[::-1], train=TRAIN, noise=1e6 * spread)
    npt.assert_allclose(there.rates, here.rates, rtol=1e-6)
    npt.assert_allclose(there.amplitudes, 1e6 * here.amplitudes[::-1], rtol=1e-4)
    npt.assert_allclose(there.residual, here.residual, rtol=1e-9)


def test_soil_of_any_sign_is_fitted_beside():
    """However strong the soil is, rates and amplitudes of the metal are the same."""
    soil = soil_decay(TRAIN)
    clean, spread = make_decays([[3, 1], [1, 2]], noise=1e-4)
    volts = clean + np.array([[500.0], [-100.0]]) * soil / soil.max() * clean.max()
    found = fit_decays(volts, train=TRAIN, noise=spread, columns=[soil])
    without = fit_decays(clean, train=TRAIN, noise=spread, columns=[soil])
    npt.assert_allclose(found.rates, without.rates, rtol=1e-5)
    npt.assert_allclose(found.taus, TAUS, rtol=0.05)
    npt.assert_allclose(found.offsets[:, 0] * soil.max() / clean.max(), [500, -100], rtol=1e-3)
    assert fit_decays(volts, train=TRAIN, noise=spread).outcome == "cannot analyse"


def test_more_places_tell_the_rates_better():
    """Twenty-five alike: errors a fifth of those of one."""
    one, spread = make_decays([[3, 1]])
    spread = 1e-3 * one.max()
    rng = np.random.default_rng(seed=7)
    many = one + spread * rng.normal(size=(25, 12))
    alone = fit_decays(one, train=TRAIN, noise=spread)
    joint = fit_decays(many, train=TRAIN, noise=spread)
    npt.assert_allclose(joint.rate_errors, alone.rate_errors / 5, rtol=0.1)
    assert (np.abs(np.log(joint.taus / TAUS)) < 4 * joint.rate_errors).all()


@pytest.mark.slow
def test_scatter_of_rates_is_the_reported_error():
    """Of 100 fits, within four standard errors of a standard deviation."""
    fits = []
    for seed in range(100):
        volts, spread = make_decays([[3, 1], [1, 2]], noise=1e-3, seed=seed)
        fits.append(fit_decays(volts, train=TRAIN, noise=spread))
    fits = [found for found in fits if len(found.rates) == 2]
    assert len(fits) >= 97
    logs = np.log([found.rates for found in fits])
    reported = np.mean([found.rate_errors for found in fits], axis=0)
    npt.assert_allclose(logs.std(axis=0), reported, rtol=4 / math.sqrt(2 * len(fits)))
    shift = logs.mean(axis=0) - np.log(1 / TAUS)
    assert (np.abs(shift) < 4 * reported / math.sqrt(len(fits))).all()
    squares = np.array([found.residual**2 for found in fits])
    assert abs(squares.mean() - 1) < 4 * math.sqrt(2 / (24 - 6) / len(fits))


def test_the_noise_sets_the_order():
    """Of a sphere's endless rates, more are found the less noise there is; `most` holds."""
    volts = pulse_tensors([sphere_relaxation(**ALUMINIUM)], train=TRAIN)[0, :, 0, 0][None]
    counts = [
        len(fit_decays(volts, train=TRAIN, noise=share * volts.max()).rates)
        for share in (0.1, 1e-2, 1e-3, 1e-4)
    ]
    assert counts == sorted(counts)
    assert counts[0] < counts[-1]
    capped = fit_decays(volts, train=TRAIN, noise=1e-4 * volts.max(), most=2)
    assert len(capped.rates) == 2
    assert "no sum of 2 relaxations" in capped.reason


# What cannot be analysed


def test_noise_alone_has_no_rates():
    """In 100 draws of it, hardly ever a relaxation."""
    rng = np.random.default_rng(seed=8)
    outcomes = [
        fit_decays(rng.normal(size=(2, 12)), train=TRAIN, noise=1.0).outcome for _ in range(100)
    ]
    assert outcomes.count("fitted") <= 2


def test_nothing_at_all_is_said_so():
    """Zeros have no rate, no amplitude, and an outcome."""
    found = fit_decays(np.zeros((3, 12)), train=TRAIN, noise=1.0)
    assert (found.outcome, found.reason) == (
        "cannot analyse",
        "no rate stands out of the noise",
    )
    assert found.amplitudes.shape == (3, 0)
    assert len(found.rates) == len(found.rate_errors) == 0
    assert found.residual == 0


def test_weak_signals_are_not_analysed():
    """Below the ratio that is asked for, and the numbers are still there."""
    volts, spread = make_decays([[3, 1]], noise=1e-2)
    found = fit_decays(volts, train=TRAIN, noise=spread, least_signal=60.0)
    assert found.outcome == "cannot analyse"
    assert found.reason.startswith("signal-to-noise ratio of 3")
    assert len(found.rates) > 0


def test_what_is_no_sum_of_decays_is_refused():
    """A decay that changes its sign."""
    volts, _ = make_decays([[3, 1]])
    volts[0, 6:] *= -1
    found = fit_decays(volts, train=TRAIN, noise=1e-3 * volts.max())
    assert found.outcome == "cannot analyse"
    assert "times the noise" in found.reason


def test_reasons_are_true():
    """Decays of the other sign are not weak, and two gates cannot contradict a rate."""
    times = np.geomspace(1e-5, 1e-3, 10)
    decays = -np.exp(-times / 1e-4)[None]
    spectrum = fit_decays(decays, times=times, noise=1e-4)
    assert spectrum.outcome == "cannot analyse"
    assert spectrum.reason.startswith("no sum of relaxations: the misfit is ")
    spectrum = fit_decays(-decays[:, :2], times=times[:2], noise=1e-4)
    assert spectrum.outcome == "cannot analyse"
    assert spectrum.reason == "2 values beside the columns cannot contradict a rate"


def test_rates_that_leave_nothing_are_refused():
    """A range so wide that a decay is zero in every gate has no grid."""
    times = np.geomspace(1e-5, 1e-3, 10)
    with pytest.raises(ValueError, match=r"Invalid range of rates: nothing is left of 4\.47"):
        fit_decays([np.exp(-times / 1e-4)], times=times, noise=1e-4, taus=(1e-9, 1e-3))


def test_a_rate_beyond_the_range_is_marked():
    """It stops at the edge, and says so."""
    volts, spread = make_decays([[3, 0]], noise=1e-3)
    found = fit_decays(volts, train=TRAIN, noise=spread, taus=(1e-6, 100e-6))
    assert found.taus[0] == pytest.approx(100e-6, rel=1e-2)
    assert found.is_at_edge[0]


# Bad input


@pytest.mark.parametrize(
    ("bad", "error", "message"),
    [
        ({"decays": np.zeros(12)}, ValueError, r"Invalid decays with shape \(12,\)"),
        ({"decays": np.zeros((0, 12))}, ValueError, "Must have a place"),
        ({"decays": np.full((1, 12), np.nan)}, ValueError, "Invalid decays: 12 of 12"),
        ({"decays": np.zeros((1, 3))}, ValueError, "Invalid train with 12 gates for decays of"),
        ({"columns": np.eye(12)[:11]}, ValueError, "for 11 columns. Must have a place, and at"),
        ({"columns": np.zeros((1, 12))}, ValueError, "Invalid columns: 1 that depend on each"),
        ({"train": None}, TypeError, "Invalid train and times: neither given"),
        ({"times": TIMES}, TypeError, "Invalid train and times: both given"),
        ({"train": 3}, TypeError, "Invalid train 3"),
        ({"train": None, "times": -TIMES[::-1]}, ValueError, "Invalid times '-0.0"),
        ({"noise": 0.0}, ValueError, "Invalid noise '0.0'. Must be greater than zero"),
        ({"noise": [1.0]}, ValueError, r"Invalid noise with shape \(1,\)"),
        ({"taus": (1e-3, 1e-4)}, ValueError, "Invalid taus: value 1 is 0.0001 after 0.001"),
        ({"taus": (0.0, 1e-4)}, ValueError, "Invalid taus '0.0'"),
        ({"per_decade": 0}, ValueError, "Invalid per_decade '0'"),
        ({"ridge": -1.0}, ValueError, "Invalid ridge '-1.0'"),
        ({"most": 0}, ValueError, "Invalid most '0'"),
        ({"least_signal": math.nan}, ValueError, "Invalid least_signal 'nan'"),
    ],
)
def test_bad_decays_are_named(bad, error, message):
    """The error names the argument, shows its value and states the rule."""
    with pytest.raises(error, match=message):
        fit_decays(**{"decays": np.ones((1, 12)), "train": TRAIN, "noise": 1.0} | bad)


@pytest.mark.parametrize(
    ("bad", "error", "message"),
    [
        ({"phasors": ["a"]}, TypeError, "Invalid phasors of dtype <U1"),
        ({"phasors": np.zeros((0, 12))}, ValueError, "Must have a place and two frequencies"),
        ({"phasors": np.zeros((1, 12)) * np.nan}, ValueError, "Invalid phasors: 12 of 12"),
        ({"frequency": [1.0]}, ValueError, r"Invalid frequency with shape \(1,\)"),
        ({"frequency": TONES[::-1]}, ValueError, "Invalid frequency: value 1 is"),
        ({"frequency": TONES - 300}, ValueError, "Invalid frequency '0.0'"),
        ({"noise": -1.0}, ValueError, "Invalid noise '-1.0'"),
        ({"rates": (2.0, 1.0)}, ValueError, "Invalid rates: value 1 is 1.0 after 2.0"),
        ({"rates": (0.0, 1.0)}, ValueError, "Invalid rates '0.0'"),
        ({"n_grid": 1}, ValueError, "Invalid n_grid '1'"),
    ],
)
def test_bad_phasors_are_named(bad, error, message):
    """The error names the argument, shows its value and states the rule."""
    with pytest.raises(error, match=message):
        fit_phasors(**{"phasors": np.ones((1, 12)), "frequency": TONES, "noise": 1.0} | bad)
