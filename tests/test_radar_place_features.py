"""Test features of radar places against echoes whose figures are known."""

import dataclasses
import math
import time
from functools import partial

import numpy as np
import numpy.testing as npt
import pytest
from lanes import make_sensor, make_sweep

from minesense._kernels import hyperbola_fit as kernels
from minesense.constants import SPEED_OF_LIGHT
from minesense.gpr import (
    CONTEXT_FEATURES,
    DEPTH_PEAK_FEATURES,
    HYPERBOLA_FEATURES,
    Bounce,
    bounce_permittivity,
    context_features,
    depth_peak_features,
    edge_sequences,
    fit_hyperbola,
    hyperbola_features,
    sequence_names,
    sequence_rows,
    sequence_shape,
)
from minesense.physics import trace_rays
from minesense.sweep import Quality

INTERVAL, SPACING, GROUND = 62.5e-12, 0.025, 1.5e-9
N_TRACES, CENTRE, N_SAMPLES = 81, 40, 192
OFFSET = SPACING * (np.arange(N_TRACES) - CENTRE)
AXIS = INTERVAL * np.arange(N_SAMPLES)


def pulse(delay, frequency=1.5e9):
    """Return Ricker wavelets at two-way times, one trace for each."""
    argument = (np.pi * frequency * (AXIS - np.asarray(delay)[..., None])) ** 2
    return (1 - 2 * argument) * np.exp(-argument)


def arrival(depth, index, *, height=0.12, separation=0.06, place=0.0):
    """Return when the echo of a point arrives in a lane aligned to the ground."""
    zero = GROUND - math.hypot(2 * height, separation) / SPEED_OF_LIGHT
    total = np.full(N_TRACES, zero)
    for half in (-separation / 2, separation / 2):
        offset = np.abs(OFFSET + half - place)
        total += trace_rays(height, depth, offset, index=index, n_steps=20).time
    return total


def lane_of(section, *, quality=None, separation=0.06, height=0.12):
    """Return a section as the middle one of three channels."""
    samples = np.zeros((len(section), 3, section.shape[1]))
    samples[:, 1] = section
    sensor = make_sensor(3, section.shape[1], interval=INTERVAL)
    radar = dataclasses.replace(sensor.radar, separation=separation, height=height)
    flags = np.zeros(len(section), np.int64) if quality is None else quality
    samples[(flags & Quality.SATURATED) != 0] = np.nan
    sensor = dataclasses.replace(sensor, radar=radar)
    return make_sweep(samples, spacing=SPACING, sensor=sensor, quality=flags)


def bounce_of(n_traces, *, height=0.12, ratio=-0.4, separation=0.06):
    """Return a bounce of a height and a reflection, three channels alike."""
    height, ratio = (
        np.broadcast_to(v, n_traces)[:, None] + np.zeros(3) for v in (height, ratio)
    )
    way = np.hypot(2 * height, separation)
    return Bounce(
        time=0.8e-9 + (way - separation) / SPEED_OF_LIGHT,
        amplitude=ratio / way,
        direct_time=np.full(way.shape, 0.8e-9),
        direct_amplitude=np.full(way.shape, 1 / separation),
        separation=separation,
    )


def named(features, values):
    """Return a row by name."""
    return {f.name: v for f, v in zip(features, values, strict=True)}


def rows_of(family, section, *, trace=CENTRE, delay=math.nan, quality=None, **options):
    """Return what a family says of one candidate."""
    lane = section if not isinstance(section, np.ndarray) else lane_of(section, quality=quality)
    options = {"ground_time": GROUND, "spacing": SPACING} | options
    return family(lane, [trace], [1], [delay], **options)[0]


