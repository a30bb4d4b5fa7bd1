"""Test writing recordings: what is written reads back, and what cannot be is refused."""

import dataclasses
import json
import math
import warnings
from pathlib import Path

import numpy as np
import numpy.testing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from radar_files import (
    gga,
    hd_text,
    points,
    rad_text,
    scans,
    write_dt1,
    write_dzt,
    write_rd3,
)
from segy_files import numbers, write_segy

from minesense.io import FormatWarning, read, write, write_files
from minesense.sweep import Quality

ENDINGS = (".DT1", ".rd3", ".rd7", ".sgy", ".DZT")
REAL = [
    "gprpy_MIT/FILE____032.DZT",
    "iet-gpr_GPL3/File____001.DZT",
    "impdar_GPL3/test_gssi.DZT",
    "impdar_GPL3/ten_col.rd3",
    "gprpy_MIT/ComOffs_XLINE00.DT1",
    "gprpy_MIT/WARR_XLINE00.DT1",
    "rgpr_GPL2plus/cornino_cmp.DT1",
    *(f"rgpr_GPL2plus/flagogna_XLINE00{k}.DT1" for k in range(4)),
]


def quiet(function, *args, **options):
    """Call, with the warnings that are not the matter of a test put aside."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FormatWarning)
        return function(*args, **options)


def counts_of(recording):
    """Return the stored samples of a recording around zero, words replaced, as integers."""
    counts = recording.stored.astype(np.int64) - recording.offset
    for channel, n_words in enumerate(recording.header_words):
        if n_words:
            counts[:, channel, :n_words] = counts[:, channel, n_words : n_words + 1]
    return counts


def assert_same(back, recording, *, n_words=0):
    """Fail unless samples agree to the bit and the rest to the precision of formats."""
    npt.assert_array_equal(counts_of(back)[:, :, n_words:], counts_of(recording))
    interval = recording.sample_interval
    npt.assert_allclose(back.sample_interval, interval, rtol=1e-6)
    if recording.spacing is not None:
        npt.assert_allclose(back.spacing, recording.spacing, rtol=1e-6)
    if recording.time_zero is not None:
        wanted = recording.time_zero + n_words * interval
        npt.assert_allclose(back.time_zero, wanted, rtol=1e-6, atol=1e-14)
    npt.assert_array_equal(back.marks, recording.marks)
    for name in ("latitude", "longitude", "altitude"):
        npt.assert_allclose(getattr(back, name), getattr(recording, name), rtol=1e-12)
    if recording.distance is not None:
        wanted = recording.distance - recording.distance[0]
        npt.assert_allclose(back.distance - back.distance[0], wanted, rtol=1e-6, atol=1e-6)
    assert back.is_offset_gather == recording.is_offset_gather or back.format != "dt1"


# --- W1: real files ---------------------------------------------------------------------


@pytest.mark.parametrize("name", REAL)
def test_unchanged_files_are_identical(test_data, tmp_path, name):
    """Read and written: byte for byte, sidecars included, the vendor's header with them."""
    source = test_data / "gpr" / name
    recording = quiet(read, source)
    target = tmp_path / f"copy{source.suffix}"
    paths = write(recording, target)
    assert paths[0] == target
    beside = {p.suffix: p for p in source.parent.iterdir() if p.stem == source.stem}
    wanted = {k: v for k, v in beside.items() if k not in (".txt", ".xyz")}
    assert {path.suffix for path in paths} == set(wanted)
    for path in paths:
        assert path.stem == "copy"
        assert path.read_bytes() == wanted[path.suffix].read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(p.name for p in paths)


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("name", REAL)
def test_real_files_in_every_format(test_data, tmp_path, name, ending):
    """Bit for bit, or an error that says what the format cannot hold and what can."""
    recording = quiet(read, test_data / "gpr" / name)
    target = tmp_path / f"a{ending}"
    is_wide = recording.stored.dtype.itemsize == 4
    has_place = not np.isnan(recording.latitude).all()
    is_same = ending.lower() == Path(name).suffix.lower()
    if is_wide and ending in (".DT1", ".rd3"):
        with pytest.raises(ValueError, match=r"pass a scale of at most 0\.0"):
            write(recording, target)
    elif has_place and ending == ".DZT":
        with pytest.raises(ValueError, match="write DT1, RD3 or SEG-Y"):
            write(recording, target)
    else:
        write(recording, target)
        n_words = 2 if ending == ".DZT" and not is_same else 0
        assert_same(quiet(read, target), recording, n_words=n_words)
        return
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", REAL)
def test_parts_of_real_files(test_data, tmp_path, name):
    """A range of traces in the same format holds those traces."""
    recording = quiet(read, test_data / "gpr" / name)
    if recording.format == "dzt":
        assert np.isnan(recording.latitude).all()
    part = recording[3:9]
    target = tmp_path / f"a{Path(name).suffix}"
    write(part, target)
    back = quiet(read, target)
    npt.assert_array_equal(back.stored, recording.stored[3:9])
    assert_same(back, part)
    if recording.format == "dt1":
        times = recording.times[3:9]
        npt.assert_allclose(back.times, times, rtol=1e-7)


