"""Test the kernels that draw strips against their definitions, compiled and interpreted."""

import math

import naive_residual as naive
import numpy as np
import numpy.testing as npt
import pytest

from minesense._kernels import strip_laws as laws
from minesense._kernels import strips as kernels
from minesense.evidence import (
    Background,
    CountedTrials,
    Evidence,
    Find,
    RecordVisit,
    SiteGrid,
    SiteModel,
    UncertainRecord,
    UnrecordedStrips,
    draw_intensity,
)
from minesense.evidence.learning import _heading_density, _points
from minesense.minefield_records import MinefieldRecord

GRID = SiteGrid(origin=(10.0, -20.0), cell=2.0, shape=(12, 10))
BANDS = ((0.0, 0.1), (0.1, 0.3))
SEEDS = CountedTrials(found=24, laid=30, source="test")
BOX = np.array([10.0, 30.0, -20.0, 4.0])


def make_record(name="R1", **changes):
    options = {
        "form": "row", "easting": 20.0, "northing": -8.0, "heading": 1.2, "length": 16.0,
        "width": 1.0, "kind": "pmn", "number": 9,
    } | changes  # fmt: skip
    paper = MinefieldRecord(identifier=name, **options)
    return UncertainRecord(record=paper, target_class="AP", source="A")


def make_search(**changes):
    options = {
        "source": "team", "kind": "manual", "family": "metal detector",
        "footprint": np.ones(GRID.shape), "depth_bands": BANDS, "classes": ("AP",),
        "pd": {("AP", 0): SEEDS, ("AP", 1): SEEDS}, "provenance": "sheet", "time": "2026",
    } | changes  # fmt: skip
    return Evidence(**options)


def make_model(**changes):
    options = {
        "grid": GRID, "classes": ("AP", "AT"), "depth_bands": BANDS,
        "background": {"AP": Background(mean=0.01), "AT": Background(mean=0.002)},
        "records": (make_record(), make_record("R2", northing=-2.0, heading=-0.4)),
        "unrecorded": UnrecordedStrips(most=2), "patch": 8.0,
    } | changes  # fmt: skip
    return SiteModel(**options)


def test_a_strip_holds_its_items():
    """The density is that of the definition; items in cells add up to the number."""
    rng = np.random.default_rng(seed=1)
    for _ in range(30):
        strip = np.array([20.0, -8.0, rng.uniform(0, 7), rng.uniform(2, 15), 0.7, 5.0])
        place = rng.uniform((14, -14), (26, -2))
        expected = naive.strip_density(strip, *place)
        npt.assert_allclose(laws.strip_density(strip, *place), expected, rtol=1e-12)
    cells = np.zeros((60, 60))
    strip = np.array([3.0, 1.0, 0.7, 9.0, 0.8, 12.0])
    laws.add_strip(strip, _points(4000), np.array([-12.0, -14.0]), 0.5, 2.0, cells)
    npt.assert_allclose(cells.sum(), 24.0)
    north, east = np.mgrid[0:60, 0:60]
    east, north = -12.0 + 0.5 * (east + 0.5), -14.0 + 0.5 * (north + 0.5)
    npt.assert_allclose((cells * east).sum() / 24, 3.0, atol=0.02)
    npt.assert_allclose((cells * north).sum() / 24, 1.0, atol=0.02)
    density = np.vectorize(lambda e, n: naive.strip_density(strip, e, n))(east, north)
    assert np.corrcoef(density.ravel(), cells.ravel())[0, 1] > 0.95


def test_a_strip_that_leaves_the_grid_leaves_its_items_there():
    """What lies beyond is in no cell and no pattern."""
    strip = np.array([10.0, -8.0, math.pi / 2, 8.0, 0.1, 10.0])
    cells, pattern = np.zeros(GRID.shape), np.ones(GRID.shape, np.int64)
    laws.add_strip(strip, _points(1000), np.array(GRID.origin), 2.0, 1.0, cells)
    npt.assert_allclose(cells.sum(), 5.0, rtol=0.01)
    shares = np.full(3, 7.0)
    kernels.strip_patterns(strip, _points(1000), np.array(GRID.origin), 2.0, pattern, shares)
    npt.assert_allclose(shares, [0.0, 0.5, 0.0], atol=0.01)


