"""The results file: what was run, on what, with what outcome; the same bytes each time."""

from __future__ import annotations

import functools
import hashlib
import json
import math
import platform
from collections.abc import Mapping, Sequence
from importlib import metadata, resources
from pathlib import Path
from typing import Any

import numpy as np

from .._version import __version__
from ..alarm import SAFETY_TEXT
from ..digest import canonical
from ..sweep import Floats
from .detection import finite
from .discrimination import Places
from .outcomes import Outcomes
from .scenarios import Plan
from .surveys import Survey

#: What a results file says that it is.
FORMAT = "minesense-bench results"

LABEL = "SYNTHETIC"

#: Blocks that differ from one run to the next though nothing else does.
TIMES = "times"

#: Names the SHA-256 of all else but the times.
CONTENT = "content_sha256"

#: Versions of the benchmark whose files may lack that: the first ones of 1 were without.
_WITHOUT_CONTENT = ("1",)

#: Packages whose version may change a result.
_PACKAGES = ("numpy", "scipy", "numba", "scikit-learn")


@functools.cache
def code_sha256() -> str:
    """
    Return the SHA-256 of the package: of its code and data, file by file.

    Returns
    -------
    digest : str
        In hexadecimal.

    Examples
    --------
    >>> from minesense.bench.results import code_sha256
    >>> len(code_sha256())
    64
    """
    root = Path(str(resources.files(__package__))).parent
    digest = hashlib.sha256()
    for path in sorted(p for p in root.rglob("*") if p.suffix in (".py", ".toml")):
        data = path.read_bytes()
        digest.update(f"{path.relative_to(root).as_posix()} {len(data)}\n".encode())
        digest.update(data)
    return digest.hexdigest()


def new_document(
    plan: Plan, configuration: Mapping[str, Any], *, seed: int | None, commitment: str | None
) -> dict[str, Any]:
    """
    Return the head of a results file.

    Parameters
    ----------
    plan : Plan
        What is run.
    configuration : dict
        How, JSON-ready.
    seed : int or None
        Of the fields; None where it is sealed.
    commitment : str or None
        What was published about a sealed seed.

    Returns
    -------
    document : dict
        To which the tracks are added.

    Examples
    --------
    >>> from minesense.bench import benchmark_plan
    >>> from minesense.bench.results import new_document
    >>> head = new_document(benchmark_plan("quick"), {}, seed=1, commitment=None)
    >>> head["data_kind"], head["benchmark"]["version"]
    ('SYNTHETIC', '3')
    """
    return {
        "format": FORMAT,
        "data_kind": LABEL,
        "note": f"{LABEL} data: these figures say nothing about performance in the field.",
        "safety": SAFETY_TEXT,
        "benchmark": {
            "version": plan.version,
            "size": plan.size,
            "plan_sha256": plan.sha256,
            "seed": seed,
            "commitment": commitment,
        },
        "configuration": dict(configuration),
        "configuration_sha256": hashlib.sha256(canonical(dict(configuration))).hexdigest(),
        "code": {"version": __version__, "sha256": code_sha256()},
        "environment": {
            "python": platform.python_version(),
            "machine": platform.machine(),
            **{name: metadata.version(name) for name in _PACKAGES},
        },
        "data": {},
        "tracks": {},
        "exclusions": [],
        TIMES: {},
    }


def describe_data(survey: Survey) -> dict[str, Any]:
    """
    Return the hashes and sizes of one part.

    Parameters
    ----------
    survey : Survey
        Of the part.

    Returns
    -------
    data : dict
        JSON-ready. The truth is the same on every machine; sweeps may differ in their last
        digits where another processor rounds a sine the other way.

    Examples
    --------
    >>> describe_data(survey)["truth_sha256"]  # doctest: +SKIP
    """
    targets = survey.truth.targets
    return {
        "truth_sha256": survey.truth.sha256,
        "sweeps_sha256": survey.sweeps_sha256,
        "n_lanes": len(survey.lanes),
        "n_targets": len(targets),
        "n_mines": sum(not t.kind.startswith("simulant") for t in targets),
        "n_clutter": len(survey.truth.clutter),
        "area_m2": finite(survey.square_metres),
    }


