"""
Open signal processing for humanitarian demining.

minesense turns sweeps of metal detectors and ground-penetrating radar into alarms with
calibrated probabilities, and proves itself on synthetic fields whose truth is known. It
is for research and decision support: "no alarm" means only that no threshold was crossed
in data that met the stated limits.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from ._version import __version__

if TYPE_CHECKING:
    from . import coverage, emi, gpr, io, physics, report, score, synthetic
    from .alarm import Alarm, Candidate
    from .detect import Detector
    from .gaps import split_at_gaps
    from .io import read
    from .sensor import Sensor
    from .stage import Pipeline, run_lane
    from .sweep import Quality, Sweep
    from .training import train
    from .truth import Target, Truth

# Loaded at first use: `import minesense` must stay fast and load no scikit-learn.
_MODULES = ("coverage", "emi", "gpr", "io", "physics", "report", "score", "synthetic")
_NAMES = {
    "Alarm": "alarm",
    "Candidate": "alarm",
    "Detector": "detect",
    "Pipeline": "stage",
    "Quality": "sweep",
    "Sensor": "sensor",
    "Sweep": "sweep",
    "Target": "truth",
    "Truth": "truth",
    "read": "io",
    "run_lane": "stage",
    "split_at_gaps": "gaps",
    "train": "training",
}

__all__ = [
    "Alarm",
    "Candidate",
    "Detector",
    "Pipeline",
    "Quality",
    "Sensor",
    "Sweep",
    "Target",
    "Truth",
    "__version__",
    "coverage",
    "emi",
    "gpr",
    "io",
    "physics",
    "read",
    "report",
    "run_lane",
    "score",
    "split_at_gaps",
    "synthetic",
    "train",
]


def __getattr__(name: str) -> Any:
    """Load a module or name of the first hour when it is first used."""
    if name in _MODULES:
        return importlib.import_module(f".{name}", __name__)
    if name in _NAMES:
        return getattr(importlib.import_module(f".{_NAMES[name]}", __name__), name)
    msg = f"module 'minesense' has no attribute {name!r}"
    raise AttributeError(msg)


def __dir__() -> list[str]:
    """List the names of the first hour, loaded or not."""
    return sorted(__all__)
