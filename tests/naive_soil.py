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
            if (np.linalg.svd(start @ turned)[1] ** 2 >= nearest).all():
                s = turned
        ends.append(s.T)
    return out, np.array(ends)


def match(samples, is_usable, *, columns, bank, rank, weight, guard, freeze, most, shrinkage):
    """Return the three statistics and which traces are short, with dense algebra."""
    n, n_channels, n_samples = samples.shape
    full = np.linalg.svd(columns)[2] if len(columns) else np.eye(n_samples)
    b = full[len(columns) :]
    m = len(b)
    unit = bank @ b.T
    unit = unit / np.linalg.norm(unit, axis=1, keepdims=True)
    if rank is not None:
        unit = np.linalg.svd(unit)[2][:rank]
    out, is_short = np.zeros((3, n, n_channels)), np.zeros(n, bool)
    for c in range(n_channels):
        r, n_learnt, left_out, enters = np.zeros((m, m)), 0, 0, {}
        for k in range(n):
            if k - guard - 1 in enters:
                z = enters[k - guard - 1]
                n_learnt += 1
                r = r + max(weight, 1 / n_learnt) * (np.outer(z, z) - r)
            if not is_usable[k]:
                continue
            z = b @ samples[k, c].astype(float)
            if n_learnt < 2 * m:
                is_short[k] = True
                enters[k] = z
                continue
            noise = (1 - shrinkage) * r + shrinkage * np.trace(r) / m * np.eye(m)
            inverse = np.linalg.inv(noise)
            energy = z @ inverse @ z
            if rank is None:
                parts = (unit @ inverse @ z) / np.sqrt(np.diag(unit @ inverse @ unit.T))
                matched = max(0, parts.max()) ** 2
            else:
                h = unit @ inverse
                matched = (h @ z) @ np.linalg.solve(h @ unit.T, h @ z)
            out[:, k, c] = (energy - m) / np.sqrt(2 * m), np.sqrt(matched), matched / energy
            if freeze is not None and energy > freeze * m:
                if left_out < most:
                    left_out += 1
                    continue
            else:
                left_out = 0
            enters[k] = z
    return dict(zip(("energy", "glrt", "ace"), out, strict=True)), is_short
