"""Learn where items may lie from what was found and what was not: posterior draws."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .._validation import check_count, check_one_of, check_rng
from ..sweep import Floats
from .assets import Evidence
from .combination import DrawnPd, combined_miss, pd_sets, search_patterns
from .records import STATES
from .remaining import Combination
from .site_grid import Find
from .site_model import SiteModel

#: Equally likely shapes of the gamma law by which patches of background differ.
PATCH_SHAPES = (0.15, 0.3, 0.6, 1.2, 2.5, 5.0, 20.0)
_N_POINTS = 192
_N_HEADINGS = 90
_NEAR = 60.0  # m, between finds whose direction is counted
_UNRECORDED = "unrecorded"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class IntensityDraws:
    """Draws of the items per cell of one class, and of what all searches miss of them."""

    items: npt.NDArray[np.float32]  #: (n_draws, n_cells) in cells of the task
    background: npt.NDArray[np.float32]  #: (n_draws, n_cells) the part outside records
    miss: npt.NDArray[np.float32]  #: (n_draws, n_bands, n_cells)
    strips: Floats  #: (n_draws, n_strips, 6) as in the kernel
    states: npt.NDArray[np.int64]  #: (n_draws, n_strips)
    names: tuple[str, ...]  #: of the strips: sheets of records, then "unrecorded"
    within: dict[str, Floats]  #: (n_draws,) share of WITHIN records, by source
    level: Floats  #: (n_draws,) background, items per m2
    chain: npt.NDArray[np.int64]  #: (n_draws,) which chain a draw is from


def draw_intensity(
    model: SiteModel,
    target_class: str,
    *,
    evidence: Sequence[Evidence] = (),
    finds: Sequence[Find] = (),
    rng: np.random.Generator,
    how: Combination = "worst",
    n_draws: int = 300,
    n_chains: int = 4,
    n_burn: int = 400,
    n_thin: int = 10,
) -> IntensityDraws:
    r"""
    Draw the items per cell of one class from their law, given finds and searches.

    Parameters
    ----------
    model : SiteModel
        The task and its priors.
    target_class : str
        Of the model.
    evidence : sequence of Evidence
        Searches.
    finds : sequence of Find
        Items taken out; those of other classes are left out here.
    rng : numpy.random.Generator
        Source of chance.
    how : {"worst", "independent", "best"}
        How the misses of several searches are joined.
    n_draws, n_chains : int
        Draws kept, and chains that they are from.
    n_burn, n_thin : int
        Sweeps of a chain that are left out, and from one draw to the next.

    Returns
    -------
    draws : IntensityDraws
        Equally likely.

    Raises
    ------
    TypeError, ValueError
        If the class is unknown, a find lies beyond the task or is of another class or
        coordinate system, or a count is too small.

    Notes
    -----
    Items are a Poisson process with intensity :math:`\lambda = \lambda_{bg} + \sum_m w_m`.
    A record's strip :math:`w_m` is in one of the states of :data:`STATES`, each with a law
    of place, heading, length and number; the shares of the states are learnt by source. The
    background has a gamma law, times a gamma factor of mean 1 for each patch. With finds
    :math:`x_j` and the probability to find :math:`s`, draws follow

    .. math:: \prod_j \lambda(x_j) s(x_j) \, \exp\left(-\int \lambda s\right)

    times the prior. Metropolis steps from the prior accept by the ratio of these weights;
    steps that move a strip onto a find, and small ones, let few draws do what weighting
    alone would need millions for. Strips no record tells of are drawn likewise.

    The background is part of every draw and larger than zero: a record adds to it.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.evidence import Background, SiteGrid, SiteModel
    >>> from minesense.evidence.learning import draw_intensity
    >>> model = SiteModel(
    ...     grid=SiteGrid(origin=(0.0, 0.0), cell=2.0, shape=(10, 10)),
    ...     classes=("AP",), depth_bands=((0.0, 0.13),),
    ...     background={"AP": Background(mean=0.001)},
    ... )
    >>> draws = draw_intensity(model, "AP", n_draws=20, rng=np.random.default_rng(seed=1))
    >>> draws.items.shape, bool((draws.items > 0).all())
    ((20, 100), True)
    """
    from .._kernels.strip_laws import add_strip  # noqa: PLC0415 - loads Numba
    from .._kernels.strips import sample_strips  # noqa: PLC0415

    check_one_of(target_class, "target_class", model.classes)
    rng = check_rng(rng)
    n_chains = check_count(n_chains, "n_chains")
    per_chain = -(-check_count(n_draws, "n_draws") // n_chains)
    grid, kind = model.grid, model.classes.index(target_class)
    patterns = search_patterns(grid, evidence)
    n_patterns = patterns.shares.shape[1]
    families = [item.family for item in evidence]
    drawn: DrawnPd = {}  # bands that rest on the same counts have the same Pd
    miss = np.stack(
        [
            combined_miss(
                pd_sets(evidence, target_class, band, rng=rng, drawn=drawn),
                patterns.shares,
                families,
                common_mode=[item.common_mode for item in evidence],
                correlation=[item.correlation for item in evidence],
                how=how,
                floor=model.floor,
            )
            for band in model.depth_bands
        ],
        axis=1,
    )  # (n_sets, n_bands, n_patterns)
    seen = np.einsum("z,pzk->pk", model.depth_shares[kind], 1 - miss)
    seen[:, 0] = 0.0
    places, cells_of, log_seen = _located(
        model, target_class, finds, patterns.pattern, miss, seen
    )
    patch_of, ground = _patches(model, patterns.pattern, n_patterns)
    rows, columns = cells_of[:, 0], cells_of[:, 1]
    relative = np.ascontiguousarray(model.relative[rows, columns])
    table = _strip_table(model, target_class)
    n_strips, n_sources = len(table.claims), len(table.sources)
    points, n_states = _points(_N_POINTS), len(STATES)
    headings = _heading_density(places)
    background = model.background[target_class]
    n_patches, n_finds = len(ground), len(places)
    kept = []
    for _ in range(n_chains):
        strips = table.claims.copy()
        strips[:, 5] = 0.0
        shares = table.concentration / table.concentration.sum(axis=1, keepdims=True)
        out_strips = np.zeros((per_chain, n_strips, 6))
        out_states = np.zeros((per_chain, n_strips), np.int64)
        out_patches = np.zeros((per_chain, n_patches))
        out_level = np.full(per_chain, background.mean * float(np.exp(rng.normal())))
        out_pd = np.zeros(per_chain, np.int64)
        out_shape = np.zeros(per_chain, np.int64)
        out_within = np.zeros((per_chain, n_sources))
        sample_strips(
            check_count(n_burn, "n_burn", least=0), check_count(n_thin, "n_thin"),
            table.claims, table.laws, table.source_of, table.fits, table.allowed,
            table.concentration, table.box, places,
            np.ascontiguousarray(patch_of[rows, columns]),
            relative, points, np.array(grid.origin, dtype=np.float64), float(grid.cell),
            patterns.pattern, seen, log_seen, ground, np.array(background.gamma),
            np.array(PATCH_SHAPES), headings, strips, np.zeros(n_strips, np.int64), shares,
            np.ones(n_patches), np.zeros(n_patches), np.zeros((n_strips, n_patterns)),
            np.zeros((n_strips, n_finds)), np.zeros(n_states), np.zeros((n_sources, n_states)),
            np.zeros(n_finds), np.zeros(n_finds), np.zeros(n_patches), np.zeros(n_states),
            np.zeros(len(PATCH_SHAPES)), np.zeros(len(seen)), np.zeros(6),
            np.zeros(n_patterns), np.zeros(n_finds), rng, out_strips, out_states, out_patches,
            out_level, out_pd, out_shape, out_within,
        )  # fmt: skip
        kept.append((out_strips, out_states, out_patches, out_level, out_pd, out_within))
    strips, states, patches, level, chosen, within = (
        np.concatenate([chain[k] for chain in kept]) for k in range(6)
    )
    wanted = grid.wanted
    flat = model.relative[wanted] * grid.cell_area
    base = (level[:, None] * patches[:, patch_of[wanted]] * flat).astype(np.float32)
    items = base.copy()
    fine, layer = _points(8 * _N_POINTS), np.zeros(grid.shape)
    for d in range(len(strips)):
        layer[:] = 0.0
        for m in np.flatnonzero(states[d]):
            add_strip(
                strips[d, m], fine, np.array(grid.origin, dtype=np.float64), float(grid.cell),
                1.0, layer,
            )  # fmt: skip
        items[d] += layer[wanted].astype(np.float32)
    return IntensityDraws(
        items=items,
        background=base,
        miss=miss[chosen][:, :, patterns.pattern[wanted]].astype(np.float32),
        strips=strips,
        states=states,
        names=table.names,
        within={name: within[:, s] for s, name in enumerate(table.sources) if s},
        level=level,
        chain=np.repeat(np.arange(n_chains), per_chain),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _StripTable:
    """Claims and laws of all strips, as the kernel takes them."""

    names: tuple[str, ...]
    claims: Floats
    laws: Floats
    sources: tuple[str, ...]  #: the first is that of unrecorded strips
    source_of: npt.NDArray[np.int64]
    fits: Floats
    allowed: Floats
    concentration: Floats
    box: Floats


def _strip_table(model: SiteModel, target_class: str) -> _StripTable:
    """Return the strips of records, then those that no record tells of."""
    prior, extra = model.record_prior, model.unrecorded
    # No record has an empty source, so that one is kept for strips of no record.
    sources = ("", *dict.fromkeys(item.source for item in model.records))
    east, west, south, north = model.grid.extent
    box = np.array([east, west, south, north], dtype=np.float64)
    length = extra.length or math.hypot(west - east, north - south) / 2
    n_states, n_others = len(STATES), max(1, len(model.classes) - 1)
    claims, laws, allowed, fits, source_of = [], [], [], [], []
    outcomes = {visit.sheet: visit.outcome for visit in model.visits}
    for item in model.records:
        paper = item.record
        scatter = max(prior.scatter, paper.width / math.sqrt(12))
        size = max(paper.length, 2 * prior.scatter)
        claims.append(
            [paper.easting, paper.northing, paper.heading, size, scatter, float(paper.number)]
        )
        laws.append(_record_laws(model, size))
        allowed.append(_allowed(outcomes.get(item.sheet)))
        # With one class alone there is no other that it could be of.
        wrong = item.wrong_class if len(model.classes) > 1 else 0.0
        fits.append(1 - wrong if item.target_class == target_class else wrong / n_others)
        source_of.append(sources.index(item.source))
    number, scatter = extra.number, extra.scatter
    own = [x.record for x in model.records if x.target_class == target_class]
    if own:
        # Strips that nobody recorded are taken to be of the size of those on paper.
        number = float(np.median([x.number for x in own]))
        length = max(5.0, float(np.median([x.length for x in own])))
        scatter = max(scatter, float(np.median([x.width for x in own])) / math.sqrt(12))
    for _ in range(extra.most):
        middle = [(box[0] + box[1]) / 2, (box[2] + box[3]) / 2]
        claims.append([*middle, 0.0, length, scatter, number])
        law = np.ones((n_states, 7))
        law[1] = (-1.0, -1.0, -1.0, 0.0, extra.length_spread, 0.0, extra.number_spread)
        laws.append(law)
        allowed.append([1.0, 1.0, 0.0, 0.0, 0.0, 0.0])
        fits.append(1.0)
        source_of.append(0)
    return _StripTable(
        names=(*(item.sheet for item in model.records), *[_UNRECORDED] * extra.most),
        claims=np.array(claims, dtype=np.float64).reshape(-1, 6),
        laws=np.array(laws, dtype=np.float64).reshape(-1, n_states, 7),
        sources=sources,
        source_of=np.array(source_of, dtype=np.int64),
        fits=np.array(fits, dtype=np.float64),
        allowed=np.array(allowed, dtype=np.float64).reshape(-1, n_states),
        concentration=_concentration(model, sources),
        box=box,
    )


def _record_laws(model: SiteModel, length: float) -> Floats:
    """Return the laws of a record's states; see the kernel for the columns."""
    p = model.record_prior
    good, number = p.good_spread, p.number_spread
    straight, same = p.good_turn, p.length_spread
    laws = np.ones((len(STATES), 7))
    laws[STATES.index("WITHIN")] = (good, good, straight, 0, same, 0, p.good_number_spread)
    laws[STATES.index("SHIFTED")] = (
        p.shifted_spread, p.shifted_spread, straight, 0, same, 0, number,
    )  # fmt: skip
    laws[STATES.index("FAR")] = (p.far_spread, p.far_spread, straight, 0, same, 0, number)
    laws[STATES.index("TURNED")] = (good, good, -1.0, 0, same, 0, number)
    # A part of a longer strip was recorded: twice as long in the median, off along it.
    longer, aside = math.log(2), max(good, length / 2)
    laws[STATES.index("PARTIAL")] = (aside, good, straight, longer, 0.5, longer, number)
    return laws