def outcomes_to_json(outcomes: Outcomes) -> dict[str, Any]:
    """
    Return the outcomes of an entrant for a results file.

    Parameters
    ----------
    outcomes : Outcomes
        On one part.

    Returns
    -------
    document : dict
        Scores to nine digits; None for a target that is never detected.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.bench.outcomes import Outcomes
    >>> from minesense.bench.results import outcomes_from_json, outcomes_to_json
    >>> one = Outcomes(
    ...     areas=np.array([10.0]),
    ...     target_lanes=np.array([0]),
    ...     target_scores=np.array([np.nan]),
    ...     detected=np.array([False]),
    ...     false_lanes=np.array([0]),
    ...     false_scores=np.array([1.5]),
    ...     false_at_threshold=np.array([1]),
    ... )
    >>> outcomes_to_json(one)["target_scores"]
    [None]
    >>> outcomes_from_json(outcomes_to_json(one)).false_scores.tolist()
    [1.5]
    """
    return {
        "areas_m2": [finite(x) for x in outcomes.areas],
        "target_lanes": outcomes.target_lanes.tolist(),
        "target_scores": [finite(x) for x in outcomes.target_scores],
        "detected": outcomes.detected.astype(int).tolist(),
        "false_lanes": outcomes.false_lanes.tolist(),
        "false_scores": [finite(x) for x in outcomes.false_scores],
        "false_at_threshold": outcomes.false_at_threshold.tolist(),
    }


def outcomes_from_json(document: Mapping[str, Any]) -> Outcomes:
    """
    Return the outcomes that a results file holds.

    Parameters
    ----------
    document : dict
        Of :func:`outcomes_to_json`.

    Returns
    -------
    outcomes : Outcomes
        The same to nine digits.

    Raises
    ------
    KeyError, TypeError, ValueError
        If it is not of that form.

    Examples
    --------
    >>> outcomes_from_json({})
    Traceback (most recent call last):
    KeyError: 'areas_m2'
    """
    return Outcomes(
        areas=np.array(document["areas_m2"], np.float64),
        target_lanes=np.array(document["target_lanes"], np.int64),
        target_scores=_numbers(document["target_scores"], math.nan),
        detected=np.array(document["detected"], bool),
        false_lanes=np.array(document["false_lanes"], np.int64),
        false_scores=_numbers(document["false_scores"], math.nan),
        false_at_threshold=np.array(document["false_at_threshold"], np.int64),
    )


def places_to_json(places: Places) -> dict[str, Any]:
    """
    Return the places of track B for a results file, without where they are.

    Parameters
    ----------
    places : Places
        Of one part.

    Returns
    -------
    document : dict
        JSON-ready.

    Examples
    --------
    >>> places_to_json(places)["n_lanes"]  # doctest: +SKIP
    """
    return {
        "lanes": places.lanes.tolist(),
        "owner": places.owner.tolist(),
        "n_lanes": places.n_lanes,
    }


def places_from_json(document: Mapping[str, Any]) -> Places:
    """
    Return the places that a results file holds.

    Parameters
    ----------
    document : dict
        Of :func:`places_to_json`.

    Returns
    -------
    places : Places
        Without where they are.

    Examples
    --------
    >>> places_from_json({"lanes": [0], "owner": [-1], "n_lanes": 1}).n_targets
    0
    """
    lanes = np.array(document["lanes"], np.int64)
    nowhere = np.full(len(lanes), math.nan)
    return Places(
        lanes=lanes,
        easting=nowhere,
        northing=nowhere,
        owner=np.array(document["owner"], np.int64),
        n_lanes=int(document["n_lanes"]),
    )


