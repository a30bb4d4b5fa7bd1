"""Test images with refraction against loops over Fermat's principle, and theory."""

import dataclasses
import math

import naive_imaging as naive
import numpy as np
import numpy.testing as npt
import pytest
from lanes import make_coils, make_sensor, make_sweep

from minesense.constants import SPEED_OF_LIGHT
from minesense.gpr import back_project
from minesense.gpr._arrivals import legs
from minesense.sensor import Radar
from minesense.sweep import Quality

STEP, SPACING, INDEX = 1e-10, 0.02, 3.0  # s, m
DEPTHS = 0.03 * np.arange(1, 7)
OPTIONS = {"permittivity": INDEX**2, "spacing": SPACING, "depths": DEPTHS, "aperture": 0.1}
NOISE = np.random.default_rng(seed=0).normal(size=(14, 2, 44)).astype(np.float32)
WIDTH = SPEED_OF_LIGHT * STEP / 12  # of a bin of heights
BUMPY = WIDTH * (np.random.default_rng(seed=1).integers(20, 60, 14) + 0.5)
heights = pytest.mark.parametrize("height", [0.05, BUMPY], ids=["one", "each"])


def profile_of(traces, *, start=0.0, separation=0.0, height=None, **options):
    """Return traces as a profile of 0.1 ns and 2 cm, the first sample at `start`, in s."""
    traces = np.asarray(traces, np.float32)
    sensor = make_sensor(*traces.shape[1:], interval=STEP)
    radar = Radar(centre_frequency=1.5e9, separation=separation, height=height)
    sensor = dataclasses.replace(sensor, axis=sensor.axis + start, radar=radar)
    return make_sweep(traces, spacing=SPACING, sensor=sensor, **options)


def echoes(n_traces, at, depth, height, *, separation=0.0, n_samples=120, frequency=8e8):
    """Return Ricker wavelets from a point below trace `at`, by the fastest ways to it."""
    x = SPACING * (np.arange(n_traces) - at)
    height = np.broadcast_to(height, n_traces)
    legs = [
        [naive.leg(h, depth, abs(e + half), INDEX)[0] for h, e in zip(height, x, strict=True)]
        for half in (-separation / 2, separation / 2)
    ]
    phase = math.pi * frequency * (STEP * np.arange(n_samples) - np.sum(legs, axis=0)[:, None])
    return ((1 - 2 * phase**2) * np.exp(-(phase**2)))[:, None]


def peak_of(image):
    """Return trace and depth of the greatest value."""
    trace, _, k = np.unravel_index(np.nanargmax(image.values), image.values.shape)
    return int(trace), float(image.depths[k])


