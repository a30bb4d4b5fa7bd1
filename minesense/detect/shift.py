"""Shift: does a lane, or a place, look like those that the probabilities were learnt on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .._validation import check_not_negative, check_number
from ..sweep import Floats, Quality

#: Share of training rows cut off at each end before the range is taken.
CUT = 0.01

#: Width of a range at least, as a share of the values: what hardly varied in training tells
#: little of how far it may.
LEAST_WIDTH = 0.01

#: Rows that may lack a statistic in training for its absence to be nothing new.
MISSING = 0.05

#: Bins of equal training share for the stability index, and its limit.
N_BINS, PSI_LIMIT = 10, 0.25

Row = Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """One statistic that lies outside what was trained on."""

    name: str
    reason: str  #: "range", "missing" or "distribution"
    value: float  #: found; NaN where missing; the stability index of a distribution
    low: float  #: least value in range
    high: float  #: greatest value in range
    distance: float  #: beyond the range in widths of it; inf where missing


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether a lane or place is like the training data; if not, by what, farthest first."""

    departures: tuple[Departure, ...]

    @property
    def in_range(self) -> bool:
        """Whether probabilities may be stated."""
        return not self.departures

    @property
    def quality(self) -> int:
        """Flag for the alarms: OUT_OF_DOMAIN, or none."""
        return 0 if self.in_range else int(Quality.OUT_OF_DOMAIN)

    @property
    def reason(self) -> str:
        """By which statistics and how far; empty where in range."""
        return "; ".join(
            f"{d.name} missing"
            if d.reason == "missing"
            else f"{d.name} {'index ' if d.reason == 'distribution' else ''}{d.value:.4g} "
            f"beyond {d.low:.4g} to {d.high:.4g}"
            for d in self.departures
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Range:
    """What training rows held of one statistic."""

    low: float
    high: float
    missing: float  #: share of rows
    edges: tuple[float, ...]  #: between bins of about equal share
    shares: tuple[float, ...]  #: of the rows, by bin
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftMonitor:
    r"""
    Ranges of named statistics in training, against which new lanes or places are held.

    Made by :meth:`fit`, or :meth:`from_dict` from what :meth:`as_dict` wrote.

    Notes
    -----
    A value is in range within :math:`[q_{0.01} - m w,\ q_{0.99} + m w]` for the quantiles of
    the training rows, their distance :math:`w` (at least a hundredth of the greater of their
    magnitudes) and the margin :math:`m`. Rows of one lane
    together have the stability index :math:`\sum_b (a_b - e_b) \ln(a_b / e_b)` of their
    shares :math:`a` in bins that hold shares :math:`e` of the training rows; half a row is
    added to each bin, so that none is empty. Even without any shift the index is about
    :math:`(1/n_a + 1/n_e)\,\chi^2_{B-1}` [1]_: few rows need a higher limit than 0.25, the
    0.99 quantile of that.

    References
    ----------
    .. [1] Yurdakul, B. & Naranjo, J. (2020). Statistical properties of the population
       stability index. Journal of Risk Model Validation 14(4).
    """

    ranges: Mapping[str, _Range]
    margin: float

    @classmethod
    def fit(cls, table: Sequence[Row], *, margin: float = 0.25) -> ShiftMonitor:
        """
        Learn the ranges of all statistics.

        Parameters
        ----------
        table : sequence of dict of float
            Statistics of every training lane, or place, by name; NaN or absent where not
            known.
        margin : float
            How far beyond the quantiles is still in range, in units of their distance.

        Returns
        -------
        monitor : ShiftMonitor
            Knows the names and ranges, and nothing else of the rows.

        Raises
        ------
        TypeError, ValueError
            If the table has fewer than two rows, a value is infinite, no row holds a number
            of some statistic, or the margin is negative.
        """
        margin = check_not_negative(margin, "margin")
        if len(table) < 2:
            msg = f"Invalid table with {len(table)} rows. Must have at least two."
            raise ValueError(msg)
        names = sorted({name for row in table for name in row})
        return cls(
            ranges={name: _learn(name, _column(table, name), margin) for name in names},
            margin=margin,
        )

    def check(self, row: Row) -> Verdict:
        """
        Compare one lane, or place, with the ranges.

        Parameters
        ----------
        row : dict of float
            Its statistics by name. What is missing here but was known in training is a
            departure, and so is everything if nothing is known; names that training did not
            know are refused.

        Returns
        -------
        verdict : Verdict
            Outside: withhold the probability, keep the alarm.

        Raises
        ------
        ValueError
            If a name is unknown.
        """
        self._refuse_unknown(row)
        found = []
        is_empty = all(math.isnan(float(row.get(name, math.nan))) for name in self.ranges)
        for name, known in self.ranges.items():
            value = float(row.get(name, math.nan))
            if math.isnan(value):
                if known.missing < MISSING or is_empty:
                    found.append(_departure(name, "missing", value, known, math.inf))
            elif not known.low <= value <= known.high:
                beyond = max(known.low - value, value - known.high)
                width = _width(known.low, known.high)
                found.append(_departure(name, "range", value, known, beyond / width))
        return Verdict(departures=tuple(sorted(found, key=lambda d: (-d.distance, d.name))))

    def check_together(self, rows: Sequence[Row]) -> Verdict:
        """
        Compare the distribution over the places of one lane with that of training.

        Parameters
        ----------
        rows : sequence of dict of float
            Statistics of places, of the kind that the monitor was fitted to.

        Returns
        -------
        verdict : Verdict
            Holds the statistics whose stability index is above its limit. `distance` is
            the index in units of the limit, less one.

        Raises
        ------
        ValueError
            If there is no row, or a name is unknown.
        """
        if not rows:
            msg = "Invalid rows: there is none. Must hold at least one."
            raise ValueError(msg)
        for row in rows:
            self._refuse_unknown(row)
        found = []
        for name, known in self.ranges.items():
            values = _column(rows, name)
            values = values[~np.isnan(values)]
            if not len(values):
                if known.missing < MISSING:
                    found.append(_departure(name, "missing", math.nan, known, math.inf))
                continue
            index = stability_index(
                _filled(_shares(values, known.edges), len(values)),
                _filled(known.shares, known.n),
            )
            limit = _limit(len(values), known.n, len(known.shares))
            if index > limit:
                found.append(
                    Departure(
                        name=name,
                        reason="distribution",
                        value=index,
                        low=0.0,
                        high=limit,
                        distance=index / limit - 1,
                    )
                )
        return Verdict(departures=tuple(sorted(found, key=lambda d: (-d.distance, d.name))))

    def as_dict(self) -> dict[str, Any]:
        """Return plain numbers, for the card of a model."""
        fields = ("low", "high", "missing", "n")
        return {
            "margin": self.margin,
            "ranges": {
                name: {key: getattr(item, key) for key in fields}
                | {"edges": list(item.edges), "shares": list(item.shares)}
                for name, item in self.ranges.items()
            },
        }

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> ShiftMonitor:
        """
        Return the monitor that plain numbers describe.

        Parameters
        ----------
        document : dict
            From :meth:`as_dict`, perhaps by way of JSON.

        Returns
        -------
        monitor : ShiftMonitor
            The same as was written.

        Raises
        ------
        TypeError, ValueError
            If something is missing or no number.
        """
        try:
            ranges = {
                str(name): _Range(
                    **{key: check_number(item[key], key) for key in ("low", "high", "missing")},
                    edges=tuple(check_number(x, "edges") for x in item["edges"]),
                    shares=tuple(check_number(x, "shares") for x in item["shares"]),
                    n=int(item["n"]),
                )
                for name, item in document["ranges"].items()
            }
            return cls(ranges=ranges, margin=check_not_negative(document["margin"], "margin"))
        except KeyError as error:
            msg = f"Invalid document: it lacks {error}. Must be from ShiftMonitor.as_dict."
            raise ValueError(msg) from None

    def _refuse_unknown(self, row: Row) -> None:
        """Raise if a row names a statistic that training did not know."""
        unknown = sorted(set(row) - set(self.ranges))
        if unknown:
            msg = (
                f"Invalid row: it names {', '.join(unknown)}. Must name statistics of the "
                f"training table: {', '.join(self.ranges)}."
            )
            raise ValueError(msg)


def withhold(
    probabilities: npt.ArrayLike, verdicts: Sequence[Verdict]
) -> tuple[Floats, npt.NDArray[np.int64]]:
    """
    Return probabilities that may be stated, and flags; no alarm is removed.

    Parameters
    ----------
    probabilities : (n,) array_like
        Calibrated probabilities.
    verdicts : (n,) sequence of Verdict
        Of each place, or of its lane.

    Returns
    -------
    probabilities : (n,) float64 ndarray
        NaN where the place is out of range.
    quality : (n,) int64 ndarray
        OUT_OF_DOMAIN there, 0 elsewhere; to be joined to the flags of the alarm.

    Raises
    ------
    ValueError
        If the lengths differ.

    Examples
    --------
    >>> from minesense.detect import ShiftMonitor, withhold
    >>> monitor = ShiftMonitor.fit([{"permittivity": 4.0}, {"permittivity": 9.0}])
    >>> verdicts = [monitor.check({"permittivity": value}) for value in (5.0, 25.0)]
    >>> withhold([0.7, 0.7], verdicts)[0].tolist()
    [0.7, nan]
    >>> verdicts[1].reason
    'permittivity 25 beyond 2.825 to 10.17'
    """
    p = np.array(probabilities, dtype=np.float64)
    if p.shape != (len(verdicts),):
        msg = f"Invalid verdicts: {len(verdicts)} for shape {p.shape}. Must be one each."
        raise ValueError(msg)
    quality = np.array([verdict.quality for verdict in verdicts], dtype=np.int64)
    p[quality != 0] = np.nan
    return p, quality


def stability_index(found: npt.ArrayLike, expected: npt.ArrayLike) -> float:
    """
    Return the population stability index of shares in bins.

    Parameters
    ----------
    found, expected : (n_bins,) array_like
        Shares, each with a sum of 1; less than 1e-4 counts as 1e-4.

    Returns
    -------
    index : float
        ``sum((a - e) ln(a / e))``: 0 for equal shares; above 0.25 is customarily a shift.

    Examples
    --------
    >>> from minesense.detect import stability_index
    >>> round(stability_index([0.5, 0.5], [0.25, 0.75]), 4)
    0.2747
    """
    a, e = (np.maximum(np.asarray(x, dtype=np.float64), 1e-4) for x in (found, expected))
    return float(((a - e) * np.log(a / e)).sum())


def _column(table: Sequence[Row], name: str) -> Floats:
    """Return one statistic of all rows, NaN where it is absent."""
    values = np.array([float(row.get(name, math.nan)) for row in table])
    if np.isinf(values).any():
        row = int(np.argmax(np.isinf(values)))
        msg = f"Invalid {name}: row {row} is infinite. Must be finite, or NaN if not known."
        raise ValueError(msg)
    return values


def _learn(name: str, column: Floats, margin: float) -> _Range:
    """Return the range and the bins of one statistic."""
    values = column[~np.isnan(column)]
    if not len(values):
        msg = f"Invalid {name}: every row lacks it. Must be known in at least one."
        raise ValueError(msg)
    low, high = np.quantile(values, (CUT, 1 - CUT)).tolist()
    reach = max(margin * _width(low, high), 1e-9 * max(abs(low), abs(high)))  # rounding
    edges = np.unique(np.quantile(values, np.arange(1, N_BINS) / N_BINS))
    return _Range(
        low=low - reach,
        high=high + reach,
        missing=float(np.isnan(column).mean()),
        edges=tuple(edges.tolist()),
        shares=tuple(_shares(values, edges).tolist()),
        n=len(values),
    )


def _width(low: float, high: float) -> float:
    """Return the width of a range, of at least a hundredth of its values."""
    return max(high - low, LEAST_WIDTH * max(abs(low), abs(high)), 1e-12)


def _shares(values: Floats, edges: npt.ArrayLike) -> Floats:
    """Return the share of values in each bin; a value on an edge is below it."""
    at = np.searchsorted(np.asarray(edges), values, side="left")
    return np.bincount(at, minlength=np.size(edges) + 1) / len(values)


def _filled(shares: npt.ArrayLike, n: int) -> Floats:
    """Return shares with half a row more in each bin: an empty one is no infinite surprise."""
    counts = np.asarray(shares, dtype=np.float64) * n + 0.5
    return counts / counts.sum()


def _limit(n: int, n_training: int, n_bins: int) -> float:
    """Return the stability index above which so few rows show a shift."""
    from scipy.special import chdtri  # noqa: PLC0415 - SciPy is slow to import

    by_chance = float(chdtri(max(1, n_bins - 1), 0.01)) * (1 / n + 1 / n_training)
    return max(PSI_LIMIT, by_chance)


def _departure(name: str, reason: str, value: float, known: _Range, far: float) -> Departure:
    """Return the record of a value out of range."""
    return Departure(
        name=name, reason=reason, value=value, low=known.low, high=known.high, distance=far
    )
