"""Test the commands `info` and `convert` on recordings, as they are typed."""

import json
import warnings

import numpy as np
import numpy.testing as npt
import pytest
from radar_files import scans, write_dt1, write_dzt, write_rd3
from segy_files import numbers, write_segy

from minesense.apps.arguments import trace_range
from minesense.cli import main
from minesense.io import FormatWarning, read


def run(capsys, *arguments):
    """Run the program; return its exit code and what it printed."""
    code = main([str(argument) for argument in arguments])
    said = capsys.readouterr()
    return code, said.out, said.err


def make(folder, name):
    """Write a small recording of a format."""
    if name == "dzt":
        return write_dzt(folder / "line.DZT", scans(marks=(4, 9)))
    if name == "dt1":
        return write_dt1(folder / "line.DT1")
    if name == "rd3":
        return write_rd3(folder / "line.rd3")
    options = {"extended_interval": 1e-4, "revision": b"\x02\x01"}
    return write_segy(folder / "line.sgy", numbers(3, 12), **options)


FORMATS = ["dzt", "dt1", "rd3", "segy"]


@pytest.mark.parametrize("name", FORMATS)
def test_info(tmp_path, capsys, name):
    """One figure a line; the same as JSON."""
    path, output = make(tmp_path, name), tmp_path / "info.json"
    code, said, _ = run(capsys, "info", path, "--output", output)
    assert code == 0
    recording = read(path)
    lines = dict(line.split(maxsplit=1) for line in said.splitlines())
    assert lines["kind"] == "radar recording"
    assert lines["format"] == name
    assert int(lines["traces"]) == len(recording)
    assert float(lines["sample_interval_s"]) == recording.sample_interval
    document = json.loads(output.read_text())
    assert document["samples"] == recording.shape[2]
    assert document["marks"] == recording.marks.tolist()
    assert document["stored_as"] == str(recording.stored.dtype)


@pytest.mark.parametrize("name", FORMATS)
def test_info_of_a_large_file(tmp_path, capsys, monkeypatch, name):
    """Only its first traces are looked at, and it says how many."""
    path = make(tmp_path, name)
    for module in ("io.recording", "io.dzt_layout", "io.dt1", "io.segy", "apps.info"):
        monkeypatch.setattr(f"minesense.{module}.LOOKED_THROUGH", 100)
    code, said, _ = run(capsys, "info", path)
    assert code == 0
    (line,) = [line for line in said.splitlines() if line.startswith("traces_looked_at")]
    assert 1 <= int(line.split()[1]) < 12


def test_info_of_what_tells_no_frequency(tmp_path, capsys):
    """Samples that do not vary, in an antenna without a name, are no reason to fail."""
    stored = scans()
    stored[:, :, 2:] = 40000
    path = write_dzt(tmp_path / "a.DZT", stored, antenna=b"none")
    code, said, _ = run(capsys, "info", path)
    assert code == 0
    assert "centre_frequency_hz    not stated" in said
    assert "all samples have the same value" in said


@pytest.mark.parametrize("ending", [".DT1", ".rd3", ".rd7", ".sgy", ".DZT"])
@pytest.mark.parametrize("name", FORMATS)
def test_convert(tmp_path, capsys, name, ending):
    path = make(tmp_path, name)
    target = tmp_path / f"new{ending}"
    code, said, complained = run(capsys, "convert", path, target, "--spacing", "0.1")
    assert (code, complained) == (0, "")
    assert f"wrote {target}" in said
    written = sorted(file.name for file in tmp_path.glob("new*"))
    assert [line.split("/")[-1] for line in said.splitlines() if "wrote" in line] == sorted(
        written, key=lambda file: (file != target.name, file)
    )
    recording = read(path)
    code, said, _ = run(capsys, "info", target)
    assert code == 0
    assert f"{len(recording)}" in said


