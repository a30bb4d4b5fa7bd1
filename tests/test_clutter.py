"""Test prescreeners by covariance against their definitions and the laws of Gaussian noise."""

import dataclasses

import numpy as np
import numpy.testing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lanes import make_coils, make_sensor, make_sweep
from naive_clutter import follow, mahalanobis, matcher
from scipy import stats
from sklearn.covariance import ledoit_wolf

from minesense.gpr.anomaly import PrescreenAnomaly, prescreen_anomaly
from minesense.gpr.gain import equalise
from minesense.gpr.matched import PrescreenTemplates, prescreen_templates
from minesense.stage import run_lane
from minesense.sweep import Quality

# blocks of 6 samples, 3 from one to the next; traces farther than 2 behind are learnt from
OPTIONS = {
    "spacing": 0.05,
    "block_length": 6e-10,
    "guard": 0.1,
    "memory": 1.0,
    "refresh": 0.15,
    "min_share": 0.4,
}
#: The same as the definition takes them.
COUNTS = {
    "start": 0,
    "width": 6,
    "n_guard": 2,
    "forget": 1 - np.exp(-0.05),
    "n_turns": 3,
    "least": 8,
}


def clutter(n_traces=60, n_channels=2, n_samples=14, *, seed=0, **options):
    """Return a lane of noise whose samples go together, on a level of their own."""
    rng = np.random.default_rng(seed)
    samples = rng.normal(size=(n_traces, n_channels, n_samples)).cumsum(axis=2)
    return make_sweep(samples + 5 * rng.normal(size=n_samples), **options)


def flagged(sweep, bad, flag=Quality.STUCK):
    """Return the lane with these traces flagged."""
    quality = sweep.quality.copy()
    quality[sorted(bad)] |= flag
    return dataclasses.replace(sweep, quality=quality)


def make_bank(n_samples=14, *, width=3):
    """Return short waves at every place that the blocks reach."""
    wave = np.array([-1.0, 2.0, -1.0])
    places = range(n_samples - width - n_samples % 3 + 2)
    return np.array([np.roll(np.pad(wave, (0, n_samples - width)), k) for k in places])


