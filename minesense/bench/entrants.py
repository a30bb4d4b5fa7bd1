"""What a detector must offer to enter the benchmark, and the entrants that always run."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from .._validation import check_number, check_one_of
from ..alarm import Alarm
from ..coverage import Coverage, Rectangle, Region
from ..detect import Detector, Screened, find_sites
from ..io import read_alarms
from ..sweep import Sweep
from ..training import train
from ..truth import Truth
from .surveys import part_of


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Found:
    """What an entrant returns; a :class:`minesense.detect.Detection` will do as well."""

    ranked: Sequence[Alarm]  #: every place that was noticed, so that a curve can be drawn
    threshold: float  #: of the score, set before the test was seen
    coverage: Coverage | None = None  #: ground that it claims to have observed


@runtime_checkable
class Entrant(Protocol):
    """
    A detector in the benchmark.

    It is made without arguments, trained once, and then asked about each test. It sees
    sweeps, and the truth of the training lanes alone.
    """

    @property
    def name(self) -> str:
        """What the tables call it."""
        ...

    def train(
        self,
        sweeps: Sequence[Sweep],
        truth: Truth,
        *,
        area: Sequence[Rectangle | Region],
        seed: int,
        workers: int,
    ) -> None:
        """
        Learn from lanes whose truth is known, and set the threshold.

        Parameters
        ----------
        sweeps : sequence of Sweep
            Of both sensors.
        truth : Truth
            What lies in the lanes.
        area : sequence of rectangles
            Their ground: least easting and northing, greatest ones (m), lane.
        seed : int
            Of all chance. The same seed must give the same detector.
        workers : int
            Threads. The result must not depend on it.
        """

    def detect(self, sweeps: Sequence[Sweep], *, area: Sequence[Rectangle | Region]) -> Any:
        """
        Find and rank places in lanes that were not trained on.

        Parameters
        ----------
        sweeps : sequence of Sweep
            Of both sensors.
        area : sequence of rectangles
            Where observation is wanted.

        Returns
        -------
        found : Found or Detection
            Alarms, the threshold, and the ground that it claims to have observed.
        """
        ...


class Training:
    """
    The detector that entrants of one run share: trained once, asked in several ways.

    Screening the same sweeps for each of them would give the same result again.
    """

    def __init__(self) -> None:
        self._detector: Detector | None = None
        # the sweeps themselves are kept: another object may get the id of one that is gone
        self._trained: tuple[Sequence[Sweep], int] | None = None
        self._screened: tuple[Sequence[Sweep], list[Mapping[str, Screened]]] | None = None

    def train(self, sweeps: Sequence[Sweep], truth: Truth, **options: Any) -> Detector:
        """Return the full detector trained on these sweeps."""
        known, seed = self._trained or (None, None)
        if self._detector is None or known is not sweeps or seed != options["seed"]:
            self._detector = train(sweeps, truth, **options)
            self._trained, self._screened = (sweeps, options["seed"]), None
        return self._detector

    def screen(self, sweeps: Sequence[Sweep], workers: int) -> list[Mapping[str, Screened]]:
        """Return what its prescreeners noticed in these sweeps."""
        assert self._detector is not None
        if self._screened is None or self._screened[0] is not sweeps:
            self._screened = None  # before the next is made: both would not fit
            lanes = self._detector.screen(sweeps, workers=workers)
            self._screened = (sweeps, lanes)
        return self._screened[1]


class Trained:
    """
    A detector of the library, or one of its sensors alone.

    Parameters
    ----------
    name : str
        What the tables call it.
    mode : str
        Sensors that are listened to, as of :meth:`minesense.Detector.detect`.
    shared : Training, optional
        The training that it shares with others.
    """

    def __init__(self, name: str, mode: str = "both", shared: Training | None = None):
        self.name, self.mode = name, mode
        self.shared = shared or Training()

    def train(
        self,
        sweeps: Sequence[Sweep],
        truth: Truth,
        *,
        area: Sequence[Rectangle | Region],
        seed: int,
        workers: int,
    ) -> None:
        """Train as :func:`minesense.train` does."""
        self._workers = workers
        self._detector = self.shared.train(sweeps, truth, area=area, seed=seed, workers=workers)

    def detect(self, sweeps: Sequence[Sweep], *, area: Sequence[Rectangle | Region]) -> Any:
        """Return its detection."""
        lanes = self.shared.screen(sweeps, self._workers)
        return self._detector.judge(lanes, mode=self.mode, area=area)


class Prescreener(Trained):
    """
    The prescreener of one sensor alone, ranked by its own score.

    Parameters
    ----------
    name : str
        What the tables call it; key of :attr:`minesense.Detector.thresholds`.
    kind : str
        ``"gpr"`` or ``"emi"``.
    shared : Training, optional
        The training that it shares with others.
    """

    def __init__(self, name: str, kind: str, shared: Training | None = None):
        super().__init__(name, kind, shared)

    def detect(self, sweeps: Sequence[Sweep], *, area: Sequence[Rectangle | Region]) -> Any:
        """Return what the prescreener noticed."""
        kind, detector = self.mode, self._detector
        lanes = self.shared.screen(sweeps, self._workers)
        sites = [
            site
            for lane in lanes
            if kind in lane
            for site in find_sites({kind: lane[kind]}, detector.settings)
        ]
        alarms = [
            Alarm(
                identifier=f"{self.name}-{k:05d}",
                lane=site.lane,
                time=site.time,
                easting=site.easting,
                northing=site.northing,
                position_error=site.position_error,
                depth=site.depth,
                probability=float("nan"),
                score=site.scores[kind],
                quality=site.quality,
                model=self.name,
            )
            for k, site in enumerate(sites, start=1)
        ]
        claimed = super().detect(sweeps, area=area).coverage
        return Found(ranked=alarms, threshold=detector.thresholds[self.name], coverage=claimed)


class AlarmFile:
    """
    Another program's alarms, written before the truth was known.

    Parameters
    ----------
    path : path-like
        CSV or GeoJSON as :mod:`minesense.io` writes them, alarms of all tests in one file,
        each with the name of its lane.
    threshold : float, optional
        Of the score; without it, every alarm of the file counts.

    Raises
    ------
    FormatError, OSError
        If the file is of neither form, or cannot be read.
    ValueError
        If it holds no alarm, or one of a lane that is none of the benchmark's.
    """

    def __init__(self, path: str | Path, threshold: float | None = None):
        path = Path(path)
        self.name = f"file: {path.name}"
        self._alarms: dict[str, list[Alarm]] = {}
        for alarm in read_alarms(path):
            self._alarms.setdefault(part_of(alarm.lane), []).append(alarm)
        if not self._alarms:
            msg = f"Invalid file '{path}': it holds no alarm. Must hold at least one."
            raise ValueError(msg)
        lowest = min(alarm.score for alarms in self._alarms.values() for alarm in alarms)
        stated = lowest if threshold is None else threshold
        self._threshold = check_number(stated, "threshold")

    def train(
        self,
        sweeps: Sequence[Sweep],
        truth: Truth,
        *,
        area: Sequence[Rectangle | Region],
        seed: int,
        workers: int,
    ) -> None:
        """Nothing: the alarms are there."""

    def detect(self, sweeps: Sequence[Sweep], *, area: Sequence[Rectangle | Region]) -> Any:
        """Return the alarms of the lanes that are asked about."""
        lanes = {str(item[-1]) for item in area}
        chosen = [a for alarms in self._alarms.values() for a in alarms if a.lane in lanes]
        return Found(ranked=chosen, threshold=self._threshold)


def new_entrant(name: str, shared: Training | None = None) -> Entrant:
    """
    Return an entrant by name, untrained.

    Parameters
    ----------
    name : str
        One of :data:`minesense.bench.ENTRANTS`, or ``"package.module:Class"`` for a class of
        your own, which is imported and made without arguments.
    shared : Training, optional
        For entrants of the library that are trained together.

    Returns
    -------
    entrant : Entrant
        Ready to be trained.

    Raises
    ------
    ValueError
        If there is no such name or class, or it lacks `name`, `train` or `detect`.

    Examples
    --------
    >>> from minesense.bench import new_entrant
    >>> new_entrant("radar").name
    'radar'
    >>> new_entrant("oracle")
    Traceback (most recent call last):
    ValueError: Invalid entrant 'oracle'. Must be one of 'full', ...
    """
    shared = shared or Training()
    if ":" not in name:
        return ENTRANTS[check_one_of(name, "entrant", ENTRANTS)](shared)
    module, _, kind = name.partition(":")
    try:
        entrant = getattr(importlib.import_module(module), kind)()
    except (ImportError, AttributeError, TypeError) as error:
        msg = (
            f"Invalid entrant {name!r}: {error}. Must be a module and a class in it that is "
            "made without arguments, as in 'my.detector:Mine'."
        )
        raise ValueError(msg) from None
    if not isinstance(entrant, Entrant):
        msg = f"Invalid entrant {name!r}. Must have a name, and methods train and detect."
        raise ValueError(msg)
    return entrant


def _chance(kind: str) -> Callable[[Training], Entrant]:
    """Return what makes a baseline that sees no sample."""

    def make(_shared: Training) -> Entrant:
        from .chance import Dowsing, RandomMarks  # noqa: PLC0415, it imports Found from here

        return Dowsing() if kind == "dowsing" else RandomMarks()

    return make


#: What always runs: the detectors, then the baselines. A new one is one line.
ENTRANTS: Mapping[str, Callable[[Training], Entrant]] = {
    "full": lambda shared: Trained("full", "both", shared),
    "radar": lambda shared: Trained("radar", "gpr", shared),
    "metal_detector": lambda shared: Trained("metal_detector", "emi", shared),
    "gpr_energy": lambda shared: Prescreener("gpr_energy", "gpr", shared),
    "emi_decay": lambda shared: Prescreener("emi_decay", "emi", shared),
    "random": _chance("random"),
    "dowsing": _chance("dowsing"),
}
