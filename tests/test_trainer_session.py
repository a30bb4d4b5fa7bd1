"""Test a trainer's lanes, seal, scores and server, without a browser."""

import contextlib
import dataclasses
import functools
import hashlib
import http.client
import json
import math
import re
import signal
import socket
import subprocess
import sys
import threading

import numpy as np
import numpy.testing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_trainer import balance, statistic_at, targets_of, walk

from minesense.apps import trainerserver, trainersession
from minesense.apps.trainerground import Course, Ground, _scenario, detector, make_training
from minesense.apps.trainerrun import Limits, overlaps_of, read_run, speeds_of, sweep_of
from minesense.apps.trainerscore import check_of, compliance_of, result_of, search_of
from minesense.apps.trainerserver import MOST_BYTES, TrainerServer
from minesense.apps.trainersession import OutOfTurn, Session, read_session
from minesense.apps.trainersheet import embedded, sheet_page, trainer_page
from minesense.cli import main
from minesense.sweep import Quality
from minesense.synthetic import field
from minesense.synthetic.coil_lane import reach_of
from minesense.synthetic.simulate import lane_scene
from minesense.truth import Truth

COURSE = Course(seed=3, n_open=1, n_blind=1, length=2.0)
LIMITS = Limits()


@pytest.fixture(scope="module")
def training():
    """Return a short course of one coil."""
    return make_training(COURSE)


@pytest.fixture(scope="module")
def signed():
    """Return a shorter course of a double-D head, in another soil."""
    return make_training(
        Course(seed=5, n_open=0, n_blind=1, length=1.0, head="double-d", soil="laterite_basalt")
    )


def lane_of(training, kind):
    """Return the first ground of a kind."""
    return next(ground for ground in training.grounds if ground.kind == kind)


def perfect(ground, **options):
    """Return the run of one who sweeps everything and marks every target."""
    return read_run(walk(ground, marks=targets_of(ground), **options), ground)


# ---- the ground ----


def test_the_same_seed_gives_the_same_course(training):
    """Statistic and seal to the bit; another seed gives other ones."""
    again = make_training(COURSE)
    other = dataclasses.replace(training, salt="another")
    assert other.seal != training.seal
    for one, other in zip(training.grounds, again.grounds, strict=True):
        assert one.statistic.tobytes() == other.statistic.tobytes()
        assert one.truth == other.truth
    assert again.seal == training.seal
    assert [g.kind for g in training.grounds] == ["check", "open", "blind", "check"]


def test_the_statistic_is_that_of_the_physics(training):
    """Between its places it is what a simulation at the pose itself gives, to some per cent."""
    made = field(_scenario(COURSE), seed=COURSE.seed)
    lane = made.lanes[1]
    ground = lane_of(training, "blind")
    assert lane.is_blind
    reach = reach_of(detector("single").head)
    scene = lane_scene(made, lane, margin=1.2, felt_from=max(1.2, reach))
    rest = balance("single", scene, ground)
    rng = np.random.default_rng(seed=1)
    places = [(x + rng.normal(0, 0.07), y + rng.normal(0, 0.07)) for x, y in targets_of(ground)]
    places += [(rng.uniform(-0.6, 0.6), rng.uniform(-0.1, 2.1)) for _ in range(20)]
    for right, forward in places:
        height = float(rng.uniform(0.03, 0.28))
        expected = statistic_at("single", scene, rest, right, forward, height)
        found = ground.at(np.array([right]), np.array([forward]), np.array([height]))[0]
        assert found == pytest.approx(expected, rel=0.12, abs=0.4), (right, forward, height)
    # at the places themselves there is nothing to interpolate
    x, y = ground.origin[0] + 0.02 * 30, ground.origin[1] + 0.02 * 40
    exact = statistic_at("single", scene, rest, x, y, 0.05)
    assert ground.at(np.array([x]), np.array([y]), np.array([0.05]))[0] == pytest.approx(
        exact, rel=1e-5, abs=1e-5
    )


def test_a_detector_is_balanced_on_its_ground():
    """Ground that conducts hums at the height of work, and is heard when the head rises."""
    made = make_training(
        Course(seed=2, n_open=0, n_blind=1, length=1.0, soil="saline_gypsum", clutter="none")
    )
    threshold = made.course.voice.threshold
    pad = made.grounds[0].statistic
    assert np.median(pad[2]) < threshold / 4
    corner = pad[:, :10, :10].mean(axis=(1, 2))  # far from the piece
    assert corner[2] < threshold / 2
    assert corner[-1] > corner[2]


