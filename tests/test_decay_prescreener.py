"""Test soil projection and the decay prescreener against algebra and theory."""

import dataclasses

import numpy as np
import numpy.testing as npt
import pytest
from lanes import make_coils, make_sensor, make_sweep
from numba import config
from scipy.special import gammaln
from scipy.stats import binom, norm

from minesense.emi.preprocess import (
    ProjectSoil,
    project_soil,
    received_decays,
    soil_basis,
    soil_decay,
    soil_loss,
)
from minesense.emi.prescreen import PrescreenDecay, prescreen_decay
from minesense.physics import soil_pulse_voltage
from minesense.stage import run_lane
from minesense.sweep import Quality

COILS = make_coils(2, 6)
TRAIN = COILS.excitation
# 3 traces of footprint, rings of 2 to 8 traces
OPTIONS = {
    "spacing": 0.05,
    "footprint": 0.1,
    "guard": 0.05,
    "noise_length": 0.4,
    "taus": [5e-5, 3e-4],
}


def noise(n_traces=40, *, sensor=COILS, scale=1.0, seed=0):
    """Return a lane of independent noise; `scale` may differ between gates."""
    rng = np.random.default_rng(seed)
    return make_sweep(scale * rng.normal(size=(n_traces, *sensor.shape)), sensor=sensor)


def replace_samples(sweep, samples, **changes):
    """Return the sweep with other samples."""
    return dataclasses.replace(sweep, samples=samples, **changes)


# --- decays


def test_soil_has_its_closed_form_without_ramp_and_receiver():
    """The alternating sum over the train, as a difference of log-gamma functions."""
    ideal = dataclasses.replace(TRAIN, ramp=1e-10, receiver_tau=1e-10)
    start, stop, half = *TRAIN.gates.T, TRAIN.half_period

    def primitive(t):
        return gammaln((t + half) / (2 * half)) - gammaln(t / (2 * half))

    fresh = primitive(stop) - primitive(start)
    before = primitive(stop + TRAIN.pulse) - primitive(start + TRAIN.pulse)
    npt.assert_allclose(soil_decay(ideal), (fresh - before) / (stop - start), rtol=1e-4)


def test_soil_is_what_the_forward_model_makes():
    """The shape of the soil's voltage under a real ramp and receiver, to 0.1 per mille."""
    voltage = soil_pulse_voltage([0.05], head=COILS.head, susceptibility=1e-3)[0]
    decay = soil_decay(TRAIN)
    npt.assert_allclose(voltage / voltage[0], decay / decay[0], rtol=1e-4)


def test_a_fast_receiver_records_the_exponential():
    """Through gates, a decay of tau falls by exp(-t / tau) from a gate to a later one."""
    fast = dataclasses.replace(TRAIN, receiver_tau=1e-9, gates=[[20e-6, 25e-6], [80e-6, 85e-6]])
    early, late = received_decays(fast, [40e-6])[0]
    npt.assert_allclose(late / early, np.exp(-60 / 40), rtol=1e-9)


def test_received_decays_are_smooth_across_the_receiver():
    """At the receiver's own time constant the quotient has its limit."""
    tau = TRAIN.receiver_tau * np.array([0.999, 1.0, 1.001])
    decays = received_decays(dataclasses.replace(TRAIN, gates=[[2e-6, 3e-6]]), tau)[:, 0]
    npt.assert_allclose(decays[1], decays[[0, 2]].mean(), rtol=1e-4)


def test_soil_loss_is_the_projection_s():
    """The share of energy that the stage takes from each decay; all of the soil's."""
    taus = [1e-5, 5e-5, 3e-4, 1e-3]
    decays = received_decays(TRAIN, taus)
    left = project_soil(make_sweep(decays[:, None], sensor=make_coils(1, 6))).samples[:, 0]
    share = 1 - (left**2).sum(axis=1) / (decays**2).sum(axis=1)
    npt.assert_allclose(soil_loss(TRAIN, taus), share, atol=1e-6)
    npt.assert_allclose(soil_loss(TRAIN, taus, columns=decays[:1])[0], 1.0)
    assert (soil_loss(TRAIN, taus, offset=True) > soil_loss(TRAIN, taus)).all()


# --- projection


