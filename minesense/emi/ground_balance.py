"""Balance the ground of continuous-wave heads: turn each phase so that soil has one axis."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .._kernels.soil_tracking import rotate_phasors
from .._validation import check_array, check_one_of, check_real
from ..sensor import Sensor
from ..stage import Flags, LaneStage, run_lane
from ..sweep import Floats, Samples, Sweep
from ._timing import check_sweep


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SoilPhase:
    """The phase of the soil in each channel and frequency, as a pump shows it."""

    angle: Floats  #: (n_channels, n_frequencies) rad, in (-pi/2, pi/2]
    error: Floats  #: (n_channels, n_frequencies) rad, standard error
    share: Floats  #: (n_channels, n_frequencies) of the variance that lies on the axis


def estimate_soil_phase(pump: Sweep) -> SoilPhase:
    r"""
    Estimate the phase of the soil while the head moves up and down over clean ground.

    Parameters
    ----------
    pump : Sweep
        Phasors of a pump: three or more usable traces at one place without metal.

    Returns
    -------
    phase : SoilPhase
        Of the line on which the phasors move.

    Raises
    ------
    TypeError, ValueError
        If it is no Sweep, the samples are not complex, fewer than three traces are usable, or
        a phasor does not move at all.

    Notes
    -----
    With the covariance of in-phase and quadrature over the traces, of eigenvalues
    :math:`\lambda_1 \ge \lambda_2`, the angle :math:`\theta` of the longer axis, the share
    of the variance on it and the error of the angle for independent Gaussian noise [1]_ are

    .. math:: \tan 2\theta = \frac{2 c_{xy}}{c_{xx} - c_{yy}}, \quad
        \frac{\lambda_1}{\lambda_1 + \lambda_2}, \quad
        \sigma_\theta = \frac{\sqrt{\lambda_1 \lambda_2 / n}}{\lambda_1 - \lambda_2} .

    A share near 1/2 is a pump that did not move, or ground with two sources of signal: soil
    that is magnetic and conducts does not stay on a line.

    References
    ----------
    .. [1] Anderson, T. W. (1963). Asymptotic theory for principal component analysis.
       *Annals of Mathematical Statistics*, 34(1). https://doi.org/10.1214/aoms/1177704248

    Examples
    --------
    >>> from minesense.sensor import Sensor
    >>> sensor = Sensor(
    ...     name="demo",
    ...     kind="emi",
    ...     axis=[2e3],
    ...     axis_unit="Hz",
    ...     lever_arms=[[0, 0, 0]],
    ...     is_complex=True,
    ... )
    >>> height = np.sin(np.arange(50.0))[:, None, None]
    >>> pump = Sweep(
    ...     samples=height * np.array([3.0, 4.0]) + 7,
    ...     time=np.arange(50),
    ...     position=np.zeros((50, 3)),
    ...     heading=np.zeros(50),
    ...     sensor=sensor,
    ... )
    >>> phase = estimate_soil_phase(pump)
    >>> round(float(np.rad2deg(phase.angle[0, 0])), 2), round(float(phase.share[0, 0]), 6)
    (53.13, 1.0)
    """
    check_sweep(pump, "pump")
    _check_complex(pump.sensor)
    phasors = pump.phasors[pump.is_judged].astype(np.complex128)
    n = len(phasors)
    if n < 3:
        msg = f"Invalid pump with {n} usable traces. Must have three or more."
        raise ValueError(msg)
    centred = phasors - phasors.mean(axis=0)
    x, y = centred.real, centred.imag
    xx, yy, xy = ((a * b).sum(axis=0) / (n - 1) for a, b in ((x, x), (y, y), (x, y)))
    if (xx + yy == 0).any():
        where = tuple(int(i) for i in np.argwhere(xx + yy == 0)[0])
        msg = f"Invalid pump: channel and frequency {where} do not move. Must all move."
        raise ValueError(msg)
    half = np.hypot((xx - yy) / 2, xy)
    larger, smaller = (xx + yy) / 2 + half, np.maximum((xx + yy) / 2 - half, 0)
    with np.errstate(divide="ignore", invalid="ignore"):  # a circle has no axis
        error = np.where(half > 0, np.sqrt(larger * smaller / n) / (2 * half), np.inf)
    return SoilPhase(
        angle=np.arctan2(2 * xy, xx - yy) / 2, error=error, share=larger / (xx + yy)
    )


def _check_complex(sensor: Sensor) -> None:
    """Raise unless the samples are phasors of a metal detector."""
    if sensor.kind != "emi" or not sensor.is_complex:
        found = f"kind '{sensor.kind}'" if sensor.kind != "emi" else "real samples"
        msg = f"Invalid sensor '{sensor.name}' of {found}. Must be phasors of a metal detector."
        raise ValueError(msg)


def balance_phase(sweep: Sweep, *, angle: npt.ArrayLike, keep: str = "both") -> Sweep:
    r"""
    Turn each phasor so that the soil moves along the in-phase axis alone.

    Parameters
    ----------
    sweep : Sweep
        A lane of phasors.
    angle : float, (n_frequencies,) or (n_channels, n_frequencies) array_like
        Phase of the soil, in radians, as :func:`estimate_soil_phase` finds it.
    keep : {'both', 'quadrature'}
        Whether to hand on phasors, or the quadrature alone, which is free of the soil: one
        real sample a frequency.

    Returns
    -------
    balanced : Sweep
        In the unit of the sweep.

    Raises
    ------
    TypeError, ValueError
        If `angle` is not finite or does not fit the sensor, `keep` is another word, or the
        samples are not complex.

    Notes
    -----
    :math:`y = x\, e^{-i \theta}`. A target at the phase :math:`\psi` keeps
    :math:`|\sin(\psi - \theta)|` of its amplitude in the quadrature, so that one which
    moves as the soil does is lost there. Causal, without memory.

    Examples
    --------
    >>> from minesense.sensor import Sensor
    >>> sensor = Sensor(
    ...     name="demo",
    ...     kind="emi",
    ...     axis=[2e3],
    ...     axis_unit="Hz",
    ...     lever_arms=[[0, 0, 0]],
    ...     is_complex=True,
    ... )
    >>> sweep = Sweep(
    ...     samples=[[[3.0, 4.0]], [[6.0, 8.0]], [[2.0, 4.75]]],
    ...     time=np.arange(3),
    ...     position=np.zeros((3, 3)),
    ...     heading=np.zeros(3),
    ...     sensor=sensor,
    ... )
    >>> balanced = balance_phase(sweep, angle=np.arctan2(4, 3), keep="quadrature")
    >>> balanced.samples[:, 0, 0].round(6) + 0.0
    array([0.  , 0.  , 1.25], dtype=float32)
    """
    return run_lane(BalancePhase(angle=angle, keep=keep), sweep)


class BalancePhase(LaneStage):
    """Streaming form of :func:`balance_phase`, with its options. Causal."""

    def __init__(self, *, angle: npt.ArrayLike, keep: str = "both"):
        found = check_real(angle, "angle")
        names = ("n_channels", "n_frequencies")[max(0, 2 - found.ndim) :]
        self.angle = check_array(found, "angle", names).copy()
        self.keep = check_one_of(keep, "keep", ("both", "quadrature"))
        super().__init__(angle=self.angle.tolist(), keep=self.keep)

    def _begin(self, sensor: Sensor) -> None:
        _check_complex(sensor)
        shape = (len(sensor.lever_arms), len(sensor.axis))
        try:
            angle = np.broadcast_to(self.angle, shape)
        except ValueError:
            msg = (
                f"Invalid angle with shape {self.angle.shape}. Must fit {shape[0]} channels "
                f"and {shape[1]} frequencies."
            )
            raise ValueError(msg) from None
        self._turn = np.cos(angle), np.sin(angle)

    def _output_sensor(self, sensor: Sensor) -> Sensor:
        if self.keep == "both":
            return sensor
        return dataclasses.replace(
            sensor, is_complex=False, quantity=f"{sensor.quantity} in quadrature to the soil"
        )

    def _advance(
        self, samples: Samples, is_usable: npt.NDArray[np.bool_]
    ) -> tuple[Samples, Flags | None]:
        turned = np.empty_like(samples)
        rotate_phasors(samples, *self._turn, turned)
        return turned if self.keep == "both" else turned[..., 1::2].copy(), None
