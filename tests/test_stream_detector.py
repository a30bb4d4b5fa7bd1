"""Test a trained detector in a live session: judged as whole lanes are, and nothing is lost."""

import dataclasses
import json
import math
from types import SimpleNamespace

import numpy as np
import pytest
from annex_cases import GATES
from site_texts import sensor_text, site_text

from minesense import synthetic
from minesense.alarm import DISC_95
from minesense.apps.event_lines import event_line
from minesense.apps.live_feed import LiveFeed
from minesense.cli import main
from minesense.evidence.evidence_session import SensorNote, SessionNotes
from minesense.evidence.stream_coverage import StreamEvidence
from minesense.message import NoteMessage, Packet, SensorMessage, StreamDeclaration
from minesense.payload import Encoder
from minesense.stream import Session, StreamConfig
from minesense.stream.events import (
    AlarmJudged,
    AlarmRaised,
    LaneChunk,
    LaneFailed,
    LaneNotJudged,
    MessageRejected,
    StreamAccepted,
    StreamRefused,
)
from minesense.stream.recorder import Recorder
from minesense.stream.replay import event_digest, replay
from minesense.stream.sweep_source import SweepMessages
from minesense.sweep import Quality
from minesense.training import train

pytestmark = pytest.mark.slow

CONFIG = StreamConfig(task_clock="host")


@pytest.fixture(scope="module")
def world():
    """Return a detector of a narrow SYNTHETIC cart, a lane it has not seen and its events."""
    recipe = synthetic.scenario(
        "farmland", lanes={"training": 4, "blind": 1, "length": 12.0}, layout={"density": 1.0}
    )
    field = synthetic.field(recipe, seed=2)
    whole = synthetic.Faults(gaps_per_minute=0.0)
    cart = synthetic.cart(n_coils=2, n_antennas=2, faults=whole)
    sweeps = field.sweep(cart, workers=2)
    training = [sweep for sweep in sweeps if sweep.lane in field.training]
    area = field.area_of(field.training)
    detector = train(training, field.truth_of(field.training), area=area, seed=3)
    blind = [sweep for sweep in sweeps if sweep.lane in field.blind]
    messages = [message for _, message in SweepMessages().lane(blind)]
    return SimpleNamespace(
        detector=detector,
        training=training,
        blind=blind,
        messages=messages,
        events=live(messages, detector),
    )


def live(messages, detector, **options):
    """Return the events of a session."""
    session = Session(CONFIG, detector=detector, **options)
    events = [event for message in messages for event in session.push(message)]
    return [*events, *session.finish()]


def only(events, kind):
    """Return the events of one kind."""
    return [event for event in events if isinstance(event, kind)]


def judged(events):
    """Return the alarms that the detector judged."""
    return [event.alarm for event in only(events, AlarmJudged)]


def apart(a, b):
    """Return how far apart two alarms are, m."""
    return math.dist((a.easting, a.northing), (b.easting, b.northing))


def values(alarm):
    """Return an alarm as plain values, NaN as None."""
    odds = sorted(alarm.evidence.items())
    rest = dataclasses.astuple(dataclasses.replace(alarm, evidence={}))
    return [
        None if isinstance(v, float) and math.isnan(v) else v
        for v in (*rest[:-1], *(x for pair in odds for x in pair))
    ]


def test_live_judgement_is_that_of_the_lane_as_recorded(world):
    """
    The same places, probabilities and order as `detect` gives to the sweeps.

    Both bring traces to equal distances by the same rule. Tolerances are for positions alone:
    those of the sensors lie on the line between fixes, and headings are sent as 4 bytes.
    """
    whole = world.detector.detect(world.blind)
    found = judged(world.events)
    assert len(found) == len(whole.ranked) > 10
    for one, other in zip(found, whole.ranked, strict=True):
        assert apart(one, other) < 1e-4
        assert one.probability == pytest.approx(other.probability, abs=1e-4, nan_ok=True)
        assert one.score == pytest.approx(other.score, abs=1e-3)
        assert one.quality == other.quality
        assert one.model == world.detector.identity
        for name, value in other.evidence.items():
            assert one.evidence[name] == pytest.approx(value, abs=1e-3, nan_ok=True)
    above = [event.is_above_threshold for event in only(world.events, AlarmJudged)]
    assert above == [alarm.score >= whole.threshold for alarm in whole.ranked]
    assert 0 < sum(above) < len(above)


