"""Test what the features say of echoes and decays whose figures are known."""

import math

import numpy as np
import numpy.testing as npt
import pytest
from lanes import make_coils, make_sensor, make_sweep

from minesense.emi import COIL_FEATURES, coil_features
from minesense.gpr import FEATURES, radar_features
from minesense.sweep import Quality

INTERVAL, SPACING, GROUND = 62.5e-12, 0.025, 1e-9
N_TRACES, CENTRE = 61, 30
FIRST = round(GROUND / INTERVAL)  # sample of the ground
OFFSET = SPACING * (np.arange(N_TRACES) - CENTRE)  # m along track


def echo(delay, *, amplitude=1.0, n_samples=160, frequency=1.5e9):
    """Return a Ricker wavelet around times after the ground, one trace for each."""
    time = INTERVAL * np.arange(n_samples) - GROUND
    argument = (np.pi * frequency * (time - np.asarray(delay)[..., None])) ** 2
    return np.asarray(amplitude)[..., None] * (1 - 2 * argument) * np.exp(-argument)


def radar_row(
    middle, *, left=None, right=None, trace=CENTRE, channel=1, quality=None, **options
):
    """Return the features of one candidate by name; three channels, the middle one given."""
    samples = np.zeros((len(middle), 3, middle.shape[1]))
    for c, values in enumerate((left, middle, right)):
        if values is not None:
            samples[:, c] = values
    sensor = make_sensor(3, middle.shape[1], interval=INTERVAL)
    flags = np.zeros(len(middle), np.int64) if quality is None else quality
    samples[(flags & Quality.SATURATED) != 0] = np.nan
    sweep = make_sweep(samples, spacing=SPACING, sensor=sensor, quality=flags)
    options = {"ground_time": GROUND, "spacing": SPACING} | options
    rows = radar_features(sweep, [trace], [channel], **options)
    assert rows.shape == (1, len(FEATURES))
    return {feature.name: value for feature, value in zip(FEATURES, rows[0], strict=True)}


POINT = echo(np.full(N_TRACES, 2e-9), amplitude=np.exp(-((OFFSET / 0.1) ** 2)))


@pytest.mark.parametrize("features", [FEATURES, COIL_FEATURES], ids=["radar", "coils"])
def test_every_feature_has_a_name_of_its_own_and_a_unit(features):
    """No two columns share a name; nothing goes without a unit or a word of explanation."""
    names = [feature.name for feature in features]
    assert len(set(names)) == len(names)
    assert {feature.unit for feature in features} <= {"1", "s", "dB", "m", "Hz", "s/m^2"}
    assert all(feature.meaning for feature in features)


@pytest.mark.parametrize("delay", [0.8e-9, 2e-9, 4e-9])
def test_the_peak_lies_where_the_echo_does(delay):
    """The delay counts from the ground, wherever the ground lies on the axis."""
    row = radar_row(echo(np.full(N_TRACES, delay)))
    assert abs(row["peak_delay"] - delay) <= INTERVAL
    earlier = radar_row(echo(np.full(N_TRACES, delay)), ground_time=GROUND - 4 * INTERVAL)
    npt.assert_allclose(earlier["peak_delay"] - row["peak_delay"], 4 * INTERVAL, rtol=1e-9)


def test_the_amplitude_is_that_of_the_strongest_sample():
    """Whatever its sign, near the apex only."""
    section = 7 * POINT
    section[CENTRE + 12] = 40.0  # 0.3 m off: not the apex
    npt.assert_allclose(radar_row(section)["peak_amplitude"], 7.0, rtol=1e-6)
    npt.assert_allclose(radar_row(-section)["peak_amplitude"], 7.0, rtol=1e-6)


def test_polarity_follows_the_sign_of_the_echo():
    """A Ricker of height 1 has troughs of 2 e^-1.5; its negative has the opposite figure."""
    trough = 2 * math.exp(-1.5)
    row = radar_row(POINT)
    npt.assert_allclose(row["polarity"], (1 - trough) / (1 + trough), atol=0.01)
    npt.assert_allclose(radar_row(-POINT)["polarity"], -row["polarity"], rtol=1e-12)


