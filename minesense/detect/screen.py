"""One sensor along one lane: its stages, its prescreener, its candidates."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .. import emi, gpr
from .._validation import check_one_of
from ..alarm import Candidate, Withheld
from ..gaps import Gap, GapFinder, cut_at
from ..sensor import Sensor
from ..stage import Pipeline, check_follows
from ..stuck import StuckFinder
from ..sweep import Floats, Quality, Sweep, form_of, join
from .candidates import ExtractCandidates
from .sensor_stages import coil_stages, radar_stages
from .settings import DetectorSettings


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Part:
    """A stretch of a lane without gaps, processed and scored."""

    processed: Sweep  #: what features are taken from
    scores: Sweep  #: of the same traces
    candidates: tuple[Candidate, ...]  #: their `trace` counts from the part's first
    position: Floats  #: (n_traces, n_channels, 3) of every cell, m
    best: Floats  #: (n_traces, n_channels) highest score of each cell; NaN if unusable
    bounce: gpr.Bounce | None = None  #: of a radar: what it was before it was aligned


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Screened:
    """What the screen of one sensor found along one lane."""

    kind: str
    lane: str
    parts: tuple[Part, ...]
    gaps: tuple[Gap, ...]
    withheld: tuple[Withheld, ...] = ()  #: where a cap held candidates back


class Screen:
    """
    Take one sensor's chunks along one lane; notice candidates as they become certain.

    Parameters
    ----------
    settings : DetectorSettings
        What the stages are told.
    keep : bool
        Whether processed traces and scores are kept for :meth:`finish`. Without, memory does
        not grow with the lane, and :meth:`end_part` ends it.
    note : callable, optional
        Called with the scores of traces, as they are ready.
    is_even : bool
        Whether somebody has brought the traces to equal distances and flagged the gaps (GAP):
        neither is looked at again.

    Notes
    -----
    Where ground is missing between two traces, the stages are flushed and start afresh, and
    the gap is kept for the report. How the lane is cut into chunks changes nothing. Traces
    in which a channel repeats itself are flagged STUCK: their ground is not observed.

    **Restart in mid-lane.** Stages of a radar flag EDGE what they cannot score before they
    have learnt, at every start. Those of a metal detector score from the first trace on, but
    the first `warm_up` traces of its prescreener are summed over less of a target than the
    others. Behind a gap, or a trace with the flag GAP, these scores get EDGE: their ground is
    not observed. Candidates among them are kept, with the flag.
    """

    def __init__(
        self,
        settings: DetectorSettings,
        *,
        keep: bool = True,
        note: Callable[[Sweep], None] | None = None,
        is_even: bool = False,
    ):
        self.settings = settings
        self.keep = bool(keep)
        self.is_even = bool(is_even)
        self.note = note
        self._form: Sweep | None = None  # of the lane, no traces
        self._last_time = -np.inf
        self._parts: list[Part] = []
        self._gaps: list[Gap] = []
        self._goes_on = False  # whether the part lies behind another one
        self._is_finished = False

    def push(self, chunk: Sweep) -> list[Candidate]:
        """
        Take the next chunk of the lane.

        Parameters
        ----------
        chunk : Sweep
            Traces that follow those before.

        Returns
        -------
        candidates : list of Candidate
            Those that no later trace can change any more.

        Raises
        ------
        TypeError, ValueError
            If the chunk does not continue the lane, or the lane was finished.
        """
        if not isinstance(chunk, Sweep):
            msg = f"Invalid chunk of type {type(chunk).__name__}. Must be a Sweep."
            raise TypeError(msg)
        if self._is_finished:
            msg = (
                f"Invalid chunk of lane '{chunk.lane}': it was finished. Must be a new Screen."
            )
            raise ValueError(msg)
        if self._form is None:
            self._begin(chunk.sensor)
            # refuses a sensor that the stages cannot process, before anything is kept
            self._extract.process(self._prescreen.process(self._prepare.process(chunk[:0])))
            self._form = form_of(chunk)
        unflagged = dataclasses.replace(chunk, quality=chunk.quality & ~Quality.GAP)
        check_follows(unflagged, self._form, self._last_time)
        if len(chunk) and not np.isfinite(self._last_time):
            self._goes_on = bool(chunk.quality[0] & Quality.GAP)
        gaps = self._finder.find(chunk)
        if self.keep:
            self._gaps += [gap for _, gap in gaps]
        chunk = self._stuck.flag(chunk)
        first, *others = cut_at(chunk, [i for i, _ in gaps])
        found = self._take(first)
        for part in others:
            found += self._end_part()
            self._goes_on = True
            found += self._take(part)
        if len(chunk):
            self._last_time = float(chunk.time[-1])
        return found

    def finish(self) -> Screened:
        """
        End the lane.

        Returns
        -------
        screened : Screened
            Processed traces, scores, candidates and gaps.

        Raises
        ------
        ValueError
            If the lane is empty, or too short for any of its traces to be judged.
        """
        if self._form is None or not np.isfinite(self._last_time):
            lane = self._form.lane if self._form is not None else ""
            msg = f"Invalid lane '{lane}': 0 traces. Must hold at least one."
            raise ValueError(msg)
        self._end_part()
        self._is_finished = True
        self._refuse_short()
        self._refuse_spacing()
        return Screened(
            kind=self._form.sensor.kind,
            lane=self._form.lane,
            parts=tuple(self._parts),
            gaps=tuple(self._gaps),
            withheld=tuple(self._extract.take_withheld()),
        )

    def end_part(self) -> list[Candidate]:
        """
        Flush the stages: what follows lies behind a gap, or nothing does.

        Returns
        -------
        candidates : list of Candidate
            Those that waited for what might follow.
        """
        return [] if self._form is None else self._end_part()

    def reach(self, sensor: Sensor) -> float:
        """
        Return how far behind the newest trace candidates become certain.

        Parameters
        ----------
        sensor : Sensor
            What records the lane.

        Returns
        -------
        reach : float
            Metres along the track, by the latencies of the stages.

        Examples
        --------
        >>> from minesense.detect import DetectorSettings, Screen
        >>> from minesense.synthetic import cart
        >>> round(Screen(DetectorSettings()).reach(cart().coils), 3)
        6.35
        """
        if self._form is None:
            self._begin(sensor)
        stages = (self._prepare, self._prescreen, self._extract)
        return self._spacing * sum(stage.latency for stage in stages)

    def _begin(self, sensor: Sensor) -> None:
        """Make the stages for a sensor."""
        self._bounce: gpr.NoteBounce | None = None
        if check_one_of(sensor.kind, "kind", ("gpr", "emi")) == "gpr":
            options, footprint = self.settings.radar, self.settings.radar_footprint
            threshold = options.threshold if options.shapes is None else options.shape_threshold
            self._prepare, self._prescreen = radar_stages(options)
            if self.keep:  # what is noted grows with the lane
                self._prepare, self._bounce = _noting_bounce(self._prepare)
        else:
            options = self.settings.coils  # type: ignore[assignment]
            footprint, threshold = self.settings.coil_footprint, options.threshold
            self._prepare, self._prescreen = coil_stages(self.settings, sensor)  # type: ignore[assignment]
        self._extract = ExtractCandidates(
            spacing=options.spacing,
            merge_radius=options.merge_radius,
            threshold=threshold,
            most_per_area=options.most_per_area,
            stretch=options.cap_stretch,
            swath=_width(sensor) + 2 * footprint,
        )
        self._spacing = options.spacing
        self._finder = GapFinder(
            max_step=None if self.is_even else self.settings.max_gap,
            max_pause=None if self.is_even else self.settings.max_pause,
            spacing=options.spacing,
        )
        self._stuck = StuckFinder()
        self._start_part()

    def _start_part(self) -> None:
        self._processed: list[Sweep] = []
        self._scores: list[Sweep] = []
        self._found: list[Candidate] = []
        self._n_scored = 0

    def _take(self, chunk: Sweep) -> list[Candidate]:
        """Pass traces of one part through the stages."""
        processed = self._prepare.process(chunk)
        return self._note(processed, self._prescreen.process(processed))

    def _note(self, processed: Sweep, scores: Sweep) -> list[Candidate]:
        """Keep what came out of the stages; return the candidates that it settles."""
        found = self._restarted(self._extract.process(scores))
        n_short = self._n_restart - self._n_scored
        self._n_scored += len(scores)
        if n_short > 0:
            quality = scores.quality.copy()
            quality[:n_short] |= Quality.EDGE
            scores = dataclasses.replace(scores, quality=quality)
        if self.note is not None and len(scores):
            self.note(scores)
        if self.keep:
            self._processed.append(processed)
            self._scores.append(scores)
            self._found += found
        return found

    @property
    def _n_restart(self) -> int:
        """Traces of the part, from its first on, that were scored with less than others."""
        if self._goes_on and isinstance(self._prescreen, emi.PrescreenDecay):
            return self._prescreen.warm_up
        return 0

    def _restarted(self, found: list[Candidate]) -> list[Candidate]:
        """Return candidates of the part, with EDGE among the first traces of a restart."""
        return [
            dataclasses.replace(c, quality=c.quality | int(Quality.EDGE))
            if c.trace < self._n_restart
            else c
            for c in found
        ]

    def _end_part(self) -> list[Candidate]:
        """Flush the stages and keep the part."""
        processed = self._prepare.flush()
        scores = join([self._prescreen.process(processed), self._prescreen.flush()])
        found = self._note(processed, scores)
        tail = self._restarted(self._extract.flush())
        if not self.keep:
            self._extract.take_withheld()
            self._n_scored = 0
            return found + tail
        self._found += tail
        joined = join(self._scores)
        bounce = self._bounce.take() if self._bounce else None
        if len(joined):
            processed = join(self._processed)
            self._parts.append(_part(processed, joined, self._found, bounce))
        self._start_part()
        return found + tail

    def _refuse_short(self) -> None:
        """Raise if nothing could be judged though the sensor worked."""
        judged = sum(int(part.scores.is_judged.sum()) for part in self._parts)
        usable = sum(int(part.scores.is_usable.sum()) for part in self._parts)
        if judged or not usable:
            return
        scores = self._parts[0].scores
        total = sum(len(part.scores) for part in self._parts)
        msg = (
            f"Invalid lane '{scores.lane}' of sensor '{scores.sensor.name}': {total} traces, "
            "too few for the windows of its stages. Must be longer, or use shorter windows: "
            f"{self._prepare!r}, {self._prescreen!r}."
        )
        raise ValueError(msg)

    def _refuse_spacing(self) -> None:
        """Raise if the traces were not as far apart as the windows assume."""
        if self.is_even:
            return
        steps = np.concatenate(
            [np.hypot(*np.diff(part.scores.position[:, :2], axis=0).T) for part in self._parts]
        )
        steps = steps[np.isfinite(steps)]  # some traces may have no position
        found = float(np.median(steps)) if len(steps) else self._spacing
        if abs(found - self._spacing) > 0.3 * self._spacing:
            scores = self._parts[0].scores
            msg = (
                f"Invalid lane '{scores.lane}' of sensor '{scores.sensor.name}': its traces "
                f"are {found:.4g} m apart. Must be {self._spacing:g} m within 30 %, as the "
                "settings say: use resample_track."
            )
            raise ValueError(msg)


def _width(sensor: Sensor) -> float:
    """Return how far apart the outermost channels are, across the track, in metres."""
    right = sensor.lever_arms[:, 0]
    return float(np.ptp(right)) if len(right) else 0.0


def _noting_bounce(prepare: Pipeline) -> tuple[Pipeline, gpr.NoteBounce]:
    """Return the stages of a radar with one that notes the bounce where it is aligned."""
    stages = list(prepare.stages)
    k = next(k for k, stage in enumerate(stages) if isinstance(stage, gpr.AlignGround))
    note = gpr.NoteBounce(stages[k])  # type: ignore[arg-type]
    stages[k] = note
    return Pipeline(*stages), note


def _part(
    processed: Sweep, scores: Sweep, candidates: list[Candidate], bounce: gpr.Bounce | None
) -> Part:
    """Return a part with the place and highest score of every cell."""
    cells = scores.samples.astype(np.float64)
    best = np.where(scores.is_usable[:, None], cells.max(axis=2, initial=-np.inf), np.nan)
    return Part(
        processed=processed,
        scores=scores,
        candidates=tuple(candidates),
        position=scores.channel_position,
        best=best,
        bounce=bounce,
    )
