"""The grid of what was observed, for each sensor and target, and why the rest was not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from ..sweep import Frame
from .function_checks import InvalidInterval, JudgedCheck
from .reasons import NOT_VALID, PARTIAL, REASONS, SUMMARY_ORDER, Shortfall, State
from .site import CannotSee, Footprint

States = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.int64]
Figures = npt.NDArray[np.float32]

#: Areas are whole numbers of square micrometres, so that sums of them are exact.
UNITS_PER_SQUARE_METRE = 10**12

_ARRAYS = ("state", "flags", "looks", "height", "height_margin", "speed", "tilt", "overlap")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Layer:
    """
    What one sensor observed of one target: arrays (n_rows, n_columns), northward, eastward.

    Heights, speeds and tilts are the greatest among the looks that met all gates; NaN where
    there was none.
    """

    sensor: str  #: identifier
    target: str  #: name of the class
    depth_from: float  #: m
    depth_to: float  #: m
    model: Footprint | CannotSee  #: what the site file says of this sensor and target
    state: States  #: of `State`
    flags: Flags  #: of Quality and Shortfall, of all that passed and of what is missing
    looks: npt.NDArray[np.uint16]  #: separate looks that met all gates
    height: Figures  #: m
    height_margin: Figures  #: m, from the greatest height to the limit; infinite without one
    speed: Figures  #: m/s
    tilt: Figures  #: rad
    overlap: Figures  #: greatest limit of the overlap that is met here, 0 to 0.5

    @property
    def band(self) -> tuple[str, float, float]:
        """Class and depths of the target."""
        return self.target, self.depth_from, self.depth_to

    @property
    def is_required(self) -> bool:
        """Whether the summary of the site asks for this layer."""
        return isinstance(self.model, Footprint) and self.model.required

    def reasons(self) -> Flags:
        """Return the flags that explain the state of each cell; 0 where all gates were met."""
        kept = np.array([-1, PARTIAL, 0, NOT_VALID, NOT_VALID], np.int64)
        result: Flags = self.flags & kept[self.state]
        return result


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CoverageGrid:
    """
    States of the ground of a task by cell; rows go north and columns east from `origin`.

    `units` is the area of each cell that lies in the task, in square micrometres. It is zero
    outside, and in all exactly the area of the polygons, so that the areas of all states of a
    layer add up to the task.
    """

    origin: tuple[float, float]  #: m, easting and northing of the south-western corner
    cell: float  #: m, side of a cell
    frame: Frame
    areas_named: tuple[str, ...]  #: polygons of the task
    units: Flags  #: (n_rows, n_columns) square micrometres
    area_index: npt.NDArray[np.int32]  #: index in `areas_named`; -1 outside the task
    layers: tuple[Layer, ...]
    unlocated: Mapping[str, int]  #: samples without a trusted position, by sensor
    checks: tuple[JudgedCheck, ...] = ()
    invalid: tuple[InvalidInterval, ...] = ()  #: time that function checks made INVALID
    alarms: Mapping[str, bool] = field(default_factory=dict)  #: whether disposed of, by alarm

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        n_rows, n_columns = self.units.shape
        return n_rows, n_columns

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """Easting from and to, northing from and to, in metres."""
        (east, north), (n_rows, n_columns) = self.origin, self.shape
        return east, east + n_columns * self.cell, north, north + n_rows * self.cell

    @property
    def inside(self) -> npt.NDArray[np.bool_]:
        """Which cells have ground of the task."""
        result: npt.NDArray[np.bool_] = self.units > 0
        return result

    @property
    def task_units(self) -> int:
        """Area of the task in square micrometres."""
        return int(self.units.sum())

    @property
    def task_area(self) -> float:
        """Area of the task in square metres."""
        return self.task_units / UNITS_PER_SQUARE_METRE

    def layer(self, sensor: str, target: str, depth_from: float, depth_to: float) -> Layer:
        """Return the layer of a sensor, a class and a band of depth (m)."""
        for layer in self.layers:
            if (layer.sensor, *layer.band) == (sensor, target, depth_from, depth_to):
                return layer
        known = [(layer.sensor, *layer.band) for layer in self.layers]
        wanted = (sensor, target, depth_from, depth_to)
        msg = f"Invalid layer {wanted!r}. Must be one of {known}."
        raise ValueError(msg)

    def summary(self) -> States:
        """
        Return one state for each cell, over all targets and the sensors that they require.

        The first that occurs of ALARM, INVALID, NOT_OBSERVED, PARTIALLY_OBSERVED,
        OBSERVED_NO_ALARM. An alarm of any sensor counts. A target that no sensor is required to
        look for is NOT_OBSERVED where none of the others observed it.
        """
        rank = np.empty(len(State), np.uint8)
        rank[list(SUMMARY_ORDER)] = np.arange(len(State))
        worst = np.full(self.shape, len(State) - 1, np.uint8)
        bands = {layer.band for layer in self.layers}
        required = {layer.band for layer in self.layers if layer.is_required}
        for layer in self.layers:
            ranks = rank[layer.state]
            if layer.is_required or layer.band in bands - required:
                worst = np.minimum(worst, ranks)
            else:
                worst = np.where(ranks == rank[State.ALARM], ranks, worst)
        result: States = np.array(SUMMARY_ORDER, np.uint8)[worst]
        return result

    def exact_areas(self, state: States) -> dict[State, int]:
        """Return the area of every state of cells, in square micrometres, zeros included."""
        return {kind: int(self.units[state == kind].sum()) for kind in State}

    def areas(self, state: States) -> dict[State, float]:
        """Return the area of every state of cells, in square metres, zeros included."""
        exact = self.exact_areas(state)
        return {kind: units / UNITS_PER_SQUARE_METRE for kind, units in exact.items()}

    def reason_areas(self, layer: Layer, state: State) -> dict[str, float]:
        """
        Return the area of one state of a layer by reason, in square metres.

        Ground with several reasons counts under each.
        """
        chosen = (layer.state == state) & self.inside
        flags, units = layer.reasons()[chosen], self.units[chosen]
        areas = {name: int(units[(flags & bit) != 0].sum()) for name, bit in REASONS.items()}
        return {name: area / UNITS_PER_SQUARE_METRE for name, area in areas.items() if area}

    def at(self, values: npt.NDArray[Any], easting: float, northing: float) -> Any:
        """
        Return the value of an array of cells at a place (m).

        Raises
        ------
        ValueError
            If the place lies beyond the grid.
        """
        row = np.floor((northing - self.origin[1]) / self.cell)
        column = np.floor((easting - self.origin[0]) / self.cell)
        if not (0 <= row < self.shape[0] and 0 <= column < self.shape[1]):
            # neither place nor extent: places of hazards do not go into messages
            msg = "Invalid place, given by easting and northing. Must lie within the grid."
            raise ValueError(msg)
        return values[int(row), int(column)]

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return geometry and layers as plain arrays, for `numpy.savez`; none needs pickle."""
        arrays: dict[str, npt.NDArray[Any]] = {
            "origin": np.array(self.origin),
            "cell": np.array(self.cell),
            "units": self.units,
            "area_index": self.area_index,
        }
        for k, layer in enumerate(self.layers):
            arrays |= {f"{name}_{k}": getattr(layer, name) for name in _ARRAYS}
        return arrays