def test_beyond_the_ground_there_is_no_statistic(training):
    """NaN, which is heard as a fault; below and above, the last height holds."""
    ground = lane_of(training, "open")
    found = ground.at(
        np.array([0.71, 0.0, 0.0]), np.array([1.0, -0.21, 2.21]), np.full(3, 0.05)
    )
    assert np.isnan(found).all()
    low, lowest = ground.at(np.zeros(2), np.full(2, 0.5), np.array([0.0, 0.03]))
    assert low == lowest


def test_one_coil_peaks_over_the_test_piece_and_a_double_d_changes_sign(training, signed):
    """Across the piece: one maximum in the middle; left less than zero, right more."""
    offset = np.linspace(-0.25, 0.25, 51)
    for made, head in ((training, "single"), (signed, "double-d")):
        pad = lane_of(made, "check")
        ((right, forward),) = targets_of(pad)
        heard = pad.at(right - offset, np.full(51, forward), np.full(51, 0.05))
        near = np.abs(offset) < 0.1
        if head == "single":
            assert abs(offset[np.argmax(heard)]) < 0.03
            assert heard.max() > 20
        else:  # the piece is right of the head where the offset is positive
            assert (heard[near & (offset > 0.03)] > 4).all()
            assert (heard[near & (offset < -0.03)] < -4).all()


BAD_COURSES = [
    ({"seed": -1}, "Invalid seed"),
    ({"n_blind": 0}, "Invalid n_blind"),
    ({"n_open": 9}, "Invalid n_open"),
    ({"head": "x"}, "Invalid head"),
    ({"mode": "x"}, "Invalid mode"),
    ({"soil": "x"}, "Invalid soil"),
    ({"clutter": "x"}, "Invalid clutter"),
    ({"length": 0.5}, "Invalid length"),
    ({"length": 11.0}, "Invalid length"),
]


@pytest.mark.parametrize(("options", "message"), BAD_COURSES)
def test_bad_courses_are_named(options, message):
    """The error names the option."""
    with pytest.raises(ValueError, match=message):
        Course(**options)


def test_clutter_is_controlled():
    """None, some or more metal that is no target, the targets staying where they are."""
    made = [_scenario(dataclasses.replace(COURSE, clutter=word)) for word in ("none", "much")]
    densities = [recipe.clutter.resolved().metal_density for recipe in made]
    assert densities == [0.0, 2.0]
    rows = [field(recipe, seed=7).rows_of(1) for recipe in made]
    targets = [[r for r in some if r.is_target] for some in rows]
    assert targets[0] == targets[1]


def test_a_lane_without_a_target_can_be_searched(signed):
    """There is no share of none, but there are false alarms; the sheet says so."""
    assert not signed.truth.targets
    session = Session(signed)
    for k, ground in enumerate(signed.grounds):
        places = targets_of(ground) if ground.kind == "check" else [(0.0, 0.5)]
        session.submit(k, walk(ground, marks=places))
    own = session.result()["blind"]["learner"]
    assert own["pd_swept"] == {"k": 0, "n": 0, "value": None, "low": 0.0, "high": 1.0}
    assert own["false_alarms"]["count"] == 1
    assert "Pd 0 of 0 swept targets" in session.summary()
    assert sheet_page(session.result())


# ---- runs ----

