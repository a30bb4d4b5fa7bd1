"""Test reading Sensors & Software recordings against the layout, and real ones."""

import json
import math
import re
import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from radar_files import gga, hd_text, points, sentence, trace_bytes, write_dt1, write_dzt

from minesense.io import FormatError, FormatWarning, Recording, estimate_centre_frequency, read
from minesense.io.hd import HdHeader
from minesense.sweep import Quality

FLAGOGNA = [f"rgpr_GPL2plus/flagogna_XLINE00{k}.DT1" for k in range(4)]
REAL = [
    "gprpy_MIT/ComOffs_XLINE00.DT1",
    "gprpy_MIT/WARR_XLINE00.DT1",
    "rgpr_GPL2plus/cornino_cmp.DT1",
    *FLAGOGNA,
]


def read_quietly(path, **options):
    """Read, with the warnings that are not the matter of a test put aside."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FormatWarning)
        return read(path, **options)


def texts_of(path, **options):
    """Return the recording and the texts of its warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        recording = read(path, **options)
    assert all(issubclass(w.category, FormatWarning) for w in caught)
    assert [str(w.message) for w in caught] == [f"{path}: {t}" for t in recording.warnings]
    return recording, list(recording.warnings)


# --- real files -------------------------------------------------------------------------


@pytest.mark.parametrize("name", REAL)
def test_real_file_is_as_known(test_data, name):
    """D1 to D5: header fields, stored samples, axis, positions, clock, clipping, comments."""
    files = json.loads((test_data / "gpr/manifest.json").read_text())["files"]
    expected, hd = files[name], files[name.replace(".DT1", ".HD")]
    recording = read_quietly(test_data / "gpr" / name)
    stored = recording.stored
    assert recording.shape == (expected["n_traces"], 1, expected["n_samples"])
    assert stored.dtype == np.int16
    assert not stored.flags.writeable
    assert int(stored.astype(np.int64).sum()) == expected["raw_sum"]
    assert (stored.min(), stored.max()) == (expected["raw_min"], expected["raw_max"])
    assert stored[0, 0, :5].tolist() == expected["first5_raw_trace0"]
    assert stored[-1, 0, :5].tolist() == expected["first5_raw_last_trace"]
    np.testing.assert_array_equal(recording.samples, stored)
    assert recording.sample_interval == pytest.approx(expected["sample_interval_s"], rel=1e-12)
    assert recording.window == pytest.approx(expected["window_s"], rel=1e-12)
    assert recording.time_zero == pytest.approx(expected["time_zero_from_header_s"])
    assert recording.spacing == pytest.approx(expected["trace_spacing_m"], rel=1e-12)
    headers = expected["trace_header"]
    unit = 0.3048 if hd["fields"]["POSITION UNITS"] == "ft" else 1.0
    ends = np.array(headers["position_first_last_in_file_units"]) * unit
    np.testing.assert_allclose(recording.distance[[0, -1]], ends)
    clock = headers["seconds_of_day_first_last"]
    np.testing.assert_allclose(recording.times[[0, -1]], clock)
    assert np.diff(recording.times).max() == headers["largest_time_step_s"]
    assert recording.n_clipped.sum() == expected["samples_at_int16_limits"]
    assert recording.n_clipped.any(axis=1).sum() == expected["traces_at_int16_limits"]
    assert recording.clipped.sum() == expected["samples_at_int16_limits"]
    first = headers["comment_first_trace"]
    assert recording.marks.tolist() == ([] if first is None else [first])
    assert recording.mark_labels == (() if first is None else (headers["comment_text"],))
    found = recording.header["fields"]
    assert {key: found[key] for key in hd["fields"]} == hd["fields"]
    assert recording.header["title"] == hd["title"]
    assert list(recording.header["remarks"]) == hd["lines_without_equals"]
    assert recording.antenna_separation == pytest.approx(hd["antenna_separation_m"])
    assert recording.date == hd["date_iso"]
    assert recording.centre_frequency == 1e6 * float(hd["fields"]["NOMINAL FREQUENCY"])
    ticks = recording.header["trace_headers"]["odometer_ticks"]
    assert ticks[[0, -1]].tolist() == headers["odometer_ticks_int32_first_last"]


