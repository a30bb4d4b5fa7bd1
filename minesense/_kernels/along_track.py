"""Kernels that compare each trace of a lane with those before or around it."""

import numpy as np

from ._jit import jit


@jit
def count_present(is_present, half_width, guard, presence, tally, counts):
    """
    Take note of which traces are present; count them in each window that is complete.

    Parameters
    ----------
    is_present : (n_traces,) bool array
        Whether a trace counts.
    half_width, guard : int
        Traces on each side, and how many of them are left out next to the trace, which then
        is left out itself; -1 leaves nothing out.
    presence : (2 half_width + 1,) int64 array
        State: presence of the last traces, trace i in element i modulo the length.
    tally : (2,) int64 array
        State: traces taken so far, and traces present in the window.
    counts : (n_ready,) int64 array
        Overwritten with the number of traces present in each window.
    """
    n_held = len(presence)
    taken = tally[0]
    first = max(0, taken - half_width)
    inside = tally[1]
    for i in range(taken, taken + len(is_present)):
        k = i - half_width
        inside -= presence[i % n_held]
        presence[i % n_held] = 1 if is_present[i - taken] else 0
        inside += presence[i % n_held]
        if guard >= 0:
            # before the lane's start there are elements not yet written: absent
            inside += presence[(k - guard - 1) % n_held]
            inside -= presence[(k + guard) % n_held]
        if k >= 0:
            counts[k - first] = inside
    tally[0] = taken + len(is_present)
    tally[1] = inside


