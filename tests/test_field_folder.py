"""Test a field as a folder: what is written, that reading checks it, and how lean it is."""

import dataclasses
import json
import math
import os
import subprocess
import sys
import tracemalloc

import numpy as np
import numpy.testing as npt
import pytest

from minesense.apps.fieldfolder import (
    ground_of,
    read_lanes,
    read_records,
    read_truth,
    write_field,
)
from minesense.apps.fieldseal import digest_of
from minesense.apps.fieldsweeps import (
    check_sweeps,
    is_of_field,
    read_sweep,
    read_sweeps,
)
from minesense.io import load_sweeps, save_sweeps
from minesense.io.trouble import FormatError
from minesense.synthetic import cart, field, read_scenario, scenario


def make_field(*, seed=3, lanes=3, length=1.5, **changes):
    """Return a field of short lanes, with records."""
    changes = {
        "lanes": {"training": lanes - 1, "blind": 1, "length": length, "run_in": 0.5},
        "layout": {"density": 1.0},
        "clutter": {"preset": "village"},
        "records": {"exists": 1.0},
    } | changes
    return field(scenario("farmland", **changes), seed=seed)


CART = cart(n_antennas=1, n_coils=2, width=0.5, radar_spacing=0.1, coil_spacing=0.1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with a small field in it."""
    path = tmp_path_factory.mktemp("field")
    made = make_field()
    n_traces = write_field(path, made, made.stream(CART))
    sweeps = load_sweeps(path / "sweeps")
    assert n_traces == sum(len(sweep) * sweep.sensor.shape[0] for sweep in sweeps)
    return path


@pytest.fixture
def spoilt(folder, tmp_path):
    """Return a copy of that folder, to be spoilt."""
    (tmp_path / "sweeps").mkdir()
    for path in folder.rglob("*.*"):
        if path.is_file():
            (tmp_path / path.relative_to(folder)).write_bytes(path.read_bytes())
    return tmp_path


def test_what_is_written_comes_back(folder):
    """Truth, records, lanes, recipe and sweeps, all as they were made."""
    made = make_field()
    assert read_truth(folder) == made.truth
    assert read_truth(folder / "truth.json").origins == made.record_origins
    assert read_records(folder) == made.records
    assert len(made.records) > 0
    document = json.loads((folder / "field.json").read_text())
    assert read_scenario(document["scenario"]) == made.scenario
    assert (document["format"], document["version"]) == ("minesense field", 2)
    assert document["truth_sha256"] == made.truth.sha256
    records = json.loads((folder / "records.json").read_text())
    assert document["records_sha256"] == records["sha256"]
    assert json.loads((folder / "truth.json").read_text())["sha256"] == made.truth.sha256
    for name in ("field.json", "truth.json", "records.json"):
        assert "SYNTHETIC" in (folder / name).read_text()
    lanes = read_lanes(folder)
    assert [lane["name"] for lane in lanes] == [lane.name for lane in made.lanes]
    assert [lane["is_blind"] for lane in lanes] == [False, False, True]
    expected = made.sweep(CART, lanes=["lane 02", "lane 03"])
    found = read_sweeps(folder, {"lane 02", "lane 03"})
    assert [s.history for s in found] == [s.history for s in expected]
    for one, other in zip(found, expected, strict=True):
        npt.assert_array_equal(one.samples, other.samples)


@pytest.mark.parametrize("heading", [0.0, 0.5, math.pi])
def test_the_ground_of_lanes_comes_back(tmp_path, heading):
    """Rectangles of lanes along an axis, corners of others, to the micrometre."""
    lanes = {"training": 1, "blind": 1, "length": 1.0, "run_in": 0.3, "heading": heading}
    made = field(scenario("farmland", lanes=lanes, layout={"density": 0.0}), seed=1)
    write_field(tmp_path, made, made.stream(CART))
    found = ground_of(read_lanes(tmp_path))
    expected = made.area_of(made.training + made.blind)
    assert len(found[0]) == (2 if heading == 0.5 else 5)
    for one, other in zip(found, expected, strict=True):
        assert one[-1] == other[-1]
        npt.assert_allclose(
            np.ravel(one[0] if len(one) == 2 else one[:4]),
            np.ravel(other[0] if len(other) == 2 else other[:4]),
            atol=1e-6,
        )


def test_a_field_without_records_has_none(tmp_path):
    """No file, and none is missed."""
    made = make_field(records=None, lanes=2)
    write_field(tmp_path, made, made.stream(CART))
    assert not (tmp_path / "records.json").exists()
    assert json.loads((tmp_path / "field.json").read_text())["records_sha256"] is None
    assert read_records(tmp_path) == ()
    assert read_truth(tmp_path).origins == ()


def test_a_field_is_not_written_over(folder):
    """The sweeps of a folder are kept."""
    made = make_field()
    with pytest.raises(FileExistsError, match="it holds sweeps already"):
        write_field(folder, made, made.stream(CART))


@pytest.mark.parametrize(
    ("old", "new"),
    [('"depth": 0.', '"depth": 1.'), ('"position_error": 0.0', '"position_error": 0.1')],
)
def test_a_changed_truth_is_refused(spoilt, old, new):
    """Whatever was changed, with the hash it has and the one it should have."""
    path = spoilt / "truth.json"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(ValueError, match=r"its sha256 is '[0-9a-f]{64}'. Must be that of its"):
        read_truth(spoilt)


def test_a_truth_without_its_hash_is_refused_unless_it_is_real(spoilt):
    """That of a synthetic field must carry one; one written by hand need not."""
    path = spoilt / "truth.json"
    document = json.loads(path.read_text())
    del document["sha256"]
    path.write_text(json.dumps(document))
    with pytest.raises(ValueError, match=r"its sha256 is 'None'"):
        read_truth(spoilt)
    path.with_name("field.json").unlink()  # which would name the truth that was written
    path.write_text(json.dumps(document | {"is_synthetic": False}))
    assert len(read_truth(spoilt).objects) == len(document["objects"])
    path.write_text(json.dumps(document | {"is_synthetic": False, "sha256": "0" * 64}))
    with pytest.raises(ValueError, match=r"its sha256 is '0000"):
        read_truth(spoilt)


def test_changed_records_are_refused(spoilt):
    """And records that are none."""
    path = spoilt / "records.json"
    document = json.loads(path.read_text())
    document["records"][0]["number"] += 1
    path.write_text(json.dumps(document))
    with pytest.raises(ValueError, match=r"their sha256 is '[0-9a-f]{64}'. Must be that of"):
        read_records(spoilt)
    document["records"][0]["number"] = "many"
    path.write_text(json.dumps(document))
    with pytest.raises(ValueError, match=r"Expected `int`.*\$\[0\].number"):
        read_records(spoilt)
    path.write_text(json.dumps({"records": None}))
    with pytest.raises(ValueError, match=r"Invalid records .*Must be a records.json"):
        read_records(spoilt)


def test_the_records_of_another_field_are_refused(spoilt, tmp_path):
    """Whole in themselves, but field.json names others; missing or new ones are told too."""
    write_field(tmp_path / "other", make_field(seed=8), [])
    other = (tmp_path / "other" / "records.json").read_bytes()
    path = spoilt / "records.json"
    path.write_bytes(other)
    with pytest.raises(
        ValueError, match=r"records.json': its sha256 is .* field in field.json"
    ):
        read_records(spoilt)
    path.unlink()
    with pytest.raises(
        ValueError, match=r"records.json': the file is missing. Must be that of"
    ):
        read_records(spoilt)
    write_field(tmp_path / "none", make_field(records=None), [])
    (tmp_path / "none" / "records.json").write_bytes(other)
    with pytest.raises(ValueError, match=r"Must be absent, as field.json names none"):
        read_records(tmp_path / "none")
    (tmp_path / "none" / "field.json").unlink()
    assert read_records(tmp_path / "none") == make_field(seed=8).records


@pytest.mark.parametrize("change", [{"version": 1}, {"version": None}, {"format": "other"}])
def test_fields_of_other_versions_are_refused(spoilt, change):
    """Whole in themselves, as those that named no hash of their records were."""
    path = spoilt / "field.json"
    document = json.loads(path.read_text()) | change
    path.write_text(json.dumps(document | {"sha256": digest_of(document)}))
    for read in (read_lanes, read_truth, read_records, check_sweeps):
        with pytest.raises(
            ValueError, match=r"version are .*'minesense field', 2\).*simulated again"
        ):
            read(spoilt)


def test_all_sweeps_can_be_checked(spoilt):
    """Each that field.json names, and no other."""
    assert check_sweeps(spoilt) == 6
    first, *_, last = sorted((spoilt / "sweeps").glob("*.npz"))
    more = spoilt / "sweeps" / "00006_more.npz"
    more.write_bytes(first.read_bytes())
    with pytest.raises(ValueError, match=r"00006_more.npz': not named in field.json. Must be"):
        check_sweeps(spoilt)
    with pytest.raises(ValueError, match=r"00006_more.npz': not named in field.json. Must be"):
        read_sweep(more)
    more.unlink()
    whole = last.read_bytes()
    last.write_bytes(first.read_bytes())
    with pytest.raises(ValueError, match=r"Invalid sweep .*lane 01.*Must be those of field"):
        check_sweeps(spoilt)
    last.write_bytes(whole[:-9])
    with pytest.raises(FormatError, match=last.name):
        check_sweeps(spoilt)
    last.unlink()
    for read in (check_sweeps, lambda folder: read_sweeps(folder, {"lane 03"})):
        with pytest.raises(
            ValueError, match=f"{last.name}': the file is missing. Must be there"
        ):
            read(spoilt)
    assert len(read_sweeps(spoilt, {"lane 01"})) == 2


def test_a_sweep_knows_its_field_by_where_it_lies(folder, tmp_path, monkeypatch):
    """In a folder of sweeps beside a field.json, named from anywhere."""
    file = sorted((folder / "sweeps").glob("*.npz"))[2]
    monkeypatch.chdir(folder / "sweeps")
    for path in (file, file.name, str(file)):
        assert is_of_field(path)
        assert read_sweep(path).lane == "lane 02"
    assert is_of_field(folder / "sweeps" / "lost.npz")
    assert not is_of_field(folder / "sweeps" / "index.json")
    assert not is_of_field(folder / "truth.npz")
    (tmp_path / "sweeps").mkdir()
    assert not is_of_field(tmp_path / "sweeps" / file.name)


def test_changed_samples_are_refused(spoilt):
    """By their own seal, whoever reads them, and by the list of the field."""
    first, second, *rest = load_sweeps(spoilt / "sweeps")
    changed = dataclasses.replace(first, samples=2 * first.samples)
    save_sweeps(spoilt / "sweeps", [changed, second, *rest], overwrite=True)
    for read in (load_sweeps, lambda path: read_sweeps(path.parent, {"lane 01"})):
        with pytest.raises(FormatError, match=r"sha256.*that of its content"):
            read(spoilt / "sweeps")
    assert len(read_sweeps(spoilt, {"lane 02"})) == 2
    unsealed = dataclasses.replace(changed, history=())
    save_sweeps(spoilt / "sweeps", [unsealed, second, *rest], overwrite=True)
    with pytest.raises(ValueError, match=r"Must be those of field.json"):
        read_sweeps(spoilt, {"lane 01"})


def test_a_sweep_in_the_place_of_another_is_refused(spoilt):
    """Whole in itself, but not the one that was written there."""
    files = sorted((spoilt / "sweeps").glob("*.npz"))
    files[0].write_bytes(files[2].read_bytes())
    with pytest.raises(ValueError, match=r"Invalid sweep .*lane 02.*Must be those of"):
        read_sweeps(spoilt, {"lane 01"})


@pytest.mark.parametrize("sweeps", [None, "some", [1], [{"lane": "lane 01"}]])
def test_a_field_without_its_sweeps_is_refused(spoilt, sweeps):
    """Its list must hold lane, sensor, hash and file of each."""
    path = spoilt / "field.json"
    document = json.loads(path.read_text()) | {"sweeps": sweeps}
    path.write_text(json.dumps(document))
    with pytest.raises(ValueError, match=r"Invalid field .*no sweeps"):
        read_sweeps(spoilt, {"lane 01"})


def test_names_of_files_cannot_lead_out_of_the_folder(spoilt):
    """A name with a path in it is looked for in the folder itself."""
    path = spoilt / "field.json"
    text = path.read_text().replace('"00000_', '"../sweeps/../../00000_')
    document = json.loads(text)
    path.write_text(json.dumps(document | {"sha256": digest_of(document)}))
    assert len(read_sweeps(spoilt, {"lane 01"})) == 2


def test_a_changed_field_is_refused(spoilt):
    """Blind lanes cannot be made lanes to train on, nor soils and seeds be changed."""
    path = spoilt / "field.json"
    written = json.loads(path.read_text())
    lanes = [lane | {"is_blind": not lane["is_blind"]} for lane in written["lanes"]]
    for change in ({"lanes": lanes}, {"seed": written["seed"] + 1}, {"sha256": None}):
        path.write_text(json.dumps(written | change))
        for read in (read_lanes, read_truth, lambda folder: read_sweeps(folder, {"lane 01"})):
            with pytest.raises(
                ValueError, match=r"Invalid field .*sha256.*that of its content"
            ):
                read(spoilt)
    path.write_text(json.dumps(written))
    assert read_lanes(spoilt) == written["lanes"]


def test_the_truth_of_another_field_is_refused(spoilt, tmp_path):
    """Whole in itself, but field.json names another; alone it is read."""
    write_field(tmp_path / "other", make_field(seed=8), [])
    other = (tmp_path / "other" / "truth.json").read_bytes()
    (spoilt / "truth.json").write_bytes(other)
    with pytest.raises(ValueError, match=r"Invalid truth .*Must be that of the field in field"):
        read_truth(spoilt)
    bare = json.loads(other) | {"is_synthetic": False}
    del bare["sha256"]
    (spoilt / "truth.json").write_text(json.dumps(bare))
    with pytest.raises(ValueError, match=r"Must be that of the field in field.json"):
        read_truth(spoilt)
    alone = tmp_path / "alone.json"
    alone.write_bytes(other)
    spoilt.joinpath("field.json").unlink()
    assert read_truth(alone).is_synthetic


# -- lane by lane --------------------------------------------------------------------------


def test_a_stream_gives_what_a_sweep_gives():
    """In the same order, whatever the workers; nothing is computed before it is asked for."""
    made, done = make_field(), []
    expected = [sweep.history[-1] for sweep in made.sweep(CART)]
    stream = made.stream(CART, progress=done.append)
    assert done == []
    assert [next(stream).history[-1], next(stream).history[-1]] == expected[:2]
    assert [sweep.history[-1] for sweep in stream] == expected[2:]
    assert done == [lane.name for lane in made.lanes]
    for workers in (2, 5):
        done.clear()
        found = made.stream(CART, workers=workers, progress=done.append)
        assert [sweep.history[-1] for sweep in found] == expected
        assert done == [lane.name for lane in made.lanes]
    names = ["lane 03", "lane 01"]
    found = [sweep.lane for sweep in made.stream(CART, lanes=names, workers=2)]
    assert found == ["lane 03", "lane 03", "lane 01", "lane 01"]


def test_a_fault_in_a_lane_is_told():
    """By a stream with workers as by one without; wrong lanes and workers at once."""
    made = make_field()
    low = dataclasses.replace(CART, radar_spacing=1e-4)
    for workers in (1, 2):
        with pytest.raises(ValueError, match=r"Invalid spacing '0\.0001'"):
            list(made.stream(low, workers=workers))
    with pytest.raises(ValueError, match="Invalid lane 'x'"):
        made.stream(CART, lanes=["x"])
    with pytest.raises(ValueError, match=r"Invalid workers '0'"):
        made.stream(CART, workers=0)


def peak_memory(made, *, lanes=None, folder=None):
    """Return the greatest memory in use while lanes of a field are streamed or written."""
    tracemalloc.start()
    try:
        if folder is None:
            for sweep in made.stream(CART, lanes=lanes):
                assert len(sweep)
        else:
            write_field(folder, made, made.stream(CART))
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.slow
def test_memory_is_bounded_by_one_lane(tmp_path):
    """A dozen lanes need hardly more than the worst of them alone; so does writing them."""

    def fresh():
        return make_field(lanes=12, length=6.0, records=None)

    peak_memory(fresh())  # compiles the kernels, fills the lists of spheres
    worst = max(peak_memory(fresh(), lanes=[lane.name]) for lane in fresh().lanes)
    assert peak_memory(fresh()) < 1.15 * worst
    assert peak_memory(fresh(), folder=tmp_path) < 1.3 * worst


# -- machines ------------------------------------------------------------------------------

SAMPLES = """
import sys
import numpy as np
from minesense.synthetic import field, scenario
recipe = scenario("village", lanes={"training": 2, "blind": 0, "length": 2.0, "run_in": 0.5})
sweeps = field(recipe, seed=7).sweep()
np.savez(sys.argv[1], *(s.samples for s in sweeps), *(s.position for s in sweeps))
"""


def features():
    """Return the vector instructions that NumPy found here, as it names them."""
    return np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])


@pytest.mark.slow
@pytest.mark.endtoend
def test_samples_are_the_same_on_every_processor(tmp_path):
    """To a millionth of the largest one, without the vector instructions of this machine."""
    files = []
    for name, environment in (
        ("here", {}),
        (
            "plain",
            {
                "NUMBA_CPU_NAME": "generic",
                "NPY_DISABLE_CPU_FEATURES": " ".join(features()),
                "OPENBLAS_CORETYPE": "Prescott",
                "MINESENSE_CACHE": "0",
            },
        ),
    ):
        files.append(tmp_path / f"{name}.npz")
        result = subprocess.run(
            [sys.executable, "-c", SAMPLES, str(files[-1])],
            env=os.environ | environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stderr
    with np.load(files[0]) as here, np.load(files[1]) as plain:
        assert len(here.files) == 8
        for name in here.files:
            scale = np.nanmax(np.abs(here[name]))
            npt.assert_allclose(plain[name], here[name], rtol=0, atol=1e-6 * scale)
