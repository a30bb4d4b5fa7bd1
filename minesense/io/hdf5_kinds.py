"""Tell which of the layouts that are read an HDF5 file has."""

from __future__ import annotations

import contextlib
from pathlib import Path

from .hdf5_access import Dataset, Node, find, open_hdf5
from .trouble import Findings, FormatError


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
