"""Test streamed images against back-projection, and what stages downstream make of them."""

import dataclasses
import math

import naive_imaging as naive
import numpy as np
import numpy.testing as npt
import pytest
from lanes import make_coils, make_sensor, make_sweep

from minesense.constants import SPEED_OF_LIGHT
from minesense.detect.candidates import extract_candidates
from minesense.gpr import (
    Focus,
    PrescreenEnergy,
    back_project,
    focus,
    prescreen_energy,
    radar_features,
)
from minesense.sensor import Radar
from minesense.stage import Pipeline, run_lane, stream
from minesense.sweep import Quality, join

STEP, SPACING, INDEX = 1e-10, 0.02, 3.0  # s, m
OPTIONS = {"permittivity": INDEX**2, "spacing": SPACING, "aperture": 0.1}
NOISE = np.random.default_rng(seed=0).normal(size=(30, 2, 44)).astype(np.float32)


def profile_of(traces, *, start=0.0, separation=0.0, height=0.05, **options):
    """Return traces as a profile of 0.1 ns and 2 cm, the first sample at `start`, in s."""
    traces = np.asarray(traces, np.float32)
    sensor = make_sensor(*traces.shape[1:], interval=STEP)
    radar = Radar(centre_frequency=1.5e9, separation=separation, height=height)
    sensor = dataclasses.replace(sensor, axis=sensor.axis + start, radar=radar)
    return make_sweep(traces, sensor=sensor, **{"spacing": SPACING} | options)


def echoes(n_traces, at, depth, height, *, n_samples=120, frequency=8e8):
    """Return Ricker wavelets from a point below trace `at`, by the fastest ways to it."""
    x = SPACING * np.abs(np.arange(n_traces) - at)
    time = np.array([2 * naive.leg(height, depth, e, INDEX)[0] for e in x])
    phase = math.pi * frequency * (STEP * np.arange(n_samples) - time[:, None])
    return ((1 - 2 * phase**2) * np.exp(-(phase**2)))[:, None]


def depths_of(image, height, time_zero=0.0):
    """Return the depths that the times of an image stand for."""
    above = time_zero + 2 * height / SPEED_OF_LIGHT
    return (image.sensor.axis - above) * SPEED_OF_LIGHT / (2 * INDEX)


