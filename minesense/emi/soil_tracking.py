"""Follow the soil's part of the gates or phasors along the lane, and take it out."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from .._kernels.soil_tracking import remove_tracked_columns
from .._validation import check_array, check_count, check_increasing, check_positive
from ..sensor import Sensor
from ..stage import Flags, LaneStage, run_lane
from ..sweep import Floats, Samples, Sweep
from ._timing import check_sweep
from .preprocess import as_rows, as_words, orthonormal_rows, soil_basis


def pump_columns(pump: Sweep, *, n_columns: int = 2) -> tuple[Floats, Floats]:
    """
    Return what moves together while the head is pumped over clean ground.

    Parameters
    ----------
    pump : Sweep
        Gates or phasors of a pump: two or more usable traces at one place without metal.
    n_columns : int
        How many columns, fewer than the samples of a trace.

    Returns
    -------
    columns : (n_columns, n_samples) float64 ndarray
        Leading right singular vectors of the traces less their mean, all channels in one.
    share : (n_columns,) float64 ndarray
        Of the energy that each explains.

    Raises
    ------
    TypeError, ValueError
        If it is no Sweep, there are too few usable traces or samples for so many columns, or
        nothing moves.

    Examples
    --------
    >>> sensor = Sensor(
    ...     name="demo", kind="emi", axis=[1e-5, 2e-5, 4e-5], lever_arms=[[0, 0, 0]]
    ... )
    >>> height = np.sin(np.arange(50.0))[:, None, None]
    >>> pump = Sweep(
    ...     samples=height * np.array([4.0, 2.0, 4.0]) + 7,
    ...     time=np.arange(50),
    ...     position=np.zeros((50, 3)),
    ...     heading=np.zeros(50),
    ...     sensor=sensor,
    ... )
    >>> columns, share = pump_columns(pump, n_columns=1)
    >>> (columns / columns[0, 1]).round(3), share.round(3)
    (array([[2., 1., 2.]]), array([1.]))
    """
    check_sweep(pump, "pump")
    n_columns = check_count(n_columns, "n_columns")
    traces = pump.samples[pump.is_judged].astype(np.float64)
    n_samples = pump.sensor.shape[1]
    if n_columns >= n_samples or len(traces) <= n_columns:
        msg = (
            f"Invalid n_columns '{n_columns}' for {len(traces)} usable traces of {n_samples} "
            "samples. Must be fewer than both."
        )
        raise ValueError(msg)
    rows = (traces - traces.mean(axis=0)).reshape(-1, n_samples)
    # what is below the last digits of float32 is no movement
    _, values, vectors = np.linalg.svd(rows, full_matrices=False)
    if values[n_columns - 1] <= 1e-6 * max(values[0], 1e-300):
        msg = (
            f"Invalid pump: its traces move in fewer than {n_columns} ways. Must move in each."
        )
        raise ValueError(msg)
    return vectors[:n_columns], values[:n_columns] ** 2 / (values**2).sum()


def viscous_columns(frequencies: npt.ArrayLike) -> Floats:
    r"""
    Return what magnetic soil does to the phasors of a continuous-wave head.

    Parameters
    ----------
    frequencies : (n_frequencies,) array_like
        In Hz, increasing.

    Returns
    -------
    columns : (2, 2 n_frequencies) float64 ndarray
        In-phase and quadrature in turns: soil without loss, and viscous soil.

    Raises
    ------
    TypeError, ValueError
        If the frequencies are not greater than zero and increasing.

    Notes
    -----
    Relaxation times uniform in their logarithm over a range that holds all periods, of the
    logarithmic width :math:`\Lambda`, give the susceptibility

    .. math:: \chi(\omega) = \chi_0 - \frac{\chi_0}{\Lambda}
        \Big(\ln \omega \tau_2 + \frac{i \pi}{2}\Big),

    a sum of 1 and :math:`\ln \omega + i \pi / 2`, of which the middle is taken for the zero
    of the logarithm. Phasors are of the flux, as the models of this package have them.

    Examples
    --------
    >>> viscous_columns([1e3, 1e5]).round(2)
    array([[ 1.  ,  0.  ,  1.  ,  0.  ],
           [-2.3 ,  1.57,  2.3 ,  1.57]])
    """
    values = check_increasing(
        check_array(frequencies, "frequencies", ("n_frequencies",)), "frequencies"
    )
    if not len(values) or values[0] <= 0:
        msg = f"Invalid frequencies {values.tolist()}. Must be greater than zero, in Hz."
        raise ValueError(msg)
    columns = np.zeros((2, 2 * len(values)))
    columns[0, ::2] = 1.0
    columns[1, ::2] = np.log(values) - np.log(values).mean()
    columns[1, 1::2] = np.pi / 2
    return columns


def projection_loss(decays: npt.ArrayLike, columns: npt.ArrayLike) -> Floats:
    r"""
    Return the share of the energy of targets that a projection off soil columns takes away.

    Parameters
    ----------
    decays : (n_targets, n_samples) array_like
        What the head records of targets: gates, or in-phase and quadrature in turns.
    columns : (..., n_columns, n_samples) array_like
        Of the soil: given, or those of :class:`TrackSoil` for each channel.

    Returns
    -------
    loss : (..., n_targets) float64 ndarray
        Between 0 and 1; the amplitude that is left is :math:`\sqrt{1 - loss}`.

    Raises
    ------
    TypeError, ValueError
        If the shapes do not fit, a target is zero, or columns are dependent.

    Notes
    -----
    :math:`1 - |P d|^2 / |d|^2` with :math:`P = I - S (S^T S)^{-1} S^T`. It weighs all
    samples alike, as for white noise. Of a target that decays as the soil does nothing is
    left: report the loss for the targets that must be found.

    Examples
    --------
    >>> targets = [[3.0, 4.0, 0.0], [1.0, 0.0, 0.0], [4.0, -3.0, 0.0]]
    >>> projection_loss(targets, [[3.0, 4.0, 0.0]]).round(2) + 0.0
    array([1.  , 0.36, 0.  ])
    """
    stack = np.asarray(columns)
    targets = check_array(decays, "decays", ("n_targets", "n_samples"))
    if (targets == 0).all(axis=1).any():
        msg = "Invalid decays: one is zero. Must each have a sample that is not."
        raise ValueError(msg)
    if stack.ndim < 2 or stack.shape[-1] != targets.shape[1]:
        msg = (
            f"Invalid columns with shape {stack.shape}. Must be (..., n_columns, "
            f"{targets.shape[1]})."
        )
        raise ValueError(msg)
    loss = np.empty((*stack.shape[:-2], len(targets)))
    for where in np.ndindex(*stack.shape[:-2]):
        rows = check_array(stack[where], "columns", ("n_columns", "n_samples"))
        basis = orthonormal_rows(rows, targets.shape[1])
        loss[where] = ((targets @ basis.T) ** 2).sum(axis=1) / (targets**2).sum(axis=1)
    return loss


def track_soil(
    sweep: Sweep,
    *,
    spacing: float,
    columns: npt.ArrayLike | None = None,
    turn_length: float = 5.0,
    most_turn: float = 0.3,
    freeze: float | None = 10.0,
    length: float = 2.0,
    longest: float = 3.0,
) -> Sweep:
    r"""
    Remove from every trace its part along soil columns that follow the ground.

    Parameters
    ----------
    sweep : Sweep
        A levelled metal-detector lane of gates or phasors.
    spacing : float
        Distance between neighbouring traces, in metres.
    columns : (n_columns, n_samples) array_like, optional
        Of the soil at the start: of a pump (:func:`pump_columns`), or by default the soil
        decay of the sensor's head, or :func:`viscous_columns` of its frequencies.
    turn_length : float
        Distance over which the columns turn to new ground, in metres. At a spacing of 5 cm
        the default is a step of 0.01 a trace.
    most_turn : float
        Greatest angle of what the columns span with what the first ones do, in radians, less
        than pi/2. It bounds what a target can lose: see :func:`projection_loss`.
    freeze : float, optional
        Energy of a residual, over the median one, above which nothing is learnt from it, so
        that a target is not taken for soil; more than 1. None to learn from all.
    length : float
        Over which the median energy is taken, in metres.
    longest : float
        Distance after which traces are learnt from whatever they hold, in metres, counted in
        traces at the stated spacing: give more where the head may stand still.

    Returns
    -------
    residual : Sweep
        Traces without their soil part, in the unit of the sweep.

    Raises
    ------
    TypeError, ValueError
        If an option is not in its range, or columns do not fit the sensor.

    Notes
    -----
    With orthonormal columns :math:`S_{k-1}` of a channel and the mean power
    :math:`\bar p` of its traces, the residual is :math:`y = (I - S S^T) x` and the columns
    turn by Oja's subspace rule [1]_, normalised by that mean so that quiet traces, which
    hold little soil, turn them little, and are made orthonormal again:

    .. math:: S_k = \operatorname{orth}\Big(S_{k-1}
        + \frac{w}{\bar p}\, y\, (S_{k-1}^T x)^T\Big), \quad w = 1 - e^{-\Delta / T}.

    A trace does not turn the columns it is measured against. From soil that is :math:`\phi`
    off, :math:`\tan \phi` falls as
    :math:`e^{-x / T}` where its power stays the same. A step that would pass
    `most_turn` is not taken. Frozen traces are those of
    :func:`~minesense.emi.levelling.level_baseline`, by the energy of :math:`y`.

    References
    ----------
    .. [1] Oja, E. (1989). Neural networks, principal components, and subspaces.
       *International Journal of Neural Systems*, 1(1).
       https://doi.org/10.1142/S0129065789000475

    Examples
    --------
    Soil that decays otherwise than was thought:

    >>> sensor = Sensor(
    ...     name="demo", kind="emi", axis=[1e-5, 2e-5, 4e-5], lever_arms=[[0, 0, 0]]
    ... )
    >>> height = np.sin(np.arange(1_000.0))[:, None, None]
    >>> sweep = Sweep(
    ...     samples=height * np.array([4.0, 2.0, 1.2]),
    ...     time=np.arange(1_000),
    ...     position=np.zeros((1_000, 3)),
    ...     heading=np.zeros(1_000),
    ...     sensor=sensor,
    ... )
    >>> still = track_soil(sweep, spacing=0.05, columns=[[4.0, 2.0, 1.0]])
    >>> peaks = np.abs(still.samples).max(axis=(1, 2))
    >>> bool(peaks[:20].max() > 0.1), bool(peaks[-20:].max() < 0.001)
    (True, True)
    """
    stage = TrackSoil(
        spacing=spacing,
        columns=columns,
        turn_length=turn_length,
        most_turn=most_turn,
        freeze=freeze,
        length=length,
        longest=longest,
    )
    return run_lane(stage, sweep)


class TrackSoil(LaneStage):
    """
    Streaming form of :func:`track_soil`, with its options. Causal.

    `tracked` holds the columns of each channel after the last trace, (n_channels,
    n_columns, n_samples), until the next lane begins.
    """

    tracked: Floats  #: orthonormal rows of each channel

    def __init__(
        self,
        *,
        spacing: float,
        columns: npt.ArrayLike | None = None,
        turn_length: float = 5.0,
        most_turn: float = 0.3,
        freeze: float | None = 10.0,
        length: float = 2.0,
        longest: float = 3.0,
    ):
        self.spacing = check_positive(spacing, "spacing")
        self.columns = as_rows(columns, "columns")
        self.turn_length = check_positive(turn_length, "turn_length")
        self.most_turn = check_positive(most_turn, "most_turn")
        self.freeze = None if freeze is None else check_positive(freeze, "freeze")
        self.length = check_positive(length, "length")
        self.longest = check_positive(longest, "longest")
        if self.most_turn >= math.pi / 2:
            msg = f"Invalid most_turn '{self.most_turn}'. Must be less than pi/2."
            raise ValueError(msg)
        if self.freeze is not None and self.freeze <= 1:
            msg = f"Invalid freeze '{self.freeze}'. Must be more than 1, the usual energy."
            raise ValueError(msg)
        self._size = max(1, round(self.length / self.spacing))
        super().__init__(
            spacing=self.spacing,
            columns=as_words(self.columns),
            turn_length=self.turn_length,
            most_turn=self.most_turn,
            freeze=self.freeze,
            length=self.length,
            longest=self.longest,
        )

    def _begin(self, sensor: Sensor) -> None:
        self._start = first_columns(sensor, self.columns)
        n_channels = len(sensor.lever_arms)
        self.tracked = np.repeat(self._start[None], n_channels, axis=0)
        self._state = (
            np.zeros((n_channels, self._size)),
            np.zeros((n_channels, self._size)),
            np.zeros((n_channels, 3), np.int64),
            np.zeros((n_channels, 2)),
            np.empty((len(self._start) + 1, sensor.shape[1])),
            np.empty((len(self._start), len(self._start))),
        )

    def _advance(
        self, samples: Samples, is_usable: npt.NDArray[np.bool_]
    ) -> tuple[Samples, Flags | None]:
        residual = np.empty_like(samples)
        remove_tracked_columns(
            samples,
            is_usable,
            -math.expm1(-self.spacing / self.turn_length),
            -1.0 if self.freeze is None else self.freeze,
            round(self.longest / self.spacing),
            math.cos(self.most_turn) ** 2,
            self._start,
            self.tracked,
            *self._state,
            residual,
        )
        return residual, None


def first_columns(sensor: Sensor, columns: Floats | None) -> Floats:
    """
    Return orthonormal columns of the soil for a metal detector of any kind.

    Parameters
    ----------
    sensor : Sensor
        Of gates, phasors, or what is left of phasors.
    columns : (n_columns, n_samples) float64 ndarray or None
        Given ones; by default those of the sensor's head or frequencies.

    Returns
    -------
    basis : (n_columns, n_samples) float64 ndarray
        Orthonormal rows.

    Raises
    ------
    ValueError
        If it is no metal detector, there is no default, or columns do not fit.

    Examples
    --------
    >>> sensor = Sensor(name="demo", kind="emi", axis=[1e-5, 2e-5], lever_arms=[[0, 0, 0]])
    >>> np.abs(first_columns(sensor, np.array([[3.0, 4.0]]))).round(1)
    array([[0.6, 0.8]])
    """
    if sensor.kind != "emi":
        msg = f"Invalid sensor '{sensor.name}' of kind '{sensor.kind}'. Must be 'emi'."
        raise ValueError(msg)
    n_samples = sensor.shape[1]
    if columns is not None:
        return orthonormal_rows(
            check_array(columns, "columns", ("n_columns", n_samples)), n_samples
        )
    if sensor.is_complex:
        return orthonormal_rows(viscous_columns(sensor.axis), n_samples)
    return soil_basis(sensor)
