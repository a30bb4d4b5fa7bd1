"""Test the search for the n-th smallest number against sorting."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from minesense._kernels.selection import count_less, greatest_to, select_bits

MAGNITUDES = st.floats(0, np.inf, width=32, allow_nan=False) | st.sampled_from([0.0, 1.0, 2.0])


@given(arrays(np.float32, st.integers(1, 70), elements=MAGNITUDES), st.data())
def test_each_rank_is_found(values, data):
    """Equal numbers, zeros, tiny and infinite ones among them."""
    values = np.abs(values)
    rank = data.draw(st.integers(0, len(values) - 1))
    expected = np.sort(values)[rank : rank + 1]
    assert select_bits(values.view(np.int32), rank) == expected.view(np.int32)[0]


def test_every_rank_of_many():
    """Of numbers that differ by as much as numbers can, and of such that hardly differ."""
    rng = np.random.default_rng(seed=3)
    for spread in (0.0, 1e-6, 1.0, 30.0):
        values = np.exp(spread * rng.normal(size=200)).astype(np.float32)
        found = [select_bits(values.view(np.int32), rank) for rank in range(200)]
        assert found == np.sort(values).view(np.int32).tolist()


@pytest.mark.parametrize(
    ("limit", "n_less", "greatest"), [(0.0, 0, 0.0), (2.0, 2, 2.0), (3.0, 4, 2.0)]
)
def test_numbers_below_a_limit(limit, n_less, greatest):
    """Those equal to it are not below it, but may be the greatest up to it."""
    values = np.array([2, 0.5, 7, 2, 1], np.float32)
    bits = values.view(np.int32)
    bound = int(np.float32(limit).view(np.int32))
    assert count_less(bits, bound) == n_less
    assert greatest_to(values, bits, bound) == greatest
