"""Kernels that find a pulse in every trace and follow it along the lane."""

import numpy as np

from ._jit import jit
from .copying import zero_row
from .selection import select_bits


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
                score[:] = 0.0
                for j in range(start, stop):  # delays take turns: none waits for its sum
                    weight = template[c, j - start]
                    for lag in range(max(-reach, -j), min(reach + 1, n_samples - j)):
                        score[reach + lag] += weight * trace[j + lag]
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
    if bend >= 0.0:
        return 0.0
    # a path may hold on to the second best of two samples a pulse peaks between
    return min(max((before - after) / (2.0 * bend), -0.5), 0.5)


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
    steps : (lag + 1, n_channels, n_window) int8 array
        State: p - q of the best path to each sample, trace d in row d modulo the length.
    work : (3, 32 n_blocks) float64 array
        Overwritten; a row holds n_window + 2 jump numbers or more.
    out : (n_ready, n_channels) float64 array
        Overwritten: the sample of the window that the path that is best at trace d took at
        trace d - lag.
    """
    n_traces, n_channels, _ = samples.shape
    n_window = score.shape[1]
    lag = len(steps) - 1
    first = max(0, tally[0] - lag)
    for i in range(n_traces):
        d = tally[0]
        slot = d % len(steps)
        tally[0] += 1
        for c in range(n_channels):
            trace = samples[i, c, start : start + n_window]
            if is_usable[i]:
                price[c] = stiffness * _find_gain(trace, polarity, work)
            else:
                zero_row(work[0])
            _extend(work, price[c], jump, score[c], steps[slot, c])
        if d >= lag:
            oldest = d - lag
            trace_back(score, steps, d, oldest, out[oldest - first : oldest - first + 1])


@jit
def _find_gain(trace, polarity, work):
    """Put the magnitudes of the samples into the first row; return their lower median."""
    gain = work[0, : len(trace)]
    singles = work[1].view(np.float32)[: 32 * -(-len(trace) // 32)]
    for q in range(len(trace)):
        gain[q] = _magnitude(trace[q], polarity)
    for q in range(len(trace)):
        singles[q] = abs(gain[q])  # as exact as the sample, and no negative zero
    for q in range(len(trace), len(singles)):  # whole blocks are counted faster
        singles[q] = np.inf
    bits = singles.view(np.int32)
    bits[0] = select_bits(bits, (len(trace) - 1) // 2)
    return np.float64(singles[0])


@jit
def _extend(work, price, jump, score, steps):
    """
    Give the score of the best path to each sample, less the best of all, and its step.

    The first row of `work` is the gain; the others are overwritten.
    """
    n_window = len(score)
    gain = work[0, :n_window]
    move = work[1, :n_window]  # as wide as scores, so that both are chosen at once
    padded = work[2]
    for k in range(jump):
        padded[k] = -np.inf
        padded[n_window + jump + k] = -np.inf
    for q in range(n_window):
        padded[jump + q] = score[q]
        move[q] = 0.0
    for distance in range(1, jump + 1):  # of equals the one that jumps least
        cost, step = price * distance, np.float64(distance)
        left = padded[jump - distance : jump - distance + n_window]
        right = padded[jump + distance : jump + distance + n_window]
        for q in range(n_window):
            top, went = score[q], move[q]
            went = -step if left[q] - cost > top else went
            top = left[q] - cost if left[q] - cost > top else top
            move[q] = step if right[q] - cost > top else went
            score[q] = right[q] - cost if right[q] - cost > top else top
    best = -np.inf
    for q in range(n_window):
        score[q] = gain[q] + score[q]
        best = score[q] if score[q] > best else best
    for q in range(n_window):
        score[q] -= best
        steps[q] = np.int8(move[q])


@jit
def _offset(trace, j, polarity):
    """Return where the vertex about a sample is, from -1/2 to 1/2 of a sample."""
    if j == 0 or j == len(trace) - 1:
        return 0.0
    return _vertex(
        _magnitude(trace[j - 1], polarity),
        _magnitude(trace[j], polarity),
        _magnitude(trace[j + 1], polarity),
    )


@jit
def _magnitude(value, polarity):
    """Return |value|, or the part of it that has the polarity."""
    number = np.float64(value)
    if polarity == 0:
        return abs(number)
    return max(polarity * number, 0.0)


@jit
def trace_back(score, steps, newest, oldest, out):
    """
    Follow the best path from its end back through the traces held.

    Parameters
    ----------
    score : (n_channels, n_window) float64 array
    steps : (lag + 1, n_channels, n_window) int8 array
        As in `follow_pulse`.
    newest, oldest : int
        Traces to go from and to.
    out : (n_out, n_channels) float64 array
        Overwritten with the path at the traces from `oldest` on, in samples of the search
        window.
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
                out[d - oldest, c] = q
            q += steps[slot, c, q]


