"""Test the reports: what they say, that they stand alone, and how a browser takes them."""

import dataclasses
import html
import math
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from report_cases import (
    ALARMS,
    LANES,
    TRUTH,
    make_recording,
    make_results,
    make_screening,
)

from minesense.alarm import SAFETY_TEXT
from minesense.detect import Unfamiliar
from minesense.report import (
    MODES,
    FieldResults,
    Strip,
    choose_examples,
    field_report,
    recording_report,
)
from minesense.score import match, score
from minesense.truth import Truth

CONFIGURATION = {"scenario": {"name": "test", "seed": 1}, "radar": {"threshold": 9.0}}
VERSIONS = {"minesense": "1.2.3"}
PROMISES = re.compile(r"(?<![a-z])(safe|clear|cleared|free)(?![a-z])", re.IGNORECASE)

#: Anything that would make a browser look for something outside the page.
OUTSIDE = re.compile(
    r"""(?:src|href|action|data|poster|srcset|background)\s*=\s*["']?(?!data:)[^"'\s>]"""
    r"""|url\s*\(|@import|<\s*(?:script|iframe|object|embed|base|form|video|audio)\b"""
    r"""|https?:|//[\w.]+\.\w""",
    re.IGNORECASE,
)
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
HOSTILE = "\"><script>alert('x')</script><img src=http://x.test/a onerror=alert(1)>&\u202e.dzt"


class Page(HTMLParser):
    """The visible text, tables and pictures of a page."""

    def __init__(self, path):
        super().__init__()
        self.source = Path(path).read_text(encoding="utf-8")
        self.tables, self.pictures, self.tags, self._texts = [], [], [], []
        self._open, self._caption = None, ""
        self.feed(self.source)

    @property
    def text(self):
        """All visible text, spaces joined."""
        return " ".join(" ".join(self._texts).split())

    def handle_starttag(self, tag, attrs):
        """Note tables, their cells, and pictures."""
        self.tags.append(tag)
        self._open = tag
        if tag == "table":
            self.tables.append(("", []))
        elif tag == "tr":
            self.tables[-1][1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][1][-1].append("")
        elif tag == "img":
            self.pictures.append(dict(attrs))

    def handle_endtag(self, tag):
        """Leave a cell, caption or style."""
        if tag in ("td", "th", "caption", "style", "title"):
            self._open = None

    def handle_data(self, data):
        """Add text to where it belongs."""
        if self._open in ("style", "title"):
            return
        self._texts.append(data)
        if self._open == "caption":
            self.tables[-1] = (data, self.tables[-1][1])
        elif self._open in ("td", "th", "span"):
            self.tables[-1][1][-1][-1] += data

    def rows(self, caption):
        """Return the cells of the rows of a table, by the name of the row."""
        (table,) = [rows for found, rows in self.tables if found.startswith(caption)]
        return {row[0]: row[1:] for row in table}

    def row(self, name):
        """Return the cells of the only row of this name."""
        (found,) = [row[1:] for _, rows in self.tables for row in rows if row[0] == name]
        return found


def numbers(text):
    """Return the numbers of a text, as they stand."""
    return [float(item) for item in re.findall(r"(?<![\w.])\d+(?:\.\d+)?(?:e-?\d+)?", text)]


@pytest.fixture(scope="module")
def results():
    """Return the results of a small field."""
    return make_results()


@pytest.fixture(scope="module")
def field_path(results, tmp_path_factory):
    """Return the report of a small field."""
    path = tmp_path_factory.mktemp("report") / "field.html"
    return field_report(path, results, configuration=CONFIGURATION, versions=VERSIONS)


def write_recording(path, name="line 1.dzt", **options):
    """Write the report of a small recording; return its path."""
    recording = make_recording(name, **options)
    sweep = recording.to_sweep(centre_frequency=4e8)
    screening = make_screening(sweep)
    return recording_report(path, recording, sweep, screening, versions=VERSIONS)


@pytest.fixture(scope="module")
def recording_path(tmp_path_factory):
    """Return the report of a small recording."""
    return write_recording(tmp_path_factory.mktemp("report") / "recording.html")


def test_the_field_report_warns(field_path):
    """It says SYNTHETIC and the limits of the software before anything else."""
    page = Page(field_path)
    assert page.text.startswith("SYNTHETIC data")
    assert page.text.index(SAFETY_TEXT) < page.text.index("What was scanned")
    assert "<title>SYNTHETIC: Field report: test field, seed 1</title>" in page.source
    assert '<html lang="en">' in page.source


