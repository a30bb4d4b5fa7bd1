"""Stages for ground-penetrating radar."""
