"""Test images in three dimensions against loops over Fermat's principle, and theory."""

import dataclasses
import math

import naive_imaging as naive
import naive_volume
import numpy as np
import numpy.testing as npt
import pytest
from lanes import make_coils, make_sensor, make_sweep

from minesense.constants import SPEED_OF_LIGHT
from minesense.gpr import back_project, back_project_volume, volume
from minesense.sensor import Radar
from minesense.sweep import Quality, Sweep

STEP, SPACING, INDEX = 1e-10, 0.04, 3.0  # s, m
DEPTHS = 0.05 * np.arange(1, 5)
ALONG, ACROSS = 0.07 * np.arange(-1, 6), np.array([-0.15, -0.03, 0.02, 0.16])
OPTIONS = {
    "permittivity": INDEX**2,
    "along": ALONG,
    "across": ACROSS,
    "depths": DEPTHS,
    "aperture": 0.171,
}
WIDTH = SPEED_OF_LIGHT * STEP / 12  # of a bin of heights


def lane_of(traces, *, heading=0.0, yaw=0.0, separation=0.0, height=None, start=0.0, **options):
    """Return traces as a lane along a heading; its array is turned by a yaw from it."""
    traces = np.asarray(traces, np.float32)
    sensor = make_sensor(*traces.shape[1:], interval=STEP)
    radar = Radar(centre_frequency=1.5e9, separation=separation, height=height)
    sensor = dataclasses.replace(sensor, axis=sensor.axis + start, radar=radar)
    way = SPACING * np.arange(len(traces))
    place = np.column_stack([np.sin(heading) * way, np.cos(heading) * way, 0 * way])
    return make_sweep(
        traces,
        sensor=sensor,
        position=place + np.array([30.0, -7.0, 2.0]),
        heading=np.full(len(traces), heading + yaw),
        **options,
    )


def antennas_of(lane):
    """Return easting and northing of transmitters and receivers, from their definition."""
    heading = lane.heading[:, None, None]
    forward = np.concatenate([np.sin(heading), np.cos(heading)], axis=-1)
    middle = lane.channel_position[..., :2]
    half = lane.sensor.radar.separation / 2
    return middle - half * forward, middle + half * forward


def smooth_noise(shape, seed=0):
    """Return noise that a straight line between samples describes nearly as well."""
    noise = np.random.default_rng(seed).normal(size=shape)
    return np.apply_along_axis(np.convolve, -1, noise, np.hanning(11), mode="same")


def echoes(lane, point, depth, height, *, frequency=8e8):
    """Return the lane with Ricker wavelets from a point at easting and northing."""
    traces = np.empty_like(lane.samples)
    for a, c in np.ndindex(traces.shape[:2]):
        legs = [
            naive.leg(height, depth, math.dist(antennas[a, c], point), INDEX)[0]
            for antennas in antennas_of(lane)
        ]
        phase = math.pi * frequency * (lane.sensor.axis - sum(legs))
        traces[a, c] = (1 - 2 * phase**2) * np.exp(-(phase**2))
    return dataclasses.replace(lane, samples=traces)


# Against the definition


