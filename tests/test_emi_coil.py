"""Test loops against Biot-Savart, Neumann, textbook formulas and tables."""

import csv
import math

import naive_emi
import numpy as np
import numpy.testing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ellipe, ellipkm1

from minesense.physics import loop_field, mutual_inductance

MU_0 = naive_emi.MU_0
UP = (0.0, 0.0, 1.0)


def test_field_has_known_values():
    field = MU_0 * loop_field([[0.1, 0, 0.1], [0, 0, 0.1], [0, 0, 0]], radius=0.1)
    expected = [
        [1.143314477936333e-6, 0, 9.64832387340171e-7],
        [0, 0, 2.22144146907918e-6],
        [0, 0, 6.28318530717959e-6],
    ]
    npt.assert_allclose(field, expected, rtol=2e-12)


def test_field_table_agrees(test_data):
    with (test_data / "emi/reference/loop_field.csv").open(newline="") as file:
        rows = [[float(word) for word in row] for row in list(csv.reader(file))[1:]]
    assert len(rows) == 56
    for radius, current, rho, height, radial, axial in rows:
        # at an angle, so that a swap of the axes shows
        point = [0.6 * rho, -0.8 * rho, height]
        field = MU_0 * current * loop_field([point], radius=radius)[0]
        expected = [0.6 * radial, -0.8 * radial, axial]
        npt.assert_allclose(field, expected, rtol=1e-9, atol=1e-11 * np.linalg.norm(field))


def test_field_is_that_of_biot_and_savart():
    rng = np.random.default_rng(seed=1)
    points, axis = rng.normal(size=(40, 3)), np.array([0.3, -0.5, 0.7])
    points *= 0.2
    expected = naive_emi.loop_field(points, 0.17, axis)
    scale = np.linalg.norm(expected, axis=1).min()
    npt.assert_allclose(
        loop_field(points, radius=0.17, axis=axis), expected, atol=1e-10 * scale, rtol=1e-9
    )


def test_field_on_and_near_the_axis():
    """The textbook field on the axis, and div B = 0 beside it however near."""
    height = np.array([-3.0, -0.1, 0.0, 0.02, 1e4])
    on_axis = loop_field(np.outer(height, UP), radius=0.1)
    npt.assert_allclose(on_axis[:, 2], 0.01 / 2 / np.hypot(0.1, height) ** 3, rtol=1e-13)
    npt.assert_array_equal(on_axis[:, :2], 0)
    slope = -3 * 0.1**2 * 0.02 / 2 / np.hypot(0.1, 0.02) ** 5  # dHz/dz on the axis
    for rho in (1e-3, 1e-6, 1e-9, 1e-12):
        field = loop_field([[rho, 0, 0.02]], radius=0.1)[0]
        npt.assert_allclose(field[0] / rho, -slope / 2, rtol=1e-3 if rho == 1e-3 else 1e-9)


def test_field_beside_the_wire_is_that_of_a_straight_wire():
    gap = 1e-9
    field = loop_field([[0.1 + gap, 0, 0], [0.1, 0, gap]], radius=0.1)
    straight = 1 / (2 * math.pi * gap)
    npt.assert_allclose(field[0, 2], -straight, rtol=1e-6)
    npt.assert_allclose(field[1, 0], straight, rtol=1e-6)


def test_field_far_away_is_that_of_a_dipole():
    direction = np.array([0.48, 0.6, 0.64])
    moment = math.pi * 0.1**2
    for distance in (1e2, 1e4):
        field = loop_field([distance * direction], radius=0.1)[0]
        dipole = 3 * direction * direction[2] - np.array(UP)
        dipole *= moment / (4 * math.pi * distance**3)
        npt.assert_allclose(field, dipole, rtol=1e-5)


@given(
    seed=st.integers(0, 1000), radius=st.floats(0.01, 1), scale=st.sampled_from([0.1, 1, 10])
)
def test_field_turns_with_the_loop(seed, radius, scale):
    rng = np.random.default_rng(seed)
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    turn *= np.linalg.det(turn)
    points = radius * scale * rng.normal(size=(3, 3))
    upright = loop_field(points, radius=radius)
    turned = loop_field(points @ turn.T, radius=radius, axis=2 * turn @ UP)
    npt.assert_allclose(
        turned, upright @ turn.T, rtol=1e-9, atol=1e-10 * np.linalg.norm(upright, axis=1).max()
    )


def test_flux_of_the_field_is_the_mutual_inductance():
    """Integrate H_z of one loop over the disc of another."""
    nodes, weights = np.polynomial.legendre.leggauss(60)
    rho = 0.07 * (nodes + 1) / 2
    points = np.column_stack([rho, 0 * rho, np.full_like(rho, 0.05)])
    axial = loop_field(points, radius=0.1)[:, 2]
    flux = MU_0 * (0.07 / 2 * weights * 2 * math.pi * rho * axial).sum()
    npt.assert_allclose(flux, mutual_inductance(0.1, 0.07, 0.05), rtol=1e-12)


def test_mutual_inductance_has_known_values():
    assert mutual_inductance(0.1, 0.1, 0.1) == pytest.approx(4.940784630798268e-8, rel=1e-13)
    assert mutual_inductance(0.1, 0.1, 0.06) == pytest.approx(9.29644264912e-8, rel=1e-11)


def test_mutual_inductance_is_that_of_neumann_and_maxwell():
    for a, b, distance in [(0.1, 0.1, 0.04), (0.1, 0.14, 0.0), (0.05, 0.3, 0.2)]:
        ours = mutual_inductance(a, b, distance)
        npt.assert_allclose(ours, naive_emi.mutual_inductance(a, b, distance), rtol=1e-12)
        outer, inner = (a + b) ** 2 + distance**2, (a - b) ** 2 + distance**2
        k2 = 4 * a * b / outer
        bracket = (2 - k2) * ellipkm1(inner / outer) - 2 * ellipe(k2)
        npt.assert_allclose(ours, MU_0 * math.sqrt(a * b / k2) * bracket, rtol=1e-11)


def test_mutual_inductance_keeps_its_digits_far_away():
    """Two dipoles: M = mu0 pi a^2 b^2 / (2 d^3), where Maxwell's brackets cancel."""
    distance = np.array([[1e3, 1e5]])
    expected = MU_0 * math.pi * 0.1**2 * 0.2**2 / (2 * distance**3)
    ours = mutual_inductance(0.1, 0.2, distance)
    assert ours.shape == (1, 2)
    npt.assert_allclose(ours, expected, rtol=1e-7)
    npt.assert_array_equal(ours, mutual_inductance(0.2, 0.1, distance))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: loop_field([[0, 0, 1], [0.1, 0, 0]], radius=0.1),
            "point 1, .* lies on the wire",
        ),
        (lambda: loop_field([[0, 0]], radius=0.1), r"points with shape \(1, 2\)"),
        (lambda: loop_field([[0, 0, np.nan]], radius=0.1), "points: 1 of 3"),
        (lambda: loop_field([[0, 0, 1]], radius=-1), "radius '-1.0'"),
        (lambda: loop_field([[0, 0, 1]], radius=1, axis=[0, 0, 0]), "axis: vector 0 is zero"),
        (lambda: mutual_inductance(0.1, 0.1, [0.1, 0.0]), "Must not touch"),
        (lambda: mutual_inductance(0.1, 0.1, -0.1), "distance '-0.1'"),
        (lambda: mutual_inductance(0.0, 0.1, 0.1), "radius_a '0.0'"),
        (lambda: mutual_inductance(0.1, 0.0, 0.1), "radius_b '0.0'"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
