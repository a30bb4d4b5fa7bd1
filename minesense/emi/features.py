"""Features of a metal-detector candidate: size, decay and width, with names and units."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from .._validation import check_positive
from ..alarm import Feature
from ..sweep import Floats, Sweep
from .preprocess import check_gated

#: Features of :func:`coil_features`, in the order of its columns.
FEATURES: tuple[Feature, ...] = (
    Feature("peak_score", "1", "largest prescreener score within 0.15 m along track"),
    Feature("early_level", "dB", "mean of the first third of the gates against their spread"),
    Feature("middle_level", "dB", "the same of the second third"),
    Feature("late_level", "dB", "the same of the last third"),
    Feature("early_amplitude", "dB", "mean of the first third of the gates against 1 nV/A"),
    Feature("middle_ratio", "dB", "second third against the first"),
    Feature("late_ratio", "dB", "last third against the first"),
    Feature("decay_time", "s", "amplitude-weighted mean gate time"),
    Feature("power_exponent", "1", "slope of log amplitude against log gate time; soil is -1"),
    Feature("soil_likeness", "1", "cosine of the decay with that of viscous soil"),
    Feature("along_width", "m", "spread of early amplitude along track"),
    Feature("across_ratio", "dB", "neighbouring coils against this one"),
    Feature("across_balance", "1", "difference of the two neighbours over their sum"),
    Feature("symmetry", "1", "correlation of the profile with its mirror image"),
)

_REACH = 0.4  # m of track on each side
_NEAR = 0.15  # m within which the peak may lie


def coil_features(
    sweep: Sweep,
    scores: Sweep,
    traces: Sequence[int],
    channels: Sequence[int],
    *,
    spread: Floats,
    soil: Floats,
    spacing: float,
) -> Floats:
    """
    Describe the responses at candidate places.

    Parameters
    ----------
    sweep : Sweep
        One continuous lane with its baseline removed, in V/A.
    scores : Sweep
        The prescreener's scores of the same traces.
    traces, channels : (n,) sequence of int
        Trace and coil of each candidate.
    spread : (n_channels, n_gates) float64 ndarray
        Standard deviation of each gate over background, in V/A.
    soil : (n_gates,) float64 ndarray
        Decay of viscous soil at the gates, in any unit.
    spacing : float
        Distance between neighbouring traces, in metres.

    Returns
    -------
    features : (n, n_features) float64 ndarray
        Columns as in :data:`FEATURES`; a row of NaN where the trace itself is unusable.

    Raises
    ------
    ValueError
        If the sensor is not a metal detector of gates, the two sweeps differ in length,
        there are fewer than three gates, `spread` or `soil` do not fit them, `spacing` is
        not greater than zero or beyond 0.4 m, or a trace or channel is outside the sweep.

    Notes
    -----
    The response is taken where the early gates are largest within 0.15 m along track.
    Levels below -20 dB of the spread count as -20 dB, so that noise has one value. What
    compares a coil with its neighbours is NaN where it has none.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.emi import COIL_FEATURES
    >>> [feature.unit for feature in COIL_FEATURES][:2]
    ['1', 'dB']
    """
    spacing = check_positive(spacing, "spacing")
    if len(sweep) != len(scores):
        msg = f"Invalid scores of {len(scores)} traces. Must be {len(sweep)}, like the sweep."
        raise ValueError(msg)
    if spacing > _REACH:
        msg = f"Invalid spacing '{spacing}'. Must be at most {_REACH} m, the reach looked at."
        raise ValueError(msg)
    n_traces, (n_channels, n_gates) = len(sweep), check_gated(sweep.sensor).shape
    if n_gates < 3:
        msg = f"Invalid sweep of {n_gates} gates. Must have at least 3."
        raise ValueError(msg)
    spread, soil = np.asarray(spread, np.float64), np.asarray(soil, np.float64)
    if spread.shape != (n_channels, n_gates) or soil.shape != (n_gates,):
        msg = (
            f"Invalid spread or soil with shapes {spread.shape} and {soil.shape}. "
            f"Must be {(n_channels, n_gates)} and {(n_gates,)}."
        )
        raise ValueError(msg)
    result = np.full((len(traces), len(FEATURES)), np.nan)
    for row, (i, c) in enumerate(zip(traces, channels, strict=True)):
        if not (0 <= i < n_traces and 0 <= c < n_channels):
            msg = f"Invalid trace {i}, channel {c}. Must lie in {n_traces}, {n_channels}."
            raise ValueError(msg)
        if sweep.is_usable[i]:
            result[row] = _describe(sweep, scores, i, c, spread, soil, spacing)
    return result


def _describe(
    sweep: Sweep, scores: Sweep, i: int, c: int, spread: Floats, soil: Floats, spacing: float
) -> Floats:
    """Return the features of one candidate in the order of FEATURES."""
    reach, near = round(_REACH / spacing), max(1, round(_NEAR / spacing))
    n_gates = sweep.sensor.shape[1]
    thirds = np.array_split(np.arange(n_gates), 3)
    early = _profile(sweep, thirds[0], i, reach)  # (traces, channels)
    at = reach - near + int(np.nanargmax(early[reach - near : reach + near + 1, c]))
    early = np.nan_to_num(early)
    trace = i - reach + at
    decay = sweep.samples[trace, c].astype(np.float64)
    levels = [decay[third].mean() for third in thirds]
    noise = [spread[c, third].mean() for third in thirds]
    score = np.nan_to_num(scores.samples[max(0, i - near) : i + near + 1, c, 0])
    floor = 0.1 * noise[0]
    gate_time = sweep.sensor.axis
    positive = np.maximum(decay, 0.1 * spread[c])
    profile = np.maximum(early[:, c], 0)
    distance = spacing * np.abs(np.arange(-reach, reach + 1))
    left = early[at, c - 1] if c > 0 else np.nan
    right = early[at, c + 1] if c + 1 < early.shape[1] else np.nan
    sides = np.maximum([left, right], floor)
    there = sides[np.isfinite(sides)]
    beside = there.mean() if len(there) else np.nan  # a coil alone has no neighbour
    return np.array(
        [
            score.max(initial=0.0),
            *(_decibel(level / s, -20.0) for level, s in zip(levels, noise, strict=True)),
            _decibel(levels[0] / 1e-9, -60.0),
            _decibel(max(levels[1], floor) / max(levels[0], floor), -60.0),
            _decibel(max(levels[2], 0.1 * noise[2]) / max(levels[0], floor), -60.0),
            (positive * gate_time).sum() / positive.sum(),
            np.polyfit(np.log(gate_time), np.log(positive), 1)[0],
            (decay @ soil) / (np.linalg.norm(decay) * np.linalg.norm(soil) + 1e-30),
            np.sqrt((profile * distance**2).sum() / (profile.sum() + 1e-30)),
            _decibel(beside / max(levels[0], floor), -60.0),
            abs(sides[1] - sides[0]) / sides.sum(),
            (profile * profile[::-1]).sum() / ((profile**2).sum() + 1e-30),
        ]
    )


def _profile(sweep: Sweep, gates: npt.NDArray[np.integer], i: int, reach: int) -> Floats:
    """Return the mean of some gates at traces i +- reach, NaN where there is none."""
    profile = np.full((2 * reach + 1, sweep.sensor.shape[0]), np.nan)
    low, high = max(0, i - reach), min(len(sweep), i + reach + 1)
    block = sweep.samples[low:high][:, :, gates].mean(axis=2)
    profile[low - i + reach : high - i + reach] = block
    return profile


def _decibel(ratio: float, least: float) -> float:
    """Return an amplitude ratio in decibels, at least `least`."""
    return float(20 * np.log10(np.maximum(ratio, 10 ** (least / 20))))
