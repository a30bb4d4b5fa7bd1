"""The sweep that a recording makes: along its own line, in counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from .._validation import check_positive, check_probability
from .._version import __version__
from ..sensor import Radar, Sensor
from ..sweep import Frame, Quality, Sweep
from .spectrum import estimate_centre_frequency

if TYPE_CHECKING:
    from .recording import Recording

Floats = npt.NDArray[np.float64]

#: The frame of sweeps made from recordings that know distance only.
LINE_FRAME = Frame(
    crs="local", origin="first trace; northing = distance along the line, easting = 0"
)


def _name(recording: Recording) -> str:
    """Return format and antenna; control characters of a header fit into no other file."""
    name = f"{recording.format} {recording.header.get('antenna', '')}"
    return "".join(c if c.isprintable() else " " for c in name).strip()


def make_line_sweep(
    recording: Recording,
    *,
    lane: str | None,
    spacing: float | None,
    centre_frequency: float | None,
    max_clipped: float,
) -> Sweep:
    """Return a recording as a sweep: see :meth:`.Recording.to_sweep`."""
    max_clipped = check_probability(max_clipped, "max_clipped")
    n_clipped = recording.survey().n_clipped
    n_traces, n_channels, n_samples = recording.shape
    samples = recording.samples
    history = [f"minesense {__version__}: read {recording.format} {recording.path.name}"]
    if n_traces != recording.n_stored_traces:
        last = recording.start + n_traces
        history.append(f"traces {recording.start} to {last} of {recording.n_stored_traces}")
    history += [f"warning: {text}" for text in recording.warnings]
    quality = recording.quality.copy()

    time, line = _time(recording)
    if line:
        quality |= Quality.TIME_COARSE
        history.append(line)
    distance, line = _distance(recording, spacing)
    history.append(line)
    position = np.zeros((n_traces, 3))
    position[:, 1] = distance
    no_pose = np.isnan(distance)
    position[no_pose] = np.nan
    quality[no_pose] |= Quality.POSE_NONE
    if recording.is_offset_gather:
        quality |= Quality.OUT_OF_DOMAIN
        history.append("survey mode: distance is antenna offset, not a position")

    n_signal = n_samples - np.asarray(recording.header_words)
    saturated = (n_clipped / n_signal).max(axis=1) > max_clipped
    quality[saturated] |= Quality.SATURATED
    finite = np.isfinite(samples).all(axis=(1, 2))
    quality[~finite] |= Quality.NOT_FINITE
    history.append(
        f"clipped: {int(n_clipped.sum())} samples in "
        f"{np.count_nonzero(n_clipped.any(axis=1))} of {n_traces} traces; "
        f"{np.count_nonzero(saturated)} traces flagged SATURATED, above {max_clipped:g}"
    )
    if n_channels > 1:
        history.append(f"lever arms of {n_channels} channels unknown: taken as zero")
    frequency, line = _frequency(recording, centre_frequency, samples, finite & ~saturated)
    history.append(line)
    sensor = Sensor(
        name=_name(recording),
        kind="gpr",
        axis=recording.sample_interval * np.arange(n_samples, dtype=np.float64),
        lever_arms=np.zeros((n_channels, 3)),
        radar=Radar(centre_frequency=frequency, separation=recording.antenna_separation or 0.0),
    )
    return Sweep(
        samples=samples,
        time=time,
        position=position,
        heading=np.where(no_pose, np.nan, 0.0),
        quality=quality,
        sensor=sensor,
        lane=recording.path.stem if lane is None else lane,
        frame=LINE_FRAME,
        history=tuple(history),
    )


def _time(recording: Recording) -> tuple[Floats, str]:
    """Return times that increase, and a line of history if they stand in."""
    if recording.times is not None:
        if np.isfinite(recording.times).all() and (np.diff(recording.times) > 0).all():
            return recording.times, ""
        why = "recorded times do not increase"
    else:
        why = "none recorded"
    interval = recording.trace_interval
    words = f"nominal {interval:g} s" if interval else "1 s, an order and no duration"
    line = f"time: {why}; trace index x {words}"
    return (interval or 1.0) * np.arange(recording.shape[0], dtype=np.float64), line


def _distance(recording: Recording, spacing: float | None) -> tuple[Floats, str]:
    """Return distance from the first trace, NaN where unknown, and where it is from."""
    n_traces = recording.shape[0]
    if spacing is not None:
        spacing = check_positive(spacing, "spacing")
        distance = spacing * np.arange(n_traces, dtype=np.float64)
        line = f"position: trace index x {spacing:g} m, given by the caller"
    elif recording.distance is not None:
        distance, source = recording.distance, recording.sources.get("spacing", "file")
        line = f"position: distance along the line by {source}"
    else:
        return np.full(n_traces, np.nan), "position: unknown, no distance in the file"
    if recording.is_offset_gather:
        return np.full(n_traces, np.nan), "position: unknown, file holds antenna offsets"
    known = distance[~np.isnan(distance)]
    if not len(known):
        return distance, "position: unknown, no distance in the file"
    if known[-1] < known[0]:
        return known[0] - distance, f"{line}, which falls: sign reversed"
    return distance - known[0], line


def _frequency(
    recording: Recording,
    given: float | None,
    samples: npt.NDArray[np.float32],
    usable: npt.NDArray[np.bool_],
) -> tuple[float, str]:
    """Return the centre frequency and where it is from."""
    header = recording.centre_frequency
    if given is not None:
        given = check_positive(given, "centre_frequency")
        instead = f" instead of {header:g} Hz by the header" if header else ""
        return given, f"centre frequency: {given:g} Hz, given by the caller{instead}"
    if header is not None:
        return header, f"centre frequency: {header:g} Hz by the header"
    frequency = estimate_centre_frequency(samples[usable], recording.sample_interval)
    return frequency, f"centre frequency: {frequency:g} Hz, estimated from the spectrum"
