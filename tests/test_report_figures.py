"""Test the figures against what they are drawn from."""

import math
import re
import subprocess
import sys
import xml.etree.ElementTree as ET

import matplotlib
import numpy as np
import numpy.testing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from lanes import make_sweep
from report_cases import (
    ALARMS,
    LANES,
    TRUTH,
    make_alarm,
    make_lane,
    make_results,
    make_screened,
    make_screening,
    make_target,
)

from minesense.coverage import observe
from minesense.report import (
    RocLine,
    Strip,
    choose_examples,
    field_map,
    reliability_figure,
    roc_figure,
    section_before_after,
    section_figure,
)
from minesense.report.field_figure import rectangles_of
from minesense.score import Interval, clopper_pearson, match
from minesense.sweep import Quality
from minesense.truth import Truth

SECTION = {"ground_time": 1e-9, "velocity": 1e8}
figure_of_section = sys.modules["minesense.report.section_figure"]


@pytest.fixture(scope="module")
def results():
    """Return the results of a small field."""
    return make_results()


@pytest.fixture
def drawn(monkeypatch):
    """Return a list that gets every figure instead of its bytes."""
    figures = []
    for module in (field_figure_module, curve_module, recording_module, figure_of_section):
        monkeypatch.setattr(
            module, "to_bytes", lambda figure, *_, **__: figures.append(figure) or b""
        )
    return figures


field_figure_module = sys.modules[field_map.__module__]
curve_module = sys.modules[roc_figure.__module__]
recording_module = sys.modules[section_before_after.__module__]


def draw_map(results, **options):
    """Return the map of the results of both sensors."""
    score = results.scores["both"]
    return field_map(results.lanes, results.coverage, results.truth, score, **options)


def line(axes, label):
    """Return what was plotted under a label, or one that begins so, as (x, y) pairs."""
    labelled = {str(item.get_label()): item for item in axes.lines}
    (name,) = [label] if label in labelled else [x for x in labelled if x.startswith(label)]
    found = labelled[name]
    return np.column_stack(found.get_data()).tolist()


def area_of(patch):
    """Return the area of a patch made of rectangles."""
    corners = np.array(patch.get_path().vertices).reshape(-1, 5, 2)
    sides = corners.max(axis=1) - corners.min(axis=1)
    return float(sides.prod(axis=1).sum())


@pytest.mark.parametrize("image_format", ["svg", "png"])
def test_images_repeat_and_say_synthetic(results, image_format):
    """The same figure has the same bytes; one of synthetic data is stamped."""
    lane = make_screened(make_lane(LANES[0]))
    curve = [RocLine(label="a", rate=[0.1], pd=[0.5])]
    for draw in (
        lambda **o: roc_figure(curve, **o),
        lambda **o: reliability_figure([0.1, 0.9], [False, True], **o),
        lambda **o: section_figure(lane, (0.5, 3.0), **SECTION, **o),
    ):
        first, second, field = (
            draw(image_format=image_format, is_synthetic=stamp) for stamp in (True, True, False)
        )
        assert first == second != field
        assert first.startswith(b"\x89PNG" if image_format == "png" else b"<?xml")
        if image_format == "svg":
            assert b"SYNTHETIC" in first
            assert b"SYNTHETIC" not in field
            assert b"dc:date" not in first
    first = draw_map(results, image_format=image_format)
    assert first == draw_map(results, image_format=image_format)
    assert image_format == "png" or b"SYNTHETIC" in first


def test_a_users_settings_change_nothing(results):
    """Figures neither obey nor spoil what a user set for their own."""
    expected = draw_map(results)
    with matplotlib.rc_context({"font.size": 30, "svg.hashsalt": "other"}):
        assert draw_map(results) == expected
        assert matplotlib.rcParams["font.size"] == 30
    assert "matplotlib.pyplot" not in sys.modules


