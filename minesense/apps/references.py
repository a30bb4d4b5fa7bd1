"""Recordings that simulated ground is put beside, and whether they can be compared."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..io import FormatWarning, load_sweeps, read
from ..sensor import Radar
from ..sweep import Sweep
from ..synthetic import Scenario
from ..synthetic.realism import is_soil

#: -10 dB band of a Ricker pulse, over its peak.
BAND = (0.365, 1.834)

#: Part of the name of an antenna in a header that is made for structures, and for which.
_STRUCTURES = {"SS MINI": "concrete"}

_MOST_TRACES = 2000
_MOST_SWEEPS = 4  # of a folder, of each kind of sensor
_FINEST = 0.005  # m between traces: the step of the simulator's path
_CLIPPED = 0.1  # share of traces with a clipped sample above which the direct wave is


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reference:
    """One sweep of a recording, as it is compared."""

    name: str  #: file, and lane and sensor where it holds several
    sweep: Sweep  #: thinned and cut as `notes` say
    ground: str | None  #: what it was made on, if known
    is_synthetic: bool  #: whether a simulator made it
    is_clipped: bool  #: whether samples are at a limit in many traces
    notes: tuple[str, ...]  #: what was done to it, and what the reader warned of


def read_references(
    path: str,
    *,
    spacing: float | None = None,
    frequency: float | None = None,
    ground: str | None = None,
) -> list[Reference]:
    """
    Read what simulated ground is put beside.

    Parameters
    ----------
    path : str
        A recording (DZT, DT1), a folder of sweeps, or one of ``minesense simulate``.
    spacing : float, optional
        Metres between traces of a recording, instead of what the file says.
    frequency : float, optional
        Centre frequency of a recording, Hz, instead of what the file says.
    ground : str, optional
        What it was made on. Unless given, an antenna for structures stands for concrete.

    Returns
    -------
    references : list of Reference
        One for each sweep; of a folder the first four of each kind of sensor. Radar traces
        closer than the 5 mm of the simulator's path are thinned, and no more than 2000 kept.

    Raises
    ------
    ValueError
        If the file is not a recording that can be read, or the folder holds no sweeps.
    OSError
        If it cannot be read.
    """
    where = Path(path)
    if not where.is_dir():
        return [_recording(where, spacing=spacing, frequency=frequency, ground=ground)]
    inner = where / "sweeps"
    sweeps = load_sweeps(inner if inner.is_dir() else where)
    found: list[Reference] = []
    for kind in ("gpr", "emi"):
        chosen = [sweep for sweep in sweeps if sweep.sensor.kind == kind]
        for sweep in chosen[:_MOST_SWEEPS]:
            notes = [f"the first {_MOST_SWEEPS} of {len(chosen)} sweeps of such a sensor"]
            found.append(
                _reference(
                    f"{where.name}: {sweep.lane}, {sweep.sensor.name}",
                    sweep,
                    ground=ground,
                    notes=notes if len(chosen) > _MOST_SWEEPS else [],
                )
            )
    if not found:
        msg = f"Invalid reference '{path}': no sweeps. Must hold at least one."
        raise ValueError(msg)
    return found


def why_not(reference: Reference, recipe: Scenario, radar: Radar | None) -> str:
    """
    Tell why a radar recording cannot be compared with a scenario.

    Parameters
    ----------
    reference : Reference
        Of a radar.
    recipe : Scenario
        Whose soils are simulated.
    radar : Radar or None
        That of the scenario's platform, for which the soils were made.

    Returns
    -------
    why : str
        Empty if it can.
    """
    if reference.ground is not None and not is_soil(reference.ground, recipe):
        return f"{reference.ground} is no soil of the simulator"
    if radar is None:
        return "the platform of the scenario has no radar"
    own = reference.sweep.sensor.radar
    if own is None:
        return "its centre frequency is not known"
    low, high = common_band(own, radar)
    if low >= high:
        return (
            f"an antenna of {1e-6 * own.centre_frequency:.4g} MHz has no band in common with "
            f"the radar of the scenario, {1e-9 * radar.centre_frequency:.3g} GHz"
        )
    return ""


def common_band(one: Radar, other: Radar) -> tuple[float, float]:
    """
    Return the frequencies that two radars have in common.

    Parameters
    ----------
    one, other : Radar
        Of which the centre frequencies count.

    Returns
    -------
    low, high : float
        Hz, of the -10 dB bands of Ricker pulses; `low` is above `high` if there are none.

    Examples
    --------
    >>> from minesense.apps.references import common_band
    >>> from minesense.sensor import Radar
    >>> low, high = common_band(Radar(centre_frequency=4e8), Radar(centre_frequency=1.5e9))
    >>> round(low / 1e6), round(high / 1e6)
    (548, 734)
    """
    frequencies = (one.centre_frequency, other.centre_frequency)
    return BAND[0] * max(frequencies), BAND[1] * min(frequencies)


def _recording(
    path: Path, *, spacing: float | None, frequency: float | None, ground: str | None
) -> Reference:
    """Read one recording."""
    overrides: dict[str, Any] = {} if spacing is None else {"spacing": spacing}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", FormatWarning)
        recording = read(path, **overrides)
        sweep = recording.to_sweep(lane=path.stem, centre_frequency=frequency)
    antenna = str(recording.header.get("antenna") or "").upper()
    told = [" ".join(str(warning.message).split()) for warning in caught]
    notes = [note.replace(f"{path}", path.name) for note in told]
    for name, made_for in _STRUCTURES.items():
        if name in antenna and ground is None:
            ground = made_for
            notes.append(f"antenna '{antenna}' is made for {made_for}, which is taken for it")
    clipped = float((recording.n_clipped > 0).any(axis=1).mean()) if len(sweep) else 0.0
    return _reference(
        path.name, sweep, ground=ground, notes=notes, is_clipped=clipped > _CLIPPED
    )


def _reference(
    name: str,
    sweep: Sweep,
    *,
    ground: str | None,
    notes: Sequence[str],
    is_clipped: bool = False,
) -> Reference:
    """Return a sweep as it is compared."""
    notes = list(notes)
    if sweep.sensor.kind == "gpr":
        steps = np.hypot(*np.diff(sweep.position[:, :2], axis=0).T)
        steps = steps[np.isfinite(steps) & (steps > 0)]
        spacing = float(np.median(steps)) if len(steps) else math.inf
        thinning = math.ceil(_FINEST / spacing - 1e-6)
        if thinning > 1:
            notes.append(f"every {thinning}th trace, {1e3 * thinning * spacing:.3g} mm apart")
            sweep = sweep[::thinning]
    if len(sweep) > _MOST_TRACES:
        notes.append(f"the first {_MOST_TRACES} of {len(sweep)} traces")
        sweep = sweep[:_MOST_TRACES]
    return Reference(
        name=name,
        sweep=sweep,
        ground=ground,
        is_synthetic=any(line.startswith("SYNTHETIC") for line in sweep.history),
        is_clipped=is_clipped,
        notes=tuple(dict.fromkeys(notes)),
    )
