"""Test the benchmark as a whole on a field of a few lanes, its files and its command."""

import contextlib
import copy
import dataclasses
import io
import json
import math
from types import SimpleNamespace

import numpy as np
import numpy.testing as npt
import pytest
from bench_plans import tiny_plan

from minesense import cli
from minesense.bench import (
    PARTS,
    TESTS,
    AlarmFile,
    Found,
    Screens,
    Secret,
    benchmark_plan,
    commitment,
    compare_results,
    format_comparison,
    format_results,
    make_survey,
    new_entrant,
    plan_truth,
    plot_seed,
    read_results,
    read_secret,
    reveal,
    run_benchmark,
    true_coverage,
    without_times,
    write_secret,
)
from minesense.bench.rejection import judge_own_places
from minesense.bench.results import CONTENT, content_sha256, outcomes_from_json
from minesense.bench.surveys import part_of
from minesense.detect import RECIPES
from minesense.frame import Frame
from minesense.io import write_csv, write_geojson
from minesense.sweep import Quality

SEED = 2**61 + 8  # as long as a sealed one


class Oracle:
    """An entrant that cheats: it is told the truth by the test."""

    name = "oracle"
    truth: dict = {}  # noqa: RUF012, set by the test
    taught: dict = {}  # noqa: RUF012, what it was given to learn from

    def train(self, sweeps, truth, *, area, seed, workers):
        """Learn nothing, and keep which lanes there were."""
        Oracle.taught = {
            "swept": {sweep.lane for sweep in sweeps},
            "known": {target.lane for target in truth.targets},
            "area": {item[-1] for item in area},
        }

    def detect(self, sweeps, *, area):
        """Return an alarm on every target, in order."""
        from fields import make_alarm  # noqa: PLC0415

        part = part_of(area[0][-1])
        alarms = [
            make_alarm(t.easting, t.northing, 2.0, identifier=t.identifier, lane=t.lane)
            for t in self.truth[part].targets
        ]
        return Found(ranked=alarms, threshold=1.0)


class Fence(Oracle):
    """An entrant that sees no sample: a mark every 4 cm beside each border of a lane."""

    name = "fence"

    def detect(self, sweeps, *, area):
        """Return marks a millimetre outside, where none can be false."""
        from fields import make_alarm  # noqa: PLC0415

        alarms = [
            make_alarm(east, north, 2.0, lane=lane)
            for west, south, end, top, lane in area
            for east in (west - 0.001, end + 0.001)
            for north in np.arange(south, top, 0.04)
        ]
        return Found(ranked=alarms, threshold=1.0)


class Refuses(Oracle):
    """An entrant that cannot be trained."""

    name = "refuses"

    def train(self, sweeps, truth, *, area, seed, workers):
        """Refuse."""
        msg = "Invalid sweeps: too\nfew."
        raise ValueError(msg)


@pytest.fixture(scope="module")
def plan():
    """Return the small plan."""
    return tiny_plan()


@pytest.fixture(scope="module")
def results(plan):
    """Run all baselines and two entrants of our own, once."""
    Oracle.truth = {part: plan_truth(plan, part, seed=SEED) for part in (*TESTS, "faulty")}
    screens = Screens()
    names = ("full", "radar", "metal_detector", "energy", "coil_signal", "random", "dowsing")
    entrants = [*(new_entrant(name, screens) for name in names), Oracle(), Refuses()]
    found = run_benchmark(
        plan,
        seed=SEED,
        entrants=entrants,
        screens=screens,
        workers=2,
        n_resamples=100,
        commitment="c" * 64,
    )
    return json.loads(json.dumps(found, allow_nan=False))


