"""What features are worth to the classifier, on SYNTHETIC fields."""