def with_stop(sweep, leading, *, at, length):
    """Return a lane on which the platform stands for a while, to a millimetre."""
    interval = float(np.median(np.diff(leading.time)))
    stride = 1 if sweep is leading else 2
    k = np.arange(stride, int(length / interval), stride)  # of the leading sensor's traces
    jitter = np.random.default_rng(seed=7).normal(scale=1e-3, size=(2000, 3)) * [1, 1, 0]
    place = [np.interp(at, leading.time, leading.position[:, j]) for j in range(3)]
    heading = np.full(len(k), np.interp(at, leading.time, leading.heading))
    i = int(np.searchsorted(sweep.time, at))
    samples = np.repeat(sweep.samples[i - 1 : i], len(k), axis=0)
    noise = np.random.default_rng(seed=1).normal(scale=0.01, size=samples.shape)
    more = {
        "samples": samples + np.nanstd(sweep.samples) * noise.astype(np.float32),
        "time": at + interval * k,
        "position": np.array(place) + jitter[k],
        "heading": heading,
        "quality": np.zeros(len(k), np.int64),
    }
    behind = {name: getattr(sweep, name)[i:] for name in more}
    behind["time"] = behind["time"] + length
    parts = {n: np.concatenate([getattr(sweep, n)[:i], more[n], behind[n]]) for n in more}
    return dataclasses.replace(sweep, **parts)


def test_a_stop_is_no_track_live_or_recorded(world):
    """Both hold the place of a platform that stands: the same alarms within rounding."""
    (leading,) = (sweep for sweep in world.blind if sweep.sensor.kind == "gpr")
    lane = [with_stop(sweep, leading, at=10.0, length=10.0) for sweep in world.blind]
    whole = world.detector.detect(lane)
    events = live([message for _, message in SweepMessages().lane(lane)], world.detector)
    found = judged(events)
    pairs = [(a, min(found, key=lambda b: apart(a, b))) for a in whole.ranked]
    assert len(pairs) > 10
    assert max(apart(a, b) for a, b in pairs) < 0.05
    assert max(abs(a.score - b.score) for a, b in pairs) < 0.1
    above = [event for event in only(events, AlarmJudged) if event.is_above_threshold]
    assert len(above) == len(whole)


def test_no_alarm_of_a_prescreener_disappears(world):
    """With a detector they are the same as without, and each of them is judged."""
    without = live(world.messages, None, settings=world.detector.settings)
    raised = only(world.events, AlarmRaised)
    assert len(raised) > 20
    assert event_digest(raised) == event_digest(only(without, AlarmRaised))
    found = judged(world.events)
    radius = world.detector.settings.fusion_radius
    for alarm in raised:
        assert min(apart(alarm, other) for other in found) <= radius
    assert not only(world.events, (LaneFailed, MessageRejected, StreamRefused))


def test_replay_of_the_bytes_is_the_same(world):
    """Judgements too, bit for bit."""
    encoder = Encoder()
    packets = [Packet(float(k), encoder.encode(m)) for k, m in enumerate(world.messages)]
    again = list(replay(packets, CONFIG, detector=world.detector))
    assert event_digest(again) == event_digest(world.events)


