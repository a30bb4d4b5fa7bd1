"""
Keep processed sweeps as zarr arrays that may be larger than memory.

Every chunk has a checksum. A chunk that is missing is an error: zarr itself would give the fill
value, and data that were lost must not look like data.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from .._validation import check_count
from ..sensor import Sensor
from ..sensor_document import sensor_document, sensor_of
from ..sweep import Frame, Sweep, belongs_to, form_of
from .trouble import FormatError

_FORMAT, _VERSION = "minesense cube", 1
_PARTS = {"samples": "float32", "time": "float64", "position": "float64", "heading": "float64"}
_PARTS["quality"] = "int64"


def save_cube(
    path: str | Path, chunks: Sweep | Iterable[Sweep], *, chunk_traces: int | None = None
) -> Path:
    """
    Write the chunks of a lane into a zarr store.

    Parameters
    ----------
    path : str or Path
        A new folder, named `.zarr` by custom.
    chunks : Sweep or iterable of Sweep
        Consecutive chunks of one lane and sensor; one is in memory at a time, and what a
        chunk of the store still lacks.
    chunk_traces : int, optional
        Traces of a chunk of the store; about 4 MiB by default.

    Returns
    -------
    path : Path
        The folder. It appears under its name when it is whole.

    Raises
    ------
    FileExistsError
        If the folder exists.
    ImportError
        If zarr is not installed.
    ValueError
        If there is no chunk, or the chunks belong to different lanes or sensors.

    Examples
    --------
    >>> import tempfile
    >>> from minesense.synthetic import cart
    >>> from minesense.sweep import Sweep
    >>> sweep = Sweep(
    ...     samples=np.ones((3, *cart().radar.shape)),
    ...     time=np.arange(3.0),
    ...     position=np.zeros((3, 3)),
    ...     heading=np.zeros(3),
    ...     sensor=cart().radar,
    ...     lane="A",
    ... )
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     cube = open_cube(save_cube(Path(folder, "a.zarr"), sweep))
    ...     len(cube), cube[1:3].lane, cube[1:3].time.tolist()
    (3, 'A', [1.0, 2.0])
    """
    zarr = _zarr()
    path = Path(path)
    if path.exists():
        msg = f"Invalid path '{path}': it exists. Must be a new folder."
        raise FileExistsError(msg)
    beside = path.with_name(f".{path.name}.part")
    shutil.rmtree(beside, ignore_errors=True)
    try:
        _write(zarr, beside, [chunks] if isinstance(chunks, Sweep) else chunks, chunk_traces)
        os.replace(beside, path)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return path


def open_cube(path: str | Path) -> Cube:
    """
    Open a zarr store of a lane.

    Parameters
    ----------
    path : str or Path
        What :func:`save_cube` wrote.

    Returns
    -------
    cube : Cube
        Read range by range.

    Raises
    ------
    FormatError
        If it is no such store, or a chunk is missing.
    ImportError
        If zarr is not installed.

    Examples
    --------
    >>> open_cube("nowhere")  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
    FormatError: nowhere: invalid folder 'none'. Must be a store of save_cube.
    """
    zarr = _zarr()
    path = Path(path)
    field, rule = "folder", "a store of save_cube"
    if not path.is_dir():
        raise FormatError(path, field, "none", rule)
    try:
        group = zarr.open_group(path, mode="r")
        header = dict(group.attrs)
        arrays = {name: group[name] for name in _PARTS}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FormatError(path, field, " ".join(str(error).split()), rule) from None
    if header.get("format") != _FORMAT or header.get("version") != _VERSION:
        field = "format"
        value = (header.get("format"), header.get("version"))
        raise FormatError(path, field, value, f"('{_FORMAT}', {_VERSION})")
    try:
        sensor = sensor_of(header["sensor"])
        frame = Frame(**header["frame"])
        history = tuple(str(line) for line in header["history"])
        cube = Cube(path, arrays, sensor, str(header["lane"]), frame, history)
    except (KeyError, TypeError, ValueError) as error:
        field = "header"
        raise FormatError(path, field, " ".join(str(error).split()), rule) from None
    cube.check()
    return cube


class Cube:
    """
    A stored lane, of which ranges of traces are read. Made by :func:`open_cube`.

    Parameters
    ----------
    path : Path
        Of the store.
    arrays : dict of str to zarr.Array
        Of samples and track.
    sensor : Sensor
        What recorded the lane.
    lane : str
        Its name.
    frame : Frame
        Of its positions.
    history : tuple of str
        What was done to the samples.
    """

    def __init__(
        self,
        path: Path,
        arrays: dict[str, Any],
        sensor: Sensor,
        lane: str,
        frame: Frame,
        history: tuple[str, ...],
    ):
        self.path, self.sensor, self.lane = path, sensor, lane
        self.frame, self.history = frame, history
        self._arrays = arrays
        n_traces = self._arrays["time"].shape[0]
        shapes = {"samples": (n_traces, *sensor.shape), "position": (n_traces, 3)}
        for name, dtype in _PARTS.items():
            array, shape = self._arrays[name], shapes.get(name, (n_traces,))
            if array.shape != shape or array.dtype != np.dtype(dtype):
                msg = f"{name} of shape {array.shape} and type {array.dtype}, not {shape}"
                raise ValueError(msg)

    def __len__(self) -> int:
        """Return the number of traces."""
        return int(self._arrays["time"].shape[0])

    def check(self) -> None:
        """
        Raise if a chunk is missing.

        Raises
        ------
        FormatError
            Names the first one.
        """
        for name, array in self._arrays.items():
            counts = [math.ceil(n / c) for n, c in zip(array.shape, array.chunks, strict=True)]
            for index in itertools.product(*map(range, counts)):
                chunk = self.path.joinpath(name, "c", *map(str, index))
                if not chunk.is_file():
                    field = "chunk"
                    value = f"{name}/{'/'.join(map(str, index))}"
                    raise FormatError(self.path, field, value, "there: its data were lost")

    def __getitem__(self, traces: slice) -> Sweep:
        """
        Read a range of traces.

        Parameters
        ----------
        traces : slice
            Of step one.

        Returns
        -------
        sweep : Sweep
            As saved, bit for bit.

        Raises
        ------
        FormatError
            If a chunk is damaged or missing.
        TypeError, ValueError
            If it is no slice of step one.
        """
        if not isinstance(traces, slice):
            msg = f"Invalid traces {traces!r}. Must be a slice."
            raise TypeError(msg)
        if traces.step not in (None, 1):
            msg = f"Invalid step '{traces.step}' of traces. Must be 1."
            raise ValueError(msg)
        self.check()
        parts = {}
        for name, array in self._arrays.items():
            try:
                parts[name] = np.asarray(array[traces])
            except (ValueError, OSError, RuntimeError, EOFError) as error:
                field = "chunk"
                found = " ".join(str(error).split())
                rule = "as it was written, by its checksum"
                raise FormatError(self.path, field, found, rule, where=name) from None
        return Sweep(
            **parts,
            sensor=self.sensor,
            lane=self.lane,
            frame=self.frame,
            history=self.history,
        )


def _zarr() -> ModuleType:
    """Return zarr; say how to install it if it is not there."""
    try:
        import zarr  # noqa: PLC0415 - optional, and slow to import
    except ImportError:
        msg = "Cubes need zarr: pip install 'minesense[store]'."
        raise ImportError(msg) from None
    return zarr


def _write(
    zarr: ModuleType, path: Path, chunks: Iterable[Sweep], chunk_traces: int | None
) -> None:
    """Write all chunks into a new group."""
    form: Sweep | None = None
    group, waiting, n_stored = None, [], 0
    n_rows = 0 if chunk_traces is None else check_count(chunk_traces, "chunk_traces")
    for chunk in chunks:
        if not isinstance(chunk, Sweep):
            msg = f"Invalid chunk of type {type(chunk).__name__}. Must be a Sweep."
            raise TypeError(msg)
        if chunk.sensor.shape == (0, 0):
            continue
        if form is None:
            form = form_of(chunk)
            n_rows = n_rows or max(1, 2**20 // max(1, math.prod(chunk.sensor.shape)))
            group = _new_group(zarr, path, form, n_rows)
        elif not belongs_to(chunk, form):
            msg = (
                f"Invalid chunk of lane '{chunk.lane}', sensor '{chunk.sensor.name}'. Must "
                f"belong to lane '{form.lane}', sensor '{form.sensor.name}'."
            )
            raise ValueError(msg)
        waiting.append(chunk)
        n_waiting = sum(map(len, waiting))
        if n_waiting >= n_rows:
            # whole chunks of the store only: each is written once
            n_stored = _append(group, waiting, n_stored, n_waiting - n_waiting % n_rows)
    if form is None:
        msg = "Invalid chunks: there are none. Must be at least one with a sensor."
        raise ValueError(msg)
    _append(group, waiting, n_stored, sum(map(len, waiting)))


def _new_group(zarr: ModuleType, path: Path, form: Sweep, n_rows: int) -> Any:
    """Return a group with empty arrays for a lane."""
    from zarr.codecs import BloscCodec, Crc32cCodec  # noqa: PLC0415 - comes with zarr

    group = zarr.create_group(
        path,
        attributes={
            "format": _FORMAT,
            "version": _VERSION,
            "lane": form.lane,
            "frame": dataclasses.asdict(form.frame),
            "history": list(form.history),
            "sensor": sensor_document(form.sensor),
        },
    )
    tails = {"samples": form.sensor.shape, "position": (3,)}
    for name, dtype in _PARTS.items():
        tail = tails.get(name, ())
        group.create_array(
            name,
            shape=(0, *tail),
            chunks=(n_rows, *(max(1, n) for n in tail)),
            dtype=dtype,
            fill_value=math.nan if dtype.startswith("float") else -1,
            compressors=[
                BloscCodec(cname="zstd", clevel=3, shuffle="bitshuffle"),
                Crc32cCodec(),
            ],
            config={"write_empty_chunks": True},
        )
    return group


def _append(group: Any, waiting: list[Sweep], n_stored: int, n_traces: int) -> int:
    """Move traces that wait into the arrays; return how many are stored now."""
    if not n_traces:
        return n_stored
    n_new = n_stored + n_traces
    for name in _PARTS:
        values = np.concatenate([getattr(chunk, name) for chunk in waiting])[:n_traces]
        array = group[name]
        array.resize((n_new, *array.shape[1:]))
        array[n_stored:n_new] = values
    rest = n_traces
    while waiting and rest >= len(waiting[0]):
        rest -= len(waiting.pop(0))
    if rest:
        waiting[0] = waiting[0][rest:]
    return n_new
