"""Slow, obvious versions of what minesense.evidence computes about remaining items."""

import itertools
import math

import numpy as np
from scipy.optimize import linprog

from minesense.evidence.learning import PATCH_SHAPES
from minesense.evidence.records import STATES


def strip_density(strip, easting, northing):
    """Items per m2 of a strip at a point, by rotating the axes."""
    e, n, heading, length, sigma, number = strip
    turn = np.array([[math.cos(heading), -math.sin(heading)],
                     [math.sin(heading), math.cos(heading)]])  # fmt: skip
    across, along = turn @ (easting - e, northing - n)
    if abs(along) > length / 2:
        return 0.0
    profile = math.exp(-(across**2) / (2 * sigma**2)) / math.sqrt(2 * math.pi * sigma**2)
    return number / length * profile


def all_missed(misses):
    """Least and greatest probability that all events happen, by linear programming."""
    outcomes = list(itertools.product([0, 1], repeat=len(misses)))
    rows = [[float(o[s]) for o in outcomes] for s in range(len(misses))] + [
        [1.0] * len(outcomes)
    ]
    cost = np.array([float(all(o)) for o in outcomes])
    limits = []
    for sign in (1, -1):
        found = linprog(sign * cost, A_eq=rows, b_eq=[*misses, 1.0], bounds=(0, 1))
        limits.append(sign * found.fun)
    return limits


def simulate_stratum(n_found, *, area, density_prior, pd_law, rng, n=2_000_000):
    """Share of simulated strata without remaining items, and their mean, given n found."""
    a, b = density_prior
    pd = rng.beta(*pd_law, n)
    items = rng.poisson(rng.gamma(a, 1 / b, n) * area)
    found = rng.binomial(items, pd)
    left = (items - found)[found == n_found]
    return float((left == 0).mean()), float(left.mean()), len(left)


def half_turn(angle):
    """Return an angle between lines, from -pi/2 to pi/2."""
    return (angle + math.pi / 2) % math.pi - math.pi / 2


def prior_strips(claim, prior, n, rng):
    """Draws of one record's strip: states, and rows as in the kernel; absent ones hold 0."""
    a, b = prior.accurate
    within = rng.beta(a, b, n)
    others = prior.shares
    uniform = rng.random(n)
    states = np.zeros(n, int)
    for i in range(n):
        weights = [
            within[i] if name == "WITHIN" else (1 - within[i]) * others[name] for name in STATES
        ]
        states[i] = np.searchsorted(np.cumsum(weights), uniform[i] * sum(weights))
    strips = np.tile(np.asarray(claim, float), (n, 1))
    for i, state in enumerate(states):
        name = STATES[state]
        if name == "ABSENT":
            strips[i, 5] = 0.0
            continue
        spread = {"SHIFTED": prior.shifted_spread, "FAR": prior.far_spread}
        across = spread.get(name, prior.good_spread)
        along = max(across, claim[3] / 2) if name == "PARTIAL" else across
        u, v = along * rng.normal(), across * rng.normal()
        sin, cos = math.sin(claim[2]), math.cos(claim[2])
        strips[i, 0] += u * sin + v * cos
        strips[i, 1] += u * cos - v * sin
        turn = half_turn(prior.good_turn * rng.normal())
        strips[i, 2] += math.pi * (rng.random() - 0.5) if name == "TURNED" else turn
        longer = math.log(2) if name == "PARTIAL" else 0.0
        spread_l = 0.5 if name == "PARTIAL" else prior.length_spread
        spread_n = prior.good_number_spread if name == "WITHIN" else prior.number_spread
        strips[i, 3] *= math.exp(longer + spread_l * rng.normal())
        strips[i, 5] *= math.exp(longer + spread_n * rng.normal())
    return states, strips


def weighted_posterior(grid, claim, prior, background, finds, *, seen, pd_draws, n, rng):
    """
    Weight draws from the prior by the finds and the silence: one record, one patch.

    `seen` is the share of each cell that was searched; the Pd of all finds is one draw.
    Returns weights, states, expected items that remain, effective number of draws.
    """
    states, strips = prior_strips(claim, prior, n, rng)
    shape = rng.choice(PATCH_SHAPES, n)
    level = (
        rng.gamma(background.gamma[0], 1 / background.gamma[1], n) * rng.gamma(shape) / shape
    )
    pd = rng.choice(pd_draws, n)
    east, north = (axis.ravel() for axis in grid.centres())
    logs, left = np.zeros(n), np.zeros(n)
    for i in range(n):
        rate = np.full(east.shape, level[i])
        at_finds = np.full(len(finds), level[i])
        if strips[i, 5] > 0:
            fine = 2  # points of each cell along an axis
            steps = grid.cell * ((np.arange(fine) + 0.5) / fine - 0.5)
            e, m, h, length, sigma, number = strips[i]
            for de, dn in itertools.product(steps, steps):
                u = (east + de - e) * math.sin(h) + (north + dn - m) * math.cos(h)
                v = (east + de - e) * math.cos(h) - (north + dn - m) * math.sin(h)
                profile = np.exp(-0.5 * (v / sigma) ** 2) / (sigma * math.sqrt(2 * math.pi))
                rate += number / length * profile * (np.abs(u) <= length / 2) / fine**2
            at_finds += [strip_density(strips[i], *place) for place in finds]
        items = rate * grid.cell_area
        found = seen.ravel() * pd[i]
        logs[i] = np.log(at_finds * pd[i]).sum() - (items * found).sum()
        left[i] = (items * (1 - found)).sum()
    weights = np.exp(logs - logs.max())
    weights /= weights.sum()
    return weights, states, left, 1 / (weights**2).sum()
