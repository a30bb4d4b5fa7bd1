"""Test reading SEG-Y against the layout of the standard and the habits of vendors."""

import math
import struct
import warnings

import numpy as np
import numpy.testing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from segy_files import TYPES, head_of, numbers, trace_of, write_segy

from minesense.io import FormatError, FormatWarning, read
from minesense.io.words import decode_ibm, decode_int24
from minesense.sweep import Quality


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
    assert [str(w.message) for w in caught] == [f"{path}: {t}" for t in recording.warnings]
    return recording, list(recording.warnings)


# --- samples: Y1 ------------------------------------------------------------------------


@pytest.mark.parametrize("is_ebcdic", [False, True])
@pytest.mark.parametrize("order", [">", "<"])
@pytest.mark.parametrize("code", [code for code in TYPES if code != 1])
def test_formats_and_byte_orders(tmp_path, code, order, is_ebcdic):
    stored = numbers(code, order=order)
    path = write_segy(tmp_path / "a.sgy", stored, code=code, order=order, is_ebcdic=is_ebcdic)
    recording, texts = texts_of(path, dt_unit="ps")
    assert texts == []
    assert recording.format == "segy"
    assert recording.shape == (7, 1, 20)
    assert recording.stored.dtype == stored.dtype
    npt.assert_array_equal(recording.stored[:, 0], stored)
    npt.assert_array_equal(recording.samples[:, 0], stored.astype(np.float32))
    assert recording.header["text"].startswith("C 1 CLIENT A TEST")
    assert recording.header["byte_order"] == ("big" if order == ">" else "little")
    assert recording.sample_interval == pytest.approx(1e-10)
    assert recording.window == pytest.approx(20e-10)


#: Words of IBM and what they stand for, from the architecture's definition.
IBM = {
    0x00000000: 0.0,
    0x41100000: 1.0,
    0xC1100000: -1.0,
    0xC276A000: -118.625,
    0x42640000: 100.0,
    0x40800000: 0.5,
    0x3F199999: 0x199999 / 2**24 / 16,
    0x46FFFFFF: 0xFFFFFF,
    0x7FFFFFFF: (1 - 2.0**-24) * 16.0**63,
    0x00000001: 16.0**-64 / 2**24,
}


def test_ibm_words():
    words = np.array(list(IBM), np.uint32)
    npt.assert_array_equal(decode_ibm(words), list(IBM.values()))
    npt.assert_array_equal(decode_ibm(words.astype("<u4")), list(IBM.values()))


@given(st.integers(0, 2**32 - 1))
def test_ibm_words_as_fractions(word):
    """Sign, exponent of sixteen, fraction: by integers alone."""
    sign = -1 if word >> 31 else 1
    expected = sign * math.ldexp(word & 0xFFFFFF, 4 * ((word >> 24 & 0x7F) - 64) - 24)
    assert decode_ibm(np.array([word], np.uint32))[0] == expected


@pytest.mark.parametrize("order", [">", "<"])
def test_ibm_file(tmp_path, order):
    usual = [word for word, value in IBM.items() if abs(value) < 1e30]
    stored = np.array([usual, usual[::-1]], "u4").astype(order + "u4")
    path = write_segy(tmp_path / "a.sgy", stored, code=1, order=order, interval=500)
    recording = read_quietly(path)
    npt.assert_array_equal(recording.stored[:, 0], stored)
    expected = np.array([[IBM[word] for word in row] for row in stored.tolist()])
    npt.assert_array_equal(recording.samples[:, 0], expected.astype(np.float32))


def test_ibm_beyond_float32_is_flagged(tmp_path):
    stored = np.full((3, 20), 0x42640000, ">u4")
    stored[1, 4] = 0x7FFFFFFF
    sweep = read_quietly(write_segy(tmp_path / "a.sgy", stored, code=1)).to_sweep(
        centre_frequency=1e9
    )
    assert (sweep.quality & Quality.NOT_FINITE != 0).tolist() == [False, True, False]


