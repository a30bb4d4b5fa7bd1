"""Channels that repeat themselves: what was recorded once says nothing of the next place."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from .sweep import Quality, Sweep

#: From which of equal traces in a row on a channel counts as stuck.
REPEATS = 3


class StuckFinder:
    """
    Flag the traces in which a channel is stuck, chunk by chunk.

    A channel is stuck where all its samples are one number, or where it gave the same
    samples, bit for bit, in the two traces before: an instrument has noise. Whole traces are
    flagged, since flags are of traces: ground that one channel did not see is not observed.
    Traces that are flagged as unusable already are left out.

    Notes
    -----
    The first two of equal traces are kept: they may be a coincidence of coarse converters.

    Examples
    --------
    A radar whose second channel dies after four traces:

    >>> import numpy as np
    >>> from minesense.sensor import Sensor
    >>> from minesense.stuck import StuckFinder
    >>> from minesense.sweep import Quality, Sweep
    >>> sensor = Sensor(
    ...     name="demo", kind="gpr", axis=1e-10 * np.arange(8), lever_arms=np.zeros((2, 3))
    ... )
    >>> samples = np.random.default_rng(seed=0).normal(size=(7, 2, 8))
    >>> samples[4:, 1] = 0.0
    >>> lane = Sweep(
    ...     samples=samples,
    ...     time=np.arange(7.0),
    ...     position=np.zeros((7, 3)),
    ...     heading=np.zeros(7),
    ...     sensor=sensor,
    ... )
    >>> flagged = StuckFinder().flag(lane)
    >>> ((flagged.quality & Quality.STUCK) != 0).tolist()
    [False, False, False, False, True, True, True]
    """

    def __init__(self) -> None:
        self._before: npt.NDArray[np.float32] | None = None
        self._run: npt.NDArray[np.int64] | None = None

    def flag(self, chunk: Sweep) -> Sweep:
        """
        Return the next chunk of a lane with flags.

        Parameters
        ----------
        chunk : Sweep
            Traces that follow those before.

        Returns
        -------
        chunk : Sweep
            The same samples; STUCK where a channel is.
        """
        if not len(chunk):
            return chunk
        samples = chunk.samples
        n_channels = samples.shape[1]
        run = np.zeros(n_channels, np.int64) if self._run is None else self._run
        before = samples[:1] if self._before is None else self._before
        is_same = (samples == np.concatenate([before, samples[:-1]])).all(axis=2)
        if self._run is None:
            is_same[0] = False
        # how many traces before it in a row each trace is equal to, carried over chunks
        index = np.arange(len(chunk))[:, None]
        last_new = np.maximum.accumulate(np.where(is_same, -1, index), axis=0)
        runs = np.where(last_new < 0, run + index + 1, index - last_new)
        is_flat = (samples == samples[:, :, :1]).all(axis=2) & (samples.shape[2] > 1)
        is_stuck = (is_flat | (runs >= REPEATS - 1)).any(axis=1) & chunk.is_usable
        self._before, self._run = samples[-1:].copy(), runs[-1]
        if not is_stuck.any():
            return chunk
        quality = np.where(is_stuck, chunk.quality | int(Quality.STUCK), chunk.quality)
        return dataclasses.replace(chunk, quality=quality)