def test_a_model_that_fails_costs_no_alarm_and_no_lane(world, monkeypatch):
    """The session goes on and says why; alarms of the prescreeners are told as ever."""

    def judge(*args, **options):
        msg = "nothing fits"
        raise RuntimeError(msg)

    monkeypatch.setattr(type(world.detector), "judge", judge)
    events = live(world.messages, world.detector)
    (silent,) = only(events, LaneNotJudged)
    assert silent.reason == "RuntimeError: nothing fits"
    assert silent.lane == world.blind[0].lane
    raised = only(events, AlarmRaised)
    assert event_digest(raised) == event_digest(only(world.events, AlarmRaised))
    assert not only(world.events, LaneNotJudged)


def test_a_lane_too_short_for_the_model_is_said_to_be(world):
    """Half a metre is not enough for the windows of the stages."""
    stamps = [m.stamp for m in world.messages if hasattr(m, "stamp")]
    first = min(s for s in stamps if math.isfinite(s))
    early = [m for m in world.messages if not getattr(m, "stamp", 0.0) > first + 1.0]
    (silent,) = only(live(early, world.detector), LaneNotJudged)
    assert "no lane of a sensor" in silent.reason


def test_settings_beside_a_detector_are_its_own(world):
    """Features of other settings would not fit the model."""
    other = dataclasses.replace(world.detector.settings, fusion_radius=0.123)
    with pytest.raises(ValueError, match="Invalid settings beside a detector"):
        Session(CONFIG, detector=world.detector, settings=other)


def test_a_lane_is_judged_when_its_sensors_are_in_the_next(world):
    """Not at the end of the session, and as if the next one never came."""
    source = SweepMessages()
    first = [message for _, message in source.lane(world.blind)]
    next_name = world.training[0].lane
    after = [sweep for sweep in world.training if sweep.lane == next_name]
    session = Session(CONFIG, detector=world.detector)
    early, late = [], []
    for message in first:
        early += session.push(message)
    assert not judged(early)
    for _, message in source.lane(after):
        late += session.push(message)
    lane = world.blind[0].lane
    assert [values(a) for a in judged(late)] == [values(a) for a in judged(world.events)]
    assert {event.lane for event in only(late, AlarmJudged)} == {lane}
    assert {event.lane for event in only(session.finish(), AlarmJudged)} == {next_name}


def test_alarms_of_one_session_have_identifiers_of_their_own(world):
    """Also where two lanes have one name: live, replayed, on a page, in lines, as evidence."""
    source, name = SweepMessages(), world.blind[0].lane
    second = [s for s in world.training if s.lane == world.training[0].lane]
    renamed = [dataclasses.replace(sweep, lane=name) for sweep in second]
    messages = [m for lane in (world.blind, renamed) for _, m in source.lane(lane)]
    events = live(messages, world.detector)
    alarms = judged(events)
    assert {event.lane for event in only(events, AlarmJudged)} == {name}
    lanes = [alarm.identifier.rpartition("/")[0] for alarm in alarms]
    assert [*dict.fromkeys(lanes)] == [f"judged/{name}/1", f"judged/{name}/2"]
    raised = [event.identifier for event in only(events, AlarmRaised)]
    identifiers = [*raised, *(alarm.identifier for alarm in alarms)]
    assert len(set(identifiers)) == len(identifiers) > len(raised) > 0
    # the same from the bytes
    encoder = Encoder()
    packets = [Packet(float(k), encoder.encode(m)) for k, m in enumerate(messages)]
    again = judged(replay(packets, CONFIG, detector=world.detector))
    assert [alarm.identifier for alarm in again] == [alarm.identifier for alarm in alarms]
    # and for everyone who is told
    feed = LiveFeed()
    feed.publish(events)
    _, state = feed.join().get(timeout=1.0)
    shown = {a["identifier"]: a for a in json.loads(state)["alarms"]}
    assert sorted(shown) == sorted(identifiers)
    for alarm in alarms:
        assert shown[alarm.identifier]["error"] == DISC_95 * alarm.position_error
    lines = [json.loads(event_line(event)) for event in only(events, AlarmJudged)]
    assert [line["alarm"]["identifier"] for line in lines] == [a.identifier for a in alarms]
    notes = [SensorNote(name=sweep.sensor.name) for sweep in world.blind]
    gathered = StreamEvidence(SessionNotes(sensor=tuple(notes)), session="noon")
    for event in events:
        gathered.take(event)
    kept = {e.alarm.identifier for e in only(events, AlarmJudged) if e.is_above_threshold}
    wanted = [f"noon/{k}" for k in identifiers if k in kept or k in raised]
    assert sorted(alarm.identifier for alarm in gathered.alarms) == sorted(wanted)


