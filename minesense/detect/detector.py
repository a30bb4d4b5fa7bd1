"""The detector: both sensors' screens, features, classifiers, calibration and fusion."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._validation import check_count, check_one_of
from ..alarm import Alarm, Candidate
from ..coverage import Coverage, Rectangle, observe
from ..stage import Gap
from ..sweep import Sensor, Sweep
from .calibrate import Platt, log_odds, probability
from .classify import predict
from .fuse import fuse
from .model import load_model, save_model
from .screen import Screen, Screened
from .settings import DetectorSettings, read_settings
from .sites import FEATURES, KINDS, Site, find_sites

#: What a detector may listen to.
MODES = ("both", "gpr", "emi")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Detection(Sequence[Alarm]):
    """
    The alarms of a detector, strongest first, and what they rest on.

    As a sequence it holds the alarms at or above the threshold. `ranked` holds every place
    that was noticed, so that a curve can be drawn; nothing is ever deleted.
    """

    ranked: tuple[Alarm, ...]
    threshold: float  #: of the score, set before the data were seen
    mode: str
    coverage: Coverage  #: which ground was observed, and why not
    gaps: tuple[Gap, ...]
    model: str

    def __len__(self) -> int:
        """Return the number of alarms at or above the threshold."""
        return sum(alarm.score >= self.threshold for alarm in self.ranked)

    def __getitem__(self, index: Any) -> Any:
        """Return one or several of the alarms at or above the threshold."""
        return self.ranked[: len(self)][index]

    def __iter__(self) -> Iterator[Alarm]:
        """Iterate over the alarms at or above the threshold, strongest first."""
        return iter(self.ranked[: len(self)])


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
    calibrations: Mapping[str, Platt]  #: by mode
    priors: Mapping[str, float]  #: by mode
    thresholds: Mapping[str, float]  #: of the score, by mode
    card: Mapping[str, Any]  #: training data, soils, features, version

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
        return LaneDetection(self, lane)

    def detect(
        self,
        sweeps: Iterable[Sweep],
        *,
        mode: str = "both",
        area: Sequence[Rectangle] | None = None,
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
            ``"both"``, or ``"gpr"`` or ``"emi"`` to listen to one sensor alone.
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
        lanes = self.screen(sweeps, mode=mode, workers=workers, progress=progress)
        return self.judge(lanes, mode=mode, area=area)

    def screen(
        self,
        sweeps: Iterable[Sweep],
        *,
        mode: str = "both",
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
        kinds = KINDS if check_one_of(mode, "mode", MODES) == "both" else (mode,)
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
        mode: str = "both",
        area: Sequence[Rectangle] | None = None,
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
        kinds = KINDS if check_one_of(mode, "mode", MODES) == "both" else (mode,)
        if not all(any(kind in lane for kind in kinds) for lane in lanes):
            msg = f"Invalid lanes: one holds no sensor of kind {' or '.join(kinds)}."
            raise ValueError(msg)
        lanes = [{kind: lane[kind] for kind in kinds if kind in lane} for lane in lanes]
        sites = [site for lane in lanes for site in find_sites(lane, self.settings)]
        odds, evidence = self.log_odds(sites, mode)
        return Detection(
            ranked=self._rank(sites, odds, evidence),
            threshold=self.thresholds[mode],
            mode=mode,
            coverage=observed(lanes, self.settings, area=area),
            gaps=tuple(gap for lane in lanes for item in lane.values() for gap in item.gaps),
            model=self.identity,
        )

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
        if mode != "both":
            return np.nan_to_num(ratios[mode]) + log_odds(self.priors[mode]), ratios
        return self.calibrations["both"].log_odds(fuse(ratios)), ratios

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
        expected = {k: [[f.name, f.unit] for f in FEATURES.get(k, ())] for k in estimators}
        if card.get("features") != expected:
            msg = (
                f"Invalid model file '{os.fspath(path)}': its features are not those that this "
                "version computes. Must be trained again."
            )
            raise ValueError(msg)
        own = ("settings", "sensors", "calibrations", "priors", "thresholds")
        missing = [name for name in own if not isinstance(card.get(name), dict)]
        if missing:
            msg = (
                f"Invalid model file '{os.fspath(path)}': its card lacks {', '.join(missing)}. "
                "Must be a file written by Detector.save."
            )
            raise ValueError(msg)
        return cls(
            settings=read_settings(card["settings"]),
            sensors=card["sensors"],
            estimators=estimators,
            calibrations={k: Platt(**v) for k, v in card["calibrations"].items()},
            priors=card["priors"],
            thresholds=card["thresholds"],
            card={k: v for k, v in card.items() if k not in own},
        )


class LaneDetection:
    """
    One lane on its way through a detector, chunk by chunk.

    Pushing returns what the prescreeners notice at once (the search output); finishing
    returns the lane for :meth:`Detector.judge`, which has seen the whole place.
    """

    def __init__(self, detector: Detector, lane: str):
        self.detector = detector
        self.lane = lane
        self._screens: dict[str, Screen] = {}

    def push(self, chunk: Sweep) -> list[Candidate]:
        """
        Take the next chunk of one sensor.

        Parameters
        ----------
        chunk : Sweep
            Traces that follow those before.

        Returns
        -------
        candidates : list of Candidate
            Those that no later trace can change any more.

        Raises
        ------
        ValueError
            If the sensor is not the one the model was made for, or the chunk does not
            continue the lane.
        """
        check_sensor(chunk.sensor, self.detector.sensors)
        kind = chunk.sensor.kind
        if kind not in self._screens:
            self._screens[kind] = Screen(self.detector.settings)
        return self._screens[kind].push(chunk)

    def finish(self) -> Mapping[str, Screened]:
        """
        End the lane.

        Returns
        -------
        lane : dict of Screened
            What each sensor's screen found, for :meth:`Detector.judge`.

        Raises
        ------
        ValueError
            If nothing was pushed, or the lane is too short to be judged.
        """
        if not self._screens:
            msg = f"Invalid lane '{self.lane}': nothing was pushed. Must hold a sweep."
            raise ValueError(msg)
        return {kind: self._screens[kind].finish() for kind in KINDS if kind in self._screens}


def check_sensor(sensor: Sensor, expected: Mapping[str, Mapping[str, Any]]) -> None:
    """
    Raise unless a sensor is one that a model was made for.

    Parameters
    ----------
    sensor : Sensor
        What recorded the sweep.
    expected : dict of dict
        Descriptions by kind, as of :meth:`minesense.sweep.Sensor.describe`.

    Raises
    ------
    ValueError
        If the kind is not there or any figure differs by more than 1e-6 of itself.

    Examples
    --------
    >>> from minesense.detect import check_sensor
    >>> from minesense.synthetic import cart
    >>> expected = {"gpr": cart().radar.describe()}
    >>> check_sensor(cart().radar, expected)
    >>> check_sensor(cart(n_antennas=4).radar, expected)
    Traceback (most recent call last):
    ValueError: Invalid sensor 'cart radar': its n_channels is 4. Must be 8, as the sensor ...
    """
    if sensor.kind not in expected:
        msg = (
            f"Invalid sensor '{sensor.name}' of kind '{sensor.kind}'. "
            f"Must be of kind {' or '.join(map(repr, sorted(expected)))}, as the model's."
        )
        raise ValueError(msg)
    for name, wanted in expected[sensor.kind].items():
        found = sensor.describe().get(name)
        same = found == wanted
        if isinstance(wanted, float) and isinstance(found, float):
            same = abs(found - wanted) <= 1e-6 * abs(wanted)
        if not same:
            msg = (
                f"Invalid sensor '{sensor.name}': its {name} is {found!r}. Must be {wanted!r}, "
                "as the sensor that the model was trained on."
            )
            raise ValueError(msg)


def likelihood_ratios(
    estimator: Any, calibration: Platt, prior: float, sites: Sequence[Site], kind: str
) -> np.ndarray:
    """
    Return the log likelihood ratio that one sensor gives each place.

    Parameters
    ----------
    estimator : sklearn.pipeline.Pipeline
        Fitted on the features of the kind.
    calibration : Platt
        Of its scores.
    prior : float
        Share of mines that it was calibrated on.
    sites : sequence of Site
        Places to judge.
    kind : str
        ``"gpr"`` or ``"emi"``.

    Returns
    -------
    ratios : (n,) float64 ndarray
        NaN where the sensor did not observe the place.
    """
    ratios = np.full(len(sites), np.nan)
    seen = [
        k
        for k, site in enumerate(sites)
        if kind in site.features and np.isfinite(site.features[kind][0])
    ]
    if seen:
        scores = predict(estimator, np.array([sites[k].features[kind] for k in seen]))
        ratios[seen] = calibration.log_odds(scores) - log_odds(prior)
    return ratios


def observed(
    lanes: Sequence[Mapping[str, Screened]],
    settings: DetectorSettings,
    *,
    area: Sequence[Rectangle] | None = None,
) -> Coverage:
    """
    Return which ground the screens observed.

    Parameters
    ----------
    lanes : sequence of dict of Screened
        What each sensor's screen found along each lane.
    settings : DetectorSettings
        Footprints and the greatest gap.
    area : sequence of rectangles, optional
        Where observation is wanted, as in :func:`minesense.coverage.observe`.

    Returns
    -------
    coverage : Coverage
        By kind of sensor, with reasons for what was not observed.

    Examples
    --------
    At its ends the stages have too little of a lane: that ground is not observed.

    >>> import numpy as np
    >>> from minesense.detect import DetectorSettings, Screen, observed
    >>> from minesense.sweep import Radar, Sensor, Sweep
    >>> sensor = Sensor(
    ...     name="demo",
    ...     kind="gpr",
    ...     axis=1e-10 * np.arange(64),
    ...     lever_arms=[[0, 0, 0]],
    ...     radar=Radar(centre_frequency=1.5e9),
    ... )
    >>> northing = 0.025 * np.arange(800)
    >>> lane = Sweep(
    ...     samples=np.random.default_rng(seed=0).normal(size=(800, 1, 64)),
    ...     time=northing / 0.5,
    ...     position=np.column_stack([0 * northing, northing, 0 * northing]),
    ...     heading=0 * northing,
    ...     sensor=sensor,
    ...     lane="A",
    ... )
    >>> settings = DetectorSettings()
    >>> screen = Screen(settings)
    >>> _ = screen.push(lane)
    >>> coverage = observed([{"gpr": screen.finish()}], settings)
    >>> 0 < coverage.area("gpr") < 20 * 2 * settings.radar_footprint
    True
    >>> list(coverage.not_observed("gpr"))
    ['EDGE']
    """
    tracks = [part.scores for lane in lanes for item in lane.values() for part in item.parts]
    kinds = {track.sensor.kind for track in tracks}
    footprint = {"gpr": settings.radar_footprint, "emi": settings.coil_footprint}
    return observe(
        tracks,
        footprint={kind: footprint[kind] for kind in sorted(kinds)},
        area=area,
        max_step=settings.max_gap,
    )
