"""Places worth judging: candidates of both sensors joined, with the features of each."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..alarm import Alarm, Candidate
from ..sweep import Floats
from .feature_groups import KINDS, Cells, describe, features_of
from .screen import Part, Screened
from .settings import DetectorSettings

_SEARCH = 0.15  # m around a place in which a silent sensor is asked for its best cell


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Site:
    """A place that at least one prescreener noticed, and what each sensor says of it."""

    lane: str
    easting: float  #: m
    northing: float  #: m
    position_error: float  #: m, one standard deviation
    depth: float  #: m; NaN without a radar echo
    time: float  #: s, of the sensor that noticed it; of the radar if both did
    quality: int
    noticed: tuple[str, ...]  #: kinds whose prescreener noticed it
    scores: Mapping[str, float]  #: prescreener score by kind; NaN where not observed
    features: Mapping[str, Floats]  #: row of features by kind; NaN where not observed
    #: s, when each sensor that has a say was there: their clocks may differ
    times: Mapping[str, float] = field(default_factory=dict)

    def alarm(self, identifier: str, *, score: float, **fields: Any) -> Alarm:
        """
        Return the place as an alarm.

        Parameters
        ----------
        identifier : str
            Its name.
        score : float
            What it is ranked by.
        **fields
            Further fields of :class:`minesense.Alarm`. Without them no probability is
            stated, and the flags are those of the place.

        Returns
        -------
        alarm : Alarm
            Where and when the place is.
        """
        known = {"probability": math.nan, "quality": self.quality, **fields}
        return Alarm(
            identifier=identifier,
            lane=self.lane,
            time=self.time,
            easting=self.easting,
            northing=self.northing,
            position_error=self.position_error,
            depth=self.depth,
            score=float(score),
            **known,
        )


@dataclass(frozen=True, slots=True)
class _Cell:
    """One trace and channel of a part."""

    part: int
    trace: int
    channel: int


def find_sites(
    screened: Mapping[str, Screened],
    settings: DetectorSettings,
    *,
    groups: Mapping[str, Sequence[str]] | None = None,
) -> tuple[Site, ...]:
    """
    Join the candidates of the sensors along one lane and describe each place.

    Parameters
    ----------
    screened : dict of Screened
        What each sensor's screen found, by kind.
    settings : DetectorSettings
        Radii, velocity and spacing.
    groups : dict of sequence of str, optional
        Groups of features by kind, as of :func:`~minesense.detect.features_of`; those of
        the full detector by default.

    Returns
    -------
    sites : tuple of Site
        One for each pair of candidates within the fusion radius, and one for each
        candidate that has no partner, in order of time. No candidate is lost.

    Raises
    ------
    ValueError
        If a group is unknown.

    Notes
    -----
    Pairs are taken nearest first, each candidate once. A place is the mean of the two
    candidates' positions with the inverse variances as weights; each of those is the
    centroid of the squared scores around its peak, so that it is not tied to the channels.
    A sensor that did not notice the place is asked for its best cell within 0.15 m, and
    has no say if it has no usable cell there.

    Examples
    --------
    One coil over noise, with a decay of 64 us at 15 m:

    >>> import numpy as np
    >>> from minesense.detect import DetectorSettings, Screen, find_sites
    >>> from minesense.sweep import Sweep
    >>> from minesense.synthetic import cart
    >>> sensor = cart(n_coils=1).coils
    >>> northing = 0.05 * np.arange(600)
    >>> samples = np.random.default_rng(seed=0).normal(scale=1e-9, size=(600, 1, 12))
    >>> bump = np.exp(-(((northing - 15) / 0.15) ** 2))
    >>> samples[:, 0] += 1e-7 * bump[:, None] * np.exp(-sensor.axis / 64e-6)
    >>> lane = Sweep(
    ...     samples=samples,
    ...     time=northing / 0.5,
    ...     position=np.column_stack([0 * northing, northing, 0 * northing]),
    ...     heading=0 * northing,
    ...     sensor=sensor,
    ...     lane="A",
    ... )
    >>> settings = DetectorSettings()
    >>> screen = Screen(settings)
    >>> _ = screen.push(lane)
    >>> sites = find_sites({"emi": screen.finish()}, settings)
    >>> [(round(site.northing, 1), site.noticed, site.depth) for site in sites]
    [(15.0, ('emi',), nan)]
    """
    located = {
        kind: [
            (_Cell(p, c.trace, c.channel), c, _centroid(part, c, kind))
            for p, part in enumerate(screened[kind].parts)
            for c in part.candidates
        ]
        for kind in KINDS
        if kind in screened
    }
    pairs = _pair(located, settings.fusion_radius)
    chosen = []
    for members in pairs:
        place, error = _combine(
            [(located[kind][i][2], _ERRORS[kind]) for kind, i in members.items()]
        )
        cells = {
            kind: located[kind][members[kind]][0]
            if kind in members
            else _best_cell(screened[kind], place)
            for kind in located
        }
        candidates = {kind: located[kind][i][1] for kind, i in members.items()}
        chosen.append((place, error, cells, candidates))
    rows = {
        kind: _feature_rows(screened[kind], kind, chosen, settings, groups) for kind in located
    }
    sites = [
        _site(screened, settings, item, {kind: rows[kind][k] for kind in rows})
        for k, item in enumerate(chosen)
    ]
    return tuple(sorted(sites, key=lambda site: (site.time, site.easting, site.northing)))


# One standard deviation of a candidate's position, m; from the demonstration's own fields.
_ERRORS = {"gpr": 0.04, "emi": 0.05}


def _pair(
    located: Mapping[str, list[tuple[_Cell, Candidate, Floats]]], radius: float
) -> list[dict[str, int]]:
    """Return candidates as pairs within a radius, nearest first, and singles."""
    if len(located) < 2:
        return [{kind: i} for kind, items in located.items() for i in range(len(items))]
    radar, coils = located["gpr"], located["emi"]
    distances = [
        (float(math.dist(a[2], b[2])), i, j)
        for i, a in enumerate(radar)
        for j, b in enumerate(coils)
        if math.dist(a[2], b[2]) <= radius  # never true without a position
    ]
    lone_radar, lone_coils = set(range(len(radar))), set(range(len(coils)))
    pairs = []
    for _, i, j in sorted(distances):
        if i in lone_radar and j in lone_coils:
            pairs.append({"gpr": i, "emi": j})
            lone_radar.remove(i)
            lone_coils.remove(j)
    singles = [{"gpr": i} for i in sorted(lone_radar)] + [
        {"emi": j} for j in sorted(lone_coils)
    ]
    return pairs + singles


def _centroid(part: Part, candidate: Candidate, kind: str) -> Floats:
    """Return easting and northing of the scores' centroid around a candidate."""
    centre = part.position[candidate.trace, candidate.channel, :2]
    reach = 0.13 if kind == "gpr" else 0.20
    near = slice(max(0, candidate.trace - 40), candidate.trace + 41)
    offset = part.position[near, :, :2] - centre
    weight = part.best[near] - 0.5 * candidate.score
    weight = np.where(np.hypot(*np.moveaxis(offset, -1, 0)) <= reach, weight, 0.0)
    weight = np.clip(np.nan_to_num(weight), 0.0, None)
    if not weight.sum() > 0:
        return centre
    offset[weight == 0] = 0.0  # a trace without a position must not make the others lose theirs
    return centre + (weight[..., None] * offset).sum(axis=(0, 1)) / weight.sum()


