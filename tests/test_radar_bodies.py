"""Test bodies in the ground against limits, exact solutions and boundary conditions."""

import dataclasses
import math

import naive_bodies
import numpy as np
import numpy.testing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import h2vp, hankel2, jv, jvp, spherical_jn, spherical_yn

from minesense.physics import (
    Surface,
    cylinder_length,
    disc_facets,
    finite_reflection,
    layered_reflection,
    radar_spectra,
    rectangle_facets,
    rod_body,
    sphere_body,
    sphere_length,
    surface_echoes,
    tones_to_time,
    volume_cell,
    wavenumber,
)

F = np.linspace(0.2e9, 4.5e9, 12)
SOIL = 9.0 - 0.3j


# Layers of finite width


@pytest.mark.parametrize("below", [9.0 - 0.3j, 4.0, np.inf])
def test_wide_layers_are_plane_layers(below):
    stack = ([SOIL, 2.8, 5.0, below], [0.02, 0.03])
    plane = layered_reflection(F, *stack)
    npt.assert_allclose(finite_reflection(F, *stack), plane, atol=1e-12)
    for outline in ({"diameter": 3e4}, {"length": 3e4, "width": 3e4}):
        npt.assert_allclose(finite_reflection(F, *stack, **outline), plane, atol=2e-3)


def test_a_body_like_the_soil_does_not_reflect():
    r = finite_reflection(F, [SOIL, SOIL, SOIL], [0.04], diameter=0.1)
    npt.assert_allclose(r, 0, atol=1e-15)
    # metal that touches the soil has no layers, and no modes
    npt.assert_allclose(finite_reflection(F, [SOIL, np.inf], [], diameter=0.1), -1)


@pytest.mark.parametrize("inner", [2.8, 20.0 - 1j])
def test_one_material_in_two_layers_is_one_layer(inner):
    one = finite_reflection(F, [SOIL, inner, SOIL], [0.05], diameter=0.1)
    two = finite_reflection(F, [SOIL, inner, inner, SOIL], [0.02, 0.03], diameter=0.1)
    # the open picture spreads waves over one mean way: near, but not the same
    assert np.abs(one - two).max() < 0.06 * np.abs(one).max()


def test_thin_weak_layers_scatter_as_their_volume():
    """At any width: k^2 / (4 pi) of the contrast per volume, by facets and by Born."""
    thickness, contrast = 2e-3, 0.01
    r = finite_reflection(F, [9.0, 9.0 * (1 + contrast), 9.0], [thickness], diameter=0.1)
    k = wavenumber(F, 9.0)
    born = volume_cell(F, soil=9.0) * contrast * thickness * np.exp(-1j * k * thickness)
    npt.assert_allclose(1j * k / (2 * math.pi) * r, born, rtol=0.08)


def test_a_body_with_closed_sides_sends_less_from_its_bottom():
    """In dense soil, the echo from inside a narrow disc is far below that of plane layers."""
    face = layered_reflection(F, [16.0, 2.8], [])
    inside = {}
    for name, outline in (("plane", {}), ("disc", {"diameter": 0.1})):
        r = finite_reflection(F, [16.0, 2.8, 16.0], [0.04], **outline)
        inside[name] = np.abs(r - face)
    low = F < 1.2e9  # below the cut-off of the first mode
    assert (inside["disc"][low] < 0.9 * inside["plane"][low].max()).all()
    assert inside["disc"].mean() < 0.75 * inside["plane"].mean()


def test_square_boxes_are_like_discs_of_their_area():
    side = 0.1 * math.sqrt(math.pi) / 2
    disc = finite_reflection(F, [SOIL, 2.8, SOIL], [0.04], diameter=0.1)
    box = finite_reflection(F, [SOIL, 2.8, SOIL], [0.04], length=side, width=side)
    assert np.abs(disc - box).max() < 0.12
    turned = finite_reflection(F, [SOIL, 2.8, SOIL], [0.04], length=0.14, width=0.06)
    npt.assert_allclose(
        finite_reflection(F, [SOIL, 2.8, SOIL], [0.04], length=0.06, width=0.14), turned
    )


