"""
Feed readers of recordings with damaged files, and report whatever is not a plain refusal.

Each input is a small recording of which one file, or a sidecar, was changed by chance: bytes,
numbers, lengths, pieces. Reading it must end in a result or in a FormatError (or in a
FileNotFoundError where a sidecar is named), making a sweep of it in one or in a ValueError,
both within a second of the processor's time; and it may
allocate no more than twice the size of the files and 64 MB. The same seed gives the same
inputs.

    python tools/fuzz_readers.py dzt dt1 --inputs 100000

Formats are those of minesense.io.formats. Recordings to start from are written by the
writer of a format, or after its description (fuzz_starts.py); --samples names a folder of
further ones. HDF5 is read by a child process, which may end: here it is quick to start again
(fuzz_child.py), and may take 0.05 s of the processor instead of 0.8 s.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import math
import re
import resource
import shutil
import signal
import struct
import sys
import tempfile
import time
import traceback
import warnings
from pathlib import Path
from typing import Any

import numpy as np

import minesense.gpr.tones  # noqa: F401 - not while memory is limited
from minesense.io import FormatError, FormatWarning, Recording, read
from minesense.io.formats import FORMATS, Format, find_format

sys.path.insert(0, str(Path(__file__).parent))
from fuzz_child import OF_HDF5, quick_child
from fuzz_starts import starting_files

#: What a reader may raise; what makes a sweep of a recording may also say that it cannot.
REFUSALS = (FormatError, FileNotFoundError)

_ROOM = 64 * 10**6  # bytes that a reader may allocate beyond twice the size of its files
_SECONDS = 1.0  # of the processor: a busy machine is no fault of a reader
_PATIENCE = 20.0  # of the clock, for a reader that waits
_WHOLE = (
    0,
    1,
    2,
    3,
    127,
    128,
    255,
    256,
    1024,
    32767,
    32768,
    65535,
    2**24,
    2**31 - 1,
    2**32 - 1,
)
_FLOATS = (0.0, -1.0, 1e-30, 1e30, math.nan, math.inf, 0.5, 4096.0)
_WORDS = (b"0", b"-1", b"1e30", b"nan", b"", b"999999999999", b"1,5", b"\xff\xfe", b"=", b":")
_NUMBER = re.compile(rb"[-+]?[0-9][-+.0-9eE]*")


_WORKED = f"took more than {_SECONDS} s of the processor"
_WAITED = f"took more than {_PATIENCE} s"


class TooSlowError(BaseException):
    """Reading took too long; no reader catches it."""


class Stopwatch:
    """Ends what takes too long, once."""

    is_running = False

    @classmethod
    def start(cls) -> None:
        """Count from now on."""
        cls.is_running = True
        signal.setitimer(signal.ITIMER_PROF, _SECONDS)
        signal.setitimer(signal.ITIMER_REAL, _PATIENCE)

    @classmethod
    def stop(cls, number: int, _: object) -> None:
        """Take the signal of either clock, and leave that of the other alone."""
        if cls.is_running:
            cls.is_running = False
            raise TooSlowError(_WAITED if number == signal.SIGALRM else _WORKED)

    @classmethod
    def end(cls) -> None:
        """Count no longer."""
        cls.is_running = False
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)


class Case:
    """The files of one recording: names and bytes, the data file first."""

    def __init__(self, files: dict[str, bytes]):
        self.files = files

    def mutate(self, rng: np.random.Generator) -> dict[str, bytes]:
        """Return the files with one to four changes in one or two of them."""
        files = dict(self.files)
        names = list(files)
        for _ in range(int(rng.integers(1, 5))):
            is_sidecar = len(names) > 1 and rng.random() < 0.4
            name = names[int(rng.integers(1, len(names)))] if is_sidecar else names[0]
            files[name] = change(files[name], rng)
        return files


def change(data: bytes, rng: np.random.Generator) -> bytes:
    """Return bytes with one change of a kind chosen by chance."""
    kinds = (flip_byte, put_number, put_number, cut, grow, drop, repeat, blank, put_word)
    kind = kinds[int(rng.integers(len(kinds)))]
    return kind(data, rng) if data else bytes(rng.integers(0, 256, 8, dtype=np.uint8))


def place_in(data: bytes, rng: np.random.Generator) -> int:
    """Return a place, mostly in the first bytes, where headers are."""
    limit = len(data) if rng.random() < 0.4 else min(len(data), 256)
    if len(data) > 3600 and rng.random() < 0.3:  # headers of SEG-Y lie behind its text
        return int(rng.integers(3200, min(len(data), 3900)))
    return int(rng.integers(limit))


def flip_byte(data: bytes, rng: np.random.Generator) -> bytes:
    """Change one byte."""
    place = place_in(data, rng)
    return data[:place] + bytes([int(rng.integers(256))]) + data[place + 1 :]


def put_number(data: bytes, rng: np.random.Generator) -> bytes:
    """Put a number that readers may stumble over, in any width and order."""
    form = "BHIQhifd"[int(rng.integers(8))]
    order = "<>"[int(rng.integers(2))]
    if form in "fd":
        value = _FLOATS[int(rng.integers(len(_FLOATS)))]
    else:
        value = _WHOLE[int(rng.integers(len(_WHOLE)))]
        size = 8 * struct.calcsize(order + form)
        value &= (1 << size) - 1
        if form.islower() and value >= 1 << (size - 1):
            value -= 1 << size
    packed = struct.pack(order + form, value)
    place = place_in(data, rng)
    return data[:place] + packed + data[place + len(packed) :]


def cut(data: bytes, rng: np.random.Generator) -> bytes:
    """Break off."""
    return data[: int(rng.integers(len(data) + 1))]


def grow(data: bytes, rng: np.random.Generator) -> bytes:
    """Append bytes."""
    return data + bytes(rng.integers(0, 256, int(rng.integers(1, 300)), dtype=np.uint8))


def drop(data: bytes, rng: np.random.Generator) -> bytes:
    """Leave a piece out."""
    place = place_in(data, rng)
    return data[:place] + data[place + int(rng.integers(1, 64)) :]


def repeat(data: bytes, rng: np.random.Generator) -> bytes:
    """Repeat a piece."""
    place = place_in(data, rng)
    piece = data[place : place + int(rng.integers(1, 64))]
    return data[:place] + piece * int(rng.integers(2, 20)) + data[place:]


def blank(data: bytes, rng: np.random.Generator) -> bytes:
    """Fill a piece with one byte."""
    place, length = place_in(data, rng), int(rng.integers(1, 200))
    value = (0, 255, 32)[int(rng.integers(3))]
    return data[:place] + bytes([value]) * length + data[place + length :]


def put_word(data: bytes, rng: np.random.Generator) -> bytes:
    """Replace one of the numbers of a text by another, or by none."""
    found = list(_NUMBER.finditer(data[:5000]))
    if not found:
        return flip_byte(data, rng)
    match = found[int(rng.integers(len(found)))]
    word = _WORDS[int(rng.integers(len(_WORDS)))]
    return data[: match.start()] + word + data[match.end() :]


def make_cases(one: Format, samples: Path | None) -> list[Case]:
    """Return recordings to start from."""
    return [Case(files) for files in starting_files(one, samples)]


def _read(reader: str | None, path: Path) -> Any:
    """Return what a file holds, as its content tells it or as a format that is named."""
    if reader is None:
        return read(path)
    template = path.with_suffix(".toml")
    options = {"template": template} if template.exists() else {}
    return find_format(reader).load_reader()(path, **options)


def try_input(reader: str | None, path: Path, size: int) -> str:
    """Read a file and make a sweep; return "read", "refused" or a traceback."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + 2 * size + _ROOM
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
    Stopwatch.start()
    try:
        recording = _read(reader, path)
        with contextlib.suppress(ValueError):
            if isinstance(recording, Recording):
                recording.to_sweep(centre_frequency=4e8)
                if size % 4 == 0:
                    recording[1:3].to_sweep(centre_frequency=4e8)
            else:
                recording.describe()
                if hasattr(recording, "to_time"):
                    recording.to_sweep()
    except REFUSALS:
        return "refused"
    except TooSlowError as error:
        return str(error)
    except Exception:  # noqa: BLE001 - whatever it is, it is reported
        return traceback.format_exc()
    finally:
        Stopwatch.end()
        resource.setrlimit(resource.RLIMIT_AS, (hard, hard))
    return "read"


