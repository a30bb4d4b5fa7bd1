"""The cases, and the table of what was measured."""

from __future__ import annotations

import importlib
from typing import Any

from .contest import CASES, Case

#: Modules that enter cases, in the order of the table.
MODULES = ("along_time", "along_track", "subspaces", "imaging", "fits")

HEAD = (
    "| operation | workload | peer | ours | peer takes | times faster | by processor time | "
    "goal | largest difference | correlation |\n|---|---|---|---|---|---|---|---|---|---|"
)


def load_cases() -> dict[str, Case]:
    """Import every module of cases; return the table."""
    for name in MODULES:
        importlib.import_module(f".{name}", __package__)
    return CASES


def seconds(value: float) -> str:
    """Return a time as a reader wants it."""
    for unit, scale in (("s", 1.0), ("ms", 1e3), ("µs", 1e6)):
        if value * scale >= 1:
            return f"{value * scale:.3g} {unit}"
    return f"{value * 1e6:.2g} µs"


def _row(name: str, found: dict[str, Any], peer: dict[str, Any], *, is_first: bool) -> str:
    """Return a line."""
    goal = found["goal"] if is_first else None
    ratio = f"{peer['ratio']:.3g}"
    if peer["ratio"] < 1:
        ratio = f"**{ratio}: the peer is faster**"
    elif goal and peer["ratio"] < goal:
        ratio = f"**{ratio}**"
    theirs = seconds(peer["seconds"])
    if peer["part"] < 1:
        theirs += f" (from {peer['part']:.2g} of the work)"
    words = [
        name if is_first else "",
        found["workload"] if is_first else "",
        f"{peer['name']}, {peer['package']}",
        seconds(found["seconds"]) if is_first else "",
        theirs,
        f"{ratio} ({peer['lowest']:.3g} to {peer['highest']:.3g})",
        f"{peer['ratio_of_processor_time']:.3g}",
        "" if goal is None else f"{goal:g}",
        f"{peer['difference']:.1g}" if "difference" in peer else "",
        f"{peer['correlation']:.4f}" if "correlation" in peer else "",
    ]
    return "| " + " | ".join(words) + " |"


def table_of(results: dict[str, Any]) -> str:
    """Return results as a page's table: bold where a goal is missed or a peer is faster."""
    lines, notes = [HEAD], []
    for name in load_cases():
        found = results["cases"].get(name)
        if found is None:
            continue
        if "absent" in found:
            notes.append(f"- {name}: not measured ({found['absent']}).")
            continue
        lines += [
            _row(name, found, peer, is_first=k == 0) for k, peer in enumerate(found["peers"])
        ]
        if found["note"]:
            notes.append(f"- {name}: {found['note']}")
        notes += [f"- {name}, {p['name']}: {p['note']}" for p in found["peers"] if p["note"]]
    machine = results["machine"]
    where = ", ".join(f"{key} {value}" for key, value in machine.items())
    text = "\n".join(lines)
    if notes:
        text += "\n\n" + "\n".join(notes)
    return f"{text}\n\nMeasured on: {where}.\n"
