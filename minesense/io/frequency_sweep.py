"""Sweeps of a network analyser over frequency, and the traces in time that they stand for."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from .._validation import check_count, check_number, check_one_of
from .._version import __version__
from ..sensor import Radar, Sensor
from ..sweep import Frame, Quality, Sweep
from .frequency_arrays import check_arrays, doubt_tones, is_even
from .sweep_file import plain
from .trouble import Correction, Findings

Floats = npt.NDArray[np.float64]
Complexes = npt.NDArray[np.complex128]

_MAX_TRACES = 2**31  # bytes of all traces in time
_MOST_PADDING = 64  # samples of a real trace for each tone

ARRAY = Path("array")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TimeTraces:
    """Complex traces in two-way time of a frequency sweep, and what limits them."""

    values: Complexes  #: (n_positions, n_channels, n_samples)
    start: float  #: s, time of the first sample
    sample_interval: float  #: s
    unambiguous_range: float  #: s, after which a trace repeats: the inverse of the step
    resolution: float  #: s, about the inverse of the bandwidth
    options: Mapping[str, Any]  #: window, delay and padding, as used

    @property
    def time(self) -> Floats:
        """Two-way time of each sample, in seconds."""
        n = self.values.shape[-1]
        return self.start + self.sample_interval * np.arange(n, dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FrequencySweep:
    """
    Transmission or reflection over frequency, for each position of the antennas.

    The phase of an echo falls with frequency: phasors turn as exp(+j w t).
    """

    path: Path
    format: str  #: as in :data:`~minesense.io.formats.FORMATS`, or "array"
    frequency: Floats  #: (n_tones,) Hz, increasing
    values: Complexes  #: (n_positions, n_channels, n_tones)
    parameters: tuple[str, ...]  #: name of each channel, for example "S21"
    position: Floats | None = None  #: (n_positions, 3) easting, northing, upward, m
    frame: Frame = field(default_factory=Frame)
    header: Mapping[str, Any] = field(default_factory=dict)  #: as read
    sources: Mapping[str, str] = field(default_factory=dict)  #: which field told what
    corrections: tuple[Correction, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, int, int]:
        """Positions, channels and tones."""
        n_positions, n_channels, n_tones = self.values.shape
        return n_positions, n_channels, n_tones

    def to_time(
        self,
        *,
        window: str | tuple[str, float] | None = None,
        n_samples: int | None = None,
        delay: float = 0.0,
    ) -> TimeTraces:
        r"""
        Return the traces in two-way time.

        Parameters
        ----------
        window : str, (str, float) or None
            What weights the tones, as in :func:`~minesense.gpr.tones.traces_from_tones`.
        n_samples : int, optional
            Samples over the unambiguous range; more than there are tones puts zeros behind
            the band, which interpolates and adds nothing.
        delay : float, optional
            Of cables and antennas, taken off all times, in seconds.

        Returns
        -------
        traces : TimeTraces
            A path without loss peaks at one.

        Raises
        ------
        TypeError, ValueError
            If an option is not in its range, or the traces would be larger than 2 GiB.

        Notes
        -----
        .. math:: s(t) = \sum_k w_k S(f_k) e^{2 \pi i f_k (t + \delta)} \Big/ \sum_k w_k

        with every tone at its own frequency, for whatever start. Even tones take the inverse
        Fourier transform of the tones as they are, turned by the first one,
        :math:`e^{2 \pi i f_0 t}`; uneven ones the sum itself. Tones are weighted as in
        :func:`~minesense.gpr.tones.traces_from_tones`, of whose result this is the complex
        form.

        Examples
        --------
        >>> tones = 600e6 + 10.8e6 * np.arange(201)
        >>> sweep = from_frequency_sweep(tones, np.exp(-2j * np.pi * tones * 7.3e-9))
        >>> traces = sweep.to_time(n_samples=4020)
        >>> peak = int(np.abs(traces.values[0, 0]).argmax())
        >>> bool(abs(traces.time[peak] - 7.3e-9) <= traces.sample_interval / 2)
        True
        """
        from ..gpr.tones import weigh_tones  # noqa: PLC0415 - loads compiled stages

        n_tones = len(self.frequency)
        n = n_tones if n_samples is None else check_count(n_samples, "n_samples")
        if n < n_tones:
            msg = f"Invalid n_samples '{n}'. Must be at least the number of tones, {n_tones}."
            raise ValueError(msg)
        if 16 * n * self.values.shape[0] * self.values.shape[1] > _MAX_TRACES:
            msg = f"Invalid n_samples '{n}'. Must give less than {_MAX_TRACES} bytes of traces."
            raise ValueError(msg)
        delay = check_number(delay, "delay")
        step = float((self.frequency[-1] - self.frequency[0]) / (n_tones - 1))
        even = is_even(self.frequency)
        if not even:
            step = float(np.median(np.diff(self.frequency)))
        weights = weigh_tones(self.frequency, step, window)
        interval = 1 / (n * step)
        time = interval * np.arange(n) + delay
        tones = self.values * (weights / weights.sum())
        if even:
            # turned by the delay at each tone, then by the first tone along time
            tones = tones * np.exp(2j * np.pi * (self.frequency - self.frequency[0]) * delay)
            traces = np.fft.ifft(tones, n, axis=-1) * n
            traces *= np.exp(2j * np.pi * self.frequency[0] * time)
        else:
            traces = np.empty((*self.values.shape[:2], n), np.complex128)
            block = max(1, 2**20 // n_tones)
            for first in range(0, n, block):
                part = time[first : first + block]
                wave = np.exp(2j * np.pi * np.outer(self.frequency, part))
                traces[..., first : first + block] = tones @ wave
        return TimeTraces(
            values=traces,
            start=0.0,
            sample_interval=interval,
            unambiguous_range=1 / step,
            resolution=1 / float(self.frequency[-1] - self.frequency[0]),
            options={"window": window, "n_samples": n, "delay": delay},
        )

    def to_sweep(
        self,
        *,
        lane: str | None = None,
        domain: Literal["time", "frequency"] = "time",
        window: str | tuple[str, float] | None = None,
        delay: float = 0.0,
    ) -> Sweep:
        """
        Return the sweep in time, as impulse processing takes it, or the tones.

        Parameters
        ----------
        lane : str, optional
            Name of the lane, the stem of the file without it.
        domain : {"time", "frequency"}, optional
            Real traces in time, at least 2.5 samples to the period of the last tone; or
            complex tones, as :func:`~minesense.gpr.tones.traces_from_tones` takes them.
        window, delay
            As in :meth:`to_time`.

        Returns
        -------
        sweep : Sweep
            Times are an order, TIME_COARSE; positions that are unknown have POSE_NONE, those
            with tones that are not finite, or too great for single precision, NOT_FINITE.

        Raises
        ------
        TypeError, ValueError
            If an option is not in its range, or the band so narrow that real traces would be
            64 times as long as the tones.
        """
        check_one_of(domain, "domain", ("time", "frequency"))
        n_positions, n_channels, _ = self.shape
        quality = np.full(n_positions, int(Quality.TIME_COARSE), np.int64)
        position = np.full((n_positions, 3), np.nan)
        if self.position is not None:
            position = self.position
        no_pose = ~np.isfinite(position).all(axis=1)
        quality[no_pose] |= int(Quality.POSE_NONE)
        position = np.where(no_pose[:, None], np.nan, position)
        history = [f"minesense {__version__}: read {self.format} {self.path.name}"]
        history += [f"warning: {text}" for text in self.warnings]
        history.append("time: none recorded; 1 s a position, an order and no duration")
        radar = Radar(centre_frequency=float(self.frequency[0] + self.frequency[-1]) / 2)
        sensor = Sensor(
            name=" ".join((self.format, *self.parameters)),
            kind="gpr",
            axis=self.frequency,
            axis_unit="Hz",
            lever_arms=np.zeros((n_channels, 3)),
            is_complex=True,
            radar=radar,
        )
        with np.errstate(over="ignore", invalid="ignore"):  # what overflows is flagged
            if domain == "frequency":
                samples = self.values.view(np.float64).astype(np.float32)
            else:
                samples, sensor, line = self._real_traces(sensor, window, delay)
                history.append(line)
        quality[~np.isfinite(samples).all(axis=(1, 2))] |= int(Quality.NOT_FINITE)
        return Sweep(
            samples=samples,
            time=np.arange(n_positions, dtype=np.float64),
            position=position,
            heading=np.where(no_pose, np.nan, 0.0),
            quality=quality,
            sensor=sensor,
            lane=self.path.stem if lane is None else lane,
            frame=self.frame,
            history=tuple(history),
        )

    def _real_traces(
        self, sensor: Sensor, window: str | tuple[str, float] | None, delay: float
    ) -> tuple[npt.NDArray[np.float32], Sensor, str]:
        """Return real traces, their sensor and what was done."""
        step = float(np.median(np.diff(self.frequency)))
        n = max(len(self.frequency), math.ceil(2.5 * float(self.frequency[-1]) / step))
        if n > _MOST_PADDING * len(self.frequency):
            msg = (
                f"Invalid band: its last tone, {self.frequency[-1]:g} Hz, needs {n} samples a "
                f"trace of {len(self.frequency)} tones. Must need less than {_MOST_PADDING} "
                "times as many: take to_time(), or the domain 'frequency'."
            )
            raise ValueError(msg)
        traces = self.to_time(window=window, n_samples=n, delay=delay)
        line = (
            f"traces_from_tones: window={window!r}, delay={delay!r}, n_samples={n}; interval "
            f"{traces.sample_interval:g} s, repeats after {traces.unambiguous_range:g} s, "
            f"resolution about {traces.resolution:g} s; real part"
        )
        sensor = dataclasses.replace(sensor, axis=traces.time, axis_unit="s", is_complex=False)
        return traces.values.real.astype(np.float32), sensor, line

    def describe(self) -> dict[str, Any]:
        """
        Return what the file holds, for people and as JSON.

        Returns
        -------
        document : dict
            Plain values.
        """
        step = float(np.median(np.diff(self.frequency)))
        return {
            "kind": "sweep over frequency",
            "format": self.format,
            "positions": self.shape[0],
            "parameters": list(self.parameters),
            "tones": self.shape[2],
            "first_frequency_hz": float(self.frequency[0]),
            "last_frequency_hz": float(self.frequency[-1]),
            "step_hz": step,
            "even_steps": is_even(self.frequency),
            "unambiguous_range_s": 1 / step,
            "resolution_s": 1 / float(self.frequency[-1] - self.frequency[0]),
            "sources": dict(self.sources),
            "header": plain(self.header),
            "corrections": [str(correction) for correction in self.corrections],
            "warnings": list(self.warnings),
        }


def from_frequency_sweep(
    frequency: npt.ArrayLike,
    values: npt.ArrayLike,
    *,
    parameters: tuple[str, ...] | None = None,
    position: npt.ArrayLike | None = None,
    frame: Frame | None = None,
    is_conjugate: bool = False,
) -> FrequencySweep:
    """
    Return a frequency sweep of arrays.

    Parameters
    ----------
    frequency : (n_tones,) array_like
        Hz, increasing, none below zero.
    values : ([n_positions, [n_channels,]] n_tones) array_like
        Complex transmission or reflection.
    parameters : tuple of str, optional
        Name of each channel; "S21" without it.
    position : (n_positions, 3) array_like, optional
        Easting, northing, upward in metres.
    frame : Frame, optional
        Of the positions.
    is_conjugate : bool, optional
        Whether phasors turn as exp(-i w t), so that the phase of an echo rises with
        frequency. They are conjugated.

    Returns
    -------
    sweep : FrequencySweep
        Of these arrays.

    Raises
    ------
    TypeError, ValueError
        If there are fewer than two tones, they do not increase, or shapes do not fit.

    Warns
    -----
    FormatWarning
        If more energy lies in the second half of the range in time than in the first, which
        is what conjugate phasors look like; if values are larger than one, as no passive path
        has them; if a sweep is constant, or not finite.

    Examples
    --------
    >>> tones = np.linspace(1e9, 3e9, 101)
    >>> from_frequency_sweep(tones, np.exp(-2j * np.pi * tones * 4e-9)).shape
    (1, 1, 101)
    """
    findings = Findings(ARRAY)
    sweep = check_sweep(
        findings,
        frequency,
        values,
        parameters=parameters,
        position=position,
        frame=frame,
        is_conjugate=is_conjugate,
    )
    return finish_sweep(findings, sweep)


def check_sweep(
    findings: Findings,
    frequency: npt.ArrayLike,
    values: npt.ArrayLike,
    *,
    parameters: tuple[str, ...] | None = None,
    position: npt.ArrayLike | None = None,
    frame: Frame | None = None,
    is_conjugate: bool = False,
) -> FrequencySweep:
    """
    Return a frequency sweep of arrays, doubts about it in the findings.

    Parameters
    ----------
    findings : Findings
        Of the file.
    frequency, values, parameters, position, frame, is_conjugate
        As in :func:`from_frequency_sweep`.

    Returns
    -------
    sweep : FrequencySweep
        Without the findings: see :func:`finish_sweep`.

    Raises
    ------
    TypeError, ValueError
        As in :func:`from_frequency_sweep`.
    """
    tones, cube, names, place = check_arrays(frequency, values, parameters, position)
    if is_conjugate:
        cube = cube.conj()
        findings.override("phasor sign", "exp(-i w t)", "exp(+i w t)")
    sweep = FrequencySweep(
        path=findings.path,
        format="array",
        frequency=tones,
        values=cube,
        parameters=names,
        position=place,
        frame=frame or Frame(),
    )
    doubt_tones(findings, tones, cube)
    return sweep


def finish_sweep(findings: Findings, sweep: FrequencySweep, **changes: Any) -> FrequencySweep:
    """
    Return a sweep with what was found, and issue the warnings.

    Parameters
    ----------
    findings : Findings
        Of the file.
    sweep : FrequencySweep
        Of :func:`check_sweep`.
    **changes
        Fields to replace.

    Returns
    -------
    sweep : FrequencySweep
        Whole.
    """
    result = dataclasses.replace(
        sweep,
        corrections=tuple(findings.corrections),
        warnings=tuple(findings.warnings),
        **changes,
    )
    findings.emit(stacklevel=4)
    return result
