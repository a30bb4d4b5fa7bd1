"""Test `minesense simulate --check`: what it says, writes and refuses."""

import dataclasses
import json
import re
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from radar_files import scans, write_dzt
from test_cli import assert_refused, run

from minesense.apps import checkdocument
from minesense.apps.check import Beside, Check, Compared
from minesense.apps.checkdocument import SCHEMA, VERSION, counts_of, document_of
from minesense.apps.checktable import table_of
from minesense.io import load_sweeps, save_sweeps
from minesense.synthetic import scenario
from minesense.synthetic.realism import Figure, Missing, compare

#: One radar and one coil over bare ground: a field of it is a reference for itself.
SCENARIO = """
name = "bare loam"

[lanes]
training = 1
blind = 0
length = 8.0
run_in = 1.0

[ground]
soils = ["loam"]

[layout]
kind = "random"
density = 0.0

[targets]
kinds = ["pmn"]

[clutter]
metal_density = 0.0
dielectric_density = 0.0

[platform]
kind = "cart"
n_antennas = 1
n_coils = 1
"""
NOT_COMPARED = "not compared with field data"

whole_chain = pytest.mark.endtoend


def load(path):
    """Return the content of a JSON file."""
    return json.loads(path.read_text())


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Return a folder with a check alone, two fields, and a check beside both."""
    folder = tmp_path_factory.mktemp("check")
    (folder / "loam.toml").write_text(SCENARIO)
    (folder / "peat.toml").write_text(SCENARIO.replace('"loam"', '"peat"'))
    chain = {
        "alone": ("loam.toml", "--seed", 1, "--check", "--workers", 2),
        "own": ("loam.toml", "--seed", 11),
        "other": ("peat.toml", "--seed", 11),
    }
    said = {}
    for name, (recipe, *words) in chain.items():
        said[name] = run("simulate", folder / recipe, *words, "--output", folder / name)
        assert said[name].code == 0, said[name]
    references = (
        "--reference",
        write_line(folder / "line.dzt"),
        folder / "own",
        folder / "other",
    )
    beside = ("--seed", 1, "--check", "--ground", "loam", *references)
    said["beside"] = run(
        "simulate", folder / "loam.toml", *beside, "--output", folder / "beside"
    )
    assert said["beside"].code == 0, said["beside"]
    return SimpleNamespace(path=folder, said=said)


def write_line(path, **fields):
    """Write a recording of an antenna that shares no band with 1.5 GHz."""
    fields = {"range": 80.0, "antenna": b"100MHz", **fields}
    return write_dzt(path, scans(60, n_samples=128), **fields)


# -- words ---------------------------------------------------------------------------------


def test_help_tells_every_option():
    """And that nothing is said about performance."""
    found = run("simulate", "--help")
    assert (found.code, found.err) == (0, "")
    for word in ("--check", "--reference FILE", "--ground", "--height", "--spacing"):
        assert word in found.out
    assert "says nothing about performance in the field" in " ".join(found.out.split())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--check", "--height", "0"], "--height: '0' is not greater than zero"),
        (["--check", "--spacing", "-1"], "--spacing: '-1' is not greater than zero"),
        (["--check", "--frequency", "nan"], "--frequency: 'nan' is not a finite number"),
        (["--check", "--reference"], "--reference: expected at least one argument"),
        (["--reference", "x"], "Invalid --reference '['x']'. Must be given with --check"),
        (["--ground", "loam"], "Invalid --ground 'loam'. Must be given with --check"),
        (["--height", "1"], "Invalid --height '1.0'. Must be given with --check"),
        (["--spacing", "1"], "Invalid --spacing '1.0'. Must be given with --check"),
        (["--frequency", "1"], "Invalid --frequency '1.0'. Must be given with --check"),
        (["--check", "--blind-lanes", "0"], "Invalid --blind-lanes '0'. Must be left out"),
        (["--check", "--training-lanes", "2"], "Invalid --training-lanes '2'. Must be left"),
    ],
)
def test_options_of_no_use_are_one_line(words, message, tmp_path):
    """Code 2, and nothing is written."""
    found = run("simulate", "farmland", *words, "--output", tmp_path / "out")
    assert_refused(found, message)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["moor", "none.toml"])
def test_scenarios_that_are_none_are_refused(name, tmp_path):
    """As without the check."""
    found = run("simulate", name, "--check", "--output", tmp_path / "out")
    assert_refused(found, name)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("kind", ["missing", "text", "empty", "short", "folder", "damaged"])
def test_malformed_references_are_refused(kind, tmp_path):
    """In one line that names the file, before anything is swept or written."""
    path = tmp_path / "line.dzt"
    if kind in {"text", "empty"}:
        path.write_bytes(b"This is not a recording.\n" if kind == "text" else b"")
    elif kind == "short":
        path.write_bytes(write_line(tmp_path / "whole.dzt").read_bytes()[:700])
    elif kind == "folder":
        path.mkdir()
    elif kind == "damaged":
        path.mkdir()
        (path / "sweeps").mkdir()
        (path / "sweeps" / "manifest.json").write_text('{"format": ')
    words = ("--check", "--reference", path, "--output", tmp_path / "out")
    assert_refused(run("simulate", "farmland", *words), "line.dzt")
    assert not (tmp_path / "out").exists()


def test_a_place_that_cannot_be_written_is_noticed(tmp_path):
    """A file where the folder should be."""
    (tmp_path / "file").write_text("here already")
    (tmp_path / "loam.toml").write_text(SCENARIO)
    words = ("--check", "--output", tmp_path / "file")
    assert_refused(run("simulate", tmp_path / "loam.toml", *words), tmp_path / "file")


# -- without a recording ---------------------------------------------------------------------


@whole_chain
def test_without_a_reference_it_says_so(home):
    """Word for word, in the table and in the file; no field is written."""
    out, folder = home.said["alone"].out, home.path / "alone"
    assert {path.name for path in folder.iterdir()} == {"check.json", "check.png"}
    assert NOT_COMPARED in out
    document = load(folder / "check.json")
    assert document["verdict"] == NOT_COMPARED
    assert (document["schema"], document["version"]) == (SCHEMA, VERSION)
    assert document["references"] == []
    assert out.startswith("SYNTHETIC")
    assert "SYNTHETIC" in document["note"]
    assert all(item["data"] == "SYNTHETIC" for item in document["stretches"])


@whole_chain
def test_every_stretch_has_its_figures(home):
    """Empty and with clutter, of both sensors; the table has the numbers of the file."""
    document = load(home.path / "alone" / "check.json")
    found = [
        (item["sensor"], item["soil"], item["has_clutter"]) for item in document["stretches"]
    ]
    pairs = [(kind, "loam", has) for kind in ("gpr", "emi") for has in (False, True)]
    assert found == pairs
    for item in document["stretches"]:
        assert item["n_traces"] > 100
        assert all((x["value"] is None) == bool(x["why"]) for x in item["figures"])
        assert sum(x["value"] is not None for x in item["figures"]) > 0.6 * len(item["figures"])
    figures = {x["key"]: x for x in document["stretches"][0]["figures"]}
    (line,) = re.findall(r"^noise against the direct wave.*$", home.said["alone"].out, re.M)
    assert f"{figures['noise']['value']:.3g}" in line.split()


@whole_chain
def test_the_picture_is_one_image(home):
    """A PNG of some size, without a date."""
    image = (home.path / "alone" / "check.png").read_bytes()
    assert image.startswith(b"\x89PNG")
    assert len(image) > 100_000
    assert b"tIME" not in image


@pytest.mark.slow
@whole_chain
def test_the_same_seed_gives_the_same_bytes(home):
    """Run again by another process with one thread; another seed gives other figures."""
    again = home.path / "again"
    words = ("simulate", "loam.toml", "--check", "--seed", 1, "--workers", 1, "--output", again)
    found = subprocess.run(
        [sys.executable, "-m", "minesense", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        cwd=home.path,
    )
    assert found.returncode == 0, found.stderr
    for name in ("check.json", "check.png"):
        assert (again / name).read_bytes() == (home.path / "alone" / name).read_bytes(), name
    said = home.said["alone"].out
    assert found.stdout.rpartition("\n\n")[0] == said.rpartition("\n\n")[0]
    other = run(
        "simulate", home.path / "loam.toml", "--check", "--seed", 2, "--output", home.path / "2"
    )
    assert other.code == 0
    first, second = (load(home.path / x / "check.json")["stretches"] for x in ("alone", "2"))
    assert first[0]["figures"][0]["value"] != second[0]["figures"][0]["value"]


# -- beside references -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def beside(home):
    """Return the references of the file, by name."""
    document = load(home.path / "beside" / "check.json")
    return {item["name"]: item for item in document["references"]}


@whole_chain
def test_the_same_ground_is_like_itself(beside):
    """Nine in ten of the figures that can be judged, for another seed of the same scenario."""
    words = beside["own: lane 01, cart radar"]["beside"][0]["words"]
    assert words["like"] > 40
    assert words["like"] >= 9 * words["differs"]
    words = beside["own: lane 01, cart coils"]["beside"][0]["words"]
    assert words["like"] > words["differs"]


@whole_chain
def test_other_ground_differs(beside):
    """Peat beside loam: in several times as many figures."""
    own, other = (
        beside[f"{name}: lane 01, cart radar"]["beside"][0] for name in ("own", "other")
    )
    assert other["soil"] == own["soil"] == "loam"
    assert other["words"]["differs"] > 8
    assert other["words"]["differs"] > 3 * own["words"]["differs"]
    rows = {row["key"]: row for row in other["figures"]}
    assert rows["singular.patterns"]["word"] == "differs"


@whole_chain
def test_synthetic_references_are_no_field_data(home, beside):
    """They are called SYNTHETIC, and the verdict stays."""
    assert beside["own: lane 01, cart radar"]["data"] == "SYNTHETIC"
    assert beside["line.dzt"]["data"] == "recorded"
    assert NOT_COMPARED in home.said["beside"].out
    assert load(home.path / "beside" / "check.json")["verdict"] == NOT_COMPARED


@whole_chain
def test_a_band_apart_is_a_reason(home, beside):
    """A recording of 100 MHz gets its own figures and no comparison."""
    item = beside["line.dzt"]
    assert item["why_not_compared"] == (
        "an antenna of 100 MHz has no band in common with the radar of the scenario, 1.5 GHz"
    )
    assert item["beside"] == []
    said = " ".join(home.said["beside"].out.split())
    assert f"cannot be compared: {item['why_not_compared']}" in said


@whole_chain
def test_every_word_has_its_reason(beside):
    """What cannot be compared says why, what is judged has both figures."""
    for item in beside.values():
        for block in item["beside"]:
            for row in block["figures"]:
                judged = row["word"] in {"like", "differs"}
                assert judged == (row["why"] is None)
                if judged:
                    low, high = row["synthetic_lowest"], row["synthetic_highest"]
                    assert low <= row["synthetic"] <= high
                    assert row["recording"] is not None


@pytest.mark.slow
@whole_chain
def test_references_that_cannot_be_compared_say_why(home, tmp_path):
    """Concrete, no known frequency, too few traces: a reason each, and code 0."""
    line = write_line(tmp_path / "line.dzt")
    coarse = write_line(tmp_path / "coarse.dzt", antenna=b"700MHz")
    few = write_dzt(tmp_path / "few.dzt", scans(30, n_samples=128), antenna=b"1.5GHz")
    radar, coils = load_sweeps(home.path / "own" / "sweeps")
    nameless = dataclasses.replace(radar.sensor, radar=None)
    nameless = dataclasses.replace(radar, sensor=nameless, history=())
    save_sweeps(tmp_path / "two", [nameless, coils])
    words = ("--check", "--ground", "concrete", "--output", tmp_path / "out", "--reference")
    found = run("simulate", home.path / "loam.toml", *words, line, coarse, tmp_path / "two")
    assert found.code == 0, found
    items = load(tmp_path / "out" / "check.json")["references"]
    assert len(items) == 4
    assert {item["why_not_compared"] for item in items} == {
        "concrete is no soil of the simulator"
    }
    words = ("--check", "--output", tmp_path / "again", "--reference", few, coarse)
    words += (tmp_path / "two",)
    found = run("simulate", home.path / "loam.toml", *words)
    assert found.code == 0, found
    first, second, third, _ = load(tmp_path / "again" / "check.json")["references"]
    assert first["why_not_compared"].startswith("30 usable traces")
    assert second["why_not_compared"].startswith("its radar cannot be simulated: Invalid inter")
    assert third["why_not_compared"] == "its centre frequency is not known"
    assert NOT_COMPARED in found.out


@whole_chain
def test_frequency_and_spacing_can_be_stated(home, tmp_path):
    """They take the place of what the file says."""
    line = write_line(tmp_path / "line.dzt")
    words = ("--check", "--output", tmp_path / "out", "--reference", line)
    options = ("--frequency", 150e6, "--spacing", 0.5)
    assert run("simulate", home.path / "loam.toml", *words, *options).code == 0
    (item,) = load(tmp_path / "out" / "check.json")["references"]
    assert item["centre_frequency_hz"] == 150e6
    lengths = [x for x in item["figures"] if x["key"] == "alarms"]
    assert lengths[0]["unit"] == "1/m"


@pytest.mark.slow
@whole_chain
def test_real_recordings_are_compared_where_they_can(test_data, home, tmp_path):
    """One antenna has a band in common with 1.5 GHz and lies on ground; the rest say why."""
    paths = sorted(
        path
        for path in (test_data / "gpr").rglob("*")
        if path.suffix.lower() in {".dzt", ".dt1"}
    )
    words = ("--check", "--output", tmp_path / "out", "--reference", *paths)
    found = run("simulate", home.path / "loam.toml", *words)
    assert found.code == 0, found
    assert NOT_COMPARED not in found.out
    document = load(tmp_path / "out" / "check.json")
    assert str(test_data) not in (tmp_path / "out" / "check.json").read_text()
    assert len(document["references"]) == len(paths)
    compared = [x["name"] for x in document["references"] if x["why_not_compared"] is None]
    assert compared == ["FILE____032.DZT"]
    assert document["verdict"].startswith("compared with FILE____032.DZT")


def test_documents_hold_no_number_that_json_lacks():
    """Infinities and what is missing become nothing, with a reason."""
    values = (-np.inf, Missing("too short"), 1.23456789)
    found = checkdocument._figures(
        [Figure(key="a", name="a", unit="", value=value) for value in values]
    )
    assert [x["value"] for x in found] == [None, None, 1.23457]
    assert [x["why"] for x in found] == ["not a finite number", "too short", None]


def test_words_are_counted_without_details():
    """Details are in the file alone."""
    figures = [
        Figure(key="a", name="a", unit="m", value=1.0),
        Figure(key="b", name="b", unit="", value=9.0),
        Figure(key="c", name="hidden", unit="", value=9.0, is_detail=True),
    ]
    rows = compare(figures, [[dataclasses.replace(x, value=1.0) for x in figures]])
    beside = Beside(soil="loam", statistics=[None], rows=rows, pairs=())
    assert counts_of(beside) == {"like": 1, "differs": 1, "cannot be compared": 0}
    reference = SimpleNamespace(
        name="line",
        is_synthetic=False,
        is_clipped=False,
        ground=None,
        notes=("thinned",),
        sweep=[None] * 5,
    )
    item = Compared(
        reference=reference, statistics=None, figures=figures, why="", beside=[beside]
    )
    check = Check(recipe=scenario("farmland"), seed=1, stretches=(), compared=[item])
    text = table_of(check)
    assert "hidden" not in text
    assert (
        "beside 1 SYNTHETIC stretches of loam: like 1, differs 1, cannot be compared 0" in text
    )
    assert re.search(r"^a \(m\) +1 +1 \(1 to 1\) +1 +like$", text, re.M)
    assert re.search(r"^b +9 +1 \(1 to 1\) +9 +differs$", text, re.M)
    assert "compared with line, of which nobody knows what lies there" in text
    assert document_of(dataclasses.replace(check, compared=()))["verdict"] == NOT_COMPARED
