"""Test the score of alarms: what is counted, what is left out, and how it is shown."""

import json
import math

import numpy as np
import pytest
from fields import make_alarm, make_clutter, make_coverage, make_target, make_truth
from hypothesis import given, settings
from hypothesis import strategies as st

from minesense.score import Halo, clopper_pearson, poisson_rate, score, scored_ground

TRUTH = make_truth(
    make_target("T1", 0.0, 2.0),
    make_target("T2", 0.0, 4.0, metal_class="none", depth=0.02),
    make_target("T3", 0.0, 8.0, metal_class="high", depth=0.12, kind="plate"),
    make_clutter("C1", 0.0, 5.0),
    make_clutter("C2", 0.0, 3.0, "stone"),
)
ALARMS = [
    make_alarm(0.0, 2.0, 5.0),
    make_alarm(0.05, 2.0, 4.0),
    make_alarm(0.0, 5.05, 3.0),
    make_alarm(0.3, 1.0, 2.0),
    make_alarm(0.0, 4.2, 1.5),  # in the ring of T2
    make_alarm(0.0, 4.0, 1.0),
]


def test_every_figure_of_a_small_field():
    """A lane swept over 6 of 10 m, counted by hand."""
    result = score(ALARMS, TRUTH, make_coverage(6.0), threshold=1.5)
    swept, total, rate = result.pd_swept, result.pd_total, result.false_alarms
    assert (swept.k, swept.n) == (1, 2)
    assert (swept.value, swept.low, swept.high) == clopper_pearson(1, 2)
    assert (total.k, total.n) == (1, 3)
    assert rate.count == 2
    assert (rate.value, rate.low, rate.high) == poisson_rate(2, rate.area)
    assert result.outside == {"ring": 1}
    assert [result.count(f"{how}_swept") for how in ("missed", "partly", "never")] == [1, 0, 1]
    assert [(c.kind, c.n, c.n_alarmed, c.n_alarms) for c in result.clutter] == [
        ("can", 1, 1, 1),
        ("stone", 1, 0, 0),
    ]
    areas = result.areas
    assert areas["observed"] + areas["not_observed"] == pytest.approx(10.0)
    assert areas["observed"] == pytest.approx(6.5, abs=0.1)
    assert areas["halo"] == pytest.approx(2 * math.pi * 0.15**2, rel=0.15)  # six cells across
    assert areas["ring"] == pytest.approx(2 * math.pi * (0.3**2 - 0.15**2), rel=0.15)
    kept = areas["observed"] - areas["halo"] - areas["ring"]
    assert rate.area == areas["scored"] == pytest.approx(kept)
    assert result.not_observed == {"NOT_SWEPT": areas["not_observed"]}


def test_without_a_threshold_every_alarm_counts():
    """One that is below the threshold of the test before finds T2."""
    assert score(ALARMS, TRUTH, make_coverage(6.0)).pd_swept.k == 2


def test_the_curve_knows_no_threshold():
    """It holds all alarms, whatever the operating point."""
    coverage = make_coverage(6.0)
    result = score(ALARMS, TRUTH, coverage, threshold=4.5)
    assert result.curve.n_detected[-1] == 2
    assert score(ALARMS, TRUTH, coverage, curve=False).curve is None


def test_sensors_decide_what_is_observed():
    """Ground seen by the radar alone is swept for any, not for all."""
    coverage = make_coverage(6.0, kinds=("emi", "gpr"))
    both = score(ALARMS, TRUTH, coverage, sensors="all")
    assert both.false_alarms == score(ALARMS, TRUTH, coverage, sensors="any").false_alarms
    with pytest.raises(ValueError, match="Invalid kind 'emi'"):
        score(ALARMS, TRUTH, make_coverage(6.0), sensors="emi")


@given(extra=st.integers(1, 3))
def test_area_without_alarms_dilutes_the_rate(extra):
    """Pitfall 14: k more lanes of the same size divide the rate; Pd stays."""
    alarms = [make_alarm(0.3, 1.0 + k, 1.0) for k in range(4)]
    truth = make_truth()
    one = score(alarms, truth, make_coverage(10.0), curve=False)
    more = score(alarms, truth, make_coverage(*[10.0] * (1 + extra)), curve=False)
    assert one.false_alarms.value == pytest.approx(0.4)
    ratio = more.false_alarms.value / one.false_alarms.value
    assert ratio == pytest.approx(1 / (1 + extra), rel=1e-12)


def test_a_halo_takes_its_area_and_its_alarms():
    """Pitfall 14: a wider ring changes area and count together."""
    alarms = [make_alarm(0.0, 2.4, 1.0), make_alarm(0.0, 9.0, 1.0)]
    truth = make_truth(make_target("T1", 0.0, 2.0))
    narrow = score(alarms, truth, make_coverage(), halo=Halo(ring=2.0))
    wide = score(alarms, truth, make_coverage(), halo=Halo(ring=3.0))
    assert (narrow.false_alarms.count, wide.false_alarms.count) == (2, 1)
    lost = narrow.false_alarms.area - wide.false_alarms.area
    assert lost == pytest.approx(math.pi * (0.45**2 - 0.30**2), rel=0.05)


