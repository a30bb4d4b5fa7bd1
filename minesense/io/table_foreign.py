"""Templates of GeoHammer for tables of drones, as far as they say what is needed here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .table_template import Column, TableTemplate, check_layout, check_template
from .text_table import Layout
from .trouble import Findings

#: Keys of a template that say nothing about where values are.
_IGNORED = {
    "name",
    "code",
    "file-type",
    "match-regex",
    "positional",
    "file-format",
    "data-mapping",
    "skip-lines-to",
}
_PLACES = {"latitude": "latitude", "longitude": "longitude", "altitude": "upward"}


def read_geohammer(findings: Findings, document: Mapping[str, Any]) -> TableTemplate:
    """
    Return the template that a YAML template of GeoHammer stands for.

    Parameters
    ----------
    findings : Findings
        Of the template file.
    document : mapping
        Its content.

    Returns
    -------
    template : TableTemplate
        With positions, dates and times, and traces. Which of its `data-values` are samples
        the template does not say; their names are in `others`.

    Raises
    ------
    FormatError
        If it has a date in the name of the file by a pattern, `skip-lines-to`, or something
        else that has no counterpart here.

    Notes
    -----
    Angles are degrees and heights metres in such templates. They state no zone of time; it is
    taken as UTC, which those loggers write.
    """
    mapping = _mapping(findings, document.get("data-mapping"), "data-mapping")
    unknown = sorted(str(key) for key in document if key not in _IGNORED)
    if unknown or "skip-lines-to" in document:
        rule = f"one of {sorted(_IGNORED - {'skip-lines-to'})}"
        findings.fail("template", unknown or "skip-lines-to", rule)
    columns: dict[str, Column] = {}
    others: list[str] = []
    for key, spec in mapping.items():
        if key in _PLACES and spec is not None:
            unit = "m" if key == "altitude" else "deg"
            columns[_PLACES[key]] = _column(findings, key, spec, unit=unit)
        elif key in ("date", "time", "date-time", "timestamp"):
            _add_time(findings, columns, key, spec)
        elif key in ("sgy-traces", "traces"):
            listed = spec if isinstance(spec, list) else [spec]
            names = [_column(findings, key, item).names for item in listed]
            columns["trace"] = Column(names=tuple(name for part in names for name in part))
        elif key in ("data-values", "sensors"):
            listed = spec if isinstance(spec, list) else []
            others += [name for item in listed for name in _column(findings, key, item).names]
        else:
            findings.fail("data-mapping", key, "a mapping that is known here")
    template = TableTemplate(
        name=str(document.get("name", "")),
        layout=_layout(findings, document),
        columns=columns,
        zone="UTC",
        height="as the log says",
        is_foreign=True,
        others=tuple(others),
    )
    check_template(findings, template)
    return template


def _add_time(findings: Findings, columns: dict[str, Column], key: str, spec: Any) -> None:
    """Add a date, a time of day, both in one, or a count of milliseconds."""
    if key == "timestamp":
        columns["elapsed"] = _column(findings, key, spec, unit="ms")
    elif key == "date":
        if isinstance(spec, Mapping) and str(spec.get("source", "")).lower() == "filename":
            rule = "a column: pass the date of the file as an option"
            findings.fail("date", "from the name of the file", rule)
        columns["date"] = _column(findings, key, spec)
    else:
        columns["time"] = _column(findings, key, spec)


def _column(findings: Findings, key: str, spec: Any, *, unit: str = "") -> Column:
    """Return where a value is."""
    spec = _mapping(findings, spec, key)
    header, index = spec.get("header"), spec.get("index")
    names = (header,) if isinstance(header, str) and header else ()
    is_index = isinstance(index, int) and not isinstance(index, bool) and 0 <= index < 20_000
    if index is not None and not is_index:
        findings.fail(f"{key}.index", index, "a column, counted from 0")
    if not names and not is_index:
        findings.fail(key, dict(spec), "with a header or an index")
    form = spec.get("format", "")
    if not isinstance(form, str):
        findings.fail(f"{key}.format", form, "text")
    return Column(
        names=names,
        # where both are given, the header says it
        index=int(index) if is_index and not names else None,
        unit=unit,
        format=form,
    )


def _layout(findings: Findings, document: Mapping[str, Any]) -> Layout:
    """Return how lines are cut."""
    file_format = _mapping(findings, document.get("file-format", {}), "file-format")
    kind = str(document.get("file-type", "CSV"))
    widths: tuple[int, ...] = ()
    if kind.lower() == "columnsfixedwidth":
        listed = file_format.get("column-lengths")
        good = isinstance(listed, list) and all(
            isinstance(n, int) and not isinstance(n, bool) and 0 < n < 2**16 for n in listed
        )
        if not good or not listed:
            findings.fail("column-lengths", listed, "a list of widths")
            raise AssertionError  # fail() has raised
        widths = tuple(listed)
    elif kind.lower() != "csv":
        findings.fail("file-type", kind, "CSV or ColumnsFixedWidth")
    separator = str(file_format.get("separator", "")) or None
    layout = Layout(
        separator=None if widths else separator,
        decimal=str(file_format.get("decimal-separator", ".")),
        comment=str(file_format.get("comment-prefix", "#") or ""),
        has_header=bool(file_format.get("has-header", not widths)),
        widths=widths,
    )
    if layout.decimal not in (".", ","):
        findings.fail("decimal-separator", layout.decimal, "a point or a comma")
    check_layout(findings, layout)
    return layout


def _mapping(findings: Findings, value: Any, place: str) -> Mapping[str, Any]:
    """Return a mapping of text to something."""
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        findings.fail(place, value, "a mapping")
    return value
