"""Thresholds read off a curve, which remember the targets that they were chosen on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .._validation import check_not_negative, check_number, check_positive
from ..alarm import Alarm
from ..coverage import Coverage
from ..truth import Target, Truth
from .curves import roc
from .halo import Halo


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """A threshold of the score, and the targets that it was chosen on."""

    value: float
    chosen_on: frozenset[tuple[str, float, float]]  #: identifier, easting, northing

    def has_seen(self, truth: Truth) -> bool:
        """Return whether it was chosen on any of these targets: then it proves nothing."""
        return not self.chosen_on.isdisjoint(map(_key, truth.targets))


def choose_threshold(
    alarms: Iterable[Alarm],
    truth: Truth,
    coverage: Coverage,
    *,
    pd: float | None = None,
    far: float | None = None,
    sensors: str = "any",
    halo: Halo | None = None,
) -> Threshold:
    """
    Return the threshold that reaches a Pd, or that keeps to a rate of false alarms.

    Parameters
    ----------
    alarms : iterable of Alarm
        On ground set apart for this choice.
    truth : Truth
        What is in that ground.
    coverage : Coverage
        What was observed of it.
    pd : float, optional
        Pd of swept targets to reach, above 0 and up to 1: the highest threshold that does.
    far : float, optional
        False alarms per m2 to keep to: the lowest threshold that does.
    sensors : str
        Whose observation counts: a kind of sensor, `"any"` or `"all"`.
    halo : Halo, optional
        How near an alarm must be; `Halo()` by default.

    Returns
    -------
    Threshold
        A score on any of the same targets is marked `is_tuned_on_test`, and makes no claim.

    Raises
    ------
    TypeError, ValueError
        As for :func:`roc`; if not exactly one of pd and far is given, or no threshold
        fulfils it.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.coverage import observe
    >>> from minesense.score import choose_threshold, score
    >>> from minesense.sensor import Sensor
    >>> from minesense.sweep import Sweep
    >>> northing = np.arange(0.0, 10.0, 0.05)
    >>> sweep = Sweep(
    ...     samples=np.zeros((200, 1, 1)),
    ...     time=northing,
    ...     position=np.column_stack([0 * northing, northing, 0 * northing]),
    ...     heading=0 * northing,
    ...     sensor=Sensor(name="demo", kind="emi", axis=[1e-5], lever_arms=[[0, 0, 0]]),
    ...     lane="A",
    ... )
    >>> coverage = observe([sweep], footprint=0.4)
    >>> mine = Target(
    ...     identifier="T1",
    ...     kind="disc",
    ...     is_target=True,
    ...     easting=0.0,
    ...     northing=3.0,
    ...     depth=0.05,
    ...     diameter=0.1,
    ...     metal_class="low",
    ... )
    >>> truth, nan = Truth(objects=(mine,)), float("nan")
    >>> place = {"lane": "A", "easting": 0.0, "position_error": 0.0, "depth": nan}
    >>> place |= {"time": nan, "probability": nan}
    >>> alarms = [
    ...     Alarm(identifier="a", northing=3.0, score=2.0, **place),
    ...     Alarm(identifier="b", northing=7.0, score=1.0, **place),
    ... ]
    >>> chosen = choose_threshold(alarms, truth, coverage, pd=1.0)
    >>> chosen.value
    2.0
    >>> score(alarms, truth, coverage, threshold=chosen).is_tuned_on_test
    True
    """
    if (pd is None) == (far is None):
        msg = f"Invalid pd {pd} and far {far}. Must be one of both."
        raise ValueError(msg)
    curve = roc(alarms, truth, coverage, sensors=sensors, halo=halo)
    if pd is not None:
        wanted = check_positive(pd, "pd")
        if wanted > 1:
            msg = f"Invalid pd '{wanted}'. Must be at most 1."
            raise ValueError(msg)
        # 0.9 of 10 targets is 9 of them, whatever 9 / 10 rounds to
        fits = [k for k, value in enumerate(curve.pd.tolist()) if value >= wanted - 1e-12]
        rule = f"no threshold reaches pd {wanted:g}"
    else:
        limit = check_not_negative(far, "far")
        fits = [k for k, value in enumerate(curve.far.tolist()) if value <= limit][::-1]
        rule = f"no threshold keeps to far {limit:g} per m2"
    if not fits:
        msg = f"Invalid alarms: {rule}. Must hold one that does."
        raise ValueError(msg)
    value = check_number(curve.thresholds[fits[0]], "threshold")
    return Threshold(value=value, chosen_on=frozenset(map(_key, truth.targets)))


def _key(target: Target) -> tuple[str, float, float]:
    """Return what a target is recognised by in another truth."""
    return target.identifier, float(target.easting), float(target.northing)