BUMPY = WIDTH * (np.random.default_rng(seed=1).integers(20, 60, (8, 3)) + 0.5)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"height": 0.0},
        {"height": BUMPY},
        {"height": BUMPY[:, 0]},
        {"height": BUMPY[:1]},
        {"height": 0.3, "time_zero": -1e-9},
        {"angle": 0.25},
        {"angle": 0.25, "height": np.where(BUMPY > 0.1, 0.0, BUMPY)},
        {"aperture": 0.06},
        {"aperture": 3.0},
        {"separation": 0.07},
        {"separation": -0.07, "height": 0.0, "angle": 0.5, "yaw": 0.4},
        {"separation": 0.07, "height": BUMPY, "heading": 2.2},
        {"start": -5.4 * STEP},
        {"start": 15.3 * STEP, "aperture": 3.0},
    ],
)
def test_matches_the_sum(options):
    """Whatever the heights, antennas, headings, limits, and the time of the first sample."""
    quality = np.zeros(8, np.int64)
    quality[[0, 5]] = Quality.STUCK
    make = ("start", "separation", "heading", "yaw")
    place = {key: options[key] for key in make if key in options}
    given = {"height": 0.05, "angle": 0.9} | OPTIONS
    given |= {key: options[key] for key in options if key not in place}
    lane = lane_of(smooth_noise((8, 3, 44)), quality=quality, **place)
    result = back_project_volume(lane, **given, coherence=True)
    plain = back_project_volume(lane, **given)
    assert plain.coherence is None
    npt.assert_array_equal(plain.values, result.values)
    height = np.asarray(given.pop("height"))
    heights = np.broadcast_to(height[:, None] if height.ndim == 1 else height, (8, 3))
    for key in ("permittivity", "along", "across"):
        del given[key]
    transmitters, receivers = antennas_of(lane)
    image, coherence = naive_volume.back_project_volume(
        lane.samples,
        lane.sensor.axis,
        index=INDEX,
        columns=result.position.reshape(-1, 2),
        transmitters=transmitters,
        receivers=receivers,
        heights=heights,
        is_usable=lane.is_usable,
        **given,
    )
    shape = result.values.shape
    assert np.isfinite(image).any()
    # a two-hundredth of a sample for each leg, on slopes of about 2
    scale = 0.02 * max(1, np.sqrt(np.nanmax(np.abs(image))))
    npt.assert_allclose(result.values, image.reshape(shape), atol=scale)
    npt.assert_allclose(result.coherence, coherence.reshape(shape), atol=0.02)


def test_times_between_tabulated_ones():
    """Read from a ramp, times are wrong by a hundredth of a sample at most."""
    ramp = np.tile(np.arange(200, dtype=np.float32), (1, 1, 1))
    lane = lane_of(ramp, separation=0.1)
    across = np.linspace(-0.4, 0.4, 90)
    wrong = []
    for height in (0.0, 0.004, 0.1):
        result = back_project_volume(
            lane,
            **OPTIONS | {"along": [0.0], "across": across, "aperture": 9.0, "angle": 1.5},
            height=height,
            direction=0.0,
        )
        for i, j in np.ndindex(result.values.shape[1:]):
            offset = math.hypot(across[i], 0.05)
            time, cosine = naive.leg(height, DEPTHS[j], offset, INDEX)
            hann = math.cos(math.pi * across[i] / 18) ** 2
            wrong.append(result.values[0, i, j] / cosine / hann - 2 * time / STEP)
    # far out, weights are read from the table too; a value is wrong in proportion
    assert np.abs(wrong).max() < 0.05
    assert np.median(np.abs(wrong)) < 0.01


# Theory


@pytest.mark.parametrize(("heading", "yaw"), [(0.0, 0.0), (0.7, 0.0), (-2.0, 0.35)])
def test_a_point_between_channels_focuses_at_its_place(heading, yaw):
    """Within a cell, whichever way the lane and the array look."""
    lane = lane_of(np.zeros((17, 4, 90)), heading=heading, yaw=yaw, height=0.15)
    along, across = 0.4, 0.06
    sin, cos = math.sin(heading), math.cos(heading)
    point = (30 + sin * along + cos * across, -7 + cos * along - sin * across)
    lane = echoes(lane, point, 0.12, 0.15)
    result = back_project_volume(
        lane,
        permittivity=INDEX**2,
        along=0.025 * np.arange(11, 22),
        across=0.025 * np.arange(-7, 8),
        depths=0.01 * np.arange(7, 21),
        aperture=0.3,
    )
    i, j, k = np.unravel_index(np.nanargmax(result.values), result.values.shape)
    assert abs(result.along[i] - along) < 0.025
    assert abs(result.across[j] - across) < 0.025
    assert abs(result.depths[k] - 0.12) < 0.011
    npt.assert_allclose(result.position[i, j], point, atol=0.025)
    assert abs(math.remainder(result.direction - heading, 2 * math.pi)) < 1e-12


