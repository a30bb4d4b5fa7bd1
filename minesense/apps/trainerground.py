"""The ground that a learner sweeps: what the detector says over it, and what lies in it."""

from __future__ import annotations

import dataclasses
import hashlib
import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from .._validation import check_at_most, check_count, check_one_of, check_positive
from ..coverage import Rectangle, Region
from ..digest import canonical
from ..emi import Voice
from ..emi.preprocess import received_decays, soil_basis
from ..emi.prescreen import TAUS
from ..head import Circle, Head, Polygon, PulseTrain
from ..sensor import Sensor
from ..sweep import Floats
from ..synthetic import SOILS, Field, Lane, Scenario, field, handheld, scenario
from ..synthetic.coil_lane import coil_samples, reach_of
from ..synthetic.simulate import lane_scene
from ..truth import Truth

#: Over mean ground, m: where the statistic is known, between them it is interpolated.
HEIGHTS = (0.03, 0.04, 0.05, 0.06, 0.08, 0.10, 0.13, 0.17, 0.22, 0.30)

#: m between the places where the statistic is known, and beyond the lane as far as it is.
STEP, ASIDE = 0.02, 0.20

#: m, of the coil.
RADIUS = 0.10

_BALANCED = 0.05  # m over mean ground, at which the detector is balanced
_NOISE = 4e-10  # V per ampere at the first gate, of a hundredth of a second, as a simulator's
_MARGIN = 1.2  # m of ground around a lane that the coil stands for

#: Targets that hold metal, and how they are called on a sheet.
_KINDS = ("pmn", "pmn2", "type72a", "m14", "ts50", "pma2", "pma3", "simulant_shell")
_TEST_PIECE = "simulant_shell"

#: Pieces of metal per m^2 by the word for it.
CLUTTER = {"none": 0.0, "little": 0.5, "much": 2.0}

