"""Kernels that give the fields of a head's coils at a place, at all stations at once."""

import math

from ._jit import jit
from .induction import _add_segment, _turn, _turn_back


@jit
def circle_fields(circle, points):
    """Overwrite points, (3, n), with the field of a circle there; NaN on the wire."""
    # as induction._loop_terms, but always with as many rounds as the hardest point needs, so
    # that the loop has no branch and takes several points at a time
    c0, c1, c2 = circle[0], circle[1], circle[2]
    n0, n1, n2 = circle[3], circle[4], circle[5]
    radius, turns = circle[6], circle[7]
    x, y, u = points[0], points[1], points[2]
    for i in range(points.shape[1]):
        d0 = x[i] - c0
        d1 = y[i] - c1
        d2 = u[i] - c2
        z = d0 * n0 + d1 * n1 + d2 * n2
        r0 = d0 - z * n0
        r1 = d1 - z * n1
        r2 = d2 - z * n2
        rho = math.sqrt(r0 * r0 + r1 * r1 + r2 * r2)
        ap = (radius + rho) * (radius + rho) + z * z
        am = (radius - rho) * (radius - rho) + z * z
        am = am if am > 0.0 else math.nan  # on the wire, where plain Python would stop
        kc = math.sqrt(am / ap)
        a = (radius - rho) / am
        b = (radius + rho) / ap
        a, b = a + b, 2.0 * (b + a * kc)
        c = ap / am
        d = 2.0 / (kc * (1.0 + kc))
        p = em = 1.0 + kc
        e = k = kc
        g = 1.0
        for _ in range(8):
            k = 2.0 * math.sqrt(e)
            e = k * em
            inverse = 1.0 / p
            g = e * inverse
            a, b = a + b * inverse, 2.0 * (b + a * g)
            c, d = c + d * inverse, 2.0 * (d + c * g)
            p = p + g
            g = em
            em = em + k
        root = math.sqrt(ap)
        scale = turns * radius / (2.0 * em * (em + p) * root)
        axial = scale * (b + a * em)
        slope = 4.0 * radius * z / (ap * ap) * scale * (d + c * em)
        x[i] = slope * r0 + axial * n0
        y[i] = slope * r1 + axial * n1
        u[i] = slope * r2 + axial * n2


@jit
def fields_at(p0, p1, p2, site, fields, points, work):
    """Overwrite `fields`, (2, 3, n), with receivers' and transmitters' at a place."""
    position, rotation, tx_circles, tx_segments, rx_circles, rx_segments, is_coincident = site
    n = fields.shape[2]
    for s in range(1, -1, -1):  # one pass for both, since each call is compiled again
        if s == 0 and is_coincident:
            for c in range(len(points)):
                for i in range(n):
                    fields[0, c, i] = fields[1, c, i]
            continue
        circles = tx_circles if s == 1 else rx_circles
        segments = tx_segments if s == 1 else rx_segments
        own = fields[s]
        for c in range(len(points)):
            for i in range(n):
                own[c, i] = 0.0
        for k in range(len(circles) + 1):
            for i in range(n):
                points[0, i], points[1, i], points[2, i] = _turn_back(
                    rotation, i, p0 - position[i, 0], p1 - position[i, 1], p2 - position[i, 2]
                )
            if k < len(circles):
                circle_fields(circles[k], points)
                for c in range(len(points)):
                    for i in range(n):
                        own[c, i] += points[c, i]
        for i in range(n):
            for c in range(len(points)):
                work[c] = own[c, i]
            for k in range(len(segments)):
                _add_segment(points[0, i], points[1, i], points[2, i], segments[k], work)
            own[0, i], own[1, i], own[2, i] = _turn(rotation, i, work[0], work[1], work[2])
