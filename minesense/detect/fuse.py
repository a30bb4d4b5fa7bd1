"""Fusion: what two sensors say together."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..sweep import Floats


def fuse(ratios: Mapping[str, Floats]) -> Floats:
    r"""
    Add the log likelihood ratios of the sensors.

    Parameters
    ----------
    ratios : dict of (n,) float64 ndarray
        For each sensor the natural logarithm of p(score | mine) / p(score | clutter) at
        each place; NaN where the sensor did not observe it.

    Returns
    -------
    total : (n,) float64 ndarray
        Sum over the sensors that observed the place, 0 where none did.

    Raises
    ------
    ValueError
        If there is no sensor or the lengths differ.

    Notes
    -----
    :math:`\ln \Lambda = \sum_s \ln \Lambda_s` holds if the sensors err independently given
    what is there. They do not quite (both see large metal), so the sum is calibrated again
    on places it was not trained on. A sensor that was not there adds nothing; one that was
    and stayed silent lowers the rank, but never removes an alarm.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.detect import fuse
    >>> fuse({"gpr": np.array([1.0, 2.0]), "emi": np.array([0.5, np.nan])}).tolist()
    [1.5, 2.0]
    """
    if not ratios or len({len(ratio) for ratio in ratios.values()}) > 1:
        lengths = {name: len(ratio) for name, ratio in ratios.items()}
        msg = f"Invalid ratios of lengths {lengths}. Must be one or more, equally long."
        raise ValueError(msg)
    return np.sum([np.nan_to_num(ratio, nan=0.0) for ratio in ratios.values()], axis=0)
