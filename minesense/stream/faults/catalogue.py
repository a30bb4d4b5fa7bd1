"""All faults: their numbers, how each is injected, and the behaviour that is required."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...message import Message, Packet
from ..states import Observation
from . import of_link, of_position, of_samples, of_time, requirements
from .items import Change, apply
from .requirements import Check, flagged


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """
    A fault that can be injected into packets or messages.

    `inject` changes nothing before `after`; `check` tells from the events of a session with
    this `config` whether it did what is required.
    """

    number: int  #: of the table of faults
    name: str
    required: str  #: behaviour, in words
    change: Change
    check: Check
    options: Mapping[str, Any] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)  #: what the check needs
    sensor: Mapping[str, Any] = field(default_factory=dict)  #: of every expected sensor stream
    lateness: float = 0.0  #: s, declared of every stream
    is_from_start: bool = False  #: whether it changes declarations, before all else

    def inject(
        self,
        packets: Sequence[Packet] | Sequence[Message],
        rng: np.random.Generator,
        *,
        after: float,
        **options: Any,
    ) -> list[Any]:
        """
        Return packets or messages with the fault.

        Parameters
        ----------
        packets : sequence of Packet or of messages
            In the order of their arrival.
        rng : numpy.random.Generator
            Of what is drawn.
        after : float
            Seconds of the streams before which nothing is changed, but declarations.
        **options
            Of the fault, beside its own.

        Returns
        -------
        changed : list
            Of the kind that was given.

        Raises
        ------
        TypeError, ValueError
            If packets cannot be decoded, or an option is out of range.

        Examples
        --------
        >>> import numpy as np
        >>> from minesense.message import SensorMessage
        >>> from minesense.stream.faults import FAULTS
        >>> scans = [
        ...     SensorMessage(
        ...         stream="a", sequence=k, stamp=0.5 * k, samples=np.zeros((1, 1), np.float32)
        ...     )
        ...     for k in range(6)
        ... ]
        >>> cut = FAULTS["link cut"].inject(scans, np.random.default_rng(1), after=1.0)
        >>> [scan.stamp for scan in cut]
        [0.0, 0.5]
        """
        return apply(
            self.change, packets, rng, after=after, options={**self.options, **options}
        )


def _limits(**limits: float) -> dict[str, Any]:
    return {"limits": limits}


_N, _I, _P = (
    Observation.NOT_OBSERVED,
    Observation.INVALID,
    Observation.PARTIALLY_OBSERVED,
)

_ALL = (
    Fault(
        number=1,
        name="identical packet twice",
        required="the first is kept, the second counted",
        change=of_time.duplicate,
        check=requirements.duplicates_identical,
    ),
    Fault(
        number=1,
        name="two packets under one stamp",
        required="both kept in order, TIME_DUPLICATE, no division by zero",
        change=of_time.duplicate,
        options={"identical": False},
        check=requirements.duplicates_different,
    ),
    Fault(
        number=2,
        name="sub-second part lost",
        required="TIME_COARSE, spread by the declared rate, error widened",
        change=of_time.lose_subseconds,
        check=requirements.coarse,
    ),
    Fault(
        number=3,
        name="date jump of one packet",
        required="the packet TIME_JUMP, not processed",
        change=of_time.jump_date,
        check=requirements.date_jump_of_one,
    ),
    Fault(
        number=3,
        name="date jump that stays",
        required="new lane",
        change=of_time.jump_date,
        options={"sustained": True},
        check=requirements.date_jump_sustained,
    ),
    Fault(
        number=4,
        name="packets out of order, within the lateness",
        required="put in order",
        change=of_time.reorder,
        lateness=0.2,
        check=requirements.reordered_within,
    ),
    Fault(
        number=4,
        name="packets out of order, too late",
        required="LATE, counted, not processed",
        change=of_time.reorder,
        options={"delay": 0.3},
        check=requirements.reordered_late,
    ),
    Fault(
        number=5,
        name="link cut",
        required="GAP, new lane, the interval not observed",
        change=of_time.cut_link,
        check=requirements.link_cut,
    ),
    Fault(
        number=6,
        name="lag that nobody calibrated",
        required="position error widened by speed times the bound",
        change=of_time.lag,
        check=requirements.lag_widens,
    ),
    Fault(
        number=7,
        name="clocks mixed",
        required="refused: clock types differ",
        change=of_time.mix_clocks,
        is_from_start=True,
        check=requirements.refused,
    ),
    Fault(
        number=8,
        name="time of day rolls over",
        required="a step back that no date explains is TIME_BACKWARD, new lane",
        change=of_time.roll_midnight,
        check=requirements.midnight,
    ),
    Fault(
        number=9,
        name="clock drift",
        required="estimated; beyond its bound DRIFT, INVALID from the last good reading",
        change=of_time.drift_clock,
        options={"rate": 0.01},
        config={"clock_block": 1.0},
        check=requirements.drift,
    ),
    Fault(
        number=10,
        name="fix lost",
        required="POSE_NONE, not observed, alarms kept, unlocated",
        change=of_position.lose_fix,
        check=requirements.fix_lost,
    ),
    Fault(
        number=10,
        name="position stream stops",
        required="holds the others for `hold` at most, then POSE_NONE",
        change=of_time.stop_positions,
        check=requirements.fix_lost,
    ),
    Fault(
        number=11,
        name="degraded fix",
        required="POSE_COARSE, its error; beyond the limit not observed",
        change=of_position.degrade_fix,
        check=requirements.fix_coarse,
    ),
    Fault(
        number=12,
        name="stale fix",
        required="POSE_STALE, as good as none",
        change=of_position.repeat_fix,
        check=flagged("POSE_STALE", state=_N),
    ),
    Fault(
        number=13,
        name="jump at re-acquisition",
        required="POSE_JUMP, new lane, nothing credited since the last good fix",
        change=of_position.jump_fix,
        check=requirements.fix_jump,
    ),
    Fault(
        number=14,
        name="height datum mixed up",
        required="HEIGHT_UNKNOWN",
        change=of_position.mix_height,
        check=flagged("HEIGHT_UNKNOWN", state=_P),
    ),
    Fault(
        number=15,
        name="lever arm of the wrong sign",
        required="places of opposite tracks disagree",
        change=of_position.turn_lever_arm,
        is_from_start=True,
        check=requirements.arm_turned,
    ),
    Fault(
        number=16,
        name="standstill without heading",
        required="error widened by the lever arm, nothing credited beyond the limit",
        change=of_position.stand_without_heading,
        is_from_start=True,
        check=requirements.standstill,
    ),
    Fault(
        number=17,
        name="saturation",
        required="SATURATED, INVALID, an alarm of its own",
        change=of_samples.saturate,
        sensor={"full_scale": 1000.0},
        check=requirements.saturation,
    ),
    Fault(
        number=18,
        name="zero set, not told",
        required="BASELINE_STEP, stages restart with EDGE",
        change=of_samples.rezero,
        check=requirements.zero_set,
    ),
    Fault(
        number=18,
        name="zero set, told by the device",
        required="BASELINE_STEP, stages restart with EDGE",
        change=of_samples.rezero,
        options={"is_told": True, "by": 1.0},
        check=requirements.zero_set,
    ),
    Fault(
        number=19,
        name="level drifts",
        required="DRIFT beyond the limit of its rate",
        change=of_samples.drift_level,
        sensor={"drift_limit": 1.0},
        check=flagged("DRIFT", state=_I),
    ),
    Fault(
        number=20,
        name="hum of the mains",
        required="INTERFERENCE, INVALID; the threshold stays",
        change=of_samples.add_hum,
        config=_limits(noise=3.0),
        check=flagged("INTERFERENCE", state=_I),
    ),
    Fault(
        number=21,
        name="cross-talk of coils",
        required="one alarm for the same echo",
        change=of_samples.cross_talk,
        check=requirements.echoes_in_two_coils,
    ),
    Fault(
        number=22,
        name="battery sags",
        required="the function check tells; INVALID back to the last pass",
        change=of_samples.sag_gain,
        config={"check_tolerance": 0.2},
        check=requirements.gain_sagged,
    ),
    Fault(
        number=23,
        name="stuck channel",
        required="STUCK, INVALID",
        change=of_samples.stick,
        check=flagged("STUCK", state=_I),
    ),
    Fault(
        number=23,
        name="dropped channel",
        required="STUCK, INVALID",
        change=of_samples.drop_channel,
        check=requirements.silent,
    ),
    Fault(
        number=24,
        name="NaN and infinite values",
        required="NOT_FINITE, kept in place, not observed",
        change=of_samples.break_values,
        check=requirements.values_broken,
    ),
    Fault(
        number=25,
        name="head bounces",
        required="MOTION, at best partially observed; alarms stay",
        change=of_position.bounce,
        config={"motion": 0.5},
        check=flagged("MOTION", state=_P),
    ),
    Fault(
        number=26,
        name="head lifted",
        required="HEIGHT_LIMIT, not credited",
        change=of_position.lift,
        check=flagged("HEIGHT_LIMIT", state=_N),
    ),
    Fault(
        number=26,
        name="head tilted",
        required="TILT_LIMIT, not credited",
        change=of_position.tilt,
        config=_limits(tilt=0.3),
        check=flagged("TILT_LIMIT", state=_N),
    ),
    Fault(
        number=27,
        name="ground missed between lines",
        required="not observed: a gap, another part, no cell between",
        change=of_position.miss_ground,
        check=requirements.ground_missed,
    ),
    Fault(
        number=28,
        name="too fast",
        required="SPEED_LIMIT, partially observed",
        change=of_position.hasten,
        check=flagged("SPEED_LIMIT", state=_P),
    ),
    Fault(
        number=29,
        name="step and hole under the filters",
        required="no output without input; ringing bounded",
        change=of_samples.step_and_hole,
        config={"step_hold": 0.0},
        check=requirements.step_and_hole,
    ),
    Fault(
        number=30,
        name="restart behind a gap",
        required="EDGE while the memory of the stages fills, not credited",
        change=of_time.cut_link,
        options={"seconds": 1.0},
        check=requirements.restart_transient,
    ),
    Fault(
        number=31,
        name="settings changed",
        required="SETTING_CHANGED, INVALID until a function check",
        change=of_samples.change_settings,
        check=requirements.settings_changed,
    ),
)

#: All that change messages, by name.
FAULTS: Mapping[str, Fault] = {fault.name: fault for fault in _ALL}

#: Numbers of the table that do not change messages, and where they are injected.
ELSEWHERE: Mapping[int, str] = {
    5: "frames: reconnect_mid_frame, tear, corrupt, oversize",
    32: "the queue: fall_behind; a recorder whose disk is full",
    33: "truth files of the simulator, which the scorer refuses by their hash",
}

#: Faults of bytes and of the receiver, by name.
LINK_FAULTS = {
    "reconnect mid-frame": of_link.reconnect_mid_frame,
    "torn frame": of_link.tear,
    "corrupt frame": of_link.corrupt,
    "oversized frame": of_link.oversize,
}
