"""What lies in the ground of a field, drawn lane by lane when it is asked for."""

from __future__ import annotations

import dataclasses
import functools
import math
from typing import NamedTuple

from ..truth import Target
from .clutter import Clutter, clutter_over
from .distribution import to_micro
from .lanes import LanePlan
from .scenario import Scenario
from .targets import Buried, TargetField

#: Lanes whose objects are kept.
_KEPT = 8


class Objects(NamedTuple):
    """What lies in one lane and half of the gaps beside it."""

    buried: tuple[Buried, ...]
    clutter: tuple[Clutter, ...]


class ObjectField:
    """
    Targets and clutter of a field, lane by lane; those of the last few lanes are kept.

    Parameters
    ----------
    recipe : Scenario
        What the field is like.
    seed : int
        Source of all chance.
    """

    def __init__(self, recipe: Scenario, seed: int):
        self._recipe, self._seed = recipe, seed
        self._targets = TargetField(recipe, seed)
        #: Objects of a lane by its index.
        self.of_lane = functools.lru_cache(maxsize=_KEPT)(self._draw)

    def targets_of(self, index: int) -> tuple[Buried, ...]:
        """
        Return the targets of a lane alone.

        Parameters
        ----------
        index : int
            Of the lane.

        Returns
        -------
        buried : tuple of Buried
            In the order of the lane.
        """
        return self._targets.of_lane(index)

    def near(self, index: int, margin: float) -> Objects:
        """
        Return what lies in a lane, or no farther from it than a margin.

        Parameters
        ----------
        index : int
            Of the lane.
        margin : float
            Beside the lane, m.

        Returns
        -------
        objects : (tuple of Buried, tuple of Clutter)
            Those of all lanes that reach into the margin.
        """
        plan = self._recipe.lanes
        aside = math.ceil((margin + plan.gap / 2) / plan.pitch)
        near = [
            self.of_lane(i)
            for i in range(max(0, index - aside), min(plan.count, index + aside + 1))
        ]
        return Objects(
            tuple(item for objects in near for item in objects.buried),
            tuple(item for objects in near for item in objects.clutter),
        )

    def rows(self, index: int, lane: str) -> list[Target]:
        """
        Return the truth of a lane as rows.

        Parameters
        ----------
        index : int
            Of the lane.
        lane : str
            Its name.

        Returns
        -------
        rows : list of Target
            Targets, then clutter.
        """
        buried, clutter = self.of_lane(index)
        rows = [item.target for item in buried]
        return rows + [as_truth(item, lane, k) for k, item in enumerate(clutter)]

    def _draw(self, index: int) -> Objects:
        """Draw what lies in a lane, in its run-ins and in half of the gaps beside it."""
        plan, recipe = self._recipe.lanes, self._recipe.clutter.resolved()
        # beyond the last lane too, or its clutter would change with the lanes that follow
        beside = range(max(0, index - 1), index + 2)
        targets = [item for i in beside for item in self._targets.of_lane(i)]
        clutter = []
        for item in clutter_over(plan.strip(index, margin=True), recipe, seed=self._seed):
            placed = _on_map(item, plan)
            if not any(_is_within(placed, target) for target in targets):
                clutter.append(placed)
        return Objects(self._targets.of_lane(index), tuple(clutter))


def as_truth(item: Clutter, lane: str, k: int) -> Target:
    """
    Return clutter as the record that score and report read.

    Parameters
    ----------
    item : Clutter
        What lies there.
    lane : str
        Name of the lane it belongs to.
    k : int
        Its number in the lane, from 0.

    Returns
    -------
    row : Target
        That is no target.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.synthetic import draw_clutter
    >>> nail = draw_clutter("nail", (1.0, 2.0), rng=np.random.default_rng(seed=0))
    >>> as_truth(nail, "lane 01", 4).identifier
    'lane 01/C005'
    """
    return Target(
        identifier=f"{lane}/C{k + 1:03d}",
        kind=item.kind,
        is_target=False,
        easting=item.easting,
        northing=item.northing,
        depth=item.depth,
        diameter=item.size,
        metal_class="low" if item.piece is not None else "none",
        lane=lane,
        heading=item.heading,
    )


def _on_map(item: Clutter, plan: LanePlan) -> Clutter:
    """Return clutter that was drawn in the field's axes at its place on the map."""
    east, north = plan.to_map(item.easting, item.northing)
    piece = item.piece
    if piece is not None:
        piece = dataclasses.replace(piece, heading=to_micro(piece.heading + plan.heading))
    return dataclasses.replace(
        item,
        easting=to_micro(float(east)),
        northing=to_micro(float(north)),
        heading=to_micro(item.heading + plan.heading),
        piece=piece,
    )


def _is_within(item: Clutter, other: Buried) -> bool:
    """Return whether a piece of clutter would lie within a target."""
    target = other.target
    distance = math.hypot(item.easting - target.easting, item.northing - target.northing)
    is_beside = distance >= target.diameter / 2
    is_above = item.depth + item.thickness <= target.depth
    is_below = item.depth >= target.depth + other.body.height
    return not (is_beside or is_above or is_below)
