"""Test how candidates of both sensors become places."""

import dataclasses
import math

import numpy as np
import numpy.testing as npt
from lanes import make_coils, make_sensor, make_sweep

from minesense.alarm import Candidate
from minesense.detect import (
    DetectorSettings,
    Part,
    Screened,
    Site,
    features_of,
    find_sites,
)
from minesense.sweep import Quality

SETTINGS = DetectorSettings()


def screened(kind, *places, northing=None, n_traces=81, quality=None):
    """Return a screen that noticed cells: (trace, channel, score) on 2 channels."""
    spacing = 0.025 if kind == "gpr" else 0.05
    sensor = make_sensor(2, 96, interval=6.25e-11) if kind == "gpr" else make_coils(2)
    rng = np.random.default_rng(seed=1)
    northing = spacing * np.arange(n_traces) if northing is None else northing
    options = {
        "position": np.column_stack([0 * northing, northing, 0 * northing]),
        "time": 0.1 * np.arange(n_traces),
        "quality": np.zeros(n_traces, np.int64) if quality is None else quality,
    }
    processed = make_sweep(rng.normal(size=(n_traces, *sensor.shape)), sensor=sensor, **options)
    values = np.zeros((n_traces, 2, 1))
    for trace, channel, score in places:
        values[trace, channel] = score
    values[(options["quality"] & Quality.NOT_FINITE) != 0] = np.nan
    scores = make_sweep(
        values, sensor=dataclasses.replace(sensor, axis=sensor.axis[:1], head=None), **options
    )
    cells = scores.channel_position
    part = Part(
        processed=processed,
        scores=scores,
        candidates=tuple(
            Candidate(
                sensor=kind,
                lane="lane 1",
                trace=trace,
                channel=channel,
                time=0.1 * trace,
                easting=float(cells[trace, channel, 0]),
                northing=float(cells[trace, channel, 1]),
                score=float(score),
                two_way_time=3.5e-9 if kind == "gpr" else math.nan,
            )
            for trace, channel, score in places
        ),
        position=cells,
        best=values[..., 0],
    )
    return Screened(kind=kind, lane="lane 1", parts=(part,), gaps=())


def test_one_sensor_gives_one_place_for_each_candidate():
    """With the features, score, depth and error of that sensor alone."""
    sites = find_sites({"gpr": screened("gpr", (20, 0, 12), (60, 1, 15))}, SETTINGS)
    assert [site.noticed for site in sites] == [("gpr",), ("gpr",)]
    assert [site.scores["gpr"] for site in sites] == [12, 15]
    npt.assert_allclose([site.northing for site in sites], [0.5, 1.5])
    npt.assert_allclose([site.easting for site in sites], [-0.0625, 0.0625])
    npt.assert_allclose([site.depth for site in sites], 1.2e8 * 2e-9 / 2)
    assert all(set(site.features) == {"gpr"} for site in sites)
    assert all(len(site.features["gpr"]) == len(features_of("gpr")) for site in sites)
    assert [site.features["gpr"][0] for site in sites] == [12, 15]


def test_near_candidates_are_one_place_far_ones_two():
    """Two sensors within the fusion radius mean the same place."""
    radar = screened("gpr", (40, 1, 12))  # at 0.0625, 1.0
    near = find_sites({"gpr": radar, "emi": screened("emi", (22, 1, 9))}, SETTINGS)  # 1.1 m
    assert [site.noticed for site in near] == [("gpr", "emi")]
    far = find_sites({"gpr": radar, "emi": screened("emi", (26, 1, 9))}, SETTINGS)  # 1.3 m
    assert sorted(site.noticed for site in far) == [("emi",), ("gpr",)]


def test_a_pair_lies_at_the_mean_weighted_with_inverse_variances():
    """Errors of 4 and 5 cm: weights 625 and 400, and 3.1 cm together."""
    (site,) = find_sites(
        {"gpr": screened("gpr", (40, 1, 12)), "emi": screened("emi", (22, 1, 9))}, SETTINGS
    )
    npt.assert_allclose(site.northing, (625 * 1.0 + 400 * 1.1) / 1025, rtol=1e-9)
    npt.assert_allclose(site.easting, (625 * 0.0625 + 400 * 0.125) / 1025, rtol=1e-9)
    npt.assert_allclose(site.position_error, 1025**-0.5, rtol=1e-9)


