"""What the trace headers of SEG-Y files say: positions, times, marks, in several habits."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..sweep import Quality
from .recording import Draft
from .segy_layout import SegyLayout
from .survey import release
from .traces import TraceFields, no_positions
from .trouble import Findings

#: Traces that stand for a large file when it is opened.
SAMPLE = 4096

VARIANTS = ("standard", "prism", "geohammer")

_BLOCK = 16 * 2**20  # bytes of a file mapped in one go
_MARK = 0x5555
_COLUMNS = (
    "trace_type",
    "height",
    "height_float",
    "height_scalar",
    "scalar",
    "source",
    "group",
    "units",
    "n_samples",
    "time",
    "milliseconds",
    "longitude",
    "latitude",
    "mark_flag",
    "mark_number",
)

Floats = npt.NDArray[np.float64]


def find_variant(text: str) -> str:
    """Return whose habits the text header tells: "prism" or "standard"."""
    is_prism = "Prism" in text and "Radar Systems, Inc." in text
    return "prism" if is_prism else "standard"


class SegyTraces:
    """Read what is known of each trace of a range, from the headers of the traces."""

    def __init__(
        self,
        draft: Draft,
        layout: SegyLayout,
        headers: npt.NDArray[Any],
        variant: str,
        angles: str | None,
    ):
        self.draft = draft
        self.layout = layout
        self.headers = headers
        self.variant = variant
        self.angles = angles
        self.foot = 0.3048 if draft.header["binary"]["measurement"] == 2 else 1.0

    def __call__(self, findings: Findings, start: int, stop: int) -> TraceFields:
        """Return the fields of the traces from `start` to before `stop`."""
        columns = self._read(start, stop)
        n = stop - start
        quality = np.zeros(n, np.int64)
        dead = columns["trace_type"] == 2
        if dead.any():
            findings.warn(f"{np.count_nonzero(dead)} traces are marked as dead")
            quality[dead] |= Quality.STUCK
        said = columns["n_samples"]
        other = (said != 0) & (said != min(self.layout.n_samples, 0xFFFF))
        # Headers without samples are of traces that do differ in length.
        is_fixed = self.headers.dtype.itemsize == self.layout.trace_size
        if other.any() and is_fixed:
            findings.warn(
                f"{np.count_nonzero(other)} traces say another number of samples than "
                f"{self.layout.n_samples}, the first is trace {start + np.argmax(other)}"
            )
        latitude, longitude, altitude, distance = self._places(findings, columns, n)
        spacing = self.draft.fields.get("spacing")
        if spacing is not None:
            distance = spacing * np.arange(start, stop, dtype=np.float64)
        marks = self._marks(columns)
        numbers = columns["mark_number"][marks]
        return TraceFields(
            latitude=latitude,
            longitude=longitude,
            altitude=altitude,
            quality=quality,
            distance=distance,
            times=self._times(columns),
            marks=marks,
            mark_labels=tuple(str(number) for number in numbers.tolist()),
        )

    def _read(self, start: int, stop: int) -> dict[str, Any]:
        """Return fields of the headers of a range of traces, read block by block."""
        headers = self.headers
        columns = {
            name: np.empty(
                (stop - start, *headers.dtype[name].shape),
                headers.dtype[name].base.newbyteorder("="),
            )
            for name in _COLUMNS
        }
        rows = max(1, _BLOCK // headers.dtype.itemsize)
        with np.errstate(invalid="ignore"):
            for first in range(start, stop, rows):
                block = headers[first : min(first + rows, stop)]
                for name, column in columns.items():
                    column[first - start : first - start + len(block)] = block[name]
                release(headers)
        return columns

    def _marks(self, columns: dict[str, Any]) -> npt.NDArray[np.int64]:
        """Return the traces with a mark."""
        if self.variant == "prism":
            return np.flatnonzero(columns["mark_flag"] == _MARK)
        if self.variant == "geohammer":  # a number of one byte at byte 239
            columns["mark_number"] = _first_bytes(columns["mark_number"], self.layout.order)
            return np.flatnonzero(columns["mark_number"])
        return np.empty(0, np.int64)

    def _times(self, columns: dict[str, Any]) -> Floats | None:
        """Return seconds since midnight of the first day, None if no time is told."""
        year, day, hour, minute, second = columns["time"].astype(np.float64).T
        is_time = (year > 0) & (day >= 1) & (day <= 366)
        is_time &= (hour >= 0) & (hour < 24) & (minute >= 0) & (minute < 60)
        is_time &= (second >= 0) & (second < 61)
        if not len(year) or not is_time.all():
            return None
        days = np.cumsum(np.diff(day, prepend=day[0]) != 0)
        times: Floats = 86400.0 * days + 3600 * hour + 60 * minute + second
        milliseconds = columns["milliseconds"]
        if ((milliseconds >= 0) & (milliseconds < 1000)).all() and milliseconds.any():
            finer = times + 1e-3 * milliseconds
            if (np.diff(finer) >= 0).all():  # the standard has a weight there, not a time
                return finer
        return times

    def _places(
        self, findings: Findings, columns: dict[str, Any], n: int
    ) -> tuple[Floats, Floats, Floats, Floats | None]:
        """Return latitude, longitude, altitude and, of plane coordinates, distance."""
        none = no_positions(n)
        found = self._doubles(findings, columns)
        if found is not None:
            latitude, longitude = found
            self.draft.sources["position"] = "bytes 183-198 of trace headers"
            if self.variant == "standard":
                return latitude, longitude, none, None
            with np.errstate(invalid="ignore", over="ignore"):
                altitude = columns["height_float"].astype(np.float64)
                altitude[~(np.abs(altitude) < 1e5)] = np.nan
            return latitude, longitude, altitude, None
        if self.variant != "standard":
            return none, none, none, None
        return self._integers(findings, columns, n)

    def _doubles(
        self, findings: Findings, columns: dict[str, Any]
    ) -> tuple[Floats, Floats] | None:
        """Return latitude and longitude of the floats at bytes 191 and 183, if they are."""
        latitude, longitude = columns["latitude"], columns["longitude"]
        known = self.variant != "standard"
        with np.errstate(invalid="ignore", over="ignore"):
            is_set = (latitude != 0) | (longitude != 0)
            degrees = (np.abs(latitude) <= 90) & (np.abs(longitude) <= 180)
            tiny = (np.abs(latitude) < 1e-6) & (np.abs(longitude) < 1e-6)
            by_minutes = [_from_minutes(latitude, 90), _from_minutes(longitude, 180)]
        minutes = np.isfinite(by_minutes[0]) & np.isfinite(by_minutes[1])
        if not len(latitude) or not (is_set & ~tiny).any() or _is_constant(latitude, longitude):
            return None  # zero, or integers read as floats, or one place throughout
        if not known and not (minutes & ~tiny).all():
            # Not the decimal degrees either, unless all of them are.
            if not (degrees & ~tiny).all():
                return None
            minutes = np.zeros(len(latitude), bool)
        form = self.angles or ("ddmm" if known else None)
        if form is None and not degrees.all():
            form = "ddmm"  # no degrees are that many
        if form is None:
            findings.warn(
                "coordinates at bytes 183-198 are degrees or ddmm.mmmm: pass angles to say "
                "which; not used"
            )
            return None
        usable = is_set & (minutes if form == "ddmm" else degrees)
        if form == "ddmm":
            latitude, longitude = by_minutes
        return np.where(usable, latitude, np.nan), np.where(usable, longitude, np.nan)

    def _integers(
        self, findings: Findings, columns: dict[str, Any], n: int
    ) -> tuple[Floats, Floats, Floats, Floats | None]:
        """Return places of the standard's integers with their scalar and unit."""
        none = no_positions(n)
        source, group = columns["source"], columns["group"]
        has_source, has_group = source.any(), group.any()
        if not n or not (has_source or has_group):
            return none, none, none, None
        scale = _scale(columns["scalar"])[:, None]
        if has_source and has_group:
            place = (source.astype(np.float64) + group) / 2 * scale  # of the antennas
        else:
            place = (source if has_source else group) * scale
        if _is_constant(*place.T):
            return none, none, none, None
        units = np.unique(columns["units"])
        unit = int(units[0]) if len(units) == 1 else 0
        self.draft.header["coordinate_units"] = unit
        self.draft.sources["position"] = "bytes 73-88 of trace headers"
        height = columns["height"] * _scale(columns["height_scalar"]) * self.foot
        altitude = height if columns["height"].any() else none
        if unit == 1:
            metres = place * self.foot
            steps = np.hypot(*np.diff(metres, axis=0, prepend=metres[:1]).T)
            self.draft.sources["spacing"] = "coordinates of trace headers"
            return none, none, altitude, np.cumsum(steps)
        if unit == 2:
            place = place / 3600
        elif unit == 4:
            place = _from_dms(place)
        elif unit != 3:
            findings.warn(f"coordinates have units {units.tolist()}, none known; not used")
            return none, none, none, None
        longitude, latitude = place.T
        usable = (np.abs(latitude) <= 90) & (np.abs(longitude) <= 180)
        if not usable.all():
            findings.warn(f"{np.count_nonzero(~usable)} traces have no place on Earth")
        usable &= place.any(axis=1)
        return (
            np.where(usable, latitude, np.nan),
            np.where(usable, longitude, np.nan),
            altitude,
            None,
        )


