"""Test the statistics of a lane's background on noise whose figures are known."""

import math

import numpy as np
import numpy.testing as npt
from lanes import make_coils, make_sensor, make_sweep

from minesense.alarm import Candidate
from minesense.detect import Part, lane_statistics
from minesense.sweep import Quality

N = 400


def make_part(samples, sensor, *, spacing=0.05, at=(), quality=None):
    """Return a part with a candidate at some traces."""
    n = len(samples)
    options = {"spacing": spacing, "quality": quality}
    if quality is None:
        del options["quality"]
    processed = make_sweep(samples, sensor=sensor, **options)
    scores = make_sweep(np.abs(samples[:, :, :1]), **options)
    candidates = tuple(
        Candidate(
            sensor=sensor.kind,
            lane="lane 1",
            trace=k,
            channel=0,
            time=0.0,
            easting=0.0,
            northing=spacing * k,
            score=9.0,
        )
        for k in at
    )
    return Part(
        processed=processed,
        scores=scores,
        candidates=candidates,
        position=scores.channel_position,
        best=np.arange(float(n))[:, None] * np.ones(samples.shape[1]),
    )


def radar_noise(n=N, *, frequency=None, r=0.0, seed=1):
    """Return noise whose neighbours correlate by r; or tones of one frequency."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 2, 96))
    if frequency is not None:
        phase = rng.uniform(0, 2 * np.pi, (n, 2, 1))
        x = np.sin(2 * np.pi * frequency * 1e-10 * np.arange(96) + phase)
    for k in range(1, n):
        x[k] = r * x[k - 1] + math.sqrt(1 - r * r) * x[k]
    return x


def test_radar_noise_has_the_figures_that_made_it():
    """Spread by depth, tail of a normal law, correlation length."""
    x = radar_noise(r=0.8)
    x[..., 64:] *= 10
    found = lane_statistics(make_part(x, make_sensor(2, 96)))
    npt.assert_allclose(
        [found[f"spread_{d}"] for d in ("shallow", "middle", "deep")], [0, 0, 1], atol=0.03
    )
    npt.assert_allclose(found["correlation_length"], -0.05 / math.log(0.8), rtol=0.1)
    flat = lane_statistics(make_part(radar_noise(), make_sensor(2, 96)))
    npt.assert_allclose(flat["tail"], 2.807, rtol=0.03)
    npt.assert_allclose([flat["score_median"], flat["score_high"]], [199.5, 379.05])


def test_a_tone_has_its_frequency():
    """Centroid and width of the spectrum, in hertz, whatever the amplitude."""
    sensor = make_sensor(2, 96)
    tone = radar_noise(frequency=1.25e9)
    found = lane_statistics(make_part(tone, sensor))
    npt.assert_allclose(found["frequency"], 1.25e9, rtol=1e-6)
    assert found["bandwidth"] < 1e5
    louder = lane_statistics(make_part(100 * tone, sensor))
    npt.assert_allclose(louder["frequency"], found["frequency"], rtol=1e-6)
    npt.assert_allclose(louder["spread_deep"], found["spread_deep"] + 2)


def test_soil_gives_coils_its_slope():
    """Gates that fall like 1/t have the slope -1; the first gate its spread."""
    sensor = make_coils(2)
    rng = np.random.default_rng(seed=2)
    x = rng.normal(size=(N, 2, 1)) * (1e-5 / sensor.axis)
    found = lane_statistics(make_part(x, sensor))
    npt.assert_allclose(found["ground_slope"], -1.0, atol=1e-4)
    expected = math.log10(1.4826 * np.median(np.abs(x[..., 0])))
    npt.assert_allclose(found["spread_first"], expected, atol=1e-5)


def test_candidates_and_flagged_traces_are_no_background():
    """A loud stretch around a candidate, and traces that hold nothing, change nothing."""
    sensor, x = make_sensor(2, 96), radar_noise()
    x[190:211] = 1e6  # 0.5 m to each side of trace 200
    quality = np.zeros(N, np.int64)
    quality[300:310] = Quality.NOT_FINITE
    x[300:310] = np.nan
    found = lane_statistics(make_part(x, sensor, at=[200], quality=quality))
    quiet = lane_statistics(make_part(radar_noise(), sensor))
    for name in ("spread_middle", "tail", "frequency"):
        npt.assert_allclose(found[name], quiet[name], rtol=0.05, atol=0.01)
    npt.assert_allclose(found["candidates_per_m"], 1 / (0.05 * 399))
    loud = lane_statistics(make_part(x, sensor, at=[200], quality=quality), guard=0.4)
    assert loud["tail"] > 1000


def test_too_little_background_says_nothing():
    """NaN, which a monitor takes for a departure; the names stay."""
    for sensor, x in (
        (make_sensor(2, 96), radar_noise(15)),
        (make_coils(2), np.ones((15, 2, 12))),
    ):
        found = lane_statistics(make_part(x, sensor))
        rest = {k: v for k, v in found.items() if k != "candidates_per_m"}
        assert all(math.isnan(v) for v in rest.values())
