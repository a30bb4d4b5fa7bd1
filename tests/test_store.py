"""Test that sweeps come back from a folder bit for bit, or not at all."""

import dataclasses
import io
import json
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lanes import make_coils, make_sensor, make_sweep

from minesense.io import FormatError
from minesense.io.store import load_sweep, load_sweeps, save_sweeps
from minesense.sensor import Circle, ContinuousWave, Head, Polygon, PulseTrain, Sensor
from minesense.sweep import Frame, Quality, no_traces

RNG = np.random.default_rng(seed=3)


def radar_sweep(n_traces=6):
    """Return a lane with flagged NaN, odd floats and a history."""
    samples = RNG.normal(size=(n_traces, 2, 4)).astype(np.float32)
    samples[0, 0, :2] = [-0.0, np.float32(1e-45)]
    quality = np.zeros(n_traces, np.int64)
    if n_traces:
        samples[-1], quality[-1] = np.nan, Quality.NOT_FINITE | Quality.GAP
    return make_sweep(
        samples,
        quality=quality,
        lane="lane / 1 ä",
        frame=Frame(crs="EPSG:32638", origin='peg "1"'),
        history=("made\nhere", "β"),
    )


def coil_sweep():
    """Return a lane of pulse coils without positions."""
    samples = RNG.normal(size=(3, 2, 12))
    nowhere = np.full((3, 3), np.nan)
    quality = np.full(3, int(Quality.POSE_NONE))
    return make_sweep(samples, sensor=make_coils(), position=nowhere, quality=quality)


def assert_same(a, b):
    """Fail unless two records agree in every field, arrays in every bit."""
    assert type(a) is type(b)
    for field in dataclasses.fields(a):
        x, y = getattr(a, field.name), getattr(b, field.name)
        if isinstance(x, np.ndarray):
            assert (x.dtype, x.shape, x.tobytes()) == (y.dtype, y.shape, y.tobytes())
        elif dataclasses.is_dataclass(x):
            assert_same(x, y)
        elif isinstance(x, tuple) and x and dataclasses.is_dataclass(x[0]):
            assert type(y) is tuple
            for one, other in zip(x, y, strict=True):
                assert_same(one, other)
        else:
            assert x == y
            assert type(x) is type(y)


def test_round_trip(tmp_path):
    """Radar, pulse coils, no traces, no radar record: in the order saved."""
    bare = dataclasses.replace(make_sensor(), radar=None, quantity="score", unit="V")
    sweeps = [
        coil_sweep(),
        radar_sweep(),
        no_traces(make_sensor(1, 3), "empty"),
        make_sweep(np.zeros((2, 2, 4)), sensor=bare),
        no_traces(),
    ]
    paths = save_sweeps(tmp_path / "new" / "store", sweeps)
    assert [path.suffix for path in paths] == [".npz"] * 5
    found = load_sweeps(tmp_path / "new" / "store")
    assert len(found) == 5
    for a, b in zip(found, sweeps, strict=True):
        assert_same(a, b)


def every_head():
    """Return heads of every kind of wire and waveform, with awkward numbers."""
    loop = Circle(radius=0.1, centre=[0.1, -0.0, 1 / 3], axis=[1e-3, 2.0, 0.7], turns=-7)
    square = Polygon(vertices=[[0, 0, 0], [0.3, 0, 0], [0.3, 0.2, 0], [0, 0.2, 1e-9]], turns=2)
    gates = [[1e-5, 2e-5], [2e-5, 1 / 3e4]]
    pulses = {"pulse": 2e-4, "ramp": 0.0, "receiver_tau": 1e-6, "gates": gates}
    trains = [
        PulseTrain(half_period=1e-3, **pulses),
        PulseTrain(half_period=1e-3, polarity="unipolar", **pulses),
        PulseTrain(polarity="single", **{**pulses, "pulse": np.inf}),
        ContinuousWave(frequencies=[1e3, 2e4 / 3], demodulator_tau=0.01),
    ]
    coil = (loop, square)
    yield from (Head(transmitter=coil, receiver=coil, excitation=x) for x in trains)
    yield Head(transmitter=(loop,), receiver=(square,), excitation=trains[0], height=np.pi)


