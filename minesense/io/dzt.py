"""
Read GSSI DZT recordings.

Every channel has a header of 1024 bytes at the start of the file; scans follow without
gaps, channel after channel. In files of instruments the first two words of a scan hold a
counter and a mark; in converted ones they are signal, so the counter has to be recognised.
"""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .._validation import check_count, check_positive
from ..sweep import Quality
from .dzg import add_dzg, read_dzx_spacing
from .dzt_layout import (
    BLOCK,
    DTYPES,
    MOST_CHANNELS,
    Layout,
    count_kind,
    counter_steps,
    find_layout,
    read_header,
)
from .recording import Draft, Recording, no_positions, survey_samples, warn_about_samples
from .sniff import HEAD, describe_content
from .trouble import Findings, check_interval

_OFFSETS = {8: 128, 16: 32768, 32: 0}


def read_dzt(
    path: str | Path,
    *,
    strict: bool = False,
    sample_interval: float | None = None,
    spacing: float | None = None,
    mark_spacing: float | None = None,
    sample_width: int | None = None,
    max_gap: float = 2.0,
) -> Recording:
    """
    Read a GSSI DZT recording, and the DZG and DZX files beside it.

    Parameters
    ----------
    path : str or Path
        The DZT file.
    strict : bool, optional
        Whether warnings are errors.
    sample_interval, spacing : float, optional
        Time between samples in seconds and distance between traces in metres, instead of
        what the file says.
    mark_spacing : float, optional
        Distance between marks, in metres: gives the distance of traces between marks.
    sample_width : int, optional
        Bytes of a sample, 1, 2 or 4, instead of what the header says.
    max_gap : float, optional
        Longest time between fixes to interpolate positions over, in seconds.

    Returns
    -------
    recording : Recording
        `scan_counter` holds the counters as stored; after lost scans `distance` counts
        them, and the trace behind has the flag GAP.

    Raises
    ------
    FormatError
        If the samples or their times would be wrong; in strict mode also for a warning.
    TypeError, ValueError
        If an option is not a number in its range.

    Notes
    -----
    The sample interval is range / samples, sample k lies at k times it, and the two words
    of counter and mark count as samples so that the axis holds.
    """
    path = Path(path)
    findings = Findings(path, strict=strict)
    if sample_width is not None:
        sample_width = check_count(sample_width, "sample_width")
        if sample_width not in (1, 2, 4):
            msg = f"Invalid sample_width '{sample_width}'. Must be 1, 2 or 4 bytes."
            raise ValueError(msg)
    max_gap = check_positive(max_gap, "max_gap")
    if not path.is_file() and path.exists():
        findings.fail("path", str(path), "a file, not a folder or device")
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(MOST_CHANNELS * BLOCK)
    if size < BLOCK:
        content = describe_content(head[:HEAD])
        hint = f" (content looks like {content})" if content else ""
        findings.fail("file size", size, f"at least {BLOCK} bytes for a DZT header{hint}")
    layout = find_layout(findings, head, size, sample_width)
    channels = [read_header(head[BLOCK * c :]) for c in range(layout.n_channels)]
    draft = Draft(findings=findings, header={**channels[0], "channel_headers": channels})
    stored = layout.map(path)
    counters = _find_counters(findings, stored)
    words = tuple(0 if counter is None else 2 for counter in counters)
    survey = survey_samples(stored, words)
    warn_about_samples(findings, survey, stored)
    index, quality = _trace_index(findings, counters, layout)
    counter = next((c for c in counters if c is not None), None)
    draft.fields.update(
        format="dzt",
        stored=stored,
        offset=_OFFSETS[layout.bits],
        header_words=words,
        scan_counter=counter,
        quality=quality,
        n_clipped=survey.n_clipped,
        latitude=no_positions(layout.n_traces),
        longitude=no_positions(layout.n_traces),
        altitude=no_positions(layout.n_traces),
        **_marks(stored, words),
    )
    _add_times(draft, layout.n_samples, sample_interval)
    _add_distance(draft, index, spacing=spacing, mark_spacing=mark_spacing)
    numbers = index if counter is None else counter[0] + index
    add_dzg(draft, numbers, is_truncated=layout.remainder > 0, max_gap=max_gap)
    return draft.finish()


def _find_counters(
    findings: Findings, stored: npt.NDArray[Any]
) -> list[npt.NDArray[np.int64] | None]:
    """Return the scan counter of every channel, None where both words are signal."""
    counters: list[npt.NDArray[np.int64] | None] = []
    for channel in range(stored.shape[1]):
        kind = count_kind(stored[:, channel])
        if kind == "perhaps":
            findings.warn(
                f"channel {channel}: too few scans to tell whether the first two words are "
                "counter and mark; taken to be"
            )
        word = None if kind == "no" else stored[:, channel, 0].astype(np.int64)
        counters.append(word)
    return counters


