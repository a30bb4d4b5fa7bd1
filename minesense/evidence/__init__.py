"""Evidence of what was searched; holds the records of a later release."""
