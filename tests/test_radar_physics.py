"""Test the radar model against its formulas, its theory and published numbers."""

import math

import naive_radar
import numpy as np
import numpy.testing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minesense.physics import (
    AntennaPattern,
    Scatterers,
    Surface,
    bounce_radius,
    disc_facets,
    geometry_factor,
    join_scatterers,
    layered_reflection,
    near_field_ratio,
    no_scatterers,
    peplinski_permittivity,
    radar_frequencies,
    radar_traces,
    rectangle_facets,
    ricker_spectrum,
    sphere_body,
    sphere_length,
    trace_rays,
    volume_cell,
    volume_cells,
    wavenumber,
)

C = 299_792_458.0
BAND = {"n_samples": 72, "interval": 100e-12, "peak_frequency": 1.5e9}
F = radar_frequencies(**BAND)
LOAM = peplinski_permittivity(F, sand=0.4, clay=0.2, bulk_density=1.4, moisture=0.12)
RNG = np.random.default_rng(seed=5)
FLAT = Surface(origin=[-0.9, -0.9], step=0.033, heights=np.zeros((56, 56)))
ROUGH = Surface(
    origin=[-0.5, -0.5], step=0.033, heights=RNG.normal(scale=0.004, size=(31, 31)) + 0.3
)
NONE = no_scatterers(len(F))
FLAT_PATTERN = AntennaPattern(exponent=0.0)
#: No bounce, for tests of what is buried.
BURIED_ONLY = {"surface_radius": 0.0}


def record(tx, rx, scatterers, permittivity=LOAM, surface=FLAT, coupling=0.0, **options):
    """Traces with the settings of most tests."""
    return radar_traces(
        np.atleast_2d(tx), np.atleast_2d(rx), **BAND, permittivity=permittivity,
        surface=surface, scatterers=scatterers, coupling=coupling, **options,
    )  # fmt: skip


def point(place, spectrum=1.0, weight=1.0):
    """One scatterer without a face."""
    return Scatterers(
        position=[place], normal=[[0, 0, 0]], weight=[weight], spectrum=[0],
        spectra=np.full((1, len(F)), spectrum, complex),
    )  # fmt: skip


def scene(n=12):
    """Return a disc, a sphere and uneven soil under rough ground."""
    rng = np.random.default_rng(seed=1)
    low, high = [-0.4, -0.4, 0.0], [0.4, 0.4, 0.26]
    disc = disc_facets(
        [0.05, 0.02, 0.24], diameter=0.1, frequency=F, soil=LOAM, layers=[(0.04, 2.8)],
        tilt=0.2, tilt_direction=1.0, spacing=0.03,
    )  # fmt: skip
    soil = volume_cells(
        rng.uniform(low, high, (n, 3)), contrast=rng.normal(size=n), volume=1e-5,
        frequency=F, soil=LOAM,
    )  # fmt: skip
    ball = sphere_body([-0.1, 0.1, 0.2], radius=0.01, frequency=F, soil=LOAM)
    return join_scatterers([disc, soil, ball])


TX = np.array([[-0.03, 0.0, 0.35], [-0.02, 0.05, 0.36]])
RX = np.array([[0.03, 0.01, 0.36], [0.04, 0.05, 0.34]])


# The fast sum against the slow one


@pytest.mark.parametrize("polarization", ["mean", "electric", "magnetic"])
@pytest.mark.parametrize(("exponent", "reach"), [(1.0, math.inf), (2.0, 0.3), (1.5, 0.5)])
def test_traces_match_the_formulas(polarization, exponent, reach):
    things = scene()
    share = {"mean": 0.5, "electric": 1.0, "magnetic": 0.0}[polarization]
    fast = record(
        TX, RX, things, surface=ROUGH, coupling=0.02, reach=reach,
        pattern=AntennaPattern(exponent=exponent, polarization=polarization),
    )  # fmt: skip
    for i in range(len(TX)):
        slow = naive_radar.trace(
            TX[i], RX[i], **BAND, permittivity=LOAM, surface=ROUGH, scatterers=things,
            coupling=0.02, q=exponent, share=share, reach=reach,
        )  # fmt: skip
        error = np.abs(fast[i] - slow).max() / np.abs(slow).max()
        assert error < 5e-4, error


