"""Test fits of polarizability tensors and the reader of their files."""

import dataclasses
import math

import numpy as np
import numpy.testing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minesense.io import FormatError, read_polarizability
from minesense.physics import (
    PolarizabilitySpectrum,
    Relaxation,
    fit_polarizability,
    nail,
    sphere_polarizability,
    sphere_poles,
)

FREQUENCY = np.geomspace(20, 1e5, 31)
BALL = {"radius": 0.01, "conductivity": 3.5e7, "permeability": 1.0}


def random_body(seed, n=4):
    """Return a body whose amplitudes have axes of their own, some of lower rank."""
    rng = np.random.default_rng(seed)
    factors = rng.normal(size=(n, 3, 3)) * rng.integers(0, 2, size=(n, 1, 3))
    factors[0] = rng.normal(size=(3, 3))
    amplitudes = 1e-7 * factors @ np.swapaxes(factors, 1, 2)
    twist = rng.normal(size=(3, 3))
    return Relaxation(
        instantaneous=1e-7 * (twist + twist.T),
        amplitudes=amplitudes,
        taus=10 ** rng.uniform(-5, -3, n),
    )


def spectrum_of(body, *, has_static=True, frequency=FREQUENCY):
    """Return the tensors of a body at some frequencies."""
    static = body.polarizability(0.0).real if has_static else None
    return PolarizabilitySpectrum(
        frequency=frequency, tensors=body.polarizability(frequency), static=static
    )


@pytest.mark.parametrize("has_static", [True, False])
@pytest.mark.parametrize("seed", range(4))
def test_a_list_is_found_again(seed, has_static):
    """The moment at all frequencies and times, though not the same time constants."""
    body = random_body(seed)
    fit = fit_polarizability(spectrum_of(body, has_static=has_static))
    assert fit.worst < 2e-4
    assert fit.rms <= fit.worst
    assert fit.excess < 1e-8  # no passive list fits better
    assert fit.n_dropped == 0
    size = np.linalg.norm(body.polarizability(0.0))
    between = np.geomspace(25, 8e4, 57)
    left = fit.relaxation.polarizability(between) - body.polarizability(between)
    assert np.abs(left).max() < 1e-3 * size
    static = fit.relaxation.polarizability(0.0).real
    atol = 1e-14 * size if has_static else 2e-3 * size
    npt.assert_allclose(static, body.polarizability(0.0).real, rtol=0, atol=atol)
    late = np.geomspace(1e-5, 1e-3, 9)
    scale = np.linalg.norm(body.decay(1e-5))
    assert np.abs(fit.relaxation.decay(late) - body.decay(late)).max() < 3e-3 * scale


def test_amplitudes_are_passive_where_the_data_are_not():
    """Noise asks for negative amplitudes; the best passive list is returned instead."""
    body, rng = random_body(9), np.random.default_rng(seed=1)
    clean = spectrum_of(body)
    noise = rng.normal(size=(31, 3, 3)) + 1j * rng.normal(size=(31, 3, 3))
    noise += np.swapaxes(noise, 1, 2)
    size = np.abs(clean.tensors).max(axis=(1, 2))
    tensors = clean.tensors + 0.02 * size[:, None, None] * noise
    shift = np.linalg.eigvalsh(tensors.imag)[:, -1].clip(0) * 1.01
    tensors = tensors - 1j * shift[:, None, None] * np.eye(3)
    fit = fit_polarizability(dataclasses.replace(clean, tensors=tensors))
    assert np.linalg.eigvalsh(fit.relaxation.amplitudes).min() > -1e-20
    assert 0.01 < fit.rms < 0.15
    assert fit.excess < 1e-6


@given(seed=st.integers(0, 30))
def test_the_fit_turns_with_the_body(seed):
    rng = np.random.default_rng(seed)
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    body = random_body(seed, n=2)
    straight = fit_polarizability(spectrum_of(body)).relaxation
    turned = fit_polarizability(spectrum_of(body.rotated(turn))).relaxation
    a = turn @ straight.polarizability(FREQUENCY) @ turn.T
    b = turned.polarizability(FREQUENCY)
    assert np.abs(a - b).max() < 2e-5 * np.abs(a).max()


