"""How often intervals of the mines that remain hold the truth, over SYNTHETIC fields."""

from __future__ import annotations

import numpy as np
from scipy.special import pdtr

from minesense.evidence import draw_intensity

from .fields import (
    CLASS,
    Site,
    finds_of,
    look,
    make_site,
    model_of,
    random_blocks,
    record_blocks,
    search_of,
)

#: How much was searched before the interval is stated.
SEARCHES = ("a third", "two thirds", "all", "recorded strips")


def searched(site: Site, how: str, rng: np.random.Generator) -> np.ndarray:
    """Return the cells that were searched."""
    if how == "recorded strips":
        return record_blocks(site)
    share = {"a third": 1 / 3, "two thirds": 2 / 3, "all": 1.01}[how]
    return random_blocks(site, share, rng)


def judge(seed: int, how: str, layout: str, *, n_draws: int = 300) -> dict[str, float]:
    """Return the truth of one field, the interval, and where in the law the truth lies."""
    site = make_site(seed, layout)
    rng = np.random.default_rng([seed, 11])
    mask = searched(site, how, rng)
    found = look(site, mask, rng)
    left = int(np.count_nonzero(~found))
    drawn = draw_intensity(
        model_of(site), CLASS, evidence=[search_of(site, mask)], finds=finds_of(site, found),
        rng=rng, n_draws=n_draws,
    )  # fmt: skip
    sums = (drawn.items * drawn.miss[:, 0]).sum(axis=1, dtype=float)
    below = float(pdtr(left - 1, sums).mean()) if left else 0.0
    upto = float(pdtr(left, sums).mean())
    # Central 90 %: the truth is inside unless 5 % or less lie at or beyond it.
    return {
        "left": left,
        "mean": float(sums.mean()),
        "inside": float(upto > 0.05 and below < 0.95),
        "under_bound": float(below < 0.95),
        "pit": below + float(rng.random()) * (upto - below),
        "found": float(found.sum()),
        "outside": site.share_outside,
        "sd": float(np.sqrt(sums.var() + sums.mean())),
    }


def run(
    layout: str, n_fields: int, first: int, *, n_draws: int = 200
) -> list[dict[str, float]]:
    """Return one result per field; the searches take turns."""
    results = []
    for k in range(n_fields):
        how = SEARCHES[k % len(SEARCHES)]
        results.append({"search": how, **judge(first + k, how, layout, n_draws=n_draws)})
    return results
