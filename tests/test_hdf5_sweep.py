"""Test sweeps as arrays in HDF5, those of others too, and transients of arrays of coils."""

import dataclasses

import numpy as np
import numpy.testing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lanes import make_coils, make_sensor, make_sweep

from minesense.io import FormatError, FormatWarning, hdf5_process, read
from minesense.io.frequency_sweep import from_frequency_sweep
from minesense.io.hdf5_sweep import read_hdf5_sweeps
from minesense.io.hdf5_sweep_writer import write_hdf5_sweeps
from minesense.sensor import Sensor
from minesense.sweep import Frame, Quality, Sweep

h5py = pytest.importorskip("h5py")

ARRAYS = ("samples", "time", "position", "heading", "quality")


def radar_lane(n_traces=30, seed=2):
    """Return a lane with every kind of gap, a frame and a history."""
    rng = np.random.default_rng(seed)
    samples = rng.normal(size=(n_traces, 2, 16)).astype(np.float32)
    samples[3] = np.nan
    position = np.cumsum(rng.uniform(0, 0.1, (n_traces, 3)), axis=0)
    heading = rng.uniform(0, 1, n_traces)
    position[5], heading[5] = np.nan, np.nan
    quality = np.zeros(n_traces, np.int64)
    quality[3] = int(Quality.NOT_FINITE)
    quality[5] = int(Quality.POSE_NONE | Quality.GAP)
    sweep = make_sweep(
        samples,
        sensor=make_sensor(2, 16),
        position=position,
        heading=heading,
        quality=quality,
        time=1.7e9 + np.cumsum(rng.uniform(0.01, 0.2, n_traces)),
    )
    frame = Frame(crs="EPSG:32633", origin="corner of the field")
    return dataclasses.replace(sweep, lane="läne 7", frame=frame, history=("one", "two"))


def assert_same(a, b):
    """Fail unless two sweeps have the same bits and the same sensor."""
    for name in ARRAYS:
        left, right = getattr(a, name), getattr(b, name)
        assert left.dtype == right.dtype
        npt.assert_array_equal(left, right)
    assert a.sensor.describe() == b.sensor.describe()
    assert (a.sensor.name, a.lane, a.frame) == (b.sensor.name, b.lane, b.frame)


@given(seed=st.integers(0, 5), compression=st.booleans())
def test_a_written_lane_reads_back(tmp_path_factory, seed, compression):
    """Samples, times, places, flags, frame, sensor, history: bit for bit."""
    path = tmp_path_factory.mktemp("lane") / "lane.h5"
    sweep = radar_lane(seed=seed)
    write_hdf5_sweeps(sweep, path, compression=compression)
    again = read(path)
    assert again.format == "hdf5"
    assert_same(again.to_sweep(), sweep)
    assert again.to_sweep().history[1:] == ("one", "two")
    assert again.header == {}
    assert not again.warnings


def test_many_sensors_in_one_file(tmp_path):
    """In their order, heads and waveforms included."""
    lanes = [make_sweep(np.ones((3, 1, 4)) * k, sensor=make_sensor(1, 4)) for k in range(12)]
    coils = make_coils()
    lanes.append(make_sweep(np.ones((3, *coils.shape)), sensor=coils, time=[0.0, 1.0, 2.0]))
    path = write_hdf5_sweeps(lanes, tmp_path / "lanes.h5")
    again = read(path).sweeps
    assert len(again) == 13
    for a, b in zip(again, lanes, strict=True):
        assert_same(a, b)
    assert [float(s.samples[0, 0, 0]) for s in again[:12]] == list(range(12))


def test_tones_stay_tones(tmp_path):
    """A sweep over frequency is written as complex samples."""
    tones = 1e9 + 1e7 * np.arange(64)
    sweep = from_frequency_sweep(tones, np.exp(-2j * np.pi * tones * 5e-9))
    again = read(write_hdf5_sweeps(sweep, tmp_path / "vna.h5")).to_sweep()
    assert again.sensor.is_complex
    npt.assert_array_equal(again.sensor.axis, tones)
    npt.assert_allclose(again.phasors[0, 0], sweep.values[0, 0], atol=1e-7)
    with h5py.File(tmp_path / "vna.h5") as file:
        assert file["0/samples"].dtype == np.complex64


