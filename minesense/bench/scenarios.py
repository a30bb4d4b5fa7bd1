"""The fields of the benchmark: which soils, targets and clutter train and test detectors."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .._validation import check_count, check_one_of
from ..digest import canonical
from ..synthetic import Scenario, scenario
from ..synthetic.document import plain

#: Results of different versions do not compare. Changing any scenario asks for a new one.
VERSION = "3"

#: Seeds that anybody may develop with; the first is the default.
DEVELOPMENT_SEEDS = (1, 2, 3)

#: Parts on which detectors are ranked, in the order of tables, and what each asks.
TESTS: Mapping[str, str] = {
    "lane_out": "other lanes of the fields that were trained on",
    "soil_out": "soils that were not trained on, targets that were",
    "type_out": "targets that were not trained on, soils that were",
}

#: All parts: training lanes, which are like those of the tests; lessons to learn from, with
#: targets closer together (in the full size); the tests; the lanes with faults of track D.
PARTS = ("training", "lessons", *TESTS, "faulty")

_HOME_SOILS = ["loam", "quartz_sand", "terra_rossa"]
_AWAY_SOILS = ["clay", "laterite_basalt", "gravel_road"]

# Each half holds every class of metal, and bodies of every size; no kind is in both.
_HOME_TYPES = [
    "pmn", "pma1", "pma2", "m14", "pmn4", "m14_washer",
    "prom1", "tm57", "tm62p3", "simulant",
]  # fmt: skip
_AWAY_TYPES = [
    "pmn2", "pma3", "type72a", "ts50", "vs50", "pfm1",
    "ozm72", "valmara69", "tm62m", "simulant_large",
]  # fmt: skip

#: Targets per m^2 of lessons: of mines there is little else to learn from, of clutter much.
_LESSON_DENSITY = 1.0

#: Many times the faults of an ordinary lane: that ground is lost is what they are for.
_FAULTS = {
    "gaps_per_minute": 2.0,
    "dropouts_per_minute": 20.0,
    "stuck_per_minute": 1.0,
    "stuck_time": 1.0,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """One field of the benchmark, and the part that each sort of its lanes belongs to."""

    name: str
    scenario: Scenario
    parts: Mapping[str, str]  #: part by "training" and "blind"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All fields of the benchmark in one size. Everything in it is SYNTHETIC."""

    size: str
    version: str
    plots: tuple[Plot, ...]

    @property
    def sha256(self) -> str:
        """SHA-256 of version and scenarios, in hexadecimal: what makes results comparable."""
        plots = [
            {"name": p.name, "parts": dict(p.parts), "scenario": plain(p.scenario)}
            for p in self.plots
        ]
        document = {"version": self.version, "size": self.size, "plots": plots}
        return hashlib.sha256(canonical(document)).hexdigest()

    def plots_of(self, part: str) -> tuple[Plot, ...]:
        """
        Return the fields that hold lanes of a part.

        Parameters
        ----------
        part : str
            One of :data:`PARTS`.

        Returns
        -------
        plots : tuple of Plot
            In order.

        Raises
        ------
        ValueError
            If there is no such part.
        """
        check_one_of(part, "part", PARTS)
        return tuple(plot for plot in self.plots if part in plot.parts.values())


def plot_seed(seed: int, plot: str, *, version: str = VERSION) -> int:
    """
    Return the seed of one field of the benchmark.

    Parameters
    ----------
    seed : int
        Of the whole benchmark.
    plot : str
        Name of the field.
    version : str
        Of the benchmark.

    Returns
    -------
    seed : int
        The first 63 bits of a SHA-256: fields of one seed have nothing in common, and none
        tells the seed.

    Raises
    ------
    TypeError, ValueError
        If `seed` is not a whole number of at least zero.

    Examples
    --------
    >>> from minesense.bench import plot_seed
    >>> plot_seed(1, "home_farmland") == plot_seed(1, "home_village")
    False
    """
    seed = check_count(seed, "seed", least=0)
    text = f"minesense-bench {version}/{plot}/{seed}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def benchmark_plan(size: str = "full") -> Plan:
    """
    Return the fields of the benchmark.

    Parameters
    ----------
    size : {"full", "quick"}
        The whole benchmark, or the small one that continuous integration runs.

    Returns
    -------
    plan : Plan
        Training lanes and the tests; which soils and kinds of target each has.

    Raises
    ------
    ValueError
        If the size is unknown.

    Examples
    --------
    >>> from minesense.bench import benchmark_plan
    >>> plan = benchmark_plan("quick")
    >>> [plot.name for plot in plan.plots_of("lane_out")]
    ['home_farmland', 'home_village']
    >>> trained = set(plan.plots_of("training")[0].scenario.targets.kinds)
    >>> trained & set(plan.plots_of("type_out")[0].scenario.targets.kinds)
    set()
    """
    return _plans()[check_one_of(size, "size", ("full", "quick"))]


