"""The detector: both sensors' screens, features, classifiers, calibration and fusion."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .._validation import check_count, check_one_of
from ..alarm import Alarm
from ..coverage import Rectangle, Region
from ..sweep import Sweep
from .calibrate import Platt, probability
from .detection import Detection, LaneDetection, observed
from .feature_groups import KINDS, features_of
from .fuse import fuse
from .model import load_model, save_model
from .ratios import alone, likelihood_ratios
from .recipes import Recipe, read_recipe
from .screen import Screened
from .settings import DetectorSettings, read_settings
from .sites import Site, find_sites


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Detector:
    """
    A trained detector. Made by :func:`minesense.train` or :meth:`load`.

    Probabilities hold for the mix of mines and clutter it was trained on; `prior` is that
    share of mines among noticed places.
    """

    settings: DetectorSettings
    sensors: Mapping[str, Mapping[str, Any]]  #: what each sensor must be, by kind
    estimators: Mapping[str, Any]  #: by kind of sensor
    #: by kind of sensor, of its classifier's score; "both", of the sum of log ratios; and
    #: by :func:`alone`, of one sensor's log ratio where there is no other
    calibrations: Mapping[str, Platt]
    priors: Mapping[str, float]  #: by kind of sensor, and "both": that of the log ratios
    thresholds: Mapping[str, float]  #: of the score, by mode
    card: Mapping[str, Any]  #: training data, soils, features, version
    recipe: Recipe = field(default_factory=Recipe)  #: sensors, features and classifiers

    @property
    def identity(self) -> str:
        """Name and short hash of the card."""
        text = json.dumps(self.card, sort_keys=True)
        return f"minesense-{hashlib.sha256(text.encode()).hexdigest()[:12]}"

    def open(self, lane: str = "") -> LaneDetection:
        """
        Begin a lane to which chunks are pushed as they come.

        Parameters
        ----------
        lane : str
            Name of the lane.

        Returns
        -------
        detection : LaneDetection
            Takes chunks of both sensors in any order.
        """
        return LaneDetection(self.settings, self.sensors, lane)

    def detect(
        self,
        sweeps: Iterable[Sweep],
        *,
        mode: str | None = None,
        area: Sequence[Rectangle | Region] | None = None,
        workers: int = 1,
        progress: Callable[[str], None] | None = None,
    ) -> Detection:
        """
        Find and judge places in whole lanes.

        Parameters
        ----------
        sweeps : iterable of Sweep
            Sweeps of one or more lanes, one or both sensors each.
        mode : str
            ``"both"``, or ``"gpr"`` or ``"emi"`` to listen to one sensor alone; by default
            all the sensors of the recipe.
        area : sequence of rectangles, optional
            Where observation is wanted: least easting and northing, greatest easting and
            northing (m), lane. By default the surroundings of the tracks.
        workers : int
            Threads that share the lanes. The result does not depend on it.
        progress : callable, optional
            Called with the name of each lane that is done.

        Returns
        -------
        detection : Detection
            Alarms, strongest first.

        Raises
        ------
        ValueError
            If there is no sweep, a sensor is not the one the model was made for, a lane is
            empty or too short, or the mode is unknown.
        """
        mode = self.mode(mode)
        lanes = self.screen(sweeps, mode=mode, workers=workers, progress=progress)
        return self.judge(lanes, mode=mode, area=area)

    def screen(
        self,
        sweeps: Iterable[Sweep],
        *,
        mode: str | None = None,
        workers: int = 1,
        progress: Callable[[str], None] | None = None,
    ) -> list[Mapping[str, Screened]]:
        """
        Process lanes as far as candidates; the first half of :meth:`detect`.

        Parameters
        ----------
        sweeps, mode, workers, progress
            As in :meth:`detect`.

        Returns
        -------
        lanes : list of dict of Screened
            For each lane what each sensor's screen found, by kind.

        Raises
        ------
        ValueError
            As :meth:`detect`.
        """
        kinds = self._kinds(mode)
        lanes: dict[str, list[Sweep]] = {}
        for sweep in sweeps:
            if sweep.sensor.kind in kinds:
                lanes.setdefault(sweep.lane, []).append(sweep)
        if not lanes:
            msg = f"Invalid sweeps: none of kind {' or '.join(kinds)}. Must hold at least one."
            raise ValueError(msg)

        def run(item: tuple[str, list[Sweep]]) -> Mapping[str, Screened]:
            lane = self.open(item[0])
            for sweep in item[1]:
                lane.push(sweep)
            screened = lane.finish()
            if progress is not None:
                progress(item[0])
            return screened

        with ThreadPoolExecutor(check_count(workers, "workers")) as pool:
            return list(pool.map(run, lanes.items()))

    def judge(
        self,
        lanes: Sequence[Mapping[str, Screened]],
        *,
        mode: str | None = None,
        area: Sequence[Rectangle | Region] | None = None,
    ) -> Detection:
        """
        Classify what the screens noticed; the second half of :meth:`detect`.

        Parameters
        ----------
        lanes : sequence of dict of Screened
            From :meth:`screen`.
        mode, area
            As in :meth:`detect`.

        Returns
        -------
        detection : Detection
            Alarms, strongest first.

        Raises
        ------
        ValueError
            If the mode is unknown or a lane lacks a sensor that it needs.
        """
        mode, kinds = self.mode(mode), self._kinds(mode)
        if not all(any(kind in lane for kind in kinds) for lane in lanes):
            msg = f"Invalid lanes: one holds no sensor of kind {' or '.join(kinds)}."
            raise ValueError(msg)
        lanes = [{kind: lane[kind] for kind in kinds if kind in lane} for lane in lanes]
        sites = [site for lane in lanes for site in self.find_sites(lane)]
        odds, evidence = self.log_odds(sites, mode)
        screened = [item for lane in lanes for item in lane.values()]
        return Detection(
            ranked=self._rank(sites, odds, evidence),
            threshold=self.thresholds[mode],
            mode=mode,
            coverage=observed(lanes, self.settings, area=area),
            gaps=tuple(gap for item in screened for gap in item.gaps),
            model=self.identity,
            withheld=tuple(entry for item in screened for entry in item.withheld),
        )

    def mode(self, wanted: str | None = None) -> str:
        """
        Return what is listened to.

        Parameters
        ----------
        wanted : str, optional
            A mode; by default the first of the recipe.

        Returns
        -------
        mode : str
            ``"both"``, ``"gpr"`` or ``"emi"``.

        Raises
        ------
        ValueError
            If the detector has no such mode.
        """
        modes = self.recipe.modes
        return modes[0] if wanted is None else check_one_of(wanted, "mode", modes)

    def _kinds(self, mode: str | None) -> tuple[str, ...]:
        """Return the kinds of sensor that a mode listens to."""
        mode = self.mode(mode)
        return KINDS if mode == "both" else (mode,)

    def find_sites(self, lane: Mapping[str, Screened]) -> tuple[Site, ...]:
        """
        Return the places of a screened lane with the features of the recipe.

        Parameters
        ----------
        lane : dict of Screened
            One of those that :meth:`screen` returns.

        Returns
        -------
        sites : tuple of Site
            As of :func:`~minesense.detect.find_sites`.
        """
        return find_sites(lane, self.settings, groups=self.recipe.groups)

    def log_odds(
        self, sites: Sequence[Site], mode: str
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """
        Return calibrated log odds of places, and each sensor's share in them.

        Parameters
        ----------
        sites : sequence of Site
            Places to judge.
        mode : str
            As in :meth:`detect`.

        Returns
        -------
        log_odds : (n,) float64 ndarray
            Of a mine, calibrated for the training mix.
        ratios : dict of (n,) float64 ndarray
            Log likelihood ratio of each sensor; NaN where it did not observe the place.
        """
        kinds = KINDS if mode == "both" else (mode,)
        ratios = {
            kind: likelihood_ratios(
                self.estimators[kind], self.calibrations[kind], self.priors[kind], sites, kind
            )
            for kind in kinds
        }
        calibration = self.calibrations["both" if mode == "both" else alone(mode)]
        return calibration.log_odds(fuse(ratios)), ratios

    def _rank(
        self, sites: Sequence[Site], odds: np.ndarray, ratios: Mapping[str, np.ndarray]
    ) -> tuple[Alarm, ...]:
        """Return places as alarms, strongest first."""
        p = probability(odds)
        order = sorted(
            range(len(sites)), key=lambda k: (-odds[k], sites[k].lane, sites[k].time)
        )
        alarms = []
        for rank, k in enumerate(order, start=1):
            site = sites[k]
            evidence = {f"{kind}_log_ratio": float(ratios[kind][k]) for kind in ratios}
            evidence |= {f"{kind}_score": float(site.scores[kind]) for kind in site.scores}
            alarms.append(
                Alarm(
                    identifier=f"A{rank:04d}",
                    lane=site.lane,
                    time=site.time,
                    easting=site.easting,
                    northing=site.northing,
                    position_error=site.position_error,
                    depth=site.depth,
                    probability=float(p[k]),
                    score=float(odds[k]),
                    evidence=evidence,
                    quality=site.quality,
                    model=self.identity,
                )
            )
        return tuple(alarms)

    def save(self, path: str | os.PathLike[str]) -> None:
        """
        Write the detector to a file, without pickle.

        Parameters
        ----------
        path : path-like
            File to write, by custom ``.skops``.

        Raises
        ------
        ImportError
            If skops is not installed (extra ``models``).
        """
        card = {
            **self.card,
            "settings": self.settings.as_dict(),
            "recipe": self.recipe.as_dict(),
            "sensors": {kind: dict(sensor) for kind, sensor in self.sensors.items()},
            "calibrations": {k: dataclasses.asdict(v) for k, v in self.calibrations.items()},
            "priors": dict(self.priors),
            "thresholds": dict(self.thresholds),
        }
        save_model(path, self.estimators, card)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Detector:
        """
        Read a detector from a file.

        Parameters
        ----------
        path : path-like
            File written by :meth:`save`.

        Returns
        -------
        detector : Detector
            The same as was saved.

        Raises
        ------
        ImportError
            If skops is not installed (extra ``models``).
        FileNotFoundError
            If there is no such file.
        ValueError
            If the file is not a model, holds a type that is not allowed, or was made for
            other features than this version computes.
        """
        estimators, card = load_model(path)
        recipe = _check_card(os.fspath(path), estimators, card)
        return cls(
            settings=read_settings(card["settings"]),
            recipe=recipe,
            sensors=card["sensors"],
            estimators=estimators,
            calibrations={k: Platt(**v) for k, v in card["calibrations"].items()},
            priors=card["priors"],
            thresholds=card["thresholds"],
            card={k: v for k, v in card.items() if k not in _OWN},
        )


#: Entries of a model's card that become parts of the detector.
_OWN = ("settings", "recipe", "sensors", "calibrations", "priors", "thresholds")


def _check_card(path: str, estimators: Mapping[str, Any], card: Mapping[str, Any]) -> Recipe:
    """Return the recipe of a model file; raise if its parts do not fit together."""
    fault = f"Invalid model file '{path}'"
    missing = [name for name in _OWN if not isinstance(card.get(name), dict)]
    if missing:
        msg = f"{fault}: its card lacks {', '.join(missing)}. Must be written by Detector.save."
        raise ValueError(msg)
    recipe = read_recipe(card["recipe"])
    if set(estimators) != set(recipe.kinds):
        msg = (
            f"{fault}: holds estimators of {', '.join(map(repr, sorted(estimators)))}. Must be "
            f"of {' and '.join(map(repr, recipe.kinds))}, as its recipe."
        )
        raise ValueError(msg)
    names = {*recipe.kinds, *map(alone, recipe.kinds), *(m for m in recipe.modes if m == "both")}
    missing = sorted(f"calibration {name}" for name in names - set(card["calibrations"]))
    if missing:
        msg = f"{fault}: its card lacks {', '.join(missing)}. Must be written by Detector.save."
        raise ValueError(msg)
    expected = {
        kind: [[f.name, f.unit] for f in features_of(kind, recipe.groups)]
        for kind in recipe.kinds
    }
    if card.get("features") != expected:
        msg = (
            f"{fault}: its features are not those that this version computes. Must be trained "
            "again."
        )
        raise ValueError(msg)
    return recipe
