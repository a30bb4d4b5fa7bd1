"""Test relaxation lists of bodies against closed forms, limits and published numbers."""

import csv
import math
import re

import naive_emi
import numpy as np
import numpy.testing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ive

from minesense.physics import (
    Absence,
    Relaxation,
    combine_axes,
    ring_relaxation,
    sphere_polarizability,
    sphere_poles,
    sphere_relaxation,
    void_relaxation,
)

ALUMINIUM = {"radius": 0.005, "conductivity": 3.5e7, "permeability": 1.0}
STEEL = {"radius": 0.005, "conductivity": 4e6, "permeability": 100.0}
OTHERS = {
    "large aluminium": {**ALUMINIUM, "radius": 0.0127},
    "weakly magnetic": {"radius": 0.01, "conductivity": 5.96e6, "permeability": 1.5},
    "strongly magnetic": {"radius": 0.1, "conductivity": 2e6, "permeability": 1000.0},
}
SPHERES = {"aluminium": ALUMINIUM, "steel": STEEL, **OTHERS}
every_sphere = pytest.mark.parametrize("sphere", SPHERES.values(), ids=SPHERES)


def static(radius, permeability, **_):
    """Return the moment of a sphere in a field that does not change."""
    return 4 * math.pi * radius**3 * (permeability - 1) / (permeability + 2)


def exact_list(n_poles=400, **sphere):
    """Return a list of true modes alone; the rest act at once."""
    amplitudes, taus = sphere_poles(n_poles, **sphere)
    one = np.eye(3)
    return Relaxation(
        instantaneous=(static(**sphere) - amplitudes.sum()) * one,
        amplitudes=amplitudes[:, None, None] * one,
        taus=taus,
    )


def read_rows(path):
    """Return the rows of a table as words, without the header."""
    with path.open(newline="") as file:
        return list(csv.reader(file))[1:]


@pytest.mark.parametrize(
    ("sphere", "frequency", "expected"),
    [
        (ALUMINIUM, 20e3, -6.43661482875e-7 - 1.24684338074e-7j),
        (ALUMINIUM, 2.4e3, -3.72700313017e-7 - 2.67994654373e-7j),
        (STEEL, 20e3, 9.69396275622e-7 - 3.84617587758e-7j),
        (
            OTHERS["weakly magnetic"],
            10**4.025 / (2 * math.pi),
            -7.965777951e-7 - 2.736402358e-6j,
        ),
    ],
)
def test_sphere_in_frequency_has_known_values(sphere, frequency, expected):
    npt.assert_allclose(sphere_polarizability(frequency, **sphere), expected, rtol=1e-9)


@pytest.mark.parametrize(
    ("sphere", "root", "tau", "moment", "rate"),
    [
        (ALUMINIUM, math.pi, 111.408460164e-6, 4.69686723454e-7, -6.82135742715e-3),
        (STEEL, 4.44894636769, 634.885667994e-6, 2.78113772603e-7, -7.62149266805e-3),
    ],
)
def test_sphere_in_time_has_known_values(sphere, root, tau, moment, rate):
    _, taus = sphere_poles(1, **sphere)
    npt.assert_allclose(taus[0], tau, rtol=1e-9)
    scale = naive_emi.MU_0 * sphere["permeability"] * sphere["conductivity"] * 0.005**2
    npt.assert_allclose(math.sqrt(scale / taus[0]), root, rtol=1e-9)
    modes = exact_list(**sphere)
    npt.assert_allclose(modes.decay(20e-6), moment * np.eye(3), rtol=1e-9)
    npt.assert_allclose(modes.decay_rate(20e-6), rate * np.eye(3), rtol=1e-9)


def test_sphere_tables_in_frequency_agree(test_data):
    rows = read_rows(test_data / "emi/reference/sphere_fd.csv")
    assert len(rows) == 52
    for _, *words in rows:
        a, sigma, mr, frequency, real, imag = map(float, words)
        sphere = {"radius": a, "conductivity": sigma, "permeability": mr}
        moment = complex(sphere_polarizability(frequency, **sphere))
        npt.assert_allclose(moment.real, real, rtol=1e-9)
        npt.assert_allclose(moment.imag, imag, rtol=1e-9)
        listed = sphere_relaxation(**sphere).polarizability(frequency)[0, 0]
        if frequency >= 10:  # below, M of a non-magnetic sphere is far under M0 - Minf
            assert abs(listed / complex(real, imag) - 1) < 2e-5


