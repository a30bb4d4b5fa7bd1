"""Targets by sort: metal, depth, kind, and what else the protocol tells them apart by."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from .intervals import clopper_pearson
from .matching import TargetOutcome
from .result import LEAST_TARGETS, Proportion, Stratum

#: Metal classes as they are reported.
METAL_GROUPS = {
    "high": "metal",
    "medium": "metal",
    "low": "low metal",
    "minimum": "low metal",
    "none": "no metal",
}
_DEPTHS = ((0.05, "0-5 cm"), (0.10, "5-10 cm"), (0.20, "10-20 cm"), (math.inf, ">20 cm"))

#: Stratum of targets that the protocol says nothing about.
UNSTATED = "unstated"


def proportion(targets: Iterable[TargetOutcome], confidence: float) -> Proportion:
    """Return the share of targets that were detected."""
    found = [target.outcome == "detected" for target in targets]
    interval = clopper_pearson(sum(found), len(found), confidence=confidence)
    return Proportion(k=sum(found), n=len(found), **interval._asdict())


def strata_of(
    targets: Iterable[TargetOutcome],
    confidence: float,
    labels: Mapping[str, Mapping[str, str]],
) -> tuple[Stratum, ...]:
    """Return the strata in order; every metal group is there, if only to show n = 0."""
    targets = list(targets)
    members: dict[tuple[str, str], list[TargetOutcome]] = {
        ("metal", name): [] for name in dict.fromkeys(METAL_GROUPS.values())
    }
    named = [_names(target, labels) for target in targets]
    bands = [name for _, name in _DEPTHS]
    for group in ("metal_class", "depth", "kind", *labels):
        names = {item[group] for item in named}
        order = bands if group == "depth" else sorted(names)
        members |= {(group, name): [] for name in order if name in names}
    for target, item in zip(targets, named, strict=True):
        for key in item.items():
            members[key].append(target)
    result = []
    for (group, name), group_targets in members.items():
        swept = proportion([t for t in group_targets if t.is_swept], confidence)
        result.append(
            Stratum(
                group=group,
                name=name,
                swept=swept,
                total=proportion(group_targets, confidence),
                claim=_claim(name, swept.n),
            )
        )
    return tuple(result)


def _claim(name: str, n: int) -> str:
    """Return why a stratum supports no claim, or nothing."""
    if name == UNSTATED:
        return "not stated: no claim"
    return f"n<{LEAST_TARGETS}: no claim" if n < LEAST_TARGETS else ""


def _names(target: TargetOutcome, labels: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Return the name of a target's stratum in every group."""
    depth = round(target.depth, 9)  # 0.1 + 0.2 cm is not below 0.3 cm
    return {
        "metal": METAL_GROUPS[target.metal_class],
        "metal_class": target.metal_class,
        "depth": next(name for limit, name in _DEPTHS if depth < limit),
        "kind": target.kind,
        **{
            group: next(
                (
                    names[key]
                    for key in (target.identifier, target.lane, target.kind)
                    if key in names
                ),
                UNSTATED,
            )
            for group, names in labels.items()
        },
    }