@pytest.mark.parametrize("name", FLAGOGNA)
def test_real_positions(test_data, name):
    """D4, D6: 0, 156, 156, 162 traces with a fix; the receiver's date decides."""
    files = json.loads((test_data / "gpr/manifest.json").read_text())["files"]
    expected = files[name.replace(".DT1", ".GPS")]
    recording, texts = texts_of(test_data / "gpr" / name)
    log = recording.header["gps"]
    assert log["blocks"] == expected["blocks"]
    n_fixes = expected["traces_with_fix_after_resynchronising_at_dollar"]
    assert log["traces_with_fix"] == n_fixes
    assert recording.date == "2011-10-06"
    assert [c.field for c in recording.corrections] == ["date"]
    if not n_fixes:
        assert sum("no fix" in text for text in texts) == 1
        assert np.isnan(recording.latitude).all()
        return
    first, last = recording.fixes[0], expected["last_fix"]
    known = expected["first_fix"]
    assert first.trace == known["trace_index"]
    assert first.latitude == pytest.approx(known["lat_deg"], abs=1e-8)
    assert first.longitude == pytest.approx(known["lon_deg"], abs=1e-8)
    assert (first.altitude, first.separation) == (known["altitude_m"], 46.25)
    assert first.date.isoformat() == "2011-10-06"
    assert recording.fixes[-1].latitude == pytest.approx(last["lat_deg"], abs=1e-8)
    low, high = expected["altitude_range_m"]
    altitude = recording.altitude[~np.isnan(recording.altitude)]
    assert low <= altitude.min() <= altitude.max() <= high
    trace = int(first.trace)
    assert recording.latitude[trace] == first.latitude


def test_real_gathers_are_told_apart(test_data):
    """D7: a stated gather is not imaged; a mislabelled one shows by its start only."""
    recording, texts = texts_of(test_data / "gpr" / REAL[2])
    assert recording.is_offset_gather
    assert ["antenna offsets" in text for text in texts] == [True]
    quality = recording.to_sweep().quality
    assert (quality & Quality.OUT_OF_DOMAIN).all()
    assert (quality & Quality.POSE_NONE).all()
    recording, texts = texts_of(test_data / "gpr" / REAL[1])
    assert not recording.is_offset_gather
    assert ["0.6 to 16.3" in text for text in texts] == [True]


@pytest.mark.parametrize("name", FLAGOGNA)
def test_a_clipped_direct_wave_spoils_no_trace(test_data, name):
    """Every trace clips, and none is flagged; the count is in the history."""
    sweep = read_quietly(test_data / "gpr" / name).to_sweep()
    assert sweep.is_usable.all()
    assert any(re.match(r"clipped: 36\d\d samples", line) for line in sweep.history)
    assert sweep.position[0].tolist() == [0, 0, 0]
    assert (np.diff(sweep.position[:, 1]) > 0).all()


# --- synthetic: the ordinary file -------------------------------------------------------


def test_every_field(tmp_path):
    samples = points()
    path = write_dt1(tmp_path / "a.DT1", samples)
    recording, texts = texts_of(path, strict=True)
    assert texts == []
    np.testing.assert_array_equal(recording.stored[:, 0], samples)
    assert recording.sample_interval == pytest.approx(8e-10, rel=1e-12)
    assert recording.time_zero == pytest.approx(2.5 * 8e-10)
    assert recording.spacing == 0.25
    np.testing.assert_allclose(recording.distance, 0.25 * np.arange(12))
    np.testing.assert_allclose(np.diff(recording.times), 0.5)
    assert recording.centre_frequency == 500e6
    assert recording.antenna_separation == 0.2
    assert recording.date == "2021-05-17"
    assert recording.sources["spacing"] == "positions of trace headers"
    sweep = recording.to_sweep()
    assert sweep.lane == "a"
    assert sweep.sensor.radar.separation == 0.2
    assert sweep.sensor.radar.centre_frequency == 500e6
    np.testing.assert_array_equal(sweep.time, recording.times)
    assert sweep.frame.crs == "local"


def test_hd_file_stands_for_the_recording(tmp_path):
    path = write_dt1(tmp_path / "a.DT1")
    assert read(path.with_suffix(".HD")).path == path


