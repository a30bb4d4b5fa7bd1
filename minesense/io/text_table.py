"""Tables in text: lines, separators and cells, without a word about what they mean."""

from __future__ import annotations

import csv
import itertools
import re
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from .sidecar import MAX_LINE
from .trouble import Findings, parse_number

Floats = npt.NDArray[np.float64]

_SEPARATORS = (",", ";", "\t", "|")
_MAX_COLUMNS = 20_000
_COMMA = re.compile(r"[+-]?[0-9]+,[0-9]+")
_PLAIN_MISSING = ("", "nan")


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How the lines of a table are to be cut."""

    separator: str | None = None  #: None: found from the header; " " for any run of blanks
    decimal: str = "."  #: or ","
    comment: str = "#"  #: lines that start with it are left out; empty for none
    has_header: bool = True
    skip_lines: int = 0  #: before the header, or before the first row
    widths: tuple[int, ...] = ()  #: of columns of a fixed width, instead of a separator
    missing: tuple[str, ...] = ()  #: cells that say "no value", besides empty ones and nan


@dataclass(slots=True)
class TextTable:
    """The cells of a table by column, kept as the text they are."""

    findings: Findings
    layout: Layout
    names: tuple[str, ...]
    comments: list[str] = field(default_factory=list)
    columns: list[bytearray] = field(default_factory=list)  #: cells, each with a line feed
    lines: array[int] = field(default_factory=lambda: array("Q"))  #: of each row in the file

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.lines)

    def index_of(self, name: str) -> int | None:
        """
        Return the place of a column, None if it is not there.

        Parameters
        ----------
        name : str
            Compared without case, and blanks as one.

        Returns
        -------
        index : int or None
            From 0.
        """
        wanted = fold(name)
        for index, other in enumerate(self.names):
            if fold(other) == wanted:
                return index
        return None

    def text(self, index: int) -> list[str]:
        """
        Return the cells of a column.

        Parameters
        ----------
        index : int
            From 0.

        Returns
        -------
        cells : list of str
            Without blanks around them.
        """
        return self.columns[index].decode("utf-8").split("\n")[:-1]

    def numbers(self, index: int, *, divisor: int = 1) -> Floats:
        """
        Return the numbers of a column, NaN where a cell says that there is none.

        Parameters
        ----------
        index : int
            From 0.
        divisor : int, optional
            What to divide by; whole numbers of any length, such as nanoseconds, are divided
            exactly and rounded once.

        Returns
        -------
        values : (n_rows,) float64 ndarray
            As written, over the divisor.

        Raises
        ------
        FormatError
            If a cell is no plain number: with thousands marks, a unit, or the other decimal
            sign. Names line and column.
        """
        missing = {*_PLAIN_MISSING, *(word.lower() for word in self.layout.missing)}
        values = np.empty(len(self), np.float64)
        comma = self.layout.decimal == ","
        for row, cell in enumerate(self.text(index)):
            if cell.isascii() and cell.isdigit() and len(cell) < 64:
                values[row] = int(cell) / divisor
                continue
            if comma and "." in cell and cell.lower() not in missing:
                value = None  # a point there marks thousands, or nothing
            else:
                value = parse_number(cell.replace(",", ".", 1) if comma else cell)
            if value is None:
                if cell.lower() not in missing:
                    rule = f"a plain number with the decimal sign '{self.layout.decimal}'"
                    if _COMMA.fullmatch(cell):
                        rule += ": pass decimal=',' (or say so in the template) if it is ','"
                    self.fail(row, index, cell, rule)
                value = np.nan
            values[row] = value / divisor
        return values

    def fail(self, row: int, index: int, value: object, expected: str) -> None:
        """
        Give up on the file for the sake of a cell.

        Parameters
        ----------
        row, index : int
            Of the cell.
        value : object
            What it holds.
        expected : str
            What it must be.

        Raises
        ------
        FormatError
            Always.
        """
        name = self.names[index] or f"{index + 1}"
        where = f"line {self.lines[row]}, column {index + 1}"
        self.findings.fail(f"cell of '{name}'", value, expected, where)


def fold(name: str) -> str:
    """
    Return a name as names are compared.

    Parameters
    ----------
    name : str
        Of a column.

    Returns
    -------
    folded : str
        Lower case, blanks as one.

    Examples
    --------
    >>> fold(" RTK  Status ")
    'rtk status'
    """
    return " ".join(name.split()).lower()


def read_text_table(path: Path, findings: Findings, layout: Layout) -> TextTable:
    """
    Read a table line by line.

    Parameters
    ----------
    path : Path
        The file, of any size.
    findings : Findings
        Takes warnings and corrections.
    layout : Layout
        How it is cut.

    Returns
    -------
    table : TextTable
        Of all rows. A last row that is cut short is left out, with a warning.

    Raises
    ------
    FormatError
        If the file is no text, a line is longer than a mebibyte, the header is missing, or a
        row has another number of cells than the header.
    """
    table = TextTable(findings=findings, layout=layout, names=())
    rows = _rows(path, table)
    first = next(rows, None)
    if first is None:
        findings.fail("content", "no line", "a table with a header line and rows")
        raise AssertionError  # fail() has raised
    number, header = first
    while layout.has_header and len(header) > 1 and not header[-1]:
        header.pop()  # a separator ends the line
    if len(header) > _MAX_COLUMNS:
        findings.fail("columns", len(header), f"at most {_MAX_COLUMNS}", f"line {number}")
    table.columns = [bytearray() for _ in header]
    if not layout.has_header:
        rows = itertools.chain([(number, header)], rows)
        header = [""] * len(header)
    wrong: tuple[int, list[str]] | None = None  # an error unless it is the last row
    for number, cells in rows:
        if wrong is not None:
            place, found = wrong
            rule = f"{len(header)} cells, as in the first line, not {len(found)}"
            findings.fail("row", " ".join(found)[:80], rule, f"line {place}")
        while len(cells) > len(header) and not cells[-1]:
            cells.pop()
        if len(cells) != len(header):
            wrong = (number, cells)
            continue
        table.lines.append(number)
        for column, cell in zip(table.columns, cells, strict=True):
            column.extend(cell.encode("utf-8", "replace") + b"\n")
    if wrong is not None:
        findings.warn(
            f"line {wrong[0]}: the last row has {len(wrong[1])} of {len(header)} cells and is "
            "left out"
        )
    table.names = _unique(header, findings)
    return table


def _rows(path: Path, table: TextTable) -> Iterator[tuple[int, list[str]]]:
    """Yield number and cells of the lines that are no comments, the header first."""
    layout, findings = table.layout, table.findings
    separator, n_lines = layout.separator, 0
    for number, line in _lines(path, findings):
        if layout.comment and line.startswith(layout.comment):
            if len(table.comments) < 1000:
                table.comments.append(line[len(layout.comment) :].strip())
            continue
        n_lines += 1
        if n_lines <= layout.skip_lines:
            continue
        if separator is None and not layout.widths:
            separator = find_separator(line)
            if layout.decimal == separator:
                findings.fail("decimal", separator, "a point where commas separate cells")
        yield number, _cut(line, separator, layout.widths, findings, number)


def _lines(path: Path, findings: Findings) -> Iterator[tuple[int, str]]:
    """Yield number and text of the lines that are not empty."""
    is_latin = False
    n_nul = n_characters = 0
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline=None) as file:
        number = 0
        while line := file.readline(MAX_LINE + 1):
            number += 1
            if len(line) > MAX_LINE:
                rule = f"at most {MAX_LINE} characters long"
                findings.fail("line", f"{len(line)} characters", rule, f"line {number}")
            n_nul += line.count("\0")
            n_characters += len(line)
            if n_nul * 100 > n_characters > 100:
                findings.fail("content", f"{n_nul} NUL characters", "text", f"line {number}")
            if not line.isascii() and any("\udc80" <= letter <= "\udcff" for letter in line):
                line = line.encode("utf-8", "surrogateescape").decode("latin-1")
                if not is_latin:
                    reason = f"line {number} is not UTF-8"
                    findings.correct("text encoding", "utf-8", "latin-1", reason)
                is_latin = True
            text = line.strip(" \0\r\n")
            if text.strip():
                yield number, text


def find_separator(header: str) -> str:
    """
    Return what separates the cells of a header line.

    Parameters
    ----------
    header : str
        The line.

    Returns
    -------
    separator : str
        The one of comma, semicolon, tabulator and bar that is there most often, outside of
        brackets and quotes; a blank, for any run of them, if there is none.

    Examples
    --------
    >>> find_separator("time [s];easting [m];note (a, b, c, d)")
    ';'
    """
    bare = re.sub(r"\[[^\]]*\]|\([^)]*\)|\"[^\"]*\"", "", header)
    counts = {separator: bare.count(separator) for separator in _SEPARATORS}
    best = max(_SEPARATORS, key=lambda separator: counts[separator])
    return best if counts[best] else " "


def _cut(
    line: str, separator: str | None, widths: Sequence[int], findings: Findings, number: int
) -> list[str]:
    """Return the cells of a line, without blanks around them."""
    if widths:
        ends = np.cumsum(widths).tolist()
        starts = [0, *ends[:-1]]
        return [line[a:b].strip() for a, b in zip(starts, ends, strict=True)]
    if separator in (None, " "):
        return line.split()
    assert separator is not None
    if '"' not in line:
        return [cell.strip() for cell in line.split(separator)]
    try:
        row = next(csv.reader([line], delimiter=separator, strict=True, skipinitialspace=True))
    except (csv.Error, StopIteration) as error:
        findings.fail("quotes", line[:80], f"closed ({error})", f"line {number}")
        raise AssertionError from None  # fail() has raised
    return [" ".join(cell.split("\n")).strip() for cell in row]


def _unique(header: list[str], findings: Findings) -> tuple[str, ...]:
    """Return names of columns; of two that are the same the second loses its name."""
    seen: set[str] = set()
    names = []
    for name in header:
        if fold(name) in seen and name:
            findings.warn(f"two columns are named '{name}': the first counts")
            names.append("")
            continue
        seen.add(fold(name))
        names.append(name)
    return tuple(names)
