"""Small sessions, sites and logs for the tests of annexes: SYNTHETIC, made in a second."""

import dataclasses
import math

from minesense.alarm import Alarm
from minesense.apps.detect import write_coverage
from minesense.apps.fieldfolder import write_field
from minesense.apps.files import write_json
from minesense.coverage import observe
from minesense.evidence.dispositions import Disposition, append_disposition
from minesense.io import write_csv
from minesense.synthetic import cart, field, scenario

CART = cart(n_antennas=1, n_coils=2, width=0.5, radar_spacing=0.1, coil_spacing=0.1)
ORIGIN = "SYNTHETIC: south-western corner of the first lane"
GATES = """
[sensor.gates]
head_height = { limit = 0.10, reason = "SOP 3.2" }
tilt = { limit = 0.26, reason = "SOP 3.2" }
speed_upper = { limit = 1.5, reason = "SOP 3.3" }
speed_lower = { unlimited = true, reason = "static mode" }
possible_speed = { limit = 6.0, reason = "nobody goes faster" }
sample_spacing = { limit = 0.20, reason = "footprint" }
overlap = { unlimited = true, reason = "one array" }
gap_length = { limit = 0.30, reason = "SOP 3.6" }
gap_time = { limit = 2.0, reason = "SOP 3.6" }
position_error = { limit = 0.05, reason = "task order" }
noise = { limit = 2.0, reason = "SOP 3.7" }
looks = { limit = 1, reason = "task order" }
look_separation = { limit = 10.0, reason = "a swing is one look" }
break_time = { limit = 900.0, reason = "SOP 3.8" }
check_tolerance = { limit = 0.20, reason = "SOP 3.8" }
"""
SITE = f"""\
cell = 0.05

[task]
identifier = "T-1"
imsma_id = "SHA-0001"
organisation = "Example organisation (SYNTHETIC)"
operator = "operator 7"
supervisor = "supervisor 2"
given_by = "example authority, task order 1"
procedure = "SOP 3, version 2"
dates = [2026-05-04]
clock = "utc"

[frame]
crs = "local"
description = "{ORIGIN}"

[[area]]
name = "strip"
polygon = [[0.0, 0.0], [2.5, 0.0], [2.52, 1.5], [0.0, 1.5]]

[[target]]
name = "AP"
depth_from = 0.0
depth_to = 0.1
given_by = "task order 1"

[[target]]
name = "AP plastic"
depth_from = 0.0
depth_to = 0.1
given_by = "task order 1"

[alarm]
radius = 0.2
reason = "SOP 3.9"

[[sensor]]
identifier = "coil"
kind = "emi"
instrument = {{ make = "Example", model = "M1", serial = "0007" }}
{GATES}
[[sensor.footprint]]
target = "AP"
depth_from = 0.0
depth_to = 0.1
p_det = 0.9
heights = [0.0, 0.1]
radii = [0.25, 0.2]
source = "test lane (SYNTHETIC)"

[[sensor.cannot_see]]
target = "AP plastic"
depth_from = 0.0
depth_to = 0.1
reason = "no metal in it"

[annex]
soil_susceptibility = "1e-4 SI, measured at three places"
retention = "ten years"
blind_seeds_laid = "10"
blind_seeds_found = "9"
"""
CHECK = """
[[check]]
sensor = "coil"
occasion = "{occasion}"
test_piece = "steel ball"
medium = "air"
depth = 0.1
response = {response}
noise = 1.0
baseline = 100.0
baseline_noise = 1.0
by = "operator 7"
"""
SESSION = (
    """\
identifier = "morning"
pause_between_lanes = 5.0

[[sensor]]
name = "cart coils"
identifier = "coil"
height = 0.05
tilt = 0.02
position_error = 0.02
noise = 1.0

[[stream]]
name = "cart coils"
clock = "sensor"
offset = 0.0
n_late = 2
"""
    + CHECK.format(occasion="start", response=101.0)
    + CHECK.format(occasion="end", response=98.0)
)


def make_alarm(name, easting, northing, lane="lane 01", **changes):
    """Return an alarm."""
    fields = {
        "time": 1.0,
        "position_error": 0.03,
        "depth": 0.05,
        "probability": 0.6,
        "score": 2.5,
        "model": "model 1",
    } | changes
    return Alarm(identifier=name, lane=lane, easting=easting, northing=northing, **fields)


ALARMS = (
    make_alarm("A0001", 0.5, 0.4),
    make_alarm("A0002", 0.45, 1.2),
    make_alarm("A0003", 2.1, 0.7, lane="lane 02"),
    make_alarm("A0004", math.nan, math.nan, position_error=math.nan),
)


def make_session(
    folder, *, alarms=ALARMS, session=SESSION, site=SITE, lanes=("lane 01", "lane 02")
):
    """Write a field, its alarms, a session file and a site file; return their paths."""
    made = field(
        scenario(
            "farmland",
            lanes={"training": 1, "blind": 1, "length": 1.5, "run_in": 0.5},
            layout={"density": 1.0},
            records={"exists": 1.0},
        ),
        seed=3,
    )
    sweeps = [sweep for sweep in made.stream(CART) if sweep.sensor.kind == "emi"]
    path, found = folder / "field", folder / "field-alarms"
    write_field(path, made, sweeps)
    found.mkdir()
    write_csv(alarms, found / "alarms.csv", synthetic=True)
    judged = [sweep for sweep in sweeps if sweep.lane in lanes]
    write_coverage(found / "coverage.npz", observe(judged, footprint=0.2, cell=0.1))
    quality = {"note": "SYNTHETIC", "threshold": 1.5, "model": "model 1", "mode": "emi"}
    write_json(found / "quality.json", quality)
    (found / "session.toml").write_text(session)
    (folder / "site.toml").write_text(site)
    return path, found, folder / "site.toml"


def make_log(path):
    """Write a log of dispositions: one alarm ended, one looked at, one corrected."""
    entry = Disposition(
        alarm="A0001", action="dug", found="metal", by="operator 7", time="2026-05-05T08:00:00Z"
    )
    append_disposition(path, entry)
    looked = dataclasses.replace(entry, alarm="A0002", action="looked_at", found="not_known")
    append_disposition(path, looked)
    append_disposition(path, dataclasses.replace(entry, found="fragment", corrects=0))
    return path