@pytest.mark.parametrize("order", [">", "<"])
@pytest.mark.parametrize(("code", "is_signed"), [(7, True), (15, False)])
def test_three_bytes(tmp_path, code, order, is_signed):
    values = np.array([[0, 1, 255, 65536, 8388607] * 4])
    values[0, 3] = -8388608 if is_signed else 16777215
    name = "big" if order == ">" else "little"
    data = b"".join(int(v).to_bytes(3, name, signed=is_signed) for v in values[0])
    path = tmp_path / "a.sgy"
    head = head_of(order, interval=100, n_samples=20, code=code)
    path.write_bytes(head + trace_of(data, order, n_samples=20))
    recording = read_quietly(path)
    npt.assert_array_equal(recording.samples[:, 0], values)
    words = np.frombuffer(data, "V3")
    npt.assert_array_equal(decode_int24(words, order=name, is_signed=is_signed), values[0])


@pytest.mark.parametrize("code", [0, 4, 13, 14, 17, 999])
def test_formats_that_are_not_read(tmp_path, code):
    path = write_segy(tmp_path / "a.sgy", numbers(3), code=code)
    with pytest.raises(FormatError, match="format code"):
        read(path)


def test_text_header_may_be_empty(tmp_path):
    for text in (b"\0" * 3200, b" " * 3200, b"\xe9t\xe9" * 20):
        path = write_segy(tmp_path / "a.sgy", text=text)
        npt.assert_array_equal(read_quietly(path).stored[:, 0], numbers())
    assert read_quietly(write_segy(tmp_path / "a", text=b"\0" * 3200)).format == "segy"


def test_the_constant_of_revision_2_decides(tmp_path):
    """Format 0x0101 would be unknown both ways round; the constant comes first."""
    path = write_segy(tmp_path / "a.sgy", order="<", constant=0x01020304, revision=b"\x02\x01")
    assert read_quietly(path).header["byte_order"] == "little"


def test_extended_text_headers(tmp_path):
    stored = numbers()
    path = write_segy(
        tmp_path / "a.sgy", stored, n_text=2, revision=b"\x01\x00", extra=b"x" * 6400
    )
    npt.assert_array_equal(read_quietly(path).stored[:, 0], stored)
    stanza = b"x" * 3200 + b"((SEG: EndText))".ljust(3200)
    path = write_segy(tmp_path / "a.sgy", stored, n_text=-1, revision=b"\x01\0", extra=stanza)
    npt.assert_array_equal(read_quietly(path).stored[:, 0], stored)
    for count in (-1, -2, 32767):
        path = write_segy(tmp_path / "a.sgy", stored, n_text=count, revision=b"\x01\x00")
        with pytest.raises(FormatError, match="extended text headers"):
            read(path)
    # Revision 0 has no such field: whatever stands there is no count.
    path = write_segy(tmp_path / "a.sgy", stored, n_text=32767)
    npt.assert_array_equal(read_quietly(path).stored[:, 0], stored)


def test_layout_of_revision_2(tmp_path):
    """First trace, further headers of a trace and trailers are where the header says."""
    stored = numbers()
    head = head_of(
        interval=100,
        n_samples=3,
        extended_n_samples=20,
        code=3,
        revision=b"\x02\x01",
        first_trace=4000,
        n_extra_headers=1,
        n_trailers=1,
    )
    traces = b""
    for row in stored:
        trace = trace_of(row, n_samples=20, interval=100)
        traces += trace[:240] + b"\1" * 240 + trace[240:]
    path = tmp_path / "a.sgy"
    path.write_bytes(head.ljust(4000, b"\0") + traces + b"\2" * 3200)
    npt.assert_array_equal(read_quietly(path).stored[:, 0], stored)


# --- how many samples -------------------------------------------------------------------


def test_what_divides_the_file_wins(tmp_path):
    stored = numbers()
    path = write_segy(tmp_path / "a.sgy", stored, n_samples=17)
    recording = read_quietly(path)
    npt.assert_array_equal(recording.stored[:, 0], stored)
    assert [c.field for c in recording.corrections] == ["samples per trace"]
    path = write_segy(tmp_path / "a.sgy", stored, n_samples=0)
    npt.assert_array_equal(read_quietly(path).stored[:, 0], stored)
    path = write_segy(tmp_path / "a.sgy", stored, trace_n_samples=0)
    npt.assert_array_equal(read_quietly(path).stored[:, 0], stored)


