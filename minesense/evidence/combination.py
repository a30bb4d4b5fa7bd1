"""What several searches miss together: tables over the patterns in which they overlap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .._validation import check_array, check_one_of, check_probability
from ..sweep import Floats
from .assets import COMMON_MODE, CountedTrials, Evidence
from .remaining import COMBINATIONS, Combination
from .site_grid import SiteGrid

#: Equally likely sets of Pd, drawn from the counts of all trials.
N_PD_SETS = 64
#: Draws of the Pd that rests on some counts, by family and counts.
DrawnPd = dict[tuple[str, CountedTrials], Floats]

_STEPS = 64  # of the share of a cell that was searched


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SearchPatterns:
    """The different ways in which cells were searched, and which cell is of which."""

    pattern: npt.NDArray[np.int64]  #: (n_rows, n_columns); 0 beyond the task
    shares: Floats  #: (n_searches, n_patterns) of the cell searched; 0 for pattern 0


def search_patterns(grid: SiteGrid, evidence: Sequence[Evidence]) -> SearchPatterns:
    """
    Return which searches covered how much of each cell, with equal cells joined.

    Parameters
    ----------
    grid : SiteGrid
        The task.
    evidence : sequence of Evidence
        Searches on its grid.

    Returns
    -------
    patterns : SearchPatterns
        Shares are rounded down to 1/64, so that no ground is credited twice.

    Raises
    ------
    ValueError
        If a footprint is of another shape, or its coordinates are of another system.

    Examples
    --------
    >>> from minesense.evidence import SiteGrid
    >>> from minesense.evidence.combination import search_patterns
    >>> search_patterns(SiteGrid(origin=(0.0, 0.0), cell=1.0, shape=(1, 3)), []).pattern
    array([[1, 1, 1]])
    """
    for item in evidence:
        grid.check_frame(item.crs, f"the search by '{item.source}'")
        if item.footprint.shape != tuple(grid.shape):
            msg = (
                f"Invalid footprint of '{item.source}' with shape {item.footprint.shape}. Must "
                f"be {tuple(grid.shape)}, that of the grid."
            )
            raise ValueError(msg)
    n_cells = int(np.count_nonzero(grid.wanted))
    codes = np.zeros((len(evidence), n_cells), np.int64)
    for k, item in enumerate(evidence):
        codes[k] = np.floor(item.footprint[grid.wanted] * _STEPS + 1e-9)
    unique, inverse = np.unique(codes, axis=1, return_inverse=True)
    pattern = np.zeros(grid.shape, np.int64)
    pattern[grid.wanted] = np.ravel(inverse) + 1
    shares = np.zeros((len(evidence), unique.shape[1] + 1))
    shares[:, 1:] = unique / _STEPS
    return SearchPatterns(pattern=pattern, shares=shares)


def combined_miss(
    pd: npt.ArrayLike,
    shares: npt.ArrayLike,
    families: Sequence[str],
    *,
    common_mode: npt.ArrayLike,
    correlation: npt.ArrayLike,
    how: Combination = "worst",
    floor: float = COMMON_MODE,
) -> Floats:
    r"""
    Return the probability that every search misses an item.

    Parameters
    ----------
    pd : (n_searches,) or (n_sets, n_searches) array_like
        Probability that each finds an item of searched ground.
    shares : (n_searches, n_patterns) array_like
        Share of the ground that each searched.
    families : sequence of str
        Family of each search.
    common_mode : (n_searches,) array_like
        Share of items that no search of the family can find.
    correlation : (n_searches,) array_like
        Between two looks of the family over one of the others.
    how : {"worst", "independent", "best"}
        Upper bound of Fréchet, families as if independent, or lower bound.
    floor : float
        Never less than this.

    Returns
    -------
    miss : (n_patterns,) or (n_sets, n_patterns) ndarray
        Between `floor` and 1; 1 where nobody looked.

    Raises
    ------
    ValueError
        If a word is unknown, the floor is not between 0 and 1 or a share is out of range.

    Notes
    -----
    A search misses :math:`m_s = 1 - c_s P_s`. The bounds are :math:`\min_s m_s` and
    :math:`\max(0, \sum_s m_s - (S - 1))`, over single searches. Within a family with the
    common-mode share :math:`u`, a look misses :math:`q_i = 1 - c_i P_i/(1 - u)` of the
    other items; sorted from the best look on, the family misses

    .. math:: u + (1 - u) \prod_i \frac{q_i (1 - \rho) + i \rho}{1 - \rho + i \rho},

    for equal looks the beta-binomial of :func:`minesense.detect.repeated_miss`, with the
    greatest share and correlation that any of its searches states. What a part of the searches
    misses at most, all of them miss at most: the least of all parts counts, so that a poor look
    more never makes the rest worse. Families are multiplied.

    Examples
    --------
    Two searches of one half of a cell each: together they miss 0.505 at least if it was the
    same half, and 0.55 at most:

    >>> from minesense.evidence.combination import combined_miss
    >>> options = {"common_mode": [0.05, 0.05], "correlation": [0.0, 0.0]}
    >>> pd, halves = [0.9, 0.9], [[0.5], [0.5]]
    >>> combined_miss(pd, halves, ["a", "b"], how="worst", **options).round(3)
    array([0.55])
    >>> combined_miss(pd, halves, ["a", "b"], how="independent", **options).round(3)
    array([0.302])
    """
    check_one_of(how, "how", COMBINATIONS)
    floor = check_probability(floor, "floor")
    p = np.asarray(pd, dtype=np.float64)
    sets = np.atleast_2d(p)
    c = check_array(shares, "shares", (len(families), "n_patterns"))
    u = check_array(common_mode, "common_mode", (len(families),))
    rho = check_array(correlation, "correlation", (len(families),))
    if (sets < 0).any() or (sets >= 1).any() or (c < 0).any() or (c > 1).any():
        msg = "Invalid pd or shares. Must be from 0 to below 1, and from 0 to 1."
        raise ValueError(msg)
    if not families:
        return np.ones((*p.shape[:-1], c.shape[1]))
    miss = 1 - np.minimum(sets, 1 - u)[:, :, None] * c[None]
    if how == "worst":
        joint = miss.min(axis=1)
    elif how == "best":
        joint = np.maximum(0.0, miss.sum(axis=1) - (len(families) - 1))
    else:
        joint = np.ones((len(sets), c.shape[1]))
        for family in dict.fromkeys(families):
            own = [k for k, name in enumerate(families) if name == family]
            joint = joint * _family_miss(miss[:, own], u[own], rho[own])
    joint = np.maximum(joint, floor)
    return joint if p.ndim == 2 else joint[0]


def _family_miss(miss: Floats, shares: Floats, correlations: Floats) -> Floats:
    """Return what all searches of one family miss, (n_sets, n_patterns)."""
    least = np.ones((len(miss), miss.shape[2]))
    # among searches with the same greatest share and correlation, more never miss more
    for share in np.unique(shares):
        for r in np.unique(correlations):
            part = (shares <= share) & (correlations <= r)
            if not part.any():
                continue
            q = np.sort(np.clip((miss[:, part] - share) / (1 - share), 0.0, 1.0), axis=1)
            i = np.arange(q.shape[1])[None, :, None]
            factors = np.where(i == 0, q, (q * (1 - r) + i * r) / (1 - r + i * r))
            # a look at nothing changes nothing, whatever the correlation
            factors = np.where(q >= 1, 1.0, factors)
            least = np.minimum(least, share + (1 - share) * factors.prod(axis=1))
    return least


def pd_sets(
    evidence: Sequence[Evidence],
    target_class: str,
    band: tuple[float, float],
    *,
    rng: np.random.Generator,
    n_sets: int = N_PD_SETS,
    drawn: DrawnPd | None = None,
) -> Floats:
    """
    Draw sets of the Pd of each search, for one class and depth band.

    Parameters
    ----------
    evidence : sequence of Evidence
        Searches.
    target_class : str
        Of the item.
    band : (float, float)
        Its depth, in metres.
    rng : numpy.random.Generator
        Source of chance.
    n_sets : int
        How many.
    drawn : dict, optional
        What was drawn before, for other bands; new draws are added.

    Returns
    -------
    sets : (n_sets, n_searches) ndarray
        Zero for a search that does not sense the class or does not reach the whole band.
        Searches that rest on the same counts have the same Pd. Draws are stratified.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.evidence.combination import pd_sets
    >>> pd_sets([], "AP", (0.0, 0.1), rng=np.random.default_rng(seed=1), n_sets=2).shape
    (2, 0)
    """
    drawn = {} if drawn is None else drawn
    sets = np.zeros((n_sets, len(evidence)))
    for k, item in enumerate(evidence):
        for (name, index), trials in item.pd.items():
            top, bottom = item.depth_bands[index]
            if name != target_class or top > band[0] + 1e-9 or bottom < band[1] - 1e-9:
                continue
            key = (item.family, trials)
            if key not in drawn:
                shares = (rng.permutation(n_sets) + rng.random(n_sets)) / n_sets
                drawn[key] = trials.quantile(shares)
            sets[:, k] = drawn[key]
    return sets