def test_pairs_are_taken_nearest_first_and_nothing_is_lost():
    """Of two radar places beside one coil place the nearer gets it; the other stays."""
    radar = screened("gpr", (33, 1, 30), (42, 1, 12))  # 0.825 m and 1.05 m
    coils = screened("emi", (20, 1, 9), (70, 0, 8))  # 1.0 m and 3.5 m
    sites = find_sites({"gpr": radar, "emi": coils}, SETTINGS)
    assert sorted(site.noticed for site in sites) == [("emi",), ("gpr",), ("gpr", "emi")]
    pair = next(site for site in sites if len(site.noticed) == 2)
    assert (pair.scores["gpr"], pair.scores["emi"]) == (12, 9)
    alone = {site.noticed: site for site in sites if len(site.noticed) == 1}
    assert alone["gpr",].scores["gpr"] == 30
    assert alone["emi",].scores["emi"] == 8
    assert [site.time for site in sites] == sorted(site.time for site in sites)


def test_the_centroid_frees_a_place_from_the_channels():
    """Equal scores on two channels put the place between them."""
    screen = screened("gpr", (40, 0, 12))
    screen.parts[0].best[40, 1] = 12
    (site,) = find_sites({"gpr": screen}, SETTINGS)
    npt.assert_allclose(site.easting, 0.0, atol=1e-12)


def test_a_silent_sensor_is_asked_for_its_best_cell():
    """Its score and features there count, though it did not notice the place."""
    coils = screened("emi", n_traces=81)
    coils.parts[0].best[20, 1] = 3.5
    (site,) = find_sites({"gpr": screened("gpr", (40, 1, 12)), "emi": coils}, SETTINGS)
    assert site.noticed == ("gpr",)
    assert site.scores["emi"] == 3.5
    assert np.isfinite(site.features["emi"][0])


def test_each_sensor_was_there_by_its_own_clock():
    """Whether it noticed the place or not; who was not there has no time."""
    radar = screened("gpr", (40, 1, 12))
    part = radar.parts[0]
    later = dataclasses.replace(part.scores, time=part.scores.time + 1000)
    radar = dataclasses.replace(radar, parts=(dataclasses.replace(part, scores=later),))
    coils = screened("emi", n_traces=81)
    coils.parts[0].best[20, 1] = 3.5
    (site,) = find_sites({"gpr": radar, "emi": coils}, SETTINGS)
    assert site.times == {"gpr": later.time[40], "emi": coils.parts[0].scores.time[20]}
    (alone,) = find_sites({"gpr": radar, "emi": screened("emi", n_traces=10)}, SETTINGS)
    assert set(alone.times) == {"gpr"}


def test_a_sensor_that_was_not_there_has_no_say():
    """Dropouts all around: no score, no features, and no vote against the place."""
    quality = np.full(81, int(Quality.NOT_FINITE), np.int64)
    coils = screened("emi", quality=quality)
    (site,) = find_sites({"gpr": screened("gpr", (40, 1, 12)), "emi": coils}, SETTINGS)
    assert math.isnan(site.scores["emi"])
    assert np.isnan(site.features["emi"]).all()
    short = screened("emi", n_traces=10)  # ends at 0.45 m
    (site,) = find_sites({"gpr": screened("gpr", (40, 1, 12)), "emi": short}, SETTINGS)
    assert math.isnan(site.scores["emi"])


def test_candidates_without_a_place_are_never_paired():
    """An unknown position is near to nothing; both candidates stay, and others still pair."""
    northing = 0.025 * np.arange(81)
    northing[10] = np.nan
    quality = np.where(np.isnan(northing), int(Quality.POSE_NONE), 0)
    radar = screened("gpr", (10, 1, 30), (40, 1, 12), northing=northing, quality=quality)
    coils = screened("emi", (20, 1, 9))
    sites = find_sites({"gpr": radar, "emi": coils}, SETTINGS)
    assert sorted(site.noticed for site in sites) == [("gpr",), ("gpr", "emi")]
    lone = next(site for site in sites if site.noticed == ("gpr",))
    assert lone.scores["gpr"] == 30
    assert math.isnan(lone.northing)


def test_a_place_becomes_an_alarm_with_all_it_knows():
    """Its own lane, time, place and flags; no probability unless one is given."""
    place = Site(
        lane="A",
        easting=1.0,
        northing=2.0,
        position_error=0.03,
        depth=0.07,
        time=5.0,
        quality=int(Quality.EDGE),
        noticed=("gpr",),
        scores={"gpr": 3.0},
        features={},
    )
    alarm = place.alarm("X1", score=np.float32(0.5), model="m")
    for name in ("lane", "easting", "northing", "position_error", "depth", "time", "quality"):
        assert getattr(alarm, name) == getattr(place, name)
    assert (alarm.identifier, alarm.score, alarm.model) == ("X1", 0.5, "m")
    assert math.isnan(alarm.probability)
    assert place.alarm("X2", score=0, probability=0.25, quality=0).quality == 0