def test_more_than_32767_samples(tmp_path):
    """The count is unsigned."""
    stored = numbers(n_traces=2, n_samples=40000)
    recording = read_quietly(write_segy(tmp_path / "a.sgy", stored, interval=5))
    npt.assert_array_equal(recording.stored[:, 0], stored)


def test_truncated(tmp_path):
    stored = numbers()
    path = write_segy(tmp_path / "a.sgy", stored, tail=b"\1" * 33)
    recording, texts = texts_of(path, dt_unit="ps")
    npt.assert_array_equal(recording.stored[:, 0], stored)
    assert texts == ["truncated: 33 bytes of a last trace of 280 dropped"]
    with pytest.raises(FormatError, match="file size"):
        read(path, strict=True, dt_unit="ps")


def test_traces_of_different_lengths(tmp_path):
    """Walked one by one; samples that a trace has not are NaN, and it is flagged."""
    rows = [numbers()[k, :n] for k, n in enumerate((20, 13, 20, 7))]
    path = write_segy(tmp_path / "a.sgy", rows)
    recording = read_quietly(path)
    assert recording.shape == (4, 1, 20)
    for k, row in enumerate(rows):
        npt.assert_array_equal(recording.stored[k, 0, : len(row)], row)
        assert np.isnan(recording.stored[k, 0, len(row) :]).all()
    assert [c.field for c in recording.corrections] == ["missing samples"]
    flagged = recording.to_sweep(centre_frequency=1e9).quality & Quality.NOT_FINITE
    assert (flagged != 0).tolist() == [False, True, False, True]


def test_a_long_trace_among_many_short_ones_is_refused(tmp_path):
    """Filling up would take far more memory than the file has bytes."""
    head = head_of(interval=100, n_samples=60000, code=5)
    long = trace_of(np.ones(60000, ">f4"), interval=100)
    path = tmp_path / "a.sgy"
    path.write_bytes(head + long + trace_of(np.ones(1, ">f4"), interval=100) * 1500)
    with pytest.raises(FormatError, match="twice the file's size"):
        read(path)


def test_samples_by_the_caller(tmp_path):
    stored = numbers()
    path = write_segy(tmp_path / "a.sgy", stored, n_samples=17, trace_n_samples=9)
    recording = read_quietly(path, n_samples=20)
    npt.assert_array_equal(recording.stored[:, 0], stored)
    with pytest.raises(FormatError, match="n_samples"):
        read_quietly(path, n_samples=10**6)


# --- sample interval: Y2 ----------------------------------------------------------------


def test_interval_in_picoseconds_with_a_warning(tmp_path):
    path = write_segy(tmp_path / "a.sgy", interval=200)
    recording, texts = texts_of(path)
    assert recording.sample_interval == pytest.approx(200e-12)
    (text,) = texts
    for words in ("in ps", "in ns", "in us", "dt_unit"):
        assert words in text
    with pytest.raises(FormatError, match="sample interval"):
        read(path, strict=True)


@pytest.mark.parametrize(("unit", "seconds"), [("ps", 200e-12), ("ns", 200e-9), ("us", 200e-6)])
def test_interval_by_the_caller(tmp_path, unit, seconds):
    path = write_segy(tmp_path / "a.sgy", interval=200)
    if unit == "us":
        with pytest.raises(FormatError, match="between 1e-14 and 1e-06"):
            read(path, dt_unit=unit)
        return
    recording, texts = texts_of(path, dt_unit=unit, strict=True)
    assert recording.sample_interval == pytest.approx(seconds)
    assert texts == []
    assert read_quietly(path, sample_interval=3e-10).sample_interval == 3e-10


@pytest.mark.parametrize("number", [1, 0, -5])
def test_an_interval_that_says_nothing(tmp_path, number):
    path = write_segy(tmp_path / "a.sgy", interval=number)
    with pytest.raises(FormatError, match="pass dt_unit"):
        read(path)
    assert read_quietly(path, sample_interval=2e-10).sample_interval == 2e-10


