"""Wait until it is time, at any speed."""

from __future__ import annotations

import math
import threading
import time

from .._validation import check_positive


class Pace:
    """
    Wait for times that were recorded, or that stamps tell, as they pass again.

    Parameters
    ----------
    speed : float
        How many of their seconds pass in one; infinite: no waiting.
    stop : threading.Event
        Ends any waiting.

    Examples
    --------
    >>> pace = Pace(math.inf, threading.Event())
    >>> pace.wait_for(0.0), pace.wait_for(1e9)
    (True, True)
    """

    def __init__(self, speed: float, stop: threading.Event):
        self._speed = speed if speed == math.inf else check_positive(speed, "speed")
        self._stop = stop
        self._first: float | None = None
        self._began = 0.0

    def wait_for(self, moment: float) -> bool:
        """
        Wait until a time has come.

        Parameters
        ----------
        moment : float
            Seconds. The first one is now; one before the last has come already.

        Returns
        -------
        goes_on : bool
            False after a stop.
        """
        if self._speed != math.inf and math.isfinite(moment):
            if self._first is None:
                self._first, self._began = moment, time.monotonic()
            due = self._began + (moment - self._first) / self._speed
            wait = due - time.monotonic()
            if wait > 0:
                self._stop.wait(wait)
        return not self._stop.is_set()
