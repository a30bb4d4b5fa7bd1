"""
Which ground was observed, by which kind of sensor, and why the rest was not.

Observed means that a sensor passed with every stated limit met. It says nothing about
what lies in the ground, and ground that is not observed is always listed with its reason.
"""

from .record import NOT_SWEPT, Coverage
from .swept import Rectangle, Region, observe

__all__ = ["NOT_SWEPT", "Coverage", "Rectangle", "Region", "observe"]
