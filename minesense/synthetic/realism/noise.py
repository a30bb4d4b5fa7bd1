"""How quiet the recorder is beside the direct wave."""

from __future__ import annotations

import numpy as np

from ...sweep import Sweep
from .kept import is_kept, rows_of
from .missing import TooFewError
from .section import below_band, check_sampled

_LEAST_PAIRS = 30


def noise_floor(sweep: Sweep) -> float:
    r"""
    Return the noise of a radar lane in its quietest period against its direct wave.

    Parameters
    ----------
    sweep : Sweep
        A radar lane, as recorded.

    Returns
    -------
    floor : float
        In dB, negative.

    Raises
    ------
    TypeError, ValueError
        If the sensor is not a radar with a regular axis in seconds and a centre frequency.
    TooFewError
        If fewer than thirty usable traces have a neighbour, there is no direct wave, or
        neighbours are the same in some period, so that the converter hides the noise.

    Notes
    -----
    With neighbouring traces :math:`x_i` below 2.3 times the centre frequency, less their
    medians,

    .. math:: 20 \log_{10} \frac
        {\min_w \sqrt{\langle (d_i - \langle d_i \rangle_w)^2 \rangle / 2}}
        {\max_t |\langle x_i \rangle|}, \qquad d_i = x_{i+1} - x_i,

    over windows :math:`w` of one period, those before the direct wave among them and half a
    period at both ends of the record left out, where the filter lacks neighbours. The level of
    a trace in a window, wow, is no noise. Clutter that changes from trace to trace counts,
    hence it is no less than the noise; a clipped direct wave raises it, a gain after it does
    not lower it.

    Examples
    --------
    >>> from minesense.synthetic import cart, field, scenario
    >>> from minesense.synthetic.realism import noise_floor
    >>> made = field(scenario("prepared", lanes={"length": 1.0, "run_in": 0.5}), seed=1)
    >>> radar, _ = made.sweep(cart(n_antennas=2, n_coils=1), lanes=["lane 01"])
    >>> -70 < noise_floor(radar) < -50
    True
    """
    step, frequency = check_sampled(sweep)
    kept = is_kept(sweep)
    beside = np.diff(rows_of(sweep)[0][kept]) == 1
    if beside.sum() < _LEAST_PAIRS:
        msg = f"{int(beside.sum())} traces with a neighbour: at least {_LEAST_PAIRS} are needed"
        raise TooFewError(msg)
    samples = sweep.samples[kept]
    traces = below_band(samples - np.median(samples, axis=2, keepdims=True), step, frequency)
    width = max(4, round(1 / (frequency * step)))
    differences = np.diff(traces, axis=0)[beside][:, :, width // 2 :].astype(np.float64)
    n_windows = (differences.shape[2] - width // 2) // width
    windows = differences[:, :, : n_windows * width].reshape(*differences.shape[:2], -1, width)
    power = windows.var(axis=3).mean(axis=(0, 1)) / 2
    direct = float(np.abs(traces.mean(axis=0, dtype=np.float64)).max())
    quietest = float(power.min()) if n_windows > 0 else 0.0
    if not (direct > 0 and quietest > 0):
        msg = "neighbouring traces are the same, or there is no direct wave"
        raise TooFewError(msg)
    return float(10 * np.log10(quietest) - 20 * np.log10(direct))
