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
from .dzt_counter import (
    ScanIndex,
    count_kind,
    counter_steps,
    find_losses,
    read_counter,
    stretches,
)
from .dzt_layout import BLOCK, MOST_CHANNELS, Layout, find_layout, read_header
from .nmea import interpolate_fixes
from .recording import Draft, Recording
from .sniff import HEAD, describe_content
from .traces import TraceFields
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
    draft.header["data_start"] = layout.start
    stored = layout.map(path)
    kinds = _find_counters(draft, layout, stored)
    words = tuple(0 if kind == "no" else 2 for kind in kinds)
    index = _index_traces(draft, layout, stored, words)
    draft.fields.update(
        format="dzt", stored=stored, offset=_OFFSETS[layout.bits], header_words=words
    )
    _add_times(draft, layout.n_samples, sample_interval)
    marks = _add_spacing(draft, index, spacing=spacing, mark_spacing=mark_spacing)
    add_dzg(draft, index, is_truncated=layout.remainder > 0)
    draft.load = _TraceReader(draft, layout, index, marks, mark_spacing, max_gap)
    return draft.finish()


def _find_counters(draft: Draft, layout: Layout, stored: npt.NDArray[Any]) -> list[str]:
    """Return for every channel whether it has a scan counter, "no" where it is signal."""
    kinds = []
    for channel in range(layout.n_channels):
        kind = count_kind(stored[:, channel], whole=not layout.is_large)
        if kind == "perhaps":
            draft.findings.warn(
                f"channel {channel}: too few scans to tell whether the first two words are "
                "counter and mark; taken to be"
            )
        kinds.append(kind)
    if layout.is_large:
        n_seen = sum(stop - start for start, stop in stretches(layout.n_traces))
        draft.sources["header_words"] = f"word 0 of {n_seen} of {layout.n_traces} scans"
    return kinds


def _index_traces(
    draft: Draft, layout: Layout, stored: npt.NDArray[Any], words: tuple[int, ...]
) -> ScanIndex:
    """Return how traces are numbered by the first channel that counts; warn of lost ones."""
    none = np.empty(0, np.int64)
    channel = next((c for c, n_words in enumerate(words) if n_words), None)
    if channel is None:
        return ScanIndex(layout.n_traces, 0, none, none)
    scans = stored[:, channel]
    first = int(scans[0, 0])
    found = find_losses(scans) if layout.is_large else None
    if found is not None:
        places, n_lost = (np.array(part, np.int64) for part in found)
    else:  # of a small file, or of one whose counter goes both ways
        steps = counter_steps(read_counter(scans))
        if (steps < 1).any():
            places = np.flatnonzero(steps != 1) + 1
            listed = _list(places, steps[places - 1] - 1)
            draft.findings.warn(
                f"scan counter runs backward or stands still ({listed}): traces are numbered "
                "as they are stored"
            )
            return ScanIndex(layout.n_traces, first, none, none)
        places = np.flatnonzero(steps != 1) + 1
        n_lost = steps[places - 1] - 1
    if len(places):
        listed = _list(places, n_lost)
        draft.findings.warn(f"scans lost: {listed}", field="scan counter", value=listed)
    return ScanIndex(layout.n_traces, first, places, n_lost)


def _list(places: npt.NDArray[np.int64], n_lost: npt.NDArray[np.int64]) -> str:
    """Return in words how many scans were lost, and where."""
    pairs = zip(places[:20].tolist(), n_lost.tolist(), strict=False)
    listed = ", ".join(f"{count} before trace {place}" for place, count in pairs)
    return f"{listed} and {len(places) - 20} more" if len(places) > 20 else listed


