"""Groups of features by kind of sensor: what each holds and how it is computed."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

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


def _radar(family: Callable[..., Floats]) -> Callable[[Cells], Floats]:
    """Return what computes a family of radar features."""

    def compute(cells: Cells) -> Floats:
        return family(
            cells.part.processed,
            cells.traces,
            cells.channels,
            cells.times,
            ground_time=cells.settings.radar.ground_time,
            spacing=cells.settings.radar.spacing,
        )

    return compute


def _context(cells: Cells) -> Floats:
    assert cells.part.bounce is not None  # every part of a radar has one
    return _radar(partial(gpr.context_features, bounce=cells.part.bounce))(cells)


def _sequences(cells: Cells) -> Floats:
    edges = _radar(partial(gpr.edge_sequences, reach=_SEQUENCE_REACH))
    found = edges(cells)  # its grid follows the spacing, the names are those of 2.5 cm
    shape = (SEQUENCE_DEPTHS, SEQUENCE_SCANS)
    if found.shape[1:3] != shape:
        msg = (
            f"Invalid spacing '{cells.settings.radar.spacing}': its sequences have the shape "
            f"{found.shape[1:3]}. Must give {shape}, as the spacing 0.025 m."
        )
        raise ValueError(msg)
    return gpr.sequence_rows(found)


def _echo(cells: Cells) -> Floats:
    return gpr.radar_features(
        cells.part.processed,
        cells.traces,
        cells.channels,
        ground_time=cells.settings.radar.ground_time,
        spacing=cells.settings.radar.spacing,
    )


def _focused(cells: Cells) -> Floats:
    return gpr.focused_features(
        cells.part.processed,
        cells.traces,
        cells.channels,
        ground_time=cells.settings.radar.ground_time,
        spacing=cells.settings.radar.spacing,
        velocity=cells.settings.radar.velocity,
    )


def _level(cells: Cells) -> Floats:
    return _echo(cells)[:, _LEVEL : _LEVEL + 1]


def _places(cells: Cells) -> Floats:
    return emi.place_features(
        cells.part.processed,
        cells.traces,
        cells.channels,
        spread=cells.spread,
        soil=emi.soil_decay(pulse_train_of(cells.part.processed.sensor)),
        spacing=cells.settings.coils.spacing,
    )


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


_SEQUENCE_REACH = 0.35  # m of track to each side
SEQUENCE_DEPTHS, SEQUENCE_SCANS = gpr.sequence_shape(spacing=0.025, reach=_SEQUENCE_REACH)
_LEVEL = [feature.name for feature in gpr.FEATURES].index("core_level")
_SCORE = (Feature("score", "1", "highest prescreener score"),)

#: Every group by kind of sensor and name. Context groups are never used alone.
GROUPS: dict[str, dict[str, FeatureGroup]] = {
    "gpr": {
        "score": FeatureGroup(features=_SCORE, compute=_score),
        "level": FeatureGroup(features=(gpr.FEATURES[_LEVEL],), compute=_level),
        "echo": FeatureGroup(features=gpr.FEATURES, compute=_echo),
        "focused": FeatureGroup(features=gpr.FOCUSED_FEATURES, compute=_focused),
        "spectrum": FeatureGroup(
            features=gpr.ENERGY_SPECTRUM_FEATURES, compute=_radar(gpr.energy_spectrum_features)
        ),
        "correlation": FeatureGroup(
            features=gpr.SPECTRAL_CORRELATION_FEATURES,
            compute=_radar(gpr.spectral_correlation_features),
        ),
        "edges": FeatureGroup(
            features=gpr.EDGE_HISTOGRAM_FEATURES, compute=_radar(gpr.edge_histogram_features)
        ),
        "gradients": FeatureGroup(
            features=gpr.GRADIENT_HISTOGRAM_FEATURES,
            compute=_radar(gpr.gradient_histogram_features),
        ),
        "texture": FeatureGroup(
            features=gpr.TEXTURE_FEATURES, compute=_radar(gpr.texture_features)
        ),
        "hyperbola": FeatureGroup(
            features=gpr.HYPERBOLA_FEATURES, compute=_radar(gpr.hyperbola_features)
        ),
        "shape": FeatureGroup(features=gpr.BLOB_FEATURES, compute=_radar(gpr.blob_features)),
        "peaks": FeatureGroup(
            features=gpr.DEPTH_PEAK_FEATURES, compute=_radar(gpr.depth_peak_features)
        ),
        "sequences": FeatureGroup(
            features=gpr.sequence_names(SEQUENCE_DEPTHS, SEQUENCE_SCANS), compute=_sequences
        ),
        "context": FeatureGroup(features=gpr.CONTEXT_FEATURES, compute=_context),
    },
    "emi": {
        "score": FeatureGroup(features=_SCORE, compute=_score),
        "decay": FeatureGroup(features=emi.COIL_FEATURES, compute=_decay),
        "places": FeatureGroup(features=emi.PLACE_FEATURES, compute=_places),
    },
}

#: Groups of the full detector: those that tell more than the others with many training lanes.
DEFAULT_GROUPS: dict[str, tuple[str, ...]] = {
    "gpr": ("score", "echo", "focused", "spectrum", "edges", "texture", "shape", "peaks"),
    "emi": ("score", "decay", "places"),
}


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
    (0, 42)
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
