"""
What the columns of a table mean: templates that integrators write once for their logs.

A template is a TOML or YAML file. Templates of GeoHammer, in YAML, are taken as they are, where
what they say maps onto what is needed here.
"""

from __future__ import annotations

import itertools
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .sidecar import read_text_bytes
from .table_times import TimeFormat, offset_of_zone
from .table_units import known_units, unit_of
from .text_table import Layout
from .trouble import Findings, FormatError

#: Role of a column: the SI unit of its numbers, "text" for a format, "" for words.
ROLES = {
    "time": "s",
    "date": "text",
    "elapsed": "s",
    "easting": "m",
    "northing": "m",
    "upward": "m",
    "latitude": "rad",
    "longitude": "rad",
    "heading": "rad",
    "fix": "",
    "line": "",
    "trace": "",
    "quality": "",
}

_LIMIT = 2**20  # bytes of a template


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a table: how it is found, and what it holds."""

    names: tuple[str, ...] = ()  #: any of these; the first that is there
    index: int | None = None  #: from 0, for tables without a header
    unit: str = ""
    format: str = ""  #: of dates and times
    good: tuple[str, ...] = ()  #: values of a fix that is good; others are flagged
    is_held: bool = False  #: whether a value repeated from the row before is none of its own
    channel: int = 0  #: of samples
    sample: int = 0  #: of samples


@dataclass(frozen=True, slots=True, kw_only=True)
class TableTemplate:
    """What the columns of a table mean, and how its lines are cut."""

    name: str = ""
    layout: Layout = field(default_factory=Layout)
    columns: Mapping[str, Column] = field(default_factory=dict)  #: by role
    samples: tuple[Column, ...] = ()
    zone: str = ""  #: of dates and times: "UTC" or an offset
    date: str = ""  #: of a log that has none, ISO; "name" takes it from the name of the file
    height: str = ""  #: what upward counts from, in words, for example "above ground"
    sensor_name: str = "table"
    kind: str = "emi"
    quantity: str = "amplitude"
    axis: tuple[float, ...] = ()  #: s or Hz, one for each sample of a channel
    axis_unit: str = "s"
    lever_arms: tuple[tuple[float, float, float], ...] = ()  #: m, one for each channel
    is_foreign: bool = False  #: of GeoHammer
    others: tuple[str, ...] = ()  #: columns that such a template names besides


def load_template(source: str | Path | Mapping[str, Any] | TableTemplate) -> TableTemplate:
    """
    Return a template of a file, or of what such a file holds.

    Parameters
    ----------
    source : str, Path, mapping or TableTemplate
        A TOML file, a YAML file, or its content.

    Returns
    -------
    template : TableTemplate
        Checked.

    Raises
    ------
    FormatError
        If the file is no template, or something in it is unknown or not in its range.
    ImportError
        If PyYAML is not installed, for a YAML file.
    OSError
        If the file cannot be read.

    Examples
    --------
    >>> template = load_template(
    ...     {
    ...         "columns": {"time": {"name": "t", "unit": "ms"}},
    ...         "samples": [{"name": "coil", "unit": "mV"}],
    ...     }
    ... )
    >>> template.columns["time"].names, template.samples[0].unit
    (('t',), 'mV')
    """
    if isinstance(source, TableTemplate):
        return source
    if isinstance(source, Mapping):
        return _Reader(Path("template"), source).read()
    path = Path(source)
    data = read_text_bytes(path, limit=_LIMIT)
    try:
        text = data.decode("utf-8-sig")
        document = tomllib.loads(text) if path.suffix.lower() == ".toml" else _load_yaml(text)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        field = "template"
        raise FormatError(path, field, str(error)[:200], "TOML or YAML text") from None
    if not isinstance(document, Mapping):
        field, rule = "template", "a table of TOML or a mapping of YAML"
        raise FormatError(path, field, type(document).__name__, rule)
    return _Reader(path, document).read()


def _load_yaml(text: str) -> Any:
    """Return what YAML text holds: plain values only."""
    try:
        import yaml  # noqa: PLC0415 - an extra
    except ImportError:
        msg = "Reading YAML templates needs PyYAML: pip install 'minesense[tables]'."
        raise ImportError(msg) from None
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:
        raise tomllib.TOMLDecodeError(" ".join(str(error).split())) from None


class _Reader:
    """Turn what a template file holds into a template, checking every value."""

    def __init__(self, path: Path, document: Mapping[str, Any]):
        self.findings = Findings(path)
        self.document = document

    def read(self) -> TableTemplate:
        """Return the template."""
        if "data-mapping" in self.document:
            from .table_foreign import read_geohammer  # noqa: PLC0415 - it needs this module

            return read_geohammer(self.findings, self.document)
        document = dict(self.document)
        columns = {
            role: self._column(f"columns.{role}", spec, role)
            for role, spec in self._mapping(document.pop("columns", {}), "columns").items()
        }
        listed = document.pop("samples", [])
        if not isinstance(listed, list):
            self.fail("samples", listed, "a list of columns")
        samples = tuple(
            self._column(f"samples {k}", spec, "sample") for k, spec in enumerate(listed)
        )
        sensor = dict(self._mapping(document.pop("sensor", {}), "sensor"))
        template = TableTemplate(
            name=self._text(document, "name", ""),
            layout=self._layout(document),
            columns=columns,
            samples=samples,
            zone=self._text(document, "zone", ""),
            date=self._text(document, "date", ""),
            height=self._text(document, "height", ""),
            sensor_name=self._text(sensor, "name", "table"),
            kind=self._word(sensor, "kind", "emi", ("emi", "gpr")),
            quantity=self._text(sensor, "quantity", "amplitude"),
            axis=self._numbers(sensor, "axis"),
            axis_unit=self._word(sensor, "axis_unit", "s", ("s", "Hz")),
            lever_arms=self._lever_arms(sensor),
        )
        for name, rest in (("template", document), ("sensor", sensor)):
            if rest:
                self.fail(name, sorted(map(str, rest)), "without names that mean nothing here")
        check_template(self.findings, template)
        return template

    def fail(self, field: str, value: object, expected: str) -> None:
        """Give up on the template."""
        self.findings.fail(field, value, expected)

    def _layout(self, document: dict[str, Any]) -> Layout:
        separator = self._text(document, "separator", "auto")
        has_header = document.pop("header", True)
        skip = document.pop("skip_lines", 0)
        if not isinstance(has_header, bool):
            self.fail("header", has_header, "true or false")
        if isinstance(skip, bool) or not isinstance(skip, int) or skip < 0:
            self.fail("skip_lines", skip, "a number of lines")
        missing = document.pop("missing", [])
        if not isinstance(missing, list) or not all(isinstance(m, str) for m in missing):
            self.fail("missing", missing, "a list of words")
        layout = Layout(
            separator=None if separator == "auto" else separator,
            decimal=self._word(document, "decimal", ".", (".", ",")),
            comment=self._text(document, "comment", "#"),
            has_header=has_header,
            skip_lines=skip,
            missing=tuple(missing),
        )
        check_layout(self.findings, layout)
        return layout

    def _column(self, place: str, spec: Any, role: str) -> Column:
        if role not in ROLES and role != "sample":
            self.fail("role", role, f"one of {sorted(ROLES)}")
        if isinstance(spec, str):
            spec = {"name": spec}
        spec = dict(self._mapping(spec, place))
        names = spec.pop("name", [])
        names = [names] if isinstance(names, str) else names
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            self.fail(f"{place}.name", names, "a name or a list of names")
        index = spec.pop("column", None)
        if index is not None and (isinstance(index, bool) or not isinstance(index, int)):
            self.fail(f"{place}.column", index, "a whole number from 1 on")
        if (index is None and not names) or (index is not None and not 1 <= index <= 20_000):
            self.fail(
                place, f"name {names}, column {index}", "with a name, or a column from 1 on"
            )
        good = spec.pop("good", [])
        good = [good] if isinstance(good, str | int) else good
        if not isinstance(good, list):
            self.fail(f"{place}.good", good, "a list of words")
        held = spec.pop("held", False)
        if not isinstance(held, bool):
            self.fail(f"{place}.held", held, "true or false")
        counts = {}
        for name in ("channel", "sample"):
            value = spec.pop(name, 0)
            if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**20:
                self.fail(f"{place}.{name}", value, "a whole number from 0 on")
            counts[name] = value
        column = Column(
            names=tuple(names),
            index=None if index is None else index - 1,
            unit=self._text(spec, "unit", ""),
            format=self._text(spec, "format", ""),
            good=tuple(str(word) for word in good),
            is_held=held,
            **counts,
        )
        if spec:
            self.fail(place, sorted(map(str, spec)), "without names that mean nothing here")
        return column

    def _mapping(self, value: Any, place: str) -> Mapping[str, Any]:
        if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
            self.fail(place, value, "a table of names and values")
        return value

    def _text(self, document: dict[str, Any], name: str, default: str) -> str:
        value = document.pop(name, default)
        if hasattr(value, "isoformat"):
            value = value.isoformat()  # a date of TOML or YAML
        if not isinstance(value, str):
            self.fail(name, value, "text")
        return str(value)

    def _word(
        self, document: dict[str, Any], name: str, default: str, words: tuple[str, ...]
    ) -> str:
        value = self._text(document, name, default)
        if value not in words:
            self.fail(name, value, f"one of {list(words)}")
        return value

    def _numbers(self, document: dict[str, Any], name: str) -> tuple[float, ...]:
        values = document.pop(name, [])
        if not isinstance(values, list) or not all(map(_is_finite, values)):
            self.fail(name, values, "a list of finite numbers")
        return tuple(float(value) for value in values)

    def _lever_arms(self, document: dict[str, Any]) -> tuple[tuple[float, float, float], ...]:
        rows = document.pop("lever_arms", [])
        if not isinstance(rows, list):
            self.fail("lever_arms", rows, "a list of right, forward, upward in metres")
        arms = []
        for row in rows:
            values = self._numbers({"arm": row}, "arm")
            if len(values) != 3:
                self.fail("lever_arms", row, "right, forward and upward in metres")
            arms.append((values[0], values[1], values[2]))
        return tuple(arms)


def _is_finite(value: object) -> bool:
    """Whether a value is a number that float64 can hold."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) <= sys.float_info.max  # of whole numbers of any size, too


