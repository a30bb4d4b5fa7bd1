"""Features of a radar candidate: the texture of its section, from pairs of levels."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .._kernels.texture import count_pairs, describe_pairs
from ..alarm import Feature
from ..sweep import Floats, Samples, Sweep
from ._patches import locate_cells

_MEASURES = {
    "contrast": "mean square of the difference",
    "correlation": "correlation",
    "energy": "root of the sum of squared shares",
    "homogeneity": "mean of 1 / (1 + squared difference)",
    "entropy": "entropy of the shares in nats",
}
#: Traces and samples from one of a pair to the other, by the name of the direction.
_DIRECTIONS = {"down": (0, 1), "falling": (1, 1), "along": (1, 0), "rising": (1, -1)}

#: Features of :func:`texture_features`, in the order of its columns.
TEXTURE_FEATURES: tuple[Feature, ...] = tuple(
    Feature(
        f"texture_{direction}_{distance}_{measure}",
        "1",
        f"{meaning}, of the levels {distance} apart {direction}",
    )
    for distance in (1, 2)
    for direction in _DIRECTIONS
    for measure, meaning in _MEASURES.items()
)

_N_LEVELS = 16
_LIMIT = 3.0  # standard deviations at which amplitudes are clipped


def texture_features(
    sweep: Sweep,
    traces: npt.ArrayLike,
    channels: npt.ArrayLike,
    times: npt.ArrayLike,
    *,
    ground_time: float,
    spacing: float,
    reach: float = 0.35,
    duration: float = 2.75e-9,
) -> Floats:
    r"""
    Describe the texture around candidates by how often levels meet at given offsets.

    Parameters
    ----------
    sweep, traces, channels, times, ground_time, spacing
        As in :func:`~minesense.gpr.energy_spectrum.energy_spectrum_features`.
    reach : float
        How far the section goes to each side along track, in metres.
    duration : float
        Of the section, with the echo in its middle, in seconds.

    Returns
    -------
    features : (n, 40) float64 ndarray
        Columns as in :data:`TEXTURE_FEATURES`; a row of NaN where the trace itself is unusable.

    Raises
    ------
    TypeError, ValueError
        As in :func:`~minesense.gpr.energy_spectrum.energy_spectrum_features`.

    Notes
    -----
    Measures of Haralick, Shanmugam and Dinstein [1]_. The candidate's channel is clipped at
    3, its amplitudes being whitened, and falls into 16 equal levels from -3 to 3. With
    :math:`p_{ij}` the share of pairs of levels :math:`i` and :math:`j`, in either order, at
    1 or 2 traces and samples along the track, down, or both,

    .. math:: \text{contrast} &= \sum p_{ij} (i - j)^2, &
        \text{correlation} &= \sum p_{ij} \frac{(i - \mu)(j - \mu)}{\sigma^2}, \\
        \text{energy} &= \sqrt{\textstyle\sum p_{ij}^2}, &
        \text{homogeneity} &= \sum \frac{p_{ij}}{1 + (i - j)^2}, &
        \text{entropy} &= -\sum p_{ij} \ln p_{ij}.

    A single level has correlation 1. Energy is the root of the angular second moment, as in
    scikit-image. Unusable traces, and what lies beyond the lane or the record, count as
    zero amplitude. What exceeds 3 changes nothing, a delay that `times` follow neither;
    travel the other way exchanges falling and rising. Polarity changes nothing where no
    amplitude lies right between two levels, as 0 does.

    References
    ----------
    .. [1] Haralick, R. M., Shanmugam, K. and Dinstein, I. (1973). Textural features for image
       classification. *IEEE Transactions on Systems, Man, and Cybernetics*, SMC-3(6),
       610-621. https://doi.org/10.1109/TSMC.1973.4309314

    Examples
    --------
    >>> from minesense.sensor import Sensor
    >>> axis = 62.5e-12 * np.arange(96)
    >>> sensor = Sensor(name="demo", kind="gpr", axis=axis, lever_arms=[[0, 0, 0]])
    >>> northing = 0.025 * np.arange(40)
    >>> sweep = Sweep(
    ...     samples=np.tile(2 * np.sin(2 * np.pi * 1e9 * axis), (40, 1, 1)),  # layers
    ...     time=northing,
    ...     position=np.column_stack([0 * northing, northing, 0 * northing]),
    ...     heading=np.zeros(40),
    ...     sensor=sensor,
    ... )
    >>> row = texture_features(sweep, [20], [0], [3e-9], ground_time=1e-9, spacing=0.025)[0]
    >>> names = [feature.name for feature in TEXTURE_FEATURES]
    >>> float(row[names.index("texture_along_1_contrast")])  # no change along the track
    0.0
    >>> bool(row[names.index("texture_down_1_contrast")] > 1)
    True
    """
    cells = locate_cells(
        sweep, traces, channels, times, ground_time=ground_time, spacing=spacing
    )
    half = cells.half(duration)
    result = cells.empty(len(TEXTURE_FEATURES))
    shares = np.empty((_N_LEVELS, _N_LEVELS))
    for row, patch in cells.patches(
        along=cells.along(reach), across=0, before=half, after=half
    ):
        levels = _levels(patch[:, 0])
        measures = result[row].reshape(-1, len(_MEASURES))  # a view
        offsets = [(d * i, d * j) for d in (1, 2) for i, j in _DIRECTIONS.values()]
        for out, (down, right) in zip(measures, offsets, strict=True):
            count_pairs(levels, down, right, shares)
            describe_pairs(shares, out)
    return result


def _levels(section: Samples) -> npt.NDArray[np.int64]:
    """Return the level of every sample, 0 to 15."""
    share = (section.astype(np.float64) + _LIMIT) / (2 * _LIMIT)
    return np.clip(np.floor(_N_LEVELS * share), 0, _N_LEVELS - 1).astype(np.int64)