def test_buried_echoes_match_the_formulas_without_what_hides_them():
    """The bounce is a hundred times stronger, so compare the differences too."""
    things = scene()
    fast = record(TX, RX, things, surface=ROUGH) - record(TX, RX, NONE, surface=ROUGH)
    for i in range(len(TX)):
        args = {**BAND, "permittivity": LOAM, "surface": ROUGH, "coupling": 0.0}
        slow = naive_radar.trace(TX[i], RX[i], scatterers=things, **args)
        slow -= naive_radar.trace(TX[i], RX[i], scatterers=NONE, **args)
        assert np.abs(fast[i] - slow).max() < 1e-3 * np.abs(slow).max()


# Rays


@pytest.mark.parametrize(
    ("height", "depth", "eps", "offset", "time", "entry"),
    [
        (0.05, 0.1, 4, 0.0, 1.66782047599, 0.0),
        (0.05, 0.1, 9, 0.2, 3.27047100562, 0.166315685857),
        (0.3, 0.05, 9, 0.4, 4.30056051881, 0.386354384463),
        (0.02, 0.02, 9, 0.6, 4.38240346842, 0.592933453234),
    ],
)
def test_travel_times(height, depth, eps, offset, time, entry):
    rays = trace_rays(height, depth, offset, index=math.sqrt(eps), n_steps=12)
    npt.assert_allclose(2e9 * rays.time, time, rtol=1e-11)
    npt.assert_allclose(rays.entry, entry, rtol=1e-6)
    exact = naive_radar.enter_ground(height, depth, np.array(offset), math.sqrt(eps))
    npt.assert_allclose(rays.entry, exact, rtol=1e-12)


def test_three_steps_are_enough():
    rng = np.random.default_rng(seed=2)
    h, z, rho = rng.uniform([0.02, 0.02, 0], [0.6, 0.5, 0.6], (300, 3)).T
    few = trace_rays(h, z, rho, index=3.0)
    exact = naive_radar.enter_ground(h, z, rho, 3.0)
    times = (np.hypot(h, exact) + 3 * np.hypot(z, rho - exact)) / C
    assert np.abs(2 * (few.time - times)).max() < 1e-12
    low = trace_rays(0.005, 0.02, 0.6, index=3.0)
    better = trace_rays(0.005, 0.02, 0.6, index=3.0, n_steps=12)
    assert abs(low.time - better.time) < 1e-15  # five steps, and no divergence


@pytest.mark.parametrize(
    ("angle", "tube"), [(0, 0.0833333333), (0.3, 0.0862531781), (0.8, 0.1149998045)]
)
def test_ray_tube(angle, tube):
    h, z, n = 0.05, 0.1, 3.0
    inside = math.asin(math.sin(angle) / n)
    rays = trace_rays(h, z, h * math.tan(angle) + z * math.tan(inside), index=n, n_steps=9)
    c1, c2 = math.cos(angle), math.cos(inside)
    common = 2 * math.sqrt(c1 * c2)
    npt.assert_allclose(common / (c1 + n * c2) / rays.electric, tube, rtol=1e-9)
    npt.assert_allclose(common / (n * c1 + c2) / rays.magnetic, tube, rtol=1e-9)


def test_ray_tube_is_the_area_that_a_bundle_covers():
    """Power per solid angle against power per area, by finite differences."""
    h, z, n, angle = 0.05, 0.1, 3.0, 0.6

    def offset(a):
        return h * math.tan(a) + z * math.tan(math.asin(math.sin(a) / n))

    d = 1e-5
    width = (offset(angle + d) - offset(angle - d)) / (2 * d)
    c1, c2 = math.cos(angle), math.cos(math.asin(math.sin(angle) / n))
    area = offset(angle) * width * c2 / math.sin(angle)
    rays = trace_rays(h, z, offset(angle), index=n, n_steps=9)
    # the flux through an interface keeps its power: c1 into the surface, c2 out of it
    npt.assert_allclose(
        (2 * c1 / (c1 + n * c2)) ** 2 * c2 / c1 / area, rays.electric**2, rtol=1e-8
    )


def test_geometry_factor():
    below = trace_rays(0.05, 0.1, 0.0, index=3.0)
    npt.assert_allclose(geometry_factor(below, below), 36.0, rtol=1e-9)
    # t12 t21 / (n L^2) with t12 t21 = 0.75
    npt.assert_allclose(geometry_factor(below, below), 0.75 / (3 * 0.0833333333**2), rtol=1e-8)
    aside = trace_rays(0.05, 0.1, 0.3, index=3.0)
    te = geometry_factor(aside, below, polarization="electric")
    tm = geometry_factor(aside, below, polarization="magnetic")
    npt.assert_allclose(geometry_factor(aside, below), (te + tm) / 2)
    npt.assert_allclose(
        geometry_factor(aside, below, pattern_exponent=2.0),
        geometry_factor(aside, below, pattern_exponent=1.0) * aside.cosine,
    )
    grazing = trace_rays(0.02, 0.02, 0.6, index=3.0)
    assert geometry_factor(grazing, grazing) == 0  # 40 dB below the main lobe


