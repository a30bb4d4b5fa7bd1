"""How regularly the traces of a lane follow each other in time."""

from __future__ import annotations

import numpy as np

from ..stage import LaneStage
from ..sweep import Sweep

#: Share of the interval by which a step in time may differ from it.
TOLERANCE = 0.1


def check_sweep(sweep: Sweep, name: str) -> None:
    """Raise unless something is a Sweep."""
    if not isinstance(sweep, Sweep):
        msg = f"Invalid {name} of type {type(sweep).__name__}. Must be a Sweep."
        raise TypeError(msg)


def sample_interval(sweep: Sweep) -> float:
    """
    Return the mean time from one trace of a lane to the next.

    Parameters
    ----------
    sweep : Sweep
        A whole lane of two traces or more.

    Returns
    -------
    interval : float
        In seconds.

    Raises
    ------
    TypeError, ValueError
        If it is no Sweep, there are fewer than two traces, or a step differs from the mean by
        more than a tenth of it.

    Examples
    --------
    >>> from minesense.sensor import Sensor
    >>> sensor = Sensor(name="demo", kind="emi", axis=[1e-5], lever_arms=[[0, 0, 0]])
    >>> sweep = Sweep(
    ...     samples=np.zeros((5, 1, 1)),
    ...     time=[0.0, 0.02, 0.041, 0.06, 0.08],
    ...     position=np.zeros((5, 3)),
    ...     heading=np.zeros(5),
    ...     sensor=sensor,
    ... )
    >>> sample_interval(sweep)
    0.02
    """
    check_sweep(sweep, "sweep")
    if len(sweep) < 2:
        msg = (
            f"Invalid sweep with {len(sweep)} traces. Must have two or more to tell their "
            "interval: give it."
        )
        raise ValueError(msg)
    interval = float(sweep.time[-1] - sweep.time[0]) / (len(sweep) - 1)
    check_even(sweep, interval, -np.inf)
    return interval


def check_even(chunk: Sweep, interval: float, last_time: float) -> None:
    """
    Raise unless the traces of a chunk follow each other at an interval.

    Parameters
    ----------
    chunk : Sweep
        The next traces.
    interval : float
        In seconds.
    last_time : float
        Of the trace before, s; minus infinity at the start of the lane.

    Raises
    ------
    ValueError
        If a step forward differs from the interval by more than a tenth of it.

    Examples
    --------
    >>> from minesense.sweep import no_traces
    >>> check_even(no_traces(), 0.1, 0.0)
    """
    before = np.concatenate([[last_time], chunk.time[:-1]])[: len(chunk)]
    steps = chunk.time - before
    # steps backward are refused by the stage, which also says why
    uneven = np.isfinite(steps) & (steps > 0) & (abs(steps - interval) > TOLERANCE * interval)
    if uneven.any():
        i = int(np.argmax(uneven))
        msg = (
            f"Invalid time: the step before trace {i} is {steps[i]:.6g} s. Must be the "
            f"interval of {interval:.6g} s within {TOLERANCE:.0%}: resample the lane, or cut "
            "it with split_at_gaps."
        )
        raise ValueError(msg)


class TimedStage(LaneStage):
    """A stage whose windows are in seconds, for traces at a regular interval."""

    interval: float  #: s, from one trace to the next

    def process(self, chunk: Sweep) -> Sweep:
        """
        Take the next chunk of the lane; return the traces that are ready.

        Raises
        ------
        TypeError, ValueError
            As :meth:`minesense.stage.LaneStage.process` does, and if the traces do not
            follow each other at the interval of the stage, within a tenth of it.
        """
        if isinstance(chunk, Sweep):
            check_even(chunk, self.interval, self._last_time)
        return super().process(chunk)
