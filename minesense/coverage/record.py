"""The record of coverage: a grid of what was observed, and why the rest was not."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .._validation import check_array, check_one_of, check_positive, check_shape
from ..sweep import Floats, Frame, Quality

Mask = npt.NDArray[np.bool_]
Labels = npt.NDArray[np.int64]

#: Reason of a cell that no trace came near, beside the names of Quality.
NOT_SWEPT = "NOT_SWEPT"

# Distances are compared with a nanometre to spare: a centre that lies exactly at the
# radius must count whatever the rounding of its coordinates.
TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Coverage:
    """
    A grid of what was observed; rows go north and columns east from `origin`.

    Where several kinds of sensor look at the same ground, `kind` picks the grid: the name
    of one kind, `"any"` of them or `"all"` of them.
    """

    origin: tuple[float, float]  #: m, easting and northing of the south-western corner
    cell: float  #: m, side of a cell
    footprint: Mapping[str, float]  #: m, radius around a channel, by kind of sensor
    observed: Mapping[str, Mask]  #: (n_rows, n_columns) by kind: a credited trace passed
    reasons: Mapping[str, Labels]  #: by kind: Quality flags of what passed without credit
    wanted: Mask  #: (n_rows, n_columns) where observation was wanted
    lane_index: Labels  #: (n_rows, n_columns) index in `lanes`; -1 for none
    lanes: tuple[str, ...]
    unlocated: Mapping[str, int]  #: traces without a trusted position, by kind
    frame: Frame

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kinds of sensor that the grid knows."""
        return tuple(self.observed)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the grid."""
        n_rows, n_columns = self.wanted.shape
        return n_rows, n_columns

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """Easting from and to, northing from and to, of the whole grid, in metres."""
        (east, north), (n_rows, n_columns) = self.origin, self.shape
        return east, east + n_columns * self.cell, north, north + n_rows * self.cell

    @property
    def passed(self) -> dict[str, Mask]:
        """Where traces passed and at least one was not credited, by kind."""
        return {kind: reasons != 0 for kind, reasons in self.reasons.items()}

    def mask(self, kind: str = "any") -> Mask:
        """Return where the ground was observed, wanted or not, (n_rows, n_columns)."""
        check_one_of(kind, "kind", ("any", "all", *self.kinds))
        if kind in self.observed:
            return self.observed[kind]
        layers = np.stack(list(self.observed.values()))
        joined = np.logical_or if kind == "any" else np.logical_and
        result: Mask = joined.reduce(layers, axis=0)
        return result

    def area(self, kind: str = "any") -> float:
        """Return the area that was wanted and observed, in square metres."""
        return self._square_metres(self.mask(kind) & self.wanted)

    def missing_area(self, kind: str = "any") -> float:
        """Return the area that was wanted and not observed, in square metres."""
        return self._square_metres(~self.mask(kind) & self.wanted)

    def lane_areas(self, kind: str = "any") -> dict[str, float]:
        """Return the area that was wanted and observed in each lane, in square metres."""
        seen = self.mask(kind) & self.wanted
        return {
            lane: self._square_metres(seen & (self.lane_index == i))
            for i, lane in enumerate(self.lanes)
        }

    def not_observed(self, kind: str = "any") -> dict[str, float]:
        """
        Return why wanted ground was not observed, in square metres by reason.

        A reason is the name of a Quality flag, or NOT_SWEPT where no trace came near. Ground
        with several reasons counts under each of them, so that the areas may add up to more
        than `missing_area`; for `"any"` and `"all"` the reasons of every kind that failed
        to observe a cell count.
        """
        missing = ~self.mask(kind) & self.wanted
        kinds = (kind,) if kind in self.observed else self.kinds
        found: dict[str, Mask] = {}
        for name in kinds:
            failed = missing & ~self.observed[name]
            reasons = self.reasons[name]
            layers = {flag.name or "": failed & (reasons & flag != 0) for flag in Quality}
            layers[NOT_SWEPT] = failed & (reasons == 0)
            for reason, layer in layers.items():
                found[reason] = found[reason] | layer if reason in found else layer
        areas = {reason: self._square_metres(layer) for reason, layer in found.items()}
        return {reason: areas[reason] for reason in sorted(areas) if areas[reason] > 0}

    def is_observed(
        self, easting: npt.ArrayLike, northing: npt.ArrayLike, kind: str = "any"
    ) -> Mask:
        """Return whether the cells that hold these points (m) were observed."""
        result: Mask = self.at(self.mask(kind), easting, northing, False)
        return result

    def lane_at(self, easting: float, northing: float) -> str:
        """Return the lane of the cell that holds a point (m); empty if there is none."""
        index = int(self.at(self.lane_index, easting, northing, -1))
        return self.lanes[index] if index >= 0 else ""

    def at(
        self,
        grid: npt.NDArray[Any],
        easting: npt.ArrayLike,
        northing: npt.ArrayLike,
        missing: Any,
    ) -> npt.NDArray[Any]:
        """Return the values of a grid like `wanted` at points (m); `missing` beyond it."""
        east, north = np.broadcast_arrays(
            np.asarray(easting, float), np.asarray(northing, float)
        )
        row = np.floor((north - self.origin[1]) / self.cell)
        column = np.floor((east - self.origin[0]) / self.cell)
        n_rows, n_columns = self.shape
        # NaN compares false, so that a point without position lies beyond the grid.
        inside = (row >= 0) & (row < n_rows) & (column >= 0) & (column < n_columns)
        row, column = (
            np.where(inside, row, 0).astype(int),
            np.where(inside, column, 0).astype(int),
        )
        return np.where(inside, grid[row, column], missing)

    def within(
        self, easting: npt.ArrayLike, northing: npt.ArrayLike, radius: npt.ArrayLike
    ) -> Mask:
        """Return the cells whose centre lies within `radius` (m) of any point (m)."""
        points = np.column_stack([np.ravel(np.asarray(a, float)) for a in (easting, northing)])
        radii = np.broadcast_to(np.asarray(radius, float), len(points))
        out = np.zeros(self.shape, np.int64)
        grid = Grid(self.origin, self.cell, self.shape)
        values = np.ones(len(points), np.int64)
        stamp(out, grid, starts=points, stops=points, radii=radii, values=values)
        result: Mask = out != 0
        return result

    def observed_share(
        self, easting: float, northing: float, radius: float, kind: str = "any"
    ) -> float:
        """
        Return the share of a disc that was observed, 0 to 1.

        The disc is the cells whose centre lies in it, or, where it is too small to hold
        one, the cell of its centre. Ground beyond the grid counts as not observed.
        """
        seen = self.mask(kind)
        half = math.ceil(radius / self.cell) + 1
        base = np.floor((np.array([easting, northing]) - self.origin) / self.cell)
        steps = np.arange(-half, half + 1)
        east = self.origin[0] + (base[0] + steps + 0.5) * self.cell
        north = self.origin[1] + (base[1] + steps + 0.5) * self.cell
        grid_east, grid_north = np.meshgrid(east, north)
        distance = np.hypot(grid_east - easting, grid_north - northing)
        inside = distance <= radius + TOLERANCE
        if not inside.any():
            return float(self.at(seen, easting, northing, False))
        return float(self.at(seen, grid_east[inside], grid_north[inside], False).mean())

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return the record as plain arrays, for `numpy.savez`; none needs pickle."""
        arrays: dict[str, npt.NDArray[Any]] = {
            "origin": np.array(self.origin),
            "cell": np.array(self.cell),
            "kinds": np.array(self.kinds, dtype=np.str_),
            "footprint": np.array([self.footprint[kind] for kind in self.kinds]),
            "unlocated": np.array([self.unlocated[kind] for kind in self.kinds], np.int64),
            "wanted": self.wanted,
            "lane_index": self.lane_index,
            "lanes": np.array(self.lanes, dtype=np.str_),
            "frame": np.array([self.frame.crs, self.frame.origin], dtype=np.str_),
        }
        for kind in self.kinds:
            arrays[f"observed_{kind}"] = self.observed[kind]
            arrays[f"reasons_{kind}"] = self.reasons[kind]
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> Coverage:
        """
        Return the record that `to_arrays` wrote.

        Parameters
        ----------
        arrays : mapping
            By name.

        Returns
        -------
        coverage : Coverage
            The same as was written.

        Raises
        ------
        ValueError
            If an array is missing, the grids differ in shape, or an array holds what cannot
            be: a cell of no size, an origin that is not finite, a lane that is not named.

        Examples
        --------
        >>> from minesense.coverage import Coverage, observe
        >>> made = observe([], footprint={"emi": 0.2}, area=[(0.0, 0.0, 1.0, 5.0, "A")])
        >>> arrays = made.to_arrays()
        >>> Coverage.from_arrays(arrays).missing_area()
        5.0
        >>> Coverage.from_arrays(arrays | {"cell": -0.05})
        Traceback (most recent call last):
        ValueError: Invalid cell '-0.05'. Must be finite and greater than zero.
        """
        try:
            return cls(**_fields_of(arrays))
        except KeyError as error:
            msg = f"Invalid arrays: {error} is missing. Must be what to_arrays returned."
            raise ValueError(msg) from None
        except TypeError as error:
            raise ValueError(str(error)) from None

    def _square_metres(self, mask: Mask) -> float:
        # Rounded to square micrometres: 24 cells of 5 cm are 0.06 m2, not 0.0600...01.
        return float(round(int(np.count_nonzero(mask)) * self.cell**2, 12))


