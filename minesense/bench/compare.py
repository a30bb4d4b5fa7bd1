"""Compare two results files of the same data: is one run worse than the other."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._validation import check_count, check_probability
from ..sweep import Floats
from .discrimination import MISSES, Places, rejected_share
from .honesty import claim_shares
from .outcomes import Difference, Outcomes, differences, draw_lanes, percentiles, pool
from .rejection import own_places
from .results import outcomes_from_json, places_from_json, scores_from_json

#: Figures of track A that are compared, and whether more of it is better.
FIGURES: Mapping[str, bool] = {
    "pauc_1": True,
    "pauc_0.1": True,
    "pd_at_far_0.1": True,
    "pd": True,
    "far": False,
}

#: Those whose change for the worse, beyond the limits, is a regression. The others depend on
#: where a threshold stands, or on the one mine that is hardest to find.
JUDGED = ("pauc_1", "falsely_claimed")

#: Share of swept targets, or of scored ground, that may be lost without being a regression.
MOST_LOST = 0.02

#: Entrants that see no sample: nothing that they do is a regression.
_BY_CHANCE = ("random", "dowsing")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure of one entrant in both files."""

    track: str
    part: str
    entrant: str
    figure: str
    is_more_better: bool
    difference: Difference

    @property
    def is_worse(self) -> bool:
        """Whether the second file is worse beyond the limits."""
        d = self.difference
        return d.high < 0 if self.is_more_better else d.low > 0

    @property
    def is_regression(self) -> bool:
        """Whether it is worse, and the figure one that decides."""
        return self.is_worse and self.figure in JUDGED and self.entrant not in _BY_CHANCE


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """All figures that two files have in common."""

    rows: tuple[Row, ...]
    notes: tuple[str, ...]  #: what differs beside the figures
    confidence: float
    gone: tuple[str, ...] = ()  #: what the second was to run and lacks, or lost on the way

    @property
    def is_regression(self) -> bool:
        """Whether the second is worse than the first, or lacks what it was to run."""
        return bool(self.regressions or self.gone)

    @property
    def regressions(self) -> tuple[Row, ...]:
        """Rows that are worse beyond the limits and decide."""
        return tuple(row for row in self.rows if row.is_regression)


def compare_results(
    first: Mapping[str, Any],
    second: Mapping[str, Any],
    *,
    confidence: float = 0.95,
    n_resamples: int = 1000,
    seed: int = 0,
) -> Comparison:
    """
    Compare two runs of the benchmark on the same data, lane by lane.

    Parameters
    ----------
    first, second : dict
        Results files; the first is the reference.
    confidence : float
        Of the limits of each difference.
    n_resamples : int
        How often lanes, then targets in them, are drawn, for both files alike.
    seed : int
        Of that.

    Returns
    -------
    comparison : Comparison
        Differences, second minus first, with paired limits.

    Raises
    ------
    ValueError
        If the files are of other versions, sizes, seeds or data, or have no entrant in
        common: such figures do not compare.
    TypeError
        If an option is of the wrong type.

    Notes
    -----
    What the second was to run and lacks, an entrant of a part or more than 2 % of the swept
    targets or of the scored ground, is a regression as well: `gone` names it. What it was
    not asked to run is noted.

    A mine that was swept in one run alone, because a stage judges other ground than before,
    is left out of both, and a note says how many there are.

    Figures of track B whose names begin with ``own_`` are of the places that each entrant
    noticed itself, as in :func:`~minesense.bench.rejection.judge_own_places`.

    Examples
    --------
    >>> from minesense.bench import compare_results
    >>> head = {"version": "1", "size": "quick", "plan_sha256": "x", "seed": 1}
    >>> other = {"benchmark": head | {"version": "2"}}
    >>> compare_results({"benchmark": head}, other)
    Traceback (most recent call last):
    ValueError: Invalid results: their version is '2' and '1'. Must be the same, ...
    """
    check_probability(confidence, "confidence")
    check_count(n_resamples, "n_resamples")
    notes = _check_same(first, second)
    options = {"confidence": confidence, "n_resamples": n_resamples}
    rows: list[Row] = []
    tracks = [set(document["tracks"]) for document in (first, second)]
    gone: list[str] = []
    try:
        gone = _gone(first, second, notes)
        for track, compare in (("A", _detection), ("B", _discrimination), ("D", _honesty)):
            if track in tracks[0] & tracks[1]:
                a, b = (document["tracks"][track] for document in (first, second))
                rows += compare(a, b, np.random.default_rng(seed), options, notes)
        if {"A", "B"} <= tracks[0] & tracks[1]:
            a, b = (document["tracks"]["A"] for document in (first, second))
            rows += _own_places(a, b, np.random.default_rng(seed), options)
    except (KeyError, TypeError, IndexError) as error:
        msg = f"Invalid results: {error!r}. Must be files of `minesense bench`."
        raise ValueError(msg) from None
    if not rows:
        msg = "Invalid results: no entrant is in both. Must have one in common."
        raise ValueError(msg)
    return Comparison(
        rows=tuple(rows), notes=tuple(notes), confidence=confidence, gone=tuple(gone)
    )


