"""Test images of radar profiles against loops over their formulas, and theory."""

import dataclasses
import math

import naive_imaging as naive
import numpy as np
import numpy.testing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lanes import make_coils, make_sensor, make_sweep
from scipy import fft

from minesense._kernels.migration import remove_air_leg
from minesense.constants import SPEED_OF_LIGHT
from minesense.gpr import kirchhoff, migration, phase_shift, stolt
from minesense.gpr.migration import _padded
from minesense.sweep import Quality

STEP, SPACING, VELOCITY = 1e-10, 0.02, 1e8  # s, m, m/s
OPTIONS = {"velocity": VELOCITY, "spacing": SPACING}
RNG = np.random.default_rng(seed=0)
NOISE = RNG.normal(size=(24, 2, 30)).astype(np.float32)
METHODS = {"kirchhoff": kirchhoff, "stolt": stolt, "phase shift": phase_shift}
both = pytest.mark.parametrize("image_of", METHODS.values(), ids=METHODS)


def profile_of(traces, *, start=0.0, **options):
    """Return traces as a profile of 0.1 ns and 2 cm, the first sample at `start`, in s."""
    traces = np.asarray(traces, np.float32)
    sensor = make_sensor(*traces.shape[1:], interval=STEP)
    sensor = dataclasses.replace(sensor, axis=sensor.axis + start)
    return make_sweep(traces, spacing=SPACING, sensor=sensor, **options)


def arrivals(n_traces, at, depth, height=0.0):
    """Return two-way times to a point below trace `at`, the shortest way at a flat ground."""
    away = SPACING * np.abs(np.arange(n_traces) - at)[:, None]
    # of the way along the track the part in air; no wave is to creep along the ground
    share = np.linspace(0, 1 if height else 0, 2001)
    legs = np.hypot(height, share * away) / SPEED_OF_LIGHT
    legs += np.hypot(depth, (1 - share) * away) / VELOCITY
    return 2 * legs.min(axis=1)


def echoes(times, n_samples=100, *, is_odd=False, frequency=8e8):
    """Return Ricker wavelets at the times, or with `is_odd` what they are derivatives of."""
    phase = math.pi * frequency * (STEP * np.arange(n_samples) - times[:, None])
    shape = phase if is_odd else 1 - 2 * phase**2
    return (shape * np.exp(-(phase**2)))[:, None]


def peak_of(image):
    """Return trace and sample of the greatest magnitude."""
    trace, _, sample = np.unravel_index(np.abs(image.samples).argmax(), image.samples.shape)
    return int(trace), int(sample)


# Against the definitions


@pytest.mark.parametrize("start", [0.0, -5.4, 7.3])
@pytest.mark.parametrize("options", [{}, {"aperture": 0.06}, {"angle": 0.3}])
def test_kirchhoff_matches_the_sum(start, options):
    """Whatever the time of the first sample, however far the sum reaches."""
    quality = np.zeros(24, np.int64)
    quality[[0, 9, 10]] = Quality.STUCK
    profile = profile_of(NOISE, start=start * STEP, quality=quality)
    result = kirchhoff(profile, **OPTIONS, **{"angle": 0.9} | options).samples
    for c in range(2):
        expected = naive.kirchhoff(
            profile.samples[:, c],
            profile.sensor.axis,
            is_usable=profile.is_usable,
            **OPTIONS,
            **options,
        )
        largest = np.nanmax(np.abs(expected))
        npt.assert_allclose(result[:, c], expected, rtol=1e-5, atol=1e-6 * largest)


def test_kirchhoff_in_blocks():
    """Traces beyond the first block of 256 are imaged like those before."""
    traces = np.zeros((300, 1, 12), np.float32)
    traces[250:262] = NOISE[:12, :1, :12]
    whole = kirchhoff(profile_of(traces), **OPTIONS).samples
    part = kirchhoff(profile_of(traces[200:]), **OPTIONS).samples
    npt.assert_array_equal(whole[220:280], part[20:80])


