"""What a ground-penetrating radar records: direct wave, ground bounce, buried scatterers."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from .._kernels import radar
from .._validation import check_array
from ..constants import SPEED_OF_LIGHT
from .radar_band import BAND, HALF_PULSE, LOW_EDGE, radar_frequencies, ricker_spectrum
from .radar_checks import (
    check_antennas,
    check_grid,
    check_pulse,
    check_step,
    check_time_zero,
)
from .radar_scene import BROAD, AntennaPattern, Scatterers
from .radar_sum import Permittivity, sum_echoes
from .radar_tables import Band, from_blocks, in_blocks
from .surface import Surface


def radar_traces(
    transmitter: npt.ArrayLike,
    receiver: npt.ArrayLike,
    *,
    n_samples: int,
    interval: float,
    peak_frequency: float,
    permittivity: Permittivity,
    surface: Surface,
    scatterers: Scatterers,
    coupling: npt.ArrayLike,
    pulse: npt.ArrayLike | None = None,
    time_zero: npt.ArrayLike | None = None,
    reach: float = math.inf,
    surface_radius: float | None = None,
    pattern: AntennaPattern = BROAD,
) -> npt.NDArray[np.float32]:
    r"""
    Compute what an impulse radar records over rough ground with buried scatterers.

    Parameters
    ----------
    transmitter, receiver : (n, 3) array_like
        Antennas of each trace, above the surface: easting, northing, upward, m.
    n_samples : int
        Samples of a trace.
    interval : float
        Between samples, s; at most a quarter of the period of `peak_frequency`.
    peak_frequency : float
        Of the pulse, Hz.
    permittivity : scalar, (n_freq,) array_like or callable
        Relative, complex, of the soil at :func:`radar_frequencies`, or a function of the
        frequency in Hz.
    surface : Surface
        The ground, out to the bounce radius around the antennas and over all scatterers.
        Its step is at most half a wavelength in air at three times the peak frequency;
        a quarter is better.
    scatterers : Scatterers
        What is buried, with spectra at :func:`radar_frequencies`.
    coupling : float or (n,) array_like
        Amplitude of the direct wave at 1 m, over that of the antennas' main lobe.
    pulse : (n_freq,) array_like, optional
        Spectrum at :func:`radar_frequencies` of what is radiated, in 1/Hz for a pulse
        without unit; for example of a measured pulse. :func:`ricker_spectrum` by default.
    time_zero : float or (n,) array_like, optional
        Time in the trace at which time zero of the pulse leaves, s, not negative and
        within the trace. One period of the peak frequency by default.
    reach : float
        Scatterers farther than this, horizontally, from the midpoint of the antennas are
        left out; over the last fifth they fade, so that nothing appears suddenly. m.
    surface_radius : float, optional
        In place of :func:`bounce_radius` of the local height, m; at least two steps, or 0
        for no bounce at all.
    pattern : AntennaPattern
        How both antennas radiate.

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
    The spectrum of a trace is, with the spectrum W of the pulse,

    .. math:: X = W e^{-i \omega t_0} \Big\{ \frac{g}{s} e^{-i \omega s / c}
        + K \sum_{facets} F e^{-i \omega (r_t + r_r)/c}
        + \sum_j G_j S_j \bar{c}_j N^2 e^{-i [\omega (a_t + a_r)/c + k_s (b_t + b_r)]}
        \Big\} ,

    spacing s of the antennas, factor :math:`G_j` of :func:`geometry_factor`, air and soil
    paths a, b of :func:`trace_rays` for each leg, and the mean :math:`\bar{c}_j` of the two
    cosines between a facet's normal and its rays (1 without a face). A surface facet of
    area dA has :math:`F = D_t D_r \bar{c}\, dA / (r_t r_r)`, with a cosine-squared fade over
    the outer third of the bounce radius. Rays bend by the index at the peak frequency; phase
    and loss are dispersive.

    Two factors mend what rays leave out near the ground: :math:`K(\omega, h)` makes flat
    ground bounce as :func:`flat_bounce` says, and :math:`N(\omega, h, z)` is
    :func:`near_field_ratio` with half the soil path of both legs as the depth z. Both belong
    to the height h over the surface below the middle of the antennas, on levels 6 % apart,
    between which K is interpolated. Antennas of unlike heights count with their mean and their
    horizontal separation. Facets are those of the grid or, for antennas lower than two of its
    steps, parts of them with bilinear heights and slopes.

    Height and depth of a ray are counted from the surface at the paraxial entry point of
    that ray, taken as level there. Scatterers do not act on each other. What arrives after
    the trace is dropped, never wrapped; only ringing inside a body, which is part of its
    spectrum, could come round. A trace does not depend on the other traces of the call.
    Tables and single precision leave an error below 1e-3 of an echo.

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
    frequency = radar_frequencies(
        n_samples=n_samples, interval=interval, peak_frequency=peak_frequency
    )
    window = n_samples * interval
    band = Band(
        frequency=frequency,
        step=float(frequency[0]),
        latest=window + HALF_PULSE / peak_frequency,
        reference=float(peak_frequency),
        longest=SPEED_OF_LIGHT / (LOW_EDGE * peak_frequency),
    )
    antennas = check_antennas(transmitter, receiver, surface)
    check_step(surface, BAND * peak_frequency)
    start = 1 / peak_frequency if time_zero is None else time_zero
    if pulse is None:
        wave = ricker_spectrum(frequency, peak=peak_frequency).astype(np.complex128)
    else:
        wave = check_pulse(pulse, len(frequency))
    angle = 2 * np.pi * np.outer(frequency, np.arange(n_samples) * interval)
    cosines, sines = np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32)
    factor = in_blocks(2 * band.step * wave)
    out = np.empty((len(antennas), n_samples), np.float32)

    def keep(which: npt.NDArray[np.int64], spectra: npt.NDArray[np.float32]) -> None:
        traces = np.empty((len(which), n_samples), np.float32)
        radar.synthesize(spectra, factor, cosines, sines, traces)
        out[which] = traces

    sum_echoes(
        antennas,
        band,
        keep,
        permittivity=permittivity,
        surface=surface,
        scatterers=scatterers,
        coupling=coupling,
        origin=check_time_zero(start, len(antennas), window),
        reach=reach,
        surface_radius=surface_radius,
        pattern=pattern,
    )
    return out


