"""Model files: a zip of plain values read by skops, never pickle, with a card."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .tested_trees import adopt_trees, compiled_trees, reference_scores
from .trees import extract_trees, trial_rows

_FORMAT = "minesense model 1"

#: Every type that a model file may hold beyond what skops itself trusts. A file that
#: names another one is refused before anything in it is built.
ALLOWED_TYPES = frozenset(
    {
        "minesense.detect.forest.VoteForest",
        "minesense.detect.hidden_markov.HiddenMarkov",
        "minesense.detect.possibilistic.PossibilisticNeighbours",
        "minesense.detect.score_column.ScoreColumn",
        "numpy.dtype",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    }
)


def save_model(path: str | os.PathLike[str], estimators: Mapping[str, Any], card: Any) -> None:
    """
    Write estimators and their card to one file.

    Parameters
    ----------
    path : path-like
        File to write; replaced as a whole, never half written.
    estimators : dict of sklearn.pipeline.Pipeline
        Fitted pipelines by kind of sensor.
    card : dict
        JSON-ready description: training data, soils, features, settings, version.

    Raises
    ------
    ImportError
        If skops is not installed (extra ``models``).
    ValueError
        If an estimator holds a type outside :data:`ALLOWED_TYPES`, or boosted trees that
        :func:`~minesense.detect.trees.extract_trees` refuses.

    Warns
    -----
    RuntimeWarning
        If boosted trees fail their self-test, see
        :func:`~minesense.detect.tested_trees.compiled_trees`.

    Notes
    -----
    With boosted trees go test rows and the scores that scikit-learn gives them, bit for bit.
    """
    io = _skops()
    content = {
        "format": _FORMAT,
        "card": json.dumps(card, sort_keys=True),
        "estimators": dict(estimators),
        "self_tests": {
            kind: _self_test(classifier) for kind, classifier in _boosted(estimators).items()
        },
    }
    data = io.dumps(content)
    _refuse_others(io.get_untrusted_types(data=data), "estimators")
    temporary = Path(path).with_name(Path(path).name + ".part")
    temporary.write_bytes(data)
    temporary.replace(path)


def load_model(path: str | os.PathLike[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """
    Read estimators and their card.

    Parameters
    ----------
    path : path-like
        File written by :func:`save_model`.

    Returns
    -------
    estimators : dict of sklearn.pipeline.Pipeline
        Fitted pipelines by kind of sensor.
    card : dict
        What :func:`save_model` was given.

    Raises
    ------
    ImportError
        If skops is not installed (extra ``models``).
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is not a model of this format, or names a type outside
        :data:`ALLOWED_TYPES`; if its trees are damaged, or scikit-learn scores their test rows
        differently from when the model was saved; or if a classifier takes another number of
        features than the card names.

    Warns
    -----
    RuntimeWarning
        If the compiled trees fail their self-test: scikit-learn is then used instead.
    """
    io = _skops()
    path = Path(path)
    data = path.read_bytes()
    foreign = f"Invalid model file '{path}'. Must be a file written by Detector.save"
    if not zipfile.is_zipfile(path):
        msg = f"{foreign}, which is a zip archive; this one begins with {data[:8]!r}."
        raise ValueError(msg)
    try:
        untrusted = io.get_untrusted_types(data=data)
    except (KeyError, ValueError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        msg = f"{foreign}; its schema cannot be read ({error})."
        raise ValueError(msg) from None
    _refuse_others(untrusted, f"model file '{path}'")
    try:
        content = io.loads(data, trusted=sorted(ALLOWED_TYPES & set(untrusted)))
    except (KeyError, ValueError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        msg = f"{foreign}; its content cannot be read ({error})."
        raise ValueError(msg) from None
    if not isinstance(content, dict) or content.get("format") != _FORMAT:
        msg = f"{foreign}; this one holds no '{_FORMAT}'."
        raise ValueError(msg)
    estimators, card = content.get("estimators"), _parse_card(content.get("card"))
    if not isinstance(estimators, dict) or card is None:
        msg = f"{foreign}; this one holds no estimators or no card."
        raise ValueError(msg)
    _check_features(path, estimators, card)
    tests = content.get("self_tests")
    for kind, classifier in _boosted(estimators).items():
        test = tests.get(kind) if isinstance(tests, dict) else None
        try:
            _run_self_test(classifier, test)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            msg = f"Invalid model file '{path}': its classifier of '{kind}' is damaged. {error}"
            raise ValueError(msg) from None
    return estimators, card


def _boosted(estimators: Mapping[str, Any]) -> dict[str, Any]:
    """Return the boosted classifiers that pipelines end in, by kind of sensor."""
    last = {
        kind: estimator.steps[-1][1]
        for kind, estimator in estimators.items()
        if getattr(estimator, "steps", None)
    }
    return {kind: found for kind, found in last.items() if hasattr(found, "_predictors")}


def _self_test(classifier: Any) -> dict[str, Any]:
    """Return test rows and what scikit-learn says of them; test the compiled trees, too."""
    trees = extract_trees(classifier)
    rows = trial_rows(trees)
    scores = reference_scores(classifier, rows)
    adopt_trees(classifier, trees, rows, scores)
    return {"rows": rows, "scores": scores}


def _run_self_test(classifier: Any, test: Any) -> None:
    """
    Test scikit-learn, then the compiled trees, against the scores of a file.

    Trees are checked before anything runs through them: scikit-learn would follow a node out
    of memory. A file without a test is tested by rows of its own.
    """
    trees = extract_trees(classifier)
    if test is None:
        compiled_trees(classifier)
        return
    rows, expected = test["rows"], test["scores"]
    shapes = [getattr(array, "shape", None) for array in (rows, expected)]
    if shapes != [(len(rows), trees.n_features), (len(rows),)] or not (
        rows.dtype == expected.dtype == np.float64
    ):
        msg = f"Its test rows have the shapes {shapes}. Must fit {trees.n_features} features."
        raise ValueError(msg)
    is_wrong = reference_scores(classifier, rows).view(np.int64) != expected.view(np.int64)
    if is_wrong.any():
        msg = (
            f"{is_wrong.sum()} of {len(rows)} test rows score differently from when it was "
            "saved. Must be trained again."
        )
        raise ValueError(msg)
    adopt_trees(classifier, trees, rows, expected)


def _check_features(path: Path, estimators: Mapping[str, Any], card: dict[str, Any]) -> None:
    """Raise if a classifier takes another number of features than the card names."""
    named = card.get("features")
    for kind, estimator in estimators.items():
        names = named.get(kind) if isinstance(named, dict) else None
        taken = getattr(estimator, "n_features_in_", None)
        if isinstance(names, list) and taken is not None and taken != len(names):
            msg = (
                f"Invalid model file '{path}': its features are not those of its classifier of "
                f"'{kind}', which takes {taken}; the card names {len(names)}. Must be trained "
                "again."
            )
            raise ValueError(msg)


def _parse_card(text: Any) -> dict[str, Any] | None:
    """Return the card, or None if it is not one."""
    try:
        card = json.loads(text)
    except (TypeError, ValueError):
        return None
    return card if isinstance(card, dict) else None


def _skops() -> Any:
    """Return skops.io, or say how to install it."""
    try:
        import skops.io  # noqa: PLC0415, an extra
    except ImportError:
        msg = "Model files need skops. Install it with: pip install 'minesense[models]'"
        raise ImportError(msg) from None
    return skops.io


def _refuse_others(untrusted: list[str], what: str) -> None:
    """Raise if a list of types holds one that is not allowed."""
    others = sorted(set(untrusted) - ALLOWED_TYPES)
    if others:
        msg = (
            f"Invalid {what}: holds the types {', '.join(others)}. Must hold only those of "
            "the pipelines of new_estimator: the file is not loaded."
        )
        raise ValueError(msg)
