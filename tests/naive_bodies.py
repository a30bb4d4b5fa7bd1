"""
Slow versions of what cylinders and discs do to fields, each by another road.

Boundary elements for a body of revolution in a uniform static field: rings of magnetic
charge, the integral over their angle in closed form, graded panels towards the edges.
"""

import itertools

import numpy as np
from scipy.special import ellipe, ellipkm1, ive, jnp_zeros, jv

NODES, WEIGHTS = np.polynomial.legendre.leggauss(16)
BARYCENTRIC = np.array([1 / np.prod([x - y for y in NODES if y != x]) for x in NODES])


def ring_kernel(mode, rho, z, normal, ring_rho, ring_z):
    """Return the normal field of rings of charge cos(mode * angle) at angle zero."""
    gap = z - ring_z
    mean, product = rho**2 + ring_rho**2 + gap**2, 2 * rho * ring_rho
    outer, inner = (rho + ring_rho) ** 2 + gap**2, (rho - ring_rho) ** 2 + gap**2
    k, e = ellipkm1(inner / outer), ellipe(1 - inner / outer)
    cubes, ones = 4 * e / (np.sqrt(outer) * inner), 4 * k / np.sqrt(outer)  # int 1/R^3, 1/R
    if mode == 1:
        roots = 4 * np.sqrt(outer) * e  # int R
        cubes, ones = (mean * cubes - ones) / product, (mean * ones - roots) / product
    across = normal[0] / (2 * rho)
    along = across * (rho**2 - ring_rho**2 - gap**2) + normal[1] * gap
    return ring_rho * (along * cubes + across * ones) / (4 * np.pi)


def interpolation(x):
    """Return the matrix that takes values at the Gauss nodes to x, all in -1..1."""
    gap = x[:, None] - NODES
    is_node = np.abs(gap) < 1e-14
    terms = BARYCENTRIC / np.where(is_node, 1, gap)
    terms[is_node.any(axis=1)] = 0
    terms[is_node] = 1
    return terms / terms.sum(axis=1, keepdims=True)


def cylinder_panels(aspect, levels):
    """Return panels (face, start, stop) of a cylinder of radius 1: ends 1 and -1, side 0."""
    graded = 0.5 ** np.arange(levels)
    radii = np.append(1 - graded, 1.0)
    half = aspect * np.append(0, graded[::-1])
    heights = np.concatenate([half - aspect, aspect - half[-2::-1]])
    panels = [(face, *pair) for face in (1, -1) for pair in itertools.pairwise(radii)]
    for low, high in itertools.pairwise(heights):
        edges = np.linspace(low, high, max(1, int(np.ceil(high - low))) + 1)
        panels += [(0, *pair) for pair in itertools.pairwise(edges)]
    return panels


def ring_at(face, t, aspect):
    """Return radius and height of points with coordinate t on a face."""
    if face == 0:
        return np.ones_like(t), t
    return t, np.full_like(t, face * aspect)


def cylinder_moments(aspect, permeabilities, levels=10):
    """
    Return the moment per field and volume of a cylinder, (2, n_permeabilities).

    Along its axis, then across it. `aspect` is length over diameter; a permeability of 0 is
    a perfect conductor at high frequency. The charge s obeys

        s (m + 1) / (2 (m - 1)) - K s = n . H0.
    """
    panels = cylinder_panels(aspect, levels)
    face = np.repeat([panel[0] for panel in panels], 16)
    t = np.concatenate([(a + b + (b - a) * NODES) / 2 for _, a, b in panels])
    weight = np.concatenate([(b - a) / 2 * WEIGHTS for _, a, b in panels])
    rho, z = ring_at(0, t, aspect)[0], t
    rho, z = np.where(face == 0, rho, t), np.where(face == 0, z, face * aspect)
    normals = np.column_stack([face == 0, face]).astype(float)
    result = []
    for mode in (0, 1):
        matrix = np.empty((len(t), len(t)))
        for j, (side, a, b) in enumerate(panels):
            own = slice(16 * j, 16 * j + 16)
            ring = ring_at(side, t[own], aspect)
            for i in range(len(t)):
                if side and face[i] == side:
                    matrix[i, own] = 0  # a flat face has no normal field on itself
                    continue
                at = t[i] if face[i] == side else rho[i] if side else z[i]
                beyond = max(a - at, 0, at - b)
                apart = 0 if face[i] == side else z[i] - side * aspect if side else rho[i] - 1
                if np.hypot(beyond, apart) > b - a:
                    kernel = ring_kernel(mode, rho[i], z[i], normals[i], *ring)
                    matrix[i, own] = kernel * weight[own]
                    continue
                at = min(max(at, a), b)  # close by: small panels towards the nearest point
                steps = np.append(0.5 ** np.arange(40), 0)
                edges = np.unique(at + np.append((a - at) * steps, (b - at) * steps))
                half = np.diff(edges)[:, None] / 2
                fine = (edges[:-1, None] + half + half * NODES).ravel()
                with np.errstate(divide="ignore", invalid="ignore"):
                    kernel = ring_kernel(
                        mode, rho[i], z[i], normals[i], *ring_at(side, fine, aspect)
                    )
                kernel = np.where(np.isfinite(kernel), kernel, 0) * (half * WEIGHTS).ravel()
                matrix[i, own] = kernel @ interpolation((2 * fine - a - b) / (b - a))
        field, arm = (normals[:, 1], z) if mode == 0 else (normals[:, 0], rho)
        area = (2 - mode) * np.pi * rho * weight
        moments = []
        for mr in permeabilities:
            system = (mr + 1) / (2 * (mr - 1)) * np.eye(len(t)) - matrix
            moments.append((np.linalg.solve(system, field) * arm * area).sum())
        result.append(moments)
    return np.array(result) / (2 * np.pi * aspect)


