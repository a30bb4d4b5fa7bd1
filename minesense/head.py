"""
What a metal-detector head is made of: wire that transmits, wire that receives, a waveform.

Wires are given in the platform frame, right, forward, upward, in metres, from the lever arm
of the channel.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from ._validation import (
    check_array,
    check_increasing,
    check_not_negative,
    check_number,
    check_one_of,
    check_positive,
)

Floats = npt.NDArray[np.float64]

_UP = (0.0, 0.0, 1.0)
_ORIGIN = (0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Circle:
    """
    A circular wire path.

    Raises
    ------
    TypeError, ValueError
        If the radius is not greater than zero, `axis` or `turns` is zero, or a value is
        not a finite number.
    """

    radius: float  #: m
    centre: Floats = _ORIGIN  # type: ignore[assignment]  #: (3,) m
    axis: Floats = _UP  # type: ignore[assignment]  #: (3,) normal, of any length but zero
    turns: float = 1.0  #: right-handed about `axis`; less than zero: the other way round

    def __post_init__(self) -> None:
        axis = check_array(self.axis, "axis", (3,))
        if not axis.any():
            msg = f"Invalid axis {axis.tolist()}. Must have a direction."
            raise ValueError(msg)
        object.__setattr__(self, "centre", check_array(self.centre, "centre", (3,)))
        object.__setattr__(self, "axis", axis)
        object.__setattr__(self, "radius", check_positive(self.radius, "radius"))
        object.__setattr__(self, "turns", _check_turns(self.turns))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Polygon:
    """
    A closed wire path of straight edges; the last vertex joins the first.

    Raises
    ------
    TypeError, ValueError
        If there are fewer than three vertices that differ, an edge has no length, `turns`
        is zero, or a value is not a finite number.
    """

    vertices: Floats  #: (n, 3) m, in the direction of the current
    turns: float = 1.0  #: less than zero: the current flows the other way

    def __post_init__(self) -> None:
        vertices = check_array(self.vertices, "vertices", ("n", 3))
        n_distinct = len(np.unique(vertices, axis=0))
        if n_distinct < 3:
            msg = (
                f"Invalid vertices {vertices.tolist()}: {n_distinct} of them differ. Must be "
                "at least three."
            )
            raise ValueError(msg)
        length = np.linalg.norm(np.roll(vertices, -1, axis=0) - vertices, axis=1)
        if (length == 0).any():
            i = int(np.argmax(length == 0))
            msg = (
                f"Invalid vertices: vertex {i}, {vertices[i].tolist()}, is repeated by the "
                "next one. Must be joined by edges longer than zero; the last joins the first."
            )
            raise ValueError(msg)
        object.__setattr__(self, "vertices", vertices)
        object.__setattr__(self, "turns", _check_turns(self.turns))


Path: TypeAlias = Circle | Polygon
#: Wire paths in series, all carrying the current of the terminals.
Winding: TypeAlias = tuple[Path, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PulseTrain:
    """
    What a pulse-induction head does: pulses, and gates in which it listens.

    Times of gates count from the end of turn-off. A train repeats for ever: the next pulse
    begins `half_period` after the last one began. An ideal step-off is a single pulse of
    infinite length with no ramp.

    Raises
    ------
    TypeError, ValueError
        If a length of time is out of range, a train has no `half_period` or a single pulse
        has one, there is no gate, or a gate begins before the ramp ends, ends before it
        begins or reaches into the next pulse.
    """

    pulse: float  #: s, current on before turn-off; infinite for a single step-off
    ramp: float  #: s, linear turn-off; 0 for an ideal one
    half_period: float | None = None  #: s, from pulse to pulse; None for a single pulse
    receiver_tau: float  #: s, time constant of the receiver; 0 for an ideal one
    gates: Floats  #: (n_gates, 2) start and stop, s
    polarity: Literal["bipolar", "unipolar", "single"] = "bipolar"  #: bipolar alternates

    def __post_init__(self) -> None:
        check_one_of(self.polarity, "polarity", ("bipolar", "unipolar", "single"))
        is_single = self.polarity == "single"
        is_step = is_single and self.pulse == math.inf
        pulse = math.inf if is_step else check_positive(self.pulse, "pulse")
        ramp = check_not_negative(self.ramp, "ramp")
        if is_single != (self.half_period is None):
            msg = (
                f"Invalid half_period {self.half_period!r} of polarity '{self.polarity}'. Must "
                "be None for a single pulse, seconds for a train."
            )
            raise ValueError(msg)
        quiet = math.inf
        if self.half_period is not None:
            half_period = check_positive(self.half_period, "half_period")
            object.__setattr__(self, "half_period", half_period)
            quiet = half_period - pulse - ramp
            if quiet <= 0:
                msg = (
                    f"Invalid half_period '{half_period}'. Must be longer than pulse and ramp "
                    f"together, {pulse + ramp:g} s."
                )
                raise ValueError(msg)
        gates = _check_gates(self.gates, quiet)
        receiver_tau = check_not_negative(self.receiver_tau, "receiver_tau")
        object.__setattr__(self, "pulse", pulse)
        object.__setattr__(self, "ramp", ramp)
        object.__setattr__(self, "receiver_tau", receiver_tau)
        object.__setattr__(self, "gates", gates)

    def describe(self) -> dict[str, Any]:
        """Return the waveform as plain numbers and words."""
        return {
            "excitation": f"pulse, {self.polarity}",
            "pulse_s": self.pulse if self.pulse < math.inf else None,
            "ramp_s": self.ramp,
            "half_period_s": self.half_period,
            "receiver_tau_s": self.receiver_tau,
            "gates_s": self.gates.ravel().tolist(),
        }


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ContinuousWave:
    """
    What a continuous-wave head does: sinusoids, each demodulated to a phasor.

    Raises
    ------
    TypeError, ValueError
        If there is no frequency, or frequencies are not greater than zero and strictly
        increasing, or the time constant is negative.
    """

    frequencies: Floats  #: (n_frequencies,) Hz
    demodulator_tau: float = 0.0  #: s, of the pole that the envelope passes; 0 for none

    def __post_init__(self) -> None:
        frequencies = check_array(self.frequencies, "frequencies", ("n_frequencies",))
        if not len(frequencies) or frequencies[0] <= 0:
            msg = (
                f"Invalid frequencies {frequencies.tolist()}. Must be at least one, all "
                "greater than zero, in Hz."
            )
            raise ValueError(msg)
        check_increasing(frequencies, "frequencies")
        tau = check_not_negative(self.demodulator_tau, "demodulator_tau")
        object.__setattr__(self, "frequencies", frequencies)
        object.__setattr__(self, "demodulator_tau", tau)

    def describe(self) -> dict[str, Any]:
        """Return the waveform as plain numbers and words."""
        return {
            "excitation": "continuous wave",
            "frequencies_hz": self.frequencies.tolist(),
            "demodulator_tau_s": self.demodulator_tau,
        }


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Head:
    """
    A metal-detector head: wire that transmits, wire that receives, and the waveform.

    Windings of the same wire are one winding: then `receiver` is the object that
    `transmitter` is, also when the record comes back from a file.

    Raises
    ------
    TypeError, ValueError
        If a winding holds no wire or something else, `excitation` is none, or the height
        is not greater than zero.
    """

    transmitter: Winding
    receiver: Winding
    excitation: PulseTrain | ContinuousWave
    height: float | None = None  #: m, origin of the wires over mean ground; None if unknown

    def __post_init__(self) -> None:
        transmitter = _check_winding(self.transmitter, "transmitter")
        receiver = _check_winding(self.receiver, "receiver")
        if describe_winding(receiver) == describe_winding(transmitter):
            receiver = transmitter
        if not isinstance(self.excitation, (PulseTrain, ContinuousWave)):
            msg = (
                f"Invalid excitation {self.excitation!r}. Must be a PulseTrain or a "
                "ContinuousWave."
            )
            raise TypeError(msg)
        if self.height is not None:
            object.__setattr__(self, "height", check_positive(self.height, "height"))
        object.__setattr__(self, "transmitter", transmitter)
        object.__setattr__(self, "receiver", receiver)


def describe_winding(winding: Winding) -> tuple[str, list[float]]:
    """
    Return what a winding is made of, and its lengths and directions.

    Parameters
    ----------
    winding : tuple of Circle and Polygon
        Wire paths in series.

    Returns
    -------
    words : str
        Kind and turns of every path.
    numbers : list of float
        Radius, centre and unit axis of circles, vertices of polygons, m.

    Examples
    --------
    >>> describe_winding((Circle(radius=0.1, turns=-2),))
    ('circle, -2.0 turns', [0.1, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0])
    """
    words, numbers = [], []
    for path in winding:
        turns = f"{float(path.turns)!r} turns"
        if isinstance(path, Circle):
            words.append(f"circle, {turns}")
            axis = path.axis / np.linalg.norm(path.axis)
            numbers += [float(path.radius), *path.centre.tolist(), *axis.tolist()]
        else:
            words.append(f"polygon of {len(path.vertices)}, {turns}")
            numbers += path.vertices.ravel().tolist()
    return "; ".join(words), numbers


def _check_turns(turns: float) -> float:
    """Return a number of turns that is not zero."""
    number = check_number(turns, "turns")
    if number == 0:
        msg = "Invalid turns '0.0'. Must not be zero."
        raise ValueError(msg)
    return number


def _check_winding(winding: Any, name: str) -> Winding:
    """Return a winding as a tuple of wire paths, one or more."""
    is_winding = isinstance(winding, (tuple, list)) and all(
        isinstance(path, (Circle, Polygon)) for path in winding
    )
    if not is_winding:
        msg = f"Invalid {name} {winding!r}. Must be a tuple of Circle and Polygon."
        raise TypeError(msg)
    if not winding:
        msg = f"Invalid {name} (). Must hold a wire."
        raise ValueError(msg)
    return tuple(winding)


def _check_gates(values: Floats, quiet: float) -> Floats:
    """Return gates in order, after the ramp and before the next pulse."""
    gates = check_array(values, "gates", ("n_gates", 2))
    if not len(gates):
        msg = "Invalid gates []. Must be at least one."
        raise ValueError(msg)
    bad = (gates[:, 0] <= 0) | (gates[:, 1] <= gates[:, 0])
    if bad.any():
        i = int(np.argmax(bad))
        msg = (
            f"Invalid gates: gate {i} is {gates[i].tolist()} s. Must be 0 < start < stop, "
            "counted from the end of the ramp."
        )
        raise ValueError(msg)
    if gates[:, 1].max() > quiet:
        i = int(np.argmax(gates[:, 1]))
        msg = (
            f"Invalid gates: gate {i} is {gates[i].tolist()} s, and the next pulse begins at "
            f"{quiet:g} s. Must end before it."
        )
        raise ValueError(msg)
    return gates
