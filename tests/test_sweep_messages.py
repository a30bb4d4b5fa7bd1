"""Test what the sensors of a sweep would have sent: only what is known, and all of that."""

import math

import numpy as np
import pytest
from lanes import make_sensor

from minesense.message import DeviceFlag, FixClass
from minesense.sweep import Quality, Sweep
from minesense.sweep_messages import position_of, regular_rate, scan_of


def sweep_of(*quality):
    """Return a sweep with a trace of each quality; those without a pose hold NaN."""
    n = len(quality)
    lost = np.array([bool(flags & Quality.POSE_NONE) for flags in quality])
    place = np.where(lost[:, None], np.nan, np.arange(3.0 * n).reshape(n, 3))
    sensor = make_sensor()
    return Sweep(
        samples=np.zeros((n, *sensor.shape)), time=np.arange(n), position=place,
        heading=np.where(lost, np.nan, 0.5), quality=[int(flags) for flags in quality],
        sensor=sensor,
    )  # fmt: skip


def test_a_trace_without_a_pose_tells_none():
    """Neither a place nor a heading, not even zeros."""
    sweep = sweep_of(Quality(0), Quality.POSE_NONE, Quality.POSE_COARSE)
    good, lost, coarse = (position_of(sweep, k, "p", stamp=k, sequence=k) for k in range(3))
    assert (good.coordinates, good.fix, good.heading) == ((0, 1, 2), FixClass.TRACKED, 0.5)
    assert all(map(math.isnan, (*lost.coordinates, lost.heading)))
    assert lost.fix == FixClass.NONE
    assert (coarse.coordinates, coarse.fix) == ((6, 7, 8), FixClass.SINGLE)


@pytest.mark.parametrize(
    ("flag", "said"),
    [
        (Quality.SATURATED, DeviceFlag.SATURATED),
        (Quality.STUCK, DeviceFlag.INVALID),
        (Quality.NOT_FINITE, DeviceFlag.INVALID),
        (Quality.SETTING_CHANGED, DeviceFlag.SETTING_CHANGED),
        (Quality.BASELINE_STEP, DeviceFlag.REZEROED),
        (Quality.INTERFERENCE, DeviceFlag.INTERFERENCE),
        (Quality.HEIGHT_UNKNOWN, DeviceFlag(0)),
    ],
)
def test_a_device_says_what_it_can_of_a_flag(flag, said):
    assert scan_of(sweep_of(flag), 0, stamp=0.0, sequence=0).flags == said


@pytest.mark.parametrize(
    ("time", "rate"),
    [
        (0.5 * np.arange(20), 2.0),
        (np.delete(0.5 * np.arange(30), [7]), 2.0),  # one step in 28 is longer
        (np.delete(0.5 * np.arange(30), [3, 7, 11, 15, 19]), None),
        (np.cumsum(np.arange(1.0, 9.0)), None),
        (np.array([3.0]), None),
        (np.array([0.0, 5e-324]), None),
    ],
)
def test_a_rate_is_told_only_of_a_clock(time, rate):
    """Which nine in ten steps keep to a hundredth."""
    assert regular_rate(time) == rate
