"""
Write sweeps as a recording of streams: what their sensors would have sent, as MCAP.

Each sweep becomes a lane: the declarations of its sensor and its positions, a note that opens
the lane, one position and one scan a trace, and a note that ends it. What messages have no room
for goes into notes: the flags of the traces and the history of the samples.
"""

from __future__ import annotations

import filecmp
import math
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .._validation import check_one_of
from ..message import CLOCKS, Message, Packet, StreamDeclaration
from ..payload import Encoder
from ..sensor_document import sensor_document
from ..sweep import Quality, Sweep
from ..sweep_messages import (
    PAUSE,
    Clock,
    lane_note,
    position_declaration,
    position_of,
    scan_of,
    sensor_declaration,
    stream_name,
)
from .mcap_writer import McapWriter
from .sweep_file import SweepFile, sweeps_of

Floats = npt.NDArray[np.float64]

#: Topics of notes about a lane: what messages of sensors and positions cannot say.
QUALITY, HISTORY = "quality", "history"

#: Runs of equal flags, or lines of history, in one note.
_IN_ONE_NOTE = 1000


def write_mcap(
    source: Any, path: str | Path, *, clock: Clock = "host", overwrite: bool = False
) -> Path:
    """
    Write sweeps as a recording of streams, which `minesense replay` plays.

    Parameters
    ----------
    source : Sweep, iterable of Sweep, or what a reader returns
        A recording of a radar is written as its :meth:`to_sweep`. What was read from a
        recording of streams as a whole is copied byte for byte.
    path : str or Path
        The file.
    clock : str, optional
        That stamps are said to be of: "utc", "gps", "host" or "sensor".
    overwrite : bool, optional
        Whether a file of that name is replaced.

    Returns
    -------
    path : Path
        The file, read back and compared before it got its name. The same sweeps give the same
        bytes: the times at which packets arrived are their stamps.

    Raises
    ------
    FileExistsError
        If the file exists and `overwrite` is False.
    OSError
        If the file does not read back as it was written.
    TypeError, ValueError
        If there is no sweep, one has no traces, or a trace more than 65535 samples a channel.

    Notes
    -----
    Samples, positions, flags, sensors and names of lanes read back exactly, headings to
    1e-7 of their value. Times read back exactly where lanes follow each other; a lane that
    begins before the end of the one before is moved behind it, by a shift that its note tells
    and its reader takes off again, to the rounding of a float64. Positions of traces with the
    flag POSE_NONE are not kept.

    Examples
    --------
    >>> import tempfile
    >>> from minesense.io.mcap_sweeps import read_mcap
    >>> from minesense.sensor import Sensor
    >>> coil = Sensor(name="coil", kind="emi", axis=[1e-5], lever_arms=np.zeros((1, 3)))
    >>> sweep = Sweep(
    ...     samples=np.ones((2, 1, 1)), time=[0.0, 0.1], position=np.zeros((2, 3)),
    ...     heading=np.zeros(2), sensor=coil, lane="A",
    ... )
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = write_mcap(sweep, Path(folder) / "lane.mcap")
    ...     back = read_mcap(file).to_sweep()
    >>> back.lane, back.time.tolist(), back.sensor.name
    ('A', [0.0, 0.1], 'coil')
    """
    path = Path(path)
    check_one_of(clock, "clock", CLOCKS)
    if path.exists() and not overwrite:
        msg = f"Invalid path '{path}': it exists. Pass overwrite=True to replace it."
        raise FileExistsError(msg)
    is_copy = (
        isinstance(source, SweepFile)
        and source.format == "mcap"
        and bool(source.header.get("is_whole"))
    )
    sweeps = sweeps_of(source)
    for sweep in sweeps:
        if not len(sweep):
            msg = f"Invalid sweep of lane '{sweep.lane}' without traces. Must have one."
            raise ValueError(msg)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    os.close(handle)
    beside = Path(name)
    try:
        if is_copy:
            shutil.copyfile(source.path, beside)
            if not filecmp.cmp(source.path, beside, shallow=False):
                _fail(path, "bytes")
        else:
            with beside.open("wb", buffering=0) as file:
                writer, encoder = McapWriter(file), Encoder()
                for stamp, message in messages_of(sweeps, clock):
                    writer.write(Packet(stamp, encoder.encode(message)))
                writer.finish()
            _compare(beside, path, sweeps)
        with beside.open("rb+") as written:
            os.fsync(written.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    return path


def messages_of(sweeps: list[Sweep], clock: Clock) -> Iterator[tuple[float, Message]]:
    """
    Return the messages of sweeps, one lane after the other.

    Parameters
    ----------
    sweeps : list of Sweep
        With at least one trace each.
    clock : str
        Of all streams.

    Yields
    ------
    stamp : float
        When it is sent, s.
    message : StreamDeclaration, SensorMessage, PositionMessage or NoteMessage
        In their order.
    """
    numbers: dict[str, int] = {}

    def next_of(stream: str) -> int:
        numbers[stream] = number = numbers.get(stream, -1) + 1
        return number & 0xFFFFFFFF

    names = {sweep.sensor.name for sweep in sweeps}
    positions = "position"
    while positions in names:
        positions += " of the platform"
    declared: dict[str, Any] = {}
    before = -math.inf
    for sweep in sweeps:
        start = float(sweep.time[0])
        shift = 0.0 if start > before else before + PAUSE - start
        for declaration in _declarations(sweep, positions, clock):
            what = (
                declaration.frame
                if declaration.sensor is None
                else sensor_document(declaration.sensor),
                declaration.note,
            )
            if declared.get(declaration.name) != what:
                declared[declaration.name] = what
                yield start + shift, declaration
        about: dict[str, Any] = {"name": sweep.lane}
        if shift:
            about["shift"] = shift
        stamp = start + shift
        yield stamp, lane_note("lane", about, stamp=stamp, sequence=next_of(""))
        for k in range(len(sweep)):
            stamp = float(sweep.time[k]) + shift
            n = next_of(positions)
            yield stamp, position_of(sweep, k, positions, stamp=stamp, sequence=n)
            n = next_of(stream_name(sweep))
            yield stamp, scan_of(sweep, k, stamp=stamp, sequence=n)
        before = stamp
        for topic, content in [*_said(sweep), ("end lane", {"name": sweep.lane})]:
            yield before, lane_note(topic, content, stamp=before, sequence=next_of(""))


def _declarations(sweep: Sweep, positions: str, clock: Clock) -> Iterator[StreamDeclaration]:
    """Return the declarations of a sweep's positions and of its sensor."""
    said = (sweep.frame.origin, *sweep.history)
    note = "SYNTHETIC" if any(line.startswith("SYNTHETIC") for line in said) else ""
    yield position_declaration(sweep, positions, clock=clock, note=note)
    yield sensor_declaration(sweep, clock=clock, note=note)


def _said(sweep: Sweep) -> Iterator[tuple[str, dict[str, Any]]]:
    """Return topics and contents of notes that keep flags and history."""
    turns = np.flatnonzero(np.diff(sweep.quality)) + 1
    starts = [0, *turns.tolist()]
    stops = [*starts[1:], len(sweep)]
    runs = [
        [stop - start, int(sweep.quality[start])]
        for start, stop in zip(starts, stops, strict=True)
    ]
    for k in range(0, len(runs), _IN_ONE_NOTE):
        part = runs[k : k + _IN_ONE_NOTE]
        yield QUALITY, {"stream": stream_name(sweep), "runs": part}
    for k in range(0, len(sweep.history), _IN_ONE_NOTE):
        lines = list(sweep.history[k : k + _IN_ONE_NOTE])
        yield HISTORY, {"stream": stream_name(sweep), "lines": lines}


def _compare(file: Path, path: Path, sweeps: list[Sweep]) -> None:
    """Raise unless a file reads back as the sweeps."""
    from .mcap_sweeps import read_mcap  # noqa: PLC0415 - it takes topics from here

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        again = read_mcap(file, max_bytes=2**62).sweeps
    if len(again) != len(sweeps):
        _fail(path, f"{len(again)} sweeps instead of {len(sweeps)}")
    latest = max(abs(float(sweep.time[-1])) for sweep in sweeps)
    for found, wanted in zip(again, sweeps, strict=True):
        lost = (wanted.quality & int(Quality.POSE_NONE)) != 0
        place = np.where(lost[:, None], np.nan, wanted.position)
        heading = np.where(lost, np.nan, wanted.heading)
        room = 1e-15 * (latest + PAUSE * len(sweeps))  # of shifts that are taken off again
        for name, is_same in (
            ("samples", np.array_equal(found.samples, wanted.samples, equal_nan=True)),
            ("flags", np.array_equal(found.quality, wanted.quality)),
            ("times", _is_near(found.time, wanted.time, room)),
            ("positions", np.array_equal(found.position, place, equal_nan=True)),
            ("headings", _is_near(found.heading, heading, 1e-7 * np.abs(heading))),
            ("lane", (found.lane, found.frame) == (wanted.lane, wanted.frame)),
            ("sensor", sensor_document(found.sensor) == sensor_document(wanted.sensor)),
        ):
            if not is_same:
                _fail(path, f"{name} of lane '{wanted.lane}'")


def _is_near(found: Floats, wanted: Floats, room: Any) -> bool:
    """Whether numbers differ by no more than there is room for, NaN where NaN is."""
    return found.shape == wanted.shape and bool(
        np.all((np.abs(found - wanted) <= room) | (np.isnan(found) & np.isnan(wanted)))
    )


def _fail(path: Path, what: str) -> None:
    """Give up on a file that does not hold what was written."""
    msg = f"Writing '{path}' failed: {what} do not read back as they were."
    raise OSError(msg)
