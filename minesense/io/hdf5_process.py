"""The process that reads HDF5 files for this one: a hostile file can end it, and only it."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import selectors
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_SECONDS, _PER_BYTE = 0.8, 1 / 20e6  # of processor time for a request, and for what it reads
_SLOWEST = 60.0  # s of waiting for the child beyond that, on a busy machine


class ChildError(Exception):
    """The process that reads has ended, or said that something is wrong."""


class Child:
    """The process that reads files for this one; started when it is needed, and again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0
        self.generation = 0

    def ask(self, generation: int | None, size: int = 0, **request: Any) -> tuple[Any, bytes]:
        """
        Return the answer to a request and the bytes behind it.

        Raises
        ------
        ChildError
            If the process ended, or is not the one in which the file was opened.
        """
        with self._lock, self._in_step():
            if generation is None:
                self._start()
            elif generation != self.generation:
                msg = "reading a file ended the process that read it"
                raise ChildError(msg)
            seconds = _SECONDS + size * _PER_BYTE
            text = json.dumps({**request, "seconds": seconds}) + "\n"
            process = self._process
            assert process is not None
            assert process.stdin is not None
            with contextlib.suppress(OSError):
                process.stdin.write(text.encode("utf-8", "surrogateescape"))
                process.stdin.flush()
            answer, data = self._receive(seconds + _SLOWEST)
        for key in ("refused", "damaged"):
            if key in answer:
                raise ChildError(answer[key])
        return answer, data

    @contextlib.contextmanager
    def _in_step(self) -> Iterator[None]:
        """End the process if a request is broken off: the next would get its answer."""
        try:
            yield
        except ChildError:
            raise
        except BaseException:
            self.close()
            self.generation += 1
            raise

    def _start(self) -> None:
        """Start the process unless it runs, and wait until it listens."""
        runs = self._process is not None and self._process.poll() is None
        if runs and self._owner == os.getpid():
            return
        self.close()
        script = Path(__file__).with_name("hdf5_child.py")
        paths = os.pathsep.join(path for path in sys.path if path)
        self._process = subprocess.Popen(
            [sys.executable, "-s", os.fspath(script)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": paths},
        )
        self._owner = os.getpid()
        self.generation += 1
        self._receive(_SLOWEST)

    def _receive(self, seconds: float) -> tuple[Any, bytes]:
        """Return one answer; end the process if it gives none."""
        process = self._process
        assert process is not None
        assert process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            line = process.stdout.readline() if selector.select(seconds) else b""
        if line:
            answer = json.loads(line)
            count = answer.get("bytes", 0)
            data = process.stdout.read(count) if count else b""
            if len(data) == count:
                return answer, data
        self.close()
        self.generation += 1
        msg = "reading it ended the process that read it, or took too long"
        raise ChildError(msg)

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is None:
            return
        if self._owner == os.getpid():
            process.kill()
            process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


CHILD = Child()
atexit.register(CHILD.close)
