"""
The formats that can be read or written: how each is told, and what reads and writes it.

Readers and writers are named, not imported: each is loaded when a file needs it.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .hdf5_access import SIGNATURE
from .hdf5_kinds import kind_of_hdf5
from .signatures import (
    is_bag,
    is_vna_folder,
    looks_like_seg2,
    looks_like_skyhub,
    looks_like_stream,
    looks_like_sweep_table,
    looks_like_touchstone,
    looks_like_vna_table,
)
from .sniff import looks_like_dt1, looks_like_dzt, looks_like_rd3, looks_like_segy

#: Takes the first bytes of a file and its path, tells whether it is of the format.
Sniff = Callable[[bytes, Path], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """
    One format of recordings.

    A `reader` takes a path and options and returns what the file holds. A `writer` takes what
    a reader returns, a path and options. Both are named "module:function", the module as
    in this package.
    """

    name: str  #: as in :attr:`Recording.format` and on the command line
    title: str  #: for people
    suffixes: tuple[str, ...]  #: lower case, with their dots; the first is that of new files
    sniff: Sniff  #: by content; the path serves formats whose content tells nothing
    reader: str
    writer: str = ""  #: empty if it cannot be written
    takes_folder: bool = False  #: whether a recording may be a folder
    writes_sweeps: bool = False  #: whether the writer takes more than recordings of radars

    def load_reader(self) -> Callable[..., Any]:
        """Return the function that reads the format."""
        return _load(self.reader)

    def load_writer(self) -> Callable[..., Any]:
        """
        Return the function that writes the format.

        Raises
        ------
        ValueError
            If there is none.
        """
        if not self.writer:
            can = [one.name for one in FORMATS if one.writer]
            msg = f"Invalid format '{self.name}'. Must be one that is written: {can}."
            raise ValueError(msg)
        return _load(self.writer)


def check_options(
    function: Callable[..., Any], options: Mapping[str, Any], format_name: str
) -> None:
    """
    Raise if a reader or writer does not have one of the options.

    Parameters
    ----------
    function : callable
        Takes options by their names alone.
    options : mapping
        By name.
    format_name : str
        For the words of the error.

    Raises
    ------
    TypeError
        If an option is unknown.

    Examples
    --------
    >>> check_options(find_format("seg2").load_reader(), {"spacing": 0.1}, "seg2")
    """
    parameters = inspect.signature(function).parameters.values()
    known = sorted(p.name for p in parameters if p.kind is p.KEYWORD_ONLY)
    for name in options:
        if name not in known:
            msg = f"Invalid option '{name}' of format {format_name}. Must be one of {known}."
            raise TypeError(msg)


def _load(name: str) -> Callable[..., Any]:
    """Return a function named "module:function" of this package."""
    module, _, function = name.partition(":")
    found: Callable[..., Any] = getattr(
        importlib.import_module(f".{module}", __package__), function
    )
    return found


def _is_hdf5(*kinds: str) -> Sniff:
    """Return what tells whether a file is HDF5 of one of the kinds."""

    def sniff(head: bytes, path: Path) -> bool:
        return head.startswith(SIGNATURE) and kind_of_hdf5(path) in kinds

    return sniff


#: In the order in which content is tried: what has a signature comes first.
FORMATS: tuple[Format, ...] = (
    Format(
        name="rd3",
        title="MALA RD3 and RD7",
        suffixes=(".rd3", ".rd7", ".rad", ".rd6"),
        sniff=looks_like_rd3,
        reader="rd3:read_rd3",
        writer="rd3_writer:write_rd3",
    ),
    Format(
        name="dzt",
        title="GSSI DZT",
        suffixes=(".dzt",),
        sniff=lambda head, _: looks_like_dzt(head),
        reader="dzt:read_dzt",
        writer="dzt_writer:write_dzt",
    ),
    Format(
        name="segy",
        title="SEG-Y",
        suffixes=(".sgy", ".segy"),
        sniff=lambda head, _: looks_like_segy(head),
        reader="segy:read_segy",
        writer="segy_writer:write_segy",
    ),
    Format(
        name="dt1",
        title="Sensors & Software DT1",
        suffixes=(".dt1", ".hd"),
        sniff=lambda head, _: looks_like_dt1(head),
        reader="dt1:read_dt1",
        writer="dt1_writer:write_dt1",
    ),
    Format(
        name="hdf5",
        title="arrays of sweeps in HDF5",
        suffixes=(".h5", ".hdf5"),
        sniff=_is_hdf5("sweeps"),
        reader="hdf5_sweep:read_hdf5_sweeps",
        writer="hdf5_sweep_writer:write_hdf5_sweeps",
        writes_sweeps=True,
    ),
    Format(
        name="transients",
        title="transients of MetalMapper in HDF5 (provisional)",
        suffixes=(".h5",),
        sniff=_is_hdf5("transients"),
        reader="transients:read_transients",
    ),
    Format(
        name="gprmax",
        title="gprMax",
        suffixes=(".out", ".h5"),
        sniff=_is_hdf5("gprmax", "gprmax geometry"),
        reader="gprmax:read_gprmax",
    ),
    Format(
        name="seg2",
        title="SEG-2",
        suffixes=(".sg2", ".seg2"),
        sniff=lambda head, _: looks_like_seg2(head),
        reader="seg2:read_seg2",
    ),
    Format(
        name="mcap",
        title="recording of streams in MCAP",
        suffixes=(".mcap",),
        sniff=lambda head, _: looks_like_stream(head),
        reader="mcap_sweeps:read_mcap",
        writer="mcap_sweep_writer:write_mcap",
        writes_sweeps=True,
    ),
    Format(
        name="coil",
        title="metal_detector_msgs/Coil in a ROS bag",
        suffixes=(".bag", ".db3", ".mcap"),
        sniff=is_bag,
        reader="coil_bag:read_coil_bag",
        takes_folder=True,
    ),
    Format(
        name="touchstone",
        title="Touchstone",
        suffixes=(".s2p", ".s1p", ".ts"),
        sniff=looks_like_touchstone,
        reader="touchstone:read_touchstone",
        writer="touchstone:write_touchstone",
        writes_sweeps=True,
    ),
    Format(
        name="vna",
        title="tables of a network analyser",
        suffixes=(),
        sniff=lambda head, path: looks_like_vna_table(head) or is_vna_folder(path),
        reader="vna_table:read_vna_table",
        takes_folder=True,
    ),
    Format(
        name="skyhub",
        title="SkyHub position log",
        suffixes=(),
        sniff=lambda head, _: looks_like_skyhub(head),
        reader="skyhub:read_skyhub",
    ),
    Format(
        name="table",
        title="table explained by a template",
        suffixes=(".csv", ".tsv", ".txt", ".asc"),
        sniff=lambda *_: False,
        reader="table:read_table",
    ),
    Format(
        name="sweep table",
        title="table with units in its header",
        suffixes=(".csv", ".tsv"),
        sniff=lambda head, _: looks_like_sweep_table(head),
        reader="sweep_table:read_sweep_table",
        writer="sweep_table:write_sweep_table",
        writes_sweeps=True,
    ),
)


def find_format(name: str) -> Format:
    """
    Return a format by its name.

    Parameters
    ----------
    name : str
        One of the table.

    Returns
    -------
    found : Format
        Of that name.

    Raises
    ------
    ValueError
        If there is none of that name.

    Examples
    --------
    >>> find_format("dzt").title
    'GSSI DZT'
    """
    for one in FORMATS:
        if one.name == name:
            return one
    msg = f"Invalid format '{name}'. Must be one of {[one.name for one in FORMATS]}."
    raise ValueError(msg)


def detect(head: bytes, path: Path) -> Format | None:
    """
    Return the format a file has, from its content first and its extension second.

    Parameters
    ----------
    head : bytes
        The first bytes, up to :data:`~minesense.io.sniff.HEAD`; none of a folder.
    path : Path
        The file or folder.

    Returns
    -------
    found : Format or None
        None if no reader is meant.
    """
    is_folder = path.is_dir()
    able = [one for one in FORMATS if one.takes_folder or not is_folder]
    for one in able:
        if one.sniff(head, path):
            return one
    if not is_folder:
        for one in able:
            if path.suffix.lower() in one.suffixes:
                return one
    return None
