"""
Files in and out: recordings of radars, sweeps, alarms.

Read a recording with :func:`read`. Writers of alarms are in :mod:`minesense.io.alarms`, a
store of sweeps in :mod:`minesense.io.store`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .alarms import read_alarms, write_csv, write_geojson
from .formats import FORMATS, check_options, detect, find_format
from .mpt_library import read_polarizability
from .recording import Recording
from .sniff import HEAD, describe_content
from .spectrum import estimate_centre_frequency
from .store import load_sweeps, save_sweeps
from .trouble import Correction, FormatError, FormatWarning

__all__ = [
    "Correction",
    "FormatError",
    "FormatWarning",
    "Recording",
    "estimate_centre_frequency",
    "load_sweeps",
    "read",
    "read_alarms",
    "read_polarizability",
    "save_sweeps",
    "write",
    "write_csv",
    "write_geojson",
]


def read(path: str | Path, *, format: str | None = None, **options: Any) -> Any:
    """
    Read a recording of a radar or a metal detector, whichever format its content has.

    Parameters
    ----------
    path : str or Path
        A file of a format in :data:`minesense.io.formats.FORMATS`, or a folder where a format
        takes one. Sidecars (DZG, DZX, HD, GPS, RAD, COR) are found beside it.
    format : str, optional
        Name of the format, for content that does not tell it. With the option `template`, a
        table.
    **options
        Of the reader of the format, for example :func:`~minesense.io.dzt.read_dzt`:
        `strict`, `sample_interval` and `spacing` for all of radars.

    Returns
    -------
    recording : Recording, FrequencySweep, SweepFile or PositionLog
        Of radars samples as stored, and what the files say about them; of network analysers,
        metal detectors and tables what their readers return. All but a position log have
        `to_sweep`.

    Raises
    ------
    FormatError
        If the content is of another format, or samples or time axis would be wrong.
    TypeError, ValueError
        If an option is unknown to the format or out of its range.

    Warns
    -----
    FormatWarning
        For everything else that is missing, doubtful or was corrected.

    Examples
    --------
    A GSSI file of 40 scans of 4 samples, 8 ns long, 50 scans to the metre:

    >>> import struct, tempfile
    >>> import numpy as np
    >>> header = bytearray(1024)
    >>> struct.pack_into("<4H", header, 0, 0x00FF, 1024, 4, 16)
    >>> struct.pack_into("<f8xf", header, 14, 50.0, 8.0)
    >>> scans = np.tile(np.array([0, 0, 30000, 40000], "<u2"), (40, 1))
    >>> scans[:, 0] = np.arange(40)
    >>> header[52] = 1  # channel
    >>> with tempfile.NamedTemporaryFile(suffix=".DZT") as file:
    ...     _ = file.write(header + scans.tobytes())
    ...     file.flush()
    ...     recording = read(file.name)
    >>> recording.shape, recording.spacing, recording.samples[0, 0].tolist()
    ((40, 1, 4), 0.02, [-2768.0, -2768.0, -2768.0, 7232.0])
    """
    path = Path(path)
    head = b""
    if not path.is_dir():
        if path.exists() and not path.is_file():
            raise FormatError(path, "path", str(path), "a file, not a device")
        with path.open("rb") as file:
            head = file.read(HEAD)
    if format is None and "template" in options:
        format = "table"
    found = detect(head, path) if format is None else find_format(format)
    if found is not None:
        reader = found.load_reader()
        check_options(reader, options, found.name)
        return reader(path, **options)
    if path.is_dir():
        raise FormatError(path, "path", str(path), "a file, not a folder or device")
    looks = describe_content(head) or ("an empty file" if not head else "no known format")
    names = ", ".join(one.title for one in FORMATS)
    expected = f"a recording that this version reads ({names}); it looks like {looks}"
    raise FormatError(path, "content", head[:8], expected)


def write(
    recording: Any, path: str | Path, *, format: str | None = None, **options: Any
) -> list[Path]:
    """
    Write a recording of a radar, or a sweep, in a format of choice.

    Parameters
    ----------
    recording : Recording, FrequencySweep, SweepFile or Sweep
        As a reader returned it, or a range of its traces. Formats of radars hold recordings.
    path : str or Path
        The file; sidecars of the format are put beside it.
    format : str, optional
        Name of the format, "dt1", "rd3", "segy" or "dzt", "hdf5", "mcap", "touchstone" or
        "sweep table"; told by the extension if not given.
    **options
        Of the writer of the format, for example :func:`~minesense.io.dt1_writer.write_dt1`:
        `scale` for those of radars, `overwrite` for all.

    Returns
    -------
    paths : list of Path
        The files written.

    Raises
    ------
    ValueError
        If the format is not written, or cannot hold the recording; no file appears.
    OSError
        If files exist that may not be replaced, or do not read back as they were written.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     source = Path(folder) / "line.rd3"
    ...     _ = source.write_bytes(np.arange(40, dtype="<i2").tobytes())
    ...     recording = read(source, n_samples=4, sample_interval=1e-10, spacing=0.05)
    ...     _ = write(recording[2:8], Path(folder) / "part.sgy")
    ...     read(Path(folder) / "part.sgy").shape
    (6, 1, 4)
    """
    path = Path(path)
    if format is None:
        able = [one for one in FORMATS if path.suffix.lower() in one.suffixes]
        found = next((one for one in able if one.writer), able[0] if able else None)
        if found is None:
            endings = [one.suffixes[0] for one in FORMATS if one.writer]
            msg = f"Invalid path '{path}'. Must end in one of {endings}, or pass format."
            raise ValueError(msg)
    else:
        found = find_format(format)
    if not found.writes_sweeps and not isinstance(recording, Recording):
        names = [one.name for one in FORMATS if one.writes_sweeps]
        msg = (
            f"Invalid recording of type {type(recording).__name__} for the format "
            f"'{found.name}'. Must be a Recording; sweeps are written as one of {names}."
        )
        raise TypeError(msg)
    writer = found.load_writer()
    check_options(writer, options, found.name)
    made = writer(recording, path, **options)
    return made if isinstance(made, list) else [made]
