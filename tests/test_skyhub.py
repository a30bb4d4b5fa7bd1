"""Test position logs of SkyHub and the traces that they place."""

import math

import numpy as np
import numpy.testing as npt
import pytest
from radar_files import scans, write_dzt

from minesense.io import FormatError, FormatWarning, read
from minesense.io.skyhub_join import join_skyhub
from minesense.sweep import Quality

NEW = (
    "Elapsed,Date,Time,Pitch,Roll,Heading,Latitude,Longitude,Altitude,ALT:Altitude,"
    "RTK Status,Next WP,Velocity,GPR:Trace,GAS:Methane"
)
DAY = 86400.0
DATE = 1714521600.0  # 2024-05-01


def row(k, *, trace="", lat=None, rtk="ON", date="2024/05/01", time=None, height=1.5):
    """Return the cells of a row at 10 Hz; the position moves every fifth one."""
    lat = 45.0 + 1e-5 * (k // 5) if lat is None else lat
    seconds = 9 * 3600 + 0.1 * k
    time = time or f"9:00:{seconds - 9 * 3600:06.3f}"
    return (
        f"{100 * k},{date},{time},0.5,-0.5,90.0,{lat:.7f},7.0000000,10.0,{height},"
        f"{rtk},1,0.5,{trace},n/a"
    )


def write_log(path, rows, header=NEW):
    """Write a log and return its path."""
    path.write_text("# logger 2.0\n" + "\n".join([header, *rows]) + "\n")
    return path


def write_recording(folder, n_traces=8):
    """Return a recording of a radar without positions."""
    return read(write_dzt(folder / "line.DZT", scans(n_traces), scans_per_metre=0.0))


@pytest.fixture
def log(tmp_path):
    """Return a log of 40 rows in which every fifth names a trace, 0 to 7."""
    rows = [row(k, trace=k // 5 if k % 5 == 0 else "") for k in range(40)]
    return read(write_log(tmp_path / "2024-05-01-09-position.csv", rows))


def test_a_log_is_read(log):
    """Times in UTC, held values as one fix, heights apart, unknown columns as text."""
    assert log.format == "skyhub"
    npt.assert_allclose(log.time, DATE + 9 * 3600 + 0.1 * np.arange(40))
    npt.assert_allclose(log.elapsed, 0.1 * np.arange(40))
    known = np.isfinite(log.latitude)
    assert np.flatnonzero(known).tolist() == list(range(0, 40, 5))
    assert (np.isfinite(log.longitude) == known).all()
    assert log.has_rtk.all()
    npt.assert_allclose(log.heading, math.pi / 2)
    assert log.values["height_above_takeoff_m"].tolist() == [10.0] * 40
    assert log.values["height_above_ground_m"].tolist() == [1.5] * 40
    assert log.texts == {"GAS:Methane": ["n/a"] * 40}
    assert log.traces["GPR:Trace"][::5].tolist() == list(range(8))
    assert (log.traces["GPR:Trace"][1::5] == -1).all()
    described = log.describe()
    assert described["fixes"] == 8
    assert described["traces"] == {"GPR:Trace": 8}


@pytest.mark.filterwarnings("ignore:.*same value")
def test_a_log_places_traces(tmp_path, log):
    """Easting, northing and height above ground; heading and times of the log."""
    sweep = join_skyhub(write_recording(tmp_path), log, centre_frequency=4e8)
    npt.assert_allclose(sweep.position[:, 0], 0, atol=1e-9)
    npt.assert_allclose(sweep.position[:, 1], 1.11132 * np.arange(8), atol=1e-4)
    npt.assert_allclose(sweep.position[:, 2], 1.5)
    npt.assert_allclose(sweep.heading, math.pi / 2)
    npt.assert_allclose(sweep.time, DATE + 9 * 3600 + 0.5 * np.arange(8))
    assert not (sweep.quality & (Quality.POSE_NONE | Quality.POSE_COARSE)).any()
    assert "above ground" in sweep.frame.origin
    assert any("8 traces placed by 'GPR:Trace'" in line for line in sweep.history)


def test_old_logs_have_yaw_and_no_date(tmp_path):
    """The date comes from the name, from the caller, or from nowhere."""
    header = "Elapsed,Time,Pitch,Roll,Yaw,Latitude,Longitude,Altitude,zGPR:Trace"
    rows = [f"{k},9:00:0{k}.000,0,0,180,45.0,7.0,1.0,{k}" for k in range(3)]
    for name in ("flight-20240501-position.csv", "flight-position.csv"):
        path = write_log(tmp_path / name, rows, header)
        with pytest.warns(FormatWarning) as caught:
            log = read(path)
        text = " ".join(str(w.message) for w in caught)
        assert ("no date" in text) == (name == "flight-position.csv")
        start = DATE if "2024" in name else 0.0
        assert log.time[0] == start + 9 * 3600
        npt.assert_allclose(log.heading, math.pi)
        assert not log.has_rtk.any()  # the log does not tell
    with pytest.warns(FormatWarning, match="RTK"):
        assert read(path, date="2024-05-02").time[0] == DATE + DAY + 9 * 3600


def test_midnight_need_not_turn_in_one_row(tmp_path):
    """Date a row late, or a row early: corrected, and said so."""
    clock = ["23:59:59.800", "23:59:59.900", "0:00:00.000", "0:00:00.100"]
    for dates in (
        ["2024/05/01", "2024/05/01", "2024/05/01", "2024/05/02"],
        ["2024/05/01", "2024/05/02", "2024/05/02", "2024/05/02"],
    ):
        rows = [
            row(k, date=d, time=t) for k, (d, t) in enumerate(zip(dates, clock, strict=True))
        ]
        with pytest.warns(FormatWarning, match="at midnight"):
            log = read(write_log(tmp_path / "position.csv", rows))
        npt.assert_allclose(log.time, DATE + DAY + np.array([-0.2, -0.1, 0, 0.1]))
        assert len(log.corrections) == 1
        assert log.line.tolist() == [0] * 4


@pytest.mark.filterwarnings("ignore:.*no row in the log")
def test_a_log_that_starts_again_is_two_lines(tmp_path):
    """Nothing is interpolated from one to the other, and the first trace of it has GAP."""
    rows = [row(k, trace=k // 5 if k % 5 == 0 else "") for k in range(20)]
    rows += [
        row(k, trace=4 + k // 5 if k % 5 == 0 else "", time=f"8:00:{0.1 * k:06.3f}")
        for k in range(20)
    ]
    with pytest.warns(FormatWarning, match="backward for good 1 times"):
        log = read(write_log(tmp_path / "position.csv", rows))
    assert np.bincount(log.line).tolist() == [20, 20]
    sweep = join_skyhub(write_recording(tmp_path), log, centre_frequency=4e8)
    assert np.flatnonzero(sweep.quality & Quality.GAP).tolist() == [4]
    assert (np.diff(sweep.time) > 0).all()
    assert (sweep.quality & Quality.TIME_COARSE).all()


def test_rtk_off_is_flagged_not_dropped(tmp_path):
    """Positions stay, and are coarse."""
    rows = [
        row(k, trace=k // 5 if k % 5 == 0 else "", rtk="OFF" if k >= 20 else "ON")
        for k in range(40)
    ]
    with pytest.warns(FormatWarning, match="20 of 40 rows have no RTK"):
        log = read(write_log(tmp_path / "position.csv", rows))
    sweep = join_skyhub(write_recording(tmp_path), log, centre_frequency=4e8)
    assert ((sweep.quality & Quality.POSE_COARSE) != 0).tolist() == [False] * 4 + [True] * 4
    assert np.isfinite(sweep.position).all()


def test_fixes_far_apart_place_nothing_between(tmp_path):
    """Nor before the first and after the last one."""
    lats = [45.0] * 10 + [45.001] * 30
    rows = [row(k, trace=k // 5 if k % 5 == 0 else "", lat=lats[k]) for k in range(40)]
    log = read(write_log(tmp_path / "position.csv", rows))
    sweep = join_skyhub(write_recording(tmp_path), log, centre_frequency=4e8, max_gap=0.5)
    lost = (sweep.quality & Quality.POSE_NONE) != 0
    # traces 0 and 2 sit on the fixes; the others are held values
    assert lost.tolist() == [False, True, False, True, True, True, True, True]
    near = join_skyhub(write_recording(tmp_path), log, centre_frequency=4e8, max_gap=1.0)
    npt.assert_allclose(near.position[1, 1], near.position[2, 1] / 2, rtol=1e-6)


@pytest.mark.parametrize("base", [0, 1])
def test_the_base_of_traces_is_told_by_their_range(tmp_path, base):
    """Numbers 0 to n-1 or 1 to n of the recording."""
    rows = [row(k, trace=base + k // 5 if k % 5 == 0 else "") for k in range(40)]
    log = read(write_log(tmp_path / "position.csv", rows))
    sweep = join_skyhub(write_recording(tmp_path), log, centre_frequency=4e8)
    assert not (sweep.quality & Quality.POSE_NONE).any()
    npt.assert_allclose(sweep.position[0], [0, 0, 1.5], atol=1e-9)


def test_a_base_that_could_be_either_is_asked_for(tmp_path):
    """An error names the option."""
    rows = [row(k, trace=1 + k // 5 if k % 5 == 0 else "") for k in range(30)]
    log = read(write_log(tmp_path / "position.csv", rows))
    recording = write_recording(tmp_path)
    with pytest.raises(FormatError, match="pass first_trace"):
        join_skyhub(recording, log, centre_frequency=4e8)
    with pytest.warns(FormatWarning, match="2 of 8 traces have no row"):
        zero = join_skyhub(recording, log, first_trace=0, centre_frequency=4e8)
    with pytest.warns(FormatWarning, match="2 of 8 traces have no row"):
        one = join_skyhub(recording, log, first_trace=1, centre_frequency=4e8)
    lost = [(s.quality & Quality.POSE_NONE) != 0 for s in (zero, one)]
    assert np.flatnonzero(lost[0]).tolist() == [0, 7]
    assert np.flatnonzero(lost[1]).tolist() == [6, 7]
    npt.assert_array_equal(zero.position[1:7], one.position[:6])
    assert (np.diff(zero.time) > 0).all()
    with pytest.raises(ValueError, match="first_trace"):
        join_skyhub(recording, log, first_trace=2, centre_frequency=4e8)


@pytest.mark.parametrize(
    ("numbers", "match"),
    [
        ([0, 1, 1, 3], r"repeat or decrease in rows \[11\]"),
        ([0, 2, 1, 3], r"repeat or decrease in rows \[11\]"),
        ([0, 1, 2, 30], r"0 to 30.*within the 8 traces"),
        ([0, 1, 2, 8], "within the 8 traces"),
    ],
)
def test_numbers_that_cannot_be(tmp_path, numbers, match):
    """Are an error with the rows."""
    rows = [row(k, trace=numbers[k // 5] if k % 5 == 0 else "") for k in range(20)]
    log = read(write_log(tmp_path / "position.csv", rows))
    with pytest.raises(FormatError, match=match):
        join_skyhub(write_recording(tmp_path), log, centre_frequency=4e8)


def test_two_payloads_must_be_told_apart(tmp_path):
    """Or one chosen."""
    header = NEW + ",ECHO:Trace Hi"
    rows = [row(k, trace=k) + f",{k}" for k in range(8)]
    log = read(write_log(tmp_path / "position.csv", rows, header))
    recording = write_recording(tmp_path)
    with pytest.raises(ValueError, match=r"payloads \['GPR:Trace', 'ECHO:Trace Hi'\]"):
        join_skyhub(recording, log, centre_frequency=4e8)
    sweep = join_skyhub(recording, log, payload="echo:trace hi", centre_frequency=4e8)
    assert len(sweep) == 8
    with pytest.raises(ValueError, match="payload"):
        join_skyhub(recording, log, payload="radar", centre_frequency=4e8)


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        ("45.0000000", "95.0000000", "line 3, column 7"),
        ("45.0000000", "45,0000000", "line 3"),
        ("45.0000000", "45.0 N", "line 3, column 7"),
        ("9:00:00.000", "9:61:00.000", "line 3, column 3"),
        ("2024/05/01", "2024-05-01", "line 3, column 2"),
        (",0,n/a", ",0.5,n/a", "line 3, column 14"),
        (",Longitude,", ",Lon,", "content"),
    ],
)
def test_cells_that_are_not_what_they_must_be(tmp_path, old, new, match):
    """Are named by line and column."""
    path = write_log(tmp_path / "position.csv", [row(0, trace=0), row(1)])
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(FormatError, match=match):
        read(path)


def test_positions_that_are_missing(tmp_path):
    """Empty RTK columns, zero coordinates and empty cells are no positions."""
    header = NEW.replace("RTK Status", "Latitude RTK,Longitude RTK,Status RTK")
    rows = [row(k, trace=k).replace(",ON,", ",,,ON,") for k in range(3)]
    rows[1] = rows[1].replace("45.0000000,7.0000000", "0,0")
    with pytest.warns(FormatWarning, match="zero coordinates"):
        log = read(write_log(tmp_path / "position.csv", rows, header))
    assert np.isnan(log.latitude[1])
    assert np.isnan(log.values["latitude_rtk_deg"]).all()
    assert log.has_rtk.all()
