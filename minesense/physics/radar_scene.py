"""What a radar looks with, and the scatterers that it looks at."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .._validation import check_array, check_number, check_one_of, check_shape
from .refraction import ELECTRIC_SHARE, Polarization, check_exponent
from .soil import Complexes, Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class AntennaPattern:
    """
    How both antennas of a radar radiate.

    Parameters
    ----------
    exponent : float
        Each antenna radiates as the cosine of the angle from the vertical to this power,
        one way: 0 to 2 (a horn), unverified.
    polarization : {"mean", "electric", "magnetic", "dipole"}
        Which field is parallel to the surface where rays enter it: always the electric one,
        always the magnetic one, or both alike. "dipole" stands for two parallel horizontal
        dipoles, whose field depends on the direction and, close by, on more than the
        distance; with the exponent 0 it is exact for short wires.
    dipole_angle : float
        Between dipoles and the line from transmitter to receiver, radians.

    Raises
    ------
    TypeError, ValueError
        If a value is out of range.
    """

    exponent: float = 1.0
    polarization: Polarization = "mean"
    dipole_angle: float = math.pi / 2

    def __post_init__(self) -> None:
        check_exponent(self.exponent)
        check_one_of(self.polarization, "polarization", ELECTRIC_SHARE)
        check_number(self.dipole_angle, "dipole_angle")


#: The pattern that the simulator takes unless it is told another.
BROAD = AntennaPattern()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scatterers:
    """
    Points in the ground that answer a radar.

    Parameters
    ----------
    position : (n, 3) array_like
        Easting, northing, upward (absolute, so below the surface), m.
    normal : (n, 3) array_like
        Unit normal of a facet, out of the body; zeros for a body without a face.
    weight : (n,) array_like
        What multiplies the spectrum: area in m^2, volume times contrast in m^3, or 1.
    spectrum : (n,) array_like
        Index of the spectrum.
    spectra : (n_spectra, n_freq) array_like
        Complex scattering length in m per unit of weight, at the frequencies of
        :func:`radar_frequencies`.

    Raises
    ------
    TypeError, ValueError
        If a value is not finite, a shape does not fit, a normal is neither of length 1 nor
        zero, or an index names no spectrum.
    """

    position: Floats
    normal: Floats
    weight: Floats
    spectrum: npt.NDArray[np.int64]
    spectra: Complexes

    def __post_init__(self) -> None:
        position = check_array(self.position, "position", ("n", 3))
        n = len(position)
        normal = check_array(self.normal, "normal", (n, 3))
        length = np.linalg.norm(normal, axis=1)
        bad = (length != 0) & (np.abs(length - 1) > 1e-6)
        if bad.any():
            msg = f"Invalid normal of length {length[bad][0]}. Must be 1, or 0 without a face."
            raise ValueError(msg)
        spectra = check_shape(np.asarray(self.spectra), "spectra", ("n_spectra", "n_freq"))
        spectra = np.ascontiguousarray(spectra, dtype=np.complex128)
        if not np.isfinite(spectra).all():
            msg = "Invalid spectra with NaN or infinite values. Must be finite."
            raise ValueError(msg)
        spectrum = check_shape(np.asarray(self.spectrum), "spectrum", (n,))
        if spectrum.dtype.kind not in "iu":
            msg = f"Invalid spectrum of dtype {spectrum.dtype}. Must be whole numbers."
            raise TypeError(msg)
        if n and not (spectrum.min() >= 0 and spectrum.max() < len(spectra)):
            msg = (
                f"Invalid spectrum from {spectrum.min()} to {spectrum.max()}. Must index the "
                f"{len(spectra)} spectra, from 0."
            )
            raise ValueError(msg)
        for name, value in (
            ("position", position),
            ("normal", normal),
            ("weight", check_array(self.weight, "weight", (n,))),
            ("spectrum", np.ascontiguousarray(spectrum, dtype=np.int64)),
            ("spectra", spectra),
        ):
            object.__setattr__(self, name, value)

    def __len__(self) -> int:
        """Return the number of points."""
        return len(self.position)


def no_scatterers(n_freq: int) -> Scatterers:
    """
    Return a list without scatterers.

    Parameters
    ----------
    n_freq : int
        Number of frequencies.

    Returns
    -------
    scatterers : Scatterers
        None, with no spectra.

    Examples
    --------
    >>> from minesense.physics import no_scatterers
    >>> nothing = no_scatterers(16)
    >>> len(nothing), nothing.spectra.shape
    (0, (0, 16))
    """
    return Scatterers(
        position=np.empty((0, 3)),
        normal=np.empty((0, 3)),
        weight=np.empty(0),
        spectrum=np.empty(0, np.int64),
        spectra=np.empty((0, n_freq), np.complex128),
    )


def join_scatterers(parts: Sequence[Scatterers]) -> Scatterers:
    """
    Put the scatterers of several bodies into one list, in their order.

    Parameters
    ----------
    parts : sequence of Scatterers
        One or more, for the same frequencies.

    Returns
    -------
    scatterers : Scatterers
        All of them, with the spectra of all.

    Raises
    ------
    ValueError
        If there are no parts, or their numbers of frequencies differ.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.physics import Scatterers, join_scatterers
    >>> def body(n):
    ...     return Scatterers(
    ...         position=np.zeros((n, 3)),
    ...         normal=np.zeros((n, 3)),
    ...         weight=np.ones(n),
    ...         spectrum=np.zeros(n, int),
    ...         spectra=np.ones((1, 8)),
    ...     )
    >>> joined = join_scatterers([body(2), body(1)])
    >>> joined.spectrum.tolist(), joined.spectra.shape
    ([0, 0, 1], (2, 8))
    """
    n_freq = sorted({part.spectra.shape[1] for part in parts})
    if len(n_freq) != 1:
        msg = f"Invalid parts with {n_freq} frequencies. Must be one or more, all with as many."
        raise ValueError(msg)
    first = np.cumsum([0] + [len(part.spectra) for part in parts])
    return Scatterers(
        position=np.concatenate([part.position for part in parts]),
        normal=np.concatenate([part.normal for part in parts]),
        weight=np.concatenate([part.weight for part in parts]),
        spectrum=np.concatenate(
            [part.spectrum + start for part, start in zip(parts, first, strict=False)]
        ),
        spectra=np.concatenate([part.spectra for part in parts]),
    )
