"""Second-order sections over rows of numbers, and those that stop one frequency."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from .._kernels.recursive import filter_sections
from .._validation import check_array, check_count, check_positive
from ..sweep import Floats, Samples


class SectionFilter:
    r"""
    Second-order sections in series over rows of numbers, of which each column is a signal.

    The lightest form of a recursive filter, for drivers that have a row of numbers at a
    time: stages for sweeps are made of it.

    Parameters
    ----------
    sections : (n_sections, 6) array_like
        Coefficients :math:`b_0, b_1, b_2, a_0, a_1, a_2` as
        :func:`scipy.signal.butter` gives them with ``output="sos"``; :math:`a_0` is 1,
        :math:`b_0` is not 0.
    width : int
        Columns of a row.
    bridges : bool
        What goes in for a row that is not usable: the row that leaves the output as it was,
        so that an oscillation that the sections stop is taken to go on (choose it for
        notches alone), or else the last usable row.

    Raises
    ------
    TypeError, ValueError
        If the coefficients are not as above, or a section is not stable.

    Notes
    -----
    Each section is in the transposed direct form II, in float64:

    .. math:: y = b_0 x + s_1, \quad s_1 \leftarrow b_1 x - a_1 y + s_2, \quad
        s_2 \leftarrow b_2 x - a_2 y .

    Its state at the first usable row is that of a row that has lasted for ever, as
    :func:`scipy.signal.sosfilt_zi` gives it times that row.

    Examples
    --------
    >>> smooth = SectionFilter([[0.5, 0, 0, 1, -0.5, 0]], 2)
    >>> [smooth.feed(np.array([row], np.float32))[0].tolist() for row in ([4, 0], [8, 1])]
    [[4.0, 0.0], [6.0, 0.5]]
    """

    def __init__(self, sections: npt.ArrayLike, width: int, *, bridges: bool = False):
        rows = check_array(sections, "sections", ("n_sections", 6))
        self.width = check_count(width, "width")
        self.bridges = bool(bridges)
        a1, a2 = rows[:, 4], rows[:, 5]
        is_good = (rows[:, 3] == 1) & (rows[:, 0] != 0)
        # the triangle in which both poles lie inside the unit circle
        is_good &= (np.abs(a2) < 1) & (np.abs(a1) < 1 + a2)
        if not is_good.all() or not len(rows):
            msg = (
                f"Invalid sections: {np.count_nonzero(~is_good)} of {len(rows)} have a0 other "
                "than 1, b0 of 0 or a pole that is not inside the unit circle. Must be one "
                "or more stable sections."
            )
            raise ValueError(msg)
        self._sections = np.ascontiguousarray(rows[:, [0, 1, 2, 4, 5]])
        self._all = np.ones(1, np.bool_)
        self.reset()

    def reset(self) -> None:
        """Forget the signal; the next usable row settles the sections anew."""
        self._state = np.zeros((len(self._sections), 2, self.width))
        self._held = np.zeros((2, self.width))
        self._tally = np.zeros(1, np.int64)

    def feed(self, rows: Samples, is_usable: npt.NDArray[np.bool_] | None = None) -> Samples:
        """
        Take the next rows; return them filtered.

        Parameters
        ----------
        rows : (n_rows, width) float32 ndarray
            C-contiguous, finite where usable.
        is_usable : (n_rows,) bool ndarray, optional
            Which rows mean anything, by default all.

        Returns
        -------
        filtered : (n_rows, width) float32 ndarray
            Zero where not usable.

        Raises
        ------
        ValueError
            If the width or type differs, or flags are not one for each row.
        """
        if rows.ndim != 2 or rows.shape[1] != self.width or rows.dtype != np.float32:
            msg = (
                f"Invalid rows with shape {rows.shape} of dtype {rows.dtype}. Must be "
                f"(n_rows, {self.width}) of float32."
            )
            raise ValueError(msg)
        if is_usable is None:
            if len(rows) != len(self._all):
                self._all = np.ones(len(rows), np.bool_)
            is_usable = self._all
        elif is_usable.shape != rows.shape[:1]:
            msg = f"Invalid is_usable with shape {is_usable.shape}. Must be ({len(rows)},)."
            raise ValueError(msg)
        filtered = np.empty_like(rows)
        filter_sections(
            rows,
            is_usable,
            self._sections,
            self.bridges,
            self._state,
            self._held,
            self._tally,
            filtered,
        )
        return filtered


def aliased_frequency(frequency: float, interval: float) -> float:
    r"""
    Return the frequency at which an oscillation appears in samples.

    Parameters
    ----------
    frequency : float
        Of the oscillation, Hz.
    interval : float
        Between the samples, s.

    Returns
    -------
    alias : float
        From 0 to half the sample rate, Hz.

    Raises
    ------
    TypeError, ValueError
        If an argument is not finite and greater than zero.

    Notes
    -----
    With the rate :math:`f_s` it is :math:`|f - f_s \operatorname{round}(f / f_s)|`.

    Examples
    --------
    >>> aliased_frequency(50.0, 1 / 80)
    30.0
    """
    rate = 1 / check_positive(interval, "interval")
    frequency = check_positive(frequency, "frequency")
    return abs(frequency - rate * round(frequency / rate))


def notch_section(frequency: float, *, interval: float, bandwidth: float) -> Floats:
    r"""
    Return the second-order section that stops one frequency.

    Parameters
    ----------
    frequency : float
        To stop, Hz, below or at half the sample rate.
    interval : float
        Between samples, s.
    bandwidth : float
        Between the points of half the power, Hz, less than half the sample rate.

    Returns
    -------
    section : (6,) float64 ndarray
        Coefficients :math:`b_0, b_1, b_2, 1, a_1, a_2`.

    Raises
    ------
    TypeError, ValueError
        If an argument is not in its range.

    Notes
    -----
    With :math:`\omega = 2 \pi f \Delta`, :math:`\beta = 2 \pi B \Delta` and
    :math:`g = 1 / (1 + \tan(\beta / 2))`, as in Orfanidis (1996, *Introduction to Signal
    Processing*, Prentice-Hall) and :func:`scipy.signal.iirnotch`:

    .. math:: H(z) = g \, \frac{1 - 2 \cos\omega \, z^{-1} + z^{-2}}
        {1 - 2 g \cos\omega \, z^{-1} + (2 g - 1) z^{-2}} .

    Examples
    --------
    >>> notch_section(10.0, interval=0.02, bandwidth=1.0).round(3)
    array([ 0.941, -0.581,  0.941,  1.   , -0.581,  0.882])
    """
    interval = check_positive(interval, "interval")
    nyquist = 0.5 / interval
    frequency = check_positive(frequency, "frequency")
    bandwidth = check_positive(bandwidth, "bandwidth")
    for value, name in ((frequency, "frequency"), (bandwidth, "bandwidth")):
        if value > nyquist * (1 + 1e-12) or (name == "bandwidth" and value >= nyquist):
            msg = f"Invalid {name} '{value:g}'. Must be below {nyquist:g} Hz at this interval."
            raise ValueError(msg)
    cosine = math.cos(2 * math.pi * frequency * interval)
    gain = 1 / (1 + math.tan(math.pi * bandwidth * interval))
    middle = -2 * gain * cosine
    return np.array([gain, middle, gain, 1.0, middle, 2 * gain - 1])
