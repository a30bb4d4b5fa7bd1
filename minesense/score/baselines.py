"""Alarms that no sensor raised: what any detector must beat, and what checks the scorer."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from .._validation import check_positive, check_rng
from ..alarm import Alarm
from ..coverage import Coverage
from .matching import check_coverage


def random_alarms(
    coverage: Coverage, density: float, rng: np.random.Generator, *, sensors: str = "any"
) -> list[Alarm]:
    """
    Return alarms at random places of the observed ground, with random scores.

    Parameters
    ----------
    coverage : Coverage
        What was observed.
    density : float
        Expected alarms per square metre.
    rng : numpy.random.Generator
        Where the randomness comes from.
    sensors : str
        Whose observation counts: a kind of sensor, `"any"` or `"all"`.

    Returns
    -------
    list of Alarm
        A Poisson number of them, in order of place; scores are uniform between 0 and 1.

    Raises
    ------
    TypeError, ValueError
        If coverage is no Coverage, rng no generator, or density not greater than zero.

    Notes
    -----
    A target whose halo of area A is observed and overlaps no other is detected with
    probability ``1 - exp(-q A)``, q the density.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.coverage import observe
    >>> from minesense.score import random_alarms
    >>> from minesense.sensor import Sensor
    >>> from minesense.sweep import Sweep
    >>> northing = np.arange(0.0, 10.0, 0.05)
    >>> sweep = Sweep(
    ...     samples=np.zeros((200, 1, 1)),
    ...     time=northing,
    ...     position=np.column_stack([0 * northing, northing, 0 * northing]),
    ...     heading=0 * northing,
    ...     sensor=Sensor(name="demo", kind="emi", axis=[1e-5], lever_arms=[[0, 0, 0]]),
    ...     lane="A",
    ... )
    >>> coverage = observe([sweep], footprint=0.4)
    >>> alarms = random_alarms(coverage, 2.0, np.random.default_rng(seed=0))
    >>> all(coverage.is_observed(alarm.easting, alarm.northing) for alarm in alarms)
    True
    >>> abs(len(alarms) - 2.0 * coverage.area()) < 4 * (2.0 * coverage.area()) ** 0.5
    True
    """
    seen = check_coverage(coverage).mask(sensors) & coverage.wanted
    density, rng = check_positive(density, "density"), check_rng(rng)
    counts = rng.poisson(density * coverage.cell**2, size=int(seen.sum()))
    rows, columns = (np.repeat(index, counts) for index in np.nonzero(seen))
    within = rng.random((2, len(rows)))
    east = coverage.origin[0] + (columns + within[0]) * coverage.cell
    north = coverage.origin[1] + (rows + within[1]) * coverage.cell
    return _alarms("random", coverage, east, north, rng.random(len(rows)))


def layout_alarms(coverage: Coverage, density: float, *, sensors: str = "any") -> list[Alarm]:
    """
    Return alarms where someone who sees the lanes, but no sample, would expect targets.

    They stand on the middle line of each lane, evenly along it, like the test pieces of a
    field that was laid out with a tape measure. If they score above the interval of
    :func:`random_alarms` of the same density, the layout of the field gives targets away.

    Parameters
    ----------
    coverage : Coverage
        What was observed, by lanes.
    density : float
        Alarms per square metre of observed ground.
    sensors : str
        Whose observation counts: a kind of sensor, `"any"` or `"all"`.

    Returns
    -------
    list of Alarm
        Lane by lane; scores fall from the middle of a lane to its ends.

    Raises
    ------
    TypeError, ValueError
        If coverage is no Coverage, or density is not greater than zero.

    Notes
    -----
    Of n alarms in a lane, alarm i lies at the share ``(i + 1/2) / n`` of the longer side of
    the lane's bounding box, in the middle of the shorter side; n is the density times the
    lane's area, rounded.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.coverage import observe
    >>> from minesense.score import layout_alarms
    >>> from minesense.sensor import Sensor
    >>> from minesense.sweep import Sweep
    >>> northing = np.arange(0.0, 10.01, 0.05)
    >>> sweep = Sweep(
    ...     samples=np.zeros((201, 1, 1)),
    ...     time=northing,
    ...     position=np.column_stack([0 * northing, northing, 0 * northing]),
    ...     heading=0 * northing,
    ...     sensor=Sensor(name="demo", kind="emi", axis=[1e-5], lever_arms=[[0, 0, 0]]),
    ...     lane="A",
    ... )
    >>> coverage = observe([sweep], footprint=0.6, area=[(-0.5, 0.0, 0.5, 10.0, "A")])
    >>> alarms = layout_alarms(coverage, 0.4)
    >>> [(round(alarm.easting, 2), round(alarm.northing, 2)) for alarm in alarms]
    [(0.0, 1.25), (0.0, 3.75), (0.0, 6.25), (0.0, 8.75)]
    """
    seen = check_coverage(coverage).mask(sensors) & coverage.wanted
    density = check_positive(density, "density")
    east, north, scores = [], [], []
    for index in range(len(coverage.lanes)):
        cells = np.argwhere(seen & (coverage.lane_index == index))
        n = round(density * len(cells) * coverage.cell**2)
        if not n:
            continue
        first, stop = cells.min(axis=0), cells.max(axis=0) + 1
        share = (np.arange(n) + 0.5) / n
        is_long = (stop - first) == (stop - first).max()
        row, column = (
            first[k] + (stop[k] - first[k]) * (share if is_long[k] else np.full(n, 0.5))
            for k in (0, 1)
        )
        if is_long.all():  # a square: along northing
            column = np.full(n, (first[1] + stop[1]) / 2)
        east.append(coverage.origin[0] + column * coverage.cell)
        north.append(coverage.origin[1] + row * coverage.cell)
        scores.append(1 - np.abs(2 * share - 1))
    parts = [np.concatenate([np.empty(0), *part]) for part in (east, north, scores)]
    return _alarms("layout", coverage, *parts)


def _alarms(
    name: str,
    coverage: Coverage,
    east: npt.NDArray[np.float64],
    north: npt.NDArray[np.float64],
    scores: npt.NDArray[np.float64],
) -> list[Alarm]:
    """Return alarms at places that no sensor gave."""
    return [
        Alarm(
            identifier=f"{name}-{i:06d}",
            lane=coverage.lane_at(x, y),
            time=math.nan,
            easting=x,
            northing=y,
            position_error=0.0,
            depth=math.nan,
            probability=math.nan,
            score=value,
            model=f"baseline: {name}",
        )
        for i, (x, y, value) in enumerate(
            zip(east.tolist(), north.tolist(), scores.tolist(), strict=True)
        )
    ]
