"""The surface of the ground on a grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .._validation import check_array, check_positive
from .soil import Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Surface:
    """
    Height of the ground, or another value that varies over it, on a regular grid.

    Parameters
    ----------
    origin : (2,) array_like
        Easting and northing of `heights[0, 0]`, m.
    step : float
        Between neighbours along both axes, m.
    heights : (n_easting, n_northing) array_like
        Upward, m, or in the unit of the value; at least two along each axis.

    Raises
    ------
    TypeError, ValueError
        If a value is not finite or a shape does not fit.
    """

    origin: Floats
    step: float
    heights: Floats

    def __post_init__(self) -> None:
        heights = check_array(self.heights, "heights", ("n_easting", "n_northing"))
        if min(heights.shape) < 2:
            msg = f"Invalid heights with shape {heights.shape}. Must be at least (2, 2)."
            raise ValueError(msg)
        object.__setattr__(self, "heights", heights)
        object.__setattr__(self, "origin", check_array(self.origin, "origin", (2,)))
        object.__setattr__(self, "step", check_positive(self.step, "step"))

    @property
    def end(self) -> Floats:
        """Easting and northing of the last height."""
        return np.asarray(self.origin + self.step * (np.array(self.heights.shape) - 1))

    def height_at(self, easting: npt.ArrayLike, northing: npt.ArrayLike) -> Floats:
        """
        Return the bilinear height at places.

        Parameters
        ----------
        easting, northing : (...) array_like
            In m; beyond the grid counts its edge.

        Returns
        -------
        height : (...) float64 ndarray
            In the unit of `heights`.
        """
        last = np.array(self.heights.shape) - 1
        x = np.clip((np.asarray(easting) - self.origin[0]) / self.step, 0, last[0])
        y = np.clip((np.asarray(northing) - self.origin[1]) / self.step, 0, last[1])
        i = np.minimum(x.astype(np.int64), last[0] - 1)
        j = np.minimum(y.astype(np.int64), last[1] - 1)
        x, y, h = x - i, y - j, self.heights
        low = (1 - y) * h[i, j] + y * h[i, j + 1]
        high = (1 - y) * h[i + 1, j] + y * h[i + 1, j + 1]
        return np.asarray((1 - x) * low + x * high)
