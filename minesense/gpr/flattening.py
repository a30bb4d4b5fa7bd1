"""Even out the spectrum of radar traces inside a band: whitening along two-way time."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from .._kernels.flattening import flatten_spectra
from .._validation import check_not_negative, check_positive
from ..sensor import Sensor
from ..stage import Flags, LaneStage, run_lane
from ..sweep import Samples, Sweep
from .preprocess import check_radar

#: Traces transformed at a time: with their spectra they fit the second-level cache.
_N_BLOCK = 128

#: The FFT takes as many traces side by side as a vector register holds, at most 16, and
#: the rest one by one, perhaps rounded otherwise. Whole groups make every trace one of many.
_N_GROUP = 16


def flatten_spectrum(
    sweep: Sweep,
    *,
    low: float,
    high: float,
    taper: float,
    smoothing: float,
    water_level: float = 0.01,
) -> Sweep:
    r"""
    Even out the amplitude spectrum of each trace inside a band, without delay.

    Parameters
    ----------
    sweep : Sweep
        A radar lane, best without drift (:func:`~minesense.gpr.preprocess.dewow`).
    low, high : float
        Edges of the band, in Hz, where nothing is left.
    taper : float
        Width over which the band rises from `low` and falls to `high`, in Hz, at most half
        the band.
    smoothing : float
        Width over which amplitudes are averaged, in Hz: at least twice one over the length
        of the trace, and less than the band.
    water_level : float
        Least averaged amplitude that counts, as a share of the greatest in the band, above
        0 and up to 1: what is weaker is not raised to the same height.

    Returns
    -------
    flat : Sweep
        Traces with a flat spectrum, in the unit of the sweep.

    Raises
    ------
    TypeError, ValueError
        If `low` and `high` do not fulfil 0 < low < high < Nyquist frequency, another option
        is out of its range, or the sensor is not a radar with a regular axis in s.

    Notes
    -----
    With :math:`X` the Fourier transform of a trace, followed by zeros over one over
    `smoothing`, :math:`T` the taper (halves of a cosine at both edges), the mean
    :math:`S(f)` of :math:`|X|` over `smoothing` around :math:`f`, and the water level
    :math:`\lambda`

    .. math:: Y(f) = c \, \frac{T(f)}{\max(S(f), \lambda \max_{band} S)} \, X(f), \qquad
        \sum |Y|^2 = \sum |T X|^2 .

    The division by a smooth spectrum is that of Bensen et al. [1]_, the level that of
    Clayton and Wiggins [2]_. The gain is real: the phase of every frequency stays, and
    echoes where they are. :math:`c` keeps the energy that the trace had in the band, so that
    :math:`k` times a trace gives :math:`k` times the result, and strong traces stay strong.
    With `water_level` 1 only the taper is left. What adds in the flat spectrum is noise
    where the pulse was weak: widen the band no further than it reaches. Each trace by
    itself.

    References
    ----------
    .. [1] Bensen, G. D. et al. (2007). Processing seismic ambient noise data to obtain
       reliable broad-band surface wave dispersion measurements. *Geophysical Journal
       International*, 169(3), 1239-1260, section 2.3.
       https://doi.org/10.1111/j.1365-246X.2007.03374.x
    .. [2] Clayton, R. W. and Wiggins, R. A. (1976). Source shape estimation and
       deconvolution of teleseismic bodywaves. *Geophysical Journal of the Royal
       Astronomical Society*, 47(1), 151-177.

    Examples
    --------
    >>> axis = 1e-10 * np.arange(200)
    >>> sensor = Sensor(name="demo", kind="gpr", axis=axis, lever_arms=[[0, 0, 0]])
    >>> phase = np.pi * 1e9 * (axis - 8e-9)
    >>> sweep = Sweep(
    ...     samples=((1 - 2 * phase**2) * np.exp(-(phase**2)))[None, None],
    ...     time=[0.0],
    ...     position=np.zeros((1, 3)),
    ...     heading=[0.0],
    ...     sensor=sensor,
    ... )
    >>> options = {"low": 0.2e9, "high": 2.4e9, "taper": 0.4e9, "smoothing": 0.3e9}
    >>> flat = flatten_spectrum(sweep, **options).samples[0, 0]
    >>> int(flat.argmax()), bool((flat > flat.max() / 2).sum() < 4)
    (80, True)
    """
    stage = FlattenSpectrum(
        low=low, high=high, taper=taper, smoothing=smoothing, water_level=water_level
    )
    return run_lane(stage, sweep)


class FlattenSpectrum(LaneStage):
    """Streaming form of :func:`flatten_spectrum`, with its options. Each trace by itself."""

    def __init__(
        self,
        *,
        low: float,
        high: float,
        taper: float,
        smoothing: float,
        water_level: float = 0.01,
    ):
        self.low = check_positive(low, "low")
        self.high = check_positive(high, "high")
        self.taper = check_not_negative(taper, "taper")
        self.smoothing = check_positive(smoothing, "smoothing")
        self.water_level = check_positive(water_level, "water_level")
        if self.low >= self.high:
            msg = f"Invalid low '{self.low}'. Must be less than high, {self.high} Hz."
            raise ValueError(msg)
        width = self.high - self.low
        if self.taper > width / 2:
            msg = (
                f"Invalid taper '{self.taper}'. Must be at most half the band, {width / 2} Hz."
            )
            raise ValueError(msg)
        if self.smoothing >= width:
            msg = (
                f"Invalid smoothing '{self.smoothing}'. Must be less than the band, {width} Hz."
            )
            raise ValueError(msg)
        if self.water_level > 1:
            msg = f"Invalid water_level '{self.water_level}'. Must be a share, at most 1."
            raise ValueError(msg)
        super().__init__(
            low=self.low,
            high=self.high,
            taper=self.taper,
            smoothing=self.smoothing,
            water_level=self.water_level,
        )

    def _begin(self, sensor: Sensor) -> None:
        from scipy import fft  # noqa: PLC0415 - slow to import

        step, n_samples = check_radar(sensor), sensor.shape[1]
        if self.high >= 0.5 / step:
            msg = (
                f"Invalid high '{self.high}'. Must be less than the Nyquist frequency, "
                f"{0.5 / step:.4g} Hz."
            )
            raise ValueError(msg)
        # to nine digits: what is exact in seconds and hertz need not be so in their product
        if round(self.smoothing * step * n_samples, 9) < 2:
            msg = (
                f"Invalid smoothing '{self.smoothing}'. Must be at least "
                f"{2 / (step * n_samples):.4g} Hz, twice one over the length of the trace."
            )
            raise ValueError(msg)
        # the gain reaches about one over its smoothing in time: nothing comes round the end
        n_padded = n_samples + math.ceil(round(1 / (self.smoothing * step), 9))
        self._n_fft = fft.next_fast_len(n_padded, real=True)
        frequency = np.arange(self._n_fft // 2 + 1) / (self._n_fft * step)
        band = np.flatnonzero((frequency > self.low) & (frequency < self.high))
        self._first = int(band[0])
        inside = np.minimum(frequency[band] - self.low, self.high - frequency[band])
        share = np.minimum(1.0, inside / self.taper) if self.taper else np.ones(len(band))
        self._taper = 0.5 - 0.5 * np.cos(np.pi * share)
        self._half_width = round((self.smoothing * self._n_fft * step - 1) / 2)
        self._sums = np.empty(len(frequency) + 1)

    def _advance(
        self, samples: Samples, is_usable: npt.NDArray[np.bool_]
    ) -> tuple[Samples, Flags | None]:
        from scipy import fft  # noqa: PLC0415 - slow to import

        flat = self._new_samples(samples.shape)
        n_samples = samples.shape[2]
        rows, out = (x.reshape(-1, n_samples) for x in (samples, flat))
        for start in range(0, len(rows), _N_BLOCK):
            block = rows[start : start + _N_BLOCK]
            padded = np.zeros((-(-len(block) // _N_GROUP) * _N_GROUP, self._n_fft), np.float32)
            padded[: len(block), :n_samples] = block
            spectra = fft.rfft(padded, overwrite_x=True)
            flatten_spectra(
                spectra,
                self._first,
                self._taper,
                self._half_width,
                self.water_level,
                self._sums,
            )
            result = fft.irfft(spectra, self._n_fft, overwrite_x=True)
            out[start : start + _N_BLOCK] = result[: len(block), :n_samples]
        return flat, None
