"""Test the detector: places, judgement, training, and what it refuses."""

import dataclasses
import math
from types import SimpleNamespace

import numpy as np
import numpy.testing as npt
import pytest
from fields import make_target, make_truth
from lanes import make_coils, make_sensor, make_sweep

from minesense import synthetic
from minesense.alarm import Candidate
from minesense.apps.trainer import label_sites, rate_threshold, train
from minesense.detect import (
    FEATURES,
    Detector,
    DetectorSettings,
    Part,
    Platt,
    Screened,
    check_sensor,
    find_sites,
    log_odds,
    observed,
    read_settings,
)
from minesense.detect.detector import likelihood_ratios
from minesense.score import Halo, scored_ground
from minesense.sweep import Quality

# -- places --------------------------------------------------------------------------------

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
        values, sensor=dataclasses.replace(sensor, axis=sensor.axis[:1], coil=None), **options
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
    assert all(len(site.features["gpr"]) == len(FEATURES["gpr"]) for site in sites)
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


# -- a small trained detector --------------------------------------------------------------


@pytest.fixture(scope="module")
def world():
    """Return a SYNTHETIC field of short lanes and a detector trained on four of them."""
    recipe = synthetic.scenario("farmland", n_training=4, n_blind=1, lane_length=12.0)
    field = synthetic.field(recipe, seed=1)
    sweeps = field.sweep(synthetic.cart(), workers=2)
    training = [sweep for sweep in sweeps if sweep.lane in field.training]
    blind = [sweep for sweep in sweeps if sweep.lane in field.blind]
    options = {"area": field.area_of(field.training), "seed": 3}
    truth = field.truth_of(field.training)
    return SimpleNamespace(
        field=field,
        training=training,
        blind=blind,
        truth=truth,
        options=options,
        detector=train(training, truth, workers=2, **options),
    )


@pytest.fixture(scope="module")
def found(world):
    """Return what the detector finds in the blind lane."""
    return world.detector.detect(world.blind)


whole_chain = pytest.mark.endtoend


def places(lanes):
    """Return the places in screened lanes."""
    return [site for lane in lanes for site in find_sites(lane, SETTINGS)]


def rows(detection):
    """Return the places of a detection as plain values, NaN as None."""
    return [
        [None if isinstance(v, float) and math.isnan(v) else v for v in dataclasses.astuple(a)]
        for a in (dataclasses.replace(alarm, evidence={}) for alarm in detection.ranked)
    ]


@whole_chain
def test_alarms_are_ranked_and_cut_at_the_threshold(found):
    """The sequence holds those at or above the threshold; the rest stays in `ranked`."""
    scores = [alarm.score for alarm in found.ranked]
    assert scores == sorted(scores, reverse=True)
    assert 0 < len(found) < len(found.ranked)
    assert all(alarm.score >= found.threshold for alarm in found)
    assert all(alarm.score < found.threshold for alarm in found.ranked[len(found) :])
    assert next(iter(found)) is found[0] is found.ranked[0]
    assert found[-1] is found.ranked[len(found) - 1]
    at = dataclasses.replace(found, threshold=found.ranked[4].score)
    assert len(at) == 5
    with pytest.raises(IndexError):
        found[len(found)]


@whole_chain
def test_scores_are_log_odds_of_the_probabilities(found):
    """And each alarm names the model and each sensor's share."""
    npt.assert_allclose(
        [alarm.probability for alarm in found.ranked],
        [1 / (1 + math.exp(-alarm.score)) for alarm in found.ranked],
    )
    for alarm in found.ranked:
        assert {"gpr_log_ratio", "emi_log_ratio", "gpr_score", "emi_score"} <= set(
            alarm.evidence
        )
        assert alarm.model == found.model
        assert alarm.probability == alarm.probability


