"""Kernels that find a pulse in every trace, follow it along the lane and move traces."""

import math

import numpy as np

from ._jit import jit


@jit
def direct_wave_delays(
    samples, is_usable, start, stop, reach, n_template, template, tally, score, out
):
    """
    Give the delay of each trace against the mean of the first usable ones.

    Parameters
    ----------
    samples : (n_traces, n_channels, n_samples) float32 array
    is_usable : (n_traces,) bool array
    start, stop : int
        First sample of the direct wave, and the first after it.
    reach : int
        Greatest delay that is looked for, either way, in samples.
    n_template : int
        Usable traces that the template is the mean of.
    template : (n_channels, stop - start) float64 array
        State: sum of the traces in the template.
    tally : (1,) int64 array
        State: traces in the template.
    score : (2 reach + 1,) float64 array
        Overwritten.
    out : (n_traces, n_channels) float64 array
        Overwritten with delays in samples; NaN where a trace is not usable.
    """
    n_traces, n_channels, n_samples = samples.shape
    for i in range(n_traces):
        if not is_usable[i]:
            out[i, :] = np.nan
            continue
        for c in range(n_channels):
            trace = samples[i, c]
            if tally[0] == 0:
                out[i, c] = 0.0
            else:
                for lag in range(-reach, reach + 1):
                    total = 0.0
                    for j in range(max(start, -lag), min(stop, n_samples - lag)):
                        total += template[c, j - start] * trace[j + lag]
                    score[reach + lag] = total
                # of equal scores the one nearest to no delay
                best = reach
                for lag in range(1, reach + 1):
                    if score[reach - lag] > score[best]:
                        best = reach - lag
                    if score[reach + lag] > score[best]:
                        best = reach + lag
                out[i, c] = best - reach
                if 0 < best < 2 * reach:
                    out[i, c] += _vertex(score[best - 1], score[best], score[best + 1])
            if tally[0] < n_template:
                for j in range(start, stop):
                    template[c, j - start] += trace[j]
        if tally[0] < n_template:
            tally[0] += 1


@jit
def _vertex(before, middle, after):
    """Return where the parabola through three values peaks, from -1/2 to 1/2."""
    bend = before - 2.0 * middle + after
    if bend >= 0.0 or middle < before or middle < after:
        return 0.0
    return (before - after) / (2.0 * bend)


