"""Kernels that turn several symmetric tensors to the axes that suit them best."""

import math

from ._jit import jit


@jit
def diagonalise_jointly(tensors, rotation, tolerance, n_most):
    """
    Turn symmetric tensors until they are as diagonal as one rotation can make them.

    Parameters
    ----------
    tensors : (n, 3, 3) float64 array
        Overwritten with V^T M V.
    rotation : (3, 3) float64 array
        Overwritten with V, whose columns are the axes.
    tolerance : float
        Angle below which a turn is left out, rad.
    n_most : int
        Rounds over the three pairs of axes at most.
    """
    size = 0.0
    for g in range(len(tensors)):
        for a in range(3):
            for b in range(3):
                size += tensors[g, a, b] * tensors[g, a, b]
    for a in range(3):
        for b in range(3):
            rotation[a, b] = 1.0 if a == b else 0.0
    for _ in range(n_most):
        has_turned = False
        for pair in range(3):
            p = 0 if pair < 2 else 1
            q = 1 if pair < 1 else 2
            on = off = both = 0.0
            for g in range(len(tensors)):
                h = tensors[g, p, p] - tensors[g, q, q]
                k = 2.0 * tensors[g, p, q]
                on += h * h
                off += k * k
                both += h * k
            # tan 4 theta; Cardoso and Souloumiac's half angles fail where p and q are alike
            angle = 0.25 * math.atan2(2.0 * both, on - off)
            if off > 1e-30 * size and abs(angle) > tolerance:
                _turn_pair(tensors, rotation, p, q, math.cos(angle), math.sin(angle))
                has_turned = True
        if not has_turned:
            break


@jit
def _turn_pair(tensors, rotation, p, q, c, s):
    """Turn two axes of tensors and rotation by the angle of a cosine and a sine."""
    for a in range(3):
        u = rotation[a, p]
        v = rotation[a, q]
        rotation[a, p] = c * u + s * v
        rotation[a, q] = c * v - s * u
    for g in range(len(tensors)):
        for a in range(3):
            u = tensors[g, a, p]
            v = tensors[g, a, q]
            tensors[g, a, p] = c * u + s * v
            tensors[g, a, q] = c * v - s * u
        for a in range(3):
            u = tensors[g, p, a]
            v = tensors[g, q, a]
            tensors[g, p, a] = c * u + s * v
            tensors[g, q, a] = c * v - s * u
