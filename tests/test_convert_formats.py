"""Test minesense info and minesense convert over every format that is read."""

import json
import zipfile

import numpy as np
import numpy.testing as npt
import pytest
from radar_files import scans, write_dzt
from test_coil_bag import in_turn, write_bag
from test_frequency_sweep import TONES, echo, write_vna
from test_gprmax import pulse, write_model
from test_hdf5_sweep import by_hand, write_transients
from test_seg2 import WHOLE, write_seg2
from test_skyhub import row, write_log

from minesense import cli
from minesense.io import read, write
from minesense.io.formats import FORMATS, detect, find_format


def run(capsys, *arguments):
    """Run a command; return its exit code and what it printed."""
    code = cli.main([str(argument) for argument in arguments])
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def write_all(folder):
    """Return a file of each format of no radar vendor, by name, with options to read it."""
    (folder / "touchstone").mkdir()
    touchstone = folder / "touchstone" / "a.s1p"
    touchstone.write_text("# GHz S RI R 50\n1 0.1 0.2\n2 0.2 -0.1\n3 0.1 0.1\n")
    table = folder / "lane.csv"
    table.write_text("time [s],easting [m],northing [m],coil [mV]\n0,0,0,1\n1,0,1,2\n")
    log = folder / "log.csv"
    log.write_text("t,c\n0,1\n1,2\n")
    template = folder / "log.toml"
    template.write_text(
        '[columns.time]\nname = "t"\nunit = "s"\n[[samples]]\nname = "c"\nunit = "mV"\n'
    )
    (folder / "vna").mkdir()
    write_vna(folder / "vna" / "VNA_X1_Y2_OrX_Fs600M_Fe6000M_Qf501_H1.csv", echo(7e-9))
    return {
        "gprmax": (write_model(folder / "model.out", {"Ez": pulse(64, 3)}), []),
        "hdf5": (by_hand(folder / "sweep.h5"), []),
        "transients": (write_transients(folder / "cued.h5"), []),
        "seg2": (write_seg2(folder / "line.sg2", WHOLE, code=2), []),
        "coil": (write_bag(folder, in_turn()), []),
        "touchstone": (touchstone, []),
        "vna": (folder / "vna", []),
        "sweep table": (table, []),
        "table": (log, [f"template={template}"]),
    }


@pytest.mark.filterwarnings("ignore:.*more energy lies:UserWarning")
def test_info_and_convert_cover_every_format(tmp_path, capsys):
    """Each is described, and written as arrays in HDF5 that read back."""
    for name, (path, options) in write_all(tmp_path).items():
        given = [word for text in options for word in ("--option", text)]
        report = tmp_path / "info.json"
        code, out, err = run(capsys, "info", path, "--output", report, *given)
        assert (code, err) == (0, ""), name
        assert name in out
        assert json.loads(report.read_text())["format"] == name
        target = tmp_path / f"{name.replace(' ', '_')}.hdf5"
        code, out, err = run(capsys, "convert", path, target, *given)
        assert (code, err) == (0, ""), name
        assert out.startswith(f"wrote {target}")
        sweeps = read(target).sweeps
        assert sweeps
        assert len(sweeps[0])
        code, _, err = run(capsys, "convert", path, target, *given)
        assert code == 2
        assert "overwrite" in err
        code, _, err = run(capsys, "convert", path, target, "--overwrite", *given)
        assert code == 0
        assert err == ""


def test_every_format_is_told_by_its_content(tmp_path):
    """And named once in the table; readers and writers exist."""
    for name, (path, options) in write_all(tmp_path).items():
        head = b"" if path.is_dir() else path.read_bytes()[:3840]
        found = detect(head, path)
        if not options:
            assert found is find_format(name)
    assert len({one.name for one in FORMATS}) == len(FORMATS)
    for one in FORMATS:
        assert callable(one.load_reader())
        assert all(suffix == suffix.lower() and suffix[0] == "." for suffix in one.suffixes)
        if one.writer:
            assert callable(one.load_writer())


