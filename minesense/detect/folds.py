"""Folds that keep lanes, and whatever else belongs together, in one piece."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .._group_names import check_group_names
from .._validation import check_count


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fold:
    """Rows to train on, and rows of other lanes to test on."""

    train: npt.NDArray[np.int64]  #: indices of rows, rising
    test: npt.NDArray[np.int64]
    lanes: tuple[str, ...]  #: lanes of the test rows


def lane_folds(
    lanes: Sequence[str],
    *,
    n_folds: int | None = None,
    groups: Sequence[str] | None = None,
) -> list[Fold]:
    """
    Split rows into folds, whole lanes at a time.

    Parameters
    ----------
    lanes : (n_rows,) sequence of str
        Lane of every row.
    n_folds : int, optional
        Number of folds; one for every lane without it.
    groups : (n_rows,) sequence of str, optional
        What else must stay in one fold, for example the emplacement that a row belongs to;
        an empty word, None or NaN belongs to no group.

    Returns
    -------
    list of Fold
        Every row is tested in exactly one of them.

    Raises
    ------
    TypeError
        If n_folds is no whole number, lanes is one word, or names are neither all words nor
        all numbers.
    ValueError
        If there are fewer lanes than folds, fewer than two folds, rows and groups differ in
        number, a lane has no name (None, NaN and blanks are none), two names differ in
        blanks alone, or a group falls into two folds.

    Notes
    -----
    Lanes are dealt out from the one with the most rows down, each to the fold that has the
    fewest; equals go by name. Nothing is random. Numbers that are equal name one lane.

    Examples
    --------
    >>> [fold.lanes for fold in lane_folds(["A", "A", "B", "C"], n_folds=2)]
    [('A',), ('B', 'C')]
    """
    names = check_group_names(lanes, "lanes", of="lane")
    counts = {lane: names.count(lane) for lane in sorted(set(names))}
    n_folds = check_count(len(counts) if n_folds is None else n_folds, "n_folds", least=2)
    if len(counts) < n_folds:
        msg = (
            f"Invalid n_folds '{n_folds}'. Must be at most the number of lanes, {len(counts)}."
        )
        raise ValueError(msg)
    sizes = [0] * n_folds
    fold_of: dict[str, int] = {}
    for lane in sorted(counts, key=lambda lane: (-counts[lane], lane)):
        k = sizes.index(min(sizes))
        fold_of[lane] = k
        sizes[k] += counts[lane]
    fold = np.array([fold_of[lane] for lane in names], np.int64)
    if groups is not None:
        check_groups(groups, fold)
    return [
        Fold(
            train=np.flatnonzero(fold != k),
            test=np.flatnonzero(fold == k),
            lanes=tuple(lane for lane in counts if fold_of[lane] == k),
        )
        for k in range(n_folds)
    ]


def check_groups(groups: Sequence[str], fold: npt.ArrayLike) -> None:
    """
    Raise if a group has rows in two folds: its training rows would give away its tests.

    Parameters
    ----------
    groups : (n_rows,) sequence of str
        What must stay together; an empty word, None or NaN belongs to no group.
    fold : (n_rows,) array_like
        Number of the fold in which every row is tested.

    Raises
    ------
    TypeError, ValueError
        If a group falls into two folds, the lengths differ, or names are of mixed kinds,
        blank, or differ in blanks alone.

    Examples
    --------
    >>> from minesense.detect import check_groups
    >>> check_groups(["mine 1", "mine 1", ""], [0, 0, 1])
    >>> check_groups(["mine 1", "mine 1", ""], [0, 1, 1])
    Traceback (most recent call last):
    ValueError: Invalid groups: 'mine 1' has rows in folds 0 and 1, ...
    """
    numbers = np.ravel(np.asarray(fold)).tolist()
    names = check_group_names(groups, "groups", of="group", is_optional=True)
    if len(names) != len(numbers):
        msg = f"Invalid groups of {len(names)} rows. Must be one for each of {len(numbers)}."
        raise ValueError(msg)
    first: dict[str, int] = {}
    for row, (group, k) in enumerate(zip(names, numbers, strict=True)):
        if group and first.setdefault(group, k) != k:
            msg = (
                f"Invalid groups: '{group}' has rows in folds {first[group]} and {k}, the "
                f"first such row is {row}. Must lie in one fold: join its lanes."
            )
            raise ValueError(msg)
