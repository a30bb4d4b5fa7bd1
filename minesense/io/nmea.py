"""
Positions from NMEA sentences that were logged beside the traces of a radar.

Such logs lose bytes: a sentence may be cut, and pieces of two may share a line. A sentence
is read from its `$` to its checksum and starts afresh at every `$`, so that a cut one does
not swallow the next.
"""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from .._validation import check_positive

Floats = npt.NDArray[np.float64]

# A sentence is printable ASCII without `$` and `*`, on one line.
_BODY = re.compile(rb"([\x20-\x23\x25-\x29\x2b-\x7e]*)\*([0-9A-Fa-f]{2})")
_DECIMAL = re.compile(r"-?\d{1,12}(\.\d{0,15})?")
_DAY = 86400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """One position of a satellite receiver, and the trace it was logged with."""

    trace: float  #: index of the trace
    time_of_day: float  #: UTC, s since midnight; NaN if unknown
    date: datetime.date | None  #: UTC; None if nothing tells it
    latitude: float  #: degrees, north positive
    longitude: float  #: degrees, east positive
    altitude: float  #: m above the geoid; NaN if empty
    separation: float  #: m, geoid above the ellipsoid; NaN if empty
    quality: int  #: of GGA, 1 to 5; 0 in a log that tells none
    satellites: float  #: NaN if empty
    hdop: float  #: NaN if empty


@dataclass(slots=True)
class Track:
    """What the sentences of one log say, and what was wrong with them."""

    fixes: list[Fix] = field(default_factory=list)
    n_records: int = 0  #: records, one for a trace or scan, of which some may be empty
    n_sentences: int = 0  #: with a correct checksum
    n_dropped: int = 0  #: starts of a sentence without a correct checksum
    n_positions: int = 0  #: GGA sentences
    n_unusable: int = 0  #: GGA without fix, of quality 0 or above 5, or not readable
    n_repeated: int = 0  #: fixes equal to the one before, in time and place
    n_stale: int = 0  #: fixes dropped since their time stood still or ran backward
    traces_with_fix: int = 0  #: traces with a usable GGA, repeated and stale ones counted
    dates: list[datetime.date] = field(default_factory=list)  #: of ZDA and RMC, sorted

    def add(self, fix: Fix) -> None:
        """Take a fix, unless it is that before again, or stale."""
        self.traces_with_fix += 1
        last = self.fixes[-1] if self.fixes else None
        if last is not None and _is_same(fix, last):
            self.n_repeated += 1
        elif last is not None and _elapsed(last, fix) <= 0:
            self.n_stale += 1
        else:
            self.fixes.append(fix)


def read_sentences(data: bytes) -> tuple[list[tuple[str, ...]], int]:
    """
    Return the sentences of a log with a correct checksum, and how many were dropped.

    Parameters
    ----------
    data : bytes
        Any bytes.

    Returns
    -------
    sentences : list of tuple of str
        Fields of each sentence, the first without its `$`.
    n_dropped : int
        How often a `$` starts none.

    Examples
    --------
    >>> read_sentences(b"$GPGGA,0003$GPGLL,,,,,,V,N*64")
    ([('GPGLL', '', '', '', '', '', 'V', 'N')], 1)
    """
    sentences, n_dropped = [], 0
    for piece in data.split(b"$")[1:]:
        match = _BODY.match(piece)
        if match is None or checksum(match[1]) != int(match[2], 16):
            n_dropped += 1
        else:
            sentences.append(tuple(match[1].decode("ascii").split(",")))
    return sentences, n_dropped


def checksum(body: bytes) -> int:
    """Return the exclusive or of all bytes between `$` and `*`."""
    value = 0
    for byte in body:
        value ^= byte
    return value