@given(
    st.floats(1.0, 40.0), st.floats(0, 3), st.floats(1.0, 60.0), st.floats(0.005, 0.2),
    st.floats(0.02, 1.0),
)  # fmt: skip
def test_no_body_gives_back_more_than_it_gets(real, loss, inner, thickness, diameter):
    soil = real - 1j * loss
    r = finite_reflection(F, [soil, inner, soil], [thickness], diameter=diameter)
    # in lossy soil, a wave and its echo do not carry their power apart
    assert np.abs(r).max() < (1 + 1e-9 if loss == 0 else 1.5)
    assert np.isfinite(r).all()


def test_surface_echoes_are_the_images_of_a_wide_plate():
    """A wide plate close below the surface: R (1 + r R e^-2ikz + ...)."""
    k = wavenumber(F, 9.0)
    r, z = 0.5, 0.03
    found = surface_echoes(-np.ones(len(F)), F, soil=9.0, depth=z, area=1e4)
    series = -sum((-r * np.exp(-2j * k * z)) ** m for m in range(60))
    npt.assert_allclose(found, series, atol=5e-3)


def test_surface_echoes_fade_for_small_or_deep_bodies():
    plain = np.full(len(F), -1.0)
    for depth, area in ((0.1, 1e-6), (30.0, 0.01)):
        found = surface_echoes(plain, F, soil=9.0, depth=depth, area=area)
        assert np.abs(found - plain).max() < 0.01
    touching = surface_echoes(plain, F, soil=9.0, depth=0.0, area=0.01)
    npt.assert_allclose(touching, -1 / (1 + 0.5), atol=0.02)
    air = surface_echoes(plain, F, soil=1.0, depth=0.05, area=0.01)
    npt.assert_allclose(air, plain)  # no surface to speak of


def test_facets_carry_the_reflection():
    shape = {"frequency": F, "soil": SOIL, "layers": [(0.04, 2.8)]}
    k = wavenumber(F, SOIL).real
    r = finite_reflection(F, [SOIL, 2.8, SOIL], [0.04], diameter=0.1)
    disc = disc_facets([0, 0, -0.1], diameter=0.1, **shape)
    npt.assert_allclose(disc.spectra[0], 1j * k / (2 * math.pi) * r)
    covered = disc_facets([0, 0, -0.1], diameter=0.1, depth=0.1, **shape)
    later = surface_echoes(r, F, soil=SOIL, depth=0.1, area=math.pi * 0.05**2)
    npt.assert_allclose(covered.spectra[0], 1j * k / (2 * math.pi) * later)
    box = rectangle_facets([0, 0, -0.1], length=0.1, width=0.05, depth=0.1, **shape)
    r = finite_reflection(F, [SOIL, 2.8, SOIL], [0.04], length=0.1, width=0.05)
    later = surface_echoes(r, F, soil=SOIL, depth=0.1, area=0.005)
    npt.assert_allclose(box.spectra[0], 1j * k / (2 * math.pi) * later)


# Spheres and cylinders


@pytest.mark.parametrize("eps", [2.0, 30.0 - 2j, 1.0])
def test_small_spheres_are_dipoles(eps):
    k, a = wavenumber(F[:3], SOIL), 0.0005
    expected = k**2 * a**3 * (eps - SOIL) / (eps + 2 * SOIL)
    found = sphere_length(F[:3], radius=a, soil=SOIL, permittivity=eps)
    npt.assert_allclose(found, expected, rtol=2e-3)
    npt.assert_allclose(sphere_length(F[:3], radius=a, soil=SOIL), 1.5 * k**2 * a**3, rtol=2e-3)


def test_large_metal_spheres_are_mirrors():
    a = 0.3
    k = wavenumber(20e9, 9.0)
    found = sphere_length([20e9], radius=a, soil=9.0)[0]
    npt.assert_allclose(found, -a / 2 * np.exp(2j * k * a), rtol=2e-3)


def test_radar_cross_section_of_a_metal_sphere():
    """Published: the largest, 3.65 of the area of its disc, where k a is about 1.03."""
    a = 0.05
    ka = np.linspace(0.6, 1.6, 201)
    f = ka / a * 299_792_458.0 / (2 * math.pi)
    area = 4 * np.abs(sphere_length(f, radius=a, soil=1.0)) ** 2 / a**2
    npt.assert_allclose(area.max(), 3.65, rtol=5e-3)
    npt.assert_allclose(ka[area.argmax()], 1.03, atol=0.02)


