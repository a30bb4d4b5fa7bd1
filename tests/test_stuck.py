"""Channels that repeat themselves are flagged, however a lane is cut."""

import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minesense.detect import DetectorSettings, Screen, observed
from minesense.sensor import Radar, Sensor
from minesense.stuck import REPEATS, StuckFinder
from minesense.sweep import Quality, Sweep, join

N_CHANNELS, N_SAMPLES = 2, 4
SENSOR = Sensor(
    name="demo", kind="gpr", axis=1e-10 * np.arange(N_SAMPLES), lever_arms=np.zeros((2, 3))
)

#: Traces as letters for each channel: the same letter is the same trace, "-" a flat one.
words = st.lists(st.tuples(*[st.sampled_from("abc-")] * N_CHANNELS), min_size=1, max_size=14)


def lane_of(traces):
    """Return a lane whose channels repeat what the letters say."""
    noise = np.random.default_rng(seed=0).normal(size=(3, N_SAMPLES)).astype(np.float32)
    known = {"a": noise[0], "b": noise[1], "c": noise[2], "-": np.full(N_SAMPLES, 7.0)}
    samples = np.array([[known[letter] for letter in trace] for trace in traces])
    n = len(traces)
    return Sweep(
        samples=samples,
        time=np.arange(float(n)),
        position=np.zeros((n, 3)),
        heading=np.zeros(n),
        sensor=SENSOR,
    )


def slowly(traces):
    """Return which traces are stuck, letter by letter."""
    stuck = []
    for k, trace in enumerate(traces):
        found = False
        for c, letter in enumerate(trace):
            repeats = [t[c] for t in traces[max(0, k - REPEATS + 1) : k + 1]]
            found |= letter == "-" or (len(repeats) == REPEATS and len(set(repeats)) == 1)
        stuck.append(found)
    return stuck


@given(words, st.lists(st.integers(0, 14), max_size=4).map(sorted))
def test_repeats_are_found_however_the_lane_is_cut(traces, cuts):
    """The third of equal traces on, and every flat one; on either channel."""
    lane, finder = lane_of(traces), StuckFinder()
    bounds = [0, *[min(c, len(lane)) for c in cuts], len(lane)]
    parts = [finder.flag(lane[a:b]) for a, b in itertools.pairwise(bounds)]
    flagged = join(parts)
    assert ((flagged.quality & Quality.STUCK) != 0).tolist() == slowly(traces)
    np.testing.assert_array_equal(flagged.samples, lane.samples)


def test_flagged_traces_stay_as_they_are():
    """NaN is no repeat, and a trace that is unusable needs no second reason."""
    lane = lane_of([("a", "b")] * 5)
    samples = lane.samples.copy()
    samples[2:] = np.nan
    quality = np.where(np.arange(5) >= 2, int(Quality.NOT_FINITE), 0)
    lane = dataclasses.replace(lane, samples=samples, quality=quality)
    assert StuckFinder().flag(lane).quality.tolist() == quality.tolist()


@pytest.mark.parametrize("dead", ["zeros", "ones", "frozen", "one channel"])
def test_ground_under_a_dead_radar_is_not_observed(dead):
    """Half a lane without news counts as not observed, with the reason."""
    rng = np.random.default_rng(seed=3)
    sensor = Sensor(
        name="demo",
        kind="gpr",
        axis=1e-10 * np.arange(64),
        lever_arms=[[0, 0, 0], [0.1, 0, 0]],
        radar=Radar(centre_frequency=1.5e9),
    )
    northing = 0.025 * np.arange(800)
    samples = rng.normal(size=(800, 2, 64))
    samples[:, :, 12] += 30.0
    if dead == "frozen":
        samples[400:] = samples[400]
    elif dead == "one channel":
        samples[400:, 1] = 0.0
    else:
        samples[400:] = {"zeros": 0.0, "ones": 1.0}[dead]
    lane = Sweep(
        samples=samples,
        time=northing / 0.5,
        position=np.column_stack([0 * northing, northing, 0 * northing]),
        heading=0 * northing,
        sensor=sensor,
        lane="A",
    )
    area = [(-0.1, 0.0, 0.2, 20.0, "A")]
    screen = Screen(DetectorSettings())
    screen.push(lane)
    coverage = observed([{"gpr": screen.finish()}], DetectorSettings(), area=area)
    whole = 0.3 * 20.0
    assert coverage.area("gpr") < 0.55 * whole
    assert coverage.not_observed("gpr")["STUCK"] > 0.4 * whole
