"""Slow, obviously correct versions of what stages for metal detectors compute."""

import itertools

import numpy as np


def filter_sections(rows, is_usable, sos, *, bridges=False):
    """Filter one column at a time by the difference equation, from samples and results."""
    out = np.zeros(rows.shape)
    for j in range(rows.shape[1]):
        signals = None  # of each stage of the series: all values that went through there
        for k in range(len(rows)):
            x = float(rows[k, j])
            if not is_usable[k]:
                if signals is None:
                    continue
                x = undo(signals, sos) if bridges else signals[0][-1]
            elif signals is None:
                signals = [[x, x]]  # as if it had lasted
                for b0, b1, b2, _, a1, a2 in sos:
                    x *= (b0 + b1 + b2) / (1 + a1 + a2)
                    signals.append([x, x])
                x = float(rows[k, j])
            signals[0].append(x)
            for m, (b0, b1, b2, _, a1, a2) in enumerate(sos):
                x2, x1, x0 = signals[m][-3:]
                y2, y1 = signals[m + 1][-2:]
                signals[m + 1].append(b0 * x0 + b1 * x1 + b2 * x2 - a1 * y1 - a2 * y2)
            out[k, j] = signals[-1][-1] if is_usable[k] else 0.0
    return out


def undo(signals, sos):
    """Return the input that would repeat the last output."""
    y = signals[-1][-1]
    for m in range(len(sos) - 1, -1, -1):
        b0, b1, b2, _, a1, a2 = sos[m]
        x2, x1 = signals[m][-2:]
        y2, y1 = signals[m + 1][-2:]
        y = (y + a1 * y1 + a2 * y2 - b1 * x1 - b2 * x2) / b0
    return y


def level(samples, is_usable, *, size, freeze, most):
    """Return residuals of a trailing median, and which traces entered each window."""
    n, n_channels, _ = samples.shape
    out, enters = np.full(samples.shape, np.nan), np.zeros((n, n_channels), bool)
    for c in range(n_channels):
        window, energies, left_out = [], [], 0
        for k in np.flatnonzero(is_usable):
            x = samples[k, c].astype(float)
            r = x - (np.median(window, axis=0) if window else x)
            energy, out[k, c] = (r**2).sum(), r
            if freeze is not None and len(window) == size:
                if energy > freeze * np.median(energies):
                    if left_out < most:
                        left_out += 1
                        continue
                else:
                    left_out = 0
            enters[k, c] = True
            window, energies = [*window, x][-size:], [*energies, energy][-size:]
    return out, enters


def level_centred(samples, is_usable, enters, *, reach, guard):
    """Return residuals of the median over the traces around that entered."""
    n, n_channels, _ = samples.shape
    out, is_alone = np.full(samples.shape, np.nan), np.zeros(n, bool)
    for k in np.flatnonzero(is_usable):
        for c in range(n_channels):
            near = [j for j in range(n) if enters[j, c] and guard < abs(j - k) <= reach]
            out[k, c] = 0
            if near:
                out[k, c] = samples[k, c] - np.median(samples[near, c].astype(float), axis=0)
            is_alone[k] |= not near
    return out, is_alone


def find_steps(x, is_usable, commanded, *, n, threshold, share, n_memory):
    """Return {(trace, channel): (cause, height)} and the traces without these steps."""
    _, n_channels, n_gates = x.shape
    found, out = {}, x.astype(float)
    usable = np.flatnonzero(is_usable)
    waits = [min((k for k in usable if k >= i), default=None) for i in commanded]
    for c in range(n_channels):
        jumps = []
        for last, k in itertools.pairwise(usable):
            d = x[k, c].astype(float) - x[last, c]
            before = [x[j, c].astype(float) for j in usable if k - n <= j < k]
            after = [x[j, c].astype(float) for j in usable if k <= j < k + n]
            h = np.zeros(n_gates)
            if before:
                h = np.median(after, axis=0) - np.median(before, axis=0)
            is_step = False
            if len(jumps) >= n and len(before) >= n / 2 and len(after) >= n / 2:
                s = 1.4826 * np.median(jumps[-n_memory:], axis=0)
                big = np.abs(d) > threshold * s
                whole = (
                    (d * h > 0) & (2 * np.abs(h) >= np.abs(d)) & (2 * np.abs(d) >= np.abs(h))
                )
                is_step = big.sum() >= share * n_gates and whole[big].all()
            if k in waits:
                found[k, c] = ("commanded", h)
            elif is_step:
                found[k, c] = ("detected", h)
            else:
                jumps.append(np.abs(d))
                continue
            out[k:, c] -= h
    return found, out
