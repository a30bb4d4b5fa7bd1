"""
Kernels of wire: its field, its vector potential, and what small bodies send back to it.

A winding is two arrays: circles (n, 8), centre, unit axis, radius and turns, and segments
(n, 7), start, stop and turns. Either may be empty.
"""

import math

import numpy as np

from ._jit import jit


@jit
def _complete_integrals(kc, a, b, c, d):
    """
    Return two complete elliptic integrals of one modulus, after their first step.

    Bulirsch's cel(kc, 1, ., .) by arithmetic-geometric means, entered after the step in
    which the terms that cancel have vanished; (a, b) and (c, d) are the two numerators.
    """
    p = em = 1.0 + kc
    e = k = kc
    g = 1.0
    while abs(g - k) > 1e-8 * g:
        k = 2.0 * math.sqrt(e)
        e = k * em
        g = e / p
        a, b = a + b / p, 2.0 * (b + a * g)
        c, d = c + d / p, 2.0 * (d + c * g)
        p = p + g
        g = em
        em = em + k
    scale = 0.5 * math.pi / (em * (em + p))
    return scale * (b + a * em), scale * (d + c * em)


@jit
def _loop_terms(rho, z, radius):
    """Return H_rho / rho and H_z of 1 A in a loop around the axis; NaN on the wire."""
    ap = (radius + rho) * (radius + rho) + z * z
    am = (radius - rho) * (radius - rho) + z * z
    if am == 0.0:
        return np.nan, np.nan
    kc = math.sqrt(am / ap)
    a = (radius - rho) / am
    b = (radius + rho) / ap
    axial, radial = _complete_integrals(
        kc, a + b, 2.0 * (b + a * kc), ap / am, 2.0 / (kc * (1.0 + kc))
    )
    root = math.sqrt(ap)
    return (
        4.0 * radius * radius * z / (math.pi * ap * ap * root) * radial,
        radius / (math.pi * root) * axial,
    )


@jit
def _add_circle(p0, p1, p2, circle, out):
    """Add the field of a circle at a point to `out`; NaN on the wire."""
    d0 = p0 - circle[0]
    d1 = p1 - circle[1]
    d2 = p2 - circle[2]
    z = d0 * circle[3] + d1 * circle[4] + d2 * circle[5]
    r0 = d0 - z * circle[3]
    r1 = d1 - z * circle[4]
    r2 = d2 - z * circle[5]
    slope, axial = _loop_terms(math.sqrt(r0 * r0 + r1 * r1 + r2 * r2), z, circle[6])
    slope *= circle[7]
    axial *= circle[7]
    out[0] += slope * r0 + axial * circle[3]
    out[1] += slope * r1 + axial * circle[4]
    out[2] += slope * r2 + axial * circle[5]


@jit
def _add_segment(p0, p1, p2, segment, out):
    """Add the field of a straight segment at a point to `out`; NaN on the wire."""
    # I / (4 pi) (r1 x r2) (|r1| + |r2|) / (|r1| |r2| (|r1| |r2| + r1 . r2))
    a0 = p0 - segment[0]
    a1 = p1 - segment[1]
    a2 = p2 - segment[2]
    b0 = p0 - segment[3]
    b1 = p1 - segment[4]
    b2 = p2 - segment[5]
    c0 = a1 * b2 - a2 * b1
    c1 = a2 * b0 - a0 * b2
    c2 = a0 * b1 - a1 * b0
    ra = math.sqrt(a0 * a0 + a1 * a1 + a2 * a2)
    rb = math.sqrt(b0 * b0 + b1 * b1 + b2 * b2)
    product = ra * rb
    dot = a0 * b0 + a1 * b1 + a2 * b2
    across = c0 * c0 + c1 * c1 + c2 * c2
    if product == 0.0 or (dot < 0.0 and across == 0.0):
        scale = np.nan
    else:
        # beside the wire the sum would cancel: (p + d) (p - d) = |r1 x r2|^2
        scale = 1.0 / (product + dot) if dot >= 0.0 else (product - dot) / across
        scale *= segment[6] * (ra + rb) / (4.0 * math.pi * product)
    out[0] += scale * c0
    out[1] += scale * c1
    out[2] += scale * c2


