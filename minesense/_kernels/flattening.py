"""Kernels that even out the spectrum of each trace."""

import numpy as np

from ._jit import jit


@jit
def flatten_spectra(spectra, first, taper, half_width, level, sums):
    """
    Divide each spectrum by its smooth amplitude inside a band, and keep its energy there.

    Parameters
    ----------
    spectra : (n_traces, n_bins) complex64 array
        Overwritten with the flat spectra; zero outside the band.
    first : int
        First bin of the band.
    taper : (n_band,) float64 array
        What is to be left of each bin of the band, 0 to 1.
    half_width : int
        Bins on each side over which amplitudes are smoothed; fewer at the ends.
    level : float
        Least smooth amplitude that counts, as a share of the greatest in the band.
    sums : (n_bins + 1,) float64 array
        Overwritten.
    """
    n_traces, n_bins = spectra.shape
    n_band = len(taper)
    for i in range(n_traces):
        spectrum = spectra[i]
        sums[0] = 0.0
        for f in range(n_bins):
            real = np.float64(spectrum[f].real)
            imaginary = np.float64(spectrum[f].imag)
            sums[f + 1] = np.sqrt(real * real + imaginary * imaginary)
        for f in range(n_bins):
            sums[f + 1] += sums[f]
        greatest = 0.0
        for b in range(n_band):
            greatest = max(greatest, _mean_around(sums, first + b, half_width))
        before = after = 0.0
        for b in range(n_band):
            f = first + b
            amplitude = sums[f + 1] - sums[f]
            smooth = max(_mean_around(sums, f, half_width), level * greatest)
            gain = taper[b] / smooth if greatest > 0.0 else 0.0
            before += (taper[b] * amplitude) ** 2
            after += (gain * amplitude) ** 2
            spectrum[f] *= np.float32(gain)
        spectrum[:first] = 0.0
        spectrum[first + n_band :] = 0.0
        if after > 0.0:
            scale = np.float32(np.sqrt(before / after))
            for f in range(first, first + n_band):
                spectrum[f] *= scale


@jit
def _mean_around(sums, f, half_width):
    """Return the mean amplitude of the bins around one."""
    start = max(0, f - half_width)
    stop = min(len(sums) - 1, f + half_width + 1)
    return (sums[stop] - sums[start]) / (stop - start)
