"""Slow, obvious fits of relaxations: all parameters at once, by SciPy's bounded search."""

import numpy as np
from scipy.integrate import quad
from scipy.optimize import least_squares


def decay(time, rate, train, n_pulses=60):
    """Return the voltage of the moment exp(-rate t) after a pulse train, ideal receiver."""
    total = 0.0
    for j in range(n_pulses):
        late = time + j * train.half_period
        # a ramp is many small steps off, whose times are spread evenly over it
        off = quad(lambda s, late=late: rate * np.exp(-rate * (late + s)), 0, train.ramp)[0]
        on = rate * np.exp(-rate * (late + train.ramp + train.pulse))
        total += (-1) ** j * (off / train.ramp - on)
    return total


def gate_mean(rate, gate, train):
    """Return the mean of such a voltage over a gate."""
    return quad(lambda t: decay(t, rate, train), *gate, epsrel=1e-10)[0] / (gate[1] - gate[0])


def fit(courses, rows, rates):
    """
    Return rates and squared misfit of the best fit near given rates.

    Amplitudes of every place are parameters like the rates, not less than zero.
    """
    n_places, n_rates = len(rows), len(rates)
    scale = np.abs(rows).max()

    def misfit(x):
        amplitudes = x[n_rates:].reshape(n_places, n_rates)
        return (rows / scale - amplitudes @ courses(np.exp(x[:n_rates]))).ravel()

    design = courses(rates)
    first = np.maximum(np.linalg.lstsq(design.T, rows.T / scale, rcond=None)[0].T, 1e-12)
    start = np.concatenate([np.log(rates), first.ravel()])
    low = np.concatenate([np.full(n_rates, -np.inf), np.zeros(first.size)])
    found = least_squares(
        misfit,
        start,
        bounds=(low, np.inf),
        x_scale=np.maximum(np.abs(start), 1e-9),
        xtol=1e-14,
        ftol=1e-14,
        gtol=1e-14,
        max_nfev=2000,
    )
    return np.exp(found.x[:n_rates]), 2 * found.cost * scale**2