def test_the_table_holds_the_scores_numbers(results, field_path):
    """Pd | swept, Pd total and false alarms of every row, with limits and counts."""
    page = Page(field_path)
    for name, found in results.rows:
        pd_swept, pd_total, rate = page.row(name)
        for text, share in ((pd_swept, found.pd_swept), (pd_total, found.pd_total)):
            expected = [share.value, share.low, share.high, share.k, share.n]
            assert numbers(text) == pytest.approx(expected, abs=5.1e-4)
        false = found.false_alarms
        expected = [false.value, false.low, false.high, false.count, false.area]
        assert numbers(rate.replace("m²", "")) == pytest.approx(expected, rel=0.006)


def test_who_keeps_an_alarm_and_unknown_ground_are_told(results, tmp_path):
    """How many by whom, and the stretches without probabilities with their reasons."""
    found = results.detections["both"]
    names = [alarm.identifier for alarm in found.ranked[:2]]
    stretch = Unfamiliar(
        lane="lane 1", kind="gpr", start=1.0, stop=2.0, reason="tail 9 beyond 1 to 3"
    )
    kept = {names[0]: ("gpr",), names[1]: ("gpr", "unfamiliar")}
    told = dataclasses.replace(found, kept=kept, unfamiliar=(stretch,))
    changed = dataclasses.replace(results, detections={**results.detections, "both": told})
    page = Page(field_report(tmp_path / "r.html", changed, configuration={}, versions={}))
    assert "2 places are alarms though" in page.text
    assert "2 by the radar alone, 1 by ground unlike that of training" in page.text
    assert page.rows("Ground without stated probabilities")["lane 1"][-1] == stretch.reason
    plain = Page(field_report(tmp_path / "p.html", results, configuration={}, versions={}))
    assert "unlike training" not in plain.text


def test_a_pd_without_a_miss_is_its_lower_limit(tmp_path):
    """However many hits, a Pd is never printed as 1."""
    few = Truth(objects=TRUTH.objects[:2])
    results = make_results(truth=few)
    page = Page(field_report(tmp_path / "r.html", results, configuration={}, versions={}))
    share = results.scores["both"].pd_swept
    assert share.k == share.n == 2
    assert page.row(MODES["both"])[0].startswith(f"≥ {share.low:.3f}")
    assert "[0.158 to 1] 2 of 2" in page.row(MODES["both"])[0]


def test_strata_show_n_and_refuse_claims(results, field_path):
    """Every stratum has its n for every mode; fewer than 10 targets allow no claim."""
    page = Page(field_path)
    rows = page.rows("Pd | swept by metal content")
    assert list(rows) == ["", "metal", "low metal", "no metal"]
    assert rows["metal"][0] == "1"
    assert rows["metal"][3].endswith("1 of 1")
    assert rows["low metal"][1].endswith("0 of 2")  # coils reach farther into the gap
    assert {row[-1] for name, row in rows.items() if name} == {"no claim, n < 10"}
    assert "No overall claim" in page.text
    worst = results.scores["both"].no_claim
    assert worst[0] in page.text


def test_missed_and_never_swept_are_apart(field_path):
    """The two failures are never merged."""
    page = Page(field_path)
    assert list(page.rows("Targets missed though swept: 1")) == ["target", "T3"]
    assert list(page.rows("Targets partly swept, not found: 1")) == ["target", "T5"]
    assert list(page.rows("Targets never swept: 1")) == ["target", "T4"]
    row = page.rows("Targets missed though swept: 1")["T3"]
    assert row == ["disc", "low", "6.0", "2.00", "1.00", "100", "-1"]


def test_what_was_not_observed_has_reasons(results, field_path):
    """Areas are the coverage's, for each sensor, with reasons; gaps are listed."""
    page, coverage = Page(field_path), results.coverage
    for name, kind in (("radar", "gpr"), ("metal detector", "emi"), ("all sensors", "all")):
        observed, missing, reasons = page.row(name)
        assert float(observed) == pytest.approx(coverage.area(kind), abs=0.006)
        assert float(missing) == pytest.approx(coverage.missing_area(kind), abs=0.006)
        assert reasons.startswith("gap ")
    assert page.rows("Gaps in the recording")["lane 2"] == ["radar", "2.90", "3.00", "1.10"]


def test_sections_say_what_they_are(results, field_path):
    """Each example has its picture and caption; all pictures are described."""
    page = Page(field_path)
    noticed = match(ALARMS["both"], TRUTH, coverage=results.coverage, sensors="all")
    examples = choose_examples(results.scores["both"], TRUTH, ALARMS["both"], noticed=noticed)
    assert "scored -1, below the threshold" in examples[1].caption
    assert [e.title.split()[0] for e in examples] == ["Target"] * 3 + ["False"]
    for example in examples:
        assert f"{example.title} , {example.lane}. {example.caption}" in page.text
    assert len(page.pictures) == 3 + len(examples)
    assert all(len(picture["alt"]) > 20 for picture in page.pictures)
    assert "False alarms in all: 1." in page.text