def parts_of(bank, *, start=0, width=6):
    """Return the templates of each block of which it holds half the energy, scaled to 1."""
    bank = bank / np.linalg.norm(bank, axis=1, keepdims=True)
    starts = range(start, bank.shape[1] - width + 1, width // 2)
    cut = [bank[:, first : first + width] for first in starts]
    return [part[(part**2).sum(axis=1) >= 0.5] for part in cut]


@pytest.mark.parametrize("bad", [set(), {0, 1, 12, 13, 20}, set(range(9, 20))])
@pytest.mark.parametrize("shrinkage", [0.1, 0.7, None])
def test_distances_match_the_definition(bad, shrinkage):
    """Mean, covariance, guard, forgetting, turns, shrinkage and dropouts."""
    sweep = flagged(clutter(), bad)
    result = prescreen_anomaly(sweep, **OPTIONS, shrinkage=shrinkage)
    is_usable = sweep.quality == 0
    expected, is_short = follow(
        sweep.samples, is_usable, mahalanobis, **COUNTS, shrinkage=shrinkage
    )
    npt.assert_array_equal((result.quality & Quality.EDGE) != 0, is_short)
    npt.assert_allclose(result.samples[is_usable], expected[is_usable], rtol=2e-3, atol=1e-3)
    assert np.isnan(result.samples[sorted(bad)]).all()


@given(
    n_guard=st.integers(0, 4),
    n_turns=st.integers(1, 7),
    hop=st.integers(1, 3),
    start=st.integers(0, 4),
    bad=st.sets(st.integers(0, 29), max_size=12),
)
def test_any_extent_matches_the_definition(n_guard, n_turns, hop, start, bad):
    """Guards, renewals, blocks and starts of every size."""
    sweep = flagged(clutter(30, 2, 12), bad)
    options = {
        "guard": 0.05 * n_guard,
        "refresh": 0.05 * n_turns,
        "block_length": 2e-10 * hop,
        "start_time": 1e-10 * start,
        "min_share": 0.2,
    }
    counts = {
        "n_guard": n_guard,
        "n_turns": n_turns,
        "width": 2 * hop,
        "start": start,
        "least": max(4, 2 + n_turns),
    }
    result = prescreen_anomaly(sweep, **OPTIONS | options, shrinkage=0.2)
    is_usable = sweep.quality == 0
    expected, is_short = follow(
        sweep.samples, is_usable, mahalanobis, **COUNTS | counts, shrinkage=0.2
    )
    npt.assert_array_equal((result.quality & Quality.EDGE) != 0, is_short)
    npt.assert_allclose(result.samples[is_usable], expected[is_usable], rtol=5e-3, atol=2e-3)


@pytest.mark.parametrize("statistic", ["ace", "glrt", "matched"])
@pytest.mark.parametrize("rank", [None, 1, 2])
def test_matches_match_the_definition(statistic, rank):
    """The three statistics, the best template or the span of several, through dropouts."""
    sweep, bank = flagged(clutter(), {5, 30, 31}), make_bank()
    result = prescreen_templates(sweep, bank, **OPTIONS, statistic=statistic, rank=rank)
    judge = matcher(parts_of(bank), statistic, rank)
    is_usable = sweep.quality == 0
    expected, is_short = follow(sweep.samples, is_usable, judge, **COUNTS, shrinkage=0.1)
    npt.assert_array_equal((result.quality & Quality.EDGE) != 0, is_short)
    npt.assert_allclose(result.samples[is_usable], expected[is_usable], rtol=5e-3, atol=2e-3)
    if statistic != "matched":
        assert result.samples[is_usable].max() <= 1
    assert result.samples[is_usable].min() >= 0


def test_the_running_covariance_is_that_of_the_weights():
    """Without a bound the recursion is the mean and covariance by weights, by definition."""
    rng = np.random.default_rng(2)
    rows, n = rng.normal(size=(50, 4)), 50
    gains = [max(0.1, 1 / k) for k in range(1, n + 1)]
    weights = np.array(
        [g * np.prod([1 - h for h in gains[k + 1 :]]) for k, g in enumerate(gains)]
    )
    mean, cov = np.zeros(4), np.zeros((4, 4))
    for row, g in zip(rows, gains, strict=True):
        d = row - mean
        cov, mean = (1 - g) * (cov + g * np.outer(d, d)), mean + g * d
    npt.assert_allclose(weights.sum(), 1)
    npt.assert_allclose(mean, weights @ rows)
    rest = rows - mean
    npt.assert_allclose(cov, (weights[:, None] * rest).T @ rest, rtol=1e-9)
    npt.assert_allclose(cov / (1 - (weights**2).sum()), np.cov(rows.T, aweights=weights))


def replicas(n_traces, *, seed, n_channels=3000, width=6):
    """Return clutter of one block in many channels, each an experiment of its own."""
    rng = np.random.default_rng(seed)
    mixing = np.random.default_rng(0).normal(size=(width, width))
    samples = rng.normal(size=(n_traces, n_channels, width)) @ mixing
    arms = np.zeros((n_channels, 3))
    sensor = dataclasses.replace(make_sensor(1, width), lever_arms=arms)
    return make_sweep(samples + 3.0, sensor=sensor)


@pytest.mark.parametrize("n", [10, 30])
def test_distances_follow_hotelling(n):
    """On Gaussian noise the distance has the F law that theory gives for n traces."""
    for scores in (
        prescreen_anomaly(
            replicas(1, seed=1), **OPTIONS, shrinkage=0.0, clean=replicas(n, seed=2)
        ).samples[0],
        # along a lane the first traces are a plain sample; the last one is the renewed one
        prescreen_anomaly(
            replicas(n + 3, seed=1),
            **OPTIONS | {"memory": 10.0, "refresh": 0.05, "min_share": (n - 0.5) / 200},
            shrinkage=0.0,
        ).samples[-1],
    ):
        p = 6
        f = scores.ravel() * n * (n - p) / ((n**2 - 1) * p)
        assert stats.kstest(f, stats.f(p, n - p).cdf).pvalue > 0.01


def test_ace_of_noise_follows_a_beta_law():
    """Against a covariance known from many traces, ACE is the squared cosine of noise."""
    clean = replicas(4000, seed=3, n_channels=1)
    lane = replicas(3000, seed=3, n_channels=1)
    lane = dataclasses.replace(
        lane, samples=replicas(7000, seed=3, n_channels=1).samples[4000:]
    )
    template = np.array([[0.3, -1.0, 2.0, -1.0, 0.5, 0.1]])
    ace = prescreen_templates(lane, template, **OPTIONS, shrinkage=0.0, clean=clean)
    assert stats.kstest(ace.samples.ravel(), stats.beta(0.5, 2.5).cdf).pvalue > 0.01
    matched = prescreen_templates(
        lane, template, **OPTIONS, shrinkage=0.0, clean=clean, statistic="matched"
    )
    law = stats.halfnorm().cdf
    assert stats.kstest(matched.samples.ravel(), law).pvalue > 0.01


@pytest.mark.parametrize("statistic", ["ace", "glrt"])
def test_false_alarms_do_not_depend_on_the_clutter(statistic):
    """One linear map of lane, clean lane and templates changes nothing: constant rate."""
    rng = np.random.default_rng(4)
    clean, lane = rng.normal(size=(2, 40, 1, 6))
    bank, mixing = rng.normal(size=(3, 6)), rng.normal(size=(6, 6))
    first, second = (
        prescreen_templates(
            make_sweep(lane @ m),
            bank @ m,
            **OPTIONS,
            shrinkage=0.0,
            clean=make_sweep(clean @ m),
            statistic=statistic,
        ).samples
        for m in (np.eye(6), mixing)
    )
    npt.assert_allclose(first, second, rtol=1e-3, atol=1e-4)


@given(
    scale=st.floats(1e-3, 1e3),
    sign=st.sampled_from([-1, 1]),
    rank=st.sampled_from([None, 1, 2]),
)
def test_ace_does_not_care_for_scale(scale, sign, rank):
    """A deviation or a template times any number gives the same cosine, of 1 at the most."""
    rng = np.random.default_rng(5)
    clean = make_sweep(rng.normal(size=(60, 1, 12)))
    clean.samples[:] -= clean.samples.mean(axis=0)
    lane = make_sweep(rng.normal(size=(5, 1, 12)))
    bank = make_bank(12)[:10]
    options = OPTIONS | {"clean": clean, "rank": rank}
    plain = prescreen_templates(lane, bank, **options).samples
    scaled = dataclasses.replace(lane, samples=scale * sign * lane.samples)
    other = prescreen_templates(scaled, -3.0 * bank, **options).samples
    npt.assert_allclose(other, plain, rtol=2e-3, atol=2e-4)
    assert plain.max() <= 1.0
    echo = make_sweep(scale * sign * bank[:, None, :])
    whole = prescreen_templates(echo, bank, **options | {"rank": None}).samples
    npt.assert_allclose(whole.max(axis=2), 1.0, rtol=1e-4)


def test_glrt_and_filter_grow_with_the_echo():
    """Unlike ACE, the others rank a strong echo above a weak one, GLRT up to 1."""
    clean = make_sweep(np.random.default_rng(6).normal(size=(100, 1, 12)))
    bank = make_bank(12)[:10]
    echoes = make_sweep(np.array([1.0, 3.0, 30.0, 3000.0])[:, None, None] * bank[2])
    for statistic in ("glrt", "matched"):
        scores = prescreen_templates(
            echoes, bank, **OPTIONS, clean=clean, statistic=statistic
        ).samples.max(axis=(1, 2))
        assert (np.diff(scores) > 0).all()
    glrt = prescreen_templates(echoes, bank, **OPTIONS, clean=clean, statistic="glrt")
    npt.assert_allclose(glrt.samples[-1].max(), 1.0, atol=1e-3)


def test_an_echo_is_found_where_it_is():
    """In correlated clutter stronger than itself, in its channel, trace and block."""
    sweep = clutter(200, 2, 24, seed=7)
    bank = make_bank(24)
    bank = np.array([np.roll(bank[0], k) for k in range(20)])
    sweep.samples[150, 1, 11:14] += [-1.5, 3.0, -1.5]
    for statistic in ("ace", "glrt", "matched"):
        scores = prescreen_templates(
            sweep, bank, **OPTIONS | {"memory": 3.0}, statistic=statistic
        )
        late = scores.samples[100:]
        where = np.unravel_index(late.argmax(), late.shape)
        if statistic != "ace":  # in six dimensions a cosine near one is no rarity
            assert where[:2] == (50, 1)
            assert abs(scores.sensor.axis[where[2]] - 12e-10) <= 3e-10
    assert scores.sensor.quantity == "score"


def test_ledoit_and_wolf_agree_with_scikit_learn():
    """The distance to a clean lane is that of scikit-learn's shrunk covariance."""
    clean, lane = clutter(40, 1, 6, seed=8), clutter(10, 1, 6, seed=9)
    scores = prescreen_anomaly(lane, **OPTIONS, shrinkage=None, clean=clean).samples[:, 0, 0]
    rows = clean.samples[:, 0].astype(float)
    # unbiased here, not there
    covariance = ledoit_wolf(rows)[0] * 40 / 39
    z = lane.samples[:, 0] - rows.mean(axis=0)
    expected = np.einsum("ki,ij,kj->k", z, np.linalg.inv(covariance), z)
    npt.assert_allclose(scores, expected, rtol=1e-4)


@pytest.mark.parametrize("k", [1, 3, 5])
def test_residuals_of_a_clean_lane_match_singular_vectors(k):
    """What is left beside the first components of the clean traces, over their rest."""
    clean, lane = clutter(40, 1, 6, seed=8), clutter(10, 1, 6, seed=9)
    scores = prescreen_anomaly(lane, **OPTIONS, n_components=k, clean=clean).samples[:, 0, 0]
    rows = clean.samples[:, 0].astype(float)
    rest = rows - rows.mean(axis=0)
    _, values, vectors = np.linalg.svd(rest, full_matrices=False)
    z = lane.samples[:, 0] - rows.mean(axis=0)
    left = z - z @ vectors[:k].T @ vectors[:k]
    expected = (left**2).sum(axis=1) / ((values[k:] ** 2).sum() / 39)
    npt.assert_allclose(scores, expected, rtol=1e-3)


def test_components_are_followed_along_a_lane():
    """Orthogonal iteration ends at the eigenvectors of what was learnt."""
    lane = clutter(400, 1, 6, seed=10)
    # a spectrum with gaps: the iteration is there within a few turns
    lane.samples[:] = np.random.default_rng(1).normal(size=(400, 1, 6)) * 3.0 ** -np.arange(6)
    options = OPTIONS | {"memory": 50.0, "refresh": 0.05, "min_share": 0.1, "guard": 0.0}
    result = prescreen_anomaly(lane, **options, n_components=2).samples[:, 0, 0]
    for k in (300, 399):
        rows = lane.samples[:k, 0].astype(float)
        values, vectors = np.linalg.eigh(np.cov(rows.T))
        z = lane.samples[k, 0] - rows.mean(axis=0)
        expected = ((z @ vectors[:, :4]) ** 2).sum() / values[:4].sum()
        npt.assert_allclose(result[k], expected, rtol=2e-2)
    npt.assert_allclose(result[100:].mean(), 1.0, atol=0.2)


def test_components_wake_up_after_a_still_start():
    """Traces that are all the same, as of a platform that stands, do not end the search."""
    rng = np.random.default_rng(14)
    samples = 10 * rng.normal(size=(300, 2)) @ rng.normal(size=(2, 12))
    samples += 0.1 * rng.normal(size=samples.shape)
    still = samples.copy()
    still[:40] = 0.0
    here, there = (
        prescreen_anomaly(make_sweep(part[:, None]), **OPTIONS, n_components=2).samples[200:]
        for part in (samples, still)
    )
    npt.assert_allclose(here, there, rtol=0.05)


@pytest.mark.parametrize("k", [1, 2, 4])
def test_a_few_traces_are_no_measure_beside_components(k):
    """Noise at the start of a lane, as soon as it is judged, scores as noise farther on."""
    options = OPTIONS | {"memory": 0.2, "refresh": 0.5}
    lane = make_sweep(np.random.default_rng(15).normal(size=(300, 1, 12)))
    scores = prescreen_anomaly(lane, **options, n_components=k)
    n_short = np.count_nonzero(scores.quality & Quality.EDGE)
    assert n_short < 40
    assert scores.samples[n_short : n_short + 20].max() < 2 * scores.samples[100:].max()


def test_a_channel_that_never_varied_is_not_judged():
    """Silence is no absence: the trace is EDGE, until the channel lives."""
    samples = np.random.default_rng(16).normal(size=(80, 2, 12))
    samples[:40, 1] = 3.0
    samples[30] += 50.0
    samples[30, 1] = 3.0
    lane = make_sweep(samples)
    for scores in (
        prescreen_anomaly(lane, **OPTIONS),
        prescreen_anomaly(lane, **OPTIONS, n_components=2),
        prescreen_templates(lane, make_bank(12)[:10], **OPTIONS),
    ):
        is_short = (scores.quality & Quality.EDGE) != 0
        assert is_short[:42].all()
        assert not is_short[46:].any()
        assert not scores.samples[is_short].any()
    dead = lane[:40]
    assert prescreen_anomaly(lane, **OPTIONS, clean=dead).quality.all()


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # NumPy's, without JIT
@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_samples_beyond_the_squares_of_floats_are_not_judged(scale):
    """What no float32 covariance can hold is EDGE, and neither zero nor infinite."""
    lane = make_sweep(np.random.default_rng(17).normal(size=(60, 1, 12)) * scale)
    for options in ({}, {"n_components": 2}):
        scores = prescreen_anomaly(lane, **OPTIONS, **options)
        assert not scores.samples.any()
        assert (scores.quality & Quality.EDGE).all()


def test_clutter_of_few_shapes_leaves_nothing():
    """Ground in the span of the components scores zero, whatever its strength; noise not."""
    rng = np.random.default_rng(11)
    shapes = rng.normal(size=(2, 12))
    lane = make_sweep((rng.normal(size=(200, 2)) @ shapes)[:, None])
    lane.samples[180, 0, 4] += 0.5
    scores = prescreen_anomaly(lane, **OPTIONS, n_components=2).samples[:, 0]
    others = np.delete(scores, 180, axis=0)[40:]
    assert scores[180].max() > 100 * max(1.0, others.max())


def test_a_strong_target_does_not_hide_the_next():
    """The bound keeps the distance of a second target near what it is alone."""
    lane = make_sweep(np.random.default_rng(12).normal(size=(300, 1, 12)))
    echo = 30 * np.cos(np.arange(12))
    lane.samples[200:204, 0] += 30 * echo
    lane.samples[220, 0] += echo
    alone = dataclasses.replace(lane, samples=lane.samples.copy())
    alone.samples[200:204, 0] -= 30 * echo
    second = prescreen_anomaly(lane, **OPTIONS).samples[220].max()
    first = prescreen_anomaly(alone, **OPTIONS).samples[220].max()
    # without it the variance along the echo is a thousand times that of noise
    assert second > 0.02 * first
    assert second > 40


def test_a_guard_keeps_a_target_from_its_own_background():
    """A target as long as the guard is as far at its end as at its start."""
    lane = make_sweep(np.random.default_rng(13).normal(size=(200, 1, 12)))
    lane.samples[150:158, 0] += 4 * np.cos(np.arange(12))
    kept = prescreen_anomaly(lane, **OPTIONS | {"guard": 0.4}).samples[157].max()
    lost = prescreen_anomaly(lane, **OPTIONS | {"guard": 0.0}).samples[157].max()
    assert kept > 2 * lost


def test_nothing_is_learnt_beside_a_clean_lane():
    """Each trace has the score it has alone, from the first on; none is short."""
    clean, lane = clutter(seed=14), clutter(seed=15)
    whole = prescreen_anomaly(lane, **OPTIONS, clean=clean)
    assert not whole.quality.any()
    for k in (0, 7, 59):
        alone = prescreen_anomaly(lane[k : k + 1], **OPTIONS, clean=clean)
        npt.assert_array_equal(alone.samples[0], whole.samples[k])
    bad = flagged(clean, {3, 4})
    bad.samples[3:5] = 1e6
    kept = dataclasses.replace(
        clean,
        samples=np.delete(clean.samples, [3, 4], axis=0),
        time=clean.time[:58],
        position=clean.position[:58],
        heading=clean.heading[:58],
        quality=clean.quality[:58],
    )
    npt.assert_array_equal(
        prescreen_anomaly(lane, **OPTIONS, clean=bad).samples,
        prescreen_anomaly(lane, **OPTIONS, clean=kept).samples,
    )


@pytest.mark.parametrize("options", [{}, {"n_components": 2}, {"shrinkage": None}])
def test_ground_that_never_varies_scores_zero(options):
    """Where no distance can be taken none is: zero, and no number that is not finite."""
    lane = make_sweep(np.ones((60, 2, 12)))
    assert not prescreen_anomaly(lane, **OPTIONS, **options).samples.any()
    if not options:
        scores = prescreen_templates(lane, make_bank(12)[:10], **OPTIONS)
        assert not scores.samples.any()
    half = np.random.default_rng(0).normal(size=(60, 2, 12))
    half[..., 6:] = 0.0  # as an alignment leaves it
    scores = prescreen_anomaly(make_sweep(half), **OPTIONS, **options).samples
    assert np.isfinite(scores).all()
    assert scores[40:, :, 0].all()
    assert not scores[..., -1].any()


def test_traces_flagged_edge_before_are_not_learnt_from():
    """What an earlier stage could not judge is zero here and changes no other trace."""
    sweep = clutter()
    strange = dataclasses.replace(sweep, samples=sweep.samples.copy())
    strange.samples[20:24] = 1e3
    first, second = (
        prescreen_anomaly(flagged(lane, range(20, 24), Quality.EDGE), **OPTIONS)
        for lane in (sweep, strange)
    )
    npt.assert_array_equal(first.samples, second.samples)
    assert not first.samples[20:24].any()
    assert first.samples[24:].all()


def test_templates_belong_to_blocks():
    """A block is searched with the templates it holds half of, and with no others."""
    clean = make_sweep(np.random.default_rng(16).normal(size=(100, 1, 24)))
    echo = make_sweep(np.random.default_rng(17).normal(size=(4, 1, 24)))
    bank = np.zeros((1, 24))
    bank[0, 10:13] = [-1, 2, -1]
    scores = prescreen_templates(echo, bank, **OPTIONS, clean=clean).samples
    # blocks of 6 from every third sample: those from 6 and 9 hold samples 10 to 12
    npt.assert_array_equal(np.flatnonzero(scores.any(axis=(0, 1))), [2, 3])


def test_the_history_is_short():
    """Templates and clean lanes are named by their number, not printed."""
    stage = PrescreenTemplates(make_bank(), **OPTIONS, clean=clutter(20))
    assert "n_templates=11, statistic='ace', rank=None, clean='lane lane 1, 20" in repr(stage)
    assert len(repr(stage)) < 300


LATER = clutter(
    sensor=dataclasses.replace(
        make_sensor(2, 14), axis=5e-10 + 1e-10 * np.arange(14), name="later"
    )
)
BAD = [
    ({"spacing": 0}, r"Invalid spacing '0\.0'"),
    ({"block_length": -1e-9}, r"Invalid block_length '-1e-09'"),
    ({"guard": -0.1}, r"Invalid guard '-0\.1'"),
    ({"memory": np.inf}, r"Invalid memory 'inf'"),
    ({"refresh": 0}, r"Invalid refresh '0\.0'"),
    ({"shrinkage": -0.1}, r"Invalid shrinkage '-0\.1'"),
    ({"shrinkage": 1.1}, r"Invalid shrinkage '1\.1'\. Must be at most 1"),
    ({"start_time": -1}, r"Invalid start_time '-1\.0'"),
    ({"min_share": 0}, r"Invalid min_share '0\.0'"),
    ({"min_share": 1.5}, r"Invalid min_share '1\.5'\. Must be at most 1"),
]


@pytest.mark.parametrize(("bad", "message"), BAD)
def test_bad_options_are_named(bad, message):
    """The error names the option, shows its value and states the rule."""
    with pytest.raises(ValueError, match=message):
        PrescreenAnomaly(**OPTIONS | bad)
    with pytest.raises(ValueError, match=message):
        PrescreenTemplates(make_bank(), **OPTIONS | bad)


@pytest.mark.parametrize(
    ("bad", "error", "message"),
    [
        ({"statistic": "nmf"}, ValueError, "Invalid statistic 'nmf'. Must be one of 'ace'"),
        ({"rank": 0}, ValueError, "Invalid rank '0'. Must be at least 1"),
        ({"templates": np.zeros(5)}, ValueError, r"Must be \(n_templates, n_samples\)"),
        ({"templates": np.zeros((2, 14))}, ValueError, "2, of which 0 are not zero"),
        ({"templates": np.zeros((0, 14))}, ValueError, "templates: 0, of which 0"),
        ({"templates": [[np.nan]]}, ValueError, "Invalid templates: 1 of 1 values are NaN"),
        ({"templates": np.ones((2, 9))}, ValueError, "9 samples. Must have the 14 of sensor"),
        ({"templates": np.ones((2, 14))}, ValueError, "2 of 2 lie in no block, .* holds 43%"),
        ({"clean": np.ones(3)}, TypeError, "Invalid clean of type ndarray. Must be a Sweep"),
        ({"clean": clutter(n_samples=15)}, ValueError, r"Invalid clean of sensor .* \(2, 15\)"),
        ({"clean": LATER}, ValueError, r"from 5e-10 s on\. Must have .* from 0 s on"),
        ({"clean": clutter(1)}, ValueError, "Invalid clean: 1 traces can be judged"),
    ],
)
def test_bad_templates_and_lanes_are_named(bad, error, message):
    """The error names the argument and states the rule."""
    options = {"templates": make_bank(), **OPTIONS} | bad
    with pytest.raises(error, match=message):
        prescreen_templates(clutter(), options.pop("templates"), **options)


def test_bad_components_and_sensors_are_named():
    """Components that leave nothing, automatic gain, coils, records without a block."""
    with pytest.raises(ValueError, match=r"Invalid n_components '6'\. Must be less than the 6"):
        prescreen_anomaly(clutter(), **OPTIONS, n_components=6)
    with pytest.raises(ValueError, match=r"Invalid n_components '0'\. Must be at least 1"):
        PrescreenAnomaly(**OPTIONS, n_components=0)
    stage = PrescreenAnomaly(**OPTIONS)
    with pytest.raises(ValueError, match=r"'test coils' of kind 'emi'"):
        run_lane(stage, make_sweep(np.zeros((3, 2, 12)), sensor=make_coils()))
    with pytest.raises(ValueError, match=r"Must hold amplitudes: automatic gain"):
        run_lane(stage, equalise(clutter(), window=5e-10))
    with pytest.raises(ValueError, match=r"holds 0 bins after 1e-09 s"):
        prescreen_anomaly(clutter(), **OPTIONS, start_time=1e-9)
