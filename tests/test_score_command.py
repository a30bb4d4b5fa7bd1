"""Test the command that scores files: which objects count, frames, caps, damaged coverage."""

import contextlib
import dataclasses
import io
import json
import math
from types import SimpleNamespace

import numpy as np
import numpy.testing as npt
import pytest
from fields import make_alarm, make_coverage, make_target, make_truth
from hypothesis import given, settings
from hypothesis import strategies as st

from minesense import cli
from minesense.apps.detect import write_coverage
from minesense.io import write_csv, write_geojson
from minesense.score import Halo, score
from minesense.score.counted import counted_truth
from minesense.sweep import Frame

PLACES = [(lane, 1.5 + 2.0 * k) for lane in (0, 1) for k in range(4)]


def make_objects(*lanes):
    """Return eight mines in two lanes, each named as told."""
    named = lanes or ["A"] * 4 + ["B"] * 4
    return tuple(
        make_target(f"T{k}", float(east), north, lane=lane)
        for k, ((east, north), lane) in enumerate(zip(PLACES, named, strict=True))
    )


#: Six of them are found, two missed, and two alarms lie elsewhere.
ALARMS = [make_alarm(float(east), north, 2.0) for east, north in PLACES[:6]]
ALARMS += [make_alarm(0.3, 8.9, 2.0), make_alarm(1.3, 0.4, 1.5)]


@pytest.fixture
def scored(tmp_path):
    """Return a function that scores alarms against objects by the command."""
    coverage = make_coverage(10.0, 10.0)
    write_csv(ALARMS, tmp_path / "alarms.csv")
    write_coverage(tmp_path / "coverage.npz", coverage)

    def command(*objects, alarms="alarms.csv", options=("--threshold", "1.0"), **more):
        rows = [dataclasses.asdict(item) for item in objects or make_objects()]
        truth = {"objects": rows, "is_synthetic": False, "position_error": 0.0} | more
        (tmp_path / "truth.json").write_text(json.dumps(truth))
        path = tmp_path / "score.json"
        words = ["score", tmp_path / alarms, "--truth", tmp_path / "truth.json"]
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = cli.main([str(word) for word in (*words, "--output", path, *options)])
        found = json.loads(path.read_text()) if code == 0 else {}
        text = " ".join(out.getvalue().split())
        return SimpleNamespace(code=code, out=text, err=err.getvalue(), found=found)

    command.folder, command.coverage = tmp_path, coverage
    return command


# -- which objects count -------------------------------------------------------------------


@pytest.mark.parametrize(
    "lanes",
    [
        ["A"] * 4 + ["B"] * 4,
        ["A"] * 4 + ["B"] * 2 + ["b"] * 2,  # those that are missed
        [""] * 8,
        ["elsewhere"] * 8,
    ],
)
def test_the_name_of_a_lane_hides_no_miss(scored, lanes):
    """The same figures as in Python, whatever lane the mines on this ground name."""
    objects = make_objects(*lanes)
    made = scored(*objects)
    expected = score(ALARMS, make_truth(*objects), scored.coverage, threshold=1.0, curve=False)
    assert (expected.pd_swept.k, expected.pd_swept.n, expected.false_alarms.count) == (6, 8, 2)
    for figure in ("pd_swept", "pd_total", "false_alarms"):
        assert made.found[figure] == expected.to_dict()[figure]
    odd = sorted({*lanes} - {"A", "B", ""})
    n = sum(lane in odd for lane in lanes)
    said = {"n_objects": n, "n_targets": n, "lanes": odd}
    assert made.found["lane_unknown_but_counted"] == said
    assert made.found["left_out_of_truth"] == {"n_objects": 0, "n_targets": 0, "lanes": []}
    assert ("counted where they lie" in made.out) == bool(n)
    assert "left out" not in made.out


def test_what_lies_elsewhere_in_other_lanes_is_left_out_and_told(scored):
    """Training lanes of the same truth, for one; a lane that is known counts anywhere."""
    far = [make_target(f"F{k}", 9.0 + k, 3.0, lane=f"far {k}") for k in range(7)]
    can = make_target("C", 30.0, 3.0, is_target=False, kind="can", lane="far 0")
    made = scored(*make_objects(), *far, can)
    assert made.found["pd_total"]["n"] == 8
    names = [f"far {k}" for k in range(7)]
    said = {"n_objects": 8, "n_targets": 7, "lanes": names}
    assert made.found["left_out_of_truth"] == said
    assert "left out, since they lie elsewhere: 8, targets among them: 7" in made.out
    assert "'far 3', 'far 4' and 2 more" in made.out
    for lane in ("A", ""):
        made = scored(*make_objects(), dataclasses.replace(far[0], lane=lane))
        assert (made.found["pd_swept"]["n"], made.found["pd_total"]["n"]) == (8, 9)


@given(
    easting=st.floats(-1.5, 2.5),
    northing=st.floats(-1.0, 11.0),
    radius=st.floats(0.01, 0.6),
)
@settings(max_examples=60)
def test_near_ground_is_what_a_slow_version_says(easting, northing, radius):
    """The least distance to a wanted rectangle, here one of 2 by 10 m."""
    coverage, halo = make_coverage(10.0, 10.0), Halo(kind="fixed", radius=radius)
    mine = make_target("T", easting, northing, lane="unknown")
    gaps = [max(-0.5 - easting, easting - 1.5, 0.0), max(-northing, northing - 10.0, 0.0)]
    distance = math.hypot(*gaps)
    if abs(distance - radius) < 1e-6:
        return
    found = counted_truth(make_truth(mine), coverage, halo)
    assert bool(found.renamed) == (distance < radius)
    assert bool(found.left_out) != bool(found.renamed)
    assert len(found.truth.objects) == len(found.renamed)