def run(*words):
    """Return exit code, standard output and standard error of one command."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = cli.main([str(word) for word in words])
        except SystemExit as stop:
            code = stop.code or 0
    return SimpleNamespace(code=code, out=out.getvalue(), err=err.getvalue())


# -- scenarios -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "digest"),
    [
        ("quick", "f22fd3721d81e7ab1e119560663df8a899b5eabaecb5d72c3e2fd7dee489f574"),
        ("full", "78cd6f1f6469ccb4e6272952823d0d1d5b9594867064eaf2d00c6580b5d58047"),
    ],
)
def test_scenarios_of_a_version_never_change(size, digest):
    """If this fails, results no longer compare: raise VERSION, then pin the new digests."""
    assert benchmark_plan(size).sha256 == digest


@pytest.mark.parametrize("size", ["quick", "full"])
def test_splits_share_neither_soils_nor_types(size):
    """Soil out has other soils and the same targets; type out the other way round."""
    plan = benchmark_plan(size)
    recipe = {part: plan.plots_of(part)[0].scenario for part in ("training", *TESTS)}
    home, soil, kind = recipe["training"], recipe["soil_out"], recipe["type_out"]
    assert recipe["lane_out"] == home
    assert not set(soil.ground.soils) & set(home.ground.soils)
    assert soil.targets.kinds == home.targets.kinds
    assert kind.ground.soils == home.ground.soils
    assert not set(kind.targets.kinds) & set(home.targets.kinds)


def test_the_full_size_is_as_large_as_is_claimed():
    """At least 300 mines and 5,000 m2 of tests; test pieces without metal are no mines."""
    plan = benchmark_plan("full")
    lanes = {
        part: sum(plot.scenario.lanes.blind for plot in plan.plots_of(part)) for part in TESTS
    }
    assert sum(lanes.values()) * 20 >= 5000
    mines = [
        item
        for item in plan_truth(plan, "lane_out", seed=1).targets
        if not item.kind.startswith("simulant")
    ]
    assert len(mines) >= 300


def test_fields_have_seeds_of_their_own():
    """That change with seed, field and version."""
    seeds = {
        plot_seed(seed, plot, version=version)
        for seed in (1, 2)
        for plot in ("a", "b")
        for version in ("1", "2")
    }
    assert len(seeds) == 8
    with pytest.raises(ValueError, match="Must be at least 0"):
        plot_seed(-1, "a")


# -- surveys -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def faulty(plan):
    """Sweep the lanes with faults."""
    return make_survey(plan, "faulty", seed=SEED)


def test_sweeps_tell_nothing_of_the_seed(faulty):
    """Neither the benchmark's nor that of the field, or an entrant could make the truth."""
    words = " ".join(line for sweep in faulty.sweeps for line in sweep.history[:-1])
    assert "SYNTHETIC" in words
    assert not any(character.isdigit() for character in words)
    assert all(sweep.lane.startswith("faulty/") for sweep in faulty.sweeps)


def test_truth_lies_in_the_lanes_it_names(plan):
    """Fields lie side by side; a target is in the rectangle of its lane."""
    survey = make_survey(plan, "lane_out", seed=SEED, workers=2)
    area = {item[-1]: item[:4] for item in survey.area}
    assert set(area) == set(survey.lanes) == {sweep.lane for sweep in survey.sweeps}
    assert survey.truth.targets
    for target in survey.truth.targets:
        west, south, east, north = area[target.lane]
        assert west <= target.easting <= east
        assert south <= target.northing <= north
    for sweep in survey.sweeps:
        west, _, east, _ = area[sweep.lane]
        assert west - 0.3 < np.nanmedian(sweep.position[:, 0]) < east + 0.3


def test_lost_ground_is_known_and_not_flagged(faulty):
    """A hole leaves traces out; what was lost is not observed by the truth."""
    assert {fact.loss for fact in faulty.lanes.values()} == {"hole", "radar off", "coils off"}
    assert not any((sweep.quality & Quality.GAP).any() for sweep in faulty.sweeps)
    true = true_coverage(faulty)
    by_loss = {fact.loss: name for name, fact in faulty.lanes.items()}
    area = {kind: true.lane_areas(kind) for kind in ("gpr", "emi")}
    assert area["gpr"][by_loss["radar off"]] < 0.7 * area["emi"][by_loss["radar off"]]
    assert area["emi"][by_loss["coils off"]] < 0.7 * area["gpr"][by_loss["coils off"]]
    hole = by_loss["hole"]
    assert max(area[kind][hole] for kind in area) < 0.85 * 3.0
    with pytest.raises(ValueError, match="Must be of 'faulty'"):
        true_coverage(dataclasses.replace(faulty, as_it_was=()))


# -- results -------------------------------------------------------------------------------


def test_everything_is_labelled(results):
    """And holds what is needed to make it again; a sealed seed is not told."""
    assert results["data_kind"] == "SYNTHETIC"
    assert str(SEED) not in json.dumps(results)
    assert results["benchmark"]["seed"] is None
    assert set(results["data"]) == set(PARTS)
    assert {"numpy", "numba", "scikit-learn", "python"} <= set(results["environment"])
    assert len(results["code"]["sha256"]) == 64
    text = format_results(results)
    assert "SYNTHETIC" in text
    assert "sealed seed" in text


def test_lessons_are_taught_and_are_no_lanes_of_the_area(results, plan):
    """What a threshold is set by lies in the area alone; the truth of both is told."""
    lanes = Oracle.taught
    parts = {name: {part_of(lane) for lane in found} for name, found in lanes.items()}
    assert parts["swept"] == parts["known"] == {"training", "lessons"}
    assert parts["area"] == {"training"}
    assert results["data"]["lessons"]["n_lanes"] == 1
    full = benchmark_plan("full")
    dense = {plot.scenario.layout.density for plot in full.plots_of("lessons")}
    assert min(dense) > max(
        plot.scenario.layout.density
        for part in ("training", *TESTS)
        for plot in full.plots_of(part)
    )


