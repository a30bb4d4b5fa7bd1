"""Kernels for short sorted windows of which values leave and enter one at a time."""

from ._jit import jit


@jit
def enter(window, count, value):
    """Put a value in its place among the first `count`; the window has room for one more."""
    i = count
    while i > 0 and window[i - 1] > value:
        window[i] = window[i - 1]
        i -= 1
    window[i] = value


@jit
def leave(window, count, value):
    """Take one of the first `count` values out, which is among them."""
    i = 0
    while window[i] != value:
        i += 1
    for j in range(i, count - 1):
        window[j] = window[j + 1]


@jit
def middle(window, count):
    """Return the median of the first `count` values, one or more."""
    return (window[(count - 1) // 2] + window[count // 2]) / 2
