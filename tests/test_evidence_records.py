"""Test records as uncertain objects, the accuracy of their sources, and the background."""

import math

import numpy as np
import numpy.testing as npt
import pytest
from scipy.stats import beta

from minesense.evidence import (
    Background,
    CountedTrials,
    Evidence,
    ExposureLayer,
    Find,
    RecordPrior,
    RecordVisit,
    SiteGrid,
    SiteModel,
    UncertainRecord,
    UnrecordedStrips,
    background_from_incidents,
    draw_intensity,
    exposure_variants,
    incident_log_likelihood,
    outside_inside_ratio,
    share_of_cells,
    source_accuracies,
)
from minesense.evidence.records import STATES
from minesense.evidence.site_grid import inside_polygon
from minesense.minefield_records import MinefieldRecord
from minesense.sweep import Frame

GRID = SiteGrid(origin=(0.0, 0.0), cell=2.0, shape=(30, 30))


def make_record(name="R1", source="A", crs="local", **changes):
    options = {
        "form": "row", "easting": 30.0, "northing": 30.0, "heading": 0.5 * math.pi,
        "length": 40.0, "width": 1.0, "kind": "pmn", "number": 20,
    } | changes  # fmt: skip
    paper = MinefieldRecord(identifier=name, **options)
    return UncertainRecord(record=paper, target_class="AP", source=source, crs=crs)


def make_model(**changes):
    options = {
        "grid": GRID, "classes": ("AP",), "depth_bands": ((0.0, 0.2),),
        "background": {"AP": Background(mean=0.002)}, "records": (make_record(),),
        "unrecorded": UnrecordedStrips(most=0),
    } | changes  # fmt: skip
    return SiteModel(**options)


def test_accuracy_is_the_published_prior_until_somebody_looks():
    """Mean 0.25, worth twenty records, and each visit counts as one."""
    law = source_accuracies(["A"])["A"]
    assert law.mean == 0.25
    npt.assert_allclose(law.interval(0.9), beta(5, 15).ppf([0.05, 0.95]))
    visits = [
        RecordVisit(sheet=f"R{k}", source="A", outcome=word)
        for k, word in enumerate(["within"] * 3 + ["shifted"] * 2 + ["nothing"])
    ]
    after = source_accuracies(["A", "B"], visits)
    assert (after["A"].within, after["A"].others) == (8.0, 18.0)
    assert (after["A"].n_within, after["A"].n_shifted, after["A"].n_nothing) == (3, 2, 1)
    assert after["B"].mean == 0.25


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"outcome": "found"}, "Invalid outcome 'found'"),
        ({"source": "C"}, "Invalid source of a visit 'C'"),
    ],
)
def test_visits_that_mean_nothing_are_refused(change, message):
    """An unknown word or source."""
    with pytest.raises(ValueError, match=message):
        source_accuracies(
            ["A"],
            [RecordVisit(**({"sheet": "R1", "source": "A", "outcome": "within"} | change))],
        )


def test_a_record_is_visited_once():
    """The last visit counts, not both."""
    visit = RecordVisit(sheet="R1", source="A", outcome="within")
    with pytest.raises(ValueError, match="record 'R1' stands twice"):
        source_accuracies(["A"], [visit, visit])


def test_prior_draws_have_the_shares_that_are_stated():
    """States of records nobody looked at: Beta(5, 15) within, the rest as weighted."""
    drawn = draw_intensity(
        make_model(), "AP", rng=np.random.default_rng(seed=1), n_draws=1200, n_burn=20, n_thin=3
    )
    shares = np.bincount(drawn.states[:, 0], minlength=len(STATES)) / len(drawn.states)
    others = RecordPrior().shares
    expected = [0.25 if name == "WITHIN" else 0.75 * others[name] for name in STATES]
    npt.assert_allclose(shares, expected, atol=0.045)
    within = drawn.within["A"]
    npt.assert_allclose(within.mean(), 0.25, atol=0.015)
    npt.assert_allclose(within.std(), beta(5, 15).std(), rtol=0.1)
    present = drawn.strips[drawn.states[:, 0] == STATES.index("WITHIN"), 0]
    npt.assert_allclose(present[:, :2].mean(axis=0), 30.0, atol=1.8)
    npt.assert_allclose(present[:, :2].std(axis=0), 7.5, rtol=0.2)
    npt.assert_allclose(np.log(present[:, 5] / 20).std(), 0.3, rtol=0.2)


