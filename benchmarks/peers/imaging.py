"""Cases that image a profile."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable

import numpy as np

from minesense import gpr
from minesense.sweep import Sweep

from .contest import AbsentError, Contest, Peer, case
from .inputs import SPACING, STEP, VELOCITY, profile

OPTIONS = {"velocity": VELOCITY, "spacing": SPACING}

_ON_A_POINT = 275  # a trace over one of the points of the profile


def impdar_data(columns: np.ndarray):
    """Return a profile, traces in columns, as ImpDAR holds it."""
    from impdar.lib.RadarData import RadarData  # noqa: PLC0415
    from impdar.lib.RadarFlags import RadarFlags  # noqa: PLC0415

    data = RadarData(None)
    data.data = columns
    data.snum, data.tnum = columns.shape
    data.dt = STEP
    data.travel_time = 1e6 * STEP * np.arange(1, data.snum + 1)  # us
    data.trace_num = np.arange(1, data.tnum + 1)
    data.trace_int = np.full(data.tnum, SPACING)
    data.dist = 1e-3 * SPACING * np.arange(data.tnum)  # km
    data.flags = RadarFlags()
    return data


def late(lane: Sweep) -> Sweep:
    """Return a lane whose time begins with one step, as ImpDAR counts."""
    import dataclasses  # noqa: PLC0415

    sensor = dataclasses.replace(lane.sensor, axis=lane.sensor.axis + STEP)
    return dataclasses.replace(lane, sensor=sensor)


def compiled_impdar(columns: np.ndarray) -> Callable:
    """Return a call of ImpDAR's compiled loop, if it was built and is on the path."""
    import _mig_cython  # noqa: PLC0415

    return lambda: _mig_cython.migrationKirchhoff(impdar_data(columns), vel=VELOCITY).data


def python_impdar(columns: np.ndarray, n_depths: int) -> Callable:
    """Return a call of ImpDAR's Python loop for the first output samples of one trace."""
    from impdar.lib.migrationlib import mig_python  # noqa: PLC0415

    n_samples, n_traces = columns.shape
    time = STEP * np.arange(1, n_samples + 1)
    # the loop begins with the first trace: it gets the one that is asked for
    order = np.append(_ON_A_POINT, np.delete(np.arange(n_traces), _ON_A_POINT))
    columns, along = columns[:, order], SPACING * order
    depths, slopes = VELOCITY * time / 2, np.gradient(columns.astype(float), time, axis=0)

    def call():
        out = np.zeros((n_depths, 1))
        mig_python.migrationKirchhoffLoop(
            columns.astype(float), out, 1, n_depths, along, depths,
            depths**2, time, VELOCITY, slopes, time[-1], False,
        )  # fmt: skip
        return out[:, 0]

    return call


def numpy_kirchhoff(samples: np.ndarray, centres: np.ndarray, angle: float) -> Callable:
    """Return a call that gathers whole diffractions for some image traces, tables made."""
    n = samples.shape[1]
    n_halo = math.ceil(VELOCITY / 2 * STEP * n / SPACING)
    time = STEP * np.arange(1, n + 1)
    along = 2 / VELOCITY * SPACING * np.arange(-n_halo, n_halo + 1)[:, None]
    arrival = np.hypot(time, along)
    is_in = (arrival <= time[-1] * (1 + 1e-12)) & (np.abs(along) <= math.tan(angle) * time)
    place = np.where(is_in, arrival - time[0], 0) / STEP
    row = np.minimum(place.astype(int), n - 2)
    part = (place - row).astype(np.float32)
    weight = np.where(is_in, time * 2 / (VELOCITY * arrival) ** 2, 0).astype(np.float32)
    slopes = np.gradient(samples, np.float32(STEP), axis=1)
    number = np.arange(len(along))[:, None]

    def call():
        image = []
        for k in centres:
            near = slopes[k - n_halo : k + n_halo + 1]
            above, below = near[number, row], near[number, row + 1]
            image.append((weight * (above + part * (below - above))).sum(axis=0))
        return np.array(image)

    return call


