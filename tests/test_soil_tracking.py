"""Test phase rotation and tracked soil columns against algebra and their promises."""

import dataclasses

import naive_soil
import numpy as np
import numpy.testing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lanes import make_coils, make_phasors, make_sensor, make_sweep

from minesense.emi.ground_balance import BalancePhase, balance_phase, estimate_soil_phase
from minesense.emi.preprocess import project_soil, received_decays, soil_decay, soil_loss
from minesense.emi.soil_tracking import (
    TrackSoil,
    projection_loss,
    pump_columns,
    track_soil,
    viscous_columns,
)
from minesense.physics.viscosity import vrm_susceptibility
from minesense.sweep import Quality

OPTIONS = {"spacing": 0.05, "turn_length": 0.5, "most_turn": 0.4, "length": 0.4}
COILS = make_coils(2, 5)


def noise(n_traces=60, *, sensor=COILS, seed=0, bad=()):
    """Return noise with dropouts."""
    samples = np.random.default_rng(seed).normal(size=(n_traces, *sensor.shape))
    quality = np.zeros(n_traces, int)
    quality[list(bad)] = Quality.SATURATED
    samples[list(bad)] = 1e9
    return make_sweep(samples, sensor=sensor, quality=quality)


def lane_of_soil(column, n_traces=600, *, sensor=None, scale=0.002, seed=0):
    """Return soil of random sign along a column, with a little noise."""
    sensor = sensor or make_coils(1, len(column))
    rng = np.random.default_rng(seed)
    samples = rng.choice([-1.0, 1.0], size=(n_traces, *sensor.shape[:1], 1)) * column
    samples = samples + scale * rng.normal(size=samples.shape)
    return make_sweep(samples, sensor=sensor)


# --- phase


def phasor_lane(phasors, **options):
    """Return phasors (n_traces, n_channels, n_frequencies) as a lane."""
    phasors = np.ascontiguousarray(phasors, np.complex64)
    sensor = make_phasors(phasors.shape[1], 2e3 * np.arange(1.0, 1 + phasors.shape[2]))
    return make_sweep(phasors.view(np.float32), sensor=sensor, **options)


@given(st.integers(0, 1000))
def test_the_phase_is_that_of_the_first_principal_axis(seed):
    """Against numpy's eigenvectors, for every channel and frequency."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(30, 2, 3)) * np.exp(1j * rng.uniform(0, 6, (2, 3)))
    x = x + 0.2 * (rng.normal(size=x.shape) + 1j * rng.normal(size=x.shape)) + 4
    phase = estimate_soil_phase(phasor_lane(x))
    for c, f in np.ndindex(2, 3):
        values, vectors = np.linalg.eigh(np.cov(x[:, c, f].real, x[:, c, f].imag))
        cosine = vectors[:, 1] @ [np.cos(phase.angle[c, f]), np.sin(phase.angle[c, f])]
        npt.assert_allclose(abs(cosine), 1, rtol=1e-6)
        npt.assert_allclose(phase.share[c, f], values[1] / values.sum(), rtol=1e-4)
        assert -np.pi / 2 < phase.angle[c, f] <= np.pi / 2


def test_the_error_of_the_phase_is_that_of_repeated_pumps():
    """Errors over standard errors have the unit spread."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(50, 200, 1)) * np.exp(0.7j)
    x = x + 0.1 * (rng.normal(size=x.shape) + 1j * rng.normal(size=x.shape))
    phase = estimate_soil_phase(phasor_lane(x))
    scores = (phase.angle - 0.7) / phase.error
    assert 0.85 < scores.std() < 1.15
    assert abs(scores.mean()) < 0.25


def test_balanced_soil_has_no_quadrature_and_a_target_keeps_its_sine():
    """The pump's phases take the soil out; a target keeps |sin| of the difference."""
    soil = np.exp(1j * np.array([[0.3, 1.2], [-0.8, 0.1]]))
    height = np.random.default_rng(0).normal(size=(40, 1, 1))
    pump = phasor_lane(height * soil + 3)
    angle = estimate_soil_phase(pump).angle
    lane = phasor_lane(height * soil)
    balanced = balance_phase(lane, angle=angle)
    npt.assert_allclose(balanced.phasors.imag, 0, atol=1e-5)
    npt.assert_allclose(np.abs(balanced.phasors), np.abs(lane.phasors), atol=1e-5)
    target = balance_phase(phasor_lane(np.full((3, 2, 2), 2 * np.exp(0.5j))), angle=angle)
    expected = 2 * np.sin(0.5 - np.array([[0.3, 1.2], [-0.8, 0.1]]))
    npt.assert_allclose(np.abs(target.phasors[0].imag), np.abs(expected), atol=1e-5)