def test_no_false_claim_is_told_with_what_it_proves(results):
    """Resampled lanes without one have none: the exact limit of the number of lanes is told."""
    entries = results["tracks"]["D"]["entrants"]
    none = [
        found
        for entry in entries.values()
        for found in entry.values()
        if not sum(lane["falsely_claimed"] for lane in found["lanes"].values())
    ]
    assert none
    n = len(none[0]["lanes"])
    assert f"none of {n} lanes" in format_results(results)
    assert f"{1 - 0.05 ** (1 / n):.3f} or less" in format_results(results)


def test_marks_around_lanes_find_nothing(plan):
    """They cannot be false; the halos of mines at the border reach them."""
    found = run_benchmark(plan, seed=SEED, tracks=("A",), entrants=[Fence()], n_resamples=20)
    for part in TESTS:
        entry = found["tracks"]["A"]["parts"][part]["entrants"]["fence"]
        assert entry["at_threshold"]["pd_swept"]["k"] == 0
        assert entry["at_threshold"]["false_alarms"]["count"] == 0
        assert entry["at_threshold"]["outside"]["not observed"] > 100


def test_an_oracle_is_first_and_chance_is_last(results):
    """Pd 1 without a false alarm; the detector beats chance, dowsing does not."""
    track = results["tracks"]["A"]
    assert track["all"]["ranks"]["oracle"] == 1
    assert track["all"]["readings"]["oracle"]["pauc_1"]["value"] == 1
    full, random = (track["all"]["readings"][n]["pauc_1"] for n in ("full", "random"))
    assert full["low"] > random["high"]
    assert not track["all"]["leak"]["leaks"]
    for part in TESTS:
        entry = track["parts"][part]["entrants"]["oracle"]
        assert entry["at_threshold"]["pd_swept"]["value"] == 1
        assert entry["at_threshold"]["false_alarms"]["count"] == 0
        groups = {s["group"] for s in entry["at_threshold"]["strata"]}
        assert {"metal", "depth", "soil", "clutter"} <= groups
        b = results["tracks"]["B"]["parts"][part]
        assert b["entrants"]["oracle"]["rejected_at_0_missed"]["value"] == 1
        own = b["own_places"]["oracle"]
        assert (
            own["noticed"]["k"] == own["noticed"]["n"] == entry["at_threshold"]["pd_swept"]["n"]
        )
        # of prescreeners that ran, none is held against itself
        assert set(b["against_prescreeners"]) == {"energy"}
        saved = b["against_prescreeners"]["energy"]
        assert set(saved) == set(b["own_places"]) - {"energy"}
        *_, everything = saved["oracle"]
        assert everything["rejected"]["value"] in (1, None)  # none where energy has none
        assert everything["pd"]["value"] == pytest.approx(
            b["own_places"]["energy"]["noticed"]["value"]
        )


def test_who_is_left_out_and_why(results):
    """One that cannot be trained; those that claim no coverage, of track D."""
    reasons = {(x["entrant"], x["part"]): x["reason"] for x in results["exclusions"]}
    assert reasons["refuses", "training"] == "Invalid sweeps: too few."
    assert reasons["random", "faulty"] == "it claims no coverage"
    assert "refuses" not in results["tracks"]["A"]["all"]["readings"]


def test_the_library_claims_nothing_that_it_did_not_observe(results):
    """Less than a hundredth of the lost ground, but it says that it lost more than it did."""
    found = results["tracks"]["D"]["entrants"]["full"]
    assert found["gpr"]["falsely_claimed"]["value"] < 0.01
    assert found["gpr"]["m2"]["not_claimed"] > 0
    assert found["emi"]["not_claimed"]["value"] < 0.2
    assert found["any"]["m2"]["observed"] < found["any"]["m2"]["wanted"]


@pytest.mark.slow
def test_the_same_run_gives_the_same_bytes(plan, results):
    """Whatever the number of threads."""

    def once(workers):
        found = run_benchmark(
            plan, seed=3, tracks=("A",), entrants=[new_entrant("random")], workers=workers,
            n_resamples=20,
        )  # fmt: skip
        return json.dumps(without_times(found), sort_keys=True)

    assert once(1) == once(2)


# -- comparing -----------------------------------------------------------------------------


def test_a_run_compared_with_itself_is_no_worse(results, tmp_path):
    """Code 0, and it says so."""
    found = compare_results(results, results, n_resamples=50)
    assert not found.is_regression
    assert "nothing changed" in format_comparison(found)
    path = tmp_path / "a.json"
    path.write_text(json.dumps(results))
    done = run("bench", "--compare", path, path)
    assert (done.code, done.err) == (0, "")
    assert "No regression." in done.out


