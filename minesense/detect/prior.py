"""Base rates: what a probability becomes where mines are rarer than in training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from .._validation import check_positive
from ..sweep import Floats
from .calibrate import log_odds as odds_of


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseRate:
    """How many mines an operation found, as published, and in how much work."""

    name: str
    mines: int
    area: float  #: m^2
    detections: int | None  #: places that were investigated; None if not published
    source: str
    meaning: str

    @property
    def density(self) -> float:
        """Mines per square metre."""
        return self.mines / self.area

    def share(self, *, detections_per_area: float | None = None) -> float:
        """
        Return the share of mines among noticed places: the prior of a probability.

        Parameters
        ----------
        detections_per_area : float, optional
            Places that the detector at hand notices per square metre. By default those
            that were published.

        Returns
        -------
        share : float
            Mines per noticed place.

        Raises
        ------
        TypeError, ValueError
            If `detections_per_area` is not greater than the mines per square metre, or is
            needed because none was published.
        """
        if detections_per_area is None:
            if self.detections is None:
                msg = (
                    f"Invalid detections_per_area None for base rate '{self.name}': its source "
                    "counts mines and area only. Must be what your detector notices per m^2."
                )
                raise ValueError(msg)
            return self.mines / self.detections
        rate = check_positive(detections_per_area, "detections_per_area")
        if rate <= self.density:
            msg = (
                f"Invalid detections_per_area '{rate:g}'. Must be greater than the "
                f"{self.density:.3g} mines per m^2 of base rate '{self.name}'."
            )
            raise ValueError(msg)
        return self.density / rate


#: Published base rates, by name. Neither says anything about another place.
BASE_RATES: Mapping[str, BaseRate] = MappingProxyType(
    {
        rate.name: rate
        for rate in (
            BaseRate(
                name="cambodia_2006_2008",
                mines=5610,
                area=604_375.0,
                detections=1_423_902,
                source=(
                    "https://www.halotrust.org/latest/halo-updates/news/"
                    "halo-utilises-dual-sensor-detector/"
                ),
                meaning=(
                    "dual-sensor detectors in live clearance, March 2006 to June 2008, dense "
                    "belts full of scrap; reported by the operator: 1 mine in 253.8 detections"
                ),
            ),
            BaseRate(
                name="azerbaijan_2025_01",
                mines=762,
                area=35_838_000.0,
                detections=None,
                source="https://www.azernews.az/nation/237279",
                meaning=(
                    "clearance of 3,583.8 ha in January 2025, as reported by ANAMA in the "
                    "press: 505 anti-personnel and 257 anti-tank mines, 1 in 47,000 m^2; the "
                    "1,497 other pieces of ordnance are not counted"
                ),
            ),
        )
    }
)


def with_prior(
    log_odds: npt.ArrayLike, *, prior: float | str | BaseRate, training_prior: float
) -> Floats:
    r"""
    Return log odds for another share of mines among noticed places.

    Parameters
    ----------
    log_odds : (n,) array_like
        Calibrated for the mix of the training data; NaN where withheld.
    prior : float, str or BaseRate
        Share of mines among noticed places where the detector is used; or a name of
        :data:`BASE_RATES`, or a record like those, whose published detections are counted.
    training_prior : float
        Share of mines in the data that the calibration was fitted on.

    Returns
    -------
    log_odds : (n,) float64 ndarray
        Of a mine under the prior; in the same order, NaN where they were NaN.

    Raises
    ------
    TypeError, ValueError
        If a prior is not between 0 and 1, or the base rate is unknown or has no count of
        detections.

    Notes
    -----
    :math:`\operatorname{logit} p' = \operatorname{logit} p + \operatorname{logit} \pi' -
    \operatorname{logit} \pi`. It holds if mines look alike in both places and clutter does
    too, and only their mix differs.

    References
    ----------
    .. [1] Saerens, M., Latinne, P. & Decaestecker, C. (2002). Adjusting the outputs of a
       classifier to new a priori probabilities. Neural Computation 14(1), 21-41.
       doi:10.1162/089976602753284446.

    Examples
    --------
    Where one place in 254 is a mine, even odds of the training data become 1 to 253:

    >>> from minesense.detect import probability, with_prior
    >>> odds = with_prior([0.0], prior="cambodia_2006_2008", training_prior=0.5)
    >>> round(1 / float(probability(odds)[0]), 1)
    253.8
    """
    if isinstance(prior, str):
        if prior not in BASE_RATES:
            msg = f"Invalid prior {prior!r}. Must be one of {', '.join(map(repr, BASE_RATES))}."
            raise ValueError(msg)
        prior = BASE_RATES[prior]
    if isinstance(prior, BaseRate):
        prior = prior.share()
    shift = _logit(prior, "prior") - _logit(training_prior, "training_prior")
    return np.asarray(log_odds, dtype=np.float64) + shift


def _logit(value: float, name: str) -> float:
    """Return the log odds of a share; an error names the argument."""
    try:
        return odds_of(value)
    except (TypeError, ValueError) as error:
        raise type(error)(str(error).replace("probability", name)) from None
