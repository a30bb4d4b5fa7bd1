"""
Kernels that draw strips of items and a patchy background, given what was found and where.

A strip is a row of six numbers: easting and northing of its middle (m), heading (rad, clockwise
from north), length (m), spread across (m, standard deviation), number of items. Items are
uniform along it and normal across. Random numbers come from a `numpy.random.Generator`, which
gives the same numbers compiled and interpreted.

Columns of `law`, per strip and state: standard deviation of the middle along and across the
claimed heading (negative: uniform over `box`), of the heading (negative: any), mean and
standard deviation of the logarithms of length and of number, both relative to the claim.
State 0 is absence and has no law.
"""

import math

from ._jit import jit
from .copying import copy_row, copy_rows
from .strip_laws import draw_strip, log_heading, log_place, log_size, pick, strip_density
from .strip_states import (
    exponentiate,
    relabel,
    state_weights,
    update_background,
    update_shares,
)


@jit
def strip_patterns(strip, points, origin, cell, pattern, shares):
    """Overwrite `shares` with the share of a strip's points in cells of each pattern."""
    shares[:] = 0.0
    sin, cos = math.sin(strip[2]), math.cos(strip[2])
    for k in range(len(points)):
        u, v = points[k, 0] * strip[3], points[k, 1] * strip[4]
        column = math.floor((strip[0] + u * sin + v * cos - origin[0]) / cell)
        row = math.floor((strip[1] + u * cos - v * sin - origin[1]) / cell)
        if 0 <= row < pattern.shape[0] and 0 <= column < pattern.shape[1]:
            shares[pattern[row, column]] += 1.0 / len(points)


@jit
def fit(strip, finds, base, points, origin, cell, pattern, seen, shares, density):
    """
    Return the log likelihood of finds and of silence for a strip beside everything else.

    Parameters
    ----------
    strip : (6,) float64 array
        Its number is 0 for absence.
    finds : (n_finds, 2) float64 array
        Easting and northing, m.
    base : (n_finds,) float64 array
        Items per m^2 of everything else there.
    points, origin, cell : arrays and float
        As in `add_strip`.
    pattern : (n_rows, n_columns) int64 array
        Pattern of evidence of each cell.
    seen : (n_patterns,) float64 array
        Probability that an item is found.
    shares : (n_patterns,) float64 array
        Overwritten with the strip's share of each pattern.
    density : (n_finds,) float64 array
        Overwritten with the strip's items per m^2 at the finds.
    """
    total = 0.0
    if strip[5] <= 0:
        density[:] = 0.0
        shares[:] = 0.0
        for j in range(len(finds)):
            total += math.log(base[j])
        return total
    strip_patterns(strip, points, origin, cell, pattern, shares)
    for k in range(len(seen)):
        total -= strip[5] * shares[k] * seen[k]
    for j in range(len(finds)):
        density[j] = strip_density(strip, finds[j, 0], finds[j, 1])
        total += math.log(base[j] + density[j])
    return total


@jit
def propose_at_finds(claim, law, box, finds, headings, by_histogram, rng, out):
    """
    Overwrite `out` with a strip of a state's law that is moved onto a find.

    `headings` is the density of headings between finds, 1/rad, over equal bins of half a turn.
    """
    draw_strip(claim, law, box, rng, out)
    if by_histogram:
        width = math.pi / len(headings)
        chosen = pick(headings, 1.0 / width, rng)
        out[2] = (chosen + rng.random()) * width
    j = min(int(rng.random() * len(finds)), len(finds) - 1)
    along, across = out[3] * (rng.random() - 0.5), out[4] * rng.normal(0.0, 1.0)
    sin, cos = math.sin(out[2]), math.cos(out[2])
    out[0] = finds[j, 0] - along * sin - across * cos
    out[1] = finds[j, 1] - along * cos + across * sin


