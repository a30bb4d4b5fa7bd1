"""A context in which scikit-learn uses one thread."""

from __future__ import annotations

from typing import Any


def one_thread() -> Any:
    """
    Return a context in which scikit-learn uses one thread.

    A few hundred rows gain nothing from more, and sums then do not depend on their number.
    """
    from threadpoolctl import threadpool_limits  # noqa: PLC0415, comes with scikit-learn

    return threadpool_limits(limits=1)
