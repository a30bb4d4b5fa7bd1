"""
Look into HDF5 files whose content nobody vouches for.

A process of its own reads them, see :mod:`minesense.io.hdf5_child`: a file that makes the HDF5
library crash or loop ends that process and is an error here. Nothing outside the file is
touched: external links, external storage and virtual datasets are refused. What a dataset
would take in memory is compared with a limit before it is read.
"""

from __future__ import annotations

import base64
import contextlib
import importlib.util
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .hdf5_process import CHILD, ChildError
from .trouble import Findings, FormatError

SIGNATURE = b"\x89HDF\r\n\x1a\n"

#: Largest dataset that is read, in bytes, unless the caller says otherwise.
MAX_BYTES = 4 * 2**30

_MAX_CHUNK = 256 * 2**20  # bytes of one chunk: decompressed whole to read a part


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
        answer, data = CHILD.ask(
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
        answer, _ = CHILD.ask(
            None, path.stat().st_size, op="open", path=os.fspath(path.absolute())
        )
        file = (CHILD.generation, int(answer["file"]))
        try:
            root = _find(file, "/")
            assert root is not None
            yield root
        finally:
            with contextlib.suppress(ChildError):
                CHILD.ask(file[0], op="close", file=file[1])
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
    answer, _ = CHILD.ask(file[0], op="find", file=file[1], name=name)
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