CONTEXT = partial(context_features, bounce=bounce_of(N_TRACES))
FAMILIES = {
    "hyperbola": (hyperbola_features, HYPERBOLA_FEATURES),
    "depth": (depth_peak_features, DEPTH_PEAK_FEATURES),
    "context": (CONTEXT, CONTEXT_FEATURES),
    "edges": (edge_sequences, None),
}
POINT_TIME = arrival(0.1, 2.5)
POINT = pulse(POINT_TIME) * np.exp(-((OFFSET / 0.2) ** 2))[:, None]
NOISE = np.random.default_rng(seed=0).normal(size=(N_TRACES, N_SAMPLES))
EVERY = pytest.mark.parametrize("name", FAMILIES)


# -- what all families promise ---------------------------------------------------------------


@EVERY
def test_a_flagged_cell_is_nan_and_others_count_as_zero(name):
    family, _ = FAMILIES[name]
    flags = np.zeros(N_TRACES, np.int64)
    flags[CENTRE] = Quality.SATURATED
    assert np.isnan(rows_of(family, POINT, quality=flags)).all()
    if name == "context":
        return  # leaves flagged traces out
    flags[:] = 0
    flags[CENTRE + 3] = Quality.SATURATED
    blank = POINT + 0.05 * NOISE
    flagged = rows_of(family, blank, quality=flags)
    blank[CENTRE + 3] = 0
    npt.assert_array_equal(flagged, rows_of(family, blank))


@EVERY
def test_rows_do_not_depend_on_their_neighbours(name):
    family, _ = FAMILIES[name]
    lane = lane_of(POINT + 0.1 * NOISE)
    options = {"ground_time": GROUND, "spacing": SPACING}
    both = family(lane, [30, CENTRE], [1, 1], [math.nan, POINT_TIME[CENTRE]], **options)
    alone = family(lane, [CENTRE], [1], [POINT_TIME[CENTRE]], **options)
    npt.assert_array_equal(both[1:], alone)
    assert family(lane, [], [], [], **options).shape[0] == 0


@EVERY
def test_silence_is_no_error(name):
    family, features = FAMILIES[name]
    row = rows_of(family, np.zeros((N_TRACES, N_SAMPLES)))
    if features:
        assert row.shape == (len(features),)
    assert not np.isinf(row).any()


@pytest.mark.parametrize("trace", [0, 2, N_TRACES - 1])
@pytest.mark.parametrize("name", ["hyperbola", "depth", "edges"])
def test_beyond_the_lane_there_is_zero(name, trace):
    family, _ = FAMILIES[name]
    section = NOISE.copy()
    padded = np.pad(section, ((40, 40), (0, 0)))
    here, there = (
        rows_of(family, section, trace=trace),
        rows_of(family, padded, trace=trace + 40),
    )
    npt.assert_array_equal(here, there)


@pytest.mark.parametrize("name", ["hyperbola", "depth"])
def test_amplitude_does_not_matter(name):
    family, _ = FAMILIES[name]
    section = (POINT + 0.05 * NOISE).astype(np.float32)
    npt.assert_array_equal(rows_of(family, section), rows_of(family, 8 * section))


@pytest.mark.parametrize("name", ["hyperbola", "depth", "context"])
def test_the_direction_of_the_lane_does_not_matter(name):
    family, _ = FAMILIES[name]
    # trials draw picks in the order of the lane: noise would draw others
    section = POINT if name == "hyperbola" else POINT + 0.1 * NOISE
    forth, back = rows_of(family, section), rows_of(family, section[::-1].copy())
    npt.assert_allclose(forth, back, rtol=1e-3, atol=1e-12)


@EVERY
@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"spacing": 0.0}, "spacing '0.0'"),
        ({"ground_time": 1e-6}, "ground_time '1e-06'"),
        ({"trace": N_TRACES}, "traces with '81'"),
        ({"delay": 1e-6}, "times with '1e-06'"),
    ],
)
def test_bad_input_is_named(name, bad, message):
    with pytest.raises(ValueError, match=message):
        rows_of(FAMILIES[name][0], POINT, **bad)


