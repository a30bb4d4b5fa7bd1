"""Test spheroids, rods, discs and shells against spheres, cylinders, other solvers, tensors."""

import dataclasses
import math

import naive_bodies
import naive_emi
import numpy as np
import numpy.testing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import iv, ivp, jn_zeros, jv, kv, kvp

from minesense.io import read_polarizability
from minesense.physics import (
    ALUMINIUM,
    BRASS,
    STEEL,
    Metal,
    can,
    capsule,
    cartridge_case,
    coin,
    cylinder_relaxation,
    foil,
    nail,
    ring_relaxation,
    shell_relaxation,
    sphere_polarizability,
    sphere_poles,
    spheroid_relaxation,
    wire_loop,
)
from minesense.physics.axial_bodies import _demagnetising, _spheroid_surface
from minesense.physics.cylinder_limits import cylinder_limits
from minesense.physics.modes import interior_modes, short_list

MU_0 = naive_emi.MU_0
FREQUENCY = np.geomspace(1.0, 1e7, 60)


def diagonal(body, frequency=FREQUENCY):
    """Return the moments along the three axes of a body."""
    return np.diagonal(body.polarizability(frequency), axis1=1, axis2=2)


@pytest.mark.parametrize("permeability", [1.0, 20.0, 1000.0])
def test_round_spheroid_is_the_sphere(permeability):
    metal = {"conductivity": 4e6, "permeability": permeability}
    body = spheroid_relaxation(diameter=0.01, length=0.01, **metal)
    exact = sphere_polarizability(FREQUENCY, radius=0.005, **metal)
    for moment in diagonal(body).T:
        assert np.abs(moment / exact - 1).max() < 1e-3
    _, taus = sphere_poles(3, radius=0.005, **metal)
    slow = np.sort(body.taus)[::-1]
    npt.assert_allclose(slow[:6:2], taus, rtol=1e-12)


@pytest.mark.parametrize("permeability", [1.0, 5.0, 100.0])
def test_slender_spheroid_is_a_cylinder_across_its_axis(permeability):
    """The infinite cylinder: 2 V (mu_e - 1) / (mu_e + 1), mu_e = mr I1 / (q I1')."""
    # a spheroid tapers: its sections are cylinders of many radii; take their mean
    body = spheroid_relaxation(
        diameter=0.004, length=0.4, conductivity=4e6, permeability=permeability
    )
    nodes, weights = np.polynomial.legendre.leggauss(60)
    radius = 0.002 * np.sqrt(1 - nodes**2)
    frequency = np.geomspace(10, 1e6, 25)[:, None]
    q = radius * np.sqrt(2j * np.pi * frequency * MU_0 * permeability * 4e6)
    inner = permeability * iv(1, q) / (q * ivp(1, q))
    expected = (2 * (inner - 1) / (inner + 1) * radius**2) @ weights * 0.2 * math.pi
    moment = diagonal(body, frequency[:, 0])[:, 0]
    # the family joins weak and strong fields by one form: exact for one radius, near for many
    assert np.abs(moment / expected - 1).max() < 0.04


@pytest.mark.parametrize(("aspect", "permeability"), [(0.1, 50.0), (3.0, 1.0), (8.0, 300.0)])
def test_spheroid_has_its_static_and_inductive_limits(aspect, permeability):
    diameter, length = 0.02, 0.02 * aspect
    body = spheroid_relaxation(
        diameter=diameter, length=length, conductivity=1e6, permeability=permeability
    )
    volume = math.pi / 6 * diameter**2 * length
    along = _demagnetising(aspect)
    for k, factor in enumerate([(1 - along) / 2, (1 - along) / 2, along]):
        static = volume * (permeability - 1) / (1 + factor * (permeability - 1))
        npt.assert_allclose(body.polarizability(0.0)[k, k].real, static, rtol=1e-12, atol=1e-18)
        # the list ends a hundred millionth of the slowest tau below it
        rest = body.instantaneous[k, k] + volume / (1 - factor)
        assert 0 <= rest < 0.02 * (static + volume / (1 - factor))


