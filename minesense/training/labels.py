"""What lies at the places that were noticed: labels from the truth."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Sequence

import numpy as np

from ..detect import Site
from ..score import Halo
from ..score.assignment import neighbours
from ..sweep import Floats
from ..truth import Target, Truth


def label_sites(
    sites: Sequence[Site], truth: Truth, halo: Halo
) -> tuple[np.ndarray, np.ndarray]:
    """
    Say which target each place belongs to.

    Parameters
    ----------
    sites : sequence of Site
        Places that were noticed.
    truth : Truth
        What lies in the ground.
    halo : Halo
        What counts as the place of a target.

    Returns
    -------
    owner : (n,) int64 ndarray
        Index of the nearest target whose halo holds the place, -1 if none.
    keep : (n,) bool ndarray
        False in the ring around a halo, where a place is neither, as in the score; and where
        a place is not known, which may be that of a target.

    Examples
    --------
    A place 4 cm from the middle of a target belongs to it, one a metre away to none:

    >>> import numpy as np
    >>> from minesense import Target, Truth
    >>> from minesense.detect import Site
    >>> from minesense.score import Halo
    >>> from minesense.training import label_sites
    >>> mine = Target(
    ...     identifier="M1",
    ...     kind="disc",
    ...     is_target=True,
    ...     easting=0.0,
    ...     northing=1.0,
    ...     depth=0.05,
    ...     diameter=0.1,
    ...     metal_class="low",
    ... )
    >>> sites = [
    ...     Site(
    ...         lane="A",
    ...         easting=0.04 + x,
    ...         northing=1.0,
    ...         position_error=0.05,
    ...         depth=0.05,
    ...         time=0.0,
    ...         quality=0,
    ...         noticed=("gpr",),
    ...         scores={},
    ...         features={},
    ...     )
    ...     for x in (0.0, 1.0)
    ... ]
    >>> owner, keep = label_sites(sites, Truth(objects=(mine,)), Halo())
    >>> owner.tolist(), keep.tolist()
    ([0, -1], [True, True])
    """
    owner = np.full(len(sites), -1, dtype=np.int64)
    keep = np.array([math.isfinite(site.easting + site.northing) for site in sites], dtype=bool)
    targets: tuple[Target, ...] = truth.targets
    if not targets or not sites:
        return owner, keep
    places = np.array([(site.easting, site.northing) for site in sites])
    reach = [halo.reach(target.diameter) for target in targets]
    inside = neighbours(places, targets, halo)
    around = neighbours(places, targets, halo, factor=halo.ring)
    for k in range(len(sites)):
        if inside[k]:
            owner[k] = min(inside[k], key=lambda i: (inside[k][i] / reach[i], i))
        elif around[k]:
            keep[k] = False
    return owner, keep


def emplacement_weights(owner: np.ndarray) -> Floats:
    """
    Return weights such that several places at one target weigh one together.

    Parameters
    ----------
    owner : (n,) int64 ndarray
        Index of the target that each place belongs to, -1 for none.

    Returns
    -------
    weights : (n,) float64 ndarray
        One over the number of places of the same target; 1 where there is none.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.training import emplacement_weights
    >>> emplacement_weights(np.array([0, 0, -1])).tolist()
    [0.5, 0.5, 1.0]
    """
    counts = np.bincount(owner[owner >= 0], minlength=1)
    return np.array([1.0 / counts[k] if k >= 0 else 1.0 for k in owner])


def in_swept_lanes(truth: Truth, lanes: Collection[str]) -> Truth:
    """
    Return the truth, targets in lanes that were swept or in none.

    Parameters
    ----------
    truth : Truth
        What lies in the ground.
    lanes : collection of str
        Names of the lanes that were swept.

    Returns
    -------
    truth : Truth
        A target that names another lane than these names none: it counts where it lies, as
        one does that names none from the beginning.

    Examples
    --------
    >>> from minesense import Target, Truth
    >>> from minesense.training.labels import in_swept_lanes
    >>> mine = Target(
    ...     identifier="M1",
    ...     kind="disc",
    ...     is_target=True,
    ...     easting=0.0,
    ...     northing=1.0,
    ...     depth=0.05,
    ...     diameter=0.1,
    ...     metal_class="low",
    ...     lane="strip 7",
    ... )
    >>> (same,) = in_swept_lanes(Truth(objects=(mine,)), ["lane 1"]).objects
    >>> same.lane
    ''
    """
    objects = tuple(
        item if item.lane in lanes else dataclasses.replace(item, lane="")
        for item in truth.objects
    )
    return dataclasses.replace(truth, objects=objects)
