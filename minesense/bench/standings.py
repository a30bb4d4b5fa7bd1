"""How entrants stand against each other: ranks, leaks, false alarms saved, over all tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..sweep import Floats
from .detection import finite, limits
from .outcomes import Outcomes, differences, draw_lanes, pool, readings

#: By what entrants are ranked: Pd averaged over false alarms from 0 to 1 per m2.
RANKED_BY = "pauc_1"

#: Share of resamples in which a figure may be undefined and still have limits.
MOST_UNDEFINED = 0.05


def rank(outcomes: Mapping[str, Outcomes], *, seed: int, n_resamples: int) -> dict[str, int]:
    """
    Return the ranks of entrants; those within the paired limits of the best share one.

    Parameters
    ----------
    outcomes : dict of Outcomes
        By entrant, on the same lanes and targets.
    seed : int
        Of the resamples.
    n_resamples : int
        How often lanes are drawn.

    Returns
    -------
    ranks : dict of int
        From 1 on.

    Examples
    --------
    >>> from minesense.bench.standings import rank
    >>> rank({}, seed=1, n_resamples=100)
    {}
    """
    order = sorted(outcomes, key=lambda n: (-readings(outcomes[n])[RANKED_BY][0], n))
    ranks: dict[str, int] = {}
    best = ""
    for place, name in enumerate(order, start=1):
        tied = (
            bool(best) and not _difference(outcomes[best], outcomes[name], seed, n_resamples)[1]
        )
        if not tied:
            best = name
        ranks[name] = ranks[best] if tied else place
    return ranks


def stand_together(
    parts: Mapping[str, Mapping[str, Outcomes]], *, seed: int, n_resamples: int
) -> dict[str, Any]:
    """
    Return track A over all tests: readings, ranks, whether the field leaks, what is saved.

    Parameters
    ----------
    parts : dict of dict of Outcomes
        By test, then by entrant. Entrants that any test lacks are left out.
    seed : int
        Of the resamples.
    n_resamples : int
        How often lanes are drawn.

    Returns
    -------
    standings : dict
        JSON-ready.

    Examples
    --------
    >>> from minesense.bench.standings import stand_together
    >>> stand_together({"lane_out": {}}, seed=1, n_resamples=100)["ranks"]
    {}
    """
    names = [n for n in next(iter(parts.values())) if all(n in part for part in parts.values())]
    whole = {name: pool([part[name] for part in parts.values()]) for name in names}
    drawn = {
        name: draw_lanes(
            item.n_lanes,
            item.target_lanes,
            rng=np.random.default_rng(seed),
            n_resamples=n_resamples,
        )
        for name, item in whole.items()
    }
    point = {name: readings(item) for name, item in whole.items()}
    samples = {name: readings(item, drawn[name]) for name, item in whole.items()}
    return {
        "readings": {
            name: {k: limits(float(point[name][k][0]), samples[name][k]) for k in point[name]}
            for name in whole
        },
        "ranks": rank(whole, seed=seed, n_resamples=n_resamples),
        "leak": _leak(whole, seed, n_resamples),
        "false_alarms_saved": _saved(point, samples),
    }


def _difference(
    first: Outcomes, second: Outcomes, seed: int, n_resamples: int
) -> tuple[dict[str, Any], bool]:
    """Return by how much the second exceeds the first, and whether beyond chance."""
    found = differences(
        first,
        second,
        rng=np.random.default_rng(seed),
        n_resamples=n_resamples,
        figures=(RANKED_BY,),
    )[RANKED_BY]
    entry = {k: finite(getattr(found, k)) for k in ("value", "low", "high")}
    return entry, found.is_beyond_chance


def _leak(whole: Mapping[str, Outcomes], seed: int, n_resamples: int) -> dict[str, Any] | None:
    """Return whether a model without samples beats chance: then the field leaks."""
    if not {"random", "dowsing"} <= set(whole):
        return None
    entry, beyond = _difference(whole["random"], whole["dowsing"], seed, n_resamples)
    return {**entry, "figure": RANKED_BY, "leaks": beyond and entry["value"] > 0}


def _saved(
    point: Mapping[str, Mapping[str, Floats]], samples: Mapping[str, Mapping[str, Floats]]
) -> dict[str, Any]:
    """Return the share of false alarms at Pd 0.9 that entrants save the metal detector."""
    base, result = "metal_detector", {}
    for name in point if base in point else ():
        if name == base:
            continue
        value, drawn = (
            _share_saved(found[name]["far_at_pd_0.9"], found[base]["far_at_pd_0.9"])
            for found in (point, samples)
        )
        n_undefined = int(np.isnan(drawn).sum())
        if np.isnan(value[0]) or n_undefined > MOST_UNDEFINED * len(drawn):
            # what is left would be the resamples in which the metal detector did well
            share = {"value": finite(float(value[0])), "low": None, "high": None}
        else:
            share = limits(float(value[0]), drawn)
        result[name] = {**share, "n_undefined": n_undefined, "n_resamples": len(drawn)}
    return result


def _share_saved(own: Floats, other: Floats) -> Floats:
    """Return the share saved; NaN where the other never gets there: none says how much."""
    with np.errstate(divide="ignore", invalid="ignore"):
        saved: Floats = np.where(np.isfinite(other), 1 - own / other, np.nan)
    return saved