@jit
def subtract_sliding_median(
    samples,
    is_present,
    half_width,
    guard,
    taken,
    columns,
    buffer,
    windows,
    scratch,
    counts,
    out,
):
    """
    Take traces one by one; give those whose windows are complete without their medians.

    The window of trace k holds the traces from k - half_width to k + half_width that are
    present, less those within the guard. Each column of it is kept sorted: a step puts the
    newest value in the place of the oldest in one pass, without a branch, 32 columns side by
    side; a second step does so at the guard. A trace that is absent, like one outside the
    lane, is a row of infinities, which sorts behind all others.

    Parameters
    ----------
    samples : (n_traces, width) float32 array
        The next traces, finite where present.
    is_present : (n_traces,) bool array
        Whether a trace counts.
    half_width, guard : int
        As in `count_present`.
    taken : int
        Traces of the lane before these.
    columns : (2,) int64 array
        First block of 32 columns that is worked on, and the one after the last.
    buffer : (2 half_width + 1, 32 n_blocks) float32 array
        State: the last traces, trace i in row i modulo the length, at first infinite, as
        columns beyond the width stay.
    windows : (n_blocks, 32 (8 n + 1)) float32 array
        State: for each block of 32 columns, the rows of the sorted windows, 8 n of them at
        least 2 half_width + 1; at first infinite, as rows beyond the window stay.
    scratch : (3, 32) float32 array
        Overwritten.
    counts : (n_ready,) int64 array
        Traces present in each window.
    out : (n_ready, width) float32 array
        Overwritten in these columns with the residuals; zero where a trace is absent or its
        window empty.
    """
    n_traces, width = samples.shape
    n_held = len(buffer)
    first = max(0, taken - half_width)
    for block in range(columns[0], columns[1]):
        window = windows[block]
        start = 32 * block
        n_columns = min(32, width - start)
        for i in range(taken, taken + n_traces):
            k = i - half_width
            newest = buffer[i % n_held, start : start + 32]
            oldest = scratch[0]
            for j in range(32):
                oldest[j] = newest[j]
            enter_row(
                samples[i - taken, start : start + n_columns], is_present[i - taken], newest
            )
            if guard >= 0:
                behind = buffer[(k - guard - 1) % n_held, start : start + 32]
                ahead = buffer[(k + guard) % n_held, start : start + 32]
                replace_values(window, oldest, behind, scratch[1])
                replace_values(window, ahead, newest, scratch[1])
            else:
                replace_values(window, oldest, newest, scratch[1])
            if k >= 0:
                count = counts[k - first]
                lower = window[32 * (max(0, count - 1) // 2) :]
                upper = window[32 * (count // 2) :]
                centre = buffer[k % n_held, start : start + n_columns]
                residual = out[k - first, start : start + n_columns]
                if count == 0 or centre[0] == np.inf:
                    residual[:] = 0.0
                    continue
                for j in range(n_columns):
                    middle = (np.float64(lower[j]) + np.float64(upper[j])) / 2
                    residual[j] = centre[j] - middle


@jit
def keep_last_traces(samples, is_present, taken, buffer):
    """
    Put the last of the next traces into the buffer of `subtract_sliding_median`.

    Parameters
    ----------
    samples, is_present, taken, buffer
        As there.
    """
    n_traces = len(samples)
    for i in range(max(0, n_traces - len(buffer)), n_traces):
        enter_row(samples[i], is_present[i], buffer[(taken + i) % len(buffer)])


@jit
def sort_windows(buffer, columns, scratch, windows):
    """
    Sort the traces of the buffer anew, for windows without a guard.

    Parameters
    ----------
    buffer, columns, scratch, windows
        As in `subtract_sliding_median`; `windows` are overwritten in these columns.
    """
    scratch[0] = np.inf
    for block in range(columns[0], columns[1]):
        windows[block] = np.inf
        for i in range(len(buffer)):
            row = buffer[i, 32 * block : 32 * block + 32]
            replace_values(windows[block], scratch[0], row, scratch[1])


@jit
def enter_row(columns, is_present, row):
    """
    Copy columns of a trace; an absent trace is a row of infinities.

    Of the two zeros the positive one is left, or the sign of a median would depend on the
    order in which equal values were sorted.
    """
    for j in range(len(columns)):
        row[j] = columns[j] + np.float32(0) if is_present else np.inf


@jit
def replace_values(window, old, new, carry):
    """
    Put `new` in the place of `old` in 32 sorted columns.

    Inserting a value v in a sorted column a gives c[i] = max(a[i - 1], min(v, a[i])), one
    longer; taking the value w out of it gives c[i] where c[i] < w, else c[i + 1]. Both are
    done in one pass that overwrites a. Eight rows at a time save loads and stores of c.
    """
    for j in range(32):
        carry[j] = new[j] if new[j] < window[j] else window[j]
    for i in range(len(window) // 256):
        rows = window[256 * i : 256 * i + 288]
        for j in range(32):
            v = new[j]
            w = old[j]
            a0 = rows[j]
            a1 = rows[32 + j]
            a2 = rows[64 + j]
            a3 = rows[96 + j]
            a4 = rows[128 + j]
            a5 = rows[160 + j]
            a6 = rows[192 + j]
            a7 = rows[224 + j]
            a8 = rows[256 + j]
            c0 = carry[j]
            c1 = v if v < a1 else a1
            c1 = a0 if a0 > c1 else c1
            c2 = v if v < a2 else a2
            c2 = a1 if a1 > c2 else c2
            c3 = v if v < a3 else a3
            c3 = a2 if a2 > c3 else c3
            c4 = v if v < a4 else a4
            c4 = a3 if a3 > c4 else c4
            c5 = v if v < a5 else a5
            c5 = a4 if a4 > c5 else c5
            c6 = v if v < a6 else a6
            c6 = a5 if a5 > c6 else c6
            c7 = v if v < a7 else a7
            c7 = a6 if a6 > c7 else c7
            c8 = v if v < a8 else a8
            c8 = a7 if a7 > c8 else c8
            rows[j] = c0 if c0 < w else c1
            rows[32 + j] = c1 if c1 < w else c2
            rows[64 + j] = c2 if c2 < w else c3
            rows[96 + j] = c3 if c3 < w else c4
            rows[128 + j] = c4 if c4 < w else c5
            rows[160 + j] = c5 if c5 < w else c6
            rows[192 + j] = c6 if c6 < w else c7
            rows[224 + j] = c7 if c7 < w else c8
            carry[j] = c8
