"""A radar lane made ready for its statistics: the ground found, every trace laid on it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from ..._kernels.alignment import shift_traces
from ..._validation import check_positive
from ...constants import SPEED_OF_LIGHT
from ...gaps import split_at_gaps
from ...gpr import dewow, track_ground
from ...gpr.preprocess import check_radar
from ...sweep import Floats, Samples, Sweep
from .kept import LEAST_TRACES, is_kept, rows_of
from .missing import TooFewError

#: Two-way times after the ground between which statistics are taken, in periods of the centre
#: frequency. What comes before belongs to the direct wave and the bounce, or to what taking
#: out the slow part makes of them.
SLICES = ((2.0, 3.5), (3.5, 5.0), (5.0, 7.0), (7.0, 9.5), (9.5, 12.0))

_JOINED = 0.6  # periods between direct wave and bounce below which they are one
_BAND = (2.0, 2.6)  # times the centre frequency, between which higher ones are taken out


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """When the direct wave and the ground bounce of a radar lane arrive, on its axis."""

    direct: float  #: s
    ground: float  #: s, that of the direct wave where the two cannot be told apart
    is_joined: bool  #: whether they cannot, as with antennas on the ground
    is_negative: bool  #: whether the greatest extreme of the bounce is negative


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RadarSection:
    """
    Usable traces of a radar lane, without their slow part, the ground at time zero.

    Flagged traces are left out; `row` keeps their places empty.
    """

    lane: str
    frequency: float  #: Hz, nominal centre
    interval: float  #: s
    time: Floats  #: (n_samples,) s after the ground
    wide: Samples  #: (n_traces, n_channels, n_samples) over all frequencies
    traces: Samples  #: the same below 2.3 times the centre frequency
    residual: Samples  #: those less the mean trace of each channel
    row: npt.NDArray[np.int64]  #: (n_traces,) place along the track, in traces
    spacing: float  #: m between rows; NaN if the lane does not tell or they are irregular
    ground_delay: Floats  #: (n_traces, n_channels) s, of the bounce against its mean
    ground_gain: Floats  #: (n_traces, n_channels) height of the bounce over its mean
    arrivals: Arrivals
    n_flagged: int  #: traces left out

    @property
    def period(self) -> float:
        """Of the centre frequency, s."""
        return 1 / self.frequency

    def samples_of(self, start: float, stop: float) -> slice:
        """
        Return the samples of a stretch of two-way time.

        Parameters
        ----------
        start, stop : float
            After the ground, in periods of the centre frequency.

        Returns
        -------
        samples : slice
            At least four.

        Raises
        ------
        TooFewError
            If the record does not hold all of it, or it is less than four samples.
        """
        first, last = np.searchsorted(self.time, np.array([start, stop]) * self.period)
        if self.time[-1] + self.interval < (1 - 1e-9) * stop * self.period:
            end = 1e9 * float(self.time[-1])
            msg = f"the record ends {end:.3g} ns after the ground"
            raise TooFewError(msg)
        if last - first < 4:
            msg = f"{last - first} samples in the slice: at least 4 are needed"
            raise TooFewError(msg)
        return slice(int(first), int(last))


def find_arrivals(sweep: Sweep) -> Arrivals:
    r"""
    Find the direct wave and the ground bounce of a radar lane.

    Parameters
    ----------
    sweep : Sweep
        A radar lane, as recorded.

    Returns
    -------
    arrivals : Arrivals
        Two-way times on the axis of the sweep.

    Raises
    ------
    TypeError, ValueError
        If the sensor is not a radar with a regular axis in seconds and a centre frequency.
    TooFewError
        If fewer than fifty traces are usable.

    Notes
    -----
    The direct wave is the strongest sample of the mean magnitude in the first half of the
    record. With height :math:`h` and separation :math:`s` of the sensor, the bounce follows
    after :math:`(\sqrt{4 h^2 + s^2} - s) / c`; it is put at the strongest sample within a
    third of a period of that. Below 0.6 periods, or without a height, the two are one.

    Examples
    --------
    >>> from minesense.synthetic import cart, field, scenario
    >>> from minesense.synthetic.realism import find_arrivals
    >>> made = field(scenario("prepared", lanes={"length": 1.0, "run_in": 0.5}), seed=1)
    >>> radar, _ = made.sweep(cart(n_antennas=1, n_coils=1), lanes=["lane 01"])
    >>> found = find_arrivals(radar)
    >>> round(1e9 * (found.ground - found.direct), 1), found.is_joined, found.is_negative
    (0.6, False, True)
    """
    step, frequency = check_sampled(sweep)
    usable = sweep.samples[is_kept(sweep)].astype(np.float64)
    if len(usable) < LEAST_TRACES:
        msg = f"{len(usable)} usable traces: at least {LEAST_TRACES} are needed"
        raise TooFewError(msg)
    usable -= np.median(usable, axis=2, keepdims=True)
    strength = np.abs(usable).mean(axis=(0, 1))
    half = max(1, len(strength) // 2)
    direct = ground = int(np.argmax(strength[:half]))
    delay = path_difference(sweep) * frequency
    is_joined = not delay >= _JOINED
    if not is_joined:
        first, last = (round((delay + x) / frequency / step) for x in (-1 / 3, 1 / 3))
        near = strength[direct + first : direct + last + 1]
        is_joined = not len(near)
        ground = direct if is_joined else direct + first + int(np.argmax(near))
    shortest = max(1, round(1 / (3 * frequency * step)))
    around = usable[:, :, max(0, ground - shortest) : ground + shortest + 1]
    highest, lowest = around.max(axis=2).mean(), around.min(axis=2).mean()
    axis = sweep.sensor.axis
    return Arrivals(
        direct=float(axis[direct]),
        ground=float(axis[ground]),
        is_joined=is_joined,
        is_negative=bool(-lowest > highest),
    )


def path_difference(sweep: Sweep) -> float:
    """
    Return by how much the ground bounce of a radar is later than its direct wave.

    Parameters
    ----------
    sweep : Sweep
        A radar lane.

    Returns
    -------
    delay : float
        In seconds; NaN if the height of the antennas is not known.

    Examples
    --------
    >>> from minesense.sweep import no_traces
    >>> from minesense.synthetic import cart
    >>> from minesense.synthetic.realism import path_difference
    >>> round(1e9 * path_difference(no_traces(cart().radar)), 3)
    0.625
    """
    radar = sweep.sensor.radar
    if radar is None or radar.height is None:
        return math.nan
    bounce = math.hypot(2 * radar.height, radar.separation)
    return (bounce - radar.separation) / SPEED_OF_LIGHT


def radar_section(sweep: Sweep) -> RadarSection:
    r"""
    Lay the usable traces of a radar lane on the ground.

    Parameters
    ----------
    sweep : Sweep
        A radar lane, as recorded, real or SYNTHETIC.

    Returns
    -------
    section : RadarSection
        Flagged traces are left out, never averaged in.

    Raises
    ------
    TypeError, ValueError
        If the sensor is not a radar with a regular axis in seconds and a centre frequency
        that its sample interval can hold.
    TooFewError
        If fewer than fifty traces are usable, or the record is shorter than four periods.

    Notes
    -----
    The slow part of each trace, its mean over two periods, is taken out (:func:`dewow`), the
    bounce followed from gap to gap (:func:`track_ground`), and its delay refined: with the
    mean :math:`T` of the traces so aligned within half a period of the ground, :math:`\tau`
    maximises :math:`\sum_t T_t\, x_{t + \tau}`, with a parabola through the largest three,
    and the gain is that maximum over its mean along the lane. Where the bounce is apart from
    the direct wave, whose tail stands still, :math:`T` is zero until 0.3 periods before the
    ground and whole from 0.1 periods before it. Traces are moved by :math:`\tau` with 8
    samples weighted by a sinc; what samples from beyond the record reach is cut off.

    Frequencies that no pulse of the antenna holds are noise. `traces` and `residual` are
    without them: as spectra times one up to twice the centre frequency, and half a period of
    a cosine from there to zero at 2.6 times.

    Examples
    --------
    >>> from minesense.synthetic import cart, field, scenario
    >>> from minesense.synthetic.realism import radar_section
    >>> made = field(scenario("prepared", lanes={"length": 1.0, "run_in": 0.5}), seed=1)
    >>> radar, _ = made.sweep(cart(n_antennas=1, n_coils=1), lanes=["lane 01"])
    >>> section = radar_section(radar)
    >>> len(section.traces) + section.n_flagged == len(radar)
    True
    """
    step, frequency = check_sampled(sweep)
    arrivals = find_arrivals(sweep)
    window = float(sweep.sensor.axis[-1] - sweep.sensor.axis[0])
    if window * frequency < 4:
        msg = f"a record of {window * frequency:.2g} periods: at least 4 are needed"
        raise TooFewError(msg)
    parts = [dewow(part, window=2 / frequency) for part in split_at_gaps(sweep)[0]]
    usable = np.concatenate([is_kept(part) for part in parts])
    delay, gain = _follow(parts, arrivals)
    samples = _kept_samples(parts)
    ground = (arrivals.ground - sweep.sensor.axis[0]) / step
    whole = round(ground)
    mean_delay = delay.mean(axis=0)
    aligned = np.empty_like(samples)
    scratch = np.empty((4, 8)), np.empty(samples.shape[2] + 7)
    shift_traces(samples, delay / step + (ground - whole), *scratch, aligned)
    reach = math.ceil(float(np.abs(delay).max()) / step) + 8  # the taps of the interpolation
    inside = slice(min(reach, whole), max(whole + 1, samples.shape[2] - reach))
    aligned = np.ascontiguousarray(aligned[:, :, inside])
    traces = below_band(aligned, step, frequency)
    mean = traces.mean(axis=0, dtype=np.float64)
    row, spacing = rows_of(sweep)
    return RadarSection(
        lane=sweep.lane,
        frequency=frequency,
        interval=step,
        time=step * (np.arange(samples.shape[2], dtype=np.float64)[inside] - whole),
        wide=aligned,
        traces=traces,
        residual=(traces - mean).astype(np.float32),
        row=row[usable],
        spacing=spacing,
        ground_delay=delay - mean_delay,
        ground_gain=gain / np.where(gain.mean(axis=0) == 0, 1.0, gain.mean(axis=0)),
        arrivals=arrivals,
        n_flagged=int(np.count_nonzero(~usable)),
    )


def below_band(samples: Samples, step: float, frequency: float) -> Samples:
    """
    Return traces without what lies above the band of the antenna.

    Parameters
    ----------
    samples : (n_traces, n_channels, n_samples) float32 ndarray
        Traces.
    step : float
        Sample interval, s.
    frequency : float
        Centre frequency, Hz.

    Returns
    -------
    traces : (n_traces, n_channels, n_samples) float32 ndarray
        As :func:`radar_section` describes it.
    """
    n = samples.shape[2]
    low, high = (x * frequency for x in _BAND)
    padded = 2 * n  # so that the end of a record does not ring at its start
    share = np.clip((np.fft.rfftfreq(padded, step) - low) / (high - low), 0.0, 1.0)
    keep = 0.5 + 0.5 * np.cos(np.pi * share)
    return np.fft.irfft(np.fft.rfft(samples, padded) * keep, padded)[..., :n].astype(np.float32)


def check_sampled(sweep: Sweep) -> tuple[float, float]:
    """
    Return sample interval and centre frequency of a radar lane.

    Parameters
    ----------
    sweep : Sweep
        A radar lane.

    Returns
    -------
    step : float
        In seconds.
    frequency : float
        In Hz.

    Raises
    ------
    ValueError
        If it is no radar, has no centre frequency, or one its samples cannot hold.
    """
    step = check_radar(sweep.sensor)
    if sweep.sensor.radar is None:
        msg = f"Invalid sensor '{sweep.sensor.name}': no centre frequency. Must have a Radar."
        raise ValueError(msg)
    frequency = check_positive(sweep.sensor.radar.centre_frequency, "centre_frequency")
    if frequency >= 0.5 / step:
        msg = (
            f"Invalid centre_frequency '{frequency}' Hz for samples every {step} s. Must be "
            f"below {0.5 / step:g} Hz."
        )
        raise ValueError(msg)
    return step, frequency


def _kept_samples(parts: Sequence[Sweep]) -> Samples:
    """Return the samples of all usable traces."""
    return np.concatenate([part.samples[is_kept(part)] for part in parts])


def _follow(parts: Sequence[Sweep], arrivals: Arrivals) -> tuple[Floats, Floats]:
    """Return delay (s) and height of the bounce in every usable trace, by correlation."""
    step, frequency = check_sampled(parts[0])
    axis = parts[0].sensor.axis
    before = after = 0.5
    if not arrivals.is_joined:
        apart = (arrivals.ground - arrivals.direct) * frequency
        wide = min(0.4 * apart, 2.0)
        before, after = wide, max(0.65, wide)
    search = (
        max(float(axis[0]), arrivals.ground - before / frequency),
        min(float(axis[-1]), arrivals.ground + after / frequency),
    )
    polarity: Literal["negative", "positive"]
    polarity = "negative" if arrivals.is_negative else "positive"
    path = np.concatenate(
        [track_ground(x, search=search, polarity=polarity)[is_kept(x)] for x in parts]
    )
    samples = _kept_samples(parts)
    half = max(2, round(0.5 / frequency / step))
    coarse = np.rint((path - axis[0]) / step).astype(np.int64)
    ground = round((arrivals.ground - axis[0]) / step)
    template = _around(samples, coarse, half).mean(axis=0, dtype=np.float64)
    if not arrivals.is_joined:
        template *= _late(half)
    score = np.zeros((*coarse.shape, 2 * half + 1))
    for k, lag in enumerate(range(-half, half + 1)):
        score[..., k] = np.einsum("ick,ck->ic", _around(samples, coarse + lag, half), template)
    best = np.argmax(score, axis=2)
    inner = np.clip(best, 1, 2 * half - 1)[..., None]
    left, middle, right = (
        np.take_along_axis(score, inner + k, axis=2)[..., 0] for k in (-1, 0, 1)
    )
    bend = left - 2 * middle + right
    part = np.divide(left - right, 2 * bend, out=np.zeros_like(bend), where=bend < 0)
    part = np.clip(part, -1.0, 1.0)
    top = middle - 0.25 * (left - right) * part
    delay = step * (coarse + inner[..., 0] - half + part - ground)
    return delay, top


def _late(half: int) -> Floats:
    """Return weights of the later part of a window, which the direct wave does not reach."""
    place = np.arange(-half, half + 1) / half
    return np.clip((place + 0.6) / 0.4, 0.0, 1.0)


def _around(samples: Samples, centre: npt.NDArray[np.int64], half: int) -> Floats:
    """Return the samples around one of each trace and channel, zeros beyond the record."""
    n_samples = samples.shape[2]
    index = centre[..., None] + np.arange(-half, half + 1)
    inside = (index >= 0) & (index < n_samples)
    values = np.take_along_axis(samples, np.clip(index, 0, n_samples - 1), axis=2)
    return np.where(inside, values, 0.0).astype(np.float64)
