"""What must be seen of every fault, checked on the events that it led to."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from ...sweep import UNUSABLE, Quality
from ..events import (
    AlarmRaised,
    ClockEstimate,
    CoverageStretch,
    Invalidated,
    LaneBegun,
    LaneChunk,
    QualityChanged,
    StreamRefused,
)
from ..states import Observation
from .outcome import Outcome

Check: TypeAlias = Callable[[Outcome], list[str]]

#: Seconds from a fault to where it must be seen: fixes, the step of the zero, one chunk.
_SOON = 1.0


def failing(**claims: bool) -> list[str]:
    """
    Return the names of claims that do not hold.

    Parameters
    ----------
    **claims : bool
        By what is claimed.

    Returns
    -------
    failures : list of str
        In words.

    Examples
    --------
    >>> failing(is_told=True, is_counted=False)
    ['not: is counted']
    """
    return [f"not: {name.replace('_', ' ')}" for name, holds in claims.items() if not holds]


def flagged(flag: str, *, state: Observation | None = None, least: int = 10) -> Check:
    """
    Return a check that scans carry a flag, and that nothing under them counts as observed.

    Parameters
    ----------
    flag : str
        Name of the flag.
    state : Observation, optional
        State that its stretches must have at least.
    least : int
        Scans that must have it.

    Returns
    -------
    check : callable
        From an outcome to failures.
    """

    def check(outcome: Outcome) -> list[str]:
        own = [event for event in outcome.all(CoverageStretch) if flag in event.reasons]
        worst = state or Observation.PARTIALLY_OBSERVED
        lights = any(flag in event.added for event in outcome.all(QualityChanged))
        return failing(
            **{
                f"{flag}_is_a_reason": sum(event.n_scans for event in own) >= least,
                f"{flag}_is_at_least_{worst.name}": all(event.state >= worst for event in own),
                f"{flag}_begins_with_the_fault": all(
                    event.stop_time >= outcome.begin - 3.0 for event in own
                ),
                "a_light_tells_it": lights or not own,
            }
        )

    return check


def duplicates_identical(outcome: Outcome) -> list[str]:
    """Check that the same packet twice counts once: alarms are those without it."""
    return failing(
        duplicates_counted=outcome.total("duplicate") > 0,
        same_alarms=_alarms(outcome.events) == _alarms(outcome.plain),
    )


def duplicates_different(outcome: Outcome) -> list[str]:
    """Check that two packets under one stamp are both kept, in order, flagged."""
    chunks = outcome.all(LaneChunk)
    return failing(
        none_rejected=outcome.total("duplicate") == 0,
        flagged=outcome.scans_with("TIME_DUPLICATE") > 0,
        time_rises=all((np.diff(chunk.sweep.time) > 0).all() for chunk in chunks),
        no_infinite_speed=all(
            np.isfinite(chunk.position_error).all() for chunk in chunks if len(chunk.sweep)
        ),
    )


def coarse(outcome: Outcome) -> list[str]:
    """Check that lost digits are seen, spread by the rate, and widen the error."""
    chunks = [c for c in outcome.all(LaneChunk) if len(c.sweep)]
    is_coarse = [(c.sweep.quality & int(Quality.TIME_COARSE)) != 0 for c in chunks]
    wide = [c.position_error[k] for c, k in zip(chunks, is_coarse, strict=True)]
    plain = [c.position_error[~k] for c, k in zip(chunks, is_coarse, strict=True)]
    widest, usual = np.concatenate(wide), np.concatenate(plain)
    return [
        *flagged("TIME_COARSE", least=50)(outcome),
        *failing(
            error_widened=bool(len(widest)) and widest.mean() > usual.min(),
            nothing_rejected=outcome.total("late") + outcome.total("time_jump") == 0,
        ),
    ]


def date_jump_of_one(outcome: Outcome) -> list[str]:
    """Check that one outlier is rejected, and nothing else changes but its scan."""
    return failing(
        rejected_once=outcome.rejected("time_jump") == 1,
        same_lane=len(outcome.all(LaneBegun)) == len(_begun(outcome)),
    )


def date_jump_sustained(outcome: Outcome) -> list[str]:
    """Check that a clock that was set begins a new lane, without a rejected scan."""
    return failing(
        new_parts=len(outcome.all(LaneBegun)) > len(_begun(outcome)),
        nothing_lost=outcome.rejected("time_jump") == 0,
    )


def midnight(outcome: Outcome) -> list[str]:
    """Check that a step back by a day is TIME_BACKWARD, and begins a new lane."""
    return [
        *failing(new_parts=len(outcome.all(LaneBegun)) > len(_begun(outcome))),
        *failing(time_backward_is_a_reason=outcome.scans_with("TIME_BACKWARD") > 0),
    ]


def reordered_late(outcome: Outcome) -> list[str]:
    """Check that what is older than the watermark is counted, told and flagged."""
    return [
        *failing(
            late_counted=outcome.total("late") > 0,
            late_told=outcome.rejected("late") == outcome.total("late"),
        ),
        *flagged("LATE", least=1, state=Observation.NOT_OBSERVED)(outcome),
    ]


def reordered_within(outcome: Outcome) -> list[str]:
    """Check that what comes within its lateness is put in order: nothing changes."""
    return failing(
        reordered_counted=outcome.total("reordered") > 0,
        none_late=outcome.total("late") == 0,
        same_alarms=_alarms(outcome.events) == _alarms(outcome.plain),
    )


def link_cut(outcome: Outcome) -> list[str]:
    """Check that a cut is a gap with what is missing, and that a new lane begins."""
    gaps = outcome.gaps("time")
    return failing(
        gap_told=bool(gaps) and any(gap.stop_time - gap.start_time > 2.0 for gap in gaps),
        missing_counted=outcome.total("missing") > 0 and any(gap.n_lost for gap in gaps),
        new_parts=len(outcome.all(LaneBegun)) > len(_begun(outcome)),
        no_stretch_across=not any(
            event.start_time < gap.start_time and event.stop_time > gap.stop_time
            for gap in gaps
            for event in outcome.all(CoverageStretch)
            if event.stream == gap.stream
        ),
    )


def lag_widens(outcome: Outcome) -> list[str]:
    """Check that a lag that nobody calibrated widens every position error."""
    plain = [e for e in outcome.plain if isinstance(e, LaneChunk) and len(e.sweep)]
    before = min(float(chunk.position_error.min()) for chunk in plain)
    chunks = [chunk for chunk in outcome.all(LaneChunk) if len(chunk.sweep)]
    after = min(float(chunk.position_error.min()) for chunk in chunks)
    return failing(error_widened=after > before + 0.5 * outcome.config.lag_bound * 0.3)


def refused(outcome: Outcome) -> list[str]:
    """Check that a stream is refused, with words, and its messages are counted."""
    return failing(
        refused_in_words=bool(outcome.all(StreamRefused)),
        counted=outcome.total("undeclared") > 0,
        nothing_observed=outcome.total("observed") == 0,
    )


def drift(outcome: Outcome) -> list[str]:
    """Check that drift is estimated, told, and takes back what it touched."""
    bad = [e for e in outcome.all(ClockEstimate) if not e.is_within_bound]
    taken_back = [e for e in outcome.all(Invalidated) if e.reason == "DRIFT"]
    return [
        *failing(
            estimated=bool(bad),
            taken_back=bool(taken_back),
            from_the_last_good=all(e.start_time < e.stop_time for e in taken_back),
        ),
        *flagged("DRIFT", state=Observation.INVALID)(outcome),
    ]


def fix_lost(outcome: Outcome) -> list[str]:
    """Check that scans without a position observe nothing; alarms are kept, unlocated."""
    return [
        *flagged("POSE_NONE", state=Observation.NOT_OBSERVED)(outcome),
        *failing(
            gap_told=bool(outcome.gaps("position")),
            no_place_made_up=all(
                not np.isfinite(chunk.sweep.position).any()
                for chunk in outcome.all(LaneChunk)
                if (chunk.sweep.quality & int(Quality.POSE_NONE)).all()
            ),
        ),
    ]


def fix_coarse(outcome: Outcome) -> list[str]:
    """Check that a degraded fix is flagged, and beyond the limit observes nothing wholly."""
    limits = outcome.config.limits
    own = [e for e in outcome.all(CoverageStretch) if "POSE_COARSE" in e.reasons]
    return [
        *flagged("POSE_COARSE")(outcome),
        *failing(not_wholly_observed=all(e.state > 0 for e in own) and limits is not None),
    ]


def fix_jump(outcome: Outcome) -> list[str]:
    """Check that a jump begins a new lane and credits nothing since the last good fix."""
    begun = outcome.all(LaneBegun)
    return [
        *flagged("POSE_JUMP", least=1, state=Observation.NOT_OBSERVED)(outcome),
        *failing(new_parts=len(begun) > len(_begun(outcome))),
    ]


def arm_turned(outcome: Outcome) -> list[str]:
    """Check that alarms move by twice the lever arm: opposite tracks would disagree."""
    places = [_places(events) for events in (outcome.plain, outcome.events)]
    moved = [abs(b - a) for a, b in zip(*places, strict=False)]
    return failing(places_moved=bool(moved) and max(moved) > 0.3)


def standstill(outcome: Outcome) -> list[str]:
    """Check that at a standstill without heading the error grows by the lever arm."""
    errors = [
        float(chunk.position_error.max())
        for chunk in outcome.all(LaneChunk)
        if len(chunk.sweep)
    ]
    inside = outcome.observed_within(outcome.begin + 1.0, outcome.begin + 4.0)
    return failing(
        error_widened=bool(errors) and max(e for e in errors if math.isfinite(e)) > 0.5,
        nothing_credited=inside == 0,
    )


def saturation(outcome: Outcome) -> list[str]:
    """Check that saturation is invalid and an alarm of its own."""
    alarms = [e for e in outcome.all(AlarmRaised) if e.kind == "saturation"]
    return [
        *flagged("SATURATED", state=Observation.INVALID)(outcome),
        *failing(alarm_of_its_own=bool(alarms) and alarms[0].time >= outcome.begin),
    ]


def zero_set(outcome: Outcome) -> list[str]:
    """Check that a step of the zero is seen, and that the stages restart with EDGE."""
    steps = [e for e in outcome.all(CoverageStretch) if "BASELINE_STEP" in e.reasons]
    return [
        *flagged("BASELINE_STEP", least=1, state=Observation.INVALID)(outcome),
        *failing(
            restarted=len(outcome.all(LaneBegun)) > len(_begun(outcome)),
            edge_behind_it=any(
                _edge_behind(outcome, step.stream, step.stop_time) for step in steps
            ),
        ),
    ]


def echoes_in_two_coils(outcome: Outcome) -> list[str]:
    """Check that the same echo in two coils is one alarm."""
    found = [e for e in outcome.all(AlarmRaised) if e.sensor == "emi" and e.is_located]
    near = [
        (one, two)
        for k, one in enumerate(found)
        for two in found[k + 1 :]
        if math.hypot(one.easting - two.easting, one.northing - two.northing) < 0.2
    ]
    return failing(alarms=bool(found), one_alarm_each=not near)


def gain_sagged(outcome: Outcome) -> list[str]:
    """Check that a function check that tells a change takes back what is since the last."""
    taken_back = [e for e in outcome.all(Invalidated) if e.reason == "CHECK_FAILED"]
    return [
        *failing(
            taken_back=bool(taken_back),
            back_to_the_last_pass=all(e.start_time < outcome.begin for e in taken_back),
        ),
        *flagged("CHECK_FAILED", state=Observation.INVALID)(outcome),
    ]


def values_broken(outcome: Outcome) -> list[str]:
    """Check that broken values keep their place, as NaN, flagged."""
    bad = int(UNUSABLE)
    return [
        *flagged("NOT_FINITE", state=Observation.NOT_OBSERVED)(outcome),
        *failing(
            finite_or_flagged=all(
                np.isfinite(chunk.sweep.samples[(chunk.sweep.quality & bad) == 0]).all()
                for chunk in outcome.all(LaneChunk)
            )
        ),
    ]


def silent(outcome: Outcome) -> list[str]:
    """Check that a channel of zeros is stuck, not quiet ground."""
    return flagged("STUCK", state=Observation.INVALID)(outcome)


def ground_missed(outcome: Outcome) -> list[str]:
    """Check that ground between two lines is in no observed cell: a gap, another part."""
    return failing(
        gap_told=bool(outcome.gaps("time", "distance", "position")),
        new_parts=len(outcome.all(LaneBegun)) > len(_begun(outcome)),
    )


def step_and_hole(outcome: Outcome) -> list[str]:
    """Check that no score is told where there was no input, and that ringing stays small."""
    begin = outcome.begin
    inside = [
        chunk.sweep.samples[(chunk.sweep.time > begin + 1.1) & (chunk.sweep.time < begin + 1.4)]
        for chunk in outcome.all(LaneChunk)
    ]
    told = [part for part in inside if len(part)]
    alarms = [e for e in outcome.all(AlarmRaised) if begin + 6.0 < e.time]
    plain = [e for e in _prescreened(outcome.plain) if begin + 6.0 < e.time]
    return failing(
        hole_was_passed=bool(told),
        no_output_without_input=not any(np.isfinite(part).any() for part in told),
        no_ringing_far_behind=len(alarms) <= len(plain) + 2,
    )


def restart_transient(outcome: Outcome) -> list[str]:
    """Check that what the stages could not judge behind a gap is EDGE, not observed."""
    gaps = [gap for gap in outcome.gaps("time") if gap.stop_time - gap.start_time > 0.5]
    edges = [e for e in outcome.all(CoverageStretch) if "EDGE" in e.reasons]
    return failing(
        gap_told=bool(gaps),
        edge_behind_it=all(_edge_behind(outcome, gap.stream, gap.stop_time) for gap in gaps),
        edge_not_observed=all(e.state >= Observation.NOT_OBSERVED for e in edges),
    )


def settings_changed(outcome: Outcome) -> list[str]:
    """Check that new settings are invalid until a function check is passed."""
    late = outcome.observed_within(outcome.begin + _SOON, math.inf)
    return [
        *flagged("SETTING_CHANGED", state=Observation.INVALID)(outcome),
        *failing(nothing_observed_since=late == 0),
    ]


def fell_behind(outcome: Outcome) -> list[str]:
    """Check that what the live path lost is counted, a gap, and not observed."""
    gaps = outcome.gaps("overflow")
    return failing(
        counted=outcome.total("overflow") > 0,
        gap_told=bool(gaps),
        new_parts=len(outcome.all(LaneBegun)) > len(_begun(outcome)),
    )


def _begun(outcome: Outcome) -> list[LaneBegun]:
    return [event for event in outcome.plain if isinstance(event, LaneBegun)]


def _prescreened(events: tuple[object, ...]) -> list[AlarmRaised]:
    return [e for e in events if isinstance(e, AlarmRaised) and e.kind == "prescreener"]


def _alarms(events: tuple[object, ...]) -> list[tuple[float, ...]]:
    """Return alarms without their numbers."""
    return [(e.time, e.channel, e.easting, e.northing, e.score) for e in _prescreened(events)]


def _places(events: tuple[object, ...]) -> list[float]:
    """Return northings of the strongest alarms of each kind of sensor, in order of place."""
    found = sorted(_prescreened(events), key=lambda e: -e.score)[:2]
    return sorted(e.northing for e in found)


def _edge_behind(outcome: Outcome, stream: str, time: float) -> bool:
    """Return whether scans of a stream soon behind a restart have EDGE as a reason."""
    return any(
        "EDGE" in e.reasons
        and e.stream == stream
        and time - 1e-6 <= e.start_time <= time + _SOON
        for e in outcome.all(CoverageStretch)
    )
