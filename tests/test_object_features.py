"""Test features of fitted objects: names, units, truth, pose, and what cannot be analysed."""

import dataclasses
import math

import numpy as np
import numpy.testing as npt
import pytest
from lanes import make_head

from minesense.alarm import Feature
from minesense.emi import (
    PHASE_FEATURES,
    POLARIZABILITY_FEATURES,
    RELAXATION_FEATURES,
    DipoleFit,
    fit_decays,
    phase_features,
    polarizability_features,
    relaxation_features,
)
from minesense.physics import Relaxation, attitude, pulse_voltage, sphere_polarizability
from minesense.sensor import PulseTrain

EDGES = np.geomspace(12e-6, 400e-6, 13)
TRAIN = PulseTrain(
    gates=np.column_stack([EDGES[:-1], EDGES[1:]]),
    pulse=200e-6,
    ramp=5e-6,
    half_period=1e-3,
    receiver_tau=1e-6,
)


def make_fit(principal, error=1e-3, **options):
    """Return the record of a dipole fit with given principal polarizabilities."""
    names = [field.name for field in dataclasses.fields(DipoleFit)]
    values = {
        "outcome": "fitted",
        "position": np.array([1.0, 2.0, -0.15]),
        "principal": np.array(principal, float),
        "principal_error": np.full((len(principal), 3), error),
        "coherence": 0.97,
    }
    return DipoleFit(**dict.fromkeys(names, 0) | values | options)


def column(features, table, name):
    """Return the column of a feature."""
    return features[:, [feature.name for feature in table].index(name)]


@pytest.mark.parametrize(
    "table", [POLARIZABILITY_FEATURES, RELAXATION_FEATURES, PHASE_FEATURES]
)
def test_features_have_names_and_units(table):
    """No name twice, and no unit or meaning missing."""
    assert all(isinstance(feature, Feature) for feature in table)
    assert len({feature.name for feature in table}) == len(table) == 6
    assert all(feature.unit and feature.meaning for feature in table)


def test_polarizabilities_are_described():
    """Each as its formula says; scaled bodies differ in size alone."""
    fit = make_fit([[6, 3, 1], [2, 1, 0.5]])
    larger = make_fit([[60, 30, 10], [20, 10, 5]], 1e-2)
    features = polarizability_features([fit, larger])
    npt.assert_allclose(features[0], [1, 1 / 3, 2, 2 / 3, 0.15, 0.97])
    npt.assert_allclose(features[1] - features[0], [1, 0, 0, 0, 0, 0], atol=1e-12)


def test_what_is_below_the_noise_makes_no_large_ratio():
    """L2 of zero counts as its error."""
    features = polarizability_features([make_fit([[6, 0, 0], [0, 0, 0]], 0.5)])
    npt.assert_allclose(features[0, 1:4], [0.5 / 6, 12, 0])


def test_relaxations_are_described():
    """Two rates at two places: weights are the moments of both together."""
    rates = np.array([1e4, 1e5])
    times = np.geomspace(1e-6, 1e-3, 30)
    courses = rates[:, None] * np.exp(-rates[:, None] * times)
    volts = np.array([[2.0, 1.0], [1.0, 0.0]]) @ courses
    found = fit_decays(volts, times=times, noise=1e-7 * volts.max())
    expected = [2, 4, 4.25, math.sqrt(3) / 4, 0.75]
    npt.assert_allclose(relaxation_features([found])[0, :5], expected, rtol=1e-4)
    edged = dataclasses.replace(found, is_at_edge=np.array([True, False]))
    npt.assert_allclose(relaxation_features([edged])[0, [1, 4]], [5, 0.25], rtol=1e-4)
    nowhere = dataclasses.replace(found, is_at_edge=np.array([True, True]))
    assert np.isnan(relaxation_features([nowhere])[0, [1, 4]]).all()


