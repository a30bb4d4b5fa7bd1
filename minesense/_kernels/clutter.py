"""Kernels that learn how blocks of traces vary along a lane, and judge traces by it."""

import math

import numpy as np

from ._jit import jit
from .copying import copy_row


@jit
def learn_blocks(trace, start, hop, gain, influence, scratch, mean, covariance, fourth):
    """
    Let a trace into the running mean and covariance of each block.

    With the deviation d from the mean m, times its influence, and the gain g:
    C = (1 - g) (C + g d d'), then m += g d.

    Parameters
    ----------
    trace : (n_channels, n_samples) float32 array
    start, hop : int
        First sample of the first block; samples between the starts of blocks.
    gain : float
        Weight of the trace, 1 for the first.
    influence : (n_channels, n_blocks) float32 array
        From 0 to 1: less than 1 where the deviation is not to count in full.
    scratch : (width,) float32 array
        Overwritten.
    mean : (n_channels, n_blocks, width) float64 array
        State.
    covariance : (n_channels, n_blocks, width, width) float32 array
        State: symmetric.
    fourth : (n_channels, n_blocks) float64 array
        State: mean square of the squared norms of what the covariance is the mean of.
    """
    n_channels, n_blocks, width = mean.shape
    keep = 1.0 - gain
    for c in range(n_channels):
        for b in range(n_blocks):
            first = start + b * hop
            middle = mean[c, b]
            square = 0.0
            for j in range(width):
                deviation = influence[c, b] * (np.float64(trace[c, first + j]) - middle[j])
                middle[j] += gain * deviation
                square += deviation * deviation
                scratch[j] = deviation
            square *= keep
            fourth[c, b] = keep * fourth[c, b] + gain * square * square
            for i in range(width):
                row = covariance[c, b, i]
                factor = np.float32(gain * scratch[i])
                rest = np.float32(keep)
                for j in range(width):  # whole rows: what is below costs less than ends
                    row[j] = rest * (row[j] + factor * scratch[j])


@jit
def renew_whiteners(
    turn, n_turns, shrinkage, squares, covariance, fourth, work, inverse, whitener
):
    """
    Invert the roots of the covariances whose turn it is.

    The covariance C, unbiased, is shrunk towards its mean variance m: S = (1 - r) C + r m I.
    With the Cholesky factor U, U' U = S, the whitener is the inverse of U.

    Parameters
    ----------
    turn, n_turns : int
        Blocks turn, turn + n_turns and so on are renewed.
    shrinkage : float
        r; negative for that of Ledoit and Wolf, from the fourth moments.
    squares : float
        Sum of the squared weights in the means, less than 1.
    covariance, fourth : (n_units, width, width) float32 array, (n_units,) float64 array
        Of every block.
    work, inverse : (width, width) float64 array
        Overwritten.
    whitener : (n_units, width, width) float32 array
        Upper triangles, overwritten for some; zero where nothing varies or is too great.
    """
    for unit in range(turn, len(covariance), n_turns):
        level = _shrink(covariance[unit], fourth[unit], squares, shrinkage, work)
        if not 0.0 < level < math.inf:  # squares of very great samples are infinite
            whitener[unit] = 0.0
            continue
        _invert_root(work, 1e-6 * level, inverse)
        width = len(work)
        for i in range(width):
            for j in range(i, width):
                whitener[unit, i, j] = inverse[i, j]


@jit
def _shrink(covariance, fourth, squares, shrinkage, out):
    """Write the upper triangle of the shrunk covariance, and give its mean variance."""
    width = len(covariance)
    level = 0.0
    norm = 0.0
    for i in range(width):
        level += covariance[i, i] / width
        norm += np.float64(covariance[i, i]) * covariance[i, i]
        for j in range(i + 1, width):
            norm += 2.0 * np.float64(covariance[i, j]) * covariance[i, j]
    share = shrinkage
    if shrinkage < 0:
        spread = norm - width * level * level
        noise = min(max(squares * (fourth - norm), 0.0), max(spread, 0.0))
        share = noise / spread if spread > 0 else 1.0
    scale = 1.0 / (1.0 - squares)
    for i in range(width):
        for j in range(i, width):
            out[i, j] = scale * (1.0 - share) * covariance[i, j]
        out[i, i] += scale * share * level
    return scale * level


