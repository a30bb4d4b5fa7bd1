"""Kernel that finds where a score is the greatest of its neighbourhood."""

import math

from ._jit import jit


@jit
def find_peaks(
    scores, is_eligible, position, arms, spacing, radius, n_look, threshold, first, is_peak
):
    """
    Mark the cells above the threshold that no eligible cell within the radius beats.

    Parameters
    ----------
    scores : (n_traces, n_channels) float32 array
        Consecutive traces.
    is_eligible : (n_traces,) bool array
        Whether the cells of a trace can be peaks and can beat others.
    position : (n_traces, n_channels, 2) float64 array
        Easting and northing of each cell, m; NaN where unknown.
    arms : (n_channels, 2) float64 array
        Right and forward of each channel, m: used where a position is unknown.
    spacing, radius : float
        Distance between traces where a position is unknown; of the neighbourhood, m.
    n_look : int
        Traces to each side that are compared.
    threshold : float
        A peak is greater.
    first : int
        First trace to judge.
    is_peak : (n_judged, n_channels) bool array
        Overwritten for as many traces from `first` on.
    """
    n_traces, n_channels = scores.shape
    for k in range(first, first + len(is_peak)):
        start = max(0, k - n_look)
        stop = min(n_traces, k + n_look + 1)
        for c in range(n_channels):
            score = scores[k, c]
            is_best = is_eligible[k] and score > threshold
            i = start
            while is_best and i < stop:
                for j in range(n_channels):
                    other = scores[i, j]
                    if not is_eligible[i] or other < score:
                        continue
                    # of equal scores, the first in the order of traces and channels wins
                    if other == score and (i > k or (i == k and j >= c)):
                        continue
                    east = position[i, j, 0] - position[k, c, 0]
                    north = position[i, j, 1] - position[k, c, 1]
                    square = east * east + north * north
                    if math.isnan(square):  # one of the positions is unknown
                        across = arms[j, 0] - arms[c, 0]
                        along = spacing * (i - k) + arms[j, 1] - arms[c, 1]
                        square = across * across + along * along
                    if square <= radius * radius:
                        is_best = False
                i += 1
            is_peak[k - first, c] = is_best
