"""Feed readers with damaged files: each ends in a recording or in a refusal."""

import contextlib
import importlib.util
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from radar_files import hd_text, points, rad_text, scans, write_dt1, write_dzt, write_rd3
from segy_files import numbers, write_segy

from minesense.io import FormatError, FormatWarning, Recording, hdf5_process, read
from minesense.io.formats import find_format

ROOT = Path(__file__).parents[1]
FORMATS = ["dzt", "dt1", "rd3", "segy"]
fuzz = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)


@pytest.fixture(scope="module")
def tool():
    """Return the longer script, which is no part of the package."""
    path = ROOT / "tools" / "fuzz_readers.py"
    spec = importlib.util.spec_from_file_location("fuzz_readers", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def make(folder, name):
    """Write a small recording and return the paths of its files, the data file first."""
    if name == "dzt":
        return [write_dzt(folder / "a.DZT", scans(4, n_samples=6))]
    if name == "dt1":
        path = write_dt1(folder / "a.DT1", points(3, 10), hd=hd_text(NUMBER_OF_TRACES="3"))
        return [path, path.with_suffix(".HD")]
    if name == "rd3":
        path = write_rd3(folder / "a.rd3", points(3, 10), rad=rad_text(LAST_TRACE="3"))
        path.with_suffix(".cor").write_text(
            "1\t2021-05-17\t12:00:00\t47.5\tN\t12.2\tE\t5.0\tM\t0.8\n"
            "3\t2021-05-17\t12:00:01\t47.6\tN\t12.3\tE\t5.0M\t0.8\n"
        )
        return [path, path.with_suffix(".rad"), path.with_suffix(".cor")]
    options = {"trace_source": (100, 200), "trace_units": 1, "revision": b"\x02\x01"}
    return [write_segy(folder / "a.sgy", numbers(3, 3, 12), **options)]


def spin(path):
    """Read for ever."""
    while path:
        pass


def end_of(path):
    """Return whether a file is read; anything but a refusal in time fails the test."""
    start = time.perf_counter()
    size = path.stat().st_size
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.simplefilter("ignore", FormatWarning)
            recording = read(path)
            assert isinstance(recording, Recording)
            assert recording.stored.nbytes <= 2 * size + 64 * 10**6
            recording.to_sweep(centre_frequency=4e8)
    except (ValueError, EOFError, FileNotFoundError):
        return False
    finally:
        assert time.perf_counter() - start < 1.0
    return True


@pytest.mark.parametrize("name", FORMATS)
def test_every_prefix(tmp_path, name):
    """Of the data file and of its sidecars; what is read is no longer than what is there."""
    paths = make(tmp_path, name)
    for path in paths:
        whole = path.read_bytes()
        ends = []
        for n in range(len(whole)):
            path.write_bytes(whole[:n])
            ends.append(end_of(path if path == paths[0] else paths[0]))
        path.write_bytes(whole)
        if path == paths[0]:
            assert not any(ends[:20])
            assert ends[-1]  # a truncated last trace
    assert end_of(paths[0])


@pytest.mark.parametrize("name", FORMATS)
def test_every_byte_of_the_headers(tmp_path, name):
    """The lowest, a middle and the highest bit turned, and the byte at its limits."""
    paths = make(tmp_path, name)
    spans = {"dzt": [range(128)], "dt1": [range(128)], "segy": [range(3200, 3840)]}
    for path in paths:
        whole = path.read_bytes()
        places = spans.get(name, [range(0)])[0] if path == paths[0] else range(len(whole))
        for place in places:
            old = whole[place]
            values = {old ^ 1, old ^ 16, old ^ 128, 0, 255}
            if path != paths[0]:
                values = {0, 255, 45, 57}
            for value in sorted(values - {old}):
                path.write_bytes(whole[:place] + bytes([value]) + whole[place + 1 :])
                end_of(paths[0])
        path.write_bytes(whole)


@fuzz
@given(data=st.binary(max_size=400), name=st.sampled_from(FORMATS), keep=st.booleans())
def test_random_bytes(tmp_path, data, name, keep):
    """In place of the data, or behind its header."""
    paths = make(tmp_path, name)
    head = {"dzt": 1024, "dt1": 128, "rd3": 0, "segy": 3600}[name]
    paths[0].write_bytes(paths[0].read_bytes()[:head] + data if keep else data * 12)
    end_of(paths[0])


@fuzz
@given(data=st.binary(max_size=300), name=st.sampled_from(["dt1", "rd3"]), keep=st.booleans())
def test_random_sidecars(tmp_path, data, name, keep):
    for path in make(tmp_path, name)[1:]:
        path.write_bytes(path.read_bytes() + data if keep else data)
    end_of(tmp_path / ("a.DT1" if name == "dt1" else "a.rd3"))


@fuzz
@given(data=st.binary(max_size=300), keep=st.booleans())
def test_random_tables(tmp_path, data, keep):
    """The table that is written beside SEG-Y."""
    (path,) = make(tmp_path, "segy")
    first = b"trace,distance [m],time [s],latitude [deg],longitude [deg],altitude [m],mark\n"
    rows = b"0,0.0,,,,,\n1,0.5,,,,,\n" + data + b"\n2,1.0,,,,,\n"
    path.with_name("a.traces.csv").write_bytes(first + (rows if keep else data))
    end_of(path)


QUICK = [*FORMATS, "seg2", "skyhub", "sweep table", "table", "coil", "gprmax", "transients"]


@pytest.mark.parametrize("name", QUICK)
def test_the_longer_script_finds_nothing(tool, tmp_path, name):
    """A few hundred of its inputs; the memory is bounded while it reads."""
    one = find_format(name)
    cases = tool.make_cases(one, None)
    assert cases
    with tool.quick_child() if name in tool.OF_HDF5 else contextlib.nullcontext():
        result = tool.fuzz(one, cases, n_inputs=200, seed=7, keep=tmp_path)
    ends = result["ends"]
    assert set(ends) <= {"read", "refused"}, ends
    assert min(ends.get(end, 0) for end in ("read", "refused")) > 10


def test_the_script_repeats_its_inputs(tool):
    (case, *_) = tool.make_cases(find_format("dt1"), None)
    first, second, other = (case.mutate(np.random.default_rng(k)) for k in (3, 3, 4))
    assert first == second
    assert first != other


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (lambda _: {}["lost"], "KeyError"),
        (spin, "took more than"),
        (lambda _: np.ones(40 * 10**6).sum(), "MemoryError"),
    ],
)
def test_the_script_finds_faults(tool, tmp_path, monkeypatch, capsys, fault, said):
    """A wrong exception, a hang and a large allocation are each found and kept."""
    one = find_format("rd3")
    monkeypatch.setattr(tool, "read", fault)
    cases = tool.make_cases(one, None)
    result = tool.fuzz(one, cases, n_inputs=2, seed=1, keep=tmp_path)
    assert any(said in end for end in result["ends"])
    assert said in capsys.readouterr().out
    assert list(tmp_path.iterdir())