def test_an_unfamiliar_sensor_is_out_of_domain(world):
    """Its alarms stay, with the flag; the other sensor alone is judged."""
    radar = next(sweep for sweep in world.blind if sweep.sensor.kind == "gpr")
    moved = dataclasses.replace(radar.sensor, lever_arms=radar.sensor.lever_arms + 0.01)
    lane = [
        dataclasses.replace(sweep, sensor=moved) if sweep is radar else sweep
        for sweep in world.blind
    ]
    events = live([message for _, message in SweepMessages().lane(lane)], world.detector)
    alarms = only(events, AlarmRaised)
    before = only(world.events, AlarmRaised)
    for kind, flag in (("gpr", int(Quality.OUT_OF_DOMAIN)), ("emi", 0)):
        flags = {
            alarm.quality & Quality.OUT_OF_DOMAIN for alarm in alarms if alarm.sensor == kind
        }
        assert flags == {flag}
        assert [a.score for a in alarms if a.sensor == kind] == [
            a.score for a in before if a.sensor == kind
        ]
    for chunk in only(events, LaneChunk):
        is_flagged = (chunk.sweep.quality & int(Quality.OUT_OF_DOMAIN)) != 0
        assert is_flagged.all() == is_flagged.any() == (chunk.sweep.sensor.kind == "gpr")
    found = judged(events)
    assert found
    assert all(math.isnan(alarm.evidence["gpr_log_ratio"]) for alarm in found)


def test_a_second_sensor_of_a_kind_is_not_judged_and_loses_nothing(world):
    """A detector knows one of each kind: the other keeps its alarms, out of domain."""
    coils = next(sweep for sweep in world.blind if sweep.sensor.kind == "emi")
    twin = dataclasses.replace(
        coils, sensor=dataclasses.replace(coils.sensor, name="other coils")
    )
    lane = [*world.blind, twin]
    events = live([message for _, message in SweepMessages().lane(lane)], world.detector)
    assert not only(events, LaneFailed)
    alarms = only(events, AlarmRaised)
    names = (coils.sensor.name, "other coils")
    first, second = ([a for a in alarms if a.stream == name] for name in names)
    assert first
    assert [(a.time, a.score) for a in first] == [(a.time, a.score) for a in second]
    assert all(a.quality & Quality.OUT_OF_DOMAIN for a in second)
    reasons = {e.stream: e.unscreened for e in only(events, StreamAccepted)}
    assert reasons[names[0]] == ""
    assert f"stream '{names[0]}' is" in reasons[names[1]]
    assert [values(a) for a in judged(events)] == [values(a) for a in judged(world.events)]


SESSION_SENSOR = """
[[sensor]]
name = "{name}"
identifier = "{kind}"
noise = 1.0
tilt = 0.02
height = 0.05

[[test_piece]]
sensor = "{kind}"
name = "steel ball"
medium = "air"
depth = 0.1
baseline = 100.0
baseline_noise = 1.0
by = "operator 7"
"""