@pytest.mark.parametrize("end", ["\r\r\n", "\r\n", "\n", "\r"])
def test_line_ends(tmp_path, end):
    """D1."""
    recording = read(write_dt1(tmp_path / "a.DT1", hd=hd_text(end=end)))
    assert len(recording.header["fields"]) == 11


def test_keys_in_any_order_and_case(tmp_path):
    """D1: keys by name, ignoring case and repeated blanks; NULs and blanks stripped."""
    lines = hd_text().decode().split("\r\r\n")
    text = "\r\n".join([*lines[:3], *reversed(lines[3:])])
    text = text.replace("TOTAL TIME WINDOW", "\0 Total  Time\tWindow")
    assert read(write_dt1(tmp_path / "a.DT1", hd=text.encode())).window == 8e-9


def test_feet(tmp_path):
    """D2: positions, step and separation alike."""
    path = write_dt1(tmp_path / "a.DT1", hd=hd_text(POSITION_UNITS="ft"))
    recording = read(path)
    assert recording.spacing == pytest.approx(0.25 * 0.3048)
    assert recording.antenna_separation == pytest.approx(0.2 * 0.3048)
    np.testing.assert_allclose(recording.distance, 0.25 * 0.3048 * np.arange(12))
    metric = read(path, units="m")
    assert metric.spacing == 0.25
    assert metric.corrections[0].field == "POSITION UNITS"


@pytest.mark.parametrize("unit", ["yd", "", "cm"])
def test_unknown_unit_is_an_error(tmp_path, unit):
    path = write_dt1(tmp_path / "a.DT1", hd=hd_text(POSITION_UNITS=unit))
    with pytest.raises(FormatError, match="Must be m or ft"):
        read(path)
    with pytest.raises(ValueError, match="Invalid units"):
        read(path, units="yd")


@pytest.mark.parametrize(
    ("line", "dates"),
    [
        ("2011-10-06", ["2011-10-06"]),
        ("10/06/2011", ["2011-10-06", "2011-06-10"]),
        ("13/06/2011", ["2011-06-13"]),
        ("06/13/2011", ["2011-06-13"]),
        ("07/07/2011", ["2011-07-07"]),
        ("6 Oct 2011", []),
        ("2011-13-40", []),
    ],
)
def test_dates(line, dates):
    header = HdHeader(path=None, tag="", title="", date_line=line, fields={}, remarks=())
    assert [date.isoformat() for date in header.dates()] == dates


def test_ambiguous_date(tmp_path):
    """D4: month first with a warning, unless the satellite receiver says otherwise."""
    path = write_dt1(tmp_path / "a.DT1", hd=hd_text(date="10/06/2011"))
    recording, texts = texts_of(path)
    assert recording.date == "2011-10-06"
    assert any("ambiguous" in text for text in texts)
    zda = sentence("GPZDA,120000.00,10,06,2011,00,00")
    write_gps(tmp_path / "a.GPS", [zda + gga()])
    recording, texts = texts_of(path)
    assert recording.date == "2011-06-10"
    assert [c.new for c in recording.corrections] == ["2011-06-10"]
    write_gps(tmp_path / "a.GPS", [zda.replace(b"10,06", b"11,08") + gga()])
    path.with_suffix(".GPS").write_bytes(
        b"Trace #1 at position 0.0\r\n" + sentence("GPZDA,120000.00,11,08,2011,00,00") + gga()
    )
    recording, texts = texts_of(path)
    assert any("is of 2011-08-11" in text for text in texts)
    assert np.isnan(recording.latitude).all()


def test_latin_text(tmp_path):
    hd = hd_text(remarks=["OPERATOR = Jos\xe9"])
    recording, _ = texts_of(write_dt1(tmp_path / "a.DT1", hd=hd))
    assert recording.header["fields"]["OPERATOR"] == "Jos\xe9"
    assert [c.field for c in recording.corrections] == ["text encoding"]


