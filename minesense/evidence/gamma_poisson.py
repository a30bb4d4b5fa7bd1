"""Items left in a stratum after a search: closed forms for an uncertain density and Pd."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .._validation import (
    check_array,
    check_count,
    check_not_negative,
    check_positive,
    check_probability,
)
from ..sweep import Floats


class StratumRemaining(NamedTuple):
    """What may be left in one stratum."""

    mean: float  #: expected items
    upper: float  #: credible upper bound of their number, at least 1
    none_remain: float  #: probability that none remains, below 1


def remaining_in_stratum(
    n_found: int,
    *,
    area: float,
    density_prior: tuple[float, float],
    pd: npt.ArrayLike,
    confidence: float = 0.95,
    weigh_by_finds: bool = True,
) -> StratumRemaining:
    r"""
    Return what may be left after n items were found, density and Pd being uncertain.

    Parameters
    ----------
    n_found : int
        Items found in the stratum.
    area : float
        Of the stratum, in m2.
    density_prior : (float, float)
        Shape a, and rate b in m2, of the gamma law of the density: mean a / b.
    pd : float or (n_draws,) array_like
        Effective probability of detection, or equally likely draws of it, each from 0 to
        below 1.
    confidence : float
        Of the one-sided upper bound.
    weigh_by_finds : bool
        Whether draws of Pd are weighted by how well they explain the finds, as they must be.
        False shows what neglecting it does.

    Returns
    -------
    remaining : StratumRemaining
        Mean, upper bound of the number (at least 1, since none is never promised),
        probability of none.

    Raises
    ------
    TypeError, ValueError
        If a figure is out of range; a Pd of 1 or more is refused.

    Notes
    -----
    With density :math:`\lambda \sim \mathrm{Gamma}(a, b)` and area A the number left is
    negative binomial with size :math:`a + n` and success probability
    :math:`(b + A P)/(b + A)`, so that

    .. math:: E[N] = \frac{(a + n) A (1 - P)}{b + A P}, \qquad
              P(N = 0) = \left(\frac{b + A P}{b + A}\right)^{a + n}.

    Draws of P weigh :math:`P^n / (b + A P)^{a + n}`.

    Examples
    --------
    Five of six seeds were found. Unweighted draws of Pd are a little optimistic:

    >>> import numpy as np
    >>> from scipy.stats import beta
    >>> from minesense.evidence import remaining_in_stratum
    >>> pd = beta(5.5, 1.5).ppf((np.arange(20000) + 0.5) / 20000)
    >>> site = {"area": 2000.0, "density_prior": (0.5, 20.0), "pd": pd}
    >>> round(remaining_in_stratum(3, **site).none_remain, 3)
    0.47
    >>> round(remaining_in_stratum(3, weigh_by_finds=False, **site).none_remain, 3)
    0.493
    """
    n = check_count(n_found, "n_found", least=0)
    area = check_positive(area, "area")
    a, b = (check_positive(value, "density_prior") for value in density_prior)
    draws = check_array(np.atleast_1d(np.asarray(pd, dtype=np.float64)), "pd", ("n_draws",))
    if not len(draws) or (draws < 0).any() or (draws >= 1).any():
        msg = f"Invalid pd '{draws.max() if len(draws) else ''}'. Must be from 0 to below 1."
        raise ValueError(msg)
    check_probability(confidence, "confidence")
    seen = b + area * draws
    weights = np.full(len(draws), 1 / len(draws))
    if weigh_by_finds:
        with np.errstate(divide="ignore"):  # nothing is found at Pd 0
            logs = (n * np.log(draws) if n else 0.0) - (a + n) * np.log(seen)
        if not np.isfinite(logs).any():
            msg = f"Invalid n_found '{n}' at pd 0. Must be 0: nothing can be found."
            raise ValueError(msg)
        weights = np.exp(logs - logs.max())
        weights /= weights.sum()
    p = seen / (b + area)
    mean = float(weights @ ((a + n) * area * (1 - draws) / seen))
    none = float(weights @ p ** (a + n))
    return StratumRemaining(
        mean, max(1.0, _mixed_quantile(confidence, a + n, p, weights)), min(none, 1 - 1e-12)
    )


def _mixed_quantile(share: float, size: float, p: Floats, weights: Floats) -> float:
    """Return the quantile of a mixture of negative binomial laws of one size."""
    from scipy.stats import nbinom  # noqa: PLC0415 - SciPy is slow to import

    few, enough = -1, 1
    while float(weights @ nbinom.cdf(enough, size, p)) < share:
        few, enough = enough, 2 * enough
    while enough - few > 1:
        middle = (few + enough) // 2
        if float(weights @ nbinom.cdf(middle, size, p)) < share:
            few = middle
        else:
            enough = middle
    return float(enough)


def outside_inside_ratio(
    incident_share: float, *, exposure_inside: float, exposure_outside: float
) -> float:
    r"""
    Return how many items lie outside records per item inside, from shares of incidents.

    Parameters
    ----------
    incident_share : float
        Share f of the incidents that happened outside all records.
    exposure_inside, exposure_outside : float
        Person-hours per m2 spent inside and outside. Without them incidents say nothing of
        numbers: people avoid ground that is marked.

    Returns
    -------
    ratio : float
        :math:`\frac{f}{1 - f} \frac{E_{in}}{E_{out}}`.

    Raises
    ------
    TypeError, ValueError
        If the share is not between 0 and 1 or an exposure not greater than zero.

    Examples
    --------
    With 55 % of the incidents outside, and ten times the time spent there:

    >>> from minesense.evidence import outside_inside_ratio
    >>> round(outside_inside_ratio(0.55, exposure_inside=0.01, exposure_outside=0.1), 4)
    0.1222
    """
    f = check_probability(incident_share, "incident_share")
    inside = check_positive(exposure_inside, "exposure_inside")
    outside = check_positive(exposure_outside, "exposure_outside")
    return f / (1 - f) * inside / outside


def incident_log_likelihood(
    intensity: npt.ArrayLike,
    exposure: npt.ArrayLike | None,
    incident_cells: npt.ArrayLike,
    *,
    cell_area: float,
    trigger: float,
) -> float:
    r"""
    Return the log likelihood of incidents, given where items and people were.

    Parameters
    ----------
    intensity : (n_cells,) array_like
        Items per m2.
    exposure : (n_cells,) array_like or None
        Person-hours per m2. None is refused.
    incident_cells : (n_incidents,) array_like of int
        Cell of each incident.
    cell_area : float
        m2.
    trigger : float
        Incidents per item and per unit of exposure, p.

    Returns
    -------
    log_likelihood : float
        :math:`\sum_j \log(\lambda_j E_j p) - \int \lambda E p`; minus infinity for an
        incident where nobody was.

    Raises
    ------
    TypeError, ValueError
        If there is no exposure layer, lengths differ, or a figure is out of range.

    Examples
    --------
    >>> from minesense.evidence import incident_log_likelihood
    >>> there = incident_log_likelihood(
    ...     [0.1, 0.1], [1.0, 3.0], [1], cell_area=1.0, trigger=0.5
    ... )
    >>> round(there, 4)
    -2.0971
    """
    if exposure is None:
        msg = (
            "Invalid exposure None. Must be a layer of person-hours per m2: without one, "
            "incidents outside the records say nothing of items outside."
        )
        raise ValueError(msg)
    rates = check_array(intensity, "intensity", ("n_cells",))
    spent = check_array(exposure, "exposure", (len(rates),))
    if (rates < 0).any() or (spent < 0).any():
        msg = "Invalid intensity or exposure: one is negative. Must be zero or more."
        raise ValueError(msg)
    p = check_positive(trigger, "trigger") * rates * spent
    cells = np.asarray(incident_cells, dtype=np.int64)
    with np.errstate(divide="ignore"):
        hits = np.log(p[cells]).sum()
    return float(hits - p.sum() * check_positive(cell_area, "cell_area"))


def posterior_density(
    n_found: int, *, area: float, density_prior: tuple[float, float], pd: float
) -> tuple[float, float]:
    """
    Return the gamma law of the density after a search.

    Parameters
    ----------
    n_found : int
        Items found.
    area : float
        Searched, in m2.
    density_prior : (float, float)
        Shape, and rate in m2.
    pd : float
        Effective probability of detection, below 1.

    Returns
    -------
    law : (float, float)
        Shape a + n, and rate b + A P.

    Raises
    ------
    TypeError, ValueError
        If a figure is out of range.

    Examples
    --------
    >>> from minesense.evidence.gamma_poisson import posterior_density
    >>> posterior_density(3, area=2000.0, density_prior=(0.5, 20.0), pd=0.8)
    (3.5, 1620.0)
    """
    n = check_count(n_found, "n_found", least=0)
    a, b = (check_positive(value, "density_prior") for value in density_prior)
    p = check_not_negative(pd, "pd")
    if p >= 1:
        msg = f"Invalid pd '{p:g}'. Must be below 1."
        raise ValueError(msg)
    return a + n, b + check_positive(area, "area") * p
