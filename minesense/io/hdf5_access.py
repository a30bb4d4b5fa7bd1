"""
Look into HDF5 files whose content nobody vouches for.

Nothing outside the file is touched: external links, external storage and virtual datasets are
refused, and soft links are followed only from group to group of the file itself. What a
dataset would take in memory is compared with a limit before it is read.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .trouble import Findings, FormatError

SIGNATURE = b"\x89HDF\r\n\x1a\n"

#: Largest dataset that is read, in bytes, unless the caller says otherwise.
MAX_BYTES = 4 * 2**30

_MAX_LINKS = 16  # soft links followed one after the other
_MAX_ATTRIBUTE = 2**20  # bytes
_MAX_CHILDREN = 100_000
_MAX_CHUNK = 256 * 2**20  # bytes of one chunk: decompressed whole to read a part
#: What the library raises about damaged content.
_DAMAGE = (
    OSError,
    RuntimeError,
    KeyError,
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    ArithmeticError,
    MemoryError,
    NotImplementedError,
    SystemError,
)


@contextlib.contextmanager
def open_hdf5(path: Path) -> Iterator[Any]:
    """
    Open an HDF5 file for reading; turn what the library raises in the block into FormatError.

    Parameters
    ----------
    path : Path
        The file.

    Yields
    ------
    file : h5py.File
        Open until the end of the block.

    Raises
    ------
    FormatError
        If the file is no HDF5 file, damaged, or cut short.
    ImportError
        If h5py is not installed.
    OSError
        If the file cannot be read.
    """
    try:
        import h5py  # noqa: PLC0415 - an extra
    except ImportError:
        msg = "Reading HDF5 files needs h5py: pip install 'minesense[hdf5]'."
        raise ImportError(msg) from None
    with path.open("rb") as raw:
        head = raw.read(len(SIGNATURE))
    if head != SIGNATURE:
        raise FormatError(
            path, "content", head, "an HDF5 file, which starts with its signature"
        )
    try:
        with h5py.File(path, "r", locking=False) as file:
            yield file
    except FormatError:
        raise
    except _DAMAGE as error:
        words = " ".join(str(error).split())[:200]
        found = f"{type(error).__name__}: {words}"
        raise FormatError(path, "content", found, "an HDF5 file, whole and undamaged") from None


def children(group: Any, findings: Findings) -> list[str]:
    """
    Return the names in a group, in order of their names.

    Parameters
    ----------
    group : h5py.Group
        Of an open file.
    findings : Findings
        Of the file, for errors.

    Returns
    -------
    names : list of str
        Of links of any kind.

    Raises
    ------
    FormatError
        If there are more than 100 000.
    """
    if len(group) > _MAX_CHILDREN:
        findings.fail("group", group.name, f"of at most {_MAX_CHILDREN} members")
    return sorted(group)


def find(file: Any, name: str, findings: Findings) -> Any:
    """
    Return the object at a path inside a file, or None.

    Parameters
    ----------
    file : h5py.Group
        Where the path starts.
    name : str
        Names joined by slashes.
    findings : Findings
        Of the file, for errors.

    Returns
    -------
    found : h5py.Group, h5py.Dataset or None
        None if there is no such name.

    Raises
    ------
    FormatError
        If a link on the way leaves the file, or soft links lead to one another too often.
    """
    import h5py  # noqa: PLC0415 - an extra

    parts = [part for part in reversed(name.split("/")) if part]
    place, n_links = file, 0
    while parts:
        part = parts.pop()
        if not isinstance(place, h5py.Group) or not _has_link(place, part):
            return None
        link = place.get(part, getlink=True)
        if isinstance(link, h5py.HardLink):
            place = place[part]
            continue
        if not isinstance(link, h5py.SoftLink) or isinstance(link, h5py.ExternalLink):
            rule = "inside the file: links to other files are not followed"
            findings.fail("link", f"{place.name}/{part}", rule)
        n_links += 1
        if n_links > _MAX_LINKS:
            rule = f"reached over at most {_MAX_LINKS} soft links"
            findings.fail("link", f"{place.name}/{part}", rule)
        if link.path.startswith("/"):
            place = place.file["/"]
        parts += [piece for piece in reversed(link.path.split("/")) if piece not in ("", ".")]
    return place


def _has_link(group: Any, name: str) -> bool:
    """Whether a group has a link of a name; the link is not followed."""
    return bool(group.id.links.exists(name.encode("utf-8", "surrogateescape")))


def check_dataset(dataset: Any, findings: Findings, max_bytes: int) -> None:
    """
    Raise unless a dataset lies in its file, has plain numbers and fits the limit.

    Parameters
    ----------
    dataset : h5py.Dataset
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
    if dataset.external or dataset.is_virtual:
        findings.fail("dataset", name, "stored in the file: other files are not opened")
    dtype = dataset.dtype
    if dtype.kind not in "iufcb" and not (dtype.names and _is_plain(dtype)):
        findings.fail("type of dataset", f"{name}: {dtype}", "numbers")
    if dataset.shape is None:
        findings.fail("dataset", f"{name}: empty", "an array")
    size = math.prod(dataset.shape) * dtype.itemsize
    if size > max_bytes:
        rule = f"at most max_bytes, {max_bytes} bytes"
        findings.fail("size of dataset", f"{name}: {dataset.shape}, {size} bytes", rule)
    if dataset.chunks is not None:
        chunk = math.prod(dataset.chunks) * dtype.itemsize
        # The library allocates a chunk whole, wherever the dataset ends in it.
        if chunk > min(_MAX_CHUNK, max(4 * size, 2**20)):
            rule = f"of chunks no larger than itself ({size} bytes) and {_MAX_CHUNK} bytes"
            findings.fail("chunk of dataset", f"{name}: {dataset.chunks}", rule)