def test_what_is_gone_is_a_regression(results, tmp_path):
    """An entrant, a part, targets or ground that was lost; not what was never asked for."""

    def without(change):
        less = copy.deepcopy(results)
        change(less["tracks"], less["configuration"])
        return compare_results(results, less, n_resamples=20)

    def drop_entrant(tracks, _):
        for part in tracks["A"]["parts"].values():
            for table in ("entrants", "outcomes"):
                part[table].pop("full")

    found = without(drop_entrant)
    assert found.is_regression
    assert "full in lane_out of track A" in found.gone
    assert "GONE: full in lane_out" in format_comparison(found)
    found = without(lambda tracks, _: tracks["A"]["parts"].pop("soil_out"))
    assert found.gone == ("soil_out of track A",)
    found = without(lambda tracks, _: tracks.pop("D"))
    assert found.gone == ("track D",)

    def drop_targets(tracks, _):
        part = tracks["A"]["parts"]["lane_out"]
        part["targets"] = part["targets"][:3]
        part["areas_m2"]["scored"] *= 0.9
        for outcomes in part["outcomes"].values():
            for name in ("target_lanes", "target_scores", "detected"):
                outcomes[name] = outcomes[name][:3]

    found = without(drop_targets)
    assert len(found.gone) == 2
    assert "swept targets of lane_out" in found.gone[0]
    assert "m2 scored of lane_out" in found.gone[1]

    def ask_for_less(tracks, configuration):
        drop_entrant(tracks, None)
        for part in tracks["B"]["parts"].values():
            for table in ("entrants", "scores"):
                part[table].pop("full")
        tracks["D"]["entrants"].pop("full")
        configuration["entrants"].remove("full")

    found = without(ask_for_less)
    assert not found.gone
    assert any("did not run: full" in note for note in found.notes)


def test_promises_are_held_against_new_lanes(results):
    """With what the same detector would find at the promised threshold; or why it cannot."""
    for part in TESTS:
        promises = results["tracks"]["A"]["parts"][part]["promises"]
        assert set(promises) == {"full", "radar", "metal_detector", "energy", "coil_signal"}
        for entries in promises.values():
            assert [entry["stated"] for entry in entries] == [0.05, 0.1, 0.2]
            for entry in entries:
                if "not_promised" in entry:
                    assert "cannot certify below" in entry["not_promised"]
                    continue
                mean = entry["mean_miss_rate"]
                assert (
                    0 <= mean["low"] <= mean["high"] <= entry["lane_miss_rate"]["worst"] + 1e-9
                )
                assert entry["certified"] <= entry["stated"]


def spoil(results, name="full"):
    """Return results in which one entrant finds nothing in any test."""
    worse = copy.deepcopy(results)
    for part in worse["tracks"]["A"]["parts"].values():
        outcomes = part["outcomes"][name]
        outcomes["target_scores"] = [None] * len(outcomes["target_scores"])
        outcomes["detected"] = [0] * len(outcomes["detected"])
    return worse


def test_places_of_their_own_are_compared(results):
    """Both tables of track B, with limits of what changed; who finds no mine has no figure."""
    worse, first = spoil(results), next(iter(TESTS))
    outcomes = worse["tracks"]["A"]["parts"][first]["outcomes"]["radar"]
    lowest = min(score for score in outcomes["target_scores"] if score is not None)
    outcomes["false_scores"] = [lowest + 1.0] * len(outcomes["false_scores"])
    found = compare_results(results, worse, n_resamples=50)
    rows = {(row.part, row.entrant, row.figure): row for row in found.rows if row.track == "B"}
    for part in TESTS:
        b = results["tracks"]["B"]["parts"][part]
        for name in b["own_places"]:
            # files hold nine digits, and to these two scores may be one
            held = outcomes_from_json(results["tracks"]["A"]["parts"][part]["outcomes"][name])
            entry = judge_own_places(held, n_resamples=10)
            for figure in ("rejected_at_0_missed", "rejected_at_1_missed"):
                own = rows[part, name, f"own_{figure}"].difference
                given = rows[part, name, figure].difference
                npt.assert_allclose(own.first, number(entry[figure]["value"]), atol=1e-9)
                value = number(b["entrants"][name][figure]["value"])
                npt.assert_allclose(given.first, value, atol=1e-9)
    row = rows[first, "radar", "own_rejected_at_0_missed"]
    assert row.difference.second == 0
    assert row.difference.low <= row.difference.value <= row.difference.high
    assert np.isnan(rows[first, "full", "own_rejected_at_0_missed"].difference.second)
    assert not any(row.track == "B" for row in found.regressions)


def number(value):
    """Return a figure of a results file, in which None stands for none."""
    return np.nan if value is None else value


