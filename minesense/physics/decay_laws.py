"""Empirical laws of the voltage after turn-off, for fitting decays of bodies unknown."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from .._validation import check_array, check_not_negative, check_number, check_positive
from .relaxation import Floats, check_range

_STARTS = (0.1, 1.0, 10.0)  # of the shortest gate time, where a search begins
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)


@dataclass(frozen=True, slots=True, kw_only=True)
class VoltageLaw:
    """
    A law of the voltage itself, with its time course and its means over gates.

    It is no :class:`~minesense.physics.Relaxation`: it says nothing of the moment of a body,
    of other waveforms or of frequencies, and no function takes it for a body.
    """

    scale: float  #: k

    def course(self, time: Floats) -> Floats:
        """
        Return the law without its scale.

        Parameters
        ----------
        time : (...) float64 ndarray
            Seconds, greater than zero.

        Returns
        -------
        course : (...) float64 ndarray
            What multiplies the scale.
        """
        msg = "Use one of the laws derived from this one."
        raise NotImplementedError(msg)

    def voltage(self, time: npt.ArrayLike) -> Floats:
        """
        Return the voltage at given times.

        Parameters
        ----------
        time : (...) array_like
            Seconds after turn-off, zero or more.

        Returns
        -------
        voltage : (...) float64 ndarray
            In the unit of the scale: V, or V/A.

        Raises
        ------
        ValueError
            If a time is negative or not finite.
        """
        return self.scale * self.course(check_range(time, "time"))

    def gate_means(self, gates: npt.ArrayLike) -> Floats:
        """
        Return the means of the voltage over gates.

        Parameters
        ----------
        gates : (n, 2) array_like
            Start and stop after turn-off, s.

        Returns
        -------
        means : (n,) float64 ndarray
            In the unit of the scale.

        Raises
        ------
        ValueError
            If a gate does not hold 0 < start < stop.
        """
        time, weight = _gate_nodes(gates)
        return np.asarray((self.voltage(time) * weight).sum(axis=1))


@dataclass(frozen=True, slots=True, kw_only=True)
class SmithMorrisonBecker(VoltageLaw):
    r"""
    The law :math:`k\,(1 + \sqrt{t / \alpha})^{-\beta} e^{-t / \gamma}`.

    Raises
    ------
    TypeError, ValueError
        If the scale is not finite, `alpha` or `gamma` is not greater than zero, or `beta` is
        negative.

    References
    ----------
    J. T. Smith, H. F. Morrison and A. Becker 2004, "Parametric forms and the inductive
    response of a permeable conducting sphere", Journal of Environmental and Engineering
    Geophysics 9(4), 213-216.
    """

    alpha: float  #: s
    beta: float
    gamma: float  #: s

    def __post_init__(self) -> None:
        _check_law(self.scale, self.alpha, self.beta, self.gamma)

    def course(self, time: Floats) -> Floats:
        """Return the law without its scale, as :meth:`VoltageLaw.course` says."""
        return (1 + np.sqrt(time / self.alpha)) ** -self.beta * np.exp(-time / self.gamma)


@dataclass(frozen=True, slots=True, kw_only=True)
class PasionOldenburg(VoltageLaw):
    r"""
    The law :math:`k\,(t + \alpha)^{-\beta} e^{-t / \gamma}`, with times in seconds.

    Raises
    ------
    TypeError, ValueError
        If the scale is not finite, `alpha` or `gamma` is not greater than zero, or `beta` is
        negative.

    References
    ----------
    L. R. Pasion and D. W. Oldenburg 2001, "Locating and characterizing unexploded ordnance
    using time domain electromagnetic induction", ERDC/GSL TR-01-10; the form was verified in
    its abstract, its range of use is unverified.
    """

    alpha: float  #: s
    beta: float
    gamma: float  #: s

    def __post_init__(self) -> None:
        _check_law(self.scale, self.alpha, self.beta, self.gamma)

    def course(self, time: Floats) -> Floats:
        """Return the law without its scale, as :meth:`VoltageLaw.course` says."""
        return (time + self.alpha) ** -self.beta * np.exp(-time / self.gamma)


Law = TypeVar("Law", SmithMorrisonBecker, PasionOldenburg)


def fit_decay_law(
    law: type[Law],
    gates: npt.ArrayLike,
    voltage: npt.ArrayLike,
    *,
    spread: npt.ArrayLike | None = None,
) -> tuple[Law, float]:
    r"""
    Fit an empirical law to the gate voltages of one decay.

    Parameters
    ----------
    law : type
        :class:`SmithMorrisonBecker` or :class:`PasionOldenburg`.
    gates : (n, 2) array_like
        Start and stop after turn-off, s; four gates or more.
    voltage : (n,) array_like
        Means over the gates, of one sign for a sensible fit.
    spread : (n,) array_like, optional
        Standard deviation of each voltage, in its unit; by default in proportion to its
        size, so that all gates count alike.

    Returns
    -------
    fitted : SmithMorrisonBecker or PasionOldenburg
        The law that fits best.
    misfit : float
        Root mean square of the misfit in spreads: a share of the voltage by default.

    Raises
    ------
    TypeError, ValueError
        If `law` is neither, a shape does not fit, there are fewer than four gates, or a
        spread is not greater than zero.

    Notes
    -----
    Least squares over :math:`\ln \alpha, \beta, \ln \gamma` from nine starts, the scale
    solved for at each step. The three trade for one another over a few decades of time: the
    curve is determined better than its parameters.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.physics import SmithMorrisonBecker, fit_decay_law
    >>> edges = np.geomspace(1e-5, 1e-3, 13)
    >>> gates = np.column_stack([edges[:-1], edges[1:]])
    >>> true = SmithMorrisonBecker(scale=2e-8, alpha=3e-5, beta=1.5, gamma=4e-4)
    >>> fitted, misfit = fit_decay_law(SmithMorrisonBecker, gates, true.gate_means(gates))
    >>> misfit < 1e-4
    True
    """
    if law not in (SmithMorrisonBecker, PasionOldenburg):
        msg = f"Invalid law {law!r}. Must be SmithMorrisonBecker or PasionOldenburg."
        raise TypeError(msg)
    time, weight = _gate_nodes(gates)
    n_gates = len(time)
    measured = check_array(voltage, "voltage", (n_gates,))
    if n_gates < 4:
        msg = f"Invalid gates: {n_gates} of them. Must be at least four, one a parameter."
        raise ValueError(msg)
    sigma = np.abs(measured) if spread is None else check_array(spread, "spread", (n_gates,))
    if (sigma <= 0).any():
        name = "voltage '0.0' without a spread" if spread is None else f"spread '{sigma.min()}'"
        msg = f"Invalid {name}. Must be greater than zero."
        raise ValueError(msg)
    first = float(time.min())
    best: tuple[Law, float] | None = None
    for alpha in _STARTS:
        for gamma in _STARTS:
            start = np.log([alpha * first, math.e, gamma * time.max()])
            found = _search(law, start, time, weight, measured / sigma, sigma)
            if best is None or found[1] < best[1]:
                best = found
    assert best is not None
    return best


def _search(
    law: type[Law], start: Floats, time: Floats, weight: Floats, goal: Floats, sigma: Floats
) -> tuple[Law, float]:
    """Return the best law near a start, and its misfit."""
    from scipy.optimize import least_squares  # noqa: PLC0415  slow to import

    def curve(x: Floats) -> tuple[Law, Floats]:
        unit = law(scale=1.0, alpha=math.exp(x[0]), beta=x[1], gamma=math.exp(x[2]))
        means = (unit.course(time) * weight).sum(axis=1) / sigma
        size = float(means @ means)
        scale = float(means @ goal) / size if size > 0 else 0.0
        return dataclasses.replace(unit, scale=scale), goal - scale * means

    span = math.log(1e4)
    low = [start[0] - span, 0.0, math.log(time.min()) - 1]
    high = [start[0] + span, 20.0, math.log(time.max()) + span]
    found = least_squares(
        lambda x: curve(x)[1], start, bounds=(low, high), xtol=1e-12, ftol=1e-14, gtol=1e-14
    )
    fitted, left = curve(found.x)
    return fitted, float(np.sqrt((left**2).mean()))


def _gate_nodes(gates: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Return times in each gate and weights of its mean, (n, 16): Gauss in ln t."""
    bounds = check_array(gates, "gates", ("n", 2))
    if (bounds[:, 0] <= 0).any() or (bounds[:, 1] <= bounds[:, 0]).any():
        msg = f"Invalid gates {bounds.tolist()}. Must hold 0 < start < stop, in seconds."
        raise ValueError(msg)
    half = 0.5 * np.log(bounds[:, 1:] / bounds[:, :1])
    time = np.sqrt(bounds[:, :1] * bounds[:, 1:]) * np.exp(half * _NODES)
    return time, half * _WEIGHTS * time / np.diff(bounds, axis=1)


def _check_law(scale: float, alpha: float, beta: float, gamma: float) -> None:
    """Raise unless the parameters of a law are in range."""
    check_number(scale, "scale")
    check_positive(alpha, "alpha")
    check_not_negative(beta, "beta")
    check_positive(gamma, "gamma")
