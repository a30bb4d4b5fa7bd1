"""Simulate empty stretches of a scenario, and put their statistics beside recordings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from ..sweep import Sweep
from ..synthetic import Carrier, Field, Scenario
from ..synthetic import field as make_field
from ..synthetic.realism import (
    LEFT_OUT,
    SLICES,
    Between,
    CoilStatistics,
    Comparison,
    Figure,
    Missing,
    RadarStatistics,
    TooFewError,
    carrier_like,
    coil_carrier_like,
    coil_figures,
    coil_statistics,
    compare,
    compare_pairs,
    empty_ground,
    is_soil,
    radar_figures,
    radar_statistics,
    reach_of,
    told,
)
from .references import Reference, why_not

Statistics: TypeAlias = RadarStatistics | CoilStatistics

#: Stretches of every soil that a recording is put beside.
N_STRETCHES = 3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stretch:
    """An empty SYNTHETIC stretch and what it is like."""

    soil: str
    has_clutter: bool
    kind: str  #: "gpr" or "emi"
    n_traces: int
    n_flagged: int  #: of them, left out
    statistics: Statistics | Missing
    figures: Sequence[Figure]

    @property
    def label(self) -> str:
        """Name of a column."""
        return f"{self.soil}, {'clutter' if self.has_clutter else 'empty'}"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Beside:
    """A recording beside SYNTHETIC stretches of one soil."""

    soil: str
    statistics: Sequence[Statistics]
    rows: Sequence[Comparison]
    pairs: Sequence[Between]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Compared:
    """A recording, what it is like, and the soils that it was put beside."""

    reference: Reference
    statistics: Statistics | Missing
    figures: Sequence[Figure]
    why: str  #: why it cannot be compared; empty if it can
    beside: Sequence[Beside] = field(default=())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Check:
    """What the check of a scenario found."""

    recipe: Scenario
    seed: int
    stretches: Sequence[Stretch]
    compared: Sequence[Compared]

    @property
    def verdict(self) -> str:
        """With which recordings of the field it was compared, in words."""
        names = [
            item.reference.name
            for item in self.compared
            if item.beside and not item.reference.is_synthetic
        ]
        if not names:
            return "not compared with field data"
        return f"compared with {', '.join(names)}, of which nobody knows what lies there"


def check_realism(
    recipe: Scenario,
    references: Sequence[Reference] = (),
    *,
    seed: int,
    height: float | None = None,
    workers: int = 1,
    progress: Callable[[str], None] | None = None,
) -> Check:
    """
    Simulate empty stretches of a scenario and put them beside recordings.

    Parameters
    ----------
    recipe : Scenario
        Its soils, platform and clutter; its targets are left out.
    references : sequence of Reference
        Recordings, of :func:`minesense.apps.references.read_references`.
    seed : int
        Source of all chance.
    height : float, optional
        Of the antennas of the recordings over the ground, m, where they do not tell it.
    workers : int
        Threads. The result does not depend on it.
    progress : callable, optional
        Called with what is being done.

    Returns
    -------
    check : Check
        One stretch of each soil without clutter and one with it, by the platform of the
        scenario; for each recording three stretches of each soil without clutter, by a radar
        like its own, of its length.

    Raises
    ------
    TypeError, ValueError
        If the seed or the height is out of range.
    """
    tell = progress or (lambda _: None)
    carrier = recipe.platform.carrier()
    stretches = []
    for has_clutter in (False, True):
        made = make_field(empty_ground(recipe, has_clutter=has_clutter), seed=seed)
        tell(f"sweeping {'with clutter' if has_clutter else 'empty ground'}")
        for sweep in made.stream(carrier, workers=workers):
            stretches.append(_stretch(made, sweep, has_clutter))
    order = {"gpr": 0, "emi": 1}
    soils = list(dict.fromkeys(x.soil for x in stretches))
    stretches.sort(key=lambda x: (order[x.kind], soils.index(x.soil), x.has_clutter))
    compared = []
    for reference in references:
        tell(f"comparing {reference.name}")
        one = _compare_radar if reference.sweep.sensor.kind == "gpr" else _compare_coils
        compared.append(
            one(reference, recipe, carrier, seed=seed, height=height, workers=workers)
        )
    return Check(recipe=recipe, seed=seed, stretches=stretches, compared=compared)


def _stretch(made: Field, sweep: Sweep, has_clutter: bool) -> Stretch:
    """Return the statistics of one sweep of the scenario."""
    statistics, figures = _measure(sweep)
    return Stretch(
        soil=made.lane(sweep.lane).soil.preset.name,
        has_clutter=has_clutter,
        kind=sweep.sensor.kind,
        n_traces=len(sweep),
        n_flagged=int(((sweep.quality & LEFT_OUT) != 0).sum()),
        statistics=statistics,
        figures=figures,
    )


def _measure(sweep: Sweep) -> tuple[Statistics | Missing, Sequence[Figure]]:
    """Return the statistics of a sweep and their figures, or why there are none."""
    statistics: Statistics | Missing
    if sweep.sensor.kind == "gpr" and sweep.sensor.radar is None:
        statistics = Missing("its centre frequency is not known")
    elif sweep.sensor.kind == "gpr":
        statistics = told(radar_statistics, sweep)
        if isinstance(statistics, RadarStatistics):
            return statistics, radar_figures(statistics)
    else:
        statistics = told(coil_statistics, sweep)
        if isinstance(statistics, CoilStatistics):
            return statistics, coil_figures(statistics)
    return statistics, ()


def _soils_of(reference: Reference, recipe: Scenario) -> list[str]:
    """Return the soils that a recording is put beside."""
    if reference.ground is not None and is_soil(reference.ground, recipe):
        return [reference.ground]
    return list(dict.fromkeys(recipe.ground.soils))


def _compare_radar(
    reference: Reference,
    recipe: Scenario,
    carrier: Carrier,
    *,
    seed: int,
    height: float | None,
    workers: int,
) -> Compared:
    """Put one radar recording beside stretches that a radar like its own swept."""
    statistics, figures = _measure(reference.sweep)
    own = carrier.radar.radar if carrier.radar is not None else None
    why = why_not(reference, recipe, own)
    if isinstance(statistics, Missing):
        why = why or statistics.why
    like: Carrier | Missing = Missing(why)
    if not why:
        like = told(carrier_like, reference.sweep, recipe.platform, height=height)
    beside: list[Beside] = []
    if isinstance(like, Missing) or not isinstance(statistics, RadarStatistics):
        why = why or (like.why if isinstance(like, Missing) else "")
    else:
        try:
            made, swept = _sweep_again(reference, recipe, like, seed=seed, workers=workers)
            for soil, sweeps in swept.items():
                beside.append(_beside_radar(reference, statistics, figures, made, soil, sweeps))
        except TooFewError as error:
            why = f"SYNTHETIC: {error}"
        except ValueError as error:
            why = f"its radar cannot be simulated: {' '.join(str(error).split())}"
    return Compared(
        reference=reference, statistics=statistics, figures=figures, why=why, beside=beside
    )


def _beside_radar(
    reference: Reference,
    statistics: RadarStatistics,
    figures: Sequence[Figure],
    made: Field,
    soil: str,
    sweeps: Sequence[Sweep],
) -> Beside:
    """Put one radar recording beside stretches of one soil."""
    measured = [told(radar_statistics, sweep) for sweep in sweeps]
    good = [x for x in measured if isinstance(x, RadarStatistics)]
    if not good:
        raise TooFewError(next(x.why for x in measured if isinstance(x, Missing)))
    reach = max(
        reach_of(lane.soil, statistics.section.frequency)
        for lane in made.lanes
        if lane.soil.preset.name == soil
    )
    withheld = _withheld(reference, statistics, reach)
    return Beside(
        soil=soil,
        statistics=good,
        rows=compare(figures, [radar_figures(x) for x in good], withheld=withheld),
        pairs=compare_pairs(statistics, good, withheld=withheld),
    )


def _compare_coils(
    reference: Reference,
    recipe: Scenario,
    carrier: Carrier,
    *,
    seed: int,
    height: float | None,
    workers: int,
) -> Compared:
    """Put one recording of a metal detector beside stretches that its own head swept."""
    statistics, figures = _measure(reference.sweep)
    why = statistics.why if isinstance(statistics, Missing) else ""
    if reference.ground is not None and not is_soil(reference.ground, recipe):
        why = why or f"{reference.ground} is no soil of the simulator"
    beside = []
    if not why:
        try:
            like = told(coil_carrier_like, reference.sweep, recipe.platform)
            if isinstance(like, Missing):
                why = like.why
            else:
                _, swept = _sweep_again(reference, recipe, like, seed=seed, workers=workers)
                for soil, sweeps in swept.items():
                    measured = [told(coil_statistics, sweep) for sweep in sweeps]
                    good = [x for x in measured if isinstance(x, CoilStatistics)]
                    if not good:
                        continue
                    rows = compare(figures, [coil_figures(x) for x in good])
                    beside.append(Beside(soil=soil, statistics=good, rows=rows, pairs=()))
        except ValueError as error:
            why = f"its head cannot be simulated: {' '.join(str(error).split())}"
    return Compared(
        reference=reference, statistics=statistics, figures=figures, why=why, beside=beside
    )


def _sweep_again(
    reference: Reference, recipe: Scenario, like: Carrier, *, seed: int, workers: int
) -> tuple[Field, Mapping[str, list[Sweep]]]:
    """Return SYNTHETIC stretches as long as a recording, by soil."""
    spacing = like.radar_spacing or like.coil_spacing or 0.0
    n = len(reference.sweep)
    ground = empty_ground(
        recipe,
        soils=_soils_of(reference, recipe),
        n_each=N_STRETCHES,
        length=spacing * (n + 1),
    )
    made = make_field(ground, seed=seed)
    swept: dict[str, list[Sweep]] = {}
    for sweep in made.stream(like, workers=workers):
        swept.setdefault(made.lane(sweep.lane).soil.preset.name, []).append(sweep[:n])
    return made, swept


def _withheld(
    reference: Reference, statistics: RadarStatistics, reach: float
) -> dict[str, str]:
    """Return which figures of a recording must not be judged, and why."""
    withheld = {}
    for k, (start, _) in enumerate(SLICES):
        if start * statistics.section.period > reach:
            withheld[f"slice_{k + 1}"] = (
                f"simulated soil is uneven down to 35 cm, {1e9 * reach:.3g} ns after the ground"
            )
    slope = statistics.fading.slope
    if not isinstance(slope, Missing) and slope >= 0:
        withheld["fading"] = "the level of the recording rises with time: a gain was applied"
    if reference.is_clipped:
        withheld["noise"] = withheld["pulse"] = "the direct wave of the recording is clipped"
    return withheld
