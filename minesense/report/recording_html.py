"""The report of a recording without known truth: what was scanned, and what alarmed."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ..io.recording import Recording
from ..sweep import Quality, Sweep
from . import _page as page
from ._page import Raw, fixed, number
from .recording_figure import section_before_after

if TYPE_CHECKING:  # scikit-learn is slow to import, and no report needs it
    from ..detect.recording import Screening

# Channels of which a picture is drawn; the tables hold all of them.
_MOST_CHANNELS = 8
_NOT_STATED = "not stated by the file"


def recording_report(
    path: str | os.PathLike[str],
    recording: Recording,
    sweep: Sweep,
    screening: Screening,
    *,
    versions: Mapping[str, str] | None = None,
    is_synthetic: bool = False,
) -> Path:
    """
    Write the report of a recording as one HTML file that needs nothing else.

    Parameters
    ----------
    path : path-like
        File to write.
    recording : Recording
        What the file holds.
    sweep : Sweep
        What :meth:`Recording.to_sweep` made of it.
    screening : Screening
        What :func:`minesense.detect.recording.screen_recording` found in the sweep.
    versions : mapping of str to str, optional
        Versions of the software; those installed here by default.
    is_synthetic : bool
        Whether a simulator made the recording.

    Returns
    -------
    path : Path
        The file, the same bytes for the same input.

    Raises
    ------
    ImportError
        If matplotlib is not installed (extra ``plot``).
    ValueError
        If the screening is not of the sweep.
    OSError
        If the file cannot be written.
    """
    sections = [
        ("What was scanned", _scanned(recording, sweep, screening)),
        ("Alarms", _alarms(screening)),
        ("Before and after processing", _pictures(sweep, screening, is_synthetic)),
        ("What was not observed", _not_observed(screening)),
        ("What the reader corrected and doubts", _reader(recording)),
        ("History", _history(sweep, screening)),
        ("Configuration", page.pairs(screening.settings.as_dict())),
        ("Header of the file", page.pairs(recording.header)),
        ("Versions", page.pairs(page.versions_of(versions))),
    ]
    return page.write_page(
        path,
        title=f"Recording report: {recording.path.name}",
        subtitle="A radar recording, screened without a model: probabilities are withheld.",
        sections=sections,
        is_synthetic=is_synthetic,
    )


def _scanned(recording: Recording, sweep: Sweep, screening: Screening) -> Raw:
    """Return what the file is and how much ground it covers."""
    n_traces, n_channels, n_samples = recording.shape
    radar = sweep.sensor.radar
    frequency = f"{radar.centre_frequency / 1e6:.4g} MHz" if radar else _NOT_STATED
    separation = recording.antenna_separation
    rows = [
        ("file", recording.path.name),
        ("format", recording.format),
        ("recorded", recording.date or _NOT_STATED),
        ("traces, channels, samples", f"{n_traces}, {n_channels}, {n_samples}"),
        ("length of the track", _metres(screening.length)),
        ("length that was observed", _metres(screening.observed_length, screening.length)),
        ("traces that were observed", f"{screening.n_observed} of {screening.n_traces}"),
        ("time window", f"{1e9 * recording.window:.4g} ns"),
        ("sample interval", f"{1e9 * recording.sample_interval:.4g} ns"),
        ("centre frequency", f"{frequency} ({_source_of_frequency(sweep)})"),
        (
            "antenna separation",
            _NOT_STATED if separation is None else f"{separation:.3g} m",
        ),
        ("clipped samples", str(int(recording.n_clipped.sum()))),
        *((f"source of {name}", words) for name, words in recording.sources.items()),
    ]
    return page.table(("", ""), rows)


def _source_of_frequency(sweep: Sweep) -> str:
    """Return where the centre frequency is from, as the sweep's history says it."""
    for line in sweep.history:
        if line.startswith("centre frequency: "):
            words = line.removeprefix("centre frequency: ").partition("Hz")[2]
            return words.strip(" ,") or line
    return "its source is not recorded"


def _metres(length: float, whole: float = 0.0) -> str:
    """Return a length, or that the file does not state it."""
    return f"{length:.2f} m" if math.isfinite(length + whole) else _NOT_STATED


