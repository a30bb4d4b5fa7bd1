"""Forward models: what sensors would record. Formulas and sources are in each function."""
