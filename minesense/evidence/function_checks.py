"""
Function checks: does the instrument still answer to a test piece as it did?

A check says something about the time up to the next one. Data count only between a check that
passed and a next one that passed, too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from .._validation import check_not_negative, check_number, check_one_of
from ..sweep import Floats, Quality
from .reasons import Shortfall
from .site import Gates

Occasion = Literal["start", "break", "setting", "battery", "interim", "end"]
OCCASIONS: tuple[Occasion, ...] = ("start", "break", "setting", "battery", "interim", "end")


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionCheck:
    """
    One look at a test piece.

    A response or noise that was not measured is NaN, and fails.

    Raises
    ------
    TypeError, ValueError
        If time, depth or the baseline is not finite, a baseline is not greater than zero, or
        the occasion is unknown.
    """

    sensor: str  #: identifier
    session: str
    time: float  #: s, by the clock of the task
    occasion: Occasion
    test_piece: str
    medium: str  #: what the test piece lies in, for example "air" or "sand"
    depth: float  #: m
    response: float  #: in the unit of the sensor
    noise: float  #: background without the test piece, in the same unit
    baseline: float  #: response that was recorded as the reference
    baseline_noise: float  #: noise over the reference area
    clock: str = ""  #: of the stamp; the task's if empty
    by: str = ""  #: pseudonym of who made it

    def __post_init__(self) -> None:
        check_number(self.time, "time")
        check_not_negative(self.depth, "depth")
        check_one_of(self.occasion, "occasion", OCCASIONS)
        for name in ("baseline", "baseline_noise"):
            if check_number(getattr(self, name), name) <= 0:
                msg = f"Invalid {name} '{getattr(self, name)}'. Must be greater than zero."
                raise ValueError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedCheck:
    """A function check and what came of it."""

    check: FunctionCheck
    passed: bool
    why: str  #: in words, with the figures


@dataclass(frozen=True, slots=True, kw_only=True)
class InvalidInterval:
    """Time of a sensor whose data must not be used, as function checks tell."""

    sensor: str
    session: str
    start: float  #: s
    stop: float  #: s
    reason: str  #: CHECK_FAILED or CHECK_MISSING
    n_samples: int
