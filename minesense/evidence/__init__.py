"""
Evidence of what was searched, what was not, and why.

A site file states the task; tracks, alarms and function checks become a grid of states. No
state says anything about what lies in the ground.
"""

from .annex_verification import Verification, verify_annex
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
from .grid import CoverageGrid, Layer
from .reasons import Shortfall, State, reason_names
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
from .track import Track, track_of
from .tracker import CellChanges, CoverageTracker, observe_site

__all__ = [
    "AlarmHalo",
    "Area",
    "CannotSee",
    "CellChanges",
    "CoverageGrid",
    "CoverageTracker",
    "Disposition",
    "Footprint",
    "FunctionCheck",
    "Gate",
    "Gates",
    "InvalidInterval",
    "JudgedCheck",
    "Layer",
    "RequiredTarget",
    "Shortfall",
    "Site",
    "SiteFrame",
    "SiteSensor",
    "State",
    "Task",
    "Track",
    "Verification",
    "append_disposition",
    "check_crs",
    "current_dispositions",
    "ended_alarms",
    "judge_check",
    "mend_dispositions",
    "observe_site",
    "parse_site",
    "read_dispositions",
    "read_site",
    "reason_names",
    "site_document",
    "track_of",
    "verify_annex",
    "write_manifest",
]
