"""Kernels that predict each trace from those behind it and learn from the error."""

import numpy as np

from ._jit import jit
from .copying import copy_rows


@jit
def predict_and_learn(
    values,
    is_present,
    every,
    reach,
    least,
    rate,
    share,
    forget,
    floor,
    held,
    presence,
    weights,
    power,
    variance,
    tally,
    scratch,
    out,
    is_short,
):
    """
    Give squared errors of normalised LMS predictions, over their trailing variance.

    Parameters
    ----------
    values, out : (n_traces, n_channels, n_bins) float32 array
        Traces in recording order; `out` is overwritten, zero where absent or short.
    is_present : (n_traces,) bool array
    every, reach, least : int
        Traces from one that predicts to the next; channels to each side that predict; least
        present traces among those that predict.
    rate, share, forget, floor : float
        Step of learning; regularisation as a share of mean power; weight of the newest
        trace in the means of power and variance; least spread that is divided by.
    held, presence : (n_held, n_channels, n_bins) float32 array, (n_held,) int64 array
        State: the traces before, trace k at k mod n_held, the last present one where
        absent; which are present. The oldest predict, and of every so many after it the
        first, as many as there are lags; the last ones are the guard.
    weights : (n_channels, n_lags, 2 * reach + 1, n_bins) float32 array
        State: from the oldest lag and the lowest channel within reach on.
    power, variance : (n_channels, n_bins) float64 array
        State: running means of the squares of what predicts and of errors.
    tally : (3,) int64 array
        State: traces taken, traces learnt from, whether any was present.
    scratch : (n_channels + 2, n_bins) float32 array
        Overwritten.
    is_short : (n_traces,) bool array
        Overwritten: whether too little is behind a trace to judge it.
    """
    n_held, n_channels, n_lags = len(held), values.shape[1], weights.shape[1]
    for k in range(len(values)):
        oldest, n_learnt = tally[0] % n_held, tally[1]
        n_behind = 0
        for m in range(n_lags):
            n_behind += presence[(oldest + m * every) % n_held]
        is_short[k] = n_behind < least or n_learnt < n_lags * every
        if is_present[k] and n_behind >= least:
            tally[1] = n_learnt + 1
            gain = max(forget, 1.0 / tally[1])  # a plain mean first
            squares = scratch[:n_channels]
            _sum_squares(held, oldest, every, n_lags, squares)
            for c in range(n_channels):
                error, step = scratch[n_channels], scratch[n_channels + 1]
                low, high = max(0, c - reach), min(n_channels, c + reach + 1)
                _predict(held, oldest, every, low, high, weights[c], error)
                for b in range(len(error)):
                    error[b] = values[k, c, b] - error[b]
                _find_step(squares, low, high, error, rate, share, gain, power[c], step)
                _learn(held, oldest, every, low, high, step, weights[c])
                _judge(error, gain, floor, n_learnt >= n_lags * every, variance[c], out[k, c])
        if is_short[k] or not is_present[k]:
            out[k] = 0.0
        _hold(values[k], is_present[k], held, presence, tally)


@jit
def _sum_squares(held, oldest, every, n_lags, out):
    """Sum the squares of the traces that predict, channel by channel and bin by bin."""
    n_held, n_channels, n_bins = held.shape
    out[:] = 0.0
    for m in range(n_lags):
        for c in range(n_channels):
            row, total = held[(oldest + m * every) % n_held, c], out[c]
            for b in range(n_bins):
                total[b] += row[b] * row[b]


@jit
def _predict(held, oldest, every, low, high, weights, out):
    """Weigh channels low to high of the traces that predict."""
    n_held = len(held)
    out[:] = 0.0
    for m in range(len(weights)):
        for c in range(low, high):
            row, weight = held[(oldest + m * every) % n_held, c], weights[m, c - low]
            for b in range(len(out)):
                out[b] += weight[b] * row[b]


@jit
def _find_step(squares, low, high, error, rate, share, gain, power, step):
    """Give rate error / (delta + |u|^2), and follow the mean of |u|^2, which delta is of."""
    step[:] = 0.0
    for c in range(low, high):
        row = squares[c]
        for b in range(len(step)):
            step[b] += row[b]
    for b in range(len(step)):
        norm = np.float64(step[b])
        power[b] += gain * (norm - power[b])
        # the tiny number keeps silence, where both are zero, from being divided by
        step[b] = rate * error[b] / (share * power[b] + norm + 1e-30)


@jit
def _learn(held, oldest, every, low, high, step, weights):
    """Move the weights against the error."""
    n_held = len(held)
    for m in range(len(weights)):
        for c in range(low, high):
            row, weight = held[(oldest + m * every) % n_held, c], weights[m, c - low]
            for b in range(len(step)):
                weight[b] += step[b] * row[b]


@jit
def _judge(error, gain, floor, is_bounded, variance, out):
    """Give squared errors over the variance before them, then follow the variance."""
    for b in range(len(error)):
        square = np.float64(error[b]) * error[b]
        before = max(variance[b], floor * floor)
        out[b] = square / before
        if is_bounded:
            # 0.9205 is the mean of min(x^2, 4) for a standard normal x
            square = min(square, 4.0 * before) / 0.9205369
        variance[b] += gain * (square - variance[b])


@jit
def _hold(trace, is_present, held, presence, tally):
    """Keep a trace in place of the oldest: an absent one as the last that was present."""
    n_held = len(held)
    slot = tally[0] % n_held
    tally[0] += 1
    presence[slot] = 1 if is_present else 0
    if not is_present:
        copy_rows(held[(slot - 1) % n_held], held[slot])
    elif tally[2] == 0:
        tally[2] = 1
        for m in range(n_held):
            copy_rows(trace, held[m])
    else:
        copy_rows(trace, held[slot])


@jit
def sum_runs(values, n_best, out):
    """
    Sum every run of n_best contiguous bins.

    Parameters
    ----------
    values : (n_traces, n_channels, n_bins) float32 array
    n_best : int
    out : (n_traces, n_channels, n_bins - n_best + 1) float32 array
        Overwritten.
    """
    n_traces, n_channels, n_runs = out.shape
    for k in range(n_traces):
        for c in range(n_channels):
            for w in range(n_runs):
                total = 0.0
                for b in range(w, w + n_best):
                    total += values[k, c, b]
                out[k, c, w] = total
