"""Faults to inject into packets, messages and frames, each a function with a seed."""
