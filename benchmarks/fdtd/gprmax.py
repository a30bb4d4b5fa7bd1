"""Run gprMax out of process: write an input file, start it, read the fields it wrote."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .scenes import Scene, Target

#: m around what matters: to the absorbing edge, and that edge itself (10 cells).
_MARGIN = 0.05
#: m of ground and of width that every model has, so that most share one grid.
_GROUND, _WIDTH = 0.24, 0.24


@dataclass(frozen=True, kw_only=True)
class Run:
    """What a run gave: one field for each trace, and what it cost."""

    traces: np.ndarray  #: (n_traces, n_steps), V/m along the dipoles
    step: float  #: s
    seconds: float
    version: str


def interpreter() -> str:
    """Return the Python that has gprMax: MINESENSE_GPRMAX, or this one."""
    return os.environ.get("MINESENSE_GPRMAX", sys.executable)


def has_gprmax() -> bool:
    """Tell whether that Python has it."""
    probe = [interpreter(), "-c", "import gprMax"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


def grid_of(scene: Scene) -> tuple[float, float]:
    """Return the width and the depth of ground of a model, m."""
    target = scene.target
    if target is None:
        return _WIDTH, _GROUND
    width = max(*target.size[:2], scene.separation) + 2 * _MARGIN + 0.02
    ground = scene.depth + target.size[2] + _MARGIN
    return (
        _round(max(_WIDTH, width), 2 * scene.cell),
        _round(max(_GROUND, ground), scene.cell),
    )


def run_single(
    scene: Scene,
    *,
    soil: bool = True,
    body: bool = True,
    window: float | None = None,
    threads: int = 2,
) -> Run:
    """
    Compute one trace in three dimensions, antennas over the middle of the target.

    Without its body a scene is empty on the same grid; without soil it is air.
    """
    target, cell = scene.target, scene.cell
    width, ground = grid_of(scene)
    domain = (width, width, _round(ground + scene.height + _MARGIN + 0.01, cell))
    lines = _head(scene, domain, soil=soil, ground=ground, axis="z", window=window)
    middle = _round(width / 2, cell)
    if target and body:
        lines += _body(target, scene, middle, middle, ground - scene.depth, axis="z")
    half = _round(scene.separation / 2, cell)
    up = _round(ground + scene.height, cell)
    lines += [
        f"#hertzian_dipole: y {middle - half:.6f} {middle:.6f} {up:.6f} pulse",
        f"#rx: {middle + half:.6f} {middle:.6f} {up:.6f}",
    ]
    return _execute(lines, "Ey", 1, threads)


def run_lane(
    scene: Scene,
    positions: np.ndarray,
    *,
    soil: bool = True,
    body: bool = True,
    window: float | None = None,
    threads: int = 2,
) -> Run:
    """
    Compute a lane in two dimensions: everything is endless across the lane.

    Positions of the middle of the antennas are regular, in m from above the target.
    """
    cell, half = scene.cell, _round(scene.separation / 2, scene.cell)
    reach = max(-positions[0], positions[-1]) + half + _MARGIN + 0.02
    middle = _round(reach, cell)
    target = scene.target
    _, ground = grid_of(scene)
    up = _round(ground + scene.height, cell)
    domain = (2 * middle, _round(up + _MARGIN + 0.01, cell), cell)
    lines = _head(scene, domain, soil=soil, ground=ground, axis="y", window=window)
    if target and body:
        lines += _body(target, scene, middle, 0.0, ground - scene.depth, axis="y")
    start = _round(middle + positions[0], cell)
    move = _round(positions[1] - positions[0], cell) if len(positions) > 1 else 0.0
    lines += [
        f"#hertzian_dipole: z {start - half:.6f} {up:.6f} 0 pulse",
        f"#rx: {start + half:.6f} {up:.6f} 0",
        f"#src_steps: {move:.6f} 0 0",
        f"#rx_steps: {move:.6f} 0 0",
    ]
    return _execute(lines, "Ez", len(positions), threads)


def source_spectrum(frequency: np.ndarray, scene: Scene, length: float) -> np.ndarray:
    """
    Return the far field of gprMax's source at 1 m without its phase, V/m/Hz.

    A current of a Ricker pulse, delayed by the square root of 2 over its frequency, in a
    short wire (in two dimensions an endless one, whose length counts per metre).
    """
    peak = scene.frequency
    current = 2 / np.sqrt(np.pi) * frequency**2 / peak**3 * np.exp(-((frequency / peak) ** 2))
    delay = np.exp(-2j * np.pi * frequency * np.sqrt(2) / peak)
    return -1j * 2 * np.pi * frequency * 1e-7 * current * length * delay


def _round(length: float, cell: float) -> float:
    """Return a length that is a whole number of cells."""
    return round(length / cell) * cell


def _head(
    scene: Scene, domain: tuple, *, soil: bool, ground: float, axis: str, window: float | None
) -> list[str]:
    """Return the lines of the grid, the media and the ground."""
    x, y, z = domain
    cell, medium = scene.cell, scene.soil
    far = f"{x:.6f} {y:.6f} {ground:.6f}" if axis == "z" else f"{x:.6f} {ground:.6f} {z:.6f}"
    lines = [
        f"#domain: {x:.6f} {y:.6f} {z:.6f}",
        f"#dx_dy_dz: {cell} {cell} {cell}",
        f"#time_window: {window or scene.window}",
        f"#waveform: ricker 1 {scene.frequency} pulse",
        f"#material: {medium.optical} {medium.conductivity} 1 0 soil",
    ]
    if medium.static > medium.optical:
        delta = medium.static - medium.optical
        lines.append(f"#add_dispersion_debye: 1 {delta} {medium.relaxation_time} soil")
    if soil:
        lines.append(f"#box: 0 0 0 {far} soil")
    return lines


def _body(
    target: Target, scene: Scene, x: float, y: float, top: float, *, axis: str
) -> list[str]:
    """Return the lines of a target whose top is at `top` along the upward axis."""
    length, width, height = target.size
    if target.model:
        return _shipped(target, scene, x, y, top)
    if target.shape == "sphere":
        material, lines = _material(target.permittivity, "body")
        radius = length / 2
        if axis == "z":
            shape = f"#sphere: {x:.6f} {y:.6f} {top - radius:.6f} {radius:.6f} {material}"
        else:
            centre = f"{x:.6f} {top - radius:.6f}"
            shape = f"#cylinder: {centre} 0 {centre} {scene.cell} {radius:.6f} {material}"
        return [*lines, shape]
    lines, down = [], top
    for k, (thickness, eps) in enumerate(target.layers or ((height, np.inf),)):
        material, new = _material(eps, f"layer{k}")
        lines += new
        low = down - thickness
        if axis == "y":
            ends = f"{x - length / 2:.6f} {low:.6f} 0 {x + length / 2:.6f} {down:.6f}"
            lines.append(f"#box: {ends} {scene.cell} {material}")
        elif target.shape == "disc":
            ends = f"{x:.6f} {y:.6f} {low:.6f} {x:.6f} {y:.6f} {down:.6f}"
            lines.append(f"#cylinder: {ends} {length / 2:.6f} {material}")
        else:
            start = f"{x - length / 2:.6f} {y - width / 2:.6f} {low:.6f}"
            stop = f"{x + length / 2:.6f} {y + width / 2:.6f} {down:.6f}"
            lines.append(f"#box: {start} {stop} {material}")
        down = low
    return lines


def _material(eps: float, name: str) -> tuple[str, list[str]]:
    """Return what a medium is called, and the line that makes it."""
    if np.isinf(eps):
        return "pec", []
    return name, [f"#material: {eps} 0 1 0 {name}"]


def _shipped(target: Target, scene: Scene, x: float, y: float, top: float) -> list[str]:
    """Return the line that reads a mine model which comes with gprMax."""
    millimetres = round(1e3 * scene.cell)
    if millimetres not in (1, 2):
        msg = f"Invalid cell '{scene.cell}'. Must be 1 or 2 mm for a model of gprMax."
        raise ValueError(msg)
    # extents of the stored voxels, m (physics of the models is not touched)
    size = {
        "PMN": (0.116, 0.156, 0.048),
        "PMA": (0.140, 0.064, 0.032),
        "TS50": (0.090, 0.090, 0.044),
        "can": (0.076, 0.076, 0.108),
    }[target.model]
    # the round part of the PMN lies 74 mm from the end of its box, not in its middle
    middle = 0.074 if target.model == "PMN" else size[1] / 2
    corner = (x - size[0] / 2, y - middle, top - size[2])
    place = " ".join(f"{_round(c, scene.cell):.6f}" for c in corner)
    name = f"{target.model}_{millimetres}x{millimetres}x{millimetres}.h5"
    return [f"#geometry_objects_read: {place} {name} {target.model}_materials"]


def _models() -> Path:
    """Return the folder of the mine models that come with gprMax; they stay there."""
    ask = "import gprMax, pathlib; print(pathlib.Path(gprMax.__file__).parent)"
    command = [interpreter(), "-c", ask]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    return Path(found.stdout.strip().splitlines()[-1]) / "toolboxes" / "LandmineModels"


def _execute(lines: list[str], component: str, n: int, threads: int) -> Run:
    """Run gprMax on some lines and return the field at the receiver."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.in"
        path.write_text("\n".join(["#title: comparison", *lines]) + "\n")
        for model in {line.split()[-1] for line in lines if line.startswith("#geometry_obj")}:
            for shipped in _models().glob(f"{model.removesuffix('_materials')}_*"):
                shutil.copy(shipped, folder)
        command = [interpreter(), "-m", "gprMax", str(path), "-n", str(n)]
        command += ["--hide-progress-bars"]
        if n > 1:
            command += ["--geometry-fixed"]
        env = dict(os.environ, OMP_NUM_THREADS=str(threads), OMP_WAIT_POLICY="passive")
        start = time.perf_counter()
        done = subprocess.run(
            command, env=env, cwd=folder, capture_output=True, text=True, check=False
        )
        seconds = time.perf_counter() - start
        if done.returncode:
            msg = f"gprMax failed: {(done.stderr or done.stdout)[-500:]}"
            raise RuntimeError(msg)
        names = ["model.h5"] if n == 1 else [f"model{i + 1}.h5" for i in range(n)]
        fields = [_read(Path(folder) / name, component) for name in names]
    return Run(
        traces=np.array([field for field, _, _ in fields]),
        step=fields[0][1],
        seconds=seconds,
        version=fields[0][2],
    )


def _read(path: Path, component: str) -> tuple[np.ndarray, float, str]:
    """Return field, time step and version of one output file."""
    import h5py  # noqa: PLC0415  comes with gprMax

    with h5py.File(path) as file:
        field = file[f"rxs/rx1/{component}"][()].astype(np.float64)
        return field, float(file.attrs["dt"]), str(file.attrs["gprMax"])