def _fields_of(arrays: Mapping[str, npt.NDArray[Any]]) -> dict[str, Any]:
    """Return the fields of a record from its arrays, each checked."""
    kinds, lanes = _names(arrays, "kinds"), _names(arrays, "lanes")
    if not kinds:
        msg = "Invalid kinds: there are none. Must name a kind of sensor."
        raise ValueError(msg)
    origin = check_array(arrays["origin"], "origin", (2,))
    cell = check_positive(check_array(arrays["cell"], "cell", ()).item(), "cell")
    crs, place = _words(arrays, "frame", (2,))
    radii = check_array(arrays["footprint"], "footprint", (len(kinds),)).tolist()
    counts = _whole(arrays, "unlocated", (len(kinds),), least=0).tolist()
    wanted = _mask(arrays, "wanted")
    if not wanted.size:
        msg = f"Invalid wanted with shape {wanted.shape}. Must have a cell."
        raise ValueError(msg)
    lane_index = _whole(arrays, "lane_index", ("n_rows", "n_columns"), least=-1)
    if lane_index.max(initial=-1) >= len(lanes):
        msg = (
            f"Invalid lane_index '{lane_index.max()}'. Must be the place of a name in lanes, "
            f"below {len(lanes)}, or -1 for none."
        )
        raise ValueError(msg)
    observed = {kind: _mask(arrays, f"observed_{kind}") for kind in kinds}
    reasons = {
        kind: _whole(arrays, f"reasons_{kind}", ("n_rows", "n_columns"), least=0)
        for kind in kinds
    }
    grids = {"wanted": wanted, "lane_index": lane_index}
    grids |= {f"observed_{kind}": observed[kind] for kind in kinds}
    grids |= {f"reasons_{kind}": reasons[kind] for kind in kinds}
    shapes = {name: grid.shape for name, grid in grids.items()}
    if len(set(shapes.values())) > 1:
        msg = f"Invalid arrays: grids of shapes {shapes}. Must all be the same."
        raise ValueError(msg)
    return {
        "origin": tuple(origin.tolist()),
        "cell": cell,
        "footprint": {
            kind: check_positive(radius, f"footprint of '{kind}'")
            for kind, radius in zip(kinds, radii, strict=True)
        },
        "observed": {kind: frozen(grid, np.bool_) for kind, grid in observed.items()},
        "reasons": {kind: frozen(grid, np.int64) for kind, grid in reasons.items()},
        "wanted": frozen(wanted, np.bool_),
        "lane_index": frozen(lane_index, np.int64),
        "lanes": lanes,
        "unlocated": dict(zip(kinds, counts, strict=True)),
        "frame": Frame(crs=crs, origin=place),
    }


