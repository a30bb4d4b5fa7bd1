"""How a statistic sounds: pitch, loudness, and what is no statistic."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass
from typing import Literal, NamedTuple

from .._validation import check_at_most, check_one_of, check_positive
from ..sweep import NOT_CREDITED, UNUSABLE, Quality

_SATURATED, _UNUSABLE, _NOT_CREDITED = (
    int(flags) for flags in (Quality.SATURATED, UNUSABLE, NOT_CREDITED)
)


class ToneState(enum.Enum):
    """What a tone says."""

    HUM = "hum"  #: the statistic is below the threshold
    SIGNAL = "signal"  #: it is at or above
    SATURATED = "saturated"  #: too strong to tell how strong
    FAULT = "fault"  #: there is no statistic: it is not finite, flagged, or none came


class Control(NamedTuple):
    """Where pitch and loudness go."""

    pitch: float  #: Hz
    loudness: float  #: amplitude between 0 and 1
    state: ToneState
    is_credited: bool = True  #: whether the ground below counts as observed; else it flutters


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    r"""
    How a statistic sounds.

    Raises
    ------
    TypeError, ValueError
        If a number is not in its range, or a word is not one of those allowed.

    Notes
    -----
    With the level :math:`u = \ln(|s| / \text{threshold}) / \ln(\text{full} /
    \text{threshold})`, held between 0 and 1, loudness goes from `hum` to 1 as u does. Pitch
    is :math:`\text{pitch} \cdot 2^{\text{octaves} \cdot u}` of a single coil, loudest and
    highest where the statistic is, above the object; negative values hum. A double-D head
    gives a signed statistic: `left` is the pitch of negative values, `right` that of positive
    ones, both a third higher at u = 1, and the change between them marks the middle. Below
    the threshold the hum swells by up to a half with the statistic, so that the noise of the
    ground is heard.
    """

    threshold: float = 3.0  #: of the statistic, where the tone begins
    full: float = 60.0  #: statistic of the loudest tone
    saturation: float = math.inf  #: statistic from which on it cannot be trusted
    head: Literal["single", "double-d"] = "single"
    mode: Literal["static", "dynamic"] = "static"  #: dynamic: only changes are heard
    time_constant: float = 0.4  #: s, in which the dynamic mode takes a level for ground
    pitch: float = 220.0  #: Hz, of the hum
    octaves: float = 2.5  #: from the hum to the loudest tone of a single coil
    left: float = 330.0  #: Hz, of a double-D head
    right: float = 880.0  #: Hz
    hum: float = 0.08  #: loudness of the hum; never 0
    hold: float = 0.25  #: s of audio without a new statistic before it is a fault

    def __post_init__(self) -> None:
        for name in ("threshold", "time_constant", "pitch", "octaves", "left", "right", "hold"):
            object.__setattr__(self, name, check_positive(getattr(self, name), name))
        for name in ("pitch", "left", "right"):
            check_at_most(getattr(self, name), name, 2000.0, "Hz")
        check_at_most(self.octaves, "octaves", 4.0)
        full = check_positive(self.full, "full")
        if full <= self.threshold:
            msg = f"Invalid full '{full}'. Must be above the threshold of {self.threshold}."
            raise ValueError(msg)
        object.__setattr__(self, "full", full)
        if not self.saturation > self.threshold:  # NaN too
            msg = f"Invalid saturation '{self.saturation}'. Must be above the threshold."
            raise ValueError(msg)
        check_one_of(self.head, "head", ("single", "double-d"))
        check_one_of(self.mode, "mode", ("static", "dynamic"))
        if not 0.01 <= check_positive(self.hum, "hum") <= 0.5:
            msg = f"Invalid hum '{self.hum}'. Must lie between 0.01 and 0.5."
            raise ValueError(msg)

    def control(self, statistic: float, quality: int = 0) -> Control:
        """
        Return pitch and loudness of a statistic.

        Parameters
        ----------
        statistic : float
            Of the detector; of a double-D head less than zero on the left.
        quality : int
            Flags of :class:`~minesense.quality.Quality`.

        Returns
        -------
        control : Control
            FAULT if the statistic is not finite or its samples mean nothing.

        Examples
        --------
        >>> voice = Voice(threshold=3, full=48)
        >>> [round(voice.control(s).pitch) for s in (0, 3, 12, 48)]
        [220, 220, 523, 1245]
        >>> voice.control(float("nan")).state.value
        'fault'
        """
        is_credited = not quality & _NOT_CREDITED
        is_number = math.isfinite(statistic) and not quality & _UNUSABLE
        if quality & _SATURATED or (is_number and abs(statistic) >= self.saturation):
            return Control(1100.0, 1.0, ToneState.SATURATED, is_credited)
        if not is_number:
            return Control(165.0, 0.6, ToneState.FAULT, is_credited)
        size = max(statistic, 0.0) if self.head == "single" else abs(statistic)
        if size < self.threshold:
            loudness = self.hum * (1.0 + 0.5 * size / self.threshold)
            return Control(self.pitch, loudness, ToneState.HUM, is_credited)
        level = min(1.0, math.log(size / self.threshold) / math.log(self.full / self.threshold))
        if self.head == "single":
            pitch = self.pitch * 2.0 ** (self.octaves * level)
        else:
            pitch = (self.right if statistic > 0 else self.left) * 2.0 ** (level / 3.0)
        first = 1.5 * self.hum
        return Control(pitch, first + (1 - first) * level, ToneState.SIGNAL, is_credited)
