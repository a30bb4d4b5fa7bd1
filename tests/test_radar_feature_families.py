"""Test families of radar features against definitions, oracles and what must not matter."""

import math
from functools import partial
from typing import NamedTuple

import naive_patches as naive
import numpy as np
import numpy.testing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lanes import make_coils, make_sensor, make_sweep

from minesense.gpr import (
    EDGE_HISTOGRAM_FEATURES,
    ENERGY_SPECTRUM_FEATURES,
    GRADIENT_HISTOGRAM_FEATURES,
    SPECTRAL_CORRELATION_FEATURES,
    TEXTURE_FEATURES,
    edge_histogram_features,
    energy_spectrum_features,
    gradient_histogram,
    gradient_histogram_features,
    spectral_correlation_features,
    spectral_prototypes,
    texture_features,
)
from minesense.gpr.energy_spectrum import BANDS, band_shares, energy_density
from minesense.sensor import Radar
from minesense.sweep import Quality

INTERVAL, SPACING, GROUND = 62.5e-12, 0.05, 1e-9
N_TRACES, N_CHANNELS, N_SAMPLES = 31, 5, 96
FIRST = round(GROUND / INTERVAL)  # sample of the ground
PLACE = (15, 2, 50)  # trace, channel and sample of the candidate: no patch leaves the lane
PROTOTYPES = {
    "metal": np.random.default_rng(seed=1).dirichlet(np.ones(12), 3),
    "plastic": np.random.default_rng(seed=2).dirichlet(np.ones(12), 2),
}


class Family(NamedTuple):
    """A family: its function, its features, and how its columns change in a mirror."""

    describe: object
    features: tuple
    mirror: object


def mirror_edges(rows):
    """Reverse the strips along track and change 45 for 135 degrees."""
    strips = rows[:, :35].reshape(-1, 7, 5)[:, ::-1, [0, 3, 2, 1, 4]]
    return np.hstack([strips.reshape(-1, 35), rows[:, 35:]])


def mirror_gradients(rows):
    """Reverse the cells along track and the bins."""
    return rows.reshape(-1, 5, 5, 9)[:, ::-1, :, ::-1].reshape(rows.shape)


def mirror_texture(rows):
    """Exchange falling and rising."""
    return rows.reshape(-1, 2, 4, 5)[:, :, [0, 3, 2, 1]].reshape(rows.shape)


FAMILIES = {
    "energy_spectrum": Family(
        energy_spectrum_features, ENERGY_SPECTRUM_FEATURES, lambda rows: rows
    ),
    "spectral_correlation": Family(
        partial(spectral_correlation_features, prototypes=PROTOTYPES),
        SPECTRAL_CORRELATION_FEATURES,
        lambda rows: rows,
    ),
    "edge_histogram": Family(edge_histogram_features, EDGE_HISTOGRAM_FEATURES, mirror_edges),
    "gradient_histogram": Family(
        gradient_histogram_features, GRADIENT_HISTOGRAM_FEATURES, mirror_gradients
    ),
    "texture": Family(texture_features, TEXTURE_FEATURES, mirror_texture),
}
every_family = pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)


def noise(seed=0, shape=(N_TRACES, N_CHANNELS, N_SAMPLES)):
    """Return whitened samples that hold no echo and no zero, smooth enough for a spectrum."""
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def sweep_of(samples, **options):
    """Return samples as a lane of the radar."""
    sensor = make_sensor(*samples.shape[1:], interval=INTERVAL)
    return make_sweep(samples, spacing=SPACING, sensor=sensor, **options)


def rows_of(family, sweep, place=PLACE, *, times=None, **options):
    """Return the features of one place, whose sample gives the time."""
    i, c, j = place
    times = [INTERVAL * j] if times is None else times
    options = {"ground_time": GROUND, "spacing": SPACING} | options
    rows = family.describe(sweep, [i], [c], times, **options)
    assert rows.shape == (1, len(family.features))
    assert rows.dtype == np.float64
    return rows


# What all families promise


@pytest.mark.parametrize("name", FAMILIES)
def test_every_column_has_a_name_of_its_own_a_unit_and_a_meaning(name):
    """Names begin with that of the family."""
    features = FAMILIES[name].features
    assert len({feature.name for feature in features}) == len(features)
    assert all(feature.name.startswith(f"{name}_") for feature in features)
    assert {feature.unit for feature in features} <= {"1", "Hz"}
    assert len({feature.meaning for feature in features}) == len(features)