@given(st.floats(0.01, 1), st.floats(0.01, 1), st.floats(0, 1), st.floats(1, 6))
def test_rays_obey_fermat(h, z, rho, n):
    """No other entry point is quicker."""
    rays = trace_rays(h, z, rho, index=n, n_steps=8)
    for x in np.linspace(0, rho, 9):
        assert rays.time <= (math.hypot(h, x) + n * math.hypot(z, rho - x)) / C * (1 + 1e-9)


# Scattering lengths


def test_reflection_of_a_layer():
    npt.assert_allclose(
        layered_reflection([1e9], [9, 3.5, 9], [0.05]), 0.387319849 - 0.142842809j, atol=1e-9
    )
    f = np.linspace(0.4e9, 1.8e9, 1401)
    size = np.abs(layered_reflection(f, [9, 3.5, 9], [0.05]))
    n = math.sqrt(3.5)
    r, spacing = (3 - n) / (3 + n), 2 * n * 0.05 / C
    npt.assert_allclose(spacing, 0.624041e-9, rtol=1e-6)
    npt.assert_allclose(f[size.argmax()], 0.801e9)
    npt.assert_allclose(size.max(), 0.44, atol=1e-3)
    npt.assert_allclose(f[size.argmin()], 1.602e9)
    npt.assert_allclose([r, -(1 - r**2) * r], [0.231823244, -0.219365], atol=1e-6)
    p = np.exp(-2j * math.pi * f * spacing)
    echoes = sum(-(1 - r**2) * r ** (2 * m - 1) * p**m for m in range(1, 12))
    npt.assert_allclose(layered_reflection(f, [9, 3.5, 9], [0.05]), r + echoes, atol=1e-12)


def test_two_layers_of_one_kind_are_one():
    loss = 3.5 - 0.2j
    whole = layered_reflection(F, [LOAM, loss, 6.0], [0.05])
    npt.assert_allclose(layered_reflection(F, [LOAM, loss, loss, 6.0], [0.02, 0.03]), whole)
    assert (layered_reflection(F, [LOAM, np.inf], []) == -1).all()
    plate = layered_reflection(F, [9.0, 9.0, np.inf], [0.1])
    npt.assert_allclose(plate, -np.exp(-2j * wavenumber(F, 9.0) * 0.1))


def test_a_thin_weak_slab_is_the_same_by_born_and_by_reflection():
    thickness, contrast = 1e-3, 0.02
    by_face = rectangle_facets(
        [0, 0, -0.1], length=0.3, width=0.3, frequency=F[:16], soil=9.0,
        layers=[(thickness, 9.0 * (1 + contrast))],
    ).spectra[0]  # fmt: skip
    by_volume = volume_cell(F[:16], soil=9.0) * contrast * thickness
    # the face is at the top of the slab, the cell in its middle
    shift = np.exp(-1j * wavenumber(F[:16], 9.0) * thickness)
    npt.assert_allclose(by_face, by_volume * shift, rtol=0.05)
    npt.assert_allclose(np.abs(by_face), np.abs(by_volume), rtol=0.02)


@pytest.mark.parametrize(("distance", "size"), [(0.1, 0.08578), (0.2, 0.12780), (0.5, 0.14440)])
def test_a_disc_is_weaker_near_by(distance, size):
    """On its axis in one medium; far away it is k a^2 / 2."""
    f = np.array([1.5e9])
    disc = disc_facets(
        [0, 0, -distance], diameter=0.112, frequency=f, soil=9.0, below=np.inf, spacing=1e-3
    )
    r = np.linalg.norm(disc.position, axis=1)
    k = wavenumber(f, 9.0)[0]
    field = (disc.weight * distance / r * np.exp(-2j * k * r) / r**2).sum() * disc.spectra[0, 0]
    npt.assert_allclose(abs(field) * distance**2, size, rtol=2e-3)
    npt.assert_allclose(k.real * 0.056**2 / 2, 0.14788, rtol=1e-4)