def _allowed(outcome: str | None) -> list[float]:
    """Return which states a record may have after a visit to it."""
    states = {
        None: STATES,
        "within": ("WITHIN",),
        "shifted": ("SHIFTED", "FAR", "TURNED", "PARTIAL"),
        "nothing": ("ABSENT", "FAR"),
    }[outcome]
    return [float(name in states) for name in STATES]


def _concentration(model: SiteModel, sources: Sequence[str]) -> Floats:
    """Return the Dirichlet laws of the states by source, after visits to other records."""
    a, b = model.record_prior.accurate
    shares = model.record_prior.shares
    prior = np.array([a if name == "WITHIN" else b * shares[name] for name in STATES])
    table = np.tile(prior, (len(sources), 1))
    present, absent = model.unrecorded.presence
    table[0] = 0.0
    table[0, :2] = absent, present
    own = {item.sheet for item in model.records}
    for visit in model.visits:
        if visit.sheet in own or visit.source not in sources:
            continue  # a record's own state counts, in every draw
        allowed = np.array(_allowed(visit.outcome)) * prior
        table[sources.index(visit.source)] += allowed / allowed.sum()
    return table


def _located(
    model: SiteModel,
    target_class: str,
    finds: Sequence[Find],
    pattern: npt.NDArray[np.int64],
    miss: Floats,
    seen: Floats,
) -> tuple[Floats, npt.NDArray[np.int64], Floats]:
    """Return places and cells of the finds of a class, and log P(found) by set of Pd."""
    kind = model.classes.index(target_class)
    places, cells, logs = [], [], []
    for k, find in enumerate(finds):
        check_one_of(find.target_class, f"target_class of find {k}", model.classes)
        model.grid.check_frame(find.crs, f"find {k}")
        cell = model.grid.index(find.easting, find.northing)
        if cell is None:
            msg = f"Invalid find {k}: it lies beyond the task. Must lie in one of its cells."
            raise ValueError(msg)
        if find.target_class != target_class:
            continue
        band = find.band(model.depth_bands)
        chance = seen[:, pattern[cell]]
        if band >= 0:
            chance = model.depth_shares[kind, band] * (1 - miss[:, band, pattern[cell]])
        # What no credited search could find was come upon by chance: it raises concern
        # there and says nothing of how well others search.
        by_chance = find.is_incidental or not (chance > 0).all()
        logs.append(np.zeros(len(seen)) if by_chance else np.log(chance))
        places.append((find.easting, find.northing))
        cells.append(cell)
    return (
        np.array(places, dtype=np.float64).reshape(-1, 2),
        np.array(cells, dtype=np.int64).reshape(-1, 2),
        np.ascontiguousarray(np.array(logs, dtype=np.float64).reshape(-1, len(seen)).T),
    )


