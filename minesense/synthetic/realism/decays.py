"""Which power of time the decays of soil and metal follow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...emi.preprocess import check_gated, soil_decay, train_of
from ...sensor import PulseTrain, Sensor
from ...sweep import Floats, Sweep
from .coils import gate_noise, samples_of, soil_of
from .missing import Missing, TooFewError

_ABOVE = 5.0  # times the noise, of gates that a decay is fitted to
_GATES = 4  # that an exponent needs
_ODD = 8.0  # robust standard deviations of what soil leaves, from which there is metal


@dataclass(frozen=True, slots=True, kw_only=True)
class DecayExponent:
    """Power of time that a decay follows over the gates."""

    voltage: float  #: of the samples as they are
    step: float | Missing  #: of the response to a step, freed of pulse, train and receiver
    n: int  #: decays that it is the median of


def soil_exponent(sweep: Sweep) -> DecayExponent:
    r"""
    Fit the power of time that the median decay of a lane follows.

    Parameters
    ----------
    sweep : Sweep
        A metal-detector lane of gates over ground that answers.

    Returns
    -------
    exponent : DecayExponent
        Median over coils.

    Raises
    ------
    ValueError
        If the sensor is not a metal detector of gates.
    TooFewError
        If fewer than fifty traces are usable, or fewer than four gates of any coil are above
        five times their noise.

    Notes
    -----
    The least-squares slope of :math:`\ln m_j` over :math:`\ln t_j`, for the gates with
    :math:`m_j > 5 \sigma_j`. Viscous soil has -1 after a step; a finite pulse and a train
    make its voltage steeper. With :math:`s_j` of :func:`minesense.emi.soil_decay` for the
    waveform, the slope of :math:`\ln (m_j / s_j)`, less one, is that of the step.

    Examples
    --------
    >>> from minesense.synthetic import cart, field, scenario
    >>> from minesense.synthetic.realism import soil_exponent
    >>> recipe = scenario("basalt", lanes={"length": 3.0}, layout={"density": 0.0})
    >>> made = field(recipe, seed=1)
    >>> _, coils = made.sweep(cart(n_antennas=1, n_coils=2), lanes=["lane 01"])
    >>> exponent = soil_exponent(coils)
    >>> round(exponent.step, 1), exponent.voltage < exponent.step
    (-1.0, True)
    """
    check_gated(sweep.sensor)
    noise = gate_noise(sweep)
    samples, _ = samples_of(sweep)
    return _exponent(sweep.sensor, np.median(samples, axis=0), noise)


def metal_exponent(sweep: Sweep) -> DecayExponent:
    r"""
    Fit the power of time that the decays of metal along a lane follow.

    Parameters
    ----------
    sweep : Sweep
        A lane of a pulse-induction detector whose head is known.

    Returns
    -------
    exponent : DecayExponent
        Median over the places that hold metal.

    Raises
    ------
    ValueError
        If the sensor is not a metal detector of gates with a head and a gate for each sample.
    TooFewError
        If fewer than fifty traces are usable, or no place stands out.

    Notes
    -----
    What soil leaves of :math:`x_k - m` is divided by the noise of its gates; a place stands
    out where the root of the sum of its squares exceeds the median along the lane by eight
    robust standard deviations, and counts with its strongest trace. The exponent is that of
    :func:`soil_exponent`, of :math:`x_k - m` there.

    Examples
    --------
    >>> from minesense.synthetic import cart, field, scenario
    >>> from minesense.synthetic.realism import metal_exponent
    >>> recipe = scenario("village", lanes={"length": 10.0}, layout={"density": 0.0})
    >>> _, coils = field(recipe, seed=1).sweep(cart(n_antennas=1), lanes=["lane 01"])
    >>> exponent = metal_exponent(coils)
    >>> exponent.n > 3, -4 < exponent.voltage < 0
    (True, True)
    """
    check_gated(sweep.sensor)
    basis = soil_of(sweep.sensor)
    noise = gate_noise(sweep)
    if not (noise > 0).all():
        msg = "a gate without noise: nothing to measure the metal by"
        raise TooFewError(msg)
    samples, _ = samples_of(sweep)
    deviation = samples - np.median(samples, axis=0)
    left = deviation - (deviation @ basis)[..., None] * basis
    score = np.sqrt(((left / noise) ** 2).sum(axis=2))
    middle = np.median(score, axis=0)
    limit = middle + _ODD * 1.4826 * np.median(np.abs(score - middle), axis=0)
    found = []
    for channel in range(samples.shape[1]):
        odd = np.flatnonzero(score[:, channel] > limit[channel])
        for run in np.split(odd, np.flatnonzero(np.diff(odd) > 1) + 1):
            if len(run):
                best = run[np.argmax(score[run, channel])]
                found.append(deviation[best, channel])
    if not found:
        msg = "no place stands out from the soil"
        raise TooFewError(msg)
    return _exponent(sweep.sensor, np.array(found), noise)


def _exponent(sensor: Sensor, decays: Floats, noise: Floats) -> DecayExponent:
    """Return the exponent of decays (n, n_gates)."""
    soil = _waveform(sensor)
    voltages, steps = [], []
    for decay in decays:
        good = (decay > _ABOVE * noise) & (sensor.axis > 0)
        if good.sum() < _GATES:
            continue
        time = np.log(sensor.axis[good])
        voltages.append(np.polyfit(time, np.log(decay[good]), 1)[0])
        if not isinstance(soil, Missing):
            steps.append(np.polyfit(time, np.log(decay[good] / soil[good]), 1)[0] - 1)
    if not voltages:
        msg = f"of no decay {_GATES} gates are above {_ABOVE:g} times their noise"
        raise TooFewError(msg)
    step = soil if isinstance(soil, Missing) else float(np.median(steps))
    return DecayExponent(voltage=float(np.median(voltages)), step=step, n=len(voltages))


def _waveform(sensor: Sensor) -> Floats | Missing:
    """Return the decay of soil at the gates, if the waveform is known."""
    if not isinstance(sensor.excitation, PulseTrain):
        return Missing("the waveform of the head is not known")
    return soil_decay(train_of(sensor))