@pytest.mark.parametrize("n", [1.0, 3.0])
def test_an_infinite_plane_of_facets_is_a_mirror(n):
    """R e^(-2ikz)/(2z) in one medium, R t12 t21/(2(h + z/n)) below an interface."""
    f = np.array([6e9])
    h, z, step = 0.5, 0.5, 0.004
    k0, k = 2 * math.pi * f[0] / C, n * 2 * math.pi * f[0] / C
    rho = np.arange(step / 2, 2.4, step)  # rings
    rays = trace_rays(h, z, rho, index=n, n_steps=6)
    cosine = z / rays.soil
    taper = np.cos(math.pi / 2 * np.clip((rho - 1.2) / 1.2, 0, 1)) ** 2
    facets = 1j * k / (2 * math.pi) * cosine * 2 * math.pi * rho * step * taper
    phase = np.exp(-2j * (k0 * rays.air + k * rays.soil))
    total = (geometry_factor(rays, rays, pattern_exponent=0) * facets * phase).sum()
    expected = 4 * n / (1 + n) ** 2 / (2 * (h + z / n)) * np.exp(-2j * (k0 * h + k * z))
    assert abs(total / expected - 1) < 1.1 / (k0 * (h + z))


# The sign rule


def test_first_arrivals_turn_over_as_the_rule_says():
    above = [0, 0, 0.3]
    sizes = {}
    for name, eps in (("air", 1.0), ("dense", 40.0), ("metal", np.inf)):
        plate = rectangle_facets(
            [0, 0, -0.1], length=0.3, width=0.3, frequency=F, soil=9.0, below=eps, spacing=0.03
        )
        trace = record(above, above, plate, 9.0, **BURIED_ONLY)[0]
        sizes[name] = trace[round((2 * (0.3 + 3 * 0.1) / C + 1 / 1.5e9) / BAND["interval"])]
    assert sizes["air"] > 0 > sizes["dense"] > sizes["metal"]
    small = {"radius": 0.003, "soil": 9.0}
    assert (sphere_length(F, **small, permittivity=2.0).real < 0).all()
    assert (sphere_length(F, **small, permittivity=20.0).real > 0).all()
    assert (sphere_length(F, **small).real > 0).all()  # metal like dense
    npt.assert_allclose(sphere_length(F, **small, permittivity=9.0), 0, atol=1e-15)


# Whole traces


def test_a_flat_surface_bounces_as_a_mirror():
    """At 2 h / c with amplitude r / (2 h), to the order of 1 / (k h)."""
    h = 0.3
    trace = record([0, 0, h], [0, 0, h], NONE, 9.0, pattern=FLAT_PATTERN)[0]
    time = np.arange(BAND["n_samples"]) * BAND["interval"] - 1 / 1.5e9 - 2 * h / C
    x = (math.pi * 1.5e9 * time) ** 2
    expected = (1 - 3) / (1 + 3) / (2 * h) * (1 - 2 * x) * np.exp(-x)
    npt.assert_allclose(trace, expected, atol=0.12 * np.abs(expected).max())
    assert trace.argmin() == expected.argmin()


def test_the_direct_wave_arrives_first():
    tx, rx = [-0.15, 0, 0.4], [0.15, 0, 0.4]
    trace = record(tx, rx, NONE, coupling=0.1, **BURIED_ONLY)[0]
    time = np.arange(BAND["n_samples"]) * BAND["interval"] - 1 / 1.5e9 - 0.3 / C
    x = (math.pi * 1.5e9 * time) ** 2
    npt.assert_allclose(trace, 0.1 / 0.3 * (1 - 2 * x) * np.exp(-x), atol=2e-3 * 0.1 / 0.3)
    late = record(tx, rx, NONE, coupling=[0.2], time_zero=[2e-9], **BURIED_ONLY)[0]
    assert late.argmax() == round((2e-9 + 0.3 / C) / BAND["interval"])
    npt.assert_allclose(late.max(), 0.2 / 0.3, rtol=0.05)


def test_an_echo_comes_at_its_time_with_its_size():
    """What the near field of both legs is divided out of returns the pulse as it was."""
    h, z = 0.1, 0.15
    ratio = near_field_ratio(F, h, z, permittivity=9.0)
    thing = point([0, 0, -z], 0.01 / ratio**2)
    trace = record([0, 0, h], [0, 0, h], thing, 9.0, **BURIED_ONLY)[0]
    delay = 2 * (h + 3 * z) / C + 1 / 1.5e9
    x = (math.pi * 1.5e9 * (np.arange(72) * BAND["interval"] - delay)) ** 2
    size = 0.01 * 4 / (4 * (h + z / 3)) ** 2
    npt.assert_allclose(trace, size * (1 - 2 * x) * np.exp(-x), atol=2e-3 * size)
    plain = record([0, 0, h], [0, 0, h], point([0, 0, -z], 0.01), 9.0, **BURIED_ONLY)[0]
    assert 0.01 * size < np.abs(plain - trace).max() < 0.4 * size


