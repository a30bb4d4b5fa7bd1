"""
Evidence of what was searched, what was not, and why.

A site file states the task; tracks, alarms and function checks become a grid of states. No
state says anything about what lies in the ground.
"""

from .function_checks import FunctionCheck, InvalidInterval, JudgedCheck
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

__all__ = [
    "AlarmHalo",
    "Area",
    "CannotSee",
    "CoverageGrid",
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
    "reason_names",
]
