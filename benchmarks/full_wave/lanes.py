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

from .scenes import LENGTH, N_LANES, PITCH, TRACES, LaneScene

FOLDER = Path(__file__).parent / "data"
FULL_SCALE = 8.5  #: field over that of the source at 1 m, at which the stored numbers end
SPEED = 0.5  #: m/s, of the cart
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
