"""The rows that are evaluated, checked: what lies at each, and what it belongs to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .._group_names import check_group_names
from .._validation import check_array, check_labels, check_shape
from ..sweep import Floats
from .tiers import RANDOM, TIERS


@dataclass(frozen=True, eq=False)
class Table:
    """Rows, what lies at each, and what it belongs to."""

    features: Floats
    labels: npt.NDArray[np.bool_]
    groups: dict[str, list[str]]
    emplacements: list[str]
    weights: Floats


def check_table(
    features: npt.ArrayLike,
    labels: npt.ArrayLike,
    groups: Mapping[str, Sequence[str]] | None,
    emplacements: Sequence[str] | None,
    weights: npt.ArrayLike | None,
) -> Table:
    """
    Return the rows if what they belong to is known well enough to hold it out.

    Parameters
    ----------
    features : (n_rows, n_features) array_like
        NaN where a feature is not known.
    labels : (n_rows,) array_like of bool
        True for mines.
    groups : mapping of str to sequence of str
        By tier, what each row belongs to: lanes, and those of another tier or more.
    emplacements : (n_rows,) sequence of str
        The mine that each row belongs to, empty for clutter.
    weights : (n_rows,) array_like, optional
        1 by default.

    Returns
    -------
    table : Table
        The same as arrays and words.

    Raises
    ------
    TypeError, ValueError
        As :func:`minesense.training.evaluate`.

    Examples
    --------
    >>> from minesense.training.evaluation_table import check_table
    >>> groups = {"lane": ["A", "B"], "soil": ["clay", "sand"]}
    >>> check_table([[0.1], [0.7]], [False, True], groups, ["", "mine 1"], None).weights
    array([1., 1.])
    """
    if groups is None or "lane" not in groups or len(groups) < 2:
        given = "None" if groups is None else ", ".join(groups) or "none"
        msg = (
            f"Invalid groups: {given}. Must hold 'lane' and another tier of "
            f"{', '.join(list(TIERS)[2:])}: places of a lane are alike."
        )
        raise ValueError(msg)
    y = check_labels(labels)
    x = check_shape(np.asarray(features, np.float64), "features", (len(y), "n_features"))
    if np.isinf(x).any():
        row = int(np.isinf(x).any(axis=1).argmax())
        msg = f"Invalid features: row {row} is infinite. Must be finite, or NaN if not known."
        raise ValueError(msg)
    known = {}
    for tier, names in groups.items():
        if tier not in TIERS or tier == RANDOM:
            msg = f"Invalid tier {tier!r}. Must be one of {', '.join(list(TIERS)[1:])}."
            raise ValueError(msg)
        known[tier] = check_group_names(
            names, f"groups of tier '{tier}'", of=tier.replace("_", " "), is_optional=True
        )
        needed = y if tier == "target_type" else np.ones(len(y), bool)
        if len(known[tier]) != len(y):
            n = len(known[tier])
            msg = f"Invalid groups of tier '{tier}': {n} names. Must be {len(y)}."
            raise ValueError(msg)
        used = [name for name, ok in zip(known[tier], needed, strict=True) if ok]
        if "" in used or len(set(used)) < 2:
            msg = (
                f"Invalid groups of tier '{tier}': {len(set(used) - {''})} names, "
                f"{used.count('')} rows without one. Must be two names or more, one a row."
            )
            raise ValueError(msg)
    if emplacements is None or len(emplacements) != len(y):
        given = "None" if emplacements is None else f"{len(emplacements)} names"
        msg = f"Invalid emplacements: {given}. Must be {len(y)} names, empty for clutter."
        raise ValueError(msg)
    owners = check_group_names(emplacements, "emplacements", of="emplacement", is_optional=True)
    wrong = [i for i, owner in enumerate(owners) if bool(owner) != bool(y[i])]
    if wrong:
        msg = (
            f"Invalid emplacements: row {wrong[0]}, {'a mine' if y[wrong[0]] else 'clutter'}, "
            f"has '{owners[wrong[0]]}'. Must be named for mines, empty for clutter."
        )
        raise ValueError(msg)
    weight = np.ones(len(y)) if weights is None else check_array(weights, "weights", (len(y),))
    return Table(features=x, labels=y, groups=known, emplacements=owners, weights=weight)
