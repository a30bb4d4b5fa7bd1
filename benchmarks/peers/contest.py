"""A case of the comparison, and how its contenders are timed: in turns, so that both wait."""

from __future__ import annotations

import contextlib
import io
import statistics
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from typing import Any

import numpy as np

Call = Callable[[], Any]


class AbsentError(Exception):
    """A peer, or a function of minesense, is not there."""


@dataclass(frozen=True, kw_only=True)
class Peer:
    """What a user calls instead."""

    name: str  #: the call, as a reader knows it
    call: Call
    package: str = "numpy"  #: whose version is told
    scale: float = 1.0  #: the call does this part of the work, and counts as often
    note: str = ""
    pick: Callable[[Any], np.ndarray] | None = None  #: what is compared; None: nothing
    pick_ours: Callable[[Any], np.ndarray] | None = None  #: the same of ours


@dataclass(frozen=True, kw_only=True)
class Contest:
    """Ours and its peers, ready to be called; the first peer is the one of the goal."""

    ours: Call
    peers: tuple[Peer, ...]
    n_values: float  #: samples that are treated
    copied: float = 0.0  #: bytes that must at least be read and written


@dataclass(frozen=True, kw_only=True)
class Case:
    """A line of the table."""

    name: str
    workload: str
    goal: float | None  #: times faster than the first peer
    make: Callable[[], Contest]  #: raises AbsentError where something is missing
    note: str = ""


CASES: dict[str, Case] = {}


def case(
    name: str, *, workload: str, goal: float | None = None, note: str = ""
) -> Callable[[Callable[[], Contest]], Callable[[], Contest]]:
    """Enter a function that makes a contest into the table."""

    def enter(make: Callable[[], Contest]) -> Callable[[], Contest]:
        CASES[name] = Case(name=name, workload=workload, goal=goal, make=make, note=note)
        return make

    return enter


def quietly(call: Call) -> tuple[Any, float, float]:
    """Return what a call returns, seconds and seconds of processors; prints go nowhere."""
    nowhere = io.StringIO()
    with (
        contextlib.redirect_stdout(nowhere),
        contextlib.redirect_stderr(nowhere),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        start, busy = time.perf_counter(), time.process_time()
        result = call()
        return result, time.perf_counter() - start, time.process_time() - busy


def likeness(ours: np.ndarray, theirs: np.ndarray) -> dict[str, float]:
    """
    Return the largest difference as a share of the peak, and the correlation.

    An image has a scale of its own: two that correlate but differ by more than their peak
    have no difference that says anything.
    """
    a, b = (np.asarray(x, np.float64).ravel() for x in (ours, theirs))
    known = np.isfinite(a) & np.isfinite(b)
    a, b = a[known], b[known]
    peak = np.abs(b).max()
    alike = {"correlation": float(np.corrcoef(a, b)[0, 1])}
    difference = float(np.abs(a - b).max() / peak)
    return alike | ({"difference": difference} if difference < 1 else {})


def copy_bandwidth(n_bytes: int = 200_000_000) -> float:
    """Return bytes read and written per second by a copy, the best of some."""
    source = np.ones(n_bytes // 8)
    target = np.empty_like(source)
    best = min(quietly(lambda: np.copyto(target, source))[1] for _ in range(7))
    return 2 * source.nbytes / best


def version_of(package: str) -> str:
    """Return the version of an installed package."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "checkout"


def race(one: Case, *, rounds: int, budget: float) -> dict[str, Any]:
    """Call ours and the peers in turns; slow peers are left out of the later rounds."""
    contest = one.make()
    bandwidth = copy_bandwidth()
    quietly(contest.ours)  # compiles
    result, *_ = quietly(contest.ours)
    alike, turns = [], []
    for peer in contest.peers:
        theirs, seconds, _ = quietly(peer.call)
        if peer.pick is not None:
            mine = result if peer.pick_ours is None else peer.pick_ours(result)
            alike.append(likeness(mine, peer.pick(theirs)))
        else:
            alike.append({})
        del theirs
        turns.append(max(2, min(rounds, int(budget / seconds))))
    del result
    ours: list[float] = []
    times: list[list[float]] = [[] for _ in contest.peers]
    ratios: list[list[float]] = [[] for _ in contest.peers]
    of_processors: list[list[float]] = [[] for _ in contest.peers]
    for k in range(rounds):
        _, mine, my_processors = quietly(contest.ours)
        ours.append(mine)
        for p, peer in enumerate(contest.peers):
            if k < turns[p]:
                _, seconds, processors = quietly(peer.call)
                times[p].append(peer.scale * seconds)
                ratios[p].append(peer.scale * seconds / mine)
                of_processors[p].append(peer.scale * processors / my_processors)
    return {
        "workload": one.workload,
        "goal": one.goal,
        "note": one.note,
        "seconds": statistics.median(ours),
        "ns_per_value": 1e9 * min(ours) / contest.n_values,
        "share_of_copy": contest.copied / bandwidth / min(ours) if contest.copied else None,
        "peers": [
            {
                "name": peer.name,
                "package": f"{peer.package} {version_of(peer.package)}",
                "seconds": statistics.median(times[p]),
                "ratio": statistics.median(ratios[p]),
                "lowest": min(ratios[p]),
                "highest": max(ratios[p]),
                "ratio_of_processor_time": statistics.median(of_processors[p]),
                "rounds": len(ratios[p]),
                "part": 1 / peer.scale,
                "note": peer.note,
                **alike[p],
            }
            for p, peer in enumerate(contest.peers)
        ],
    }
