"""Several passes over the same ground: one mine counts once, and so does one false alarm."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from .._validation import check_positive, check_probability
from ..alarm import Alarm
from ..coverage import Coverage
from ..truth import Truth
from .figures import format_fixed
from .halo import Halo
from .intervals import Interval
from .matching import match
from .planner import design_effect
from .result import Proportion
from .strata import proportion


@dataclass(frozen=True, slots=True, kw_only=True)
class PassScore:
    """
    Detection pass by pass, the emplacement being the cluster.

    `pd_pass` is the share of opportunities, a swept emplacement in one pass, that were
    detected; `pd_any` the share of emplacements swept at least once that were detected
    at least once.
    """

    n_emplacements: int  #: swept in some pass
    n_opportunities: int
    n_detected: int
    passes_each: float  #: mean over opportunities of the passes of their emplacement
    correlation: float  #: between passes over one emplacement, 0 to 1; NaN if none repeats
    design_effect: float
    pd_pass: Interval
    pd_any: Proportion
    is_synthetic: bool

    def __str__(self) -> str:
        """Return the figures in words."""
        lines = ["SYNTHETIC"] if self.is_synthetic else []
        value, low, high = self.pd_pass
        lines += [
            f"{self.n_opportunities} opportunities at {self.n_emplacements} emplacements, "
            f"{self.passes_each:.3g} passes each",
            f"correlation of passes {self.correlation:.3g}, design effect 1 + (m - 1) rho = "
            f"{self.design_effect:.3g}",
            f"Pd of a pass {format_fixed(value)} [{format_fixed(low)} to {format_fixed(high)}]",
            f"Pd of all passes: {self.pd_any.k} of {self.pd_any.n} emplacements "
            f"[{format_fixed(self.pd_any.low)} to {format_fixed(self.pd_any.high)}]",
        ]
        return "\n".join(lines)


def merge_passes(passes: Mapping[str, Iterable[Alarm]], *, radius: float) -> list[Alarm]:
    """
    Return the alarms of several passes over the same ground, each place once.

    Parameters
    ----------
    passes : mapping of str to iterable of Alarm
        Alarms of every pass, by its name.
    radius : float
        Distance in metres within which alarms of different passes are one.

    Returns
    -------
    list of Alarm
        From the highest score down; of every place the alarm with the highest score,
        named ``pass/identifier``.

    Raises
    ------
    TypeError, ValueError
        If something is not an Alarm, a score is NaN, or radius is not greater than zero.

    Notes
    -----
    From the highest score down, an alarm joins the nearest one kept within the radius that
    holds none of its own pass, else it is kept. Two alarms of one pass stay two: that they
    are apart is what the detector said.

    Examples
    --------
    >>> from minesense.alarm import Alarm
    >>> from minesense.score import merge_passes
    >>> place = {"lane": "A", "time": 0.0, "northing": 0.0, "position_error": 0.02}
    >>> place |= {"depth": 0.05, "probability": 0.5}
    >>> first = [Alarm(identifier="a", easting=0.0, score=1.0, **place)]
    >>> back = [
    ...     Alarm(identifier="a", easting=0.1, score=2.0, **place),
    ...     Alarm(identifier="b", easting=3.0, score=0.5, **place),
    ... ]
    >>> [item.identifier for item in merge_passes({"out": first, "back": back}, radius=0.25)]
    ['back/a', 'back/b']
    """
    limit = check_positive(radius, "radius")
    everything: list[tuple[Alarm, str]] = []
    for name, alarms in passes.items():
        for alarm in alarms:
            if not isinstance(alarm, Alarm):
                msg = f"Invalid alarm of type {type(alarm).__name__}. Must be an Alarm."
                raise TypeError(msg)
            if math.isnan(alarm.score):
                msg = f"Invalid score 'nan' of alarm '{alarm.identifier}'. Must be a number."
                raise ValueError(msg)
            everything.append((alarm, name))
    everything.sort(key=lambda item: (-item[0].score, item[1], item[0].identifier))
    kept: list[Alarm] = []
    held: list[set[str]] = []
    places = np.empty((len(everything), 2))
    for alarm, name in everything:
        away = np.hypot(*(places[: len(kept)] - (alarm.easting, alarm.northing)).T)
        near = [
            (float(away[k]), k)
            for k in np.flatnonzero(away <= limit).tolist()
            if name not in held[k]
        ]
        if near:
            held[min(near)[1]].add(name)
            continue
        places[len(kept)] = alarm.easting, alarm.northing
        kept.append(dataclasses.replace(alarm, identifier=f"{name}/{alarm.identifier}"))
        held.append({name})
    return kept


def score_passes(
    passes: Mapping[str, tuple[Iterable[Alarm], Coverage]],
    truth: Truth,
    *,
    threshold: float | None = None,
    sensors: str = "any",
    halo: Halo | None = None,
    confidence: float = 0.95,
) -> PassScore:
    """
    Score every pass over the same emplacements, and what the passes say together.

    Parameters
    ----------
    passes : mapping of str to (iterable of Alarm, Coverage)
        Alarms and coverage of every pass alone, by its name.
    truth : Truth
        What is in the ground; an emplacement is an object of it.
    threshold : float, optional
        Lowest score of an alarm that counts; all count without it.
    sensors : str
        Whose observation counts: a kind of sensor, `"any"` or `"all"`.
    halo : Halo, optional
        How near an alarm must be; `Halo()` by default.
    confidence : float
        Of the limits.

    Returns
    -------
    score : PassScore
        Pd of a pass, with the design effect in its limits, and Pd of all passes.

    Raises
    ------
    TypeError, ValueError
        As for :func:`match`; if there is no pass, or no emplacement was swept.

    Notes
    -----
    The correlation is that of the analysis of variance of k clusters of sizes m_i among n
    opportunities, ``(B - W) / (B + (m0 - 1) W)``, B and W the mean squares between and
    within, ``m0 = (n - sum m_i^2 / n) / (k - 1)``, held between 0 and 1. The design effect
    is ``1 + (m - 1) rho`` with ``m = sum m_i^2 / n``. Where all opportunities end alike the
    correlation cannot be told, and is taken as 1. Limits are Clopper-Pearson's with n over
    the design effect trials.

    References
    ----------
    A. Donner (1986): A review of inference procedures for the intraclass correlation
    coefficient in the one-way random effects model. International Statistical Review 54,
    67-82. E. L. Korn, B. I. Graubard (1998): Confidence intervals for proportions with
    small expected number of positive counts estimated from survey data. Survey
    Methodology 24, 193-201.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.coverage import observe
    >>> from minesense.score import score_passes
    >>> from minesense.sensor import Sensor
    >>> from minesense.sweep import Sweep
    >>> from minesense.truth import Target
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
    >>> mine = {"kind": "disc", "is_target": True, "easting": 0.0, "depth": 0.05}
    >>> mine |= {"diameter": 0.1, "metal_class": "low"}
    >>> truth = Truth(
    ...     objects=(
    ...         Target(identifier="T1", northing=3.0, **mine),
    ...         Target(identifier="T2", northing=7.0, **mine),
    ...     )
    ... )
    >>> def alarm(northing):
    ...     place = {"lane": "A", "time": 0.0, "easting": 0.0, "position_error": 0.0}
    ...     place |= {"depth": 0.05, "probability": 0.5, "score": 1.0}
    ...     return Alarm(identifier="a", northing=northing, **place)
    >>> made = score_passes(
    ...     {"out": ([alarm(3.0)], coverage), "back": ([alarm(3.1)], coverage)}, truth
    ... )
    >>> made.n_opportunities, made.correlation, made.design_effect, made.pd_any.k
    (4, 1.0, 2.0, 1)
    """
    check_probability(confidence, "confidence")
    if not passes:
        msg = "Invalid passes: none. Must hold one or more."
        raise ValueError(msg)
    halo = Halo() if halo is None else halo
    found: dict[str, list[bool]] = {}
    outcomes = {}
    for alarms, coverage in passes.values():
        matching = match(
            alarms, truth, halo, coverage=coverage, sensors=sensors, threshold=threshold
        )
        for target in matching.targets:
            if target.is_swept:
                is_found = target.outcome == "detected"
                found.setdefault(target.identifier, []).append(is_found)
                if is_found or target.identifier not in outcomes:
                    outcomes[target.identifier] = target
    if not found:
        msg = "Invalid passes: no emplacement was swept in any. Must sweep some."
        raise ValueError(msg)
    sizes = np.array([len(item) for item in found.values()])
    hits = np.array([sum(item) for item in found.values()])
    n, k = int(sizes.sum()), int(hits.sum())
    rho = _correlation(sizes, hits)
    each = float((sizes**2).sum() / n)
    effect = design_effect(each, 0.0 if math.isnan(rho) else rho)
    return PassScore(
        n_emplacements=len(sizes),
        n_opportunities=n,
        n_detected=k,
        passes_each=each,
        correlation=rho,
        design_effect=effect,
        pd_pass=_effective(k / n, n / effect, confidence),
        pd_any=proportion(list(outcomes.values()), confidence),
        is_synthetic=truth.is_synthetic,
    )


def _correlation(sizes: np.ndarray, hits: np.ndarray) -> float:
    """Return the correlation within clusters of yes and no; NaN where none has two."""
    n, k = sizes.sum(), len(sizes)
    if n == k:
        return math.nan
    mean = hits.sum() / n
    if k < 2 or mean in (0.0, 1.0):
        return 1.0  # it cannot be told: the careful guess
    shares = hits / sizes
    between = float((sizes * (shares - mean) ** 2).sum()) / (k - 1)
    within = float((sizes * shares * (1 - shares)).sum()) / (n - k)
    m0 = (n - (sizes**2).sum() / n) / (k - 1)
    rho = (between - within) / (between + (m0 - 1) * within)
    return float(min(max(rho, 0.0), 1.0))


def _effective(share: float, n: float, confidence: float) -> Interval:
    """Return a share with Clopper-Pearson limits for a number of trials that is not whole."""
    from scipy.special import betaincinv  # noqa: PLC0415 - SciPy is slow to import

    k, doubt = share * n, (1 - confidence) / 2
    low = float(betaincinv(k, n - k + 1, doubt)) if share > 0 else 0.0
    high = float(betaincinv(k + 1, n - k, 1 - doubt)) if share < 1 else 1.0
    return Interval(share, low, high)
