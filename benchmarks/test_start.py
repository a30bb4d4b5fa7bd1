"""Benchmark what a user waits for before anything is computed."""

import subprocess
import sys

import pytest

CASES = {  # what is started, and how long it may take with Python's own start, in seconds
    "python": (["-c", "pass"], None),
    "import": (["-c", "import minesense"], 0.4),
    "help": (["-m", "minesense", "--help"], 0.6),
}


@pytest.mark.parametrize(("arguments", "limit"), CASES.values(), ids=CASES)
def test_start(benchmark, arguments, limit):
    """A new process, as from a shell; the first line is Python alone, to compare."""
    command = [sys.executable, *arguments]

    def start():
        return subprocess.run(command, capture_output=True, check=False)

    result = benchmark.pedantic(start, rounds=5, warmup_rounds=1)
    assert result.returncode == 0, result.stderr
    if limit is not None and benchmark.stats:
        assert benchmark.stats["min"] < limit