def scores_from_json(scores: Sequence[float | None]) -> Floats:
    """
    Return the scores of places that a results file holds.

    Parameters
    ----------
    scores : sequence of float or None
        None for a place of which the entrant says nothing.

    Returns
    -------
    scores : (n,) float64 ndarray
        Minus infinity for those.

    Examples
    --------
    >>> scores_from_json([1.0, None]).tolist()
    [1.0, -inf]
    """
    return _numbers(scores, -math.inf)


def _numbers(values: Sequence[float | None], missing: float) -> Floats:
    """Return numbers as an array, None as something else."""
    return np.array([missing if x is None else x for x in values], np.float64)


def read_results(path: str | Path) -> dict[str, Any]:
    """
    Read a results file.

    Parameters
    ----------
    path : path-like
        Written by ``minesense bench``.

    Returns
    -------
    document : dict
        Its content.

    Raises
    ------
    ValueError
        If it is not JSON, no results file, or not as it was written: its digests, of the
        configuration and of all but the times, say so. Only a file of version 1 of the
        benchmark may lack the latter, since the first ones did.
    OSError
        If it cannot be read.

    Examples
    --------
    >>> from minesense.bench import read_results
    >>> read_results("no such file")
    Traceback (most recent call last):
    FileNotFoundError: ...
    """
    path = Path(path)
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        msg = f"Invalid results '{path}': {error}. Must be JSON."
        raise ValueError(msg) from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        msg = f"Invalid results '{path}'. Must be a file of `minesense bench`."
        raise ValueError(msg)
    parts = ("benchmark", "configuration", "code", "data", "tracks")
    missing = [name for name in parts if not isinstance(document.get(name), dict)]
    if missing:
        msg = f"Invalid results '{path}': it lacks {', '.join(missing)}. Must hold all of it."
        raise ValueError(msg)
    found = hashlib.sha256(canonical(document["configuration"])).hexdigest()
    if found != document.get("configuration_sha256"):
        msg = (
            f"Invalid results '{path}': the configuration is not the one that its SHA-256 "
            "vouches for. Must be as it was written."
        )
        raise ValueError(msg)
    version = document["benchmark"].get("version")
    if CONTENT not in document and version not in _WITHOUT_CONTENT:
        msg = (
            f"Invalid results '{path}': they lack {CONTENT}, which vouches for the figures. "
            "Must be as they were written."
        )
        raise ValueError(msg)
    try:
        is_changed = CONTENT in document and content_sha256(document) != document[CONTENT]
    except ValueError:  # a number that is not finite: never written
        is_changed = True
    if is_changed:
        msg = (
            f"Invalid results '{path}': figures are not those that their SHA-256 vouches for. "
            "Must be as it was written."
        )
        raise ValueError(msg)
    return document


def content_sha256(document: Mapping[str, Any]) -> str:
    """
    Return the SHA-256 of what a results file holds, but for the times and this digest itself.

    Parameters
    ----------
    document : dict
        A results file.

    Returns
    -------
    digest : str
        In hexadecimal, of canonical JSON. It tells a file that was damaged or edited; whoever
        means to deceive writes it anew, and is found out by running the benchmark again.

    Examples
    --------
    >>> from minesense.bench.results import content_sha256
    >>> content_sha256({"a": 1, "times": {}}) == content_sha256({"a": 1})
    True
    """
    content = {name: value for name, value in document.items() if name not in (TIMES, CONTENT)}
    return hashlib.sha256(canonical(content)).hexdigest()


def without_times(document: Mapping[str, Any]) -> dict[str, Any]:
    """
    Return a results file without what differs from run to run.

    Parameters
    ----------
    document : dict
        A results file.

    Returns
    -------
    document : dict
        The same bytes for the same code, configuration, seed and machine.

    Examples
    --------
    >>> without_times({"times": {"training": 3.2}, "format": "x"})
    {'format': 'x'}
    """
    return {name: value for name, value in document.items() if name != TIMES}