@jit
def _field_at(p0, p1, p2, circles, segments, out):
    """Overwrite `out` with the field of a winding at a point; NaN on the wire."""
    out[0] = 0.0
    out[1] = 0.0
    out[2] = 0.0
    for k in range(len(circles)):
        _add_circle(p0, p1, p2, circles[k], out)
    for k in range(len(segments)):
        _add_segment(p0, p1, p2, segments[k], out)


@jit
def winding_field(points, circles, segments, out):
    """
    Compute the magnetic field of 1 A in a winding.

    Parameters
    ----------
    points : (n_points, 3) float64 array
        In the frame of the winding, m.
    circles : (n_circles, 8) float64 array
        Centre, unit axis, radius, turns.
    segments : (n_segments, 7) float64 array
        Start, stop, turns.
    out : (n_points, 3) float64 array
        Overwritten with the field in 1/m (A/m per ampere); NaN on the wire.
    """
    for i in range(len(points)):
        _field_at(points[i, 0], points[i, 1], points[i, 2], circles, segments, out[i])


@jit
def potential_along(points, directions, circles, segments, softening, out):
    """
    Compute the vector potential of 1 A in a winding along directions, over mu_0.

    Parameters
    ----------
    points, directions : (n_points, 3) float64 array
        In the frame of the winding; directions of any length.
    circles, segments : float64 array
        As in `winding_field`.
    softening : float
        Added in quadrature to distances from segments, m: the radius of the wire in the
        self-inductance, else 0.
    out : (n_points,) float64 array
        Overwritten with 1 times the unit of `directions`; infinite on the wire.
    """
    soft = softening * softening
    for i in range(len(points)):
        total = 0.0
        for k in range(len(circles)):
            d0 = points[i, 0] - circles[k, 0]
            d1 = points[i, 1] - circles[k, 1]
            d2 = points[i, 2] - circles[k, 2]
            n0 = circles[k, 3]
            n1 = circles[k, 4]
            n2 = circles[k, 5]
            radius = circles[k, 6]
            z = d0 * n0 + d1 * n1 + d2 * n2
            r2 = max(0.0, d0 * d0 + d1 * d1 + d2 * d2 - z * z)
            rho = math.sqrt(r2)
            ap = (radius + rho) * (radius + rho) + z * z
            am = (radius - rho) * (radius - rho) + z * z
            if am == 0.0:
                total = np.inf
                break
            kc = math.sqrt(am / ap)
            integral, _ = _complete_integrals(kc, 0.0, 2.0 / (1.0 + kc), 0.0, 0.0)
            # A / rho, about the axis
            turn = (
                circles[k, 7]
                * 4.0
                * radius
                * radius
                * integral
                / (math.pi * ap * math.sqrt(ap))
            )
            total += turn * (
                directions[i, 0] * (n1 * d2 - n2 * d1)
                + directions[i, 1] * (n2 * d0 - n0 * d2)
                + directions[i, 2] * (n0 * d1 - n1 * d0)
            )
        for k in range(len(segments)):
            t0 = segments[k, 3] - segments[k, 0]
            t1 = segments[k, 4] - segments[k, 1]
            t2 = segments[k, 5] - segments[k, 2]
            length = math.sqrt(t0 * t0 + t1 * t1 + t2 * t2)
            ra = soft
            rb = soft
            for j in range(3):
                ra += (points[i, j] - segments[k, j]) * (points[i, j] - segments[k, j])
                rb += (points[i, j] - segments[k, 3 + j]) * (points[i, j] - segments[k, 3 + j])
            ratio = length / (math.sqrt(ra) + math.sqrt(rb))
            along = directions[i, 0] * t0 + directions[i, 1] * t1 + directions[i, 2] * t2
            if along != 0.0:
                # ratio is 1 on the wire, but for rounding
                potential = math.atanh(ratio) if ratio < 1.0 else np.inf
                total += segments[k, 6] * along / length * potential / (2.0 * math.pi)
        out[i] = total