def test_only_some_traces_are_read(tmp_path):
    """The rest of the file is left alone."""
    sweep = radar_lane()
    path = write_hdf5_sweeps(sweep, tmp_path / "lane.h5")
    part = read(path, traces=slice(4, 9)).to_sweep()
    npt.assert_array_equal(part.samples, sweep.samples[4:9])
    npt.assert_array_equal(part.time, sweep.time[4:9])
    with pytest.raises(TypeError, match="slice"):
        read(path, traces=3)


def test_the_writer_refuses(tmp_path):
    """What is no sweep, and to replace a file."""
    path = write_hdf5_sweeps(radar_lane(), tmp_path / "lane.h5")
    before = path.read_bytes()
    with pytest.raises(FileExistsError, match="overwrite"):
        write_hdf5_sweeps(radar_lane(seed=1), path)
    assert path.read_bytes() == before
    write_hdf5_sweeps(radar_lane(seed=1), path, overwrite=True)
    assert_same(read(path).to_sweep(), radar_lane(seed=1))
    with pytest.raises(ValueError, match="at least one"):
        write_hdf5_sweeps([], tmp_path / "no.h5")
    with pytest.raises(TypeError, match="Must be a Sweep"):
        write_hdf5_sweeps([3], tmp_path / "no.h5")
    with pytest.raises(TypeError, match="Must be a Sweep"):
        write_hdf5_sweeps(3, tmp_path / "no.h5")
    assert [p.name for p in tmp_path.iterdir()] == ["lane.h5"]


def test_the_same_sweeps_give_the_same_bytes(tmp_path):
    """No clock, no name of a user."""
    a = write_hdf5_sweeps(radar_lane(), tmp_path / "a.h5")
    b = write_hdf5_sweeps(radar_lane(), tmp_path / "b.h5")
    assert a.read_bytes() == b.read_bytes()


def test_long_histories_are_kept(tmp_path):
    """Beyond what an attribute holds."""
    lines = tuple(f"line {k} {'x' * 100}" for k in range(2000))
    sweep = dataclasses.replace(radar_lane(), history=lines)
    again = read(write_hdf5_sweeps(sweep, tmp_path / "lane.h5")).to_sweep()
    assert again.history[1:] == lines


# -- arrays that others wrote ----------------------------------------------------------------


def by_hand(path, **changes):
    """Write the least that the layout asks for; a change of None leaves a dataset out."""
    arrays = {
        "samples": np.arange(24, dtype=np.int16).reshape(4, 2, 3),
        "time": np.array([0.0, 0.1, 0.2, 0.3]),
        "axis": np.array([1e-4, 2e-4, 3e-4]),
    }
    attributes = {"kind": "emi"}
    with h5py.File(path, "w") as file:
        for name, value in {**arrays, **attributes, **changes}.items():
            if value is None:
                continue
            if isinstance(value, np.ndarray):
                file[name] = value
            else:
                file.attrs[name] = value
    return path


def test_the_least_is_enough(tmp_path):
    """Integers become samples; what is not told is flagged or zero."""
    sweep = read(by_hand(tmp_path / "by_hand.h5")).to_sweep()
    npt.assert_array_equal(sweep.samples.ravel(), np.arange(24))
    assert sweep.sensor.kind == "emi"
    assert sweep.lane == "by_hand"
    assert (sweep.quality == int(Quality.POSE_NONE)).all()
    assert not sweep.sensor.lever_arms.any()