def test_levels_are_decibels_of_mean_energy():
    """Ten times the amplitude is 20 dB more; core and outside are told apart."""
    near = np.abs(OFFSET) < 0.12
    section = np.where(near, 10.0, 1.0)[:, None] * np.ones((1, 160))
    row = radar_row(section)
    npt.assert_allclose(row["core_level"], 20.0, atol=1e-6)
    npt.assert_allclose(row["outer_level"], 0.0, atol=1e-6)
    npt.assert_allclose(row["contrast"], 20.0, atol=1e-6)


def test_silence_has_figures_too():
    """A usable trace of zeros is the floor of every level, never a NaN."""
    row = radar_row(np.zeros((N_TRACES, 160)))
    assert all(math.isfinite(value) for value in row.values())
    assert row["core_level"] == -60
    assert row["contrast"] == row["polarity"] == row["coherence"] == row["peak_amplitude"] == 0


@pytest.mark.parametrize(
    ("delay", "shallow", "middle"), [(0.6e-9, 1, 0), (1.7e-9, 0, 1), (5e-9, 0, 0)]
)
def test_shares_say_at_which_depth_the_energy_lies(delay, shallow, middle):
    """Shares of the first nanosecond and of the next one and a half."""
    row = radar_row(echo(np.full(N_TRACES, delay), frequency=3e9))
    npt.assert_allclose(row["shallow_share"], shallow, atol=0.08)
    npt.assert_allclose(row["middle_share"], middle, atol=0.08)


def test_two_equal_echoes_spread_by_half_their_distance():
    """The spread of energy in time, and the second echo's delay and level."""
    gap, plate = 2.5e-9, echo(np.full(N_TRACES, 2e-9))
    one = radar_row(plate)
    two = radar_row(plate + 0.999 * echo(np.full(N_TRACES, 2e-9 + gap)))
    expected = math.hypot(gap / 2, one["echo_duration"])
    npt.assert_allclose(two["echo_duration"], expected, rtol=0.05)
    npt.assert_allclose(two["second_delay"], gap, atol=1.5 * INTERVAL)


@pytest.mark.parametrize("ratio", [0.5, 0.1])
def test_the_second_echo_is_compared_with_the_first(ratio):
    """Half the amplitude is -6 dB, a tenth -20 dB."""
    first, second = np.full(N_TRACES, 1.5e-9), np.full(N_TRACES, 4.5e-9)
    row = radar_row(10 * echo(first) + 10 * ratio * echo(second))
    npt.assert_allclose(row["second_ratio"], 20 * math.log10(ratio), atol=0.2)
    npt.assert_allclose(row["second_delay"], 3e-9, atol=1.5 * INTERVAL)


def test_an_echo_at_the_end_of_the_trace_has_no_second():
    """Nothing is looked for behind the last sample."""
    row = radar_row(echo(np.full(N_TRACES, 9e-9 - INTERVAL)))
    assert (row["second_delay"], row["second_ratio"]) == (0.0, -60.0)
    assert (row["moveout"], row["alignment"]) == (0.0, 0.0)


def test_the_width_is_the_spread_of_energy_along_track():
    """Amplitude exp(-x^2 / 2 s^2) has energy of standard deviation s / sqrt 2."""
    for s in (0.05, 0.1):
        amplitude = 5 * np.exp(-(OFFSET**2) / (2 * s**2))
        row = radar_row(echo(np.full(N_TRACES, 2e-9), amplitude=amplitude))
        npt.assert_allclose(row["along_width"], s / math.sqrt(2), rtol=0.01)


def test_neighbours_are_compared_with_the_middle():
    """Half the amplitude on both sides is -6 dB and balanced, on one side not balanced."""
    row = radar_row(100 * POINT, left=50 * POINT, right=50 * POINT)
    npt.assert_allclose(row["across_ratio"], 20 * math.log10(0.5), atol=1e-3)
    npt.assert_allclose(row["across_balance"], 0.0, atol=1e-9)
    row = radar_row(100 * POINT, left=50 * POINT)
    npt.assert_allclose(
        row["across_ratio"], 20 * math.log10(0.5) - 10 * math.log10(2), atol=1e-3
    )
    npt.assert_allclose(row["across_balance"], 1.0, atol=1e-9)
    one, two = 3.0, 1.0
    row = radar_row(POINT, left=one * POINT, right=two * POINT)
    npt.assert_allclose(row["across_balance"], (one**2 - two**2) / (one**2 + two**2), rtol=1e-6)


