"""
Heads of common kinds, by their size.

Wires lie around the origin of the platform frame; :func:`~minesense.physics.moved` shifts and
turns them.
"""

from __future__ import annotations

import math

import numpy as np

from .._validation import check_count, check_positive
from ..sensor import Circle, ContinuousWave, Head, Polygon, PulseTrain, Winding
from .inductance import self_inductance, winding_inductance
from .winding import moved

Excitation = PulseTrain | ContinuousWave


def single(
    *, radius: float, excitation: Excitation, turns: float = 1.0, height: float | None = None
) -> Head:
    """
    Return a head of one horizontal circular coil that transmits and receives.

    Parameters
    ----------
    radius : float
        In metres.
    excitation : PulseTrain or ContinuousWave
        Waveform.
    turns : float
        Of the coil.
    height : float, optional
        Of the coil over mean ground, m.

    Returns
    -------
    head : Head
        With transmitter and receiver the same winding.

    Examples
    --------
    >>> from minesense.physics import heads
    >>> from minesense.sensor import ContinuousWave
    >>> head = heads.single(radius=0.1, excitation=ContinuousWave(frequencies=[1e4]))
    >>> head.receiver is head.transmitter
    True
    """
    coil = (Circle(radius=radius, turns=turns),)
    return Head(transmitter=coil, receiver=coil, excitation=excitation, height=height)


def concentric(
    *,
    radius: float,
    receiver_radius: float,
    excitation: Excitation,
    turns: float = 1.0,
    receiver_turns: float = 1.0,
    height: float | None = None,
) -> Head:
    """
    Return a head of two horizontal circular coils around one centre.

    Parameters
    ----------
    radius, receiver_radius : float
        Of transmitter and receiver, m; not equal.
    excitation : PulseTrain or ContinuousWave
        Waveform.
    turns, receiver_turns : float
        Of transmitter and receiver.
    height : float, optional
        Of both over mean ground, m.

    Returns
    -------
    head : Head
        Not nulled: the receiver sees the transmitter.

    Raises
    ------
    ValueError
        If the radii are equal: that is a single coil.

    Examples
    --------
    >>> from minesense.physics import heads
    >>> from minesense.sensor import ContinuousWave
    >>> wave = ContinuousWave(frequencies=[1e4])
    >>> head = heads.concentric(radius=0.1, receiver_radius=0.06, excitation=wave)
    >>> head.receiver[0].radius
    0.06
    """
    if radius == receiver_radius:
        msg = (
            f"Invalid receiver_radius '{receiver_radius}'. Must not be that of the transmitter."
        )
        raise ValueError(msg)
    return Head(
        transmitter=(Circle(radius=radius, turns=turns),),
        receiver=(Circle(radius=receiver_radius, turns=receiver_turns),),
        excitation=excitation,
        height=height,
    )


def coaxial_pair(
    *,
    radius: float,
    receiver_radius: float,
    distance: float,
    excitation: Excitation,
    turns: float = 1.0,
    receiver_turns: float = 1.0,
    height: float | None = None,
) -> Head:
    """
    Return a gradiometer: receivers above and below a transmitter, one minus the other.

    Parameters
    ----------
    radius, receiver_radius : float
        Of the transmitter and of both receivers, m.
    distance : float
        From the transmitter to each receiver, m.
    excitation : PulseTrain or ContinuousWave
        Waveform.
    turns, receiver_turns : float
        Of the transmitter, and of the lower receiver; the upper one has them reversed.
    height : float, optional
        Of the transmitter over mean ground, m; more than `distance`.

    Returns
    -------
    head : Head
        Nulled by its symmetry.

    Raises
    ------
    ValueError
        If a length is not greater than zero or the lower receiver would be in the ground.

    Examples
    --------
    >>> from minesense.physics import heads, winding_inductance
    >>> from minesense.sensor import ContinuousWave
    >>> wave = ContinuousWave(frequencies=[1e4])
    >>> head = heads.coaxial_pair(
    ...     radius=0.1, receiver_radius=0.08, distance=0.05, excitation=wave
    ... )
    >>> winding_inductance(head.transmitter, head.receiver)
    0.0
    """
    distance = check_positive(distance, "distance")
    if height is not None and check_positive(height, "height") <= distance:
        msg = f"Invalid height '{height}'. Must be more than the distance of {distance} m."
        raise ValueError(msg)
    receiver = tuple(
        Circle(
            radius=receiver_radius, centre=np.array([0.0, 0.0, at]), turns=sign * receiver_turns
        )
        for at, sign in ((-distance, 1.0), (distance, -1.0))
    )
    return Head(
        transmitter=(Circle(radius=radius, turns=turns),),
        receiver=receiver,
        excitation=excitation,
        height=height,
    )


