"""How the amplitudes of clutter are distributed: quantiles, tails, Weibull and K laws."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..._validation import check_array
from ...sweep import Floats
from .missing import Missing, TooFewError, told
from .section import SLICES, RadarSection

#: Shares below which the quantiles of an amplitude law are told.
SHARES = (0.05, 0.25, 0.5, 0.75, 0.95, 0.99)

_LEAST = 30  # amplitudes for a shape
_ENOUGH = 500  # amplitudes for the law of a slice


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AmplitudeLaw:
    """How the envelope in one slice of depth is distributed, over its own spread."""

    amplitude: Floats  #: (n,) envelope over its root mean square at the same time, sorted
    quantiles: Floats  #: (6,) of `amplitude` at SHARES
    weibull: float  #: shape of a Weibull law; 2 for Gaussian clutter, less for heavy tails
    texture: float  #: inverse shape of a K law; 0 for Gaussian clutter, more for heavy tails


def envelope(samples: npt.ArrayLike) -> Floats:
    r"""
    Return the magnitude of the analytic signal along the last axis.

    Parameters
    ----------
    samples : (..., n) array_like
        Real values, regular in time.

    Returns
    -------
    envelope : (..., n) float64 ndarray
        In the unit of the samples.

    Raises
    ------
    TypeError, ValueError
        If samples are not real numbers or not finite.

    Notes
    -----
    :math:`|x + i \mathcal{H} x|`: negative frequencies are removed and positive ones doubled
    in the discrete transform, which takes the record as periodic.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.synthetic.realism import envelope
    >>> envelope(np.cos(2 * np.pi * np.arange(8) / 4)).round(12).tolist()
    [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]
    """
    values = np.asarray(samples)
    values = check_array(values, "samples", tuple(f"n_{k}" for k in range(values.ndim)))
    n = values.shape[-1]
    twice = np.zeros(n)
    twice[0] = 1.0
    twice[1 : (n + 1) // 2] = 2.0
    if n % 2 == 0:
        twice[n // 2] = 1.0
    return np.abs(np.fft.ifft(np.fft.fft(values) * twice))


def weibull_shape(amplitudes: npt.ArrayLike) -> float:
    r"""
    Estimate the shape of a Weibull law by maximum likelihood.

    Parameters
    ----------
    amplitudes : (n,) array_like
        Greater than zero, in any unit.

    Returns
    -------
    shape : float
        2 for the envelope of Gaussian clutter, 1 for an exponential law, less for heavier
        tails.

    Raises
    ------
    TypeError, ValueError
        If an amplitude is not a finite number greater than zero, or all are the same.
    TooFewError
        If there are fewer than thirty.

    Notes
    -----
    The density :math:`(c/b) (x/b)^{c-1} e^{-(x/b)^c}` is most likely where

    .. math:: \frac{\sum x^c \ln x}{\sum x^c} - \frac{1}{c} - \frac{1}{n} \sum \ln x = 0

    [1]_, whose left side increases with :math:`c`; solved by Newton's method from
    :math:`c = \pi / (\sqrt{6}\, s)` with the standard deviation :math:`s` of
    :math:`\ln x`. For independent amplitudes the standard error is about
    :math:`0.78\, c / \sqrt{n}`.

    References
    ----------
    .. [1] Cohen, A. C. (1965). Maximum likelihood estimation in the Weibull distribution
       based on complete and on censored samples. *Technometrics*, 7(4), 579-588.
       https://doi.org/10.1080/00401706.1965.10490300

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.synthetic.realism import weibull_shape
    >>> amplitudes = np.random.default_rng(seed=0).rayleigh(size=10_000)
    >>> abs(weibull_shape(amplitudes) - 2) < 0.05
    True
    """
    logs = np.log(_check_amplitudes(amplitudes))
    logs -= logs.mean()
    shape = np.pi / (np.sqrt(6) * logs.std())
    for _ in range(60):
        weight = np.exp(shape * (logs - logs.max()))
        weight /= weight.sum()
        mean = weight @ logs
        value = mean - 1 / shape
        slope = weight @ (logs - mean) ** 2 + 1 / shape**2
        step = value / slope
        shape = max(shape - step, shape / 4)
        if abs(step) < 1e-10 * shape:
            break
    return float(shape)


def k_texture(amplitudes: npt.ArrayLike) -> float:
    r"""
    Estimate the inverse shape of a K law by moments of logarithms.

    Parameters
    ----------
    amplitudes : (n,) array_like
        Envelope, greater than zero, in any unit.

    Returns
    -------
    texture : float
        :math:`1/\nu`, the relative variance of the local power: 0 for Gaussian clutter.
        Chance makes it a little negative there, and tails lighter than those do.

    Raises
    ------
    TypeError, ValueError
        As :func:`weibull_shape`.
    TooFewError
        If there are fewer than thirty.

    Notes
    -----
    With intensity :math:`I = x^2`, exponential around a local power that is gamma with shape
    :math:`\nu`,

    .. math:: \frac{\langle I \ln I \rangle}{\langle I \rangle} - \langle \ln I \rangle - 1
        = \frac{1}{\nu}

    exactly [1]_. It is invariant to the unit of the amplitudes.

    References
    ----------
    .. [1] Blacknell, D. and Tough, R. J. A. (2001). Parameter estimation for the
       K-distribution based on [z log(z)]. *IEE Proceedings - Radar, Sonar and Navigation*,
       148(6). https://doi.org/10.1049/ip-rsn:20010720

    Examples
    --------
    Gaussian clutter, then the same with a power that is gamma with shape 2:

    >>> import numpy as np
    >>> from minesense.synthetic.realism import k_texture
    >>> rng = np.random.default_rng(seed=0)
    >>> amplitudes = rng.rayleigh(size=50_000)
    >>> abs(k_texture(amplitudes)) < 0.02
    True
    >>> power = rng.gamma(2.0, size=50_000)
    >>> abs(k_texture(np.sqrt(power) * amplitudes) - 0.5) < 0.05
    True
    """
    intensity = _check_amplitudes(amplitudes) ** 2
    intensity /= intensity.mean()
    logs = np.log(intensity)
    return float((intensity * logs).mean() - logs.mean() - 1)


def ks_distance(one: npt.ArrayLike, other: npt.ArrayLike) -> float:
    r"""
    Return the greatest difference between two empirical distributions.

    Parameters
    ----------
    one, other : (n,), (m,) array_like
        Values of each.

    Returns
    -------
    distance : float
        Of Kolmogorov and Smirnov, 0 to 1: :math:`\max_x |F_1(x) - F_2(x)|`.

    Raises
    ------
    TypeError, ValueError
        If a value is not a finite number.
    TooFewError
        If there are fewer than thirty of one.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.synthetic.realism import ks_distance
    >>> round(ks_distance(np.arange(100.0), np.arange(100.0) + 25), 6)
    0.25
    """
    values = [
        np.sort(check_array(x, name, ("n",))) for x, name in ((one, "one"), (other, "other"))
    ]
    for x in values:
        _enough(len(x), _LEAST)
    every = np.concatenate(values)
    shares = [np.searchsorted(x, every, side="right") / len(x) for x in values]
    return float(np.abs(shares[0] - shares[1]).max())


def amplitude_laws(section: RadarSection) -> tuple[AmplitudeLaw | Missing, ...]:
    """
    Return how the envelope is distributed in every slice of depth.

    Parameters
    ----------
    section : RadarSection
        Of :func:`radar_section`.

    Returns
    -------
    laws : tuple of AmplitudeLaw or Missing
        One for each of SLICES. The envelope is that of :func:`level_envelope`, divided by its
        root mean square over the lane at the same time and channel, so that neither the
        decay within a slice nor a gain of the recorder widens the law.

    Examples
    --------
    >>> from minesense.synthetic import cart, field, scenario
    >>> from minesense.synthetic.realism import amplitude_laws, radar_section
    >>> made = field(scenario("prepared", lanes={"length": 1.0, "run_in": 0.5}), seed=1)
    >>> radar, _ = made.sweep(cart(n_antennas=4, n_coils=1), lanes=["lane 01"])
    >>> law = amplitude_laws(radar_section(radar))[1]
    >>> 1.0 < law.weibull < 3.0
    True
    """
    amplitude = level_envelope(section)[0]
    spread = np.sqrt((amplitude**2).mean(axis=0))
    return tuple(told(_law, section, amplitude, spread, limits) for limits in SLICES)


def level_envelope(section: RadarSection) -> tuple[Floats, Floats]:
    r"""
    Return the envelope of a section at one level for all times, and the level.

    Parameters
    ----------
    section : RadarSection
        Of :func:`radar_section`.

    Returns
    -------
    envelope : (n_traces, n_channels, n_samples) float64 ndarray
        Of the residual over its level.
    level : (n_channels, n_samples) float64 ndarray
        Root mean square of the residual over the lane and over one period of time, in the
        unit of the samples; zero where all traces are the same.

    Notes
    -----
    The quadrature of a sample is made of all others, :math:`1 / \pi t` away: without levelling
    first, a direct wave a thousand times as strong is felt throughout the record.

    Examples
    --------
    >>> from minesense.synthetic import cart, field, scenario
    >>> from minesense.synthetic.realism import level_envelope, radar_section
    >>> made = field(scenario("prepared", lanes={"length": 1.0, "run_in": 0.5}), seed=1)
    >>> radar, _ = made.sweep(cart(n_antennas=2, n_coils=1), lanes=["lane 01"])
    >>> values, level = level_envelope(radar_section(radar))
    >>> 1.2 < float((values**2).mean()) < 2.8
    True
    """
    width = max(1, round(section.period / section.interval))
    kernel = np.ones(width)
    count = np.convolve(np.ones(len(section.time)), kernel, "same")
    power = (section.residual.astype(np.float64) ** 2).mean(axis=0)
    level = np.sqrt([np.convolve(row, kernel, "same") / count for row in power])
    return envelope(section.residual / np.where(level > 0, level, 1.0)), level


def _law(
    section: RadarSection, amplitude: Floats, spread: Floats, limits: tuple[float, float]
) -> AmplitudeLaw:
    """Return the law of one slice."""
    inside = section.samples_of(*limits)
    if not (spread[:, inside] > 0).all():
        msg = "all traces are the same in part of the slice"
        raise TooFewError(msg)
    values = np.sort((amplitude[..., inside] / spread[:, inside]).ravel())
    _enough(len(values), _ENOUGH)
    values = np.maximum(values, 1e-6)  # an exact zero of the converter has no logarithm
    return AmplitudeLaw(
        amplitude=values,
        quantiles=np.quantile(values, SHARES),
        weibull=weibull_shape(values),
        texture=k_texture(values),
    )


def _check_amplitudes(amplitudes: npt.ArrayLike) -> Floats:
    """Return amplitudes that are greater than zero, enough of them, and not all the same."""
    values = check_array(amplitudes, "amplitudes", ("n",))
    _enough(len(values), _LEAST)
    if (values <= 0).any():
        first = float(values[values <= 0][0])
        msg = f"Invalid amplitudes: one is '{first}'. Must be greater than zero."
        raise ValueError(msg)
    if values.min() == values.max():
        msg = f"Invalid amplitudes: all are '{float(values[0])}'. Must differ."
        raise ValueError(msg)
    return values


def _enough(n: int, least: int) -> None:
    """Raise if there are too few amplitudes."""
    if n < least:
        msg = f"{n} amplitudes: at least {least} are needed"
        raise TooFewError(msg)