def test_symmetry_is_one_for_a_mirrored_echo():
    """And zero if one half is empty, minus one if it is the negative of the other."""
    npt.assert_allclose(radar_row(POINT)["symmetry"], 1.0, rtol=1e-9)
    half = np.where(OFFSET[:, None] > SPACING / 2, POINT, 0)
    npt.assert_allclose(radar_row(half)["symmetry"], 0.0, atol=1e-6)
    odd = np.sign(OFFSET)[:, None] * POINT
    npt.assert_allclose(radar_row(odd)["symmetry"], -1.0, rtol=1e-6)


@pytest.mark.parametrize("curvature", [0.0, 2e-9, 6e-9])
def test_moveout_is_the_curvature_of_the_delay(curvature):
    """Delays 2 ns + b x^2 give b, and traces that match the apex give alignment one."""
    row = radar_row(echo(2e-9 + curvature * OFFSET**2))
    npt.assert_allclose(row["moveout"], curvature, rtol=0.03, atol=2e-11)
    assert row["alignment"] > 0.9


def test_moveout_of_a_point_at_depth_is_that_of_its_hyperbola():
    """Near the apex t = 2 sqrt(d^2 + x^2) / v bends by 1 / (d v)."""
    depth, velocity = 0.3, 1e8
    row = radar_row(echo(2 * np.hypot(depth, OFFSET) / velocity - 3e-9))
    chord = 2 * (math.hypot(depth, 0.35) - depth) / velocity / 0.35**2
    assert chord < row["moveout"] < 1 / (depth * velocity)


def test_noise_is_neither_aligned_nor_coherent():
    """Traces of a plate match the apex, traces of noise do not."""
    noise = np.random.default_rng(seed=0).normal(size=(N_TRACES, 160))
    plate = radar_row(echo(np.full(N_TRACES, 2e-9)))
    row = radar_row(noise)
    npt.assert_allclose([plate["alignment"], plate["coherence"]], 1.0, rtol=1e-6)
    assert row["coherence"] < 0.5
    assert row["alignment"] < 0.7
    npt.assert_allclose(row["contrast"], 0.0, atol=1.5)


@pytest.mark.parametrize("interval", [62.5e-12, 5e-12])
def test_a_tone_has_its_own_frequency(interval):
    """A sine's centroid is its frequency, at any sample interval; two tones are broader."""
    time = interval * np.arange(round(8e-9 / interval))

    def row(signal):
        samples = np.tile(signal, (9, 1, 1)).transpose(0, 1, 2)
        sensor = make_sensor(1, len(time), interval=interval)
        sweep = make_sweep(samples, spacing=SPACING, sensor=sensor)
        values = radar_features(sweep, [4], [0], ground_time=2e-9, spacing=SPACING)[0]
        return {f.name: v for f, v in zip(FEATURES, values, strict=True)}

    burst = np.exp(-(((time - 4.5e-9) / 0.5e-9) ** 2))
    one = row(burst * np.sin(2 * np.pi * 2e9 * time))
    npt.assert_allclose(one["centroid_frequency"], 2e9, rtol=0.05)
    two = row(burst * (np.sin(2 * np.pi * 1e9 * time) + np.sin(2 * np.pi * 3e9 * time)))
    assert two["bandwidth"] > 1.5 * one["bandwidth"]


def test_a_flagged_trace_gives_a_row_of_nan():
    """And beside a usable one it counts as zero amplitude."""
    quality = np.zeros(N_TRACES, np.int64)
    quality[CENTRE] = Quality.SATURATED
    assert all(math.isnan(value) for value in radar_row(POINT, quality=quality).values())
    quality[CENTRE] = 0
    quality[CENTRE + 3] = Quality.SATURATED
    blanked = POINT.copy()
    blanked[CENTRE + 3] = 0
    assert radar_row(POINT, quality=quality) == radar_row(blanked)


