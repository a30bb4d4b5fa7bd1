"""Curves: Pd against false alarms per square metre, and what probabilities are worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .._validation import check_array, check_count
from ..score import Interval, clopper_pearson
from ._canvas import (
    BLUE,
    GREY,
    INK,
    ORANGE,
    PURPLE,
    RED,
    check_image_format,
    drawing,
    printable,
    to_bytes,
)

# Lines differ in colour, dashes and marker, in this order.
_LOOKS: tuple[dict[str, Any], ...] = (
    {"color": INK, "linestyle": "-", "marker": "o", "linewidth": 2.2},
    {"color": BLUE, "linestyle": "--", "marker": "s", "linewidth": 1.8},
    {"color": ORANGE, "linestyle": "-.", "marker": "^", "linewidth": 1.8},
    {"color": PURPLE, "linestyle": (0, (1, 1)), "marker": "D", "linewidth": 1.6},
    {"color": GREY, "linestyle": (0, (4, 1, 1, 1, 1, 1)), "marker": "X", "linewidth": 1.4},
    {"color": RED, "linestyle": (0, (6, 2)), "marker": "P", "linewidth": 1.2},
    {"color": "#8c6d1f", "linestyle": (0, (3, 3)), "marker": "*", "linewidth": 1.2},
)

#: Where the axis of false alarms per square metre begins and ends.
RATE_LIMITS = (1e-3, 10.0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RocLine:
    """
    One line of a ROC figure.

    Raises
    ------
    ValueError
        If the arrays differ in length or are not finite.
    """

    label: str
    rate: npt.ArrayLike  #: (n,) false alarms per m^2, from the highest threshold down
    pd: npt.ArrayLike  #: (n,) share of targets found
    low: npt.ArrayLike | None = None  #: (n,) lower limit of pd
    high: npt.ArrayLike | None = None  #: (n,) upper limit of pd
    point: tuple[Interval, Interval] | None = None  #: rate and Pd at the threshold set

    def __post_init__(self) -> None:
        n = len(np.atleast_1d(np.asarray(self.rate)))
        for name in ("rate", "pd", "low", "high"):
            values = getattr(self, name)
            if values is not None:
                object.__setattr__(self, name, check_array(values, name, (n,)))


def roc_figure(
    lines: Sequence[RocLine], *, is_synthetic: bool = True, image_format: str = "svg"
) -> bytes:
    """
    Draw Pd against false alarms per square metre.

    Parameters
    ----------
    lines : sequence of RocLine
        At most seven: the detectors first, then the baselines.
    is_synthetic : bool
        Whether to print SYNTHETIC on the figure.
    image_format : str
        ``"svg"`` or ``"png"``.

    Returns
    -------
    image : bytes
        Steps over a logarithmic axis from 0.001 to 10 per square metre. What was found
        without any false alarm stands at its left edge. Bands are 95 % limits of Pd; the
        operating points have limits of both.

    Raises
    ------
    ImportError
        If matplotlib is not installed (extra ``plot``).
    ValueError
        If there is no line or more than seven, or the format is unknown.

    Examples
    --------
    >>> from minesense.report import RocLine, roc_figure
    >>> line = RocLine(label="both sensors", rate=[0.0, 0.05, 0.4], pd=[0.5, 0.7, 0.9])
    >>> b"SYNTHETIC" in roc_figure([line])
    True
    """
    check_image_format(image_format)
    if not 1 <= len(lines) <= len(_LOOKS):
        msg = f"Invalid lines: there are {len(lines)}. Must be 1 to {len(_LOOKS)}."
        raise ValueError(msg)
    with drawing(9.0, 5.8) as figure:
        axes = figure.subplots()
        for line, look in zip(lines, _LOOKS, strict=False):
            _draw_line(axes, line, look)
        axes.set_xscale("log")
        axes.set_xlim(*RATE_LIMITS)
        axes.xaxis.set_major_formatter(lambda rate, _: f"{rate:g}")
        axes.set_ylim(0.0, 1.02)
        axes.set_xlabel("false alarms per m²")
        axes.set_ylabel("Pd | swept (share of swept targets found)")
        axes.grid(which="major", color="#cfcfcf", linewidth=0.6)
        axes.grid(which="minor", axis="x", color="#ececec", linewidth=0.5)
        axes.set_axisbelow(True)
        figure.legend(loc="outside lower center", ncols=3, handlelength=3.4, borderpad=1.0)
        return to_bytes(figure, image_format, is_synthetic=is_synthetic)


def _draw_line(axes: Any, line: RocLine, look: dict[str, Any]) -> None:
    """Draw one line, its band and its operating point."""
    # A logarithmic axis has no zero: what costs no false alarm stands at the left edge.
    rate = np.clip(np.asarray(line.rate), RATE_LIMITS[0], None)
    pd = np.asarray(line.pd)
    dashes = {name: value for name, value in look.items() if name != "marker"}
    axes.plot(rate, pd, drawstyle="steps-post", zorder=3, **dashes)
    if line.low is not None and line.high is not None:
        low, high = np.asarray(line.low), np.asarray(line.high)
        axes.fill_between(
            rate, low, high, step="post", color=look["color"], alpha=0.10, linewidth=0
        )
    # An empty line carries the label, so that the legend shows line and marker as one.
    axes.plot([], [], label=printable(line.label), markersize=8, **look)
    if line.point is not None:
        far, share = line.point
        at = max(far.value, RATE_LIMITS[0])
        error_rate = [
            [at - max(far.low, RATE_LIMITS[0] / 2)],
            [min(far.high, 2 * RATE_LIMITS[1]) - at],
        ]
        error_pd = [[share.value - share.low], [share.high - share.value]]
        axes.errorbar(
            [at],
            [share.value],
            xerr=np.maximum(error_rate, 0.0),
            yerr=np.maximum(error_pd, 0.0),
            marker=look["marker"],
            markersize=9,
            color=look["color"],
            markeredgecolor="white",
            capsize=3,
            linewidth=1.2,
            zorder=5,
        )


def reliability_figure(
    probabilities: npt.ArrayLike,
    is_target: npt.ArrayLike,
    *,
    n_bins: int = 10,
    is_synthetic: bool = True,
    image_format: str = "svg",
) -> bytes:
    """
    Draw how often alarms of each stated probability were on a target.

    Parameters
    ----------
    probabilities : (n,) array_like
        Stated probability of each alarm.
    is_target : (n,) array_like
        Whether it was on a target.
    n_bins : int
        Bins of equal width from 0 to 1.
    is_synthetic : bool
        Whether to print SYNTHETIC on the figure.
    image_format : str
        ``"svg"`` or ``"png"``.

    Returns
    -------
    image : bytes
        Above, the share with its exact 95 % limits against the mean probability of each
        bin that holds alarms; below, how many alarms each bin holds.

    Raises
    ------
    ImportError
        If matplotlib is not installed (extra ``plot``).
    TypeError, ValueError
        If probabilities are not between 0 and 1, shapes differ, `n_bins` is not a whole
        number of at least 2, or the format is unknown.

    Examples
    --------
    >>> from minesense.report import reliability_figure
    >>> image = reliability_figure([0.1, 0.4, 0.9], [False, True, True], image_format="png")
    >>> image[1:4]
    b'PNG'
    """
    check_image_format(image_format)
    n_bins = check_count(n_bins, "n_bins", least=2)
    stated = check_array(probabilities, "probabilities", ("n",))
    hits = np.asarray(is_target, bool)
    if hits.shape != stated.shape or (stated < 0).any() or (stated > 1).any():
        msg = (
            f"Invalid probabilities with shape {stated.shape} beside is_target with shape "
            f"{hits.shape}. Must be of one shape, probabilities between 0 and 1."
        )
        raise ValueError(msg)
    bins = np.minimum((stated * n_bins).astype(int), n_bins - 1)
    counts = np.bincount(bins, minlength=n_bins)
    with drawing(6.4, 5.6) as figure:
        upper, lower = figure.subplots(
            2, 1, sharex=True, gridspec_kw={"height_ratios": [3.0, 1.0]}
        )
        upper.plot([0, 1], [0, 1], color=GREY, linewidth=1.0, linestyle="--", label="as stated")
        for k in np.flatnonzero(counts).tolist():
            chosen = bins == k
            share = clopper_pearson(int(hits[chosen].sum()), int(counts[k]))
            upper.errorbar(
                [stated[chosen].mean()],
                [share.value],
                yerr=[[share.value - share.low], [share.high - share.value]],
                marker="o",
                color=BLUE,
                capsize=3,
                label="observed, 95 % limits" if k == np.flatnonzero(counts)[0] else None,
            )
        upper.set_ylabel("share of alarms on a target")
        upper.set_ylim(-0.02, 1.02)
        upper.legend(loc="upper left")
        edges = np.linspace(0, 1, n_bins + 1)
        lower.bar(
            edges[:-1], counts, np.diff(edges), align="edge", color="#c9c9c9", edgecolor=INK
        )
        lower.set_ylabel("alarms")
        lower.set_xlabel("stated probability")
        lower.set_xlim(0, 1)
        for axes in (upper, lower):
            axes.grid(color="#dddddd", linewidth=0.5)
            axes.set_axisbelow(True)
        return to_bytes(figure, image_format, is_synthetic=is_synthetic)