@jit
def coaxial_coupling(radius_a, radius_b, distance, out):
    """
    Compute the mutual inductance of coaxial loops, divided by the vacuum permeability.

    Parameters
    ----------
    radius_a, radius_b : float
        Radii, m.
    distance : (n,) float64 array
        Between the planes of the loops, m.
    out : (n,) float64 array
        Overwritten with metres; infinite where one loop lies on the other.
    """
    # Maxwell's (2/k - k) K - (2/k) E = k cel(kc, 1, -1, 1), whose first step leaves the
    # numerators 0 and 2 (1 - kc) = 2 k^2 / (1 + kc): no difference of near equals.
    for i in range(len(distance)):
        ap = (radius_a + radius_b) * (radius_a + radius_b) + distance[i] * distance[i]
        am = (radius_a - radius_b) * (radius_a - radius_b) + distance[i] * distance[i]
        if am == 0.0:
            out[i] = np.inf
        else:
            kc = math.sqrt(am / ap)
            k2 = 4.0 * radius_a * radius_b / ap
            integral, _ = _complete_integrals(kc, 0.0, 2.0 / (1.0 + kc), 0.0, 0.0)
            out[i] = math.sqrt(radius_a * radius_b * k2) * k2 * integral


@jit
def _turn(rotation, i, v0, v1, v2):
    """Return a vector of the windings' frame in that of the bodies."""
    return (
        rotation[i, 0, 0] * v0 + rotation[i, 0, 1] * v1 + rotation[i, 0, 2] * v2,
        rotation[i, 1, 0] * v0 + rotation[i, 1, 1] * v1 + rotation[i, 1, 2] * v2,
        rotation[i, 2, 0] * v0 + rotation[i, 2, 1] * v1 + rotation[i, 2, 2] * v2,
    )


@jit
def _turn_back(rotation, i, v0, v1, v2):
    """Return a vector of the bodies' frame in that of the windings."""
    return (
        rotation[i, 0, 0] * v0 + rotation[i, 1, 0] * v1 + rotation[i, 2, 0] * v2,
        rotation[i, 0, 1] * v0 + rotation[i, 1, 1] * v1 + rotation[i, 2, 1] * v2,
        rotation[i, 0, 2] * v0 + rotation[i, 1, 2] * v1 + rotation[i, 2, 2] * v2,
    )


@jit
def sum_of_bodies(
    position,
    rotation,
    tx_circles,
    tx_segments,
    rx_circles,
    rx_segments,
    is_coincident,
    body,
    tensors,
    reach,
    work,
    out,
):
    """
    Sum h_rx^T T h_tx over small bodies, for a head at many places.

    Parameters
    ----------
    position : (n, 3) float64 array
        Of the origin of the windings, m.
    rotation : (n, 3, 3) float64 array
        From the frame of the windings to that of the bodies.
    tx_circles, tx_segments, rx_circles, rx_segments : float64 array
        Transmitter and receiver, as in `winding_field`.
    is_coincident : bool
        Whether both are one, so that the second field need not be computed.
    body : (m, 3) float64 array
        Places of the bodies, m.
    tensors : (m, 6, n_out) float64 array
        Symmetric tensors: elements 00, 11, 22, 01, 02, 12 for each output.
    reach : float
        Bodies farther than this from the origin are left out, m.
    work : (2, 3) float64 array
        Scratch.
    out : (n, n_out) float64 array
        Overwritten with the sums; NaN where a body lies on a wire.
    """
    n_out = out.shape[1]
    limit = reach * reach
    for i in range(len(position)):
        for g in range(n_out):
            out[i, g] = 0.0
        for j in range(len(body)):
            d0 = body[j, 0] - position[i, 0]
            d1 = body[j, 1] - position[i, 1]
            d2 = body[j, 2] - position[i, 2]
            if d0 * d0 + d1 * d1 + d2 * d2 > limit:
                continue
            p0, p1, p2 = _turn_back(rotation, i, d0, d1, d2)
            _field_at(p0, p1, p2, tx_circles, tx_segments, work[0])
            t0, t1, t2 = _turn(rotation, i, work[0, 0], work[0, 1], work[0, 2])
            if is_coincident:
                r0, r1, r2 = t0, t1, t2
            else:
                _field_at(p0, p1, p2, rx_circles, rx_segments, work[1])
                r0, r1, r2 = _turn(rotation, i, work[1, 0], work[1, 1], work[1, 2])
            w0 = r0 * t0
            w1 = r1 * t1
            w2 = r2 * t2
            w3 = r0 * t1 + r1 * t0
            w4 = r0 * t2 + r2 * t0
            w5 = r1 * t2 + r2 * t1
            for g in range(n_out):
                out[i, g] += (
                    w0 * tensors[j, 0, g]
                    + w1 * tensors[j, 1, g]
                    + w2 * tensors[j, 2, g]
                    + w3 * tensors[j, 3, g]
                    + w4 * tensors[j, 4, g]
                    + w5 * tensors[j, 5, g]
                )
