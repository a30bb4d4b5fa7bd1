"""A dipole fitted to decays of which the soil may have any share at every station."""

from __future__ import annotations

import math

import numpy as np

from ..head import Head
from ..physics.pose import attitude
from ..sweep import Floats
from ._nearby import Nearby, SoilAxes
from ._place_search import best_place, place_covariance
from .inversion import DipoleFit
from .principal_axes import as_tensors, axis_errors, common_axes, make_positive

#: Stations at least: what is left without the soil, and the soil beside a dipole, are fitted.
_FEWEST = 12
#: Spread of the stations about the line that is nearest to all, at least, m: a line tells no
#: tensor, and errors of the positions make it look as if it did.
_LEAST_SPREAD = 0.03
#: Half the side of the square searched, and from where to where below the lowest wire, m.
_ASIDE, _BELOW = 0.2, (0.02, 0.5)
#: Spacing of the grid, m, and how many of its best points are refined: of a swung
#: head, ten were seen to lie all too deep, and to end in another optimum.
_GRID, _STARTS = 0.05, 20
#: Courses of the gates, at most, by which the place is sought.
_MOST_COURSES = 4
#: An optimum this close to the edge of the search volume lies on it, m.
_EDGE = 1e-6
#: Least signal in dB and coherence, and the most of a tensor that may be negative.
_LEAST_SIGNAL, _LEAST_COHERENCE, _MOST_INDEFINITE = 10.0, 0.9, 0.5


def fit_without_soil(
    near: Nearby, axes: SoilAxes, head: Head, *, grid: float = _GRID, starts: int = _STARTS
) -> DipoleFit | None:
    r"""
    Fit a dipole beside soil of any strength at every station.

    Parameters
    ----------
    near : Nearby
        Stations around a peak.
    axes : SoilAxes
        Of the gates.
    head : Head
        Its wires, and their height over ground if it is known.
    grid : float
        Spacing of the search, m.
    starts : int
        How many of its best points are refined.

    Returns
    -------
    fit : DipoleFit
        In the frame of travel: right and forward of the peak, and upward from the ground, or
        from the wires if their height is not known. None if there are fewer than twelve
        stations, they lie within 3 cm of a line, or they determine no tensor.

    Notes
    -----
    As :func:`~minesense.emi.fit_dipole`, but for the soil. With the decay of the soil,
    :math:`u`, and orthonormal :math:`B` across it, a station records

    .. math:: d_i = a_i(r_0)^T M + s_i u, \qquad
        d_i B = a_i(r_0)^T M B

    so that the place, and :math:`M B`, do not depend on the soil. What is left of :math:`M`,
    along :math:`u`, is fitted to :math:`d_i u` beside a plane across the stations, its error
    that of what the plane leaves. Only then are tensors semidefinite, and are made so.

    The place is sought in the strongest courses of the gates (singular vectors of what is
    left without the soil, as many as stand out of the noise, at most four), and judged by all.
    """
    n, n_bare = near.bare.shape
    if n < _FEWEST or np.linalg.eigvalsh(np.cov(near.place[:, :2].T))[0] < _LEAST_SPREAD**2:
        return None
    position = near.place.copy()
    position[:, 2] += (head.height or 0.0) - position[:, 2].mean()
    lowest = float(position[:, 2].min())
    box = (
        np.array([-_ASIDE, -_ASIDE, lowest - _BELOW[1]]),
        np.array([_ASIDE, _ASIDE, lowest - _BELOW[0]]),
    )
    courses = strong_courses(near.bare)[:_MOST_COURSES]
    stand = (position, attitude(near.turn), np.ascontiguousarray(near.bare @ courses.T))
    found = best_place(head, stand, box, starts, grid)
    if found is None:
        return None
    place, _, _, rows, normal = found
    columns, errors, misfit = _tensors_beside_soil(near, axes, rows)
    energy, freedom = float((near.bare**2).sum()), (n - 6) * n_bare - 3
    coherence = 1 - max(0.0, misfit - freedom) / energy if energy else 0.0
    signal = 10 * math.log10(max(energy - misfit, 1e-30) / (6 * n_bare + 3))
    tensors, (shares, indefinite) = make_positive(as_tensors(columns))
    is_inside = min((place - box[0]).min(), (box[1] - place).min()) > _EDGE
    reason = ""
    if signal < _LEAST_SIGNAL:
        reason = f"signal-to-noise ratio of {signal:.1f} dB"
    elif not is_inside:
        reason = "the best place is on the edge of the search"
    elif coherence < _LEAST_COHERENCE:
        reason = f"fit coherence of {coherence:.2f}"
    elif indefinite > _MOST_INDEFINITE:
        reason = f"the tensors are negative: {indefinite:.0%} of their squares"
    turn, along = common_axes(tensors)
    error = axis_errors(rows, turn) * errors[:, None]
    along = along * axes.noise[:, None]
    order = np.argsort(-along, axis=1, kind="stable")
    return DipoleFit(
        outcome="cannot analyse" if reason else "fitted",
        reason=reason,
        position=place,
        covariance=place_covariance(normal),
        tensors=tensors * axes.noise[:, None, None],
        indefinite=shares,
        rotation=turn,
        along_axes=along,
        principal=np.take_along_axis(along, order, axis=1),
        principal_error=np.take_along_axis(error, order, axis=1),
        coherence=coherence,
        correlation=math.sqrt(max(0.0, 1 - misfit / energy)) if energy else 0.0,
        residual=math.sqrt(misfit / freedom),
        signal_to_noise=signal,
        n_stations=n,
        n_left_out=0,
    )


def strong_courses(bare: Floats) -> Floats:
    r"""
    Return the courses of the gates that stand out of the noise.

    Parameters
    ----------
    bare : (n, m) float64 ndarray
        Data over their noise.

    Returns
    -------
    courses : (n_courses, m) float64 ndarray
        Right singular vectors, the strongest first: those whose singular value exceeds the
        largest of noise alone, :math:`\sqrt n + \sqrt m`; one at least.
    """
    _, values, vectors = np.linalg.svd(bare, full_matrices=False)
    n_strong = int((values > sum(map(math.sqrt, bare.shape))).sum())
    return np.asarray(vectors[: max(1, n_strong)])


def _tensors_beside_soil(
    near: Nearby, axes: SoilAxes, rows: Floats
) -> tuple[Floats, Floats, float]:
    """
    Return the elements of the tensors, what multiplies their errors, and the misfit.

    Elements (6, n_gates) are over the noise; errors (n_gates,) in the unit of the data.
    """
    across = np.linalg.lstsq(rows, near.bare, rcond=None)[0]
    misfit = float(((near.bare - rows @ across) ** 2).sum())
    scale = np.linalg.norm(rows)  # so that no column is lost beside the plane
    design = np.column_stack([rows / scale, np.ones(len(rows)), near.place[:, :2]])
    found = np.linalg.lstsq(design, near.soil, rcond=None)[0]
    left = near.soil - design @ found
    variance = max(1.0, float((left**2).sum()) / max(1, len(rows) - design.shape[1]))
    columns = across @ axes.bare.T + np.outer(found[:6] / scale, axes.soil)
    errors = axes.noise * np.sqrt((axes.bare**2).sum(axis=1) + variance * axes.soil**2)
    return columns, errors, misfit