def test_demagnetising_factors_are_those_of_osborn():
    """Both closed forms, their series where they cancel, and the flat and slender limits."""
    for aspect in [0.3, 0.9, 0.98, 1.0, 1.01, 1.2, 4.0]:
        s = np.geomspace(1e-7, 1e7, 40_001)
        integrand = aspect / 2 * s / ((s + aspect**2) ** 1.5 * (s + 1))
        npt.assert_allclose(
            _demagnetising(aspect), np.trapezoid(integrand, np.log(s)), rtol=1e-5
        )
    assert _demagnetising(1.0) == pytest.approx(1 / 3, rel=1e-14)
    npt.assert_allclose(1 - _demagnetising(1e-4), math.pi / 2 * 1e-4, rtol=2e-4)
    npt.assert_allclose(_demagnetising(100.0), (math.log(200) - 1) / 1e4, rtol=1e-3)


def test_surfaces_of_spheroids():
    area, facing = _spheroid_surface(1.0, 1.0)
    npt.assert_allclose([area, facing], [4 * math.pi, 4 * math.pi / 3], rtol=1e-12)
    area, facing = _spheroid_surface(1.0, 1e-5)  # a flat disc, both sides
    npt.assert_allclose([area, facing], [2 * math.pi] * 2, rtol=1e-8)
    area, facing = _spheroid_surface(1.0, 1e3)  # a long rod: pi^2 a c, ends negligible
    npt.assert_allclose(area, math.pi**2 * 1e3, rtol=1e-4)
    assert facing < 1e-2 * area


@pytest.mark.parametrize("aspect", [0.2, 5.0])
def test_spheroid_starts_and_ends_as_weak_and_strong_fields_say(aspect):
    """Without magnetism: the loss integral at low, the eroded skin at high frequency."""
    a, c = 0.01, 0.01 * aspect
    body = spheroid_relaxation(diameter=2 * a, length=2 * c, conductivity=1e7, permeability=1.0)
    volume = 4 / 3 * math.pi * a * a * c
    low = diagonal(body, np.array([1e-3]))[0]
    # ellipsoids: E is linear, (1/5) a^2 c^2 / (a^2 + c^2) across and a^2 / 10 along
    loss = np.array([(a * c) ** 2 / (a**2 + c**2) / 5] * 2 + [a * a / 10])
    npt.assert_allclose(low.imag, -2e-3 * math.pi * MU_0 * 1e7 * volume * loss, rtol=1e-6)
    area, facing = _spheroid_surface(a, c)
    along = _demagnetising(aspect)
    skin = 1 / np.sqrt(2j * math.pi * 1e8 * MU_0 * 1e7)
    high = diagonal(body, np.array([1e8]))[0]
    surfaces = [(area + facing) / 2, (area + facing) / 2, area - facing]
    for k, factor in enumerate([(1 - along) / 2, (1 - along) / 2, along]):
        whole = -volume / (1 - factor)
        share = surfaces[k] / (volume * (1 - factor))
        npt.assert_allclose((high[k] / whole - 1) / (-share * skin), 1, rtol=0.02)


def test_modes_are_those_of_cylinder_and_sphere():
    shares, taus = interior_modes(0.0, 0.0, n_modes=60)
    zeros = jn_zeros(0, 60)
    npt.assert_allclose(1 / np.sqrt(taus), zeros, rtol=1e-8)
    npt.assert_allclose(shares, 4 / zeros**2, rtol=1e-7)
    _, taus = interior_modes(0.5, 0.0, n_modes=60)
    npt.assert_allclose(1 / np.sqrt(taus), math.pi * np.arange(1, 61), rtol=1e-12)


