"""The tables of the benchmark, as text."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ..score.figures import format_fixed
from ..score.intervals import clopper_pearson
from .compare import Comparison
from .goals import goals_of
from .results import TIMES
from .scenarios import TESTS

_HEAD = "SYNTHETIC data. Says nothing about performance in the field."


def format_results(document: Mapping[str, Any]) -> str:
    """
    Return the tables of a results file.

    Parameters
    ----------
    document : dict
        Content of a results file.

    Returns
    -------
    text : str
        One table a track and part.

    Examples
    --------
    >>> from minesense.bench import format_results
    >>> head = {"version": "1", "size": "quick", "seed": 1, "commitment": None}
    >>> empty = {"benchmark": head, "data": {}, "tracks": {}, "exclusions": []}
    >>> print(format_results(empty).splitlines()[1])
    SYNTHETIC data. Says nothing about performance in the field.
    """
    head, data = document["benchmark"], document["data"]
    seed = f"seed {head['seed']}" if head["commitment"] is None else "sealed seed"
    lines = [f"minesense-bench {head['version']}, {head['size']}, {seed}", _HEAD]
    if data:
        tests = [data[part] for part in TESTS if part in data]
        lines.append(
            f"{sum(item['n_mines'] for item in tests)} mines in "
            f"{sum(item['area_m2'] for item in tests):.0f} m2 of tests; "
            f"{sum(item['area_m2'] for item in data.values()):.0f} m2 in all"
        )
    tracks = document["tracks"]
    if "A" in tracks:
        lines += _detection(tracks["A"])
    if "B" in tracks:
        lines += _discrimination(tracks["B"])
    if "C" in tracks:
        lines += _streaming(tracks["C"], document.get(TIMES, {}).get("streaming", {}))
    if "D" in tracks:
        lines += _honesty(tracks["D"])
    lines += _goals(document)
    lines += [
        f"Left out: {x['entrant']} of {x['part']}: {x['reason']}"
        for x in document["exclusions"]
    ]
    return "\n".join(lines)


def _detection(track: Mapping[str, Any]) -> list[str]:
    """Return the tables of track A."""
    lines = []
    columns = ("pauc_1", "pd_at_far_0.1", "pd_at_far_1", "far_at_pd_0.9")
    titles = ("Pd to 1 FA/m2", "Pd at 0.1 FA/m2", "Pd at 1 FA/m2", "FA/m2 at Pd 0.9")
    tables = {"all tests": track["all"]["readings"], **track["parts"]}
    for part, table in tables.items():
        ranks = track["all"]["ranks"] if part == "all tests" else table["ranks"]
        figures = table if part == "all tests" else {
            name: entry["readings"] for name, entry in table["entrants"].items()
        }  # fmt: skip
        meaning = f" ({TESTS[part]})" if part in TESTS else ""
        lines += ["", f"Track A, {part}{meaning}: value, 95 % limits"]
        lines.append(f"rank {'entrant':<20}" + "".join(f"{title:<24}" for title in titles))
        for name in sorted(figures, key=lambda n: (ranks[n], n)):
            cells = "".join(_cell(figures[name][c], 24) for c in columns)
            lines.append(f"{ranks[name]:>4} {name:<20}{cells}".rstrip())
    leak = track["all"]["leak"]
    if leak is not None:
        verdict = (
            "LEAKS: a model that sees no sample beats chance" if leak["leaks"] else "no leak"
        )
        lines += ["", f"Dowsing less random, Pd to 1 FA/m2: {_cell(leak)}: {verdict}"]
    return lines


def _discrimination(track: Mapping[str, Any]) -> list[str]:
    """Return the tables of track B."""
    lines = []
    for part, table in track["parts"].items():
        entries = table["entrants"]
        if not entries:
            continue
        first = next(iter(entries.values()))
        lines += [
            "",
            f"Track B, {part}: clutter rejected, of {first['n_clutter']} places, while no or "
            f"one further mine of {first['n_mines']} is missed",
            f"{'entrant':<20}{'0 missed':<24}{'1 missed':<24}at its own threshold",
        ]
        for name, entry in entries.items():
            dig = entry["stop_dig"]
            own = (
                f"{_number(dig['rejected']['value'])}, missed "
                f"{dig['missed']['k']} of {dig['missed']['n']}"
            )
            cells = "".join(_cell(entry[f"rejected_at_{k}_missed"], 24) for k in (0, 1))
            lines.append(f"{name:<20}{cells}{own}")
        lines += _own_places(part, table.get("own_places", {}))
        for base, found in table.get("against_prescreeners", {}).items():
            lines += _against_prescreener(part, base, found)
    return lines


def _own_places(part: str, entries: Mapping[str, Any]) -> list[str]:
    """Return the table of track B in which each entrant has places of its own."""
    if not entries:
        return []
    lines = [
        "",
        f"Track B, {part}: the same of the places that each noticed itself; one that notices "
        "less is left with easier ones",
        f"{'entrant':<20}{'mines':<12}{'clutter':<9}{'0 missed':<24}{'1 missed':<24}"
        "at its own threshold",
    ]
    for name, entry in entries.items():
        mines, dig = entry["noticed"], entry["stop_dig"]
        noticed = f"{mines['k']} of {mines['n']}"
        cells = "".join(_cell(entry[f"rejected_at_{k}_missed"], 24) for k in (0, 1))
        lines.append(
            f"{name:<20}{noticed:<12}{entry['n_clutter']:<9}{cells}"
            f"{_number(dig['rejected']['value'])}, missed {dig['missed']['k']}, "
            f"{mines['n'] - mines['k']} not noticed"
        )
    return lines


def _against_prescreener(part: str, base: str, entries: Mapping[str, Any]) -> list[str]:
    """Return the table of false alarms saved at the Pd of a prescreener."""
    rows: list[Any] = next(iter(entries.values()), [])
    if not rows:
        return []
    heads = (f"at {row['far']:g} FA/m2" if row["far"] else "all it noticed" for row in rows)
    lines = [
        "",
        f"Track B, {part}: share of the false alarms of {base} saved at its own Pd, by its "
        "threshold",
        f"{'':<20}{''.join(f'{head:<27}' for head in heads)}".rstrip(),
        f"{'Pd there':<20}{''.join(_cell(row['pd'], 27) for row in rows)}".rstrip(),
    ]
    lines += [
        f"{name:<20}{''.join(_cell(row['rejected'], 27) for row in found)}".rstrip()
        for name, found in entries.items()
    ]
    return lines


def _honesty(track: Mapping[str, Any]) -> list[str]:
    """Return the table of track D."""
    lines = [
        "",
        "Track D: ground claimed though not observed, and observed though not claimed",
        f"{'entrant':<20}{'sensors':<9}{'m2':<9}{'share of not observed':<26}"
        f"{'m2':<9}share of observed",
    ]
    for name, entry in track["entrants"].items():
        for sensors, found in entry.items():
            m2 = found["m2"]
            lines.append(
                f"{name:<20}{sensors:<9}{format_fixed(m2['falsely_claimed'], 2):<8} "
                f"{_cell(found['falsely_claimed'], 26)}"
                f"{format_fixed(m2['not_claimed'], 2):<8} "
                f"{_cell(found['not_claimed'])}"
            )
    counts = {
        len(found["lanes"])
        for entry in track["entrants"].values()
        for found in entry.values()
        if found["lanes"] and not any(a["falsely_claimed"] for a in found["lanes"].values())
    }
    # lanes drawn again from lanes without a false claim have none: such limits say nothing
    lines += [
        f"Where none of {n} lanes has a false claim, limits of drawn lanes are 0; of all lanes "
        f"like them {format_fixed(clopper_pearson(0, n, sides='upper').high)} or less have one "
        "(95 %)"
        for n in sorted(counts)
    ]
    return lines


def _streaming(track: Mapping[str, Any], times: Mapping[str, Any]) -> list[str]:
    """Return the table of track C."""
    words = {True: "pass", False: "FAIL"}
    lines = [
        "",
        "Track C: streaming with faults; does a session do what is required?",
        f"{'':<4}{'fault':<42}{'':<6}required",
    ]
    for name, entry in track["faults"].items():
        lines.append(
            f"{entry['number']:<4}{name:<42}{words[entry['passed']]:<6}{entry['required']}"
        )
        lines += [f"{'':<46}{failure}" for failure in entry["failures"]]
    lines += [
        f"{track['n_failed']} of {len(track['faults'])} failed",
        f"replay equals live, bit for bit: {words[track['replay_is_the_same']]}",
        f"alarms are those of a batch, bit for bit: "
        f"{words[track['alarms_are_those_of_a_batch']]} ({track['n_alarms']} alarms)",
    ]
    if times:
        figures = ", ".join(f"{name} {value:g}" for name, value in times.items())
        lines.append(f"on this machine: {figures}")
    return lines


def _goals(document: Mapping[str, Any]) -> list[str]:
    """Return the goals, and what this run says of them."""
    if document["benchmark"]["size"] != "full":  # a few lanes cannot speak to them
        return []
    goals = goals_of(document)
    if not goals:
        return []
    lines = ["", "Goals: value, 95 % limits"]
    words = {True: "met", False: "NOT met", None: ""}
    for goal in goals:
        figure = {"value": goal.value, "low": goal.low, "high": goal.high}
        text = f"{goal.name}: {_cell(figure)}, {goal.goal}: {words[goal.is_met]}"
        cases = f" ({goal.cases})" if goal.cases else ""
        lines.append(text.removesuffix(": ") + cases)
    return lines


def _cell(figure: Mapping[str, Any], width: int = 0) -> str:
    """Return a figure with its limits; in a column, with a space behind it at least."""
    low, high = (_number(figure[name]) for name in ("low", "high"))
    text = f"{_number(figure['value'])} [{low}, {high}]"
    return f"{text} ".ljust(width) if width else text


def _number(value: float | None) -> str:
    """Return a number with three decimals or more; one that is not reached as a dash."""
    return "-" if value is None else format_fixed(value)


def format_comparison(comparison: Comparison) -> str:
    """
    Return the table of a comparison.

    Parameters
    ----------
    comparison : Comparison
        Of two results files.

    Returns
    -------
    text : str
        Every figure that changed, then the verdict.

    Examples
    --------
    >>> from minesense.bench import Comparison, format_comparison
    >>> empty = Comparison(rows=(), notes=(), confidence=0.95)
    >>> print(format_comparison(empty).splitlines()[-1])
    No regression.
    """
    share = f"{100 * comparison.confidence:g} %"
    lines = [_HEAD, f"Second less first, with paired limits ({share}):"]
    for row in comparison.rows:
        d = row.difference
        if d.value == 0 and d.low == 0 and d.high == 0:
            continue
        if math.isnan(d.first) and math.isnan(d.second):  # told by neither
            continue
        mark = "REGRESSION" if row.is_regression else "worse" if row.is_worse else ""
        lines.append(
            f"{row.track} {row.part:<10}{row.entrant:<20}{row.figure:<22}"
            f"{format_fixed(d.first)} -> {format_fixed(d.second)}  "
            f"{d.value:+.3f} [{d.low:+.3f}, {d.high:+.3f}]  {mark}".rstrip()
        )
    if len(lines) == 2:
        lines.append("nothing changed")
    lines += [f"Note: {note}" for note in comparison.notes]
    lines += [f"GONE: {what}" for what in comparison.gone]
    n = len(comparison.regressions) + len(comparison.gone)
    lines.append(f"{n} figures regressed beyond their limits." if n else "No regression.")
    return "\n".join(lines)
