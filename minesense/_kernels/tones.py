"""Kernel of a sum of tones: a trace in time from phasors at any frequencies."""

from ._jit import jit


@jit
def sum_tones(samples, is_usable, empty, factors, cosines, sines, phasors, out):
    """
    Give the real part of the sum of calibrated phasors times their waves.

    Parameters
    ----------
    samples : (n_traces, n_channels, 2 n_tones) float32 array
        In-phase and quadrature in turn.
    is_usable : (n_traces,) bool array
        Traces that are not give zero.
    empty, factors : (n_channels, 2 n_tones) float64 array
        What is subtracted from each phasor, and what the rest is multiplied by.
    cosines, sines : (n_tones, n_samples) float32 array
        Of the phase of each tone at each time.
    phasors : (8, 2 n_tones) float32 array
        Overwritten.
    out : (n_traces, n_channels, n_samples) float32 array
        Overwritten.
    """
    n_traces, n_channels, n_values = samples.shape
    n_samples = out.shape[2]
    n_tones = n_values // 2
    # eight traces share a row of the tables while it is in the first-level cache; each
    # trace adds up its tones in the same order, whatever stands beside it
    for first in range(0, n_traces, len(phasors)):
        n = min(len(phasors), n_traces - first)
        for c in range(n_channels):
            for i in range(n):
                result = out[first + i, c]
                for j in range(n_samples):
                    result[j] = 0.0
                if not is_usable[first + i]:
                    continue
                trace = samples[first + i, c]
                for k in range(n_tones):
                    real = trace[2 * k] - empty[c, 2 * k]
                    imag = trace[2 * k + 1] - empty[c, 2 * k + 1]
                    gain = factors[c, 2 * k]
                    turn = factors[c, 2 * k + 1]
                    phasors[i, 2 * k] = real * gain - imag * turn
                    phasors[i, 2 * k + 1] = real * turn + imag * gain
            for k in range(n_tones):
                cosine = cosines[k]
                sine = sines[k]
                for i in range(n):
                    if is_usable[first + i]:
                        real32 = phasors[i, 2 * k]
                        imag32 = phasors[i, 2 * k + 1]
                        result = out[first + i, c]
                        for j in range(n_samples):
                            result[j] += real32 * cosine[j] - imag32 * sine[j]
