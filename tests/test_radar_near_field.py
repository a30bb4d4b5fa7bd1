"""Test what mends rays near the ground, and dipoles, against integrals and closed forms."""

import math

import naive_radar
import numpy as np
import numpy.testing as npt
import pytest
from test_radar_physics import BAND, FLAT, LOAM, ROUGH, RX, TX, C, F, record, scene

from minesense.physics import (
    AntennaPattern,
    Scatterers,
    Surface,
    direct_ratio,
    disc_facets,
    flat_bounce,
    near_field_ratio,
    no_scatterers,
    radar_spectra,
    radar_traces,
    ricker_spectrum,
    tones_to_time,
)

TONES = np.array([0.2e9, 1.5e9, 4.5e9])


# Fields on the axis and off flat ground


@pytest.mark.parametrize("eps", [1.5, 4 - 0.1j, 9 - 2j, 30 - 4j])
@pytest.mark.parametrize(("h", "z"), [(0.02, 0.02), (0.05, 0.3), (0.6, 0.1)])
def test_near_field_matches_another_path_of_integration(eps, h, z):
    n = math.sqrt(eps.real)
    for name, share in (("mean", 0.5), ("electric", 1.0), ("magnetic", 0.0)):
        ratio = near_field_ratio(TONES, h, z, permittivity=eps, index=n, polarization=name)
        for f, found in zip(TONES, ratio, strict=True):
            k1 = 2 * math.pi * f / C
            ray = 2 / ((1 + n) * (h + z / n)) * np.exp(-1j * k1 * (h + np.sqrt(eps) * z))
            exact = naive_radar.on_axis(k1, eps, h, z, share)
            assert abs(found * ray / exact - 1) < 5e-4


def test_near_field_in_air_is_that_of_a_dipole():
    k = 2 * math.pi * TONES / C
    ratio = near_field_ratio(TONES, 0.03, 0.04, permittivity=1.0)
    npt.assert_allclose(ratio, 1 - 1j / (k * 0.07) - 1 / (k * 0.07) ** 2, rtol=1e-6)
    plain = near_field_ratio(TONES, 0.03, 0.04, permittivity=1.0, polarization="electric")
    npt.assert_allclose(plain, 1, atol=1e-6)  # a source without direction has none
    npt.assert_allclose(direct_ratio(TONES, 0.07), ratio, rtol=1e-6)
    npt.assert_allclose(
        direct_ratio(TONES, 0.07, dipole_angle=0.0),
        2j / (k * 0.07) + 2 / (k * 0.07) ** 2,
        rtol=1e-12,
    )


def test_near_field_tends_to_its_second_term():
    """1 - (i / k1) (h + z / n^3) / (h + z / n)^2, the error falling with frequency squared."""
    h, z, n = 0.1, 0.1, 3.0
    f = np.array([3e9, 6e9, 12e9])
    k1 = 2 * math.pi * f / C
    second = 1 - 1j / k1 * (h + z / n**3) / (h + z / n) ** 2
    error = np.abs(near_field_ratio(f, h, z, permittivity=9.0) - second)
    npt.assert_allclose(error[:-1] / error[1:], 4, rtol=0.1)


def test_near_field_keeps_shapes():
    ratio = near_field_ratio(TONES, [[0.1], [0.2]], [0.05, 0.1, 0.2], permittivity=9.0)
    assert ratio.shape == (2, 3, 3)
    npt.assert_allclose(ratio[1, 0], near_field_ratio(TONES, 0.2, 0.05, permittivity=9.0))


@pytest.mark.parametrize("eps", [1.5, 9 - 2j])
@pytest.mark.parametrize(("h", "apart"), [(0.03, 0.06), (0.3, 0.0), (0.1, 0.25)])
def test_bounce_matches_another_path_of_integration(eps, h, apart):
    k1 = 2 * math.pi * TONES / C
    for name, share in (("mean", 0.5), ("electric", 1.0), ("magnetic", 0.0)):
        found = flat_bounce(TONES, h, separation=apart, permittivity=eps, polarization=name)
        exact = [naive_radar.mirrored(k, eps, h, apart, share) for k in k1]
        npt.assert_allclose(found, exact, rtol=1e-2 if apart > h else 2e-4)
    for angle in (0.0, 0.7, math.pi / 2):
        found = flat_bounce(
            TONES, h, separation=apart, permittivity=eps, polarization="dipole",
            dipole_angle=angle,
        )  # fmt: skip
        exact = [naive_radar.mirrored(k, eps, h, apart, 0.5, angle) for k in k1]
        npt.assert_allclose(found, exact, rtol=1e-2 if apart > h else 2e-4)


