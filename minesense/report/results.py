"""What the report of a field is made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..coverage import Coverage
from ..score import Score
from ..truth import Truth

if TYPE_CHECKING:  # scikit-learn is slow to import, and no report needs it
    from ..detect import Detection, DetectorSettings
    from ..detect.screen import Screened

#: What a mode of the detector is called in tables and figures, in the order of rows.
MODES: Mapping[str, str] = {
    "emi": "metal detector alone",
    "gpr": "radar alone",
    "both": "both sensors",
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FieldResults:
    """
    Everything that the report of a field shows.

    Raises
    ------
    ValueError
        If there is no score, a mode is unknown, or a mode has a score and no detection or
        the other way round.
    """

    name: str  #: of the field or scenario
    seed: int | None = None  #: of a synthetic field
    lanes: Sequence[Any]  #: with `name` and `area`: Lane or Strip
    truth: Truth
    coverage: Coverage  #: that the scores were made with
    detections: Mapping[str, Detection]  #: by mode: "emi", "gpr", "both"
    scores: Mapping[str, Score]  #: by mode
    baselines: Mapping[str, Score]  #: by name
    screened: Sequence[Mapping[str, Screened]] = ()  #: by lane and kind, for the sections
    settings: DetectorSettings

    def __post_init__(self) -> None:
        unknown = [mode for mode in (*self.scores, *self.detections) if mode not in MODES]
        if not self.scores or unknown or set(self.scores) != set(self.detections):
            msg = (
                f"Invalid scores of {sorted(self.scores)} with detections of "
                f"{sorted(self.detections)}. Must both name the same modes, one at least of "
                f"{', '.join(MODES)}."
            )
            raise ValueError(msg)

    @property
    def main(self) -> str:
        """The mode that the map and the lists show: the last of MODES that is there."""
        return [mode for mode in MODES if mode in self.scores][-1]

    @property
    def rows(self) -> list[tuple[str, Score]]:
        """Name and score of every mode, then of every baseline."""
        modes = [(MODES[mode], self.scores[mode]) for mode in MODES if mode in self.scores]
        return modes + [(f"baseline: {name}", s) for name, s in self.baselines.items()]
