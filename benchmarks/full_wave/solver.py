"""Run gprMax out of process on the cells of a lane; give its fields the pulse of the cart."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.fdtd.gprmax import interpreter
from minesense.physics import ricker_spectrum

from .scenes import ALONG, ASIDE, CELL, DOWN, HEIGHT, SEPARATION, TRACES, UP, LaneScene, Medium

FREQUENCY = 1.5e9  #: Hz, of the Ricker pulse, as the cart's
COMPUTED = 10e-9  #: s; what comes later is left at zero, below the noise
_BLOCK = 23  # traces that share one grid
_DIRECT = 0.25  # amplitude of the direct wave at 1 m over that of the main lobe, as the cart's


def solve(scene: LaneScene, *, interval: float, n_samples: int) -> tuple[np.ndarray, str]:
    """
    Return what a pair of antennas receives along a lane, and the version of gprMax.

    Traces are (n_traces, n_samples), over the field of the source at 1 m as in
    :func:`minesense.physics.radar_traces`: a line source is scaled so that at the length
    of the path by a flat surface it is as strong as a point source.
    """
    air, step, version = _run(scene, slice(0, 1), is_empty=True)
    parts = []
    for first in range(0, len(TRACES), _BLOCK):
        fields, _, _ = _run(scene, slice(first, min(first + _BLOCK, len(TRACES))))
        parts.append(fields - air)
    axis = {"interval": interval, "n_samples": n_samples}
    return as_cart(np.concatenate(parts), step, **axis), version


def as_cart(fields: np.ndarray, step: float, *, interval: float, n_samples: int) -> np.ndarray:
    r"""
    Return fields of a line current as a cart's antennas would have recorded them.

    A current I in an endless wire radiates :math:`-\omega \mu_0 I H_0^{(2)}(k r) / 4`, far
    off :math:`\propto (i \omega)^{1/2} I e^{-ikr} r^{-1/2}`: divided by the square root, and
    moved by the delay of gprMax's pulse, it is the Ricker pulse that leaves one period after
    the start. Shielded antennas hear little of each other: a weak direct wave is added, the
    one in the fields must have been taken away.
    """
    n = 2 ** int(np.ceil(np.log2(4 * fields.shape[1])))
    f = np.fft.rfftfreq(n, step)
    spectrum = np.fft.rfft(_fade_out(fields), n, axis=1)
    filtered = np.zeros_like(spectrum)
    use = slice(1, int(np.searchsorted(f, 3 * FREQUENCY)))
    omega = 2 * np.pi * f[use]
    low = 1 - np.exp(-((f[use] / 0.12e9) ** 2))  # what a current of no net charge leaves out
    path = np.hypot(2 * HEIGHT, SEPARATION)
    # -omega mu_0 I H_0 / 4 with I of height 1 at the peak of its spectrum
    scale = -(4e-7 * np.pi / 4) * np.sqrt(2 * 299_792_458.0 / np.pi / path) * path
    shift = 1 / FREQUENCY - np.sqrt(2) / FREQUENCY
    filtered[:, use] = spectrum[:, use] * low * np.exp(-1j * omega * shift)
    filtered[:, use] /= scale * np.sqrt(1j * omega)
    times = interval * np.arange(n_samples)
    wave = np.exp(2j * np.pi * np.outer(f[use], times))
    traces = 2 / n * (filtered[:, use] @ wave).real
    return traces + _direct(times)


def _direct(times: np.ndarray) -> np.ndarray:
    """Return the direct wave of shielded antennas."""
    f = np.linspace(0, 3 * FREQUENCY, 400)[1:]
    delay = 1 / FREQUENCY + SEPARATION / 299_792_458.0
    wave = np.exp(2j * np.pi * np.outer(f, times - delay))
    pulse = 2 * f[0] * (ricker_spectrum(f, peak=FREQUENCY) @ wave).real
    return _DIRECT / SEPARATION * pulse


def _fade_out(fields: np.ndarray) -> np.ndarray:
    """Return fields that end softly."""
    n = fields.shape[1] // 10
    window = np.ones(fields.shape[1])
    window[-n:] = 0.5 + 0.5 * np.cos(np.pi * np.arange(n) / n)
    return fields * window


def _run(
    scene: LaneScene, traces: slice, *, is_empty: bool = False
) -> tuple[np.ndarray, float, str]:
    """Run gprMax for some traces that share one grid."""
    places = TRACES[traces]
    first = round((places[0] - ASIDE - (ALONG[0] - CELL / 2)) / CELL)
    width = round((places[-1] - places[0] + 2 * ASIDE) / CELL)
    cells = scene.cells[first : first + width]
    assert len(cells) == width
    if is_empty:
        cells = np.full_like(cells, -1)
    up = round((DOWN + HEIGHT) / CELL) * CELL
    start = round((ASIDE - SEPARATION / 2) / CELL) * CELL
    move = round((TRACES[1] - TRACES[0]) / CELL) * CELL
    lines = [
        "#title: lane",
        f"#domain: {width * CELL:.6f} {DOWN + UP:.6f} {CELL}",
        f"#dx_dy_dz: {CELL} {CELL} {CELL}",
        f"#time_window: {COMPUTED}",
        f"#waveform: ricker 1 {FREQUENCY} pulse",
        "#geometry_objects_read: 0 0 0 ground.h5 ground_media",
        f"#hertzian_dipole: z {start:.6f} {up:.6f} 0 pulse",
        f"#rx: {start + SEPARATION:.6f} {up:.6f} 0",
        f"#src_steps: {move:.6f} 0 0",
        f"#rx_steps: {move:.6f} 0 0",
    ]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "model.in").write_text("\n".join(lines) + "\n")
        _write_cells(folder, cells, scene.media)
        return _execute(folder, len(places))


def _write_cells(folder: Path, cells: np.ndarray, media: tuple[Medium, ...]) -> None:
    """Write cells and media as gprMax 4 reads them."""
    import h5py  # noqa: PLC0415  comes with gprMax

    names = [f"medium_{k:03d}" for k in range(len(media))]
    with h5py.File(folder / "ground.h5", "w") as file:
        file.attrs["Title"] = "ground"
        file.attrs["gprMax"] = "4"
        file.attrs["dx_dy_dz"] = (CELL,) * 3
        file.attrs["MaterialDatabase"] = "ground_media"
        file.attrs["MaterialDatabaseSchemaVersion"] = 1
        file["data"] = cells[:, :, None].astype(np.int16)
        file["material_keys"] = np.array(names, dtype="S")
    document = {
        "schema": "gprMax-material-database",
        "schema_version": 1,
        "database": {
            "id": "ground_media", "name": "ground", "version": "1.0.0", "description": "ground",
        },
        "materials": dict(zip(names, map(_describe, names, media), strict=True)),
    }  # fmt: skip
    (folder / "ground_media.json").write_text(json.dumps(document))


def _describe(name: str, medium: Medium) -> dict:
    """Return a medium as gprMax 4 reads it."""
    entry = {
        "name": name,
        "model": "debye" if medium.delta else "constant",
        "base": {
            "relative_permittivity": medium.permittivity,
            "electric_conductivity_s_per_m": medium.conductivity,
            "relative_permeability": 1.0,
            "magnetic_conductivity_s_per_m": 0.0,
        },
    }
    if medium.delta:
        pole = {"relative_permittivity_difference": medium.delta}
        entry["poles"] = [{**pole, "relaxation_time_s": medium.relaxation_time}]
    return entry


def _execute(folder: Path, n: int) -> tuple[np.ndarray, float, str]:
    """Start gprMax and read the field at the receiver in every trace."""
    import h5py  # noqa: PLC0415  comes with gprMax

    command = [interpreter(), "-m", "gprMax", "model.in", "-n", str(n), "--hide-progress-bars"]
    # metal is a good conductor, in which no wave needs to be resolved
    command += ["--allow-underresolved", *(["--geometry-fixed"] if n > 1 else [])]
    env = dict(
        os.environ,
        OMP_NUM_THREADS=os.environ.get("OMP_NUM_THREADS", "1"),
        OMP_WAIT_POLICY="passive",
    )
    env.pop("PYTHONPATH", None)
    done = subprocess.run(
        command, env=env, cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode:
        msg = f"gprMax failed: {(done.stderr or done.stdout)[-500:]}"
        raise RuntimeError(msg)
    fields = []
    for name in ["model.h5"] if n == 1 else [f"model{i + 1}.h5" for i in range(n)]:
        with h5py.File(folder / name) as file:
            fields.append(file["rxs/rx1/Ez"][()].astype(np.float64))
            step, version = float(file.attrs["dt"]), str(file.attrs["gprMax"])
    return np.array(fields), step, version