def test_families_share_no_name():
    """Their columns can stand side by side in one table."""
    names = [feature.name for family in FAMILIES.values() for feature in family.features]
    assert len(set(names)) == len(names) == 15 + 3 + 70 + 225 + 40


@every_family
def test_candidates_do_not_touch_each_other(family):
    """Rows of several are those of each alone; none has none."""
    sweep = sweep_of(noise())
    places = [(15, 2, 50), (3, 0, 20), (30, 4, 94)]
    traces, channels, samples = (np.array(column) for column in zip(*places, strict=True))
    options = {"ground_time": GROUND, "spacing": SPACING}
    rows = family.describe(sweep, traces, channels, INTERVAL * samples, **options)
    npt.assert_array_equal(rows, np.vstack([rows_of(family, sweep, p) for p in places]))
    assert np.isfinite(rows).all()
    assert family.describe(sweep, [], [], [], **options).shape == (0, len(family.features))


@every_family
def test_a_row_of_an_unusable_trace_is_nan(family):
    """And of no other one, whether its time is given or not."""
    quality = np.zeros(N_TRACES, np.int64)
    quality[15] = Quality.NOT_FINITE
    samples = noise()
    samples[15] = np.nan
    sweep = sweep_of(samples, quality=quality)
    options = {"ground_time": GROUND, "spacing": SPACING}
    times = [INTERVAL * 50, np.nan, INTERVAL * 50, np.nan]
    rows = family.describe(sweep, [15, 15, 14, 16], [2, 2, 2, 2], times, **options)
    assert np.isnan(rows[:2]).all()
    assert np.isfinite(rows[2:]).all()


@every_family
@pytest.mark.parametrize("flag", [Quality.NOT_FINITE, Quality.SATURATED, Quality.STUCK])
def test_unusable_neighbours_are_silence(family, flag):
    """A flagged trace counts as one of zeros, whatever it holds."""
    samples, quality = noise(), np.zeros(N_TRACES, np.int64)
    quality[13] = flag
    silent = samples.copy()
    silent[13] = 0
    samples[13] = 1e6
    rows = rows_of(family, sweep_of(samples, quality=quality))
    npt.assert_array_equal(rows, rows_of(family, sweep_of(silent)))
    assert (rows != rows_of(family, sweep_of(noise()))).any()


@every_family
@pytest.mark.parametrize("trace", [0, 2, N_TRACES - 1])
def test_there_are_zeros_beyond_the_lane(family, trace):
    """A lane with silent traces before and after has the same features."""
    samples = noise()
    longer = np.pad(samples, ((20, 20), (0, 0), (0, 0)))
    rows = rows_of(family, sweep_of(samples), (trace, 2, 50))
    npt.assert_array_equal(rows, rows_of(family, sweep_of(longer), (trace + 20, 2, 50)))


@every_family
@pytest.mark.parametrize("channel", [0, N_CHANNELS - 1])
def test_there_are_zeros_beyond_the_array(family, channel):
    """An array with silent channels at its sides has the same features, or scaled ones."""
    samples = noise()
    wider = np.pad(samples, ((0, 0), (4, 4), (0, 0)))
    rows = rows_of(family, sweep_of(samples), (15, channel, 50))
    expected = rows_of(family, sweep_of(wider), (15, channel + 4, 50))
    if family is FAMILIES["gradient_histogram"]:
        expected *= 3 / 2  # a mean of the two channels that there are
    npt.assert_allclose(rows, expected, rtol=1e-12)


@every_family
@pytest.mark.parametrize("sample", [FIRST, N_SAMPLES - 1])
def test_there_are_zeros_beyond_the_record(family, sample):
    """A record that goes on in silence has the same features."""
    samples = noise()
    longer = np.pad(samples, ((0, 0), (0, 0), (32, 32)))
    rows = rows_of(family, sweep_of(samples), (15, 2, sample))
    place, ground = (15, 2, sample + 32), GROUND + 32 * INTERVAL
    npt.assert_array_equal(rows, rows_of(family, sweep_of(longer), place, ground_time=ground))


