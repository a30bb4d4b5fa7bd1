"""Places that were noticed in training lanes, with what the truth says of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..coverage import Coverage
from ..detect import Site
from ..score import Halo
from ..sweep import Floats
from ..truth import Truth
from .labels import emplacement_weights, label_sites


@dataclass(frozen=True, eq=False)
class Places:
    """What was noticed in the lanes, and what lies there."""

    sites: list[Site]
    #: Target each place belongs to, "" if to none.
    emplacements: list[str]
    #: Whether it is a mine; several places at one mine weigh one together.
    labels: npt.NDArray[np.bool_]
    weights: Floats
    #: Which are mine or clutter; which of them lie in lanes of the area; and which of those
    #: count for calibrations and thresholds.
    known: npt.NDArray[np.bool_]
    counts: npt.NDArray[np.bool_]
    keep: npt.NDArray[np.bool_]

    def noticed(self, mode: str) -> npt.NDArray[np.bool_]:
        """Return which places a mode's own prescreeners noticed."""
        return np.array(
            [mode == "both" or mode in site.noticed for site in self.sites], dtype=bool
        )

    def lanes_of(self, use: npt.NDArray[np.bool_]) -> list[str]:
        """Return the lanes of some of the places."""
        return [self.sites[k].lane for k in np.flatnonzero(use)]

    def seen(self, coverage: Coverage, sensors: str) -> npt.NDArray[np.bool_]:
        """Return which places lie on ground that the score counts, as it decides it."""
        return _seen(self.sites, coverage, sensors)


def label_places(sites: list[Site], truth: Truth, coverage: Coverage, halo: Halo) -> Places:
    """
    Say what lies at each place.

    Parameters
    ----------
    sites : list of Site
        Places that were noticed.
    truth : Truth
        What lies in the ground.
    coverage : Coverage
        Of the lanes that count; places of other lanes are there to learn from.
    halo : Halo
        What counts as the place of a target.

    Returns
    -------
    places : Places
        With labels and weights.

    Raises
    ------
    ValueError
        If the lanes that count hold too little.

    Examples
    --------
    >>> places = label_places(sites, truth, coverage, halo)  # doctest: +SKIP
    """
    owner, known = label_sites(sites, truth, halo)
    labels = np.array([k >= 0 for k in owner], dtype=bool)
    counts = known & np.isin([site.lane for site in sites], coverage.lanes)
    _require_enough(
        labels[counts], [site.lane for site, ok in zip(sites, counts, strict=True) if ok]
    )
    names = {-1: "", **{k: item.identifier for k, item in enumerate(truth.targets)}}
    return Places(
        sites=sites,
        emplacements=[names[k] for k in owner],
        labels=labels,
        weights=emplacement_weights(owner),
        known=known,
        counts=counts,
        keep=counts & (labels | _seen(sites, coverage, "any")),
    )


def _require_enough(labels: npt.NDArray[np.bool_], lanes: Sequence[str]) -> None:
    """Raise if the lanes that count hold too little to train on."""
    n_mines, n_others, n_lanes = int(labels.sum()), int((~labels).sum()), len(set(lanes))
    if n_mines < 10 or n_others < 10 or n_lanes < 3:
        msg = (
            f"Invalid training data: {n_mines} noticed targets and {n_others} other places in "
            f"{n_lanes} lanes that count, which are those that area names if there is one. "
            "Must be at least 10, 10 and 3."
        )
        raise ValueError(msg)


def _seen(sites: Sequence[Site], coverage: Coverage, sensors: str) -> npt.NDArray[np.bool_]:
    """Return which places lie on ground that the score counts."""
    east, north = ([getattr(site, a) for site in sites] for a in ("easting", "northing"))
    return coverage.at(coverage.mask(sensors) & coverage.wanted, east, north, False)