def test_rates_describe_the_object_not_its_pose():
    """A rod upright, level and askew: the same slowest rate, whatever its strength."""
    rod = Relaxation(
        instantaneous=np.zeros((3, 3)), amplitudes=[np.diag([0.0, 0.0, 1e-6])], taus=[70e-6]
    )
    spectra = []
    for roll in (0.0, 1.0, 1.3):
        volts = pulse_voltage(
            [[0.03, -0.02, 0.05], [-0.06, 0.02, 0.05]],
            head=make_head(TRAIN),
            object_position=[[0.0, 0.0, -0.1]],
            objects=[rod.rotated(attitude([0.0], roll=[roll])[0])],
        )
        spectra.append(fit_decays(volts, train=TRAIN, noise=1e-4 * volts.max()))
    slowest = column(relaxation_features(spectra), RELAXATION_FEATURES, "slowest_rate")
    npt.assert_allclose(slowest, -math.log10(70e-6), atol=1e-4)


def test_phase_tells_magnets_from_conductors():
    """Limits of a sphere: in phase where static and magnetic, opposed where it conducts."""
    magnet = sphere_polarizability([1e-3, 2e-3], radius=0.01, conductivity=4e6, permeability=50)
    mirror = sphere_polarizability([1e9, 2e9], radius=0.01, conductivity=4e7, permeability=1)
    features = phase_features([magnet, mirror])
    npt.assert_allclose(column(features, PHASE_FEATURES, "phase_low"), [0, math.pi], atol=1e-2)
    npt.assert_allclose(column(features, PHASE_FEATURES, "phase_high"), [0, math.pi], atol=1e-2)
    npt.assert_allclose(column(features, PHASE_FEATURES, "loss_ratio"), 0, atol=1e-2)
    npt.assert_allclose(column(features, PHASE_FEATURES, "amplitude_ratio"), 1, atol=1e-2)


def test_phase_does_not_jump_with_noise():
    """Just beyond a half turn is just beyond, and just before zero is just before."""
    turned = [[-1 + 0.01j, -1 - 0.01j], [1 + 0.01j, 1 - 0.01j]]
    features = phase_features(turned)
    npt.assert_allclose(features[:, 4], [-0.02, 0.02], atol=1e-4)
    npt.assert_allclose(features[:, 2], [math.pi + 0.01, -0.01], atol=1e-4)


def test_phase_of_scaled_data_is_the_same():
    """A hundred times the amplitude: two more in its logarithm."""
    rows = np.array([[1 - 2j, -3 - 1j]])
    features = phase_features(np.concatenate([rows, 100 * rows]))
    npt.assert_allclose(features[1] - features[0], [2, 0, 0, 0, 0, 0], atol=1e-12)
    assert features[0, 5] == pytest.approx(2 / math.sqrt(10))


def test_what_cannot_be_analysed_has_no_features():
    """NaN in every column, never a number that looks like one."""
    assert np.isnan(polarizability_features([make_fit([[1, 1, 1]], outcome="cannot")])).all()
    none = fit_decays(np.zeros((1, 12)), train=TRAIN, noise=1.0)
    assert np.isnan(relaxation_features([none])).all()
    assert np.isnan(phase_features([[0, 1j]])).all()
    assert polarizability_features([]).shape == (0, 6)


def test_bad_input_is_named():
    """The error names what was given and states the rule."""
    with pytest.raises(TypeError, match=r"Invalid item of type int\. Must be a DipoleFit"):
        polarizability_features([3])
    with pytest.raises(TypeError, match=r"type DipoleFit\. Must be a RelaxationSpectrum"):
        relaxation_features([make_fit([[1, 1, 1]])])
    with pytest.raises(TypeError, match="Invalid phasors of dtype <U1"):
        phase_features([["a", "b"]])
    with pytest.raises(ValueError, match=r"Invalid phasors with shape \(1, 1\). Must have two"):
        phase_features([[1j]])
    with pytest.raises(ValueError, match="Invalid phasors: 1 of 2 values are NaN"):
        phase_features([[1j, math.nan]])
