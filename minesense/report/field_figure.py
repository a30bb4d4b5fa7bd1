"""The map of a field: what was observed, what alarmed, and what was really there."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .._validation import check_one_of
from ..coverage import NOT_SWEPT, Coverage
from ..score import Matching, Score
from ..sweep import Quality
from ..truth import Truth
from ._canvas import (
    BLUE,
    INK,
    RED,
    YELLOW,
    check_image_format,
    drawing,
    printable,
    to_bytes,
)

#: Flags that say that data exist and must not be used.
INVALID = (
    Quality.SATURATED
    | Quality.NOT_FINITE
    | Quality.STUCK
    | Quality.CHECK_FAILED
    | Quality.OUT_OF_DOMAIN
)

_WIDTH = 11.0  # inches
_VIOLET = "#b39ddb"
_MAX_REASONS = 14  # written on the map; the report's table holds all of them
_LEAST_REASON = 0.03  # m^2 that a patch must have for its reason to be written on the map


@dataclass(frozen=True, slots=True)
class Strip:
    """A strip of ground that was to be swept: its name and corners in metres."""

    name: str
    area: tuple[float, float, float, float]  #: least easting and northing, greatest ones


def field_map(
    lanes: Sequence[Any],
    coverage: Coverage,
    truth: Truth,
    outcomes: Matching | Score,
    *,
    sensors: str = "any",
    image_format: str = "svg",
) -> bytes:
    """
    Draw the map of a field whose truth is known.

    Parameters
    ----------
    lanes : sequence of Lane or Strip
        Strips that were to be swept: anything with `name` and `area`, the least easting
        and northing and the greatest ones, in metres.
    coverage : Coverage
        Which ground was observed.
    truth : Truth
        What is in the ground.
    outcomes : Matching or Score
        What became of every alarm and every target.
    sensors : str
        Whose observation is needed: a kind of sensor, ``"any"`` or ``"all"``.
    image_format : str
        ``"svg"`` or ``"png"``.

    Returns
    -------
    image : bytes
        The map at one scale in both directions, the lanes lying along the page. Observed
        ground is grey and hatched; ground that only one of several sensors observed is
        yellow, data that must not be used violet, and what was not observed is white,
        with its reason. Nothing is green.

    Raises
    ------
    ImportError
        If matplotlib is not installed (extra ``plot``).
    ValueError
        If there is no lane, one has no extent, or `sensors` or the format is unknown.

    Examples
    --------
    >>> from minesense.coverage import observe
    >>> from minesense.report import Strip, field_map
    >>> from minesense.score import match
    >>> from minesense.truth import Truth
    >>> lane = Strip("A", (0.0, 0.0, 1.0, 5.0))
    >>> coverage = observe([], footprint={"gpr": 0.1}, area=[(*lane.area, lane.name)])
    >>> truth = Truth(objects=())
    >>> b"SYNTHETIC" in field_map([lane], coverage, truth, match([], truth))
    True
    """
    check_image_format(image_format)
    check_one_of(sensors, "sensors", ("any", "all", *coverage.kinds))
    strips = _strips(lanes)
    view = _View(strips)
    span = view.span
    height = max(3.2, 1.75 + (_WIDTH - 1.4) * span[1] / span[0])
    with drawing(_WIDTH, min(height, 24.0)) as figure:
        axes = figure.subplots()
        _draw_ground(axes, view, coverage, sensors)
        for strip in strips:
            _draw_lane(axes, view, strip)
        _draw_objects(axes, view, truth, outcomes)
        axes.set_aspect("equal")
        axes.set_xlim(view.page[0])
        axes.set_ylim(view.page[1])
        axes.set_xlabel(view.labels[0])
        axes.set_ylabel(view.labels[1])
        figure.legend(loc="outside lower center", ncols=4, handletextpad=0.6, borderpad=1.0)
        return to_bytes(figure, image_format, is_synthetic=truth.is_synthetic)


def _strips(lanes: Sequence[Any]) -> list[Strip]:
    """Return lanes as strips of ground that have an extent."""
    strips = [Strip(str(lane.name), tuple(map(float, lane.area))) for lane in lanes]  # type: ignore[arg-type]
    if not strips:
        msg = "Invalid lanes: there are none. Must hold at least one."
        raise ValueError(msg)
    for strip in strips:
        west, south, east, north = strip.area
        if not (west < east and south < north and all(map(math.isfinite, strip.area))):
            msg = (
                f"Invalid area {strip.area} of lane '{strip.name}'. Must be the least easting "
                "and northing and the greatest ones, in metres."
            )
            raise ValueError(msg)
    return strips


class _View:
    """
    How ground lies on the page: lanes along it, not mirrored.

    Where lanes run north, north points right and east down the page.
    """

    def __init__(self, strips: Sequence[Strip]):
        areas = np.array([strip.area for strip in strips])
        self.is_turned = bool(
            np.median(areas[:, 3] - areas[:, 1]) > np.median(areas[:, 2] - areas[:, 0])
        )
        west, south = areas[:, :2].min(axis=0)
        east, north = areas[:, 2:].max(axis=0)
        margin = 0.04 * max(east - west, north - south)
        across, along = (west - 0.4, east + 0.4), (south - margin, north + margin)
        if self.is_turned:
            self.page = along, across[::-1]
            self.labels = "northing (m), north is to the right", "easting (m)"
        else:
            self.page = (west - margin, east + margin), (south - 0.4, north + 0.4)
            self.labels = "easting (m)", "northing (m), north is up"
        self.span = tuple(abs(stop - start) for start, stop in self.page)

    def __call__(self, easting: Any, northing: Any) -> tuple[Any, Any]:
        """Return abscissa and ordinate of places."""
        return (northing, easting) if self.is_turned else (easting, northing)


def _draw_lane(axes: Any, view: _View, strip: Strip) -> None:
    """Draw the outline of a lane, and its name beside it."""
    west, south, east, north = strip.area
    easting = np.array([west, east, east, west, west])
    northing = np.array([south, south, north, north, south])
    axes.plot(*view(easting, northing), color=INK, linewidth=0.9, zorder=3)
    place = view(west - 0.05, south) if view.is_turned else view(west, north + 0.05)
    axes.text(*place, printable(strip.name), fontsize=8, va="bottom", ha="left", zorder=6)


def _draw_ground(axes: Any, view: _View, coverage: Coverage, sensors: str) -> None:
    """Shade the states of the ground and write the reasons where it was not observed."""
    seen = coverage.mask(sensors)
    some = coverage.mask("any") & ~seen if sensors == "all" else np.zeros_like(seen)
    flags = np.zeros(coverage.shape, np.int64)
    for kind in coverage.kinds if sensors in ("any", "all") else (sensors,):
        flags |= np.where(coverage.observed[kind], 0, coverage.reasons[kind])
    missing = coverage.wanted & ~seen
    invalid = missing & ~some & ((flags & int(INVALID)) != 0)
    blank = missing & ~some & ~invalid
    hatched = {"facecolor": "#efefef", "edgecolor": "#9a9a9a", "hatch": "////"}
    for mask, label, look in (
        (seen, "observed", hatched),
        (some, "observed by one sensor only", {"facecolor": YELLOW, "edgecolor": "none"}),
        (invalid, "data that must not be used", {"facecolor": _VIOLET, "edgecolor": "none"}),
        (blank, "not observed", {"facecolor": "white", "edgecolor": INK, "linewidth": 0.4}),
    ):
        if mask.any() or label == "not observed":
            area = np.count_nonzero(mask & coverage.wanted) * coverage.cell**2
            shown = mask & coverage.wanted
            _fill(axes, view, coverage, shown, look | {"label": f"{label}, {area:.2f} m²"})
    _write_reasons(axes, view, coverage, missing, flags)


def _fill(axes: Any, view: _View, coverage: Coverage, mask: Any, look: dict[str, Any]) -> None:
    """Fill the cells of a mask as one shape."""
    from matplotlib.patches import PathPatch  # noqa: PLC0415 - an extra
    from matplotlib.path import Path  # noqa: PLC0415

    east, north = coverage.origin
    vertices, codes = [], []
    for bottom, top, left, right in rectangles_of(mask):
        easting = east + coverage.cell * np.array([left, right, right, left, left])
        northing = north + coverage.cell * np.array([bottom, bottom, top, top, bottom])
        vertices.append(np.column_stack(view(easting, northing)))
        codes += [Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY]
    path = Path(np.concatenate([np.empty((0, 2)), *vertices]), codes)
    # Without a line of its own colour a shape would show seams between its rectangles.
    axes.add_patch(PathPatch(path, zorder=1, **({"linewidth": 0.0} | look)))


def rectangles_of(mask: npt.NDArray[np.bool_]) -> list[tuple[int, int, int, int]]:
    """
    Cover the true cells of a grid with rectangles that do not overlap.

    Parameters
    ----------
    mask : (n_rows, n_columns) bool ndarray
        Cells to cover.

    Returns
    -------
    rectangles : list of (int, int, int, int)
        First row and the row behind the last, first column and the one behind the last.

    Examples
    --------
    >>> rectangles_of(np.array([[True, True, False], [True, True, True]]))
    [(0, 1, 0, 2), (1, 2, 0, 3)]
    >>> rectangles_of(np.array([[True, True, False], [True, True, False]]))
    [(0, 2, 0, 2)]
    """
    n_rows = len(mask)
    edges = np.diff(np.pad(mask.astype(np.int8), ((0, 0), (1, 1))), axis=1)
    found: list[tuple[int, int, int, int]] = []
    growing: dict[tuple[int, int], int] = {}  # where a rectangle of these columns began
    for row in range(n_rows + 1):
        runs: set[tuple[int, int]] = set()
        if row < n_rows:
            left, right = np.flatnonzero(edges[row] == 1), np.flatnonzero(edges[row] == -1)
            runs = set(zip(left.tolist(), right.tolist(), strict=True))
        for run in sorted(set(growing) - runs):
            found.append((growing.pop(run), row, *run))
        for run in runs:
            growing.setdefault(run, row)
    return sorted(found)


def _write_reasons(
    axes: Any, view: _View, coverage: Coverage, missing: Any, flags: npt.NDArray[np.int64]
) -> None:
    """Write beside the largest patches of ground that was not observed why it was not."""
    from scipy.ndimage import find_objects, label  # noqa: PLC0415 - slow to import

    patches, n_patches = label(missing)
    sizes = np.bincount(patches.ravel(), minlength=n_patches + 1)[1:] * coverage.cell**2
    order = np.argsort(-sizes, kind="stable")[:_MAX_REASONS]
    boxes = find_objects(patches)
    for k in order[sizes[order] >= _LEAST_REASON].tolist():
        rows, columns = boxes[k]
        inside = patches[boxes[k]] == k + 1
        joined = int(np.bitwise_or.reduce(flags[boxes[k]][inside]))
        names = [str(flag.name) for flag in Quality if joined & flag] or [NOT_SWEPT]
        north = coverage.origin[1] + coverage.cell * (rows.start + rows.stop) / 2
        east = coverage.origin[0] + coverage.cell * (columns.start + columns.stop) / 2
        words = "\n".join(name.replace("_", " ").lower() for name in names[:3])
        axes.text(
            *view(east, north),
            words,
            fontsize=7,
            ha="center",
            va="center",
            zorder=7,
            bbox={"facecolor": "white", "edgecolor": INK, "linewidth": 0.4, "pad": 1.2},
        )


#: What an object or alarm looks like: marker, size in points, and colours.
_MARKS: dict[str, tuple[str, dict[str, Any]]] = {
    "clutter": (
        "clutter",
        {"marker": ".", "markersize": 4, "color": "#8a8a8a", "zorder": 2},
    ),
    "detected": (
        "target found",
        {
            "marker": "o",
            "markersize": 12,
            "markerfacecolor": "none",
            "markeredgecolor": BLUE,
            "markeredgewidth": 1.8,
            "zorder": 5,
        },
    ),
    "missed_swept": (
        "target missed though swept",
        {
            "marker": "s",
            "markersize": 10,
            "markerfacecolor": INK,
            "markeredgecolor": "white",
            "markeredgewidth": 0.8,
            "zorder": 5,
        },
    ),
    "partly_swept": (
        "target partly swept, not found",
        {
            "marker": "s",
            "markersize": 10,
            "fillstyle": "left",
            "markerfacecolor": INK,
            "markerfacecoloralt": "white",
            "markeredgecolor": INK,
            "zorder": 5,
        },
    ),
    "never_swept": (
        "target never swept",
        {
            "marker": "s",
            "markersize": 10,
            "markerfacecolor": "white",
            "markeredgecolor": INK,
            "markeredgewidth": 1.6,
            "zorder": 5,
        },
    ),
    "false": (
        "false alarm",
        {
            "marker": "v",
            "markersize": 7,
            "markerfacecolor": RED,
            "markeredgecolor": RED,
            "zorder": 6,
        },
    ),
    "hit": (
        "alarm on a target",
        {
            "marker": "x",
            "markersize": 6,
            "markeredgecolor": RED,
            "markeredgewidth": 1.6,
            "zorder": 6,
        },
    ),
    "other": (
        "alarm not counted",
        {
            "marker": "v",
            "markersize": 7,
            "markerfacecolor": "white",
            "markeredgecolor": RED,
            "zorder": 6,
        },
    ),
}


def _draw_objects(axes: Any, view: _View, truth: Truth, outcomes: Matching | Score) -> None:
    """Mark clutter faintly, then targets by what became of them, then alarms."""
    places = {item.identifier: (item.easting, item.northing) for item in truth.objects}
    marked: dict[str, list[tuple[float, float]]] = {name: [] for name in _MARKS}
    marked["clutter"] = [(item.easting, item.northing) for item in truth.clutter]
    for target in outcomes.targets:
        marked[target.outcome].append(places[target.identifier])
    for alarm in outcomes.alarms:
        is_other = alarm.outcome not in ("hit", "false")
        marked["other" if is_other else alarm.outcome].append((alarm.easting, alarm.northing))
    for name, (label, look) in _MARKS.items():
        here = np.array(marked[name]).reshape(-1, 2)
        here = here[np.isfinite(here).all(axis=1)]
        text = f"{label}, {len(marked[name])}"
        axes.plot(*view(here[:, 0], here[:, 1]), linestyle="", label=text, **look)
