"""How often the radar's prescreener alarms on a stretch that holds nothing it looks for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...sweep import Sweep
from .missing import TooFewError


@dataclass(frozen=True, slots=True, kw_only=True)
class FalseAlarms:
    """Alarms of the prescreener on a stretch that is taken to hold no target."""

    n: int
    length: float  #: m that could be judged
    per_metre: float
    high_score: float  #: exceeded by a hundredth of the judged traces, best of each


def false_alarms(sweep: Sweep) -> FalseAlarms:
    """
    Run the radar stages and the prescreener as on a recording, and count alarms.

    Parameters
    ----------
    sweep : Sweep
        A radar lane, as recorded; whether anything lies there is not looked at.

    Returns
    -------
    alarms : FalseAlarms
        At the default threshold, with settings scaled to the centre frequency and the spacing
        (:func:`minesense.detect.screen_recording`).

    Raises
    ------
    TypeError, ValueError
        If the sweep is not of a radar that the stages can process.
    TooFewError
        If it is too short to be judged, or its distances are not known.

    Examples
    --------
    >>> from minesense.synthetic import cart, field, scenario
    >>> from minesense.synthetic.realism import false_alarms
    >>> made = field(scenario("prepared", lanes={"length": 12.0}), seed=1)
    >>> radar, _ = made.sweep(cart(n_antennas=1, n_coils=1), lanes=["lane 01"])
    >>> false_alarms(radar).length > 5
    True
    """
    from ...detect import recording_settings, screen_recording  # noqa: PLC0415, scikit-learn

    if not len(sweep):
        msg = "0 traces: at least one is needed"
        raise TooFewError(msg)
    recording_settings(sweep)  # refuses what is no radar, before its errors mean "too short"
    try:
        found = screen_recording(sweep)
    except ValueError as error:
        raise TooFewError(" ".join(str(error).split(". Must")[0].split())) from error
    judged = np.concatenate([part.scores.is_judged for part in found.screened.parts])
    best = np.concatenate([part.best for part in found.screened.parts]).max(axis=1)[judged]
    if not (np.isfinite(found.observed_length) and found.observed_length > 0):
        msg = "the length of the track is not known, or none of it could be judged"
        raise TooFewError(msg)
    return FalseAlarms(
        n=len(found.alarms),
        length=found.observed_length,
        per_metre=found.alarms_per_metre,
        high_score=float(np.quantile(best, 0.99)),
    )
