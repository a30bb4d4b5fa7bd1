"""The demodulator of a continuous-wave head on its way over the ground."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .._kernels import envelope
from .._validation import check_array, check_increasing, check_not_negative, check_shape
from .relaxation import Complexes


def demodulate(response: npt.ArrayLike, *, time: npt.ArrayLike, tau: float) -> Complexes:
    r"""
    Pass the envelope of a moving continuous-wave head through the pole of its demodulator.

    Parameters
    ----------
    response : (n, ...) array_like
        Real or complex, at the places that the head passes.
    time : (n,) array_like
        When it passes them, s, strictly increasing.
    tau : float
        Time constant of the demodulator, s; 0 for none.

    Returns
    -------
    filtered : (n, ...) complex128 ndarray
        As recorded. The head is taken to have stood still before the first value.

    Raises
    ------
    TypeError, ValueError
        If a shape does not fit, a value is not finite, time does not increase or `tau` is
        negative.

    Notes
    -----
    :math:`\tau \dot y = x - y`, exact for an envelope :math:`x` that is linear between
    samples, however they are spaced: with the step :math:`h` and slope :math:`s`,

    .. math:: y_k = x_k - s \tau + (y_{k-1} - x_{k-1} + s \tau)\, e^{-h/\tau} .

    Examples
    --------
    >>> demodulate([0.0, 1.0, 1.0], time=[0.0, 1e-6, 1.000001], tau=1.0).real.round(3)
    array([0.   , 0.   , 0.632])
    """
    values = np.asarray(response)
    if values.dtype.kind not in "iufc":
        msg = f"Invalid response of dtype {values.dtype}. Must be numbers."
        raise TypeError(msg)
    moments = check_increasing(check_array(time, "time", ("n",)), "time")
    check_shape(values, "response", (len(moments), *values.shape[1:]))
    if not np.isfinite(values).all():
        msg = "Invalid response. Must be finite."
        raise ValueError(msg)
    tau = check_not_negative(tau, "tau")
    filtered = np.array(values, np.complex128, order="C")
    if tau > 0 and filtered.size:
        parts = filtered.reshape(len(moments), -1).view(np.float64)
        envelope.pass_pole(parts.copy(), moments, tau, parts)
    return filtered
