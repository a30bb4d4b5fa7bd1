"""Undo the re-zeroing of a metal detector in the middle of a lane, and keep a record of it."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from .._kernels.steps import remove_steps
from .._validation import check_array, check_increasing, check_positive
from ..sensor import Sensor
from ..stage import Flags, run_lane
from ..sweep import Quality, Samples, Sweep
from ._timing import TimedStage, sample_interval


@dataclass(frozen=True, slots=True, kw_only=True)
class RezeroEntry:
    """One step of the zero of one channel that was found or commanded, and undone."""

    lane: str
    sensor: str
    channel: int
    trace: int  #: of the lane, the first behind the step
    time: float  #: s, of that trace
    cause: Literal["detected", "commanded"]
    step: tuple[float, ...]  #: of each sample, in the unit of the sweep; what was subtracted

    def __str__(self) -> str:
        """Return the entry as a line of the history."""
        steps = ", ".join(f"{value:.6g}" for value in self.step)
        return (
            f"re-zero {self.cause} in lane '{self.lane}', sensor '{self.sensor}', channel "
            f"{self.channel}, before trace {self.trace} at {self.time} s: {steps} subtracted"
        )


def rezero(
    sweep: Sweep,
    *,
    interval: float | None = None,
    hold: float = 0.5,
    threshold: float = 8.0,
    share: float = 1.0,
    memory: float = 5.0,
    commands: Sequence[float] = (),
) -> tuple[Sweep, tuple[RezeroEntry, ...]]:
    r"""
    Find where the zero of a metal detector jumped, and put the lane together again.

    Parameters
    ----------
    sweep : Sweep
        A lane at a regular interval in time, before filters that smear steps.
    interval : float, optional
        From one trace to the next, in seconds; by default that of the time stamps.
    hold : float
        How long a step must last, and over what the levels before and behind it are taken,
        in seconds.
    threshold : float
        Least jump, over the spread of the jumps from trace to trace.
    share : float
        Of the gates that must jump together, in (0, 1]; 1 for all.
    memory : float
        Over which the spread of the jumps is taken, in seconds.
    commands : sequence of float
        Times at which the operator or the instrument is known to have re-zeroed, in
        seconds, increasing.

    Returns
    -------
    joined : Sweep
        In the unit of the sweep, less the steps. Traces within `hold` behind a step have
        the flags BASELINE_STEP and EDGE: their level is not certain yet. Each entry is a
        line of the history.
    audit : tuple of RezeroEntry
        What was done, in the order of the lane.

    Raises
    ------
    TypeError, ValueError
        If an option is not in its range, the commands do not increase, or the interval is
        uneven by more than a tenth.

    Notes
    -----
    With :math:`d_k = x_k - x_{k-1}` between usable traces, :math:`s` the spread of the last
    of these (1.4826 times their median magnitude, or times the least that is not zero where
    that is zero, as of whole numbers that seldom change) and :math:`h_k` the median of the
    usable traces from :math:`k` to :math:`k + n - 1` less that of the :math:`n` traces
    before, a step of a channel lies before trace :math:`k` if in its share of the gates
    :math:`|d| > \theta s`, and in each of these

    .. math:: d\, h > 0, \quad |h| \ge |d| / 2, \quad |d| \ge |h| / 2 .

    So a step takes one interval, in all gates at once, and stays. A spike does not stay. A
    head that comes near a target, or rises, takes many intervals: each of its jumps is a
    small part of the change. Commanded steps are undone by :math:`h_k` whatever their size;
    where none of the :math:`n` traces before is usable, nothing is subtracted, and the entry
    says so.
    All later traces of the channel are less :math:`h_k`, so that the lane goes on at its
    old zero: a detector that took its zero over a target does not hide it.

    A retune that takes several intervals is not found: give its time. At the lane's start
    nothing is found before half of `hold` is known on either side, nor before the spread is:
    where a gate never changed from trace to trace, it is not.

    Examples
    --------
    >>> sensor = Sensor(name="demo", kind="emi", axis=[1e-5, 2e-5], lever_arms=[[0, 0, 0]])
    >>> rng = np.random.default_rng(seed=1)
    >>> samples = 0.1 * rng.normal(size=(100, 1, 2))
    >>> samples[60:] += [5.0, 3.0]
    >>> sweep = Sweep(
    ...     samples=samples,
    ...     time=0.1 * np.arange(100),
    ...     position=np.zeros((100, 3)),
    ...     heading=np.zeros(100),
    ...     sensor=sensor,
    ... )
    >>> joined, audit = rezero(sweep, hold=1.0)
    >>> [(entry.cause, entry.channel, entry.trace) for entry in audit]
    [('detected', 0, 60)]
    >>> bool(np.abs(joined.samples).max() < 0.5)
    True
    >>> joined.history[-1][:60]
    "re-zero detected in lane '', sensor 'demo', channel 0, befor"
    """
    stage = Rezero(
        interval=sample_interval(sweep) if interval is None else interval,
        hold=hold,
        threshold=threshold,
        share=share,
        memory=memory,
        commands=commands,
    )
    joined = run_lane(stage, sweep)
    audit = tuple(stage.audit)
    history = (*joined.history, *map(str, audit))
    return dataclasses.replace(joined, history=history), audit


class Rezero(TimedStage):
    """
    Streaming form of :func:`rezero`, with its options; lags by `hold` less one trace.

    The entries of all lanes that went through are kept in `audit`, in their order: a driver
    reads those that are new after each chunk. A reset does not remove them.
    """

    audit: list[RezeroEntry]  #: of every step that was undone

    def __init__(
        self,
        *,
        interval: float,
        hold: float = 0.5,
        threshold: float = 8.0,
        share: float = 1.0,
        memory: float = 5.0,
        commands: Sequence[float] = (),
    ):
        self.interval = check_positive(interval, "interval")
        self.hold = check_positive(hold, "hold")
        self.threshold = check_positive(threshold, "threshold")
        self.share = check_positive(share, "share")
        self.memory = check_positive(memory, "memory")
        times = check_array(commands, "commands", ("n_commands",)).copy()
        self.commands = check_increasing(times, "commands")
        if self.share > 1:
            msg = f"Invalid share '{self.share}'. Must be at most 1."
            raise ValueError(msg)
        self._n = round(self.hold / self.interval)
        self._n_memory = round(self.memory / self.interval)
        if self._n < 2 or self._n_memory < self._n:
            msg = (
                f"Invalid hold '{self.hold}' with a memory of {self.memory} s. Must be at "
                f"least two intervals of {self.interval} s, and no longer than the memory."
            )
            raise ValueError(msg)
        self.latency = self._n - 1
        self.audit = []
        super().__init__(
            interval=self.interval,
            hold=self.hold,
            threshold=self.threshold,
            share=self.share,
            memory=self.memory,
            commands=tuple(self.commands.tolist()),
        )

    def _begin(self, sensor: Sensor) -> None:
        n_channels, n_samples = sensor.shape
        n, n_memory = self._n, self._n_memory
        self._agree = math.ceil(self.share * n_samples)
        self._state = (
            np.zeros((2 * n, n_channels, n_samples), np.float32),
            np.zeros(2 * n, np.bool_),
            np.zeros(2 * n, np.bool_),
            np.zeros((n_channels, n_memory, n_samples)),
            np.zeros((n_channels, n_samples, n_memory)),
            np.zeros((n_channels, 2), np.int64),
            np.zeros((n_channels, n_samples)),
            np.zeros((n_channels, n_samples)),
            np.zeros(3, np.int64),
            np.zeros((3, n_samples + n)),
        )
        self._taken = 0
        self._n_passed: int | None = None  # commands up to the last trace
        self._since = self._n  # traces since the last step
        self._sensor = sensor

    def _advance(
        self, samples: Samples, is_usable: npt.NDArray[np.bool_]
    ) -> tuple[Samples, Flags | None]:
        time = self._track["time"][len(self._track["time"]) - len(samples) :]
        passed = np.searchsorted(self.commands, time, side="right")
        is_commanded = np.zeros(len(time), np.bool_)
        if len(time):
            before = passed[0] if self._n_passed is None else self._n_passed
            is_commanded = np.asarray(np.diff(passed, prepend=before) > 0)
            self._n_passed = int(passed[-1])
        return self._remove(samples, is_usable, is_commanded)

    def _finish(self) -> tuple[Samples, Flags | None] | None:
        beyond = np.zeros((self.latency, *self._sensor.shape), np.float32)
        is_absent = np.zeros(self.latency, np.bool_)
        return self._remove(beyond, is_absent, is_absent)

    def _remove(
        self,
        samples: Samples,
        is_usable: npt.NDArray[np.bool_],
        is_commanded: npt.NDArray[np.bool_],
    ) -> tuple[Samples, Flags]:
        """Return the traces that are ready, and flags; keep the entries of their steps."""
        first = max(0, self._taken - self.latency)
        self._taken += len(samples)
        shape = (max(0, self._taken - self.latency) - first, *samples.shape[1:])
        joined, height = np.empty(shape, np.float32), np.empty(shape)
        cause = np.empty(shape[:2], np.int8)
        remove_steps(
            samples,
            is_usable,
            is_commanded,
            self.threshold,
            self._agree,
            self._n,
            *self._state,
            joined,
            height,
            cause,
        )
        flags = np.zeros(len(joined), np.int64)
        has_step = np.asarray(cause.any(axis=1))
        for k in range(len(joined)):
            self._since = 0 if has_step[k] else self._since + 1
            if self._since < self._n:
                flags[k] = Quality.BASELINE_STEP | Quality.EDGE
        for k, c in np.argwhere(cause != 0):
            self.audit.append(
                RezeroEntry(
                    lane=self._output.lane,
                    sensor=self._sensor.name,
                    channel=int(c),
                    trace=first + int(k),
                    time=float(self._track["time"][k]),
                    cause="detected" if cause[k, c] == 1 else "commanded",
                    step=tuple(height[k, c].tolist()),
                )
            )
        return joined, flags
