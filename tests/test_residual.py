"""Test what may remain: closed forms against simulation, draws against weights, statements."""

import dataclasses
import math

import naive_residual as naive
import numpy as np
import numpy.testing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate
from scipy.stats import beta, kstest, nbinom, poisson

from minesense.evidence import (
    NOTICE,
    Background,
    CountedTrials,
    Evidence,
    ExposureLayer,
    Find,
    RecordPrior,
    SiteGrid,
    SiteModel,
    UncertainRecord,
    UnrecordedStrips,
    draw_intensity,
    estimate_remaining,
    exposure_variants,
    remaining_in_stratum,
)
from minesense.evidence.gamma_poisson import posterior_density
from minesense.evidence.remaining import WITHOUT_RECORDS, summarise
from minesense.evidence.residual import spread_items
from minesense.minefield_records import MinefieldRecord

GRID = SiteGrid(origin=(0.0, 0.0), cell=2.0, shape=(20, 20))
BANDS = ((0.0, 0.1), (0.1, 0.3))


def make_record(**changes):
    options = {
        "form": "row", "easting": 20.0, "northing": 20.0, "heading": 0.5 * math.pi,
        "length": 30.0, "width": 3.0, "kind": "pmn", "number": 12,
    } | changes  # fmt: skip
    paper = MinefieldRecord(identifier="R1", **options)
    return UncertainRecord(record=paper, target_class="AP", source="A")


def make_model(**changes):
    options = {
        "grid": GRID, "classes": ("AP", "AT"), "depth_bands": BANDS,
        "background": {"AP": Background(mean=0.004), "AT": Background(mean=0.0004)},
        "depth_shares": [[0.8, 0.2], [0.3, 0.7]], "records": (make_record(),),
    } | changes  # fmt: skip
    return SiteModel(**options)


def make_search(mask=None, found=50, **changes):
    trials = CountedTrials(found=found, laid=60, source="test")
    options = {
        "source": "team", "kind": "manual", "family": "metal detector",
        "footprint": np.ones(GRID.shape) if mask is None else mask, "depth_bands": BANDS,
        "classes": ("AP",), "pd": {("AP", 0): trials, ("AP", 1): trials},
        "provenance": "sheet", "time": "2026",
    } | changes  # fmt: skip
    return Evidence(**options)


FINDS = [Find(easting=9.0 + 2.5 * k, northing=21.0, target_class="AP") for k in range(6)]


# Closed forms


def test_the_stated_stratum_is_what_simulation_says():
    """Weighted by the finds 0.470; unweighted, as is often done, 0.493: too optimistic."""
    site = {"area": 2000.0, "density_prior": (0.5, 20.0)}
    pd = beta(5.5, 1.5).ppf((np.arange(20000) + 0.5) / 20000)
    weighted = remaining_in_stratum(3, pd=pd, **site)
    plain = remaining_in_stratum(3, pd=pd, weigh_by_finds=False, **site)
    a, b, area, n = 0.5, 20.0, 2000.0, 3

    def weight(p):
        return beta.pdf(p, 5.5, 1.5) * p**n / (b + area * p) ** (a + n)

    def none(p):
        return ((b + area * p) / (b + area)) ** (a + n)

    exact = integrate.quad(lambda p: weight(p) * none(p), 0, 1)[0]
    exact /= integrate.quad(weight, 0, 1)[0]
    npt.assert_allclose(weighted.none_remain, exact, atol=2e-4)
    npt.assert_allclose(plain.none_remain, 0.4926, atol=2e-4)
    share, mean, n_like = naive.simulate_stratum(
        3, pd_law=(5.5, 1.5), rng=np.random.default_rng(seed=1), **site
    )
    error = math.sqrt(share * (1 - share) / n_like)
    assert error < 0.004
    assert abs(share - weighted.none_remain) < 4 * error
    assert abs(share - plain.none_remain) > 4 * error
    npt.assert_allclose(mean, weighted.mean, rtol=0.03)


