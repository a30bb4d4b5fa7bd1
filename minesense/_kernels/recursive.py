"""Kernels that filter rows of numbers recursively, as they come."""

from ._jit import jit


@jit
def filter_sections(rows, is_usable, sections, bridges, state, held, tally, out):
    """
    Filter every column along the rows by second-order sections in series.

    The sections are in the transposed direct form II. At the first usable row they are set
    to what they would hold if that row had lasted for ever.

    Parameters
    ----------
    rows, out : (n_rows, width) float32 array
        Rows in order; `out` is overwritten, zero where a row is not usable.
    is_usable : (n_rows,) bool array
    sections : (n_sections, 5) float64 array
        Coefficients b0, b1, b2, a1, a2 of each section; a0 is 1. b0 is not zero.
    bridges : bool
        What goes in where a row is not usable: True for what keeps the output as it was, so
        that an oscillation the sections stop goes on; False for the last usable row.
    state : (n_sections, 2, width) float64 array
        State of the sections.
    held : (2, width) float64 array
        State: the last usable row, and the last output.
    tally : (1,) int64 array
        State: whether there was a usable row, 1 or 0.
    """
    for i in range(len(rows)):
        if is_usable[i]:
            row = rows[i]
            last = held[0]
            for j in range(len(row)):
                last[j] = row[j]
            if tally[0] == 0:
                tally[0] = 1
                _settle(last, sections, state, held[1])
            _advance(last, sections, state, held[1])
            result = out[i]
            signal = held[1]
            for j in range(len(result)):
                result[j] = signal[j]
            continue
        out[i] = 0.0
        if tally[0] == 0:
            continue
        if bridges:
            _go_back(held[1], sections, state)
        else:
            _advance(held[0], sections, state, held[1])


@jit
def _settle(row, sections, state, signal):
    """Set the state to that of a row that has lasted for ever."""
    for j in range(len(row)):
        signal[j] = row[j]
    for m in range(len(sections)):
        b0, b1, b2, a1, a2 = sections[m]
        gain = (b0 + b1 + b2) / (1.0 + a1 + a2)
        first = state[m, 0]
        second = state[m, 1]
        for j in range(len(row)):
            x = signal[j]
            y = gain * x
            second[j] = b2 * x - a2 * y
            first[j] = b1 * x - a1 * y + second[j]
            signal[j] = y


@jit
def _advance(row, sections, state, signal):
    """Pass a row through the sections; `signal` is what comes out."""
    for j in range(len(row)):
        signal[j] = row[j]
    for m in range(len(sections)):
        b0, b1, b2, a1, a2 = sections[m]
        first = state[m, 0]
        second = state[m, 1]
        for j in range(len(row)):
            x = signal[j]
            y = b0 * x + first[j]
            first[j] = b1 * x - a1 * y + second[j]
            second[j] = b2 * x - a2 * y
            signal[j] = y


@jit
def _go_back(signal, sections, state):
    """Advance the state by the row that leaves the output as it is, which stays."""
    for j in range(len(signal)):
        y = signal[j]
        for m in range(len(sections) - 1, -1, -1):
            b0, b1, b2, a1, a2 = sections[m]
            x = (y - state[m, 0, j]) / b0
            state[m, 0, j] = b1 * x - a1 * y + state[m, 1, j]
            state[m, 1, j] = b2 * x - a2 * y
            y = x
