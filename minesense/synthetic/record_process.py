"""How records come from mines: most are off in place, direction, number or kind."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .._validation import check_not_negative, check_number, check_positive
from ..minefield_records import (
    HEADING_TOLERANCE,
    NUMBER_TOLERANCE,
    POSITION_TOLERANCE,
    MinefieldRecord,
)
from ..truth import FAULTS, RecordOrigin, Target
from .distribution import Normal, Uniform, draw, to_micro
from .points import chance

#: Purpose of chance, and the numbers of what records are about.
_RECORDS = 30
_GROUPS = {"row": 0, "cluster": 1, "block": 2}
_LEAST_WIDTH = 1.0  # m of a claimed row


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordProcess:
    """
    How often records exist, are accurate, and what is wrong with the others.

    The defaults are assumptions. Spreads are standard deviations along each axis.

    Raises
    ------
    TypeError, ValueError
        If a share is not from 0 to 1, a spread not greater than zero, or there is no fault to
        choose from.
    """

    exists: float = 0.8  #: share of the groups of mines that have a record
    accurate: float = 0.25  #: share of the records that are accurate
    displaced: float = 0.4  #: weights of the faults of the others, see FAULTS
    rotated: float = 0.2
    incomplete: float = 0.2
    wrong: float = 0.2
    good_spread: float = 5.0  #: m, of the place of accurate records, cut off at the tolerance
    bad_spread: float = 200.0  #: m, of the place of displaced records
    number_spread: float = 0.5  #: of the logarithm of the number of faulty records
    block: float = 25.0  #: m, side of the squares whose mines share a record in random layouts

    def __post_init__(self) -> None:
        for name in ("exists", "accurate"):
            if not 0 <= check_number(getattr(self, name), name) <= 1:
                msg = f"Invalid {name} '{getattr(self, name)}'. Must be a share from 0 to 1."
                raise ValueError(msg)
        for name in FAULTS:
            check_not_negative(getattr(self, name), name)
        for name in ("good_spread", "bad_spread", "number_spread", "block"):
            check_positive(getattr(self, name), name)
        if self.accurate < 1 and not any(getattr(self, name) for name in FAULTS):
            msg = (
                f"Invalid {FAULTS[0]} '0.0' and other faults. Must hold one greater than zero."
            )
            raise ValueError(msg)


class _Strip(NamedTuple):
    """Where a group of mines lies, or is said to lie."""

    easting: float
    northing: float
    heading: float
    length: float
    width: float


def draw_records(
    targets: Sequence[Target],
    process: RecordProcess,
    *,
    kinds: Sequence[str],
    row_heading: float = 0.0,
    seed: int,
) -> tuple[tuple[MinefieldRecord, ...], tuple[RecordOrigin, ...]]:
    """
    Draw the records about mines.

    Parameters
    ----------
    targets : sequence of Target
        The mines; those with a group share a record. Mines without a group share it with
        the others in their square if no mine has a group, and else have none.
    process : RecordProcess
        How often what is wrong.
    kinds : sequence of str
        Kinds that a wrong record may name.
    row_heading : float
        Of the rows, radians clockwise from north.
    seed : int
        Of the field.

    Returns
    -------
    records : tuple of MinefieldRecord
        Claims, to a micrometre.
    origins : tuple of RecordOrigin
        For each of them the mines it is about, and its fault.

    Notes
    -----
    An accurate record is off by no more than the tolerances of
    :mod:`minesense.minefield_records`. Every other one has one main fault that exceeds them:
    displaced (by more than the tolerance), rotated (by 20 to 90 degrees about its middle),
    incomplete (a fifth to seven tenths of the strip and of the mines) or wrong (another
    kind, or half as many again). Each group has its own source of chance.

    Examples
    --------
    >>> from minesense.synthetic import field, scenario
    >>> made = field(scenario("unreliable_records"), seed=1)
    >>> len(made.records) == len(made.truth.origins)
    True
    """
    records: list[MinefieldRecord] = []
    origins: list[RecordOrigin] = []
    for key, mines in _groups(targets, process.block).items():
        rng = chance(seed, _RECORDS, *key)
        shares = rng.random(2)
        if shares[0] >= process.exists:
            continue
        is_row = key[0] == _GROUPS["row"]
        strip = _strip_of(mines, row_heading if is_row else 0.0)
        kind = most_frequent(mines)
        number = len(mines)
        fault = ""
        if shares[1] >= process.accurate:
            fault = _draw_fault(process, number, rng)
            strip, kind, number = _spoil(fault, strip, kind, number, kinds, process, rng)
        else:
            strip = _shift(strip, _within_tolerance(process, rng))
            turn = Uniform(low=-HEADING_TOLERANCE / 2, high=HEADING_TOLERANCE / 2)
            strip = strip._replace(heading=strip.heading + draw(turn, rng))
        name = f"R{len(records) + 1:03d}"
        records.append(
            MinefieldRecord(
                identifier=name,
                form="row" if is_row else "area",
                kind=kind,
                number=number,
                **{field: to_micro(value) for field, value in strip._asdict().items()},
            )
        )
        targets_of = tuple(mine.identifier for mine in mines)
        origins.append(RecordOrigin(record=name, targets=targets_of, fault=fault))
    return tuple(records), tuple(origins)


def is_accurate(record: MinefieldRecord, mines: Sequence[Target], *, heading: float) -> bool:
    """
    Tell whether a record is accurate, by what it claims and where the mines are.

    Parameters
    ----------
    record : MinefieldRecord
        The claim.
    mines : sequence of Target
        What it is about.
    heading : float
        True direction of a row, radians clockwise from north; 0 for an area.

    Returns
    -------
    accurate : bool
        Whether its middle, direction and number are within the tolerances of
        :mod:`minesense.minefield_records` and it names the most frequent kind.

    Examples
    --------
    >>> from minesense.synthetic import field, is_accurate, scenario
    >>> made = field(scenario("unreliable_records"), seed=1)
    >>> mines = {mine.identifier: mine for mine in made.truth.targets}
    >>> origin = made.truth.origins[0]
    >>> row = [mines[name] for name in origin.targets]
    >>> found = is_accurate(made.records[0], row, heading=made.scenario.layout.heading)
    >>> found == (origin.fault == "")
    True
    """
    strip = _strip_of(mines, heading)
    off = math.hypot(record.easting - strip.easting, record.northing - strip.northing)
    turn = abs((record.heading - heading + math.pi / 2) % math.pi - math.pi / 2)
    return (
        off <= POSITION_TOLERANCE + 1e-6
        and turn <= HEADING_TOLERANCE + 1e-6
        and abs(record.number - len(mines)) <= max(1, NUMBER_TOLERANCE * len(mines))
        and record.kind == most_frequent(mines)
    )


def most_frequent(mines: Iterable[Target]) -> str:
    """
    Return the kind that most mines have.

    Parameters
    ----------
    mines : iterable of Target
        At least one.

    Returns
    -------
    kind : str
        The first in alphabetic order if there are several.
    """
    counts = Counter(mine.kind for mine in mines)
    return min(counts, key=lambda kind: (-counts[kind], kind))


def _groups(targets: Sequence[Target], block: float) -> Mapping[tuple[int, ...], list[Target]]:
    """Return the mines by what they share a record with, in the order of the keys."""
    groups: dict[tuple[int, ...], list[Target]] = {}
    has_groups = any(target.group for target in targets)
    for target in targets:
        if target.group:
            word, *numbers = target.group.split()
            key = (_GROUPS[word], *map(int, numbers))
        elif has_groups:
            continue
        else:
            place = (target.easting, target.northing)
            key = (_GROUPS["block"], *(math.floor(x / block) for x in place))
        groups.setdefault(key, []).append(target)
    return dict(sorted(groups.items()))


def _strip_of(mines: Sequence[Target], heading: float) -> _Strip:
    """Return the least strip of a direction around mines, at least a metre wide."""
    place = np.array([(mine.easting, mine.northing) for mine in mines])
    sin, cos = math.sin(heading), math.cos(heading)
    along, across = place @ (sin, cos), place @ (cos, -sin)
    u, v = (along.min() + along.max()) / 2, (across.min() + across.max()) / 2
    return _Strip(
        u * sin + v * cos,
        u * cos - v * sin,
        heading,
        max(_LEAST_WIDTH, float(np.ptp(along))),
        max(_LEAST_WIDTH, float(np.ptp(across))),
    )


def _draw_fault(process: RecordProcess, number: int, rng: np.random.Generator) -> str:
    """Draw the main fault of a record; a single mine cannot be recorded in part."""
    weights = np.cumsum([getattr(process, name) for name in FAULTS])
    fault = FAULTS[int(np.searchsorted(weights, rng.random() * weights[-1], side="right"))]
    return "wrong" if fault == "incomplete" and number < 4 else fault


def _spoil(
    fault: str,
    strip: _Strip,
    kind: str,
    number: int,
    kinds: Sequence[str],
    process: RecordProcess,
    rng: np.random.Generator,
) -> tuple[_Strip, str, int]:
    """Return the claim of a record with a main fault."""
    factor = math.exp(process.number_spread * rng.normal())
    if fault == "displaced":
        away = (0.0, 0.0)
        while math.hypot(*away) <= POSITION_TOLERANCE:
            away = tuple(rng.normal(scale=process.bad_spread, size=2))
        return _shift(strip, away), kind, max(1, round(number * factor))
    if fault == "rotated":
        turn = draw(Uniform(low=math.radians(20), high=math.radians(90)), rng)
        turn = turn if rng.random() < 0.5 else -turn
        return strip._replace(heading=strip.heading + turn), kind, number
    if fault == "incomplete":
        share = draw(Uniform(low=0.2, high=0.7), rng)
        lost = (1 - share) * strip.length / 2 * (1 if rng.random() < 0.5 else -1)
        part = _shift(
            strip, (lost * math.sin(strip.heading), lost * math.cos(strip.heading))
        )._replace(length=share * strip.length)
        claimed = min(round(share * number), math.ceil((1 - NUMBER_TOLERANCE) * number) - 1)
        return part, kind, max(1, min(claimed, number - 2))
    others = [other for other in dict.fromkeys(kinds) if other != kind]
    if others:
        kind = others[int(rng.integers(len(others)))]
    else:
        number = math.ceil(1.5 * number) + 1
    return _shift(strip, _within_tolerance(process, rng)), kind, number


def _within_tolerance(process: RecordProcess, rng: np.random.Generator) -> tuple[float, float]:
    """Draw how far an accurate record is off, within a circle of the tolerance."""
    most = POSITION_TOLERANCE / math.sqrt(2)
    law = Normal(mean=0.0, std=process.good_spread, low=-most, high=most)
    return draw(law, rng), draw(law, rng)


def _shift(strip: _Strip, by: tuple[float, ...]) -> _Strip:
    """Return a strip moved by easting and northing."""
    return strip._replace(easting=strip.easting + by[0], northing=strip.northing + by[1])
