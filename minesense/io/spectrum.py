"""The centre frequency of an antenna whose recording does not name it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .._validation import check_positive, check_real, check_shape

_MOST_TRACES = 1024  # evenly spaced ones tell enough, and bound time and memory
_BATCH = 64  # traces transformed in one go
_PADDING = 4


def estimate_centre_frequency(samples: npt.ArrayLike, sample_interval: float) -> float:
    r"""
    Estimate the centre frequency of a radar from the spectrum of its traces.

    Parameters
    ----------
    samples : (n_traces, n_channels, n_samples) array_like
        Traces, in any linear unit.
    sample_interval : float
        Time between samples, in seconds.

    Returns
    -------
    frequency : float
        Centre frequency, in hertz. It is an estimate of what was received: soil lowers
        it against the nominal frequency of the antenna.

    Raises
    ------
    TypeError, ValueError
        If samples are not real numbers on three axes, fewer than four to a trace, not
        finite, or all constant; if the interval is not finite and greater than zero.

    Notes
    -----
    With :math:`A(f)` the mean over traces and channels of the amplitude spectrum, each
    trace less its mean and padded with zeros to four times its length, and :math:`B` the
    connected band around the maximum of :math:`A` in which :math:`A \ge \max A / 2`, the
    estimate is

    .. math:: f_c = \sum_{f \in B} f A^2(f) \Big/ \sum_{f \in B} A^2(f),

    so that scaling the traces changes nothing and scaling time scales it. Of more than
    1024 traces, 1024 evenly spaced ones are used.

    Examples
    --------
    >>> t = 1e-10 * np.arange(256)
    >>> pulse = np.exp(-(((t - 8e-9) / 1.5e-9) ** 2)) * np.cos(2 * np.pi * 400e6 * t)
    >>> round(estimate_centre_frequency(pulse[None, None], 1e-10) / 1e6)
    400
    """
    traces = check_shape(
        check_real(samples, "samples"), "samples", ("n_traces", "n_channels", "n_samples")
    )
    sample_interval = check_positive(sample_interval, "sample_interval")
    if traces.shape[2] < 4 or not traces.shape[0] * traces.shape[1]:
        msg = (
            f"Invalid samples with shape {traces.shape}. Must hold at least one usable "
            "trace of four samples, or pass centre_frequency."
        )
        raise ValueError(msg)
    if len(traces) > _MOST_TRACES:
        chosen = np.linspace(0, len(traces) - 1, _MOST_TRACES).astype(np.int64)
        traces = traces[chosen]
    traces = traces.reshape(-1, traces.shape[2]).astype(np.float64)
    if not np.isfinite(traces).all():
        msg = "Invalid samples: some are NaN or infinite. Must be finite."
        raise ValueError(msg)
    traces /= np.abs(traces).max() or 1.0  # squares of large floats would overflow
    traces -= traces.mean(axis=1, keepdims=True)
    n_padded = _PADDING * traces.shape[1]  # few bins of a short window span the band
    amplitude = np.zeros(n_padded // 2 + 1)
    for start in range(0, len(traces), _BATCH):
        spectra = np.fft.rfft(traces[start : start + _BATCH], n_padded, axis=1)
        amplitude += np.abs(spectra).sum(axis=0)
    amplitude /= len(traces)
    peak = int(np.argmax(amplitude))
    if amplitude[peak] < 1e-9:
        msg = "Invalid samples: all traces are constant. Must vary, or pass centre_frequency."
        raise ValueError(msg)
    low = np.flatnonzero(amplitude[:peak] < amplitude[peak] / 2)
    high = np.flatnonzero(amplitude[peak:] < amplitude[peak] / 2)
    start = low[-1] + 1 if len(low) else 0
    stop = peak + high[0] if len(high) else len(amplitude)
    power = amplitude[start:stop] ** 2
    frequency = np.fft.rfftfreq(n_padded, sample_interval)[start:stop]
    return float((frequency * power).sum() / power.sum())
