"""Slow, obvious versions of the metal-detector physics, each by another road."""

import math

import numpy as np
from scipy.special import j1

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


def winding_field(points, winding, n_steps=400):
    """Biot-Savart sum over circles and, by Gauss quadrature, over the edges of polygons."""
    points = np.asarray(points, float)
    field = np.zeros_like(points)
    nodes, weights = np.polynomial.legendre.leggauss(60)
    for path in winding:
        if hasattr(path, "radius"):
            offset = points - path.centre
            field += path.turns * loop_field(offset, path.radius, path.axis, n_steps)
            continue
        for start, stop in zip(path.vertices, np.roll(path.vertices, -1, axis=0), strict=True):
            for share, weight in zip((nodes + 1) / 2, weights / 2, strict=True):
                offset = points - (start + share * (stop - start))
                distance = np.linalg.norm(offset, axis=1, keepdims=True)
                step = weight * np.cross(stop - start, offset) / distance**3
                field += path.turns * step / (4 * math.pi)
    return field


def winding_inductance(first, second, n_steps=2000):
    """Neumann's double integral over points of both wires, of every path with every path."""

    def points_and_steps(path):
        share = (np.arange(n_steps) + 0.5) / n_steps
        if hasattr(path, "radius"):
            axis = path.axis / np.linalg.norm(path.axis)
            one = np.linalg.svd(axis[None])[2][1]
            other = np.cross(axis, one)
            angle = 2 * math.pi * share[:, None]
            wire = path.radius * (np.cos(angle) * one + np.sin(angle) * other)
            return path.centre + wire, 2 * math.pi / n_steps * np.cross(axis, wire)
        edges = np.roll(path.vertices, -1, axis=0) - path.vertices
        points = path.vertices[:, None] + share[:, None] * edges[:, None]
        steps = np.broadcast_to(edges[:, None] / n_steps, points.shape)
        return points.reshape(-1, 3), steps.reshape(-1, 3)

    total = 0.0
    for a in first:
        for b in second:
            x, dx = points_and_steps(a)
            y, dy = points_and_steps(b)
            for point, step in zip(x, dx, strict=True):
                distance = np.linalg.norm(y - point, axis=1)
                total += a.turns * b.turns * ((dy @ step) / distance).sum()
    return MU_0 / (4 * math.pi) * total


def sum_of_bodies(head, position, rotation, body, tensors, *, reach=np.inf):
    """Term by term with the Biot-Savart field: sum of h_rx^T T h_tx."""
    out = np.zeros((len(position), tensors.shape[1]))
    for i, (origin, turn) in enumerate(zip(position, rotation, strict=True)):
        for place, tensor in zip(body, tensors, strict=True):
            if np.linalg.norm(place - origin) <= reach:
                local = [turn.T @ (place - origin)]
                h_tx = turn @ winding_field(local, head.transmitter)[0]
                h_rx = turn @ winding_field(local, head.receiver)[0]
                out[i] += [h_rx @ t @ h_tx for t in tensor]
    return out


def gate_voltage(polarizability, train, n_harmonics=400_000):
    """
    Fourier series of the steady pulse train through a polarizability and the receiver.

    Takes the response at frequencies, so that it checks the exponentials as well: with
    alternating polarity odd harmonics of the period of two pulses carry the current, with
    one polarity all harmonics of the period of one.
    Returns the mean voltage over each gate for a field of 1/m and a current of 1 A.
    """
    harmonic = np.arange(1, n_harmonics + 1)
    if train.polarity == "bipolar":
        omega = math.pi / train.half_period * (2 * harmonic - 1)
    else:
        omega = 2 * math.pi / train.half_period * harmonic
    start, bend = -(train.pulse + train.ramp), -train.ramp
    # dI/dt: a step up at the start, then a slope of -1/ramp from the bend to zero
    slope = np.exp(-1j * omega * start)
    slope += (1 - np.exp(-1j * omega * bend)) / (1j * omega * train.ramp)
    slope /= train.half_period  # once in each, or twice in two of opposite sign
    voltage = -MU_0 * polarizability(omega / (2 * math.pi)) * slope
    voltage /= 1 + 1j * omega * train.receiver_tau
    means = []
    for t1, t2 in train.gates:
        mean = (np.exp(1j * omega * t2) - np.exp(1j * omega * t1)) / (1j * omega * (t2 - t1))
        means.append(2 * (voltage * mean).real.sum())
    return np.array(means)


