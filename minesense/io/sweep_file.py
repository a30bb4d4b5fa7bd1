"""A file that is no radar recording in counts: what it gives is sweeps."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from .._version import __version__
from ..sweep import Quality, Sweep
from .trouble import Correction, Findings


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SweepFile:
    """
    The sweeps of one file, and what the file says beyond them.

    Tables, bags of messages and arrays in HDF5 hold physical values with their own times and
    positions, so that they need no type between the file and the sweep.
    """

    path: Path
    format: str  #: as in :data:`~minesense.io.formats.FORMATS`
    sweeps: tuple[Sweep, ...]  #: one for each stretch without a break in time, and sensor
    header: Mapping[str, Any] = field(default_factory=dict)  #: as read
    sources: Mapping[str, str] = field(default_factory=dict)  #: which field told what
    corrections: tuple[Correction, ...] = ()
    warnings: tuple[str, ...] = ()

    def to_sweeps(self, *, lane: str | None = None) -> tuple[Sweep, ...]:
        """
        Return the sweeps of the file.

        Parameters
        ----------
        lane : str, optional
            Name of the lanes, numbered if there are several; without it as in the file.

        Returns
        -------
        sweeps : tuple of Sweep
            In the order of the file.
        """
        if lane is None:
            return self.sweeps
        many = len(self.sweeps) > 1
        return tuple(
            dataclasses.replace(sweep, lane=f"{lane} {k}" if many else lane)
            for k, sweep in enumerate(self.sweeps, 1)
        )

    def to_sweep(self, *, lane: str | None = None) -> Sweep:
        """
        Return the only sweep of the file.

        Parameters
        ----------
        lane : str, optional
            Name of the lane; without it as in the file.

        Returns
        -------
        sweep : Sweep
            The sweep.

        Raises
        ------
        ValueError
            If there is none, or more than one.
        """
        if len(self.sweeps) != 1:
            names = [f"{sweep.lane} ({sweep.sensor.name})" for sweep in self.sweeps]
            msg = (
                f"Invalid file '{self.path}': it holds {len(self.sweeps)} sweeps, {names}. "
                "Must hold one: take them with to_sweeps()."
            )
            raise ValueError(msg)
        return self.to_sweeps(lane=lane)[0]

    def describe(self) -> dict[str, Any]:
        """
        Return what the file holds, for people and as JSON.

        Returns
        -------
        document : dict
            Plain values.
        """
        return {
            "kind": "sweeps",
            "format": self.format,
            "sweeps": [describe_sweep(sweep) for sweep in self.sweeps],
            "sources": dict(self.sources),
            "header": plain(self.header),
            "corrections": [str(correction) for correction in self.corrections],
            "warnings": list(self.warnings),
        }


def finish(
    findings: Findings,
    *,
    format_name: str,
    sweeps: list[Sweep],
    header: Mapping[str, Any],
    sources: Mapping[str, str],
) -> SweepFile:
    """
    Return the sweeps of a file with what was found on the way, and issue the warnings.

    Parameters
    ----------
    findings : Findings
        Of the file.
    format_name : str
        As in the table of formats.
    sweeps : list of Sweep
        Take a first line of history each.
    header, sources : mapping
        Of the result.

    Returns
    -------
    result : SweepFile
        Of all this.
    """
    lines = (
        f"minesense {__version__}: read {format_name} {findings.path.name}",
        *(f"warning: {text}" for text in findings.warnings),
    )
    result = SweepFile(
        path=findings.path,
        format=format_name,
        sweeps=tuple(
            dataclasses.replace(sweep, history=(*lines, *sweep.history)) for sweep in sweeps
        ),
        header=header,
        sources=sources,
        corrections=tuple(findings.corrections),
        warnings=tuple(findings.warnings),
    )
    findings.emit(stacklevel=4)
    return result


def describe_sweep(sweep: Sweep) -> dict[str, Any]:
    """
    Return what a sweep holds, in plain values.

    Parameters
    ----------
    sweep : Sweep
        Of any sensor.

    Returns
    -------
    document : dict
        Counts, units, limits and the number of traces with each quality flag.
    """
    n_channels, n_samples = sweep.sensor.shape
    flags = {
        flag.name: int(np.count_nonzero(sweep.quality & flag.value))
        for flag in Quality
        if (sweep.quality & flag.value).any()
    }
    axis = sweep.sensor.axis
    return {
        "lane": sweep.lane,
        "sensor": sweep.sensor.name,
        "sensor_kind": sweep.sensor.kind,
        "traces": len(sweep),
        "channels": n_channels,
        "samples": n_samples,
        "is_complex": sweep.sensor.is_complex,
        "quantity": sweep.sensor.quantity,
        "unit": sweep.sensor.unit,
        "axis": [float(axis[0]), float(axis[-1])] if len(axis) else [],
        "axis_unit": sweep.sensor.axis_unit,
        "time": [float(sweep.time[0]), float(sweep.time[-1])] if len(sweep) else [],
        "frame": sweep.frame.origin,
        "flags": flags,
    }


def sweeps_of(source: Any) -> list[Sweep]:
    """
    Return the sweeps that something holds.

    Parameters
    ----------
    source : Sweep, iterable of Sweep, or what a reader returns
        With `to_sweeps` or `to_sweep`.

    Returns
    -------
    sweeps : list of Sweep
        At least one.

    Raises
    ------
    TypeError, ValueError
        If it holds none.
    """
    if isinstance(source, Sweep):
        return [source]
    if hasattr(source, "to_sweeps"):
        sweeps = list(source.to_sweeps())
    elif hasattr(source, "to_time"):  # a sweep over frequency: tones lose nothing
        sweeps = [source.to_sweep(domain="frequency")]
    elif hasattr(source, "to_sweep"):
        sweeps = [source.to_sweep()]
    elif isinstance(source, Iterable):
        sweeps = list(source)
    else:
        sweeps = [source]
    for sweep in sweeps:
        if not isinstance(sweep, Sweep):
            msg = f"Invalid sweep of type {type(sweep).__name__}. Must be a Sweep."
            raise TypeError(msg)
    if not sweeps:
        msg = "Invalid sweeps: there is none. Must be at least one."
        raise ValueError(msg)
    return sweeps


_SHOWN = 32  # values of an array that are shown


def plain(value: Any) -> Any:
    """
    Return a value of a header as JSON can hold it, long arrays by their shape.

    Parameters
    ----------
    value : object
        Of a header.

    Returns
    -------
    shown : object
        Numbers, text, lists and dictionaries; None for NaN.
    """
    shown: Any = str(value)
    if isinstance(value, Mapping):
        shown = {str(key): plain(item) for key, item in value.items()}
    elif isinstance(value, np.ndarray):
        if value.size <= _SHOWN and value.dtype.kind in "iufbU":
            shown = plain(value.tolist())
        else:
            shown = f"array {value.shape} of {value.dtype}"
    elif isinstance(value, np.generic):
        shown = plain(value.item())
    elif isinstance(value, list | tuple):
        many = len(value) > _SHOWN
        shown = f"{len(value)} values" if many else [plain(item) for item in value]
    elif isinstance(value, float):
        shown = value if np.isfinite(value) else None
    elif value is None or isinstance(value, str | int | bool):
        shown = value
    return shown
