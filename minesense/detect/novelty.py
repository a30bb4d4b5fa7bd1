"""Novelty: places unlike any background that was seen, which are dug, never dropped."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from .._validation import check_array, check_positive, check_probability
from ..sweep import Floats


def thin_places(
    easting: npt.ArrayLike, northing: npt.ArrayLike, *, separation: float
) -> npt.NDArray[np.intp]:
    """
    Return places that are far enough from each other to count as separate.

    Parameters
    ----------
    easting, northing : (n,) array_like
        Positions, in metres.
    separation : float
        Least distance between two that are kept, in metres; at least the length over which
        clutter is alike.

    Returns
    -------
    index : (m,) int ndarray
        Of the places kept, each the first that is far enough from all kept before it.

    Raises
    ------
    TypeError, ValueError
        If positions are not finite, lengths differ, or `separation` is not above zero.

    Examples
    --------
    >>> from minesense.detect import thin_places
    >>> thin_places([0.0, 0.0, 0.0, 0.0], [0.0, 0.2, 0.5, 0.9], separation=0.5).tolist()
    [0, 2]
    """
    east = check_array(easting, "easting", ("n",))
    north = check_array(northing, "northing", (len(east),))
    least = check_positive(separation, "separation")
    kept: list[int] = []
    for k in range(len(east)):
        if not kept or np.hypot(east[kept] - east[k], north[kept] - north[k]).min() >= least:
            kept.append(k)
    return np.array(kept, dtype=np.intp)


def conformal_p_values(scores: npt.ArrayLike, background: npt.ArrayLike) -> Floats:
    r"""
    Return how usual scores of strangeness are among those of background places.

    Parameters
    ----------
    scores : (n,) array_like
        Strangeness of places; NaN where it is not known.
    background : (m,) array_like
        Strangeness of background places that were not used to define it, thinned so that
        they do not repeat each other.

    Returns
    -------
    p : (n,) float64 ndarray
        :math:`(1 + \#\{b \ge s\}) / (m + 1)`; NaN where the score is.

    Raises
    ------
    TypeError, ValueError
        If `background` is empty or not finite.

    Notes
    -----
    If a place is background, and exchangeable with the others, :math:`P(p \le a) \le a`.

    References
    ----------
    .. [1] Vovk, V., Gammerman, A. & Shafer, G. (2005). Algorithmic learning in a random
       world. Springer. doi:10.1007/b106715.

    Examples
    --------
    >>> from minesense.detect import conformal_p_values
    >>> conformal_p_values([0.0, 2.5, 9.0], [1.0, 2.0, 3.0]).tolist()
    [1.0, 0.5, 0.25]
    """
    score = np.asarray(scores, dtype=np.float64)
    known = np.sort(check_array(background, "background", ("m",)))
    if not len(known):
        msg = "Invalid background: there is none. Must hold at least one score."
        raise ValueError(msg)
    p = (1 + len(known) - np.searchsorted(known, score, side="left")) / (len(known) + 1)
    return np.where(np.isnan(score), np.nan, p)


def is_unknown(p_values: npt.ArrayLike, *, level: float, n_background: int) -> npt.NDArray:
    """
    Return which places are unlike the background, or cannot be judged: dig them.

    Parameters
    ----------
    p_values : (n,) array_like
        From :func:`conformal_p_values`; NaN counts as unknown.
    level : float
        Share of background places that may be called unknown.
    n_background : int
        Background places that the values were counted among.

    Returns
    -------
    unknown : (n,) bool ndarray
        True where p is at most the level.

    Raises
    ------
    TypeError, ValueError
        If the level is not between 0 and 1, or so few places can never reach it.

    Examples
    --------
    >>> import math
    >>> from minesense.detect import is_unknown
    >>> is_unknown([0.5, 0.01, math.nan], level=0.01, n_background=99).tolist()
    [False, True, True]
    """
    level = check_probability(level, "level")
    if (n_background + 1) * level < 1 - 1e-9:
        msg = (
            f"Invalid n_background '{n_background}': no place could be unknown at level "
            f"{level:g}. Must be at least {math.ceil(1 / level - 1 - 1e-9)}."
        )
        raise ValueError(msg)
    p = np.asarray(p_values, dtype=np.float64)
    return np.isnan(p) | (p <= level + 1e-12)
