"""Test which alarm finds which target against enumerated cases and brute force."""

import itertools
import math
from collections import Counter

import numpy as np
import pytest
from fields import make_alarm, make_clutter, make_coverage, make_target, make_truth
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from minesense.score import Halo, match
from minesense.score.halo import TOLERANCE

MINE = make_target("T1", 0.0, 5.0)


def outcomes(matching):
    """Return outcomes from the highest score to the lowest."""
    return [alarm.outcome for alarm in matching.alarms]


def detected(matching):
    """Return the identifiers of the targets that were detected."""
    return {target.identifier for target in matching.targets if target.outcome == "detected"}


@pytest.mark.parametrize(
    ("halo", "reach"),
    [
        (Halo(), 0.15),  # d/2 + 0.10
        (Halo(kind="handheld", radius=0.3), 0.35),
        (Halo(kind="vehicle"), 0.30),  # 0.25 from the edge
        (Halo(kind="fixed", radius=0.5), 0.5),
    ],
)
@pytest.mark.parametrize("angle", [0.0, 0.7, math.pi / 2, 4.0])
def test_edges_of_halo_and_ring(halo, reach, angle):
    """The halo includes its edge and not a micrometre more; so does the ring."""
    for factor, inside, beyond in [(1, "hit", "outside"), (2, "outside", "false")]:
        for more, expected in [(0, inside), (-1e-6, inside), (1e-6, beyond)]:
            radius = factor * reach + more
            alarm = make_alarm(radius * math.cos(angle), 5.0 + radius * math.sin(angle))
            assert outcomes(match([alarm], make_truth(MINE), halo)) == [expected]


def test_ring_can_be_left_out():
    """A ring of 1 is none: what is no hit is a false alarm."""
    alarm = make_alarm(0.1501, 5.0)
    assert outcomes(match([alarm], make_truth(MINE), Halo(ring=1.0))) == ["false"]


def test_duplicates_are_neither_hits_nor_false():
    """Pitfall 12: further alarms in a halo raise no count."""
    alarms = [make_alarm(0.01 * k, 5.0, 5.0 - k) for k in range(5)]
    result = match(alarms, make_truth(MINE))
    assert outcomes(result) == ["hit"] + 4 * ["repeat"]
    assert {alarm.target for alarm in result.alarms} == {"T1"}
    assert result.targets[0].alarm == alarms[0].identifier


def test_one_alarm_between_two_targets_counts_once():
    """Pitfall 13: it finds the nearer one; a second alarm finds the other."""
    truth = make_truth(make_target("T1", -0.1, 5.0), make_target("T2", 0.1, 5.0))
    alone = match([make_alarm(0.01, 5.0)], truth)
    assert detected(alone) == {"T2"}
    both = match([make_alarm(0.01, 5.0, 2.0), make_alarm(0.02, 5.0, 1.0)], truth)
    assert outcomes(both) == ["hit", "hit"]
    assert {a.target for a in both.alarms} == {"T1", "T2"}


def test_an_alarm_moves_over_for_another():
    """The first alarm takes T2, the nearer; it gives way to one that can only have T2."""
    truth = make_truth(make_target("T1", -0.1, 5.0), make_target("T2", 0.1, 5.0))
    result = match([make_alarm(0.01, 5.0, 2.0), make_alarm(0.2, 5.0, 1.0)], truth)
    assert outcomes(result) == ["hit", "hit"]
    assert [a.target for a in result.alarms] == ["T1", "T2"]
    scores = {t.identifier: t.score for t in result.targets}
    assert scores == {"T2": 2.0, "T1": 1.0}  # as it would be at each threshold


def test_score_goes_before_distance():
    """With one target, the alarm with the higher score is the hit, not the nearer one."""
    far, near = make_alarm(0.12, 5.0, 2.0), make_alarm(0.0, 5.0, 1.0)
    assert match([near, far], make_truth(MINE)).targets[0].alarm == far.identifier
    even = make_alarm(0.0, 5.0, 2.0, identifier="z")
    assert match([far, even], make_truth(MINE)).targets[0].alarm == "z"


