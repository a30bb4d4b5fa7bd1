"""Take out of metal-detector decays what the soil puts there."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .._kernels.decay import remove_columns
from .._validation import check_array
from ..physics.pulse import gate_factors
from ..sensor import ContinuousWave, PulseTrain, Sensor, pulse_train_of
from ..stage import Flags, LaneStage, run_lane
from ..sweep import Floats, Samples, Sweep


def received_decays(train: PulseTrain, taus: npt.ArrayLike) -> Floats:
    r"""
    Return what a pulse-induction head records of single relaxations, at its gates.

    Parameters
    ----------
    train : PulseTrain
        Gates, pulse, turn-off ramp, period and receiver.
    taus : (n_taus,) array_like
        Relaxation times, in seconds.

    Returns
    -------
    decays : (n_taus, n_gates) float64 ndarray
        Means over the gates, in 1/s: the voltage of a moment whose step response is
        :math:`e^{-t/\tau}`, up to a positive factor.

    Raises
    ------
    TypeError, ValueError
        If `taus` are not finite numbers greater than zero.

    Notes
    -----
    With :math:`F(\theta)` what pulse, train and gates make of :math:`e^{-t/\theta}`
    (:func:`~minesense.physics.gate_factors`), a receiver with the pole :math:`\tau_r`
    records :math:`(F(\tau) - F(\tau_r)) / (\tau - \tau_r)`, which for a fast or ideal
    receiver is :math:`F(\tau) / \tau`. The instantaneous part of a response is not
    included: it is gone when the receiver has settled.

    Examples
    --------
    >>> from minesense.sensor import PulseTrain
    >>> train = PulseTrain(
    ...     gates=[[20e-6, 30e-6], [100e-6, 120e-6]],
    ...     pulse=200e-6,
    ...     ramp=5e-6,
    ...     half_period=1e-3,
    ...     receiver_tau=1e-6,
    ... )
    >>> early, late = received_decays(train, [100e-6])[0]
    >>> float(np.log(early / late).round(3))  # 85 us between the middles of the gates
    0.849
    """
    values = check_array(taus, "taus", ("n_taus",))
    receiver = train.receiver_tau
    if receiver == 0:
        return np.asarray(gate_factors(train, values) / values[:, None])
    # the difference quotient has a removable singularity: step beside it
    is_close = np.abs(values - receiver) < 1e-6 * receiver
    values = np.where(is_close, receiver * (1 + 1e-6), values)
    record = gate_factors(train, np.append(values, receiver))
    return np.asarray((record[:-1] - record[-1]) / (values - receiver)[:, None])


def soil_decay(train: PulseTrain) -> Floats:
    r"""
    Return the decay of viscous soil at the gates of a pulse-induction head.

    Parameters
    ----------
    train : PulseTrain

    Returns
    -------
    decay : (n_gates,) float64 ndarray
        Means over the gates, in 1/s.

    Notes
    -----
    Relaxation times uniform in their logarithm give the step response :math:`-1/t`. The
    record is their sum, ten per decade from 1e-10 to 10 s (engineering default,
    unverified), as :func:`received_decays` has it. Without ramp and receiver it is the mean
    over the gate of

    .. math:: \sum_{j \ge 0} (-1)^j
        \Big(\frac{1}{t + j T_h} - \frac{1}{t + T_p + j T_h}\Big).

    Examples
    --------
    >>> from minesense.sensor import PulseTrain
    >>> train = PulseTrain(
    ...     gates=[[20e-6, 21e-6], [40e-6, 42e-6]],
    ...     pulse=1.0,
    ...     ramp=1e-9,
    ...     half_period=10.0,
    ...     receiver_tau=1e-9,
    ... )
    >>> early, late = soil_decay(train)
    >>> round(float(early / late), 3)
    2.0
    """
    taus, step = np.geomspace(1e-10, 10.0, 111), np.log(10.0) / 10
    return np.asarray(step * received_decays(train, taus).sum(axis=0))


def soil_basis(
    sensor: Sensor, columns: npt.ArrayLike | None = None, *, offset: bool = False
) -> Floats:
    """
    Return orthonormal decays that span what the soil does to the gates.

    Parameters
    ----------
    sensor : Sensor
        A metal detector.
    columns : (n_columns, n_gates) array_like, optional
        Decays of the soil; by default :func:`soil_decay` of the sensor's head. An array
        with no rows leaves the soil in.
    offset : bool
        Whether to add a constant, the same for all gates.

    Returns
    -------
    basis : (n_columns, n_gates) float64 ndarray
        Orthonormal rows.

    Raises
    ------
    TypeError, ValueError
        If the sensor is not a metal detector of gates, has no head to compute the soil from
        or gates that do not fit its axis; if `columns` do not fit its gates, are linearly
        dependent, as many as the gates, or one gate alone.
    """
    n_gates = sensor.shape[1]
    check_gated(sensor)
    if columns is not None:
        rows = check_array(columns, "columns", ("n_columns", n_gates))
    else:
        rows = soil_decay(train_of(sensor))[None]
    return orthonormal_rows(rows, n_gates, offset=offset)


def orthonormal_rows(rows: Floats, n_gates: int, *, offset: bool = False) -> Floats:
    """
    Return orthonormal rows that span the given ones, and a constant if wished.

    Parameters
    ----------
    rows : (n_columns, n_gates) float64 ndarray
        Decays of the soil.
    n_gates : int
        Samples of a trace.
    offset : bool
        Whether to add a constant, the same for all gates.

    Returns
    -------
    basis : (n_columns, n_gates) float64 ndarray
        Orthonormal rows.

    Raises
    ------
    ValueError
        If the rows are linearly dependent, as many as the gates, or one gate alone.

    Examples
    --------
    >>> np.abs(orthonormal_rows(np.array([[0.0, -3.0, 4.0]]), 3)).round(3)
    array([[0. , 0.6, 0.8]])
    """
    if offset:
        rows = np.vstack([rows, np.ones((1, n_gates))])
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    unit = rows / np.where(lengths > 0, lengths, 1)  # a column of zeros lacks rank, below
    rank = int(np.linalg.matrix_rank(unit)) if len(unit) else 0
    if rank < len(rows) or len(rows) >= n_gates:
        msg = (
            f"Invalid columns: {len(rows)} decays of rank {rank} over {n_gates} gates, offset "
            "included. Must be linearly independent and fewer than the gates."
        )
        raise ValueError(msg)
    basis = np.ascontiguousarray(np.linalg.qr(unit.T)[0].T)
    alone = 1 - (basis**2).sum(axis=0) < 1e-9
    if alone.any():
        msg = (
            f"Invalid columns: nothing of gate {np.argmax(alone)} is left without them. Must "
            "leave something of every gate."
        )
        raise ValueError(msg)
    return basis


def check_gated(sensor: Sensor) -> Sensor:
    """
    Return a sensor whose samples are the gates of a metal detector.

    Parameters
    ----------
    sensor : Sensor
        What was given.

    Returns
    -------
    sensor : Sensor
        The same.

    Raises
    ------
    ValueError
        If it is no metal detector, or its samples are phasors of continuous wave.
    """
    if sensor.kind != "emi":
        msg = f"Invalid sensor '{sensor.name}' of kind '{sensor.kind}'. Must be 'emi'."
        raise ValueError(msg)
    if sensor.is_complex or isinstance(sensor.excitation, ContinuousWave):
        found = "complex samples" if sensor.is_complex else "continuous wave"
        msg = f"Invalid sensor '{sensor.name}' of {found}. Must be gates of pulse induction."
        raise ValueError(msg)
    return sensor


def train_of(sensor: Sensor) -> PulseTrain:
    """
    Return the pulse train of a sensor that has a gate for each sample.

    Parameters
    ----------
    sensor : Sensor
        A metal detector.

    Returns
    -------
    train : PulseTrain
        Its waveform.

    Raises
    ------
    ValueError
        If it has no head, or not a gate for each sample.
    """
    known = sensor.excitation is not None
    if not known or len(pulse_train_of(sensor).gates) != sensor.shape[1]:
        gates = f"{len(pulse_train_of(sensor).gates)} gates" if known else "no head"
        msg = (
            f"Invalid sensor '{sensor.name}' with {gates} for {sensor.shape[1]} samples. Must "
            "have a head with a gate for each sample: give the columns or decays yourself "
            "for another instrument."
        )
        raise ValueError(msg)
    return pulse_train_of(sensor)


def soil_loss(
    train: PulseTrain,
    taus: npt.ArrayLike,
    *,
    columns: npt.ArrayLike | None = None,
    offset: bool = False,
) -> Floats:
    r"""
    Return the share of a target's energy that the soil projection takes away.

    Parameters
    ----------
    train : PulseTrain
    taus : (n_taus,) array_like
        Relaxation times of targets, in seconds.
    columns, offset
        As in :func:`project_soil`.

    Returns
    -------
    loss : (n_taus,) float64 ndarray
        Between 0 and 1; the amplitude that is left is :math:`\sqrt{1 - loss}`.

    Raises
    ------
    TypeError, ValueError
        As :func:`received_decays` and :func:`soil_basis` do.

    Notes
    -----
    With :math:`d` the record of :math:`e^{-t/\tau}`, the share is :math:`1 - |P d|^2 /
    |d|^2`. It weighs all gates alike, as for white noise. A large steel object decays
    nearly as the soil does over some gates, and loses most.

    Examples
    --------
    >>> from minesense.sensor import PulseTrain
    >>> edges = np.geomspace(12e-6, 400e-6, 13)
    >>> train = PulseTrain(
    ...     gates=np.column_stack([edges[:-1], edges[1:]]),
    ...     pulse=200e-6,
    ...     ramp=5e-6,
    ...     half_period=1e-3,
    ...     receiver_tau=1e-6,
    ... )
    >>> soil_loss(train, [10e-6, 30e-6, 1e-3]).round(2)
    array([0.89, 0.99, 0.56])
    """
    n_gates = len(train.gates)
    rows = soil_decay(train)[None] if columns is None else columns
    rows = check_array(rows, "columns", ("n_columns", n_gates))
    basis = orthonormal_rows(rows, n_gates, offset=offset)
    decays = received_decays(train, taus)
    return np.asarray(((decays @ basis.T) ** 2).sum(axis=1) / (decays**2).sum(axis=1))


def project_soil(
    sweep: Sweep, *, columns: npt.ArrayLike | None = None, offset: bool = False
) -> Sweep:
    r"""
    Remove from every decay its part along the decay of the soil.

    Parameters
    ----------
    sweep : Sweep
        A metal-detector lane of gates.
    columns : (n_columns, n_gates) array_like, optional
        Decays of the soil, for instance singular vectors of a pump over ground without
        metal; by default :func:`soil_decay` of the sensor's head.
    offset : bool
        Whether to remove a constant over the gates as well.

    Returns
    -------
    residual : Sweep
        Decays without their soil part, in the unit of the sweep.

    Raises
    ------
    TypeError, ValueError
        As :func:`soil_basis` does.

    Notes
    -----
    With the columns :math:`S`, :math:`y = (I - S (S^T S)^{-1} S^T)\, x`. It is idempotent
    and takes the soil away however strong it is, at the price :func:`soil_loss` tells.
    Causal, without memory.

    Examples
    --------
    >>> sensor = Sensor(
    ...     name="demo", kind="emi", axis=[1e-5, 2e-5, 4e-5], lever_arms=[[0, 0, 0]]
    ... )
    >>> soil, metal = np.array([4.0, 2.0, 1.0]), np.array([0.0, -1.0, 2.0])
    >>> sweep = Sweep(
    ...     samples=np.array([9 * soil, 5 * soil + metal])[:, None],
    ...     time=[0.0, 0.1],
    ...     position=np.zeros((2, 3)),
    ...     heading=np.zeros(2),
    ...     sensor=sensor,
    ... )
    >>> project_soil(sweep, columns=[soil]).samples[:, 0].round(6) + 0.0
    array([[ 0.,  0.,  0.],
           [ 0., -1.,  2.]], dtype=float32)
    """
    return run_lane(ProjectSoil(columns=columns, offset=offset), sweep)


class ProjectSoil(LaneStage):
    """Streaming form of :func:`project_soil`, with its options. Causal."""

    def __init__(self, *, columns: npt.ArrayLike | None = None, offset: bool = False):
        self.columns = as_rows(columns, "columns")
        self.offset = bool(offset)
        super().__init__(columns=as_words(self.columns), offset=self.offset)

    def _begin(self, sensor: Sensor) -> None:
        self._basis = soil_basis(sensor, self.columns, offset=self.offset)

    def _advance(
        self, samples: Samples, is_usable: npt.NDArray[np.bool_]
    ) -> tuple[Samples, Flags | None]:
        residual = np.empty_like(samples)
        remove_columns(samples, self._basis, residual)
        return residual, None


def as_rows(values: npt.ArrayLike | None, name: str) -> Floats | None:
    """Return a copy of decays given by the user as (n_decays, n_gates), or None."""
    if values is None:
        return None
    return check_array(values, name, ("n_decays", "n_gates")).copy()


def as_words(rows: Floats | None) -> Any:
    """Return decays as nested lists, which fit in a line of the history."""
    return None if rows is None else rows.tolist()
