"""What a detector must offer to enter the benchmark, and the entrants that always run."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from .._validation import check_number, check_one_of
from ..alarm import Alarm
from ..coverage import Rectangle, Region
from ..detect import RECIPES, Detection, DetectorSettings, Recipe
from ..digest import canonical
from ..frame import Frame
from ..io import read_alarms
from ..sweep import Sweep
from ..training import (
    ScreenedLanes,
    screen_lanes,
    train_screened,
    with_learnt_shapes,
    with_settings,
)
from ..truth import Truth
from .chance import Dowsing, RandomMarks
from .found import Found, check_found
from .surveys import part_of


@runtime_checkable
class Entrant(Protocol):
    """
    A detector in the benchmark.

    It is made without arguments, trained once, and then asked about each test. It sees
    sweeps, and the truth of the training lanes and lessons alone.
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
            Ground: least easting and northing, greatest ones (m), lane. Of lanes that are
            like those of the tests; the others are lessons, in the full size with targets
            closer together, to learn from and not to set a threshold by.
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


class Screens:
    """
    What the stages of the library noticed in the sweeps of one part, screened once for all.

    Most baselines have the same stages, and so does the reference by which all are judged:
    screening the same sweeps for each of them would give the same result again. What one
    other set of stages noticed is kept beside that of the default.
    """

    def __init__(self, workers: int = 1):
        self.workers = workers
        # the sweeps themselves are kept: another object may get the id of one that is gone
        self._sweeps: Sequence[Sweep] = ()
        self._screened: dict[str, ScreenedLanes] = {}

    def of(self, sweeps: Sequence[Sweep], recipe: Recipe | None = None) -> ScreenedLanes:
        """
        Return what the stages of a recipe noticed.

        Parameters
        ----------
        sweeps : sequence of Sweep
            Of both sensors.
        recipe : Recipe, optional
            Whose stages are meant, and for which sensors; the full detector's by default.

        Returns
        -------
        screened : ScreenedLanes
            With what other sensors noticed, too, where it is there.
        """
        full = Recipe()
        recipe = recipe or full
        settings = recipe.apply(DetectorSettings())
        base = settings == DetectorSettings()
        if self._sweeps is not sweeps:
            self._sweeps, self._screened = sweeps, {}
        key = canonical(settings.as_dict()).decode()
        if not base and key not in self._screened:  # of these the last alone is kept
            default = canonical(DetectorSettings().as_dict()).decode()
            self._screened = {
                k: v for k, v in self._screened.items() if k in (default, _LEARNT)
            }
        if key not in self._screened:
            kinds = {sweep.sensor.kind for sweep in sweeps}
            if base and kinds >= set(full.kinds):
                recipe = full  # others will ask for the other sensor
            self._screened[key] = screen_lanes(sweeps, recipe=recipe, workers=self.workers)
        return self._screened[key]

    def learn(self, sweeps: Sequence[Sweep], recipe: Recipe, truth: Truth) -> ScreenedLanes:
        """
        Return what echo shapes notice that were learnt from the same sweeps, lane by lane.

        Parameters
        ----------
        sweeps : sequence of Sweep
            Training lanes.
        recipe : Recipe
            As in :meth:`of`.
        truth : Truth
            What lies in them.

        Returns
        -------
        screened : ScreenedLanes
            Its settings hold the shapes.
        """
        known, learnt = self.of(sweeps, recipe), self._screened.get(_LEARNT)
        if learnt is None or recipe.apply(learnt.settings) != learnt.settings:
            self._screened[_LEARNT] = with_learnt_shapes(
                known, sweeps, truth, workers=self.workers
            )
        return self._screened[_LEARNT]

    def by(
        self, sweeps: Sequence[Sweep], recipe: Recipe, settings: DetectorSettings
    ) -> ScreenedLanes:
        """
        Return what the stages of a detector notice.

        Parameters
        ----------
        sweeps : sequence of Sweep
            Of both sensors.
        recipe : Recipe
            Of the detector.
        settings : DetectorSettings
            Of the detector, perhaps with echo shapes.

        Returns
        -------
        screened : ScreenedLanes
            As :meth:`of`, by these settings.
        """
        known = self.of(sweeps, recipe)
        if known.settings == settings:
            return known
        learnt = self._screened.get(_LEARNT)
        if learnt is None or learnt.settings != settings:
            self._screened[_LEARNT] = with_settings(
                known, sweeps, settings, workers=self.workers
            )
        return self._screened[_LEARNT]


#: Under which what learnt shapes noticed is kept.
_LEARNT = "learnt"


