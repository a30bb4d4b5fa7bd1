"""Test that detection is not worse than it was: the quick benchmark beside its reference."""

import json
from pathlib import Path

import pytest

from minesense.bench import (
    benchmark_plan,
    compare_results,
    format_comparison,
    format_results,
    read_results,
    run_benchmark,
)

REFERENCE = Path(__file__).parent.parent / "benchmarks" / "quality" / "quick.json"


def test_the_reference_is_of_this_benchmark():
    """Of the scenarios of this version, with every track and baseline."""
    reference = read_results(REFERENCE)
    assert reference["data_kind"] == "SYNTHETIC"
    assert reference["benchmark"]["plan_sha256"] == benchmark_plan("quick").sha256
    assert set(reference["tracks"]) == {"A", "B", "D"}
    assert "SYNTHETIC" in format_results(reference)
    assert reference["exclusions"] == [
        {"entrant": name, "part": "faulty", "reason": "it claims no coverage"}
        for name in ("random", "dowsing")
    ]


@pytest.mark.slow
@pytest.mark.endtoend
def test_quality_has_not_regressed(tmp_path):
    """No entrant is worse beyond the paired limits of 99 %; `make bench-quality` runs this."""
    reference = read_results(REFERENCE)
    n_resamples = reference["configuration"]["n_resamples"]
    found = run_benchmark(
        benchmark_plan("quick"),
        seed=reference["benchmark"]["seed"],
        workers=2,
        n_resamples=n_resamples,
    )
    (tmp_path / "quick.json").write_text(json.dumps(found))
    comparison = compare_results(reference, found, confidence=0.99)
    names = set(reference["tracks"]["A"]["all"]["readings"])
    assert names <= set(found["tracks"]["A"]["all"]["readings"]), "an entrant is gone"
    assert not comparison.is_regression, format_comparison(comparison)
    assert not any("did not run" in note for note in comparison.notes), comparison.notes