def test_convert_a_part(tmp_path, capsys):
    """Traces counted from 0, the last named left out; what was done as JSON."""
    path, target = make(tmp_path, "rd3"), tmp_path / "new.rd3"
    output = tmp_path / "done.json"
    code, said, _ = run(capsys, "convert", path, target, "--traces", "3:9", "--output", output)
    assert code == 0
    assert "6 of 12 traces of line.rd3, rd3" in said
    npt.assert_array_equal(read(target).stored, read(path).stored[3:9])
    document = json.loads(output.read_text())
    assert document["traces"] == 6
    assert document["written"] == [str(target), str(target.with_suffix(".rad"))]


def test_convert_with_a_scale(tmp_path, capsys):
    path = write_segy(tmp_path / "a.sgy", numbers(5), code=5)
    target = tmp_path / "a.DT1"
    code, _, complained = run(capsys, "convert", path, target)
    assert code == 2
    assert "pass scale" in complained
    assert complained.count("\n") == 1
    assert not target.exists()
    code, said, _ = run(capsys, "convert", path, target, "--scale", "1000", "--dt-unit", "ps")
    assert code == 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FormatWarning)  # the file says little of itself
        back = read(target)
    npt.assert_array_equal(back.stored, np.rint(1000 * read(path, dt_unit="ps").stored))
    assert "warning" not in said


def test_convert_one_channel(tmp_path, capsys):
    path, target = write_dzt(tmp_path / "a.DZT", scans(20, 2)), tmp_path / "a.rd3"
    code, _, complained = run(capsys, "convert", path, target)
    assert (code, "holds one channel" in complained) == (2, True)
    assert run(capsys, "convert", path, target, "--channel", "1")[0] == 0
    npt.assert_array_equal(
        read(target).stored[:, 0, 2:], read(path).stored[:, 1, 2:].astype(int) - 32768
    )


def test_convert_overwrites_only_when_told(tmp_path, capsys):
    path, target = make(tmp_path, "rd3"), tmp_path / "new.sgy"
    assert run(capsys, "convert", path, target)[0] == 0
    before = target.read_bytes()
    code, _, complained = run(capsys, "convert", path, target, "--traces", ":4")
    assert (code, "exists" in complained) == (2, True)
    assert target.read_bytes() == before
    code, _, _ = run(capsys, "convert", path, target, "--traces", ":4", "--overwrite")
    assert code == 0
    assert len(read(target)) == 4


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (["line.rd3", "new.xyz"], "Must end in one of"),
        (["line.rd3", "new.xyz", "--format", "png"], "Invalid format 'png'"),
        (["line.rd3", "new.DT1", "--dt-unit", "ps"], "Invalid option --dt-unit"),
        (["line.rd3", "new.DZT", "--channel", "0"], "Invalid option --channel"),
        (["line.rd3", "new.DT1", "--traces", "50:"], "none of the 12 traces"),
        (["none.rd3", "new.DT1"], "No such file"),
        (["line.rad", "nowhere/new.DT1"], "No such file"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    tmp_path, monkeypatch, capsys, arguments, match
):
    make(tmp_path, "rd3")
    monkeypatch.chdir(tmp_path)
    code, said, complained = run(capsys, "convert", *arguments)
    assert (code, said) == (2, "")
    assert match in complained
    assert complained.count("\n") == 1
    assert not list(tmp_path.glob("new*"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [("2:5", slice(2, 5)), (":5", slice(0, 5)), ("2:", slice(2, None)), (":", slice(0, None))],
)
def test_ranges_of_traces(text, expected):
    assert trace_range(text) == expected


@pytest.mark.parametrize("text", ["", "5", "5:2", "3:3", "-1:4", "a:b", "1:2:3"])
def test_ranges_that_are_none(tmp_path, capsys, text):
    with pytest.raises(SystemExit) as caught:
        run(capsys, "convert", tmp_path / "a.rd3", tmp_path / "b.rd3", f"--traces={text}")
    assert caught.value.code == 2
    assert "--traces" in capsys.readouterr().err