@pytest.mark.filterwarnings("ignore")
def test_a_log_places_a_recording(tmp_path, capsys):
    """Convert --positions joins both, and asks for the base where it is not clear."""
    radar = write_dzt(tmp_path / "line.DZT", scans(8, n_samples=64), scans_per_metre=0.0)
    rows = [row(k, trace=1 + k // 5 if k % 5 == 0 else "") for k in range(30)]
    log = write_log(tmp_path / "2024-05-01-position.csv", rows)
    code, out, _ = run(capsys, "info", log)
    assert code == 0
    assert "position log" in out
    target = tmp_path / "line.h5"
    code, _, err = run(capsys, "convert", radar, target, "--positions", log)
    assert code == 2
    assert "first_trace" in err
    code, out, _ = run(
        capsys, "convert", radar, target, "--positions", log, "--first-trace", "1"
    )
    assert code == 0
    assert "2 of 8 traces have no row" in out
    position = read(target).to_sweep().position
    npt.assert_allclose(position[:6, 1], 1.11132 * np.arange(6), atol=1e-4)
    assert np.isnan(position[6:]).all()
    code, _, err = run(capsys, "convert", log, tmp_path / "log.h5")
    assert code == 2
    assert "no samples" in err
    code, _, err = run(capsys, "convert", log, target, "--positions", radar)
    assert code == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["{gprmax}", "a.xyz"], "Must end in one of"),
        (["{gprmax}", "a.h5", "--option", "component"], "NAME=VALUE"),
        (["{gprmax}", "a.h5", "--option", "colour=red"], "option --colour"),
        (["{gprmax}", "a.h5", "--option", "component=Q"], "component"),
        (["{gprmax}", "a.h5", "--format", "xyz"], "format"),
        (["{gprmax}", "a.s2p"], "FrequencySweep"),
        (["{table}", "a.h5"], "template"),
        (["{coil}", "a.csv"], "holds 2 sweeps"),
        (["{coil}", "a.h5", "--traces", "9999:"], "--traces"),
        (["{touchstone}", "a.h5", "--traces", "0:2"], "--traces"),
        (["{coil}", "a.dzt"], "Recording"),
        (["{touchstone}", "a.csv"], "complex"),
        (["{nothing}", "a.h5"], "nothing"),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_what_cannot_be_converted_is_one_line(tmp_path, capsys, arguments, words):
    """Exit code 2, no traceback, no file."""
    files = {
        name.replace(" ", "_"): str(path) for name, (path, _) in write_all(tmp_path).items()
    }
    files["nothing"] = str(tmp_path / "nothing.h5")
    given = [arguments[0].format(**files), str(tmp_path / arguments[1]), *arguments[2:]]
    code, out, err = run(capsys, "convert", *given)
    assert code == 2
    assert out == ""
    assert err.count("\n") == 1
    assert words in err
    assert not (tmp_path / arguments[1]).exists()


@pytest.mark.filterwarnings("ignore")
def test_tables_and_touchstone_are_written_too(tmp_path, capsys):
    """Where they can hold what was read."""
    files = write_all(tmp_path)
    code, _, err = run(capsys, "convert", files["sweep table"][0], tmp_path / "again.csv")
    assert (code, err) == (0, "")
    npt.assert_array_equal(
        read(tmp_path / "again.csv").to_sweep().samples,
        read(files["sweep table"][0]).to_sweep().samples,
    )
    code, _, err = run(capsys, "convert", files["touchstone"][0], tmp_path / "again.s1p")
    assert (code, err) == (0, "")
    again = read(tmp_path / "again.s1p")
    npt.assert_array_equal(again.values, read(files["touchstone"][0]).values)
    assert len(TONES) == 501


def test_info_of_an_archive_that_is_no_model(tmp_path, capsys):
    """A project of a vendor is not taken for a model of ours: the way out is named."""
    path = tmp_path / "project.gpz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("line00.dt1", b"")
    code, _, err = run(capsys, "info", path)
    assert code == 2
    assert "export DT1/HD" in err


def test_an_option_that_a_format_does_not_have(tmp_path):
    """Is named, with those that there are, by reading and by writing."""
    path = tmp_path / "line.rd3"
    path.write_bytes(np.arange(40, dtype="<i2").tobytes())
    with pytest.raises(TypeError, match=r"Invalid option 'colour' of format rd3. .*'strict'"):
        read(path, colour="red")
    recording = read(path, n_samples=4, sample_interval=1e-10, spacing=0.05)
    with pytest.raises(TypeError, match=r"Invalid option 'strict' of format segy. .*'scale'"):
        write(recording, tmp_path / "a.sgy", strict=True)
    assert not (tmp_path / "a.sgy").exists()
