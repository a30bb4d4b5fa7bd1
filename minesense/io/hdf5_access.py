"""
Look into HDF5 files whose content nobody vouches for.

A process of its own reads them, see :mod:`minesense.io.hdf5_child`: a file that makes the HDF5
library crash or loop ends that process and is an error here. Nothing outside the file is
touched: external links, external storage and virtual datasets are refused. What a dataset
would take in memory is compared with a limit before it is read.
"""

from __future__ import annotations

import atexit
import base64
import contextlib
import importlib.util
import json
import math
import os
import selectors
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .trouble import Findings, FormatError

SIGNATURE = b"\x89HDF\r\n\x1a\n"

#: Largest dataset that is read, in bytes, unless the caller says otherwise.
MAX_BYTES = 4 * 2**30

_MAX_CHUNK = 256 * 2**20  # bytes of one chunk: decompressed whole to read a part
_SECONDS, _PER_BYTE = 0.8, 1 / 20e6  # of processor time for a request, and for what it reads
_SLOWEST = 60.0  # s of waiting for the child beyond that, on a busy machine


class ChildError(Exception):
    """The process that reads has ended, or said that something is wrong."""


class _Child:
    """The process that reads files for this one; started when it is needed, and again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0
        self.generation = 0

    def ask(self, generation: int | None, size: int = 0, **request: Any) -> tuple[Any, bytes]:
        """
        Return the answer to a request and the bytes behind it.

        Raises
        ------
        ChildError
            If the process ended, or is not the one in which the file was opened.
        """
        with self._lock:
            if generation is None:
                self._start()
            elif generation != self.generation:
                msg = "reading a file ended the process that read it"
                raise ChildError(msg)
            seconds = _SECONDS + size * _PER_BYTE
            text = json.dumps({**request, "seconds": seconds}) + "\n"
            process = self._process
            assert process is not None
            assert process.stdin is not None
            with contextlib.suppress(OSError):
                process.stdin.write(text.encode("utf-8", "surrogateescape"))
                process.stdin.flush()
            answer, data = self._receive(seconds + _SLOWEST)
        for key in ("refused", "damaged"):
            if key in answer:
                raise ChildError(answer[key])
        return answer, data

    def _start(self) -> None:
        """Start the process unless it runs, and wait until it listens."""
        runs = self._process is not None and self._process.poll() is None
        if runs and self._owner == os.getpid():
            return
        self.close()
        script = Path(__file__).with_name("hdf5_child.py")
        paths = os.pathsep.join(path for path in sys.path if path)
        self._process = subprocess.Popen(
            [sys.executable, "-s", os.fspath(script)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": paths},
        )
        self._owner = os.getpid()
        self.generation += 1
        self._receive(_SLOWEST)

    def _receive(self, seconds: float) -> tuple[Any, bytes]:
        """Return one answer; end the process if it gives none."""
        process = self._process
        assert process is not None
        assert process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            line = process.stdout.readline() if selector.select(seconds) else b""
        if line:
            answer = json.loads(line)
            count = answer.get("bytes", 0)
            data = process.stdout.read(count) if count else b""
            if len(data) == count:
                return answer, data
        self.close()
        self.generation += 1
        msg = "reading it ended the process that read it, or took too long"
        raise ChildError(msg)

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is None:
            return
        if self._owner == os.getpid():
            process.kill()
            process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


_CHILD = _Child()
atexit.register(_CHILD.close)


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A group or something else in a file; datasets are :class:`Dataset`."""

    file: tuple[int, int]  #: generation of the process, and number of the file in it
    name: str
    attributes: dict[str, Any] = field(repr=False)
    members: tuple[str, ...] = ()
    is_group: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset(Node):
    """An array in a file, not yet read."""

    shape: tuple[int, ...] | None
    dtype: np.dtype[Any] | None  #: None if it is of no plain numbers
    chunks: tuple[int, ...] | None
    is_elsewhere: bool

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape or ())

    @property
    def size(self) -> int:
        """Bytes in memory."""
        return math.prod(self.shape or (0,)) * (self.dtype.itemsize if self.dtype else 0)

    def __getitem__(self, part: Any) -> npt.NDArray[Any]:
        """Return a part as a new array: an empty tuple for all, else slices without a step."""
        assert self.dtype is not None
        assert self.shape is not None
        slices = part if isinstance(part, tuple) else (part,)
        bounds = [one.indices(n)[:2] for one, n in zip(slices, self.shape, strict=False)]
        generation, number = self.file
        answer, data = _CHILD.ask(
            generation, self.size, op="read", file=number, name=self.name, part=bounds
        )
        values = np.frombuffer(data, self.dtype).reshape(answer["shape"])
        return values.astype(values.dtype.newbyteorder("="))