def _patches(
    model: SiteModel, pattern: npt.NDArray[np.int64], n_patterns: int
) -> tuple[npt.NDArray[np.int64], Floats]:
    """Return the patch of each cell, and m2 times relative level by patch and pattern."""
    n_rows, n_columns = model.grid.shape
    size = max(1, round(model.patch / model.grid.cell))
    across = -(-n_columns // size)
    patch = (np.arange(n_rows)[:, None] // size) * across + np.arange(n_columns)[None] // size
    used, inverse = np.unique(patch[model.grid.wanted], return_inverse=True)
    patch_of = np.zeros((n_rows, n_columns), np.int64)
    patch_of[model.grid.wanted] = np.ravel(inverse)
    ground = np.zeros((len(used), n_patterns))
    chosen = model.grid.wanted
    weights = model.relative[chosen] * model.grid.cell_area
    np.add.at(ground, (patch_of[chosen], pattern[chosen]), weights)
    return patch_of, ground


def _points(n: int) -> Floats:
    """Return evenly spread places along (share of the length) and across (deviations)."""
    from scipy.special import ndtri  # noqa: PLC0415 - SciPy is slow to import

    k = np.arange(n)
    across = (0.5 + 0.618033988749895 * k) % 1.0  # the golden ratio spreads them evenly
    across = np.clip(across, 0.5 / n, 1 - 0.5 / n)
    return np.ascontiguousarray(np.column_stack([(k + 0.5) / n - 0.5, ndtri(across)]))


def _heading_density(places: Floats) -> Floats:
    """Return the density of headings between finds near each other, over half a turn."""
    density = np.ones(_N_HEADINGS)
    if len(places) > 1:
        i, j = np.triu_indices(len(places), 1)
        east, north = (places[i] - places[j]).T
        distance = np.hypot(east, north)
        near = (distance > 0.5) & (distance < _NEAR)
        heading = np.arctan2(east[near], north[near]) % math.pi
        bins = np.minimum((heading / math.pi * _N_HEADINGS).astype(int), _N_HEADINGS - 1)
        counts = np.bincount(bins, minlength=_N_HEADINGS).astype(np.float64)
        density = 0.3 + counts * _N_HEADINGS / max(1.0, counts.sum())
    return density / (density.sum() * math.pi / _N_HEADINGS)