def test_names_are_unique_and_have_units():
    every = [f for _, features in FAMILIES.values() for f in features or sequence_names(5, 29)]
    assert len({f.name for f in every}) == len(every)
    assert {f.unit for f in every} <= {"1", "s", "dB", "m", "m/s"}


# -- hyperbola -------------------------------------------------------------------------------


@pytest.mark.parametrize(("depth", "index"), [(0.05, 2.0), (0.1, 2.5), (0.15, 3.2)])
@pytest.mark.parametrize("sign", [1, -1])
def test_the_velocity_and_place_of_a_point_are_found(depth, index, sign):
    late = arrival(depth, index, place=0.05)
    section = sign * pulse(late) + 0.02 * NOISE
    row = named(HYPERBOLA_FEATURES, rows_of(hyperbola_features, section, delay=late[CENTRE]))
    assert row["hyperbola_inliers"] > 0.7
    npt.assert_allclose(row["hyperbola_velocity"], SPEED_OF_LIGHT / index, rtol=0.03)
    npt.assert_allclose(row["hyperbola_depth"], depth, rtol=0.06)
    npt.assert_allclose(row["hyperbola_offset"], 0.05, atol=0.004)
    assert row["hyperbola_residual"] < 2e-11
    assert row["hyperbola_coherence"] > 0.95
    assert np.sign(row["hyperbola_polarity"]) == sign
    error = row["hyperbola_velocity_error"]
    assert abs(row["hyperbola_velocity"] - SPEED_OF_LIGHT / index) < 5 * error < 2e7


def test_the_fit_agrees_with_that_of_picked_times():
    """The general fit, given noise-free times of the same traces, finds the same ground."""
    near = np.abs(OFFSET) <= 0.35
    options = {"rng": np.random.default_rng(0), "tolerance": 2 * INTERVAL, "height": 0.12}
    zero = GROUND - math.hypot(0.24, 0.06) / SPEED_OF_LIGHT
    fit = fit_hyperbola(
        OFFSET[near], POINT_TIME[near], separation=0.06, time_zero=zero, **options
    )
    row = named(HYPERBOLA_FEATURES, rows_of(hyperbola_features, pulse(POINT_TIME)))
    npt.assert_allclose(row["hyperbola_velocity"], fit.velocity, rtol=0.02)
    npt.assert_allclose(row["hyperbola_depth"], fit.depth, rtol=0.03)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("gap", [0.9e-9, 1.6e-9])
def test_a_double_echo_has_its_delay_level_and_sign(gap, sign):
    section = pulse(POINT_TIME) + sign * 0.5 * pulse(POINT_TIME + gap)
    row = named(
        HYPERBOLA_FEATURES, rows_of(hyperbola_features, section, delay=POINT_TIME[CENTRE])
    )
    npt.assert_allclose(row["hyperbola_double_delay"], gap, atol=1.5 * INTERVAL)
    npt.assert_allclose(row["hyperbola_double_level"], 20 * math.log10(0.5), atol=1.5)
    assert row["hyperbola_double_sign"] == sign


def test_no_hyperbola_is_no_velocity():
    """A flat layer and an upward curve have no inliers and no figures."""
    for delay in (np.full(N_TRACES, 3e-9), 5e-9 - 1e-8 * OFFSET**2):
        row = rows_of(hyperbola_features, pulse(delay), delay=delay[CENTRE])
        assert row[0] == 0
        assert np.isnan(row[1:]).all()


def test_outliers_are_left_out():
    late = POINT_TIME.copy()
    late[[31, 36, 47, 50]] += 0.5e-9
    row = named(HYPERBOLA_FEATURES, rows_of(hyperbola_features, pulse(late)))
    npt.assert_allclose(row["hyperbola_velocity"], SPEED_OF_LIGHT / 2.5, rtol=0.03)


