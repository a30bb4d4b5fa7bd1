"""A quick search for the few relaxation rates that stations around an object share."""

from __future__ import annotations

import itertools
import math
from typing import NamedTuple

import numpy as np

from ..sweep import Floats
from ._rates import Courses, spectrum_on_grid

#: Rates of the grid in a decade, and rates sought at most.
_PER_DECADE, _MOST = 10, 3
#: Weight of squared amplitudes on the grid, as `ridge` of fit_decays.
_RIDGE = 1e-3
#: Patterns over the stations that are fitted at most.
_MOST_PATTERNS = 3
#: Half the step of ln(rate) by which a course is differentiated; step that ends the search.
_STEP, _ARRIVED = 1e-4, 1e-4
_MOST_STEPS = 12
#: Rates closer than this, as a ratio, are tried as one: it may have lain between two points.
_MERGE = 1.6


class RateSearch(NamedTuple):
    """The grid of a head and its gates, and every set of up to three of its rates."""

    courses: Courses
    grid: Floats  # (n_grid,) increasing, 1/s
    design: Floats  # (n_grid, m) courses of the grid
    sets: tuple[np.ndarray, ...]  # by number of rates, (n_sets, n_rates) indices
    inverses: tuple[Floats, ...]  # (n_sets, n_rates, n_rates) of their normal equations
    received: Floats  # (n_grid,) mean voltage over the gates of a moment of each rate


class QuickSpectrum(NamedTuple):
    """Rates that the noise allows, and the spectrum of the strongest pattern."""

    rates: Floats  # (n_rates,) increasing, 1/s; none if nothing stands out of the noise
    amplitudes: Floats  # (n_rates,) of the strongest pattern over the stations, not negative
    on_grid: Floats  # (n_grid,) the same on the grid
    misfit: float  # root mean square over the noise
    signal_to_noise: float  # dB for each number fitted


def make_search(courses: Courses, voltage: Courses, slow: float, fast: float) -> RateSearch:
    """
    Return the tables of a search.

    Parameters
    ----------
    courses : callable
        From rates (n_rates,) to what each records over the noise, (n_rates, m).
    voltage : callable
        From rates to what each records, (n_rates, n_gates).
    slow, fast : float
        Ends of the range, 1/s.

    Returns
    -------
    search : RateSearch
        For :func:`quick_spectrum`.
    """
    n_grid = max(2, math.ceil(_PER_DECADE * math.log10(fast / slow))) + 1
    grid = np.geomspace(slow, fast, n_grid)
    design = courses(grid)
    gram = design @ design.T
    sets, inverses = [], []
    for size in range(1, _MOST + 1):
        chosen = np.array(list(itertools.combinations(range(n_grid), size)))
        own = gram[chosen[:, :, None], chosen[:, None, :]]
        scale = np.sqrt(np.einsum("saa->sa", own))
        own = own / (scale[:, :, None] * scale[:, None, :])
        is_apart = np.linalg.cond(own) < 1e10 if size > 1 else np.ones(n_grid, np.bool_)
        chosen, scale = chosen[is_apart], scale[is_apart]
        inverse = np.linalg.inv(own[is_apart]) / (scale[:, :, None] * scale[:, None, :])
        sets.append(chosen)
        inverses.append(inverse)
    received = voltage(grid).mean(axis=1)
    return RateSearch(courses, grid, design, tuple(sets), tuple(inverses), received)


