"""
Figures, and reports that are one HTML file each and need no network.

matplotlib is loaded when a figure is drawn, not before.
"""

from .annex_figures import alarm_figure, ground_figure, histogram_figure, reason_figure
from .annex_html import annex_report
from .curve_figure import RocLine, reliability_figure, roc_figure
from .examples import Example, choose_examples
from .field_figure import Strip, field_map
from .field_html import field_report
from .lane_reliability_figure import lane_reliability_figure
from .realism_figure import RealismBlock, RealismLine, realism_figure
from .recording_figure import section_before_after
from .recording_html import recording_report
from .results import MODES, FieldResults
from .section_figure import section_figure

__all__ = [
    "MODES",
    "Example",
    "FieldResults",
    "RealismBlock",
    "RealismLine",
    "RocLine",
    "Strip",
    "alarm_figure",
    "annex_report",
    "choose_examples",
    "field_map",
    "field_report",
    "ground_figure",
    "histogram_figure",
    "lane_reliability_figure",
    "realism_figure",
    "reason_figure",
    "recording_report",
    "reliability_figure",
    "roc_figure",
    "section_before_after",
    "section_figure",
]
