"""Stretches of a part whose scans have one state for the same reasons."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from .events import CoverageStretch, Event
from .runs import Run
from .states import Observation


@dataclass(frozen=True, slots=True, kw_only=True)
class PartName:
    """Which part of which lane of which stream."""

    stream: str
    lane: str
    number: int


class Stretches:
    """
    Join runs of scans of one state to stretches, and count them.

    Parameters
    ----------
    name : PartName
        What events call the part.
    kind : str
        Of the sensor.
    width : float
        That the sensor sees, m.
    interval : float
        Longest stretch, s.
    """

    def __init__(self, name: PartName, kind: str, *, width: float, interval: float):
        self.name, self._kind, self._width, self._interval = name, kind, width, interval
        self.states: Counter[str] = Counter()  #: scans settled, by state
        self.not_observed: Counter[str] = Counter()  #: by reason, those not wholly observed
        self.length = 0.0  #: m of track
        self._open: tuple[Observation, tuple[str, ...]] | None = None
        self._stretch: list[Run] = []

    def add(self, run: Run, state: Observation, reasons: tuple[str, ...]) -> list[Event]:
        """
        Add a run to the stretch that is open, or begin a new one.

        Parameters
        ----------
        run : Run
            Of scans that are settled.
        state : Observation
            Of the run.
        reasons : tuple of str
            Why it is not wholly observed.

        Returns
        -------
        events : list of Event
            The stretch that it ended.
        """
        self.states[state.name] += run.n_scans
        if state != Observation.OBSERVED_NO_ALARM:
            self.not_observed[reasons[0] if reasons else state.name] += run.n_scans
        self.length += run.length
        events: list[Event] = []
        is_long = self._stretch and (run.stop - self._stretch[0].start > self._interval)
        if self._open != (state, reasons) or is_long:
            events = self.end()
        self._open = (state, reasons)
        if self._stretch:
            last = self._stretch[0]
            last.stop, last.n_scans = run.stop, last.n_scans + run.n_scans
            last.length += run.length
        else:
            self._stretch = [run]
        return events

    def end(self) -> list[Event]:
        """
        End the stretch that is open.

        Returns
        -------
        events : list of Event
            The stretch, if there is one.
        """
        if not self._stretch or self._open is None:
            return []
        run, (state, reasons) = self._stretch[0], self._open
        self._stretch, self._open = [], None
        return [
            CoverageStretch(
                stream=self.name.stream,
                sensor=self._kind,
                lane=self.name.lane,
                part=self.name.number,
                start_time=run.start,
                stop_time=run.stop,
                length=run.length,
                area=run.length * self._width,
                n_scans=run.n_scans,
                state=state,
                reasons=reasons,
            )
        ]
