"""Rows of a waterfall: what a scan looks like against those before it, for the eye alone."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from ..message import SensorMessage, StreamDeclaration

#: Values of a row, at most.
WIDEST = 160

#: Memory of the mean and of the size, in rows.
_MEMORY = 60.0

#: From how many times its size on a value stands out.
_STANDS_OUT = 3.0


class WaterfallRows:
    """
    Turn scans of one stream into rows of small whole numbers.

    A row is the scan less a running mean, value by value over the running size of what is left,
    so that what changes along the track is seen. A radar shows its middle channel over two-way
    time; a metal detector all channels, the first gate of each on its left. Nothing that is
    decided comes from here.

    Parameters
    ----------
    declaration : StreamDeclaration
        Of a sensor stream.

    Examples
    --------
    >>> from minesense.sensor import Sensor
    >>> radar = Sensor(name="demo", kind="gpr", axis=[0.0, 1e-10], lever_arms=np.zeros((1, 3)))
    >>> stream = StreamDeclaration(name="radar", kind="sensor", clock="host", sensor=radar)
    >>> rows = WaterfallRows(stream)
    >>> scan = SensorMessage(stream="radar", sequence=0, stamp=0.0, samples=np.ones((1, 2)))
    >>> rows.take(scan)
    [0, 0]
    """

    def __init__(self, declaration: StreamDeclaration):
        sensor = declaration.sensor
        if sensor is None:
            msg = f"Invalid stream '{declaration.name}'. Must be one of a sensor."
            raise ValueError(msg)
        self.kind = sensor.kind
        self._middle = sensor.shape[0] // 2
        self._mean: npt.NDArray[np.float64] | None = None
        self._size: npt.NDArray[np.float64] | None = None  # of what is left, value by value
        self._n_rows = 0

    def take(self, message: SensorMessage) -> list[int] | None:
        """
        Return the row of a scan.

        Parameters
        ----------
        message : SensorMessage
            Of the stream.

        Returns
        -------
        row : list of int or None
            From -127 to 127; None if a sample is not finite, or the device says that it
            means nothing.
        """
        samples = np.asarray(message.samples, np.float64)
        values = samples[self._middle] if self.kind == "gpr" else samples.ravel()
        if message.flags & 3 or not np.isfinite(values).all():
            return None
        values = _narrow(values)
        self._n_rows += 1
        weight = 1.0 / min(self._n_rows, _MEMORY)
        if self._mean is None or self._size is None:
            self._mean, self._size = values.copy(), np.zeros(len(values))
        rest = values - self._mean
        # what stands out is shown, and must not become what the next rows are compared with
        most = np.where(self._size > 0, _STANDS_OUT * self._size, np.abs(rest))
        tame = np.clip(rest, -most, most)
        self._mean += weight * tame
        self._size += weight * (np.abs(tame) - self._size)
        typical = np.maximum(self._size, 1e-3 * self._size.max())
        if not typical.max() > 0:
            return [0] * len(values)
        sizes = np.clip(np.rint(rest * (24 / typical)), -127, 127)
        return [int(size) for size in sizes]


def _narrow(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return so few values that a row can hold them: of each group the one farthest from 0."""
    group = math.ceil(len(values) / WIDEST)
    if group == 1:
        return values
    padded = np.pad(values, (0, -len(values) % group)).reshape(-1, group)
    return padded[np.arange(len(padded)), np.abs(padded).argmax(axis=1)]
