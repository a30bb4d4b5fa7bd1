"""Looks at the cells of a grid, gathered for one sensor and one target."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..sweep import Floats, Quality
from .gates import MAX_OVERLAP
from .grid import Layer
from .reasons import NOT_CREDITED, NOT_VALID, PARTIAL, Shortfall, State
from .site import Footprint, SiteSensor
from .stretches import TOLERANCE, Numbers, Stretches, reaches

#: Bits of the marks of a cell beside flags: there was a partial look, there are invalid data.
_HAS_PARTIAL = 1 << 60
_HAS_INVALID = 1 << 61


class Window(NamedTuple):
    """A part of a grid: rows and columns, the second of each excluded."""

    row: int
    row_end: int
    column: int
    column_end: int

    @property
    def slices(self) -> tuple[slice, slice]:
        """The part of an array of the whole grid."""
        return slice(self.row, self.row_end), slice(self.column, self.column_end)


class Looks:
    """
    What is gathered, stretch by stretch, of one sensor and one target.

    The order of passes does not matter, only that of the stretches of a pass.
    """

    def __init__(
        self,
        sensor: SiteSensor,
        footprint: Footprint,
        origin: tuple[float, float],
        cell: float,
        window: Window,
    ) -> None:
        self.sensor, self.footprint = sensor, footprint
        self.origin, self.cell, self.window = origin, cell, window
        shape = (window.row_end - window.row, window.column_end - window.column)
        self._looks = np.zeros(shape, np.uint16)
        self._marks = np.zeros(shape, np.int64)
        self._greatest = np.full((*shape, 3), -1, np.float32)
        self._nearest = np.full(shape, 2, np.float32)
        self._last_time = np.zeros(shape, np.float64)
        self._last_pass = np.full(shape, -1, np.int32)
        self._last_channel = np.zeros(shape, np.int32)

    def part(self, window: Window) -> Looks:
        """Return a copy of a window of the whole grid."""
        result = object.__new__(Looks)
        result.sensor, result.footprint = self.sensor, self.footprint
        result.origin, result.cell, result.window = self.origin, self.cell, window
        for name in _GATHERED:
            setattr(result, name, getattr(self, name)[window.slices].copy())
        return result

    def add(self, stretches: Stretches, passes: npt.NDArray[np.int32]) -> None:
        """Look along stretches, each of which belongs to a numbered pass."""
        # Loaded late: Numba takes longer to import than the rest of this module.
        from .._kernels.evidence_grid import sweep_footprint  # noqa: PLC0415

        reach, outer = reaches(stretches, self.footprint)
        near = self._near(stretches, outer)
        if not near.all():
            stretches, passes = stretches.take(near), np.ascontiguousarray(passes[near])
            reach, outer = reach[near], outer[near]
        flags = stretches.flags | np.where(reach > 0, 0, int(Shortfall.FOOTPRINT_NONE))
        is_invalid = (flags & NOT_VALID) != 0
        is_partial = (flags & PARTIAL != 0) & (flags & (NOT_CREDITED | NOT_VALID) == 0)
        credit = flags & (NOT_CREDITED | NOT_VALID | PARTIAL) == 0
        # Ground beyond the reach of a look stays without one, and is told why.
        edge = int(Shortfall.FOOTPRINT_EDGE)
        sweep_footprint(
            stretches.starts,
            stretches.stops,
            np.where(reach > 0, reach + TOLERANCE, 0.0),
            outer + TOLERANCE,
            stretches.times,
            stretches.figures,
            np.where(is_partial | credit, edge, flags | np.where(is_invalid, _HAS_INVALID, 0)),
            np.where(is_partial, flags | _HAS_PARTIAL, 0),
            credit.astype(np.int64),
            passes,
            stretches.channels,
            self.sensor.gates.look_separation.most,
            *self.origin,
            self.cell,
            self.window.row,
            self.window.column,
            self._looks,
            self._marks,
            self._greatest,
            self._nearest,
            self._last_time,
            self._last_pass,
            self._last_channel,
        )

    def overlap(self) -> npt.NDArray[np.float32]:
        """
        Return the greatest limit of the overlap that each cell meets, 0 to 0.5.

        Sweeps of width 2 r with an overlap f lie 2 r (1 - f) apart, so that what is farther
        than (1 - 2 f) r from one of them lies within r of the next. A cell near two paths
        meets any f up to 0.5; one at the distance d from the only path meets f up to
        (1 - d / r) / 2.
        """
        with np.errstate(invalid="ignore"):
            alone = (1 - np.sqrt(self._nearest)) * np.float32(MAX_OVERLAP)
        shared = np.where(self._nearest < 0, np.float32(MAX_OVERLAP), np.maximum(alone, 0))
        result: npt.NDArray[np.float32] = np.where(self._looks > 0, shared, np.float32(np.nan))
        return result

    def states(
        self,
        alarmed: npt.NDArray[np.bool_],
        overlap: npt.NDArray[np.float32] | None = None,
    ) -> tuple[npt.NDArray[np.uint8], Numbers]:
        """Return the state of each cell of the window, and its flags."""
        overlap = self.overlap() if overlap is None else overlap
        gates = self.sensor.gates
        marks = self._marks
        seen: npt.NDArray[np.bool_] = self._looks > 0
        few = seen & (self._looks < gates.looks.least)
        thin = seen & (overlap < np.float32(gates.overlap.least) - np.float32(1e-6))
        has_partial = marks & _HAS_PARTIAL != 0
        has_invalid = marks & _HAS_INVALID != 0
        state = np.zeros(marks.shape, np.uint8)
        state[has_invalid] = State.INVALID
        state[has_partial | seen] = State.PARTIALLY_OBSERVED
        state[seen & ~few & ~thin] = State.OBSERVED_NO_ALARM
        state[alarmed | (marks & int(Quality.SATURATED) != 0)] = State.ALARM
        flags = marks & ~(_HAS_PARTIAL | _HAS_INVALID)
        flags[seen | has_partial] &= ~int(Shortfall.FOOTPRINT_EDGE)
        flags[few] |= int(Shortfall.LOOKS_TOO_FEW)
        flags[thin] |= int(Shortfall.OVERLAP_TOO_SMALL)
        flags[marks == 0] |= int(Shortfall.NOT_SWEPT)
        return state, flags

    def layer(self, alarmed: npt.NDArray[np.bool_]) -> Layer:
        """Return the record of the whole grid."""
        overlap = self.overlap()
        state, flags = self.states(alarmed, overlap)
        limit = np.float32(self.sensor.gates.head_height.most)
        height, speed, tilt = (self._greatest[..., k] for k in range(3))
        unseen = np.float32(np.nan)
        arrays: dict[str, npt.NDArray[Any]] = {
            "state": state,
            "flags": flags,
            "looks": self._looks.copy(),
            "height": np.where(height < 0, unseen, height),
            "height_margin": np.where(height < 0, unseen, limit - height),
            "speed": np.where(speed < 0, unseen, speed),
            "tilt": np.where(tilt < 0, unseen, tilt),
            "overlap": overlap,
        }
        for array in arrays.values():
            array.setflags(write=False)
        return Layer(
            sensor=self.sensor.identifier,
            target=self.footprint.target,
            depth_from=self.footprint.depth_from,
            depth_to=self.footprint.depth_to,
            model=self.footprint,
            **arrays,
        )

    def _near(self, stretches: Stretches, outer: Floats) -> npt.NDArray[np.bool_]:
        """Return which stretches come near the window, so that far ones cost nothing."""
        low = np.minimum(stretches.starts, stretches.stops) - outer[:, None]
        high = np.maximum(stretches.starts, stretches.stops) + outer[:, None]
        window = self.window
        first = np.array(self.origin) + self.cell * np.array([window.column, window.row])
        last = np.array(self.origin) + self.cell * np.array([window.column_end, window.row_end])
        margin = 2 * self.cell
        inside = (low <= last + margin) & (high >= first - margin)
        result: npt.NDArray[np.bool_] = np.logical_and.reduce(inside, axis=1)
        return result


_GATHERED = (
    "_looks",
    "_marks",
    "_greatest",
    "_nearest",
    "_last_time",
    "_last_pass",
    "_last_channel",
)