@pytest.mark.parametrize("offset", [False, True])
def test_projection_matches_the_normal_equations(offset):
    """I - S (S'S)^-1 S', as the page has it, per channel."""
    sweep = noise()
    columns = [soil_decay(TRAIN)] + [np.ones(6)] * offset
    s = np.transpose(columns)
    p = np.eye(6) - s @ np.linalg.inv(s.T @ s) @ s.T
    result = project_soil(sweep, offset=offset)
    npt.assert_allclose(result.samples, sweep.samples @ p, atol=1e-6)


def test_projection_is_idempotent_and_annihilates_the_soil():
    """Twice is once; soil a thousand times the noise leaves the noise alone."""
    quiet = noise()
    soil = soil_decay(TRAIN) / soil_decay(TRAIN).max()
    height = np.random.default_rng(seed=1).normal(size=(40, 2, 1))
    loud = replace_samples(quiet, quiet.samples + 1e3 * height * soil)
    once = project_soil(quiet)
    npt.assert_allclose(project_soil(once).samples, once.samples, atol=1e-6)
    npt.assert_allclose(project_soil(loud).samples, once.samples, atol=1e-3)
    only = replace_samples(quiet, height * soil)
    npt.assert_allclose(project_soil(only).samples, 0.0, atol=1e-6)


def test_without_columns_nothing_is_removed():
    """An empty set of columns leaves every bit as it was."""
    sweep = noise()
    result = project_soil(sweep, columns=np.empty((0, 6)))
    npt.assert_array_equal(result.samples, sweep.samples)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"columns": np.ones((1, 5))}, r"columns with shape \(1, 5\). Must be \(n_co"),
        ({"columns": np.ones(6)}, r"columns with shape \(6,\). Must be \(n_decays, n_g"),
        ({"columns": np.ones((2, 6))}, "2 decays of rank 1 over 6 gates"),
        ({"columns": np.zeros((1, 6))}, "1 decays of rank 0 over 6 gates"),
        ({"columns": np.ones((1, 6)), "offset": True}, "2 decays of rank 1"),
        ({"columns": np.eye(6)}, "6 decays of rank 6 .* fewer than the gates"),
        ({"columns": np.eye(6)[2:3]}, "nothing of gate 2 is left"),
        ({"columns": [[np.nan] * 6]}, "Invalid columns: 6 of 6 values are NaN"),
    ],
)
def test_bad_columns_are_named(options, message):
    """The error says what is wrong with the columns."""
    with pytest.raises(ValueError, match=message):
        project_soil(noise(3), **options)


def test_sensors_without_a_decay_are_refused():
    """A radar has none; another instrument must bring its own columns."""
    with pytest.raises(ValueError, match=r"of kind 'gpr'. Must be 'emi'"):
        run_lane(ProjectSoil(), make_sweep(np.zeros((2, 2, 6)), sensor=make_sensor(2, 6)))
    other = dataclasses.replace(COILS, head=None)
    with pytest.raises(ValueError, match=r"with no head for 6 samples.* columns or decays"):
        soil_basis(other)
    fewer = dataclasses.replace(COILS, head=make_coils(2, 5).head)
    with pytest.raises(ValueError, match="with 5 gates for 6 samples"):
        soil_basis(fewer)
    assert soil_basis(other, [np.arange(6.0)]).shape == (1, 6)


def test_taus_must_be_positive():
    """A relaxation time of zero or less is refused."""
    with pytest.raises(ValueError, match="greater than zero"):
        received_decays(TRAIN, [1e-5, 0.0])


# --- prescreener


