"""
A process that reads HDF5 for the fuzzer and starts in milliseconds, for it ends often.

One damaged file in fifty ends the process that reads it or sends it round in circles until its
processor time is used up. The one of the package starts Python again (0.15 s) and has 0.8 s.
This one runs the same script in a fork that has h5py already, for 0.05 s.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

from minesense.io import hdf5_process

OF_HDF5 = ("hdf5", "transients", "gprmax")

CHILD_SECONDS = 0.05  # of the processor; files are some kilobytes


class _Fork:
    """As much of subprocess.Popen as is asked of it."""

    def __init__(self, *_: Any, **__: Any):
        (self._ours, theirs), (theirs_out, ours_in) = os.pipe(), os.pipe()
        # what the child reads comes from `theirs_in`, what it writes goes to `theirs`
        self.pid = os.fork()
        if not self.pid:
            _serve(theirs_out, theirs)
        os.close(theirs)
        os.close(theirs_out)
        self.stdin, self.stdout = os.fdopen(ours_in, "wb"), os.fdopen(self._ours, "rb")
        self._is_over = False

    def poll(self) -> int | None:
        """Return something if it has ended."""
        if not self._is_over:
            self._is_over = os.waitpid(self.pid, os.WNOHANG)[0] != 0
        return 0 if self._is_over else None

    def kill(self) -> None:
        """End it."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)

    def wait(self) -> None:
        """Wait until it has ended."""
        if not self._is_over:
            os.waitpid(self.pid, 0)
            self._is_over = True


def _serve(source: int, sink: int) -> None:
    """Be the child: run the script of the package on two pipes, then end."""
    try:
        for number in (signal.SIGPROF, signal.SIGALRM):
            signal.signal(number, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, 0)
        os.dup2(source, 0)
        os.dup2(sink, 1)
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 2)
        os.closerange(3, 256)
        path = Path(hdf5_process.__file__).with_name("hdf5_child.py")
        spec = importlib.util.spec_from_file_location("hdf5_child", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        module.sys.stdin = open(0)  # noqa: SIM115 - until the end of the process
        module.main()
    finally:
        os._exit(0)


@contextlib.contextmanager
def quick_child() -> Iterator[None]:
    """Let such a process read as long as this lasts."""
    import h5py  # noqa: F401, PLC0415 - before any fork

    hdf5_process.CHILD.close()
    with (
        mock.patch.object(hdf5_process.subprocess, "Popen", _Fork),
        mock.patch.object(hdf5_process, "_SECONDS", CHILD_SECONDS),
    ):
        yield
        hdf5_process.CHILD.close()
