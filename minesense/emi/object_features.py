"""Features of an object that a fit found: size, shape, relaxation and phase, with units."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from .._validation import check_array
from ..alarm import Feature
from ..sweep import Floats
from .inversion import DipoleFit
from .relaxation_spectrum import RelaxationSpectrum

#: Features of :func:`polarizability_features`, in the order of its columns.
POLARIZABILITY_FEATURES: tuple[Feature, ...] = (
    Feature("log_size", "log10 of V m^2/A", "sum of L1, L2 and L3 at the first gate"),
    Feature("decay_ratio", "1", "L1 at the last gate over L1 at the first"),
    Feature("elongation", "1", "L1 over L2 at the first gate"),
    Feature("asymmetry", "1", "(L2 - L3) / L2 at the first gate; 0 for a body of revolution"),
    Feature("depth", "m", "of the dipole, below upward = 0"),
    Feature("coherence", "1", "share of the squared data that the dipole or noise explains"),
)

#: Features of :func:`relaxation_features`, in the order of its columns.
RELAXATION_FEATURES: tuple[Feature, ...] = (
    Feature("rate_count", "1", "relaxations that stand out of the noise"),
    Feature("slowest_rate", "log10 of 1/s", "slowest relaxation within the range"),
    Feature("mean_rate", "log10 of 1/s", "mean of the logarithms, weighed by moment"),
    Feature("rate_spread", "log10", "standard deviation of the same"),
    Feature("slowest_share", "1", "moment of the slowest relaxation over that of all"),
    Feature("misfit", "1", "root mean square misfit over the noise"),
)

#: Features of :func:`phase_features`, in the order of its columns.
PHASE_FEATURES: tuple[Feature, ...] = (
    Feature("log_amplitude", "log10", "amplitude at the lowest frequency, unit of the data"),
    Feature("amplitude_ratio", "1", "amplitude at the highest frequency over the lowest"),
    Feature("phase_low", "rad", "lag at the lowest: 0 for a magnet, pi for a conductor"),
    Feature("phase_high", "rad", "lag at the highest frequency"),
    Feature("phase_change", "rad", "lag at the highest less that at the lowest"),
    Feature("loss_ratio", "1", "largest quadrature over the largest amplitude"),
)


def polarizability_features(fits: Sequence[DipoleFit]) -> Floats:
    r"""
    Describe objects by what :func:`~minesense.emi.fit_dipole` found.

    Parameters
    ----------
    fits : sequence of DipoleFit
        Of one head and its gates, with soil removed in every gate alike.

    Returns
    -------
    features : (n, 6) float64 ndarray
        Columns as in :data:`POLARIZABILITY_FEATURES`; a row of NaN where the outcome is
        "cannot analyse".

    Raises
    ------
    TypeError
        If one is no DipoleFit.

    Notes
    -----
    Ratios are of principal polarizabilities :math:`L_1 \ge L_2 \ge L_3` at one gate, each
    raised to its standard error, so that what is below the noise does not make a ratio
    large.

    Examples
    --------
    >>> import dataclasses
    >>> import numpy as np
    >>> from minesense.emi import DipoleFit, polarizability_features
    >>> names = [field.name for field in dataclasses.fields(DipoleFit)]
    >>> fit = DipoleFit(**dict.fromkeys(names, 0) | {
    ...     "outcome": "fitted",
    ...     "position": np.array([0.0, 0.0, -0.1]),
    ...     "principal": np.array([[6.0, 3.0, 1.0], [2.0, 0.1, 0.0]]),
    ...     "principal_error": np.full((2, 3), 0.2),
    ...     "coherence": 0.99,
    ... })
    >>> polarizability_features([fit]).round(3).tolist()
    [[1.0, 0.333, 2.0, 0.667, 0.1, 0.99]]
    """

    def describe(fit: DipoleFit) -> list[float]:
        along = np.maximum(fit.principal, fit.principal_error)
        (one, two, three), last = along[0], along[-1, 0]
        return [
            np.log10(one + two + three),
            last / one,
            one / two,
            max(0.0, two - three) / two,
            fit.depth,
            fit.coherence,
        ]

    return _rows(fits, DipoleFit, describe, len(POLARIZABILITY_FEATURES))


def relaxation_features(spectra: Sequence[RelaxationSpectrum]) -> Floats:
    r"""
    Describe objects by their relaxation rates, which do not depend on pose.

    Parameters
    ----------
    spectra : sequence of RelaxationSpectrum
        Of :func:`~minesense.emi.fit_decays` or :func:`~minesense.emi.fit_phasors`.

    Returns
    -------
    features : (n, 6) float64 ndarray
        Columns as in :data:`RELAXATION_FEATURES`; a row of NaN where the outcome is
        "cannot analyse", and no slowest rate where all lie at an edge of the range.

    Raises
    ------
    TypeError
        If one is no RelaxationSpectrum.

    Notes
    -----
    Moments are amplitudes added over the places. How many rates are found and how they
    spread depends on the noise; the slowest least so.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.emi import fit_phasors, relaxation_features
    >>> frequency = np.geomspace(1e3, 100e3, 12)
    >>> w = 2j * np.pi * frequency
    >>> phasors = [-3 + 3 / (1 + w / 1e4) + 1 / (1 + w / 1e6)]
    >>> spectrum = fit_phasors(phasors, frequency=frequency, noise=1e-4)
    >>> relaxation_features([spectrum])[0, :5].round(2).tolist()
    [2.0, 4.0, 4.5, 0.87, 0.75]
    """

    def describe(spectrum: RelaxationSpectrum) -> list[float]:
        logs, moments = np.log10(spectrum.rates), spectrum.amplitudes.sum(axis=0)
        shares = moments / moments.sum()
        mean = float(shares @ logs)
        inside = np.flatnonzero(~spectrum.is_at_edge)
        first = inside[0] if len(inside) else None
        return [
            len(logs),
            np.nan if first is None else logs[first],
            mean,
            float(np.sqrt(shares @ (logs - mean) ** 2)),
            np.nan if first is None else shares[first],
            spectrum.residual,
        ]

    return _rows(spectra, RelaxationSpectrum, describe, len(RELAXATION_FEATURES))


def phase_features(phasors: npt.ArrayLike) -> Floats:
    r"""
    Describe continuous-wave responses by amplitude and phase.

    Parameters
    ----------
    phasors : (n, n_frequencies) array_like
        Complex responses, soil removed, frequencies increasing, for the time factor
        exp(+i omega t), as :func:`~minesense.physics.continuous_wave_response` has them.

    Returns
    -------
    features : (n, 6) float64 ndarray
        Columns as in :data:`PHASE_FEATURES`; a row of NaN where an end of the band is zero.

    Raises
    ------
    TypeError, ValueError
        If phasors are no finite numbers, or have fewer than two frequencies.

    Notes
    -----
    The lag of :math:`H` is that of :math:`-\arg H`, from :math:`-\pi / 2` to :math:`3 \pi /
    2`: of a passive object it lies between 0 and :math:`\pi`, so that noise never makes it
    jump.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.emi import phase_features
    >>> from minesense.physics import sphere_polarizability
    >>> metals = ((3.5e7, 1.0), (4e6, 100.0))  # aluminium and steel
    >>> moments = [
    ...     sphere_polarizability([2.4e3, 19.2e3], radius=0.005, conductivity=s, permeability=m)
    ...     for s, m in metals
    ... ]
    >>> phase_features(moments)[:, 2:4].round(2).tolist()
    [[2.52, 2.95], [0.14, 0.37]]
    """
    given = np.asarray(phasors)
    if given.dtype.kind not in "iufc":
        msg = f"Invalid phasors of dtype {given.dtype}. Must be complex numbers."
        raise TypeError(msg)
    real, imag = (
        check_array(part, "phasors", ("n", "n_frequencies"))
        for part in (given.real, given.imag)
    )
    if real.shape[1] < 2:
        msg = f"Invalid phasors with shape {real.shape}. Must have two frequencies or more."
        raise ValueError(msg)
    size = np.hypot(real, imag)
    lag = (np.arctan2(-imag, real) + np.pi / 2) % (2 * np.pi) - np.pi / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        features = np.column_stack(
            [
                np.log10(size[:, 0]),
                size[:, -1] / size[:, 0],
                lag[:, 0],
                lag[:, -1],
                lag[:, -1] - lag[:, 0],
                np.abs(imag).max(axis=1) / size.max(axis=1),
            ]
        )
    features[(size[:, [0, -1]] == 0).any(axis=1)] = np.nan
    return features


def _rows(
    found: Sequence[Any], kind: type[Any], describe: Callable[[Any], list[float]], n: int
) -> Floats:
    """Return a row for each of what was found, NaN where it cannot be analysed."""
    rows = np.full((len(found), n), np.nan)
    for row, one in zip(rows, found, strict=True):
        if not isinstance(one, kind):
            msg = f"Invalid item of type {type(one).__name__}. Must be a {kind.__name__}."
            raise TypeError(msg)
        if one.outcome == "fitted":
            row[:] = describe(one)
    return rows
