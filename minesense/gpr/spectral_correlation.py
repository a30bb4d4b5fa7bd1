"""Features of a radar candidate: how its spectrum resembles those of known bodies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from .._validation import check_array
from ..alarm import Feature
from ..sensor import Sensor
from ..sweep import Floats, Sweep
from ._patches import half_window
from .bank import template_bank
from .energy_spectrum import BANDS, band_shares, energy_density, energy_spectrum_features
from .preprocess import check_radar

#: What prototypes are given for, in the order of the columns.
CLASSES: tuple[str, ...] = ("metal", "plastic")

#: Features of :func:`spectral_correlation_features`, in the order of its columns.
SPECTRAL_CORRELATION_FEATURES: tuple[Feature, ...] = (
    Feature("spectral_correlation_metal", "1", "greatest with a prototype of metal"),
    Feature("spectral_correlation_plastic", "1", "greatest with a prototype of plastic"),
    Feature("spectral_correlation_balance", "1", "that of metal minus that of plastic"),
)

_CONSTANT = 1e-9  # spread of shares that is rounding alone
_PLASTIC = 2.8  # relative permittivity, between those of common plastics


def spectral_correlation_features(
    sweep: Sweep,
    traces: npt.ArrayLike,
    channels: npt.ArrayLike,
    times: npt.ArrayLike,
    *,
    ground_time: float,
    spacing: float,
    prototypes: Mapping[str, npt.ArrayLike] | None = None,
    reach: float = 0.25,
    duration: float = 4e-9,
) -> Floats:
    r"""
    Compare the energy density spectra of candidates with prototypes of each class.

    Parameters
    ----------
    sweep, traces, channels, times, ground_time, spacing, reach, duration
        As in :func:`~minesense.gpr.energy_spectrum.energy_spectrum_features`, like what is
        raised about them.
    prototypes : mapping of str to (n_prototypes, 12) array_like, optional
        Shares of energy in :data:`~minesense.gpr.energy_spectrum.BANDS` of one or more
        prototypes for each of :data:`CLASSES`: from :func:`spectral_prototypes`, or the mean
        of what was recorded over known bodies. By default those of the model for this sensor,
        which are computed in every call.

    Returns
    -------
    features : (n, 3) float64 ndarray
        Columns as in :data:`SPECTRAL_CORRELATION_FEATURES`; a row of NaN where the trace
        itself is unusable.

    Raises
    ------
    TypeError, ValueError
        If `prototypes` lack a class, have another or are not finite numbers of that shape;
        without them, if the height of the sensor is not known or echoes come after the end
        of the record.

    Notes
    -----
    With the shares :math:`p` of the candidate and :math:`q_j` of the prototypes of a class,
    the feature is their greatest correlation over the 12 bands,

    .. math:: \max_j \frac{(p - \bar p) \cdot (q_j - \bar q_j)}
        {\lVert p - \bar p \rVert\, \lVert q_j - \bar q_j \rVert},

    and 0 where :math:`p` or :math:`q_j` is constant, as in a silent patch. Neither amplitude
    nor polarity, direction of travel or delay changes it. A lane that was filtered has other
    spectra than the model: give prototypes that went through the same chain.

    Examples
    --------
    >>> from minesense.sensor import Radar
    >>> axis = 62.5e-12 * np.arange(128)
    >>> sensor = Sensor(
    ...     name="demo",
    ...     kind="gpr",
    ...     axis=axis,
    ...     lever_arms=[[0, 0, 0]],
    ...     radar=Radar(centre_frequency=1.5e9, separation=0.06, height=0.1),
    ... )
    >>> prototypes = spectral_prototypes(sensor, ground_time=1.5e-9)
    >>> northing = 0.025 * np.arange(40)
    >>> envelope = np.exp(-(((axis - 3e-9) / 0.4e-9) ** 2))
    >>> sweep = Sweep(
    ...     samples=np.tile(envelope * np.cos(2 * np.pi * 1.6e9 * axis), (40, 1, 1)),
    ...     time=northing,
    ...     position=np.column_stack([0 * northing, northing, 0 * northing]),
    ...     heading=np.zeros(40),
    ...     sensor=sensor,
    ... )
    >>> row = spectral_correlation_features(
    ...     sweep,
    ...     [20],
    ...     [0],
    ...     [3e-9],
    ...     ground_time=1.5e-9,
    ...     spacing=0.025,
    ...     prototypes=prototypes,
    ... )[0]
    >>> bool(row[:2].max() > 0.8)
    True
    """
    shares = energy_spectrum_features(
        sweep,
        traces,
        channels,
        times,
        ground_time=ground_time,
        spacing=spacing,
        reach=reach,
        duration=duration,
    )[:, : len(BANDS) - 1]
    if prototypes is None:
        prototypes = spectral_prototypes(
            sweep.sensor, ground_time=ground_time, duration=duration
        )
    if not isinstance(prototypes, Mapping) or set(prototypes) != set(CLASSES):
        found = sorted(prototypes) if isinstance(prototypes, Mapping) else prototypes
        msg = f"Invalid prototypes of {found!r}. Must be a mapping of {list(CLASSES)}."
        raise ValueError(msg)
    best = [_greatest(shares, prototypes[name], name) for name in CLASSES]
    return np.column_stack([*best, best[0] - best[1]])


def spectral_prototypes(
    sensor: Sensor,
    *,
    ground_time: float,
    depths: Sequence[float] = (0.05, 0.1, 0.15),
    permittivities: Sequence[float] = (4.0, 9.0),
    radius: float = 0.03,
    duration: float = 4e-9,
) -> dict[str, Floats]:
    """
    Compute the spectra of spheres of metal and of plastic below a radar.

    Parameters
    ----------
    sensor, ground_time, depths, permittivities, radius
        As in :func:`~minesense.gpr.bank.template_bank`, like what is raised about them.
    duration : float
        Of the window around the strongest sample of an echo, in seconds.

    Returns
    -------
    prototypes : dict of str to (n_prototypes, 12) float64 ndarray
        Shares of energy in :data:`~minesense.gpr.energy_spectrum.BANDS` for each of
        :data:`CLASSES`, soil by soil, each from the shallowest on.

    Notes
    -----
    What is plastic has a relative permittivity of 2.8. Nothing above the ground is in the
    window. The height of the antennas is that of the sensor.

    Examples
    --------
    >>> from minesense.sensor import Radar
    >>> sensor = Sensor(
    ...     name="demo",
    ...     kind="gpr",
    ...     axis=62.5e-12 * np.arange(128),
    ...     lever_arms=[[0, 0, 0]],
    ...     radar=Radar(centre_frequency=1.5e9, separation=0.06, height=0.1),
    ... )
    >>> prototypes = spectral_prototypes(sensor, ground_time=1.5e-9)
    >>> {name: shares.shape for name, shares in prototypes.items()}
    {'metal': (6, 12), 'plastic': (6, 12)}
    """
    half = half_window(duration, check_radar(sensor))
    ground = int(np.searchsorted(sensor.axis, ground_time))
    prototypes = {}
    for name, permittivity in zip(CLASSES, (np.inf, _PLASTIC), strict=True):
        echoes = template_bank(
            sensor,
            depths=depths,
            permittivities=permittivities,
            ground_time=ground_time,
            radius=radius,
            body_permittivity=permittivity,
        )
        prototypes[name] = np.array([_shares(echo, sensor, ground, half) for echo in echoes])
    return prototypes


def _shares(echo: Floats, sensor: Sensor, ground: int, half: int) -> Floats:
    """Return the shares of a trace below the ground, around its strongest sample there."""
    peak = ground + int(np.abs(echo[ground:]).argmax())
    window = np.zeros(2 * half + 1)
    low, high = max(ground, peak - half), min(len(echo), peak + half + 1)
    window[low - peak + half : high - peak + half] = echo[low:high]
    return band_shares(*energy_density(window, sensor.sample_interval))


def _greatest(shares: Floats, prototypes: npt.ArrayLike, name: str) -> Floats:
    """Return the greatest correlation of each row with any prototype; NaN stays NaN."""
    known = check_array(prototypes, f"prototypes['{name}']", ("n_prototypes", shares.shape[1]))
    if not len(known):
        msg = f"Invalid prototypes['{name}'] with no row. Must have one or more."
        raise ValueError(msg)
    # summed row by row: a matrix product rounds otherwise for more rows
    products = _standardise(shares)[:, None] * _standardise(known)
    return np.asarray(products.sum(axis=2).max(axis=1))


def _standardise(rows: Floats) -> Floats:
    """Return rows less their mean, of unit length; what is constant becomes zero."""
    centred = rows - rows.mean(axis=1, keepdims=True)
    size = np.linalg.norm(centred, axis=1, keepdims=True)
    scale = np.where(size > _CONSTANT, size, np.inf)
    return np.asarray(np.where(np.isnan(size), np.nan, centred / scale))
