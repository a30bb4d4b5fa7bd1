"""Test the command line: what it writes, what it says, and how it refuses."""

import contextlib
import dataclasses
import io
import json
import pickle
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from radar_files import scans, write_dzt

from minesense import cli
from minesense.alarm import SAFETY_TEXT
from minesense.io import load_sweeps, read_alarms, save_sweeps
from minesense.synthetic import PRESETS

COMMANDS = ("demo", "simulate", "train", "detect", "score", "bench", "info", "convert")
RESULTS = {"report.html", "section.png", "alarms.csv", "alarms.geojson", "quality.json"}

#: Lanes just long enough to train on.
SCENARIO = """
name = "short farmland"

[lanes]
length = 12.0

[ground]
soils = ["loam", "quartz_sand"]

[layout]
kind = "random"
density = 0.6

[targets]
kinds = ["pmn", "pmn2", "pmn4", "ts50", "m14", "type72a"]

[clutter]
dielectric_density = 0.5

[records]
exists = 1.0
"""


def run(*words):
    """Return exit code, standard output and standard error of one command."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = cli.main([str(word) for word in words])
        except SystemExit as stop:  # argparse leaves this way
            code = stop.code or 0
    return SimpleNamespace(code=code, out=out.getvalue(), err=err.getvalue())


def assert_refused(found, *words):
    """Fail unless the command gave code 2 and one line, which holds some words."""
    assert found.code == 2, found
    assert found.err.count("\n") == 1, found.err
    assert found.err.startswith("minesense"), found.err
    assert "Traceback" not in found.err
    assert found.out == ""
    for word in words:
        assert str(word) in found.err, found.err


# -- words ---------------------------------------------------------------------------------


def test_help_names_every_command():
    """And the exit codes, and that no result is a promise about ground."""
    found = run("--help")
    assert (found.code, found.err) == (0, "")
    assert all(f"    {name} " in found.out for name in COMMANDS)
    assert "0 done" in found.out
    assert " ".join(SAFETY_TEXT.split()) in " ".join(found.out.split())


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name):
    """With a text, the seed, the output and the exit codes."""
    found = run(name, "--help")
    assert (found.code, found.err) == (0, "")
    for word in (f"usage: minesense {name}", "--seed N", "--output", "Exit codes: 0 done"):
        assert word in found.out
    assert max(map(len, found.out.splitlines())) <= 100


def test_version_is_that_of_the_package():
    """On one line."""
    found = run("--version")
    assert (found.code, found.out) == (0, f"minesense {cli.__version__}\n")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "required: COMMAND"),
        (["dig"], "invalid choice: 'dig'"),
        (["demo", "--seed", "-1"], "--seed: '-1' is not a whole number from 0"),
        (["demo", "--seed", "1.5"], "--seed: '1.5' is not a whole number"),
        (["demo", "--workers", "0"], "--workers: '0' is not a whole number from 1"),
        (["demo", "--training-lanes", "-3"], "--training-lanes: '-3' is not"),
        (["demo", "--blind-lanes", "many"], "--blind-lanes: 'many' is not"),
        (["detect"], "required: PATH"),
        (["detect", "x", "--mode", "sonar"], "--mode: invalid choice: 'sonar'"),
        (["detect", "x", "--lanes", "some"], "--lanes: invalid choice: 'some'"),
        (["detect", "x", "--spacing", "0"], "--spacing: '0' is not greater than zero"),
        (["detect", "x", "--frequency", "fast"], "--frequency: 'fast' is not a finite number"),
        (["detect", "x", "--threshold", "nan"], "--threshold: 'nan' is not a finite number"),
        (["score", "x"], "required: --truth"),
        (["score", "x", "--truth", "y", "--halo", "inf"], "--halo: 'inf' is not a finite"),
        (["info", "x", "--loud"], "unrecognized arguments: --loud"),
    ],
)
def test_wrong_options_are_one_line(words, message):
    """Code 2, one line, and where to read more."""
    assert_refused(run(*words), message, "--help")


# -- input that cannot be used -------------------------------------------------------------


@pytest.fixture
def foreign(tmp_path):
    """Return files that are not what any command takes."""
    files = {
        "picture.png": b"\x89PNG\r\n\x1a\n" + bytes(64),
        "picture.dzt": b"\x89PNG\r\n\x1a\n" + bytes(64),
        "note.txt": b"This is not a recording.\n",
        "note.dt1": b"This is not a recording.\n",
        "empty.dzt": b"",
        "model.pkl": pickle.dumps({"a": 1}),
        "archive.skops": b"PK\x05\x06" + bytes(18),
        "broken.toml": b'name = "x"\n[layout\n',
        "list.toml": b"[1, 2]",
        "deep.toml": b"a = " + b"[" * 100_000,
        "latin.toml": b'name = "\xe4"',
        "broken.json": b'{"objects": ',
        "list.json": b"[1, 2]",
        "latin.json": b'{"note": "\xe4"}',
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    whole = write_dzt(tmp_path / "whole.dzt", scans(40, n_samples=64), range=30.0)
    data = whole.read_bytes()
    (tmp_path / "header.dzt").write_bytes(data[:700])
    (tmp_path / "few.dzt").write_bytes(data[: 1024 + 3 * 128])
    (tmp_path / "folder").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    "name",
    [
        "no such file.dzt",
        "picture.png",
        "picture.dzt",
        "note.txt",
        "note.dt1",
        "empty.dzt",
        "header.dzt",
        "model.pkl",
        "archive.skops",
        "folder",
    ],
)
@pytest.mark.parametrize("command", ["detect", "info"])
def test_foreign_files_are_refused(foreign, command, name, monkeypatch):
    """The line names the command; nothing is written."""
    monkeypatch.chdir(foreign)
    before = sorted(foreign.iterdir())
    assert_refused(run(command, name), f"minesense {command}: ")
    assert sorted(foreign.iterdir()) == before


def test_too_short_a_recording_is_refused(foreign, monkeypatch):
    """Three traces are read, and are too few to judge."""
    monkeypatch.chdir(foreign)
    assert_refused(run("detect", "few.dzt"), "3 traces")


@pytest.mark.parametrize("name", ["broken", "list", "deep", "latin", "missing"])
@pytest.mark.parametrize("command", ["demo", "simulate"])
def test_bad_scenarios_are_refused(foreign, command, name):
    """Whatever is wrong with the TOML; of a broken file the line is told."""
    path = foreign / f"{name}.toml"
    found = run(command, path, "--output", foreign / "out")
    assert_refused(found, path, "line 2" if name == "broken" else "")
    assert not (foreign / "out").exists()


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ("length = 12.0", "length = -1.0", "$.lanes.length"),
        ('["loam", "quartz_sand"]', '["cheese"]', "$.ground.soils"),
        ("density = 0.6", 'density = "much"', "$.layout.density"),
        ("[lanes]", "[lane]", "$.lane"),
        ("exists", "exist", "$.records.exist"),
    ],
)
def test_impossible_scenarios_are_refused(tmp_path, old, new, path):
    """The line names the file and where in it."""
    file = tmp_path / "scenario.toml"
    file.write_text(SCENARIO.replace(old, new, 1))
    assert_refused(run("simulate", file, "--output", tmp_path / "out"), file, f"`{path}`")


def test_the_scenarios_are_listed():
    """Each with its size, platform and what it is for; nothing is written."""
    found = run("simulate", "--list")
    assert found.code == 0
    lines = found.out.splitlines()
    assert [line.split()[0] for line in lines] == list(PRESETS)
    for line, recipe in zip(lines, PRESETS.values(), strict=True):
        assert recipe.note in line
        assert f" {recipe.platform.kind} " in line


def test_unknown_scenarios_and_too_few_lanes_are_refused(tmp_path):
    """The presets are named; so is what a demonstration needs."""
    found = run("simulate", "moor", "--output", tmp_path / "out")
    assert_refused(found, "moor", "farmland")
    options = ("--output", tmp_path / "out", "--blind-lanes", 0)
    assert_refused(run("demo", *options), "Must be at least 3 and 1")


# -- the whole chain -----------------------------------------------------------------------

whole_chain = pytest.mark.endtoend


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Return a folder where every command has run once, each as its own user would."""
    folder = tmp_path_factory.mktemp("home")
    (folder / "short.toml").write_text(SCENARIO)
    field = [folder / "short.toml", "--training-lanes", 4, "--blind-lanes", 2]
    chain = [
        ("demo", *field, "--seed", 5, "--output", folder / "demo"),
        ("simulate", *field, "--seed", 5, "--output", folder / "field"),
        ("train", folder / "field", "--seed", 5, "--output", folder / "model.skops"),
        (
            "detect",
            folder / "field",
            *("--model", folder / "model.skops", "--output", folder / "found"),
        ),
        (
            "score",
            folder / "found" / "noticed.csv",
            *("--truth", folder / "field", "--seed", 5, "--output", folder / "score.json"),
        ),
    ]
    said = {}
    for words in chain:
        found = run(*words)
        assert found.code == 0, found
        said[words[0]] = found.out
    return SimpleNamespace(path=folder, said=said, field=field)


