"""Test the features of echoes that were focused along the track."""

import dataclasses

import numpy as np
import numpy.testing as npt
import pytest

from minesense.detect import GROUPS, DetectorSettings, features_of
from minesense.gpr import FEATURES, FOCUSED_FEATURES, focused_features, radar_features
from minesense.sensor import Radar, Sensor
from minesense.sweep import Quality, Sweep

SPACING, GROUND, VELOCITY = 0.025, 1.5e-9, 1.2e8
N_TRACES, N_SAMPLES, CENTRE = 81, 160, 40
STEP = 62.5e-12
OFFSET = SPACING * (np.arange(N_TRACES) - CENTRE)
SENSOR = Sensor(
    name="pair",
    kind="gpr",
    axis=STEP * np.arange(N_SAMPLES),
    lever_arms=[[-0.1, 0, 0], [0.1, 0, 0]],
    radar=Radar(centre_frequency=1.5e9),
)
OPTIONS = {"ground_time": GROUND, "spacing": SPACING}


def pulse(time):
    """Return traces with an echo at a time each."""
    phase = np.pi * 1.5e9 * (SENSOR.axis - np.asarray(time)[:, None])
    return (1 - 2 * phase**2) * np.exp(-(phase**2))


#: A point 21 cm from the antenna, by the one velocity of the image.
POINT = pulse(2 * np.hypot(0.21, OFFSET) / VELOCITY)
#: The same echo without a hyperbola's legs, over as much of the track.
FLAT = pulse(np.full(N_TRACES, 0.42 / VELOCITY)) * (np.abs(OFFSET) < 0.3)[:, None]
NOISE = np.random.default_rng(seed=3).normal(size=(N_TRACES, 2, N_SAMPLES))


def lane_of(section, *, quality=None, east=0.0, north=0.0):
    """Return a lane with a section on its first channel; noise of its own on the second."""
    samples = section if section.ndim == 3 else np.stack([section, 0 * section], axis=1)
    northing = SPACING * np.arange(len(samples)) + north
    return Sweep(
        samples=samples,
        time=0.05 * np.arange(len(samples)),
        position=np.column_stack([0 * northing + east, northing, 0 * northing]),
        heading=0 * northing,
        quality=np.zeros(len(samples), np.int64) if quality is None else quality,
        sensor=SENSOR,
    )


def row_of(section, *, trace=CENTRE, channel=0, **more):
    """Return the features of one cell by name."""
    lane = section if isinstance(section, Sweep) else lane_of(section)
    row = focused_features(lane, [trace], [channel], **OPTIONS | more)[0]
    return {f.name: v for f, v in zip(FOCUSED_FEATURES, row, strict=True)}


def noisy(section, scale=0.05):
    """Return the section with noise, and noise on the other channel."""
    return np.stack([section, 0 * section], axis=1) + scale * NOISE


def naive_image(samples, aperture=0.3):
    """Sum a lane along diffractions, one sample and one trace at a time (Schneider, eq. 12)."""
    n_traces, _, n_samples = samples.shape
    slope = np.gradient(samples, STEP, axis=2)
    image = np.zeros_like(samples)
    for x in range(n_traces):
        for t in range(1, n_samples):
            down = VELOCITY * SENSOR.axis[t] / 2
            for a in range(n_traces):
                along = SPACING * abs(a - x)
                r = np.hypot(along, down)
                at = 2 * r / VELOCITY / STEP
                is_near = along <= aperture + 1e-9 and along <= np.tan(np.radians(50)) * down
                if not is_near or at > n_samples - 1:
                    continue
                k = min(int(at), n_samples - 2)
                value = (1 - at + k) * slope[a, :, k] + (at - k) * slope[a, :, k + 1]
                image[x, :, t] += down / r / (VELOCITY * r) * value
    return image


def test_rows_are_those_of_an_image_summed_one_by_one():
    samples = noisy(POINT).astype(np.float32)[20:61]
    image = naive_image(samples.astype(np.float64))
    below = SENSOR.axis >= GROUND + 1e-9
    image /= 1.4826 * np.median(np.abs(image[..., below]))
    expected = radar_features(lane_of(image), [20, 12], [0, 1], **OPTIONS)
    found = focused_features(lane_of(samples), [20, 12], [0, 1], **OPTIONS)
    npt.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)