@pytest.mark.parametrize(
    ("hd", "match"),
    [
        (hd_text(remarks=["STEP SIZE USED = 9"]), "again; the first counts"),
        (hd_text(TIMEZERO_AT_POINT="2,5"), "decimal comma"),
        (hd_text(NOMINAL_FREQUENCY="500 MHz"), "is not a number"),
        (hd_text(NOMINAL_FREQUENCY="0"), "out of range"),
        (hd_text(NUMBER_OF_TRACES="11"), "HD says 11 traces, the file holds 12"),
        (hd_text(NUMBER_OF_TRACES="1e3"), "HD says 1000 traces"),
        (hd_text(NUMBER_OF_TRACES="1,200.0"), "is not a number"),
        (hd_text(NUMBER_OF_TRACES="11.5"), "not a count"),
        (hd_text(STEP_SIZE_USED="0.5"), "STEP SIZE USED: 0.25 is used"),
        (hd_text(FINAL_POSITION="9"), "trace headers count"),
        (hd_text(drop=["FINAL POSITION"]), "FINAL POSITION is missing"),
        (hd_text(date="today"), "no date in 'today'"),
        (hd_text().replace(b"1234", b"HD file", 1), "not a number"),
        (hd_text(SURVEY_MODE="CMP"), "antenna offsets"),
    ],
)
def test_doubtful_headers_warn(tmp_path, hd, match):
    """The samples and their times are right all the same; strict mode refuses."""
    path = write_dt1(tmp_path / "a.DT1", hd=hd)
    recording, texts = texts_of(path)
    assert any(match in text for text in texts)
    np.testing.assert_array_equal(recording.stored[:, 0], points())
    assert recording.window == 8e-9
    assert recording.spacing == 0.25
    with pytest.raises(FormatError, match="when strict"):
        read(path, strict=True)


def test_decimal_comma_is_a_number(tmp_path):
    path = write_dt1(tmp_path / "a.DT1", hd=hd_text(TIMEZERO_AT_POINT="2,5"))
    assert read_quietly(path).time_zero == pytest.approx(1.5 * 8e-10)


def test_order_of_positions_in_hd_is_no_direction(tmp_path):
    """D5: start and end exchanged say nothing, and zero as time zero means not set."""
    hd = hd_text(STARTING_POSITION="2.75", FINAL_POSITION="0", TIMEZERO_AT_POINT="0")
    recording, texts = texts_of(write_dt1(tmp_path / "a.DT1", hd=hd))
    assert texts == []
    assert recording.time_zero is None


@pytest.mark.parametrize("window", ["0", "-8", "1e30", "1e-9", "nan", "8 ns", ""])
def test_impossible_window(tmp_path, window):
    path = write_dt1(tmp_path / "a.DT1", hd=hd_text(TOTAL_TIME_WINDOW=window))
    with pytest.raises(FormatError, match="invalid sample interval"):
        read_quietly(path)
    recording = read_quietly(path, sample_interval=8e-10, spacing=0.1)
    assert recording.sample_interval == 8e-10
    np.testing.assert_allclose(recording.distance, 0.1 * np.arange(12))


def test_missing_hd(tmp_path):
    """An error that names the file, unless the caller says what it would have."""
    path = write_dt1(tmp_path / "a.DT1", hd=False)
    with pytest.raises(FormatError, match=r"a\.HD"):
        read(path)
    recording, _ = texts_of(path, sample_interval=8e-10, units="m")
    np.testing.assert_array_equal(recording.stored[:, 0], points())
    assert recording.spacing == 0.25
    assert recording.centre_frequency is None


def test_estimate_stands_in_for_the_frequency(tmp_path):
    """The header comes before the argument, the argument before the estimate."""
    t = 8e-10 * np.arange(128)
    pulse = np.exp(-(((t - 4e-8) / 1e-8) ** 2)) * np.cos(2 * np.pi * 1e8 * t)
    samples = np.tile((9000 * pulse).astype("<i2"), (12, 1))
    hd = hd_text(POINTS="128", TOTAL_TIME_WINDOW="102.4", NOMINAL_FREQUENCY="0")
    recording = read_quietly(write_dt1(tmp_path / "a.DT1", samples, hd=hd))
    sweep = recording.to_sweep()
    assert sweep.sensor.radar.centre_frequency == pytest.approx(1e8, rel=0.02)
    assert any("estimated" in line for line in sweep.history)
    assert recording.to_sweep(centre_frequency=2e8).sensor.radar.centre_frequency == 2e8
    recording = read(write_dt1(tmp_path / "b.DT1"))
    sweep = recording.to_sweep(centre_frequency=2e8)
    assert sweep.sensor.radar.centre_frequency == 2e8
    assert any("given by the caller instead of 5e+08 Hz" in line for line in sweep.history)


