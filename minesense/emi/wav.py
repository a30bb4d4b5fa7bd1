"""Write audio as WAV files."""

from __future__ import annotations

import os
import wave
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from .._validation import check_at_most, check_count, check_real, check_shape


class WavWriter:
    """
    A WAV file, one channel of 16 bits, that grows with a stream.

    What was written can be read at any time: the header is brought up to date each time, so
    that a program that is killed leaves a file that plays.

    Parameters
    ----------
    path : path-like
        File to write; replaced if there is one.
    rate : int
        Samples per second.

    Raises
    ------
    TypeError, ValueError
        If the rate is out of range.
    OSError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile, wave
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with WavWriter(f"{folder}/tone.wav", rate=8000) as writer:
    ...         writer.write(np.zeros(80))
    ...     with wave.open(f"{folder}/tone.wav") as file:
    ...         file.getnframes()
    80
    """

    def __init__(self, path: str | os.PathLike[str], *, rate: int):
        self.rate = check_count(rate, "rate", least=1000)
        check_at_most(self.rate, "rate", 192_000, "Hz")
        self.path = Path(path)
        self._file = self.path.open("wb")
        self._wave = wave.open(self._file, "wb")  # noqa: SIM115  closed by close
        self._wave.setnchannels(1)
        self._wave.setsampwidth(2)
        self._wave.setframerate(self.rate)
        self.write([])

    def __enter__(self) -> WavWriter:
        """Return the writer itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the file."""
        self.close()

    def write(self, audio: npt.ArrayLike) -> None:
        """
        Add samples.

        Parameters
        ----------
        audio : (n_samples,) array_like
            Between -1 and 1; what lies beyond is clipped.

        Raises
        ------
        TypeError, ValueError
            If audio is not one row of finite numbers.
        """
        self._wave.writeframes(as_pcm(audio))
        self._file.flush()

    def close(self) -> None:
        """Close the file; a second time does nothing."""
        self._wave.close()
        self._file.close()


def as_pcm(audio: npt.ArrayLike) -> bytes:
    """
    Return audio as 16-bit samples, little-endian.

    Parameters
    ----------
    audio : (n_samples,) array_like
        Between -1 and 1; what lies beyond is clipped.

    Returns
    -------
    data : bytes
        Two for each sample.

    Raises
    ------
    TypeError, ValueError
        If audio is not one row of finite numbers: NaN would play as silence.

    Examples
    --------
    >>> as_pcm([0.0, 1.0, -2.0]).hex(" ", 2)
    '0000 ff7f 0180'
    """
    values: npt.NDArray[Any] = check_shape(check_real(audio, "audio"), "audio", ("n",))
    if not np.isfinite(values).all():
        n_bad = np.count_nonzero(~np.isfinite(values))
        msg = f"Invalid audio: {n_bad} samples are NaN or infinite. Must be finite."
        raise ValueError(msg)
    return np.rint(np.clip(values, -1.0, 1.0) * 32767.0).astype("<i2").tobytes()


def write_wav(path: str | os.PathLike[str], audio: npt.ArrayLike, *, rate: int) -> None:
    """
    Write audio as a WAV file, one channel of 16 bits.

    Parameters
    ----------
    path : path-like
        File to write.
    audio : (n_samples,) array_like
        Between -1 and 1; what lies beyond is clipped.
    rate : int
        Samples per second.

    Raises
    ------
    TypeError, ValueError
        If audio is not one row of finite numbers, or the rate is out of range.
    OSError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile, wave
    >>> from minesense.emi.tone import Tone
    >>> tone = Tone()
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_wav(f"{folder}/tone.wav", tone.pull(1600), rate=tone.rate)
    ...     with wave.open(f"{folder}/tone.wav") as file:
    ...         file.getparams()[:4]
    (1, 2, 16000, 1600)
    """
    data = as_pcm(audio)
    with WavWriter(path, rate=rate) as writer:
        writer.write(np.frombuffer(data, "<i2") / 32767.0)