def test_positions_without_heading_take_that_of_the_track(tmp_path):
    """And units, lever arms and a radar's frequency come from attributes."""
    path = by_hand(
        tmp_path / "radar.h5",
        position=np.array([[0, 0, 0], [1, 0, 0], [2, 0, 0], [np.nan] * 3]),
        lever_arms=np.array([[-0.1, 0, 0], [0.1, 0, 0]]),
        kind="gpr",
        centre_frequency=1.5e9,
        height=0.05,
        unit="V",
        note="kept",
        time=np.array([0.0, 0.2, 0.1, 0.3]),
    )
    with pytest.warns(FormatWarning, match="backward"):
        result = read(path)
    sweep = result.to_sweep()
    npt.assert_allclose(sweep.heading[:2], np.pi / 2)
    assert np.isnan(sweep.heading[2])
    assert sweep.sensor.radar.centre_frequency == 1.5e9
    assert sweep.sensor.radar.height == 0.05
    assert sweep.sensor.unit == "V"
    assert result.header["attributes"] == {"/": {"note": "kept"}}


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"kind": None}, "attribute 'kind'"),
        ({"kind": "sonar"}, "attribute 'kind'"),
        ({"time": None}, "dataset 'time'"),
        ({"axis": None}, "dataset 'axis'"),
        ({"time": np.zeros(3)}, "dataset 'time'"),
        ({"axis": np.array([1.0, 1.0, 2.0])}, "sensor"),
        ({"axis": np.array([1.0, 2.0])}, "dataset 'axis'"),
        ({"axis_unit": "ms"}, "sensor"),
        ({"samples": np.zeros((4, 6))}, "dataset 'samples'"),
        ({"quality": np.full(4, -1)}, "quality"),
        ({"quality": np.full(4, 0.5)}, "quality"),
        ({"position": np.zeros((4, 2))}, "position"),
        ({"version": 9}, "version"),
        ({"sensor_document": "{"}, "sensor"),
        ({"sensor_document": "[]"}, "sensor_document"),
        ({"sensor_document": '{"type": "Radar", "centre_frequency": 1e9}'}, "sensor"),
    ],
)
def test_arrays_that_do_not_fit(tmp_path, changes, match):
    """Are named."""
    with pytest.raises(FormatError, match=match):
        read_hdf5_sweeps(by_hand(tmp_path / "by_hand.h5", **changes))


def test_values_that_are_missing_are_flagged(tmp_path):
    """Not a number is no silence."""
    samples = np.ones((4, 2, 3))
    samples[1, 0, 0] = np.nan
    samples[2, 1, 1] = 1e300  # too large for float32
    sweep = read(by_hand(tmp_path / "by_hand.h5", samples=samples)).to_sweep()
    lost = np.flatnonzero(sweep.quality & Quality.NOT_FINITE)
    assert lost.tolist() == [1, 2]


def test_a_sweep_is_not_read_beyond_max_bytes(tmp_path):
    """Before anything is allocated."""
    path = by_hand(tmp_path / "by_hand.h5")
    with h5py.File(path, "a") as file:
        del file["samples"]
        file.create_dataset("samples", (2**20, 2**10, 3), "f8", chunks=(64, 64, 3))
    with pytest.raises(FormatError, match="max_bytes"):
        read(path)


# -- transients ------------------------------------------------------------------------------


def write_transients(path, *, gates=None, unit="ms", names=("ZA", "XA", "YD"), kind="f8"):
    """Write a table as the vendor describes it."""
    gates = np.array([0.1, 0.2, 0.4]) if gates is None else gates
    table = np.zeros(len(gates), [("GateTime", "f8"), *((n, kind) for n in names)])
    table["GateTime"] = gates
    for k, name in enumerate(names):
        table[name] = 10.0 ** (k - np.arange(len(gates)))
    with h5py.File(path, "w") as file:
        dataset = file.create_dataset("Measurement/Transients", data=table)
        if unit:
            dataset.attrs["GateTimeUnit"] = unit
        file.attrs["Operator"] = "nobody"
    return path


def test_transients_say_that_they_are_provisional(tmp_path):
    """Found by their columns, gates from the file, millivolts, attributes kept."""
    path = write_transients(tmp_path / "cued.h5")
    with pytest.warns(FormatWarning, match="PROVISIONAL"):
        result = read(path)
    sweep = result.to_sweep()
    assert result.format == "transients"
    assert result.header["channels"] == ["ZA", "XA", "YD"]
    npt.assert_allclose(sweep.sensor.axis, [1e-4, 2e-4, 4e-4])
    npt.assert_allclose(sweep.samples[0, 1], [1e-2, 1e-3, 1e-4], rtol=1e-6)
    assert any("PROVISIONAL" in line for line in sweep.history)
    assert result.header["attributes"]["file"] == {"Operator": "nobody"}
    assert sweep.quality[0] & Quality.POSE_NONE
    with pytest.warns(FormatWarning, match="PROVISIONAL"):
        placed = read(path, position=[1, 2, 3]).to_sweep()
    assert placed.position.tolist() == [[1, 2, 3]]
    with pytest.raises(FormatError, match="PROVISIONAL"):
        read(path, strict=True)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"unit": None}, "unit of GateTime"),
        ({"unit": "fortnight"}, "unit of GateTime 'fortnight'"),
        ({"gates": np.array([0.0, 0.1])}, "positive and increasing"),
        ({"gates": np.array([0.2, 0.1])}, "positive and increasing"),
        ({"gates": np.array([0.1, np.nan])}, "positive and increasing"),
    ],
)
def test_gates_that_are_not_told(tmp_path, options, match):
    """Are refused, not guessed."""
    path = write_transients(tmp_path / "cued.h5", **options)
    with pytest.raises(FormatError, match=match):
        read(path)