# --- W1: made files ---------------------------------------------------------------------


def make(tmp_path, name):
    """Return a made recording with everything that its format can say."""
    tmp_path.mkdir(exist_ok=True)
    if name == "dt1":
        gps = b"".join(
            b"Trace #%d at position 0\r\n" % k + gga(f"12000{k}.00", f"47{30 + k}.0000")
            for k in range(2, 6)
        )
        (tmp_path / "s.GPS").write_bytes(gps)
        hd = hd_text(remarks=["some remark"])
        return read(write_dt1(tmp_path / "s.DT1", points(), hd=hd, comment=b""))
    if name == "dzt":
        return read(write_dzt(tmp_path / "s.DZT", scans(marks=(4, 9)), position=-1.5))
    if name == "dzt 8 bit":
        return read(write_dzt(tmp_path / "s.DZT", scans(bits=8)))
    if name == "rd3":
        return read(write_rd3(tmp_path / "s.rd3"))
    if name == "segy":
        return quiet(read, write_segy(tmp_path / "s.sgy", order="<"), spacing=0.1)
    return quiet(read, write_segy(tmp_path / "s.sgy", numbers(8), code=8), spacing=0.1)


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("name", ["dt1", "dzt", "dzt 8 bit", "rd3", "segy", "segy 8 bit"])
def test_made_files_in_every_format(tmp_path, name, ending):
    recording = make(tmp_path / "in", name)
    (tmp_path / "out").mkdir()
    target = tmp_path / "out" / f"a{ending}"
    if ending == ".DZT" and name == "dt1":
        with pytest.raises(ValueError, match="Invalid positions"):
            write(recording, target)
        assert list(target.parent.iterdir()) == []
        return
    write(recording, target)
    n_words = 2 if ending == ".DZT" and not name.startswith("dzt") else 0
    assert_same(quiet(read, target), recording, n_words=n_words)


@pytest.mark.parametrize("ending", ENDINGS[:4])
def test_writing_twice_gives_the_same_bytes(tmp_path, ending):
    """Output depends on the input alone, and a written file read and written is the same."""
    recording = make(tmp_path, "dzt")
    first = write(recording, tmp_path / f"a{ending}")
    second = write(recording, tmp_path / f"b{ending}")
    third = write(quiet(read, first[0]), tmp_path / f"c{ending}")
    assert len(first) == len(second) == len(third) > 1
    for a, b, c in zip(first, second, third, strict=True):
        assert a.read_bytes() == b.read_bytes() == c.read_bytes()


def test_time_zero_and_window_of_dzt(tmp_path):
    """Two samples more in front: the window is longer and time zero later by as much."""
    recording = make(tmp_path, "rd3")
    recording = dataclasses.replace(recording, time_zero=2.5e-9)
    write(recording, tmp_path / "a.DZT")
    back = read(tmp_path / "a.DZT")
    npt.assert_allclose(back.window, recording.window + 2 * recording.sample_interval)
    npt.assert_allclose(back.time_zero, 2.5e-9 + 2 * recording.sample_interval)
    assert back.scan_counter.tolist() == list(range(12))
    npt.assert_array_equal(back.samples[:, :, 2:], recording.samples)


