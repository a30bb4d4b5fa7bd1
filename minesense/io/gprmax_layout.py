"""Where gprMax keeps what, in four layouts of its versions."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .._validation import check_count, check_one_of, check_positive
from .hdf5_access import (
    Node,
    check_dataset,
    find,
    find_dataset,
    read_attributes,
    read_dataset,
)
from .trouble import Findings, check_interval

Floats = npt.NDArray[np.float64]

COMPONENTS = ("Ex", "Ey", "Ez", "Hx", "Hy", "Hz", "Ix", "Iy", "Iz")

_BLOCK = 2**22  # values looked at in one go


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Time step, cells and steps of a model, None where the file does not tell."""

    attributes: dict[str, Any]
    prefix: str  #: of the groups, for a subgrid
    interval: Any  #: s, as read
    iterations: int | None
    cell: tuple[float, ...] | None  #: m, x y z
    receiver_steps: tuple[int, ...] | None  #: cells from trace to trace
    source_steps: tuple[int, ...] | None

    @property
    def offset_varies(self) -> bool:
        """Whether sources and receivers do not move together."""
        moves = any(self.receiver_steps or ()) or any(self.source_steps or ())
        return moves and self.receiver_steps != self.source_steps

    @property
    def spacing(self) -> float | None:
        """Distance between traces in metres, None if it is not known."""
        if self.cell is None or not any(self.receiver_steps or ()):
            return None
        steps = self.receiver_steps or ()
        axes = [abs(n) * d for n, d in zip(steps, self.cell, strict=True) if n]
        return axes[0] if len(axes) == 1 else math.sqrt(sum(a * a for a in axes))


def read_grid(file: Node, findings: Findings, subgrid: str | None) -> Grid:
    """
    Return what the attributes of a file say.

    Parameters
    ----------
    file : Node
        Open file.
    findings : Findings
        Of the file.
    subgrid : str or None
        Whose time step and receivers are meant.

    Returns
    -------
    grid : Grid
        As read; the time step is not checked.

    Raises
    ------
    FormatError
        If there is no such subgrid.
    """
    attributes = read_attributes(file, findings)
    prefix = ""
    inner = attributes
    if subgrid is not None:
        place = find(file, f"subgrids/{subgrid}")
        if place is None:
            group = find(file, "subgrids")
            names = group.members if group is not None else ()
            findings.fail("subgrid", subgrid, f"one of {list(names)}")
            raise AssertionError  # fail() has raised
        prefix = f"subgrids/{subgrid}/"
        inner = {**attributes, **read_attributes(place, findings)}
    return Grid(
        attributes=attributes if subgrid is None else inner,
        prefix=prefix,
        interval=inner.get("dt"),
        iterations=_whole(inner.get("Iterations")),
        cell=_three(findings, inner, ("dx_dy_dz", "dx, dy, dz"), is_cell=True),
        receiver_steps=_three(findings, inner, ("rxsteps",)),
        source_steps=_three(findings, inner, ("srcsteps", "txsteps")),
    )


def _whole(value: Any) -> int | None:
    """Return a whole number, None for anything else."""
    if isinstance(value, np.ndarray) and value.size == 1:
        value = value.ravel()[0]
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        return None
    number = float(value)
    return int(number) if math.isfinite(number) and number == int(number) else None


def _three(
    findings: Findings,
    attributes: dict[str, Any],
    names: tuple[str, ...],
    *,
    is_cell: bool = False,
) -> Any:
    """Return three numbers of the first name there is, None with a warning if they are odd."""
    for name in names:
        if name not in attributes:
            continue
        array = np.asarray(attributes[name])
        good = array.shape == (3,) and array.dtype.kind in "iuf" and np.isfinite(array).all()
        if good and is_cell and (array > 0).all() and (array < 1e6).all():
            return tuple(float(value) for value in array)
        if (
            good
            and not is_cell
            and (np.abs(array) < 1e9).all()
            and (array == np.rint(array)).all()
        ):
            return tuple(int(value) for value in array)
        findings.warn(f"attribute {name!r} is not used: {attributes[name]!r}")
    return None


def read_interval(findings: Findings, grid: Grid, given: float | None) -> float:
    """
    Return the time step.

    Parameters
    ----------
    findings : Findings
        Takes an override.
    grid : Grid
        Of the file.
    given : float or None
        By the caller, in seconds.

    Returns
    -------
    interval : float
        Seconds.

    Raises
    ------
    FormatError
        If the file tells none, or one that no radar has, and the caller gives none.
    """
    value = grid.interval
    if isinstance(value, np.ndarray) and value.size == 1:
        value = value.ravel()[0]
    is_number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    said = float(value) if is_number else math.nan
    if given is not None:
        given = check_positive(given, "sample_interval")
        findings.override("sample_interval", said, given)
        said = given
    return check_interval(findings, said, "dt")


def find_receivers(file: Node, findings: Findings, grid: Grid) -> dict[int, Node]:
    """
    Return the groups of the receivers by their number, from 1 on.

    Parameters
    ----------
    file : Node
        Open file.
    findings : Findings
        Of the file.
    grid : Grid
        Says in which group they are.

    Returns
    -------
    receivers : dict of int to Node
        At least one.

    Raises
    ------
    FormatError
        If there is none.
    """
    place = find(file, f"{grid.prefix}rxs")
    names = place.members if place is not None else ()
    found: dict[int, Node] = {}
    for name in names:
        match = re.fullmatch(r"rx([1-9][0-9]{0,6})", name)
        group = find(place, name) if match and place is not None else None
        if match and group is not None and group.is_group:
            found[int(match[1])] = group
    if not found:
        rule = "with receivers rxs/rx1 and so on"
        extra = find(file, "subgrids")
        if extra is not None and not grid.prefix:
            rule += f", or pass subgrid, one of {list(extra.members)}"
        findings.fail("content", f"{len(names)} names in {grid.prefix}rxs", rule)
    said = _whole(grid.attributes.get("nrx"))
    if said is not None and said != len(found) and not grid.prefix:
        findings.warn(f"nrx says {said} receivers, the file holds {len(found)}")
    return dict(sorted(found.items()))


