"""Relaxations of a body whose interior has an effective permeability: one family of modes."""

from __future__ import annotations

import math

import numpy as np

from .relaxation import Floats

#: Slow modes that stay as they are, and those after them that are known one by one.
_N_EXACT = 6
_N_SINGLE = 200
#: Found by scanning; the others by the phase of the Bessel functions far out.
_N_SCANNED = 40
_STEP = 0.5
_MOST_STEPS = 60
#: Fast modes are joined in groups, down to this share of the slowest time constant.
_GROUPS_PER_DECADE = 5
_SHORTEST = 1e-8


def interior_modes(order: float, coupling: float, *, n_modes: int) -> tuple[Floats, Floats]:
    r"""
    Compute the slowest relaxations of a body with an effective interior, one by one.

    Parameters
    ----------
    order : float
        :math:`\nu`, greater than -1.
    coupling : float
        :math:`p`, zero or more.
    n_modes : int
        How many, 40 or more.

    Returns
    -------
    shares : (n_modes,) float64 ndarray
        Amplitudes of the slowest relaxation first; all of them add up to 1.
    taus : (n_modes,) float64 ndarray
        Time constants in units of :math:`|q|^2 / \omega`, decreasing.

    Notes
    -----
    With the share of the outer flux that an effective interior lets in,
    :math:`G_\nu(q) = 2 (\nu + 1) I_{\nu+1}(q) / (q I_\nu(q))`,

    .. math:: \frac{(1 + p) G_\nu(q)}{1 + p\, G_\nu(q)}
        = \sum_k \frac{c_k}{1 + q^2 / x_k^2} , \qquad
        c_k = \frac{2 \kappa (1 + p)}{\kappa^2 p (1 + p) + x_k^2} ,

    where :math:`\kappa = 2 (\nu + 1)` and :math:`x_k` are the roots of
    :math:`x J_\nu(x) + \kappa p J_{\nu+1}(x)`. The first forty are exact to rounding; the
    others come from the phases of both functions to the order :math:`1/x`.
    """
    return _modes(order, 2 * (order + 1) * coupling, n_modes)


def _modes(order: float, pull: float, n_modes: int) -> tuple[Floats, Floats]:
    """Return the modes of x J_nu(x) + pull J_nu+1(x): shares and time constants."""
    roots = _first_roots(order, pull)
    phase = (np.arange(_N_SCANNED + 1, n_modes + 1) + order / 2 - 0.25) * math.pi
    far = phase + math.pi / 4
    for _ in range(6):  # halves the error and more each time
        lead = (order + 0.5) / far
        turn = np.arctan2(pull * np.cos(lead), far + pull * np.sin(lead))
        far = phase + turn - (4 * order**2 - 1) / (8 * far)
    x2 = np.concatenate([roots, far]) ** 2
    return _shares(x2, order, pull), 1 / x2


def short_list(order: float, coupling: float) -> tuple[Floats, Floats]:
    """
    Return the relaxations of :func:`interior_modes` with all fast ones joined in groups.

    Parameters
    ----------
    order, coupling : float
        As in :func:`interior_modes`.

    Returns
    -------
    shares, taus : (n,) float64 ndarray
        About seventy, slowest first; the shares add up to a little less than 1, and what is
        missing is faster than :math:`10^{-8}` of the slowest.

    Notes
    -----
    The six slowest are kept. The others, beyond the two hundredth as the continuum that
    they are close to, are sorted into groups a fifth of a decade wide. Each is replaced by
    the two relaxations that have the same first four moments of the time constant (Gauss
    quadrature): amplitudes stay positive.
    """
    return _short_list(order, 2 * (order + 1) * coupling)


def wire_modes(pull: float) -> tuple[Floats, Floats]:
    r"""
    Return the relaxations of the current in a closed loop of round wire.

    Parameters
    ----------
    pull : float
        :math:`h`, permeability over inductance in units of :math:`\mu_0 b`; above zero.

    Returns
    -------
    shares, taus : (n,) float64 ndarray
        As of :func:`short_list`, in units of :math:`|q|^2 / \omega`.

    Notes
    -----
    The roots of :math:`h J_0(x) = x J_1(x)` with :math:`c_k = 2 h / (x_k^2 + h^2)`: the family
    of :func:`interior_modes` for :math:`\nu = -1`, :math:`\kappa p = h`.
    """
    return _short_list(-1.0, pull)


