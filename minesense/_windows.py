"""What sliding windows along the track share: length in traces, threads, scratch space."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

from ._kernels.block_median import subtract_median_blocks

Columns = npt.NDArray[np.int64]
_N_SIDE = 16  #: blocks of 32 columns that are copied together: whole pages of memory
_N_TRACES = 512  #: as many of their traces lie in the second-level cache


def check_window(spacing: float, half_width: float, guard: float | None) -> tuple[int, int]:
    """
    Return the half-width and the guard of a centred window in traces.

    Parameters
    ----------
    spacing, half_width : float
        Distance of neighbouring traces, and how far the window reaches, in metres.
    guard : float, optional
        Distance left out on each side, in metres.

    Returns
    -------
    n_side, n_guard : int
        Traces on each side, and those of them that are left out; -1 without a guard.

    Raises
    ------
    ValueError
        If there is no trace on a side, or none outside the guard.

    Examples
    --------
    >>> check_window(0.05, 3.0, 0.4)
    (60, 8)
    """
    if half_width < spacing:
        msg = f"Invalid half_width '{half_width}'. Must be at least the spacing of {spacing} m."
        raise ValueError(msg)
    n_side = round(half_width / spacing)
    if guard is None:
        return n_side, -1
    n_guard = round(guard / spacing)
    if n_guard >= n_side:
        msg = (
            f"Invalid guard '{guard}'. Must be less than the half_width of {half_width} m by "
            f"the spacing of {spacing} m or more."
        )
        raise ValueError(msg)
    return n_side, n_guard


def share_columns(work: Callable[[Columns], None], n_columns: int, workers: int) -> None:
    """
    Call a function with ranges of columns, or of blocks of them, one for each thread.

    Parameters
    ----------
    work : callable
        Takes the first column and the one after the last.
    n_columns, workers : int
        How many there are.

    Examples
    --------
    >>> share_columns(print, 5, 1)
    [0 5]
    """
    if workers == 1 or n_columns < 2:
        work(np.array([0, n_columns]))
        return
    bounds = np.linspace(0, n_columns, min(workers, n_columns) + 1).round().astype(np.int64)
    ranges = [np.array(bounds[i : i + 2]) for i in range(len(bounds) - 1)]
    with ThreadPoolExecutor(len(ranges)) as pool:
        list(pool.map(work, ranges))


def subtract_medians(
    samples: npt.NDArray[np.float32],
    is_present: npt.NDArray[np.bool_],
    half_width: int,
    span: int,
    before: tuple[npt.NDArray[np.float32], npt.NDArray[np.int64], int],
    columns: Columns,
    out: npt.NDArray[np.float32],
) -> None:
    """
    Run :func:`subtract_median_blocks` with scratch space of its own.

    Parameters
    ----------
    samples, is_present, half_width, span, columns, out
        As there.
    before : tuple
        What is there called buffer, presence and taken.
    """
    n_groups = -(-len(out) // span)
    n_packed = 32 * (min(n_groups, max(1, _N_TRACES // span)) * span + 2 * half_width + 2)
    n_levels = span.bit_length() - 3
    subtract_median_blocks(
        samples,
        is_present,
        half_width,
        *before,
        span,
        columns,
        np.empty(n_groups * span + 2 * half_width, np.int64),
        np.empty((min(_N_SIDE, columns[1] - columns[0]), n_packed), np.float32),
        np.empty((5, 32 * (12 * span // 8 + n_levels * span)), np.float32),
        np.empty(4, np.int64),
        np.empty((4, 32 * span), np.float32),
        np.empty(64 * span, np.float32),
        np.empty(32 * span, np.float32),
        out,
    )