@pytest.mark.parametrize(("n_samples", "number"), [(20, 30), (2000, 32000)])
def test_a_window_no_radar_has(tmp_path, n_samples, number):
    path = write_segy(tmp_path / "a.sgy", numbers(n_samples=n_samples), interval=number)
    with pytest.raises(FormatError, match="1 ns to 20 us"):
        read(path)


def test_extended_interval(tmp_path):
    """Revision 2 has microseconds as a float; earlier ones nothing there."""
    options = {"interval": 0, "extended_interval": 2.5e-4, "trace_interval": 0}
    path = write_segy(tmp_path / "a.sgy", revision=b"\x02\x01", **options)
    recording, texts = texts_of(path)
    assert recording.sample_interval == pytest.approx(2.5e-10)
    assert texts == []
    with pytest.raises(FormatError, match="pass dt_unit"):
        read(write_segy(tmp_path / "a.sgy", **options))


def test_intervals_that_differ(tmp_path):
    """That of the trace counts."""
    path = write_segy(tmp_path / "a.sgy", interval=100, trace_interval=300)
    recording, texts = texts_of(path)
    assert recording.sample_interval == pytest.approx(300e-12)
    assert "differ: 100 in the binary header, 300" in texts[0]
    path = write_segy(tmp_path / "a.sgy", interval=100, trace_interval=0)
    assert read_quietly(path).sample_interval == pytest.approx(100e-12)


# --- positions and times: Y3 ------------------------------------------------------------

PRISM = b"C 1 Prism 2.70, Radar Systems, Inc."


def test_prism(tmp_path):
    """Floats in integer slots, ddmm.mmmm, heights and marks."""

    def each(k):
        return {
            "height_float": 12.5 + k,
            "longitude": 2345.678 + 0.01 * k,
            "latitude": -5612.345,
            "mark_flag": 0x5555 if k == 3 else 0,
            "mark_number": 8 if k == 3 else 0,
            "time": (2024, 61, 10, 20, 30 + k),
        }

    path = write_segy(tmp_path / "a.sgy", order="<", text=PRISM, each=each)
    recording = read_quietly(path)
    assert recording.header["variant"] == "prism"
    npt.assert_allclose(recording.longitude, 23 + (45.678 + 0.01 * np.arange(7)) / 60)
    npt.assert_allclose(recording.latitude, -(56 + 12.345 / 60))
    npt.assert_allclose(recording.altitude, 12.5 + np.arange(7))
    assert (recording.marks.tolist(), recording.mark_labels) == ([3], ("8",))
    assert recording.date == "2024-03-01"
    npt.assert_allclose(np.diff(recording.times), 1.0)
    assert recording.times[0] == 10 * 3600 + 20 * 60 + 30


def test_geohammer_by_the_caller(tmp_path):
    def each(k):
        return {
            "longitude": 1215.0 + k,
            "latitude": 4730.0,
            "mark_byte": 3 if k == 2 else 0,
            "milliseconds": 100 * k,
            "time": (2024, 1, 0, 0, 1),
        }

    path = write_segy(tmp_path / "a.sgy", each=each)
    recording, texts = texts_of(path, dt_unit="ps")
    npt.assert_allclose(recording.latitude, 47.5)  # 1215 is no longitude in degrees
    assert (texts, len(recording.marks)) == ([], 0)
    recording = read_quietly(path, dt_unit="ps", variant="geohammer")
    npt.assert_allclose(recording.longitude, 12 + (15 + np.arange(7)) / 60)
    assert (recording.marks.tolist(), recording.mark_labels) == ([2], ("3",))
    npt.assert_allclose(np.diff(recording.times), 0.1)


def test_degrees_or_minutes_cannot_be_told(tmp_path):
    """Below 90 only the caller knows."""
    path = write_segy(
        tmp_path / "a.sgy", each=lambda k: {"longitude": 12.25, "latitude": 47.5 + 0.001 * k}
    )
    recording, texts = texts_of(path, dt_unit="ps")
    assert np.isnan(recording.latitude).all()
    assert sum("pass angles" in text for text in texts) == 1
    degrees = read_quietly(path, dt_unit="ps", angles="degrees")
    npt.assert_allclose(degrees.latitude, 47.5 + 0.001 * np.arange(7))
    minutes = read_quietly(path, dt_unit="ps", angles="ddmm")
    npt.assert_allclose(minutes.longitude, 12.25 / 60)


