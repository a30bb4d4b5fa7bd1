"""Slow, obvious patches, spectra, edges, gradients and textures: one place at a time."""

import cmath
import itertools
import math
from fractions import Fraction

import numpy as np


def patch(sweep, place, reach, window, top=0):
    """Return what lies around (trace, channel, sample), with zeros for what does not count."""
    i, c, j = place
    along, across = reach
    before, after = window
    result = np.zeros((2 * along + 1, 2 * across + 1, before + after + 1))
    n_channels, n_samples = sweep.sensor.shape
    for a, b, d in np.ndindex(*result.shape):
        k, m, t = i - along + a, c - across + b, j - before + d
        inside = 0 <= k < len(sweep) and 0 <= m < n_channels and top <= t < n_samples
        if inside and sweep.is_usable[k]:
            result[a, b, d] = sweep.samples[k, m, t]
    return result


def energy_density(rows, interval, frequency):
    """Return the mean spectrum of traces at one frequency, from lags and Hann's window."""
    n = len(rows[0])
    total = 0
    for m in range(-n + 1, n):
        lag = np.mean([sum(x[t] * x[t + abs(m)] for t in range(n - abs(m))) for x in rows])
        weight = 0.5 * (1 + math.cos(math.pi * m / n))
        total += weight * lag * cmath.exp(-2j * math.pi * frequency * m * interval)
    return max(0.0, total.real)


#: Signs of the three by three operators, rows along track and columns down.
MASKS = {
    0: [[-1, 0, 1], [-1, 0, 1], [-1, 0, 1]],
    45: [[0, -1, -1], [1, 0, -1], [1, 1, 0]],
    90: [[-1, -1, -1], [0, 0, 0], [1, 1, 1]],
    135: [[-1, -1, 0], [-1, 0, 1], [0, 1, 1]],
}


def edge_shares(section):
    """Return the seven histograms of a section with a margin of one."""
    inner = section[1:-1, 1:-1]
    n_rows = len(inner)
    labels = np.full(inner.shape, 4)
    for i, j in np.ndindex(*inner.shape):
        around = section[i : i + 3, j : j + 3]
        responses = [abs((around * mask).sum()) / 3 for mask in np.array(list(MASKS.values()))]
        if max(responses) > 0.5 * inner.std():
            labels[i, j] = np.argmax(responses)
    strips = []
    for s in range(7):
        start, stop = Fraction(2 * s * n_rows, 15), Fraction((2 * s + 3) * n_rows, 15)
        rows = [i for i in range(n_rows) if start <= i + Fraction(1, 2) <= stop]
        strips.append([np.mean(labels[rows] == label) for label in range(5)])
    return np.array(strips)


def gradient_cells(image, n_bins, cell, margin=0):
    """Return the histograms of the cells of an image within a margin."""
    n_rows, n_columns = image.shape
    size = [(n - 2 * margin) // m for n, m in zip(image.shape, cell, strict=True)]
    cells = np.zeros((*size, n_bins))
    for m, n in np.ndindex(size[0] * cell[0], size[1] * cell[1]):
        i, j = margin + m, margin + n
        down = image[i + 1, j] - image[i - 1, j] if 0 < i < n_rows - 1 else 0.0
        along = image[i, j + 1] - image[i, j - 1] if 0 < j < n_columns - 1 else 0.0
        angle = math.degrees(math.atan2(down, along)) % 180
        share = math.hypot(down, along) / (cell[0] * cell[1])
        cells[m // cell[0], n // cell[1], int(angle / (180 / n_bins))] += share
    return cells


def gradient_blocks(image, n_bins, cell, block):
    """Return the normalised blocks of an image in a row."""
    cells = gradient_cells(image, n_bins, cell)
    result = []
    for r in range(cells.shape[0] - block[0] + 1):
        for c in range(cells.shape[1] - block[1] + 1):
            values = cells[r : r + block[0], c : c + block[1]].ravel()
            values = np.minimum(values / math.sqrt((values**2).sum() + 1e-10), 0.2)
            result.append(values / math.sqrt((values**2).sum() + 1e-10))
    return np.concatenate(result)


def level_of(z):
    """Return which of 16 equal parts of -3 to 3 holds an amplitude, the ends for the rest."""
    return min(max(math.floor((z + 3) / 6 * 16), 0), 15)


def texture(levels, offset):
    """Return contrast, correlation, energy, homogeneity and entropy of pairs."""
    n_rows, n_columns = levels.shape
    pairs = []
    for i, j in np.ndindex(n_rows, n_columns):
        k, m = i + offset[0], j + offset[1]
        if 0 <= k < n_rows and 0 <= m < n_columns:
            pairs += [(levels[i, j], levels[k, m]), (levels[k, m], levels[i, j])]
    a, b = np.array(pairs).T
    shares = [len(list(group)) / len(pairs) for _, group in itertools.groupby(sorted(pairs))]
    return [
        np.mean((a - b) ** 2),
        np.corrcoef(a, b)[0, 1] if a.std() > 0 else 1.0,
        math.sqrt(sum(p**2 for p in shares)),
        np.mean(1 / (1 + (a - b) ** 2)),
        -sum(p * math.log(p) for p in shares),
    ]
