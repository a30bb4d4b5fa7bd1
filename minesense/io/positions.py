"""Positions between fixes: interpolated over a short time, never beyond, never across a gap."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def interpolate(times: Floats, values: Floats, at: Floats, *, max_gap: float) -> Floats:
    """
    Return values between fixes, by straight lines over time.

    Parameters
    ----------
    times : (n_fixes,) float64 ndarray
        Seconds, strictly increasing.
    values : (n_fixes, n) float64 ndarray
        What was known then.
    at : (n_rows,) float64 ndarray
        Seconds; NaN gives NaN.
    max_gap : float
        Longest time between two fixes to interpolate over, in seconds.

    Returns
    -------
    result : (n_rows, n) float64 ndarray
        NaN before the first fix, after the last one, and in longer gaps. At the time of a fix
        it is the fix.

    Examples
    --------
    >>> times, values = np.array([0.0, 1.0, 9.0]), np.array([[0.0], [2.0], [18.0]])
    >>> at = np.array([0.5, 5.0, 9.0, 10.0])
    >>> interpolate(times, values, at, max_gap=2.0).ravel().tolist()
    [1.0, nan, 18.0, nan]
    """
    result = np.full((len(at), values.shape[1]), np.nan)
    if not len(times):
        return result
    inside = np.flatnonzero((at >= times[0]) & (at <= times[-1]))
    if not len(inside):
        return result
    here = at[inside]
    after = np.minimum(np.searchsorted(times, here, side="left"), len(times) - 1)
    exact = times[after] == here
    before = np.where(exact, after, np.maximum(after - 1, 0))
    span = times[after] - times[before]
    weight = np.where(span > 0, (here - times[before]) / np.where(span > 0, span, 1.0), 0.0)
    line = values[before] + weight[:, None] * (values[after] - values[before])
    line[~exact & (span > max_gap)] = np.nan
    result[inside] = line
    return result


def fill_held(time: Floats, position: Floats, max_gap: float) -> Floats:
    """
    Return positions with those that are not known interpolated from their neighbours.

    Parameters
    ----------
    time : (n_rows,) float64 ndarray
        Seconds, NaN where unknown.
    position : (n_rows, 3) float64 ndarray
        NaN where a row has none of its own.
    max_gap : float
        Longest time between neighbours, in seconds.

    Returns
    -------
    position : (n_rows, 3) float64 ndarray
        A new array.

    Examples
    --------
    >>> place = np.array([[0.0, 0, 0], [np.nan] * 3, [2.0, 0, 0]])
    >>> fill_held(np.array([0.0, 1.0, 2.0]), place, 5.0)[:, 0].tolist()
    [0.0, 1.0, 2.0]
    """
    has_own: npt.NDArray[Any] = np.asarray(np.isfinite(position).all(axis=1))
    known = np.flatnonzero(np.isfinite(time) & has_own)
    rising = known[time[known] >= np.maximum.accumulate(time[known])]
    fixes = rising[np.unique(time[rising], return_index=True)[1]]
    filled = interpolate(time[fixes], position[fixes], time, max_gap=max_gap)
    return np.where(has_own[:, None], position, filled)
