"""Test traces from tones against the sum by definition, pulses of one scene, and theory."""

import dataclasses
import math

import naive_geometry as naive
import numpy as np
import numpy.testing as npt
import pytest
from lanes import make_phasors, make_sensor, make_sweep
from scipy import signal
from test_radar_physics import BAND, LOAM, ROUGH, RX, TX, F, scene

from minesense.gpr import traces_from_tones
from minesense.gpr.tones import weigh_tones
from minesense.physics import radar_spectra, radar_traces, ricker_spectrum, tones_to_time
from minesense.sensor import Radar, Sensor
from minesense.sweep import Quality

TONES = np.linspace(0.6e9, 3e9, 61)  # alias after 25 ns
TIMES = {"interval": 0.05e-9, "duration": 20e-9}
RNG = np.random.default_rng(seed=0)


def tone_sensor(tones=TONES, n_channels=1):
    """Return a stepped-frequency radar."""
    return Sensor(
        name="test tones",
        kind="gpr",
        axis=tones,
        axis_unit="Hz",
        lever_arms=np.zeros((n_channels, 3)),
        is_complex=True,
        unit="V",
    )


def lane_of(phasors, tones=TONES, **options):
    """Return phasors, (n_traces, n_channels, n_tones), as a lane."""
    phasors = np.asarray(phasors, np.complex64)
    sensor = tone_sensor(tones, phasors.shape[1])
    return make_sweep(np.ascontiguousarray(phasors).view(np.float32), sensor=sensor, **options)


def echo(delay, tones=TONES, size=1.0):
    """Return the phasors of an echo that is the same at all tones."""
    return size * np.exp(-2j * np.pi * tones * delay)


def noise(shape):
    """Return complex noise."""
    return RNG.normal(size=shape) + 1j * RNG.normal(size=shape)


UNEVEN = np.sort(TONES + 1e7 * np.random.default_rng(seed=1).uniform(-1, 1, len(TONES)))


@pytest.mark.parametrize("tones", [TONES, UNEVEN], ids=["even", "uneven"])
@pytest.mark.parametrize("window", [None, "hann", "blackman", ("kaiser", 6.0)])
@pytest.mark.parametrize("n_traces", [0, 1, 8, 19])
def test_matches_the_definition(tones, window, n_traces):
    """Tone by tone, for more traces and fewer than share a row of the tables."""
    lane = lane_of(noise((n_traces, 2, len(tones))), tones)
    result = traces_from_tones(lane, **TIMES, start=-1e-9, delay=0.3e-9, window=window)
    assert result.samples.shape == (n_traces, 2, 400)
    weights = weigh_tones(tones, float(np.median(np.diff(tones))), window)
    for k in range(min(n_traces, 9)):
        for c in range(2):
            times = result.sensor.axis[::40] + 0.3e-9
            expected = naive.trace_of_tones(lane.phasors[k, c], tones, weights, times)
            npt.assert_allclose(result.samples[k, c, ::40], expected, atol=3e-6)


def test_agrees_with_the_transform_of_the_models():
    """On regular tones it is the function that models use."""
    spectra = noise((5, 1, 61)).astype(np.complex64)
    for window in ("hann", "none"):
        expected = tones_to_time(spectra, TONES, n_samples=400, interval=5e-11, window=window)
        given = None if window == "none" else window
        result = traces_from_tones(lane_of(spectra), **TIMES, window=given)
        npt.assert_allclose(result.samples, expected, atol=3e-6)


def test_one_scene_gives_the_trace_of_an_impulse_radar():
    """Tones of a rough scene, shaped by the pulse, are its simulated trace in time."""
    settings = {
        "permittivity": LOAM, "surface": ROUGH, "scatterers": scene(), "coupling": 0.02,
        "reach": 0.4,
    }  # fmt: skip
    expected = radar_traces(TX, RX, **BAND, **settings)
    spectra = radar_spectra(TX, RX, frequency=F, time_zero=1 / 1.5e9, **settings)
    # the mean of all tones becomes their integral, both sides of 0 Hz
    spectra = spectra * ricker_spectrum(F, peak=1.5e9) * (2 * F[0] * len(F))
    result = traces_from_tones(
        lane_of(spectra[:, None], F),
        interval=BAND["interval"],
        duration=BAND["n_samples"] * BAND["interval"],
        window=None,
    )
    npt.assert_allclose(result.sensor.axis, BAND["interval"] * np.arange(BAND["n_samples"]))
    error = np.abs(result.samples[:, 0] - expected).max()
    assert error < 2e-3 * np.abs(expected).max()


