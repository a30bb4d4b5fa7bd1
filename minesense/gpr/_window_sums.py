"""How the sums over a window along two-way time are put together."""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt

from ..sweep import Samples


def window_sums(
    half_width: int, n_samples: int
) -> tuple[int, npt.NDArray[np.int64], Samples, Samples]:
    """
    Return what the kernels of sums along a trace need to know of a window.

    Parameters
    ----------
    half_width : int
        Samples on each side of the middle one, 1 or more.
    n_samples : int
        Of a trace.

    Returns
    -------
    half_width : int
        The same.
    steps : (n_steps, 2) int64 ndarray
        How sums over as many samples are put together.
    shares : (n_samples,) float32 ndarray
        One over the number of samples in each window; windows shrink at the ends of a trace.
    sums : (3, width) float32 ndarray
        Zeros that are written into.

    Examples
    --------
    >>> half_width, steps, shares, sums = window_sums(15, 512)
    >>> steps.tolist(), bool(shares[256] == np.float32(1 / 31)), sums.shape
    ([[2, 1], [5, 0]], True, (3, 592))
    """
    inside = np.convolve(np.ones(n_samples), np.ones(2 * half_width + 1))
    shares = (1 / inside[half_width:][:n_samples]).astype(np.float32)
    return half_width, steps_to(half_width), shares, rows_for(half_width, n_samples)


def steps_to(span: int) -> npt.NDArray[np.int64]:
    """
    Return the steps in which sums over single samples become sums over many.

    Parameters
    ----------
    span : int
        Samples in the last sums, 1 or more.

    Returns
    -------
    steps : (n_steps, 2) int64 ndarray
        Sums that are joined in each step, 2 to 5, and single samples added, 0 or 1: those
        steps that read the fewest values.

    Examples
    --------
    >>> steps_to(15).tolist()
    [[2, 1], [5, 0]]
    >>> steps_to(1).shape
    (0, 2)
    """
    return np.array(_cheapest(span)[1], np.int64).reshape(-1, 2)


#: What a step costs beside its reads.
_WRITE = 0.6


@functools.cache
def _cheapest(span: int) -> tuple[float, tuple[tuple[int, int], ...]]:
    """Return the cost of the best way to a span, in reads of a value, and its steps."""
    if span == 1:
        return 0.0, ()
    ways = []
    for times in range(2, min(5, span) + 1):
        rest = span % times
        if rest < 2:
            cost, steps = _cheapest(span // times)
            ways.append((cost + times + rest + _WRITE, (*steps, (times, rest))))
    return min(ways)


def rows_for(half_width: int, n_samples: int) -> Samples:
    """
    Return the zeros that the kernels of sums along a trace write into.

    Parameters
    ----------
    half_width : int
        Samples on each side of the middle one.
    n_samples : int
        Of a trace.

    Returns
    -------
    sums : (3, width) float32 ndarray
        Rows that start at multiples of 64 bytes, as vectors of samples are fastest.

    Examples
    --------
    >>> rows_for(15, 512).shape
    (3, 592)
    """
    lead = -(-half_width // 16) * 16
    width = -(-(lead + n_samples) // 64) * 64 + lead
    room = np.zeros(3 * width + 16, np.float32)
    first = -(room.ctypes.data // 4) % 16
    return room[first : first + 3 * width].reshape(3, width)