def double_d(
    *,
    radius: float,
    excitation: Excitation,
    gap: float = 0.002,
    wire_radius: float = 0.001,
    turns: float = 1.0,
    receiver_turns: float = 1.0,
    n_edges: int = 32,
    height: float | None = None,
) -> Head:
    """
    Return a double-D head: two D-shaped coils that overlap until they do not see each other.

    Parameters
    ----------
    radius : float
        Of the curved sides, m.
    excitation : PulseTrain or ContinuousWave
        Waveform.
    gap : float
        By which the receiver, on the right, lies above the transmitter, m.
    wire_radius : float
        Of the bundle of turns, m: for the inductance that the null is compared with.
    turns, receiver_turns : float
        Of transmitter and receiver.
    n_edges : int
        Of each curved side, at least 8.
    height : float, optional
        Of the transmitter over mean ground, m.

    Returns
    -------
    head : Head
        The mutual inductance is below 1e-6 of the inductance of the transmitter.

    Raises
    ------
    TypeError, ValueError
        If a length is not greater than zero, there are fewer than eight edges, or the gap
        is so wide that no overlap nulls the coils.

    Notes
    -----
    Each coil is half a circle, its chord forward, of the same area as a polygon. The chords
    lie right and left of the middle by the overlap, which is solved for: side by side the
    coupling is negative, on top of one another positive.

    Examples
    --------
    >>> from minesense.physics import heads, winding_inductance
    >>> from minesense.sensor import ContinuousWave
    >>> head = heads.double_d(radius=0.14, excitation=ContinuousWave(frequencies=[1e4]))
    >>> abs(winding_inductance(head.transmitter, head.receiver)) < 1e-12
    True
    """
    from scipy.optimize import brentq  # noqa: PLC0415  half a second that few imports need

    radius = check_positive(radius, "radius")
    gap = check_positive(gap, "gap")
    n_edges = check_count(n_edges, "n_edges", least=8)
    # a half circle of n edges has the area of the true one at this radius
    outline = radius * math.sqrt(math.pi / n_edges / math.sin(math.pi / n_edges))
    angle = math.pi * (0.5 + np.arange(n_edges + 1) / n_edges)
    left = np.column_stack([outline * np.cos(angle), outline * np.sin(angle), 0 * angle])

    right = (left * [-1.0, 1.0, 1.0])[::-1]

    def pair(at: float, turns: float = 1.0, others: float = 1.0) -> tuple[Winding, Winding]:
        return (
            moved((Polygon(vertices=left, turns=turns),), offset=[at, 0.0, 0.0]),
            moved((Polygon(vertices=right, turns=others),), offset=[-at, 0.0, gap]),
        )

    scale = self_inductance(pair(0.0)[0], wire_radius=wire_radius)
    ends = 0.002 * radius, 0.4 * radius

    def coupling(at: float) -> float:
        return winding_inductance(*pair(at)) / scale

    if coupling(ends[0]) * coupling(ends[1]) > 0:
        msg = (
            f"Invalid gap '{gap}' with a radius of {radius} m: no overlap nulls the coils. "
            "Must be less."
        )
        raise ValueError(msg)
    overlap = brentq(
        coupling,
        *ends,
        xtol=1e-10 * radius,
        rtol=8.9e-16,
    )
    transmitter, receiver = pair(float(overlap), turns, receiver_turns)
    return Head(
        transmitter=transmitter, receiver=receiver, excitation=excitation, height=height
    )


def quad(
    *,
    width: float,
    length: float,
    excitation: Excitation,
    gap: float = 0.002,
    turns: float = 1.0,
    receiver_turns: float = 1.0,
    height: float | None = None,
) -> Head:
    """
    Return a head with a figure-eight receiver: two rectangles side by side, wound oppositely.

    Parameters
    ----------
    width, length : float
        Of the rectangle that transmits, right and forward, m; each half of the receiver is
        half as wide.
    excitation : PulseTrain or ContinuousWave
        Waveform.
    gap : float
        By which the receiver lies above the transmitter, m.
    turns, receiver_turns : float
        Of the transmitter, and of the right half of the receiver; the left one has them
        reversed.
    height : float, optional
        Of the transmitter over mean ground, m.

    Returns
    -------
    head : Head
        Nulled by its symmetry, and blind to what is right below its middle.

    Raises
    ------
    ValueError
        If a length is not greater than zero.

    Examples
    --------
    >>> from minesense.physics import heads
    >>> from minesense.sensor import ContinuousWave
    >>> head = heads.quad(
    ...     width=0.3, length=0.2, excitation=ContinuousWave(frequencies=[1e4])
    ... )
    >>> [path.turns for path in head.receiver]
    [1.0, -1.0]
    """
    gap = check_positive(gap, "gap")
    whole = rectangle(width, length)
    half = rectangle(width / 2, length)
    receiver: Winding = ()
    for side in (1.0, -1.0):
        part = Polygon(vertices=half.vertices, turns=side * receiver_turns)
        receiver += moved((part,), offset=[side * width / 4, 0.0, gap])
    return Head(
        transmitter=(Polygon(vertices=whole.vertices, turns=turns),),
        receiver=receiver,
        excitation=excitation,
        height=height,
    )


def rectangle(width: float, length: float) -> Polygon:
    """
    Return a horizontal rectangle of wire around the origin, one turn.

    Parameters
    ----------
    width, length : float
        Right and forward, m.

    Returns
    -------
    polygon : Polygon
        The current turns right-handed about upward.

    Raises
    ------
    ValueError
        If a length is not greater than zero.

    Examples
    --------
    >>> from minesense.physics import heads
    >>> heads.rectangle(2.0, 4.0).vertices[0].tolist()
    [-1.0, -2.0, 0.0]
    """
    x, y = check_positive(width, "width") / 2, check_positive(length, "length") / 2
    return Polygon(vertices=np.array([[-x, -y, 0], [x, -y, 0], [x, y, 0], [-x, y, 0]]))