# Against the definition


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"height": 0.0},
        {"height": 0.3, "time_zero": -1e-9},
        {"height": BUMPY},
        {"height": np.where(np.arange(14) < 5, 0.0, BUMPY)},
        {"angle": 0.2},
        {"height": BUMPY, "angle": 0.2},
        {"aperture": 0.04},
        {"aperture": 9.0},
        {"separation": 0.07},
        {"separation": 0.07, "height": 0.0, "angle": 0.5},
        {"separation": 0.07, "height": BUMPY},
        {"start": -5.4 * STEP},
        {"start": 15.3 * STEP, "aperture": 9.0},
        {"start": 15.3 * STEP, "height": BUMPY},
    ],
)
def test_matches_the_sum(options):
    """Whatever the heights, antennas, limits, and the time of the first sample."""
    quality = np.zeros(14, np.int64)
    quality[[0, 5, 6]] = Quality.STUCK
    place = {key: options[key] for key in ("start", "separation") if key in options}
    others = {key: options[key] for key in options if key not in place}
    profile = profile_of(NOISE, quality=quality, **place)
    given = {"height": 0.05, "angle": 0.9} | OPTIONS | others
    result = back_project(profile, **given, coherence=True)
    plain = back_project(profile, **given)
    assert plain.coherence is None
    given["heights"] = np.broadcast_to(given.pop("height"), 14)
    del given["permittivity"]
    for c in range(2):
        image, coherence = naive.back_project(
            profile.samples[:, c],
            profile.sensor.axis,
            index=INDEX,
            separation=options.get("separation", 0.0),
            is_usable=profile.is_usable,
            **given,
        )
        npt.assert_allclose(result.values[:, c], image, rtol=1e-5, atol=2e-5)
        npt.assert_allclose(plain.values[:, c], image, rtol=1e-5, atol=2e-5)
        npt.assert_allclose(result.coherence[:, c], coherence, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("start", [0.0, 15.3 * STEP, 30.0 * STEP])
@pytest.mark.parametrize("n_traces", [1, 3, 7])
def test_few_columns_are_summed_alike(n_traces, start):
    """Short lanes take another way to the same bits, NaN where nothing is seen included."""
    quality = np.zeros(n_traces, np.int64)
    quality[[0, -1]] = Quality.STUCK if n_traces > 1 else 0
    profile = profile_of(NOISE[:n_traces], quality=quality, start=start)
    options = OPTIONS | {"height": 0.05, "depths": 0.01 * np.arange(1, 30)}
    few = back_project(profile, **options)
    block = back_project(profile, **options, coherence=True)
    npt.assert_array_equal(few.values, block.values)
    assert np.isnan(few.values).any()
    assert np.isfinite(few.values).any()


@pytest.mark.parametrize("height", [0.0, 0.0007, 0.005, 0.02, 0.021, 0.3])
def test_legs_are_the_fastest(height):
    """Within a hundredth of a picosecond, far out and at shallow points too."""
    depths, x = np.array([0.005, 0.02, 0.1, 0.5]), np.array([0.0, 0.05, 0.3, 1.0])
    for permittivity in (1.0, 2.0, 20.0):
        index = math.sqrt(permittivity)
        time, cosine, least = legs(0.04, height, depths, x, permittivity)
        for j, z in enumerate(depths):
            for k, e in enumerate(x):
                one, other = (naive.leg(height, z, abs(e + d), index) for d in (-0.02, 0.02))
                npt.assert_allclose(time[j, k], one[0] + other[0], atol=1e-14)
                npt.assert_allclose(cosine[j, k], (one[1] + other[1]) / 2, atol=1e-4)
                npt.assert_allclose(least[j, k], min(one[1], other[1]), atol=1e-4)


def test_heights_in_bins():
    """Times by height are wrong by less than a tenth of a sample, read from a ramp."""
    ramp = np.tile(np.arange(60, dtype=np.float32), (200, 1, 1))
    height = np.random.default_rng(seed=2).uniform(0.01, 0.2, 200)
    options = OPTIONS | {"aperture": 0.01}  # each column from its own trace
    result = back_project(profile_of(ramp), **options, height=height).values[:, 0]
    expected = 2 * (height[:, None] + INDEX * DEPTHS) / SPEED_OF_LIGHT / STEP
    wrong = np.abs(result - expected).max()
    assert 0.07 < wrong < 1 / 12 + 1e-4


# Theory


@pytest.mark.parametrize(("at", "depth", "height"), [(30, 0.15, 0.2), (27, 0.06, 0.05)])
def test_a_point_focuses_at_its_place(at, depth, height):
    """Within half a sample; neglecting the air or the bend at the ground puts it elsewhere."""
    profile = profile_of(echoes(61, at, depth, height), height=height)
    options = OPTIONS | {"depths": 0.002 * np.arange(5, 200), "aperture": 0.4}
    half_sample = SPEED_OF_LIGHT / INDEX / 2 * STEP / 2
    image = back_project(profile, **options)
    trace, found = peak_of(image)
    assert trace == at
    assert abs(found - depth) < half_sample
    without_air = back_project(profile, **options, height=0.0)
    assert peak_of(without_air)[1] > depth + 3 * half_sample
    without_bend = {"height": 0.0, "time_zero": 2 * height / SPEED_OF_LIGHT}
    straight = back_project(profile, **options, **without_bend)
    same = np.argmin(np.abs(image.depths - depth))
    assert image.values[at, 0, same] > 1.5 * straight.values[at, 0, same]


def test_separate_antennas_matter():
    """Where they are 12 cm apart, one antenna between them would see a deeper point."""
    traces = echoes(61, 30, 0.06, 0.05, separation=0.12)
    options = OPTIONS | {"depths": 0.002 * np.arange(5, 100), "aperture": 0.12}
    half_sample = SPEED_OF_LIGHT / INDEX / 2 * STEP / 2
    profile = profile_of(traces, separation=0.12, height=0.05)
    trace, depth = peak_of(back_project(profile, **options))
    assert trace == 30
    assert abs(depth - 0.06) < half_sample
    turned = profile_of(traces, separation=-0.12, height=0.05)
    npt.assert_array_equal(
        back_project(turned, **options).values, back_project(profile, **options).values
    )
    together = back_project(profile_of(traces, height=0.05), **options)
    assert peak_of(together)[1] > depth + half_sample


def test_height_of_every_trace():
    """An antenna that goes up and down focuses as a level one, but not with its mean."""
    height = 0.12 + 0.05 * np.sin(np.arange(61))
    profile = profile_of(echoes(61, 30, 0.1, height))
    options = OPTIONS | {"depths": 0.002 * np.arange(5, 150), "aperture": 0.4}
    image = back_project(profile, **options, height=height)
    trace, depth = peak_of(image)
    assert trace == 30
    assert abs(depth - 0.1) < SPEED_OF_LIGHT / INDEX / 2 * STEP / 2
    mean = back_project(profile, **options, height=0.12)
    assert np.nanmax(image.values) > 1.5 * np.nanmax(mean.values)


def test_height_of_every_channel():
    """Each channel is imaged with its own height, whatever that of the other."""
    both = np.array([[0.03, 0.08]])
    for height in (both, np.where(np.arange(14)[:, None] < 5, both, both[:, ::-1])):
        image = back_project(profile_of(NOISE), **OPTIONS, height=height)
        for c in range(2):
            own = np.broadcast_to(height, (14, 2))[:, c]
            alone = back_project(profile_of(NOISE[:, c : c + 1]), **OPTIONS, height=own)
            assert image.values[:, c].tobytes() == alone.values[:, 0].tobytes()
    mixed = np.where(np.arange(14)[:, None] < 5, [[0.03, 0.08]], [[0.03, 0.06]])
    image = back_project(profile_of(NOISE), **OPTIONS, height=mixed)
    level = back_project(profile_of(NOISE), **OPTIONS, height=0.03)
    assert image.values[:, 0].tobytes() == level.values[:, 0].tobytes()


@heights
def test_image_is_linear(height):
    """The image of a sum is the sum of the images."""
    one, other = NOISE[:, :1], NOISE[:, 1:]
    images = [
        back_project(profile_of(x), **OPTIONS, height=height).values
        for x in (one, other, 2 * one - 3 * other)
    ]
    npt.assert_allclose(images[2], 2 * images[0] - 3 * images[1], atol=2e-5)


@heights
def test_coherence_of_what_is_alike(height):
    """1 where all traces show the same, 0 where they are silent."""
    alike = back_project(
        profile_of(np.full((14, 1, 44), 0.3)), **OPTIONS, height=height, coherence=True
    ).coherence
    known = np.isfinite(alike)
    npt.assert_allclose(alike[known], 1, rtol=1e-5)
    assert alike.max(initial=0, where=known) <= 1
    silent = back_project(
        profile_of(np.zeros((14, 1, 44))), **OPTIONS, height=height, coherence=True
    ).coherence
    npt.assert_array_equal(silent[known], 0)


def test_coherence_of_a_point_and_of_noise():
    """Nearly 1 at a point; in white noise 1 / N on average, here of nine traces."""
    profile = profile_of(echoes(61, 30, 0.15, 0.2, frequency=6e8), height=0.2)
    image = back_project(profile, **OPTIONS, coherence=True)
    k = np.argmin(np.abs(image.depths - 0.15))
    assert image.coherence[30, 0, k] > 0.995
    noise = np.random.default_rng(seed=3).normal(size=(250, 1, 44))
    image = back_project(profile_of(noise), **OPTIONS, height=0.05, coherence=True)
    inner = image.coherence[4:-4]
    n = np.count_nonzero(np.isfinite(inner))
    assert n > 1000
    # neighbours share traces: as if each of nine were one
    assert abs(np.nanmean(inner) - 1 / 9) < 4 * (1 / 9) / math.sqrt(n / 9)


@heights
def test_flagged_traces_count_for_nothing(height):
    """Their values do not matter, NaN even; out of reach of others, the image is NaN."""
    quality = np.zeros(14, np.int64)
    quality[3:] = Quality.NOT_FINITE
    quality[1] = Quality.SATURATED
    traces = NOISE.copy()
    traces[3:] = np.nan
    traces[1] = 1e30
    image, other = (
        back_project(profile_of(x, quality=quality), **OPTIONS, height=height, coherence=True)
        for x in (traces, NOISE)
    )
    npt.assert_array_equal(image.values, other.values)
    npt.assert_array_equal(image.coherence, other.coherence)
    for values in (image.values, image.coherence):
        assert np.isfinite(values[:7, :, 0]).all()  # trace 2, and four to each side
        assert np.isnan(values[7:]).all()


@heights
def test_what_was_not_recorded_is_unknown(height):
    """Depths whose echo comes after the end are NaN, not silent."""
    options = OPTIONS | {"depths": [0.05, 2.0]}
    values = back_project(profile_of(NOISE), **options, height=height).values
    assert np.isfinite(values[..., 0]).all()
    assert np.isnan(values[..., 1]).all()


@pytest.mark.parametrize("is_level", [True, False])
def test_threads_and_blocks(is_level, monkeypatch):
    """Any threads and size of block give the same bytes, and blocks have no seams."""
    traces = np.random.default_rng(seed=4).normal(size=(300, 2, 24))
    height = 0.04 if is_level else np.where(np.arange(300) % 7, 0.04, 0.05)
    options = OPTIONS | {"depths": [0.05, 0.08], "height": height, "coherence": True}
    one, three = (back_project(profile_of(traces), **options, workers=n) for n in (1, 3))
    assert one.values.tobytes() == three.values.tobytes()
    assert one.coherence.tobytes() == three.coherence.tobytes()
    monkeypatch.setattr("minesense.gpr.back_projection.N_BLOCK", 37)
    monkeypatch.setattr("minesense.gpr._level.N_BLOCK", 37)
    small = back_project(profile_of(traces), **options, workers=2)
    assert one.values.tobytes() == small.values.tobytes()
    assert one.coherence.tobytes() == small.coherence.tobytes()
    plain = back_project(profile_of(traces), **options | {"coherence": False})
    assert one.values.tobytes() == plain.values.tobytes()
    if not is_level:
        options["height"] = height[210:]
    part = back_project(profile_of(traces[210:]), **options)
    npt.assert_array_equal(one.values[220:], part.values[10:])
    npt.assert_array_equal(one.coherence[220:], part.coherence[10:])


# The record


def test_record():
    """It says where and what it is; the sweep stays as it was."""
    profile = profile_of(NOISE, height=0.05)
    image = back_project(profile, **OPTIONS, coherence=True)
    assert (image.values.dtype, image.values.shape) == (np.float32, (14, 2, 6))
    assert (image.coherence.dtype, image.coherence.shape) == (np.float32, (14, 2, 6))
    npt.assert_array_equal(image.depths, DEPTHS)
    npt.assert_array_equal(image.position, profile.position)
    npt.assert_array_equal(profile.samples, NOISE)
    assert (image.lane, image.unit, image.frame) == ("lane 1", "1", profile.frame)
    assert "back_project(permittivity=9.0, spacing=0.02" in image.history[-1]
    assert "height=0.05" in image.history[-1]
    uneven = back_project(profile, **OPTIONS, height=BUMPY)
    assert "height=array" in uneven.history[-1]
    with pytest.raises(dataclasses.FrozenInstanceError):
        image.unit = "V"


@pytest.mark.parametrize("n_traces", [0, 1])
def test_short_lanes(n_traces):
    """A lane without a trace has an image without a column; one trace has its own."""
    profile = profile_of(NOISE[:n_traces])
    image = back_project(profile, **OPTIONS, height=0.05, coherence=True)
    assert image.values.shape == image.coherence.shape == (n_traces, 2, 6)
    npt.assert_allclose(image.coherence[np.isfinite(image.coherence)], 1, rtol=1e-5)


@pytest.mark.parametrize(
    ("bad", "error", "message"),
    [
        ({"permittivity": 0.9}, ValueError, "Invalid permittivity '0.9'. Must be relative"),
        ({"permittivity": 101}, ValueError, "Invalid permittivity '101'"),
        ({"permittivity": math.nan}, ValueError, "Invalid permittivity 'nan'. Must be finite"),
        ({"permittivity": "wet"}, TypeError, "Invalid permittivity 'wet'. Must be a number"),
        ({"spacing": 0.03}, ValueError, "Invalid spacing '0.03'"),
        ({"depths": []}, ValueError, "Invalid depths without a value"),
        ({"depths": [0.0, 0.1]}, ValueError, "Invalid depths '0'. Must be one or more"),
        ({"depths": [0.2, 0.1]}, ValueError, "Invalid depths: value 1 is 0.1 after 0.2"),
        ({"depths": [[0.1]]}, ValueError, r"Invalid depths with shape \(1, 1\)"),
        ({"depths": [math.nan]}, ValueError, "Invalid depths: 1 of 1"),
        ({"aperture": 0}, ValueError, "Invalid aperture '0.0'. Must be finite and greater"),
        ({"height": None}, ValueError, "sensor 'test radar' has none. Must be given"),
        ({"height": -0.1}, ValueError, "Invalid height '-0.1'. Must be finite and not neg"),
        ({"height": [0.1, 0.1]}, ValueError, r"Invalid height with shape \(2,\)"),
        ({"height": [[0.1] * 3]}, ValueError, r"Invalid height with shape \(1, 3\)"),
        (
            {"height": np.where(np.arange(14) == 4, -0.1, 0.1)},
            ValueError,
            "Invalid height '-0.1' of trace 4. Must not",
        ),
        (
            {"height": np.where(np.arange(14) == 4, math.nan, 0.1)},
            ValueError,
            "Invalid height: 1 of 14",
        ),
        ({"time_zero": math.inf}, ValueError, "Invalid time_zero 'inf'. Must be finite"),
        ({"angle": 0}, ValueError, "Invalid angle '0.0'. Must be finite and greater"),
        ({"angle": 1.6}, ValueError, "Invalid angle '1.6'. Must be less than pi / 2"),
        ({"workers": 0}, ValueError, "Invalid workers '0'. Must be at least 1"),
    ],
)
def test_bad_input_is_named(bad, error, message):
    """The error names the argument, shows its value and states the rule."""
    with pytest.raises(error, match=message):
        back_project(profile_of(NOISE), **{"height": 0.05} | OPTIONS | bad)


def test_other_sweeps_are_refused():
    """Coils make no profile, a gap ends one, and without a radar there is no height."""
    options = OPTIONS | {"height": 0.05}
    coils = make_sweep(np.zeros((4, 2, 12)), sensor=make_coils())
    with pytest.raises(ValueError, match="Invalid sensor"):
        back_project(coils, **options)
    quality = np.zeros(14, np.int64)
    quality[3] = Quality.GAP
    with pytest.raises(ValueError, match="a gap lies before 1 of its traces"):
        back_project(profile_of(NOISE, quality=quality), **options)
    profile = profile_of(NOISE)
    sensor = dataclasses.replace(profile.sensor, radar=None)
    unknown = dataclasses.replace(profile, sensor=sensor)
    npt.assert_array_equal(
        back_project(unknown, **options).values, back_project(profile, **options).values
    )
    with pytest.raises(ValueError, match="Must be given"):
        back_project(unknown, **OPTIONS)
