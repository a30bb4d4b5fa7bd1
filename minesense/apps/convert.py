"""The command ``minesense convert``."""

from __future__ import annotations

import dataclasses
import functools
import warnings
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..io import FormatWarning, Recording, read, write
from ..io.skyhub import PositionLog
from ..io.skyhub_join import join_skyhub
from ..io.sweep_file import SweepFile, sweeps_of
from ..sweep import Sweep
from .files import write_json
from .info import describe
from .readoptions import parse_options


def run(options: Namespace) -> str:
    """
    Write a recording, a table or whatever is read in another format, or a part of it.

    Parameters
    ----------
    options : argparse.Namespace
        Of the command line.

    Returns
    -------
    text : str
        The files written, and what the reader was in doubt about.

    Raises
    ------
    ValueError
        If the recording cannot be read, or the format cannot hold it.
    OSError
        If a file is in the way or cannot be written.
    """
    path = Path(options.path)
    given: dict[str, Any] = {
        "sample_interval": options.sample_interval,
        "spacing": options.spacing,
        "dt_unit": options.dt_unit,
        **parse_options(options.option, "--option"),
    }
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", FormatWarning)
        source = _call(functools.partial(read, path), given)
        part = _part(source, options)
        if options.positions:
            part = _place(part, options)
        told = describe(source)
        wanted = {"scale": options.scale, "channel": options.channel}
        target = functools.partial(write, part, options.target, format=options.format)
        wanted["overwrite"] = options.overwrite or None
        files = _call(target, wanted)
        n_traces = _count(part)
    doubts = list(dict.fromkeys(" ".join(str(w.message).split()) for w in caught))
    document = {
        "written": [str(file) for file in files],
        "traces": n_traces,
        "corrections": [dataclasses.asdict(one) for one in source.corrections],
        "warnings": doubts,
        "recording": told,
    }
    if options.output:
        write_json(Path(options.output), document)
    lines = [f"wrote {file}" for file in files]
    lines.append(f"{n_traces} of {_count(source)} traces of {path.name}, {source.format}")
    lines += [f"warning: {text}" for text in doubts]
    return "\n".join(lines)


def _part(source: Any, options: Namespace) -> Any:
    """Return the traces that are asked for; of sweeps all."""
    if isinstance(source, PositionLog):
        msg = (
            f"Invalid file '{source.path}': a position log has no samples. Must be the "
            "recording; name the log with --positions."
        )
        raise ValueError(msg)
    if options.traces is None:
        return source
    if isinstance(source, SweepFile):
        sweeps = tuple(sweep[options.traces] for sweep in source.sweeps)
        sweeps = tuple(sweep for sweep in sweeps if len(sweep))
        if not sweeps:
            msg = "Invalid --traces: none of the traces of a sweep. Must name some."
            raise ValueError(msg)
        header = {**source.header, "is_whole": False}
        return dataclasses.replace(source, sweeps=sweeps, header=header)
    if not isinstance(source, Recording):
        msg = f"Invalid --traces for a file of format {source.format}. Must be left out."
        raise ValueError(msg)
    part = source[options.traces]
    if not len(part):
        msg = f"Invalid --traces: none of the {len(source)} traces. Must name some."
        raise ValueError(msg)
    return part


def _place(source: Any, options: Namespace) -> Any:
    """Return a recording as a sweep placed by the log of a drone."""
    log = read(options.positions)
    if not isinstance(source, Recording) or not isinstance(log, PositionLog):
        msg = (
            f"Invalid files '{options.path}' and '{options.positions}'. Must be the recording "
            "of a radar and a SkyHub position log."
        )
        raise ValueError(msg)
    return join_skyhub(source, log, first_trace=options.first_trace)


def _count(source: Any) -> int:
    """Return how many traces there are."""
    if isinstance(source, Recording | Sweep):
        return len(source)
    return sum(len(sweep) for sweep in sweeps_of(source))


def _call(function: Callable[..., Any], options: dict[str, Any]) -> Any:
    """Return what a function of a format returns; an option that it has not is no fault."""
    given = {name: value for name, value in options.items() if value is not None}
    try:
        return function(**given)
    except TypeError as error:
        unknown = next((name for name in given if f"'{name}'" in str(error)), None)
        if unknown is None:
            msg = " ".join(str(error).split())
            raise ValueError(msg) from None
        msg = f"Invalid option --{unknown.replace('_', '-')}. Must be one that the format has."
        raise ValueError(msg) from None
