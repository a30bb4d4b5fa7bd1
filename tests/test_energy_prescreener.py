"""Test the radar's energy prescreener against its definition and its promises."""

import dataclasses

import numpy as np
import numpy.testing as npt
import pytest
from lanes import make_coils, make_sensor, make_sweep
from naive_prescreeners import surroundings

from minesense._kernels.energy import log_of_one_more
from minesense.gpr.prescreen import (
    PrescreenEnergy,
    cell_averaging_factor,
    prescreen_energy,
)
from minesense.stage import run_lane
from minesense.sweep import Quality

# 8 samples a bin, 4 from one to the next; rings of 4 to 8 traces on each side
OPTIONS = {"spacing": 0.05, "bin_length": 8e-10, "guard": 0.15, "ring": 0.4, "n_best": 2}


def naive_scores(samples, is_usable, *, start, hop, n_guard, n_ring, n_best, floor):
    """Return the scores and the sizes of rings from the definition."""
    n_traces, n_channels, n_samples = samples.shape
    starts = range(start, n_samples - 2 * hop + 1, hop)
    energy = np.stack(
        [(samples[..., b : b + 2 * hop].astype(float) ** 2).sum(axis=-1) for b in starts], -1
    )
    y = np.log(1 + energy)
    scores = np.full((n_traces, n_channels, y.shape[2] - n_best + 1), np.nan)
    sizes = np.zeros(n_traces, int)
    for k in range(n_traces):
        ring = [j for j in range(n_traces) if is_usable[j] and n_guard < abs(j - k) <= n_ring]
        sizes[k] = len(ring)
        if not ring or not is_usable[k]:
            continue
        m = np.median(y[ring], axis=0)
        s = 1.4826 * np.median(np.abs(y[ring] - m), axis=0)
        t = (y[k] - m) / np.maximum(s, floor)
        scores[k] = np.stack(
            [t[:, w : w + n_best].sum(axis=1) for w in range(scores.shape[2])], -1
        )
    return scores, sizes


def noise(n_traces=40, n_channels=2, n_samples=48, *, seed=0, **options):
    """Return a lane of whitened noise."""
    rng = np.random.default_rng(seed)
    return make_sweep(rng.normal(size=(n_traces, n_channels, n_samples)), **options)


@pytest.mark.parametrize("floor", [0.1, 0.6])
@pytest.mark.parametrize("bad", [[], [0, 7, 8, 9, 30]])
def test_matches_the_definition(floor, bad):
    """Rings, shrinking at the ends and around dropouts, spreads, floor and windows."""
    sweep = noise()
    quality = np.zeros(40, int)
    quality[bad] = Quality.STUCK
    sweep = dataclasses.replace(sweep, quality=quality)
    result = prescreen_energy(sweep, **OPTIONS, start_time=5e-10, floor=floor)
    expected, sizes = naive_scores(
        sweep.samples, quality == 0, start=5, hop=4, n_guard=3, n_ring=8, n_best=2, floor=floor
    )
    is_short = sizes < 0.25 * 10
    is_edge = (result.quality & Quality.EDGE) != 0
    npt.assert_array_equal(is_edge, is_short)
    good = ~is_short & (quality == 0)
    npt.assert_allclose(result.samples[good], expected[good], rtol=1e-4, atol=1e-4)
    assert not result.samples[is_short & (quality == 0)].any()
    assert np.isnan(result.samples[bad]).all()


def test_axis_is_the_centre_of_each_window():
    """An impulse scores most in the windows whose two-way time surrounds it."""
    sweep = noise()
    sweep.samples[20, 0, 26] = 50.0
    result = prescreen_energy(sweep, **OPTIONS, start_time=5e-10)
    # samples 5 to 16 are the first window of two bins, its centre 10.5; 4 samples a step
    npt.assert_allclose(result.sensor.axis, (10.5 + 4 * np.arange(8)) * 1e-10)
    best = result.samples[20, 0].argmax()
    assert abs(result.sensor.axis[best] - 26e-10) <= 2e-10
    assert result.sensor.quantity == "score"
    assert np.argmax(result.samples[:, 0].max(axis=1)) == 20