def test_bounce_of_a_mirror_is_the_image():
    """Of ground so dense that it reflects all: a dipole beside it, upside down."""
    h, apart = 0.1, 0.06
    path = math.hypot(2 * h, apart)
    k = 2 * math.pi * TONES / C
    image = -np.exp(-1j * k * path) / path
    dense = {"separation": apart, "permittivity": 1e8}
    npt.assert_allclose(
        flat_bounce(TONES, h, **dense, polarization="electric"), image, rtol=1e-3
    )
    dipoles = flat_bounce(TONES, h, **dense, polarization="dipole")
    npt.assert_allclose(dipoles, image * direct_ratio(TONES, path), rtol=1e-3)


def test_nothing_bounces_off_nothing():
    bounce = flat_bounce(TONES, [0.05, 0.1], separation=0.1, permittivity=1.0)
    npt.assert_allclose(bounce, 0, atol=1e-12)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: near_field_ratio([0.0], 1, 1, permittivity=9.0), "Invalid frequency '0.0'"),
        (lambda: near_field_ratio([1e9], 0, 1, permittivity=9.0), "Invalid height '0.0'"),
        (lambda: near_field_ratio([1e9], 1, -1, permittivity=9.0), "Invalid depth '-1.0'"),
        (lambda: near_field_ratio([1e9], [1, 1], [1] * 3, permittivity=9.0), "Must broadcast"),
        (lambda: near_field_ratio([1e9], 1, 1, permittivity=0.5), "less than that of air"),
        (lambda: near_field_ratio([1e9], 1, 1, permittivity=[9.0] * 2), r"shape \(2,\)"),
        (
            lambda: flat_bounce([1e9], 0.1, separation=-1.0, permittivity=9.0),
            "Invalid separation '-1.0'. Must be finite and not negative",
        ),
        (lambda: near_field_ratio([1e9], [], 1, permittivity=9.0), r"height with shape \(0,\)"),
        (lambda: near_field_ratio([1e9], 1, 1, permittivity=9.0, index=-1.0), "Invalid index"),
        (
            lambda: near_field_ratio([1e9], 1, 1, permittivity=9.0, index=math.nan),
            "Invalid index",
        ),
        (lambda: direct_ratio([1e9], 0.0), "Invalid distance '0.0'"),
        (lambda: AntennaPattern(exponent=-1.0), "Invalid pattern_exponent"),
        (lambda: AntennaPattern(polarization="x"), "Invalid polarization 'x'"),
        (lambda: AntennaPattern(dipole_angle=math.nan), "Invalid dipole_angle"),
    ],
)
def test_near_field_refuses(make, message):
    with pytest.raises(ValueError, match=message):
        make()


# Whole traces


def test_flat_ground_bounces_exactly():
    """A trace without anything buried is the pulse times the exact bounce, at any height."""
    for h in (0.06, 0.1234, 0.3):
        half = np.array([0.03, 0, 0])
        for name in ("mean", "electric", "dipole"):
            middle = np.array([0.011, 0.02, h])
            trace = record(
                middle - half, middle + half, no_scatterers(len(F)),
                pattern=AntennaPattern(exponent=0.5, polarization=name),
            )[0]  # fmt: skip
            exact = flat_bounce(F, h, separation=0.06, permittivity=LOAM, polarization=name)
            wave = exact * ricker_spectrum(F, peak=1.5e9) * h / math.hypot(h, 0.03)
            time = np.arange(BAND["n_samples"]) * BAND["interval"] - 1 / 1.5e9
            expected = 2 * F[0] * (np.exp(2j * np.pi * np.outer(time, F)) @ wave).real
            assert np.abs(trace - expected).max() < 2e-3 * np.abs(expected).max()


