"""The command ``minesense convert``."""

from __future__ import annotations

import warnings
from argparse import Namespace
from pathlib import Path
from typing import Any

from ..io import FormatWarning, read
from ..io.formats import FORMATS, Format, find_format
from ..io.recording import Recording
from ..io.skyhub import PositionLog, join_skyhub
from .readoptions import call_with, parse_options

#: Formats whose files hold recordings of radars in counts and nothing else.
_COUNTS = ("dzt", "dt1", "rd3", "segy")


def run(options: Namespace) -> str:
    """
    Read a file of any format and write it in another one.

    Parameters
    ----------
    options : argparse.Namespace
        Of the command line.

    Returns
    -------
    text : str
        What was written, and every warning of the reader.

    Raises
    ------
    ValueError
        If the file cannot be read, or the format cannot hold it; no file appears.
    OSError
        If a file cannot be read or written, or is there and may not be replaced.
    """
    path, target = Path(options.path), Path(options.target)
    reading = parse_options(options.option, "--option")
    writing = parse_options(options.write_option, "--write-option")
    if options.overwrite:
        writing["overwrite"] = True
    chosen = _format_of(target, options.format)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", FormatWarning)
        source = call_with(read, path, options=reading)
        if options.positions:
            source = _place(source, Path(options.positions), options)
        made = call_with(chosen.load_writer(), _fit(source, chosen), target, options=writing)
    files = made if isinstance(made, list) else [made]
    told = dict.fromkeys(" ".join(str(warning.message).split()) for warning in caught)
    return "\n".join([*(f"wrote {file}" for file in files), *(f"warning: {t}" for t in told)])


def _format_of(target: Path, name: str | None) -> Format:
    """Return the format to write."""
    if name is not None:
        return find_format(name)
    suffix = target.suffix.lower()
    for one in FORMATS:
        if one.writer and suffix in one.suffixes:
            return one
    endings = sorted({suffix for one in FORMATS if one.writer for suffix in one.suffixes})
    msg = f"Invalid target '{target}'. Must end in one of {endings}, or pass --format."
    raise ValueError(msg)


def _place(source: Any, log: Path, options: Namespace) -> Any:
    """Return a recording as a sweep placed by the log of a drone."""
    positions = read(log)
    if not isinstance(source, Recording) or not isinstance(positions, PositionLog):
        msg = (
            f"Invalid files '{options.path}' and '{log}'. Must be the recording of a radar and "
            "a SkyHub position log."
        )
        raise ValueError(msg)
    return join_skyhub(source, positions, first_trace=options.first_trace)


def _fit(source: Any, chosen: Format) -> Any:
    """Return what a writer takes, or raise if it cannot hold what was read."""
    if isinstance(source, PositionLog):
        msg = (
            f"Invalid file '{source.path}': a position log has no samples. Convert the "
            "recording, with --positions."
        )
        raise ValueError(msg)
    if chosen.name in _COUNTS and not isinstance(source, Recording):
        msg = (
            f"Invalid format '{chosen.name}' for {type(source).__name__}: it holds recordings "
            "of radars in counts. Must be HDF5, for example."
        )
        raise ValueError(msg)
    if chosen.name == "touchstone" and not hasattr(source, "to_time"):
        msg = f"Invalid format 'touchstone' for {type(source).__name__}. Must be HDF5, say."
        raise ValueError(msg)
    if chosen.name == "sweep table" and hasattr(source, "to_sweep"):
        return source.to_sweep()
    return source
