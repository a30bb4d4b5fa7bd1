"""Figures that were published about assets, each with its source and what speaks against it."""

from __future__ import annotations

from dataclasses import dataclass

from .._validation import check_one_of
from .assets import KINDS, CountedTrials


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedFigure:
    """
    What was reported of an asset. Counts are given where the source counts.

    A figure of another trial is no Pd of a task: use the counts of its own blind seeds.
    """

    kind: str
    asset: str
    figure: str
    trials: CountedTrials | None  #: None where the source states no counts
    source: str
    caveat: str


_DOGS = "discovery.researcher.life, record 4e694684"
_REHEARSED = "a lane is no clearance: digging and second looks find more, fatigue finds less"

#: Figures by kind of asset. Shares without counts cannot become a law of the Pd.
PUBLISHED: tuple[PublishedFigure, ...] = (
    PublishedFigure(
        kind="manual",
        asset="metal detector in blind lanes",
        figure="0.50 to 0.70 of the targets",
        trials=None,
        source="Mueller and others (2004), Journal of Mine Action 8.2",
        caveat=_REHEARSED,
    ),
    PublishedFigure(
        kind="manual",
        asset="metal detector after 15 h of training modelled on experts",
        figure="0.94 overall, three times the control group",
        trials=None,
        source="Staszewski and Davison (2000)",
        caveat=_REHEARSED,
    ),
    PublishedFigure(
        kind="manual",
        asset="excavation",
        figure="none found",
        trials=None,
        source="none",
        caveat="says something only of the depth and area that were really dug",
    ),
    PublishedFigure(
        kind="sensor",
        asset="hand-held metal detector with radar",
        figure="96.5 % of the clutter rejected in live use in 2008",
        trials=None,
        source="The HALO Trust, self-reported",
        caveat="a rate of rejected clutter; no Pd in service is known",
    ),
    PublishedFigure(
        kind="sensor",
        asset="radar on a drone or cart, buried plastic",
        figure="18.2 % and 55.6 % on one seeded field",
        trials=None,
        source="preprints.org/manuscript/202605.0758",
        caveat="one field; a preprint",
    ),
    PublishedFigure(
        kind="dog",
        asset="mine detection dogs, 14 fields, 1.4 km2",
        figure="213 items among 290 indications, none missed in full manual follow-up",
        trials=CountedTrials(found=213, laid=213, source=_DOGS),
        source=_DOGS,
        caveat=(
            "selected dogs and sites; follow-up misses too; effects of day, wind and dog "
            "unverified; in one procedure dogs indicate and deminers decide"
        ),
    ),
    PublishedFigure(
        kind="mechanical",
        asset="flail, tiller or sifter",
        figure="no usable share found",
        trials=None,
        source="nolandmines.com; LMAC national standard 09.50 for the depth of 15 cm",
        caveat=(
            "follow-up is always needed; depends on depth, soil and class; moves items, by 0.5 "
            "to 5 m (unverified)"
        ),
    ),
)


def published_figures(kind: str) -> tuple[PublishedFigure, ...]:
    """
    Return what was published about one kind of asset.

    Parameters
    ----------
    kind : {"manual", "mechanical", "dog", "sensor"}
        Kind of asset.

    Returns
    -------
    figures : tuple of PublishedFigure
        Each with source and caveat.

    Raises
    ------
    ValueError
        If the kind is unknown.

    Examples
    --------
    >>> from minesense.evidence import published_figures
    >>> [row.figure for row in published_figures("mechanical")]
    ['no usable share found']
    """
    check_one_of(kind, "kind", KINDS)
    return tuple(row for row in PUBLISHED if row.kind == kind)
