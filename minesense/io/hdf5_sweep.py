"""
Sweeps as plain arrays in HDF5: written by minesense, or by anyone who follows the layout.

A file holds one sweep at its root, or one in each group of the root, groups in order of their
names. A sweep is

===============  ==============================  =========================================
dataset          shape                           what
===============  ==============================  =========================================
``samples``      (traces, channels, samples)     real or complex numbers, in ``unit``
``time``         (traces,)                       s, increasing
``axis``         (samples,)                      gate times or two-way times in s, or Hz
``position``     (traces, 3), optional           easting, northing, upward, m; NaN: unknown
``heading``      (traces,), optional             rad clockwise from north; or the track's
``quality``      (traces,), optional             flags of minesense.quality.Quality
``lever_arms``   (channels, 3), optional         right, forward, upward, m; zero if absent
===============  ==============================  =========================================

with attributes ``kind`` ("emi" or "gpr"), and, all optional, ``axis_unit`` ("s" or "Hz"),
``unit`` (of a sample, SI), ``quantity``, ``sensor``, ``lane``, ``crs``, ``origin``,
``centre_frequency`` (Hz), ``separation`` (m) and ``height`` (m) of a radar, ``history`` (lines
of text) and ``sensor_document`` (JSON, all that is known of a sensor, which then counts).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .._validation import check_count
from ..sensor import Radar, Sensor
from ..sensor_document import sensor_of
from ..sweep import Frame, Quality, Sweep
from .hdf5_access import (
    MAX_BYTES,
    Node,
    find,
    find_dataset,
    open_hdf5,
    read_attributes,
    read_dataset,
)
from .local_frame import heading_of_track
from .row_order import order_rows
from .sweep_file import SweepFile, finish
from .trouble import Findings, FormatError

FORMAT = "minesense sweeps"
VERSION = 1

#: Attributes of a sweep that are read as numbers or words of it.
_KNOWN = {
    "format",
    "version",
    "kind",
    "axis_unit",
    "unit",
    "quantity",
    "sensor",
    "lane",
    "crs",
    "origin",
    "centre_frequency",
    "separation",
    "height",
    "history",
    "sensor_document",
}


def read_hdf5_sweeps(
    path: str | Path,
    *,
    traces: slice | None = None,
    strict: bool = False,
    max_bytes: int = MAX_BYTES,
) -> SweepFile:
    """
    Read sweeps kept as plain arrays in HDF5, in the layout of this module.

    Parameters
    ----------
    path : str or Path
        The file.
    traces : slice, optional
        Which traces of each sweep, all without it; others are not read.
    strict : bool, optional
        Whether warnings are errors.
    max_bytes : int, optional
        Largest dataset that is read.

    Returns
    -------
    result : SweepFile
        All sweeps. `header["attributes"]` holds attributes that are not part of the layout.

    Raises
    ------
    FormatError
        If an array is missing, of another shape or too large, or the file is damaged or leads
        out of itself; in strict mode also for a warning.
    ImportError
        If h5py is not installed.
    TypeError, ValueError
        If an option is not in its range.
    """
    path = Path(path)
    findings = Findings(path, strict=strict)
    check_count(max_bytes, "max_bytes")
    if traces is not None and (not isinstance(traces, slice) or traces.step not in (None, 1)):
        msg = f"Invalid traces {traces!r}. Must be a slice without a step."
        raise TypeError(msg)
    sweeps: list[Sweep] = []
    extra: dict[str, Any] = {}
    with open_hdf5(path) as file:
        version = read_attributes(file, findings).get("version", VERSION)
        if version != VERSION:
            findings.fail("version", version, f"{VERSION}, which this version reads")
        names = _groups(file)
        n_groups = len(names)
        for name in names:
            group = find(file, name) if name else file
            assert group is not None
            sweep, attributes = _read_group(group, name, findings, traces, max_bytes)
            sweeps += sweep
            if attributes:
                extra[name or "/"] = attributes
    if not sweeps and n_groups and traces is not None:
        findings.fail("traces", str(traces), "some of the traces that the file has")
    if not sweeps:
        found = "sweeps without a trace" if n_groups else "no dataset 'samples'"
        findings.fail("content", found, "a sweep at the root or in its groups")
    return finish(
        findings,
        format_name="hdf5",
        sweeps=sweeps,
        header={"attributes": extra} if extra else {},
        sources={"time": "dataset 'time'", "position": "dataset 'position'"},
    )


def _groups(file: Node) -> list[str]:
    """Return the names of the groups that hold a sweep; empty for the root."""
    if "samples" in file.members:
        return [""]
    groups = {name: find(file, name) for name in file.members}
    held = [name for name, group in groups.items() if group and "samples" in group.members]
    return sorted(held, key=lambda name: (len(name), name) if name.isdigit() else (99, name))


def _read_group(
    group: Node, name: str, findings: Findings, traces: slice | None, max_bytes: int
) -> tuple[list[Sweep], dict[str, Any]]:
    """Return the sweeps of one group, and attributes that are not part of the layout."""
    attributes = read_attributes(group, findings)
    where = f"group '{name}'" if name else "root"
    array = find_dataset(group, "samples")
    kind = array.dtype.kind if array is not None and array.dtype is not None else ""
    if (
        array is None
        or array.shape is None
        or array.ndim != 3
        or kind not in "iufc"
        or not kind
    ):
        found = f"{getattr(array, 'shape', None)} of {getattr(array, 'dtype', None)}"
        rule = "(traces, channels, samples) numbers"
        findings.fail("dataset 'samples'", found, rule, where)
        raise AssertionError  # fail() has raised
    start, stop, _ = (traces or slice(None)).indices(array.shape[0])
    part = slice(start, max(start, stop))
    samples = read_dataset(array, findings, max_bytes=max_bytes, part=part)
    n_traces, n_channels, n_samples = samples.shape

    def read(key: str, shape: tuple[int, ...], which: slice | None) -> npt.NDArray[Any] | None:
        dataset = find_dataset(group, key)
        if dataset is None:
            return None
        if dataset.shape != shape or dataset.dtype is None or dataset.dtype.kind not in "iuf":
            found = f"{dataset.shape} of {dataset.dtype}"
            findings.fail(f"dataset '{key}'", found, f"{shape} numbers", where)
        values = read_dataset(
            dataset, findings, max_bytes=max_bytes, part=() if which is None else which
        )
        return values if key == "quality" else values.astype(np.float64)

    total = array.shape[0]
    time = read("time", (total,), part)
    axis = read("axis", (n_samples,), None)
    for key, values in (("time", time), ("axis", axis)):
        if values is None:
            findings.fail(f"dataset '{key}'", "none", "there", where)
    arms = read("lever_arms", (n_channels, 3), None)
    position = read("position", (total, 3), part)
    if position is None:
        position = np.full((n_traces, 3), np.nan)
    heading = read("heading", (total,), part)
    quality = read("quality", (total,), part)
    flags = np.zeros(n_traces, np.int64) if quality is None else _flags(findings, quality)
    sensor = _sensor(findings, attributes, axis, arms, samples)
    cube = samples
    if samples.dtype.kind == "c":
        cube = np.ascontiguousarray(samples, np.complex128).view(np.float64)
    with np.errstate(over="ignore"):
        cube = np.ascontiguousarray(cube, np.float32)
    flags[~np.isfinite(cube).all(axis=(1, 2))] |= int(Quality.NOT_FINITE)
    no_pose = ~np.isfinite(position).all(axis=1)
    position = np.where(no_pose[:, None], np.nan, position)
    flags[no_pose] |= int(Quality.POSE_NONE)
    track = heading_of_track(position[:, 0], position[:, 1])
    angle = track if heading is None else np.where(np.isfinite(heading), heading, track)
    angle = np.where(no_pose, np.nan, angle)
    assert time is not None
    sweeps = [
        Sweep(
            samples=cube[stretch.rows],
            time=stretch.time,
            position=position[stretch.rows],
            heading=angle[stretch.rows],
            quality=flags[stretch.rows] | stretch.quality,
            sensor=sensor,
            lane=str(attributes.get("lane", f"{findings.path.stem} {name}".strip())),
            frame=Frame(
                crs=str(attributes.get("crs", "local")),
                origin=str(attributes.get("origin", "unstated")),
            ),
            history=_history(group, attributes, findings, max_bytes),
        )
        for stretch in order_rows(findings, time, np.zeros(n_traces, bool))
    ]
    return sweeps, {key: value for key, value in attributes.items() if key not in _KNOWN}


def _flags(findings: Findings, quality: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Return quality flags as whole numbers."""
    limit = 2 * max(flag.value for flag in Quality)
    if quality.dtype.kind not in "iu":
        findings.fail("dataset 'quality'", str(quality.dtype), "flags, whole numbers")
    wrong = np.flatnonzero((quality < 0) | (quality >= limit))
    if len(wrong):
        rule = f"flags, from 0 to {limit - 1}"
        findings.fail("dataset 'quality'", quality[wrong[0]], rule, f"trace {wrong[0]}")
    return quality.astype(np.int64)


