"""Test reading GSSI recordings against the layout, and real ones against known values."""

import copy
import json
import math
import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from radar_files import dzt_header, gga, pack_date, scans, sentence, write_dzt

import minesense.io.survey as survey_module
from minesense.io import FormatError, FormatWarning, Recording, read
from minesense.io.dzt import read_dzt
from minesense.io.dzt_layout import read_date
from minesense.sweep import Quality

REAL = [
    "gprpy_MIT/FILE____032.DZT",
    "iet-gpr_GPL3/File____001.DZT",
    "impdar_GPL3/test_gssi.DZT",
]


def read_quietly(path, **options):
    """Read, with the warnings that are not the matter of a test put aside."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FormatWarning)
        return read(path, **options)


# --- real files -------------------------------------------------------------------------


@pytest.mark.parametrize("name", REAL)
def test_real_file_is_as_known(test_data, name):
    """Z1 to Z5: data start, stored samples, axis, counter, marks, extremes of the signal."""
    expected = json.loads((test_data / "gpr/manifest.json").read_text())["files"][name]
    recording = read_quietly(test_data / "gpr" / name)
    stored = recording.stored
    assert recording.shape == (expected["n_traces"], 1, expected["n_samples"])
    assert stored.dtype == np.dtype(expected["dtype"])
    assert not stored.flags.writeable
    assert int(stored.astype(np.int64).sum()) == expected["raw_sum"]
    assert stored[0, 0, :5].tolist() == expected["first5_raw_trace0"]
    assert stored[-1, 0, :5].tolist() == expected["first5_raw_last_trace"]
    assert recording.window == pytest.approx(expected["window_s"], rel=1e-12)
    assert recording.sample_interval == pytest.approx(expected["sample_interval_s"], rel=1e-12)
    assert recording.time_zero == pytest.approx(expected["time_zero_s"], rel=1e-12)
    assert recording.spacing == expected["trace_spacing_m"]
    assert recording.trace_interval == pytest.approx(expected["trace_interval_s"])
    counter = expected["scan_counter"]
    assert recording.scan_counter[[0, -1]].tolist() == [counter["first"], counter["last"]]
    assert recording.marks.tolist() == expected["marks"]["trace_indices"]
    assert set(recording.mark_labels) <= {expected["marks"]["value"]}
    header = recording.header
    assert header["created"] == expected["header"]["created"]
    assert header["modified"] == expected["header"]["modified"]
    assert header["file_name"] == expected["header"]["stored_file_name"]
    assert header["antenna"] == expected["header"]["antenna_bytes"].strip()
    offset = 32768 if stored.dtype == np.uint16 else 0
    samples = recording.samples
    assert samples.min() == expected["signal_min"] - offset
    assert samples.max() == expected["signal_max"] - offset
    np.testing.assert_array_equal(samples[:, 0, 2:], stored[:, 0, 2:].astype(float) - offset)
    np.testing.assert_array_equal(samples[:, 0, :2], samples[:, 0, [2, 2]])


def test_real_file_without_fix_and_with_a_wrong_dzx(test_data):
    """Z6, Z7: no spacing, one warning about the DZX, 14 records without a fix."""
    with pytest.warns(FormatWarning) as caught:
        recording = read(test_data / "gpr" / REAL[2])
    texts = [str(w.message) for w in caught]
    assert sum("DZX not used" in text for text in texts) == 1
    assert sum("no fix" in text for text in texts) == 1
    assert len(texts) == 2
    assert (recording.header["dzg"]["records"], recording.fixes) == (14, ())
    assert np.isnan(recording.latitude).all()
    assert (recording.spacing, recording.distance) == (None, None)
    with pytest.raises(FormatError, match="when strict"):
        read(test_data / "gpr" / REAL[2], strict=True)


@pytest.mark.parametrize("name", REAL)
def test_real_file_becomes_a_sweep(test_data, name):
    """Distances northward, or no pose; a frequency by header or estimate."""
    recording = read_quietly(test_data / "gpr" / name)
    sweep = recording.to_sweep()
    assert sweep.samples.shape == recording.shape
    assert sweep.is_usable.all()
    if recording.spacing is None:
        assert (sweep.quality & Quality.POSE_NONE).all()
    else:
        np.testing.assert_allclose(np.diff(sweep.position[:, 1]), recording.spacing)
    estimated = any("estimated" in line for line in sweep.history)
    assert estimated == (recording.centre_frequency is None)
    assert 5e7 < sweep.sensor.radar.centre_frequency < 3e9


# --- samples, counter, marks ------------------------------------------------------------


@pytest.mark.parametrize(("bits", "offset"), [(8, 128), (16, 32768), (32, 0)])
def test_samples_less_mid_scale(tmp_path, bits, offset):
    stored = scans(bits=bits)
    recording = read(write_dzt(tmp_path / "a.DZT", stored))
    np.testing.assert_array_equal(recording.stored, stored)
    expected = stored.astype(np.float64) - offset
    expected[:, :, :2] = expected[:, :, 2:3]
    assert recording.samples.dtype == np.float32
    np.testing.assert_array_equal(recording.samples, expected)
    assert recording.sample_interval == pytest.approx(1e-9, rel=1e-12)
    assert recording.spacing == 0.02
    np.testing.assert_allclose(recording.distance, 0.02 * np.arange(20))
    assert recording.centre_frequency == 400e6


@pytest.mark.parametrize("first", [0, 1, 65530])
def test_counter_from_anywhere(tmp_path, first):
    """Z3: from 0, from 1 and wrapping at the word size."""
    recording = read(write_dzt(tmp_path / "a.DZT", scans(first=first, marks=(0, 7))))
    expected = (first + np.arange(20)) % 65536
    np.testing.assert_array_equal(recording.scan_counter, expected)
    assert recording.marks.tolist() == [0, 7]
    assert recording.mark_labels == ("0x64", "0x64")
    assert not recording.quality.any()


def test_lost_scans_are_counted_and_flagged(tmp_path):
    """Z3: three scans are missing before trace 5: distance jumps, GAP is set."""
    stored = scans(30)
    stored[5:, 0, 0] += 3
    path = write_dzt(tmp_path / "a.DZT", stored)
    with pytest.warns(FormatWarning, match="scans lost: 3 before trace 5"):
        recording = read(path)
    steps = np.diff(recording.distance)
    np.testing.assert_allclose(steps[4], 4 * 0.02)
    np.testing.assert_allclose(np.delete(steps, 4), 0.02)
    assert np.flatnonzero(recording.quality & Quality.GAP).tolist() == [5]
    with pytest.raises(FormatError, match="scan counter"):
        read(path, strict=True)


def test_counter_that_runs_backward_moves_no_trace(tmp_path):
    stored = scans(30)
    stored[10, 0, 0] = 3
    with pytest.warns(FormatWarning, match="runs backward"):
        recording = read(write_dzt(tmp_path / "a.DZT", stored))
    np.testing.assert_allclose(np.diff(recording.distance), 0.02)
    assert (recording.quality[[10, 11]] & Quality.GAP).all()


def test_converted_file_has_signal_in_the_first_words(tmp_path):
    """Z3: words that do not count are samples, marks included."""
    stored = scans(20)
    stored[::2, 0, 0] = 32768
    recording = read(write_dzt(tmp_path / "a.DZT", stored))
    assert (recording.scan_counter, recording.header_words) == (None, (0,))
    assert len(recording.marks) == 0
    np.testing.assert_array_equal(recording.samples, stored.astype(float) - 32768)


@pytest.mark.parametrize(("n_wrong", "is_counter"), [(1, True), (3, False)])
def test_nine_tenths_decide(tmp_path, n_wrong, is_counter):
    """Of 20 steps 2 may be off: one wrong word spoils two."""
    stored = scans(21)
    stored[5 : 5 + 5 * n_wrong : 5, 0, 0] += 7
    recording = read_quietly(write_dzt(tmp_path / "a.DZT", stored))
    assert (recording.scan_counter is not None) == is_counter


@pytest.mark.parametrize(("word", "n_words"), [(0, 2), (1, 2), (2, 0)])
def test_two_scans_are_too_few_to_tell(tmp_path, word, n_words):
    path = write_dzt(tmp_path / "a.DZT", scans(2, first=word))
    if n_words:
        with pytest.warns(FormatWarning, match="too few scans"):
            recording = read(path)
    else:
        recording = read(path)
    assert recording.header_words == (n_words,)


def test_control_characters_of_an_antenna_do_not_reach_the_sensor(tmp_path):
    """HDF5 holds no text with NUL, so that such a file could not be converted."""
    recording = read(write_dzt(tmp_path / "a.DZT", scans(), antenna=b"\xff\n\x00512\x1b"))
    assert recording.to_sweep(centre_frequency=4e8).sensor.name == "dzt \xff  512"


def test_two_channels_stay_apart(tmp_path):
    """Z8: a second header wrong in every field but those that matter; its zeros corrected."""
    stored = scans(20, 2)
    path = tmp_path / "a.DZT"
    second = dzt_header(samples=0, bits=0, range=math.nan, antenna=b"\n\xff", created=0)
    write_dzt(path, stored, headers=[second])
    with pytest.warns(FormatWarning, match="channel 0 says so"):
        recording = read(path)
    np.testing.assert_array_equal(recording.stored, stored)
    assert [c.field for c in recording.corrections] == [
        "samples of channel 1",
        "bits of channel 1",
    ]
    assert recording.header["channel_headers"][1]["antenna_bytes"][:2] == b"\n\xff"
    assert recording.to_sweep().samples.shape == (20, 2, 8)


@pytest.mark.parametrize(("field", "value"), [("samples", 16), ("bits", 8)])
def test_channels_must_not_differ(tmp_path, field, value):
    second = dzt_header(**{"samples": 8, "bits": 16, field: value})
    path = write_dzt(tmp_path / "a.DZT", scans(20, 2), headers=[second])
    with pytest.raises(FormatError, match="as in channel 0"):
        read(path)


def test_a_channel_with_another_range_is_doubted(tmp_path):
    """All channels get one time axis, so a second window cannot pass unnoticed."""
    second = dzt_header(samples=8, bits=16, range=99.0)
    path = write_dzt(tmp_path / "a.DZT", scans(20, 2), headers=[second])
    with pytest.warns(FormatWarning, match=r"range of channel 1: 99 ns; .* of channel 0"):
        read(path)


def test_one_channel_may_count_and_another_not(tmp_path):
    stored = scans(20, 2)
    stored[:, 1, 0] = 32768
    recording = read(write_dzt(tmp_path / "a.DZT", stored))
    assert recording.header_words == (2, 0)
    np.testing.assert_array_equal(recording.samples[:, 1], stored[:, 1].astype(float) - 32768)


# --- data start, length, magic ----------------------------------------------------------


def test_data_start_in_blocks(tmp_path):
    """Z1: a data field below 1024 counts blocks of 1024 bytes."""
    stored = scans()
    path = tmp_path / "a.DZT"
    path.write_bytes(dzt_header(data=3).ljust(3072, b"\0") + stored.tobytes())
    np.testing.assert_array_equal(read(path).stored, stored)


@pytest.mark.parametrize("start", [1024, 2048 * 1024])
def test_data_start_with_two_readings(tmp_path, start):
    """Z9: data field 2048; the reading with a running counter wins, with a warning."""
    stored = scans(24)
    path = tmp_path / "a.DZT"
    path.write_bytes(dzt_header(data=2048).ljust(start, b"\0") + stored.tobytes())
    with pytest.warns(FormatWarning, match=f"data taken to start at {start}"):
        recording = read(path)
    np.testing.assert_array_equal(recording.stored, stored)


def test_truncated_last_scan_is_dropped(tmp_path):
    stored = scans()
    path = write_dzt(tmp_path / "a.DZT", stored, tail=b"\1" * 7)
    with pytest.warns(FormatWarning, match="7 bytes of a last scan of 16"):
        recording = read(path)
    np.testing.assert_array_equal(recording.stored, stored)
    with pytest.raises(FormatError, match="file size"):
        read(path, strict=True)


def test_seventy_thousand_scans(tmp_path):
    """Z9: the counter wraps, nothing is lost."""
    recording = read(write_dzt(tmp_path / "a.DZT", scans(70000, n_samples=4)))
    assert recording.shape == (70000, 1, 4)
    assert recording.scan_counter[65536] == 0
    assert recording.distance[-1] == pytest.approx(69999 * 0.02)


@pytest.mark.parametrize(
    ("fields", "match"),
    [
        ({"samples": 0}, "samples per scan"),
        ({"bits": 12}, "bits per sample"),
        ({"channels": 999}, "channels"),
        ({"data": 900}, "data start"),
        ({"data": 0}, "data start"),
        ({"channels": 5}, "data start"),
        ({"range": 0.0}, "sample interval"),
        ({"range": -1.0}, "sample interval"),
        ({"range": math.nan}, "sample interval"),
        ({"range": 1e30}, "sample interval"),
    ],
)
def test_impossible_header(tmp_path, fields, match):
    path = write_dzt(tmp_path / "a.DZT", scans(2), **fields)
    with pytest.raises(FormatError, match=f"invalid {match}"):
        read(path)


def test_zero_channels_count_as_one(tmp_path):
    path = write_dzt(tmp_path / "a.DZT", scans(), channels=0)
    with pytest.warns(FormatWarning, match="channels: 1 is used instead of 0"):
        recording = read(path)
    (correction,) = recording.corrections
    assert (correction.field, correction.old, correction.new) == ("channels", 0, 1)


def test_wrong_tag(tmp_path):
    """Accepted with a warning if everything else fits, else refused."""
    path = write_dzt(tmp_path / "a.DZT", scans(), tag=0x1234)
    with pytest.warns(FormatWarning, match="0x1234"):
        read(path)
    write_dzt(path, scans(), tag=0x1234, tail=b"\1")
    with pytest.raises(FormatError, match="invalid tag"):
        read(path)


@pytest.mark.parametrize(
    ("content", "looks"),
    [
        (b"\x89HDF\r\n\x1a\n" + bytes(2000), "HDF5"),
        (b"PK\x03\x04" + bytes(2000), "export DT1/HD"),
        (b"trace;sample;value\r\n" * 200, "text"),
        (b"\x80\x04\x95" + bytes(2000), "pickle"),
        (b"\x93NUMPY" + bytes(2000), "NumPy"),
        (b"\xc3\xf1" + b"\x40" * 3222 + b"\0\x05" + bytes(500), "SEG-Y"),
        (b"", "file"),
        (b"\0" * 50, "."),
    ],
)
@pytest.mark.parametrize("name", ["a.DZT", "a.gpr", "a"])
def test_foreign_content_is_named(tmp_path, content, looks, name):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(FormatError, match=looks):
        read(path)


def test_content_decides_not_the_name(tmp_path):
    stored = scans()
    assert read(write_dzt(tmp_path / "a.sgy", stored)).format == "dzt"
    assert read(write_dzt(tmp_path / "a.DT1", stored)).format == "dzt"


def test_error_survives_another_process(tmp_path):
    """Workers hand errors on as pickles."""
    (tmp_path / "a.DZT").write_bytes(b"")
    with pytest.raises(FormatError) as caught:
        read(tmp_path / "a.DZT")
    copied = copy.copy(caught.value)  # through the same methods
    assert str(copied) == str(caught.value)
    assert vars(copied) == vars(caught.value)


def test_folder_and_missing_file(tmp_path):
    for reader in (read, read_dzt):
        with pytest.raises(FormatError, match="a file, not a folder"):
            reader(tmp_path)
        with pytest.raises(FileNotFoundError):
            reader(tmp_path / "none.DZT")


# --- what the header tells --------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "frequency"),
    [
        (b"400MHz", 400e6),
        (b"1.6 mhz", 1.6e6),
        (b"5106", None),
        (b"none", None),
        (b"SS MINI #454\n", None),
        (b"\xff\n\0\x01", None),
        (b"0MHz", None),
    ],
)
def test_antenna_names(tmp_path, name, frequency):
    recording = read(write_dzt(tmp_path / "a.DZT", scans(), antenna=name))
    assert recording.centre_frequency == frequency
    assert recording.header["antenna_bytes"] == name.ljust(14, b"\0")


def test_dates():
    assert read_date(pack_date(2017, 3, 21, 0, 36, 46)) == "2017-03-21T00:36:46"
    assert read_date(0) is None
    assert read_date(0xFFFFFFFF) is None


def test_time_triggered(tmp_path):
    """2.4: no scans per metre: an interval and no distance."""
    recording = read(write_dzt(tmp_path / "a.DZT", scans(), scans_per_metre=0.0))
    assert (recording.spacing, recording.distance) == (None, None)
    assert recording.trace_interval == 0.01
    sweep = recording.to_sweep(centre_frequency=1e9)
    assert (sweep.quality & Quality.POSE_NONE).all()
    assert np.isnan(sweep.position).all()
    np.testing.assert_allclose(np.diff(sweep.time), 0.01)
    assert any("nominal 0.01 s" in line for line in sweep.history)


@pytest.mark.parametrize("value", [-1.0, math.nan, math.inf])
def test_scans_per_metre_without_sense(tmp_path, value):
    path = write_dzt(tmp_path / "a.DZT", scans(), scans_per_metre=value)
    with pytest.warns(FormatWarning, match="scans per metre give no spacing"):
        assert read(path).spacing is None


def test_time_zero(tmp_path):
    assert read(write_dzt(tmp_path / "a.DZT", scans(), position=-2.0)).time_zero == 2e-9
    for value in (math.nan, 1e9):
        path = write_dzt(tmp_path / "a.DZT", scans(), position=value)
        with pytest.warns(FormatWarning, match="far outside"):
            assert read(path).time_zero is None


def test_overrides_are_recorded(tmp_path):
    path = write_dzt(tmp_path / "a.DZT", scans(), range=0.0)
    recording = read(path, sample_interval=2e-10, spacing=0.5, strict=True)
    assert recording.sample_interval == 2e-10
    assert recording.window == 8 * 2e-10
    np.testing.assert_allclose(recording.distance, 0.5 * np.arange(20))
    assert [c.field for c in recording.corrections] == ["sample_interval", "spacing"]
    assert {c.reason for c in recording.corrections} == {"given by the caller"}
    assert recording.sources == {"sample_interval": "caller", "spacing": "caller"}


def test_sample_width_override(tmp_path):
    stored = scans(bits=8, n_samples=8)
    path = write_dzt(tmp_path / "a.DZT", stored, bits=12)
    np.testing.assert_array_equal(read(path, sample_width=1).stored, stored)
    with pytest.raises(ValueError, match="Must be 1, 2 or 4"):
        read(path, sample_width=3)


@pytest.mark.parametrize("name", ["sample_interval", "spacing", "mark_spacing", "max_gap"])
def test_options_must_be_positive(tmp_path, name):
    path = write_dzt(tmp_path / "a.DZT", scans(marks=(1, 2)))
    with pytest.raises(ValueError, match=f"Invalid {name}"):
        read(path, **{name: -1.0})


def test_marks_give_distance_only_when_asked(tmp_path):
    """Between marks only, never beyond them."""
    path = write_dzt(tmp_path / "a.DZT", scans(marks=(4, 14)), scans_per_metre=0.0)
    assert read(path).distance is None
    recording = read(path, mark_spacing=5.0)
    assert np.isnan(recording.distance[[0, 3, 15]]).all()
    np.testing.assert_allclose(recording.distance[4:15], 0.5 * np.arange(11))
    sweep = recording.to_sweep()
    assert ((sweep.quality & Quality.POSE_NONE) != 0).tolist() == [
        not 4 <= k <= 14 for k in range(20)
    ]
    path = write_dzt(tmp_path / "b.DZT", scans(marks=(4,)))
    with pytest.raises(FormatError, match="at least two"):
        read(path, mark_spacing=5.0)


def test_constant_and_clipped_and_large_samples(tmp_path):
    stored = scans()
    stored[:, :, 2:] = 40000
    with pytest.warns(FormatWarning, match="same value"):
        read(write_dzt(tmp_path / "a.DZT", stored))
    stored[:, :, 2:5], stored[:, :, 5:] = 0, 65535
    with pytest.warns(FormatWarning, match="all samples are clipped"):
        recording = read(write_dzt(tmp_path / "a.DZT", stored))
    assert recording.clipped.sum() == recording.n_clipped.sum() == 20 * 6
    stored = scans(bits=32)
    stored[3, 0, 4] = 2**24 + 1
    with pytest.warns(FormatWarning, match="beyond 2\\^24"):
        read(write_dzt(tmp_path / "a.DZT", stored))


@pytest.mark.parametrize("dtype", ["<u2", "<f4"])
@pytest.mark.parametrize("block", [1, 7, 50, 2**20])
def test_survey_does_not_depend_on_its_blocks(monkeypatch, dtype, block):
    """Extremes, clipped and not finite samples as counted in one go, words left out."""
    monkeypatch.setattr(survey_module, "_BLOCK", block)
    stored = scans(40, 2, 5).astype(dtype)
    stored[[3, 30], 1, 4] = np.nan if dtype == "<f4" else 65535
    stored[3, 0, 1] = 0
    survey = survey_module.survey_samples(stored, (2, 0))
    signal = [stored[:, 0, 2:], stored[:, 1]]
    assert survey.smallest == min(np.nanmin(part) for part in signal)
    assert survey.largest == max(np.nanmax(part) for part in signal)
    assert survey.n_signal == 40 * 8
    if dtype == "<f4":
        assert (survey.n_not_finite, survey.first_not_finite) == (2, (3, 1, 4))
    else:
        limits = [((part == 0) | (part == 65535)).sum(axis=1) for part in signal]
        np.testing.assert_array_equal(survey.n_clipped, np.column_stack(limits))
        assert survey.n_clipped[30, 1] == 2  # the mark word 0 counts where words are signal


def test_saturated_only_when_much_is_clipped(tmp_path):
    """The counter 0 is no clipped sample; a quarter of the signal is the limit."""
    stored = scans(n_samples=10)
    stored[3, 0, 2:4] = 65535  # a quarter of eight
    stored[4, 0, 2:5] = 0
    recording = read(write_dzt(tmp_path / "a.DZT", stored))
    assert recording.n_clipped[:, 0].tolist() == [0, 0, 0, 2, 3] + [0] * 15
    quality = recording.to_sweep().quality
    assert np.flatnonzero(quality & Quality.SATURATED).tolist() == [4]
    quality = recording.to_sweep(max_clipped=0.5).quality
    assert not (quality & Quality.SATURATED).any()
    history = recording.to_sweep().history
    assert any(line.startswith("clipped: 5 samples in 2 of 20") for line in history)


# --- sidecars ---------------------------------------------------------------------------


def write_dzg(path, scan_fixes):
    """Write a DZG file of (scan, sentences)."""
    path.write_bytes(b"".join(b"$GSSIS,%s,-1\r\n%s\r\n" % pair for pair in scan_fixes))


def test_dzg_positions(tmp_path):
    """Positions at scans with a fix and between them; bad records counted."""
    path = write_dzt(tmp_path / "a.DZT", scans(first=1))
    write_dzg(
        tmp_path / "a.dzg",
        [
            (b"3", gga("120000.00", "4730.0000")),
            (b"x", gga("120000.50", "4739.0000")),
            (b"5", b""),
            (b"7", gga("120001.00", "4732.0000")),
        ],
    )
    recording = read(path)
    expected = np.full(20, np.nan)
    expected[2:7] = 47.5 + np.linspace(0, 2 / 60, 5)
    np.testing.assert_allclose(recording.latitude, expected)
    assert recording.header["dzg"]["records_without_scan"] == 1
    assert recording.sources["position"] == "a.dzg"
    assert [fix.trace for fix in recording.fixes] == [2.0, 6.0]
    assert recording.fixes[0].date.isoformat() == "2020-02-29"


def test_dzg_of_another_recording(tmp_path):
    """Scans beyond the end or another day: not used. Beyond a truncated end: expected."""
    path = write_dzt(tmp_path / "a.DZT", scans())
    records = [(b"3", gga("120000.00")), (b"30", gga("120001.00", "4731.0"))]
    write_dzg(tmp_path / "a.DZG", records)
    with pytest.warns(FormatWarning, match="another recording"):
        assert np.isnan(read(path).latitude).all()
    write_dzt(path, scans(), tail=b"\1")
    assert np.flatnonzero(~np.isnan(read_quietly(path).latitude)).tolist() == [3]
    write_dzt(path, scans())
    zda = sentence("GPZDA,120000.00,06,10,2011,00,00")
    write_dzg(tmp_path / "a.DZG", [(b"3", zda + gga())])
    with pytest.warns(FormatWarning, match="2011-10-06, the recording of 2020-02-29"):
        assert np.isnan(read(path).latitude).all()


DZX = (
    "<?xml version='1.0'?><DZX xmlns='x'><G><horizontalUnit>{unit}</horizontalUnit>"
    "<unitsPerScan>{per_scan}</unitsPerScan></G><F><scanRange>0,{last}</scanRange>"
    "<WayPt><scan>0</scan><localCoords>0.0, 0.0, 0</localCoords></WayPt>"
    "<WayPt><scan>19</scan><localCoords>{end}, 0.0, 0</localCoords></WayPt></F></DZX>"
)


def dzx(unit="cm", per_scan="5", last=19, end=95.0):
    return DZX.format(unit=unit, per_scan=per_scan, last=last, end=end)


def test_dzx_spacing_if_consistent(tmp_path):
    path = write_dzt(tmp_path / "a.DZT", scans(), scans_per_metre=0.0)
    (tmp_path / "a.DZX").write_text(dzx())
    recording = read(path)
    assert recording.spacing == pytest.approx(0.05)
    assert recording.sources["spacing"] == "DZX"


@pytest.mark.parametrize(
    ("text", "match"),
    [
        (dzx(end=200.0), "contradicts itself"),
        (dzx(last=17), "its range holds 18 scans, the recording 20"),
        (dzx(unit="cubit"), "unit 'cubit' is unknown"),
        ("<DZX>", "refused"),
        ("<!DOCTYPE a [<!ENTITY b 'c'>]><DZX>&b;</DZX>", "DTD"),
        ("<?xml version='1.0' encoding='klingon'?><DZX/>", "refused"),
    ],
)
def test_dzx_not_used(tmp_path, text, match):
    path = write_dzt(tmp_path / "a.DZT", scans(), scans_per_metre=0.0)
    (tmp_path / "a.DZX").write_text(text)
    with pytest.warns(FormatWarning, match=match):
        assert read(path).spacing is None


def test_dzx_never_overrules_the_recording(tmp_path):
    path = write_dzt(tmp_path / "a.DZT", scans())
    (tmp_path / "a.DZX").write_text(dzx())
    with pytest.warns(FormatWarning, match="the recording 0.02 m"):
        assert read(path).spacing == 0.02


def test_sidecars_that_differ_by_case(tmp_path):
    path = write_dzt(tmp_path / "a.DZT", scans())
    for name in ("a.dzg", "a.Dzg"):
        write_dzg(tmp_path / name, [])
    with pytest.raises(FormatError, match="not several by case"):
        read(path)
    write_dzg(tmp_path / "a.DZG", [(b"3", gga())])
    assert read(path).sources["position"] == "a.DZG"


def test_huge_sidecar_is_refused(tmp_path):
    path = write_dzt(tmp_path / "a.DZT", scans())
    with (tmp_path / "a.DZX").open("wb") as file:
        file.truncate(16 * 2**20 + 1)
    with pytest.raises(FormatError, match="at most 16777216 bytes"):
        read(path)
    (tmp_path / "a.DZX").write_bytes(b"<DZX>" + bytes(100) + b"</DZX>")
    with pytest.raises(FormatError, match="100 NUL bytes"):
        read(path)
    (tmp_path / "a.DZX").write_bytes(b"<DZX>" + b"x" * 2**20 + b"</DZX>")
    with pytest.raises(FormatError, match="line length"):
        read(path)


# --- hostile input ----------------------------------------------------------------------

BASE = dzt_header() + scans(4).tobytes()
fuzz = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)


def ends_well(path, data):
    """Whether reading ends in a recording or a FormatError, and a recording in a sweep."""
    path.write_bytes(data)
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
    results = [ends_well(tmp_path / "a.DZT", BASE[:n]) for n in range(len(BASE))]
    assert results == [False] * (1024 + 16) + [True] * (len(BASE) - 1024 - 16)


@fuzz
@given(place=st.integers(0, 127), value=st.integers(0, 255))
def test_every_byte_of_the_header(tmp_path, place, value):
    data = bytearray(BASE)
    data[place] = value
    ends_well(tmp_path / "a.DZT", bytes(data))


@fuzz
@given(data=st.binary(max_size=200), header=st.booleans())
def test_random_bytes(tmp_path, data, header):
    ends_well(tmp_path / "a.DZT", BASE[:1024] + data if header else data * 20)


@fuzz
@given(dzg=st.binary(max_size=200), xml=st.binary(max_size=200))
def test_random_sidecars(tmp_path, dzg, xml):
    (tmp_path / "a.DZG").write_bytes(b"$GSSIS," + dzg)
    (tmp_path / "a.DZX").write_bytes(b"<DZX><scanRange>" + xml)
    ends_well(tmp_path / "a.DZT", BASE)


@pytest.mark.parametrize("log", [b"", b"$GPGGA,,,,*00\n"])
def test_dzg_without_records(tmp_path, log):
    """An empty log places nothing, and the recording is read."""
    path = write_dzt(tmp_path / "a.DZT", scans())
    path.with_suffix(".DZG").write_bytes(log)
    with pytest.warns(FormatWarning, match="0 positions and no fix"):
        recording = read(path)
    assert recording.header["dzg"]["records"] == 0
