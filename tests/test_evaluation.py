"""Test validation tiers: what is held out, what leaks, and what may be claimed."""

import dataclasses
import json
import math

import numpy as np
import pytest

from minesense.training import evaluate
from minesense.training.tiers import tier_splits


def make_table(seed=0, n_lanes=10, n=24, lane_effect=0.0, signal=2.0, n_mines=8):
    """
    Return the options of an evaluation.

    A lane has a mark of its own in the features, and with `lane_effect` its share of mines
    hangs on the lane: who knows the lane from training knows more than the features tell.
    """
    generator = np.random.default_rng(seed)
    lane = np.repeat(np.arange(n_lanes), n)
    chance = np.full(n_lanes, n_mines / n)
    if lane_effect:
        chance = 1 / (1 + np.exp(-lane_effect * generator.normal(size=n_lanes)))
    labels = generator.random(len(lane)) < chance[lane]
    mark = generator.normal(size=(n_lanes, 3))[lane] + 0.05 * generator.normal(
        size=(len(lane), 3)
    )
    signal = signal * labels + generator.normal(size=len(lane))
    return {
        "features": np.column_stack([signal, mark]),
        "labels": labels,
        "groups": {
            "lane": [f"lane {k}" for k in lane],
            "soil": [f"soil {k // 2}" for k in lane],
        },
        "emplacements": [f"mine {i}" if mine else "" for i, mine in enumerate(labels)],
        "is_synthetic": True,
        "kind": "logistic",
        "n_seeds": 2,
        "n_resamples": 100,
    }


def run(**options):
    """Evaluate the table with some options changed."""
    known = make_table() | options
    return evaluate(known.pop("features"), known.pop("labels"), **known)


def test_groups_are_required():
    """Pitfall 1: without groups, or with lanes alone, nothing is evaluated."""
    for groups in (None, {}, {"lane": ["A"] * 240}, {"soil": ["A"] * 240, "site": ["B"] * 240}):
        with pytest.raises(ValueError, match="Must hold 'lane' and another tier"):
            run(groups=groups)


def test_a_random_split_flatters():
    """Pitfall 1: on a table with lane effects, T1 beats T2, and says what it is."""
    # the share kept tells it on a table where lane by lane some clutter is rejected at all:
    # a threshold that rejects none keeps everything
    table = make_table(6, n_lanes=16, n=30, lane_effect=2.5, signal=0.7)
    result = run(**table | {"kind": "boosted", "show_leak": True, "n_seeds": 1, "n_folds": 4})
    random, lane = result.tiers["random"], result.tiers["lane"]
    assert random.figures["kept"].value > lane.figures["kept"].value
    assert random.figures["rejected"].value > lane.figures["rejected"].value + 0.2
    assert random.figures["brier"].value < lane.figures["brier"].value - 0.1
    assert random.figures["ece"].value < lane.figures["ece"].value
    assert result.leak > 0.02
    assert random.is_demonstration
    assert not lane.is_demonstration
    assert "demonstrates leakage only, supports no claim" in str(result)
    assert "leak of a random split" in str(result)
    with pytest.raises(ValueError, match="Invalid tier 'random' for a claim"):
        result.claim("random", "kept")


def test_passes_over_one_emplacement_stay_in_one_fold():
    """Pitfall 2: a mine passed over in two lanes cannot be held out lane by lane."""
    table = make_table()
    mines = np.flatnonzero(table["labels"])
    names = list(table["emplacements"])
    names[mines[-1]] = names[mines[0]]
    with pytest.raises(ValueError, match=f"'{names[mines[0]]}' has rows in folds"):
        run(emplacements=names)
    joined = [name if name != "lane 9" else "lane 0" for name in table["groups"]["lane"]]
    soils = [f"soil {name}" for name in joined]
    assert run(emplacements=names, groups={"lane": joined, "soil": soils}).tiers


def test_a_lane_of_two_sites_would_leak():
    """Rows of one lane in two folds of a tier are refused."""
    table = make_table()
    sites = [f"site {i % 2}" for i in range(240)]
    with pytest.raises(ValueError, match="'lane 0' has rows in folds"):
        run(groups=table["groups"] | {"site": sites})


