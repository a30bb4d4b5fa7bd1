"""The sections of an annex, in their order."""

from __future__ import annotations

from .annex import AnnexSection
from .annex_conduct import (
    integrity_section,
    nonconformities_section,
    processing_section,
    seeds_section,
)
from .annex_findings import (
    alarms_section,
    coverage_section,
    not_observed_section,
    residual_section,
)
from .annex_matter import AnnexMatter, check_statements
from .annex_setup import (
    checks_section,
    identity_section,
    instrument_section,
    limits_section,
    positioning_section,
    soil_section,
    timebase_section,
)


def annex_sections(matter: AnnexMatter) -> tuple[AnnexSection, ...]:
    """
    Return the fifteen sections.

    Parameters
    ----------
    matter : AnnexMatter
        What they are made from.

    Returns
    -------
    sections : tuple of AnnexSection
        In their order.

    Raises
    ------
    ValueError
        If a statement is unknown, or numbers of blind seeds are none.
    """
    check_statements(matter.site.annex)
    made = (
        identity_section,
        limits_section,
        instrument_section,
        checks_section,
        soil_section,
        timebase_section,
        positioning_section,
        coverage_section,
        not_observed_section,
        alarms_section,
        seeds_section,
        nonconformities_section,
        processing_section,
        integrity_section,
        residual_section,
    )
    return tuple(make(matter) for make in made)