def _sensor(
    findings: Findings,
    attributes: Mapping[str, Any],
    axis: npt.NDArray[np.float64] | None,
    arms: npt.NDArray[np.float64] | None,
    samples: npt.NDArray[Any],
) -> Sensor:
    """Return the sensor that attributes and arrays describe."""
    is_complex = samples.dtype.kind == "c"
    text = attributes.get("sensor_document")
    try:
        if text is not None:
            document = json.loads(str(text))
            if not isinstance(document, dict):
                findings.fail("attribute 'sensor_document'", str(text)[:80], "a JSON object")
            sensor = sensor_of(document)
            wanted = (samples.shape[1], samples.shape[2] * (2 if is_complex else 1))
            if sensor.is_complex != is_complex or sensor.shape != wanted:
                findings.fail("attribute 'sensor_document'", sensor.shape, f"of {wanted}")
            if axis is None or not np.array_equal(sensor.axis, axis):
                findings.fail("attribute 'sensor_document'", "another axis", "that of 'axis'")
            return sensor
        kind = attributes.get("kind")
        if kind not in ("emi", "gpr"):
            findings.fail("attribute 'kind'", kind, "'emi' or 'gpr'")
        frequency = attributes.get("centre_frequency")
        radar = None
        if kind == "gpr" and frequency is not None:
            height = attributes.get("height")
            radar = Radar(
                centre_frequency=float(frequency),
                separation=float(attributes.get("separation", 0.0)),
                height=None if height is None else float(height),
            )
        return Sensor(
            name=str(attributes.get("sensor", "hdf5")),
            kind=kind,
            axis=axis if axis is not None else np.empty(0),
            axis_unit=attributes.get("axis_unit", "s"),
            lever_arms=np.zeros((samples.shape[1], 3)) if arms is None else arms,
            quantity=str(attributes.get("quantity", "amplitude")),
            unit=str(attributes.get("unit", "1")),
            is_complex=is_complex,
            radar=radar,
        )
    except FormatError:
        raise
    except (ValueError, TypeError, RecursionError) as error:
        findings.fail("sensor", " ".join(str(error).split())[:200], "as the layout says")


def _history(
    group: Node, attributes: Mapping[str, Any], findings: Findings, max_bytes: int
) -> tuple[str, ...]:
    """Return the lines of the history: of an attribute, or of a dataset if it is long."""
    text = attributes.get("history")
    if text is None:
        dataset = find_dataset(group, "history")
        if dataset is None or dataset.ndim != 1 or dataset.dtype != np.uint8:
            return ()
        text = (
            read_dataset(dataset, findings, max_bytes=max_bytes)
            .tobytes()
            .decode("utf-8", "replace")
        )
    return tuple(line for line in str(text).split("\n") if line)
