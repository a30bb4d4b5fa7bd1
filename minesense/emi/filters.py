"""Filter each channel and gate along time: mains, drift and noise."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from .._validation import check_count, check_positive
from ..sensor import Sensor
from ..stage import Flags, run_lane
from ..sweep import Floats, Quality, Samples, Sweep
from ._timing import TimedStage, sample_interval
from .sections import SectionFilter, aliased_frequency, notch_section


def reject_mains(
    sweep: Sweep,
    *,
    interval: float | None = None,
    mains: float = 50.0,
    harmonics: Sequence[int] = (1, 3),
    bandwidth: float = 1.0,
) -> Sweep:
    r"""
    Stop the mains frequency and its harmonics in every channel and gate.

    Parameters
    ----------
    sweep : Sweep
        A lane at a regular interval in time.
    interval : float, optional
        From one trace to the next, in seconds, good to 1e-4 or so, since mains far above
        the sample rate alias; by default that of the time stamps.
    mains : float
        Frequency of the mains, in hertz: 50 or 60, or what a railway uses.
    harmonics : sequence of int
        Multiples of it to stop.
    bandwidth : float
        Of each notch between the points of half the power, in hertz.

    Returns
    -------
    quiet : Sweep
        In the unit of the sweep. Traces at the start, in which the mains are not stopped
        yet to 1 %, have the flag INTERFERENCE.

    Raises
    ------
    TypeError, ValueError
        If an option is not in its range, the interval is uneven by more than a tenth, or a
        multiple aliases to within the bandwidth of zero, where the soil and the targets are.

    Notes
    -----
    A trace is a sample in time, so the mains appear at
    :func:`~minesense.emi.sections.aliased_frequency`, and there a
    :func:`~minesense.emi.sections.notch_section` stops them. Constants pass. The sections
    start settled on the first usable trace; from then on the mains fade as
    :math:`e^{-\pi B t}`. A dropout is bridged by what leaves the output as it was: the
    mains are taken to go on through it at the stated frequency. Behind a dropout of :math:`T`
    seconds, mains that are :math:`\delta` hertz off come through with up to :math:`2 \sin
    (\pi \delta T)` of their amplitude, and fade; these traces are not flagged.
    Where the notch lies in the spectrum of a target, it distorts it: keep the bandwidth
    small beside the reciprocal of the time a target takes. Causal.

    Examples
    --------
    >>> from minesense.sensor import Sensor
    >>> sensor = Sensor(name="demo", kind="emi", axis=[1e-5], lever_arms=[[0, 0, 0]])
    >>> time = 0.0125 * np.arange(400)
    >>> sweep = Sweep(
    ...     samples=5 + np.sin(2 * np.pi * 50 * time)[:, None, None],
    ...     time=time,
    ...     position=np.zeros((400, 3)),
    ...     heading=np.zeros(400),
    ...     sensor=sensor,
    ... )
    >>> quiet = reject_mains(sweep, harmonics=[1])
    >>> bool(np.abs(quiet.samples[quiet.quality == 0] - 5).max() < 0.01)
    True
    """
    stage = RejectMains(
        interval=sample_interval(sweep) if interval is None else interval,
        mains=mains,
        harmonics=harmonics,
        bandwidth=bandwidth,
    )
    return run_lane(stage, sweep)


class RejectMains(TimedStage):
    """Streaming form of :func:`reject_mains`, with its options. Causal."""

    def __init__(
        self,
        *,
        interval: float,
        mains: float = 50.0,
        harmonics: Sequence[int] = (1, 3),
        bandwidth: float = 1.0,
    ):
        self.interval = check_positive(interval, "interval")
        self.mains = check_positive(mains, "mains")
        if not np.iterable(harmonics):
            msg = f"Invalid harmonics {harmonics!r}. Must be whole numbers in a row."
            raise TypeError(msg)
        self.harmonics = tuple(check_count(n, "harmonics") for n in harmonics)
        self.bandwidth = check_positive(bandwidth, "bandwidth")
        sections = []
        for n in self.harmonics:
            alias = aliased_frequency(n * self.mains, self.interval)
            if alias <= self.bandwidth:
                msg = (
                    f"Invalid harmonics: {n} times {self.mains:g} Hz appears at {alias:.3g} Hz "
                    f"in traces every {self.interval:g} s. Must appear above the bandwidth of "
                    f"{self.bandwidth:g} Hz: leave it out, or record at another rate."
                )
                raise ValueError(msg)
            sections.append(
                notch_section(alias, interval=self.interval, bandwidth=self.bandwidth)
            )
        if not sections:
            msg = "Invalid harmonics (). Must hold one or more multiples of the mains."
            raise ValueError(msg)
        self._sections = np.stack(sections)
        # a pole of the radius e^{-pi B dt} has forgotten all but 1 % by then
        self._n_start = math.ceil(math.log(100) / (math.pi * self.bandwidth * self.interval))
        super().__init__(
            interval=self.interval,
            mains=self.mains,
            harmonics=self.harmonics,
            bandwidth=self.bandwidth,
        )

    def _begin(self, sensor: Sensor) -> None:
        width = math.prod(sensor.shape)
        self._filter = SectionFilter(self._sections, width, bridges=True)
        self._n_usable = 0

    def _advance(
        self, samples: Samples, is_usable: npt.NDArray[np.bool_]
    ) -> tuple[Samples, Flags | None]:
        rows = samples.reshape(len(samples), self._filter.width)
        quiet = self._filter.feed(rows, is_usable).reshape(samples.shape)
        if self._n_usable >= self._n_start:
            return quiet, None
        number = self._n_usable + np.cumsum(is_usable)
        self._n_usable += int(np.count_nonzero(is_usable))
        is_early = is_usable & (number <= self._n_start)
        return quiet, np.where(is_early, int(Quality.INTERFERENCE), 0)


def filter_in_time(
    sweep: Sweep,
    *,
    interval: float | None = None,
    low: float | None = None,
    high: float | None = None,
    order: int = 2,
) -> Sweep:
    r"""
    Pass the frequencies of a band along time, in every channel and gate.

    Parameters
    ----------
    sweep : Sweep
        A lane at a regular interval in time.
    interval : float, optional
        From one trace to the next, in seconds; by default that of the time stamps.
    low, high : float, optional
        Frequencies at which half the power passes, in hertz. Without `low` constants pass
        and the filter smooths; without `high` it takes drift away.
    order : int
        Of the Butterworth filter, from 1 to 8.

    Returns
    -------
    filtered : Sweep
        In the unit of the sweep.

    Raises
    ------
    TypeError, ValueError
        If an option is not in its range, there is no frequency, `low` is not less than
        `high`, or the interval is uneven by more than a tenth.

    Notes
    -----
    Second-order sections of :func:`scipy.signal.butter`, settled on the first usable trace,
    so that a constant gives no transient. Through a dropout the last usable trace is held.
    The filter is causal and delays what it passes: a low-pass of order 2 by about
    :math:`0.23 / f_{high}` seconds, which a lag correction takes back
    (:class:`~minesense.emi.placement.CorrectLag`).

    Examples
    --------
    >>> from minesense.sensor import Sensor
    >>> sensor = Sensor(name="demo", kind="emi", axis=[1e-5], lever_arms=[[0, 0, 0]])
    >>> time = 0.1 * np.arange(200)
    >>> sweep = Sweep(
    ...     samples=(7 + 0.01 * time)[:, None, None],  # drift
    ...     time=time,
    ...     position=np.zeros((200, 3)),
    ...     heading=np.zeros(200),
    ...     sensor=sensor,
    ... )
    >>> level = filter_in_time(sweep, low=0.2).samples[:, 0, 0]
    >>> bool(np.abs(level).max() < 0.02)
    True
    """
    stage = FilterInTime(
        interval=sample_interval(sweep) if interval is None else interval,
        low=low,
        high=high,
        order=order,
    )
    return run_lane(stage, sweep)


class FilterInTime(TimedStage):
    """Streaming form of :func:`filter_in_time`, with its options. Causal."""

    def __init__(
        self,
        *,
        interval: float,
        low: float | None = None,
        high: float | None = None,
        order: int = 2,
    ):
        self.interval = check_positive(interval, "interval")
        self.low = None if low is None else check_positive(low, "low")
        self.high = None if high is None else check_positive(high, "high")
        self.order = check_count(order, "order")
        if self.order > 8:
            msg = f"Invalid order '{self.order}'. Must be at most 8."
            raise ValueError(msg)
        edges = [edge for edge in (self.low, self.high) if edge is not None]
        nyquist = 0.5 / self.interval
        if not edges or edges != sorted(set(edges)) or edges[-1] >= nyquist:
            msg = (
                f"Invalid band from {self.low} to {self.high} Hz. Must have one edge or two "
                f"that increase, below {nyquist:g} Hz at an interval of {self.interval:g} s."
            )
            raise ValueError(msg)
        self._sections = _butterworth(edges, self.low is not None, self.order, self.interval)
        super().__init__(interval=self.interval, low=self.low, high=self.high, order=self.order)

    def _begin(self, sensor: Sensor) -> None:
        self._filter = SectionFilter(self._sections, math.prod(sensor.shape))

    def _advance(
        self, samples: Samples, is_usable: npt.NDArray[np.bool_]
    ) -> tuple[Samples, Flags | None]:
        rows = samples.reshape(len(samples), self._filter.width)
        return self._filter.feed(rows, is_usable).reshape(samples.shape), None


def _butterworth(edges: list[float], stops_zero: bool, order: int, interval: float) -> Floats:
    """Return the sections of a Butterworth filter."""
    from scipy.signal import butter  # noqa: PLC0415  # half a second to import

    kind = "bandpass" if len(edges) == 2 else "highpass" if stops_zero else "lowpass"
    frequencies = edges if len(edges) == 2 else edges[0]
    return np.asarray(butter(order, frequencies, kind, fs=1 / interval, output="sos"))