def test_every_head_comes_back(tmp_path):
    """One for all channels, or one for each, with complex samples or real ones."""
    heads = list(every_head())
    alike = {"lever_arms": np.zeros((2, 3)), "name": "array", "kind": "emi"}
    sensors = [Sensor(axis=[1.0, 2.0], head=head, **alike) for head in heads]
    sensors.append(Sensor(axis=[1.0, 2.0], heads=(heads[0], heads[4]), **alike))
    sensors.append(
        Sensor(axis=[1.0, 2.0], axis_unit="Hz", head=heads[3], is_complex=True, **alike)
    )
    sweeps = [make_sweep(np.ones((3, *one.shape)), sensor=one) for one in sensors]
    save_sweeps(tmp_path, sweeps)
    for found, sweep in zip(load_sweeps(tmp_path), sweeps, strict=True):
        assert_same(found, sweep)
        for a, b in zip(found.sensor.channel_heads, sweep.sensor.channel_heads, strict=True):
            assert (a.receiver is a.transmitter) == (b.receiver is b.transmitter)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda head: head.update(receiver=[]), "receiver"),
        (lambda head: head.update(receiver=[3]), "unknown field 'sensor.head.receiver.0'"),
        (lambda head: head.update(receiver=3), "receiver 3. Must be a tuple"),
        (lambda head: head["receiver"][0].update(type="Radar"), "unknown field"),
        (lambda head: head.update(excitation=head["receiver"][0]), "Must be a PulseTrain"),
        (lambda head: head["receiver"][0].update(turns=0.0), "turns"),
    ],
)
def test_inconsistent_heads(tmp_path, change, match):
    (path,) = save_sweeps(tmp_path, [coil_sweep()])
    rewrite(path, lambda header, arrays: change(header["sensor"]["head"]))
    with pytest.raises(FormatError, match=match):
        load_sweeps(tmp_path)


def test_many_keep_their_order(tmp_path):
    sweeps = [make_sweep(np.full((2, 2, 4), k), lane=f"lane {k}") for k in range(12)]
    save_sweeps(tmp_path, iter(sweeps))
    assert [s.lane for s in load_sweeps(tmp_path)] == [s.lane for s in sweeps]


def test_same_sweeps_give_the_same_bytes(tmp_path):
    sweep = radar_sweep()
    (a,) = save_sweeps(tmp_path / "a", [sweep])
    (b,) = save_sweeps(tmp_path / "b", [sweep])
    assert a.read_bytes() == b.read_bytes()


def test_nothing_is_overwritten_unasked(tmp_path):
    save_sweeps(tmp_path, [radar_sweep(), coil_sweep()])
    with pytest.raises(FileExistsError, match="Pass overwrite=True"):
        save_sweeps(tmp_path, [coil_sweep()])
    assert len(load_sweeps(tmp_path)) == 2
    save_sweeps(tmp_path, [coil_sweep()], overwrite=True)
    assert [s.sensor.kind for s in load_sweeps(tmp_path)] == ["emi"]
    assert len(list(tmp_path.glob("*.npz"))) == 1


def test_a_store_cut_short_is_noticed(tmp_path):
    """A writer that fails half way leaves no index; a lost lane is an error."""
    with pytest.raises(TypeError, match="Must be a Sweep"):
        save_sweeps(tmp_path, [radar_sweep(), "sweep"])
    assert len(list(tmp_path.glob("*.npz"))) == 1
    with pytest.raises(FormatError, match=r"no index\.json"):
        load_sweeps(tmp_path)
    first, _ = save_sweeps(tmp_path, [radar_sweep(), coil_sweep()], overwrite=True)
    first.unlink()
    with pytest.raises(FormatError, match="FileNotFoundError"):
        load_sweeps(tmp_path)


@pytest.mark.parametrize(
    "index",
    [
        "",
        "[]",
        "{}",
        '{"format": "minesense sweeps", "version": 1, "files": []}',
        '{"format": "minesense sweeps", "version": 2, "files": 3}',
        '{"format": "minesense sweeps", "version": 2, "files": ["../x.npz"]}',
        '{"format": "minesense sweeps", "version": 2, "files": [1]}',
        "[" * 100000,
    ],
)
def test_foreign_index(tmp_path, index):
    (tmp_path / "index.json").write_text(index)
    with pytest.raises(FormatError, match=r"index\.json"):
        load_sweeps(tmp_path)