def _combine(places: list[tuple[Floats, float]]) -> tuple[Floats, float]:
    """Return the mean of places with inverse variances as weights, and its error."""
    weights = np.array([error**-2 for _, error in places])
    mean = sum(weight * place for (place, _), weight in zip(places, weights, strict=True))
    return np.asarray(mean) / weights.sum(), float(weights.sum() ** -0.5)


def _best_cell(screened: Screened, place: Floats) -> _Cell | None:
    """Return the usable cell of highest score near a place, or None."""
    best, found = -math.inf, None
    for p, part in enumerate(screened.parts):
        distance = np.hypot(*np.moveaxis(part.position[..., :2] - place, -1, 0))
        score = np.where(distance <= _SEARCH, part.best, np.nan)
        score[~part.scores.is_credited] = np.nan
        if np.isfinite(score).any() and np.nanmax(score) > best:
            trace, channel = np.unravel_index(np.nanargmax(score), score.shape)
            best, found = float(np.nanmax(score)), _Cell(p, int(trace), int(channel))
    return found


def _feature_rows(
    screened: Screened,
    kind: str,
    chosen: list,
    settings: DetectorSettings,
    groups: Mapping[str, Sequence[str]] | None,
) -> Floats:
    """Return the features of every chosen place for one sensor; NaN where it has no cell."""
    rows = np.full((len(chosen), len(features_of(kind, groups))), np.nan)
    for p, part in enumerate(screened.parts):
        here = [
            (k, cell.trace, cell.channel)
            for k, (_, _, cells, _) in enumerate(chosen)
            if (cell := cells[kind]) is not None and cell.part == p
        ]
        if here:
            index, traces, channels = (list(column) for column in zip(*here, strict=True))
            cells = Cells(part=part, traces=traces, channels=channels, settings=settings)
            rows[index] = describe(cells, kind, groups)
    return rows


def _site(
    screened: Mapping[str, Screened],
    settings: DetectorSettings,
    item: tuple,
    features: Mapping[str, Floats],
) -> Site:
    """Return the record of one place."""
    place, error, cells, candidates = item
    first = next(iter(candidates.values()))
    scores, times, quality = {}, {}, 0
    for kind, cell in cells.items():
        scores[kind] = math.nan
        if cell is not None:
            part = screened[kind].parts[cell.part]
            scores[kind] = float(part.best[cell.trace, cell.channel])
            times[kind] = float(part.scores.time[cell.trace])
            quality |= int(part.scores.quality[cell.trace])
    depth = math.nan
    if "gpr" in candidates:
        delay = candidates["gpr"].two_way_time - settings.radar.ground_time
        depth = max(0.0, settings.radar.velocity * delay / 2)
    return Site(
        lane=first.lane,
        easting=float(place[0]),
        northing=float(place[1]),
        position_error=error,
        depth=depth,
        time=first.time,
        quality=quality,
        noticed=tuple(candidates),
        scores=scores,
        features=features,
        times=times,
    )
