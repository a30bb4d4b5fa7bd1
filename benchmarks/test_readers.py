"""
Benchmark reading recordings: bytes of the file to samples in float32, from the page cache.

The baseline is what a user who knows the layout would write: numpy.fromfile, then astype. A
reader also finds the layout, looks for clipped samples and checks headers of traces.
"""

import os
import struct
import time
import warnings

import numpy as np
import numpy.testing as npt
import pytest

from minesense.io import FormatWarning, read

N_SAMPLES = 512
N_TRACES = 200_000  # 205 MB: more than any cache of a processor holds
LEAST = 500e6  # bytes a second, on a machine that does nothing else


def _dzt(path, samples):
    """Write a DZT file of one channel, as a SIR system would."""
    header = bytearray(1024)
    struct.pack_into("<4H", header, 0, 0x00FF, 1024, N_SAMPLES, 16)
    struct.pack_into("<f8xf", header, 14, 50.0, 50.0)
    header[52] = 1
    scans = samples.view("<u2") ^ np.uint16(0x8000)
    scans[:, 0], scans[:, 1] = np.arange(N_TRACES), 0
    path.write_bytes(bytes(header) + scans.tobytes())


def _dt1(path, samples):
    """Write DT1 and HD files, as an EKKO PRO would."""
    form = [("head", "<f4", 8), ("rest", "V96"), ("points", "<i2", N_SAMPLES)]
    traces = np.zeros(N_TRACES, form)
    traces["head"][:, 0] = np.arange(N_TRACES) + 1
    traces["head"][:, 1] = 0.05 * np.arange(N_TRACES)
    traces["head"][:, [2, 5, 6]] = N_SAMPLES, 2, 100
    traces["points"] = samples
    path.write_bytes(traces.tobytes())
    path.with_suffix(".HD").write_text(
        f"1234\nline\n2021-05-17\nNUMBER OF TRACES = {N_TRACES}\n"
        f"NUMBER OF PTS/TRC = {N_SAMPLES}\nTOTAL TIME WINDOW = 51.2\nTIMEZERO AT POINT = 0\n"
        f"STARTING POSITION = 0\nFINAL POSITION = {0.05 * (N_TRACES - 1)}\n"
        "STEP SIZE USED = 0.05\nPOSITION UNITS = m\nNOMINAL FREQUENCY = 500\n"
        "ANTENNA SEPARATION = 0.2\nSURVEY MODE = Reflection\n"
    )


def _rd3(path, samples):
    """Write RD3 and RAD files."""
    path.write_bytes(samples.tobytes())
    path.with_suffix(".rad").write_text(
        f"SAMPLES:{N_SAMPLES}\nFREQUENCY:10000\nDISTANCE INTERVAL:0.05\nANTENNAS:500 MHz\n"
    )


def _segy(path, samples):
    """Write a SEG-Y file of revision 2.1."""
    head = bytearray(3600)
    struct.pack_into(">hxxHxxh", head, 3216, 100, N_SAMPLES, 3)
    struct.pack_into(">d", head, 3272, 1e-4)
    head[3500:3504] = b"\x02\x01\x00\x01"
    traces = np.zeros(N_TRACES, [("head", "V240"), ("samples", ">i2", N_SAMPLES)])
    traces["samples"] = samples
    path.write_bytes(bytes(head) + traces.tobytes())


def _plain(path, dtype, offset, skip, shift):
    """Return the samples of a file as a user would read them who knows the layout."""
    numbers = np.fromfile(path, dtype=dtype, offset=offset)
    numbers = numbers.reshape(N_TRACES, -1)[:, skip:].astype(np.float32)
    return numbers - np.float32(shift) if shift else numbers


CASES = {
    "a.DZT": (_dzt, ("<u2", 1024, 0, 32768)),
    "a.DT1": (_dt1, ("<i2", 0, 64, 0)),
    "a.rd3": (_rd3, ("<i2", 0, 0, 0)),
    "a.sgy": (_segy, (">i2", 3600, 120, 0)),
}


def _samples_of(path):
    """Return the samples of a recording, looked through for doubts as `to_sweep` does."""
    recording = read(path)
    recording.survey()
    return recording.samples


@pytest.mark.parametrize("name", CASES)
def test_reading(benchmark, tmp_path, name):
    """A file of 200 MB, checked on the way, beside reading it without a look."""
    make, layout = CASES[name]
    rng = np.random.default_rng(seed=0)
    samples = rng.integers(-9000, 9000, (N_TRACES, N_SAMPLES), dtype=np.int16)
    path = tmp_path / name
    make(path, samples)
    size = path.stat().st_size
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FormatWarning)
        _samples_of(path)  # into the page cache
        result = benchmark.pedantic(_samples_of, (path,), rounds=5)
        seconds = []
        for _ in range(3):
            start = time.perf_counter()
            expected = _plain(path, *layout)
            seconds.append(time.perf_counter() - start)
    n_words = 2 if name == "a.DZT" else 0
    npt.assert_array_equal(result[:, 0, n_words:], expected[:, n_words:])
    os.unlink(path)
    if benchmark.stats:
        best = benchmark.stats.stats.min
        plain = min(seconds)
        benchmark.extra_info["megabytes_a_second"] = round(size / best / 1e6)
        benchmark.extra_info["plain_megabytes_a_second"] = round(size / plain / 1e6)
        assert best < max(size / LEAST, 3 * plain)  # the latter where others keep it busy
