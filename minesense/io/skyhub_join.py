"""Place the traces of a recording by the position log of a drone that names them."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from .._validation import check_one_of, check_positive
from ..sweep import Quality, Sweep
from .local_frame import heading_of_track, local_frame, local_position
from .positions import interpolate
from .recording import Recording
from .skyhub import PositionLog
from .text_table import fold
from .trouble import Findings

Floats = npt.NDArray[np.float64]


def join_skyhub(
    recording: Recording,
    log: PositionLog,
    *,
    payload: str | None = None,
    first_trace: int | None = None,
    origin: tuple[float, float] | None = None,
    max_gap: float = 2.0,
    lane: str | None = None,
    centre_frequency: float | None = None,
) -> Sweep:
    """
    Place the traces of a recording by the rows of a log that name them.

    Parameters
    ----------
    recording : Recording
        Of the SEG-Y log of the payload. Names of logs differ by seconds and logs are split:
        which recording belongs to which log is the caller's to say.
    log : PositionLog
        Of the same flight.
    payload : str, optional
        Column with the numbers of traces, for example ``"GPR:Trace"``; the only one without it.
    first_trace : int, optional
        Number of the first trace, 0 or 1. Without it the numbers must tell: the logger does not
        document it.
    origin : (float, float), optional
        Latitude and longitude that positions are counted from; the first fix without it.
    max_gap : float, optional
        Longest time between fixes to interpolate over, in seconds.
    lane : str, optional
        Name of the lane, the stem of the recording without it.
    centre_frequency : float, optional
        Of the antenna, in hertz, as in :meth:`~minesense.io.recording.Recording.to_sweep`.

    Returns
    -------
    sweep : Sweep
        Positions and times by the log; upward is the height above ground where the log has it.
        A trace that no row names, or whose fixes are further apart than `max_gap`, has
        POSE_NONE; one without RTK POSE_COARSE; one before which the line of the log changes,
        GAP.

    Raises
    ------
    FormatError
        If numbers of traces decrease, repeat or lie outside the recording.
    TypeError, ValueError
        If the base is not clear and not given, or an option is not in its range.

    Warns
    -----
    FormatWarning
        If traces have no row.
    """
    max_gap = check_positive(max_gap, "max_gap")
    if first_trace is not None and first_trace not in (0, 1):
        msg = f"Invalid first_trace '{first_trace}'. Must be 0 or 1."
        raise ValueError(msg)
    name = _pick_payload(log, payload)
    n_traces = recording.shape[0]
    findings = Findings(log.path)
    rows, traces = _match(findings, log.traces[name], n_traces, first_trace, name)
    time, line = log.time[rows], log.line[rows]
    rows_known = np.isfinite(time)
    latitude, longitude, height = _places_at(log, rows, max_gap)
    fixed = np.isfinite(latitude)
    if not fixed.any():
        findings.fail("positions", 0, "at least one trace with a fix")
    start = origin or (float(latitude[fixed][0]), float(longitude[fixed][0]))
    east, north = local_position(latitude, longitude, origin=start)
    position = np.full((n_traces, 3), np.nan)
    position[traces] = np.column_stack([east, north, height])
    sweep = recording.to_sweep(lane=lane, centre_frequency=centre_frequency)
    quality = sweep.quality & ~int(Quality.POSE_NONE | Quality.TIME_COARSE)
    coarse = np.ones(n_traces, bool)
    coarse[traces] = ~log.has_rtk[rows]
    no_pose = ~np.isfinite(position).all(axis=1)
    position[no_pose] = np.nan
    quality[no_pose] |= int(Quality.POSE_NONE)
    quality[coarse & ~no_pose] |= int(Quality.POSE_COARSE)
    breaks = traces[1:][np.diff(line) != 0]
    quality[breaks] |= int(Quality.GAP)
    times, is_guess, words = _times_of(n_traces, traces[rows_known], time[rows_known])
    quality[is_guess] |= int(Quality.TIME_COARSE)
    track = heading_of_track(position[:, 0], position[:, 1])
    heading = np.full(n_traces, np.nan)
    heading[traces] = log.heading[rows]
    heading = np.where(np.isfinite(heading), heading, track)
    n_without = n_traces - len(traces)
    if n_without:
        findings.warn(f"{n_without} of {n_traces} traces have no row in the log: POSE_NONE")
    ground = "height_above_ground_m" in log.values
    frame = local_frame(start, "above ground" if ground else "zero, no height above ground")
    findings.emit(stacklevel=2)
    return dataclasses.replace(
        sweep,
        time=times,
        position=position,
        heading=np.where(no_pose, np.nan, heading),
        quality=quality,
        frame=frame,
        history=(
            *sweep.history,
            f"join_skyhub: {len(traces)} traces placed by '{name}' of {log.path.name}, fixes "
            f"up to {max_gap:g} s apart; {words}",
            *(f"warning: {text}" for text in (*log.warnings, *findings.warnings)),
        ),
    )


def _pick_payload(log: PositionLog, payload: str | None) -> str:
    """Return the column with the numbers of traces."""
    spoken = [name for name, rows in log.traces.items() if (rows >= 0).any()]
    if payload is None:
        if len(spoken) != 1:
            msg = f"Invalid log '{log.path}' with payloads {spoken}. Must be one, or chosen."
            raise ValueError(msg)
        return spoken[0]
    found = {fold(name): name for name in log.traces}
    check_one_of(fold(payload), "payload", found)
    return found[fold(payload)]


def _match(
    findings: Findings,
    numbers: npt.NDArray[np.int64],
    n_traces: int,
    first: int | None,
    name: str,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return rows and the indices of the traces that they name."""
    rows = np.flatnonzero(numbers >= 0)
    if not len(rows):
        findings.fail(name, "no row", "a number of a trace in at least one row")
    said = numbers[rows]
    steps = np.diff(said)
    if (steps <= 0).any():
        bad = rows[1:][steps <= 0]
        what = "repeat or decrease"
        findings.fail(name, f"numbers {what} in rows {(bad[:10] + 1).tolist()}", "increasing")
    low, high = int(said[0]), int(said[-1])
    if first is None:
        fits = [base for base in (0, 1) if low >= base and high <= n_traces - 1 + base]
        if (low, high) == (0, n_traces - 1):
            first = 0
        elif (low, high) == (1, n_traces):
            first = 1
        elif len(fits) == 1:
            first = fits[0]
        elif fits:
            findings.fail(
                name,
                f"{low} to {high} for {n_traces} traces",
                "plain about its base, 0 or 1: pass first_trace",
            )
    outside = rows[(said < (first or 0)) | (said > n_traces - 1 + (first or 0))]
    if first is None or len(outside):
        found = f"{low} to {high}, rows {(outside[:10] + 1).tolist()}"
        findings.fail(name, found, f"within the {n_traces} traces of the recording")
    return rows, said - (first or 0)