@given(order=st.floats(-0.99, 8, allow_subnormal=False), coupling=st.floats(0, 300))
def test_modes_add_up_to_the_closed_form(order, coupling):
    """As one by one, so in groups; every amplitude positive, every root where it should be."""
    shares, taus = interior_modes(order, coupling, n_modes=60)
    x, kappa = 1 / np.sqrt(taus), 2 * (order + 1)
    size = np.hypot(x * jv(order, x), kappa * coupling * jv(order + 1, x))
    size = np.maximum(size, x * np.sqrt(2 / (math.pi * x)))
    left = x * jv(order, x) + kappa * coupling * jv(order + 1, x)
    assert np.abs(left[:40] / size[:40]).max() < 1e-9
    assert np.abs(left / size).max() < 3e-3
    assert (np.diff(taus) < 0).all()
    shares, taus = short_list(order, coupling)
    assert (shares > 0).all()
    assert (np.diff(taus) <= 0).all()
    rest = 1 - shares.sum()
    assert -1e-6 < rest < 0.05
    q = np.sqrt(1j * np.geomspace(1e-3, 1e5, 50) / taus[0])
    share = naive_bodies.interior_share(q, order)
    closed = (1 + coupling) * share / (1 + coupling * share)
    listed = (shares / (1 + q[:, None] ** 2 * taus)).sum(axis=1) + rest
    assert np.abs(listed - closed).max() < 1e-3


def test_groups_keep_the_decay():
    for order, coupling in [(0.0, 0.0), (0.5, 33.0), (-0.9, 2.0)]:
        shares, taus = interior_modes(order, coupling, n_modes=5000)
        time = np.geomspace(1e-4, 14, 50)[:, None] * taus[0]
        expected = (shares / taus * np.exp(-time / taus)).sum(axis=1)
        shares, taus = short_list(order, coupling)
        assert len(shares) < 90
        listed = (shares / taus * np.exp(-time / taus)).sum(axis=1)
        npt.assert_allclose(listed, expected, rtol=2e-4)


@pytest.mark.parametrize("aspect", [0.1, 1.0, 6.0])
def test_limits_of_cylinders_are_those_of_boundary_elements(aspect):
    """Perfect conductor, weak and strong magnet; the skin by a cylinder made smaller."""
    found = naive_bodies.cylinder_moments(aspect, [0.0, 1.01, 5.0, 200.0], levels=8)
    step = 1e-3
    inside = (2 * aspect - 2 * step) / (2 * (1 - step))
    smaller = naive_bodies.cylinder_moments(inside, [0.0], levels=8)[:, 0]
    smaller *= (1 - step) ** 2 * (2 * aspect - 2 * step) / (2 * aspect)
    for k in range(2):
        limits = [cylinder_limits(1.0, 2 * aspect, mr)[k] for mr in (1.01, 5.0, 200.0)]
        npt.assert_allclose(limits[0].expulsion, -found[k, 0], rtol=2e-3)
        static = [
            (mr - 1) / (1 + one.factor * (mr - 1))
            for one, mr in zip(limits, (1.01, 5.0, 200.0), strict=True)
        ]
        npt.assert_allclose(static, found[k, 1:], rtol=4e-3)
        npt.assert_allclose(limits[0].skin, (1 - smaller[k] / found[k, 0]) / step, rtol=0.02)


def test_losses_of_cylinders():
    """Uniform fields: rings along the axis, a slab, a long cylinder, a Bessel series across."""
    for aspect in [0.01, 0.1, 0.7, 2.0, 30.0]:
        axial, across = cylinder_limits(1.0, 2 * aspect, 1.0)
        assert axial.loss == 1 / 8
        npt.assert_allclose(across.loss, naive_bodies.transverse_loss(aspect), rtol=2e-3)
    npt.assert_allclose(cylinder_limits(1.0, 2e-3, 1.0)[1].loss, 4e-6 / 12, rtol=0.01)
    npt.assert_allclose(cylinder_limits(1.0, 150.0, 1.0)[1].loss, 1 / 4, rtol=0.01)


