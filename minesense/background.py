"""Remove what earlier traces have in common, without delay: for radar and coils alike."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from ._kernels.running_mean import subtract_guarded_mean, subtract_running_mean
from ._validation import check_positive
from .sensor import Sensor
from .stage import Flags, LaneStage, run_lane
from .sweep import Samples, Sweep


def remove_background(
    sweep: Sweep,
    *,
    spacing: float,
    length: float,
    freeze: float | None = None,
    longest: float = 3.0,
) -> Sweep:
    r"""
    Remove the exponentially weighted mean of the earlier traces.

    Parameters
    ----------
    sweep : Sweep
        A lane of a radar or a metal detector.
    spacing : float
        Distance between neighbouring traces, in metres.
    length : float
        Distance over which the background forgets, in metres. Choose several target
        lengths: of a target as long as this one, 43 % of the energy is left.
    freeze : float, optional
        Energy of a residual, over the usual one, above which nothing is learnt from it, so
        that a target does not fade into its own background; more than 1. By default the
        background goes on learning.
    longest : float
        Distance after which it learns again, in metres, since the ground has changed.

    Returns
    -------
    residual : Sweep
        Traces minus their background, in the unit of the sweep.

    Raises
    ------
    TypeError, ValueError
        If `spacing`, `length` or `longest` is not finite and greater than zero, or `freeze`
        not more than 1.

    Notes
    -----
    With :math:`w = 1 - e^{-\Delta / L}` for spacing :math:`\Delta` and length :math:`L`,
    trace :math:`x_k` has residual :math:`r_k` and background :math:`b_k` [1]_. An echo is
    never part of the background it is measured against.

    .. math:: r_k = x_k - b_{k-1}, \quad b_k = b_{k-1} + w\, r_k, \quad b_{-1} = x_0.

    A step of height :math:`A` leaves :math:`A (1 - w)^k` after :math:`k` traces; white
    noise of variance :math:`\sigma^2` leaves :math:`2 \sigma^2 / (2 - w)`. A flagged trace
    leaves the background as it is; :math:`x_0` is the first that is usable. Causal.

    With `freeze` :math:`\phi`, each channel by itself has the energy
    :math:`e_k = \sum_t r_{k,t}^2` and its mean :math:`m_k`, over the first :math:`L` a plain
    mean and then one of weight :math:`w`. After the first :math:`L` a trace with
    :math:`e_k > \phi\, m_{k-1}` changes neither :math:`b` nor :math:`m`, up to `longest` of
    such traces in a row.

    References
    ----------
    .. [1] Roberts, S. W. (1959). Control chart tests based on geometric moving averages.
       *Technometrics*, 1(3). https://doi.org/10.1080/00401706.1959.10489860

    Examples
    --------
    >>> sensor = Sensor(name="demo", kind="gpr", axis=[0.0, 1e-9], lever_arms=[[0, 0, 0]])
    >>> samples = np.full((4, 1, 2), 2.0)  # crosstalk only ...
    >>> samples[2, 0, 1] += 1.0  # ... and one echo
    >>> sweep = Sweep(
    ...     samples=samples,
    ...     time=np.arange(4),
    ...     position=np.zeros((4, 3)),
    ...     heading=np.zeros(4),
    ...     sensor=sensor,
    ... )
    >>> residual = remove_background(sweep, spacing=0.05, length=1.0)
    >>> residual.samples[:, 0, 1].round(2)
    array([ 0.  ,  0.  ,  1.  , -0.05], dtype=float32)
    """
    stage = RemoveBackground(spacing=spacing, length=length, freeze=freeze, longest=longest)
    return run_lane(stage, sweep)


class RemoveBackground(LaneStage):
    """Streaming form of :func:`remove_background`, with its options. Causal."""

    _at_once = True

    def __init__(
        self,
        *,
        spacing: float,
        length: float,
        freeze: float | None = None,
        longest: float = 3.0,
    ):
        self.spacing = check_positive(spacing, "spacing")
        self.length = check_positive(length, "length")
        self.freeze = None if freeze is None else check_positive(freeze, "freeze")
        self.longest = check_positive(longest, "longest")
        options = {"spacing": self.spacing, "length": self.length}
        if self.freeze is not None:
            if self.freeze <= 1:
                msg = f"Invalid freeze '{self.freeze}'. Must be more than 1, the usual energy."
                raise ValueError(msg)
            options |= {"freeze": self.freeze, "longest": self.longest}
        super().__init__(**options)

    def _begin(self, sensor: Sensor) -> None:
        # float64: a float32 mean cannot follow steps below its last digit
        self._background = np.zeros(sensor.shape)
        self._level = np.zeros(len(self._background))
        self._counts = np.zeros((len(self._background), 2), np.int64)

    def _advance(
        self, samples: Samples, is_usable: npt.NDArray[np.bool_]
    ) -> tuple[Samples, Flags | None]:
        residual = self._new_samples(samples.shape)
        weight = -math.expm1(-self.spacing / self.length)
        if self.freeze is None:
            rows = (len(samples), self._background.size)
            self._are_finite = subtract_running_mean(
                samples.reshape(rows),
                is_usable,
                weight,
                self._background.ravel(),
                self._counts[0],
                residual.reshape(rows),
            )
            return residual, None
        subtract_guarded_mean(
            samples,
            is_usable,
            weight,
            self.freeze,
            round(self.length / self.spacing),
            round(self.longest / self.spacing),
            self._background,
            self._level,
            self._counts,
            residual,
        )
        return residual, None
