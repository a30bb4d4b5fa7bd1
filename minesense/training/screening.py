"""What prescreeners notice in training lanes: by settings, and by shapes that were learnt."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ..detect import KINDS, Detector, DetectorSettings, Recipe, Screened
from ..detect._one_thread import one_thread
from ..sweep import Sweep
from ..truth import Truth
from .copies import refuse_copies
from .shapes import learn_shapes


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class ScreenedLanes:
    """What prescreeners noticed in training lanes; several detectors may be trained on it."""

    settings: DetectorSettings
    sensors: Mapping[str, Mapping[str, Any]]  #: descriptions by kind
    lanes: Sequence[Mapping[str, Screened]]
    recorded: Mapping[str, str]  #: hash of what the sweeps recorded, by kind


def screen_lanes(
    sweeps: Iterable[Sweep],
    *,
    settings: DetectorSettings | None = None,
    recipe: Recipe | None = None,
    workers: int = 1,
    progress: Callable[[str], None] | None = None,
) -> ScreenedLanes:
    """
    Process training lanes as far as candidates; the first half of :func:`train`.

    Parameters
    ----------
    sweeps, settings, recipe, workers, progress
        As in :func:`train`.

    Returns
    -------
    screened : ScreenedLanes
        For :func:`train_screened`, by the prescreener that settings and recipe name; see
        :func:`with_learnt_shapes`.

    Raises
    ------
    ValueError
        If a sensor of the recipe is missing, or a lane is too short to be judged.

    Examples
    --------
    >>> screened = screen_lanes(sweeps)  # doctest: +SKIP
    """
    recipe = recipe or Recipe()
    if not isinstance(recipe, Recipe):
        msg = f"Invalid recipe of type {type(recipe).__name__}. Must be a Recipe."
        raise TypeError(msg)
    settings = recipe.apply(settings or DetectorSettings())
    sweeps = [sweep for sweep in sweeps if sweep.sensor.kind in recipe.kinds]
    refuse_copies(sweeps)
    empty = untrained(_describe(sweeps, recipe), settings, recipe)
    return ScreenedLanes(
        settings=settings,
        sensors=empty.sensors,
        lanes=empty.screen(sweeps, workers=workers, progress=progress),
        recorded={
            kind: _fingerprint([s for s in sweeps if s.sensor.kind == kind])
            for kind in recipe.kinds
        },
    )


def with_learnt_shapes(
    screened: ScreenedLanes, sweeps: Sequence[Sweep], truth: Truth, *, workers: int = 1
) -> ScreenedLanes:
    """
    Learn echo shapes from training lanes, and screen each by the shapes of other lanes.

    Parameters
    ----------
    screened : ScreenedLanes
        Of :func:`screen_lanes`.
    sweeps : sequence of Sweep
        What was screened.
    truth : Truth
        What lies in the lanes.
    workers : int
        As in :func:`train`.

    Returns
    -------
    screened : ScreenedLanes
        For :func:`train_screened`; its settings hold the shapes of all lanes. As it was
        without a radar, or where too few targets were passed to learn from.

    Raises
    ------
    ValueError
        As :func:`screen_lanes`.

    Notes
    -----
    A lane that shapes were learnt from holds them as no other does: its scores would promise
    too much. So each is screened by what was learnt from four fifths of the others, which are
    a little worse than the shapes that are kept.

    Examples
    --------
    >>> screened = with_learnt_shapes(screen_lanes(sweeps), sweeps, truth)  # doctest: +SKIP
    """
    radar = [lane["gpr"] for lane in screened.lanes if "gpr" in lane]
    if not isinstance(truth, Truth):
        msg = f"Invalid truth of type {type(truth).__name__}. Must be a Truth."
        raise TypeError(msg)
    with one_thread():  # sums must not depend on how many there are
        settings, by_lane = learn_shapes(radar, truth, screened.settings)
    if not by_lane:
        return screened
    groups: dict[int, list[Sweep]] = {}
    for sweep in sweeps:
        if sweep.sensor.kind == "gpr":
            groups.setdefault(id(by_lane[sweep.lane]), []).append(sweep)
    anew = [
        with_settings(screened, group, by_lane[group[0].lane], workers=workers)
        for group in groups.values()
    ]
    found = {lane["gpr"].lane: lane["gpr"] for part in anew for lane in part.lanes}
    return _with_radar(screened, settings, found)


def with_settings(
    screened: ScreenedLanes,
    sweeps: Sequence[Sweep],
    settings: DetectorSettings,
    *,
    workers: int = 1,
) -> ScreenedLanes:
    """
    Screen the radar of lanes again; of other sensors, what was noticed stays.

    Parameters
    ----------
    screened : ScreenedLanes
        Of :func:`screen_lanes`.
    sweeps : sequence of Sweep
        Lanes that were screened, all or some.
    settings : DetectorSettings
        Which differ in those of the radar alone.
    workers : int
        As in :func:`train`.

    Returns
    -------
    screened : ScreenedLanes
        The lanes of the sweeps.

    Raises
    ------
    ValueError
        As :func:`screen_lanes`.

    Examples
    --------
    >>> screened = with_settings(screened, sweeps, detector.settings)  # doctest: +SKIP
    """
    radar = [sweep for sweep in sweeps if sweep.sensor.kind == "gpr"]
    empty = untrained(screened.sensors, settings, Recipe())
    anew = empty.screen(radar, mode="gpr", workers=workers)
    names = {sweep.lane for sweep in sweeps}
    chosen = [lane for lane in screened.lanes if {item.lane for item in lane.values()} & names]
    some = dataclasses.replace(screened, lanes=chosen)
    return _with_radar(some, settings, {lane["gpr"].lane: lane["gpr"] for lane in anew})


def _with_radar(
    screened: ScreenedLanes, settings: DetectorSettings, found: Mapping[str, Screened]
) -> ScreenedLanes:
    """Return lanes with what a radar was found to notice, by lane."""
    lanes = [
        {**lane, "gpr": found[lane["gpr"].lane]} if "gpr" in lane else lane
        for lane in screened.lanes
    ]
    return dataclasses.replace(screened, settings=settings, lanes=lanes)


def untrained(
    sensors: Mapping[str, Mapping[str, Any]], settings: DetectorSettings, recipe: Recipe
) -> Detector:
    """
    Return a detector that can screen but not judge.

    Parameters
    ----------
    sensors : dict of dict
        Descriptions by kind.
    settings : DetectorSettings
        What the stages are told.
    recipe : Recipe
        Whose sensors are listened to.

    Returns
    -------
    detector : Detector
        Without classifiers.

    Examples
    --------
    >>> untrained({}, DetectorSettings(), Recipe()).estimators
    {}
    """
    return Detector(
        settings=settings,
        recipe=recipe,
        sensors=sensors,
        estimators={},
        calibrations={},
        priors={},
        thresholds={},
        card={},
    )


def _describe(sweeps: Sequence[Sweep], recipe: Recipe) -> dict[str, dict[str, Any]]:
    """Return the description of each sensor of a recipe; raise if one is missing."""
    sensors: dict[str, dict[str, Any]] = {}
    for sweep in sweeps:
        sensors.setdefault(sweep.sensor.kind, sweep.sensor.describe())
    missing = [kind for kind in recipe.kinds if kind not in sensors]
    if missing:
        both = "both sensors" if len(recipe.kinds) > 1 else "that sensor"
        msg = f"Invalid sweeps: none of kind {' or '.join(missing)}. Must hold {both}."
        raise ValueError(msg)
    return {kind: sensors[kind] for kind in KINDS if kind in recipe.kinds}


def _fingerprint(sweeps: Sequence[Sweep]) -> str:
    """Return a hash of everything the sweeps recorded."""
    digest = hashlib.sha256()
    for sweep in sweeps:
        digest.update(f"{sweep.lane}/{sweep.sensor.name}".encode())
        for values in (sweep.samples, sweep.time, sweep.position, sweep.quality):
            digest.update(np.ascontiguousarray(values).tobytes())
    return f"sha256:{digest.hexdigest()}"
