"""Write SEG-Y recordings of revision 2.1, with a table of exact positions beside them."""

from __future__ import annotations

import datetime
import struct
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..sweep import Quality
from .recording import Recording
from .segy import read_segy
from .segy_layout import START, TEXT, TRACE_HEADER, TYPES, trace_type
from .segy_table import SUFFIX, TEXT_FIELDS, TITLE, write_table
from .survey import blocks_of
from .write_files import copy_files, is_unchanged, read_back, stage_files
from .write_samples import StoredSamples, choose_channel

_MOST_SAMPLES = 65535
_SCALAR = -1000
_LENGTH, _ARC_SECONDS = 1, 2


def write_segy(
    recording: Recording,
    path: str | Path,
    *,
    scale: float | None = None,
    channel: int | None = None,
    overwrite: bool = False,
) -> list[Path]:
    """
    Write a recording as SEG-Y, and a table of its traces beside it.

    Parameters
    ----------
    recording : Recording
        What to write.
    path : str or Path
        The SEG-Y file; the table has the same stem and ends in .traces.csv.
    scale : float, optional
        Factor for all samples of the survey, which then are stored as 16-bit integers. Not
        needed: whole numbers are stored as integers, others as floats of 32 bits.
    channel : int, optional
        Which channel, if there are several: a file holds one.
    overwrite : bool, optional
        Whether files that are there may be replaced.

    Returns
    -------
    paths : list of Path
        The files written.

    Raises
    ------
    ValueError
        If the format cannot hold the recording; no file appears.
    OSError
        If files exist that may not be replaced, or do not read back as they were written.

    Notes
    -----
    A SEG-Y recording as it was read is copied byte for byte, with such a table. Others are
    written in the standard's byte order (big endian), format 3 for up to 16 bits, 2 for 32-bit
    integers, 5 for floats, so that samples keep their bits. The sample interval is exact in
    the extended field of revision 2; the field of 16 bits holds picoseconds if they are a
    number of 1 to 32767, else 0. Coordinates are arc seconds with a scalar of -1000 (3 cm) if
    there are any, else X is the distance along the line in millimetres. The table holds
    distance, time and position exactly, and the marks; the text header spacing, time zero,
    frequency, separation and day.

    Examples
    --------
    >>> import tempfile
    >>> from minesense.io.rd3 import read_rd3
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     source = Path(folder) / "line.rd3"
    ...     _ = source.write_bytes(np.arange(40, dtype="<i2").tobytes())
    ...     recording = read_rd3(source, n_samples=20, sample_interval=1e-10, spacing=0.05)
    ...     [file.name for file in write_segy(recording, source.with_suffix(".sgy"))]
    ['line.sgy', 'line.traces.csv']
    """
    path = Path(path)
    names = (path.suffix, SUFFIX)
    if is_unchanged(recording, "segy", (scale, channel)):
        return _copy(recording, path, names, overwrite=overwrite)
    channel = choose_channel(recording, channel, "SEG-Y")
    code = _choose_code(recording, scale)
    n_samples = recording.shape[2]
    if n_samples > _MOST_SAMPLES:
        msg = f"Invalid number of samples '{n_samples}'. Must be at most {_MOST_SAMPLES}."
        raise ValueError(msg)
    blocks = StoredSamples(recording, f">{TYPES[code]}", scale=scale, channel=channel)
    unit, places = _places(recording)
    interval = _picoseconds(recording.sample_interval)
    head = _text_header(recording, unit, code, scale) + _binary_header(
        recording, code, interval
    )
    dtype = trace_type(">", TRACE_HEADER, n_samples, code)
    with stage_files(path, names, overwrite=overwrite) as folder:
        write_table(folder / (path.stem + SUFFIX), recording.traces)
        with (folder / path.name).open("wb") as file:
            file.write(head)
            for start, stop in blocks_of(recording.stored):
                traces = np.zeros(stop - start, dtype)
                _fill_headers(traces, recording, start, interval, unit)
                traces["source"] = traces["group"] = places[start:stop]
                traces["samples"] = blocks(start, stop)[:, 0]
                file.write(traces.tobytes())
        read_back(folder / path.name, read_segy, recording, blocks)
    return [path, path.with_name(path.stem + SUFFIX)]


def _copy(
    recording: Recording, path: Path, names: tuple[str, str], *, overwrite: bool
) -> list[Path]:
    """Copy the file, and the table beside it if there is one."""
    table = recording.path.with_name(recording.path.stem + SUFFIX)
    if not table.is_file():
        return copy_files(recording, path, names[:1], overwrite=overwrite)
    with stage_files(path, names, overwrite=overwrite) as folder:
        (folder / (path.stem + SUFFIX)).write_bytes(table.read_bytes())
        copy_files(recording, folder / path.name, (), overwrite=True)
    return [path, path.with_name(path.stem + SUFFIX)]


def _choose_code(recording: Recording, scale: float | None) -> int:
    """Return the sample format that keeps the bits of the samples."""
    if scale is not None:
        return 3
    dtype = recording.stored.dtype
    survey = recording.survey()
    if survey.is_float or dtype.kind == "c":
        return 5
    low, high = survey.smallest - recording.offset, survey.largest - recording.offset
    return 2 if dtype.itemsize > 2 or low < -32768 or high > 32767 else 3