def test_a_worse_run_is_a_regression(results, tmp_path):
    """Code 1; the other way round it is progress."""
    worse = spoil(results)
    found = compare_results(results, worse, n_resamples=50)
    assert {row.entrant for row in found.regressions} == {"full"}
    assert not compare_results(worse, results, n_resamples=50).regressions
    for name, document in (("a", results), ("b", worse)):
        whole = document | {CONTENT: content_sha256(document)}
        (tmp_path / f"{name}.json").write_text(json.dumps(whole))
    done = run("bench", "--compare", tmp_path / "a.json", tmp_path / "b.json")
    assert done.code == 1
    assert "REGRESSION" in done.out
    # an entrant that goes by chance cannot regress
    assert not compare_results(results, spoil(results, "random"), n_resamples=50).regressions


def test_a_dishonest_claim_is_a_regression(results):
    """In every lane, ground that was not observed is claimed."""
    worse = copy.deepcopy(results)
    for areas in worse["tracks"]["D"]["entrants"]["full"]["any"]["lanes"].values():
        areas["falsely_claimed"] += 0.5
    found = compare_results(results, worse, n_resamples=50)
    assert [row.figure for row in found.regressions] == ["falsely_claimed"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d["benchmark"].update(version="2"), "their version is '2' and 'test'"),
        (lambda d: d["benchmark"].update(seed=5), "their seed is 5 and None"),
        (lambda d: d["data"]["type_out"].update(truth_sha256="0"), "truth of 'type_out'"),
        (lambda d: d["tracks"].clear(), "no entrant is in both"),
        (lambda d: d["tracks"]["A"]["parts"]["lane_out"].pop("targets"), "'targets'"),
    ],
)
def test_what_does_not_compare_is_refused(results, change, message):
    """Other versions, seeds or fields."""
    other = copy.deepcopy(results)
    change(other)
    with pytest.raises(ValueError, match=message):
        compare_results(results, other, n_resamples=10)


def test_other_sweeps_and_targets_are_noted(results):
    """A target that only one run swept is left out, not a fault."""
    other = copy.deepcopy(results)
    other["data"]["lane_out"]["sweeps_sha256"] = "0"
    part = other["tracks"]["A"]["parts"]["lane_out"]
    part["targets"][0]["identifier"] = "unknown"
    notes = " ".join(compare_results(results, other, n_resamples=10).notes)
    assert "sweeps of lane_out differ" in notes
    assert "2 targets of lane_out" in notes


def test_results_that_were_changed_are_refused(results, tmp_path):
    """No JSON, no results, a changed configuration, a better figure, a NaN."""
    path = tmp_path / "a.json"
    path.write_text(json.dumps(results))
    assert read_results(path) == results
    other, better, broken = (copy.deepcopy(results) for _ in range(3))
    other["configuration"]["n_resamples"] = 1
    outcomes = better["tracks"]["A"]["parts"]["lane_out"]["outcomes"]["random"]
    outcomes["detected"] = [1] * len(outcomes["detected"])
    broken["exclusions"] = float("nan")
    for text in ("{", "[]", "{}", *map(json.dumps, (other, better, broken))):
        path.write_text(text)
        with pytest.raises(ValueError, match="Invalid results"):
            read_results(path)


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d["tracks"]["A"]["all"]["readings"]["random"]["pauc_1"].update(value=0.99),
        lambda d: d["tracks"].clear(),
        lambda d: d["data"].clear(),
        lambda d: None,
    ],
)
def test_results_without_their_digest_are_refused(results, tmp_path, change):
    """Taking it out hides no edit, and a digest of nothing is none."""
    path, other = tmp_path / "a.json", copy.deepcopy(results)
    change(other)
    del other[CONTENT]
    path.write_text(json.dumps(other))
    with pytest.raises(ValueError, match="they lack content_sha256, which vouches"):
        read_results(path)
    path.write_text(json.dumps(other | {CONTENT: None}))
    with pytest.raises(ValueError, match="figures are not those"):
        read_results(path)
    words = ("bench", "--sealed", "reveal", "--results", path)
    write_secret(tmp_path / "secret.json")
    assert run(*words, "--secret", tmp_path / "secret.json").code == 2


def test_files_of_version_1_are_read_without_the_digest(results, tmp_path):
    """The first ones had none; one that is there counts in any version."""
    path, old = tmp_path / "a.json", copy.deepcopy(results)
    old["benchmark"]["version"] = "1"
    path.write_text(json.dumps(old))
    with pytest.raises(ValueError, match="figures are not those"):
        read_results(path)
    del old[CONTENT]
    path.write_text(json.dumps(old))
    assert read_results(path) == old


# -- sealed seeds --------------------------------------------------------------------------


