"""Test that one lane on its way through a detector stays one lane."""

import dataclasses

import numpy as np
import pytest
from lanes import make_coils, make_sensor, make_sweep

from minesense.detect import DetectorSettings, LaneDetection, Screen, check_sensor
from minesense.sensor import Circle
from minesense.sweep import Frame


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


@pytest.mark.parametrize(
    ("change", "figure"),
    [
        ({"pulse": 500e-6}, "pulse_s"),
        ({"ramp": 6e-6}, "ramp_s"),
        ({"half_period": 2e-3}, "half_period_s"),
        ({"polarity": "unipolar"}, "excitation"),
        ({"receiver_tau": 2e-5}, "receiver_tau_s"),
        ({"gates": [[2e-5 * k, 2e-5 * k + 1e-5] for k in range(1, 13)]}, "gates_s"),
    ],
)
def test_a_model_refuses_another_waveform(change, figure):
    """Same channels and gates, but not the head it was made for."""
    coils = make_coils()
    train = dataclasses.replace(coils.excitation, **change)
    other = dataclasses.replace(coils, head=dataclasses.replace(coils.head, excitation=train))
    with pytest.raises(ValueError, match=f"its {figure} is"):
        check_sensor(other, {"emi": coils.describe()})


WIDE, TWICE = (Circle(radius=0.2),), (Circle(radius=0.1, turns=2),)


@pytest.mark.parametrize(
    ("change", "figure"),
    [
        ({"height": 0.5}, "height_m"),
        ({"transmitter": WIDE}, "transmitter_m"),
        ({"transmitter": TWICE}, "transmitter_wires"),
        ({"receiver": WIDE}, "receiver_m"),
        ({"receiver": (*WIDE, *WIDE)}, "receiver_wires"),
    ],
)
def test_a_model_refuses_other_wires(change, figure):
    """The same waveform through another coil."""
    coils = make_coils()
    other = dataclasses.replace(coils, head=dataclasses.replace(coils.head, **change))
    with pytest.raises(ValueError, match=f"its {figure} is"):
        check_sensor(other, {"emi": coils.describe()})


@pytest.mark.parametrize(
    ("change", "figure"),
    [({"unit": "V"}, "unit"), ({"lever_arms": [[0, 0, 0], [3, 0, 0]]}, "lever_arms_m")],
)
def test_a_model_refuses_other_channels(change, figure):
    """Same number of channels, elsewhere or in another unit; rounding is no difference."""
    coils = make_coils()
    with pytest.raises(ValueError, match=f"its {figure} is"):
        check_sensor(dataclasses.replace(coils, **change), {"emi": coils.describe()})
    nearly = dataclasses.replace(coils, lever_arms=coils.lever_arms * (1 + 1e-9))
    check_sensor(nearly, {"emi": coils.describe()})


def test_the_frame_of_a_lane_stays():
    """Positions counted from elsewhere are another lane."""
    lane = make_sweep(np.zeros((20, 2, 12)), sensor=make_coils())
    screen = Screen(DetectorSettings())
    screen.push(lane[:10])
    moved = dataclasses.replace(lane[10:], frame=Frame(crs="EPSG:32638"))
    with pytest.raises(ValueError, match="in the same frame"):
        screen.push(moved)
    screen.push(lane[10:])


def test_a_screen_survives_a_first_chunk_that_it_refuses():
    """The next sensor is not blamed for the last one."""
    coils = make_coils()
    lane = make_sweep(np.zeros((20, 2, 12)), sensor=coils)
    bare = dataclasses.replace(lane, sensor=dataclasses.replace(coils, head=None))
    screen = Screen(DetectorSettings())
    with pytest.raises(ValueError, match="no head"):
        screen.push(bare)
    screen.push(lane)
