"""What may remain: the records in which residual estimates are handed on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from .._validation import check_one_of, check_probability
from ..sweep import Floats
from .site_grid import SiteGrid, inside_polygon

#: How the misses of different families are joined: at most, as if independent, at least.
Combination = Literal["worst", "independent", "best"]
COMBINATIONS = ("worst", "independent", "best")

#: Name of the scenario that leaves the records out.
WITHOUT_RECORDS = "without the records"

#: Greatest probability of none that is stated: no prior of a model supports more.
CERTAIN = 0.999

#: Printed with every estimate.
NOTICE = "Not a release authorisation. An estimate under stated assumptions, never zero."


class Remaining(NamedTuple):
    """Items that may remain in some ground: an estimate and its credible limits."""

    mean: float  #: expected items
    low: float  #: of the central 90 % interval of the number of items
    high: float  #: at least 1, like the bound: that nothing is left is never said
    upper: float  #: one-sided credible bound of the number of items
    none_remain: float  #: probability that no item remains, at most CERTAIN
    greatest_cell: float  #: credible bound of the greatest expectation of any cell

    def describe(self) -> str:
        """Return the figures in words."""
        return (
            f"{self.mean:.3g} items expected, 90 % interval {self.low:g} to {self.high:g}, "
            f"bound {self.upper:g}; probability that none remains {self.none_remain:.3g}; "
            f"greatest expectation of a cell at most {self.greatest_cell:.2g}"
        )


class PeopleAtRisk(NamedTuple):
    """Expected encounters of people with items, under a stated exposure."""

    mean: float  #: items times exposure
    upper: float  #: credible bound; never quote the mean without it
    exposure_source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Other assumptions, and what remains in the whole task under them."""

    name: str
    assumption: str  #: what differs, in words
    remaining: Remaining


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Residual:
    """
    Expected remaining items per class, depth band and cell, over posterior draws.

    The headline is the worst case: misses of several searches joined at their upper bound,
    and never lower than without the records.
    """

    grid: SiteGrid
    classes: tuple[str, ...]
    depth_bands: tuple[tuple[float, float], ...]  #: m
    draws: npt.NDArray[np.float32]  #: (n_draws, n_classes, n_bands, n_cells) items, worst case
    cells: npt.NDArray[np.int64]  #: (n_cells,) flat index of the cells of the task
    confidence: float  #: of the one-sided bounds
    combinations: Mapping[str, Remaining]  #: all three of COMBINATIONS, whole task
    scenarios: tuple[Scenario, ...]  #: without the records, other priors, other exposures
    n_found: int
    assumptions: tuple[str, ...]
    diagnostics: Mapping[str, float]
    accuracy: Mapping[str, tuple[float, float, float]]  #: records' by source: mean, 90 %
    searched_area: Mapping[str, float]  #: m2 by search
    invalid_area: float  #: m2 that some search passed and whose evidence does not count
    is_synthetic: bool = False

    @property
    def headline(self) -> Remaining:
        """Whole task, worst case: with the records or without them, whichever is more."""
        candidates = [self.combinations["worst"]]
        candidates += [v.remaining for v in self.scenarios if v.name == WITHOUT_RECORDS]
        return max(candidates, key=lambda item: (item.upper, item.mean))

    @property
    def expected(self) -> Floats:
        """Expected items, (n_classes, n_bands, n_rows, n_columns); NaN beyond the task."""
        return self._map(self.draws.mean(axis=0, dtype=np.float64))

    @property
    def upper(self) -> Floats:
        """Credible upper bound of the expectation, shaped and missing as `expected`."""
        return self._map(np.quantile(self.draws, self.confidence, axis=0))

    def within(
        self, mask: npt.ArrayLike, *, target_class: str | None = None, band: int | None = None
    ) -> Remaining:
        """
        Return what may remain in some cells, in all classes and bands or in one.

        Raises
        ------
        ValueError
            If the mask is not the shape of the grid or holds no cell of the task, or the
            class or band is unknown.
        """
        chosen = np.asarray(mask)
        if chosen.dtype != np.bool_ or chosen.shape != tuple(self.grid.shape):
            msg = (
                f"Invalid mask with shape {chosen.shape}. Must be truths of {self.grid.shape}."
            )
            raise ValueError(msg)
        inside = chosen.ravel()[self.cells]
        if not inside.any():
            msg = "Invalid mask. Must hold a cell of the task."
            raise ValueError(msg)
        draws = self.draws[..., inside]
        if target_class is not None:
            check_one_of(target_class, "target_class", self.classes)
            k = self.classes.index(target_class)
            draws = draws[:, k : k + 1]
        if band is not None:
            if not 0 <= band < len(self.depth_bands):
                msg = f"Invalid band '{band}'. Must be an index of {self.depth_bands}."
                raise ValueError(msg)
            draws = draws[:, :, band : band + 1]
        return summarise(draws, self.confidence)

    def polygon(self, corners: npt.ArrayLike) -> Remaining:
        """
        Return what may remain in the cells whose centre lies in a polygon.

        Raises
        ------
        TypeError, ValueError
            If there are fewer than three corners, edges cross, or no cell of the task lies
            inside.
        """
        return self.within(inside_polygon(self.grid, corners))

    def people(self, exposure: npt.ArrayLike, source: str) -> PeopleAtRisk:
        """
        Return the sum over cells of expected items times exposure, and its bound.

        Raises
        ------
        ValueError
            If the exposure is no layer of the grid, or its source is not named.
        """
        if not source:
            msg = "Invalid source ''. Must name where the exposure comes from."
            raise ValueError(msg)
        layer = self.grid.check_layer(exposure, "exposure").ravel()[self.cells]
        sums = self.draws.sum(axis=(1, 2), dtype=np.float64) @ layer
        return PeopleAtRisk(
            float(sums.mean()), float(np.quantile(sums, self.confidence)), source
        )

    def rows(self) -> list[dict[str, Any]]:
        """Return one row per class and depth band, for tables; units are in the names."""
        everywhere = self.grid.wanted
        table = []
        for name in self.classes:
            for band, (top, bottom) in enumerate(self.depth_bands):
                found = self.within(everywhere, target_class=name, band=band)
                table.append(
                    {
                        "class": name,
                        "depth_from_m": top,
                        "depth_to_m": bottom,
                        "expected_items": found.mean,
                        "items_low": found.low,
                        "items_high": found.high,
                        "items_bound": found.upper,
                        "p_none_remain": found.none_remain,
                        "greatest_cell_items": found.greatest_cell,
                    }
                )
        return table

    def describe(self) -> dict[str, Any]:
        """Return everything but the maps as plain words and numbers."""
        return {
            "notice": NOTICE,
            "data": "SYNTHETIC" if self.is_synthetic else "operational",
            "area_m2": self.grid.area,
            "n_found": self.n_found,
            "confidence": self.confidence,
            "headline": self.headline._asdict(),
            "combinations": {k: v._asdict() for k, v in self.combinations.items()},
            "scenarios": {v.name: v.remaining._asdict() for v in self.scenarios},
            "classes": self.rows(),
            "accuracy_of_sources": {
                k: {"mean": v[0], "low": v[1], "high": v[2]} for k, v in self.accuracy.items()
            },
            "searched_m2": dict(self.searched_area),
            "invalid_m2": self.invalid_area,
            "assumptions": list(self.assumptions),
            "diagnostics": dict(self.diagnostics),
        }

    def __str__(self) -> str:
        """Return the estimate as text, the worst case first."""
        lines = ["SYNTHETIC data: says nothing about performance in the field."]
        lines = lines if self.is_synthetic else []
        lines += [
            NOTICE,
            f"Headline, worst case: {self.headline.describe()}",
            f"Found so far: {self.n_found}. Area {self.grid.area:g} m2.",
            "How the misses of several searches are joined:",
        ]
        lines += [f"  {k:<12} {v.describe()}" for k, v in self.combinations.items()]
        lines.append("Other assumptions, worst case:")
        lines += [f"  {v.name}: {v.remaining.describe()}" for v in self.scenarios]
        lines += ["Assumed:", *(f"  {line}" for line in self.assumptions)]
        return "\n".join(lines)

    def _map(self, values: npt.NDArray[Any]) -> Floats:
        """Return values per cell of the task as a grid, NaN elsewhere."""
        n_rows, n_columns = self.grid.shape
        full = np.full((*values.shape[:-1], n_rows * n_columns), np.nan)
        full[..., self.cells] = values
        return full.reshape(*values.shape[:-1], n_rows, n_columns)


