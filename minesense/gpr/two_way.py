"""Find where a radar lane departs from a prediction out of either direction of travel."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from .._kernels.prediction import sum_runs
from .._version import __version__
from ..sensor import Sensor
from ..stage import Flags, run_lane
from ..sweep import Quality, Samples, Sweep
from .prediction import PrescreenPrediction


def prescreen_prediction_two_way(
    sweep: Sweep,
    *,
    spacing: float,
    bin_length: float,
    guard: float = 0.2,
    length: float = 0.5,
    reach: int = 3,
    rate: float = 0.05,
    memory: float = 1.2,
    n_best: int = 3,
    start_time: float = 0.0,
    floor: float = 0.1,
    min_share: float = 0.5,
    step: float | None = None,
) -> Sweep:
    r"""
    Score how far energies depart from both a prediction from behind and one from ahead.

    Parameters
    ----------
    sweep : Sweep
        A whole radar lane, whitened, so that depths compare; its two-way time is regular.
    spacing, bin_length, guard, length, reach, rate
        As in :func:`~minesense.gpr.prescreen_prediction`.
    memory, n_best, start_time, floor, min_share, step
        As in :func:`~minesense.gpr.prescreen_prediction`.

    Returns
    -------
    scores : Sweep
        As of :func:`~minesense.gpr.prescreen_prediction`. A trace that only one of the two
        can judge has the score of that one; the flag EDGE means that neither can.

    Raises
    ------
    TypeError, ValueError
        As :func:`~minesense.gpr.prescreen_prediction`.

    Notes
    -----
    The prescreener runs along the lane and back. Of the two errors of each trace, channel
    and bin the smaller counts, each in spreads of its own direction,

    .. math:: S_{kv} = \sum_{b = v}^{v + n - 1} \min\Big(
        \frac{\overrightarrow\epsilon_{kb}^2}{\max(\overrightarrow s_{kb}, f)^2},
        \frac{\overleftarrow\epsilon_{kb}^2}{\max(\overleftarrow s_{kb}, f)^2} \Big),

    so that what one direction has learnt to expect does not score: soil behind an edge, and
    the ground behind a target, which the target itself predicts wrongly from one side only.
    A lane turned round has the same scores, turned round. It needs the whole lane, and so
    has no streaming form.

    Examples
    --------
    Where the ground changes only the way back is not surprised:

    >>> from minesense.gpr import prescreen_prediction
    >>> sensor = Sensor(
    ...     name="demo", kind="gpr", axis=1e-10 * np.arange(100), lever_arms=[[0, 0, 0]]
    ... )
    >>> samples = np.random.default_rng(seed=1).normal(size=(160, 1, 100))
    >>> samples[80:] *= 5
    >>> northing = 0.05 * np.arange(160)
    >>> sweep = Sweep(
    ...     samples=samples,
    ...     time=northing,
    ...     position=np.column_stack([0 * northing, northing, 0 * northing]),
    ...     heading=np.zeros(160),
    ...     sensor=sensor,
    ... )
    >>> options = {"spacing": 0.05, "bin_length": 1e-9}
    >>> one_way = prescreen_prediction(sweep, **options)
    >>> two_way = prescreen_prediction_two_way(sweep, **options)
    >>> bool(two_way.samples[80:84].max() < 0.2 * one_way.samples[80:84].max())
    True
    """
    stage = _Ratios(
        spacing=spacing,
        bin_length=bin_length,
        guard=guard,
        length=length,
        reach=reach,
        rate=rate,
        memory=memory,
        n_best=n_best,
        start_time=start_time,
        floor=floor,
        min_share=min_share,
        step=step,
    )
    there = run_lane(stage, sweep)
    if there.sensor.shape == (0, 0):
        return there  # of no sensor, hence of no bins
    scored = stage.scored
    back = _turned(run_lane(stage, _turned(sweep)))
    is_short = [(way.quality & ~sweep.quality & Quality.EDGE) != 0 for way in (there, back)]
    ratios = np.minimum(
        np.where(is_short[0][:, None, None], np.float32(np.inf), there.samples),
        np.where(is_short[1][:, None, None], np.float32(np.inf), back.samples),
    )
    is_dark = is_short[0] & is_short[1]
    ratios[is_dark] = 0.0
    scores = np.empty((*ratios.shape[:2], len(scored.axis)), np.float32)
    sum_runs(ratios, stage.n_best, scores)
    scores[~sweep.is_usable] = np.nan
    options = ", ".join(f"{name}={value!r}" for name, value in stage.options.items())
    line = f"minesense {__version__}: prescreen_prediction_two_way({options})"
    return dataclasses.replace(
        sweep,
        samples=scores,
        sensor=scored,
        quality=sweep.quality | np.where(is_dark, int(Quality.EDGE), 0),
        history=(*sweep.history, line),
    )


class _Ratios(PrescreenPrediction):
    """The prescreener as far as squared errors over their spread, bin by bin."""

    def _output_sensor(self, sensor: Sensor) -> Sensor:
        self.scored = super()._output_sensor(sensor)
        return dataclasses.replace(self._bins, n_best=1).score_sensor(sensor)

    def _advance(
        self, samples: Samples, is_usable: npt.NDArray[np.bool_]
    ) -> tuple[Samples, Flags | None]:
        ratios, is_short = self._ratios(samples, is_usable)
        return ratios, np.where(is_short, int(Quality.EDGE), 0)


def _turned(sweep: Sweep) -> Sweep:
    """Return a lane as if it had been travelled the other way, for stages that look behind."""
    return dataclasses.replace(
        sweep,
        samples=sweep.samples[::-1],
        time=-sweep.time[::-1],
        position=sweep.position[::-1],
        heading=sweep.heading[::-1],
        # ground missing ahead of the lane is not missing within
        quality=sweep.quality[::-1] & ~np.int64(Quality.GAP),
    )
