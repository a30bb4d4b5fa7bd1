"""Figures of an annex: the ground by state, what was not observed and why, histograms."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ..alarm import Alarm
from ..evidence.annex import format_area
from ..evidence.ground_map import STATES, UNSEEN, GroundMap
from ..sweep import Floats
from ._canvas import BLUE, INK, ORANGE, PURPLE, RED, YELLOW, drawing, printable, to_bytes

# Colours of the rule for states: red, violet, white, yellow, grey hatching; nothing is green.
_LOOKS: dict[str, dict[str, Any]] = {
    "ALARM": {"facecolor": "#e0574e", "edgecolor": "none"},
    "INVALID": {"facecolor": "#b39ddb", "edgecolor": "none"},
    "NOT_OBSERVED": {"facecolor": "white", "edgecolor": INK, "linewidth": 0.4},
    "PARTIALLY_OBSERVED": {"facecolor": YELLOW, "edgecolor": "none"},
    "OBSERVED_NO_ALARM": {"facecolor": "#efefef", "edgecolor": "#9a9a9a", "hatch": "////"},
}
# Fills of reasons; the rest is put together.
_FILLS = (ORANGE, BLUE, PURPLE, "#8a6d3b", "#56b4e9", "#cc79a7", "#444444", "#d9b38c")
_WIDTH = 7.4  # inches, as wide as A4 between its margins
_MOST_PIXELS = 1400


def words_of(state: str) -> str:
    """
    Return a state or reason as words.

    Parameters
    ----------
    state : str
        For example ``"NOT_OBSERVED"``.

    Returns
    -------
    words : str
        In small letters.

    Examples
    --------
    >>> from minesense.report.annex_figures import words_of
    >>> words_of("NOT_OBSERVED")
    'not observed'
    """
    return state.replace("_", " ").lower()


def ground_figure(
    ground: GroundMap,
    *,
    outlines: Sequence[Sequence[Sequence[float]]] = (),
    is_synthetic: bool,
    image_format: str = "svg",
) -> bytes:
    """
    Draw the ground of a task by state.

    Parameters
    ----------
    ground : GroundMap
        The states.
    outlines : sequence of rings
        Borders of the task, easting and northing in metres.
    is_synthetic : bool
        Whether to print SYNTHETIC.
    image_format : str
        ``"svg"`` or ``"png"``.

    Returns
    -------
    image : bytes
        North is up. Every state is named with its area, also those of 0 m2.

    Raises
    ------
    ImportError
        If matplotlib is not installed (extra ``plot``).

    Examples
    --------
    >>> from minesense.evidence.ground_map import GroundMap
    >>> from minesense.report import ground_figure
    >>> ground = GroundMap(
    ...     origin=(0.0, 0.0), cell=0.5, states=[[4, 2, -1]], reasons=[[0, 1, 0]],
    ...     reason_names={1: "NOT_SWEPT"}, looks=[[1, 0, 0]],
    ... )
    >>> ground_figure(ground, is_synthetic=True)[:5]
    b'<?xml'
    """
    areas = ground.areas()
    with drawing(_WIDTH, _height_of(ground)) as figure:
        axes = figure.subplots()
        image = np.full((len(STATES) + 1, 4), 1.0)
        for k, name in enumerate(STATES):
            image[k, :3] = _rgb(_LOOKS[name]["facecolor"])
        image[-1] = 0.0  # beyond the task
        _draw_codes(axes, ground, ground.states, image)
        _hatch(axes, ground, ground.states == STATES.index("OBSERVED_NO_ALARM"))
        entries = [
            (_LOOKS[name], f"{words_of(name)}, {format_area(areas[name])} m²")
            for name in STATES
        ]
        _finish(figure, axes, ground, outlines, entries)
        return to_bytes(figure, image_format, is_synthetic=is_synthetic)


def reason_figure(
    ground: GroundMap,
    *,
    outlines: Sequence[Sequence[Sequence[float]]] = (),
    is_synthetic: bool,
    image_format: str = "svg",
) -> bytes:
    """
    Draw what was not observed to the stated limits, coloured by reason.

    Parameters
    ----------
    ground, outlines, is_synthetic, image_format
        As in :func:`ground_figure`.

    Returns
    -------
    image : bytes
        Ground that was observed is hatched; all other ground of the task has the colour of its
        reasons.

    Raises
    ------
    ImportError
        If matplotlib is not installed (extra ``plot``).

    Examples
    --------
    >>> from minesense.evidence.ground_map import GroundMap
    >>> from minesense.report import reason_figure
    >>> ground = GroundMap(
    ...     origin=(0.0, 0.0), cell=0.5, states=[[4, 2, -1]], reasons=[[0, 1, 0]],
    ...     reason_names={1: "NOT_SWEPT"}, looks=[[1, 0, 0]],
    ... )
    >>> reason_figure(ground, is_synthetic=True)[:5]
    b'<?xml'
    """
    codes, kinds = ground.codes()
    parts = ground.unseen()
    shown = {(part.state, part.reasons): k for k, part in enumerate(parts[: len(_FILLS)])}
    n = len(_FILLS) + 1
    picture = np.full(codes.shape, n, np.int64)
    for code, (state, bits) in enumerate(kinds):
        if STATES[state] in UNSEEN:
            key = (STATES[state], ground.names_of(bits))
            picture[codes == code] = shown.get(key, len(_FILLS))
    colours = np.zeros((n + 1, 4))
    for k, fill in enumerate((*_FILLS, INK)):
        colours[k] = (*_rgb(fill), 1.0)
    with drawing(_WIDTH, _height_of(ground) + 0.19 * len(shown)) as figure:
        axes = figure.subplots()
        _draw_codes(axes, ground, picture, colours)
        seen = (ground.states >= 0) & (picture == n)
        _hatch(axes, ground, seen)
        entries = [
            (
                {"facecolor": _FILLS[k], "edgecolor": "none"},
                f"{words_of(part.state)}: {', '.join(map(words_of, part.reasons))}, "
                f"{format_area(part.area)} m²",
            )
            for k, part in enumerate(parts[: len(_FILLS)])
        ]
        rest = parts[len(_FILLS) :]
        if rest:
            area = format_area(sum(part.area for part in rest))
            words = f"{len(rest)} other sets of reasons, {area} m²"
            entries.append(({"facecolor": INK, "edgecolor": "none"}, words))
        if not parts:
            entries.append(({"facecolor": "white", "edgecolor": INK}, "not observed, 0 m²"))
        entries.append((_LOOKS["OBSERVED_NO_ALARM"], "observed, or an alarm"))
        _finish(figure, axes, ground, outlines, entries, columns=1)
        return to_bytes(figure, image_format, is_synthetic=is_synthetic)


def alarm_figure(
    ground: GroundMap,
    alarms: Iterable[Alarm],
    ended: frozenset[str],
    *,
    outlines: Sequence[Sequence[Sequence[float]]] = (),
    is_synthetic: bool,
    image_format: str = "svg",
) -> bytes:
    """
    Draw alarms over the ground, those that people ended apart from those that stand.

    Parameters
    ----------
    ground : GroundMap
        The ground.
    alarms : iterable of Alarm
        All; those without a position are counted in the legend.
    ended : frozenset of str
        Identifiers of those that a named person ended.
    outlines, is_synthetic, image_format
        As in :func:`ground_figure`.

    Returns
    -------
    image : bytes
        North is up.

    Raises
    ------
    ImportError
        If matplotlib is not installed (extra ``plot``).

    Examples
    --------
    >>> from minesense.evidence.ground_map import GroundMap
    >>> from minesense.report import alarm_figure
    >>> ground = GroundMap(
    ...     origin=(0.0, 0.0), cell=0.5, states=[[4, 2, -1]], reasons=[[0, 1, 0]],
    ...     reason_names={1: "NOT_SWEPT"}, looks=[[1, 0, 0]],
    ... )
    >>> alarm_figure(ground, [], frozenset(), is_synthetic=True)[:5]
    b'<?xml'
    """
    given = list(alarms)
    with drawing(_WIDTH, _height_of(ground)) as figure:
        axes = figure.subplots()
        colours = np.zeros((2, 4))
        colours[0] = (*_rgb("#efefef"), 1.0)
        _draw_codes(axes, ground, np.where(ground.states >= 0, 0, 1), colours)
        entries: list[tuple[dict[str, Any], str]] = []
        lost = 0
        for is_ended, label, look in (
            (False, "alarm that stands", {"marker": "v", "color": RED, "markersize": 5}),
            (
                True,
                "alarm ended by a person",
                {"marker": "v", "markersize": 5, "markerfacecolor": "white", "color": RED},
            ),
        ):
            here = [a for a in given if (a.identifier in ended) == is_ended]
            places = np.array([(a.easting, a.northing) for a in here]).reshape(-1, 2)
            known = np.isfinite(places).all(axis=1)
            lost += int(np.count_nonzero(~known))
            east, north = places[known].T
            axes.plot(east, north, linestyle="", label=f"{label}, {len(here)}", **look)
        if lost:
            entries.append(
                ({"facecolor": "none", "edgecolor": "none"}, f"without a position, {lost}")
            )
        _finish(figure, axes, ground, outlines, entries)
        return to_bytes(figure, image_format, is_synthetic=is_synthetic)


def histogram_figure(
    values: Floats,
    weights: Floats,
    *,
    label: str,
    unit: str,
    limits: Sequence[tuple[float, str]] = (),
    is_synthetic: bool,
    image_format: str = "svg",
) -> bytes:
    """
    Draw how much ground was observed at which height, speed or the like, beside its limits.

    Parameters
    ----------
    values : (n,) ndarray
        One for each cell; NaN is left out.
    weights : (n,) ndarray
        Area of each, m2.
    label, unit : str
        Of the values.
    limits : sequence of (float, str)
        Values of limits, and their names.
    is_synthetic : bool
        Whether to print SYNTHETIC.
    image_format : str
        ``"svg"`` or ``"png"``.

    Returns
    -------
    image : bytes
        A histogram of 40 bins.

    Raises
    ------
    ImportError
        If matplotlib is not installed (extra ``plot``).

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.report import histogram_figure
    >>> figure = histogram_figure(
    ...     np.array([0.05, 0.06]), np.ones(2), label="height", unit="m", is_synthetic=True
    ... )
    >>> figure[:5]
    b'<?xml'
    """
    known = np.isfinite(values)
    with drawing(_WIDTH, 2.4) as figure:
        axes = figure.subplots()
        shown, area = values[known], weights[known]
        if len(shown):
            most = max([float(shown.max()), *(v for v, _ in limits if math.isfinite(v))])
            least = min(0.0, float(shown.min()))
            bins = np.linspace(least, most * 1.05 or 1.0, 41)
            axes.hist(shown, bins=bins, weights=area, color="#9a9a9a")
        else:
            axes.text(0.5, 0.5, "no cell was observed", ha="center", transform=axes.transAxes)
        for value, name in limits:
            if math.isfinite(value):
                text = f"{name}, {value:g} {unit}"
                axes.axvline(value, color=RED, linewidth=1.2, label=printable(text))
        axes.set_xlabel(f"{label} ({unit})")
        axes.set_ylabel("ground (m²)")
        if limits and any(math.isfinite(value) for value, _ in limits):
            axes.legend()
        return to_bytes(figure, image_format, is_synthetic=is_synthetic)


def _height_of(ground: GroundMap) -> float:
    """Return the height of a map in inches."""
    west, east, south, north = ground.extent
    return float(min(9.0, max(3.0, 1.6 + (_WIDTH - 0.9) * (north - south) / (east - west))))


def _rgb(colour: str) -> tuple[float, float, float]:
    """Return red, green and blue of a colour's code."""
    if colour == "white":
        return 1.0, 1.0, 1.0
    red, green, blue = (int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5))
    return red, green, blue


