"""Kernels that tell whether bodies touch the wire of a winding or reach through it."""

import math

from ._jit import jit


@jit
def first_contact(
    position,
    rotation,
    circles,
    segments,
    triangles,
    extent,
    wire_radius,
    body,
    body_radius,
    out,
):
    """
    Find the first body that a winding touches.

    Parameters
    ----------
    position : (n, 3) float64 array
        Of the origin of the winding, m.
    rotation : (n, 3, 3) float64 array
        From the frame of the winding to that of the bodies.
    circles, segments : float64 array
        Of :mod:`induction`.
    triangles : (n_triangles, 3, 3) float64 array
        Corners of the surface that the segments span.
    extent : float
        Largest distance of the wire from the origin, m.
    wire_radius : float
        Bodies nearer to the wire than this touch it, m.
    body : (m, 3) float64 array
        Places of the bodies, m.
    body_radius : (m,) float64 array
        Radii of spheres around them, m.
    out : (3,) int64 array
        Overwritten with position, body, and 1 if it is at the wire or 2 if it reaches through
        the surface that the wire spans; with -1 if nothing touches.
    """
    out[0] = -1
    out[1] = -1
    out[2] = -1
    for i in range(len(position)):
        for j in range(len(body)):
            d0 = body[j, 0] - position[i, 0]
            d1 = body[j, 1] - position[i, 1]
            d2 = body[j, 2] - position[i, 2]
            size = max(wire_radius, body_radius[j])
            if d0 * d0 + d1 * d1 + d2 * d2 > (extent + size) * (extent + size):
                continue
            p0 = rotation[i, 0, 0] * d0 + rotation[i, 1, 0] * d1 + rotation[i, 2, 0] * d2
            p1 = rotation[i, 0, 1] * d0 + rotation[i, 1, 1] * d1 + rotation[i, 2, 1] * d2
            p2 = rotation[i, 0, 2] * d0 + rotation[i, 1, 2] * d1 + rotation[i, 2, 2] * d2
            kind = _contact(p0, p1, p2, circles, segments, triangles, size, body_radius[j])
            if kind > 0:
                out[0] = i
                out[1] = j
                out[2] = kind
                return


@jit
def _contact(p0, p1, p2, circles, segments, triangles, size, radius):
    """Return 1 for a sphere at the wire, 2 for one through the surface, else 0."""
    kind = 0
    for k in range(len(circles)):
        d0 = p0 - circles[k, 0]
        d1 = p1 - circles[k, 1]
        d2 = p2 - circles[k, 2]
        z = d0 * circles[k, 3] + d1 * circles[k, 4] + d2 * circles[k, 5]
        rho = math.sqrt(max(0.0, d0 * d0 + d1 * d1 + d2 * d2 - z * z))
        if math.hypot(rho - circles[k, 6], z) < size:
            return 1
        if rho < circles[k, 6] and abs(z) < radius:
            kind = 2
    for k in range(len(segments)):
        t0 = segments[k, 3] - segments[k, 0]
        t1 = segments[k, 4] - segments[k, 1]
        t2 = segments[k, 5] - segments[k, 2]
        d0 = p0 - segments[k, 0]
        d1 = p1 - segments[k, 1]
        d2 = p2 - segments[k, 2]
        share = (d0 * t0 + d1 * t1 + d2 * t2) / (t0 * t0 + t1 * t1 + t2 * t2)
        share = min(1.0, max(0.0, share))
        d0 -= share * t0
        d1 -= share * t1
        d2 -= share * t2
        if d0 * d0 + d1 * d1 + d2 * d2 < size * size:
            return 1
    for k in range(len(triangles)):
        if _is_through(p0, p1, p2, triangles[k], radius):
            kind = 2
    return kind


@jit
def _is_through(p0, p1, p2, corners, radius):
    """Return whether a point lies over a triangle, nearer to its plane than a radius."""
    u0 = corners[1, 0] - corners[0, 0]
    u1 = corners[1, 1] - corners[0, 1]
    u2 = corners[1, 2] - corners[0, 2]
    v0 = corners[2, 0] - corners[0, 0]
    v1 = corners[2, 1] - corners[0, 1]
    v2 = corners[2, 2] - corners[0, 2]
    d0 = p0 - corners[0, 0]
    d1 = p1 - corners[0, 1]
    d2 = p2 - corners[0, 2]
    n0 = u1 * v2 - u2 * v1
    n1 = u2 * v0 - u0 * v2
    n2 = u0 * v1 - u1 * v0
    area2 = n0 * n0 + n1 * n1 + n2 * n2
    gap = d0 * n0 + d1 * n1 + d2 * n2
    if area2 == 0.0 or gap * gap >= radius * radius * area2:
        return False
    # barycentric shares of the foot of the perpendicular
    s = ((d1 * v2 - d2 * v1) * n0 + (d2 * v0 - d0 * v2) * n1 + (d0 * v1 - d1 * v0) * n2) / area2
    t = ((u1 * d2 - u2 * d1) * n0 + (u2 * d0 - u0 * d2) * n1 + (u0 * d1 - u1 * d0) * n2) / area2
    return s >= 0.0 and t >= 0.0 and s + t <= 1.0