@jit
def _invert_root(work, least, inverse):
    """
    Turn the upper triangle of a covariance into its Cholesky factor, and invert that.

    Pivots less than `least` are raised to it: no direction is taken for free of clutter.
    """
    width = len(work)
    for j in range(width):
        pivot = work[j]
        root = math.sqrt(max(pivot[j], least))
        pivot[j] = root
        for k in range(j + 1, width):
            pivot[k] /= root
        for i in range(j + 1, width):
            row = work[i]
            factor = pivot[i]
            for k in range(i, width):
                row[k] -= factor * pivot[k]
    for i in range(width - 1, -1, -1):
        out = inverse[i]
        out[i:] = 0.0
        out[i] = 1.0
        for k in range(i + 1, width):
            factor = work[i, k]
            row = inverse[k]
            for j in range(k, width):
                out[j] -= factor * row[j]
        for j in range(i, width):
            out[j] /= work[i, i]


@jit
def _whiten(block, whitener, out):
    """Multiply a block by the transpose of an upper triangle, row by row."""
    width = len(block)
    out[:] = 0.0
    for i in range(width):
        row = whitener[i]
        factor = block[i]
        for j in range(width):  # below there are zeros, which cost less than loose ends
            out[j] += factor * row[j]


@jit
def renew_directions(turn, n_turns, parts, n_parts, is_joint, whitener, scratch, directions):
    """
    Whiten the templates of the blocks whose turn it is, to unit vectors.

    Parameters
    ----------
    turn, n_turns : int
        As in `renew_whiteners`.
    parts, n_parts : (n_blocks, n_most, width) float32 array, (n_blocks,) int64 array
        Templates of each block of a channel, and how many there are.
    is_joint : bool
        Whether each is made orthogonal to those before it, to a basis of their span.
    whitener : (n_units, width, width) float32 array
        Units are the blocks of all channels, channel by channel.
    scratch : (width,) float32 array
        Overwritten.
    directions : (n_units, width, n_most) float32 array
        Overwritten for some; zero behind the last and where a template has no part left.
    """
    n_blocks, width = len(parts), parts.shape[2]
    for unit in range(turn, len(whitener), n_turns):
        b = unit % n_blocks
        found = directions[unit]
        found[:] = 0.0
        for p in range(n_parts[b]):
            _whiten(parts[b, p], whitener[unit], scratch)
            before = _square(scratch)
            if is_joint:
                for _ in range(2):  # once more for what rounding left
                    _take_out(found, p, scratch)
            square = _square(scratch)
            if square > 1e-6 * before:
                scale = 1.0 / math.sqrt(square)
                for j in range(width):
                    found[j, p] = scale * scratch[j]


@jit
def _square(values):
    """Sum squares."""
    total = 0.0
    for j in range(len(values)):
        total += np.float64(values[j]) * values[j]
    return total


@jit
def _take_out(directions, n, values):
    """Remove the part along each of the first n directions, which are columns."""
    for p in range(n):
        along = 0.0
        for j in range(len(values)):
            along += np.float64(directions[j, p]) * values[j]
        for j in range(len(values)):
            values[j] -= along * directions[j, p]


@jit
def match_blocks(
    trace,
    start,
    hop,
    mean,
    whitener,
    directions,
    n_parts,
    statistic,
    is_joint,
    n_learnt,
    scratch,
    along,
    distance,
    out,
):
    """
    Judge each block of a trace by its whitened deviation y from the mean.

    With P the greatest square of y along a direction, or the sum over joint ones: y'y for
    the statistic 0, P / y'y for 1, P / (n + y'y) for 2, the root of P for 3.

    Parameters
    ----------
    trace, start, hop, mean
        As in `learn_blocks`.
    whitener, directions, n_parts
        As in `renew_directions`.
    statistic : int
    is_joint : bool
    n_learnt : float
        n, the number of traces that the covariance is worth.
    scratch, along : (2, width) float32 array, (n_most,) float32 array
        Overwritten.
    distance, out : (n_channels, n_blocks) float32 array
        Overwritten with y'y, and with the statistic.
    """
    n_channels, n_blocks, width = mean.shape
    deviation, white = scratch[0], scratch[1]
    for c in range(n_channels):
        for b in range(n_blocks):
            first = start + b * hop
            middle = mean[c, b]
            for j in range(width):
                deviation[j] = np.float64(trace[c, first + j]) - middle[j]
            unit = c * n_blocks + b
            _whiten(deviation, whitener[unit], white)
            whole = _square(white)
            distance[c, b] = whole
            out[c, b] = whole
            if statistic > 0:
                part = 0.0
                along[:] = 0.0
                for j in range(width):
                    row = directions[unit, j]
                    factor = white[j]
                    for p in range(len(along)):
                        along[p] += factor * row[p]
                for p in range(n_parts[b]):
                    square = np.float64(along[p]) * along[p]
                    part = part + square if is_joint else max(part, square)
                if statistic == 3:
                    out[c, b] = math.sqrt(part)
                else:
                    under = whole if statistic == 1 else n_learnt + whole
                    # a share, which rounding must not lift above one
                    out[c, b] = min(1.0, part / under) if under > 0 else 0.0


