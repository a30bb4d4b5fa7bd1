"""Ground that alarms are shown on until a named person has disposed of them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..alarm import DISC_95, Alarm
from .looks import Window
from .site import Site

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reported:
    """An alarm and the sensors whose layers show it; all if none is named."""

    alarm: Alarm
    sensors: tuple[str, ...]


class AlarmMarks:
    """
    Alarms of a site, none of which is ever forgotten.

    Parameters
    ----------
    site : Site
        With the radius around alarms.
    origin : (float, float)
        South-western corner of the grid, m.

    Examples
    --------
    >>> from minesense.evidence import read_site
    >>> from minesense.evidence.alarm_marks import AlarmMarks
    >>> AlarmMarks(read_site("examples/site.toml"), (0.0, 0.0)).disposed()
    {}
    """

    def __init__(self, site: Site, origin: tuple[float, float]):
        self.site, self.origin = site, origin
        self._alarms: dict[str, _Reported] = {}
        self._disposed: dict[str, str] = {}

    def add(self, alarm: Alarm, sensors: Iterable[str]) -> list[Box]:
        """
        Take in an alarm; return the boxes in which it changes states.

        Parameters
        ----------
        alarm : Alarm
            One without a position is shown nowhere.
        sensors : iterable of str
            Those whose layers show it; all if none is named.

        Returns
        -------
        boxes : list of (float, float, float, float)
            Easting and northing from, easting and northing to, m.

        Raises
        ------
        ValueError
            If there was an alarm with this identifier, or a sensor is unknown.
        """
        names = tuple(self.site.sensor_named(name).identifier for name in sensors)
        if alarm.identifier in self._alarms:
            msg = f"Invalid alarm '{alarm.identifier}': it came before. Must have its own name."
            raise ValueError(msg)
        self._alarms[alarm.identifier] = _Reported(alarm=alarm, sensors=names)
        return self._boxes(alarm)

    def dispose(self, identifier: str, *, by: str) -> list[Box]:
        """
        Note that a named person has dealt with an alarm; return where that changes states.

        Parameters
        ----------
        identifier : str
            Of an alarm that came before.
        by : str
            Pseudonym of the person.

        Returns
        -------
        boxes : list of (float, float, float, float)
            As of :meth:`add`.

        Raises
        ------
        ValueError
            If there was no such alarm, or nobody is named.
        """
        if identifier not in self._alarms:
            msg = f"Invalid alarm '{identifier}'. Must be one that was pushed."
            raise ValueError(msg)
        if not by.strip():
            msg = f"Invalid by {by!r}. Must name a person."
            raise ValueError(msg)
        self._disposed[identifier] = by
        return self._boxes(self._alarms[identifier].alarm)

    def disposed(self) -> dict[str, bool]:
        """Return whether a person has dealt with each alarm."""
        return {name: name in self._disposed for name in sorted(self._alarms)}

    def on_ground(self, sensor: str, window: Window) -> npt.NDArray[np.bool_]:
        """
        Return which cells of a window lie within an alarm that nobody has disposed of.

        Parameters
        ----------
        sensor : str
            Whose layer it is.
        window : Window
            Part of the grid.

        Returns
        -------
        alarmed : (n_rows, n_columns) bool ndarray
            Of the window.
        """
        from .._kernels.evidence_grid import mark_discs  # noqa: PLC0415 - see Looks.add

        marks = np.zeros(
            (window.row_end - window.row, window.column_end - window.column), np.uint8
        )
        discs = [
            self._disc(item.alarm)
            for name, item in self._alarms.items()
            if name not in self._disposed and (not item.sensors or sensor in item.sensors)
        ]
        table = np.array([disc for disc in discs if np.isfinite(disc).all()]).reshape(-1, 3)
        mark_discs(
            np.ascontiguousarray(table[:, :2]),
            np.ascontiguousarray(table[:, 2]),
            *self.origin,
            self.site.cell,
            window.row,
            window.column,
            marks,
        )
        return marks.astype(np.bool_)

    def _boxes(self, alarm: Alarm) -> list[Box]:
        """Return where an alarm changes states; nowhere if it has no position."""
        east, north, radius = self._disc(alarm)
        if not math.isfinite(east + north + radius):
            return []
        return [(east - radius, north - radius, east + radius, north + radius)]

    def _disc(self, alarm: Alarm) -> tuple[float, float, float]:
        """Return easting, northing and radius (m) of the ground that an alarm is shown on."""
        error = alarm.position_error if math.isfinite(alarm.position_error) else 0.0
        # Half a diagonal more: every cell that the disc touches.
        radius = self.site.alarm.radius + DISC_95 * error + self.site.cell * math.sqrt(0.5)
        return alarm.easting, alarm.northing, radius