def _gone(first: Mapping[str, Any], second: Mapping[str, Any], notes: list[str]) -> list[str]:
    """Return what the second file was to hold and lacks; note what it was not asked for."""
    gone = []
    asked = second["configuration"]
    for name in ("tracks", "entrants"):
        left = [item for item in first["configuration"][name] if item not in asked[name]]
        if left:
            notes.append(f"{name} that the second did not run: {', '.join(left)}")
    for track, one in first["tracks"].items():
        if track not in asked["tracks"] or track == "C":  # C has no entrants to compare
            continue
        two = second["tracks"].get(track)
        if two is None:
            gone.append(f"track {track}")
            continue
        pairs = (
            {"faulty": (one, two)}
            if track == "D"
            else {part: (one["parts"][part], two["parts"].get(part)) for part in one["parts"]}
        )
        for part, (a, b) in pairs.items():
            if b is None:
                gone.append(f"{part} of track {track}")
                continue
            lost = sorted((set(a["entrants"]) & set(asked["entrants"])) - set(b["entrants"]))
            gone += [f"{name} in {part} of track {track}" for name in lost]
            if track != "A":
                continue
            n, m = len(a["targets"]), len(b["targets"])
            if m < (1 - MOST_LOST) * n:
                gone.append(f"{n - m} of {n} swept targets of {part}")
            before, after = (item["areas_m2"]["scored"] for item in (a, b))
            if after < (1 - MOST_LOST) * before:
                gone.append(f"{before - after:.1f} of {before:.1f} m2 scored of {part}")
    return gone


