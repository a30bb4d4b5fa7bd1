"""Small recordings of every format that damaged ones are made from; all of them made up."""

from __future__ import annotations

import struct
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from minesense.io import Recording, write
from minesense.io.formats import Format, detect
from minesense.io.frequency_sweep import FrequencySweep, from_frequency_sweep
from minesense.io.rd3 import read_rd3
from minesense.io.sniff import HEAD

#: The files of one recording, names and bytes, the data file first.
Files = dict[str, bytes]

_HEADERS = (".hd", ".rad")  # of recordings, which are opened by their data files
_LARGEST = 2**16  # bytes of the files of a recording that is found in a folder


def starting_files(one: Format, samples: Path | None) -> list[Files]:
    """Return recordings of a format: written by its writer or here, or found in a folder."""
    cases: list[Files] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if one.writer and not one.writes_sweeps:
            for k, recording in enumerate(_recordings(folder)):
                target = folder / f"{k}" / f"a{one.suffixes[0]}"
                target.parent.mkdir()
                paths = write(recording, target, format=one.name, scale=1.0)
                cases.append({path.name: path.read_bytes() for path in paths})
        elif one.writer:
            source = _tones() if one.name == "touchstone" else _recordings(folder)[0].to_sweep()
            (path,) = write(source, folder / f"w{one.suffixes[0]}", format=one.name)
            cases.append({path.name: path.read_bytes()})
        cases += _WRITTEN_HERE.get(one.name, lambda _: [])(folder)
        for path in sorted(samples.rglob("*")) if samples else []:
            if path.is_file() and path.suffix.lower() not in _HEADERS:
                with path.open("rb") as file:
                    found = detect(file.read(HEAD), path)
                beside = [p for p in path.parent.glob(f"{path.stem}.*") if p != path]
                size = sum(p.stat().st_size for p in [path, *beside])
                if found is one and size < _LARGEST:
                    cases.append({p.name: p.read_bytes() for p in [path, *beside]})
    return cases


def _recordings(folder: Path) -> list[Recording]:
    """Return small recordings with positions and without."""
    rng = np.random.default_rng(seed=1)
    path = folder / "s.rd3"
    path.write_bytes(rng.integers(-9000, 9000, 12 * 20).astype("<i2").tobytes())
    (folder / "s.rad").write_bytes(
        b"SAMPLES:20\r\nFREQUENCY:1250.0\r\nDISTANCE INTERVAL:0.05\r\nLAST TRACE:12\r\n"
        b"MINESENSE MARKS:3 7\r\nMINESENSE DATE:2021-05-17\r\nANTENNAS:400 MHz\r\n"
    )
    recordings = [read_rd3(path, strict=False)]
    recordings.append(recordings[0][:1])
    return recordings


def _tones() -> FrequencySweep:
    """Return a reflection at two ports."""
    tones = np.linspace(1e9, 2e9, 8)
    echo = np.exp(-2j * np.pi * tones * 3e-9)
    names = ("S11", "S21", "S12", "S22")
    return from_frequency_sweep(tones, np.stack([echo] * 4)[None] / 2, parameters=names)


def _seg2(_: Path) -> list[Files]:
    """Return two traces of four samples, after the layout of the format's paper."""
    text = b"SAMPLE_INTERVAL 1e-10\0"
    strings = struct.pack("<H", 2 + len(text)) + text + b"\0\0"
    blocks, place = [], 32 + 8 + 2
    for k in range(2):
        head = struct.pack("<HHIIB", 0x4422, 32 + len(strings), 16, 4, 4) + bytes(19)
        blocks.append(head + strings + np.arange(k, k + 4, dtype="<f4").tobytes())
    pointers = struct.pack("<2I", place, place + len(blocks[0]))
    head = struct.pack("<4H", 0x3A55, 1, 8, 2) + b"\x01\x00\x00\x01\n\x00"
    return [{"a.sg2": head.ljust(32, b"\0") + pointers + b"\0\0" + b"".join(blocks)}]


def _skyhub(_: Path) -> list[Files]:
    """Return eight rows of a position log."""
    head = (
        b"Elapsed,Date,Time,Pitch,Roll,Heading,Latitude,Longitude,"
        b"Altitude,ALT:Altitude,RTK Status,GPR:Trace\n"
    )
    rows = (
        f"{100 * k},2023/05/17,12:00:{k:02d}.500,0,0,90,{45 + k * 1e-6:.7f},7.5,20,"
        f"2.5,ON,{k}\n".encode()
        for k in range(8)
    )
    return [{"a-position.csv": head + b"".join(rows)}]


def _vna(_: Path) -> list[Files]:
    """Return one sweep of a network analyser; its settings are in the name."""
    rows = b"S21_real,S21_imag\n0.1,0.2\n0.2,-0.1\n-0.1,0.3\n0.0,0.1\n"
    return [{"VNA_X10_Y20_OrX_Fs600M_Fe900M_Qf4_H100.csv": rows}]