def test_the_fit_on_the_ground_is_a_hyperbola():
    """At height 0 with antennas at one place rays are straight."""
    late = GROUND + 2 * np.hypot(0.2, OFFSET) / 1e8
    lane = lane_of(pulse(late), separation=0.0, height=None)
    row = named(HYPERBOLA_FEATURES, rows_of(hyperbola_features, lane, delay=late[CENTRE]))
    npt.assert_allclose(row["hyperbola_velocity"], 1e8, rtol=0.02)
    npt.assert_allclose(row["hyperbola_depth"], 0.2, rtol=0.03)


def test_a_seed_is_the_same_fit():
    section = POINT + 0.3 * NOISE
    first, again = (rows_of(hyperbola_features, section, seed=3) for _ in range(2))
    npt.assert_array_equal(first, again)


def test_three_picks_are_no_fit():
    """Nor is a direction that no pick tells anything of given a spread."""
    told = np.zeros(3)
    kernels.fit_point(
        np.array([-0.1, 0.0, 0.1]), np.array([0.6, 0.5, 0.6]), np.arange(3), 0.0, 0.0, 9.0,
        np.array([2.0, 0.0, 0.1]), np.zeros((7, 4)), np.empty(3, np.bool_), told,
    )  # fmt: skip
    assert told.tolist() == [3.0, 0.0, 0.0]
    work = np.zeros((7, 4))
    kernels._solve(work, 1e-3)
    assert work[4].tolist() == [0, 0, 0, 0]
    kernels._solve(work, 0.0)
    assert math.isnan(work[4, 0])


def test_the_length_of_a_leg_and_its_derivatives():
    """Against rays, and differences of them."""
    args = np.array([0.12, 0.1, 0.25, 2.5])  # height, depth, offset, index
    out, low, high = np.empty(4), np.empty(4), np.empty(4)
    kernels.leg_of(*args, out)
    ray = trace_rays(0.12, 0.1, np.array([0.25]), index=2.5, n_steps=20)
    npt.assert_allclose(out[0], SPEED_OF_LIGHT * ray.time[0], rtol=1e-9)
    for column, which in ((1, 3), (2, 1), (3, 2)):
        step = 1e-5 * (np.arange(4) == which)
        kernels.leg_of(*(args - step), low)
        kernels.leg_of(*(args + step), high)
        npt.assert_allclose(out[column], (high[0] - low[0]) / 2e-5, rtol=1e-5)


def test_stacks_end_where_traces_do():
    mean, power = np.empty(3), np.empty(3)
    section = np.array([[1.0, 2.0, 4.0], [8.0, 8.0, 8.0], [2.0, 2.0, 2.0]])
    kernels.stack_along_curve(section, np.array([1.5, np.nan, 0.0]), -1, mean, power)
    npt.assert_allclose(mean, [1.5 / 2, 5 / 2, 2 / 2])
    npt.assert_allclose(power, [1.5**2 / 2, 13 / 2, 4 / 2])


# -- peaks over depth ------------------------------------------------------------------------


def test_two_echoes_are_two_peaks_with_delay_and_level():
    strong, weak = np.full(N_TRACES, 3e-9), np.full(N_TRACES, 5.2e-9)
    aside = np.exp(-(((OFFSET - 0.1) / 0.08) ** 2))[:, None]
    here = np.exp(-((OFFSET / 0.08) ** 2))[:, None]
    row = named(
        DEPTH_PEAK_FEATURES,
        rows_of(depth_peak_features, 2 * here * pulse(strong) + 2 * aside * pulse(weak)),
    )
    assert row["depth_peaks"] == 2
    npt.assert_allclose(row["depth_peak_delay_1"], 1.5e-9, atol=INTERVAL)
    npt.assert_allclose(row["depth_peak_delay_2"], 2.2e-9, atol=INTERVAL)
    assert math.isnan(row["depth_peak_delay_3"])
    assert row["depth_peak_level_3"] == -60
    npt.assert_allclose(row["depth_peak_drift"], 0.1, atol=0.01)
    npt.assert_allclose(row["depth_peak_offset"], 0.0, atol=1e-6)
    npt.assert_allclose(row["depth_peak_likeness"], math.exp(-(0.1**2) / 0.08**2), atol=0.03)
    level = row["depth_peak_level_2"]
    apex = np.abs(OFFSET) < 0.06
    expected = 10 * math.log10((aside[apex] ** 2).sum() / (here[apex] ** 2).sum())
    npt.assert_allclose(level, expected, atol=0.3)
    assert row["depth_peak_gap"] < -10


