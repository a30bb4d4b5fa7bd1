"""What every entrant is judged by on one part: ground, targets, and the places of track B."""

from __future__ import annotations

from dataclasses import dataclass

from ..coverage import Coverage
from ..detect import Site, find_sites, observed
from ..score import Ground, Halo, scored_ground
from ..score.matching import TargetOutcome, match
from .entrants import Screens
from .surveys import Survey


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reference:
    """The same for all entrants, whatever they claim to have observed."""

    survey: Survey
    coverage: Coverage  #: ground that the default stages could judge
    ground: Ground  #: on which false alarms count
    halo: Halo
    targets: tuple[TargetOutcome, ...]  #: all, with how much of each was observed
    places: tuple[Site, ...]  #: noticed by the prescreeners of either sensor that learn nothing

    @property
    def lanes(self) -> tuple[str, ...]:
        """Names of all lanes, in order."""
        return tuple(sorted(self.survey.lanes))

    @property
    def swept(self) -> tuple[TargetOutcome, ...]:
        """Targets that count for Pd."""
        return tuple(target for target in self.targets if target.is_swept)


def make_reference(
    survey: Survey,
    *,
    halo: Halo | None = None,
    screens: Screens | None = None,
) -> Reference:
    """
    Work out what entrants are judged by on one part.

    Parameters
    ----------
    survey : Survey
        Sweeps and truth of the part.
    halo : Halo, optional
        How near an alarm must be; `Halo()` by default.
    screens : Screens, optional
        What the default stages noticed, if it is shared with entrants.

    Returns
    -------
    reference : Reference
        Ground, targets and places.

    Raises
    ------
    ValueError
        If no ground was observed.

    Notes
    -----
    Ground counts as observed where the default stages could judge the traces of either
    sensor. Were it left to entrants to say, one that claims less would miss less.

    Examples
    --------
    >>> from minesense.bench import benchmark_plan, make_reference, make_survey
    >>> survey = make_survey(benchmark_plan("quick"), "type_out", seed=1)  # doctest: +SKIP
    >>> reference = make_reference(survey)  # doctest: +SKIP
    >>> len(reference.swept) <= len(survey.truth.targets)  # doctest: +SKIP
    True
    """
    halo = halo or Halo()
    screened = (screens or Screens()).of(survey.sweeps)
    coverage = observed(screened.lanes, screened.settings, area=survey.area)
    return Reference(
        survey=survey,
        coverage=coverage,
        ground=scored_ground(survey.truth, coverage, halo=halo),
        halo=halo,
        targets=match([], survey.truth, halo, coverage=coverage).targets,
        places=tuple(
            site for lane in screened.lanes for site in find_sites(lane, screened.settings)
        ),
    )