def test_a_part_of_dzt_keeps_its_counter(tmp_path):
    """Scans as they are, the header of the vendor but for what the caller replaced."""
    path = write_dzt(tmp_path / "s.DZT", scans(30, 2, marks=(12,)), antenna=b"odd\n")
    recording = read(path, spacing=0.5)
    write(recording[10:20], tmp_path / "a.DZT")
    back = read(tmp_path / "a.DZT")
    npt.assert_array_equal(back.stored, recording.stored[10:20])
    assert (back.spacing, back.marks.tolist()) == (0.5, [2])
    assert back.header["antenna_bytes"] == recording.header["antenna_bytes"]
    assert back.scan_counter.tolist() == list(range(10, 20))
    written, source = (file.read_bytes() for file in (tmp_path / "a.DZT", path))
    differ = [k for k in range(2048) if written[k] != source[k]]
    assert {k % 1024 for k in differ} <= set(range(14, 18))  # scans to the metre


def test_replaced_figures_are_written(tmp_path):
    """What the caller gave instead of the file's is in the new file, which is no copy then."""
    path = write_rd3(tmp_path / "s.rd3")
    recording = read(path, spacing=0.2, sample_interval=1e-10)
    write(recording, tmp_path / "a.rd3")
    back = read(tmp_path / "a.rd3")
    assert (back.spacing, back.sample_interval) == (0.2, pytest.approx(1e-10))
    npt.assert_array_equal(back.stored, recording.stored)


@pytest.mark.parametrize("labels", [("start", "end"), ("F1", "F1"), ("", "")])
def test_marks_of_dt1(tmp_path, labels):
    """Comments stick, so equal labels would be one mark: they are numbered then."""
    recording = make(tmp_path, "dzt")
    traces = dataclasses.replace(recording.traces, mark_labels=labels)
    recording.memory.traces = traces
    write(recording, tmp_path / "a.DT1")
    back = quiet(read, tmp_path / "a.DT1")
    assert back.marks.tolist() == [4, 9]
    assert back.mark_labels == (labels if labels[0] == "start" else ("F1", "F2"))


def test_blank_traces_stay_blank(tmp_path):
    path = write_dt1(tmp_path / "s.DT1", each=lambda k: {"zero_flag": float(k == 3)})
    recording = quiet(read, path)
    for ending in (".DT1", ".sgy"):
        (part,) = [recording[1:]]
        write(part, tmp_path / f"a{ending}")
        back = quiet(read, tmp_path / f"a{ending}")
        assert np.flatnonzero(back.quality & Quality.STUCK).tolist() == [2]


def test_positions_without_altitude_and_with_holes(tmp_path):
    recording = make(tmp_path, "dt1")
    altitude = np.where(np.arange(12) == 2, np.nan, recording.altitude)
    recording.memory.traces = dataclasses.replace(recording.traces, altitude=altitude)
    part = recording[:]
    part.memory.findings.corrections.clear()
    for ending in (".rd3", ".sgy"):
        write(part, tmp_path / f"a{ending}")
        back = quiet(read, tmp_path / f"a{ending}")
        assert_same(back, part)
        assert np.isnan(back.altitude[2])
        assert not np.isnan(back.latitude[2])
    (tmp_path / "a.traces.csv").unlink()
    coarse = quiet(read, tmp_path / "a.sgy")
    npt.assert_allclose(coarse.latitude, part.latitude, atol=0.5e-3 / 3600)  # 1.5 cm
    npt.assert_allclose(coarse.spacing, part.spacing)


