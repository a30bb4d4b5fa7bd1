"""Site files of one strip as text, for sessions that were recorded from a stream. SYNTHETIC."""

from annex_cases import GATES

#: The gates of the annex, with room for the position error of a stream.
WIDE_GATES = GATES.replace('limit = 0.05, reason = "task', 'limit = 0.1, reason = "task')


def sensor_text(identifier, *, kind="emi", gates=WIDE_GATES, highest=0.1):
    """Return the table of a sensor with one footprint."""
    return f"""
[[sensor]]
identifier = "{identifier}"
kind = "{kind}"
{gates}
[[sensor.footprint]]
target = "AP"
depth_from = 0.0
depth_to = 0.1
p_det = 0.9
heights = [0.0, {highest}]
radii = [0.25, 0.2]
source = "test lane (SYNTHETIC)"
"""


def site_text(*sensors, origin, polygon, clock="utc", cell=0.05):
    """Return a site file with the tables of its sensors."""
    return f"""\
cell = {cell}

[task]
identifier = "T-2"
imsma_id = "SHA-0002"
organisation = "Example organisation (SYNTHETIC)"
operator = "operator 7"
given_by = "example authority, task order 2"
procedure = "SOP 3, version 2"
dates = [2026-05-04]
clock = "{clock}"

[frame]
crs = "local"
description = "{origin}"

[[area]]
name = "strip"
polygon = {polygon}

[[target]]
name = "AP"
depth_from = 0.0
depth_to = 0.1
given_by = "task order 2"

[alarm]
radius = 0.2
reason = "SOP 3.9"
""" + "".join(sensors)