def test_importing_the_report_loads_no_matplotlib():
    """Whoever only imports the package does not wait for figures or classifiers."""
    script = "import sys, minesense.report; print([m for m in sys.modules if m in {!r}])"
    command = [sys.executable, "-c", script.format(("matplotlib", "sklearn", "scipy.signal"))]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_without_matplotlib_the_error_says_what_to_install(monkeypatch):
    """The extra is named."""
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"pip install 'minesense\[plot\]'"):
        roc_figure([RocLine(label="a", rate=[0.1], pd=[0.5])])


def test_the_map_shows_everything_in_its_place(results, drawn):
    """North lies to the right and east down the page; each fate has its own mark."""
    draw_map(results, sensors="all")
    (axes,) = drawn[0].axes
    assert axes.get_aspect() == 1
    assert axes.get_xlim()[0] < axes.get_xlim()[1]
    assert axes.get_ylim()[0] > axes.get_ylim()[1]
    assert line(axes, "target found, 2") == [[1.0, 0.5], [4.0, 0.6]]
    assert line(axes, "target missed though swept, 1") == [[1.0, 2.0]]
    assert line(axes, "target never swept, 1") == [[3.5, 2.0]]
    assert line(axes, "target partly swept, not found, 1") == [[3.06, 1.9]]
    assert line(axes, "clutter, 2") == [[2.5, 0.4], [5.0, 2.2]]
    assert line(axes, "alarm on a target, 2") == [[1.02, 0.51], [4.03, 0.6]]
    assert line(axes, "false alarm, 1") == [[2.5, 0.4]]
    texts = [text.get_text() for text in axes.texts]
    assert texts[-2:] == ["lane 1", "lane 2"]
    assert "gap" in texts


def test_the_map_fills_what_was_observed(results, drawn):
    """Filled areas are those of the coverage, whoever's observation is needed."""
    coverage = results.coverage
    for sensors in ("all", "any", "gpr"):
        draw_map(results, sensors=sensors)
        areas = {p.get_label().split(",")[0]: area_of(p) for p in drawn[-1].axes[0].patches}
        assert areas["observed"] == pytest.approx(coverage.area(sensors))
        missing = coverage.missing_area(sensors)
        some = areas.get("observed by one sensor only", 0.0)
        assert areas["not observed"] + some == pytest.approx(missing)
        assert (some > 0) == (sensors == "all")
    (hatched,) = [p for p in drawn[-1].axes[0].patches if p.get_label().startswith("observed")]
    assert hatched.get_hatch()


def test_data_that_must_not_be_used_stand_apart(drawn):
    """Stuck traces are violet and named; they are not the blank of what nobody recorded."""
    sweeps = make_lane(LANES[0])
    for sweep in sweeps:
        sweep.quality[(sweep.position[:, 1] > 2) & (sweep.position[:, 1] < 4)] = Quality.STUCK
    coverage = observe(sweeps, footprint=0.15, area=[(*LANES[0].area, "lane 1")])
    field_map(LANES[:1], coverage, TRUTH, match([], TRUTH))
    (axes,) = drawn[0].axes
    areas = {p.get_label().split(",")[0]: area_of(p) for p in axes.patches}
    missing = coverage.missing_area("any")
    assert areas["data that must not be used"] > 1
    assert areas["data that must not be used"] + areas["not observed"] == pytest.approx(missing)
    assert "stuck" in [text.get_text() for text in axes.texts]


def test_a_map_of_eastward_lanes_has_north_up(results, drawn):
    """Lanes lie along the page whichever way they run, and the map is not mirrored."""
    strips = [Strip("w", (0.0, 0.0, 6.0, 1.0))]
    field_map(strips, results.coverage, TRUTH, match([], TRUTH))
    (axes,) = drawn[0].axes
    assert axes.get_xlabel().startswith("easting")
    assert axes.get_ylim()[0] < axes.get_ylim()[1]
    assert [0.5, 1.0] in line(axes, "target missed")