def test_table_beside_segy(tmp_path):
    """A table of another length is not used, a damaged one is an error, a foreign one none."""
    recording = make(tmp_path, "dzt")
    write(recording, tmp_path / "a.sgy")
    table = tmp_path / "a.traces.csv"
    lines = table.read_text().splitlines(keepends=True)
    table.write_text("".join(lines[:-1]))
    with pytest.warns(FormatWarning, match="ends with another trace than 19"):
        back = read(tmp_path / "a.sgy")
    assert back.marks.tolist() == []
    for spoilt in ("x", "1;2", "5,1,2"):
        table.write_text("".join([*lines[:5], f"{spoilt}\n", *lines[6:]]))
        with pytest.raises(ValueError, match="line 6"):
            read(tmp_path / "a.sgy")
    table.write_text("".join(["other\n", *lines[1:]]))
    assert read(tmp_path / "a.sgy").marks.tolist() == []


# --- floats and scales ------------------------------------------------------------------


def floats(tmp_path, code=5, **options):
    """Return a recording of floats."""
    path = write_segy(tmp_path / "s.sgy", numbers(code), code=code, **options)
    return quiet(read, path, spacing=0.1)


@pytest.mark.parametrize("ending", [".DT1", ".rd3", ".rd7", ".DZT"])
def test_floats_need_a_scale(tmp_path, ending):
    """One factor for the whole survey, named in the header, rounded to the nearest."""
    recording = floats(tmp_path)
    target = tmp_path / f"a{ending}"
    with pytest.raises(ValueError, match="pass scale, one factor"):
        write(recording, target)
    assert not target.exists()
    with pytest.raises(ValueError, match="pass a scale of at most"):
        write(recording, target, scale=1e12)
    write(recording, target, scale=1000.0)
    back = quiet(read, target)
    n_words = 2 if ending == ".DZT" else 0
    wanted = np.rint(1000.0 * recording.stored.astype(float))
    npt.assert_array_equal(counts_of(back)[:, :, n_words:], wanted)
    if ending == ".DT1":
        assert back.header["fields"]["SAMPLE SCALE"] == "1000.0"
    if ending.startswith(".rd"):
        assert back.header["fields"]["MINESENSE SCALE"] == "1000.0"


def test_floats_in_segy(tmp_path):
    """Those of 32 bits as they are, those of 64 if that rounds nothing."""
    recording = floats(tmp_path)
    write(recording, tmp_path / "a.sgy", scale=None)
    npt.assert_array_equal(quiet(read, tmp_path / "a.sgy").stored, recording.stored)
    wide = floats(tmp_path, 6)
    with pytest.raises(ValueError, match="would round them"):
        write(wide, tmp_path / "b.sgy")
    write(wide, tmp_path / "b.sgy", scale=100.0)
    assert "SCALE: 100.0" in quiet(read, tmp_path / "b.sgy").header["text"]


@pytest.mark.parametrize("ending", ENDINGS)
def test_not_finite_samples_are_refused(tmp_path, ending):
    stored = numbers(5)
    stored[2, 3] = np.nan
    recording = quiet(read, write_segy(tmp_path / "s.sgy", stored, code=5), spacing=0.1)
    with pytest.raises(ValueError, match="NaN or infinite, the first in trace 2"):
        write(recording, tmp_path / f"a{ending}", scale=1.0)
    assert [p.name for p in tmp_path.iterdir()] == ["s.sgy"]


@pytest.mark.parametrize("scale", [0.0, -1.0, math.nan, math.inf])
def test_scale_must_be_positive(tmp_path, scale):
    with pytest.raises(ValueError, match="Invalid scale"):
        write(floats(tmp_path), tmp_path / "a.DT1", scale=scale)


def test_limits_of_sixteen_bits(tmp_path):
    """The last number that fits does, the next does not."""
    samples = points(dtype="<i4")
    samples[3, 4], samples[5, 6] = -32768, 32767
    path = write_rd3(tmp_path / "s.rd7", samples)
    write(read(path), tmp_path / "a.rd3")
    npt.assert_array_equal(read(tmp_path / "a.rd3").stored[:, 0], samples)
    samples[5, 6] = 32768
    path.write_bytes(samples.tobytes())
    with pytest.raises(ValueError, match="to 32768"):
        write(read(path), tmp_path / "b.rd3")


# --- W2: refusals -----------------------------------------------------------------------