def test_a_closed_form_is_fitted():
    moment = sphere_polarizability(FREQUENCY, **BALL)[:, None, None] * np.eye(3)
    spectrum = PolarizabilitySpectrum(
        frequency=FREQUENCY, tensors=moment, static=np.zeros((3, 3))
    )
    fit = fit_polarizability(spectrum)
    assert fit.worst < 2e-4
    assert np.abs(fit.relaxation.amplitudes[:, 0, 1]).max() < 1e-9 * BALL["radius"] ** 3
    slow = fit.relaxation.taus.max()  # of the grid: nearest to the slowest mode
    assert abs(math.log10(slow / sphere_poles(1, **BALL)[1][0])) < 1 / 12
    # what is faster than the grid acts at once
    total = fit.relaxation.instantaneous + fit.relaxation.amplitudes.sum(axis=0)
    npt.assert_allclose(total, 0, atol=1e-20)


def test_frequencies_beyond_the_model_are_dropped():
    wide = np.geomspace(100, 1e7, 61)
    spectrum = spectrum_of(random_body(2), frequency=wide)
    fit = fit_polarizability(spectrum)
    assert fit.n_dropped == np.count_nonzero(2 * math.pi * wide > 1e6)
    assert len(fit.frequency) == len(fit.error) == 61 - fit.n_dropped
    assert 2 * math.pi * fit.frequency[-1] <= 1e6
    assert fit_polarizability(spectrum, highest=1e4).n_dropped > fit.n_dropped


def write_files(folder, spectrum, *, style="({a!r}{b:+}j)"):
    """Write a spectrum as the library does, for the other time factor."""
    omega = 2 * math.pi * spectrum.frequency
    lines = "\n".join(f"{w:.18e}" for w in omega)
    (folder / "Frequencies.csv").write_text(lines + "\n")
    rows = [
        ", ".join(style.format(a=float(z.real), b=-float(z.imag)) for z in row.ravel())
        for row in spectrum.tensors
    ]
    (folder / "Tensors.csv").write_text("\n".join(f" {row}" for row in rows) + "\n")
    static = spectrum.tensors[0].real if spectrum.static is None else spectrum.static
    np.savetxt(folder / "N0.csv", static, delimiter=",")


@pytest.mark.parametrize(
    "style", ["({a!r}{b:+}j)", "({a!r}+{b!r}j)", "( {a:.17e} {b:+.17e}j )"]
)
def test_files_come_back(tmp_path, style):
    """Also as "(a+-bj)", which some objects of the library use, and with blanks."""
    given_ = spectrum_of(nail(length=0.05, diameter=0.003))
    write_files(tmp_path, given_, style=style)
    found = read_polarizability(tmp_path)
    npt.assert_allclose(found.frequency, given_.frequency, rtol=1e-15)
    npt.assert_allclose(found.tensors, given_.tensors, rtol=1e-15, atol=1e-25)
    npt.assert_allclose(found.static, given_.static, rtol=1e-15, atol=1e-25)
    assert found.tensors.imag[:, 0, 0].max() < 0


def test_other_ways_to_write_numbers_are_read(tmp_path):
    write_files(tmp_path, spectrum_of(random_body(0), frequency=[1e3]))
    text = "(-1e-7+3E-7j),0,0j,(0+-0j),12.5e-8j,-0,0,0,(-2e-7+.5e-7j)\r\n\r\n"
    (tmp_path / "Tensors.csv").write_text(text)
    tensor = read_polarizability(tmp_path).tensors[0]
    npt.assert_array_equal(np.diag(tensor), [-1e-7 - 3e-7j, -12.5e-8j, -2e-7 - 5e-8j])


