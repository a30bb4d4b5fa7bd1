"""Faults of stamps, clocks and the order of messages."""

from __future__ import annotations

import math

import numpy as np

from ...message import SensorMessage, StreamDeclaration
from .items import Item, changed, is_fix, is_scan, is_timed, is_within, stamp_of, with_values


def duplicate(
    items: list[Item],
    rng: np.random.Generator,
    *,
    begin: float,
    seconds: float = 1.0,
    identical: bool = True,
    share: float = 0.3,
) -> list[Item]:
    """Send some scans twice: the same, or others under the stamp of the one before."""
    result: list[Item] = []
    before: SensorMessage | None = None
    for at, message in items:
        if not is_scan(message, begin, seconds):
            result.append((at, message))
            continue
        assert isinstance(message, SensorMessage)
        if rng.random() >= share:
            result.append((at, message))
        elif identical:
            result += [(at, message), (at, message)]
        elif before is not None:
            result.append((at, with_values(message, stamp=before.stamp)))
        else:
            result.append((at, message))
        before = message
    return result


def lose_subseconds(
    items: list[Item],
    rng: np.random.Generator,
    *,
    begin: float,
    seconds: float = 5.0,
) -> list[Item]:
    """Cut the digits behind the point off the stamps of scans."""
    begin = math.ceil(begin)  # from a whole second on, so that no stamp steps back
    return changed(
        items,
        lambda m: is_scan(m, begin, round(seconds)),
        lambda m: with_values(m, stamp=float(math.floor(m.stamp))),
    )


def jump_date(
    items: list[Item],
    rng: np.random.Generator,
    *,
    begin: float,
    by: float = 86400.0,
    sustained: bool = False,
) -> list[Item]:
    """Set the stamp of one scan to another day, or those of all messages from there on."""
    if sustained:
        return changed(
            items,
            lambda m: is_within(m, begin),
            lambda m: with_values(m, stamp=m.stamp + by),
        )
    done = False
    result: list[Item] = []
    for at, message in items:
        if not done and is_scan(message, begin):
            done = True
            message = with_values(message, stamp=stamp_of(message) + by)  # noqa: PLW2901
        result.append((at, message))
    return result


def roll_midnight(
    items: list[Item],
    rng: np.random.Generator,
    *,
    begin: float,
) -> list[Item]:
    """Let all stamps fall back by a day, as of a source that only tells the time of day."""
    return jump_date(items, rng, begin=begin, by=-86400.0, sustained=True)


def reorder(
    items: list[Item],
    rng: np.random.Generator,
    *,
    begin: float,
    seconds: float = 2.0,
    delay: float = 0.05,
) -> list[Item]:
    """Let a third of the scans arrive later than those behind them, by up to a delay."""
    keyed = []
    for k, (at, message) in enumerate(items):
        late = 0.0
        if is_scan(message, begin, seconds) and rng.random() < 1 / 3:
            late = delay * float(rng.random())
        keyed.append((late, k, at, message))
    arrivals = [at for _, _, at, _ in keyed]
    last = begin - 1.0
    order = []
    for late, k, _, message in keyed:
        if is_timed(message):
            last = max(last, stamp_of(message))
        order.append((last + late if last >= begin else -math.inf, k, message))
    order.sort(key=lambda entry: entry[:2])
    return [(at, message) for at, (_, _, message) in zip(arrivals, order, strict=True)]


def lag(
    items: list[Item],
    rng: np.random.Generator,
    *,
    begin: float,
    by: float = 0.1,
) -> list[Item]:
    """Stamp scans later than they were taken; say that the lag was never calibrated."""

    def told(message: StreamDeclaration) -> StreamDeclaration:
        result: StreamDeclaration = with_values(message, lag=0.0, lag_error=None)
        return result

    items = changed(
        items, lambda m: isinstance(m, StreamDeclaration) and m.kind == "sensor", told
    )
    return changed(
        items, lambda m: is_scan(m, begin), lambda m: with_values(m, stamp=m.stamp + by)
    )


def mix_clocks(
    items: list[Item], rng: np.random.Generator, *, begin: float, clock: str = "gps"
) -> list[Item]:
    """Declare position streams in another clock than the task's."""
    return changed(
        items,
        lambda m: isinstance(m, StreamDeclaration) and m.kind == "position",
        lambda m: with_values(m, clock=clock),
    )


def drift_clock(
    items: list[Item], rng: np.random.Generator, *, begin: float, rate: float = 2e-3
) -> list[Item]:
    """Let the clock of the scans run too fast."""
    return changed(
        items,
        lambda m: is_scan(m, begin),
        lambda m: with_values(m, stamp=m.stamp + rate * (m.stamp - begin)),
    )


def cut_link(
    items: list[Item], rng: np.random.Generator, *, begin: float, seconds: float = 3.0
) -> list[Item]:
    """Lose everything for some seconds."""
    return [(at, m) for at, m in items if not is_within(m, begin, seconds)]


def lose_scans(
    items: list[Item],
    rng: np.random.Generator,
    *,
    begin: float,
    seconds: float = 3.0,
    share: float = 1.0,
) -> list[Item]:
    """Lose scans, or a share of them; positions go on."""
    return [
        (at, m) for at, m in items if not (is_scan(m, begin, seconds) and rng.random() < share)
    ]


def stop_positions(
    items: list[Item], rng: np.random.Generator, *, begin: float, seconds: float = 6.0
) -> list[Item]:
    """Lose positions; scans go on."""
    return [(at, m) for at, m in items if not is_fix(m, begin, seconds)]
