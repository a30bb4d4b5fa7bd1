"""Where the head of a metal detector was, and what it received there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .._validation import check_array, check_real, check_shape
from ..head import Head
from ..physics.pose import attitude
from ..physics.scene import check_pose
from ..sweep import Floats, Sweep
from .preprocess import check_gated


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stations:
    """
    What a metal detector received at some places of its head.

    Raises
    ------
    TypeError, ValueError
        If a shape does not fit, a rotation is none, or a usable row holds NaN.
    """

    position: Floats  #: (n, 3) easting, northing, upward of the origin of the wires, m
    data: Floats  #: (n, n_gates) V per ampere, without baseline
    rotation: Floats | None = None  #: (n, 3, 3) how the head stands; None for level, north
    is_usable: npt.NDArray[np.bool_] | None = None  #: (n,) whether a row means anything

    def __post_init__(self) -> None:
        data = check_shape(check_real(self.data, "data"), "data", ("n", "n_gates"))
        if not data.shape[1]:
            msg = f"Invalid data with shape {data.shape}. Must have a gate."
            raise ValueError(msg)
        flags = np.ones(len(data), np.bool_) if self.is_usable is None else self.is_usable
        flags = check_shape(np.asarray(flags), "is_usable", (len(data),))
        if flags.dtype != np.bool_:
            msg = f"Invalid is_usable of dtype {flags.dtype}. Must be truths."
            raise TypeError(msg)
        position = check_shape(
            check_real(self.position, "position"), "position", (len(data), 3)
        )
        rotation = self.rotation
        if rotation is not None:
            rotation = check_shape(
                check_real(rotation, "rotation"), "rotation", (len(data), 3, 3)
            )
            check_pose(position[flags], rotation[flags], "position")
        check_array(data[flags], "data of usable stations", ("n", "n_gates"))
        check_pose(position[flags], None, "position")
        object.__setattr__(self, "data", np.ascontiguousarray(data, np.float64))
        object.__setattr__(self, "position", np.ascontiguousarray(position, np.float64))
        object.__setattr__(self, "rotation", rotation)
        object.__setattr__(self, "is_usable", flags)


def head_of(sweep: Sweep) -> Head:
    """
    Return the head that all channels of a sweep have.

    Parameters
    ----------
    sweep : Sweep
        Of a metal detector with gates.

    Returns
    -------
    head : Head
        The one of its sensor.

    Raises
    ------
    ValueError
        If channels differ in their heads.
    """
    heads = check_gated(sweep.sensor).channel_heads
    if len(set(map(id, heads))) != 1:
        msg = (
            f"Invalid sensor '{sweep.sensor.name}' with {len(set(map(id, heads)))} heads. Must "
            "have one for all channels: give the head, or Stations of one channel."
        )
        raise ValueError(msg)
    return heads[0]


def stations_of(sweep: Sweep) -> Stations:
    """
    Return every channel of every trace as a station.

    Parameters
    ----------
    sweep : Sweep
        Of a metal detector with gates.

    Returns
    -------
    stations : Stations
        Level ones; those whose ground is not credited are not usable.
    """
    n_channels, n_gates = check_gated(sweep.sensor).shape
    turn = np.tile(np.eye(3), (len(sweep), 1, 1))
    turn[sweep.is_credited] = attitude(sweep.heading[sweep.is_credited])
    return Stations(
        position=sweep.channel_position.reshape(-1, 3),
        data=sweep.samples.reshape(-1, n_gates).astype(np.float64),
        rotation=np.repeat(turn, n_channels, axis=0),
        is_usable=np.repeat(sweep.is_credited, n_channels),
    )
