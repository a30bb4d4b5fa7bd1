"""Check the queue of traces that wait for what comes behind them."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from minesense.held import HeldTraces

steps = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 15)), max_size=40)


@given(steps=steps)
def test_like_a_list(steps):
    """Whatever is put in and dropped, it holds what a list would."""
    held, expected, n_put = HeldTraces((2, 3), np.float32), [], 0
    for n_new, n_old in steps:
        new = np.arange(n_put, n_put + n_new)
        held.extend(np.broadcast_to(new[:, None, None], (n_new, 2, 3)).astype(np.float32))
        expected += new.tolist()
        n_put += n_new
        assert len(held) == len(expected)
        assert held.traces.shape == (len(expected), 2, 3)
        np.testing.assert_array_equal(held.traces, held.traces[:, :1, :1] + np.zeros((2, 3)))
        assert held.traces[:, 1, 2].tolist() == expected
        held.drop(n_old)
        expected = expected[n_old:]
    assert held.traces[:, 0, 0].tolist() == expected


def test_its_array_stays_small():
    """A queue of constant length does not grow, however long the lane."""
    held = HeldTraces((), np.int64)
    held.extend(np.arange(16))
    for k in range(1000):
        held.extend(np.array([16 + k]))
        held.drop(1)
    assert held.traces.tolist() == list(range(1000, 1016))
    assert len(held.traces.base) <= 64


def test_it_copies():
    """A driver may use its buffer again."""
    held, buffer = HeldTraces((), np.int64), np.arange(3)
    held.extend(buffer)
    buffer[:] = -1
    assert held.traces.tolist() == [0, 1, 2]