def test_figures_read_off_the_test_are_no_claims():
    """Pitfall 3: rejection at no miss is tuned_on_test; the figures of training are not."""
    result = run(n_seeds=5)
    for name, figure in result.tiers["lane"].figures.items():
        assert figure.tuned_on_test == name.startswith("rejected_at")
    with pytest.raises(ValueError, match="'rejected_at_0' for a claim: tuned_on_test"):
        result.claim("soil", "rejected_at_0")
    assert result.claim("soil", "kept") == result.tiers["soil"].figures["kept"]
    assert "tuned_on_test: no claim" in str(result)
    with pytest.raises(ValueError, match="Invalid seeds for a claim: 2"):
        run().claim("lane", "kept")
    with pytest.raises(ValueError, match="Invalid tier 'site'"):
        result.claim("site", "kept")
    with pytest.raises(ValueError, match="Invalid figure 'auc'"):
        result.claim("lane", "auc")


def test_the_threshold_keeps_what_was_asked_for():
    """On many rows alike in all lanes, it keeps about 90 % of new mines and no more."""
    table = make_table(5, n_lanes=12, n=60, n_mines=25)
    result = run(**table | {"keep": 0.9, "n_seeds": 5})
    kept = result.claim("lane", "kept")
    assert kept.low < 0.9 < kept.high
    assert kept.seed_low <= kept.value <= kept.seed_high
    assert kept.seed_low < kept.seed_high  # folds are dealt anew for each seed
    fewer = run(**table | {"keep": 0.6, "n_seeds": 5})
    assert fewer.tiers["lane"].figures["kept"].value < 0.75
    more = fewer.tiers["lane"].figures["rejected"].value
    assert more > result.tiers["lane"].figures["rejected"].value


def test_the_worst_fold_is_told():
    """A soil whose mines look like clutter is the worst fold, and its name is printed."""
    table = make_table(6, n_lanes=10, n=40, signal=4.0)
    bad = np.array(table["groups"]["soil"]) == "soil 3"
    table["features"][bad & table["labels"], 0] -= 4.0
    result = run(**table)
    worst = result.tiers["soil"].worst
    assert worst.names == ("soil 3",)
    assert worst.kept < 0.5
    assert "worst fold: soil 3: kept" in str(result)
    assert sum(fold.n_mines for fold in result.tiers["soil"].folds) == table["labels"].sum()


def every_split(tier, table, **options):
    """Return the splits of a tier."""
    return tier_splits(
        tier,
        table["groups"],
        table["labels"],
        table["emplacements"],
        **({"n_folds": 3, "seed": 0} | options),
    )


@pytest.mark.parametrize("tier", ["lane", "soil"])
def test_groups_are_held_out_whole(tier):
    """No group is on both sides, and every row is tested once."""
    table = make_table()
    splits = every_split(tier, table)
    names = np.array(table["groups"][tier])
    for split in splits:
        assert not set(names[split.train]) & set(names[split.test])
        assert set(names[split.test]) == set(split.names)
    tested = np.concatenate([split.test for split in splits])
    assert sorted(tested) == list(range(240))
    other = every_split(tier, table, seed=1)
    assert [s.names for s in splits] != [s.names for s in other]
    again = every_split(tier, table)
    assert [s.names for s in splits] == [s.names for s in again]


def test_types_are_held_out_with_their_lanes():
    """Neither a tested type nor a tested lane is trained on; mines are tested once."""
    table = make_table()
    types = [f"type {i % 4}" if mine else "" for i, mine in enumerate(table["labels"])]
    table["groups"]["target_type"] = types
    splits = every_split("target_type", table)
    lanes, types, labels = np.array(table["groups"]["lane"]), np.array(types), table["labels"]
    for split in splits:
        assert not set(lanes[split.train]) & set(lanes[split.test])
        trained = set(types[split.train][labels[split.train]])
        assert not trained & set(types[split.test][labels[split.test]])
        assert not trained & set(split.names)
    tested = np.concatenate([split.test for split in splits])
    counts = np.bincount(tested, minlength=240)
    assert (counts[labels] == 1).all()
    assert (counts[~labels] == 3).all()  # once for each fold of types
    result = run(groups=table["groups"])
    assert result.tiers["target_type"].n_groups == 4
    assert result.tiers["target_type"].n_clutter == (~labels).sum()