@settings(max_examples=20)
@given(copies=st.integers(1, 4), order=st.randoms(use_true_random=False))
def test_duplicates_and_order_change_nothing(copies, order):
    """Pitfall 12: alarms repeated in a halo, in any order, leave every count."""
    expected = score(ALARMS, TRUTH, make_coverage(6.0))
    more = [
        make_alarm(0.01 * k, 2.0, 1.0 - 0.1 * k, identifier=f"copy {k}")
        for k in range(1, copies + 1)
    ]
    alarms = [*ALARMS, *more]
    order.shuffle(alarms)
    result = score(alarms, TRUTH, make_coverage(6.0))
    assert (result.pd_swept, result.pd_total) == (expected.pd_swept, expected.pd_total)
    assert result.false_alarms == expected.false_alarms
    np.testing.assert_array_equal(result.curve.pd, expected.curve.pd)
    ordered = score([*ALARMS, *more], TRUTH, make_coverage(6.0))
    assert json.dumps(result.to_dict()) == json.dumps(ordered.to_dict())


def make_strata(metal, plastic):
    """Return truth and alarms: (found, all) of metal and of plastic, in a row each."""
    objects, alarms = [], []
    for name, x, metal_class, (found, n) in [
        ("M", 0.0, "medium", metal),
        ("P", 1.0, "none", plastic),
    ]:
        for k in range(n):
            place = (x, 0.5 + 0.5 * k)
            objects.append(make_target(f"{name}{k:03d}", *place, metal_class=metal_class))
            if k < found:
                alarms.append(make_alarm(*place, 1.0 + k))
    return make_truth(*objects), alarms


def test_plastic_does_not_hide_behind_metal():
    """Pitfall 21: 90 of 90 and 1 of 10: the worst stratum leads, an empty one forbids."""
    truth, alarms = make_strata((90, 90), (1, 10))
    result = score(alarms, truth, make_coverage(50.0, 50.0, length=50.0), curve=False)
    assert (result.pd_swept.k, result.pd_swept.n) == (91, 100)
    assert (result.worst.group, result.worst.name) == ("metal", "no metal")
    assert (result.worst.swept.k, result.worst.swept.n) == (1, 10)
    assert result.worst.claim == ""
    assert result.no_claim == ("metal = low metal (n = 0)",)
    lines = str(result).splitlines()
    assert lines[0] == "SYNTHETIC data: says nothing about performance in the field."
    assert "No overall claim" in lines[1]
    worst = "Worst stratum: metal = no metal: Pd | swept 0.100  0.003 to 0.445      1 of 10"
    assert lines[2] == worst
    assert lines.index(worst) < next(
        i for i, s in enumerate(lines) if s.startswith("Pd | swept")
    )


def test_few_targets_allow_no_claim():
    """Nine targets are marked, ten are not."""
    for n, claim in [(9, "n<10: no claim"), (10, "")]:
        truth, alarms = make_strata((n, n), (n, n))
        result = score(alarms, truth, make_coverage(10.0, 10.0), curve=False)
        strata = {(s.group, s.name): s for s in result.strata}
        assert strata["metal", "no metal"].claim == claim
        assert ("n<10: no claim" in str(result).split("by metal class")[1].split("by")[0]) is (
            n == 9
        )


def test_no_miss_is_a_lower_bound():
    """Pitfall 16: 10 of 10 reads 0.692 or more, never 1 and never 100 %."""
    truth, alarms = make_strata((10, 10), (10, 10))
    result = score(alarms, truth, make_coverage(10.0, 10.0), curve=False)
    text = str(result)
    assert "  metal                   >= 0.692  0.692 to 1          10 of 10" in text
    assert ">= 0.832" in text  # 20 of 20
    assert "1.000" not in text
    assert "100 %" not in text
    assert score(
        alarms, truth, make_coverage(10.0, 10.0), curve=False, is_capped=True
    ).is_capped


def test_a_cap_is_shown():
    """Pitfall 11: a cap on alarms makes every Pd a lower bound, and the table says so."""
    result = score(ALARMS, TRUTH, make_coverage(6.0), is_capped=True)
    assert "Alarms were capped: every Pd is a lower bound." in str(result)
    assert result.to_dict()["is_capped"] is True
    assert "capped" not in str(score(ALARMS, TRUTH, make_coverage(6.0)))


def test_depth_bands_include_their_upper_neighbour():
    """Bands are 0-5, 5-10, 10-20 cm and deeper; a limit belongs to the deeper band."""
    depths = {0.0: "0-5 cm", 0.049: "0-5 cm", 0.05: "5-10 cm", 0.1: "10-20 cm", 0.2: ">20 cm"}
    for depth, name in depths.items():
        truth = make_truth(make_target("T1", 0.0, 2.0, depth=depth))
        result = score([], truth, make_coverage(), curve=False)
        assert [s.name for s in result.strata if s.group == "depth"] == [name]


