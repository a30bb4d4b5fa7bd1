"""The detector: both sensors' screens, features, classifiers, calibration and fusion."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .._validation import check_one_of
from ..coverage import Rectangle, Region
from ..sweep import Sweep
from .calibrate import Platt, probability
from .decision import decide, decide_again, rank_sites
from .detection import Detection, LaneDetection, observed, screen_whole
from .familiarity import is_unfamiliar, unfamiliar_ground
from .feature_groups import KINDS
from .fuse import fuse
from .guarantee import Guarantee
from .isotonic import Calibration
from .limits import choose_limit, promise, refuse_absent
from .model import load_model, save_model
from .model_card import identity_of, read_card, write_card
from .ratios import alone, likelihood_ratios
from .recipes import Recipe
from .screen import Screened
from .settings import DetectorSettings
from .shift import ShiftMonitor
from .sites import Site, find_sites
from .target_scores import TargetScores


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
    thresholds: Mapping[str, float]  #: of the log odds, by mode; and of the prescreeners
    card: Mapping[str, Any]  #: training data, soils, features, version
    recipe: Recipe = field(default_factory=Recipe)  #: sensors, features and classifiers
    #: by mode, from log odds to the probability that is stated
    stated: Mapping[str, Calibration] = field(default_factory=dict)
    #: of each sensor's own log ratio where both are listened to: what it asks for stays
    own_thresholds: Mapping[str, float] = field(default_factory=dict)
    #: by kind of sensor, of the ground that it was trained on
    monitors: Mapping[str, ShiftMonitor] = field(default_factory=dict)
    #: by mode, of training targets in lanes that the classifiers had not seen
    targets: Mapping[str, TargetScores] = field(default_factory=dict)

    @property
    def identity(self) -> str:
        """Name and short hash of all that the detector is but its classifiers' numbers."""
        return identity_of(write_card(self))

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
        threshold: float | None = None,
        miss_rate: float | None = None,
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
        threshold : float, optional
            Of the log odds; by default the one that training set.
        miss_rate : float, optional
            Instead of a threshold the greatest share of targets that may be missed, as in
            :meth:`certify`.
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
            empty or too short, its traces are more than 30 % farther apart than the settings
            say or its track winds, the mode is unknown, both a threshold and a miss rate are
            given, or no threshold holds the rate.

        Notes
        -----
        Lanes may be recorded at any pace: traces are brought to the spacing of the settings
        first, by :func:`~minesense.resampling.resample_track`, as a live session brings them.
        An alarm is a place whose log odds reach the threshold; or one that a sensor alone
        asks for, whatever the other says of it; or one on ground unlike that of training,
        where no probability is stated: it is NaN, with the flag OUT_OF_DOMAIN.
        """
        mode = self.mode(mode)
        self._limit(mode, threshold, miss_rate)  # refused before the work, not after it
        lanes = self.screen(sweeps, mode=mode, workers=workers, progress=progress)
        return self.judge(lanes, mode=mode, area=area, threshold=threshold, miss_rate=miss_rate)

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
        return screen_whole(
            self.open, sweeps, self._kinds(mode), workers=workers, progress=progress
        )

    def judge(
        self,
        lanes: Sequence[Mapping[str, Screened]],
        *,
        mode: str | None = None,
        area: Sequence[Rectangle | Region] | None = None,
        threshold: float | None = None,
        miss_rate: float | None = None,
    ) -> Detection:
        """
        Classify what the screens noticed; the second half of :meth:`detect`.

        Parameters
        ----------
        lanes : sequence of dict of Screened
            From :meth:`screen`.
        mode, area, threshold, miss_rate
            As in :meth:`detect`.

        Returns
        -------
        detection : Detection
            Alarms, strongest first.

        Raises
        ------
        ValueError
            If a lane lacks a sensor that it needs; and as :meth:`detect`.
        """
        mode, kinds, name = self.mode(mode), self._kinds(mode), self.identity
        limit, guarantee = self._limit(mode, threshold, miss_rate)
        if not all(any(kind in lane for kind in kinds) for lane in lanes):
            msg = f"Invalid lanes: one holds no sensor of kind {' or '.join(kinds)}."
            raise ValueError(msg)
        lanes = [{kind: lane[kind] for kind in kinds if kind in lane} for lane in lanes]
        if guarantee is not None:
            refuse_absent(lanes, kinds)
        sites = [site for lane in lanes for site in self.find_sites(lane)]
        odds, ratios = self.log_odds(sites, mode)
        stretches = unfamiliar_ground(lanes, self.monitors, self.settings)
        is_lost = np.all([np.isnan(ratio) for ratio in ratios.values()], axis=0)
        odds = np.where(is_lost, np.nan, odds)  # not the prior: nothing was looked at
        is_new = is_unfamiliar(sites, stretches) | is_lost
        decision = decide(
            odds,
            ratios,
            threshold=limit,
            own=self.own_thresholds if mode == "both" else {},
            is_unfamiliar=is_new,
        )
        ranked, kept = rank_sites(
            sites,
            decision,
            log_odds=odds,
            probabilities=probability(self._stated(mode, odds)),
            ratios=ratios,
            is_unfamiliar=is_new,
            model=name,
        )
        screened = [item for lane in lanes for item in lane.values()]
        return Detection(
            ranked=ranked,
            threshold=limit,
            mode=mode,
            coverage=observed(lanes, self.settings, area=area, kinds=kinds),
            gaps=tuple(gap for item in screened for gap in item.gaps),
            model=name,
            withheld=tuple(entry for item in screened for entry in item.withheld),
            kept=kept,
            unfamiliar=stretches,
            guarantee=guarantee,
        )

    def decide_again(
        self,
        found: Detection,
        *,
        threshold: float | None = None,
        miss_rate: float | None = None,
    ) -> Detection:
        """
        Return a detection of this detector with another threshold, without judging again.

        Parameters
        ----------
        found : Detection
            From :meth:`detect` or :meth:`judge`.
        threshold, miss_rate
            As in :meth:`detect`.

        Returns
        -------
        detection : Detection
            What :meth:`judge` would have returned, but for the identifiers, which stay.

        Raises
        ------
        ValueError
            If another detector made the detection; and as :meth:`detect`.
        """
        if found.model != self.identity:
            msg = f"Invalid detection of model '{found.model}'. Must be of '{self.identity}'."
            raise ValueError(msg)
        limit, guarantee = self._limit(found.mode, threshold, miss_rate)
        own = self.own_thresholds if found.mode == "both" else {}
        ranked, kept = decide_again(found.ranked, threshold=limit, own=own)
        return dataclasses.replace(
            found, ranked=ranked, kept=kept, threshold=limit, guarantee=guarantee
        )

    def certify(self, miss_rate: float, *, mode: str | None = None) -> Guarantee:
        """
        Return the highest threshold that holds a stated miss rate.

        Parameters
        ----------
        miss_rate : float
            Greatest share of the targets of a lane that may be missed, on average over
            lanes drawn like those of training.
        mode : str, optional
            As in :meth:`detect`.

        Returns
        -------
        guarantee : Guarantee
            The threshold, what the training lanes missed at it when they were held out, and
            what must hold for the promise.

        Raises
        ------
        TypeError, ValueError
            If no threshold holds the rate: the error says how many lanes would. Targets
            that no prescreener noticed count as missed at every threshold.

        Notes
        -----
        As :func:`~minesense.detect.certify_miss_rate`, with lanes as units. The scores are
        those of classifiers that had not seen the lane; the one in use was fitted to all,
        and the theorem does not cover that step. Alarms for other reasons than the score
        only lower the share that is missed.
        """
        return promise(self.targets, self.mode(mode), miss_rate)

    def _limit(
        self, mode: str, threshold: float | None, miss_rate: float | None
    ) -> tuple[float, Guarantee | None]:
        """Return the threshold that is asked for, and what it promises."""
        return choose_limit(
            mode, self.thresholds, self.targets, threshold=threshold, miss_rate=miss_rate
        )

    def _stated(self, mode: str, odds: np.ndarray) -> np.ndarray:
        """Return the log odds of the probabilities that are stated."""
        return self.stated[mode].log_odds(odds) if mode in self.stated else odds

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
        card = write_card(self)
        save_model(path, self.estimators, {**card, "identity": identity_of(card)})

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
        return cls(estimators=estimators, **read_card(os.fspath(path), estimators, card))
