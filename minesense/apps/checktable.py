"""A check of simulated ground as text."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from ..synthetic.realism import Between, Comparison, Figure, Missing
from .check import Beside, Check, Compared, Stretch
from .checkdocument import counts_of
from .fieldfolder import SYNTHETIC

_WIDTH = 108
_KINDS = {"gpr": "radar", "emi": "metal detector"}


def table_of(check: Check) -> str:
    """
    Return what a check found as text.

    Parameters
    ----------
    check : Check
        Of :func:`minesense.apps.check.check_realism`.

    Returns
    -------
    text : str
        A table of the scenario's stretches for each kind of sensor; for each recording why it
        cannot be compared, or a table for each soil. Details are left to the JSON document.
    """
    parts = [f"{SYNTHETIC}\n{check.recipe.name}, seed {check.seed}: {check.verdict}."]
    for kind in _KINDS:
        stretches = [stretch for stretch in check.stretches if stretch.kind == kind]
        if stretches:
            parts.append(_stretches(kind, stretches))
    parts += [_compared(item) for item in check.compared]
    return "\n\n".join(parts)


def _stretches(kind: str, stretches: Sequence[Stretch]) -> str:
    """Return a table of the stretches of one kind of sensor."""
    lines = [f"SYNTHETIC ground without targets, {_KINDS[kind]}"]
    for stretch in stretches:
        if isinstance(stretch.statistics, Missing):
            lines.append(f"{stretch.label}: {stretch.statistics.why}")
    told = [stretch for stretch in stretches if stretch.figures]
    if told:
        rows = [["", *(stretch.label for stretch in told)]]
        for figures in zip(*(stretch.figures for stretch in told), strict=True):
            if not figures[0].is_detail:
                rows.append([_named(figures[0]), *(_number(x.value) for x in figures)])
        lines += _aligned(rows)
    return "\n".join(lines)


def _compared(item: Compared) -> str:
    """Return how one recording compares."""
    reference = item.reference
    data = "SYNTHETIC" if reference.is_synthetic else "recorded"
    head = f"{reference.name} ({data}, {len(reference.sweep)} traces)"
    lines = _wrapped(f"{head}: cannot be compared: {item.why}" if item.why else head)
    for note in reference.notes:
        lines += _wrapped(f"note: {note}", indent="  ")
    return "\n".join(lines + [line for beside in item.beside for line in _beside(beside)])


def _beside(beside: Beside) -> list[str]:
    """Return a table of one recording beside stretches of one soil."""
    counts = ", ".join(f"{word} {count}" for word, count in counts_of(beside).items())
    reasons: list[str] = []
    rows = [["", "reference", "SYNTHETIC (least to most)", "ratio", ""]]
    for row in beside.rows:
        if not row.figure.is_detail:
            rows.append(_row(row, reasons))
    rows += [_pair(pair, reasons) for pair in beside.pairs]
    lines = [
        "",
        f"beside {len(beside.statistics)} SYNTHETIC stretches of {beside.soil}: {counts}",
    ]
    lines += _aligned(rows)
    for k, reason in enumerate(reasons):
        lines += _wrapped(f"[{k + 1}] {reason}")
    return lines


def _row(row: Comparison, reasons: list[str]) -> list[str]:
    """Return the cells of one figure."""
    extent = "-"
    if not isinstance(row.synthetic, Missing):
        least, most = _number(row.lowest), _number(row.highest)
        extent = f"{_number(row.synthetic)} ({least} to {most})"
    word = _word(row.word, row.why, reasons)
    ratio = "" if isinstance(row.ratio, Missing) else _number(row.ratio)
    return [_named(row.figure), _number(row.figure.value), extent, ratio, word]


def _pair(pair: Between, reasons: list[str]) -> list[str]:
    """Return the cells of one measure of two sweeps together."""
    chance = "-" if isinstance(pair.chance, Missing) else f"{_number(pair.chance)} among them"
    word = _word(pair.word, pair.why, reasons)
    return [pair.name, _number(pair.value), chance, "", word]


def _word(word: str, why: str, reasons: list[str]) -> str:
    """Return a word with the number of its reason, which is added to those before."""
    if not why:
        return word
    if why not in reasons:
        reasons.append(why)
    return f"{word} [{reasons.index(why) + 1}]"


def _named(figure: Figure) -> str:
    """Return the name of a figure with its unit."""
    return f"{figure.name} ({figure.unit})" if figure.unit else figure.name


def _number(value: float | Missing) -> str:
    """Return a number with three digits, or a dash."""
    return "-" if isinstance(value, Missing) else f"{value:.3g}"


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows as lines, names to the left, figures to the right, words to the left."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines = []
    for name, *cells in rows:
        padded = [cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=True)]
        if rows[0][-1] == "":
            padded[-1] = cells[-1]
        lines.append("  ".join([name.ljust(widths[0]), *padded]).rstrip())
    return lines


def _wrapped(text: str, indent: str = "") -> list[str]:
    """Return text as lines."""
    return textwrap.wrap(text, _WIDTH, initial_indent=indent, subsequent_indent=indent + "  ")
