"""Whether a scan has the shape that its sensor declared."""

from __future__ import annotations

import numpy as np

from ..message import SensorMessage, StreamDeclaration


def fits(message: SensorMessage, declaration: StreamDeclaration) -> bool:
    """
    Return whether a scan has the shape of its sensor.

    Parameters
    ----------
    message : SensorMessage
        As it arrived.
    declaration : StreamDeclaration
        Of its stream.

    Returns
    -------
    fits : bool
        If not it is rejected.
    """
    assert declaration.sensor is not None
    samples = np.asarray(message.samples)
    return samples.shape == declaration.sensor.shape and samples.dtype.kind in "iuf"
