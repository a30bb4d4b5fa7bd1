"""What is handed to entrants: nothing that tells the seed, nothing that they can spoil."""

from __future__ import annotations

import copy
import dataclasses
import hashlib
from collections.abc import Sequence
from typing import Any

from ..sensor import Sensor
from ..sweep import Sweep
from .chance import Dowsing, RandomMarks
from .entrants import AlarmFile, Entrant, Trained

#: Entrants that are known to leave sweeps as they are.
_OWN = (Trained, AlarmFile, RandomMarks, Dowsing)

_ARRAYS = ("samples", "time", "position", "heading", "quality")


def entrant_seed(seed: int, commitment: str | None) -> int:
    """
    Return the seed that entrants are given for their own chance.

    Parameters
    ----------
    seed : int
        Of the fields.
    commitment : str or None
        Of a sealed seed.

    Returns
    -------
    seed : int
        That of the fields if it is public. Of a sealed one the fields can be made, and the
        truth of the tests with them: entrants get a number that is made from what was
        published instead, so that whoever has the secret makes the same run again.

    Examples
    --------
    >>> from minesense.bench.handed import entrant_seed
    >>> entrant_seed(3, None)
    3
    >>> entrant_seed(2**61, "c" * 64) == entrant_seed(2**61 + 1, "c" * 64)
    True
    """
    if commitment is None:
        return seed
    digest = hashlib.sha256(f"entrants of {commitment}".encode()).digest()
    return int.from_bytes(digest[:4], "big")


def handed_to(entrant: Entrant, sweeps: Sequence[Sweep]) -> Sequence[Sweep]:
    """
    Return sweeps as an entrant gets them.

    Parameters
    ----------
    entrant : Entrant
        Of the library or foreign.
    sweeps : sequence of Sweep
        That the entrants after it get, too.

    Returns
    -------
    sweeps : sequence of Sweep
        The same to the library's own; to others the same samples, which cannot be written:
        who filters in place would otherwise leave his residuals to those after him. Sensors
        are copies.

    Examples
    --------
    >>> handed_to(entrant, survey.sweeps)[0].samples.flags.writeable  # doctest: +SKIP
    False
    """
    if isinstance(entrant, _OWN):
        return sweeps
    copies: dict[int, Sensor] = {}
    for sweep in sweeps:
        if id(sweep.sensor) not in copies:
            copies[id(sweep.sensor)] = copy.deepcopy(sweep.sensor)
    return tuple(
        dataclasses.replace(
            sweep,
            sensor=copies[id(sweep.sensor)],
            **{name: _read_only(getattr(sweep, name)) for name in _ARRAYS},
        )
        for sweep in sweeps
    )


def _read_only(values: Any) -> Any:
    """Return a view of an array that cannot be written."""
    view = values.view()
    view.flags.writeable = False
    return view
