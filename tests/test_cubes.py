"""Stores of processed lanes: bit for bit, range by range, and nothing lost in silence."""

from __future__ import annotations

import itertools
import shutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minesense.io import FormatError
from minesense.io.cubes import open_cube, save_cube
from minesense.sensor import Sensor
from minesense.sweep import Frame, Quality, Sweep, no_traces
from minesense.synthetic import cart

RADAR = Sensor(name="demo", kind="gpr", axis=1e-10 * np.arange(8), lever_arms=np.zeros((2, 3)))


def lane(n_traces=50, sensor=RADAR, name="A"):
    """Return a lane of noise with dropouts."""
    rng = np.random.default_rng(1)
    samples = rng.normal(size=(n_traces, *sensor.shape)).astype(np.float32)
    quality = np.zeros(n_traces, np.int64)
    samples[3:5] = np.nan
    quality[3:5] = int(Quality.NOT_FINITE)
    return Sweep(
        samples=samples,
        time=np.cumsum(rng.uniform(0.01, 0.1, n_traces)),
        position=rng.normal(size=(n_traces, 3)),
        heading=rng.normal(size=n_traces),
        quality=quality,
        sensor=sensor,
        lane=name,
        frame=Frame(crs="EPSG:32638", origin="post"),
        history=("one", "two"),
    )


def check_same(found, expected):
    for name in ("samples", "time", "position", "heading", "quality"):
        a, b = getattr(found, name), getattr(expected, name)
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)
    assert (found.lane, found.frame, found.history) == (
        expected.lane,
        expected.frame,
        expected.history,
    )
    assert found.sensor.describe() == expected.sensor.describe()


@settings(max_examples=12, deadline=None)
@given(
    cuts=st.lists(st.integers(0, 50), max_size=6),
    rows=st.integers(9, 60),
    bounds=st.tuples(st.integers(0, 50), st.integers(0, 50)),
)
def test_any_cut_and_any_range_give_the_same_bits(tmp_path_factory, cuts, rows, bounds):
    whole = lane()
    edges = [0, *sorted(cuts), len(whole)]
    parts = [whole[a:b] for a, b in itertools.pairwise(edges)]
    path = tmp_path_factory.mktemp("cubes") / "a.zarr"
    cube = open_cube(save_cube(path, iter(parts), chunk_traces=rows))
    assert len(cube) == len(whole)
    check_same(cube[:], whole)
    a, b = sorted(bounds)
    check_same(cube[a:b], whole[a:b])
    shutil.rmtree(path)


@pytest.mark.parametrize("sensor", [cart().radar, cart().coils])
def test_sensors_come_back(tmp_path, sensor):
    whole = lane(6, sensor)
    check_same(open_cube(save_cube(tmp_path / "a.zarr", whole))[:], whole)


def test_a_missing_chunk_is_an_error_and_no_number(tmp_path):
    path = save_cube(tmp_path / "a.zarr", lane(), chunk_traces=10)
    for name in ("samples/c/2/0/0", "quality/c/4", "time/c/0"):
        kept = (path / name).read_bytes()
        cube = open_cube(path)
        (path / name).unlink()
        with pytest.raises(FormatError, match="its data were lost"):
            cube[20:25]
        with pytest.raises(FormatError, match=name.replace("/c/", "/").replace("/", ".")):
            open_cube(path)
        (path / name).write_bytes(kept)
    assert len(open_cube(path)[:]) == 50


def test_every_changed_byte_of_a_chunk_is_noticed(tmp_path):
    whole = lane(8)
    path = save_cube(tmp_path / "a.zarr", whole)
    cube = open_cube(path)
    rng = np.random.default_rng(0)
    for name in ("samples/c/0/0/0", "time/c/0", "quality/c/0"):
        kept = (path / name).read_bytes()
        for k in [0, len(kept) - 1, *rng.integers(0, len(kept), 30).tolist()]:
            changed = bytearray(kept)
            changed[k] ^= 1 << int(rng.integers(8))
            (path / name).write_bytes(changed)
            with pytest.raises(FormatError, match="checksum"):
                cube[:]
        for cut in (0, 3, len(kept) // 2):
            (path / name).write_bytes(kept[:cut])
            with pytest.raises(FormatError):
                cube[:]
        (path / name).write_bytes(kept)
    check_same(cube[:], whole)


def test_refusals(tmp_path):
    path = tmp_path / "a.zarr"
    with pytest.raises(ValueError, match="there are none"):
        save_cube(path, [no_traces()])
    with pytest.raises(TypeError, match="of type int"):
        save_cube(path, [1])
    with pytest.raises(ValueError, match="lane 'B'"):
        save_cube(path, [lane(), lane(name="B")])
    with pytest.raises(ValueError, match="chunk_traces"):
        save_cube(path, lane(), chunk_traces=0)
    assert list(tmp_path.iterdir()) == []
    save_cube(path, lane())
    with pytest.raises(FileExistsError, match="it exists"):
        save_cube(path, lane())
    with pytest.raises(ValueError, match="step '2'"):
        open_cube(path)[::2]
    with pytest.raises(TypeError, match="Must be a slice"):
        open_cube(path)[3]
    with pytest.raises(FormatError, match="Must be a store"):
        open_cube(tmp_path)
    header = path / "zarr.json"
    header.write_text(header.read_text().replace("minesense cube", "other cube"))
    with pytest.raises(FormatError, match="other cube"):
        open_cube(path)