# Against back-projection


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"height": 0.0},
        {"height": [0.0, 0.08]},
        {"height": 0.3, "time_zero": -1.3e-9},
        {"aperture": 0.09, "angle": 0.3},
        {"aperture": 0.02},
        {"aperture": 3.0},
        {"separation": 0.07},
        {"separation": 0.07, "height": 0.0, "angle": 0.9},
        {"start": 9.3 * STEP},
    ],
)
@pytest.mark.parametrize("n_traces", [1, 7, 30])
def test_is_the_back_projection(options, n_traces):
    """Bit for bit, at the depths that its times stand for; all of them are seen."""
    quality = np.zeros(n_traces, np.int64)
    quality[n_traces // 3 : n_traces // 2] = Quality.STUCK
    place = {key: options[key] for key in ("start", "separation") if key in options}
    others = {key: options[key] for key in options if key not in place}
    profile = profile_of(NOISE[:n_traces], quality=quality, **place)
    given = OPTIONS | {"min_share": 1e-9} | others
    image = focus(profile, **given)
    height = np.broadcast_to(given.get("height", 0.05), 2)
    depths = depths_of(image, height.max(), given.get("time_zero", 0.0))
    assert (depths > 0).all()
    del given["min_share"]
    if "height" in given:
        given["height"] = height[None]
    expected = back_project(profile, depths=depths, **given)
    usable = profile.is_usable
    assert image.samples[usable].tobytes() == expected.values[usable].tobytes()
    assert np.isnan(image.samples[~usable]).all()
    assert not (image.quality & Quality.EDGE).any()
    coherent = back_project(profile, depths=depths, **given, coherence=True)
    npt.assert_array_equal(coherent.values, expected.values)


@pytest.mark.parametrize("size", [1, 5, 8, 40, 101])
def test_chunks_and_parts(size, monkeypatch):
    """One column at a time, some, and all at once have the same bits."""
    profile = profile_of(np.random.default_rng(seed=5).normal(size=(101, 2, 30)))
    whole = focus(profile, **OPTIONS)
    monkeypatch.setattr("minesense.gpr.focusing._N_PART", 16)
    monkeypatch.setattr("minesense.gpr._level.N_BLOCK", 11)
    chunks = [profile[i : i + size] for i in range(0, 101, size)]
    result = join(list(stream(Focus(**OPTIONS), chunks)))
    assert result.samples.tobytes() == whole.samples.tobytes()
    assert result.quality.tobytes() == whole.quality.tobytes()


def test_what_is_held_does_not_grow():
    """However long the lane is, only some traces of it are kept."""
    stage, profile = Focus(**OPTIONS), profile_of(np.zeros((2_000, 1, 30)))
    stage.process(profile[:1])
    before = stage._held.nbytes
    for start in range(1, 2_000, 333):
        stage.process(profile[start : start + 333])
    assert stage._held.nbytes == before
    assert len(stage._held) == 2 * stage.latency + 256


# Theory


def test_a_point_stays_at_its_time_and_grows():
    """A hyperbola becomes a spot where its apex was; what is beside it fades."""
    profile = profile_of(echoes(81, 40, 0.15, 0.2), height=0.2)
    image = focus(profile, **OPTIONS | {"aperture": 0.4})
    trace, _, k = np.unravel_index(image.samples.argmax(), image.samples.shape)
    apex = 2 * (0.2 + INDEX * 0.15) / SPEED_OF_LIGHT
    assert trace == 40
    assert abs(image.sensor.axis[k] - apex) < STEP / 2 * (1 + 1e-9)
    before = np.abs(profile.samples[:, 0]).max(axis=1)
    after = np.abs(image.samples[:, 0]).max(axis=1)
    assert before[30] / before[40] > 0.9
    assert after[30] / after[40] < 0.25


def test_what_comes_out():
    """The axis is the part of the sensor's below the ground; the rest is as it was."""
    profile = profile_of(NOISE, height=0.2)
    image = focus(profile, **OPTIONS)
    axis, above = profile.sensor.axis, 2 * 0.2 / SPEED_OF_LIGHT
    npt.assert_array_equal(image.sensor.axis, axis[axis > above])
    assert (image.sensor.quantity, image.sensor.unit) == ("image", "1")
    npt.assert_array_equal(image.position, profile.position)
    assert Focus(**OPTIONS).latency == 4
    assert (
        "Focus(permittivity=9.0, spacing=0.02, aperture=0.1, height=None" in image.history[-1]
    )


def test_too_few_traces_are_an_edge():
    """Near many flagged traces the image is zero and flagged, at the ends it is not."""
    quality = np.zeros(30, np.int64)
    quality[[2, 3, 4, 5, 10, 11, 12, 13, 15, 16, 17, 18]] = Quality.SATURATED
    profile = profile_of(NOISE, quality=quality)
    image = focus(profile, **OPTIONS, min_share=0.5)
    is_edge = (image.quality & Quality.EDGE) != 0
    # nine traces in an aperture: at least five; the last trace has just so many
    npt.assert_array_equal(np.flatnonzero(is_edge), [0, 1, 6, 7, 8, 9, 14])
    assert (image.samples[is_edge] == 0).all()
    assert (image.samples[~is_edge & image.is_usable] != 0).any(axis=(1, 2)).all()
    strict = focus(profile, **OPTIONS, min_share=1.0)
    npt.assert_array_equal(np.flatnonzero(strict.is_judged), [23, 24, 25])
    npt.assert_array_equal(focus(profile, **OPTIONS).is_judged[[0, 14]], [False, False])


# Downstream


def test_prescreeners_and_features_take_it():
    """They find the point at its trace and two-way time, and describe it."""
    rng = np.random.default_rng(seed=2)
    samples = 2.0 * echoes(151, 90, 0.15, 0.2) + 0.5 * rng.normal(size=(151, 1, 120))
    profile = profile_of(samples, height=0.2)
    screening = {"spacing": SPACING, "bin_length": 8e-10, "guard": 0.3, "ring": 1.0}
    options = OPTIONS | {"aperture": 0.3}
    chain = Pipeline(Focus(**options), PrescreenEnergy(**screening))
    scores = run_lane(chain, profile)
    trace, _, window = np.unravel_index(scores.samples.argmax(), scores.samples.shape)
    apex = 2 * (0.2 + INDEX * 0.15) / SPEED_OF_LIGHT
    assert abs(trace - 90) <= 2
    assert abs(scores.sensor.axis[window] - apex) < 1.2e-9
    plain = prescreen_energy(profile, **screening)
    assert scores.samples.max() > plain.samples.max()
    image = focus(profile, **options)
    row = radar_features(
        image, [90], [0], ground_time=float(image.sensor.axis[0]), spacing=SPACING
    )
    assert np.isfinite(row).all()
    assert chain.latency == 14 + 50
    found = extract_candidates(scores, spacing=SPACING, merge_radius=0.25, threshold=10)
    assert trace in [candidate.trace for candidate in found]


# Bad input


@pytest.mark.parametrize(
    ("bad", "error", "message"),
    [
        ({"permittivity": 0.9}, ValueError, "Invalid permittivity '0.9'. Must be relative"),
        ({"spacing": 0}, ValueError, "Invalid spacing '0.0'. Must be finite and greater"),
        ({"aperture": -1}, ValueError, "Invalid aperture '-1.0'. Must be finite and greater"),
        ({"height": -0.1}, ValueError, "Invalid height '-0.1'. Must be finite and not neg"),
        ({"height": [0.1, -0.1]}, ValueError, "Invalid height '-0.1'. Must be finite"),
        ({"height": [[0.1]]}, ValueError, r"Invalid height with shape \(1, 1\)"),
        ({"height": [0.1] * 3}, ValueError, r"Invalid height with shape \(3,\) for sensor"),
        ({"time_zero": "now"}, TypeError, "Invalid time_zero 'now'. Must be a number"),
        ({"angle": 1.6}, ValueError, "Invalid angle '1.6'. Must be less than pi / 2"),
        ({"min_share": 0}, ValueError, "Invalid min_share '0.0'. Must be finite and greater"),
        ({"min_share": 1.1}, ValueError, "Invalid min_share '1.1'. Must be at most 1"),
        ({"height": 9.0}, ValueError, "holds no echo from below the ground, which begins at 6"),
    ],
)
def test_bad_input_is_named(bad, error, message):
    """The error names the argument, shows its value and states the rule."""
    with pytest.raises(error, match=message):
        focus(profile_of(NOISE), **OPTIONS | bad)


def test_other_sensors_are_refused():
    """Coils make no profile, and without a height there is no image."""
    with pytest.raises(ValueError, match="Invalid sensor"):
        focus(make_sweep(np.zeros((4, 2, 12)), sensor=make_coils()), **OPTIONS)
    with pytest.raises(ValueError, match=r"sensor 'test radar' has none. Must be given"):
        focus(profile_of(NOISE, height=None), **OPTIONS)


@pytest.mark.parametrize(
    ("where", "step", "message"),
    [
        (12, 0.012, "its trace 2 is 0.032 m from the trace 1 before. Must be 0.02 m a trace"),
        (12, -0.012, "its trace 2 is 0.008 m from the trace 1 before"),
        (10, 0.012, "its trace 0 is 0.032 m from the trace 1 before"),
    ],
)
def test_uneven_spacing_is_refused(where, step, message):
    """The chunk is not kept: one that goes on as the lane began may follow."""
    profile = profile_of(NOISE)
    position = profile.position.copy()
    position[where:, 1] += step
    uneven = dataclasses.replace(profile, position=position)
    stage = Focus(**OPTIONS)
    results = [stage.process(profile[:10])]
    with pytest.raises(ValueError, match=message):
        stage.process(uneven[10:])
    results += [stage.process(profile[10:]), stage.flush()]
    expected = focus(profile, **OPTIONS)
    assert join(results).samples.tobytes() == expected.samples.tobytes()


@pytest.mark.parametrize("size", [1, 4, 30])
def test_another_spacing_and_bends_are_refused(size):
    """Steps that are each within bounds, but not together; whatever the chunks."""

    def run(position, **options):
        profile = profile_of(NOISE, position=position, **options)
        chunks = (profile[i : i + size] for i in range(0, 30, size))
        return join(list(stream(Focus(**OPTIONS), chunks)))

    way = np.zeros((30, 3))
    way[:, 1] = SPACING * np.arange(30)
    assert len(run(way * 1.04)) == 30
    with pytest.raises(ValueError, match="m from the trace 4 before"):
        run(way * 1.15)
    bent = way.copy()
    bent[15:, 0], bent[15:, 1] = way[15:, 1] - way[15, 1], way[15, 1]
    with pytest.raises(ValueError, match="on a straight lane: resample to equal distance"):
        run(bent)
    jitter = way.copy()
    jitter[::2, 1] += 0.14 * SPACING
    assert len(run(jitter)) == 30
    lost = way.copy()
    quality = np.zeros(30, np.int64)
    quality[3:9] = Quality.POSE_NONE
    lost[3:9] = np.nan
    assert len(run(lost, quality=quality)) == 30
    lost[9:, 1] += 6 * 0.4 * SPACING
    with pytest.raises(ValueError, match="m from the trace 7 before"):
        run(lost, quality=quality)
