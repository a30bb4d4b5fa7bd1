"""Cases along fast time: dewow, gain, band-pass, envelope."""

from __future__ import annotations

import numpy as np

from minesense import gpr
from minesense.stage import run_lane

from .contest import AbsentError, Contest, Peer, case
from .inputs import STEP, lane_of, profile

PROFILE = "512 x 20,000"


def inner(n: int):
    """Return a picker that leaves n samples out at both ends of every trace."""
    return lambda found: np.asarray(getattr(found, "samples", found))[..., n:-n]


def checkouts_tools():
    """Return GPRPy's functions, if its checkout is on the path."""
    from gprpy.toolbox import gprpyTools  # noqa: PLC0415

    return gprpyTools


def gprpy_peer(name: str, function: str, columns: np.ndarray, window: int) -> tuple[Peer, ...]:
    """Return a function of GPRPy as a peer, traces in columns as it wants them."""
    try:
        call = getattr(checkouts_tools(), function)
    except ImportError:
        return ()
    matrix = np.asmatrix(columns)
    return (Peer(name=name, package="GPRPy", call=lambda: call(matrix, window)),)


@case("dewow, 31 samples", workload=PROFILE, goal=2.0)
def dewow() -> Contest:
    """Return a sliding mean along time, one core."""
    import bottleneck as bn  # noqa: PLC0415
    from scipy import ndimage  # noqa: PLC0415

    lane = profile()
    x = lane.samples

    def moved():
        mean = np.empty_like(x)
        mean[..., 15:-15] = bn.move_mean(x, 31, axis=-1)[..., 30:]
        mean[..., :15], mean[..., -15:] = mean[..., 15:16], mean[..., -16:-15]
        return x - mean

    return Contest(
        ours=lambda: run_lane(gpr.Dewow(window=31 * STEP), lane),
        n_values=x.size,
        copied=2 * x.nbytes,
        peers=(
            Peer(name="move_mean", package="bottleneck", call=moved,
                 pick=inner(15), pick_ours=inner(15)),
            Peer(name="uniform_filter1d", package="scipy", pick=inner(15), pick_ours=inner(15),
                 call=lambda: x - ndimage.uniform_filter1d(x, 31, axis=-1)),
            *gprpy_peer("dewow", "dewow", np.ascontiguousarray(x[:, 0].T), 31),
        ),
    )  # fmt: skip


@case("automatic gain, 51 samples", workload=PROFILE, goal=3.5)
def automatic_gain() -> Contest:
    """Return the root mean square around each sample, one core."""
    import bottleneck as bn  # noqa: PLC0415

    lane = profile()
    x = lane.samples

    def recipe():
        squares = x * x
        mean = np.empty_like(x)
        mean[..., 25:-25] = bn.move_mean(squares, 51, axis=-1)[..., 50:]
        mean[..., :25], mean[..., -25:] = mean[..., 25:26], mean[..., -26:-25]
        floor = 1e-4 * squares.mean(axis=-1, keepdims=True)
        return x / np.sqrt(np.maximum(mean, floor))

    return Contest(
        ours=lambda: run_lane(gpr.Equalise(window=51 * STEP), lane),
        n_values=x.size,
        copied=2 * x.nbytes,
        peers=(
            Peer(name="move_mean of squares", package="bottleneck", call=recipe,
                 pick=inner(25), pick_ours=inner(25)),
            *gprpy_peer("agcGain", "agcGain", np.ascontiguousarray(x[:, 0].T), 51),
        ),
    )  # fmt: skip


@case("zero-phase band-pass, order 4", workload=PROFILE, goal=4.0)
def band_pass() -> Contest:
    """Return a Butterworth filter both ways, one core."""
    from scipy import signal  # noqa: PLC0415

    lane = profile()
    x = lane.samples
    low, high = 0.3e9, 2.5e9
    sos = signal.butter(4, (low, high), "bandpass", output="sos", fs=1 / STEP)
    columns = np.ascontiguousarray(x[:, 0].T)
    return Contest(
        ours=lambda: run_lane(gpr.BandPass(low=low, high=high), lane),
        n_values=x.size,
        copied=2 * x.nbytes,
        peers=(
            Peer(name="sosfiltfilt", package="scipy", pick=np.asarray,
                 pick_ours=lambda found: found.samples,
                 call=lambda: signal.sosfiltfilt(sos, x, axis=-1)),
            Peer(name="sosfiltfilt, traces in columns", package="scipy",
                 call=lambda: signal.sosfiltfilt(sos, columns, axis=0)),
        ),
    )  # fmt: skip


@case("envelope", workload=PROFILE, goal=1.9)
def envelope() -> Contest:
    """Return the magnitude of the analytic signal, one core."""
    from scipy import signal  # noqa: PLC0415

    lane = profile()
    x = lane.samples
    return Contest(
        ours=lambda: gpr.envelope(lane),
        n_values=x.size,
        copied=2 * x.nbytes,
        peers=(
            Peer(name="abs(hilbert)", package="scipy", pick=np.asarray,
                 pick_ours=lambda found: found.samples,
                 call=lambda: np.abs(signal.hilbert(x))),
        ),
    )  # fmt: skip


@case(
    "causal band-pass, one scan of a stream",
    workload="16 x 512",
    goal=10.0,
    note="one trace of 16 channels after the other, as a stage with all its checks.",
)
def streamed_band_pass() -> Contest:
    """Return traces filtered along time as they come, one core."""
    from scipy import signal  # noqa: PLC0415

    low, high, n_scans = 0.3e9, 2.5e9, 200
    rng = np.random.default_rng(0)
    lane = lane_of(rng.normal(size=(n_scans, 16, 512)))
    scans = [lane[k : k + 1] for k in range(n_scans)]
    arrays = [scan.samples for scan in scans]
    try:
        stage = gpr.BandPass(low=low, high=high, phase="causal")
    except TypeError as old:
        msg = "BandPass has no causal phase"
        raise AbsentError(msg) from old
    sos = signal.butter(4, (low, high), "bandpass", output="sos", fs=1 / STEP)
    settled = signal.sosfilt_zi(sos)[:, None, None, :]

    def ours():
        stage.reset()
        return np.concatenate([stage.process(scan).samples for scan in scans])

    def theirs():
        return np.concatenate(
            [signal.sosfilt(sos, x, axis=2, zi=settled * x[None, :, :, :1])[0] for x in arrays]
        )

    return Contest(
        ours=ours,
        n_values=lane.samples.size,
        peers=(
            Peer(name="sosfilt with zi", package="scipy", call=theirs, pick=np.asarray,
                 pick_ours=np.asarray),
        ),
    )  # fmt: skip
