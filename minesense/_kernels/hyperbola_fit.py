"""Kernels that fit the curve of a buried point to an echo followed along the track."""

import math

import numpy as np

from ._jit import jit
from .copying import copy_row

#: Rounds of choosing the picks that fit and fitting anew, and steps of each fit.
N_ROUNDS, N_STEPS = 4, 12


@jit
def pick_extremes(section, sign, first, least, traces, times, heights):
    """
    List the local extremes of one sign in every trace; return how many.

    Parameters
    ----------
    section : (n_traces, n_samples) float64 array
    sign : float
        1 for maxima, -1 for minima.
    first : int
        Sample from which on they count, at least 1.
    least : float
        Least magnitude.
    traces : (n_most,) int64 array
        Overwritten with the trace of each, in order.
    times, heights : (n_most,) float64 array
        Overwritten with their places, in samples, and magnitudes.
    """
    n = 0
    for k in range(section.shape[0]):
        trace = section[k]
        for j in range(first, section.shape[1] - 1):
            here = sign * trace[j]
            before, after = sign * trace[j - 1], sign * trace[j + 1]
            if here >= least and here > before and here >= after and n < len(traces):
                traces[n] = k
                times[n] = j + (before - after) / (2.0 * (before - 2.0 * here + after))
                heights[n] = here
                n += 1
    return n


@jit
def agree_on_curve(places, times, traces, draws, seed, limits, tolerance, curve):
    """
    Find the curve t^2 = a + b x + c x^2 through three picks that most traces agree with.

    Parameters
    ----------
    places, times : (n,) float64 array
        Of the picks along the track, m, and from time zero, s.
    traces : (n,) int64 array
        Of the picks, in order.
    draws : (n_trials, 3) float64 array
        In [0, 1): which picks a trial takes.
    seed : (2,) float64 array
        Time of the echo's apex, s, and by how much a curve's apex may differ from it.
    limits : (3,) float64 array
        Farthest apex, m; least and greatest bend c, s^2/m^2.
    tolerance : float
        s.
    curve : (3,) float64 array
        Overwritten with c, b and a; as it was if the result is zero.

    Returns
    -------
    score : float
        Sum over traces of 1 - (d / tolerance)^2 of the pick nearest to the curve.
    """
    n = len(places)
    best = 0.0
    for trial in range(len(draws)):
        i = int(draws[trial, 0] * n)
        j = int(draws[trial, 1] * n)
        k = int(draws[trial, 2] * n)
        x0, x1, x2 = places[i], places[j], places[k]
        if (x1 - x0) * (x2 - x1) * (x2 - x0) == 0.0:
            continue
        y0, y1, y2 = times[i] ** 2, times[j] ** 2, times[k] ** 2
        first = (y1 - y0) / (x1 - x0)
        bend = ((y2 - y1) / (x2 - x1) - first) / (x2 - x0)
        if bend < limits[1] or bend > limits[2]:
            continue
        tilt = first - bend * (x0 + x1)
        base = y0 - x0 * (tilt + bend * x0)
        top = base - tilt * tilt / (4.0 * bend)
        if abs(tilt) > 2.0 * bend * limits[0] or top <= 0.0:
            continue
        if abs(math.sqrt(top) - seed[0]) > seed[1]:
            continue
        score = 0.0
        near = 0.0
        for m in range(n):
            if m > 0 and traces[m] != traces[m - 1]:
                score += near
                near = 0.0
            x = places[m]
            late = (times[m] - math.sqrt(base + x * (tilt + x * bend))) / tolerance
            near = max(near, 1.0 - late * late)
        score += near
        if score > best:
            best = score
            curve[0], curve[1], curve[2] = bend, tilt, base
    return best


@jit
def leg_of(height, depth, offset, index, out):
    """
    Write the optical length of a leg and its derivatives by index, depth and offset.

    By Fermat's principle the entry point need not be derived.
    """
    x = 0.0
    if height > 0.0:
        x = offset * index * height / (index * height + depth)
        for _ in range(5 if height > 0.02 else 12):
            y = offset - x
            a = 1.0 / math.sqrt(height * height + x * x)
            b = 1.0 / math.sqrt(depth * depth + y * y)
            slope = height * height * a * a * a + index * depth * depth * b * b * b
            x -= (x * a - index * y * b) / slope
            x = min(max(x, 0.0), offset)  # without the clip it can diverge
    air = math.sqrt(height * height + x * x)
    soil = math.sqrt(depth * depth + (offset - x) ** 2)
    out[0] = air + index * soil
    out[1] = soil
    out[2] = index * depth / soil
    out[3] = index * (offset - x) / soil


@jit
def echo_of(x, point, height, half, leg, out):
    """
    Write the optical length of both legs and its derivatives by index, place and depth.

    Parameters
    ----------
    x : float
        Middle of the antennas along the track, m.
    point : (3,) float64 array
        Index of the ground, place and depth of the point, m.
    height, half : float
        Of the antennas, and half of their separation, m.
    leg : (4,) float64 array
        Overwritten.
    out : (4,) float64 array
        Overwritten.
    """
    out[:] = 0.0
    for side in (-1.0, 1.0):
        apart = point[1] - x - side * half
        leg_of(height, point[2], abs(apart), point[0], leg)
        out[0] += leg[0]
        out[1] += leg[1]
        out[2] += leg[3] if apart > 0.0 else -leg[3]
        out[3] += leg[2]