@pytest.mark.parametrize("name", ["spacing", "centre_frequency", "max_clipped"])
def test_options_of_a_sweep_are_checked(tmp_path, name):
    recording = read(write_dt1(tmp_path / "a.DT1"))
    with pytest.raises(ValueError, match=f"Invalid {name}"):
        recording.to_sweep(**{name: -1.0})


# --- synthetic: layout ------------------------------------------------------------------


def test_interval_in_the_trace_header_is_a_check_only(tmp_path):
    """D8: ps of the interval or ns of the window pass, all else warns; HD counts."""
    for value in (800.0, 8.0, 8.004):
        assert texts_of(write_dt1(tmp_path / "a.DT1", interval=value))[1] == []
    for value in (801.0, 1600.0, 0.0, math.nan):
        recording, texts = texts_of(write_dt1(tmp_path / "a.DT1", interval=value))
        assert ["neither the interval" in text for text in texts] == [True]
        assert recording.window == 8e-9


def test_float_points(tmp_path):
    """D8: four bytes are float32; NaN is kept, counted and flagged."""
    samples = points(dtype="<f4") / 7
    samples[3, 4], samples[5, 6] = np.nan, np.inf
    recording, texts = texts_of(write_dt1(tmp_path / "a.DT1", samples))
    assert texts == [
        "2 samples are NaN or infinite, the first is sample 4 of trace 3, channel 0"
    ]
    np.testing.assert_array_equal(recording.samples[:, 0], samples)
    quality = recording.to_sweep().quality
    assert np.flatnonzero(quality & Quality.NOT_FINITE).tolist() == [3, 5]
    assert not recording.clipped.any()


@pytest.mark.parametrize("said", [4.0, 3.0, 0.0, math.nan])
def test_width_by_size(tmp_path, said):
    """D8: a width that gives the trace count of the HD wins over the header's."""
    recording, _ = texts_of(write_dt1(tmp_path / "a.DT1", width=said))
    np.testing.assert_array_equal(recording.stored[:, 0], points())
    assert [c.field for c in recording.corrections] == ["bytes per point"]


def test_width_stays_unknown(tmp_path):
    path = write_dt1(tmp_path / "a.DT1", width=3.0, tail=b"\1", hd=hd_text())
    with pytest.raises(FormatError, match="invalid bytes per point"):
        read(path)
    recording = read_quietly(path, sample_width=2)
    np.testing.assert_array_equal(recording.stored[:, 0], points())
    with pytest.raises(ValueError, match="Must be 2 or 4"):
        read(path, sample_width=3)


@pytest.mark.parametrize("said", ["11", "0", "-10", "10.5", "1e30", "nan", "ten", "70000"])
def test_points_of_the_hd_are_wrong(tmp_path, said):
    """What divides the file into traces wins, as a correction."""
    path = write_dt1(tmp_path / "a.DT1", hd=hd_text(POINTS=said))
    recording = read_quietly(path)
    np.testing.assert_array_equal(recording.stored[:, 0], points())
    assert any("points" in c.field.lower() or "PTS" in c.field for c in recording.corrections)


def test_points_of_the_trace_headers_are_wrong(tmp_path):
    recording = read_quietly(write_dt1(tmp_path / "a.DT1", n_points=11))
    np.testing.assert_array_equal(recording.stored[:, 0], points())


@pytest.mark.parametrize("said", [11.0, -10.0, 10.5, math.nan])
def test_points_of_the_first_trace_header_alone_are_wrong(tmp_path, said):
    """The HD and all other traces contradict it."""
    path = write_dt1(tmp_path / "a.DT1", each=lambda k: {"n_points": 10 if k else said})
    recording = read_quietly(path)
    np.testing.assert_array_equal(recording.stored[:, 0], points())
    assert [c.field for c in recording.corrections] == ["points per trace"]
    path = write_dt1(tmp_path / "a.DT1", each=lambda k: {"n_points": said if k < 2 else 10})
    with pytest.raises(FormatError, match=r"trace 1: .* Must be 10 in every trace"):
        read_quietly(path)


