"""Whether the ground of a place is like that on which the probabilities were learnt."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .. import gpr
from ..sweep import Quality
from .lane_statistics import lane_statistics
from .screen import Part, Screened
from .settings import DetectorSettings
from .shift import ShiftMonitor, Verdict
from .sites import Site

#: Share of lanes of the training ground that should be in range, and the least margin for it.
FAMILIAR, LEAST_MARGIN = 0.95, 0.25

_CLUTTER = ("context_clutter", "context_clutter_tail")

_UNTOLD = "fewer than three training lanes tell what ground is familiar to this sensor"

_N_CONTEXT = 40  # traces of a stretch whose surroundings are described


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfamiliar:
    """A stretch of lane whose ground is unlike that of training: no probability is stated."""

    lane: str
    kind: str  #: of sensor
    start: float  #: s
    stop: float  #: s
    reason: str  #: which statistics lie where


def ground_statistics(part: Part, settings: DetectorSettings) -> dict[str, float]:
    """
    Return what the ground of a stretch is like, for a monitor of shift.

    Parameters
    ----------
    part : Part
        From a screen.
    settings : DetectorSettings
        What its stages were told.

    Returns
    -------
    statistics : dict of float
        Those of :func:`~minesense.detect.lane_statistics`, and for a radar the medians
        along the stretch of :data:`minesense.gpr.CONTEXT_FEATURES`: height, reflection,
        permittivity, bounce and clutter. Clutter, like the background, is NaN where a
        stretch has too little of it.

    Examples
    --------
    >>> from minesense.detect import DetectorSettings
    >>> from minesense.detect.familiarity import ground_statistics
    >>> (part,) = screened.parts  # doctest: +SKIP
    >>> sorted(ground_statistics(part, DetectorSettings()))  # doctest: +SKIP
    ['bandwidth', 'candidates_per_m', 'context_bounce_spread', ...]
    """
    found = lane_statistics(part)
    if part.bounce is None:
        return found
    usable = np.flatnonzero(part.scores.is_judged)
    chosen = usable[np.linspace(0, len(usable) - 1, min(_N_CONTEXT, len(usable))).astype(int)]
    middle = part.processed.samples.shape[1] // 2
    rows = gpr.context_features(
        part.processed,
        chosen,
        np.full(len(chosen), middle),
        np.full(len(chosen), settings.radar.ground_time),
        ground_time=settings.radar.ground_time,
        spacing=settings.radar.spacing,
        bounce=part.bounce,
    )
    for feature, column in zip(gpr.CONTEXT_FEATURES, rows.T, strict=True):
        known = column[np.isfinite(column)]
        found[feature.name] = float(np.median(known)) if len(known) else float("nan")
    if math.isnan(found["tail"]):
        # What is left around the places of a short stretch is no clutter: one such number in
        # training would set the margin of every statistic.
        found |= dict.fromkeys(_CLUTTER, math.nan)
    return found


def fit_monitors(
    lanes: Iterable[Mapping[str, Screened]], settings: DetectorSettings
) -> dict[str, ShiftMonitor]:
    """
    Learn what the ground of training lanes is like.

    Parameters
    ----------
    lanes : sequence of dict of Screened
        From :meth:`minesense.Detector.screen`.
    settings : DetectorSettings
        What the stages were told.

    Returns
    -------
    monitors : dict of ShiftMonitor
        By kind of sensor, if three lanes or more tell of it; without one all ground is
        unfamiliar to that sensor. Statistics that no training lane knows are left out; the
        margin is :func:`familiar_margin`.

    Examples
    --------
    >>> from minesense.detect import DetectorSettings
    >>> from minesense.detect.familiarity import fit_monitors
    >>> fit_monitors([], DetectorSettings())
    {}
    """
    tables: dict[str, list[list[dict[str, float]]]] = {}
    for lane in lanes:
        for kind, screened in lane.items():
            rows = [ground_statistics(part, settings) for part in screened.parts]
            if rows:
                tables.setdefault(kind, []).append(rows)
    return {kind: _fit(rows) for kind, rows in tables.items() if len(rows) > 2}


def familiar_margin(lanes: Sequence[Sequence[Mapping[str, float]]]) -> float:
    """
    Return how far beyond the ranges of other lanes a lane of the same ground may lie.

    Parameters
    ----------
    lanes : sequence of sequence of dict of float
        Statistics of the stretches of each training lane, three lanes or more.

    Returns
    -------
    margin : float
        Of :meth:`~minesense.detect.ShiftMonitor.fit`; 0.25 at least.

    Notes
    -----
    Each lane is held against the ranges of the others; the margin takes in
    ceil(0.95 (n + 1)) of the n lanes, or all where there are fewer than 19: a new lane of
    the same ground then is unfamiliar in about one of twenty cases, or with n = 9 in one of
    ten, to each sensor; with two sensors in about twice as many. Stretches that lack a
    statistic come on top. With few lanes ranges are short, and margins grow to make up for
    it.

    Examples
    --------
    >>> from minesense.detect import familiar_margin
    >>> lanes = [[{"permittivity": 4.0 + 0.1 * k}] for k in range(30)]
    >>> familiar_margin(lanes), round(familiar_margin(lanes[::10]), 2)
    (0.25, 1.03)
    """
    needed = []
    for k, lane in enumerate(lanes):
        rest = [row for other in (*lanes[:k], *lanes[k + 1 :]) for row in other]
        monitor = ShiftMonitor.fit(_known(rest), margin=0.0)
        beyond = [
            item.distance
            for row in lane
            for item in monitor.check(_of(row, monitor)).departures
            if item.reason == "range"
        ]
        needed.append(max(beyond, default=0.0))
    index = min(len(needed), math.ceil(FAMILIAR * (len(needed) + 1)))
    return max(LEAST_MARGIN, sorted(needed)[index - 1])


def unfamiliar_ground(
    lanes: Iterable[Mapping[str, Screened]],
    monitors: Mapping[str, ShiftMonitor],
    settings: DetectorSettings,
) -> tuple[Unfamiliar, ...]:
    """
    Return the stretches of lanes on which probabilities are withheld, and why.

    Parameters
    ----------
    lanes : sequence of dict of Screened
        Lanes to judge.
    monitors : dict of ShiftMonitor
        Of :func:`fit_monitors`.
    settings : DetectorSettings
        What the stages were told.

    Returns
    -------
    stretches : tuple of Unfamiliar
        In the order of lanes. A stretch with too little background to tell is one of them,
        and so is every stretch of a sensor without a monitor: nobody knows what its ground
        was like in training.

    Examples
    --------
    >>> from minesense.detect import DetectorSettings
    >>> from minesense.detect.familiarity import unfamiliar_ground
    >>> unfamiliar_ground([], {}, DetectorSettings())
    ()
    """
    found = []
    for lane in lanes:
        for kind, screened in lane.items():
            for part in screened.parts:
                reason = _UNTOLD
                if kind in monitors:
                    reason = _verdict(part, monitors[kind], settings).reason
                if reason:
                    time = part.processed.time
                    found.append(
                        Unfamiliar(
                            lane=screened.lane,
                            kind=kind,
                            start=float(time[0]),
                            stop=float(time[-1]),
                            reason=reason,
                        )
                    )
    return tuple(found)


def is_unfamiliar(sites: Sequence[Site], stretches: Iterable[Unfamiliar]) -> np.ndarray:
    """
    Tell which places lie on ground unlike that of training.

    Parameters
    ----------
    sites : sequence of Site
        Places.
    stretches : sequence of Unfamiliar
        Of :func:`unfamiliar_ground`.

    Returns
    -------
    is_unfamiliar : (n,) bool ndarray
        Whether a sensor that has a say at the place had such a stretch when it was there, by
        its own clock, or whoever made the sweep flagged it OUT_OF_DOMAIN.

    Examples
    --------
    >>> from minesense.detect.familiarity import is_unfamiliar
    >>> is_unfamiliar([], ()).tolist()
    []
    """
    by_lane: dict[str, list[Unfamiliar]] = {}
    for item in stretches:
        by_lane.setdefault(item.lane, []).append(item)
    return np.array(
        [
            bool(site.quality & Quality.OUT_OF_DOMAIN)
            or any(
                item.start <= site.times.get(item.kind, site.time) <= item.stop
                and item.kind in site.features
                and bool(np.isfinite(site.features[item.kind]).any())
                for item in by_lane.get(site.lane, ())
            )
            for site in sites
        ],
        dtype=bool,
    )


def _fit(lanes: Sequence[Sequence[Mapping[str, float]]]) -> ShiftMonitor:
    """Return the monitor of training lanes, with the margin that they ask for."""
    rows = _known([row for lane in lanes for row in lane])
    return ShiftMonitor.fit(rows, margin=familiar_margin(lanes))


def _of(row: Mapping[str, float], monitor: ShiftMonitor) -> dict[str, float]:
    """Return the statistics of a row that a monitor knows."""
    return {name: row[name] for name in monitor.ranges if name in row}


def _known(rows: Sequence[Mapping[str, float]]) -> list[dict[str, float]]:
    """Return rows without the statistics that none of them knows."""
    names = {name for row in rows for name, value in row.items() if not np.isnan(value)}
    return [{name: value for name, value in row.items() if name in names} for row in rows]


def _verdict(part: Part, monitor: ShiftMonitor, settings: DetectorSettings) -> Verdict:
    """Compare a stretch with the training ranges of the statistics that training knew."""
    return monitor.check(_of(ground_statistics(part, settings), monitor))
