"""What a pulse-induction receiver makes of exponentials: every effect is one factor."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .._validation import check_array, check_not_negative, check_shape
from ..sensor import PulseTrain
from .relaxation import Floats


def gate_factors(train: PulseTrain, thetas: npt.ArrayLike) -> Floats:
    r"""
    Compute what the pulse train and the gates make of decaying exponentials.

    Parameters
    ----------
    train : PulseTrain
        Waveform and gates; its receiver does not matter here.
    thetas : (n,) array_like
        Time constants of the step-off response, s.

    Returns
    -------
    factors : (n, n_gates) float64 ndarray
        Mean over each gate of what the train makes of exp(-t / theta); t counts from the
        end of turn-off.

    Raises
    ------
    TypeError, ValueError
        If `train` is no PulseTrain or a time constant is not greater than zero.

    Notes
    -----
    With ramp :math:`T_r`, pulse :math:`T_p`, a pulse every :math:`T_h` and gate
    :math:`t_1 .. t_2`, the factor is

    .. math:: \frac{\frac{\theta}{T_r}\left(1 - e^{-T_r/\theta}\right)
        - e^{-(T_p + T_r)/\theta}}{1 \pm e^{-T_h/\theta}} \cdot
        \frac{\theta \left(e^{-t_1/\theta} - e^{-t_2/\theta}\right)}{t_2 - t_1} ,

    with plus where the polarity alternates, minus where it does not and 1 in place of the
    denominator after a single pulse. An ideal turn-off has 1 in place of the first term, a
    current that was on for ever 0 in place of the second. All is arranged so that time
    constants far longer or shorter than the pulse keep their digits.

    Examples
    --------
    >>> from minesense.physics import gate_factors
    >>> from minesense.sensor import PulseTrain
    >>> train = PulseTrain(
    ...     pulse=200e-6, ramp=5e-6, half_period=1e-3, receiver_tau=1e-6, gates=[[20e-6, 30e-6]]
    ... )
    >>> gate_factors(train, [1e-4]).round(6).tolist()
    [[0.659637]]
    """
    train = check_train(train)
    theta = check_array(thetas, "thetas", ("n",))
    if (theta <= 0).any():
        msg = f"Invalid thetas: the least is '{theta.min()}'. Must be greater than zero."
        raise ValueError(msg)
    course = _pulse_factor(train, theta)
    if train.half_period is not None:
        rest = -train.half_period / theta
        course = course / (1 + np.exp(rest) if train.polarity == "bipolar" else -np.expm1(rest))
    start = train.gates[:, 0]
    width = (train.gates[:, 1] - start) / theta[:, None]
    return np.asarray(
        course[:, None] * np.exp(-start / theta[:, None]) * -np.expm1(-width) / width
    )


def step_off_coefficients(
    instantaneous: npt.ArrayLike,
    amplitudes: npt.ArrayLike,
    taus: npt.ArrayLike,
    *,
    receiver_tau: float,
) -> tuple[Floats, Floats]:
    r"""
    Write the voltage after an ideal step-off, through a receiver of one pole, as exponentials.

    Parameters
    ----------
    instantaneous : (...) array_like
        Part of the response without delay, in any unit.
    amplitudes : (n, ...) array_like
        Amplitude of each relaxation, in the same unit.
    taus : (n,) array_like
        Their time constants, s.
    receiver_tau : float
        Time constant of the receiver, s; 0 for an ideal one.

    Returns
    -------
    thetas : (n + 1,) float64 ndarray
        Time constants of the voltage in s, that of the receiver last; (n,) if it is ideal.
    coefficients : (n + 1, ...) float64 ndarray
        What multiplies exp(-t / theta), in the unit given over s.

    Raises
    ------
    ValueError
        If a shape does not fit, a time constant is not greater than zero or that of the
        receiver is negative.

    Notes
    -----
    With :math:`u_\infty`, :math:`u_k` the arguments,

    .. math:: c_{\tau_k} = \frac{u_k}{\tau_k - \tau_r}, \qquad
        c_{\tau_r} = \frac{u_\infty}{\tau_r} - \sum_k \frac{u_k}{\tau_k - \tau_r} .

    The first term of the last one is the transient of the receiver: it shows an
    instantaneous response long after it has ended. A time constant nearer than one
    millionth to that of the receiver is moved to that distance. An ideal receiver shows
    :math:`c_{\tau_k} = u_k / \tau_k` alone: the instantaneous part is over when the ramp is.

    Examples
    --------
    >>> from minesense.physics import step_off_coefficients
    >>> thetas, coefficients = step_off_coefficients(0.0, [2.0], [3.0], receiver_tau=1.0)
    >>> thetas.tolist(), coefficients.tolist()
    ([3.0, 1.0], [1.0, -1.0])
    """
    tau_r = check_not_negative(receiver_tau, "receiver_tau")
    tau = check_array(taus, "taus", ("n",))
    if (tau <= 0).any():
        msg = f"Invalid taus: the least is '{tau.min()}'. Must be greater than zero."
        raise ValueError(msg)
    direct = np.asarray(instantaneous, dtype=np.float64)
    delayed = np.asarray(amplitudes, dtype=np.float64)
    check_shape(delayed, "amplitudes", (len(tau), *direct.shape))
    if tau_r == 0:
        return tau, delayed / tau.reshape(-1, *(1,) * direct.ndim)
    tau = keep_apart(tau, tau_r)
    own = delayed / (tau - tau_r).reshape(-1, *(1,) * direct.ndim)
    last = direct / tau_r - own.sum(axis=0)
    return np.append(tau, tau_r), np.concatenate([own, last[None]])


def keep_apart(taus: Floats, receiver_tau: float) -> Floats:
    """
    Move time constants that all but equal that of the receiver, whose terms would cancel.

    Parameters
    ----------
    taus : (n,) float64 ndarray
        Time constants of relaxations, s.
    receiver_tau : float
        That of the receiver, s, greater than zero.

    Returns
    -------
    taus : (n,) float64 ndarray
        Those nearer than one millionth moved to that distance.
    """
    is_near = np.abs(taus - receiver_tau) < 1e-6 * receiver_tau
    aside = np.where(
        taus < receiver_tau, receiver_tau - 1e-6 * receiver_tau, receiver_tau * (1 + 1e-6)
    )
    return np.where(is_near, aside, taus)


def check_train(train: Any) -> PulseTrain:
    """
    Return train if it is the waveform of a pulse-induction head.

    Parameters
    ----------
    train : object
        What was given.

    Returns
    -------
    train : PulseTrain
        The same.
    """
    if not isinstance(train, PulseTrain):
        msg = f"Invalid train {train!r}. Must be a PulseTrain."
        raise TypeError(msg)
    return train


def _pulse_factor(train: PulseTrain, theta: Floats) -> Floats:
    """Return what one pulse makes of exp(-t / theta)."""
    ramp, length = train.ramp / theta, (train.pulse + train.ramp) / theta
    # ramp - 1 and 1 - e^{...}, both small for long time constants, instead of ramp - e^{...}
    slow = _ramp_less_one(ramp) - np.expm1(-length)
    fast = np.divide(-np.expm1(-ramp), ramp, out=np.ones_like(ramp), where=ramp > 0)
    return np.where(ramp < 1, slow, fast - np.exp(-length))


def _ramp_less_one(x: Floats) -> Floats:
    """Return (1 - e^-x) / x - 1, by its series where that would cancel."""
    small, large = np.minimum(x, 0.05), np.maximum(x, 0.05)
    series = np.zeros_like(small)
    for n in range(9, 1, -1):  # -x/2 + x^2/6 - x^3/24 ..., by Horner's rule
        series = -small / n * (1 + series)
    return np.where(x < 0.05, series, -np.expm1(-large) / large - 1)