def test_flat_discs_go_on_where_the_fit_ends():
    """A flat sheet expels 8 a^3 / 3 along its axis, and nearly its own volume across."""
    for aspect in (9.99e-3, 1e-3, 1e-4):
        axial, across = cylinder_limits(1.0, 2 * aspect, 1.0)
        npt.assert_allclose(
            axial.expulsion * axial.volume, 8 / 3, rtol=10 * aspect * (1 - math.log(aspect) / 5)
        )
        assert 1 < across.expulsion < 1 + 3 * aspect**0.9
        assert 3 < axial.skin < 13
    near, far = cylinder_limits(1.0, 0.02000001, 20.0), cylinder_limits(1.0, 0.01999999, 20.0)
    for one, other in zip(near, far, strict=True):
        a, b = dataclasses.asdict(one), dataclasses.asdict(other)
        for name in ("volume", "factor", "expulsion", "loss"):
            npt.assert_allclose(a[name], b[name], rtol=1e-4)
        npt.assert_allclose(one.skin, other.skin, rtol=0.05)


def test_foil_has_one_relaxation_where_a_sheet_has_many():
    """How wrong thin foil is along its axis: the figures of the docstring."""
    radius, thickness = 0.018, 2e-5
    frequency = np.geomspace(1e2, 1e6, 17)
    moment, slowest = naive_bodies.thin_sheet(radius, thickness, 3.5e7, frequency)
    body = foil(area=math.pi * radius**2, thickness=thickness)
    error = np.abs(diagonal(body, frequency)[:, 2] / moment - 1)
    assert 0.05 < error.max() < 0.11
    assert error[0] < 1e-3
    strong = body.amplitudes[:, 2, 2].argmax()
    npt.assert_allclose(body.taus[strong] / slowest, 0.81, atol=0.01)


def errors(body, spectrum):
    """Return the largest error along each axis below 1e6 rad/s, relative."""
    used = 2 * math.pi * spectrum.frequency < 1e6
    exact = np.diagonal(spectrum.tensors[used], axis1=1, axis2=2)
    return np.abs(diagonal(body, spectrum.frequency[used]) / exact - 1).max(axis=0)


def test_a_computed_coin_and_screwdriver_agree(test_data):
    """Nothing is fitted: the figures are those of the docstring and of the docs."""
    folder = test_data / "emi/mpt_library"
    disc = coin(diameter=0.0203, thickness=0.00165, metal=Metal(conductivity=4.03e7))
    found = errors(disc, read_polarizability(folder / "coin_one_penny"))
    npt.assert_array_less(found, [0.008, 0.008, 0.034])
    steel = Metal(conductivity=1.6e6, permeability=5.0)
    rod = nail(length=0.0625, diameter=0.005, metal=steel)
    found = errors(rod, read_polarizability(folder / "screwdriver_short"))
    npt.assert_array_less(found, [0.15, 0.175, 0.12])
    ball = spheroid_relaxation(
        diameter=0.02, length=0.02, conductivity=5.96e6, permeability=1.5
    )
    npt.assert_array_less(errors(ball, read_polarizability(folder / "sphere_10mm")), 5e-4)


def test_long_shells_are_cylinders_of_two_radii():
    """Along: the loss of rings; across: (b^4 - a^4) / (4 b^2); both to the ends' share."""
    shell = shell_relaxation(
        diameter=0.01, length=0.5, wall=0.001, conductivity=1e7, permeability=1.0
    )
    low = diagonal(shell, np.array([1e-2]))[0].imag
    scale = -2e-2 * math.pi * MU_0 * 1e7 * math.pi * 0.5
    b, a = 0.005, 0.004
    npt.assert_allclose(low[2], scale * (b**4 - a**4) / 8, rtol=0.01)
    npt.assert_allclose(low[0], scale * (b**4 - a**4) / 4, rtol=0.02)
    solid = cylinder_relaxation(diameter=0.01, length=0.5, conductivity=1e7, permeability=1.0)
    far = np.array([1e9])
    npt.assert_allclose(diagonal(shell, far), diagonal(solid, far), rtol=0.02)


