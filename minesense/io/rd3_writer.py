"""Write MALA RD3 and RD7 recordings with their RAD header and COR positions."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from .rd3 import WIDTHS, read_rd3
from .recording import Recording
from .survey import blocks_of
from .write_files import copy_files, is_unchanged, read_back, stage_files
from .write_samples import StoredSamples, choose_channel, regular_spacing

_END = "\r\n"
_LONG_GAP = 2.0  # s: what readers do not interpolate over by default


def write_rd3(
    recording: Recording,
    path: str | Path,
    *,
    scale: float | None = None,
    channel: int | None = None,
    overwrite: bool = False,
) -> list[Path]:
    """
    Write a recording as RD3 or RD7 and RAD files, with a COR file if it has positions.

    Parameters
    ----------
    recording : Recording
        What to write.
    path : str or Path
        The data file: 16 bits a sample if it ends in .rd3, 32 in .rd7.
    scale : float, optional
        Counts to store per count of the recording, one factor for the whole survey. Needed
        if its samples are no whole numbers of as many bits; the RAD file names it.
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
        If the name ends otherwise, or the format cannot hold the recording, for example
        traces at irregular distances; no file appears.
    OSError
        If files exist that may not be replaced, or do not read back as they were written.

    Notes
    -----
    A MALA recording as it was read is copied byte for byte, with its RAD and COR files. Of
    others, samples keep their bits unless they are scaled; sample interval, spacing, time
    zero, positions and marks read back to 1e-15 of their value. The last three have no key
    of the vendor and stand behind them under names that start with MINESENSE. Times of
    traces are in the COR file, if they rise.

    Examples
    --------
    >>> import tempfile
    >>> from minesense.io.rd3 import read_rd3
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     source = Path(folder) / "line.rd3"
    ...     _ = source.write_bytes(np.arange(40, dtype="<i2").tobytes())
    ...     recording = read_rd3(source, n_samples=4, sample_interval=1e-10, spacing=0.05)
    ...     [file.name for file in write_rd3(recording, Path(folder) / "copy.rd7")]
    ['copy.rd7', 'copy.rad']
    """
    path = Path(path)
    width = WIDTHS.get(path.suffix.lower())
    if width is None:
        msg = f"Invalid path '{path}'. Must end in .rd3 or .rd7."
        raise ValueError(msg)
    names = (path.suffix, ".RAD", ".COR")
    is_same_width = recording.stored.dtype.itemsize == width
    if is_same_width and is_unchanged(recording, "rd3", (scale, channel)):
        return copy_files(recording, path, names, overwrite=overwrite)
    channel = choose_channel(recording, channel, "RD3")
    place = regular_spacing(recording, "RD3")
    blocks = StoredSamples(recording, f"<i{width}", scale=scale, channel=channel)
    is_lower = path.suffix.islower()
    header = path.with_suffix(".rad" if is_lower else ".RAD")
    positions = path.with_suffix(".cor" if is_lower else ".COR")
    rows = _cor_rows(recording)
    with stage_files(path, names, overwrite=overwrite) as folder:
        (folder / header.name).write_bytes(_rad_text(recording, place, scale))
        if rows:
            (folder / positions.name).write_bytes((_END.join(rows) + _END).encode("ascii"))
        with (folder / path.name).open("wb") as file:
            for start, stop in blocks_of(recording.stored):
                file.write(blocks(start, stop).tobytes())
        read_back(folder / path.name, read_rd3, recording, blocks, position_precision=1e-6)
    return [path, header, *([positions] if rows else [])]


def _rad_text(
    recording: Recording, place: tuple[float, float] | None, scale: float | None
) -> bytes:
    """Return the RAD file, keys in the vendor's order, numbers as short as they read back."""
    n_traces, _, n_samples = recording.shape
    start, step = place or (0.0, 0.0)
    antenna = str(recording.header.get("antenna", ""))
    if recording.centre_frequency is not None:
        antenna = f"{recording.centre_frequency * 1e-6:.10g} MHz"
    fields: dict[str, Any] = {
        "SAMPLES": n_samples,
        "FREQUENCY": 1e-6 / recording.sample_interval,
        "DISTANCE FLAG": int(place is not None),
        "TIME FLAG": int(place is None),
        "TIME INTERVAL": recording.trace_interval or 0.0,
        "DISTANCE INTERVAL": step,
        "ANTENNAS": " ".join(antenna.encode("ascii", "replace").decode().split()),
        "ANTENNA SEPARATION": recording.antenna_separation or 0.0,
        "TIMEWINDOW": recording.window * 1e9,
        "LAST TRACE": n_traces,
        "STOP POSITION": start + (n_traces - 1) * step,
        "START POSITION": start,
    }
    if recording.time_zero is not None:
        fields["MINESENSE TIME ZERO"] = recording.time_zero * 1e9
    if recording.date is not None:
        fields["MINESENSE DATE"] = recording.date
    if len(recording.marks):
        fields["MINESENSE MARKS"] = " ".join(str(k) for k in recording.marks.tolist())
    if scale is not None:
        fields["MINESENSE SCALE"] = scale
    return "".join(f"{key}:{value}{_END}" for key, value in fields.items()).encode("ascii")


def _cor_rows(recording: Recording) -> list[str]:
    """Return a row for each trace with a position; times only if they rise."""
    known = np.flatnonzero(~np.isnan(recording.latitude) & ~np.isnan(recording.longitude))
    times = recording.times
    day = (recording.date or "")[:10]
    clock = None
    if times is not None and len(known):
        clock = np.round(times[known], 3)
        is_day = clock[0] >= 0 and clock[-1] < 86400
        # Readers fill up between rows that are close in time: not here, where nothing is known.
        is_apart = (np.diff(known) == 1) | (np.diff(clock) > _LONG_GAP)
        if not is_day or not ((np.diff(clock) > 0) & is_apart).all():
            clock = None
    rows = []
    for k, trace in enumerate(known.tolist()):
        latitude, longitude = recording.latitude[trace], recording.longitude[trace]
        altitude = recording.altitude[trace]
        cells = [
            str(trace + 1),
            day,
            "" if clock is None else _clock(float(clock[k])),
            f"{_decimal(abs(latitude))}\t{'S' if latitude < 0 else 'N'}",
            f"{_decimal(abs(longitude))}\t{'W' if longitude < 0 else 'E'}",
            "" if math.isnan(altitude) else _decimal(altitude),
            "M",
            "nan",  # accuracy or PDOP, as tools will have it: not known here
        ]
        rows.append("\t".join(cells))
    return rows


def _decimal(value: float) -> str:
    """Return a number in the shortest decimals that read back, without an exponent."""
    return np.format_float_positional(value, trim="0")


def _clock(seconds: float) -> str:
    """Return hh:mm:ss.sss of seconds since midnight."""
    milliseconds = round(1000 * seconds)
    minutes, rest = divmod(milliseconds, 60000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{rest / 1000:06.3f}"