def naive_scores(samples, is_usable, *, bank, columns, half, ring, floor):
    """Return the statistic from dense algebra, NaN where no ring is."""
    n, n_channels, n_gates = samples.shape
    basis = np.linalg.qr(columns.T)[0]
    p = np.eye(n_gates) - basis @ basis.T
    z = np.zeros(samples.shape)
    for k in range(n):
        near = [j for j in range(max(0, k - half), min(n, k + half + 1)) if is_usable[j]]
        z[k] = sum(samples[j] @ p for j in near) / np.sqrt(max(1, len(near)))
    scores = np.full((n, n_channels), np.nan)
    for k in np.flatnonzero(is_usable):
        around = [j for j in range(n) if is_usable[j] and 1 < abs(j - k) <= ring]
        for c in range(n_channels):
            middle = np.median(z[around, c], axis=0)
            s = 1.4826 * np.median(np.abs(z[around, c] - middle), axis=0)
            s = np.maximum(s, floor * s.max())
            v = s**2 / np.diag(p)
            for _ in range(10):
                for g in range(n_gates):
                    alone = s[g] ** 2 / p[g, g]
                    v[g] = max(v[g] * s[g] ** 2 / (p[g] ** 2 @ v), alone / 4)
            # generalised least squares: amplitude of d beside unknown amounts of soil
            best = 0.0
            for d in bank:
                design = np.column_stack([d, columns.T]) / np.sqrt(v)[:, None]
                fit = np.linalg.lstsq(design, z[k, c] / np.sqrt(v), rcond=None)[0]
                error = np.sqrt(np.linalg.inv(design.T @ design)[0, 0])
                best = max(best, fit[0] / error)
            scores[k, c] = best
    return scores


@pytest.mark.parametrize("offset", [False, True])
@pytest.mark.parametrize("bad", [[], [0, 11, 12, 30]])
def test_matches_generalised_least_squares(offset, bad):
    """The kernel's statistic is amplitude over standard error of a dense weighted fit."""
    sweep = noise(scale=[5, 3, 1, 1, 0.5, 2])
    quality = np.zeros(40, int)
    quality[bad] = Quality.SATURATED
    sweep = dataclasses.replace(sweep, quality=quality)
    bank, soil = received_decays(TRAIN, OPTIONS["taus"]), soil_decay(TRAIN)
    columns = np.stack([soil / soil.max()] + [np.ones(6)] * offset)
    result = prescreen_decay(sweep, **OPTIONS, offset=offset)
    expected = naive_scores(
        sweep.samples.astype(float),
        quality == 0,
        bank=bank / np.linalg.norm(bank, axis=1, keepdims=True),
        columns=columns,
        half=1,
        ring=8,
        floor=0.01,
    )
    assert result.samples.shape == (40, 2, 1)
    assert not (result.quality[quality == 0]).any()
    npt.assert_allclose(result.samples[..., 0], expected, rtol=1e-3, atol=1e-4)


def test_soil_before_it_changes_nothing():
    """With its soil, without it, or with a thousand times as much: the same statistic."""
    sweep = noise()
    soil = soil_decay(TRAIN) / soil_decay(TRAIN).max()
    height = np.random.default_rng(seed=1).normal(size=(40, 2, 1))
    loud = replace_samples(sweep, sweep.samples + 1e3 * height * soil)
    expected = prescreen_decay(sweep, **OPTIONS).samples
    npt.assert_allclose(
        prescreen_decay(project_soil(sweep), **OPTIONS).samples, expected, atol=1e-3
    )
    npt.assert_allclose(prescreen_decay(loud, **OPTIONS).samples, expected, atol=0.02)


@pytest.mark.parametrize("scale", [1.0, 1e-9, [8.0, 4.0, 2.0, 1.0, 0.5, 0.25]])
def test_noise_has_the_score_of_a_standard_normal(scale):
    """White or not, in any unit: false alarms of one decay at their Gaussian rate."""
    # without the compiler a smaller lane: the bounds below widen with it
    n_traces, length = (240, 5.0) if config.DISABLE_JIT else (1200, 20.0)
    options = OPTIONS | {"taus": [1e-4], "noise_length": length}
    sweep = noise(n_traces, sensor=make_coils(4, 6), scale=scale, seed=3)
    # every third trace shares none with its neighbours' footprints
    scores = prescreen_decay(sweep, **options).samples[::3].ravel()
    for threshold in (0.0, 1.0, 2.0):
        expected = norm.sf(threshold)
        n_alarms = np.count_nonzero(scores > threshold)
        low, high = binom.ppf([0.001, 0.999], scores.size, expected)
        assert low <= n_alarms <= high, (threshold, n_alarms, low, high)