@contextlib.contextmanager
def open_hdf5(path: Path) -> Iterator[Node]:
    """
    Open an HDF5 file for reading in the process that reads such files.

    Parameters
    ----------
    path : Path
        The file.

    Yields
    ------
    root : Node
        Usable until the end of the block.

    Raises
    ------
    FormatError
        If the file is no HDF5 file, damaged, cut short, or leads out of itself.
    ImportError
        If h5py is not installed.
    OSError
        If the file cannot be read, or no process be started.
    """
    require_h5py("Reading")
    with path.open("rb") as raw:
        head = raw.read(len(SIGNATURE))
    if head != SIGNATURE:
        rule = "an HDF5 file, which starts with its signature"
        raise FormatError(path, "content", head, rule)
    try:
        answer, _ = _CHILD.ask(
            None, path.stat().st_size, op="open", path=os.fspath(path.absolute())
        )
        file = (_CHILD.generation, int(answer["file"]))
        try:
            root = _find(file, "/")
            assert root is not None
            yield root
        finally:
            with contextlib.suppress(ChildError):
                _CHILD.ask(file[0], op="close", file=file[1])
    except ChildError as error:
        rule = "an HDF5 file, whole, undamaged and of its own content"
        raise FormatError(path, "content", str(error), rule) from None


def require_h5py(what: str) -> None:
    """
    Raise unless h5py is installed; it is not imported.

    Parameters
    ----------
    what : str
        "Reading" or "Writing".

    Raises
    ------
    ImportError
        If it is not.
    """
    if importlib.util.find_spec("h5py") is None:
        msg = f"{what} HDF5 files needs h5py: pip install 'minesense[hdf5]'."
        raise ImportError(msg)


def _find(file: tuple[int, int], name: str) -> Node | None:
    """Return what is at a path of a file, None if nothing is."""
    answer, _ = _CHILD.ask(file[0], op="find", file=file[1], name=name)
    if "none" in answer:
        return None
    common: dict[str, Any] = {
        "file": file,
        "name": answer["name"],
        "attributes": answer["attributes"],
    }
    if answer["kind"] != "dataset":
        members = tuple(answer.get("members", ()))
        return Node(members=members, is_group=answer["kind"] == "group", **common)
    form = answer["dtype"]
    if isinstance(form, list):
        form = [(column, kind) for column, kind in form]
    shape, chunks = answer["shape"], answer["chunks"]
    return Dataset(
        shape=None if shape is None else tuple(shape),
        dtype=None if form is None else np.dtype(form),
        chunks=None if chunks is None else tuple(chunks),
        is_elsewhere=answer["elsewhere"],
        **common,
    )


def find(place: Node, name: str) -> Node | None:
    """
    Return the object at a path inside a file, or None.

    Parameters
    ----------
    place : Node
        Where the path starts.
    name : str
        Names joined by slashes.

    Returns
    -------
    found : Node or None
        None if there is no such name. Soft links are followed inside the file; one that leaves
        it is an error when :func:`open_hdf5` ends.
    """
    return _find(place.file, f"{place.name.rstrip('/')}/{name}")


def find_dataset(place: Node, name: str) -> Dataset | None:
    """
    Return the dataset at a path inside a file, None if there is none.

    Parameters
    ----------
    place, name
        As in :func:`find`.

    Returns
    -------
    found : Dataset or None
        None also if something else is there.
    """
    found = find(place, name)
    return found if isinstance(found, Dataset) else None


def check_dataset(dataset: Dataset, findings: Findings, max_bytes: int) -> None:
    """
    Raise unless a dataset lies in its file, has plain numbers and fits the limit.

    Parameters
    ----------
    dataset : Dataset
        Not yet read.
    findings : Findings
        Of the file, for errors.
    max_bytes : int
        Limit of its size in memory.

    Raises
    ------
    FormatError
        If it does not.
    """
    name = dataset.name
    if dataset.is_elsewhere:
        findings.fail("dataset", name, "stored in the file: other files are not opened")
    if dataset.dtype is None or (dataset.dtype.kind == "S"):
        findings.fail("type of dataset", f"{name}: {dataset.dtype}", "numbers")
    if dataset.shape is None:
        findings.fail("dataset", f"{name}: empty", "an array")
    size = dataset.size
    if size > max_bytes:
        rule = f"at most max_bytes, {max_bytes} bytes"
        findings.fail("size of dataset", f"{name}: {dataset.shape}, {size} bytes", rule)
    if dataset.chunks is not None and dataset.dtype is not None:
        chunk = math.prod(dataset.chunks) * dataset.dtype.itemsize
        # The library allocates a chunk whole, wherever the dataset ends in it.
        if chunk > min(_MAX_CHUNK, max(4 * size, 2**20)):
            rule = f"of chunks no larger than itself ({size} bytes) and {_MAX_CHUNK} bytes"
            findings.fail("chunk of dataset", f"{name}: {dataset.chunks}", rule)


