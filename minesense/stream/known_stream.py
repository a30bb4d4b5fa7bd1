"""What a session knows of one stream."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..message import StreamDeclaration
from .clock_monitor import ClockMonitor
from .sensor_path import SensorPath
from .timebase import Timebase


@dataclass(slots=True, eq=False)
class KnownStream:
    """What a session knows of one stream."""

    declaration: StreamDeclaration
    base: Timebase
    path: SensorPath | None = None
    monitor: ClockMonitor | None = None
    reference_read: float = -math.inf  #: newest time of the reference at the last reading
    disagrees: bool = False  #: its clock was set to what the others do not say
    is_stopped: bool = False
    last_check: float = -math.inf  #: s, of the last function check that was passed
    response: float | None = None  #: of the first function check
    last_time: float = -math.inf  #: s, of the last message taken
    heard: float = -math.inf  #: newest time of all streams when its last message came