@pytest.mark.parametrize("first", [0.6e9, 0.617e9, 0.0])
def test_the_start_of_the_band_moves_nothing(first):
    """An echo peaks where it is, though the first tone is no multiple of the step."""
    tones = first + 40e6 * np.arange(61)
    result = traces_from_tones(lane_of(echo(7e-9, tones)[None, None], tones), **TIMES)
    trace = result.samples[0, 0]
    assert result.sensor.axis[trace.argmax()] == pytest.approx(7e-9)
    assert trace.max() == pytest.approx(1.0, abs=1e-4)


def test_windows_lower_side_lobes():
    """Without a window -13 dB, Hann below -31 dB, Blackman below -55 dB of the envelope."""
    tones = np.linspace(1e9, 5e9, 401)
    lane = lane_of(echo(10e-9, tones)[None, None], tones)
    for window, first_null, most in (
        (None, 0.26, -13),
        ("hann", 0.52, -31),
        ("blackman", 0.77, -55),
    ):
        trace = traces_from_tones(lane, interval=2e-11, duration=20e-9, window=window).samples
        magnitude = np.abs(signal.hilbert(trace[0, 0]))
        far = np.abs(2e-11 * np.arange(1000) - 10e-9) > first_null * 1e-9
        lobe = 20 * math.log10(magnitude[far].max())
        assert most - 5 < lobe < most + 1, window


def test_a_finer_interval_reads_the_same_trace():
    """What others call zero padding: more samples, the same values between."""
    lane = lane_of(noise((1, 1, 61)))
    coarse = traces_from_tones(lane, interval=1e-10, duration=20e-9).samples
    fine = traces_from_tones(lane, interval=0.25e-10, duration=20e-9).samples
    npt.assert_allclose(fine[..., ::4], coarse, atol=1e-6)


def test_missing_tones_count_as_zero():
    """A notch in a regular raster is the same as zeros there, and is not made up."""
    keep = np.ones(61, bool)
    keep[[20, 21, 22, 40]] = False
    whole = noise((1, 1, 61))
    notched = traces_from_tones(
        lane_of(whole[..., keep], TONES[keep]), **TIMES, window=None
    ).samples
    zeroed = traces_from_tones(lane_of(whole * keep), **TIMES, window=None).samples
    npt.assert_allclose(notched, zeroed * 61 / 57, atol=3e-6)


# Calibration


def instrument(tones, rng):
    """Return the gain and phase of an instrument, smooth but for some weak tones."""
    gain = 1 + 0.4 * np.sin(np.arange(len(tones)) / 5)
    return gain * np.exp(
        1j * (2 * np.pi * tones * 3e-9 + rng.normal(scale=0.5, size=len(tones)))
    )


def test_a_plate_and_an_empty_room_undo_the_instrument():
    """What is left is the echo itself, at its time counted from the antennas."""
    own, room = instrument(TONES, RNG), 0.7 * echo(0.5e-9) + 0.2 * echo(9e-9)
    plate = -own * echo(2e-9)  # metal, 30 cm away
    seen = 0.25 * own * echo(6e-9)
    lane = lane_of((room + seen)[None, None])
    options = {"empty": room, "plate": room + plate, "plate_time": 2e-9, "water_level": 0.0}
    result = traces_from_tones(lane, **TIMES, **options)
    expected = traces_from_tones(lane_of(0.25 * echo(6e-9)[None, None]), **TIMES)
    npt.assert_allclose(result.samples, expected.samples, atol=1e-5)
    assert result.sensor.unit == "1"
    assert "plate='array'" in result.history[-1]
    # the plate itself is an echo of -1 at its time
    itself = traces_from_tones(lane_of((room + plate)[None, None]), **TIMES, **options)
    npt.assert_allclose(itself.samples.min(), -1.0, atol=1e-3)
    assert itself.sensor.axis[itself.samples[0, 0].argmin()] == pytest.approx(2e-9)


def test_an_empty_room_alone_is_subtracted():
    """By channel or the same for all; the unit stays."""
    room = noise((2, 61))
    lane = lane_of((room + echo(5e-9))[None])
    result = traces_from_tones(lane, **TIMES, empty=room)
    plain = traces_from_tones(lane_of(np.tile(echo(5e-9), (1, 2, 1))), **TIMES)
    npt.assert_allclose(result.samples, plain.samples, atol=1e-5)
    assert result.sensor.unit == "V"
    same = traces_from_tones(lane_of(np.tile(room[0], (1, 2, 1))), **TIMES, empty=room[0])
    npt.assert_allclose(same.samples, 0, atol=1e-6)