def test_ground_that_was_not_wanted_is_none():
    """The grid reaches beyond the lanes."""
    coverage = make_coverage(10.0)
    east, _, north, _ = coverage.extent
    corner = make_target("T", east + 0.01, north + 0.01, lane="unknown")
    assert not coverage.at(coverage.wanted, corner.easting, corner.northing, False)
    near, far = (Halo(kind="fixed", radius=radius) for radius in (1.0, 0.001))
    assert counted_truth(make_truth(corner), coverage, far).left_out == (corner,)
    assert counted_truth(make_truth(corner), coverage, near).renamed == (corner,)


def test_places_that_are_none_are_left_to_the_score(scored):
    """It says what is wrong with them; a place at the end of numbers is only far away."""
    bad = dataclasses.replace(make_target("X", 0.0, 3.0, lane="unknown"), diameter=-1.0)
    made = scored(*make_objects(), bad)
    assert (made.code, "Invalid diameter of object 'X'" in made.err) == (2, True)
    far = make_target("X", 1e308, -1e308, lane="unknown")
    made = scored(*make_objects(), far)
    assert made.found["left_out_of_truth"]["n_objects"] == 1


# -- frames --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (Frame(), 0),
        (Frame(origin="stake 1"), 0),  # the coverage states no origin
        (Frame(crs="EPSG:32633"), 2),
    ],
)
def test_alarms_in_another_frame_are_refused(scored, frame, code):
    """A GeoJSON of minesense says where its places are counted from."""
    write_geojson(ALARMS, scored.folder / "a.geojson", frame=frame, synthetic=False)
    made = scored(alarms="a.geojson")
    assert made.code == code
    if code:
        assert "invalid crs of minesense:frame 'EPSG:32633'. Must be 'local'" in made.err


def test_alarms_without_a_frame_are_taken_as_they_are(scored):
    """CSV, and GeoJSON of others."""
    path = scored.folder / "a.geojson"
    write_geojson(ALARMS, path, frame=Frame(crs="EPSG:32633"), synthetic=False)
    document = json.loads(path.read_text())
    del document["minesense:frame"]
    path.write_text(json.dumps(document))
    assert scored(alarms="a.geojson").found["pd_swept"] == scored().found["pd_swept"]
    document["minesense:frame"] = "somewhere"
    path.write_text(json.dumps(document))
    assert "invalid crs of minesense:frame None" in scored(alarms="a.geojson").err


# -- what was stated with the alarms -------------------------------------------------------


@pytest.mark.parametrize("options", [(), ("--threshold", "1.0")])
def test_a_cap_makes_every_pd_a_lower_bound(scored, options):
    """Whether the threshold is that of the file or another."""
    path = scored.folder / "quality.json"
    path.write_text(json.dumps({"threshold": 1.0, "withheld_by_cap": []}))
    assert scored(options=options).found["is_capped"] is False
    held = {"sensor": "gpr", "lane": "A", "n_found": 30, "n_kept": 4}
    path.write_text(json.dumps({"threshold": 1.0, "withheld_by_cap": [held]}))
    made = scored(options=options)
    assert made.found["is_capped"] is True
    assert "Alarms were capped: every Pd is a lower bound." in made.out


@pytest.mark.parametrize(
    ("quality", "message"),
    [
        ({"threshold": 1.0, "withheld_by_cap": "some"}, "Invalid withheld_by_cap 'some'"),
        ({"threshold": True}, "Invalid threshold True"),
        ({"threshold": "1"}, "Invalid threshold '1'"),
        ({}, "Invalid threshold None"),
    ],
)
def test_statements_that_are_none_are_refused(scored, quality, message):
    """Code 2."""
    (scored.folder / "quality.json").write_text(json.dumps(quality))
    made = scored(options=())
    assert (made.code, message in made.err) == (2, True)


# -- coverage ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cell": np.array(-0.05)}, "Invalid cell '-0.05'"),
        ({"cell": np.array(0.0)}, "Invalid cell '0.0'"),
        ({"origin": np.array([math.nan, 0.0])}, "Invalid origin"),
        ({"origin": np.array([math.inf, 0.0])}, "Invalid origin"),
        ({"lanes": np.array(["A"])}, "Invalid lane_index '1'"),
        (None, "it holds one array with shape (3,). Must be a coverage.npz"),
    ],
)
def test_a_damaged_coverage_is_bad_input(scored, change, message):
    """Code 2 and one line, not a fault of the program and not a score."""
    with (scored.folder / "coverage.npz").open("wb") as file:
        if change is None:
            np.save(file, np.zeros(3))
        else:
            np.savez(file, **(scored.coverage.to_arrays() | change))
    made = scored()
    assert (made.code, message in made.err) == (2, True), made.err
    assert made.err.count("\n") == 1


def test_the_coverage_is_not_changed_by_reading(scored):
    """What was written is what is scored on."""
    with np.load(scored.folder / "coverage.npz") as arrays:
        for name, array in scored.coverage.to_arrays().items():
            npt.assert_array_equal(arrays[name], array)
