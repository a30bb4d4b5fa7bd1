"""The sweeps of one part of the benchmark, with its truth kept apart from them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from ..coverage import Rectangle, Region
from ..digest import digest_lines
from ..seal import seal, sweep_digest
from ..sweep import UNUSABLE, Quality, Sweep
from ..synthetic import Field, field
from ..synthetic.lanes import Lane
from ..synthetic.simulate import lane_track
from ..truth import Target, Truth
from .scenarios import PARTS, Plan, Plot, plot_seed

#: m between the fields of the benchmark, which share one frame.
_APART = 20.0

#: Ways to lose ground in a lane of track D, taken in turn.
LOSSES = ("hole", "radar off", "coils off", "late start", "early end", "faults alone")


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneFacts:
    """What a lane of the benchmark is like; detectors are not told."""

    plot: str
    soil: str
    clutter: str  #: preset
    loss: str  #: of LOSSES in track D, else empty


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Survey:
    """
    One part of the benchmark: what detectors are given, and what they are judged by.

    Lanes are named part, field and lane; fields lie side by side in one frame. SYNTHETIC.
    """

    part: str
    sweeps: tuple[Sweep, ...]  #: what detectors are given, with `area`
    area: tuple[Rectangle | Region, ...]
    truth: Truth
    lanes: Mapping[str, LaneFacts]  #: by name of the lane
    #: The same traces where they really were, to tell what was really observed. Only of the
    #: lanes with faults.
    as_it_was: tuple[Sweep, ...] = ()

    @property
    def square_metres(self) -> float:
        """Area of all lanes."""
        return sum((a[2] - a[0]) * (a[3] - a[1]) for a in self.area if len(a) == 5)

    @property
    def sweeps_sha256(self) -> str:
        """SHA-256 of everything that was recorded, in hexadecimal."""
        return digest_lines(sweep_digest(sweep) for sweep in self.sweeps)


def plan_truth(plan: Plan, part: str, *, seed: int) -> Truth:
    """
    Return the truth of one part, without sweeping it.

    Parameters
    ----------
    plan : Plan
        Of :func:`minesense.bench.benchmark_plan`.
    part : str
        Of :data:`minesense.bench.PARTS`.
    seed : int
        Of the whole benchmark.

    Returns
    -------
    truth : Truth
        What lies in its lanes, in the frame of the benchmark.

    Raises
    ------
    TypeError, ValueError
        If there is no such part, or the seed is not a whole number of at least zero.

    Examples
    --------
    >>> from minesense.bench import benchmark_plan, plan_truth
    >>> truth = plan_truth(benchmark_plan("quick"), "type_out", seed=1)
    >>> truth.is_synthetic, truth.targets[0].lane
    (True, 'type_out/type_farmland/lane 01')
    """
    rows: list[Target] = []
    for plot in plan.plots_of(part):
        made = _field(plan, plot, seed)
        lanes = _lanes(made, plot, part)
        truth = made.truth_of(lane.name for lane in lanes)
        rows += [_moved(row, part, plot, _offset(plan, plot)) for row in truth.objects]
    return Truth(objects=tuple(rows), is_synthetic=True)


def make_survey(
    plan: Plan,
    part: str,
    *,
    seed: int,
    workers: int = 1,
    progress: Callable[[str], None] | None = None,
) -> Survey:
    """
    Sweep one part of the benchmark.

    Parameters
    ----------
    plan : Plan
        Of :func:`minesense.bench.benchmark_plan`.
    part : str
        Of :data:`minesense.bench.PARTS`.
    seed : int
        Of the whole benchmark.
    workers : int
        Threads that share the lanes. The result does not depend on it.
    progress : callable, optional
        Called with the name of each lane that is done.

    Returns
    -------
    survey : Survey
        Sweeps whose history and seal tell nothing of the seed, their truth, and what the
        lanes are like.

    Raises
    ------
    TypeError, ValueError
        As :func:`plan_truth`; if `workers` is not a positive whole number.

    Examples
    --------
    >>> from minesense.bench import benchmark_plan, make_survey
    >>> survey = make_survey(benchmark_plan("quick"), "faulty", seed=1)  # doctest: +SKIP
    >>> survey.sweeps[0].lane  # doctest: +SKIP
    'faulty/faulty_farmland/lane 01'
    """
    sweeps: list[Sweep] = []
    true: list[Sweep] = []
    area: list[Rectangle | Region] = []
    facts: dict[str, LaneFacts] = {}
    for plot in plan.plots_of(part):
        made, offset = _field(plan, plot, seed), _offset(plan, plot)
        lanes = {lane.name: lane for lane in _lanes(made, plot, part)}
        recorded = made.stream(lanes=lanes, workers=workers, progress=progress)
        for sweep in recorded:
            lane = lanes[sweep.lane]
            if part == "faulty":
                sweep = _lose(sweep, lane)  # noqa: PLW2901, the same traces, fewer
                if not len(sweep):
                    continue
                true.append(_as_it_was(sweep, made, lane, offset))
                # no instrument flags what it did not record
                quality = sweep.quality & ~int(Quality.GAP)
                sweep = dataclasses.replace(sweep, quality=quality)  # noqa: PLW2901
            sweeps.append(_named(sweep, part, plot, offset))
        for lane in lanes.values():
            name = _name(part, plot, lane.name)
            west, south, east, north = lane.area
            area.append((west + offset, south, east + offset, north, name))
            facts[name] = LaneFacts(
                plot=plot.name,
                soil=lane.soil.preset.name,
                clutter=plot.scenario.clutter.preset,
                loss=_loss(lane) if part == "faulty" else "",
            )
    return Survey(
        part=part,
        sweeps=tuple(sweeps),
        area=tuple(area),
        truth=plan_truth(plan, part, seed=seed),
        lanes=facts,
        as_it_was=tuple(true),
    )


def part_of(lane: str) -> str:
    """
    Return the part of the benchmark that a lane belongs to.

    Parameters
    ----------
    lane : str
        Name of a lane.

    Returns
    -------
    part : str
        Of :data:`PARTS`.

    Raises
    ------
    ValueError
        If it is no lane of the benchmark.

    Examples
    --------
    >>> from minesense.bench.surveys import part_of
    >>> part_of("soil_out/soil_farmland/lane 02")
    'soil_out'
    """
    part = lane.split("/", maxsplit=1)[0]
    if part not in PARTS:
        msg = f"Invalid lane {lane!r}. Must begin with {', '.join(PARTS)} and a slash."
        raise ValueError(msg)
    return part


def _field(plan: Plan, plot: Plot, seed: int) -> Field:
    """Return the field of a plot."""
    return field(plot.scenario, seed=plot_seed(seed, plot.name, version=plan.version))


def _lanes(made: Field, plot: Plot, part: str) -> list[Lane]:
    """Return the lanes of a field that belong to a part."""
    sort = {True: plot.parts.get("blind"), False: plot.parts.get("training")}
    return [lane for lane in made.lanes if sort[lane.is_blind] == part]


def _offset(plan: Plan, plot: Plot) -> float:
    """Return how far east of the first field a field lies, m."""
    offset = 0.0
    for other in plan.plots:
        if other.name == plot.name:
            break
        lanes = other.scenario.lanes
        offset += lanes.count * lanes.pitch + _APART
    return offset


def _name(part: str, plot: Plot, inside: str) -> str:
    """Return the name of a lane, target or piece of clutter in the benchmark."""
    return f"{part}/{plot.name}/{inside}"


def _moved(row: Target, part: str, plot: Plot, offset: float) -> Target:
    """Return an object in the frame and with the names of the benchmark."""
    return dataclasses.replace(
        row,
        identifier=_name(part, plot, row.identifier),
        easting=row.easting + offset,
        lane=_name(part, plot, row.lane) if row.lane else "",
    )


def _named(sweep: Sweep, part: str, plot: Plot, offset: float) -> Sweep:
    """Return a sweep in the frame of the benchmark, its history without the seed."""
    moved = dataclasses.replace(
        sweep,
        position=sweep.position + np.array([offset, 0.0, 0.0]),
        lane=_name(part, plot, sweep.lane),
        history=("SYNTHETIC: minesense-bench",),
    )
    return seal(moved)


def _loss(lane: Lane) -> str:
    """Return how a lane of track D loses ground beside its faults."""
    return LOSSES[lane.index % len(LOSSES)]


def _lose(sweep: Sweep, lane: Lane) -> Sweep:
    """
    Return a sweep without the traces that its lane loses, and without a flag for it.

    A quarter of the lane is lost in the middle, a third at one end, or half of one sensor.
    """
    forward = np.linspace(0.0, 1.0, len(sweep))
    loss = _loss(lane)
    lost = np.zeros(len(sweep), dtype=bool)
    if loss == "hole":
        lost = (forward > 0.4) & (forward < 0.65)
    elif loss == "late start":
        lost = forward < 0.35
    elif loss == "early end":
        lost = forward > 0.65
    elif loss == ("radar off" if sweep.sensor.kind == "gpr" else "coils off"):
        lost = forward > 0.5
    keep = ~lost
    return dataclasses.replace(
        sweep,
        samples=sweep.samples[keep],
        time=sweep.time[keep],
        position=sweep.position[keep],
        heading=sweep.heading[keep],
        quality=sweep.quality[keep],
    )


def _as_it_was(sweep: Sweep, made: Field, lane: Lane, offset: float) -> Sweep:
    """
    Return the geometry of a sweep where the simulator knows that it was.

    A trace whose position was lost stays without one: nobody could say which ground it
    observed.
    """
    track = lane_track(made, lane, made.scenario.platform.carrier())
    right, forward, up = (np.interp(sweep.time, track.time, x) for x in track.position.T)
    east, north = lane.to_map(right, forward)
    position = np.column_stack([east + offset, north, up])
    heading = np.interp(sweep.time, track.time, track.heading) + lane.heading
    lost = (sweep.quality & int(Quality.POSE_NONE)) != 0
    position[lost], heading[lost] = np.nan, np.nan
    known = int(UNUSABLE | Quality.POSE_NONE | Quality.GAP)
    return dataclasses.replace(
        sweep, position=position, heading=heading, quality=sweep.quality & known
    )