@jit
def trailing_median(values, history, tally, scratch, out):
    """
    Give the median of the last values in each column, NaN left out.

    Parameters
    ----------
    values : (n_rows, width) float64 array
        A row is NaN throughout or nowhere.
    history : (n_history, width) float64 array
        State: the last rows, at first NaN.
    tally : (1,) int64 array
        State: rows taken so far.
    scratch : (n_history,) float64 array
        Overwritten.
    out : (n_rows, width) float64 array
        Overwritten; zero where there is nothing yet.
    """
    n_rows, width = values.shape
    for i in range(n_rows):
        slot = tally[0] % len(history)
        tally[0] += 1
        for c in range(width):
            history[slot, c] = values[i, c]
            n = 0
            for k in range(len(history)):
                value = history[k, c]
                if not math.isnan(value):
                    j = n  # insertion sort: some fifty values, mostly equal
                    while j > 0 and scratch[j - 1] > value:
                        scratch[j] = scratch[j - 1]
                        j -= 1
                    scratch[j] = value
                    n += 1
            out[i, c] = (scratch[(n - 1) // 2] + scratch[n // 2]) / 2 if n > 0 else 0.0


@jit
def follow_pulse(
    samples,
    is_usable,
    start,
    polarity,
    stiffness,
    jump,
    score,
    price,
    tally,
    steps,
    peaks,
    work,
    out,
):
    """
    Take traces one by one; give the best path through the search window of each channel.

    The path that ends at sample q of trace d scores S[d, q] = g[d, q] + max over p of
    S[d - 1, p] - beta |q - p|, |q - p| <= jump, where g is the magnitude of the sample and
    beta is `stiffness` times the median of g over the search window.

    Parameters
    ----------
    samples : (n_traces, n_channels, n_samples) float32 array
    is_usable : (n_traces,) bool array
        A trace that is not says nothing: g is zero and beta as before.
    start : int
        First sample of the search window.
    polarity : int
        1 or -1 for what is positive or negative, 0 for either.
    stiffness : float
    jump : int
        Greatest step from trace to trace.
    score : (n_channels, n_window) float64 array
        State: S, less the best.
    price : (n_channels,) float64 array
        State: beta.
    tally : (1,) int64 array
        State: traces taken so far.
    steps : (lag + 1, n_channels, n_window) int64 array
        State: p - q of the best path to each sample, trace d in row d modulo the length.
    peaks : (lag + 1, n_channels, n_window) float64 array
        State: likewise, offset of the vertex from each sample.
    work : (3, n_window) float64 array
        Overwritten.
    out : (n_ready, n_channels) float64 array
        Overwritten: where the path that is best at trace d was at trace d - lag.
    """
    n_traces, n_channels, n_samples = samples.shape
    n_window = score.shape[1]
    gain = work[0]
    ranked = work[1]
    before = work[2]
    lag = len(steps) - 1
    first = max(0, tally[0] - lag)
    for i in range(n_traces):
        d = tally[0]
        slot = d % len(steps)
        tally[0] += 1
        for c in range(n_channels):
            trace = samples[i, c]
            for q in range(n_window):
                gain[q] = 0.0
                peaks[slot, c, q] = 0.0
                before[q] = score[c, q]
            if is_usable[i]:
                for q in range(n_window):
                    j = start + q
                    gain[q] = _magnitude(trace[j], polarity)
                    if 0 < j < n_samples - 1:
                        peaks[slot, c, q] = _vertex(
                            _magnitude(trace[j - 1], polarity),
                            gain[q],
                            _magnitude(trace[j + 1], polarity),
                        )
                price[c] = stiffness * _median(gain, ranked)
            best = -np.inf
            for q in range(n_window):
                top = before[q]
                steps[slot, c, q] = 0  # of equals the one that jumps least
                for distance in range(1, jump + 1):
                    for p in (q - distance, q + distance):
                        if 0 <= p < n_window and before[p] - price[c] * distance > top:
                            top = before[p] - price[c] * distance
                            steps[slot, c, q] = p - q
                score[c, q] = gain[q] + top
                best = max(best, score[c, q])
            for q in range(n_window):
                score[c, q] -= best
        if d >= lag:
            oldest = d - lag
            trace_back(score, steps, peaks, d, oldest, out[oldest - first : oldest - first + 1])


@jit
def _magnitude(value, polarity):
    """Return |value|, or the part of it that has the polarity."""
    number = np.float64(value)
    if polarity == 0:
        return abs(number)
    return max(polarity * number, 0.0)


@jit
def _median(values, ranked):
    """Return the lower median of a few values, sorted in `ranked`."""
    for k in range(len(values)):
        j = k
        while j > 0 and ranked[j - 1] > values[k]:
            ranked[j] = ranked[j - 1]
            j -= 1
        ranked[j] = values[k]
    return ranked[(len(values) - 1) // 2]


@jit
def trace_back(score, steps, peaks, newest, oldest, out):
    """
    Follow the best path from its end back through the traces held.

    Parameters
    ----------
    score : (n_channels, n_window) float64 array
    steps, peaks : (lag + 1, n_channels, n_window) array
        As in `follow_pulse`.
    newest, oldest : int
        Traces to go from and to.
    out : (n_out, n_channels) float64 array
        Overwritten with the path at the traces from `oldest` on, in samples of the search
        window with the offsets of the vertices.
    """
    n_out, n_channels = out.shape
    for c in range(n_channels):
        q = 0
        for k in range(score.shape[1]):
            if score[c, k] > score[c, q]:
                q = k
        for d in range(newest, oldest - 1, -1):
            slot = d % len(steps)
            if d - oldest < n_out:
                out[d - oldest, c] = q + peaks[slot, c, q]
            q += steps[slot, c, q]


@jit
def median_of_neighbours(path, spare):
    """
    Replace the path of each channel by the median of its own and its two neighbours'.

    The outermost channel takes the median of its own, its neighbour's smoothed and the line
    through the next two, so that a tilted array stays tilted.

    Parameters
    ----------
    path : (n_traces, n_channels) float64 array
        Overwritten.
    spare : (n_channels,) float64 array
        Overwritten.
    """
    n_traces, n = path.shape
    if n < 3:
        return
    for i in range(n_traces):
        row = path[i]
        for c in range(n):
            spare[c] = row[c]
        for c in range(1, n - 1):
            row[c] = _middle(spare[c - 1], spare[c], spare[c + 1])
        first = 2 * row[1] - row[2]
        last = 2 * row[n - 2] - row[n - 3]
        row[0] = _middle(spare[0], row[1], first)
        row[n - 1] = _middle(spare[n - 1], row[n - 2], last)


@jit
def _middle(a, b, c):
    """Return the median of three values."""
    return max(min(a, b), min(max(a, b), c))


@jit
def shift_traces(samples, shifts, taps, padded, out):
    """
    Move traces by parts of a sample: out[j] is the trace at j + shift, zero beyond its ends.

    Parameters
    ----------
    samples, out : (n_traces, n_channels, n_samples) float32 array
        `out` is overwritten.
    shifts : (n_traces, n_channels) float64 array
        In samples, finite.
    taps : (8,) float64 array
        Overwritten with the weights: a sinc in a Kaiser window (beta 6) of 8 samples.
    padded : (n_samples + 7,) float64 array
        Overwritten.
    """
    n_traces, n_channels, n_samples = samples.shape
    for i in range(n_traces):
        for c in range(n_channels):
            trace = samples[i, c]
            result = out[i, c]
            for j in range(n_samples):
                result[j] = 0.0
            whole = math.floor(shifts[i, c])
            part = shifts[i, c] - whole
            if part == 1.0:  # the nearest number to a shift just below a whole one
                whole += 1
                part = 0.0
            if whole >= n_samples or whole <= -n_samples - 1:
                continue
            shift = int(whole)
            # out[j] lies between trace[j + shift] and the next: both must be in the record
            first = max(0, -shift)
            last = min(n_samples, n_samples - shift - (1 if part > 0.0 else 0))
            if part == 0.0:
                for j in range(first, last):
                    result[j] = trace[j + shift]
                continue
            _sinc_taps(part, taps)
            for j in range(7):
                padded[j if j < 3 else n_samples + j] = 0.0
            inner = padded[3 : n_samples + 3]
            for j in range(n_samples):
                inner[j] = trace[j]
            _weigh(padded[first + shift :], taps, result[first : max(first, last)])


@jit
def _sinc_taps(part, taps):
    """Give the weights of 8 samples for the value at `part` of the way to the fifth."""
    total = 0.0
    for k in range(8):
        distance = k - 3 - part
        window = _bessel(6.0 * math.sqrt(max(0.0, 1.0 - (distance / 4) ** 2)))
        taps[k] = math.sin(math.pi * distance) / (math.pi * distance) * window
        total += taps[k]
    for k in range(8):
        taps[k] /= total  # a constant stays what it is


@jit
def _bessel(value):
    """Return the modified Bessel function of order 0, from its series, for values to 6."""
    term = 1.0
    total = 1.0
    for k in range(1, 25):
        term *= (value / (2 * k)) ** 2
        total += term
    return total


@jit
def _weigh(padded, taps, out):
    """Give the sum of taps[k] padded[j + k] over k."""
    t0 = taps[0]
    t1 = taps[1]
    t2 = taps[2]
    t3 = taps[3]
    t4 = taps[4]
    t5 = taps[5]
    t6 = taps[6]
    t7 = taps[7]
    n = len(out)
    p0 = padded[:n]
    p1 = padded[1 : n + 1]
    p2 = padded[2 : n + 2]
    p3 = padded[3 : n + 3]
    p4 = padded[4 : n + 4]
    p5 = padded[5 : n + 5]
    p6 = padded[6 : n + 6]
    p7 = padded[7 : n + 7]
    for j in range(n):
        near = t3 * p3[j] + t4 * p4[j]
        far = t2 * p2[j] + t5 * p5[j] + t1 * p1[j] + t6 * p6[j]
        out[j] = near + far + t0 * p0[j] + t7 * p7[j]
