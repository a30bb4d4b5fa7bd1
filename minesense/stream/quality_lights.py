"""Changes of what is wrong with a stream, for lights on a panel."""

from __future__ import annotations

import numpy as np

from ..sweep import Quality
from .events import Event, QualityChanged
from .poses import Poses
from .scan_checks import Scan


class QualityLights:
    """
    Tell when the flags of a stream are others than before.

    Parameters
    ----------
    stream : str
        Name of the stream.
    """

    def __init__(self, stream: str):
        self._stream = stream
        self._lights: int | None = None

    def take(self, scans: list[Scan], poses: Poses) -> list[Event]:
        """
        Take the next scans.

        Parameters
        ----------
        scans : list of Scan
            At least one.
        poses : Poses
            Of these scans.

        Returns
        -------
        events : list of Event
            The change, if there is one.
        """
        flags = int(np.bitwise_or.reduce(poses.flags))
        for scan in scans:
            flags |= scan.flags
        before, self._lights = self._lights, flags
        if before == flags:
            return []
        before = before or 0
        return [
            QualityChanged(
                stream=self._stream,
                time=scans[-1].time,
                quality=flags,
                added=_names(flags & ~before),
                removed=_names(before & ~flags),
            )
        ]


def _names(flags: int) -> tuple[str, ...]:
    """Return the names of flags."""
    return tuple(flag.name or "" for flag in Quality if flag & flags)