@pytest.mark.parametrize("start", [0.0, -5.4, 7.3])
@pytest.mark.parametrize("height", [0.0, 0.05])
def test_stolt_matches_the_transform(start, height):
    """The transforms in one sum: what differs is the interpolation, less than 1e-3."""
    quality = np.zeros(24, np.int64)
    quality[[0, 9, 10]] = Quality.STUCK
    profile = profile_of(NOISE, start=start * STEP, quality=quality)
    result = stolt(profile, **OPTIONS, height=height).samples[:, 1]
    rates = [u * STEP / SPACING for u in (VELOCITY / 2, SPEED_OF_LIGHT / 2)]
    length, n_wide = _padded(24, 30, start, *rates, 2 * height / SPEED_OF_LIGHT / STEP)
    expected = naive.stolt(
        profile.samples[:, 1],
        profile.sensor.axis,
        is_usable=profile.is_usable,
        **OPTIONS,
        height=height,
        n_wide=n_wide,
        length=length,
    )
    npt.assert_allclose(result, expected, atol=1e-3 * np.nanmax(np.abs(expected)))


def test_stolt_in_blocks():
    """More traces, frequencies and wavenumbers than one block of 64 holds."""
    traces = np.zeros((150, 1, 70), np.float32)
    traces[60:84, :, 20:50] = NOISE[:, :1]
    result = stolt(profile_of(traces), **OPTIONS).samples[:, 0]
    rate = VELOCITY / 2 * STEP / SPACING
    length, n_wide = _padded(150, 70, 0.0, rate, 1.0, 0.0)
    expected = naive.stolt(
        traces[:, 0],
        STEP * np.arange(70),
        is_usable=np.ones(150, bool),
        **OPTIONS,
        n_wide=n_wide,
        length=length,
    )
    npt.assert_allclose(result, expected, atol=1e-3 * np.abs(expected).max())


@pytest.mark.parametrize("start", [0.0, -5.4, 7.3])
@pytest.mark.parametrize("height", [0.0, 0.05])
def test_phase_shift_matches_the_transform(start, height):
    """One layer, and two where a sample lies at the border; float32 all the same."""
    traces = NOISE[:14, :1, :20]
    # not a velocity at which a wave grazes exactly, in or out by rounding
    upper, border = 0.97e8, (8 if start == 0 else 99) * STEP
    layers = [(0.0, upper), (border, 0.7e8)]
    lane = profile_of(traces, start=start * STEP)
    result = phase_shift(lane, velocity=layers, spacing=SPACING, height=height).samples
    air = 2 * height / SPEED_OF_LIGHT / STEP
    reach = (8 * upper + 11 * 0.7e8 if start == 0 else (abs(start) + 19) * upper) / 2
    reach *= STEP / SPACING
    reach += air * SPEED_OF_LIGHT / 2 * STEP / SPACING
    expected = naive.phase_shift(
        lane.samples[:, 0],
        lane.sensor.axis,
        layers=layers,
        spacing=SPACING,
        height=height,
        n_wide=fft.next_fast_len(14 + math.ceil(reach)),
        length=2
        * fft.next_fast_len(max(20, math.ceil((abs(start) + 21 + air) / 2)), real=True),
    )
    npt.assert_allclose(result[:, 0], expected, atol=1e-5 * np.abs(expected).max())


def test_phase_shift_agrees_with_stolt():
    """At one velocity they are one image, but for waves that graze."""
    profile = profile_of(echoes(arrivals(121, 60, 0.2, 0.1), 120))
    one, other = (f(profile, **OPTIONS, height=0.1).samples for f in (stolt, phase_shift))
    npt.assert_allclose(other, one, atol=0.06 * np.abs(one).max())
    assert np.corrcoef(one.ravel(), other.ravel())[0, 1] > 0.98


# Theory


def test_layers_bend_rays():
    """A point below a faster layer focuses at its vertical time, more sharply than without."""
    bend, depth, slow = 0.1, 0.1, 0.6e8
    away = SPACING * np.abs(np.arange(81) - 40)[:, None]
    share = np.linspace(0, 1, 2001)
    times = np.hypot(bend, share * away) / 1.4e8 + np.hypot(depth, (1 - share) * away) / slow
    profile = profile_of(echoes(2 * times.min(axis=1)))
    top = 2 * bend / 1.4e8
    image = phase_shift(profile, velocity=[(0, 1.4e8), (top, slow)], spacing=SPACING)
    trace, sample = peak_of(image)
    assert abs(trace - 40) <= 1
    assert abs(sample - (top + 2 * depth / slow) / STEP) <= 2.1
    wrong = phase_shift(profile, velocity=slow, spacing=SPACING)
    assert np.abs(image.samples).max() > 1.1 * np.abs(wrong.samples).max()