@every_family
@pytest.mark.parametrize("shift", [-7, 1, 12])
def test_a_delay_that_times_follow_changes_nothing(family, shift):
    """Ground and echo later by some samples; without the times there is a difference."""
    samples = noise()
    samples[:, :, :FIRST] = samples[:, :, -16:] = 0
    later = np.roll(samples, shift, axis=2)
    ground = GROUND + shift * INTERVAL
    rows = rows_of(family, sweep_of(samples))
    moved = rows_of(family, sweep_of(later), (15, 2, 50 + shift), ground_time=ground)
    npt.assert_array_equal(rows, moved)
    assert (rows != rows_of(family, sweep_of(later), ground_time=ground)).any()


@every_family
def test_without_a_time_the_strongest_echo_is_taken(family):
    """Of the cell's own trace and below the ground, summed over a period."""
    samples = noise() * np.float32(0.1)
    samples[15, 2, 40:51] += 3.0  # eleven samples are a period: the middle is 45
    samples[15, 2, 5] = 50.0  # above the ground
    samples[15, 2, 70] = 5.0  # stronger at one sample only
    samples[15, 1, 80] = samples[14, 2, 80] = 40.0  # another channel, another trace
    sweep = sweep_of(samples)
    rows = rows_of(family, sweep, times=[np.nan])
    npt.assert_array_equal(rows, rows_of(family, sweep, (15, 2, 45)))
    assert (rows != rows_of(family, sweep, (15, 2, 49))).any()


@every_family
def test_without_a_centre_frequency_a_period_is_four_samples(family):
    """Five samples are summed then."""
    samples = np.zeros((N_TRACES, 1, N_SAMPLES), np.float32)
    samples += 0.01 * noise(shape=samples.shape)
    samples[15, 0, 40:45] = 2.0
    samples[15, 0, 70:72] = 2.9
    sensor = make_sensor(1, N_SAMPLES, interval=INTERVAL)
    bare = type(sensor)(name="bare", kind="gpr", axis=sensor.axis, lever_arms=sensor.lever_arms)
    sweep = make_sweep(samples, spacing=SPACING, sensor=bare)
    rows = rows_of(family, sweep, (15, 0, 0), times=[np.nan])
    npt.assert_array_equal(rows, rows_of(family, sweep, (15, 0, 42)))


@every_family
def test_travel_the_other_way_mirrors_the_columns(family):
    """Reversed traces exchange the columns that know the direction, and no others."""
    samples = noise()
    rows = rows_of(family, sweep_of(samples))
    reversed_rows = rows_of(family, sweep_of(samples[::-1]))
    npt.assert_allclose(reversed_rows, family.mirror(rows), rtol=1e-9, atol=1e-12)


