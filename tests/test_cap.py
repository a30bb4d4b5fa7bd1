"""Test the cap on candidates: what it keeps, what it says, and that chunks do not matter."""

import dataclasses
import itertools
import json

import numpy as np
import numpy.testing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lanes import make_coils, make_sensor, make_sweep
from report_cases import make_results
from test_candidates import cells, make_scores, stream
from test_report import Page
from test_screen import SETTINGS, radar_lane

from minesense.alarm import Withheld
from minesense.apps.detect import field_quality
from minesense.detect import (
    CandidateCap,
    DetectorSettings,
    RadarSettings,
    Screen,
    read_settings,
)
from minesense.detect.candidates import ExtractCandidates, extract_candidates
from minesense.report import field_report

OPTIONS = {"spacing": 0.05, "merge_radius": 0.06, "threshold": 20.0}
CAP = {"most_per_area": 8.0, "stretch": 0.5, "swath": 0.6}  # 10 traces, 0.3 m^2, 2 kept


def naive_cap(found, n_traces, *, n_stretch, area, density):
    """Return cells kept, and found and kept of each stretch in which some were not."""
    kept, acted = [], []
    for start in range(0, n_traces, n_stretch):
        length = min(n_stretch, n_traces - start)
        inside = [c for c in found if start <= c.trace < start + length]
        most = max(1, int(density * area * length / n_stretch + 1e-9))
        best = sorted(inside, key=lambda c: (-c.score, c.trace, c.channel))[:most]
        kept += sorted((c.trace, c.channel) for c in best)
        if len(inside) > most:
            acted.append((len(inside), most))
    return kept, acted


@given(
    n_traces=st.integers(0, 50),
    seed=st.integers(0, 9),
    density=st.sampled_from([4.0, 8.0, 11.0, 40.0]),
    where=st.lists(st.integers(0, 50), max_size=8).map(sorted),
)
def test_the_best_of_each_stretch_are_kept(n_traces, seed, density, where):
    """Every stretch by definition, however the lane is cut; the record tells what is not."""
    sweep = make_scores(n_traces=n_traces, seed=seed)
    stage = ExtractCandidates(**OPTIONS, **CAP | {"most_per_area": density})
    kept = stream(stage, sweep, where)
    found = extract_candidates(sweep, **OPTIONS)
    expected, acted = naive_cap(found, n_traces, n_stretch=10, area=0.3, density=density)
    assert cells(kept) == expected
    withheld = stage.take_withheld()
    assert [(w.n_found, w.n_kept) for w in withheld] == acted
    assert sum(w.n_found - w.n_kept for w in withheld) == len(found) - len(kept)
    assert stage.take_withheld() == []


@given(where=st.lists(st.integers(0, 50), max_size=8).map(sorted))
def test_the_record_does_not_depend_on_chunks(where):
    """Times, areas and scores of the record are the same in every field, taken early or not."""
    sweep, whole = make_scores(), ExtractCandidates(**OPTIONS, **CAP)
    stream(whole, sweep, [])
    bounds = [0, *where, len(sweep)]
    stage, record = ExtractCandidates(**OPTIONS, **CAP), []
    for a, b in itertools.pairwise(bounds):
        stage.process(sweep[a:b])
        record += stage.take_withheld()
    stage.flush()
    record += stage.take_withheld()
    assert record == whole.take_withheld()
    assert record
    for entry in record:
        first = round(entry.start_time / 0.1)
        assert entry.start_time == sweep.time[first]
        assert entry.stop_time == sweep.time[first + 9]
        assert first % 10 == 0
        npt.assert_allclose(entry.area, 0.3)


def test_without_a_cap_nothing_is_held_back():
    """The default keeps every candidate and has no record; so has a cap that is not reached."""
    sweep = make_scores()
    stage = ExtractCandidates(**OPTIONS)
    assert stream(stage, sweep, []) == extract_candidates(sweep, **OPTIONS)
    assert stage.take_withheld() == []
    assert stage.latency == 2
    wide = ExtractCandidates(**OPTIONS, **CAP | {"most_per_area": 1e3})
    assert stream(wide, sweep, [7]) == extract_candidates(sweep, **OPTIONS)
    assert wide.take_withheld() == []


def test_a_cap_is_never_silent():
    """The function warns with the number that is missing."""
    with pytest.warns(UserWarning, match=r"cap of 8\.0 per m\^2 held \d+ candidates back in"):
        extract_candidates(make_scores(), **OPTIONS, **CAP)


def test_latency_is_as_declared():
    """After n traces the candidates of the first n - latency are out, and more may be."""
    sweep, stage, out = make_scores(), ExtractCandidates(**OPTIONS, **CAP), []
    expected = stream(ExtractCandidates(**OPTIONS, **CAP), sweep, [])
    assert stage.latency == 2 + 9
    for n in range(1, len(sweep) + 1):
        out += stage.process(sweep[n - 1 : n])
        due = [c for c in expected if c.trace < n - stage.latency]
        assert out[: len(due)] == due
    assert out + stage.flush() == expected


