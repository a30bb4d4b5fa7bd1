"""Sections: what the sensors recorded on either side of a place."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .._validation import check_number, check_positive
from ..alarm import Alarm
from ..sweep import Floats, Sweep
from ..truth import Target
from ._canvas import (
    BLUE,
    GREY,
    INK,
    ORANGE,
    PURPLE,
    RED,
    check_image_format,
    drawing,
    to_bytes,
)
from ._image import draw_image, edges_of

if TYPE_CHECKING:  # scikit-learn is slow to import, and no figure needs it
    from ..detect.screen import Part, Screened

_WIDTH = 6.8  # inches
_ASIDE = 0.30  # m to the side of the place within which alarms and objects are shown


class _View(NamedTuple):
    """What a section looks at, and how depth becomes time."""

    centre: tuple[float, float]  #: easting and northing of the place, m
    heading: float  #: rad
    reach: float  #: m
    ground_time: float  #: s
    velocity: float  #: m/s

    def relative(self, easting: float, northing: float) -> tuple[float, float]:
        """Return how far forward and to the right of the place a point lies, m."""
        east, north = easting - self.centre[0], northing - self.centre[1]
        sin, cos = math.sin(self.heading), math.cos(self.heading)
        return east * sin + north * cos, east * cos - north * sin

    def nanoseconds(self, depth: float) -> float:
        """Return the two-way time of a depth (m), in ns."""
        return 1e9 * (self.ground_time + 2 * depth / self.velocity)


class _Line(NamedTuple):
    """One channel of a part beside a place."""

    sweep: Sweep  #: traces within reach
    channel: int
    along: Floats  #: (n_traces,) m from the place, forward
    across: float  #: m to the right of the place, at its nearest


def section_figure(
    screened: Mapping[str, Screened],
    place: tuple[float, float],
    *,
    ground_time: float,
    velocity: float,
    half_length: float = 1.5,
    alarms: Iterable[Alarm] = (),
    objects: Iterable[Target] = (),
    is_synthetic: bool = True,
    image_format: str = "png",
) -> bytes:
    """
    Draw what both sensors recorded on either side of a place.

    Parameters
    ----------
    screened : dict of Screened
        What the screen of each sensor kept of the lane, by kind, as
        :meth:`minesense.Detector.screen` returns it.
    place : (float, float)
        Easting and northing, in metres.
    ground_time : float
        Two-way time at which the ground bounce was put, in seconds.
    velocity : float
        Of waves in the ground, for the axis of depth, in metres a second.
    half_length : float
        How far to show to either side, in metres.
    alarms : iterable of Alarm
        Those near the place are marked, at their depth if they have one.
    objects : iterable of Target
        Those near the place are outlined: what is really there.
    is_synthetic : bool
        Whether to print SYNTHETIC on the figure.
    image_format : str
        ``"svg"`` or ``"png"``.

    Returns
    -------
    image : bytes
        Above, the processed section of the radar channel nearest to the place, distance
        along the track against two-way time; below, three gates of the nearest coil over
        the same stretch. A sensor that did not pass is said to have no data.

    Raises
    ------
    ImportError
        If matplotlib is not installed (extra ``plot``).
    ValueError
        If a length, time or velocity is out of range, the place is not finite, or the
        format is unknown.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.detect import Part, Screened
    >>> from minesense.report import section_figure
    >>> from minesense.sensor import Sensor
    >>> from minesense.sweep import Sweep
    >>> northing = np.arange(0.0, 4.0, 0.05)
    >>> sweep = Sweep(
    ...     samples=np.zeros((80, 1, 20)),
    ...     time=northing,
    ...     position=np.column_stack([0 * northing, northing, 0 * northing]),
    ...     heading=np.zeros(80),
    ...     sensor=Sensor(
    ...         name="radar", kind="gpr", axis=1e-10 * np.arange(20), lever_arms=[[0, 0, 0]]
    ...     ),
    ... )
    >>> part = Part(
    ...     processed=sweep,
    ...     scores=sweep,
    ...     candidates=(),
    ...     position=sweep.channel_position,
    ...     best=np.zeros((80, 1)),
    ... )
    >>> radar = Screened(kind="gpr", lane="", parts=(part,), gaps=())
    >>> image = section_figure({"gpr": radar}, (0.0, 2.0), ground_time=5e-10, velocity=1e8)
    >>> image[1:4]
    b'PNG'
    """
    check_image_format(image_format)
    centre = check_number(place[0], "place"), check_number(place[1], "place")
    reach = check_positive(half_length, "half_length")
    check_positive(velocity, "velocity")
    check_number(ground_time, "ground_time")
    lines = {kind: _nearest_line(item, centre, reach) for kind, item in screened.items()}
    heading = next((_heading(line) for line in lines.values() if line), 0.0)
    view = _View(centre, heading, reach, ground_time, velocity)
    with drawing(_WIDTH, 5.6, is_fitted=False) as figure:
        upper, lower = figure.subplots(
            2, 1, sharex=True, gridspec_kw={"height_ratios": [2.2, 1.0]}
        )
        figure.subplots_adjust(left=0.1, right=0.9, bottom=0.19, top=0.92, hspace=0.24)
        line = lines.get("gpr")
        if line is None:
            _say(upper, "no radar data here")
        else:
            _draw_radar(upper, line, view)
            for item in objects:
                _outline(upper, item, view)
        for alarm in alarms:
            _mark(upper, alarm, view, has_time=line is not None)
        _draw_coils(lower, lines.get("emi"))
        upper.set_xlim(-reach, reach)
        lower.set_xlabel("distance along the track from the place (m)")
        handles, labels = upper.get_legend_handles_labels()
        if labels:
            chosen = dict(sorted(zip(labels, handles, strict=True), key=lambda item: item[0]))
            figure.legend(chosen.values(), chosen.keys(), loc="lower center", ncols=3)
        return to_bytes(figure, image_format, is_synthetic=is_synthetic)


def _nearest_line(
    screened: Screened, centre: tuple[float, float], reach: float
) -> _Line | None:
    """Return the part and channel that pass nearest to a place, cut to what is in reach."""
    best: tuple[float, Part, int, int] | None = None
    for part in screened.parts:
        distance = np.hypot(*np.moveaxis(part.position[..., :2] - centre, -1, 0))
        if not np.isfinite(distance).any():
            continue
        place = np.unravel_index(int(np.nanargmin(distance)), distance.shape)
        if best is None or distance[place] < best[0]:
            best = float(distance[place]), part, int(place[0]), int(place[1])
    if best is None or best[0] > reach:
        return None
    _, part, trace, channel = best
    heading = float(part.processed.heading[trace])
    offset = part.position[:, channel, :2] - centre
    along = offset @ (math.sin(heading), math.cos(heading))
    near = np.flatnonzero(np.abs(along) <= reach)
    # The stretch around the nearest trace: a track may come back later.
    breaks = np.flatnonzero(np.diff(near) > 1)
    starts, stops = near[np.append(0, breaks + 1)], near[np.append(breaks, len(near) - 1)]
    stretch = int(np.flatnonzero((starts <= trace) & (trace <= stops))[0])
    first, last = int(starts[stretch]), int(stops[stretch])
    right = offset[trace] @ (math.cos(heading), -math.sin(heading))
    chosen = slice(first, last + 1)
    return _Line(part.processed[chosen], channel, along[chosen], float(right))


def _heading(line: _Line) -> float:
    """Return the heading of the trace nearest to the place, in radians."""
    return float(line.sweep.heading[int(np.argmin(np.abs(line.along)))])


def _draw_radar(axes: Any, line: _Line, view: _View) -> None:
    """Draw the section of a radar channel, with an axis of depth."""
    draw_image(axes, line.sweep, line.channel, edges_of(line.along))
    ground = 1e9 * view.ground_time
    axes.axhline(ground, color=ORANGE, linewidth=1.2, linestyle="--", label="ground")
    axes.set_ylabel("two-way time (ns)")
    scale = view.velocity * 1e-9 / 2 * 100  # cm a nanosecond
    depth = axes.secondary_yaxis(
        "right", functions=(lambda t: (t - ground) * scale, lambda d: d / scale + ground)
    )
    depth.set_ylabel(f"depth (cm) at {view.velocity * 1e-9:.3g} m/ns")
    axes.set_title(f"radar, channel {_passing(line)}", loc="left", fontsize=10)


def _passing(line: _Line) -> str:
    """Return the number of a channel and how it passes the place."""
    side = "right" if line.across > 0 else "left"
    return f"{line.channel + 1}, {abs(line.across) * 100:.0f} cm to the {side}"


def _outline(axes: Any, item: Target, view: _View) -> None:
    """Outline the top of what is really there."""
    from matplotlib.patches import Rectangle  # noqa: PLC0415 - an extra
    from matplotlib.patheffects import withStroke  # noqa: PLC0415

    along, across = view.relative(item.easting, item.northing)
    if abs(along) > view.reach or abs(across) > _ASIDE + item.diameter / 2:
        return
    width = max(item.diameter, 0.02)
    axes.add_patch(
        Rectangle(
            (along - width / 2, view.nanoseconds(item.depth)),
            width,
            0.35,
            facecolor="none",
            edgecolor=BLUE if item.is_target else PURPLE,
            linewidth=2.2 if item.is_target else 1.6,
            linestyle="-" if item.is_target else ":",
            label="target (top)" if item.is_target else "clutter (top)",
            path_effects=[withStroke(linewidth=4.5, foreground="white")],
            zorder=7,
        )
    )


def _mark(axes: Any, alarm: Alarm, view: _View, *, has_time: bool) -> None:
    """Mark an alarm above the section, and its depth in it."""
    from matplotlib.patheffects import withStroke  # noqa: PLC0415 - an extra

    along, across = view.relative(alarm.easting, alarm.northing)
    if not (abs(along) <= view.reach and abs(across) <= _ASIDE):
        return
    axes.plot(
        [along],
        [1.0],
        transform=axes.get_xaxis_transform(),
        linestyle="",
        marker="v",
        markersize=10,
        color=RED,
        clip_on=False,
        zorder=8,
        label="alarm",
    )
    if has_time and math.isfinite(alarm.depth):
        axes.plot(
            [along],
            [view.nanoseconds(alarm.depth)],
            linestyle="",
            marker="o",
            markersize=15,
            markerfacecolor="none",
            markeredgecolor=RED,
            markeredgewidth=1.8,
            path_effects=[withStroke(linewidth=3.5, foreground="white")],
            zorder=6,
            label="alarm, estimated depth",
        )


def _draw_coils(axes: Any, line: _Line | None) -> None:
    """Draw three gates of a coil along the track."""
    if line is None:
        _say(axes, "no metal-detector data here")
        return
    sensor = line.sweep.sensor
    samples = line.sweep.samples[:, line.channel, :].astype(np.float64)
    samples[~line.sweep.is_usable] = np.nan
    n_gates = samples.shape[1]
    looks = ((BLUE, "-", "o"), (ORANGE, "--", "s"), (GREY, ":", "^"))
    gates = sorted({0, n_gates // 2, n_gates - 1})
    largest = np.nanmax(np.abs(samples[:, gates]), initial=0.0)
    scale, prefix = _prefix(float(largest))
    for gate, (colour, dashes, marker) in zip(gates, looks, strict=False):
        axes.plot(
            line.along,
            samples[:, gate] * scale,
            color=colour,
            linestyle=dashes,
            marker=marker,
            markersize=3,
            markevery=max(1, len(line.along) // 12),
            linewidth=1.3,
            label=f"{1e6 * sensor.axis[gate]:.3g} µs",
        )
    unit = sensor.unit if sensor.unit != "1" else "counts"
    axes.set_ylabel(f"{sensor.quantity}\n({prefix}{unit})")
    axes.axhline(0.0, color=INK, linewidth=0.5)
    axes.set_title(f"metal detector, coil {_passing(line)}", loc="left", fontsize=10)
    place = {"loc": "lower right", "bbox_to_anchor": (1.0, 0.97), "borderaxespad": 0.1}
    axes.legend(ncols=3, fontsize=8, columnspacing=1.0, **place)


def _prefix(largest: float) -> tuple[float, str]:
    """Return a factor and an SI prefix that bring a number between 1 and 1000."""
    for factor, prefix in ((1.0, ""), (1e3, "m"), (1e6, "µ"), (1e9, "n"), (1e12, "p")):
        if largest * factor >= 1.0:
            return factor, prefix
    return 1.0, ""


def _say(axes: Any, words: str) -> None:
    """Write in the middle of axes that hold no data."""
    axes.text(0.5, 0.5, words, transform=axes.transAxes, ha="center", va="center")
    axes.set_yticks([])