@jit
def log_balance(strip, claim, law, box, density, headings, by_histogram):
    """Return log prior less log proposal density of `propose_at_finds`, for what differs."""
    reach = density.sum() / (strip[5] * len(density))
    if reach <= 0:
        return math.inf
    value = log_place(strip, claim, law, box) - math.log(reach)
    if by_histogram:
        width = math.pi / len(headings)
        k = min(int((strip[2] % math.pi) / width), len(headings) - 1)
        value += log_heading(strip, claim, law) - math.log(headings[k])
    return value


@jit
def update_strip(
    m,
    strips,
    states,
    weights,
    claims,
    laws,
    box,
    finds,
    base,
    points,
    origin,
    cell,
    pattern,
    seen,
    headings,
    shares,
    density,
    trial,
    trial_shares,
    trial_density,
    rng,
):
    """Move one strip by steps that keep its posterior law; return the steps accepted."""
    accepted = 0
    now = fit(strips[m], finds, base, points, origin, cell, pattern, seen, shares, density)
    for step in range(6):
        state = states[m]
        new = state
        copy_row(strips[m], trial)
        change = 0.0
        at_finds = step in (1, 2)
        if at_finds and len(finds) == 0:
            continue
        if step < 3:  # a new state and strip: from the prior, or moved onto finds
            new = pick(weights, weights.sum(), rng)
            trial[5] = 0.0
            if new > 0 and at_finds:
                propose_at_finds(
                    claims[m], laws[m, new], box, finds, headings, step == 2, rng, trial
                )
            elif new > 0:
                draw_strip(claims[m], laws[m, new], box, rng, trial)
        elif state == 0:
            continue
        else:  # a small step
            size = math.exp(-3.0 * rng.random())
            trial[0] += 6.0 * size * rng.normal(0.0, 1.0)
            trial[1] += 6.0 * size * rng.normal(0.0, 1.0)
            trial[2] += 0.1 * size * rng.normal(0.0, 1.0)
            trial[3] *= math.exp(0.3 * size * rng.normal(0.0, 1.0))
            trial[5] *= math.exp(0.6 * size * rng.normal(0.0, 1.0))
            change = (
                log_place(trial, claims[m], laws[m, state], box)
                + log_heading(trial, claims[m], laws[m, state])
                + log_size(trial, claims[m], laws[m, state])
                - log_place(strips[m], claims[m], laws[m, state], box)
                - log_heading(strips[m], claims[m], laws[m, state])
                - log_size(strips[m], claims[m], laws[m, state])
            )
        then = fit(
            trial, finds, base, points, origin, cell, pattern, seen, trial_shares, trial_density
        )
        if at_finds:
            if new > 0:
                change += log_balance(
                    trial, claims[m], laws[m, new], box, trial_density, headings, step == 2
                )
            if state > 0:
                change -= log_balance(
                    strips[m], claims[m], laws[m, state], box, density, headings, step == 2
                )
        # Infinite where a strip touches no find, and could not be proposed from there.
        if math.isfinite(change) and math.log(1.0 - rng.random()) < then - now + change:
            copy_row(trial, strips[m])
            states[m] = new
            copy_row(trial_shares, shares)
            copy_row(trial_density, density)
            now = then
            accepted += 1
    return accepted


