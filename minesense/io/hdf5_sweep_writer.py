"""Write sweeps as plain arrays in HDF5, in the layout of :mod:`minesense.io.hdf5_sweep`."""

from __future__ import annotations

import json
import os
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..sensor_document import sensor_document
from ..sweep import Sweep
from .hdf5_access import require_h5py
from .hdf5_sweep import FORMAT, VERSION, read_hdf5_sweeps
from .sweep_file import sweeps_of

_TEXT = 60_000  # bytes that one attribute of HDF5 holds


def write_hdf5_sweeps(
    source: Any, path: str | Path, *, overwrite: bool = False, compression: bool = True
) -> Path:
    """
    Write sweeps as plain arrays in HDF5.

    Parameters
    ----------
    source : Sweep, iterable of Sweep, or what a reader returns
        A recording is written as its :meth:`to_sweep`, a sweep over frequency as its tones.
    path : str or Path
        The file.
    overwrite : bool, optional
        Whether a file of that name is replaced.
    compression : bool, optional
        Whether samples are compressed, without loss.

    Returns
    -------
    path : Path
        The file, read back and compared before it got its name. The same sweeps give the same
        arrays and attributes, of which none is a clock.

    Raises
    ------
    FileExistsError
        If the file exists and `overwrite` is False.
    ImportError
        If h5py is not installed.
    TypeError, ValueError
        If there is no sweep.

    Examples
    --------
    >>> import tempfile
    >>> from minesense.sensor import Sensor
    >>> sensor = Sensor(name="coil", kind="emi", axis=[1e-4], lever_arms=[[0, 0, 0]])
    >>> sweep = Sweep(
    ...     samples=np.ones((2, 1, 1)),
    ...     time=[0.0, 0.1],
    ...     position=[[0, 0, 0], [0, 1, 0]],
    ...     heading=[0, 0],
    ...     sensor=sensor,
    ...     lane="A",
    ... )
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = write_hdf5_sweeps(sweep, Path(folder) / "lane.h5")
    ...     read_hdf5_sweeps(file).to_sweep().lane
    'A'
    """
    path = Path(path)
    sweeps = sweeps_of(source)
    if path.exists() and not overwrite:
        msg = f"Invalid path '{path}': it exists. Pass overwrite=True to replace it."
        raise FileExistsError(msg)
    require_h5py("Writing")
    import h5py  # noqa: PLC0415 - an extra

    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    os.close(handle)
    beside = Path(name)
    try:
        with h5py.File(beside, "w", track_order=False) as file:
            file.attrs["format"], file.attrs["version"] = FORMAT, VERSION
            width = len(str(len(sweeps) - 1))
            for k, sweep in enumerate(sweeps):
                _write_group(
                    file.create_group(f"{k:0{width}d}"), sweep, compression=compression
                )
        _compare(beside, sweeps)
        with beside.open("rb+") as written:
            os.fsync(written.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    return path


def _write_group(group: Any, sweep: Sweep, *, compression: bool) -> None:
    """Write one sweep."""
    sensor = sweep.sensor
    samples: npt.NDArray[Any] = sweep.phasors if sensor.is_complex else sweep.samples
    how: dict[str, Any] = {}
    if compression and samples.size:
        rows = max(1, min(len(samples), 2**18 // max(1, samples[0].nbytes)))
        chunks = (rows, *samples.shape[1:])
        how = {"chunks": chunks, "shuffle": True, "compression": "gzip", "compression_opts": 4}
    group.create_dataset("samples", data=samples, track_times=False, **how)
    for name in ("time", "position", "heading", "quality"):
        group.create_dataset(name, data=getattr(sweep, name), track_times=False)
    group.create_dataset("axis", data=sensor.axis, track_times=False)
    group.create_dataset("lever_arms", data=sensor.lever_arms, track_times=False)
    texts = {
        "kind": sensor.kind,
        "axis_unit": sensor.axis_unit,
        "unit": sensor.unit,
        "quantity": sensor.quantity,
        "sensor": sensor.name,
        "lane": sweep.lane,
        "crs": sweep.frame.crs,
        "origin": sweep.frame.origin,
    }
    group.attrs.update(texts)
    if sensor.radar is not None:
        group.attrs["centre_frequency"] = sensor.radar.centre_frequency
        group.attrs["separation"] = sensor.radar.separation
        if sensor.radar.height is not None:
            group.attrs["height"] = sensor.radar.height
    document = json.dumps(sensor_document(sensor), sort_keys=True)
    if len(document) <= _TEXT:
        group.attrs["sensor_document"] = document
    elif sensor.channel_heads:
        msg = f"Invalid sensor '{sensor.name}': its heads take more text than HDF5 keeps."
        raise ValueError(msg)
    history = "\n".join(" ".join(line.split("\n")) for line in sweep.history)
    if len(history.encode("utf-8")) <= _TEXT:
        group.attrs["history"] = history
    else:
        data = np.frombuffer(history.encode("utf-8"), np.uint8)
        group.create_dataset("history", data=data, track_times=False)


def _compare(path: Path, sweeps: list[Sweep]) -> None:
    """Raise unless a file reads back as the sweeps."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        again = read_hdf5_sweeps(path, max_bytes=2**62).sweeps
    same = len(again) == len(sweeps) and all(
        np.array_equal(getattr(a, name), getattr(b, name), equal_nan=name != "quality")
        for a, b in zip(again, sweeps, strict=False)
        for name in ("samples", "time", "position", "heading", "quality")
    )
    if not same:
        msg = f"Writing '{path}' failed: the file does not read back as it was."
        raise OSError(msg)