def test_clutter_alarms_are_false_and_named():
    """They count, and carry the kind; in a target's halo the target comes first."""
    truth = make_truth(MINE, make_clutter("C1", 0.0, 2.0), make_clutter("C2", 0.05, 5.0, "cap"))
    alarms = [make_alarm(0.15, 2.0, 3.0), make_alarm(0.0, 2.16, 2.0), make_alarm(0.05, 5.0)]
    result = match(alarms, truth)
    assert outcomes(result) == ["false", "false", "hit"]
    assert [(a.clutter, a.clutter_kind) for a in result.alarms] == [
        ("C1", "can"),
        ("", ""),
        ("", ""),
    ]


def test_ground_not_observed_is_outside():
    """Alarms there count neither way, with the reason; so do alarms without a place."""
    truth = make_truth(MINE, make_target("T2", 0.0, 9.0))
    alarms = [
        make_alarm(0.0, 8.0, 4.0),
        make_alarm(0.0, 9.0, 3.0),  # in the halo of a target that nobody swept
        make_alarm(math.nan, math.nan, 2.0),
        make_alarm(0.0, 2.0, 1.0),
        make_alarm(7.0, 2.0, 0.5),
    ]
    result = match(alarms, truth, coverage=make_coverage(6.0))
    assert outcomes(result) == ["outside", "outside", "outside", "false", "outside"]
    reasons = [alarm.reason for alarm in result.alarms]
    assert reasons == ["not observed", "not observed", "unlocated", "", "not observed"]
    assert detected(result) == set()


def test_four_fates_of_a_target():
    """Detected, missed though swept, partly swept and never swept are told apart."""
    northings = {"T1": 2.0, "T2": 4.0, "T3": 6.48, "T4": 9.0}
    truth = make_truth(
        *(make_target(name, 0.0, y, diameter=0.3) for name, y in northings.items())
    )
    coverage = make_coverage(6.0)  # observed to 6.52 m
    result = match([make_alarm(0.0, 2.0)], truth, coverage=coverage)
    fates = [target.outcome for target in result.targets]
    assert fates == ["detected", "missed_swept", "partly_swept", "never_swept"]
    assert [t.is_swept for t in result.targets] == [True, True, False, False]
    # A hit on a target that was swept in part is a hit, and the target stays unswept.
    result = match([make_alarm(0.0, 6.49)], truth, coverage=coverage)
    assert result.targets[2].outcome == "detected"
    assert not result.targets[2].is_swept


@pytest.mark.parametrize("northing", [0.0, 4_200_000.0, 9_114_000.0, 9_999_000.0])
def test_exactly_at_the_radius_is_a_hit_wherever_the_field_lies(northing):
    """Coordinates of a grid to the millimetre, south of the equator as well."""
    rng = np.random.default_rng(seed=2)
    steps = ((0.15, 0.0), (0.0, 0.15), (0.0, -0.15), (0.09, 0.12), (0.12, -0.09))
    mines, alarms = [], []
    for k in range(1000):
        east = round(500_000 + k + rng.random() / 2, 3)
        north = round(northing + 50 * rng.random(), 3)
        step = steps[k % len(steps)]
        mines.append(make_target(f"T{k}", east, north))
        place = round(east + step[0], 3), round(north + step[1], 3)
        alarms.append(make_alarm(*place, identifier=f"a{k}"))
    assert match(alarms, make_truth(*mines)).count("hit") == len(mines)
    beyond = make_alarm(mines[0].easting + 0.15 + 1e-6, mines[0].northing)
    assert match([beyond], make_truth(*mines)).count("hit") == 0


def test_no_alarm_finds_a_target_where_none_can_be_false():
    """Marks along the border of what was observed reach into it, and find nothing there."""
    truth = make_truth(
        make_target("T1", 0.0, 6.4, diameter=0.1), make_target("T2", 0.45, 3.0, diameter=0.1)
    )
    coverage = make_coverage(6.0)  # cells to 6.5 m, and 0.5 m on each side
    assert coverage.is_observed(0.49, 3.0)
    assert not coverage.is_observed(0.51, 3.0)
    ahead, beside = make_alarm(0.0, 6.51, 3.0), make_alarm(0.51, 3.0, 2.0)
    result = match([ahead, beside], truth, coverage=coverage)
    assert [t.is_swept for t in result.targets] == [True, True]
    assert [(a.outcome, a.reason) for a in result.alarms] == [("outside", "not observed")] * 2
    assert detected(result) == set()
    inside = [make_alarm(0.0, 6.49, 3.0), make_alarm(0.49, 3.0, 2.0)]
    assert detected(match(inside, truth, coverage=coverage)) == {"T1", "T2"}
    assert detected(match([ahead, beside], truth)) == {"T1", "T2"}  # all ground counts


