"""Synthetic ground beside figures of blind trials and clearance."""