@jit
def fit_point(places, lengths, traces, height, half, tolerance, point, work, chosen, out):
    """
    Fit index, place and depth of a point by least squares to the picks that fit.

    Parameters
    ----------
    places, lengths : (n,) float64 array
        Of the picks along the track, and times of light from time zero, m.
    traces : (n,) int64 array
        Of the picks, in order.
    height, half : float
        Of the antennas, and half of their separation, m.
    tolerance : float
        Of `lengths`, m.
    point : (3,) float64 array
        Index, place and depth; where to start on entry, the solution on exit.
    work : (7, 4) float64 array
        Overwritten.
    chosen : (n,) bool array
        Overwritten: which picks fit, one of a trace at most.
    out : (3,) float64 array
        Overwritten with the number of picks that fit, their mean square distance, m^2, and
        the variance of the index.
    """
    for turn in range(N_ROUNDS):
        width = tolerance * (2.0 if turn == 0 else 1.0)  # the start is a rough one
        count = _choose(places, lengths, traces, height, half, width, point, work, chosen)
        out[0] = count
        if count < 4:
            return
        damping = 1e-3
        cost = _normal(places, lengths, chosen, height, half, point, work)
        for _ in range(N_STEPS):
            _solve(work, damping)
            trial = work[5]
            for m in range(3):
                trial[m] = point[m] + work[4, m]
            trial[0] = min(max(trial[0], 1.0), 10.0)
            trial[2] = min(max(trial[2], 1e-3), 10.0)
            new = _cost(places, lengths, chosen, height, half, trial, work)
            if new < cost:
                gain = cost - new
                copy_row(trial[:3], point)
                cost = _normal(places, lengths, chosen, height, half, point, work)
                damping *= 0.1
                if gain < 1e-9 * cost:
                    break
            else:
                damping *= 10.0
    out[0] = _choose(places, lengths, traces, height, half, tolerance, point, work, chosen)
    cost = _normal(places, lengths, chosen, height, half, point, work)
    out[1] = cost / max(out[0], 1.0)
    work[3, :3] = 0.0
    work[3, 0] = 1.0
    _solve(work, 0.0)
    out[2] = work[4, 0] * cost / max(out[0] - 3.0, 1.0)


@jit
def _choose(places, lengths, traces, height, half, tolerance, point, work, chosen):
    """Choose the pick of every trace nearest to the curve, within the tolerance."""
    count = 0
    best = -1
    nearest = tolerance
    for m in range(len(places)):
        chosen[m] = False
        if m > 0 and traces[m] != traces[m - 1]:
            best = -1
            nearest = tolerance
        echo_of(places[m], point, height, half, work[5], work[6])
        off = abs(lengths[m] - work[6, 0])
        if off <= nearest:
            if best >= 0:
                chosen[best] = False
            else:
                count += 1
            chosen[m] = True
            best = m
            nearest = off
    return count


@jit
def _cost(places, lengths, chosen, height, half, point, work):
    """Return the sum of squares of the picks chosen."""
    total = 0.0
    for m in range(len(places)):
        if chosen[m]:
            echo_of(places[m], point, height, half, work[4], work[6])
            total += (lengths[m] - work[6, 0]) ** 2
    return total


@jit
def _normal(places, lengths, chosen, height, half, point, work):
    """Write the normal equations, three rows and a right side; return the sum of squares."""
    work[:4] = 0.0
    total = 0.0
    for m in range(len(places)):
        if chosen[m]:
            echo_of(places[m], point, height, half, work[4], work[6])
            off = lengths[m] - work[6, 0]
            total += off * off
            for i in range(3):
                work[3, i] += work[6, i + 1] * off
                for j in range(3):
                    work[i, j] += work[6, i + 1] * work[6, j + 1]
    return total


@jit
def _solve(work, damping):
    """Write the solution of the damped normal equations into the fifth row, by Cramer."""
    a = work[0, 0] * (1.0 + damping)
    d = work[1, 1] * (1.0 + damping)
    f = work[2, 2] * (1.0 + damping)
    b, c, e = work[0, 1], work[0, 2], work[1, 2]
    p, q, r = work[3, 0], work[3, 1], work[3, 2]
    aa, bb, cc = d * f - e * e, c * e - b * f, b * e - c * d
    det = a * aa + b * bb + c * cc
    if det <= 0.0:  # a direction of which no pick tells anything
        work[4, 0] = np.nan if damping == 0.0 else 0.0
        work[4, 1] = 0.0
        work[4, 2] = 0.0
        return
    work[4, 0] = (aa * p + bb * q + cc * r) / det
    work[4, 1] = (bb * p + (a * f - c * c) * q + (b * c - a * e) * r) / det
    work[4, 2] = (cc * p + (b * c - a * e) * q + (a * d - b * b) * r) / det


@jit
def stack_along_curve(section, curve, first, lags, energy):
    """
    Sum traces at the times of a curve and some samples around it.

    Parameters
    ----------
    section : (n_traces, n_samples) float64 array
    curve : (n_traces,) float64 array
        Place in each trace, in samples; NaN leaves the trace out.
    first : int
        Lag of the first entry of `lags`, in samples.
    lags : (n_lags,) float64 array
        Overwritten with means; traces count as zero beyond their ends.
    energy : (n_lags,) float64 array
        Overwritten with means of squares.
    """
    lags[:] = 0.0
    energy[:] = 0.0
    count = 0
    last = section.shape[1] - 1
    for k in range(len(curve)):
        if math.isnan(curve[k]):
            continue
        count += 1
        for m in range(len(lags)):
            place = curve[k] + first + m
            if 0.0 <= place <= last:
                row = min(int(place), last - 1)
                part = place - row
                value = section[k, row] + part * (section[k, row + 1] - section[k, row])
                lags[m] += value
                energy[m] += value * value
    for m in range(len(lags)):
        lags[m] /= max(count, 1)
        energy[m] /= max(count, 1)
