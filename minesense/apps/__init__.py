"""Programs made of the library: the commands."""