def step_off_voltage(polarizability, time, tau_r, *, n=1_000_000, window=0.02):
    """
    Numerical inverse transform of the voltage after one ideal step-off, through a receiver.

    V(w) = -i w mu0 M(w) I(w) with I(w) = -1/(i w), the pole of the receiver, and a trapezoid
    over frequencies with a soft end, which blurs by some 20 ns. Returns the voltage for a
    field of 1/m and 1 A at the times given; what decays over more than a tenth of the window
    would come round again.
    """
    omega = 2 * math.pi / window * np.arange(1, n + 1)
    spectrum = MU_0 * polarizability(omega / (2 * math.pi)) / (1 + 1j * omega * tau_r)
    spectrum *= np.exp(-((4 * omega / omega[-1]) ** 2))
    static = MU_0 * polarizability(np.zeros(1))[0].real
    values = []
    for t in np.atleast_1d(time):
        wave = (spectrum * np.exp(1j * omega * t)).real.sum()
        values.append((static + 2 * wave) / window)
    return np.array(values)


def born_flux(head, height, rotation, n=28):
    """
    Flux over mu_0 and unit of susceptibility of faint uniform ground: a volume integral.

    Gauss nodes in depth, distance and angle around the point below the head.
    """
    nodes, weights = np.polynomial.legendre.leggauss(n)
    x, w = (nodes + 1) / 2, weights / 2
    depth, w_depth = 0.1 * x / (1 - x), 0.1 * w / (1 - x) ** 2
    rho, w_rho = 0.15 * x / (1 - x), 0.15 * w / (1 - x) ** 2
    angle = 2 * math.pi * np.arange(n) / n
    r, d, a = np.meshgrid(rho, depth, angle, indexing="ij")
    volume = (w_rho * rho)[:, None, None] * w_depth[:, None] * np.full(n, 2 * math.pi / n)
    places = np.stack([r * np.cos(a), r * np.sin(a), -d], axis=-1).reshape(-1, 3)
    local = (places - [0, 0, height]) @ rotation  # to the frame of the platform
    fields = [
        winding_field(local, winding, 120) for winding in (head.transmitter, head.receiver)
    ]
    return float((fields[0] * fields[1]).sum(axis=1) @ volume.ravel())


def conductive_flux(height, frequency, a, b, conductivity, mr=1.0):
    """Integrate the reflection of a conducting half-space over wavenumbers, by brute force."""
    wave = np.concatenate(
        [np.geomspace(1e-7, 1.0, 40_001), np.linspace(1.0, 2500.0, 1_000_001)]
    )
    wave = np.unique(wave)
    u = np.sqrt(wave**2 + 2j * math.pi * frequency * MU_0 * mr * conductivity)
    r = (mr * wave - u) / (mr * wave + u)
    values = r * j1(wave * a) * j1(wave * b) * np.exp(-2 * wave * height)
    return math.pi * MU_0 * a * b * np.trapezoid(values, wave)


def conductive_voltage(time, height, a, b, conductivity, n=28):
    """Invert the Laplace transform of the flux of the same after a step-off (Talbot)."""
    nodes, weights = np.polynomial.legendre.leggauss(16)
    edges = np.concatenate(
        [[0], np.geomspace(1e-5, 10, 60), np.linspace(10, 40 / height, 600)[1:]]
    )
    half = np.diff(edges)[:, None] / 2
    wave = (edges[:-1, None] + half + half * nodes).ravel()
    weight = (half * weights).ravel() * j1(wave * a) * j1(wave * b) * np.exp(-2 * wave * height)
    theta = (np.arange(n) + 0.5) * math.pi / n
    total = 0.0
    for angle in theta:  # fixed Talbot contour, midpoint rule
        cot = 1 / math.tan(angle)
        s = 2 * n / (5 * time) * angle * (cot + 1j)
        slope = 2 * n / (5 * time) * (cot - angle * (1 + cot**2) + 1j)
        u = np.sqrt(wave**2 + s * MU_0 * conductivity)
        flux = math.pi * MU_0 * a * b * (weight @ ((wave - u) / (wave + u)))
        total += (np.exp(s * time) * flux * slope).imag / n
    return total