def test_irregular_distances(tmp_path):
    """Where only a step exists they are an error; where each trace has a place they stay."""
    path = write_dt1(tmp_path / "s.DT1", each=lambda k: {"position": 0.25 * k + 0.1 * (k > 5)})
    recording = quiet(read, path)
    for ending in (".rd3", ".DZT"):
        with pytest.raises(ValueError, match="write DT1 or SEG-Y"):
            write(recording, tmp_path / f"a{ending}")
    write(recording, tmp_path / "a.sgy")
    npt.assert_array_equal(quiet(read, tmp_path / "a.sgy").distance, recording.distance)
    assert not list(tmp_path.glob("a.r*"))
    assert not list(tmp_path.glob(".*"))


def test_channels(tmp_path):
    """A file of one channel takes one, named by the caller."""
    recording = read(write_dzt(tmp_path / "s.DZT", scans(20, 2)))
    for ending in (".DT1", ".rd3", ".sgy"):
        target = tmp_path / f"a{ending}"
        for channel in (None, 2, -1):
            with pytest.raises(ValueError, match=r"Invalid channel.* one of 0 to 1"):
                write(recording, target, channel=channel)
        write(recording, target, channel=1)
        npt.assert_array_equal(counts_of(quiet(read, target))[:, 0], counts_of(recording)[:, 1])


def test_long_traces(tmp_path):
    path = tmp_path / "s.rd3"
    path.write_bytes(bytes(4 * 65536))
    recording = quiet(read, path, n_samples=65536, sample_interval=1e-11)
    for ending in (".sgy", ".DZT"):
        with pytest.raises(ValueError, match="at most"):
            write(recording, tmp_path / f"a{ending}")
    write(recording, tmp_path / "a.DT1")


@pytest.mark.parametrize("ending", ENDINGS)
def test_nothing_is_overwritten_unasked(tmp_path, ending):
    recording = make(tmp_path, "dzt")
    target = tmp_path / f"a{ending}"
    paths = write(recording, target)
    before = {path: path.read_bytes() for path in paths}
    part = recording[2:]
    with pytest.raises(FileExistsError, match="exists"):
        write(part, target)
    assert {path: path.read_bytes() for path in paths} == before
    write(part, target, overwrite=True)
    assert len(quiet(read, target)) == 18


def test_a_foreign_sidecar_is_not_taken_in(tmp_path):
    """A log of another recording would give the new one its positions."""
    recording = make(tmp_path, "dzt")
    (tmp_path / "a.GPS").write_bytes(b"")
    for overwrite in (False, True):
        with pytest.raises(FileExistsError):
            write(recording, tmp_path / "a.DT1", overwrite=overwrite)
    assert not (tmp_path / "a.DT1").exists()


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_file_that_does_not_read_back_never_appears(tmp_path, monkeypatch, ending):
    """A disk that loses a byte is noticed before the file is in its place."""
    recording = make(tmp_path, "dzt")
    written = Path.open

    def losing(self, mode="r", *args, **options):
        file = written(self, mode, *args, **options)
        if "w" in mode and self.suffix == ending:
            put = file.write
            file = Losing(file, put)
        return file

    monkeypatch.setattr(Path, "open", losing)
    with pytest.raises(OSError, match="does not read back"):
        write(recording[1:], tmp_path / f"a{ending}")
    assert [path.name for path in tmp_path.iterdir()] == ["s.DZT"]


class Losing:
    """A file that spoils the last byte of everything long that is written."""

    def __init__(self, file, put):
        self.file, self.put = file, put

    def write(self, data):
        """Write, all but the last bit right."""
        data = bytes(data)
        return self.put(data[:-1] + bytes([data[-1] ^ 1]) if len(data) > 300 else data)

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.file.close()


def test_a_killed_writer_leaves_nothing_in_place(tmp_path, monkeypatch):
    """Before the files are renamed nothing of theirs has its name."""
    recording = make(tmp_path, "dzt")
    seen = []

    def stop(path, *args, **options):
        seen.extend(p.name for p in tmp_path.iterdir())
        raise KeyboardInterrupt

    monkeypatch.setattr("minesense.io.dt1_writer.read_back", stop)
    with pytest.raises(KeyboardInterrupt):
        write(recording, tmp_path / "a.DT1")
    assert {"a.DT1", "a.HD"} & set(seen) == set()
    assert [path.name for path in tmp_path.iterdir()] == ["s.DZT"]


