"""How far values are alike along the track: semivariogram and correlation length."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..._validation import check_count, check_positive, check_real, check_shape
from ...sweep import Floats
from .kept import LEAST_TRACES, MOST_LAGS
from .missing import Missing, TooFewError, told
from .section import SLICES, RadarSection

_PAIRS = 30  # that a lag must have
_NOISE = 0.9  # share of the nugget above which nothing but noise is left
_COLUMNS = 64  # series of a slice: neighbouring samples tell nearly the same


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Variogram:
    """Semivariogram over the variance, and what it says."""

    lag: Floats  #: (n,) m or s, from one step on
    value: Floats  #: (n,) semivariance over the variance; NaN where pairs are too few
    nugget: float  #: share of the variance that differs from one value to the next
    length: float | Missing  #: in the unit of `lag`, in which correlation falls to 1/e


def semivariogram(
    values: npt.ArrayLike, *, spacing: float, longest: int | None = None
) -> Variogram:
    r"""
    Compute the semivariogram of series along one axis.

    Parameters
    ----------
    values : (n,) or (n, m) array_like
        Series in columns, regular along the first axis; NaN where nothing was recorded.
    spacing : float
        Between rows, in metres or seconds.
    longest : int, optional
        Longest lag, in rows; a third of the series by default, at most 200.

    Returns
    -------
    variogram : Variogram
        Over all columns.

    Raises
    ------
    TypeError, ValueError
        If values are not real numbers on one or two axes, one is infinite, `spacing` is not
        greater than zero or `longest` not a count.
    TooFewError
        If fewer than fifty rows have a value, or all values are the same.

    Notes
    -----
    With the mean over all pairs of rows that both have values, and over columns, each divided
    by its own variance [1]_,

    .. math:: \gamma(h) = \tfrac{1}{2} \langle (z_{i + h} - z_i)^2 \rangle .

    The nugget, noise that is new in every row, is :math:`2 \gamma_1 - \gamma_2`, not less than
    zero. The correlation length is where :math:`\gamma` has climbed by :math:`1 - 1/e` of the
    way from the nugget to 1, between lags by a straight line. For a covariance
    :math:`e^{-h/\ell}` without noise that is :math:`\ell`, but for two errors: the nugget
    takes :math:`(1 - e^{-\Delta/\ell})^2` for noise, and the mean of a series of length
    :math:`L` takes :math:`2 \ell / L` of the variance.

    References
    ----------
    .. [1] Matheron, G. (1963). Principles of geostatistics. *Economic Geology*, 58(8),
       1246-1266. https://doi.org/10.2113/gsecongeo.58.8.1246

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.synthetic import ornstein_uhlenbeck
    >>> from minesense.synthetic.realism import semivariogram
    >>> rng = np.random.default_rng(seed=0)
    >>> series = ornstein_uhlenbeck(20_000, step=0.05, time=0.5, std=3.0, rng=rng)
    >>> round(semivariogram(series, spacing=0.05).length, 1)
    0.5
    """
    spacing = check_positive(spacing, "spacing")
    table = check_real(values, "values").astype(np.float64)
    table = check_shape(table[:, None] if table.ndim == 1 else table, "values", ("n", "m"))
    if np.isinf(table).any():
        msg = "Invalid values: one is infinite. Must be finite, or NaN where there is none."
        raise ValueError(msg)
    n_rows = int(np.isfinite(table).any(axis=1).sum())
    if n_rows < LEAST_TRACES:
        msg = f"{n_rows} values: at least {LEAST_TRACES} are needed"
        raise TooFewError(msg)
    longest = min(len(table) // 3, MOST_LAGS) if longest is None else longest
    longest = min(check_count(longest, "longest", least=2), len(table) - 1)
    spread = np.nanstd(table, axis=0)
    if not spread.any():
        msg = "all values are the same"
        raise TooFewError(msg)
    table = table[:, spread > 0] / spread[spread > 0]
    gamma = np.full(longest, np.nan)
    for k in range(1, longest + 1):
        squares = (table[k:] - table[:-k]) ** 2
        known = np.isfinite(squares)
        if known.any(axis=1).sum() >= _PAIRS:
            gamma[k - 1] = 0.5 * squares[known].mean()
    nugget = max(0.0, 2 * gamma[0] - gamma[1]) if np.isfinite(gamma[:2]).all() else np.nan
    lag = spacing * np.arange(1, longest + 1, dtype=np.float64)
    return Variogram(
        lag=lag, value=gamma, nugget=float(nugget), length=told(_length, lag, gamma, nugget)
    )


def variograms(section: RadarSection) -> tuple[Variogram | Missing, ...]:
    """
    Return the semivariogram of clutter along the track in every slice of depth.

    Parameters
    ----------
    section : RadarSection
        Of :func:`radar_section`.

    Returns
    -------
    variograms : tuple of Variogram or Missing
        One for each of SLICES, lags in metres: of the residual, every sample and channel of
        the slice a series of its own, or 64 of them evenly spread. A trace that was left out
        is in no pair.

    Examples
    --------
    >>> from minesense.synthetic import cart, field, scenario
    >>> from minesense.synthetic.realism import radar_section, variograms
    >>> made = field(scenario("prepared", lanes={"length": 3.0, "run_in": 0.5}), seed=1)
    >>> radar, _ = made.sweep(cart(n_antennas=1, n_coils=1), lanes=["lane 01"])
    >>> variogram = variograms(radar_section(radar))[1]
    >>> 0.03 < variogram.length < 0.3
    True
    """
    return tuple(told(_of_slice, section, limits) for limits in SLICES)


def along(section: RadarSection, values: npt.NDArray) -> Floats:
    """
    Return values of traces in their places along the track, NaN in places without one.

    Parameters
    ----------
    section : RadarSection
        Of :func:`radar_section`.
    values : (n_traces, m) ndarray
        Of its traces.

    Returns
    -------
    table : (n_rows, m) float64 ndarray
        A row for each spacing.

    Raises
    ------
    TooFewError
        If the distance between traces is not known or not regular.

    Examples
    --------
    >>> from minesense.synthetic import cart, field, scenario
    >>> from minesense.synthetic.realism import along, radar_section
    >>> made = field(scenario("prepared", lanes={"length": 1.0, "run_in": 0.5}), seed=1)
    >>> radar, _ = made.sweep(cart(n_antennas=2, n_coils=1), lanes=["lane 01"])
    >>> section = radar_section(radar)
    >>> along(section, section.ground_delay).shape[1]
    2
    """
    if not np.isfinite(section.spacing):
        msg = "the distance between traces is not known, or not regular"
        raise TooFewError(msg)
    table = np.full((section.row[-1] - section.row[0] + 1, values.shape[1]), np.nan)
    table[section.row - section.row[0]] = values
    return table


def _of_slice(section: RadarSection, limits: tuple[float, float]) -> Variogram:
    """Return the semivariogram of one slice."""
    inside = section.samples_of(*limits)
    n = len(section.residual)
    series = section.residual[:, :, inside].reshape(n, -1)
    table = along(section, series[:, :: max(1, series.shape[1] // _COLUMNS)])
    return semivariogram(table, spacing=section.spacing)


def _length(lag: Floats, gamma: Floats, nugget: float) -> float:
    """Return where correlation falls to 1/e."""
    if not np.isfinite(nugget):
        msg = "too few neighbours along the track"
        raise TooFewError(msg)
    if nugget > _NOISE:
        msg = f"{100 * min(nugget, 1.0):.0f} % of the variance is noise from trace to trace"
        raise TooFewError(msg)
    level = nugget + (1 - np.exp(-1)) * (1 - nugget)
    lags, values = np.concatenate([[0.0], lag]), np.concatenate([[nugget], gamma])
    above = np.flatnonzero(values >= level)
    if not len(above):
        msg = f"longer than the {lag[-1]:.3g} that were looked at"
        raise TooFewError(msg)
    k = int(above[0])
    before = k - 1 - int(np.argmax(np.isfinite(values[:k][::-1])))
    share = (level - values[before]) / (values[k] - values[before])
    return float(lags[before] + share * (lags[k] - lags[before]))
