"""The annex of a task as one HTML file that stands alone and prints to A4."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from ..evidence.annex import NOTHING, STATUS, TITLES, Annex, AnnexSection
from . import _page as page
from ._page import Raw

_STYLE = """
.status { border: 1px solid #1a1a1a; padding: 8px 14px; max-width: none; font-weight: 600; }
.level { letter-spacing: 0.08em; font-weight: 700; color: #8c1d18; }
nav ol { columns: 2; padding-left: 1.6em; font-size: 0.95rem; }
.missing { color: #555; font-size: 0.92rem; }
.facts th { width: 30%; }
.hash { font-family: "DejaVu Sans Mono", monospace; font-size: 0.82em; }
@media print {
  .scroll table { font-size: 8pt; width: auto; max-width: 100%; }
  .scroll table.many { font-size: 6.5pt; }
  th, td { padding: 2px 6px 2px 0; }
  td.text { min-width: 0; }
  h2 { margin-top: 1.4em; }
  nav { break-after: page; }
  thead { display: table-header-group; }
  figure img { max-height: 215mm; object-fit: contain; }
}
"""


def _print_style(annex: Annex) -> str:
    """Return the size of the printed page, and what stands at the foot of each."""
    mark = "SYNTHETIC, " if annex.is_synthetic else ""
    words = f"{mark}{annex.level.upper()}: draft, not a release document. Page "
    foot = (
        f'@bottom-center {{ content: "{words}" counter(page) " of " counter(pages); '
        "font: 7.5pt sans-serif; color: #8c1d18; }"
    )
    return f"{_STYLE}@page {{ size: A4; margin: 15mm 14mm 17mm 14mm; {foot} }}\n"


def annex_report(
    path: str | os.PathLike[str],
    annex: Annex,
    *,
    figures: Mapping[str, tuple[bytes, str, str]],
) -> Path:
    """
    Write an annex as one HTML file that needs nothing else.

    Parameters
    ----------
    path : path-like
        File to write.
    annex : Annex
        What it says.
    figures : mapping of str to (bytes, str, str)
        SVG image, alternative text and caption, by the names that sections give them.

    Returns
    -------
    path : Path
        The file, the same bytes for the same annex.

    Raises
    ------
    ValueError
        If a section names a figure that is not there, or one that is there is named by none.
    OSError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from minesense.alarm import SAFETY_TEXT
    >>> from minesense.evidence.annex import Annex, AnnexSection
    >>> from minesense.report import annex_report
    >>> words = {2: (SAFETY_TEXT, "A metal detector says nothing of what has no metal.")}
    >>> sections = [
    ...     AnnexSection(number=k, paragraphs=words.get(k, ("x",))) for k in range(1, 16)
    ... ]
    >>> annex = Annex(title="T1", sections=sections, is_synthetic=True, level="restricted")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     text = annex_report(f"{folder}/a.html", annex, figures={}).read_text()
    >>> "SYNTHETIC" in text, "9. Not observed" in text
    (True, True)
    """
    named = [name for section in annex.sections for name in section.figures]
    if sorted(named) != sorted(figures):
        msg = f"Invalid figures {sorted(figures)}. Must be those named, {sorted(named)}."
        raise ValueError(msg)
    sections = [
        (f"{section.number}. {section.title}", _section(section, figures))
        for section in annex.sections
    ]
    return page.write_page(
        path,
        title=f"Sensor-evidence annex: {annex.title}",
        subtitle="What was searched, what was not, and what may remain",
        sections=[("Contents", _front(annex)), *sections],
        is_synthetic=annex.is_synthetic,
        style=_print_style(annex),
    )


def _front(annex: Annex) -> Raw:
    """Return status, confidentiality and the list of sections."""
    level = (
        f"{annex.level.upper()}: holds places of hazards and of ground that was not observed."
        if annex.level == "restricted"
        else f"{annex.level.upper()}: places are withheld."
    )
    items = [page.element("li", title) for title in TITLES]
    return page.join(
        [
            page.element("p", STATUS, class_="status"),
            page.element("p", level, class_="level"),
            Raw(f"<nav><ol>{page.join(items)}</ol></nav>"),
        ]
    )


def _section(section: AnnexSection, figures: Mapping[str, tuple[bytes, str, str]]) -> Raw:
    """Return a section."""
    pieces = [page.element("p", text) for text in section.paragraphs]
    for name in section.figures:
        image, alt, caption = figures[name]
        pieces.append(page.picture(image, "svg", alt=alt, caption=caption, kind="medium"))
    if section.facts:
        rows = [(name, _value(value)) for name, value in section.facts]
        pieces.append(Raw(f'<div class="facts">{page.table(("", ""), rows)}</div>'))
    pieces += [
        page.table(
            table.head,
            [tuple(_value(cell) for cell in row) for row in table.rows],
            caption=table.caption,
            numbers=table.numbers,
            nothing=table.nothing,
        )
        for table in section.tables
    ]
    if section.is_empty:
        pieces.append(page.element("p", NOTHING, class_="note"))
    if section.missing:
        words = f"Not stated: {', '.join(section.missing)}."
        pieces.append(page.element("p", words, class_="missing"))
    return page.join(pieces)


def _value(value: str) -> Raw | str:
    """Return a value; hashes may break anywhere and stand in a face of their own."""
    is_hash = len(value) >= 64 and all(c in "0123456789abcdef " for c in value)
    return page.element("span", value, class_="hash") if is_hash else value