def test_points_that_neither_divides(tmp_path):
    path = write_dt1(tmp_path / "a.DT1", hd=hd_text(POINTS="11"), tail=b"\1")
    with pytest.raises(FormatError, match="invalid points per trace"):
        read_quietly(path)


def test_traces_must_agree(tmp_path):
    path = write_dt1(tmp_path / "a.DT1", each=lambda k: {"n_points": 10 + (k == 7)})
    with pytest.raises(FormatError, match=f"offset {7 * 148 + 8}, trace 7"):
        read(path)


def test_truncated_last_trace(tmp_path):
    path = write_dt1(tmp_path / "a.DT1")
    path.write_bytes(path.read_bytes()[:-20])
    recording, texts = texts_of(path)
    np.testing.assert_array_equal(recording.stored[:, 0], points()[:11])
    assert any("128 bytes of a last trace of 148 dropped" in text for text in texts)
    with pytest.raises(FormatError, match="file size"):
        read(path, strict=True)


@pytest.mark.parametrize("size", [0, 1, 127, 128, 147])
def test_less_than_a_trace(tmp_path, size):
    path = write_dt1(tmp_path / "a.DT1")
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(FormatError, match=f"invalid file size {size}"):
        read_quietly(path)


def test_other_formats_under_this_name(tmp_path):
    path = write_dt1(tmp_path / "a.DT1")
    path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(999))
    with pytest.raises(FormatError, match="HDF5"):
        read(path)
    write_dzt(path, np.zeros((9, 1, 8), "<u2"))
    assert read_quietly(path).format == "dzt"


# --- synthetic: traces ------------------------------------------------------------------


def test_fiducials(tmp_path):
    """D5: a comment sticks; only its change to a new text is a mark."""
    texts = [b"", b"", b"F1", b"F1\0", b"F1  ", b"", b"F1", b"F2", b"F2", b"", b"", b""]
    recording = read(write_dt1(tmp_path / "a.DT1", each=lambda k: {"comment": texts[k]}))
    assert recording.marks.tolist() == [2, 7]
    assert recording.mark_labels == ("F1", "F2")


def test_blank_traces_and_gaps(tmp_path):
    def each(k):
        return {"zero_flag": float(k == 4), "serial": k + 1.0 + 3 * (k > 7)}

    recording, texts = texts_of(write_dt1(tmp_path / "a.DT1", each=each))
    assert np.flatnonzero(recording.quality & Quality.STUCK).tolist() == [4]
    assert np.flatnonzero(recording.quality & Quality.GAP).tolist() == [8]
    assert len(texts) == 2


def test_clock(tmp_path):
    """Midnight is passed; a clock of zeros is none; standing times become an order."""
    path = tmp_path / "a.DT1"
    recording = read(write_dt1(path, each=lambda k: {"seconds": (86395.0 + k) % 86400}))
    np.testing.assert_allclose(recording.times, 86395 + np.arange(12))
    assert read(write_dt1(path, seconds=0.0)).times is None
    recording = read(write_dt1(path, seconds=5.0))
    sweep = recording.to_sweep()
    np.testing.assert_array_equal(sweep.time, np.arange(12))
    assert (sweep.quality & Quality.TIME_COARSE).all()
    assert any("do not increase" in line for line in sweep.history)
    with pytest.warns(FormatWarning, match="no seconds of a day"):
        assert read(write_dt1(path, seconds=math.nan)).times is None


def test_positions_that_fall_and_fail(tmp_path):
    path = tmp_path / "a.DT1"
    recording = read(write_dt1(path, each=lambda k: {"position": 0.25 * (11 - k)}))
    sweep = recording.to_sweep()
    np.testing.assert_allclose(sweep.position[:, 1], 0.25 * np.arange(12))
    assert any("sign reversed" in line for line in sweep.history)
    write_dt1(path, each=lambda k: {"position": math.nan if k == 6 else 0.25 * k})
    with pytest.warns(FormatWarning, match="1 traces have no finite position"):
        recording = read(path)
    assert np.flatnonzero(recording.to_sweep().quality & Quality.POSE_NONE).tolist() == [6]
    recording, texts = texts_of(write_dt1(path, position=0.0))
    assert any("do not change" in text for text in texts)
    assert (recording.distance, recording.spacing) == (None, None)
    sweep = recording.to_sweep(spacing=0.1)
    np.testing.assert_allclose(sweep.position[:, 1], 0.1 * np.arange(12))