def test_the_script_tries_again_after_a_stop_of_the_machine(tool, tmp_path, monkeypatch):
    """The clock ran on while nothing did; a reader that waits twice is found."""
    one = find_format("rd3")
    cases = tool.make_cases(one, None)
    ends = iter([tool._WAITED, "read", tool._WAITED, tool._WAITED])
    monkeypatch.setattr(tool, "try_input", lambda *_: next(ends))
    result = tool.fuzz(one, cases, n_inputs=2, seed=1, keep=tmp_path)
    assert result["ends"] == {"read": 1, tool._WAITED: 1}


def test_the_quick_child_ends_and_starts_again(tool, tmp_path):
    """After a file that ended it the next one is read, and so by the package's own."""
    pytest.importorskip("h5py")
    one = find_format("hdf5")
    (case, *_) = tool.make_cases(one, None)
    path = tmp_path / "w.h5"
    path.write_bytes(case.files["w.h5"])
    patience = hdf5_process._SECONDS
    with tool.quick_child():
        assert tool.try_input(None, path, path.stat().st_size) == "read"
        first = hdf5_process.CHILD._process.pid
        hdf5_process.CHILD._process.kill()
        assert tool.try_input(None, path, path.stat().st_size) == "read"
        assert hdf5_process.CHILD._process.pid != first
        shorter = hdf5_process._SECONDS
    assert (patience, shorter) == (hdf5_process._SECONDS, 0.05)
    assert tool.try_input(None, path, path.stat().st_size) == "read"


def test_the_script_on_the_command_line(tool, capsys):
    assert tool.main(["rd3", "--inputs", "20"]) == 0
    assert capsys.readouterr().out.startswith("rd3: 20 inputs")


def test_errors_say_what_is_wrong(tmp_path):
    """Not only that something is: file, place, value and rule."""
    (path,) = make(tmp_path, "segy")
    data = bytearray(path.read_bytes())
    data[3224:3226] = b"\x00\x63"
    path.write_bytes(data)
    with pytest.raises(FormatError) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path}, bytes 3225-3226: invalid format code 99.")