def test_a_transient_beyond_single_precision(tmp_path):
    """Is infinite and flagged, without a warning of NumPy."""
    path = write_transients(tmp_path / "cued.h5")
    with h5py.File(path, "a") as file:
        table = file["Measurement/Transients"]
        rows = table[()]
        rows["ZA"][1] = 1e60
        table[...] = rows
    with pytest.warns(FormatWarning, match="PROVISIONAL"), np.errstate(all="raise"):
        sweep = read(path).to_sweep()
    assert sweep.quality[0] & Quality.NOT_FINITE


def test_gates_beyond_double_precision(tmp_path):
    """As a damaged type makes of them: refused, without a warning of NumPy."""
    wide = np.dtype(np.longdouble)
    if wide.itemsize == 8:
        pytest.skip("no number here is wider than float64")
    table = np.zeros(3, [("GateTime", wide), ("ZA", wide)])
    table["GateTime"] = [np.longdouble("1e-4"), np.longdouble("1e4000"), np.nan]
    table["ZA"] = np.longdouble("1e4000")
    with h5py.File(tmp_path / "cued.h5", "w") as file:
        file["Measurement/Transients"] = table
    with np.errstate(all="raise"), pytest.raises(FormatError, match="positive and increasing"):
        read(tmp_path / "cued.h5", time_unit="s")


def test_a_lane_takes_its_sensor_from_the_document(tmp_path):
    """Which must be that of the arrays."""
    sensor = Sensor(name="coil", kind="emi", axis=[1e-4], lever_arms=[[0, 0, 0]])
    sweep = Sweep(
        samples=np.ones((2, 1, 1)),
        time=[0.0, 1.0],
        position=np.zeros((2, 3)),
        heading=np.zeros(2),
        sensor=sensor,
    )
    path = write_hdf5_sweeps(sweep, tmp_path / "lane.h5")
    with h5py.File(path, "a") as file:
        file["0/axis"][0] = 2e-4
    with pytest.raises(FormatError, match="that of 'axis'"):
        read(path)


def test_what_a_file_lacks_is_named(tmp_path):
    """Traces that it has not, sweeps without a trace, flags beyond all."""
    path = write_hdf5_sweeps(radar_lane(), tmp_path / "lane.h5")
    with pytest.raises(FormatError, match="invalid traces 'slice"):
        read(path, traces=slice(100, 200))
    with h5py.File(path, "a") as file:
        file["0/quality"][4] = 2**40
    with pytest.raises(FormatError, match=f"trace 4: invalid dataset 'quality' {2**40}"):
        read(path)
    with h5py.File(tmp_path / "none.h5", "w") as file:
        file["samples"], file["time"] = np.zeros((0, 1, 2)), np.zeros(0)
        file["axis"], file.attrs["kind"] = np.array([1.0, 2.0]), "emi"
    with pytest.raises(FormatError, match="sweeps without a trace"):
        read(tmp_path / "none.h5")


@pytest.mark.parametrize("moment", ["waiting", "reading"])
def test_a_request_that_is_broken_off_answers_no_other(tmp_path, monkeypatch, moment):
    """Ctrl-C while one file is read must not give its answer to whoever reads the next."""
    rng = np.random.default_rng(seed=8)
    for name in ("one", "two"):
        samples = rng.normal(size=(6, 1, 20)).astype(np.float32)
        write_hdf5_sweeps([make_sweep(samples, sensor=make_sensor(1, 20))], tmp_path / name)
    expected = read_hdf5_sweeps(tmp_path / "two").to_sweep().samples
    real, n_asked = hdf5_process.Child._receive, 0

    def broken_off(child, seconds):
        nonlocal n_asked
        n_asked += 1
        if n_asked == 3:
            if moment == "reading":
                child._process.stdout.read(1)
            raise KeyboardInterrupt
        return real(child, seconds)

    monkeypatch.setattr(hdf5_process.Child, "_receive", broken_off)
    with pytest.raises(KeyboardInterrupt):
        read_hdf5_sweeps(tmp_path / "one")
    npt.assert_array_equal(read_hdf5_sweeps(tmp_path / "two").to_sweep().samples, expected)
