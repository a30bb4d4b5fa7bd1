"""Cases along the track: backgrounds, and the prediction prescreener."""

from __future__ import annotations

import numpy as np

from minesense import gpr
from minesense.stage import run_lane

from .contest import Contest, Peer, case
from .inputs import SPACING, STEP, cube, profile

PROFILE, CUBE = "512 x 20,000", "51 x 415 x 4,000"


def middle(n: int):
    """Return a picker that leaves n traces out at both ends of the lane."""
    return lambda found: np.asarray(getattr(found, "samples", found))[n:-n]


def first(n_traces: int):
    """Return a picker of the first traces."""
    return lambda found: found.samples[:n_traces]


@case("background, recursive mean", workload=PROFILE)
def recursive_mean() -> Contest:
    """Return the exponentially weighted mean of earlier traces, one core."""
    from scipy import signal  # noqa: PLC0415

    lane = profile()
    x = lane.samples
    pole = np.exp(-SPACING / 1.0)
    return Contest(
        ours=lambda: run_lane(gpr.RemoveBackground(spacing=SPACING, length=1.0), lane),
        n_values=x.size,
        copied=2 * x.nbytes,
        peers=(
            Peer(name="lfilter, axis 0", package="scipy", pick=np.asarray,
                 pick_ours=lambda found: found.samples,
                 call=lambda: signal.lfilter([1, -1], [1, -pole], x, 0, zi=-x[:1])[0]),
        ),
    )  # fmt: skip


@case("background, sliding median of 101 traces", workload=PROFILE, goal=7.0)
def median_of_profile() -> Contest:
    """Return the centred sliding median, one core; peers get the track contiguous."""
    import bottleneck as bn  # noqa: PLC0415
    from scipy import ndimage  # noqa: PLC0415

    lane = profile()
    columns = np.ascontiguousarray(lane.samples[:, 0].T)
    few = np.ascontiguousarray(columns[:, :1_000])

    def moved():
        median = np.zeros_like(columns)
        median[:, 50:-50] = bn.move_median(columns, 101, axis=1)[:, 100:]
        return columns - median

    def row_by_row():
        return columns - np.stack([ndimage.median_filter(row, 101) for row in columns])

    def ours():
        return run_lane(gpr.RemoveMedianBackground(spacing=SPACING, half_width=1.0), lane)

    upright = {
        "pick": lambda found: found.T[50:-50],
        "pick_ours": lambda y: y.samples[50:-50, 0],
    }
    return Contest(
        ours=ours,
        n_values=columns.size,
        peers=(
            Peer(name="move_median", package="bottleneck", call=moved, **upright),
            Peer(name="median_filter row by row", package="scipy", call=row_by_row, **upright),
            Peer(name="median_filter, 2-D call, goal 100", package="scipy", scale=20,
                 call=lambda: few - ndimage.median_filter(few, size=(1, 101))),
        ),
    )  # fmt: skip


@case("background, sliding median of 51 traces", workload=CUBE, goal=10.0)
def median_of_cube() -> Contest:
    """Return the same on an array's cube; the peer on a quarter of it."""
    import bottleneck as bn  # noqa: PLC0415

    lane = cube()
    quarter = lane.samples[:1_000]

    def moved():
        median = np.zeros_like(quarter)
        median[25:-25] = bn.move_median(quarter, 51, axis=0)[50:]
        return quarter - median

    return Contest(
        ours=lambda: run_lane(
            gpr.RemoveMedianBackground(spacing=SPACING, half_width=0.5), lane
        ),
        n_values=lane.samples.size,
        peers=(
            Peer(name="move_median, axis 0", package="bottleneck", scale=4, call=moved,
                 pick=lambda found: found[25:-25],
                 pick_ours=lambda found: found.samples[25:975]),
        ),
    )  # fmt: skip


@case("prescreener by prediction", workload="51 x 415 x 200", goal=1.7)
def prediction() -> Contest:
    """Return the adaptive prediction of an array's lane, one core."""
    from benchmarks import test_prediction as base  # noqa: PLC0415

    lane = base.make_lane()
    return Contest(
        ours=lambda: run_lane(base.new_stage(), lane).samples,
        n_values=lane.samples.size,
        peers=(
            Peer(name="arrays of all channels and bins, scan by scan",
                 pick=np.asarray, call=lambda: base.numpy_prediction(lane.samples)),
        ),
    )  # fmt: skip


@case("background, sliding mean of 51 traces", workload=CUBE, goal=12.0)
def mean_of_cube() -> Contest:
    """Return the centred sliding mean on an array's cube; peers on a quarter of it."""
    import bottleneck as bn  # noqa: PLC0415
    from scipy import ndimage  # noqa: PLC0415

    remove_mean = gpr.remove_mean_background
    lane = cube()
    quarter = lane.samples[:1_000]

    def moved():
        mean = np.zeros_like(quarter)
        mean[25:-25] = bn.move_mean(quarter, 51, axis=0)[50:]
        return quarter - mean

    same = {
        "pick": lambda found: found[25:-25],
        "pick_ours": lambda found: found.samples[25:975],
        "scale": 4,
    }
    return Contest(
        ours=lambda: remove_mean(lane, spacing=SPACING, half_width=0.5),
        n_values=lane.samples.size,
        copied=2 * lane.samples.nbytes,
        peers=(
            Peer(name="move_mean, axis 0", package="bottleneck", call=moved, **same),
            Peer(name="uniform_filter1d, axis 0", package="scipy", **same,
                 call=lambda: quarter - ndimage.uniform_filter1d(quarter, 51, axis=0)),
        ),
    )  # fmt: skip


@case("dewow, background and gain in one", workload=PROFILE, goal=7.0,
      note="the recursive mean of minesense; the peers' is centred.")  # fmt: skip
def display() -> Contest:
    """Return the stages that make a section fit to look at, beside three calls of SciPy."""
    from scipy import ndimage  # noqa: PLC0415

    prepare = gpr.prepare_display
    lane = profile()
    x = lane.samples

    def three_calls():
        y = x - ndimage.uniform_filter1d(x, 31, axis=-1)
        y -= ndimage.uniform_filter1d(y, 101, axis=0)
        return y / np.sqrt(ndimage.uniform_filter1d(y * y, 51, axis=-1) + np.float32(1e-6))

    return Contest(
        ours=lambda: prepare(
            lane, spacing=SPACING, drift_window=31 * STEP, background_length=1.0,
            gain_window=51 * STEP,
        ),
        n_values=x.size,
        copied=2 * x.nbytes,
        peers=(Peer(name="uniform_filter1d three times", package="scipy", call=three_calls),),
    )  # fmt: skip
