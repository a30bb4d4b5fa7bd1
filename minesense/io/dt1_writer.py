"""Write Sensors & Software DT1 recordings with their HD file."""

from __future__ import annotations

import datetime
import itertools
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..sweep import Quality
from .dt1 import read_dt1
from .dt1_layout import trace_type
from .recording import Recording
from .survey import blocks_of
from .write_files import copy_files, is_unchanged, read_back, stage_files
from .write_samples import StoredSamples, choose_channel

_EXTENSIONS = (".DT1", ".HD", ".GPS")
_END = "\r\r\n"


def write_dt1(
    recording: Recording,
    path: str | Path,
    *,
    scale: float | None = None,
    channel: int | None = None,
    overwrite: bool = False,
) -> list[Path]:
    """
    Write a recording as DT1 and HD files.

    Parameters
    ----------
    recording : Recording
        What to write.
    path : str or Path
        The DT1 file; the HD file has the same stem.
    scale : float, optional
        Counts to store per count of the recording, one factor for the whole survey. Needed
        if its samples are no whole numbers of 16 bits; the HD file names it.
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
    A DT1 recording as it was read is copied byte for byte, with its HD and GPS files. Of
    others, samples keep their bits unless they are scaled. The sample interval and time
    zero read back to 1e-15 of their value, distance to 6e-8 (the format has floats of
    32 bits), times of traces to 4 ms, latitude, longitude and altitude exactly. A day is
    kept, the time of day behind it not. Marks become comments, with their labels if they
    differ.

    Examples
    --------
    >>> import tempfile
    >>> from minesense.io import read
    >>> from minesense.io.rd3 import read_rd3
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     source = Path(folder) / "line.rd3"
    ...     _ = source.write_bytes(np.arange(40, dtype="<i2").tobytes())
    ...     recording = read_rd3(source, n_samples=4, sample_interval=1e-10, spacing=0.05)
    ...     [file.name for file in write_dt1(recording, source.with_suffix(".DT1"))]
    ['line.DT1', 'line.HD']
    """
    path = Path(path)
    if is_unchanged(recording, "dt1", (scale, channel)):
        return copy_files(recording, path, _EXTENSIONS, overwrite=overwrite)
    channel = choose_channel(recording, channel, "DT1")
    blocks = StoredSamples(recording, "<i2", scale=scale, channel=channel)
    header, comments = _hd_text(recording, scale), _comments(recording)
    hd = path.with_suffix(".hd" if path.suffix.islower() else ".HD")
    with stage_files(path, [*_EXTENSIONS, path.suffix], overwrite=overwrite) as folder:
        (folder / hd.name).write_bytes(header)
        with (folder / path.name).open("wb") as file:
            for start, stop in blocks_of(recording.stored):
                traces = _trace_headers(recording, comments, start, stop)
                traces["points"] = blocks(start, stop)[:, 0]
                file.write(traces.tobytes())
        read_back(folder / path.name, read_dt1, recording, blocks, position_precision=1e-7)
    return [path, hd]


def _hd_text(recording: Recording, scale: float | None) -> bytes:
    """Return the HD file, numbers in the shortest decimals that read back."""
    n_traces, _, n_samples = recording.shape
    known = recording.distance
    ends = (0.0, 0.0)
    if known is not None and not np.isnan(known).all():
        ends = (float(np.nanmin(known)), float(np.nanmax(known)))
    steps = np.abs(np.diff(known)) if known is not None else np.empty(0)
    steps = steps[np.isfinite(steps)]
    step = recording.spacing or (float(np.median(steps)) if len(steps) else 0.0)
    point = 0.0
    if recording.time_zero is not None:
        point = recording.time_zero / recording.sample_interval + 1
    fields: dict[str, Any] = {
        "NUMBER OF TRACES": n_traces,
        "NUMBER OF PTS/TRC": n_samples,
        "TIMEZERO AT POINT": point,
        "TOTAL TIME WINDOW": recording.window * 1e9,
        "STARTING POSITION": ends[0],
        "FINAL POSITION": ends[1],
        "STEP SIZE USED": step,
        "POSITION UNITS": "m",
    }
    if recording.centre_frequency is not None:
        fields["NOMINAL FREQUENCY"] = recording.centre_frequency * 1e-6
    if recording.antenna_separation is not None:
        fields["ANTENNA SEPARATION"] = recording.antenna_separation
    fields["SURVEY MODE"] = "CMP" if recording.is_offset_gather else "Reflection"
    if scale is not None:
        fields["SAMPLE SCALE"] = scale
    lines = ["1234", "Written by minesense", _day(recording.date)]
    lines += [f"{key:<18} = {value}" for key, value in fields.items()]
    if not np.isnan(recording.latitude).all():
        lines.append("X Y Z POSITIONS ADDED - LatLong")
    return (_END.join(lines) + _END).encode("ascii")


def _day(date: str | None) -> str:
    """Return the day of an ISO date, a hyphen if there is none: the line must be there."""
    try:
        return datetime.date.fromisoformat((date or "")[:10]).isoformat()
    except ValueError:
        return "-"


def _trace_headers(
    recording: Recording, comments: npt.NDArray[Any], start: int, stop: int
) -> npt.NDArray[Any]:
    """Return headers of traces; those of a DT1 file are kept but for what is replaced."""
    n_samples = recording.shape[2]
    traces = np.zeros(stop - start, trace_type(n_samples, 2))
    if recording.format == "dt1":
        source = recording.header["trace_headers"]
        own = source[recording.start + start : recording.start + stop]
        for name in own.dtype.names or ():
            traces[name] = own[name]
    else:
        traces["stacks"] = 1
        traces["comment"] = comments[start:stop]
        if recording.times is not None:
            traces["seconds"] = np.remainder(recording.times[start:stop], 86400)
    traces["number"] = np.arange(start, stop) + 1
    traces["n_points"] = n_samples
    traces["width"] = 2
    traces["interval"] = recording.sample_interval * 1e12
    traces["zero_flag"] = (recording.quality[start:stop] & Quality.STUCK) != 0
    if recording.distance is not None:
        traces["position"] = recording.distance[start:stop]
    elif recording.format != "dt1":
        traces["position"] = 0
    latitude, longitude = recording.latitude[start:stop], recording.longitude[start:stop]
    known = ~np.isnan(latitude) & ~np.isnan(longitude)
    place = np.column_stack([longitude, latitude, recording.altitude[start:stop]])
    traces["place"] = np.where(known[:, None], place, 0.0)
    return traces


def _comments(recording: Recording) -> npt.NDArray[Any]:
    """Return the comment of every trace: a new text at each mark, nothing between."""
    comments: npt.NDArray[Any] = np.zeros(len(recording), "S28")
    labels = list(recording.mark_labels)
    is_told = len(labels) == len(recording.marks) and all(label.strip() for label in labels)
    is_told = is_told and all(a != b for a, b in itertools.pairwise(labels))
    for k, trace in enumerate(recording.marks.tolist()):
        text = labels[k] if is_told else f"F{k + 1}"
        comments[trace] = text.encode("latin-1", "replace")[:28]
    return comments
