"""Whether what is said to remain holds on SYNTHETIC fields with wrong records."""
