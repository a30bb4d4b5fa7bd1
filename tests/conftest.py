"""Settings that hold for every test."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# Compiling is slow, so no deadline; failures must repeat, so no random seeds. Plain Python is
# a hundred times slower than a kernel: without JIT fewer examples, the same edge cases first.
settings.register_profile("compiled", deadline=None, derandomize=True)
settings.register_profile("interpreted", settings.get_profile("compiled"), max_examples=12)
INTERPRETED = os.environ.get("NUMBA_DISABLE_JIT") == "1"
settings.load_profile("interpreted" if INTERPRETED else "compiled")


@pytest.fixture(scope="session")
def test_data() -> Path:
    """Return the folder of real recordings, or skip: they are not part of the project."""
    folder = os.environ.get("MINESENSE_TEST_DATA")
    if not folder:
        pytest.skip("MINESENSE_TEST_DATA names no folder of real recordings")
    return Path(folder)
