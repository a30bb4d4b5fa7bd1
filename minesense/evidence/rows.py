"""Whether found items form rows: lines with heading and spacing, each with its uncertainty."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .._validation import check_count, check_positive, check_probability, check_rng
from ..sweep import Floats
from .site_grid import Find, SiteGrid

_N_HEADINGS = 180
_N_PLACES = 2000  # of searched ground, by which chance is judged


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundRow:
    """A line that found items lie along. It describes finds, and says nothing of others."""

    easting: float  #: m, of its middle
    northing: float  #: m
    heading: float  #: rad, clockwise from north, from 0 to pi
    length: float  #: m, from the first item to the last
    across: float  #: m, standard deviation of the items around it
    members: tuple[int, ...]  #: index of the finds, along the line
    p_value: float  #: how often as many items that lie anywhere would line up as well
    offset_error: float  #: m, standard error across the line
    heading_error: float  #: rad, standard error
    gap: float  #: m, median distance from one found item to the next
    gap_low: float  #: m, 90 % interval of the median
    gap_high: float
    spacing: float  #: m, of the regular pattern that fits best; NaN if none beats chance
    spacing_error: float  #: m, standard error; NaN without a spacing

    def describe(self) -> dict[str, Any]:
        """Return the row as plain words and numbers, units in the names."""
        return {
            "easting_m": self.easting,
            "northing_m": self.northing,
            "heading_deg": math.degrees(self.heading),
            "heading_error_deg": math.degrees(self.heading_error),
            "offset_error_m": self.offset_error,
            "length_m": self.length,
            "across_m": self.across,
            "n_finds": len(self.members),
            "gap_m": self.gap,
            "gap_low_m": self.gap_low,
            "gap_high_m": self.gap_high,
            "spacing_m": self.spacing,
            "spacing_error_m": self.spacing_error,
            "p_value": self.p_value,
        }


def infer_rows(
    finds: Sequence[Find],
    grid: SiteGrid,
    searched: npt.ArrayLike,
    *,
    rng: np.random.Generator,
    width: float = 1.5,
    max_gap: float = 25.0,
    least: int = 5,
    significance: float = 0.01,
    n_trials: int = 199,
) -> tuple[FoundRow, ...]:
    """
    Find lines that found items lie along, more of them than chance explains.

    Parameters
    ----------
    finds : sequence of Find
        Items found; nothing else is used, no pattern is assumed to be usual.
    grid : SiteGrid
        The task.
    searched : (n_rows, n_columns) array_like
        Share of each cell that was searched: where chance could have put finds.
    rng : numpy.random.Generator
        Source of chance, for the comparison and the intervals.
    width : float
        Of the strip around a line that its items lie in, m.
    max_gap : float
        A line ends where the next item is farther, m.
    least : int
        Items of a line, at least.
    significance : float
        Greatest `p_value` of a line that is reported.
    n_trials : int
        Random patterns that it is compared with.

    Returns
    -------
    rows : tuple of FoundRow
        The most striking first.

    Raises
    ------
    TypeError, ValueError
        If a figure is out of range, or nothing was searched.

    Notes
    -----
    Every heading (of 180) and offset scores ``c log(c / e) - (c - e)`` for c items in the
    strip of `width`, e being the number expected if as many items lay anywhere in searched
    ground. The best score counts if at most the stated share of random patterns of as many
    items, after those of earlier lines are taken out, has a better one. Errors
    are those of a straight-line fit. A spacing is that of the comb that fits best, reported
    if fewer than 1 % of lines with gaps shuffled in length fit as well.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.evidence import Find, SiteGrid, infer_rows
    >>> grid = SiteGrid(origin=(0.0, 0.0), cell=1.0, shape=(60, 60))
    >>> finds = [Find(easting=5.0 + 3 * k, northing=20.0, target_class="AP") for k in range(12)]
    >>> (row,) = infer_rows(finds, grid, np.ones((60, 60)), rng=np.random.default_rng(seed=1))
    >>> round(np.degrees(row.heading)), len(row.members), round(row.spacing, 2)
    (90, 12, 3.0)
    """
    check_rng(rng)
    width, max_gap = check_positive(width, "width"), check_positive(max_gap, "max_gap")
    least, n_trials = check_count(least, "least", least=3), check_count(n_trials, "n_trials")
    check_probability(significance, "significance")
    for k, find in enumerate(finds):
        grid.check_frame(find.crs, f"find {k}")
    layer = grid.check_layer(searched, "searched")
    weights = layer[grid.wanted]
    if not weights.any():
        msg = "Invalid searched: all cells are zero. Must tell where finds could be made."
        raise ValueError(msg)
    east, north = (axis[grid.wanted] for axis in grid.centres())
    chances = weights / weights.sum()

    def anywhere(n: int) -> Floats:
        chosen = rng.choice(len(chances), size=n, p=chances)
        shift = grid.cell * (rng.random((n, 2)) - 0.5)
        places: Floats = np.column_stack([east[chosen], north[chosen]]) + shift
        return places

    ground = _by_heading(anywhere(_N_PLACES))
    places = np.array([(f.easting, f.northing) for f in finds], dtype=np.float64).reshape(-1, 2)
    left = np.arange(len(places))
    rows: list[FoundRow] = []
    while len(left) >= least:
        score, heading, offset = _best_line(places[left], ground, width)
        n_better = 0
        for _ in range(n_trials):
            n_better += _best_line(anywhere(len(left)), ground, width)[0] >= score
            if n_better + 1 > significance * (n_trials + 1):
                break  # no further pattern can make it significant
        p_value = (n_better + 1) / (n_trials + 1)
        if p_value > significance:
            break
        members = _members(places, left, heading, offset, width, max_gap)
        if len(members) < least:
            break
        rows.append(_fit(places, members, p_value, width, rng))
        left = np.setdiff1d(left, members)
    return tuple(rows)


def _axes(heading: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Return unit vectors along and across lines of a heading."""
    sin, cos = np.sin(heading), np.cos(heading)
    return np.stack([sin, cos], axis=-1), np.stack([cos, -sin], axis=-1)


