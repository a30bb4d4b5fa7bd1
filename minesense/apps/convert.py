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
from .files import write_json
from .info import describe_recording


def run(options: Namespace) -> str:
    """
    Write a recording in another format, or a part of it.

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
    given = {
        "sample_interval": options.sample_interval,
        "spacing": options.spacing,
        "dt_unit": options.dt_unit,
    }
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", FormatWarning)
        recording = _call(functools.partial(read, path), given)
        if not isinstance(recording, Recording):
            msg = f"Invalid file '{path}': no radar recording. Must be one to be converted."
            raise ValueError(msg)
        part = recording if options.traces is None else recording[options.traces]
        if not len(part):
            msg = f"Invalid --traces: none of the {len(recording)} traces. Must name some."
            raise ValueError(msg)
        wanted = {"scale": options.scale, "channel": options.channel}
        target = functools.partial(write, part, options.target, format=options.format)
        wanted["overwrite"] = options.overwrite or None
        files = _call(target, wanted)
    doubts = list(dict.fromkeys(" ".join(str(w.message).split()) for w in caught))
    document = {
        "written": [str(file) for file in files],
        "traces": len(part),
        "corrections": [dataclasses.asdict(one) for one in recording.corrections],
        "warnings": doubts,
        "recording": describe_recording(recording),
    }
    if options.output:
        write_json(Path(options.output), document)
    lines = [f"wrote {file}" for file in files]
    lines.append(f"{len(part)} of {len(recording)} traces of {path.name}, {recording.format}")
    lines += [f"warning: {text}" for text in doubts]
    return "\n".join(lines)


def _call(function: Callable[..., Any], options: dict[str, Any]) -> Any:
    """Return what a function of a format returns; an option that it has not is no fault."""
    given = {name: value for name, value in options.items() if value is not None}
    try:
        return function(**given)
    except TypeError as error:
        unknown = next((name for name in given if f"'{name}'" in str(error)), None)
        if unknown is None:
            raise
        msg = f"Invalid option --{unknown.replace('_', '-')}. Must be one that the format has."
        raise ValueError(msg) from None
