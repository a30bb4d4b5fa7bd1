"""Slow, obviously correct versions of what stages compute. Written first."""

import numpy as np


def remove_background(traces, weight, is_usable):
    """Each trace minus the weighted mean of the usable ones before, from the definition."""
    background, residuals = None, []
    for trace, usable in zip(traces.astype(float), is_usable, strict=True):
        if not usable:
            residuals.append(np.full(trace.shape, np.nan))
            continue
        background = trace if background is None else background
        residuals.append(trace - background)
        background = (1 - weight) * background + weight * trace
    return np.array(residuals).reshape(traces.shape)


def remove_guarded_background(traces, weight, freeze, n_learn, most, is_usable):
    """Do the same, but learn nothing from strong residuals, channel by channel."""
    out = np.full(traces.shape, np.nan)
    for c in range(traces.shape[1]):
        energies, background, held = [], None, 0
        for k in np.flatnonzero(is_usable):
            trace = traces[k, c].astype(float)
            background = trace if background is None else background
            out[k, c] = trace - background
            energy = (out[k, c] ** 2).sum()
            if len(energies) > n_learn and energy > freeze * mean_energy(energies, weight):
                held += 1
                if held <= most:
                    continue
            else:
                held = 0
            background = background + weight * out[k, c]
            energies.append(energy)
    return out


def mean_energy(energies, weight):
    """Plain mean of all energies but the first, or one of that weight when that is more."""
    level = 0.0
    for n, energy in enumerate(energies[1:], start=1):
        share = max(weight, 1 / n)
        level = (1 - share) * level + share * energy
    return level


def remove_median_background(traces, h, is_usable):
    """Each trace minus the median of the usable traces around it, from the definition."""
    out = np.full(traces.shape, np.nan)
    for k in np.flatnonzero(is_usable):
        near = [j for j in range(len(traces)) if is_usable[j] and abs(j - k) <= h]
        out[k] = traces[k] - np.median(traces[near].astype(float), axis=0)
    return out


def whiten(traces, length, guard, floor, least, is_usable, every=1):
    """
    Deviations in spreads of the traces behind, and which of them lack traces.

    Of every so many traces the first counts, and the others have the window that it has.
    """
    out, is_short = np.full(traces.shape, np.nan), np.zeros(len(traces), bool)
    for k in np.flatnonzero(is_usable):
        latest = k - k % every
        drawn = [j for j in range(0, latest + 1, every) if latest - j > guard]
        n_window = max(1, round((length - guard) / every))
        behind = [j for j in drawn[-n_window:] if is_usable[j]]
        is_short[k] = len(behind) < least
        if is_short[k]:
            out[k] = 0
            continue
        window = traces[behind].astype(float)
        middle = np.median(window, axis=0)
        spread = 1.4826 * np.median(np.abs(window - middle), axis=0)
        for c in range(traces.shape[1]):
            bottom = floor * np.median(spread[c][spread[c] > 0])
            out[k, c] = (traces[k, c] - middle[c]) / np.maximum(spread[c], bottom)
    return out, is_short


def dewow(traces, h):
    """Each sample minus the mean of the samples around it, from the definition."""
    n = traces.shape[2]
    out = np.empty(traces.shape)
    for t in range(n):
        window = traces[..., max(0, t - h) : min(n, t + h + 1)].astype(float)
        out[..., t] = traces[..., t] - window.mean(axis=2)
    return out


def equalise(traces, h, floor):
    """Each sample over the root mean square of those around it, or a share of the trace's."""
    n = traces.shape[2]
    squares = traces.astype(float) ** 2
    whole = np.sqrt(squares.mean(axis=2))
    out = np.zeros(traces.shape)
    for t in range(n):
        local = np.sqrt(squares[..., max(0, t - h) : min(n, t + h + 1)].mean(axis=2))
        strength = np.maximum(local, floor * whole)
        np.divide(traces[..., t], strength, out=out[..., t], where=whole > 0)
    return out


def best_path(gain, price, jump):
    """Return the path that maximises the sum of gains less that of steps, by trying all."""
    paths = [((q,), gain[0][q]) for q in range(len(gain[0]))]
    for row in gain[1:]:
        paths = [
            ((*path, q), total + row[q] - price * abs(q - path[-1]))
            for path, total in paths
            for q in range(len(row))
            if abs(q - path[-1]) <= jump
        ]
    return max(paths, key=lambda item: item[1])[0]


def shift_trace(trace, shift):
    """Return the trace at j + shift, by a windowed sinc; zero where that leaves the record."""
    n, out = len(trace), np.zeros(len(trace))
    for j in range(n):
        at = j + shift
        if not 0 <= at <= n - 1:
            continue
        distance = np.arange(np.floor(at) - 3, np.floor(at) + 5) - at
        weights = np.sinc(distance) * np.i0(6 * np.sqrt(np.maximum(0, 1 - (distance / 4) ** 2)))
        if at == np.floor(at):
            weights = (distance == 0).astype(float)
        inside = [trace[int(i)] if 0 <= i < n else 0.0 for i in np.floor(at) + np.arange(-3, 5)]
        out[j] = weights @ inside / weights.sum()
    return out