@pytest.mark.parametrize("eps", [2.8, 20.0 - 3j, 1.0])
def test_spheres_meet_their_boundary_conditions(eps):
    """The same sum with coefficients solved from continuity, order by order."""
    f, a = 1.7e9, 0.043
    k, inner = wavenumber(f, SOIL), wavenumber(f, eps)
    x, y = k * a, inner * a
    total = 0.0
    for n in range(1, 25):

        def psi(z, n=n):
            return z * spherical_jn(n, z), spherical_jn(n, z) + z * spherical_jn(n, z, True)

        def xi(z, n=n):
            h = spherical_jn(n, z) - 1j * spherical_yn(n, z)
            return z * h, h + z * (spherical_jn(n, z, True) - 1j * spherical_yn(n, z, True))

        (p, dp), (q, dq), (s, ds) = psi(x), xi(x), psi(y)
        # tangential E and H: two equations for what goes out and what goes in
        m = inner / k
        electric = np.linalg.solve([[dq, ds / m], [q, s]], [dp, p])[0]
        magnetic = np.linalg.solve([[q, s / m], [dq, ds]], [p, dp])[0]
        total += (-1) ** n * (2 * n + 1) * (electric - magnetic)
    expected = 1j / (2 * k) * total
    found = sphere_length([f], radius=a, soil=SOIL, permittivity=eps)[0]
    npt.assert_allclose(found, expected, rtol=1e-9)


@pytest.mark.parametrize("eps", [4.0, 25.0 - 2j])
def test_thin_cylinders_are_lines_of_dipoles(eps):
    k, a = wavenumber(F[:3], 9.0), 0.0003
    line = {"radius": a, "soil": 9.0, "permittivity": eps}
    along = cylinder_length(F[:3], **line, field="along")
    npt.assert_allclose(along, k**2 * a**2 / 4 * (eps / 9 - 1), rtol=0.02)
    across = cylinder_length(F[:3], **line, field="across")
    npt.assert_allclose(across, k**2 * a**2 / 2 * (eps - 9) / (eps + 9), rtol=0.02)
    npt.assert_allclose(cylinder_length(F[:3], **line), (along + across) / 2)


def test_thick_metal_cylinders_are_mirrors():
    f, a = 20e9, 0.2
    k = wavenumber(f, 9.0)
    mirror = -math.sqrt(math.pi * k.real * a / 4) * np.exp(2j * k * a - 0.25j * math.pi)
    for field in ("along", "across"):
        found = cylinder_length([f], radius=a, soil=9.0, field=field)[0]
        npt.assert_allclose(found * math.pi / 1j, mirror, rtol=5e-3)


@pytest.mark.parametrize("eps", [2.8, 20.0 - 3j])
@pytest.mark.parametrize("field", ["along", "across"])
def test_cylinders_meet_their_boundary_conditions(eps, field):
    f, a = 1.7e9, 0.03
    k, inner = wavenumber(f, SOIL), wavenumber(f, eps)
    x, y, m = k * a, inner * a, inner / k
    # along: E and dE/dr meet; across: H and (dH/dr) / eps
    ratio = m if field == "along" else 1 / m
    total = 0.0
    for n in range(-20, 21):
        rows = [[hankel2(n, x), jv(n, y)], [h2vp(n, x), ratio * jvp(n, y)]]
        total -= (-1) ** n * np.linalg.solve(rows, [jv(n, x), jvp(n, x)])[0]
    sign = 1 if field == "along" else -1
    found = cylinder_length([f], radius=a, soil=SOIL, permittivity=eps, field=field)[0]
    npt.assert_allclose(found, sign * 1j / math.pi * total, rtol=1e-9)


def test_a_long_rod_is_a_cylinder():
    """Its elements add up to the echo of a line: amplitude falls as r^-3/2 in one medium."""
    f = np.array([2e9])
    rod = rod_body([0, -3, 0], [0, 3, 0], radius=0.004, frequency=f, soil=9.0, spacing=0.004)
    k = wavenumber(f, 9.0)[0]
    length = cylinder_length(f, radius=0.004, soil=9.0)[0]
    for r in (0.15, 0.6):
        distance = np.hypot(r, rod.position[:, 1])
        taper = np.cos(np.pi / 2 * np.clip(np.abs(rod.position[:, 1]) / 1.5 - 1, 0, 1)) ** 2
        field = (rod.weight * taper * np.exp(-2j * k * distance) / distance**2).sum()
        expected = np.exp(-2j * k * r - 0.25j * np.pi) * np.sqrt(np.pi / (k * r**3))
        npt.assert_allclose(field, expected, rtol=2 / abs(k * r))
        npt.assert_allclose(rod.spectra[0, 0], length)


