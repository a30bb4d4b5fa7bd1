"""Feed every reader of this house with cut, changed and random files: a result or an error."""

import contextlib
import random
import struct
import time
import tracemalloc
import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_coil_bag import in_turn, write_bag
from test_gprmax import pulse, write_model
from test_hdf5_sweep import by_hand, write_transients
from test_seg2 import WHOLE, write_seg2
from test_skyhub import NEW, row

from minesense.io import FormatError, FormatWarning, read
from minesense.io.formats import find_format

SKYHUB = "\n".join([NEW, *(row(k, trace=k) for k in range(4))]) + "\n"
TABLE = "time [ms];easting [m];northing [m];c1 [mV];c2 [mV]\n0;0;0;1;2\n10;0;1;1,5;2\n".replace(
    "1,5", "1.5"
)
TOUCHSTONE = (
    "! a\n[Version] 2.0\n# Hz S RI R 50\n[Number of Ports] 1\n1e9 0.1 0.2\n2e9 0.1 -0.2\n"
)
VNA = "S21_real,S21_imag\n0.1,0.2\n0.2,-0.1\n"
TEMPLATE = {
    "zone": "UTC",
    "columns": {"time": {"name": "t", "format": "H:mm:ss.fff"}},
    "samples": [{"name": "c", "unit": "mV"}],
}
TEXTS = {
    "skyhub": ("x-position.csv", SKYHUB, {}),
    "sweep table": ("lane.csv", TABLE, {}),
    "touchstone": ("a.s1p", TOUCHSTONE, {}),
    "vna": ("VNA_X1_Y2_OrX_Fs600M_Fe700M_Qf2_H1.csv", VNA, {}),
    "table": ("log.csv", "t,c\n9:00:00.0,1\n9:00:01.5,2\n", {"template": TEMPLATE}),
}


def survive(path, name, options=None):
    """Read a file: a result, or one of the errors that a reader may raise, in a second."""
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FormatWarning)
        try:
            thing = find_format(name).load_reader()(path, **(options or {}))
        except (FormatError, EOFError):
            thing = None
    assert time.perf_counter() - start < 5  # beside a busy machine
    return thing


def mutants(data, n, seed=0):
    """Yield changed copies of some bytes, the same each time."""
    rng = random.Random(seed)
    for _ in range(n):
        changed = bytearray(data)
        for _ in range(rng.choice((1, 1, 2, 8))):
            place = rng.randrange(len(changed))
            kind = rng.randrange(4)
            if kind == 0:
                changed[place] ^= 1 << rng.randrange(8)
            elif kind == 1:
                changed[place] = rng.choice((0, 255, 127, 128, 10, 44))
            elif kind == 2:
                del changed[place : place + rng.randrange(1, 9)]
                changed += b"\0" * (not changed)
            else:
                changed[place:place] = bytes(
                    rng.randrange(256) for _ in range(rng.randrange(5))
                )
        yield bytes(changed)


@pytest.mark.parametrize("name", TEXTS)
def test_every_prefix_and_every_changed_byte_of_a_text(tmp_path, name):
    """Each byte takes four other values."""
    file, text, options = TEXTS[name]
    path = tmp_path / file
    data = text.encode()
    path.write_bytes(data)
    assert survive(path, name, options) is not None
    for stop in range(len(data)):
        path.write_bytes(data[:stop])
        survive(path, name, options)
    for place in range(len(data)):
        for value in (data[place] ^ 1, 0, 255, data[place] ^ 64):
            path.write_bytes(data[:place] + bytes([value]) + data[place + 1 :])
            survive(path, name, options)


@pytest.mark.parametrize("name", ["seg2"])
def test_every_prefix_and_every_changed_byte_of_headers(tmp_path, name):
    """Seven values of every byte of the blocks, every prefix of the file."""
    path = write_seg2(tmp_path / "line.sg2", WHOLE[:2, :4], code=1)
    data = path.read_bytes()
    assert survive(path, name) is not None
    for stop in range(len(data)):
        path.write_bytes(data[:stop])
        survive(path, name)
    (first,) = struct.unpack_from("<I", data, 32)
    heads = [*range(first + 32), *range(first + 32, first + 96, 5)]
    for place in heads:
        for value in {0, 3, 64, 127, 255, data[place] ^ 1, data[place] ^ 128}:
            path.write_bytes(data[:place] + bytes([value]) + data[place + 1 :])
            survive(path, name)


