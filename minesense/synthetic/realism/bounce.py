"""How the ground bounce comes and goes along the track: its delay and its height."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...constants import SPEED_OF_LIGHT
from ...sweep import Floats
from .missing import Missing, TooFewError, told
from .section import RadarSection
from .variogram import Variogram, along, semivariogram


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BounceJitter:
    """Delay and gain of the ground bounce, or of the first arrival where the two are one."""

    delay: float  #: s, standard deviation
    height: float | Missing  #: m of air that such a delay is
    gain: float  #: standard deviation of the gain, over its mean
    delay_law: Variogram | Missing  #: of the delay along the track
    white_delay: float | Missing  #: s, part that is new in every trace
    slow_delay: float | Missing  #: s, the rest


def bounce_jitter(section: RadarSection) -> BounceJitter:
    r"""
    Measure how delay and gain of the ground bounce vary along the track.

    Parameters
    ----------
    section : RadarSection
        Of :func:`radar_section`, which followed the bounce by correlation.

    Returns
    -------
    jitter : BounceJitter
        Standard deviations over the lane, of all channels about their own means.

    Raises
    ------
    TooFewError
        If the bounce does not rise above nothing in part of the lane.

    Notes
    -----
    A delay :math:`\tau` is :math:`c \tau / 2` of height. The nugget :math:`\kappa` of the
    semivariogram of the delay parts its variance into :math:`\kappa`, which is new in every
    trace as jitter of the clock is, and :math:`1 - \kappa`, which is not: height and rough
    ground. What the correlation makes of noise is in the former.

    Examples
    --------
    >>> from minesense.synthetic import cart, field, scenario
    >>> from minesense.synthetic.realism import bounce_jitter, radar_section
    >>> made = field(scenario("prepared", lanes={"length": 3.0, "run_in": 0.5}), seed=1)
    >>> radar, _ = made.sweep(cart(n_antennas=1, n_coils=1), lanes=["lane 01"])
    >>> jitter = bounce_jitter(radar_section(radar))
    >>> 0.003 < jitter.height < 0.03
    True
    """
    gain = section.ground_gain
    if not (np.isfinite(gain).all() and gain.any()):
        msg = "the bounce does not rise above nothing"
        raise TooFewError(msg)
    delay = float(section.ground_delay.std())
    law = told(_along, section, section.ground_delay)
    white: float | Missing
    slow: float | Missing
    if isinstance(law, Missing):
        white = slow = law
    elif not np.isfinite(law.nugget):
        white = slow = Missing("too few neighbours along the track")
    else:
        nugget = min(law.nugget, 1.0)
        white, slow = delay * nugget**0.5, delay * (1 - nugget) ** 0.5
    joined = Missing("direct wave and bounce are one: the delay is no height")
    return BounceJitter(
        delay=delay,
        height=joined if section.arrivals.is_joined else SPEED_OF_LIGHT * delay / 2,
        gain=float(gain.std()),
        delay_law=law,
        white_delay=white,
        slow_delay=slow,
    )


def _along(section: RadarSection, values: Floats) -> Variogram:
    """Return the semivariogram of values of traces along the track."""
    return semivariogram(along(section, values), spacing=section.spacing)
