"""Test how much memory chains of stages take: lanes as a whole, and streams."""

import dataclasses
import tracemalloc

import numpy as np
import numpy.testing as npt
import pytest
from lanes import make_sensor, make_sweep

import minesense.stage
from minesense.detect import ExtractCandidates, RadarSettings, radar_stages
from minesense.gpr import PrescreenPrediction
from minesense.stage import LaneStage, Pipeline, run_lane
from minesense.sweep import Quality

SPACING = 0.05


def make_lane(n_traces, n_channels=4, n_samples=200):
    """Return noise with a bounce that a radar's settings find."""
    rng = np.random.default_rng(seed=0)
    samples = rng.normal(size=(n_traces, n_channels, n_samples)).astype(np.float32)
    samples -= 20 * np.exp(-(((np.arange(n_samples) - 17) / 3) ** 2))
    return make_sweep(
        samples, spacing=SPACING, sensor=make_sensor(n_channels, n_samples), lane="long"
    )


def make_chain():
    """Return the stages of a radar lane, from raw traces to whitened ones."""
    return radar_stages(RadarSettings(spacing=SPACING))[0]


def peak_of(function):
    """Return the greatest number of bytes that a call holds beside what there was."""
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        function()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


@pytest.mark.endtoend
def test_a_batch_chain_holds_little_more_than_lane_and_result():
    """At most 2.5 times the lane, itself counted, however many stages there are."""
    lane = make_lane(12_000)
    run_lane(make_chain(), lane[:50])  # compiles the kernels, imports what they need
    peak = peak_of(lambda: run_lane(make_chain(), lane))
    assert lane.samples.nbytes + peak < 2.5 * lane.samples.nbytes


@pytest.mark.endtoend
def test_a_stream_holds_as_much_after_a_long_lane_as_after_a_short_one():
    """Windows and look-ahead, whatever the length of the lane."""
    lane = make_lane(1_200)
    scans = [lane[i : i + 1] for i in range(len(lane))]

    def run(n_scans):
        chain = Pipeline(
            *make_chain().stages, PrescreenPrediction(spacing=SPACING, bin_length=1e-9)
        )
        extract = ExtractCandidates(spacing=SPACING, merge_radius=0.25, threshold=1e9)
        for scan in scans[:n_scans]:
            extract.process(chain.process(scan))

    run(200)  # compiles the kernels
    short, long = peak_of(lambda: run(300)), peak_of(lambda: run(1_200))
    assert long < 1.02 * short
    assert short < 0.5 * lane.samples.nbytes


class Repeat(LaneStage):
    """Hand out every trace so far with each chunk but the first: more than came in."""

    def process(self, chunk):
        """Return twice the chunk, times apart."""
        return chunk if len(chunk) < 1 else make_sweep(
            np.repeat(chunk.samples, 2, axis=0), time=np.repeat(chunk.time, 2) + np.tile(
                [0.0, 1e-3], len(chunk)), sensor=chunk.sensor, lane=chunk.lane
        )  # fmt: skip


@pytest.mark.parametrize("n_bytes", [1, 700, 4_000, 10**9])
def test_chunks_do_not_change_a_lane(monkeypatch, n_bytes):
    """The same bits, flags, history and track as in one piece."""
    lane = make_lane(150, 2, 40)
    quality = lane.quality.copy()
    quality[[0, 70, 149]] = Quality.STUCK
    lane = make_sweep(
        lane.samples, spacing=SPACING, sensor=lane.sensor, lane="long", quality=quality
    )
    expected = run_lane(make_chain(), lane)
    monkeypatch.setattr(minesense.stage, "_CHUNK", n_bytes)
    result = run_lane(make_chain(), lane)
    for name in ("samples", "time", "position", "heading", "quality"):
        npt.assert_array_equal(getattr(result, name), getattr(expected, name))
    assert result.history == expected.history
    assert result.sensor.describe() == expected.sensor.describe()


def test_a_stage_may_return_more_traces_than_it_took(monkeypatch):
    """What was set aside for the result grows with it."""
    lane = make_lane(50, 1, 40)
    monkeypatch.setattr(minesense.stage, "_CHUNK", 7 * 160)
    result = run_lane(Repeat(), lane)
    npt.assert_array_equal(result.samples, np.repeat(lane.samples, 2, axis=0))


class Restart(LaneStage):
    """Let time begin anew with every chunk, which no stage may."""

    def process(self, chunk):
        """Return the chunk in a time of its own."""
        return dataclasses.replace(chunk, time=chunk.time - chunk.time[:1])


@pytest.mark.parametrize("n_bytes", [1, 7 * 160])
def test_time_goes_on_from_chunk_to_chunk(monkeypatch, n_bytes):
    """Or the result is refused, however many chunks there were."""
    monkeypatch.setattr(minesense.stage, "_CHUNK", n_bytes)
    with pytest.raises(ValueError, match=r"Invalid time: .* Must be strictly increasing"):
        run_lane(Restart(), make_lane(50, 1, 40))


def test_an_empty_lane_stays_empty():
    """No traces in, none out."""
    lane = make_lane(1, 1, 40)[:0]
    assert len(run_lane(make_chain(), lane)) == 0
