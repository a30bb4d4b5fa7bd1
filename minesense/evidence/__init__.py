"""Evidence of what was searched, what was known before, and what may remain."""

from .asset_figures import PUBLISHED, PublishedFigure, published_figures
from .assets import COMMON_MODE, PD_CAP, CountedTrials, Evidence
from .gamma_poisson import (
    StratumRemaining,
    incident_log_likelihood,
    outside_inside_ratio,
    remaining_in_stratum,
)
from .learning import draw_intensity
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
from .site_grid import Find, SiteGrid, share_of_cells
from .site_model import (
    Background,
    ExposureLayer,
    SiteModel,
    UnrecordedStrips,
    background_from_incidents,
)

__all__ = [
    "COMMON_MODE",
    "NOTICE",
    "PD_CAP",
    "PUBLISHED",
    "RANDOM_SHARE",
    "Background",
    "CountedTrials",
    "Evidence",
    "ExposureLayer",
    "Find",
    "FoundRow",
    "PeopleAtRisk",
    "PublishedFigure",
    "RecordPrior",
    "RecordVisit",
    "Remaining",
    "Residual",
    "Scenario",
    "SearchPlan",
    "SearchStep",
    "SiteGrid",
    "SiteModel",
    "SourceAccuracy",
    "StratumRemaining",
    "UncertainRecord",
    "UnrecordedStrips",
    "after_failed_search",
    "background_from_incidents",
    "draw_intensity",
    "estimate_remaining",
    "exposure_variants",
    "incident_log_likelihood",
    "infer_rows",
    "next_units",
    "outside_inside_ratio",
    "plan_search",
    "published_figures",
    "remaining_in_stratum",
    "share_of_cells",
    "source_accuracies",
]