def _by_heading(places: Floats) -> Floats:
    """Return the offsets of places across lines of every heading, sorted, one row each."""
    _, across = _axes(np.arange(_N_HEADINGS) * math.pi / _N_HEADINGS)
    return np.sort(across @ places.T, axis=1)


def _best_line(places: Floats, ground: Floats, width: float) -> tuple[float, float, float]:
    """Return the greatest score of any line, its heading and its offset."""
    offsets = _by_heading(places)
    n = offsets.shape[1]
    # Headings are set so far apart that one search in a sorted list serves them all.
    least = min(float(offsets.min()), float(ground.min()))
    apart = max(float(offsets.max()), float(ground.max())) - least + 2 * width
    shift = apart * np.arange(_N_HEADINGS)[:, None] - least
    own, all_ground = np.ravel(offsets + shift), np.ravel(ground + shift)
    counts = np.searchsorted(own, own + width, side="right") - np.arange(len(own))
    share = np.searchsorted(all_ground, own + width) - np.searchsorted(all_ground, own)
    expected = n * np.maximum(share, 1) / ground.shape[1]
    ratio = np.maximum(counts / expected, 1.0)
    score = np.where(ratio > 1, counts * np.log(ratio) - counts + expected, 0.0)
    i = int(np.argmax(score))
    k, j = divmod(i, n)
    offset = float(offsets[k, j : j + counts[i]].mean())
    return float(score[i]), k * math.pi / _N_HEADINGS, offset