GOOD = {"poses": [[0.0, 0.0, 0.1, 0.05], [0.02, 0.01, 0.1, 0.05]], "marks": [[0.1, 0.0, 0.1]]}
BAD_RUNS = [
    (None, "Must be a table"),
    ([], "Must be a table"),
    ({"poses": []}, "Must be a table"),
    ({**GOOD, "more": 1}, "Must be a table"),
    ({**GOOD, "poses": "abc"}, "Invalid poses. Must be a list"),
    ({**GOOD, "poses": [[0.0, 0.0, 0.1]]}, "row 0 is no list of 4"),
    ({**GOOD, "poses": ["abcd"]}, "row 0 is no list of 4"),
    ({**GOOD, "poses": [[0.0, 0.0, 0.1, "5"]]}, "row 0 is no list of 4"),
    ({**GOOD, "poses": [[0.0, 0.0, 0.1, None]]}, "row 0 is no list of 4"),
    ({**GOOD, "poses": [[0.0, 0.0, 0.1, True]]}, "row 0 is no list of 4"),
    ({**GOOD, "poses": [[0.0, 0.0, 0.1, math.nan]]}, "Must be finite"),
    ({**GOOD, "poses": [[0.0, 0.0, 0.1, 10**400]]}, "Must be finite"),
    ({**GOOD, "poses": [[0.0, 50.0, 0.1, 0.05]]}, "Must be within"),
    ({**GOOD, "poses": [[-1.0, 0.0, 0.1, 0.05]]}, "Must be within"),
    ({**GOOD, "poses": [[0.0, 0.0, 0.1, -0.01]]}, "a height is below 0"),
    ({**GOOD, "poses": [[0.0, 0.0, 0.1, 3.0]]}, "a height is below 0"),
    ({**GOOD, "poses": [GOOD["poses"][0]] * 2}, "row 1 is no later"),
    ({**GOOD, "poses": [[0.0, 0.0, 0.1, 0.05]] * 100_001}, "at most 100000 rows"),
    ({**GOOD, "marks": [[0.0, 0.0, 0.1]] * 501}, "at most 500 rows"),
    ({**GOOD, "marks": [[0.0, math.inf, 0.1]]}, "Must be finite"),
]


@pytest.mark.parametrize(("document", "message"), BAD_RUNS)
def test_bad_runs_are_refused(training, document, message):
    """Whatever comes from outside is a run or a ValueError."""
    with pytest.raises(ValueError, match=message):
        read_run(document, lane_of(training, "open"))


def test_a_run_is_a_sweep_with_its_flags(training):
    """Too high, too fast, away, beyond the ground: each is flagged, the rest is credited."""
    ground = lane_of(training, "open")
    poses = [[0.02 * k, 0.2 * 0.02 * k, 0.5, 0.05] for k in range(50)]  # 0.2 m/s
    poses[10][3] = 0.09
    for k in range(30, 50):
        poses[k][1] += 0.02 * (k - 30)  # 1.2 m/s
    poses += [[5.0 + 0.02 * k, 0.3, 1.0, 0.05] for k in range(5)]
    poses += [[5.2, -0.9, 1.0, 0.05]]
    run = read_run({"poses": poses, "marks": []}, ground)
    sweep = sweep_of(run, ground, LIMITS)
    has = {flag: np.flatnonzero(sweep.quality & flag) for flag in Quality}
    npt.assert_array_equal(has[Quality.HEIGHT_LIMIT], [10])
    fast = has[Quality.SPEED_LIMIT]
    assert 31 <= fast[0] <= 34  # over a twentieth of a second
    npt.assert_array_equal(fast[:-1], np.arange(fast[0], 50))
    npt.assert_array_equal(has[Quality.GAP], [50])
    npt.assert_array_equal(has[Quality.NOT_FINITE], [55])
    npt.assert_allclose(speeds_of(run)[5:30], 0.2, rtol=1e-2)
    assert "SYNTHETIC" in sweep.history[0]
    npt.assert_allclose(sweep.position[3], [poses[3][1] + ground.start[0], 0.5, 0.05])


@pytest.mark.parametrize("step", [0.08, 0.12, 0.25])
def test_overlap_is_the_share_of_the_footprint(training, step):
    """Strokes a distance apart share 1 - distance / diameter of it, or leave a strip."""
    ground = lane_of(training, "open")
    found = overlaps_of(perfect(ground, step=step), ground)
    assert len(found) >= 2.0 / step - 2
    npt.assert_allclose(np.median(found), 1 - step / 0.2, atol=0.05)  # 8 mm a pose


# ---- scores ----


def test_a_perfect_run_finds_everything(training):
    """All targets, no false mark, the whole lane, within the limits."""
    ground = lane_of(training, "open")
    found = search_of([(ground, perfect(ground))], LIMITS, seed=1)
    own = found["learner"]
    n = len(ground.truth.targets)
    assert n >= 2
    assert (own["pd_swept"]["k"], own["pd_swept"]["n"]) == (n, n)
    assert own["false_alarms"]["count"] == 0
    assert own["missed_though_swept"] == own["not_swept"] == 0
    assert found["pinpoint_greatest_m"] < 1e-4
    # the exact interval of n of n: (alpha / 2) ** (1 / n)
    assert own["pd_swept"]["low"] == pytest.approx(0.025 ** (1 / n))
    lane = compliance_of(ground, perfect(ground), LIMITS)
    assert lane["observed_share"] == 1.0
    assert lane["not_observed_m2"] == {}
    assert lane["height_within"] == lane["speed_within"] == lane["overlap_within"] == 1.0


