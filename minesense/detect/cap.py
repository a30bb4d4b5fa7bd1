"""Keep at most so many candidates for each square metre, and a record of what is held back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .._validation import check_positive
from ..alarm import Candidate, Withheld
from ..sweep import Floats


class CandidateCap:
    r"""
    Hold back the weaker candidates of stretches of a lane that hold too many.

    Parameters
    ----------
    most_per_area : float
        Candidates kept at most, in 1/m^2.
    stretch : float
        Length of lane within which they compete, in metres.
    swath : float
        Width of ground that one pass looks at, in metres.
    spacing : float
        Distance between neighbouring traces, in metres.

    Raises
    ------
    TypeError, ValueError
        If an option is not finite and greater than zero, or a whole stretch would be
        allowed no candidate.

    Notes
    -----
    The lane is cut into stretches of :math:`N = \operatorname{round}(L / \Delta)` traces
    (stretch over spacing), counted from its start and so independent of chunks. A stretch of
    :math:`m` traces keeps the best :math:`\max(1, \lfloor \rho\, m \Delta W \rfloor)` of its
    candidates, for a density :math:`\rho` and a swath :math:`W`; of equal ones the earlier
    trace, then the lower channel. The last stretch of a lane may be shorter, and keeps at
    least one. Candidates leave when their stretch is complete.

    **A cap hides what it holds back**: a probability of detection found with it is a lower
    bound, and each stretch in which it acted is put on record in `withheld`.

    Examples
    --------
    >>> found = [
    ...     Candidate(
    ...         sensor="gpr", lane="1", trace=k, channel=0, time=0.1 * k, easting=0.0,
    ...         northing=0.05 * k, score=float(k),
    ...     )
    ...     for k in (3, 9, 15, 30)
    ... ]
    >>> cap = CandidateCap(most_per_area=1.0, stretch=1.0, swath=2.0, spacing=0.05)
    >>> kept = cap.take(found, 0.1 * np.arange(40)) + cap.finish()
    >>> [c.trace for c in kept]
    [9, 15, 30]
    >>> cap.withheld[0].n_found, cap.withheld[0].n_kept, cap.withheld[0].best_score
    (3, 2, 3.0)
    """

    def __init__(self, *, most_per_area: float, stretch: float, swath: float, spacing: float):
        self.most_per_area = check_positive(most_per_area, "most_per_area")
        self.stretch = check_positive(stretch, "stretch")
        self.swath = check_positive(swath, "swath")
        self.spacing = check_positive(spacing, "spacing")
        self.n_traces = max(1, round(self.stretch / self.spacing))
        allowed = self.most_per_area * self._area(self.n_traces)
        if allowed < 1 - 1e-9:
            msg = (
                f"Invalid stretch '{self.stretch}'. Must hold a candidate or more: "
                f"{self.most_per_area:g} per m^2 over a swath of {self.swath:g} m allow "
                f"{allowed:.3g}. Take it longer."
            )
            raise ValueError(msg)
        self.withheld: list[Withheld] = []  #: what was held back, stretch by stretch
        self._taken = 0  # traces of the stretch so far
        self._held: list[Candidate] = []
        self._times = (np.nan, np.nan)  # of its first and last trace

    def take(self, candidates: Sequence[Candidate], times: Floats) -> list[Candidate]:
        """
        Take the candidates of the next traces of a lane; return those that are final.

        Parameters
        ----------
        candidates : sequence of Candidate
            All of these traces, in order.
        times : (n_traces,) float64 ndarray
            Of these traces, s.

        Returns
        -------
        kept : list of Candidate
            Of stretches that are complete, in the order of traces and channels.
        """
        kept: list[Candidate] = []
        waiting = list(candidates)
        start = 0
        while start < len(times):
            stop = min(len(times), start + self.n_traces - self._taken)
            first = float(times[start]) if self._taken == 0 else self._times[0]
            self._times = first, float(times[stop - 1])
            while waiting and waiting[0].time <= self._times[1]:
                self._held.append(waiting.pop(0))
            self._taken += stop - start
            start = stop
            if self._taken == self.n_traces:
                kept += self._close()
        return kept

    def finish(self) -> list[Candidate]:
        """End the lane: return the candidates kept of its last stretch."""
        return self._close()

    def _area(self, n_traces: int) -> float:
        return n_traces * self.spacing * self.swath

    def _close(self) -> list[Candidate]:
        """End a stretch: return what is kept of it, and put on record what is not."""
        held, area = self._held, self._area(self._taken)
        self._held, self._taken = [], 0
        n_most = max(1, int(self.most_per_area * area + 1e-9))
        if len(held) <= n_most:
            return held
        order = sorted(held, key=lambda c: (-c.score, c.trace, c.channel))
        rest = order[n_most:]
        self.withheld.append(
            Withheld(
                sensor=rest[0].sensor,
                lane=rest[0].lane,
                start_time=self._times[0],
                stop_time=self._times[1],
                area=area,
                n_found=len(held),
                n_kept=n_most,
                best_score=rest[0].score,
            )
        )
        return sorted(order[:n_most], key=lambda c: (c.trace, c.channel))
