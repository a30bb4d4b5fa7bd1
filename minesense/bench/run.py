"""Run the benchmark: every entrant on every part, from a seed to a results file."""

from __future__ import annotations

import dataclasses
import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .._validation import check_count, check_one_of
from ..detect import DetectorSettings
from ..score import Halo
from .detection import finite, judge_detection, outcomes_of, stratum_names
from .discrimination import judge_discrimination, places_of
from .entrants import ENTRANTS, Entrant, Screens, Trained, new_entrant
from .found import check_found
from .handed import entrant_seed, handed_to
from .honesty import judge_honesty, true_coverage
from .outcomes import Outcomes
from .promises import judge_promises
from .reference import Reference, make_reference
from .rejection import PRESCREENERS, judge_against_prescreener, judge_own_places
from .results import (
    CONTENT,
    TIMES,
    content_sha256,
    describe_data,
    new_document,
    outcomes_to_json,
    places_to_json,
)
from .scenarios import TESTS, Plan
from .standings import rank, stand_together
from .streaming import judge_streaming
from .surveys import Survey, make_survey

#: Tracks that can be run, and those that are if none is named: C has no entrants.
TRACKS = ("A", "B", "C", "D")
DEFAULT_TRACKS = ("A", "B", "D")


def run_benchmark(
    plan: Plan,
    *,
    seed: int,
    tracks: Sequence[str] = DEFAULT_TRACKS,
    entrants: Sequence[Entrant] | None = None,
    screens: Screens | None = None,
    workers: int = 1,
    commitment: str | None = None,
    n_resamples: int = 1000,
    progress: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """
    Run the benchmark.

    Parameters
    ----------
    plan : Plan
        Of :func:`minesense.bench.benchmark_plan`.
    seed : int
        Of the fields, the classifiers and the resamples.
    tracks : sequence of str
        Of :data:`TRACKS`.
    entrants : sequence of Entrant, optional
        Untrained; all of :data:`minesense.bench.ENTRANTS` by default.
    screens : Screens, optional
        What entrants of the library share, if they were made with it.
    workers : int
        Threads. The result does not depend on it.
    commitment : str, optional
        Of a sealed seed, which the results then do not tell.
    n_resamples : int
        How often lanes, then targets in them, are drawn for limits.
    progress : callable, optional
        Called with what is being done.

    Returns
    -------
    results : dict
        Content of a results file, all SYNTHETIC.

    Raises
    ------
    TypeError, ValueError
        If a track is unknown, track C alone has a sealed seed, an entrant has no name or that
        of another, or an option is out of range.

    Notes
    -----
    An entrant that cannot be trained, or refuses the sweeps of a part, is left out there,
    and `exclusions` says why. So is one that returns what cannot be judged, or another
    threshold than in the part before. Entrants are not told a sealed seed: theirs is made
    from the commitment.

    Examples
    --------
    >>> from minesense.bench import benchmark_plan, run_benchmark
    >>> results = run_benchmark(benchmark_plan("quick"), seed=1)  # doctest: +SKIP
    >>> results["data_kind"]  # doctest: +SKIP
    'SYNTHETIC'
    """
    seed = check_count(seed, "seed", least=0)
    chosen = [check_one_of(track, "track", TRACKS) for track in TRACKS if track in tracks]
    for track in tracks:
        check_one_of(track, "track", TRACKS)
    if commitment is not None and chosen == ["C"]:
        msg = (
            "Invalid tracks ['C'] with a sealed seed: track C has no truth that a reveal could "
            "make again from the seed. Must be run beside A, B or D, or without --sealed."
        )
        raise ValueError(msg)
    screens = screens or Screens()
    screens.workers = workers
    if entrants is None:
        entrants = [new_entrant(name, screens) for name in ENTRANTS]
    names = [entrant.name for entrant in entrants]
    are_named = all(isinstance(name, str) and name and name.isprintable() for name in names)
    if not are_named or len(set(names)) < len(names):
        msg = f"Invalid entrants {names}. Must have a name each, of one line."
        raise ValueError(msg)
    run = _Run(plan, seed, screens, n_resamples, progress)
    run.entrant_seed = entrant_seed(seed, commitment)
    document = new_document(
        plan,
        _configuration(chosen, names, n_resamples),
        seed=None if commitment else seed,
        commitment=commitment,
    )
    ready = []
    if {"A", "B", "D"} & set(chosen):
        ready = run.train(list(entrants), document)
    if {"A", "B"} & set(chosen):
        run.test(ready, chosen, document)
    if "D" in chosen:
        run.honesty(ready, document)
    if "C" in chosen:
        document["tracks"]["C"], streamed = run.time(
            "stream C", lambda: judge_streaming(seed=seed, progress=progress)
        )
    document[TIMES] = {
        **({"streaming": streamed} if "C" in chosen else {}),
        "seconds": {name: round(value, 2) for name, value in run.seconds.items()},
        "threads": workers,
        "cpu": platform.processor() or platform.machine(),
        "n_cpus": os.cpu_count(),
    }
    document[CONTENT] = content_sha256(document)
    return document


def _configuration(tracks: list[str], names: list[str], n_resamples: int) -> dict[str, Any]:
    """Return how a run is set, JSON-ready."""
    halo = Halo()
    return {
        "tracks": tracks,
        "entrants": names,
        "n_resamples": n_resamples,
        "confidence": 0.95,
        "halo": {"kind": halo.kind, "radius_m": halo.radius, "ring": halo.ring},
        "settings": DetectorSettings().as_dict(),
    }


class _Run:
    """One run: what it is about, and how long each step took."""

    def __init__(
        self,
        plan: Plan,
        seed: int,
        screens: Screens,
        n_resamples: int,
        progress: Callable[[str], None] | None,
    ):
        self.plan, self.seed, self.screens = plan, seed, screens
        self.n_resamples, self.progress = n_resamples, progress
        self.seconds: dict[str, float] = {}
        self.entrant_seed = seed  #: another one if that of the fields is sealed
        self.thresholds: dict[str, float] = {}  #: by entrant, as first stated

    def time(self, name: str, function: Callable[[], Any]) -> Any:
        """Return what a step returns; add to its time."""
        if self.progress is not None:
            self.progress(name)
        start = time.perf_counter()
        result = function()
        taken = time.perf_counter() - start
        self.seconds[name] = self.seconds.get(name, 0.0) + taken
        return result

    def survey(self, part: str, document: dict[str, Any]) -> Survey:
        """Sweep a part and describe it."""
        made: Survey = self.time(
            f"sweep {part}",
            lambda: make_survey(self.plan, part, seed=self.seed, workers=self.screens.workers),
        )
        document["data"][part] = describe_data(made)
        return made

    def train(self, entrants: list[Entrant], document: dict[str, Any]) -> list[Entrant]:
        """Train all entrants on both parts that teach; return those that could be trained."""
        survey = self.survey("training", document)
        taught = [survey]
        if self.plan.plots_of("lessons"):
            taught.append(self.survey("lessons", document))
        sweeps = tuple(sweep for part in taught for sweep in part.sweeps)
        objects = tuple(row for part in taught for row in part.truth.objects)
        truth = dataclasses.replace(survey.truth, objects=objects)
        ready = []
        for entrant in entrants:
            try:
                self.time(
                    f"train {entrant.name}",
                    lambda entrant=entrant: entrant.train(  # type: ignore[misc]
                        handed_to(entrant, sweeps),
                        truth,
                        area=survey.area,
                        seed=self.entrant_seed,
                        workers=self.screens.workers,
                    ),
                )
                ready.append(entrant)
            except (Exception, SystemExit) as error:  # noqa: BLE001, others go on
                _exclude(document, entrant, "training", error)
        return ready

    def detect(self, entrant: Entrant, survey: Survey, document: dict[str, Any]) -> Any:
        """Return what an entrant finds in a part; None if it refuses it."""
        try:
            sweeps = handed_to(entrant, survey.sweeps)
            found = self.time(
                f"detect {entrant.name}",
                lambda: check_found(entrant.detect(sweeps, area=survey.area)),
            )
            self._check_threshold(entrant, found.threshold)
            return found
        except (Exception, SystemExit) as error:  # noqa: BLE001, others go on
            _exclude(document, entrant, survey.part, error)
            return None

    def _check_threshold(self, entrant: Entrant, threshold: float) -> None:
        """Raise if an entrant has another threshold than before: it was set in training."""
        before = self.thresholds.setdefault(entrant.name, float(threshold))
        if threshold != before:
            msg = (
                f"Invalid threshold '{threshold:g}': it was {before:g} in the part before. "
                "Must be set in training, once for all tests."
            )
            raise ValueError(msg)

    def test(
        self, entrants: list[Entrant], tracks: list[str], document: dict[str, Any]
    ) -> None:
        """Run tracks A and B on every test."""
        detection: dict[str, Any] = {}
        discrimination: dict[str, Any] = {}
        outcomes: dict[str, dict[str, Outcomes]] = {}
        # a class of somebody's own may have the name of a prescreener
        bases = [e.name for e in entrants if isinstance(e, Trained) and e.name in PRESCREENERS]
        for part in TESTS:
            survey = self.survey(part, document)
            reference = self.time(
                f"refer {part}",
                lambda survey=survey: make_reference(  # type: ignore[misc]
                    survey, screens=self.screens
                ),
            )
            found = {e.name: self.detect(e, survey, document) for e in entrants}
            found = {name: item for name, item in found.items() if item is not None}
            if "A" in tracks:
                detection[part], outcomes[part] = self.time(
                    "judge A",
                    lambda r=reference, f=found: self._part_a(r, f),  # type: ignore[misc]
                )
                detection[part]["promises"] = {
                    e.name: self._promises(e, found[e.name], reference, document)
                    for e in entrants
                    if e.name in found and hasattr(e, "promise")
                }
            if "B" in tracks:
                known = outcomes.get(part)
                discrimination[part] = self.time(
                    "judge B",
                    lambda r=reference, f=found, o=known: self._part_b(r, f, o, bases),  # type: ignore[misc]
                )
        if "A" in tracks:
            whole = self.time(
                "judge A",
                lambda: stand_together(outcomes, seed=self.seed, n_resamples=self.n_resamples),
            )
            document["tracks"]["A"] = {"parts": detection, "all": whole}
        if "B" in tracks:
            document["tracks"]["B"] = {"parts": discrimination}

    def _promises(
        self, entrant: Entrant, found: Any, reference: Reference, document: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Return what became of an entrant's promises; none if it fails to make them."""
        try:
            return judge_promises(entrant, found, reference, seed=self.seed)
        except (Exception, SystemExit) as error:  # noqa: BLE001, others go on
            reason = f"its promise: {type(error).__name__}: {error}"
            _exclude(document, entrant, reference.survey.part, reason)
            return []

    def _part_a(
        self, reference: Reference, found: Mapping[str, Any]
    ) -> tuple[dict[str, Any], dict[str, Outcomes]]:
        """Return track A of one part, and the outcomes by entrant."""
        judged = {
            name: judge_detection(item, reference, seed=self.seed, n_resamples=self.n_resamples)
            for name, item in found.items()
        }
        outcomes = {name: pair[1] for name, pair in judged.items()}
        facts = reference.survey.lanes
        return {
            "lanes": [
                {"name": lane, "soil": facts[lane].soil, "clutter": facts[lane].clutter}
                for lane in reference.lanes
            ],
            "targets": stratum_names(reference),
            "not_observed_m2": {
                reason: finite(area) for reason, area in reference.ground.not_observed.items()
            },
            "areas_m2": {
                "scored": finite(reference.ground.scored),
                "halo": finite(reference.ground.halo),
                "ring": finite(reference.ground.ring),
                "not_observed": finite(reference.ground.missing),
            },
            "n_targets_not_swept": len(reference.targets) - len(reference.swept),
            "entrants": {name: pair[0] for name, pair in judged.items()},
            "ranks": rank(outcomes, seed=self.seed, n_resamples=self.n_resamples),
            "outcomes": {name: outcomes_to_json(item) for name, item in outcomes.items()},
        }, outcomes

    def _part_b(
        self,
        reference: Reference,
        found: Mapping[str, Any],
        outcomes: Mapping[str, Outcomes] | None,
        bases: Sequence[str],
    ) -> dict[str, Any]:
        """Return track B of one part."""
        places = places_of(reference)
        if outcomes is None:  # track A was not asked for
            outcomes = {name: outcomes_of(item, reference)[0] for name, item in found.items()}
        chance = {"seed": self.seed, "n_resamples": self.n_resamples}
        judged = {
            name: judge_discrimination(item, places, **chance) for name, item in found.items()
        }
        return {
            "places": places_to_json(places),
            "entrants": {name: pair[0] for name, pair in judged.items()},
            "scores": {name: [finite(x) for x in pair[1]] for name, pair in judged.items()},
            "own_places": {
                name: judge_own_places(item, **chance) for name, item in outcomes.items()
            },
            "against_prescreeners": {
                base: {
                    name: judge_against_prescreener(item, outcomes[base], **chance)
                    for name, item in outcomes.items()
                    if name != base
                }
                for base in bases
                if base in outcomes
            },
        }

    def honesty(self, entrants: list[Entrant], document: dict[str, Any]) -> None:
        """Run track D."""
        survey = self.survey("faulty", document)
        true = true_coverage(survey)
        judged = {}
        for entrant in entrants:
            found = self.detect(entrant, survey, document)
            claimed = getattr(found, "coverage", None)
            if found is None:
                continue
            if claimed is None:
                _exclude(document, entrant, "faulty", "it claims no coverage")
                continue
            try:
                judged[entrant.name] = judge_honesty(
                    claimed, true, seed=self.seed, n_resamples=self.n_resamples
                )
            except ValueError as error:  # cells of another size, sensors that were not there
                _exclude(document, entrant, "faulty", error)
        facts = {name: fact.loss for name, fact in survey.lanes.items()}
        document["tracks"]["D"] = {"losses": facts, "entrants": judged}


def _exclude(document: dict[str, Any], entrant: Entrant, part: str, reason: object) -> None:
    """Note that an entrant is left out of a part, and why."""
    if isinstance(reason, BaseException) and not isinstance(reason, ValueError):
        reason = f"{type(reason).__name__}: {reason}"
    document["exclusions"].append(
        {"entrant": entrant.name, "part": part, "reason": " ".join(str(reason).split())}
    )
