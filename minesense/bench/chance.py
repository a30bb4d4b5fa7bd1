"""Entrants that see no sensor sample: what any detector must beat, and what tells of leaks."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..alarm import Alarm
from ..coverage import Coverage, Rectangle, Region, observe
from ..detect import DetectorSettings, fit, predict
from ..score import Halo, match, random_alarms
from ..sweep import Floats, Sweep
from ..truth import Truth
from .found import Found

#: Marks per m2: four times as many as the last false-alarm rate that a figure is read at.
DENSITY = 4.0


class RandomMarks:
    """Marks at random places with random scores, half of the design rate above threshold."""

    name = "random"

    def train(
        self,
        sweeps: Sequence[Sweep],
        truth: Truth,
        *,
        area: Sequence[Rectangle | Region],
        seed: int,
        workers: int,
    ) -> None:
        """Keep the seed; there is nothing to learn."""
        self._seed = seed

    def detect(self, sweeps: Sequence[Sweep], *, area: Sequence[Rectangle | Region]) -> Any:
        """Return the marks on the ground that the traces passed."""
        return Found(
            ranked=marks_over(sweeps, area, self._seed)[0],
            threshold=1 - DetectorSettings().design_rate / DENSITY,
        )


class Dowsing:
    """
    A model that sees time, position and the lay of the lanes, and no sensor sample.

    It ranks the marks of :class:`RandomMarks` by boosted trees on the distances along and
    across the lane, those to its ends and sides, the order of lanes, the time since the lane
    began and how long the platform stayed. If it does better than the random order, the
    field gives its targets away.
    """

    name = "dowsing"

    def train(
        self,
        sweeps: Sequence[Sweep],
        truth: Truth,
        *,
        area: Sequence[Rectangle | Region],
        seed: int,
        workers: int,
    ) -> None:
        """Learn where in lanes the targets of the training lanes lie."""
        self._seed = seed
        # ten times the marks: targets are few, and a model that has seen few learns nothing
        marks, coverage = marks_over(sweeps, area, seed + 1, density=10 * DENSITY)
        near = match(marks, truth, Halo(), coverage=coverage)
        outcome = {alarm.identifier: alarm.outcome for alarm in near.alarms}
        labels = np.array([outcome[mark.identifier] in ("hit", "repeat") for mark in marks])
        keep = np.array([outcome[mark.identifier] != "outside" for mark in marks])
        rows = layout_features(marks, sweeps, area)
        if not labels.any():
            msg = "Invalid truth: no target lies where a mark was put. Must hold some."
            raise ValueError(msg)
        self._estimator = fit(rows[keep], labels[keep], seed=seed)
        rate = DetectorSettings().design_rate / DENSITY
        self._threshold = float(np.quantile(predict(self._estimator, rows), 1 - rate))

    def detect(self, sweeps: Sequence[Sweep], *, area: Sequence[Rectangle | Region]) -> Any:
        """Return the random marks in the order of the model."""
        marks, _ = marks_over(sweeps, area, self._seed)
        scores = predict(self._estimator, layout_features(marks, sweeps, area))
        # marks that the trees cannot tell apart keep their random order
        ties = np.array([mark.score for mark in marks])
        ranked = [
            dataclasses.replace(mark, score=float(score + 1e-9 * tie), model="dowsing")
            for mark, score, tie in zip(marks, scores, ties, strict=True)
        ]
        return Found(ranked=ranked, threshold=self._threshold)


def marks_over(
    sweeps: Sequence[Sweep],
    area: Sequence[Rectangle | Region],
    seed: int,
    *,
    density: float = DENSITY,
) -> tuple[list[Alarm], Coverage]:
    """
    Return random marks on the ground that traces passed, and that ground.

    Parameters
    ----------
    sweeps : sequence of Sweep
        Of any sensors.
    area : sequence of rectangles
        Where observation is wanted.
    seed : int
        Of the marks.
    density : float
        Marks per m2.

    Returns
    -------
    marks : list of Alarm
        Of :func:`minesense.score.random_alarms`.
    coverage : Coverage
        Of the traces as they were recorded.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.bench.chance import marks_over
    >>> from minesense.sensor import Sensor
    >>> from minesense.sweep import Sweep
    >>> northing = np.arange(0.0, 10.0, 0.05)
    >>> sweep = Sweep(
    ...     samples=np.zeros((200, 1, 1)),
    ...     time=northing,
    ...     position=np.column_stack([0 * northing, northing, 0 * northing]),
    ...     heading=0 * northing,
    ...     sensor=Sensor(name="demo", kind="emi", axis=[1e-5], lever_arms=[[0, 0, 0]]),
    ...     lane="A",
    ... )
    >>> marks, coverage = marks_over([sweep], [(-0.1, 0.0, 0.1, 10.0, "A")], 1, density=20.0)
    >>> {mark.lane for mark in marks}
    {'A'}
    """
    settings = DetectorSettings()
    radii = {"gpr": settings.radar_footprint, "emi": settings.coil_footprint}
    kinds = {sweep.sensor.kind for sweep in sweeps}
    coverage = observe(
        sweeps,
        footprint={kind: radii[kind] for kind in sorted(kinds)},
        area=area,
        max_step=settings.max_gap,
    )
    # another stream of chance than that of classifiers with the same seed
    rng = np.random.default_rng([seed, 0x6D61726B])
    return random_alarms(coverage, density, rng), coverage


def layout_features(
    marks: Sequence[Alarm], sweeps: Sequence[Sweep], area: Sequence[Rectangle | Region]
) -> Floats:
    """
    Return all that can be known of places without a sensor sample.

    Parameters
    ----------
    marks : sequence of Alarm
        Places in lanes.
    sweeps : sequence of Sweep
        Of which time and position are read, and nothing else.
    area : sequence of rectangles
        Of the lanes, along northing.

    Returns
    -------
    features : (n, 8) float64 ndarray
        Metres along and across the lane, to its nearer end and side; the place of the lane
        among the others, 0 to 1; seconds since its first trace; seconds a metre there;
        metres across from the track. NaN for a lane without a trace.

    Examples
    --------
    >>> from minesense.bench.chance import layout_features
    >>> layout_features([], [], []).shape
    (0, 8)
    """
    rectangles = {str(item[-1]): item for item in area if len(item) == 5}
    order = {name: k for k, name in enumerate(rectangles)}
    rows = np.full((len(marks), 8), np.nan)
    tracks = _tracks(sweeps)
    for lane in {mark.lane for mark in marks}:
        if lane not in rectangles:
            continue
        here = [k for k, mark in enumerate(marks) if mark.lane == lane]
        west, south, east, north = rectangles[lane][:4]
        x = np.array([marks[k].easting for k in here])
        y = np.array([marks[k].northing for k in here])
        share = order[lane] / max(1, len(order) - 1)
        rows[here, 0], rows[here, 1] = y - south, x - (west + east) / 2
        rows[here, 2] = np.minimum(y - south, north - y)
        rows[here, 3] = np.minimum(x - west, east - x)
        rows[here, 4] = share
        if lane in tracks:
            time, place, slowness = tracks[lane]
            nearest = np.abs(place[:, 1][None, :] - y[:, None]).argmin(axis=1)
            rows[here, 5] = time[nearest] - time[0]
            rows[here, 6] = slowness[nearest]
            rows[here, 7] = x - place[nearest, 0]
    return rows


def _tracks(sweeps: Sequence[Sweep]) -> dict[str, tuple[Floats, Floats, Floats]]:
    """Return time, place and seconds a metre of the first sweep of each lane."""
    tracks = {}
    for sweep in sweeps:
        known = np.isfinite(sweep.position[:, :2]).all(axis=1)
        if sweep.lane in tracks or known.sum() < 3:
            continue
        time, place = sweep.time[known], sweep.position[known, :2]
        length = np.append(0.0, np.hypot(*np.diff(place, axis=0).T).cumsum())
        # over half a metre: from trace to trace the noise of positions is as large
        behind = np.searchsorted(length, length - 0.25)
        ahead = np.minimum(np.searchsorted(length, length + 0.25), len(length) - 1)
        metres = np.maximum(length[ahead] - length[behind], 1e-3)
        tracks[sweep.lane] = time, place, (time[ahead] - time[behind]) / metres
    return tracks
