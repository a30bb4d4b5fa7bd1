"""Image a radar profile by continuing it downward, through layers if need be."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from .._kernels.migration import continue_downward
from .._validation import check_array, check_count, check_increasing, check_not_negative
from ..constants import SPEED_OF_LIGHT
from ..sweep import Samples, Sweep
from ._profile import check_spacing, check_velocity, image_of, share
from .preprocess import check_radar

#: Wavenumbers side by side. Fixed, so that threads do not change the result.
_N_SIDE = 32


def phase_shift(
    sweep: Sweep,
    *,
    velocity: float | Sequence[tuple[float, float]],
    spacing: float,
    height: float = 0.0,
    workers: int = 1,
) -> Sweep:
    r"""
    Image a profile over horizontal layers by shifts of phase.

    Parameters
    ----------
    sweep : Sweep
        A radar lane, nearly straight, time zero at the antenna, best without its
        background.
    velocity : float, or sequence of (start, velocity)
        Of the wave in the ground, in metres per second; or of each layer, with the two-way
        time at its top in seconds from the ground, rising from 0.
    spacing : float
        Distance between neighbouring traces, in metres.
    height : float
        Of the antenna over flat ground, in metres; 0 if time zero is at the ground.
    workers : int
        Threads. Any number gives the same bytes.

    Returns
    -------
    image : Sweep
        In the unit of the sweep, over vertical two-way time from the ground. Depths are
        half the integral of the velocity over it.

    Raises
    ------
    TypeError, ValueError
        If an option is not in its range, the sensor is not a radar with a regular axis in
        s, a gap lies in the lane, or its positions do not agree with `spacing`.

    Notes
    -----
    Each channel is imaged by itself, as if the ground had exploded at time 0 and waves ran
    at half their velocity [1]_. With the spectrum :math:`P(k_x, \omega)` of the profile, in
    the sign of ``numpy.fft``, the image at vertical two-way time :math:`t` is

    .. math:: I(k_x, t) = \sum_\omega P(k_x, \omega)\, e^{+i k_{z0} h}
        \exp\!\left(i \int_0^t \sqrt{\omega^2 - \tfrac14 v(t')^2 k_x^2}\, dt'\right),

    with :math:`k_{z0}` as in :func:`minesense.gpr.migration.stolt`, zero from where a root
    is imaginary. Between two samples the velocity is that halfway. For one velocity it is
    what ``stolt`` gives, but for waves that graze, at a cost that grows with the square of
    the length of the traces. Rays bend at the layers; what the borders reflect is not
    undone. Flagged traces count as zero.

    References
    ----------
    .. [1] Gazdag, J. (1978). Wave equation migration with the phase-shift method.
       *Geophysics*, 43(7), 1342-1351. https://doi.org/10.1190/1.1440899

    Examples
    --------
    A point 20 cm deep below trace 20, at a velocity of 0.1 m/ns:

    >>> from minesense.sensor import Sensor
    >>> sensor = Sensor(
    ...     name="demo", kind="gpr", axis=1e-10 * np.arange(80), lever_arms=[[0, 0, 0]]
    ... )
    >>> northing = 0.02 * np.arange(41)
    >>> arrival = 2 * np.hypot(0.2, northing - 0.4) / 1e8
    >>> phase = np.pi * 1e9 * (sensor.axis - arrival[:, None])
    >>> sweep = Sweep(
    ...     samples=((1 - 2 * phase**2) * np.exp(-(phase**2)))[:, None],
    ...     time=northing,
    ...     position=np.column_stack([0 * northing, northing, 0 * northing]),
    ...     heading=np.zeros(41),
    ...     sensor=sensor,
    ... )
    >>> image = phase_shift(sweep, velocity=[(0.0, 1e8), (6e-9, 0.8e8)], spacing=0.02)
    >>> trace, _, sample = np.unravel_index(np.abs(image.samples).argmax(), (41, 1, 80))
    >>> int(trace), bool(abs(sensor.axis[sample] - 4e-9) < 2e-10)
    (20, True)
    """
    step = check_radar(sweep.sensor)
    tops, velocities = _check_layers(velocity)
    spacing = check_spacing(sweep, spacing)
    height = check_not_negative(height, "height")
    workers = check_count(workers, "workers")
    n = len(sweep.sensor.axis)
    start = float(sweep.sensor.axis[0]) / step
    n_lead = max(1, math.ceil(abs(start)))  # from the ground to the first sample
    legs = np.concatenate([np.full(n_lead, start / n_lead), np.ones(n - 1)])
    middle = (np.cumsum(legs) - legs / 2) * step
    in_layer = np.maximum(np.searchsorted(tops, middle, side="right") - 1, 0)
    rates = velocities[in_layer] / 2 * step / spacing
    if height:
        legs = np.append(2 * height / SPEED_OF_LIGHT / step, legs)
        rates = np.append(SPEED_OF_LIGHT / 2 * step / spacing, rates)
    image = np.empty_like(sweep.samples)
    for channel in range(image.shape[1] if len(sweep) else 0):
        traces = np.where(sweep.is_usable[:, None], sweep.samples[:, channel], 0)
        image[:, channel] = _continue_profile(traces, start, legs, rates, workers)
    given = list(zip(tops.tolist(), velocities.tolist(), strict=True))
    options = {
        "velocity": given if np.ndim(velocity) else given[0][1],
        "spacing": spacing,
        "height": height,
    }
    return image_of(sweep, image, "phase_shift", options, sweep.sensor.unit)


def _check_layers(
    velocity: float | Sequence[tuple[float, float]],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the times of the tops of layers, and their velocities."""
    if not np.ndim(velocity):
        return np.zeros(1), np.array([check_velocity(velocity)])  # type: ignore[arg-type]
    layers = check_array(velocity, "velocity", ("n_layers", 2))
    if not len(layers) or layers[0, 0] != 0:
        msg = f"Invalid velocity {velocity!r}. Must begin with a layer at time 0.0."
        raise ValueError(msg)
    for value in layers[:, 1]:
        check_velocity(value)
    return check_increasing(layers[:, 0], "times of velocity"), layers[:, 1]


def _continue_profile(
    traces: Samples,
    start: float,
    legs: npt.NDArray[np.float64],
    rates: npt.NDArray[np.float64],
    workers: int,
) -> Samples:
    """Return one channel continued down, all lengths in samples and traces."""
    from scipy import fft  # noqa: PLC0415 - takes a while to import

    n_traces, n = traces.shape
    length = max(2 * n, math.ceil(np.abs(legs).sum() + 2))
    length = 2 * fft.next_fast_len(math.ceil(length / 2), real=True)
    # as far as a diffraction reaches along the track: beyond, nothing comes round the end
    n_wide = fft.next_fast_len(n_traces + math.ceil(np.abs(legs) @ rates))
    number = np.arange(length // 2 + 1)
    both = np.where(number % (length // 2) == 0, 1, 2) / length  # with the frequencies below 0
    shift = both * np.exp(-2j * np.pi * start / length * number)
    spectrum = np.zeros((len(number), n_wide), np.complex64)
    spectrum[:, :n_traces] = fft.rfft(traces, length).T * shift[:, None]
    spectrum = fft.fft(spectrum, overwrite_x=True)
    borders = rates[:, None] * np.abs(fft.fftfreq(n_wide) * length)
    image = np.empty((n, n_wide), np.complex64)

    def continue_block(begin: int) -> None:
        block = slice(begin, min(begin + _N_SIDE, n_wide))
        real, imag = (np.ascontiguousarray(x[:, block]) for x in (spectrum.real, spectrum.imag))
        turns = np.empty((2, *real.shape), np.float32)
        sums = np.empty((2, n, real.shape[1]), np.float32)
        across = np.ascontiguousarray(borders[:, block])
        turn = 2 * math.pi / length
        continue_downward(across, legs, turn, len(legs) - n, real, imag, turns, sums)
        image[:, block] = sums[0] + 1j * sums[1]

    share(continue_block, range(0, n_wide, _N_SIDE), workers)
    return fft.ifft(image, overwrite_x=True)[:, :n_traces].real.T