def test_a_type_unlike_the_others_is_missed():
    """Its mines look like clutter to who has not seen it, and only to them."""
    table = make_table(8, n_lanes=10, n=60, n_mines=24, signal=3.0)
    labels = table["labels"]
    odd = labels & (np.arange(600) % 3 == 0)
    table["features"][odd, 0] -= 3.0
    table["features"] = np.column_stack([table["features"], 6.0 * odd])
    types = np.where(odd, "odd", np.where(np.arange(600) % 2, "one", "two"))
    table["groups"]["target_type"] = np.where(labels, types, "").tolist()
    result = run(**table | {"n_seeds": 1})
    assert result.tiers["target_type"].worst.names == ("odd",)
    assert result.tiers["target_type"].worst.kept < 0.4
    assert result.tiers["lane"].figures["kept"].value > 0.85


def with_types(table, shares, seed=0):
    """Return a table whose mines are of types with these shares, alike in their features."""
    types = np.random.default_rng(seed).choice(len(shares), len(table["labels"]), p=shares)
    names = [
        f"type {k}" if mine else "" for k, mine in zip(types, table["labels"], strict=True)
    ]
    return table | {"groups": table["groups"] | {"target_type": names}}


@pytest.mark.parametrize("shares", [[0.5, 0.5], [0.8, 0.1, 0.1], [0.1] * 10])
@pytest.mark.parametrize("is_noise", [False, True])
def test_types_held_out_leave_the_mix_as_it_is(shares, is_noise):
    """Features that tell nothing have a Brier score of p (1 - p), and no error but chance."""
    # a third of mines: no bin ends there, which would part the folds by their shares of mines
    table = with_types(make_table(9, n_lanes=20, n=40, n_mines=14), shares)
    noise = np.random.default_rng(1).normal(size=(800, 2))
    table["features"] = noise if is_noise else np.zeros((800, 1))
    result = run(**table | {"n_seeds": 1})
    found, lane = (result.tiers[tier].figures for tier in ("target_type", "lane"))
    base = table["labels"].mean()
    assert found["brier"].value == pytest.approx(base * (1 - base), rel=0.02)
    assert found["brier"].value == pytest.approx(lane["brier"].value, rel=0.02)
    assert found["ece"].value < 0.02
    assert found["ece"].low == 0.0


def test_types_alike_are_as_well_calibrated_as_lanes():
    """Where a type not seen looks like those that were, holding it out changes little."""
    table = with_types(make_table(9, n_lanes=20, n=60, n_mines=18), [0.6, 0.2, 0.2])
    result = run(**table)
    found, lane = (result.tiers[tier].figures for tier in ("target_type", "lane"))
    assert found["brier"].value == pytest.approx(lane["brier"].value, rel=0.03)
    assert abs(found["ece"].value - lane["ece"].value) < 0.01
    assert abs(found["kept"].value - lane["kept"].value) < 0.03
    assert abs(found["rejected"].value - lane["rejected"].value) < 0.05


def test_what_types_leave_out_is_counted():
    """Mines of other lanes that are not trained on, by split; none in other tiers."""
    table = with_types(make_table(), [0.5, 0.3, 0.2])
    lanes, labels = np.array(table["groups"]["lane"]), table["labels"]
    for split in every_split("target_type", table):
        others = np.flatnonzero(labels & ~np.isin(lanes, lanes[split.test]))
        mines = split.train[labels[split.train]]
        assert sorted([*mines, *split.left_out]) == others.tolist()
        assert {table["groups"]["target_type"][i] for i in split.left_out} <= set(split.names)
    assert all(not len(split.left_out) for split in every_split("lane", table))


