"""Test that one lane on its way through a detector stays one lane."""

import pytest
from lanes import make_coils, make_sensor, make_sweep

from minesense.detect import DetectorSettings
from minesense.detect.detection import LaneDetection


@pytest.mark.parametrize("name", ["", "A"])
def test_sensors_of_two_lanes_are_refused(name):
    radar, coils = make_sensor(2, 64), make_coils()
    sensors = {sensor.kind: sensor.describe() for sensor in (radar, coils)}
    lane = LaneDetection(DetectorSettings(), sensors, name)
    lane.push(_chunk(radar, "A"))
    with pytest.raises(ValueError, match=r"of lane 'B'\. Must belong to lane 'A'"):
        lane.push(_chunk(coils, "B"))
    lane.push(_chunk(coils, "A"))


def _chunk(sensor, lane):
    """Return two traces of ones."""
    return make_sweep(
        [[[1.0] * sensor.shape[1]] * sensor.shape[0]] * 2, sensor=sensor, lane=lane
    )