def test_a_fainter_echo_is_no_peak():
    section = pulse(np.full(N_TRACES, 3e-9)) + 0.2 * pulse(np.full(N_TRACES, 6e-9))
    assert rows_of(depth_peak_features, section)[0] == 1


def test_the_echo_asked_for_may_be_another():
    section = pulse(np.full(N_TRACES, 3e-9)) + 0.7 * pulse(np.full(N_TRACES, 6e-9))
    row = named(DEPTH_PEAK_FEATURES, rows_of(depth_peak_features, section, delay=6e-9))
    npt.assert_allclose(row["depth_peak_distance"], 3e-9, atol=INTERVAL)


# -- context ---------------------------------------------------------------------------------


def test_context_tells_height_reflection_and_clutter():
    height = 0.12 + 0.02 * OFFSET + 0.004 * np.sin(40 * OFFSET)
    family = partial(context_features, bounce=bounce_of(N_TRACES, height=height), coupling=1.0)
    row = named(CONTEXT_FEATURES, rows_of(family, 2.0 * NOISE))
    npt.assert_allclose(row["context_height"], height[CENTRE], atol=1e-4)
    npt.assert_allclose(row["context_height_slope"], 0.02, atol=0.005)
    npt.assert_allclose(row["context_height_spread"], 0.004 / math.sqrt(2), rtol=0.15)
    npt.assert_allclose(row["context_reflection"], -0.4, rtol=1e-9)
    npt.assert_allclose(row["context_permittivity"], (1.4 / 0.6) ** 2, rtol=1e-9)
    npt.assert_allclose(row["context_bounce_spread"], 0.0, atol=1e-9)
    npt.assert_allclose(row["context_clutter"], 2.0, rtol=0.03)
    npt.assert_allclose(row["context_clutter_tail"], 2.58, rtol=0.05)


def test_a_wet_patch_is_a_step_of_the_bounce():
    ratio = np.where(np.abs(OFFSET) < 0.1, -0.8, -0.4)
    row = named(
        CONTEXT_FEATURES,
        rows_of(partial(context_features, bounce=bounce_of(N_TRACES, ratio=ratio)), NOISE),
    )
    npt.assert_allclose(row["context_bounce_step"], 20 * math.log10(2), rtol=1e-6)
    assert row["context_bounce_spread"] > 1


def test_the_target_itself_is_no_clutter():
    quiet = rows_of(CONTEXT, NOISE)
    near = (np.abs(OFFSET) < 0.35)[:, None] * 50
    npt.assert_array_equal(quiet, rows_of(CONTEXT, NOISE + near))


def test_what_is_not_known_is_nan():
    bounce = bounce_of(N_TRACES)
    bounce = dataclasses.replace(bounce, direct_time=np.full_like(bounce.time, np.nan))
    row = named(CONTEXT_FEATURES, rows_of(partial(context_features, bounce=bounce), NOISE))
    assert math.isnan(row["context_height"])
    assert math.isnan(row["context_reflection"])
    assert row["context_clutter"] > 0.9


@pytest.mark.parametrize("permittivity", [3.0, 9.0, 25.0])
def test_the_permittivity_of_a_reflection(permittivity):
    index = math.sqrt(permittivity)
    ratio = (1 - index) / (1 + index) / 0.25
    npt.assert_allclose(bounce_permittivity(ratio, coupling=0.25), permittivity)
    assert bounce_permittivity(-50.0, coupling=1.0) == pytest.approx(100.0)