def radar_spectra(
    transmitter: npt.ArrayLike,
    receiver: npt.ArrayLike,
    *,
    frequency: npt.ArrayLike,
    permittivity: Permittivity,
    surface: Surface,
    scatterers: Scatterers,
    coupling: npt.ArrayLike,
    time_zero: npt.ArrayLike = 0.0,
    reach: float = math.inf,
    surface_radius: float | None = None,
    pattern: AntennaPattern = BROAD,
) -> npt.NDArray[np.complex64]:
    r"""
    Compute what a stepped-frequency radar records over the same scene.

    Parameters
    ----------
    transmitter, receiver : (n, 3) array_like
        As in :func:`radar_traces`.
    frequency : (n_freq,) array_like
        Tones in regular steps, Hz, greater than zero.
    permittivity, surface, coupling, reach, surface_radius, pattern
        As in :func:`radar_traces`, at the tones.
    scatterers : Scatterers
        What is buried, with spectra at the tones.
    time_zero : float or (n,) array_like
        Delay of the instrument, its cables for example, s.

    Returns
    -------
    spectra : (n, n_freq) complex64 ndarray
        Field received over the field of the source at 1 m, for the time factor
        exp(+i omega t).

    Raises
    ------
    TypeError, ValueError
        As :func:`radar_traces`, or if the tones are not regular.

    Notes
    -----
    The braces of :func:`radar_traces` times :math:`e^{-i \omega t_0}`: one response, two
    instruments. Nothing is dropped for being late: echoes later than the inverse of the step
    of the tones come round, as they do in the instrument. Rays bend by the index in the middle
    of the band.

    Examples
    --------
    >>> from minesense.physics import Surface, no_scatterers, radar_spectra
    >>> ground = Surface(origin=[-1.0, -1.0], step=0.02, heights=np.zeros((101, 101)))
    >>> tones = np.linspace(0.6e9, 3e9, 241)
    >>> spectrum = radar_spectra(
    ...     [[-0.03, 0, 0.15]], [[0.03, 0, 0.15]], frequency=tones, permittivity=9.0,
    ...     surface=ground, scatterers=no_scatterers(len(tones)), coupling=0.0,
    ... )
    >>> turn = np.polyfit(tones, np.unwrap(np.angle(spectrum[0])), 1)[0]
    >>> bool(abs(-turn / (2 * np.pi) - 1.02e-9) < 0.03e-9)  # the delay of the bounce
    True
    """
    grid, step = check_grid(frequency)
    antennas = check_antennas(transmitter, receiver, surface)
    check_step(surface, float(grid[-1]))
    n = len(antennas)
    longest = SPEED_OF_LIGHT / (LOW_EDGE * float(grid[0] + grid[-1]) / 2)
    rise = float((antennas[:, [2, 5]]).max() - surface.heights.min()) if n else 1.0
    width = 3 * math.sqrt(longest * rise / 2) if surface_radius is None else surface_radius
    apart = float(np.linalg.norm(antennas[:, :3] - antennas[:, 3:], axis=1).max(initial=0.0))
    band = Band(
        frequency=grid,
        step=step,
        latest=2 * (math.hypot(rise, width) + apart) / SPEED_OF_LIGHT,
        reference=float(grid[0] + grid[-1]) / 2,
        longest=longest,
        is_windowed=False,
    )
    delay = np.broadcast_to(np.asarray(time_zero, dtype=np.float64), n)
    out = np.empty((n, len(grid)), np.complex64)

    def keep(which: npt.NDArray[np.int64], spectra: npt.NDArray[np.float32]) -> None:
        out[which] = from_blocks(spectra, len(grid))

    sum_echoes(
        antennas,
        band,
        keep,
        permittivity=permittivity,
        surface=surface,
        scatterers=scatterers,
        coupling=coupling,
        origin=check_array(delay, "time_zero", (n,)),
        reach=reach,
        surface_radius=surface_radius,
        pattern=pattern,
    )
    return out