def test_a_guard_keeps_a_long_target_whole():
    """What reaches beyond the guard masks itself: the mistake of too small a guard."""
    sweep = noise(60)
    sweep.samples[26:35, :, 20:28] *= 5  # 45 cm
    wide = OPTIONS | {"ring": 0.8, "guard": 0.45}
    narrow = OPTIONS | {"ring": 0.4, "guard": 0.0}
    kept = prescreen_energy(sweep, **wide).samples[30].max()
    masked = prescreen_energy(sweep, **narrow).samples[30].max()
    alone = noise(60)
    alone.samples[30, :, 20:28] *= 5
    assert kept > 0.6 * prescreen_energy(alone, **wide).samples[30].max()
    assert masked < 0.4 * kept


def test_a_second_target_in_the_ring_does_little():
    """Median and MAD shrug off a neighbour that a mean and standard deviation would not."""
    lone, pair = noise(80), noise(80)
    for sweep in (lone, pair):
        sweep.samples[40, :, 20:28] *= 6
    pair.samples[46:48, :, 20:28] *= 6
    options = OPTIONS | {"ring": 0.8}
    first = prescreen_energy(lone, **options).samples[40].max()
    second = prescreen_energy(pair, **options).samples[40].max()
    assert second > 0.8 * first


def test_scaling_strong_traces_changes_little():
    """The logarithm makes the score indifferent to the level: all traces times ten."""
    sweep = noise()
    quiet = prescreen_energy(dataclasses.replace(sweep, samples=10 * sweep.samples), **OPTIONS)
    loud = prescreen_energy(dataclasses.replace(sweep, samples=100 * sweep.samples), **OPTIONS)
    npt.assert_allclose(loud.samples, quiet.samples, rtol=0.02, atol=0.02)


def test_equal_traces_score_zero():
    """A lane that never changes has no spread: the floor keeps the score at zero."""
    result = prescreen_energy(make_sweep(np.ones((40, 2, 48))), **OPTIONS)
    npt.assert_array_equal(result.samples, 0.0)
    assert not result.quality.any()


def test_a_lane_shorter_than_a_window_is_not_observed():
    """Too few traces to compare with: all flagged EDGE, none credited, none scored."""
    result = prescreen_energy(noise(5), **OPTIONS)
    assert (result.quality & Quality.EDGE).all()
    assert not result.is_credited.any()
    npt.assert_array_equal(result.samples, 0.0)


def test_min_share_decides_who_is_judged():
    """At the end of a lane half of a ring remains, next to a gap of it less."""
    whole = OPTIONS | {"min_share": 1.0}
    is_edge = prescreen_energy(noise(), **whole).quality != 0
    npt.assert_array_equal(np.flatnonzero(~is_edge), np.arange(8, 32))
    half = OPTIONS | {"min_share": 0.5}
    assert not prescreen_energy(noise(), **half).quality.any()


def test_traces_flagged_edge_before_are_in_no_ring():
    """What an earlier stage could not judge is zero here and no reference for others."""
    sweep = noise()
    sweep.samples[:4] = 0.0
    flagged = dataclasses.replace(
        sweep, quality=np.where(np.arange(40) < 4, int(Quality.EDGE), 0)
    )
    result = prescreen_energy(flagged, **OPTIONS)
    npt.assert_array_equal(result.samples[:4], 0.0)
    assert (result.quality[:4] == Quality.EDGE).all()
    rest = prescreen_energy(sweep[4:], **OPTIONS)
    npt.assert_array_equal(result.samples[4:], rest.samples)


