"""Which declarations a session admits, and what it can do with the scans of a sensor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..detect import check_sensor
from ..detect.screen import Screen
from ..message import StreamDeclaration
from ..sweep import Quality, no_traces
from .config import StreamConfig, check_declaration
from .known_stream import KnownStream
from .lanes import LaneBook
from .poses import PoseTrack
from .sensor_path import SensorPath


def check_admissible(
    declaration: StreamDeclaration, config: StreamConfig, streams: Mapping[str, KnownStream]
) -> None:
    """
    Raise unless a declaration can be used.

    Parameters
    ----------
    declaration : StreamDeclaration
        Of a new stream, or a known one with other words.
    config : StreamConfig
        Of the session.
    streams : mapping of str to KnownStream
        By name, those that were admitted before.

    Raises
    ------
    ValueError
        If it does not fit the configuration, is one too many, or a known stream is of another
        kind.
    ImportError
        If its positions need pyproj, which is not there.
    """
    check_declaration(declaration, config)
    known = streams.get(declaration.name)
    if known is None and len(streams) >= config.max_streams:
        msg = (
            f"Invalid stream '{declaration.name}'. Must be one of at most {config.max_streams}."
        )
        raise ValueError(msg)
    if known is not None and known.declaration.kind != declaration.kind:
        msg = (
            f"Invalid kind '{declaration.kind}' of stream '{declaration.name}'. Must be "
            f"'{known.declaration.kind}', as declared before."
        )
        raise ValueError(msg)
    if declaration.coordinates == "geographic" and declaration.kind == "position":
        PoseTrack(declaration, config)  # raises if pyproj is not there


def new_path(
    declaration: StreamDeclaration,
    book: LaneBook,
    config: StreamConfig,
    *,
    judged: Sequence[SensorPath],
) -> tuple[SensorPath, str]:
    """
    Return the way of a sensor's scans, and why they cannot be screened or judged.

    Parameters
    ----------
    declaration : StreamDeclaration
        Of the sensor.
    book : LaneBook
        With the settings and the detector of the session; it waits for the stream from now on.
    config : StreamConfig
        Of the session.
    judged : sequence of SensorPath
        Of the other sensors.

    Returns
    -------
    path : SensorPath
        With OUT_OF_DOMAIN on all scans that no stage can take, or the detector does not know.
    unscreened : str
        Why; empty if there is nothing to say.
    """
    sensor, reason = declaration.sensor, ""
    assert sensor is not None
    path = SensorPath(declaration, config, book)
    book.register(declaration.name)
    try:
        screen = Screen(book.settings, keep=False)
        screen.push(no_traces(sensor, "test"))
    except ValueError as error:
        reason = f"No alarms of a prescreener: {error}"
        path.is_screened = False
        path.sticky |= int(Quality.OUT_OF_DOMAIN)
    if book.detector is not None:
        try:
            check_sensor(sensor, book.detector.sensors)
            _refuse_second(sensor.kind, judged)
        except ValueError as error:
            reason = reason or f"Its places are not judged: {error}"
            path.is_judged = False
            path.sticky |= int(Quality.OUT_OF_DOMAIN)
    if config.checks == "required":
        path.sticky |= int(Quality.CHECK_FAILED)
    return path, reason


def _refuse_second(kind: str, judged: Sequence[SensorPath]) -> None:
    """Raise if the detector listens to another sensor of the kind: it knows one."""
    for other in judged:
        if other.is_judged and other.sensor.kind == kind:
            name = other.declaration.name
            msg = f"Invalid sensor of kind '{kind}'. Must be one, and stream '{name}' is."
            raise ValueError(msg)
