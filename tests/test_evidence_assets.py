"""Test searches as evidence, and what several of them miss together."""

import numpy as np
import numpy.testing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_residual import all_missed
from scipy.stats import beta

from minesense.detect import joint_miss_bounds, repeated_miss
from minesense.evidence import CountedTrials, Evidence, SiteGrid
from minesense.evidence.asset_figures import PUBLISHED, published_figures
from minesense.evidence.combination import combined_miss, pd_sets, search_patterns

GRID = SiteGrid(origin=(0.0, 0.0), cell=1.0, shape=(4, 5))
SEEDS = CountedTrials(found=27, laid=30, source="test")


def make_search(**changes):
    options = {
        "source": "team", "kind": "manual", "family": "metal detector",
        "footprint": np.ones(GRID.shape), "depth_bands": ((0.0, 0.13), (0.13, 0.3)),
        "classes": ("AP",), "pd": {("AP", 0): SEEDS}, "provenance": "sheet", "time": "2026",
    } | changes  # fmt: skip
    return Evidence(**options)


def miss(pd, shares, families=None, *, how="worst", q=0.05, rho=0.0, floor=1e-6):
    families = families or [f"family {k}" for k in range(len(pd))]
    return combined_miss(
        pd, shares, families, common_mode=[q] * len(pd), correlation=[rho] * len(pd), how=how,
        floor=floor,
    )  # fmt: skip


@pytest.mark.parametrize("pd", [1.0, 1.2])
def test_a_pd_of_one_is_refused(pd):
    """No number of trials shows it."""
    with pytest.raises(ValueError, match=r"Invalid pd '1(\.2)?' of 'maker'. Must be below 1"):
        CountedTrials.from_share(pd, 20, "maker")
    with pytest.raises(ValueError, match="Invalid pd or shares"):
        miss([pd], [[1.0]])
    with pytest.raises(TypeError, match="Must be CountedTrials"):
        make_search(pd={("AP", 0): pd})


def test_counted_trials_are_capped_unless_they_show_more():
    """Thirty of thirty are no 0.98; three hundred of three hundred show 0.99."""
    all_found = CountedTrials(found=30, laid=30, source="test")
    assert all_found.cap == 0.95
    assert all_found.interval()[1] == 0.95
    many = CountedTrials(found=300, laid=300, source="test")
    npt.assert_allclose(many.cap, 0.05 ** (1 / 300))
    law = beta(27.5, 3.5)
    npt.assert_allclose(SEEDS.quantile([0.1, 0.5]), law.ppf([0.1, 0.5]))
    assert CountedTrials(found=0, laid=5, source="test").cap == 0.95
    assert CountedTrials.from_share(0.7, 10, "report").found == 7


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"common_mode": 0.0}, "Invalid common_mode '0' of 'team'"),
        ({"correlation": 1.1}, "Invalid correlation"),
        ({"family": ""}, "Invalid family ''"),
        ({"provenance": ""}, "Invalid provenance ''"),
        ({"kind": "rat"}, "Invalid kind 'rat'"),
        ({"footprint": np.full((4, 5), 1.1)}, "shares from 0 to 1"),
        ({"pd": {("AT", 0): SEEDS}}, "Invalid class in pd 'AT'"),
        ({"pd": {("AP", 2): SEEDS}}, "Invalid band '2'"),
        ({"invalid": np.zeros((2, 2), bool)}, "Invalid invalid"),
        ({"spread": -1.0}, "Invalid spread"),
    ],
)
def test_searches_that_cannot_be_are_refused(changes, message):
    """Each error names the search or the argument."""
    with pytest.raises(ValueError, match=message):
        make_search(**changes)


def test_counts_that_cannot_be_are_refused():
    """More found than laid, nothing laid, nobody named."""
    for found, laid, source in ((5, 4, "x"), (0, 0, "x"), (1, 2, "")):
        with pytest.raises(ValueError, match="Invalid"):
            CountedTrials(found=found, laid=laid, source=source)


def test_invalid_ground_is_not_searched():
    """What lies outside validated conditions does not count, and is told."""
    invalid = np.zeros(GRID.shape, bool)
    invalid[0] = True
    search = make_search(invalid=invalid)
    assert search.searched_cells == 15
    assert search.describe()["invalid_cells"] == 5
    assert make_search(footprint=~invalid).searched_cells == 15  # a mask will do


