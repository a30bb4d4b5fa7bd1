"""Known objects, and which of them a fitted dipole is most like."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .._validation import check_array, check_probability
from ..sweep import Floats
from .inversion import DipoleFit


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LibraryMatch:
    """What :func:`match_library` returns: entries, the most alike first."""

    names: tuple[str, ...]  #: of the library; none if the fit cannot be analysed
    likeness: Floats  #: (n,) between 0 and 1
    is_accepted: bool  #: whether the first is alike enough


def match_library(
    fit: DipoleFit,
    library: Mapping[str, npt.ArrayLike],
    *,
    weights: npt.ArrayLike | None = None,
    accept: float = 0.95,
) -> LibraryMatch:
    r"""
    Compare principal polarizabilities with those of known objects.

    Parameters
    ----------
    fit : DipoleFit
        Of the same head and gates as the library.
    library : mapping of str to (n_gates, 3) array_like
        Principal polarizabilities of each object, in the unit of the fit, in any order of
        the axes; none negative.
    weights : (3,) or (n_gates, 3) array_like, optional
        Of each logarithm; by default all the same, and together 1.
    accept : float
        Likeness from which the best counts as a match.

    Returns
    -------
    match : LibraryMatch
        All entries, the most alike first; no entry, and nothing accepted, if the fit's
        outcome is "cannot analyse".

    Raises
    ------
    TypeError, ValueError
        If `fit` is no DipoleFit, the library is empty, an entry has another shape or a
        negative value, weights are negative or all zero, or `accept` is out of range.

    Notes
    -----
    .. math:: m = \exp \Big( - \sum_{jk} w_{jk}
        \left| \ln L_{jk} - \ln L^{lib}_{jk} \right| \Big)

    where both are first raised to the standard error of :math:`L_{jk}`: what is zero or below
    the noise in both does not tell them apart, and what only one has counts by how far it
    stands above the noise.

    Examples
    --------
    >>> import dataclasses
    >>> import numpy as np
    >>> from minesense.emi import DipoleFit, match_library
    >>> names = [field.name for field in dataclasses.fields(DipoleFit)]
    >>> fit = DipoleFit(**dict.fromkeys(names, 0) | {
    ...     "outcome": "fitted",
    ...     "principal": np.array([[4.0, 1.0, 0.0]]),
    ...     "principal_error": np.full((1, 3), 0.1),
    ... })
    >>> match = match_library(fit, {"ball": [[2.0, 2.0, 2.0]], "rod": [[4.1, 1.0, 0.05]]})
    >>> match.names, match.likeness.round(2).tolist(), match.is_accepted
    (('rod', 'ball'), [0.99, 0.23], True)
    """
    if not isinstance(fit, DipoleFit):
        msg = f"Invalid fit of type {type(fit).__name__}. Must be a DipoleFit."
        raise TypeError(msg)
    accept = check_probability(accept, "accept")
    shape = fit.principal.shape
    entries = {}
    for name, values in library.items():
        entry = check_array(values, f"library entry '{name}'", shape)
        if (entry < 0).any():
            msg = f"Invalid library entry '{name}' with {entry.min():g}. Must not be negative."
            raise ValueError(msg)
        entries[name] = -np.sort(-entry, axis=1)
    if not entries:
        msg = "Invalid library. Must hold an object."
        raise ValueError(msg)
    shares = _check_weights(weights, shape)
    if fit.outcome != "fitted":
        return LibraryMatch(names=(), likeness=np.empty(0), is_accepted=False)
    floor = fit.principal_error
    seen = np.log(np.maximum(fit.principal, floor))
    likeness = {
        name: math.exp(-float((shares * np.abs(seen - np.log(np.maximum(x, floor)))).sum()))
        for name, x in entries.items()
    }
    names = sorted(likeness, key=lambda name: -likeness[name])
    return LibraryMatch(
        names=tuple(names),
        likeness=np.array([likeness[name] for name in names]),
        is_accepted=likeness[names[0]] >= accept,
    )


def _check_weights(weights: npt.ArrayLike | None, shape: tuple[int, ...]) -> Floats:
    """Return weights for every gate and axis."""
    if weights is None:
        return np.full(shape, 1 / math.prod(shape))
    given = check_array(weights, "weights", (3,) if np.ndim(weights) == 1 else shape)
    if (given < 0).any() or not given.any():
        msg = f"Invalid weights with {given.min():g}. Must not be negative, nor all zero."
        raise ValueError(msg)
    return np.broadcast_to(given, shape)