def layer_without_data(
    shape: tuple[int, int],
    *,
    sensor: str,
    model: CannotSee,
    alarmed: npt.NDArray[np.bool_] | None = None,
) -> Layer:
    """
    Return the layer of a target that a sensor cannot see: NOT_OBSERVED, or ALARM.

    Parameters
    ----------
    shape : (int, int)
        Rows and columns.
    sensor : str
        Identifier.
    model : CannotSee
        What the site file says.
    alarmed : (n_rows, n_columns) bool ndarray, optional
        Where something was reported, which no layer leaves out.

    Returns
    -------
    layer : Layer
        Without an alarm its arrays hold one value each, whatever the shape.

    Examples
    --------
    >>> from minesense.evidence import CannotSee
    >>> blind = CannotSee(target="AP plastic", depth_from=0.0, depth_to=0.1, reason="no metal")
    >>> layer = layer_without_data((2, 2), sensor="coil", model=blind)
    >>> int(layer.state.max()), layer.is_required
    (0, False)
    """

    def same(value: float, kind: Any) -> npt.NDArray[Any]:
        return np.broadcast_to(np.array(value, kind), shape)

    figures = {
        item.name: same(np.nan, np.float32)
        for item in fields(Layer)
        if item.name in ("height", "height_margin", "speed", "tilt", "overlap")
    }
    state = same(State.NOT_OBSERVED, np.uint8)
    if alarmed is not None and alarmed.any():
        state = np.where(alarmed, np.uint8(State.ALARM), state)
        state.setflags(write=False)
    return Layer(
        sensor=sensor,
        target=model.target,
        depth_from=model.depth_from,
        depth_to=model.depth_to,
        model=model,
        state=state,
        flags=same(int(Shortfall.CANNOT_SEE), np.int64),
        looks=same(0, np.uint16),
        **figures,
    )
