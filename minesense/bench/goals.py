"""The goals of the benchmark, and whether a run reached them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..score import clopper_pearson
from ..score.figures import format_fixed, format_percent
from .outcomes import pool
from .promises import RATES
from .rejection import judge_against_prescreener
from .results import outcomes_from_json
from .scenarios import TESTS

#: What the goals are stated for, and what it is compared with.
MAIN, RADAR, COILS = "full", "radar", "metal_detector"


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """A figure with its limits, what it should be, and how many cases it rests on."""

    name: str
    goal: str  #: what it should be, in words
    value: float | None
    low: float | None
    high: float | None
    is_met: bool | None  #: by the value; None where there is none
    cases: str = ""  #: what the figure rests on


def goals_of(document: Mapping[str, Any]) -> list[Goal]:
    """
    Return the goals and what a run says of them.

    Parameters
    ----------
    document : dict
        Content of a results file.

    Returns
    -------
    goals : list of Goal
        Of the full detector; empty if it did not run.

    Notes
    -----
    Limits are those of the tables, at 95 %. A goal is met by the value; whether it is met
    beyond chance the limits tell. The first is judged on the places that all are given, as it
    was written down, and on those that the detector noticed itself; beside them stands what
    it saves of the false alarms of prescreeners at their own Pd. Goals 1 to 3 read their
    thresholds from the test itself, as they are stated: no user could have set them so well
    beforehand, and beside the first stands what the threshold set in training does. The
    limits of the third take mines as independent. Resampling raises calibration errors:
    beside them stands what one of perfect calibration would show by chance.

    Examples
    --------
    >>> from minesense.bench.goals import goals_of
    >>> goals_of({"tracks": {}})
    []
    """
    tracks = document["tracks"]
    return [*_rejection(tracks.get("B")), *_detection(tracks.get("A"))]


def _rejection(track: Mapping[str, Any] | None) -> Iterator[Goal]:
    """Return clutter rejected while no further mine is missed."""
    for part, least in (("lane_out", 0.85), ("soil_out", 0.70)):
        table = track["parts"].get(part, {}) if track else {}
        given = table.get("entrants", {}).get(MAIN)
        if not given:
            continue
        yield _goal(
            f"clutter rejected, no further mine missed, {part}",
            least,
            given["rejected_at_0_missed"],
            cases=f"threshold read from the test; places given to all, {given['n_mines']} "
            f"mines, {given['n_clutter']} pieces of clutter; {_own(given['stop_dig'])}",
        )
        own = table.get("own_places", {}).get(MAIN)
        if own:
            mines = own["noticed"]
            yield _goal(
                f"clutter rejected, no further mine missed, places of its own, {part}",
                least,
                own["rejected_at_0_missed"],
                cases=f"threshold read from the test; {mines['k']} of {mines['n']} mines "
                f"noticed, {own['n_clutter']} pieces of clutter; {_own(own['stop_dig'])}",
            )
        for base, found in table.get("against_prescreeners", {}).items():
            yield from _rows_of(base, found.get(MAIN, ()), part)


def _detection(track: Mapping[str, Any] | None) -> Iterator[Goal]:
    """Return the goals that rest on detection from sweeps."""
    if not track or MAIN not in track["all"]["readings"]:
        return
    saved = track["all"]["false_alarms_saved"].get(MAIN)
    if saved:
        yield _goal(
            f"false alarms saved against {COILS} at Pd 0.9",
            0.70,
            saved,
            cases="thresholds read from the test",
        )
    yield from _saved_at_own_pd(track)
    for name in (MAIN, RADAR, COILS):
        rows = [
            part["entrants"][name]["little_metal"]
            for part in track["parts"].values()
            if name in part["entrants"]
        ]
        k, n = sum(row["k"] for row in rows), sum(row["n"] for row in rows)
        if n:
            share = clopper_pearson(k, n)
            yield _goal(
                f"Pd of little or no metal to 10 cm at 0.1 FA/m2, {name}",
                0.90 if name == MAIN else None,
                {"value": share.value, "low": share.low, "high": share.high},
                cases=f"{k} of {n}; thresholds read from the test",
            )
    for part in TESTS:
        table = track["parts"].get(part, {})
        for rate, held in zip(RATES, table.get("promises", {}).get(MAIN, ()), strict=False):
            name = f"mean share missed in a lane, stated {rate:g}, {part}"
            if "not_promised" in held:
                yield Goal(
                    name=name,
                    goal=f"at most {rate:g}",
                    value=None,
                    low=None,
                    high=None,
                    is_met=None,
                    cases=held["not_promised"],
                )
                continue
            lanes = held["lane_miss_rate"]
            half, nine, worst = (
                format_fixed(lanes[key], 2) for key in ("half", "nine_tenths", "worst")
            )
            yield _goal(
                name,
                rate,
                held["mean_miss_rate"],
                is_least=False,
                cases=f"{held['n_lanes']} lanes, half at most {half}, nine in ten at most "
                f"{nine}, worst {worst}; {format_fixed(held['false_alarms_per_m2'], 2)} FA/m2",
            )
    for part, most in (("lane_out", 0.03), ("soil_out", 0.08)):
        figure = track["parts"].get(part, {}).get("entrants", {}).get(MAIN, {})
        if figure.get("calibration_error"):
            yield _goal(
                f"expected calibration error, {part}",
                most,
                figure["calibration_error"],
                is_least=False,
                cases=_calibrated(figure["calibration_error"]),
            )


def _saved_at_own_pd(track: Mapping[str, Any]) -> Iterator[Goal]:
    """Return what is saved at Pd that the metal detector does reach, over all tests."""
    both = [
        [outcomes_from_json(part["outcomes"][name]) for name in (MAIN, COILS)]
        for part in track["parts"].values()
        if {MAIN, COILS} <= set(part.get("outcomes", ()))
    ]
    if both and len(both) == len(track["parts"]):
        own, coils = (pool(parts) for parts in zip(*both, strict=True))
        yield from _rows_of(COILS, judge_against_prescreener(own, coils), "all tests")


def _rows_of(base: str, rows: Iterable[Mapping[str, Any]], part: str) -> Iterator[Goal]:
    """Return what is saved of the false alarms of another, for comparison."""
    for row in rows:
        rate = f"at {row['far']:g} FA/m2" if row["far"] else "of all it noticed"
        yield _goal(
            f"false alarms of {base} saved at its own Pd, {rate}, {part}",
            None,
            row["rejected"],
            cases=f"Pd {_percent(row['pd']['value'])}; thresholds read from the test",
        )


def _own(entry: Mapping[str, Any]) -> str:
    """Return what the threshold of training does with clutter and mines."""
    rejected, missed = entry["rejected"], entry["missed"]
    return (
        f"at its own threshold {rejected['k']} of {rejected['n']} rejected and "
        f"{missed['k']} of {missed['n']} mines missed"
    )


def _percent(share: float | None) -> str:
    """Return a share in percent."""
    return "unknown" if share is None else format_percent(share)


def _calibrated(error: Mapping[str, Any]) -> str:
    """Return what a calibration error rests on."""
    words = f"{error['n']} places, {error['n_withheld']} more without a probability"
    chance = error.get("by_chance")
    return words if chance is None else f"{words}; {format_fixed(chance)} by chance alone"


def _goal(
    name: str,
    limit: float | None,
    figure: Mapping[str, Any],
    *,
    is_least: bool = True,
    cases: str = "",
) -> Goal:
    """Return a goal and whether its value meets the limit."""
    value = figure["value"]
    met = None
    if limit is not None and value is not None:
        met = bool(value >= limit if is_least else value <= limit)
    side = "at least" if is_least else "at most"
    return Goal(
        name=name,
        goal="for comparison" if limit is None else f"{side} {limit:g}",
        value=value,
        low=figure["low"],
        high=figure["high"],
        is_met=met,
        cases=cases,
    )
