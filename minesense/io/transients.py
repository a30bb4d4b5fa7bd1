"""
Read transients of arrays of coils in HDF5: MetalMapper 2x2 and relatives. Provisional.

The layout is known from its vendor's description alone: no file of an instrument has been read
with this. Every result says so.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from .._validation import check_array, check_count
from ..sensor import Sensor
from ..sweep import Frame, Quality, Sweep
from .hdf5_access import (
    MAX_BYTES,
    check_dataset,
    open_hdf5,
    read_attributes,
)
from .hdf5_kinds import find_table, is_receiver_column
from .sweep_file import SweepFile, finish
from .table_units import unit_of
from .trouble import Findings

PROVISIONAL = "PROVISIONAL: no file of an instrument has been read with this reader"

_TIME_UNITS = ("s", "ms", "us", "µs", "ns")


def read_transients(
    path: str | Path,
    *,
    time_unit: str | None = None,
    unit: str = "mV",
    position: Any = None,
    strict: bool = False,
    max_bytes: int = MAX_BYTES,
) -> SweepFile:
    """
    Read one measurement of an array of coils. Provisional.

    Parameters
    ----------
    path : str or Path
        HDF5 with a table that has a column `GateTime` and one for each axis and cube, XA to ZD.
    time_unit : {"s", "ms", "us", "ns"}, optional
        Of the gate times, if the file does not say it.
    unit : str, optional
        Of the columns; millivolts by the vendor's description.
    position : (3,) array_like, optional
        Easting, northing, upward of the array, in metres.
    strict : bool, optional
        Whether warnings are errors.
    max_bytes : int, optional
        Largest dataset that is read.

    Returns
    -------
    result : SweepFile
        A sweep of one trace, a channel for each column in the order of the file, named in
        `header["channels"]`. Attributes of the file are kept.

    Raises
    ------
    FormatError
        If there is no such table, the unit of the gate times is unknown, or they are not
        positive and increasing; in strict mode also for a warning, and there is always one.
    ImportError
        If h5py is not installed.
    TypeError, ValueError
        If an option is not in its range.
    """
    path = Path(path)
    check_count(max_bytes, "max_bytes")
    known = unit_of(unit)
    if known is None:
        msg = f"Invalid unit {unit!r}. Must be one such as 'mV'."
        raise ValueError(msg)
    findings = Findings(path, strict=strict)
    findings.warn(PROVISIONAL)
    with open_hdf5(path) as file:
        table = find_table(file)
        if table is None:
            findings.fail("content", "no table", "with GateTime and columns such as ZA")
            raise AssertionError  # fail() has raised
        check_dataset(table, findings, max_bytes)
        if table.shape is None or table.ndim != 1 or not 1 <= table.shape[0] <= 2**20:
            findings.fail("shape of table", table.shape, "a row for each gate")
        rows = table[()]
        attributes = {
            "file": read_attributes(file, findings),
            "table": read_attributes(table, findings),
        }
        name = table.name
    columns = [column for column in rows.dtype.names or () if is_receiver_column(column)]
    with np.errstate(over="ignore", invalid="ignore"):  # what a damaged table holds is judged
        gates, source = _gates(findings, rows, attributes, time_unit)
        samples = np.stack([np.asarray(rows[c], np.float64) for c in columns]) * known[1]
    quality = np.zeros(1, np.int64)
    place = np.full((1, 3), np.nan)
    if position is not None:
        place = check_array(position, "position", (3,))[None]
    else:
        quality |= int(Quality.POSE_NONE)
    with np.errstate(over="ignore"):  # too large for float32: infinite, and flagged
        cube = samples[None].astype(np.float32)
    if not np.isfinite(cube).all():
        quality |= int(Quality.NOT_FINITE)
    sensor = Sensor(
        name="array of coils (provisional)",
        kind="emi",
        axis=gates,
        lever_arms=np.zeros((len(columns), 3)),
        quantity="voltage" if known[0] == "V" else "amplitude",
        unit=known[0],
    )
    sweep = Sweep(
        samples=cube,
        time=[0.0],  # type: ignore[arg-type]
        position=place,
        heading=np.where(np.isfinite(place[:, 0]), 0.0, np.nan),
        quality=quality,
        sensor=sensor,
        lane=path.stem,
        frame=Frame(),
        history=("lever arms of the channels unknown: taken as zero",),
    )
    return finish(
        findings,
        format_name="transients",
        sweeps=[sweep],
        header={"channels": columns, "table": name, "attributes": attributes},
        sources={"axis": source},
    )


def _gates(
    findings: Findings, rows: Any, attributes: dict[str, Any], given: str | None
) -> tuple[Any, str]:
    """Return gate times in seconds, and where their unit is from."""
    unit, source = given, "unit by the caller"
    if unit is None:
        source = "unit by an attribute of the file"
        for group in ("table", "file"):
            for name, value in attributes[group].items():
                if name.lower().replace("_", "") in (
                    "gatetimeunit",
                    "gatetimeunits",
                    "timeunit",
                ):
                    unit = unit or str(value)
    if unit not in _TIME_UNITS:
        rule = f"one of {list(_TIME_UNITS)}: stated in the file, or by time_unit"
        findings.fail("unit of GateTime", unit, rule)
    known = unit_of(str(unit))
    gates = np.asarray(rows["GateTime"], np.float64) * (known[1] if known else 1.0)
    if not (np.isfinite(gates).all() and (gates > 0).all() and (np.diff(gates) > 0).all()):
        findings.fail("GateTime", gates[:5].tolist(), "positive and increasing")
    return gates, f"GateTime, {source}"