@settings(deadline=None, derandomize=True, max_examples=40)
@given(
    n=st.integers(0, 20), area=st.floats(1.0, 1e5), a=st.floats(0.1, 5.0),
    b=st.floats(1.0, 1e4), pd=st.floats(0.0, 0.99),
)  # fmt: skip
def test_a_known_pd_gives_a_negative_binomial(n, area, a, b, pd):
    """Mean, bound and probability of none of SciPy's law; never zero, never certain."""
    n = 0 if pd == 0 else n
    found = remaining_in_stratum(n, area=area, density_prior=(a, b), pd=pd)
    law = nbinom(a + n, (b + area * pd) / (b + area))
    npt.assert_allclose(found.mean, law.mean(), rtol=1e-9)
    npt.assert_allclose(found.none_remain, law.pmf(0), rtol=1e-6)
    bound = max(1.0, law.ppf(0.95))
    assert found.upper == bound or math.isclose(law.cdf(found.upper), 0.95)
    assert found.mean > 0
    assert found.none_remain < 1
    shape, rate = posterior_density(n, area=area, density_prior=(a, b), pd=pd)
    npt.assert_allclose(found.mean, shape / rate * area * (1 - pd), rtol=1e-9)


def test_confidence_saturates_with_the_pd():
    """Nothing found on ever more ground: P(none) tends to P^a, not to 1."""
    for area in (1e6, 1e9):
        none = remaining_in_stratum(0, area=area, density_prior=(0.5, 20.0), pd=0.8).none_remain
        npt.assert_allclose(none, math.sqrt(0.8), rtol=1e-4)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pd": 1.0}, r"Invalid pd '1.0'. Must be from 0 to below 1"),
        ({"pd": [0.5, 1.1]}, r"Invalid pd '1.1'"),
        ({"pd": []}, "Invalid pd ''"),
        ({"pd": 0.0}, "Invalid n_found '3' at pd 0"),
        ({"area": 0.0}, "Invalid area"),
        ({"density_prior": (0.0, 1.0)}, "Invalid density_prior"),
        ({"confidence": 1.0}, "Invalid confidence"),
    ],
)
def test_strata_that_cannot_be_are_refused(changes, message):
    """A Pd of one above all."""
    options = {"area": 10.0, "density_prior": (1.0, 1.0), "pd": 0.5} | changes
    with pytest.raises(ValueError, match=message):
        remaining_in_stratum(3, **options)


def test_a_posterior_needs_a_pd_below_one():
    """Of one above all."""
    with pytest.raises(ValueError, match="Invalid pd '1'"):
        posterior_density(3, area=1.0, density_prior=(1.0, 1.0), pd=1.0)


def test_the_number_is_a_mixture_of_poisson_laws():
    """Quantiles by the definition, one draw after the other."""
    draws = np.random.default_rng(seed=1).gamma(2.0, 3.0, (50, 4))
    found = summarise(draws)
    sums = draws.sum(axis=1)
    counts = np.arange(200)
    law = poisson(sums[:, None]).cdf(counts).mean(axis=0)
    for share, value in ((0.05, found.low), (0.95, found.high), (0.95, found.upper)):
        assert value == counts[np.argmax(law >= share)]
    npt.assert_allclose(found.none_remain, np.exp(-sums).mean(), rtol=1e-4)
    npt.assert_allclose(found.greatest_cell, np.quantile(draws.max(axis=1), 0.95), rtol=1e-5)
    with pytest.raises(ValueError, match="Invalid draws"):
        summarise(np.zeros((0, 3)))
    # Hardly anything is expected: still no bound of zero, and no certainty.
    little = summarise(np.full((50, 4), 1e-7))
    assert (little.high, little.upper, little.none_remain) == (1.0, 1.0, 0.999)
    assert "0.999" in little.describe()


# Draws