def test_missed_though_swept_is_not_not_swept(training):
    """The same missing mark counts as one or the other, by where the head was."""
    ground = lane_of(training, "open")
    targets = targets_of(ground)
    whole = search_of([(ground, read_run(walk(ground), ground))], LIMITS, seed=1)
    assert whole["learner"]["missed_though_swept"] == len(targets)
    assert whole["learner"]["not_swept"] == 0
    middle = (min(y for _, y in targets) + max(y for _, y in targets)) / 2
    below = sum(y < middle for _, y in targets)
    part = search_of(
        [(ground, read_run(walk(ground, upto=middle - 0.2), ground))], LIMITS, seed=1
    )
    assert part["learner"]["missed_though_swept"] <= below
    assert part["learner"]["not_swept"] >= len(targets) - below > 0
    assert part["learner"]["pd_total"]["n"] == len(targets)


@pytest.mark.parametrize(
    ("options", "reason"),
    [({"height": 0.10}, "HEIGHT_LIMIT"), ({"speed": 1.2}, "SPEED_LIMIT")],
)
def test_a_sweep_beyond_a_limit_observes_nothing(training, options, reason):
    """Marks on every target do not help where the head was too high or too fast."""
    ground = lane_of(training, "open")
    run = perfect(ground, **options)
    lane = compliance_of(ground, run, LIMITS)
    assert lane["observed_share"] < 0.1
    assert lane["not_observed_m2"][reason] > 1.5
    word = reason.split("_", maxsplit=1)[0].lower()
    assert lane[f"{word}_within"] < 0.2


def test_an_empty_run_is_not_scored(training):
    """Nothing was swept: no rate, no share, and the reason."""
    ground = lane_of(training, "open")
    run = read_run({"poses": [], "marks": []}, ground)
    found = search_of([(ground, run)], LIMITS, seed=1)
    assert found == {"is_scored": False, "reason": "nothing was swept within the limits"}
    lane = compliance_of(ground, run, LIMITS)
    assert lane["observed_m2"] == 0
    assert lane["height_mean_m"] is lane["overlap_median"] is None
    assert lane["not_observed_m2"] == {"NOT_SWEPT": lane["wanted_m2"]}


def test_false_marks_are_counted_and_compared(training):
    """False marks per square metre; the operators beside the learner frame the figures."""
    ground = lane_of(training, "open")
    targets = targets_of(ground)
    grid = [(x, y) for x in np.arange(-0.4, 0.5, 0.2) for y in np.arange(0.1, 2.0, 0.2)]
    wrong = [p for p in grid if min(math.dist(p, t) for t in targets) > 0.35][:6]
    run = read_run(walk(ground, marks=[*targets, *wrong]), ground)
    found = search_of([(ground, run)], LIMITS, seed=1)
    own = found["learner"]
    assert own["false_alarms"]["count"] == len(wrong) >= 3
    assert own["false_alarms"]["value"] == pytest.approx(
        len(wrong) / own["false_alarms"]["area"]
    )
    everything, random = found["everything"], found["random"]
    assert everything["pd_swept"]["value"] == 1.0
    assert everything["false_alarms"]["value"] > 50
    assert 0 < random["pd_swept_mean"] < 0.6
    assert random["false_alarms_mean"] > own["false_alarms"]["value"] / 3
    again = search_of([(ground, run)], LIMITS, seed=1)
    assert again == found


def test_a_check_needs_a_mark_and_a_sweep(training):
    """Marked and swept: passed. Not marked, not swept, or marked all over: failed."""
    pad = lane_of(training, "check")
    assert check_of(pad, perfect(pad), LIMITS)["passed"]
    assert check_of(pad, None, LIMITS)["reason"] == "not done"
    assert check_of(pad, read_run(walk(pad), pad), LIMITS)["reason"] == "missed swept"
    high = check_of(pad, perfect(pad, height=0.2), LIMITS)
    assert (high["passed"], high["reason"]) == (False, "nothing was swept within the limits")
    everywhere = [(x, y) for x in (-0.35, 0.0, 0.35) for y in (0.05, 0.4, 0.75)]
    many = read_run(walk(pad, marks=everywhere), pad)
    assert not check_of(pad, many, LIMITS)["passed"]


