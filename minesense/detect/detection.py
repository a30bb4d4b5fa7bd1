"""What a detector returns, and one lane on its way there."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .._validation import check_count
from ..alarm import Alarm, Candidate, Withheld
from ..coverage import Coverage, Rectangle, Region, observe
from ..gaps import Gap
from ..sensor import Sensor
from ..sweep import Sweep, form_of
from .even_track import EvenTrack
from .familiarity import Unfamiliar
from .feature_groups import KINDS
from .guarantee import Guarantee
from .screen import Screen, Screened
from .settings import DetectorSettings

#: What a detector may listen to.
MODES = ("both", "gpr", "emi")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Detection(Sequence[Alarm]):
    """
    The alarms of a detector, strongest first, and what they rest on.

    As a sequence it holds the alarms at or above the threshold. `ranked` holds every place
    that was noticed, so that a curve can be drawn; nothing is ever deleted. Where the
    settings cap the candidates of an area, `withheld` tells what was noticed beyond.

    Some places are alarms though both sensors together would not make them one: `kept` says
    which and who asked for it, a sensor alone or ground unlike that of training. Their
    scores stand just above the threshold; `evidence["log_odds"]` is what they were.
    """

    ranked: tuple[Alarm, ...]
    threshold: float  #: of the score, set before the data were seen
    mode: str
    coverage: Coverage  #: which ground was observed, and why not
    gaps: tuple[Gap, ...]
    model: str
    withheld: tuple[Withheld, ...] = ()  #: where a cap held candidates back; Pd is more
    #: by identifier, who keeps an alarm whose log odds are below the threshold
    kept: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unfamiliar: tuple[Unfamiliar, ...] = ()  #: where no probability is stated, and why
    guarantee: Guarantee | None = None  #: of a stated miss rate, if one was stated

    def __len__(self) -> int:
        """Return the number of alarms at or above the threshold."""
        return sum(alarm.score >= self.threshold for alarm in self.ranked)

    def __getitem__(self, index: Any) -> Any:
        """Return one or several of the alarms at or above the threshold."""
        return self.ranked[: len(self)][index]

    def __iter__(self) -> Iterator[Alarm]:
        """Iterate over the alarms at or above the threshold, strongest first."""
        return iter(self.ranked[: len(self)])


class LaneDetection:
    """
    One lane on its way through a detector, chunk by chunk.

    Pushing returns what the prescreeners notice at once (the search output); finishing
    returns the lane for :meth:`Detector.judge`, which has seen the whole place.

    Parameters
    ----------
    settings : DetectorSettings
        What the stages are told.
    sensors : dict of dict
        What each sensor must be, by kind; descriptions as of
        :meth:`minesense.sensor.Sensor.describe`.
    lane : str
        Its name.

    Notes
    -----
    Traces may come at any pace, not more than 30 % farther apart than the settings say; they
    are brought to that spacing before they are screened. Where places are lost for more than
    `max_gap` they go on as they were recorded, of dense ones each so many, with their flags.
    """

    def __init__(
        self,
        settings: DetectorSettings,
        sensors: Mapping[str, Mapping[str, Any]],
        lane: str = "",
    ):
        self.settings = settings
        self.sensors = sensors
        self.lane = lane
        self._screens: dict[str, Screen] = {}
        self._tracks: dict[str, EvenTrack] = {}
        self._chunk_lane: str | None = None
        self._found: dict[str, Screened] = {}  # since the lane was finished
        self._broken: str | None = None  # why the lane cannot go on

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
            If the sensor is not the one the model was made for, the chunk does not continue
            the lane that the first chunk of either sensor named, or a stage refuses it: no
            other is taken then.
        """
        check_sensor(chunk.sensor, self.sensors)
        if self._chunk_lane not in (None, chunk.lane):
            msg = (
                f"Invalid chunk of lane '{chunk.lane}'. Must belong to lane "
                f"'{self._chunk_lane}', like the first."
            )
            raise ValueError(msg)
        self._chunk_lane = chunk.lane
        kind = chunk.sensor.kind
        if kind not in self._screens:
            screen = Screen(self.settings, is_even=True)
            screen.push(form_of(chunk))  # refuses a sensor before anything is kept
            self._screens[kind], self._tracks[kind] = screen, self._even_track(kind)
        self._refuse_broken()
        if kind in self._found:
            msg = (
                f"Invalid chunk of lane '{chunk.lane}': it was finished. Must be of a new lane."
            )
            raise ValueError(msg)
        even = self._tracks[kind].process(chunk)  # keeps nothing of what it refuses
        try:
            return self._screens[kind].push(even)
        except (TypeError, ValueError) as error:
            self._broken = str(error)  # part of the lane is gone: it must not go on
            raise

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
            If nothing was pushed, the lane is too short to be judged, its traces are too far
            apart, or its track winds as that of a swung head.
        """
        if not self._screens:
            msg = f"Invalid lane '{self.lane}': nothing was pushed. Must hold a sweep."
            raise ValueError(msg)
        self._refuse_broken()
        for kind in KINDS:
            if kind in self._screens and kind not in self._found:
                self._found[kind] = self._finish(kind)
        return dict(self._found)

    def _refuse_broken(self) -> None:
        """Raise if traces were lost by an error."""
        if self._broken is not None:
            msg = (
                f"Invalid lane '{self._chunk_lane}': a chunk was refused half-way "
                f"({self._broken}). Must begin anew: what follows would hide what is missing."
            )
            raise ValueError(msg)

    def _even_track(self, kind: str) -> EvenTrack:
        """Return what brings a sensor's traces to the spacing of its stages."""
        options = self.settings.radar if kind == "gpr" else self.settings.coils
        return EvenTrack(
            spacing=options.spacing,
            max_step=self.settings.max_gap,
            max_pause=self.settings.max_pause,
        )

    def _finish(self, kind: str) -> Screened:
        """Return what the screen of one sensor found."""
        track = self._tracks[kind]
        self._screens[kind].push(track.flush())
        screened = self._screens[kind].finish()
        return dataclasses.replace(screened, gaps=tuple(track.gaps))  # as they were recorded


