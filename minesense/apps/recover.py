"""The command ``minesense recover``."""

from __future__ import annotations

import json
from argparse import Namespace
from pathlib import Path

from ..io.mcap_recovery import recover


def run(options: Namespace) -> str:
    """
    Write what can be had of a damaged recording, and say what was lost.

    Parameters
    ----------
    options : argparse.Namespace
        Of the command line.

    Returns
    -------
    text : str
        One finding a line; the last names the new file.

    Raises
    ------
    ValueError
        If nothing can be had.
    OSError
        If a file cannot be read or written, or the output exists.
    """
    path = Path(options.path)
    output = Path(options.output or path.with_name(f"{path.stem}-recovered.mcap"))
    recovery = recover(path, output)
    document = recovery.describe()
    lines = [
        f"{key}: {value if isinstance(value, str) else json.dumps(value)}"
        for key, value in document.items()
        if key not in ("damages", "missing_messages")
    ]
    for damage in document["damages"]:
        lines.append(
            f"damaged: {damage['bytes']} bytes from byte {damage['offset']}: {damage['reason']}"
        )
    for item in document["missing_messages"]:
        lines.append(
            f"missing: {item['messages']} messages of '{item['stream']}' between the stamps "
            f"{item['after_stamp_s']!r} s and {item['before_stamp_s']!r} s"
        )
    lines.append(f"written: {output}")
    return "\n".join(lines)
