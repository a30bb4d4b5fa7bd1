"""What was tried for small mines just under the surface, and what it is worth. SYNTHETIC.

    python -m benchmarks.feature_worth.shallow [--seed 2] [--bootstrap 100]

On the training lanes of the benchmark's full size, of a development seed. First the radar's
prescreener alone, on every third lane: where its gate starts, the echo of the surface fitted to
each trace and taken away, the lane focused before it is scored, and echo shapes learnt from
other lanes. Then both sensors' judges, out of fold by lane and fused: other groups of features,
lower thresholds of the prescreeners, and echo shapes, with paired limits of resampled lanes.
Writes docs/validation/shallow_table.md.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from minesense import along_track, gpr
from minesense.bench import benchmark_plan, make_survey
from minesense.coverage import Coverage, Rectangle, Region
from minesense.detect import (
    CoilSettings,
    DetectorSettings,
    RadarSettings,
    Recipe,
    Screened,
    find_sites,
    fuse,
)
from minesense.detect.detection import observed
from minesense.detect.screen import Part
from minesense.gaps import GapFinder, cut_at
from minesense.score import Halo
from minesense.stage import Pipeline, run_lane
from minesense.sweep import Quality, Sweep
from minesense.training import ScreenedLanes, screen_lanes, with_learnt_shapes
from minesense.training.judges import fit_judge
from minesense.training.places import label_places
from minesense.truth import Target, Truth

from .worth import SMALL_TREES

TABLE = Path(__file__).parents[2] / "docs" / "validation" / "shallow_table.md"
HALO, RADAR = Halo(), RadarSettings()
APART = 0.25  # m between candidates
LITTLE, SHALLOW, VERY_SHALLOW = ("none", "minimum", "low"), 0.10, 0.05
COILS = ("score", "decay", "places")
#: Groups of the radar's features, and thresholds of both prescreeners.
JUDGED: dict[str, tuple[tuple[str, ...], float, float]] = {
    "echo, spectrum": (("score", "echo", "spectrum"), 9.0, 6.0),
    "echo, spectrum, edges": (("score", "echo", "spectrum", "edges"), 9.0, 6.0),
    "echo, spectrum, focused": (("score", "echo", "spectrum", "focused"), 9.0, 6.0),
    "spectrum, focused": (("score", "spectrum", "focused"), 9.0, 6.0),
    "echo, spectrum; thresholds 7.5 and 4.5": (("score", "echo", "spectrum"), 7.5, 4.5),
}
#: Groups judged where shapes that were learnt prescreen the radar.
LEARNT = {
    "echo, spectrum; shapes learnt": ("score", "echo", "spectrum"),
    "echo, spectrum, shape; shapes learnt": ("score", "echo", "spectrum", "shape"),
}
WORDS = ("area to 0.5/m^2", "area to 1/m^2", "Pd at 0.1/m^2", "little metal at 0.1/m^2")


@dataclasses.dataclass(frozen=True)
class Ranked:
    """Scores of targets, the best of each, -inf where none was noticed; and of the rest."""

    targets: Sequence[Target]
    scores: np.ndarray
    false: np.ndarray
    false_lanes: np.ndarray


def parts_of(sweep: Sweep) -> Iterator[Sweep]:
    """Yield the stretches of a lane without gaps that are long enough to be judged."""
    cuts = [k for k, _ in GapFinder(max_step=0.25, max_pause=2.0, spacing=0.025).find(sweep)]
    whole = dataclasses.replace(sweep, quality=sweep.quality & ~int(Quality.GAP))
    yield from (part for part in cut_at(whole, cuts) if len(part) > 60)


def without_surface(aligned: Sweep, residual: Sweep) -> Sweep:
    """Take away what the median and its slope in time explain of each trace's bounce."""
    after = residual.sensor.axis - RADAR.ground_time
    template = aligned.samples.astype(np.float64) - residual.samples
    basis = np.stack([template, np.gradient(template, axis=2)], axis=-1)
    fade = np.clip(1.5 - np.abs(after) / 0.6e-9, 0.0, 1.0) * 2
    weight, taper = (np.abs(after) <= 0.6e-9).astype(float), np.minimum(fade, 1.0)
    wanted = np.nan_to_num(residual.samples.astype(np.float64))
    basis = np.nan_to_num(basis)
    gram = np.einsum("kcti,kctj,t->kcij", basis, basis, weight) + 1e-12 * np.eye(2)
    right = np.einsum("kcti,kct,t->kci", basis, wanted, weight)
    share = np.linalg.solve(gram, right[..., None])[..., 0]
    fitted = np.einsum("kcti,kci->kct", basis, share) * taper
    samples = (residual.samples - fitted).astype(np.float32)
    return dataclasses.replace(residual, samples=samples)


