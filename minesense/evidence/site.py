"""
What an authority and an organisation laid down about a task, before anyone searched.

A site has no default limits: each one is stated, or stated to be unlimited, with the reason.
"""

from __future__ import annotations

import datetime
import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from .._validation import (
    check_array,
    check_count,
    check_increasing,
    check_not_negative,
    check_number,
    check_positive,
    check_probability,
)
from ..sweep import Floats, Frame
from .gates import Gates, check_text
from .polygons import check_ring, signed_area

Corners = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """
    Who searches what, on whose behalf, and by which clock.

    Raises
    ------
    ValueError
        If a text is empty, or no date is given.
    """

    identifier: str  #: of the task order
    imsma_id: str  #: of the hazard in the information system; at most 50 characters
    organisation: str
    operator: str  #: a pseudonym
    given_by: str  #: authority that gave targets, depths and limits
    procedure: str  #: standing operating procedure and its version
    dates: tuple[datetime.date, ...]  #: on which the task was, or is to be, searched
    clock: Literal["utc", "gnss", "host", "sensor"]  #: of all stamps of this task
    supervisor: str = ""

    def __post_init__(self) -> None:
        names = ("identifier", "imsma_id", "organisation", "operator", "given_by", "procedure")
        for name in names:
            check_text(getattr(self, name), name)
        if len(self.imsma_id) > 50:
            msg = f"Invalid imsma_id {self.imsma_id!r}. Must have at most 50 characters."
            raise ValueError(msg)
        if not self.dates:
            msg = "Invalid dates (). Must name at least one."
            raise ValueError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteFrame:
    """
    Where eastings and northings of the site are counted from.

    Raises
    ------
    ValueError
        If the coordinate system is neither "local" nor a code such as "EPSG:32638", or the
        origin of one with a code is missing.
    """

    crs: str  #: "local", or an authority's code of a projected system in metres
    description: str  #: the origin in words, as tracks have it in their frame
    origin: tuple[float, float] | None = None  #: m in `crs`, where easting and northing are 0

    def __post_init__(self) -> None:
        authority, colon, code = self.crs.partition(":")
        if self.crs != "local" and not (colon and authority.isalpha() and code.isalnum()):
            msg = f"Invalid crs {self.crs!r}. Must be 'local' or a code such as 'EPSG:32638'."
            raise ValueError(msg)
        check_text(self.description, "description")
        if self.origin is None and self.crs != "local":
            msg = f"Invalid origin None in {self.crs}. Must be easting and northing in metres."
            raise ValueError(msg)
        for value in self.origin or ():
            check_number(value, "origin")

    @property
    def frame(self) -> Frame:
        """The frame that tracks of this site must have."""
        return Frame(crs=self.crs, origin=self.description)


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """
    A polygon of the task, with the holes that do not belong to it.

    Raises
    ------
    TypeError, ValueError
        If a ring has fewer than three corners, repeats one or crosses itself, or a hole does
        not lie inside the polygon.
    """

    name: str
    polygon: Corners  #: m, easting and northing in the frame of the site
    holes: tuple[Corners, ...] = ()

    def __post_init__(self) -> None:
        check_text(self.name, "name")
        outer = _pairs(check_ring(self.polygon, "polygon"))
        holes = tuple(_pairs(check_ring(hole, "holes")) for hole in self.holes)
        object.__setattr__(self, "polygon", outer)
        object.__setattr__(self, "holes", holes)
        for hole in holes:
            if not all(_holds(outer, corner) for corner in hole) or _sides_cross(outer, hole):
                msg = "Invalid holes: one reaches beyond its polygon. Must lie inside."
                raise ValueError(msg)
        for one, other in itertools.combinations(holes, 2):
            apart = not (_holds(one, other[0]) or _holds(other, one[0]))
            if not apart or _sides_cross(one, other):
                msg = "Invalid holes: two have ground in common. Must lie apart."
                raise ValueError(msg)

    @property
    def square_metres(self) -> float:
        """Area without the holes."""
        rings = [np.array(self.polygon), *(-1 * np.array(hole) for hole in self.holes)]
        areas = [abs(signed_area(ring)) for ring in rings]
        return math.fsum([areas[0], *(-area for area in areas[1:])])


