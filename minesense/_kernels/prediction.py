"""Kernels that predict each trace from those behind it and learn from the error."""

import numpy as np

from ._jit import jit
from .copying import copy_row, zero_row


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
    held, presence : (n_held, n_channels n_bins) float32 array, (n_held,) int64 array
        State: the traces before, trace k at k mod n_held, the last present one where
        absent; which are present. The oldest predict, and of every so many after it the
        first, as many as there are lags; the last ones are the guard.
    weights : (n_channels, n_lags, (2 reach + 1) n_bins) float32 array
        State: from the oldest lag and the lowest channel within reach on.
    power, variance : (n_channels, n_bins) float64 array
        State: running means of the squares of what predicts and of errors.
    tally : (3,) int64 array
        State: traces taken, traces learnt from, whether any was present.
    scratch : (4, n_channels n_bins) float32 array
        Overwritten.
    is_short : (n_traces,) bool array
        Overwritten: whether too little is behind a trace to judge it.
    """
    n_held, n_lags = len(held), weights.shape[1]
    _, n_channels, n_bins = values.shape
    squares, step, spare, error = scratch[0], scratch[1], scratch[2], scratch[3, :n_bins]
    for k in range(len(values)):
        oldest, n_learnt = tally[0] % n_held, tally[1]
        n_behind = 0
        for m in range(n_lags):
            n_behind += presence[(oldest + m * every) % n_held]
        is_short[k] = n_behind < least or n_learnt < n_lags * every
        if is_present[k] and n_behind >= least:
            tally[1] = n_learnt + 1
            gain = max(forget, 1.0 / tally[1])  # a plain mean first
            _sum_squares(held, oldest, every, n_lags, squares)
            for c in range(n_channels):
                low, high = max(0, c - reach), min(n_channels, c + reach + 1)
                first, stop = low * n_bins, high * n_bins
                _predict(held, oldest, every, first, weights[c], spare[: stop - first], error)
                for b in range(n_bins):
                    error[b] = values[k, c, b] - error[b]
                _find_step(
                    squares[first:stop],
                    error,
                    rate,
                    share,
                    gain,
                    power[c],
                    step[: stop - first],
                )
                _learn(held, oldest, every, first, step[: stop - first], weights[c])
                _judge(error, gain, floor, n_learnt >= n_lags * every, variance[c], out[k, c])
        if is_short[k] or not is_present[k]:
            out[k] = 0.0
        _hold(values[k], is_present[k], held, presence, tally)


@jit
def _sum_squares(held, oldest, every, n_lags, out):
    """Sum the squares of the traces that predict, channel by channel and bin by bin."""
    zero_row(out)
    for m in range(n_lags):
        row = held[(oldest + m * every) % len(held)]
        for b in range(len(row)):
            out[b] += row[b] * row[b]


@jit
def _predict(held, oldest, every, first, weights, products, out):
    """Weigh the traces that predict: all channels at once, which are added up at the end."""
    n_held, n_lags, n = len(held), len(weights), len(products)
    zero_row(products)
    for m in range(0, n_lags - 1, 2):  # two save half of the loads and stores of the sums
        weight, next_weight = weights[m, :n], weights[m + 1, :n]
        row = held[(oldest + m * every) % n_held, first : first + n]
        next_row = held[(oldest + (m + 1) * every) % n_held, first : first + n]
        for b in range(n):
            products[b] += weight[b] * row[b] + next_weight[b] * next_row[b]
    if n_lags % 2 == 1:
        weight = weights[n_lags - 1, :n]
        row = held[(oldest + (n_lags - 1) * every) % n_held, first : first + n]
        for b in range(n):
            products[b] += weight[b] * row[b]
    _add_channels(products, out)


@jit
def _add_channels(values, out):
    """Sum values of channels behind one another, bin by bin."""
    zero_row(out)
    for first in range(0, len(values), len(out)):
        row = values[first : first + len(out)]
        for b in range(len(out)):
            out[b] += row[b]


@jit
def _find_step(squares, error, rate, share, gain, power, step):
    """Give rate error / (delta + |u|^2) by channel, and follow the mean of |u|^2."""
    first = step[: len(power)]
    _add_channels(squares, first)
    for b in range(len(power)):
        norm = np.float64(first[b])
        power[b] += gain * (norm - power[b])
        # delta; the tiny number keeps silence, where both are zero, from being divided by
        first[b] = rate * error[b] / (share * power[b] + norm + 1e-30)
    for start in range(len(power), len(step), len(power)):
        copy_row(first, step[start : start + len(power)])


@jit
def _learn(held, oldest, every, first, step, weights):
    """Move the weights against the error."""
    n = len(step)
    for m in range(len(weights)):
        weight = weights[m, :n]
        row = held[(oldest + m * every) % len(held), first : first + n]
        for b in range(n):
            weight[b] += step[b] * row[b]


@jit
def _judge(error, gain, floor, is_bounded, variance, out):
    """Give squared errors over the variance before them, then follow the variance."""
    for b in range(len(variance)):
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
        copy_row(held[(slot - 1) % n_held], held[slot])
        return
    is_first = tally[2] == 0
    tally[2] = 1
    n_bins = trace.shape[1]
    for m in range(n_held):
        if is_first or m == slot:
            for c in range(len(trace)):
                copy_row(trace[c], held[m, c * n_bins : (c + 1) * n_bins])


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