@pytest.mark.parametrize("law", [(3.0, 2.0, 0.2, 0.5, 0.3, 0.2, 0.4), (-1, -1, -1, 0, 1, 0, 1)])
def test_draws_follow_the_law_that_is_evaluated(law):
    """Moments of what is drawn, and densities that add up to one."""
    rng = np.random.default_rng(seed=2)
    claim, law = np.array([20.0, -8.0, 1.2, 10.0, 0.5, 6.0]), np.array(law, float)
    draws = np.zeros((4000, 6))
    for row in draws:
        laws.draw_strip(claim, law, BOX, rng, row)
    size = np.log(draws[:, [3, 5]] / claim[[3, 5]])
    npt.assert_allclose(size.mean(axis=0), law[[3, 5]], atol=0.06)
    npt.assert_allclose(size.std(axis=0), law[[4, 6]], rtol=0.06)
    turn = np.array([laws.half_turn(angle) for angle in draws[:, 2] - claim[2]])
    npt.assert_allclose(turn.std(), 0.2 if law[2] > 0 else math.pi / math.sqrt(12), rtol=0.06)
    steps = np.arange(0.125, 40, 0.25)
    total = 0.0
    for e in 0.0 + steps:
        for n in -28.0 + steps:
            strip = np.array([e, n, 1.2, 10.0, 0.5, 6.0])
            total += math.exp(laws.log_place(strip, claim, law, BOX)) * 0.0625
    npt.assert_allclose(total, 1.0, atol=0.01)


def test_weights_pick_in_proportion():
    """Also the last one, and none of weight zero."""
    rng = np.random.default_rng(seed=3)
    picked = [laws.pick(np.array([1.0, 0.0, 3.0]), 4.0, rng) for _ in range(4000)]
    counts = np.bincount(picked, minlength=3)
    assert counts[1] == 0
    assert abs(counts[0] / 4000 - 0.25) < 0.03


def test_the_fit_is_the_weight_of_a_draw():
    """Product of the intensities at finds, times exp(-integral over searched ground)."""
    finds = np.array([[20.0, -8.0], [12.0, 2.0]])
    base, seen = np.array([0.01, 0.02]), np.array([0.0, 0.8])
    strip = np.array([20.0, -8.0, 1.2, 10.0, 0.5, 6.0])
    pattern, shares, density = np.ones(GRID.shape, np.int64), np.zeros(2), np.zeros(2)
    args = (
        finds,
        base,
        _points(500),
        np.array(GRID.origin),
        2.0,
        pattern,
        seen,
        shares,
        density,
    )
    value = kernels.fit(strip, *args)
    at = [naive.strip_density(strip, *place) for place in finds]
    npt.assert_allclose(value, np.log(base + at).sum() - 6.0 * 0.8, rtol=1e-6)
    strip[5] = 0.0
    npt.assert_allclose(kernels.fit(strip, *args), np.log(base).sum())
    assert not density.any()


def test_strips_are_proposed_as_often_as_their_density_says():
    """Prior over proposal, averaged over proposals, is the prior's share of what they reach."""
    rng = np.random.default_rng(seed=4)
    finds = np.array([[20.0, -8.0], [23.0, -7.0], [16.0, -5.0]])
    claim = np.array([20.0, -8.0, 1.2, 10.0, 5.0, 6.0])
    law = np.array([4.0, 4.0, 0.3, 0.0, 0.1, 0.0, 0.1])
    headings, strip = _heading_density(finds), np.zeros(6)
    reached = 0
    for _ in range(3000):
        laws.draw_strip(claim, law, BOX, rng, strip)
        reached += any(naive.strip_density(strip, *place) > 0 for place in finds)
    for by_histogram in (False, True):
        ratios = []
        for _ in range(3000):
            kernels.propose_at_finds(claim, law, BOX, finds, headings, by_histogram, rng, strip)
            density = np.array([naive.strip_density(strip, *place) for place in finds])
            log_ratio = kernels.log_balance(
                strip, claim, law, BOX, density, headings, by_histogram
            )
            ratios.append(math.exp(log_ratio))
        error = np.std(ratios) / math.sqrt(len(ratios))
        assert error < 0.08
        assert abs(np.mean(ratios) - reached / 3000) < 4 * error
    nowhere = kernels.log_balance(strip, claim, law, BOX, np.zeros(3), headings, False)
    assert nowhere == math.inf


