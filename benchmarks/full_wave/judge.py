"""
Train on the package's own simulator alone, judge on the full-wave lanes. All is SYNTHETIC.

    python -m benchmarks.full_wave.judge

Prints detections and false alarms per metre of a detector and of two plain energy detectors,
writes `results.json` and the pictures of docs/validation/full-wave.md.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

import minesense as ms
from minesense import along_track, gpr
from minesense.alarm import Alarm
from minesense.detect import (
    RECIPES,
    Detector,
    DetectorSettings,
    RadarSettings,
)
from minesense.score import Halo, match
from minesense.score.curves import Curve, curve_of
from minesense.stage import Pipeline, run_lane
from minesense.sweep import Sweep
from minesense.synthetic import cart, scenario
from minesense.truth import Truth

from .ground import CLUTTER, DRAWN, PRESETS, varied_ground
from .lanes import FOLDER, read_lanes
from .scenes import LENGTH, soil_of
from .scenes import SOILS as GROUNDS

RESULTS = Path(__file__).parent / "results.json"
TABLE = Path(__file__).parents[2] / "docs" / "validation" / "full_wave_table.md"
HALO = Halo(kind="handheld", ring=1.0)
#: Windows shortened to lanes of 3 m, in training as on the lanes, no more than it takes for
#: all of them to be judged. Places are noticed close together, so that the classifier says
#: which of two neighbours is the one, not their energy.
SETTINGS = DetectorSettings(
    radar=RadarSettings(
        background=1.0,
        whitening=1.5,
        whitening_guard=0.3,
        bin_length=0.4e-9,
        ring=0.7,
        threshold=1.0,
        merge_radius=0.1,
    )
)
#: Groups of features that told most of other full-wave lanes, those of indices 24 to 102.
GROUPS = ("score", "echo", "edges", "peaks")
N_LANES = 300  #: simulated, to train on
APART = 0.25  #: m between alarms of any detector; of two nearer ones the higher is kept
KINDS = (
    "pmn", "pmn2", "pmn4", "pma1", "pma2", "pma3", "type72a", "m14", "m14_washer", "ts50",
    "vs50", "pfm1", "prom1", "ozm72", "valmara69", "tm57", "tm62m", "tm62p3",
)  # fmt: skip
#: False alarms per metre at which Pd is told, and the reverse.
RATES, SHARES = (0.1, 0.2, 0.41, 1.35), (0.8, 0.9)


def training_lanes(
    *, n_lanes: int, seed: int, ground: str = "varied", workers: int = 1
) -> tuple[Iterator[Sweep], Truth]:
    """
    Return simulated lanes of a cart with one antenna pair, and what lies in them.

    Their surfaces and lumps are drawn more widely than those of the presets: what a detector
    learns of one kind of ground holds on no other. With `ground` "presets" they are the soils
    and the clutter of the preset.
    """
    soils = varied_ground(max(1, n_lanes // 3))
    varied: dict[str, Any] = {"ground": soils, "clutter": CLUTTER}
    made_of = varied if ground == "varied" else {"ground": {"soils": list(PRESETS)}}
    recipe = scenario(
        "farmland",
        lanes={"training": n_lanes, "blind": 0, "length": 20.0, "width": 0.3},
        layout={"density": 1.5},
        targets={"kinds": KINDS},
        **made_of,
    )
    made = ms.synthetic.field(recipe, seed=seed)
    carrier = dataclasses.replace(
        cart(n_antennas=1, n_coils=1, width=0.1), coils=None, coil_spacing=None
    )
    return made.sweep(carrier, workers=workers), made.truth


def train_detector(
    *,
    n_lanes: int = N_LANES,
    seed: int = 1,
    ground: str = "varied",
    groups: tuple[str, ...] = GROUPS,
    workers: int = 1,
) -> Detector:
    """Return a radar detector trained on simulated lanes, by groups of features."""
    sweeps, truth = training_lanes(n_lanes=n_lanes, seed=seed, ground=ground, workers=workers)
    return ms.train(
        sweeps,
        truth,
        settings=SETTINGS,
        recipe=dataclasses.replace(RECIPES["radar"], groups={"gpr": groups}),
        halo=HALO,
        seed=seed,
        workers=workers,
    )


def detector_alarms(detector: Detector, sweeps: list[Sweep]) -> dict[str, list[Alarm]]:
    """Return all places ranked by the detector, and the same by its prescreener's score."""
    ranked = [a for a in detector.detect(sweeps, mode="gpr").ranked if _is_scored(a)]
    plain = [dataclasses.replace(a, score=a.evidence["gpr_score"]) for a in ranked]
    return {"detector": keep_apart(ranked), "prescreener": keep_apart(plain)}


