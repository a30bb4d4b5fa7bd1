"""The one place that decides how kernels are compiled."""

import os
from pathlib import Path

import numba
from numba.core.cpu import CPUTargetOptions


def _wants_cache(package: Path, setting: str | None) -> bool:
    """
    Tell whether compiled kernels are kept on disk.

    MINESENSE_CACHE=1 and =0 decide. Without it, kernels of an installed package are kept
    where Numba can write beside them, and those of a source checkout, whose files
    change, are not.
    """
    if setting is not None:
        return setting == "1"
    is_installed = "site-packages" in package.parts
    return is_installed and os.access(package, os.W_OK)


_CACHE = _wants_cache(Path(__file__).resolve().parent, os.environ.get("MINESENSE_CACHE"))

# Kernels allocate nothing, so nothing need be counted: the count of the references to an
# array is an atomic operation, and each slice takes two, which made up 70 % of a median of
# many traces. Without counts a slice cannot be assigned an array (it may have to be copied
# first: see `copy_row`), and no kernel returns an array; Numba says so as it compiles. The
# option is Numba's own, and is left away where a release has it no more.
_UNCOUNTED = {"_nrt": False} if hasattr(CPUTargetOptions, "_nrt") else {}

# error_model="numpy": dividing by zero gives inf, as in NumPy. nogil: lanes run side by
# side in threads. fastmath stays off: it lets the compiler assume that there are no NaNs
# and reorder sums, so that a dropout could turn into silence.
jit = numba.njit(cache=_CACHE, error_model="numpy", nogil=True, **_UNCOUNTED)
