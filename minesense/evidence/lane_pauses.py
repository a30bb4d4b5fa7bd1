"""Whether lanes whose clocks each start anew were set far enough apart."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import numpy as np

from .jumps import Place, jump_between, place_of
from .site import Site
from .track import Track


def with_pauses_checked(
    tracks: Iterable[Track], site: Site, *, pause: float
) -> Iterator[Track]:
    """
    Hand tracks on, unless the stated pause is too short for the way from lane to lane.

    The clocks of such lanes tell nothing of that way. With too short a pause the position
    would seem to have jumped, and neither lane would count.

    Parameters
    ----------
    tracks : iterable of Track
        Of a session, lane after lane.
    site : Site
        With the gate `possible_speed` of each sensor.
    pause : float
        Seconds between lanes, as the session file states it; NaN if lanes share a clock, and
        nothing is checked.

    Yields
    ------
    track : Track
        As it came.

    Raises
    ------
    ValueError
        If nothing moves that fast; says which pause would do.

    Examples
    --------
    >>> from minesense.evidence import read_site
    >>> list(with_pauses_checked([], read_site("examples/site.toml"), pause=5.0))
    []
    """
    last: dict[str, tuple[str, Place]] = {}
    for track in tracks:
        located = np.flatnonzero(track.has_place)
        if len(located) and not math.isnan(pause):
            lane, place = last.get(track.sensor, (track.lane, None))
            if place is not None and lane != track.lane:
                _check(place, place_of(track, int(located[0])), site, pause, lane, track)
            last[track.sensor] = track.lane, place_of(track, int(located[-1]))
        yield track


def _check(
    before: Place, first: Place, site: Site, pause: float, lane: str, track: Track
) -> None:
    """Raise if the way from one place to another takes longer than there is."""
    jump = jump_between(before, first)
    step, seconds = float(np.hypot(jump.east, jump.north)), jump.landing - jump.before
    fastest = site.sensor_named(track.sensor).gates.possible_speed.most
    if step > fastest * seconds:
        least = pause + step / fastest - seconds
        msg = (
            f"Invalid pause_between_lanes '{pause:g}'. Must be at least {least:.3g} s: lane "
            f"'{track.lane}' begins {step:.3g} m from the end of lane '{lane}', and nothing "
            f"moves faster than possible_speed, {fastest:g} m/s."
        )
        raise ValueError(msg)
