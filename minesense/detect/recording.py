"""The radar half on a recording for which no model exists: screen it, rank by energy."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import numpy as np

from .._validation import check_positive
from ..alarm import Alarm, Candidate
from ..gaps import Gap
from ..sweep import UNUSABLE, Quality, Sweep, track_length
from .screen import Screen, Screened
from .settings import DetectorSettings, RadarSettings

#: Frequency for which the default lengths of RadarSettings are meant, Hz.
_DESIGN_FREQUENCY = 1.5e9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Screening:
    """What the radar prescreener noticed in a recording; probabilities are withheld."""

    alarms: tuple[Alarm, ...]  #: strongest first
    screened: Screened
    settings: DetectorSettings
    length: float  #: m along the track; NaN if the recording does not state it
    observed_length: float  #: m of it that could be judged
    n_traces: int
    n_observed: int
    reasons: dict[str, int]  #: traces not observed, by flag
    gaps: tuple[Gap, ...]

    @property
    def alarms_per_metre(self) -> float:
        """Alarms per metre that could be judged; NaN if the length is not known."""
        return len(self.alarms) / self.observed_length if self.observed_length else math.nan


def recording_settings(sweep: Sweep, *, threshold: float | None = None) -> DetectorSettings:
    r"""
    Scale the radar's settings to the centre frequency and spacing of a recording.

    Parameters
    ----------
    sweep : Sweep
        A radar recording.
    threshold : float, optional
        Of the prescreener's score.

    Returns
    -------
    settings : DetectorSettings
        Lengths and times are those for 1.5 GHz times 1.5 GHz over the centre frequency,
        windows no longer than the recording allows, never shorter than a few traces.
        Without positions the spacing is 1 and lengths count traces.

    Raises
    ------
    ValueError
        If the sweep is not of a radar, its centre frequency is unknown or beyond the band
        that its sample interval can hold, or it is shorter than the windows need.

    Notes
    -----
    A wave at :math:`f` resolves in proportion to its wavelength: an antenna of 400 MHz
    finds things four times larger than one of 1.5 GHz, four times deeper. The search for
    the ground bounce is centred on the strongest sample of the mean trace's first half.

    Examples
    --------
    An antenna of 400 MHz asks for windows 3.75 times as long as one of 1.5 GHz:

    >>> import numpy as np
    >>> from minesense.detect import RadarSettings, recording_settings
    >>> from minesense.sensor import Radar, Sensor
    >>> from minesense.sweep import Sweep
    >>> northing = 0.05 * np.arange(1000)
    >>> sweep = Sweep(
    ...     samples=np.random.default_rng(seed=0).normal(size=(1000, 1, 100)),
    ...     time=northing,
    ...     position=np.column_stack([0 * northing, northing, 0 * northing]),
    ...     heading=0 * northing,
    ...     sensor=Sensor(
    ...         name="demo",
    ...         kind="gpr",
    ...         axis=0.5e-9 * np.arange(100),
    ...         lever_arms=[[0, 0, 0]],
    ...         radar=Radar(centre_frequency=4e8),
    ...     ),
    ... )
    >>> radar = recording_settings(sweep).radar
    >>> round(radar.background / RadarSettings().background, 2), round(radar.spacing, 3)
    (3.75, 0.05)
    """
    sensor = sweep.sensor
    if sensor.kind != "gpr" or sensor.radar is None:
        msg = f"Invalid sensor '{sensor.name}' of kind '{sensor.kind}'. Must be a radar."
        raise ValueError(msg)
    scale = _DESIGN_FREQUENCY / check_positive(
        sensor.radar.centre_frequency, "centre_frequency"
    )
    window = float(sensor.axis[-1] - sensor.axis[0])
    interval = sensor.sample_interval
    frequency = sensor.radar.centre_frequency
    if frequency >= 0.5 / interval or 1 / frequency > window / 4:
        msg = (
            f"Invalid centre_frequency '{frequency}' Hz for samples every {interval} s over "
            f"{window} s. Must be below {0.5 / interval:g} Hz and above {4 / window:g} Hz."
        )
        raise ValueError(msg)
    spacing, unit = _spacing(sweep)
    length = spacing * (len(sweep) - 1)
    base = RadarSettings()

    def fit(metres: float, least: int, most: float) -> float:
        wanted = metres * scale if unit == "m" else metres / base.spacing
        return float(np.clip(wanted, least * spacing, max(least * spacing, most * length)))

    direct = _direct_wave(sweep)
    half = 1.0 / frequency
    radar = dataclasses.replace(
        base,
        spacing=spacing,
        ground_time=direct,
        ground_polarity="either",
        ground_search=(max(float(sensor.axis[0]), direct - half), direct + half),
        dewow=min(2.0 / frequency, 0.5 * window),
        band=(0.27 * frequency, min(2.3 * frequency, 0.45 / interval)),
        background=fit(base.background, 10, 0.5),
        whitening=fit(base.whitening, 20, 0.2),
        whitening_guard=fit(base.whitening_guard, 2, 0.06),
        bin_length=max(base.bin_length * scale, 4 * interval),
        start=base.start * scale,
        guard=fit(base.guard, 2, 0.1),
        ring=fit(base.ring, 8, 0.33),
        threshold=base.threshold if threshold is None else threshold,
        merge_radius=fit(base.merge_radius, 2, 0.1),
    )
    interval = float(np.median(np.diff(sweep.time))) if len(sweep) > 1 else 1.0
    return DetectorSettings(radar=radar, max_gap=5 * spacing, max_pause=10 * interval)


def screen_recording(sweep: Sweep, *, threshold: float | None = None) -> Screening:
    """
    Run the radar stages and the prescreener on a recording.

    Parameters
    ----------
    sweep : Sweep
        A radar recording as :func:`minesense.read` and `to_sweep` give it.
    threshold : float, optional
        Of the prescreener's score, in robust standard deviations of the surroundings.

    Returns
    -------
    screening : Screening
        Alarms, strongest first, with what was and was not observed.

    Raises
    ------
    ValueError
        If the sweep is not of a radar, is empty, or too short to be judged.

    Examples
    --------
    Noise, with an echo between 11 and 11.5 m along the line:

    >>> import numpy as np
    >>> from minesense.detect import screen_recording
    >>> from minesense.sensor import Radar, Sensor
    >>> from minesense.sweep import Sweep
    >>> northing = 0.05 * np.arange(500)
    >>> samples = np.random.default_rng(seed=0).normal(size=(500, 1, 100))
    >>> samples[220:230, 0, 40:44] += [30, -30, 30, -30]
    >>> sweep = Sweep(
    ...     samples=samples,
    ...     time=northing,
    ...     position=np.column_stack([0 * northing, northing, 0 * northing]),
    ...     heading=0 * northing,
    ...     sensor=Sensor(
    ...         name="demo",
    ...         kind="gpr",
    ...         axis=0.5e-9 * np.arange(100),
    ...         lever_arms=[[0, 0, 0]],
    ...         radar=Radar(centre_frequency=4e8),
    ...     ),
    ... )
    >>> screening = screen_recording(sweep)
    >>> 10.8 < screening.alarms[0].northing < 11.7
    True
    >>> screening.n_observed < screening.n_traces, list(screening.reasons)
    (True, ['EDGE'])
    """
    if not len(sweep):
        msg = f"Invalid sweep of lane '{sweep.lane}': 0 traces. Must hold at least one."
        raise ValueError(msg)
    settings = recording_settings(sweep, threshold=threshold)
    screen = Screen(settings)
    screen.push(sweep)
    screened = screen.finish()
    quality = np.concatenate([part.scores.quality for part in screened.parts])
    credited = np.concatenate([part.scores.is_judged for part in screened.parts])
    found = [
        (start + c.trace, c)
        for start, part in zip(_starts(screened), screened.parts, strict=True)
        for c in part.candidates
    ]
    found.sort(key=lambda item: (-item[1].score, item[0]))
    length = track_length(sweep)
    return Screening(
        alarms=tuple(_alarm(k, i, c, settings) for k, (i, c) in enumerate(found, start=1)),
        screened=screened,
        settings=settings,
        length=length,
        observed_length=_length_of(sweep, credited),
        n_traces=len(sweep),
        n_observed=int(credited.sum()),
        reasons=_reasons(quality, credited),
        gaps=screened.gaps,
    )


def _spacing(sweep: Sweep) -> tuple[float, str]:
    """Return the distance between traces in metres, or 1 trace if it is not known."""
    steps = np.hypot(*np.diff(sweep.position[:, :2], axis=0).T)
    steps = steps[np.isfinite(steps) & (steps > 0)]
    if len(steps):
        return float(np.median(steps)), "m"
    return 1.0, "trace"


def _direct_wave(sweep: Sweep) -> float:
    """Return the time of the strongest sample of the mean trace's first half."""
    samples = sweep.samples[sweep.is_usable]
    if not len(samples):
        return float(sweep.sensor.axis[0])  # any will do: nothing can be judged
    mean = np.abs(samples - np.median(samples, axis=2, keepdims=True)).mean(axis=(0, 1))
    return float(sweep.sensor.axis[int(np.argmax(mean[: len(mean) // 2]))])


def _starts(screened: Screened) -> list[int]:
    """Return the index in the lane of each part's first trace."""
    lengths = [len(part.scores) for part in screened.parts]
    return [sum(lengths[:k]) for k in range(len(lengths))]


def _length_of(sweep: Sweep, credited: np.ndarray) -> float:
    """Return the length of track between judged neighbours, in metres."""
    steps = np.hypot(*np.diff(sweep.position[:, :2], axis=0).T)
    return float(steps[credited[1:] & credited[:-1]].sum())


def _reasons(quality: np.ndarray, credited: np.ndarray) -> dict[str, int]:
    """Return how many traces were not observed, by each of their flags."""
    counts = {
        str(flag.name): int(((quality & flag) != 0)[~credited].sum())
        for flag in UNUSABLE | Quality.EDGE
    }
    return {name: count for name, count in counts.items() if count}


def _alarm(rank: int, trace: int, c: Candidate, settings: DetectorSettings) -> Alarm:
    """Return a candidate as an alarm without a probability."""
    radar = settings.radar
    return Alarm(
        identifier=f"A{rank:04d}",
        lane=c.lane,
        time=c.time,
        easting=c.easting,
        northing=c.northing,
        position_error=radar.spacing if math.isfinite(c.northing) else math.nan,
        depth=max(0.0, radar.velocity * (c.two_way_time - radar.ground_time) / 2),
        probability=math.nan,
        score=c.score,
        evidence={
            "gpr_score": c.score,
            "two_way_time_s": c.two_way_time,
            "trace": float(trace),
            "channel": float(c.channel),
        },
        quality=c.quality,
        model="none: prescreener alone",
    )