def test_the_next_lane_starts_afresh():
    """A reset drops the stretch and its record, a flush keeps the record."""
    stage, sweep = ExtractCandidates(**OPTIONS, **CAP), make_scores()
    stage.process(sweep[:33])
    stage.reset()
    assert stage.take_withheld() == []
    first = [*stage.process(sweep), *stage.flush()]
    second = [*stage.process(sweep), *stage.flush()]
    assert first == second
    record = stage.take_withheld()
    assert record[: len(record) // 2] == record[len(record) // 2 :]


def test_the_swath_is_that_of_the_channels():
    """Three channels 12.5 cm apart look at 37.5 cm; one alone must be told."""
    sweep = make_scores()
    density = 2 / (0.5 * 0.375)  # just two a stretch
    given = ExtractCandidates(**OPTIONS, most_per_area=density, stretch=0.5, swath=0.375)
    found = ExtractCandidates(**OPTIONS, most_per_area=density, stretch=0.5)
    assert stream(given, sweep, []) == stream(found, sweep, [])
    assert given.take_withheld() == found.take_withheld() != []
    lone = make_sweep(np.zeros((4, 1, 1)), sensor=make_coils(1, 1))
    with pytest.raises(ValueError, match=r"Invalid swath 'None' .* not side by side"):
        found.process(lone)
    sensor = dataclasses.replace(make_sensor(2, 1), lever_arms=np.zeros((2, 3)))
    above = make_sweep(np.zeros((4, 2, 1)), sensor=sensor)
    with pytest.raises(ValueError, match="Invalid swath 'None'"):
        found.process(above)


def test_the_stage_shows_its_cap():
    """The cap is part of how the stage was made."""
    stage = ExtractCandidates(**OPTIONS, **CAP)
    assert repr(stage).endswith("most_per_area=8.0, stretch=0.5, swath=0.6)")


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"most_per_area": 0}, "Invalid most_per_area '0.0'"),
        ({"stretch": -1}, "Invalid stretch '-1.0'"),
        ({"swath": np.nan}, "Invalid swath 'nan'"),
        ({"stretch": 0.1}, r"Invalid stretch '0\.1'\. Must hold .* allow 0\.48\. Take it"),
    ],
)
def test_bad_options_are_named(bad, message):
    """The error names the option, shows its value and states the rule."""
    with pytest.raises(ValueError, match=message):
        ExtractCandidates(**OPTIONS, **CAP | bad).process(make_scores())
    with pytest.raises(ValueError, match=message):
        CandidateCap(spacing=0.05, **CAP | bad)


# --- on the way to the user


def capped(settings, **options):
    """Return settings with a cap for the radar."""
    return dataclasses.replace(settings, radar=dataclasses.replace(settings.radar, **options))


def test_a_screen_reports_its_cap():
    """What a cap holds back of a lane is part of what the screen found."""
    lane = radar_lane()
    screen, free = Screen(capped(SETTINGS, most_per_area=1.6)), Screen(SETTINGS)
    screen.push(lane)
    free.push(lane)
    result, all_of_it = screen.finish(), free.finish()
    # two channels 12.5 cm apart and 10 cm beyond them, 2 m: no more than one
    kept = [c for part in result.parts for c in part.candidates]
    found = [c for part in all_of_it.parts for c in part.candidates]
    assert len(kept) < len(found)
    assert sum(w.n_found - w.n_kept for w in result.withheld) == len(found) - len(kept)
    assert result.withheld[0].sensor == "gpr"
    assert result.withheld[0].lane == lane.lane
    assert all_of_it.withheld == ()


def test_settings_take_a_cap():
    """A document may set it for each sensor; what cannot be is refused."""
    settings = read_settings({"radar": {"most_per_area": 1}, "coils": {"cap_stretch": 4.0}})
    assert settings.radar.most_per_area == 1.0
    assert settings.coils.most_per_area is None
    assert read_settings(settings.as_dict()) == settings
    with pytest.raises(ValueError, match=r"Invalid most_per_area '0\.0'"):
        DetectorSettings(radar=RadarSettings(most_per_area=0.0))
    with pytest.raises(ValueError, match=r"cap_stretch '-1\.0'"):
        read_settings({"coils": {"cap_stretch": -1.0}})


def test_the_report_and_the_files_say_where_a_cap_acted(tmp_path):
    """A table and its warning in the report, an entry in the file; neither without a cap."""
    results = make_results()
    entry = Withheld(
        sensor="gpr",
        lane="lane 1",
        start_time=1.0,
        stop_time=3.0,
        area=2.5,
        n_found=7,
        n_kept=2,
        best_score=13.25,
    )
    main = dataclasses.replace(results.detections[results.main], withheld=(entry,))
    assert json.loads(json.dumps(field_quality(main)))["withheld_by_cap"] == [
        dataclasses.asdict(entry)
    ]
    changed = dataclasses.replace(results, detections=results.detections | {results.main: main})
    pages = [
        Page(field_report(tmp_path / "r.html", which, configuration={}, versions={}))
        for which in (results, changed)
    ]
    texts = [" ".join(page.text.split()) for page in pages]
    assert "cap on candidates" not in texts[0]
    assert "Stretches in which the cap on candidates held some back" in texts[1]
    assert "13.25" in texts[1]
    assert "Pd is a lower bound" in texts[1]