def load(path):
    """Return the content of a JSON file."""
    return json.loads(path.read_text())


@whole_chain
def test_every_step_says_that_data_are_synthetic(home):
    """On the terminal."""
    for name in ("demo", "simulate", "detect", "score"):
        assert "SYNTHETIC" in home.said[name], name
    assert home.said["train"].startswith("Trained minesense-")


@whole_chain
def test_the_demonstration_writes_its_files(home):
    """Each of them, with content, and every one about data says SYNTHETIC."""
    names = {"report.html", "alarms.geojson", "alarms.csv", "score.json", "model.skops"}
    written = {path.name for path in (home.path / "demo").iterdir()}
    assert written == names | {"coverage.npz", "noticed.csv", "quality.json"}
    for name in ("report.html", "alarms.geojson", "alarms.csv", "score.json", "quality.json"):
        assert "SYNTHETIC" in (home.path / "demo" / name).read_text(), name
    collection = load(home.path / "demo" / "alarms.geojson")
    assert collection["type"] == "FeatureCollection"
    assert collection["data"] == "SYNTHETIC"
    n_alarms = load(home.path / "demo" / "quality.json")["n_alarms"]
    assert len(collection["features"]) == n_alarms > 0


@whole_chain
def test_the_table_has_the_figures_of_the_file(home):
    """Found and swept targets of each mode, as score.json has them."""
    modes = load(home.path / "demo" / "score.json")["modes"]
    assert set(modes) == {"emi", "gpr", "both"}
    for mode in modes.values():
        figure = mode["pd_swept"]
        assert f"{figure['k']}/{figure['n']}  {figure['value']:.2f} (" in home.said["demo"]


