"""Slow, obviously correct versions of what stages for metal detectors compute."""

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