def test_nothing_on_the_map_is_green(results):
    """No colour that could be read as a promise."""
    image = draw_map(results, sensors="all").decode()
    colours = {
        tuple(bytes.fromhex(c)) for c in re.findall(r"#([0-9a-f]{6})\b", image, re.IGNORECASE)
    }
    assert len(colours) > 5
    assert [c for c in colours if c[1] > 1.1 * max(c[0], c[2])] == []


@given(arrays(bool, st.tuples(st.integers(0, 6), st.integers(0, 6))))
def test_rectangles_cover_each_cell_once(mask):
    """Rectangles hold every true cell once and no other."""
    count = np.zeros(mask.shape, int)
    for bottom, top, left, right in rectangles_of(mask):
        count[bottom:top, left:right] += 1
    npt.assert_array_equal(count, mask)


@pytest.mark.parametrize("heading", [0.0, math.pi])
def test_a_section_looks_along_the_track(drawn, heading):
    """The nearest channel is shown, forward to the right; depth becomes two-way time."""
    sweeps = make_lane(LANES[0], heading=heading)
    target = make_target("T", 0.80, 3.3, depth=0.05)
    alarm = make_alarm("A", 0.82, 3.1, 1.0, depth=0.1)
    place = (0.81, 3.0)
    section_figure(make_screened(sweeps), place, alarms=[alarm], objects=[target], **SECTION)
    upper, lower = drawn[0].axes
    forward = 1 if heading == 0 else -1
    npt.assert_allclose(line(upper, "alarm"), [[forward * 0.1, 1.0]], atol=1e-9)
    npt.assert_allclose(line(upper, "alarm, est"), [[forward * 0.1, 3.0]], atol=1e-9)
    (box,) = upper.patches
    npt.assert_allclose(
        [box.get_x() + box.get_width() / 2, box.get_width(), box.get_y()],
        [forward * 0.3, 0.1, 2.0],
        atol=1e-9,
    )
    right = 1 if heading == 0 else -1
    wanted = np.argmin(np.abs(sweeps[0].sensor.lever_arms[:, 0] - right * 0.31))
    radar = sweeps[0]
    near = np.abs(radar.position[:, 1] - 3.0) <= 1.5 + 1e-9
    shown = upper.images[0].get_array()
    npt.assert_array_equal(shown, radar.samples[near, wanted].T)
    assert f"channel {wanted + 1}," in upper.get_title(loc="left")
    coil = sweeps[1].samples[np.abs(sweeps[1].position[:, 1] - 3.0) <= 1.5 + 1e-9]
    best = np.argmin(np.abs(sweeps[1].sensor.lever_arms[:, 0] - right * 0.31))
    scale = {"V": 1.0, "mV": 1e3}[lower.get_ylabel().split("(")[1].strip(")")]
    npt.assert_allclose(lower.lines[0].get_ydata() / scale, coil[:, best, 0], rtol=1e-6)
    assert len(lower.lines) == 4  # three gates and zero


def test_a_section_shows_what_is_missing(drawn):
    """Flagged traces leave holes; a sensor that did not pass is said to have no data."""
    radar, _ = make_lane(LANES[0])
    quality = radar.quality.copy()
    quality[60] = Quality.SATURATED
    flagged = make_sweep(
        radar.samples, sensor=radar.sensor, position=radar.position, quality=quality
    )
    section_figure(make_screened([flagged]), (0.5, 3.0), **SECTION)
    upper, lower = drawn[0].axes
    assert upper.images[0].get_array().mask.all(axis=0).tolist().count(True) == 1
    assert "no metal-detector data" in lower.texts[0].get_text()
    section_figure(make_screened([flagged]), (50.0, 3.0), **SECTION)
    assert "no radar data" in drawn[1].axes[0].texts[0].get_text()