@pytest.mark.slow
def test_draws_are_those_that_weights_would_give():
    """One record, one patch: prior draws weighted by the finds and the silence."""
    rng = np.random.default_rng(seed=2)
    seen = np.zeros(GRID.shape)
    seen[:, :12] = 1.0
    prior = RecordPrior(shifted_spread=15.0, far_spread=40.0, good_turn=0.2)
    model = make_model(
        classes=("AP",), depth_bands=((0.0, 0.3),), depth_shares=None, patch=1000.0,
        unrecorded=UnrecordedStrips(most=0), record_prior=prior,
        records=(make_record(width=10.0),),
    )  # fmt: skip
    trials = CountedTrials(found=50, laid=60, source="test")
    search = make_search(seen, depth_bands=((0.0, 0.3),), pd={("AP", 0): trials})
    finds = [(9.0, 21.5), (13.0, 19.0), (17.0, 20.0)]
    weights, states, left, effective = naive.weighted_posterior(
        GRID, [20.0, 20.0, 0.5 * math.pi, 30.0, 10 / math.sqrt(12), 12.0], prior,
        model.background["AP"], finds, seen=seen,
        pd_draws=trials.quantile((np.arange(64) + 0.5) / 64), n=25_000, rng=rng,
    )  # fmt: skip
    assert effective > 400
    drawn = draw_intensity(
        model, "AP", evidence=[search],
        finds=[Find(easting=e, northing=n, target_class="AP") for e, n in finds],
        rng=rng, n_draws=4000, n_thin=20,
    )  # fmt: skip
    ours = (drawn.items * drawn.miss[:, 0]).sum(axis=1)
    mean = weights @ left
    spread = math.sqrt(weights @ (left - mean) ** 2)
    assert abs(ours.mean() - mean) < 5 * spread / math.sqrt(effective)
    npt.assert_allclose(ours.std(), spread, rtol=0.25)
    for k in range(6):
        share = weights @ (states == k)
        error = math.sqrt(max(share * (1 - share), 0.01) / effective)
        assert abs((drawn.states[:, 0] == k).mean() - share) < 5 * error


@pytest.mark.slow
def test_ranks_are_even_when_the_prior_is_true():
    """Simulation-based calibration: truths drawn from the model fall anywhere in its law."""
    rng = np.random.default_rng(seed=3)
    model = make_model(
        classes=("AP",), depth_bands=((0.0, 0.3),), depth_shares=None,
        background={"AP": Background(mean=0.006, shape=2.0)},
        unrecorded=UnrecordedStrips(most=2, presence=(1.0, 1.0)),
    )  # fmt: skip
    truths = draw_intensity(model, "AP", rng=rng, n_draws=160, n_thin=40).items
    trials = CountedTrials(found=15, laid=20, source="test")
    east, north = (axis.ravel() for axis in GRID.centres())
    ranks, inside = [], []
    for truth in truths:
        mask = np.zeros(GRID.shape)
        mask[:, : int(rng.integers(4, 21))] = 1.0
        # the law of the Pd is the model's: of the trials, cut off where it is cut off
        pd = min(float(trials.quantile(rng.random())), 0.95)
        items = rng.poisson(truth)
        found = rng.binomial(items, pd * mask.ravel())
        # uniform in the cell, as the kernel takes finds to be
        finds = [
            Find(
                easting=east[c] + 2 * rng.random() - 1,
                northing=north[c] + 2 * rng.random() - 1,
                target_class="AP",
            )
            for c in np.repeat(np.arange(400), found)
        ]  # fmt: skip
        search = make_search(mask, depth_bands=((0.0, 0.3),), pd={("AP", 0): trials})
        drawn = draw_intensity(
            model, "AP", evidence=[search], finds=finds, rng=rng, n_draws=200, n_thin=5,
            n_burn=200,
        )  # fmt: skip
        sums = (drawn.items * drawn.miss[:, 0]).sum(axis=1)
        left = int((items - found).sum())
        below = poisson(sums).cdf(left - 1).mean() if left else 0.0
        upto = poisson(sums).cdf(left).mean()
        ranks.append(below + rng.random() * (upto - below))
        inside.append(below < 0.95 and upto > 0.05)
    assert kstest(ranks, "uniform").pvalue > 0.01
    assert np.mean(inside) > 0.84


# Statements


@pytest.fixture(scope="module")
def residual():
    """Return an estimate with everything in it."""
    mask = np.zeros(GRID.shape)
    mask[:, :14] = 1.0
    other = make_search(
        np.ones(GRID.shape), source="dogs", kind="dog", family="dog", classes=("AP", "AT"),
        pd={(c, z): CountedTrials(found=20, laid=30, source="t") for c in ("AP", "AT")
            for z in (0, 1)},
    )  # fmt: skip
    layer = ExposureLayer(person_hours=np.full(GRID.shape, 0.1), source="survey")
    model = make_model()
    return estimate_remaining(
        model, [make_search(mask), other], FINDS, rng=np.random.default_rng(seed=4),
        variants=exposure_variants(model, incident_share=0.55, exposure=layer),
        is_synthetic=True, n_draws=200,
    )  # fmt: skip