@pytest.mark.parametrize("trace", [0, 3, N_TRACES - 1])
def test_the_edge_of_the_lane_counts_as_zeros(trace):
    """A candidate at the edge is described as if zeros followed."""
    section = np.random.default_rng(seed=1).normal(size=(N_TRACES, 160))
    padded = np.pad(section, ((40, 40), (0, 0)))
    assert radar_row(section, trace=trace) == radar_row(padded, trace=trace + 40)


def test_the_edge_of_the_array_counts_as_zeros():
    """The first channel has nothing to its left."""
    section = np.random.default_rng(seed=1).normal(size=(N_TRACES, 160))
    row = radar_row(2 * section, left=section, channel=0)
    assert row == radar_row(section, right=2 * section, channel=1)


def test_rows_keep_the_order_of_the_candidates():
    """Each row is what its candidate gives alone; no candidate, no row."""
    samples = np.random.default_rng(seed=2).normal(size=(40, 2, 100))
    sensor = make_sensor(2, 100, interval=INTERVAL)
    sweep = make_sweep(samples, spacing=SPACING, sensor=sensor)
    options = {"ground_time": GROUND, "spacing": SPACING}
    rows = radar_features(sweep, [9, 30], [1, 0], **options)
    npt.assert_array_equal(rows[:1], radar_features(sweep, [9], [1], **options))
    npt.assert_array_equal(rows[1:], radar_features(sweep, [30], [0], **options))
    assert radar_features(sweep, [], [], **options).shape == (0, len(FEATURES))


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"spacing": 0.0}, "spacing '0.0'. Must be finite and greater"),
        ({"spacing": 0.36}, "spacing '0.36'. Must be at most 0.35 m"),
        ({"ground_time": -1e-9}, "ground_time"),
        ({"ground_time": 1e-6}, "ground_time '1e-06'. Must lie in"),
        ({"trace": N_TRACES}, "trace 61, channel 1. Must lie in 61, 3"),
        ({"trace": -1}, "trace -1, channel 1"),
        ({"channel": 3}, "trace 30, channel 3"),
    ],
)
def test_bad_radar_input_is_named(bad, message):
    """The error names the argument, its value and the rule."""
    with pytest.raises(ValueError, match=message):
        radar_row(POINT, **bad)


@pytest.mark.parametrize("spacing", [0.001, 0.2, 0.35])
def test_any_spacing_within_reach_works(spacing):
    """From a fine lane to one of three traces."""
    samples = np.random.default_rng(seed=3).normal(size=(5, 1, 100))
    sweep = make_sweep(samples, spacing=spacing, sensor=make_sensor(1, 100, interval=INTERVAL))
    rows = radar_features(sweep, [2, 0], [0, 0], ground_time=GROUND, spacing=spacing)
    assert np.isfinite(rows).all()


# -- coils ---------------------------------------------------------------------------------

COIL_SPACING = 0.05
COIL_OFFSET = COIL_SPACING * (np.arange(41) - 20)
SENSOR = make_coils(3)
GATES = SENSOR.axis
SPREAD = np.full((3, 12), 1e-12)


def coil_row(
    samples, *, trace=20, channel=1, scores=None, quality=None, spread=SPREAD, **options
):
    """Return the features of one coil candidate by name."""
    samples = np.array(samples, np.float64)
    flags = np.zeros(len(samples), np.int64) if quality is None else quality
    samples[(flags & Quality.STUCK) != 0] = np.nan
    sensor = options.pop("sensor", SENSOR)
    sweep = make_sweep(samples, spacing=COIL_SPACING, sensor=sensor, quality=flags)
    scores = np.zeros((len(samples), 1, 1)) if scores is None else scores
    scores = make_sweep(
        np.broadcast_to(scores, (len(samples), samples.shape[1], 1)),
        spacing=COIL_SPACING,
        sensor=make_sensor(samples.shape[1], 1),
        quality=flags if len(flags) == len(scores) else np.zeros(len(scores), np.int64),
    )
    options = {"soil": 1 / GATES, "spacing": COIL_SPACING} | options
    rows = coil_features(sweep, scores, [trace], [channel], spread=spread, **options)
    return {f.name: v for f, v in zip(COIL_FEATURES, rows[0], strict=True)}


def bump(decay, *, width=0.1, centre=0.0, sides=(0.0, 0.0)):
    """Return a decay that rises and falls along track, and a share of it on each side."""
    along = np.exp(-((COIL_OFFSET - centre) ** 2) / (2 * width**2))
    return along[:, None, None] * np.array([sides[0], 1, sides[1]])[:, None] * decay


