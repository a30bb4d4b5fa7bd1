"""Units that columns of tables may have, as factors to SI."""

from __future__ import annotations

import math

#: Unit as written, without case except for the prefix: what it measures, and its size in SI.
_UNITS: dict[str, tuple[str, float]] = {
    "s": ("s", 1.0),
    "sec": ("s", 1.0),
    "ms": ("s", 1e-3),
    "us": ("s", 1e-6),
    "µs": ("s", 1e-6),
    "μs": ("s", 1e-6),
    "ns": ("s", 1e-9),
    "min": ("s", 60.0),
    "h": ("s", 3600.0),
    "m": ("m", 1.0),
    "cm": ("m", 0.01),
    "mm": ("m", 0.001),
    "km": ("m", 1000.0),
    "ft": ("m", 0.3048),
    "in": ("m", 0.0254),
    "m/s": ("m/s", 1.0),
    "km/h": ("m/s", 1 / 3.6),
    "rad": ("rad", 1.0),
    "deg": ("rad", math.pi / 180),
    "°": ("rad", math.pi / 180),
    "degree": ("rad", math.pi / 180),
    "degrees": ("rad", math.pi / 180),
    "Hz": ("Hz", 1.0),
    "kHz": ("Hz", 1e3),
    "MHz": ("Hz", 1e6),
    "GHz": ("Hz", 1e9),
    "V": ("V", 1.0),
    "mV": ("V", 1e-3),
    "uV": ("V", 1e-6),
    "µV": ("V", 1e-6),
    "μV": ("V", 1e-6),
    "nV": ("V", 1e-9),
    "A": ("A", 1.0),
    "mA": ("A", 1e-3),
    "T": ("T", 1.0),
    "mT": ("T", 1e-3),
    "uT": ("T", 1e-6),
    "µT": ("T", 1e-6),
    "μT": ("T", 1e-6),
    "nT": ("T", 1e-9),
    "pT": ("T", 1e-12),
    "T/s": ("T/s", 1.0),
    "nT/s": ("T/s", 1e-9),
    "V/A": ("V/A", 1.0),
    "mV/A": ("V/A", 1e-3),
    "V/m": ("V/m", 1.0),
    "A/m": ("A/m", 1.0),
    "S/m": ("S/m", 1.0),
    "mS/m": ("S/m", 1e-3),
    "1": ("1", 1.0),
    "count": ("1", 1.0),
    "counts": ("1", 1.0),
    "%": ("1", 0.01),
    "ppt": ("1", 1e-3),
    "ppm": ("1", 1e-6),
}


def unit_of(text: str) -> tuple[str, float] | None:
    """
    Return the SI unit and the factor to it, None for a unit that is not known.

    Parameters
    ----------
    text : str
        As written in a header or a template; case counts, since m is not M.

    Returns
    -------
    unit : (str, float) or None
        For example ("V", 0.001).

    Examples
    --------
    >>> unit_of("mV"), unit_of("furlong")
    (('V', 0.001), None)
    """
    return _UNITS.get(text.strip())


def known_units(quantity: str | None = None) -> list[str]:
    """
    Return the units that are known, of one quantity or of all.

    Parameters
    ----------
    quantity : str, optional
        An SI unit.

    Returns
    -------
    units : list of str
        As they are written.

    Examples
    --------
    >>> known_units("m/s")
    ['m/s', 'km/h']
    """
    return [name for name, (unit, _) in _UNITS.items() if quantity in (None, unit)]
