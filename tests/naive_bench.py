"""Slow, obvious versions of the figures of the benchmark. Written first."""

import math


def curve_points(targets, false, area):
    """Return (threshold, pd, far) at every score, from the highest down; NaN is no score."""
    scores = sorted({s for s in [*targets, *false] if not math.isnan(s)}, reverse=True)
    return [
        (
            t,
            sum(s >= t for s in targets) / len(targets),
            sum(s >= t for s in false) / area,
        )
        for t in scores
    ]


def pd_at_far(targets, false, area, far):
    """Return the greatest Pd with no more false alarms per area."""
    return max([p for _, p, f in curve_points(targets, false, area) if f <= far], default=0.0)


def far_at_pd(targets, false, area, pd):
    """Return the least false alarms per area with that Pd."""
    return min(
        [f for _, p, f in curve_points(targets, false, area) if p >= pd - 1e-12],
        default=math.inf,
    )


def partial_area(targets, false, area, most, n=20_000):
    """Return the mean Pd over false alarms from 0 to most, by a sum over small steps."""
    return sum(pd_at_far(targets, false, area, (i + 0.5) / n * most) for i in range(n)) / n


def rejected(scores, owner, misses):
    """Return the share of clutter below the highest threshold that misses few mines."""
    best = {}
    for score, k in zip(scores, owner, strict=True):
        if k >= 0:
            best[k] = max(best.get(k, -math.inf), score)
    clutter = [s for s, k in zip(scores, owner, strict=True) if k < 0]
    shares = [0.0]
    for threshold in [*best.values(), math.inf]:
        if sum(value < threshold for value in best.values()) <= misses:
            shares.append(sum(s < threshold for s in clutter) / len(clutter))
    return max(shares)