@whole_chain
def test_the_same_seed_gives_the_same_bytes(home):
    """Run again by another process, with another number of threads."""
    again = home.path / "again"
    words = ("demo", *home.field, "--seed", 5, "--workers", 1, "--output", again)
    found = subprocess.run(
        [sys.executable, "-m", "minesense", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        cwd=home.path,
    )
    assert found.returncode == 0, found.stderr
    assert "Traceback" not in found.stderr
    for name in ("score.json", "noticed.csv", "alarms.geojson", "quality.json"):
        assert (again / name).read_bytes() == (home.path / "demo" / name).read_bytes(), name


@whole_chain
def test_step_by_step_is_the_same_as_the_demonstration(home):
    """Simulated, trained, detected and scored apart: the same model, alarms and score."""
    demo, found = home.path / "demo", home.path / "found"
    assert load(found / "quality.json") == load(demo / "quality.json")
    threshold = load(found / "quality.json")["threshold"]
    ranked = read_alarms(found / "noticed.csv")
    above = [alarm for alarm in ranked if alarm.score >= threshold]
    assert 0 < len(above) < len(ranked)
    assert above == read_alarms(found / "alarms.csv")
    for name in ("alarms.csv", "noticed.csv", "alarms.geojson"):
        assert (found / name).read_bytes() == (demo / name).read_bytes(), name
    both = load(demo / "score.json")["modes"]["both"]
    alone = load(home.path / "score.json")
    assert alone.pop("random_baseline")["pd_swept"]["n"] == both["pd_swept"]["n"]
    taught = alone.pop("left_out_of_truth")["lanes"]  # lanes that the blind coverage has not
    assert taught == [
        x["name"]
        for x in load(home.path / "field" / "field.json")["lanes"]
        if not x["is_blind"]
    ]
    assert alone.pop("lane_unknown_but_counted")["n_objects"] == 0
    assert alone == both


@whole_chain
def test_alarms_of_a_simulated_field_say_so(home):
    """In both forms; the two forms hold the same alarms."""
    for name in ("alarms.csv", "alarms.geojson"):
        text = (home.path / "found" / name).read_text()
        assert "SYNTHETIC" in text
        assert "recorded" not in text
    table, collection = (
        read_alarms(home.path / "found" / name) for name in ("alarms.csv", "alarms.geojson")
    )
    assert [a.identifier for a in table] == [a.identifier for a in collection]


@whole_chain
@pytest.mark.parametrize("mode", ["gpr", "emi"])
def test_one_mode_is_scored_like_the_demonstrations(home, mode, tmp_path):
    """Against the ground that this sensor observed."""
    words = ("--model", home.path / "model.skops", "--mode", mode, "--output", tmp_path)
    assert run("detect", home.path / "field", *words).code == 0
    words = ("--truth", home.path / "field" / "truth.json", "--output", tmp_path / "score.json")
    assert run("score", tmp_path / "alarms.geojson", *words).code == 0
    expected = load(home.path / "demo" / "score.json")["modes"][mode]
    found = load(tmp_path / "score.json")
    for figure in ("pd_swept", "pd_total", "false_alarms"):
        assert found[figure] == expected[figure]


@whole_chain
def test_thresholds_can_be_given(home, tmp_path):
    """One that nothing reaches: what a sensor alone asks for, or unknown ground, is left."""
    words = ("--model", home.path / "model.skops", "--threshold", 99, "--output", tmp_path)
    said = run("detect", home.path / "field", *words).out
    quality = load(tmp_path / "quality.json")
    n_kept = len(quality["kept"])
    assert f"\n{n_kept} alarms (of " in said
    assert {name for by in quality["kept"].values() for name in by} <= {
        "gpr",
        "emi",
        "unfamiliar",
    }
    words = ("--truth", home.path / "field", "--output", tmp_path / "score.json")
    assert run("score", tmp_path / "noticed.csv", *words).code == 0
    figures = load(tmp_path / "score.json")
    assert figures["pd_swept"]["k"] + figures["false_alarms"]["count"] <= n_kept
    assert run("score", tmp_path / "noticed.csv", *words, "--threshold", -99).code == 0
    assert load(tmp_path / "score.json")["pd_swept"]["k"] > 0


@whole_chain
def test_training_does_not_look_at_blind_lanes(home, tmp_path):
    """With other sweeps in them the model is the same."""
    field = tmp_path / "field"
    field.mkdir()
    for name in ("field.json", "truth.json"):
        (field / name).write_bytes((home.path / "field" / name).read_bytes())
    lanes = load(field / "field.json")["lanes"]
    blind = {lane["name"] for lane in lanes if lane["is_blind"]}
    sweeps = [
        dataclasses.replace(s, samples=3 * s.samples) if s.lane in blind else s
        for s in load_sweeps(home.path / "field" / "sweeps")
    ]
    assert len(blind) == 2
    save_sweeps(field / "sweeps", sweeps)
    found = run("train", field, "--seed", 5, "--output", tmp_path / "model.skops")
    assert found.code == 0
    assert found.out.split()[1] == home.said["train"].split()[1]


@whole_chain
def test_info_says_what_things_are(home, tmp_path):
    """A field, a model, a recording; the same as JSON."""
    out = run("info", home.path / "field", "--output", tmp_path / "info.json").out
    assert "simulated field" in out
    assert load(tmp_path / "info.json")["training_lanes"] == 4
    assert "SYNTHETIC" in out
    out = run("info", home.path / "model.skops").out
    assert home.said["train"].split()[1] in out
    assert "peak_amplitude" in out
    path = write_dzt(tmp_path / "line.dzt", scans(40, n_samples=64))
    out = run("info", path).out
    assert "radar recording" in out
    assert "trace_spacing_m        0.02" in out


# -- what a field's hashes vouch for -------------------------------------------------------


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Return the folder of a small field of the command."""
    folder = tmp_path_factory.mktemp("small")
    text = SCENARIO.replace("length = 12.0", "length = 1.0\nrun_in = 0.3")
    text = text.replace("density = 0.6", "density = 5.0", 1)
    text += "\n[platform]\nkind = 'cart'\nn_antennas = 1\nn_coils = 1\n"
    (folder / "small.toml").write_text(text)
    words = ("--training-lanes", 1, "--blind-lanes", 1, "--output", folder / "field")
    found = run("simulate", folder / "small.toml", *words)
    assert found.code == 0, found
    return folder / "field"


@pytest.fixture
def spoilt(small, tmp_path):
    """Return a copy of that folder, to be spoilt."""
    return Path(shutil.copytree(small, tmp_path / "field"))


@whole_chain
def test_info_verifies_a_field(small, tmp_path):
    """And says what it verified."""
    found = run("info", small, "--output", tmp_path / "info.json")
    assert (found.code, found.err) == (0, "")
    assert "field, truth, records and every sweep: as written, by their SHA-256" in found.out
    document = load(tmp_path / "info.json")
    assert document["sweeps"] == 4
    assert document["records"] == len(load(small / "records.json")["records"]) > 0


@whole_chain
def test_info_verifies_a_sweep(small, tmp_path):
    """By field.json where it lies in a field, else by its own seal, if it has one."""
    path = sorted((small / "sweeps").glob("*.npz"))[1]
    found = run("info", path, "--output", tmp_path / "info.json")
    assert (found.code, found.err) == (0, "")
    assert "SYNTHETIC" in found.out
    assert "the sweep and field.json: as written" in found.out
    document = load(tmp_path / "info.json")
    assert (document["kind"], document["lane"]) == ("sweep", "lane 01")
    assert (document["sensor_kind"], document["channels"]) == ("emi", 1)
    alone = tmp_path / "alone.npz"
    alone.write_bytes(path.read_bytes())
    assert "the SHA-256 that ends its history" in run("info", alone).out
    sweep = dataclasses.replace(load_sweeps(small / "sweeps")[1], history=())
    (bare,) = save_sweeps(tmp_path / "bare", [sweep])
    found = run("info", bare)
    assert "nothing: its history does not end with a SHA-256" in found.out
    assert "SYNTHETIC data" in found.out  # as its frame says


@whole_chain
def test_info_refuses_sweeps_that_are_not_as_written(spoilt):
    """Changed, exchanged, cut or missing: one line with the file, and code 2."""
    files = sorted((spoilt / "sweeps").glob("*.npz"))
    for number, path in enumerate(files):
        whole = path.read_bytes()
        path.write_bytes(files[number - 1].read_bytes())
        for what in (spoilt, path):
            words = ("Invalid sweep", path.name, "Must be those of field.json")
            assert_refused(run("info", what), *words)
        path.write_bytes(whole[:-5])
        for what in (spoilt, path):
            assert_refused(run("info", what), path.name)
        path.unlink()
        for what in (spoilt, path):
            assert_refused(run("info", what), path.name, "the file is missing. Must be there")
        path.write_bytes(whole)
    sweeps = load_sweeps(spoilt / "sweeps")
    sweeps[0] = dataclasses.replace(sweeps[0], samples=2 * sweeps[0].samples)
    save_sweeps(spoilt / "sweeps", sweeps, overwrite=True)
    for what in (spoilt, files[0]):
        assert_refused(run("info", what), files[0].name, "sha256", "that of its content")


@whole_chain
def test_info_refuses_records_that_are_not_as_written(spoilt):
    """Changed or missing."""
    path = spoilt / "records.json"
    path.write_text(path.read_text().replace('"number": ', '"number": 1'))
    assert_refused(run("info", spoilt), "Invalid records", "Must be that of their content")
    path.unlink()
    assert_refused(run("info", spoilt), "Invalid records", "the file is missing. Must be")


@whole_chain
def test_a_miss_rate_can_be_stated(home, tmp_path):
    """Held by the training lanes, with its words; or refused with the lanes it would take."""
    words = ("--model", home.path / "model.skops", "--output", tmp_path / "out")
    field = home.path / "field"
    found = run("detect", field, *words, "--miss-rate", 0.01)
    assert_refused(found, "Invalid miss_rate '0.01'", "4 lanes cannot certify below")
    assert not (tmp_path / "out" / "alarms.csv").exists()
    found = run("detect", field, *words, "--miss-rate", 0.1, "--threshold", 1)
    assert_refused(found, "not allowed with argument")
    found = run("detect", field, *words, "--miss-rate", 0.9)
    assert found.code == 0, found.err
    assert "at most 0.9 of the targets are missed on average (4 lanes" in found.out
    quality = load(tmp_path / "out" / "quality.json")
    assert quality["guarantee"]["miss_rate"] == 0.9
    assert quality["guarantee"]["mean_loss"] <= 0.9
    assert quality["threshold"] == quality["guarantee"]["threshold"]
    usual = load(home.path / "found" / "quality.json")
    assert usual["guarantee"] is None
    assert {item["kind"] for item in usual["unlike_training"]} <= {"gpr", "emi"}
    recording = write_dzt(tmp_path / "line.dzt", scans(40, n_samples=64))
    assert_refused(run("detect", recording, "--miss-rate", 0.1), "no rate can be promised")


@whole_chain
def test_wrong_models_and_fields_are_refused(home, tmp_path, foreign):
    """Each in one line, and nothing is written."""
    field, model, out = home.path / "field", home.path / "model.skops", tmp_path / "out"
    to = ("--output", out)
    assert_refused(run("detect", field, *to), "Must come with --model")
    for name in ("model.pkl", "note.txt", "archive.skops", "none.skops"):
        assert_refused(run("detect", field, "--model", foreign / name, *to), name)
    coverage = home.path / "found" / "coverage.npz"
    assert_refused(run("detect", field, "--model", coverage, *to), "coverage.npz")
    assert_refused(run("info", coverage), "coverage.npz")
    recording = write_dzt(tmp_path / "line.dzt", scans(40, n_samples=64))
    assert_refused(run("detect", recording, "--model", model, *to), "Must be left out")
    assert_refused(run("detect", foreign / "folder", "--model", model, *to), "field.json")
    assert_refused(run("train", foreign / "folder", *to), "field.json")
    assert not out.exists()
    half = tmp_path / "half"
    half.mkdir()
    (half / "truth.json").write_text("{}")
    lanes = load(field / "field.json")
    lanes["lanes"][0]["area"][2] = "east"
    (half / "field.json").write_text(json.dumps(lanes))
    assert_refused(run("train", half, *to), "field.json")
    (half / "field.json").write_bytes((field / "field.json").read_bytes())
    assert_refused(run("detect", half, "--model", model, *to), "sweeps")


@whole_chain
def test_scores_of_foreign_files_are_refused(home, foreign, tmp_path):
    """Alarms, truth and coverage."""
    alarms, truth = home.path / "found" / "alarms.csv", home.path / "field"
    to = ("--output", tmp_path / "score.json")
    for name in ("note.txt", "picture.png", "none.csv", "broken.json"):
        assert_refused(run("score", foreign / name, "--truth", truth, *to), name)
    for name in ("list.json", "broken.json", "folder", "latin.json", "none.json"):
        assert_refused(run("score", alarms, "--truth", foreign / name, *to), name)
    for name in ("note.txt", "model.pkl", "archive.skops", "none.npz"):
        words = ("--truth", truth, "--coverage", foreign / name)
        assert_refused(run("score", alarms, *words, *to), name)
    lonely = tmp_path / "alarms.csv"
    lonely.write_bytes(alarms.read_bytes())
    coverage = home.path / "found" / "coverage.npz"
    words = ("--truth", truth, "--coverage", coverage)
    assert_refused(run("score", lonely, *words, *to), "Invalid --threshold")


@whole_chain
def test_results_that_cannot_be_written_are_noticed_before_the_work(home, tmp_path):
    """A file where a folder should be; nothing has been swept by then."""
    (tmp_path / "file").write_text("here already")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        for command in ("demo", "simulate"):
            assert_refused(run(command, *home.field, "--output", path), path)
        words = ("--model", home.path / "model.skops", "--output", path)
        assert_refused(run("detect", home.path / "field", *words), path)
    path = tmp_path / "file" / "model.skops"
    assert_refused(run("train", home.path / "field", "--output", path), tmp_path / "file")
    words = ("--truth", home.path / "field", "--output", path)
    assert_refused(run("score", home.path / "found" / "alarms.csv", *words), tmp_path / "file")
    assert (tmp_path / "file").read_text() == "here already"


# -- recordings ----------------------------------------------------------------------------


@whole_chain
def test_a_recording_is_screened(tmp_path, monkeypatch):
    """Into a folder named after it, with everything that was promised."""
    monkeypatch.chdir(tmp_path)
    write_dzt(tmp_path / "line.dzt", scans(400, n_samples=128), range=40.0)
    found = run("detect", "line.dzt", "--threshold", 6)
    assert found.code == 0, found.err
    assert {path.name for path in (tmp_path / "line-alarms").iterdir()} == RESULTS
    quality = load(tmp_path / "line-alarms" / "quality.json")
    assert quality["threshold"] == 6
    assert quality["n_observed_traces"] + quality["n_not_observed_traces"] == 400
    assert f"{quality['n_alarms']} alarms above a score of 6" in found.out
    assert len(read_alarms(tmp_path / "line-alarms" / "alarms.csv")) == quality["n_alarms"]
    assert "SYNTHETIC" not in (tmp_path / "line-alarms" / "alarms.csv").read_text()
    run("detect", "line.dzt", "--spacing", 0.04, "--output", "wider")
    assert load(tmp_path / "wider" / "quality.json")["length_m"] == pytest.approx(399 * 0.04)


@whole_chain
def test_every_real_recording_is_screened(test_data, tmp_path):
    """Code 0, all files, and every trace accounted for."""
    paths = sorted(
        path
        for path in (test_data / "gpr").rglob("*")
        if path.suffix.lower() in {".dzt", ".dt1"}
    )
    assert paths
    for path in paths:
        out = tmp_path / path.name
        found = run("detect", path, "--output", out)
        assert (found.code, found.err) == (0, ""), path
        assert {item.name for item in out.iterdir()} == RESULTS
        assert (out / "section.png").read_bytes().startswith(b"\x89PNG")
        quality = load(out / "quality.json")
        counted = quality["n_observed_traces"] + quality["n_not_observed_traces"]
        assert counted == quality["n_traces"]
        assert len(read_alarms(out / "alarms.csv")) == quality["n_alarms"]
        assert len(load(out / "alarms.geojson")["features"]) == quality["n_alarms"]
        assert run("info", path).code == 0


# -- faults and interruptions --------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (RuntimeError("the roof fell"), 1, "a fault in minesense: RuntimeError: the roof fell"),
        (KeyError("lane"), 1, "a fault in minesense: KeyError: 'lane'"),
        (ValueError("two\nlines"), 2, "minesense info: two lines"),
        (MemoryError(), 2, "minesense info: MemoryError"),
        (ImportError("Install it"), 2, "minesense info: Install it"),
        (PermissionError(13, "Permission denied", "x"), 2, "Permission denied: x"),
        (KeyboardInterrupt(), 130, "minesense: stopped"),
    ],
)
def test_errors_become_codes_and_one_line(monkeypatch, error, code, words):
    """A fault of ours is 1, input 2, and none shows a traceback unless asked to."""
    from minesense.apps import info  # noqa: PLC0415, what the command loads

    def fail(options):
        raise error

    monkeypatch.setattr(info, "run", fail)
    monkeypatch.delenv("MINESENSE_DEBUG", raising=False)
    found = run("info", "x")
    assert (found.code, found.out) == (code, "")
    assert words in found.err
    assert found.err.count("\n") == 1
    monkeypatch.setenv("MINESENSE_DEBUG", "1")
    if code in {1, 2}:
        with pytest.raises(type(error)):
            run("info", "x")


def test_warnings_are_one_line(monkeypatch):
    """Without the place in the code."""
    import warnings  # noqa: PLC0415

    from minesense.apps import info  # noqa: PLC0415

    def warn(options):
        warnings.warn("mind the\nstep", UserWarning, stacklevel=1)
        return "done"

    monkeypatch.setattr(info, "run", warn)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        found = run("info", "x")
    assert (found.code, found.out) == (0, "done\n")
    assert found.err == "minesense: warning: mind the step\n"


def test_a_reader_that_has_seen_enough_is_no_fault(tmp_path):
    """As `minesense info FILE | head -1` does."""
    path = write_dzt(tmp_path / "line.dzt", scans(40, n_samples=64))
    command = [sys.executable, "-m", "minesense", "info", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        error = process.stderr.read()
    assert process.returncode == 0
    assert error == b""
