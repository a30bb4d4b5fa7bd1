"""A check of simulated ground as a JSON document."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

from ..synthetic.document import plain
from ..synthetic.realism import Between, Comparison, Figure, Missing
from .check import Beside, Check, Compared, Stretch
from .fieldfolder import SYNTHETIC

#: Name and version of what `check.json` holds. The version counts changes that break readers.
SCHEMA, VERSION = "minesense check of simulated ground", 1


def document_of(check: Check) -> dict[str, Any]:
    """
    Return what a check found, ready for JSON.

    Parameters
    ----------
    check : Check
        Of :func:`minesense.apps.check.check_realism`.

    Returns
    -------
    document : dict
        Numbers with six digits. A figure that cannot be told is null, and `why` says why.
    """
    return {
        "schema": SCHEMA,
        "version": VERSION,
        "note": SYNTHETIC,
        "verdict": check.verdict,
        "scenario": plain(check.recipe),
        "seed": check.seed,
        "stretches": [_stretch(stretch) for stretch in check.stretches],
        "references": [_reference(item) for item in check.compared],
    }


def counts_of(beside: Beside) -> dict[str, int]:
    """
    Return how many figures got which word.

    Parameters
    ----------
    beside : Beside
        A recording beside stretches of one soil.

    Returns
    -------
    counts : dict
        Of "like", "differs" and "cannot be compared", without details.
    """
    words = Counter(row.word for row in beside.rows if not row.figure.is_detail)
    words.update(pair.word for pair in beside.pairs)
    return {word: words[word] for word in ("like", "differs", "cannot be compared")}


def _stretch(stretch: Stretch) -> dict[str, Any]:
    """Return a stretch of the scenario."""
    return {
        "data": "SYNTHETIC",
        "soil": stretch.soil,
        "has_clutter": stretch.has_clutter,
        "sensor": stretch.kind,
        "n_traces": stretch.n_traces,
        "n_flagged": stretch.n_flagged,
        "why": _why(stretch.statistics),
        "figures": _figures(stretch.figures),
    }


def _reference(item: Compared) -> dict[str, Any]:
    """Return a recording and what it was put beside."""
    reference = item.reference
    radar = reference.sweep.sensor.radar
    return {
        "name": reference.name,
        "data": "SYNTHETIC" if reference.is_synthetic else "recorded",
        "sensor": reference.sweep.sensor.kind,
        "centre_frequency_hz": _number(radar.centre_frequency) if radar else None,
        "ground": reference.ground,
        "is_clipped": reference.is_clipped,
        "n_traces": len(reference.sweep),
        "notes": list(reference.notes),
        "why_not_compared": item.why or None,
        "figures": _figures(item.figures),
        "beside": [_beside(beside) for beside in item.beside],
    }


def _beside(beside: Beside) -> dict[str, Any]:
    """Return a recording beside stretches of one soil."""
    return {
        "soil": beside.soil,
        "n_synthetic": len(beside.statistics),
        "words": counts_of(beside),
        "figures": [_row(row) for row in beside.rows],
        "pairs": [_pair(pair) for pair in beside.pairs],
    }


def _row(row: Comparison) -> dict[str, Any]:
    """Return one figure of a recording beside those of stretches."""
    return {
        "key": row.figure.key,
        "recording": _number(row.figure.value),
        "synthetic": _number(row.synthetic),
        "synthetic_lowest": _number(row.lowest),
        "synthetic_highest": _number(row.highest),
        "ratio": _number(row.ratio),
        "measure": row.figure.measure,
        "tolerance": row.figure.tolerance,
        "word": row.word,
        "why": row.why or None,
    }


def _pair(pair: Between) -> dict[str, Any]:
    """Return one measure of two sweeps together."""
    return {
        "key": pair.key,
        "name": pair.name,
        "value": _number(pair.value),
        "between_synthetic": _number(pair.chance),
        "word": pair.word,
        "why": pair.why or None,
    }


def _figures(figures: Sequence[Figure]) -> list[dict[str, Any]]:
    """Return figures with their names and units."""
    return [
        {
            "key": figure.key,
            "name": figure.name,
            "unit": figure.unit,
            "value": _number(figure.value),
            "why": _why(figure.value),
        }
        for figure in figures
    ]


def _why(value: object) -> str | None:
    """Return why there is no number."""
    if isinstance(value, Missing):
        return value.why
    return "not a finite number" if isinstance(value, float) and math.isinf(value) else None


def _number(value: float | Missing) -> float | None:
    """Return a number with six digits, or nothing."""
    if isinstance(value, Missing) or not math.isfinite(value):
        return None
    return float(f"{value:.6g}")
