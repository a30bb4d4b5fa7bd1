"""What a live session is told before its first message."""

from __future__ import annotations

import math
import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec

from .._validation import check_count, check_not_negative, check_number, check_positive
from ..message import CLOCKS, FixClass, StreamDeclaration
from ..standstill import STANDSTILL


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """
    What must be met for ground to count as observed. They come from the task order.

    There are no defaults. What the order leaves open is stated as infinite.

    Raises
    ------
    TypeError, ValueError
        If a limit is not a number greater than zero, or the least speed is not below the
        greatest.
    """

    height: float  #: m, greatest height of the head above ground
    tilt: float  #: rad, greatest tilt of the head
    least_speed: float  #: m/s; 0 unless the detector only hears what moves
    greatest_speed: float  #: m/s
    position_error: float  #: m, greatest 95 % error of a position
    noise: float  #: greatest noise of a sensor, times that of its reference stretch

    def __post_init__(self) -> None:
        for name in ("height", "tilt", "greatest_speed", "position_error", "noise"):
            value = getattr(self, name)
            if value != math.inf:
                check_positive(value, name)
        check_not_negative(self.least_speed, "least_speed")
        if self.least_speed >= self.greatest_speed:
            msg = (
                f"Invalid least_speed '{self.least_speed}'. Must be below greatest_speed, "
                f"{self.greatest_speed} m/s."
            )
            raise ValueError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedStream:
    """
    A stream that the session waits for, and what its declaration cannot say.

    Raises
    ------
    TypeError, ValueError
        If a number is out of its range.
    """

    name: str
    clock: Literal["utc", "gps", "host", "sensor"] | None = None  #: None: any that fits
    full_scale: float | None = None  #: magnitude from which a sample is saturated
    noise_floor: float = 0.0  #: noise of the electronics, in the unit of the samples
    stuck_after: int = 3  #: equal scans in a row from which a channel counts as stuck
    drift_limit: float | None = None  #: unit/s, rate of the level of a sample beyond it: DRIFT
    is_multiplexed: bool = False  #: channels take turns under one stamp

    def __post_init__(self) -> None:
        if self.full_scale is not None:
            check_positive(self.full_scale, "full_scale")
        check_not_negative(self.noise_floor, "noise_floor")
        if self.drift_limit is not None:
            check_positive(self.drift_limit, "drift_limit")
        check_count(self.stuck_after, "stuck_after", least=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamConfig:
    """
    How a session treats its streams. Times are seconds of the streams, never of a wall clock.

    Raises
    ------
    TypeError, ValueError
        If a number is out of its range, a stream is named twice, or the clock of an expected
        stream can never be brought to the task's: GPS time and UTC.
    """

    task_clock: Literal["utc", "gps", "host", "sensor"]
    limits: Limits | None = None  #: None: no ground counts as observed
    streams: tuple[ExpectedStream, ...] = ()  #: others are taken as they are declared
    #: None: every position stream locates every sensor; else the one that does
    position_stream: str | None = None
    max_fix_gap: float = 0.3  #: s between fixes that a position may be interpolated over
    least_fix_interval: float = 0.0  #: s; fixes nearer to the last one used are left out
    #: m, 95 % error of a fix that states none, by its class from NONE on; engineering defaults
    fix_errors: tuple[float, ...] = (math.inf, 10.0, 3.0, 1.0, 0.05, 0.05)
    max_scan_gap: float = 0.5  #: s between scans that do not end a lane
    hold: float = 2.0  #: s that a stopped stream holds the others
    possible_speed: float = 15.0  #: m/s; a step between fixes beyond it is a jump
    jump_distance: float = 0.5  #: m that a step between fixes may always have
    time_jump: float = 2.0  #: s between stamps of neighbours from which one is an outlier
    lag_bound: float = 0.1  #: s, error of a lag that was never calibrated
    plausible_height: tuple[float, float] = (-0.1, 5.0)  #: m above ground; else unknown
    motion: float = 1.0  #: m/s of height, beyond which a head bounces
    standstill: float = STANDSTILL  #: m/s below which a track has no heading
    stale_after: int = 3  #: equal coordinates in a row from which a moving fix is stale
    origin: tuple[float, float, float] | None = None  #: degrees, m: of geographic positions
    lanes: Literal["note", "gap"] = "gap"  #: what begins a lane
    longest_lane: float = 200.0  #: m; with a detector, a lane is held until it is judged
    checks: Literal["required", "noted"] = "noted"  #: function checks
    check_tolerance: float | None = None  #: share by which a check's response may differ
    batch: float = 0.05  #: s of scans that are located together
    #: s, that traces of a radar of a million samples a second or more wait for one another
    gather: float = 0.3
    #: s, over what a step of the zero must stay; 0: only those that the device tells
    step_hold: float = 0.1
    search: bool = True  #: scores of a metal detector scan by scan, for a tone
    search_memory: float = 3.0  #: s, of the level that the search score is taken from
    cell: float = 0.05  #: m, side of the cells of coverage
    report_interval: float = 1.0  #: s between reports of counters, clocks and cells
    clock_block: float = 5.0  #: s, over what one reading of a clock is taken
    max_held: int = 1 << 26  #: bytes of scans that wait for positions, for each stream
    max_streams: int = 64  #: declared ones beyond it are refused

    def __post_init__(self) -> None:
        for name in (
            *("max_fix_gap", "max_scan_gap", "hold", "possible_speed", "time_jump", "motion"),
            *("jump_distance", "longest_lane", "search_memory", "cell", "report_interval"),
            *("clock_block", "batch"),
        ):
            check_positive(getattr(self, name), name)
        for name in ("lag_bound", "standstill", "step_hold", "least_fix_interval", "gather"):
            check_not_negative(getattr(self, name), name)
        if self.check_tolerance is not None:
            check_positive(self.check_tolerance, "check_tolerance")
        check_count(self.stale_after, "stale_after", least=2)
        check_count(self.max_held, "max_held")
        check_count(self.max_streams, "max_streams")
        if len(self.fix_errors) != len(FixClass) or not min(self.fix_errors) > 0:
            msg = f"Invalid fix_errors {self.fix_errors}. Must be {len(FixClass)} above zero."
            raise ValueError(msg)
        low, high = (check_number(value, "plausible_height") for value in self.plausible_height)
        if low >= high:
            msg = f"Invalid plausible_height {self.plausible_height}. Must rise."
            raise ValueError(msg)
        if self.hold < self.max_fix_gap:
            msg = f"Invalid hold '{self.hold}'. Must be at least max_fix_gap."
            raise ValueError(msg)
        for value in self.origin or ():
            check_number(value, "origin")
        names = [stream.name for stream in self.streams]
        if len(set(names)) != len(names):
            msg = f"Invalid streams {names}. Must have a name each."
            raise ValueError(msg)
        for stream in self.streams:
            if stream.clock is not None:
                check_clock(stream.name, stream.clock, self.task_clock)

    def expected(self, name: str) -> ExpectedStream:
        """
        Return what is known of a stream beside its declaration.

        Parameters
        ----------
        name : str
            Of the stream.

        Returns
        -------
        stream : ExpectedStream
            The defaults if it was not named.
        """
        for stream in self.streams:
            if stream.name == name:
                return stream
        return ExpectedStream(name=name)


def check_clock(name: str, clock: str, task_clock: str) -> None:
    """
    Raise if stamps of a clock can never be brought to the task's.

    Parameters
    ----------
    name : str
        Of the stream.
    clock, task_clock : str
        Of :data:`~minesense.message.CLOCKS`.

    Raises
    ------
    ValueError
        If one is GPS time and the other UTC: leap seconds lie between them.

    Examples
    --------
    >>> check_clock("gnss", "gps", "utc")
    Traceback (most recent call last):
    ValueError: Invalid clock 'gps' of stream 'gnss'. Must not be joined with task clock ...
    """
    if {clock, task_clock} == {"utc", "gps"}:
        msg = (
            f"Invalid clock '{clock}' of stream '{name}'. Must not be joined with task clock "
            f"'{task_clock}': leap seconds lie between them, and stamps of one are never "
            "subtracted from the other. Let the source state its stamps in the task's clock."
        )
        raise ValueError(msg)


def check_declaration(declaration: StreamDeclaration, config: StreamConfig) -> None:
    """
    Raise unless a session of this configuration can use a stream.

    Parameters
    ----------
    declaration : StreamDeclaration
        Of the stream.
    config : StreamConfig
        Of the session.

    Raises
    ------
    ValueError
        If its clock cannot be brought to the task's, or differs from it without a calibrated
        offset; the clock is not the expected one; or geographic positions have no origin.

    Examples
    --------
    >>> from minesense.sweep import Frame
    >>> stream = StreamDeclaration(
    ...     name="gnss", kind="position", clock="host", frame=Frame(), height_datum="geoid",
    ...     lever_arm=(0.0, 0.0, 1.0),
    ... )
    >>> check_declaration(stream, StreamConfig(task_clock="utc"))
    Traceback (most recent call last):
    ValueError: Invalid offset_error '0.0' of stream 'gnss' with clock 'host'. Must be stated...
    """
    name, clock = declaration.name, declaration.clock
    check_clock(name, clock, config.task_clock)
    wanted = config.expected(name).clock
    if wanted is not None and clock != wanted:
        msg = f"Invalid clock '{clock}' of stream '{name}'. Must be '{wanted}', as configured."
        raise ValueError(msg)
    if clock != config.task_clock and declaration.offset_error <= 0:
        msg = (
            f"Invalid offset_error '{declaration.offset_error}' of stream '{name}' with clock "
            f"'{clock}'. Must be stated, with offset, from a calibration: the task's clock is "
            f"'{config.task_clock}'."
        )
        raise ValueError(msg)
    is_geographic = declaration.kind == "position" and declaration.coordinates != "local"
    if is_geographic and config.origin is None:
        msg = (
            f"Invalid origin None for stream '{name}' with geographic coordinates. Must be "
            "latitude, longitude (degrees) and height (m) of the task's origin."
        )
        raise ValueError(msg)


def read_config(document: dict[str, Any]) -> StreamConfig:
    """
    Return the configuration that a document, such as parsed TOML, describes.

    Parameters
    ----------
    document : dict
        Fields of :class:`StreamConfig` by name; what is left out has its default.

    Returns
    -------
    config : StreamConfig
        The configuration.

    Raises
    ------
    ValueError
        If a field is unknown, of the wrong type or out of range; the message names its path.

    Examples
    --------
    >>> read_config({"task_clock": "utc", "hold": 3.0}).hold
    3.0
    >>> read_config({"task_clock": "utc", "holds": 3.0})
    Traceback (most recent call last):
    ValueError: Invalid configuration: unknown field 'holds'. Must be one of task_clock, ...
    """
    _refuse_unknown(document, StreamConfig)
    for entry, kind in (
        *((item, ExpectedStream) for item in document.get("streams", ())),
        (document.get("limits"), Limits),
    ):
        if isinstance(entry, dict):
            _refuse_unknown(entry, kind)
    try:
        return msgspec.convert(document, StreamConfig)
    except msgspec.ValidationError as error:
        msg = f"Invalid configuration: {error}"
        raise ValueError(msg) from None


def _refuse_unknown(document: dict[str, Any], kind: type) -> None:
    """Raise if a document has a field that its record has not: a limit misspelt is none."""
    known = list(kind.__dataclass_fields__)  # type: ignore[attr-defined]
    for key in document:
        if key not in known:
            msg = (
                f"Invalid configuration: unknown field '{key}'. Must be one of "
                f"{', '.join(known)}."
            )
            raise ValueError(msg)


def load_config(path: str | os.PathLike[str]) -> StreamConfig:
    """
    Return the configuration of a TOML file.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    config : StreamConfig
        The configuration.

    Raises
    ------
    OSError
        If it cannot be read.
    ValueError
        If it is not TOML, or as :func:`read_config`.

    Examples
    --------
    >>> load_config("stream.toml").task_clock  # doctest: +SKIP
    'utc'
    """
    try:
        document = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        msg = f"Invalid configuration '{os.fspath(path)}': {error}. Must be TOML."
        raise ValueError(msg) from None
    return read_config(document)


assert set(CLOCKS) == {"utc", "gps", "host", "sensor"}  # the Literals above repeat them
