"""
Put the files of a recording in place: all of them, read back first, or none.

Files are written into a folder beside their place, read back and compared with what they
should hold, and only then renamed into it, the data file last.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .recording import Recording
from .sidecar import find_sidecar
from .survey import blocks_of, release
from .trouble import FormatWarning

#: Reads numbers that are to be stored, from one trace to before another.
Blocks = Callable[[int, int], npt.NDArray[Any]]


@contextlib.contextmanager
def stage_files(path: Path, extensions: Sequence[str], *, overwrite: bool) -> Iterator[Path]:
    """
    Give a folder for the files of a recording; put them in place when the block ends well.

    Parameters
    ----------
    path : Path
        Of the data file. Files of the folder must have its stem.
    extensions : sequence of str
        Endings that readers of the format look for, that of the data file included.
    overwrite : bool
        Whether files that are there may be replaced.

    Yields
    ------
    folder : Path
        Empty; removed at the end whatever happens.

    Raises
    ------
    FileExistsError
        If a file is in the way; if a file that a reader would take for a part of the
        recording would stay beside it, even if others may be replaced.
    """
    wanted = {extension.lower() for extension in extensions}
    present = [
        entry
        for entry in sorted(path.parent.iterdir())
        if entry.name.startswith(path.stem) and entry.name[len(path.stem) :].lower() in wanted
    ]
    if present and not overwrite:
        msg = f"'{present[0]}' exists. Must not, unless it may be overwritten."
        raise FileExistsError(msg)
    folder = Path(tempfile.mkdtemp(prefix=f".{path.stem}-", suffix=".part", dir=path.parent))
    try:
        yield folder
        made = sorted(folder.iterdir(), key=lambda file: (file.name == path.name, file.name))
        stale = [entry for entry in present if entry.name not in {file.name for file in made}]
        if stale:
            msg = (
                f"'{stale[0]}' would be read as a part of '{path.name}'. Must be removed first."
            )
            raise FileExistsError(msg)
        for file in made:
            with file.open("rb+") as handle:
                os.fsync(handle.fileno())
        for file in made:
            file.replace(path.with_name(file.name))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def is_unchanged(recording: Recording, name: str, options: Sequence[object]) -> bool:
    """Whether a recording can be written by copying its files: whole, and nothing replaced."""
    return (
        recording.format == name
        and len(recording) == recording.n_stored_traces
        and all(option is None for option in options)
        and not any(c.reason == "given by the caller" for c in recording.corrections)
    )


def copy_files(
    recording: Recording, path: Path, extensions: Sequence[str], *, overwrite: bool
) -> list[Path]:
    """Copy a recording and its sidecars byte for byte to another stem; return the copies."""
    source = recording.path
    found = [find_sidecar(source, e) for e in extensions if e.lower() != source.suffix.lower()]
    files = [source, *(file for file in found if file is not None)]
    copied = []
    endings = [*extensions, path.suffix, source.suffix]
    with stage_files(path, endings, overwrite=overwrite) as folder:
        for file in files:
            ending = path.suffix if file == source else file.name[len(source.stem) :]
            target = folder / (path.stem + ending)
            shutil.copyfile(file, target)
            if not _is_same_file(file, target):
                msg = f"'{target.name}' does not read back as it was written."
                raise OSError(msg)
            copied.append(path.with_name(target.name))
    return copied


def _is_same_file(one: Path, other: Path) -> bool:
    """Whether two files have the same bytes."""
    with one.open("rb") as first, other.open("rb") as second:
        while True:
            a, b = first.read(2**20), second.read(2**20)
            if a != b:
                return False
            if not a:
                return True


def read_back(
    path: Path,
    read: Callable[..., Recording],
    recording: Recording,
    blocks: Blocks,
    *,
    n_words: int = 0,
    position_precision: float = 0.0,
) -> None:
    """
    Compare a file just written with what it should hold.

    Parameters
    ----------
    path : Path
        The file.
    read : callable
        Its reader.
    recording : Recording
        What was to be written.
    blocks : callable
        What was to be stored.
    n_words : int, optional
        Samples put in front of those of the recording.
    position_precision : float, optional
        Largest difference of distances, as a part of the longest.

    Raises
    ------
    OSError
        If anything is not as it should be.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FormatWarning)
        back = read(path)
        for start, stop in blocks_of(back.stored):
            found = back.stored[start:stop, :, n_words:]
            if not np.array_equal(found, blocks(start, stop)):
                _fail(path, f"samples of traces {start} to {stop}")
            release(back.stored)
        n_more = n_words * recording.sample_interval
        time_zero = None if recording.time_zero is None else recording.time_zero + n_more
        for name, told, wanted, tolerance in (
            ("sample interval", back.sample_interval, recording.sample_interval, 1e-6),
            ("spacing", back.spacing, recording.spacing, 1e-6),
            ("time zero", back.time_zero, time_zero, 1e-5),
        ):
            if wanted is not None and (
                told is None or not abs(told - wanted) <= tolerance * abs(wanted) + 1e-15
            ):
                _fail(path, f"{name} {told!r} instead of {wanted!r}")
        if len(back) != len(recording) or not np.array_equal(back.marks, recording.marks):
            _fail(path, "number of traces or marks")
        for name, precision in (
            ("distance", position_precision),
            ("latitude", 1e-10),
            ("longitude", 1e-10),
        ):
            _compare(path, name, getattr(back, name), getattr(recording, name), precision)


def _compare(path: Path, name: str, found: Any, wanted: Any, precision: float) -> None:
    """Compare what two recordings say of each trace."""
    if wanted is None or np.isnan(wanted).all():
        return
    room = precision * float(np.nanmax(np.abs(wanted))) + 1e-12
    if name == "distance" and found is not None:
        wanted, found = wanted - wanted[0], found - found[0]
    if found is None or not np.allclose(found, wanted, rtol=0, atol=room, equal_nan=True):
        _fail(path, name)


def _fail(path: Path, what: str) -> None:
    """Give up on a file that does not hold what was written."""
    msg = f"'{path.name}' does not read back as it was written: {what}."
    raise OSError(msg)
