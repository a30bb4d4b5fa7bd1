"""What an annex is made from, and the statements that people may add to it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..io.gis import MapFrame
from .annex import statements
from .chain import ChainedFile
from .dispositions import LogEntry
from .evidence_session import EvidenceSession
from .grid import CoverageGrid
from .ground_map import GroundMap
from .residual_file import ResidualMap
from .site import Footprint, Site

#: Statements that the table ``annex`` of a site file may hold, by section.
STATEMENTS: Mapping[int, tuple[tuple[str, str], ...]] = {
    2: (("limits", "Further limits"),),
    5: (
        ("soil_susceptibility", "Magnetic susceptibility"),
        ("soil_moisture", "Moisture or permittivity"),
        ("ground_noise", "Ground noise"),
        ("reference_area", "Reference area"),
    ),
    7: (
        ("positioning_method", "Method"),
        ("control_points", "Control points"),
        ("lever_arm", "Lever arm"),
    ),
    11: (
        ("blind_seeds_by", "Blind seeds laid by"),
        ("quality_control", "Internal and external checks"),
    ),
    12: (("nonconformities", "Non-conformities and corrective action"),),
    13: (("deviations", "Deviations from the procedure"),),
    14: (
        ("raw_data_location", "Where raw data are kept"),
        ("retention", "For how long"),
    ),
    15: (("recommendation", "Recommendation, made by people"),),
}

#: Other keys of that table: numbers, and the place of a local frame on Earth.
OTHER_KEYS = (
    "blind_seeds_laid",
    "blind_seeds_found",
    "origin_longitude_deg",
    "origin_latitude_deg",
    "origin_height_m",
)

#: What section 3 asks of an instrument.
INSTRUMENT = (
    ("make", "Make"),
    ("model", "Model"),
    ("serial", "Serial number"),
    ("firmware", "Firmware"),
    ("settings", "Settings"),
    ("mode", "Mode"),
    ("ground_balance", "Ground balance"),
    ("last_service", "Last service"),
)

#: Rows of a table of the page; the rest is in the files, and is counted.
MOST_ROWS = 400
_MOST_FIGURES = 4


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AnnexMatter:
    """Everything that an annex is made from."""

    site: Site
    grid: CoverageGrid
    grounds: tuple[GroundMap, ...]  #: of :func:`ground_maps`
    sessions: tuple[EvidenceSession, ...]
    entries: tuple[LogEntry, ...]
    frame: MapFrame
    is_synthetic: bool
    shows_positions: bool
    files: tuple[ChainedFile, ...] = ()
    links: tuple[str, ...] = ()
    residual: ResidualMap | None = None  #: what may remain, if it was estimated
    program: Mapping[str, str] = field(default_factory=dict)


def check_statements(given: Mapping[str, str]) -> None:
    """
    Check the statements of a site file's table ``annex``.

    Parameters
    ----------
    given : mapping of str to str
        Statements by key.

    Raises
    ------
    ValueError
        If a key is unknown, or the numbers of blind seeds cannot be.

    Examples
    --------
    >>> from minesense.evidence.annex_sections import check_statements
    >>> check_statements({"retention": "ten years"})
    """
    known = {key for keys in STATEMENTS.values() for key, _ in keys} | set(OTHER_KEYS)
    for key in given:
        if key not in known:
            msg = f"Invalid annex key '{key}'. Must be one of {', '.join(sorted(known))}."
            raise ValueError(msg)
    laid, found = given.get("blind_seeds_laid", ""), given.get("blind_seeds_found", "")
    is_number = laid.isdecimal() and found.isdecimal()
    if (laid or found) and not (is_number and 0 <= int(found) <= int(laid) > 0):
        key = "blind_seeds_found" if found else "blind_seeds_laid"
        msg = (
            f"Invalid annex key '{key}': found '{found}' of laid '{laid}'. Must be whole "
            "numbers, found at most laid."
        )
        raise ValueError(msg)


def figure_layers(grid: CoverageGrid) -> tuple[int, ...]:
    """
    Return which layers of a grid have figures of their own.

    Parameters
    ----------
    grid : CoverageGrid
        Of a task.

    Returns
    -------
    layers : tuple of int
        Indices of the first few that a sensor can see at all.

    Examples
    --------
    >>> from minesense.evidence import CoverageTracker, read_site
    >>> figure_layers(CoverageTracker(read_site("examples/site.toml")).finish())
    (0,)
    """
    seen = [k for k, layer in enumerate(grid.layers) if isinstance(layer.model, Footprint)]
    return tuple(seen[:_MOST_FIGURES])


def stated(matter: AnnexMatter, number: int) -> tuple[Any, Any]:
    """
    Return what people stated for a section, and what they did not.

    Parameters
    ----------
    matter : AnnexMatter
        What the annex is made from.
    number : int
        Of the section.

    Returns
    -------
    facts, missing : tuple
        As :func:`minesense.evidence.annex.statements`.
    """
    return statements(matter.site.annex, STATEMENTS.get(number, ()))


def format_figure(value: float, digits: int = 3) -> str:
    """
    Return a figure, or a word where it is not known.

    Parameters
    ----------
    value : float
        NaN where it is not known.
    digits : int
        Behind the point.

    Returns
    -------
    text : str
        Without its unit.
    """
    return f"{round(value, digits):.10g}" if math.isfinite(value) else "unknown"
