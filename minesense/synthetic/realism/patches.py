"""Whether a classifier can tell patches of background from one source from those of another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..._validation import check_array, check_count
from ...sweep import Floats
from .missing import TooFewError
from .section import SLICES, RadarSection
from .tails import level_envelope

#: Features of a patch in one slice of depth.
FEATURES = ("level", "kurtosis", "along_1", "along_2", "across_time", "first_pattern")

_LENGTH = 1.0  # wavelengths in the ground, of a patch along the track
_LEAST_LENGTH = 8  # traces
_LEAST = 4  # patches in a stretch


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Patches:
    """Patches of background along one lane, as numbers without unit."""

    features: Floats  #: (n, n_features)
    stretch: np.ndarray  #: (n,) int, stretch of the lane that holds it
    number: np.ndarray  #: (n,) int, of the patch along the lane, the same for all channels
    names: tuple[str, ...]

    def above(self, n_slices: int) -> Patches:
        """Return the same patches with the features of the first slices of depth alone."""
        n = n_slices * len(FEATURES)
        return replace(self, features=self.features[:, :n], names=self.names[:n])


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoSample:
    """How well classifiers told two sources apart on stretches that they had not seen."""

    logistic: float  #: area under the ROC curve; 0.5 is chance
    trees: float  #: of boosted trees
    folds: tuple[float, ...]  #: of the better one, by stretch
    n_patches: tuple[int, int]  #: of the first and the second source


def patches(section: RadarSection, *, velocity: float = 1.2e8, n_stretches: int = 5) -> Patches:
    r"""
    Describe patches of a section by simple features that no gain and no unit changes.

    Parameters
    ----------
    section : RadarSection
        Of :func:`radar_section`.
    velocity : float
        Of the waves in the ground, in m/s, for the length of a patch.
    n_stretches : int
        Into which the lane is cut.

    Returns
    -------
    patches : Patches
        One wavelength long, at least eight traces. A patch across the border between two
        stretches is left out, so that none shares a trace with one of another stretch.

    Raises
    ------
    TooFewError
        If the distance between traces is not known, a stretch holds fewer than four patches,
        or no slice of depth lies in the record.

    Notes
    -----
    The residual is divided by its level (:func:`level_envelope`): the mean decay and the gain
    are gone, what is left is texture. In each of SLICES the features of a patch :math:`z` are
    the logarithm of its power, its kurtosis, its correlation with itself one and two traces
    on and a quarter of a period later, and the share of energy of its first singular vector.

    Examples
    --------
    >>> from minesense.synthetic import cart, field, scenario
    >>> from minesense.synthetic.realism import patches, radar_section
    >>> made = field(scenario("prepared", lanes={"length": 5.0, "run_in": 0.5}), seed=1)
    >>> radar, _ = made.sweep(cart(n_antennas=1, n_coils=1), lanes=["lane 01"])
    >>> found = patches(radar_section(radar))
    >>> found.features.shape[1] == len(found.names)
    True
    """
    n_stretches = check_count(n_stretches, "n_stretches", least=2)
    if not np.isfinite(section.spacing):
        msg = "the distance between traces is not known, or not regular"
        raise TooFewError(msg)
    wavelength = velocity / section.frequency
    length = max(_LEAST_LENGTH, round(_LENGTH * wavelength / section.spacing))
    insides = []
    for limits in SLICES:
        try:
            insides.append((limits, section.samples_of(*limits)))
        except TooFewError:
            break
    if not insides:
        msg = "no slice of depth lies in the record"
        raise TooFewError(msg)
    level = level_envelope(section)[1]
    values = section.residual / np.where(level > 0, level, 1.0)
    quarter = max(1, round(0.25 * section.period / section.interval))
    rows: list[list[float]] = []
    stretches, numbers, number = [], [], 0
    for stretch, traces in enumerate(np.array_split(np.arange(len(values)), n_stretches)):
        n_patches = 0
        for start in range(int(traces[0]), int(traces[-1]) + 2 - length, length):
            if section.row[start + length - 1] - section.row[start] != length - 1:
                continue  # a trace is missing in it
            n_patches, number = n_patches + 1, number + 1
            for channel in range(values.shape[1]):
                patch = values[start : start + length, channel]
                parts = [_describe(patch[:, inside], quarter) for _, inside in insides]
                rows.append([figure for part in parts for figure in part])
                stretches.append(stretch)
                numbers.append(number)
        if n_patches < _LEAST:
            msg = (
                f"{n_patches} patches of {length} traces in a stretch of {len(traces)}: at "
                f"least {_LEAST} are needed"
            )
            raise TooFewError(msg)
    names = [f"{name} {a:g}-{b:g}" for (a, b), _ in insides for name in FEATURES]
    return Patches(
        features=np.array(rows),
        stretch=np.array(stretches),
        number=np.array(numbers),
        names=tuple(names),
    )


def tell_apart(one: Patches, other: Patches, *, seed: int = 0) -> TwoSample:
    r"""
    Train classifiers to tell two sources apart, and judge them on stretches not seen.

    Parameters
    ----------
    one, other : Patches
        Of :func:`patches`, with the same features and stretches.
    seed : int
        Of the boosted trees.

    Returns
    -------
    result : TwoSample
        Mean over stretches of the area under the ROC curve: 0.5 if the sources cannot be
        told apart by these features, 1 if always.

    Raises
    ------
    ValueError
        If the features are not the same, or a value is not finite.
    TooFewError
        If the two have not the same two or more stretches.

    Notes
    -----
    One stretch of both lanes is left out at a time, with the patches beside it: neighbours
    are alike, and would let a classifier know the place instead of the source. Logistic
    regression on standardised features (L2, C = 1) and 60 boosted trees of depth 3.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.synthetic.realism import Patches, tell_apart
    >>> rng = np.random.default_rng(seed=0)
    >>> place = {"stretch": np.repeat(np.arange(5), 20), "number": np.arange(100)}
    >>> one, other = (
    ...     Patches(features=rng.normal(x, 1, (100, 2)), names=("a", "b"), **place)
    ...     for x in (0.0, 4.0)
    ... )
    >>> tell_apart(one, other).logistic > 0.99
    True
    """
    if one.names != other.names:
        msg = f"Invalid other with features {other.names}. Must be those of one, {one.names}."
        raise ValueError(msg)
    for name, source in (("one", one), ("other", other)):
        check_array(source.features, f"features of {name}", ("n", len(one.names)))
    stretches = np.unique(one.stretch)
    if len(stretches) < 2 or not np.array_equal(stretches, np.unique(other.stretch)):
        msg = "the two lanes have not the same two or more stretches"
        raise TooFewError(msg)
    values = np.concatenate([one.features, other.features])
    labels = np.repeat([0, 1], [len(one.features), len(other.features)])
    groups = np.concatenate([one.stretch, other.stretch])
    beside = np.concatenate([_borders(one, stretches), _borders(other, stretches)])
    areas = np.array(
        [
            [
                _area(model, values, labels, groups == stretch, (groups != stretch) & ~near)
                for stretch, near in zip(stretches, beside.T, strict=True)
            ]
            for model in _classifiers(seed)
        ]
    )
    logistic, trees = areas.mean(axis=1)
    return TwoSample(
        logistic=float(logistic),
        trees=float(trees),
        folds=tuple(areas[int(trees > logistic)].tolist()),
        n_patches=(len(one.features), len(other.features)),
    )


def _describe(patch: Floats, quarter: int) -> list[float]:
    """Return the features of one patch in one slice."""
    patch = patch - patch.mean()
    power = float((patch**2).mean())
    if not power > 0:
        return [-20.0, 3.0, 1.0, 1.0, 1.0, 1.0]
    values = np.linalg.svd(patch, compute_uv=False) ** 2
    return [
        float(np.log(power)),
        float((patch**4).mean() / power**2),
        _alike(patch[1:], patch[:-1]),
        _alike(patch[2:], patch[:-2]),
        _alike(patch[:, quarter:], patch[:, :-quarter]),
        float(values[0] / values.sum()),
    ]


def _alike(one: Floats, other: Floats) -> float:
    """Return the correlation of two arrays of mean near zero."""
    size = float(np.sqrt((one**2).sum() * (other**2).sum()))
    return float((one * other).sum()) / size if size > 0 else 0.0


def _borders(source: Patches, stretches: np.ndarray) -> np.ndarray:
    """Return for each patch and stretch whether it is in it or next to it."""
    beside = []
    for stretch in stretches:
        inside = source.number[source.stretch == stretch]
        beside.append((source.number >= inside[0] - 1) & (source.number <= inside[-1] + 1))
    return np.array(beside).T


def _classifiers(seed: int) -> Sequence[Any]:
    """Return new classifiers."""
    from sklearn.ensemble import GradientBoostingClassifier  # noqa: PLC0415, slow to import
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415
    from sklearn.pipeline import make_pipeline  # noqa: PLC0415
    from sklearn.preprocessing import StandardScaler  # noqa: PLC0415

    return (
        make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000)),
        GradientBoostingClassifier(n_estimators=60, max_depth=3, random_state=seed),
    )


def _area(
    model: Any, values: Floats, labels: np.ndarray, test: np.ndarray, train: np.ndarray
) -> float:
    """Fit a classifier and return the area under its ROC curve on what it has not seen."""
    model.fit(values[train], labels[train])
    score = model.decision_function(values[test])
    one, other = score[labels[test] == 0], score[labels[test] == 1]
    above = (other[:, None] > one).sum() + 0.5 * (other[:, None] == one).sum()
    return float(above / (len(one) * len(other)))
