"""From the tones of a stepped-frequency radar to traces in two-way time."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import numpy.typing as npt

from .._kernels.tones import sum_tones
from .._validation import check_not_negative, check_number, check_positive
from ..sensor import Radar, Sensor
from ..stage import Flags, LaneStage, run_lane
from ..sweep import Floats, Samples, Sweep

Complexes = npt.NDArray[np.complex128]


def traces_from_tones(
    sweep: Sweep,
    *,
    interval: float,
    duration: float,
    start: float = 0.0,
    window: str | tuple[str, float] | None = "hann",
    empty: npt.ArrayLike | None = None,
    plate: npt.ArrayLike | None = None,
    plate_time: float = 0.0,
    water_level: float = 0.01,
    delay: float = 0.0,
) -> Sweep:
    r"""
    Transform the tones of a stepped-frequency radar to real traces in two-way time.

    Parameters
    ----------
    sweep : Sweep
        A lane of a radar with complex samples, its axis in Hz; the phase of an echo falls
        with frequency.
    interval : float
        Between the samples of a trace, in seconds, at most half the period of the last
        tone.
    duration : float
        Of a trace, in seconds, at most the inverse of the step of the tones, after which it
        would repeat.
    start : float
        Two-way time of the first sample, in seconds.
    window : str, (str, float) or None
        What weights the tones against ringing of the band's edges: a name that
        :func:`scipy.signal.get_window` knows, or with its parameter, for example
        ``("kaiser", 6.0)``; None for the best resolution and the most ringing.
    empty : ([n_channels,] n_tones) array_like, optional
        Complex: what the radar records with its antennas in the air. It is subtracted.
    plate : ([n_channels,] n_tones) array_like, optional
        Complex: what it records over a metal plate. Tones are divided by it, `empty`
        subtracted from both.
    plate_time : float
        Two-way time at which the plate's echo is to appear, as -1, in seconds. Without
        `plate` it has no effect.
    water_level : float
        Least magnitude that is divided by, as a share of the plate's greatest, so that
        tones the antennas hardly radiate are not blown up; zero or more.
    delay : float
        Of cables and antennas, taken off all two-way times, in seconds.

    Returns
    -------
    traces : Sweep
        Real, in the unit of the sweep, or "1" after a division. An echo that is the same at
        all tones has a peak of its own size.

    Raises
    ------
    TypeError, ValueError
        If the sensor is not a radar with two complex tones or more at frequencies of zero
        and more, an option is not in its range, or a reference does not fit the sensor, is
        not finite or zero throughout.

    Notes
    -----
    With the phasor :math:`X_n` at the frequency :math:`f_n`, references :math:`E_n` and
    :math:`P_n`, :math:`D_n = P_n - E_n`, the water level :math:`\lambda`, the time
    :math:`t_p` of the plate and the delay :math:`\delta`,

    .. math:: x(t) = \mathrm{Re} \sum_n w_n C_n e^{2 \pi i f_n (t + \delta)} \Big/
        \sum_n w_n, \qquad
        C_n = -\frac{(X_n - E_n)\, D_n^*\, e^{-2 \pi i f_n t_p}}
        {\max(|D_n|^2, \lambda^2 \max_m |D_m|^2)}

    or :math:`C_n = X_n - E_n` without a plate [1]_. Every tone keeps its own frequency, as
    if the spectrum were filled up from 0 Hz with zeros and with its conjugate below, so that
    echoes keep their phase whether or not the first tone is a multiple of the step.

    :math:`w_n` is the window, a step wider than the band at either end so that no tone is
    lost, times the width of the tone's own part of the band, at most the median step: tones
    may be uneven. Tones that are missing from a regular raster count as zero, which raises
    side lobes; they are not made up. Two echoes part after about the inverse of the
    bandwidth, twice that with a Hann window.

    References
    ----------
    .. [1] Clayton, R. W., Wiggins, R. A. (1976). Source shape estimation and deconvolution
       of teleseismic bodywaves. *Geophysical Journal International*, 47(1), 151-177.
       https://doi.org/10.1111/j.1365-246X.1976.tb01267.x

    Examples
    --------
    >>> tones = np.linspace(1e9, 3e9, 101)
    >>> sensor = Sensor(
    ...     name="demo",
    ...     kind="gpr",
    ...     axis=tones,
    ...     axis_unit="Hz",
    ...     lever_arms=[[0, 0, 0]],
    ...     is_complex=True,
    ... )
    >>> echo = 0.5 * np.exp(-2j * np.pi * tones * 4e-9)
    >>> sweep = Sweep(
    ...     samples=echo.view(float)[None, None],
    ...     time=[0.0],
    ...     position=np.zeros((1, 3)),
    ...     heading=[0.0],
    ...     sensor=sensor,
    ... )
    >>> traces = traces_from_tones(sweep, interval=0.1e-9, duration=10e-9)
    >>> int(traces.samples.argmax()), float(traces.samples.max().round(3))
    (40, 0.5)
    """
    stage = TracesFromTones(
        interval=interval,
        duration=duration,
        start=start,
        window=window,
        empty=empty,
        plate=plate,
        plate_time=plate_time,
        water_level=water_level,
        delay=delay,
    )
    return run_lane(stage, sweep)


class TracesFromTones(LaneStage):
    """Streaming form of :func:`traces_from_tones`, with its options. Without delay."""

    def __init__(
        self,
        *,
        interval: float,
        duration: float,
        start: float = 0.0,
        window: str | tuple[str, float] | None = "hann",
        empty: npt.ArrayLike | None = None,
        plate: npt.ArrayLike | None = None,
        plate_time: float = 0.0,
        water_level: float = 0.01,
        delay: float = 0.0,
    ):
        self.interval = check_positive(interval, "interval")
        self.duration = check_positive(duration, "duration")
        self.start = check_number(start, "start")
        self.window = window
        self.empty = _check_reference(empty, "empty")
        self.plate = _check_reference(plate, "plate")
        self.plate_time = check_number(plate_time, "plate_time")
        self.water_level = check_not_negative(water_level, "water_level")
        self.delay = check_number(delay, "delay")
        options: dict[str, Any] = {
            "interval": self.interval,
            "duration": self.duration,
            "start": self.start,
            "window": window,
            "delay": self.delay,
        }
        if self.empty is not None:
            options["empty"] = "array"
        if self.plate is not None:
            options |= {"plate": "array", "plate_time": self.plate_time}
            options["water_level"] = self.water_level
        super().__init__(**options)

    def _output_sensor(self, sensor: Sensor) -> Sensor:
        tones = _check_tones(sensor)
        n = max(1, round(self.duration / self.interval))
        radar = sensor.radar or Radar(centre_frequency=float(tones[0] + tones[-1]) / 2)
        return dataclasses.replace(
            sensor,
            axis=np.arange(n, dtype=np.float64) * self.interval + self.start,
            axis_unit="s",
            is_complex=False,
            radar=radar,
            unit=sensor.unit if self.plate is None else "1",
        )

    def _begin(self, sensor: Sensor) -> None:
        tones = _check_tones(sensor)
        if self.interval > 0.5 / tones[-1]:
            msg = (
                f"Invalid interval '{self.interval}'. Must be at most half the period of the "
                f"last tone, {0.5 / tones[-1]:.3g} s."
            )
            raise ValueError(msg)
        step = float(np.median(np.diff(tones)))
        if self.duration > (1 + 1e-6) / step:
            msg = (
                f"Invalid duration '{self.duration}'. Must be at most {1 / step:.4g} s, the "
                f"inverse of the step of the tones, {step:.4g} Hz: a trace repeats after it."
            )
            raise ValueError(msg)
        time = self._output_sensor(sensor).axis
        weights = weigh_tones(tones, step, self.window)
        empty, factors = self._calibrate(sensor, tones)
        factors *= weights / weights.sum()
        self._empty, self._factors = _in_turn(empty), _in_turn(factors)
        phase = 2 * math.pi * np.outer(tones, time + self.delay)
        self._cosines = np.cos(phase).astype(np.float32)
        self._sines = np.sin(phase).astype(np.float32)
        self._phasors = np.empty((8, 2 * len(tones)), np.float32)

    def _calibrate(self, sensor: Sensor, tones: Floats) -> tuple[Complexes, Complexes]:
        """Return what is subtracted from the phasors and what they are multiplied by."""
        shape = (len(sensor.lever_arms), len(tones))
        empty = _fit_reference(self.empty, "empty", shape, sensor)
        if self.plate is None:
            return empty, np.ones(shape, np.complex128)
        divisor = _fit_reference(self.plate, "plate", shape, sensor) - empty
        power = np.abs(divisor) ** 2
        most = power.max(axis=1, keepdims=True)
        if not most.all():
            msg = (
                f"Invalid plate: it is that of empty air in channel {int(np.argmin(most))}. "
                "Must hold the echo of a metal plate."
            )
            raise ValueError(msg)
        least = np.maximum(power, self.water_level**2 * most)
        turn = np.exp(-2j * np.pi * tones * self.plate_time)
        with np.errstate(divide="ignore", invalid="ignore"):
            # without a water level, a tone that the plate does not return says nothing
            factors = np.where(least > 0, -turn * divisor.conj() / least, 0)
        return empty, factors

    def _advance(
        self, samples: Samples, is_usable: npt.NDArray[np.bool_]
    ) -> tuple[Samples, Flags | None]:
        n_samples = self._cosines.shape[1]
        traces = np.empty((*samples.shape[:2], n_samples), np.float32)
        sum_tones(
            samples,
            is_usable,
            self._empty,
            self._factors,
            self._cosines,
            self._sines,
            self._phasors,
            traces,
        )
        return traces, None


def _check_tones(sensor: Sensor) -> Floats:
    """Return the frequencies of a stepped-frequency radar."""
    if sensor.kind != "gpr" or sensor.axis_unit != "Hz" or not sensor.is_complex:
        samples = "complex" if sensor.is_complex else "real"
        msg = (
            f"Invalid sensor '{sensor.name}' of kind '{sensor.kind}', axis in "
            f"{sensor.axis_unit}, {samples} samples. Must be a radar with frequencies in Hz "
            "and complex samples."
        )
        raise ValueError(msg)
    if len(sensor.axis) < 2 or sensor.axis[0] < 0:
        found = f"{len(sensor.axis)} tones" + (
            f" from {sensor.axis[0]:.4g} Hz" if len(sensor.axis) else ""
        )
        msg = (
            f"Invalid axis of sensor '{sensor.name}': {found}. Must be two tones or more, none "
            "below 0 Hz."
        )
        raise ValueError(msg)
    return sensor.axis


def _check_reference(values: npt.ArrayLike | None, name: str) -> Complexes | None:
    """Return a reference as complex numbers, finite, by tone or by channel and tone."""
    if values is None:
        return None
    array = np.asarray(values)
    if array.dtype.kind not in "iufc":
        msg = f"Invalid {name} of dtype {array.dtype}. Must be complex numbers."
        raise TypeError(msg)
    if array.ndim not in (1, 2):
        msg = f"Invalid {name} with shape {array.shape}. Must be ([n_channels,] n_tones)."
        raise ValueError(msg)
    if not np.isfinite(array).all():
        n_bad = np.count_nonzero(~np.isfinite(array))
        msg = f"Invalid {name}: {n_bad} of {array.size} values are not finite. Must be finite."
        raise ValueError(msg)
    return array.astype(np.complex128)


def _fit_reference(
    reference: Complexes | None, name: str, shape: tuple[int, int], sensor: Sensor
) -> Complexes:
    """Return a reference for every channel, zero if there is none."""
    if reference is None:
        return np.zeros(shape, np.complex128)
    if reference.shape not in (shape, shape[1:]):
        msg = (
            f"Invalid {name} with shape {reference.shape}. Must be {shape[1:]} or {shape}, as "
            f"the tones of sensor '{sensor.name}'."
        )
        raise ValueError(msg)
    return np.array(np.broadcast_to(reference, shape))


def weigh_tones(tones: Floats, step: float, window: str | tuple[str, float] | None) -> Floats:
    """
    Return the window at each tone times the tone's part of the band.

    Parameters
    ----------
    tones : (n_tones,) float64 ndarray
        Hz, increasing.
    step : float
        The usual step between them, in hertz; a tone counts for no more than that.
    window : str, (str, float) or None
        As in :func:`traces_from_tones`.

    Returns
    -------
    weights : (n_tones,) float64 ndarray
        Of any scale.

    Raises
    ------
    ValueError
        If the window is unknown, or no tone has any weight.

    Examples
    --------
    >>> weigh_tones(np.array([1e9, 2e9, 4e9]), 1e9, None).tolist()
    [1000000000.0, 1000000000.0, 1000000000.0]
    """
    steps = np.diff(tones)
    before, after = np.append(steps[:1], steps), np.append(steps, steps[-1:])
    widths = np.minimum((before + after) / 2, step)
    if window is None:
        return widths
    from scipy.signal import get_window  # noqa: PLC0415 - takes a while to import

    n_fine = 4097
    try:
        shape = np.asarray(get_window(window, n_fine, fftbins=False))
    except (TypeError, ValueError) as error:
        msg = (
            f"Invalid window {window!r}. Must be None or a name that scipy.signal.get_window "
            f"knows, with its parameter if it needs one: {error}"
        )
        raise ValueError(msg) from None
    place = (tones - tones[0] + step) / (tones[-1] - tones[0] + 2 * step)
    weights = widths * np.interp(place, np.linspace(0, 1, n_fine), shape)
    if not weights.sum() > 0:
        msg = f"Invalid window {window!r}. Must have a sum over the tones greater than zero."
        raise ValueError(msg)
    return weights


def _in_turn(values: Complexes) -> Floats:
    """Return complex numbers as real and imaginary parts in turn."""
    return np.ascontiguousarray(values).view(np.float64)