def test_pause_is_kept(tmp_path):
    recording = read(
        write_dt1(tmp_path / "a.DT1", each=lambda k: {"seconds": 100.0 + k + 900 * (k > 5)})
    )
    assert np.diff(recording.times).max() == 901


def write_gps(path, blocks):
    """Write a GPS file with blocks of sentences for traces 1, 2, ..."""
    path.write_bytes(
        b"".join(
            b"Trace #%d at position %.6f\r\n" % (k + 1, 0.25 * k) + block
            for k, block in enumerate(blocks)
        )
    )


def test_gps_blocks(tmp_path):
    """Fixes belong to the trace of their block; those between are interpolated."""
    path = write_dt1(tmp_path / "a.DT1")
    blocks = [b""] * 12
    blocks[2] = b"$GPGGA,1200" + gga("120000.00", "4730.0000")
    blocks[3] = gga(quality=0)
    blocks[4] = gga("120001.00", "4732.0000", ew="W")
    write_gps(tmp_path / "a.gps", blocks)
    with pytest.warns(FormatWarning, match="1 sentences dropped"):
        recording = read(path)
    minutes = (recording.latitude - 47) * 60
    np.testing.assert_allclose(minutes[2:5], [30, 31, 32])
    assert np.isnan(np.delete(recording.latitude, [2, 3, 4])).all()
    assert recording.longitude[4] == -12.25
    assert recording.header["gps"]["traces_with_fix"] == 2


def test_gps_of_another_recording(tmp_path):
    """More blocks than traces; but a cut recording keeps its own."""
    path = write_dt1(tmp_path / "a.DT1")
    write_gps(tmp_path / "a.GPS", [gga(f"1200{k:02d}.00", f"47{k}.0") for k in range(10, 23)])
    with pytest.warns(FormatWarning, match="names trace 13 of 12"):
        assert np.isnan(read(path).latitude).all()
    write_gps(tmp_path / "a.GPS", [gga(f"1200{k:02d}.00", f"47{k}.0") for k in range(10, 22)])
    path.write_bytes(path.read_bytes()[: 148 * 8])
    assert np.isfinite(read_quietly(path).latitude).all()


def test_positions_in_trace_headers(tmp_path):
    """With the line LatLong in the HD; all zero is missing."""
    hd = hd_text(remarks=["X Y Z POSITIONS ADDED - LatLong"])

    def each(k):
        return {"x": 12.5, "y": 46.0 + k / 100, "z": 130.0} if k else {}

    path = write_dt1(tmp_path / "a.DT1", hd=hd, each=each)
    recording = read(path)
    assert np.isnan(recording.latitude[0])
    np.testing.assert_allclose(recording.latitude[1:], 46 + np.arange(1, 12) / 100)
    assert set(recording.longitude[1:]) == {12.5}
    assert recording.sources["position"] == "X Y Z of trace headers"
    assert np.isnan(read(write_dt1(tmp_path / "b.DT1", each=each)).latitude).all()


# --- the estimate -----------------------------------------------------------------------


@pytest.mark.parametrize("frequency", [2e8, 4e8, 1e9])
def test_estimate_of_a_pulse(frequency):
    """A Gaussian pulse has its carrier as centre; traces may have any gain and offset."""
    t = 1e-10 * np.arange(512)
    pulse = np.exp(-(((t - 2e-8) * frequency / 2) ** 2)) * np.cos(2 * np.pi * frequency * t)
    gains = np.array([1.0, -3.0, 10.0])
    traces = (gains[:, None] * pulse + 5)[:, None, :]
    estimate = estimate_centre_frequency(traces, 1e-10)
    assert estimate == pytest.approx(frequency, rel=0.01)
    assert estimate_centre_frequency(1e6 * traces, 1e-10) == pytest.approx(estimate)
    assert estimate_centre_frequency(traces, 2e-10) == pytest.approx(estimate / 2)
    many = np.tile(traces, (500, 1, 1))
    assert estimate_centre_frequency(many, 1e-10) == pytest.approx(estimate, rel=1e-3)


