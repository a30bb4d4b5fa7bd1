"""Test the search for values that are no finite numbers, small arrays and large ones."""

import numpy as np
import pytest
from lanes import make_sensor, make_sweep

from minesense import sweep as sweep_module
from minesense._kernels.finite import are_finite
from minesense.sweep import Quality, _are_finite

LARGEST, LEAST = np.finfo(np.float32).max, np.float32(1e-45)


@pytest.mark.parametrize("bad", [np.nan, -np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("at", [0, 36])
def test_the_kernel_finds_what_is_not_finite(bad, at):
    """Of either sign, first or last, among the largest and the least numbers."""
    values = np.array([0.0, -0.0, LARGEST, -LARGEST, LEAST, -LEAST, 1.0] * 6, np.float32)[:37]
    assert are_finite(values.view(np.int32))
    values[at] = bad
    assert not are_finite(values.view(np.int32))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("step", [1, 2])
def test_any_array_is_searched(dtype, step):
    """Whatever its type and its strides, below the size for the kernel and above."""
    values = np.ones((6, 2, 8), dtype)
    values[1] = np.nan
    for many in (0, values.nbytes + 1):
        assert not _are_finite(values, many)
        assert _are_finite(values[::2], many)
        assert not _are_finite(values[1:, :, ::step], many)
        assert _are_finite(values[:0], many)


def test_large_sweeps_refuse_what_is_not_flagged(monkeypatch):
    """The kernel decides whether there is anything to look for, not what is wrong."""
    monkeypatch.setattr(sweep_module, "_MANY", 0)
    samples = np.ones((4, 2, 8), np.float32)
    samples[2, 1, 3] = np.inf
    quality = np.array([0, 0, int(Quality.NOT_FINITE), 0])
    sensor = make_sensor(2, 8)
    assert len(make_sweep(samples, sensor=sensor, quality=quality)) == 4
    with pytest.raises(ValueError, match=r"1 of 4 traces hold NaN .* first is trace 2"):
        make_sweep(samples, sensor=sensor)


@pytest.mark.parametrize("n_block", [1, 3, 100])
def test_traces_are_counted_across_blocks(monkeypatch, n_block):
    """Flagged dropouts apart, however many traces are looked at together."""
    monkeypatch.setattr(sweep_module, "_N_BLOCK", n_block)
    samples = np.ones((10, 2, 8), np.float32)
    samples[[1, 2, 7, 9], 1, 3] = np.nan
    quality = np.zeros(10, np.int64)
    quality[[1, 2]] = int(Quality.STUCK)
    with pytest.raises(ValueError, match=r"2 of 10 traces hold NaN .* first is trace 7"):
        make_sweep(samples, sensor=make_sensor(2, 8), quality=quality)