def _places_at(
    log: PositionLog, rows: npt.NDArray[np.int64], max_gap: float
) -> tuple[Floats, Floats, Floats]:
    """Return latitude, longitude and height at rows, between fixes of the same line."""
    values = np.column_stack([log.latitude, log.longitude])
    finite = np.isfinite(log.longitude)
    values[finite, 1] = np.unwrap(log.longitude[finite], period=360)
    height = log.values.get("height_above_ground_m", np.zeros(len(log.time)))
    place = np.full((len(rows), 2), np.nan)
    for number in np.unique(log.line[rows]):
        there = (log.line == number) & finite & np.isfinite(log.time)
        fixes = np.flatnonzero(there)
        if not len(fixes):
            continue
        rising = fixes[log.time[fixes] >= np.maximum.accumulate(log.time[fixes])]
        _, first = np.unique(log.time[rising], return_index=True)
        fixes = rising[first]
        at = np.flatnonzero(log.line[rows] == number)
        place[at] = interpolate(
            log.time[fixes], values[fixes], log.time[rows[at]], max_gap=max_gap
        )
    longitude = (place[:, 1] + 180) % 360 - 180
    return place[:, 0], longitude, height[rows]


def _times_of(
    n_traces: int, traces: npt.NDArray[np.int64], time: Floats
) -> tuple[Floats, npt.NDArray[np.bool_], str]:
    """Return increasing times of all traces, which are not those of a row, and how."""
    guess = np.ones(n_traces, bool)
    if len(traces) < 2 or (np.diff(time) <= 0).any():
        words = "times of the rows do not increase: an order, 1 s a trace"
        return np.arange(n_traces, dtype=np.float64), guess, words
    guess[traces] = False
    step = float(np.median(np.diff(time) / np.diff(traces)))
    times = np.interp(np.arange(n_traces), traces, time)
    before, after = np.arange(traces[0]), np.arange(traces[-1] + 1, n_traces)
    times[before] = time[0] - step * (traces[0] - before)
    times[after] = time[-1] + step * (after - traces[-1])
    return times, guess, "times of the rows, of others between and beyond them by the rate"