def focused(white: Sweep) -> Sweep:
    """Focus a whitened lane, and scale it so that its scores compare."""
    northing = RADAR.spacing * np.arange(len(white))
    even = np.column_stack([0 * northing, northing, 0 * northing])
    image = gpr.kirchhoff(
        dataclasses.replace(white, position=even),
        velocity=RADAR.velocity,
        spacing=RADAR.spacing,
        aperture=0.3,
    )
    below = image.sensor.axis >= RADAR.ground_time + 1e-9
    level = 1.4826 * np.median(np.abs(image.samples[image.is_usable][..., below]))
    return dataclasses.replace(
        image, samples=(image.samples / level).astype(np.float32), position=white.position
    )


def prescreened(part: Sweep) -> dict[str, np.ndarray]:
    """Return the best score of every cell, -inf where it was not judged, by what was tried."""
    s = RADAR
    aligned = run_lane(
        Pipeline(
            gpr.AlignTimeZero(spacing=s.spacing),
            gpr.Dewow(window=s.dewow),
            gpr.AlignGround(
                search=s.ground_search, ground_time=s.ground_time, polarity=s.ground_polarity
            ),
            gpr.BandPass(low=s.band[0], high=s.band[1]),
        ),
        part,
    )
    median = along_track.RemoveMedianBackground(spacing=s.spacing, half_width=s.background)
    residual = run_lane(median, aligned)

    def white(sweep: Sweep) -> Sweep:
        stage = along_track.Whiten(
            spacing=s.spacing, length=s.whitening, guard=s.whitening_guard
        )
        return run_lane(stage, sweep)

    def best(sweep: Sweep, start: float = s.start) -> np.ndarray:
        stage = gpr.PrescreenEnergy(
            spacing=s.spacing,
            bin_length=s.bin_length,
            guard=s.guard,
            ring=s.ring,
            start_time=s.ground_time + start,
        )
        scores = run_lane(stage, sweep)
        is_judged = scores.is_judged & scores.is_usable
        return np.where(is_judged[:, None], scores.samples.max(axis=2), -np.inf)

    plain = white(residual)
    freed = white(without_surface(aligned, residual))
    return {
        "as it is (0.2 ns after the ground)": best(plain),
        "from the ground on": best(plain, 0.0),
        "from 0.3 ns above the ground": best(plain, -0.3e-9),
        "surface fitted, from 0.2 ns": best(freed),
        "surface fitted, from 0.3 ns above": best(freed, -0.3e-9),
        "focused, from 0.2 ns": best(focused(plain)),
    }


