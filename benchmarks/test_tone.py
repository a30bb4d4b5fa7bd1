"""Benchmark the tone: what an operator waits for, and what a second of it costs."""

import math
import time

import numpy as np
import pytest

from minesense.emi import Tone, Voice

STATISTIC = np.abs(np.random.default_rng(seed=0).normal(scale=15.0, size=4_000))


def naive_tone(statistic, rate, spacing, voice):
    """Make the same kind of audio sample by sample, as it would be written at first."""
    audio, phase, pitch, loudness = [], 0.0, voice.pitch, 0.0
    share = 1 - math.exp(-1 / (0.004 * rate))
    for value in statistic:
        control = voice.control(value)
        for _ in range(round(rate * spacing)):
            pitch += share * (control.pitch - pitch)
            loudness += share * (control.loudness - loudness)
            phase += pitch / rate
            angle = 2 * math.pi * phase
            audio.append(loudness * (0.8 * math.sin(angle) + 0.2 * math.sin(2 * angle)))
    return np.array(audio, np.float32)


@pytest.mark.parametrize("rate", [16_000, 48_000])
def test_push_at_a_kilohertz(benchmark, rate):
    """One statistic of a thousand a second: its audio, made far faster than it sounds."""
    tone = Tone(rate=rate)
    tone.push(0.0, 0.0)
    state = {"k": 0}

    def push():
        state["k"] += 1
        return tone.push(STATISTIC[state["k"] % 4_000], 0.001 * state["k"])

    benchmark(push)
    if benchmark.stats:
        benchmark.extra_info["share_of_real_time"] = benchmark.stats["median"] / 0.001
        assert benchmark.stats["median"] < 0.0005


def test_a_second_beside_a_loop(benchmark):
    """A second of audio at 100 statistics a second, beside a loop over its samples."""
    voice, times = Voice(), 0.01 * np.arange(101)

    def whole():
        return Tone(voice).push(STATISTIC[:101], times)

    audio = benchmark(whole)
    begin = time.perf_counter()
    other = naive_tone(STATISTIC[:100], 16_000, 0.01, voice)
    benchmark.extra_info["loop_s"] = time.perf_counter() - begin
    assert len(audio) == len(other)
    # alike to the ear: loudness in parts of a twentieth of a second
    size = [np.sqrt((part**2).mean()) for part in np.split(audio, 20)]
    expected = [np.sqrt((part**2).mean()) for part in np.split(other, 20)]
    np.testing.assert_allclose(size, expected, rtol=0.35, atol=0.05)
    # much faster than it is heard; how it compares with the loop is told, not required
    assert not benchmark.stats or benchmark.stats["median"] < 0.3


def test_from_statistic_to_sound(benchmark):
    """Update and the next 10 ms for a device: with its block, within the 50 ms of an ear."""
    tone = Tone(Voice())
    state = {"k": 0}

    def block():
        state["k"] += 1
        tone.update(60.0 if state["k"] % 2 else 0.0, 0.01 * state["k"])
        return tone.pull(160)

    benchmark(block)
    if benchmark.stats:
        waited = tone.latency + 0.010 + benchmark.stats["max"]
        benchmark.extra_info["to_nine_tenths_s"] = waited
        assert tone.latency + 0.010 + benchmark.stats["median"] < 0.050
