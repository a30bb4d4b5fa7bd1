"""Test evidence from recorded streams: the grid of a replay is the live one, bit for bit."""

import dataclasses
import json
import math

import numpy as np
import pytest
from live_streams import config, messages, packets
from site_texts import sensor_text, site_text

from minesense.apps.evidence import build_grid
from minesense.apps.evidence_sessions import open_sessions
from minesense.apps.evidence_streams import StreamParts, open_stream
from minesense.cli import main
from minesense.evidence import State, parse_site
from minesense.evidence.evidence_session import read_session_notes
from minesense.evidence.stream_coverage import StreamCoverage
from minesense.message import FixClass, NoteMessage, PositionMessage, SensorMessage
from minesense.stream import Session
from minesense.stream.events import Invalidated
from minesense.stream.recorder import Recorder
from minesense.sweep import Quality

ORIGIN = "SYNTHETIC: corner of the demonstration field"
SITE = site_text(
    sensor_text("coil"),
    origin=ORIGIN,
    polygon="[[-0.5, 0.0], [0.5, 0.0], [0.5, 10.0], [-0.5, 10.0]]",
)
NOTES = """\
identifier = "noon"

[[sensor]]
name = "coils"
identifier = "coil"
noise = 1.0
tilt = 0.02

[[test_piece]]
sensor = "coil"
name = "steel ball"
medium = "air"
depth = 0.1
baseline = 100.0
baseline_noise = 1.0
by = "operator 7"
"""
START, STOP = 999.0, 1021.0
LAYER = (
    "state", "flags", "looks", "height", "height_margin", "speed", "tilt", "overlap",
)  # fmt: skip


def check(stamp, sequence=0, **content):
    """Return the note of a function check."""
    content = {"sensor": "coils", "passed": True, "response": 100.0, "noise": 1.0} | content
    return NoteMessage(
        stream="", sequence=sequence, stamp=stamp, topic="check", content=content
    )


def lane(*, opening=None, closing=None, between=()):
    """Return messages of a lane with checks before and after it, none of them late."""
    found = messages(20.0)
    n_declared = 2
    opening = [check(START)] if opening is None else opening
    closing = [check(STOP, 1)] if closing is None else closing
    middle = len(found) // 2
    return [
        *found[:n_declared], *opening, *found[n_declared:middle], *between, *found[middle:],
        *closing,
    ]  # fmt: skip


def record(folder, found, *, notes=NOTES, name="noon"):
    """Write a recording, its session file and a site; return the recording."""
    path = folder / f"{name}.mcap"
    with Recorder(path) as recorder:
        for packet in packets(found):
            recorder.write(packet)
    (folder / f"{name}.session.toml").write_text(notes)
    (folder / "site.toml").write_text(SITE)
    return path


def live_grid(found, folder, **options):
    """Return the grid of a session that was followed as it came, asked now and then."""
    (folder / "live.toml").write_text(NOTES)
    notes = read_session_notes(folder / "live.toml")
    settings = config(**options)
    coverage = StreamCoverage(
        parse_site(SITE), notes, session="noon", task_clock=settings.task_clock
    )
    session = Session(settings)
    for k, packet in enumerate(packets(found)):
        coverage.push(session.push(packet))
        if k % 400 == 0:
            coverage.grid()
    coverage.push(session.finish())
    return coverage.finish()


def replayed_grid(path, **options):
    """Return the grid of a recording."""
    session = open_stream(path, StreamParts(config=config(**options)))
    return build_grid(parse_site(SITE), [session], [])


def assert_same_grid(one, other):
    """Fail unless every bit of two grids agrees."""
    assert len(one.layers) == len(other.layers) > 0
    for a, b in zip(one.layers, other.layers, strict=True):
        for name in LAYER:
            left, right = getattr(a, name), getattr(b, name)
            assert (left.dtype, left.tobytes()) == (right.dtype, right.tobytes()), name
    for name in ("unlocated", "invalid", "alarms"):
        assert getattr(one, name) == getattr(other, name)
    assert [c.passed for c in one.checks] == [c.passed for c in other.checks]


CASES = {
    "as it should be": lane(),
    "a failed closing check": lane(closing=[check(STOP, 1, passed=False)]),
    "a response that went away": lane(closing=[check(STOP, 1, response=70.0)]),
    "no closing check": lane(closing=[]),
    "a failed check between": lane(between=[check(1010.0, 2, passed=False)]),
    "checks without a stamp": lane(opening=[check(math.nan)], closing=[check(math.nan, 1)]),
}


@pytest.mark.parametrize("case", CASES)
def test_the_replayed_grid_is_the_live_one(tmp_path, case):
    """However a session went, its recording gives the same grid, bit for bit."""
    path = record(tmp_path, CASES[case])
    live = live_grid(CASES[case], tmp_path)
    assert_same_grid(live, replayed_grid(path))
    states = set(np.unique(live.layers[0].state[live.units > 0]).tolist())
    assert (State.OBSERVED_NO_ALARM in states) == (
        case in ("as it should be", "checks without a stamp")
    )
    assert State.ALARM in states
    assert len(live.alarms) >= 2