def _words(
    arrays: Mapping[str, npt.NDArray[Any]], name: str, shape: tuple[int | str, ...]
) -> tuple[str, ...]:
    """Return an array of words."""
    found = check_shape(np.asarray(arrays[name]), name, shape)
    if found.dtype.kind != "U" and found.size:
        msg = f"Invalid {name} of dtype {found.dtype}. Must be words."
        raise ValueError(msg)
    return tuple(str(word) for word in found)


def _names(arrays: Mapping[str, npt.NDArray[Any]], name: str) -> tuple[str, ...]:
    """Return an array of names, none of them twice."""
    names = _words(arrays, name, ("n",))
    if len(set(names)) < len(names):
        msg = f"Invalid {name} {list(names)}. Must be different names."
        raise ValueError(msg)
    return names


def _mask(arrays: Mapping[str, npt.NDArray[Any]], name: str) -> Mask:
    """Return a grid of truths."""
    found: Mask = check_shape(np.asarray(arrays[name]), name, ("n_rows", "n_columns"))
    if found.dtype != np.bool_:
        msg = f"Invalid {name} of dtype {found.dtype}. Must be true or false."
        raise ValueError(msg)
    return found


def _whole(
    arrays: Mapping[str, npt.NDArray[Any]],
    name: str,
    shape: tuple[int | str, ...],
    *,
    least: int,
) -> Labels:
    """Return an array of whole numbers of at least `least`."""
    found = check_shape(np.asarray(arrays[name]), name, shape)
    if found.dtype.kind not in "iu":
        msg = f"Invalid {name} of dtype {found.dtype}. Must be whole numbers."
        raise ValueError(msg)
    if found.min(initial=least) < least:
        msg = f"Invalid {name} '{found.min()}'. Must be at least {least}."
        raise ValueError(msg)
    return found


def frozen(grid: npt.NDArray[Any], dtype: Any) -> npt.NDArray[Any]:
    """Return a copy that nobody can write to."""
    grid = np.array(grid, dtype=dtype)
    grid.setflags(write=False)
    return grid


class Grid(NamedTuple):
    """Where the cells of a grid lie."""

    origin: tuple[float, float]  #: m, easting and northing of the south-western corner
    cell: float  #: m
    shape: tuple[int, int]  #: rows northward, columns eastward


def stamp(
    out: Labels, grid: Grid, *, starts: Floats, stops: Floats, radii: Floats, values: Labels
) -> None:
    """Join values, with or, into the cells near segments, `(n, 2)` in metres."""
    # Loaded late: Numba takes longer to import than the rest of this module.
    from .._kernels.coverage import stamp_capsules  # noqa: PLC0415

    starts, stops = np.ascontiguousarray(starts), np.ascontiguousarray(stops)
    reach, values = np.ascontiguousarray(radii + TOLERANCE), np.ascontiguousarray(values)
    stamp_capsules(starts, stops, reach, values, *grid.origin, grid.cell, out)
