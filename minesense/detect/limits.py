"""The limit above which places are alarms: stated, promised, or that of training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .._validation import check_number
from .guarantee import Guarantee, certify_miss_rate
from .screen import Screened
from .target_scores import TargetScores


def promise(targets: Mapping[str, TargetScores], mode: str, miss_rate: float) -> Guarantee:
    """
    Return what the training targets of a mode promise.

    Parameters
    ----------
    targets : dict of TargetScores
        By mode.
    mode : str
        ``"both"`` or a kind of sensor.
    miss_rate : float
        Greatest share of a lane's targets that may be missed, on average.

    Returns
    -------
    guarantee : Guarantee
        With the highest threshold that holds the rate.

    Raises
    ------
    TypeError, ValueError
        If the mode has no targets, or no threshold holds the rate.

    Examples
    --------
    >>> from minesense.detect.limits import promise
    >>> promise({}, "both", 0.1)
    Traceback (most recent call last):
    ValueError: Invalid detector: it holds no training targets for mode 'both'.
    """
    if mode not in targets:
        msg = f"Invalid detector: it holds no training targets for mode '{mode}'."
        raise ValueError(msg)
    held = targets[mode]
    return certify_miss_rate(held.scores, held.lanes.tolist(), miss_rate=miss_rate)


def choose_limit(
    mode: str,
    thresholds: Mapping[str, float],
    targets: Mapping[str, TargetScores],
    *,
    threshold: float | None,
    miss_rate: float | None,
) -> tuple[float, Guarantee | None]:
    """
    Return the threshold that a user asks for, and what it promises.

    Parameters
    ----------
    mode : str
        ``"both"`` or a kind of sensor.
    thresholds : dict of float
        Of training, by mode.
    targets : dict of TargetScores
        Of training, by mode.
    threshold, miss_rate : float, optional
        What is asked for, one of both or none.

    Returns
    -------
    limit : float
        Of the log odds.
    guarantee : Guarantee or None
        If a miss rate is asked for.

    Raises
    ------
    TypeError, ValueError
        If both are given, the threshold is no finite number, or as :func:`promise`.

    Examples
    --------
    >>> from minesense.detect.limits import choose_limit
    >>> choose_limit("gpr", {"gpr": 0.5}, {}, threshold=None, miss_rate=None)
    (0.5, None)
    >>> choose_limit("gpr", {"gpr": 0.5}, {}, threshold=2, miss_rate=None)
    (2.0, None)
    """
    if miss_rate is None:
        stated = thresholds[mode] if threshold is None else check_number(threshold, "threshold")
        return stated, None
    if threshold is not None:
        msg = f"Invalid threshold '{threshold}' beside a miss rate. Must be one of both."
        raise ValueError(msg)
    guarantee = promise(targets, mode, miss_rate)
    return guarantee.threshold, guarantee


def refuse_absent(lanes: Sequence[Mapping[str, Screened]], kinds: Sequence[str]) -> None:
    """
    Raise if a lane lacks a sensor that a promise rests on.

    Parameters
    ----------
    lanes : sequence of dict of Screened
        By kind of sensor.
    kinds : sequence of str
        Sensors of the promise.

    Raises
    ------
    ValueError
        If one is missing: its lane and kind are named.

    Examples
    --------
    >>> from minesense.detect.limits import refuse_absent
    >>> refuse_absent([], ("gpr", "emi"))
    """
    for lane in lanes:
        absent = [kind for kind in kinds if kind not in lane]
        if absent:
            name = next(iter(lane.values())).lane
            msg = (
                f"Invalid miss_rate for lane '{name}', which has no sweep of kind "
                f"'{absent[0]}'. Must be promised for the sensors that are there: pass their "
                "mode."
            )
            raise ValueError(msg)
