"""Slow, obviously correct versions of what works along the two-way time of each trace."""

import numpy as np
from scipy import optimize, signal


def around(trace, t, h):
    """Return the samples at most h from sample t."""
    return np.asarray(trace[max(0, t - h) : t + h + 1], float)


def sliding_median(trace, h):
    """Median of the samples around each, from the definition."""
    return np.array([np.median(around(trace, t, h)) for t in range(len(trace))])


def sliding_spread(trace, h):
    """1.4826 times the median distance of the samples around each from their median."""
    spreads = []
    for t in range(len(trace)):
        window = around(trace, t, h)
        spreads.append(1.4826 * np.median(np.abs(window - np.median(window))))
    return np.array(spreads)


def despike(trace, h, longest, threshold, floor):
    """Replace runs of outliers, found one by one; return the trace and how many it were."""
    median, spread = sliding_median(trace, h), sliding_spread(trace, h)
    positive = sorted(spread[spread > 0])
    usual = positive[(len(positive) - 1) // 2] if positive else 0.0
    is_out = np.abs(trace - median) > threshold * np.maximum(spread, floor * usual)
    cleaned, n_replaced = np.array(trace, float), 0
    for run in runs_of(is_out):
        if len(run) <= longest:
            cleaned[run] = median[run]
            n_replaced += len(run)
    return cleaned, n_replaced


def runs_of(mask):
    """Return the indices of each run of True."""
    found = np.flatnonzero(mask)
    return [run for run in np.split(found, np.flatnonzero(np.diff(found) > 1) + 1) if len(run)]


def declip(trace, low, high):
    """Replace samples at the rails by a bounded least-squares fit of the whole trace."""
    trace = np.asarray(trace, float)
    unknown = (trace <= low) | (trace >= high)
    if not unknown.any():
        return trace
    bends = np.diff(np.eye(len(trace)), 4, axis=0)
    up = trace[unknown] >= high
    bounds = np.where(up, high, -np.inf), np.where(up, np.inf, low)
    known = bends[:, ~unknown] @ trace[~unknown]
    fit = optimize.lsq_linear(bends[:, unknown], -known, bounds, method="bvls", tol=1e-14)
    restored = trace.copy()
    restored[unknown] = fit.x
    return restored


def flatten_spectrum(trace, step, *, low, high, taper, smoothing, water_level, n_fft):
    """Divide by the smooth spectrum, frequency by frequency."""
    spectrum = np.fft.rfft(np.asarray(trace, float), n_fft)
    frequency = np.fft.rfftfreq(n_fft, step)
    h = round((smoothing * n_fft * step - 1) / 2)
    smooth = np.array([around(np.abs(spectrum), f, h).mean() for f in range(len(frequency))])
    inside = (frequency > low) & (frequency < high)
    share = np.zeros(len(frequency))
    for f in np.flatnonzero(inside):
        edge = min(frequency[f] - low, high - frequency[f])
        share[f] = 1.0 if edge >= taper else np.sin(np.pi / 2 * edge / taper) ** 2
    if smooth[inside].max() == 0:
        return np.zeros(len(trace))
    flat = share * spectrum / np.maximum(smooth, water_level * smooth[inside].max())
    flat *= np.sqrt((np.abs(share * spectrum) ** 2).sum() / (np.abs(flat) ** 2).sum())
    return np.fft.irfft(flat, n_fft)[: len(trace)]


def band_pass(trace, sections, phase):
    """Run second-order sections with SciPy, settled on the first value."""
    trace = np.asarray(trace, float)
    if phase == "zero":
        return signal.sosfiltfilt(sections, trace)
    return signal.sosfilt(sections, trace, zi=signal.sosfilt_zi(sections) * trace[0])[0]