class Trained:
    """
    A detector of the library, trained from a recipe.

    Parameters
    ----------
    recipe : Recipe
        Sensors, stages, features and classifier; its name is that of the entrant.
    screens : Screens, optional
        What it shares with others.
    """

    def __init__(self, recipe: Recipe, screens: Screens | None = None):
        self.name, self.recipe = recipe.name, recipe
        self.screens = screens or Screens()

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
        self.screens.workers = workers
        learns = self.recipe.learns(self.recipe.apply(DetectorSettings()))
        self.detector = train_screened(
            self.screens.learn(sweeps, self.recipe, truth)
            if learns
            else self.screens.of(sweeps, self.recipe),
            truth,
            recipe=self.recipe,
            area=area,
            seed=seed,
        )

    def detect(self, sweeps: Sequence[Sweep], *, area: Sequence[Rectangle | Region]) -> Any:
        """Return its detection."""
        screened = self.screens.by(sweeps, self.recipe, self.detector.settings)
        return self.detector.judge(screened.lanes, area=area)

    def promise(self, found: Detection, miss_rate: float) -> Detection:
        """
        Return a detection decided again, so that a stated miss rate holds.

        Parameters
        ----------
        found : Detection
            What :meth:`detect` returned.
        miss_rate : float
            Greatest share of the targets of a lane that may be missed, on average.

        Returns
        -------
        detection : Detection
            With the guarantee of the training lanes, each held out.

        Raises
        ------
        ValueError
            If no threshold holds it.
        """
        return self.detector.decide_again(found, miss_rate=miss_rate)


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
        If the file is of neither form, cannot be read, or states another frame.
    ValueError
        If it holds no alarm, one of a lane that is none of the benchmark's, or what cannot be
        judged: an alarm twice, a score or a probability that is none.
    """

    def __init__(self, path: str | Path, threshold: float | None = None):
        path = Path(path)
        self.name = f"file: {path.name}"
        self._alarms: dict[str, list[Alarm]] = {}
        for alarm in read_alarms(path, frame=Frame()):  # the benchmark's is local
            self._alarms.setdefault(part_of(alarm.lane), []).append(alarm)
        if not self._alarms:
            msg = f"Invalid file '{path}': it holds no alarm. Must hold at least one."
            raise ValueError(msg)
        try:  # now, and not after the work
            for alarms in self._alarms.values():
                check_found(Found(ranked=alarms, threshold=0.0))
        except (TypeError, ValueError) as error:
            msg = f"{error} In file '{path}'."
            raise ValueError(msg) from None
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
        """Return the alarms of the lanes that are asked about; refuse a test without any."""
        lanes = {str(item[-1]) for item in area}
        parts = {part_of(lane) for lane in lanes}
        if not parts & set(self._alarms):  # it would be judged as a field with nothing in it
            msg = (
                f"Invalid {self.name}: it holds no alarm in any lane of "
                f"{', '.join(sorted(parts))}. Must hold those of every test that it enters."
            )
            raise ValueError(msg)
        for part in sorted(parts & set(self._alarms)):
            foreign = sorted({a.lane for a in self._alarms[part]} - lanes)
            if foreign:
                msg = (
                    f"Invalid {self.name}: it names lane '{foreign[0]}'. Must name lanes of "
                    "the benchmark in this size."
                )
                raise ValueError(msg)
        chosen = [a for alarms in self._alarms.values() for a in alarms if a.lane in lanes]
        return Found(ranked=chosen, threshold=self._threshold)


def new_entrant(name: str, screens: Screens | None = None) -> Entrant:
    """
    Return an entrant by name, untrained.

    Parameters
    ----------
    name : str
        One of :data:`minesense.bench.ENTRANTS`, or ``"package.module:Class"`` for a class of
        your own, which is imported and made without arguments.
    screens : Screens, optional
        For entrants of the library that run together.

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
    if ":" not in name:
        return ENTRANTS[check_one_of(name, "entrant", ENTRANTS)](screens or Screens())
    module, _, kind = name.partition(":")
    try:
        entrant = getattr(importlib.import_module(module), kind)()
    except (Exception, SystemExit) as error:  # noqa: BLE001, foreign code may do anything
        msg = (
            f"Invalid entrant {name!r}: {type(error).__name__}: {error}. Must be a module and "
            "a class in it that is made without arguments, as in 'my.detector:Mine'."
        )
        raise ValueError(msg) from None
    if not isinstance(entrant, Entrant):
        msg = f"Invalid entrant {name!r}. Must have a name, and methods train and detect."
        raise ValueError(msg)
    return entrant


def _recipe(name: str) -> Callable[[Screens], Entrant]:
    """Return what makes an entrant of one of the recipes."""
    return lambda screens: Trained(RECIPES[name], screens)


def _chance(kind: str) -> Callable[[Screens], Entrant]:
    """Return what makes a baseline that sees no sample."""

    def make(_screens: Screens) -> Entrant:
        return Dowsing() if kind == "dowsing" else RandomMarks()

    return make


#: What always runs: the detectors of all recipes, and two that see no sample. Those with other
#: stages come last.
ENTRANTS: Mapping[str, Callable[[Screens], Entrant]] = {
    **{
        name: _recipe(name)
        for name in sorted(RECIPES, key=lambda name: RECIPES[name].prescreener is not None)
    },
    "random": _chance("random"),
    "dowsing": _chance("dowsing"),
}
