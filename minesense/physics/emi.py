"""What a metal detector receives from small bodies: pulse and continuous wave."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from .._kernels import induction
from .._validation import check_array, check_positive
from ..constants import MU_0
from ..sweep import PulseCoil
from .coil import unit_vectors
from .pulse import check_coil, gate_factors, step_off_coefficients
from .relaxation import Complexes, Floats, Relaxation, check_range, check_relaxation

#: Rows and columns of the six elements of a symmetric tensor, in the kernel's order.
_ROWS = np.array([0, 1, 2, 0, 0, 1])
_COLUMNS = np.array([0, 1, 2, 1, 2, 2])


def pulse_voltage(
    coil_position: npt.ArrayLike,
    *,
    coil: PulseCoil,
    object_position: npt.ArrayLike,
    objects: Sequence[Relaxation],
    coil_axis: npt.ArrayLike | None = None,
    reach: float = math.inf,
) -> Floats:
    r"""
    Compute the gate voltages of a pulse-induction coil near metal objects.

    Parameters
    ----------
    coil_position : (n, 3) array_like
        Centre of the coil for each pulse train: easting, northing, upward, m.
    coil : PulseCoil
        One turn that transmits, then receives.
    object_position : (m, 3) array_like
        Easting, northing, upward of the objects, m.
    objects : sequence of Relaxation
        One for each position, in the same axes.
    coil_axis : (n, 3) array_like, optional
        Normal of the coil, of any length but zero; horizontal coils by default.
    reach : float
        Objects farther than this from the centre of the coil are left out, m.

    Returns
    -------
    voltage : (n, n_gates) float64 ndarray
        In V per ampere, the sum over objects.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range, a shape does not fit, there is not one position
        for each object, or an object lies on the wire of the coil.

    Notes
    -----
    By reciprocity, with the field :math:`h` of the coil per ampere at the object,

    .. math:: V_g = \sum_{objects} h^T T_g h , \qquad
        T_g = \mu_0 \sum_\theta C_\theta f_g(\theta) ,

    where :func:`step_off_coefficients` of the list gives :math:`C_\theta` and
    :func:`gate_factors` :math:`f_g`. The tensors :math:`T_g` belong to the object, not to
    the place of the coil, and are computed once (:func:`pulse_tensors`). Objects do not
    act on each other, and each is small against its distance. Far away the voltage of an
    object falls as the sixth power of its distance, so what `reach` cuts off is small if it
    is several radii.

    Examples
    --------
    >>> from minesense.physics import pulse_voltage, sphere_relaxation
    >>> from minesense.sweep import PulseCoil
    >>> coil = PulseCoil(
    ...     radius=0.1, gates=[[20e-6, 30e-6]], pulse=200e-6, ramp=5e-6, half_period=1e-3,
    ...     receiver_tau=1e-6,
    ... )
    >>> ball = sphere_relaxation(radius=0.005, conductivity=3.5e7, permeability=1.0)
    >>> voltage = pulse_voltage(
    ...     [[0.0, 0.0, 0.1]], coil=coil, object_position=[[0.0, 0.0, 0.0]], objects=[ball]
    ... )
    >>> print(f"{voltage[0, 0]:.4g}")
    2.02e-08
    """
    coil = check_coil(coil)
    position = check_array(coil_position, "coil_position", ("n", 3))
    places, used = _objects_within(position, object_position, objects, reach)
    tensors = pulse_tensors(used, coil=coil)
    return _sum_of_bodies(
        (position, position),
        (coil.radius, coil.radius),
        coil_axis,
        places,
        tensors,
        reach=reach,
    )


def pulse_tensors(objects: Sequence[Relaxation], *, coil: PulseCoil) -> Floats:
    r"""
    Compute what each gate sees of each object, whatever the place of the coil.

    Parameters
    ----------
    objects : sequence of Relaxation
        Of length m.
    coil : PulseCoil
        Waveform, receiver and gates.

    Returns
    -------
    tensors : (m, n_gates, 3, 3) float64 ndarray
        Symmetric; :math:`h^T T h` with the field h of the coil per ampere, in 1/m, is the
        voltage in V per ampere.

    Raises
    ------
    TypeError
        If an object is no Relaxation or `coil` no PulseCoil.

    Examples
    --------
    >>> from minesense.physics import pulse_tensors, ring_relaxation
    >>> from minesense.sweep import PulseCoil
    >>> coil = PulseCoil(
    ...     radius=0.1, gates=[[20e-6, 30e-6]], pulse=200e-6, ramp=5e-6, half_period=1e-3,
    ...     receiver_tau=1e-6,
    ... )
    >>> ring = ring_relaxation(
    ...     radius=0.01, wire_radius=0.001, conductivity=3.5e7, normal=[0.0, 0.0, 1.0]
    ... )
    >>> pulse_tensors([ring], coil=coil).shape
    (1, 1, 3, 3)
    """
    coil, parts = check_coil(coil), []
    for body in (check_relaxation(given, "object") for given in objects):
        parts.append(
            step_off_coefficients(
                body.instantaneous, body.amplitudes, body.taus, receiver_tau=coil.receiver_tau
            )
        )
    thetas = np.concatenate([np.empty(0), *(theta for theta, _ in parts)])
    factors = MU_0 * gate_factors(coil, thetas)
    tensors = np.empty((len(parts), factors.shape[1], 3, 3))
    start = 0
    for j, (theta, coefficients) in enumerate(parts):
        own = factors[start : start + len(theta)]
        tensors[j] = np.tensordot(own.T, coefficients, axes=1)
        start += len(theta)
    return tensors


def continuous_wave_response(
    coil_position: npt.ArrayLike,
    *,
    radius: float,
    frequency: npt.ArrayLike,
    object_position: npt.ArrayLike,
    objects: Sequence[Relaxation],
    receiver_position: npt.ArrayLike | None = None,
    receiver_radius: float | None = None,
    coil_axis: npt.ArrayLike | None = None,
    reach: float = math.inf,
) -> Complexes:
    r"""
    Compute the continuous-wave response of a pair of loops to metal objects.

    Parameters
    ----------
    coil_position : (n, 3) array_like
        Centre of the transmitter: easting, northing, upward, m.
    radius : float
        Of the transmitter, m.
    frequency : (n_frequencies,) array_like
        In Hz, zero or more.
    object_position : (m, 3) array_like
        Easting, northing, upward of the objects, m.
    objects : sequence of Relaxation
        One for each position, in the same axes.
    receiver_position : (n, 3) array_like, optional
        Centre of the receiver, m; by default that of the transmitter.
    receiver_radius : float, optional
        Of the receiver, m; by default that of the transmitter.
    coil_axis : (n, 3) array_like, optional
        Normal of both loops, of any length but zero; horizontal by default.
    reach : float
        Objects farther than this from the centre of the transmitter are left out, m.

    Returns
    -------
    response : (n, n_frequencies) complex128 ndarray
        In metres, the sum over objects: real part in phase, imaginary part quadrature.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range, a shape does not fit, there is not one position
        for each object, or an object lies on a wire.

    Notes
    -----
    The voltage per ampere is :math:`V = -i \omega \mu_0 \, h_{rx}^T M(\omega) h_{tx}`; what
    is returned is :math:`V / (-i \omega \mu_0)`, the reference of the phase. A
    differential receiver is the difference of two calls. Exchanging transmitter and
    receiver changes nothing. Of soil, :func:`image_flux` over :math:`\mu_0` adds to it.

    Examples
    --------
    >>> from minesense.physics import continuous_wave_response, sphere_relaxation
    >>> ball = sphere_relaxation(radius=0.005, conductivity=3.5e7, permeability=1.0)
    >>> response = continuous_wave_response(
    ...     [[0.0, 0.0, 0.1]], radius=0.1, frequency=[2400.0, 19200.0],
    ...     object_position=[[0.0, 0.0, 0.0]], objects=[ball],
    ... )
    >>> response.shape, bool((response.real < 0).all())
    ((1, 2), True)
    """
    position = check_array(coil_position, "coil_position", ("n", 3))
    receiver = position
    if receiver_position is not None:
        receiver = check_array(receiver_position, "receiver_position", (len(position), 3))
    radius = check_positive(radius, "radius")
    other = radius
    if receiver_radius is not None:
        other = check_positive(receiver_radius, "receiver_radius")
    frequencies = check_array(frequency, "frequency", ("n_frequencies",))
    check_range(frequencies, "frequency")
    places, used = _objects_within(position, object_position, objects, reach)
    tensors = np.empty((len(used), 2 * len(frequencies), 3, 3))
    for j, body in enumerate(used):
        moment = check_relaxation(body, "object").polarizability(frequencies)
        tensors[j] = np.concatenate([moment.real, moment.imag])
    parts = _sum_of_bodies(
        (position, receiver), (radius, other), coil_axis, places, tensors, reach=reach
    )
    in_phase, quadrature = np.split(parts, 2, axis=1)
    return np.asarray(in_phase + 1j * quadrature)


def _objects_within(
    position: Floats,
    object_position: npt.ArrayLike,
    objects: Sequence[Relaxation],
    reach: float,
) -> tuple[Floats, list[Relaxation]]:
    """Return places and lists of the objects that some coil position may reach."""
    places = check_array(object_position, "object_position", (len(objects), 3))
    if reach != math.inf:
        check_positive(reach, "reach")
    if not len(position) or not len(places) or reach == math.inf:
        return places, list(objects)
    # A box around the lane, so that objects elsewhere in the field cost nothing.
    is_near = (places >= position.min(axis=0) - reach) & (
        places <= position.max(axis=0) + reach
    )
    kept = np.flatnonzero(is_near.all(axis=1))
    return np.ascontiguousarray(places[kept]), [objects[int(j)] for j in kept]


def _sum_of_bodies(
    centres: tuple[Floats, Floats],
    radii: tuple[float, float],
    coil_axis: npt.ArrayLike | None,
    places: Floats,
    tensors: Floats,
    *,
    reach: float,
) -> Floats:
    """Return the sum over bodies of h_rx^T T h_tx, (n, n_out), from (m, n_out, 3, 3)."""
    transmitter, receiver = centres
    n = len(transmitter)
    if coil_axis is None:
        axis = np.tile([0.0, 0.0, 1.0], (n, 1))
    else:
        axis = unit_vectors(check_array(coil_axis, "coil_axis", (n, 3)), "coil_axis")
    elements = np.swapaxes(tensors[:, :, _ROWS, _COLUMNS], 1, 2)
    out = np.empty((n, tensors.shape[1]))
    induction.sum_of_bodies(
        transmitter,
        receiver,
        axis,
        *radii,
        receiver is transmitter and radii[0] == radii[1],
        places,
        np.ascontiguousarray(elements),
        float(reach),
        out,
    )
    is_bad = np.isnan(out).any(axis=1)
    if is_bad.any():
        i = int(np.argmax(is_bad))
        msg = (
            f"Invalid object_position: an object lies on the wire of a loop at position {i}, "
            f"{transmitter[i].tolist()}. Must lie beside it, where the field is finite."
        )
        raise ValueError(msg)
    return out