def _is_plain(dtype: np.dtype[Any]) -> bool:
    """Whether all fields of a compound type are numbers or fixed text."""
    return all(dtype[name].kind in "iufcbS" for name in dtype.names or ())


def read_dataset(
    dataset: Any, findings: Findings, *, max_bytes: int = MAX_BYTES, part: Any = ()
) -> npt.NDArray[Any]:
    """
    Return a dataset, or a part of one, as an array in the byte order of the machine.

    Parameters
    ----------
    dataset : h5py.Dataset
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
    values = np.asarray(dataset[part])
    return values.astype(values.dtype.newbyteorder("="), copy=False)


def read_attributes(thing: Any, findings: Findings) -> dict[str, Any]:
    """
    Return the attributes of a group or dataset.

    Parameters
    ----------
    thing : h5py.Group or h5py.Dataset
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
    for name in sorted(thing.attrs.keys()):
        identity = thing.attrs.get_id(name)
        count = math.prod(identity.shape or ())
        is_text = identity.dtype.kind == "O"  # of any length: at most one is read
        if identity.shape is None or count * identity.dtype.itemsize > _MAX_ATTRIBUTE:
            findings.warn(f"attribute {name!r} of {thing.name} is empty or too large: not read")
            continue
        if identity.dtype.kind not in "iufbSUO" or (is_text and count != 1):
            findings.warn(f"attribute {name!r} of {thing.name} is no number or text: not read")
            continue
        value = thing.attrs[name]
        if isinstance(value, np.ndarray) and value.dtype.kind == "O":
            value = value.ravel()[0]
        if isinstance(value, np.ndarray) and value.dtype.kind == "S" and value.size == 1:
            value = value.ravel()[0]
        if isinstance(value, bytes):
            value = value.decode("utf-8", "replace")
        if not isinstance(value, str | np.ndarray | np.generic | int | float):
            findings.warn(f"attribute {name!r} of {thing.name} is no number or text: not read")
            continue
        result[name] = value
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
    findings = Findings(path)
    try:
        with open_hdf5(path) as file:
            names = set(children(file, findings))
            if "format" in file.attrs and str(file.attrs["format"]) == "minesense sweeps":
                return "sweeps"
            if names & {"rxs", "subgrids"}:
                return "gprmax"
            if "data" in names and "dx_dy_dz" in file.attrs:
                return "gprmax geometry"
            if "samples" in names:
                return "sweeps"
            if find_table(file, findings) is not None:
                return "transients"
    except FormatError:
        pass
    return ""


def find_table(file: Any, findings: Findings) -> Any:
    """
    Return the first table with a gate time and a column for an axis and cube, or None.

    Parameters
    ----------
    file : h5py.File
        Open file; two levels of groups are looked through.
    findings : Findings
        Of the file, for errors.

    Returns
    -------
    table : h5py.Dataset or None
        A dataset of a compound type.
    """
    import h5py  # noqa: PLC0415 - an extra

    places = [""]
    for name in children(file, findings)[:200]:
        places.append(name)
        link = file.get(name, getlink=True)
        if isinstance(link, h5py.HardLink) and isinstance(file[name], h5py.Group):
            places += [f"{name}/{inner}" for inner in children(file[name], findings)[:200]]
    for place in places:
        thing = find(file, place, findings) if place else None
        names = thing.dtype.names if isinstance(thing, h5py.Dataset) else None
        if names and "GateTime" in names and any(is_receiver_column(name) for name in names):
            return thing
    return None


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
        findings.fail(
            "content", "data, dx_dy_dz", "a recording; this is the geometry of a model"
        )