@given(at=st.integers(20, 40), depth=st.floats(0.1, 0.3), velocity=st.floats(0.8e8, 1.2e8))
def test_a_point_focuses_at_its_place(at, depth, velocity):
    """Within a trace and a sample or two, at any place, depth and velocity."""
    options = {"velocity": velocity, "spacing": SPACING}
    times = 2 * np.hypot(depth, SPACING * (np.arange(61) - at)) / velocity
    expected = 2 * depth / velocity / STEP
    trace, sample = peak_of(kirchhoff(profile_of(echoes(times, is_odd=True)), **options))
    assert abs(trace - at) <= 1
    assert abs(sample - expected) <= 1
    trace, sample = peak_of(stolt(profile_of(echoes(times)), **options))
    assert abs(trace - at) <= 1
    assert abs(sample - expected) <= 2.1  # 45 degrees late, of a period of 12.5 samples


@both
def test_a_wrong_velocity_blurs(image_of):
    """The image is sharpest at the velocity that made the echoes."""
    profile = profile_of(echoes(arrivals(61, 30, 0.25)))
    images = [
        image_of(profile, velocity=v, spacing=SPACING).samples.astype(float)[:, :, 20:]
        for v in (0.8e8, 1e8, 1.25e8)
    ]
    low, true, high = ((x**4).sum() / (x**2).sum() ** 2 for x in images)
    assert true > 1.2 * max(low, high)


def test_the_air_leg_moves_echoes_up():
    """10 ns over 30 cm of air are 8 ns from the ground; a wrong sign would make 12 ns."""
    profile = profile_of(echoes(np.full(40, 10e-9), 140))
    image = stolt(profile, **OPTIONS, height=0.3).samples[10:30, 0]
    npt.assert_array_equal(np.abs(image).argmax(axis=1), 80)


def test_a_wrong_sign_of_the_air_leg_focuses_at_the_wrong_depth(monkeypatch):
    """Pitfall 25: below air a point comes to its depth, with the other sign far below it."""
    height, depth = 0.2, 0.2
    profile = profile_of(echoes(arrivals(121, 60, depth, height), 160))
    trace, sample = peak_of(stolt(profile, **OPTIONS, height=height))
    assert abs(trace - 60) <= 1
    assert abs(sample - 2 * depth / VELOCITY / STEP) <= 2.1

    def add_air_leg(squares, air_squares, turn, out):
        remove_air_leg(squares, air_squares, -turn, out)

    monkeypatch.setattr(migration, "remove_air_leg", add_air_leg)
    _, wrong = peak_of(stolt(profile, **OPTIONS, height=height))
    assert wrong * STEP * VELOCITY / 2 > depth + 0.05


@both
@settings(max_examples=20)
@given(gain=st.floats(-3, 3), seed=st.integers(0, 9))
def test_images_add(image_of, gain, seed):
    """The image of a sum is the sum of the images."""
    other = np.random.default_rng(seed).normal(size=NOISE.shape).astype(np.float32)
    parts = [image_of(profile_of(x), **OPTIONS).samples for x in (NOISE, other)]
    whole = image_of(profile_of(NOISE + np.float32(gain) * other), **OPTIONS).samples
    expected = parts[0] + np.float32(gain) * parts[1]
    npt.assert_allclose(whole, expected, atol=2e-5 * np.abs(expected).max())


@both
@settings(max_examples=20)
@given(shift=st.integers(1, 20))
def test_images_move_with_the_profile(image_of, shift):
    """Traces that stand elsewhere in the lane have the same image there."""
    traces = np.zeros((70, 1, 30), np.float32)
    traces[20:30] = NOISE[:10, :1]
    here = image_of(profile_of(traces), **OPTIONS).samples
    there = image_of(profile_of(np.roll(traces, shift, axis=0)), **OPTIONS).samples
    npt.assert_allclose(there[shift:], here[:-shift], rtol=0, atol=1e-6 * np.abs(here).max())


