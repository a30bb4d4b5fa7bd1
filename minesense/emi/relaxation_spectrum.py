"""How fast metal relaxes: the rates in decays or phasors, shared by places of the head."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from .._validation import (
    check_array,
    check_count,
    check_increasing,
    check_not_negative,
    check_number,
    check_positive,
)
from ..physics.pulse import check_train
from ..sensor import PulseTrain
from ..sweep import Floats
from ._rates import Courses, merge_neighbours, rate_errors, shared_rates, spectrum_on_grid
from .preprocess import received_decays

#: A rate this close to an end of the range, as a share, lies on it.
_EDGE = 1e-3
#: Standard deviations of the squared misfit beyond which data are no such sum.
_MOST_MISFIT = 5.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RelaxationSpectrum:
    """
    What :func:`fit_decays` and :func:`fit_phasors` return: rates, or why there are none.

    Amplitudes are those of the moment: what acts like exp(-rate t) after a field that was
    on for ever, in the unit of the data times s for decays, in that of the data for phasors.
    """

    outcome: Literal["fitted", "cannot analyse"]  #: what cannot be analysed is dug
    reason: str  #: why it cannot be analysed; empty for a fit
    rates: Floats  #: (n_rates,) increasing, 1/s; angular relaxation frequencies, rad/s
    rate_errors: Floats  #: (n_rates,) standard errors of ln(rate), for the stated noise
    is_at_edge: npt.NDArray[np.bool_]  #: (n_rates,) the rate may lie beyond the range
    amplitudes: Floats  #: (n_places, n_rates) not negative
    offsets: Floats  #: (n_places, n_columns) of what has any sign: soil, or the constant
    residual: float  #: root mean square misfit over the noise; 1 if that is as stated
    signal_to_noise: float  #: dB, see Notes of :func:`fit_decays`
    grid: Floats  #: (n_grid,) rates of the grid, 1/s
    on_grid: Floats  #: (n_places, n_grid) amplitudes on the grid, smeared by the ridge

    @property
    def taus(self) -> Floats:
        """Time constants, falling, s."""
        return 1 / self.rates

    @property
    def frequencies(self) -> Floats:
        """Frequencies at which the quadrature of each rate is largest, Hz."""
        return self.rates / (2 * math.pi)


def fit_decays(
    decays: npt.ArrayLike,
    *,
    train: PulseTrain | None = None,
    times: npt.ArrayLike | None = None,
    noise: npt.ArrayLike,
    columns: npt.ArrayLike | None = None,
    taus: tuple[float, float] | None = None,
    per_decade: int = 20,
    ridge: float = 1e-3,
    most: int = 8,
    least_signal: float = 10.0,
) -> RelaxationSpectrum:
    r"""
    Find the relaxation rates in pulse-induction decays, shared by all places.

    Parameters
    ----------
    decays : (n_places, n_gates) array_like
        What the head received of one object at one or more of its places, baseline removed.
    train : PulseTrain, optional
        Pulse, ramp, receiver and gates: each rate is given the mean over every gate that
        this head would record of it.
    times : (n_gates,) array_like, optional
        Times of the gates after turn-off, s, where the train is not known: samples of
        plain exponentials after an ideal step-off. Give this or `train`.
    noise : float or (n_gates,) array_like
        Standard deviation of the decays, independent from gate to gate and place to place.
    columns : (n_columns, n_gates) array_like, optional
        Decays that are fitted with any sign, for instance
        :func:`~minesense.emi.preprocess.soil_decay`.
    taus : (float, float), optional
        Least and greatest time constant, s; by default a tenth of the first gate's
        start to three times the last one's end.
    per_decade : int
        Rates of the grid in a decade.
    ridge : float
        Weight of squared amplitudes on the grid, for courses of unit length.
    most : int
        Rates at most.
    least_signal : float
        Signal-to-noise ratio below which nothing is analysed, dB.

    Returns
    -------
    spectrum : RelaxationSpectrum
        Its `outcome` is "cannot analyse", with the reason, if no rate stands out of the
        noise, the signal is weak, or the decays are no such sum within the noise.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range or does not fit the others, there are too few gates (at
        least two more than columns), or nothing is left of a rate in the range.

    Notes
    -----
    With :math:`f(t_j; z)` what the head records of :math:`e^{-z t}`
    (:func:`~minesense.emi.preprocess.received_decays`; :math:`z\, e^{-z t_j}` for plain
    exponentials),

    .. math:: V_p(t_j) = \sum_k A_{pk} f(t_j; z_k) + \sum_c b_{pc} s_c(t_j),
        \qquad A_{pk} \ge 0 .

    Rates belong to the object, amplitudes to where the head was, so the rates are the same
    at all places. First every place is fitted by non-negative least squares on a grid of
    rates [1]_ with a small ridge; of several places, the ridge is that of the group norm
    :math:`\sum_k (\sum_p A_{pk}^2)^{1/2}`, in five rounds. Runs of active neighbours are
    merged to their centroid. From there rates are moved to the least misfit by variable
    projection, one is added where that lowers :math:`\chi^2 + n_z (n_p + 1) \ln N`
    (Bayesian information criterion [2]_ for the stated noise, :math:`n_z` rates at
    :math:`n_p` places from :math:`N` data), and then left out wherever that does.

    Of an object with many rates, those are found that the noise allows: the slowest is
    nearest to a true one, the fastest stands for all that are faster.

    Data are "no such sum" if :math:`\chi^2` exceeds its degrees of freedom by five standard
    deviations. The signal-to-noise ratio is what the rates explain of :math:`\chi^2`, in dB
    for each of the :math:`n_z (n_p + 1)` numbers. Amplitudes are not negative where
    transmitter and receiver are one coil, or see the object from one side; a head that
    sees it with either sign at different places needs the tensors of
    :func:`~minesense.emi.fit_dipole` instead.

    References
    ----------
    .. [1] Lawson and Hanson (1974), Solving least squares problems, chapter 23.
    .. [2] Schwarz (1978), Estimating the dimension of a model, Annals of Statistics 6,
       461-464.

    Examples
    --------
    Two rings at two places of the head:

    >>> import numpy as np
    >>> from minesense.emi import fit_decays, received_decays
    >>> from minesense.sensor import PulseTrain
    >>> edges = np.geomspace(12e-6, 400e-6, 13)
    >>> train = PulseTrain(
    ...     gates=np.column_stack([edges[:-1], edges[1:]]),
    ...     pulse=200e-6,
    ...     ramp=5e-6,
    ...     half_period=1e-3,
    ...     receiver_tau=1e-6,
    ... )
    >>> volts = np.array([[3.0, 1.0], [0.5, 2.0]]) @ received_decays(train, [30e-6, 150e-6])
    >>> spectrum = fit_decays(volts, train=train, noise=1e-4 * volts.max())
    >>> spectrum.outcome, (1e6 * spectrum.taus).round(1).tolist()
    ('fitted', [150.0, 30.0])
    """
    rows = check_array(decays, "decays", ("n_places", "n_gates"))
    n_gates = rows.shape[1]
    soil = np.empty((0, n_gates)) if columns is None else columns
    soil = check_array(soil, "columns", ("n_columns", n_gates))
    if not len(rows) or n_gates < len(soil) + 2:
        msg = (
            f"Invalid decays with shape {rows.shape} for {len(soil)} columns. Must have a "
            "place, and at least two gates more than columns."
        )
        raise ValueError(msg)
    spread = _check_noise(noise, n_gates)
    train, instants = _check_gates(train, times, n_gates)
    starts, ends = (train.gates if train else instants[:, None])[:, [0, -1]].T
    ends_of_range = (0.1 * starts.min(), 3 * ends.max()) if taus is None else taus
    slow, fast = check_increasing(check_array(ends_of_range, "taus", (2,)), "taus")[::-1]
    check_positive(fast, "taus")
    n_grid = max(2, math.ceil(check_count(per_decade, "per_decade") * math.log10(slow / fast)))
    grid = np.geomspace(1 / slow, 1 / fast, n_grid + 1)

    def courses(rates: Floats) -> Floats:
        if train is not None:
            return received_decays(train, 1 / rates)
        return np.asarray(rates[:, None] * np.exp(-rates[:, None] * instants))

    options = (check_not_negative(ridge, "ridge"), check_count(most, "most"), least_signal)
    return _fit(courses, rows, soil, spread, grid, options)


def fit_phasors(
    phasors: npt.ArrayLike,
    *,
    frequency: npt.ArrayLike,
    noise: npt.ArrayLike,
    rates: tuple[float, float] | None = None,
    n_grid: int = 100,
    ridge: float = 1e-3,
    most: int = 8,
    least_signal: float = 10.0,
) -> RelaxationSpectrum:
    r"""
    Find the relaxation rates in continuous-wave responses, shared by all places.

    Parameters
    ----------
    phasors : (n_places, n_frequencies) array_like
        Complex responses in phase with the instantaneous one, for the time factor
        exp(+i omega t), as :func:`~minesense.physics.continuous_wave_response` has them:
        the imaginary part of metal is negative.
    frequency : (n_frequencies,) array_like
        In Hz.
    noise : float or (n_frequencies,) array_like
        Standard deviation of either part.
    rates : (float, float), optional
        Least and greatest rate of the grid, 1/s; by default a decade beyond the angular
        frequencies.
    n_grid : int
        Rates of the grid.
    ridge, most, least_signal
        As in :func:`fit_decays`.

    Returns
    -------
    spectrum : RelaxationSpectrum
        As of :func:`fit_decays`; the only column of `offsets` is the constant.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range or does not fit the others, or there are fewer than
        two frequencies.

    Notes
    -----
    .. math:: H_p(\omega) = c_{p0} + \sum_k \frac{c_{pk}}{1 + i \omega / z_k},
        \qquad c_{pk} \ge 0 ,

    fitted as :func:`fit_decays` does. The constant is real and of any sign: it holds the
    instantaneous response and soil without losses. Viscous soil has losses: balance it first.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.emi import fit_phasors
    >>> frequency = np.geomspace(1e3, 100e3, 12)
    >>> w = 2j * np.pi * frequency
    >>> spectrum = fit_phasors(
    ...     [-3 + 2 / (1 + w / 2e4) + 1 / (1 + w / 3e5)], frequency=frequency, noise=1e-4
    ... )
    >>> spectrum.outcome, (1e-3 * spectrum.rates).round(1).tolist()
    ('fitted', [20.0, 300.0])
    """
    given = np.asarray(phasors)
    if given.dtype.kind not in "iufc":
        msg = f"Invalid phasors of dtype {given.dtype}. Must be complex numbers."
        raise TypeError(msg)
    shape = ("n_places", "n_frequencies")
    parts = [check_array(part, "phasors", shape) for part in (given.real, given.imag)]
    n_frequencies = parts[0].shape[1]
    tones = check_array(frequency, "frequency", (n_frequencies,))
    check_increasing(tones, "frequency")
    if n_frequencies < 2 or not len(given):
        msg = (
            f"Invalid phasors with shape {given.shape}. Must have a place and two frequencies."
        )
        raise ValueError(msg)
    check_positive(tones[0], "frequency")
    omega = 2 * math.pi * tones
    ends = (0.1 * omega[0], 10 * omega[-1]) if rates is None else rates
    low, high = check_increasing(check_array(ends, "rates", (2,)), "rates")
    check_positive(low, "rates")
    grid = np.geomspace(low, high, check_count(n_grid, "n_grid", least=2))

    def courses(trial: Floats) -> Floats:
        response = 1 / (1 + 1j * omega / trial[:, None])
        return np.concatenate([response.real, response.imag], axis=1)

    constant = np.concatenate([np.ones(n_frequencies), np.zeros(n_frequencies)])[None]
    spread = np.tile(_check_noise(noise, n_frequencies), 2)
    options = (check_not_negative(ridge, "ridge"), check_count(most, "most"), least_signal)
    return _fit(courses, np.concatenate(parts, axis=1), constant, spread, grid, options)


def _check_noise(noise: npt.ArrayLike, n_values: int) -> Floats:
    """Return a standard deviation for each value."""
    spread = check_array(noise, "noise", () if np.ndim(noise) == 0 else (n_values,))
    if (spread <= 0).any():
        msg = f"Invalid noise '{spread.min()}'. Must be greater than zero."
        raise ValueError(msg)
    return np.broadcast_to(spread, n_values)


def _check_gates(train: Any, times: npt.ArrayLike | None, n_gates: int) -> tuple[Any, Floats]:
    """Return the train or None, and the times of plain exponentials."""
    if (train is None) == (times is None):
        found = "neither" if train is None else "both"
        msg = f"Invalid train and times: {found} given. Must be one of them."
        raise TypeError(msg)
    if times is not None:
        instants = check_array(times, "times", (n_gates,))
        check_positive(check_increasing(instants, "times")[0], "times")
        return None, instants
    if len(check_train(train).gates) != n_gates:
        msg = (
            f"Invalid train with {len(train.gates)} gates for decays of {n_gates}. Must have "
            "a gate for each."
        )
        raise ValueError(msg)
    return train, np.empty(0)


def _fit(
    courses: Courses,
    data: Floats,
    columns: Floats,
    spread: Floats,
    grid: Floats,
    options: tuple[float, int, float],
) -> RelaxationSpectrum:
    """Return rates that all rows of data share, off columns of any sign."""
    ridge, most, least_signal = options
    least_signal = check_number(least_signal, "least_signal")
    if np.linalg.matrix_rank(columns / spread) < len(columns):
        msg = f"Invalid columns: {len(columns)} that depend on each other, or are zero."
        raise ValueError(msg)
    axes = np.linalg.qr((columns / spread).T)[0]

    def off_columns(values: Floats) -> Floats:
        scaled = values / spread
        return np.asarray(scaled - (scaled @ axes) @ axes.T)

    def seen(rates: Floats) -> Floats:
        return off_columns(courses(rates))

    rows, design = off_columns(data), seen(grid)
    is_seen = np.linalg.norm(design, axis=1) > 0
    if not is_seen.all():
        rate = float(grid[~is_seen][0])
        msg = (
            f"Invalid range of rates: nothing is left of {rate:.3g} 1/s beside the columns and "
            "the noise. Must be rates that the data could show: give a narrower range."
        )
        raise ValueError(msg)
    n_places, n_values = len(rows), len(rows) * (rows.shape[1] - len(columns))
    on_grid = spectrum_on_grid(design, rows, ridge)
    groups = np.linalg.norm(on_grid, axis=0) * np.linalg.norm(design, axis=1)
    # one number less than the data, or nothing could contradict the fit
    most = min(most, (n_values - 1) // (n_places + 1))
    start = merge_neighbours(grid, groups)
    shared = shared_rates(seen, rows, grid, start, n_values, most)
    rates, amplitudes = shared.rates, shared.amplitudes
    n_numbers = len(rates) * (n_places + 1)
    freedom = n_values - n_numbers
    explained = max(float((rows**2).sum()) - shared.misfit, 1e-30)
    signal = 10 * math.log10(explained / max(n_numbers, 1))
    is_misfit = shared.misfit > freedom + _MOST_MISFIT * math.sqrt(2 * freedom)
    reason = ""
    if most == 0:
        reason = f"{n_values} values beside the columns cannot contradict a rate"
    elif not len(rates) and not is_misfit:
        reason = "no rate stands out of the noise"
    elif len(rates) and signal < least_signal:
        reason = f"signal-to-noise ratio of {signal:.1f} dB, below {least_signal:g} dB"
    elif is_misfit:
        times = math.sqrt(shared.misfit / freedom)
        number = f"{len(rates)} " if len(rates) else ""
        reason = f"no sum of {number}relaxations: the misfit is {times:.2g} times the noise"
    rest = (data - amplitudes @ courses(rates)) / spread
    offsets = np.linalg.lstsq((columns / spread).T, rest.T, rcond=None)[0].T
    return RelaxationSpectrum(
        outcome="cannot analyse" if reason else "fitted",
        reason=reason,
        rates=rates,
        rate_errors=rate_errors(seen, shared),
        is_at_edge=(rates < (1 + _EDGE) * grid[0]) | (rates > (1 - _EDGE) * grid[-1]),
        amplitudes=amplitudes,
        offsets=np.asarray(offsets),
        residual=math.sqrt(shared.misfit / freedom),
        signal_to_noise=signal,
        grid=grid,
        on_grid=on_grid,
    )
