"""
Evidence of what was searched, what was known before, and what may remain.

A site file states the task; tracks, alarms and function checks become a grid of states. No
state says anything about what lies in the ground.
"""

from .annex_verification import Verification, verify_annex
from .asset_figures import PUBLISHED, PublishedFigure, published_figures
from .assets import COMMON_MODE, PD_CAP, CountedTrials, Evidence
from .chain import write_manifest
from .dispositions import (
    Disposition,
    append_disposition,
    current_dispositions,
    ended_alarms,
    mend_dispositions,
    read_dispositions,
)
from .function_checks import FunctionCheck, InvalidInterval, JudgedCheck, judge_check
from .gamma_poisson import (
    StratumRemaining,
    incident_log_likelihood,
    outside_inside_ratio,
    remaining_in_stratum,
)
from .gates import Gate, Gates
from .grid import CoverageGrid, Layer
from .learning import draw_intensity
from .observation import observe_site
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
from .tracker import CellChanges, CoverageTracker

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
    "Disposition",
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
    "Verification",
    "after_failed_search",
    "append_disposition",
    "background_from_incidents",
    "check_crs",
    "current_dispositions",
    "draw_intensity",
    "ended_alarms",
    "estimate_remaining",
    "exposure_variants",
    "incident_log_likelihood",
    "infer_rows",
    "judge_check",
    "mend_dispositions",
    "next_units",
    "observe_site",
    "outside_inside_ratio",
    "parse_site",
    "plan_search",
    "published_figures",
    "read_dispositions",
    "read_site",
    "reason_names",
    "remaining_in_stratum",
    "share_of_cells",
    "site_document",
    "source_accuracies",
    "track_of",
    "verify_annex",
    "write_manifest",
]