@pytest.mark.parametrize("step", [0.03, 0.02, 0.01])
@pytest.mark.parametrize("h", [0.01, 0.02, 0.03, 0.045, 0.055, 0.061, 0.07])
def test_low_antennas_hear_flat_ground_exactly_wherever_they_are(step, h):
    n = 2 * math.ceil(0.7 / step) + 1
    ground = Surface(origin=[-(n // 2) * step] * 2, step=step, heights=np.zeros((n, n)))
    place = np.random.default_rng(seed=3).uniform(-0.1, 0.1, (12, 2))
    middle, half = np.column_stack([place, np.full(12, h)]), np.array([0.03, 0, 0])
    traces = record(middle - half, middle + half, no_scatterers(len(F)), surface=ground)
    exact = flat_bounce(F, h, separation=0.06, permittivity=LOAM)
    wave = exact * ricker_spectrum(F, peak=1.5e9) * (h / math.hypot(h, 0.03)) ** 2
    time = np.arange(BAND["n_samples"]) * BAND["interval"] - 1 / 1.5e9
    expected = 2 * F[0] * (np.exp(2j * np.pi * np.outer(time, F)) @ wave).real
    assert np.abs(traces - expected).max() < 1e-3 * np.abs(expected).max()


@pytest.mark.parametrize("drop", [0.0, 0.02, 0.03])
def test_low_antennas_over_rough_ground_match_the_formulas(drop):
    low = np.array([0, 0, drop])
    fast = record(TX - low, RX - low, no_scatterers(len(F)), surface=ROUGH)
    for i in range(len(TX)):
        slow = naive_radar.trace(
            TX[i] - low, RX[i] - low, **BAND, permittivity=LOAM, surface=ROUGH,
            scatterers=no_scatterers(len(F)), coupling=0.0,
        )  # fmt: skip
        assert np.abs(fast[i] - slow).max() < 1e-3 * np.abs(slow).max()


def test_flat_bounce_takes_one_separation():
    with pytest.raises((TypeError, ValueError), match="Invalid separation"):
        flat_bounce([1e9], 0.1, separation=[0.1, 0.2], permittivity=9.0)


@pytest.mark.parametrize(("low", "high"), [(0.10, 0.11), (0.08, 0.14)])
def test_antennas_of_unlike_heights_hear_the_bounce_of_their_mean(low, high):
    mean = (low + high) / 2
    trace, level = (
        record(
            [-0.03, 0, a],
            [0.03, 0, b],
            no_scatterers(len(F)),
            pattern=AntennaPattern(exponent=0.0),
        )[0]
        for a, b in ((low, high), (mean, mean))
    )
    assert np.abs(trace - level).max() < 0.02 * np.abs(level).max()


@pytest.mark.parametrize("slope", [0.1, -0.25])
def test_a_tilted_surface_bounces_from_its_nearest_place(slope):
    """The echo is that of level ground at the distance along its normal."""
    step = 0.025
    axis = -1.2 + step * np.arange(97)
    plane = Surface(origin=[-1.2, -1.2], step=step, heights=np.tile(slope * axis, (97, 1)))
    level = Surface(origin=[-1.2, -1.2], step=step, heights=np.zeros((97, 97)))
    up = 0.25
    near = up / math.hypot(1, slope)
    none = no_scatterers(len(F))
    pattern = AntennaPattern(exponent=0.0)
    tilted = record([0, 0, up], [0, 0, up], none, surface=plane, pattern=pattern)[0]
    straight = record([0, 0, near], [0, 0, near], none, surface=level, pattern=pattern)[0]
    assert np.abs(tilted - straight).max() < 0.05 * np.abs(straight).max()
    above = record([0, 0, up], [0, 0, up], none, surface=level, pattern=pattern)[0]
    if abs(slope) > 0.2:  # and not that of level ground straight below
        assert np.abs(tilted - above).max() > 0.1 * np.abs(above).max()


@pytest.mark.parametrize("angle", [math.pi / 2, 0.0, 0.6])
def test_dipoles_match_the_formulas(angle):
    things, none = scene(6), no_scatterers(len(F))
    pattern = AntennaPattern(exponent=0.0, polarization="dipole", dipole_angle=angle)
    settings = {"surface": ROUGH, "pattern": pattern}
    fast = record(TX, RX, things, coupling=0.02, **settings)
    empty = record(TX, RX, none, coupling=0.02, **settings)
    for i in range(len(TX)):
        slow, without = (
            naive_radar.trace(
                TX[i], RX[i], **BAND, permittivity=LOAM, surface=ROUGH, scatterers=what,
                coupling=0.02, q=0.0, angle=angle,
            )
            for what in (things, none)
        )  # fmt: skip
        assert np.abs(fast[i] - slow).max() < 2e-3 * np.abs(slow).max()
        echo = slow - without
        assert np.abs(fast[i] - empty[i] - echo).max() < 2e-3 * np.abs(echo).max()


def test_dipoles_hear_what_lies_across_them_better():
    """Along their own axis they radiate less, so an echo from there is weaker."""
    echoes = {}
    for name, place in (("across", [0.3, 0, -0.1]), ("along", [0, 0.3, -0.1])):
        thing = Scatterers(
            position=[place], normal=[[0, 0, 0]], weight=[1.0], spectrum=[0],
            spectra=np.ones((1, len(F))),
        )  # fmt: skip
        trace = record(
            [-0.01, 0, 0.1], [0.01, 0, 0.1], thing, 9.0, surface_radius=0.0,
            pattern=AntennaPattern(exponent=0.0, polarization="dipole"),
        )  # fmt: skip
        echoes[name] = np.abs(trace).max()
    assert echoes["across"] > 3 * echoes["along"]


def test_a_pulse_may_be_given():
    """Twice the spectrum gives twice the trace, a shifted one is later."""
    wave = ricker_spectrum(F, peak=1.5e9)
    plain = record(TX, RX, scene(), surface=ROUGH)
    npt.assert_allclose(record(TX, RX, scene(), surface=ROUGH, pulse=2 * wave), 2 * plain)
    late = wave * np.exp(-2j * np.pi * F * 3 * BAND["interval"])
    shifted = record(TX, RX, scene(), surface=ROUGH, pulse=late)
    npt.assert_allclose(shifted[:, 3:], plain[:, :-3], atol=2e-3 * np.abs(plain).max())


# Stepped frequency


def test_spectra_are_those_of_traces():
    """The same tones, shaped by the pulse and summed, are the impulse radar's trace."""
    things = scene()
    settings = {
        "permittivity": LOAM, "surface": ROUGH, "scatterers": things, "coupling": 0.02,
        "reach": 0.4,
    }  # fmt: skip
    spectra = radar_spectra(TX, RX, frequency=F, time_zero=1 / 1.5e9, **settings)
    assert spectra.dtype == np.complex64
    time = np.arange(BAND["n_samples"]) * BAND["interval"]
    wave = 2 * F[0] * ricker_spectrum(F, peak=1.5e9)
    traces = ((spectra * wave) @ np.exp(2j * np.pi * np.outer(F, time))).real
    # rays of one bend by the index at the peak, of the other by that in the middle
    expected = radar_traces(TX, RX, **BAND, **settings)
    assert np.abs(traces - expected).max() < 2e-3 * np.abs(expected).max()


def test_tones_need_not_begin_with_their_step():
    """Every second tone from the fifth on is the same as all of them, picked."""
    tones = F[0] * np.arange(5, 36, 2)
    disc = {"diameter": 0.1, "soil": 9.0, "layers": [(0.04, 2.8)]}
    picked, every = (
        radar_spectra(
            TX - [0, 0, 0.3], RX - [0, 0, 0.3], frequency=f, permittivity=9.0, surface=FLAT,
            scatterers=disc_facets([0, 0, -0.1], frequency=f, spacing=0.01, **disc),
            coupling=0.0, surface_radius=0.4,
        )
        for f in (tones, F[0] * np.arange(4, 37))
    )  # fmt: skip
    size = np.abs(every).max()
    npt.assert_allclose(picked, every[:, 1::2][:, : len(tones)], atol=2e-3 * size)


def test_one_scene_has_the_same_echo_times_in_both_modes():
    """A windowed transform of tones puts echoes where the impulse radar hears them."""
    h, z = 0.15, 0.12
    tones = np.linspace(0.6e9, 3.6e9, 301)
    place = {"surface": FLAT, "coupling": 0.0, "permittivity": 9.0, "surface_radius": 0.0}

    def plate(f):
        return disc_facets([0, 0, -z], diameter=0.3, frequency=f, soil=9.0, below=np.inf)

    antennas = ([[-0.02, 0, h]], [[0.02, 0, h]])
    trace = radar_traces(*antennas, **BAND, scatterers=plate(F), **place)[0]
    spectrum = radar_spectra(*antennas, frequency=tones, scatterers=plate(tones), **place)[0]
    impulse = trace.argmin() * BAND["interval"] - 1 / 1.5e9  # metal turns the pulse over
    for window in ("hann", "kaiser"):
        stepped = tones_to_time(spectrum, tones, n_samples=800, interval=10e-12, window=window)
        arrival = stepped.argmin() * 10e-12
        assert abs(arrival - impulse) < 0.12e-9
        assert abs(arrival - 2 * (h + 3 * z) / C) < 0.12e-9


def test_tones_become_pulses():
    """Of their own size, at their own time, and as wide as the band lets them be."""
    tones = np.linspace(0.6e9, 6e9, 501)  # a published laboratory unit
    time = np.arange(4000) * 10e-12
    spectra = np.array([0.5, -0.2])[:, None] * np.exp(-2j * np.pi * tones * 7e-9)
    for window, width in (("none", 1.21), ("hann", 2.0), ("kaiser", 1.99)):
        traces = tones_to_time(spectra, tones, n_samples=4000, interval=10e-12, window=window)
        assert traces.shape == (2, 4000)
        npt.assert_allclose(np.abs(traces).max(axis=1), [0.5, 0.2], rtol=1e-3)
        npt.assert_allclose(time[np.abs(traces).argmax(axis=1)], 7e-9, atol=10e-12)
        shifted = tones_to_time(
            1j * spectra, tones, n_samples=4000, interval=10e-12, window=window
        )
        envelope = np.hypot(traces[0], shifted[0])
        wide = np.count_nonzero(envelope > 0.25) * 10e-12
        npt.assert_allclose(wide, width / 5.4e9, rtol=0.06)  # between half of the peak
    npt.assert_allclose(1 / (tones[1] - tones[0]), 92.6e-9, rtol=1e-3)
    npt.assert_allclose(1 / 5.4e9, 0.185e-9, rtol=2e-3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"interval": 1e-9}, "at most half the period of the last tone"),
        ({"spectra": np.ones(5)}, "Must be numbers at the 3 tones"),
        ({"spectra": ["a", "b", "c"]}, "Must be numbers"),
        ({"window": "x"}, "Invalid window 'x'"),
        ({"window": "kaiser", "beta": -1.0}, "Invalid beta"),
        ({"n_samples": 0}, "Invalid n_samples"),
    ],
)
def test_tones_to_time_refuses(options, message):
    default = {
        "spectra": np.ones(3), "frequency": [1e9, 2e9, 3e9], "n_samples": 10,
        "interval": 0.1e-9,
    }  # fmt: skip
    settings = default | options
    with pytest.raises(ValueError, match=message):
        tones_to_time(settings.pop("spectra"), settings.pop("frequency"), **settings)


