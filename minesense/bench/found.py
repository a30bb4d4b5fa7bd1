"""What an entrant of the benchmark returns, and whether it can be judged."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .._validation import check_number
from ..alarm import Alarm
from ..coverage import Coverage
from ..score import match
from ..truth import Truth


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Found:
    """What an entrant returns; a :class:`minesense.detect.Detection` will do as well."""

    ranked: Sequence[Alarm]  #: every place that was noticed, so that a curve can be drawn
    threshold: float  #: of the score, set before the test was seen
    coverage: Coverage | None = None  #: ground that it claims to have observed


def check_found(found: Any) -> Any:
    """
    Return what an entrant found, if it can be judged.

    Parameters
    ----------
    found : Found or Detection
        What it returned.

    Returns
    -------
    found : Found or Detection
        The same.

    Raises
    ------
    TypeError
        If it has no sequence of `ranked` alarms, no `threshold`, or one of them or the
        coverage is of the wrong type.
    ValueError
        If the threshold or a score is not finite, a probability is neither NaN nor between
        0 and 1, or an alarm occurs twice, by its identifier or by its place and time.

    Examples
    --------
    >>> from minesense.bench.found import check_found
    >>> check_found([])
    Traceback (most recent call last):
    TypeError: Invalid result of type list. Must be a Found or a Detection.
    """
    if not hasattr(found, "ranked") or not hasattr(found, "threshold"):
        msg = f"Invalid result of type {type(found).__name__}. Must be a Found or a Detection."
        raise TypeError(msg)
    # What can be read once alone would be read here, and judged as no alarm at all.
    if not isinstance(found.ranked, Sequence) or isinstance(found.ranked, str):
        msg = f"Invalid ranked of type {type(found.ranked).__name__}. Must be a list of alarms."
        raise TypeError(msg)
    check_number(found.threshold, "threshold")
    coverage = getattr(found, "coverage", None)
    if not (coverage is None or isinstance(coverage, Coverage)):
        msg = (
            f"Invalid coverage of type {type(coverage).__name__}. Must be a Coverage, as "
            "minesense.coverage.observe returns it, or None."
        )
        raise TypeError(msg)
    for alarm in found.ranked:
        if not isinstance(alarm, Alarm):
            msg = f"Invalid ranked: one is of type {type(alarm).__name__}. Must be Alarms."
            raise TypeError(msg)
        name = f"of alarm '{alarm.identifier}'"
        check_number(alarm.score, f"score {name}")
        if not (math.isnan(alarm.probability) or 0 <= alarm.probability <= 1):
            msg = (
                f"Invalid probability '{alarm.probability}' {name}. Must lie between 0 and 1, "
                "or be NaN where none is stated."
            )
            raise ValueError(msg)
    match(found.ranked, Truth(objects=()))  # refuses what no score can be made of
    return found
