"""Tensors of all gates along axes that they share."""

from __future__ import annotations

import numpy as np

from .._kernels.joint_axes import diagonalise_jointly
from ..sweep import Floats

# Elements 00, 11, 22, 01, 02, 12 of a symmetric tensor, in the kernel's order.
_ROWS = np.array([0, 1, 2, 0, 0, 1])
_COLUMNS = np.array([0, 1, 2, 1, 2, 2])


def as_tensors(columns: Floats) -> Floats:
    """
    Return the six elements of symmetric tensors as matrices.

    Parameters
    ----------
    columns : (6, n_gates) float64 ndarray
        Elements 00, 11, 22, 01, 02, 12.

    Returns
    -------
    tensors : (n_gates, 3, 3) float64 ndarray
        Of each gate.
    """
    tensors = np.empty((columns.shape[1], 3, 3))
    tensors[:, _ROWS, _COLUMNS] = columns.T
    tensors[:, _COLUMNS, _ROWS] = columns.T
    return tensors


def make_positive(tensors: Floats) -> tuple[Floats, tuple[Floats, float]]:
    """
    Return the nearest semidefinite tensors.

    Parameters
    ----------
    tensors : (n_gates, 3, 3) float64 ndarray
        Symmetric.

    Returns
    -------
    positive : (n_gates, 3, 3) float64 ndarray
        Without what has negative eigenvalues.
    shares : ((n_gates,) float64 ndarray, float)
        What that was: of the norm of each tensor, and of the squares of all together.
    """
    values, vectors = np.linalg.eigh(tensors)
    positive = (vectors * np.maximum(values, 0)[:, None]) @ np.swapaxes(vectors, 1, 2)
    lost = (np.minimum(values, 0) ** 2).sum(axis=1)
    size = (values**2).sum(axis=1)
    share = np.sqrt(lost / np.where(size > 0, size, 1))
    return positive, (share, float(lost.sum() / max(size.sum(), 1e-300)))


def common_axes(tensors: Floats) -> tuple[Floats, Floats]:
    """
    Return one right-handed rotation for all tensors, and what they are along its axes.

    Parameters
    ----------
    tensors : (n_gates, 3, 3) float64 ndarray
        Positive semidefinite.

    Returns
    -------
    axes : (3, 3) float64 ndarray
        In columns, the strongest first.
    along : (n_gates, 3) float64 ndarray
        Diagonals along them.
    """
    turned, axes = np.ascontiguousarray(tensors), np.empty((3, 3))
    turned = turned.copy()
    diagonalise_jointly(turned, axes, 1e-12, 100)
    along = np.einsum("gaa->ga", turned)
    order = np.argsort(-along.sum(axis=0), kind="stable")
    axes = axes[:, order]
    if np.linalg.det(axes) < 0:
        axes[:, 2] *= -1
    return axes, np.maximum(along[:, order], 0)  # of semidefinite tensors but for rounding


def axis_errors(rows: Floats, axes: Floats) -> Floats:
    """
    Return standard errors of v^T M v at unit noise, for the three axes.

    Parameters
    ----------
    rows : (n_stations, 6) float64 ndarray
        Of the linear fit of the six elements.
    axes : (3, 3) float64 ndarray
        The vectors v in columns.

    Returns
    -------
    errors : (3,) float64 ndarray
        In the unit of the elements over that of the noise.
    """
    weights = axes[_ROWS] * axes[_COLUMNS]
    weights[3:] *= 2
    covariance = np.linalg.inv(rows.T @ rows)
    return np.asarray(np.sqrt(np.einsum("ak,ab,bk->k", weights, covariance, weights)))
