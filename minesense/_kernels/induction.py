"""Kernels of circular loops: their field, their coupling, and what small bodies send back."""

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
def _loop_vector(de, dn, du, ae, an, au, radius):
    """Return the field of 1 A at an offset from the centre of a loop of any axis."""
    z = de * ae + dn * an + du * au
    re = de - z * ae
    rn = dn - z * an
    ru = du - z * au
    slope, axial = _loop_terms(math.sqrt(re * re + rn * rn + ru * ru), z, radius)
    return slope * re + axial * ae, slope * rn + axial * an, slope * ru + axial * au


@jit
def loop_field(points, axis, radius, out):
    """
    Compute the magnetic field of 1 A in a circular loop centred at the origin.

    Parameters
    ----------
    points : (n_points, 3) float64 array
        Offsets from the centre, m.
    axis : (3,) float64 array
        Unit normal of the loop; the current turns right-handed about it.
    radius : float
        Radius of the loop, m.
    out : (n_points, 3) float64 array
        Overwritten with the field in 1/m (A/m per ampere); NaN on the wire.
    """
    for i in range(len(points)):
        he, hn, hu = _loop_vector(
            points[i, 0], points[i, 1], points[i, 2], axis[0], axis[1], axis[2], radius
        )
        out[i, 0] = he
        out[i, 1] = hn
        out[i, 2] = hu


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
def sum_of_bodies(
    transmitter,
    receiver,
    axis,
    transmitter_radius,
    receiver_radius,
    is_coincident,
    body,
    tensors,
    reach,
    out,
):
    """
    Sum h_rx^T T h_tx over small bodies, for loops at many places.

    Parameters
    ----------
    transmitter, receiver : (n, 3) float64 array
        Centres of the loops, m.
    axis : (n, 3) float64 array
        Their common unit normal.
    transmitter_radius, receiver_radius : float
        Radii, m.
    is_coincident : bool
        Whether both loops are one, so that the second field need not be computed.
    body : (m, 3) float64 array
        Places of the bodies, m.
    tensors : (m, 6, n_out) float64 array
        Symmetric tensors: elements 00, 11, 22, 01, 02, 12 for each output.
    reach : float
        Bodies farther than this from the transmitter are left out, m.
    out : (n, n_out) float64 array
        Overwritten with the sums; NaN where a body lies on a wire.
    """
    n_out = out.shape[1]
    limit = reach * reach
    for i in range(len(transmitter)):
        ae, an, au = axis[i, 0], axis[i, 1], axis[i, 2]
        for g in range(n_out):
            out[i, g] = 0.0
        for j in range(len(body)):
            de = body[j, 0] - transmitter[i, 0]
            dn = body[j, 1] - transmitter[i, 1]
            du = body[j, 2] - transmitter[i, 2]
            if de * de + dn * dn + du * du > limit:
                continue
            te, tn, tu = _loop_vector(de, dn, du, ae, an, au, transmitter_radius)
            if is_coincident:
                re, rn, ru = te, tn, tu
            else:
                re, rn, ru = _loop_vector(
                    body[j, 0] - receiver[i, 0],
                    body[j, 1] - receiver[i, 1],
                    body[j, 2] - receiver[i, 2],
                    ae,
                    an,
                    au,
                    receiver_radius,
                )
            w0 = re * te
            w1 = rn * tn
            w2 = ru * tu
            w3 = re * tn + rn * te
            w4 = re * tu + ru * te
            w5 = rn * tu + ru * tn
            for g in range(n_out):
                out[i, g] += (
                    w0 * tensors[j, 0, g]
                    + w1 * tensors[j, 1, g]
                    + w2 * tensors[j, 2, g]
                    + w3 * tensors[j, 3, g]
                    + w4 * tensors[j, 4, g]
                    + w5 * tensors[j, 5, g]
                )