def peaks(best: np.ndarray, place: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return places and scores of cells without a better one nearer than APART."""
    cells = np.argwhere(best > 0)
    scores = best[best > 0]
    spots = place[cells[:, 0], cells[:, 1], :2]
    open_ = np.ones(len(spots), bool)
    kept = []
    for k in np.argsort(-scores, kind="stable"):
        if open_[k]:
            kept.append(k)
            open_ &= np.hypot(*(spots - spots[k]).T) > APART
    return spots[kept], scores[kept]


def rank_prescreeners(
    sweeps: Sequence[Sweep],
    truth: Truth,
    area: Sequence[Rectangle | Region],
    learnt: ScreenedLanes,
) -> dict[str, Ranked]:
    """Return what each prescreener ranks where."""
    known = {lane["gpr"].lane: lane["gpr"].parts for lane in learnt.lanes}
    ground = {str(item[-1]): item for item in area}
    targets: list[Target] = []
    scores: dict[str, list[float]] = {}
    false: dict[str, list[float]] = {}
    lanes: dict[str, list[str]] = {}
    for sweep in sweeps:
        tried: dict[str, list[np.ndarray]] = {}
        places = []
        for part in parts_of(sweep):
            places.append(part.channel_position)
            for name, best in prescreened(part).items():
                tried.setdefault(name, []).append(best)
        scored = {
            name: (np.concatenate(best), np.concatenate(places)) for name, best in tried.items()
        }
        scored["echo shapes, learnt from other lanes"] = (
            np.concatenate([_judged_cells(part) for part in known[sweep.lane]]),
            np.concatenate([part.position for part in known[sweep.lane]]),
        )
        here = [t for t in truth.targets if t.lane == sweep.lane]
        targets += here
        west, south, east, north = (float(value) for value in ground[sweep.lane][:4])
        for name, (best, place) in scored.items():
            spots, values = peaks(best, place)
            is_false = (spots[:, 0] >= west) & (spots[:, 0] <= east)
            is_false &= (spots[:, 1] >= south) & (spots[:, 1] <= north)
            for target in here:
                away = np.hypot(*(spots - (target.easting, target.northing)).T)
                reach = HALO.reach(target.diameter)
                found = values[away <= reach].max(initial=-np.inf)
                scores.setdefault(name, []).append(float(found))
                is_false &= away > 2 * reach
            false.setdefault(name, []).extend(values[is_false].tolist())
            lanes.setdefault(name, []).extend([sweep.lane] * int(is_false.sum()))
    return {name: counted(targets, scores[name], false[name], lanes[name]) for name in scores}


def _judged_cells(part: Part) -> np.ndarray:
    """Return the best score of every cell, -inf where it was not judged."""
    return np.where(part.scores.is_judged[:, None], np.nan_to_num(part.best), -np.inf)


def counted(
    targets: Sequence[Target],
    scores: Sequence[float],
    false: Sequence[float] | np.ndarray,
    lanes: Sequence[str] | np.ndarray,
) -> Ranked:
    """Return what was ranked, without test pieces, which are not counted as mines."""
    keep = [k for k, t in enumerate(targets) if not t.kind.startswith("simulant")]
    return Ranked(
        [targets[k] for k in keep],
        np.array([scores[k] for k in keep]),
        np.asarray(false),
        np.asarray(lanes),
    )


def judge(
    sweeps: Sequence[Sweep],
    truth: Truth,
    area: Sequence[Rectangle | Region],
    learnt: ScreenedLanes,
) -> dict[str, Ranked]:
    """Return what fused judges that had not seen a lane rank in it, by what was tried."""
    found: dict[str, Ranked] = {}
    for thresholds in dict.fromkeys(item[1:] for item in JUDGED.values()):
        settings = DetectorSettings(
            radar=RadarSettings(threshold=thresholds[0]),
            coils=CoilSettings(threshold=thresholds[1]),
        )
        lanes = screen_lanes(sweeps, settings=settings).lanes
        coverage = observed(lanes, settings, area=area)
        for name, (groups, *limits) in JUDGED.items():
            if tuple(limits) != thresholds:
                continue
            recipe = recipe_of(groups)
            found[name] = _judged(lanes, settings, recipe, truth, coverage)
    coverage = observed(learnt.lanes, learnt.settings, area=area)
    for name, groups in LEARNT.items():
        recipe = recipe_of(groups)
        found[name] = _judged(learnt.lanes, learnt.settings, recipe, truth, coverage)
    return found


def recipe_of(groups: tuple[str, ...]) -> Recipe:
    """Return both sensors judged by small trees, with some groups of the radar's features."""
    trees = dict.fromkeys(("gpr", "emi"), SMALL_TREES)
    return Recipe(name="tried", groups={"gpr": groups, "emi": COILS}, options=trees)


def _judged(
    lanes: Sequence[Mapping[str, Screened]],
    settings: DetectorSettings,
    recipe: Recipe,
    truth: Truth,
    coverage: Coverage,
) -> Ranked:
    """Return what the fused judges of one recipe rank."""
    sites = [
        site for lane in lanes for site in find_sites(lane, settings, groups=recipe.groups)
    ]
    places = label_places(sites, truth, coverage, HALO)
    ratios = {kind: fit_judge(places, kind, recipe, seed=0).ratios for kind in ("gpr", "emi")}
    total = fuse(ratios)
    best = {target.identifier: -np.inf for target in truth.targets}
    for name, score in zip(places.emplacements, total, strict=True):
        if name:
            best[name] = max(best[name], float(score))
    is_false = np.flatnonzero(places.keep & ~places.labels)
    return counted(
        truth.targets,
        [best[target.identifier] for target in truth.targets],
        total[is_false],
        [places.sites[k].lane for k in is_false],
    )


def pd_and_rate(
    ranked: Ranked, counts: Mapping[str, int], area: float, chosen: np.ndarray
) -> tuple[np.ndarray, np.ndarray, float]:
    """Return Pd above every false alarm in falling order, its rate, and Pd below them all."""
    order = np.argsort(-ranked.false, kind="stable")
    weight = np.array([counts.get(lane, 0) for lane in ranked.false_lanes], float)[order]
    rate = np.cumsum(weight) / (area * sum(counts.values()))
    mines = np.array([counts.get(t.lane, 0) for t in ranked.targets], float) * chosen
    falling = np.argsort(-ranked.scores, kind="stable")
    hits = np.append(0.0, np.cumsum(mines[falling]))
    above = np.searchsorted(-ranked.scores[falling], -ranked.false[order], side="left")
    total = max(float(mines.sum()), 1.0)
    return hits[above] / total, rate, float(mines[np.isfinite(ranked.scores)].sum()) / total


def at_rate(pd: np.ndarray, rate: np.ndarray, top: float, limit: float) -> float:
    """Return Pd at a rate of false alarms."""
    k = int(np.searchsorted(rate, limit, side="right"))
    return float(pd[k]) if k < len(pd) else top


def figures(ranked: Ranked, counts: Mapping[str, int], area: float) -> np.ndarray:
    """Return the figures of WORDS for lanes that count so many times each."""
    everything = np.ones(len(ranked.targets), bool)
    pd, rate, top = pd_and_rate(ranked, counts, area, everything)
    areas = []
    for limit in (0.5, 1.0):
        steps = np.diff(np.minimum(np.append(0.0, rate), limit))
        rest = max(0.0, limit - float(rate[-1])) * top
        areas.append((float((steps * pd).sum()) + rest) / limit)
    hard = pd_and_rate(ranked, counts, area, of_little_metal(ranked, SHALLOW))
    return np.array([*areas, at_rate(pd, rate, top, 0.1), at_rate(*hard, 0.1)])


def of_little_metal(ranked: Ranked, depth: float) -> np.ndarray:
    """Return which targets have little or no metal and lie no deeper."""
    return np.array([t.metal_class in LITTLE and t.depth <= depth for t in ranked.targets])


def prescreener_table(found: Mapping[str, Ranked], lanes: Sequence[str], area: float) -> str:
    """Return Pd of the prescreeners at some rates, and that of the shallowest, in Markdown."""
    once = dict.fromkeys(lanes, 1)
    rates = (0.1, 0.5, 1.0, 2.0)
    heads = [f"Pd at {r:g}/m^2" for r in rates] + [f"to 5 cm at {r:g}/m^2" for r in rates[2:]]
    lines = [f"| radar prescreener | {' | '.join(heads)} |", "|" + "---|" * (1 + len(heads))]
    for name, ranked in found.items():
        every = pd_and_rate(ranked, once, area, np.ones(len(ranked.targets), bool))
        hard = pd_and_rate(ranked, once, area, of_little_metal(ranked, VERY_SHALLOW))
        values = [at_rate(*every, r) for r in rates] + [at_rate(*hard, r) for r in rates[2:]]
        lines.append(f"| {name} | {' | '.join(f'{value:.3f}' for value in values)} |")
    return "\n".join(lines)


def judged_table(
    found: Mapping[str, Ranked], lanes: Sequence[str], area: float, n_bootstrap: int
) -> str:
    """Return figures of the judges and their paired differences from the first, in Markdown."""
    rng = np.random.default_rng(0)
    draws = [
        dict(zip(lanes, np.bincount(picked, minlength=len(lanes)).tolist(), strict=True))
        for picked in rng.integers(len(lanes), size=(n_bootstrap, len(lanes)))
    ]
    once, first = dict.fromkeys(lanes, 1), next(iter(found))
    heads = (
        "noticed",
        "others per m^2",
        *WORDS,
        *(f"{w}, less the first row" for w in WORDS[:2]),
    )
    lines = [f"| features | {' | '.join(heads)} |", "|" + "---|" * (1 + len(heads))]
    base = figures(found[first], once, area)
    base_drawn = np.array([figures(found[first], draw, area) for draw in draws])
    for name, ranked in found.items():
        values = figures(ranked, once, area)
        noticed = float(np.isfinite(ranked.scores).mean())
        others = len(ranked.false) / (area * len(lanes))
        cells = [f"{noticed:.3f}", f"{others:.2f}", *(f"{value:.3f}" for value in values)]
        drawn = np.array([figures(ranked, draw, area) for draw in draws]) - base_drawn
        limits = np.quantile(drawn, [0.025, 0.975], axis=0)
        cells += [
            f"{values[k] - base[k]:+.3f} ({limits[0, k]:+.3f} to {limits[1, k]:+.3f})"
            if name != first
            else ""
            for k in range(2)
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def page_of(
    sweeps: Sequence[Sweep],
    truth: Truth,
    area: Sequence[Rectangle | Region],
    *,
    seed: int,
    n_bootstrap: int,
) -> str:
    """Try everything; return the tables."""
    lanes = [str(item[-1]) for item in area]
    first = area[0]
    size = (float(first[2]) - float(first[0])) * (float(first[3]) - float(first[1]))
    radar = [s for s in sweeps if s.sensor.kind == "gpr" and s.lane in lanes][::3]
    learnt = with_learnt_shapes(screen_lanes(sweeps, workers=2), sweeps, truth, workers=2)
    screened = rank_prescreeners(radar, truth, area, learnt)
    judged = judge(sweeps, truth, area, learnt)
    n_mines = len(next(iter(judged.values())).targets)
    n_some = len(next(iter(screened.values())).targets)
    return (
        f"SYNTHETIC: {len(radar)} lanes of {size:.0f} m², seed {seed}; {n_some} mines.\n\n"
        f"{prescreener_table(screened, [s.lane for s in radar], size)}\n\n"
        f"SYNTHETIC: {len(lanes)} lanes of {size:.0f} m², seed {seed}; {n_mines} mines; both "
        "sensors, fused.\n\n"
        f"{judged_table(judged, lanes, size, n_bootstrap)}\n"
    )


def main() -> int:
    """Sweep the lanes, try, write the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seed", type=int, default=2)
    parser.add_argument("--bootstrap", type=int, default=100)
    parser.add_argument("--output", type=Path, default=TABLE)
    given = parser.parse_args()
    survey = make_survey(benchmark_plan("full"), "training", seed=given.seed, workers=2)
    text = page_of(
        survey.sweeps, survey.truth, survey.area, seed=given.seed, n_bootstrap=given.bootstrap
    )
    given.output.write_text(text)
    sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
