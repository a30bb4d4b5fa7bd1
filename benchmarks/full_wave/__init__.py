"""Lanes by a full-wave solver, on which nothing is ever trained."""
