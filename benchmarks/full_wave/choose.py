"""
Judge groups of features on full-wave lanes of development. All is SYNTHETIC.

    python -m benchmarks.full_wave.run --first 24 --lanes 79 --folder DEVELOPMENT
    python -m benchmarks.full_wave.choose --folder DEVELOPMENT [--lanes 300]

One field is simulated and screened once; a classifier of each set of groups learns from it and
is judged on the lanes of the folder. Limits of the difference to the first row are those of the
same resampled lanes. Not to be run on the stored lanes: what is judged there was chosen here.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from minesense.alarm import Alarm
from minesense.bench import Outcomes
from minesense.bench.outcomes import Draws, draw_lanes, steps_of
from minesense.detect import RECIPES
from minesense.score import match
from minesense.score.curves import partial_area, pd_at
from minesense.sweep import Floats
from minesense.training import screen_lanes, train_screened, with_learnt_shapes
from minesense.truth import Truth

from .judge import GROUPS, HALO, SETTINGS, detector_alarms, lengths_of, training_lanes
from .lanes import read_lanes

ECHO = ("score", "echo")
ROWS: tuple[tuple[str, ...], ...] = (
    RECIPES["radar"].groups["gpr"],
    ECHO,
    *((*ECHO, name) for name in ("focused", "spectrum", "texture", "shape", "edges", "peaks")),
    GROUPS,
)
AREA_TO, RATE = 0.5, 0.2  # false alarms per metre


def outcomes_of(alarms: Iterable[Alarm], truth: Truth, lanes: list[str]) -> Outcomes:
    """Return what became of every mine and false alarm; "areas" are metres beyond halos."""
    matching = match(alarms, truth, HALO)
    lengths = lengths_of(truth, lanes)
    index = {lane: k for k, lane in enumerate(lengths)}
    false = [a for a in matching.alarms if a.outcome == "false"]
    nothing = np.zeros(len(matching.targets), bool)
    return Outcomes(
        areas=np.array(list(lengths.values())),
        target_lanes=np.array([index[t.lane] for t in matching.targets], np.int64),
        target_scores=np.array([t.score for t in matching.targets], np.float64),
        detected=nothing,
        false_lanes=np.array([index[a.lane] for a in false], np.int64),
        false_scores=np.array([a.score for a in false], np.float64),
        false_at_threshold=np.zeros(len(lengths), np.int64),
    )


def figures(outcomes: Outcomes, draws: Draws | None = None) -> tuple[Floats, Floats]:
    """Return Pd averaged to a rate, and Pd at one, of every resample."""
    steps = steps_of(outcomes, draws)
    return partial_area(steps, AREA_TO), pd_at(steps, RATE)


def judged(options: argparse.Namespace) -> Iterator[tuple[str, Outcomes]]:
    """Yield each set of groups with what it made of the lanes; the prescreener comes last."""
    recipe, workers = RECIPES["radar"], options.workers
    made, truth = training_lanes(n_lanes=options.lanes, seed=options.seed, workers=workers)
    sweeps = list(made)
    plain = screen_lanes(sweeps, settings=SETTINGS, recipe=recipe, workers=workers)
    screened = with_learnt_shapes(plain, sweeps, truth, workers=workers)
    lanes, known = read_lanes(options.folder)
    names = [sweep.lane for sweep in lanes]
    for groups in ROWS:
        detector = train_screened(
            screened,
            truth,
            recipe=dataclasses.replace(recipe, groups={"gpr": groups}),
            halo=HALO,
            seed=options.seed,
        )
        alarms = detector_alarms(detector, lanes)
        yield ", ".join(groups), outcomes_of(alarms["detector"], known, names)
    yield "the prescreener alone", outcomes_of(alarms["prescreener"], known, names)


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--lanes", type=int, default=300, help="simulated, to train on")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    rows = judged(options)
    first_name, first = next(rows)
    rng = np.random.default_rng(seed=1)
    draws = draw_lanes(first.n_lanes, first.target_lanes, rng=rng, n_resamples=1000)
    first_area, first_drawn = float(figures(first)[0][0]), figures(first, draws)[0]
    sys.stdout.write(
        f"SYNTHETIC: {first.n_lanes} full-wave lanes, {len(first.target_lanes)} mines; trained "
        f"on {options.lanes} simulated lanes\n\n| features | area to {AREA_TO:g} /m | "
        f"Pd at {RATE:g} /m | area, less the first |\n|---|---|---|---|\n"
    )
    for name, outcomes in itertools.chain([(first_name, first)], rows):
        area, pd = (float(x[0]) for x in figures(outcomes))
        low, high = np.percentile(figures(outcomes, draws)[0] - first_drawn, [2.5, 97.5])
        sys.stdout.write(
            f"| {name} | {area:.3f} | {pd:.2f} | {area - first_area:+.3f} "
            f"({low:+.3f} to {high:+.3f}) |\n"
        )
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
