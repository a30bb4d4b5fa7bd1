"""
Keep sweeps in a folder and get them back bit for bit.

A folder holds one `.npz` file for each sweep, that is for each lane and sensor, and an
index that names them all, so that a lost file does not pass unnoticed. A file holds plain
arrays and a JSON header; nothing in it is ever unpickled.
"""

from __future__ import annotations

import dataclasses
import io
import json
import lzma
import os
import re
import struct
import warnings
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from ..seal import broken_seal
from ..sensor import Circle, ContinuousWave, Head, Polygon, PulseTrain, Radar, Sensor
from ..sweep import Frame, Sweep
from .trouble import FormatError

_FORMAT = "minesense sweeps"
_VERSION = 2
_INDEX = "index.json"
_HEADER = "header"
_ARRAYS = ("samples", "time", "position", "heading", "quality")
_RECORDS: dict[str, type] = {
    kind.__name__: kind
    for kind in (Circle, ContinuousWave, Frame, Head, Polygon, PulseTrain, Radar, Sensor)
}
_ROOM = 64 * 2**20
#: What reading a damaged archive can raise.
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    RuntimeError,
    EOFError,
    LookupError,
    OSError,
    ValueError,
    TypeError,
    SyntaxError,
    ArithmeticError,
    MemoryError,
    Warning,
)

Array = npt.NDArray[Any]
T = TypeVar("T")