def test_configuration_and_versions_are_listed(field_path):
    """Nested settings are shown by dotted names."""
    page = Page(field_path)
    assert page.row("scenario.name") == ["test"]
    assert page.row("radar.threshold") == ["9.0"]
    assert page.row("minesense") == ["1.2.3"]


def test_versions_default_to_what_is_installed(results, tmp_path):
    """Without versions given, those of the packages here are shown."""
    page = Page(field_report(tmp_path / "r.html", results, configuration={}))
    assert page.row("numpy") == [np.__version__]
    assert "Nothing was stated." in page.text


def test_the_recording_report_says_what_was_scanned(recording_path):
    """Figures of the file and of the screening, and that no truth is known."""
    page = Page(recording_path)
    assert "SYNTHETIC" not in page.text
    assert SAFETY_TEXT in page.text
    assert page.row("file") == ["line 1.dzt"]
    assert page.row("traces, channels, samples") == ["30, 1, 40"]
    assert page.row("length of the track") == ["1.45 m"]
    assert page.row("length that was observed") == ["1.16 m"]
    assert page.row("traces that were observed") == ["24 of 30"]
    assert page.row("time window") == ["4 ns"]
    assert page.row("centre frequency") == ["400 MHz (given by the caller)"]
    assert page.row("antenna separation") == ["not stated by the file"]
    assert f"2 alarms, {2 / 1.16:.3g} per metre of the 1.16 m" in page.text
    assert "no Pd" in page.text
    assert page.row("A1") == ["5", "1", "0.20", "2.00", "5", "8", "none"]
    assert page.row("A2")[-1] == "gap"
    assert page.rows("Traces not observed: 6 of 30")["edge"] == ["6"]
    assert page.row("bits") == ["12", "16", "the file is twice as long"]
    assert page.text.count("the last trace is short") == 2  # a warning, and in the history
    assert "turned over" in page.text or "position: distance" in page.text
    assert page.row("nested.gain") == ["3"]
    assert page.row("radar.threshold") != []


def test_a_recording_without_distance_says_so(tmp_path):
    """Alarms are counted per trace, and lengths are not stated."""
    page = Page(write_recording(tmp_path / "r.html", spacing=None))
    assert page.row("length of the track") == ["not stated by the file"]
    assert page.row("length that was observed") == ["not stated by the file"]
    assert "2 alarms, 0.0833 per trace of the 24 that were observed" in page.text


def test_a_synthetic_recording_is_stamped(tmp_path):
    """A simulated recording carries the word."""
    recording = make_recording()
    sweep = recording.to_sweep(centre_frequency=4e8)
    screening = dataclasses.replace(make_screening(sweep), alarms=())
    path = tmp_path / "r.html"
    recording_report(path, recording, sweep, screening, is_synthetic=True)
    page = Page(path)
    assert page.text.startswith("SYNTHETIC data")
    assert "0 alarms" in page.text
    assert "No alarm." in page.text


@pytest.mark.parametrize("which", ["field_path", "recording_path"])
def test_reports_stand_alone(which, request):
    """Nothing points outside the page, and nothing in it runs."""
    page = Page(request.getfixturevalue(which))
    source = re.sub(r"data:image/[\w+]+;base64,[\w+/=]+", "data:", page.source)
    assert OUTSIDE.findall(source) == []
    assert "script" not in page.tags
    assert all(picture["src"].startswith("data:image/") for picture in page.pictures)


@pytest.mark.parametrize("which", ["field_path", "recording_path"])
def test_reports_promise_nothing(which, request):
    """The words that could be read as a promise about ground do not occur."""
    page = Page(request.getfixturevalue(which))
    assert PROMISES.findall(page.text.replace(SAFETY_TEXT, "")) == []


def test_the_search_for_outside_references_finds_them():
    """What the test above relies on is not blind."""
    for bad in (
        '<img src="a.png">',
        "<a href=http://x>",
        "url(x.css)",
        "@import 'x'",
        "<script>",
        "//cdn.test/x",
    ):
        assert OUTSIDE.search(bad)
    assert not OUTSIDE.search('<link rel="icon" href="data:,"><p class="src">and/or</p>')


def test_hostile_names_are_only_text(tmp_path):
    """Names of files, lanes and fields, and headers, are shown and never obeyed."""
    lanes = tuple(Strip(HOSTILE + strip.name, strip.area) for strip in LANES)
    objects = tuple(
        dataclasses.replace(item, identifier=HOSTILE + item.identifier, kind=HOSTILE)
        for item in TRUTH.objects
    )
    results = make_results(lanes=lanes, truth=Truth(objects=objects), name=HOSTILE)
    first = field_report(
        tmp_path / "field.html", results, configuration={HOSTILE: HOSTILE}, versions={}
    )
    second = write_recording(
        tmp_path / "recording.html",
        name=f"\udcff\x00{HOSTILE.replace('/', '|')}",
        header={HOSTILE: HOSTILE, "bytes": b"<script>", "long": "<b>" * 500},
    )
    for path in (first, second):
        page = Page(path)
        assert not {"script", "b"} & set(page.tags)
        assert all(picture["src"].startswith("data:image/") for picture in page.pictures)
        assert "\u202e" not in page.source
        assert html.escape("<script>alert('x')<") in page.source
        assert "\\u202e" in page.text
    assert "\\udcff\\x00" in Page(second).text
    assert "(1500 characters)" in Page(second).text


