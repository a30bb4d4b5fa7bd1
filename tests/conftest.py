"""Settings that hold for every test."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# Compiling is slow, so no deadline; failures must repeat, so no random seeds.
settings.register_profile("minesense", deadline=None, derandomize=True)
settings.load_profile("minesense")


@pytest.fixture(scope="session")
def test_data() -> Path:
    """Return the folder of real recordings, or skip: they are not part of the project."""
    folder = os.environ.get("MINESENSE_TEST_DATA")
    if not folder:
        pytest.skip("MINESENSE_TEST_DATA names no folder of real recordings")
    return Path(folder)