def test_the_exponent_of_soil_is_minus_one():
    """The slope of log amplitude against log time, and full likeness to soil."""
    row = coil_row(bump(1e-12 / GATES))
    npt.assert_allclose(row["power_exponent"], -1.0, atol=1e-3)
    npt.assert_allclose(row["soil_likeness"], 1.0, rtol=1e-6)
    row = coil_row(bump(1e-17 / GATES**2))
    npt.assert_allclose(row["power_exponent"], -2.0, atol=1e-3)
    assert row["soil_likeness"] < 0.99
    opposite = coil_row(-bump(1e-12 / GATES) + 1e-11)
    assert opposite["soil_likeness"] < 0.5


def test_the_decay_time_is_the_mean_weighted_with_amplitude():
    """From the definition; an exponential decays the later the longer it lasts."""
    found = []
    for tau in (20e-6, 60e-6, 200e-6):
        decay = 1e-7 * np.exp(-GATES / tau)
        found.append(coil_row(bump(decay))["decay_time"])
        npt.assert_allclose(found[-1], (decay * GATES).sum() / decay.sum(), rtol=1e-3)
    assert found == sorted(found)


def test_levels_are_decibels_of_amplitude():
    """Against the spread, against 1 nV/A, and third against third; floors hold."""
    decay = np.repeat([1e-9, 1e-10, 1e-11], 4)
    row = coil_row(bump(decay))
    npt.assert_allclose(
        [row["early_level"], row["middle_level"], row["late_level"]], [60, 40, 20], atol=1e-3
    )
    npt.assert_allclose(row["early_amplitude"], 0.0, atol=1e-3)
    npt.assert_allclose([row["middle_ratio"], row["late_ratio"]], [-20, -40], atol=1e-3)
    quiet = coil_row(np.zeros((41, 3, 12)))
    levels = [quiet[f"{part}_level"] for part in ("early", "middle", "late")]
    npt.assert_allclose(levels, -20.0)
    npt.assert_allclose(quiet["early_amplitude"], -60.0)


def test_the_spread_of_this_coil_and_gate_counts():
    """A noisier coil lowers the level, not the amplitude."""
    noisy = SPREAD.copy()
    noisy[1] *= 10
    quiet, loud = coil_row(bump(1e-12 / GATES)), coil_row(bump(1e-12 / GATES), spread=noisy)
    npt.assert_allclose(quiet["early_level"] - loud["early_level"], 20.0, atol=1e-9)
    assert quiet["early_amplitude"] == loud["early_amplitude"]


def test_the_response_is_taken_at_its_peak_nearby():
    """Up to 0.15 m along track, not further."""
    decay = 1e-12 / GATES
    here = coil_row(bump(decay))
    beside = coil_row(bump(decay, centre=0.15))
    assert beside["early_level"] == pytest.approx(here["early_level"])
    far = coil_row(bump(decay, centre=0.25, width=0.05))
    npt.assert_allclose(
        far["early_level"], here["early_level"] - 20 * 2 / math.log(10), atol=0.1
    )


def test_the_score_is_the_greatest_nearby():
    """Of this coil, within 0.15 m along track."""
    scores = np.zeros((41, 3, 1))
    scores[17, 1], scores[16, 1], scores[20, 0] = 5, 9, 7
    assert coil_row(bump(1e-12 / GATES), scores=scores)["peak_score"] == 5
    scores[23, 1], scores[24, 1] = 6, 9
    assert coil_row(bump(1e-12 / GATES), scores=scores)["peak_score"] == 6


def test_the_width_is_the_spread_along_track():
    """Of a narrow bump within the reach, its standard deviation."""
    npt.assert_allclose(
        coil_row(bump(1e-12 / GATES, width=0.08))["along_width"], 0.08, rtol=0.02
    )