@functools.cache
def _plans() -> dict[str, Plan]:
    """Return the plans by size."""
    quick: dict[str, Any] = {
        "length": 10.0,
        "run_in": 2.0,
        "density": 1.0,
        "platform": {"n_antennas": 6, "n_coils": 5},
    }
    full: dict[str, Any] = {"length": 20.0, "run_in": 2.5, "density": 0.25, "platform": {}}
    home: dict[str, Any] = {"soils": _HOME_SOILS, "kinds": _HOME_TYPES}
    soil: dict[str, Any] = {**home, "soils": _AWAY_SOILS}
    kind: dict[str, Any] = {**home, "kinds": _AWAY_TYPES}
    plots = {
        "quick": (
            _plot("home_farmland", "farmland", training=2, blind=3, **home, **quick),
            _plot("home_village", "village", training=2, blind=2, **home, **quick),
            _lessons("farmland", 3, **home, **quick),
            _plot("soil_farmland", "farmland", blind=3, **soil, **quick),
            _plot("type_farmland", "farmland", blind=3, **kind, **quick),
            _faulty(blind=3, **home, **quick),
        ),
        "full": (
            _plot("home_farmland", "farmland", training=60, blind=34, **home, **full),
            _plot("home_village", "village", training=60, blind=34, **home, **full),
            _plot("home_battlefield", "battlefield", training=60, blind=34, **home, **full),
            _lessons("farmland", 40, **home, **full),
            _lessons("village", 40, **home, **full),
            _lessons("battlefield", 40, **home, **full),
            _plot("soil_farmland", "farmland", blind=40, **soil, **full),
            _plot("soil_village", "village", blind=40, **soil, **full),
            _plot("type_farmland", "farmland", blind=40, **kind, **full),
            _plot("type_village", "village", blind=40, **kind, **full),
            _faulty(blind=24, **home, **full),
        ),
    }
    return {
        size: Plan(size=size, version=VERSION, plots=members) for size, members in plots.items()
    }


def _plot(
    name: str,
    preset: str,
    *,
    training: int = 0,
    blind: int,
    soils: list[str],
    kinds: list[str],
    length: float,
    run_in: float,
    density: float,
    platform: Mapping[str, Any],
) -> Plot:
    """Return a field like a preset, with the benchmark's lanes, soils and targets."""
    recipe = scenario(
        preset,
        lanes={"training": training, "blind": blind, "length": length, "run_in": run_in},
        ground={"soils": soils},
        layout={"density": density},
        targets={"kinds": kinds},
        platform=platform,
    )
    test = {"home": "lane_out", "soil": "soil_out", "type": "type_out", "faulty": "faulty"}
    if name.startswith("lesson_"):
        return Plot(name=name, scenario=recipe, parts={"training": "lessons"})
    parts = {"training": "training"} if training else {}
    return Plot(
        name=name,
        scenario=recipe,
        parts={**parts, "blind": test[name.split("_", maxsplit=1)[0]]},
    )


def _lessons(preset: str, count: int, *, density: float, **options: Any) -> Plot:
    """Return a field to learn from, with as many targets as lessons have, or as others."""
    dense = max(density, _LESSON_DENSITY)
    name = f"lesson_{preset}"
    return _plot(name, preset, training=count, blind=0, density=dense, **options)


def _faulty(*, platform: Mapping[str, Any], **options: Any) -> Plot:
    """Return the field whose lanes lose ground in every way that the simulator knows."""
    losses = {"losses_per_minute": 1.0}
    return _plot(
        "faulty_farmland",
        "farmland",
        platform={**platform, "faults": _FAULTS, "positioning": losses},
        **options,
    )
