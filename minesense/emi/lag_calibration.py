"""Calibrate the lag of a detector from a drive to and fro over one target."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .._validation import check_positive
from ..sweep import Floats, Sweep
from ._timing import check_sweep
from .lag import Lag, estimate_lag

#: m, how far a platform must come back before it has turned, and the least length of a pass.
_TURN, _SHORTEST = 0.3, 0.6

#: A target was crossed if a pass stands out by this many times its own spread.
_STANDS_OUT = 8.0

#: Two passes over one target are at least so alike.
_ALIKE = 0.7

#: s, the least standard error of a pair: passes without noise may be equal bit for bit.
_LEAST_ERROR = 1e-9

#: Normal quantile of a 95 % interval.
_TWO_SIDED_95 = 1.96


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LagCalibration:
    """A lag from pairs of opposite passes, and how well they agree."""

    lag: float  #: s, weighted mean of the pairs; positive where samples come too late
    error: float  #: s, half of the 95 % interval
    pairs: tuple[Lag, ...]  #: each of a pass and the opposite one that followed it
    times: tuple[tuple[float, float], ...]  #: s, first and last of each pair
    n_passes: int  #: that were long enough
    refused: tuple[str, ...]  #: why passes or pairs were left out


def calibrate_lag(
    sweeps: Sequence[Sweep],
    *,
    largest: float = 1.0,
    reach: float = 0.1,
    smooth: float = 0.05,
) -> LagCalibration:
    r"""
    Estimate the lag from a recording in which one target was crossed in both directions.

    Parameters
    ----------
    sweeps : sequence of Sweep
        Of one metal detector in the order in which they were recorded, with positions, as
        sent: no stage has moved or filtered the samples.
    largest, reach, smooth : float
        As of :func:`~minesense.emi.lag.estimate_lag`, in s, m and m.

    Returns
    -------
    calibration : LagCalibration
        The lag, its 95 % error, and the pairs it comes from.

    Raises
    ------
    TypeError, ValueError
        If there are no two pairs of opposite passes in which a target stands out: because
        there are fewer than two passes, all go one way, nothing stands out, or they are not
        alike.

    Notes
    -----
    The line is the direction in which places spread most. A pass goes along it until the
    platform has come back by 0.3 m; shorter ones than 0.6 m are left out. From each channel
    and gate of a pass its median is taken off, and means over a fifth of `smooth` of track
    are formed. A pass counts if one of them exceeds 8 times its median absolute value, over
    0.6745, far enough from both ends that a lag of `largest` cannot move it there. Each pass
    is paired with the next one that goes the other way, every pass once, and
    :func:`~minesense.emi.lag.estimate_lag` gives the lag :math:`\tau_i` and standard error
    :math:`\sigma_i` of a pair. With :math:`w_i = \sigma_i^{-2}` and :math:`W = \sum w_i`,

    .. math:: \tau = \frac{1}{W} \sum_i w_i \tau_i, \quad
        s^2 = \frac{1}{W} \frac{\sum_i w_i (\tau_i - \tau)^2}{n - 1}.

    The stated error is the greater of :math:`1.96\,W^{-1/2}` and :math:`t\,s` with the
    quantile t of Student's distribution for n - 1 degrees of freedom (12.7 for two pairs, 3.2
    for four), so that pairs which contradict each other widen it. Errors of the positions
    show only there, which is why a single pair is refused. What is common
    to all passes, such as a wrong lever arm across the track or a position that lags itself,
    cannot be told from the lag.

    Examples
    --------
    >>> from minesense.sensor import Sensor
    >>> sensor = Sensor(name="demo", kind="emi", axis=[1e-5], lever_arms=[[0, 0, 0]])
    >>> time = 0.02 * np.arange(2000)
    >>> northing = np.abs((0.5 * time + 5) % 10 - 5)  # to and fro between 0 and 5 m
    >>> seen = np.abs((0.5 * (time - 0.2) + 5) % 10 - 5)  # 0.2 s late
    >>> noise = np.random.default_rng(0).normal(size=2000)
    >>> sweep = Sweep(
    ...     samples=(50 * np.exp(-(((seen - 2.0) / 0.2) ** 2)) + noise)[:, None, None],
    ...     time=time,
    ...     position=np.column_stack([0 * time, northing, 0 * time]),
    ...     heading=0 * time,
    ...     sensor=sensor,
    ... )
    >>> found = calibrate_lag([sweep])
    >>> abs(found.lag - 0.2) < found.error < 0.05, len(found.pairs)
    (True, 2)
    """
    largest = check_positive(largest, "largest")
    reach = check_positive(reach, "reach")
    smooth = check_positive(smooth, "smooth")
    for sweep in sweeps:
        check_sweep(sweep, "sweep")
        if sweep.sensor.kind != "emi":
            msg = (
                f"Invalid sensor of kind '{sweep.sensor.kind}'. Must be a metal detector, emi."
            )
            raise ValueError(msg)
    passes = _passes(sweeps, smooth / 5)
    if len(passes) < 2:
        msg = (
            f"Invalid recording: {_tally(sweeps)}, in {len(passes)} passes of {_SHORTEST} m or "
            "more. Must hold two or more to and two or more fro, over one target."
        )
        raise ValueError(msg)
    if len({direction for _, direction in passes}) < 2:
        msg = (
            f"Invalid recording: its {len(passes)} passes go one way. Must hold passes in both "
            "directions over one target, or a lag cannot be told from a shift."
        )
        raise ValueError(msg)
    seen, refused = [], []
    for sweep, direction in passes:
        trouble = _trouble(sweep, largest, 4 * smooth)
        if trouble:
            refused.append(trouble)
        else:
            seen.append((sweep, direction))
    pairs, times, other = _pair_up(seen, largest, reach, smooth)
    refused += other
    if not pairs:
        why = "; ".join(dict.fromkeys(refused)) or "a target is crossed in one direction only"
        msg = (
            f"Invalid recording: no pair of its {len(passes)} passes gives a lag ({why}). Must "
            "cross one target in both directions."
        )
        raise ValueError(msg)
    if len(pairs) == 1:
        msg = (
            "Invalid recording: one pair of opposite passes over a target. Must hold two or "
            "more: one shows no contradiction, nor errors of the positions."
        )
        raise ValueError(msg)
    lag, error = _mean_of(pairs)
    return LagCalibration(
        lag=lag,
        error=error,
        pairs=tuple(pairs),
        times=tuple(times),
        n_passes=len(passes),
        refused=tuple(refused),
    )


def _pair_up(
    seen: Sequence[tuple[Sweep, int]], largest: float, reach: float, smooth: float
) -> tuple[list[Lag], list[tuple[float, float]], list[str]]:
    """Return lags of passes and the opposite ones behind them, their times, and refusals."""
    pairs, times, refused = [], [], []
    k = 0
    while k + 1 < len(seen):
        (there, one), (back, other) = seen[k : k + 2]
        if one == other:
            k += 1
            continue
        k += 2
        try:
            pair = estimate_lag(there, back, largest=largest, reach=reach, smooth=smooth)
        except ValueError as reason:
            refused.append(str(reason))
            continue
        if not (pair.correlation >= _ALIKE and math.isfinite(pair.error)):
            refused.append(f"a pair whose passes correlate by {pair.correlation:.2f} only")
            continue
        pairs.append(pair)
        times.append((float(there.time[0]), float(back.time[-1])))
    return pairs, times, refused


def _tally(sweeps: Sequence[Sweep]) -> str:
    """Return how many scans there are, can be used, and have a place."""
    usable = sum(int(sweep.is_usable.sum()) for sweep in sweeps)
    located = sum(int(_is_located(sweep).sum()) for sweep in sweeps)
    return f"{sum(map(len, sweeps))} scans, {usable} usable, {located} of them with a place"


def _mean_of(pairs: Sequence[Lag]) -> tuple[float, float]:
    """Return the weighted mean of lags and half of its 95 % interval."""
    lags = np.array([pair.lag for pair in pairs])
    weights = np.maximum([pair.error for pair in pairs], _LEAST_ERROR) ** -2.0
    lag = float(weights @ lags / weights.sum())
    error = _TWO_SIDED_95 / math.sqrt(float(weights.sum()))
    from scipy.special import stdtrit  # noqa: PLC0415 - SciPy is slow to import

    n_others = len(pairs) - 1
    scatter = float(weights @ (lags - lag) ** 2) / n_others
    student = float(stdtrit(n_others, 0.975))
    return lag, max(error, student * math.sqrt(scatter / float(weights.sum())))


def _passes(sweeps: Sequence[Sweep], step: float) -> list[tuple[Sweep, int]]:
    """Return passes along the line of a recording, levelled, and the direction of each."""
    located = [
        _kept(sweep, keep) for sweep in sweeps if (keep := _is_located(sweep)).sum() >= 3
    ]
    if not located:
        return []
    places = np.concatenate([sweep.position[:, :2] for sweep in located])
    middle = places.mean(axis=0)
    along = np.linalg.svd(places - middle, full_matrices=False)[2][0]
    found = []
    for sweep in located:
        even = _means(sweep, step)
        line = (even.position[:, :2] - middle) @ along
        for start, stop in _legs(line):
            if stop - start >= 3 and abs(line[stop - 1] - line[start]) >= _SHORTEST:
                leg = even[start:stop]
                level = np.median(leg.samples, axis=0)
                direction = 1 if line[stop - 1] > line[start] else -1
                found.append((dataclasses.replace(leg, samples=leg.samples - level), direction))
    return found


def _is_located(sweep: Sweep) -> np.ndarray:
    """Return which traces mean something and have a place."""
    is_known = np.isfinite(sweep.position).all(axis=1) & np.isfinite(sweep.heading)
    return np.asarray(sweep.is_usable & is_known)


def _kept(sweep: Sweep, keep: np.ndarray) -> Sweep:
    """Return some traces."""
    return dataclasses.replace(
        sweep,
        samples=sweep.samples[keep],
        time=sweep.time[keep],
        position=sweep.position[keep],
        heading=sweep.heading[keep],
        quality=np.zeros(np.count_nonzero(keep), np.int64),
    )


def _means(sweep: Sweep, step: float) -> Sweep:
    """Return means over as many traces as are driven within a step: more tell nothing more."""
    steps = np.hypot(*np.diff(sweep.position[:, :2], axis=0).T)
    typical = float(np.median(steps[steps > 0])) if (steps > 0).any() else step
    n = max(1, int(step / max(typical, 1e-9)))
    if n == 1 or len(sweep) < 3 * n:
        return sweep
    starts = np.arange(0, len(sweep) - n + 1, n)

    def mean(values: np.ndarray) -> np.ndarray:
        whole = values[: len(starts) * n]
        return np.asarray(whole.reshape(len(starts), n, *values.shape[1:]).mean(axis=1))

    return dataclasses.replace(
        sweep,
        samples=mean(sweep.samples),
        time=mean(sweep.time),
        position=mean(sweep.position),
        heading=sweep.heading[starts + n // 2],
        quality=sweep.quality[starts],
    )


def _legs(line: Floats) -> list[tuple[int, int]]:
    """Return first and last-but-one indices between the turns of a way along a line."""
    turns, extreme, direction = [0], 0, 0
    for k, place in enumerate(line.tolist()):
        ahead = place - line[extreme]
        if direction == 0:
            if abs(ahead) >= _TURN:
                direction, extreme = (1 if ahead > 0 else -1), k
        elif direction * ahead > 0:
            extreme = k
        elif -direction * ahead >= _TURN:
            turns.append(extreme)
            direction, extreme = -direction, k
    return [*zip(turns, [*turns[1:], len(line) - 1], strict=True)]


def _trouble(sweep: Sweep, largest: float, margin: float) -> str:
    """Return why a pass tells no lag; empty if it does."""
    size = np.abs(sweep.samples)
    spread = np.median(size, axis=0) / 0.6745
    begun = float(sweep.time[0])
    if not (size.max(axis=0) > _STANDS_OUT * spread).any():
        return f"nothing stands out in the pass that begins at {begun:.2f} s"
    ratio = size / np.where(spread > 0, spread, np.inf)
    peak = int(np.argmax(ratio.reshape(len(sweep), -1).max(axis=1)))
    ends = sweep.position[[0, -1], :2] - sweep.position[peak, :2]
    near = float(np.hypot(*ends.T).min())
    length = float(np.hypot(*(sweep.position[-1, :2] - sweep.position[0, :2])))
    least = largest * length / float(sweep.time[-1] - begun) + margin
    if near < least:
        return (
            f"in the pass that begins at {begun:.2f} s the target is {near:.2f} m from an end, "
            f"less than the {least:.2f} m that lags of {largest:g} s need"
        )
    return ""
