"""Minefield records as uncertain objects, and what each source's records were worth so far."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from .._validation import (
    check_count,
    check_not_negative,
    check_number,
    check_one_of,
    check_positive,
    check_probability,
)
from ..minefield_records import MinefieldRecord

#: What a record may turn out to be. Of an ABSENT one nothing is there; a WITHIN one lies
#: within the tolerance; the others are off by the fault that they are named for.
STATES = ("ABSENT", "WITHIN", "SHIFTED", "FAR", "TURNED", "PARTIAL")

#: What a visit to a recorded place may find.
OUTCOMES = ("within", "shifted", "nothing")


@dataclass(frozen=True, slots=True, kw_only=True)
class UncertainRecord:
    """
    One record, in the terms of a task: whose it is, of what class, in which coordinates.

    Raises
    ------
    TypeError, ValueError
        If a name is empty or the share of the class not from 0 to 1.

    Examples
    --------
    >>> from minesense.evidence import UncertainRecord
    >>> from minesense.minefield_records import MinefieldRecord
    >>> paper = MinefieldRecord(
    ...     identifier="R1", form="row", easting=50.0, northing=20.0, heading=1.57,
    ...     length=80.0, width=1.0, kind="pmn", number=40,
    ... )
    >>> UncertainRecord(record=paper, target_class="AP", source="archive A").sheet
    'R1'
    """

    record: MinefieldRecord
    target_class: str
    source: str  #: author or archive; accuracy is learnt for each
    crs: str = "local"
    wrong_class: float = 0.1  #: probability that what lies there is of the other classes

    def __post_init__(self) -> None:
        for name in ("target_class", "source"):
            if not getattr(self, name):
                msg = f"Invalid {name} ''. Must not be empty."
                raise ValueError(msg)
        if not 0 <= check_number(self.wrong_class, "wrong_class") < 1:
            msg = f"Invalid wrong_class '{self.wrong_class}'. Must be from 0 to below 1."
            raise ValueError(msg)

    @property
    def sheet(self) -> str:
        """Identifier of the record."""
        return self.record.identifier


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPrior:
    """
    How records of unknown worth relate to the ground. Defaults are unverified assumptions.

    `weights` share out what is not WITHIN. Spreads are standard deviations along each axis.

    Raises
    ------
    TypeError, ValueError
        If a weight is negative or all are zero, or a spread is not greater than zero.
    """

    accurate: tuple[float, float] = (5.0, 15.0)  #: Beta: mean 0.25, worth 20 records
    weights: Mapping[str, float] | None = None  #: of the other states; see `shares`
    good_spread: float = 7.5  #: m, of WITHIN, TURNED and, across, PARTIAL records
    shifted_spread: float = 40.0  #: m
    far_spread: float = 200.0  #: m
    good_turn: float = 0.09  #: rad, about 5 degrees
    number_spread: float = 0.5  #: of the logarithm of the number
    good_number_spread: float = 0.3  #: likewise, of WITHIN records
    length_spread: float = 0.1  #: of the logarithm of the length
    scatter: float = 0.5  #: m, of items across a row, at least

    def __post_init__(self) -> None:
        for value in self.accurate:
            check_positive(value, "accurate")
        for name, value in (self.weights or {}).items():
            check_one_of(name, "weights", [x for x in STATES if x != "WITHIN"])
            check_not_negative(value, f"weights[{name!r}]")
        if self.weights is not None and not any(self.weights.values()):
            msg = f"Invalid weights {dict(self.weights)}. Must hold one greater than zero."
            raise ValueError(msg)
        for name in (
            "good_spread", "shifted_spread", "far_spread", "good_turn", "number_spread",
            "good_number_spread", "length_spread", "scatter",
        ):  # fmt: skip
            check_positive(getattr(self, name), name)

    @property
    def shares(self) -> dict[str, float]:
        """Shares of the states among records that are not WITHIN; they add up to 1."""
        given = self.weights
        if given is None:
            given = {
                "ABSENT": 0.25,
                "SHIFTED": 0.2,
                "FAR": 0.25,
                "TURNED": 0.15,
                "PARTIAL": 0.15,
            }
        total = sum(given.values())
        return {name: given.get(name, 0.0) / total for name in STATES if name != "WITHIN"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordVisit:
    """
    What people found where a record says that something is.

    Raises
    ------
    ValueError
        If the outcome is not of OUTCOMES.
    """

    sheet: str  #: identifier of the record
    source: str
    outcome: Literal["within", "shifted", "nothing"]

    def __post_init__(self) -> None:
        check_one_of(self.outcome, "outcome", OUTCOMES)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceAccuracy:
    """The share of a source's records that exist and lie within tolerance: a Beta law."""

    source: str
    within: float  #: first parameter: prior weight and visits that found it
    others: float  #: second parameter
    n_visits: int = 0
    n_within: int = 0
    n_shifted: int = 0
    n_nothing: int = 0

    @property
    def mean(self) -> float:
        """Expected share."""
        return self.within / (self.within + self.others)

    def interval(self, confidence: float = 0.9) -> tuple[float, float]:
        """Return the central credible interval of the share."""
        from scipy.special import betaincinv  # noqa: PLC0415 - SciPy is slow to import

        doubt = (1 - check_probability(confidence, "confidence")) / 2
        low, high = betaincinv(self.within, self.others, [doubt, 1 - doubt])
        return float(low), float(high)


