"""What recorded a sweep: the sensor, its channels, and what the physics needs of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from ._validation import check_array, check_increasing, check_one_of, check_positive
from .head import (
    Circle,
    ContinuousWave,
    Head,
    Polygon,
    PulseTrain,
    Winding,
    describe_winding,
)

__all__ = [
    "Circle",
    "ContinuousWave",
    "Head",
    "Polygon",
    "PulseTrain",
    "Radar",
    "Sensor",
    "Winding",
    "pulse_train_of",
]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Radar:
    """What the physics of a ground-penetrating radar needs."""

    centre_frequency: float  #: Hz
    separation: float = 0.0  #: m, from transmitter (behind) to receiver, along forward
    height: float | None = None  #: m, antenna over mean ground; None if unknown

    def __post_init__(self) -> None:
        check_positive(self.centre_frequency, "centre_frequency")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sensor:
    """
    What recorded a sweep: its sample axis, its channels and its physics.

    Metal detectors whose channels are alike, each at its lever arm, have one `head`. Where
    channels are different pairs of a transmitter and a receiver, `heads` names one for each
    channel; the waveform is the same for all, as the sample axis is.

    Raises
    ------
    ValueError
        If `axis` is not strictly increasing, a unit or kind is unknown, the record of the
        physics does not fit the kind, there are both a head and heads, or heads that are
        not one for each channel or differ in their waveform.
    """

    name: str
    kind: Literal["gpr", "emi"]
    axis: Floats  #: (n,) two-way time, gate centre (s), or frequency (Hz)
    axis_unit: Literal["s", "Hz"] = "s"
    lever_arms: Floats  #: (n_channels, 3) right, forward, upward from the position, m
    quantity: str = "amplitude"  #: what a sample is, for example "amplitude" or "score"
    unit: str = "1"  #: unit of a sample; "1" for counts and ratios
    is_complex: bool = False  #: samples are in-phase, quadrature, in-phase, ...
    radar: Radar | None = None
    head: Head | None = None
    heads: tuple[Head, ...] = ()

    def __post_init__(self) -> None:
        check_one_of(self.kind, "kind", ("gpr", "emi"))
        check_one_of(self.axis_unit, "axis_unit", ("s", "Hz"))
        axis = check_increasing(check_array(self.axis, "axis", ("n_samples",)), "axis")
        arms = check_array(self.lever_arms, "lever_arms", ("n_channels", 3))
        object.__setattr__(self, "axis", axis)
        object.__setattr__(self, "lever_arms", arms)
        object.__setattr__(self, "is_complex", bool(self.is_complex))
        object.__setattr__(self, "heads", tuple(self.heads))
        _check_heads(self)
        if not isinstance(self.radar, Radar | None):
            msg = f"Invalid radar {self.radar!r} of sensor '{self.name}'. Must be a Radar."
            raise TypeError(msg)
        wrong = self.channel_heads[:1] if self.kind == "gpr" else (self.radar,)
        if any(wrong):
            msg = f"Invalid {type(wrong[0]).__name__} for a sensor of kind '{self.kind}'."
            raise ValueError(msg)

    @property
    def shape(self) -> tuple[int, int]:
        """Channels and samples of one trace; two samples a phasor if they are complex."""
        return len(self.lever_arms), len(self.axis) * (2 if self.is_complex else 1)

    @property
    def channel_heads(self) -> tuple[Head, ...]:
        """The head of every channel, whether they share one or not; empty without any."""
        return self.heads if self.head is None else (self.head,) * len(self.lever_arms)

    @property
    def excitation(self) -> PulseTrain | ContinuousWave | None:
        """The waveform of a metal detector, the same for all channels; None if unknown."""
        heads = self.heads if self.head is None else (self.head,)
        return heads[0].excitation if heads else None

    @property
    def sample_interval(self) -> float:
        """
        Step of a regular sample axis, in its unit.

        Raises
        ------
        ValueError
            If there are fewer than two samples or the steps differ by more than 1e-6.
        """
        steps = np.diff(self.axis)
        if not len(steps) or np.ptp(steps) > 1e-6 * steps[0]:
            msg = f"Invalid axis of sensor '{self.name}'. Must be regular, two values or more."
            raise ValueError(msg)
        return float((self.axis[-1] - self.axis[0]) / len(steps))

    def describe(self) -> dict[str, Any]:
        """Return what a model must match, as plain numbers and words."""
        first = float(self.axis[0]) if len(self.axis) else None
        last = float(self.axis[-1]) if len(self.axis) else None
        radar, excitation = self.radar, self.excitation
        heads = self.heads if self.head is None else (self.head,)
        height: Any = [head.height for head in self.heads]
        if not self.heads:
            height = radar.height if radar else self.head.height if self.head else None
        return {
            "kind": self.kind,
            "n_channels": self.shape[0],
            "n_samples": self.shape[1],
            "axis_first": first,
            "axis_last": last,
            "axis_unit": self.axis_unit,
            "quantity": self.quantity,
            "unit": self.unit,
            "is_complex": self.is_complex,
            "lever_arms_m": self.lever_arms.ravel().tolist(),
            "centre_frequency_hz": radar.centre_frequency if radar else None,
            "separation_m": radar.separation if radar else None,
            "height_m": height,
            **(excitation.describe() if excitation else {"excitation": None}),
            **_describe_wires("transmitter", [head.transmitter for head in heads]),
            **_describe_wires("receiver", [head.receiver for head in heads]),
        }


def pulse_train_of(sensor: Sensor) -> PulseTrain:
    """
    Return the pulse train of a metal detector, for what works with gates alone.

    Parameters
    ----------
    sensor : Sensor
        Of kind ``"emi"``, with real samples.

    Returns
    -------
    train : PulseTrain
        The waveform of its head or heads.

    Raises
    ------
    ValueError
        If no head is known, it is of continuous wave, or the samples are complex.

    Examples
    --------
    >>> from minesense.synthetic import cart
    >>> pulse_train_of(cart().coils).pulse
    0.0002
    """
    excitation = sensor.excitation
    if not isinstance(excitation, PulseTrain) or sensor.is_complex:
        found = "no head" if excitation is None else type(excitation).__name__
        found += " and complex samples" if sensor.is_complex else ""
        msg = (
            f"Invalid sensor '{sensor.name}' with {found}. Must have a head with a PulseTrain."
        )
        raise ValueError(msg)
    return excitation


def _check_heads(sensor: Sensor) -> None:
    """Raise unless a sensor has one head, one for each channel with one waveform, or none."""
    for head in (sensor.head, *sensor.heads):
        if head is not None and not isinstance(head, Head):
            msg = f"Invalid head {head!r} of sensor '{sensor.name}'. Must be a Head."
            raise TypeError(msg)
    if not sensor.heads:
        return
    n_channels = len(sensor.lever_arms)
    if sensor.head is not None or len(sensor.heads) != n_channels:
        and_head = " beside a head" if sensor.head is not None else ""
        msg = (
            f"Invalid heads of sensor '{sensor.name}': {len(sensor.heads)}{and_head} for "
            f"{n_channels} channels. Must be one for each channel, or one head for all."
        )
        raise ValueError(msg)
    waveform = sensor.heads[0].excitation.describe()
    for i, other in enumerate(sensor.heads):
        if other.excitation.describe() != waveform:
            msg = (
                f"Invalid heads of sensor '{sensor.name}': the waveform of head {i} is not "
                "that of head 0. Must be the same for all, as the sample axis is."
            )
            raise ValueError(msg)


def _describe_wires(name: str, windings: list[Winding]) -> dict[str, Any]:
    """Return the wires of all heads as words, and as lengths in m and unit vectors."""
    parts = [describe_winding(winding) for winding in windings]
    return {
        f"{name}_wires": [words for words, _ in parts],
        f"{name}_m": [number for _, numbers in parts for number in numbers],
    }