def test_a_promise_is_kept_or_not(tmp_path):
    """The hash binds seed, nonce and version; the truth is made again from the seed."""
    secret = write_secret(tmp_path / "secret.json")
    assert (tmp_path / "secret.json").stat().st_mode & 0o077 == 0
    with pytest.raises(FileExistsError):
        write_secret(tmp_path / "secret.json")
    assert read_secret(tmp_path / "secret.json") == secret
    plan = benchmark_plan("quick")
    parts = ("training", "lessons", "faulty", "soil_out")
    head = {"version": plan.version, "size": "quick", "plan_sha256": plan.sha256}
    results = {
        "benchmark": head | {"commitment": commitment(secret)},
        "data": {
            part: {"truth_sha256": plan_truth(plan, part, seed=secret.seed).sha256}
            for part in parts
        },
        "configuration": {"tracks": ["D"]},
        "tracks": {"D": {}},
    }
    assert reveal(results, secret) == []
    other = Secret(seed=secret.seed + 1, nonce=secret.nonce)
    assert "not the one that was promised" in reveal(results, other)[0]
    results["data"]["soil_out"]["truth_sha256"] = "0"
    assert "truth of soil_out" in reveal(results, secret)[0]
    results["benchmark"]["plan_sha256"] = "0"
    assert "not this one" in reveal(results, secret)[0]


@pytest.mark.parametrize(
    "text", ["", "[]", '{"seed": 1}', '{"seed": -1, "nonce": "%s"}' % ("0" * 64),
             '{"seed": 1, "nonce": "short"}', "[" * 100_000]
)  # fmt: skip
def test_a_bad_secret_is_refused_and_not_shown(tmp_path, text):
    """The message holds the path and no digit of the seed."""
    path = tmp_path / "secret.json"
    path.write_text(text)
    with pytest.raises(ValueError, match="Must be JSON with a seed and a nonce"):
        read_secret(path)


def test_a_reveal_needs_the_truth_of_all_that_was_judged(tmp_path):
    """What is not told, or told in another form, is not verified."""
    secret, plan = write_secret(tmp_path / "secret.json"), benchmark_plan("quick")
    head = {"version": plan.version, "size": "quick", "plan_sha256": plan.sha256}
    data = {
        part: {"truth_sha256": plan_truth(plan, part, seed=secret.seed).sha256}
        for part in ("training", "lessons", "faulty")
    }
    told = {"benchmark": head | {"commitment": commitment(secret)}, "tracks": {"D": {}}}
    told["configuration"] = {"tracks": ["D"]}
    assert reveal(told | {"data": data}, secret) == []
    some = {part: data[part] for part in ("lessons", "faulty")}
    assert reveal(told | {"data": some}, secret) == ["no truth is told of training"]
    del data["lessons"]
    assert reveal(told | {"data": data}, secret) == ["no truth is told of lessons"]
    for cleared in ({"tracks": {}}, {"data": {}, "tracks": {}}, {"tracks": {"A": {}, "D": {}}}):
        (fault,) = reveal(told | {"data": data} | cleared, secret)
        assert "the tracks told are" in fault
        assert "those run are D" in fault
    none = {"data": data, "tracks": {}, "configuration": {"tracks": []}}
    assert "those run are none" in reveal(told | none, secret)[0]
    for broken in ({"data": {"training": {}, "lessons": {}, "faulty": {}}}, {}):
        with pytest.raises(ValueError, match="Must be a file of `minesense bench`"):
            reveal(told | broken, secret)


def test_track_c_alone_is_not_sealed(tmp_path):
    """It holds no truth of which a reveal could say that it is that of the seed."""
    with pytest.raises(ValueError, match="no truth that a reveal could make again"):
        run_benchmark(tiny_plan(), seed=1, tracks=("C",), commitment="0" * 64)
    secret, plan = write_secret(tmp_path / "secret.json"), benchmark_plan("quick")
    words = ("--secret", tmp_path / "secret.json", "--output", tmp_path)
    found = run("bench", "--quick", "--track", "C", "--sealed", "run", *words)
    assert (found.code, "beside A, B or D" in found.err) == (2, True)
    head = {"version": plan.version, "size": "quick", "plan_sha256": plan.sha256}
    told = {"benchmark": head | {"commitment": commitment(secret)}, "data": {}}
    told |= {"tracks": {"C": {}}, "configuration": {"tracks": ["C"]}}
    assert reveal(told, secret) == [
        "track C alone tells no truth, so that nothing is made again from the seed"
    ]


# -- entrants and the command --------------------------------------------------------------


