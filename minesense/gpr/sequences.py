"""Sequences of edge strengths along track, which a hidden Markov model takes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .._validation import check_not_negative, check_positive
from ..alarm import Feature
from ..sweep import Floats, Sweep
from ._patches import locate_cells
from .windows import check_window

#: What is observed at each scan, in the order of the last axis of :func:`edge_sequences`.
EDGE_OBSERVATIONS: tuple[str, ...] = (
    "positive_rising",
    "positive_falling",
    "negative_rising",
    "negative_falling",
)


def edge_sequences(
    sweep: Sweep,
    traces: npt.ArrayLike,
    channels: npt.ArrayLike,
    times: npt.ArrayLike,
    *,
    ground_time: float,
    spacing: float,
    reach: float = 0.35,
    window: float = 1.25e-9,
    step: float = 0.25e-9,
    depth_reach: float = 0.5e-9,
    slopes: tuple[float, float] = (2.5e-9, 12.5e-9),
) -> Floats:
    r"""
    Return how strongly edges rise and fall along track, scan by scan, around candidates.

    Parameters
    ----------
    sweep : Sweep
        One continuous lane, aligned to the ground, without background, whitened.
    traces, channels : (n,) array_like of int
        Trace and channel of each candidate.
    times : (n,) array_like
        Two-way time of each echo, in seconds; NaN for the strongest of its trace.
    ground_time : float
        Two-way time of the ground surface in the aligned sweep, in seconds.
    spacing : float
        Distance between neighbouring traces, in metres.
    reach : float
        How far along the track, to each side, scans are looked at, in metres.
    window : float
        Length of a depth window, in seconds: 20 samples of 62.5 ps by default.
    step : float
        From one depth window to the next, in seconds: 4 such samples by default.
    depth_reach : float
        Greatest distance of a depth window's middle from the echo, in seconds.
    slopes : (least, most)
        Of edges, in seconds of two-way time per metre of track. A flank of a hyperbola has at
        most twice the inverse of the velocity.

    Returns
    -------
    sequences : (n, n_depths, n_scans, 4) float64 ndarray
        Observations as in :data:`EDGE_OBSERVATIONS`; NaN throughout where the cell is
        unusable. With the step and the spacing, there are
        ``2 * round(depth_reach / step) + 1`` depths, the shallowest first, and
        ``2 * round(reach / spacing) + 1`` scans in the order of the lane.

    Raises
    ------
    TypeError, ValueError
        If an option is not in its range, a trace, channel or time is outside the sweep, or
        the sensor is not a radar with a regular axis in seconds.

    Notes
    -----
    With the positive and negative parts :math:`x^\pm = \max(\pm x, 0)` of the section at
    scan k and sample j, the strength of an edge that rises along track (later scans show it
    earlier, as before the apex of a hyperbola) is

    .. math:: R^\pm_{k j} = \max_p \min \big( x^\pm_{k-1,\, j+p},\; x^\pm_{k,\, j},\;
        x^\pm_{k+1,\, j-p} \big)

    over whole numbers of samples p between the two slopes, at least one; that of one that
    falls, :math:`F^\pm`, has the signs of p exchanged. Three neighbours must agree on a
    diagonal: noise does so seldom, a horizontal layer never at its own sample alone. The
    observation of a scan in a depth window W is :math:`\ln (1 + \max_{j \in W} R^\pm)`.
    These are the two diagonals in two polarities of [1]_, by another measure of an edge.
    Zeros stand for what lies above the ground, beyond the record or the lane, and for
    unusable scans. A lane run the other way gives the scans in reverse with rising and
    falling exchanged; opposite polarity exchanges positive and negative; with a times the
    amplitude the observation o becomes :math:`\ln (1 + a (e^o - 1))`.

    References
    ----------
    .. [1] Gader, P. D., Mystkowski, M. & Zhao, Y. (2001). Landmine detection with ground
       penetrating radar using hidden Markov models. *IEEE Transactions on Geoscience and
       Remote Sensing*, 39(6), 1231-1244.

    Examples
    --------
    A flank that comes nearer by four samples a scan:

    >>> import numpy as np
    >>> from minesense.gpr import edge_sequences
    >>> from minesense.sensor import Sensor
    >>> from minesense.sweep import Sweep
    >>> sensor = Sensor(
    ...     name="demo", kind="gpr", axis=62.5e-12 * np.arange(160), lever_arms=[[0, 0, 0]]
    ... )
    >>> samples = np.zeros((21, 1, 160))
    >>> samples[np.arange(21), 0, 120 - 4 * np.arange(21)] = 5.0
    >>> northing = 0.05 * np.arange(21)
    >>> sweep = Sweep(
    ...     samples=samples,
    ...     time=northing,
    ...     position=np.column_stack([0 * northing, northing, 0 * northing]),
    ...     heading=np.zeros(21),
    ...     sensor=sensor,
    ... )
    >>> found = edge_sequences(
    ...     sweep, [10], [0], [5e-9], ground_time=1e-9, spacing=0.05, depth_reach=0.0
    ... )
    >>> found.shape, found[0, 0, 7].round(2)
    ((1, 1, 15, 4), array([1.79, 0.  , 0.  , 0.  ]))
    """
    cells = locate_cells(
        sweep, traces, channels, times, ground_time=ground_time, spacing=spacing
    )
    interval = cells.interval
    low, high = check_window(slopes, "slopes")
    check_positive(low, "slopes")
    least = max(1, round(low * cells.spacing / interval))
    lags = range(least, max(least, round(high * cells.spacing / interval)) + 1)
    n_depths, n_scans = sequence_shape(
        spacing=cells.spacing, reach=reach, step=step, depth_reach=depth_reach
    )
    n_side = (n_depths - 1) // 2
    stride = max(1, round(check_positive(step, "step") / interval))
    length = max(1, round(check_positive(window, "window") / interval))
    begin = length // 2 + n_side * stride  # of the shallowest window, ahead of the echo
    span = length + 2 * n_side * stride
    most = lags[-1]
    result = np.full((len(cells.traces), n_depths, n_scans, 4), np.nan)
    for row, patch in cells.patches(
        along=(n_scans - 1) // 2 + 1,
        across=0,
        before=begin + most,
        after=span - begin + most - 1,
        is_cut=True,
    ):
        edges = _edges(patch[:, 0].astype(np.float64), lags)
        for d in range(n_depths):
            part = edges[:, :, d * stride : d * stride + length]
            result[row, d] = np.log1p(part.max(axis=2)).T
    return result


def _edges(section: Floats, lags: range) -> Floats:
    """Return (4, n_scans - 2, n - 2 most) strengths of edges, the margins left out."""
    most = lags[-1]
    n = section.shape[1] - 2 * most
    result = np.zeros((4, len(section) - 2, n))
    for polarity, sign in ((0, 1.0), (2, -1.0)):
        values = np.maximum(sign * section, 0.0)
        here = values[1:-1, most : most + n]
        for lag in lags:
            for k, p in ((polarity, lag), (polarity + 1, -lag)):
                before = values[:-2, most + p : most + p + n]
                after = values[2:, most - p : most - p + n]
                edge = np.minimum(np.minimum(before, here), after)
                np.maximum(result[k], edge, out=result[k])
    return result


def sequence_shape(
    *, spacing: float, reach: float = 0.35, step: float = 0.25e-9, depth_reach: float = 0.5e-9
) -> tuple[int, int]:
    """
    Return how many depths and scans :func:`edge_sequences` gives.

    Parameters
    ----------
    spacing, reach, step, depth_reach : float
        As there.

    Returns
    -------
    n_depths, n_scans : int
        The second and third axis.

    Raises
    ------
    TypeError, ValueError
        If an option is not in its range.

    Examples
    --------
    >>> from minesense.gpr import sequence_shape
    >>> sequence_shape(spacing=0.025)
    (5, 29)
    """
    n_along = round(check_positive(reach, "reach") / check_positive(spacing, "spacing"))
    if n_along < 1:
        msg = f"Invalid reach '{reach}'. Must be at least the spacing of {spacing} m."
        raise ValueError(msg)
    n_side = round(
        check_not_negative(depth_reach, "depth_reach") / check_positive(step, "step")
    )
    return 2 * n_side + 1, 2 * n_along + 1


def sequence_rows(sequences: npt.ArrayLike) -> Floats:
    """
    Return sequences as rows of features, depth by depth, scan by scan.

    Parameters
    ----------
    sequences : (n, n_depths, n_scans, 4) array_like
        Of :func:`edge_sequences`.

    Returns
    -------
    rows : (n, n_depths * n_scans * 4) float64 ndarray
        Named by :func:`sequence_names`.

    Raises
    ------
    ValueError
        If the shape is another.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.gpr import sequence_rows
    >>> sequence_rows(np.zeros((2, 5, 29, 4))).shape
    (2, 580)
    """
    values = np.asarray(sequences, dtype=np.float64)
    if values.ndim != 4 or values.shape[3] != len(EDGE_OBSERVATIONS):
        msg = f"Invalid sequences of shape {values.shape}. Must be (n, n_depths, n_scans, 4)."
        raise ValueError(msg)
    return values.reshape(len(values), int(np.prod(values.shape[1:])))


def sequence_names(n_depths: int, n_scans: int) -> tuple[Feature, ...]:
    """
    Return the features that the columns of :func:`sequence_rows` are.

    Parameters
    ----------
    n_depths, n_scans : int
        As of :func:`sequence_shape`.

    Returns
    -------
    features : tuple of Feature
        Named by depth window, scan and observation, counted from zero.

    Examples
    --------
    >>> from minesense.gpr import sequence_names
    >>> names = sequence_names(5, 29)
    >>> len(names), names[0].name, names[-1].name
    (580, 'edge_0_0_positive_rising', 'edge_4_28_negative_falling')
    """
    return tuple(
        Feature(
            f"edge_{d}_{k}_{name}",
            "1",
            f"{name.replace('_', ' ')} edge of scan {k} in depth window {d}",
        )
        for d in range(n_depths)
        for k in range(n_scans)
        for name in EDGE_OBSERVATIONS
    )
