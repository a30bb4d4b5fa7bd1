"""The relaxation rates that non-negative sums of decays at several places share."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..sweep import Floats

#: From rates (n_rates,) to what each records, (n_rates, n_values), over the noise.
Courses = Callable[[Floats], Floats]

#: Rounds of the group norm over several places; it changes little after that.
_ROUNDS = 5
#: Least size of a group as a share of the largest, so that its weight stays finite.
_LEAST_GROUP = 1e-3
#: Share of the misfit that one more step must gain while orders are compared, and at last.
_ROUGH, _FINE = 1e-3, 1e-10
#: Misfit over the degrees of freedom that is far from noise.
_FAR = 2.0
#: Half the step of ln(rate) by which a course is differentiated.
_STEP = 1e-4


class Shared(NamedTuple):
    """Rates and what belongs to them, and the criterion by which orders compare."""

    rates: Floats  # (n_rates,) increasing, 1/s
    amplitudes: Floats  # (n_places, n_rates)
    misfit: float  # sum of squares, over the noise
    criterion: float  # misfit and penalty


def spectrum_on_grid(design: Floats, rows: Floats, ridge: float) -> Floats:
    """
    Return non-negative amplitudes at every rate of a grid, with groups over the places.

    Parameters
    ----------
    design : (n_grid, n_values) float64 ndarray
        Courses of the rates.
    rows : (n_places, n_values) float64 ndarray
        Data over the noise.
    ridge : float
        Weight of the squared amplitudes of courses of unit length.

    Returns
    -------
    amplitudes : (n_places, n_grid) float64 ndarray
        Of each place.
    """
    from scipy.optimize import nnls  # noqa: PLC0415  half a second that few imports need

    norms = np.linalg.norm(design, axis=1)
    stacked = np.zeros((design.shape[1] + len(design), len(design)))
    stacked[: design.shape[1]] = (design / norms[:, None]).T
    corner = stacked[design.shape[1] :]
    goal = np.zeros(len(stacked))
    found = np.zeros((len(rows), len(design)))
    weights = np.full(len(design), ridge)
    largest = 0.0
    for _ in range(1 if len(rows) == 1 else _ROUNDS):
        np.fill_diagonal(corner, np.sqrt(weights))
        for p, row in enumerate(rows):
            goal[: design.shape[1]] = row
            found[p] = nnls(stacked, goal, maxiter=50 * len(design))[0]
        groups = np.linalg.norm(found, axis=0)
        largest = largest or float(groups.max())  # of the first round, then fixed
        if largest == 0:
            break
        # the group norm is at most (squares / old group + old group) / 2
        weights = ridge * largest / np.maximum(groups, _LEAST_GROUP * largest)
    return found / norms


def merge_neighbours(grid: Floats, amplitudes: Floats) -> Floats:
    """
    Return one rate for each run of active neighbours of a grid: their weighted centroid.

    Parameters
    ----------
    grid : (n_grid,) float64 ndarray
        Rates, increasing, 1/s.
    amplitudes : (n_grid,) float64 ndarray
        Not negative. A run is also cut where it is least between two maxima.

    Returns
    -------
    rates : (n,) float64 ndarray
        Means of ln(rate), weighed by amplitude.
    """
    rates = []
    padded = np.concatenate([[0.0], amplitudes, [0.0]])
    start = 0
    for k in range(1, len(padded)):
        is_valley = padded[k - 1] >= padded[k] and k + 1 < len(padded)
        is_valley = is_valley and padded[k] < padded[k + 1]
        if not is_valley and k + 1 < len(padded):
            continue
        run = slice(start, k)  # of the grid, whose first is padded[1]
        total = amplitudes[run].sum()
        if total > 0:
            rates.append(math.exp((np.log(grid[run]) * amplitudes[run]).sum() / total))
        start = k
    return np.array(rates)


def shared_rates(
    courses: Courses, rows: Floats, grid: Floats, start: Floats, n_values: int, most: int
) -> Shared:
    """
    Choose how many rates the noise allows, and move them to where the misfit is least.

    Parameters
    ----------
    courses : callable
        Courses of given rates.
    rows : (n_places, n_values) float64 ndarray
        Data over the noise.
    grid : (n_grid,) float64 ndarray
        Rates to add, increasing; none is moved beyond its ends.
    start : (n,) float64 ndarray
        Rates to begin with.
    n_values : int
        Independent values among the data.
    most : int
        Rates at most.

    Returns
    -------
    shared : Shared
        The order of least misfit and penalty.
    """
    penalty = (len(rows) + 1) * math.log(n_values)
    columns = courses(grid)
    best = _refined(courses, rows, grid, start[np.argsort(start)], penalty)
    while len(best.rates) > most:
        best = _without_one(courses, rows, grid, best, penalty)
    freedom = max(n_values - most * (len(rows) + 1), 1)
    while len(best.rates) < most:
        left = rows - best.amplitudes @ courses(best.rates)
        pull = np.maximum(left @ (columns / np.linalg.norm(columns, axis=1)[:, None]).T, 0)
        added = [grid[int((pull**2).sum(axis=0).argmax())]]
        # far from the noise a greedy choice may lead nowhere: try every gap as well
        if best.misfit > _FAR * freedom:
            marks = np.sort(np.concatenate([grid[[0, -1]], best.rates]))
            added.extend(np.sqrt(marks[1:] * marks[:-1]))
        trials = [
            _refined(courses, rows, grid, np.append(best.rates, rate), penalty)
            for rate in added
        ]
        trial = min(trials, key=lambda found: found.criterion)
        if trial.criterion >= best.criterion:
            break
        best = trial
    while len(best.rates):
        trial = _without_one(courses, rows, grid, best, penalty)
        if trial.criterion > best.criterion:
            break
        best = trial
    best = _refined(courses, rows, grid, best.rates, penalty, gain=_FINE)
    order = np.argsort(best.rates)
    return best._replace(rates=best.rates[order], amplitudes=best.amplitudes[:, order])


def rate_errors(courses: Courses, shared: Shared) -> Floats:
    """
    Return standard errors of ln(rate), infinite where the data do not tell a rate.

    Parameters
    ----------
    courses : callable
        Courses of given rates.
    shared : Shared
        What was found.

    Returns
    -------
    errors : (n_rates,) float64 ndarray
        For noise as stated.
    """
    n_rates = len(shared.rates)
    if not n_rates:
        return np.empty(0)
    slopes = _courses_and_slopes(courses, np.log(shared.rates))
    jacobian = _jacobian(shared.amplitudes, *slopes)
    normal = jacobian.T @ jacobian
    if np.linalg.cond(normal) > 1e12:
        return np.full(n_rates, np.inf)
    return np.asarray(np.sqrt(np.diag(np.linalg.inv(normal))))


def _without_one(
    courses: Courses, rows: Floats, grid: Floats, best: Shared, penalty: float
) -> Shared:
    """Return what is best without the rate that is missed least."""
    design = courses(best.rates)
    misfits = []
    for j in range(len(best.rates)):
        rest = np.delete(design, j, axis=0)
        misfits.append(float(((rows - _amplitudes(rest, rows) @ rest) ** 2).sum()))
    rates = np.delete(best.rates, int(np.argmin(misfits)))
    return _refined(courses, rows, grid, rates, penalty)


def _refined(
    courses: Courses,
    rows: Floats,
    grid: Floats,
    rates: Floats,
    penalty: float,
    *,
    gain: float = _ROUGH,
) -> Shared:
    """Return the optimum near some rates, by variable projection in their logarithms."""
    from scipy.optimize import least_squares  # noqa: PLC0415  slow to import

    if len(rates):
        low, high = math.log(grid[0]), math.log(grid[-1])

        held: list[Floats] = []  # amplitudes and courses of the last rates tried

        def misfit(logs: Floats) -> Floats:
            design, change = _courses_and_slopes(courses, logs)
            amplitudes = _amplitudes(design, rows)
            held[:] = [logs.copy(), amplitudes, design, change]
            return (rows - amplitudes @ design).ravel()

        def slope(logs: Floats) -> Floats:
            if not np.array_equal(logs, held[0]):
                misfit(logs)
            return _jacobian(*held[1:])

        inside = np.clip(np.log(rates), low + 1e-9, high - 1e-9)
        found = least_squares(
            misfit, inside, jac=slope, bounds=(low, high), ftol=gain, xtol=1e-10, max_nfev=60
        )
        rates = np.exp(found.x)
    design = courses(rates)
    amplitudes = _amplitudes(design, rows)
    squares = float(((rows - amplitudes @ design) ** 2).sum())
    return Shared(rates, amplitudes, squares, squares + penalty * len(rates))


def _amplitudes(design: Floats, rows: Floats) -> Floats:
    """Return the non-negative amplitudes of least misfit at every place."""
    from scipy.optimize import nnls  # noqa: PLC0415  half a second that few imports need

    if not len(design):
        return np.zeros((len(rows), 0))
    norms = np.linalg.norm(design, axis=1)
    columns = (design / norms[:, None]).T
    # without bounds for all places at once: the answer wherever none is negative
    found = np.asarray(np.linalg.lstsq(columns, rows.T, rcond=None)[0].T)
    for p in np.flatnonzero((found < 0).any(axis=1)):
        found[p] = nnls(columns, rows[p], maxiter=50 * len(norms))[0]
    return found / norms


def _courses_and_slopes(courses: Courses, logs: Floats) -> tuple[Floats, Floats]:
    """Return courses and their derivatives by ln(rate), each (n_rates, n_values)."""
    here, after, before = np.split(
        courses(np.exp(np.concatenate([logs, logs + _STEP, logs - _STEP]))), 3
    )
    return here, (after - before) / (2 * _STEP)


def _jacobian(amplitudes: Floats, design: Floats, slopes: Floats) -> Floats:
    """Return Kaufman's -P dA/dln(rate) x of all places, (n_places n_values, n_rates)."""
    change = -amplitudes[:, :, None] * slopes
    supports, which = np.unique(amplitudes > 0, axis=0, return_inverse=True)
    for s, support in enumerate(supports):
        axes = np.linalg.qr(design[support].T)[0]
        own: npt.NDArray[np.bool_] = which.ravel() == s
        change[own] -= (change[own] @ axes) @ axes.T
    return np.asarray(np.swapaxes(change, 1, 2).reshape(-1, len(slopes)))