def hdf5_files(folder):
    """Return small files of each layout by the name of their format."""
    return {
        "gprmax": write_model(folder / "model.out", {"Ez": pulse(8, 2)}),
        "hdf5": by_hand(folder / "sweep.h5"),
        "transients": write_transients(folder / "cued.h5"),
    }


@pytest.mark.parametrize("name", ["gprmax", "hdf5", "transients"])
def test_damaged_hdf5(tmp_path, name):
    """Cuts at every 64th byte, and 150 changes of its bytes."""
    path = hdf5_files(tmp_path)[name]
    data = path.read_bytes()
    assert survive(path, name) is not None
    target = tmp_path / "changed.h5"
    for stop in range(0, len(data), 64):
        target.write_bytes(data[:stop])
        survive(target, name)
    for changed in mutants(data, 150):
        target.write_bytes(changed)
        survive(target, name)


@pytest.mark.parametrize("kind", ["ros1", "sqlite3", "mcap"])
def test_damaged_bags(tmp_path, kind):
    """Cuts and changes of the storage, and of the metadata of ROS 2."""
    pytest.importorskip("rosbags")
    path = write_bag(tmp_path, in_turn(4), kind=kind)
    files = [path] if path.is_file() else sorted(path.iterdir())
    assert survive(path, "coil") is not None
    for file in files:
        data = file.read_bytes()
        for stop in range(0, len(data), max(64, len(data) // 40)):
            file.write_bytes(data[:stop])
            survive(path, "coil")
        for changed in mutants(data, 80):
            file.write_bytes(changed)
            survive(path, "coil")
        file.write_bytes(data)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.binary(max_size=400), start=st.sampled_from([b"", b"\x55\x3a\x01\x00", b"# Hz\n"])
)
def test_random_bytes(tmp_path, data, start):
    """To every reader, and through the table of formats."""
    path = tmp_path / "file.bin"
    path.write_bytes(start + data)
    for name, (file, _, options) in TEXTS.items():
        other = tmp_path / file
        other.write_bytes(start + data)
        survive(other, name, options)
    for name in ("gprmax", "hdf5", "transients", "seg2", "coil"):
        survive(path, name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FormatWarning)
        with contextlib.suppress(FormatError, EOFError):
            read(path)


@pytest.mark.parametrize("name", [*TEXTS, "seg2", "hdf5", "gprmax"])
def test_memory_stays_within_its_bound(tmp_path, name):
    """Twice the file and 64 MB, on files whose sizes claim more than there is."""
    if name in TEXTS:
        file, text, options = TEXTS[name]
        path = tmp_path / file
        path.write_text(text)
        blobs = [*mutants(text.encode(), 20, seed=3)]
    else:
        options = {}
        path = tmp_path / "file"
        if name == "seg2":
            write_seg2(path, WHOLE, code=1)
        else:
            path = hdf5_files(tmp_path)[name]
        blobs = [*mutants(path.read_bytes(), 20, seed=3)]
        if name == "seg2":
            data = bytearray(path.read_bytes())
            (first,) = struct.unpack_from("<I", data, 32)
            struct.pack_into("<II", data, first + 4, 2**32 - 1, 2**30)
            blobs.append(bytes(data))
    for blob in blobs:
        path.write_bytes(blob)
        tracemalloc.start()
        try:
            survive(path, name, options)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak < 2 * len(blob) + 64e6


def test_long_lines_and_zeros_are_no_text(tmp_path):
    """A line over a mebibyte, or full of NUL: refused, quickly."""
    path = tmp_path / "lane.csv"
    for text in (TABLE + "1" * (2**20 + 2) + "\n", TABLE + "\0" * 500):
        path.write_text(text)
        with pytest.raises(FormatError):
            read(path)
    wide = "time [s]," + ",".join(f"c{k} [V]" for k in range(30_000))
    path.write_text(wide + "\n")
    with pytest.raises(FormatError, match="20000"):
        read(path)


def test_a_large_table_is_read_within_a_few_seconds(tmp_path):
    """200 000 rows of ten columns; time grows with the rows."""
    path = tmp_path / "lane.csv"
    names = ",".join(["time [ms]", *(f"c{k} [mV]" for k in range(9))])
    line = ",".join(["%d", *["0.25"] * 9])
    times = []
    for n in (20_000, 40_000):
        path.write_text("\n".join([names, *(line % k for k in range(n))]) + "\n")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FormatWarning)
            start = time.perf_counter()
            sweep = read(path).to_sweep()
            times.append(time.perf_counter() - start)
        assert sweep.samples.shape == (n, 9, 1)
        assert np.float32(0.00025) == sweep.samples[-1, -1, 0]
    assert times[1] < 6 * times[0] + 1
