"""How much of each target the traces of a radar hold, told from the ground. SYNTHETIC.

    python -m benchmarks.feature_worth.held [--seed 2]

Sweeps the training lanes of the benchmark's full size twice, with targets and without, the same
in all else. What a target changes in the whitened patch around it is the template that finds it
best, if the ground were Gaussian and its covariance known: that of the ground of other lanes.
Prints, for targets that the prescreener by energy noticed and for those it missed, how many
standard deviations of other lanes' ground their own template stands above it. No detector can
know that template: it is what there is to be found, not what can be.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from unittest import mock

import numpy as np

from minesense.bench import benchmark_plan, make_survey
from minesense.bench.surveys import Survey
from minesense.detect import RECIPES, DetectorSettings, Screened
from minesense.gpr import PatchForm, echo_patches
from minesense.gpr.echo_shapes import ground_moments, taking_part
from minesense.sweep import Samples
from minesense.synthetic import simulate
from minesense.training import screen_lanes
from minesense.training.shapes import patch_form

SHARE, N_GROUND, NEAR = 0.03, 600, 0.1
SETTINGS = DetectorSettings()


def swept(seed: int, *, with_targets: bool) -> Survey:
    """Return the training lanes; without targets the ground is the same."""
    plain = simulate.radar_samples

    def samples(*args: object, **options: object) -> object:
        if not with_targets:
            options["buried"] = ()
        return plain(*args, **options)  # type: ignore[arg-type]

    with mock.patch.object(simulate, "radar_samples", samples):
        return make_survey(benchmark_plan("full"), "training", seed=seed, workers=2)


def screened(survey: Survey) -> list[Screened]:
    """Return the radar's lanes as energy screens them."""
    found = screen_lanes(survey.sweeps, recipe=RECIPES["energy"], workers=2)
    return [lane["gpr"] for lane in found.lanes]


def _ground(lane: Screened, form: PatchForm) -> Samples:
    """Return patches of a lane without targets, spread evenly over its parts."""
    patches = []
    for part in lane.parts:
        is_ground = np.repeat(
            taking_part(part.processed)[:, None], part.position.shape[1], axis=1
        )
        cells = np.argwhere(is_ground)
        chosen = cells[np.linspace(0, len(cells) - 1, min(len(cells), N_GROUND)).astype(int)]
        patches.append(
            echo_patches(part.processed, chosen[:, 0].tolist(), chosen[:, 1].tolist(), form)
        )
    return np.concatenate(patches)


def standings(
    full: Sequence[Screened], empty: Sequence[Screened], survey: Survey
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """
    Return how far each target stands above the ground, and whether energy noticed it.

    The last is, for each target, the deviation that one in a thousand patches of ground reach.
    """
    form = patch_form(SETTINGS, full[0].parts[0].processed.sensor)
    ground = [_ground(lane, form) for lane in empty]
    moments = [ground_moments(patches) for patches in ground]
    inverse = []
    for fold in (0, 1):  # that of the lanes of the other one
        total = np.sum([m for k, m in enumerate(moments) if k % 2 != fold], axis=0)
        total /= sum(len(g) for k, g in enumerate(ground) if k % 2 != fold)
        size = len(total)
        inverse.append(np.linalg.inv(total + SHARE * np.trace(total) / size * np.eye(size)))
    found = []
    for k, (lane, without) in enumerate(zip(full, empty, strict=True)):
        beside = np.concatenate([g for j, g in enumerate(ground) if j % 2 == k % 2 and j != k])
        beside = beside.reshape(len(beside), -1)
        for target in (t for t in survey.truth.targets if t.lane == lane.lane):
            for part, other in zip(lane.parts, without.parts, strict=True):
                place = (target.easting, target.northing)
                away = np.hypot(*np.moveaxis(part.position[..., :2] - place, -1, 0))
                away[~taking_part(part.processed)] = np.inf
                cell = np.unravel_index(np.nanargmin(away), away.shape)
                if not away[cell] <= NEAR:
                    continue
                both = [
                    echo_patches(p.processed, [cell[0]], [cell[1]], form).ravel()
                    for p in (part, other)
                ]
                own = (both[0] - both[1]).astype(float)
                template = inverse[k % 2] @ own
                level = beside @ template
                near = np.where(away <= target.diameter / 2 + 0.15, part.best, -np.inf)
                found.append(
                    (
                        own @ template / level.std(),
                        np.nanmax(near) >= SETTINGS.radar.threshold,
                        np.quantile(level, 0.999) / level.std(),
                    )
                )
    table = np.array(found, float)
    return table[:, 0], table[:, 1] > 0, table[:, 2]


def main() -> int:
    """Sweep twice, compare, tell."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seed", type=int, default=2)
    seed = parser.parse_args().seed
    full, empty = swept(seed, with_targets=True), swept(seed, with_targets=False)
    sys.stdout.write(told(*standings(screened(full), screened(empty), full)))
    return 0


def told(height: np.ndarray, noticed: np.ndarray, rare: np.ndarray) -> str:
    """Return the figures in words."""
    lines = [f"SYNTHETIC: {len(height)} targets; one patch of ground in a thousand stands"]
    lines[0] += f" {np.median(rare):.1f} standard deviations high, median over templates"
    for name, chosen in (("noticed by energy", noticed), ("missed by energy", ~noticed)):
        steps = np.quantile(height[chosen], [0, 0.1, 0.25, 0.5, 0.75, 1])
        words = ", ".join(f"{value:.1f}" for value in steps)
        lines.append(f"{name}, {chosen.sum()}: least, 10, 25, 50, 75 %, greatest: {words}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
