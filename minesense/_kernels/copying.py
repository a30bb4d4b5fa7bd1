"""Kernels that fill: without counts of references no array can be assigned to a slice."""

from ._jit import jit


@jit
def copy_row(values, out):
    """
    Copy values into a row of the same length; the two do not overlap.

    Parameters
    ----------
    values, out : (n,) array
        What is copied, and what is overwritten.
    """
    for i in range(len(out)):
        out[i] = values[i]


@jit
def copy_rows(values, out):
    """
    Copy rows into as many of the same length; the two do not overlap.

    Parameters
    ----------
    values, out : (n_rows, n) array
        What is copied, and what is overwritten.
    """
    for i in range(len(out)):
        copy_row(values[i], out[i])


@jit
def zero_row(out):
    """
    Set a row to zero.

    Parameters
    ----------
    out : (n,) array
        Overwritten.
    """
    for i in range(len(out)):
        out[i] = 0