def test_a_failed_closing_check_makes_the_run_worth_nothing(training):
    """The score is still shown, and said to be invalid."""
    runs = {ground.name: perfect(ground) for ground in training.grounds}
    assert result_of(training, runs)["is_valid"]
    last = training.grounds[-1]
    runs[last.name] = read_run(walk(last), last)
    found = result_of(training, runs)
    assert not found["is_valid"]
    assert found["blind"]["learner"]["pd_swept"]["value"] == 1.0


# ---- session, seal ----


def finish(session):
    """Do every ground as well as can be, with the truth at hand."""
    for k, ground in enumerate(session.training.grounds):
        session.submit(k, walk(ground, marks=targets_of(ground)))


def secrets_of(training):
    """Return what would give the blind targets away: their places and identifiers."""
    words = []
    for ground in training.blind:
        for item in ground.truth.objects:
            words += [str(item.easting), str(item.northing), item.identifier]
            words.append(str(round(item.easting - ground.start[0], 6)))
    return [word for word in words if len(word) > 5]


def test_the_truth_is_not_given_out_before_the_end(training, tmp_path):
    """Neither page nor answers hold it, nor the seed and the salt; the seal fits it then."""
    session = Session(training, folder=tmp_path)
    words = [*secrets_of(training), training.salt]
    assert len(words) > 5
    given = [json.dumps(session.configuration()), trainer_page(session.configuration())]
    for k, ground in enumerate(training.grounds):
        with pytest.raises(OutOfTurn, match="sealed"):
            session.result()
        with pytest.raises(OutOfTurn, match="sealed"):
            session.sheet()
        session.statistic(k)
        document = walk(ground, marks=[(0.0, 0.4)])
        answer = session.submit(k, document)
        if not answer["finished"]:
            given.append(json.dumps(answer))
            given.append((tmp_path / "run.json").read_text())
    for text in given:
        assert training.seal in text or "seal" not in text
        assert [word for word in words if word in text] == []
    assert '"seed"' not in given[0]
    result = session.result()
    assert hashlib.sha256(result["sealed"].encode()).hexdigest() == training.seal
    assert all(word in json.dumps(result) for word in words)


def test_grounds_come_once_and_in_turn(training):
    """No look ahead, no second try, no name after the start."""
    session = Session(training)
    session.start({"learner": " Ada "})
    with pytest.raises(OutOfTurn, match="Must be 0"):
        session.statistic(2)
    with pytest.raises(OutOfTurn, match="Must be 0"):
        session.submit(1, GOOD)
    with pytest.raises(ValueError, match="Invalid poses"):
        session.submit(0, {**GOOD, "poses": 5})
    assert session.step == 0
    session.submit(0, GOOD)
    with pytest.raises(OutOfTurn, match="Must be 1"):
        session.submit(0, GOOD)
    with pytest.raises(OutOfTurn, match="has begun"):
        session.start({"learner": "Eve"})
    session.finish()
    with pytest.raises(OutOfTurn):
        session.submit(4, GOOD)
    result = session.result()
    assert result["learner"] == "Ada"
    assert not result["is_valid"]
    assert [check["reason"] for check in result["checks"]][-1] == "not done"


@pytest.mark.parametrize("name", [5, None, "x" * 61, "a\nb", "a\x00", {"a": 1}])
def test_bad_names_are_refused(training, name):
    """A name is a short line of text."""
    with pytest.raises(ValueError, match="Invalid learner"):
        Session(training).start({"learner": name})


