"""
The annex to a completion report: fifteen sections, of which none may keep silent.

A draft for discussion with a national authority. Whether any authority accepts it is unknown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ..alarm import SAFETY_TEXT

#: Titles of the sections, in their order.
TITLES = (
    "Identity",
    "Limits",
    "Instrument",
    "Function checks",
    "Soil",
    "Timebase",
    "Positioning",
    "Coverage",
    "Not observed",
    "Alarms",
    "Blind seeds and quality control",
    "Non-conformities",
    "Processing",
    "Integrity",
    "Residual",
)

#: Sections without which no annex is written.
REQUIRED = (2, 4, 9)

STATUS = (
    "Draft for discussion with a national authority. An annex to a completion report, never a "
    "replacement of one. Whether any authority accepts it is unknown."
)

#: Said where nobody stated anything.
NOTHING = "Nothing was stated."


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnexTable:
    """A table: its caption, head, rows, and which columns hold numbers."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: tuple[int, ...] = ()
    nothing: str = "None."


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnexSection:
    """
    One section: statements, tables, and what was not stated.

    `figures` are names of images that the page puts into the section.
    """

    number: int
    paragraphs: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    tables: tuple[AnnexTable, ...] = ()
    figures: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()  #: names of what nobody stated

    @property
    def title(self) -> str:
        """Title of the section."""
        return TITLES[self.number - 1]

    @property
    def is_empty(self) -> bool:
        """Whether it states nothing at all."""
        has_rows = any(table.rows for table in self.tables)
        has_facts = any(value.strip() for _, value in self.facts)
        has_words = any(text.strip() for text in self.paragraphs)
        return not (has_rows or has_facts or has_words)


@dataclass(frozen=True, slots=True, kw_only=True)
class Annex:
    """
    An annex that may be written: all sections, in their order, the required ones not empty.

    Raises
    ------
    ValueError
        If a section is missing or out of order, section 2 lacks the fixed text, or a section
        of REQUIRED is empty.

    Examples
    --------
    >>> from minesense.evidence.annex import Annex, AnnexSection
    >>> sections = [AnnexSection(number=k, paragraphs=("x",)) for k in range(1, 16)]
    >>> Annex(title="T1", sections=sections, is_synthetic=True, level="restricted")
    Traceback (most recent call last):
    ValueError: Invalid section 2 (Limits): the fixed text is missing. Must say it.
    """

    title: str
    sections: Sequence[AnnexSection]
    is_synthetic: bool
    level: str  #: to whom it may be handed
    head: str = ""  #: of the chain of hashes up to this page
    versions: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        sections = tuple(self.sections)
        object.__setattr__(self, "sections", sections)
        numbers = [section.number for section in sections]
        if numbers != list(range(1, len(TITLES) + 1)):
            msg = f"Invalid sections {numbers}. Must be 1 to {len(TITLES)}, each once."
            raise ValueError(msg)
        if SAFETY_TEXT not in sections[1].paragraphs:
            msg = "Invalid section 2 (Limits): the fixed text is missing. Must say it."
            raise ValueError(msg)
        for number in REQUIRED:
            section = sections[number - 1]
            # the fixed text alone does not say what this sensor cannot see
            said = [text for text in section.paragraphs if text != SAFETY_TEXT and text.strip()]
            has_rows = any(table.rows for table in section.tables)
            has_facts = any(value.strip() for _, value in section.facts)
            if not (said or has_rows or has_facts):
                raise ValueError(_EMPTY[number])

    def section(self, number: int) -> AnnexSection:
        """Return a section by its number, from 1."""
        return self.sections[number - 1]


_EMPTY = {
    2: (
        "Invalid section 2 (Limits): it is empty but for the fixed text. Must say what the "
        "sensors cannot see: cannot_see in the site file."
    ),
    4: (
        "Invalid section 4 (Function checks): there are none. Must hold at least one, stated "
        "as [[check]] in session.toml: without a check that passed, nothing was observed."
    ),
    9: (
        "Invalid section 9 (Not observed): it is empty. Must list what was not observed, or "
        "state that it is 0 m2 and by which method."
    ),
}


def format_area(area: float) -> str:
    """
    Return an area in square metres with as many digits as it needs, and never a bare zero.

    Parameters
    ----------
    area : float
        In square metres.

    Returns
    -------
    text : str
        Without its unit.

    Examples
    --------
    >>> from minesense.evidence.annex import format_area
    >>> format_area(1234.5), format_area(0.0), format_area(0.0004)
    ('1234.50', '0', '0.0004')
    """
    if area == 0:
        return "0"
    return f"{area:.2f}" if area >= 0.01 else f"{area:.1g}"


def statements(
    given: Any, keys: Sequence[tuple[str, str]]
) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    """
    Return what was stated under some keys, and what was not.

    Parameters
    ----------
    given : mapping of str to str
        Statements by key.
    keys : sequence of (str, str)
        Key, and the words that the annex uses.

    Returns
    -------
    facts : tuple of (str, str)
        Words and what was stated.
    missing : tuple of str
        Words of what was not.

    Examples
    --------
    >>> from minesense.evidence.annex import statements
    >>> statements({"a": "1"}, [("a", "first"), ("b", "second")])
    ((('first', '1'),), ('second',))
    """
    facts = tuple((words, str(given[key])) for key, words in keys if str(given.get(key, "")))
    missing = tuple(words for key, words in keys if not str(given.get(key, "")))
    return facts, missing
