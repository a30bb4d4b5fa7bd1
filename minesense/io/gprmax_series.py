"""Read a series of files of gprMax, one for each trace: name1.out, name2.out and so on."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from .._validation import check_positive
from .gprmax import fill_draft, read_gprmax
from .hdf5_access import MAX_BYTES
from .recording import Draft, Recording
from .trouble import Findings, FormatWarning

_NUMBERED = re.compile(r"(.*?)([0-9]{1,9})")


def find_series(path: str | Path) -> list[Path]:
    """
    Return the files of a series, in the order of their numbers.

    Parameters
    ----------
    path : str or Path
        One file of the series, or `name.out` whose series is `name1.out` and so on.

    Returns
    -------
    files : list of Path
        At least two files of the same stem and ending, sorted by number; merged files are not
        among them. Empty if there is no series.
    """
    path = Path(path)
    match = _NUMBERED.fullmatch(path.stem)
    stem = match[1] if match else path.stem
    found: dict[int, Path] = {}
    for entry in sorted(path.parent.iterdir()) if path.parent.is_dir() else []:
        numbered = _NUMBERED.fullmatch(entry.stem)
        if (
            numbered
            and numbered[1] == stem
            and entry.suffix.lower() == path.suffix.lower()
            and entry.is_file()
        ):
            found[int(numbered[2])] = entry
    return [found[number] for number in sorted(found)] if len(found) > 1 else []


def read_gprmax_series(
    path: str | Path,
    *,
    component: str | None = None,
    receiver: int | None = None,
    strict: bool = False,
    sample_interval: float | None = None,
    spacing: float | None = None,
    time_zero: float | None = None,
    max_bytes: int = MAX_BYTES,
) -> Recording:
    """
    Read all files of a series as one recording, with the positions that they carry.

    Parameters
    ----------
    path : str or Path
        One file of the series, or its name without a number.
    component, receiver, strict, sample_interval, spacing, time_zero
        As in :func:`~minesense.io.gprmax.read_gprmax`.
    max_bytes : int, optional
        Largest size of all fields together.

    Returns
    -------
    recording : Recording
        `header["positions"]["receivers"]` is an array of x, y, z by trace, in metres of the
        model; `distance` counts along them.

    Raises
    ------
    FormatError
        If there is no series, a file of it cannot be read, or files differ in time step,
        number of samples, component or receivers.
    ImportError
        If h5py is not installed.
    TypeError, ValueError
        If an option is not in its range.
    """
    path = Path(path)
    findings = Findings(path, strict=strict)
    files = find_series(path)
    if not files:
        findings.fail("series", str(path), "one of at least two files that differ by a number")
    parts: list[Recording] = []
    size = 0
    for file in files:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", FormatWarning)
            part = read_gprmax(
                file,
                component=component or (parts[0].header["component"] if parts else None),
                receiver=receiver,
                strict=strict,
                sample_interval=sample_interval,
                time_zero=time_zero,
                max_bytes=max_bytes,
            )
        for item in caught:
            if str(item.message) not in findings.warnings:
                findings.warn(str(item.message))
        findings.corrections += part.corrections
        size += part.stored.nbytes
        if size > max_bytes:
            findings.fail("size of fields", size, f"at most max_bytes, {max_bytes} bytes")
        if parts:
            _require_same(findings, file, part, parts[0])
        if len(part.stored) != 1:
            findings.fail("traces", len(part.stored), "one in each file", file.name)
        parts.append(part)
    first = parts[0]
    stored = np.concatenate([part.stored for part in parts])
    stored.flags.writeable = False
    draft = Draft(findings=findings, header=dict(first.header))
    draft.header["files"] = [file.name for file in files]
    draft.sources["sample_interval"] = first.sources["sample_interval"]
    _add_positions(draft, parts, spacing)
    fill_draft(draft, stored, first.sample_interval, time_zero)
    return draft.finish()


def _require_same(findings: Findings, file: Path, part: Recording, first: Recording) -> None:
    """Raise unless a file has the time step, samples and receivers of the first one."""
    for name, here, there in (
        ("dt", part.sample_interval, first.sample_interval),
        ("Iterations", part.stored.shape[2], first.stored.shape[2]),
        ("receivers", part.header["receivers"], first.header["receivers"]),
        ("type", part.stored.dtype, first.stored.dtype),
    ):
        if here != there:
            findings.fail(name, here, f"{there}, as in {first.path.name}", file.name)


def _add_positions(draft: Draft, parts: list[Recording], given: float | None) -> None:
    """Add the distance along the receivers."""
    findings = draft.findings
    places: list[Any] = [part.header["positions"]["receiver"] for part in parts]
    sources = [part.header["positions"]["sources"] for part in parts]
    draft.header["positions"] = {"receivers": None, "sources": sources}
    n_traces = len(parts)
    if given is not None:
        given = check_positive(given, "spacing")
        findings.override("spacing", None, given)
        draft.sources["spacing"] = "caller"
        draft.fields.update(spacing=given, distance=given * np.arange(n_traces, dtype=float))
        return
    if any(place is None for place in places):
        findings.warn("not all files tell the position of the receiver")
        return
    track = np.array(places, np.float64)
    draft.header["positions"]["receivers"] = track
    steps = np.sqrt((np.diff(track, axis=0) ** 2).sum(axis=1))
    draft.fields["distance"] = np.concatenate([[0.0], np.cumsum(steps)])
    draft.sources["spacing"] = draft.sources["position"] = "Position of the receivers"
    step = float(np.median(steps))
    if step > 0 and np.ptp(steps) <= 1e-6 * step:
        draft.fields["spacing"] = step
    else:
        findings.warn("receivers do not move by the same step from file to file")
    offsets = [
        np.subtract(next(iter(source.values())), place)
        for source, place in zip(sources, places, strict=True)
        if len(source) == 1 and next(iter(source.values())) is not None
    ]
    if len(offsets) == n_traces and n_traces:
        if np.ptp(offsets, axis=0).max() > 1e-9:
            findings.warn("the offset of source and receiver varies from trace to trace")
            draft.fields["is_offset_gather"] = True
        else:
            draft.fields["antenna_separation"] = float(np.linalg.norm(offsets[0]))
