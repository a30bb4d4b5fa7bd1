"""
Kernels of rays through the ground surface, in blocks of 64.

With distances that the compiler knows, it sees that nothing overlaps and turns the loops
into vector instructions.
"""

import math

from ._jit import jit


@jit
def trace_rays(height, depth, offset, index, n_steps, leg, rays):
    """
    Trace one leg from antenna to buried point for every ray.

    Parameters
    ----------
    height, depth, offset : (n,) float64 arrays
        Antenna above the surface, point below it, horizontal distance; m.
    index : float
        Refractive index of the ground.
    n_steps : int
        Newton steps.
    leg : (640,) float64 array
        Scratch.
    rays : (7, n) float64 array
        Overwritten with the rows of `_solve` from the entry point on.
    """
    for start in range(0, len(height), 64):
        n = min(64, len(height) - start)
        for m in range(64):  # a full block: what is left over repeats a ray
            k = start + min(m, n - 1)
            leg[m] = height[k]
            leg[64 + m] = depth[k]
            leg[128 + m] = offset[k]
        _solve(leg, index, n_steps)
        for row in range(7):
            for m in range(n):
                rays[row, start + m] = leg[64 * (row + 3) + m]


@jit
def _solve(leg, index, n_steps):
    """
    Find where 64 rays enter the ground, their lengths, angles and amplitudes.

    `leg` holds ten rows of 64: height, depth and offset in; then horizontal distance to
    the entry point, path in air, path in soil, cosine of the angle at the antenna, sine of
    the angle in the soil (both from the vertical), and transmission over ray-tube
    distance, 1/m, for E and for H parallel to the surface. The product of two legs'
    amplitudes is the geometry factor without antennas.
    """
    for i in range(64):
        h, z, rho = leg[i], leg[64 + i], leg[128 + i]
        leg[192 + i] = rho * index * h / (index * h + z)  # paraxial
    for _ in range(n_steps):
        for i in range(64):
            h, z, rho, x = leg[i], leg[64 + i], leg[128 + i], leg[192 + i]
            y = rho - x
            a = 1.0 / math.sqrt(h * h + x * x)
            b = 1.0 / math.sqrt(z * z + y * y)
            f = x * a - index * y * b
            slope = h * h * a * a * a + index * z * z * b * b * b
            x -= f / slope
            x = x if x > 0.0 else 0.0  # without the clip it can diverge
            leg[192 + i] = x if x < rho else rho
    for i in range(64):
        h, z, x = leg[i], leg[64 + i], leg[192 + i]
        y = leg[128 + i] - x
        la = math.sqrt(h * h + x * x)
        ls = math.sqrt(z * z + y * y)
        c1 = h / la
        s2 = x / (la * index)
        c2 = math.sqrt(1.0 - s2 * s2)
        tube = (h / c1 + z / (index * c2)) * (h / (c1 * c1) + z * c1 / (index * c2 * c2 * c2))
        # t12 sqrt(c2/c1) and t21 sqrt(c1/c2)/n are one number: both legs are alike
        common = 2.0 * math.sqrt(c1 / tube)
        leg[256 + i] = la
        leg[320 + i] = ls
        leg[384 + i] = c1
        leg[448 + i] = y / ls
        leg[512 + i] = common / (c1 + index * c2)
        leg[576 + i] = common / (index * c1 + c2)


@jit
def interpolate(grid, x, y):
    """Bilinear value at a place counted in steps; beyond the grid, at its edge."""
    n_rows, n_columns = grid.shape
    x = min(max(x, 0.0), n_rows - 1.000001)
    y = min(max(y, 0.0), n_columns - 1.000001)
    i, j = int(x), int(y)
    x -= i
    y -= j
    low = grid[i, j] + y * (grid[i, j + 1] - grid[i, j])
    high = grid[i + 1, j] + y * (grid[i + 1, j + 1] - grid[i + 1, j])
    return low + x * (high - low)


@jit
def enter_ground(antenna, found, position, depth, heights, place, index, n_steps, leg):
    """
    Solve one leg for the 64 scatterers found; see `_solve` for what `leg` then holds.

    Height and depth are counted from the surface where the paraxial ray enters.
    """
    for m in range(64):
        k = found[m]
        e, f = position[k, 0] - antenna[0], position[k, 1] - antenna[1]
        rise = antenna[2] - position[k, 2]
        z = depth[k]
        h = max(rise - z, 1e-3)
        share = index * h / (index * h + z)
        x = (antenna[0] + share * e - place[0]) / place[2]
        y = (antenna[1] + share * f - place[1]) / place[2]
        z = interpolate(heights, x, y) - position[k, 2]
        z = min(max(z, 1e-3), rise - 1e-3)
        leg[m] = rise - z
        leg[64 + m] = z
        leg[128 + m] = math.sqrt(e * e + f * f)
    _solve(leg, index, n_steps)


@jit
def face_cosine(antenna, leg, m, position, normal):
    """Cosine between a facet's normal and the ray that leaves it for the antenna."""
    sine = leg[448 + m]
    flat = normal[0] * (antenna[0] - position[0]) + normal[1] * (antenna[1] - position[1])
    up = math.sqrt(max(1.0 - sine * sine, 0.0))
    return sine / max(leg[128 + m], 1e-12) * flat + normal[2] * up


@jit
def dipole_product(transmitter, receiver, tx, rx, m, position, axis_e, axis_n):
    """
    Product of the fields that two parallel horizontal dipoles send to a scatterer, 1/m^2.

    Each field has a part with E across the plane of its ray and one with E in it. `tx` and
    `rx` are the solved legs of the block, m the scatterer in it, `position` its place.
    """
    te, tn, tu = _dipole_field(transmitter, tx, m, position, axis_e, axis_n)
    re, rn, ru = _dipole_field(receiver, rx, m, position, axis_e, axis_n)
    return te * re + tn * rn + tu * ru


@jit
def _dipole_field(antenna, leg, m, position, axis_e, axis_n):
    """Field of a horizontal dipole at a scatterer: easting, northing, upward, 1/m."""
    rho = max(leg[128 + m], 1e-12)
    ue, un = (position[0] - antenna[0]) / rho, (position[1] - antenna[1]) / rho
    s2 = leg[448 + m]
    c2 = math.sqrt(max(1.0 - s2 * s2, 0.0))
    across = leg[512 + m] * (axis_n * ue - axis_e * un)
    along = leg[576 + m] * leg[384 + m] * (axis_e * ue + axis_n * un)
    return along * c2 * ue - across * un, along * c2 * un + across * ue, along * s2
