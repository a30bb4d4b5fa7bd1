"""Dates and times of day as tables write them, by formats of letters."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .trouble import Findings

Floats = npt.NDArray[np.float64]

#: Letters of a format: what they stand for, and what may be there.
_LETTERS = {
    "yyyy": ("year", r"[0-9]{4}"),
    "yy": ("short_year", r"[0-9]{2}"),
    "MM": ("month", r"[0-9]{2}"),
    "M": ("month", r"[0-9]{1,2}"),
    "dd": ("day", r"[0-9]{2}"),
    "d": ("day", r"[0-9]{1,2}"),
    "HH": ("hour", r"[0-9]{2}"),
    "H": ("hour", r"[0-9]{1,2}"),
    "mm": ("minute", r"[0-9]{2}"),
    "m": ("minute", r"[0-9]{1,2}"),
    "ss": ("second", r"[0-9]{2}"),
    "s": ("second", r"[0-9]{1,2}"),
}
_PIECE = re.compile(r"yyyy|yy|MM|M|dd|d|HH|H|mm|m|ss|s|[.,]?(?:f+|S+)|'[^']*'|[^A-Za-z']")
_EPOCH = datetime.date(1970, 1, 1).toordinal()
_ZONE = re.compile(r"(?:UTC|GMT)?([+-])([0-9]{1,2}):?([0-9]{2})")
_IN_NAME = re.compile(r"(?<![0-9])((?:19|20)[0-9]{2})([-_.]?)([0-9]{2})\2([0-9]{2})(?![0-9])")


@dataclass(frozen=True, slots=True)
class TimeFormat:
    """
    A format such as ``"yyyy/MM/dd H:mm:ss.fff"``.

    Letters: yyyy or yy, MM or M, dd or d, HH or H (0 to 23), mm, ss, and f or S for the part
    of a second, of any length and optional. Text in single quotes, and whatever is no letter,
    stands for itself.

    Raises
    ------
    ValueError
        If a letter is unknown or stands there twice.

    Examples
    --------
    >>> TimeFormat("yyyy-MM-dd HH:mm:ss.fff").parse("1970-01-02 00:00:01.5")
    (86400.0, 1.5)
    """

    text: str
    pattern: re.Pattern[str] = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        parts, place, names = [], 0, set()
        for match in _PIECE.finditer(self.text):
            piece = match[0]
            if match.start() != place:
                break
            place = match.end()
            if piece in _LETTERS:
                name, form = _LETTERS[piece]
                part = f"(?P<{name}>{form})"
            elif piece.lstrip(".,")[:1] in ("f", "S") and piece.lstrip(".,"):
                name = "fraction"
                part = r"(?:[.,](?P<fraction>[0-9]{1,12}))?"
            else:
                name = ""
                part = r"\s+" if piece.isspace() else re.escape(piece.strip("'"))
            if name in names:
                break
            if name:
                names.add(name)
            parts.append(part)
        else:
            if place == len(self.text) and names:
                object.__setattr__(self, "pattern", re.compile("".join(parts)))
                return
        msg = (
            f"Invalid format {self.text!r} at character {place}. Must be of yyyy yy MM dd d HH "
            "H mm ss fff, each once."
        )
        raise ValueError(msg)

    @property
    def has_date(self) -> bool:
        """Whether the format tells a day."""
        return "day" in self.pattern.groupindex

    @property
    def has_time(self) -> bool:
        """Whether the format tells a time of day."""
        return "hour" in self.pattern.groupindex

    def parse(self, text: str) -> tuple[float, float] | None:
        """
        Return the day, as seconds since 1970, and the seconds of the day.

        Parameters
        ----------
        text : str
            Of a cell.

        Returns
        -------
        parts : (float, float) or None
            Zero for a part that the format does not tell; None if the text is not of the
            format, or no such day or time exists.
        """
        match = self.pattern.fullmatch(text.strip())
        if match is None:
            return None
        found = match.groupdict()
        day = 0.0
        if self.has_date:
            short = found.get("short_year")
            year = int(found.get("year") or 0)
            if short is not None:
                year = int(short) + (1900 if int(short) >= 80 else 2000)
            try:
                date = datetime.date(year, int(found.get("month") or 0), int(found["day"] or 0))
            except ValueError:
                return None
            day = 86400.0 * (date.toordinal() - _EPOCH)
        hour, minute = int(found.get("hour") or 0), int(found.get("minute") or 0)
        second = float(f"{found.get('second') or 0}.{found.get('fraction') or 0}")
        if hour > 23 or minute > 59 or second >= 61:
            return None
        return day, 3600.0 * hour + 60.0 * minute + second


def parse_column(
    cells: Sequence[str], form: TimeFormat, *, missing: Sequence[str] = ()
) -> tuple[Floats, Floats, int | None]:
    """
    Return days and seconds of the cells of a column.

    Parameters
    ----------
    cells : sequence of str
        Of the column.
    form : TimeFormat
        Their format.
    missing : sequence of str, optional
        Words that say "no value", besides the empty cell and nan.

    Returns
    -------
    days, seconds : (n_rows,) float64 ndarray
        NaN where there is no value.
    bad : int or None
        The first row that is not of the format.

    Examples
    --------
    >>> days, seconds, bad = parse_column(["0:00:01", "x"], TimeFormat("H:mm:ss"))
    >>> seconds[0], bad
    (np.float64(1.0), 1)
    """
    none = {"", "nan", *(word.lower() for word in missing)}
    days = np.full(len(cells), np.nan)
    seconds = np.full(len(cells), np.nan)
    bad: int | None = None
    for row, cell in enumerate(cells):
        parts = form.parse(cell)
        if parts is not None:
            days[row], seconds[row] = parts
        elif bad is None and cell.lower() not in none:
            bad = row
    return days, seconds, bad


def offset_of_zone(zone: str) -> float:
    """
    Return what a zone is ahead of UTC, in seconds.

    Parameters
    ----------
    zone : str
        "UTC" or an offset such as "+03:00". Names of places are refused: with summer time a
        local hour comes twice.

    Returns
    -------
    offset : float
        Seconds.

    Raises
    ------
    ValueError
        If it is neither.

    Examples
    --------
    >>> offset_of_zone("+03:30")
    12600.0
    """
    if zone.strip().upper() in ("UTC", "Z", "GMT"):
        return 0.0
    match = _ZONE.fullmatch(zone.strip().upper())
    if match is None or int(match[2]) > 14 or int(match[3]) > 59:
        msg = f"Invalid zone {zone!r}. Must be 'UTC' or an offset such as '+03:00'."
        raise ValueError(msg)
    size = 3600.0 * int(match[2]) + 60.0 * int(match[3])
    return size if match[1] == "+" else -size


def day_of(date: str) -> float:
    """
    Return an ISO date as seconds since 1970.

    Parameters
    ----------
    date : str
        yyyy-mm-dd.

    Returns
    -------
    day : float
        Seconds.

    Raises
    ------
    ValueError
        If it is none.

    Examples
    --------
    >>> day_of("1970-01-02")
    86400.0
    """
    try:
        found = datetime.date.fromisoformat(date)
    except (TypeError, ValueError):
        msg = f"Invalid date {date!r}. Must be yyyy-mm-dd."
        raise ValueError(msg) from None
    return 86400.0 * (found.toordinal() - _EPOCH)


def date_in_name(name: str, findings: Findings) -> str | None:
    """
    Return the date in the name of a file, as ISO, None if there is none or more than one.

    Parameters
    ----------
    name : str
        For example "2024-05-01-12-30-00-position.csv".
    findings : Findings
        Takes a warning if there are several.

    Returns
    -------
    date : str or None
        yyyy-mm-dd.

    Examples
    --------
    >>> from pathlib import Path
    >>> date_in_name("2024-05-01-12-30-00-position.csv", Findings(Path("x")))
    '2024-05-01'
    """
    found = set()
    for match in _IN_NAME.finditer(name):
        text = f"{match[1]}-{match[3]}-{match[4]}"
        try:
            datetime.date.fromisoformat(text)
        except ValueError:
            continue
        found.add(text)
    if len(found) > 1:
        findings.warn(f"the name holds several dates, none is used: {sorted(found)}")
    return found.pop() if len(found) == 1 else None