@pytest.mark.parametrize(
    ("name", "limit"),
    [
        ("sphere_10mm", 5e-5),
        ("coin_one_penny", 1.2e-4),
        ("key_round", 7e-5),
        ("screwdriver_short", 7.1e-4),
    ],
)
def test_computed_objects_are_read_and_fitted(test_data, name, limit):
    """The figures of the docstring; without the static tensor the fit is as good."""
    spectrum = read_polarizability(test_data / "emi/mpt_library" / name)
    fit = fit_polarizability(spectrum)
    assert fit.worst < limit
    assert fit.excess < 1e-8
    assert (2 * math.pi * fit.frequency <= 1e6).all()
    npt.assert_allclose(fit.relaxation.polarizability(0.0).real, spectrum.static, atol=1e-18)
    free = fit_polarizability(dataclasses.replace(spectrum, static=None))
    assert free.worst < 1.05 * limit
    if name == "sphere_10mm":
        radius, mr = 0.01, 1.5
        exact = 4 * math.pi * radius**3 * (mr - 1) / (mr + 2)
        npt.assert_allclose(np.diag(spectrum.static), exact, rtol=1e-5)


def replaced(name, old, new):
    """Return a change of a file: the first `old` becomes `new`."""

    def change(folder):
        path = folder / name
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))

    return change


def written(name, text):
    """Return a change of a file: its whole content."""
    return lambda folder: (folder / name).write_text(text)


GOOD = {
    "Frequencies.csv": "1e3\n2e3\n",
    "Tensors.csv": "1j,0,0,0,2j,0,0,0,(3+4j)\n(1+1j),1e-4,0,1e-4,2j,0,0,0,3j\n",
    "N0.csv": "1,0,0\n0,2,0\n0,0,3\n",
}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: (f / "Tensors.csv").unlink(), r"Tensors.csv: invalid file 'missing'"),
        (lambda f: (f / "Frequencies.csv").unlink(), r"Frequencies.csv: invalid file"),
        (lambda f: (f / "N0.csv").unlink(), r"N0.csv: invalid file"),
        (written("Frequencies.csv", "\n \n"), "invalid content 'empty'"),
        (written("Tensors.csv", ""), "Tensors.csv: invalid content 'empty'"),
        (
            written("Frequencies.csv", "1e3\n"),
            "number of tensors 2. Must be 1, one for each angular",
        ),
        (
            replaced("Frequencies.csv", "2e3", "2e3,1"),
            r"Frequencies.csv, line 2: invalid number of values 2. Must be 1 sep",
        ),
        (
            replaced("Frequencies.csv", "1e3", "x"),
            r"line 1: invalid angular frequency 'x'. Must be a finite number",
        ),
        (replaced("Frequencies.csv", "1e3", "nan"), "invalid angular frequency 'nan'"),
        (replaced("Frequencies.csv", "1e3", "1e999"), "invalid angular frequency '1e999'"),
        (replaced("Frequencies.csv", "1e3", "0"), "row 1: invalid angular frequency 0.0"),
        (replaced("Frequencies.csv", "1e3", "-1"), "row 1: invalid angular frequency -1.0"),
        (
            replaced("Frequencies.csv", "1e3", "3e3"),
            "row 2: invalid angular frequency 2000.0. Must be greater than zero and than",
        ),
        (replaced("Frequencies.csv", "1e3", "2e3"), "row 2: invalid angular frequency"),
        (
            replaced("Tensors.csv", "1j,0,", "1j,"),
            r"Tensors.csv, line 1: invalid number of values 8. Must be 9 sep",
        ),
        (replaced("Tensors.csv", "(3+4j)", "(3+4i2)"), r"invalid tensor element '\(3\+4i2\)'"),
        (replaced("Tensors.csv", "(3+4j)", "(nan+4j)"), "invalid tensor element"),
        (replaced("Tensors.csv", "(3+4j)", "(3+infj)"), "invalid tensor element"),
        (replaced("Tensors.csv", "(3+4j)", "(3+4j"), "invalid tensor element"),
        (replaced("Tensors.csv", "(3+4j)", ""), "invalid tensor element ''"),
        (
            replaced("Tensors.csv", "1j,0,", "1j,0.1,"),
            "row 1: invalid tensor 'off by 0.1'. Must be equal to its transpose",
        ),
        (
            replaced("Tensors.csv", "(3+4j)", "(3-4j)"),
            r"row 1: invalid imaginary part -4.0. Must be positive along every",
        ),
        (replaced("N0.csv", "0,0,3\n", ""), "number of lines 2. Must be 3, of a tensor"),
        (replaced("N0.csv", "1,0,0", "1,0"), r"N0.csv, line 1: invalid number of values 2"),
        (replaced("N0.csv", "1,0,0", "1,0,2"), "N0.csv, row 1: invalid tensor 'off by 2'"),
        (replaced("N0.csv", "1,0,0", "(1+2j),0,0"), r"invalid tensor element '\(1\+2j\)'"),
    ],
)
def test_malformed_files_are_named(tmp_path, change, message):
    for name, text in GOOD.items():
        (tmp_path / name).write_text(text)
    assert len(read_polarizability(tmp_path).frequency) == 2
    change(tmp_path)
    with pytest.raises(FormatError, match=message) as caught:
        read_polarizability(tmp_path)
    assert caught.value.path.parent == tmp_path


