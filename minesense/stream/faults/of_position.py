"""Faults of positions, attitude, height and speed."""

from __future__ import annotations

import math

import numpy as np

from ...message import FixClass, PositionMessage, StreamDeclaration
from .items import Item, changed, is_fix, is_scan, is_timed, stamp_of, with_values

_NAN = math.nan


def lose_fix(
    items: list[Item], rng: np.random.Generator, *, begin: float, seconds: float = 5.0
) -> list[Item]:
    """Let the receiver live and know no position."""
    return changed(
        items,
        lambda m: is_fix(m, begin, seconds),
        lambda m: with_values(m, fix=FixClass.NONE, coordinates=(_NAN, _NAN, _NAN)),
    )


def degrade_fix(
    items: list[Item],
    rng: np.random.Generator,
    *,
    begin: float,
    seconds: float = 5.0,
    error: float = 0.6,
) -> list[Item]:
    """Let carrier-phase positions lose their ambiguities."""
    return changed(
        items,
        lambda m: is_fix(m, begin, seconds),
        lambda m: with_values(m, fix=FixClass.FLOAT, error=error),
    )


def repeat_fix(
    items: list[Item], rng: np.random.Generator, *, begin: float, seconds: float = 5.0
) -> list[Item]:
    """Repeat the last coordinates while the platform moves."""
    frozen: tuple[float, float, float] | None = None
    result: list[Item] = []
    for at, message in items:
        if isinstance(message, PositionMessage) and is_fix(message, begin, seconds):
            frozen = frozen or message.coordinates
            message = with_values(message, coordinates=frozen)  # noqa: PLW2901
        result.append((at, message))
    return result


def jump_fix(
    items: list[Item],
    rng: np.random.Generator,
    *,
    begin: float,
    seconds: float = math.inf,
    by: tuple[float, float] = (30.0, 0.0),
) -> list[Item]:
    """Move positions by a distance, as after a wrong fix of ambiguities."""

    def moved(message: PositionMessage) -> PositionMessage:
        x, y, z = message.coordinates
        result: PositionMessage = with_values(message, coordinates=(x + by[0], y + by[1], z))
        return result

    return changed(items, lambda m: is_fix(m, begin, seconds), moved)


def mix_height(
    items: list[Item],
    rng: np.random.Generator,
    *,
    begin: float,
    seconds: float = 5.0,
    datum: float = 212.4,
) -> list[Item]:
    """Tell heights above the ellipsoid where those above ground are meant."""
    return changed(
        items,
        lambda m: is_fix(m, begin, seconds),
        lambda m: with_values(m, height=m.height + datum),
    )


def turn_lever_arm(items: list[Item], rng: np.random.Generator, *, begin: float) -> list[Item]:
    """Declare lever arms of positions with the wrong sign."""
    return changed(
        items,
        lambda m: isinstance(m, StreamDeclaration) and m.kind == "position",
        lambda m: with_values(m, lever_arm=tuple(-x for x in m.lever_arm)),
    )


def stand_without_heading(
    items: list[Item],
    rng: np.random.Generator,
    *,
    begin: float,
    seconds: float = 5.0,
    lever_arm: tuple[float, float, float] = (0.0, 0.6, 0.0),
    noise: float = 0.0005,
) -> list[Item]:
    """Let a platform with a lever arm stand still, its receiver without any heading."""
    place: tuple[float, float, float] | None = None
    end: tuple[float, float, float] | None = None
    result: list[Item] = []
    for at, message in items:
        if isinstance(message, StreamDeclaration) and message.kind == "position":
            message = with_values(message, lever_arm=lever_arm)  # noqa: PLW2901
        elif isinstance(message, PositionMessage):
            x, y, z = message.coordinates
            if is_fix(message, begin, seconds):
                place = place or (x, y, z)
                wander = rng.normal(scale=noise, size=2).tolist()
                end = (place[0] - x, place[1] - y, 0.0)
                x, y = place[0] + wander[0], place[1] + wander[1]
            elif end is not None:  # it drives on from where it stood
                x, y = x + end[0], y + end[1]
            coordinates = (x + lever_arm[0], y + lever_arm[1], z + lever_arm[2])
            message = with_values(message, coordinates=coordinates, heading=_NAN)  # noqa: PLW2901
        result.append((at, message))
    return result


def bounce(
    items: list[Item],
    rng: np.random.Generator,
    *,
    begin: float,
    seconds: float = 5.0,
    amplitude: float = 0.1,
    frequency: float = 2.0,
) -> list[Item]:
    """Let the head bounce."""

    def moved(message: PositionMessage) -> PositionMessage:
        phase = 2 * math.pi * frequency * (message.stamp - begin) + 0.3
        height = message.height + amplitude * (1 + math.sin(phase))
        result: PositionMessage = with_values(message, height=height)
        return result

    return changed(items, lambda m: is_fix(m, begin, seconds), moved)


def lift(
    items: list[Item],
    rng: np.random.Generator,
    *,
    begin: float,
    seconds: float = 5.0,
    height: float = 0.6,
) -> list[Item]:
    """Lift the head."""
    return changed(
        items, lambda m: is_fix(m, begin, seconds), lambda m: with_values(m, height=height)
    )


def tilt(
    items: list[Item],
    rng: np.random.Generator,
    *,
    begin: float,
    seconds: float = 5.0,
    angle: float = 0.6,
) -> list[Item]:
    """Tilt the head; before and after it is level."""

    def tilted(message: PositionMessage) -> PositionMessage:
        roll = angle if is_fix(message, begin, seconds) else 0.0
        result: PositionMessage = with_values(message, pitch=0.0, roll=roll)
        return result

    return changed(items, lambda m: isinstance(m, PositionMessage), tilted)


def hasten(
    items: list[Item],
    rng: np.random.Generator,
    *,
    begin: float,
    seconds: float = 3.0,
    factor: float = 10.0,
) -> list[Item]:
    """Move so many times faster for some seconds."""
    start: tuple[float, float, float] | None = None
    extra = (0.0, 0.0)
    result: list[Item] = []
    for at, message in items:
        if isinstance(message, PositionMessage) and is_fix(message, begin):
            x, y, z = message.coordinates
            start = start or (x, y, z)
            if is_fix(message, begin, seconds):
                extra = ((factor - 1) * (x - start[0]), (factor - 1) * (y - start[1]))
            message = with_values(message, coordinates=(x + extra[0], y + extra[1], z))  # noqa: PLW2901
        result.append((at, message))
    return result


def miss_ground(
    items: list[Item],
    rng: np.random.Generator,
    *,
    begin: float,
    aside: float = 2.0,
    length: float = 3.0,
) -> list[Item]:
    """Go on a line farther aside than a sensor sees, behind a stretch without data."""
    shifted = jump_fix(items, rng, begin=begin, by=(aside, 0.0))
    first = next((m for _, m in items if is_scan(m, begin)), None)
    if first is None:
        return shifted
    stop = begin + length
    return [(at, m) for at, m in shifted if not (is_timed(m) and begin <= stamp_of(m) < stop)]
