"""Dipole inversion: where a metal object lies, and its polarizability at every gate."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from .._validation import (
    check_array,
    check_count,
    check_increasing,
    check_number,
    check_positive,
    check_probability,
)
from ..head import Head
from ..physics.scene import check_head, check_pose
from ..sweep import Floats, Sweep
from ._place_search import best_place, place_covariance
from .principal_axes import as_tensors, axis_errors, common_axes, make_positive
from .stations import Stations, head_of, stations_of

#: One more than the unknowns of one gate: three of the place, six of the tensor.
_FEWEST = 10
#: An optimum this close to the edge of the search volume lies on it, m.
_EDGE = 1e-6
#: Share of the squared tensors that a projection may take before it is no longer noise.
_MOST_INDEFINITE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DipoleFit:
    """
    What :func:`fit_dipole` returns: a fit, or why there is none to be trusted.

    Where there are too few stations, or they determine no tensor, all numbers are NaN.
    """

    outcome: Literal["fitted", "cannot analyse"]  #: what cannot be analysed is dug
    reason: str  #: why it cannot be analysed; empty for a fit
    position: Floats  #: (3,) easting, northing, upward, m
    covariance: Floats  #: (3, 3) of the position, m^2, for the stated noise
    tensors: Floats  #: (n_gates, 3, 3) positive semidefinite, unit of the data times m^2
    indefinite: Floats  #: (n_gates,) share of the tensor's norm that was made positive
    rotation: Floats  #: (3, 3) its columns are the axes of the object, the strongest first
    along_axes: Floats  #: (n_gates, 3) of the tensors along each axis
    principal: Floats  #: (n_gates, 3) the same, sorted at each gate: L1 >= L2 >= L3
    principal_error: Floats  #: (n_gates, 3) standard errors of those at the place found
    coherence: float  #: share of the squared data that the dipole or the noise explains
    correlation: float  #: of data and fit, gates over their noise
    residual: float  #: root mean square misfit over the noise; 1 if that is as stated
    signal_to_noise: float  #: dB, see Notes of :func:`fit_dipole`
    n_stations: int  #: used
    n_left_out: int  #: flagged, and so not used

    @property
    def depth(self) -> float:
        """Depth below upward = 0, positive down, m."""
        return -float(self.position[2])


def fit_dipole(
    stations: Stations | Sweep,
    *,
    head: Head | None = None,
    area: npt.ArrayLike,
    depths: npt.ArrayLike,
    noise: npt.ArrayLike,
    starts: int = 10,
    grid: float = 0.05,
    least_signal: float = 10.0,
    least_coherence: float = 0.9,
) -> DipoleFit:
    r"""
    Fit one small object to what a metal detector received around it.

    Parameters
    ----------
    stations : Stations or Sweep
        Where the head was and what it received, soil and baseline removed in every gate
        alike. Of a sweep all channels are taken, level; traces whose ground is not credited
        are left out.
    head : Head, optional
        Its wires; by default that of the sweep's sensor.
    area : (2, 2) array_like
        Least and greatest easting, then northing, of the search volume, m.
    depths : (2,) array_like
        Least and greatest depth below upward = 0, positive down, m.
    noise : float or (n_gates,) array_like
        Standard deviation of the data, independent from gate to gate and place to place.
    starts : int
        How many of the best points of the grid are refined.
    grid : float
        Spacing of the grid at most, m.
    least_signal : float
        Signal-to-noise ratio below which nothing is analysed, dB.
    least_coherence : float
        Fit coherence below which nothing is analysed (engineering default, unverified).

    Returns
    -------
    fit : DipoleFit
        Its `outcome` is "cannot analyse", with the reason, if there are fewer than ten usable
        stations, they determine no place and tensor, the signal is weak, the best place is on
        the edge of the search volume, the tensors are mostly negative, or the data are not
        those of one dipole.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range or does not fit the others, a sweep has no head or
        several, or the search volume is not below all stations.

    Notes
    -----
    With :math:`h` the fields of receiver and transmitter per ampere and :math:`\sigma_j` the
    noise, the misfit

    .. math:: \sum_{ij} \sigma_j^{-2} \left( d_{ij}
        - h_{rx}(r_i - r_0)^T M_j \, h_{tx}(r_i - r_0) \right)^2

    is linear in the six elements of each :math:`M_j`, so that only :math:`r_0` is searched
    for: :math:`\min_{r_0} \| P^\perp(r_0) Y \|^2` with :math:`P^\perp` off the columns of the
    stations (variable projection: [1]_ eq. 2.2, Jacobian as simplified in [2]_), on the grid,
    then by Levenberg-Marquardt; a start that comes within 1 mm of where an earlier one
    ended is given up. The covariance is :math:`(J^T J)^{-1}`.

    Tensors are bounded as matrices: of the least-squares tensor of each gate what has
    negative eigenvalues is taken out, the nearest semidefinite one by Frobenius norm, and
    `indefinite` says how much that was. Single elements may be negative, as those of a rod
    that is turned by 45 degrees are. With soil projected out of the gates tensors are not
    semidefinite any more: give data before that.

    One rotation diagonalises all gates together, weighed by their noise (Jacobi angles of
    [3]_); of an object of revolution two of the axes are arbitrary.

    The signal-to-noise ratio is the squared data over the noise that the fit explains, in dB
    for each of its 6 n_gates + 3 numbers: about 0 dB where there is no object. Coherence is
    :math:`1 - \max(0, \chi^2 - \nu) / |Y|^2`, with the misfit :math:`\chi^2` and degrees of
    freedom :math:`\nu`: noise does not lower it, a second object does. What such fits are
    for, see [4]_ and [5]_.

    References
    ----------
    .. [1] Golub and Pereyra (1973), The differentiation of pseudo-inverses and nonlinear
       least squares problems whose variables separate, SIAM J. Numer. Anal. 10, 413-432.
    .. [2] Kaufman (1975), A variable projection method for solving separable nonlinear least
       squares problems, BIT 15, 49-57.
    .. [3] Cardoso and Souloumiac (1996), Jacobi angles for simultaneous diagonalization,
       SIAM J. Matrix Anal. Appl. 17, 161-164.
    .. [4] Song, Pasion, Lhomme and Oldenburg (2011), IEEE Trans. Geosci. Remote Sens. 49,
       4007.
    .. [5] Grzegorczyk, Barrowes, Shubitidze, Fernandez and O'Neill (2011), IEEE Trans.
       Geosci. Remote Sens. 49, 2507.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.emi import Stations, fit_dipole
    >>> from minesense.physics import pulse_voltage, ring_relaxation
    >>> from minesense.sensor import Circle, Head, PulseTrain
    >>> train = PulseTrain(
    ...     pulse=200e-6, ramp=5e-6, half_period=1e-3, receiver_tau=1e-6, gates=[[20e-6, 30e-6]]
    ... )
    >>> coil = (Circle(radius=0.1),)
    >>> head = Head(transmitter=coil, receiver=coil, excitation=train)
    >>> ring = ring_relaxation(
    ...     radius=0.01, wire_radius=0.001, conductivity=3.5e7, normal=[0.6, 0.0, 0.8]
    ... )
    >>> east, north = np.meshgrid(np.linspace(-0.3, 0.3, 7), np.linspace(-0.3, 0.3, 7))
    >>> places = np.column_stack([east.ravel(), north.ravel(), np.full(49, 0.05)])
    >>> volts = pulse_voltage(
    ...     places, head=head, object_position=[[0.02, 0.01, -0.12]], objects=[ring]
    ... )
    >>> fit = fit_dipole(
    ...     Stations(position=places, data=volts),
    ...     head=head,
    ...     area=[[-0.2, 0.2], [-0.2, 0.2]],
    ...     depths=[0.02, 0.3],
    ...     noise=1e-12,
    ... )
    >>> fit.outcome, fit.position.round(6).tolist()
    ('fitted', [0.02, 0.01, -0.12])
    >>> np.abs(fit.rotation[:, 0]).round(3).tolist()  # the normal of the ring
    [0.6, 0.0, 0.8]
    """
    if isinstance(stations, Sweep):
        head = head_of(stations) if head is None else head
        stations = stations_of(stations)
    elif not isinstance(stations, Stations):
        msg = (
            f"Invalid stations of type {type(stations).__name__}. Must be Stations or a Sweep."
        )
        raise TypeError(msg)
    head = check_head(head)
    n_gates = stations.data.shape[1]
    spread = check_array(noise, "noise", () if np.ndim(noise) == 0 else (n_gates,))
    if (spread <= 0).any():
        msg = f"Invalid noise '{spread.min()}'. Must be greater than zero."
        raise ValueError(msg)
    spread = np.broadcast_to(spread, n_gates)
    usable = stations.is_usable
    position = stations.position[usable]
    low, high = _search_volume(area, depths, position)
    starts = check_count(starts, "starts")
    spacing = check_positive(grid, "grid")
    least_signal = check_number(least_signal, "least_signal")
    least_coherence = check_probability(least_coherence, "least_coherence")
    n_left_out = len(stations.data) - len(position)
    if len(position) < _FEWEST:
        reason = f"{len(position)} usable stations, fewer than {_FEWEST}"
        return _no_fit(reason, n_gates, len(position), n_left_out)
    rotation = None if stations.rotation is None else stations.rotation[usable]
    position, rotation = check_pose(position, rotation, "position")
    scaled = np.ascontiguousarray(stations.data[usable] / spread)
    middle = 0.5 * (low + high)
    stand = (position - middle, rotation, scaled)
    found = best_place(head, stand, (low - middle, high - middle), starts, spacing)
    if found is None:
        reason = "the stations determine no place and tensor"
        return _no_fit(reason, n_gates, len(position), n_left_out)
    found[0][:] += middle
    least = (least_signal, least_coherence)
    return _judged_fit(found, scaled, spread, (low, high), least, n_left_out)


def _search_volume(
    area: npt.ArrayLike, depths: npt.ArrayLike, position: Floats
) -> tuple[Floats, Floats]:
    """Return the corners of the search volume, easting, northing, upward, m."""
    sides = check_array(area, "area", (2, 2))
    for side in sides:
        check_increasing(side, "area")
    down = check_increasing(check_array(depths, "depths", (2,)), "depths")
    lowest = position[:, 2].min(initial=math.inf)
    if lowest <= -down[0]:
        msg = (
            f"Invalid depths {down.tolist()}: a station is at {lowest:g} m upward. Must lie "
            "below all stations."
        )
        raise ValueError(msg)
    return np.append(sides[:, 0], -down[1]), np.append(sides[:, 1], -down[0])


def _judged_fit(
    found: tuple[Any, ...],
    scaled: Floats,
    spread: Floats,
    box: tuple[Floats, Floats],
    least: tuple[float, float],
    n_left_out: int,
) -> DipoleFit:
    """Return the record of what was found, and whether it is to be trusted."""
    place, explained, columns, rows, normal = found
    (low, high), n_gates = box, len(spread)
    left = scaled - rows @ columns
    misfit, energy = float((left**2).sum()), float((scaled**2).sum())
    freedom = scaled.size - 6 * n_gates - 3
    coherence = 1 - max(0.0, misfit - freedom) / energy if energy else 0.0
    signal = 10 * math.log10(max(explained, 1e-30) / (6 * n_gates + 3))
    tensors, indefinite = make_positive(as_tensors(columns))
    reason = ""
    if signal < least[0]:
        reason = f"signal-to-noise ratio of {signal:.1f} dB, below {least[0]:g} dB"
    elif min((place - low).min(), (high - place).min()) <= _EDGE:
        reason = f"the best place, {place.tolist()}, is on the edge of the search"
    elif coherence < least[1]:
        reason = f"fit coherence of {coherence:.2f}, below {least[1]:g}"
    elif indefinite[1] > _MOST_INDEFINITE:
        reason = f"the tensors are negative: {indefinite[1]:.0%} of their squares"
    axes, along = common_axes(tensors)
    error = axis_errors(rows, axes) * spread[:, None]
    along *= spread[:, None]
    order = np.argsort(-along, axis=1, kind="stable")
    return DipoleFit(
        outcome="cannot analyse" if reason else "fitted",
        reason=reason,
        position=place,
        covariance=place_covariance(normal),
        tensors=tensors * spread[:, None, None],
        indefinite=indefinite[0],
        rotation=axes,
        along_axes=along,
        principal=np.take_along_axis(along, order, axis=1),
        principal_error=np.take_along_axis(error, order, axis=1),
        coherence=coherence,
        correlation=math.sqrt(max(0.0, 1 - misfit / energy)) if energy else 0.0,
        residual=math.sqrt(misfit / freedom),
        signal_to_noise=signal,
        n_stations=len(scaled),
        n_left_out=n_left_out,
    )


def _no_fit(reason: str, n_gates: int, n_stations: int, n_left_out: int) -> DipoleFit:
    """Return the record of data from which nothing was computed."""
    none = math.nan
    return DipoleFit(
        outcome="cannot analyse",
        reason=reason,
        position=np.full(3, none),
        covariance=np.full((3, 3), none),
        tensors=np.full((n_gates, 3, 3), none),
        indefinite=np.full(n_gates, none),
        rotation=np.full((3, 3), none),
        along_axes=np.full((n_gates, 3), none),
        principal=np.full((n_gates, 3), none),
        principal_error=np.full((n_gates, 3), none),
        coherence=none,
        correlation=none,
        residual=none,
        signal_to_noise=none,
        n_stations=n_stations,
        n_left_out=n_left_out,
    )