def pick_receiver(findings: Findings, receivers: dict[int, Node], given: int | None) -> int:
    """
    Return the number of the receiver that is meant.

    Parameters
    ----------
    findings : Findings
        For errors.
    receivers : dict
        Of the file.
    given : int or None
        By the caller.

    Returns
    -------
    number : int
        One of the file.

    Raises
    ------
    FormatError
        If it is not in the file, or there are several and none is given.
    """
    if given is not None:
        given = check_count(given, "receiver")
        if given not in receivers:
            findings.fail("receiver", given, f"one of {list(receivers)[:20]}")
        return given
    if len(receivers) > 1:
        places = {n: read_place(group, findings) for n, group in receivers.items()}
        shown = dict(list(places.items())[:20])
        findings.fail("receivers", shown, "one, or chosen by the argument receiver")
    return next(iter(receivers))


def pick_component(findings: Findings, group: Node, given: str | None, max_bytes: int) -> str:
    """
    Return the name of the component that is meant.

    Parameters
    ----------
    findings : Findings
        For errors.
    group : Node
        Of a receiver.
    given : str or None
        By the caller.
    max_bytes : int
        Largest dataset that is looked at.

    Returns
    -------
    name : str
        A dataset of the group.

    Raises
    ------
    FormatError
        If it is not there; if there is none given and not exactly one electric component that
        is not zero throughout.
    """
    there = [name for name in COMPONENTS if find_dataset(group, name) is not None]
    if given is not None:
        check_one_of(given, "component", COMPONENTS)
        if given not in there:
            findings.fail("component", given, f"one of {there}")
        return given
    electric = [name for name in there if name.startswith("E")]
    if not electric:
        findings.fail("components", there, "with Ex, Ey or Ez, or chosen by component")
    peaks = describe_peaks(findings, group, electric, max_bytes)
    if len(electric) == 1:
        return electric[0]
    alive = [name for name, peak in peaks.items() if peak != 0]
    if len(alive) != 1:
        what = "all zero" if not alive else "one that is not zero"
        rule = f"{'one that is not zero' if not alive else what}, or chosen by component"
        findings.fail("electric components, peaks in V/m", peaks, rule)
    return alive[0]


def describe_peaks(
    findings: Findings, group: Node, names: list[str], max_bytes: int
) -> dict[str, float]:
    """
    Return the largest magnitude of each component, NaN if one is not finite.

    Parameters
    ----------
    findings : Findings
        For errors.
    group : Node
        Of a receiver.
    names : list of str
        Components of it.
    max_bytes : int
        Largest dataset that is looked at.

    Returns
    -------
    peaks : dict of str to float
        In the unit of the fields.
    """
    peaks: dict[str, float] = {}
    for name in names:
        dataset = find_dataset(group, name)
        assert dataset is not None
        check_dataset(dataset, findings, max_bytes)
        if dataset.shape is None or dataset.ndim not in (1, 2):
            peaks[name] = math.nan
            continue
        columns = dataset.shape[1] if dataset.ndim == 2 else 1
        rows = max(1, _BLOCK // max(1, columns))
        peak = 0.0
        for first in range(0, dataset.shape[0], rows):
            block = np.abs(dataset[first : first + rows])
            if block.size:
                peak = float(np.maximum(peak, block.max()))  # NaN stays
        peaks[name] = peak
    return peaks


def read_place(group: Node, findings: Findings) -> list[float] | None:
    """
    Return the position of a source or receiver, None if the file does not tell.

    Parameters
    ----------
    group : Node
        Of a source or receiver.
    findings : Findings
        For errors.

    Returns
    -------
    place : list of float or None
        x, y, z in metres of the model.
    """
    value = read_attributes(group, findings).get("Position")
    if value is None:
        dataset = find_dataset(group, "Position")
        if dataset is None or dataset.shape != (3,):
            return None
        value = read_dataset(dataset, findings, max_bytes=2**10)
    array = np.asarray(value)
    if array.shape != (3,) or array.dtype.kind not in "iuf" or not np.isfinite(array).all():
        findings.warn(f"Position of {group.name} is not used: {value!r}")
        return None
    return [float(number) for number in array]


def find_positions(file: Node, findings: Findings, grid: Grid) -> dict[str, Any]:
    """
    Return the positions of the sources, by their names in the file.

    Parameters
    ----------
    file : Node
        Open file.
    findings : Findings
        For errors.
    grid : Grid
        Says in which group they are.

    Returns
    -------
    positions : dict
        "sources" to a dictionary of name to x, y, z in metres of the model.
    """
    sources: dict[str, Any] = {}
    for family in ("srcs", "txs", "tls"):
        place = find(file, f"{grid.prefix}{family}")
        for name in place.members[:1000] if place is not None else ():
            group = find(place, name) if place is not None else None
            if group is not None and group.is_group:
                sources[name] = read_place(group, findings)
    return {"sources": sources}
