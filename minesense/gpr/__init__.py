"""Stages for ground-penetrating radar."""

from .prescreen import PrescreenEnergy, prescreen_energy

__all__ = ["PrescreenEnergy", "prescreen_energy"]