def test_dropouts_are_not_silence():
    """A flagged dropout leaves as NaN and uncredited; without the flag it is refused."""
    sweep = noise()
    samples = sweep.samples.copy()
    samples[11] = np.nan
    flags = np.where(np.arange(40) == 11, int(Quality.NOT_FINITE), 0)
    result = prescreen_energy(
        dataclasses.replace(sweep, samples=samples, quality=flags), **OPTIONS
    )
    assert np.isnan(result.samples[11]).all()
    npt.assert_array_equal(np.flatnonzero(~result.is_credited), [11])
    with pytest.raises(ValueError, match=r"1 of 40 traces hold NaN .* is trace 11"):
        dataclasses.replace(sweep, samples=samples)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"spacing": 0}, "Invalid spacing '0.0'"),
        ({"bin_length": -1e-9}, "Invalid bin_length '-1e-09'"),
        ({"guard": -0.1}, "Invalid guard '-0.1'. Must be finite and not negative"),
        ({"ring": 0.16}, "Invalid ring '0.16'. Must reach beyond the guard of 0.15 m"),
        ({"n_best": 0}, "Invalid n_best '0'. Must be at least 1"),
        ({"start_time": np.inf}, "Invalid start_time 'inf'"),
        ({"floor": 0}, "Invalid floor '0.0'"),
        ({"min_share": 0}, "Invalid min_share '0.0'"),
        ({"min_share": 1.1}, "Invalid min_share '1.1'. Must be at most 1"),
        ({"reference": "mode"}, "Invalid reference 'mode'. Must be one of 'median', 'mean'"),
        ({"quantile": 1.0}, "Invalid quantile '1.0'. Must lie between 0 and 1"),
        ({"halves": "left"}, "Invalid halves 'left'. Must be one of 'both', 'greatest'"),
    ],
)
def test_bad_options_are_named(bad, message):
    """The error names the option, shows its value and states the rule."""
    with pytest.raises(ValueError, match=message):
        PrescreenEnergy(**OPTIONS | bad)


def test_bad_sensors_are_named():
    """A coil, a frequency axis, or a record too short for the windows is refused."""
    stage = PrescreenEnergy(**OPTIONS)
    coils = make_sweep(np.zeros((3, 2, 12)), sensor=make_coils())
    with pytest.raises(ValueError, match=r"'test coils' of kind 'emi'.* Must be a radar"):
        run_lane(stage, coils)
    stepped = make_sweep(np.zeros((3, 2, 48)), sensor=make_sensor(2, 48, axis_unit="Hz"))
    with pytest.raises(ValueError, match=r"axis in Hz. Must be a radar with two-way times"):
        run_lane(stage, stepped)
    with pytest.raises(ValueError, match=r"ends at 1.1e-09 s and holds 1 bins after 3e-10 s"):
        prescreen_energy(noise(n_samples=12), **OPTIONS, start_time=3e-10)
    with pytest.raises(ValueError, match=r"holds 0 bins after 1 s. Must hold .* n_best = 2"):
        prescreen_energy(noise(), **OPTIONS, start_time=1.0)


@pytest.mark.parametrize("halves", ["both", "greatest", "smallest"])
@pytest.mark.parametrize("reference", ["median", "mean", "quantile"])
@pytest.mark.parametrize("bad", [[], [0, 7, 8, 9, 30]])
def test_references_match_the_definition(reference, halves, bad):
    """Level and spread of each reference, of the ring or of one of its halves."""
    sweep = noise()
    quality = np.zeros(40, int)
    quality[bad] = Quality.STUCK
    sweep = dataclasses.replace(sweep, quality=quality)
    result = prescreen_energy(
        sweep, **OPTIONS, reference=reference, quantile=0.6, halves=halves
    )
    starts = range(0, 48 - 7, 4)
    squares = sweep.samples.astype(float) ** 2
    y = np.log(1 + np.stack([squares[..., b : b + 8].sum(axis=-1) for b in starts], -1))
    rows, expected = y.reshape(40, -1), np.zeros((40, 2, y.shape[2] - 1))
    for k in range(40):
        level, spread, count = surroundings(
            rows,
            quality == 0,
            k,
            reach=8,
            guard=3,
            least=2,
            reference=reference,
            quantile=0.6,
            halves=halves,
        )
        is_short = count < 0.25 * (10 if halves == "both" else 5)
        assert bool(result.quality[k] & Quality.EDGE) == is_short
        if not is_short:
            t = ((rows[k] - level) / np.maximum(spread, 0.1)).reshape(y.shape[1:])
            expected[k] = t[:, :-1] + t[:, 1:]
    good = quality == 0
    npt.assert_allclose(result.samples[good], expected[good], rtol=1e-4, atol=1e-4)
    assert np.isnan(result.samples[bad]).all()


