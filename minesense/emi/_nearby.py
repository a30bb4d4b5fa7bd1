"""What a metal detector received around a place, with the soil in a column of its own."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..head import Head
from ..sweep import Floats, Sweep

Indices = npt.NDArray[np.intp]

#: From where to where the soil around a place is looked at, m.
RING = (0.6, 1.5)
#: How far from a candidate its strongest decay may be, and how far from that an object is
#: still received, m.
PEAK, REACH = 0.2, 0.4
#: Stations kept at most, of the object and of the ring around it.
_MOST, _MOST_RING = 96, 400
#: By how much wider the cells are made in which one station is kept.
_WIDER = 1.15


class SoilAxes(NamedTuple):
    """Turns decays over their noise into what soil cannot make, and what it can."""

    noise: Floats  # (n_gates,) in the unit of the data
    bare: Floats  # (n_gates, n_gates - 1) orthonormal, of what is left without the soil
    soil: Floats  # (n_gates,) unit vector of the soil


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stand:
    """A sweep whose cells can be asked for: where each was, and whether it counts."""

    sweep: Sweep
    axes: SoilAxes
    place: Floats  # (n_traces, n_channels, 3) m
    is_used: npt.NDArray[np.bool_]  # (n_traces, n_channels)
    arm: float  # m, of the channel that is farthest from the platform
    head: Head | None  # of the channels used


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Nearby:
    """
    Stations within reach of a peak, in the frame of travel there.

    The peak is the first.
    """

    place: Floats  # (n, 3) right and forward of the peak, upward, m
    turn: Floats  # (n,) heading less that at the peak, rad
    bare: Floats  # (n, n_gates - 1) what is left without the soil, over the noise
    soil: Floats  # (n,) the soil's part, over the noise


def soil_axes(noise: Floats, soil: Floats) -> SoilAxes:
    """
    Return axes of decays: one along the soil, the others across.

    Parameters
    ----------
    noise : (n_gates,) float64 ndarray
        Standard deviation of each gate.
    soil : (n_gates,) float64 ndarray
        Decay of the soil, in any unit.

    Returns
    -------
    axes : SoilAxes
        For decays over the noise.
    """
    unit = soil / noise
    unit = unit / np.linalg.norm(unit)
    bare = np.linalg.qr(unit[:, None], mode="complete")[0][:, 1:]
    return SoilAxes(noise, np.ascontiguousarray(bare), unit)


def make_stand(sweep: Sweep, channel: int, spread: Floats, soil: Floats) -> Stand:
    r"""
    Return a sweep prepared for :func:`gather`, of the channels with one head.

    Parameters
    ----------
    sweep : Sweep
        Of a metal detector, without its baseline.
    channel : int
        Whose head is meant.
    spread : (n_channels, n_gates) float64 ndarray
        Standard deviation over background.
    soil : (n_gates,) float64 ndarray
        Decay of the soil.

    Returns
    -------
    stand : Stand
        Its noise is the root mean square of the spread over the channels, less the soil: it
        is scaled to what is left without the soil in half of the traces, by 0.1 to 1.
    """
    heads = sweep.sensor.channel_heads
    head = heads[channel] if heads else None
    is_alike = np.array([not heads or heads[c] is head for c in range(len(spread))])
    noise = np.sqrt((spread[is_alike] ** 2).mean(axis=0))
    axes = soil_axes(noise, soil)
    is_placed = sweep.is_credited & np.isfinite(sweep.position).all(axis=1)
    left = (sweep.samples[is_placed][:, is_alike] / noise) @ axes.bare
    if left.size:
        share = 1.4826 * float(np.median(np.abs(left - np.median(left))))
        axes = axes._replace(noise=noise * min(max(share, 0.1), 1.0))
    return Stand(
        sweep=sweep,
        axes=axes,
        place=sweep.channel_position,
        is_used=is_placed[:, None] & is_alike,
        arm=float(np.hypot(*sweep.sensor.lever_arms[:, :2].T).max()),
        head=head,
    )


def gather(stand: Stand, trace: int, channel: int) -> tuple[Nearby, Nearby] | None:
    """
    Return the stations around a candidate, and those of the ring around it.

    Parameters
    ----------
    stand : Stand
        From :func:`make_stand`.
    trace, channel : int
        Of the candidate.

    Returns
    -------
    near, ring : Nearby
        Within 0.4 m of the peak, and 0.6 to 1.5 m from it, thinned. The peak is where most
        is left without the soil within 0.2 m of the candidate. None if no station near
        the candidate counts.
    """
    middle = stand.place[trace, channel]
    if not np.isfinite(middle[:2]).all():
        return None
    far = PEAK + RING[1] + stand.arm
    offset = stand.sweep.position[:, :2] - middle[:2]
    rows = np.flatnonzero((np.abs(offset) <= far).all(axis=1))  # NaN is not
    i, c = np.nonzero(stand.is_used[rows])
    i = rows[i]
    place = stand.place[i, c]
    apart = np.hypot(*(place[:, :2] - middle[:2]).T)
    search = np.flatnonzero(apart <= PEAK)
    if not len(search):
        return None
    left = _scaled(stand, i[search], c[search]) @ stand.axes.bare
    peak = search[int(np.argmax((left**2).sum(axis=1)))]
    heading = float(stand.sweep.heading[i[peak]])
    sin, cos = math.sin(heading), math.cos(heading)
    place = place - [*place[peak, :2], 0.0]
    place[:, :2] = place[:, :2] @ np.array([[cos, sin], [-sin, cos]])
    distance = np.hypot(place[:, 0], place[:, 1])

    def pick(chosen: Indices) -> Nearby:
        scaled = _scaled(stand, i[chosen], c[chosen])
        return Nearby(
            place=place[chosen],
            turn=stand.sweep.heading[i[chosen]] - heading,
            bare=scaled @ stand.axes.bare,
            soil=scaled @ stand.axes.soil,
        )

    near = np.flatnonzero(distance <= REACH)
    near = np.concatenate([[peak], near[near != peak]])
    ring = np.flatnonzero((distance >= RING[0]) & (distance <= RING[1]))
    return pick(near[thin(place[near], _MOST)]), pick(ring[thin(place[ring], _MOST_RING)])


def thin(place: Floats, most: int) -> Indices:
    """
    Return which of many stations to keep, spread as evenly as they were.

    Parameters
    ----------
    place : (n, 2 or more) float64 ndarray
        Right and forward, m.
    most : int
        Stations at most.

    Returns
    -------
    kept : (n_kept,) int64 ndarray
        Rising. Of each square cell the station that is nearest to its middle, the first of
        equals; cells are as small as the number allows, to 15 %, and one is around the origin.
    """
    if len(place) <= most:
        return np.arange(len(place))
    cell = math.sqrt(float(np.prod(np.ptp(place[:, :2], axis=0) + 1e-3)) / most)
    while True:
        number = np.rint(place[:, :2] / cell)
        off = ((place[:, :2] - cell * number) ** 2).sum(axis=1)
        # rounded, so that a mirrored or moved scene keeps the same ones
        order = np.lexsort([np.arange(len(place)), off.round(9)])
        kept = order[np.unique(number[order], axis=0, return_index=True)[1]]
        if len(kept) <= most:
            return np.sort(kept)
        cell *= _WIDER


def _scaled(stand: Stand, traces: Indices, channels: Indices) -> Floats:
    """Return decays over their noise, (n, n_gates)."""
    return np.asarray(stand.sweep.samples[traces, channels] / stand.axes.noise)