def summarise(draws: npt.ArrayLike, confidence: float = 0.95) -> Remaining:
    """
    Return what draws of the expected items per cell say about the number that remains.

    Parameters
    ----------
    draws : (n_draws, ..., n_cells) array_like
        Expected items, each draw with equal weight.
    confidence : float
        Of the one-sided bounds.

    Returns
    -------
    remaining : Remaining
        The number is Poisson around the sum of each draw: a mixture, whose quantiles are
        exact for the draws given. `high` and `upper` are never below one item.

    Raises
    ------
    ValueError
        If there is no draw, or the confidence is not between 0 and 1.

    Examples
    --------
    >>> from minesense.evidence.remaining import summarise
    >>> found = summarise([[0.5, 0.5], [1.0, 2.0]])
    >>> found.mean, found.low, found.high, round(found.none_remain, 4)
    (2.0, 0.0, 5.0, 0.2088)
    """
    values = np.asarray(draws, dtype=np.float32)
    if not values.size:
        msg = "Invalid draws: there is none. Must hold one or more."
        raise ValueError(msg)
    check_probability(confidence, "confidence")
    sums = values.reshape(len(values), -1).sum(axis=1, dtype=np.float64)
    # the expectation of a cell is that of all classes and bands in it
    by_cell = values.reshape(len(values), -1, values.shape[-1]).sum(axis=1)
    low, high, upper = (_poisson_quantile(p, sums) for p in (0.05, 0.95, confidence))
    return Remaining(
        mean=float(sums.mean()),
        low=low,
        high=max(high, 1.0),
        upper=max(upper, 1.0),
        none_remain=min(float(np.exp(-sums).mean()), CERTAIN),
        greatest_cell=float(np.quantile(by_cell.max(axis=1), confidence)),
    )


def _poisson_quantile(share: float, means: Floats) -> float:
    """Return the quantile of an equal mixture of Poisson laws."""
    from scipy.special import pdtr  # noqa: PLC0415 - SciPy is slow to import

    few, enough = -1, 1
    while float(pdtr(enough, means).mean()) < share:
        few, enough = enough, 2 * enough
    while enough - few > 1:
        middle = (few + enough) // 2
        if float(pdtr(middle, means).mean()) < share:
            few = middle
        else:
            enough = middle
    return float(enough)
