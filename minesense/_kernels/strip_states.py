"""
Kernels that draw whether records are right, how good their sources are, and the background.

Strips and laws are rows of numbers, as :mod:`minesense._kernels.strips` describes them.
"""

import math

from ._jit import jit
from .copying import copy_rows
from .strip_laws import log_heading, log_place, log_size, pick


@jit
def relabel(m, strips, states, weights, claims, laws, box, odds, rng):
    """Draw the state of a strip that exists, given where it lies."""
    if states[m] == 0:
        return
    greatest = -math.inf
    for k in range(1, len(weights)):
        odds[k] = -math.inf
        if weights[k] > 0:
            odds[k] = (
                math.log(weights[k])
                + log_place(strips[m], claims[m], laws[m, k], box)
                + log_heading(strips[m], claims[m], laws[m, k])
                + log_size(strips[m], claims[m], laws[m, k])
            )
        greatest = max(greatest, odds[k])
    odds[0] = 0.0
    for k in range(1, len(weights)):
        odds[k] = math.exp(odds[k] - greatest)
    states[m] = pick(odds, odds.sum(), rng)


@jit
def update_shares(states, sources, fits, concentration, shares, counts, rng):
    """Draw the shares of the states among each source's records (Dirichlet)."""
    copy_rows(concentration, counts)
    for m in range(len(states)):
        # absent since it is of another class: tells nothing of the source
        other = 0.0
        if states[m] == 0:
            other = (1 - fits[m]) / (1 - fits[m] + fits[m] * shares[sources[m], 0] + 1e-300)
        if rng.random() >= other:
            counts[sources[m], states[m]] += 1
    for s in range(len(counts)):
        for k in range(counts.shape[1]):
            shares[s, k] = 0.0
            if counts[s, k] > 0:
                shares[s, k] = rng.gamma(counts[s, k], 1.0) + 1e-12
        total = shares[s].sum()
        for k in range(counts.shape[1]):
            shares[s, k] /= total


@jit
def exponentiate(odds):
    """Replace logarithms by numbers in the same ratios, the greatest of them one."""
    greatest = -math.inf
    for k in range(len(odds)):
        greatest = max(greatest, odds[k])
    for k in range(len(odds)):
        odds[k] = math.exp(odds[k] - greatest)


@jit
def state_weights(m, shares, sources, fits, allowed, out):
    """Overwrite `out` with the prior weights of a strip's states."""
    for k in range(len(out)):
        out[k] = fits[m] * shares[sources[m], k]
    out[0] += 1 - fits[m]
    for k in range(len(out)):
        out[k] *= allowed[m, k]


@jit
def update_background(
    level,
    patches,
    shape_index,
    gamma_prior,
    shapes,
    exposure,
    hits,
    find_patch,
    find_scale,
    rates,
    odds,
    rng,
):
    """
    Draw the level of the background, its patches and how patchy it is, given its finds.

    Parameters
    ----------
    level : float
        Items per m^2.
    patches : (n_patches,) float64 array
        Factors, overwritten.
    shape_index : int
        Of `shapes`.
    gamma_prior : (2,) float64 array
        Shape, and rate in m^2, of the level.
    shapes : (n_shapes,) float64 array
        Equally likely shapes of the gamma law of patches, whose mean is 1.
    exposure : (n_patches,) float64 array
        m^2 searched, times the probability to find and the relative level.
    hits : (n_patches,) float64 array
        Overwritten with finds of the background.
    find_patch : (n_finds,) int64 array
        Patch of each find.
    find_scale : (n_finds,) float64 array
        Relative level there.
    rates : (n_finds,) float64 array
        Items per m^2 of strips at each find.
    odds : (n_shapes,) float64 array
        Scratch.
    """
    hits[:] = 0.0
    for j in range(len(find_patch)):
        own = level * find_scale[j] * patches[find_patch[j]]
        if rng.random() * (own + rates[j]) < own:
            hits[find_patch[j]] += 1
    for k in range(len(shapes)):
        c = shapes[k]
        odds[k] = len(patches) * (c * math.log(c) - math.lgamma(c))
        for b in range(len(patches)):
            odds[k] += (c - 1) * math.log(patches[b]) - c * patches[b]
    exponentiate(odds)
    shape_index = pick(odds, odds.sum(), rng)
    c = shapes[shape_index]
    rate = gamma_prior[1]
    for b in range(len(patches)):
        patches[b] = rng.gamma(c + hits[b], 1.0) / (c + level * exposure[b]) + 1e-12
        rate += patches[b] * exposure[b]
    level = rng.gamma(gamma_prior[0] + hits.sum(), 1.0) / rate + 1e-15
    return level, shape_index
