"""Test reading MALA recordings against the layout, and a real one against known values."""

import json
import warnings

import numpy as np
import numpy.testing as npt
import pytest
from radar_files import points, rad_text, write_rd3

from minesense.io import FormatError, FormatWarning, read
from minesense.sweep import Quality

REAL = "impdar_GPL3/ten_col.rd3"


def texts_of(path, **options):
    """Return the recording and the texts of its warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        recording = read(path, **options)
    assert all(issubclass(w.category, FormatWarning) for w in caught)
    assert [str(w.message) for w in caught] == [f"{path}: {t}" for t in recording.warnings]
    return recording, list(recording.warnings)


def read_quietly(path, **options):
    """Read, with the warnings that are not the matter of a test put aside."""
    return texts_of(path, **options)[0]


# --- the real file ----------------------------------------------------------------------


@pytest.mark.parametrize("name", [REAL, REAL.replace(".rd3", ".rad")])
def test_real_file_is_as_known(test_data, name):
    """M1, M2: the axis by FREQUENCY, one warning each about window and positions."""
    files = json.loads((test_data / "gpr/manifest.json").read_text())["files"]
    expected, rad = files[REAL], files[REAL.replace(".rd3", ".rad")]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        recording = read(test_data / "gpr" / name)
    assert recording.path == test_data / "gpr" / REAL
    stored = recording.stored
    assert recording.shape == (expected["n_traces"], 1, expected["n_samples"])
    assert stored.dtype == np.dtype(expected["dtype"])
    assert not stored.flags.writeable
    assert int(stored.astype(np.int64).sum()) == expected["raw_sum"]
    assert (stored.min(), stored.max()) == (expected["raw_min"], expected["raw_max"])
    assert stored[0, 0, :5].tolist() == expected["first5_raw_trace0"]
    assert stored[0, 0, 10:15].tolist() == expected["samples_10_to_14_raw_trace0"]
    assert stored[-1, 0, :5].tolist() == expected["first5_raw_last_trace"]
    npt.assert_array_equal(recording.samples, stored)
    assert recording.sample_interval == pytest.approx(expected["sample_interval_s"], rel=1e-11)
    assert recording.window == pytest.approx(expected["window_s"], rel=1e-11)
    assert recording.spacing == expected["trace_spacing_m"]
    assert recording.trace_interval == expected["trace_interval_s"]
    fields = recording.header["fields"]
    assert {key: fields[key] for key in rad["fields"]} == rad["fields"]
    texts = [str(w.message) for w in caught]
    assert ["FREQUENCY counts" in text for text in texts] == [True, False]
    assert "2 of 3 rows" in texts[1]
    (row, *_) = files[REAL.replace(".rd3", ".cor")]["rows"]
    (fix,) = recording.fixes
    assert (fix.trace, fix.date.isoformat()) == (row["trace"] - 1, row["date"])
    assert (fix.latitude, fix.longitude) == (row["lat_deg"], row["lon_deg"])
    assert fix.altitude == row["elevation_m"]
    assert fix.time_of_day == 16 * 3600 + 58 * 60 + 43
    assert recording.header["cor"]["last_column"] == ["0.800"]
    known = np.flatnonzero(~np.isnan(recording.longitude))
    assert known.tolist() == [6]
    assert recording.longitude[6] == pytest.approx(-35.98767, abs=1e-5)
    sweep = recording.to_sweep()
    assert (sweep.quality & Quality.POSE_NONE).all()
    assert sweep.sensor.radar.centre_frequency == 500e6


# --- header and data --------------------------------------------------------------------


@pytest.mark.parametrize(("suffix", "dtype"), [(".rd3", "<i2"), (".RD7", "<i4")])
def test_every_field(tmp_path, suffix, dtype):
    """M3: 16 bits in an RD3, 32 in an RD7."""
    samples = points(dtype=dtype) * (1 if dtype == "<i2" else 1000)
    path = write_rd3(tmp_path / f"a{suffix}", samples.astype(dtype))
    recording, texts = texts_of(path, strict=True)
    assert texts == []
    npt.assert_array_equal(recording.stored[:, 0], samples)
    assert recording.stored.dtype == np.dtype(dtype)
    assert recording.sample_interval == pytest.approx(8e-10, rel=1e-12)
    assert recording.spacing == 0.05
    npt.assert_allclose(recording.distance, 0.05 * np.arange(12))
    assert recording.centre_frequency == 500e6
    assert recording.antenna_separation == 0.18
    assert recording.time_zero is None
    assert recording.sources["spacing"] == "DISTANCE INTERVAL"
    assert recording.trace_interval is None


def test_two_data_files_under_one_header(tmp_path):
    """M3: opened through the header, which one is meant is not guessed."""
    path = write_rd3(tmp_path / "a.rd3")
    assert read(tmp_path / "a.rad").path == path
    write_rd3(tmp_path / "a.rd7")
    with pytest.raises(FormatError, match=r"a\.rd3.*a\.rd7"):
        read(tmp_path / "a.rad")
    assert read(tmp_path / "a.rd7").stored.dtype == np.int32
    assert read(path).stored.dtype == np.int16
    for name in ("a.rd3", "a.rd7"):
        (tmp_path / name).unlink()
    with pytest.raises(FormatError, match="data file"):
        read(tmp_path / "a.rad")


def test_text_of_the_header(tmp_path):
    """M3: colons in values, ends of lines, Latin-1, keys in any case."""
    text = rad_text(end="\n", OPERATOR="Jos\xe9", COMMENT="at 12:30: wet")
    text = text.replace(b"SAMPLES", b" samples ")
    recording, texts = texts_of(write_rd3(tmp_path / "a.rd3", rad=text))
    assert recording.header["fields"]["OPERATOR"] == "Jos\xe9"
    assert recording.header["fields"]["COMMENT"] == "at 12:30: wet"
    assert [c.field for c in recording.corrections] == ["text encoding"]
    assert len(texts) == 1


def test_frequency_comes_before_the_window(tmp_path):
    """M1: within half a percent nothing is said; without FREQUENCY the window stands in."""
    path = write_rd3(tmp_path / "a.rd3", rad=rad_text(TIMEWINDOW="8.03"))
    assert texts_of(path)[1] == []
    path = write_rd3(tmp_path / "a.rd3", rad=rad_text(TIMEWINDOW="8.05"))
    recording, (text,) = texts_of(path)
    assert "FREQUENCY counts" in text
    assert recording.sample_interval == pytest.approx(8e-10)
    for rad in (rad_text(FREQUENCY="0"), rad_text(drop=["FREQUENCY"])):
        recording, texts = texts_of(write_rd3(tmp_path / "a.rd3", rad=rad))
        assert recording.sample_interval == pytest.approx(8e-10)
        assert [c.field for c in recording.corrections] == ["sample interval"]
        assert len(texts) == 1
    path = write_rd3(tmp_path / "a.rd3", rad=rad_text(drop=["FREQUENCY", "TIMEWINDOW"]))
    with pytest.raises(FormatError, match="sample interval"):
        read(path)
    assert read(path, sample_interval=1e-10).sample_interval == 1e-10


@pytest.mark.parametrize("value", ["-5", "nan", "1e-9", "1e30", "12 MHz"])
def test_impossible_frequency(tmp_path, value):
    rad = rad_text(FREQUENCY=value, drop=["TIMEWINDOW"])
    path = write_rd3(tmp_path / "a.rd3", rad=rad)
    with pytest.raises(FormatError, match="sample interval"):
        read_quietly(path)


@pytest.mark.parametrize("value", ["0", "-3", "1.5", "1e30", "", "many"])
def test_impossible_samples(tmp_path, value):
    path = write_rd3(tmp_path / "a.rd3", rad=rad_text(SAMPLES=value))
    with pytest.raises(FormatError, match="SAMPLES"):
        read_quietly(path)


@pytest.mark.parametrize(
    "rad",
    [
        rad_text(DISTANCE_FLAG="0"),
        rad_text(DISTANCE_INTERVAL="0"),
        rad_text(DISTANCE_INTERVAL="-0.05"),
        rad_text(drop=["DISTANCE INTERVAL"]),
    ],
)
def test_time_triggered(tmp_path, rad):
    """No spacing, whatever STOP POSITION says; the caller's counts."""
    path = write_rd3(tmp_path / "a.rd3", rad=rad)
    recording, texts = texts_of(path)
    assert (recording.spacing, recording.distance, texts) == (None, None, [])
    assert recording.trace_interval == 0.1
    recording = read(path, spacing=0.2)
    npt.assert_allclose(recording.distance, 0.2 * np.arange(12))
    assert recording.corrections[0].reason == "given by the caller"


