"""Estimate what may remain in a task, under its own assumptions and under other ones."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from .._validation import check_count, check_probability, check_rng
from ..sweep import Floats
from .assets import Evidence
from .learning import IntensityDraws, draw_intensity
from .remaining import (
    WITHOUT_RECORDS,
    Combination,
    Remaining,
    Residual,
    Scenario,
    summarise,
)
from .site_grid import Find, SiteGrid
from .site_model import ExposureLayer, SiteModel, background_from_incidents

_MOST_VALUES = 400_000_000  # of float32: 1.6 GB


def estimate_remaining(
    model: SiteModel,
    evidence: Sequence[Evidence],
    finds: Sequence[Find],
    *,
    rng: np.random.Generator,
    n_draws: int = 300,
    confidence: float = 0.95,
    variants: Mapping[str, SiteModel] | None = None,
    with_sensitivity: bool = True,
    is_synthetic: bool = False,
) -> Residual:
    """
    Estimate the items that may remain, by class, depth band and cell.

    Parameters
    ----------
    model : SiteModel
        The task and its priors.
    evidence : sequence of Evidence
        Searches, those that found nothing among them.
    finds : sequence of Find
        Items taken out.
    rng : numpy.random.Generator
        Source of chance: the same one gives the same figures.
    n_draws : int
        Posterior draws.
    confidence : float
        Of the one-sided bounds.
    variants : mapping of str to SiteModel, optional
        Other models of the same task to show beside it, for example those of
        :func:`exposure_variants`.
    with_sensitivity : bool
        Whether the estimate is repeated without the records, and with the background's prior
        mean times 0.1 and times 10.
    is_synthetic : bool
        Whether the finds are simulated; then every text says so.

    Returns
    -------
    residual : Residual
        Maps of expectation and bound, the headline, all three combinations, variants.

    Raises
    ------
    TypeError, ValueError
        If a record, search or find does not fit the task, or the draws need too much
        memory.

    Notes
    -----
    Given an intensity, found and missed items are independent Poisson counts: what remains
    in a cell has the expectation lambda A m, m being the probability that all searches
    miss. Machines that move items spread this expectation.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.evidence import (
    ...     Background, CountedTrials, Evidence, Find, SiteGrid, SiteModel, estimate_remaining,
    ... )
    >>> model = SiteModel(
    ...     grid=SiteGrid(origin=(0.0, 0.0), cell=2.0, shape=(10, 10)),
    ...     classes=("AP",), depth_bands=((0.0, 0.13),),
    ...     background={"AP": Background(mean=0.01)},
    ... )
    >>> seeds = CountedTrials(found=27, laid=30, source="blind seeds of this task")
    >>> look = Evidence(
    ...     source="team 3", kind="manual", family="metal detector",
    ...     footprint=np.ones((10, 10)), depth_bands=((0.0, 0.13),), classes=("AP",),
    ...     pd={("AP", 0): seeds}, provenance="task sheet 12", time="2026-03-02",
    ... )
    >>> finds = [Find(easting=3.0, northing=5.0, target_class="AP")]
    >>> left = estimate_remaining(
    ...     model, [look], finds, rng=np.random.default_rng(seed=1), with_sensitivity=False
    ... )
    >>> 0 < left.headline.mean < left.headline.upper, left.headline.none_remain < 1
    (True, True)
    """
    check_rng(rng)
    confidence = check_probability(confidence, "confidence")
    n_cells = int(np.count_nonzero(model.grid.wanted))
    n_values = check_count(n_draws, "n_draws", least=2) * n_cells
    n_values *= len(model.classes) * len(model.depth_bands)
    if n_values > _MOST_VALUES:
        msg = (
            f"Invalid n_draws '{n_draws}': {n_values} figures for {n_cells} cells. Must need "
            f"at most {_MOST_VALUES}: take fewer draws or larger cells."
        )
        raise ValueError(msg)
    seeds = iter(rng.spawn(3 + 3 + len(variants or {})))
    settings: dict[str, Any] = {"evidence": evidence, "finds": finds, "n_draws": n_draws}
    worst, parts = _draws(model, "worst", next(seeds), settings)
    combinations: dict[str, Remaining] = {"worst": summarise(worst, confidence)}
    others_of: tuple[Combination, ...] = ("independent", "best")
    for how in others_of:
        own = next(seeds)
        if len(evidence) < 2:  # nothing to join
            combinations[how] = combinations["worst"]
        else:
            combinations[how] = summarise(_draws(model, how, own, settings)[0], confidence)
    others: dict[str, tuple[str, SiteModel]] = {}
    if with_sensitivity:
        if model.records:
            others[WITHOUT_RECORDS] = (
                "no record and no visit is believed",
                dataclasses.replace(model, records=(), visits=()),
            )
        for factor in (0.1, 10.0):
            scaled = {name: law.times(factor) for name, law in model.background.items()}
            others[f"background times {factor:g}"] = (
                f"the background expected before the search is {factor:g} times as dense",
                dataclasses.replace(model, background=scaled),
            )
    for name, other in (variants or {}).items():
        laws = ", ".join(f"{k} {law.mean:.3g}" for k, law in other.background.items())
        others[name] = (f"stated by the user; background per m2: {laws}", other)
    results = [
        Scenario(
            name=name,
            assumption=words,
            remaining=summarise(_draws(other, "worst", next(seeds), settings)[0], confidence),
        )
        for name, (words, other) in others.items()
    ]
    accuracy = {}
    for name, law in parts[0].within.items():
        low, high = np.quantile(law, [0.05, 0.95])
        accuracy[name] = (float(law.mean()), float(low), float(high))
    area = model.grid.cell_area
    invalid = np.zeros(model.grid.shape, bool)
    for item in evidence:
        if item.invalid is not None:
            invalid |= np.asarray(item.invalid)
    return Residual(
        grid=model.grid,
        classes=model.classes,
        depth_bands=model.depth_bands,
        draws=worst,
        cells=np.flatnonzero(model.grid.wanted),
        confidence=confidence,
        combinations=combinations,
        scenarios=tuple(results),
        n_found=len(finds),
        assumptions=_assumptions(model, evidence),
        diagnostics=_diagnostics(worst, parts[0].chain),
        accuracy=accuracy,
        searched_area={
            f"{k + 1} {item.source}": float(item.footprint[model.grid.wanted].sum()) * area
            for k, item in enumerate(evidence)
        },
        invalid_area=float(np.count_nonzero(invalid & model.grid.wanted)) * area,
        is_synthetic=is_synthetic,
    )


def exposure_variants(
    model: SiteModel, *, incident_share: float, exposure: ExposureLayer | None, **options: float
) -> dict[str, SiteModel]:
    """
    Return models whose background rests on incidents, for three ratios of the exposures.

    Parameters
    ----------
    model : SiteModel
        The task, with records.
    incident_share : float
        Share of incidents outside all records.
    exposure : ExposureLayer or None
        None is refused: without exposure incidents say nothing of numbers.
    **options : float
        `expected_per_record` and `shape` of :func:`background_from_incidents`.

    Returns
    -------
    variants : dict of str to SiteModel
        For the ratio inside to outside times 0.1, 1 and 10. Classes share the background in
        proportion to the means they had.

    Raises
    ------
    TypeError, ValueError
        As for :func:`background_from_incidents`.

    Examples
    --------
    >>> from minesense.evidence import Background, SiteGrid, SiteModel, exposure_variants
    >>> model = SiteModel(
    ...     grid=SiteGrid(origin=(0.0, 0.0), cell=2.0, shape=(10, 10)),
    ...     classes=("AP",), depth_bands=((0.0, 0.13),),
    ...     background={"AP": Background(mean=0.01)},
    ... )
    >>> exposure_variants(model, incident_share=0.55, exposure=None)
    Traceback (most recent call last):
    ValueError: Invalid exposure None. Must be an ExposureLayer: without one, incidents ...
    """
    total = sum(model.background[name].mean for name in model.classes)
    result = {}
    for factor in (0.1, 1.0, 10.0):
        law = background_from_incidents(
            model.grid,
            model.records,
            incident_share=incident_share,
            exposure=exposure,
            ratio_factor=factor,
            **options,
        )
        shared = {
            name: law.times(model.background[name].mean / total) for name in model.classes
        }
        name = f"background from incidents, exposure inside to outside times {factor:g}"
        result[name] = dataclasses.replace(model, background=shared)
    return result


def spread_items(
    grid: SiteGrid, items: npt.ArrayLike, footprint: npt.ArrayLike, *, spread: float
) -> Floats:
    """
    Return expected items after a machine has moved those in its footprint.

    Parameters
    ----------
    grid : SiteGrid
        The task.
    items : (..., n_cells) array_like
        Expected items in cells of the task.
    footprint : (n_rows, n_columns) array_like
        Share of each cell that was worked.
    spread : float
        Standard deviation along each axis, in metres.

    Returns
    -------
    moved : (..., n_cells) ndarray
        With the same sum: items are not lost beyond the task.

    Raises
    ------
    ValueError
        If the footprint is of another shape.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.evidence import SiteGrid
    >>> from minesense.evidence.residual import spread_items
    >>> grid = SiteGrid(origin=(0.0, 0.0), cell=1.0, shape=(1, 5))
    >>> spread_items(grid, [0, 0, 1.0, 0, 0], np.ones((1, 5)), spread=0.5).round(2)
    array([0.  , 0.11, 0.79, 0.11, 0.  ])
    """
    from scipy.ndimage import gaussian_filter  # noqa: PLC0415 - SciPy is slow to import

    share = grid.check_layer(footprint, "footprint")
    values = np.asarray(items, dtype=np.float64)
    flat = values.reshape(-1, values.shape[-1])
    moved = np.empty_like(flat)
    layer = np.zeros(grid.shape)
    for d, row in enumerate(flat):
        layer[grid.wanted] = row * share[grid.wanted]
        blurred = gaussian_filter(layer, spread / grid.cell, mode="reflect")[grid.wanted]
        taken, put = row * share[grid.wanted], blurred.sum()
        # What would land beyond the task is laid back in it.
        moved[d] = row - taken + blurred * (taken.sum() / put if put > 0 else 1.0)
    return moved.reshape(values.shape)


def _draws(
    model: SiteModel, how: Combination, rng: np.random.Generator, settings: Mapping[str, Any]
) -> tuple[npt.NDArray[np.float32], list[IntensityDraws]]:
    """Return draws of the remaining items, (n_draws, n_classes, n_bands, n_cells)."""
    layers, parts = [], []
    for kind, name in enumerate(model.classes):
        drawn = draw_intensity(model, name, how=how, rng=rng, **settings)
        shares = model.depth_shares[kind][None, :, None].astype(np.float32)
        layers.append(drawn.items[:, None] * shares * drawn.miss)
        parts.append(drawn)
    left = np.stack(layers, axis=1)[: settings["n_draws"]]
    for item in settings["evidence"]:
        if item.spread > 0:
            left = spread_items(model.grid, left, item.footprint, spread=item.spread)
    return left.astype(np.float32), parts


def _diagnostics(
    draws: npt.NDArray[np.float32], chain: npt.NDArray[np.int64]
) -> dict[str, float]:
    """Return how far chains agree on the total: Gelman and Rubin's figure, near 1."""
    total = draws.sum(axis=(1, 2, 3), dtype=np.float64)
    chain = chain[: len(total)]
    logs = np.log(total)
    groups = [logs[chain == c] for c in np.unique(chain) if np.count_nonzero(chain == c) > 1]
    r_hat = float("nan")
    if len(groups) > 1:
        n = min(len(group) for group in groups)
        within = float(np.mean([group.var(ddof=1) for group in groups]))
        between = n * float(np.var([group.mean() for group in groups], ddof=1))
        if within > 0:
            r_hat = float(np.sqrt(((n - 1) / n * within + between / n) / within))
    return {"n_draws": float(len(total)), "n_chains": float(len(groups)), "r_hat": r_hat}


def _assumptions(model: SiteModel, evidence: Sequence[Evidence]) -> tuple[str, ...]:
    """Return what the estimate rests on, one line each."""
    prior = model.record_prior
    a, b = prior.accurate
    lines = [
        f"Background of {name}: {law.mean:.3g} items per m2 before the search, gamma shape "
        f"{law.shape:g} ({law.source})"
        for name, law in model.background.items()
        if name in model.classes
    ]
    lines += [
        f"Records: Beta({a:g}, {b:g}) for the share within tolerance, by source; "
        f"{len(model.records)} records, {len(model.visits)} visits",
        f"Up to {model.unrecorded.most} strips of each class that no record tells of",
        "Depth shares: "
        + "; ".join(
            f"{name} " + ", ".join(f"{x:g}" for x in row)
            for name, row in zip(model.classes, model.depth_shares, strict=True)
        ),
        f"At least {100 * model.floor:g} % of the items are missed by all searches together",
    ]
    lines += [
        f"Search by {item.source} ({item.family}): {100 * item.common_mode:g} % of the items "
        f"can never be found by the family; correlation of looks {item.correlation:g}"
        for item in evidence
    ]
    return tuple(lines)
