"""
Live streams: a pure session, the queue in front of it, replay, and injectable faults.

:class:`Session` turns messages into events. It has no I/O, reads no clock and starts no
thread, so that a replay of what was recorded gives the same events bit for bit.
"""

from .config import (
    ExpectedStream,
    Limits,
    StreamConfig,
    check_clock,
    check_declaration,
    load_config,
    read_config,
)
from .daytime import DayTime
from .session import Session
from .states import Observation, observation_of, reasons_of

__all__ = [
    "DayTime",
    "ExpectedStream",
    "Limits",
    "Observation",
    "Session",
    "StreamConfig",
    "check_clock",
    "check_declaration",
    "load_config",
    "observation_of",
    "read_config",
    "reasons_of",
]
