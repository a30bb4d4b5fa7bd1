"""Runs of a trainer that a machine makes, and the statistic from the physics itself."""

import math

import numpy as np

from minesense.apps.trainerground import detector, statistic_of
from minesense.synthetic.coil_lane import coil_samples


def walk(ground, *, step=0.12, speed=0.5, height=0.05, upto=math.inf, marks=()):
    """Return a document of strokes from side to side, 60 poses a second, and marks."""
    poses, time, dt = [], 0.0, 1 / 60
    x, y, towards = -ground.width / 2, 0.0, 1.0

    def take():
        poses.append([round(time, 4), x, y, height])

    while y <= min(ground.length, upto):
        while towards * x < ground.width / 2:
            take()
            time, x = time + dt, x + towards * speed * dt
        then = y + step
        while y < then:
            take()
            time, y = time + dt, y + speed * dt
        towards = -towards
    return {"poses": poses, "marks": [[1.0 + k, *place] for k, place in enumerate(marks)]}


def targets_of(ground):
    """Return right and forward of the targets."""
    return [
        (item.easting - ground.start[0], item.northing - ground.start[1])
        for item in ground.truth.targets
    ]


def volts_at(head, scene, places):
    """Return the gates at places of the head, simulated one by one."""
    sensor = detector(head)
    terrain, buried, clutter = scene
    place = np.array(places, dtype=float)[:, None]
    return coil_samples(sensor, place, terrain=terrain, buried=buried, clutter=clutter)[:, 0]


def balance(head, scene, ground):
    """Return the gates of a detector at rest: the median over the ground, 5 cm above it."""
    right = np.arange(-ground.width / 2 - 0.2, ground.width / 2 + 0.201, 0.02)
    forward = np.arange(-0.2, ground.length + 0.201, 0.02)
    places = [(x, y, 0.05) for y in forward for x in right]
    return np.median(volts_at(head, scene, places), axis=0)


def statistic_at(head, scene, rest, right, forward, height):
    """Return the statistic at one pose, simulated for it alone, of a balanced detector."""
    volts = volts_at(head, scene, [(right, forward, height)]) - rest
    return float(statistic_of(volts, detector(head))[0])
