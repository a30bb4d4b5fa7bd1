"""Pd against depth: a logistic curve, with errors that let targets of a lane be alike."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .._validation import check_array, check_probability
from ..sweep import Floats
from .matching import TargetOutcome


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DepthCurve:
    """Pd over depth: ``logit Pd = offset + slope depth``, depth in metres."""

    offset: float
    slope: float  #: per m, negative where deeper targets are found less often
    covariance: Floats  #: (2, 2) of offset and slope, robust to clusters
    n_targets: int
    n_detected: int
    n_clusters: int
    depth_range: tuple[float, float]  #: m, of the targets; beyond it the curve is a guess

    def at(
        self, depth: npt.ArrayLike, *, confidence: float = 0.95
    ) -> tuple[Floats, Floats, Floats]:
        """
        Return Pd at depths, with its limits.

        Parameters
        ----------
        depth : (n,) array_like
            In metres.
        confidence : float
            Of the limits, by Student's distribution with one less than the clusters.

        Returns
        -------
        pd, low, high : (n,) float64 ndarray
            Between 0 and 1.

        Raises
        ------
        TypeError, ValueError
            If a depth is not finite, or confidence not between 0 and 1.
        """
        from scipy.special import expit, stdtrit  # noqa: PLC0415 - SciPy is slow to import

        check_probability(confidence, "confidence")
        where = check_array(depth, "depth", ("n",))
        design = np.column_stack([np.ones_like(where), where])
        odds = self.offset + self.slope * where
        error = np.sqrt(np.einsum("ni,ij,nj->n", design, self.covariance, design))
        half = float(stdtrit(self.n_clusters - 1, (1 + confidence) / 2)) * error
        return expit(odds), expit(odds - half), expit(odds + half)


def pd_over_depth(targets: Iterable[TargetOutcome]) -> DepthCurve:
    r"""
    Fit Pd against depth to the swept targets of a score.

    Parameters
    ----------
    targets : iterable of TargetOutcome
        For example `targets` of a score; those that were not swept are left out. Targets
        of a lane are a cluster.

    Returns
    -------
    curve : DepthCurve
        Fitted by maximum likelihood.

    Raises
    ------
    ValueError
        If there are fewer than two lanes or two depths, all targets were detected or none
        was, or a depth parts those found from those missed: no curve can then be told.

    Notes
    -----
    With the score of lane g, :math:`u_g = \sum_{i \in g} x_i (y_i - p_i)`, G lanes, n targets
    and the information :math:`I = \sum_i p_i (1 - p_i) x_i x_i^T`, the covariance is
    :math:`\frac{G}{G - 1} \frac{n - 1}{n - 2} I^{-1} (\sum_g u_g u_g^T) I^{-1}`.

    References
    ----------
    K.-Y. Liang, S. L. Zeger (1986): Longitudinal data analysis using generalized linear
    models. Biometrika 73, 13-22.

    Examples
    --------
    >>> from minesense.score import TargetOutcome, pd_over_depth
    >>> found = [1, 1, 1, 0, 1, 1, 0, 1, 1, 0, 1, 0]
    >>> targets = [
    ...     TargetOutcome(
    ...         identifier=f"T{k}",
    ...         outcome="detected" if is_found else "missed_swept",
    ...         kind="disc",
    ...         metal_class="low",
    ...         depth=0.02 + 0.03 * (k % 4),
    ...         lane="ABC"[k // 4],
    ...         share_observed=1.0,
    ...         is_swept=True,
    ...     )
    ...     for k, is_found in enumerate(found)
    ... ]
    >>> curve = pd_over_depth(targets)
    >>> pd, low, high = curve.at([0.03, 0.10])
    >>> bool(curve.slope < 0), bool(pd[0] > pd[1]), bool((low < pd).all() and (pd < high).all())
    (True, True, True)
    """
    swept = [target for target in targets if target.is_swept]
    y = np.array([target.outcome == "detected" for target in swept], float)
    depth = np.array([target.depth for target in swept], float)
    lanes = [target.lane for target in swept]
    n_lanes = len(set(lanes))
    if n_lanes < 2 or len(set(depth.tolist())) < 2:
        msg = (
            f"Invalid targets: {len(swept)} swept in {n_lanes} lanes at "
            f"{len(set(depth.tolist()))} depths. Must lie in two lanes or more, at two depths "
            "or more."
        )
        raise ValueError(msg)
    found, missed = depth[y == 1], depth[y == 0]
    if not len(found) or not len(missed):
        msg = f"Invalid targets: {len(found)} of {len(y)} detected. Must be some and not all."
        raise ValueError(msg)
    if found.max() <= missed.min() or missed.max() <= found.min():
        msg = (
            f"Invalid targets: found from {found.min():g} to {found.max():g} m and missed from "
            f"{missed.min():g} to {missed.max():g} m. Must overlap in depth for a slope."
        )
        raise ValueError(msg)
    # in units of the spread, so that the information is well conditioned
    middle, scale = float(depth.mean()), float(depth.std())
    x = np.column_stack([np.ones_like(depth), (depth - middle) / scale])
    beta = _fit(x, y)
    p = 1 / (1 + np.exp(-x @ beta))
    bread = np.linalg.inv((x * (p * (1 - p))[:, None]).T @ x)
    names = sorted(set(lanes))
    member = np.array([[lane == name for lane in lanes] for name in names], float)
    scores = member @ (x * (y - p)[:, None])
    factor = n_lanes / (n_lanes - 1) * (len(y) - 1) / (len(y) - 2)
    covariance = factor * bread @ (scores.T @ scores) @ bread
    back = np.array([[1.0, -middle / scale], [0.0, 1.0 / scale]])
    offset, slope = back @ beta
    return DepthCurve(
        offset=float(offset),
        slope=float(slope),
        covariance=back @ covariance @ back.T,
        n_targets=len(y),
        n_detected=int(y.sum()),
        n_clusters=n_lanes,
        depth_range=(float(depth.min()), float(depth.max())),
    )


def _fit(x: Floats, y: Floats) -> Floats:
    """Return the logistic coefficients of greatest likelihood, by Newton's method."""

    def loss(beta: Floats) -> float:
        odds = x @ beta
        return float((np.logaddexp(0, odds) - y * odds).sum())

    beta = np.zeros(2)
    for _ in range(100):
        p = 1 / (1 + np.exp(-x @ beta))
        gradient = x.T @ (y - p)
        step = np.linalg.solve((x * (p * (1 - p))[:, None]).T @ x, gradient)
        size = 1.0
        while loss(beta + size * step) > loss(beta) and size > 1e-9:
            size /= 2
        beta = beta + size * step
        if np.abs(gradient).max() < 1e-12 * len(y):
            break
    return beta