def read_track(
    records: Iterable[tuple[float, bytes]], *, date: datetime.date | None = None
) -> Track:
    """
    Read the fixes of a log whose sentences are grouped by trace.

    Parameters
    ----------
    records : iterable of (trace, data)
        Index of each trace and the bytes logged for it, in order.
    date : datetime.date, optional
        The day of records that name none.

    Returns
    -------
    track : Track
        Fixes in order, repeated and stale ones left out.

    Notes
    -----
    Of each record the first usable GGA counts: quality 1 to 5, readable coordinates with
    their hemispheres. A fix with time and place of the one before is the same fix; one of
    the same time elsewhere, or of an earlier time (midnight apart), is stale.
    """
    track, dates = Track(), set()
    for trace, data in records:
        track.n_records += 1
        sentences, n_dropped = read_sentences(data)
        track.n_sentences += len(sentences)
        track.n_dropped += n_dropped
        day, found = None, None
        for sentence in sentences:
            kind = sentence[0][2:]
            if kind in ("ZDA", "RMC"):
                day = read_date(sentence, kind) or day
            elif kind == "GGA":
                track.n_positions += 1
                fix = read_fix(sentence, trace)
                track.n_unusable += fix is None
                found = found or fix
        if day is not None:
            dates.add(day)
        if found is not None:
            track.add(replace(found, date=day or date))
    track.dates = sorted(dates)
    return track


def interpolate_fixes(
    fixes: Sequence[Fix],
    n_traces: int,
    *,
    max_gap: float = 2.0,
    start: int = 0,
    stop: int | None = None,
) -> tuple[Floats, Floats, Floats]:
    """
    Return the position of every trace, NaN where the fixes do not tell it.

    Parameters
    ----------
    fixes : sequence of Fix
        In order of trace and time.
    n_traces : int
        How many traces there are; fixes outside are left out.
    max_gap : float, optional
        Longest time between two fixes to interpolate between, in seconds.
    start, stop : int, optional
        Only traces from `start` to before `stop`; all if not given.

    Returns
    -------
    latitude, longitude, altitude : (stop - start,) float64 ndarray
        Degrees, degrees and metres. Never extrapolated, never across a longer gap, nor
        across one of unknown length.

    Raises
    ------
    ValueError
        If `max_gap` is not finite and greater than zero.
    """
    max_gap = check_positive(max_gap, "max_gap")
    stop = n_traces if stop is None else stop
    result = np.full((3, stop - start), np.nan)
    inside = [f for f in fixes if 0 <= f.trace <= n_traces - 1]
    for k, fix in enumerate(inside):
        here = np.array([fix.latitude, fix.longitude, fix.altitude])
        if fix.trace == int(fix.trace) and start <= fix.trace < stop:
            result[:, int(fix.trace) - start] = here
        if k + 1 == len(inside):
            break
        after = inside[k + 1]
        if not 0 < _elapsed(fix, after) <= max_gap or after.trace <= fix.trace:
            continue
        step = np.array(
            [
                after.latitude - fix.latitude,
                math.remainder(after.longitude - fix.longitude, 360),
                after.altitude - fix.altitude,
            ]
        )
        first, last = math.floor(fix.trace) + 1, math.ceil(after.trace)
        between = np.arange(max(first, start), max(first, start, min(last, stop)))
        weight = (between - fix.trace) / (after.trace - fix.trace)
        result[:, between - start] = here[:, None] + step[:, None] * weight
    longitude = result[1]
    beyond = np.abs(longitude) > 180
    longitude[beyond] = (longitude[beyond] + 180) % 360 - 180
    return result[0], longitude, result[2]


def _elapsed(first: Fix, second: Fix) -> float:
    """Return the seconds between two fixes, within half a day; NaN if unknown."""
    return math.remainder(second.time_of_day - first.time_of_day, _DAY)


def _is_same(a: Fix, b: Fix) -> bool:
    """Whether two fixes agree in time and place."""
    return (a.time_of_day, a.latitude, a.longitude) == (b.time_of_day, b.latitude, b.longitude)