def test_the_water_level_keeps_weak_tones_down():
    """A tone that the antennas hardly radiate does not fill the trace with its noise."""
    own = np.ones(61)
    own[30] = 1e-6
    seen = own * echo(6e-9) + 1e-3

    def worst(level):
        result = traces_from_tones(
            lane_of(seen[None, None]), **TIMES, plate=-own * echo(0.0), water_level=level
        )
        return np.abs(result.samples).max()

    assert worst(0.0) > 10
    assert worst(0.01) < 1.1
    own[30] = 0.0  # not even then does it divide by zero
    assert np.isfinite(worst(0.0))
    assert worst(0.0) < 1.1


def test_the_record_of_the_sensor():
    """Real, in seconds, with a centre frequency; one that was known is kept."""
    result = traces_from_tones(lane_of(noise((2, 1, 61))), **TIMES, start=1e-9).sensor
    assert (result.axis_unit, result.is_complex, result.shape) == ("s", False, (1, 400))
    assert result.axis[0] == 1e-9
    assert result.sample_interval == pytest.approx(0.05e-9)
    assert result.radar == Radar(centre_frequency=1.8e9)
    known = Radar(centre_frequency=2e9, separation=0.06, height=0.3)
    lane = lane_of(noise((2, 1, 61)))
    lane = dataclasses.replace(lane, sensor=dataclasses.replace(lane.sensor, radar=known))
    assert traces_from_tones(lane, **TIMES).sensor.radar == known


def test_flagged_traces_are_nan():
    """Whatever they hold, and no other trace notices."""
    phasors = noise((20, 1, 61)).astype(np.complex64)
    plain = traces_from_tones(lane_of(phasors), **TIMES)
    quality = np.zeros(20, np.int64)
    quality[[3, 11]] = Quality.SATURATED
    phasors[[3, 11]] = [[[np.nan]], [[1e30]]]
    result = traces_from_tones(lane_of(phasors, quality=quality), **TIMES)
    assert np.isnan(result.samples[[3, 11]]).all()
    others = np.setdiff1d(np.arange(20), [3, 11])
    npt.assert_array_equal(result.samples[others], plain.samples[others])


# Bad input


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (
            {"interval": 0.2e-9},
            ValueError,
            r"interval '2e-10'. Must be at most half",
        ),
        ({"interval": 0.0}, ValueError, r"interval '0.0'"),
        ({"duration": 26e-9}, ValueError, r"duration '2.6e-08'. Must be at most 2.5e-08 s"),
        ({"duration": -1.0}, ValueError, r"duration '-1.0'"),
        ({"start": np.nan}, ValueError, "start 'nan'"),
        ({"delay": "x"}, TypeError, "delay 'x'"),
        ({"water_level": -0.1}, ValueError, "water_level '-0.1'"),
        ({"window": "no such"}, ValueError, "window 'no such'. Must be None or a name"),
        ({"window": "kaiser"}, ValueError, "window 'kaiser'. Must be None or a name"),
        ({"window": ("general_cosine", [0.0])}, ValueError, "Must have a sum over the tones"),
        ({"empty": np.zeros(60)}, ValueError, r"empty with shape \(60,\). Must be \(61,\)"),
        ({"empty": 1.0}, ValueError, r"empty with shape \(\). Must be \(\[n_channels,\]"),
        ({"plate": np.zeros((2, 61))}, ValueError, r"plate with shape \(2, 61\)"),
        ({"plate": np.full(61, np.nan)}, ValueError, "plate: 61 of 61 values are not finite"),
        ({"plate": ["x"] * 61}, TypeError, "plate of dtype <U1"),
        ({"plate": np.zeros(61)}, ValueError, "plate: it is that of empty air in channel 0"),
    ],
)
def test_bad_options_are_named(options, error, message):
    """The error names the option, shows its value and states the rule."""
    with pytest.raises(error, match=message):
        traces_from_tones(lane_of(noise((1, 1, 61))), **(TIMES | options))


def test_only_tones_of_radars():
    """Pulses, metal detectors, real samples, one tone and negative frequencies."""
    for sensor in (make_sensor(1, 8), make_phasors(1)):
        lane = make_sweep(np.zeros((1, *sensor.shape)), sensor=sensor)
        with pytest.raises(ValueError, match="Must be a radar with frequencies in Hz"):
            traces_from_tones(lane, **TIMES)
    for tones, message in (
        ([1e9], "1 tones from 1e\\+09 Hz. Must be two"),
        ([], "0 tones. Must be two"),
        ([-1e9, 0.0, 1e9], "3 tones from -1e\\+09 Hz. Must be two tones or more, none below"),
    ):
        with pytest.raises(ValueError, match=message):
            traces_from_tones(lane_of(np.zeros((1, 1, len(tones))), np.array(tones)), **TIMES)