def test_a_file_of_alarms_enters(tmp_path, plan):
    """Alarms are given out by lane; a lane of nowhere is refused."""
    from fields import make_alarm  # noqa: PLC0415

    path = tmp_path / "mine.csv"
    lane = "soil_out/soil/lane 01"
    write_csv([make_alarm(1.0, 2.0, 3.0, lane=lane)], path, synthetic=True)
    entrant = AlarmFile(path)
    area = [(0, 0, 1, 1, lane)]
    assert [a.lane for a in entrant.detect([], area=area).ranked] == [lane]
    both = [*area, (0, 0, 1, 1, "soil_out/soil/lane 02")]
    assert [a.lane for a in entrant.detect([], area=both).ranked] == [lane]
    with pytest.raises(ValueError, match="it names lane 'soil_out/soil/lane 01'"):
        entrant.detect([], area=both[1:])  # a lane that the benchmark has not
    other = [(0, 0, 1, 1, "lane_out/plot/lane 01")]
    with pytest.raises(ValueError, match="it holds no alarm in any lane of lane_out"):
        entrant.detect([], area=other)  # not a field in which nothing was found
    assert (entrant.name, entrant.detect([], area=area).threshold) == ("file: mine.csv", 3.0)
    write_csv([make_alarm(1.0, 2.0, 3.0, lane="A")], path, synthetic=True)
    with pytest.raises(ValueError, match=r"Invalid lane 'A'\. Must begin with training"):
        AlarmFile(path)
    write_csv([], path, synthetic=True)
    with pytest.raises(ValueError, match="it holds no alarm"):
        AlarmFile(path)


def test_a_file_of_alarms_of_another_frame_is_refused(tmp_path):
    """Its places would lie nowhere near the lanes, and read as misses."""
    from fields import make_alarm  # noqa: PLC0415

    path = tmp_path / "mine.geojson"
    alarms = [make_alarm(1.0, 2.0, 3.0, lane="soil_out/soil/lane 01")]
    write_geojson(alarms, path, frame=Frame(crs="EPSG:32638"), synthetic=True)
    with pytest.raises(ValueError, match="EPSG:32638"):
        AlarmFile(path)
    write_geojson(alarms, path, frame=Frame(), synthetic=True)
    assert AlarmFile(path).name == "file: mine.geojson"


def test_a_file_of_alarms_is_checked_before_the_run(tmp_path):
    """An alarm twice, a score or a probability that is none: not after an hour of work."""
    from fields import make_alarm  # noqa: PLC0415

    path, lane = tmp_path / "mine.csv", "soil_out/soil/lane 01"
    alarm = make_alarm(1.0, 2.0, 3.0, lane=lane)
    for changes, message in (
        ([{}, {}], "it occurs twice"),
        ([{}, {"identifier": "again"}], "it has the place and time of alarm"),
        ([{"score": math.nan}], "Must be finite. In file"),
        ([{"probability": 1.5}], "Invalid probability '1.5'"),
    ):
        alarms = [dataclasses.replace(alarm, **change) for change in changes]
        write_csv(alarms, path, synthetic=True)
        with pytest.raises(ValueError, match=message):
            AlarmFile(path)


def test_who_is_left_out_of_a_test_makes_a_run_that_failed(tmp_path, monkeypatch):
    """The command leaves with 1, not with a table in which somebody is missing."""
    monkeypatch.setattr("minesense.apps.bench.benchmark_plan", lambda size: tiny_plan())
    options = ("--track", "A", "--output", tmp_path)
    done = run("bench", "--entrant", "test_bench_run:Lists", "--entrant", "random", *options)
    assert done.code == 1
    assert "Must be a Found or a Detection" in done.out
    done = run("bench", "--entrant", "random", "--track", "D", *options)
    assert done.code == 0  # no claim is no fault
    assert read_results(tmp_path / "quick.json")["exclusions"]


@pytest.mark.parametrize(
    "name", ["no.such.module:Mine", "json:Nothing", "json:dumps", "math:pi"]
)
def test_classes_that_cannot_enter_are_refused(name):
    """No module, no class, one that needs arguments, something else."""
    with pytest.raises(ValueError, match=f"Invalid entrant '{name}'"):
        new_entrant(name)


