"""From candidates to alarms: features, classifier, calibration, fusion."""
