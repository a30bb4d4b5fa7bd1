"""Time the radar model against the same sum written with NumPy. Compilation is apart."""

import math
import time

import numpy as np
import pytest

from minesense.physics import (
    Surface,
    disc_facets,
    join_scatterers,
    no_scatterers,
    peplinski_permittivity,
    radar_frequencies,
    radar_traces,
    trace_rays,
    volume_cells,
)

C = 299_792_458.0
BAND = {"n_samples": 192, "interval": 62.5e-12, "peak_frequency": 1.5e9}
F = radar_frequencies(**BAND)
LOAM = peplinski_permittivity(F, sand=0.4, clay=0.2, bulk_density=1.4, moisture=0.12)
REACH, N_TRACES = 0.35, 400
_RNG = np.random.default_rng(seed=1)
SURFACE = Surface(origin=[-1, -1], step=0.03, heights=_RNG.normal(scale=0.004, size=(68, 168)))


def lane():
    """Antennas 5 cm over rough ground along 2 m, a mine and 900 cells of uneven soil."""
    mine = disc_facets(
        [0, 1, -0.07], diameter=0.11, frequency=F, soil=LOAM, layers=[(0.04, 2.8)]
    )
    cells = volume_cells(
        _RNG.uniform([-0.6, -0.6, -0.4], [0.6, 2.6, -0.03], (900, 3)),
        contrast=_RNG.normal(scale=0.05, size=900),
        volume=2e-5,
        frequency=F,
        soil=LOAM,
    )
    tx = np.column_stack(
        [np.full(N_TRACES, -0.03), np.linspace(0, 2, N_TRACES), np.full(N_TRACES, 0.05)]
    )
    return tx, tx + np.array([0.06, 0, 0]), join_scatterers([mine, cells])


def with_numpy(tx, rx, things):
    """One trace as a user would write it: arrays of facets and scatterers by frequency."""
    k0, k = 2 * math.pi * F / C, 2 * math.pi * F / C * np.sqrt(LOAM)
    n_soil = np.interp(BAND["peak_frequency"], F, np.sqrt(LOAM).real)
    middle = (tx + rx) / 2
    height = middle[2] - SURFACE.height_at(*middle[:2])
    radius = 3 * math.sqrt(C / (0.365 * BAND["peak_frequency"]) * height / 2)
    axes = [
        SURFACE.origin[i] + SURFACE.step * np.arange(SURFACE.heights.shape[i]) for i in (0, 1)
    ]
    east, north = np.meshgrid(*axes, indexing="ij", sparse=True)
    far = np.hypot(east - middle[0], north - middle[1])
    i, j = np.nonzero(far <= radius)
    place = np.column_stack([axes[0][i], axes[1][j], SURFACE.heights[i, j]])
    slopes = np.gradient(SURFACE.heights, SURFACE.step)
    normal = np.column_stack([-slopes[0][i, j], -slopes[1][i, j], np.ones(len(i))])
    t, r = tx - place, rx - place
    rt, rr = np.linalg.norm(t, axis=1), np.linalg.norm(r, axis=1)
    face = ((normal * t).sum(axis=1) / rt + (normal * r).sum(axis=1) / rr) / 2
    fade = np.cos(math.pi / 2 * np.clip(3 * far[i, j] / radius - 2, 0, 1)) ** 2
    weight = face * SURFACE.step**2 * t[:, 2] / rt * r[:, 2] / rr * fade / (rt * rr)
    index = np.sqrt(LOAM)
    total = 1j * k0 / (2 * math.pi) * (1 - index) / (1 + index)
    total *= weight @ np.exp(-1j * np.outer(rt + rr, k0))
    apart = np.linalg.norm(tx - rx)
    total += 0.05 / apart * np.exp(-1j * k0 * apart)

    far = np.hypot(*(things.position - middle)[:, :2].T)
    near = far < REACH
    place, legs = things.position[near], []
    for antenna in (tx, rx):
        across = place[:, :2] - antenna[:2]
        rise = antenna[2] - place[:, 2]
        z = SURFACE.height_at(*place[:, :2].T) - place[:, 2]
        h = np.maximum(rise - z, 1e-3)
        entry = antenna[:2] + across * (n_soil * h / (n_soil * h + z))[:, None]
        z = np.clip(SURFACE.height_at(*entry.T) - place[:, 2], 1e-3, rise - 1e-3)
        rays = trace_rays(rise - z, z, np.hypot(*across.T), index=n_soil)
        out = (np.hypot(*across.T) - rays.entry) / np.maximum(np.hypot(*across.T), 1e-12)
        way = np.column_stack([-across * out[:, None], z]) / rays.soil[:, None]
        legs.append((rays, (way * things.normal[near]).sum(axis=1)))
    (down, face_t), (up, face_r) = legs
    size = (down.electric * up.electric + down.magnetic * up.magnetic) / 2
    size *= down.cosine * up.cosine * things.weight[near]
    size *= np.where(things.normal[near].any(axis=1), np.maximum(face_t + face_r, 0) / 2, 1)
    size *= np.cos(math.pi / 2 * np.clip(5 * far[near] / REACH - 4, 0, 1)) ** 2
    phase = np.outer(down.air + up.air, k0) + np.outer(down.soil + up.soil, k)
    spectra = things.spectra[things.spectrum[near]]
    total += (size[:, None] * spectra * np.exp(-1j * phase)).sum(axis=0)
    fp = BAND["peak_frequency"]
    wave = 2 / math.sqrt(math.pi) * F**2 / fp**3 * np.exp(-((F / fp) ** 2))
    angle = 2 * math.pi * np.outer(np.arange(BAND["n_samples"]) * BAND["interval"] - 1 / fp, F)
    return 2 * F[0] * (np.exp(1j * angle) @ (wave * total)).real


@pytest.mark.benchmark(group="radar model, 400 traces of a lane")
def test_radar_traces(benchmark):
    tx, rx, things = lane()

    def run():
        return radar_traces(
            tx, rx, **BAND, permittivity=LOAM, surface=SURFACE, scatterers=things,
            coupling=0.05, reach=REACH,
        )  # fmt: skip

    start = time.perf_counter()
    run()
    first = time.perf_counter() - start
    fast = benchmark(run)
    with_numpy(tx[0], rx[0], things)  # compiles trace_rays
    picked = range(0, N_TRACES, 20)
    start = time.perf_counter()
    slow = np.array([with_numpy(tx[i], rx[i], things) for i in picked])
    slow_each = (time.perf_counter() - start) / len(slow)
    error = np.abs(fast[picked] - slow).max() / np.abs(slow).max()
    assert error < 1e-3
    distance = np.hypot(*(things.position[:, None] - (tx + rx) / 2)[..., :2].T)
    benchmark.extra_info["scatterers_in_reach"] = float((distance < REACH).mean() * len(things))
    benchmark.extra_info["error_of_peak"] = float(error)
    benchmark.extra_info["first_call_s"] = first
    if benchmark.stats is None:  # --benchmark-disable
        return
    each = benchmark.stats.stats.median / N_TRACES
    benchmark.extra_info["microseconds_per_trace"] = 1e6 * each
    benchmark.extra_info["ratio_numpy"] = slow_each / each


@pytest.mark.benchmark(group="radar model, 400 traces of a lane")
def test_radar_traces_of_the_surface_alone(benchmark):
    tx, rx, _ = lane()
    empty = no_scatterers(len(F))
    benchmark(
        lambda: radar_traces(
            tx, rx, **BAND, permittivity=LOAM, surface=SURFACE, scatterers=empty, coupling=0.05
        )
    )
