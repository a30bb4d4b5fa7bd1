"""Arrays of metal-detector heads: three-axis receivers, and every pair a channel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from .._validation import check_array
from ..sensor import Circle, ContinuousWave, Head, Polygon, PulseTrain, Sensor, Winding
from .heads import rectangle
from .winding import moved, wires_of


def three_axis(side: float, *, centre: Sequence[float], turns: float = 1.0) -> list[Winding]:
    """
    Return three square receivers around one point: of axes right, forward and upward.

    Parameters
    ----------
    side : float
        Of each square, m.
    centre : (3,) sequence of float
        Their middle, m.
    turns : float
        Of each.

    Returns
    -------
    receivers : list of winding
        Three.

    Raises
    ------
    ValueError
        If `side` is not greater than zero or `centre` no point.

    Examples
    --------
    >>> from minesense.physics import head_arrays
    >>> len(head_arrays.three_axis(0.1, centre=[0.0, 0.0, 0.3]))
    3
    """
    square = Polygon(vertices=rectangle(side, side).vertices, turns=turns)
    # cyclic: right, forward, upward take the place of forward, upward, right
    cycle = np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    middle = check_array(centre, "centre", (3,))
    return [
        moved((square,), offset=middle, rotation=np.linalg.matrix_power(cycle, power))
        for power in (1, 2, 0)
    ]


def array_of(
    transmitters: Sequence[Winding],
    receivers: Sequence[Winding],
    *,
    excitation: PulseTrain | ContinuousWave,
    name: str = "array",
    unit: Literal["V/A", "m"] | None = None,
    height: float | None = None,
) -> Sensor:
    """
    Return an array in which every pair of a transmitter and a receiver is a channel.

    Parameters
    ----------
    transmitters, receivers : sequence of winding
        Where they are on the platform; the pairs of the first transmitter come first.
    excitation : PulseTrain or ContinuousWave
        Waveform of all.
    name : str
        Of the sensor.
    unit : {"V/A", "m"}, optional
        Of a sample; by default V/A for pulses and m, in-phase and quadrature, for
        continuous wave.
    height : float, optional
        Of the platform over mean ground, m.

    Returns
    -------
    sensor : Sensor
        One head for each channel. The lever arm of a channel is the middle between the
        middles of its two windings, and its wires are counted from there.

    Raises
    ------
    TypeError, ValueError
        If there is no transmitter or no receiver, a winding is none, or pulses have the
        unit m.

    Examples
    --------
    >>> from minesense.physics import head_arrays, moved
    >>> from minesense.sensor import Circle, ContinuousWave
    >>> coil = (Circle(radius=0.1),)
    >>> sensor = head_arrays.array_of(
    ...     [coil],
    ...     [moved(coil, offset=[x, 0.0, 0.0]) for x in (0.25, 0.5)],
    ...     excitation=ContinuousWave(frequencies=[1e4]),
    ... )
    >>> sensor.shape, sensor.lever_arms[:, 0].tolist()
    ((2, 2), [0.125, 0.25])
    """
    if not transmitters or not receivers:
        msg = (
            f"Invalid array of {len(transmitters)} transmitters and {len(receivers)} "
            "receivers. Must have one or more of each."
        )
        raise ValueError(msg)
    arms, channels = [], []
    for transmitter in transmitters:
        for receiver in receivers:
            arm = (_middle(transmitter) + _middle(receiver)) / 2
            arms.append(arm)
            channels.append(
                Head(
                    transmitter=moved(transmitter, offset=-arm),
                    receiver=moved(receiver, offset=-arm),
                    excitation=excitation,
                    height=None if height is None else height + float(arm[2]),
                )
            )
    is_pulse = isinstance(excitation, PulseTrain)
    if is_pulse and unit == "m":
        msg = "Invalid unit 'm' for pulses. Must be 'V/A'."
        raise ValueError(msg)
    axis = (
        np.sqrt(excitation.gates.prod(axis=1))
        if isinstance(excitation, PulseTrain)
        else excitation.frequencies
    )
    return Sensor(
        name=name,
        kind="emi",
        axis=axis,
        axis_unit="s" if is_pulse else "Hz",
        lever_arms=np.array(arms),
        unit=unit or ("V/A" if is_pulse else "m"),
        is_complex=not is_pulse,
        heads=tuple(channels),
    )


def _middle(winding: Winding) -> np.ndarray:
    """Return the middle of the wire paths of a winding, m."""
    wires_of(winding)
    return np.mean(
        [
            path.centre if isinstance(path, Circle) else path.vertices.mean(axis=0)
            for path in winding
        ],
        axis=0,
    )