def test_repeats_and_is_plain_json():
    """The same options give the same bytes; NaN is None; the label is there."""
    texts = [json.dumps(run(show_leak=True).to_dict(), allow_nan=False) for _ in range(2)]
    assert texts[0] == texts[1]
    assert json.loads(texts[0])["label"] == "SYNTHETIC"
    assert str(run()).startswith("SYNTHETIC data: says nothing")
    field = run(is_synthetic=False)
    assert "SYNTHETIC" not in str(field)
    assert math.isnan(field.leak)
    assert field.to_dict()["label"] == "FIELD"


def test_brier_and_calibration_are_those_of_the_held_out():
    """With a signal that is learnt, errors are small; noise does not beat the base."""
    table = make_table(9, n_lanes=12, n=60, n_mines=20)
    good = run(**table).tiers["lane"].figures
    assert good["ece"].value < 0.06
    assert good["brier"].value < 0.15
    noise = table | {"features": np.random.default_rng(0).normal(size=(720, 3))}
    poor = run(**noise).tiers["lane"].figures
    base = table["labels"].mean()
    assert poor["brier"].value > 0.97 * base * (1 - base)


@pytest.mark.parametrize("seed", [2, 4, 7, 9])
def test_a_figure_lies_within_its_limits(seed):
    """The calibration error too, which here is small and which drawing again makes large."""
    table = make_table(seed, n_lanes=20, n=40, n_mines=12, signal=1.5)
    for tier in run(**table | {"n_seeds": 1}).tiers.values():
        assert tier.figures["ece"].value < 0.03
        for name, figure in tier.figures.items():
            assert figure.low <= figure.value <= figure.high, name


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"emplacements": None}, "Invalid emplacements: None"),
        ({"emplacements": ["m"] * 240}, "clutter, has 'm'. Must be named for mines"),
        ({"emplacements": [""] * 240}, "a mine, has ''"),
        ({"features": np.zeros((3, 2))}, "Invalid features with shape"),
        ({"features": np.full((240, 2), np.inf)}, "features: row 0 is infinite"),
        ({"weights": [1.0]}, "Invalid weights with shape"),
        ({"keep": 1.0}, "Invalid keep"),
        ({"n_folds": 1}, "Invalid n_folds"),
        ({"n_seeds": 0}, "Invalid n_seeds"),
        ({"groups": {"lane": ["A"] * 240, "site": ["S"] * 240}}, "tier 'lane': 1 names"),
        ({"groups": {"lane": ["A"] * 3, "site": ["S"] * 3}}, "tier 'lane': 3 names. Must be"),
        ({"groups": {"lane": ["A"], "random": ["S"]}}, "3 names|Invalid groups of tier 'lane'"),
        (
            {"groups": {"lane": make_table()["groups"]["lane"], "site": [np.nan] * 240}},
            "tier 'site': 0 names, 240 rows without one",
        ),
        (
            {"groups": make_table()["groups"] | {"planet": ["x"] * 240}},
            "Invalid tier 'planet'",
        ),
        ({"labels": np.zeros(240, bool)}, "clutter, has"),
    ],
)
def test_bad_input_is_named(bad, message):
    """The error names the argument, shows its value and states the rule."""
    with pytest.raises(ValueError, match=message):
        run(**bad)


def test_rows_under_other_names_are_refused():
    """Held out, each would be known by its copy."""
    table = make_table()
    groups = {
        tier: [*names, *(f"copy of {name}" for name in names)]
        for tier, names in table["groups"].items()
    }
    owners = [*table["emplacements"], *(x and f"copy of {x}" for x in table["emplacements"])]
    with pytest.raises(ValueError, match=r"are rows of lane .* as well"):
        run(
            features=np.tile(table["features"], (2, 1)),
            labels=np.tile(table["labels"], 2),
            groups=groups,
            emplacements=owners,
        )


def test_a_result_is_not_changed_by_hand():
    """Records are frozen: a tag cannot be taken off."""
    figure = run().tiers["lane"].figures["rejected_at_0"]
    with pytest.raises(dataclasses.FrozenInstanceError):
        figure.tuned_on_test = False