@whole_chain
def test_pushing_chunks_is_the_same_as_detecting(world, found):
    """Chunks of both sensors in any order, judged at the end."""
    lane = world.detector.open(world.blind[0].lane)
    radar, coils = world.blind
    early = []
    for k in range(0, len(radar), 77):
        early += lane.push(radar[k : k + 77])
        early += lane.push(
            coils[k // 2 : (k + 77) // 2] if k + 77 < len(radar) else coils[k // 2 :]
        )
    streamed = world.detector.judge([lane.finish()])
    assert rows(streamed) == rows(found)
    assert early


@whole_chain
def test_threads_and_order_do_not_matter(world):
    """The same places in the same order, whoever finds them."""
    one = world.detector.detect(world.training, workers=1)
    three = world.detector.detect(world.training, workers=3)
    assert rows(one) == rows(three)
    names = []
    other = world.detector.detect(world.training[::-1], workers=2, progress=names.append)
    assert rows(other) == rows(one)
    assert sorted(names) == sorted({sweep.lane for sweep in world.training})


@whole_chain
@pytest.mark.parametrize("mode", ["gpr", "emi"])
def test_one_sensor_alone(world, mode):
    """Is what it is without the other sensor's sweeps, with a threshold of its own."""
    alone = world.detector.detect(world.blind, mode=mode)
    only = [sweep for sweep in world.blind if sweep.sensor.kind == mode]
    assert rows(alone) == rows(world.detector.detect(only, mode=mode))
    assert alone.threshold == world.detector.thresholds[mode]
    assert alone.coverage.kinds == (mode,)
    assert all(set(a.evidence) == {f"{mode}_log_ratio", f"{mode}_score"} for a in alone.ranked)


@whole_chain
def test_no_sensor_deletes_what_another_noticed(world, found):
    """Every place of either sensor alone is still there, however low both rank it."""
    for mode in ("gpr", "emi"):
        alone = world.detector.detect(world.blind, mode=mode)
        for alarm in alone.ranked:
            nearest = min(
                math.dist((alarm.easting, alarm.northing), (b.easting, b.northing))
                for b in found.ranked
            )
            assert nearest < world.detector.settings.fusion_radius
    assert len(found.ranked) == len(places(world.detector.screen(world.blind)))


@whole_chain
def test_a_sensor_that_denies_everything_only_ranks_lower(world, found):
    """With a metal detector that is sure of nothing being there, every place stays."""
    calibrations = {**world.detector.calibrations, "emi": Platt(slope=0.0, offset=-30.0)}
    denying = dataclasses.replace(world.detector, calibrations=calibrations)
    denied = denying.detect(world.blind)
    assert len(denied) == 0
    assert {(a.easting, a.northing) for a in denied.ranked} == {
        (a.easting, a.northing) for a in found.ranked
    }
    assert any(
        a.evidence["emi_log_ratio"] < -20 < 0 < a.evidence["gpr_log_ratio"]
        for a in denied.ranked
    )


@whole_chain
def test_the_evidence_adds_up(world, found):
    """The sum of the log ratios, calibrated, is the score; more of either ranks higher."""
    total = [
        sum(np.nan_to_num([a.evidence["gpr_log_ratio"], a.evidence["emi_log_ratio"]]))
        for a in found.ranked
    ]
    expected = world.detector.calibrations["both"].log_odds(np.array(total))
    npt.assert_allclose([a.score for a in found.ranked], expected)
    assert total == sorted(total, reverse=True)


@whole_chain
def test_a_lane_with_one_sensor_is_judged_by_that_one(world):
    """The other was not there and adds nothing."""
    radar = [sweep for sweep in world.blind if sweep.sensor.kind == "gpr"]
    both = world.detector.detect(radar)
    assert len(both.ranked) > 0
    ratio = np.array([a.evidence["gpr_log_ratio"] for a in both.ranked])
    npt.assert_allclose(
        [a.score for a in both.ranked], world.detector.calibrations["both"].log_odds(ratio)
    )
    assert all(math.isnan(a.evidence["emi_log_ratio"]) for a in both.ranked)
    with pytest.raises(ValueError, match="none of kind emi"):
        world.detector.detect(radar, mode="emi")
    lanes = world.detector.screen(radar)
    with pytest.raises(ValueError, match="one holds no sensor of kind emi"):
        world.detector.judge(lanes, mode="emi")


@whole_chain
def test_lost_ground_is_reported_as_not_observed(world, found):
    """Dropouts and a gap move area from observed to not observed, with their reasons."""
    radar, coils = world.blind
    quality, samples = radar.quality.copy(), radar.samples.copy()
    lost = (radar.position[:, 1] > 4) & (radar.position[:, 1] < 6)
    quality[lost] |= int(Quality.NOT_FINITE)
    samples[lost] = np.nan
    radar = dataclasses.replace(radar, quality=quality, samples=samples)
    gone = (coils.position[:, 1] > 8) & (coils.position[:, 1] < 9)
    edges = np.flatnonzero(np.diff(gone.astype(int)))
    lane = world.detector.open("lane")
    lane.push(radar)
    lane.push(coils[: edges[0] + 1])
    lane.push(coils[edges[1] + 1 :])
    area = world.field.area_of(world.field.blind)
    whole = world.detector.detect(world.blind, area=area)
    less = world.detector.judge([lane.finish()], area=area)
    assert whole.gaps == ()
    assert [gap.sensor for gap in less.gaps] == [coils.sensor.name]
    assert less.gaps[0].length == pytest.approx(1.0, abs=0.15)
    for kind in ("gpr", "emi"):
        before, after = whole.coverage.area(kind), less.coverage.area(kind)
        assert after < before - 0.5
        assert less.coverage.missing_area(kind) == pytest.approx(
            whole.coverage.missing_area(kind) + before - after
        )
    assert less.coverage.not_observed("gpr")["NOT_FINITE"] > 1.0
    inside = [a for a in less.ranked if 4.3 < a.northing < 5.7]
    assert all(math.isnan(a.evidence["gpr_log_ratio"]) for a in inside)


@whole_chain
def test_a_saved_detector_detects_the_same_bits(world, found, tmp_path):
    """And is the same model by name, with the same settings and card."""
    world.detector.save(tmp_path / "model.skops")
    loaded = Detector.load(tmp_path / "model.skops")
    assert rows(loaded.detect(world.blind)) == rows(found)
    assert loaded.identity == world.detector.identity
    assert loaded.settings == world.detector.settings
    assert dict(loaded.thresholds) == dict(world.detector.thresholds)
    assert dict(loaded.card) == dict(world.detector.card)


@whole_chain
def test_a_model_without_its_parts_is_refused(world, tmp_path):
    """A card that lacks thresholds, or names features that nothing computes."""
    from minesense.detect.model import load_model, save_model  # noqa: PLC0415, private

    path = tmp_path / "model.skops"
    card = dict(world.detector.card)
    save_model(path, world.detector.estimators, card)
    with pytest.raises(ValueError, match="its card lacks settings, sensors, calib"):
        Detector.load(path)
    save_model(path, world.detector.estimators, card | {"features": {"gpr": []}})
    with pytest.raises(ValueError, match=r"features are not those .* trained again"):
        Detector.load(path)
    world.detector.save(path)
    estimators, full = load_model(path)
    del full["calibrations"]["emi_alone"]
    save_model(path, estimators, full)
    with pytest.raises(ValueError, match="its card lacks calibration emi_alone"):
        Detector.load(path)
    save_model(path, {"sonar": 1.0}, card)
    with pytest.raises(ValueError, match="features are not those"):
        Detector.load(path)
    save_model(path, {}, [1.0])
    with pytest.raises(ValueError, match="holds no estimators or no card"):
        Detector.load(path)


@whole_chain
@pytest.mark.parametrize(
    ("change", "figure"),
    [
        ({"axis": lambda axis: 1.001 * axis}, "axis_last"),
        ({"lever_arms": lambda arms: arms[:-1]}, "n_channels"),
        (
            {"radar": lambda radar: dataclasses.replace(radar, centre_frequency=9e8)},
            "centre_frequency_hz",
        ),
    ],
)
def test_another_sensor_is_refused_by_the_figure_that_differs(world, change, figure):
    """The message has the sensor's name, the figure, its value and the model's."""
    ((name, alter),) = change.items()
    sensor = world.blind[0].sensor
    assert sensor.kind == "gpr"
    other = dataclasses.replace(sensor, **{name: alter(getattr(sensor, name))})
    with pytest.raises(ValueError, match=rf"its {figure} is .*\. Must be .* trained on"):
        check_sensor(other, world.detector.sensors)
    samples = world.blind[0].samples[:, : other.shape[0]]
    with pytest.raises(ValueError, match=f"its {figure} is"):
        world.detector.detect(
            [dataclasses.replace(world.blind[0], samples=samples, sensor=other)]
        )


@whole_chain
def test_what_detect_cannot_use_is_named(world):
    """Unknown modes, nothing at all, an empty lane, a lane twice."""
    with pytest.raises(ValueError, match="mode 'sonar'"):
        world.detector.detect(world.blind, mode="sonar")
    with pytest.raises(ValueError, match="mode 'sonar'"):
        world.detector.judge([], mode="sonar")
    with pytest.raises(ValueError, match="none of kind gpr or emi"):
        world.detector.detect([])
    with pytest.raises(ValueError, match="0 traces"):
        world.detector.detect([world.blind[0][:0]])
    with pytest.raises(ValueError, match="too few for the windows"):
        world.detector.detect([world.blind[0][:6]])
    with pytest.raises(ValueError, match="time"):
        world.detector.detect([*world.blind, world.blind[0]])
    with pytest.raises(ValueError, match="workers"):
        world.detector.detect(world.blind, workers=0)
    with pytest.raises(ValueError, match="lane 'L': nothing was pushed"):
        world.detector.open("L").finish()


# -- training ------------------------------------------------------------------------------


@whole_chain
def test_the_same_seed_gives_the_same_model(world):
    """Card, thresholds and priors, whatever the number of threads."""
    again = train(world.training, world.truth, workers=1, **world.options)
    assert again.identity == world.detector.identity
    assert again.thresholds == world.detector.thresholds
    assert again.calibrations == world.detector.calibrations
    assert again.priors == world.detector.priors


@whole_chain
def test_the_card_says_what_was_trained_on(world):
    """Lanes, that they are SYNTHETIC, features, and nothing of the blind lane."""
    card = world.detector.card
    assert card["is_synthetic"] is True
    assert card["training_lanes"] == sorted(world.field.training)
    assert card["features"]["emi"] == [[f.name, f.unit] for f in FEATURES["emi"]]
    assert card["seed"] == 3
    changed = [dataclasses.replace(s, samples=s.samples * 1.001) for s in world.training[:1]]
    other = train([*changed, *world.training[1:]], world.truth, **world.options)
    assert other.card["training_data"] != card["training_data"]


@whole_chain
def test_thresholds_meet_the_design_rate_on_lanes_not_trained_on(world):
    """No more than the rate allows, and one lower would be more, from scores out of fold."""
    card = world.detector.card
    areas = card["false_alarm_area_m2"]
    allowed = {mode: int(world.detector.settings.design_rate * areas[mode]) for mode in areas}
    assert card["out_of_fold"]["both"]["n_others"] > allowed["both"] > 0
    assert set(world.detector.thresholds) == {"gpr", "emi", "both", "gpr_energy", "emi_decay"}
    # the kept classifiers have seen these lanes, so they raise fewer than out of fold
    sites = places(world.detector.screen(world.training))
    owner, keep = label_sites(sites, world.truth, Halo())
    coverage = observed(
        world.detector.screen(world.training), SETTINGS, area=world.options["area"]
    )
    seen = {kind: in_area(sites, coverage, kind) for kind in ("gpr", "emi", "any")}
    odds, _ = world.detector.log_odds(sites, "both")
    is_false = keep & (owner < 0) & seen["any"]
    assert (odds[is_false] >= world.detector.thresholds["both"]).sum() <= allowed["both"]
    for kind, name in (("gpr", "gpr_energy"), ("emi", "emi_decay")):
        scores = np.array([s.scores[kind] if kind in s.noticed else -1 for s in sites])
        others = scores[keep & (owner < 0) & seen[kind]]
        noticed = (others >= 0).sum()
        n_false = (others >= world.detector.thresholds[name]).sum()
        assert n_false == min(allowed[kind], noticed)


def in_area(sites, coverage, kind):
    """Return which places lie on ground that a score would count."""
    mask = coverage.mask(kind) & coverage.wanted
    return np.array([coverage.at(mask, s.easting, s.northing, False) for s in sites], bool)


@whole_chain
def test_what_the_score_leaves_out_sets_no_threshold(world):
    """Places beyond the area do not count, and halos and rings hold no false alarms."""
    card, area = world.detector.card, world.options["area"]
    screened = world.detector.screen(world.training)
    coverage = observed(screened, SETTINGS, area=area)
    sites = places(screened)
    owner, keep = label_sites(sites, world.truth, Halo())
    seen = in_area(sites, coverage, "any")
    others = keep & (owner < 0)
    assert (others & ~seen).sum() > 10  # in the run-in
    assert card["out_of_fold"]["both"]["n_others"] == (others & seen).sum()
    for mode, sensors in (("gpr", "gpr"), ("emi", "emi"), ("both", "any")):
        ground = scored_ground(world.truth, coverage, sensors=sensors)
        assert card["false_alarm_area_m2"][mode] == pytest.approx(ground.scored, abs=1e-3)
        assert ground.scored < coverage.area(sensors)


@whole_chain
def test_one_sensor_alone_is_calibrated_on_what_it_noticed(world):
    """Its mean probability is the share of mines there, not that among all places."""
    sites = places(world.detector.screen(world.training))
    owner, keep = label_sites(sites, world.truth, Halo())
    noticed = np.array(["emi" in site.noticed for site in sites])
    share = (owner[keep & noticed] >= 0).mean()
    counts = world.detector.card["out_of_fold"]["emi"]
    assert counts["n_mines"] == (noticed & (owner >= 0)).sum()
    assert share > world.detector.priors["emi"] + 0.1
    alone, ratios = world.detector.log_odds(sites, "emi")
    ratio = np.nan_to_num(ratios["emi"])
    npt.assert_allclose(alone, world.detector.calibrations["emi_alone"].log_odds(ratio))
    assert world.detector.calibrations["emi_alone"].offset > log_odds(
        world.detector.priors["emi"]
    )


def test_a_shift_alone_keeps_the_ranking():
    """The mean is the share of mines, even where the ratios rank the wrong way round."""
    from minesense.apps.trainer import _calibrate_alone  # noqa: PLC0415, private

    ratios, ones = np.tile([2.0, 1.0, -1.0, -2.0], 100), np.ones(400)
    for mines in ([True, True, True, False], [False, False, False, True]):
        labels = np.tile(mines, 100)
        found = _calibrate_alone(ratios, labels, ones, 0.2)
        assert found.slope == 1.0
        mean = (1 / (1 + np.exp(-found.log_odds(ratios)))).mean()
        assert mean == pytest.approx(labels.mean(), abs=0.01)
    weights = np.where(labels, 1 / 3, 1.0)  # three places at one mine are one
    odds = _calibrate_alone(0 * ratios, labels, weights, 0.2).offset
    assert odds == pytest.approx(math.log(1 / 9), abs=0.05)
    only = _calibrate_alone(np.zeros(3), np.ones(3, bool), np.ones(3), 0.2)
    assert only.offset == pytest.approx(math.log(4 / 1))
    none = _calibrate_alone(np.zeros(0), np.zeros(0, bool), np.zeros(0), 0.2)
    assert none.offset == pytest.approx(log_odds(0.2))


@whole_chain
def test_training_needs_lanes_mines_and_both_sensors(world):
    """The message has the counts and the least that would do."""
    names = world.field.training[:2]
    two = [sweep for sweep in world.training if sweep.lane in names]
    with pytest.raises(ValueError, match=r"in 2 lanes\. Must be at least 10, 10 and 3"):
        train(two, world.truth)
    with pytest.raises(ValueError, match="0 noticed targets"):
        train(world.training, make_truth())
    radar = [sweep for sweep in world.training if sweep.sensor.kind == "gpr"]
    with pytest.raises(ValueError, match=r"none of kind emi\. Must hold both"):
        train(radar, world.truth)
    with pytest.raises(ValueError, match="seed"):
        train(world.training, world.truth, seed=-1)


def make_site(easting, northing=0.0, **features):
    """Return what labelling and judging need of a place."""
    return SimpleNamespace(easting=easting, northing=northing, features=features, lane="A")


def test_labels_follow_the_halo_and_leave_a_ring_out():
    """Within a halo a mine, within two neither, beyond clutter; the nearest target owns."""
    truth = make_truth(make_target("a", 0.0, 0.0), make_target("b", 1.0, 0.0))
    reach = Halo().reach(0.1)
    places = [0.0, 0.99 * reach, 1.01 * reach, 1.99 * reach, 2.01 * reach, 1.0 - 0.5 * reach]
    owner, keep = label_sites([make_site(x) for x in places], truth, Halo())
    assert owner.tolist() == [0, 0, -1, -1, -1, 1]
    assert keep.tolist() == [True, True, False, False, True, True]


def test_larger_targets_reach_further():
    """The nearest is the one whose halo holds the place, in shares of its halo."""
    truth = make_truth(make_target("s", 0.0, 0.0), make_target("l", 0.5, 0.0, diameter=0.5))
    owner, _ = label_sites([make_site(0.2)], truth, Halo())
    assert owner.tolist() == [1]


def test_nothing_to_label():
    """No targets: all is clutter. No places: nothing."""
    owner, keep = label_sites([make_site(0.0)], make_truth(), Halo())
    assert (owner.tolist(), keep.tolist()) == ([-1], [True])
    owner, keep = label_sites([], make_truth(make_target("a", 0, 0)), Halo())
    assert len(owner) == len(keep) == 0


def test_several_places_at_one_target_weigh_one():
    """Clutter weighs one each."""
    from minesense.apps.trainer import _emplacement_weights  # noqa: PLC0415, private

    weights = _emplacement_weights(np.array([0, 0, 2, -1, 2, 2, -1]))
    npt.assert_allclose(weights, [1 / 2, 1 / 2, 1 / 3, 1, 1 / 3, 1 / 3, 1])


@pytest.mark.parametrize(
    ("scores", "rate", "n_above"),
    [
        ([1, 2, 3, 4], 0.2, 2),
        ([1, 2, 3, 4], 0.0, 0),
        ([1, 2, 3, 4], 0.3, 3),
        ([1, 3, 3, 3], 0.2, 0),  # three at once would be more than two
        ([4, 3, 2, 1], 0.4, 4),
        ([4, 3, 2, 1], 9.0, 4),
    ],
)
def test_the_threshold_allows_as_many_as_the_rate(scores, rate, n_above):
    """At or above it lie as many as the rate allows over 10 m^2; with ties fewer."""
    threshold = rate_threshold(np.array(scores, float), rate=rate, area=10.0)
    assert (np.array(scores) >= threshold).sum() == n_above


def test_a_threshold_without_scores_is_finite():
    """Nothing was noticed where nothing lies."""
    assert math.isfinite(rate_threshold(np.array([]), rate=0.3, area=10.0))


class Likely:
    """An estimator whose score is the first feature."""

    classes_ = np.array([False, True])

    def decision_function(self, features):
        """Return the first column."""
        return np.asarray(features)[:, 0]

    def predict_proba(self, features):
        """Return probabilities of which the first column is the log odds."""
        p = 1 / (1 + np.exp(-np.asarray(features)[:, 0]))
        return np.column_stack([1 - p, p])


def test_a_likelihood_ratio_is_posterior_over_prior():
    """More like a mine is greater; the prior's log odds are taken off; NaN if unseen."""
    sites = [make_site(0.0, gpr=np.array([x, 0.0])) for x in (2.0, -2.0, math.nan)] + [
        make_site(0.0, emi=np.array([1.0]))
    ]
    calibration = Platt(slope=2.0, offset=0.5)
    ratios = likelihood_ratios(Likely(), calibration, 0.2, sites, "gpr")
    expected = calibration.log_odds(np.array([2.0, -2.0])) - log_odds(0.2)
    npt.assert_allclose(ratios[:2], expected, rtol=1e-9)
    assert ratios[0] > ratios[1]
    assert np.isnan(ratios[2:]).all()
    assert len(likelihood_ratios(Likely(), calibration, 0.2, [], "gpr")) == 0


# -- settings ------------------------------------------------------------------------------


def test_settings_survive_their_own_document():
    """As a card holds them."""
    settings = DetectorSettings(max_gap=0.5)
    assert read_settings(settings.as_dict()) == settings
    assert read_settings({}) == DetectorSettings()


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"max_gap": -1.0}, "max_gap"),
        ({"design_rate": -0.1}, "design_rate"),
        ({"radar": {"ground_polarity": "up"}}, r"ground_polarity"),
        ({"coils": {"taus": 3}}, r"\$\.coils\.taus"),
        ({"radar": []}, r"\$\.radar"),
    ],
)
def test_bad_settings_are_named(document, message):
    """The message names the path of the field."""
    with pytest.raises(ValueError, match=message):
        read_settings(document)