def test_the_same_results_make_the_same_bytes(results, field_path, recording_path, tmp_path):
    """Nothing of the clock, the machine or earlier figures gets into a report."""
    again = field_report(
        tmp_path / "f.html", make_results(), configuration=CONFIGURATION, versions=VERSIONS
    )
    assert again.read_bytes() == field_path.read_bytes()
    assert write_recording(tmp_path / "r.html").read_bytes() == recording_path.read_bytes()
    assert str(tmp_path) not in again.read_text()


def test_a_field_without_findings_is_reported(tmp_path):
    """No target, no alarm, no trace kept: every section says so."""
    empty = Truth(objects=())
    results = make_results(truth=empty, alarms={"gpr": ()})
    results = dataclasses.replace(results, screened=(), baselines={})
    page = Page(field_report(tmp_path / "r.html", results, configuration={}, versions={}))
    for words in (
        "No target was swept: there is no curve",
        "There is nothing to show",
        "Targets never swept: none.",
        "No clutter in the truth.",
        "not tested, 0 of 0",
    ):
        assert words in page.text
    assert len(page.pictures) == 1


def test_a_detector_alone_is_reported(tmp_path):
    """With one mode, that mode is what the map and the lists show."""
    results = make_results(alarms={"emi": ALARMS["emi"]})
    assert results.main == "emi"
    page = Page(field_report(tmp_path / "r.html", results, configuration={}, versions={}))
    assert page.row(MODES["emi"])[0].endswith("1 of 4")
    assert MODES["gpr"] not in page.text


BAD_RESULTS = {
    "no score": ({"scores": {}, "detections": {}}, r"Invalid scores of \[\]"),
    "unknown mode": (lambda r: {"scores": r.scores | {"sonar": r.scores["emi"]}}, "sonar"),
    "no detection": ({"detections": {}}, r"with detections of \[\]. Must both name"),
}


@pytest.mark.parametrize(("change", "message"), BAD_RESULTS.values(), ids=BAD_RESULTS)
def test_bad_results_are_named(results, change, message):
    """The error shows what is there and states the rule."""
    changes = change(results) if callable(change) else change
    values = {f.name: getattr(results, f.name) for f in dataclasses.fields(FieldResults)}
    with pytest.raises(ValueError, match=message):
        FieldResults(**(values | changes))


def test_false_alarms_that_cluster_are_noted(tmp_path):
    """Where lanes differ more than chance allows, the interval is said to be too narrow."""
    results = make_results()
    found = dataclasses.replace(results.scores["both"], dispersion=4.0)
    changed = dataclasses.replace(results, scores=results.scores | {"both": found})
    page = Page(field_report(tmp_path / "r.html", changed, configuration={}, versions={}))
    assert "4 times as much as chance alone" in page.text
    assert math.isfinite(score((), TRUTH, results.coverage).false_alarms.high)


def find_browser():
    """Return the path of a Chromium, or None."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


@pytest.mark.endtoend
@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("which", ["field_path", "recording_path"])
def test_a_browser_shows_the_report(which, width, request):
    """No error, no request but the file, every picture drawn, nothing wider than the page."""
    sync_api = pytest.importorskip("playwright.sync_api")
    binary = find_browser()
    if binary is None:
        pytest.skip(f"no browser found by the names {', '.join(BROWSERS)}")
    address = request.getfixturevalue(which).as_uri()
    said, errors, requests = [], [], []
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=binary, args=list(FLAGS))
        context = browser.new_context(offline=True, viewport={"width": width, "height": 800})
        page = context.new_page()
        page.on("console", lambda message: said.append((message.type, message.text)))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("request", lambda sent: requests.append(sent.url))
        page.goto(address)
        widths = page.evaluate("[...document.images].map(image => image.naturalWidth)")
        scroll = page.evaluate("document.documentElement.scrollWidth")
        title = page.title()
        browser.close()
    assert [item for item in said if item[0] in ("error", "warning")] == []
    assert errors == []
    assert [url for url in requests if url != address and not url.startswith("data:")] == []
    assert requests[0] == address
    assert widths
    assert min(widths) > 0
    assert scroll <= width
    assert "report" in title