def test_the_choice_of_reference_is_on_record():
    """The history names what differs from the defaults, and nothing else."""
    assert "reference" not in repr(PrescreenEnergy(**OPTIONS))
    stage = PrescreenEnergy(**OPTIONS, reference="quantile", halves="smallest")
    assert repr(stage).endswith("reference='quantile', quantile=0.75, halves='smallest')")
    assert repr(PrescreenEnergy(**OPTIONS, reference="mean")).endswith("reference='mean')")


def test_the_greatest_half_keeps_an_edge_of_soils_quiet():
    """Where energy steps up, traces behind the edge score above a half without that step."""
    samples = np.random.default_rng(5).normal(size=(120, 1, 48))
    samples[60:] *= 10
    sweep = make_sweep(samples)
    options = OPTIONS | {"ring": 1.0, "reference": "mean"}
    smallest = prescreen_energy(sweep, **options, halves="smallest").samples[60:70].max()
    greatest = prescreen_energy(sweep, **options, halves="greatest").samples[50:70].max()
    even = prescreen_energy(sweep[:55], **options).samples.max()
    assert greatest < 1.2 * even
    assert smallest > 3 * greatest


def test_the_smallest_half_unmasks_a_neighbour():
    """A strong target within the ring raises a mean; the half without it does not care."""
    lone, pair = noise(120), noise(120)
    for sweep in (lone, pair):
        sweep.samples[60, :, 20:28] *= 6
    pair.samples[66:69, :, 20:28] *= 30
    options = OPTIONS | {"ring": 0.8, "reference": "mean"}
    first = prescreen_energy(lone, **options).samples[60].max()
    masked = prescreen_energy(pair, **options).samples[60].max()
    unmasked = prescreen_energy(pair, **options, halves="smallest").samples[60].max()
    assert masked < 0.5 * first
    assert unmasked > 0.8 * first


@pytest.mark.parametrize("n_cells", [4, 16, 64])
@pytest.mark.parametrize("level", [1e-3, 50.0])
def test_cell_averaging_holds_the_false_alarm_probability(n_cells, level):
    """On exponential energies of any level the rate of false alarms is the one asked for."""
    rng = np.random.default_rng(n_cells)
    n = 200_000
    energy = level * rng.exponential(size=(n, n_cells + 1))
    factor = cell_averaging_factor(n_cells, false_alarm_probability=0.01)
    rate = np.mean(energy[:, 0] > factor * energy[:, 1:].mean(axis=1))
    assert abs(rate - 0.01) < 4 * np.sqrt(0.01 * 0.99 / n)


def test_the_price_of_few_cells():
    """The factor falls to that of a known level, -ln P, and never below."""
    known = -np.log(1e-4)
    factors = [
        cell_averaging_factor(n, false_alarm_probability=1e-4) for n in (1, 8, 64, 10**7)
    ]
    assert factors == sorted(factors, reverse=True)
    npt.assert_allclose(factors[0], 1e4 - 1)
    npt.assert_allclose(factors[-1], known, rtol=1e-5)
    with pytest.raises(ValueError, match=r"Invalid n_cells '0'\. Must be at least 1"):
        cell_averaging_factor(0, false_alarm_probability=0.1)
    with pytest.raises(ValueError, match=r"Invalid false_alarm_probability '1\.0'. Must lie"):
        cell_averaging_factor(3, false_alarm_probability=1)


def test_logarithms_match_the_library():
    """Over all that energies may be, to 3e-12; what is no number stays none."""
    rng = np.random.default_rng(seed=4)
    x = np.concatenate([[0, 1e-17, 0.5, 1, 3, 2**52], 10 ** rng.uniform(-300, 300, 300)])
    rows = np.full((3, len(x)), np.nan)
    rows[0] = x
    log_of_one_more(rows)
    npt.assert_allclose(rows[0], np.log1p(x), rtol=3e-12, atol=0)
    rows[0] = np.nan
    log_of_one_more(rows)
    assert np.isnan(rows[0]).all()
