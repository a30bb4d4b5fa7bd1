"""A check of simulated ground as what its picture shows."""

from __future__ import annotations

from ..report import RealismBlock, RealismLine
from ..synthetic.realism import CoilStatistics, Missing
from .check import Check, Compared
from .checkdocument import counts_of

_MOST = 4  # recordings in a picture


def blocks_of(check: Check) -> list[RealismBlock]:
    """
    Return the blocks of the picture of a check.

    Parameters
    ----------
    check : Check
        Of :func:`minesense.apps.check.check_realism`.

    Returns
    -------
    blocks : list of RealismBlock
        One for each kind of sensor of the scenario, and one for each of the first four
        recordings that could be compared. What says more than one word about recordings that
        could not is the table.
    """
    blocks = []
    for kind, words in (("gpr", "radar"), ("emi", "metal detector")):
        lines = [
            RealismLine(
                label=stretch.label,
                statistics=stretch.statistics,
                is_varied=stretch.has_clutter,
            )
            for stretch in check.stretches
            if stretch.kind == kind and not isinstance(stretch.statistics, Missing)
        ]
        if lines:
            title = f"{check.recipe.name}, seed {check.seed}, SYNTHETIC {words}, no targets"
            if not any(item.beside for item in check.compared):
                title += f": {check.verdict}"
            blocks.append(RealismBlock(title=title, lines=lines))
    compared = [item for item in check.compared if item.beside]
    return blocks + [_block(item) for item in compared[:_MOST]]


def _block(item: Compared) -> RealismBlock:
    """Return the block of one recording."""
    reference = item.reference
    lines = []
    if not isinstance(item.statistics, Missing):
        lines.append(
            RealismLine(label=reference.name, statistics=item.statistics, is_reference=True)
        )
    counts = []
    for beside in item.beside:
        for statistics in beside.statistics:
            label = f"SYNTHETIC {beside.soil}"
            lines.append(RealismLine(label=label, statistics=statistics))
        words = counts_of(beside)
        counts.append(f"{beside.soil}: {words['like']} like, {words['differs']} differ")
    what = "SYNTHETIC" if reference.is_synthetic else "recorded"
    title = f"{reference.name} ({what}) beside SYNTHETIC ground ({'; '.join(counts)})"
    kind = "metal detector" if isinstance(item.statistics, CoilStatistics) else "radar"
    return RealismBlock(title=f"{title}, {kind}", lines=lines)
