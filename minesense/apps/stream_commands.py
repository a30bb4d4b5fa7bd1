"""Commands about live streams and their recordings."""

from __future__ import annotations

from .parser import Commands


def add_commands(commands: Commands) -> None:
    """Add these commands to a parser."""
