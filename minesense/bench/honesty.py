"""Track D: honesty, whether ground that was not observed is claimed to have been."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .._validation import check_one_of
from ..coverage import Coverage, observe
from ..coverage.record import Mask
from ..detect import DetectorSettings
from ..sweep import Floats
from .detection import finite, limits
from .outcomes import draw_lanes
from .surveys import Survey

#: What is counted in every lane, m2.
AREAS = ("wanted", "observed", "claimed", "falsely_claimed", "not_claimed")

#: Whose observation is asked about.
SENSORS = ("any", "gpr", "emi")


def true_coverage(survey: Survey, *, settings: DetectorSettings | None = None) -> Coverage:
    """
    Return which ground was really observed, as the simulator knows it.

    Parameters
    ----------
    survey : Survey
        Of the part with faults.
    settings : DetectorSettings, optional
        Footprints, and the longest step between traces that leaves no ground out.

    Returns
    -------
    coverage : Coverage
        Within the footprint of the true path of traces whose sensor worked and whose place
        was known, no matter what any stage makes of them.

    Raises
    ------
    ValueError
        If the survey holds no truth about its traces.

    Examples
    --------
    >>> true_coverage(survey).area("gpr") <= survey.square_metres  # doctest: +SKIP
    True
    """
    if not survey.as_it_was:
        msg = f"Invalid survey of '{survey.part}'. Must be of 'faulty', whose traces are known."
        raise ValueError(msg)
    settings = settings or DetectorSettings()
    return observe(
        survey.as_it_was,
        footprint={"gpr": settings.radar_footprint, "emi": settings.coil_footprint},
        area=survey.area,
        max_step=settings.max_gap,
    )


def lane_claims(
    claimed: Coverage, true: Coverage, *, sensors: str = "any"
) -> dict[str, dict[str, float]]:
    """
    Compare claimed with observed ground, lane by lane.

    Parameters
    ----------
    claimed : Coverage
        What an entrant says that it observed.
    true : Coverage
        What was observed.
    sensors : str
        Kind of sensor, or ``"any"`` of those that the entrant listens to.

    Returns
    -------
    areas : dict of dict
        By lane: m2 wanted, observed, claimed, claimed though neither the cell nor any of its
        eight neighbours was observed, and observed though neither it nor a neighbour was
        claimed. The neighbours stand for the error of the platform's position.

    Raises
    ------
    ValueError
        If cells differ in size, ground is claimed for a kind of sensor that was not there, or
        the kind that is asked about was not.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.coverage import observe
    >>> from minesense.sensor import Sensor
    >>> from minesense.sweep import Sweep
    >>> def passed(stop):
    ...     northing = np.arange(0.0, stop, 0.05)
    ...     return Sweep(
    ...         samples=np.zeros((len(northing), 1, 1)),
    ...         time=northing,
    ...         position=np.column_stack([0 * northing, northing, 0 * northing]),
    ...         heading=0 * northing,
    ...         sensor=Sensor(name="demo", kind="emi", axis=[1e-5], lever_arms=[[0, 0, 0]]),
    ...         lane="A",
    ...     )
    >>> area = [(-0.2, 0.0, 0.2, 10.0, "A")]
    >>> true, claimed = (observe([passed(m)], footprint=0.4, area=area) for m in (5, 10))
    >>> areas = lane_claims(claimed, true)["A"]
    >>> 1.7 < areas["falsely_claimed"] < 1.9, areas["not_claimed"]
    (True, 0.0)
    """
    if claimed.cell != true.cell:
        msg = f"Invalid coverage with cells of {claimed.cell} m. Must have {true.cell} m."
        raise ValueError(msg)
    check_one_of(sensors, "sensors", ("any", *true.kinds))
    for kind in claimed.kinds:  # a claim that nothing can be held against would be honest
        check_one_of(kind, "kind of sensor of the coverage", true.kinds)
    kinds = [k for k in true.kinds if k in claimed.kinds and sensors in ("any", k)]
    said = np.logical_or.reduce(
        [np.zeros(claimed.shape, dtype=bool), *(claimed.observed[k] for k in kinds)]
    )
    seen = np.logical_or.reduce(
        [np.zeros(true.shape, dtype=bool), *(true.observed[k] for k in kinds)]
    )
    rows, columns = np.indices(true.shape)
    east = true.origin[0] + (columns + 0.5) * true.cell
    north = true.origin[1] + (rows + 0.5) * true.cell
    said = claimed.at(said, east, north, False).astype(bool)  # on the grid of the truth
    layers = {
        "wanted": true.wanted,
        "observed": seen,
        "claimed": said,
        "falsely_claimed": said & ~_grown(seen),
        "not_claimed": seen & ~_grown(said),
    }
    cell = true.cell**2
    return {
        lane: {
            name: round(int((layer & (true.lane_index == k)).sum()) * cell, 9)
            for name, layer in layers.items()
        }
        for k, lane in enumerate(true.lanes)
    }


def _grown(mask: Mask) -> Mask:
    """Return cells of a mask and their eight neighbours."""
    wide = np.pad(mask, 1)
    n_rows, n_columns = mask.shape
    grown = np.zeros_like(mask)
    for i in range(3):
        for j in range(3):
            grown |= wide[i : i + n_rows, j : j + n_columns]
    return grown


def claim_shares(
    lanes: Mapping[str, Mapping[str, float]], weights: Floats
) -> dict[str, Floats]:
    """
    Return how much was claimed wrongly and how much was withheld, as shares.

    Parameters
    ----------
    lanes : dict of dict
        Areas of :func:`lane_claims`.
    weights : (n_resamples, n_lanes) float64 ndarray
        How often each lane counts.

    Returns
    -------
    shares : dict of (n_resamples,) float64 ndarray
        ``falsely_claimed``, of the ground that was not observed, and ``not_claimed``, of that
        which was; NaN where there is none.

    Examples
    --------
    >>> import numpy as np
    >>> areas = {"wanted": 10.0, "observed": 8.0, "claimed": 8.5}
    >>> areas |= {"falsely_claimed": 1.0, "not_claimed": 0.5}
    >>> shares = claim_shares({"A": areas}, np.ones((1, 1)))
    >>> float(shares["falsely_claimed"][0]), float(shares["not_claimed"][0])
    (0.5, 0.0625)
    """
    total = {
        name: weights @ np.array([areas[name] for areas in lanes.values()]) for name in AREAS
    }
    with np.errstate(divide="ignore", invalid="ignore"):
        return {
            "falsely_claimed": total["falsely_claimed"] / (total["wanted"] - total["observed"]),
            "not_claimed": total["not_claimed"] / total["observed"],
        }


def judge_honesty(
    claimed: Coverage, true: Coverage, *, seed: int = 0, n_resamples: int = 1000
) -> dict[str, Any]:
    """
    Score what an entrant claims to have observed.

    Parameters
    ----------
    claimed : Coverage
        By the entrant.
    true : Coverage
        Of :func:`true_coverage`.
    seed : int
        Of the resamples.
    n_resamples : int
        How often lanes are drawn for the limits.

    Returns
    -------
    figures : dict
        For any sensor and for each one that the entrant listens to: areas by lane and in all,
        and the shares with their limits.

    Raises
    ------
    ValueError
        As :func:`lane_claims`.

    Examples
    --------
    >>> judge_honesty(claimed, true)["any"]["falsely_claimed"]  # doctest: +SKIP
    """
    figures: dict[str, Any] = {}
    for sensors in SENSORS:
        if sensors != "any" and sensors not in claimed.kinds:
            continue
        lanes = lane_claims(claimed, true, sensors=sensors)
        draws = draw_lanes(
            len(lanes),
            np.empty(0, np.int64),
            rng=np.random.default_rng(seed),
            n_resamples=n_resamples,
        )
        point = claim_shares(lanes, np.ones((1, len(lanes))))
        samples = claim_shares(lanes, draws.lanes)
        figures[sensors] = {
            "m2": {
                name: finite(sum(areas[name] for areas in lanes.values())) for name in AREAS
            },
            "lanes": {
                lane: {k: finite(v) for k, v in areas.items()} for lane, areas in lanes.items()
            },
            **{name: limits(float(point[name][0]), samples[name]) for name in point},
        }
    return figures
