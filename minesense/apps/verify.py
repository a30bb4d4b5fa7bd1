"""The command ``minesense verify``: find what was changed in an annex."""

from __future__ import annotations

from argparse import Namespace

from ..evidence.annex_verification import verify_annex
from ..evidence.chain import signature_block
from .bench import Verdict

_MOST = 50


def run(options: Namespace) -> str:
    """
    Check every byte of an annex and of its inputs.

    Parameters
    ----------
    options : argparse.Namespace
        Of the command line.

    Returns
    -------
    text : str
        What was found; a :class:`Verdict` of code 2 if anything was changed, is missing or was
        added.

    Raises
    ------
    OSError
        If the folder cannot be read.
    """
    found = verify_annex(options.path)
    if found.is_whole:
        return (
            f"{options.path}: {found.n_files} files, all as they were written\n"
            f"last hash of the chain, to be compared with the signed one:\n"
            f"{signature_block(found.head)}"
        )
    lines = [f"{options.path}: {len(found.faults)} faults, NOT as it was written"]
    lines += [str(fault) for fault in found.faults[:_MOST]]
    if len(found.faults) > _MOST:
        lines.append(f"and {len(found.faults) - _MOST} more")
    return Verdict("\n".join(lines), 2)