def test_ninety_percent_is_swept():
    """The limit is inclusive: nine of ten cells are swept, eight are not."""
    coverage = make_coverage(6.0)
    shares = {}
    for y in np.arange(6.0, 7.0, 0.01):
        truth = make_truth(make_target("T", 0.0, float(y), diameter=0.5))
        target = match([], truth, coverage=coverage).targets[0]
        shares[target.share_observed] = target.is_swept
        assert target.is_swept == (target.share_observed >= 0.9)
    assert len(shares) > 5


def naive_match(alarms, targets, reach, threshold):
    """
    Return the alarms served and the least sum of distances, by trying everything.

    Alarms are served if an assignment of them all exists beside those served before.
    """
    served, best = [], 0.0
    for alarm in sorted((a for a in alarms if a.score >= threshold), key=lambda a: -a.score):
        trial = [*served, alarm]
        sums = []
        for chosen in itertools.permutations(targets, len(trial)):
            pairs = list(zip(trial, chosen, strict=True))
            away = [
                math.hypot(a.easting - t.easting, a.northing - t.northing) for a, t in pairs
            ]
            if all(d <= reach for d in away):
                sums.append(sum(away))
        if sums:
            served, best = trial, min(sums)
    return served, best


places = st.tuples(st.floats(0, 0.5), st.floats(0, 0.5))


@given(
    where=st.lists(places, min_size=1, max_size=4),
    alarms=st.lists(places, max_size=5, unique=True),
    threshold=st.integers(0, 5),
)
def test_matches_brute_force(where, alarms, threshold):
    """Crowded halos: as many hits as possible, best scores first, least distance."""
    truth = make_truth(*(make_target(f"T{k}", *place) for k, place in enumerate(where)))
    raised = [make_alarm(*place, k, identifier=f"a{k}") for k, place in enumerate(alarms)]
    result = match(raised, truth, threshold=threshold)
    served, total = naive_match(raised, truth.targets, 0.15 + TOLERANCE, threshold)
    hits = [alarm for alarm in result.alarms if alarm.outcome == "hit"]
    assert [alarm.identifier for alarm in hits] == [alarm.identifier for alarm in served]
    by_name = {target.identifier: target for target in truth.targets}
    away = [
        math.hypot(
            a.easting - by_name[a.target].easting, a.northing - by_name[a.target].northing
        )
        for a in hits
    ]
    assert sum(away) == pytest.approx(total, abs=1e-8)
    assert len({a.target for a in hits}) == len(hits)


@given(seed=st.integers(0, 999))
def test_agrees_with_scipy_on_a_crowd(seed):
    """The sum of distances is that of SciPy's assignment of the alarms served."""
    rng = np.random.default_rng(seed)
    truth = make_truth(*(make_target(f"T{k:02d}", *rng.uniform(0, 1, 2)) for k in range(20)))
    raised = [make_alarm(*rng.uniform(0, 1, 2), float(s)) for s in rng.normal(size=30)]
    hits = [alarm for alarm in match(raised, truth).alarms if alarm.outcome == "hit"]
    targets = truth.targets
    away = np.array(
        [
            [math.hypot(a.easting - t.easting, a.northing - t.northing) for t in targets]
            for a in hits
        ]
    ).reshape(len(hits), len(targets))
    cost = np.where(away <= 0.15, away, 100.0)
    rows, columns = linear_sum_assignment(cost)
    names = [t.identifier for t in targets]
    total = sum(away[i, names.index(a.target)] for i, a in enumerate(hits))
    assert total == pytest.approx(cost[rows, columns].sum(), abs=1e-7)
    pairs = np.where(
        [
            [
                math.hypot(a.easting - t.easting, a.northing - t.northing) <= 0.15
                for t in targets
            ]
            for a in raised
        ],
        -1.0,
        0.0,
    )
    rows, columns = linear_sum_assignment(pairs)
    assert len(hits) == -pairs[rows, columns].sum()  # no assignment has more hits