def test_losses_weaken_and_deeper_is_later_and_weaker():
    tx = [0, 0, 0.1]
    clean = record(tx, tx, point([0, 0, -0.1]), 9.0, **BURIED_ONLY)[0]
    lossy = record(tx, tx, point([0, 0, -0.1]), 9.0 - 0.5j, **BURIED_ONLY)[0]
    deep = record(tx, tx, point([0, 0, -0.2]), 9.0, **BURIED_ONLY)[0]
    ratio = np.abs(lossy).max() / np.abs(clean).max()
    one_way = -wavenumber(1.5e9, 9.0 - 0.5j).imag
    npt.assert_allclose(ratio, math.exp(-2 * one_way * 0.1), rtol=0.1)
    npt.assert_allclose(
        (deep.argmax() - clean.argmax()) * BAND["interval"], 2 * 3 * 0.1 / C, atol=1e-10
    )
    assert np.abs(deep).max() < np.abs(clean).max()


def test_transmitter_and_receiver_may_be_swapped():
    there = record(TX, RX, scene(), surface=ROUGH, coupling=0.1)
    back = record(RX, TX, scene(), surface=ROUGH, coupling=0.1)
    npt.assert_allclose(there, back, atol=2e-6 * np.abs(there).max())


def test_echoes_add_up():
    first, second = point([0.05, 0, -0.1]), point([0.2, 0.1, -0.2], 0.5j)
    tx = [0, 0, 0.1]
    both = record(tx, tx, join_scatterers([first, second]), **BURIED_ONLY)
    apart = record(tx, tx, first, **BURIED_ONLY) + record(tx, tx, second, **BURIED_ONLY)
    empty = record(tx, tx, NONE, **BURIED_ONLY)
    npt.assert_allclose(both, apart - empty, atol=1e-5 * np.abs(both).max())
    twice = record(tx, tx, point([0.05, 0, -0.1], weight=2.0), **BURIED_ONLY)
    npt.assert_allclose(
        twice - empty,
        2 * (record(tx, tx, first, **BURIED_ONLY) - empty),
        atol=1e-5 * twice.max(),
    )


def test_a_trace_does_not_know_its_neighbours():
    things = scene()
    tx = np.array([[x, 0.0, 0.35 + 0.01 * x] for x in (-0.1, 0.0, 0.02, 0.1)])
    rx = tx + np.array([0.04, 0, 0])
    for reach in (0.25, math.inf):
        whole = record(tx, rx, things, surface=ROUGH, coupling=0.1, reach=reach)
        for i in range(len(tx)):
            alone = record(tx[i], rx[i], things, surface=ROUGH, coupling=0.1, reach=reach)
            assert alone.tobytes() == whole[i : i + 1].tobytes()


def test_the_order_of_scatterers_and_far_ones_do_not_matter():
    things = scene()
    far = join_scatterers([point([0.45, 0.45, 0.1]), things, point([-0.45, 0.45, 0.1])])
    near = record(TX, RX, things, surface=ROUGH, reach=0.4)
    npt.assert_allclose(
        record(TX, RX, far, surface=ROUGH, reach=0.4), near, atol=1e-5 * np.abs(near).max()
    )


def test_scatterers_fade_before_they_vanish():
    """Within 0.8 of the reach nothing changes, at its end nothing is left."""
    tx = [0, 0, 0.1]
    sizes = []
    for x in (0.15, 0.18, 0.199, 0.201):
        thing = point([x, 0, -0.1])
        limited = record(tx, tx, thing, reach=0.2, **BURIED_ONLY)
        endless = record(tx, tx, thing, **BURIED_ONLY)
        sizes.append(np.abs(limited).max() / np.abs(endless).max())
    npt.assert_allclose(sizes, [1, 0.5, math.sin(math.pi / 80) ** 2, 0], atol=1e-4)


