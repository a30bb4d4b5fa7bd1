"""Write GSSI DZT recordings."""

from __future__ import annotations

import datetime
import struct
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .dzt import read_dzt
from .dzt_layout import BLOCK, MOST_CHANNELS
from .recording import Recording
from .survey import blocks_of
from .write_files import copy_files, is_unchanged, read_back, stage_files
from .write_samples import StoredSamples, regular_spacing

_EXTENSIONS = (".DZT", ".DZG", ".DZX")
_MARKS = {16: 0x6400, 32: 0xE4000000}
_OFFSETS = {16: 32768, 32: 0}
_WORDS = 2  # counter and mark in front of the samples of each scan


def write_dzt(
    recording: Recording,
    path: str | Path,
    *,
    scale: float | None = None,
    bits: int | None = None,
    overwrite: bool = False,
) -> list[Path]:
    """
    Write a recording as a DZT file.

    Parameters
    ----------
    recording : Recording
        What to write, with all its channels.
    path : str or Path
        The DZT file.
    scale : float, optional
        Counts to store per count of the recording, one factor for the whole survey. Needed
        if its samples are no whole numbers of as many bits.
    bits : 16 or 32, optional
        Of a sample; 16 for up to 16 bits of the recording, else 32.
    overwrite : bool, optional
        Whether files that are there may be replaced.

    Returns
    -------
    paths : list of Path
        The files written.

    Raises
    ------
    ValueError
        If the format cannot hold the recording, for example traces at irregular distances,
        or positions; no file appears.
    OSError
        If files exist that may not be replaced, or do not read back as they were written.

    Notes
    -----
    A DZT recording as it was read is copied byte for byte, with its DZG and DZX files. Others
    get two samples in front of each trace, for scan counter and mark, as readers expect
    them; the window is two samples longer, and time zero lies two samples later. Interval,
    spacing and time zero are floats of 32 bits, 6e-8 of their value.

    Examples
    --------
    >>> import tempfile
    >>> from minesense.io.rd3 import read_rd3
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     source = Path(folder) / "line.rd3"
    ...     _ = source.write_bytes(np.arange(40, dtype="<i2").tobytes())
    ...     recording = read_rd3(source, n_samples=4, sample_interval=1e-10, spacing=0.05)
    ...     _ = write_dzt(recording, Path(folder) / "line.DZT")
    ...     read_dzt(Path(folder) / "line.DZT").shape
    (10, 1, 6)
    """
    path = Path(path)
    if is_unchanged(recording, "dzt", (scale, bits)):
        return copy_files(recording, path, _EXTENSIONS, overwrite=overwrite)
    if recording.format == "dzt" and all(recording.header_words) and scale is bits is None:
        return _write_part(recording, path, overwrite=overwrite)
    n_channels, n_samples = recording.shape[1:]
    if n_channels > MOST_CHANNELS or n_samples + _WORDS > 65535:
        msg = (
            f"Invalid recording of {n_channels} channels of {n_samples} samples. Must be at "
            f"most {MOST_CHANNELS} of {65535 - _WORDS} for DZT."
        )
        raise ValueError(msg)
    _refuse_positions(recording)
    if bits is None:
        is_wide = recording.stored.dtype.itemsize > 2 or recording.survey().is_float
        bits = 32 if is_wide and scale is None else 16
    if bits not in _OFFSETS:
        msg = f"Invalid bits '{bits}'. Must be 16 or 32."
        raise ValueError(msg)
    place = regular_spacing(recording, "DZT")
    blocks = StoredSamples(
        recording, "<u2" if bits == 16 else "<i4", offset=_OFFSETS[bits], scale=scale
    )
    header = _header(recording, bits, place)
    with stage_files(path, [*_EXTENSIONS, path.suffix], overwrite=overwrite) as folder:
        with (folder / path.name).open("wb") as file:
            file.write(header * n_channels)
            for start, stop in blocks_of(recording.stored):
                file.write(_scans(recording, blocks, start, stop, bits).tobytes())
        read_back(
            folder / path.name,
            read_dzt,
            recording,
            blocks,
            n_words=_WORDS,
            position_precision=1e-6,
        )
    return [path]


