"""Where scans that were located together do not belong to one part."""

from __future__ import annotations

import numpy as np

from ..sweep import Quality
from .lanes import LaneBook
from .poses import Poses
from .scan_checks import Scan

_NO_POSE = int(Quality.POSE_NONE)


def unbroken(
    scans: list[Scan], poses: Poses, book: LaneBook, *, max_scan_gap: float
) -> list[tuple[int, int]]:
    """
    Return stretches of scans without any reason to cut between them.

    Parameters
    ----------
    scans : list of Scan
        In order, at least one.
    poses : Poses
        Of these scans.
    book : LaneBook
        Says where lanes end.
    max_scan_gap : float
        Between scans that does not end a part, s.

    Returns
    -------
    stretches : list of tuple of int
        First scan of each, and the one behind its last.
    """
    n = len(scans)
    is_lost = (poses.flags & _NO_POSE) != 0
    cut = np.zeros(n, bool)
    cut[1:] = is_lost[1:] != is_lost[:-1]
    times = [scan.time for scan in scans]
    for k in range(1, n):
        scan = scans[k]
        is_gap = times[k] - times[k - 1] > max_scan_gap
        cut[k] |= scan.begins or scan.restarts or is_gap
    if n > 1:
        steps = np.hypot(*np.diff(poses.position[:, :2], axis=0).T)
        cut[1:] |= steps > book.settings.max_gap
    bound = book.next_bound(book.lane_at(times[0])[0])
    while bound <= times[-1]:
        first = int(np.searchsorted(times, bound, side="left"))
        cut[first] = True
        bound = book.next_bound(book.lane_at(times[first])[0])
    starts = [0, *(k for k in np.flatnonzero(cut).tolist() if k)]
    return list(zip(starts, [*starts[1:], n], strict=True))


def poses_of(poses: Poses, start: int, stop: int) -> Poses:
    """
    Return the poses of some scans.

    Parameters
    ----------
    poses : Poses
        Of all.
    start, stop : int
        First, and the one behind the last.

    Returns
    -------
    poses : Poses
        Of those.
    """
    return Poses(
        *(
            getattr(poses, name)[start:stop]
            for name in ("position", "heading", "speed", "height", "tilt", "error", "flags")
        )
    )