@jit
def renew_components(turn, n_turns, n_rounds, squares, covariance, work, components, rest):
    """
    Turn principal components towards those of the covariances whose turn it is.

    A round multiplies the components by the covariance and makes them orthonormal again:
    orthogonal iteration, which goes on from where the last renewal left it.

    Parameters
    ----------
    turn, n_turns, squares, covariance
        As in `renew_whiteners`.
    n_rounds : int
    work : (width,) float64 array
        Overwritten.
    components : (n_units, n_components, width) float64 array
        State: orthonormal rows.
    rest : (n_units,) float64 array
        Overwritten for some: the variance that is not along the components.
    """
    n_components, width = components.shape[1:]
    for unit in range(turn, len(covariance), n_turns):
        found = components[unit]
        for _ in range(n_rounds):
            for p in range(n_components):
                _multiply(covariance[unit], found[p], work)
                copy_row(work, found[p])
            _make_orthonormal(found)
        total = 0.0
        for i in range(width):
            total += covariance[unit, i, i]
        inside = 0.0
        for p in range(n_components):
            _multiply(covariance[unit], found[p], work)
            for j in range(width):
                inside += work[j] * found[p, j]
        rest[unit] = max(total - inside, 1e-6 * total) / (1.0 - squares)


@jit
def _multiply(covariance, vector, out):
    """Multiply a symmetric matrix, of which the upper triangle is given, by a vector."""
    width = len(vector)
    out[:] = 0.0
    for i in range(width):
        row = covariance[i]
        out[i] += row[i] * vector[i]
        for j in range(i + 1, width):
            out[i] += row[j] * vector[j]
            out[j] += row[j] * vector[i]


@jit
def _make_orthonormal(rows):
    """
    Orthonormalise rows one after another.

    One without a part of its own, as all are before anything varied, becomes the axis that
    is farthest from those before: a zero would stay one whatever varies later.
    """
    for p in range(len(rows)):
        before = _square(rows[p])
        _take_out_rows(rows, p)
        if not _square(rows[p]) > 1e-20 * before:
            axis = _farthest_axis(rows, p)
            rows[p] = 0.0
            rows[p, axis] = 1.0
            _take_out_rows(rows, p)
        scale = 1.0 / math.sqrt(_square(rows[p]))
        for j in range(rows.shape[1]):
            rows[p, j] *= scale


@jit
def _take_out_rows(rows, p):
    """Remove from row p its part along each row before, which are orthonormal."""
    for _ in range(2):  # once more for what rounding left
        for q in range(p):
            along = 0.0
            for j in range(rows.shape[1]):
                along += rows[q, j] * rows[p, j]
            for j in range(rows.shape[1]):
                rows[p, j] -= along * rows[q, j]


@jit
def _farthest_axis(rows, p):
    """Return the axis with the least part along the first p rows, fewer than axes."""
    farthest = 0
    least = math.inf
    for j in range(rows.shape[1]):
        part = 0.0
        for q in range(p):
            part += rows[q, j] * rows[q, j]
        if part < least:
            farthest = j
            least = part
    return farthest


@jit
def judge_residuals(trace, start, hop, mean, components, rest, scratch, distance, out):
    """
    Give the energy of each block that is not along the components, over that of clutter.

    Parameters
    ----------
    trace, start, hop, mean
        As in `learn_blocks`.
    components, rest
        As in `renew_components`.
    scratch : (width,) float64 array
        Overwritten.
    distance, out : (n_channels, n_blocks) float32 array
        Overwritten: the ratio times a quarter of the width, as what is left may vary in few
        directions only, and the ratio; zero where nothing varies.
    """
    n_channels, n_blocks, width = mean.shape
    for c in range(n_channels):
        for b in range(n_blocks):
            first = start + b * hop
            unit = c * n_blocks + b
            for j in range(width):
                scratch[j] = np.float64(trace[c, first + j]) - mean[c, b, j]
            for p in range(components.shape[1]):
                row = components[unit, p]
                along = 0.0
                for j in range(width):
                    along += row[j] * scratch[j]
                for j in range(width):
                    scratch[j] -= along * row[j]
            ratio = _square(scratch) / rest[unit] if rest[unit] > 0 else 0.0
            out[c, b] = ratio
            distance[c, b] = 0.25 * width * ratio
