"""Echoes to search for: what the radar model gives for small bodies at several depths."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from .._validation import check_array, check_increasing, check_number, check_positive
from ..constants import SPEED_OF_LIGHT
from ..physics import Surface, radar_frequencies, radar_traces, sphere_body
from ..sensor import Radar, Sensor
from ..sweep import Floats, Samples
from .preprocess import check_radar


def template_bank(
    sensor: Sensor,
    *,
    depths: npt.ArrayLike,
    permittivities: npt.ArrayLike,
    ground_time: float,
    height: float | None = None,
    radius: float = 0.03,
    body_permittivity: complex = math.inf,
) -> Floats:
    r"""
    Compute the echoes of a sphere below the antennas, for every depth and soil.

    Parameters
    ----------
    sensor : Sensor
        A radar with a regular axis of two-way times; its centre frequency is the peak of
        the pulse, its separation that of the antennas.
    depths : (n_depths,) array_like
        Of the sphere's centre below the surface, in metres, increasing; more than `radius`.
    permittivities : (n_soils,) array_like
        Relative, of the soil, real or complex with a negative imaginary part for loss.
    ground_time : float
        Two-way time at which the lane has the ground bounce, in seconds.
    height : float, optional
        Of the antennas over the ground, in metres; that of the sensor by default.
    radius : float
        Of the sphere, in metres.
    body_permittivity : complex
        Relative, of the sphere; infinite for metal, less than the soil's for plastic.

    Returns
    -------
    templates : (n_soils * n_depths, n_samples) float64 ndarray
        Echoes on the axis of the sensor, of unit energy: soil by soil, each from the
        shallowest on. Neither direct wave nor ground bounce is in them.

    Raises
    ------
    TypeError, ValueError
        If the sensor is not a radar with a regular axis or of unknown height, an argument is
        out of range, samples are too far apart for the pulse, or an echo comes after the
        end of the record.

    Notes
    -----
    Each is a trace of :func:`minesense.physics.radar_traces` over flat ground with
    :func:`minesense.physics.sphere_body` alone, right below the middle of the antennas, at a
    time zero that puts the bounce, which travels :math:`\sqrt{4 h^2 + b^2} / c` for height
    :math:`h` and separation :math:`b`, at `ground_time`. Echoes begin about :math:`2 d
    \sqrt\epsilon / c` later. Filter the bank as the lane was filtered. What a mine looks like
    is more than a sphere: see `rank` of :func:`~minesense.gpr.prescreen_templates`.

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
    >>> bank = template_bank(
    ...     sensor, depths=[0.05, 0.1, 0.15], permittivities=[6.0, 9.0], ground_time=1.5e-9
    ... )
    >>> bank.shape
    (6, 128)
    >>> (sensor.axis[np.abs(bank).argmax(axis=1)][:3] * 1e9).round(1)  # of its top
    array([1.8, 2.6, 3.4])
    """
    step = check_radar(sensor)
    if sensor.radar is None:
        msg = f"Invalid sensor '{sensor.name}' without a Radar. Must have one: its frequency."
        raise ValueError(msg)
    places = check_increasing(check_array(depths, "depths", ("n_depths",)), "depths")
    soils = _check_soils(permittivities)
    radius = check_positive(radius, "radius")
    if not len(places) or places[0] <= radius:
        msg = f"Invalid depths {places.tolist()}. Must be one or more, beyond {radius} m."
        raise ValueError(msg)
    if height is None and sensor.radar.height is None:
        msg = f"Invalid height 'None' for sensor '{sensor.name}', whose own is not known."
        raise ValueError(msg)
    rise = check_positive(sensor.radar.height if height is None else height, "height")
    start, stop = float(sensor.axis[0]), float(sensor.axis[-1])
    bounce = check_number(ground_time, "ground_time")
    if not start <= bounce <= stop:
        msg = f"Invalid ground_time '{bounce}'. Must lie in the record, {start} to {stop} s."
        raise ValueError(msg)
    latest = bounce + 2 * places[-1] * np.sqrt(np.abs(soils).max(initial=1)) / SPEED_OF_LIGHT
    if latest + 0.5 / sensor.radar.centre_frequency > stop:
        msg = (
            f"Invalid depths up to {places[-1]} m: an echo at {latest:.3g} s comes after the "
            f"end of the record at {stop:.3g} s. Must be shallower."
        )
        raise ValueError(msg)
    body = (radius, _check_body(body_permittivity))
    echoes = np.array(
        [
            _echo(sensor, sensor.radar, step, rise, bounce - start, depth, soil, body)
            for soil in soils
            for depth in places
        ],
        np.float64,
    )
    size = np.linalg.norm(echoes, axis=1, keepdims=True)
    if not size.all():
        msg = (
            f"Invalid body_permittivity '{body_permittivity}'. Must not be that of the soil: "
            f"{np.count_nonzero(size == 0)} of {len(size)} spheres have no echo."
        )
        raise ValueError(msg)
    return np.asarray(echoes / size)


def _check_soils(values: npt.ArrayLike) -> npt.NDArray[Any]:
    """Return permittivities of soils, one or more; which they can be the model knows."""
    soils = np.atleast_1d(np.asarray(values))
    if soils.dtype.kind not in "iufc":
        msg = f"Invalid permittivities of dtype {soils.dtype}. Must be numbers."
        raise TypeError(msg)
    if soils.ndim != 1 or not len(soils) or not np.isfinite(soils).all():
        msg = f"Invalid permittivities {soils.tolist()}. Must be one or more, all finite."
        raise ValueError(msg)
    return soils


def _check_body(value: complex) -> complex:
    """Return the permittivity of a body as a complex number; infinite for metal."""
    try:
        return complex(value)
    except (TypeError, ValueError):
        msg = f"Invalid body_permittivity {value!r}. Must be a number."
        raise TypeError(msg) from None


def _echo(
    sensor: Sensor,
    radar: Radar,
    step: float,
    rise: float,
    bounce: float,
    depth: float,
    soil: complex,
    body: tuple[float, complex],
) -> Samples:
    """Return a sphere's echo on a record with the bounce so long after its start."""
    half, peak = radar.separation / 2, radar.centre_frequency
    # samples ahead of the record, so that the pulse may leave before it
    delay = math.hypot(2 * rise, radar.separation) / SPEED_OF_LIGHT
    n_ahead = math.ceil((delay + 1 / peak) / step)
    band: dict[str, Any] = {
        "n_samples": sensor.shape[1] + n_ahead,
        "interval": step,
        "peak_frequency": peak,
    }
    grid = 0.1 * SPEED_OF_LIGHT / peak
    side = 2 + math.ceil(radar.separation / grid)
    sphere = sphere_body(
        [0, 0, -depth],
        radius=body[0],
        frequency=radar_frequencies(**band),
        soil=soil,
        permittivity=body[1],
    )
    trace = radar_traces(
        [[0, -half, rise]],
        [[0, half, rise]],
        **band,
        permittivity=soil,
        surface=Surface(
            origin=np.array([-side * grid, -side * grid]),
            step=grid,
            heights=np.zeros((2 * side + 1, 2 * side + 1)),
        ),
        scatterers=sphere,
        coupling=0.0,
        time_zero=n_ahead * step + bounce - delay,
        surface_radius=0.0,
    )
    return trace[0, n_ahead:]
