"""Test the reader of SEG-2 on files that the tests write from the standard."""

import struct

import numpy as np
import numpy.testing as npt
import pytest

from minesense.io import FormatError, FormatWarning, read

CODES = {1: "i2", 2: "i4", 4: "f4", 5: "f8"}


def strings(entries, order, end=b"\0"):
    """Return free text: each string with the offset to the next, then a zero."""
    data = b""
    for text in entries:
        raw = text.encode("latin-1") + end
        data += struct.pack(order + "H", len(raw) + 2) + raw
    data += struct.pack(order + "H", 0)
    return data + bytes(-len(data) % 4)


def pack_20_bits(values, order):
    """Return numbers as data format code 3: exponents, then one's complement fractions."""
    data = b""
    for four in np.asarray(values).reshape(-1, 4).tolist():
        word, fractions = 0, []
        for k, value in enumerate(four):
            exponent = 0
            fraction = value
            while abs(fraction) > 32767:
                assert fraction % 2 == 0
                fraction, exponent = fraction // 2, exponent + 1
            word |= exponent << 4 * k
            fractions.append(fraction if fraction >= 0 else fraction - 1)
        data += struct.pack(order + "H4h", word, *fractions)
    return data


def write_seg2(
    path,
    samples,
    *,
    code=4,
    order="<",
    interval="2.5e-10",
    file_strings=("UNITS METERS", "ACQUISITION_DATE 02/MAY/2024", "NOTE made by hand"),
    trace_strings=None,
    padding=0,
    end=b"\0",
):
    """Write samples by trace as SEG-2."""
    n_traces = len(samples)
    trace_strings = trace_strings or [
        [f"RECEIVER_LOCATION {0.5 * k} 0 0", "DELAY -1e-9"] for k in range(n_traces)
    ]
    head = strings(file_strings, order, end)
    pointers, blocks, place = [], b"", 32 + 4 * n_traces + len(head)
    for values, entries in zip(samples, trace_strings, strict=True):
        said = [f"SAMPLE_INTERVAL {interval}"] if interval else []
        text = strings([*said, *entries], order, end)
        if code == 3:
            data = pack_20_bits(values, order)
        else:
            data = np.asarray(values).astype(order + CODES[code]).tobytes()
        block = struct.pack(
            order + "HHIIB", 0x4422, 32 + len(text), len(data), len(values), code
        )
        block = block.ljust(32, b"\0") + text + data + bytes(padding)
        pointers.append(place)
        place += len(block)
        blocks += block
    identity = b"\x55\x3a" if order == "<" else b"\x3a\x55"
    start = identity + struct.pack(order + "3H", 1, 4 * n_traces, n_traces)
    start += struct.pack("B2sB2s", len(end), end.ljust(2, b"\0"), 1, b"\n\0")
    start = start.ljust(32, b"\0")
    path.write_bytes(start + struct.pack(f"{order}{n_traces}I", *pointers) + head + blocks)
    return path


WHOLE = np.random.default_rng(seed=1).integers(-30000, 30000, (5, 16))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("code", [1, 2, 3, 4, 5])
def test_every_code_in_both_orders(tmp_path, code, order):
    """Exact, and raw as stored."""
    values = WHOLE * 2.0**-20 if code in (4, 5) else WHOLE * (256 if code in (2, 3) else 1)
    recording = read(write_seg2(tmp_path / "line.sg2", values, code=code, order=order))
    assert recording.format == "seg2"
    assert recording.shape == (5, 1, 16)
    npt.assert_array_equal(recording.stored[:, 0], values)
    kinds = {1: "int16", 2: "int32", 3: "int32", 4: "float32", 5: "float64"}
    assert recording.stored.dtype.newbyteorder("=") == np.dtype(kinds[code])
    assert recording.sample_interval == 2.5e-10
    assert recording.spacing == 0.5
    assert recording.time_zero == 1e-9
    assert recording.date == "2024-05-02"
    assert recording.header["file"]["NOTE"] == "made by hand"
    assert recording.header["data_format_code"] == code
    assert not recording.stored.flags.writeable


def test_known_bits_of_the_20_bit_form():
    """Exponents lowest first, fractions in one's complement: -0 and -1 included."""
    from minesense.io.seg2 import _unpack_20_bits  # noqa: PLC0415 - of this test alone

    words = struct.pack("<H4h", 0x3210, 5, -1, -2, 7)
    found = _unpack_20_bits(np.frombuffer(words, np.uint8), "<")
    assert found.tolist() == [5, 0, -1 << 2, 7 << 3]


def test_sweeps_have_places_and_counts(tmp_path):
    """Along the receivers, in metres."""
    path = write_seg2(tmp_path / "line.sg2", WHOLE, code=2, file_strings=["UNITS FEET"])
    sweep = read(path).to_sweep(centre_frequency=4e8)
    npt.assert_allclose(sweep.position[:, 1], 0.5 * 0.3048 * np.arange(5))
    npt.assert_array_equal(sweep.samples[:, 0], WHOLE.astype(np.float32))


