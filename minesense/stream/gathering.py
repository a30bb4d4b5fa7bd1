"""Traces that wait for one another, so that many go through the stages together."""

from __future__ import annotations

from ..sweep import Sweep, join

#: Traces that go together at most: the medians of as many windows share most of their values.
_TOGETHER = 32


class Gatherer:
    """
    Hold the traces of a part until they are many, or the first has waited for long enough.

    Parameters
    ----------
    wait : float
        Seconds for which a trace may be held; 0 holds none.

    Examples
    --------
    >>> from minesense.sweep import no_traces
    >>> len(Gatherer(0.3).take(no_traces(), 12.5))
    0
    """

    def __init__(self, wait: float):
        self.wait = wait
        self._held: list[Sweep] = []

    def take(self, more: Sweep, now: float, *, is_last: bool = False) -> Sweep:
        """
        Take the next traces; return those that go on.

        Parameters
        ----------
        more : Sweep
            Perhaps no traces.
        now : float
            Time of the newest scan of the part, s; traces lag behind it.
        is_last : bool
            Whether none follow: nothing is held then.

        Returns
        -------
        traces : Sweep
            Perhaps none.
        """
        if self.wait == 0:
            return more
        if len(more):
            self._held.append(more)
        n = sum(map(len, self._held))
        if n == 0:
            return more
        is_late = is_last or now - float(self._held[0].time[0]) >= self.wait
        if n < _TOGETHER and not is_late:
            return more[:0]
        traces = join(self._held)
        first = n - n % _TOGETHER  # of those that would stay
        if 0 < first < n and not is_last and now - float(traces.time[first]) < self.wait:
            n = first
        self._held = [traces[n:]] if n < len(traces) else []
        return traces[:n]
