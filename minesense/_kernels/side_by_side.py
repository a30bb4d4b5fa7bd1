"""Kernels that put traces side by side, so that neighbours in memory are of one time."""

from ._jit import jit


@jit
def interleave(samples, edge, tile, n_side):
    """Write up to n_side traces side by side, each less a value."""
    n_traces, n_samples = samples.shape
    n_fours = n_traces // 4 * 4
    for j in range(0, n_samples, 64):  # few rows at a time stay in the first-level cache
        stop = min(n_samples, j + 64)
        for k in range(0, n_fours, 4):
            a = samples[k, j:stop]
            b = samples[k + 1, j:stop]
            c = samples[k + 2, j:stop]
            d = samples[k + 3, j:stop]
            p = edge[k]
            q = edge[k + 1]
            r = edge[k + 2]
            s = edge[k + 3]
            columns = tile[n_side * j + k :]
            for i in range(len(a)):
                columns[n_side * i] = a[i] - p
                columns[n_side * i + 1] = b[i] - q
                columns[n_side * i + 2] = c[i] - r
                columns[n_side * i + 3] = d[i] - s
        for k in range(n_fours, n_traces):
            a = samples[k, j:stop]
            p = edge[k]
            column = tile[n_side * j + k :]
            for i in range(len(a)):
                column[n_side * i] = a[i] - p


@jit
def separate(tile, out, n_side):
    """Take up to n_side traces that stand side by side apart again."""
    n_traces, n_samples = out.shape
    for j in range(0, n_samples, 64):
        stop = min(n_samples, j + 64)
        for k in range(n_traces):
            row = out[k, j:stop]
            column = tile[n_side * j + k :]
            for i in range(len(row)):
                row[i] = column[n_side * i]
