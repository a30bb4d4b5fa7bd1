"""What the heads of a metal detector receive from the soil of a lane."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..constants import MU_0
from ..physics import (
    GroundTable,
    conductive_flux,
    image_inductance,
    late_conductive_voltage,
    rotation_onto,
    soil_pulse_voltage,
    soil_wave_response,
    tabulate_ground,
    vrm_susceptibility,
)
from ..physics.ground_image import coaxial_circles
from ..physics.winding import extent
from ..sensor import Circle, Head, PulseTrain
from ..sweep import Floats
from .coil_ground import LEAST_HEIGHT, HeadKey, Stand, least_height
from .terrain import Terrain

_TABLE_ERROR = 1e-3  # of the table of heights and tilts, a share of the largest
#: Tables of a head: of its traces tilted by more than one of these and up to the next, rad,
#: from the lowest such height on by factors. The few other traces are computed themselves.
_TILTS = (0.0, 1e-9, 0.1, 0.2, 0.3, 0.5, 0.9)
_LEAST_TILT = 0.01  # of a table, rad
_GAP = 0.003  # m between ground and the lowest wire that a table allows
_FACTOR, _N_FACTORS = 8.0, 2


def soil_samples(head: Head, stand: Stand, *, terrain: Terrain) -> Floats:
    """
    Compute what a head receives from the soil alone.

    Parameters
    ----------
    head : Head
        Of pulse induction or continuous wave.
    stand : Stand
        Of :func:`~minesense.synthetic.coil_ground.stand_over`.
    terrain : Terrain
        Viscous share and conductivity of its soil.

    Returns
    -------
    samples : (n, n_samples) float64 ndarray
        V per ampere at the gates; or metres, in-phase and quadrature in turn at the
        frequencies.

    Notes
    -----
    The image of the wires in flat ground, tilted as the head is, with the viscous course of
    the soil; what uneven soil adds to it has the same course. Conducting ground counts for
    heads of circles about one vertical axis, at any heights on it, as if level; other heads
    do not feel it. Its late law is carried back as :math:`t^{-5/2}` to gates that begin
    before it holds. A trace is the same whatever others are computed with it.
    """
    soil, train = terrain.soil, head.excitation
    is_pulse = isinstance(train, PulseTrain)
    response: Any = soil_pulse_voltage if is_pulse else soil_wave_response
    n_out = len(train.gates) if isinstance(train, PulseTrain) else len(train.frequencies)
    samples: Any = np.zeros(
        (len(stand.height), n_out), np.float64 if is_pulse else np.complex128
    )
    for which, rotation, table in _ways(head, stand):
        samples[which] = response(
            stand.height[which],
            head=head,
            susceptibility=stand.susceptibility[which],
            viscous_share=soil.viscous_share,
            rotation=rotation,
            table=table,
        )
    if isinstance(train, PulseTrain):
        samples += np.outer(MU_0 * stand.unevenness, _course(head, soil.viscous_share))
        samples += _conducting_volts(head, train, stand, soil.conductivity)
        return np.asarray(samples)
    course = vrm_susceptibility(train.frequencies, chi0=1.0, viscous_share=soil.viscous_share)
    samples += np.outer(stand.unevenness, course)
    samples += _conducting_waves(head, train.frequencies, stand, soil.conductivity)
    return np.ascontiguousarray(samples).view(np.float64)


def _ways(
    head: Head, stand: Stand
) -> Iterator[tuple[np.ndarray, Floats | None, GroundTable | None]]:
    """Yield traces, how they stand, and the table that has their inductance, if one has."""
    tilt = np.arccos(np.clip(stand.rotation[:, 2, 2], -1.0, 1.0))
    rest = np.ones(len(tilt), dtype=bool)
    is_round = all(isinstance(path, Circle) for path in (*head.transmitter, *head.receiver))
    if is_round:  # level ones have a formula, all at once
        rest = tilt > _TILTS[1]
        if not rest.all():
            yield np.flatnonzero(~rest), None, None
    key = HeadKey(head)
    for least, most in itertools.pairwise(_TILTS):
        inside = rest & ((tilt > least) | (least == 0)) & (tilt <= most)
        if not inside.any():
            continue
        widest = max(most, _LEAST_TILT)
        lowest = max(_drop(key, least) + LEAST_HEIGHT, _drop(key, widest) + _GAP)
        for k in range(_N_FACTORS):
            low, high = lowest * _FACTOR**k, lowest * _FACTOR ** (k + 1)
            which = inside & (stand.height >= low) & (stand.height < high)
            if which.any():
                table = _table(key, low, high, widest)
                yield np.flatnonzero(which), stand.rotation[which], table
                rest = rest & ~which
    if rest.any():
        yield np.flatnonzero(rest), stand.rotation[rest], None


@functools.lru_cache(maxsize=64)
def _drop(key: HeadKey, tilt: float) -> float:
    """Return how far below its origin a wire of the head is, tilted this much or less, m."""
    angle = np.linspace(0, 2 * math.pi, 48, endpoint=False)
    across = np.sin(tilt * np.linspace(0, 1, 9))[:, None, None] * np.stack(
        [np.cos(angle), np.sin(angle)], axis=-1
    )
    upward = np.concatenate(
        [across, np.sqrt(1 - (across**2).sum(axis=-1, keepdims=True))], axis=-1
    )
    turn = np.array([rotation_onto(one).T for one in upward.reshape(-1, 3)])
    return float(least_height(key.head, turn).max()) - LEAST_HEIGHT


@functools.lru_cache(maxsize=32)
def _table(key: HeadKey, low: float, high: float, tilt: float) -> GroundTable:
    """Return the table of a head over a range of heights and tilts."""
    return tabulate_ground(key.head, heights=(low, high), tilt=tilt, tolerance=_TABLE_ERROR)


def _course(head: Head, viscous_share: float) -> Floats:
    """Return gate voltages for each weber per ampere of soil of susceptibility 1."""
    high = np.array([10 * extent(head.transmitter)])
    alone = Head(
        transmitter=head.transmitter, receiver=head.transmitter, excitation=head.excitation
    )
    weak = 1e-6
    volts = soil_pulse_voltage(
        high, head=alone, susceptibility=weak, viscous_share=viscous_share
    )
    return np.asarray(volts[0] / (weak / 2 * image_inductance(high, head=alone)[0]))


def _pairs(head: Head, stand: Stand) -> Iterator[tuple[Circle, Circle, float, Floats]]:
    """Yield circles of both windings about one axis, signed turns, and their mean height."""
    both = coaxial_circles(head)
    for one in both[0] if both else ():
        for other in both[1] if both else ():
            turns = one.turns * other.turns * math.copysign(1.0, one.axis[2] * other.axis[2])
            # only the way down and up counts, and so the sum of both heights
            mean = stand.height + (one.centre[2] + other.centre[2]) / 2
            yield one, other, turns, np.maximum(mean, LEAST_HEIGHT)


def _conducting_volts(
    head: Head, train: PulseTrain, stand: Stand, conductivity: float
) -> Floats:
    """Return what conducting ground adds to every gate, V per ampere, (n, n_gates)."""
    total = np.zeros((len(stand.height), len(train.gates)))
    if conductivity == 0:
        return total
    for one, other, turns, height in _pairs(head, stand):
        # the law is linear in the height: two points, for heights up to a power of two
        widest = max(one.radius, other.radius)
        power = np.maximum(0, np.ceil(np.log2(height / widest))).astype(int)
        for k in np.unique(power):
            which, most = power == k, widest * 2.0 ** int(k)
            low, high = (
                _late_volts(train, (one.radius, other.radius), at, most, conductivity)
                for at in (0.0, most)
            )
            share = height[which, None] / most
            total[which] += turns * (low + share * (high - low))
    return total


def _late_volts(
    train: PulseTrain,
    radii: tuple[float, float],
    height: float,
    most: float,
    conductivity: float,
) -> Floats:
    """Return the late law of one pair, carried back to gates before it holds up to a height."""
    spread = 100 * MU_0 * conductivity * most**2
    first = max(10 * train.receiver_tau, spread) * (1 + 1e-9)
    late = np.maximum(train.gates, first)
    late[:, 1] = np.maximum(late[:, 1], late[:, 0] * train.gates[:, 1] / train.gates[:, 0])
    longest = (train.half_period or math.inf) - train.pulse - train.ramp
    late = np.minimum(late, longest * (1 - 1e-9))
    late[:, 0] = np.minimum(late[:, 0], late[:, 1] * (1 - 1e-6))
    volts = late_conductive_voltage(
        dataclasses.replace(train, gates=late),
        height=height,
        radius=radii[0],
        receiver_radius=radii[1],
        conductivity=conductivity,
    )
    return np.asarray(volts * (late[:, 0] / train.gates[:, 0]) ** 2.5)


def _conducting_waves(
    head: Head, frequencies: Floats, stand: Stand, conductivity: float
) -> Floats | complex:
    """Return what conducting ground adds at every frequency, m, (n, n_frequencies)."""
    total: Any = 0.0
    if conductivity == 0:
        return total
    for one, other, turns, height in _pairs(head, stand):
        total = total + turns / MU_0 * conductive_flux(
            height,
            frequency=frequencies,
            radius=one.radius,
            receiver_radius=other.radius,
            conductivity=conductivity,
        )
    return total
