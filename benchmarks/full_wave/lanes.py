"""The stored lanes: written by `run`, read as sweeps of a one-channel cart with their truth."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import msgspec
import numpy as np

from minesense.sensor import Sensor
from minesense.sweep import Frame, Sweep
from minesense.synthetic import cart
from minesense.truth import Target, Truth

from .scenes import LENGTH, PITCH, TRACES, LaneScene

FOLDER = Path(__file__).parent / "data"
FULL_SCALE = 8.5  #: field over that of the source at 1 m, at which the stored numbers end
SPEED = 0.5  #: m/s, of the cart
WIDTH = 0.2  #: m, of the strip that counts as seen
_ERRORS = 20_261
_FRAME = Frame(crs="local", origin="SYNTHETIC: start of the first full-wave lane")


def radar() -> Sensor:
    """Return the radar of a cart with one pair of antennas."""
    return cart(n_antennas=1, n_coils=1, width=0.1).radar


AXIS = radar().axis  #: s


def lane_path(index: int, folder: Path = FOLDER) -> Path:
    """Return the file of a lane."""
    return folder / f"lane_{index + 1:02d}.npz"


def pack(path: Path, scene: LaneScene, fields: np.ndarray, *, version: str) -> None:
    """Keep a lane as 16-bit numbers, its truth beside it, and a digest of both."""
    path.parent.mkdir(exist_ok=True)
    numbers = np.rint(fields / FULL_SCALE * 32767)
    if np.abs(numbers).max() > 32767:
        msg = f"Invalid fields up to {np.abs(fields).max():g}. Must be at most {FULL_SCALE}."
        raise ValueError(msg)
    stored = numbers.astype(np.int16)
    truth = {
        "lane": scene.name,
        "soil": scene.soil,
        "moisture": round(scene.moisture, 4),
        "is_dispersive": scene.is_dispersive,
        "is_synthetic": True,
        "gprMax": version,
        "sha256": hashlib.sha256(stored.tobytes()).hexdigest(),
        "objects": msgspec.to_builtins(scene.objects),
    }
    path.with_suffix(".json").write_text(json.dumps(truth, indent=1) + "\n")
    np.savez_compressed(path, samples=stored)


def read_lane(index: int, folder: Path = FOLDER) -> tuple[Sweep, Truth]:
    """
    Return a stored lane as a cart would have recorded it, and what lies in it.

    The lane runs north from its northing 0, :data:`PITCH` east of the one before. Errors of
    an instrument are added here, from the index of the lane alone: noise, a slow change of
    gain, a jitter of time zero and a ringing of the antennas, of sizes that are this
    benchmark's own.
    """
    path = lane_path(index, folder)
    document = json.loads(path.with_suffix(".json").read_text())
    with np.load(path) as kept:
        numbers = kept["samples"]
    if hashlib.sha256(numbers.tobytes()).hexdigest() != document["sha256"]:
        msg = f"Invalid lane '{path.name}': its samples are not those of its digest."
        raise ValueError(msg)
    fields = numbers.astype(np.float64) * FULL_SCALE / 32767
    n = len(fields)
    position = np.zeros((n, 3))
    position[:, 0], position[:, 1] = PITCH * index, TRACES
    sweep = Sweep(
        samples=_recorded(fields, np.random.default_rng([_ERRORS, index]))[:, None, :],
        time=(TRACES - TRACES[0]) / SPEED,
        position=position,
        heading=np.zeros(n),
        sensor=radar(),
        lane=document["lane"],
        frame=_FRAME,
        history=("SYNTHETIC: gprMax in two dimensions",),
    )
    return sweep, Truth(objects=msgspec.convert(document["objects"], tuple[Target, ...]))


def read_lanes(folder: Path = FOLDER) -> tuple[list[Sweep], Truth]:
    """Return all lanes that are stored in a folder, and what lies in them."""
    indices = sorted(int(path.stem.removeprefix("lane_")) - 1 for path in folder.glob("*.npz"))
    found = [read_lane(i, folder) for i in indices]
    objects = tuple(item for _, truth in found for item in truth.objects)
    return [sweep for sweep, _ in found], Truth(objects=objects)


def area_of(sweep: Sweep) -> tuple[float, float, float, float, str]:
    """Return the scored part of a lane: a strip as wide as one pair of antennas sees."""
    east = float(sweep.position[0, 0])
    return (east - WIDTH / 2, 0.0, east + WIDTH / 2, LENGTH, sweep.lane)


def _recorded(fields: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return fields with the errors of an instrument."""
    n, n_samples = fields.shape
    peak = float(np.abs(fields).max())
    slow = np.cumsum(rng.normal(size=(2, n)), axis=1) / np.sqrt(n)
    frequency = np.fft.rfftfreq(n_samples, AXIS[1] - AXIS[0])
    delay = 3e-12 * rng.normal(size=n) + 5e-12 * slow[0]
    spectrum = np.fft.rfft(fields, axis=1) * np.exp(-2j * np.pi * np.outer(delay, frequency))
    traces = np.fft.irfft(spectrum, n_samples, axis=1) * (1 + 0.005 * slow[1])[:, None]
    since = np.maximum(AXIS - 1 / 1.5e9, 0)
    ring = np.cos(2 * np.pi * rng.uniform(0.5e9, 0.9e9) * since + rng.uniform(0, 2 * np.pi))
    traces += 0.002 * peak * ring * np.exp(-since / 1.5e-9) * (since > 0)
    return traces + 7.5e-4 * peak * rng.normal(size=traces.shape)