def test_sphere_tables_in_time_agree(test_data):
    rows = read_rows(test_data / "emi/reference/sphere_td.csv")
    assert len(rows) == 40
    for _, *words in rows:
        a, sigma, mr, time, moment, rate = map(float, words)
        sphere = {"radius": a, "conductivity": sigma, "permeability": mr}
        modes, listed = exact_list(**sphere), sphere_relaxation(**sphere)
        npt.assert_allclose(modes.decay(time)[0, 0], moment, rtol=1e-9)
        npt.assert_allclose(modes.decay_rate(time)[0, 0], rate, rtol=1e-9)
        npt.assert_allclose(listed.decay(time)[0, 0], moment, rtol=1e-5)
        npt.assert_allclose(listed.decay_rate(time)[0, 0], rate, rtol=1e-5)


def test_published_tensors_of_a_sphere_agree(test_data):
    """The finite-element tensors of an open library; its time factor is the conjugate."""
    folder = test_data / "emi/mpt_library/sphere_10mm"
    omega = np.array((folder / "Frequencies.csv").read_text().split(), float)
    text = (folder / "Tensors.csv").read_text().splitlines()
    cells = [re.sub(r"[() ]", "", line).replace("+-", "-").split(",") for line in text if line]
    moment = np.array([[complex(cell) for cell in row] for row in cells]).conj()
    moment = moment.reshape(-1, 3, 3)[omega < 1e6]
    frequency = omega[omega < 1e6] / (2 * math.pi)
    ours = sphere_relaxation(**OTHERS["weakly magnetic"]).polarizability(frequency)
    error = np.abs(ours - moment).max(axis=(1, 2)) / np.abs(moment).max(axis=(1, 2))
    assert np.median(error) < 1e-5
    assert error.max() < 5e-4


@every_sphere
def test_sphere_agrees_with_the_boundary_value_solution(sphere):
    a, sigma, mr = sphere.values()
    scale = 2 * math.pi * naive_emi.MU_0 * mr * sigma * a * a
    frequency = np.geomspace(0.5, 20, 60) ** 2 / scale  # on both sides of |q| = 1
    expected = naive_emi.sphere_polarizability(frequency, a, sigma, mr)
    npt.assert_allclose(sphere_polarizability(frequency, **sphere), expected, rtol=3e-11)


@every_sphere
def test_sphere_has_the_limits_of_theory(sphere):
    """Static, then shielded; the imaginary part never positive and linear at first."""
    a, mr = sphere["radius"], sphere["permeability"]
    assert sphere_polarizability(0.0, **sphere) == pytest.approx(static(**sphere), rel=1e-15)
    far = sphere_polarizability(1e16, **sphere)
    npt.assert_allclose(far, -2 * math.pi * a**3, rtol=1e-3)
    assert np.isfinite(sphere_polarizability([1e-30, 1e30], **sphere)).all()
    assert (sphere_polarizability(np.geomspace(1e-3, 1e9, 50), **sphere).imag < 0).all()
    low = sphere_polarizability([1e-6, 2e-6], **sphere)
    npt.assert_allclose(low[1].imag / low[0].imag, 2, rtol=1e-9)
    amplitudes, taus = sphere_poles(20_000, **sphere)
    total = 6 * math.pi * a**3 * mr / (mr + 2)
    npt.assert_allclose(amplitudes.sum(), total, rtol=0.02)
    npt.assert_allclose(static(**sphere) - total, -2 * math.pi * a**3, rtol=1e-12)
    assert (np.diff(taus) < 0).all()


@every_sphere
def test_one_list_serves_frequency_and_time(sphere):
    modes, listed = exact_list(2000, **sphere), sphere_relaxation(**sphere)
    slowest = modes.taus[0]
    frequency = np.geomspace(1e-3, 1e6, 333) / (2 * math.pi * slowest)
    error = listed.polarizability(frequency)[:, 0, 0] / sphere_polarizability(
        frequency, **sphere
    )
    assert np.abs(error - 1).max() < 1e-5
    time = np.geomspace(1e-5, 14, 333) * slowest
    npt.assert_allclose(listed.decay(time), modes.decay(time), rtol=1e-5)
    npt.assert_allclose(listed.decay_rate(time), modes.decay_rate(time), rtol=1e-5)
    npt.assert_allclose(listed.polarizability(0.0), static(**sphere) * np.eye(3), atol=1e-18)
    assert (listed.amplitudes[:, 0, 0] > 0).all()
    assert len(listed) < 50