def test_silence_counts_for_what_can_be_sensed_alone():
    """Other classes, and bands that are not reached whole, learn nothing."""
    rng = np.random.default_rng(seed=1)
    search = make_search()
    assert (pd_sets([search], "AP", (0.0, 0.13), rng=rng) > 0.5).all()
    assert (pd_sets([search], "AP", (0.05, 0.1), rng=rng) > 0.5).all()
    assert not pd_sets([search], "AP", (0.0, 0.2), rng=rng).any()
    assert not pd_sets([search], "AP", (0.13, 0.3), rng=rng).any()
    assert not pd_sets([search], "AT", (0.0, 0.13), rng=rng).any()


def test_the_same_counts_are_the_same_pd():
    """Two searches that rest on one trial are right or wrong together."""
    other = CountedTrials(found=20, laid=30, source="test")
    searches = [make_search(), make_search(source="b"), make_search(pd={("AP", 0): other})]
    sets = pd_sets(searches, "AP", (0.0, 0.1), rng=np.random.default_rng(seed=1), n_sets=400)
    npt.assert_array_equal(sets[:, 0], sets[:, 1])
    assert abs(np.corrcoef(sets[:, 0], sets[:, 2])[0, 1]) < 0.2
    npt.assert_allclose(sets[:, 0].mean(), SEEDS.mean, atol=0.002)
    drawn = {}
    whole = make_search(pd={("AP", 0): SEEDS, ("AP", 1): SEEDS})
    upper, lower = (
        pd_sets([whole], "AP", band, rng=np.random.default_rng(seed=k), drawn=drawn)
        for k, band in enumerate(whole.depth_bands)
    )
    npt.assert_array_equal(upper, lower)


def test_patterns_join_equal_cells_and_credit_no_more_than_was_covered():
    """Shares are rounded down."""
    half = np.full(GRID.shape, 0.5)
    half[0, 0] = 0.999
    patterns = search_patterns(GRID, [make_search(footprint=half), make_search()])
    assert patterns.shares.shape == (2, 3)
    credited = patterns.shares[0, patterns.pattern]
    assert (credited <= half).all()
    npt.assert_allclose(credited, half, atol=1 / 64)
    with pytest.raises(ValueError, match=r"with shape \(2, 2\)"):
        search_patterns(GRID, [make_search(footprint=np.ones((2, 2)))])
    with pytest.raises(ValueError, match="crs 'EPSG:4326' of the search by 'team'"):
        search_patterns(GRID, [make_search(crs="EPSG:4326")])


@settings(deadline=None, derandomize=True, max_examples=40)
@given(st.lists(st.tuples(st.floats(0.0, 0.95), st.floats(0.0, 1.0)), min_size=1, max_size=3))
def test_the_bounds_are_frechets(looks):
    """Against linear programming, and the house's own bounds; independence lies between."""
    pd, shares = [p for p, _ in looks], [[c] for _, c in looks]
    misses = [1 - p * c for p, c in looks]
    low, high = all_missed(misses)
    npt.assert_allclose(
        miss(pd, shares, how="worst", floor=1e-9)[0], max(high, 1e-9), atol=1e-7
    )
    npt.assert_allclose(miss(pd, shares, how="best", floor=1e-9)[0], max(low, 1e-9), atol=1e-7)
    bounds = joint_miss_bounds(misses)
    npt.assert_allclose(bounds.high, high, atol=1e-7)
    between = miss(pd, shares, how="independent", floor=1e-9)[0]
    npt.assert_allclose(between, max(bounds.independent, 1e-9), atol=1e-9)


def test_published_arithmetic():
    """Two looks at one half or at opposite ones; three passes with and without common cause."""
    both = {"pd": [0.9, 0.9], "shares": [[0.5], [0.5]]}
    npt.assert_allclose(miss(**both, how="independent"), 0.3025)
    npt.assert_allclose(miss(**both, how="best"), 0.1)
    # Half a cell searched twice, as families that are independent where both looked: 0.505
    npt.assert_allclose(0.5 + 0.5 * miss([0.9, 0.9], [[1.0], [1.0]], how="independent"), 0.505)
    three = miss([0.9] * 3, [[1.0]] * 3, ["md"] * 3, how="independent")
    npt.assert_allclose(three, repeated_miss(0.9, 3, undetectable=0.05), rtol=1e-12)
    npt.assert_allclose(three, 0.0501, atol=1e-4)
    npt.assert_allclose(miss([0.9] * 3, [[1.0]] * 3, ["md"] * 3), 0.1)


