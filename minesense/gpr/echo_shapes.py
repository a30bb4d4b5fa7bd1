"""What echoes of targets look like in a patch of a lane, told from the ground around them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .._validation import check_array, check_count, check_not_negative, check_positive
from ..sensor import Sensor
from ..sweep import Floats, Quality, Samples, Sweep
from .preprocess import check_radar

#: Whitened amplitude beyond which a sample counts no more: a piece of metal near by is not to
#: outweigh all that a shape is made of.
MOST = 50.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchForm:
    """
    Which traces and samples of a channel make up the patch around a place.

    Raises
    ------
    TypeError, ValueError
        If a length or time is not a number of its range, or `reach` is less than `step`.
    """

    spacing: float  #: m between neighbouring traces of the lane
    reach: float  #: m to each side along the track
    step: float  #: m from one trace of the patch to the next
    start_time: float  #: s, two-way, of its first sample
    interval: float  #: s from one sample to the next
    n_samples: int

    def __post_init__(self) -> None:
        for name in ("spacing", "reach", "step", "interval"):
            check_positive(getattr(self, name), name)
        check_not_negative(self.start_time, "start_time")
        check_count(self.n_samples, "n_samples")
        if not self.n_reach:
            msg = (
                f"Invalid reach '{self.reach:g}'. Must be at least one step of "
                f"{self.stride * self.spacing:g} m."
            )
            raise ValueError(msg)

    @property
    def stride(self) -> int:
        """Traces from one trace of a patch to the next."""
        return max(1, round(self.step / self.spacing))

    @property
    def n_reach(self) -> int:
        """Traces to each side, a multiple of the stride."""
        return round(self.reach / self.spacing) // self.stride * self.stride

    @property
    def shape(self) -> tuple[int, int]:
        """Traces and samples of a patch."""
        return 2 * self.n_reach // self.stride + 1, self.n_samples

    def samples_of(self, sensor: Sensor) -> slice:
        """
        Return which samples of a sensor's record make up a patch.

        Parameters
        ----------
        sensor : Sensor
            A radar.

        Returns
        -------
        samples : slice
            With its step.

        Raises
        ------
        ValueError
            If the sensor is not a radar with a regular axis, or its record does not hold them.
        """
        step = check_radar(sensor)
        every = max(1, round(self.interval / step))
        start = round((self.start_time - sensor.axis[0]) / step)
        stop = start + every * (self.n_samples - 1) + 1
        off = abs(sensor.axis[0] + start * step - self.start_time)
        if start < 0 or stop > len(sensor.axis) or off > step / 2:
            msg = (
                f"Invalid sensor '{sensor.name}': its record is from {sensor.axis[0]:.4g} to "
                f"{sensor.axis[-1]:.4g} s. Must hold {self.n_samples} samples from "
                f"{self.start_time:.4g} s on, {self.interval:.4g} s apart."
            )
            raise ValueError(msg)
        if abs(every * step - self.interval) > 1e-3 * self.interval:
            msg = (
                f"Invalid sensor '{sensor.name}' with samples {step:.4g} s apart. Must be "
                f"{self.interval:.4g} s or a whole part of that."
            )
            raise ValueError(msg)
        return slice(start, stop, every)


@dataclass(frozen=True, slots=True, kw_only=True)
class EchoShapes:
    """Filters that pass echoes like those they were made from, and ground as noise."""

    form: PatchForm
    #: As float32, little-endian, by trace and sample of a patch and filter
    filters: bytes

    def __post_init__(self) -> None:
        size = 4 * int(np.prod(self.form.shape))
        if not self.filters or len(self.filters) % size:
            msg = (
                f"Invalid filters of {len(self.filters)} bytes. Must be one or more of {size}."
            )
            raise ValueError(msg)
        if not np.isfinite(np.frombuffer(self.filters, "<f4")).all():
            msg = "Invalid filters: some values are not finite. Must be finite."
            raise ValueError(msg)

    @property
    def weights(self) -> Samples:
        """The filters, (n_taps, n_samples, n_filters) float32."""
        found = np.frombuffer(self.filters, "<f4").astype(np.float32, copy=False)
        return found.reshape(*self.form.shape, -1)


def echo_patches(
    sweep: Sweep, traces: Sequence[int], channels: Sequence[int], form: PatchForm
) -> Samples:
    """
    Cut out the patches around some places.

    Parameters
    ----------
    sweep : Sweep
        One continuous lane, aligned to the ground, without background, whitened.
    traces, channels : (n,) sequence of int
        Trace and channel of each place.
    form : PatchForm
        What makes up a patch.

    Returns
    -------
    patches : (n, n_taps, n_samples) float32 ndarray
        Amplitudes, at most 50 in size; 0 beyond the lane, and in traces that are not usable
        or flagged EDGE.

    Raises
    ------
    ValueError
        If the sensor's record does not hold the samples.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.gpr import PatchForm, echo_patches
    >>> from minesense.sensor import Sensor
    >>> from minesense.sweep import Sweep
    >>> sensor = Sensor(
    ...     name="demo", kind="gpr", axis=1e-10 * np.arange(40), lever_arms=[[0, 0, 0]]
    ... )
    >>> northing = 0.05 * np.arange(30)
    >>> sweep = Sweep(
    ...     samples=np.ones((30, 1, 40)),
    ...     time=northing,
    ...     position=np.column_stack([0 * northing, northing, 0 * northing]),
    ...     heading=0 * northing,
    ...     sensor=sensor,
    ... )
    >>> form = PatchForm(
    ...     spacing=0.05, reach=0.2, step=0.1, start_time=1e-9, interval=1e-10, n_samples=8
    ... )
    >>> echo_patches(sweep, [0, 15], [0, 0], form)[:, :, 0].tolist()
    [[0.0, 0.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0, 1.0]]
    """
    n_reach = form.n_reach
    values = patch_samples(sweep.samples, form.samples_of(sweep.sensor))
    values[~taking_part(sweep)] = 0.0
    values = np.pad(values, ((n_reach, n_reach), (0, 0), (0, 0)))
    along = np.asarray(traces, np.int64)[:, None] + np.arange(0, 2 * n_reach + 1, form.stride)
    return values[along, np.asarray(channels, np.int64)[:, None]]


def patch_samples(samples: Samples, chosen: slice) -> Samples:
    """
    Return a copy of the samples that patches are made of, within their bounds.

    Parameters
    ----------
    samples : (n_traces, n_channels, n_samples) float32 ndarray
        Of a lane; NaN stays.
    chosen : slice
        Of :meth:`PatchForm.samples_of`.

    Returns
    -------
    values : (n_traces, n_channels, n_chosen) float32 ndarray
        None beyond 50 in size.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.gpr.echo_shapes import patch_samples
    >>> patch_samples(np.array([[[1.0, 2.0, 99.0]]], np.float32), slice(0, 3, 2)).tolist()
    [[[1.0, 50.0]]]
    """
    return np.clip(samples[..., chosen], np.float32(-MOST), np.float32(MOST))


def taking_part(sweep: Sweep) -> npt.NDArray[np.bool_]:
    """
    Return which traces take part in patches.

    Parameters
    ----------
    sweep : Sweep
        A lane.

    Returns
    -------
    takes_part : (n_traces,) bool ndarray
        Usable ones that no stage flagged EDGE.

    Examples
    --------
    >>> from minesense.gpr.echo_shapes import taking_part
    >>> from minesense.sweep import no_traces
    >>> taking_part(no_traces()).tolist()
    []
    """
    return sweep.is_usable & (sweep.quality & int(Quality.EDGE) == 0)


def ground_moments(patches: Samples) -> Floats:
    """
    Sum the products of all pairs of samples of patches, and of the patches turned round.

    Parameters
    ----------
    patches : (n, n_taps, n_samples) float32 ndarray
        Of ground without a target, of :func:`echo_patches`.

    Returns
    -------
    moments : (m, m) float64 ndarray
        For `m` samples of a patch; the mean over the patch as it is, and passed the other way.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.gpr.echo_shapes import ground_moments
    >>> ground_moments(np.array([[[1.0], [3.0]]], np.float32)).tolist()
    [[5.0, 3.0], [3.0, 5.0]]
    """
    flat = patches.reshape(len(patches), patches.shape[1] * patches.shape[2])
    moments = (flat.T @ flat).astype(np.float64)
    turned = np.arange(flat.shape[1]).reshape(patches.shape[1:])[::-1].ravel()
    return np.asarray(moments + moments[np.ix_(turned, turned)]) / 2


def fit_echo_shapes(
    targets: npt.ArrayLike,
    moments: npt.ArrayLike,
    *,
    n_ground: int,
    form: PatchForm,
    n_filters: int = 12,
    shrinkage: float = 0.03,
) -> EchoShapes:
    r"""
    Find the shapes that echoes of targets have in common, against the covariance of ground.

    Parameters
    ----------
    targets : (n_targets, n_taps, n_samples) array_like
        Patches around known targets, of :func:`echo_patches`.
    moments : (m, m) array_like
        Sum over patches of ground, of :func:`ground_moments`.
    n_ground : int
        Patches in that sum.
    form : PatchForm
        Of all patches.
    n_filters : int
        Shapes that are kept, at most.
    shrinkage : float
        Share of the mean variance that is added to every sample's.

    Returns
    -------
    shapes : EchoShapes
        For :func:`~minesense.gpr.prescreen_shapes`.

    Raises
    ------
    TypeError, ValueError
        If the arrays do not fit the form, are not finite or hold no target or ground, or an
        option is not in its range.

    Notes
    -----
    With the second moment :math:`C = M / n` of ground, shrunk to :math:`C + \lambda
    \operatorname{tr}(C) / m \, I = L L^T`, each patch :math:`x` of a target and its mirror
    image are whitened and brought to one length, :math:`z = L^{-1} x / |L^{-1} x|`, so that
    a strong echo counts no more than a weak one. The eigenvectors :math:`u_k` of
    :math:`\sum z z^T` with the greatest eigenvalues are the shapes, and the filters
    :math:`v_k = L^{-T} u_k`: along them ground has about the variance 1, and the energy
    :math:`\sum_k (v_k^T x)^2` is that of a matched subspace detector [1]_.

    References
    ----------
    .. [1] Scharf, L. L. and Friedlander, B. (1994). Matched subspace detectors. *IEEE
       Transactions on Signal Processing*, 42(8), 2146-2157. Not read: cited from memory,
       unverified.

    Examples
    --------
    Ground that is alike in three traces hides a target that is not:

    >>> import numpy as np
    >>> from minesense.gpr import PatchForm, fit_echo_shapes
    >>> from minesense.gpr.echo_shapes import ground_moments
    >>> form = PatchForm(
    ...     spacing=0.1, reach=0.1, step=0.1, start_time=0.0, interval=1e-9, n_samples=1
    ... )
    >>> rng = np.random.default_rng(seed=1)
    >>> ground = (rng.normal(size=(500, 1)) + 0.1 * rng.normal(size=(500, 3)))[..., None]
    >>> target = np.array([0.0, 1.0, 0.0]).reshape(1, 3, 1)
    >>> shapes = fit_echo_shapes(
    ...     target, ground_moments(ground.astype(np.float32)), n_ground=500, form=form,
    ...     n_filters=1,
    ... )
    >>> along = shapes.weights[:, 0, 0]
    >>> bool(abs(along[1]) > 2.0), bool(abs(along.sum()) < 0.2 * abs(along[1]))
    (True, True)
    """
    patches = check_array(targets, "targets", ("n_targets", *form.shape))
    size = int(np.prod(form.shape))
    products = check_array(moments, "moments", (size, size))
    n_ground = check_count(n_ground, "n_ground")
    n_filters = check_count(n_filters, "n_filters")
    shrinkage = check_positive(shrinkage, "shrinkage")
    covariance = products / n_ground
    variance = float(np.trace(covariance)) / size
    rows = _mirrored(patches)
    n_empty = int((~rows.any(axis=1)).sum()) // 2
    if not len(rows) or n_empty or not variance > 0:
        msg = (
            f"Invalid targets: {len(patches)} patches, {n_empty} of them empty, over ground of "
            f"variance {variance:g}. Must be one or more, none empty, over ground that varies."
        )
        raise ValueError(msg)
    lower = np.linalg.cholesky(covariance + shrinkage * variance * np.eye(size))
    white = np.linalg.solve(lower, rows.T)
    white /= np.linalg.norm(white, axis=0)
    shapes = np.linalg.svd(white, full_matrices=False)[0][:, :n_filters]
    filters = np.linalg.solve(lower.T, shapes)
    return EchoShapes(form=form, filters=np.ascontiguousarray(filters, "<f4").tobytes())


def _mirrored(patches: Floats) -> Floats:
    """Return patches as rows, each as it is and passed the other way."""
    return np.concatenate([patches, patches[:, ::-1]]).reshape(
        2 * len(patches), patches.shape[1] * patches.shape[2]
    )