def test_late_echoes_do_not_wrap_round():
    """Deeper and deeper, an echo leaves the trace at its end and never comes back."""
    tx = [0, 0, 0.1]
    window = BAND["n_samples"] * BAND["interval"]
    for delay in np.arange(4.5e-9, 18e-9, 0.35e-9):
        depth = (C * delay / 2 - 0.1) / 3
        trace = record(tx, tx, point([0, 0, -depth]), 9.0, **BURIED_ONLY)[0]
        size = 4 / (4 * (0.1 + depth / 3)) ** 2
        start = int((delay + 1 / 1.5e9 - 1.25 / 1.5e9) / BAND["interval"])
        # the near field is strongest where the band ends, below: a faint ripple
        assert np.abs(trace[: max(0, min(start, 72))]).max() < 5e-3 * size
        if delay > window + 0.25 / 1.5e9:
            assert (trace == 0).all()
    high = radar_traces(
        [[0, 0, 1.5]], [[0, 0, 1.5]], **BAND, permittivity=9.0, surface=FLAT,
        scatterers=NONE, coupling=0.0, surface_radius=0.2,
    )  # fmt: skip
    assert (high == 0).all()  # its bounce comes after 10 ns


def test_a_disc_makes_a_hyperbola():
    disc = disc_facets(
        [0, 0, -0.1], diameter=0.06, frequency=F, soil=9.0, layers=[(0.04, 2.8)], spacing=0.02
    )
    x = np.array([0.0, 0.1, 0.2])
    antennas = np.column_stack([x, 0 * x, 0 * x + 0.1])
    traces = record(antennas, antennas, disc, 9.0, **BURIED_ONLY)
    assert (np.diff(np.abs(traces).max(axis=1)) < 0).all()
    arrivals = [np.argmax(np.abs(t) > 0.2 * np.abs(t).max()) for t in traces]
    expected = 2 * trace_rays(0.1, 0.1, x - 0.03 * (x > 0), index=3.0).time
    npt.assert_allclose(np.diff(arrivals) * BAND["interval"], np.diff(expected), atol=1.6e-10)


def test_a_tilted_facet_answers_its_own_side():
    tilted = disc_facets(
        [0, 0, -0.1], diameter=0.12, frequency=F, soil=9.0, below=np.inf, tilt=0.3,
        tilt_direction=math.pi / 2, spacing=0.02,
    )  # fmt: skip
    npt.assert_allclose(tilted.normal[0], [math.sin(0.3), 0, math.cos(0.3)], atol=1e-12)
    offsets = (tilted.position - [0, 0, -0.1]) @ tilted.normal[0]
    npt.assert_allclose(offsets, 0, atol=1e-12)  # all in the tilted plane
    antennas = np.array([[-0.15, 0, 0.1], [0.15, 0, 0.1]])
    west, east = np.abs(record(antennas, antennas, tilted, 9.0, **BURIED_ONLY)).max(axis=1)
    assert east > 2 * west


def test_discs_and_rectangles_have_their_area_and_size():
    disc = disc_facets([1, 2, -0.1], diameter=0.1, frequency=F, soil=9.0, spacing=0.01)
    npt.assert_allclose(disc.weight.sum(), math.pi * 0.05**2)
    npt.assert_allclose(disc.position.mean(axis=0), [1, 2, -0.1], atol=1e-3)
    assert np.hypot(*(disc.position - [1, 2, -0.1])[:, :2].T).max() < 0.05
    one = disc_facets([0, 0, -0.1], diameter=0.01, frequency=F, soil=9.0, spacing=0.04)
    assert len(one) == 1
    box = rectangle_facets(
        [0, 0, -0.1], length=0.2, width=0.1, heading=math.pi / 2, frequency=F, soil=9.0
    )
    npt.assert_allclose(box.weight.sum(), 0.02)
    assert np.ptp(box.position[:, 0]) > 0.17
    assert np.ptp(box.position[:, 1]) < 0.1


# The pulse


def test_ricker_pulse():
    peak = ricker_spectrum(1e9, peak=1e9)
    for factor, level in ((0.482, 6.02), (1.637, 6.02), (0.365, 10), (1.834, 10)):
        drop = -20 * np.log10(ricker_spectrum(factor * 1e9, peak=1e9) / peak)
        npt.assert_allclose(drop, level, atol=0.03)
    f = np.arange(1, 800) * 1e7
    npt.assert_allclose(2 * 1e7 * ricker_spectrum(f, peak=1e9).sum(), 1, rtol=1e-6)  # w(0)


