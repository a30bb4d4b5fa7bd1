"""Test the permittivity of water and soil against numbers computed from the formulas."""

import numpy as np
import numpy.testing as npt
import pytest

from minesense.physics import (
    debye_permittivity,
    peplinski_permittivity,
    water_permittivity,
    wavenumber,
)

LOAM = {"sand": 0.4, "clay": 0.2, "bulk_density": 1.5}
DECIBEL = 8.685889638


@pytest.mark.parametrize(
    ("temperature", "static", "tau"), [(20, 80.0888, 9.27638e-12), (25, 78.23891, 8.09940e-12)]
)
def test_water(temperature, static, tau):
    slow = water_permittivity(1.0, temperature=temperature)
    npt.assert_allclose(slow.real, static, rtol=1e-6)
    at_peak = water_permittivity(1 / (2 * np.pi * tau), temperature=temperature)
    npt.assert_allclose(at_peak, 4.9 + (static - 4.9) / (1 + 1j), rtol=1e-5)


@pytest.mark.parametrize(
    ("soil", "moisture", "permittivity", "loss"),
    [
        (LOAM, 0.1, 7.082918 - 0.726066j, 24.800),
        (LOAM, 0.2, 13.104779 - 1.285381j, 32.280),
        (LOAM | {"sand": 0.9, "clay": 0.03}, 0.05, 7.154508 - 0.225888j, 7.686),
        (LOAM | {"sand": 0.1, "clay": 0.5}, 0.2, 10.942321 - 1.583813j, 43.467),
    ],
)
def test_soil(soil, moisture, permittivity, loss):
    value = peplinski_permittivity(1e9, **soil, moisture=moisture)
    npt.assert_allclose(value, permittivity, atol=1e-6)
    npt.assert_allclose(-DECIBEL * wavenumber(1e9, value).imag, loss, atol=1e-3)


def test_bands_do_not_join():
    soil = LOAM | {"moisture": 0.2}
    assert round(peplinski_permittivity(1.3e9, **soil).real, 2) == 13.09
    assert round(peplinski_permittivity(1.4e9, **soil, band="upper").real, 2) == 11.96


def test_wavenumber_of_a_conductor():
    omega = 2 * np.pi * 0.5e9
    lossy = 25 - 1j * 0.03 / (omega * 8.8541878e-12)
    npt.assert_allclose(-DECIBEL * wavenumber(0.5e9, lossy).imag, 9.814, atol=1e-3)
    npt.assert_allclose(wavenumber(1e9, 9.0), 3 * 2 * np.pi * 1e9 / 299_792_458)


@pytest.mark.parametrize(("band", "sand"), [("lower", 1.0), ("upper", 0.9)])
def test_conductivity_never_turns_negative(band, sand):
    """In sand the fit would gain; the loss left is that of the water alone."""
    f = np.array([0.3e9, 1e9])
    soil = peplinski_permittivity(
        f, sand=sand, clay=0.0, bulk_density=1.5, moisture=0.1, band=band
    )
    share = 0.1 ** ((1.33797 - 0.603 * sand) / 0.65)
    npt.assert_allclose(soil.imag, share * water_permittivity(f).imag)


def test_dry_soil_is_finite():
    dry = peplinski_permittivity(1e9, **LOAM, moisture=[0.0, 0.005, 0.006])
    assert dry[0] == dry[1] != dry[2]


def test_shapes_broadcast():
    moisture = np.array([[0.1], [0.2]])
    assert peplinski_permittivity([1e9, 2e9, 3e9], **LOAM, moisture=moisture).shape == (2, 3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sand": 1.2}, "Invalid sand '1.2'. Must lie between 0 and 1"),
        ({"sand": 0.9, "clay": 0.2}, "Must add up to at most 1"),
        ({"bulk_density": 3.0}, "Must be less than the particle_density"),
        ({"moisture": np.nan}, "Invalid moisture 'nan'"),
        ({"temperature": 80.0}, "Invalid temperature '80.0'"),
        ({"band": "middle"}, "Invalid band 'middle'"),
        ({"frequency": 0.0}, "Invalid frequency '0.0'"),
    ],
)
def test_soil_refuses(change, message):
    options = {"frequency": 1e9, **LOAM, "moisture": 0.1, **change}
    with pytest.raises(ValueError, match=message):
        peplinski_permittivity(options.pop("frequency"), **options)


@pytest.mark.parametrize("wrong", [4 + 0.1j, -1.0, np.inf, np.nan])
def test_wavenumber_refuses(wrong):
    with pytest.raises(ValueError, match="Invalid permittivity"):
        wavenumber(1e9, wrong)
    with pytest.raises(TypeError, match="Must be real or complex numbers"):
        wavenumber(1e9, "wet")


def test_debye_is_the_law_of_water_and_of_conductors():
    f = np.array([0.1e9, 1e9, 17e9])
    water = debye_permittivity(f, static=80.0888, optical=4.9, relaxation_time=9.27638e-12)
    npt.assert_allclose(water, water_permittivity(f), rtol=1e-5)
    lossy = debye_permittivity(0.5e9, static=25.0, conductivity=0.03)
    npt.assert_allclose(-DECIBEL * wavenumber(0.5e9, lossy).imag, 9.814, atol=1e-3)
    npt.assert_array_equal(debye_permittivity(f, static=4.0), 4.0)
    peak = debye_permittivity(
        1 / (2 * np.pi * 1e-10), static=9.0, optical=5.0, relaxation_time=1e-10
    )
    npt.assert_allclose(peak, 7 - 2j)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"static": np.inf}, "Invalid static 'inf'"),
        ({"static": np.nan}, "Invalid static 'nan'"),
        ({"static": 0.5}, "Invalid static '0.5'. Must lie between 1"),
        ({"static": 4.0, "optical": 5.0}, "Invalid optical '5.0'. Must lie between 1 and 4.0"),
        ({"static": 4.0, "relaxation_time": -1.0}, "Invalid relaxation_time '-1.0'"),
        ({"static": 4.0, "conductivity": -0.1}, "Invalid conductivity '-0.1'"),
        ({"static": 4.0, "frequency": 0.0}, "Invalid frequency '0.0'"),
    ],
)
def test_debye_refuses(options, message):
    with pytest.raises(ValueError, match=message):
        debye_permittivity(**{"frequency": 1e9} | options)
