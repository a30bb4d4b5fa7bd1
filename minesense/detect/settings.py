"""What a detector is told: the lengths, times and thresholds of its stages."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from .._validation import check_not_negative, check_positive
from ..gpr import EchoShapes


@dataclass(frozen=True, slots=True, kw_only=True)
class RadarSettings:
    """Radar stages and prescreener. Defaults are engineering choices, unverified."""

    spacing: float = 0.025  #: m between traces
    ground_time: float = 1.5e-9  #: s, where the ground bounce is put
    ground_search: tuple[float, float] = (1.3e-9, 2.2e-9)  #: s, where it is looked for
    ground_polarity: Literal["either", "positive", "negative"] = "negative"  #: of the bounce
    dewow: float = 1.4e-9  #: s
    band: tuple[float, float] = (0.4e9, 3.5e9)  #: Hz
    background: float = 1.5  #: m to each side, of the sliding median
    whitening: float = 2.5  #: m behind the trace
    whitening_guard: float = 0.4  #: m
    bin_length: float = 0.6e-9  #: s
    start: float = 0.2e-9  #: s after the ground, first energy bin
    guard: float = 0.25  #: m
    ring: float = 1.0  #: m
    #: what energies are compared with, or the prediction from the traces before
    prescreener: Literal["median", "mean", "quantile", "prediction"] = "median"
    threshold: float = 9.0  #: of the prescreener's score
    shape_reach: float = 0.2  #: m to each side, of the patches that shapes are learnt in
    shape_step: float = 0.025  #: m from one trace of a patch to the next
    shape_length: float = 4e-9  #: s from the ground on
    n_shapes: int = 14
    shape_threshold: float = 4.5  #: dB over the ground around
    #: Learnt in training; where there are some, they take the place of the prescreener.
    shapes: EchoShapes | None = None
    merge_radius: float = 0.25  #: m
    velocity: float = 1.2e8  #: m/s, for depth from two-way time
    most_per_area: float | None = None  #: 1/m^2, candidates kept at most; None keeps all
    cap_stretch: float = 2.0  #: m of lane within which they compete for that


@dataclass(frozen=True, slots=True, kw_only=True)
class CoilSettings:
    """Metal-detector stages and prescreener. Defaults are engineering choices."""

    spacing: float = 0.05  #: m between traces
    baseline: float = 1.0  #: m to each side, of the sliding median
    taus: tuple[float, ...] = (8e-6, 16e-6, 32e-6, 64e-6, 128e-6, 256e-6)  #: s
    noise_length: float = 5.0  #: m to each side of the trace
    guard: float = 0.5  #: m
    footprint: float = 0.2  #: m
    threshold: float = 6.0  #: of the prescreener's score
    merge_radius: float = 0.25  #: m
    most_per_area: float | None = None  #: 1/m^2, candidates kept at most; None keeps all
    cap_stretch: float = 2.0  #: m of lane within which they compete for that


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorSettings:
    """Everything a detector is told before it is trained."""

    radar: RadarSettings = field(default_factory=RadarSettings)
    coils: CoilSettings = field(default_factory=CoilSettings)
    fusion_radius: float = 0.25  #: m within which two sensors mean the same place
    radar_footprint: float = 0.10  #: m from an antenna that counts as observed
    coil_footprint: float = 0.12  #: m from a coil's centre that counts as observed
    max_gap: float = 0.25  #: m between traces that still counts as continuous
    max_pause: float = 2.0  #: s between traces without a position that still does
    design_rate: float = 0.3  #: false alarms per m^2 for which thresholds are set

    def __post_init__(self) -> None:
        for name in (
            "fusion_radius",
            "radar_footprint",
            "coil_footprint",
            "max_gap",
            "max_pause",
        ):
            check_positive(getattr(self, name), name)
        check_not_negative(self.design_rate, "design_rate")
        for part in (self.radar, self.coils):
            check_positive(part.cap_stretch, "cap_stretch")
            if part.most_per_area is not None:
                check_positive(part.most_per_area, "most_per_area")

    def as_dict(self) -> dict[str, Any]:
        """Return the settings as plain values, for the card of a model."""
        return dict(msgspec.to_builtins(self))


def read_settings(document: dict[str, Any]) -> DetectorSettings:
    """
    Return the settings that a document, such as parsed JSON, describes.

    Parameters
    ----------
    document : dict
        Fields of :class:`DetectorSettings` by name; what is left out has its default.

    Returns
    -------
    settings : DetectorSettings
        The settings.

    Raises
    ------
    ValueError
        If a field is of the wrong type or out of range; the message names its path.

    Examples
    --------
    >>> from minesense.detect import read_settings
    >>> read_settings({"radar": {"threshold": 7.5}}).radar.threshold
    7.5
    >>> read_settings({"radar": {"threshold": "high"}})
    Traceback (most recent call last):
    ValueError: Invalid settings: Expected `float`, got `str` - at `$.radar.threshold`
    """
    try:
        return msgspec.convert(document, DetectorSettings)
    except msgspec.ValidationError as error:
        msg = f"Invalid settings: {error}"
        raise ValueError(msg) from None