def test_a_record_adds_concern_and_takes_none():
    """Every draw holds the background, which is never zero, and the records on top of it."""
    rng = np.random.default_rng(seed=2)
    without = draw_intensity(make_model(records=()), "AP", rng=rng, n_draws=800, n_burn=50)
    drawn = draw_intensity(make_model(), "AP", rng=rng, n_draws=800, n_burn=50)
    assert (drawn.items >= drawn.background).all()
    assert (drawn.background > 0).all()
    # the floor itself is what it would be without the record, within sampling error
    a, b = without.background.mean(axis=1), drawn.background.mean(axis=1)
    error = math.hypot(a.std(), b.std()) / math.sqrt(100)
    assert abs(a.mean() - b.mean()) < 4 * error
    surface = (drawn.items - drawn.background).mean(axis=0).reshape(GRID.shape)
    assert surface[13:17, 8:22].mean() > 3 * surface[:5].mean() > 0


def test_accuracy_is_learnt_from_finds_too():
    """Where finds lie along the record, its source is trusted more; where none do, less."""
    finds = [Find(easting=12.0 + 2 * k, northing=30.3, target_class="AP") for k in range(18)]
    from_finds = {}
    for name, chosen in (("along", finds), ("none", [])):
        model = make_model(records=tuple(make_record(f"R{k}", northing=30.0) for k in range(1)))
        drawn = draw_intensity(
            model, "AP", evidence=[full_search()], finds=chosen,
            rng=np.random.default_rng(seed=3), n_draws=400,
        )  # fmt: skip
        from_finds[name] = drawn
    along, none = from_finds["along"], from_finds["none"]
    assert along.within["A"].mean() > 0.25 > none.within["A"].mean()
    assert (along.states[:, 0] > 0).mean() > 0.95
    absent_or_far = np.isin(none.states[:, 0], [STATES.index("ABSENT"), STATES.index("FAR")])
    assert absent_or_far.mean() > 0.8


def full_search():
    seeds = CountedTrials(found=54, laid=60, source="test")
    return Evidence(
        source="team", kind="manual", family="metal detector", footprint=np.ones(GRID.shape),
        depth_bands=((0.0, 0.2),), classes=("AP",), pd={("AP", 0): seeds}, provenance="sheet",
        time="2026",
    )  # fmt: skip


def test_mixed_datums_are_refused():
    """A record, a find or a search in another system names both."""
    with pytest.raises(ValueError, match="crs 'EPSG:4284' of record 'R1'"):
        make_model(records=(make_record(crs="EPSG:4284"),))
    grid = SiteGrid(origin=(0, 0), cell=2.0, shape=(30, 30), frame=Frame(crs="EPSG:32638"))
    find = Find(easting=1.0, northing=1.0, target_class="AP", crs="EPSG:32637")
    with pytest.raises(ValueError, match="crs 'EPSG:32637' of find 0"):
        draw_intensity(
            make_model(grid=grid, records=()), "AP", finds=[find],
            rng=np.random.default_rng(seed=1), n_draws=2,
        )  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"background": {}}, "class without a background 'AP'"),
        ({"classes": ("AP", "AP")}, "Invalid classes"),
        ({"depth_bands": ((0.1, 0.3), (0.2, 0.4))}, "Invalid depth_bands"),
        ({"depth_bands": ((-0.1, 0.3),)}, "none above the ground"),
        ({"depth_shares": [[0.4]]}, "adding up to 1"),
        ({"relative": np.zeros((30, 30))}, "items may be anywhere"),
        ({"relative": np.ones((3, 30))}, "Invalid relative with shape"),
        ({"floor": 0.0}, "Invalid floor '0.0'"),
        ({"records": (make_record(), make_record())}, "'R1' stands twice"),
        ({"classes": ("AT",), "background": {"AT": Background(mean=1e-4)}}, "of record 'R1'"),
    ],
)
def test_models_that_cannot_be_are_refused(changes, message):
    """Each error names what is wrong."""
    with pytest.raises(ValueError, match=message):
        make_model(**changes)


def test_a_background_of_nothing_is_refused():
    """Off the map there is always something."""
    with pytest.raises(ValueError, match=r"Invalid mean '0.0'"):
        Background(mean=0.0)


# Incidents and exposure


def test_incidents_say_nothing_without_exposure():
    """The layer is refused to be guessed, wherever it is used."""
    for call in (
        lambda: exposure_variants(make_model(), incident_share=0.55, exposure=None),
        lambda: incident_log_likelihood([0.1], None, [0], cell_area=1.0, trigger=0.1),
        lambda: background_from_incidents(
            GRID, [make_record()], incident_share=0.55, exposure=None
        ),
    ):
        with pytest.raises(ValueError, match="Invalid exposure None"):
            call()
    with pytest.raises(ValueError, match="all are zero"):
        ExposureLayer(person_hours=np.zeros(GRID.shape), source="guess")


