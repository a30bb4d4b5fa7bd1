"""Find where a metal-detector lane holds a decay that neither soil nor noise explains."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from .._kernels.decay import match_decays, remove_columns, sum_footprint
from .._validation import check_array, check_not_negative, check_positive, check_probability
from ..sensor import Sensor
from ..stage import Flags, LaneStage, run_lane
from ..surroundings import Around, Surroundings
from ..sweep import Floats, Quality, Samples, Sweep
from .preprocess import as_rows, as_words, received_decays, soil_basis, train_of

#: Relaxation times of the default bank, s: from a few grams of foil to solid steel
#: (engineering default, unverified on field data).
TAUS = tuple(np.geomspace(5e-6, 1e-3, 10).tolist())

_ROUNDS = 10  # of the variance estimate; then it is within 1 % for noise like 1/t


def prescreen_decay(
    sweep: Sweep,
    *,
    spacing: float,
    footprint: float = 0.2,
    noise_length: float = 5.0,
    guard: float = 0.5,
    look_ahead: float | None = None,
    taus: npt.ArrayLike = TAUS,
    decays: npt.ArrayLike | None = None,
    columns: npt.ArrayLike | None = None,
    offset: bool = False,
    floor: float = 0.01,
    min_share: float = 0.25,
) -> Sweep:
    r"""
    Score how far a decay stands out along any of a bank of target decays.

    Parameters
    ----------
    sweep : Sweep
        A metal-detector lane of gates, levelled (see
        :class:`~minesense.along_track.RemoveMedianBackground`), with its soil or without:
        the statistic is the same. Do not whiten it: the gates must keep their ratios.
    spacing : float
        Distance between neighbouring traces, in metres.
    footprint : float
        Length along the track over which an object under the head is seen, in metres:
        about the diameter of the coil. Traces within half of it to each side are added.
    noise_length, guard : float
        The noise of a trace is that of the traces farther than `guard` and not farther
        than `noise_length` from it along the track, in metres. Choose the guard no smaller
        than a target's signature.
    look_ahead : float, optional
        How far ahead of the trace the noise is taken, in metres: by default as far as
        behind; 0 makes it trail, so that the result lags by half the footprint only, and
        the first metre of a lane is flagged EDGE.
    taus : (n_taus,) array_like
        Relaxation times of the bank, in seconds.
    decays : (n_decays, n_gates) array_like, optional
        A bank instead of `taus`, positive as a target's voltage is.
    columns, offset
        Soil decays. As in :func:`~minesense.emi.preprocess.project_soil`.
    floor : float
        Least spread of a gate as a share of the largest among the gates, in (0, 1): it
        keeps a gate that quantisation has silenced from deciding alone.
    min_share : float
        Least share of the noise's full length that must be usable, in (0, 1].

    Returns
    -------
    scores : Sweep
        Samples (n_traces, n_channels, 1): standard deviations of the background, at least
        zero. The sensor's axis holds the first gate. Traces with too little noise around
        them, or with none at all (a channel that does not move), have the score 0 where
        that holds and the flag EDGE.

    Raises
    ------
    TypeError, ValueError
        If an option is not in its range, if no trace lies between guard and noise length,
        if the soil removes a decay of the bank entirely, or as
        :func:`~minesense.emi.preprocess.soil_basis` does.

    Notes
    -----
    With :math:`P` the projection off the soil columns :math:`S` and :math:`N_k` the usable
    traces within half a footprint,

    .. math:: z_k = |N_k|^{-1/2} \sum_{j \in N_k} P x_j .

    Gate :math:`g` of :math:`z` has the spread :math:`s_g` (1.4826 MAD) over the ring. The
    gates' own variances :math:`v` are those of independent noise that would leave it,
    :math:`s_g^2 = \sum_h P_{gh}^2 v_h`, found by ten rounds of :math:`v_g \leftarrow v_g
    s_g^2 / \sum_h P_{gh}^2 v_h` from :math:`v_g = s_g^2 / P_{gg}`, of which at least a
    quarter is kept. With :math:`V = \mathrm{diag}(v)` and :math:`Q` the
    projection off :math:`V^{-1/2} S`, the score is the root of the generalised likelihood
    ratio of one decay :math:`d` with unknown positive amplitude and unknown soil, the
    greatest over the bank:

    .. math:: T_k = \max\Big(0, \max_d
        \frac{d^T V^{-1/2} Q V^{-1/2} z_k}{|Q V^{-1/2} d|}\Big).

    On independent Gaussian noise, with a bank of one decay and a long `noise_length`, it is
    distributed as :math:`\max(0, n)`, :math:`n` standard normal; a bank of ten raises the
    tail by less than ten. The error of the spread makes the tail heavier: simulated, with
    the default lengths at a spacing of 5 cm, 1.5 times the normal rate beyond 2 and 2.5
    times beyond 3 standard deviations. Set thresholds on lanes without targets. An object of
    constant amplitude over :math:`N` traces gains :math:`\sqrt{N}`. The spread is that of
    the sums :math:`z`, so that noise which persists from trace to trace is not taken for
    white.

    Examples
    --------
    A decay over 20 cm, in noise a fifth and soil three times as strong:

    >>> from minesense.emi.preprocess import received_decays, soil_decay
    >>> from minesense.sensor import Circle, Head, PulseTrain
    >>> edges = np.geomspace(12e-6, 400e-6, 13)
    >>> train = PulseTrain(
    ...     gates=np.column_stack([edges[:-1], edges[1:]]),
    ...     pulse=200e-6,
    ...     ramp=5e-6,
    ...     half_period=1e-3,
    ...     receiver_tau=1e-6,
    ... )
    >>> coil = (Circle(radius=0.1),)
    >>> sensor = Sensor(
    ...     name="demo",
    ...     kind="emi",
    ...     axis=edges[:-1],
    ...     lever_arms=[[0, 0, 0]],
    ...     head=Head(transmitter=coil, receiver=coil, excitation=train),
    ... )
    >>> soil, metal = soil_decay(train), received_decays(train, [300e-6])[0]
    >>> rng = np.random.default_rng(seed=1)
    >>> samples = rng.normal(scale=0.05, size=(120, 1, 12))
    >>> samples += rng.normal(size=(120, 1, 1)) * soil / soil.max()
    >>> samples[60:64] += 0.3 * metal / metal.max()
    >>> northing = 0.05 * np.arange(120)
    >>> sweep = Sweep(
    ...     samples=samples,
    ...     time=northing,
    ...     position=np.column_stack([0 * northing, northing, 0 * northing]),
    ...     heading=np.zeros(120),
    ...     sensor=sensor,
    ... )
    >>> scores = prescreen_decay(sweep, spacing=0.05)
    >>> bool(60 <= scores.samples[:, 0, 0].argmax() < 64)
    True
    """
    stage = PrescreenDecay(
        spacing=spacing,
        footprint=footprint,
        noise_length=noise_length,
        guard=guard,
        look_ahead=look_ahead,
        taus=taus,
        decays=decays,
        columns=columns,
        offset=offset,
        floor=floor,
        min_share=min_share,
    )
    return run_lane(stage, sweep)


class PrescreenDecay(LaneStage):
    """Streaming form of :func:`prescreen_decay`; lags by look-ahead and half footprint."""

    def __init__(
        self,
        *,
        spacing: float,
        footprint: float = 0.2,
        noise_length: float = 5.0,
        guard: float = 0.5,
        look_ahead: float | None = None,
        taus: npt.ArrayLike = TAUS,
        decays: npt.ArrayLike | None = None,
        columns: npt.ArrayLike | None = None,
        offset: bool = False,
        floor: float = 0.01,
        min_share: float = 0.25,
    ):
        self.spacing = check_positive(spacing, "spacing")
        self.footprint = check_positive(footprint, "footprint")
        self.noise_length = check_positive(noise_length, "noise_length")
        self.guard = check_not_negative(guard, "guard")
        self.look_ahead = check_not_negative(
            self.noise_length if look_ahead is None else look_ahead, "look_ahead"
        )
        self.taus = check_array(taus, "taus", ("n_taus",)).copy()
        self.decays = as_rows(decays, "decays")
        self.columns = as_rows(columns, "columns")
        self.offset = bool(offset)
        self.floor = check_probability(floor, "floor")
        self.min_share = check_positive(min_share, "min_share")
        if self.min_share > 1:
            msg = f"Invalid min_share '{self.min_share}'. Must be at most 1."
            raise ValueError(msg)
        self._half_width = round(self.footprint / 2 / self.spacing)
        self._extent = {
            "behind": round(self.noise_length / self.spacing),
            "ahead": round(self.look_ahead / self.spacing),
            "guard": round(self.guard / self.spacing),
        }
        for name, word in (("noise_length", "behind"), ("look_ahead", "ahead")):
            reach = self._extent[word]
            if reach <= self._extent["guard"] and (word == "behind" or reach > 0):
                msg = (
                    f"Invalid {name} '{getattr(self, name)}'. Must reach beyond the guard of "
                    f"{self.guard} m by a spacing of {self.spacing} m or more"
                    f"{', or be 0' if word == 'ahead' else ''}."
                )
                raise ValueError(msg)
        self.latency = self._half_width + self._extent["ahead"]
        #: traces at each end of a lane of which less than a footprint is summed
        self.warm_up = self._half_width
        super().__init__(
            spacing=self.spacing,
            footprint=self.footprint,
            noise_length=self.noise_length,
            guard=self.guard,
            look_ahead=self.look_ahead,
            taus=self.taus.tolist(),
            decays=as_words(self.decays),
            columns=as_words(self.columns),
            offset=self.offset,
            floor=self.floor,
            min_share=self.min_share,
        )

    def _begin(self, sensor: Sensor) -> None:
        self._n_channels, self._n_gates = sensor.shape
        self._basis = soil_basis(sensor, self.columns, offset=self.offset)
        self._bank = self._check_bank(sensor)
        self._mixing = (np.eye(self._n_gates) - self._basis.T @ self._basis) ** 2
        width = self._n_channels * self._n_gates
        self._around = Surroundings(**self._extent, width=width)
        self._held = np.zeros((2 * self._half_width + 1, width), np.float32)
        self._presence = np.zeros(len(self._held), np.bool_)
        self._taken = np.zeros(1, np.int64)
        self._variance = np.empty((2, self._n_gates))
        self._work = np.empty((len(self._basis) + 2, self._n_gates))

    def _check_bank(self, sensor: Sensor) -> Floats:
        """Return the bank at the gates of the sensor; raise if the soil hides part of it."""
        if self.decays is None:
            bank = received_decays(train_of(sensor), self.taus)
        else:
            bank = check_array(self.decays, "decays", ("n_decays", self._n_gates))
        left = bank - bank @ self._basis.T @ self._basis
        energy = (bank**2).sum(axis=1)
        hidden = (left**2).sum(axis=1) <= 1e-9 * energy
        if hidden.any() or not len(bank):
            msg = (
                f"Invalid bank of {len(bank)} decays, {np.count_nonzero(hidden)} of which are "
                "zero or removed by the soil columns. Must be one or more that differ from "
                "the soil."
            )
            raise ValueError(msg)
        # of unit length, so that the kernel meets no extreme numbers
        return np.ascontiguousarray(bank / np.sqrt(energy)[:, None])

    def _output_sensor(self, sensor: Sensor) -> Sensor:
        return dataclasses.replace(
            sensor, axis=sensor.axis[:1], quantity="score", unit="standard deviations"
        )

    def _advance(
        self, samples: Samples, is_usable: npt.NDArray[np.bool_]
    ) -> tuple[Samples, Flags | None]:
        n_traces = len(samples)
        residual = np.empty_like(samples)
        remove_columns(samples, self._basis, residual)
        quality = self._track["quality"]
        is_present = is_usable & (quality[len(quality) - n_traces :] & Quality.EDGE == 0)
        return self._match(self._around.feed(*self._sum(residual, is_present)))

    def _finish(self) -> tuple[Samples, Flags | None] | None:
        absent = np.zeros((self._half_width, self._n_channels, self._n_gates), np.float32)
        rows, is_present = self._sum(absent, np.zeros(len(absent), np.bool_))
        parts = [self._match(self._around.feed(rows, is_present))]
        parts.append(self._match(self._around.finish()))
        samples, flags = zip(*parts, strict=True)
        return np.concatenate(samples), np.concatenate(flags)

    def _sum(
        self, residual: Samples, is_present: npt.NDArray[np.bool_]
    ) -> tuple[Samples, npt.NDArray[np.bool_]]:
        """Return the sums over the footprint that are ready, one row a trace."""
        taken, half = int(self._taken[0]), self._half_width
        n_ready = max(0, taken + len(residual) - half) - max(0, taken - half)
        rows = np.empty((n_ready, self._held.shape[1]), np.float32)
        is_ready = np.empty(n_ready, np.bool_)
        sum_footprint(
            residual.reshape(len(residual), self._held.shape[1]),
            is_present,
            half,
            self._held,
            self._presence,
            self._taken,
            rows,
            is_ready,
        )
        return rows, is_ready

    def _match(self, around: Around) -> tuple[Samples, Flags]:
        """Return the scores of traces with complete rings, and flags where these fail."""
        shape = (len(around.counts), self._n_channels, self._n_gates)
        # absent centres are infinite; those that are usable carry EDGE from before
        around.centres[~np.isfinite(around.centres[:, 0])] = 0.0
        scores = np.empty((*shape[:2], 1), np.float32)
        has_noise = np.empty(shape[0], np.bool_)
        match_decays(
            around.centres.reshape(shape),
            around.spread.reshape(shape),
            self._basis,
            self._mixing,
            self._bank,
            self.floor,
            _ROUNDS,
            self._variance,
            self._work,
            scores,
            has_noise,
        )
        is_short = around.counts < self.min_share * self._around.capacity
        scores[is_short] = 0.0
        return scores, np.where(is_short | ~has_noise, int(Quality.EDGE), 0)
