"""Gain along two-way time: the fixed one of lossy ground, and the automatic one of displays."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import numpy.typing as npt

from .._kernels.fast_time import divide_by_rms
from .._validation import check_not_negative, check_number, check_positive
from ..physics import wavenumber
from ..sensor import Sensor
from ..stage import Flags, LaneStage, run_lane
from ..sweep import Samples, Sweep
from ._window_sums import window_sums
from .preprocess import check_radar

#: Quantity of traces whose amplitudes no longer tell how strong an echo was.
EQUALISED = "equalised amplitude"


def loss_rate(permittivity: complex, *, frequency: float) -> float:
    r"""
    Compute how fast echoes fade with two-way time in lossy soil.

    Parameters
    ----------
    permittivity : complex
        Relative, of the soil; loss is a negative imaginary part.
    frequency : float
        At which it counts, Hz.

    Returns
    -------
    rate : float
        Share of the amplitude that is lost, in 1/s of two-way time.

    Raises
    ------
    TypeError, ValueError
        If the frequency is not greater than zero, or the permittivity is not finite, has a
        real part below 1 or a positive imaginary one.

    Notes
    -----
    With :math:`k = k' - i \alpha` a wave loses :math:`e^{-\alpha z}` on its way down and the
    same on its way back, while the two-way time is :math:`t = 2 z k' / \omega`:

    .. math:: e^{-2 \alpha z} = e^{-t \, \omega \alpha / k'} .

    Examples
    --------
    >>> from minesense.gpr import loss_rate
    >>> print(f"{loss_rate(9.0 - 0.9j, frequency=1e9):.4g}")
    3.134e+08
    """
    frequency = check_positive(frequency, "frequency")
    k = complex(np.asarray(wavenumber(frequency, permittivity)))
    return 2 * math.pi * frequency * -k.imag / k.real


def compensate_loss(
    sweep: Sweep, *, rate: float, ground_time: float, start: float, most: float = 60.0
) -> Sweep:
    r"""
    Undo spreading and loss: a fixed gain of two-way time, the same for every trace.

    Parameters
    ----------
    sweep : Sweep
        A radar lane.
    rate : float
        Loss of amplitude, in 1/s of two-way time, as of :func:`loss_rate`; 0 for spreading
        alone.
    ground_time : float
        Two-way time at which the pulse enters the ground, s.
    start : float
        Time after `ground_time` up to which the gain is one, s, greater than zero.
    most : float
        Greatest gain, dB.

    Returns
    -------
    compensated : Sweep
        Samples times the gain, in the unit of the sweep.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range or the sensor is not a radar with a regular axis in s.

    Notes
    -----
    With the time in the ground :math:`\tau = t - t_g`, its start :math:`\tau_0` and the rate
    :math:`a`

    .. math:: g(t) = \min\left(g_{most}, \frac{\tau}{\tau_0} \, e^{a (\tau - \tau_0)}\right)
        \quad \tau > \tau_0 , \qquad g(t) = 1 \quad \tau \le \tau_0 ,

    the spherical and exponential compensation of Yilmaz (2001, *Seismic Data Analysis*,
    section 1.4.2) for amplitudes that fall as :math:`e^{-a \tau} / \tau`. The curve is fixed:
    amplitudes can still be compared between traces, and the gain taken back. It is kept in
    the history of the sweep.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.gpr import compensate_loss
    >>> from minesense.sensor import Sensor
    >>> from minesense.sweep import Sweep
    >>> sensor = Sensor(
    ...     name="demo", kind="gpr", axis=1e-9 * np.arange(5), lever_arms=[[0, 0, 0]]
    ... )
    >>> sweep = Sweep(
    ...     samples=np.ones((1, 1, 5)),
    ...     time=[0.0],
    ...     position=np.zeros((1, 3)),
    ...     heading=[0.0],
    ...     sensor=sensor,
    ... )
    >>> compensate_loss(sweep, rate=0.0, ground_time=1e-9, start=1e-9).samples[0, 0]
    array([1., 1., 1., 2., 3.], dtype=float32)
    """
    stage = CompensateLoss(rate=rate, ground_time=ground_time, start=start, most=most)
    return run_lane(stage, sweep)


class CompensateLoss(LaneStage):
    """Streaming form of :func:`compensate_loss`, with its options. Each trace by itself."""

    def __init__(self, *, rate: float, ground_time: float, start: float, most: float = 60.0):
        self.rate = check_not_negative(rate, "rate")
        self.ground_time = check_number(ground_time, "ground_time")
        self.start = check_positive(start, "start")
        self.most = check_not_negative(most, "most")
        super().__init__(
            rate=self.rate, ground_time=self.ground_time, start=self.start, most=self.most
        )

    def _begin(self, sensor: Sensor) -> None:
        check_radar(sensor)
        late = np.maximum(sensor.axis - self.ground_time, self.start)
        most = self.most / 20 * math.log(10)  # in logarithms, where no exponential overflows
        grown = np.log(late / self.start) + self.rate * (late - self.start)
        self._gain = np.exp(np.minimum(grown, most)).astype(np.float32)

    def _advance(
        self, samples: Samples, is_usable: npt.NDArray[np.bool_]
    ) -> tuple[Samples, Flags | None]:
        return samples * self._gain, None


def equalise(sweep: Sweep, *, window: float, floor: float = 0.01) -> Sweep:
    r"""
    Make traces as strong at all times, for the eye: automatic gain.

    Parameters
    ----------
    sweep : Sweep
        A radar lane.
    window : float
        Length in which strength is measured, in seconds of two-way time.
    floor : float
        Least strength that counts, as a share of that of the whole trace, above 0 and up to
        1, so that silence is not blown up.

    Returns
    -------
    equalised : Sweep
        Without unit, about 1 in strength. What was a strong echo can no longer be told from
        a weak one: :func:`prescreen_energy` refuses it.

    Raises
    ------
    TypeError, ValueError
        If `window` is not finite and greater than zero, is shorter than three samples or
        longer than the trace, `floor` is not a share, or the sensor is not a radar with a
        regular axis in s.

    Notes
    -----
    With :math:`2 h + 1` the window in samples, rounded to an odd number, and :math:`T` the
    length of the trace,

    .. math:: y_t = x_t / \max(r_t, f r), \qquad
        r_t^2 = \operatorname{mean} \{x_u^2 : |u - t| \le h\}, \quad
        r^2 = \operatorname{mean} \{x_u^2 : 0 \le u < T\},

    over fewer samples at the ends of a trace (Yilmaz 2001, *Seismic Data Analysis*, section
    1.4.2, rms amplitude AGC). A trace of zeros stays one. Each trace by itself.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.gpr import equalise
    >>> from minesense.sensor import Sensor
    >>> from minesense.sweep import Sweep
    >>> sensor = Sensor(
    ...     name="demo", kind="gpr", axis=1e-9 * np.arange(8), lever_arms=[[0, 0, 0]]
    ... )
    >>> sweep = Sweep(
    ...     samples=np.array([[[8.0, -8, 8, -8, 1, -1, 1, -1]]]),
    ...     time=[0.0],
    ...     position=np.zeros((1, 3)),
    ...     heading=[0.0],
    ...     sensor=sensor,
    ... )
    >>> equalise(sweep, window=3e-9).samples[0, 0].astype(float).round(2).tolist()
    [1.0, -1.0, 1.0, -1.22, 0.21, -1.0, 1.0, -1.0]
    """
    return run_lane(Equalise(window=window, floor=floor), sweep)


class Equalise(LaneStage):
    """Streaming form of :func:`equalise`, with its options. Each trace by itself."""

    _at_once = True

    def __init__(self, *, window: float, floor: float = 0.01):
        self.window = check_positive(window, "window")
        self.floor = check_positive(floor, "floor")
        if self.floor > 1:
            msg = f"Invalid floor '{self.floor}'. Must be a share, at most 1."
            raise ValueError(msg)
        super().__init__(window=self.window, floor=self.floor)

    def _begin(self, sensor: Sensor) -> None:
        step, n_samples = check_radar(sensor), sensor.shape[1]
        half_width = round((self.window / step - 1) / 2)
        if not 3 <= 2 * half_width + 1 <= n_samples:
            msg = (
                f"Invalid window '{self.window}'. Must be 3 to {n_samples} samples of "
                f"{step:.4g} s, the length of the trace."
            )
            raise ValueError(msg)
        self._sums = window_sums(half_width, n_samples)

    def _output_sensor(self, sensor: Sensor) -> Sensor:
        return dataclasses.replace(sensor, quantity=EQUALISED, unit="1")

    def _advance(
        self, samples: Samples, is_usable: npt.NDArray[np.bool_]
    ) -> tuple[Samples, Flags | None]:
        equalised = self._new_samples(samples.shape)
        traces, out = (x.reshape(-1, samples.shape[2]) for x in (samples, equalised))
        self._are_finite = divide_by_rms(traces, *self._sums, self.floor, out)
        return equalised, None
