"""Whether a lane as it was recorded is one that windows along its track can look at."""

from __future__ import annotations

import itertools

import numpy as np

from ..sweep import Floats

#: How far apart traces may be, in spacings: half of those that move, and on half of the track,
#: where noise of positions counts for more.
_COARSEST, _COARSEST_TRACK = 1.3, 1.6

#: Of so many metres of track (about what the stages look at) the least share that a lane gets
#: farther by, on half of it; in lanes that are three times as long.
_STRETCH, _STRAIGHTEST = 2.0, 0.7


class TrackShape:
    """
    Note the places of a lane's traces; refuse what is too coarse, or winds.

    Parameters
    ----------
    spacing : float
        At which the lane is to be looked at, in metres.
    """

    def __init__(self, *, spacing: float):
        self.spacing = spacing
        self._stretches: list[list[Floats]] = []
        self._length, self._n_steps = 0.0, 0  # of the steps of a platform that moves

    def note(self, place: Floats, *, goes_on: bool) -> None:
        """
        Take the places of the next traces.

        Parameters
        ----------
        place : (n, 2) float64 ndarray
            In metres, n of at least one; copied.
        goes_on : bool
            Whether the first is the neighbour of the last one that was noted.
        """
        if goes_on:
            place = np.concatenate([self._stretches[-1][-1][-1:], place])
        else:
            self._stretches.append([])
            place = place.copy()
        self._stretches[-1].append(place)
        steps = np.hypot(*np.diff(place, axis=0).T)
        self._length += float(steps.sum())
        self._n_steps += int(np.count_nonzero(steps))

    @property
    def pace(self) -> float:
        """How far apart the traces of a platform that moves were so far, m."""
        return self._length / self._n_steps if self._n_steps else self.spacing

    def refuse_coarse(self, name: str) -> None:
        """
        Raise if most of the lane would be made up.

        Parameters
        ----------
        name : str
            Of the lane, for the message.

        Raises
        ------
        ValueError
            If half of the traces that move are farther apart than 1.3 spacings, or half of
            the track lies in steps longer than 1.6: a receiver's last place, repeated.
        """
        pieces = list(itertools.chain(*self._stretches))
        steps = [np.hypot(*np.diff(piece, axis=0).T) for piece in pieces]
        step = np.sort(np.concatenate([*steps, np.empty(0)]))
        step = step[step > 0]
        if not len(step):
            return
        along = np.cumsum(step)
        longest = float(step[np.searchsorted(along, along[-1] / 2)])
        typical = float(np.median(step))
        if longest <= _COARSEST_TRACK * self.spacing:
            longest = typical
        if longest > _COARSEST * self.spacing:
            msg = (
                f"Invalid {name}: its traces are {longest:.4g} m apart. Must be at most "
                f"{self.spacing:g} m, as the settings say, within 30 %; where a place is that "
                "of several traces, state one for each."
            )
            raise ValueError(msg)

    def refuse_winding(self, name: str) -> None:
        """
        Raise if what lies behind along the track mostly lies beside it, not behind.

        Parameters
        ----------
        name : str
            Of the lane, for the message.

        Raises
        ------
        ValueError
            If it gets farther by less than 0.7 of its track.
        """
        place = np.concatenate([np.empty((0, 2)), *itertools.chain(*self._stretches)])
        step = np.hypot(*np.diff(place, axis=0).T)
        place = place[np.concatenate([[True], step > 0])[: len(place)]]  # stands, repeated ends
        along = np.concatenate([[0.0], np.cumsum(step[step > 0])])
        if along[-1] < 3 * _STRETCH:
            return
        end = np.searchsorted(along, along + _STRETCH)
        start = np.flatnonzero(end < len(place))
        end = end[start]
        away = np.hypot(*(place[end] - place[start]).T) / (along[end] - along[start])
        typical = float(np.median(away)) if len(away) else 1.0
        if typical < _STRAIGHTEST:
            msg = (
                f"Invalid {name}: of {_STRETCH:g} m of its track it gets "
                f"{_STRETCH * typical:.2g} m farther. Must be a lane that goes straight on, "
                "not one of a swung head, with positions that do not wander."
            )
            raise ValueError(msg)
