"""Which objects of a truth count on the ground of a coverage."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import numpy as np

from ..coverage import Coverage
from ..truth import Target, Truth
from .halo import TOLERANCE, Halo


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedTruth:
    """The truth that counts on some ground, and what was left out of it."""

    truth: Truth
    left_out: tuple[Target, ...]  #: they name a lane that is not swept, and lie elsewhere
    renamed: tuple[Target, ...]  #: they name such a lane, and lie on this ground all the same


def counted_truth(truth: Truth, coverage: Coverage, halo: Halo) -> CountedTruth:
    """
    Return the objects that count on the ground where observation was wanted.

    Parameters
    ----------
    truth : Truth
        What is in the ground, of other lanes too.
    coverage : Coverage
        What was observed, and where that was wanted.
    halo : Halo
        How near an alarm must be: as near to wanted ground an object counts.

    Returns
    -------
    counted : CountedTruth
        An object is left out only if it names a lane that is not in the coverage, and lies
        farther from all wanted ground than its halo reaches. One that names such a lane and
        lies on this ground counts there and names none: a name that is misspelt hides no
        miss. One that names no lane, or one of the coverage, counts wherever it lies.

    Examples
    --------
    Two mines name a lane that was not swept, one of them lies in the lane that was:

    >>> from minesense import Target, Truth
    >>> from minesense.coverage import observe
    >>> from minesense.score import Halo
    >>> from minesense.score.counted import counted_truth
    >>> coverage = observe([], footprint={"emi": 0.2}, area=[(0.0, 0.0, 1.0, 9.0, "lane 1")])
    >>> mines = tuple(
    ...     Target(
    ...         identifier=f"at {easting:g} m",
    ...         kind="disc",
    ...         is_target=True,
    ...         easting=easting,
    ...         northing=4.0,
    ...         depth=0.05,
    ...         diameter=0.1,
    ...         metal_class="low",
    ...         lane="Lane 1",
    ...     )
    ...     for easting in (0.5, 3.0)
    ... )
    >>> counted = counted_truth(Truth(objects=mines), coverage, Halo())
    >>> [(mine.identifier, mine.lane) for mine in counted.truth.objects]
    [('at 0.5 m', '')]
    >>> [mine.identifier for mine in counted.left_out]
    ['at 3 m']
    """
    lanes = {"", *coverage.lanes}
    kept: list[Target] = []
    left_out: list[Target] = []
    renamed: list[Target] = []
    for item in truth.objects:
        if item.lane in lanes:
            kept.append(item)
        elif _is_near(coverage, item, halo):
            renamed.append(item)
            kept.append(dataclasses.replace(item, lane=""))
        else:
            left_out.append(item)
    return CountedTruth(
        truth=dataclasses.replace(truth, objects=tuple(kept)),
        left_out=tuple(left_out),
        renamed=tuple(renamed),
    )


def _is_near(coverage: Coverage, item: Target, halo: Halo) -> bool:
    """Return whether an object lies on wanted ground or as near to it as its halo reaches."""
    place = np.array([item.easting, item.northing])
    reach = halo.reach(item.diameter) + TOLERANCE
    if not (np.isfinite(place).all() and 0 < reach < math.inf):
        return True  # whoever matches it says what is wrong with it
    shape = np.array(coverage.shape[::-1])
    with np.errstate(over="ignore"):  # a place at the end of numbers is far away
        first, last = (
            np.clip((place + sign * reach - coverage.origin) / coverage.cell, -1, shape + 1)
            for sign in (-1, 1)
        )
    start = np.maximum(np.floor(first).astype(int), 0)
    stop = np.minimum(np.floor(last).astype(int) + 1, shape)
    if (start >= stop).any():
        return False
    wanted = coverage.wanted[start[1] : stop[1], start[0] : stop[0]]
    # to the nearest point of each cell: a halo smaller than a cell may hold no centre
    gaps = []
    for axis in (0, 1):
        edges = coverage.origin[axis] + np.arange(start[axis], stop[axis] + 1) * coverage.cell
        beyond = np.maximum(edges[:-1] - place[axis], place[axis] - edges[1:])
        gaps.append(np.maximum(beyond, 0.0))
    return bool((wanted & (np.hypot(gaps[0], gaps[1][:, None]) <= reach)).any())
