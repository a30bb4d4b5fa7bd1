"""
Function checks: whether the instrument still answers to a test piece as it did.

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
from .gates import Gates
from .reasons import Shortfall

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
    reported_failed: bool = False  #: whether the device, or who made it, says that it failed

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
    n_samples: int  #: steps between neighbouring samples that were left out


def judge_check(check: FunctionCheck, gates: Gates) -> JudgedCheck:
    """
    Return whether a function check passed.

    Parameters
    ----------
    check : FunctionCheck
        What was measured.
    gates : Gates
        Of its sensor: how far the response may be off its baseline, and how many times the
        noise of the reference area the background may reach.

    Returns
    -------
    judged : JudgedCheck
        A response or noise that is not a number fails.

    Examples
    --------
    >>> from minesense.evidence import FunctionCheck, judge_check, read_site
    >>> gates = read_site("examples/site.toml").sensor[0].gates
    >>> check = FunctionCheck(
    ...     sensor="coil",
    ...     session="1",
    ...     time=0.0,
    ...     occasion="start",
    ...     test_piece="ring of 10 mm",
    ...     medium="sand",
    ...     depth=0.1,
    ...     response=70.0,
    ...     noise=1.0,
    ...     baseline=100.0,
    ...     baseline_noise=1.0,
    ... )
    >>> judge_check(check, gates).why
    'response 70 is 30 % off its baseline 100, limit 20 %'
    """
    tolerance, noisy = gates.check_tolerance.most, gates.noise.most
    off = abs(check.response - check.baseline) / check.baseline
    ratio = check.noise / check.baseline_noise
    wrong = ["reported as failed"] if check.reported_failed else []
    if not math.isfinite(check.response):
        wrong.append("response was not measured")
    elif off > tolerance * (1 + 1e-9):
        wrong.append(
            f"response {check.response:g} is {100 * off:.3g} % off its baseline "
            f"{check.baseline:g}, limit {100 * tolerance:.3g} %"
        )
    if not (math.isfinite(check.noise) and check.noise >= 0):
        wrong.append("noise was not measured")
    elif ratio > noisy * (1 + 1e-9):
        wrong.append(f"noise is {ratio:.3g} times that of the reference area, limit {noisy:g}")
    why = "; ".join(wrong) or f"response {100 * off:.3g} % off its baseline, noise {ratio:.3g}"
    return JudgedCheck(check=check, passed=not wrong, why=why)


class CheckLog:
    """
    Function checks of one session of a sensor, and what they say about moments of it.

    Between two checks data count if both passed, and if no break and no change of settings
    came after the first of them.
    """

    def __init__(self) -> None:
        self.judged: list[JudgedCheck] = []
        self._affected_from: list[float] = []
        self._checked_from: list[float] = []

    def add(self, judged: JudgedCheck) -> None:
        """Take in a check, later than all before."""
        if self.judged and judged.check.time <= self.judged[-1].check.time:
            msg = (
                f"Invalid time '{judged.check.time}' of a function check of session "
                f"'{judged.check.session}', sensor '{judged.check.sensor}'. Must be later than "
                f"{self.judged[-1].check.time}, that of the check before."
            )
            raise ValueError(msg)
        self.judged.append(judged)

    def add_event(self, *, affected_from: float, checked_from: float) -> None:
        """Take in that from one time on, data need a check that was made from another on."""
        self._affected_from.append(affected_from)
        self._checked_from.append(checked_from)

    def n_decided(self, times: Floats) -> int:
        """Return how many of increasing times lie before the last check."""
        last = self.judged[-1].check.time if self.judged else -math.inf
        return int(np.searchsorted(times, last, side="left"))

    def flags(self, times: Floats, *, missing: Shortfall) -> npt.NDArray[np.int64]:
        """
        Return what checks say of times: 0 where they passed, CHECK_FAILED, or CHECK_MISSING.

        `missing` stands where only the next check has not come.
        """
        check_times = np.array([item.check.time for item in self.judged])
        # In front of all checks, and behind them, there is none.
        passed = np.array([False, *(item.passed for item in self.judged), False])
        there = np.array([False, *(True for _ in self.judged), False])
        before = np.searchsorted(check_times, times, side="right")
        flags = np.zeros(len(times), np.int64)
        failed = (there[before] & ~passed[before]) | (there[before + 1] & ~passed[before + 1])
        event = np.searchsorted(np.array(self._affected_from), times, side="right")
        needed = np.array([-math.inf, *self._checked_from])[event]
        made = np.concatenate([[-math.inf], check_times])[before]
        flags[~there[before + 1]] |= int(missing)
        flags[~there[before] | (made < needed)] |= int(Shortfall.CHECK_MISSING)
        flags[failed] |= int(Quality.CHECK_FAILED)
        return flags