def test_integers_at_the_place_of_the_doubles_are_no_coordinates(tmp_path):
    """CDP numbers read as a float are tiny or huge."""

    def each(k):
        return {"longitude": struct.unpack(">d", struct.pack(">2i", 500 + k, 7))[0]}

    recording, texts = texts_of(write_segy(tmp_path / "a.sgy", each=each), dt_unit="ps")
    assert np.isnan(recording.latitude).all()
    assert texts == []


@pytest.mark.parametrize(
    ("scalar", "units", "source", "expected"),
    [
        (-100, 3, (1225000, 4750000), (12250.0, 47500.0)),
        (-10000, 3, (122500, 475000), (12.25, 47.5)),
        (-1000, 2, (44100000, 171000000), (12.25, 47.5)),
        (100, 2, (441, 1710), (12.25, 47.5)),
        (0, 2, (44100, 171000), (12.25, 47.5)),
        (-100, 4, (1215000, -473000), (12150.0 / 10000, 0)),
        (1, 4, (121500, -473000), (12.25, -47.5)),
    ],
)
def test_coordinates_of_the_standard(tmp_path, scalar, units, source, expected):
    """Positive scalars multiply, negative divide, 0 counts as 1."""

    def each(k):
        one = source if k < 6 else (source[0], source[1] + 1)  # all equal would be missing
        return {"scalar": scalar, "units": units, "source": one}

    recording = read_quietly(write_segy(tmp_path / "a.sgy", each=each))
    if not (abs(expected[0]) <= 180 and abs(expected[1]) <= 90):
        assert np.isnan(recording.latitude).all()
    elif expected[1]:
        npt.assert_allclose(recording.longitude[0], expected[0])
        npt.assert_allclose(recording.latitude[0], expected[1])


@pytest.mark.parametrize(("measurement", "metre"), [(1, 1.0), (2, 0.3048), (0, 1.0)])
def test_plane_coordinates_give_distance(tmp_path, measurement, metre):
    """Source and receiver: the place is between them."""

    def each(k):
        x, y = 100000 + 300 * k, 200000 + 400 * k
        return {"scalar": -100, "units": 1, "source": (x - 20, y), "group": (x + 20, y)}

    path = write_segy(tmp_path / "a.sgy", each=each, measurement=measurement)
    recording = read_quietly(path)
    npt.assert_allclose(recording.distance, 5 * metre * np.arange(7))
    assert recording.spacing is None
    assert np.isnan(recording.latitude).all()
    npt.assert_allclose(read_quietly(path, spacing=0.1).distance, 0.1 * np.arange(7))


@pytest.mark.parametrize("source", [(0, 0), (500, 600)])
def test_coordinates_that_are_all_alike_are_missing(tmp_path, source):
    path = write_segy(tmp_path / "a.sgy", trace_source=source, trace_units=1)
    recording, texts = texts_of(path, dt_unit="ps")
    assert recording.distance is None
    assert texts == []
    assert (recording.to_sweep(centre_frequency=1e9).quality & Quality.POSE_NONE).all()


def test_coordinates_of_unknown_unit(tmp_path):
    path = write_segy(tmp_path / "a.sgy", each=lambda k: {"source": (k, 5), "units": 7})
    recording, texts = texts_of(path, dt_unit="ps")
    assert recording.distance is None
    assert texts == ["coordinates have units [7], none known; not used"]


def test_dead_traces_are_flagged(tmp_path):
    path = write_segy(tmp_path / "a.sgy", each=lambda k: {"trace_type": 2 if k == 4 else 1})
    recording, texts = texts_of(path, dt_unit="ps")
    assert np.flatnonzero(recording.quality & Quality.STUCK).tolist() == [4]
    assert texts == ["1 traces are marked as dead"]