@pytest.mark.parametrize("wall", [2e-4, 1e-3, 3e-3])
@pytest.mark.parametrize("permeability", [1.0, 10.0, 100.0])
def test_long_magnetic_shells_lose_what_a_tube_loses(permeability, wall):
    """Across, in weak eddy currents, against the exact infinite tube (Bessel functions)."""
    shell = shell_relaxation(
        diameter=0.01, length=1.0, wall=wall, conductivity=4e6, permeability=permeability
    )
    b, a = 0.005, 0.005 - wall
    k = np.sqrt(1j * 2 * math.pi * 0.1 * MU_0 * permeability * 4e6)
    # A = d r inside, f I1 + g K1 in the wall, r + c / r outside; A and H along it continuous
    rows = [
        [a, -iv(1, k * a), -kv(1, k * a), 0],
        [permeability, -k * ivp(1, k * a), -k * kvp(1, k * a), 0],
        [0, iv(1, k * b), kv(1, k * b), -1 / b],
        [0, k * ivp(1, k * b), k * kvp(1, k * b), permeability / b**2],
    ]
    c = np.linalg.solve(np.array(rows), [0, 0, b, permeability])[3]
    expected = 2 * math.pi * c  # m per length, for H of one: M = 2 pi c
    found = shell.polarizability(0.1)[0, 0]
    npt.assert_allclose(found.imag, expected.imag, rtol=0.03)


def test_a_shell_without_hollow_is_solid():
    size = {"diameter": 0.01, "length": 0.03, "conductivity": 4e6, "permeability": 50.0}
    solid = cylinder_relaxation(**size)
    shell = shell_relaxation(wall=0.0049999, **size)
    npt.assert_allclose(diagonal(shell), diagonal(solid), rtol=1e-3)


def test_thin_steel_shells_respond_between_air_and_steel():
    size = {"diameter": 0.06, "length": 0.1, "conductivity": 4e6, "permeability": 100.0}
    static = [
        diagonal(shell_relaxation(wall=wall, **size), np.array([0.0]))[0].real
        for wall in (1e-5, 1e-4, 1e-3, 1e-2)
    ]
    assert (np.diff(static, axis=0) > 0).all()
    solid = diagonal(cylinder_relaxation(**size), np.array([0.0]))[0].real
    assert (static[-1] < solid).all()
    # very thin: as much as the metal alone would give along its sides
    volume = math.pi * 0.06 * 0.1 * 1e-5
    assert 0.3 * volume * 99 < static[0][2] < 1.3 * volume * 99


def test_thin_magnetic_shells_have_the_skin_effect_of_their_metal():
    """At high frequency a wall of many skin depths hides what is inside it."""
    size = {"diameter": 0.06, "length": 0.1, "conductivity": 4e6, "permeability": 5.0}
    frequency = np.array([1e9])
    limit = [-cylinder_limits(0.03, 0.1, 5.0)[k].expulsion for k in (1, 1, 0)]
    limit = np.array(limit) * math.pi * 0.03**2 * 0.1
    shares = [
        np.abs(diagonal(body, frequency)[0] / limit - 1)
        for body in (cylinder_relaxation(**size), shell_relaxation(wall=0.003, **size))
    ]
    assert (shares[0] < 0.02).all()
    npt.assert_allclose(shares[1], shares[0], rtol=0.05)


@given(
    aspect=st.floats(0.02, 50),
    permeability=st.floats(1, 1000),
    wall=st.floats(0.001, 0.49),
    seed=st.integers(0, 99),
)
def test_every_list_is_passive_and_turns(aspect, permeability, wall, seed):
    """Relaxation refuses what is not; axes follow the direction that is asked for."""
    rng = np.random.default_rng(seed)
    axis = rng.normal(size=3)
    size = {"diameter": 0.01, "length": 0.01 * aspect, "conductivity": 1e7}
    metal = {"permeability": permeability, "axis": axis}
    thin = wall * min(0.01, 0.01 * aspect)
    unit = axis / np.linalg.norm(axis)
    for body in (
        cylinder_relaxation(**size, **metal),
        spheroid_relaxation(**size, **metal),
        shell_relaxation(**size, wall=thin, **metal),
    ):
        moment = body.polarizability(1e4)
        along = unit @ moment @ unit
        npt.assert_allclose(moment @ unit, along * unit, rtol=1e-9, atol=1e-9 * abs(along))
        assert np.linalg.eigvalsh(moment.imag)[-1] < 0