def test_a_recording_is_shown_before_and_after(drawn):
    """Both sections hold their traces; alarms stand at the middle of theirs."""
    sweep = make_sweep(np.random.default_rng(0).normal(size=(30, 1, 40)))
    section_before_after(sweep, make_screening(sweep))
    upper, lower = drawn[0].axes
    npt.assert_allclose(line(upper, "alarm, 2"), [[0.2, 1.0], [1.0, 1.0]])
    npt.assert_allclose(line(lower, "its echo"), [[0.2, 2.0], [1.0, 2.0]])
    after = np.hstack([image.get_array() for image in lower.images])
    npt.assert_array_equal(upper.images[0].get_array(), -after)
    borders = [image.get_extent()[:2] for image in lower.images]
    npt.assert_allclose(borders, [[-0.025, 0.725], [0.725, 1.475]])
    assert "distance" in lower.get_xlabel()


def test_a_recording_without_distance_counts_traces(drawn):
    """Without positions the abscissa is the number of the trace, from 1."""
    nowhere = {"position": np.full((30, 3), np.nan), "quality": np.full(30, Quality.POSE_NONE)}
    sweep = make_sweep(np.ones((30, 1, 40)), **nowhere)
    section_before_after(sweep, make_screening(sweep))
    upper, lower = drawn[0].axes
    npt.assert_allclose(line(upper, "alarm, 2"), [[5.0, 1.0], [21.0, 1.0]])
    assert "number of the trace" in lower.get_xlabel()


def test_a_roc_line_is_a_stair_with_its_point(drawn):
    """What costs no false alarm stands at the left edge; limits are drawn as given."""
    point = (Interval(0.1, 0.05, 0.2), Interval(0.6, 0.3, 0.8))
    roc_figure(
        [
            RocLine(
                label="both",
                rate=[0.0, 0.1],
                pd=[0.2, 0.6],
                low=[0.1, 0.4],
                high=[0.4, 0.8],
                point=point,
            )
        ]
    )
    (axes,) = drawn[0].axes
    assert (axes.get_xscale(), axes.get_xlim()) == ("log", (1e-3, 10.0))
    assert axes.lines[0].get_drawstyle() == "steps-post"
    assert np.column_stack(axes.lines[0].get_data()).tolist() == [[1e-3, 0.2], [0.1, 0.6]]
    (container,) = axes.containers
    across, along = (bar.get_segments()[0].tolist() for bar in container.lines[2])
    npt.assert_allclose(across, [[0.05, 0.6], [0.2, 0.6]])
    npt.assert_allclose(along, [[0.1, 0.3], [0.1, 0.8]])


def test_reliability_counts_each_bin(drawn):
    """A bin shows its share of hits with exact limits, at its mean probability."""
    reliability_figure([0.05, 0.05, 0.95, 1.0], [False, True, True, True])
    upper, lower = drawn[0].axes
    points = [c.lines[0].get_xydata()[0].tolist() for c in upper.containers]
    npt.assert_allclose(points, [[0.05, 0.5], [0.975, 1.0]])
    segment = upper.containers[0].lines[2][0].get_segments()[0]
    npt.assert_allclose(segment[:, 1], clopper_pearson(1, 2)[1:])
    assert [bar.get_height() for bar in lower.patches] == [2, 0, 0, 0, 0, 0, 0, 0, 0, 2]


def test_names_may_hold_anything(results):
    """Dollar signs, comments and characters that do not print neither fail nor escape."""
    strips = [Strip("$\\frac{$ --> <b> \x00\udcff\u202e", strip.area) for strip in LANES]
    image = field_map(strips, results.coverage, TRUTH, results.scores["both"])
    assert ET.fromstring(image).tag.endswith("svg")
    roc_figure([RocLine(label="$x_{$\n", rate=[0.1], pd=[0.5])])