def test_a_module_that_exits_is_no_run_that_went_well(tmp_path, monkeypatch):
    """Whoever leaves while he is imported would end the benchmark with code 0."""
    (tmp_path / "leaves_early.py").write_text("import sys\nsys.exit(0)\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ValueError, match="Invalid entrant 'leaves_early:Mine': SystemExit: 0"):
        new_entrant("leaves_early:Mine")


def test_a_class_of_ones_own_enters():
    """By module and name."""
    assert new_entrant("test_bench_run:Oracle").name == "oracle"
    with pytest.raises(ValueError, match="Must have a name, and methods train and detect"):
        new_entrant("collections:OrderedDict")


def test_what_was_screened_is_not_taken_for_other_sweeps(plan):
    """Two tests of the same size, the first one gone when the second is made."""
    screens = Screens()
    entrant = new_entrant("metal_detector", screens)
    survey = make_survey(plan, "training", seed=SEED)
    options = {"area": survey.area, "seed": 1, "workers": 1}
    entrant.train(survey.sweeps, survey.truth, **options)
    trained_on = screens.of(survey.sweeps)
    assert screens.of(survey.sweeps, RECIPES["radar"]) is trained_on  # of the same stages
    other = screens.of(survey.sweeps, RECIPES["cfar"])
    assert other is not trained_on
    assert other.settings.radar.prescreener == "mean"
    assert screens.of(survey.sweeps) is trained_on
    lanes = {sweep.lane: [] for sweep in survey.sweeps}
    for sweep in survey.sweeps:
        lanes[sweep.lane].append(sweep)
    for name, sweeps in lanes.items():
        chosen = tuple(sweeps)  # takes the place of the one before
        area = [item for item in survey.area if item[-1] == name]
        found = entrant.detect(chosen, area=area)
        assert {alarm.lane for alarm in found.ranked} <= {name}
        assert found.coverage.area() > 0
        del chosen
    assert screens.of(survey.sweeps) is not trained_on


class Breaks:
    """An entrant whose own code fails."""

    name = "breaks"

    def train(self, sweeps, truth, **_):
        """Run out of memory, as others do."""
        msg = "CUDA out of memory"
        raise RuntimeError(msg)

    def detect(self, sweeps, **_):
        """Never get here."""


class Lists(Breaks):
    """An entrant that returns something else."""

    name = "lists"

    def train(self, sweeps, truth, **_):
        """Learn nothing."""

    def detect(self, sweeps, **_):
        """Return a list."""
        return []


def test_an_entrant_that_breaks_does_not_stop_the_others(plan):
    """It is left out, and why is told."""
    found = run_benchmark(
        plan,
        seed=SEED,
        tracks=("A",),
        entrants=[new_entrant("random"), Breaks(), Lists()],
        n_resamples=10,
    )
    reasons = {(x["entrant"], x["part"]): x["reason"] for x in found["exclusions"]}
    assert reasons["breaks", "training"] == "RuntimeError: CUDA out of memory"
    assert "Must be a Found or a Detection" in reasons["lists", "lane_out"]
    assert set(found["tracks"]["A"]["all"]["readings"]) == {"random"}


def test_two_entrants_of_one_name_are_refused(plan):
    """Or a name that breaks tables, or an unknown track."""
    odd = new_entrant("random")
    odd.name = "new\nline\x1b[31m"
    with pytest.raises(ValueError, match="a name each, of one line"):
        run_benchmark(plan, seed=1, entrants=[odd])
    with pytest.raises(ValueError, match="Must have a name each"):
        run_benchmark(plan, seed=1, entrants=[Oracle(), Oracle()])
    with pytest.raises(ValueError, match="Invalid track 'E'"):
        run_benchmark(plan, seed=1, tracks=("E",))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--compare", "no.json", "no.json"], "No such file"),
        (["--threshold", "3"], "Invalid --threshold '3' without --alarms"),
        (["--compare", "a", "b", "--entrant", "full"], "entrants full beside --compare"),
        (["--sealed", "commit", "--alarms", "a.csv"], "entrants a.csv beside --sealed commit"),
        (["--sealed", "reveal"], "Invalid --results: not given"),
        (["--sealed", "run", "--secret", "no.json"], "No such file"),
        (["--entrant", "oracle"], "Invalid entrant 'oracle'"),
        (["--alarms", "no.csv"], "No such file"),
        (["--track", "E"], "--track: invalid choice: 'E'"),
        (["--confidence", "1.5"], "'1.5' does not lie between 0 and 1"),
    ],
)
def test_the_command_refuses_in_one_line(words, message, tmp_path, monkeypatch):
    """Code 2."""
    monkeypatch.chdir(tmp_path)
    found = run("bench", "--quick", *words)
    assert found.code == 2, found
    assert message in found.err
    assert found.err.count("\n") == 1


def test_the_command_promises_and_checks(tmp_path, results):
    """Commit prints the hash alone; reveal of another run leaves with 1."""
    path = tmp_path / "secret.json"
    found = run("bench", "--sealed", "commit", "--secret", path)
    secret = read_secret(path)
    assert found.code == 0
    assert commitment(secret) in found.out
    assert str(secret.seed) not in found.out
    (tmp_path / "r.json").write_text(json.dumps(results))
    words = ["--secret", path, "--results", tmp_path / "r.json"]
    found = run("bench", "--sealed", "reveal", *words)
    assert found.code == 1
    assert "NOT VERIFIED" in found.out
