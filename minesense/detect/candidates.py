"""From scores along a lane to the few places worth a look."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from .._kernels.peaks import find_peaks
from .._validation import check_number, check_positive
from ..alarm import Candidate, Withheld
from ..held import HeldTraces
from ..sensor import Sensor
from ..stage import check_follows
from ..sweep import Sweep, form_of
from .cap import CandidateCap


def extract_candidates(
    scores: Sweep,
    *,
    spacing: float,
    merge_radius: float,
    threshold: float,
    most_per_area: float | None = None,
    stretch: float = 2.0,
    swath: float | None = None,
) -> list[Candidate]:
    r"""
    Find the places of a lane whose score is above the threshold and the greatest around.

    Parameters
    ----------
    scores : Sweep
        Scores of a prescreener. The score of a cell, one channel of one trace, is its
        maximum over the sample axis.
    spacing : float
        Distance between neighbouring traces, in metres.
    merge_radius : float
        Of two cells nearer than this, in metres, only the better is a candidate: 0.25 for
        anti-personnel, 0.5 for anti-vehicle mines (engineering defaults, unverified).
    threshold : float
        A candidate's score is greater, in the unit of the scores.
    most_per_area : float, optional
        Candidates kept at most, in 1/m^2, for a vehicle that stops at each; by default all
        are kept. See :class:`minesense.detect.cap.CandidateCap`.
    stretch : float
        Length of lane within which candidates compete for their places, in metres; unused
        without `most_per_area`.
    swath : float, optional
        Width of ground that one pass looks at, in metres. By default that of the channels
        and one more step between them.

    Returns
    -------
    candidates : list of Candidate
        In the order of traces and channels. The two-way time is that of the strongest
        sample for a radar, NaN for a metal detector.

    Raises
    ------
    TypeError, ValueError
        If an option is not a number in its range, the chunks do not continue a lane, or
        there is a cap that allows a stretch no candidate, or one for a sensor of one channel
        without `swath`.

    Warns
    -----
    UserWarning
        If the cap held candidates back.

    Notes
    -----
    A cell is a candidate if its score is above the threshold and no eligible cell within
    the radius is better. Of two equal ones the earlier trace is better, then the lower
    channel. Distances are horizontal, between the positions of the channels; where one of
    two is unknown (POSE_NONE), they follow from `spacing`, the trace numbers and the
    sensor's lever arms. Cells more than :math:`\lceil r / \Delta \rceil` traces apart
    (radius over spacing) are not compared, which is the look-ahead: where traces lie closer
    than `spacing`, two candidates may be nearer than the radius, and
    :func:`merge_candidates` joins them.

    **A flagged trace never yields a candidate** if its samples mean nothing (SATURATED,
    NOT_FINITE, STUCK) or a stage had too little of the lane to judge it (EDGE), and it
    suppresses none. Neither means that nothing is there: such ground counts as not
    observed.

    Examples
    --------
    >>> from minesense.sensor import Sensor
    >>> sensor = Sensor(
    ...     name="demo", kind="emi", axis=[1e-5], lever_arms=[[0, 0, 0]], quantity="score"
    ... )
    >>> northing = 0.1 * np.arange(8)
    >>> scores = Sweep(
    ...     samples=np.reshape([0, 3, 5, 3, 0, 0, 4, 0], (8, 1, 1)),
    ...     time=northing,
    ...     position=np.column_stack([0 * northing, northing, 0 * northing]),
    ...     heading=np.zeros(8),
    ...     sensor=sensor,
    ... )
    >>> found = extract_candidates(scores, spacing=0.1, merge_radius=0.25, threshold=2)
    >>> [(c.trace, round(c.northing, 3), c.score) for c in found]
    [(2, 0.2, 5.0), (6, 0.6, 4.0)]
    """
    stage = ExtractCandidates(
        spacing=spacing,
        merge_radius=merge_radius,
        threshold=threshold,
        most_per_area=most_per_area,
        stretch=stretch,
        swath=swath,
    )
    found = [*stage.process(scores), *stage.flush()]
    withheld = stage.take_withheld()
    if withheld:
        warnings.warn(
            f"The cap of {most_per_area} per m^2 held "
            f"{sum(w.n_found - w.n_kept for w in withheld)} candidates back in "
            f"{len(withheld)} stretches of lane '{scores.lane}': what they stand for is not "
            "in the result.",
            stacklevel=2,
        )
    return found


class ExtractCandidates:
    """
    Streaming form of :func:`extract_candidates`, with its options.

    It keeps the promises of a stage, but hands out candidates instead of traces: after n
    traces, those of the first n - `latency` traces are out. Where a cap acted is told by
    :meth:`take_withheld`.
    """

    def __init__(
        self,
        *,
        spacing: float,
        merge_radius: float,
        threshold: float,
        most_per_area: float | None = None,
        stretch: float = 2.0,
        swath: float | None = None,
    ):
        self.spacing = check_positive(spacing, "spacing")
        self.merge_radius = check_positive(merge_radius, "merge_radius")
        self.threshold = check_number(threshold, "threshold")
        self.most_per_area = most_per_area
        self.stretch = check_positive(stretch, "stretch")
        self.swath = None if swath is None else check_positive(swath, "swath")
        # 0.25 / 0.05 is a little more than 5: no trace of look-ahead for rounding
        self._n_look = math.ceil(self.merge_radius / self.spacing - 1e-9)
        self.latency = self._n_look
        if most_per_area is not None:
            self.most_per_area = check_positive(most_per_area, "most_per_area")
            # a candidate waits for the end of its stretch
            self.latency += max(1, round(self.stretch / self.spacing)) - 1
        self._input: Sweep | None = None  # the form of the lane, no traces
        self._last_time = -math.inf
        self._held: dict[str, HeldTraces] = {}
        self._first = 0  # of the traces held, the first not yet judged
        self._dropped = 0  # traces of the lane that are held no more
        self._cap: CandidateCap | None = None
        self._withheld: list[Withheld] = []  # of lanes that ended

    def __repr__(self) -> str:
        """Return the stage as it was made."""
        cap = ""
        if self.most_per_area is not None:
            cap = (
                f", most_per_area={self.most_per_area!r}, stretch={self.stretch!r}, "
                f"swath={self.swath!r}"
            )
        return (
            f"ExtractCandidates(spacing={self.spacing!r}, "
            f"merge_radius={self.merge_radius!r}, threshold={self.threshold!r}{cap})"
        )

    def process(self, scores: Sweep) -> list[Candidate]:
        """
        Take the next chunk of the lane; return the candidates that are final.

        Raises
        ------
        TypeError, ValueError
            If the chunk is not a Sweep, belongs to another lane or sensor than the one
            before, does not follow it in time, or holds a gap behind the lane's start.
        """
        _check_sweep(scores)
        if scores.sensor.shape == (0, 0):
            return []
        check_follows(scores, scores if self._input is None else self._input, self._last_time)
        if self._input is None:
            self._cap = self._new_cap(scores.sensor)
            self._input = form_of(scores)
        if len(scores):
            self._last_time = float(scores.time[-1])
        for name, cells in _cells(scores).items():
            if name not in self._held:
                self._held[name] = HeldTraces(cells.shape[1:], cells.dtype)
            self._held[name].extend(cells)
        return self._emit(len(self._held["score"]) - self._n_look)

    def flush(self) -> list[Candidate]:
        """End the lane: return the last candidates, and reset."""
        candidates = self._emit(len(self._held["score"])) if self._held else []
        if self._cap is not None:
            candidates += self._cap.finish()
            self._withheld += self._cap.withheld
        self._cap = None
        self.reset()
        return candidates

    def take_withheld(self) -> list[Withheld]:
        """
        Return what the cap held back, and forget it.

        Returns
        -------
        withheld : list of Withheld
            One entry for each stretch in which the cap acted, complete ones of the lane so
            far and all of lanes before that were flushed; empty without a cap.
        """
        withheld = self._withheld
        if self._cap is not None:
            withheld = withheld + self._cap.withheld
            self._cap.withheld = []
        self._withheld = []
        return withheld

    def _new_cap(self, sensor: Sensor) -> CandidateCap | None:
        """Return the cap of a lane of this sensor; None without one."""
        if self.most_per_area is None:
            return None
        swath = self.swath
        if swath is None:
            right = np.sort(sensor.lever_arms[:, 0])
            if len(right) < 2 or right[-1] <= right[0]:
                msg = (
                    f"Invalid swath 'None' for sensor '{sensor.name}', whose channels are not "
                    "side by side. Must be given with most_per_area."
                )
                raise ValueError(msg)
            swath = float((right[-1] - right[0]) * len(right) / (len(right) - 1))
        return CandidateCap(
            most_per_area=self.most_per_area,
            stretch=self.stretch,
            swath=swath,
            spacing=self.spacing,
        )

    def reset(self) -> None:
        """Drop the lane and what is held back of it."""
        self._input = None
        self._cap = None
        self._last_time = -math.inf
        self._held = {}
        self._first = self._dropped = 0

    def _emit(self, stop: int) -> list[Candidate]:
        """Return the candidates before held trace `stop`; keep what later ones need."""
        first = self._first
        if stop <= first or self._input is None:
            return []
        held = {name: queue.traces for name, queue in self._held.items()}
        sensor = self._input.sensor
        is_peak = np.empty((stop - first, sensor.shape[0]), np.bool_)
        find_peaks(
            held["score"],
            held["is_eligible"],
            held["position"],
            np.ascontiguousarray(sensor.lever_arms[:, :2]),
            self.spacing,
            self.merge_radius,
            self._n_look,
            self.threshold,
            first,
            is_peak,
        )
        candidates = []
        for k, c in np.argwhere(is_peak).tolist():
            i = first + k
            sample = int(held["sample"][i, c])
            is_radar = sensor.kind == "gpr" and sensor.axis_unit == "s"
            candidates.append(
                Candidate(
                    sensor=sensor.kind,
                    lane=self._input.lane,
                    trace=self._dropped + i,
                    channel=c,
                    time=float(held["time"][i]),
                    easting=float(held["position"][i, c, 0]),
                    northing=float(held["position"][i, c, 1]),
                    score=float(held["score"][i, c]),
                    two_way_time=float(sensor.axis[sample]) if is_radar else math.nan,
                    quality=int(held["quality"][i]),
                )
            )
        if self._cap is not None:
            candidates = self._cap.take(candidates, held["time"][first:stop])
        drop = max(0, stop - self._n_look)
        for queue in self._held.values():
            queue.drop(drop)
        self._first = stop - drop
        self._dropped += drop
        return candidates


def _check_sweep(scores: Any) -> None:
    """Raise unless the scores are a Sweep."""
    if not isinstance(scores, Sweep):
        msg = f"Invalid scores of type {type(scores).__name__}. Must be a Sweep."
        raise TypeError(msg)


def _cells(scores: Sweep) -> dict[str, npt.NDArray[Any]]:
    """Return what a candidate needs of each trace: the best sample and the place."""
    samples, is_usable = scores.samples, scores.is_usable
    if not is_usable.all():
        samples = np.where(is_usable[:, None, None], samples, np.float32(-np.inf))
    best = samples.argmax(axis=2)
    at = best.ravel() + samples.shape[2] * np.arange(best.size)
    return {
        "score": np.ascontiguousarray(samples).reshape(-1)[at].reshape(best.shape),
        "sample": best,
        "is_eligible": scores.is_judged,
        "position": np.ascontiguousarray(scores.channel_position[..., :2]),
        "time": scores.time,
        "quality": scores.quality,
    }


def merge_candidates(candidates: Iterable[Candidate], *, radius: float) -> list[Candidate]:
    """
    Keep the best of candidates that lie close together, across lanes and passes.

    Parameters
    ----------
    candidates : iterable of Candidate
        In any order.
    radius : float
        Of two candidates of one kind of sensor not farther apart than this, in metres,
        only the better is kept.

    Returns
    -------
    kept : list of Candidate
        By falling score. Equal scores are ordered by sensor, lane, trace and channel, so
        that the order of the input does not matter.

    Raises
    ------
    TypeError, ValueError
        If `radius` is not a number that is finite and greater than zero.

    Notes
    -----
    Greedy: from the best score down, a candidate is kept unless one that was kept lies
    within the radius. Scores of different sensors do not compare, so each is merged on its
    own. A candidate without a position is kept: nothing tells what it duplicates.

    Examples
    --------
    >>> place = {"sensor": "emi", "channel": 0, "time": 0.0, "easting": 0.0}
    >>> found = [
    ...     Candidate(lane="1", trace=3, northing=0.0, score=4.0, **place),
    ...     Candidate(lane="2", trace=9, northing=0.1, score=6.0, **place),
    ...     Candidate(lane="2", trace=30, northing=1.1, score=5.0, **place),
    ... ]
    >>> [(c.lane, c.trace) for c in merge_candidates(found, radius=0.25)]
    [('2', 9), ('2', 30)]
    """
    reach = check_positive(radius, "radius")
    order = sorted(candidates, key=lambda c: (-c.score, c.sensor, c.lane, c.trace, c.channel))
    place = np.array([(c.easting, c.northing) for c in order]).reshape(-1, 2)
    kind = np.array([c.sensor for c in order])
    is_kept = np.zeros(len(order), np.bool_)
    for i in range(len(order)):
        others = is_kept[:i] & (kind[:i] == kind[i])
        apart = np.hypot(*(place[:i][others] - place[i]).T)
        is_kept[i] = not (apart <= reach).any()  # False for NaN: kept
    return [candidate for candidate, keep in zip(order, is_kept, strict=True) if keep]
