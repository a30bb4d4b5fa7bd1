"""Test the alarms of a part of a lane: once for each stretch, each with its own error."""

import dataclasses
import math

import numpy as np
import pytest

from minesense.alarm import Candidate
from minesense.stream.part_alarms import PartAlarms
from minesense.stream.pose_limits import nowhere
from minesense.stream.stretches import PartName
from minesense.sweep import Quality

NAME = PartName(stream="coils", lane="A", number=3)


def poses_of(n):
    """Return poses of scans along a line, each a little worse than the one before."""
    place = np.column_stack([np.zeros(n), np.arange(n), np.zeros(n)])
    return dataclasses.replace(nowhere(n, 0), position=place, error=0.01 * np.arange(1, n + 1))


@pytest.mark.parametrize("cuts", [[], [2], [3], [4], [5], [1, 3, 4, 6], list(range(1, 9))])
def test_a_saturated_stretch_raises_one_alarm_wherever_chunks_end(cuts):
    """At its first scan."""
    flags = np.zeros(9, np.int64)
    flags[[2, 3, 4, 7]] = int(Quality.SATURATED | Quality.HEIGHT_UNKNOWN)
    alarms, poses = PartAlarms(NAME, "emi", is_located=True), poses_of(9)
    found = []
    for a, b in zip([0, *cuts], [*cuts, 9], strict=True):
        part = dataclasses.replace(poses, position=poses.position[a:b], error=poses.error[a:b])
        found += alarms.of_saturation(np.arange(a, b, dtype=float), flags[a:b], part)
    assert [(e.kind, e.time, e.northing, e.score) for e in found] == [
        ("saturation", 2.0, 2.0, math.inf),
        ("saturation", 7.0, 7.0, math.inf),
    ]
    assert [e.position_error for e in found] == pytest.approx([0.03, 0.08])
    assert [e.identifier for e in found] == ["coils/A/3/1", "coils/A/3/2"]


@pytest.mark.parametrize(("time", "error"), [(0.0, 0.1), (1.0, 0.2), (1.5, 0.3), (9.0, 0.3)])
@pytest.mark.parametrize("is_located", [True, False])
def test_the_alarm_of_a_candidate_has_the_error_of_its_trace(time, error, is_located):
    """Of the first one that is not before it; none without a place."""
    alarms = PartAlarms(NAME, "gpr", is_located=is_located)
    alarms.note_errors(np.array([0.0, 1.0]), np.array([0.1, 0.2]))
    alarms.note_errors(np.array([2.0]), np.array([0.3]))
    assert alarms.newest == 2.0
    candidate = Candidate(
        sensor="gpr",
        lane="A",
        trace=5,
        channel=2,
        time=time,
        easting=1.0,
        northing=2.0,
        two_way_time=3e-9,
        score=8.0,
    )
    alarm = alarms.of_candidate(candidate, latency=0.4)
    assert (alarm.kind, alarm.channel, alarm.score) == ("prescreener", 2, 8.0)
    assert (alarm.two_way_time, alarm.declared_latency) == (3e-9, 0.4)
    assert alarm.position_error == (error if is_located else math.inf)
    assert math.isnan(alarm.easting) is not is_located