@pytest.mark.slow
def test_a_run_is_scored_again_to_the_byte(training, tmp_path, capsys, monkeypatch):
    """From run.json alone, by the command: the same sheet; and a changed one is refused."""
    monkeypatch.setattr(trainersession, "make_training", functools.cache(make_training))
    session = Session(training, folder=tmp_path)
    session.start({"learner": "Ada"})
    finish(session)
    for name in ("sheet.json", "sheet.html"):
        assert (tmp_path / name).stat().st_size > 1000
    other = tmp_path / "again"
    code = main(["trainer", "--run", str(tmp_path / "run.json"), "--output", str(other)])
    said = capsys.readouterr().out
    assert code == 0
    assert "SYNTHETIC practice. Practice aid, not a qualification." in said
    assert "Pd 1 of 1 swept targets" in said
    for name in ("run.json", "sheet.json", "sheet.html"):
        assert (other / name).read_bytes() == (tmp_path / name).read_bytes()
    document = json.loads((tmp_path / "run.json").read_text())
    for change, message in (
        ({"seal": "0" * 64}, "its seal is not that"),
        (
            {"course": {**document["course"], "n_open": 0, "length": 1.0}},
            "its seal is not that",
        ),
        ({"course": {**document["course"], "more": 4}}, "more"),
        ({"limits": {"height": -1.0}}, "height"),
        ({"format": "x"}, "with format"),
        ({"learner": 5}, "Invalid learner"),
        ({"date": "x" * 99}, "its date is none"),
        ({"runs": {"lane": {}}}, "runs of other grounds"),
        ({"runs": {"open 1": {"poses": 5, "marks": []}}}, "Invalid poses"),
    ):
        bad = tmp_path / "bad.json"
        bad.write_text(json.dumps({**document, **change}))
        with pytest.raises(ValueError, match=message):
            read_session(bad)
    bad.write_text("[" * 100_000)
    with pytest.raises(ValueError, match="is no JSON"):
        read_session(bad)
    code = main(["trainer", "--output", str(tmp_path), "--seed", "3"])
    assert code == 2
    assert "holds a run already" in capsys.readouterr().err


def test_the_sheet_stands_alone_and_escapes_everything(training):
    """No address but its own, no markup from a name, the words that must be there."""
    session = Session(training)
    session.start({"learner": "</script><script>alert(1)</script>&<b>"})
    finish(session)
    page = sheet_page(session.result())
    assert "SYNTHETIC" in page
    assert "Practice aid, not a qualification" in page
    assert "certifies nothing" in page
    assert "alert(1)</script>" not in page
    assert page.count("<script") == page.count("</script>") == 2
    for word in ("http:", "https:", "src=", "@import", "url("):
        assert word not in page.replace('content="default-src', ""), word
    assert embedded("<&>") == '"\\u003c\\u0026\\u003e"'
    shown = page.lower().replace("certifies nothing", "")
    for word in ("cleared", "is safe", "is clear", "are clear", "mine-free"):
        assert word not in shown


# ---- server ----


@pytest.fixture
def server(training):
    """Return a server on loopback, running."""
    yield from served(Session(training))


def served(session, **options):
    """Yield a server that runs in a thread."""
    with TrainerServer(session, host="127.0.0.1", port=0, **options) as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def ask(server, method, path, body=None, **headers):
    """Return status, headers and body of an answer."""
    link = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=10)
    given = {"Content-Type": "application/json"} if body is not None else {}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    link.request(method, path, body=body, headers=given)
    answer = link.getresponse()
    found = answer.status, dict(answer.headers), answer.read()
    link.close()
    return found


def test_a_course_over_the_wire(server, training):
    """Page, statistic, run, result, sheet: each when it is its turn."""
    status, headers, page = ask(server, "GET", "/")
    assert status == 200
    assert b"SYNTHETIC" in page
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Frame-Options"] == "DENY"
    assert ask(server, "POST", "/start", json.dumps({"learner": "Ada"}))[0] == 200
    for k, ground in enumerate(training.grounds):
        assert ask(server, "GET", "/result")[0] == 409
        assert ask(server, "GET", "/sheet.html")[0] == 409
        assert ask(server, "GET", "/run.json")[0] == 409
        status, _, data = ask(server, "GET", f"/ground/{k}")
        found = np.sinh(np.frombuffer(data, "<f4")).reshape(ground.statistic.shape)
        npt.assert_allclose(found, ground.statistic, rtol=1e-5, atol=1e-6)
        body = json.dumps(walk(ground, marks=targets_of(ground)))
        status, _, answer = ask(server, "POST", f"/ground/{k}", body)
        assert status == 200
        assert ("feedback" in json.loads(answer)) == (ground.kind != "blind")
        assert ask(server, "POST", f"/ground/{k}", body)[0] == 409
    result = json.loads(ask(server, "GET", "/result")[2])
    assert result["is_valid"]
    assert result["blind"]["learner"]["pd_swept"]["value"] == 1.0
    assert b"Instructor" in ask(server, "GET", "/sheet.html")[2]
    assert json.loads(ask(server, "GET", "/run.json")[2])["learner"] == "Ada"


