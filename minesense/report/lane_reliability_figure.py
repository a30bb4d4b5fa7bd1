"""Reliability over all places and lane by lane: is any lane worse than the mean says."""

from __future__ import annotations

import math

import numpy as np

from ..score import Reliability, wilson
from ._canvas import BLUE, GREY, INK, ORANGE, check_image_format, drawing, printable, to_bytes

#: Lanes that are drawn; of more, those with the greatest Brier score.
MOST_LANES = 24


def lane_reliability_figure(found: Reliability, *, image_format: str = "svg") -> bytes:
    """
    Draw stated probabilities against what was there, over all places and by lane.

    Parameters
    ----------
    found : Reliability
        From :func:`minesense.score.reliability`.
    image_format : str
        ``"svg"`` or ``"png"``.

    Returns
    -------
    image : bytes
        Left, the share of mines in each bin with its limits, and how many places it rests
        on. Right, for each lane, the worst Brier score first, the mean stated probability
        beside the share of mines with Wilson's 95 % limits: calibrated lanes agree.

    Raises
    ------
    ImportError
        If matplotlib is not installed (extra ``plot``).
    ValueError
        If the format is unknown.

    Examples
    --------
    >>> from minesense.report import lane_reliability_figure
    >>> from minesense.score import reliability
    >>> found = reliability([0.1, 0.4, 0.9], [False, True, True], ["a", "a", "b"])
    >>> b"SYNTHETIC" in lane_reliability_figure(found)
    True
    """
    check_image_format(image_format)
    lanes = sorted((x for x in found.lanes if x.n), key=lambda x: -x.brier)[:MOST_LANES]
    with drawing(10.0, max(4.6, 1.4 + 0.26 * len(lanes))) as figure:
        left, right = figure.subplots(1, 2, gridspec_kw={"width_ratios": [1.15, 1.0]})
        left.plot([0, 1], [0, 1], color=GREY, linewidth=1.0, linestyle="--", label="as stated")
        share = np.array([item.share for item in found.bins])
        stated = [item.stated for item in found.bins]
        error = np.abs(share[:, 1:] - share[:, :1]).T
        style = {"marker": "o", "linestyle": "none", "capsize": 3}
        left.errorbar(
            stated, share[:, 0], yerr=error, color=BLUE, label="observed, 95 % limits", **style
        )
        for item in found.bins:
            # left of an error bar in the right half, so that no number leaves the axes
            side = 1 if item.stated < 0.5 else -1
            left.annotate(
                str(item.n),
                (item.stated, item.share.value),
                xytext=(7 * side, -4 * side),
                textcoords="offset points",
                ha="left" if side > 0 else "right",
                va="center",
                fontsize=8,
                color=INK,
            )
        left.set(xlim=(0, 1), ylim=(-0.03, 1.03))
        left.set(xlabel="stated probability (mean of bin)", ylabel="share of mines")
        left.legend(loc="upper left")
        left.set_title(_figures(found), loc="left")
        place = np.arange(len(lanes))
        limits = np.array([wilson(lane.mines, lane.n) for lane in lanes])
        error = np.abs(limits[:, 1:] - limits[:, :1]).T
        right.errorbar(
            limits[:, 0], place, xerr=error, color=BLUE, label="share of mines", **style
        )
        right.plot(
            [lane.stated for lane in lanes],
            place,
            "D",
            color=ORANGE,
            markersize=6,
            label="mean stated",
        )
        right.set_yticks(
            place, [f"{printable(x.lane)}  n = {x.n}, Brier {x.brier:.3f}" for x in lanes]
        )
        right.tick_params(axis="y", labelsize=8)
        right.set(xlim=(-0.02, 1.02), ylim=(len(lanes) - 0.4, -0.6), xlabel="probability")
        left_out = len(found.lanes) - len(lanes)
        more = f", {left_out} more not drawn" if left_out else ""
        right.set_title(f"by lane, worst first{more}", loc="left")
        for axes in (left, right):
            axes.grid(color="#dddddd", linewidth=0.5)
            axes.set_axisbelow(True)
        figure.legend(*right.get_legend_handles_labels(), loc="outside lower right", ncols=2)
        return to_bytes(figure, image_format, is_synthetic=found.is_synthetic)


def _figures(found: Reliability) -> str:
    """Return the figures over all places in one line."""
    x = found.overall
    withheld = f", {x.withheld} withheld" if x.withheld else ""
    error = "-" if math.isnan(x.calibration_error) else f"{x.calibration_error:.3f}"
    return f"{x.n} places{withheld}: ECE {error}, Brier {x.brier:.3f}"