def test_one_channel_on_its_track_is_the_profile():
    """Below the track of one channel, the image is that of two dimensions."""
    lane = lane_of(smooth_noise((15, 1, 60)), separation=0.05)
    options = {"permittivity": 6.0, "depths": DEPTHS, "aperture": 0.3, "height": 0.1}
    image = back_project(lane, spacing=SPACING, **options)
    result = back_project_volume(lane, along=SPACING * np.arange(15), across=[0.0], **options)
    npt.assert_allclose(result.values[:, 0], image.values[:, 0], atol=0.05)


def test_uneven_traces_are_taken_where_they_are():
    """Left out or close together, traces still focus a point at its place."""
    lane = lane_of(np.zeros((41, 2, 90)), height=0.15)
    lane = echoes(lane, (30.0, -6.2), 0.12, 0.15)
    kept = np.delete(np.arange(41), [3, 4, 11, 12, 13, 26, 30, 31])
    few = Sweep(
        samples=lane.samples[kept],
        time=lane.time[kept],
        position=lane.position[kept],
        heading=lane.heading[kept],
        sensor=lane.sensor,
    )
    options = OPTIONS | {
        "along": 0.02 * np.arange(35, 46),
        "across": 0.02 * np.arange(-3, 4),
        "depths": 0.01 * np.arange(7, 21),
        "aperture": 0.3,
    }
    result = back_project_volume(few, **options)
    i, j, k = np.unravel_index(np.nanargmax(result.values), result.values.shape)
    assert abs(result.along[i] - 0.8) < 0.021
    assert abs(result.across[j]) < 0.021
    assert abs(result.depths[k] - 0.12) < 0.011


def test_volumes_of_lanes_on_one_grid_add_up():
    """Two halves of a lane, on the grid of the whole, have its sum."""
    lane = lane_of(smooth_noise((16, 2, 60)), height=0.1)
    options = OPTIONS | {"origin": (30.0, -7.0), "direction": 0.3}
    parts = [back_project_volume(part, **options).values for part in (lane[:9], lane[9:])]
    whole = back_project_volume(lane, **options).values
    npt.assert_allclose(np.nansum(parts, axis=0), np.nan_to_num(whole), atol=1e-5)


def test_flagged_traces_count_for_nothing():
    """Nor do those without a position; out of reach of others, the volume is NaN."""
    quality = np.zeros(14, np.int64)
    quality[[1, 8]] = Quality.NOT_FINITE
    quality[9:] = Quality.POSE_NONE
    noise = smooth_noise((14, 2, 60))
    lane = lane_of(noise, quality=quality, height=0.05)
    options = OPTIONS | {"along": 0.1 * np.arange(8), "coherence": True}
    expected = back_project_volume(lane, **options)
    samples, position, heading = noise.copy(), lane.position.copy(), lane.heading.copy()
    samples[[1, 8]] = np.nan
    position[9:] = np.nan
    heading[9:] = np.nan
    other = dataclasses.replace(lane, samples=samples, position=position, heading=heading)
    result = back_project_volume(other, **options | {"direction": 0.0})
    npt.assert_array_equal(result.values[:2], expected.values[:2])
    assert np.isfinite(result.values[:4, 1:3, 1]).all()
    assert np.isnan(result.values[6:]).all()
    assert np.isnan(result.coherence[6:]).all()


def test_coherence_of_what_is_alike():
    """1 where all traces show the same, 0 where they are silent."""
    for level, expected in ((0.3, 1.0), (0.0, 0.0)):
        lane = lane_of(np.full((8, 3, 60), level), height=0.05)
        coherence = back_project_volume(lane, **OPTIONS, coherence=True).coherence
        known = np.isfinite(coherence)
        assert known.any()
        npt.assert_allclose(coherence[known], expected, rtol=1e-5)


def test_threads_and_blocks(monkeypatch):
    """Any number of threads and any size of block give the same bytes."""
    lane = lane_of(smooth_noise((40, 2, 40)), heading=0.4)
    options = OPTIONS | {"along": 0.05 * np.arange(30), "height": 0.05, "coherence": True}
    options["height"] = np.linspace(0.05, 0.07, 40)
    one = back_project_volume(lane, **options)
    three = back_project_volume(lane, **options, workers=3)
    monkeypatch.setattr(volume, "_N_LINES", 3)
    other = back_project_volume(lane, **options, workers=2)
    for result in (three, other):
        assert one.values.tobytes() == result.values.tobytes()
        assert one.coherence.tobytes() == result.coherence.tobytes()


