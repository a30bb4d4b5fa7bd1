"""Take envelope, phase and frequency of radar traces at each sample."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from .._kernels.quadrature import delay_quarter_period, magnitude
from .._version import __version__
from ..sensor import Sensor
from ..stage import Flags, LaneStage
from ..sweep import Floats, Samples, Sweep
from .preprocess import check_radar

#: Traces transformed at a time: with their spectra they fit the second-level cache.
_N_BLOCK = 256

#: The FFT takes as many traces side by side as a vector register holds, at most 16, and
#: the rest one by one, perhaps rounded otherwise. Whole groups make every trace one of many.
_N_GROUP = 16

#: Share of the greatest envelope of a trace below which phase and frequency are noise: the
#: samples are rounded to 6e-8 of their values.
_VANISHES = 1e-6


def envelope(sweep: Sweep) -> Sweep:
    r"""
    Take the envelope of each trace, the magnitude of its analytic signal.

    Parameters
    ----------
    sweep : Sweep
        A radar lane.

    Returns
    -------
    envelopes : Sweep
        Zero or more, in the unit of the sweep.

    Raises
    ------
    TypeError, ValueError
        If the sweep is not a Sweep, or its sensor not a radar with a regular axis in
        seconds.

    Notes
    -----
    With the discrete Fourier transform :math:`\mathcal{F}` of a trace :math:`x` of
    :math:`n` samples, its quadrature :math:`h` [1]_ and envelope :math:`a` [2]_ are

    .. math:: h = \mathcal{F}^{-1} \{ -i\, \operatorname{sgn}(f)\, \mathcal{F} x \}, \qquad
        a_t = |x_t + i h_t| = \sqrt{x_t^2 + h_t^2},

    without the parts at frequency zero and, for even :math:`n`, at the Nyquist frequency,
    which have no quadrature: remove drift first (:func:`dewow`). As in
    `scipy.signal.hilbert`, nothing is appended to the trace, which counts as one period.
    The envelope of :math:`c x` is :math:`|c| a`; that of a slow modulation of a tone is
    the modulation. Each trace by itself.

    References
    ----------
    .. [1] Gabor, D. (1946). Theory of communication. *Journal of the IEE, part III*,
       93(26), 429-457. https://doi.org/10.1049/ji-3-2.1946.0074
    .. [2] Taner, M. T., Koehler, F. and Sheriff, R. E. (1979). Complex seismic trace
       analysis. *Geophysics*, 44(6), 1041-1063.
       https://doi.org/10.1190/1.1440994

    Examples
    --------
    >>> sensor = Sensor(
    ...     name="demo", kind="gpr", axis=1e-10 * np.arange(8), lever_arms=[[0, 0, 0]]
    ... )
    >>> sweep = Sweep(
    ...     samples=[[3.0 * np.cos(2 * np.pi * np.arange(8) / 4)]],
    ...     time=[0.0],
    ...     position=np.zeros((1, 3)),
    ...     heading=[0.0],
    ...     sensor=sensor,
    ... )
    >>> envelope(sweep).samples[0, 0].round(3)
    array([3., 3., 3., 3., 3., 3., 3., 3.], dtype=float32)
    """
    stage = Envelope()
    envelopes = stage.process(sweep)  # all of it: nothing is held back
    stage.flush()
    return envelopes


class Envelope(LaneStage):
    """Streaming form of :func:`envelope`. Each trace by itself."""

    def _begin(self, sensor: Sensor) -> None:
        check_radar(sensor)

    def _advance(
        self, samples: Samples, is_usable: npt.NDArray[np.bool_]
    ) -> tuple[Samples, Flags | None]:
        envelopes = self._new_samples(samples.shape)
        rows, out = (x.reshape(-1, samples.shape[2]) for x in (samples, envelopes))
        for start in range(0, len(rows), _N_BLOCK):
            block = rows[start : start + _N_BLOCK]
            magnitude(block, _quadrature(block), out[start : start + _N_BLOCK])
        return envelopes, None


def instantaneous_phase(sweep: Sweep) -> Sweep:
    r"""
    Take the phase of the analytic signal at each sample, in radians.

    Parameters
    ----------
    sweep : Sweep
        A radar lane.

    Returns
    -------
    phases : Sweep
        In radians, from :math:`-\pi` to :math:`\pi`; 0 where the envelope vanishes.

    Raises
    ------
    TypeError, ValueError
        If the sweep is not a Sweep, or its sensor not a radar with a regular axis in
        seconds.

    Notes
    -----
    With the quadrature :math:`h` of :func:`envelope`,
    :math:`\varphi_t = \operatorname{arg}(x_t + i h_t)` [1]_, in float64. Where the
    envelope is at most a millionth of the greatest of its trace there is no phase, and 0
    stands for it. Of :math:`\cos \varphi` it is :math:`\varphi`, whatever the amplitude.
    Each trace by itself.

    References
    ----------
    .. [1] Taner, M. T., Koehler, F. and Sheriff, R. E. (1979). Complex seismic trace
       analysis. *Geophysics*, 44(6), 1041-1063.
       https://doi.org/10.1190/1.1440994

    Examples
    --------
    >>> sensor = Sensor(
    ...     name="demo", kind="gpr", axis=1e-10 * np.arange(8), lever_arms=[[0, 0, 0]]
    ... )
    >>> sweep = Sweep(
    ...     samples=[[3.0 * np.cos(2 * np.pi * np.arange(8) / 8)]],
    ...     time=[0.0],
    ...     position=np.zeros((1, 3)),
    ...     heading=[0.0],
    ...     sensor=sensor,
    ... )
    >>> np.rad2deg(instantaneous_phase(sweep).samples[0, 0, 1:4]).round(2)
    array([ 45.,  90., 135.], dtype=float32)
    """
    check_radar(check_lane(sweep).sensor)
    return _of_analytic_signals(sweep, _phase, "instantaneous_phase()")


def instantaneous_frequency(sweep: Sweep) -> Sweep:
    r"""
    Take the rate at which the phase of the analytic signal turns, in Hz.

    Parameters
    ----------
    sweep : Sweep
        A radar lane.

    Returns
    -------
    frequencies : Sweep
        In Hz; 0 where the envelope vanishes, there or at a sample beside.

    Raises
    ------
    TypeError, ValueError
        If the sweep is not a Sweep, or its sensor not a radar with a regular axis in
        seconds.

    Notes
    -----
    With the analytic signal :math:`z = x + i h` of :func:`envelope` in float64 and the
    sample interval :math:`\Delta`,

    .. math:: f_t = \frac{\delta_t + \delta_{t+1}}{4 \pi \Delta}, \qquad
        \delta_t = \operatorname{arg}(z_t\, z_{t-1}^*),

    and the one difference there is at each end: the slope of the phase of
    :func:`instantaneous_phase`, unwrapped [1]_. It lies within the Nyquist frequency on
    both sides of zero. Where echoes interfere so that the envelope has a minimum it may
    leave the band of the antenna, or be negative. Where the envelope of one of the samples
    in the formula is at most a millionth of the greatest of its trace, 0 stands for a
    frequency that does not exist. Each trace by itself.

    References
    ----------
    .. [1] Taner, M. T., Koehler, F. and Sheriff, R. E. (1979). Complex seismic trace
       analysis. *Geophysics*, 44(6), 1041-1063.
       https://doi.org/10.1190/1.1440994

    Examples
    --------
    >>> sensor = Sensor(
    ...     name="demo", kind="gpr", axis=1e-10 * np.arange(8), lever_arms=[[0, 0, 0]]
    ... )
    >>> sweep = Sweep(
    ...     samples=[[3.0 * np.cos(2 * np.pi * 1.25e9 * sensor.axis)]],
    ...     time=[0.0],
    ...     position=np.zeros((1, 3)),
    ...     heading=[0.0],
    ...     sensor=sensor,
    ... )
    >>> instantaneous_frequency(sweep).samples[0, 0, :3]
    array([1.25e+09, 1.25e+09, 1.25e+09], dtype=float32)
    """
    step = check_radar(check_lane(sweep).sensor)

    def frequency(real: Floats, imaginary: Floats) -> Floats:
        z = real + 1j * imaginary
        turns = np.angle(z[:, 1:] * z[:, :-1].conj()) / (2 * np.pi * step)
        defined = ~_vanishes(real, imaginary)
        steps_defined = defined[:, 1:] & defined[:, :-1]
        mean = np.empty_like(real)
        mean[:, 0], mean[:, -1] = turns[:, 0], turns[:, -1]
        mean[:, 1:-1] = (turns[:, :-1] + turns[:, 1:]) / 2
        exists = np.empty_like(defined)
        exists[:, 0], exists[:, -1] = steps_defined[:, 0], steps_defined[:, -1]
        exists[:, 1:-1] = steps_defined[:, :-1] & steps_defined[:, 1:]
        return np.where(exists, mean, 0.0)

    return _of_analytic_signals(sweep, frequency, "instantaneous_frequency()")


def check_lane(sweep: Sweep) -> Sweep:
    """
    Return a sweep whose traces are finite or flagged.

    Parameters
    ----------
    sweep : Sweep
        Checked when it was made, and here again: its arrays may have been written into.

    Returns
    -------
    sweep : Sweep
        The same, as views.

    Raises
    ------
    TypeError, ValueError
        If it is not a Sweep, or a trace without a flag holds NaN or infinite values.

    Examples
    --------
    >>> from minesense.sweep import no_traces
    >>> len(check_lane(no_traces()))
    0
    """
    if not isinstance(sweep, Sweep):
        msg = f"Invalid sweep of type {type(sweep).__name__}. Must be a Sweep."
        raise TypeError(msg)
    return sweep[:]


def _quadrature(rows: npt.NDArray) -> npt.NDArray:
    """Return the Hilbert transforms of traces, (n, n_samples), in their precision."""
    from scipy import fft  # noqa: PLC0415 - slow to import

    n, n_samples = rows.shape
    n_more = -n % _N_GROUP
    if n_more:
        rows = np.concatenate([rows, np.zeros((n_more, n_samples), rows.dtype)])
    spectra = fft.rfft(rows)
    # at frequency zero and at Nyquist spectra are real: times -i nothing that irfft reads
    delay_quarter_period(spectra)
    return fft.irfft(spectra, n_samples, overwrite_x=True)[:n]


def _of_analytic_signals(
    sweep: Sweep, attribute: Callable[[Floats, Floats], Floats], history: str
) -> Sweep:
    """Return a sweep of what a function makes of the parts of the analytic signals."""
    usable = np.flatnonzero(sweep.is_usable)
    samples = np.full_like(sweep.samples, np.nan)
    n_at_once = -(-_N_BLOCK // sweep.samples.shape[1])
    for start in range(0, len(usable), n_at_once):
        traces = usable[start : start + n_at_once]
        real = sweep.samples[traces].astype(np.float64)
        rows = real.reshape(-1, real.shape[2])
        samples[traces] = attribute(rows, _quadrature(rows)).reshape(real.shape)
    return dataclasses.replace(
        sweep, samples=samples, history=(*sweep.history, f"minesense {__version__}: {history}")
    )


def _vanishes(real: Floats, imaginary: Floats) -> npt.NDArray[np.bool_]:
    """Tell where the envelope is too small for a phase."""
    envelopes = np.hypot(real, imaginary)
    return envelopes <= _VANISHES * envelopes.max(axis=1, keepdims=True)


def _phase(real: Floats, imaginary: Floats) -> Floats:
    """Return phases, 0 where there is none."""
    return np.where(_vanishes(real, imaginary), 0.0, np.arctan2(imaginary, real))
