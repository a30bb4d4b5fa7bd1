"""The state of the ground of a task as an annex shows it: one state and its reasons a cell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .._validation import check_number, check_positive

Codes = npt.NDArray[np.int64]

#: States of ground, the worst first. None of them says that nothing is there.
STATES = ("ALARM", "INVALID", "NOT_OBSERVED", "PARTIALLY_OBSERVED", "OBSERVED_NO_ALARM")

_TYPES = {"states": np.int8, "reasons": np.int64, "looks": np.int32, "units": np.int64}
_STATE_ROOM = 8  # numbers that a state may have
_TOP = len(STATES) - 1
_PER_SQUARE_METRE = 10**12  # square micrometres

#: States of ground that was not looked at to the stated limits.
UNSEEN = ("INVALID", "NOT_OBSERVED", "PARTIALLY_OBSERVED")


class GroundPart(NamedTuple):
    """Ground of one state and one set of reasons."""

    state: str
    reasons: tuple[str, ...]
    n_cells: int
    area: float  #: m2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GroundMap:
    """
    States of the cells of a task, for one class of items and depth band, or over all.

    Parameters
    ----------
    origin : (easting, northing)
        South-western corner of the grid, m.
    cell : float
        Side of a cell, m.
    states : (n_rows, n_columns) array_like of int
        Index in STATES; -1 beyond the task. Rows go north, columns east.
    reasons : (n_rows, n_columns) array_like of int
        Bits of `reason_names`: why a cell has its state.
    reason_names : mapping of int to str
        Name of each bit.
    looks : (n_rows, n_columns) array_like of int
        Credited looks.
    units : (n_rows, n_columns) array_like of int, optional
        Area of each cell that lies in the task, in square micrometres, so that sums are exact;
        whole cells by default.
    label : str
        Class and depth band, or what else it is about.

    Raises
    ------
    ValueError
        If grids differ in shape, a state is unknown, or a cell of a state of UNSEEN has no
        reason, or one that has no name.

    Examples
    --------
    >>> from minesense.evidence.ground_map import GroundMap
    >>> ground = GroundMap(
    ...     origin=(0.0, 0.0), cell=0.5, states=[[4, 2, -1]], reasons=[[0, 1, 0]],
    ...     reason_names={1: "NOT_SWEPT"}, looks=[[1, 0, 0]],
    ... )
    >>> ground.area, ground.areas()["NOT_OBSERVED"]
    (0.5, 0.25)
    """

    origin: tuple[float, float]
    cell: float
    states: Any
    reasons: Any
    reason_names: Mapping[int, str]
    looks: Any
    units: Any = None
    label: str = "all classes and depths"

    def __post_init__(self) -> None:
        for value in self.origin:
            check_number(value, "origin")
        check_positive(self.cell, "cell")
        if self.units is None:
            whole = round(self.cell**2 * _PER_SQUARE_METRE)
            units = np.where(np.asarray(self.states) >= 0, whole, 0)
            object.__setattr__(self, "units", units)
        names = ("states", "reasons", "looks", "units")
        grids = {name: np.asarray(getattr(self, name)) for name in names}
        shapes = {name: grid.shape for name, grid in grids.items()}
        if len(set(shapes.values())) > 1 or grids["states"].ndim != 2:
            msg = f"Invalid grids of shapes {shapes}. Must all be (n_rows, n_columns)."
            raise ValueError(msg)
        for name, grid in grids.items():
            if grid.dtype.kind not in "iu":
                msg = f"Invalid {name} of dtype {grid.dtype}. Must be whole numbers."
                raise ValueError(msg)
            if name == "states" and grid.size and not -1 <= grid.min() <= grid.max() <= _TOP:
                msg = f"Invalid states. Must be -1 or an index of {STATES}."
                raise ValueError(msg)
            # as small as it may be: a hectare at 5 cm has four million cells, in many maps
            copy = grid.astype(_TYPES[name], copy=grid.flags.writeable)
            copy.setflags(write=False)
            object.__setattr__(self, name, copy)
        if (self.units < 0).any() or (self.units[self.states < 0] != 0).any():
            msg = "Invalid units. Must not be negative, and zero beyond the task."
            raise ValueError(msg)
        known = 0
        for bit in self.reason_names:
            known |= bit
        if (self.reasons & ~known).any():
            msg = "Invalid reasons: a bit has no name. Must be named in reason_names."
            raise ValueError(msg)
        unseen = np.isin(self.states, [STATES.index(name) for name in UNSEEN])
        if (unseen & (self.reasons == 0)).any():
            n = int(np.count_nonzero(unseen & (self.reasons == 0)))
            msg = (
                f"Invalid reasons: {n} cells that were not observed have none. Must state why "
                "for each."
            )
            raise ValueError(msg)

    @property
    def area(self) -> float:
        """Area of the task's cells, m2."""
        return int(self.units[self.states >= 0].sum()) / _PER_SQUARE_METRE

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """Easting from and to, northing from and to, m."""
        (east, north), (n_rows, n_columns) = self.origin, self.states.shape
        return east, east + n_columns * self.cell, north, north + n_rows * self.cell

    def areas(self) -> dict[str, float]:
        """Return the area of every state, m2; they add up to `area`."""
        return {
            name: int(self.units[self.states == k].sum()) / _PER_SQUARE_METRE
            for k, name in enumerate(STATES)
        }

    def names_of(self, bits: int) -> tuple[str, ...]:
        """Return the names of reasons."""
        return tuple(name for bit, name in sorted(self.reason_names.items()) if bits & bit)

    def parts(self) -> tuple[GroundPart, ...]:
        """
        Return the ground by state and set of reasons, the worst state and largest area first.

        Each cell of the task belongs to one part, so that areas add up to `area`.
        """
        codes, kinds = self.codes()
        found = []
        for code, (state, bits) in enumerate(kinds):
            chosen = codes == code
            area = int(self.units[chosen].sum()) / _PER_SQUARE_METRE
            n_cells = int(np.count_nonzero(chosen))
            found.append(GroundPart(STATES[state], self.names_of(bits), n_cells, area))
        return tuple(
            sorted(found, key=lambda p: (STATES.index(p.state), -p.n_cells, p.reasons))
        )

    def unseen(self) -> tuple[GroundPart, ...]:
        """Return the parts of the states of UNSEEN."""
        return tuple(part for part in self.parts() if part.state in UNSEEN)

    def area_unseen_under_alarms(self) -> float:
        """Return the area of state ALARM without a credited look, m2."""
        hidden = (self.states == STATES.index("ALARM")) & (self.looks == 0)
        return int(self.units[hidden].sum()) / _PER_SQUARE_METRE

    def codes(self) -> tuple[Codes, list[tuple[int, int]]]:
        """Return a number for each cell's state and reasons, -1 beyond, and what they mean."""
        inside = self.states >= 0
        joined, inverse = np.unique(
            self.reasons[inside] * _STATE_ROOM + self.states[inside].astype(np.int64),
            return_inverse=True,
        )
        codes = np.full(self.states.shape, -1, np.int64)
        codes[inside] = inverse.ravel()
        kinds = [divmod(int(value), _STATE_ROOM) for value in joined]
        return codes, [(state, bits) for bits, state in kinds]