def keep_apart(alarms: Iterable[Alarm]) -> list[Alarm]:
    """Return alarms of which none has a higher one of its lane nearer than :data:`APART`."""
    kept: list[Alarm] = []
    for alarm in sorted(alarms, key=lambda a: (-a.score, a.lane, a.northing)):
        near = (a for a in kept if a.lane == alarm.lane)
        if all(abs(a.northing - alarm.northing) > APART for a in near):
            kept.append(alarm)
    return kept


def energy_alarms(sweeps: list[Sweep]) -> list[Alarm]:
    """Return peaks of plain energy: what is left of a trace after the sliding median."""
    s = SETTINGS.radar
    chain = Pipeline(
        gpr.AlignTimeZero(spacing=s.spacing),
        gpr.Dewow(window=s.dewow),
        gpr.AlignGround(
            search=s.ground_search, ground_time=s.ground_time, polarity=s.ground_polarity
        ),
        gpr.BandPass(low=s.band[0], high=s.band[1]),
        along_track.RemoveMedianBackground(spacing=s.spacing, half_width=s.background),
    )
    found: list[Alarm] = []
    for sweep in sweeps:
        clean = run_lane(chain, sweep)
        below = clean.sensor.axis > s.ground_time + s.start
        power = (clean.samples[:, 0, below].astype(np.float64) ** 2).sum(axis=1)
        level = 10 * np.log10(power + 1e-12)
        found += [
            _alarm(sweep, float(place), float(value), len(found) + k)
            for k, (place, value) in enumerate(zip(clean.position[:, 1], level, strict=True))
        ]
    return keep_apart(alarm for alarm in found if _is_scored(alarm))


def judge(alarms: Iterable[Alarm], truth: Truth, lanes: list[str]) -> Curve:
    """
    Return the curve over metres of lane: "areas" are lengths beyond halos, in m.

    Bands are from resampled lanes, then mines within them.
    """
    matching = match(alarms, truth, HALO)
    return curve_of(matching, lengths_of(truth, lanes), rng=np.random.default_rng(seed=1))


def lengths_of(truth: Truth, lanes: Iterable[str]) -> dict[str, float]:
    """Return the metres of each lane beyond the halos of its mines."""
    lengths = dict.fromkeys(lanes, LENGTH)
    for target in truth.targets:
        reach = HALO.reach(target.diameter)
        low = max(0.0, target.northing - reach)
        lengths[target.lane] -= min(LENGTH, target.northing + reach) - low
    return lengths


def figures_of(curve: Curve) -> dict:
    """Return Pd at some rates and rates at some Pd, with what resampled lanes make of them."""
    pd, far = np.asarray(curve.pd), np.asarray(curve.far)
    at_rate = {f"{r:g}": float(pd[far <= r].max(initial=0.0)) for r in RATES}
    at_share = {
        f"{p:g}": float(far[pd >= p].min()) if (pd >= p).any() else None for p in SHARES
    }
    bands = curve.bands
    limits = {}
    if bands is not None:
        low, high = np.asarray(bands.pd_low), np.asarray(bands.pd_high)
        axis = np.asarray(bands.far)
        for r in RATES:
            k = int(np.abs(np.log(axis / r)).argmin())
            limits[f"{r:g}"] = [float(low[k]), float(high[k])]
    return {
        "pd_at_false_alarms_per_m": at_rate,
        "pd_95_percent": limits,
        "false_alarms_per_m_at_pd": at_share,
        "scalars": {k: None if np.isnan(v) else round(v, 4) for k, v in curve.scalars.items()},
    }


def _is_scored(alarm: Alarm) -> bool:
    """Tell whether an alarm lies in the scored part of a lane."""
    return 0.0 <= alarm.northing <= LENGTH


def _alarm(sweep: Sweep, northing: float, score: float, number: int) -> Alarm:
    """Return an alarm of plain energy."""
    return Alarm(
        identifier=f"E{number:04d}", lane=sweep.lane, time=0.0,
        easting=float(sweep.position[0, 0]), northing=northing, position_error=0.04,
        depth=float("nan"), probability=0.5, score=score,
    )  # fmt: skip


def missed(alarms: list[Alarm], truth: Truth, rate: float, length: float) -> dict:
    """Return what is missed, and what is taken for a mine, at a rate of false alarms."""
    matching = match(alarms, truth, HALO)
    false = sorted((a.score for a in matching.alarms if a.outcome == "false"), reverse=True)
    allowed = int(rate * length + 1e-9)
    limit = false[allowed] if len(false) > allowed else -np.inf
    known = {target.identifier: target for target in truth.targets}
    lost = [known[t.identifier] for t in matching.targets if not t.score > limit]
    wrong = [a for a in matching.alarms if a.outcome == "false" and a.score > limit]
    on = [a.clutter_kind or "soil" for a in wrong]
    by_soil = {
        soil: {
            "mines": sum(soil_of(t.lane) == soil for t in truth.targets),
            "missed": sum(soil_of(t.lane) == soil for t in lost),
            "false": sum(soil_of(a.lane) == soil for a in wrong),
        }
        for soil in GROUNDS
    }
    return {
        "missed": [f"{t.kind} {100 * t.depth:.0f} cm ({t.lane[-2:]})" for t in lost],
        "false_on": {kind: on.count(kind) for kind in sorted(set(on))},
        "by_soil": by_soil,
    }


