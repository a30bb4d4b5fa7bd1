"""What a metal detector receives from uniform viscous magnetic ground."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .._validation import check_array, check_number
from ..constants import MU_0
from ..sensor import Head
from .ground_image import check_height, image_factor, image_inductance
from .ground_table import GroundTable
from .pulse import check_train, gate_factors, step_off_coefficients
from .relaxation import Complexes, Floats
from .scene import check_head, check_wave
from .viscosity import (
    LONGEST_TAU,
    SHORTEST_TAU,
    check_viscous_sign,
    vrm_relaxation,
    vrm_susceptibility,
)


def soil_pulse_voltage(
    height: npt.ArrayLike,
    *,
    head: Head,
    susceptibility: npt.ArrayLike,
    viscous_share: float = 1.0,
    tau1: float = SHORTEST_TAU,
    tau2: float = LONGEST_TAU,
    rotation: npt.ArrayLike | None = None,
    table: GroundTable | None = None,
) -> Floats:
    r"""
    Compute the gate voltages of a head over viscous magnetic soil.

    Parameters
    ----------
    height : (n,) array_like
        Of the origin of the wires over the ground, m.
    head : Head
        Of pulse induction, with any windings.
    susceptibility : float or (n,) array_like
        Static susceptibility of the soil under each position, SI, dimensionless; not
        negative where any of it is viscous.
    viscous_share, tau1, tau2
        As in :func:`vrm_relaxation`.
    rotation : (n, 3, 3) array_like, optional
        How the platform stands, as :func:`~minesense.physics.attitude` returns it; level by
        default.
    table : GroundTable, optional
        Of this head, for many positions: :func:`tabulate_ground`.

    Returns
    -------
    voltage : (n, n_gates) float64 ndarray
        In V per ampere, to be added to that of :func:`pulse_voltage`.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range, a shape does not fit, a wire touches the ground, or
        `table` is of another head.

    Notes
    -----
    The flux of :func:`image_inductance` at the static susceptibility, with the time course
    of :func:`vrm_relaxation`. The image factor :math:`\beta` is not quite proportional to
    :math:`\chi(\omega)`: to use its static value is an error of the order of
    :math:`\chi/2`, below 2.5 % even at 0.05. Soil that varies from place to place is
    taken as uniform under each position: its mean there is that of
    :func:`ground_weights`.

    Examples
    --------
    >>> from minesense.physics import heads, soil_pulse_voltage
    >>> from minesense.sensor import PulseTrain
    >>> train = PulseTrain(
    ...     pulse=200e-6, ramp=5e-6, half_period=1e-3, receiver_tau=1e-6, gates=[[20e-6, 30e-6]]
    ... )
    >>> head = heads.single(radius=0.1, excitation=train)
    >>> low, high = soil_pulse_voltage([0.03, 0.05], head=head, susceptibility=1e-3)
    >>> round(float(low[0] / high[0]), 3)
    1.882
    """
    train = check_train(check_head(head).excitation)
    chi, coupling = _soil_under(height, head, susceptibility, viscous_share, rotation, table)
    # The course of a soil of chi0 = 1; the image scales it.
    course = vrm_relaxation(chi0=1.0, tau1=tau1, tau2=tau2, viscous_share=viscous_share)
    thetas, coefficients = step_off_coefficients(
        course.instantaneous[0, 0],
        course.amplitudes[:, 0, 0],
        course.taus,
        receiver_tau=train.receiver_tau,
    )
    factors = coefficients @ gate_factors(train, thetas)
    return np.asarray((image_factor(chi) * coupling)[:, None] * factors)


def soil_wave_response(
    height: npt.ArrayLike,
    *,
    head: Head,
    susceptibility: npt.ArrayLike,
    viscous_share: float = 1.0,
    tau1: float = SHORTEST_TAU,
    tau2: float = LONGEST_TAU,
    rotation: npt.ArrayLike | None = None,
    table: GroundTable | None = None,
) -> Complexes:
    r"""
    Compute the continuous-wave response of a head to viscous magnetic soil.

    Parameters
    ----------
    height : (n,) array_like
        Of the origin of the wires over the ground, m.
    head : Head
        Of continuous wave, with any windings.
    susceptibility, viscous_share, tau1, tau2, rotation, table
        As in :func:`soil_pulse_voltage`.

    Returns
    -------
    response : (n, n_frequencies) complex128 ndarray
        In metres, to be added to that of :func:`continuous_wave_response`.

    Raises
    ------
    TypeError, ValueError
        As :func:`soil_pulse_voltage` does, for a head of continuous wave.

    Notes
    -----
    :math:`\beta(\chi(\omega)) M / \mu_0` with the susceptibility of
    :func:`vrm_susceptibility` and :math:`M` of :func:`image_inductance`: exact for flat,
    uniform ground that does not conduct.

    Examples
    --------
    >>> from minesense.physics import heads, soil_wave_response
    >>> from minesense.sensor import ContinuousWave
    >>> head = heads.single(radius=0.1, excitation=ContinuousWave(frequencies=[1e4]))
    >>> response = soil_wave_response([0.05], head=head, susceptibility=1e-3)
    >>> bool(response[0, 0].real > 0 > response[0, 0].imag)
    True
    """
    wave = check_wave(check_head(head).excitation)
    chi, coupling = _soil_under(height, head, susceptibility, viscous_share, rotation, table)
    course = vrm_susceptibility(
        wave.frequencies, chi0=1.0, tau1=tau1, tau2=tau2, viscous_share=viscous_share
    )
    beta = image_factor(np.multiply.outer(np.broadcast_to(chi, coupling.shape), course))
    return np.asarray(beta * coupling[:, None] / MU_0, np.complex128)


def _soil_under(
    height: npt.ArrayLike,
    head: Head,
    susceptibility: npt.ArrayLike,
    viscous_share: float,
    rotation: npt.ArrayLike | None,
    table: GroundTable | None,
) -> tuple[Floats, Floats]:
    """Return the susceptibility under each position, and the inductance of the image."""
    heights = check_height(check_array(height, "height", ("n",)))
    chi = np.asarray(susceptibility)
    chi = check_array(chi, "susceptibility", () if chi.ndim == 0 else (len(heights),))
    image_factor(chi)  # refuses what is out of range before anything long
    check_viscous_sign(chi, check_number(viscous_share, "viscous_share"), "susceptibility")
    if table is None:
        return chi, image_inductance(heights, head=head, rotation=rotation)
    table.check_head(head)
    return chi, table.inductance(heights, rotation=rotation)
