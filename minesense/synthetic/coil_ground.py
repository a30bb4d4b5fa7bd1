"""Where the heads of a metal detector stand over the ground of a lane, trace by trace."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from ..head import describe_winding
from ..physics import GroundWeights, ground_weights
from ..physics.ground_image import lowest
from ..sensor import Head
from ..sweep import Floats
from .terrain import Terrain

#: m of the lowest wire over the ground: lower heads ride on a skid.
LEAST_HEIGHT = 0.01
_LEVEL = 0.02  # rad of tilt that the soil does not notice: the square counts
#: Rings and directions of places under a head at which the soil is looked at; the next are
#: for heads whose wires lie low or apart.
_PLACES = ((12, 12), (24, 24), (48, 32), (96, 48))


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """Where a head stands over the ground at every trace."""

    height: Floats  #: (n,) m, of its origin over ground as it feels it
    ground: Floats  #: (n,) m, that ground over mean ground
    susceptibility: Floats  #: (n,) SI, mean of the soil as the head weighs it
    unevenness: Floats  #: (n,) m, flux over mu_0 that this mean leaves out
    rotation: Floats  #: (n, 3, 3), level where the soil does not notice the tilt


def stand_over(
    head: Head, position: Floats, rotation: Floats | None, *, terrain: Terrain
) -> Stand:
    """
    Find the ground under a head.

    Parameters
    ----------
    head : Head
        Its wires and nominal height matter.
    position : (n, 3) float64 ndarray
        Of its origin: right, forward, upward over mean ground, m.
    rotation : (n, 3, 3) float64 ndarray or None
        How the platform stands; level and forward by default.
    terrain : Terrain
        Surface and susceptibility of the lane.

    Returns
    -------
    stand : Stand
        Heights, at least so much that the lowest wire of a trace, tilted as it is then, is
        1 cm over the ground, and the soil's mean.

    Notes
    -----
    To first order a place under a head counts as the product of the fields of transmitter
    and receiver there (:func:`minesense.physics.ground_weights`), for the height of the
    surface as for the susceptibility. Of a head that is nulled so well that it has no mean,
    the transmitter's own counts; what its receiver feels of uneven soil besides is a flux
    of its own. What is found at a trace does not depend on the others.
    """
    n = len(position)
    turn = np.tile(np.eye(3), (n, 1, 1)) if rotation is None else rotation
    heading = np.arctan2(turn[:, 0, 1], turn[:, 1, 1])
    nominal = max(head.height or 0.0, float(least_height(head, np.eye(3)[None])[0]))
    weights, own = _weights(HeadKey(head), nominal)
    place = (position[:, 0], position[:, 1], heading)
    ground = weights.ground_under(terrain.surface, *place)
    mean = weights.mean_of(terrain.magnetism, *place)
    uneven = np.zeros(len(mean))
    if own is not weights:
        uneven = own.sum_of(terrain.magnetism, *place) - mean * float(own.volume.sum())
    is_level = np.arccos(np.clip(turn[:, 2, 2], -1.0, 1.0)) < _LEVEL
    turn = np.where(is_level[:, None, None], np.eye(3), turn)
    return Stand(
        height=np.maximum(position[:, 2] - ground, least_height(head, turn)),
        ground=ground,
        susceptibility=mean,
        unevenness=uneven,
        rotation=turn,
    )


def least_height(head: Head, rotation: Floats) -> Floats:
    """
    Return the height at which the lowest wire of a head is 1 cm over the ground.

    Parameters
    ----------
    head : Head
        Its wires matter.
    rotation : (n, 3, 3) float64 ndarray
        How the platform stands.

    Returns
    -------
    height : (n,) float64 ndarray
        Of the origin of the wires, m.
    """
    upward = rotation[:, 2]
    windings = (head.transmitter, head.receiver)
    return np.asarray(LEAST_HEIGHT - np.min([lowest(one, upward) for one in windings], axis=0))


class HeadKey:
    """A head that compares by its wires, so that what is made for them is made once."""

    def __init__(self, head: Head):
        self.head = head
        parts = [describe_winding(winding) for winding in (head.transmitter, head.receiver)]
        self.words = tuple((words, tuple(numbers)) for words, numbers in parts)

    def __hash__(self) -> int:
        return hash(self.words)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, HeadKey) and self.words == other.words


@functools.lru_cache(maxsize=32)
def _weights(key: HeadKey, height: float) -> tuple[GroundWeights, GroundWeights]:
    """Return weights that have a mean, and those of the head itself."""
    own = _enough_weights(key.head, height)
    total = float(np.abs(own.volume).sum())
    if abs(float(own.volume.sum())) > 0.1 * total:
        return own, own
    alone = Head(
        transmitter=key.head.transmitter,
        receiver=key.head.transmitter,
        excitation=key.head.excitation,
    )
    return _enough_weights(alone, height), own


def _enough_weights(head: Head, height: float) -> GroundWeights:
    """Return weights at as many places as the head needs."""
    for n_rings, n_directions in _PLACES[:-1]:
        try:
            return ground_weights(
                head, height=height, n_rings=n_rings, n_directions=n_directions
            )
        except ValueError:  # too few places
            continue
    n_rings, n_directions = _PLACES[-1]
    return ground_weights(head, height=height, n_rings=n_rings, n_directions=n_directions)