class _TraceReader:
    """Read what is known of each trace of a range of scans."""

    def __init__(
        self,
        draft: Draft,
        layout: Layout,
        index: ScanIndex,
        mark_index: npt.NDArray[np.int64] | None,
        mark_spacing: float | None,
        max_gap: float,
    ):
        self.fields = draft.fields
        self.layout = layout
        self.stored = draft.fields["stored"]
        self.index = index
        self.mark_index = mark_index
        self.mark_spacing = mark_spacing
        self.max_gap = max_gap

    def __call__(self, findings: Findings, start: int, stop: int) -> TraceFields:
        """Return the fields of the traces from `start` to before `stop`."""
        words = self.fields["header_words"]
        counting = [c for c, n_words in enumerate(words) if n_words]
        before = max(0, start - 1)  # a gap in front of the first trace is known from it
        counters = [read_counter(self.stored[before:stop, c]) for c in counting]
        quality = np.zeros(stop - start, np.int64)
        if any(not np.array_equal(counters[0], other) for other in counters[1:]):
            findings.warn("channels disagree about the scan counter; that of the first counts")
        if counters and stop > start:
            wrong = np.flatnonzero(counter_steps(counters[0]) != 1) + 1 - (start - before)
            quality[wrong[wrong >= 0]] |= Quality.GAP
            self._check(findings, counters[0], before, stop)
        places = interpolate_fixes(
            self.fields.get("fixes", ()),
            self.layout.n_traces,
            max_gap=self.max_gap,
            start=start,
            stop=stop,
        )
        latitude, longitude, altitude = places
        marks = _marks(self.stored[start:stop], words)
        counter = counters[0][start - before :].astype(np.int64) if counters else None
        return TraceFields(
            latitude=latitude,
            longitude=longitude,
            altitude=altitude,
            quality=quality,
            distance=self._distance(start, stop),
            scan_counter=counter,
            **marks,
        )

    def _check(
        self, findings: Findings, counter: npt.NDArray[Any], start: int, stop: int
    ) -> None:
        """Compare all counters of a range of a large file with what stretches have told."""
        if not self.layout.is_large:
            return
        steps = counter_steps(counter)
        if stop - start >= 3 and np.count_nonzero(steps == 1) < 0.9 * len(steps):
            findings.warn(
                f"scans {start} to {stop}: word 0 does not count, though it does in the "
                "stretches looked at; it is left out of the samples there too"
            )
        elif not np.array_equal(steps, np.diff(self.index.of(start, stop))):
            findings.warn(f"scans {start} to {stop}: the scan counter is not regular")

    def _distance(self, start: int, stop: int) -> npt.NDArray[np.float64] | None:
        """Return the distance along the line, None if nothing tells it."""
        if self.mark_index is not None and self.mark_spacing is not None:
            metres = self.mark_spacing * np.arange(len(self.mark_index))
            index = self.index.of(start, stop)
            return np.interp(index, self.mark_index, metres, left=np.nan, right=np.nan)
        spacing = self.fields.get("spacing")
        return None if spacing is None else spacing * self.index.of(start, stop)


def _marks(stored: npt.NDArray[Any], words: tuple[int, ...]) -> dict[str, Any]:
    """Return indices and codes of the scans with a mark, from the first channel counted."""
    for channel, n_words in enumerate(words):
        if n_words:
            codes = read_counter(stored[:, channel, 1:])
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


def _add_spacing(
    draft: Draft,
    index: ScanIndex,
    *,
    spacing: float | None,
    mark_spacing: float | None,
) -> npt.NDArray[np.int64] | None:
    """Add the spacing or the interval of traces; return the index of marks if they tell it."""
    findings, fields, sources = draft.findings, draft.fields, draft.sources
    mark_index = None
    per_metre = draft.header["scans_per_metre"]
    per_second = draft.header["scans_per_second"]
    found = 1 / per_metre if per_metre > 0 else math.nan
    if per_metre != 0 and not 0 < found < math.inf:
        findings.warn(f"{per_metre!r} scans per metre give no spacing")
    source = "scans per metre"
    from_dzx = read_dzx_spacing(draft, index.last - index.first + 1, found)
    if from_dzx is not None:
        found, source = from_dzx, "DZX"
    if spacing is not None:
        spacing = check_positive(spacing, "spacing")
        findings.override("spacing", found, spacing)
        found, source = spacing, "caller"
    if mark_spacing is not None:
        mark_spacing = check_positive(mark_spacing, "mark_spacing")
        marks = _marks(fields["stored"], fields["header_words"])["marks"]
        if len(marks) < 2:
            findings.fail("marks", len(marks), "at least two to use mark_spacing")
        findings.override("distance", None, f"marks every {mark_spacing:g} m")
        mark_index = index.of(0, index.n_traces)[marks]
        sources["spacing"] = "marks, caller"
    elif 0 < found < math.inf:
        fields["spacing"], sources["spacing"] = found, source
    elif 0 < per_second < math.inf:
        fields["trace_interval"] = 1 / per_second
        sources["trace_interval"] = "scans per second"
    return mark_index
