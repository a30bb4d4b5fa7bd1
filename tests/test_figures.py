"""Test figures as text: what is not 1 does not read as 1, what is not 0 not as 0."""

import dataclasses
import math

import pytest
from fields import make_alarm, make_coverage, make_target, make_truth
from hypothesis import given
from hypothesis import strategies as st

from minesense.bench import Comparison, format_comparison, format_results
from minesense.bench.compare import Row
from minesense.bench.outcomes import Difference
from minesense.report._field_tables import _share
from minesense.score import Proportion, clopper_pearson, score
from minesense.score.figures import format_digits, format_fixed, format_percent


def share_of(k, n):
    """Return a share with its exact limits."""
    return Proportion(k=k, n=n, **clopper_pearson(k, n)._asdict())


@given(value=st.floats(0.0, 1.0), decimals=st.integers(1, 5))
def test_only_0_and_1_read_as_0_and_1(value, decimals):
    """Near them there are more decimals; just below 1 they are rounded down."""
    text = format_fixed(value, decimals)
    assert (float(text) == 0) == (value == 0)
    assert (float(text) == 1) == (value == 1)
    plain = f"{value:.{decimals}f}"
    if value in (0, 1) or float(plain) not in (0, 1):
        assert text == plain
    elif float(plain) == 1:
        assert float(text) <= value
    percent = format_percent(value, decimals).removesuffix(" %")
    assert (float(percent) == 100) == (value == 1)
    assert (float(percent) == 0) == (value == 0)
    assert (float(format_digits(value, decimals)) == 1) == (value == 1)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (2999 / 3000, "0.9996"),
        (1 - 1e-12, "0.999999"),
        (0.9995, "0.9995"),
        (0.9994, "0.999"),
        (1.0004, "1.000"),  # a rate may be above 1
        (0.0004, "0.0004"),
        (-0.0004, "-0.0004"),
        (3e-9, "3e-09"),
        (0.0, "0.000"),
        (math.nan, "nan"),
        (math.inf, "inf"),
    ],
)
def test_figures_at_the_ends(value, text):
    """Ordinary ones are rounded to the nearest, as ever."""
    assert format_fixed(value) == text


def test_one_miss_among_3000_is_seen():
    """In the table of a score, in its headline and in the report: point and limits."""
    coverage, names = make_coverage(10.0), [f"T{k:02d}" for k in range(12)]
    truth = make_truth(*(make_target(name, 0.0, 0.5 + 0.8 * k) for k, name in enumerate(names)))
    found = score([make_alarm(0.0, 0.5)], truth, coverage)
    shares = {"pd_swept": share_of(2999, 3000), "pd_total": share_of(1, 3000)}
    worst = dataclasses.replace(found.worst, swept=share_of(2999, 3000), claim="")
    found = dataclasses.replace(found, **shares, worst=worst, strata=(worst,))
    rows = [line.split() for line in str(found).splitlines() if line.startswith("Pd")]
    assert rows[0][3:] == ["0.9996", "0.998", "to", "0.99999", "2999", "of", "3000"]
    assert rows[1][2:] == ["0.0003", "0.00001", "to", "0.002", "1", "of", "3000"]
    assert found.headline().count("0.9996 [0.998 to 0.99999], 2999 of 3000") == 2
    assert "0.9996" in _share(share_of(2999, 3000))
    assert "1.000" not in _share(share_of(2999, 3000)) + str(found)


def test_the_table_of_the_benchmark_says_the_same():
    """A figure with limits next to 1 keeps its column apart from the next."""
    near = {"value": 1 - 1e-9, "low": 0.99999, "high": 1 - 1e-12}
    entry = dict.fromkeys(("pauc_1", "pd_at_far_0.1", "pd_at_far_1", "far_at_pd_0.9"), near)
    whole = {"readings": {"x": entry}, "ranks": {"x": 1}, "leak": None}
    document = {
        "benchmark": {"version": "3", "size": "quick", "seed": 1, "commitment": None},
        "data": {},
        "tracks": {"A": {"all": whole, "parts": {}}},
        "exclusions": [],
    }
    line = next(x for x in format_results(document).splitlines() if x.startswith("   1 x"))
    assert line.split() == ["1", "x", *["0.999999", "[0.99999,", "0.999999]"] * 4]


def test_a_comparison_says_the_same():
    """First and second of a difference, too."""
    difference = Difference(first=2999 / 3000, second=1.0, value=1 / 3000, low=0.0, high=0.001)
    row = Row(
        track="A",
        part="all",
        entrant="x",
        figure="pd",
        is_more_better=True,
        difference=difference,
    )
    text = format_comparison(Comparison(rows=(row,), notes=(), confidence=0.95))
    assert "0.9996 -> 1.000" in text