def _members(
    places: Floats,
    left: npt.NDArray[np.int64],
    heading: float,
    offset: float,
    width: float,
    max_gap: float,
) -> npt.NDArray[np.int64]:
    """Return the longest run of items near a line, which is fitted to them in turn."""
    chosen = left[:0]
    for _ in range(4):
        along, across = _axes(heading)
        near = left[np.abs(places[left] @ across - offset) <= width]
        order = near[np.argsort(places[near] @ along)]
        if len(order) < 3:
            return order
        cuts = np.flatnonzero(np.diff(places[order] @ along) > max_gap) + 1
        chosen = max(np.split(order, cuts), key=len)
        if len(chosen) < 3:
            return chosen
        heading, offset = _straight(places[chosen], heading)
    return chosen


def _straight(points: Floats, near: float) -> tuple[float, float]:
    """Return heading and offset of the line of least distances across it."""
    middle = points.mean(axis=0)
    _, _, vectors = np.linalg.svd(points - middle)
    heading = math.atan2(vectors[0, 0], vectors[0, 1])
    heading = near + (heading - near + math.pi / 2) % math.pi - math.pi / 2
    return heading, float(middle @ _axes(heading)[1])


def _fit(
    places: Floats,
    members: npt.NDArray[np.int64],
    p_value: float,
    width: float,
    rng: np.random.Generator,
) -> FoundRow:
    """Return a row through its members, with errors."""
    points = places[members]
    heading, offset = _straight(points, 0.0)
    along, across = _axes(heading)
    t = np.sort(points @ along)
    n = len(t)
    # Two figures were fitted; a strip of the stated width cannot be known better than this.
    scatter = math.sqrt(float(((points @ across - offset) ** 2).sum()) / (n - 2))
    scatter = max(scatter, 0.02 * width)
    gaps = np.diff(t)
    medians = np.median(rng.choice(gaps, size=(400, len(gaps))), axis=1)
    low, high = np.quantile(medians, [0.05, 0.95])
    spacing, error = _spacing(t, rng)
    half = (t[0] + t[-1]) / 2
    middle = half * along + offset * across
    return FoundRow(
        easting=float(middle[0]),
        northing=float(middle[1]),
        heading=heading % math.pi,
        length=float(t[-1] - t[0]),
        across=scatter,
        members=tuple(int(k) for k in members),
        p_value=p_value,
        offset_error=scatter / math.sqrt(n),
        heading_error=scatter / math.sqrt(float(((t - t.mean()) ** 2).sum())),
        gap=float(np.median(gaps)),
        gap_low=float(low),
        gap_high=float(high),
        spacing=spacing,
        spacing_error=error,
    )


def _spacing(t: Floats, rng: np.random.Generator) -> tuple[float, float]:
    """Return the step of the comb that places along a line fit best, or NaN."""
    gaps = np.diff(t)
    span = t[-1] - t[0]
    least = max(0.3, float(np.median(gaps)) / 6)
    most = float(gaps.max()) * 1.2
    if len(t) < 6 or most <= least:
        return math.nan, math.nan
    # Fine enough that the comb shifts by a tenth of a step over the whole line.
    waves = np.arange(1 / most, 1 / least, 0.1 / span)

    def fit(places: Floats) -> tuple[float, float]:
        power = np.abs(np.exp(2j * math.pi * np.outer(waves, places - places[0])).mean(axis=1))
        # Half of a step fits as well as the step: of nearly equal ones, the longest.
        k = int(np.flatnonzero(power >= 0.98 * power.max())[0])
        return float(power.max()), float(waves[k])

    strength, wave = fit(t)
    chance = [fit(np.cumsum(gaps * rng.uniform(0.5, 1.5, len(gaps))))[0] for _ in range(199)]
    if np.mean([other >= strength for other in chance]) >= 0.01:
        return math.nan, math.nan
    step = 1 / wave
    k = np.round((t - t[0]) / step)
    slope = np.polyfit(k, t, 1)
    rest = t - np.polyval(slope, k)
    deviation = math.sqrt(float((rest**2).sum()) / max(1, len(t) - 2))
    error = deviation / math.sqrt(float(((k - k.mean()) ** 2).sum()))
    return float(slope[0]), max(error, 1e-3)