def test_late_echoes_come_round_in_steps_of_tones():
    """With tones 100 MHz apart, an echo after 10 ns looks as if it were 10 ns earlier."""
    tones = np.arange(0.5e9, 3e9, 100e6)
    depth = 0.6
    thing = Scatterers(
        position=[[0, 0, -depth]], normal=[[0, 0, 0]], weight=[1.0], spectrum=[0],
        spectra=np.ones((1, len(tones))),
    )  # fmt: skip
    spectrum = radar_spectra(
        [[0, 0, 0.1]], [[0, 0, 0.1]], frequency=tones, permittivity=9.0, surface=FLAT,
        scatterers=thing, coupling=0.0, surface_radius=0.0,
    )[0]  # fmt: skip
    time = np.arange(0, 10e-9, 10e-12)
    found = time[np.abs(spectrum @ np.exp(2j * np.pi * np.outer(tones, time))).argmax()]
    delay = 2 * (0.1 + 3 * depth) / C
    assert delay > 12e-9
    assert abs(found - (delay - 10e-9)) < 0.1e-9


@pytest.mark.parametrize(
    ("frequency", "message"),
    [
        ([1e9], "Must be two or more"),
        ([0.0, 1e9], "greater than zero"),
        ([1e9, 2e9, 4e9], "Must be regular"),
        ([2e9, 1e9], "strictly increasing"),
        (np.linspace(1e9, 40e9, 40), "half the shortest wavelength"),
    ],
)
def test_radar_spectra_refuses(frequency, message):
    with pytest.raises(ValueError, match=message):
        radar_spectra(
            [[0, 0, 0.1]], [[0, 0, 0.1]], frequency=frequency, permittivity=9.0,
            surface=FLAT, scatterers=no_scatterers(len(frequency)), coupling=0.0,
        )  # fmt: skip


def test_separations_have_tables_of_their_own():
    """Pairs of two separations in one call are as if called apart."""
    tx = np.array([[0, 0, 0.35], [0.05, 0, 0.35], [0, 0.02, 0.36]])
    rx = tx + np.array([[0.06, 0, 0], [0.1, 0, 0], [0, 0.06, 0]])
    together = record(tx, rx, scene(), surface=ROUGH, coupling=0.1)
    for i in range(3):
        alone = record(tx[i], rx[i], scene(), surface=ROUGH, coupling=0.1)
        assert alone.tobytes() == together[i : i + 1].tobytes()


def test_no_spectra_are_fine():
    empty = np.empty((0, 3))
    ground = Surface(origin=[-1, -1], step=0.03, heights=np.zeros((68, 68)))
    spectra = radar_spectra(
        empty, empty, frequency=TONES[1:] / 2, permittivity=9.0, surface=ground,
        scatterers=no_scatterers(2), coupling=0.0,
    )  # fmt: skip
    assert spectra.shape == (0, 2)