def test_the_ratio_is_that_of_the_formula():
    """And the answer of a simulation: incidents thinned by exposure give back the numbers."""
    assert outside_inside_ratio(0.5, exposure_inside=1.0, exposure_outside=1.0) == 1.0
    rng = np.random.default_rng(seed=4)
    inside, outside, spent_in, spent_out = 4000, 9000, 0.02, 0.11
    n_in = rng.binomial(inside, spent_in)
    n_out = rng.binomial(outside, spent_out)
    ratio = outside_inside_ratio(
        n_out / (n_in + n_out), exposure_inside=spent_in, exposure_outside=spent_out
    )
    npt.assert_allclose(ratio, outside / inside, rtol=0.35)


def test_exposure_moves_the_background_by_three_orders():
    """Ratios times 0.1, 1 and 10 are all reported, with the formula's mean."""
    hours = np.full(GRID.shape, 0.1)
    layer = ExposureLayer(person_hours=hours, source="survey of 2025")
    variants = exposure_variants(make_model(), incident_share=0.55, exposure=layer)
    means = [model.background["AP"].mean for model in variants.values()]
    npt.assert_allclose(np.divide(means[1:], means[:-1]), 10.0)
    inside = np.zeros(GRID.shape, bool)
    east, north = GRID.centres()
    gap = np.hypot(
        np.maximum(0, np.abs(east - 30) - 20), np.maximum(0, np.abs(north - 30) - 0.5)
    )
    inside = gap <= 10.0
    area = np.count_nonzero(~inside) * 4.0
    npt.assert_allclose(means[1], 0.55 / 0.45 * (20 * 0.5) / area, rtol=1e-9)
    assert [name[-3:] for name in variants] == ["0.1", "s 1", " 10"]


def test_the_log_likelihood_of_incidents_is_that_of_a_poisson_process():
    """Greatest at the true level, and minus infinity where nobody was."""
    rng = np.random.default_rng(seed=5)
    exposure = rng.uniform(0.0, 2.0, 400)
    counts = rng.poisson(0.2 * exposure * 0.5)
    cells = np.repeat(np.arange(400), counts)
    levels = np.linspace(0.05, 0.5, 46)
    values = [
        incident_log_likelihood(
            np.full(400, level), exposure, cells, cell_area=1.0, trigger=0.5
        )
        for level in levels
    ]
    best = counts.sum() / (0.5 * exposure.sum())
    assert abs(levels[int(np.argmax(values))] - best) <= 0.01
    exposure[cells[0]] = 0.0
    assert (
        incident_log_likelihood(np.full(400, 0.1), exposure, cells, cell_area=1.0, trigger=0.5)
        == -math.inf
    )


# Ground


@pytest.mark.parametrize(
    ("corners", "message"),
    [
        ([(0, 0), (4, 4)], "there are 2"),
        ([(0, 0), (4, 4), (4, 0), (0, 4)], "corner 1 crosses the one from corner 3"),
        ([(0, 0), (4, 0), (4, math.nan)], "NaN"),
    ],
)
def test_polygons_that_cannot_be_are_refused(corners, message):
    """Too few corners, edges that cross, coordinates that are missing."""
    with pytest.raises(ValueError, match=message):
        inside_polygon(GRID, corners)


def test_polygons_hold_the_cells_whose_centre_they_hold():
    """Concave ones too, given either way round, closed or not."""
    corners = [(0, 0), (20, 0), (20, 20), (10, 6), (0, 20)]
    mask = inside_polygon(GRID, corners)
    npt.assert_array_equal(mask, inside_polygon(GRID, [*corners[::-1], corners[-1]]))
    assert mask[0, 0]
    assert not mask[8, 4]
    assert abs(mask.sum() * 4.0 - 260.0) < 20


def test_a_finer_mask_becomes_shares():
    """Of equal parts; other factors and figures are refused."""
    mask = np.random.default_rng(seed=6).random((40, 60)) < 0.3
    shares = share_of_cells(mask, 20)
    assert shares.shape == (2, 3)
    npt.assert_allclose(shares[1, 2], mask[20:, 40:].mean())
    for wrong, factor in ((mask, 7), (mask.astype(float), 20), (mask[0], 20)):
        with pytest.raises(ValueError, match="Invalid mask"):
            share_of_cells(wrong, factor)


def test_grids_without_cells_are_refused():
    """A mask of another shape, or of nothing."""
    with pytest.raises(ValueError, match="Invalid wanted"):
        SiteGrid(origin=(0, 0), cell=1.0, shape=(2, 2), wanted=np.zeros((2, 2), bool))
    find = Find(easting=-5.0, northing=1.0, target_class="AP")
    with pytest.raises(ValueError, match="Invalid find 0: it lies beyond the task"):
        draw_intensity(make_model(), "AP", finds=[find], rng=np.random.default_rng(seed=1))