def test_decay_fits_the_spectrum_and_its_own_rate():
    """Kramers and Kronig: L(0) = -(2 / pi) int M'' / w dw; and dL/dt by differences."""
    body = sphere_relaxation(**STEEL)
    omega = np.geomspace(1e-2, 1e12, 60_001)
    lossy = -body.polarizability(omega / (2 * math.pi))[:, 0, 0].imag
    total = 2 / math.pi * np.trapezoid(lossy, np.log(omega))
    npt.assert_allclose(total, body.decay(0.0)[0, 0], rtol=1e-3)
    step = 1e-9
    slope = (body.decay(1e-5 + step) - body.decay(1e-5 - step)) / (2 * step)
    npt.assert_allclose(slope, body.decay_rate(1e-5), rtol=1e-7)


def test_ring_opposes_the_field_along_its_normal():
    ring = ring_relaxation(radius=0.01, wire_radius=0.001, conductivity=3.5e7, normal=[0, 3, 4])
    inductance = naive_emi.MU_0 * 0.01 * (math.log(80) - 2)
    normal = np.array([0, 0.6, 0.8])
    area = math.pi * 1e-4
    amplitude = naive_emi.MU_0 * area**2 / inductance
    # what sixty terms and minus their sum leave by rounding
    npt.assert_allclose(ring.polarizability(0.0), 0, atol=4e-16 * amplitude)
    npt.assert_allclose(ring.instantaneous @ normal, -amplitude * normal, rtol=1e-12)
    npt.assert_allclose(ring.instantaneous, -ring.amplitudes.sum(axis=0), rtol=1e-12)
    npt.assert_allclose(ring.instantaneous @ [1, 0, 0], 0, atol=1e-22)


RINGS = {"radius": 0.055, "wire_radius": 0.00075, "conductivity": 4e6, "normal": [0, 0, 1]}


def ring_moment(omega, permeability, *, radius, wire_radius, conductivity, **_):
    """Return M of a thin ring: outer inductance and the Bessel impedance of its wire."""
    q = np.sqrt(1j * omega * naive_emi.MU_0 * permeability * conductivity) * wire_radius
    inner = q * ive(0, q) / ive(1, q) / (conductivity * wire_radius**2) * radius
    outer = naive_emi.MU_0 * radius * (math.log(8 * radius / wire_radius) - 2)
    area = math.pi * radius**2
    return -1j * omega * naive_emi.MU_0 * area**2 / (1j * omega * outer + inner)


@pytest.mark.parametrize("permeability", [1.0, 5.0, 100.0, 1000.0])
def test_ring_has_the_internal_impedance_of_its_wire(permeability):
    ring = ring_relaxation(**RINGS, permeability=permeability)
    slowest = ring.taus.max()
    omega = np.geomspace(1e-4, 1e5, 91) / slowest
    expected = ring_moment(omega, permeability, **RINGS)
    found = ring.polarizability(omega / (2 * math.pi))[:, 2, 2]
    assert np.abs(found / expected - 1).max() < 2e-3
    assert np.abs(found / expected - 1)[:50].max() < 1e-3
    # weak currents: the resistance of the wire, length over conductivity and section
    resistance = 2 * RINGS["radius"] / (4e6 * RINGS["wire_radius"] ** 2)
    area = math.pi * RINGS["radius"] ** 2
    npt.assert_allclose(
        (ring.amplitudes[:, 2, 2] * ring.taus).sum(),
        naive_emi.MU_0 * area**2 / resistance,
        rtol=1e-6,
    )
    npt.assert_allclose(ring.polarizability(0.0), 0, atol=1e-15 * area**1.5)
    inductive = -(area**2) / (RINGS["radius"] * (math.log(8 * 0.055 / 0.00075) - 2))
    npt.assert_allclose(ring.instantaneous[2, 2], inductive, rtol=1e-12)


@pytest.mark.parametrize("permeability", [1.0, 100.0])
def test_ring_decays_as_its_spectrum_says(permeability):
    """Numerical inversion of the Laplace transform of -dL/dt, M(s) - M_inf."""
    ring = ring_relaxation(**RINGS, permeability=permeability)
    radius, wire, sigma = RINGS["radius"], RINGS["wire_radius"], RINGS["conductivity"]
    outer = math.log(8 * radius / wire) - 2
    scale = naive_emi.MU_0 * permeability * sigma * wire**2
    amplitude = (math.pi * radius**2) ** 2 / (radius * outer)

    def transform(s):
        q = np.sqrt(s * scale + 0j)
        inner = permeability * ive(0, q) / (q * ive(1, q))
        return inner / (outer + inner)

    for time in np.array([0.01, 0.1, 1.0, 5.0]) * ring.taus.max():
        # Talbot's contour with 24 nodes, as fixed by Abate and Valko (2004)
        angle = np.arange(1, 24) * math.pi / 24
        first, cotangent = 2 * 24 / (5 * time), 1 / np.tan(angle)
        s = first * angle * (cotangent + 1j)
        turn = 1 + 1j * (angle + (angle * cotangent - 1) * cotangent)
        total = 0.5 * transform(first) * np.exp(first * time)
        total += (np.exp(s * time) * transform(s) * turn).sum()
        expected = amplitude * total.real * first / 24
        npt.assert_allclose(-ring.decay_rate(time)[2, 2], expected, rtol=1e-4)