@given(seed=st.integers(0, 99))
def test_thresholds_nest(seed):
    """What happens above a threshold does not depend on the alarms below it."""
    rng = np.random.default_rng(seed)
    truth = make_truth(*(make_target(f"T{k}", *rng.uniform(0, 0.6, 2)) for k in range(6)))
    scores = rng.integers(0, 6, size=12).tolist()
    raised = [make_alarm(*rng.uniform(0, 0.6, 2), float(s)) for s in scores]
    whole = match(raised, truth)
    before = set()
    for threshold in range(6, -1, -1):
        part = match(raised, truth, threshold=threshold)
        above = [alarm for alarm in whole.alarms if alarm.score >= threshold]
        assert outcomes(part) == [alarm.outcome for alarm in above]
        found = detected(part)
        assert found == {t.identifier for t in whole.targets if t.score >= threshold}
        assert before <= found
        before = found


@given(order=st.permutations(range(8)))
def test_order_does_not_matter(order):
    """Neither that of the alarms nor that of the truth."""
    rng = np.random.default_rng(3)
    objects = [make_target(f"T{k}", *rng.uniform(0, 0.5, 2)) for k in range(5)]
    objects += [make_clutter(f"C{k}", *rng.uniform(0, 2, 2)) for k in range(3)]
    scores = [1.0, 1.0, 1.0, 2.0, 2.0, 3.0, 3.0, 3.0]
    alarms = [make_alarm(*rng.uniform(0, 1, 2), s) for s in scores]
    expected = match(alarms, make_truth(*objects))
    shuffled = match([alarms[k] for k in order], make_truth(*(objects[k] for k in order)))
    # NaN is not equal to itself: compare as text.
    assert repr(shuffled) == repr(expected)
    assert Counter(outcomes(expected)).keys() > {"hit", "false"}


def test_threshold_is_inclusive():
    """An alarm at the threshold counts."""
    alarm = make_alarm(0.0, 5.0, 1.5)
    assert outcomes(match([alarm], make_truth(MINE), threshold=1.5)) == ["hit"]
    assert outcomes(match([alarm], make_truth(MINE), threshold=math.nextafter(1.5, 2))) == []


def test_truth_must_be_known_to_a_third_of_the_radius():
    """Pitfall 28: with a radius of 0.15 m, 5 cm will do and 5.1 cm will not."""
    halo = Halo(radius=0.15)
    match([], make_truth(MINE, position_error=0.05), halo)
    with pytest.raises(
        ValueError, match=r"position_error '0.051' of the truth. Must be at most"
    ):
        match([], make_truth(MINE, position_error=0.051), halo)


@pytest.mark.parametrize(
    ("bad", "error", "message"),
    [
        (
            {"alarms": [make_alarm(0, 0, math.nan, identifier="a7")]},
            ValueError,
            "of alarm 'a7'",
        ),
        (
            {"alarms": 2 * [make_alarm(0, 0, identifier="a7")]},
            ValueError,
            "'a7': it occurs twice",
        ),
        ({"alarms": [3]}, TypeError, "Invalid alarm of type int"),
        ({"truth": [MINE]}, TypeError, "Invalid truth of type list"),
        ({"truth": make_truth(MINE, MINE)}, ValueError, "object 'T1': it occurs twice"),
        (
            {"truth": make_truth(make_target("T9", math.nan, 0))},
            ValueError,
            "Invalid easting of object 'T9' 'nan'",
        ),
        (
            {"truth": make_truth(make_target("T9", 0, 0, metal_class="some"))},
            ValueError,
            "Invalid metal_class of object 'T9' 'some'",
        ),
        ({"threshold": math.nan}, ValueError, "Invalid threshold 'nan'"),
        ({"coverage": 3}, TypeError, "Invalid coverage of type int"),
        ({"coverage": make_coverage(), "sensors": "emi"}, ValueError, "Invalid kind 'emi'"),
    ],
)
def test_bad_input_is_named(bad, error, message):
    """The error names the argument, shows its value and states the rule."""
    options = {"alarms": [], "truth": make_truth(MINE)} | bad
    with pytest.raises(error, match=message):
        match(options.pop("alarms"), options.pop("truth"), **options)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"kind": "drone"}, "Invalid kind 'drone'"),
        ({"kind": "fixed"}, "Invalid radius None. Must be given"),
        ({"radius": 0.0}, "Invalid radius '0.0'"),
        ({"ring": 0.9}, "Invalid ring '0.9'. Must be 1 or more"),
    ],
)
def test_bad_halo_is_named(bad, message):
    """So do the errors of a halo."""
    with pytest.raises(ValueError, match=message):
        Halo(**bad)
