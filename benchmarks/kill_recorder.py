"""
Kill a recorder at random instants and count what each kill cost.

    python -m benchmarks.kill_recorder --kills 200

A child records messages of 1 KiB at 1 kHz and notes in shared memory the number of the last
one that it was given. It is killed with SIGKILL; what the file then holds is read back by
`minesense.io.mcap_recovery`.
"""

from __future__ import annotations

import argparse
import mmap
import os
import signal
import struct
import tempfile
import time
from pathlib import Path

import numpy as np

from minesense.io.mcap_recovery import recover
from minesense.message import Packet
from minesense.stream.recorder import Recorder

_RATE = 1000.0  # Hz
_SIZE = 1024  # bytes of a message


def scan(sequence: int) -> bytes:
    """Return a message whose bytes follow from its number."""
    body = np.random.default_rng(sequence).bytes(_SIZE - 16)
    return struct.pack("<BBHId", 2, 1, 0, sequence, sequence / _RATE) + body


def record_until_killed(path: Path, given: mmap.mmap) -> None:
    """Record at the rate until killed; `given` holds the number of messages given so far."""
    recorder = Recorder(path)
    start = time.monotonic()
    sequence = 0
    while True:
        due = start + sequence / _RATE
        pause = due - time.monotonic()
        if pause > 0:
            time.sleep(pause)
        # counted first: a kill between the two is a loss of this message
        struct.pack_into("<Q", given, 0, sequence + 1)
        recorder.write(Packet(time.time(), scan(sequence)))
        sequence += 1


def lost_by_one_kill(folder: Path, delay: float) -> tuple[int, int]:
    """Return how many messages were given and how many of them could not be read back."""
    path = folder / "killed.mcap"
    path.unlink(missing_ok=True)
    given = mmap.mmap(-1, 8)
    child = os.fork()
    if child == 0:
        try:
            record_until_killed(path, given)
        finally:
            os._exit(1)
    while not struct.unpack_from("<Q", given)[0]:
        time.sleep(0.001)
    time.sleep(delay)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    (n_given,) = struct.unpack_from("<Q", given)
    copy = folder / "recovered.mcap"
    copy.unlink(missing_ok=True)
    try:
        recovery = recover(path, copy)
    except ValueError:  # killed before the first chunk
        return n_given, n_given
    if recovery.lost:
        msg = f"messages are missing in the middle: {recovery.lost}"
        raise RuntimeError(msg)
    from minesense.io.mcap_reading import read_packets  # noqa: PLC0415

    n_read = 0
    for n_read, packet in enumerate(read_packets(copy), start=1):
        if packet.payload != scan(n_read - 1):
            msg = f"message {n_read - 1} is not what was recorded"
            raise RuntimeError(msg)
    return n_given, n_given - n_read


def losses(n_kills: int, seed: int, longest: float = 0.8) -> np.ndarray:
    """Return the messages lost by each of so many kills, at 1 kHz as many milliseconds."""
    rng = np.random.default_rng(seed)
    with tempfile.TemporaryDirectory() as name:
        return np.array(
            [lost_by_one_kill(Path(name), d)[1] for d in rng.uniform(0.0, longest, n_kills)]
        )


def main() -> None:
    """Print quantiles of the loss."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    found = losses(options.kills, options.seed)
    print(f"{len(found)} kills at 1 kHz of 1 KiB: lost, in ms of data,")
    for share in (0.5, 0.9, 0.99, 1.0):
        print(f"  {share:.0%} of kills at most {np.quantile(found, share):.0f}")


if __name__ == "__main__":
    main()
