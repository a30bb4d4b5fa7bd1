"""Where something was noticed: candidates of a prescreener, alarms of a detector."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

#: Said wherever alarms leave the program.
SAFETY_TEXT = (
    "minesense is software for research and decision support. It cannot find every mine "
    'and certifies nothing about any ground. "No alarm" means only that no threshold was '
    "crossed in data that met the stated limits. Do not use it to decide whether anyone "
    "may enter an area: search, clearance and land release are the work of accredited "
    "organisations and of the national authority, under national standards and IMAS. "
    "Results on synthetic data say nothing about performance in the field."
)

#: Radius of the disc that holds 95 % of a circular normal error of standard deviation 1.
DISC_95 = math.sqrt(-2 * math.log(0.05))


@dataclass(frozen=True, slots=True)
class Feature:
    """The name of a feature of candidates, its unit and what it is."""

    name: str
    unit: str
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A place where the score of one sensor is a local maximum above its threshold."""

    sensor: str  #: kind of the sensor, "gpr" or "emi"
    lane: str
    trace: int  #: index in the lane
    channel: int
    time: float  #: s
    easting: float  #: m; NaN where the recording has no position
    northing: float  #: m
    score: float
    two_way_time: float = math.nan  #: s, of the strongest depth bin (radar)
    quality: int = 0  #: flags of the trace


@dataclass(frozen=True, slots=True, kw_only=True)
class Withheld:
    """A stretch of a lane of which a cap held candidates back: what was found there is more."""

    sensor: str  #: kind of the sensor, "gpr" or "emi"
    lane: str
    start_time: float  #: s, of its first trace
    stop_time: float  #: s, of its last trace
    area: float  #: m^2
    n_found: int
    n_kept: int
    best_score: float  #: of the strongest candidate held back


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """A place that the detector asks to have looked at."""

    identifier: str
    lane: str
    time: float  #: s
    easting: float  #: m
    northing: float  #: m
    position_error: float  #: m, one standard deviation of the horizontal position
    depth: float  #: m below the surface; NaN if the sensors do not tell
    probability: float  #: calibrated, of a mine; NaN if probabilities are withheld
    score: float  #: what alarms are ranked by; higher is more like a mine
    evidence: Mapping[str, float] = field(default_factory=dict)  #: by name, each sensor's
    quality: int = 0  #: flags of the traces it was made from
    model: str = ""  #: identity of the model