def screen_whole(
    begin: Callable[[str], LaneDetection],
    sweeps: Iterable[Sweep],
    kinds: Sequence[str],
    *,
    workers: int = 1,
    progress: Callable[[str], None] | None = None,
) -> list[Mapping[str, Screened]]:
    """
    Push whole lanes through a detector.

    Parameters
    ----------
    begin : callable
        Returns a lane to push to, by its name.
    sweeps : iterable of Sweep
        Of one or more lanes.
    kinds : sequence of str
        Sensors that are listened to; sweeps of others are left out.
    workers : int
        Threads that share the lanes. The result does not depend on it.
    progress : callable, optional
        Called with the name of each lane that is done.

    Returns
    -------
    lanes : list of dict of Screened
        In the order in which the sweeps name them.

    Raises
    ------
    TypeError, ValueError
        If something is no Sweep, none is of the kinds, or a lane cannot be judged.

    Examples
    --------
    >>> from minesense.detect.detection import screen_whole
    >>> screen_whole(None, [], ("gpr",))
    Traceback (most recent call last):
    ValueError: Invalid sweeps: none of kind gpr. Must hold at least one.
    """
    if isinstance(sweeps, Sweep):
        msg = "Invalid sweeps of type Sweep. Must be a list of them, of one lane or more."
        raise TypeError(msg)
    lanes: dict[str, list[Sweep]] = {}
    for sweep in sweeps:
        if not isinstance(sweep, Sweep):
            msg = f"Invalid sweeps: one is of type {type(sweep).__name__}. Must be Sweeps."
            raise TypeError(msg)
        if sweep.sensor.kind in kinds:
            lanes.setdefault(sweep.lane, []).append(sweep)
    if not lanes:
        msg = f"Invalid sweeps: none of kind {' or '.join(kinds)}. Must hold at least one."
        raise ValueError(msg)

    def run(item: tuple[str, list[Sweep]]) -> Mapping[str, Screened]:
        lane = begin(item[0])
        for sweep in item[1]:
            lane.push(sweep)
        screened = lane.finish()
        if progress is not None:
            progress(item[0])
        return screened

    with ThreadPoolExecutor(check_count(workers, "workers")) as pool:
        return list(pool.map(run, lanes.items()))


def check_sensor(sensor: Sensor, expected: Mapping[str, Mapping[str, Any]]) -> None:
    """
    Raise unless a sensor is one that a model was made for.

    Parameters
    ----------
    sensor : Sensor
        What recorded the sweep.
    expected : dict of dict
        Descriptions by kind, as of :meth:`minesense.sensor.Sensor.describe`.

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
    # numbers before lists: the count of channels says more than their places
    figures = sorted(expected[sensor.kind].items(), key=lambda item: isinstance(item[1], list))
    for name, wanted in figures:
        found = sensor.describe().get(name)
        same = found == wanted or _is_close(found, wanted)
        if not same:
            msg = (
                f"Invalid sensor '{sensor.name}': its {name} is {found!r}. Must be {wanted!r}, "
                "as the sensor that the model was trained on."
            )
            raise ValueError(msg)


def _is_close(found: Any, wanted: Any) -> bool:
    """Return whether two numbers, or lists of them, agree to 1e-6 of the largest."""
    try:
        a, b = np.asarray(found, dtype=np.float64), np.asarray(wanted, dtype=np.float64)
    except (TypeError, ValueError):
        return False
    return a.shape == b.shape and bool((np.abs(a - b) <= 1e-6 * np.abs(b).max(initial=0)).all())


def observed(
    lanes: Sequence[Mapping[str, Screened]],
    settings: DetectorSettings,
    *,
    area: Sequence[Rectangle | Region] | None = None,
    kinds: Sequence[str] = (),
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
    kinds : sequence of str
        Kinds of sensor that were wanted: one that no lane has observed nothing.

    Returns
    -------
    coverage : Coverage
        By kind of sensor, with reasons for what was not observed.

    Examples
    --------
    At its ends the stages have too little of a lane: that ground is not observed.

    >>> import numpy as np
    >>> from minesense.detect import DetectorSettings, Screen, observed
    >>> from minesense.sensor import Radar, Sensor
    >>> from minesense.sweep import Sweep
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
    present = {*kinds, *(track.sensor.kind for track in tracks)}
    footprint = {"gpr": settings.radar_footprint, "emi": settings.coil_footprint}
    return observe(
        tracks,
        footprint={kind: footprint[kind] for kind in sorted(present)},
        area=area,
        max_step=settings.max_gap,
    )