def test_a_hyperbola_gains_and_narrows_and_a_flat_echo_does_not():
    plain = {
        name: radar_features(lane_of(noisy(section)), [CENTRE], [0], **OPTIONS)[0]
        for name, section in (("point", POINT), ("flat", FLAT))
    }
    names = [feature.name for feature in FEATURES]
    contrast, width = names.index("contrast"), names.index("along_width")
    point, flat = row_of(noisy(POINT)), row_of(noisy(FLAT))
    assert point["focused_contrast"] > plain["point"][contrast] + 3
    assert point["focused_along_width"] < plain["point"][width]
    assert flat["focused_along_width"] > 1.4 * point["focused_along_width"]


@pytest.mark.parametrize("factor", [1e-3, 0.25, 64.0])
def test_the_amplitude_of_the_lane_does_not_matter(factor):
    one, other = row_of(noisy(POINT)), row_of(factor * noisy(POINT))
    npt.assert_allclose(list(other.values()), list(one.values()), rtol=1e-3, atol=1e-4)


def test_the_direction_of_the_lane_does_not_matter():
    forth, back = row_of(noisy(POINT)), row_of(noisy(POINT)[::-1].copy())
    npt.assert_allclose(list(back.values()), list(forth.values()), rtol=1e-3, atol=1e-4)


def test_positions_do_not_matter_and_lost_ones_neither():
    here = row_of(noisy(POINT))
    lane = lane_of(noisy(POINT), east=3e5, north=5e6)
    assert row_of(lane) == here
    quality = np.zeros(N_TRACES, np.int64)
    quality[50] = Quality.POSE_NONE
    lane = lane_of(noisy(POINT), quality=quality)
    assert row_of(lane) == here
    position, heading = lane.position.copy(), lane.heading.copy()
    position[50], heading[50] = np.nan, np.nan  # as a receiver that has lost its place tells it
    assert row_of(dataclasses.replace(lane, position=position, heading=heading)) == here


def test_rows_do_not_depend_on_their_neighbours():
    lane = lane_of(noisy(POINT))
    both = focused_features(lane, [12, CENTRE], [1, 0], **OPTIONS)
    npt.assert_array_equal(both[1:], focused_features(lane, [CENTRE], [0], **OPTIONS))
    assert focused_features(lane, [], [], **OPTIONS).shape == (0, len(FOCUSED_FEATURES))


def test_a_flagged_cell_is_nan_and_others_weaken_the_sum():
    quality = np.zeros(N_TRACES, np.int64)
    quality[CENTRE] = Quality.SATURATED
    row = row_of(lane_of(noisy(POINT), quality=quality))
    assert np.isnan(list(row.values())).all()
    quality[CENTRE], quality[CENTRE + 3] = 0, Quality.STUCK
    row = row_of(lane_of(noisy(POINT), quality=quality))
    assert np.isfinite(list(row.values())).all()
    whole = row_of(noisy(POINT))
    assert row["focused_peak_amplitude"] < whole["focused_peak_amplitude"]


def test_silence_is_no_error():
    row = row_of(np.zeros((N_TRACES, N_SAMPLES)))
    assert not np.isinf(list(row.values())).any()
    every = np.full(N_TRACES, int(Quality.SATURATED))
    row = row_of(lane_of(noisy(POINT), quality=every))
    assert np.isnan(list(row.values())).all()


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"spacing": 0.0}, "spacing '0.0'"),
        ({"ground_time": 1e-6}, "ground_time '1e-06'"),
        ({"ground_time": -1.0}, "ground_time '-1.0'"),
        ({"velocity": 0.0}, "velocity '0'"),
        ({"aperture": -0.1}, "aperture '-0.1'"),
        ({"trace": N_TRACES}, "trace 81"),
        ({"channel": 2}, "channel 2"),
    ],
)
def test_bad_input_is_named(bad, message):
    with pytest.raises(ValueError, match=message):
        row_of(noisy(POINT), **bad)


def test_it_is_a_group_with_names_of_its_own():
    group = GROUPS["gpr"]["focused"]
    assert group.features == FOCUSED_FEATURES
    names = [f.name for f in features_of("gpr", {"gpr": ("echo", "focused")})]
    assert len(set(names)) == len(names)
    assert [f.unit for f in FOCUSED_FEATURES] == [f.unit for f in FEATURES]
    assert DetectorSettings().radar.velocity == VELOCITY
