"""Places of a platform that stands: positions wander, the platform does not."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from .sweep import Floats

#: m/s below which a platform counts as standing, and the seconds over which its speed is
#: taken: longer than the noise of fixes.
STANDSTILL, SPEED_WINDOW = 0.05, 0.25

#: Traces within which who stands does not get away, however slow.
GETS_ON = 5


class Standstill:
    """
    Hold the place of a platform while it stands, chunk by chunk.

    A trace that stands is where the last one was, until it is `reach` away: then that is the
    new place. So noise adds nothing to the length of the track, and creeping does. Whoever
    is half of `reach` from where it was :data:`GETS_ON` traces before gets on, however long
    that took: a rig that moves and measures by turns, or times that only count traces.

    Parameters
    ----------
    reach : float
        How far a standing platform may seem to be away, in metres.

    Examples
    --------
    >>> import numpy as np
    >>> northing = np.array([0.0, 0.1, 0.101, 0.099, 0.1, 0.101, 0.099, 0.2])
    >>> position = np.column_stack([0 * northing, northing, 0 * northing])
    >>> is_still = np.array([False, False, True, True, True, True, True, False])
    >>> Standstill(reach=0.3).hold(position, is_still)[:, 1]
    array([0. , 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.2])
    """

    def __init__(self, *, reach: float):
        self.reach = reach
        self._place: Floats | None = None
        self._recorded = np.empty((0, 2))  # the last places, as they were recorded

    def hold(self, position: Floats, is_still: npt.NDArray[np.bool_]) -> Floats:
        """
        Return where the next traces are taken to be.

        Parameters
        ----------
        position : (n, 3) float64 ndarray
            Where they were recorded, n of at least one.
        is_still : (n,) bool ndarray
            Whether the platform is as slow as one that stands.

        Returns
        -------
        position : (n, 3) float64 ndarray
            The same array where none stands.
        """
        is_still = is_still & ~self._gets_on(position[:, :2])
        if not is_still.any():
            self._place = position[-1].copy()
            return position
        held = position.copy()
        for k in range(len(held)):
            here = held[k]
            place = self._place if is_still[k] else None
            if place is not None and math.dist(here[:2], place[:2]) < self.reach:
                held[k] = place
            else:
                self._place = here.copy()
        return held

    def _gets_on(self, place: Floats) -> npt.NDArray[np.bool_]:
        """Return which of the next traces are away from those before them."""
        places = np.concatenate([self._recorded, place])
        index = np.arange(len(places) - len(place), len(places))
        way = np.hypot(*(places[index] - places[np.maximum(index - GETS_ON, 0)]).T)
        self._recorded = places[-GETS_ON:].copy()
        return np.asarray(way >= self.reach / 2)


class TrackSpeed:
    """
    Tell the speed of a platform from the places of its traces, chunk by chunk.

    That of a trace is the way made since the last one that is :data:`SPEED_WINDOW` older, or
    since the first, over the time between; of two neighbours the greater one counts, so that
    whoever starts is not taken to stand. It is NaN for the first.

    Examples
    --------
    >>> import numpy as np
    >>> time = np.array([0.0, 0.5, 1.0, 1.5])
    >>> TrackSpeed().speeds(time, np.array([[0, 0], [0, 0.5], [0, 0.5], [0, 0.5]]))
    array([nan,  1.,  1.,  0.])
    """

    def __init__(self) -> None:
        self._time, self._place = np.empty(0), np.empty((0, 2))
        self._speed = math.nan

    def speeds(self, time: Floats, place: npt.ArrayLike) -> Floats:
        """
        Return the speeds of the next traces.

        Parameters
        ----------
        time : (n,) float64 ndarray
            In seconds, rising, n of at least one.
        place : (n, 2) array_like
            In metres.

        Returns
        -------
        speeds : (n,) float64 ndarray
            In metres per second.
        """
        n = len(time)
        times = np.concatenate([self._time, time])
        places = np.concatenate([self._place, np.asarray(place, np.float64)])
        index = np.arange(len(times))
        start = np.searchsorted(times, times - SPEED_WINDOW + 1e-9, side="right") - 1
        start = np.clip(start, 0, np.maximum(index - 1, 0))
        way = np.hypot(*(places - places[start]).T)
        with np.errstate(divide="ignore", invalid="ignore"):
            speed = way / (times - times[start])
        found = np.concatenate([[self._speed], speed[-n:]])
        keep = slice(start[-1], None)  # the next trace looks no farther back
        self._time, self._place = times[keep].copy(), places[keep].copy()
        self._speed = float(found[-1])
        return np.fmax(found[1:], found[:-1])