# The record


def test_record():
    """It says where and what it is; the sweep stays as it was."""
    lane = lane_of(smooth_noise((8, 3, 44)), height=0.05)
    result = back_project_volume(lane, **OPTIONS, direction=0.5, coherence=True)
    assert (result.values.dtype, result.values.shape) == (np.float32, (7, 4, 4))
    assert (result.coherence.dtype, result.coherence.shape) == (np.float32, (7, 4, 4))
    for name in ("along", "across", "depths"):
        npt.assert_array_equal(getattr(result, name), OPTIONS[name])
    npt.assert_array_equal(result.origin, [30.0, -7.0])
    assert (result.direction, result.lane, result.unit) == (0.5, "lane 1", "1")
    assert result.frame == lane.frame
    assert "back_project_volume(permittivity=9.0, aperture=0.171" in result.history[-1]
    assert "height=0.05" in result.history[-1]
    many = back_project_volume(lane, **OPTIONS, height=BUMPY)
    assert "height=array" in many.history[-1]
    with pytest.raises(dataclasses.FrozenInstanceError):
        result.unit = "V"


def test_nowhere_near_the_lane():
    """A grid that no trace reaches is unknown."""
    lane = lane_of(smooth_noise((8, 3, 44)), height=0.05)
    result = back_project_volume(lane, **OPTIONS | {"along": [50.0, 51.0]})
    assert np.isnan(result.values).all()


@pytest.mark.parametrize(
    ("bad", "error", "message"),
    [
        ({"permittivity": 0.9}, ValueError, "Invalid permittivity '0.9'. Must be relative"),
        ({"along": []}, ValueError, "Invalid along without a value. Must be one or more"),
        ({"across": [0.1, 0.1]}, ValueError, "Invalid across: value 1 is 0.1 after 0.1"),
        ({"across": [[0.1]]}, ValueError, r"Invalid across with shape \(1, 1\)"),
        ({"depths": [0.0, 0.1]}, ValueError, "Invalid depths '0'. Must be one or more"),
        ({"aperture": 0}, ValueError, "Invalid aperture '0.0'. Must be finite and greater"),
        ({"height": None}, ValueError, "sensor 'test radar' has none. Must be given"),
        ({"height": [[0.1, 0.1]]}, ValueError, r"Invalid height with shape \(1, 2\)"),
        ({"height": [[0.1, -0.1, 0.1]]}, ValueError, "Invalid height '-0.1' of trace 0"),
        ({"time_zero": math.inf}, ValueError, "Invalid time_zero 'inf'. Must be finite"),
        ({"angle": 1.6}, ValueError, "Invalid angle '1.6'. Must be less than pi / 2"),
        ({"origin": [1.0]}, ValueError, r"Invalid origin with shape \(1,\)"),
        ({"direction": math.nan}, ValueError, "Invalid direction 'nan'. Must be finite"),
        ({"workers": 0}, ValueError, "Invalid workers '0'. Must be at least 1"),
    ],
)
def test_bad_input_is_named(bad, error, message):
    """The error names the argument, shows its value and states the rule."""
    lane = lane_of(np.zeros((8, 3, 44)))
    with pytest.raises(error, match=message):
        back_project_volume(lane, **{"height": 0.05} | OPTIONS | bad)


def test_other_sweeps_are_refused():
    """Coils make no image, and a lane without positions or direction no grid."""
    options = OPTIONS | {"height": 0.05}
    with pytest.raises(ValueError, match="Invalid sensor"):
        back_project_volume(make_sweep(np.zeros((4, 2, 12)), sensor=make_coils()), **options)
    lane = lane_of(np.zeros((3, 2, 44)))
    with pytest.raises(ValueError, match=r"lane 'lane 1' ends where it begins. Must be given"):
        back_project_volume(lane[:1], **options)
    lost = dataclasses.replace(
        lane,
        position=np.full((3, 3), np.nan),
        quality=np.full(3, int(Quality.POSE_NONE)),
    )
    with pytest.raises(ValueError, match=r"no trace has a position. Must have one"):
        back_project_volume(lost, **options)
