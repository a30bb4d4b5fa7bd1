"""Faults of what a sensor records."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ...message import DeviceFlag, NoteMessage, SensorMessage, StreamDeclaration
from .items import Item, changed, is_scan, stamp_of, with_values


def _resample(
    items: list[Item],
    begin: float,
    seconds: float,
    change: Callable[[np.ndarray, float], Any],
    kind: str = "",
) -> list[Item]:
    """Return items with the samples of scans of a kind of sensor changed, by time since."""
    named = {
        m.name: m.sensor.kind
        for _, m in items
        if isinstance(m, StreamDeclaration) and m.sensor is not None
    }

    def wanted(message: Any) -> bool:
        return is_scan(message, begin, seconds) and kind in ("", named.get(message.stream))

    def altered(message: SensorMessage) -> SensorMessage:
        samples = np.array(message.samples, np.float32)
        with np.errstate(over="ignore"):
            new = np.asarray(change(samples, message.stamp - begin), np.float32)
        result: SensorMessage = with_values(message, samples=new)
        return result

    return changed(items, wanted, altered)


def saturate(
    items: list[Item],
    rng: np.random.Generator,
    *,
    begin: float,
    seconds: float = 1.0,
    full_scale: float = 1000.0,
) -> list[Item]:
    """Drive the converter to its end; the device says nothing."""
    return _resample(items, begin, seconds, lambda x, t: np.full_like(x, full_scale))


def rezero(
    items: list[Item],
    rng: np.random.Generator,
    *,
    begin: float,
    by: float = 300.0,
    is_told: bool = False,
) -> list[Item]:
    """Set the zero of a metal detector; the device tells or not."""
    stepped = _resample(items, begin, math.inf, lambda x, t: x - np.float32(by), "emi")
    if not is_told:
        return stepped
    told: set[str] = set()

    def first(message: Any) -> bool:
        is_first = is_scan(message, begin) and message.stream not in told
        if is_first:
            told.add(message.stream)
        return is_first

    return changed(
        stepped, first, lambda m: with_values(m, flags=m.flags | DeviceFlag.REZEROED)
    )


def drift_level(
    items: list[Item],
    rng: np.random.Generator,
    *,
    begin: float,
    rate: float = 5.0,
) -> list[Item]:
    """Let the level of all samples run away, in their unit per second."""
    return _resample(items, begin, math.inf, lambda x, t: x + np.float32(rate * t))


def add_hum(
    items: list[Item],
    rng: np.random.Generator,
    *,
    begin: float,
    seconds: float = 5.0,
    amplitude: float = 60.0,
    frequency: float = 47.0,
) -> list[Item]:
    """Add a hum of the mains."""
    return _resample(
        items,
        begin,
        seconds,
        lambda x, t: x + np.float32(amplitude * math.sin(2 * math.pi * frequency * t)),
    )


def cross_talk(
    items: list[Item],
    rng: np.random.Generator,
    *,
    begin: float,
    share: float = 0.3,
) -> list[Item]:
    """Let every channel hear a share of its neighbour."""
    return _resample(
        items, begin, math.inf, lambda x, t: x + np.float32(share) * np.roll(x, 1, axis=0)
    )


def sag_gain(
    items: list[Item],
    rng: np.random.Generator,
    *,
    begin: float,
    gain: float = 0.6,
    check: float = 4.0,
) -> list[Item]:
    """Let the gain fall, between a function check before and one after."""
    weak = _resample(items, begin, math.inf, lambda x, t: np.float32(gain) * x)
    result: list[Item] = []
    due = [(begin - 1.0, 1.0), (begin + check, gain)]
    number = 0
    for at, message in weak:
        if due and is_scan(message, due[0][0]):
            response = 100.0 * due.pop(0)[1]
            content = {"sensor": message.stream, "passed": True, "response": response}  # type: ignore[union-attr]
            result.append(
                (
                    at,
                    NoteMessage(
                        stream="",
                        sequence=number,
                        stamp=stamp_of(message),
                        topic="check",
                        content=content,
                    ),
                )
            )
            number += 1
        result.append((at, message))
    return result


def stick(
    items: list[Item],
    rng: np.random.Generator,
    *,
    begin: float,
    seconds: float = 2.0,
    channel: int = 0,
) -> list[Item]:
    """Let one channel repeat itself."""
    frozen: dict[tuple[int, ...], np.ndarray] = {}

    def stuck(samples: np.ndarray, time: float) -> np.ndarray:
        samples[channel] = frozen.setdefault(samples.shape, samples[channel].copy())
        return samples

    return _resample(items, begin, seconds, stuck)


def break_values(
    items: list[Item],
    rng: np.random.Generator,
    *,
    begin: float,
    seconds: float = 1.0,
    share: float = 0.5,
) -> list[Item]:
    """Put NaN and infinite values into some scans."""

    def broken(samples: np.ndarray, time: float) -> np.ndarray:
        if rng.random() < share:
            value = (np.nan, np.inf, -np.inf)[int(rng.integers(3))]
            samples.flat[int(rng.integers(samples.size))] = value
        return samples

    return _resample(items, begin, seconds, broken)


def drop_channel(
    items: list[Item],
    rng: np.random.Generator,
    *,
    begin: float,
    seconds: float = 2.0,
    channel: int = 0,
) -> list[Item]:
    """Let one channel fall silent: zeros."""

    def silent(samples: np.ndarray, time: float) -> np.ndarray:
        samples[channel] = 0.0
        return samples

    return _resample(items, begin, seconds, silent)


def step_and_hole(
    items: list[Item],
    rng: np.random.Generator,
    *,
    begin: float,
    by: float = 100.0,
    hole: float = 0.5,
) -> list[Item]:
    """Step the level, with a hole of NaN behind the step: what filters make ringing of."""

    def stepped(samples: np.ndarray, time: float) -> np.ndarray:
        return np.full_like(samples, np.nan) if 1 <= time < 1 + hole else samples + by

    return _resample(items, begin, 3.0, stepped)


def change_settings(
    items: list[Item],
    rng: np.random.Generator,
    *,
    begin: float,
) -> list[Item]:
    """Change the settings of the sensors: their first scan says so."""
    told: set[str] = set()

    def first(message: Any) -> bool:
        is_first = is_scan(message, begin) and message.stream not in told
        if is_first:
            told.add(message.stream)
        return is_first

    return changed(
        items, first, lambda m: with_values(m, flags=m.flags | DeviceFlag.SETTING_CHANGED)
    )
