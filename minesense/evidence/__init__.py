"""
Evidence of what was searched, what was known before, and what may remain.

A site file states the task; tracks, alarms and function checks become a grid of states. No
state says anything about what lies in the ground.
"""

from .asset_figures import PUBLISHED, PublishedFigure, published_figures
from .assets import COMMON_MODE, PD_CAP, CountedTrials, Evidence
from .function_checks import FunctionCheck, InvalidInterval, JudgedCheck, judge_check
from .gamma_poisson import (
    StratumRemaining,
    incident_log_likelihood,
    outside_inside_ratio,
    remaining_in_stratum,
)
from .grid import CoverageGrid, Layer
from .learning import draw_intensity
from .reasons import Shortfall, State, reason_names
from .records import (
    RecordPrior,
    RecordVisit,
    SourceAccuracy,
    UncertainRecord,
    source_accuracies,
)
from .remaining import NOTICE, PeopleAtRisk, Remaining, Residual, Scenario
from .residual import estimate_remaining, exposure_variants
from .rows import FoundRow, infer_rows
from .search_plan import (
    RANDOM_SHARE,
    SearchPlan,
    SearchStep,
    after_failed_search,
    next_units,
    plan_search,
)
from .site import (
    AlarmHalo,
    Area,
    CannotSee,
    Footprint,
    Gate,
    Gates,
    RequiredTarget,
    Site,
    SiteFrame,
    SiteSensor,
    Task,
)
from .site_file import check_crs, parse_site, read_site, site_document
from .site_grid import Find, SiteGrid, share_of_cells
from .site_model import (
    Background,
    ExposureLayer,
    SiteModel,
    UnrecordedStrips,
    background_from_incidents,
)
from .track import Track, track_of
from .tracker import CellChanges, CoverageTracker, observe_site

__all__ = [
    "COMMON_MODE",
    "NOTICE",
    "PD_CAP",
    "PUBLISHED",
    "RANDOM_SHARE",
    "AlarmHalo",
    "Area",
    "Background",
    "CannotSee",
    "CellChanges",
    "CountedTrials",
    "CoverageGrid",
    "CoverageTracker",
    "Evidence",
    "ExposureLayer",
    "Find",
    "Footprint",
    "FoundRow",
    "FunctionCheck",
    "Gate",
    "Gates",
    "InvalidInterval",
    "JudgedCheck",
    "Layer",
    "PeopleAtRisk",
    "PublishedFigure",
    "RecordPrior",
    "RecordVisit",
    "Remaining",
    "RequiredTarget",
    "Residual",
    "Scenario",
    "SearchPlan",
    "SearchStep",
    "Shortfall",
    "Site",
    "SiteFrame",
    "SiteGrid",
    "SiteModel",
    "SiteSensor",
    "SourceAccuracy",
    "State",
    "StratumRemaining",
    "Task",
    "Track",
    "UncertainRecord",
    "UnrecordedStrips",
    "after_failed_search",
    "background_from_incidents",
    "check_crs",
    "draw_intensity",
    "estimate_remaining",
    "exposure_variants",
    "incident_log_likelihood",
    "infer_rows",
    "judge_check",
    "next_units",
    "observe_site",
    "outside_inside_ratio",
    "parse_site",
    "plan_search",
    "published_figures",
    "read_site",
    "reason_names",
    "remaining_in_stratum",
    "share_of_cells",
    "site_document",
    "source_accuracies",
    "track_of",
]