def test_rotation_is_multiplication_by_a_phase():
    """For angles of one channel, of a frequency, and of all; quadrature alone is real."""
    lane = phasor_lane(np.random.default_rng(3).normal(size=(9, 2, 3)) * (1 + 2j))
    for angle in (0.4, [0.1, 0.2, 0.3], [[0.1, 0.2, 0.3], [1.0, -2.0, 3.0]]):
        expected = lane.phasors * np.exp(-1j * np.asarray(angle))
        npt.assert_allclose(balance_phase(lane, angle=angle).phasors, expected, atol=1e-5)
        part = balance_phase(lane, angle=angle, keep="quadrature")
        npt.assert_allclose(part.samples, expected.imag, atol=1e-5)
        assert part.sensor.shape == (2, 3)
        assert not part.sensor.is_complex


def test_bad_phases_are_named():
    """Pumps that tell nothing, angles that do not fit, sensors without phasors."""
    lane = phasor_lane(np.ones((5, 2, 3)))
    for function, message in [
        (lambda: estimate_soil_phase(lane), r"frequency \(0, 0\) do not move"),
        (lambda: estimate_soil_phase(lane[:2]), "pump with 2 usable traces"),
        (lambda: estimate_soil_phase(noise()), "of real samples. Must be phasors"),
        (lambda: balance_phase(noise(), angle=0.1), "of real samples"),
        (lambda: balance_phase(make_sweep(np.ones((2, 1, 4))), angle=0), "of kind 'gpr'"),
        (lambda: balance_phase(lane, angle=[0.1, 0.2]), r"shape \(2,\). Must fit 2 channels"),
        (lambda: BalancePhase(angle=np.ones((1, 2, 3))), r"shape \(1, 2, 3\)"),
        (lambda: BalancePhase(angle=np.nan), "1 of 1 values are NaN"),
        (lambda: BalancePhase(angle=0.1, keep="real"), "Invalid keep 'real'. Must be one of"),
    ]:
        with pytest.raises(ValueError, match=message):
            function()
    circle = np.exp(2j * np.pi * np.arange(4) / 4)[:, None, None]
    assert estimate_soil_phase(phasor_lane(circle)).error > 1


# --- columns


def test_viscous_columns_span_the_susceptibility():
    """The logarithmic law lies in their span where no relaxation time ends."""
    frequencies = np.geomspace(1e3, 1e5, 6)
    chi = vrm_susceptibility(frequencies, chi0=1e-3)
    row = np.stack([chi.real, chi.imag], axis=1).ravel()
    columns = viscous_columns(frequencies)
    fit, *_ = np.linalg.lstsq(columns.T, row, rcond=None)
    assert np.abs(columns.T @ fit - row).max() < 1e-3 * np.abs(row).max()
    # the quadrature alone tells: without it the second column would be unseen
    assert abs(fit[1]) * np.pi / 2 == pytest.approx(np.abs(chi.imag).mean(), rel=0.01)


def test_pump_columns_are_singular_vectors():
    """Against the pump's covariance; the shares are of the energy."""
    lane = noise(sensor=make_coils(1, 5), bad=[3, 4])
    columns, share = pump_columns(lane, n_columns=3)
    x = lane.samples[lane.is_usable, 0].astype(float)
    values, vectors = np.linalg.eigh(np.cov(x.T))
    npt.assert_allclose(np.abs(np.diag(columns @ vectors[:, :1:-1])), 1, rtol=1e-6)
    npt.assert_allclose(share, values[:1:-1] / values.sum(), rtol=1e-6)
    for options, message in [
        ({"n_columns": 5}, "n_columns '5' for 58 usable traces of 5 samples"),
        ({"n_columns": 0}, "Invalid n_columns '0'"),
    ]:
        with pytest.raises(ValueError, match=message):
            pump_columns(lane, **options)
    with pytest.raises(ValueError, match="move in fewer than 2 ways"):
        pump_columns(lane_of_soil(np.array([1.0, 2.0, 3.0]), scale=0.0))


