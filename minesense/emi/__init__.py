"""Stages for metal detectors."""
