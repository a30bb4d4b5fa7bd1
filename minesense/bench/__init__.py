"""The open benchmark: SYNTHETIC fields, entrants, tracks, and results that compare."""

from .compare import Comparison, Row, compare_results
from .detection import judge_detection
from .discrimination import Places, judge_discrimination, places_of
from .entrants import ENTRANTS, AlarmFile, Entrant, Screens, new_entrant
from .found import Found
from .honesty import judge_honesty, lane_claims, true_coverage
from .outcomes import Difference, Outcomes, differences
from .reference import Reference, make_reference
from .results import read_results, without_times
from .run import TRACKS, run_benchmark
from .scenarios import (
    DEVELOPMENT_SEEDS,
    PARTS,
    TESTS,
    VERSION,
    Plan,
    Plot,
    benchmark_plan,
    plot_seed,
)
from .sealed import MOST_SUBMISSIONS, Secret, commitment, read_secret, reveal, write_secret
from .surveys import Survey, make_survey, plan_truth
from .table import format_comparison, format_results

__all__ = [
    "DEVELOPMENT_SEEDS",
    "ENTRANTS",
    "MOST_SUBMISSIONS",
    "PARTS",
    "TESTS",
    "TRACKS",
    "VERSION",
    "AlarmFile",
    "Comparison",
    "Difference",
    "Entrant",
    "Found",
    "Outcomes",
    "Places",
    "Plan",
    "Plot",
    "Reference",
    "Row",
    "Screens",
    "Secret",
    "Survey",
    "benchmark_plan",
    "commitment",
    "compare_results",
    "differences",
    "format_comparison",
    "format_results",
    "judge_detection",
    "judge_discrimination",
    "judge_honesty",
    "lane_claims",
    "make_reference",
    "make_survey",
    "new_entrant",
    "places_of",
    "plan_truth",
    "plot_seed",
    "read_results",
    "read_secret",
    "reveal",
    "run_benchmark",
    "true_coverage",
    "without_times",
    "write_secret",
]