def test_metal_classes_are_grouped():
    """Medium and high are metal, minimum and low are low metal."""
    names = ("high", "medium", "low", "minimum", "none")
    objects = [make_target(n, 0.0, 1.0 + k, metal_class=n) for k, n in enumerate(names)]
    result = score([], make_truth(*objects), make_coverage(), curve=False)
    groups = {s.name: s.total.n for s in result.strata if s.group == "metal"}
    assert groups == {"metal": 2, "low metal": 2, "no metal": 1}


def test_dispersion_between_lanes():
    """Even lanes have none; all alarms in one of four lanes give k (n - 1) / (n - 1) = k."""
    coverage, truth = make_coverage(10.0, 10.0, 10.0, 10.0), make_truth()
    even = [make_alarm(float(k), 2.0 + i) for k in range(4) for i in range(3)]
    assert score(even, truth, coverage).dispersion == pytest.approx(0)
    one = [make_alarm(0.0, 0.5 + 0.5 * i) for i in range(12)]
    assert score(one, truth, coverage).dispersion == pytest.approx(12)
    assert math.isnan(score(one, truth, make_coverage(10.0)).dispersion)


def test_record_is_json_and_repeats():
    """The same score gives the same bytes: keys sorted, six digits, nothing infinite."""
    rng = np.random.default_rng
    texts = []
    for _ in range(2):
        result = score(ALARMS, TRUTH, make_coverage(6.0), threshold=1.0, rng=rng(1))
        texts.append(json.dumps(result.to_dict(), allow_nan=False))
    assert texts[0] == texts[1]
    found = json.loads(texts[0])
    assert json.dumps(found, sort_keys=True) == texts[0]
    assert found["label"] == "SYNTHETIC"
    assert found["pd_swept"]["k"] == 2
    assert found["targets"][2]["score"] is None
    assert found["halo"] == {"kind": "handheld", "radius": 0.1, "ring": 2.0}
    assert found["pd_total"]["value"] == 0.666667


def test_places_keep_their_digits():
    """Map coordinates are rounded to 0.1 mm, not to six digits."""
    far = [make_alarm(512345.12342, 4412345.12348)]
    found = score(far, TRUTH, make_coverage(6.0)).to_dict()["alarms"][0]
    assert (found["easting"], found["northing"]) == (512345.1234, 4412345.1235)


def test_field_data_carry_no_label():
    """SYNTHETIC is said of synthetic data, and of nothing else."""
    truth = make_truth(make_target("T1", 0.0, 2.0), is_synthetic=False)
    result = score([], truth, make_coverage())
    assert "SYNTHETIC" not in str(result)
    assert result.to_dict()["label"] == "FIELD"


def test_nothing_buried_is_not_tested():
    """Without targets there is no Pd, and the table says so."""
    result = score([], make_truth(), make_coverage())
    assert result.pd_swept.n == 0
    assert result.worst is None
    assert "not tested" in str(result)
    assert result.to_dict()["pd_swept"]["value"] is None


def test_no_word_of_promise():
    """Neither the table nor the record calls anything safe, clear, cleared or free."""
    result = score(ALARMS, TRUTH, make_coverage(6.0))
    words = (str(result) + json.dumps(result.to_dict())).lower()
    for word in ("safe", "clear", "free"):
        assert word not in words


def test_ground_must_be_left_to_score():
    """Without observed ground, or with halos on all of it, there is no rate."""
    with pytest.raises(ValueError, match="of 0 m2 observed by 'any', none lies outside"):
        score([], TRUTH, make_coverage(0.0))
    crowd = make_truth(make_target("T1", 0.0, 5.0, diameter=11.0))
    with pytest.raises(ValueError, match="none lies outside halos and rings"):
        score([], crowd, make_coverage())


@pytest.mark.parametrize(
    ("bad", "error", "message"),
    [
        ({"threshold": math.nan}, ValueError, "Invalid threshold 'nan'"),
        ({"confidence": 95}, ValueError, "Invalid confidence '95.0'"),
        ({"rng": 1}, TypeError, r"Invalid rng 1. Must be a numpy.random.Generator"),
    ],
)
def test_bad_input_is_named(bad, error, message):
    """The error names the argument, shows its value and states the rule."""
    with pytest.raises(error, match=message):
        score(ALARMS, TRUTH, make_coverage(6.0), **bad)


def test_scored_ground_matches_the_slow_version():
    """Cell by cell: observed, and farther from every target than the ring."""
    coverage = make_coverage(6.0, 3.0)
    ground = scored_ground(TRUTH, coverage)
    expected = np.zeros(coverage.shape, bool)
    for row, column in np.ndindex(*coverage.shape):
        x = coverage.origin[0] + (column + 0.5) * coverage.cell
        y = coverage.origin[1] + (row + 0.5) * coverage.cell
        away = min(math.hypot(x - t.easting, y - t.northing) for t in TRUTH.targets)
        seen = coverage.observed["gpr"][row, column] and coverage.wanted[row, column]
        expected[row, column] = seen and away > 0.3 + 1e-9
    np.testing.assert_array_equal(ground.mask, expected)
    assert ground.scored == pytest.approx(expected.sum() * coverage.cell**2)
    assert sum(ground.lane_areas.values()) == pytest.approx(ground.scored)
