"""What takes the place of a screen where there are no stages for a sensor."""

from __future__ import annotations

from collections.abc import Callable

from ..alarm import Candidate
from ..sensor import Sensor
from ..sweep import Sweep


class Unscreened:
    """What takes the place of a screen where there are no stages for a sensor."""

    note: Callable[[Sweep], None] | None = None

    def reach(self, sensor: Sensor) -> float:
        """Return 0: no alarm comes from here."""
        return 0.0

    def push(self, chunk: Sweep) -> list[Candidate]:
        """Hand the traces on as they are."""
        if self.note is not None and len(chunk):
            self.note(chunk)
        return []

    def end_part(self) -> list[Candidate]:
        """Return nothing: nothing was held."""
        return []