def _draw_codes(axes: Any, ground: GroundMap, codes: Any, colours: Any) -> None:
    """Draw numbers of cells as colours; the last colour is that of all other numbers."""
    step = max(1, math.ceil(max(codes.shape) / _MOST_PIXELS))
    coarse = codes[::step, ::step]
    chosen = np.where((coarse >= 0) & (coarse < len(colours)), coarse, len(colours) - 1)
    image = (255 * colours[chosen]).round().astype(np.uint8)
    west, _, south, _ = ground.extent
    extent = (
        west,
        west + coarse.shape[1] * step * ground.cell,
        south,
        south + coarse.shape[0] * step * ground.cell,
    )
    axes.imshow(image, extent=extent, origin="lower", interpolation="nearest", zorder=1)


def _hatch(axes: Any, ground: GroundMap, mask: Any) -> None:
    """Hatch the cells of a mask."""
    if not mask.any():
        return
    step = max(1, math.ceil(max(mask.shape) / 400))
    coarse = np.pad(mask[::step, ::step].astype(float), 1)
    west, _, south, _ = ground.extent
    side = step * ground.cell
    east = west + side * (np.arange(coarse.shape[1]) - 0.5)
    north = south + side * (np.arange(coarse.shape[0]) - 0.5)
    axes.contourf(
        east, north, coarse, levels=[0.5, 1.5], colors="none", hatches=["////"], zorder=2
    )


def _finish(
    figure: Any,
    axes: Any,
    ground: GroundMap,
    outlines: Sequence[Sequence[Sequence[float]]],
    entries: list[tuple[dict[str, Any], str]],
    columns: int = 2,
) -> None:
    """Draw borders, axes, a north arrow and the legend."""
    from matplotlib.patches import Patch  # noqa: PLC0415 - an extra

    for ring in outlines:
        corners = np.array([*ring, ring[0]], float)
        axes.plot(corners[:, 0], corners[:, 1], color=INK, linewidth=1.1, zorder=4)
    west, east, south, north = ground.extent
    margin = 0.02 * max(east - west, north - south)
    axes.set_xlim(west - margin, east + margin)
    axes.set_ylim(south - margin, north + margin)
    axes.set_aspect("equal")
    axes.set_xlabel("easting (m), in the frame of the site")
    axes.set_ylabel("northing (m), north is up")
    handles = list(axes.get_legend_handles_labels()[0])
    handles += [Patch(label=printable(words), **look) for look, words in entries]
    figure.legend(handles=handles, loc="outside lower center", ncols=columns, fontsize=8)
