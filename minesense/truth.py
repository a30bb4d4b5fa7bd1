"""What is really in the ground. Only synthetic, score and report may import this."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from dataclasses import dataclass
from itertools import chain
from typing import Any

from .digest import digest_lines
from .frame import Frame

#: Metal classes of targets, from none to most.
METAL_CLASSES = ("none", "minimum", "low", "medium", "high")

#: What may be wrong with a minefield record.
FAULTS = ("displaced", "rotated", "incomplete", "wrong")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One buried object: a mine or test piece (`is_target`), or clutter."""

    identifier: str
    kind: str  #: entry of the catalogue, or kind of clutter
    is_target: bool
    easting: float  #: m, of the centre
    northing: float  #: m
    depth: float  #: m, from the surface to the middle of its top
    diameter: float  #: m, horizontal extent
    metal_class: str  #: of METAL_CLASSES
    lane: str = ""  #: lane it was put in, if any
    heading: float = 0.0  #: rad, of its length, clockwise from north
    tilt: tuple[float, float] = (0.0, 0.0)  #: rad, by which its top leans east and north
    group: str = ""  #: row or cluster it belongs to, if any


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordOrigin:
    """The truth about a minefield record: which mines it means, and what is wrong with it."""

    record: str  #: identifier of the record
    targets: tuple[str, ...]  #: identifiers of the mines that it is about
    fault: str = ""  #: of FAULTS; empty for an accurate record


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """Everything in a field, and how well its place is known."""

    objects: tuple[Target, ...]
    position_error: float = 0.0  #: m, one standard deviation
    is_synthetic: bool = True
    origins: tuple[RecordOrigin, ...] = ()  #: of the minefield records, if there are any
    frame: Frame | None = None  #: where its places are counted from; None if not stated

    def only(self, lanes: Collection[str]) -> Truth:
        """Return the truth of some lanes alone."""
        objects = tuple(item for item in self.objects if item.lane in lanes)
        return dataclasses.replace(self, objects=objects)

    def check_frame(self, frame: Frame) -> None:
        """
        Raise unless places are counted from where others are.

        Parameters
        ----------
        frame : Frame
            That of what was swept.

        Raises
        ------
        ValueError
            If that is a coordinate reference system and the truth states none, or if both
            are stated and differ.
        """
        if self.frame is None:
            if frame.crs == "local":
                return
            msg = (
                f"Invalid frame None of the truth: the coverage is in {frame.crs}. Must state "
                "the coordinate reference system of the truth: Truth(frame=Frame(crs=...))."
            )
            raise ValueError(msg)
        if self.frame.crs != frame.crs:
            msg = (
                f"Invalid frame of the truth, in '{self.frame.crs}'. Must be that of the "
                f"coverage, '{frame.crs}': places are not converted."
            )
            raise ValueError(msg)
        origins = {self.frame.origin, frame.origin} - {"unstated"}
        if frame.crs == "local" and len(origins) > 1:
            msg = (
                f"Invalid frame of the truth, counted from '{self.frame.origin}'. Must be "
                f"counted from where the coverage is, '{frame.origin}'."
            )
            raise ValueError(msg)

    @property
    def targets(self) -> tuple[Target, ...]:
        """What a detector should find."""
        return tuple(item for item in self.objects if item.is_target)

    @property
    def clutter(self) -> tuple[Target, ...]:
        """What a detector should leave alone."""
        return tuple(item for item in self.objects if not item.is_target)

    @property
    def sha256(self) -> str:
        """
        SHA-256 of everything in it, in hexadecimal.

        Of lines of canonical JSON (:func:`minesense.digest.canonical`), each ended by a line
        feed: one with the position error, whether it is synthetic, and the frame if it is
        stated, then the objects, then the origins, in their order.
        """
        head: dict[str, Any] = {
            "is_synthetic": self.is_synthetic,
            "position_error": self.position_error,
        }
        if self.frame is not None:
            head["frame"] = dataclasses.asdict(self.frame)
        objects = map(dataclasses.asdict, self.objects)
        origins = map(dataclasses.asdict, self.origins)
        return digest_lines(chain([head], objects, origins))