def test_permeability_slows_a_ring():
    slow = [ring_relaxation(**RINGS, permeability=mr).taus.max() for mr in (1, 10, 100)]
    assert (np.diff(slow) > 0).all()


@given(ratio=st.floats(0.01, 100))
def test_scaling_is_that_of_the_closed_form(ratio):
    bigger = {**STEEL, "radius": 0.005 * ratio}
    listed = sphere_relaxation(**STEEL).scaled(ratio)
    same = sphere_relaxation(**bigger)
    npt.assert_allclose(listed.instantaneous, same.instantaneous, rtol=1e-9)
    npt.assert_allclose(listed.amplitudes, same.amplitudes, rtol=1e-12)
    npt.assert_allclose(listed.taus, same.taus, rtol=1e-12)


def random_rotation(seed):
    """Return a rotation, determinant one."""
    turn, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    return turn * np.linalg.det(turn)


@given(seed=st.integers(0, 1000))
def test_rotation_turns_the_response(seed):
    turn = random_rotation(seed)
    thin = sphere_relaxation(**STEEL)
    body = combine_axes(thin.scaled(0.5), thin, sphere_relaxation(**ALUMINIUM).scaled(2))
    turned = body.rotated(turn)
    expected = turn @ body.polarizability([0.0, 5e3]) @ turn.T
    npt.assert_allclose(turned.polarizability([0.0, 5e3]), expected, atol=1e-18)
    back = turned.rotated(turn.T)
    npt.assert_allclose(back.amplitudes, body.amplitudes, atol=1e-18)
    npt.assert_array_equal(turned.amplitudes, np.swapaxes(turned.amplitudes, 1, 2))


def test_axes_keep_their_own_lists():
    steel, aluminium = sphere_relaxation(**STEEL), sphere_relaxation(**ALUMINIUM)
    body = combine_axes(steel, steel, aluminium)
    assert len(body) == len(steel) + len(aluminium)  # axes of one list share their terms
    for moment in (
        lambda one: one.polarizability([0.0, 1e3, 1e5]),
        lambda one: one.decay([0.0, 1e-4]),
        lambda one: one.decay_rate(1e-4)[None],
    ):
        parts = [moment(one)[:, 0, 0] for one in (steel, steel, aluminium)]
        expected = np.array([np.diag(row) for row in np.array(parts).T])
        npt.assert_allclose(moment(body), expected, rtol=1e-12, atol=1e-20)


def test_each_axis_is_taken_from_its_own_element():
    """A ring along each axis lends only what it does along that axis."""
    rings = [
        ring_relaxation(radius=0.01 * (i + 1), wire_radius=1e-3, conductivity=1e7, normal=axis)
        for i, axis in enumerate(np.eye(3))
    ]
    body = combine_axes(*rings)
    expected = sum(ring.polarizability(1e4) for ring in rings)
    npt.assert_allclose(body.polarizability(1e4), expected, rtol=1e-12)
    npt.assert_allclose(body.instantaneous, sum(r.instantaneous for r in rings), rtol=1e-12)
    crossed = combine_axes(rings[1], rings[2], rings[0])
    npt.assert_array_equal(crossed.polarizability(1e4), 0)


def test_what_is_missing_is_no_body():
    """Minus a passive list, in a type of its own that stays what it is."""
    void = void_relaxation(1e-4, susceptibility=1e-3)
    assert isinstance(void, Absence)
    assert not isinstance(void, Relaxation)
    turned = void.rotated(random_rotation(3)).scaled(2.0)
    assert isinstance(turned, Absence)
    npt.assert_allclose(turned.polarizability(0.0), 8 * void.polarizability(0.0), atol=1e-20)
    body = sphere_relaxation(**STEEL)
    assert type(body.rotated(random_rotation(3)).scaled(2.0)) is Relaxation
    # rounding does not count
    nearly = np.diag([1.0, 1.0, -1e-12])
    assert len(Relaxation(instantaneous=ONE[0], amplitudes=nearly[None], taus=[1.0])) == 1