def test_loss_is_that_of_the_projection():
    """The same as soil_loss, for columns that are not orthonormal and for each channel."""
    train, taus = COILS.excitation, [2e-5, 2e-4]
    decays, soil = received_decays(train, taus), soil_decay(train)
    npt.assert_allclose(projection_loss(decays, [3 * soil]), soil_loss(train, taus))
    both = projection_loss(decays, [[soil, soil**2], [soil, np.ones(5)]])
    for c, columns in enumerate(([soil, soil**2], [soil, np.ones(5)])):
        npt.assert_allclose(both[c], soil_loss(train, taus, columns=columns))
    for bad, message in [
        (([[0.0, 0.0]], [[1.0, 2.0]]), "one is zero"),
        (([[1.0, 0.0]], [1.0, 2.0]), r"columns with shape \(2,\). Must be"),
        (([[1.0, 0.0]], [[1.0, 2.0, 3.0]]), r"Must be \(..., n_columns, 2\)"),
    ]:
        with pytest.raises(ValueError, match=message):
            projection_loss(*bad)


@given(
    bad=st.sets(st.integers(0, 59)),
    freeze=st.sampled_from([None, 1.5, 4.0]),
    n_columns=st.integers(1, 2),
    most=st.integers(1, 6),
    most_turn=st.sampled_from([0.02, 0.4, 1.5]),
)
def test_matches_the_definition(bad, freeze, n_columns, most, most_turn):
    """Residuals, Oja's rule, its bound and what is left out, channel by channel."""
    lane = noise(bad=sorted(bad))
    columns = np.array([[5.0, 3, 2, 1, 1], [1, 1, 1, 1, -4]])[:n_columns]
    options = OPTIONS | {"freeze": freeze, "longest": 0.05 * most, "most_turn": most_turn}
    stage = TrackSoil(**options, columns=columns)
    result = stage.process(lane)
    start = TrackSoil(**OPTIONS, columns=columns)
    start.process(lane[:0])
    expected, ends = naive_soil.track(
        lane.samples,
        lane.is_usable,
        start.tracked[0],
        weight=-np.expm1(-0.1),
        freeze=freeze,
        size=8,
        most=most,
        nearest=np.cos(most_turn) ** 2,
    )
    npt.assert_allclose(result.samples, expected, atol=1e-4)
    npt.assert_allclose(stage.tracked, ends, atol=1e-5)


@pytest.mark.parametrize("seed", range(3))
def test_columns_turn_to_the_ground(seed):
    """Soil 0.2 rad off is followed: its angle falls as e^{-x / T}, the residual with it."""
    start = np.array([4.0, 3.0, 2.0, 1.0])
    other = np.array([1.0, -1.0, 1.0, -3.0])
    other -= (other @ start) / (start @ start) * start
    soil = start / 5.4772 + np.tan(0.2) * other / np.linalg.norm(other)
    stage = TrackSoil(spacing=0.05, turn_length=2.0, columns=[start])
    lane = lane_of_soil(soil, 600, seed=seed)
    angles = []
    for k in range(0, 600, 40):
        result = stage.process(lane[k : k + 40])
        angles.append(np.arccos(abs(stage.tracked[0, 0] @ soil) / np.linalg.norm(soil)))
    npt.assert_allclose(angles[1] / angles[0], np.exp(-1), rtol=0.05)
    assert angles[-1] < 0.005
    assert np.abs(result.samples).max() < 0.02
    fixed = project_soil(lane, columns=[start]).samples[-40:]
    assert np.abs(fixed).max() > 0.1


def test_a_target_does_not_become_soil():
    """Frozen over a target of a metre, the columns stay; else they turn to it."""
    sensor = make_coils(1, 12)
    soil = soil_decay(sensor.excitation)
    target = received_decays(sensor.excitation, [3e-4])[0]
    soil, target = soil / np.linalg.norm(soil), target / np.linalg.norm(target)
    lane = lane_of_soil(soil, 300, sensor=sensor, scale=0.01)
    samples = lane.samples.copy()
    samples[200:220, 0] += 5 * target
    lane = dataclasses.replace(lane, samples=samples)
    losses = []
    for freeze in (10.0, None):
        stage = TrackSoil(spacing=0.05, turn_length=1.0, most_turn=1.0, freeze=freeze)
        stage.process(lane[:221])
        losses.append(projection_loss([target], stage.tracked)[0, 0])
    kept = projection_loss([target], [soil])[0]
    npt.assert_allclose(losses[0], kept, atol=0.05)
    assert losses[1] > kept + 0.2


def test_the_turn_is_bounded():
    """However different the ground, no column leaves the cone about the first ones."""
    lane = lane_of_soil(np.array([0.0, 0.0, 1.0]), 400)
    stage = TrackSoil(spacing=0.05, turn_length=0.5, most_turn=0.25, columns=[[1.0, 0, 0.1]])
    stage.process(lane)
    cosine = abs(stage.tracked[0, 0] @ [1.0, 0, 0.1]) / np.sqrt(1.01)
    assert np.cos(0.25) <= cosine < np.cos(0.15)