BAD_BODIES = [
    (b"", 400),
    (b"{", 400),
    (b"\xff\xfe", 400),
    (b"[" * 200_000, 400),
    (b'{"poses": [[NaN, 0, 0, 0]], "marks": []}', 400),
    (b'{"poses": [[1' + b"0" * 100_000 + b', 0, 0, 0]], "marks": []}', 400),
    (b'{"poses": [], "marks": [[1e999, 0, 0]]}', 400),
    (b"null", 400),
    (b'"poses"', 400),
]


@pytest.mark.parametrize(("body", "expected"), BAD_BODIES)
def test_bad_bodies_are_refused(server, body, expected):
    """Whatever the bytes are: an answer, no crash, and the session as before."""
    status, _, answer = ask(server, "POST", "/ground/0", body)
    assert status == expected
    assert b"Traceback" not in answer
    assert server.session.step == 0
    assert ask(server, "GET", "/")[0] == 200


BAD_REQUESTS = [
    ("GET", "/ground/1", {}, 409),
    ("GET", "/ground/99999999999999999999", {}, 404),
    ("GET", "/ground/-1", {}, 404),
    ("GET", "/ground/%D9%A3", {}, 404),
    ("GET", "/../../etc/passwd", {}, 404),
    ("GET", "/page.js", {}, 404),
    ("POST", "/other", {"body": "{}"}, 404),
    ("POST", "/start", {"body": "{}", "Content_Type": "text/plain"}, 415),
    ("POST", "/start", {"Content_Length": "abc"}, 411),
    ("POST", "/start", {"Content_Length": "-5"}, 411),
    ("POST", "/start", {"Content_Length": str(MOST_BYTES + 1)}, 413),
    ("POST", "/start", {"Content_Length": "9" * 5000}, 413),
    ("GET", "/", {"Host": "evil.example"}, 403),
    ("GET", "/", {"Host": "127.0.0.1.evil.example:80"}, 403),
    ("GET", "/", {"Origin": "http://evil.example"}, 403),
    ("POST", "/start", {"body": "{}", "Origin": "null"}, 403),
    ("PUT", "/", {}, 501),
]


@pytest.mark.parametrize(("method", "path", "options", "expected"), BAD_REQUESTS)
def test_bad_requests_are_refused(server, method, path, options, expected):
    """By status, without reading what was announced."""
    headers = {k: v for k, v in options.items() if k != "body"}
    assert ask(server, method, path, options.get("body"), **headers)[0] == expected


def test_a_server_for_others_asks_for_a_token(training):
    """Without it nothing is given out; where others can connect there is none without."""
    with pytest.raises(ValueError, match="without a token"):
        TrainerServer(Session(training), host="0.0.0.0", port=0)
    with pytest.raises(ValueError, match="without a token"):
        TrainerServer(Session(training), host="example.org", port=0)
    for server in served(Session(training), token="s3cret"):
        assert ask(server, "GET", "/")[0] == 403
        assert ask(server, "GET", "/?token=s3cre")[0] == 403
        assert ask(server, "GET", "/?token=%F0%9F%98%80")[0] == 403
        assert ask(server, "GET", "/?token=s3cret", Host="192.0.2.1:80")[0] == 200
        assert ask(server, "GET", "/ground/0")[0] == 403
        assert ask(server, "POST", "/finish", "{}")[0] == 403
        assert ask(server, "POST", "/finish?token=s3cret", "{}")[0] == 200
        assert server.address.endswith("/?token=s3cret")


def test_connections_are_limited_and_silent_ones_end(training, monkeypatch):
    """More connections than there is room for are closed; one that says nothing is, too."""
    monkeypatch.setattr(trainerserver._Handler, "timeout", 0.5)
    monkeypatch.setattr(TrainerServer, "most_connections", 3)
    for server in served(Session(training)):
        address = server.server_address
        silent = [socket.create_connection(address, timeout=5) for _ in range(3)]
        one_more = socket.create_connection(address, timeout=5)
        one_more.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        try:
            refused = one_more.recv(100) == b""
        except ConnectionError:
            refused = True
        assert refused
        assert [link.recv(100) for link in silent] == [b""] * 3
        for link in (*silent, one_more):
            link.close()
        assert ask(server, "GET", "/")[0] == 200


