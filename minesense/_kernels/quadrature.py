"""Kernels that turn traces into the parts of their analytic signals."""

import math

import numpy as np

from ._jit import jit


@jit
def delay_quarter_period(spectra):
    """
    Multiply spectra by -i in place: every sine lags by a quarter of its period.

    Parameters
    ----------
    spectra : (n_traces, n_frequencies) complex64 or complex128 array
        Of real traces, from frequency zero up.
    """
    n_traces, n_frequencies = spectra.shape
    for i in range(n_traces):
        for j in range(n_frequencies):
            value = spectra[i, j]
            spectra[i, j] = complex(value.imag, -value.real)


@jit
def magnitude(traces, quadrature, out):
    """
    Take the magnitude of traces and their quadratures.

    Parameters
    ----------
    traces, quadrature : (n_traces, n_samples) float32 array
        Real and imaginary parts of analytic signals.
    out : (n_traces, n_samples) float32 array
        Overwritten with the magnitudes.
    """
    n_traces, n_samples = traces.shape
    for i in range(n_traces):
        for j in range(n_samples):
            # float(x) would stay float32, whose square may overflow
            real, imaginary = np.float64(traces[i, j]), np.float64(quadrature[i, j])
            out[i, j] = math.sqrt(real * real + imaginary * imaginary)
