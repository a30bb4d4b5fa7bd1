"""How the clock of one stream runs against another's, told by the order of their messages."""

from __future__ import annotations

import math
from collections import deque

import numpy as np

from .._validation import check_not_negative, check_positive
from .events import ClockEstimate

#: Blocks that a drift is taken over, at most, and at least for a judgement.
_MOST_BLOCKS, _LEAST_BLOCKS = 8, 4

#: Readings kept of a block, at most; then every second one is left out.
_MOST_READINGS = 512


class ClockMonitor:
    """
    Estimate offset and drift of a stream against a reference stream. Nothing is corrected.

    Parameters
    ----------
    stream, reference : str
        Names.
    block : float
        Seconds over which readings are joined to one.
    drift_bound : float
        Largest drift that is normal, s/s.

    Notes
    -----
    When a message of the stream comes, a reading is the newest task time of the reference less
    that of the message. It errs by what the link delays and by the interval of the
    reference, which the median over a block evens out. The drift is the median of the slopes
    between all pairs of the last blocks (Theil and Sen), its error from the spread of
    the blocks about that line. A drift is beyond its bound if it is by more than its error.
    When a message arrived by any wall clock decides nothing.

    Examples
    --------
    >>> monitor = ClockMonitor("coils", "gnss", block=1.0, drift_bound=1e-4)
    >>> found = [monitor.take(t, t * (1 + 1e-3)) for t in 0.1 * np.arange(100.0)]
    >>> last = [estimate for estimate in found if estimate][-1]
    >>> round(last.drift, 6), last.is_within_bound
    (0.001, False)
    """

    def __init__(self, stream: str, reference: str, *, block: float, drift_bound: float):
        self.stream, self.reference = stream, reference
        self.block = check_positive(block, "block")
        self.drift_bound = check_not_negative(drift_bound, "drift_bound")
        self.last_good = -math.inf  #: task time of the last block within the bound
        self.is_within_bound = True
        self._blocks: deque[tuple[float, float]] = deque(maxlen=_MOST_BLOCKS)
        self.restart()

    def restart(self) -> None:
        """Forget all readings: one of the clocks was set, or messages are missing."""
        self._blocks.clear()
        self._drop_block()

    def _drop_block(self) -> None:
        self._start = math.nan
        self._readings: list[float] = []
        self._times: list[float] = []
        self._every, self._skipped = 1, 0

    def take(self, time: float, reference_time: float) -> ClockEstimate | None:
        """
        Take one reading.

        Parameters
        ----------
        time : float
            Task time of a message of the stream, s.
        reference_time : float
            Newest task time of the reference then, s.

        Returns
        -------
        estimate : ClockEstimate or None
            At the end of a block, from the second on.
        """
        estimate = None
        if not time >= self._start:  # the first, or a step back
            self._drop_block()
            self._start = time
        elif time - self._start >= self.block:
            estimate = self._end_block()
            self._start = time
        self._skipped += 1
        if self._skipped >= self._every:
            self._skipped = 0
            self._readings.append(reference_time - time)
            self._times.append(time)
            if len(self._readings) >= _MOST_READINGS:
                self._readings, self._times = self._readings[::2], self._times[::2]
                self._every *= 2
        return estimate

    def _end_block(self) -> ClockEstimate | None:
        """Join the readings of a block to one; return the estimate."""
        if self._readings:
            self._blocks.append((float(np.mean(self._times)), float(np.median(self._readings))))
        self._drop_block()
        if len(self._blocks) < 2:
            return None
        time, reading = np.array(self._blocks).T
        i, j = np.triu_indices(len(time), 1)
        drift = float(np.median((reading[j] - reading[i]) / (time[j] - time[i])))
        middle = float(np.median(reading - drift * time))
        spread = 1.4826 * float(np.median(np.abs(reading - drift * time - middle)))
        n, about = len(time), time - time.mean()
        # 1.25: what a median loses to a mean; 2: 95 %
        error = 2 * 1.25 * spread / math.sqrt(n)
        drift_error = 2 * 1.25 * spread / math.sqrt(float(about @ about))
        is_within = abs(drift) - drift_error <= self.drift_bound
        if n >= _LEAST_BLOCKS:
            self.is_within_bound = is_within
        if self.is_within_bound:
            self.last_good = float(time[-1])
        return ClockEstimate(
            stream=self.stream,
            reference=self.reference,
            time=float(time[-1]),
            offset=middle + drift * float(time[-1]),
            offset_error=error,
            drift=drift,
            drift_error=drift_error,
            n_readings=n,
            is_within_bound=self.is_within_bound,
        )