def test_parts_are_bodies_of_their_size_and_metal():
    same = cylinder_relaxation(diameter=0.003, length=0.05, conductivity=4e6, permeability=100)
    npt.assert_array_equal(nail(length=0.05, diameter=0.003).amplitudes, same.amplitudes)
    flat = cylinder_relaxation(diameter=0.02, length=2e-5, conductivity=3.5e7, permeability=1)
    piece = foil(area=math.pi * 1e-4, thickness=2e-5)
    npt.assert_allclose(piece.taus, flat.taus, rtol=1e-12)
    hollow = shell_relaxation(
        diameter=0.011, length=0.039, wall=0.0005, conductivity=1.5e7, permeability=1
    )
    npt.assert_array_equal(
        cartridge_case(length=0.039, diameter=0.011).amplitudes, hollow.amplitudes
    )
    ring = ring_relaxation(radius=0.02, wire_radius=1e-3, conductivity=5.8e7, normal=[0, 0, 1])
    loop = wire_loop(radius=0.02, wire_radius=1e-3)
    npt.assert_array_equal(loop.amplitudes, ring.amplitudes)
    side = np.array([1.0, 0.0, 0.0])
    for made in (
        nail(length=0.05, diameter=0.003, axis=side),
        can(length=0.108, diameter=0.076, axis=side),
        capsule(axis=side),
        coin(diameter=0.02, thickness=0.001, axis=side),
    ):
        moment = made.polarizability(1e3)
        npt.assert_allclose(moment[1, 1], moment[2, 2], rtol=1e-9)
        assert abs(moment[0, 0] / moment[1, 1] - 1) > 0.05


def test_corrosion_scales_the_metal():
    old = STEEL.corroded(0.3)
    assert (old.conductivity, old.permeability) == (1.2e6, 30.0)
    assert BRASS.corroded(0.5).permeability == 1.0
    fresh, worn = (coin(diameter=0.02, thickness=0.002, metal=x) for x in (BRASS, ALUMINIUM))
    npt.assert_allclose(worn.taus.max() / fresh.taus.max(), 3.5 / 1.5, rtol=1e-9)


SIZE = {"diameter": 0.01, "length": 0.02, "conductivity": 1e7, "permeability": 1.0}


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"diameter": 0.0}, "diameter '0.0'"),
        ({"length": -1.0}, "length '-1.0'"),
        ({"length": 1.1}, "length '1.1' of a body 0.01 m across. Must be from 0.0001 to 100"),
        ({"length": 1e-7}, "length '1e-07'"),
        ({"conductivity": 0.0}, "conductivity '0.0'"),
        ({"permeability": 0.9}, "permeability '0.9'. Must be relative, 1 to 1000"),
        ({"permeability": 1001}, "permeability '1001.0'"),
        ({"axis": [0, 0, 0]}, r"axis \[0.0, 0.0, 0.0\]. Must have a direction"),
        ({"axis": [0, 0, np.nan]}, "axis: 1 of 3"),
    ],
)
@pytest.mark.parametrize("make", [cylinder_relaxation, spheroid_relaxation])
def test_bad_bodies_are_named(make, bad, message):
    with pytest.raises(ValueError, match=message):
        make(**{**SIZE, **bad})


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: shell_relaxation(wall=0.005, **SIZE), "wall '0.005'. Must be less than half"),
        (lambda: shell_relaxation(wall=0.0, **SIZE), "wall '0.0'"),
        (
            lambda: shell_relaxation(wall=1e-6, **{**SIZE, "length": 5e-5}),
            "length '5e-05' of a body 0.01 m across. Must be from 0.01",
        ),
        (lambda: Metal(conductivity=0), "conductivity '0.0'"),
        (lambda: Metal(conductivity=1, permeability=0.5), "permeability '0.5'"),
        (lambda: STEEL.corroded(0), "share '0.0'"),
        (lambda: STEEL.corroded(1.5), "share '1.5'. Must be at most 1"),
        (lambda: foil(area=0, thickness=1e-5), "area '0.0'"),
    ],
)
def test_bad_parts_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