def test_nothing_is_ever_zero(residual):
    """No cell, class or band; and a bound is no less than the expectation of its draws."""
    assert residual.expected.shape == (2, 2, 20, 20)
    assert (residual.expected > 0).all()
    assert (residual.upper > 0).all()
    assert residual.headline.none_remain < 1
    floor = 0.05 * 0.004 * 4 * 0.2  # of the least band of the class
    assert residual.expected[0].min() > floor / 100


def test_the_headline_is_the_worst_case(residual):
    """Of the combinations, and never below what the records' absence would give."""
    worst, independent, best = (
        residual.combinations[k] for k in ("worst", "independent", "best")
    )
    assert worst.mean > independent.mean > best.mean
    assert residual.headline.upper >= worst.upper
    (without,) = [v.remaining for v in residual.scenarios if v.name == WITHOUT_RECORDS]
    assert residual.headline.upper >= without.upper
    trusting = dataclasses.replace(
        residual,
        combinations={**residual.combinations, "worst": best._replace(upper=0.0)},
    )
    assert trusting.headline == without


def test_parts_add_up(residual):
    """Classes, bands and pieces of ground, in the mean; and bounds do not exceed the sum."""
    whole = residual.within(GRID.wanted)
    npt.assert_allclose(whole.mean, residual.combinations["worst"].mean, rtol=1e-5)
    npt.assert_allclose(sum(row["expected_items"] for row in residual.rows()), whole.mean,
                        rtol=1e-5)  # fmt: skip
    west = residual.polygon([(0, 0), (20, 0), (20, 40), (0, 40)])
    east = residual.polygon([(20, 0), (40, 0), (40, 40), (20, 40)])
    npt.assert_allclose(west.mean + east.mean, whole.mean, rtol=1e-5)
    npt.assert_allclose(np.nansum(residual.expected), whole.mean, rtol=1e-4)
    npt.assert_allclose(
        residual.upper[0, 1, 3, 4], np.quantile(residual.draws[:, 0, 1, 64], 0.95), rtol=1e-5
    )
    by_cell = residual.draws.sum(axis=(1, 2)).max(axis=1)
    npt.assert_allclose(whole.greatest_cell, np.quantile(by_cell, 0.95), rtol=1e-5)


def test_the_search_lowers_what_it_could_see_alone(residual):
    """Where only dogs went, more remains than where both did."""
    assert residual.searched_area == {"1 team": 1120.0, "2 dogs": 1600.0}
    plain = estimate_remaining(
        make_model(records=(), unrecorded=UnrecordedStrips(most=0)),
        [make_search(np.kron([[1.0, 0.0]], np.ones((20, 10))))], [],
        rng=np.random.default_rng(seed=5), with_sensitivity=False,
    )  # fmt: skip
    ap, at = plain.expected.sum(axis=1)
    assert ap[:, 10:].mean() > 2 * ap[:, :10].mean()
    assert abs(at[:, 10:].mean() / at[:, :10].mean() - 1) < 0.6


def test_people_are_counted_with_exposure_and_bound(residual):
    """Sum of expectation times exposure; an unnamed source is refused."""
    exposure = np.zeros(GRID.shape)
    exposure[3, 4] = 2.0
    risk = residual.people(exposure, "survey")
    npt.assert_allclose(risk.mean, 2 * residual.expected[:, :, 3, 4].sum(), rtol=1e-5)
    assert risk.upper > risk.mean
    with pytest.raises(ValueError, match="Invalid source ''"):
        residual.people(exposure, "")
    with pytest.raises(ValueError, match="Invalid exposure"):
        residual.people(-exposure, "survey")


def test_variants_are_told(residual):
    """Without the records, priors a tenth and tenfold, three ratios of exposure."""
    names = [v.name for v in residual.scenarios]
    assert names[0] == WITHOUT_RECORDS
    assert sum("exposure inside to outside" in name for name in names) == 3
    low, high = (v.remaining.mean for v in residual.scenarios[1:3])
    assert low < residual.combinations["worst"].mean < high