def test_examples_are_chosen_by_a_rule():
    """Groups of metal take turns, the middle score first; false alarms by score."""
    targets = [
        make_target(f"{metal[0]}{k}", 0.5, 1.0 + k + shift, metal=metal)
        for metal, shift in (("high", 0.0), ("none", 0.5))
        for k in range(5)
    ]
    truth = Truth(objects=tuple(targets))
    alarms = [
        make_alarm(f"A{k}", target.easting, target.northing, float(k))
        for k, target in enumerate(targets)
        if target.identifier != "n0"
    ]
    alarms += [make_alarm(f"F{k}", 0.5, 20.0 + k, float(k)) for k in range(5)]
    alarms.append(make_alarm("R", 0.5, 1.05, -1.0))  # a repeat on h0, not a false alarm
    every = choose_examples(match(alarms, truth), truth, alarms, n_targets=0, n_false=10)
    assert [e.title for e in every] == [f"False alarm F{k}" for k in (4, 3, 2, 1, 0)]
    chosen = choose_examples(match(alarms, truth), truth, alarms)
    assert [example.title for example in chosen] == [
        "Target h2: found",
        "Target n2: found",
        "Target h3: found",
        "False alarm F4",
        "False alarm F3",
        "False alarm F2",
    ]
    assert chosen[0].place == (0.5, 3.0)
    assert "0.88, 0 cm from its centre" in chosen[0].caption
    assert "No object lies within 30 cm" in chosen[3].caption
    only = choose_examples(match([], truth), truth, [], n_targets=1)
    assert [example.title for example in only] == ["Target h0: missed though swept"]
    assert "No alarm found it" in only[0].caption
    only = choose_examples(match([], truth), truth, [], noticed=match([], truth))
    assert "No sensor noticed anything" in only[0].caption


def test_a_false_alarm_names_what_lies_beside_it():
    """Clutter within reach is named with its distance."""
    chosen = choose_examples(match(ALARMS["both"], TRUTH), TRUTH, ALARMS["both"])
    (caption,) = [e.caption for e in chosen if e.title == "False alarm A3"]
    assert "clutter: scrap, 0 cm away, 6.0 cm deep" in caption


SWEEP = make_sweep(np.ones((30, 1, 40)))
BAD_INPUT = {
    "format": (lambda r: draw_map(r, image_format="gif"), r"image_format 'gif'. Must be one"),
    "sensors": (lambda r: draw_map(r, sensors="sonar"), "Invalid sensors 'sonar'"),
    "no lane": (
        lambda r: field_map([], r.coverage, r.truth, r.scores["both"]),
        "Invalid lanes: there are none",
    ),
    "empty lane": (
        lambda r: field_map(
            [Strip("flat", (0, 0, 1, 0))], r.coverage, r.truth, r.scores["both"]
        ),
        "of lane 'flat'. Must be the least easting",
    ),
    "no line": (lambda _: roc_figure([]), "Invalid lines: there are 0. Must be 1 to 7"),
    "lengths": (
        lambda _: RocLine(label="a", rate=[0.1], pd=[0.5, 0.6]),
        r"Invalid pd with shape \(2,\). Must be \(1,\)",
    ),
    "probability": (lambda _: reliability_figure([1.5], [True]), "probabilities between 0 and"),
    "hits": (lambda _: reliability_figure([0.5], [True, False]), "Must be of one shape"),
    "bins": (lambda _: reliability_figure([0.5], [True], n_bins=1), "n_bins '1'. Must be at"),
    "place": (lambda _: section_figure({}, (math.nan, 0.0), **SECTION), "place 'nan'"),
    "velocity": (
        lambda _: section_figure({}, (0, 0), ground_time=0, velocity=0),
        "velocity '0.0'. Must be finite and greater",
    ),
    "channel": (
        lambda _: section_before_after(SWEEP, make_screening(SWEEP), channel=1),
        "Invalid channel '1' of a sweep of 30 traces and 1 channels",
    ),
    "other sweep": (
        lambda _: section_before_after(SWEEP[:20], make_screening(SWEEP)),
        "Invalid screening of 30 traces for a sweep of 20",
    ),
}


@pytest.mark.parametrize(("call", "message"), BAD_INPUT.values(), ids=BAD_INPUT)
def test_bad_input_is_named(results, call, message):
    """The error names the argument, shows its value and states the rule."""
    with pytest.raises(ValueError, match=message):
        call(results)
