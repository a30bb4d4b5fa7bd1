"""Which traces of a lane enter its statistics, and where they lie along the track."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from ...sweep import UNUSABLE, Quality, Sweep

#: Usable traces below which nothing is told.
LEAST_TRACES = 50

#: Longest distance between traces that is looked at, in traces.
MOST_LAGS = 200

#: What is wrong with traces that are left out: their samples are not those of the ground.
LEFT_OUT = (
    UNUSABLE
    | Quality.INTERFERENCE
    | Quality.BASELINE_STEP
    | Quality.SETTING_CHANGED
    | Quality.CHECK_FAILED
    | Quality.OUT_OF_DOMAIN
)

_REGULAR = 0.3  # by how much a step may differ from the spacing, as in detection
_IRREGULAR_SHARE = 0.1  # of the steps that may differ by more


def is_kept(sweep: Sweep) -> npt.NDArray[np.bool_]:
    """Return which traces of a lane enter its statistics."""
    return np.asarray((sweep.quality & LEFT_OUT) == 0)


def rows_of(sweep: Sweep) -> tuple[npt.NDArray[np.int64], float]:
    """
    Return the places of traces along the track, in traces, and the distance between them.

    Parameters
    ----------
    sweep : Sweep
        Any lane.

    Returns
    -------
    row : (n_traces,) int64 ndarray
        Increasing, with empty places where ground is missing.
    spacing : float
        In metres. NaN without positions, and where more than a tenth of the steps differ by
        more than 30 % from their median or a multiple of it: then rows are mere counts.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense import Sensor, Sweep
    >>> northing = np.array([0.0, 0.1, 0.2, 0.5, 0.6])
    >>> sensor = Sensor(name="demo", kind="gpr", axis=[0.0, 1e-9], lever_arms=[[0, 0, 0]])
    >>> sweep = Sweep(
    ...     samples=np.zeros((5, 1, 2)),
    ...     time=northing,
    ...     position=np.column_stack([0 * northing, northing, 0 * northing]),
    ...     heading=np.zeros(5),
    ...     sensor=sensor,
    ... )
    >>> row, spacing = rows_of(sweep)
    >>> row.tolist(), round(spacing, 6)
    ([0, 1, 2, 5, 6], 0.1)
    """
    steps = np.hypot(*np.diff(sweep.position[:, :2], axis=0).T)
    known = steps[np.isfinite(steps)]
    moving = known[known > 0]
    spacing = float(np.median(moving)) if len(moving) else math.nan
    is_odd = np.abs(known - spacing * np.fmax(1, np.rint(known / spacing))) > _REGULAR * spacing
    has_gap = (sweep.quality[1:] & Quality.GAP) != 0
    if not len(moving) or is_odd.sum() > _IRREGULAR_SHARE * len(known):
        spacing = math.nan
        ahead = np.ones(len(steps), np.int64)
    else:
        jumps = np.nan_to_num(steps / spacing, nan=1.0)
        ahead = np.clip(np.rint(jumps), 1, MOST_LAGS + 1).astype(np.int64)
    # how much is missing is not known there: farther apart than any lag
    ahead[has_gap & ~(np.isfinite(steps) & np.isfinite(spacing))] = MOST_LAGS + 1
    return np.concatenate([[0], np.cumsum(ahead)]).astype(np.int64)[: len(sweep)], spacing
