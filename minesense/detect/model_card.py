"""The card of a model: everything of a detector but its classifiers, as plain values."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from .calibrate import Platt
from .feature_groups import features_of
from .isotonic import read_calibration
from .ratios import alone
from .recipes import Recipe, read_recipe
from .settings import read_settings
from .shift import ShiftMonitor
from .target_scores import TargetScores

if TYPE_CHECKING:
    from .detector import Detector

#: Entries of a model's card that become parts of the detector.
OWN = (
    "settings", "recipe", "sensors", "calibrations", "priors", "thresholds", "stated",
    "own_thresholds", "monitors", "targets",
)  # fmt: skip


def write_card(detector: Detector) -> dict[str, Any]:
    """
    Return the card of a detector, ready for JSON.

    Parameters
    ----------
    detector : Detector
        Trained.

    Returns
    -------
    card : dict
        Its own card and, under the names of :data:`OWN`, what else it is made of.

    Examples
    --------
    >>> from minesense.detect.model_card import write_card
    >>> write_card(detector)["thresholds"]["both"]  # doctest: +SKIP
    0.31
    """
    return {
        **detector.card,
        "settings": detector.settings.as_dict(),
        "recipe": detector.recipe.as_dict(),
        "sensors": {kind: dict(sensor) for kind, sensor in detector.sensors.items()},
        "calibrations": {k: v.as_dict() for k, v in detector.calibrations.items()},
        "priors": dict(detector.priors),
        "thresholds": dict(detector.thresholds),
        "stated": {mode: item.as_dict() for mode, item in detector.stated.items()},
        "own_thresholds": dict(detector.own_thresholds),
        "monitors": {kind: item.as_dict() for kind, item in detector.monitors.items()},
        "targets": {mode: _plain(item) for mode, item in detector.targets.items()},
    }


def identity_of(card: Mapping[str, Any]) -> str:
    """
    Return the name of a detector: a hash of all it is but its classifiers' numbers.

    Parameters
    ----------
    card : dict
        Of :func:`write_card`.

    Returns
    -------
    identity : str
        With the first twelve digits of a SHA-256.

    Examples
    --------
    >>> from minesense.detect.model_card import identity_of
    >>> identity_of({})
    'minesense-44136fa355b3'
    """
    text = json.dumps(dict(card), sort_keys=True)
    return f"minesense-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def read_card(
    path: str, estimators: Mapping[str, Any], card: Mapping[str, Any]
) -> dict[str, Any]:
    """
    Return the fields of a detector that a card describes.

    Parameters
    ----------
    path : str
        Of the model file, for errors.
    estimators : dict of object
        By kind of sensor, from the same file.
    card : dict
        Of :func:`write_card`, perhaps by way of JSON.

    Returns
    -------
    fields : dict
        All but the estimators.

    Raises
    ------
    ValueError
        If the parts do not fit together, or belong to features that this version does not
        compute.

    Examples
    --------
    >>> from minesense.detect.model_card import read_card
    >>> read_card("model.skops", {}, {})
    Traceback (most recent call last):
    ValueError: Invalid model file 'model.skops': its card lacks settings, ...
    """
    fault = f"Invalid model file '{path}'"
    recipe = _check(fault, estimators, card)
    try:
        return {
            "settings": read_settings(card["settings"]),
            "recipe": recipe,
            "sensors": card["sensors"],
            "calibrations": {k: _platt(v) for k, v in card["calibrations"].items()},
            "priors": card["priors"],
            "thresholds": card["thresholds"],
            "stated": {k: read_calibration(v) for k, v in card["stated"].items()},
            "own_thresholds": card["own_thresholds"],
            "monitors": {k: ShiftMonitor.from_dict(v) for k, v in card["monitors"].items()},
            "targets": {k: _targets(v) for k, v in card["targets"].items()},
            "card": {k: v for k, v in card.items() if k not in (*OWN, "identity")},
        }
    except (KeyError, TypeError, AttributeError) as error:
        msg = f"{fault}: its card cannot be read ({error}). Must be written by Detector.save."
        raise ValueError(msg) from None


def _plain(targets: TargetScores) -> dict[str, list[Any]]:
    """Return scores and lanes; None for a target that nothing marked."""
    scores = [value if math.isfinite(value) else None for value in targets.scores.tolist()]
    return {"scores": scores, "lanes": targets.lanes.tolist()}


def _targets(document: Mapping[str, Any]) -> TargetScores:
    """Return the scores that :func:`_plain` wrote."""
    scores = [-math.inf if value is None else float(value) for value in document["scores"]]
    return TargetScores(np.array(scores), np.array(document["lanes"], dtype=str))


def _is_number(document: Mapping[str, Any], name: str) -> bool:
    """Return whether an entry is a finite number."""
    value = document.get(name)
    return isinstance(value, float | int) and math.isfinite(value)


def _platt(document: Mapping[str, Any]) -> Platt:
    """Return the logistic calibration that a card names."""
    found = read_calibration(document)
    if not isinstance(found, Platt):
        msg = f"Invalid calibration '{document.get('kind')}' of ratios. Must be 'platt'."
        raise TypeError(msg)
    return found


def _check(fault: str, estimators: Mapping[str, Any], card: Mapping[str, Any]) -> Recipe:
    """Return the recipe of a model file; raise if its parts do not fit together."""
    missing = [name for name in OWN if not isinstance(card.get(name), dict)]
    if missing:
        msg = f"{fault}: its card lacks {', '.join(missing)}. Must be written by Detector.save."
        raise ValueError(msg)
    recipe = read_recipe(card["recipe"])
    if set(estimators) != set(recipe.kinds):
        msg = (
            f"{fault}: holds estimators of {', '.join(map(repr, sorted(estimators)))}. Must be "
            f"of {' and '.join(map(repr, recipe.kinds))}, as its recipe."
        )
        raise ValueError(msg)
    names = {*recipe.kinds, *map(alone, recipe.kinds), *({"both"} & set(recipe.modes))}
    missing = sorted(f"calibration {name}" for name in names - set(card["calibrations"]))
    if missing:
        msg = f"{fault}: its card lacks {', '.join(missing)}. Must be written by Detector.save."
        raise ValueError(msg)
    lacking = [f"threshold {x}" for x in recipe.modes if not _is_number(card["thresholds"], x)]
    lacking += [f"prior {x}" for x in recipe.kinds if not _is_number(card["priors"], x)]
    if lacking:
        msg = f"{fault}: its card lacks {', '.join(lacking)}. Must be written by Detector.save."
        raise ValueError(msg)
    expected = {
        kind: [[f.name, f.unit] for f in features_of(kind, recipe.groups)]
        for kind in recipe.kinds
    }
    if card.get("features") != expected:
        msg = (
            f"{fault}: its features are not those that this version computes. Must be trained "
            "again."
        )
        raise ValueError(msg)
    rest = {name: value for name, value in card.items() if name != "identity"}
    if identity_of(rest) != card.get("identity"):
        msg = (
            f"{fault}: its card is not that of model '{card.get('identity')}'. Must be as "
            "Detector.save wrote it."
        )
        raise ValueError(msg)
    return recipe