def _first_bytes(numbers: npt.NDArray[Any], order: str) -> npt.NDArray[Any]:
    """Return the byte of two-byte numbers that comes first in the file."""
    return numbers >> 8 if order == ">" else numbers & 0xFF


def _scale(scalar: npt.NDArray[Any]) -> Floats:
    """Return factors: positive ones multiply, negative ones divide, 0 counts as 1."""
    factor = scalar.astype(np.float64)
    factor[factor == 0] = 1
    negative = factor < 0
    factor[negative] = -1 / factor[negative]
    return factor


def _from_minutes(values: Floats, limit: float) -> Floats:
    """Return degrees of ddmm.mmmm, NaN where that cannot be."""
    size = np.abs(values)
    degrees = np.floor(size / 100)
    minutes = size - 100 * degrees
    angle = degrees + minutes / 60
    angle[~((minutes < 60) & (angle <= limit))] = np.nan
    return np.copysign(angle, values)


def _from_dms(values: Floats) -> Floats:
    """Return degrees of DDDMMSS.ss, NaN where that cannot be."""
    size = np.abs(values)
    degrees = np.floor(size / 10000)
    minutes = np.floor(size / 100) - 100 * degrees
    seconds = size - 10000 * degrees - 100 * minutes
    angle = degrees + minutes / 60 + seconds / 3600
    angle[~((minutes < 60) & (seconds < 60))] = np.nan
    return np.copysign(angle, values)


def _is_constant(*parts: npt.NDArray[Any]) -> bool:
    """Whether several traces all have one and the same place, which then is none."""
    return len(parts[0]) > 1 and all((part == part[0]).all() for part in parts)