def test_bodies_lie_where_they_are_put():
    ball = sphere_body([1, 2, -0.3], radius=0.02, frequency=F, soil=9.0, permittivity=1.0)
    npt.assert_array_equal(ball.position, [[1, 2, -0.3]])
    npt.assert_array_equal(ball.weight, [1.0])
    rod = rod_body([0, 0, -0.1], [0.3, 0.4, -0.2], radius=0.01, frequency=F, soil=9.0)
    npt.assert_allclose(rod.weight.sum(), math.hypot(0.3, 0.4, 0.1))
    npt.assert_allclose(rod.position.mean(axis=0), [0.15, 0.2, -0.15])
    assert not rod.normal.any()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: finite_reflection(F, [9.0], []), "two fewer"),
        (lambda: finite_reflection(F, [9.0, 2.0, 9.0], [0.0]), "Invalid thicknesses '0.0'"),
        (
            lambda: finite_reflection(F, [9.0, 2.0, 9.0], [1.0], diameter=1.0, length=1.0),
            "Must be one outline",
        ),
        (lambda: finite_reflection(F, [9.0, 2.0, 9.0], [1.0], length=1.0), "given together"),
        (lambda: finite_reflection(F, [9.0, 2.0, 9.0], [1.0], diameter=0), "Invalid diameter"),
        (lambda: finite_reflection(F, [9.0, -2.0, 9.0], [1.0]), "Invalid permittivity"),
        (lambda: surface_echoes([1.0], [1e9], soil=9.0, depth=-1, area=1), "Invalid depth"),
        (lambda: surface_echoes([1.0], [1e9], soil=9.0, depth=1, area=0), "Invalid area"),
        (lambda: sphere_length(F, radius=0.0, soil=9.0), "Invalid radius"),
        (lambda: sphere_length(F, radius=0.1, soil=0.0), "Invalid permittivity"),
        (lambda: cylinder_length(F, radius=0.1, soil=9.0, field="x"), "Invalid field 'x'"),
        (
            lambda: rod_body([0, 0, 0], [0, 0, 0], radius=0.1, frequency=F, soil=9.0),
            "Must not be the place of start",
        ),
    ],
)
def test_bodies_refuse(make, message):
    with pytest.raises(ValueError, match=message):
        make()


# Lossy soil, metal of finite conductivity, small discs


@pytest.mark.parametrize("radius", [0.05, 0.15, 0.25, 0.3])
def test_spheres_in_very_lossy_soil_keep_their_digits(radius):
    """Against the series with Hankel functions of half order, term by term."""
    f = np.linspace(0.1e9, 4.5e9, 23)
    soil = 12 - 1j * 1.0 / (2 * np.pi * f * 8.8541878128e-12)
    found = sphere_length(f, radius=radius, soil=soil, permittivity=6.0)
    k = wavenumber(f, soil)
    x, m = k * radius, np.sqrt(6 / soil)
    total = np.zeros(len(f), complex)
    for n in range(1, 90):
        v = n + 0.5
        psi, d_psi = _riccati(jv, v, x)
        xi, d_xi = _riccati(hankel2, v, x)
        inner, d_inner = _riccati(jv, v, m * x)
        a = (m * inner * d_psi - psi * d_inner) / (m * inner * d_xi - xi * d_inner)
        b = (inner * d_psi - m * psi * d_inner) / (inner * d_xi - m * xi * d_inner)
        term = (-1) ** n * (2 * n + 1) * (a - b)
        if n <= np.abs(x).max() + 4 * np.abs(x).max() ** (1 / 3) + 2:
            total += term
    npt.assert_allclose(found, 1j / (2 * k) * total, rtol=1e-7)


def _riccati(bessel, v, z):
    """Return z times a spherical function, and its derivative, by the recurrence."""
    root = np.sqrt(np.pi * z / 2)
    return root * bessel(v, z), root * (bessel(v - 1, z) - (v - 0.5) / z * bessel(v, z))


@pytest.mark.parametrize("length", [sphere_length, cylinder_length])
def test_steel_is_nearly_a_mirror_at_any_size(length):
    f = np.linspace(0.1e9, 4.5e9, 61)
    steel = 1 - 1j * 4e6 / (2 * np.pi * f * 8.8541878128e-12)
    for radius in (0.002, 0.005, 0.05):  # many skin depths
        found = length(f, radius=radius, soil=9.0, permittivity=steel)
        npt.assert_allclose(found, length(f, radius=radius, soil=9.0), rtol=0.02)