def test_what_a_session_takes_back_is_not_observed(tmp_path):
    """A clock that drifted invalidates what was credited before anyone knew."""
    found, path = lane(), tmp_path
    (path / "live.toml").write_text(NOTES)
    coverage = StreamCoverage(
        parse_site(SITE), read_session_notes(path / "live.toml"), session="n", task_clock="utc"
    )
    session = Session(config())
    for message in found:
        coverage.push(session.push(message))
    coverage.push(session.finish())
    before = coverage.grid().layers[0]
    taken = Invalidated(
        stream="coils", start_time=1007.0, stop_time=1009.0, reason=Quality.DRIFT.name
    )
    coverage.push([taken])
    after = coverage.grid().layers[0]
    gone = (before.state == State.OBSERVED_NO_ALARM) & (after.state == State.INVALID)
    assert gone.any()
    assert (after.flags[gone] & int(Quality.DRIFT)).all()
    assert not ((after.state == State.OBSERVED_NO_ALARM) & (before.state != after.state)).any()


def test_late_traces_are_taken_back_too(tmp_path):
    """What comes out of the stages behind the message that takes it back is flagged as well."""
    (tmp_path / "live.toml").write_text(NOTES)
    notes = read_session_notes(tmp_path / "live.toml")
    grids = []
    for k_taken in (500, None):
        coverage = StreamCoverage(parse_site(SITE), notes, session="n", task_clock="utc")
        session = Session(config())
        taken = Invalidated(
            stream="coils", start_time=1005.0, stop_time=1008.0, reason=Quality.DRIFT.name
        )
        for k, message in enumerate(lane()):
            coverage.push(session.push(message))
            if k == k_taken:
                coverage.push([taken])
        coverage.push(session.finish())
        if k_taken is None:
            coverage.push([taken])
        grids.append(coverage.finish())
    assert_same_grid(*grids)


def poor_then_jump(begin, landing, *, back):
    """Return a lane whose fixes are poor for a while, which a jump ends."""
    found = []
    for message in lane():
        if isinstance(message, PositionMessage):
            values = {}
            if begin <= message.stamp < landing:
                values["fix"] = FixClass.FLOAT
            if landing <= message.stamp < back:
                x, y, z = message.coordinates
                values["coordinates"] = (x + 20.0, y, z)
            found.append(dataclasses.replace(message, **values))
        else:
            found.append(message)
    return found


def test_a_jump_takes_back_all_since_the_last_good_fix(tmp_path):
    """Live and replayed: poses of poor fixes count in part until a jump shows them wrong."""
    begin, landing = 1006.0, 1009.0
    shares = {}
    for name, moved in (("stays", (landing, landing)), ("jumps", (landing, landing + 1.0))):
        found = poor_then_jump(begin, moved[0], back=moved[1])
        folder = tmp_path / name
        folder.mkdir()
        live = live_grid(found, folder)
        assert_same_grid(live, replayed_grid(record(folder, found)))
        session = Session(config())
        events = [e for m in found for e in session.push(m)] + list(session.finish())
        taken = [e for e in events if isinstance(e, Invalidated)]
        if name == "jumps":
            assert {e.reason for e in taken} == {"POSE_JUMP"}
            assert [e.stream for e in taken].count("coils") == 1
            assert all(begin - 0.2 <= e.start_time < begin for e in taken)
            assert all(landing - 0.2 <= e.stop_time < landing for e in taken)
        else:
            assert not taken
        layer = live.layers[0]
        is_under = (layer.flags & int(Quality.POSE_COARSE)) != 0
        states, counts = np.unique(layer.state[is_under], return_counts=True)
        shares[name] = dict(zip(states.tolist(), counts.tolist(), strict=True))
    assert shares["stays"].get(State.PARTIALLY_OBSERVED, 0) > 100
    few = shares["jumps"].get(State.PARTIALLY_OBSERVED, 0)
    assert few < 0.2 * shares["stays"][State.PARTIALLY_OBSERVED]


def test_a_jump_for_good_credits_neither_side(tmp_path):
    """The session begins a lane behind it; the map credits neither that nor the one before."""
    landing = 1008.0
    grids = {}
    for name, back in (("none", landing), ("for good", math.inf), ("back", landing + 1.0)):
        found = poor_then_jump(landing, landing, back=back)
        folder = tmp_path / name
        folder.mkdir()
        grids[name] = live_grid(found, folder)
        assert_same_grid(grids[name], replayed_grid(record(folder, found)))
    n = {
        name: int((grid.layers[0].state == State.OBSERVED_NO_ALARM).sum())
        for name, grid in grids.items()
    }
    assert n["for good"] == 0 < n["back"] < n["none"]