def fuzz(
    one: Format, cases: list[Case], *, n_inputs: int, seed: int, keep: Path | None
) -> dict:
    """Try inputs of one format; return counts by their end, and the processor's seconds."""
    for number in (signal.SIGPROF, signal.SIGALRM):
        signal.signal(number, Stopwatch.stop)
    ends: collections.Counter[str] = collections.Counter()
    began = time.process_time()
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared if shared.is_dir() else None) as name:
        folder = Path(name)
        for k in range(n_inputs):
            rng = np.random.default_rng([seed, k])
            case = cases[int(rng.integers(len(cases)))]
            files = case.mutate(rng)
            for file, data in files.items():
                (folder / file).write_bytes(data)
            size = sum(len(data) for data in files.values())
            with warnings.catch_warnings():
                warnings.simplefilter("error")  # NumPy's too: a warning of ours only tells
                warnings.simplefilter("ignore", FormatWarning)
                told = None if k % 4 and one.name != "table" else one.name
                end = try_input(told, folder / next(iter(files)), size)
                if end == _WAITED:  # the whole machine may have been stopped
                    end = try_input(told, folder / next(iter(files)), size)
            if end not in ("read", "refused") and end not in ends:
                print(f"{one.name}, input {k} of seed {seed}: {end}", flush=True)  # noqa: T201
                if keep is not None:
                    shutil.copytree(folder, keep / f"{one.name}-{seed}-{k}")
            ends[end] += 1
            for file in files:
                (folder / file).unlink()
    return {"ends": dict(ends), "seconds": time.process_time() - began}


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line; return 1 if anything was found."""
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    names = [one.name for one in FORMATS]
    parser.add_argument("formats", nargs="*", default=names, help=f"of {', '.join(names)}")
    parser.add_argument("--inputs", type=int, default=10_000, help="for each format")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--samples", type=Path, help="folder of recordings to start from too, up to 64 KiB each"
    )
    parser.add_argument("--keep", type=Path, help="folder for the files of what was found")
    options = parser.parse_args(arguments)
    n_found = 0
    for name in options.formats:
        one = find_format(name)
        cases = make_cases(one, options.samples)
        if not cases:
            print(f"{name}: no recording to start from, see --samples")  # noqa: T201
            continue
        with quick_child() if one.name in OF_HDF5 else contextlib.nullcontext():
            result = fuzz(
                one, cases, n_inputs=options.inputs, seed=options.seed, keep=options.keep
            )
        ends, seconds = result["ends"], result["seconds"]
        found = {end: count for end, count in ends.items() if end not in ("read", "refused")}
        n_found += sum(found.values())
        print(  # noqa: T201
            f"{name}: {options.inputs} inputs, {ends.get('read', 0)} read, "
            f"{ends.get('refused', 0)} refused, {sum(found.values())} found in {len(found)} "
            f"ways, {options.inputs / seconds:.0f} a second of the processor",
            flush=True,
        )
    return 1 if n_found else 0


if __name__ == "__main__":
    sys.exit(main())