def kirchhoff(workers: int) -> Contest:
    """Return diffraction sums over the whole aperture."""
    lane = late(profile(2_000, noise=0.0))
    samples = lane.samples[:, 0]
    columns = np.ascontiguousarray(samples.T)
    angle = math.radians(89.9)  # whatever lasts to the end of the record
    centres, n_depths = np.arange(300, 1_700, 70), 192
    few = columns[:, _ON_A_POINT - 125 : _ON_A_POINT + 125]
    n_gathers = len(samples) * _n_gathers(512)
    peers = []
    with contextlib.suppress(ImportError):
        peers.append(
            Peer(name="Kirchhoff, compiled loop", package="ImpDAR", scale=8,
                 call=compiled_impdar(few), pick=lambda found: found[:, 125],
                 pick_ours=lambda y: y[_ON_A_POINT],
                 note="built from its source; timed on 250 traces, which are less work each "
                 "at their ends, so the ratio is a lower bound. It sums one side of the "
                 "diffraction only, hence the correlation.")
        )  # fmt: skip
    peers.append(
        Peer(name="fancy indices, tables for nothing", scale=len(samples) / len(centres),
             call=numpy_kirchhoff(samples, centres, angle), pick=np.asarray,
             pick_ours=lambda y: y[centres])
    )  # fmt: skip
    with contextlib.suppress(ImportError):
        peers.append(
            Peer(name="Kirchhoff as installed, Python loop", package="impdar",
                 scale=len(samples) * 512 / n_depths, call=python_impdar(columns, n_depths),
                 pick=np.asarray, pick_ours=lambda y: y[_ON_A_POINT, :n_depths],
                 note="extrapolated from 192 samples of one trace.")
        )  # fmt: skip
    return Contest(
        ours=lambda: gpr.kirchhoff(lane, **OPTIONS, angle=angle, workers=workers).samples[:, 0],
        n_values=n_gathers,
        peers=tuple(peers if workers == 1 else peers[:1]),
    )


def _n_gathers(n: int) -> int:
    """Return how many values enter an image trace far from the ends of the lane."""
    depth = VELOCITY / 2 * STEP * np.arange(1, n + 1)
    reach = np.sqrt(np.maximum(depth[-1] ** 2 - depth**2, 0))
    return int((2 * np.floor(reach / SPACING * (1 + 1e-12)) + 1).sum())


@case("Kirchhoff, whole aperture", workload="512 x 2,000", goal=200.0)
def kirchhoff_one() -> Contest:
    """One core."""
    return kirchhoff(1)


@case("Kirchhoff, two threads", workload="512 x 2,000", goal=400.0)
def kirchhoff_two() -> Contest:
    """Two threads of ours."""
    return kirchhoff(2)


@case("back-projection with refraction, 1 m aperture", workload="512 x 2,000", goal=50.0)
def back_projection() -> Contest:
    """Return the image below an antenna 10 cm over the ground, one core."""
    from benchmarks import test_back_projection as base  # noqa: PLC0415

    lane, lookup = base.make_profile(2_000), base.tables()
    samples = lane.samples[:, 0]
    return Contest(
        ours=lambda: gpr.back_project(lane, **base.OPTIONS).values[:, 0],
        n_values=samples.size,
        peers=(
            Peer(name="plain loop over columns, tables for nothing", scale=2_000 / 40,
                 call=lambda: base.by_column(samples, 900, 940, *lookup), pick=np.asarray,
                 pick_ours=lambda y: y[900:940]),
            Peer(name="loop over offsets, tables for nothing", scale=2_000 / 100,
                 call=lambda: base.by_offset(samples, 900, 1_000, *lookup), pick=np.asarray,
                 pick_ours=lambda y: y[900:1_000]),
        ),
    )  # fmt: skip


def stolt(workers: int) -> Contest:
    """Return the f-k image of a long profile."""
    lane = profile(noise=0.0)
    samples = lane.samples[:, 0]
    columns = np.ascontiguousarray(samples.T).astype(np.float64)
    n_few, peers = 500, []
    inner = slice(200, -200)
    try:
        from gprpy.irlib.external import mig_fk  # noqa: PLC0415

        peers.append(
            Peer(name="mig_fk", package="GPRPy",
                 call=lambda: mig_fk.fkmig(columns, 1e9 * STEP, SPACING, VELOCITY / 1e9)[0],
                 pick=lambda found: np.real(found)[:512, :20_000].T[inner],
                 pick_ours=lambda y: y[inner],
                 note="echoes without noise; of noise it keeps other frequencies.")
        )  # fmt: skip
    except ImportError:
        pass
    try:
        from impdar.lib.migrationlib import migrationStolt  # noqa: PLC0415

        few = columns[:, :n_few]
        peers.append(
            Peer(name="migrationStolt", package="impdar", scale=len(samples) / n_few,
                 call=lambda: migrationStolt(
                     impdar_data(few.copy()), vel=VELOCITY, htaper=10, vtaper=10
                 ).data,
                 pick=lambda found: np.asarray(found)[:, 100:400].T,
                 pick_ours=lambda y: y[100:400],
                 note="timed on 500 traces and multiplied; it does not pad.")
        )  # fmt: skip
    except ImportError:
        pass
    if not peers:
        msg = "neither GPRPy nor ImpDAR is there"
        raise AbsentError(msg)
    return Contest(
        ours=lambda: gpr.stolt(lane, **OPTIONS, workers=workers).samples[:, 0],
        n_values=samples.size,
        peers=tuple(peers if workers == 1 else peers[:1]),
    )


@case("Stolt f-k", workload="512 x 20,000", goal=25.0)
def stolt_one() -> Contest:
    """One core."""
    return stolt(1)


@case("Stolt f-k, two threads", workload="512 x 20,000", goal=45.0)
def stolt_two() -> Contest:
    """Two threads of ours."""
    return stolt(2)
