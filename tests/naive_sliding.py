"""Slow, obviously correct versions of backgrounds from the traces around each one."""

import numpy as np


def remove_centred(traces, h, g, is_usable, statistic):
    """Each trace minus a statistic of the usable ones from beyond g to h; is any there."""
    out, has_any = np.full(traces.shape, np.nan), np.zeros(len(traces), bool)
    for k in range(len(traces)):
        near = [j for j in range(len(traces)) if is_usable[j] and g < abs(j - k) <= h]
        has_any[k] = len(near) > 0
        if is_usable[k]:
            window = traces[near].astype(float)
            out[k] = traces[k] - statistic(window, axis=0) if near else 0.0
    return out, has_any
