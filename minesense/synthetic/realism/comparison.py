"""Figures of a recording beside those of simulated stretches, with a plain word for each."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from .figures import Figure
from .missing import Missing, told
from .patches import Patches, TwoSample, tell_apart
from .section import SLICES
from .statistics import RadarStatistics
from .tails import AmplitudeLaw, ks_distance

Word = Literal["like", "differs", "cannot be compared"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One figure of a recording beside those of SYNTHETIC stretches."""

    figure: Figure  #: of the recording
    synthetic: float | Missing  #: median of the stretches
    lowest: float | Missing
    highest: float | Missing
    ratio: float | Missing  #: recording over SYNTHETIC, where that means something
    word: Word
    why: str  #: the reason, where they cannot be compared


def compare(
    recorded: Sequence[Figure],
    stretches: Sequence[Sequence[Figure]],
    *,
    withheld: Mapping[str, str] | None = None,
) -> list[Comparison]:
    r"""
    Put the figures of a recording beside those of simulated stretches.

    Parameters
    ----------
    recorded : sequence of Figure
        Of the recording.
    stretches : sequence of sequence of Figure
        Of SYNTHETIC stretches of one soil that differ in their chance alone.
    withheld : mapping of str to str, optional
        Keys of figures, or their beginnings up to a point, that must not be judged, and why.

    Returns
    -------
    rows : list of Comparison
        One for each figure of the recording.

    Raises
    ------
    ValueError
        If there is no stretch, or the keys of one are not those of the recording.

    Notes
    -----
    A recording is like the stretches if its figure :math:`x` lies between their least
    :math:`a` and greatest :math:`b` or no farther away than the tolerance of the figure:
    :math:`a - d \le x \le b + d` by difference, and :math:`a / f \le x \le b f` by ratio,
    by which figures of opposite sign differ. Stretches in which a figure is missing are left
    out; if it is missing in half of them or more, it cannot be compared.

    Examples
    --------
    >>> from minesense.synthetic.realism import Figure, compare
    >>> one, other = (Figure(key="a", name="a", unit="", value=x) for x in (1.2, 1.0))
    >>> (row,) = compare([one], [[other]])
    >>> row.word, row.ratio
    ('like', 1.2)
    """
    if not stretches:
        msg = "Invalid stretches of length 0. Must hold at least one."
        raise ValueError(msg)
    keys = [figure.key for figure in recorded]
    for stretch in stretches:
        found = [figure.key for figure in stretch]
        if found != keys:
            msg = f"Invalid stretches with figures {found}. Must be those of recorded, {keys}."
            raise ValueError(msg)
    reasons = withheld or {}
    return [
        _row(figure, [stretch[k] for stretch in stretches], _reason(figure.key, reasons))
        for k, figure in enumerate(recorded)
    ]


def _reason(key: str, reasons: Mapping[str, str]) -> str:
    """Return why a figure must not be judged, or nothing."""
    return reasons.get(key) or reasons.get(key.partition(".")[0]) or reasons.get("") or ""


def _row(figure: Figure, others: Sequence[Figure], why: str) -> Comparison:
    """Return the comparison of one figure."""
    known = [x.value for x in others if not isinstance(x.value, Missing)]
    missing = next((x.value for x in others if isinstance(x.value, Missing)), None)
    if missing is not None and 2 * len(known) <= len(others):
        synthetic = lowest = highest = ratio = missing
        why = why or f"SYNTHETIC: {missing.why}"
        return Comparison(
            figure=figure,
            synthetic=synthetic,
            lowest=lowest,
            highest=highest,
            ratio=ratio,
            word="cannot be compared",
            why=why,
        )
    least, most, middle = min(known), max(known), float(np.median(known))
    value = figure.value
    if isinstance(value, Missing):
        why = why or f"recording: {value.why}"
        quotient: float | Missing = value
    elif figure.measure == "difference" or middle == 0 or value * middle < 0:
        quotient = Missing("no ratio of figures that may be zero or change their sign")
    else:
        quotient = value / middle
    word: Word = "cannot be compared"
    if not why and not isinstance(value, Missing):
        word = "like" if _is_like(value, least, most, figure) else "differs"
    return Comparison(
        figure=figure,
        synthetic=middle,
        lowest=least,
        highest=most,
        ratio=quotient,
        word=word,
        why=why,
    )


def _is_like(value: float, least: float, most: float, figure: Figure) -> bool:
    """Return whether a figure is as near to others as its tolerance asks."""
    if least <= value <= most:
        return True
    if figure.measure == "difference":
        return least - figure.tolerance <= value <= most + figure.tolerance
    nearest = least if value < least else most
    if value * nearest <= 0:
        return False
    return abs(math.log(value / nearest)) <= math.log(figure.tolerance) + 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class Between:
    """A measure of two sweeps together: recording against SYNTHETIC, and chance alone."""

    key: str
    name: str
    value: float | Missing  #: median over the stretches
    chance: float | Missing  #: greatest between two SYNTHETIC stretches
    word: Word
    why: str  #: the reason, where nothing can be said