def main() -> int:
    """Train, judge, tell."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--lanes", type=int, default=N_LANES, help="simulated, to train on")
    parser.add_argument("--groups", nargs="+", default=GROUPS, help="of the radar's features")
    parser.add_argument("--workers", type=int, default=2, help="threads")
    parser.add_argument("--ground", choices=("varied", "presets"), default="varied")
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    sweeps, truth = read_lanes(options.folder)
    start = time.perf_counter()
    detector = train_detector(
        n_lanes=options.lanes,
        ground=options.ground,
        groups=tuple(options.groups),
        workers=options.workers,
    )
    names = [sweep.lane for sweep in sweeps]
    alarms = {**detector_alarms(detector, sweeps), "raw energy": energy_alarms(sweeps)}
    curves = {name: judge(found, truth, names) for name, found in alarms.items()}
    length = float(next(iter(curves.values())).area)
    document = {
        "is_synthetic": True,
        "lanes": len(sweeps),
        "mines": len(truth.targets),
        "clutter": len(truth.clutter),
        "metres": round(length, 2),
        "data": _digest(options.folder),
        "trained_on": {
            "lanes": options.lanes, "groups": list(options.groups), "ground": options.ground,
            "soils": PRESETS, "drawn": DRAWN, "clutter": CLUTTER,
            "simulator": ms.__version__,
        },
        "detectors": {name: figures_of(curve) for name, curve in curves.items()},
        "at_0.2_per_m": {name: missed(found, truth, 0.2, length)
                         for name, found in alarms.items()},
    }  # fmt: skip
    options.output.write_text(json.dumps(document, indent=1) + "\n")
    sys.stdout.write(table(document) + "\n" + table_of_misses(document))
    sys.stdout.write(f"{time.perf_counter() - start:.0f} s\n")
    if options.output == RESULTS:
        from .picture import draw  # noqa: PLC0415  matplotlib is an extra

        draw(curves, sweeps, truth)
        TABLE.write_text(page_of(document))
    return 0


def page_of(document: dict) -> str:
    """Return what docs/validation/full-wave.md includes."""
    head = (
        f"SYNTHETIC: {document['lanes']} lanes, {document['mines']} mines, "
        f"{document['clutter']} other objects, {document['metres']} m beyond halos.\n"
    )
    return f"{head}\n{table(document)}\n{table_of_misses(document)}"


def table(document: dict) -> str:
    """Return the results as a table in Markdown."""
    head = [
        "detector",
        *(f"Pd at {r:g} /m" for r in RATES),
        *(f"/m at Pd {p:g}" for p in SHARES),
    ]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for name, found in document["detectors"].items():
        row = [name]
        for r in RATES:
            value, limits = found["pd_at_false_alarms_per_m"][f"{r:g}"], found["pd_95_percent"]
            low, high = limits.get(f"{r:g}", (np.nan, np.nan))
            row.append(f"{value:.2f} ({low:.2f}-{high:.2f})")
        for p in SHARES:
            value = found["false_alarms_per_m_at_pd"][f"{p:g}"]
            row.append("not reached" if value is None else f"{value:.2f}")
        lines.append("| " + " | ".join(row) + " |")
    return "\n".join(lines) + "\n"


def table_of_misses(document: dict) -> str:
    """Return what fails at 0.2 false alarms per metre: by soil, which mines, and on what."""
    found = document["at_0.2_per_m"]
    names = list(found)
    lines = [
        "| at 0.2 /m | " + " | ".join(f"{name}: missed, false" for name in names) + " |",
        "|" + "---|" * (len(names) + 1),
    ]
    for soil in GROUNDS:
        rows = [found[name]["by_soil"][soil] for name in names]
        cells = (f"{row['missed']} of {row['mines']}, {row['false']}" for row in rows)
        lines.append(f"| {soil} | " + " | ".join(cells) + " |")
    lines.append("")
    for name in names:
        alarms = ", ".join(f"{kind} {n}" for kind, n in found[name]["false_on"].items())
        lines.append(f"- {name}: missed {', '.join(found[name]['missed'])}; false on {alarms}.")
    return "\n".join(lines) + "\n"


def _digest(folder: Path) -> str:
    """Return a digest of the stored lanes and their truth."""
    parts = [path.read_bytes() for path in sorted(folder.glob("lane_*.json"))]
    return hashlib.sha256(b"".join(parts)).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
