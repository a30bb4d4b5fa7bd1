"""Test the decision where compiled kernels are kept."""

import pytest

from minesense._kernels._jit import _wants_cache


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
