"""Prepare traces for the eye in one pass: dewow, background, automatic gain."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import numpy.typing as npt

from .._kernels.display_chain import prepare_traces
from .._validation import check_at_most, check_positive
from ..sensor import Sensor
from ..stage import Flags, LaneStage, run_lane
from ..sweep import Samples, Sweep
from ._window_sums import window_sums
from .gain import EQUALISED
from .preprocess import check_radar


def prepare_display(
    sweep: Sweep,
    *,
    spacing: float,
    drift_window: float,
    background_length: float,
    gain_window: float,
    floor: float = 0.01,
) -> Sweep:
    r"""
    Make a radar section fit to look at: without drift and background, equally strong.

    Parameters
    ----------
    sweep : Sweep
        A radar lane.
    spacing : float
        Distance between neighbouring traces, in metres.
    drift_window : float
        Length of the mean that is taken off each trace, in seconds of two-way time, as of
        :func:`dewow`.
    background_length : float
        Distance over which the background forgets, in metres, as of
        :func:`remove_background`.
    gain_window : float
        Length in which strength is measured, in seconds of two-way time, as of
        :func:`equalise`.
    floor : float
        Least strength that counts, as a share of that of the whole trace, above 0 and up to
        1.

    Returns
    -------
    prepared : Sweep
        Without unit, about 1 in strength. What was a strong echo can no longer be told from
        a weak one: prescreeners refuse it.

    Raises
    ------
    TypeError, ValueError
        If an option is out of range, a window is shorter than three samples or longer than
        the trace, or the sensor is not a radar with a regular axis in s.

    Notes
    -----
    The same to the last bit as :class:`Dewow`, :class:`RemoveBackground` and
    :class:`Equalise` in series, but a trace stays in the processor's cache from the first
    operation to the last. Causal.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.gpr import prepare_display
    >>> from minesense.sensor import Sensor
    >>> from minesense.sweep import Sweep
    >>> sensor = Sensor(
    ...     name="demo", kind="gpr", axis=1e-10 * np.arange(64), lever_arms=[[0, 0, 0]]
    ... )
    >>> rng = np.random.default_rng(seed=1)
    >>> fading = np.exp(-np.arange(64) / 8)
    >>> sweep = Sweep(
    ...     samples=3.0 + fading * rng.normal(size=(90, 1, 64)),
    ...     time=np.arange(90),
    ...     position=np.zeros((90, 3)),
    ...     heading=np.zeros(90),
    ...     sensor=sensor,
    ... )
    >>> section = prepare_display(
    ...     sweep,
    ...     spacing=0.05,
    ...     drift_window=2e-9,
    ...     background_length=1.0,
    ...     gain_window=1.5e-9,
    ...     floor=1e-4,
    ... )
    >>> [bool(0.7 < section.samples[5:, 0, j].std() < 1.3) for j in (8, 32, 56)]
    [True, True, True]
    """
    stage = PrepareDisplay(
        spacing=spacing,
        drift_window=drift_window,
        background_length=background_length,
        gain_window=gain_window,
        floor=floor,
    )
    return run_lane(stage, sweep)


class PrepareDisplay(LaneStage):
    """Streaming form of :func:`prepare_display`, with its options. Causal."""

    _at_once = True

    def __init__(
        self,
        *,
        spacing: float,
        drift_window: float,
        background_length: float,
        gain_window: float,
        floor: float = 0.01,
    ):
        self.spacing = check_positive(spacing, "spacing")
        self.drift_window = check_positive(drift_window, "drift_window")
        self.background_length = check_positive(background_length, "background_length")
        self.gain_window = check_positive(gain_window, "gain_window")
        self.floor = check_at_most(check_positive(floor, "floor"), "floor", 1)
        super().__init__(
            spacing=self.spacing,
            drift_window=self.drift_window,
            background_length=self.background_length,
            gain_window=self.gain_window,
            floor=self.floor,
        )

    def _begin(self, sensor: Sensor) -> None:
        drift = _half_width(self.drift_window, "drift_window", sensor)
        reach = _half_width(self.gain_window, "gain_window", sensor)
        weight = -math.expm1(-self.spacing / self.background_length)
        n_channels, n_samples = sensor.shape
        # float64, as in RemoveBackground
        background = weight, np.zeros(sensor.shape), np.zeros(n_channels, np.bool_)
        self._state = (
            *window_sums(drift, n_samples),
            *background,
            *window_sums(reach, n_samples),
            self.floor,
            np.empty(n_samples, np.float32),
        )

    def _output_sensor(self, sensor: Sensor) -> Sensor:
        return dataclasses.replace(sensor, quantity=EQUALISED, unit="1")

    def _advance(
        self, samples: Samples, is_usable: npt.NDArray[np.bool_]
    ) -> tuple[Samples, Flags | None]:
        prepared = self._new_samples(samples.shape)
        self._are_finite = prepare_traces(samples, is_usable, *self._state, prepared)
        return prepared, None


def _half_width(window: float, name: str, sensor: Sensor) -> int:
    """Return how many samples a window reaches to each side."""
    step, n_samples = check_radar(sensor), sensor.shape[1]
    half_width = round((window / step - 1) / 2)
    if not 3 <= 2 * half_width + 1 <= n_samples:
        msg = (
            f"Invalid {name} '{window}'. Must be 3 to {n_samples} samples of {step:.4g} s, the "
            "length of the trace."
        )
        raise ValueError(msg)
    return half_width
