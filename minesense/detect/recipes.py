"""Recipes: which sensors, prescreener, features and classifiers make up a detector."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from .._validation import check_number, check_one_of
from .classify import ESTIMATORS
from .feature_groups import DEFAULT_GROUPS, KINDS, SEQUENCE_DEPTHS, features_of
from .settings import DetectorSettings

#: Of the radar.
PRESCREENERS = ("median", "mean", "quantile", "prediction")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """
    What a detector is made of; :func:`minesense.train` turns it into one.

    The default is the full detector: both sensors, all features, boosted trees.
    """

    name: str = "full"
    kinds: tuple[str, ...] = KINDS  #: sensors that are listened to
    #: names of feature groups by kind of sensor
    groups: dict[str, tuple[str, ...]] = field(default_factory=lambda: dict(DEFAULT_GROUPS))
    #: kind of estimator by kind of sensor
    estimators: dict[str, str] = field(default_factory=lambda: dict.fromkeys(KINDS, "boosted"))
    #: options of the estimator by kind of sensor, as of :func:`minesense.detect.fit`
    options: dict[str, dict[str, Any]] = field(default_factory=dict)
    #: of the radar; None leaves what the settings say
    prescreener: Literal["median", "mean", "quantile", "prediction"] | None = None
    threshold: float | None = None  #: of that prescreener; None leaves what the settings say
    #: whether echo shapes, learnt from the training lanes, take the place of the radar's
    #: prescreener; of another one than the default they never do
    learn_shapes: bool = True

    def __post_init__(self) -> None:
        if not self.kinds or set(self.kinds) - set(KINDS):
            msg = f"Invalid kinds {self.kinds}. Must be one or both of {KINDS}."
            raise ValueError(msg)
        if not isinstance(self.name, str) or not self.name:
            msg = f"Invalid name {self.name!r}. Must be a word."
            raise ValueError(msg)
        if self.prescreener is not None:
            check_one_of(self.prescreener, "prescreener", PRESCREENERS)
        if self.threshold is not None:
            check_number(self.threshold, "threshold")
        if not isinstance(self.groups, Mapping):
            msg = f"Invalid groups of type {type(self.groups).__name__}. Must be by kind."
            raise TypeError(msg)
        for kind in self.kinds:
            if not features_of(kind, self.groups):
                msg = f"Invalid groups {self.groups}. Must name a group of kind '{kind}'."
                raise ValueError(msg)
            check_one_of(self.estimators.get(kind), f"estimator of '{kind}'", ESTIMATORS)

    @property
    def modes(self) -> tuple[str, ...]:
        """What a detector made of it may be asked to listen to, its default first."""
        return ("both", *self.kinds) if len(self.kinds) > 1 else self.kinds

    def apply(self, settings: DetectorSettings) -> DetectorSettings:
        """
        Return settings with this prescreener.

        Parameters
        ----------
        settings : DetectorSettings
            What the stages are told.

        Returns
        -------
        settings : DetectorSettings
            The same but for prescreener and threshold, where the recipe names them.
        """
        changes: dict[str, Any] = {}
        if self.prescreener is not None:
            changes["prescreener"] = self.prescreener
        if self.threshold is not None:
            changes["threshold"] = self.threshold
        radar = dataclasses.replace(settings.radar, **changes)
        return dataclasses.replace(settings, radar=radar)

    def learns(self, settings: DetectorSettings) -> bool:
        """
        Return whether training learns echo shapes.

        Parameters
        ----------
        settings : DetectorSettings
            What the stages are told, with the recipe's own prescreener.

        Returns
        -------
        learns : bool
            Not without a radar, nor where a prescreener was chosen.
        """
        is_default = settings.radar.prescreener == "median"
        return self.learn_shapes and is_default and "gpr" in self.kinds

    def as_dict(self) -> dict[str, Any]:
        """Return the recipe as plain values, for the card of a model."""
        return msgspec.to_builtins(self)


def read_recipe(document: Mapping[str, Any]) -> Recipe:
    """
    Return the recipe that a document, such as parsed JSON, describes.

    Parameters
    ----------
    document : dict
        Fields of :class:`Recipe` by name; what is left out has its default.

    Returns
    -------
    recipe : Recipe
        The recipe.

    Raises
    ------
    ValueError
        If a field is of the wrong type or unknown to this version; the message says which.

    Examples
    --------
    >>> from minesense.detect import RECIPES, read_recipe
    >>> read_recipe(RECIPES["radar"].as_dict()) == RECIPES["radar"]
    True
    """
    try:
        return msgspec.convert(dict(document), Recipe)
    except msgspec.ValidationError as error:
        msg = f"Invalid recipe: {error}"
        raise ValueError(msg) from None


def _radar(name: str, groups: tuple[str, ...], estimator: str, **more: Any) -> Recipe:
    """Return a recipe that listens to the radar alone, by default with a plain prescreener."""
    more = {"learn_shapes": False, **more}
    return Recipe(
        name=name,
        kinds=("gpr",),
        groups={"gpr": groups},
        estimators={"gpr": estimator},
        **more,
    )


def _coils(name: str, groups: tuple[str, ...], estimator: str) -> Recipe:
    """Return a recipe that listens to the metal detector alone."""
    return Recipe(
        name=name,
        kinds=("emi",),
        groups={"emi": groups},
        estimators={"emi": estimator},
        learn_shapes=False,
    )


#: Detectors of fixed configuration: the full one, and what it is compared with.
RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        Recipe(),
        Recipe(
            name="prescreener",
            groups=dict.fromkeys(KINDS, ("score",)),
            estimators=dict.fromkeys(KINDS, "score"),
        ),
        _radar("energy", ("level",), "score"),
        _radar("cfar", ("score",), "score", prescreener="mean"),
        _radar("prediction", ("score",), "score", prescreener="prediction", threshold=6.0),
        _radar("edge_histogram", ("edges",), "possibilistic"),
        _radar("gradient_histogram", ("gradients",), "forest"),
        _radar(
            "hidden_markov",
            ("sequences",),
            "hidden_markov",
            options={"gpr": {"n_depths": SEQUENCE_DEPTHS, "n_observations": 4}},
        ),
        _radar("radar", DEFAULT_GROUPS["gpr"], "boosted", learn_shapes=True),
        _coils("coil_signal", ("score",), "score"),
        _coils("metal_detector", DEFAULT_GROUPS["emi"], "boosted"),
    )
}
