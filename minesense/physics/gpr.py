"""What a ground-penetrating radar records: direct wave, ground bounce, buried scatterers."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from .._kernels import radar
from .._validation import (
    check_array,
    check_one_of,
    check_positive,
    check_real,
)
from ..constants import SPEED_OF_LIGHT
from .radar_band import (
    BAND,
    HALF_PULSE,
    LOW_EDGE,
    bounce_radius,
    radar_frequencies,
    ricker_spectrum,
)
from .radar_scene import Scatterers, Surface
from .refraction import ELECTRIC_SHARE, Polarization, check_exponent
from .soil import Complexes, Floats, check_permittivity, wavenumber

#: Largest step of the excess phase and loss between nodes of a table of soil paths.
_TABLE_STEP = 0.1


def radar_traces(
    transmitter: npt.ArrayLike,
    receiver: npt.ArrayLike,
    *,
    n_samples: int,
    interval: float,
    peak_frequency: float,
    permittivity: npt.ArrayLike | Callable[[Floats], npt.ArrayLike],
    surface: Surface,
    scatterers: Scatterers,
    coupling: npt.ArrayLike,
    time_zero: npt.ArrayLike | None = None,
    reach: float = math.inf,
    surface_radius: float | None = None,
    pattern_exponent: float = 1.0,
    polarization: Polarization = "mean",
) -> npt.NDArray[np.float32]:
    r"""
    Compute what a radar records over rough ground with buried scatterers.

    Parameters
    ----------
    transmitter, receiver : (n, 3) array_like
        Antennas of each trace, above the surface: easting, northing, upward, m.
    n_samples : int
        Samples of a trace.
    interval : float
        Between samples, s; at most a quarter of the period of `peak_frequency`.
    peak_frequency : float
        Of the Ricker pulse, Hz.
    permittivity : scalar, (n_freq,) array_like or callable
        Relative, complex, of the soil at :func:`radar_frequencies`, or a function of the
        frequency in Hz.
    surface : Surface
        The ground, out to the bounce radius around the antennas and over all scatterers.
        Its step is at most half a wavelength in air at three times the peak frequency;
        a quarter, and less than the height of the antennas, is better.
    scatterers : Scatterers
        What is buried, with spectra at :func:`radar_frequencies`.
    coupling : float or (n,) array_like
        Amplitude of the direct wave at 1 m, over that of the antennas' main lobe.
    time_zero : float or (n,) array_like, optional
        Time in the trace at which the middle of the pulse leaves, s, not negative and
        within the trace. One period of the peak frequency by default.
    reach : float
        Scatterers farther than this, horizontally, from the midpoint of the antennas are
        left out; over the last fifth they fade, so that nothing appears suddenly. m.
    surface_radius : float, optional
        In place of :func:`bounce_radius` of the local height, m.
    pattern_exponent : float
        Each antenna radiates as the cosine of the angle from the vertical to this power.
    polarization : {"mean", "electric", "magnetic"}
        Which field is parallel to the surface where rays enter it.

    Returns
    -------
    traces : (n, n_samples) float32 ndarray
        Field received over the field of the source at 1 m, its pulse of height 1.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range, shapes do not fit, antennas are not above the
        surface or scatterers not below it, or the surface does not reach far enough.

    Notes
    -----
    The spectrum of a trace is, with the Ricker spectrum W,

    .. math:: X = W e^{-i \omega t_0} \Big\{ \frac{g}{s} e^{-i \omega s / c}
        + \sum_{facets} F e^{-i \omega (r_t + r_r)/c}
        + \sum_j G_j S_j \bar{c}_j e^{-i [\omega (a_t + a_r)/c + k_s (b_t + b_r)]} \Big\} ,

    spacing s of the antennas, factor :math:`G_j` of :func:`geometry_factor`, air and soil
    paths a, b of :func:`trace_rays` for each leg, and the mean :math:`\bar{c}_j` of the two
    cosines between a facet's normal and its rays (1 without a face). A surface facet of
    area dA has :math:`F = i k_0 r D_t D_r \bar{c}\, dA / (2 \pi r_t r_r)` with the
    reflection r of the soil and a cosine-squared fade over the outer third of the bounce
    radius. Rays bend by the index at the peak frequency; phase and loss are dispersive.

    Height and depth of a ray are counted from the surface at the paraxial entry point of
    that ray, taken as level there. Each scatterer answers alone: no multiple scattering
    and no antenna-ground coupling, so heights below a quarter wavelength are approximate.
    What arrives after the trace is dropped, never wrapped; only ringing inside a layered
    body, which is part of its spectrum, could come round. A trace does not depend on the
    other traces of the call.
    Tables and single precision leave an error below 1e-4 of the largest sample.

    Examples
    --------
    >>> from minesense.physics import Surface, no_scatterers, radar_frequencies, radar_traces
    >>> band = {"n_samples": 96, "interval": 62.5e-12, "peak_frequency": 1.5e9}
    >>> ground = Surface(origin=[-0.7, -0.7], step=0.02, heights=np.zeros((71, 71)))
    >>> trace = radar_traces(
    ...     [[-0.03, 0, 0.15]], [[0.03, 0, 0.15]], **band, permittivity=9.0, surface=ground,
    ...     scatterers=no_scatterers(len(radar_frequencies(**band))), coupling=0.0,
    ... )
    >>> delay = trace.argmin() * band["interval"] - 1 / band["peak_frequency"]
    >>> (delay * 1e9).round(2)  # upside down, after about 2 * 0.15 m / c
    np.float64(1.02)
    """
    antennas = _check_antennas(transmitter, receiver, surface)
    n = len(antennas)
    band = {"n_samples": n_samples, "interval": interval, "peak_frequency": peak_frequency}
    frequency = radar_frequencies(**band)  # type: ignore[arg-type]
    soil = permittivity(frequency) if callable(permittivity) else permittivity
    soil = _check_soil(soil, len(frequency))
    if scatterers.spectra.shape[1] != len(frequency):
        msg = (
            f"Invalid scatterers with spectra at {scatterers.spectra.shape[1]} frequencies. "
            f"Must be at the {len(frequency)} of radar_frequencies()."
        )
        raise ValueError(msg)
    check_one_of(polarization, "polarization", ELECTRIC_SHARE)
    _check_step(surface, peak_frequency)
    if not reach > 0:
        msg = f"Invalid reach '{reach}'. Must be greater than zero."
        raise ValueError(msg)
    origin = _check_time_zero(time_zero, n, n_samples * interval, peak_frequency)
    direct = _check_coupling(coupling, antennas)
    fixed = 0.0 if surface_radius is None else check_positive(surface_radius, "surface_radius")
    _check_cover(antennas, surface, peak_frequency, fixed)
    depth = _check_depth(scatterers, surface)

    index = float(np.interp(peak_frequency, frequency, np.sqrt(soil).real))
    latest = n_samples * interval + HALF_PULSE / peak_frequency
    excess = wavenumber(frequency, soil) - 2 * np.pi * frequency / SPEED_OF_LIGHT * index
    # nodes must not depend on what is buried, only how many there are
    longest = SPEED_OF_LIGHT * latest / index
    path_step = min(_TABLE_STEP / max(np.abs(excess).max(), 1e-9), longest)
    path_step = max(path_step, longest / 8000)
    if len(scatterers):
        apart = np.linalg.norm(antennas[:, :3] - antennas[:, 3:], axis=1).max(initial=0.0)
        longest = min(longest, 2 * (reach + apart + depth.max() + np.ptp(surface.heights)))
    decay = _decay_table(excess, path_step, longest)
    delay_step = 0.125 / frequency[-1]
    phase, facet = _bin_tables(frequency, delay_step, latest, soil)
    angle = 2 * np.pi * np.outer(frequency, np.arange(n_samples) * interval)
    wave = 2 * frequency[0] * ricker_spectrum(frequency, peak=peak_frequency)
    geometry = np.array(
        [
            SPEED_OF_LIGHT,
            frequency[0],
            delay_step,
            latest,
            index,
            path_step,
            check_exponent(pattern_exponent),
            ELECTRIC_SHARE[polarization],
            min(reach, 1e7),
            fixed,
            SPEED_OF_LIGHT / (LOW_EDGE * peak_frequency),
        ]
    )
    order, starts, cells = _sort_into_cells(scatterers.position, reach)
    n_blocks = math.ceil(len(frequency) / 32)
    out = np.empty((n, n_samples), np.float32)
    arguments = (
        antennas,
        origin,
        direct,
        geometry,
        surface.heights,
        *(np.ascontiguousarray(s) for s in np.gradient(surface.heights, surface.step)),
        np.array([*surface.origin, surface.step]),
        np.ascontiguousarray(scatterers.position[order]),
        np.ascontiguousarray(scatterers.normal[order]),
        depth[order],
        scatterers.weight[order],
        scatterers.spectrum[order],
        starts,
        cells,
        _in_blocks(scatterers.spectra),
        _in_blocks(decay),
        _in_blocks(-1j * excess),
        _in_blocks(phase),
        _in_blocks(facet * surface.step**2),
        wave.astype(np.float32),
        np.cos(angle).astype(np.float32),
        np.sin(angle).astype(np.float32),
        np.empty(len(scatterers) + 64, np.int64),
        np.empty(640),
        np.empty(640),
        np.zeros(len(phase)),
        np.empty(surface.heights.shape[1]),
        np.empty(surface.heights.shape[1]),
        np.empty((n_blocks, 64), np.float32),
        np.empty((n_blocks, 64), np.float32),
        out,
    )
    radar.sum_echoes(*arguments)
    return out


def _decay_table(excess: Complexes, path_step: float, longest: float) -> Complexes:
    """Return exp(-i excess s) for s = 0, path_step, ..., up to the longest path."""
    paths = np.arange(math.ceil(longest / path_step) + 1) * path_step
    table = np.exp(-1j * np.outer(paths, excess))
    table[np.abs(table) < 1e-18] = 0  # nothing is heard there, and float32 turns slow
    return table


def _bin_tables(
    frequency: Floats, delay_step: float, latest: float, soil: Complexes
) -> tuple[Complexes, Complexes]:
    """Return the phasors of bins of delay, from -1 on, and the spectrum of a facet."""
    index = np.sqrt(soil)
    facet = 1j * frequency / SPEED_OF_LIGHT * (1 - index) / (1 + index)
    spline = np.sinc(frequency * delay_step) ** 4  # what spreading over bins did
    delays = (np.arange(math.ceil(latest / delay_step) + 1) - 1) * delay_step
    return np.exp(-2j * np.pi * np.outer(delays, frequency)), facet / spline


def _check_step(surface: Surface, peak_frequency: float) -> None:
    """Raise if facets are so wide that they echo like a grating."""
    shortest = SPEED_OF_LIGHT / (BAND * peak_frequency)
    if surface.step > shortest / 2:
        msg = (
            f"Invalid surface with step '{surface.step}'. Must be at most half the shortest "
            f"wavelength in air, {shortest / 2:.3g} m."
        )
        raise ValueError(msg)


def _check_coupling(coupling: npt.ArrayLike, antennas: Floats) -> Floats:
    """Return the amplitude of the direct wave of each trace."""
    n = len(antennas)
    direct = np.broadcast_to(check_real(coupling, "coupling"), n).astype(np.float64)
    direct = check_array(direct, "coupling", (n,))
    if ((direct != 0) & (antennas[:, :3] == antennas[:, 3:]).all(axis=1)).any():
        msg = "Invalid receiver at the place of its transmitter. Must be apart, or coupling 0."
        raise ValueError(msg)
    return direct


def _check_antennas(
    transmitter: npt.ArrayLike, receiver: npt.ArrayLike, surface: Surface
) -> Floats:
    """Return transmitters and receivers side by side, all of them above the surface."""
    sent = check_array(transmitter, "transmitter", ("n", 3))
    heard = check_array(receiver, "receiver", (len(sent), 3))
    for antenna, name in ((sent, "transmitter"), (heard, "receiver")):
        height = antenna[:, 2] - surface.height_at(antenna[:, 0], antenna[:, 1])
        if (height <= 0).any():
            i = int(np.argmax(height <= 0))
            msg = f"Invalid {name} {i}, {-height[i]:.3g} m below the surface. Must be above it."
            raise ValueError(msg)
    return np.ascontiguousarray(np.hstack([sent, heard]))


def _check_soil(soil: npt.ArrayLike, n_freq: int) -> Complexes:
    """Return the permittivity of the soil at every frequency."""
    values = check_permittivity(soil)
    if values.shape not in ((), (n_freq,)):
        msg = f"Invalid permittivity with shape {values.shape}. Must be () or ({n_freq},)."
        raise ValueError(msg)
    if (np.sqrt(values).real < 1).any():
        msg = f"Invalid permittivity '{values.min()}'. Must not be less than that of air, 1."
        raise ValueError(msg)
    return np.array(np.broadcast_to(values, n_freq))


def _check_time_zero(
    time_zero: npt.ArrayLike | None, n: int, window: float, peak_frequency: float
) -> Floats:
    """Return the time at which the pulse of each trace leaves."""
    start = 1 / peak_frequency if time_zero is None else time_zero
    start = np.broadcast_to(check_real(start, "time_zero"), n).astype(np.float64)
    start = check_array(start, "time_zero", (n,))
    if n and not (start.min() >= 0 and start.max() < window):
        msg = (
            f"Invalid time_zero from {start.min()} to {start.max()} s. Must be from 0 up to "
            f"the end of the trace, {window} s."
        )
        raise ValueError(msg)
    return start


def _check_cover(
    antennas: Floats, surface: Surface, peak_frequency: float, fixed: float
) -> None:
    """Raise if the surface ends within the bounce radius of a trace."""
    middle = (antennas[:, :3] + antennas[:, 3:]) / 2
    height = middle[:, 2] - surface.height_at(middle[:, 0], middle[:, 1])
    radius = fixed or bounce_radius(height, peak_frequency=peak_frequency)
    radius = np.broadcast_to(radius, len(antennas))[:, None]
    short = (middle[:, :2] - radius < surface.origin - 1e-9).any(axis=1)
    short |= (middle[:, :2] + radius > surface.end + 1e-9).any(axis=1)
    if short.any():
        i = int(np.argmax(short))
        msg = (
            f"Invalid surface from {surface.origin.tolist()} to {surface.end.tolist()} m. Must "
            f"reach {radius[i, 0]:.3g} m around trace {i} at {middle[i, :2].tolist()} m."
        )
        raise ValueError(msg)


def _check_depth(scatterers: Scatterers, surface: Surface) -> Floats:
    """Return the depth of scatterers, all of them below the surface and within its grid."""
    place = scatterers.position
    outside = (place[:, :2] < surface.origin - 1e-9) | (place[:, :2] > surface.end + 1e-9)
    if outside.any():
        i = int(np.argmax(outside.any(axis=1)))
        msg = (
            f"Invalid scatterers: {np.count_nonzero(outside.any(axis=1))} lie beside the "
            f"surface, the first is {i} at {place[i, :2].tolist()} m. Must lie below it."
        )
        raise ValueError(msg)
    depth = surface.height_at(place[:, 0], place[:, 1]) - place[:, 2]
    if (depth <= 0).any():
        msg = (
            f"Invalid scatterers: {np.count_nonzero(depth <= 0)} of {len(depth)} do not lie "
            f"below the surface, the first is {int(np.argmax(depth <= 0))}. Must be buried."
        )
        raise ValueError(msg)
    return depth


def _sort_into_cells(
    position: Floats, reach: float
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Floats]:
    """Return an order by square cells, where each begins, and the grid of cells."""
    if not len(position):
        return np.empty(0, np.int64), np.zeros(2, np.int64), np.array([0, 0, 1.0, 1, 1])
    origin = position[:, :2].min(axis=0)
    extent = np.ptp(position[:, :2], axis=0)
    size = max(min(reach / 4, extent.max() + 1), math.sqrt(extent[0] * extent[1] / 1e6))
    n_rows, n_columns = (int(n) for n in extent // size + 1)
    row, column = ((position[:, :2] - origin) // size).astype(np.int64).T
    cell = np.minimum(row, n_rows - 1) * n_columns + np.minimum(column, n_columns - 1)
    order = np.argsort(cell, kind="stable")
    starts = np.searchsorted(cell[order], np.arange(n_rows * n_columns + 1))
    return order, starts, np.array([*origin, size, n_rows, n_columns])


def _in_blocks(spectra: npt.NDArray) -> npt.NDArray[np.float32]:
    """Return spectra as blocks: 32 real parts, then 32 imaginary parts."""
    *rows, n_freq = spectra.shape
    n_blocks = math.ceil(n_freq / 32)
    padded = np.zeros((*rows, n_blocks * 32), np.complex128)
    padded[..., :n_freq] = spectra
    blocks = padded.reshape(*rows, n_blocks, 32)
    return np.concatenate([blocks.real, blocks.imag], axis=-1, dtype=np.float32)