def transverse_loss(aspect, n_terms=400):
    """
    Return the loss length squared of a cylinder of radius 1 across its axis.

    Weak fields, by a Bessel series: E = -y z^ - grad phi, phi = sum of C_k J_1(j_k rho) sin
    sinh(j_k z), j_k the zeros of J_1'; the mean of E^2 is 1/4 less that of (grad phi)^2.
    """
    j = jnp_zeros(1, n_terms)
    norm = (1 - 1 / j**2) * jv(1, j) ** 2 / 2
    share = jv(2, j) / j / norm
    return 0.25 - (share**2 * norm * np.tanh(j * aspect) / j).sum() / aspect


def thin_sheet(radius, thickness, conductivity, frequency, n_rings=120):
    """
    Return the moment of a thin round sheet along its axis, and its slowest time constant.

    Coupled rings of current, each an R and an L: what currents in a sheet do while the field
    passes through it evenly.
    """
    mu_0 = 4e-7 * np.pi
    edges = radius * np.sin(np.linspace(0, np.pi / 2, n_rings + 1))
    r, width = (edges[1:] + edges[:-1]) / 2, np.diff(edges)
    a, b = np.meshgrid(r, r, indexing="ij")
    m1 = ((a - b) / (a + b)) ** 2 + np.eye(n_rings)
    k2 = 1 - m1
    with np.errstate(divide="ignore", invalid="ignore"):
        mutual = mu_0 * np.sqrt(a * b / k2) * ((2 - k2) * ellipkm1(m1) - 2 * ellipe(k2))
    own = mu_0 * r * (np.log(8 * r / (0.22313 * width)) - 2)
    inductance = np.where(np.eye(n_rings) > 0, own[:, None], mutual)
    resistance = 2 * np.pi * r / (conductivity * thickness * width)
    omega, area = 2 * np.pi * np.asarray(frequency), np.pi * r**2
    moment = [
        area @ np.linalg.solve(np.diag(resistance) + 1j * w * inductance, -1j * w * mu_0 * area)
        for w in omega
    ]
    taus = np.linalg.eigvals(inductance / resistance[:, None]).real
    return np.array(moment), taus.max()


def interior_share(size, order):
    """Return G = 2 (n + 1) I_n+1(q) / (q I_n(q)) for complex q."""
    size = np.asarray(size, np.complex128)
    return 2 * (order + 1) * ive(order + 1, size) / (size * ive(order, size))


def even_points(n):
    """Return the middles of n even parts of -1..1."""
    return (np.arange(n) + 0.5) * 2 / n - 1


def even_disc(diameter, n_rings):
    """Return places and areas of many facets of a disc: even rings, even angles."""
    edges = np.linspace(0, diameter / 2, n_rings + 1)
    places, areas = [], []
    for inner, outer in itertools.pairwise(edges):
        n = int(np.ceil(np.pi * (inner + outer) * 2 * n_rings / diameter)) + 8
        angle = np.arange(n) * 2 * np.pi / n
        middle = (inner + outer) / 2
        places.append(middle * np.column_stack([np.cos(angle), np.sin(angle)]))
        areas.append(np.full(n, np.pi * (outer**2 - inner**2) / n))
    return np.concatenate(places), np.concatenate(areas)


def even_rectangle(width, length, n):
    """Return places and areas of n times n facets of a rectangle."""
    across, along = np.meshgrid(width / 2 * even_points(n), length / 2 * even_points(n))
    places = np.column_stack([across.ravel(), along.ravel()])
    return places, np.full(n * n, width * length / n**2)
