"""Geodesy from its definitions, without PROJ: slow and obvious."""

import math

A, F = 6_378_137.0, 1 / 298.257223563  # WGS 84
E2 = F * (2 - F)


def to_geocentric(longitude, latitude, height):
    """Return geocentric coordinates of degrees and metres."""
    lam, phi = math.radians(longitude), math.radians(latitude)
    n = A / math.sqrt(1 - E2 * math.sin(phi) ** 2)
    return (
        (n + height) * math.cos(phi) * math.cos(lam),
        (n + height) * math.cos(phi) * math.sin(lam),
        (n * (1 - E2) + height) * math.sin(phi),
    )


def to_geodetic(x, y, z):
    """Return degrees and metres, by iterating the latitude until it stands still."""
    p = math.hypot(x, y)
    phi = math.atan2(z, p * (1 - E2))
    for _ in range(50):
        n = A / math.sqrt(1 - E2 * math.sin(phi) ** 2)
        phi = math.atan2(z + E2 * n * math.sin(phi), p)
    n = A / math.sqrt(1 - E2 * math.sin(phi) ** 2)
    height = p * math.cos(phi) + z * math.sin(phi) - A**2 / n
    return math.degrees(math.atan2(y, x)), math.degrees(phi), height


def axes(longitude, latitude):
    """Return the unit vectors east, north and up at a place."""
    lam, phi = math.radians(longitude), math.radians(latitude)
    return (
        (-math.sin(lam), math.cos(lam), 0.0),
        (-math.sin(phi) * math.cos(lam), -math.sin(phi) * math.sin(lam), math.cos(phi)),
        (math.cos(phi) * math.cos(lam), math.cos(phi) * math.sin(lam), math.sin(phi)),
    )


def local_to_wgs84(origin, east, north, up):
    """Return degrees and metres of a place in the plane at an origin."""
    place = list(to_geocentric(*origin))
    for step, axis in zip((east, north, up), axes(*origin[:2]), strict=True):
        place = [p + step * a for p, a in zip(place, axis, strict=True)]
    return to_geodetic(*place)


def distance(one, other):
    """Return the straight distance in metres of two places in degrees and metres."""
    return math.dist(to_geocentric(*one), to_geocentric(*other))


def transverse_mercator(longitude, latitude, central, scale=0.9996, false_easting=500_000.0):
    """Return easting and northing by Krueger's series to the fourth order in n."""
    n = F / (2 - F)
    radius = A / (1 + n) * (1 + n**2 / 4 + n**4 / 64)
    alpha = (
        n / 2 - 2 * n**2 / 3 + 5 * n**3 / 16 + 41 * n**4 / 180,
        13 * n**2 / 48 - 3 * n**3 / 5 + 557 * n**4 / 1440,
        61 * n**3 / 240 - 103 * n**4 / 140,
        49561 * n**4 / 161280,
    )
    phi, lam = math.radians(latitude), math.radians(longitude - central)
    e = math.sqrt(E2)
    t = math.sinh(math.atanh(math.sin(phi)) - e * math.atanh(e * math.sin(phi)))
    xi = math.atan2(t, math.cos(lam))
    eta = math.atanh(math.sin(lam) / math.sqrt(1 + t**2))
    east, north = eta, xi
    for k, a in enumerate(alpha, start=1):
        east += a * math.cos(2 * k * xi) * math.sinh(2 * k * eta)
        north += a * math.sin(2 * k * xi) * math.cosh(2 * k * eta)
    return false_easting + scale * radius * east, scale * radius * north


def signed_area(ring):
    """Return the area of a ring; positive if it runs counterclockwise."""
    pairs = zip(ring, [*ring[1:], ring[0]], strict=True)
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in pairs) / 2


def patches(codes):
    """Return {code: sorted sizes of its patches} by flooding the grid cell by cell."""
    left = {(i, j) for i, row in enumerate(codes) for j, c in enumerate(row) if c >= 0}
    found = {}
    while left:
        first = left.pop()
        code, stack, size = codes[first[0]][first[1]], [first], 0
        while stack:
            i, j = stack.pop()
            size += 1
            for cell in ((i + 1, j), (i - 1, j), (i, j + 1), (i, j - 1)):
                if cell in left and codes[cell[0]][cell[1]] == code:
                    left.remove(cell)
                    stack.append(cell)
        found.setdefault(code, []).append(size)
    return {code: sorted(sizes) for code, sizes in found.items()}
