"""A synthetic field: lanes, soil, targets, clutter, and the truth about them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from .._validation import check_count
from ..physics import Relaxation
from ..sweep import Sweep
from ..truth import Target, Truth
from .catalogue import CATALOGUE, Body
from .clutter import Area, Clutter, draw_dielectric, draw_metal
from .ground import Soil, draw_soil
from .metal import surrogate
from .platform import Carrier
from .scenario import Scenario, scenario


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """A strip of the field that is to be swept in one go, northward."""

    name: str
    area: Area  #: least easting and northing, greatest ones, m
    soil: Soil
    is_blind: bool  #: kept apart for the test


@dataclass(frozen=True, slots=True, kw_only=True)
class Buried:
    """A target with what the simulator needs to know of it."""

    target: Target
    body: Body
    heading: float  #: rad
    tilt: tuple[float, float]  #: rad, of the top face to the right and forward
    metal: Relaxation | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """
    A SYNTHETIC field. Made by :func:`field`; swept by :meth:`sweep`.

    All chance comes from `seed`, separately for each lane and purpose: the same seed gives
    the same bytes however many workers compute, whichever lanes are swept.
    """

    scenario: Scenario
    seed: int
    lanes: tuple[Lane, ...]
    truth: Truth
    buried: Mapping[str, tuple[Buried, ...]]  #: targets by lane
    clutter: Mapping[str, tuple[Clutter, ...]]  #: by lane

    @property
    def training(self) -> tuple[str, ...]:
        """Names of the lanes to train on."""
        return tuple(lane.name for lane in self.lanes if not lane.is_blind)

    @property
    def blind(self) -> tuple[str, ...]:
        """Names of the lanes that are kept apart for the test."""
        return tuple(lane.name for lane in self.lanes if lane.is_blind)

    def area_of(self, lanes: Iterable[str]) -> list[tuple[float, float, float, float, str]]:
        """
        Return the rectangles of some lanes, as detectors and coverage take them.

        Parameters
        ----------
        lanes : iterable of str
            Names of lanes.

        Returns
        -------
        area : list of (float, float, float, float, str)
            Least easting and northing, greatest easting and northing (m), name.

        Raises
        ------
        ValueError
            If there is no such lane.
        """
        return [(*self.lane(name).area, name) for name in lanes]

    def lane(self, name: str) -> Lane:
        """
        Return one lane.

        Parameters
        ----------
        name : str
            Its name.

        Returns
        -------
        lane : Lane
            The lane of that name.

        Raises
        ------
        ValueError
            If there is no such lane.
        """
        for lane in self.lanes:
            if lane.name == name:
                return lane
        msg = f"Invalid lane {name!r}. Must be one of {', '.join(x.name for x in self.lanes)}."
        raise ValueError(msg)

    def truth_of(self, lanes: Iterable[str]) -> Truth:
        """
        Return the truth of some lanes alone.

        Parameters
        ----------
        lanes : iterable of str
            Names of lanes.

        Returns
        -------
        truth : Truth
            What was put in them.

        Raises
        ------
        ValueError
            If there is no such lane.
        """
        return self.truth.only({self.lane(name).name for name in lanes})

    def sweep(
        self,
        carrier: Carrier,
        *,
        lanes: Iterable[str] | None = None,
        workers: int = 1,
        progress: Callable[[str], None] | None = None,
    ) -> list[Sweep]:
        """
        Simulate what the sensors of a carrier record.

        Parameters
        ----------
        carrier : Carrier
            For example :func:`minesense.synthetic.cart`.
        lanes : iterable of str, optional
            Lanes to sweep; all of them by default.
        workers : int
            Threads that share the lanes. The result does not depend on it.
        progress : callable, optional
            Called with the name of each lane that is done.

        Returns
        -------
        sweeps : list of Sweep
            For each lane the radar's sweep, then the coils'.

        Raises
        ------
        TypeError, ValueError
            If there is no such lane or `workers` is not a positive whole number.
        """
        from .simulate import sweep_lane  # noqa: PLC0415, loads scipy, only to simulate

        names = [lane.name for lane in self.lanes] if lanes is None else list(lanes)
        chosen = [self.lane(name) for name in names]

        def simulate(lane: Lane) -> list[Sweep]:
            sweeps = sweep_lane(self, lane, carrier)
            if progress is not None:
                progress(lane.name)
            return sweeps

        with ThreadPoolExecutor(check_count(workers, "workers")) as pool:
            return [sweep for pair in pool.map(simulate, chosen) for sweep in pair]


def field(recipe: str | Scenario, *, seed: int) -> Field:
    """
    Make a SYNTHETIC field from a scenario and a seed.

    Parameters
    ----------
    recipe : str or Scenario
        Name of a preset, or a scenario.
    seed : int
        Source of all chance, zero or more.

    Returns
    -------
    field : Field
        Lanes side by side along easting, each of one soil, with targets at random places
        (no grid, so that the layout tells a detector nothing) and clutter.

    Raises
    ------
    TypeError, ValueError
        If there is no such preset or `seed` is not a whole number of at least zero.

    Examples
    --------
    >>> import minesense as ms
    >>> field = ms.synthetic.field("farmland", seed=1)
    >>> len(field.training), len(field.blind)
    (10, 8)
    >>> all(target.depth >= 0 for target in field.truth.targets)
    True
    """
    recipe = scenario(recipe) if isinstance(recipe, str) else recipe
    seed = check_count(seed, "seed", least=0)
    lanes, objects = [], []
    buried: dict[str, tuple[Buried, ...]] = {}
    clutter: dict[str, tuple[Clutter, ...]] = {}
    pitch = recipe.lane_width + recipe.lane_gap
    for i in range(recipe.n_training + recipe.n_blind):
        rng = lane_rng(seed, i, 0)
        west = pitch * i
        lane = Lane(
            name=f"lane {i + 1:02d}",
            area=(west, 0.0, west + recipe.lane_width, recipe.lane_length),
            soil=draw_soil(recipe.soils[i % len(recipe.soils)], rng=rng),
            is_blind=i >= recipe.n_training,
        )
        lanes.append(lane)
        buried[lane.name] = _bury(recipe, lane, rng)
        west, south, east, north = lane.area
        margin = 0.5 * recipe.lane_gap
        # as far as the carrier goes, so that the ground outside the lane is no other ground
        around = (west - margin, south - recipe.run_in, east + margin, north + recipe.run_in)
        clutter[lane.name] = (
            *draw_metal(around, recipe.metal_density, rng=rng),
            *draw_dielectric(around, recipe.dielectric_density, rng=rng),
        )
        objects += [item.target for item in buried[lane.name]]
        objects += [_as_truth(item, lane, k) for k, item in enumerate(clutter[lane.name])]
    return Field(
        scenario=recipe,
        seed=seed,
        lanes=tuple(lanes),
        truth=Truth(objects=tuple(objects), is_synthetic=True),
        buried=buried,
        clutter=clutter,
    )


def lane_rng(seed: int, lane: int, purpose: int) -> np.random.Generator:
    """
    Return the source of chance for one purpose in one lane.

    Parameters
    ----------
    seed, lane, purpose : int
        Seed of the field, index of the lane, number of the purpose.

    Returns
    -------
    rng : numpy.random.Generator
        Independent of that of every other lane and purpose.

    Examples
    --------
    >>> bool(lane_rng(1, 0, 0).random() == lane_rng(1, 0, 0).random())
    True
    """
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(lane, purpose)))


def _bury(recipe: Scenario, lane: Lane, rng: np.random.Generator) -> tuple[Buried, ...]:
    """Draw the targets of a lane: Poisson in number, kept apart, class before kind."""
    west, south, east, north = lane.area
    by_class: dict[str, list[Body]] = {}
    for name in recipe.targets:
        by_class.setdefault(CATALOGUE[name].metal_class, []).append(CATALOGUE[name])
    classes = sorted(by_class)
    placed: list[Buried] = []
    for k in range(rng.poisson(recipe.target_density * (east - west) * (north - south))):
        bodies = by_class[classes[int(rng.integers(len(classes)))]]
        body = bodies[int(rng.integers(len(bodies)))]
        place = _place(lane.area, body, placed, recipe.separation, rng)
        if place is None:
            continue  # the lane is full
        target = Target(
            identifier=f"{lane.name}/T{k + 1:02d}",
            kind=body.identifier,
            is_target=True,
            easting=place[0],
            northing=place[1],
            depth=float(rng.uniform(0.005, body.deepest)),
            diameter=body.diameter,
            metal_class=body.metal_class,
            lane=lane.name,
        )
        placed.append(
            Buried(
                target=target,
                body=body,
                heading=float(rng.uniform(0, 2 * math.pi)),
                tilt=(float(rng.normal(0, 0.08)), float(rng.normal(0, 0.08))),
                metal=surrogate(body, rng=rng),
            )
        )
    return tuple(placed)


def _place(
    area: Area, body: Body, placed: list[Buried], separation: float, rng: np.random.Generator
) -> tuple[float, float] | None:
    """Draw a place whose edge keeps its distance from others; None after 200 tries."""
    west, south, east, north = area
    # up to the border, like clutter: a margin would tell a detector where no target lies
    low, high = (west, south), (east, north)
    for _ in range(200):
        easting, northing = rng.uniform(low, high)
        distances = [
            math.hypot(easting - other.target.easting, northing - other.target.northing)
            - (body.diameter + other.target.diameter) / 2
            for other in placed
        ]
        if min(distances, default=math.inf) >= separation:
            return float(easting), float(northing)
    return None


def _as_truth(item: Clutter, lane: Lane, k: int) -> Target:
    """Return clutter as the record that score and report read."""
    return Target(
        identifier=f"{lane.name}/C{k + 1:03d}",
        kind=item.kind,
        is_target=False,
        easting=item.easting,
        northing=item.northing,
        depth=item.depth,
        diameter=item.size,
        metal_class="low" if item.metal is not None else "none",
        lane=lane.name,
    )
