"""Synthetic fields whose truth is known. Everything made here is SYNTHETIC."""
