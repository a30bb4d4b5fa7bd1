"""Declarations as clients write them: what is of another type is named, never computed with."""

import copy

import pytest

from minesense.payload import declaration_of

COIL = {"type": "Circle", "radius": 0.1, "turns": 20}
SENSOR = {
    "name": "coils",
    "kind": "sensor",
    "clock": "utc",
    "rate": 1000,
    "resolution": 1e-6,
    "offset": 0,
    "offset_error": 0,
    "drift_bound": 1e-4,
    "lag": 0.01,
    "lag_error": 0.002,
    "lateness": 0,
    "note": "serial 7",
    "channel_delays": [0.0, 1e-4],
    "sensor": {
        "type": "Sensor",
        "name": "coils",
        "kind": "emi",
        "axis": [2e-5, 4e-5],
        "axis_unit": "s",
        "lever_arms": [[0, 0, 0], [0.1, 0, 0]],
        "quantity": "voltage",
        "unit": "V",
        "is_complex": False,
        "head": {
            "type": "Head",
            "height": 0.1,
            "transmitter": [COIL],
            "receiver": [COIL],
            "excitation": {
                "type": "PulseTrain",
                "pulse": 1e-3,
                "ramp": 5e-6,
                "half_period": 2.5e-3,
                "receiver_tau": 2e-6,
                "gates": [[1e-5, 3e-5], [3e-5, 5e-5]],
            },
        },
    },
}
POSITION = {
    "name": "rtk",
    "kind": "position",
    "clock": "utc",
    "coordinates": "local",
    "frame": {"crs": "local", "origin": "post"},
    "height_datum": "ground",
    "lever_arm": [0, 0, 1.5],
}
WRONG = ["x", "1000", True, [], {}, {"a": 1}, [[1]], ["1"], [1, [2]]]
MAY_BE_NONE = {"rate", "lag_error", "height", "half_period", "head"}


def leaves(document, path=()):
    """Give the path and value of every field that holds no object."""
    for key, value in document.items():
        if isinstance(value, dict):
            yield from leaves(value, (*path, key))
        elif isinstance(value, list) and isinstance(value[0], dict):
            yield from leaves(value[0], (*path, key, 0))
        else:
            yield (*path, key), value


def changed(document, path, value):
    """Return a copy in which one field holds something else."""
    result = copy.deepcopy(document)
    place = result
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return result


def kind_of(value):
    """Return which JSON type a value has, numbers of both kinds alike."""
    return float if type(value) is int else type(value)


FIELDS = [(d, path, value) for d in (SENSOR, POSITION) for path, value in leaves(d)]


@pytest.mark.parametrize(("document", "path", "right"), FIELDS, ids=lambda v: str(v)[:40])
def test_a_field_of_another_type_is_refused_by_name(document, path, right):
    """A rate of "1000" passed, and ended the server at the first scan."""
    declaration_of(document)
    name = next(key for key in reversed(path) if isinstance(key, str))
    for wrong in [*WRONG, *([] if name in MAY_BE_NONE else [None])]:
        is_list = isinstance(right, list) and isinstance(wrong, list)
        if kind_of(wrong) is kind_of(right) and not is_list:
            continue
        if path[-1] in ("channel_delays", "axis") and wrong == []:
            continue  # none, as if they were left out
        with pytest.raises(ValueError, match=name) as caught:
            declaration_of(changed(document, path, wrong))
        assert "\n" not in str(caught.value)
        assert "supported between" not in str(caught.value)


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        (("clock",), "Invalid declaration without clock"),
        (("sensor", "axis"), "Invalid sensor without axis"),
        (
            ("sensor", "head", "excitation", "gates"),
            "Invalid sensor.head.excitation without gates",
        ),
    ],
)
def test_a_field_that_is_missing_is_named(path, rule):
    document = copy.deepcopy(SENSOR)
    place = document
    for key in path[:-1]:
        place = place[key]
    del place[path[-1]]
    with pytest.raises(ValueError, match=f"{rule}. Must state it"):
        declaration_of(document)


@pytest.mark.parametrize(
    ("document", "path", "value"),
    [
        (SENSOR, ("sensor", "lever_arms"), [[0, 0, 0], [750, 0, 0]]),
        (SENSOR, ("sensor", "lever_arms"), [[0, 0, 0], [0, 1e300, 0]]),
        (POSITION, ("lever_arm",), [0, 0, -1500]),
    ],
)
def test_lever_arms_in_millimetres_are_refused(document, path, value):
    with pytest.raises(ValueError, match=r"Invalid lever arm of .* Must be in metres"):
        declaration_of(changed(document, path, value))
