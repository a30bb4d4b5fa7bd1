"""Metal parts by their outer size: nails, cases, cans, capsules, foil, wire loops."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import numpy.typing as npt

from .._validation import check_number, check_positive
from .axial_bodies import cylinder_relaxation, shell_relaxation
from .bodies import ring_relaxation
from .relaxation import Relaxation

_UP = (0.0, 0.0, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Metal:
    """
    What induction needs of a metal.

    Raises
    ------
    TypeError, ValueError
        If the conductivity is not greater than zero or the permeability less than 1.
    """

    conductivity: float  #: S/m
    permeability: float = 1.0  #: relative, of small fields

    def __post_init__(self) -> None:
        check_positive(self.conductivity, "conductivity")
        if check_number(self.permeability, "permeability") < 1:
            msg = f"Invalid permeability '{self.permeability}'. Must be relative, 1 or more."
            raise ValueError(msg)

    def corroded(self, share: float) -> Metal:
        """
        Return the metal after corrosion.

        Parameters
        ----------
        share : float
            Factor of the conductivity and of the permeability, which stays at least 1;
            greater than 0, at most 1. 0.2 to 1 for old metal in soil (unverified).

        Returns
        -------
        metal : Metal
            What is left.

        Raises
        ------
        ValueError
            If `share` is out of range.
        """
        if check_positive(share, "share") > 1:
            msg = f"Invalid share '{share}'. Must be at most 1."
            raise ValueError(msg)
        return dataclasses.replace(
            self,
            conductivity=share * self.conductivity,
            permeability=max(1.0, share * self.permeability),
        )


# Round figures of common alloys; engineering defaults, unverified.
ALUMINIUM = Metal(conductivity=3.5e7)
COPPER = Metal(conductivity=5.8e7)
BRASS = Metal(conductivity=1.5e7)
STEEL = Metal(conductivity=4e6, permeability=100.0)
STAINLESS = Metal(conductivity=1.4e6, permeability=1.02)


def nail(
    *, length: float, diameter: float, metal: Metal = STEEL, axis: npt.ArrayLike = _UP
) -> Relaxation:
    """
    Build a nail, or any straight piece of rod or wire.

    Parameters
    ----------
    length, diameter : float
        Outer size, m.
    metal : Metal
        Steel by default.
    axis : (3,) array_like
        Direction of its length.

    Returns
    -------
    body : Relaxation
        As of :func:`cylinder_relaxation`; the head is left out.

    Examples
    --------
    >>> from minesense.physics import nail
    >>> nail(length=0.05, diameter=0.002).polarizability(1e4).shape
    (3, 3)
    """
    return cylinder_relaxation(
        diameter=diameter, length=length, axis=axis, **dataclasses.asdict(metal)
    )


def coin(
    *, diameter: float, thickness: float, metal: Metal = COPPER, axis: npt.ArrayLike = _UP
) -> Relaxation:
    """
    Build a coin, or any round plate.

    Parameters
    ----------
    diameter, thickness : float
        Outer size, m.
    metal : Metal
        Copper by default.
    axis : (3,) array_like
        Normal of the plate.

    Returns
    -------
    body : Relaxation
        As of :func:`cylinder_relaxation`.

    Examples
    --------
    >>> from minesense.physics import coin
    >>> moment = coin(diameter=0.02, thickness=0.0015).polarizability(1e5)
    >>> bool(abs(moment[2, 2]) > 3 * abs(moment[0, 0]))
    True
    """
    return cylinder_relaxation(
        diameter=diameter, length=thickness, axis=axis, **dataclasses.asdict(metal)
    )


def foil(
    *, area: float, thickness: float, metal: Metal = ALUMINIUM, axis: npt.ArrayLike = _UP
) -> Relaxation:
    """
    Build a flat piece of foil.

    Parameters
    ----------
    area : float
        Of one side, m^2; the shape is taken as a disc of the same area.
    thickness : float
        In metres.
    metal : Metal
        Aluminium by default.
    axis : (3,) array_like
        Normal of the foil.

    Returns
    -------
    body : Relaxation
        As of :func:`cylinder_relaxation`.

    Raises
    ------
    ValueError
        If a size is not greater than zero or out of the range of
        :func:`cylinder_relaxation`.

    Examples
    --------
    >>> from minesense.physics import foil
    >>> piece = foil(area=1e-3, thickness=2e-5)
    >>> bool(piece.taus.max() < 2e-5)
    True
    """
    diameter = 2 * math.sqrt(check_positive(area, "area") / math.pi)
    return coin(diameter=diameter, thickness=thickness, metal=metal, axis=axis)


def cartridge_case(
    *,
    length: float,
    diameter: float,
    wall: float = 0.0005,
    metal: Metal = BRASS,
    axis: npt.ArrayLike = _UP,
) -> Relaxation:
    """
    Build an empty cartridge case.

    Parameters
    ----------
    length, diameter : float
        Outer size, m.
    wall : float
        Mean thickness of the wall, m (unverified).
    metal : Metal
        Brass by default.
    axis : (3,) array_like
        Direction of its length.

    Returns
    -------
    body : Relaxation
        As of :func:`shell_relaxation`.

    Examples
    --------
    >>> from minesense.physics import cartridge_case
    >>> cartridge_case(length=0.039, diameter=0.011).polarizability(1e4).shape
    (3, 3)
    """
    return shell_relaxation(
        diameter=diameter, length=length, wall=wall, axis=axis, **dataclasses.asdict(metal)
    )


def can(
    *,
    length: float,
    diameter: float,
    wall: float = 0.0002,
    metal: Metal = STEEL,
    axis: npt.ArrayLike = _UP,
) -> Relaxation:
    """
    Build a food or drink can.

    Parameters
    ----------
    length, diameter : float
        Outer size, m.
    wall : float
        Thickness of the sheet, m (unverified).
    metal : Metal
        Steel by default.
    axis : (3,) array_like
        Direction of its length.

    Returns
    -------
    body : Relaxation
        As of :func:`shell_relaxation`.

    Examples
    --------
    >>> from minesense.physics import can
    >>> can(length=0.108, diameter=0.076).polarizability(1e3).shape
    (3, 3)
    """
    return shell_relaxation(
        diameter=diameter, length=length, wall=wall, axis=axis, **dataclasses.asdict(metal)
    )


def capsule(
    *,
    length: float = 0.007,
    diameter: float = 0.006,
    wall: float = 0.0003,
    metal: Metal = ALUMINIUM,
    axis: npt.ArrayLike = _UP,
) -> Relaxation:
    """
    Build the small metal shell that is all the metal of a minimum-metal mine.

    Parameters
    ----------
    length, diameter : float
        Outer size, m (unverified).
    wall : float
        Thickness of the wall, m (unverified).
    metal : Metal
        Aluminium by default.
    axis : (3,) array_like
        Direction of its length.

    Returns
    -------
    body : Relaxation
        As of :func:`shell_relaxation`.

    Examples
    --------
    >>> from minesense.physics import capsule
    >>> small = abs(capsule().polarizability(2e4)[2, 2])
    >>> bool(small < 1e-6)
    True
    """
    return shell_relaxation(
        diameter=diameter, length=length, wall=wall, axis=axis, **dataclasses.asdict(metal)
    )


def wire_loop(
    *, radius: float, wire_radius: float, metal: Metal = COPPER, axis: npt.ArrayLike = _UP
) -> Relaxation:
    """
    Build a closed loop of wire, or a pull ring.

    Parameters
    ----------
    radius, wire_radius : float
        Of the loop and of its wire, m.
    metal : Metal
        Copper by default.
    axis : (3,) array_like
        Normal of the loop.

    Returns
    -------
    body : Relaxation
        As of :func:`ring_relaxation`: what a magnetic wire does at rest is left out.

    Raises
    ------
    ValueError
        As :func:`ring_relaxation` does.

    Examples
    --------
    >>> from minesense.physics import wire_loop
    >>> loop = wire_loop(radius=0.02, wire_radius=0.0005)
    >>> bool(abs(loop.polarizability(0.0)).max() < 1e-20)
    True
    """
    return ring_relaxation(
        radius=radius, wire_radius=wire_radius, normal=axis, **dataclasses.asdict(metal)
    )
