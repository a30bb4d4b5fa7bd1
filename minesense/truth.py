"""What is really in the ground. Only synthetic, score and report may import this."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from dataclasses import dataclass

#: Metal classes of targets, from none to most.
METAL_CLASSES = ("none", "minimum", "low", "medium", "high")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One buried object: a mine or test piece (`is_target`), or clutter."""

    identifier: str
    kind: str  #: entry of the catalogue, or kind of clutter
    is_target: bool
    easting: float  #: m, of the centre
    northing: float  #: m
    depth: float  #: m, from the surface to the top of the object
    diameter: float  #: m, horizontal extent
    metal_class: str  #: of METAL_CLASSES
    lane: str = ""  #: lane it was put in, if any


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """Everything in a field, and how well its place is known."""

    objects: tuple[Target, ...]
    position_error: float = 0.0  #: m, one standard deviation
    is_synthetic: bool = True

    def only(self, lanes: Collection[str]) -> Truth:
        """Return the truth of some lanes alone."""
        objects = tuple(item for item in self.objects if item.lane in lanes)
        return dataclasses.replace(self, objects=objects)

    @property
    def targets(self) -> tuple[Target, ...]:
        """What a detector should find."""
        return tuple(item for item in self.objects if item.is_target)

    @property
    def clutter(self) -> tuple[Target, ...]:
        """What a detector should leave alone."""
        return tuple(item for item in self.objects if not item.is_target)