def test_a_wrong_spacing_can_be_replaced(tmp_path):
    """Published files hold the spacing of lines there."""
    path = write_rd3(tmp_path / "a.rd3", rad=rad_text(START_POSITION="10"))
    npt.assert_allclose(read(path).distance, 10 + 0.05 * np.arange(12))
    npt.assert_allclose(read(path, spacing=0.01).distance, 10 + 0.01 * np.arange(12))
    assert read(path).to_sweep().position[0, 1] == 0


def test_length_comes_from_the_file(tmp_path):
    path = write_rd3(tmp_path / "a.rd3", rad=rad_text(LAST_TRACE="13"), tail=b"\1" * 7)
    recording, texts = texts_of(path)
    npt.assert_array_equal(recording.stored[:, 0], points())
    assert texts == [
        "truncated: 7 bytes of a last trace of 20 dropped",
        "RAD says 13 traces, the file holds 12",
    ]
    with pytest.raises(FormatError, match="file size"):
        read(path, strict=True)
    path.write_bytes(b"\0" * 19)
    with pytest.raises(FormatError, match="at least 20 bytes"):
        read(path)


def test_missing_header(tmp_path):
    """An error that names the file, unless the caller says what it would have."""
    path = write_rd3(tmp_path / "a.rd3", rad=False)
    with pytest.raises(FormatError, match=r"a\.rad"):
        read(path)
    with pytest.raises(FormatError, match=r"a\.rad"):
        read(path, n_samples=10)
    recording = read(path, n_samples=10, sample_interval=1e-10)
    npt.assert_array_equal(recording.stored[:, 0], points())
    recording = read_quietly(path, n_samples=5, sample_interval=1e-10, sample_width=4)
    assert recording.shape == (12, 1, 5)