@pytest.mark.parametrize("length", [sphere_length, cylinder_length])
def test_conductors_do_not_jump_where_their_series_ends(length):
    f = np.array([1e9])
    sides = []
    for deep in (299.999, 300.001):
        x = abs(wavenumber(f, 9.0)[0]) * 0.05
        loss = 9 * (deep * np.sqrt(2) / x) ** 2 * -1j + 1
        sides.append(length(f, radius=0.05, soil=9.0, permittivity=loss))
    npt.assert_allclose(*sides, rtol=1e-5)


def test_a_disc_wider_than_a_quarter_of_the_spacing_is_cut():
    plain = {"diameter": 0.02, "frequency": [1e9], "soil": 9.0}
    assert len(disc_facets([0, 0, -0.1], spacing=0.08, **plain)) == 1
    cut = disc_facets([0, 0, -0.1], spacing=0.02, **plain)
    assert len(cut) == 4
    npt.assert_allclose(cut.weight.sum(), np.pi * 1e-4)


# Facets wide enough to be few, narrow enough to be the face


TONES = np.linspace(0.6e9, 3e9, 61)
LEVEL = Surface(origin=[-0.8, -0.8], step=0.04, heights=np.zeros((41, 41)))
ASIDE = np.array([0.0, 0.1, 0.2, 0.3, 0.4, 0.5])


def cut_and_evenly_cut(shape, size, soil, tilt):
    """Return a body as it is cut, and as many small even facets or elements."""
    middle, common = [0, 0, -0.12], {"frequency": TONES, "soil": soil}
    if shape == "rod":
        body = rod_body([0, -size / 2, -0.12], [0, size / 2, -0.12], radius=0.01, **common)
        along = size / 2 * naive_bodies.even_points(400)
        places, areas = np.column_stack([0 * along, along]), np.full(400, size / 400)
    elif shape == "disc":
        body = disc_facets(middle, diameter=size, below=np.inf, tilt=tilt, **common)
        places, areas = naive_bodies.even_disc(size, 70)
    else:
        body = rectangle_facets(
            middle, length=size, width=size / 2, below=np.inf, tilt=tilt, **common
        )
        places, areas = naive_bodies.even_rectangle(size / 2, size, 120)
    north, up = places[:, 1] * math.cos(tilt), -places[:, 1] * math.sin(tilt)
    even = dataclasses.replace(
        body,
        position=middle + np.column_stack([places[:, 0], north, up]),
        normal=np.tile(body.normal[0], (len(places), 1)),
        weight=areas,
        spectrum=np.zeros(len(places), int),
    )
    return body, even


@pytest.mark.parametrize("soil", [2.5, 4.0, 9.0 - 0.3j, 16.0])
@pytest.mark.parametrize(
    ("shape", "size", "tilt"),
    [
        ("disc", 0.015, 0.0), ("disc", 0.03, 0.0), ("disc", 0.05, 0.3), ("disc", 0.1, 0.3),
        ("disc", 0.3, 0.0), ("box", 0.03, 0.0), ("box", 0.1, 0.3), ("box", 0.3, 0.0),
        ("rod", 0.02, 0.0), ("rod", 0.4, 0.0),
    ],
)  # fmt: skip
def test_few_facets_echo_like_many(shape, size, tilt, soil):
    """Tones weigh alike up to the last: 1 % of the echo, however far aside, in time."""
    across = np.array([[1, 0], [0, 1], [0.6, 0.8], [0, -1]])
    places = (ASIDE[:, None, None] * across).reshape(-1, 2)
    antennas = np.column_stack([places, np.full(len(places), 0.1)])
    receivers = antennas + np.array([0.06, 0, 0])
    few, many = (
        radar_spectra(
            antennas, receivers, frequency=TONES, permittivity=soil,
            surface=LEVEL, scatterers=body, coupling=0.0, surface_radius=0.0,
        )
        for body in cut_and_evenly_cut(shape, size, soil, tilt)
    )  # fmt: skip
    assert np.abs(few - many).max() < 0.01 * np.abs(many).max()
    few, many = (tones_to_time(s, TONES, n_samples=800, interval=20e-12) for s in (few, many))
    error = np.abs(few - many).max(axis=1) / np.abs(many).max(axis=1)
    assert error.max() < 0.01