def _check_same(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[str]:
    """Raise unless two files are of the same data; return what else differs."""
    a, b = first["benchmark"], second["benchmark"]
    for name in ("version", "size", "plan_sha256", "seed", "commitment"):
        if a.get(name) != b.get(name):
            msg = (
                f"Invalid results: their {name} is {b.get(name)!r} and {a.get(name)!r}. Must "
                "be the same, or the figures do not compare."
            )
            raise ValueError(msg)
    notes = []
    for part in sorted(set(first["data"]) & set(second["data"])):
        one, two = first["data"][part], second["data"][part]
        if one["truth_sha256"] != two["truth_sha256"]:
            msg = f"Invalid results: the truth of '{part}' differs. Must be the same field."
            raise ValueError(msg)
        if one["sweeps_sha256"] != two["sweeps_sha256"]:
            notes.append(
                f"sweeps of {part} differ: another simulator, or another processor's rounding"
            )
    for name in ("configuration_sha256", "environment"):
        if first.get(name) != second.get(name):
            notes.append(f"{name.replace('_', ' ')} differs")
    return notes


def _detection(
    first: Any, second: Any, rng: Any, options: Mapping[str, Any], notes: list[str]
) -> list[Row]:
    """Return the rows of track A: each part, then all of them together."""
    rows: list[Row] = []
    pooled: dict[str, list[tuple[Outcomes, Outcomes]]] = {}
    parts = [part for part in first["parts"] if part in second["parts"]]
    for part in parts:
        one, two = first["parts"][part], second["parts"][part]
        _, lost = _common(one, two)
        if lost:
            notes.append(f"{lost} targets of {part} were swept in one run alone; left out")
        for name, pair in _pairs(one, two).items():
            pooled.setdefault(name, []).append(pair)
            rows += _rows("A", part, name, _compared(pair, rng, options))
    for name, pairs in pooled.items():
        if len(pairs) == len(parts) > 1:
            pair = pool([p[0] for p in pairs]), pool([p[1] for p in pairs])
            rows += _rows("A", "all", name, _compared(pair, rng, options))
    return rows


def _pairs(one: Any, two: Any) -> dict[str, tuple[Outcomes, Outcomes]]:
    """Return the outcomes of a part in both files, of the targets that both swept."""
    common, _ = _common(one, two)
    return {
        name: (
            _only(outcomes_from_json(one["outcomes"][name]), common[0]),
            _only(outcomes_from_json(two["outcomes"][name]), common[1]),
        )
        for name in sorted(set(one["outcomes"]) & set(two["outcomes"]))
    }


def _compared(
    pair: tuple[Outcomes, Outcomes], rng: Any, options: Mapping[str, Any]
) -> dict[str, Difference]:
    """Return the differences of a pair of outcomes."""
    return differences(*pair, rng=rng, figures=tuple(FIGURES), **options)


def _common(one: Any, two: Any) -> tuple[tuple[list[int], list[int]], int]:
    """Return where the targets of both are in each list, and how many are in one alone."""
    names = [[t["identifier"] for t in part["targets"]] for part in (one, two)]
    both = set(names[0]) & set(names[1])
    index: list[list[int]] = []
    for listed in names:
        chosen = [k for k, name in enumerate(listed) if name in both]
        index.append(sorted(chosen, key=lambda k, listed=listed: listed[k]))  # type: ignore[misc]
    return (index[0], index[1]), len(set(names[0]) ^ set(names[1]))


def _only(outcomes: Outcomes, chosen: list[int]) -> Outcomes:
    """Return outcomes with some of the targets, in that order."""
    names = ("target_lanes", "target_scores", "detected")
    return dataclasses.replace(
        outcomes, **{name: getattr(outcomes, name)[chosen] for name in names}
    )


def _rows(track: str, part: str, name: str, found: Mapping[str, Difference]) -> list[Row]:
    """Return rows of one entrant."""
    return [
        Row(
            track=track,
            part=part,
            entrant=name,
            figure=figure,
            is_more_better=FIGURES.get(figure, not figure.endswith("claimed")),
            difference=difference,
        )
        for figure, difference in found.items()
    ]


def _discrimination(
    first: Any, second: Any, rng: Any, options: Mapping[str, Any], notes: list[str]
) -> list[Row]:
    """Return the rows of track B."""
    rows: list[Row] = []
    for part in (part for part in first["parts"] if part in second["parts"]):
        both = [document["parts"][part] for document in (first, second)]
        places = [places_from_json(item["places"]) for item in both]
        draws = draw_lanes(
            places[0].n_lanes,
            np.empty(0, np.int64),
            rng=rng,
            n_resamples=options["n_resamples"],
        ).lanes
        for name in sorted(set(both[0]["scores"]) & set(both[1]["scores"])):
            scores = [scores_from_json(item["scores"][name]) for item in both]
            found = _rejected(places, scores, draws, options)
            rows += _rows("B", part, name, found)
    return rows


def _own_places(first: Any, second: Any, rng: Any, options: Mapping[str, Any]) -> list[Row]:
    """Return the rows of track B of the places that entrants noticed themselves."""
    rows: list[Row] = []
    for part in (part for part in first["parts"] if part in second["parts"]):
        for name, pair in _pairs(first["parts"][part], second["parts"][part]).items():
            places, scores = zip(*map(own_places, pair), strict=True)
            draws = draw_lanes(
                pair[0].n_lanes,
                np.empty(0, np.int64),
                rng=rng,
                n_resamples=options["n_resamples"],
            ).lanes
            found = _rejected(places, scores, draws, options)
            rows += _rows("B", part, name, {f"own_{k}": item for k, item in found.items()})
    return rows


def _rejected(
    places: Sequence[Places],
    scores: Sequence[Floats],
    draws: Floats,
    options: Mapping[str, Any],
) -> dict[str, Difference]:
    """Return the differences of clutter rejected, of places and their scores in both files."""
    weights = [np.ones(draws.shape[1]), *draws]
    return {
        f"rejected_at_{misses}_missed": _paired(
            [
                np.array([rejected_share(scores[k], places[k], misses, w) for w in weights])
                for k in (0, 1)
            ],
            options,
        )
        for misses in MISSES
    }


def _honesty(
    first: Any, second: Any, rng: Any, options: Mapping[str, Any], notes: list[str]
) -> list[Row]:
    """Return the rows of track D."""
    rows: list[Row] = []
    for name in sorted(set(first["entrants"]) & set(second["entrants"])):
        both = [document["entrants"][name]["any"]["lanes"] for document in (first, second)]
        if set(both[0]) != set(both[1]):
            msg = "Invalid results: the lanes of track D differ. Must be the same field."
            raise ValueError(msg)
        draws = draw_lanes(
            len(both[0]),
            np.empty(0, np.int64),
            rng=rng,
            n_resamples=options["n_resamples"],
        ).lanes
        weights = np.vstack([np.ones((1, len(both[0]))), draws])
        shares = [
            claim_shares({lane: lanes[lane] for lane in sorted(lanes)}, weights)
            for lanes in both
        ]
        found = {
            figure: _paired([share[figure] for share in shares], options)
            for figure in shares[0]
        }
        rows += _rows("D", "faulty", name, found)
    return rows


def _paired(columns: list[Floats], options: Mapping[str, Any]) -> Difference:
    """Return the difference of figures whose first value is the point, the rest resamples."""
    low, high = percentiles(columns[1][1:] - columns[0][1:], confidence=options["confidence"])
    a, b = float(columns[0][0]), float(columns[1][0])
    return Difference(first=a, second=b, value=b - a, low=low, high=high)
