"""Kernels that find where the zero of an instrument jumped, and put it back."""

import math

from ._jit import jit
from .copying import copy_rows
from .sorted_values import enter, leave, middle


@jit
def remove_steps(
    samples,
    is_usable,
    is_commanded,
    threshold,
    agree,
    least,
    held,
    presence,
    commands,
    differences,
    windows,
    counts,
    previous,
    offset,
    tally,
    scratch,
    out,
    height,
    cause,
):
    """
    Take traces one by one; give those whose look-ahead is complete without their steps.

    A step before trace k is a jump from the last usable trace in at least `agree` samples
    of a channel at once, beyond `threshold` times the spread of the jumps before it, which
    is at least half of the change from the median of the n traces before to that of the n
    traces from k on, and of which at least half stays in that change.

    Parameters
    ----------
    samples : (n_traces, n_channels, n_samples) float32 array
        The next traces, finite where usable.
    is_usable, is_commanded : (n_traces,) bool array
        Whether a trace counts; whether the instrument was told to take its zero before it.
    threshold : float
        Jump over the spread of jumps.
    agree, least : int
        Samples that must jump together; jumps before that must be known.
    held, presence, commands : (2 n, n_channels, n_samples) float32, (2 n,) bool arrays
        State: the last traces, trace i in row i modulo the length; which are usable; before
        which there was a command.
    differences : (n_channels, n_memory, n_samples) float64 array
        State: magnitudes of the last jumps that were no steps.
    windows : (n_channels, n_samples, n_memory) float64 array
        State: the same, each sample sorted.
    counts : (n_channels, 2) int64 array
        State: jumps in the window, and the row of the oldest.
    previous, offset : (n_channels, n_samples) float64 array
        State: the last usable trace, and the sum of the steps so far.
    tally : (3,) int64 array
        State: traces taken, whether any was usable, whether a command waits for one.
    scratch : (3, n_samples + n) float64 array
        Overwritten.
    out, height : (n_ready, n_channels, n_samples) float32, float64 arrays
        Overwritten with the traces less the steps up to them, and with the steps at them.
    cause : (n_ready, n_channels) int8 array
        Overwritten with 0 for no step, 1 for one found, 2 for one commanded.
    """
    n_channels, n_samples = samples.shape[1:]
    n_held = len(held)
    n = n_held // 2
    taken = tally[0]
    first = max(0, taken - n + 1)
    for i in range(taken, taken + len(samples)):
        copy_rows(samples[i - taken], held[i % n_held])
        presence[i % n_held] = is_usable[i - taken]
        commands[i % n_held] = is_commanded[i - taken]
        k = i - n + 1
        if k < 0:
            continue
        result = out[k - first]
        height[k - first] = 0.0
        cause[k - first] = 0
        if commands[k % n_held]:
            tally[2] = 1
        if not presence[k % n_held]:
            result[:] = 0.0
            continue
        n_before = 0
        n_after = 0
        for j in range(n):
            n_before += presence[(k - 1 - j) % n_held]
            n_after += presence[(k + j) % n_held]
        for c in range(n_channels):
            trace = held[k % n_held, c]
            step = height[k - first, c]
            if tally[1] == 1:
                jump = scratch[0, :n_samples]
                for g in range(n_samples):
                    jump[g] = trace[g] - previous[c, g]
                is_jump = 2 * n_before >= n and 2 * n_after >= n and counts[c, 0] >= least
                if is_jump:
                    is_jump = _jumps(jump, windows[c], counts[c, 0], threshold) >= agree
                if (is_jump or tally[2] == 1) and n_before > 0:
                    _find_change(held, presence, k, c, n, scratch, step)
                is_jump = is_jump and _persists(jump, step, windows[c], counts[c, 0], threshold)
                if is_jump or tally[2] == 1:
                    cause[k - first, c] = 2 if tally[2] == 1 else 1
                    for g in range(n_samples):
                        offset[c, g] += step[g]
                else:
                    step[:] = 0.0
                    _remember(jump, differences[c], windows[c], counts[c])
            for g in range(n_samples):
                previous[c, g] = trace[g]
                result[c, g] = trace[g] - offset[c, g]
        tally[1] = 1
        tally[2] = 0
    tally[0] = taken + len(samples)


@jit
def _jumps(jump, window, count, threshold):
    """Return how many samples jump beyond the threshold."""
    number = 0
    for g in range(len(jump)):
        if abs(jump[g]) > threshold * _spread(window[g], count):
            number += 1
    return number


@jit
def _spread(window, count):
    """Return the spread of jumps; infinite where none was seen."""
    median = middle(window, count)
    if median == 0.0:
        # of whole numbers that seldom change the spread is a step of these, not zero
        for i in range(count // 2, count):
            if window[i] > 0.0:
                return 1.4826 * window[i]
        return math.inf
    # 1.4826 times the median magnitude is the spread of Gaussian jumps about zero
    return 1.4826 * median


@jit
def _find_change(held, presence, k, c, n, scratch, step):
    """Give the change of the median from the n traces before k to the n from k on."""
    n_held = len(held)
    n_samples = len(step)
    for g in range(n_samples):
        n_before = 0
        n_after = 0
        before = scratch[1, n_samples:]
        after = scratch[2, n_samples:]
        for j in range(n):
            if presence[(k - 1 - j) % n_held]:
                enter(before, n_before, held[(k - 1 - j) % n_held, c, g])
                n_before += 1
            if presence[(k + j) % n_held]:
                enter(after, n_after, held[(k + j) % n_held, c, g])
                n_after += 1
        step[g] = middle(after, n_after) - middle(before, n_before)


@jit
def _persists(jump, step, window, count, threshold):
    """Return whether what jumped is the change of level, neither a spike nor part of a rise."""
    for g in range(len(jump)):
        if abs(jump[g]) > threshold * _spread(window[g], count):
            if jump[g] * step[g] <= 0 or abs(step[g]) < 0.5 * abs(jump[g]):
                return False
            if abs(jump[g]) < 0.5 * abs(step[g]):
                return False
    return True


@jit
def _remember(jump, differences, window, counts):
    """Let the magnitudes of a jump enter the windows in the place of the oldest."""
    size = len(differences)
    count = counts[0]
    oldest = differences[counts[1]]
    for g in range(len(jump)):
        value = abs(jump[g])
        if count == size:
            leave(window[g], count, oldest[g])
            enter(window[g], count - 1, value)
        else:
            enter(window[g], count, value)
        oldest[g] = value
    counts[0] = min(count + 1, size)
    counts[1] = (counts[1] + 1) % size