@both
def test_nothing_from_nothing(image_of):
    """Zeros stay zeros."""
    assert not image_of(profile_of(np.zeros((9, 1, 20))), **OPTIONS).samples.any()


def test_a_flat_reflector_stays():
    """Without height Stolt's mapping leaves it as it is, far from the ends of the lane."""
    traces = echoes(np.full(200, 5e-9))
    image = stolt(profile_of(traces), **OPTIONS).samples
    npt.assert_allclose(image[60:140], traces[60:140], atol=0.02)


def test_a_flat_reflector_is_turned_by_135_degrees():
    """What stationary phase says of the sum: half a derivative, reversed, in its place."""
    n, spacing, at = 300, 0.032, 20e-9
    sensor = profile_of(np.zeros((1, 1, n))).sensor
    trace = echoes(np.array([at]), n, frequency=4e8)
    lane = make_sweep(np.repeat(trace, 51, axis=0), spacing=spacing, sensor=sensor)
    image = kirchhoff(lane, velocity=VELOCITY, spacing=spacing, aperture=0.8).samples[25, 0]
    w = 2 * np.pi * np.fft.rfftfreq(n, STEP)
    # near the vertical 2 r / v = at + q x^2, and the integral over x is Fresnel's
    q = 2 / (VELOCITY**2 * at)
    half = np.sqrt(np.pi * w / q) * np.exp(0.75j * np.pi) / (VELOCITY**2 * at / 2) / spacing
    expected = np.fft.irfft(np.fft.rfft(trace[0, 0]) * half, n)
    npt.assert_allclose(image[150:250], expected[150:250], atol=0.06 * expected.max())


# Flags, threads, records


@both
def test_flagged_traces_have_no_say(image_of):
    """Whatever a flagged trace holds, the others are imaged alike; it stays flagged, NaN."""
    quality = np.zeros(24, np.int64)
    quality[[5, 11]] = Quality.NOT_FINITE, Quality.SATURATED
    traces = np.array(NOISE)
    images = []
    for value in (0.0, 1e30, np.nan):
        traces[[5, 11]] = value
        image = image_of(profile_of(traces, quality=quality), **OPTIONS)
        npt.assert_array_equal(image.quality, quality)
        assert np.isnan(image.samples[[5, 11]]).all()
        images.append(np.delete(image.samples, [5, 11], axis=0))
    assert np.isfinite(images[0]).all()
    npt.assert_array_equal(images[1], images[0])
    npt.assert_array_equal(images[2], images[0])


@both
@pytest.mark.parametrize("n_traces", [0, 1, 24, 300])
def test_threads_give_the_same_bytes(image_of, n_traces):
    """However many share the work, and for lanes of no trace and of one."""
    profile = profile_of(np.tile(NOISE[:, :, :10], (13, 1, 1))[:n_traces])
    one, two = (image_of(profile, **OPTIONS, workers=n).samples for n in (1, 2))
    assert one.dtype == np.float32
    assert one.shape == (n_traces, 2, 10)
    assert one.tobytes() == two.tobytes()


def test_the_record_says_what_was_done():
    """A line of history, and units; the profile is left as it was."""
    profile = profile_of(NOISE)
    image = kirchhoff(profile, **OPTIONS, angle=0.5)
    assert image.history[-1].endswith(
        "kirchhoff(velocity=100000000.0, spacing=0.02, aperture=None, angle=0.5)"
    )
    assert (image.sensor.quantity, image.sensor.unit) == ("image", "1/m2")
    image = stolt(profile, **OPTIONS)
    assert image.history[-1].endswith("stolt(velocity=100000000.0, spacing=0.02, height=0.0)")
    volts = make_sensor(2, 30, unit="V")
    assert kirchhoff(make_sweep(NOISE, spacing=0.02, sensor=volts), **OPTIONS).sensor.unit == (
        "V/m2"
    )
    npt.assert_array_equal(profile.samples, NOISE)
    assert profile.history == ()


# Bad input


