"""Features of the ground around a candidate. Never used alone: they tell where, not what."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .._validation import check_positive
from ..alarm import Feature
from ..sweep import Floats, Sweep
from ._patches import locate_cells
from .bounce import Bounce

_NEAR = 0.5  # m along track to each side in which the bounce is looked at
_GUARD, _RING = 0.4, 1.0  # m along track to each side in which clutter is measured

#: Features of :func:`context_features`, in the order of its columns.
CONTEXT_FEATURES: tuple[Feature, ...] = (
    Feature("context_height", "m", "of the antennas over the ground"),
    Feature("context_height_spread", "m", "standard deviation of the height around"),
    Feature("context_height_slope", "1", "steepness of the height along track around"),
    Feature("context_reflection", "1", "bounce over direct wave, both times their way"),
    Feature("context_permittivity", "1", "of the ground as that reflection tells it"),
    Feature("context_bounce_spread", "dB", "standard deviation of the bounce's level around"),
    Feature("context_bounce_step", "dB", "level of the bounce here against that around"),
    Feature("context_clutter", "1", "robust standard deviation of whitened samples around"),
    Feature("context_clutter_tail", "1", "their 0.99 quantile over that, 2.58 for noise"),
)


def bounce_permittivity(ratio: npt.ArrayLike, *, coupling: float) -> Floats:
    r"""
    Return the permittivity of the ground from how much of a wave it reflects.

    Parameters
    ----------
    ratio : array_like
        Of bounce to direct wave, both times their way, as :attr:`Bounce.ratio` has it.
    coupling : float
        Amplitude of the direct wave at 1 m, over that which the antennas send to the
        ground and receive from it; a constant of the instrument.

    Returns
    -------
    permittivity : float64 ndarray
        Relative, from 1 to 100; NaN where the ratio is NaN.

    Raises
    ------
    ValueError
        If `coupling` is not finite and greater than zero.

    Notes
    -----
    Ground of index n reflects :math:`r = (1 - n) / (1 + n)` of a wave from straight above,
    smooth and without layers. Hence, with :math:`|r| = \kappa\, |q|` of the ratio q and the
    coupling :math:`\kappa`,

    .. math:: \varepsilon_r = \left( \frac{1 + |r|}{1 - |r|} \right)^2 .

    An amplitude that is wrong by 10 % makes a permittivity of 6 one of 5.0 or 7.3.

    Examples
    --------
    >>> from minesense.gpr import bounce_permittivity
    >>> bounce_permittivity([-0.5, -2.0], coupling=0.25).round(2)
    array([1.65, 9.  ])
    """
    share = check_positive(coupling, "coupling") * np.abs(np.asarray(ratio, dtype=np.float64))
    share = np.minimum(share, 9 / 11)  # of an index of 10
    return ((1 + share) / (1 - share)) ** 2


def context_features(
    sweep: Sweep,
    traces: npt.ArrayLike,
    channels: npt.ArrayLike,
    times: npt.ArrayLike,
    *,
    ground_time: float,
    spacing: float,
    bounce: Bounce,
    coupling: float = 0.25,
) -> Floats:
    """
    Describe the ground around candidates: height, roughness, reflection, clutter.

    Parameters
    ----------
    sweep : Sweep
        One continuous lane, aligned to the ground, without background, whitened.
    traces, channels : (n,) array_like of int
        Trace and channel of each candidate.
    times : (n,) array_like
        Two-way time of each echo, in seconds; what is told does not depend on it.
    ground_time : float
        Two-way time of the ground surface in the aligned sweep, in seconds.
    spacing : float
        Distance between neighbouring traces, in metres.
    bounce : Bounce
        Of the same traces, as the `bounce` of a :class:`minesense.detect.Part`.
    coupling : float
        As in :func:`bounce_permittivity`. The default is of no particular instrument: unless
        it was measured, the permittivity is apparent, and grows with the true one.

    Returns
    -------
    features : (n, n_features) float64 ndarray
        Columns as in :data:`CONTEXT_FEATURES`; a row of NaN where the cell is unusable, NaN
        where nothing is known, as of the height without a direct wave.

    Raises
    ------
    TypeError, ValueError
        If an option is not in its range, a trace, channel or time is outside the sweep, the
        bounce is not of as many traces and channels, or the sensor is not a radar with a
        regular axis in seconds.

    Notes
    -----
    Around means within 0.5 m along track for the bounce, of the same channel, and from 0.4
    to 1 m to each side for clutter, below the ground, where the candidate's own echo does
    not reach. Spreads are about the line that fits heights best, and about the mean of
    levels. The height here is the median of three traces. Levels are those of `Bounce.ratio`,
    which a drift of the instrument's gain leaves alone.

    These say nothing of what lies in the ground. A classifier that sees them alone learns
    where targets happened to be put: use them beside other features, or to tell that a
    lane is unlike those of training.

    Examples
    --------
    Antennas 12 cm over ground that reflects half of a wave:

    >>> import numpy as np
    >>> from minesense.gpr import Bounce, context_features
    >>> from minesense.sensor import Sensor
    >>> from minesense.sweep import Sweep
    >>> sensor = Sensor(
    ...     name="demo", kind="gpr", axis=1e-10 * np.arange(60), lever_arms=[[0, 0, 0]]
    ... )
    >>> northing = 0.05 * np.arange(60)
    >>> sweep = Sweep(
    ...     samples=np.random.default_rng(seed=0).normal(size=(60, 1, 60)),
    ...     time=northing,
    ...     position=np.column_stack([0 * northing, northing, 0 * northing]),
    ...     heading=0 * northing,
    ...     sensor=sensor,
    ... )
    >>> bounce = Bounce(
    ...     time=np.full((60, 1), 1.8e-9),
    ...     amplitude=np.full((60, 1), -2.0),
    ...     direct_time=np.full((60, 1), 1e-9),
    ...     direct_amplitude=np.full((60, 1), 0.96),
    ...     separation=0.0,
    ... )
    >>> options = {"ground_time": 1e-9, "spacing": 0.05, "bounce": bounce}
    >>> row = context_features(sweep, [30], [0], [np.nan], coupling=1.0, **options)[0]
    >>> row[[0, 3, 4]].round(2)
    array([ 0.12, -0.5 ,  8.98])
    """
    cells = locate_cells(
        sweep, traces, channels, times, ground_time=ground_time, spacing=spacing
    )
    shape = (len(sweep), sweep.sensor.shape[0])
    if not isinstance(bounce, Bounce):
        msg = f"Invalid bounce of type {type(bounce).__name__}. Must be a Bounce."
        raise TypeError(msg)
    if bounce.time.shape != shape:
        msg = f"Invalid bounce of shape {bounce.time.shape}. Must be {shape}, as the sweep."
        raise ValueError(msg)
    near, guard, ring = (max(1, round(x / cells.spacing)) for x in (_NEAR, _GUARD, _RING))
    heights, ratios = bounce.height, bounce.ratio
    permittivity = bounce_permittivity(ratios, coupling=coupling)
    levels = 20 * np.log10(np.maximum(np.abs(ratios), 1e-6))
    result = cells.empty(len(CONTEXT_FEATURES))
    for row in np.flatnonzero(cells.is_usable):
        i, c = int(cells.traces[row]), int(cells.channels[row])
        around = slice(max(0, i - near), i + near + 1)
        offset: Floats = cells.spacing * (np.arange(len(sweep), dtype=np.float64)[around] - i)
        spread, slope = _about_a_line(offset, heights[around, c])
        here = slice(max(0, i - 1), i + 2)
        level = levels[around, c]
        sides = [slice(max(0, i - ring), max(0, i - guard)), slice(i + guard + 1, i + ring + 1)]
        clutter = np.concatenate(
            [sweep.samples[s, c, cells.ground :][sweep.is_usable[s]] for s in sides]
        )
        result[row] = (
            _median(heights[here, c]),
            spread,
            slope,
            _median(ratios[here, c]),
            _median(permittivity[here, c]),
            _deviation(level),
            _median(levels[here, c]) - _median(level),
            *_clutter(np.abs(clutter).ravel()),
        )
    return result


def _median(values: Floats) -> float:
    """Return the median of what is known."""
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else np.nan


def _deviation(values: Floats) -> float:
    """Return the standard deviation of what is known; NaN of fewer than three."""
    known = values[np.isfinite(values)]
    return float(known.std()) if len(known) > 2 else np.nan


def _about_a_line(offset: Floats, values: Floats) -> tuple[float, float]:
    """Return the spread of what is known about its line, and the line's steepness."""
    known = np.isfinite(values)
    if np.count_nonzero(known) < 3:
        return np.nan, np.nan
    x, y = offset[known], values[known]
    x = x - x.mean()
    slope = float((x * y).sum() / (x * x).sum())
    return float((y - y.mean() - slope * x).std()), abs(slope)


def _clutter(magnitude: Floats) -> tuple[float, float]:
    """Return the robust spread of samples about zero, and how heavy their tail is."""
    if not len(magnitude):
        return np.nan, np.nan
    middle, tail = np.quantile(magnitude, (0.5, 0.99))
    sigma = 1.4826 * float(middle)
    return sigma, float(tail) / sigma if sigma > 0 else np.nan
