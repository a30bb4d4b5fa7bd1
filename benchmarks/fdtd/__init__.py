"""Synthetic radar beside a full-wave solver."""
