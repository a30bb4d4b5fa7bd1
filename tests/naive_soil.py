"""Slow, obviously correct versions of what follows the soil and tests against it."""

import numpy as np


def track(samples, is_usable, start, *, weight, freeze, size, most, nearest):
    """Return residuals, and the columns of each channel at the end."""
    out, ends = np.full(samples.shape, np.nan), []
    n = samples.shape[2]
    for c in range(samples.shape[1]):
        s, energies, powers, left_out, level = start.T.copy(), [], 0, 0, 0.0
        for k in np.flatnonzero(is_usable):
            x = samples[k, c].astype(float)
            y = (np.eye(n) - s @ s.T) @ x
            out[k, c], energy = y, y @ y
            if freeze is not None and len(energies) >= size:
                if energy > freeze * np.median(energies[-size:]):
                    if left_out < most:
                        left_out += 1
                        continue
                else:
                    left_out = 0
            energies.append(energy)
            powers += 1
            level += max(weight, 1 / powers) * (x @ x - level)
            if level == 0:
                continue
            turned, r = np.linalg.qr(s + weight / level * np.outer(y, s.T @ x))
            turned = turned * np.sign(np.diag(r))
            if (((start @ turned) ** 2).sum(axis=0) >= nearest).all():
                s = turned
        ends.append(s.T)
    return out, np.array(ends)
