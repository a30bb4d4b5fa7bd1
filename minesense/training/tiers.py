"""Validation tiers: what is held out of training, and the folds that hold it out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from ..detect import check_groups

#: Tier of a random split, which only shows how much a leak would flatter.
RANDOM = "random"
#: What is held out in each tier.
TIERS: Mapping[str, str] = MappingProxyType(
    {
        RANDOM: "random places: demonstrates leakage only, supports no claim",
        "lane": "whole lanes: the least for any claim",
        "site": "whole sites: needed for any ranking",
        "soil": "whole soils: needed for any claim about soil",
        "target_type": "types of target, and the clutter of other lanes",
        "sensor": "whole sensors: transfer to another unit",
        "generator": "whole generators: what another origin of data gives",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Split:
    """Rows to train on and rows to test on, and what the test rows hold out."""

    train: npt.NDArray[np.int64]
    test: npt.NDArray[np.int64]
    fold: int  #: splits of one fold hold out the same `names`
    #: mines in lanes trained on that are left out for their type alone
    left_out: npt.NDArray[np.int64]
    names: tuple[str, ...]


def deal(names: Sequence[str], n_folds: int, rng: np.random.Generator) -> dict[str, int]:
    """
    Deal names to folds, whole, each to the fold that has the fewest rows so far.

    Parameters
    ----------
    names : sequence of str
        Of every row; an empty word is of no group and is not dealt.
    n_folds : int
        Number of folds, at most one for each name.
    rng : numpy.random.Generator
        Says in what order names are dealt: which share a fold differs from seed to seed.

    Returns
    -------
    fold_of : dict of int
        Fold by name.
    """
    found, counts = np.unique([name for name in names if name], return_counts=True)
    sizes = [0] * min(n_folds, len(found))
    fold_of = {}
    for k in rng.permutation(len(found)).tolist():
        fold = sizes.index(min(sizes))
        fold_of[str(found[k])] = fold
        sizes[fold] += int(counts[k])
    return fold_of


def tier_splits(
    tier: str,
    groups: Mapping[str, Sequence[str]],
    labels: npt.NDArray[np.bool_],
    emplacements: Sequence[str],
    *,
    n_folds: int,
    seed: int,
) -> list[Split]:
    """
    Return the splits of one tier.

    Parameters
    ----------
    tier : str
        Of `TIERS`.
    groups : mapping of str to (n,) sequence of str
        Name of what every row belongs to, by tier; `"lane"` is there.
    labels : (n,) bool array
        True for mines.
    emplacements : (n,) sequence of str
        Mine that each row lies on, empty for none.
    n_folds : int
        Greatest number of folds.
    seed : int
        Of the dealing.

    Returns
    -------
    list of Split
        Every row is tested once; in the tier of target types, clutter once for each fold
        of types.

    Raises
    ------
    ValueError
        If a lane, or the places of an emplacement, would fall into two folds.

    Notes
    -----
    Holding out a type of target does not hold out clutter, which has none; and a mine of a
    new type in a lane that was trained on is not quite new. So types and lanes are held
    out together: for each fold of types and each of lanes, mines of those types and
    clutter in those lanes are tested by what was trained on other types in other lanes.
    """
    rng = np.random.default_rng(seed)
    lanes = list(groups["lane"])
    if tier == RANDOM:
        fold = rng.permutation(len(lanes)) % n_folds
        return _splits(fold, [()] * n_folds)
    if tier == "target_type":
        return _type_splits(groups, labels, emplacements, n_folds=n_folds, rng=rng)
    fold_of = deal(groups[tier], n_folds, rng)
    fold = np.array([fold_of[name] for name in groups[tier]], np.int64)
    check_groups(emplacements, fold)
    check_groups(lanes, fold)
    return _splits(fold, _members(fold_of))


def _members(fold_of: Mapping[str, int]) -> list[tuple[str, ...]]:
    """Return the names in every fold."""
    return [
        tuple(sorted(name for name, k in fold_of.items() if k == fold))
        for fold in range(max(fold_of.values()) + 1)
    ]


def _splits(fold: npt.NDArray[np.int64], members: Sequence[tuple[str, ...]]) -> list[Split]:
    """Return one split for every fold."""
    return [
        Split(
            train=np.flatnonzero(fold != k),
            test=np.flatnonzero(fold == k),
            fold=k,
            left_out=np.empty(0, np.int64),
            names=names,
        )
        for k, names in enumerate(members)
    ]


def _type_splits(
    groups: Mapping[str, Sequence[str]],
    labels: npt.NDArray[np.bool_],
    emplacements: Sequence[str],
    *,
    n_folds: int,
    rng: np.random.Generator,
) -> list[Split]:
    """Return the splits that hold out types of target and lanes together."""
    types = [
        name if mine else "" for name, mine in zip(groups["target_type"], labels, strict=True)
    ]
    type_of, lane_of = deal(types, n_folds, rng), deal(groups["lane"], n_folds, rng)
    type_fold = np.array([type_of.get(name, -1) for name in types])
    lane_fold = np.array([lane_of[name] for name in groups["lane"]])
    check_groups(emplacements, lane_fold)
    check_groups(emplacements, type_fold)
    splits = []
    for k, names in enumerate(_members(type_of)):
        for j in range(max(lane_of.values()) + 1):
            test = (lane_fold == j) & ((type_fold == k) | ~labels)
            train = (lane_fold != j) & (type_fold != k)
            splits.append(
                Split(
                    train=np.flatnonzero(train),
                    test=np.flatnonzero(test),
                    fold=k,
                    left_out=np.flatnonzero((lane_fold != j) & (type_fold == k)),
                    names=names,
                )
            )
    return splits
