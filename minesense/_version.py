"""The version, alone in a file, so that no record needs the whole package."""

__version__ = "0.1.0"
