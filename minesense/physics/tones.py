"""From the tones of a stepped-frequency radar to a trace in time."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import numpy.typing as npt

from .._validation import check_count, check_not_negative, check_one_of, check_positive
from .radar_checks import check_grid

Window = Literal["hann", "kaiser", "none"]


def tones_to_time(
    spectra: npt.ArrayLike,
    frequency: npt.ArrayLike,
    *,
    n_samples: int,
    interval: float,
    window: Window = "hann",
    beta: float = 6.0,
) -> npt.NDArray[np.float32]:
    r"""
    Transform what a stepped-frequency radar records to traces in time.

    Parameters
    ----------
    spectra : (..., n_freq) array_like
        Complex, as of :func:`radar_spectra`.
    frequency : (n_freq,) array_like
        Tones in regular steps, Hz.
    n_samples : int
        Samples of a trace, from time zero on.
    interval : float
        Between samples, s; at most half the period of the last tone.
    window : {"hann", "kaiser", "none"}
        What weights the tones, against ringing of the band's edges.
    beta : float
        Of the Kaiser window, zero or more.

    Returns
    -------
    traces : (..., n_samples) float32 ndarray
        Real, in the unit of the spectra: an echo that is the same at all tones has a peak of
        its own size.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range or a shape does not fit.

    Notes
    -----
    .. math:: x(t) = \mathrm{Re} \sum_n w_n X_n e^{2 \pi i f_n t} \Big/ \sum_n w_n ,

    with every tone at its own frequency, so that echoes keep their phase. Two echoes part
    after about the inverse of the bandwidth, twice that with a Hann window, and the trace
    repeats after the inverse of the step of the tones.

    References
    ----------
    Harris, F. J. (1978). On the use of windows for harmonic analysis with the discrete
    Fourier transform. *Proceedings of the IEEE*, 66(1).
    https://doi.org/10.1109/PROC.1978.10837

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.physics import tones_to_time
    >>> tones = np.linspace(1e9, 3e9, 101)
    >>> echo = 0.5 * np.exp(-2j * np.pi * tones * 4e-9)
    >>> trace = tones_to_time(echo, tones, n_samples=100, interval=0.1e-9)
    >>> int(trace.argmax()), trace.max().round(3)
    (40, np.float32(0.5))
    """
    grid, _ = check_grid(frequency)
    n_samples = check_count(n_samples, "n_samples")
    interval = check_positive(interval, "interval")
    if interval > 0.5 / grid[-1]:
        msg = (
            f"Invalid interval '{interval}'. Must be at most half the period of the last tone, "
            f"{0.5 / grid[-1]:.3g} s."
        )
        raise ValueError(msg)
    values = np.asarray(spectra)
    if values.dtype.kind not in "iufc" or values.shape[-1:] != grid.shape:
        msg = (
            f"Invalid spectra of dtype {values.dtype} with shape {values.shape}. Must be "
            f"numbers at the {len(grid)} tones."
        )
        raise ValueError(msg)
    check_one_of(window, "window", ("hann", "kaiser", "none"))
    weight = np.ones(len(grid))
    if window == "hann":
        # a sample inside the zeros at both ends, so that no tone is lost
        weight = np.hanning(len(grid) + 2)[1:-1]
    elif window == "kaiser":
        weight = np.kaiser(len(grid), check_not_negative(beta, "beta"))
    angle = 2 * math.pi * np.outer(grid, np.arange(n_samples) * interval)
    wave = np.exp(1j * angle) * (weight / weight.sum())[:, None]
    return np.asarray((values @ wave).real, dtype=np.float32)