def _alarms(screening: Screening) -> Raw:
    """Say how many alarms there are and list them all."""
    n = len(screening.alarms)
    if math.isfinite(screening.length) and math.isfinite(screening.alarms_per_metre):
        rate = (
            f"{number(screening.alarms_per_metre)} per metre of the "
            f"{screening.observed_length:.2f} m that were observed"
        )
    elif screening.n_observed:
        rate = (
            f"{number(n / screening.n_observed)} per trace of the {screening.n_observed} that "
            f"were observed; the length of the track is {_NOT_STATED}"
        )
    else:
        rate = "and no trace could be judged"
    said = (
        f"{n} {'alarm' if n == 1 else 'alarms'}, {rate}. What is really in this ground is not "
        "known: there is no truth to score against, so no Pd and no rate of false alarms are "
        "given. An alarm is a place where the radar's energy stood out from its surroundings."
    )
    rows = [
        (
            alarm.identifier,
            int(alarm.evidence["trace"]) + 1,
            int(alarm.evidence["channel"]) + 1,
            fixed(alarm.northing),
            fixed(1e9 * alarm.evidence["two_way_time_s"]),
            fixed(100 * alarm.depth, 0),
            number(alarm.score),
            ", ".join(_flags(alarm.quality)) or "none",
        )
        for alarm in screening.alarms
    ]
    velocity = screening.settings.radar.velocity
    head = (
        "alarm",
        "trace",
        "channel",
        "along the track, m",
        "two-way time, ns",
        "depth, cm",
        "score",
        "flags",
    )
    note = (
        f"Depth assumes {velocity * 1e-9:.3g} m/ns, which was not measured here. Traces and "
        "channels are counted from 1."
    )
    return page.join(
        [
            page.element("p", said),
            page.table(head, rows, numbers=range(1, 7), nothing="No alarm."),
            page.element("p", note) if rows else "",
        ]
    )


def _flags(quality: int) -> list[str]:
    """Return the names of flags in words."""
    return [str(f.name).replace("_", " ").lower() for f in Quality if quality & f]


def _pictures(sweep: Sweep, screening: Screening, is_synthetic: bool) -> Raw:
    """Return a picture of each channel before and after."""
    n_channels = sweep.sensor.shape[0]
    pictures = [
        page.picture(
            section_before_after(sweep, screening, channel=channel, is_synthetic=is_synthetic),
            "png",
            alt=f"Section of channel {channel + 1} as recorded and after processing.",
            caption=(
                f"Channel {channel + 1} of {n_channels}, as recorded and after processing, "
                "alarms marked above both and at their echo below. Violet: traces without "
                "usable samples."
            ),
            kind="wide",
        )
        for channel in range(min(n_channels, _MOST_CHANNELS))
    ]
    if n_channels > _MOST_CHANNELS:
        words = f"Channels {_MOST_CHANNELS + 1} to {n_channels} were processed and not drawn."
        pictures.append(page.element("p", words))
    return page.join(pictures)


def _not_observed(screening: Screening) -> Raw:
    """Return the traces that could not be judged and the gaps, with reasons."""
    rows = [(name.replace("_", " ").lower(), n) for name, n in screening.reasons.items()]
    missing = screening.n_traces - screening.n_observed
    gaps = [
        (gap.sensor, fixed(gap.start_time), fixed(gap.stop_time), fixed(gap.length))
        for gap in screening.gaps
    ]
    return page.join(
        [
            page.table(
                ("reason", "traces"),
                rows,
                caption=f"Traces not observed: {missing} of {screening.n_traces}",
                numbers=(1,),
            ),
            page.table(
                ("sensor", "from, s", "to, s", "length, m"),
                gaps,
                caption="Gaps in the recording, never bridged",
                numbers=(1, 2, 3),
            ),
        ]
    )


def _reader(recording: Recording) -> Raw:
    """Return every correction and warning of the reader."""
    rows = [(c.field, str(c.old), str(c.new), c.reason) for c in recording.corrections]
    return page.join(
        [
            page.table(
                ("field", "as the file says", "taken as", "reason"),
                rows,
                caption="Corrections",
            ),
            page.element("h3", "Warnings"),
            page.bullets(recording.warnings, "None."),
        ]
    )


def _history(sweep: Sweep, screening: Screening) -> Raw:
    """Return what was done, step by step."""
    lines = list(sweep.history)
    for part in screening.screened.parts[:1]:
        done = part.scores.history or part.processed.history
        lines += [line for line in done if line not in lines]
    return page.bullets(lines, "Nothing was recorded.")
