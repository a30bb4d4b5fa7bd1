"""Live streams; holds the adapters of a later release."""