def read_dataset(
    dataset: Dataset, findings: Findings, *, max_bytes: int = MAX_BYTES, part: Any = ()
) -> npt.NDArray[Any]:
    """
    Return a dataset, or a part of one, as an array in the byte order of the machine.

    Parameters
    ----------
    dataset : Dataset
        Of an open file.
    findings : Findings
        Of the file, for errors.
    max_bytes : int, optional
        Limit of what is read.
    part : slice or tuple of slice, optional
        Which part, all if not given.

    Returns
    -------
    values : ndarray
        A new array.

    Raises
    ------
    FormatError
        If it lies outside the file, holds no numbers, or is larger than the limit.
    """
    check_dataset(dataset, findings, max_bytes)
    return dataset[part]


def read_attributes(thing: Node, findings: Findings) -> dict[str, Any]:
    """
    Return the attributes of a group or dataset.

    Parameters
    ----------
    thing : Node
        Of an open file.
    findings : Findings
        Of the file, takes a warning for those that are not read.

    Returns
    -------
    attributes : dict
        Numbers, text or arrays by name. What is larger than a mebibyte, or of a type that is
        neither number nor text, is not among them.
    """
    result: dict[str, Any] = {}
    for name, value in thing.attributes.items():
        if "left out" in value:
            findings.warn(f"attribute {name!r} of {thing.name} {value['left out']}: not read")
        elif "text" in value:
            result[name] = value["text"]
        else:
            array = np.frombuffer(base64.b64decode(value["data"]), value["dtype"])
            array = array.reshape(value["shape"])
            result[name] = array if array.shape else array[()]
    return result


def kind_of_hdf5(path: Path) -> str:
    """
    Tell which of the layouts that are read an HDF5 file has.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    kind : {"gprmax", "gprmax geometry", "sweeps", "transients", ""}
        Empty for anything else, also for damaged files.

    Raises
    ------
    ImportError
        If h5py is not installed.
    """
    with contextlib.suppress(FormatError), open_hdf5(path) as root:
        if root.attributes.get("format", {}).get("text") == "minesense sweeps":
            return "sweeps"
        if {"rxs", "subgrids"} & set(root.members):
            return "gprmax"
        if "data" in root.members and "dx_dy_dz" in root.attributes:
            return "gprmax geometry"
        if "samples" in root.members:
            return "sweeps"
        if find_table(root) is not None:
            return "transients"
    return ""


def find_table(root: Node) -> Dataset | None:
    """
    Return the first table with a gate time and a column for an axis and cube, or None.

    Parameters
    ----------
    root : Node
        Of an open file; two levels of groups are looked through.

    Returns
    -------
    table : Dataset or None
        A dataset of a compound type.
    """
    for name in root.members[:200]:
        outer = find(root, name)
        inner = outer.members[:200] if outer is not None else ()
        for thing in (outer, *(find(root, f"{name}/{other}") for other in inner)):
            if isinstance(thing, Dataset) and _is_transients(thing):
                return thing
    return None


def _is_transients(table: Dataset) -> bool:
    """Whether a dataset has a gate time and a column for an axis and cube."""
    names = (table.dtype.names if table.dtype is not None else None) or ()
    return "GateTime" in names and any(is_receiver_column(column) for column in names)


def is_receiver_column(name: str) -> bool:
    """Whether a column is named for an axis and a cube, for example "ZA"."""
    return len(name) == 2 and name[0] in "XYZ" and name[1] in "ABCD"


def require_no_geometry(findings: Findings, kind: str) -> None:
    """
    Raise if a file of a solver holds the model and not what was recorded over it.

    Parameters
    ----------
    findings : Findings
        Of the file.
    kind : str
        Of :func:`kind_of_hdf5`.

    Raises
    ------
    FormatError
        If it does.
    """
    if kind == "gprmax geometry":
        rule = "a recording; this is the geometry of a model"
        findings.fail("content", "data, dx_dy_dz", rule)
