"""Who is near whom, and the assignment of alarms to targets where halos overlap."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ..sweep import Floats
from ..truth import Target
from .halo import TOLERANCE, Halo


def assign(
    order: Sequence[int], edges: Sequence[dict[int, float]]
) -> tuple[dict[int, int], dict[int, int]]:
    """
    Assign alarms to targets, one by one in order, at the least sum of distances.

    Return the target of every alarm that is served, and for every target the alarm at
    whose turn it was first taken. This is the Hungarian method, row by row: each alarm
    takes the shortest augmenting path, and a path never gives up a target.
    """
    # Whole nanometres: sums of distances are exact, so that ties are ties.
    costs = [{k: round(d * 1e9) for k, d in sorted(found.items())} for found in edges]
    owner: dict[int, int] = {}
    found_by: dict[int, int] = {}
    for alarm in order:
        # Shortest paths over alternating edges (Bellman-Ford: some lengths are negative,
        # no cycle is, as the assignment so far is the cheapest).
        length: dict[int, int] = {}
        came_from: dict[int, int] = {}
        queue: list[tuple[int, int]] = [(alarm, 0)]
        while queue:
            i, so_far = queue.pop(0)
            for k, cost in costs[i].items():
                if owner.get(k) == i or so_far + cost >= length.get(k, so_far + cost + 1):
                    continue
                length[k], came_from[k] = so_far + cost, i
                if k in owner:
                    queue.append((owner[k], length[k] - costs[owner[k]][k]))
        ends = [k for k in length if k not in owner]
        if not ends:
            continue
        end: int | None = min(ends, key=lambda k: (length[k], k))
        assert end is not None
        found_by[end] = alarm
        held = {i: k for k, i in owner.items()}
        while end is not None:
            i = came_from[end]
            owner[end] = i
            end = held.get(i) if i != alarm else None
    return {i: k for k, i in owner.items()}, found_by


def neighbours(
    places: Floats, objects: Sequence[Target], halo: Halo, *, factor: float = 1.0
) -> list[dict[int, float]]:
    """Return for every place the objects whose halo, times a factor, holds it, and how far."""
    found: list[dict[int, float]] = [{} for _ in places]
    by_easting = np.argsort(places[:, 0], kind="stable")  # NaN last
    easting = places[by_easting, 0]
    for k, item in enumerate(objects):
        along, across = (factor * length for length in halo.axes(item.diameter))
        limit = along + TOLERANCE
        first, last = np.searchsorted(easting, [item.easting - limit, item.easting + limit])
        for i in by_easting[max(first - 1, 0) : last + 1].tolist():
            east, north = places[i, 0] - item.easting, places[i, 1] - item.northing
            distance = math.hypot(east, north)
            if distance <= limit and (
                along == across or _in_ellipse(east, north, item.heading, along, across)
            ):
                found[i][k] = distance
    return found


def _in_ellipse(east: float, north: float, heading: float, along: float, across: float) -> bool:
    """Return whether a step from the middle stays in an ellipse whose length points there."""
    forward = east * math.sin(heading) + north * math.cos(heading)
    aside = east * math.cos(heading) - north * math.sin(heading)
    return math.hypot(forward / (along + TOLERANCE), aside / (across + TOLERANCE)) <= 1


def nearest(distances: dict[int, float]) -> int:
    """Return the key with the least distance, the lowest of equals."""
    return min(distances, key=lambda k: (distances[k], k))
