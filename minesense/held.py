"""Traces that a stage with look-ahead holds until it may return them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


class HeldTraces:
    """
    A queue of traces, oldest first, in one array.

    New traces go behind the others; when the array is full, those that are still held move
    to its front or, if more than half of it is theirs, to one of twice the size. So a trace
    is copied about twice on its way, however many are held.

    Parameters
    ----------
    shape : tuple of int
        Of one trace: channels and samples, or () for a number.
    dtype : dtype
        Of its samples.

    Examples
    --------
    >>> held = HeldTraces((), np.int64)
    >>> held.extend(np.arange(5))
    >>> held.drop(3)
    >>> held.traces
    array([3, 4])
    """

    def __init__(self, shape: tuple[int, ...], dtype: npt.DTypeLike):
        self._array: npt.NDArray[Any] = np.empty((8, *shape), dtype)
        self._first = self._stop = 0

    def __len__(self) -> int:
        """Return the number of traces held."""
        return self._stop - self._first

    @property
    def traces(self) -> npt.NDArray[Any]:
        """The traces held, as a view that lasts until the next `extend`."""
        return self._array[self._first : self._stop]

    def extend(self, traces: npt.NDArray[Any]) -> None:
        """Put traces behind those held; they are copied."""
        if self._stop + len(traces) > len(self._array):
            self._make_room(len(self) + len(traces))
        stop = self._stop + len(traces)
        self._array[self._stop : stop] = traces
        self._stop = stop

    def drop(self, n_traces: int) -> None:
        """Let the oldest go."""
        self._first += min(n_traces, len(self))

    def _make_room(self, n_needed: int) -> None:
        held = self.traces
        if 2 * n_needed > len(self._array):
            self._array = np.empty((2 * n_needed, *held.shape[1:]), held.dtype)
        self._array[: len(held)] = held  # where they overlap NumPy goes by way of a copy
        self._first, self._stop = 0, len(held)
