"""
Read what gprMax recorded over a model: `.out` of version 3, `.h5` of version 4.

Four layouts of attributes are in use; values are found by any of their names. Fields are kept
as the solver wrote them, electric in V/m, magnetic in A/m, of a source without calibration.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .._validation import check_count, check_positive
from .gprmax_layout import (
    Grid,
    find_positions,
    find_receivers,
    pick_component,
    pick_receiver,
    read_grid,
    read_interval,
    read_place,
)
from .hdf5_access import (
    MAX_BYTES,
    Dataset,
    check_dataset,
    find_dataset,
    open_hdf5,
)
from .hdf5_kinds import kind_of_hdf5, require_no_geometry
from .recording import Draft, Recording, no_positions, survey_samples
from .trouble import Findings

Floats = npt.NDArray[np.float64]

_BLOCK = 2**22  # values converted in one go


def read_gprmax(
    path: str | Path,
    *,
    component: str | None = None,
    receiver: int | None = None,
    subgrid: str | None = None,
    strict: bool = False,
    sample_interval: float | None = None,
    spacing: float | None = None,
    time_zero: float | None = None,
    traces: slice | None = None,
    series: bool = False,
    max_bytes: int = MAX_BYTES,
) -> Recording:
    """
    Read one file of gprMax: a single trace, or traces merged into one file.

    Parameters
    ----------
    path : str or Path
        Of `.out` or `.h5`. Files of a series, `name1.out`, `name2.out` and so on, are read
        together by :func:`~minesense.io.gprmax_series.read_gprmax_series`.
    component : str, optional
        ``"Ex"`` to ``"Hz"``, or a current ``"Ix"`` to ``"Iz"``. Without it, the only
        electric component that is not zero throughout.
    receiver : int, optional
        From 1 on, as the file counts. Without it, the only one.
    subgrid : str, optional
        Name of a subgrid, whose receivers and time step are taken instead.
    strict : bool, optional
        Whether warnings are errors.
    sample_interval, spacing : float, optional
        Seconds and metres, instead of what the file says.
    time_zero : float, optional
        Of the source, in seconds after sample 0. The file does not tell it: waveforms are
        delayed, and versions differ by half a step.
    traces : slice, optional
        Which traces of a merged file, all without it; others are not read.
    series : bool, optional
        Whether all files of the series are meant, of which this is one.
    max_bytes : int, optional
        Largest dataset that is read.

    Returns
    -------
    recording : Recording
        `header["positions"]` holds sources and receivers, in metres of the model.

    Raises
    ------
    FormatError
        If the file is none of gprMax, damaged, larger than the limit, several components or
        receivers could be meant, or the fields are complex or not finite; in strict mode also
        for a warning.
    ImportError
        If h5py is not installed.
    TypeError, ValueError
        If an option is not in its range.

    Notes
    -----
    The window is the number of samples times the step. The distance between traces is the step
    of the receivers in cells times the cell. Without either, `spacing` remains None.
    """
    path = Path(path)
    if series:
        from .gprmax_series import read_gprmax_series  # noqa: PLC0415 - it needs this module

        if traces is not None or subgrid is not None:
            msg = "Invalid traces or subgrid with a series. Must be left out."
            raise ValueError(msg)
        return read_gprmax_series(
            path,
            component=component,
            receiver=receiver,
            strict=strict,
            sample_interval=sample_interval,
            spacing=spacing,
            time_zero=time_zero,
            max_bytes=max_bytes,
        )
    findings = Findings(path, strict=strict)
    check_count(max_bytes, "max_bytes")
    if traces is not None and (not isinstance(traces, slice) or traces.step not in (None, 1)):
        msg = f"Invalid traces {traces!r}. Must be a slice without a step."
        raise TypeError(msg)
    require_no_geometry(findings, kind_of_hdf5(path))
    with open_hdf5(path) as file:
        grid = read_grid(file, findings, subgrid)
        receivers = find_receivers(file, findings, grid)
        number = pick_receiver(findings, receivers, receiver)
        group = receivers[number]
        names = pick_component(findings, group, component, max_bytes)
        dataset = find_dataset(group, names)
        assert dataset is not None
        check_dataset(dataset, findings, max_bytes)
        interval = read_interval(findings, grid, sample_interval)
        stored = _read_fields(findings, dataset, traces)
        positions = find_positions(file, findings, grid)
        place = read_place(group, findings)
    _check_iterations(findings, grid, stored.shape[2])
    draft = Draft(
        findings=findings,
        header={
            "title": grid.attributes.get("Title"),
            "version": grid.attributes.get("gprMax"),
            "attributes": grid.attributes,
            "component": names,
            "receiver": number,
            "receivers": sorted(receivers),
            "unit": {"E": "V/m", "H": "A/m", "I": "A"}[names[0]],
            "positions": {**positions, "receiver": place},
        },
    )
    draft.sources["sample_interval"] = "caller" if sample_interval else "dt"
    _add_spacing(draft, grid, stored.shape[0], spacing, traces)
    fill_draft(draft, stored, interval, time_zero)
    return draft.finish()


def fill_draft(
    draft: Draft, stored: npt.NDArray[Any], interval: float, time_zero: float | None
) -> None:
    """
    Add the fields that all recordings of the solver have.

    Parameters
    ----------
    draft : Draft
        Takes them.
    stored : (n_traces, n_channels, n_samples) ndarray
        Fields.
    interval : float
        Time step in seconds.
    time_zero : float or None
        As the caller says it.
    """
    n_traces, n_channels, n_samples = stored.shape
    survey = survey_samples(stored, (0,) * n_channels)
    if survey.smallest == survey.largest:
        draft.findings.warn(f"all samples have the same value {survey.smallest!r}")
    draft.fields.update(
        format="gprmax",
        stored=stored,
        offset=0,
        header_words=(0,) * n_channels,
        sample_interval=interval,
        window=n_samples * interval,
        time_zero=time_zero,
        n_clipped=survey.n_clipped,
        quality=np.zeros(n_traces, np.int64),
        latitude=no_positions(n_traces),
        longitude=no_positions(n_traces),
        altitude=no_positions(n_traces),
        marks=np.empty(0, np.int64),
    )


def _read_fields(
    findings: Findings, dataset: Dataset, traces: slice | None
) -> npt.NDArray[Any]:
    """Return fields by trace, channel and sample; raise unless they are finite and real."""
    assert dataset.dtype is not None
    assert dataset.shape is not None
    if dataset.dtype.kind == "c":
        findings.fail("type of fields", str(dataset.dtype), "real: these are of frequencies")
    if dataset.dtype.kind != "f":
        findings.fail("type of fields", str(dataset.dtype), "float32 or float64")
    if dataset.ndim not in (1, 2) or 0 in dataset.shape:
        rule = "(Iterations,) or (Iterations, traces)"
        findings.fail("shape of fields", f"{dataset.name}: {dataset.shape}", rule)
    start, stop, _ = (traces or slice(None)).indices(
        1 if dataset.ndim == 1 else dataset.shape[1]
    )
    if stop <= start:
        findings.fail("traces", str(traces), "a range with a trace in it")
    n_samples, n_traces = dataset.shape[0], stop - start
    dtype = dataset.dtype.newbyteorder("=")
    stored = np.empty((n_traces, 1, n_samples), dtype)
    rows = max(1, _BLOCK // n_traces)
    for first in range(0, n_samples, rows):
        last = min(first + rows, n_samples)
        if dataset.ndim == 1:
            stored[0, 0, first:last] = dataset[first:last]
        else:
            stored[:, 0, first:last] = dataset[first:last, start:stop].T
    for trace in range(n_traces):
        finite = np.isfinite(stored[trace, 0])
        if not finite.all():
            sample = int(np.argmin(finite))
            value = float(stored[trace, 0, sample])
            rule = "finite: the run was not stable"
            findings.fail("field", value, rule, f"trace {start + trace}, sample {sample}")
    stored.flags.writeable = False
    return stored


def _check_iterations(findings: Findings, grid: Grid, n_samples: int) -> None:
    """Note a number of steps that is not that of the samples."""
    if grid.iterations is not None and grid.iterations != n_samples:
        findings.correct(
            "Iterations", grid.iterations, n_samples, "the number of samples in the file"
        )


def _add_spacing(
    draft: Draft, grid: Grid, n_traces: int, given: float | None, traces: slice | None
) -> None:
    """Add the distance between traces, if steps and cells or the caller tell it."""
    findings = draft.findings
    found = grid.spacing if n_traces > 1 or traces is not None else None
    if grid.offset_varies:
        findings.warn(
            f"receivers step by {grid.receiver_steps} cells and sources by "
            f"{grid.source_steps}: their offset varies from trace to trace"
        )
        draft.fields["is_offset_gather"] = True
    if given is not None:
        given = check_positive(given, "spacing")
        findings.override("spacing", found, given)
        draft.sources["spacing"] = "caller"
        found = given
    elif found is not None:
        draft.sources["spacing"] = "receiver steps x cell"
    draft.fields["spacing"] = found
    if found is not None:
        draft.fields["distance"] = found * np.arange(n_traces, dtype=np.float64)
