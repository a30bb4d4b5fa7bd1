"""Slow, obvious versions of the metal-detector physics, each by another road."""

import math

import numpy as np

MU_0 = 4e-7 * math.pi


def loop_field(points, radius, axis, n_segments=4000):
    """Biot-Savart sum around the wire; the rule is exact to rounding off the wire."""
    axis = np.asarray(axis, float) / np.linalg.norm(axis)
    first = np.linalg.svd(axis[None])[2][1]
    second = np.cross(axis, first)
    angle = 2 * math.pi * np.arange(n_segments)[:, None] / n_segments
    wire = radius * (np.cos(angle) * first + np.sin(angle) * second)
    step = 2 * math.pi / n_segments * np.cross(axis, wire)
    field = []
    for point in np.asarray(points, float):
        offset = point - wire
        distance = np.linalg.norm(offset, axis=1, keepdims=True)
        field.append((np.cross(step, offset) / distance**3).sum(axis=0) / (4 * math.pi))
    return np.array(field)


def mutual_inductance(a, b, distance, n_segments=4000):
    """Neumann's double integral; one angle is enough between circles of one axis."""
    angle = 2 * math.pi * np.arange(n_segments) / n_segments
    apart = np.sqrt(a * a + b * b + distance**2 - 2 * a * b * np.cos(angle))
    return MU_0 * a * b / 2 * (np.cos(angle) / apart).mean() * 2 * math.pi


def sphere_polarizability(frequency, radius, conductivity, permeability):
    """Solve the boundary-value problem with hyperbolic functions, for middling |q|."""
    q = radius * np.sqrt(2j * np.pi * frequency * MU_0 * permeability * conductivity)
    i1 = (np.cosh(q) - np.sinh(q) / q) / q  # modified spherical Bessel functions
    i0 = np.sinh(q) / q
    slope = q * i0 - i1  # d(q i1)/dq
    top = 2 * permeability * i1 - slope
    return 2 * np.pi * radius**3 * top / (permeability * i1 + slope)


def sum_of_bodies(centres, radii, axis, body, tensors, *, reach=np.inf):
    """Term by term with the Biot-Savart field: sum of h_rx^T T h_tx."""
    transmitter, receiver = centres
    out = np.zeros((len(transmitter), tensors.shape[1]))
    for i, (centre, other) in enumerate(zip(transmitter, receiver, strict=True)):
        for place, tensor in zip(body, tensors, strict=True):
            if np.linalg.norm(place - centre) <= reach:
                h_tx = loop_field([place - centre], radii[0], axis[i], 400)[0]
                h_rx = loop_field([place - other], radii[1], axis[i], 400)[0]
                out[i] += [h_rx @ t @ h_tx for t in tensor]
    return out


def gate_voltage(polarizability, coil, n_harmonics=400_000):
    """
    Fourier series of the steady pulse train through a polarizability and the receiver.

    Takes the response at frequencies, so that it checks the exponentials as well: the
    current repeats with opposite sign every half period, so odd harmonics carry it.
    Returns the mean voltage over each gate for a field of 1/m and a current of 1 A.
    """
    omega = math.pi / coil.half_period * (2 * np.arange(n_harmonics) + 1)
    start, bend = -(coil.pulse + coil.ramp), -coil.ramp
    # dI/dt: a step up at the start, then a slope of -1/ramp from the bend to zero
    slope = np.exp(-1j * omega * start)
    slope += (1 - np.exp(-1j * omega * bend)) / (1j * omega * coil.ramp)
    slope /= coil.half_period  # two pulses of opposite sign a period
    voltage = -MU_0 * polarizability(omega / (2 * math.pi)) * slope
    voltage /= 1 + 1j * omega * coil.receiver_tau
    means = []
    for t1, t2 in coil.gates:
        mean = (np.exp(1j * omega * t2) - np.exp(1j * omega * t1)) / (1j * omega * (t2 - t1))
        means.append(2 * (voltage * mean).real.sum())
    return np.array(means)
