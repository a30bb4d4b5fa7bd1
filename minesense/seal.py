"""Seals of sweeps: a line of the history that vouches for the samples as they were written."""

from __future__ import annotations

import dataclasses

from .digest import PREFIX, digest_arrays
from .sweep import Sweep


def sweep_digest(sweep: Sweep) -> str:
    """
    Return the SHA-256 of everything that a sweep holds.

    Parameters
    ----------
    sweep : Sweep
        Of any sensor.

    Returns
    -------
    digest : str
        In hexadecimal, of :func:`minesense.digest.digest_arrays` of a header (lane, frame,
        name and description of the sensor, lines of the history that are no seal) and the
        samples, time, position, heading and quality.

    Examples
    --------
    >>> from minesense.sweep import no_traces
    >>> len(sweep_digest(no_traces(lane="lane 1")))
    64
    """
    header = {
        "lane": sweep.lane,
        "frame": dataclasses.asdict(sweep.frame),
        "sensor": {"name": sweep.sensor.name, **sweep.sensor.describe()},
        "history": [line for line in sweep.history if not line.startswith(PREFIX)],
    }
    arrays = (sweep.samples, sweep.time, sweep.position, sweep.heading, sweep.quality)
    return digest_arrays(header, arrays)


def seal(sweep: Sweep) -> Sweep:
    """
    Return a sweep whose history ends with its digest.

    Parameters
    ----------
    sweep : Sweep
        As it was made.

    Returns
    -------
    sealed : Sweep
        The same with one more line in its history. Lines that stages add later leave the seal
        where it is; it vouches for the sweep only while it is the last line.

    Examples
    --------
    >>> from minesense.sweep import no_traces
    >>> seal(no_traces()).history[-1][:7]
    'sha256:'
    """
    line = PREFIX + sweep_digest(sweep)
    return dataclasses.replace(sweep, history=(*sweep.history, line))


def is_sealed(sweep: Sweep) -> bool:
    """
    Return whether the history of a sweep ends with a seal, be it right or wrong.

    Parameters
    ----------
    sweep : Sweep
        For example from a file.

    Returns
    -------
    is_sealed : bool
        Whether its last line is one.

    Examples
    --------
    >>> from minesense.sweep import no_traces
    >>> is_sealed(no_traces()), is_sealed(seal(no_traces()))
    (False, True)
    """
    return bool(sweep.history) and sweep.history[-1].startswith(PREFIX)


def broken_seal(sweep: Sweep) -> tuple[str, str] | None:
    """
    Return what a seal says and what it should say, if they differ.

    Parameters
    ----------
    sweep : Sweep
        For example from a file.

    Returns
    -------
    digests : (str, str) or None
        The digest in the last line of the history and that of the sweep; None if they agree
        or the last line is no seal.

    Examples
    --------
    >>> import dataclasses
    >>> from minesense.sweep import no_traces
    >>> sealed = seal(no_traces(lane="lane 1"))
    >>> broken_seal(sealed) is None
    True
    >>> broken_seal(dataclasses.replace(sealed, lane="lane 2")) is None
    False
    """
    if not is_sealed(sweep):
        return None
    found, expected = sweep.history[-1].removeprefix(PREFIX), sweep_digest(sweep)
    return None if found == expected else (found, expected)