@pytest.mark.parametrize(
    ("samples", "match"),
    [
        (np.zeros((0, 1, 8)), "at least one usable"),
        (np.zeros((3, 1, 3)), "four samples"),
        (np.ones((3, 1, 8)), "all traces are constant"),
        (np.full((3, 1, 8), np.nan), "NaN"),
        (np.zeros((3, 8)), "shape"),
    ],
)
def test_estimate_of_nothing(samples, match):
    with pytest.raises(ValueError, match=match):
        estimate_centre_frequency(samples, 1e-10)


# --- hostile input ----------------------------------------------------------------------

BASE = b"".join(trace_bytes(k + 1, row) for k, row in enumerate(points(3)))
fuzz = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)


def ends_well(path, data, hd=None, gps=None):
    """Whether reading ends in a recording or a FormatError, and a recording in a sweep."""
    path.write_bytes(data)
    path.with_suffix(".HD").write_bytes(hd_text() if hd is None else hd)
    if gps is not None:
        path.with_suffix(".GPS").write_bytes(gps)
    try:
        recording = read_quietly(path)
    except FormatError:
        return False
    assert isinstance(recording, Recording)
    assert recording.samples.nbytes <= 4 * len(data)
    try:
        recording.to_sweep(centre_frequency=1e9)
    except ValueError as error:
        assert "centre_frequency" in str(error)  # noqa: PT017
    return True


def test_every_prefix(tmp_path):
    results = [ends_well(tmp_path / "a.DT1", BASE[:n]) for n in range(len(BASE))]
    assert results == [False] * 148 + [True] * (len(BASE) - 148)
    hd = hd_text()
    for n in range(0, len(hd), 3):
        ends_well(tmp_path / "a.DT1", BASE, hd[:n])


@fuzz
@given(place=st.integers(0, 147), value=st.integers(0, 255))
def test_every_byte_of_the_header(tmp_path, place, value):
    data = bytearray(BASE)
    data[place] = value
    ends_well(tmp_path / "a.DT1", bytes(data))


@fuzz
@given(place=st.integers(0, 600), value=st.integers(0, 255))
def test_every_byte_of_the_hd(tmp_path, place, value):
    hd = bytearray(hd_text())
    hd[place % len(hd)] = value
    ends_well(tmp_path / "a.DT1", BASE, bytes(hd))


@fuzz
@given(data=st.binary(max_size=400), hd=st.binary(max_size=200), gps=st.binary(max_size=200))
def test_random_bytes(tmp_path, data, hd, gps):
    ends_well(tmp_path / "a.DT1", data)
    ends_well(
        tmp_path / "a.DT1", BASE, b"A = 1\r" + hd, b"Trace #1 at position 0\r\n$GPGGA" + gps
    )


@pytest.mark.parametrize("log", [b"", b"no block\n", b"Trace #x at position 1\n"])
def test_a_log_without_blocks_has_no_fix(tmp_path, log):
    """It is no fault of the recording, and no reason to refuse it."""
    path = write_dt1(tmp_path / "a.DT1")
    path.with_suffix(".GPS").write_bytes(log)
    with pytest.warns(FormatWarning, match="0 positions and no fix"):
        recording = read(path)
    assert recording.fixes == ()


def test_a_time_window_that_is_no_number_is_shown(tmp_path):
    """The error has the words of the file."""
    path = write_dt1(tmp_path / "a.DT1", hd=hd_text(TOTAL_TIME_WINDOW="8 ns"))
    with pytest.raises(FormatError, match="TOTAL TIME WINDOW '8 ns'"):
        read(path)


def test_a_clock_that_signals_warns_of_itself_alone(tmp_path):
    """A signalling NaN in a header raises no warning of NumPy."""
    path = write_dt1(tmp_path / "a.DT1")
    data = bytearray(path.read_bytes())
    for place in (4, 92):
        data[place : place + 4] = b"\x01\x00\xa0\x7f"
    path.write_bytes(data)
    with pytest.warns(FormatWarning) as caught:
        read(path)
    assert {w.category for w in caught} == {FormatWarning}
