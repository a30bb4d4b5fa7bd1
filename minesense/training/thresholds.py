"""Thresholds set on lanes whose truth is known."""

from __future__ import annotations

import numpy as np

from ..sweep import Floats


def rate_threshold(scores: Floats, *, rate: float, area: float) -> float:
    """
    Return the lowest threshold that raises no more false alarms than a rate allows.

    Parameters
    ----------
    scores : (n,) float64 ndarray
        Scores of places that hold no target.
    rate : float
        False alarms per square metre.
    area : float
        Area the scores come from, in square metres.

    Returns
    -------
    threshold : float
        An alarm is a score at or above it.

    Examples
    --------
    >>> import numpy as np
    >>> threshold = rate_threshold(np.array([1.0, 2.0, 3.0, 4.0]), rate=0.2, area=10.0)
    >>> 2.0 < threshold <= 3.0
    True
    """
    allowed = int(rate * area + 1e-9)
    ordered = np.sort(np.asarray(scores, dtype=np.float64))[::-1]
    if len(ordered) <= allowed:
        return float(ordered[-1]) if len(ordered) else 0.0
    return float(np.nextafter(ordered[allowed], np.inf))