@jit
def sample_strips(
    n_burn,
    n_thin,
    claims,
    laws,
    sources,
    fits,
    allowed,
    concentration,
    box,
    finds,
    find_patch,
    find_scale,
    points,
    origin,
    cell,
    pattern,
    seen,
    log_seen,
    ground,
    gamma_prior,
    shapes,
    headings,
    strips,
    states,
    shares,
    patches,
    hits,
    parts,
    densities,
    weights,
    counts,
    base,
    rates,
    exposure,
    odds,
    shape_odds,
    pd_odds,
    trial,
    trial_shares,
    trial_density,
    rng,
    out_strips,
    out_states,
    out_patches,
    out_level,
    out_pd,
    out_shape,
    out_within,
):
    """
    Run one chain and keep its states.

    Parameters
    ----------
    n_burn, n_thin : int
        Sweeps before the first state kept, and from one to the next.
    claims, laws, box : arrays
        Claimed strips, laws of their states, and least and greatest easting and northing.
    sources, fits, allowed, concentration : arrays
        Of each strip its source, the probability that it is of this class, which states it
        may have; of each source the Dirichlet law of the states.
    finds, find_patch, find_scale : arrays
        Places, background patches and relative levels there.
    points, origin, cell, pattern : arrays and float
        As in `fit`.
    seen : (n_pd, n_patterns) float64 array
        Probability to find an item, for equally likely sets of Pd.
    log_seen : (n_pd, n_finds) float64 array
        Logarithm of the same for the finds that were made; 0 for incidental ones.
    ground : (n_patches, n_patterns) float64 array
        m^2 of each patch and pattern, times the relative level.
    gamma_prior, shapes, headings : arrays
        As in `update_background` and `propose_at_finds`.
    strips, states, shares, patches : arrays
        The state of the chain on entry; overwritten.
    hits, parts, densities, weights, counts, base, rates, exposure, odds, shape_odds, \
pd_odds, trial, trial_shares, trial_density : arrays
        Scratch.
    rng : numpy.random.Generator
        Source of chance.
    out_strips, out_states, out_patches, out_level, out_pd, out_shape, out_within : arrays
        Overwritten with the states that are kept, `out_level` holding the first level on
        entry.
    """
    n_strips, n_finds = len(strips), len(finds)
    level, shape_index, chosen = out_level[0], 0, 0
    parts[:] = 0.0
    densities[:] = 0.0
    n_sweeps = n_burn + n_thin * len(out_level)
    for sweep in range(n_sweeps):
        for m in range(n_strips):
            for j in range(n_finds):
                base[j] = level * find_scale[j] * patches[find_patch[j]]
                for other in range(n_strips):
                    if other != m:
                        base[j] += densities[other, j]
            state_weights(m, shares, sources, fits, allowed, weights)
            update_strip(
                m,
                strips,
                states,
                weights,
                claims,
                laws,
                box,
                finds,
                base,
                points,
                origin,
                cell,
                pattern,
                seen[chosen],
                headings,
                parts[m],
                densities[m],
                trial,
                trial_shares,
                trial_density,
                rng,
            )
            relabel(m, strips, states, weights, claims, laws, box, odds, rng)
        update_shares(states, sources, fits, concentration, shares, counts, rng)
        for j in range(n_finds):
            rates[j] = 0.0
            for m in range(n_strips):
                rates[j] += densities[m, j]
        for b in range(len(patches)):
            exposure[b] = 0.0
            for k in range(seen.shape[1]):
                exposure[b] += ground[b, k] * seen[chosen, k]
        level, shape_index = update_background(
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
            shape_odds,
            rng,
        )
        for p in range(len(seen)):
            pd_odds[p] = 0.0
            for j in range(n_finds):
                pd_odds[p] += log_seen[p, j]
        for k in range(seen.shape[1]):
            items = 0.0
            for b in range(len(patches)):
                items += level * patches[b] * ground[b, k]
            for m in range(n_strips):
                items += strips[m, 5] * parts[m, k]
            for p in range(len(seen)):
                pd_odds[p] -= items * seen[p, k]
        exponentiate(pd_odds)
        chosen = pick(pd_odds, pd_odds.sum(), rng)
        if sweep >= n_burn and (sweep - n_burn) % n_thin == n_thin - 1:
            i = (sweep - n_burn) // n_thin
            copy_rows(strips, out_strips[i])
            copy_row(states, out_states[i])
            copy_row(patches, out_patches[i])
            out_level[i] = level
            out_pd[i] = chosen
            out_shape[i] = shape_index
            for s in range(len(shares)):
                out_within[i, s] = shares[s, 1]