ONE = -1j * np.eye(3)[None]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: PolarizabilitySpectrum(frequency=[], tensors=np.empty((0, 3, 3))),
            ValueError,
            "Invalid frequency. Must be at least one",
        ),
        (
            lambda: PolarizabilitySpectrum(frequency=[0.0], tensors=ONE),
            ValueError,
            "Invalid frequency. Must be at least one value, all greater",
        ),
        (
            lambda: PolarizabilitySpectrum(frequency=[2.0, 1.0], tensors=[ONE[0]] * 2),
            ValueError,
            "frequency: value 1 is 1.0 after 2.0",
        ),
        (
            lambda: PolarizabilitySpectrum(frequency=[1.0], tensors=[[["x"] * 3] * 3]),
            TypeError,
            "tensors of dtype <U1",
        ),
        (
            lambda: PolarizabilitySpectrum(frequency=[1.0], tensors=ONE[0]),
            ValueError,
            r"tensors with shape \(3, 3\). Must be \(1, 3, 3\)",
        ),
        (
            lambda: PolarizabilitySpectrum(frequency=[1.0], tensors=ONE * np.nan),
            ValueError,
            "Invalid tensors: .* NaN",
        ),
        (
            lambda: PolarizabilitySpectrum(frequency=[1.0], tensors=-ONE),
            ValueError,
            "imaginary part at 1 Hz is positive .* take the complex conjugate",
        ),
        (
            lambda: PolarizabilitySpectrum(frequency=[1.0], tensors=ONE + [[0, 1, 0]] * 3),
            ValueError,
            "tensor 0 is off its transpose by 0.71 of its largest",
        ),
        (
            lambda: PolarizabilitySpectrum(
                frequency=[1.0], tensors=ONE, static=[[0, 1, 0], [0, 0, 0], [0, 0, 1]]
            ),
            ValueError,
            "Invalid static: tensor 0 is off its transpose by 1",
        ),
        (lambda: fit_polarizability(ONE), TypeError, "Must be a PolarizabilitySpectrum"),
        (
            lambda: fit_polarizability(
                PolarizabilitySpectrum(frequency=[1, 2, 3], tensors=[ONE[0]] * 3), highest=2.5
            ),
            ValueError,
            "2 of 3 frequencies are at most 2.5 Hz. Must be at least three",
        ),
        (
            lambda: fit_polarizability(spectrum_of(random_body(0)), highest=0),
            ValueError,
            "highest '0.0'",
        ),
        (
            lambda: fit_polarizability(
                PolarizabilitySpectrum(
                    frequency=[1, 2, 3], tensors=[ONE[0], ONE[0] * 0, ONE[0]]
                )
            ),
            ValueError,
            "a tensor is zero. Must have a size",
        ),
    ],
)
def test_bad_spectra_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call()