def test_frequencies_leave_room_for_the_pulse():
    assert 1 / F[0] >= BAND["n_samples"] * BAND["interval"] + 2.5 / 1.5e9 - 1e-15
    npt.assert_allclose(np.diff(F), F[0])
    assert F[-1] <= 4.5e9 < F[-1] + F[0]
    coarse = radar_frequencies(n_samples=72, interval=160e-12, peak_frequency=1.5e9)
    assert coarse[-1] <= 0.5 / 160e-12
    npt.assert_allclose(bounce_radius(0.05, peak_frequency=1.5e9), 0.35098, rtol=1e-4)


# Bad input


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"transmitter": [[0, 0, -0.01]]}, r"transmitter 0, 0.01 m below the surface"),
        ({"receiver": [[0, 0]]}, "Invalid receiver with shape"),
        ({"interval": 200e-12}, "Must be at most a quarter of the period"),
        ({"permittivity": 0.5}, "real part not less than that of air"),
        ({"permittivity": 4 + 1j}, "imaginary part zero or negative"),
        ({"permittivity": [9.0, 9.0]}, r"permittivity with shape \(2,\)"),
        ({"scatterers": no_scatterers(3)}, "spectra at 3 frequencies"),
        ({"scatterers": point([0, 0, 0.01])}, "1 of 1 do not lie below the surface"),
        ({"scatterers": point([2, 0, -0.1])}, "1 lie beside the surface"),
        ({"reach": 0.0}, "Invalid reach '0.0'"),
        ({"coupling": 0.1}, "Invalid receiver at the place of its transmitter"),
        ({"time_zero": -1e-9}, "Must be from 0 up to the end of the trace"),
        ({"surface_radius": 0.01}, "Must be 0, or at least two steps"),
        ({"pulse": np.ones(3)}, "Must be numbers at the"),
        ({"pulse": np.full(len(F), np.nan)}, "Invalid pulse with NaN"),
        ({"transmitter": [[1.5, 0, 0.1]]}, "around trace 0"),
        (
            {"surface": Surface(origin=[-1, -1], step=0.05, heights=np.zeros((41, 41)))},
            "at most half the shortest wavelength",
        ),
    ],
)
def test_radar_traces_refuses(options, message):
    default = {
        "transmitter": [[0, 0, 0.1]], "receiver": [[0, 0, 0.1]], **BAND, "permittivity": 9.0,
        "surface": FLAT, "scatterers": NONE, "coupling": 0.0,
    }  # fmt: skip
    settings = {**default, **options}
    with pytest.raises(ValueError, match=message):
        radar_traces(settings.pop("transmitter"), settings.pop("receiver"), **settings)


def test_antennas_around_a_hill_are_refused():
    """Both are above the ground; the middle between them, where it bounces, is not."""
    heights = np.zeros((41, 41))
    heights[20, 20] = 0.2
    hill = Surface(origin=[-0.4, -0.4], step=0.02, heights=heights)
    settings = {**BAND, "permittivity": 9.0, "surface": hill, "scatterers": NONE}
    with pytest.raises(ValueError, match="trace 0"):
        radar_traces([[-0.1, 0, 0.1]], [[0.1, 0, 0.1]], coupling=0.0, **settings)


def test_pulses_and_bounces_are_of_numbers():
    """NaN does not go in, nor a height below ground."""
    with pytest.raises(ValueError, match="Invalid frequency"):
        ricker_spectrum(np.nan, peak=1e9)
    with pytest.raises(ValueError, match="Invalid height"):
        bounce_radius(-0.1, peak_frequency=1e9)


def test_permittivity_may_be_a_function():
    def soil(frequency):
        return 6 - 3e8j / frequency

    tx = [0, 0, 0.1]
    called = record(tx, tx, point([0, 0, -0.1]), soil, **BURIED_ONLY)
    listed = record(tx, tx, point([0, 0, -0.1]), soil(F), **BURIED_ONLY)
    npt.assert_array_equal(called, listed)