def test_a_connection_that_drips_ends(training, monkeypatch):
    """A byte now and then keeps no place for ever."""
    monkeypatch.setattr(TrainerServer, "deadline", 0.6)
    for server in served(Session(training)):
        with socket.create_connection(server.server_address, timeout=5) as link:
            link.settimeout(0.1)
            n_sent, answer = 0, None
            while answer is None and n_sent < 50:
                link.sendall(b"G")
                n_sent += 1
                with contextlib.suppress(TimeoutError):
                    answer = link.recv(100)
            assert 2 < n_sent < 40
            assert answer == b"" or answer.startswith(b"HTTP/1.0 4")
        assert ask(server, "GET", "/")[0] == 200


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=20,
)
rows = st.lists(st.lists(st.floats(-2, 3) | json_values, min_size=3, max_size=4), max_size=6)


@settings(deadline=None, derandomize=True, max_examples=100)
@given(document=json_values | st.fixed_dictionaries({"poses": rows, "marks": rows}))
def test_any_document_is_a_run_or_refused(document):
    """Whatever JSON can hold: a ValueError, or a run that makes a sweep."""
    ground = Ground(
        name="g",
        kind="blind",
        width=1.0,
        length=2.0,
        start=(0.5, 0.0),
        area=(0.0, 0.0, 1.0, 2.0, "g"),
        truth=Truth(objects=()),
        statistic=np.zeros((10, 121, 71), np.float32),
    )
    run = None
    with contextlib.suppress(ValueError):  # any other error fails the test
        run = read_run(document, ground)
    if run is None:
        return
    sweep = sweep_of(run, ground, LIMITS)
    assert len(sweep) == len(document["poses"])
    found = search_of([(ground, run)], LIMITS, seed=1)
    assert found["is_scored"] in (True, False)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_serves_and_stops(tmp_path, number):
    """As a user starts it: an address, a page, no trace of a fault when it is stopped."""
    words = [sys.executable, "-m", "minesense", "trainer", "--seed", "4", "--port", "0"]
    words += ["--open-lanes", "0", "--blind-lanes", "1", "--length", "1"]
    words += ["--output", str(tmp_path / "out")]
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path
    ) as process:
        end = threading.Timer(240.0, process.kill)  # of a command that does not stop
        end.start()
        said = [process.stderr.readline() for _ in range(3)]
        address = re.search(r"http://127\.0\.0\.1:(\d+)/", said[2])
        assert address, said
        link = http.client.HTTPConnection("127.0.0.1", int(address[1]), timeout=20)
        link.request("POST", "/finish", body="{}", headers={"Content-Type": "application/json"})
        assert link.getresponse().status == 200
        process.send_signal(number)
        out, err = process.communicate()
        end.cancel()
    assert process.returncode == 0
    assert "INVALID: a check with the test piece failed or was not done." in out
    assert "sheet.html" in out
    assert err == ""
    assert (tmp_path / "out" / "sheet.html").exists()
    assert "Traceback" not in out + err


BAD_COMMANDS = [
    (["--port", "99999"], "between"),
    (["--blind-lanes", "0"], "Invalid n_blind"),
    (["--open-lanes", "9"], "Invalid n_open"),
    (["--soil", "cheese"], "Invalid soil"),
    (["--length", "20"], "Invalid length"),
    (["--run", "missing.json"], "No such file"),
]


@pytest.mark.parametrize(("words", "message"), BAD_COMMANDS)
def test_bad_commands_say_what_is_wrong_in_a_line(words, message, tmp_path, capsys):
    """Exit code 2, one line, no traceback."""
    try:
        code = main(["trainer", "--output", str(tmp_path / "out"), *words])
    except SystemExit as error:  # of the parser
        code = error.code
    said = capsys.readouterr().err
    assert code == 2
    assert message in said or "--port" in said
    assert said.count("\n") == 1


def test_an_empty_lane_has_the_shape_it_needs(training):
    """A ground is what the page expects: heights, forward, right."""
    for ground in training.grounds:
        assert isinstance(ground, Ground)
        n_forward = round((ground.length + 0.4) / 0.02) + 1
        n_right = round((ground.width + 0.4) / 0.02) + 1
        assert ground.statistic.shape == (10, n_forward, n_right)
        assert np.isfinite(ground.statistic).all()
