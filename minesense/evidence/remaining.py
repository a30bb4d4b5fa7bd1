"""What may remain: the records in which residual estimates are handed on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from ..sweep import Floats
from .site_grid import SiteGrid

#: How the misses of different families are joined: at most, as if independent, at least.
Combination = Literal["worst", "independent", "best"]
COMBINATIONS = ("worst", "independent", "best")

#: Printed with every estimate.
NOTICE = "Not a release authorisation. An estimate under stated assumptions, never zero."


class Remaining(NamedTuple):
    """Items that may remain in some ground: an estimate and its credible limits."""

    mean: float  #: expected items
    low: float  #: of the central interval of the number of items
    high: float
    upper: float  #: one-sided credible bound of the number of items
    none_remain: float  #: probability that no item remains, below 1
    greatest_cell: float  #: credible bound of the greatest expectation of any cell


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One variant of the assumptions, and what remains in the whole task under it."""

    name: str
    assumption: str
    remaining: Remaining


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Residual:
    """
    Expected remaining items per class, depth band and cell, over posterior draws.

    The headline is the worst case: misses of different families joined at their upper
    bound, and never lower than without the records.
    """

    grid: SiteGrid
    classes: tuple[str, ...]
    depth_bands: tuple[tuple[float, float], ...]  #: m
    draws: npt.NDArray[np.float32]  #: (n_draws, n_classes, n_bands, n_cells) items, worst case
    cells: npt.NDArray[np.int64]  #: (n_cells,) flat index of the cells of the task
    confidence: float  #: of the one-sided bounds
    combinations: Mapping[str, Remaining]  #: all three of COMBINATIONS, whole task
    scenarios: tuple[Scenario, ...]  #: other priors and exposures, and without the records
    n_found: int
    assumptions: tuple[str, ...]
    diagnostics: Mapping[str, float]
    searched_area: Mapping[str, float]  #: m2 by source of evidence
    invalid_area: float  #: m2 whose evidence does not count
    is_synthetic: bool = False

    def _map(self, values: npt.NDArray[Any]) -> Floats:
        n_rows, n_columns = self.grid.shape
        full = np.full((*values.shape[:-1], n_rows * n_columns), np.nan)
        full[..., self.cells] = values
        return full.reshape(*values.shape[:-1], n_rows, n_columns)

    @property
    def expected(self) -> Floats:
        """Expected items, (n_classes, n_bands, n_rows, n_columns); NaN beyond the task."""
        return self._map(self.draws.mean(axis=0, dtype=np.float64))

    @property
    def upper(self) -> Floats:
        """Credible upper bound of the expectation, shaped and missing as `expected`."""
        return self._map(np.quantile(self.draws, self.confidence, axis=0))
