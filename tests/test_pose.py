"""Test attitudes of platforms and rotations of axes."""

import math

import numpy as np
import numpy.testing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minesense.physics import attitude, rotation_onto

RIGHT, FORWARD, UP = np.eye(3)
angles = st.floats(-math.pi, math.pi)


def test_attitude_follows_the_conventions():
    """Heading clockwise from north; pitch lifts the nose; roll drops the right side."""
    npt.assert_array_equal(attitude([0.0])[0], np.eye(3))
    east = attitude([math.pi / 2])[0]
    npt.assert_allclose(east @ FORWARD, [1, 0, 0], atol=1e-15)
    npt.assert_allclose(east @ RIGHT, [0, -1, 0], atol=1e-15)
    nose_up = attitude([0.0], pitch=0.1)[0]
    npt.assert_allclose(nose_up @ FORWARD, [0, math.cos(0.1), math.sin(0.1)], atol=1e-15)
    npt.assert_allclose(nose_up @ RIGHT, RIGHT, atol=1e-15)
    right_down = attitude([0.0], roll=[0.1])[0]
    npt.assert_allclose(right_down @ RIGHT, [math.cos(0.1), 0, -math.sin(0.1)], atol=1e-15)
    npt.assert_allclose(right_down @ FORWARD, FORWARD, atol=1e-15)


@given(heading=angles, pitch=angles, roll=angles)
def test_attitude_is_roll_then_pitch_then_heading(heading, pitch, roll):
    def about(axis, angle):
        x = np.cross(axis, np.eye(3)).T  # x @ v = axis x v
        return np.eye(3) + math.sin(angle) * x + (1 - math.cos(angle)) * x @ x

    expected = about(UP, -heading) @ about(RIGHT, pitch) @ about(FORWARD, roll)
    found = attitude([heading], pitch=[pitch], roll=[roll])[0]
    npt.assert_allclose(found, expected, atol=1e-14)
    npt.assert_allclose(found @ found.T, np.eye(3), atol=1e-14)
    npt.assert_allclose(np.linalg.det(found), 1, rtol=1e-13)


@given(
    axis=st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda x: np.linalg.norm(x) > 1e-3),
    small=st.sampled_from([1.0, 1e-9, 0.0]),
)
def test_rotation_takes_up_to_the_axis_by_the_shortest_way(axis, small):
    axis = np.array(axis) * [small, small, 1]
    if not np.linalg.norm(axis) > 1e-6:
        return
    turn = rotation_onto(axis)
    npt.assert_allclose(turn @ UP, axis / np.linalg.norm(axis), atol=1e-14)
    npt.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-13)
    npt.assert_allclose(np.linalg.det(turn), 1, rtol=1e-12)
    across = np.array([-axis[1], axis[0], 0])
    if small == 1.0 and np.linalg.norm(across) > 1e-6:  # the axis of the rotation stays
        npt.assert_allclose(turn @ across, across, atol=1e-12)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: attitude(0.0), ValueError, r"heading with shape \(\)"),
        (lambda: attitude([np.nan]), ValueError, "heading: 1 of 1"),
        (lambda: attitude([0.0], pitch=[0, 0]), ValueError, r"pitch with shape \(2,\)"),
        (lambda: attitude([0.0], roll="x"), TypeError, "roll of dtype"),
        (lambda: rotation_onto([0, 0, 0]), ValueError, r"axis \[0.0, 0.0, 0.0\]. Must"),
    ],
)
def test_bad_input_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()