def _refuse_positions(recording: Recording) -> None:
    """Raise if the recording has positions, which stand in a log that is not written."""
    if not np.isnan(recording.latitude).all():
        msg = (
            "Invalid positions: latitude and longitude. Must be none in DZT: write DT1, RD3 or "
            "SEG-Y, which hold them."
        )
        raise ValueError(msg)


def _write_part(recording: Recording, path: Path, *, overwrite: bool) -> list[Path]:
    """Write scans of a DZT file behind its own header, but for what the caller replaced."""
    _refuse_positions(recording)
    with recording.path.open("rb") as source:
        header = bytearray(source.read(recording.header["data_start"]))
    for channel in range(recording.shape[1]):
        if recording.sources.get("spacing") == "caller" and recording.spacing:
            struct.pack_into("<f", header, BLOCK * channel + 14, 1 / recording.spacing)
        if recording.sources["sample_interval"] == "caller":
            struct.pack_into("<f", header, BLOCK * channel + 26, recording.window * 1e9)

    def scans(start: int, stop: int) -> npt.NDArray[Any]:
        return recording.stored[start:stop]

    with stage_files(path, [*_EXTENSIONS, path.suffix], overwrite=overwrite) as folder:
        with (folder / path.name).open("wb") as file:
            file.write(header)
            for start, stop in blocks_of(recording.stored):
                file.write(scans(start, stop).tobytes())
        read_back(folder / path.name, read_dzt, recording, scans, position_precision=1e-6)
    return [path]


def _scans(
    recording: Recording, blocks: StoredSamples, start: int, stop: int, bits: int
) -> npt.NDArray[Any]:
    """Return scans: counter, mark, samples."""
    samples = blocks(start, stop)
    n_traces, n_channels, n_samples = samples.shape
    scans = np.empty((n_traces, n_channels, n_samples + _WORDS), samples.dtype)
    counter = np.arange(start, stop).astype(samples.dtype)  # wraps as that of the instrument
    scans[:, :, 0] = counter[:, None]
    scans[:, :, 1] = 0
    marks = recording.marks[(recording.marks >= start) & (recording.marks < stop)] - start
    scans[marks, :, 1] = np.array(_MARKS[bits], f"<u{bits // 8}").view(samples.dtype)
    scans[:, :, _WORDS:] = samples
    return scans


def _header(recording: Recording, bits: int, place: tuple[float, float] | None) -> bytes:
    """Return the header of a channel."""
    block = bytearray(BLOCK)
    n_channels, n_samples = recording.shape[1:]
    more = _WORDS * recording.sample_interval
    time_zero = 0.0 if recording.time_zero is None else recording.time_zero + more
    per_second = 0.0
    if place is None and recording.trace_interval:
        per_second = 1 / recording.trace_interval
    antenna = str(recording.header.get("antenna", ""))
    if recording.centre_frequency is not None:
        antenna = f"{recording.centre_frequency * 1e-6:.6g}MHz"
    struct.pack_into("<4H", block, 0, 0x00FF, 1024, n_samples + _WORDS, bits)
    struct.pack_into("<2f", block, 10, per_second, 1 / place[1] if place else 0.0)
    struct.pack_into("<f", block, 22, -time_zero * 1e9)
    struct.pack_into("<f", block, 26, (recording.window + more) * 1e9)
    struct.pack_into("<I", block, 32, _pack_date(recording.date))
    struct.pack_into("<H", block, 52, n_channels)
    struct.pack_into("<14s", block, 98, antenna.encode("ascii", "replace"))
    return bytes(block)


def _pack_date(date: str | None) -> int:
    """Return an ISO date, and time if there is one, in the packed form; 0 for none."""
    try:
        when = datetime.datetime.fromisoformat(date or "")
    except ValueError:
        return 0
    if not 1980 <= when.year <= 2107:
        return 0
    day = (when.year - 1980) << 25 | when.month << 21 | when.day << 16
    return day | when.hour << 11 | when.minute << 5 | when.second // 2
