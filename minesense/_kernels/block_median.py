"""
Kernels for the sliding median of many traces at once.

Windows of `span` neighbouring traces, a power of two, have most traces in common. These are
sorted once, and of them only the `span` ranks are kept that can still become a median. Each
step halves a group of windows, merges what either half has in common beyond the whole group
(half as many traces as ranks are left, sorted already) and keeps the middle third of the ranks,
until one window and one rank are left. The steps are those of Batcher's bitonic network: only
minima and maxima of whole rows of 32 columns, no branch that depends on a value.

Adams, A. (2021). Fast median filters using separable sorting networks. *ACM Transactions on
Graphics*, 40(4), 70, shares sorted ranks between windows in this way, in two dimensions.
"""

import numpy as np

from ._jit import jit
from .copying import copy_row
from .sorting_networks import (
    finish_eight,
    half_clean,
    keep_middle_half,
    keep_middle_third,
    settle,
    sort_eight,
)


@jit
def subtract_median_blocks(
    samples,
    is_present,
    half_width,
    buffer,
    presence,
    taken,
    span,
    columns,
    signs,
    packed,
    blocks,
    owners,
    bands,
    merged,
    middle,
    out,
):
    """
    Give traces without the medians of their windows, `span` traces at once.

    A trace that is absent is a row of infinities, negative and positive in turns, so that a
    window with an even number of them keeps its median in its middle rank. With an odd number
    the middle rank is one of the two middle values of those present; with all signs changed
    it is the other.

    Parameters
    ----------
    samples : (n_traces, width) float32 array
        The next traces, finite where present.
    is_present : (n_traces,) bool array
        Whether a trace counts.
    half_width : int
        Traces on each side, from span - 1 to 2 span - 2.
    buffer, presence : (2 half_width + 1, 32 n_blocks) float32, (same,) int64 array
        The traces before, trace i in row i modulo the length, and whether they are present.
    taken : int
        Traces of the lane before these.
    span : int
        Windows in a group, a power of two, 16 or more.
    columns : (2,) int64 array
        First block of 32 columns that is worked on, and the one after the last.
    signs : (n_groups span + 2 half_width,) int64 array
        Overwritten: 0 for present traces from the first window on, else 1 and -1 in turns.
    packed : (n_side, 32 (n span + 2 half_width + 2)) float32 array
        Overwritten: the traces of n groups in blocks of 32 columns.
    blocks : (5, 32 (12 span / 8 + n_levels span)) float32 array
        Overwritten: sorted traces, see `_sort_block`; levels are 8, 16, ... span.
    owners : (4,) int64 array
        Overwritten: which traces the first four blocks hold.
    bands : (4, 32 span) float32 array
        Overwritten.
    merged : (64 span,) float32 array
        Overwritten.
    middle : (32 span,) float32 array
        Overwritten.
    out : (n_ready, width) float32 array
        Overwritten with the residuals in these columns; zero where a trace is absent.
    """
    first = max(0, taken - half_width)
    n_side = len(packed)
    n_groups = (len(out) + span - 1) // span
    n_packed = (packed.shape[1] // 32 - 2 * half_width - 2) // span
    _alternate(is_present, presence, taken, first - half_width, signs)
    for side in range(columns[0], columns[1], n_side):
        n_blocks = min(n_side, columns[1] - side)
        for group in range(0, n_groups, n_packed):
            n = min(n_packed, n_groups - group)
            begin = first + group * span
            n_rows = n * span + 2 * half_width + 2
            here = signs[group * span : group * span + n_rows - 2]
            has_absent = _has_any(here)
            _pack(
                samples, buffer, taken, begin - half_width, here, 32 * side, packed[:n_blocks]
            )
            for block in range(n_blocks):
                rows = packed[block, : 32 * n_rows]
                start = 32 * (side + block)
                for turn in range(2 if has_absent else 1):
                    if turn == 1:
                        _turn_signs(here, rows)
                    owners[:] = -1
                    for k in range(n):
                        reach = here[k * span : k * span + 2 * half_width + span]
                        if turn == 1 and not _has_any(reach):
                            continue
                        _find_medians(
                            rows, k, half_width, span, blocks, owners, bands, merged, middle
                        )
                        i = begin - first + k * span
                        _subtract(
                            rows[32 * (k * span + half_width + 1) :],
                            middle,
                            reach[half_width:],
                            turn + (1 if _has_any(reach) else 0),
                            start,
                            out[i : i + span],
                        )


@jit
def _alternate(is_present, presence, taken, low, signs):
    """Give absent traces from `low` on the signs 1 and -1 in turns, others 0."""
    sign = 1
    for i in range(len(signs)):
        k = low + i
        if k < 0 or k >= taken + len(is_present):
            here = False
        elif k < taken:
            here = presence[k % len(presence)] == 1
        else:
            here = is_present[k - taken]
        signs[i] = 0 if here else sign
        if not here:
            sign = -sign


@jit
def _has_any(signs):
    """Tell whether any trace is absent."""
    for i in range(len(signs)):
        if signs[i] != 0:
            return True
    return False


@jit
def _pack(samples, buffer, taken, low, signs, start, packed):
    """
    Copy traces from `low` on, and columns from `start` on, into blocks of 32 columns.

    Row i + 1 of a block is trace low + i, so that the rows that groups have in common begin
    at multiples of their number. Absent traces are infinities; of zeros only the positive one
    is left, or the sign of a median would depend on the order of sorting.
    """
    width = samples.shape[1]
    for i in range(len(signs) + 2):
        at = 32 * i
        if i == 0 or i > len(signs) or signs[i - 1] != 0:
            filling = np.inf if i == 0 or i > len(signs) or signs[i - 1] > 0 else -np.inf
            for block in range(len(packed)):
                packed[block, at : at + 32] = filling
            continue
        k = low + i - 1
        trace = buffer[k % len(buffer)] if k < taken else samples[k - taken]
        for block in range(len(packed)):
            begin = start + 32 * block
            source = trace[begin : min(begin + 32, width)]
            row = packed[block, at : at + 32]
            if len(source) == 32:  # a length that the compiler knows: two vectors, no rest
                for j in range(32):
                    row[j] = source[j] + np.float32(0)
                continue
            row[:] = 0.0
            for j in range(len(source)):
                row[j] = source[j] + np.float32(0)


@jit
def _turn_signs(signs, rows):
    """Change the signs of infinite rows."""
    for i in range(len(signs)):
        if signs[i] != 0:
            rows[32 * i + 32 : 32 * i + 64] = np.inf if signs[i] < 0 else -np.inf


@jit
def _subtract(rows, middle, signs, step, start, out):
    """Give rows without medians: at once (0), or in steps 1 and 2 if there are two to a row."""
    stop = min(start + 32, out.shape[1])
    for i in range(len(out)):
        centre = rows[32 * i : 32 * i + 32]
        median = middle[32 * i : 32 * i + 32]
        residual = out[i, start:stop]
        if step == 1:
            for j in range(len(residual)):
                residual[j] = median[j]
        elif signs[i] != 0:
            residual[:] = 0.0
        elif step == 0 and len(residual) == 32:
            for j in range(32):
                residual[j] = centre[j] - median[j]
        elif step == 0:
            for j in range(len(residual)):
                residual[j] = centre[j] - median[j]
        else:
            for j in range(len(residual)):
                both = np.float64(residual[j]) + np.float64(median[j])
                residual[j] = centre[j] - both / 2


@jit
def _find_medians(rows, group, half_width, span, blocks, owners, bands, merged, middle):
    """
    Give the medians of a group of windows in `middle`.

    Its windows have blocks group + 1 and so on in common, each of `span` rows, the last of
    them in part. They differ by the rows of block `group` and by as many beyond, which are
    sorted in reversed order.
    """
    n_common = 2 * half_width + 2 - span
    n_whole = n_common // span
    n_rest = n_common - n_whole * span
    last = group + n_whole + (1 if n_rest > 0 else 0)
    for q in range(group, last + 1):
        if owners[q % 4] != q:
            owners[q % 4] = q
            part = rows[32 * q * span : 32 * (q + 1) * span]
            _sort_block(part, span, False, q % 2 == 1, blocks[q % 4])
    beyond = 32 * (group * span + 2 * half_width + 2)
    _sort_block(rows[beyond : beyond + 32 * span], span, True, False, blocks[4])
    at = span * (group + 1 + n_whole) + n_rest // 8 * 8  # the last few of the prefix
    for i in range(n_rest % 8):
        copy_row(rows[32 * (at + i) : 32 * (at + i) + 32], bands[3, 32 * i : 32 * i + 32])
    for i in range(n_rest % 8, 8):
        bands[3, 32 * i : 32 * i + 32] = np.inf if i % 2 == 0 else -np.inf
    now = _pad_prefix(blocks[(group + 1 + n_whole) % 4], span, n_rest, bands)
    prefix = bands[now]
    spare = bands[5 - now]
    at = _level(span, span)
    one = blocks[(group + 1) % 4, at : at + 32 * span]
    two = blocks[(group + 2) % 4, at : at + 32 * span]
    now = 0
    if n_whole == 2:
        half_clean(one, two, merged[: 32 * span], merged[32 * span :])
        settle(merged[: 32 * span], span, False)
        settle(merged[32 * span :], span, False)
        keep_middle_third(merged, prefix, spare, bands[0])
    elif group % 2 == 0:  # block group + 1 descends like the prefix
        _turn_round(prefix, spare)
        keep_middle_half(one, spare, bands[0])
    else:
        keep_middle_half(one, prefix, bands[0])
    m = span
    while m > 8:
        n = m // 2
        at = _level(span, n)
        left = blocks[group % 4, at : at + 32 * span]
        right = blocks[4, at : at + 32 * span]
        for k in range(span // m):
            band = bands[now, 32 * k * m : 32 * (k + 1) * m]
            odd = 2 * k + 1
            extra = left[32 * odd * n : 32 * (odd + 1) * n]
            result = bands[1 - now, 64 * k * n : 64 * k * n + 32 * n]
            keep_middle_third(band, extra, bands[2], result)
            odd = 2 * (span // m - 1 - k) + 1
            extra = right[32 * odd * n : 32 * (odd + 1) * n]
            result = bands[1 - now, 64 * k * n + 32 * n : 64 * k * n + 64 * n]
            keep_middle_third(band, extra, bands[2], result)
        now = 1 - now
        m = n
    for k in range(span // 8):
        finish_eight(
            bands[now, 256 * k : 256 * k + 256],
            blocks[group % 4, 384 * k : 384 * k + 384],
            blocks[4, 384 * (span // 8 - 1 - k) : 384 * (span // 8 - k)],
            middle[256 * k : 256 * k + 256],
        )


@jit
def _level(span, n):
    """Return where the part of a block begins in which runs of n traces are sorted."""
    start = 48 * span
    size = 8
    while size < n:
        start += 32 * span
        size *= 2
    return start


@jit
def _sort_block(rows, span, is_beyond, descends, block):
    """
    Sort runs of 8, 16, ... `span` rows: even runs ascend, odd ones descend.

    Rows beyond the windows are taken in reversed order, and sorted no further than needed:
    up to the odd run that is half of them. For the others the longest run ascends or
    descends.

    The block begins with 12 rows for each 8, see `sort_eight`; then a level of `span` rows
    for each length of runs.
    """
    at = _level(span, 8)
    result = block[at : at + 32 * span]
    for i in range(span // 8):
        k = span // 8 - 1 - i if is_beyond else i
        sort_eight(
            rows[256 * k : 256 * k + 256],
            is_beyond,
            i % 2 == 1,
            block[384 * i : 384 * i + 384],
            result[256 * i : 256 * i + 256],
        )
    n = 8
    longest = span // 2 if is_beyond else span
    while n < longest:
        source = result
        at += 32 * span
        result = block[at : at + 32 * span]
        for i in range(1 if is_beyond and 2 * n == longest else 0, span // (2 * n)):
            low = result[64 * i * n : 64 * i * n + 32 * n]
            high = result[64 * i * n + 32 * n : 64 * (i + 1) * n]
            one = source[64 * i * n : 64 * i * n + 32 * n]
            two = source[64 * i * n + 32 * n : 64 * (i + 1) * n]
            down = i % 2 == 1 or (2 * n == span and descends)
            if down:
                half_clean(one, two, high, low)
            else:
                half_clean(one, two, low, high)
            settle(low, n, down)
            settle(high, n, down)
        n *= 2


@jit
def _pad_prefix(block, span, n_rest, bands):
    """
    Give the first `n_rest` rows of a block, sorted to descend, in the band returned.

    They are padded to `span` with as many infinities of either sign, which change no median.
    On entry the last 8 of them, padded already, are in the beginning of bands[3].
    """
    now = 2
    sort_eight(bands[3, :256], False, True, bands[0, :384], bands[2, :256])
    n = 8
    while n < span and n <= n_rest:
        previous = bands[now]
        result = bands[5 - now]
        if n_rest & n:
            # the run of n before the rows that are done
            at = _level(span, n) + n_rest // (2 * n) * 64 * n
            run = block[at : at + 32 * n]
            half_clean(run, previous[: 32 * n], result[32 * n : 64 * n], result[: 32 * n])
            settle(result[: 32 * n], n, True)
            settle(result[32 * n : 64 * n], n, True)
        else:
            result[: 16 * n] = np.inf
            copy_row(previous[: 32 * n], result[16 * n : 48 * n])
            result[48 * n : 64 * n] = -np.inf
        now = 5 - now
        n *= 2
    if n < span:
        previous = bands[now]
        result = bands[5 - now]
        pad = 16 * (span - n)
        result[:pad] = np.inf
        copy_row(previous[: 32 * n], result[pad : pad + 32 * n])
        result[pad + 32 * n :] = -np.inf
        now = 5 - now
    return now


@jit
def _turn_round(rows, out):
    """Give rows in reversed order."""
    n = len(rows) // 32
    for i in range(n):
        copy_row(rows[32 * i : 32 * i + 32], out[32 * (n - 1 - i) : 32 * (n - i)])
