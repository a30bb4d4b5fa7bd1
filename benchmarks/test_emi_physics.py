"""Benchmark the metal-detector forward model beside vectorised NumPy and SciPy."""

import math
import time

import numpy as np
import numpy.testing as npt
import pytest
from scipy.special import ellipe, ellipk

from minesense.physics import (
    combine_axes,
    pulse_tensors,
    pulse_voltage,
    soil_pulse_voltage,
    sphere_relaxation,
)
from minesense.sweep import PulseCoil

EDGES = np.geomspace(12e-6, 400e-6, 13)
COIL = PulseCoil(
    radius=0.1,
    gates=np.column_stack([EDGES[:-1], EDGES[1:]]),
    pulse=200e-6,
    ramp=5e-6,
    half_period=1e-3,
    receiver_tau=1e-6,
)
REACH = 1.0


def make_lane(n_positions, n_objects, length):
    """Return a lane of coil positions over metal scrap, 2 m to each side."""
    rng = np.random.default_rng(seed=0)
    northing = np.linspace(0, length, n_positions)
    position = np.column_stack([0.1 * np.sin(northing), northing, 0.05 + 0 * northing])
    place = rng.uniform([-2, 0, -0.2], [2, length, -0.02], (n_objects, 3))
    ball = sphere_relaxation(radius=0.005, conductivity=4e6, permeability=100.0)
    bodies = []
    for scale in rng.uniform(0.3, 2, n_objects):
        turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
        bodies.append(combine_axes(ball, ball, ball.scaled(1.5)).scaled(scale).rotated(turn))
    return position, place, bodies


def textbook_field(offset, radius):
    """Field of a horizontal loop by K and E, all pairs at once."""
    rho, z = np.hypot(offset[..., 0], offset[..., 1]), offset[..., 2]
    outer, inner = (radius + rho) ** 2 + z**2, (radius - rho) ** 2 + z**2
    m = 4 * radius * rho / outer
    k, e = ellipk(m), ellipe(m)
    scale = 1 / (2 * math.pi * np.sqrt(outer))
    axial = scale * (k + (radius**2 - rho**2 - z**2) / inner * e)
    radial = scale * z / rho * ((radius**2 + rho**2 + z**2) / inner * e - k)
    return np.stack(
        [radial * offset[..., 0] / rho, radial * offset[..., 1] / rho, axial], axis=-1
    )


def numpy_voltage(position, place, tensors, reach):
    """Every pair at once, far ones left out by a mask; tensors (m, n_gates, 3, 3)."""
    i, j = np.nonzero(np.linalg.norm(place - position[:, None], axis=2) <= reach)
    field = textbook_field(place[j] - position[i], COIL.radius)
    pair = np.einsum("pa,pgab,pb->pg", field, tensors[j], field, optimize=True)
    out = np.zeros((len(position), tensors.shape[1]))
    np.add.at(out, i, pair)
    return out


@pytest.mark.parametrize("reach", [math.inf, REACH], ids=["all pairs", "within reach"])
def test_pulse_voltage(benchmark, reach):
    """A lane of 2000 positions and 60 objects; three times faster than NumPy."""
    position, place, bodies = make_lane(2000, 60, 20.0)
    options = {"coil": COIL, "object_position": place, "objects": bodies, "reach": reach}
    pulse_voltage(position[:2], **options)  # compiles the kernel
    voltage = benchmark(lambda: pulse_voltage(position, **options))
    start = time.perf_counter()
    expected = numpy_voltage(position, place, pulse_tensors(bodies, coil=COIL), reach)
    seconds = benchmark.extra_info["baseline_s"] = time.perf_counter() - start
    npt.assert_allclose(voltage, expected, rtol=1e-7, atol=1e-9 * expected.max())
    if benchmark.stats:
        benchmark.extra_info["ratio"] = seconds / benchmark.stats["median"]
        assert seconds > 3 * benchmark.stats["median"]


def test_million_pairs(benchmark):
    """16000 positions and 63 objects, no reach: a million pairs in less than 2 s."""
    position, place, bodies = make_lane(16_000, 63, 20.0)
    options = {"coil": COIL, "object_position": place, "objects": bodies}
    pulse_voltage(position[:2], **options)
    benchmark(lambda: pulse_voltage(position, **options))
    if benchmark.stats:
        assert benchmark.stats["median"] < 2


def test_soil(benchmark):
    """A hundred thousand heights in less than a second."""
    height = np.random.default_rng(seed=0).uniform(0.02, 0.1, 100_000)
    soil_pulse_voltage(height[:2], coil=COIL, susceptibility=1e-3)
    voltage = benchmark(lambda: soil_pulse_voltage(height, coil=COIL, susceptibility=1e-3))
    start = time.perf_counter()
    k2 = 0.01 / (0.01 + height**2)  # two loops of 0.1 m, twice the height apart
    coupling = ((2 - k2) * ellipk(k2) - 2 * ellipe(k2)) / np.sqrt(k2)
    expected = coupling[:, None] * (voltage[0] / coupling[0])
    seconds = benchmark.extra_info["baseline_s"] = time.perf_counter() - start
    npt.assert_allclose(voltage, expected, rtol=1e-9)
    if benchmark.stats:
        benchmark.extra_info["ratio"] = seconds / benchmark.stats["median"]
        assert benchmark.stats["median"] < 1
