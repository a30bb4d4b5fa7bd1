"""The slow, obviously correct version of prediction along the track. Written first."""

import numpy as np


def predict_field(y, is_usable, *, n_guard, n_lags, reach, rate, weight, least, floor, every=1):
    """
    Return errors, squared errors over their variance and what is short, all by definition.

    One value at a time: a channel and bin at a trace from a flat list of what is behind.
    """
    n_traces, n_channels, n_bins = y.shape
    error, ratio = np.full(y.shape, np.nan), np.zeros(y.shape)
    lags = [n_guard + 1 + every * m for m in reversed(range(n_lags))]
    usable_before = [
        [k - lag for lag in lags if k >= lag and is_usable[k - lag]] for k in range(n_traces)
    ]
    learns = [bool(is_usable[k]) and len(usable_before[k]) >= least for k in range(n_traces)]
    n_learnt = np.cumsum([0, *learns[:-1]]) if n_traces else np.zeros(0, int)
    is_short = np.array(
        [
            len(usable_before[k]) < least or n_learnt[k] < n_lags * every
            for k in range(n_traces)
        ],
        bool,
    )
    for c in range(n_channels):
        near = [q for q in range(n_channels) if abs(q - c) <= reach]
        for b in range(n_bins):
            w = np.full(n_lags * len(near), 1 / (n_lags * len(near)))
            power = variance = 0.0
            for k in np.flatnonzero(learns):
                behind = [k - lag for lag in lags]
                u = np.array([y[stand_in(j, is_usable), q, b] for j in behind for q in near])
                error[k, c, b] = eps = y[k, c, b] - w @ u
                share = max(weight, 1 / (n_learnt[k] + 1))
                power += share * (u @ u - power)
                w = w + rate * eps * u / (1e-3 * power + u @ u)
                before = max(variance, floor**2)
                if not is_short[k]:
                    ratio[k, c, b] = eps**2 / before
                taken = eps**2
                if n_learnt[k] >= n_lags * every:
                    taken = min(taken, 4 * before) / 0.9205369
                variance += share * (taken - variance)
    return error, ratio, is_short


def stand_in(j, is_usable):
    """Return the last usable trace up to j, or the first of all."""
    upto = [i for i in range(j + 1) if is_usable[i]]
    return upto[-1] if upto else int(np.flatnonzero(is_usable)[0])
