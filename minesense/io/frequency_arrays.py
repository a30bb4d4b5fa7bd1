"""Tones and their values as arrays: whether they can be a sweep, and what looks doubtful."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .._validation import check_array, check_number, check_positive
from .trouble import Findings

Floats = npt.NDArray[np.float64]
Complexes = npt.NDArray[np.complex128]

_EVEN = 1e-6  # of the step: frequencies this even take the fast transform


def is_even(frequency: Floats) -> bool:
    """
    Tell whether the steps between frequencies are equal to a millionth.

    Parameters
    ----------
    frequency : (n_tones,) float64 ndarray
        Hz, two or more.

    Returns
    -------
    even : bool
        Whether every tone lies within a millionth of a step of a regular raster.

    Examples
    --------
    >>> is_even(np.array([1.0, 2.0, 3.0])), is_even(np.array([1.0, 2.0, 4.0]))
    (True, False)
    """
    raster = np.linspace(frequency[0], frequency[-1], len(frequency))
    step = (frequency[-1] - frequency[0]) / (len(frequency) - 1)
    # rounded to single hertz or to 17 digits, tones stray by as much as that
    return bool(np.abs(frequency - raster).max() <= _EVEN * step)


def check_arrays(
    frequency: npt.ArrayLike,
    values: npt.ArrayLike,
    parameters: tuple[str, ...] | None,
    position: npt.ArrayLike | None,
) -> tuple[Floats, Complexes, tuple[str, ...], Floats | None]:
    """
    Return tones, values by position, channel and tone, names of channels, and positions.

    Raises
    ------
    TypeError, ValueError
        As in :func:`~minesense.io.frequency_sweep.from_frequency_sweep`.
    """
    tones = check_array(frequency, "frequency", ("n_tones",))
    if len(tones) < 2 or tones[0] < 0 or (np.diff(tones) <= 0).any():
        bad = np.flatnonzero(np.diff(tones) <= 0)
        where = f", tone {int(bad[0]) + 1} is not above the one before" if len(bad) else ""
        msg = (
            f"Invalid frequency with {len(tones)} tones{where}. Must be two or more, "
            "increasing, none below 0 Hz."
        )
        raise ValueError(msg)
    array = np.asarray(values)
    if array.dtype.kind not in "iufc":
        msg = f"Invalid values of dtype {array.dtype}. Must be complex numbers."
        raise TypeError(msg)
    if array.ndim not in (1, 2, 3) or array.shape[-1] != len(tones):
        msg = (
            f"Invalid values with shape {array.shape}. Must be ([n_positions, [n_channels,]] "
            f"{len(tones)})."
        )
        raise ValueError(msg)
    if array.ndim == 1:
        array = array[None, None]
    elif array.ndim == 2:
        array = array[:, None]
    cube = np.ascontiguousarray(array, dtype=np.complex128)
    names = parameters or (("S21",) if cube.shape[1] == 1 else ())
    if len(names) != cube.shape[1]:
        msg = f"Invalid parameters {names!r}. Must name each of {cube.shape[1]} channels."
        raise ValueError(msg)
    place = None
    if position is not None:
        place = np.asarray(position, np.float64)
        if place.shape != (len(cube), 3):
            msg = f"Invalid position with shape {place.shape}. Must be ({len(cube)}, 3)."
            raise ValueError(msg)
    return tones, cube, tuple(names), place


def doubt_tones(findings: Findings, frequency: Floats, values: Complexes) -> None:
    """Warn of what does not look like a passive path with its echoes after the start."""
    parts = np.abs(np.ascontiguousarray(values).view(np.float64))
    finite = (parts <= np.finfo(np.float32).max).all(axis=(1, 2))
    if not finite.all():
        findings.warn(
            f"{np.count_nonzero(~finite)} of {finite.size} positions hold values that are not "
            f"finite in single precision, the first is position {int(np.argmin(finite))}"
        )
    good = values[finite]
    if not good.size:
        return
    largest = float(np.abs(good).max())
    if largest > 1 + 1e-9:
        findings.warn(f"values reach {largest:g}: no passive path gives more than 1")
    if (np.ptp(good.real, axis=-1) + np.ptp(good.imag, axis=-1) == 0).any():
        findings.warn("a sweep has the same value at all frequencies")
        return
    if not is_even(frequency):
        return
    late = total = 0.0
    half = good.shape[-1] // 2
    for position in good:  # one at a time: a survey may be large
        power = np.abs(np.fft.ifft(position, axis=-1)) ** 2
        total += float(power.sum())
        # The first and last samples hold what lies at time zero itself.
        late += float(power[..., half:].sum())
    if total > 0 and late > total / 2:
        findings.warn(
            "more energy lies in the second half of the range in time than in the first: "
            "phasors may turn the other way; pass is_conjugate=True if they do"
        )


def check_axis_option(start: float | None, stop: float | None, count: int) -> Floats:
    """
    Return evenly spaced frequencies from the first to the last one.

    Parameters
    ----------
    start, stop : float or None
        Hz.
    count : int
        How many.

    Returns
    -------
    frequency : (count,) float64 ndarray
        Hz.

    Raises
    ------
    TypeError, ValueError
        If there are fewer than two, or they are not finite numbers that increase from zero or
        more.

    Examples
    --------
    >>> check_axis_option(1e9, 2e9, 3).tolist()
    [1000000000.0, 1500000000.0, 2000000000.0]
    """
    first, last = check_number(start, "first frequency"), check_positive(stop, "last frequency")
    if count < 2 or not 0 <= first < last:
        msg = f"Invalid axis of {count} tones from {first:g} to {last:g} Hz. Must increase."
        raise ValueError(msg)
    return np.linspace(first, last, count)
