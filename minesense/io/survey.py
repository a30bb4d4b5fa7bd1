"""What one pass over the stored samples of a recording finds: limits, counts, doubts."""

from __future__ import annotations

import contextlib
import math
import mmap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from .trouble import Findings

#: Turns stored words into the numbers they stand for; see :mod:`minesense.io.words`.
Decode: TypeAlias = Callable[[npt.NDArray[Any]], npt.NDArray[Any]]

_BLOCK = 2**20  # samples looked at in one go: bounds the memory of a pass over a file


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Survey:
    """What one pass over the stored samples finds, leading words left out."""

    smallest: float
    largest: float
    n_clipped: npt.NDArray[np.int64]  #: (n_traces, n_channels)
    n_signal: int  #: samples looked at
    n_not_finite: int
    first_not_finite: tuple[int, int, int] | None  #: trace, channel, sample
    is_float: bool = False  #: whether the numbers are floating ones


def type_limits(dtype: np.dtype[Any]) -> tuple[int, int] | None:
    """Return the smallest and largest number of an integer type, None for floats."""
    if dtype.kind not in "iu":
        return None
    info = np.iinfo(dtype)
    return int(info.min), int(info.max)


def blocks_of(stored: npt.NDArray[Any]) -> list[tuple[int, int]]:
    """Return first and last trace of the blocks in which a pass over samples goes."""
    n_traces, n_channels, n_samples = stored.shape
    rows = max(1, _BLOCK // max(1, n_channels * n_samples))
    return [(start, min(start + rows, n_traces)) for start in range(0, n_traces, rows)]


def release(array: npt.NDArray[Any]) -> None:
    """
    Let go of the pages that a pass over a mapped file has touched.

    They stay in the cache of the system and are mapped again when they are needed; but a
    pass over a file larger than memory would otherwise look like a process of that size.
    """
    base: Any = array
    while base is not None and not isinstance(base, mmap.mmap):
        base = getattr(base, "base", None)
    if base is not None and hasattr(mmap, "MADV_DONTNEED"):
        with contextlib.suppress(OSError, ValueError):
            base.madvise(mmap.MADV_DONTNEED)


def survey_samples(
    stored: npt.NDArray[Any],
    header_words: Sequence[int],
    *,
    decode: Decode | None = None,
    limits: tuple[int, int] | None = None,
) -> Survey:
    """
    Return limits and counts of stored samples, read block by block.

    Parameters
    ----------
    stored : (n_traces, n_channels, n_samples) ndarray
        Samples of a file, mapped or not.
    header_words : sequence of int
        Per channel, leading samples to leave out.
    decode : callable, optional
        What makes numbers of the stored words.
    limits : (int, int), optional
        Numbers at which samples count as clipped; those of the integer type if not given.

    Returns
    -------
    survey : Survey
        `smallest` and `largest` are of finite samples, NaN if there are none.
    """
    n_traces, n_channels, n_samples = stored.shape
    if limits is None and decode is None:
        limits = type_limits(stored.dtype)
    n_clipped = np.zeros((n_traces, n_channels), np.int64)
    smallest, largest, n_bad = math.inf, -math.inf, 0
    first: tuple[int, int, int] | None = None
    is_float = stored.dtype.kind == "f"
    for number, (start, stop) in enumerate(blocks_of(stored)):
        numbers = _native(stored[start:stop], decode)
        for channel, n_words in enumerate(header_words):
            block = numbers[:, channel, n_words:]
            is_float = block.dtype.kind == "f"
            if is_float:
                bad = ~np.isfinite(block)
                if bad.any():
                    n_bad += int(np.count_nonzero(bad))
                    trace, sample = (int(k) for k in np.argwhere(bad)[0])
                    here = (start + trace, channel, n_words + sample)
                    first = min(first or here, here)
                    block = block[~bad]
            if not block.size:
                continue
            low, high = block.min(), block.max()
            smallest, largest = min(smallest, float(low)), max(largest, float(high))
            # Counting costs more than the extremes do, and most blocks are not clipped.
            if limits is not None and (low <= limits[0] or high >= limits[1]):
                at_limit = (block <= limits[0]) | (block >= limits[1])
                n_clipped[start:stop, channel] = np.count_nonzero(at_limit, axis=1)
        if number % 32 == 31:
            release(stored)
    none = smallest > largest
    return Survey(
        smallest=math.nan if none else smallest,
        largest=math.nan if none else largest,
        n_clipped=n_clipped,
        n_signal=n_traces * sum(n_samples - n_words for n_words in header_words),
        n_not_finite=n_bad,
        first_not_finite=first,
        is_float=is_float,
    )


def _native(block: npt.NDArray[Any], decode: Decode | None) -> npt.NDArray[Any]:
    """Return numbers in the byte order of the machine, which are looked at faster."""
    if decode is not None:
        return decode(block)
    return block.astype(block.dtype.newbyteorder("="), copy=False)


def warn_about_samples(
    findings: Findings, survey: Survey, stored: npt.NDArray[Any] | None = None
) -> None:
    """Warn of samples that are constant, all clipped, too large for float32 or not finite."""
    del stored  # the survey says what is needed
    if survey.n_not_finite:
        trace, channel, sample = survey.first_not_finite or (0, 0, 0)
        findings.warn(
            f"{survey.n_not_finite} samples are NaN or infinite, the first is sample {sample} "
            f"of trace {trace}, channel {channel}"
        )
    if survey.smallest == survey.largest:
        findings.warn(f"all samples have the same value {survey.smallest!r}")
    elif survey.n_signal and int(survey.n_clipped.sum()) == survey.n_signal:
        findings.warn("all samples are clipped")
    if not survey.is_float and max(-survey.smallest, survey.largest) > 2**24:
        findings.warn(
            f"samples reach {survey.smallest:.0f} and {survey.largest:.0f}: float32 rounds "
            "them beyond 2^24"
        )
