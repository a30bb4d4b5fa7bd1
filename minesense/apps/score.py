"""The command ``minesense score``."""

from __future__ import annotations

import zipfile
from argparse import Namespace
from pathlib import Path

import numpy as np

from ..coverage import Coverage
from ..io import read_alarms
from ..score import Halo, random_alarms, score
from .fieldfolder import read_truth
from .files import read_json, write_json


def run(options: Namespace) -> str:
    """
    Score alarms against the truth.

    Parameters
    ----------
    options : argparse.Namespace
        Of the command line.

    Returns
    -------
    text : str
        The table, and where the JSON file is.
    """
    path = Path(options.alarms)
    alarms = read_alarms(path)
    truth = read_truth(options.truth)
    coverage = read_coverage(Path(options.coverage or path.parent / "coverage.npz"))
    threshold = options.threshold
    if threshold is None:
        threshold = _stated_threshold(path.parent / "quality.json")
    lanes = set(coverage.lanes)
    truth = truth.only(lanes)
    halo = Halo(kind="handheld", radius=options.halo)
    rng = np.random.default_rng(options.seed)
    found = score(alarms, truth, coverage, threshold=threshold, halo=halo, rng=rng)
    marks = random_alarms(coverage, 1.0, np.random.default_rng(options.seed))
    random = score(marks, truth, coverage, threshold=0.5, halo=halo, curve=False)
    write_json(Path(options.output), {**found.to_dict(), "random_baseline": random.to_dict()})
    return (
        f"{found}\n\nbaseline of random marks, half a mark per m^2: Pd "
        f"{random.pd_swept.k}/{random.pd_swept.n}\nwrote {options.output}"
    )


def read_coverage(path: Path) -> Coverage:
    """
    Read which ground was observed.

    Parameters
    ----------
    path : Path
        coverage.npz of ``minesense detect``.

    Returns
    -------
    coverage : Coverage
        The grid.

    Raises
    ------
    ValueError
        If the file is not of this form.
    OSError
        If it cannot be read.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return Coverage.from_arrays({name: arrays[name] for name in arrays.files})
    except (ValueError, KeyError, EOFError, AttributeError, zipfile.BadZipFile) as error:
        msg = f"Invalid coverage '{path}': {error}. Must be a coverage.npz of minesense detect."
        raise ValueError(msg) from None


def _stated_threshold(path: Path) -> float:
    """Return the threshold that was stated when the alarms were made."""
    if not path.exists():
        msg = (
            f"Invalid --threshold: not given, and '{path}' does not exist. Must be one of both."
        )
        raise ValueError(msg)
    threshold = read_json(path).get("threshold")
    if not isinstance(threshold, (int, float)):
        msg = f"Invalid threshold {threshold!r} in '{path}'. Must be a number."
        raise ValueError(msg)
    return float(threshold)
