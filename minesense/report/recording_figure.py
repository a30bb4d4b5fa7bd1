"""A whole recording as sections, before and after processing, with the alarms on it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from .._validation import check_count
from ..sweep import Floats, Sweep, track_length
from ._canvas import RED, check_image_format, drawing, to_bytes
from ._image import draw_image, edges_of

if TYPE_CHECKING:  # scikit-learn is slow to import, and no figure needs it
    from ..detect.recording import Screening


def section_before_after(
    sweep: Sweep,
    screening: Screening,
    *,
    channel: int = 0,
    is_synthetic: bool = False,
    image_format: str = "png",
) -> bytes:
    """
    Draw a recording before and after processing, with the alarms on it.

    Parameters
    ----------
    sweep : Sweep
        The recording.
    screening : Screening
        What :func:`minesense.detect.recording.screen_recording` made of it.
    channel : int
        Channel to show.
    is_synthetic : bool
        Whether to print SYNTHETIC on the figure.
    image_format : str
        ``"svg"`` or ``"png"``.

    Returns
    -------
    image : bytes
        Two sections over distance along the track, or over the number of the trace where
        the distance is not known, against two-way time. Traces that hold no usable
        samples are violet. Grey levels end at the percentiles
        2 and 98, whichever lies further from the median.

    Raises
    ------
    ImportError
        If matplotlib is not installed (extra ``plot``).
    ValueError
        If the sweep is empty or has no such channel, or the format is unknown.
    """
    check_image_format(image_format)
    channel = check_count(channel, "channel", least=0)
    if not len(sweep) or channel >= sweep.sensor.shape[0]:
        msg = (
            f"Invalid channel '{channel}' of a sweep of {len(sweep)} traces and "
            f"{sweep.sensor.shape[0]} channels. Must be one of its channels."
        )
        raise ValueError(msg)
    edges, label = _abscissa(sweep)
    parts = [part.processed for part in screening.screened.parts]
    if sum(map(len, parts)) != len(sweep):
        msg = (
            f"Invalid screening of {sum(map(len, parts))} traces for a sweep of {len(sweep)}. "
            "Must be of this sweep."
        )
        raise ValueError(msg)
    shown = [a for a in screening.alarms if int(a.evidence["channel"]) == channel]
    index = np.array([int(a.evidence["trace"]) for a in shown], int)
    time = 1e9 * np.array([a.evidence["two_way_time_s"] for a in shown])
    middle = (edges[index] + edges[index + 1]) / 2
    with drawing(12.0, 7.4) as figure:
        upper, lower = figure.subplots(2, 1, sharex=True)
        draw_image(upper, sweep, channel, edges)
        start = 0
        for part in parts:
            draw_image(lower, part, channel, edges[start : start + len(part) + 1])
            start += len(part)
        words = f"alarm, {len(shown)} in this channel"
        for axes, title in ((upper, "as recorded"), (lower, "after processing")):
            _mark_traces(axes, middle, time if axes is lower else None, words)
            axes.set_xlim(edges[0], edges[-1])
            axes.set_ylabel("two-way time (ns)")
            axes.set_title(f"{title}, channel {channel + 1}", loc="left", pad=12)
        lower.set_xlabel(label)
        handles, labels = lower.get_legend_handles_labels()
        if labels:
            figure.legend(handles, labels, loc="outside lower center", ncols=2)
        return to_bytes(figure, image_format, is_synthetic=is_synthetic)


def _mark_traces(axes: Any, along: Floats, time: Floats | None, words: str) -> None:
    """Mark alarms above a section and, where their time (ns) is known, in it."""
    if not len(along):
        return  # marks without points, drawn beyond the axes, would spoil the layout
    axes.plot(
        along,
        np.ones(len(along)),
        transform=axes.get_xaxis_transform(),
        linestyle="",
        marker="v",
        markersize=7,
        color=RED,
        clip_on=False,
        zorder=6,
        label=words,
    )
    if time is not None:
        axes.plot(
            along,
            time,
            linestyle="",
            marker="o",
            markersize=9,
            markerfacecolor="none",
            markeredgecolor=RED,
            markeredgewidth=1.5,
            zorder=6,
            label="its echo",
        )


def _abscissa(sweep: Sweep) -> tuple[Floats, str]:
    """Return the borders of the traces along the track, and what they are."""
    length = track_length(sweep)
    if math.isfinite(length) and length > 0:
        steps = np.hypot(*np.diff(sweep.position[:, :2], axis=0).T)
        along: Floats = np.concatenate([[0.0], np.cumsum(steps)])
        return edges_of(along), "distance along the track (m)"
    numbers: Floats = np.arange(len(sweep) + 1, dtype=np.float64) + 0.5
    return numbers, "number of the trace (distance is not known)"
