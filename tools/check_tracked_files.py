"""
Check that no tracked file says where packages come from or where somebody's home is.

Both would make the project work on one machine only: pip is set up by its user, and paths
are relative to the checkout.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

#: What is refused, and why. Written so that no pattern matches itself.
PATTERNS = {
    "names an index host": re.compile(r"pypi[.]org|pythonhosted[.]org|devp[i]|artifactory[.]"),
    "sets an index": re.compile(
        r"(?:--|PIP_)(?:extra[-_])?(?:index[-_]url|find[-_]links)\b", re.I
    ),
    "names a home": re.compile(r"(?<![\w.])/(?:home|Users)/\w|(?<![\w.])/roo[t]/"),
}


def tracked(root: Path) -> list[Path]:
    """Return the files that git tracks below a folder."""
    command = ["git", "-C", str(root), "ls-files", "-z"]
    result = subprocess.run(command, check=True, capture_output=True, text=True)
    return [root / name for name in result.stdout.split("\0") if name]


def faults(paths: Iterable[Path]) -> Iterator[str]:
    """Yield one line for each place that holds what is refused."""
    for path in paths:
        if path.is_symlink() or not path.is_file():
            continue  # deleted, but not yet from the index
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            continue  # a picture
        for number, line in enumerate(lines, start=1):
            for reason, pattern in PATTERNS.items():
                if pattern.search(line):
                    yield f"{path}:{number}: {reason}: {line.strip()[:80]}"


def main() -> int:
    """Print the faults of all tracked files; return 1 if there are any."""
    paths = tracked(Path(__file__).resolve().parents[1])
    found = list(faults(paths))
    sys.stdout.writelines(f"{line}\n" for line in found)
    sys.stdout.write(f"tracked files: {len(found)} faults in {len(paths)} files\n")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
