"""Where positions are counted from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """Where positions are counted from: a coordinate system and its origin in words."""

    crs: str = "local"  #: "local", or an authority code such as "EPSG:32638"
    origin: str = "unstated"
