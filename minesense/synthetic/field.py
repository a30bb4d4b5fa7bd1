"""A synthetic field: lanes, soil, targets, clutter, and the truth about them."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

from .._validation import check_count
from ..coverage import Rectangle, Region
from ..minefield_records import MinefieldRecord
from ..sweep import Sweep
from ..truth import RecordOrigin, Target, Truth
from .ground import draw_soil
from .lanes import Lane
from .layout import RowLayout
from .objects import ObjectField, Objects
from .platform import Carrier
from .points import chance
from .record_process import draw_records
from .scenario import Scenario, scenario
from .targets import lane_name

#: Purpose of chance.
_SOIL = 0


class Field:
    """
    A SYNTHETIC field. Made by :func:`field`; swept by :meth:`sweep` or :meth:`stream`.

    All chance comes from the seed, separately for each lane, place and purpose: the same seed
    gives the same field, however many workers compute, whichever lanes are swept. Objects are
    drawn when a lane is asked for, and only those of the last few lanes are kept. Drawn
    figures are rounded to the micrometre or microradian, so that the truth is the same on
    every machine; samples agree to a millionth of the largest one.

    Parameters
    ----------
    recipe : Scenario
        What it is like.
    seed : int
        Source of all chance.
    """

    def __init__(self, recipe: Scenario, seed: int):
        self.scenario = recipe
        self.seed = seed
        self.lanes = tuple(_make_lane(recipe, seed, i) for i in range(recipe.lanes.count))
        self._by_name = {lane.name: lane for lane in self.lanes}
        #: What lies in the ground, by the index of the lane.
        self.objects = ObjectField(recipe, seed)

    @property
    def training(self) -> tuple[str, ...]:
        """Names of the lanes to train on."""
        return tuple(lane.name for lane in self.lanes if not lane.is_blind)

    @property
    def blind(self) -> tuple[str, ...]:
        """Names of the lanes that are kept apart for the test."""
        return tuple(lane.name for lane in self.lanes if lane.is_blind)

    def area_of(self, lanes: Iterable[str]) -> list[Rectangle | Region]:
        """
        Return the ground of some lanes, as detectors and coverage take it.

        Parameters
        ----------
        lanes : iterable of str
            Names of lanes.

        Returns
        -------
        area : list of tuple
            Least easting and northing, greatest easting and northing (m), name, of lanes that
            run along an axis; corners and name of others.

        Raises
        ------
        ValueError
            If there is no such lane.
        """
        return [self.lane(name).ground for name in lanes]

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
        if name not in self._by_name:
            msg = f"Invalid lane {name!r}. Must be one of {', '.join(self._by_name)}."
            raise ValueError(msg)
        return self._by_name[name]

    def objects_of(self, name: str) -> Objects:
        """
        Return what lies in one lane, with what a simulator needs to know of it.

        Parameters
        ----------
        name : str
            Of the lane.

        Returns
        -------
        objects : (tuple of Buried, tuple of Clutter)
            Targets in the lane; clutter in it, in its run-ins and in half of the gaps beside
            it.

        Raises
        ------
        ValueError
            If there is no such lane.
        """
        return self.objects.of_lane(self.lane(name).index)

    @functools.cached_property
    def truth(self) -> Truth:
        """What lies in all lanes, and what the minefield records are about."""
        return self.truth_of(self._by_name)

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
            What was put in them, in the order of the field.

        Raises
        ------
        ValueError
            If there is no such lane.
        """
        chosen = {self.lane(name).index for name in lanes}
        rows = tuple(row for i in sorted(chosen) for row in self.rows_of(i))
        return Truth(objects=rows, is_synthetic=True, origins=self.record_origins)

    def rows_of(self, index: int) -> list[Target]:
        """
        Return the truth of one lane as rows, without keeping anything.

        Parameters
        ----------
        index : int
            Of the lane.

        Returns
        -------
        rows : list of Target
            Targets, then clutter.
        """
        return self.objects.rows(index, self.lanes[index].name)

    def mines(self) -> list[Target]:
        """Return the targets of all lanes that are no test pieces, without the clutter."""
        return [
            item.target
            for lane in self.lanes
            for item in self.objects.targets_of(lane.index)
            if not item.body.is_test_piece
        ]

    @property
    def record_origins(self) -> tuple[RecordOrigin, ...]:
        """The truth about the minefield records."""
        return self._records[1]

    @property
    def records(self) -> tuple[MinefieldRecord, ...]:
        """What is on paper about the mines; empty if the scenario has no records."""
        return self._records[0]

    @functools.cached_property
    def _records(self) -> tuple[tuple[MinefieldRecord, ...], tuple[RecordOrigin, ...]]:
        """Return the records and the truth about them."""
        recipe = self.scenario
        if recipe.records is None:
            return (), ()
        mines = self.mines()
        heading = recipe.layout.heading if isinstance(recipe.layout, RowLayout) else 0.0
        return draw_records(
            mines,
            recipe.records,
            kinds=recipe.targets.kinds,
            row_heading=heading,
            seed=self.seed,
        )

    def sweep(
        self,
        carrier: Carrier | None = None,
        *,
        lanes: Iterable[str] | None = None,
        workers: int = 1,
        progress: Callable[[str], None] | None = None,
    ) -> list[Sweep]:
        """
        Simulate what the sensors of a carrier record.

        Parameters
        ----------
        carrier : Carrier, optional
            For example :func:`minesense.synthetic.cart`; by default that of the scenario.
        lanes : iterable of str, optional
            Lanes to sweep; all of them by default.
        workers : int
            Threads that share the lanes. The result does not depend on it.
        progress : callable, optional
            Called with the name of each lane that is done.

        Returns
        -------
        sweeps : list of Sweep
            For each lane those of the carrier's sensors: the radar's, then the coils'.

        Raises
        ------
        TypeError, ValueError
            If there is no such lane or `workers` is not a positive whole number.
        """
        return list(self.stream(carrier, lanes=lanes, workers=workers, progress=progress))

    def stream(
        self,
        carrier: Carrier | None = None,
        *,
        lanes: Iterable[str] | None = None,
        workers: int = 1,
        progress: Callable[[str], None] | None = None,
    ) -> Iterator[Sweep]:
        """
        Simulate lane by lane, each when it is asked for.

        Parameters
        ----------
        carrier, lanes, workers, progress
            As in :meth:`sweep`.

        Yields
        ------
        sweep : Sweep
            The sweeps of one lane after the other. No more lanes than there are workers are
            in memory at a time.

        Raises
        ------
        TypeError, ValueError
            As :meth:`sweep`.

        Examples
        --------
        >>> from minesense.synthetic import cart, field, scenario
        >>> made = field(scenario("farmland", lanes={"length": 1.0, "run_in": 0.5}), seed=1)
        >>> sweeps = made.stream(cart(n_antennas=1, n_coils=1, radar_spacing=0.5))
        >>> next(sweeps).lane
        'lane 01'
        """
        from .simulate import sweep_lane  # noqa: PLC0415, loads scipy, only to simulate

        chosen = list(self.lanes) if lanes is None else [self.lane(name) for name in lanes]
        workers = check_count(workers, "workers")
        platform = self.scenario.platform.carrier() if carrier is None else carrier

        def generate() -> Iterator[Sweep]:
            if workers == 1:
                for lane in chosen:
                    yield from sweep_lane(self, lane, platform)
                    _tell(progress, lane)
                return
            with ThreadPoolExecutor(workers) as pool:
                waiting = iter(chosen)
                queue = [
                    (lane, pool.submit(sweep_lane, self, lane, platform))
                    for _, lane in zip(range(workers), waiting, strict=False)
                ]
                while queue:
                    lane, future = queue.pop(0)
                    yield from future.result()
                    del future
                    _tell(progress, lane)
                    following = next(waiting, None)
                    if following is not None:
                        queue.append(
                            (following, pool.submit(sweep_lane, self, following, platform))
                        )

        return generate()


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
        Lanes side by side, each of one soil, with targets and clutter.

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
    return Field(recipe, check_count(seed, "seed", least=0))


def _make_lane(recipe: Scenario, seed: int, index: int) -> Lane:
    """Return a lane of a field, its soil drawn."""
    plan = recipe.lanes
    left, back, right, front = plan.strip(index)
    is_reversed = plan.serpentine and index % 2 == 1
    east, north = plan.to_map((left + right) / 2, front if is_reversed else back)
    return Lane(
        name=lane_name(index),
        index=index,
        start=(float(east), float(north)),
        heading=plan.heading + (math.pi if is_reversed else 0.0),
        length=plan.length,
        width=plan.width,
        soil=draw_soil(recipe.ground.soil(index), rng=chance(seed, _SOIL, index)),
        is_blind=index >= plan.training,
    )


def _tell(progress: Callable[[str], None] | None, lane: Lane) -> None:
    """Report that a lane is done."""
    if progress is not None:
        progress(lane.name)
