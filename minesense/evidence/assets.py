"""Who looked where, how deep, for what and how well: searches as evidence."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from .._validation import (
    check_array,
    check_count,
    check_not_negative,
    check_number,
    check_one_of,
)
from ..sweep import Floats
from .site_grid import check_bands, check_classes

#: Pd that no asset is credited with beyond, unless its counts support more (see `cap`).
PD_CAP = 0.95
#: Share of items that no asset of a family can find, unless another share is stated.
COMMON_MODE = 0.05

AssetKind = Literal["manual", "mechanical", "dog", "sensor"]
KINDS = ("manual", "mechanical", "dog", "sensor")


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedTrials:
    """
    A probability of detection as it was counted: found of laid, in which trial.

    The law is Beta(found + 1/2, missed + 1/2), cut off at `cap`.

    Raises
    ------
    TypeError, ValueError
        If the counts are not whole numbers with 0 <= found <= laid, nothing was laid, or no
        source is named.

    Examples
    --------
    >>> from minesense.evidence import CountedTrials
    >>> seeds = CountedTrials(found=27, laid=30, source="blind seeds of this task")
    >>> round(seeds.mean, 3), [round(x, 3) for x in seeds.interval()]
    (0.886, [0.757, 0.95])
    >>> CountedTrials(found=300, laid=300, source="trial").cap > 0.95
    True
    """

    found: int
    laid: int
    source: str

    def __post_init__(self) -> None:
        found = check_count(self.found, "found", least=0)
        if found > check_count(self.laid, "laid"):
            msg = f"Invalid found '{found}'. Must be at most laid = {self.laid}."
            raise ValueError(msg)
        if not self.source:
            msg = "Invalid source ''. Must name the trial that was counted."
            raise ValueError(msg)

    @property
    def cap(self) -> float:
        """Greatest Pd credited: 0.95, or the exact one-sided 95 % limit if that is greater."""
        from scipy.special import betaincinv  # noqa: PLC0415 - SciPy is slow to import

        if not self.found:
            return PD_CAP
        shown = float(betaincinv(self.found, self.laid - self.found + 1, 0.05))
        return max(PD_CAP, shown)

    @property
    def mean(self) -> float:
        """Mean of the law, cut off at the cap."""
        return float(self.quantile((np.arange(2000) + 0.5) / 2000).mean())

    def quantile(self, share: Any) -> Floats:
        """Return quantiles of the law, cut off at the cap."""
        from scipy.special import betaincinv  # noqa: PLC0415 - SciPy is slow to import

        value = betaincinv(self.found + 0.5, self.laid - self.found + 0.5, share)
        result: Floats = np.minimum(np.asarray(value, np.float64), self.cap)
        return result

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Return the central interval of the law, cut off at the cap."""
        low, high = self.quantile([(1 - confidence) / 2, (1 + confidence) / 2])
        return float(low), float(high)

    @classmethod
    def from_share(cls, pd: float, n: int, source: str) -> CountedTrials:
        """
        Return the counts that a published share of n stands for, rounded down.

        Raises
        ------
        TypeError, ValueError
            If the share is negative, or 1 or more: no number of trials shows that.
        """
        share = check_not_negative(pd, "pd")
        n = check_count(n, "n")
        if share >= 1:
            msg = (
                f"Invalid pd '{share:g}' of {source!r}. Must be below 1: give found and laid, "
                "and the law of the counts is used."
            )
            raise ValueError(msg)
        return cls(found=math.floor(share * n + 1e-9), laid=n, source=source)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evidence:
    """
    One search: where, how deep, for what, how well, by what kind of asset.

    A search says nothing of classes and depth bands that are not in `pd`, and nothing where
    its footprint is zero or it was invalid.

    Raises
    ------
    TypeError, ValueError
        If a kind or class is unknown, a share is not in its range, the common-mode share is
        zero, no provenance is named, or the footprint is not a grid of shares.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.evidence import CountedTrials, Evidence
    >>> seeds = CountedTrials(found=27, laid=30, source="blind seeds of this task")
    >>> look = Evidence(
    ...     source="team 3", kind="manual", family="metal detector",
    ...     footprint=np.ones((10, 10)), depth_bands=((0.0, 0.13),), classes=("AP",),
    ...     pd={("AP", 0): seeds}, provenance="task sheet 12", time="2026-03-02",
    ... )
    >>> look.common_mode
    0.05
    """

    source: str  #: who looked
    kind: AssetKind
    family: str  #: looks of one family are not independent
    footprint: Floats  #: (n_rows, n_columns) share of each cell searched with all gates met
    depth_bands: tuple[tuple[float, float], ...]  #: m
    classes: tuple[str, ...]  #: that it can sense
    pd: Mapping[tuple[str, int], CountedTrials]  #: by class and index of the band
    provenance: str  #: document or file
    time: str  #: of the search, ISO 8601
    common_mode: float = COMMON_MODE  #: share of items that no asset of the family can find
    correlation: float = 0.3  #: between two looks of the family over one item (unverified)
    spread: float = 0.0  #: m, by which a machine moves items
    quality: str = ""
    invalid: Any = None  #: (n_rows, n_columns) truths: outside validated conditions
    crs: str = "local"
    caveats: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        check_one_of(self.kind, "kind", KINDS)
        for name in ("source", "family", "provenance", "time"):
            if not getattr(self, name):
                msg = f"Invalid {name} '' of a search. Must not be empty."
                raise ValueError(msg)
        layer = np.asarray(self.footprint)
        if layer.dtype == np.bool_:  # a mask is whole cells or none
            layer = layer.astype(np.float64)
        footprint = check_array(layer, "footprint", ("n_rows", "n_columns"))
        if (footprint < 0).any() or (footprint > 1).any():
            msg = f"Invalid footprint of '{self.source}'. Must be shares from 0 to 1."
            raise ValueError(msg)
        if self.invalid is not None:
            invalid = np.asarray(self.invalid)
            if invalid.dtype != np.bool_ or invalid.shape != footprint.shape:
                msg = (
                    f"Invalid invalid with shape {invalid.shape} and dtype {invalid.dtype}. "
                    f"Must be truths of shape {footprint.shape}."
                )
                raise ValueError(msg)
            footprint = np.where(invalid, 0.0, footprint)
        object.__setattr__(self, "footprint", footprint)
        object.__setattr__(self, "depth_bands", check_bands(self.depth_bands))
        object.__setattr__(self, "classes", check_classes(self.classes))
        for name, band in self.pd:
            check_one_of(name, "class in pd", self.classes)
            if not 0 <= band < len(self.depth_bands):
                msg = f"Invalid band '{band}' in pd. Must be an index of {self.depth_bands}."
                raise ValueError(msg)
        if any(not isinstance(item, CountedTrials) for item in self.pd.values()):
            msg = (
                f"Invalid pd of '{self.source}'. Must be CountedTrials: a bare number, 1 above "
                "all, has no interval and no source."
            )
            raise TypeError(msg)
        share = check_number(self.common_mode, "common_mode")
        if not 0 < share < 1:
            msg = (
                f"Invalid common_mode '{share:g}' of '{self.source}'. Must lie between 0 and "
                "1: every family has items that it cannot find."
            )
            raise ValueError(msg)
        if not 0 <= check_number(self.correlation, "correlation") <= 1:
            msg = f"Invalid correlation '{self.correlation}'. Must be from 0 to 1."
            raise ValueError(msg)
        check_not_negative(self.spread, "spread")

    @property
    def searched_cells(self) -> float:
        """Cells searched, parts of cells added up."""
        return float(self.footprint.sum())

    def describe(self) -> dict[str, Any]:
        """Return the search as plain words and numbers, for tables."""
        rows = []
        for (name, band), trials in self.pd.items():
            low, high = trials.interval()
            rows.append(
                {
                    "class": name,
                    "depth_band_m": self.depth_bands[band],
                    "found": trials.found,
                    "laid": trials.laid,
                    "pd_low": low,
                    "pd_high": high,
                    "pd_source": trials.source,
                }
            )
        n_invalid = 0 if self.invalid is None else int(np.count_nonzero(self.invalid))
        return {
            "source": self.source,
            "kind": self.kind,
            "family": self.family,
            "time": self.time,
            "provenance": self.provenance,
            "quality": self.quality,
            "searched_cells": self.searched_cells,
            "invalid_cells": n_invalid,
            "common_mode": self.common_mode,
            "correlation": self.correlation,
            "spread_m": self.spread,
            "caveats": list(self.caveats),
            "pd": rows,
        }