def rewrite(path, change):
    """Rewrite the arrays of a store file after a change."""
    with np.load(path, allow_pickle=False) as archive:
        arrays = dict(archive)
    header = json.loads(arrays["header"].tobytes())
    change(header, arrays)
    arrays["header"] = np.frombuffer(json.dumps(header).encode(), np.uint8)
    np.savez(path, **arrays)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda h, a: h.update(format="other"), "no header of a sweep"),
        (lambda h, a: h.update(version=1), "version 1"),
        (lambda h, a: h.update(lane=3), "not text"),
        (lambda h, a: h.update(history=[3]), "not text"),
        (lambda h, a: h.pop("frame"), "KeyError"),
        (lambda h, a: h["sensor"].update(type="Frame"), "no Sensor"),
        (lambda h, a: h["sensor"].update(colour="red"), "unknown field 'sensor.colour'"),
        (lambda h, a: h["sensor"].update(kind="sonar"), "sonar"),
        (lambda h, a: h["sensor"]["radar"].update(centre_frequency=-1.0), "centre_frequency"),
        (lambda h, a: h["sensor"].update(radar={"type": "os"}), "unknown field"),
        (lambda h, a: a.pop("time"), "KeyError"),
        (lambda h, a: a.pop("sensor.axis"), "axis"),
        (lambda h, a: a.update(time=a["time"][::-1].copy()), "strictly increasing"),
        (lambda h, a: a.update(samples=a["samples"].astype(float)), "float64"),
        (lambda h, a: a.update(samples=a["samples"][:, :, :2]), "Invalid samples"),
        (lambda h, a: a.update(quality=np.zeros(6, np.int64)), "NaN"),
        (lambda h, a: a.update(time=np.array(["x"] * 6)), "of type <U1"),
    ],
)
def test_inconsistent_files(tmp_path, change, match):
    (path,) = save_sweeps(tmp_path, [radar_sweep()])
    rewrite(path, change)
    with pytest.raises(FormatError, match=match):
        load_sweeps(tmp_path)


def test_objects_are_never_unpickled(tmp_path):
    (path,) = save_sweeps(tmp_path, [radar_sweep()])
    with np.load(path) as archive:
        arrays = dict(archive)
    arrays["time"] = np.array([object] * 6)
    np.savez(path, **arrays)
    with pytest.raises(FormatError, match="of type object"):
        load_sweeps(tmp_path)


def test_declared_sizes_are_compared_with_the_file(tmp_path):
    """A small archive that unfolds to gigabytes, or an array that claims them."""
    (path,) = save_sweeps(tmp_path, [radar_sweep()])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("samples.npy", bytes(80 * 2**20))
    with pytest.raises(FormatError, match="bytes declared"):
        load_sweep(path)
    buffer = io.BytesIO()
    header = {"descr": "<f4", "fortran_order": False, "shape": (10**12, 2, 4)}
    np.lib.format.write_array_header_1_0(buffer, header)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("samples.npy", buffer.getvalue() + bytes(64))
    with pytest.raises(FormatError, match="in 64 bytes"):
        load_sweep(path)


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """Return a store file as bytes."""
    (path,) = save_sweeps(tmp_path_factory.mktemp("store"), [radar_sweep()])
    return path.read_bytes()


def test_every_prefix_is_refused(tmp_path, packed):
    path = tmp_path / "a.npz"
    for n in range(0, len(packed), 7):
        path.write_bytes(packed[:n])
        with pytest.raises(FormatError):
            load_sweep(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=400)
@given(place=st.integers(0, 10**6), value=st.integers(0, 255))
def test_a_changed_byte_changes_no_sample(tmp_path, packed, place, value):
    """It is noticed, or was none of the content."""
    path = tmp_path / "a.npz"
    path.write_bytes(packed)
    original = load_sweep(path)
    data = bytearray(packed)
    data[place % len(data)] = value
    path.write_bytes(data)
    try:
        found = load_sweep(path)
    except FormatError:
        return
    assert_same(found, original)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=300))
def test_random_bytes_are_refused(tmp_path, data):
    path = tmp_path / "a.npz"
    for head in (b"", b"PK\x03\x04", b"PK\x05\x06"):
        path.write_bytes(head + data)
        with pytest.raises(FormatError):
            load_sweep(path)