def test_not_finite_samples_are_counted(tmp_path):
    stored = numbers(5)
    stored[2, 3] = np.nan
    stored[4, 1] = np.inf
    recording, texts = texts_of(write_segy(tmp_path / "a.sgy", stored, code=5), dt_unit="ps")
    assert texts == [
        "2 samples are NaN or infinite, the first is sample 3 of trace 2, channel 0"
    ]
    flagged = recording.to_sweep(centre_frequency=1e9).quality & Quality.NOT_FINITE
    assert np.flatnonzero(flagged).tolist() == [2, 4]


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("dt_unit", "ms"),
        ("variant", "other"),
        ("angles", "gon"),
        ("byte_order", "middle"),
        ("n_samples", 0),
        ("spacing", -1.0),
        ("sample_interval", 0.0),
    ],
)
def test_options_must_be_known(tmp_path, option, value):
    path = write_segy(tmp_path / "a.sgy")
    with pytest.raises(ValueError, match=f"Invalid {option}"):
        read_quietly(path, **{option: value})


@pytest.mark.parametrize("content", [b"", b"C" * 3000, b"\x89HDF\r\n\x1a\n" + bytes(5000)])
def test_foreign_content(tmp_path, content):
    path = tmp_path / "a.sgy"
    path.write_bytes(content)
    with pytest.raises(FormatError):
        read(path)


@pytest.mark.filterwarnings("ignore:.*sample interval 100 taken:UserWarning")
def test_a_fixed_length_flag_that_the_traces_refute(tmp_path):
    """Traces that fill the file as they say win; those of one length would be nonsense."""
    rows = [np.arange(n, dtype=">i2") for n in (20, 11, 20, 7, 20)]
    path = write_segy(tmp_path / "a.sgy", rows, fixed_length=1)
    with pytest.warns(FormatWarning) as caught:
        recording = read(path)
    assert "fixed-length flag: 0 is used instead of 1" in str(caught[0].message)
    assert [c.field for c in recording.corrections] == ["fixed-length flag", "missing samples"]
    for k, row in enumerate(rows):
        npt.assert_array_equal(recording.samples[k, 0, : len(row)], row)
        assert np.isnan(recording.samples[k, 0, len(row) :]).all()
    with pytest.raises(FormatError, match="fixed-length flag"):
        read(path, strict=True, dt_unit="ps")


@pytest.mark.filterwarnings("ignore:.*sample interval 100 taken:UserWarning")
def test_traces_that_fill_the_file_in_two_ways(tmp_path):
    """The headers of traces lead from one to the next up to the end: that is no chance."""
    rows = [np.arange(1, n + 1, dtype=">i2") for n in (40, 64, 64) * 10]
    path = write_segy(tmp_path / "a.sgy", rows, fixed_length=1)
    assert (path.stat().st_size - 3600) % (240 + 2 * 40) == 0  # 33 traces like the first
    with pytest.warns(FormatWarning):
        recording = read(path)
    assert [c.field for c in recording.corrections][-2:] == [
        "fixed-length flag",
        "missing samples",
    ]
    assert recording.shape == (30, 1, 64)
    for k, row in enumerate(rows):
        npt.assert_array_equal(recording.samples[k, 0, : len(row)], row)


@pytest.mark.filterwarnings("ignore:.*sample interval 100 taken:UserWarning")
def test_lengths_of_varying_traces_are_doubted_once(tmp_path):
    """What was read by its own length is not said to be of another."""
    rows = [np.arange(n, dtype=">i2") for n in (20, 11, 20, 7, 20)]
    path = write_segy(tmp_path / "a.sgy", rows, tail=bytes(30))
    with pytest.warns(FormatWarning) as caught:
        assert len(read(path)) == 5
    assert not any("another number of samples" in str(w.message) for w in caught)


@pytest.mark.filterwarnings("ignore:.*sample interval 100 taken:UserWarning")
@pytest.mark.filterwarnings("ignore:.*is none. no date:UserWarning")
@pytest.mark.parametrize(
    ("time", "date"),
    [
        ((2020, 366, 1, 2, 3), "2020-12-31"),
        ((2021, 366, 1, 2, 3), None),
        ((21, 100, 1, 2, 3), None),
    ],
)
def test_days_that_a_year_has_not_are_no_date(tmp_path, time, date):
    """Day 366 of a common year, and years of two digits."""
    path = write_segy(tmp_path / "a.sgy", each=lambda _: {"time": time})
    assert read(path).date == date
