"""What a radar scene must be like to be simulated. Every check returns the clean value."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from .._validation import check_array, check_increasing, check_not_negative, check_real
from ..constants import SPEED_OF_LIGHT
from .radar_scene import Scatterers
from .soil import Complexes, Floats, check_permittivity
from .surface import Surface


def check_step(surface: Surface, highest: float) -> None:
    """Raise if facets are so wide that they echo like a grating at the highest frequency."""
    shortest = SPEED_OF_LIGHT / highest
    if surface.step > shortest / 2:
        msg = (
            f"Invalid surface with step '{surface.step}'. Must be at most half the shortest "
            f"wavelength in air, {shortest / 2:.3g} m."
        )
        raise ValueError(msg)


def check_coupling(coupling: npt.ArrayLike, antennas: Floats) -> Floats:
    """Return the amplitude of the direct wave of each trace."""
    n = len(antennas)
    direct = np.broadcast_to(check_real(coupling, "coupling"), n).astype(np.float64)
    direct = check_array(direct, "coupling", (n,))
    if ((direct != 0) & (antennas[:, :3] == antennas[:, 3:]).all(axis=1)).any():
        msg = "Invalid receiver at the place of its transmitter. Must be apart, or coupling 0."
        raise ValueError(msg)
    return direct


def check_antennas(
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


def check_soil(soil: npt.ArrayLike, n_freq: int) -> Complexes:
    """Return the permittivity of the soil at every frequency."""
    values = check_permittivity(soil)
    if values.shape not in ((), (n_freq,)):
        msg = f"Invalid permittivity with shape {values.shape}. Must be () or ({n_freq},)."
        raise ValueError(msg)
    return np.array(np.broadcast_to(values, n_freq))


def check_time_zero(time_zero: npt.ArrayLike, n: int, window: float) -> Floats:
    """Return the time at which the pulse of each trace leaves, within its window."""
    start = np.broadcast_to(check_real(time_zero, "time_zero"), n).astype(np.float64)
    start = check_array(start, "time_zero", (n,))
    if n and not (start.min() >= 0 and start.max() < window):
        msg = (
            f"Invalid time_zero from {start.min()} to {start.max()} s. Must be from 0 up to "
            f"the end of the trace, {window} s."
        )
        raise ValueError(msg)
    return start


def check_cover(antennas: Floats, surface: Surface, longest: float, fixed: float) -> Floats:
    """Return the heights of traces over the surface, which must reach as far as they bounce."""
    middle = (antennas[:, :3] + antennas[:, 3:]) / 2
    height = middle[:, 2] - surface.height_at(middle[:, 0], middle[:, 1])
    if (height <= 0).any():
        i = int(np.argmax(height <= 0))
        msg = (
            f"Invalid antennas of trace {i}: the middle between them lies {-height[i]:.3g} m "
            "below the surface. Must be above it."
        )
        raise ValueError(msg)
    radius = np.full(len(height), max(fixed, 0.0))
    if fixed == 0:
        radius = 3 * np.sqrt(longest * height / 2)
    radius = radius[:, None]
    short = (middle[:, :2] - radius < surface.origin - 1e-9).any(axis=1)
    short |= (middle[:, :2] + radius > surface.end + 1e-9).any(axis=1)
    if short.any():
        i = int(np.argmax(short))
        msg = (
            f"Invalid surface from {surface.origin.tolist()} to {surface.end.tolist()} m. Must "
            f"reach {radius[i, 0]:.3g} m around trace {i} at {middle[i, :2].tolist()} m."
        )
        raise ValueError(msg)
    return np.asarray(height)


def check_depth(scatterers: Scatterers, surface: Surface) -> Floats:
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
        i = int(np.argmax(depth <= 0))
        msg = (
            f"Invalid scatterers: {np.count_nonzero(depth <= 0)} of {len(depth)} do not lie "
            f"below the surface, the first is {i}, {-depth[i]:.3g} m above it. Must be buried."
        )
        raise ValueError(msg)
    return depth


def check_radius(surface_radius: float | None, step: float) -> float:
    """Return the radius of the surface that counts, m; 0 for the local one, -1 for none."""
    if surface_radius is None:
        return 0.0
    radius = check_not_negative(surface_radius, "surface_radius")
    if 0 < radius < 2 * step:
        msg = (
            f"Invalid surface_radius '{radius}'. Must be 0, or at least two steps of the "
            f"surface, {2 * step:g} m."
        )
        raise ValueError(msg)
    return radius or -1.0


def check_reach(reach: float) -> float:
    """Return how far scatterers count, m, which may be without end."""
    if not reach > 0:
        msg = f"Invalid reach '{reach}'. Must be greater than zero."
        raise ValueError(msg)
    return float(reach)


def check_spectra(scatterers: Scatterers, n_freq: int) -> None:
    """Raise unless scatterers have their spectra at as many frequencies."""
    if scatterers.spectra.shape[1] != n_freq:
        msg = (
            f"Invalid scatterers with spectra at {scatterers.spectra.shape[1]} frequencies. "
            f"Must be at the {n_freq} of the traces."
        )
        raise ValueError(msg)


def check_pulse(pulse: npt.ArrayLike, n_freq: int) -> Complexes:
    """Return the spectrum of a pulse at every frequency."""
    spectrum = np.asarray(pulse)
    if spectrum.dtype.kind not in "iufc" or spectrum.shape != (n_freq,):
        msg = (
            f"Invalid pulse of dtype {spectrum.dtype} with shape {spectrum.shape}. Must be "
            f"numbers at the {n_freq} frequencies of radar_frequencies()."
        )
        raise ValueError(msg)
    if not np.isfinite(spectrum).all():
        msg = "Invalid pulse with NaN or infinite values. Must be finite."
        raise ValueError(msg)
    return spectrum.astype(np.complex128)


def check_grid(frequency: npt.ArrayLike) -> tuple[Floats, float]:
    """Return regular frequencies greater than zero, two or more, and their step."""
    grid = check_increasing(check_array(frequency, "frequency", ("n_freq",)), "frequency")
    if len(grid) < 2 or grid[0] <= 0:
        msg = f"Invalid frequency {grid[:3].tolist()}. Must be two or more, greater than zero."
        raise ValueError(msg)
    step = float(grid[-1] - grid[0]) / (len(grid) - 1)
    off = float(np.abs(grid - (grid[0] + step * np.arange(len(grid)))).max())
    if off > 1e-6 * step:
        msg = f"Invalid frequency: {off:.3g} Hz off steps of {step:.6g} Hz. Must be regular."
        raise ValueError(msg)
    return grid, step


def farthest(antennas: Floats, scatterers: Scatterers, depth: Floats, reach: float) -> float:
    """Return how long the paths of both legs in the soil may be at most, m."""
    if not len(scatterers) or not len(antennas):
        return 0.0
    places = np.concatenate([antennas[:, :2], antennas[:, 3:5]])
    corners = scatterers.position[:, :2]
    apart = np.maximum(
        np.abs(corners.max(axis=0) - places.min(axis=0)),
        np.abs(places.max(axis=0) - corners.min(axis=0)),
    )
    separation = float(np.linalg.norm(antennas[:, :3] - antennas[:, 3:], axis=1).max())
    across = min(reach + separation, math.hypot(*apart))
    relief = float(np.ptp(scatterers.position[:, 2] + depth))
    return 2 * (across + float(depth.max()) + relief)