def quick_spectrum(search: RateSearch, bare: Floats) -> QuickSpectrum:
    r"""
    Find the rates that stations share, as few as the noise allows.

    Parameters
    ----------
    search : RateSearch
        From :func:`make_search`.
    bare : (n, m) float64 ndarray
        What is left of decays without the soil, over the noise.

    Returns
    -------
    spectrum : QuickSpectrum
        Up to three rates.

    Notes
    -----
    What :func:`~minesense.emi.fit_decays` fits, in a fraction of its time. The stations are
    turned to their patterns of most energy (left singular vectors of the data), up to three
    that stand out of the noise, which loses nothing that one object of so many moments
    sends; without any there is no rate. Every set of up to three rates of the grid is tried,
    by normal equations that do not depend on the data, and counts if the amplitudes of the
    strongest pattern are not negative; the best by :math:`\chi^2 + n_z (n_p + 1) \ln N` is
    moved to the optimum between the points of the grid by Gauss-Newton steps, variable
    projection in ln(rate). Neighbours are then joined if one rate does as well by the same
    criterion.
    """
    patterns, is_strong = _patterns(bare)
    pulls = search.design @ patterns.T  # (n_grid, n_patterns)
    strongest = int(np.argmax((pulls[:, 0] / np.linalg.norm(search.design, axis=1)) ** 2))
    if pulls[strongest, 0] < 0:
        patterns, pulls = -patterns, -pulls
    energy, (n_patterns, m) = float((patterns**2).sum()), patterns.shape
    n_values = n_patterns * m
    penalty = (n_patterns + 1) * math.log(n_values)
    best, rates = energy, np.empty(0)
    for chosen, inverse in zip(search.sets, search.inverses, strict=True):
        size = chosen.shape[1]
        if not is_strong or size * (n_patterns + 1) >= n_values:
            break
        own = pulls[chosen]  # (n_sets, size, n_patterns)
        amplitudes = inverse @ own
        squares = energy - (own * amplitudes).sum(axis=(1, 2))
        squares[(amplitudes[:, :, 0] < 0).any(axis=1)] = np.inf
        at = int(np.argmin(squares))
        if squares[at] + size * penalty < best:
            best, rates = float(squares[at]) + size * penalty, search.grid[chosen[at]]
    on_grid = spectrum_on_grid(search.design, patterns[:1], _RIDGE)[0]
    rates, amplitudes, misfit = _refined(search, patterns, rates)
    while len(rates) > 1:
        near = int(np.argmin(np.diff(np.log(rates))))
        if rates[near + 1] > _MERGE * rates[near]:
            break
        middle = math.sqrt(rates[near] * rates[near + 1])
        one = np.concatenate([rates[:near], [middle], rates[near + 2 :]])
        fewer = _refined(search, patterns, one)
        if fewer[2] - misfit > penalty:
            break
        rates, amplitudes, misfit = fewer
    n_numbers = len(rates) * (n_patterns + 1)
    signal = 10 * math.log10(max(energy - misfit, 1e-30) / max(n_numbers, 1))
    return QuickSpectrum(
        rates, amplitudes, on_grid, math.sqrt(misfit / max(1, n_values - n_numbers)), signal
    )


def _patterns(bare: Floats) -> tuple[Floats, bool]:
    """Return the data turned to their strongest patterns, and if one is more than noise."""
    _, values, vectors = np.linalg.svd(bare, full_matrices=False)
    n_strong = int((values > sum(map(math.sqrt, bare.shape))).sum())
    kept = slice(0, min(max(1, n_strong), _MOST_PATTERNS))
    return np.asarray(values[kept, None] * vectors[kept]), n_strong > 0


def _refined(
    search: RateSearch, patterns: Floats, rates: Floats
) -> tuple[Floats, Floats, float]:
    """Return rates moved to the least misfit near them, amplitudes and squared misfit."""
    if not len(rates):
        return rates, np.empty(0), float((patterns**2).sum())
    low, high = math.log(search.grid[0]), math.log(search.grid[-1])
    logs = np.log(rates)
    amplitudes, left, design, slopes = _fitted(search, patterns, logs)
    damping = 1e-3
    for _ in range(_MOST_STEPS):
        axes = np.linalg.qr(design.T)[0]
        change = amplitudes[:, :, None] * slopes[:, None, :]  # (n_rates, n_patterns, m)
        change -= (change @ axes) @ axes.T
        jacobian = change.reshape(len(logs), -1)
        normal, pull = jacobian @ jacobian.T, jacobian @ left.ravel()
        normal[np.diag_indices(len(logs))] *= 1 + damping
        step = np.linalg.lstsq(normal, pull, rcond=1e-12)[0]
        moved = np.clip(logs + np.clip(step, -0.5, 0.5), low, high)
        trial = _fitted(search, patterns, moved)
        is_better = (trial[1] ** 2).sum() <= (left**2).sum() and (trial[0][:, 0] >= 0).all()
        size = float(np.abs(moved - logs).max())
        if is_better:
            logs, (amplitudes, left, design, slopes) = moved, trial
            damping *= 0.1
        else:
            damping = max(100 * damping, 1e-2)
        if size < _ARRIVED:
            break
    order = np.argsort(logs)
    return np.exp(logs[order]), amplitudes[order, 0], float((left**2).sum())


def _fitted(
    search: RateSearch, patterns: Floats, logs: Floats
) -> tuple[Floats, Floats, Floats, Floats]:
    """Return amplitudes (n_rates, n_patterns), what they leave, courses and slopes."""
    design, after, before = np.split(
        search.courses(np.exp(np.concatenate([logs, logs + _STEP, logs - _STEP]))), 3
    )
    norms = np.linalg.norm(design, axis=1)
    scaled = np.linalg.lstsq((design / norms[:, None]).T, patterns.T, rcond=None)[0]
    amplitudes = scaled / norms[:, None]
    return amplitudes, patterns - amplitudes.T @ design, design, (after - before) / (2 * _STEP)