def source_accuracies(
    sources: Iterable[str],
    visits: Iterable[RecordVisit] = (),
    *,
    prior: RecordPrior | None = None,
) -> dict[str, SourceAccuracy]:
    """
    Return what each source's records are worth after the visits so far.

    Parameters
    ----------
    sources : iterable of str
        Authors or archives.
    visits : iterable of RecordVisit
        Each record once: what the last visit found.
    prior : RecordPrior, optional
        Beta law before any visit: 5 and 15 by default.

    Returns
    -------
    accuracies : dict of str to SourceAccuracy
        By source, in the order given.

    Raises
    ------
    ValueError
        If a visit is to a source that is not named, or a record was visited twice.

    Examples
    --------
    Four records visited, three of them within tolerance:

    >>> from minesense.evidence import RecordVisit, source_accuracies
    >>> found = ["within", "within", "nothing", "within"]
    >>> visits = [
    ...     RecordVisit(sheet=f"R{k}", source="A", outcome=word) for k, word in enumerate(found)
    ... ]
    >>> after = source_accuracies(["A", "B"], visits)
    >>> round(after["A"].mean, 3), after["B"].mean
    (0.333, 0.25)
    """
    prior = prior or RecordPrior()
    visits = list(visits)
    names = list(dict.fromkeys(sources))
    seen: set[str] = set()
    for visit in visits:
        check_one_of(visit.source, "source of a visit", names)
        if visit.sheet in seen:
            msg = f"Invalid visits: record '{visit.sheet}' stands twice. Must stand once."
            raise ValueError(msg)
        seen.add(visit.sheet)
    result = {}
    for name in names:
        counts = {
            word: sum(v.source == name and v.outcome == word for v in visits)
            for word in OUTCOMES
        }
        n = sum(counts.values())
        result[name] = SourceAccuracy(
            source=name,
            within=prior.accurate[0] + counts["within"],
            others=prior.accurate[1] + n - counts["within"],
            n_visits=n,
            n_within=counts["within"],
            n_shifted=counts["shifted"],
            n_nothing=counts["nothing"],
        )
    return result


def check_records(
    records: Sequence[UncertainRecord], classes: Sequence[str]
) -> tuple[UncertainRecord, ...]:
    """
    Return records whose identifiers differ and whose classes are known.

    Parameters
    ----------
    records : sequence of UncertainRecord
        What is on paper.
    classes : sequence of str
        Classes of the task.

    Returns
    -------
    records : tuple of UncertainRecord
        The same ones.

    Raises
    ------
    ValueError
        If an identifier stands twice or a class is not of the task.

    Examples
    --------
    >>> from minesense.evidence.records import check_records
    >>> check_records([], ["AP"])
    ()
    """
    seen: set[str] = set()
    for item in records:
        check_one_of(item.target_class, f"target_class of record '{item.sheet}'", classes)
        check_count(item.record.number, "number")
        if item.sheet in seen:
            msg = f"Invalid records: identifier '{item.sheet}' stands twice. Must stand once."
            raise ValueError(msg)
        seen.add(item.sheet)
    return tuple(records)
