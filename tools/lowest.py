"""
Print constraints that pin what minesense runs on to the lower bounds of pyproject.toml.

Everything else, the tools that test it included, is left open. CI tests with these:

    python3 tools/lowest.py > lowest.txt && make test CONSTRAINTS=lowest.txt
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path


def lowest(requirements: list[str]) -> list[str]:
    """
    Return each requirement pinned to its lower bound, later fixes of it included.

    Examples
    --------
    >>> lowest(["numpy>=2.0", "msgspec>=0.19"])
    ['numpy==2.0.*', 'msgspec==0.19.*']
    """
    pins = []
    for requirement in requirements:
        match = re.fullmatch(r"([A-Za-z0-9_.-]+)>=([0-9.]+)", requirement)
        if match is None:
            msg = f"Invalid requirement '{requirement}'. Must be name>=version."
            raise ValueError(msg)
        pins.append(f"{match[1]}=={match[2]}.*")
    return pins


def main() -> None:
    """Print the pins of the core and of the extras that users install."""
    with Path(__file__).resolve().parents[1].joinpath("pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    extras = project["optional-dependencies"]
    requirements = [*project["dependencies"], *extras["models"], *extras["plot"]]
    sys.stdout.writelines(f"{pin}\n" for pin in lowest(requirements))


if __name__ == "__main__":
    main()
