"""What lessons and groups of features are worth to the full detector. SYNTHETIC.

    python -m benchmarks.feature_worth.lanes [--seed 2] [--lanes 60]

Sweeps as many training lanes, lessons and lanes of each test as that, of the full size of the
benchmark. Echo shapes are learnt from all that teaches; the classifiers from training lanes
with or without lessons, by other groups of the radar's features. Prints Pd on all tests
together, and by how much each row differs from the first, with limits of the same resampled
lanes.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Mapping

import numpy as np

from minesense.bench import (
    TESTS,
    Outcomes,
    Plan,
    Survey,
    benchmark_plan,
    differences,
    make_reference,
    make_survey,
)
from minesense.bench.detection import outcomes_of
from minesense.bench.outcomes import pool, readings
from minesense.detect import DEFAULT_GROUPS, Recipe
from minesense.training import (
    ScreenedLanes,
    screen_lanes,
    train_screened,
    with_learnt_shapes,
    with_settings,
)
from minesense.truth import Truth

FIGURES = ("pauc_1", "pd_at_far_0.1")
_UNFOCUSED = tuple(name for name in DEFAULT_GROUPS["gpr"] if name != "focused")
#: By name: whether lessons teach the classifiers, and groups of the radar's features.
ROWS: dict[str, tuple[bool, tuple[str, ...]]] = {
    "lessons too": (True, DEFAULT_GROUPS["gpr"]),
    "training lanes alone": (False, DEFAULT_GROUPS["gpr"]),
    "lessons too, nothing focused": (True, _UNFOCUSED),
    "lessons too, context and hyperbola": (
        True,
        (*DEFAULT_GROUPS["gpr"], "context", "hyperbola"),
    ),
}


def thinned(plan: Plan, n_lanes: int) -> Plan:
    """Return a plan with as many lanes of each part, shared among its fields."""
    shares = {part: len(plan.plots_of(part)) for part in ("training", "lessons", *TESTS)}
    plots = []
    for plot in plan.plots:
        lanes = {
            sort: n_lanes // shares[part] for sort, part in plot.parts.items() if part in shares
        }
        if lanes:
            made = dataclasses.replace(plot.scenario.lanes, **lanes)
            scenario = dataclasses.replace(plot.scenario, lanes=made)
            plots.append(dataclasses.replace(plot, scenario=scenario))
    return dataclasses.replace(plan, plots=tuple(plots))


def only(
    screened: ScreenedLanes, truth: Truth, lanes: Mapping[str, object]
) -> tuple[ScreenedLanes, Truth]:
    """Return what was screened of some lanes, and what lies in them."""
    kept = [
        lane for lane in screened.lanes if all(part.lane in lanes for part in lane.values())
    ]
    objects = tuple(row for row in truth.objects if row.lane in lanes)
    return dataclasses.replace(screened, lanes=kept), dataclasses.replace(
        truth, objects=objects
    )


def judged(plan: Plan, seed: int) -> dict[str, Outcomes]:
    """Train one detector for each row; return what became of targets on all tests."""
    home, lessons = (
        make_survey(plan, part, seed=seed, workers=2) for part in ("training", "lessons")
    )
    sweeps = (*home.sweeps, *lessons.sweeps)
    truth = dataclasses.replace(home.truth, objects=home.truth.objects + lessons.truth.objects)
    learnt = with_learnt_shapes(screen_lanes(sweeps, workers=2), sweeps, truth, workers=2)
    detectors = {}
    for name, (has_lessons, groups) in ROWS.items():
        taught = {**home.lanes, **(lessons.lanes if has_lessons else {})}
        screened, known = only(learnt, truth, taught)
        recipe = Recipe(groups={**DEFAULT_GROUPS, "gpr": groups})
        detectors[name] = train_screened(
            screened, known, recipe=recipe, area=home.area, seed=seed
        )
    found: dict[str, list[Outcomes]] = {name: [] for name in detectors}
    for part in TESTS:
        survey: Survey = make_survey(plan, part, seed=seed, workers=2)
        reference = make_reference(survey)
        plain = screen_lanes(survey.sweeps, workers=2)
        lanes = with_settings(plain, survey.sweeps, learnt.settings, workers=2).lanes
        for name, detector in detectors.items():
            detection = detector.judge(lanes, area=survey.area)
            found[name].append(outcomes_of(detection, reference)[0])
    return {name: pool(parts) for name, parts in found.items()}


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=2)
    parser.add_argument("--lanes", type=int, default=60, help="of each part")
    options = parser.parse_args()
    found = judged(thinned(benchmark_plan("full"), options.lanes), options.seed)
    first = next(iter(found.values()))
    n_targets = len(first.target_lanes)
    sys.stdout.write(
        f"SYNTHETIC: {options.lanes} lanes of each part, seed {options.seed}; {n_targets} "
        f"targets on {first.areas.sum():.0f} m2 of tests\n\n"
        "| classifiers learn from | area to 1/m^2 | less the first | Pd at 0.1/m^2 | "
        "less the first |\n|---|---|---|---|---|\n"
    )
    for name, outcomes in found.items():
        point = readings(outcomes)
        less = differences(
            first, outcomes, rng=np.random.default_rng(options.seed), figures=FIGURES
        )
        cells = [
            f"{point[f][0]:.3f} | {d.value:+.3f} ({d.low:+.3f} to {d.high:+.3f})"
            for f, d in ((f, less[f]) for f in FIGURES)
        ]
        sys.stdout.write(f"| {name} | {' | '.join(cells)} |\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
