"""How much of a section lies in few patterns: its singular values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...sweep import Floats
from .kept import LEAST_TRACES
from .missing import TooFewError
from .section import SLICES, RadarSection

#: Numbers of patterns whose share of the energy is told.
COUNTS = (1, 2, 5, 10)

_STEEP = 20  # values that the slope is fitted to, at most


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SingularValues:
    """Energy of the singular vectors of a section without its mean trace."""

    energy: Floats  #: (n,) shares, the largest first; mean over channels
    shares: tuple[float, ...]  #: of the first COUNTS together
    slope: float  #: of ln energy over ln of its number, from 1 to 20
    patterns: float  #: number of equal ones that would be as spread


def singular_values(section: RadarSection) -> SingularValues:
    r"""
    Return how the energy of a section is spread over its singular vectors.

    Parameters
    ----------
    section : RadarSection
        Of :func:`radar_section`.

    Returns
    -------
    values : SingularValues
        Of the residual from two periods after the ground to the end of the record.

    Raises
    ------
    TooFewError
        If fewer than fifty traces or four samples are left, or all traces are the same.

    Notes
    -----
    With the singular values :math:`s_k` of the residual of a channel, energies are
    :math:`s_k^2 / \sum s^2`, their slope is a least-squares one, and the number of patterns
    is :math:`(\sum s^2)^2 / \sum s^4`. They depend on the size of the section and on its
    noise: compare sections of one size.

    Examples
    --------
    >>> from minesense.synthetic import cart, field, scenario
    >>> from minesense.synthetic.realism import radar_section, singular_values
    >>> made = field(scenario("prepared", lanes={"length": 1.0, "run_in": 0.5}), seed=1)
    >>> radar, _ = made.sweep(cart(n_antennas=2, n_coils=1), lanes=["lane 01"])
    >>> found = singular_values(radar_section(radar))
    >>> found.shares[0] < found.shares[1] < 1.0
    True
    """
    first = int(np.searchsorted(section.time, SLICES[0][0] * section.period))
    values = section.residual[:, :, first:].astype(np.float64)
    if len(values) < LEAST_TRACES or values.shape[2] < 4:
        msg = (
            f"{len(values)} traces of {values.shape[2]} samples after the bounce: at least "
            f"{LEAST_TRACES} of 4 are needed"
        )
        raise TooFewError(msg)
    values -= values.mean(axis=0)
    energies = np.array(
        [
            np.linalg.svd(values[:, channel], compute_uv=False) ** 2
            for channel in range(values.shape[1])
        ]
    )
    total = energies.sum(axis=1, keepdims=True)
    if not (total > 0).all():
        msg = "all traces are the same"
        raise TooFewError(msg)
    energy = (energies / total).mean(axis=0)
    n = min(_STEEP, int(np.count_nonzero(energy > 1e-12)))
    number = np.log(np.arange(1, n + 1))
    slope = np.polyfit(number, np.log(energy[:n]), 1)[0] if n > 1 else -np.inf
    return SingularValues(
        energy=energy,
        shares=tuple(float(energy[:k].sum()) for k in COUNTS),
        slope=float(slope),
        patterns=float((1 / ((energies / total) ** 2).sum(axis=1)).mean()),
    )