def test_headings_between_finds_add_up():
    """A density over half a turn, highest along a row."""
    row = np.column_stack([np.arange(10.0), np.zeros(10)])
    density = _heading_density(row)
    npt.assert_allclose(density.sum() * math.pi / len(density), 1.0)
    assert density.argmax() in (len(density) // 2 - 1, len(density) // 2)
    assert np.ptp(_heading_density(row[:1])) == 0


SHORT = {"n_draws": 6, "n_chains": 2, "n_burn": 12, "n_thin": 2}


@pytest.mark.parametrize("target_class", ["AP", "AT"])
@pytest.mark.parametrize("n_finds", [0, 4])
def test_a_chain_runs(target_class, n_finds):
    """With and without finds, records, and strips of other classes; the same bytes again."""
    finds = [
        Find(easting=15.0 + 3 * k, northing=-9.0 + k, target_class=target_class, depth=0.05)
        for k in range(n_finds)
    ]
    draws = [
        draw_intensity(
            make_model(), target_class, evidence=[make_search()], finds=finds,
            rng=np.random.default_rng(seed=5), **SHORT,
        )
        for _ in range(2)
    ]  # fmt: skip
    first, second = draws
    assert first.items.tobytes() == second.items.tobytes()
    assert first.strips.tobytes() == second.strips.tobytes()
    assert first.items.shape == (6, 120)
    assert (first.items >= first.background).all()
    assert (first.background > 0).all()
    assert ((first.miss >= 0.05) & (first.miss <= 1)).all()
    if target_class == "AT":  # the search cannot sense it: silence says nothing
        assert (first.miss == 1).all()


def test_a_chain_runs_without_strips():
    """Nothing on paper and no strip assumed: a background alone."""
    model = make_model(records=(), unrecorded=UnrecordedStrips(most=0))
    finds = [Find(easting=15.0, northing=-9.0, target_class="AP")]
    drawn = draw_intensity(model, "AP", finds=finds, rng=np.random.default_rng(seed=5), **SHORT)
    npt.assert_array_equal(drawn.items, drawn.background)
    assert drawn.names == ()


def test_a_source_may_have_any_name_and_visits_any_source():
    """Also the one that strips of no record go by; visits without records change nothing."""
    record = make_record()
    record = UncertainRecord(record=record.record, target_class="AP", source="unrecorded")
    drawn = draw_intensity(
        make_model(records=(record,)), "AP", rng=np.random.default_rng(seed=5), **SHORT
    )
    assert list(drawn.within) == ["unrecorded"]
    assert drawn.names == ("R1", "unrecorded", "unrecorded")
    visits = (RecordVisit(sheet="R9", source="B", outcome="within"),)
    model = make_model(records=(), visits=visits)
    drawn = draw_intensity(model, "AP", rng=np.random.default_rng(seed=5), **SHORT)
    assert drawn.within == {}


def test_visits_fix_the_state_of_their_record():
    """A record that was found within tolerance is that, in every draw."""
    visits = (
        RecordVisit(sheet="R1", source="A", outcome="within"),
        RecordVisit(sheet="R2", source="A", outcome="nothing"),
        RecordVisit(sheet="elsewhere", source="A", outcome="shifted"),
    )
    model = make_model(visits=visits, classes=("AP",))
    drawn = draw_intensity(
        model, "AP", evidence=[make_search()], rng=np.random.default_rng(seed=5), **SHORT
    )
    assert (drawn.states[:, 0] == 1).all()
    assert np.isin(drawn.states[:, 1], [0, 3]).all()
