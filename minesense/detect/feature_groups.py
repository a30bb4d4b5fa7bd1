"""Groups of features by kind of sensor: what each holds and how it is computed."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .. import emi, gpr
from .._validation import check_one_of
from ..alarm import Feature
from ..sensor import pulse_train_of
from ..sweep import Floats
from .screen import Part
from .settings import DetectorSettings

#: Kinds of sensor in the order in which they are always listed.
KINDS = ("gpr", "emi")


@dataclass(frozen=True, kw_only=True, eq=False)
class Cells:
    """Cells of one part of a lane that are to be described."""

    part: Part
    traces: Sequence[int]  #: of the part, one a cell
    channels: Sequence[int]
    settings: DetectorSettings

    @cached_property
    def best(self) -> Floats:
        """Highest prescreener score of each cell."""
        return self.part.best[list(self.traces), list(self.channels)]

    @cached_property
    def times(self) -> Floats:
        """Two-way time of that score (s); NaN where the cell was not judged."""
        scores = self.part.scores.samples[list(self.traces), list(self.channels)]
        scores = np.where(np.isfinite(scores), scores, -math.inf)
        return np.where(
            scores.max(axis=1) > -math.inf,
            self.part.scores.sensor.axis[scores.argmax(axis=1)],
            math.nan,
        )

    @cached_property
    def spread(self) -> Floats:
        """Robust standard deviation of each channel and sample over the part."""
        usable = self.part.processed.samples[self.part.processed.is_usable].astype(np.float64)
        middle = np.median(usable, axis=0)
        return np.maximum(1.4826 * np.median(np.abs(usable - middle), axis=0), 1e-15)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureGroup:
    """Features that are computed together and can be left out together."""

    features: tuple[Feature, ...]
    compute: Callable[[Cells], Floats]  #: (n_cells, n_features) of cells; NaN where unusable


def _score(cells: Cells) -> Floats:
    is_usable = cells.part.processed.is_usable[list(cells.traces)]
    return np.where(is_usable, cells.best, math.nan)[:, None]


def _echo(cells: Cells) -> Floats:
    return gpr.radar_features(
        cells.part.processed,
        cells.traces,
        cells.channels,
        ground_time=cells.settings.radar.ground_time,
        spacing=cells.settings.radar.spacing,
    )


def _level(cells: Cells) -> Floats:
    return _echo(cells)[:, _LEVEL : _LEVEL + 1]


def _decay(cells: Cells) -> Floats:
    return emi.coil_features(
        cells.part.processed,
        cells.part.scores,
        cells.traces,
        cells.channels,
        spread=cells.spread,
        soil=emi.soil_decay(pulse_train_of(cells.part.processed.sensor)),
        spacing=cells.settings.coils.spacing,
    )


_LEVEL = [feature.name for feature in gpr.FEATURES].index("core_level")
_SCORE = (Feature("score", "1", "highest prescreener score"),)

#: Every group by kind of sensor and name. Context groups are never used alone.
GROUPS: dict[str, dict[str, FeatureGroup]] = {
    "gpr": {
        "score": FeatureGroup(features=_SCORE, compute=_score),
        "level": FeatureGroup(features=(gpr.FEATURES[_LEVEL],), compute=_level),
        "echo": FeatureGroup(features=gpr.FEATURES, compute=_echo),
    },
    "emi": {
        "score": FeatureGroup(features=_SCORE, compute=_score),
        "decay": FeatureGroup(features=emi.COIL_FEATURES, compute=_decay),
    },
}

#: Groups of the full detector.
DEFAULT_GROUPS: dict[str, tuple[str, ...]] = {"gpr": ("score", "echo"), "emi": ("decay",)}


def features_of(
    kind: str, groups: Mapping[str, Sequence[str]] | None = None
) -> tuple[Feature, ...]:
    """
    Return the features of a kind of sensor in the order of their columns.

    Parameters
    ----------
    kind : str
        ``"gpr"`` or ``"emi"``.
    groups : dict of sequence of str, optional
        Names of :data:`GROUPS` by kind; those of the full detector by default.

    Returns
    -------
    features : tuple of Feature
        Name, unit and meaning of every column.

    Raises
    ------
    ValueError
        If the kind or a group is unknown.

    Examples
    --------
    >>> from minesense.detect import features_of
    >>> [feature.name for feature in features_of("gpr", {"gpr": ("score", "level")})]
    ['score', 'core_level']
    """
    return tuple(
        feature for group in _groups(kind, groups).values() for feature in group.features
    )


def describe(
    cells: Cells, kind: str, groups: Mapping[str, Sequence[str]] | None = None
) -> Floats:
    """
    Return the features of cells of one sensor.

    Parameters
    ----------
    cells : Cells
        Where.
    kind, groups
        As in :func:`features_of`.

    Returns
    -------
    rows : (n_cells, n_features) float64 ndarray
        Columns as in :func:`features_of`; NaN what a place does not tell.

    Raises
    ------
    ValueError
        As :func:`features_of`.

    Examples
    --------
    No cell, no row:

    >>> import numpy as np
    >>> from minesense.detect import DetectorSettings, Screen, describe
    >>> from minesense.detect.feature_groups import Cells
    >>> from minesense.sensor import Sensor
    >>> from minesense.sweep import Sweep
    >>> from minesense.synthetic import cart
    >>> northing = 0.05 * np.arange(300)
    >>> lane = Sweep(
    ...     samples=np.random.default_rng(seed=0).normal(scale=1e-9, size=(300, 1, 12)),
    ...     time=northing / 0.5,
    ...     position=np.column_stack([0 * northing, northing, 0 * northing]),
    ...     heading=0 * northing,
    ...     sensor=cart(n_coils=1).coils,
    ... )
    >>> settings = DetectorSettings()
    >>> screen = Screen(settings)
    >>> _ = screen.push(lane)
    >>> (part,) = screen.finish().parts
    >>> cells = Cells(part=part, traces=[], channels=[], settings=settings)
    >>> describe(cells, "emi").shape
    (0, 14)
    """
    parts = [
        np.asarray(group.compute(cells), dtype=np.float64)
        for group in _groups(kind, groups).values()
    ]
    return np.column_stack([np.empty((len(cells.traces), 0)), *parts])


def _groups(kind: str, groups: Mapping[str, Sequence[str]] | None) -> dict[str, FeatureGroup]:
    """Return the groups of a kind by name, in the order asked for."""
    known = GROUPS[check_one_of(kind, "kind", KINDS)]
    names = (DEFAULT_GROUPS if groups is None else groups).get(kind, ())
    for name in names:
        check_one_of(name, f"groups of '{kind}'", tuple(known))
    return {name: known[name] for name in names}