def save_sweeps(
    folder: str | Path, sweeps: Iterable[Sweep], *, overwrite: bool = False
) -> list[Path]:
    """
    Write sweeps into a folder, one file each.

    Parameters
    ----------
    folder : str or Path
        Made if it does not exist.
    sweeps : iterable of Sweep
        In any order, which is kept. One is in memory at a time.
    overwrite : bool, optional
        Whether a store in the folder is replaced.

    Returns
    -------
    paths : list of Path
        The files of the sweeps.

    Raises
    ------
    FileExistsError
        If the folder holds a store and `overwrite` is False.
    TypeError
        If something is not a Sweep.

    Examples
    --------
    >>> import tempfile
    >>> from minesense.sweep import no_traces
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = save_sweeps(folder, [no_traces(lane="lane 1"), no_traces(lane="lane 2")])
    ...     [sweep.lane for sweep in load_sweeps(folder)]
    ['lane 1', 'lane 2']
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    index = folder / _INDEX
    old = sorted(folder.glob("*.npz"))
    if (index.exists() or old) and not overwrite:
        msg = f"Invalid folder '{folder}': it holds sweeps already. Pass overwrite=True."
        raise FileExistsError(msg)
    index.unlink(missing_ok=True)  # first: a store cut short has no index
    for path in old:
        path.unlink()
    paths = []
    for number, sweep in enumerate(sweeps):
        _check_sweep(sweep)
        name = "_".join(
            re.sub(r"[^A-Za-z0-9-]+", "-", part)[:40].strip("-")
            for part in (sweep.lane, sweep.sensor.kind, sweep.sensor.name)
        )
        path = folder / f"{number:05d}_{name}.npz"
        _write(path, _pack(sweep))
        paths.append(path)
    content = {"format": _FORMAT, "version": _VERSION, "files": [path.name for path in paths]}
    _write(index, (json.dumps(content, indent=1) + "\n").encode("utf-8"))
    return paths


def load_sweeps(folder: str | Path) -> list[Sweep]:
    """
    Read the sweeps of a folder, in the order they were saved.

    Parameters
    ----------
    folder : str or Path
        Where :func:`save_sweeps` wrote.

    Returns
    -------
    sweeps : list of Sweep
        Equal to those saved, bit for bit.

    Raises
    ------
    FormatError
        If the folder is no store or was cut short, or a file is missing, truncated,
        damaged or foreign.

    Examples
    --------
    >>> import tempfile
    >>> from minesense.sweep import no_traces
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     paths = save_sweeps(folder, [no_traces(lane="lane 1"), no_traces(lane="lane 2")])
    ...     [sweep.lane for sweep in load_sweeps(folder)]
    ...     paths[1].unlink()
    ...     try:
    ...         load_sweeps(folder)
    ...     except FormatError:
    ...         print("a lost file does not pass unnoticed")
    ['lane 1', 'lane 2']
    a lost file does not pass unnoticed
    """
    index = Path(folder) / _INDEX
    rule = f"an index of a store, written last by save_sweeps, of version {_VERSION}"
    if not index.is_file():
        field, found = "folder", f"no {_INDEX}"
        raise FormatError(index, field, found, rule)
    try:
        content = json.loads(index.read_bytes())
    except (ValueError, RecursionError) as error:
        field = "JSON"
        raise FormatError(index, field, str(error), rule) from None
    is_store = isinstance(content, dict) and content.get("format") == _FORMAT
    files = content.get("files") if is_store else None
    if not isinstance(files, list) or content.get("version") != _VERSION:
        field = "content"
        raise FormatError(index, field, content, rule)
    for name in files:
        # Names come from a file: none may lead out of the folder.
        if not (isinstance(name, str) and re.fullmatch(r"[A-Za-z0-9_-]+\.npz", name)):
            field = "file name"
            raise FormatError(index, field, name, "one that save_sweeps gives")
    return [load_sweep(index.with_name(name)) for name in files]


def load_sweep(path: str | Path) -> Sweep:
    """
    Read one sweep of a store.

    Parameters
    ----------
    path : str or Path
        An `.npz` file that :func:`save_sweeps` wrote.

    Returns
    -------
    sweep : Sweep
        As it was saved.

    Raises
    ------
    FormatError
        If the file is missing, truncated, damaged or foreign, or its content is not what the
        seal at the end of its history vouches for.
    """
    path = Path(path)
    try:
        size = path.stat().st_size
        with warnings.catch_warnings(), zipfile.ZipFile(path) as archive:
            warnings.simplefilter("error")  # NumPy warns of headers that it has to mend
            total = sum(info.file_size for info in archive.infolist())
            if total > 4 * size + _ROOM:
                msg = f"{total} bytes declared in a file of {size}"
                raise ValueError(msg)
            arrays = {
                info.filename.removesuffix(".npy"): _read_array(archive, info)
                for info in archive.infolist()
            }
        sweep = _unpack(arrays)
    except (*_DAMAGE, RecursionError, NotImplementedError) as error:
        field, value = "content", f"{type(error).__name__}: {error}"
        rule = "a sweep that save_sweeps wrote, whole and unchanged"
        raise FormatError(path, field, value, rule) from None
    digests = broken_seal(sweep)
    if digests is not None:
        field = "sha256"
        raise FormatError(path, field, digests[0], f"that of its content, {digests[1]}")
    return sweep


def _check_sweep(sweep: object) -> None:
    """Raise unless this is a sweep."""
    if not isinstance(sweep, Sweep):
        msg = f"Invalid sweep of type {type(sweep).__name__}. Must be a Sweep."
        raise TypeError(msg)


def _write(path: Path, data: bytes) -> None:
    """Write a file beside its place, then put it there."""
    beside = path.with_name(f".{path.name}.part")
    try:
        with beside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _pack(sweep: Sweep) -> bytes:
    """Return a sweep as an archive of arrays; the same sweep gives the same bytes."""
    arrays: dict[str, Array] = {name: getattr(sweep, name) for name in _ARRAYS}
    header = {
        "format": _FORMAT,
        "version": _VERSION,
        "lane": sweep.lane,
        "history": list(sweep.history),
        "frame": _encode(sweep.frame, "frame.", arrays),
        "sensor": _encode(sweep.sensor, "sensor.", arrays),
    }
    text = json.dumps(header, sort_keys=True).encode("utf-8")
    arrays[_HEADER] = np.frombuffer(text, np.uint8)
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


def _encode(record: Any, prefix: str, arrays: dict[str, Array]) -> dict[str, Any]:
    """Return a record as JSON; its arrays go to `arrays` under their prefixed names."""
    fields: dict[str, Any] = {"type": type(record).__name__}
    for field in dataclasses.fields(record):
        value = getattr(record, field.name)
        if isinstance(value, np.ndarray):
            arrays[prefix + field.name] = np.ascontiguousarray(value)
        elif dataclasses.is_dataclass(value):
            fields[field.name] = _encode(value, f"{prefix}{field.name}.", arrays)
        elif isinstance(value, tuple):  # of records
            fields[field.name] = [
                _encode(item, f"{prefix}{field.name}.{i}.", arrays)
                for i, item in enumerate(value)
            ]
        else:
            fields[field.name] = value.item() if isinstance(value, np.generic) else value
    return fields


def _decode(fields: Any, kind: type[T], prefix: str, arrays: dict[str, Array]) -> T:
    """Return the record that `_encode` took apart."""
    if not isinstance(fields, dict) or _RECORDS.get(fields.get("type", "")) is not kind:
        msg = f"no {kind.__name__} at '{prefix}'"
        raise ValueError(msg)
    names = {field.name for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    values: dict[str, Any] = {}
    for name, value in fields.items():
        if name == "type":
            continue
        if name not in names:
            msg = f"unknown field '{prefix}{name}'"
            raise ValueError(msg)
        if isinstance(value, list):
            values[name] = tuple(
                _decode_any(item, f"{prefix}{name}.{i}.", arrays)
                for i, item in enumerate(value)
            )
        elif isinstance(value, dict):
            values[name] = _decode_any(value, f"{prefix}{name}.", arrays)
        else:
            values[name] = value
    for name in names - set(values):
        if prefix + name in arrays:
            values[name] = arrays[prefix + name]
    return kind(**values)


def _decode_any(fields: Any, prefix: str, arrays: dict[str, Array]) -> Any:
    """Return the record that `_encode` took apart, of the kind that it says."""
    kind = _RECORDS.get(fields.get("type", "")) if isinstance(fields, dict) else None
    if kind is None:
        msg = f"unknown field '{prefix[:-1]}'"
        raise ValueError(msg)
    return _decode(fields, kind, prefix, arrays)


def _read_array(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Array:
    """Return an array of an archive after checking its size; objects are refused."""
    data = archive.read(info)
    stream = io.BytesIO(data)
    version = np.lib.format.read_magic(stream)
    read = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }[version]
    shape, is_fortran, dtype = read(stream)
    if dtype.kind not in "iuf" or is_fortran:
        msg = f"array {info.filename} of type {dtype}"
        raise ValueError(msg)
    rest = data[stream.tell() :]
    count = 1
    for length in shape:
        count *= length
    if any(length < 0 for length in shape) or count * dtype.itemsize != len(rest):
        msg = f"array {info.filename} of shape {shape} in {len(rest)} bytes"
        raise ValueError(msg)
    return np.frombuffer(rest, dtype).reshape(shape).copy()


def _unpack(arrays: dict[str, Array]) -> Sweep:
    """Return the sweep whose arrays and header are given."""
    header = json.loads(arrays[_HEADER].tobytes())
    if not isinstance(header, dict) or header.get("format") != _FORMAT:
        msg = "no header of a sweep"
        raise ValueError(msg)
    if header.get("version") != _VERSION:
        msg = f"version {header.get('version')!r}, this one reads {_VERSION}"
        raise ValueError(msg)
    lane, history = header["lane"], header["history"]
    if not isinstance(lane, str) or not all(isinstance(line, str) for line in history):
        msg = "lane and history are not text"
        raise TypeError(msg)
    if arrays["samples"].dtype != np.float32:
        msg = f"samples of type {arrays['samples'].dtype}"
        raise TypeError(msg)
    return Sweep(
        **{name: arrays[name] for name in _ARRAYS},
        lane=lane,
        history=tuple(history),
        frame=_decode(header["frame"], Frame, "frame.", arrays),
        sensor=_decode(header["sensor"], Sensor, "sensor.", arrays),
    )
