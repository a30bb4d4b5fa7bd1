"""SYNTHETIC fields with wrong records, a partial search of them, and the model to judge."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from minesense.evidence import (
    Background,
    CountedTrials,
    Evidence,
    Find,
    SiteGrid,
    SiteModel,
    UncertainRecord,
)
from minesense.minefield_records import MinefieldRecord
from minesense.synthetic import field, scenario

CLASS = "AP"
BANDS = ((0.0, 0.5),)
SIDE = 100.0  # m
CELL = 1.0  # m
BLOCK = 10  # cells, side of the squares in which people search
COMMON_MODE = 0.05
SEEDS_LAID = 60
#: Range from which each field's true Pd is drawn; the model knows counted seeds alone.
PD_RANGE = (0.6, 0.9)
#: Mines per m2 that the model expects outside records: the truth is 0.002 where rows are, but
#: most mines outside records lie in rows of which no record tells.
BACKGROUND = 0.002

LAYOUTS = {
    "rows": {},
    "clusters": {
        "layout": {
            "kind": "clusters", "density": 0.0015, "cluster_size": 8.0, "spread": 4.0,
            "background": 0.002,
        }
    },
    "scattered": {"layout": {"kind": "random", "density": 0.008}},
}  # fmt: skip


@dataclass(frozen=True)
class Site:
    """One field: where its mines are, what is on paper, and how well a search sees."""

    grid: SiteGrid
    mines: np.ndarray  # (n, 2) easting and northing, m
    records: tuple[MinefieldRecord, ...]
    share_outside: float  # of the mines, farther than 10 m from all records
    pd: float  # true, common-mode share included
    hidden: np.ndarray  # (n,) mines that no look of the family finds
    seeds_found: int


def make_site(seed: int, layout: str = "rows") -> Site:
    """Return a site of 100 m by 100 m after the preset of unreliable records."""
    lanes = {"blind": 10, "length": SIDE, "width": SIDE / 10, "gap": 0.0}
    options = LAYOUTS[layout]
    recipe = scenario("unreliable_records", lanes=lanes)
    if options:
        # another kind of layout replaces the table, whose keys differ
        other = scenario("farmland", lanes=lanes, **options).layout
        recipe = dataclasses.replace(recipe, layout=other)
    made = field(recipe, seed=seed)
    mines = np.array([(mine.easting, mine.northing) for mine in made.mines()]).reshape(-1, 2)
    rng = np.random.default_rng([seed, 7])
    pd = float(rng.uniform(*PD_RANGE))
    outside = [all(r.distance(*place) > 10.0 for r in made.records) for place in mines]
    return Site(
        grid=SiteGrid(origin=(0.0, 0.0), cell=CELL, shape=(int(SIDE), int(SIDE))),
        mines=mines,
        records=made.records,
        share_outside=float(np.mean(outside)) if len(mines) else float("nan"),
        pd=pd,
        hidden=rng.random(len(mines)) < COMMON_MODE,
        seeds_found=int(rng.binomial(SEEDS_LAID, pd)),
    )


def look(site: Site, mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return which mines a search of some cells finds."""
    row = np.clip((site.mines[:, 1] / CELL).astype(int), 0, site.grid.shape[0] - 1)
    column = np.clip((site.mines[:, 0] / CELL).astype(int), 0, site.grid.shape[1] - 1)
    chance = min(1.0, site.pd / (1 - COMMON_MODE))
    return mask[row, column] & ~site.hidden & (rng.random(len(site.mines)) < chance)


def model_of(site: Site, *, with_records: bool = True) -> SiteModel:
    """Return the model: nothing in it comes from the truth."""
    records = tuple(
        UncertainRecord(record=record, target_class=CLASS, source="archive")
        for record in site.records
    )
    return SiteModel(
        grid=site.grid,
        classes=(CLASS,),
        depth_bands=BANDS,
        background={CLASS: Background(mean=BACKGROUND)},
        records=records if with_records else (),
    )


def search_of(site: Site, mask: np.ndarray) -> Evidence:
    """Return a search of some cells as evidence: its Pd from counted seeds."""
    counted = CountedTrials(
        found=site.seeds_found, laid=SEEDS_LAID, source="SYNTHETIC blind seeds"
    )
    return Evidence(
        source="SYNTHETIC search",
        kind="sensor",
        family="metal detector",
        footprint=mask.astype(float),
        depth_bands=BANDS,
        classes=(CLASS,),
        pd={(CLASS, 0): counted},
        provenance="simulated",
        time="2026-01-01",
        common_mode=COMMON_MODE,
    )


def finds_of(site: Site, found: np.ndarray) -> list[Find]:
    """Return the mines found."""
    return [Find(easting=e, northing=n, target_class=CLASS) for e, n in site.mines[found]]


def random_blocks(site: Site, share: float, rng: np.random.Generator) -> np.ndarray:
    """Return cells of squares searched, each with a probability."""
    n = site.grid.shape[0] // BLOCK
    return np.kron(rng.random((n, n)) < share, np.ones((BLOCK, BLOCK))).astype(bool)


def record_blocks(site: Site) -> np.ndarray:
    """Return the cells of squares that a recorded strip touches, and one at random."""
    east, north = site.grid.centres()
    near = np.zeros(site.grid.shape, bool)
    for record in site.records:
        along = np.array([np.sin(record.heading), np.cos(record.heading)])
        for t in np.arange(-record.length / 2, record.length / 2 + 0.5, 0.5):
            e, n = np.array([record.easting, record.northing]) + t * along
            near |= (np.abs(east - e) < record.width / 2 + 1) & (
                np.abs(north - n) < record.width / 2 + 1
            )
    n = site.grid.shape[0] // BLOCK
    blocks = near.reshape(n, BLOCK, n, BLOCK).any(axis=(1, 3))
    return np.kron(blocks, np.ones((BLOCK, BLOCK))).astype(bool)
