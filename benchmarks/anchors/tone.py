"""An average hand-held metal detector and who listens to it: a tone where the ground changes.

Nothing here is learned or fitted. The detector is balanced against the ground at the start of
a lane, tunes itself slowly, and sounds as loud as what is left; the operator marks the loudest
place of every sound.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.ndimage import median_filter, uniform_filter1d

from minesense.alarm import Candidate
from minesense.detect import merge_candidates
from minesense.sensor import pulse_train_of
from minesense.sweep import Quality, Sweep

#: Gates of the early and the late window, by the time of their beginning, s.
EARLY, LATE = (15e-6, 40e-6), (60e-6, 160e-6)
BALANCING = 2.0  # s at the start of a lane in which the ground is balanced
TUNING = 1.5  # s over which the detector tunes itself
AVERAGING = 0.08  # s of the tone that the ear takes together
MARK = 0.25  # m between marks
NEAR, FAINT = 0.6, 0.1  # m and share: fainter sounds so near belong to the same object
_LOST = int(Quality.SATURATED | Quality.STUCK)


def loudness(sweep: Sweep) -> np.ndarray:
    """Return how loud the detector is at every trace, V per ampere; NaN where it is off."""
    begin = pulse_train_of(sweep.sensor).gates[:, 0]
    windows = []
    for low, high in (EARLY, LATE):
        windows.append(sweep.samples[:, 0, (begin >= low) & (begin < high)].mean(axis=1))
    early, late = (np.asarray(window, np.float64) for window in windows)
    is_on = np.isfinite(early) & ((sweep.quality & _LOST) == 0)
    start = is_on & (sweep.time < sweep.time[0] + BALANCING)
    ground, spread = np.median(late[start]), np.median(np.abs(np.diff(late[start])))
    # ground that is hardly felt is left as it is
    balance = np.median(early[start]) / ground if ground > 3 * spread else 0.0
    left = np.where(is_on, early - balance * late, 0.0)
    rate = (len(sweep) - 1) / (sweep.time[-1] - sweep.time[0])
    left = left - median_filter(left, size=2 * round(rate * TUNING / 2) + 1)
    level = np.abs(uniform_filter1d(left, max(1, round(rate * AVERAGING))))
    return np.where(is_on, level, np.nan)


def marks(sweep: Sweep, *, threshold: float) -> list[Candidate]:
    """Return where the operator puts a mark: the loudest trace of every sound."""
    level = loudness(sweep)
    place = sweep.channel_position[:, 0]
    is_loud = np.nan_to_num(level) > threshold
    edges = np.flatnonzero(np.diff(is_loud.astype(np.int8), prepend=0, append=0))
    found = []
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        k = start + int(np.nanargmax(level[start:stop]))
        found.append(
            Candidate(
                sensor="emi",
                lane=sweep.lane,
                trace=k,
                channel=0,
                time=float(sweep.time[k]),
                easting=float(place[k, 0]),
                northing=float(place[k, 1]),
                score=float(level[k]),
            )
        )
    return _pinpointed(merge_candidates(found, radius=MARK))


def _pinpointed(found: list[Candidate]) -> list[Candidate]:
    """Leave out what is so much fainter than a sound beside it that it belongs to it."""
    kept: list[Candidate] = []
    for one in found:  # by falling score
        drowned = any(
            one.score < FAINT * other.score
            and math.hypot(one.easting - other.easting, one.northing - other.northing) < NEAR
            for other in kept
        )
        if not drowned:
            kept.append(one)
    return kept
