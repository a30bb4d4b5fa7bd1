"""What a metal detector receives from small bodies: pulse and continuous wave."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..constants import MU_0
from ..sensor import Head, PulseTrain, Sensor
from .pulse import check_train, gate_factors, keep_apart
from .relaxation import Absence, Complexes, Floats, Relaxation, check_response
from .scene import (
    Objects,
    check_head,
    check_pose,
    check_wave,
    objects_within,
    sum_of_bodies,
)


def pulse_voltage(
    head_position: npt.ArrayLike,
    *,
    head: Head,
    object_position: npt.ArrayLike,
    objects: Objects,
    rotation: npt.ArrayLike | None = None,
    object_radius: npt.ArrayLike = 0.0,
    reach: float = math.inf,
) -> Floats:
    r"""
    Compute the gate voltages of a pulse-induction head near metal objects.

    Parameters
    ----------
    head_position : (n, 3) array_like
        Origin of the wires for each pulse train: easting, northing, upward, m.
    head : Head
        Of pulse induction, with any windings.
    object_position : (m, 3) array_like
        Easting, northing, upward of the objects, m.
    objects : sequence of Relaxation or Absence
        One for each position, in the same axes.
    rotation : (n, 3, 3) array_like, optional
        How the platform stands at each position, as :func:`~minesense.physics.attitude`
        returns it; by default level, forward to the north.
    object_radius : float or (m,) array_like
        Radius of a sphere around each object, m, that must not touch the head.
    reach : float
        Objects farther than this from the origin of the head are left out, m.

    Returns
    -------
    voltage : (n, n_gates) float64 ndarray
        In V per ampere, the sum over objects.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range, a shape does not fit, there is not one position
        for each object, or an object touches the head: it lies within 1 mm or its own radius
        of a wire, or reaches through the surface that a wire spans.

    Notes
    -----
    By reciprocity, with the fields of transmitter and receiver per ampere at the object,

    .. math:: V_g = \sum_{objects} h_{rx}^T T_g h_{tx} , \qquad
        T_g = \mu_0 \sum_\theta C_\theta f_g(\theta) ,

    where :func:`step_off_coefficients` of the list gives :math:`C_\theta` and
    :func:`gate_factors` :math:`f_g`. The tensors :math:`T_g` belong to the object, not to
    the place of the head, and are computed once (:func:`pulse_tensors`). Objects do not
    act on each other, and each is small against its distance. Far away the voltage of an
    object falls as the sixth power of its distance, so what `reach` cuts off is small if it
    is several radii. Exchanging transmitter and receiver changes nothing.

    Examples
    --------
    >>> from minesense.physics import pulse_voltage, sphere_relaxation
    >>> from minesense.sensor import Circle, Head, PulseTrain
    >>> train = PulseTrain(
    ...     pulse=200e-6, ramp=5e-6, half_period=1e-3, receiver_tau=1e-6, gates=[[20e-6, 30e-6]]
    ... )
    >>> coil = (Circle(radius=0.1),)
    >>> head = Head(transmitter=coil, receiver=coil, excitation=train)
    >>> ball = sphere_relaxation(radius=0.005, conductivity=3.5e7, permeability=1.0)
    >>> voltage = pulse_voltage(
    ...     [[0.0, 0.0, 0.1]], head=head, object_position=[[0.0, 0.0, 0.0]], objects=[ball]
    ... )
    >>> print(f"{voltage[0, 0]:.4g}")
    2.02e-08
    """
    train = check_train(check_head(head).excitation)
    position, turn = check_pose(head_position, rotation)
    bodies = objects_within(position, object_position, objects, object_radius, reach)
    tensors = pulse_tensors(bodies[2], train=train)
    return sum_of_bodies(head, position, turn, bodies[:2], tensors, reach=reach)


def pulse_tensors(objects: Sequence[Relaxation | Absence], *, train: PulseTrain) -> Floats:
    r"""
    Compute what each gate sees of each object, whatever the place of the coil.

    Parameters
    ----------
    objects : sequence of Relaxation or Absence
        Of length m.
    train : PulseTrain
        Waveform, receiver and gates.

    Returns
    -------
    tensors : (m, n_gates, 3, 3) float64 ndarray
        Symmetric; :math:`h^T T h` with the field h of the coil per ampere, in 1/m, is the
        voltage in V per ampere.

    Raises
    ------
    TypeError
        If an object is no Relaxation or `train` no PulseTrain.

    Examples
    --------
    >>> from minesense.physics import pulse_tensors, ring_relaxation
    >>> from minesense.sensor import PulseTrain
    >>> train = PulseTrain(
    ...     pulse=200e-6, ramp=5e-6, half_period=1e-3, receiver_tau=1e-6, gates=[[20e-6, 30e-6]]
    ... )
    >>> ring = ring_relaxation(
    ...     radius=0.01, wire_radius=0.001, conductivity=3.5e7, normal=[0.0, 0.0, 1.0]
    ... )
    >>> pulse_tensors([ring], train=train).shape
    (1, 1, 3, 3)
    """
    train = check_train(train)
    bodies = [check_response(given, "object") for given in objects]
    # the lists of all bodies as one, since most of the time would go into short arrays
    ends = np.cumsum([len(body) for body in bodies], dtype=np.intp)
    taus = np.concatenate([np.empty(0), *(body.taus for body in bodies)])
    delayed = np.concatenate([np.empty((0, 3, 3)), *(body.amplitudes for body in bodies)])
    tau_r = train.receiver_tau
    if tau_r > 0:
        taus = keep_apart(taus, tau_r)
    own = delayed.reshape(-1, 9) / (taus - tau_r)[:, None]
    factors = gate_factors(train, taus)
    tensors = np.zeros((len(bodies), factors.shape[1], 9))
    if tau_r > 0 and bodies:
        transient = gate_factors(train, [tau_r])[0]
        factors -= transient  # what each relaxation takes from the term of the receiver
        direct = np.array([body.instantaneous for body in bodies]).reshape(-1, 1, 9)
        tensors += transient[:, None] * (direct / tau_r)
    for j, (start, stop) in enumerate(itertools.pairwise([0, *ends.tolist()])):
        tensors[j] += factors[start:stop].T @ own[start:stop]
    return MU_0 * tensors.reshape(*tensors.shape[:2], 3, 3)


def continuous_wave_response(
    head_position: npt.ArrayLike,
    *,
    head: Head,
    object_position: npt.ArrayLike,
    objects: Objects,
    rotation: npt.ArrayLike | None = None,
    object_radius: npt.ArrayLike = 0.0,
    reach: float = math.inf,
) -> Complexes:
    r"""
    Compute the response of a continuous-wave head to metal objects.

    Parameters
    ----------
    head_position : (n, 3) array_like
        Origin of the wires: easting, northing, upward, m.
    head : Head
        Of continuous wave, with any windings.
    object_position, objects, rotation, object_radius, reach
        As in :func:`pulse_voltage`.

    Returns
    -------
    response : (n, n_frequencies) complex128 ndarray
        In 1/m^2 times m^3, that is in metres, the sum over objects: real part in phase,
        imaginary part quadrature.

    Raises
    ------
    TypeError, ValueError
        As :func:`pulse_voltage` does, for a head of continuous wave.

    Notes
    -----
    The voltage per ampere is :math:`V = -i \omega \mu_0 \, h_{rx}^T M(\omega) h_{tx}`; what
    is returned is :math:`V / (-i \omega \mu_0)`, the reference of the phase. A
    differential receiver is a winding with turns of both signs. Of soil,
    :func:`image_flux` over :math:`\mu_0` adds to it. The demodulator is a pole on the
    envelope of a moving head, not on this: see :func:`demodulate`.

    Examples
    --------
    >>> from minesense.physics import continuous_wave_response, sphere_relaxation
    >>> from minesense.sensor import Circle, ContinuousWave, Head
    >>> head = Head(
    ...     transmitter=(Circle(radius=0.1),),
    ...     receiver=(Circle(radius=0.06),),
    ...     excitation=ContinuousWave(frequencies=[2400.0, 19200.0]),
    ... )
    >>> ball = sphere_relaxation(radius=0.005, conductivity=3.5e7, permeability=1.0)
    >>> response = continuous_wave_response(
    ...     [[0.0, 0.0, 0.1]], head=head, object_position=[[0.0, 0.0, 0.0]], objects=[ball]
    ... )
    >>> response.shape, bool((response.real < 0).all())
    ((1, 2), True)
    """
    wave = check_wave(check_head(head).excitation)
    position, turn = check_pose(head_position, rotation)
    bodies = objects_within(position, object_position, objects, object_radius, reach)
    tensors = np.empty((len(bodies[2]), 2 * len(wave.frequencies), 3, 3))
    for j, body in enumerate(bodies[2]):
        moment = body.polarizability(wave.frequencies)
        tensors[j] = np.concatenate([moment.real, moment.imag])
    parts = sum_of_bodies(head, position, turn, bodies[:2], tensors, reach=reach)
    in_phase, quadrature = np.split(parts, 2, axis=1)
    return np.asarray(in_phase + 1j * quadrature)


def array_response(
    position: npt.ArrayLike,
    *,
    sensor: Sensor,
    object_position: npt.ArrayLike,
    objects: Objects,
    rotation: npt.ArrayLike | None = None,
    object_radius: npt.ArrayLike = 0.0,
    reach: float = math.inf,
) -> Floats | Complexes:
    """
    Compute what every channel of a metal detector receives from metal objects.

    Parameters
    ----------
    position : (n, 3) array_like
        Of the platform: easting, northing, upward, m.
    sensor : Sensor
        With one head for all channels, or one for each; each head is at the lever arm of
        its channel.
    object_position, objects, rotation, object_radius, reach
        As in :func:`pulse_voltage`.

    Returns
    -------
    response : (n, n_channels, n_gates) float64 or (n, n_channels, n_frequencies) complex128
        As of :func:`pulse_voltage` or :func:`continuous_wave_response`.

    Raises
    ------
    TypeError, ValueError
        If `sensor` is no metal detector with a head, or as those functions do.

    Examples
    --------
    >>> from minesense.physics import array_response, sphere_relaxation
    >>> from minesense.synthetic import cart
    >>> ball = sphere_relaxation(radius=0.01, conductivity=3.5e7, permeability=1.0)
    >>> volts = array_response(
    ...     [[0.0, 0.0, 0.05]],
    ...     sensor=cart().coils,
    ...     object_position=[[0.0, 0.0, -0.05]],
    ...     objects=[ball],
    ... )
    >>> volts.shape, int(volts[0, :, 0].argmax())
    ((1, 7, 12), 3)
    """
    if not isinstance(sensor, Sensor):
        msg = f"Invalid sensor of type {type(sensor).__name__}. Must be a Sensor."
        raise TypeError(msg)
    if not sensor.channel_heads:
        msg = f"Invalid sensor '{sensor.name}' without a head. Must have one."
        raise ValueError(msg)
    places, turn = check_pose(position, rotation)
    is_pulse = isinstance(sensor.excitation, PulseTrain)
    compute: Any = pulse_voltage if is_pulse else continuous_wave_response
    channels = [
        compute(
            places + turn @ arm,
            head=head,
            object_position=object_position,
            objects=objects,
            rotation=turn,
            object_radius=object_radius,
            reach=reach,
        )
        for arm, head in zip(sensor.lever_arms, sensor.channel_heads, strict=True)
    ]
    return np.stack(channels, axis=1)
