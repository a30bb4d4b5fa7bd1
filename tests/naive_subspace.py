"""Slow, obviously correct versions of subspaces, low-rank parts and attributes."""

import numpy as np


def remove_subspace(section, rank):
    """Return a section without its first singular vectors, and their shares of energy."""
    left, values, right = np.linalg.svd(section.astype(float), full_matrices=False)
    shares = values**2 / (values**2).sum()
    values[:rank] = 0
    return (left * values) @ right, shares[:rank]


def part_low_rank(section, sparsity=None, tolerance=1e-7, most_rounds=200):
    """Return low-rank part, sparse part and rounds of inexact augmented Lagrangians."""
    x = section.astype(float)
    lam = 1 / np.sqrt(max(x.shape)) if sparsity is None else sparsity
    norm, largest = np.linalg.norm(x, 2), np.abs(x).max()
    y = x / max(norm, largest / lam)
    mu, rho = 1.25 / norm, 1.5
    s = np.zeros_like(x)
    for k in range(1, most_rounds + 1):
        left, values, right = np.linalg.svd(x - s + y / mu, full_matrices=False)
        low = (left * np.maximum(values - 1 / mu, 0)) @ right
        z = x - low + y / mu
        s = np.sign(z) * np.maximum(np.abs(z) - lam / mu, 0)
        y += mu * (x - low - s)
        mu *= rho
        if np.linalg.norm(x - low - s) < tolerance * np.linalg.norm(x):
            return low, s, k
    raise ArithmeticError


def quadrature(trace):
    """Return the Hilbert transform of a trace: each sine of its Fourier sum a quarter later."""
    n, t = len(trace), np.arange(len(trace))
    out = np.zeros(n)
    for k in range(1, (n + 1) // 2):
        angle = 2 * np.pi * k * t / n
        cosine, sine = 2 / n * (trace @ np.cos(angle)), 2 / n * (trace @ np.sin(angle))
        out += cosine * np.sin(angle) - sine * np.cos(angle)
    return out
