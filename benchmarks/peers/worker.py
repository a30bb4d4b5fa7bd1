"""One case, in a process of its own: worker NAME OUT ROUNDS BUDGET."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from .contest import CASES, AbsentError, race
from .table import load_cases


def main() -> int:
    """Race, and write the figures, or what is missing."""
    name, out, rounds, budget = sys.argv[1:5]
    load_cases()
    try:
        found = race(CASES[name], rounds=int(rounds), budget=float(budget))
    except (AbsentError, ImportError, AttributeError) as missing:
        found = {
            "workload": CASES[name].workload,
            "goal": CASES[name].goal,
            "absent": f"{type(missing).__name__}: {missing}",
        }
    Path(out).write_text(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
