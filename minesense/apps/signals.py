"""What SIGINT and SIGTERM do to a command that works until it is stopped."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any


@contextlib.contextmanager
def stopped_by_signals(stop: Callable[[], None]) -> Iterator[None]:
    """
    Have SIGINT and SIGTERM end the work as the end of its input would; a second one breaks.

    Parameters
    ----------
    stop : callable
        Called once.

    Yields
    ------
    None
        Signals are as before afterwards.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before: dict[int, Any] = {
        number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)
    }

    def handle(number: int, frame: object) -> None:
        signal.signal(number, before[number])
        stop()

    for number in before:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
