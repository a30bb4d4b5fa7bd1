"""Work out what was observed of a site from all that was recorded, at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..alarm import Alarm
from .function_checks import FunctionCheck
from .grid import CoverageGrid
from .site import Site
from .track import Track
from .tracker import CoverageTracker


def observe_site(
    site: Site,
    tracks: Iterable[Track],
    *,
    checks: Iterable[FunctionCheck] = (),
    alarms: Iterable[Alarm] = (),
    disposed: Mapping[str, str] | None = None,
) -> CoverageGrid:
    """
    Return what was observed of a site, from all that was recorded.

    Parameters
    ----------
    site : Site
        Polygons, targets, sensors, footprints and gates.
    tracks : iterable of Track
        In any order.
    checks : iterable of FunctionCheck
        In any order. Without a check before and after it, nothing counts.
    alarms : iterable of Alarm
        Each is shown in the layers of all sensors.
    disposed : dict of str to str, optional
        Who has disposed of an alarm, by its identifier.

    Returns
    -------
    grid : CoverageGrid
        States and figures of each cell for each sensor and target.

    Raises
    ------
    TypeError, ValueError
        As by :meth:`CoverageTracker.push_track` and its siblings.

    Notes
    -----
    A stretch between two neighbouring samples is credited up to the radius that the footprint
    has at the less favourable of both heights, less the 95 % position error, if all gates are
    met along it. Otherwise its flags say what was missed: with one of `PARTIAL` it makes a
    cell PARTIALLY_OBSERVED, with one of `NOT_CREDITED` it observes nothing, with one of
    `NOT_VALID` it makes a cell INVALID (:mod:`minesense.evidence.reasons`). The best look
    counts, but saturation and alarms stay ALARM.

    Examples
    --------
    >>> from minesense.evidence import State, observe_site, read_site
    >>> grid = observe_site(read_site("examples/site.toml"), [])
    >>> grid.areas(grid.summary())[State.NOT_OBSERVED] == grid.task_area
    True
    """
    tracker = CoverageTracker(site)
    for check in sorted(checks, key=lambda item: (item.sensor, item.session, item.time)):
        tracker.push_check(check)
    ordered = [track for track in tracks if _starts(track)]
    for track in sorted(ordered, key=lambda x: (x.sensor, x.session, float(x.time[0]))):
        tracker.push_track(track)
    for alarm in alarms:
        tracker.push_alarm(alarm)
    for identifier, by in (disposed or {}).items():
        tracker.dispose(identifier, by=by)
    return tracker.finish()


def _starts(track: object) -> bool:
    """Return whether a track has samples; raise unless it is one."""
    if not isinstance(track, Track):
        msg = f"Invalid track of type {type(track).__name__}. Must be a Track."
        raise TypeError(msg)
    return len(track) > 0
