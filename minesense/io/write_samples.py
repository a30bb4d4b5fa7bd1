"""Samples of a recording as the numbers that another format stores."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from .._validation import check_positive
from .recording import Recording
from .survey import blocks_of, type_limits


class StoredSamples:
    """
    Samples of a recording, scaled and checked, as integers or floats to be stored.

    Parameters
    ----------
    recording : Recording
        What is to be written.
    dtype : dtype
        What the format stores.
    offset : int, optional
        Mid-scale that the format adds.
    scale : float, optional
        Stored counts per count of the recording, one for all traces.
    channel : int, optional
        The one to write, if the format holds one; all if not given.

    Raises
    ------
    ValueError
        If the samples do not fit: floats into integers, or numbers beyond the type, without a
        scale; NaN and infinite ones; complex ones.
    """

    def __init__(
        self,
        recording: Recording,
        dtype: npt.DTypeLike,
        *,
        offset: int = 0,
        scale: float | None = None,
        channel: int | None = None,
    ):
        self.recording = recording
        self.dtype = np.dtype(dtype)
        self.offset = offset
        self.scale = None if scale is None else check_positive(scale, "scale")
        self.channel = channel
        self._check()

    def __call__(self, start: int, stop: int) -> npt.NDArray[Any]:
        """Return the numbers to store of the traces from `start` to before `stop`."""
        numbers = self._numbers(start, stop)
        if self.scale is not None:
            numbers = numbers.astype(np.float64) * self.scale
        if self.dtype.kind != "f" and numbers.dtype.kind == "f":
            numbers = np.rint(numbers)
        return (numbers + self.offset if self.offset else numbers).astype(self.dtype)

    def _numbers(self, start: int, stop: int) -> npt.NDArray[Any]:
        """Return samples around zero, exact, words that are no signal replaced."""
        recording = self.recording
        block = recording.stored[start:stop]
        numbers = block if recording.decode is None else recording.decode(block)
        if numbers.dtype.kind in "iu":
            numbers = numbers.astype(np.int64) - recording.offset
        else:
            numbers = numbers.astype(numbers.dtype.newbyteorder("="))
        for channel, n_words in enumerate(recording.header_words):
            if n_words:
                first = numbers[:, channel, n_words : n_words + 1]
                numbers[:, channel, :n_words] = first
        if self.channel is not None:
            numbers = numbers[:, self.channel : self.channel + 1]
        return numbers

    def _check(self) -> None:
        """Raise if the samples cannot be stored as they are."""
        recording = self.recording
        if recording.stored.dtype.kind == "c":
            msg = "Invalid samples: complex. Must be real: write the real part, or Touchstone."
            raise ValueError(msg)
        survey = recording.survey()
        if survey.n_not_finite:
            trace = (survey.first_not_finite or (0,))[0]
            msg = (
                f"Invalid samples: {survey.n_not_finite} are NaN or infinite, the first in "
                f"trace {trace}. Must be finite."
            )
            raise ValueError(msg)
        if not survey.is_float and survey.largest >= 2**63:
            msg = f"Invalid samples: up to {survey.largest:g}. Must be below 2^63."
            raise ValueError(msg)
        limits = type_limits(self.dtype)
        if limits is None:
            self._check_floats(survey.smallest, survey.largest)
            return
        if survey.is_float and self.scale is None:
            msg = (
                f"Invalid samples: floating, between {survey.smallest:g} and "
                f"{survey.largest:g}. Must be whole numbers to be stored as "
                f"{self.dtype.name}, or pass scale, one factor for the whole survey."
            )
            raise ValueError(msg)
        factor = 1.0 if self.scale is None else self.scale
        low, high = limits[0] - self.offset, limits[1] - self.offset
        ends = [(value - recording.offset) * factor for value in self._ends(survey)]
        if ends and not (low - 0.5 < min(ends) and max(ends) < high + 0.5):
            most = max(abs(min(ends)), abs(max(ends))) / factor
            msg = (
                f"Invalid samples: they reach from {min(ends):g} to {max(ends):g}. Must lie "
                f"between {low} and {high} to be stored as {self.dtype.name}: pass a scale of "
                f"at most {high / most:.3g}, one factor for the whole survey."
            )
            raise ValueError(msg)

    def _ends(self, survey: Any) -> list[float]:
        """Return the smallest and the largest sample, if there is any."""
        ends = [survey.smallest, survey.largest]
        return [end for end in ends if not math.isnan(end)]

    def _check_floats(self, smallest: float, largest: float) -> None:
        """Raise if samples would be rounded to the floats of the format without a scale."""
        factor = 1.0 if self.scale is None else self.scale
        most = float(np.finfo(self.dtype).max)
        if max(abs(smallest), abs(largest)) * factor > most:
            msg = f"Invalid samples: up to {largest:g}. Must be at most {most:g}: pass a scale."
            raise ValueError(msg)
        if self.scale is not None:
            return
        for start, stop in blocks_of(self.recording.stored):
            numbers = self._numbers(start, stop)
            if not np.array_equal(numbers.astype(self.dtype).astype(numbers.dtype), numbers):
                msg = (
                    f"Invalid samples of type {numbers.dtype.name}: {self.dtype.name} would "
                    "round them. Must be exact: pass scale=1 to round."
                )
                raise ValueError(msg)


def choose_channel(recording: Recording, channel: int | None, title: str) -> int:
    """
    Return the channel that a format of one channel shall hold.

    Raises
    ------
    ValueError
        If the recording has several and none was named, or not this one.
    """
    n_channels = recording.shape[1]
    if channel is None and n_channels == 1:
        return 0
    if channel is None or not 0 <= channel < n_channels:
        msg = (
            f"Invalid channel '{channel}'. Must be one of 0 to {n_channels - 1}: {title} holds "
            "one channel a file."
        )
        raise ValueError(msg)
    return channel


def regular_spacing(recording: Recording, title: str) -> tuple[float, float] | None:
    """
    Return distance of the first trace and spacing, None if nothing tells a distance.

    Raises
    ------
    ValueError
        If distances are not regular, so that a first one and a step do not hold them.
    """
    distance = recording.distance
    if distance is None or len(distance) == 0:
        return None if recording.spacing is None else (0.0, recording.spacing)
    step = recording.spacing
    if step is None:
        step = float((distance[-1] - distance[0]) / max(1, len(distance) - 1))
    wanted = distance[0] + step * np.arange(len(distance))
    off = np.abs(distance - wanted)
    if not step > 0 or not (off <= 1e-3 * step + 1e-6 * np.abs(wanted).max()).all():
        trace = int(np.argmax(np.where(np.isnan(off), np.inf, off)))
        msg = (
            f"Invalid distances: that of trace {trace} is {distance[trace]!r} m. Must be a "
            f"first one and steps of {step:g} m in {title}: write DT1 or SEG-Y, which hold the "
            "place of each trace, or read with spacing."
        )
        raise ValueError(msg)
    return float(distance[0]), step