def compare_pairs(
    recorded: RadarStatistics,
    stretches: Sequence[RadarStatistics],
    *,
    withheld: Mapping[str, str] | None = None,
) -> list[Between]:
    """
    Measure how far a recording is from simulated stretches, and these from each other.

    Parameters
    ----------
    recorded : RadarStatistics
        Of the recording.
    stretches : sequence of RadarStatistics
        Of SYNTHETIC stretches of one soil.
    withheld : mapping of str to str, optional
        As in :func:`compare`.

    Returns
    -------
    measures : list of Between
        The distance of Kolmogorov and Smirnov between the amplitudes of every slice, and the
        area under the ROC curve of two classifiers that tell patches of background apart, by
        the slices above the first that is withheld. A recording is like the stretches if it
        is no farther from them than they are from each other, or no farther than 0.05 for a
        distance and an area of 0.6 (assumptions).

    Examples
    --------
    >>> from minesense.synthetic import cart, field, scenario
    >>> from minesense.synthetic.realism import compare_pairs, radar_statistics
    >>> made = field(scenario("prepared", lanes={"length": 1.0, "run_in": 0.5}), seed=1)
    >>> sweeps = made.stream(cart(n_antennas=4, n_coils=1), lanes=made.training[:3])
    >>> one, *others = (radar_statistics(x) for x in sweeps if x.sensor.kind == "gpr")
    >>> compare_pairs(one, others)[1].name
    'distance of amplitude laws, 2.33-3.33 ns'
    """
    reasons = withheld or {}
    period = 1e9 * recorded.section.period
    pairs = list(itertools.pairwise(stretches))
    rows = []
    for k, limits in enumerate(SLICES):
        start, stop = (period * x for x in limits)
        key = f"slice_{k + 1}.ks"
        found = [_distance(recorded.laws[k], other.laws[k]) for other in stretches]
        among = [_distance(one.laws[k], other.laws[k]) for one, other in pairs]
        name = f"distance of amplitude laws, {start:.3g}-{stop:.3g} ns"
        rows.append(_between(key, name, found, among, 0.05, _reason(key, reasons)))
    deep = [k for k in range(len(SLICES)) if _reason(f"slice_{k + 1}", reasons)]
    n = min(deep, default=len(SLICES))
    areas = [_areas(recorded.patches, other.patches, n) for other in stretches]
    among_areas = [_areas(one.patches, other.patches, n) for one, other in pairs]
    for name in ("logistic", "trees"):
        words = {"logistic": "logistic regression", "trees": "boosted trees"}[name]
        found, among = (
            [x if isinstance(x, Missing) else float(getattr(x, name)) for x in both]
            for both in (areas, among_areas)
        )
        key = f"patches.{name}"
        title = f"AUC of telling patches apart, {words}"
        rows.append(_between(key, title, found, among, 0.6, _reason(key, reasons)))
    return rows


def _between(
    key: str,
    name: str,
    found: Sequence[float | Missing],
    among: Sequence[float | Missing],
    near: float,
    why: str,
) -> Between:
    """Return one measure of pairs."""
    known = [x for x in found if not isinstance(x, Missing)]
    chances = [x for x in among if not isinstance(x, Missing)]
    chance: float | Missing = (
        max(chances) if chances else Missing("no two stretches to compare")
    )
    reason = next((x for x in found if isinstance(x, Missing)), None)
    if not known:
        value: float | Missing = reason or Missing("no stretch to compare")
        why = why or (value.why if isinstance(value, Missing) else "")
    else:
        value = float(np.median(known))
    word: Word = "cannot be compared"
    if not why and not isinstance(value, Missing):
        word = "like" if value <= max([near, *chances]) else "differs"
    return Between(key=key, name=name, value=value, chance=chance, word=word, why=why)


def _distance(one: AmplitudeLaw | Missing, other: AmplitudeLaw | Missing) -> float | Missing:
    """Return the distance of two amplitude laws."""
    if isinstance(one, Missing):
        return Missing(f"recording: {one.why}")
    if isinstance(other, Missing):
        return Missing(f"SYNTHETIC: {other.why}")
    return ks_distance(one.amplitude, other.amplitude)


def _areas(
    one: Patches | Missing, other: Patches | Missing, n_slices: int
) -> TwoSample | Missing:
    """Return how well classifiers tell two sets of patches apart."""
    if not n_slices:
        return Missing("no slice of depth can be compared")
    if isinstance(one, Missing):
        return Missing(f"recording: {one.why}")
    if isinstance(other, Missing):
        return Missing(f"SYNTHETIC: {other.why}")
    if one.names != other.names:
        return Missing("the two records do not hold the same slices of depth")
    return told(tell_apart, one.above(n_slices), other.above(n_slices))