@dataclass(frozen=True, slots=True, kw_only=True)
class RequiredTarget:
    """
    A class of items in a band of depth that the authority wants to be looked for.

    Raises
    ------
    TypeError, ValueError
        If a text is empty, or the band does not go downward from zero or below.
    """

    name: str  #: of the class, for example "AP minimum metal"
    depth_from: float  #: m below the surface
    depth_to: float  #: m
    given_by: str  #: where the authority says so

    def __post_init__(self) -> None:
        check_text(self.name, "name")
        check_text(self.given_by, "given_by")
        check_not_negative(self.depth_from, "depth_from")
        if check_number(self.depth_to, "depth_to") <= self.depth_from:
            msg = f"Invalid depth_to '{self.depth_to}'. Must be greater than {self.depth_from}."
            raise ValueError(msg)

    @property
    def band(self) -> tuple[str, float, float]:
        """Class and depths, by which footprints name their target."""
        return self.name, self.depth_from, self.depth_to


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    """
    Where a sensor notices the weakest item of a class in a band of depth, by height.

    The footprint is a disc around a channel. Its radius follows straight lines between the
    heights of the table. There is none below the first height and above the last.

    Raises
    ------
    TypeError, ValueError
        If the table is shorter than two heights, or a figure is out of range.
    """

    target: str  #: name of the class
    depth_from: float  #: m
    depth_to: float  #: m
    p_det: float  #: probability of detection that is reached within the radius
    heights: tuple[float, ...]  #: m above ground, increasing
    radii: tuple[float, ...]  #: m, one for each height, before the position error is taken off
    source: str  #: trials or model that the table comes from
    required: bool = True  #: whether the summary of the site asks for this sensor's look

    def __post_init__(self) -> None:
        check_text(self.source, "source")
        check_probability(self.p_det, "p_det")
        heights = check_increasing(check_array(self.heights, "heights", ("n",)), "heights")
        if len(heights) < 2 or heights[0] < 0:
            msg = f"Invalid heights {self.heights}. Must be at least two, from zero upward."
            raise ValueError(msg)
        radii = check_array(self.radii, "radii", (len(heights),))
        if (radii < 0).any() or not (radii > 0).any():
            msg = f"Invalid radii {self.radii}. Must not be negative, nor all be zero."
            raise ValueError(msg)

    @property
    def band(self) -> tuple[str, float, float]:
        """Class and depths of the target."""
        return self.target, self.depth_from, self.depth_to

    def radius(self, height: Floats) -> Floats:
        """Return the radius at some heights, zero beyond the table, in metres."""
        # A height at an end of the table is one of it, however it was rounded.
        inside = np.clip(height, self.heights[0], self.heights[-1])
        is_near = np.abs(inside - height) <= 1e-9
        return np.where(is_near, np.interp(inside, self.heights, self.radii), 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class CannotSee:
    """A target that a sensor says nothing about, and why."""

    target: str  #: name of the class
    depth_from: float  #: m
    depth_to: float  #: m
    reason: str

    def __post_init__(self) -> None:
        check_text(self.reason, "reason")

    @property
    def band(self) -> tuple[str, float, float]:
        """Class and depths of the target."""
        return self.target, self.depth_from, self.depth_to


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteSensor:
    """
    A sensor of the task: its gates, and for every target a footprint or why it has none.

    Raises
    ------
    ValueError
        If the identifier is empty or a target is named twice.
    """

    identifier: str  #: as tracks name it
    kind: Literal["gpr", "emi"]
    gates: Gates
    footprint: tuple[Footprint, ...] = ()
    cannot_see: tuple[CannotSee, ...] = ()
    instrument: Mapping[str, str] = field(default_factory=dict)  #: make, model, settings, ...

    def __post_init__(self) -> None:
        check_text(self.identifier, "identifier")
        bands = _bands(self)
        twice = [band for band in bands if bands.count(band) > 1]
        if twice:
            msg = f"Invalid footprint: {twice[0]} is named twice. Must be named once."
            raise ValueError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmHalo:
    """How far around an alarm the ground is shown as ALARM, beside its position error."""

    radius: float  #: m
    reason: str

    def __post_init__(self) -> None:
        check_positive(self.radius, "radius")
        check_text(self.reason, "reason")


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """
    A task as its site file states it.

    Raises
    ------
    TypeError, ValueError
        If a list is empty, a name occurs twice, or a sensor leaves a target out or names one
        that the task does not have.
    """

    task: Task
    frame: SiteFrame
    area: tuple[Area, ...]
    target: tuple[RequiredTarget, ...]
    sensor: tuple[SiteSensor, ...]
    alarm: AlarmHalo
    cell: float = 0.05  #: m, side of a cell
    annex: Mapping[str, str] = field(default_factory=dict)  #: further statements, by section

    def __post_init__(self) -> None:
        check_positive(self.cell, "cell")
        bands = [target.band for target in self.target]
        names: dict[str, list[Any]] = {
            "area": [area.name for area in self.area],
            "target": bands,
            "sensor": [sensor.identifier for sensor in self.sensor],
        }
        for name, keys in names.items():
            check_count(len(keys), f"{name}: number of entries")
            twice = [key for key in keys if keys.count(key) > 1]
            if twice:
                msg = f"Invalid {name}: {twice[0]!r} occurs twice. Must have its own name."
                raise ValueError(msg)
        for sensor in self.sensor:
            named = _bands(sensor)
            for band in [band for band in bands if band not in named]:
                msg = (
                    f"Invalid sensor '{sensor.identifier}': {band} has neither a footprint nor "
                    "an entry in cannot_see. Must have one of both."
                )
                raise ValueError(msg)
            for band in [band for band in named if band not in bands]:
                msg = (
                    f"Invalid sensor '{sensor.identifier}': {band} is no target of the task. "
                    f"Must be one of {bands}."
                )
                raise ValueError(msg)

    def sensor_named(self, identifier: str) -> SiteSensor:
        """Return a sensor by its identifier."""
        for sensor in self.sensor:
            if sensor.identifier == identifier:
                return sensor
        known = ", ".join(repr(sensor.identifier) for sensor in self.sensor)
        msg = f"Invalid sensor {identifier!r}. Must be one of {known}."
        raise ValueError(msg)


def _bands(sensor: SiteSensor) -> list[tuple[str, float, float]]:
    """Return the targets that a sensor names."""
    seen = [item.band for item in sensor.footprint]
    return seen + [item.band for item in sensor.cannot_see]


def _pairs(corners: Floats) -> Corners:
    """Return corners as plain pairs."""
    return tuple((float(east), float(north)) for east, north in corners)


def _holds(ring: Corners, point: tuple[float, float]) -> bool:
    """Return whether a point lies within a ring; on its border either answer may come."""
    inside = False
    for (x, y), (x_2, y_2) in zip(ring, (*ring[1:], ring[0]), strict=True):
        if (y > point[1]) != (y_2 > point[1]):
            inside ^= point[0] < x + (point[1] - y) / (y_2 - y) * (x_2 - x)
    return inside


def _sides_cross(one: Corners, other: Corners) -> bool:
    """Return whether sides of two rings cross each other, not only touch."""

    def turn(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> float:
        return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])

    for a, b in zip(one, (*one[1:], one[0]), strict=True):
        for c, d in zip(other, (*other[1:], other[0]), strict=True):
            if turn(a, b, c) * turn(a, b, d) < 0 and turn(c, d, a) * turn(c, d, b) < 0:
                return True
    return False
