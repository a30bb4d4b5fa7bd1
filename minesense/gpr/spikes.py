"""Take short spikes out of radar traces, and say where they were."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .._kernels.sliding_in_time import replace_outliers
from .._validation import check_not_negative, check_positive
from ..sensor import Sensor
from ..stage import Flags, LaneStage, run_lane
from ..sweep import Quality, Samples, Sweep
from .preprocess import check_radar, half_width_of, silence_unusable, windows_side_by_side


def despike(
    sweep: Sweep, *, window: float, longest: float, threshold: float = 6.0, floor: float = 0.1
) -> Sweep:
    r"""
    Replace short spikes in each trace by the median of the samples around them.

    Parameters
    ----------
    sweep : Sweep
        A radar lane.
    window : float
        Length over which median and spread are taken, in seconds of two-way time: about a
        period of the centre frequency. In a longer one lobes of a strong echo stand out of
        the quiet around them, as spikes do.
    longest : float
        Longest run of outliers that is a spike, in seconds, less than half the window.
        Choose it less than a quarter period of the centre frequency: what lasts longer is
        signal, and stays.
    threshold : float
        Distance from the median, in spreads, above which a sample is an outlier.
    floor : float
        Least spread, as a share of the median spread of the trace.

    Returns
    -------
    cleaned : Sweep
        In the unit of the sweep. A trace in which samples were replaced has the flags
        INTERFERENCE and RESTORED; all other traces, and all other samples, are unchanged.

    Raises
    ------
    TypeError, ValueError
        If an option is not finite or out of its range, `window` is shorter than three
        samples or longer than the trace, `longest` is shorter than a sample or not less
        than half the window, or the sensor is not a radar with a regular axis in s.

    Notes
    -----
    The filter named after Hampel [1]_ [2]_. With :math:`W_t` the samples at most half a
    window from :math:`t`, fewer at the ends of a trace,

    .. math:: m_t = \operatorname{median} W_t, \qquad
        s_t = 1.4826 \operatorname{median} \{|x_u - m_t| : x_u \in W_t\},

    sample :math:`t` is an outlier where
    :math:`|x_t - m_t| > \theta \max(s_t, \phi\, s)`, with :math:`s` the lower median of
    those :math:`s_t` of the trace that are above zero. A run of at most `longest` outliers
    is replaced by :math:`m_t`. The first flank of a strong echo is an outlier as well, which
    is why longer runs stay. Each trace by itself.

    References
    ----------
    .. [1] Hampel, F. R. (1974). The influence curve and its role in robust estimation.
       *Journal of the American Statistical Association*, 69(346), 383-393.
       https://doi.org/10.1080/01621459.1974.10482962
    .. [2] Pearson, R. K. (2002). Outliers in process modeling and identification. *IEEE
       Transactions on Control Systems Technology*, 10(1), 55-63.
       https://doi.org/10.1109/87.974338

    Examples
    --------
    >>> axis = 1e-10 * np.arange(40)
    >>> sensor = Sensor(name="demo", kind="gpr", axis=axis, lever_arms=[[0, 0, 0]])
    >>> samples = np.sin(np.arange(40) / 5)[None, None].repeat(2, axis=0)
    >>> samples[1, 0, 20] += 30.0
    >>> sweep = Sweep(
    ...     samples=samples,
    ...     time=[0.0, 1.0],
    ...     position=np.zeros((2, 3)),
    ...     heading=[0.0, 0.0],
    ...     sensor=sensor,
    ... )
    >>> cleaned = despike(sweep, window=1.1e-9, longest=2e-10)
    >>> bool(abs(cleaned.samples[1, 0, 20]) < 1)
    True
    >>> (cleaned.quality & Quality.INTERFERENCE != 0).tolist()
    [False, True]
    """
    stage = Despike(window=window, longest=longest, threshold=threshold, floor=floor)
    return run_lane(stage, sweep)


class Despike(LaneStage):
    """
    Streaming form of :func:`despike`, with its options. Each trace by itself.

    After each call of `process`, `n_replaced` (n_traces, n_channels) says how many samples
    of the traces that it returned were replaced.
    """

    n_replaced: npt.NDArray[np.int64]

    def __init__(
        self, *, window: float, longest: float, threshold: float = 6.0, floor: float = 0.1
    ):
        self.window = check_positive(window, "window")
        self.longest = check_positive(longest, "longest")
        self.threshold = check_positive(threshold, "threshold")
        self.floor = check_not_negative(floor, "floor")
        super().__init__(
            window=self.window,
            longest=self.longest,
            threshold=self.threshold,
            floor=self.floor,
        )

    def reset(self) -> None:
        """Drop the lane."""
        super().reset()
        self.n_replaced = np.zeros((0, 0), np.int64)

    def _begin(self, sensor: Sensor) -> None:
        step, n_samples = check_radar(sensor), sensor.shape[1]
        self._half_width = half_width_of(self.window, sensor)
        self._longest = round(self.longest / step)
        if not 1 <= self._longest <= self._half_width:
            msg = (
                f"Invalid longest '{self.longest}'. Must be at least a sample of {step:.4g} s "
                f"and less than half the window, {self.window / 2:.4g} s."
            )
            raise ValueError(msg)
        tile, window, rows = windows_side_by_side(3, self._half_width, n_samples)
        self._scratch = tile, window, rows, np.empty((65, n_samples), np.float32)

    def _advance(
        self, samples: Samples, is_usable: npt.NDArray[np.bool_]
    ) -> tuple[Samples, Flags | None]:
        cleaned = np.empty_like(samples)
        n_replaced = np.empty(samples.shape[:2], np.int64)
        replace_outliers(
            silence_unusable(samples, is_usable).reshape(-1, samples.shape[2]),
            self._half_width,
            1.4826 * self.threshold,
            self.floor,
            self._longest,
            *self._scratch,
            cleaned.reshape(-1, samples.shape[2]),
            n_replaced.ravel(),
        )
        self.n_replaced = n_replaced
        changed = Quality.INTERFERENCE | Quality.RESTORED
        return cleaned, np.where(n_replaced.any(axis=1), int(changed), 0)