def test_score_grows_with_the_amplitude_and_the_root_of_the_footprint():
    """A target of twice the amplitude scores twice as much, in standard deviations."""
    sensor = make_coils(1, 6)
    target = received_decays(sensor.excitation, [3e-4])[0]
    target /= np.linalg.norm(target)
    kept = np.sqrt(1 - soil_loss(sensor.excitation, [3e-4])[0])
    options = OPTIONS | {"taus": [3e-4], "noise_length": 4.0, "guard": 0.3}
    sweep = noise(200, sensor=sensor)
    scores = []
    for amplitude in (0, 100, 200, 400):
        samples = sweep.samples.copy()
        samples[98:103, 0] += amplitude * target
        scores.append(prescreen_decay(replace_samples(sweep, samples), **options).samples[100])
    steps = np.diff(np.ravel(scores)[1:])
    npt.assert_allclose(steps[1], 2 * steps[0], rtol=1e-4)
    # unit noise, three traces; the spread of some 150 traces is good to 20 %
    npt.assert_allclose(steps[0], 100 * kept * np.sqrt(3), rtol=0.2)


def test_negative_amplitudes_score_nothing():
    """A void, or an overshoot of the baseline, is no target."""
    sweep = noise(sensor=make_coils(1, 6))
    target = 50 * received_decays(TRAIN, [3e-4])[0] / received_decays(TRAIN, [3e-4]).max()
    samples = sweep.samples.copy()
    samples[20, 0] -= target
    options = OPTIONS | {"taus": [3e-4]}
    result = prescreen_decay(replace_samples(sweep, samples), **options)
    npt.assert_array_equal(result.samples[19:22], 0.0)
    samples[20, 0] += 2 * target
    assert prescreen_decay(replace_samples(sweep, samples), **options).samples[20] > 5


def test_the_bank_takes_its_best_member():
    """The score of a bank is the greatest of the scores of its decays."""
    sweep = noise()
    one, two = (
        prescreen_decay(sweep, **OPTIONS | {"taus": [tau]}).samples for tau in OPTIONS["taus"]
    )
    both = prescreen_decay(sweep, **OPTIONS).samples
    npt.assert_array_equal(both, np.maximum(one, two))
    given = received_decays(TRAIN, OPTIONS["taus"]) * [[3.0], [0.1]]
    npt.assert_allclose(
        prescreen_decay(sweep, **OPTIONS, decays=given).samples, both, rtol=1e-5, atol=1e-6
    )


def test_trailing_noise_ignores_what_follows():
    """Without look-ahead the result lags by half a footprint, and the start is EDGE."""
    sweep = noise()
    stage = PrescreenDecay(**OPTIONS, look_ahead=0)
    assert (stage.latency, PrescreenDecay(**OPTIONS).latency) == (1, 9)
    result = run_lane(stage, sweep)
    other = sweep.samples.copy()
    other[22:] *= 100
    changed = run_lane(stage, replace_samples(sweep, other))
    npt.assert_array_equal(changed.samples[:21], result.samples[:21])
    # rings of 7 traces behind a guard of 1: two must be there, a quarter of 7
    npt.assert_array_equal(np.flatnonzero(result.quality), [0, 1, 2])
    npt.assert_array_equal(result.samples[:3], 0.0)


def test_a_guard_keeps_a_broad_target_whole():
    """A target inside its own noise raises its threshold; behind the guard it does not."""
    target = received_decays(TRAIN, [3e-4])[0]
    sweep = noise(80)
    samples = sweep.samples.copy()
    shape = np.hanning(15)[1:-1, None, None]  # 65 cm
    samples[34:47] += 30 * shape * target / target.max()
    wide = OPTIONS | {"guard": 0.65, "noise_length": 1.2}
    narrow = OPTIONS | {"guard": 0.0, "noise_length": 0.35}
    kept, masked = (
        prescreen_decay(replace_samples(sweep, samples), **options).samples[40].min()
        for options in (wide, narrow)
    )
    assert kept > 5
    assert masked < 0.5 * kept


def test_a_channel_that_does_not_move_is_not_judged():
    """No spread at all: flagged EDGE with score zero there, scores elsewhere kept."""
    sweep = noise()
    samples = sweep.samples.copy()
    samples[:, 1] = 0.0
    result = prescreen_decay(replace_samples(sweep, samples), **OPTIONS)
    assert (result.quality & Quality.EDGE).all()
    npt.assert_array_equal(result.samples[:, 1], 0.0)
    npt.assert_array_equal(
        result.samples[:, 0], prescreen_decay(sweep, **OPTIONS).samples[:, 0]
    )


