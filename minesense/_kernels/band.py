"""Kernels that filter bands of traces side by side."""

from ._jit import jit
from .side_by_side import interleave, separate


@jit
def filter_band(samples, sections, gain, n_pad, is_zero_phase, tile, state, edge, out):
    """
    Run a band-pass of second-order sections over traces, forward or forward and backward.

    Each section has its zeros at 1 and -1, so that a constant gives nothing: what the run
    starts from is subtracted, and the state of rest is zero. Of any four samples a section
    loads and stores its state once; the sections of a pair hand on without memory.

    Parameters
    ----------
    samples, out : (n_traces, n_samples) float32 array
        `out` is overwritten.
    sections : (n_sections, 2) float64 array
        a1 and a2 of gain (1 - z^-2) / (1 + a1 z^-1 + a2 z^-2).
    gain : float
        The same for each section.
    n_pad : int
        Samples by which each end is extended, less than n_samples; point symmetric.
    is_zero_phase : bool
        Whether it runs backward as well.
    tile : (32 n_rows,) float64 array
        Overwritten; n_rows is n_samples + 2 n_pad, up to the next multiple of 4.
    state : (64 n_sections,) float64 array
        Overwritten.
    edge : (32,) float64 array
        Overwritten.
    """
    n_traces, n_samples = samples.shape
    n_lead = len(tile) // 32 - n_samples - 2 * n_pad  # rows of rest before the start
    first = 32 * (n_lead + n_pad)
    for start in range(0, n_traces, 32):
        part = samples[start : start + 32]
        if len(part) < 32 or n_lead > 0:
            tile[:] = 0.0
        for k in range(len(part)):
            edge[k] = 2.0 * part[k, 0] - part[k, n_pad]
        interleave(part, edge, tile[first:], 32)
        for k in range(len(part)):
            _extend(part[k], n_pad, edge[k], tile[32 * n_lead + k :])
        state[:] = 0.0
        _run_forward(tile, sections, gain, state)
        if is_zero_phase:
            state[:] = 0.0
            last = tile[len(tile) - 32 :]
            for k in range(32):  # settled on the last sample
                state[k] = gain * last[k]
                state[32 + k] = gain * last[k]
            _run_backward(tile, sections, gain, state)
        separate(tile[first:], out[start : start + 32], 32)


@jit
def _extend(trace, n_pad, edge, column):
    """Fill the rows before and after a trace, point symmetric, less the first value."""
    n_samples = len(trace)
    low = 2.0 * trace[0] - edge
    high = 2.0 * trace[n_samples - 1] - edge
    after = column[32 * (n_pad + n_samples) :]
    for j in range(n_pad):
        column[32 * j] = low - trace[n_pad - j]
        after[32 * j] = high - trace[n_samples - 2 - j]


@jit
def _run_forward(tile, sections, gain, state):
    """Run all sections over the rows of a tile, four rows at a time, in place."""
    n_pairs = len(sections) // 2
    for i in range(len(tile) // 128):
        rows = tile[128 * i : 128 * i + 128]
        for p in range(n_pairs):
            _pair_forward(rows, gain, sections[2 * p : 2 * p + 2], state[128 * p :])
        if len(sections) % 2:
            _single_forward(rows, gain, sections[2 * n_pairs], state[128 * n_pairs :])


@jit
def _run_backward(tile, sections, gain, state):
    """Run all sections over the rows of a tile from its end, in place."""
    n_pairs = len(sections) // 2
    for i in range(len(tile) // 128 - 1, -1, -1):
        rows = tile[128 * i : 128 * i + 128]
        for p in range(n_pairs):
            _pair_backward(rows, gain, sections[2 * p : 2 * p + 2], state[128 * p :])
        if len(sections) % 2:
            _single_backward(rows, gain, sections[2 * n_pairs], state[128 * n_pairs :])


@jit
def _pair_forward(rows, gain, pair, state):
    """Run two sections over four rows; the loop over traces is what the compiler widens."""
    a1, a2 = pair[0, 0], pair[0, 1]
    b1, b2 = pair[1, 0], pair[1, 1]
    for k in range(32):
        f, g = state[k], state[32 + k]
        u, v = state[64 + k], state[96 + k]
        for i in range(4):
            x = gain * rows[32 * i + k]
            y = x - f
            f = g + a1 * y
            g = x + a2 * y
            y = gain * y
            z = y - u
            u = v + b1 * z
            v = y + b2 * z
            rows[32 * i + k] = z
        state[k], state[32 + k] = f, g
        state[64 + k], state[96 + k] = u, v


@jit
def _pair_backward(rows, gain, pair, state):
    """Run two sections over four rows, the last row first."""
    a1, a2 = pair[0, 0], pair[0, 1]
    b1, b2 = pair[1, 0], pair[1, 1]
    for k in range(32):
        f, g = state[k], state[32 + k]
        u, v = state[64 + k], state[96 + k]
        for i in range(4):
            x = gain * rows[96 - 32 * i + k]
            y = x - f
            f = g + a1 * y
            g = x + a2 * y
            y = gain * y
            z = y - u
            u = v + b1 * z
            v = y + b2 * z
            rows[96 - 32 * i + k] = z
        state[k], state[32 + k] = f, g
        state[64 + k], state[96 + k] = u, v


@jit
def _single_forward(rows, gain, section, state):
    """Run one section over four rows."""
    a1, a2 = section[0], section[1]
    for k in range(32):
        f, g = state[k], state[32 + k]
        for i in range(4):
            x = gain * rows[32 * i + k]
            y = x - f
            f = g + a1 * y
            g = x + a2 * y
            rows[32 * i + k] = y
        state[k], state[32 + k] = f, g


@jit
def _single_backward(rows, gain, section, state):
    """Run one section over four rows, the last row first."""
    a1, a2 = section[0], section[1]
    for k in range(32):
        f, g = state[k], state[32 + k]
        for i in range(4):
            x = gain * rows[96 - 32 * i + k]
            y = x - f
            f = g + a1 * y
            g = x + a2 * y
            rows[96 - 32 * i + k] = y
        state[k], state[32 + k] = f, g
