"""What the sensors of one mode say together: calibration, quality, targets held out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..coverage import Coverage
from ..detect import (
    KINDS,
    Calibration,
    Platt,
    TargetScores,
    expected_calibration_error,
    fit_calibration,
    fuse,
    lane_folds,
    probability,
)
from ..score import Halo, scored_ground
from ..sweep import Floats
from ..truth import Truth
from .held_out import held_out_targets
from .judges import calibrate_mode
from .places import Places

#: Coverage in which each mode is trained and scored.
SENSORS = {"gpr": "gpr", "emi": "emi", "both": "any"}


@dataclass(frozen=True, eq=False)
class Mode:
    """What the sensors of one mode say together of places in lanes they had not seen."""

    odds: Floats
    calibration: Platt  #: of the sum of ratios, to `odds`
    stated: Calibration  #: of `odds`, to those of the probability that is stated
    quality: dict[str, float]
    area: float  #: m^2 that false alarms are counted on
    is_false: npt.NDArray[np.bool_]  #: places that count as false alarms
    targets: TargetScores | None


def judge_mode(
    mode: str,
    places: Places,
    ratios: Mapping[str, Floats],
    priors: Mapping[str, float],
    truth: Truth,
    coverage: Coverage,
    halo: Halo,
) -> Mode:
    """
    Calibrate a mode, and say on what ground and which targets it is judged.

    Parameters
    ----------
    mode : str
        ``"both"`` or a kind of sensor.
    places : Places
        With labels.
    ratios : dict of (n,) float64 ndarray
        Log likelihood ratio of each place by kind of sensor, out of fold.
    priors : dict of float
        Share of mines by kind of sensor.
    truth : Truth
        What lies in the lanes.
    coverage : Coverage
        What was observed of them.
    halo : Halo
        What counts as the place of a target.

    Returns
    -------
    judged : Mode
        Of lanes that no classifier had seen.

    Raises
    ------
    ValueError
        If the mode noticed places in fewer than two lanes that count.

    Examples
    --------
    >>> judged = judge_mode("gpr", places, ratios, priors, *known)  # doctest: +SKIP
    """
    sensors = SENSORS[mode]
    total = fuse({kind: ratios[kind] for kind in (KINDS if mode == "both" else (mode,))})
    noticed = places.noticed(mode)
    use = places.keep & noticed & ~np.isnan(total)  # of some no sensor could tell
    n_lanes = len(set(places.lanes_of(use)))
    if n_lanes < 2:  # each is judged by a calibration that had not seen it
        msg = (
            f"Invalid sweeps: in mode '{mode}' places to calibrate on were noticed in "
            f"{n_lanes} lanes that count. Must be two or more."
        )
        raise ValueError(msg)
    labels, weights = places.labels[use], places.weights[use]
    calibration = calibrate_mode(mode, total[use], labels, weights, priors)
    odds = calibration.log_odds(total)
    stated = fit_calibration(odds[use], labels, weights=weights)
    return Mode(
        odds=odds,
        calibration=calibration,
        stated=stated,
        quality=_quality(mode, total[use], labels, weights, priors, places.lanes_of(use)),
        area=scored_ground(truth, coverage, halo=halo, sensors=sensors).scored,
        is_false=use & ~places.labels & places.seen(coverage, sensors),
        targets=held_out_targets(
            places.sites,
            odds,
            truth,
            coverage,
            halo=halo,
            sensors=sensors,
            use=places.counts & noticed,
        ),
    )


def _quality(
    mode: str,
    ratios: Floats,
    y: npt.NDArray[np.bool_],
    weights: Floats,
    priors: Mapping[str, float],
    lanes: Sequence[str],
) -> dict[str, float]:
    """
    Return how good probabilities are, for the card.

    Those of a lane come from calibrations that had not seen it: judged on what they were
    fitted to, steps look perfect.
    """
    p = np.full(len(y), np.nan)
    for fold in lane_folds(lanes, n_folds=min(5, len(set(lanes)))):
        known = fold.train
        if not 0 < y[known].sum() < len(known):
            continue
        first = calibrate_mode(mode, ratios[known], y[known], weights[known], priors)
        stated = fit_calibration(
            first.log_odds(ratios[known]), y[known], weights=weights[known]
        )
        p[fold.test] = probability(stated.log_odds(first.log_odds(ratios[fold.test])))
    p, y = p[np.isfinite(p)], y[np.isfinite(p)]
    return {
        "brier": round(float(np.mean((p - y) ** 2)), 6),
        "calibration_error": round(expected_calibration_error(p, y), 6),
        "n_mines": int(y.sum()),
        "n_others": int((~y).sum()),
    }
