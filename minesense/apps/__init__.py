"""Programs made of the library: the trainer."""
