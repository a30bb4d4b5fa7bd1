"""Soils by how hard they are for metal detectors."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from .._validation import check_not_negative, check_number, check_one_of
from .viscosity import LONGEST_TAU, SHORTEST_TAU

#: Upper limits of the susceptibility of the classes, SI: below 50, 500 and 2000 e-5.
CLASS_LIMITS = {"neutral": 50e-5, "moderate": 500e-5, "severe": 2000e-5}

_LIMITS_SOURCE = (
    "class limits: CEN CWA 14747-2:2008, as quoted in secondary literature (unverified)"
)
_REST_SOURCE = "value within the class, viscous share and conductivity: assumption"


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorSoil:
    """
    What a metal detector feels of a soil.

    Raises
    ------
    TypeError, ValueError
        If the susceptibility is not greater than -1, or negative where it is viscous, the
        share is not from 0 to 1, or the conductivity is negative.
    """

    name: str
    susceptibility: float  #: static, SI, dimensionless
    viscous_share: float  #: of it, 0 to 1
    conductivity: float  #: S/m
    source: str  #: of the figures, or "assumption"

    def __post_init__(self) -> None:
        chi = check_number(self.susceptibility, "susceptibility")
        share = check_number(self.viscous_share, "viscous_share")
        if not 0 <= share <= 1:
            msg = f"Invalid viscous_share '{share}'. Must lie between 0 and 1."
            raise ValueError(msg)
        if chi <= -1 or (chi < 0 and share > 0):
            rule = "greater than -1" if chi <= -1 else "not negative where it is viscous"
            msg = f"Invalid susceptibility '{chi}'. Must be {rule}."
            raise ValueError(msg)
        check_not_negative(self.conductivity, "conductivity")

    @property
    def magnetic(self) -> dict[str, Any]:
        """Options of :func:`soil_pulse_voltage` and :func:`soil_wave_response`."""
        return {
            "susceptibility": self.susceptibility,
            "viscous_share": self.viscous_share,
            "tau1": SHORTEST_TAU,
            "tau2": LONGEST_TAU,
        }


_SOILS = {
    soil.name: soil
    for soil in (
        DetectorSoil(
            name=name,
            susceptibility=susceptibility,
            viscous_share=share,
            conductivity=conductivity,
            source=f"{_LIMITS_SOURCE}; {_REST_SOURCE}",
        )
        for name, susceptibility, share, conductivity in (
            ("neutral", 15e-5, 0.3, 0.005),
            ("moderate", 150e-5, 0.5, 0.01),
            ("severe", 1000e-5, 0.5, 0.02),
            ("very severe", 4000e-5, 0.5, 0.02),
        )
    )
}


def detector_soil(name: str) -> DetectorSoil:
    """
    Return a soil that stands for a class.

    Parameters
    ----------
    name : {"neutral", "moderate", "severe", "very severe"}
        How hard it is for metal detectors.

    Returns
    -------
    soil : DetectorSoil
        With a susceptibility near the geometric middle of its class, and the word
        "assumption" for what nobody has measured.

    Raises
    ------
    ValueError
        If the name is another.

    Examples
    --------
    >>> from minesense.physics import detector_soil
    >>> soil = detector_soil("severe")
    >>> soil.susceptibility, "assumption" in soil.source
    (0.01, True)
    """
    return _SOILS[check_one_of(name, "name", tuple(_SOILS))]


def soil_class(susceptibility: float) -> str:
    """
    Return the class of a soil by its susceptibility.

    Parameters
    ----------
    susceptibility : float
        SI, dimensionless, greater than -1.

    Returns
    -------
    name : str
        One of the names of :func:`detector_soil`.

    Raises
    ------
    TypeError, ValueError
        If it is no number greater than -1.

    Notes
    -----
    Limits at 50, 500 and 2000 times 1e-5, from CWA 14747-2 as secondary literature quotes it
    (unverified). How hard a soil is depends on the detector as well, and on how much of the
    susceptibility is viscous.

    Examples
    --------
    >>> from minesense.physics import soil_class
    >>> soil_class(1e-3)
    'moderate'
    """
    chi = check_number(susceptibility, "susceptibility")
    if not -1 < chi < math.inf:
        msg = f"Invalid susceptibility '{chi}'. Must be greater than -1."
        raise ValueError(msg)
    return next((name for name, limit in CLASS_LIMITS.items() if chi < limit), "very severe")
