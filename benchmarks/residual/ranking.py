"""Mines found per m2 searched by three orders of search on the same SYNTHETIC fields."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from minesense.evidence import RANDOM_SHARE, draw_intensity, next_units

from .fields import (
    BLOCK,
    CLASS,
    Site,
    finds_of,
    look,
    make_site,
    model_of,
    search_of,
)

#: Squares of 10 m by 10 m that are searched, of the hundred of a field, and in one round.
BUDGET = 30
ROUND = 5
ORDERS = ("joint", "sensor only", "map only", "lane by lane")


@dataclass(frozen=True)
class Outcome:
    """What one order found on one field."""

    found: int
    outside: int  # of these, farther than 10 m from every record
    n_mines: int
    n_outside: int


def blocks_of(layer: np.ndarray) -> np.ndarray:
    """Return the sum over each square."""
    n = layer.shape[0] // BLOCK
    return layer.reshape(n, BLOCK, n, BLOCK).sum(axis=(1, 3)).ravel()


def cells_of(units: np.ndarray, site: Site) -> np.ndarray:
    """Return the cells of some squares."""
    n = site.grid.shape[0] // BLOCK
    chosen = np.zeros(n * n, bool)
    chosen[units] = True
    return np.kron(chosen.reshape(n, n), np.ones((BLOCK, BLOCK))).astype(bool)


def recorded(site: Site) -> np.ndarray:
    """Return the items that the records claim for each square, as if they were true."""
    layer = np.zeros(site.grid.shape)
    for record in site.records:
        sin, cos = np.sin(record.heading), np.cos(record.heading)
        t = (np.arange(2000) + 0.5) / 2000 - 0.5
        v = (0.5 + 0.618033988749895 * np.arange(2000)) % 1.0 - 0.5
        e = record.easting + t * record.length * sin + v * record.width * cos
        n = record.northing + t * record.length * cos - v * record.width * sin
        inside = (e >= 0) & (e < site.grid.shape[1]) & (n >= 0) & (n < site.grid.shape[0])
        np.add.at(layer, (n[inside].astype(int), e[inside].astype(int)), record.number / 2000)
    return blocks_of(layer)


def search(site: Site, order: str, seed: int) -> Outcome:
    """Search a field in an order, learning from finds where the order can."""
    rng = np.random.default_rng([seed, 13])
    luck = np.random.default_rng([seed, 17])  # the same for every order
    will_find = look(site, np.ones(site.grid.shape, bool), luck)
    n_units = (site.grid.shape[0] // BLOCK) ** 2
    done = np.zeros(n_units, bool)
    row = (site.mines[:, 1] / (BLOCK * site.grid.cell)).astype(int)
    column = (site.mines[:, 0] / (BLOCK * site.grid.cell)).astype(int)
    unit_of = np.clip(row, 0, 9) * (site.grid.shape[1] // BLOCK) + np.clip(column, 0, 9)
    while done.sum() < BUDGET:
        found = will_find & done[unit_of]
        if order in ("joint", "sensor only"):
            mask = cells_of(np.flatnonzero(done), site)
            drawn = draw_intensity(
                model_of(site, with_records=order == "joint"), CLASS,
                evidence=[search_of(site, mask)], finds=finds_of(site, found), rng=rng,
                n_draws=120, n_chains=3, n_burn=150, n_thin=5,
            )  # fmt: skip
            layer = np.zeros(site.grid.shape)
            layer[site.grid.wanted] = (drawn.items * drawn.miss[:, 0]).mean(axis=0)
            worth = blocks_of(layer)
        elif order == "map only":
            worth = recorded(site)
        else:
            worth = -np.arange(n_units, dtype=float)  # along lanes, from one corner
        share = RANDOM_SHARE if order in ("joint", "sensor only") else 1e-9
        units, _ = next_units(worth, ROUND, rng=rng, done=done, random_share=share)
        done[units] = True
    found = will_find & done[unit_of]
    outside = np.array(
        [all(r.distance(*place) > 10.0 for r in site.records) for place in site.mines]
    )
    return Outcome(
        found=int(found.sum()), outside=int((found & outside).sum()),
        n_mines=len(site.mines), n_outside=int(outside.sum()),
    )  # fmt: skip


def compare(layout: str, n_fields: int, first: int) -> dict[str, list[Outcome]]:
    """Return outcomes of every order on the same fields."""
    results: dict[str, list[Outcome]] = {order: [] for order in ORDERS}
    for seed in range(first, first + n_fields):
        site = make_site(seed, layout)
        for order in ORDERS:
            results[order].append(search(site, order, seed))
    return results


def paired(
    results: dict[str, list[Outcome]], other: str, *, n_resamples: int = 4000
) -> tuple[float, float, float]:
    """Return how much more the joint order finds per m2 than another, with a 95 % interval."""
    area = BUDGET * BLOCK**2
    difference = np.array(
        [a.found - b.found for a, b in zip(results["joint"], results[other], strict=True)]
    )
    rng = np.random.default_rng(seed=1)
    means = rng.choice(difference, size=(n_resamples, len(difference))).mean(axis=1) / area
    low, high = np.quantile(means, [0.025, 0.975])
    return float(difference.mean() / area), float(low), float(high)