def test_an_empty_list_is_a_body_that_acts_at_once():
    body = Relaxation(instantaneous=np.eye(3), amplitudes=np.empty((0, 3, 3)), taus=np.empty(0))
    assert len(body) == 0
    npt.assert_array_equal(body.polarizability([0.0, 1e6]), [np.eye(3)] * 2)
    npt.assert_array_equal(body.decay([0.0, 1.0]), np.zeros((2, 3, 3)))


ONE = np.eye(3)[None]
TWIST = [[0, 1e-3, 0], [0, 0, 0], [0, 0, 1]]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: sphere_polarizability(-1.0, **STEEL), ValueError, "frequency '-1.0'"),
        (lambda: sphere_polarizability(np.nan, **STEEL), ValueError, "frequency: 1 of 1"),
        (lambda: sphere_relaxation(**{**STEEL, "radius": 0}), ValueError, "radius '0.0'"),
        (
            lambda: sphere_relaxation(**{**STEEL, "conductivity": -1}),
            ValueError,
            "conductivity '-1.0'",
        ),
        (
            lambda: sphere_relaxation(**{**STEEL, "permeability": 0.5}),
            ValueError,
            "permeability '0.5'. Must be relative, 1 or more",
        ),
        (
            lambda: sphere_relaxation(**{**STEEL, "permeability": 2000}),
            ValueError,
            "permeability '2000.0'. Must be at most 1000",
        ),
        (lambda: sphere_poles(0, **STEEL), ValueError, "n_poles '0'. Must be at least 1"),
        (
            lambda: ring_relaxation(
                radius=1, wire_radius=0.5, conductivity=1, normal=[0, 0, 1]
            ),
            ValueError,
            "wire_radius '0.5'. Must be less than half",
        ),
        (
            lambda: ring_relaxation(**RINGS, permeability=0.5),
            ValueError,
            "permeability '0.5'. Must be relative, 1 to 1000",
        ),
        (
            lambda: ring_relaxation(
                radius=1, wire_radius=0.1, conductivity=1, normal=[0, 0, 0]
            ),
            ValueError,
            "Invalid normal .* Must not be zero",
        ),
        (
            lambda: Relaxation(instantaneous=ONE[0], amplitudes=ONE, taus=[0.0]),
            ValueError,
            r"Invalid taus \[0.0\]. Must be greater",
        ),
        (
            lambda: Relaxation(instantaneous=ONE[0], amplitudes=ONE, taus=[1.0, 2.0]),
            ValueError,
            r"amplitudes with shape \(1, 3, 3\). Must be \(2, 3, 3\)",
        ),
        (
            lambda: Relaxation(instantaneous=TWIST, amplitudes=ONE, taus=[1.0]),
            ValueError,
            "Invalid instantaneous: off its transpose by 0.001. Must be symmetric",
        ),
        (
            lambda: Relaxation(instantaneous=ONE[0], amplitudes=[TWIST], taus=[1.0]),
            ValueError,
            "Invalid amplitudes: off its transpose",
        ),
        (
            lambda: Relaxation(instantaneous=ONE[0], amplitudes=[ONE[0], -ONE[0]], taus=[1, 2]),
            ValueError,
            r"amplitudes: tensor 1 has the eigenvalue -1 m\^3. Must be positive semidefinite",
        ),
        (
            lambda: Relaxation(
                instantaneous=ONE[0], amplitudes=[np.diag([1.0, 1.0, -1e-6])], taus=[1]
            ),
            ValueError,
            "tensor 0 has the eigenvalue -1e-06",
        ),
        (
            lambda: Absence(instantaneous=ONE[0], amplitudes=ONE, taus=[1.0]),
            ValueError,
            "tensor 0 has the eigenvalue 1 m.* Must be negative semidefinite",
        ),
        (
            lambda: combine_axes(*[void_relaxation(1e-4, susceptibility=1e-3)] * 3),
            TypeError,
            "axis of type Absence. Must be a Relaxation",
        ),
        (
            lambda: sphere_relaxation(**STEEL).rotated(2 * np.eye(3)),
            ValueError,
            "Invalid rotation: .* differs from 1 by 3. Must be orthogonal",
        ),
        (lambda: sphere_relaxation(**STEEL).scaled(0.0), ValueError, "ratio '0.0'"),
        (lambda: sphere_relaxation(**STEEL).decay(-1.0), ValueError, "time '-1.0'"),
        (lambda: sphere_relaxation(**STEEL).decay_rate([0, -2]), ValueError, "time '-2.0'"),
        (
            lambda: combine_axes(*[None] * 3),
            TypeError,
            "axis of type NoneType. Must be a Relaxation",
        ),
    ],
)
def test_bad_input_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()
