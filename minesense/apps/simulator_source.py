"""A simulated platform that sends as a real one would. Everything it sends is SYNTHETIC."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Iterator, Sequence

from ..stream.sweep_source import SweepMessages, SweepSource
from ..sweep import Sweep
from ..synthetic import field
from .fieldfolder import SYNTHETIC
from .recipe import read_recipe


def simulate(
    scenario: str,
    *,
    seed: int,
    n_lanes: int | None = None,
    length: float | None = None,
    speed: float = 1.0,
) -> SweepSource:
    """
    Return a source that simulates lane after lane and sends what its sensors record.

    Parameters
    ----------
    scenario : str
        Name of a preset, or a TOML file.
    seed : int
        Source of all chance.
    n_lanes : int, optional
        Lanes; those of the scenario by default.
    length : float, optional
        Of each lane, m; that of the scenario by default.
    speed : float
        1: as fast as the platform moves; infinite: as fast as they are taken.

    Returns
    -------
    source : SweepSource
        Like a device in that it waits for nobody, unless the speed is infinite.

    Raises
    ------
    ValueError, OSError
        If the scenario cannot be read.

    Examples
    --------
    >>> simulate("farmland", seed=1, n_lanes=1).name
    'simulator farmland (SYNTHETIC)'
    """
    recipe = read_recipe(scenario)
    lanes = recipe.lanes
    if n_lanes is not None:
        lanes = dataclasses.replace(lanes, training=n_lanes, blind=0)
    if length is not None:
        lanes = dataclasses.replace(lanes, length=length)
    made = field(dataclasses.replace(recipe, lanes=lanes), seed=seed)

    def simulated() -> Iterator[Sequence[Sweep]]:
        for _, group in itertools.groupby(made.stream(), key=lambda sweep: sweep.lane):
            yield list(group)

    return SweepSource(
        name=f"simulator {scenario} (SYNTHETIC)",
        lanes=simulated,
        speed=speed,
        is_live=speed != math.inf,
        messages=SweepMessages(note=SYNTHETIC),
    )
