"""Slow, obviously correct versions of prescreeners' statistics. Written first."""

import numpy as np


def level_and_spread(ring, reference, quantile):
    """Return level and spread of each column of a ring, (n, width), n at least 1."""
    ring = np.array(ring, float)
    if reference == "mean":
        spread = ring.std(axis=0, ddof=1) if len(ring) > 1 else np.zeros(ring.shape[1])
        return ring.mean(axis=0), spread
    middle = np.median(ring, axis=0)
    spread = 1.4826 * np.median(np.abs(ring - middle), axis=0)
    level = np.quantile(ring, quantile, axis=0) if reference == "quantile" else middle
    return level, spread


def surroundings(rows, is_present, k, *, reach, guard, least, reference, quantile, halves):
    """Return level, spread and traces that count around trace k, all by definition."""
    present = np.flatnonzero(is_present)
    behind = [j for j in present if guard < k - j <= reach]
    ahead = [j for j in present if guard < j - k <= reach]
    if halves == "both":
        parts = [behind + ahead]
    else:
        parts = [half for half in (behind, ahead) if len(half) >= least]
    count = sum(map(len, parts))
    if not count:
        return np.zeros(rows.shape[1]), np.zeros(rows.shape[1]), 0
    found = [level_and_spread(rows[part], reference, quantile) for part in parts]
    level, spread = found[0]
    for other_level, other_spread in found[1:]:
        better = other_level > level if halves == "greatest" else other_level < level
        level, spread = np.where(better, [other_level, other_spread], [level, spread])
    return level, spread, count
