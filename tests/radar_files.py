"""Recordings that tests write for themselves, byte by byte from the vendors' layouts."""

import struct

import numpy as np

DTYPES = {8: "u1", 16: "<u2", 32: "<i4"}


def dzt_header(**fields):
    """Return one GSSI header of 1024 bytes."""
    values = {
        "tag": (0, "H", 0x00FF),
        "data": (2, "H", 1024),
        "samples": (4, "H", 8),
        "bits": (6, "H", 16),
        "scans_per_second": (10, "f", 100.0),
        "scans_per_metre": (14, "f", 50.0),
        "position": (22, "f", 0.0),
        "range": (26, "f", 8.0),
        "created": (32, "I", pack_date(2020, 2, 29, 12, 34, 56)),
        "channels": (52, "H", 1),
        "antenna": (98, "14s", b"400MHz"),
        "name": (114, "12s", b"LINE"),
    }
    block = bytearray(1024)
    for name, (offset, form, default) in values.items():
        struct.pack_into("<" + form, block, offset, fields.pop(name, default))
    assert not fields
    return bytes(block)


def pack_date(*parts):
    """Return year, month, day, hour, minute and second in the packed form of GSSI."""
    year, month, day, hour, minute, second = parts
    date = (year - 1980) << 25 | month << 21 | day << 16
    return date | hour << 11 | minute << 5 | second // 2


def scans(n_traces=20, n_channels=1, n_samples=8, bits=16, *, first=0, marks=(), seed=1):
    """Return stored samples with a counter and marks in the first two words."""
    rng = np.random.default_rng(seed)
    middle, spread = {8: (128, 40), 16: (32768, 9000), 32: (0, 900000)}[bits]
    shape = (n_traces, n_channels, n_samples)
    stored = (middle + rng.integers(-spread, spread, shape)).astype(np.int64)
    stored[:, :, 0] = (first + np.arange(n_traces))[:, None]
    stored[:, :, 1] = 0
    stored[list(marks), :, 1] = 0x64
    return stored.astype(DTYPES[bits])  # wraps like the word of the instrument


def write_dzt(path, stored, *, headers=None, tail=b"", **fields):
    """Write stored samples as a DZT file and return its path."""
    n_channels, n_samples = stored.shape[1:]
    fields = {"samples": n_samples, "bits": 8 * stored.dtype.itemsize, **fields}
    block = dzt_header(**{"channels": n_channels, **fields})
    blocks = [block, *(headers or [block] * (n_channels - 1))]
    path.write_bytes(b"".join(blocks) + stored.tobytes() + tail)
    return path


HD = {
    "NUMBER OF TRACES": "12",
    "NUMBER OF PTS/TRC": "10",
    "TIMEZERO AT POINT": "3.5",
    "TOTAL TIME WINDOW": "8.0",
    "STARTING POSITION": "0.0",
    "FINAL POSITION": "2.75",
    "STEP SIZE USED": "0.25",
    "POSITION UNITS": "m",
    "NOMINAL FREQUENCY": "500.0",
    "ANTENNA SEPARATION": "0.2",
    "SURVEY MODE": "Reflection",
}


def hd_text(*, date="2021-05-17", end="\r\r\n", remarks=(), drop=(), **changes):
    """Return an HD file; keyword names have underscores for blanks."""
    fields = dict(HD)
    for name, value in changes.items():
        fields[{"POINTS": "NUMBER OF PTS/TRC"}.get(name, name.replace("_", " "))] = value
    lines = ["1234", "Data Collected with a test", f"{date} "]
    lines += [f"{key:<18} = {value} " for key, value in fields.items() if key not in drop]
    return end.join([*lines, *remarks, ""]).encode("latin-1")


def trace_bytes(number, points, **fields):
    """Return a DT1 trace: header of 128 bytes, then the points."""
    values = {
        "serial": (0, "f", number),
        "position": (4, "f", 0.25 * (number - 1)),
        "n_points": (8, "f", len(points)),
        "ticks": (16, "i", 0),
        "width": (20, "f", points.dtype.itemsize),
        "interval": (24, "f", 800.0),
        "x": (32, "d", 0.0),
        "y": (40, "d", 0.0),
        "z": (48, "d", 0.0),
        "zero_flag": (84, "f", 0.0),
        "seconds": (92, "f", 40000.0 + 0.5 * number),
        "comment": (100, "28s", b""),
    }
    header = bytearray(128)
    for name, (offset, form, default) in values.items():
        struct.pack_into("<" + form, header, offset, fields.pop(name, default))
    assert not fields
    return bytes(header) + points.tobytes()


def points(n_traces=12, n_points=10, dtype="<i2", seed=2):
    """Return samples of a DT1 file."""
    rng = np.random.default_rng(seed)
    return rng.integers(-9000, 9000, (n_traces, n_points)).astype(dtype)


def write_dt1(path, samples=None, *, hd=None, each=None, tail=b"", **fields):
    """Write a DT1 file and its HD file; `each(k)` gives fields of trace k."""
    samples = points() if samples is None else samples
    data = b"".join(
        trace_bytes(k + 1, row, **{**fields, **(each(k) if each else {})})
        for k, row in enumerate(samples)
    )
    path.write_bytes(data + tail)
    if hd is not False:
        path.with_suffix(".HD").write_bytes(hd_text() if hd is None else hd)
    return path


def sentence(body, wrong=0):
    """Return an NMEA sentence with its checksum, or one that is off."""
    value = wrong
    for byte in body.encode("ascii"):
        value ^= byte
    return f"${body}*{value:02X}\r\n".encode("ascii")


def gga(time="120000.00", lat="4730.0000", lon="01215.0000", quality=1, **fields):
    """Return a GGA sentence."""
    ns, ew = fields.pop("ns", "N"), fields.pop("ew", "E")
    talker, height = fields.pop("talker", "GP"), fields.pop("height", "100.5")
    assert not fields
    place = f"{lat},{ns},{lon},{ew}"
    return sentence(f"{talker}GGA,{time},{place},{quality},07,1.2,{height},M,46.2,M,,")


RAD = {
    "SAMPLES": "10",
    "FREQUENCY": "1250.0",
    "SIGNAL POSITION": "12.5",
    "DISTANCE FLAG": "1",
    "TIME FLAG": "0",
    "TIME INTERVAL": " 0.100000",
    "DISTANCE INTERVAL": " 0.050000",
    "OPERATOR": "A",
    "ANTENNAS": "500MHz shielded",
    "ANTENNA SEPARATION": " 0.180000",
    "TIMEWINDOW": "8.0",
    "LAST TRACE": "12",
    "STOP POSITION": "0.55",
    "START POSITION": "0.0",
}


def rad_text(*, end="\r\n", drop=(), **changes):
    """Return a RAD file; keyword names have underscores for blanks."""
    fields = RAD | {name.replace("_", " "): value for name, value in changes.items()}
    lines = [f"{key}:{value}" for key, value in fields.items() if key not in drop]
    return end.join([*lines, ""]).encode("latin-1")


def write_rd3(path, samples=None, *, rad=None, tail=b""):
    """Write an RD3 or RD7 file and its RAD file."""
    dtype = "<i4" if path.suffix.lower() == ".rd7" else "<i2"
    samples = points(dtype=dtype) if samples is None else samples
    path.write_bytes(samples.tobytes() + tail)
    if rad is not False:
        path.with_suffix(".rad").write_bytes(rad_text() if rad is None else rad)
    return path