def test_the_turn_of_two_columns_is_bounded_together():
    """Ground between the columns does not turn what they span farther than each of them."""
    axes = np.linalg.qr(np.random.default_rng(1).normal(size=(5, 5)))[0].T
    soil = np.cos(0.42) * (axes[0] + axes[1]) / np.sqrt(2) + np.sin(0.42) * axes[2]
    lane = lane_of_soil(soil, 2000, scale=0.3)
    options = {"turn_length": 1.0, "most_turn": 0.3, "freeze": None}
    stage = TrackSoil(spacing=0.05, columns=axes[:2], **options)
    stage.process(lane)
    cosines = np.linalg.svd(stage.tracked[0] @ axes[:2].T)[1]
    assert np.cos(0.3) <= cosines.min() < np.cos(0.2)
    assert projection_loss([axes[2]], stage.tracked)[0, 0] <= np.sin(0.3) ** 2


def test_without_columns_the_soil_stays():
    """No columns: what goes in comes out, and nothing is written beside the arrays."""
    lane = noise(bad=[3])
    stage = TrackSoil(**OPTIONS, columns=np.empty((0, 5)))
    npt.assert_array_equal(
        stage.process(lane).samples[lane.is_usable], lane.samples[lane.is_usable]
    )
    assert stage.tracked.shape == (2, 0, 5)


def test_silence_turns_nothing():
    """Zeros before and after the soil leave the columns orthonormal and finite."""
    samples = np.zeros((60, 2, 5))
    lane = make_sweep(samples, sensor=COILS)
    stage = TrackSoil(**OPTIONS)
    npt.assert_array_equal(stage.process(lane).samples, 0)
    npt.assert_allclose(stage.tracked @ np.swapaxes(stage.tracked, 1, 2), 1, rtol=1e-12)


def test_defaults_come_from_the_sensor():
    """The head's soil decay for gates, viscous soil for phasors, none for what is neither."""
    stage = TrackSoil(spacing=0.05)
    stage.process(noise(3)[:0])
    soil = soil_decay(COILS.excitation)
    npt.assert_allclose(np.abs(stage.tracked[0, 0]), soil / np.linalg.norm(soil))
    frequencies = (1e3, 1e4, 1e5)
    phasors = noise(3, sensor=make_phasors(1, frequencies))
    stage.reset()
    stage.process(phasors[:0])
    assert stage.tracked.shape == (1, 2, 6)
    npt.assert_allclose(projection_loss(viscous_columns(frequencies), stage.tracked), 1)
    real = balance_phase(phasors, angle=0.1, keep="quadrature")
    with pytest.raises(ValueError, match="Must be gates of pulse induction"):
        track_soil(real, spacing=0.05)
    assert len(track_soil(real, spacing=0.05, columns=[[1.0, 2.0, 3.0]])) == 3
    radar = make_sweep(np.ones((3, 1, 4)), sensor=make_sensor(1, 4))
    with pytest.raises(ValueError, match=r"of kind 'gpr'\. Must be 'emi'"):
        track_soil(radar, spacing=0.05)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"spacing": 0}, "Invalid spacing '0.0'"),
        ({"turn_length": -1}, "Invalid turn_length '-1.0'"),
        ({"most_turn": 1.6}, "Invalid most_turn '1.6'. Must be less than pi/2"),
        ({"freeze": 0.5}, "Invalid freeze '0.5'. Must be more than 1"),
        ({"length": 0}, "Invalid length '0.0'"),
        ({"longest": 0}, "Invalid longest '0.0'"),
        ({"columns": [1.0, 2.0]}, r"columns with shape \(2,\)"),
    ],
)
def test_bad_options_are_named(bad, message):
    """The error names the option, shows its value and states the rule."""
    with pytest.raises(ValueError, match=message):
        TrackSoil(**OPTIONS | bad)


def test_pumps_are_sweeps():
    """Anything else is refused by name."""
    for function in (pump_columns, estimate_soil_phase):
        with pytest.raises(TypeError, match=r"Invalid pump of type ndarray\. Must be a Sweep"):
            function(np.ones((3, 1, 4)))


def test_bad_frequencies_are_named():
    """Frequencies increase from above zero."""
    for bad in ([], [0.0, 1.0], [2.0, 1.0]):
        with pytest.raises(ValueError, match="Invalid frequencies"):
            viscous_columns(bad)