def test_formats_and_types_are_named(tmp_path):
    recording = make(tmp_path, "rd3")
    with pytest.raises(ValueError, match="Must end in one of"):
        write(recording, tmp_path / "a.xyz")
    with pytest.raises(ValueError, match="Invalid format 'xyz'"):
        write(recording, tmp_path / "a.xyz", format="xyz")
    with pytest.raises(ValueError, match=r"Must end in \.rd3"):
        write(recording, tmp_path / "a.xyz", format="rd3")
    with pytest.raises(TypeError, match="Must be a Recording"):
        write(recording.to_sweep(), tmp_path / "a.DT1")
    write(recording, tmp_path / "a.xyz", format="segy")
    assert quiet(read, tmp_path / "a.xyz").format == "segy"


# --- properties -------------------------------------------------------------------------


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    n_traces=st.integers(1, 9),
    n_samples=st.integers(3, 40),
    interval=st.floats(1e-12, 5e-8),
    spacing=st.floats(1e-3, 10.0),
    seed=st.integers(0, 99),
    ending=st.sampled_from(ENDINGS),
)
def test_any_figures_read_back(tmp_path, n_traces, n_samples, interval, spacing, seed, ending):
    """Whatever interval and spacing: every format returns them and the samples."""
    path = tmp_path / "s.rd3"
    path.write_bytes(points(n_traces, n_samples, seed=seed).tobytes())
    recording = quiet(
        read, path, n_samples=n_samples, sample_interval=interval, spacing=spacing
    )
    target = tmp_path / f"a{ending}"
    quiet(write, recording, target, overwrite=True)
    back = quiet(read, target)
    n_words = 2 if ending == ".DZT" else 0
    npt.assert_array_equal(counts_of(back)[:, :, n_words:], counts_of(recording))
    npt.assert_allclose(back.sample_interval, interval, rtol=1e-6)
    if n_traces > 1:
        npt.assert_allclose(
            back.distance[-1] - back.distance[0], spacing * (n_traces - 1), 1e-5
        )
    for file in tmp_path.glob("a.*"):
        file.unlink()


def test_headers_are_text_that_names_its_units(tmp_path):
    """Shortest decimals in the vendor's order."""
    recording = make(tmp_path, "dzt")
    write(recording, tmp_path / "a.rd3")
    lines = (tmp_path / "a.rad").read_bytes().decode("ascii").split("\r\n")
    keys = [line.partition(":")[0] for line in lines]
    vendor = [key.partition(":")[0] for key in rad_text().decode().split("\r\n")]
    assert [key for key in vendor if key in keys and key] == [
        k for k in keys if k in vendor and k
    ]
    write(recording, tmp_path / "b.DT1")
    text = (tmp_path / "b.HD").read_bytes()
    assert text.endswith(b"\r\r\n")
    assert b"STEP SIZE USED     = 0.02\r\r\n" in text
    write(recording, tmp_path / "c.sgy")
    text = quiet(read, tmp_path / "c.sgy").header["text"]
    assert "TRACE SPACING m: 0.02" in text
    assert "SAMPLE INTERVAL: us, BYTES 3273-3280" in text


def test_staged_files_come_together(tmp_path):
    """None is in place if the block fails, all are if it does not, the named one last."""
    target = tmp_path / "a.dat"

    def fill(folder):
        (folder / "a.dat").write_bytes(b"1")
        (folder / "a.hdr").write_bytes(b"2")

    def fail():
        with write_files.stage_files(target, [".dat", ".hdr"], overwrite=False) as folder:
            fill(folder)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert list(tmp_path.iterdir()) == []
    with write_files.stage_files(target, [".dat", ".hdr"], overwrite=False) as folder:
        fill(folder)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.dat", "a.hdr"]
    assert json.loads((tmp_path / "a.hdr").read_text()) == 2