def _table(_: Path) -> list[Files]:
    """Return a log with a decimal comma and its template, which is damaged as well."""
    columns = (
        ("date", "Datum", 'format = "dd.MM.yyyy"\n'),
        ("time", "Zeit", 'format = "HH:mm:ss,fff"\n'),
        ("latitude", "Breite", 'unit = "deg"\nheld = true\n'),
        ("longitude", "Laenge", 'unit = "deg"\n'),
        ("upward", "Hoehe", 'unit = "cm"\n'),
        ("fix", "Status", 'good = ["4"]\n'),
    )
    template = 'name = "cart"\nseparator = ";"\ndecimal = ","\ncomment = "%"\n'
    template += 'zone = "+03:00"\nmissing = ["---"]\n[sensor]\nname = "coils"\n'
    template += "axis = [5e-5]\nlever_arms = [[-0.2, 0.0, 0.1], [0.2, 0.0, 0.1]]\n"
    for role, name, rest in columns:
        template += f'[columns.{role}]\nname = "{name}"\n{rest}'
    for channel, name in enumerate("LR"):
        template += f'[[samples]]\nname = "{name}"\nunit = "mV"\nchannel = {channel}\n'
    rows = "% by hand\nDatum;Zeit;Breite;Laenge;Hoehe;Status;L;R;Note\n"
    for k in range(6):
        clock = f"03:00:{k // 2:02d},{5 * (k % 2)}00"
        rows += f"01.05.2024;{clock};45,00000{k}0;7,0;1{k},5;4;1,{k};-0,{k};bump\n"
    return [{"a.csv": rows.encode(), "a.toml": template.encode()}]


def _gprmax(folder: Path) -> list[Files]:
    """Return a model of one trace, and a merged section of three, of two generations."""
    import h5py  # noqa: PLC0415 - an extra

    found = []
    for k, shape in enumerate([(24,), (24, 3)]):
        path = folder / f"model{k}.out"
        with h5py.File(path, "w") as file:
            steps = [0.02, 0.0, 0.0] if k else [1, 0, 0]
            said = {"Iterations": 24, "dt": 4.7e-12, "nrx": 1, "rxsteps": steps}
            key = "dx, dy, dz" if k else "dx_dy_dz"
            for name, value in {**said, key: [0.002] * 3, "srcsteps": steps}.items():
                file.attrs[name] = value
            group = file.create_group("rxs/rx1")
            group.attrs["Position"] = [0.1, 0.2, 0.0]
            group["Ez"] = np.random.default_rng(k).normal(size=shape).astype("f4")
            file.create_group("srcs/src1").attrs["Position"] = [0.06, 0.2, 0.0]
        found.append({path.name: path.read_bytes()})
    return found


def _transients(folder: Path) -> list[Files]:
    """Return decays of three receivers over four gates."""
    import h5py  # noqa: PLC0415 - an extra

    names = ("ZA", "XA", "YD")
    table = np.zeros(4, [("GateTime", "f8"), *((name, "f8") for name in names)])
    table["GateTime"] = [0.1, 0.2, 0.4, 0.8]
    for k, name in enumerate(names):
        table[name] = 10.0 ** (k - np.arange(4))
    path = folder / "cued.h5"
    with h5py.File(path, "w") as file:
        dataset = file.create_dataset("Measurement/Transients", data=table)
        dataset.attrs["GateTimeUnit"] = "ms"
        file.attrs["Operator"] = "nobody"
    return [{path.name: path.read_bytes()}]


def _coil(folder: Path) -> list[Files]:
    """Return coils with fixes in a bag of ROS 1, and in both storages of ROS 2."""
    from rosbags.rosbag1 import Writer as Writer1  # noqa: PLC0415 - an extra
    from rosbags.rosbag2 import StoragePlugin, Writer  # noqa: PLC0415

    from minesense.io.bag_messages import COIL, FIX, make_typestore  # noqa: PLC0415

    found = []
    for kind in ("bag", "mcap", "db3"):
        store = make_typestore(ros1=kind == "bag")
        types = store.types
        path = folder / (f"log.{kind}" if kind == "bag" else f"log_{kind}")
        if kind == "bag":
            writer = Writer1(path)
        else:
            plugin = StoragePlugin.MCAP if kind == "mcap" else StoragePlugin.SQLITE3
            writer = Writer(path, version=9, storage_plugin=plugin)
        pack = store.serialize_ros1 if kind == "bag" else store.serialize_cdr
        with writer:
            coils = writer.add_connection("/coils", COIL, typestore=store)
            fixes = writer.add_connection("/fix", FIX, typestore=store)
            for k in range(6):
                stamp = types["builtin_interfaces/msg/Time"](sec=5, nanosec=k * 10**8)
                extra = {"seq": k} if kind == "bag" else {}
                header = types["std_msgs/msg/Header"](stamp=stamp, frame_id="a", **extra)
                coil = types[COIL](header=header, left_coil=0.1 * k, right_coil=1.0)
                writer.write(coils, 10**9 + 2 * k, bytes(pack(coil, COIL)))
                status = types["sensor_msgs/msg/NavSatStatus"](status=2, service=1)
                fix = types[FIX](
                    header=header, status=status, latitude=45.0 + 1e-6 * k, longitude=7.0,
                    altitude=3.0, position_covariance=np.zeros(9), position_covariance_type=0,
                )  # fmt: skip
                writer.write(fixes, 10**9 + 2 * k + 1, bytes(pack(fix, FIX)))
        paths = [path] if kind == "bag" else sorted(path.glob(f"*.{kind}"))
        found += [{one.name: one.read_bytes()} for one in paths]
    return found


#: Of formats that are read only, by their descriptions.
_WRITTEN_HERE: dict[str, Callable[[Path], list[Files]]] = {
    "seg2": _seg2,
    "skyhub": _skyhub,
    "vna": _vna,
    "table": _table,
    "gprmax": _gprmax,
    "transients": _transients,
    "coil": _coil,
}