Kind = Literal["check", "open", "blind"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """
    What a learner is given to do.

    Raises
    ------
    TypeError, ValueError
        If a value is not one of those allowed.
    """

    seed: int = 1  #: source of all chance
    n_open: int = 1  #: lanes with display
    n_blind: int = 2  #: lanes without
    head: Literal["single", "double-d"] = "single"
    mode: Literal["static", "dynamic"] = "static"
    soil: str = "loam"  #: of SOILS
    clutter: str = "little"  #: of CLUTTER
    length: float = 3.0  #: m, of a lane

    def __post_init__(self) -> None:
        check_count(self.seed, "seed", least=0)
        check_at_most(check_count(self.n_open, "n_open", least=0), "n_open", 8)
        check_at_most(check_count(self.n_blind, "n_blind"), "n_blind", 8)
        check_one_of(self.head, "head", ("single", "double-d"))
        check_one_of(self.mode, "mode", ("static", "dynamic"))
        check_one_of(self.soil, "soil", SOILS)
        check_one_of(self.clutter, "clutter", CLUTTER)
        length = check_at_most(check_positive(self.length, "length"), "length", 10.0, "m")
        if length < 1.0:
            msg = f"Invalid length '{length}'. Must be at least 1 m."
            raise ValueError(msg)

    @property
    def voice(self) -> Voice:
        """How the statistic sounds."""
        return Voice(
            threshold=4.0, full=2000.0, saturation=20_000.0, head=self.head, mode=self.mode
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ground:
    """One step of the course: a lane, or the pad with the test piece."""

    name: str
    kind: Kind
    width: float  #: m
    length: float  #: m
    start: tuple[float, float]  #: easting and northing of the middle of its first end, m
    area: Rectangle | Region
    truth: Truth
    statistic: npt.NDArray[np.float32]  #: (heights, forward, right)

    @property
    def origin(self) -> tuple[float, float]:
        """Right and forward of the first place of the statistic, m, in the lane's axes."""
        return -self.width / 2 - ASIDE, -ASIDE

    def at(self, right: Floats, forward: Floats, height: Floats) -> Floats:
        """
        Return the statistic at poses of the head, as the page finds it.

        Parameters
        ----------
        right, forward, height : (n,) float64 ndarray
            In the lane's axes, m.

        Returns
        -------
        statistic : (n,) float64 ndarray
            Interpolated linearly in its inverse hyperbolic sine; held at the lowest and the
            highest height, NaN beyond the ground.
        """
        levels = np.array(HEIGHTS)
        n_up, n_forward, n_right = self.statistic.shape
        x = (np.asarray(right, float) - self.origin[0]) / STEP
        y = (np.asarray(forward, float) - self.origin[1]) / STEP
        inside = (x >= 0) & (x <= n_right - 1) & (y >= 0) & (y <= n_forward - 1)
        x, y = np.where(inside, x, 0.0), np.where(inside, y, 0.0)
        z = np.clip(np.asarray(height, float), levels[0], levels[-1])
        k = np.clip(np.searchsorted(levels, z, side="right") - 1, 0, n_up - 2)
        i = np.minimum(x.astype(int), n_right - 2)
        j = np.minimum(y.astype(int), n_forward - 2)
        u, v = x - i, y - j
        w = (z - levels[k]) / (levels[k + 1] - levels[k])
        folded = np.arcsinh(self.statistic.astype(np.float64))
        total = np.zeros(len(x))
        for a, share_a in ((0, 1 - w), (1, w)):
            for b, share_b in ((0, 1 - v), (1, v)):
                for c, share_c in ((0, 1 - u), (1, u)):
                    total += share_a * share_b * share_c * folded[k + a, j + b, i + c]
        return np.where(inside, np.sinh(total), np.nan)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Training:
    """A course made: its grounds in order, and the seal of what lies in the blind lanes."""

    course: Course
    grounds: tuple[Ground, ...]
    salt: str  #: makes the seal of a small truth impossible to guess

    @property
    def blind(self) -> tuple[Ground, ...]:
        """The lanes whose truth is sealed."""
        return tuple(ground for ground in self.grounds if ground.kind == "blind")

    @property
    def truth(self) -> Truth:
        """What lies in the blind lanes."""
        objects = tuple(item for ground in self.blind for item in ground.truth.objects)
        return Truth(objects=objects, is_synthetic=True)

    @property
    def sealed(self) -> dict[str, Any]:
        """What the seal is of: opened after the last mark, and not before."""
        lanes = [
            {
                "lane": ground.name,
                "objects": [dataclasses.asdict(item) for item in ground.truth.objects],
                "start": list(ground.start),
            }
            for ground in self.blind
        ]
        return {"is_synthetic": True, "lanes": lanes, "salt": self.salt}

    @property
    def seal(self) -> str:
        """SHA-256 of the canonical JSON of what is sealed, in hexadecimal."""
        return hashlib.sha256(canonical(self.sealed)).hexdigest()


def detector(head: str) -> Sensor:
    """
    Return the metal detector of the trainer.

    Parameters
    ----------
    head : {"single", "double-d"}
        One coil; or a coil and a receiver of two halves, D-shaped, wound oppositely, whose
        signal is positive right of its middle.

    Returns
    -------
    sensor : Sensor
        Of pulse induction, with the waveform of the simulator's hand-held head.

    Examples
    --------
    >>> from minesense.apps.trainerground import detector
    >>> len(detector("double-d").head.receiver)
    2
    """
    coils = handheld(sensors="coil").coils
    assert coils is not None
    if head == "single":
        return coils
    assert isinstance(coils.head, Head)
    angle = math.pi * (0.5 + np.arange(17) / 16)
    left = np.column_stack([np.cos(angle), np.sin(angle), np.zeros(17)]) * RADIUS
    right = (left * [-1.0, 1.0, 1.0])[::-1]
    up = np.array([0.0, 0.0, 0.002])
    # left and right wound so that the signal of metal is positive on the right
    receiver = (
        Polygon(vertices=right + up, turns=1.0),
        Polygon(vertices=left + up, turns=-1.0),
    )
    wires = Head(
        transmitter=(Circle(radius=RADIUS),),
        receiver=receiver,
        excitation=coils.head.excitation,
        height=coils.head.height,
    )
    return dataclasses.replace(coils, name="double-D head", head=wires)


def statistic_of(samples: Floats, sensor: Sensor) -> Floats:
    r"""
    Return what the tone follows: how much metal, in standard deviations of the noise.

    Parameters
    ----------
    samples : (n, n_gates) float64 ndarray
        V per ampere.
    sensor : Sensor
        Of :func:`detector`.

    Returns
    -------
    statistic : (n,) float64 ndarray
        Not negative for one coil; for a double-D head negative where the metal lies left.

    Notes
    -----
    Of a trace x with independent noise of standard deviations :math:`\sigma_g`, the largest
    :math:`|u_k^T Q \Sigma^{-1} x|` over a bank of decays, :math:`u_k` of unit length and Q the
    projection off the soil's course, all whitened by :math:`\Sigma`. The sign is that of the
    sum of the whitened gates.
    """
    assert isinstance(sensor.head, Head)
    train = sensor.head.excitation
    assert isinstance(train, PulseTrain)
    width = np.diff(train.gates, axis=1)[:, 0]
    weight = 1.0 / (_NOISE * np.sqrt(width[0] / width))
    soil, _ = np.linalg.qr((soil_basis(sensor) * weight).T)
    away = np.eye(len(weight)) - soil @ soil.T
    bank = (received_decays(train, TAUS) * weight) @ away
    bank /= np.linalg.norm(bank, axis=1)[:, None]
    white = samples * weight
    size = np.abs(white @ away @ bank.T).max(axis=1)
    if len(sensor.head.receiver) == 1:
        return np.asarray(size)
    return np.asarray(np.where(white.sum(axis=1) < 0, -size, size))


def make_training(course: Course) -> Training:
    """
    Make the grounds of a course.

    Parameters
    ----------
    course : Course
        What a learner is given to do.

    Returns
    -------
    training : Training
        A check with the test piece, open lanes, blind lanes, and the check again. The same
        course gives the same training.

    Raises
    ------
    ValueError
        If the soil is too rough for the lowest head.
    """
    sensor = detector(course.head)
    salt = hashlib.sha256(canonical(["minesense trainer", course.seed])).hexdigest()
    made = field(_scenario(course), seed=course.seed)
    pad_field = field(_pad(course), seed=course.seed)
    pad = _ground(pad_field, pad_field.lanes[0], sensor, "test piece", "check")
    lanes = []
    for lane in made.lanes:
        kind: Kind = "blind" if lane.is_blind else "open"
        n = lane.index + 1 - (course.n_open if lane.is_blind else 0)
        lanes.append(_ground(made, lane, sensor, f"{kind} {n}", kind))
    first = dataclasses.replace(pad, name="test piece, start")
    last = dataclasses.replace(pad, name="test piece, end")
    return Training(course=course, grounds=(first, *lanes, last), salt=salt)


def _scenario(course: Course) -> Scenario:
    """Return the recipe of the lanes."""
    return scenario(
        "farmland",
        lanes={
            "training": course.n_open,
            "blind": course.n_blind,
            "length": course.length,
            "width": 1.0,
            "gap": 1.0,
            "run_in": 0.5,
        },
        ground={"soils": [course.soil]},
        layout={"density": 1.2, "separation": 0.3},
        targets={"kinds": list(_KINDS)},
        clutter={"preset": "farmland", "metal_density": CLUTTER[course.clutter]},
    )


def _pad(course: Course) -> Scenario:
    """Return the recipe of the pad with the test piece."""
    place = {"kind": _TEST_PIECE, "easting": 0.4, "northing": 0.4, "depth": 0.03}
    return scenario(
        "farmland",
        lanes={"training": 1, "blind": 0, "length": 0.8, "width": 0.8, "run_in": 0.5},
        ground={"soils": [course.soil]},
        layout={"density": 0.0},
        targets={"kinds": [], "places": [place]},
        clutter={"preset": "clean", "metal_density": 0.0, "dielectric_density": 0.0},
    )


def _ground(made: Field, lane: Lane, sensor: Sensor, name: str, kind: Kind) -> Ground:
    """Return a lane with the statistic over it."""
    right = np.arange(round((lane.width + 2 * ASIDE) / STEP) + 1) * STEP - lane.width / 2
    forward = np.arange(round((lane.length + 2 * ASIDE) / STEP) + 1) * STEP
    assert isinstance(sensor.head, Head)
    terrain, buried, clutter = lane_scene(
        made, lane, margin=_MARGIN, felt_from=max(_MARGIN, reach_of(sensor.head))
    )
    up, north, east = (
        axis.ravel()
        for axis in np.meshgrid(HEIGHTS, forward - ASIDE, right - ASIDE, indexing="ij")
    )
    # all at once: objects are the same at every height, and take longest
    volts = coil_samples(
        sensor,
        np.column_stack([east, north, up])[:, None],
        terrain=terrain,
        buried=buried,
        clutter=clutter,
    )
    # balanced on this ground at the height of work, as operators do before they begin
    rest = np.median(volts[np.isclose(up, _BALANCED), 0], axis=0)
    levels = statistic_of(volts[:, 0] - rest, sensor).astype(np.float32)
    truth = made.truth_of([lane.name])
    return Ground(
        name=name,
        kind=kind,
        width=lane.width,
        length=lane.length,
        start=lane.start,
        area=(*lane.area, name),
        truth=dataclasses.replace(
            truth,
            objects=tuple(
                dataclasses.replace(item, lane=name)
                for item in truth.objects
                if item.is_target or _is_in(item.easting, item.northing, lane)
            ),
        ),
        statistic=levels.reshape(len(HEIGHTS), len(forward), len(right)),
    )


def _is_in(easting: float, northing: float, lane: Lane) -> bool:
    """Return whether a point lies in a lane."""
    west, south, east, north = lane.area
    return west <= easting <= east and south <= northing <= north
