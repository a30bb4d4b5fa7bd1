"""Faults of the bytes between device and receiver, and of a receiver that falls behind."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..._validation import check_count, check_positive, check_rng
from ...message import Packet
from ..queue import Lost, PacketQueue


def reconnect_mid_frame(frames: Sequence[bytes], rng: np.random.Generator) -> list[bytes]:
    """
    Cut one frame in its middle; go on with a whole one.

    Parameters
    ----------
    frames : sequence of bytes
        At least one, not empty.
    rng : numpy.random.Generator
        Which frame, and where.

    Returns
    -------
    frames : list of bytes
        With one that ends early.

    Examples
    --------
    >>> found = reconnect_mid_frame([b"12345678"] * 3, np.random.default_rng(1))
    >>> sorted(map(len, found))[1:]
    [8, 8]
    """
    check_rng(rng)
    result = list(frames)
    k = int(rng.integers(len(result)))
    result[k] = result[k][: int(rng.integers(1, max(2, len(result[k]))))]
    return result


def tear(frames: Sequence[bytes], rng: np.random.Generator) -> list[bytes]:
    """
    End the last frame early: the link, or the power, was cut.

    Parameters
    ----------
    frames : sequence of bytes
        At least one, not empty.
    rng : numpy.random.Generator
        Where.

    Returns
    -------
    frames : list of bytes
        The last one torn.

    Examples
    --------
    >>> len(tear([b"12345678"], np.random.default_rng(1))[0]) < 8
    True
    """
    check_rng(rng)
    result = list(frames)
    result[-1] = result[-1][: int(rng.integers(len(result[-1])))]
    return result


def corrupt(frames: Sequence[bytes], rng: np.random.Generator, *, n: int = 1) -> list[bytes]:
    """
    Flip one bit in some frames.

    Parameters
    ----------
    frames : sequence of bytes
        Not empty.
    rng : numpy.random.Generator
        Which frames and bits.
    n : int
        How many frames; at most all.

    Returns
    -------
    frames : list of bytes
        Of the same lengths.

    Examples
    --------
    >>> corrupt([bytes(4)], np.random.default_rng(1)) != [bytes(4)]
    True
    """
    check_rng(rng)
    result = list(frames)
    for k in rng.permutation(len(result))[: check_count(n, "n")].tolist():
        data = bytearray(result[k])
        bit = int(rng.integers(8 * len(data)))
        data[bit // 8] ^= 1 << bit % 8
        result[k] = bytes(data)
    return result


def oversize(
    frames: Sequence[bytes],
    rng: np.random.Generator,
    *,
    offset: int = 4,
    length: int = 0x7FFFFFFF,
) -> list[bytes]:
    """
    Let one frame claim to be far longer than it is.

    Parameters
    ----------
    frames : sequence of bytes
        Longer than the length field and what is before it.
    rng : numpy.random.Generator
        Which frame.
    offset : int
        Bytes before the length, a u32, little endian.
    length : int
        What is claimed.

    Returns
    -------
    frames : list of bytes
        Of the same lengths.

    Examples
    --------
    >>> oversize([bytes(10)], np.random.default_rng(1), length=258)[0][4:8].hex()
    '02010000'
    """
    check_rng(rng)
    result = list(frames)
    k = int(rng.integers(len(result)))
    field = length.to_bytes(4, "little")
    result[k] = result[k][:offset] + field + result[k][offset + 4 :]
    return result


def fall_behind(
    packets: Sequence[Packet],
    rng: np.random.Generator,
    *,
    after: int,
    n_packets: int,
    most_packets: int = 64,
) -> list[Packet | Lost]:
    """
    Return what a session sees whose queue filled while it was busy.

    Parameters
    ----------
    packets : sequence of Packet
        As they arrived.
    rng : numpy.random.Generator
        Unused: the loss follows from the sizes.
    after : int
        Packets that are processed as they come.
    n_packets : int
        Packets that arrive while the session is busy.
    most_packets : int
        Of the queue.

    Returns
    -------
    seen : list of Packet or Lost
        With what was lost at its place.

    Examples
    --------
    >>> packets = [Packet(0.0, bytes([2]) + bytes(15))] * 9
    >>> seen = fall_behind(
    ...     packets, np.random.default_rng(1), after=2, n_packets=5, most_packets=3
    ... )
    >>> len(seen), seen[2].by_number
    (8, {0: 2})
    """
    check_rng(rng)
    check_positive(n_packets, "n_packets")
    queue = PacketQueue(most_packets=most_packets)
    seen: list[Packet | Lost] = list(packets[:after])
    for packet in packets[after : after + n_packets]:
        queue.put(packet)
    queue.close()
    while (item := queue.get()) is not None:
        seen.append(item)
    return [*seen, *packets[after + n_packets :]]