def test_a_gate_without_noise_does_not_decide():
    """A silent gate has the floor's spread, so that its first digit is no alarm."""
    sweep = noise()
    samples = sweep.samples.copy()
    samples[:, :, 5] = 0.0
    columns = np.empty((0, 6))
    quiet = replace_samples(sweep, samples)
    scores = [
        prescreen_decay(quiet, **OPTIONS, columns=columns, floor=floor).samples[20]
        for floor in (0.01, 0.5)
    ]
    assert np.isfinite(scores).all()
    samples[20, :, 5] = 0.5
    jump = replace_samples(sweep, samples)
    careful, careless = (
        prescreen_decay(jump, **OPTIONS, columns=columns, floor=floor).samples[20].max()
        for floor in (0.5, 0.001)
    )
    assert careful < 10 < careless


def test_traces_flagged_edge_before_are_in_no_statistic():
    """What an earlier stage could not judge has score 0 and helps no neighbour."""
    sweep = noise()
    flagged = dataclasses.replace(
        sweep, quality=np.where(np.arange(40) < 4, int(Quality.EDGE), 0)
    )
    result = prescreen_decay(flagged, **OPTIONS)
    npt.assert_array_equal(result.samples[:4], 0.0)
    npt.assert_array_equal(result.samples[4:], prescreen_decay(sweep[4:], **OPTIONS).samples)


def test_dropouts_and_short_lanes_are_not_silence():
    """A dropout leaves as NaN, a lane too short to judge as EDGE: neither is credited."""
    sweep = noise()
    samples = sweep.samples.copy()
    samples[11] = np.nan
    flags = np.where(np.arange(40) == 11, int(Quality.NOT_FINITE), 0)
    result = prescreen_decay(replace_samples(sweep, samples, quality=flags), **OPTIONS)
    assert np.isnan(result.samples[11]).all()
    npt.assert_array_equal(np.flatnonzero(~result.is_credited), [11])
    assert not prescreen_decay(sweep[:4], **OPTIONS).is_credited.any()
    with pytest.raises(ValueError, match="Must be finite: flag dropouts"):
        replace_samples(sweep, samples)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"spacing": -1}, "Invalid spacing '-1.0'"),
        ({"footprint": 0}, "Invalid footprint '0.0'"),
        ({"noise_length": 0.05}, "noise_length '0.05'. Must reach beyond the guard of 0.05"),
        ({"look_ahead": 0.05}, "look_ahead '0.05'. Must reach .* or more, or be 0"),
        ({"look_ahead": -1}, "Invalid look_ahead '-1.0'. Must be finite and not negative"),
        ({"guard": np.nan}, "Invalid guard 'nan'"),
        ({"taus": 1e-4}, r"Invalid taus with shape \(\)"),
        ({"decays": np.ones(6)}, r"Invalid decays with shape \(6,\)"),
        ({"floor": 1.0}, "Invalid floor '1.0'. Must lie between 0 and 1"),
        ({"min_share": 2}, "Invalid min_share '2.0'. Must be at most 1"),
    ],
)
def test_bad_options_are_named(bad, message):
    """The error names the option, shows its value and states the rule."""
    with pytest.raises(ValueError, match=message):
        PrescreenDecay(**OPTIONS | bad)


def test_bad_banks_are_named():
    """A bank that does not fit the gates, or that the soil hides, is refused."""
    soil = soil_decay(TRAIN)
    for decays, message in [
        (np.ones((1, 5)), r"decays with shape \(1, 5\). Must be \(n_decays, 6\)"),
        ([soil, np.ones(6)], "bank of 2 decays, 1 of which are zero or removed"),
        (np.zeros((1, 6)), "bank of 1 decays, 1 of which"),
        (np.empty((0, 6)), "bank of 0 decays"),
    ]:
        with pytest.raises(ValueError, match=message):
            prescreen_decay(noise(3), **OPTIONS, decays=decays)
    other = make_sweep(np.ones((3, 2, 6)), sensor=dataclasses.replace(COILS, head=None))
    with pytest.raises(ValueError, match="with no head"):
        prescreen_decay(other, **OPTIONS, columns=[np.ones(6)])