def _picoseconds(interval: float) -> int:
    """Return an interval in whole picoseconds if they fit into 16 bits, else 0."""
    number = round(interval * 1e12)
    is_whole = abs(number - interval * 1e12) <= 1e-6 * number
    return number if 1 <= number <= 32767 and is_whole else 0


def _places(recording: Recording) -> tuple[int, npt.NDArray[np.int32]]:
    """Return the unit of coordinates and the coordinates of all traces, scaled."""
    latitude, longitude = recording.latitude, recording.longitude
    known = ~np.isnan(latitude) & ~np.isnan(longitude)
    if known.any():
        angles = np.column_stack([longitude, latitude]) * 3600 * -_SCALAR
        return _ARC_SECONDS, np.where(known[:, None], np.rint(angles), 0).astype(np.int32)
    places = np.zeros((len(recording), 2), np.int32)
    distance = recording.distance
    if distance is not None and not recording.is_offset_gather:
        millimetres = np.rint(np.nan_to_num(distance) * -_SCALAR)
        if np.abs(millimetres).max(initial=0) < 2**31:
            places[:, 0] = millimetres
    return _LENGTH, places


def _text_header(recording: Recording, unit: int, code: int, scale: float | None) -> bytes:
    """Return the text header, which names every unit."""
    lines = [TITLE.removeprefix("C 1 ")]
    for name, field in TEXT_FIELDS.items():
        value = getattr(recording, field)
        if value is not None:
            lines.append(f"{name}: {value}")
    lines.append("SAMPLE INTERVAL: us, BYTES 3273-3280; ps, BYTES 3217-3218 UNLESS 0")
    if unit == _ARC_SECONDS:
        lines.append("COORDINATES IN BYTES 73-88: WGS84 (EPSG:4326), ARC SECONDS, SCALAR -1000")
    else:
        lines.append("COORDINATES IN BYTES 73-88: X IS DISTANCE ON THE LINE, m, SCALAR -1000")
    lines.append("RECEIVER HEIGHT IN BYTES 41-44: m ABOVE THE GEOID, SCALAR -1000")
    lines.append(f"SAMPLES: COUNTS AROUND ZERO, FORMAT {code}, NO VOLTS")
    if scale is not None:
        lines.append(f"SCALE: {scale!r} STORED COUNTS PER COUNT, ONE FOR THE WHOLE SURVEY")
    lines.append(f"EXACT DISTANCES, TIMES, POSITIONS: FILE ENDING IN {SUFFIX}")
    if recording.is_offset_gather:
        lines.append("OFFSET GATHER: DISTANCES ARE ANTENNA OFFSETS")
    lines += [""] * (38 - len(lines)) + ["SEG-Y REV2.1", "END TEXTUAL HEADER"]
    rows = [f"C{number:2d} {line}"[:80].ljust(80) for number, line in enumerate(lines, start=1)]
    return "".join(rows).encode("ascii", "replace")


def _binary_header(recording: Recording, code: int, interval: int) -> bytes:
    """Return the binary header."""
    header = bytearray(START - TEXT)

    def put(form: str, place: int, value: Any) -> None:
        struct.pack_into(">" + form, header, place - 1 - TEXT, value)

    n_samples = recording.shape[2]
    put("h", 3213, 1)  # data traces of an ensemble
    put("h", 3217, interval)
    put("H", 3221, n_samples)
    put("h", 3225, code)
    put("h", 3229, 1)  # as recorded
    put("h", 3255, 1)  # metres
    put("I", 3269, n_samples)
    put("d", 3273, recording.sample_interval * 1e6)
    put("i", 3297, 0x01020304)
    put("B", 3501, 2)
    put("B", 3502, 1)
    put("h", 3503, 1)  # all traces have the same length
    return bytes(header)


def _fill_headers(
    traces: npt.NDArray[Any], recording: Recording, start: int, interval: int, unit: int
) -> None:
    """Fill in the headers of a range of traces."""
    n, stop = len(traces), start + len(traces)
    traces["sequence"] = traces["sequence_in_file"] = np.arange(start, stop) + 1
    is_dead = (recording.quality[start:stop] & Quality.STUCK) != 0
    traces["trace_type"] = np.where(is_dead, 2, 1)
    traces["n_samples"] = recording.shape[2]
    traces["interval"] = interval
    traces["scalar"] = traces["height_scalar"] = _SCALAR
    traces["units"] = unit
    altitude = np.rint(np.nan_to_num(recording.altitude[start:stop]) * -_SCALAR)
    traces["height"] = np.where(np.abs(altitude) < 2**31, altitude, 0)
    day = _day(recording.date)
    times = recording.times
    if day is None or times is None or not np.isfinite(times).all():
        return
    seconds = np.floor(times[start:stop]).astype(np.int64)
    days = [day + datetime.timedelta(int(k)) for k in seconds // 86400] if n else []
    rest = seconds % 86400
    traces["time"] = np.column_stack(
        [
            [one.year for one in days],
            [one.timetuple().tm_yday for one in days],
            rest // 3600,
            rest // 60 % 60,
            rest % 60,
        ]
    )


def _day(date: str | None) -> datetime.date | None:
    """Return the day of an ISO date."""
    try:
        return datetime.date.fromisoformat((date or "")[:10])
    except ValueError:
        return None