@every_family
def test_polarity_changes_nothing(family):
    """Of amplitudes that are not zero; spectra, edges and gradients have no sign."""
    samples = noise()
    rows = rows_of(family, sweep_of(-samples))
    npt.assert_allclose(rows, rows_of(family, sweep_of(samples)), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", ["energy_spectrum", "spectral_correlation", "edge_histogram"])
@pytest.mark.parametrize("factor", [0.25, 3.0, 1e4])
def test_amplitude_changes_nothing(name, factor):
    """Shares and thresholds are relative."""
    samples = noise()
    rows = rows_of(FAMILIES[name], sweep_of(samples * np.float32(factor)))
    npt.assert_allclose(rows, rows_of(FAMILIES[name], sweep_of(samples)), rtol=1e-5)


def test_amplitude_tells_something_to_gradients_and_textures():
    """A gradient of the logarithm grows less than in proportion; beyond 3 nothing counts."""
    weak, strong = noise(), 8 * noise()
    family = FAMILIES["gradient_histogram"]
    ratio = rows_of(family, sweep_of(strong)).sum() / rows_of(family, sweep_of(weak)).sum()
    assert 1.5 < ratio < 4
    clipped, beyond = np.sign(strong) * 3, np.sign(strong) * 100
    family = FAMILIES["texture"]
    npt.assert_array_equal(*(rows_of(family, sweep_of(x)) for x in (clipped, beyond)))
    assert (rows_of(family, sweep_of(strong)) != rows_of(family, sweep_of(weak))).any()


@every_family
def test_silence_has_figures_too(family):
    """A usable lane of zeros has finite features."""
    rows = rows_of(family, sweep_of(np.zeros((N_TRACES, N_CHANNELS, N_SAMPLES))))
    assert np.isfinite(rows).all()
    names = [feature.name for feature in family.features]
    ones = {name for name in names if name.endswith(("none", "correlation", "energy"))}
    ones |= {name for name in names if name.endswith("homogeneity")}
    expected = [float(name in ones) for name in names]
    npt.assert_allclose(rows[0], expected, atol=1e-12)


@every_family
@pytest.mark.parametrize(
    ("bad", "error", "message"),
    [
        ({"traces": [N_TRACES]}, ValueError, "Invalid traces with '31'. Must lie in 0 to 30"),
        ({"traces": [-1]}, ValueError, "Invalid traces with '-1'"),
        ({"traces": [1.0]}, TypeError, "Invalid traces of dtype float64. Must be whole"),
        ({"traces": [[1]]}, ValueError, r"Invalid traces with shape \(1, 1\)"),
        ({"channels": [N_CHANNELS]}, ValueError, "Invalid channels with '5'"),
        ({"channels": [1, 2]}, ValueError, r"Invalid channels with shape \(2,\)"),
        ({"times": [1e-9, 2e-9]}, ValueError, r"Invalid times with shape \(2,\)"),
        ({"times": [-1e-9]}, ValueError, "Invalid times with '-1e-09'. Must lie in 0.0 to"),
        ({"times": [math.inf]}, ValueError, "Invalid times with 'inf'"),
        ({"ground_time": 1.0}, ValueError, "Invalid ground_time '1.0'. Must lie in"),
        ({"spacing": 0.0}, ValueError, "Invalid spacing '0.0'"),
        ({"spacing": 0.8}, ValueError, "Invalid spacing '0.8'. Must"),
        ({"sweep": make_sweep(np.ones((2, 2, 12)), sensor=make_coils())}, ValueError, "radar"),
    ],
)
def test_bad_input_is_named(family, bad, error, message):
    """The error names the argument, shows its value and states the rule."""
    arguments = {
        "sweep": sweep_of(noise()),
        "traces": [15],
        "channels": [2],
        "times": [3e-9],
        "ground_time": GROUND,
        "spacing": SPACING,
    } | bad
    with pytest.raises(error, match=message):
        family.describe(**arguments)


@pytest.mark.parametrize(
    ("name", "option", "message"),
    [
        ("energy_spectrum", {"reach": 0.01}, "Invalid spacing '0.05'. Must leave 1 or more"),
        ("energy_spectrum", {"duration": 1e-12}, "Invalid duration '1e-12'. Must hold three"),
        ("edge_histogram", {"reach": 0.06}, "Must leave 2 or more traces"),
        ("edge_histogram", {"duration": -1.0}, "Invalid duration '-1.0'"),
        ("texture", {"reach": math.nan}, "Invalid reach 'nan'"),
        ("gradient_histogram", {"cell_length": 0.04}, "Must be at most the cell_length '0.04'"),
        ("gradient_histogram", {"cell_duration": 1e-12}, "Invalid cell_duration '1e-12'"),
    ],
)
def test_bad_options_are_named(name, option, message):
    """A window must hold something to look at."""
    with pytest.raises(ValueError, match=message):
        rows_of(FAMILIES[name], sweep_of(noise()), **option)


# Energy density spectrum and its correlation


def test_density_matches_the_definition():
    """Sums over lags, at frequencies up and down the band."""
    rows = noise(shape=(3, 2, 20))
    frequencies, density = energy_density(rows, INTERVAL)
    for k in (0, 37, 200, len(frequencies) - 1):
        expected = naive.energy_density(
            rows.reshape(6, 20).astype(float), INTERVAL, frequencies[k]
        )
        npt.assert_allclose(density[k], expected, rtol=1e-9, atol=1e-9)


def test_the_patch_of_a_spectrum_ends_at_the_ground():
    """Shares are those of the naive patch, without what lies above."""
    sweep = sweep_of(noise())
    for sample in (20, 50):
        patch = naive.patch(sweep, (15, 2, sample), (5, 1), (32, 32), top=FIRST)
        expected = band_shares(*energy_density(patch, INTERVAL))
        rows = rows_of(FAMILIES["energy_spectrum"], sweep, (15, 2, sample))
        npt.assert_allclose(rows[0, :12], expected, rtol=1e-9)
        npt.assert_allclose(expected.sum(), 1, rtol=1e-12)


@pytest.mark.parametrize("k", range(12))
def test_a_tone_lies_in_its_band(k):
    """Peak and greatest share follow the frequency; all else is a narrow line."""
    frequency = math.sqrt(BANDS[k] * BANDS[k + 1])
    tone = np.cos(2 * np.pi * frequency * INTERVAL * np.arange(1024))
    sweep = sweep_of(np.tile(tone, (N_TRACES, 1, 1)))
    row = rows_of(FAMILIES["energy_spectrum"], sweep, (15, 0, 512), duration=60e-9)[0]
    assert row[:12].argmax() == k
    assert row[k] > 0.95
    npt.assert_allclose(row[12], frequency, atol=1e7)
    assert row[13] < 0.1e9
    assert row[14] < 0.2


def test_width_and_entropy_of_two_tones():
    """Two lines of equal strength: half their distance, and the entropy of a coin."""
    low, high = math.sqrt(BANDS[2] * BANDS[3]), math.sqrt(BANDS[9] * BANDS[10])
    time = INTERVAL * np.arange(1024)
    tones = np.cos(2 * np.pi * low * time) + np.cos(2 * np.pi * high * time)
    sweep = sweep_of(np.tile(tones, (N_TRACES, 1, 1)))
    row = rows_of(FAMILIES["energy_spectrum"], sweep, (15, 0, 512), duration=60e-9)[0]
    npt.assert_allclose(row[13], (high - low) / 2, rtol=0.02)
    npt.assert_allclose(row[14], math.log(2) / math.log(12), atol=0.05)


def test_correlation_matches_the_definition():
    """The greatest of NumPy's correlation coefficients, and the balance."""
    sweep = sweep_of(noise())
    shares = rows_of(FAMILIES["energy_spectrum"], sweep)[0, :12]
    row = rows_of(FAMILIES["spectral_correlation"], sweep)[0]
    best = [
        max(np.corrcoef(shares, prototype)[0, 1] for prototype in PROTOTYPES[name])
        for name in ("metal", "plastic")
    ]
    npt.assert_allclose(row, [*best, best[0] - best[1]], rtol=1e-9)


def test_a_prototype_correlates_with_itself():
    """Its own spectrum gives 1; a flat one gives 0."""
    sweep = sweep_of(noise())
    own = rows_of(FAMILIES["energy_spectrum"], sweep)[:, :12]
    flat = np.full((1, 12), 1 / 12)
    family = Family(spectral_correlation_features, SPECTRAL_CORRELATION_FEATURES, None)
    row = rows_of(family, sweep, prototypes={"metal": own, "plastic": flat})[0]
    npt.assert_allclose(row, [1, 0, 1], atol=1e-9)


def radar_of_known_height(**options):
    """Return a radar that the model can compute echoes for."""
    sensor = make_sensor(1, 128, interval=INTERVAL)
    radar = Radar(centre_frequency=1.5e9, separation=0.06, **options)
    return type(sensor)(
        name="known", kind="gpr", axis=sensor.axis, lever_arms=sensor.lever_arms, radar=radar
    )


def test_prototypes_of_the_model_are_the_default():
    """The echo of a metal sphere is like metal; a model needs the antennas' height."""
    sensor = radar_of_known_height(height=0.1)
    prototypes = spectral_prototypes(sensor, ground_time=1.5e-9)
    assert {name: shares.shape for name, shares in prototypes.items()} == {
        "metal": (6, 12),
        "plastic": (6, 12),
    }
    for shares in prototypes.values():
        npt.assert_allclose(shares.sum(axis=1), 1, rtol=1e-9)
    samples = noise(shape=(N_TRACES, 1, 128))
    sweep = make_sweep(samples, spacing=SPACING, sensor=sensor)
    family = Family(spectral_correlation_features, SPECTRAL_CORRELATION_FEATURES, None)
    place, options = (15, 0, 60), {"ground_time": 1.5e-9}
    rows = rows_of(family, sweep, place, **options)
    npt.assert_array_equal(
        rows, rows_of(family, sweep, place, prototypes=prototypes, **options)
    )
    unknown = make_sweep(samples, spacing=SPACING, sensor=radar_of_known_height())
    with pytest.raises(ValueError, match="Invalid height 'None'"):
        rows_of(family, unknown, place, **options)


@pytest.mark.parametrize(
    ("prototypes", "message"),
    [
        ({"metal": np.ones((1, 12))}, r"Invalid prototypes of \['metal'\]. Must be a mapping"),
        ([1], r"Invalid prototypes of \[1\]"),
        (PROTOTYPES | {"metal": np.ones((1, 3))}, r"Invalid prototypes\['metal'\] with shape"),
        (PROTOTYPES | {"metal": np.ones((0, 12))}, r"Invalid prototypes\['metal'\] with no"),
        (PROTOTYPES | {"plastic": np.full((1, 12), np.nan)}, "1 values are NaN|12 of 12"),
    ],
)
def test_bad_prototypes_are_named(prototypes, message):
    """Each class has one or more rows of finite shares."""
    family = Family(spectral_correlation_features, SPECTRAL_CORRELATION_FEATURES, None)
    with pytest.raises(ValueError, match=message):
        rows_of(family, sweep_of(noise()), prototypes=prototypes)


# Edge histogram


@pytest.mark.parametrize("place", [PLACE, (2, 0, 90), (30, 4, 5)])
def test_edges_match_the_definition(place):
    """Along and across, inside the lane and at its ends."""
    sweep = sweep_of(noise() + noise(seed=1)[:, :, :1])
    along = naive.patch(sweep, place, (8, 0), (23, 23))[:, 0]
    across = naive.patch(sweep, place, (0, 4), (23, 23))[0]  # 0.35 m are 3 of 0.125 m
    row = rows_of(FAMILIES["edge_histogram"], sweep, place)[0]
    npt.assert_allclose(row[:35].reshape(7, 5), naive.edge_shares(along), atol=1e-12)
    npt.assert_allclose(row[35:].reshape(7, 5), naive.edge_shares(across), atol=1e-12)


@pytest.mark.parametrize("n_traces", [5, 7, 9, 15, 29])
def test_no_strip_is_empty(n_traces):
    """Sections of every width from the narrowest on have shares that sum to 1."""
    reach = SPACING * (n_traces // 2)
    row = rows_of(FAMILIES["edge_histogram"], sweep_of(noise()), reach=reach)[0]
    npt.assert_allclose(row.reshape(14, 5).sum(axis=1), 1, rtol=1e-12)
    half = (n_traces + 1) // 2
    section = naive.patch(sweep_of(noise()), PLACE, (half, 0), (23, 23))[:, 0]
    npt.assert_allclose(row[:35].reshape(7, 5), naive.edge_shares(section), atol=1e-12)


@pytest.mark.parametrize(("slope", "label"), [(0, 0), (1, 1), (-1, 3), (8, 2), (-8, 2)])
def test_a_plane_front_has_one_label(slope, label):
    """Flat, going down, coming up, upright; slope in samples per trace."""
    k, t = np.arange(N_TRACES)[:, None], np.arange(N_SAMPLES)
    section = np.sin(2 * np.pi * (t - 50 - slope * (k - 15)) / (12 * max(1, abs(slope))))
    row = rows_of(FAMILIES["edge_histogram"], sweep_of(section[:, None]), (15, 0, 50))[0]
    shares = row[:35].reshape(7, 5)
    assert (shares[:, :4].argmax(axis=1) == label).all()
    assert (shares[:, label] > 0.5).all()


def test_one_channel_has_two_silent_ones_beside_it():
    """So do channels one above the other, whose distance across is nothing."""
    samples = noise(shape=(N_TRACES, 1, N_SAMPLES))
    row = rows_of(FAMILIES["edge_histogram"], sweep_of(samples), (15, 0, 50))[0]
    across = naive.patch(sweep_of(samples), (15, 0, 50), (0, 3), (23, 23))[0]
    npt.assert_allclose(row[35:].reshape(7, 5), naive.edge_shares(across), atol=1e-12)
    sensor = make_sensor(3, N_SAMPLES, interval=INTERVAL)
    stacked = type(sensor)(
        name="stacked", kind="gpr", axis=sensor.axis, lever_arms=np.zeros((3, 3))
    )
    samples = noise(shape=(N_TRACES, 3, N_SAMPLES))
    sweep = make_sweep(samples, spacing=SPACING, sensor=stacked)
    row = rows_of(FAMILIES["edge_histogram"], sweep, (15, 1, 50))[0]
    across = naive.patch(sweep, (15, 1, 50), (0, 3), (23, 23))[0]
    npt.assert_allclose(row[35:].reshape(7, 5), naive.edge_shares(across), atol=1e-12)


# Gradient histogram


@settings(deadline=None, derandomize=True, max_examples=25)  # compiling is slow
@given(
    shape=st.tuples(st.integers(4, 17), st.integers(4, 17)),
    cell=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    block=st.tuples(st.integers(1, 2), st.integers(1, 2)),
    n_bins=st.integers(1, 9),
)
def test_gradients_match_the_definition(shape, cell, block, n_bins):
    """Angles by atan2, one place at a time."""
    images = np.random.default_rng(seed=3).normal(size=(2, *shape))
    if shape[0] // cell[0] < block[0] or shape[1] // cell[1] < block[1]:
        with pytest.raises(ValueError, match="Must hold a block"):
            gradient_histogram(images, n_bins=n_bins, cell=cell, block=block)
        return
    result = gradient_histogram(images, n_bins=n_bins, cell=cell, block=block)
    expected = [naive.gradient_blocks(image, n_bins, cell, block) for image in images]
    npt.assert_allclose(result, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("shape", "cell", "block", "n_bins"),
    [
        ((29, 45), (7, 7), (2, 2), 9),
        ((28, 48), (6, 8), (2, 2), 9),
        ((45, 15), (8, 6), (2, 2), 9),
        ((33, 37), (5, 7), (1, 3), 8),
        ((24, 24), (8, 8), (3, 3), 12),
    ],
)
def test_gradients_are_those_of_scikit_image(dtype, shape, cell, block, n_bins):
    """As it normalises them, in the same order, and with whole numbers right on the bounds."""
    feature = pytest.importorskip("skimage.feature")
    rng = np.random.default_rng(seed=4)
    for values in (rng.normal(size=(6, *shape)), rng.integers(-3, 4, (6, *shape))):
        images = values.astype(dtype)
        expected = [feature.hog(image, n_bins, cell, block, "L2-Hys") for image in images]
        result = gradient_histogram(images, n_bins=n_bins, cell=cell, block=block)
        assert result.dtype == dtype
        npt.assert_allclose(result, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("n_bins", [2, 4, 8, 12])
def test_whole_numbers_on_a_bound_belong_to_the_bin_above(n_bins):
    """Ramps at 0, 45, 90 and 135 degrees, up and down."""
    row, column = np.mgrid[:6, :6]
    for eighth, ramp in enumerate((column, row + column, row, row - column)):
        for sign in (1, -1):
            inner = gradient_histogram(
                [sign * ramp], n_bins=n_bins, cell=(2, 2), block=(1, 1)
            ).reshape(3, 3, n_bins)[1, 1]
            assert inner.argmax() == eighth * n_bins // 4
            assert np.count_nonzero(inner) == 1


def test_gradients_of_images_that_differ_in_offset_and_scale():
    """Brightness and sign change nothing, contrast only in the last digits."""
    images = np.random.default_rng(seed=5).normal(size=(3, 16, 16))
    result = gradient_histogram(images)
    assert result.shape == (3, 36)
    npt.assert_allclose(gradient_histogram(-images), result, rtol=1e-12)
    npt.assert_allclose(gradient_histogram(images + 5), result, atol=1e-9)
    npt.assert_allclose(gradient_histogram(7 * images), result, atol=1e-6)
    npt.assert_array_equal(gradient_histogram(np.ones((1, 16, 16))), np.zeros((1, 36)))
    assert gradient_histogram(np.empty((0, 16, 16))).shape == (0, 36)


@pytest.mark.parametrize(
    ("bad", "error", "message"),
    [
        ({"patches": np.ones((16, 16))}, ValueError, r"Invalid patches with shape \(16, 16\)"),
        ({"patches": np.full((2, 16, 16), np.nan)}, ValueError, "2 of 2 hold NaN"),
        ({"patches": np.ones((1, 16, 16), complex)}, TypeError, "Invalid patches of dtype"),
        ({"patches": np.ones((1, 15, 16))}, ValueError, "Must hold a block of 16 rows and 16"),
        ({"n_bins": 0}, ValueError, "Invalid n_bins '0'"),
        ({"cell": 8}, TypeError, "Invalid cell 8. Must be a pair"),
        ({"cell": (8, 0)}, ValueError, "Invalid cell '0'"),
        ({"block": (2, 2.0)}, TypeError, "Invalid block 2.0"),
        ({"block": (2, 2, 2)}, TypeError, r"Invalid block \(2, 2, 2\)"),
    ],
)
def test_bad_images_are_named(bad, error, message):
    """The error names the argument, shows its value and states the rule."""
    with pytest.raises(error, match=message):
        gradient_histogram(**{"patches": np.ones((1, 16, 16))} | bad)


@pytest.mark.parametrize(("spacing", "wide"), [(0.05, 3), (0.025, 5), (0.15, 1)])
def test_radar_gradients_match_the_definition(spacing, wide):
    """Mean over three channels of cells of the signed logarithm, an odd number of traces."""
    sweep = sweep_of(4 * noise())
    row = rows_of(FAMILIES["gradient_histogram"], sweep, spacing=spacing)[0]
    patch = naive.patch(sweep, PLACE, (5 * wide // 2 + 1, 1), (21, 20))
    cells = [
        naive.gradient_cells(np.sign(x) * np.log(1 + np.abs(x)), 9, (wide, 8), margin=1)
        for x in patch.transpose(1, 0, 2)
    ]
    npt.assert_allclose(row.reshape(5, 5, 9), np.mean(cells, axis=0), rtol=2e-5, atol=1e-7)


# Texture

OFFSETS = [(d * i, d * j) for d in (1, 2) for i, j in ((0, 1), (1, 1), (1, 0), (1, -1))]


@pytest.mark.parametrize("place", [PLACE, (1, 0, 93)])
def test_textures_match_the_definition(place):
    """Pairs counted one by one, inside the lane and where zeros stand for what is beyond."""
    sweep = sweep_of(2 * noise())
    section = naive.patch(sweep, place, (7, 0), (22, 22))[:, 0]
    levels = np.vectorize(naive.level_of)(section)
    expected = [naive.texture(levels, offset) for offset in OFFSETS]
    row = rows_of(FAMILIES["texture"], sweep, place)[0]
    npt.assert_allclose(row.reshape(8, 5), expected, rtol=1e-9, atol=1e-12)


def test_textures_are_those_of_scikit_image():
    """With its measures of symmetric, normalised pairs."""
    feature = pytest.importorskip("skimage.feature")
    sweep = sweep_of(2 * noise())
    section = naive.patch(sweep, PLACE, (7, 0), (22, 22))[:, 0]
    levels = np.vectorize(naive.level_of)(section).astype(np.uint8)
    row = rows_of(FAMILIES["texture"], sweep)[0].reshape(8, 5)
    measures = ("contrast", "correlation", "energy", "homogeneity", "entropy")
    for values, (i, j) in zip(row, OFFSETS, strict=True):
        # its angle runs from columns to rows, and distances are rounded to places
        pairs = feature.graycomatrix(
            levels, [math.hypot(i, j)], [math.atan2(i, j)], 16, symmetric=True, normed=True
        )
        expected = [feature.graycoprops(pairs, name)[0, 0] for name in measures]
        npt.assert_allclose(values, expected, rtol=1e-9)


def test_textures_of_stripes_are_known():
    """Bands of one trace each: alike down the record, opposite to the next trace."""
    section = np.where(np.arange(N_TRACES) % 2, 9.0, -9.0)[:, None] * np.ones(N_SAMPLES)
    row = rows_of(FAMILIES["texture"], sweep_of(section[:, None]), (15, 0, 50))[0]
    by_offset = dict(zip(OFFSETS, row.reshape(8, 5), strict=True))
    alike = [0, 1, math.sqrt(113 / 225), 1, None]  # 8 of 15 traces are of one kind
    npt.assert_allclose(by_offset[0, 1][:4], alike[:4], rtol=1e-9)
    opposite = [225, -1, math.sqrt(0.5), 1 / 226, math.log(2)]
    npt.assert_allclose(by_offset[1, 0], opposite, rtol=1e-9)
    npt.assert_allclose(by_offset[2, 0][:2], [0, 1], atol=1e-9)
