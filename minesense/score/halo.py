"""How near an alarm must be to a target to count as a hit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .._validation import check_number, check_one_of, check_positive

# Distances are compared with ten nanometres to spare, so that an alarm exactly at the radius
# is a hit whatever the rounding of its coordinates, which are as great as 1e7 m in UTM.
TOLERANCE = 1e-8

#: Extent (m) from which a halo of kind "elongated" is an ellipse instead of a circle.
LONG = 0.6

_RADII = {"handheld": 0.10, "vehicle": 0.25, "elongated": 0.5}


@dataclass(frozen=True, slots=True, kw_only=True)
class Halo:
    """
    How near an alarm must be to count as a hit.

    Parameters
    ----------
    kind : {"handheld", "vehicle", "fixed", "elongated"}
        What `radius` is measured from: the edge of the target for `"handheld"` and
        `"vehicle"`, its centre for `"fixed"`. `"elongated"` is `"fixed"` for a target of
        less than 0.6 m; around a longer one it is an ellipse with its heading, whose half
        length is half the target's length plus the radius, and whose half width is the
        radius.
    radius : float, optional
        In metres; by default 0.10 for `"handheld"`, 0.25 for `"vehicle"` (both customary,
        unverified) and 0.5 for `"elongated"`. `"fixed"` has no default.
    ring : float
        Outer radius of the ring in which alarms are neither hits nor false alarms, in
        radii of the halo.

    Raises
    ------
    ValueError
        If the kind is unknown, the radius is not greater than zero, or missing for
        `"fixed"`, or the ring is below 1.
    """

    kind: Literal["handheld", "vehicle", "fixed", "elongated"] = "handheld"
    radius: float | None = None
    ring: float = 2.0

    def __post_init__(self) -> None:
        check_one_of(self.kind, "kind", ("handheld", "vehicle", "fixed", "elongated"))
        radius = self.radius
        if radius is None:
            if self.kind == "fixed":
                msg = (
                    "Invalid radius None. Must be given, in metres, for a halo of kind 'fixed'."
                )
                raise ValueError(msg)
            radius = _RADII[self.kind]
        object.__setattr__(self, "radius", check_positive(radius, "radius"))
        if check_number(self.ring, "ring") < 1:
            msg = f"Invalid ring '{self.ring}'. Must be 1 or more, in radii of the halo."
            raise ValueError(msg)

    def axes(self, diameter: float) -> tuple[float, float]:
        """
        Return half the length and half the width of the halo of a target, in metres.

        Parameters
        ----------
        diameter : float
            Horizontal extent of the target, in metres.

        Returns
        -------
        along, across : float
            Along the target's heading and across it; equal for a circle.
        """
        radius = check_positive(self.radius, "radius")
        if self.kind == "elongated" and diameter >= LONG - TOLERANCE:
            return diameter / 2 + radius, radius
        reach = radius if self.kind in ("fixed", "elongated") else diameter / 2 + radius
        return reach, reach

    def reach(self, diameter: float) -> float:
        """Return the greatest distance from a target's centre in its halo, both in m."""
        return self.axes(diameter)[0]
