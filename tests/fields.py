"""Small fields with truth and alarms, for the tests of the scorer."""

import numpy as np
from lanes import make_coils, make_sensor, make_sweep

from minesense.alarm import Alarm
from minesense.coverage import observe
from minesense.truth import Target, Truth


def make_alarm(easting, northing, score=1.0, *, identifier=None, lane="A"):
    """Return an alarm at a place."""
    return Alarm(
        identifier=identifier or f"{easting:.6f} {northing:.6f} {score!r}",
        lane=lane,
        time=0.0,
        easting=easting,
        northing=northing,
        position_error=0.02,
        depth=0.05,
        probability=0.5,
        score=score,
    )


def make_target(identifier, easting, northing, **options):
    """Return a target of 10 cm at 5 cm depth, with little metal, unless told."""
    options = {
        "kind": "disc",
        "is_target": True,
        "depth": 0.05,
        "diameter": 0.1,
        "metal_class": "low",
    } | options
    return Target(identifier=identifier, easting=easting, northing=northing, **options)


def make_clutter(identifier, easting, northing, kind="can"):
    """Return a piece of clutter."""
    return make_target(identifier, easting, northing, kind=kind, is_target=False)


def make_truth(*objects, **options):
    """Return the truth of a field."""
    return Truth(objects=tuple(objects), **options)


def make_coverage(*lanes, kinds=("gpr",), length=10.0):
    """
    Return the coverage of lanes of 1 m, named A, B, ..., side by side.

    A lane is given as how much of its length was swept; without any, one whole lane.
    """
    lanes = lanes or (length,)
    sweeps, area = [], []
    for k, swept in enumerate(lanes):
        name = chr(ord("A") + k)
        area.append((k - 0.5, 0.0, k + 0.5, length, name))
        northing = np.arange(0, swept + 0.01, 0.25)
        if not swept:
            continue
        for kind in kinds:
            sensor = make_sensor(1, 2) if kind == "gpr" else make_coils(1)
            position = np.column_stack([0 * northing + k, northing, 0 * northing])
            samples = np.zeros((len(northing), *sensor.shape))
            sweeps.append(make_sweep(samples, sensor=sensor, position=position, lane=name))
    return observe(sweeps, footprint=dict.fromkeys(kinds, 0.52), area=area)