@settings(deadline=None, derandomize=True, max_examples=50)
@given(st.integers(1, 5), st.floats(0.05, 0.94), st.floats(0.0, 1.0), st.floats(0.01, 0.06))
def test_looks_of_one_family_are_beta_binomial(n, pd, rho, q):
    """Equal looks are those of the house; more of them never miss more, nor less than q."""
    pd = min(pd, 1 - q)
    found = [
        miss([pd] * k, [[1.0]] * k, ["md"] * k, how="independent", q=q, rho=rho)[0]
        for k in range(1, n + 1)
    ]
    expected = repeated_miss(pd, n, undetectable=q, correlation=rho)
    npt.assert_allclose(found[-1], expected, rtol=1e-9)
    assert (np.diff(found) <= 1e-12).all()
    assert found[-1] >= q
    # a look at nothing changes nothing
    idle = miss([pd] * (n + 1), [[1.0]] * n + [[0.0]], ["md"] * (n + 1), how="independent",
                q=q, rho=rho)  # fmt: skip
    npt.assert_allclose(idle, found[-1], rtol=1e-12)


def test_something_is_always_missed():
    """However many searches: the floor, in every combination."""
    for how in ("worst", "independent", "best"):
        assert miss([0.95] * 6, [[1.0]] * 6, how=how, floor=0.05)[0] >= 0.05
        assert miss([0.5], [[0.0]], how=how)[0] == 1.0
    assert (
        combined_miss(
            np.zeros((3, 0)), np.zeros((0, 2)), [], common_mode=[], correlation=[]
        ).tolist()
        == [[1.0, 1.0]] * 3
    )
    with pytest.raises(ValueError, match="Invalid floor"):
        miss([0.5], [[1.0]], floor=0.0)
    with pytest.raises(ValueError, match="Invalid how 'mean'"):
        miss([0.5], [[1.0]], how="mean")


def test_published_figures_carry_source_and_caveat():
    """None is without either; those without counts cannot be used as a Pd."""
    assert {row.kind for row in PUBLISHED} == {"manual", "sensor", "dog", "mechanical"}
    for row in PUBLISHED:
        assert row.source
        assert row.caveat
        assert row.asset
    (dogs,) = [row for row in published_figures("dog") if row.trials is not None]
    assert (dogs.trials.found, dogs.trials.laid) == (213, 213)
    assert dogs.trials.interval()[1] < 1
    assert all(row.trials is None for row in published_figures("mechanical"))
    with pytest.raises(ValueError, match="Invalid kind 'rat'"):
        published_figures("rat")


def test_a_poor_look_never_makes_the_rest_worse():
    """As if independent lies between the bounds, and grows when any search is left out."""
    rng = np.random.default_rng(seed=7)
    for _ in range(300):
        n = int(rng.integers(2, 5))
        families, pd = list(rng.choice(list("ab"), n)), rng.uniform(0, 0.97, n)
        shares = rng.choice([0.0, 0.5, 1.0], (n, 3))
        u, rho = rng.uniform(0.01, 0.3, n), rng.uniform(0, 1, n)

        def joined(how, kept, families=families, pd=pd, shares=shares, u=u, rho=rho):
            return combined_miss(
                pd[kept], shares[kept], [families[k] for k in kept],
                common_mode=u[kept], correlation=rho[kept], how=how,
            )  # fmt: skip

        every = list(range(n))
        low, middle, high = (joined(how, every) for how in ("best", "independent", "worst"))
        assert (low <= middle + 1e-12).all()
        assert (middle <= high + 1e-12).all()
        for left_out in every:
            kept = [k for k in every if k != left_out]
            assert (joined("independent", kept) >= middle - 1e-12).all()
            assert (joined("worst", kept) >= high - 1e-12).all()
