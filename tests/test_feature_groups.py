"""Test what all groups of features have in common, on lanes of a SYNTHETIC field."""

import dataclasses

import numpy as np
import numpy.testing as npt
import pytest

from minesense.detect import GROUPS, DetectorSettings, Screen, describe, features_of
from minesense.detect.feature_groups import Cells
from minesense.sweep import Quality
from minesense.synthetic import field, scenario

GROUP_NAMES = [(kind, name) for kind, groups in GROUPS.items() for name in groups]
LOST = 0.2  # of the way along the lane


@pytest.fixture(scope="module")
def parts():
    """Return by kind the part of one lane, as it was swept and with positions lost."""
    plan = scenario(
        "farmland",
        lanes={"training": 1, "blind": 0, "length": 8.0},
        layout={"density": 1.0},
        platform={"n_antennas": 4, "n_coils": 3},
    )
    made = field(plan, seed=4)
    whole, lost = {}, {}
    for sweep in made.sweep(plan.platform.carrier()):
        position, heading = sweep.position.copy(), sweep.heading.copy()
        first = int(LOST * len(sweep))
        gone = slice(first, first + 6)
        position[gone], heading[gone] = np.nan, np.nan
        quality = sweep.quality.copy()
        quality[gone] |= int(Quality.POSE_NONE)
        broken = dataclasses.replace(sweep, position=position, heading=heading, quality=quality)
        for found, lane in ((whole, sweep), (lost, broken)):
            screen = Screen(DetectorSettings())
            screen.push(lane)
            (found[sweep.sensor.kind],) = screen.finish().parts
    return whole, lost


def cells_of(part):
    """Return cells of all channels along a part, those of lost positions among them."""
    traces = np.repeat(np.arange(20, len(part.processed) - 20, 5), part.position.shape[1])
    channels = np.tile(np.arange(part.position.shape[1]), len(traces) // part.position.shape[1])
    return Cells(
        part=part,
        traces=traces.tolist(),
        channels=channels.tolist(),
        settings=DetectorSettings(),
    )


@pytest.mark.parametrize(("kind", "group"), GROUP_NAMES)
def test_lost_positions_do_not_stop_a_group(parts, kind, group):
    """Every group describes a lane part of which has no position; elsewhere as without loss."""
    whole, lost = (found[kind] for found in parts)
    cells, same = cells_of(lost), cells_of(whole)
    rows, expected = (describe(c, kind, {kind: (group,)}) for c in (cells, same))
    assert rows.shape == (len(cells.traces), len(features_of(kind, {kind: (group,)})))
    assert np.isfinite(expected).any()
    assert np.isfinite(rows).any()
    assert len(whole.processed) == len(lost.processed)
    away = np.array(cells.traces) > 0.6 * len(lost.processed)
    assert away.any()
    npt.assert_allclose(rows[away], expected[away], rtol=0.05, atol=0.05, equal_nan=True)