def test_no_traces_are_fine():
    empty = np.empty((0, 3))
    traces = radar_traces(
        empty, empty, **BAND, permittivity=9.0, surface=ROUGH, scatterers=scene(), coupling=0.0
    )
    assert traces.shape == (0, 72)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Surface(origin=[0, 0], step=1, heights=[[1.0, 2.0]]), ValueError, "at least"),
        (lambda: join_scatterers([]), ValueError, "one or more"),
        (lambda: join_scatterers([NONE, no_scatterers(2)]), ValueError, "all with as many"),
        (lambda: layered_reflection([1e9], [9.0], []), ValueError, "two fewer"),
        (lambda: layered_reflection([1e9], [9.0, 4.0], [0.1]), ValueError, "two fewer"),
        (lambda: trace_rays(-1, 1, 1, index=2), ValueError, "Invalid height"),
        (lambda: trace_rays(1, 1, -1, index=2), ValueError, "Invalid offset"),
        (lambda: trace_rays(1, [1, 1], [1, 1, 1], index=2), ValueError, "broadcast"),
        (lambda: trace_rays(1, 1, 1, index=0.5), ValueError, "Invalid index"),
        (
            lambda: disc_facets([0, 0, 0], diameter=1, frequency=F, soil=9.0, tilt=2.0),
            ValueError,
            "Invalid tilt",
        ),
        (
            lambda: Scatterers(
                position=[[0, 0, 0]], normal=[[0, 0, 2]], weight=[1], spectrum=[0],
                spectra=[[1]],
            ),
            ValueError,
            "normal of length 2",
        ),
        (
            lambda: Scatterers(
                position=[[0, 0, 0]], normal=[[0, 0, 1]], weight=[1], spectrum=[1],
                spectra=[[1]],
            ),
            ValueError,
            "Must index the 1 spectra",
        ),
        (
            lambda: Scatterers(
                position=[[0, 0, 0]], normal=[[0, 0, 1]], weight=[1], spectrum=[0.0],
                spectra=[[1]],
            ),
            TypeError,
            "whole numbers",
        ),
        (
            lambda: Scatterers(
                position=[[0, 0, 0]], normal=[[0, 0, 1]], weight=[1], spectrum=[0],
                spectra=[[np.nan]],
            ),
            ValueError,
            "Invalid spectra",
        ),
    ],
)  # fmt: skip
def test_records_refuse(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_antennas_beside_everything_buried_hear_none_of_it():
    """Within and beyond the cells that sort what is buried, on every side of them."""
    things = scene()
    for place in ([0.8, 0, 0.35], [0, 0.8, 0.35], [-0.8, 0, 0.35], [0, -0.8, 0.35]):
        ground = Surface(origin=[-1.2, -1.2], step=0.033, heights=np.full((74, 74), 0.3))
        heard = record(place, place, things, surface=ground, reach=0.2, **BURIED_ONLY)
        assert not heard.any()


def test_long_traces_and_echoes_at_their_end_match_the_formulas():
    """More frequencies than two blocks hold, and an echo that the end of the trace cuts."""
    band = BAND | {"n_samples": 200}
    n_freq = len(radar_frequencies(**band))
    assert n_freq > 64
    tx, rx = np.array([0, 0, 0.1]), np.array([0.05, 0, 0.1])
    for late in (-5e-9, 0.3e-9):
        depth = (C * (200 * 100e-12 - 1 / 1.5e9 + late) / 2 - 0.1) / 3
        thing = Scatterers(
            position=[[0, 0, -depth]], normal=[[0, 0, 0]], weight=[1.0], spectrum=[0],
            spectra=np.ones((1, n_freq)),
        )  # fmt: skip
        settings = {**band, "permittivity": 9.0, "surface": FLAT, "coupling": 0.0}
        fast, none = (
            radar_traces([tx], [rx], **settings, scatterers=things)[0]
            for things in (thing, no_scatterers(n_freq))
        )
        slow = naive_radar.trace(tx, rx, scatterers=thing, **settings)
        slow -= naive_radar.trace(tx, rx, scatterers=no_scatterers(n_freq), **settings)
        assert np.abs(slow).max() > 0.01
        assert np.abs(fast - none - slow).max() < 1e-3 * np.abs(slow).max()


def test_what_comes_late_faces_away_or_lies_aside_is_not_heard():
    tx = [0, 0, 0.3]
    late = record(tx, tx, point([0, 0, -0.1]), time_zero=6.5e-9)
    assert not late.any()  # a bounce of 2 ns in a trace of 7.2 ns does not wrap either
    down = Scatterers(
        position=[[0, 0, -0.1]], normal=[[0, 0, -1]], weight=[1.0], spectrum=[0],
        spectra=np.ones((1, len(F))),
    )  # fmt: skip
    assert not record(tx, tx, down, **BURIED_ONLY).any()
    low = [0, 0, 0.02]
    assert not record(low, low, point([0.5, 0, -0.02]), **BURIED_ONLY).any()
    assert record(low, low, point([0.1, 0, -0.02]), **BURIED_ONLY).any()