def check_layout(findings: Findings, layout: Layout) -> None:
    """
    Raise if a table cannot be cut as a template says.

    Parameters
    ----------
    findings : Findings
        Of the template.
    layout : Layout
        Of it.

    Raises
    ------
    FormatError
        If the separator is no single character, or is the decimal sign as well.
    """
    separator = layout.separator
    if separator is not None and (len(separator) != 1 or separator in '"\r\n.0123456789'):
        rule = (
            "one character such as , ; or a tabulator, a blank for any run of blanks, or auto"
        )
        findings.fail("separator", separator, rule)
    if layout.decimal == "," and separator == ",":
        findings.fail("decimal", ",", "a point where commas separate cells")


def check_template(findings: Findings, template: TableTemplate) -> None:
    """
    Raise if a template contradicts itself or leaves out what it must say.

    Parameters
    ----------
    findings : Findings
        Of the template.
    template : TableTemplate
        To check.

    Raises
    ------
    FormatError
        If it does.
    """
    _check_columns(findings, template)
    _check_units(findings, template)
    timed = {"time", "elapsed"} & set(template.columns)
    if template.samples and not timed:
        findings.fail("columns", sorted(template.columns), "with a time or elapsed")
    dated = any(template.columns[r].format for r in template.columns if r in ("time", "date"))
    if dated or template.date:
        try:
            offset_of_zone(template.zone)
        except ValueError as error:
            findings.fail("zone", template.zone, f"given for dates and times: {error}")
    for a, b in (("easting", "northing"), ("latitude", "longitude")):
        if (a in template.columns) != (b in template.columns):
            findings.fail("columns", sorted(template.columns), f"with both {a} and {b}")
    if template.samples:
        _check_samples(findings, template)