@pytest.mark.parametrize("gap", [(1007.85, 1008.02), (1007.4, 1008.4)])
def test_a_jump_that_no_scan_saw_credits_neither_side(tmp_path, gap):
    """Scans are rarer than fixes, or were lost with them: nothing is flagged, the place is."""
    found = [
        message
        for message in poor_then_jump(1008.0, 1008.0, back=math.inf)
        if not (isinstance(message, SensorMessage) and gap[0] < message.stamp < gap[1])
    ]
    grid = live_grid(found, tmp_path)
    assert State.OBSERVED_NO_ALARM not in grid.layers[0].state
    assert_same_grid(grid, replayed_grid(record(tmp_path, found)))


def test_a_recording_makes_an_annex(tmp_path, capsys):
    """The command replays a recording; its clocks, fixes and checks stand in the annex."""
    path = record(tmp_path, lane())
    (tmp_path / "stream.toml").write_text(
        'task_clock = "utc"\n[limits]\nheight = 0.3\ntilt = inf\nleast_speed = 0.0\n'
        "greatest_speed = 3.0\nposition_error = 0.1\nnoise = inf\n"
    )
    words = [
        "evidence", path, "--site", tmp_path / "site.toml",
        "--config", tmp_path / "stream.toml", "--output", tmp_path / "annex",
    ]  # fmt: skip
    assert main([str(word) for word in words]) == 0, capsys.readouterr().err
    page = (tmp_path / "annex/annex.html").read_text()
    assert "SYNTHETIC" in page
    assert "FIXED" in page
    assert "steel ball" in page
    manifest = json.loads((tmp_path / "annex/manifest.json").read_text())
    inputs = {file["name"] for file in manifest["files"] if file["role"] == "input"}
    assert inputs == {"noon.mcap", "noon session.toml", "noon stream.toml"}
    assert manifest["statement"]["data_kind"] == "SYNTHETIC"
    assert main(["verify", str(tmp_path / "annex")]) == 0
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    assert main(["verify", str(tmp_path / "annex")]) == 2
    assert "noon.mcap: changed" in capsys.readouterr().out
    # a damaged recording must not pass for a whole one
    words[-1] = tmp_path / "other"
    assert main([str(word) for word in words]) == 2
    error = capsys.readouterr().err
    assert "minesense recover" in error
    assert "noon.mcap" in error


def test_a_synthetic_recording_does_not_leave_as_operational(tmp_path, capsys):
    """A declaration that says SYNTHETIC is enough, whatever the session file says."""
    found = lane()
    path = record(tmp_path, found)
    words = ["evidence", path, "--site", tmp_path / "site.toml", "--purpose", "operational"]
    assert main([str(w) for w in [*words, "--output", tmp_path / "annex"]]) == 2
    assert "SYNTHETIC" in capsys.readouterr().err.upper()
    assert not (tmp_path / "annex").exists()


@pytest.mark.parametrize(
    ("notes", "message"),
    [
        (NOTES.replace('"coils"', '"coil"'), r"stream 'coils' .* \[\[sensor\]\]"),
        (NOTES.split("[[test_piece]]", maxsplit=1)[0], r"Must be stated as \[\[test_piece\]\]"),
        ("pause_between_lanes = 5.0\n" + NOTES, "Must be left out"),
        (NOTES + "colour = 1\n", "line 17: .*colour"),
    ],
)
def test_session_files_that_leave_something_out(tmp_path, notes, message):
    """The error names what must be stated, and where."""
    path = record(tmp_path, lane(), notes=notes)
    with pytest.raises(ValueError, match=message):
        open_sessions([path])


def test_two_recordings_and_odd_paths(tmp_path):
    """Sessions are told apart; options of streams need a stream."""
    one = record(tmp_path, lane())
    later = [
        dataclasses.replace(m, stamp=m.stamp + 600) if hasattr(m, "stamp") else m
        for m in lane()
    ]
    two = record(tmp_path, later, notes=NOTES.replace("noon", "dusk"), name="dusk")
    sessions = open_sessions([one, two])
    grid = build_grid(parse_site(SITE), sessions, [])
    assert {name.partition("/")[0] for name in grid.alarms} == {"noon", "dusk"}
    with pytest.raises(ValueError, match="recording that exists"):
        open_sessions([tmp_path / "none.mcap"])
    with pytest.raises(ValueError, match="it is given twice"):
        open_sessions([one, one])


def test_clocks_that_contradict_each_other(tmp_path):
    """Two recordings of one sensor at the same time cannot both be right."""
    one = record(tmp_path, lane())
    two = record(tmp_path, lane(), notes=NOTES.replace("noon", "dusk"), name="dusk")
    with pytest.raises(ValueError, match="clocks contradict"):
        build_grid(parse_site(SITE), open_sessions([one, two]), [])