@both
@pytest.mark.parametrize(
    ("bad", "error", "message"),
    [
        ({"velocity": 0.1}, ValueError, r"Invalid velocity '0.1'. Must be from a tenth"),
        ({"velocity": 4e8}, ValueError, r"Invalid velocity '4e\+08'"),
        ({"velocity": None}, TypeError, "Invalid velocity None. Must be a number"),
        ({"spacing": 0.0}, ValueError, r"Invalid spacing '0.0'. Must be finite and gr"),
        ({"spacing": 0.022}, ValueError, r"'0.022' for lane 'lane 1': .* 0.02 m apart"),
        ({"workers": 0}, ValueError, "Invalid workers '0'. Must be at least 1"),
    ],
)
def test_bad_options_are_named(image_of, bad, error, message):
    """The error names the argument, shows its value and states the rule."""
    with pytest.raises(error, match=message):
        image_of(profile_of(NOISE), **OPTIONS | bad)


def test_bad_options_of_one_method_are_named():
    """The angle, the aperture and the height."""
    profile = profile_of(NOISE)
    with pytest.raises(ValueError, match=r"Invalid angle '50.0'. Must be less than pi / 2"):
        kirchhoff(profile, **OPTIONS, angle=50.0)
    with pytest.raises(ValueError, match=r"Invalid aperture '-1.0'. Must be finite and gr"):
        kirchhoff(profile, **OPTIONS, aperture=-1.0)
    with pytest.raises(ValueError, match=r"Invalid height '-0.1'. Must be finite and not neg"):
        stolt(profile, **OPTIONS, height=-0.1)


@pytest.mark.parametrize(
    ("velocity", "message"),
    [
        ([(1e-9, 1e8)], r"Invalid velocity .* Must begin with a layer at time 0\.0"),
        (np.zeros((0, 2)), r"Must begin with a layer at time 0\.0"),
        ([(0.0, 1e8), (2e-9, 0.1)], r"Invalid velocity '0\.1'"),
        ([(0.0, 1e8), (0.0, 1e8)], "Invalid times of velocity: .* strictly increasing"),
        ([1e8, 1e8], r"Invalid velocity with shape \(2,\)"),
    ],
)
def test_bad_layers_are_named(velocity, message):
    """Layers begin at the ground and follow each other, each with a possible velocity."""
    with pytest.raises(ValueError, match=message):
        phase_shift(profile_of(NOISE), velocity=velocity, spacing=SPACING)


@both
def test_uneven_traces_are_refused(image_of):
    """One trace out of place, a gap, a lane that turns back; unknown places are not."""
    position = np.array(profile_of(NOISE).position)
    position[12, 1] += 0.5 * SPACING
    with pytest.raises(ValueError, match=r"Invalid spacing '0.02' .* 0.03 m before trace 12"):
        image_of(profile_of(NOISE, position=position), **OPTIONS)
    position[12:, 1] = position[11::-1, 1] + SPACING
    with pytest.raises(ValueError, match="Must agree within 5 %"):
        image_of(profile_of(NOISE, position=position), **OPTIONS)
    quality = np.zeros(24, np.int64)
    quality[[0, 7]] = Quality.GAP
    with pytest.raises(ValueError, match=r"1 of its traces, the first is trace 7. Must be con"):
        image_of(profile_of(NOISE, quality=quality), **OPTIONS)
    position = np.array(profile_of(NOISE).position)
    for lost in (slice(3, 9), slice(1, None)):
        position[lost] = np.nan
        quality = np.where(np.isnan(position[:, 0]), Quality.POSE_NONE, 0)
        profile = profile_of(NOISE, position=position, quality=quality)
        expected = image_of(profile_of(NOISE), **OPTIONS).samples
        npt.assert_array_equal(image_of(profile, **OPTIONS).samples, expected)


@both
def test_only_radars_with_regular_axes(image_of):
    """Metal detectors and irregular axes are refused by name."""
    coils = make_sweep(np.zeros((3, 2, 12)), sensor=make_coils(2, 12))
    with pytest.raises(ValueError, match=r"of kind 'emi', axis in s\. Must be a radar"):
        image_of(coils, **OPTIONS)
    axis = STEP * np.arange(30)
    axis[7] += STEP / 3
    sensor = dataclasses.replace(profile_of(NOISE).sensor, axis=axis)
    with pytest.raises(ValueError, match="Must be regular, two values or more"):
        image_of(make_sweep(NOISE, spacing=SPACING, sensor=sensor), **OPTIONS)