def _short_list(order: float, pull: float) -> tuple[Floats, Floats]:
    """Return slow modes as they are, and fast ones in groups."""
    shares, taus = _modes(order, pull, _N_SINGLE)
    tail = _continuum(order, pull, taus)
    fast = np.concatenate([[shares[_N_EXACT:], taus[_N_EXACT:]], tail], axis=1)
    joined = np.concatenate([[shares[:_N_EXACT], taus[:_N_EXACT]], _join(*fast)], axis=1)
    shares, taus = joined[:, np.argsort(-joined[1], kind="stable")]
    return shares, taus


def _shares(x2: Floats, order: float, pull: float) -> Floats:
    """Return the amplitudes of relaxations at the roots whose squares are given."""
    outer = 2 * (order + 1) + pull
    return 2 * outer / (pull * outer + x2)


def _continuum(order: float, pull: float, taus: Floats) -> Floats:
    """Return (shares, taus) of the modes behind the last, one root for every pi, (2, n)."""
    start, stop = 1 / math.sqrt(taus[-1]) + math.pi / 2, 1 / math.sqrt(_SHORTEST * taus[0])
    if stop <= start:
        return np.empty((2, 0))
    nodes, weights = np.polynomial.legendre.leggauss(4)
    n_cells = math.ceil(4 * _GROUPS_PER_DECADE * math.log10(stop / start))
    edges = np.log(start) + np.log(stop / start) * np.arange(n_cells + 1) / n_cells
    half = (edges[1] - edges[0]) / 2
    x = np.exp(((edges[:-1] + half)[:, None] + half * nodes).ravel())
    shares = np.tile(half * weights, n_cells) * x / math.pi * _shares(x * x, order, pull)
    return np.array([shares, 1 / x**2])


def _join(shares: Floats, taus: Floats) -> Floats:
    """Replace groups of three or more relaxations by two with the same moments, (2, n)."""
    group = np.floor(_GROUPS_PER_DECADE * np.log10(taus[0] / taus))
    starts = np.flatnonzero(np.diff(group, prepend=-1.0))
    counts = np.diff(np.append(starts, len(taus)))
    total = np.add.reduceat(shares, starts)
    middle = np.add.reduceat(shares * taus, starts) / total
    offset = taus / np.repeat(middle, counts) - 1
    second = np.add.reduceat(shares * offset**2, starts) / total
    third = np.add.reduceat(shares * offset**3, starts) / total
    is_many = counts > 2
    total, middle, second, third = (x[is_many] for x in (total, middle, second, third))
    root = np.sqrt(third**2 + 4 * second**3)
    low, high = (third - root) / (2 * second), (third + root) / (2 * second)
    weight = high / (high - low)
    is_kept = ~np.repeat(is_many, counts)
    return np.array(
        [
            np.concatenate([weight * total, (1 - weight) * total, shares[is_kept]]),
            np.concatenate([middle * (1 + low), middle * (1 + high), taus[is_kept]]),
        ]
    )


def _first_roots(order: float, factor: float) -> Floats:
    """
    Return the first roots of x J_nu(x) + factor J_nu+1(x).

    There is one between each root of J_nu and the next of J_nu+1, so that a step of half a
    unit separates them; Newton's steps that leave their bracket halve it instead.
    """
    from scipy.special import jv  # noqa: PLC0415  a tenth of a second that few imports need

    def parts(x: Floats) -> tuple[Floats, Floats]:
        first, second = jv(order, x), jv(order + 1, x)
        slope = (1 + order + factor) * first - (x + factor * (order + 1) / x) * second
        return np.asarray(x * first + factor * second), np.asarray(slope)

    last = (_N_SCANNED + 1) * math.pi + max(order, 0.0) * 2
    # the first root is near zero where the order is near -1
    grid = np.append(np.geomspace(1e-6, _STEP, 40), np.arange(2 * _STEP, last, _STEP))
    is_above = parts(grid)[0] > 0
    at = np.flatnonzero(is_above[1:] != is_above[:-1])[:_N_SCANNED]
    low, high, was_above = grid[at], grid[at + 1], is_above[at]
    x = 0.5 * (low + high)
    for _ in range(_MOST_STEPS):
        height, slope = parts(x)
        is_before = (height > 0) == was_above
        low, high = np.where(is_before, x, low), np.where(is_before, high, x)
        with np.errstate(divide="ignore", invalid="ignore"):
            following = x - height / slope
        is_inside = (following >= low) & (following <= high)
        following = np.where(is_inside, following, 0.5 * (low + high))
        is_still = np.abs(following - x) <= 4 * np.finfo(float).eps * x
        x = following
        if is_still.all():
            break
    return x