def _trace_index(
    findings: Findings, counters: list[npt.NDArray[np.int64] | None], layout: Layout
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the index of every trace with lost ones counted, and flags of gaps."""
    n_traces = layout.n_traces
    index, quality = np.arange(n_traces), np.zeros(n_traces, np.int64)
    known = [c for c in counters if c is not None]
    if not known:
        return index, quality
    steps = counter_steps(known[0].astype(DTYPES[layout.bits]))
    if any(not np.array_equal(known[0], other) for other in known[1:]):
        findings.warn("channels disagree about the scan counter; that of the first counts")
    wrong = np.flatnonzero(steps != 1)
    if not len(wrong):
        return index, quality
    listed = ", ".join(f"{steps[k] - 1} before trace {k + 1}" for k in wrong[:20].tolist())
    more = f" and {len(wrong) - 20} more" if len(wrong) > 20 else ""
    quality[wrong + 1] |= Quality.GAP
    if (steps < 1).any():
        findings.warn(
            f"scan counter runs backward or stands still ({listed}{more}): traces are "
            "numbered as they are stored"
        )
        return index, quality
    findings.warn(f"scans lost: {listed}{more}", field="scan counter", value=listed)
    index[1:] = np.cumsum(steps)
    return index, quality


def _marks(stored: npt.NDArray[Any], words: tuple[int, ...]) -> dict[str, Any]:
    """Return indices and codes of the scans with a mark, from the first channel counted."""
    for channel, n_words in enumerate(words):
        if n_words:
            codes = stored[:, channel, 1]
            marks = np.flatnonzero(codes)
            mask = (1 << (8 * stored.dtype.itemsize)) - 1
            labels = tuple(f"{int(code) & mask:#x}" for code in codes[marks])
            return {"marks": marks, "mark_labels": labels}
    return {"marks": np.empty(0, np.int64)}


def _add_times(draft: Draft, n_samples: int, given: float | None) -> None:
    """Add what follows from the header of the first channel alone."""
    header, findings = draft.header, draft.findings
    interval = header["range_ns"] * 1e-9 / n_samples
    draft.sources["sample_interval"] = "range / samples"
    if given is not None:
        given = check_positive(given, "sample_interval")
        findings.override("sample_interval", interval, given)
        interval, draft.sources["sample_interval"] = given, "caller"
    check_interval(findings, interval, "offset 26", range_ns=header["range_ns"])
    window = interval * n_samples
    time_zero = -header["position_ns"] * 1e-9 + 0.0
    is_near = abs(time_zero) <= 10 * window  # False for NaN
    if not is_near:
        findings.warn(f"position {header['position_ns']!r} ns lies far outside the window")
    match = re.search(r"(\d{1,5}(?:\.\d{1,3})?)\s*MHz", header["antenna"], re.IGNORECASE)
    frequency = 1e6 * float(match[1]) if match else 0.0
    draft.fields.update(
        sample_interval=interval,
        window=window,
        time_zero=time_zero if is_near else None,
        centre_frequency=frequency or None,
        date=header["created"],
    )


def _add_distance(
    draft: Draft,
    index: npt.NDArray[np.int64],
    *,
    spacing: float | None,
    mark_spacing: float | None,
) -> None:
    """Add the trace spacing and the distance along the line, or the trace interval."""
    findings, fields, sources = draft.findings, draft.fields, draft.sources
    per_metre = draft.header["scans_per_metre"]
    per_second = draft.header["scans_per_second"]
    found = 1 / per_metre if per_metre > 0 else math.nan
    if per_metre != 0 and not 0 < found < math.inf:
        findings.warn(f"{per_metre!r} scans per metre give no spacing")
    source = "scans per metre"
    from_dzx = read_dzx_spacing(draft, int(index[-1]) + 1, found)
    if from_dzx is not None:
        found, source = from_dzx, "DZX"
    if spacing is not None:
        spacing = check_positive(spacing, "spacing")
        findings.override("spacing", found, spacing)
        found, source = spacing, "caller"
    if mark_spacing is not None:
        mark_spacing = check_positive(mark_spacing, "mark_spacing")
        marks = fields["marks"]
        if len(marks) < 2:
            findings.fail("marks", len(marks), "at least two to use mark_spacing")
        findings.override("distance", None, f"marks every {mark_spacing:g} m")
        metres = mark_spacing * np.arange(len(marks))
        fields["distance"] = np.interp(index, index[marks], metres, left=np.nan, right=np.nan)
        sources["spacing"] = "marks, caller"
    elif 0 < found < math.inf:
        fields["spacing"], sources["spacing"] = found, source
        fields["distance"] = found * index
    elif 0 < per_second < math.inf:
        fields["trace_interval"] = 1 / per_second
        sources["trace_interval"] = "scans per second"