@pytest.mark.parametrize(
    ("name", "frequency"),
    [
        ("500_shielded_egrip", 500e6),
        ("MALA 1.6 GHz", 1.6e9),
        ("100 MHz unshielded", 100e6),
        ("GX450", None),
        ("0 MHz", None),
        ("", None),
        ("serial 12345", None),
    ],
)
def test_antenna_names(tmp_path, name, frequency):
    path = write_rd3(tmp_path / "a.rd3", rad=rad_text(ANTENNAS=name))
    assert read(path).centre_frequency == frequency


def test_foreign_content(tmp_path):
    path = write_rd3(tmp_path / "a.rd3")
    path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(2000))
    with pytest.raises(FormatError, match="HDF5"):
        read(path)
    (tmp_path / "b.rd6").write_bytes(bytes(100))
    with pytest.raises(FormatError, match="export"):
        read(tmp_path / "b.rd6")
    (tmp_path / "c.rd3").write_bytes(bytes(200))
    (tmp_path / "c.rad").write_bytes(b"nothing here\n")
    with pytest.raises(FormatError, match="KEY:value"):
        read(tmp_path / "c.rd3")


def test_samples_that_look_like_another_format(tmp_path):
    """A header beside it says that numbers are samples, whatever they happen to be."""
    samples = points()
    samples[0, :4] = 0x00FF, 1024, 4, 16  # like a DZT
    recording = read(write_rd3(tmp_path / "a.rd3", samples))
    npt.assert_array_equal(recording.stored[:, 0], samples)
    samples[0, :4] = 0x0480, 1, 2, 3  # like a pickle
    recording = read(write_rd3(tmp_path / "a.rd3", samples))
    npt.assert_array_equal(recording.stored[:, 0], samples)


