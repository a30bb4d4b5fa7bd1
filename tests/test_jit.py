"""Test how kernels are compiled, and the decision where they are kept."""

import os

import numba
import numpy as np
import pytest

from minesense._kernels._jit import _UNCOUNTED, _wants_cache


@pytest.mark.parametrize(
    ("parent", "setting", "expected"),
    [
        ("checkout", None, False),
        ("site-packages", None, True),
        ("checkout", "1", True),
        ("site-packages", "0", False),
    ],
)
def test_kernels_are_kept_where_they_do_not_change(tmp_path, parent, setting, expected):
    """An installed package keeps them, a checkout does not, and a setting decides."""
    package = tmp_path / parent / "minesense" / "_kernels"
    package.mkdir(parents=True)
    assert _wants_cache(package, setting) is expected


def test_kernels_are_not_kept_where_nothing_can_be_written(tmp_path):
    """A folder that cannot be written beside the kernels keeps none."""
    assert not _wants_cache(tmp_path / "site-packages" / "missing", None)


@pytest.mark.skipif(
    os.environ.get("NUMBA_DISABLE_JIT", "0") == "1", reason="nothing is compiled"
)
def test_references_to_slices_are_not_counted():
    """Atomic counts took more time than the arithmetic of kernels that call one another."""

    @numba.njit(**_UNCOUNTED)
    def add(row, out):
        for i in range(len(out)):
            out[i] += row[i]

    @numba.njit(**_UNCOUNTED)
    def add_rows(rows, out):
        for row in range(len(rows)):
            add(rows[row], out)

    rows, out = np.ones((3, 4)), np.zeros(4)
    add_rows(rows, out)
    assert out.tolist() == [3.0] * 4
    (code,) = add_rows.inspect_llvm().values()
    assert "NRT_incref" not in code