def _check_columns(findings: Findings, template: TableTemplate) -> None:
    """Raise unless columns of times and positions have a format or a unit."""
    for role, column in template.columns.items():
        needed = ROLES[role]
        if role == "time" and column.format:
            needed = "text"
        if needed == "text":
            try:
                TimeFormat(column.format)
            except ValueError as error:
                findings.fail(f"columns.{role}.format", column.format, str(error))
        elif needed:
            unit = unit_of(column.unit)
            if unit is None or unit[0] != needed:
                rule = f"a unit: one of {known_units(needed)}"
                findings.fail(f"columns.{role}.unit", column.unit, rule)
        if not template.layout.has_header and column.index is None:
            findings.fail(f"columns.{role}", column.names, "with a column: there is no header")


def _check_units(findings: Findings, template: TableTemplate) -> None:
    """Raise unless samples have known units of one quantity."""
    units = set()
    for k, column in enumerate(template.samples):
        unit = unit_of(column.unit)
        if unit is None:
            findings.fail(f"samples {k}.unit", column.unit, f"one of {known_units()}")
            raise AssertionError  # fail() has raised
        units.add(unit[0])
        if not template.layout.has_header and column.index is None:
            findings.fail(f"samples {k}", column.names, "with a column: there is no header")
    if len(units) > 1:
        findings.fail("units of samples", sorted(units), "of one quantity")


def _check_samples(findings: Findings, template: TableTemplate) -> None:
    """Raise unless samples fill channels and gates, each once."""
    n_channels = 1 + max(column.channel for column in template.samples)
    n_samples = 1 + max(column.sample for column in template.samples)
    places = [(column.channel, column.sample) for column in template.samples]
    if len(set(places)) != len(places) or len(places) != n_channels * n_samples:
        rule = f"one column for each of {n_channels} channels x {n_samples} samples"
        findings.fail("samples", sorted(places)[:10], rule)
    if template.lever_arms and len(template.lever_arms) != n_channels:
        rule = f"one for each of {n_channels} channels"
        findings.fail("lever_arms", len(template.lever_arms), rule)
    axis = template.axis
    increasing = all(a < b for a, b in itertools.pairwise(axis))
    if (axis and len(axis) != n_samples) or not increasing:
        findings.fail("axis", list(axis)[:10], f"{n_samples} increasing numbers")
    if not axis and n_samples > 1:
        findings.fail("axis", "none", f"{n_samples} gate times in s or frequencies in Hz")