def test_places_without_a_unit_are_no_distance(tmp_path):
    """Metres are not invented; the caller's are taken."""
    path = write_seg2(tmp_path / "line.sg2", WHOLE, file_strings=[])
    with pytest.warns(FormatWarning, match="without a unit"):
        assert read(path).spacing is None
    assert read(path, spacing=0.1).spacing == 0.1


@pytest.mark.parametrize("end", [b"\0", b";", b"\r\n"])
def test_ends_of_strings_are_those_of_the_file(tmp_path, end):
    """One or two characters."""
    recording = read(write_seg2(tmp_path / "line.sg2", WHOLE, end=end))
    assert recording.header["traces"][2]["RECEIVER_LOCATION"] == "1.0 0 0"


def test_factors_that_differ_are_applied(tmp_path):
    """Else traces would not compare; equal ones are a scale."""
    same = [["DESCALING_FACTOR 0.5"]] * 5
    recording = read(write_seg2(tmp_path / "a.sg2", WHOLE, code=2, trace_strings=same))
    assert recording.header["descaling_factor"] == 0.5
    npt.assert_array_equal(recording.stored[:, 0], WHOLE)
    each = [[f"DESCALING_FACTOR {2.0**-k}"] for k in range(5)]
    path = write_seg2(tmp_path / "b.sg2", WHOLE, code=2, trace_strings=each)
    with pytest.warns(FormatWarning, match="DESCALING_FACTOR"):
        scaled = read(path)
    npt.assert_array_equal(scaled.stored[:, 0], WHOLE * 2.0 ** -np.arange(5)[:, None])
    assert scaled.corrections[0].field == "samples"


def test_blocks_that_lie_unevenly(tmp_path):
    """Are read one by one."""
    texts = [[f"NOTE {'x' * (4 * k)}"] for k in range(5)]
    path = write_seg2(tmp_path / "line.sg2", WHOLE, code=1, trace_strings=texts)
    npt.assert_array_equal(read(path).stored[:, 0], WHOLE)


def test_a_cut_file_keeps_whole_traces(tmp_path):
    """With a warning; strict makes it an error; without one whole trace it is one."""
    path = write_seg2(tmp_path / "line.sg2", WHOLE)
    data = path.read_bytes()
    path.write_bytes(data[:-10])
    with pytest.warns(FormatWarning, match="trace 4.*cut off"):
        assert read(path).shape[0] == 4
    with pytest.raises(FormatError, match="trace 4"):
        read(path, strict=True)
    path.write_bytes(data[:150])
    with pytest.raises(FormatError):
        read(path)


@pytest.mark.parametrize("interval", ["", "0", "-1", "nan", "soon", "0.001"])
def test_intervals_that_no_radar_has(tmp_path, interval):
    """A seismograph's file is an error unless the caller says otherwise."""
    path = write_seg2(tmp_path / "line.sg2", WHOLE, interval=interval)
    with pytest.raises(FormatError, match="sample interval"):
        read(path)
    assert read(path, sample_interval=1e-10).sample_interval == 1e-10


def test_blocks_that_contradict(tmp_path):
    """Lengths, codes and sizes of every trace must agree with the file and each other."""
    path = write_seg2(tmp_path / "line.sg2", WHOLE)
    data = bytearray(path.read_bytes())
    pointers = struct.unpack_from("<5I", data, 32)
    for offset, form, value, match in (
        (pointers[1], "H", 0x1234, "4422h"),
        (pointers[1] + 2, "H", 8, "block of 8"),
        (pointers[1] + 4, "I", 3, "data block"),
        (pointers[1] + 8, "I", 2**31, "data block"),
        (pointers[1] + 8, "I", 0, "0 samples"),
        (pointers[1] + 8, "I", 8, "as in trace 0"),
        (pointers[1] + 12, "B", 9, "code 9"),
        (pointers[1] + 12, "B", 1, "as in trace 0"),
        (4, "H", 65532, "trace pointers"),
    ):
        broken = bytearray(data)
        struct.pack_into("<" + form, broken, offset, value)
        path.write_bytes(broken)
        with pytest.raises(FormatError, match=match):
            read(path)
    same = bytearray(data)
    struct.pack_into("<5I", same, 32, *[pointers[0]] * 5)
    path.write_bytes(bytes(same) + bytes(8))
    with pytest.raises(FormatError, match="samples of their own"):
        read(path)


def test_what_a_seg2_file_contradicts(tmp_path):
    """Two pointers to one trace, an interval that is no number, a day that is none."""
    path = write_seg2(tmp_path / "a.sg2", np.ones((3, 4)))
    data = bytearray(path.read_bytes())
    data[36:40] = data[32:36]
    path.write_bytes(data)
    with pytest.raises(FormatError, match="trace pointers"):
        read(path)
    write_seg2(path, np.ones((3, 4)), interval="2,5e-10 s")
    with pytest.raises(FormatError, match=r"interval '2,5e-10 s'.*pass sample_interval"):
        read(path)
    samples = np.arange(12).reshape(3, 4)
    write_seg2(path, samples, file_strings=("ACQUISITION_DATE 31/FEB/2024", "UNITS METERS"))
    assert read(path).date is None
