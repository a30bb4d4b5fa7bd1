"""Carriers without errors, for tests to add those that they are about."""

import dataclasses

from minesense.synthetic import (
    CartMotion,
    CoilErrors,
    Faults,
    FlightMotion,
    Positioning,
    RadarErrors,
    SwingMotion,
    ToneErrors,
)

#: Numbers of errors that must not be zero, or that a zero would turn off altogether.
KEPT = {
    "drift_time",
    "error_time",
    "loss_time",
    "gap_time",
    "stuck_time",
    "lost_stamp_time",
    "burst_time",
    "mains_frequency",
    "mains_harmonics",
    "ringing_frequency",
    "ringing_time",
    "most_gain",
    "full_scale",
    "isolation",
    "speed",
    "correlation_time",
    "gust_time",
    "reach",
    "beyond",
    "advance",
    "kind",
    "records_height",
}


def silent(record, **options):
    """Return a record of errors that are all zero, but for some."""
    zeros = {
        item.name: type(item.default)(0)
        for item in dataclasses.fields(record)
        if item.name not in KEPT
    }
    return record(**zeros | options)


STILL = silent(CartMotion)
EVEN_SWING = silent(SwingMotion)
CALM = silent(FlightMotion)
EXACT = silent(Positioning)
NO_FAULTS = silent(Faults)
SILENT_RADAR = silent(RadarErrors, full_scale=1e3)
SILENT_TONES = silent(ToneErrors, full_scale=1e3, isolation=1.0)
SILENT_COILS = silent(CoilErrors, full_scale=1e3)


def quiet(**options):
    """Return the options of a cart, or of another platform, without any error."""
    return {
        "motion": STILL,
        "positioning": EXACT,
        "radar_errors": SILENT_RADAR,
        "tone_errors": SILENT_TONES,
        "coil_errors": SILENT_COILS,
        "faults": NO_FAULTS,
    } | options