def test_neighbouring_coils_are_compared():
    """Half on both sides is -6 dB; a third against one is half of their sum apart."""
    row = coil_row(bump(1e-12 / GATES, sides=(0.5, 0.5)))
    npt.assert_allclose(row["across_ratio"], 20 * math.log10(0.5), atol=1e-3)
    npt.assert_allclose(row["across_balance"], 0.0, atol=1e-6)
    row = coil_row(bump(1e-12 / GATES, sides=(0.1, 0.3)))
    npt.assert_allclose(row["across_ratio"], 20 * math.log10(0.2), atol=1e-3)
    npt.assert_allclose(row["across_balance"], 0.5, rtol=1e-3)


def test_a_coil_at_the_edge_has_one_neighbour():
    """It is compared with that one; the balance is not known."""
    row = coil_row(bump(1e-12 / GATES, sides=(0.5, 0.5)), channel=0)
    npt.assert_allclose(row["across_ratio"], 20 * math.log10(2), atol=1e-3)
    assert math.isnan(row["across_balance"])


def test_a_coil_alone_has_no_neighbour():
    """Then nothing is known across, and everything else is."""
    samples = bump(1e-12 / GATES)[:, 1:2]
    row = coil_row(samples, channel=0, spread=SPREAD[:1], sensor=make_coils(1))
    unknown = {name for name, value in row.items() if math.isnan(value)}
    assert unknown == {"across_ratio", "across_balance"}


def test_a_profile_is_compared_with_its_mirror():
    """Even is one, a bump on one side only is less."""
    npt.assert_allclose(coil_row(bump(1e-12 / GATES))["symmetry"], 1.0, rtol=1e-9)
    skew = coil_row(bump(1e-12 / GATES, centre=0.15, width=0.05))["symmetry"]
    npt.assert_allclose(skew, math.exp(-((0.15 / 0.05) ** 2)), atol=0.01)


def test_flagged_decays_are_left_out():
    """A flagged candidate has no features; a flagged neighbour counts as nothing."""
    quality = np.zeros(41, np.int64)
    quality[20] = Quality.STUCK
    assert all(math.isnan(v) for v in coil_row(bump(1 / GATES), quality=quality).values())
    quality = np.zeros(41, np.int64)
    quality[19] = Quality.STUCK
    samples = bump(1e-12 / GATES)
    row = coil_row(samples, quality=quality)
    samples[19] = 0
    assert row == coil_row(samples)


@pytest.mark.parametrize("trace", [0, 2, 40])
def test_the_edge_of_a_coil_lane_counts_as_nothing(trace):
    """Features there are finite, and those of a lane padded with zeros."""
    samples = np.abs(np.random.default_rng(seed=5).normal(size=(41, 3, 12))) + 1.0
    padded = np.pad(samples, ((10, 10), (0, 0), (0, 0)))
    assert coil_row(samples, trace=trace) == coil_row(padded, trace=trace + 10)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"spacing": -1.0}, "spacing '-1.0'. Must be finite and greater"),
        ({"spacing": 0.5}, "spacing '0.5'. Must be at most 0.4 m"),
        ({"trace": 41}, "trace 41, channel 1. Must lie in 41, 3"),
        ({"channel": -1}, "trace 20, channel -1"),
        ({"scores": np.zeros((7, 1, 1))}, "scores of 7 traces. Must be 41"),
        ({"spread": SPREAD[:2]}, r"shapes \(2, 12\) and \(12,\). Must be \(3, 12\)"),
        ({"soil": GATES[:-1]}, r"and \(11,\). Must be \(3, 12\) and \(12,\)"),
    ],
)
def test_bad_coil_input_is_named(bad, message):
    """The error names the argument, its value and the rule."""
    if "scores" in bad:
        sweep = make_sweep(np.zeros((41, 3, 12)), sensor=SENSOR)
        scores = make_sweep(bad["scores"])
        with pytest.raises(ValueError, match=message):
            coil_features(
                sweep, scores, [20], [1], spread=SPREAD, soil=1 / GATES, spacing=COIL_SPACING
            )
    else:
        with pytest.raises(ValueError, match=message):
            coil_row(np.zeros((41, 3, 12)), **bad)


def test_two_gates_are_too_few():
    """Thirds of a decay need three gates."""
    with pytest.raises(ValueError, match=r"2 gates\. Must have at least 3"):
        coil_row(
            np.zeros((41, 1, 2)),
            channel=0,
            sensor=make_coils(1, 2),
            spread=np.ones((1, 2)),
            soil=np.ones(2),
        )
