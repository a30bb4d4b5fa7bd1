"""What a synthetic field is like: lanes, soils, targets, clutter, records and platform."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from .._validation import check_at_most, check_not_negative, check_number, check_one_of
from .catalogue import Body, body
from .clearance import check_clearance, check_swing
from .clutter import CLUTTER_PRESETS, ClutterPreset
from .distribution import Distribution, Normal
from .document import build, merge, parse_toml, plain
from .ground import SOILS, SoilPreset
from .lanes import LanePlan
from .layout import Layout, RowLayout
from .plans import CartPlan, Plan
from .record_process import RecordProcess

DEEPEST = 10.0  # m of targets
DENSEST = 1000.0  # pieces of clutter per m^2
_TILT = Normal(mean=0.0, std=0.08, low=-0.3, high=0.3)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroundPlan:
    """
    Which soils the lanes have.

    Raises
    ------
    ValueError
        If there is none, or one is neither a preset nor among `own`.
    """

    soils: tuple[str, ...]  #: of the lanes, in turn
    own: Mapping[str, SoilPreset] = field(default_factory=dict)  #: beside the presets, by name

    def __post_init__(self) -> None:
        if not self.soils:
            msg = "Invalid soils (). Must hold at least one."
            raise ValueError(msg)
        for name in self.soils:
            check_one_of(name, "soils", [*SOILS, *self.own])

    def soil(self, index: int) -> SoilPreset:
        """Return the soil of a lane, by its index."""
        name = self.soils[index % len(self.soils)]
        if name in self.own:
            return dataclasses.replace(self.own[name], name=name)
        return SOILS[name]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """
    A target that lies where a user wants it.

    Raises
    ------
    TypeError, ValueError
        If the kind is not in the catalogue, a figure is no number, or the target would stick
        out of the ground.
    """

    kind: str  #: entry of the catalogue
    easting: float  #: m
    northing: float  #: m
    depth: float  #: m, of the middle of its top
    heading: float = 0.0  #: rad, clockwise from north
    tilt: tuple[float, float] = (0.0, 0.0)  #: rad, by which its top leans east and north

    def __post_init__(self) -> None:
        kind = _body_of(self.kind, "kind")
        for name in ("easting", "northing", "heading"):
            check_number(getattr(self, name), name)
        if check_number(self.depth, "depth") < 0:
            msg = f"Invalid depth '{self.depth}'. Must not be negative, or it would stick out."
            raise ValueError(msg)
        check_at_most(self.depth, "depth", DEEPEST, "m")
        tilt = math.hypot(*self.tilt)
        _check_tilt(tilt)
        least = kind.rise(tilt)
        if self.depth < least:
            msg = (
                f"Invalid depth '{self.depth}' of a {self.kind} that leans by {tilt:g} rad. "
                f"Must be at least {least:.4g} m, or its edge would stick out."
            )
            raise ValueError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetPlan:
    """
    What targets a field holds. Classes of metal are equally likely, then kinds in a class.

    Raises
    ------
    TypeError, ValueError
        If a kind is not in the catalogue, or a depth may be negative or a tilt too large.
    """

    kinds: tuple[str, ...]  #: entries of the catalogue that are drawn
    depth: Distribution | None = None  #: m, of the top; by default uniform in the body's own
    tilt: Distribution = _TILT  #: rad, about two axes
    places: tuple[Place, ...] = ()  #: targets that lie where they are said to, besides

    def __post_init__(self) -> None:
        for kind in self.kinds:
            _body_of(kind, "kinds")
        if self.depth is not None:
            check_not_negative(self.depth.low, "depth")
            check_at_most(self.depth.high, "depth", DEEPEST, "m")
        _check_tilt(max(abs(self.tilt.low), abs(self.tilt.high)) * math.sqrt(2))


@dataclass(frozen=True, slots=True, kw_only=True)
class ClutterPlan:
    """
    How much clutter a field holds: a preset, with changes.

    Raises
    ------
    TypeError, ValueError
        If there is no such preset or kind, or a density or weight is negative.
    """

    preset: str = "farmland"  #: of CLUTTER_PRESETS
    metal_density: float | None = None  #: pieces per m^2; by default the preset's
    dielectric_density: float | None = None  #: objects per m^2; by default the preset's
    weights: Mapping[str, float] = field(
        default_factory=dict
    )  #: by kind; by default the preset's

    def __post_init__(self) -> None:
        check_one_of(self.preset, "preset", CLUTTER_PRESETS)
        found = self.resolved()
        for name in ("metal_density", "dielectric_density"):
            check_at_most(getattr(found, name), name, DENSEST, "per m^2")

    def resolved(self) -> ClutterPreset:
        """Return the preset with the changes in it."""
        changes: dict[str, Any] = {
            name: getattr(self, name)
            for name in ("metal_density", "dielectric_density")
            if getattr(self, name) is not None
        }
        if self.weights:
            changes["weights"] = dict(self.weights)
        return dataclasses.replace(CLUTTER_PRESETS[self.preset], **changes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """
    The recipe of a field and of what sweeps it.

    Densities are per square metre. Figures are assumptions unless the presets name a source.

    Raises
    ------
    TypeError, ValueError
        If targets would overlap, lie outside the lanes, or there are none to draw; if coils
        are too low for the roughness of a soil, or a swung head too short for the lanes.
    """

    name: str
    note: str = ""  #: what it is for, in a sentence
    lanes: LanePlan = field(default_factory=LanePlan)
    ground: GroundPlan
    layout: Layout
    targets: TargetPlan
    clutter: ClutterPlan = ClutterPlan()
    records: RecordProcess | None = None
    platform: Plan = field(default_factory=CartPlan)

    def __post_init__(self) -> None:
        layout, targets = self.layout, self.targets
        density = max(layout.background, getattr(layout, "density", 0.0))
        if not targets.kinds and (density > 0 or isinstance(layout, RowLayout)):
            msg = "Invalid kinds (). Must hold one for this layout - at `$.targets.kinds`"
            raise ValueError(msg)
        if isinstance(layout, RowLayout):
            layout.check_room(max(body(kind).diameter for kind in targets.kinds))
        soils = [self.ground.soil(i) for i in range(len(self.ground.soils))]
        check_clearance(self.platform, soils)
        check_swing(self.platform, self.lanes.width)
        for i, place in enumerate(targets.places):
            where = f" - at `$.targets.places[{i}]`"
            right, forward = self.lanes.from_map(place.easting, place.northing)
            if self.lanes.index_at(float(right), float(forward)) is None:
                msg = (
                    f"Invalid easting '{place.easting}' and northing '{place.northing}'. Must "
                    f"lie in one of the {self.lanes.count} lanes{where}"
                )
                raise ValueError(msg)
            for other in targets.places[:i]:
                if _overlap(place, other):
                    msg = (
                        f"Invalid place of the {place.kind}: easting '{place.easting}', "
                        f"northing '{place.northing}'. Must not overlap the {other.kind} at "
                        f"({other.easting}, {other.northing}){where}"
                    )
                    raise ValueError(msg)


def _body_of(kind: str, name: str) -> Body:
    """Return the body of the catalogue that a field of this name holds."""
    try:
        return body(kind)
    except ValueError as error:
        raise ValueError(str(error).replace("identifier", name, 1)) from None


def _overlap(one: Place, other: Place) -> bool:
    """Return whether two targets take the same ground."""
    first, second = body(one.kind), body(other.kind)
    distance = math.hypot(one.easting - other.easting, one.northing - other.northing)
    is_apart = distance >= (first.diameter + second.diameter) / 2
    is_above = one.depth + first.height <= other.depth
    is_below = other.depth + second.height <= one.depth
    return not (is_apart or is_above or is_below)


def _check_tilt(most: float) -> None:
    """Raise unless a top face stays well off the upright."""
    if not most < 1.0:
        msg = f"Invalid tilt '{most:g}'. Must be less than 1 radian in all."
        raise ValueError(msg)


def _read_presets() -> dict[str, Scenario]:
    """Return the scenarios that come with the package."""
    presets = {}
    folder = resources.files(__package__).joinpath("data", "scenarios")
    for file in sorted(folder.iterdir(), key=lambda item: item.name):
        if file.name.endswith(".toml"):
            text = file.read_text(encoding="utf-8")
            recipe = read_scenario(parse_toml(text, file.name))
            presets[recipe.name] = recipe
    return presets


def scenario(name: str, **changes: Any) -> Scenario:
    """
    Return a preset scenario, with changes.

    Parameters
    ----------
    name : str
        For example ``"farmland"``; :data:`PRESETS` holds all of them.
    **changes
        Tables of the scenario by name, each with what is to be changed in it.

    Returns
    -------
    scenario : Scenario
        The recipe.

    Raises
    ------
    ValueError
        If there is no such preset, no such field, or a value is of the wrong type or out of
        range; the message ends with its path.

    Examples
    --------
    >>> from minesense.synthetic import scenario
    >>> scenario("farmland", lanes={"blind": 2}, layout={"density": 0.1}).lanes.blind
    2
    >>> scenario("farmland", lanes={"blind": "two"})
    Traceback (most recent call last):
    ValueError: Invalid scenario: Expected `int`, got `str` - at `$.lanes.blind`
    """
    preset = PRESETS[check_one_of(name, "name", PRESETS)]
    return read_scenario(merge(plain(preset), {k: plain(v) for k, v in changes.items()}))


def read_scenario(document: Mapping[str, Any] | str | Path) -> Scenario:
    """
    Return the scenario of a TOML file, or of a document such as parsed TOML.

    Parameters
    ----------
    document : path-like or dict
        File, or tables of :class:`Scenario` by name.

    Returns
    -------
    scenario : Scenario
        The recipe.

    Raises
    ------
    ValueError
        If the file is not TOML (the message tells the line), or a field is missing, unknown,
        of the wrong type or out of range (the message ends with its path).
    OSError
        If the file cannot be read.

    Examples
    --------
    >>> from minesense.synthetic import read_scenario, scenario
    >>> from minesense.synthetic.document import plain
    >>> read_scenario(plain(scenario("farmland"))) == scenario("farmland")
    True
    >>> read_scenario({"name": "mine", "ground": {"soils": "loam"}})
    Traceback (most recent call last):
    ValueError: Invalid scenario: Expected `array`, got `str` - at `$.ground.soils`
    """
    name = "scenario"
    if isinstance(document, (str, Path)):
        path = Path(document)
        name = f"scenario '{path}'"
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            msg = f"Invalid file '{path}': {error}. Must be TOML."
            raise ValueError(msg) from None
        document = parse_toml(text, str(path))
    try:
        return build(Scenario, document)
    except ValueError as error:
        msg = f"Invalid {name}: {error}"
        raise ValueError(msg) from None


#: Scenarios by name. Each is a TOML file of the package, `data/scenarios`.
PRESETS: dict[str, Scenario] = _read_presets()
