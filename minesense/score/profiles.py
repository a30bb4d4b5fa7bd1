"""Named scoring profiles, and what the choice of the radius does to a score."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from .._validation import check_positive
from ..alarm import Alarm
from ..coverage import Coverage
from ..truth import Truth
from .grounds import scored_ground
from .halo import Halo
from .intervals import clopper_pearson, poisson_rate
from .matching import match
from .result import Proportion, Rate

#: Radii in metres over which a score is published beside its profile.
RADII = (0.10, 0.15, 0.25, 0.35, 0.50)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A halo with a name, where it comes from, and how sure that is."""

    name: str
    halo: Halo
    rule: str  #: a hit is an alarm ...
    source: str
    status: str  #: "verified", or "unverified", and what to mind


#: Profiles by name.
PROFILES: Mapping[str, Profile] = MappingProxyType(
    {
        profile.name: profile
        for profile in (
            Profile(
                name="handheld",
                halo=Halo(kind="handheld", radius=0.10),
                rule="within half the extent of the target plus 0.10 m of its centre",
                source="practice of trials under CWA 14747 for hand-held metal detectors",
                status=(
                    "unverified: sources differ on whether the extent is that of the target "
                    "or of its metal"
                ),
            ),
            Profile(
                name="vehicle",
                halo=Halo(kind="vehicle", radius=0.25),
                rule="within 0.25 m of the edge of the target",
                source="custom of trials of vehicle arrays",
                status="unverified",
            ),
            Profile(
                name="atc_uxo",
                halo=Halo(kind="elongated", radius=0.5),
                rule=(
                    "within 0.5 m of the centre of an item shorter than 0.6 m; else within an "
                    "ellipse of 1 m by the item's length plus 1 m"
                ),
                source=(
                    "standardised UXO test sites of the US Army, "
                    "http://aec.army.mil/usaec/technology/uxo01h.html"
                ),
                status="verified; made for unexploded shells, too loose for mines",
            ),
            Profile(
                name="hratc",
                halo=Halo(kind="fixed", radius=0.5),
                rule="within 0.5 m of the centre",
                source=(
                    "Humanitarian Robotics and Automation Technology Challenge, "
                    "https://github.com/phir2-lab/hratc2017_framework"
                ),
                status="verified; too loose for mines",
            ),
        )
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RadiusScore:
    """The score at one radius of the halo."""

    radius: float  #: m
    pd_swept: Proportion
    false_alarms: Rate


def sensitivity(
    alarms: Iterable[Alarm],
    truth: Truth,
    coverage: Coverage,
    *,
    halo: Halo | None = None,
    radii: Sequence[float] = RADII,
    threshold: float | None = None,
    sensors: str = "any",
    confidence: float = 0.95,
) -> tuple[RadiusScore, ...]:
    """
    Return Pd and false alarms per area over the radius of the halo.

    Parameters
    ----------
    alarms : iterable of Alarm
        In any order.
    truth : Truth
        What is in the ground.
    coverage : Coverage
        What was observed.
    halo : Halo, optional
        Whose radius is changed; its kind and its ring, in radii, stay.
    radii : sequence of float
        In metres.
    threshold : float, optional
        Lowest score of an alarm that counts; all count without it.
    sensors : str
        Whose observation counts: a kind of sensor, `"any"` or `"all"`.
    confidence : float
        Of the limits.

    Returns
    -------
    tuple of RadiusScore
        One for every radius, in the order given.

    Raises
    ------
    TypeError, ValueError
        As for :func:`minesense.score.score`; in particular if the truth is known no better
        than to a third of the smallest radius: a run is valid only at radii beyond that.

    Notes
    -----
    Ground in halos and rings is left out at each radius anew, so that the area on which
    false alarms count shrinks as the radius grows.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.coverage import observe
    >>> from minesense.score import random_alarms, sensitivity
    >>> from minesense.sensor import Sensor
    >>> from minesense.sweep import Sweep
    >>> from minesense.truth import Target, Truth
    >>> northing = np.arange(0.0, 20.0, 0.05)
    >>> sweep = Sweep(
    ...     samples=np.zeros((400, 1, 1)),
    ...     time=northing,
    ...     position=np.column_stack([0 * northing, northing, 0 * northing]),
    ...     heading=0 * northing,
    ...     sensor=Sensor(name="demo", kind="emi", axis=[1e-5], lever_arms=[[0, 0, 0]]),
    ...     lane="A",
    ... )
    >>> coverage = observe([sweep], footprint=0.8)
    >>> mine = {"kind": "disc", "is_target": True, "easting": 0.0, "depth": 0.05}
    >>> mine |= {"diameter": 0.1, "metal_class": "low"}
    >>> truth = Truth(
    ...     objects=tuple(
    ...         Target(identifier=f"T{k}", northing=2.0 + 4.0 * k, **mine) for k in range(4)
    ...     )
    ... )
    >>> marks = random_alarms(coverage, 1.0, np.random.default_rng(seed=1))
    >>> points = sensitivity(marks, truth, coverage)
    >>> [point.radius for point in points]
    [0.1, 0.15, 0.25, 0.35, 0.5]
    >>> found = [point.pd_swept.k for point in points]
    >>> found == sorted(found)
    True
    """
    chosen = Halo() if halo is None else halo
    everything = list(alarms)
    points = []
    for radius in radii:
        tried = dataclasses.replace(chosen, radius=check_positive(radius, "radius"))
        matching = match(
            everything, truth, tried, coverage=coverage, sensors=sensors, threshold=threshold
        )
        area = scored_ground(truth, coverage, halo=tried, sensors=sensors).scored
        is_found = np.array([t.outcome == "detected" for t in matching.targets if t.is_swept])
        k, n, false = int(is_found.sum()), len(is_found), matching.count("false")
        share = clopper_pearson(k, n, confidence=confidence)
        rate = poisson_rate(false, area, confidence=confidence)
        points.append(
            RadiusScore(
                radius=float(radius),
                pd_swept=Proportion(k=k, n=n, **share._asdict()),
                false_alarms=Rate(count=false, area=area, **rate._asdict()),
            )
        )
    return tuple(points)