def _number(text: str) -> float:
    """Return a decimal number, NaN for anything else."""
    return float(text) if _DECIMAL.fullmatch(text) else math.nan


def _angle(text: str, hemisphere: str, letters: str, limit: float) -> float:
    """Return degrees of a (d)ddmm.mmmm text, negative for the second letter; else NaN."""
    value = _number(text)
    degrees = math.floor(value / 100) if value >= 0 else math.nan
    minutes = value - 100 * degrees
    angle = degrees + minutes / 60
    if not (minutes < 60 and angle <= limit) or hemisphere not in tuple(letters):
        return math.nan
    return -angle if hemisphere == letters[1] else angle


def read_time_of_day(text: str) -> float:
    """
    Return a time of day.

    Parameters
    ----------
    text : str
        As hhmmss.ss.

    Returns
    -------
    seconds : float
        Since midnight, up to 61 s of the last minute; NaN for anything else.

    Examples
    --------
    >>> read_time_of_day("010203.50"), read_time_of_day("246060")
    (3723.5, nan)
    """
    if not re.fullmatch(r"\d{6}(\.\d{0,9})?", text):
        return math.nan
    hour, minute, second = int(text[:2]), int(text[2:4]), float(text[4:])
    if hour > 23 or minute > 59 or second >= 61:
        return math.nan
    return 3600.0 * hour + 60.0 * minute + second


def _metres(fields: Sequence[str], index: int) -> float:
    """Return the height in a field if the next one says M, else NaN."""
    return _number(fields[index]) if fields[index + 1] == "M" else math.nan


def read_fix(fields: tuple[str, ...], trace: float) -> Fix | None:
    """
    Return the fix of a GGA sentence.

    Parameters
    ----------
    fields : tuple of str
        Of :func:`read_sentences`.
    trace : float
        That it was logged with.

    Returns
    -------
    fix : Fix or None
        None if it holds no usable one.

    Examples
    --------
    >>> read_fix(("GPGGA", "000000", *[""] * 4, "0", *[""] * 8), 0.0) is None
    True
    """
    if len(fields) < 13 or fields[6] not in ("1", "2", "3", "4", "5"):
        return None
    latitude = _angle(fields[2], fields[3], "NS", 90)
    longitude = _angle(fields[4], fields[5], "EW", 180)
    if math.isnan(latitude) or math.isnan(longitude):
        return None
    return Fix(
        trace=trace,
        time_of_day=read_time_of_day(fields[1]),
        date=None,
        latitude=latitude,
        longitude=longitude,
        altitude=_metres(fields, 9),
        separation=_metres(fields, 11),
        quality=int(fields[6]),
        satellites=_number(fields[7]),
        hdop=_number(fields[8]),
    )


def read_date(fields: tuple[str, ...], kind: str) -> datetime.date | None:
    """
    Return the date of a ZDA, or of an RMC with a fix.

    Parameters
    ----------
    fields : tuple of str
        Of :func:`read_sentences`.
    kind : str
        "ZDA" or "RMC".

    Returns
    -------
    date : datetime.date or None
        None if it holds none.

    Examples
    --------
    >>> read_date(("GPZDA", "010203.00", "01", "03", "2026", "00", "00"), "ZDA")
    datetime.date(2026, 3, 1)
    """
    if kind == "ZDA" and len(fields) > 4:
        parts = fields[2:5]
    elif kind == "RMC" and len(fields) > 9 and fields[2] == "A" and len(fields[9]) == 6:
        year = _number(fields[9][4:])  # two digits: 80 to 99 are of the last century
        century = "19" if year >= 80 else "20"
        parts = (fields[9][:2], fields[9][2:4], century + fields[9][4:])
    else:
        return None
    if not all(re.fullmatch(r"[0-9]{1,4}", part) for part in parts):
        return None
    try:
        return datetime.date(int(parts[2]), int(parts[1]), int(parts[0]))
    except ValueError:
        return None