def test_it_is_told_in_words_and_in_plain_figures(residual):
    """Notice, label, assumptions, all three combinations; every figure is plain."""
    text = str(residual)
    assert text.startswith("SYNTHETIC")
    for word in (NOTICE, "worst", "independent", "best", "without the records", "Beta(5, 15)"):
        assert word in text
    said = residual.describe()
    assert said["data"] == "SYNTHETIC"
    assert said["headline"]["upper"] == residual.headline.upper
    assert said["accuracy_of_sources"]["A"]["mean"] > 0

    def plain(value):
        if isinstance(value, dict):
            return all(isinstance(k, str) and plain(v) for k, v in value.items())
        if isinstance(value, list):
            return all(map(plain, value))
        return type(value) in (str, int, float, bool)

    assert plain(said)
    assert said["diagnostics"]["r_hat"] < 1.3


def test_the_same_seed_gives_the_same_bytes():
    """And another seed another draw."""
    runs = [
        estimate_remaining(
            make_model(), [make_search()], FINDS, rng=np.random.default_rng(seed=seed),
            with_sensitivity=False, n_draws=40,
        )
        for seed in (6, 6, 7)
    ]  # fmt: skip
    first, second, third = (run.draws.tobytes() for run in runs)
    assert first == second != third


def test_ground_that_is_not_of_the_task_stays_out():
    """NaN in the maps, nothing in the sums."""
    wanted = np.zeros(GRID.shape, bool)
    wanted[4:12, 3:9] = True
    grid = SiteGrid(origin=(0.0, 0.0), cell=2.0, shape=(20, 20), wanted=wanted)
    invalid = np.zeros(GRID.shape, bool)
    invalid[:5] = True
    left = estimate_remaining(
        make_model(grid=grid), [make_search(invalid=invalid)], [],
        rng=np.random.default_rng(seed=8), with_sensitivity=False, n_draws=20,
    )  # fmt: skip
    assert (np.isfinite(left.expected) == wanted).all()
    assert left.invalid_area == 6 * 4.0
    with pytest.raises(ValueError, match="Must hold a cell of the task"):
        left.within(~wanted)
    with pytest.raises(ValueError, match="Invalid mask with shape"):
        left.within(wanted[:3])
    with pytest.raises(ValueError, match="Invalid band '2'"):
        left.within(wanted, band=2)
    with pytest.raises(ValueError, match="Invalid target_class 'UXO'"):
        left.within(wanted, target_class="UXO")


def test_what_would_not_fit_into_memory_is_refused():
    """With what to change."""
    with pytest.raises(ValueError, match="take fewer draws or larger cells"):
        estimate_remaining(
            make_model(), [], [], rng=np.random.default_rng(seed=1), n_draws=10_000_000
        )


def test_machines_spread_what_they_leave():
    """The sum stays; beside the footprint it rises; nothing moves without a spread."""
    items = np.zeros(400)
    items[210] = 3.0
    footprint = np.zeros(GRID.shape)
    footprint[10, 10] = 0.5
    moved = spread_items(GRID, items, footprint, spread=3.0)
    npt.assert_allclose(moved.sum(), 3.0)
    assert 1.5 < moved[210] < 3.0
    assert moved[209] > 0
    still = spread_items(GRID, items, np.zeros(GRID.shape), spread=3.0)
    npt.assert_allclose(still, items)
    left = estimate_remaining(
        make_model(), [make_search(kind="mechanical", spread=3.0)], FINDS,
        rng=np.random.default_rng(seed=9), with_sensitivity=False, n_draws=40,
    )  # fmt: skip
    plain = estimate_remaining(
        make_model(), [make_search()], FINDS, rng=np.random.default_rng(seed=9),
        with_sensitivity=False, n_draws=40,
    )  # fmt: skip
    npt.assert_allclose(left.headline.mean, plain.headline.mean, rtol=1e-4)
    assert left.headline.greatest_cell < plain.headline.greatest_cell


def test_finds_by_chance_raise_concern_and_say_nothing_of_the_search():
    """Found where nobody searched, or by accident: counted, and more is expected around."""
    nobody = np.zeros(GRID.shape)
    finds = [
        dataclasses.replace(find, is_incidental=k % 2 == 0) for k, find in enumerate(FINDS)
    ]
    model = make_model(classes=("AP",), depth_shares=[[0.8, 0.2]])
    rng = np.random.default_rng(seed=10)
    before = draw_intensity(model, "AP", evidence=[make_search(nobody)], rng=rng)
    after = draw_intensity(model, "AP", evidence=[make_search(nobody)], finds=finds, rng=rng)
    near = slice(10 * 20, 11 * 20)
    assert after.items[:, near].mean() > 2 * before.items[:, near].mean()