def test_a_recording_and_its_model_make_an_annex(world, tmp_path, capsys):
    """Its alarms are those that the session judged; a model of other bytes is found out."""
    sensors = [sweep.sensor for sweep in world.blind]
    places = np.concatenate([sweep.position[:, :2] for sweep in world.blind])
    (west, south), (east, north) = places.min(axis=0) - 1.0, places.max(axis=0) + 1.0
    corners = [[west, south], [east, south], [east, north], [west, north]]
    polygon = [[round(float(x), 2), round(float(y), 2)] for x, y in corners]
    site = site_text(
        *(sensor_text(s.kind, kind=s.kind, gates=GATES, highest=0.3) for s in sensors),
        origin=world.blind[0].frame.origin,
        polygon=polygon,
        clock="host",
        cell=0.1,
    )
    notes = "".join(SESSION_SENSOR.format(name=s.name, kind=s.kind) for s in sensors)
    paths = {
        name: tmp_path / name
        for name in (
            "site.toml",
            "noon.session.toml",
            "noon.mcap",
            "model.skops",
            "stream.toml",
        )
    }
    paths["site.toml"].write_text(site)
    paths["noon.session.toml"].write_text('identifier = "noon"\n' + notes)
    paths["stream.toml"].write_text('task_clock = "host"\n')
    world.detector.save(paths["model.skops"])
    stamps = [m.stamp for m in world.messages if isinstance(m, SensorMessage)]
    first = next(
        k for k, m in enumerate(world.messages) if not isinstance(m, StreamDeclaration)
    )
    checks = [
        NoteMessage(
            stream="",
            sequence=1000 + k,
            stamp=stamp,
            topic="check",
            content={"sensor": s.name, "passed": True, "response": 100.0, "noise": 1.0},
        )
        for stamp in (min(stamps) - 0.5, max(stamps) + 1.0)
        for k, s in enumerate(sensors)
    ]
    sent = [*world.messages[:first], *checks[:2], *world.messages[first:], *checks[2:]]
    encoder = Encoder()
    with Recorder(paths["noon.mcap"]) as recorder:
        for k, message in enumerate(sent):
            recorder.write(Packet(float(k), encoder.encode(message)))
    annex = tmp_path / "annex"
    words = ["evidence", paths["noon.mcap"], "--site", paths["site.toml"]]
    words += ["--config", paths["stream.toml"], "--model", paths["model.skops"]]
    assert main([str(w) for w in [*words, "--output", annex]]) == 0, capsys.readouterr().err
    events = live(sent, world.detector)
    kept = [e.alarm for e in only(events, AlarmJudged) if e.is_above_threshold]
    raised = only(events, AlarmRaised)
    assert kept
    layer = json.loads(next(annex.rglob("alarms.geojson")).read_text())
    shown = {f["properties"]["feature_id"]: f["properties"] for f in layer["features"]}
    assert sorted(shown) == sorted(f"noon/{alarm.identifier}" for alarm in (*raised, *kept))
    assert len(shown) == len(layer["features"]) > len(kept)
    for alarm in kept:
        found = shown[f"noon/{alarm.identifier}"]
        assert found["model"] == world.detector.identity
    page = (annex / "annex.html").read_text()
    assert world.detector.identity in page
    assert "streamed prescreeners and a detector" in page
    manifest = json.loads((annex / "manifest.json").read_text())
    names = {file["name"] for file in manifest["files"] if file["role"] == "input"}
    assert {"noon.mcap", "noon model.skops", "noon stream.toml"} <= names
    assert main(["verify", str(annex)]) == 0
    data = bytearray(paths["model.skops"].read_bytes())
    data[len(data) // 2] ^= 1
    paths["model.skops"].write_bytes(data)
    capsys.readouterr()
    assert main(["verify", str(annex)]) == 2
    assert "noon model.skops: changed" in capsys.readouterr().out
    # without the model, the same recording holds the alarms of the prescreeners alone
    bare = [w for w in words if w not in ("--model", paths["model.skops"])]
    assert main([str(w) for w in [*bare, "--output", tmp_path / "bare"]]) == 0
    layer = json.loads(next((tmp_path / "bare").rglob("alarms.geojson")).read_text())
    assert not any("/judged/" in f["properties"]["feature_id"] for f in layer["features"])