# --- positions --------------------------------------------------------------------------


def cor_row(trace, second, lat="47.5", lon="12.25", *, ns="N", ew="E", height="5.0\tM"):
    """Return a row of a COR file."""
    clock = f"12:00:{second:04.1f}"
    cells = [trace, "2021-05-17", clock, lat, ns, lon, ew, height, "0.8"]
    return "\t".join(str(cell) for cell in cells)


@pytest.mark.parametrize("separator", ["\t", ","])
@pytest.mark.parametrize("height", ["5.0\tM", "5.0M", "16.404199475\tft", "16.404199475ft"])
def test_positions(tmp_path, separator, height):
    """M2: traces count from 1; ten columns or nine; between fixes, not beyond."""
    path = write_rd3(tmp_path / "a.rd3")
    rows = [
        cor_row(3, 0, height=height),
        cor_row(7, 1, "47:32:00", "12:15:00", height=height),
        "no row",
    ]
    text = "\r\n".join(rows).replace("\t", separator)
    (tmp_path / "a.COR").write_text(text)
    recording, texts = texts_of(path)
    expected = np.full(12, np.nan)
    expected[2:7] = 47.5 + np.linspace(0, 2 / 60, 5)
    npt.assert_allclose(recording.latitude, expected)
    npt.assert_allclose(recording.longitude[2:7], 12.25)
    npt.assert_allclose(recording.altitude[2:7], 5.0)
    assert texts == ["a.COR: 1 lines are no rows, the first is 3"]
    assert recording.sources["position"] == "a.COR"
    assert recording.date == "2021-05-17"


def test_south_and_west_are_negative(tmp_path):
    path = write_rd3(tmp_path / "a.rd3")
    (tmp_path / "a.cor").write_text(cor_row(1, 0, ns="S", ew="W"))
    recording = read(path)
    assert (recording.latitude[0], recording.longitude[0]) == (-47.5, -12.25)
    assert np.isnan(recording.latitude[1:]).all()


@pytest.mark.parametrize(
    ("rows", "match"),
    [
        ([cor_row(40, 0), cor_row(41, 1)], "no fix, so no positions"),
        ([cor_row(2, 0), cor_row(3, 0, "47.6")], "1 fixes dropped"),
        ([cor_row(2, 0), cor_row(3, 1, "95.0")], "no rows"),
        ([cor_row(2, 0), cor_row(3, 1, ew="X")], "no rows"),
        ([cor_row(2, 0), cor_row(3, 1, "47:61:00")], "no rows"),
        ([cor_row(2, 0), cor_row("x", 1)], "no rows"),
    ],
)
def test_doubtful_positions(tmp_path, rows, match):
    path = write_rd3(tmp_path / "a.rd3")
    (tmp_path / "a.cor").write_text("\n".join(rows))
    recording, texts = texts_of(path)
    assert any(match in text for text in texts)
    assert np.count_nonzero(~np.isnan(recording.latitude)) <= 1


def test_no_position_across_a_long_gap(tmp_path):
    path = write_rd3(tmp_path / "a.rd3")
    (tmp_path / "a.cor").write_text("\n".join([cor_row(2, 0), cor_row(5, 10)]))
    assert np.flatnonzero(~np.isnan(read(path).latitude)).tolist() == [1, 4]
    assert np.flatnonzero(~np.isnan(read(path, max_gap=20).latitude)).tolist() == [1, 2, 3, 4]
