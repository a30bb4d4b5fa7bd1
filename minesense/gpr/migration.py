"""Image a radar profile: move echoes to where they come from, for one velocity."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from .._kernels.migration import (
    difference_side_by_side,
    lay_side_by_side,
    map_frequencies,
    put_columns,
    remove_air_leg,
    stand_upright,
    sum_diffractions,
    take_columns,
)
from .._validation import check_count, check_not_negative, check_positive
from ..constants import SPEED_OF_LIGHT
from ..sweep import Samples, Sweep
from ._profile import check_spacing, check_velocity, image_of, share
from .preprocess import check_radar

#: Traces that sums treat together, and wavenumbers and times that transforms do: a tile of
#: them fits the second-level cache. Fixed, so that the result does not depend on how many
#: threads share the blocks.
_N_BLOCK, _N_SIDE, _N_ROWS = 256, 64, 16

#: Frequencies between which Stolt's mapping interpolates, and the parts of a step.
_WIDTH, _N_FINE = 4, 2048


def kirchhoff(
    sweep: Sweep,
    *,
    velocity: float,
    spacing: float,
    aperture: float | None = None,
    angle: float = math.radians(50.0),
    workers: int = 1,
) -> Sweep:
    r"""
    Image a profile by sums along diffractions.

    Parameters
    ----------
    sweep : Sweep
        A radar lane, nearly straight, time zero at the ground, best without its background.
    velocity : float
        Of the wave in the ground, in metres per second.
    spacing : float
        Distance between neighbouring traces, in metres.
    aperture : float, optional
        How far a sum reaches along the track to each side, in metres; without it as far as
        `angle` and the length of the traces let it.
    angle : float
        Greatest angle from the vertical, in radians, less than a right angle.
    workers : int
        Threads. Any number gives the same bytes.

    Returns
    -------
    image : Sweep
        In the unit of the sweep per square metre. The two-way time :math:`t` of a sample
        stands for the depth :math:`v t / 2`. Zero at times that are not positive.

    Raises
    ------
    TypeError, ValueError
        If an option is not in its range, the sensor is not a radar with a regular axis in
        s, a gap lies in the lane, or its positions do not agree with `spacing`.

    Notes
    -----
    Each channel is imaged by itself, as if transmitter and receiver were at one place. With
    the trace :math:`s_a` at distance :math:`x_a` along the track from the image point, at
    two-way time :math:`t` below [1]_,

    .. math:: I = \sum_a \frac{\cos \theta_a}{v\, r_a}\,
        \dot s_a\!\left(\frac{2 r_a}{v}\right), \qquad
        r_a^2 = x_a^2 + \left(\frac{v t}{2}\right)^2, \quad
        \cos \theta_a = \frac{v t}{2 r_a},

    over the usable traces with :math:`|\theta_a|` up to `angle` whose recording lasts that
    long. It is the three-dimensional integral but for a factor :math:`-2 \pi`, summed
    along one line: a point's image has the shape of the derivative of its echo, crossing
    zero where a symmetric echo peaks, and a flat reflector is turned by 135 degrees. The
    derivative is the central difference, and values between samples are interpolated
    linearly: at ten samples a period that costs at most 6 and 5 % of the amplitude, where
    the nearest sample would scatter the phase by up to 18 degrees. Sums are float32. Ends
    of the lane and flagged traces weaken the sum, and are not made up for.

    References
    ----------
    .. [1] Schneider, W. A. (1978). Integral formulation for migration in two and three
       dimensions. *Geophysics*, 43(1), 49-76, eq. 12. https://doi.org/10.1190/1.1440828

    Examples
    --------
    A point 20 cm deep below the trace 20, at a velocity of 0.1 m/ns:

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
    >>> image = kirchhoff(sweep, velocity=1e8, spacing=0.02)
    >>> trace, _, sample = np.unravel_index(np.abs(image.samples).argmax(), (41, 1, 80))
    >>> bool(abs(trace - 20) <= 1), bool(abs(0.5e8 * sensor.axis[sample] - 0.2) < 0.02)
    (True, True)
    """
    step = check_radar(sweep.sensor)
    velocity = check_velocity(velocity)
    spacing = check_spacing(sweep, spacing)
    if aperture is not None:
        aperture = check_positive(aperture, "aperture")
    angle = check_positive(angle, "angle")
    if angle >= math.pi / 2:
        msg = f"Invalid angle '{angle}'. Must be less than pi / 2, in radians."
        raise ValueError(msg)
    workers = check_count(workers, "workers")
    reach = math.inf if aperture is None else aperture
    tables = _diffractions(sweep, step, velocity, spacing, reach, angle)
    n_traces, n_channels, n_samples = sweep.samples.shape
    n_block, n_halo = min(_N_BLOCK, n_traces), tables[1].shape[1] - 1
    samples, is_usable = sweep.samples, sweep.is_usable
    image = np.empty_like(samples)

    def image_block(block: tuple[int, int]) -> None:
        channel, first = block
        tile = np.empty((n_samples, n_block + 2 * n_halo), np.float32)
        totals = np.empty((n_samples, n_block), np.float32)
        difference_side_by_side(samples, is_usable, channel, first - n_halo, tile)
        sum_diffractions(tile, *tables, totals, channel, first, image)

    starts = range(0, n_traces, _N_BLOCK)
    share(image_block, [(c, i) for c in range(n_channels) for i in starts], workers)
    options = {"velocity": velocity, "spacing": spacing, "aperture": aperture, "angle": angle}
    unit = "1/m2" if sweep.sensor.unit == "1" else f"{sweep.sensor.unit}/m2"
    return image_of(sweep, image, "kirchhoff", options, unit)


def stolt(
    sweep: Sweep,
    *,
    velocity: float,
    spacing: float,
    height: float = 0.0,
    workers: int = 1,
) -> Sweep:
    r"""
    Image a profile by mapping its frequencies to vertical wavenumbers.

    Parameters
    ----------
    sweep : Sweep
        A radar lane, nearly straight, time zero at the antenna, best without its
        background.
    velocity : float
        Of the wave in the ground, in metres per second.
    spacing : float
        Distance between neighbouring traces, in metres.
    height : float
        Of the antenna over flat ground, in metres; 0 if time zero is at the ground.
    workers : int
        Threads. Any number gives the same bytes.

    Returns
    -------
    image : Sweep
        In the unit of the sweep. The two-way time :math:`t` of a sample, counted from the
        ground, stands for the depth :math:`v t / 2`.

    Raises
    ------
    TypeError, ValueError
        If an option is not in its range, the sensor is not a radar with a regular axis in
        s, a gap lies in the lane, or its positions do not agree with `spacing`.

    Notes
    -----
    Each channel is imaged by itself, as if the ground had exploded at time 0 and waves ran
    at :math:`u = v / 2` [1]_. With the spectrum :math:`P(k_x, \omega)` of the profile, in
    the sign of ``numpy.fft``, that of the image is

    .. math:: F(k_x, k_z) = \frac{u\, k_z}{\sqrt{k_x^2 + k_z^2}}\, P(k_x, \omega)\,
        e^{+i k_{z0} h}, \quad \omega = u \sqrt{k_x^2 + k_z^2}, \quad
        k_{z0} = \sqrt{(2 \omega / c)^2 - k_x^2},

    zero where :math:`k_{z0}` is imaginary, if there is a height :math:`h`. Written over
    two-way time, the factor :math:`u` falls away. Without height, a profile that is the
    same at all traces stays as it is. With the other sign of the phase echoes would
    move down by the air leg, not up. No loss at the surface is undone.

    Spectra are interpolated from four frequencies with a Kaiser-Bessel window, on traces
    padded to twice their length and divided by the window's transform beforehand [2]_: the
    error stays below 2e-3 of the greatest sample, where linear interpolation would cost
    late echoes much of their strength. Zeros as wide as the longest diffraction keep the
    ends of the lane apart. Flagged traces count as zero.

    References
    ----------
    .. [1] Stolt, R. H. (1978). Migration by Fourier transform. *Geophysics*, 43(1), 23-48.
       https://doi.org/10.1190/1.1440826
    .. [2] Jackson, J. I., Meyer, C. H., Nishimura, D. G., Macovski, A. (1991). Selection of
       a convolution function for Fourier inversion using gridding. *IEEE Transactions on
       Medical Imaging*, 10(3), 473-478. https://doi.org/10.1109/42.97598

    Examples
    --------
    An echo at 10 ns over flat ground, from an antenna 30 cm above it:

    >>> from minesense.sensor import Sensor
    >>> sensor = Sensor(
    ...     name="demo", kind="gpr", axis=1e-10 * np.arange(200), lever_arms=[[0, 0, 0]]
    ... )
    >>> northing = 0.05 * np.arange(400)
    >>> phase = np.pi * 1e9 * (sensor.axis - 10e-9)
    >>> sweep = Sweep(
    ...     samples=np.tile((1 - 2 * phase**2) * np.exp(-(phase**2)), (400, 1, 1)),
    ...     time=northing,
    ...     position=np.column_stack([0 * northing, northing, 0 * northing]),
    ...     heading=np.zeros(400),
    ...     sensor=sensor,
    ... )
    >>> image = stolt(sweep, velocity=1e8, spacing=0.05, height=0.3)
    >>> float(sensor.axis[image.samples[200, 0].argmax()])
    8e-09
    """
    step = check_radar(sweep.sensor)
    velocity = check_velocity(velocity)
    spacing = check_spacing(sweep, spacing)
    height = check_not_negative(height, "height")
    workers = check_count(workers, "workers")
    image = np.empty_like(sweep.samples)
    for channel in range(image.shape[1] if len(sweep) else 0):
        _map_profile(
            sweep.samples,
            sweep.is_usable,
            channel,
            image,
            start=float(sweep.sensor.axis[0]) / step,
            rate=velocity / 2 * step / spacing,
            air_rate=SPEED_OF_LIGHT / 2 * step / spacing,
            air=2 * height / SPEED_OF_LIGHT / step,
            workers=workers,
        )
    options = {"velocity": velocity, "spacing": spacing, "height": height}
    return image_of(sweep, image, "stolt", options, sweep.sensor.unit)


def _diffractions(
    sweep: Sweep, step: float, velocity: float, spacing: float, reach: float, angle: float
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Samples, Samples]:
    """Return counts of offsets, rows and weights of diffractions, by depth and offset."""
    axis = sweep.sensor.axis
    farthest = min(reach, max(0.0, velocity / 2 * float(axis[-1]) * math.sin(angle)))
    n_offsets = min(max(1, len(sweep)), 1 + math.floor(farthest / spacing * (1 + 1e-9)))
    down = np.maximum(axis, 0.0)[:, None]
    along = 2 / velocity * spacing * np.arange(n_offsets)
    arrival = np.hypot(down, along)
    last = axis[-1] * (1 + 1e-12)  # an arrival at the last sample is in the record
    is_in = (down > 0) & (arrival <= last) & (along <= math.tan(angle) * down)
    arrival = np.where(is_in, arrival, axis[-1])
    place = (arrival - axis[0]) / step
    rows = np.clip(place.astype(np.int64), 0, len(axis) - 2)
    # cos / (v r), and the difference of samples over two intervals
    weights = np.where(is_in, down * 2 / (velocity * arrival) ** 2 / (2 * step), 0.0)
    upper = weights * (place - rows)
    lower = (weights - upper).astype(np.float32)
    return is_in.sum(axis=1), rows, lower, upper.astype(np.float32)


def _map_profile(
    samples: Samples,
    is_usable: npt.NDArray[np.bool_],
    channel: int,
    image: Samples,
    *,
    start: float,
    rate: float,
    air_rate: float,
    air: float,
    workers: int,
) -> None:
    """
    Map one channel by Stolt's rule into an image, all lengths in samples and traces.

    `start` is the two-way time of the first sample, `rate` and `air_rate` are traces per
    sample of a wave at half its velocity, `air` is the two-way time through air.
    """
    from scipy import fft  # noqa: PLC0415 - takes a while to import

    n_traces, _, n = samples.shape
    length, n_wide = _padded(n_traces, n, start, rate, air_rate, air)
    half = length // 2
    times = np.arange(n) - (n - 1) / 2
    # turned about time zero by the fraction of a step here, by whole steps in `turns`
    weights, gain = _interpolation(times, length, start)
    turns = np.exp(-2j * np.pi * start / length * np.arange(half + 1 if start else 0))
    turns = turns.astype(np.complex64)
    shift = np.append(turns.conj(), turns[-2:0:-1])
    wavenumber = fft.rfftfreq(n_wide) * length  # per trace, over the steps of frequency
    squares, air_squares = (wavenumber * rate) ** 2, (wavenumber * air_rate) ** 2
    turn = 2 * math.pi * air / length
    # a row for each time; wavenumbers below zero have the conjugates of those above
    spectrum = np.empty((n, n_wide // 2 + 1), np.complex64)

    def transform_rows(begin: int) -> None:
        part = gain[begin : begin + _N_ROWS]
        rows = np.empty((len(part), n_wide), np.float32)
        lay_side_by_side(samples, is_usable, channel, begin, part, rows)
        spectrum[begin : begin + _N_ROWS] = fft.rfft(rows)

    def map_block(begin: int) -> None:
        block = slice(begin, min(begin + _N_SIDE, spectrum.shape[1]))
        lines = np.zeros((block.stop - begin, 1 + length + 2), np.complex64)
        take_columns(spectrum, begin, lines[:, 1:])
        lines[:, 1:-2] = fft.fft(lines[:, 1:-2], overwrite_x=True)
        lines[:, 0], lines[:, -2:] = lines[:, -3], lines[:, 1:3]  # it is periodic
        out = np.empty((len(lines), length), np.complex64)
        places, parts = np.empty((2, half + 1), np.int32)
        shares = np.empty(half + 1, np.float32)
        map_frequencies(
            lines.view(np.float32),
            squares[block],
            weights,
            turns,
            places,
            parts,
            shares,
            out.view(np.float32),
        )
        if air:
            remove_air_leg(squares[block], air_squares[block], turn, out)
        if start:
            out *= shift
        put_columns(fft.ifft(out, overwrite_x=True), begin, spectrum)

    def restore_rows(begin: int) -> None:
        rows = fft.irfft(spectrum[begin : begin + _N_ROWS], n_wide)
        stand_upright(rows, channel, begin, image)

    share(transform_rows, range(0, n, _N_ROWS), workers)
    share(map_block, range(0, spectrum.shape[1], _N_SIDE), workers)
    share(restore_rows, range(0, n, _N_ROWS), workers)


def _padded(
    n_traces: int, n: int, start: float, rate: float, air_rate: float, air: float
) -> tuple[int, int]:
    """Return samples and traces with zeros behind, in numbers that transform fast."""
    from scipy import fft  # noqa: PLC0415 - takes a while to import

    length = max(2 * n, math.ceil(n + max(start, 0.0) + air + 1))
    length = 2 * fft.next_fast_len(math.ceil(length / 2), real=True)
    # as far as a diffraction reaches along the track: beyond, nothing comes round the end
    n_pad = math.ceil(rate * max(0.0, n + start) + 2 * air * air_rate)
    return length, fft.next_fast_len(n_traces + n_pad)


def _interpolation(
    times: npt.NDArray[np.float64], length: int, start: float
) -> tuple[Samples, Samples]:
    """
    Return weights by fraction of a step of frequency, and gains of samples that undo them.

    `times` are those of the samples about the centre of the traces, which the weights turn
    about: a window along frequency can only interpolate what lies near time zero. For
    traces that begin at `start` they turn by the fraction of a step as well.
    """
    beta = math.pi * math.sqrt((_WIDTH / 2) ** 2 * 1.5**2 - 0.8)  # for twofold padding
    fraction = np.arange(_N_FINE + 1)[:, None] / _N_FINE
    away = fraction + _WIDTH // 2 - 1 - np.arange(_WIDTH)
    window = np.i0(beta * np.sqrt(np.maximum(0.0, 1 - (2 * away / _WIDTH) ** 2)))
    turned = window * np.exp(2j * np.pi / length * (times[0] * away - start * fraction))
    root = np.sqrt(beta**2 - (np.pi * _WIDTH * times / length) ** 2)
    gain = root / (_WIDTH * np.sinh(root))
    return turned.astype(np.complex64).view(np.float32), gain.astype(np.float32)