@jit
def add_offsets(samples, is_usable, start, polarity, path):
    """
    Add to a path where the vertex about each sample of it is.

    Parameters
    ----------
    samples, is_usable, start, polarity
        As in `follow_pulse`, of the traces of the path.
    path : (n_traces, n_channels) float64 array
        Whole samples of the search window; overwritten with parts of samples.
    """
    for i in range(len(path)):
        if is_usable[i]:
            for c in range(path.shape[1]):
                path[i, c] += _offset(samples[i, c], start + int(path[i, c]), polarity)


@jit
def best_path(
    samples, is_usable, channel, start, polarity, stiffness, jump, score, steps, work, out
):
    """
    Give the best path of one channel over a whole lane.

    It is the path of `follow_pulse` with a lag as long as the lane, of which no more is kept
    than one byte for each sample of the search window.

    Parameters
    ----------
    samples : (n_traces, n_channels, n_samples) float32 array
    is_usable : (n_traces,) bool array
    channel : int
    start, polarity, stiffness, jump
        As in `follow_pulse`.
    score : (n_window,) float64 array
        Overwritten.
    steps : (n_traces, n_window) int8 array
        Overwritten.
    work : (3, 32 n_blocks) float64 array
        Overwritten; a row holds n_window + 2 jump numbers or more.
    out : (n_traces, n_channels) float64 array
        The column of the channel is overwritten, as by `trace_back`, with the offsets.
    """
    n_window = len(score)
    price = 0.0
    zero_row(score)
    for d in range(len(samples)):
        if is_usable[d]:
            trace = samples[d, channel, start : start + n_window]
            price = stiffness * _find_gain(trace, polarity, work)
        else:
            zero_row(work[0])
        _extend(work, price, jump, score, steps[d])
    last = 0
    for k in range(n_window):
        if score[k] > score[last]:
            last = k
    for d in range(len(samples) - 1, -1, -1):
        out[d, channel] = last
        if is_usable[d]:
            out[d, channel] += _offset(samples[d, channel], start + last, polarity)
        last += steps[d, last]


@jit
def place_pulses(
    path, is_usable, n_window, window_time, step, wanted_time, flag, times, shifts, flags
):
    """
    Give the two-way times of a path, smoothed across the lane, and the shifts from there.

    Parameters
    ----------
    path : (n_traces, n_channels) float64 array
        In samples of the search window; overwritten with what `_smooth` makes of it.
    is_usable : (n_traces,) bool array
    n_window : int
        Samples of the search window.
    window_time, step, wanted_time : float
        Two-way time at which the window starts, of a sample, and where a pulse is put.
    flag : int
        Of traces in which half of the channels or more have the pulse at the border.
    times : (n_traces, n_channels) float64 array
        Overwritten, NaN where a trace is not usable.
    shifts : (n_traces, n_channels) float64 array
        Overwritten with the way to the wanted time, in samples, of all traces.
    flags : (n_traces,) int64 array
        Overwritten with the flag or zero.
    """
    n_channels = path.shape[1]
    for i in range(len(path)):
        row = path[i]
        n_doubtful = 0
        for c in range(n_channels):
            if row[c] <= 0.5 or row[c] >= n_window - 1.5:
                n_doubtful += 1
        flags[i] = flag if 2 * n_doubtful >= n_channels else 0
        if n_channels >= 3:
            _smooth(row, times[i])
        for c in range(n_channels):
            time = window_time + row[c] * step
            shifts[i, c] = (time - wanted_time) / step
            times[i, c] = time if is_usable[i] else np.nan


@jit
def _smooth(row, spare):
    """
    Replace the path of each channel by the median of its own and its two neighbours'.

    The outermost channel takes the median of its own, its neighbour's smoothed and the line
    through the next two, so that a tilted array stays tilted. `spare` is overwritten.
    """
    n = len(row)
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