def test_a_bounce_of_another_lane_is_refused():
    with pytest.raises(ValueError, match=r"bounce of shape \(7, 3\). Must be \(81, 3\)"):
        rows_of(partial(context_features, bounce=bounce_of(7)), NOISE)
    with pytest.raises(TypeError, match="bounce of type float"):
        rows_of(partial(context_features, bounce=1.0), NOISE)


# -- edges -----------------------------------------------------------------------------------


def naive_edges(section, j, lags, half):
    """Return the observations of the window around sample j, from the definition."""
    result = np.zeros((29, 4))
    for s in range(29):
        k = CENTRE - 14 + s
        for q in range(j - half, j + half):
            for m, (sign, way) in enumerate([(1, 1), (1, -1), (-1, 1), (-1, -1)]):
                for p in lags:
                    three = [section[k + d, q - d * way * p] * sign for d in (-1, 0, 1)]
                    result[s, m] = max(result[s, m], min(three))
    return np.log1p(result)


def test_edges_are_those_of_the_definition():
    section = NOISE.astype(np.float32).astype(np.float64)
    found = rows_of(edge_sequences, section, delay=6e-9)
    lags = range(1, 6)
    assert found.shape == (5, 29, 4) == (*sequence_shape(spacing=SPACING), 4)
    for d in range(5):
        npt.assert_allclose(found[d], naive_edges(section, 96 + 4 * (d - 2), lags, 10))


def test_a_hyperbola_rises_then_falls():
    found = rows_of(edge_sequences, pulse(POINT_TIME), delay=POINT_TIME[CENTRE] + 0.6e-9)
    best = found.max(axis=0)
    assert best[4:12, 0].min() > 3 * best[4:12, 1].max()
    assert best[-12:-4, 1].min() > 3 * best[-12:-4, 0].max()


def test_symmetries_of_edges():
    section = (POINT + 0.2 * NOISE).astype(np.float32)
    found = rows_of(edge_sequences, section, delay=5e-9)
    back = rows_of(edge_sequences, section[::-1].copy(), delay=5e-9)
    npt.assert_array_equal(back, found[:, ::-1][..., [1, 0, 3, 2]])
    npt.assert_array_equal(
        rows_of(edge_sequences, -section, delay=5e-9), found[..., [2, 3, 0, 1]]
    )
    louder = rows_of(edge_sequences, 4 * section, delay=5e-9)
    npt.assert_allclose(np.expm1(louder), 4 * np.expm1(found), rtol=1e-9)
    later = np.roll(section, 7, axis=1)
    later[:, :7] = 0
    npt.assert_array_equal(rows_of(edge_sequences, later, delay=5e-9 + 7 * INTERVAL), found)


def test_rows_of_sequences_have_their_names():
    values = np.arange(2 * 3 * 5 * 4.0).reshape(2, 3, 5, 4)
    rows, names = sequence_rows(values), [f.name for f in sequence_names(3, 5)]
    assert rows[1, names.index("edge_2_4_negative_rising")] == values[1, 2, 4, 2]
    with pytest.raises(ValueError, match="shape"):
        sequence_rows(values[..., :3])
    with pytest.raises(ValueError, match=r"reach '0\.01'"):
        sequence_shape(spacing=0.05, reach=0.01)


@pytest.mark.slow
def test_a_fit_takes_three_milliseconds():
    lane = lane_of(POINT + 0.1 * NOISE)
    options = {"ground_time": GROUND, "spacing": SPACING}
    places = ([CENTRE] * 50, [1] * 50, [POINT_TIME[CENTRE]] * 50)
    hyperbola_features(lane, *places, **options)
    spent = []
    for _ in range(3):
        begin = time.perf_counter()
        hyperbola_features(lane, *places, **options)
        spent.append((time.perf_counter() - begin) / 50)
    assert min(spent) < 3e-3
