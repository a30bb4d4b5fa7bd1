"""Test curves against one matching per threshold, and baselines against their theory."""

import functools
import math

import numpy as np
import numpy.testing as npt
import pytest
from fields import make_alarm, make_coverage, make_target, make_truth
from hypothesis import given, settings
from hypothesis import strategies as st

from minesense.coverage import observe
from minesense.score import (
    Halo,
    layout_alarms,
    match,
    random_alarms,
    roc,
    score,
    scored_ground,
)
from minesense.score.curves import FAR_AXIS, Steps, _resample, far_at, partial_area, pd_at

STAIRS = Steps(np.array([0.2, 0.5, 0.5, 0.9]), np.array([0.0, 0.05, 0.2, 0.4]))


def make_field(seed, n_targets=8, n_alarms=25):
    """Return truth, alarms with ties in their scores, and three lanes, one half swept."""
    rng = np.random.default_rng(seed)
    xy = rng.uniform([-0.5, 0], [2.5, 5.0], size=(n_targets, 2))
    truth = make_truth(*(make_target(f"T{k}", *place) for k, place in enumerate(xy.tolist())))
    near = xy[rng.integers(0, n_targets, n_alarms // 2)] + rng.normal(
        0, 0.08, (n_alarms // 2, 2)
    )
    far = rng.uniform([-0.5, 0], [2.5, 5.0], size=(n_alarms - len(near), 2))
    alarms = [
        make_alarm(*place, float(rng.integers(0, 9)), identifier=f"a{k}")
        for k, place in enumerate(np.concatenate([near, far]).tolist())
    ]
    return truth, alarms, make_coverage(5.0, 5.0, 2.5, length=5.0)


@settings(max_examples=20)
@given(seed=st.integers(0, 999))
def test_curve_equals_a_matching_per_threshold(seed):
    """The points are those that scoring at each threshold would give, none is missing."""
    truth, alarms, coverage = make_field(seed)
    curve = roc(alarms, truth, coverage)
    points = []
    for threshold in sorted({a.score for a in alarms}, reverse=True):
        single = score(alarms, truth, coverage, threshold=threshold, curve=False)
        points.append((single.pd_swept.k, single.pd_total.k, single.false_alarms.count))
        at = np.flatnonzero(curve.thresholds >= threshold)
        if len(at):
            k = at[-1]
            found = curve.n_detected[k], curve.n_detected_total[k], curve.n_false[k]
            assert found == points[-1]
            limits = single.pd_swept.low, single.pd_swept.high
            assert (curve.pd_low[k], curve.pd_high[k]) == pytest.approx(limits, nan_ok=True)
            rate = single.false_alarms
            assert (curve.far[k], curve.far_high[k]) == pytest.approx((rate.value, rate.high))
        else:
            assert points[-1] == (0, 0, 0)
    assert len(curve.thresholds) == len(set(points) - {(0, 0, 0)})
    assert (np.diff(curve.thresholds) < 0).all()


def test_stairs_are_read_by_hand():
    """Partial area, Pd at a rate and rate at a Pd of a stair of four steps."""
    # 0.2 to 0.05, 0.5 to 0.4, 0.9 from there
    assert partial_area(STAIRS, 0.1) == pytest.approx((0.05 * 0.2 + 0.05 * 0.5) / 0.1)
    assert partial_area(STAIRS, 1.0) == pytest.approx(0.05 * 0.2 + 0.35 * 0.5 + 0.6 * 0.9)
    assert [float(pd_at(STAIRS, x)) for x in (0.0, 0.049, 0.05, 0.3, 9.0)] == [
        0.2,
        0.2,
        0.5,
        0.5,
        0.9,
    ]
    assert [float(far_at(STAIRS, p)) for p in (0.1, 0.2, 0.21, 0.5, 0.9)] == [
        0.0,
        0.0,
        0.05,
        0.05,
        0.4,
    ]
    assert far_at(STAIRS, 0.91) == math.inf
    late = Steps(np.array([0.7]), np.array([0.3]))
    assert pd_at(late, 0.2) == 0.0
    assert partial_area(late, 0.1) == 0.0


@given(seed=st.integers(0, 99), limit=st.floats(0.05, 2.0))
def test_partial_area_is_the_integral_of_the_readings(seed, limit):
    """Riemann sums of pd_at, from below and above, enclose the partial area."""
    rng = np.random.default_rng(seed)
    steps = Steps(np.sort(rng.random(6)), np.sort(rng.random(6)))
    axis = np.linspace(0, limit, 201)
    heights = np.array([float(pd_at(steps, x)) for x in axis])
    area = float(partial_area(steps, limit))
    assert heights[:-1].mean() - 1e-12 <= area <= heights[1:].mean() + 1e-12


def test_a_perfect_detector():
    """All found before the first false alarm: area 1, no false alarms at any Pd."""
    truth = make_truth(*(make_target(f"T{k}", 0.0, 1.0 + k) for k in range(8)))
    alarms = [make_alarm(0.0, 1.0 + k, 10.0 + k) for k in range(8)]
    alarms.append(make_alarm(0.3, 9.5, 1.0))
    curve = roc(alarms, truth, make_coverage())
    scalars = dict(curve.scalars)
    assert scalars["far_at_pd_0.95"] == 0.0
    assert scalars["pd_at_far_0.001"] == 1.0
    assert scalars["pauc_0.1"] == pytest.approx(1.0)
    npt.assert_array_equal(curve.n_detected, [1, 2, 3, 4, 5, 6, 7, 8, 8])
    npt.assert_array_equal(curve.n_false, [0] * 8 + [1])


def test_what_is_not_reached_is_not_a_number():
    """A Pd that no threshold reaches, and every Pd where nothing was swept, is NaN."""
    truth, alarms, coverage = make_field(1)
    assert math.isnan(roc(alarms[:3], truth, coverage).scalars["far_at_pd_0.95"])
    empty = roc(alarms, make_truth(), coverage)
    assert math.isnan(empty.scalars["pauc_1"])
    assert len(empty.pd) == len(empty.far) > 0
    silent = roc([], truth, coverage)
    assert silent.scalars["pauc_1"] == 0.0
    assert silent.scalars["pd_at_far_1"] == 0.0
    assert len(silent.thresholds) == 0


def test_bands_repeat_and_hold_the_curve():
    """The same seed gives the same bands; they lie around the curve and cover its scalars."""
    truth, alarms, coverage = make_field(2, n_targets=30, n_alarms=80)
    one, two = (
        roc(alarms, truth, coverage, rng=np.random.default_rng(5), n_resamples=400)
        for _ in range(2)
    )
    npt.assert_array_equal(one.bands.pd_low, two.bands.pd_low)
    assert one.bands.scalars == two.bands.scalars
    assert one.bands.n_resamples == 400
    steps = Steps(one.pd, one.far)
    centre = np.array([float(pd_at(steps, x)) for x in one.bands.far])
    assert (one.bands.pd_low <= centre).all()
    assert (centre <= one.bands.pd_high).all()
    assert (one.bands.pd_low < one.bands.pd_high).any()
    for name, (low, high) in one.bands.scalars.items():
        value = one.scalars[name]
        assert low <= (math.inf if math.isnan(value) else value) <= high


def naive_resamples(matching, lane_areas, n_resamples, rng):
    """Return Pd and false-alarm rate at the lowest threshold, drawn one by one."""
    targets, false = {}, {}
    for lane in lane_areas:
        targets[lane] = [t for t in matching.targets if t.is_swept and t.lane == lane]
        false[lane] = sum(a.outcome == "false" and a.lane == lane for a in matching.alarms)
    pd, far = [], []
    for _ in range(n_resamples):
        lanes = rng.choice(list(lane_areas), size=len(lane_areas))
        drawn = [
            t.outcome == "detected"
            for lane in lanes
            for t in rng.choice(targets[lane], size=len(targets[lane]))
        ]
        pd.append(np.mean(drawn))
        far.append(sum(false[k] for k in lanes) / sum(lane_areas[k] for k in lanes))
    return np.array(pd), np.array(far)


def test_bands_agree_with_one_by_one_resampling():
    """Vectorised draws have the mean and the spread of draws made one at a time."""
    truth, alarms, coverage = make_field(4, n_targets=30, n_alarms=60)
    matching = match(alarms, truth, coverage=coverage)
    areas = scored_ground(truth, coverage).lane_areas
    thresholds = np.array([-1.0])
    rng = np.random.default_rng(0)
    pd, far = naive_resamples(matching, areas, 4000, rng)
    samples = _resample(matching, areas, thresholds, rng=rng, n_resamples=4000)
    # At the end of the axis, 10 per m2, every resample reads its only point.
    assert FAR_AXIS[-1] > far.max()
    last = samples["axis"][:, -1]
    assert last.mean() == pytest.approx(pd.mean(), abs=4 * pd.std() / math.sqrt(2000))
    assert last.std() == pytest.approx(pd.std(), rel=0.1)
    # One point (far, pd): the partial area to 1 per m2 is pd (1 - far).
    area = samples["pauc_1"]
    expected = pd * np.clip(1 - far, 0, None)
    spread = 4 * expected.std() / math.sqrt(2000)
    assert area.mean() == pytest.approx(expected.mean(), abs=spread)
    assert area.std() == pytest.approx(expected.std(), rel=0.15)


def test_a_resampled_lane_brings_its_area():
    """Lanes of 10 and 2.5 m with alarms in proportion: every resample has the same rate."""
    coverage = make_coverage(10.0, 2.5)
    truth = make_truth(make_target("T1", 0.0, 1.0), make_target("T2", 1.0, 1.0))
    areas = scored_ground(truth, coverage).lane_areas
    alarms = [make_alarm(k, 1.0, 5.0, identifier=f"hit {k}") for k in (0.0, 1.0)]
    alarms += [make_alarm(0.0, 2.0 + 0.5 * k, 9.0) for k in range(8)]
    alarms += [make_alarm(1.0, 2.0 + 0.5 * k, 9.0) for k in range(2)]
    curve = roc(alarms, truth, coverage, rng=np.random.default_rng(0), n_resamples=300)
    low, high = curve.bands.scalars["far_at_pd_0.8"]
    single = [8 / areas["A"], 2 / areas["B"]]
    assert low == pytest.approx(min(single))
    assert high == pytest.approx(max(single))


@functools.cache
def make_grid_of_targets(n=400):
    """Return 20 lanes of 20 m with a target of no extent in every square metre."""
    lanes = make_coverage(*[20.0] * 20, length=20.0)
    places = [(i % 20, 0.5 + i // 20) for i in range(n)]
    return lanes, make_truth(
        *(make_target(f"T{k}", *p, diameter=0.0) for k, p in enumerate(places))
    )


@pytest.mark.parametrize("radius", [0.1, 0.15, 0.25, 0.35, 0.5])
def test_random_alarms_find_what_theory_says(radius):
    """Pitfall 15: Pd = 1 - exp(-q A), the halo swept from 0.1 to 0.5 m."""
    density = 0.5
    coverage, truth = make_grid_of_targets()
    rng = np.random.default_rng(int(100 * radius))
    found = 0
    for _ in range(5):
        alarms = random_alarms(coverage, density, rng)
        # Halos of 0.5 m touch each other, none overlaps.
        result = match(
            alarms, truth, Halo(kind="fixed", radius=radius, ring=1.0), coverage=coverage
        )
        found += sum(t.outcome == "detected" for t in result.targets)
    expected = 1 - math.exp(-density * math.pi * radius**2)
    spread = math.sqrt(expected * (1 - expected) / 2000)
    assert found / 2000 == pytest.approx(expected, abs=3.5 * spread)


def test_random_alarms_have_their_density_and_stay_on_observed_ground():
    """Counts are Poisson about the area observed, and no alarm lies beyond it."""
    coverage = make_coverage(10.0, 4.0, 0.0)
    rng = np.random.default_rng(1)
    alarms = [random_alarms(coverage, 3.0, rng) for _ in range(200)]
    counts = np.array([len(part) for part in alarms])
    expected = 3.0 * coverage.area()
    assert counts.mean() == pytest.approx(expected, abs=4 * math.sqrt(expected / 200))
    assert counts.var() == pytest.approx(expected, rel=0.4)
    place = np.array([(a.easting, a.northing) for part in alarms for a in part])
    assert coverage.is_observed(place[:, 0], place[:, 1]).all()
    assert {a.lane for part in alarms for a in part} == {"A", "B"}
    again = random_alarms(coverage, 3.0, np.random.default_rng(1))
    assert [a.score for a in again] == [a.score for a in alarms[0]]


def test_a_layout_gives_regular_targets_away():
    """Pitfall 5: on a regular field the layout beats chance, on a random one it does not."""
    coverage = make_coverage(20.0, 20.0, 20.0, length=20.0)
    alarms = layout_alarms(coverage, 0.5)
    assert len(alarms) == 30
    regular = make_truth(
        *(make_target(f"T{i}{k}", float(i), 1.0 + 2 * k) for i in range(3) for k in range(10))
    )
    assert score(alarms, regular, coverage, curve=False).pd_swept.k == 30
    rng = np.random.default_rng(0)
    places = rng.uniform([-0.5, 0.0], [2.5, 20.0], size=(30, 2)).tolist()
    chance = make_truth(*(make_target(f"T{k}", *place) for k, place in enumerate(places)))
    pd = score(alarms, chance, coverage, curve=False).pd_swept
    by_chance = 1 - math.exp(-0.5 * math.pi * 0.15**2)
    assert pd.low <= by_chance <= pd.high
    assert layout_alarms(make_coverage(0.0), 0.5) == []


def test_a_layout_follows_the_longer_side():
    """Lanes run east or north; a square one runs north."""
    for area, expected in [
        ((0, 0, 4, 1, "A"), [(1.0, 0.5), (3.0, 0.5)]),
        ((0, 0, 1, 4, "A"), [(0.5, 1.0), (0.5, 3.0)]),
        ((0, 0, 2, 2, "A"), [(1.0, 0.5), (1.0, 1.5)]),
    ]:
        empty = observe([], footprint={"gpr": 1.0}, area=[area])
        arrays = empty.to_arrays()
        arrays["observed_gpr"] = np.ones(empty.shape, bool)
        alarms = layout_alarms(empty.from_arrays(arrays), 0.5)
        npt.assert_allclose([(a.easting, a.northing) for a in alarms], expected)
        assert [a.score for a in alarms] == [0.5, 0.5]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda c, r: random_alarms(c, 0.0, r), ValueError, "Invalid density '0.0'"),
        (lambda c, r: random_alarms(c, 1.0, 7), TypeError, "Invalid rng 7"),
        (lambda c, r: layout_alarms(c, -1.0), ValueError, "Invalid density '-1.0'"),
        (lambda c, r: layout_alarms(3, 1.0), TypeError, "Invalid coverage of type int"),
        (
            lambda c, r: roc([], make_truth(), c, rng=r, n_resamples=0),
            ValueError,
            "Invalid n_resamples '0'",
        ),
        (lambda c, r: roc([], make_truth(), c, confidence=1), ValueError, "Invalid confidence"),
    ],
)
def test_bad_input_is_named(call, error, message):
    """The error names the argument, shows its value and states the rule."""
    with pytest.raises(error, match=message):
        call(make_coverage(1.0), np.random.default_rng(0))
