"""Echo shapes learnt from training lanes, for each lane from the others."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from ..detect import DetectorSettings, Screened, lane_folds
from ..detect.screen import Part
from ..gpr import EchoShapes, PatchForm, echo_patches, fit_echo_shapes
from ..gpr.echo_shapes import ground_moments, taking_part
from ..sensor import Sensor
from ..sweep import Floats, Samples
from ..truth import Target, Truth
from .labels import in_swept_lanes

#: Fewer targets tell nothing of what they have in common.
FEWEST = 10

_N_FOLDS = 5
_N_GROUND = 36_000  # patches of ground, of all lanes together
_APART = 0.35  # m from the edge of a target that are not ground
_NEAR = 0.10  # m beside a target in which its echo is looked for
_OVERSAMPLED = 2.2  # samples of a patch in a period of the highest frequency


@dataclasses.dataclass(frozen=True, eq=False)
class _Lane:
    """What one lane holds of targets and of ground."""

    targets: Samples  # patches
    moments: Floats
    n_ground: int


def learn_shapes(
    lanes: Sequence[Screened], truth: Truth, settings: DetectorSettings
) -> tuple[DetectorSettings, dict[str, DetectorSettings]]:
    """
    Learn what echoes of the targets in training lanes have in common.

    Parameters
    ----------
    lanes : sequence of Screened
        Of a radar, by any prescreener: only processed traces are used.
    truth : Truth
        What lies in them; targets that name none of the lanes count where they lie.
    settings : DetectorSettings
        By which they were screened.

    Returns
    -------
    settings : DetectorSettings
        The same with the shapes of all lanes; without, if the lanes hold fewer than ten
        targets that the radar passed, or would if a few of them were held out.
    by_lane : dict of DetectorSettings
        By lane those with shapes of other lanes, so that what is trained on their scores sees
        what a new lane would show; empty if there are none.

    Examples
    --------
    >>> settings, by_lane = learn_shapes(lanes, truth, settings)  # doctest: +SKIP
    """
    names = [lane.lane for lane in lanes]
    sensors = [part.processed.sensor for lane in lanes for part in lane.parts]
    if not sensors or len(names) < 2:
        return settings, {}
    form = patch_form(settings, sensors[0])
    n_each = max(1, _N_GROUND // len(lanes))
    truth = in_swept_lanes(truth, names)
    found = [_learn_lane(lane, truth, form, n_each) for lane in lanes]
    folds = list(lane_folds(names, n_folds=min(_N_FOLDS, len(names))))
    groups = [range(len(lanes)), *(fold.train for fold in folds)]
    if min(sum(len(found[k].targets) for k in group) for group in groups) < FEWEST:
        return settings, {}
    fitted = [_fit([found[k] for k in group], form, settings) for group in groups]
    return _with(settings, fitted[0]), {
        names[k]: _with(settings, shapes)
        for fold, shapes in zip(folds, fitted[1:], strict=True)
        for k in fold.test
    }


def patch_form(settings: DetectorSettings, sensor: Sensor) -> PatchForm:
    """
    Return the patches in which shapes are learnt.

    Parameters
    ----------
    settings : DetectorSettings
        Lengths, times and band of the radar.
    sensor : Sensor
        The radar, as its lanes were processed.

    Returns
    -------
    form : PatchForm
        From the ground on, as far as the record holds, with samples as far apart as the band
        allows.

    Examples
    --------
    >>> from minesense.detect import DetectorSettings
    >>> from minesense.synthetic import cart
    >>> from minesense.training.shapes import patch_form
    >>> patch_form(DetectorSettings(), cart().radar).shape
    (17, 32)
    """
    radar, step = settings.radar, sensor.sample_interval
    every = max(1, int(1 / (_OVERSAMPLED * radar.band[1] * step)))
    first = round((radar.ground_time - sensor.axis[0]) / step)
    most = (len(sensor.axis) - 1 - first) // every + 1
    return PatchForm(
        spacing=radar.spacing,
        reach=radar.shape_reach,
        step=radar.shape_step,
        start_time=float(sensor.axis[first]),
        interval=every * step,
        n_samples=min(most, round(radar.shape_length / (every * step))),
    )


def _with(settings: DetectorSettings, shapes: EchoShapes) -> DetectorSettings:
    """Return the settings with shapes."""
    return dataclasses.replace(
        settings, radar=dataclasses.replace(settings.radar, shapes=shapes)
    )


def _fit(lanes: Sequence[_Lane], form: PatchForm, settings: DetectorSettings) -> EchoShapes:
    """Return the shapes of some lanes."""
    return fit_echo_shapes(
        np.concatenate([lane.targets for lane in lanes]),
        np.sum([lane.moments for lane in lanes], axis=0),
        n_ground=sum(lane.n_ground for lane in lanes),
        form=form,
        n_filters=settings.radar.n_shapes,
    )


def _learn_lane(lane: Screened, truth: Truth, form: PatchForm, n_ground: int) -> _Lane:
    """Return the patches around a lane's targets, and the moments of its ground."""
    here = [target for target in truth.targets if target.lane in ("", lane.lane)]
    targets = [_target_patches(part, here, form) for part in lane.parts]
    size = int(np.prod(form.shape))
    total = sum(len(part.processed) for part in lane.parts)
    moments, n = np.zeros((size, size)), 0
    for part in lane.parts:
        share = round(n_ground * len(part.processed) / max(1, total))
        ground = _ground_patches(part, here, form, share)
        moments += ground_moments(ground)
        n += len(ground)
    return _Lane(np.concatenate(targets), moments, n)


def _target_patches(part: Part, targets: Sequence[Target], form: PatchForm) -> Samples:
    """Return one patch for each target that the part passes, where it comes nearest."""
    is_present = taking_part(part.processed)
    cells = []
    for target in targets:
        away = np.where(is_present[:, None], _distance(part, target), np.inf)
        away = np.where(np.isfinite(away), away, np.inf)
        if away.size and away.min() <= target.diameter / 2 + _NEAR:
            cells.append(np.unravel_index(away.argmin(), away.shape))
    traces, channels = (list(axis) for axis in zip(*cells, strict=True)) if cells else ([], [])
    found = echo_patches(part.processed, traces, channels, form)
    return found[found.any(axis=(1, 2))]


def _ground_patches(
    part: Part, targets: Sequence[Target], form: PatchForm, n_most: int
) -> Samples:
    """Return patches of ground away from all targets, spread evenly over the part."""
    is_ground = np.repeat(taking_part(part.processed)[:, None], part.position.shape[1], axis=1)
    is_ground[: form.n_reach] = False
    is_ground[max(0, len(is_ground) - form.n_reach) :] = False
    is_ground &= np.isfinite(part.position[..., :2]).all(axis=-1)
    for target in targets:
        is_ground &= ~(_distance(part, target) <= target.diameter / 2 + _APART)
    cells = np.argwhere(is_ground)
    if len(cells) > n_most:
        cells = cells[np.linspace(0, len(cells) - 1, n_most).astype(int)]
    return echo_patches(part.processed, cells[:, 0].tolist(), cells[:, 1].tolist(), form)


def _distance(part: Part, target: Target) -> Floats:
    """Return the distance of every cell from a target, NaN where it has no position."""
    place = (target.easting, target.northing)
    return np.hypot(*np.moveaxis(part.position[..., :2] - place, -1, 0))
