"""Test annexes whole: what they say, what they refuse, and that nothing changes unnoticed."""

import json
import math
import re
import shutil
import sqlite3
from html.parser import HTMLParser

import numpy as np
import pyogrio
import pyogrio.raw
import pytest
import rasterio
import shapely
from annex_cases import (
    ALARMS,
    CHECK,
    ORIGIN,
    SESSION,
    SITE,
    make_alarm,
    make_log,
    make_session,
)
from test_report import FLAGS, OUTSIDE, PROMISES

from minesense.alarm import SAFETY_TEXT
from minesense.apps.evidence import build_grid
from minesense.apps.evidence_maps import map_frame
from minesense.apps.evidence_sessions import open_sessions
from minesense.cli import main
from minesense.evidence import (
    Background,
    CountedTrials,
    Evidence,
    SiteGrid,
    SiteModel,
    estimate_remaining,
    parse_site,
    read_site,
)
from minesense.evidence.annex import TITLES, Annex, AnnexSection
from minesense.evidence.annex_matter import check_statements
from minesense.evidence.dispositions import read_dispositions
from minesense.evidence.evidence_session import read_session_notes
from minesense.evidence.ground_layers import ground_layers
from minesense.evidence.ground_map import STATES, UNSEEN, GroundMap
from minesense.evidence.ground_maps import ground_maps
from minesense.evidence.residual_file import (
    ResidualMap,
    load_residual,
    residual_layer,
    residual_map,
    residual_surfaces,
    save_residual,
)
from minesense.io.gis import check_area_sum
from minesense.report import annex_report
from minesense.synthetic import field, scenario

LAYERS = [
    "coverage", "not_observed", "alarms", "function_checks", "tracks", "records",
    "residual_risk", "manifest",
]  # fmt: skip
LABELS = ["all targets", "AP, 0 to 0.1 m, by coil", "AP plastic, 0 to 0.1 m, by coil"]
CORNERS = "[2.5, 0.0], [2.52, 1.5]"
TASK = shapely.Polygon([(0.0, 0.0), (2.5, 0.0), (2.52, 1.5), (0.0, 1.5)])


def write(folder, name, *options, site="site.toml"):
    """Run the command in a folder; return its exit code."""
    words = [folder / "field", folder / "field-alarms", "--site", folder / site]
    words += ["--output", folder / name, *options]
    return main(["evidence", *map(str, words)])


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Return a folder with a session, a site, a log and the annex that was made of them."""
    folder = tmp_path_factory.mktemp("annex")
    make_session(folder)
    make_log(folder / "log.jsonl")
    assert write(folder, "annex", "--dispositions", folder / "log.jsonl") == 0
    return folder


@pytest.fixture(scope="module")
def grounds(home):
    """Return the states of the ground, worked out again."""
    sessions = open_sessions([home / "field", home / "field-alarms"])
    entries = read_dispositions(home / "log.jsonl")
    return ground_maps(build_grid(read_site(home / "site.toml"), sessions, entries))


def table(path, layer):
    """Return the rows of a layer as GDAL reads them, each with its shape."""
    meta, _, shapes, data = pyogrio.raw.read(path, layer=layer)
    rows = [dict(zip(meta["fields"], row, strict=True)) for row in zip(*data, strict=True)]
    if shapes is not None:
        for row, shape in zip(rows, shapes, strict=True):
            row["shape"] = None if shape is None else shapely.from_wkb(shape)
    return rows


# Maps


def test_every_layer_says_synthetic(home):
    """Layers open elsewhere, and each feature of each says SYNTHETIC and restricted."""
    path = home / "annex" / "annex.gpkg"
    assert set(pyogrio.list_layers(path)[:, 0]) == set(LAYERS)
    for name in LAYERS:
        rows = table(path, name)
        assert rows or name in ("records", "residual_risk")
        assert {row["data_kind"] for row in rows} <= {"SYNTHETIC"}
        assert {row["confidentiality"] for row in rows} <= {"restricted"}
    with sqlite3.connect(path) as base:
        for name, text in base.execute("SELECT table_name, description FROM gpkg_contents"):
            assert "SYNTHETIC" in text, name
    base.close()
    for file in (home / "annex").glob("*.geojson"):
        document = json.loads(file.read_text())
        assert document["data_kind"] == "SYNTHETIC"
        assert "crs" not in document


def test_states_add_up_to_the_task(home, grounds):
    """For every class, areas of all states are those of the grid and of the polygon."""
    rows = table(home / "annex" / "annex.gpkg", "coverage")
    assert [ground.label for ground in grounds] == LABELS
    for ground in grounds:
        own = [row for row in rows if row["about"] == ground.label]
        assert sum(row["area_m2"] for row in own) == pytest.approx(TASK.area, abs=1e-6)
        assert ground.area == pytest.approx(TASK.area, abs=1e-9)
        for state in STATES:
            drawn = sum(row["area_m2"] for row in own if row["state"] == state)
            assert drawn == pytest.approx(ground.areas()[state], abs=1e-6)
        assert all(row["shape"].is_valid for row in own)
    metres = 111_319.49  # of a degree at longitude and latitude 0, along the equator
    shape = shapely.union_all([row["shape"] for row in rows if row["about"] == LABELS[0]])
    assert shape.bounds[2] * metres == pytest.approx(2.52, abs=1e-3)


def test_unseen_ground_has_reasons(home, grounds):
    """The layer holds each state of unseen ground with its reason, for every class."""
    rows = table(home / "annex" / "annex.gpkg", "not_observed")
    assert {row["state"] for row in rows} <= set(UNSEEN)
    assert all(row["reason"] for row in rows)
    for ground in grounds:
        expected = sum(part.area for part in ground.unseen())
        found = sum(row["area_m2"] for row in rows if row["about"] == ground.label)
        assert found == pytest.approx(expected, abs=1e-6)
    plastic = [row for row in rows if row["about"] == LABELS[2]]
    assert {row["reason"] for row in plastic} == {"CANNOT_SEE"}
    middle = shapely.Point(1.25 / 111_319.49, 0.7 / 110_574.3)  # between the lanes
    here = [
        r["reason"] for r in rows if r["about"] == LABELS[1] and r["shape"].contains(middle)
    ]
    assert here == ["NOT_SWEPT"]


def test_no_alarm_is_lost(home):
    """Those without a position, and those that people ended, are there with what was done."""
    rows = {row["feature_id"]: row for row in table(home / "annex" / "annex.gpkg", "alarms")}
    assert sorted(rows) == [alarm.identifier for alarm in ALARMS]
    assert rows["A0004"]["shape"] is None
    assert not rows["A0004"]["is_located"]
    ended = rows["A0001"]
    assert (ended["disposition"], ended["found"]) == ("dug", "fragment")  # as corrected
    assert (ended["disposed_by"], ended["log_entry"]) == ("operator 7", 2)
    assert [rows[name]["is_ended"] for name in sorted(rows)] == [True, False, False, False]
    assert rows["A0002"]["disposition"] == "looked_at"
    assert rows["A0003"]["disposition"] == "open"
    assert rows["A0003"]["threshold"] == 1.5


def test_the_surface_is_the_grid(home, grounds):
    """Rasterio reads the states of the grid, north up."""
    with rasterio.open(home / "annex" / "states.tif") as file:
        states = file.read(1)[::-1]
        expected = np.where(grounds[0].states < 0, -9999, grounds[0].states)
        np.testing.assert_array_equal(states, expected)
        assert file.tags(1)["CODE_2"] == "NOT_OBSERVED"
        assert file.tags()["DATA_KIND"] == "SYNTHETIC"


def test_an_alarm_stands_until_a_person_ended_it(home):
    """Without the log, the ground under the first alarm is ALARM; with it, it is not."""
    site = read_site(home / "site.toml")
    sessions = open_sessions([home / "field", home / "field-alarms"])
    entries = read_dispositions(home / "log.jsonl")
    states = {}
    for name, log in (("without", ()), ("with", entries)):
        grid = build_grid(site, sessions, log)
        states[name] = int(grid.at(grid.layers[0].state, 0.5, 0.4))
    assert states == {"without": 4, "with": 2}


# The page


class Text(HTMLParser):
    """Headings, cells by table, and visible text of a page."""

    def __init__(self, source):
        super().__init__()
        self.headings, self.rows, self.images, self.texts, self._tag = [], [], [], [], ""
        self.feed(source)

    def handle_starttag(self, tag, attrs):
        """Note rows and pictures."""
        self._tag = tag
        if tag == "tr":
            self.rows.append([])
        elif tag == "img":
            self.images.append(dict(attrs)["alt"])
        elif tag == "h2":
            self.headings.append("")
        elif tag in ("td", "th") and self.rows:
            self.rows[-1].append("")

    def handle_data(self, data):
        """Add text to where it belongs."""
        if self._tag in ("style", "title"):
            return
        self.texts.append(data)
        if self._tag == "h2":
            self.headings[-1] += data.strip("\n")
        elif self._tag in ("td", "th", "span") and self.rows and self.rows[-1]:
            self.rows[-1][-1] += data.strip("\n")


@pytest.fixture(scope="module")
def page(home):
    """Return the page of the annex."""
    return Text((home / "annex" / "annex.html").read_text())


def test_the_page_has_its_sections(home, page):
    """All fifteen, in order; the fixed text; no address; nothing that promises."""
    expected = ["Contents", *(f"{k}. {title}" for k, title in enumerate(TITLES, start=1))]
    assert page.headings == expected
    source = (home / "annex" / "annex.html").read_text()
    assert not OUTSIDE.search(re.sub(r"data:[^\"]*", "data:", source))
    text = " ".join(" ".join(page.texts).split())
    assert text.count(SAFETY_TEXT) == 2
    assert "Whether any authority accepts it is unknown" in text
    assert not PROMISES.search(text)
    assert "SYNTHETIC" in text


def test_section_9_answers_what_was_not_looked_at(page, grounds):
    """In figures and in a table whose areas are those of the grid, to the last reason."""
    rows = [row for row in page.rows if len(row) == 4 and row[0] in LABELS]
    for ground in grounds:
        own = [row for row in rows if row[0] == ground.label]
        parts = ground.unseen()
        assert [row[2].split(", ") for row in own] == [list(part.reasons) for part in parts]
        assert [float(row[3]) for row in own] == pytest.approx(
            [part.area for part in parts], abs=0.005
        )
    pictures = [alt for alt in page.images if "not observed" in alt.lower()]
    assert any(alt.startswith("Map of what was not observed, all targets") for alt in pictures)
    text = " ".join(" ".join(page.texts).split())
    area = sum(part.area for part in grounds[0].unseen())
    assert f"all targets: {area:.2f} m² of {TASK.area:.2f} m²" in text


def test_the_page_names_people_and_hashes(home, page):
    """Dispositions, corrections, checks, seeds and every file with its hash."""
    text = " ".join(" ".join(page.texts).split())
    assert "3, none deleted" in text
    assert "9 of 10" in text
    assert "0.555 to 0.997" in text  # Clopper and Pearson for 9 of 10
    manifest = json.loads((home / "annex" / "manifest.json").read_text())
    hashes = {row["sha512"] for row in manifest["files"] if row["name"] != "annex.html"}
    assert all(digest in text for digest in hashes)
    assert any(row[:1] == ["coil"] and "passed" in row for row in page.rows)


@pytest.mark.endtoend
def test_the_page_opens_and_prints(home):
    """Chromium asks for nothing else, nothing reaches beyond the sheet, all sheets are A4."""
    playwright = pytest.importorskip("playwright.sync_api")
    browser_path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
    if browser_path is None:
        pytest.skip("no browser: neither chromium nor chromium-browser is installed")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=browser_path, args=list(FLAGS))
        view = browser.new_page(viewport={"width": 688, "height": 1000})
        asked, said = [], []
        view.on("request", lambda request: asked.append(request.url))
        view.on("console", lambda message: said.append(message.text))
        view.goto((home / "annex" / "annex.html").as_uri())
        assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
        assert said == []
        assert view.locator("section").count() == 16
        loaded = "[...document.images].every(i => i.complete && i.naturalWidth > 100)"
        assert view.evaluate(loaded)
        view.emulate_media(media="print")
        assert view.evaluate("document.documentElement.scrollWidth") <= 688
        data = view.pdf(prefer_css_page_size=True)
        browser.close()
    boxes = re.findall(rb"/MediaBox\s*\[0 0 ([\d.]+) ([\d.]+)\]", data)
    assert len(boxes) >= 5
    for box in boxes:
        assert [float(x) for x in box] == pytest.approx([595.0, 842.0], abs=1.0)


# The chain


def test_the_same_input_gives_the_same_bytes(home):
    """Every file of a second annex beside the first is the same."""
    assert write(home, "again", "--dispositions", home / "log.jsonl") == 0
    one, other = home / "annex", home / "again"
    names = sorted(path.name for path in one.iterdir())
    assert names == sorted(path.name for path in other.iterdir())
    for name in names:
        assert (one / name).read_bytes() == (other / name).read_bytes(), name


@pytest.mark.parametrize("where", ["annex", "field", "field-alarms"])
def test_a_changed_byte_is_found(home, tmp_path, capsys, where):
    """In every file of the annex and of its sessions; the command leaves with code 2."""
    for name in ("annex", "field", "field-alarms"):
        shutil.copytree(home / name, tmp_path / name)
    assert main(["verify", str(tmp_path / "annex")]) == 0
    assert "all as they were written" in capsys.readouterr().out
    rng = np.random.default_rng(seed=5)
    for path in sorted(p for p in (tmp_path / where).rglob("*") if p.is_file()):
        data = path.read_bytes()
        for k in {0, len(data) - 1, *rng.integers(0, len(data), 3).tolist()}:
            spoilt = bytearray(data)
            spoilt[k] ^= 1 << int(rng.integers(8))
            path.write_bytes(spoilt)
            assert main(["verify", str(tmp_path / "annex")]) == 2, (path, k)
            assert path.name in capsys.readouterr().out
        path.write_bytes(data)
    assert main(["verify", str(tmp_path / "annex")]) == 0


# What is refused


def refused(folder, capsys, *options, **more):
    """Return what the command says when it refuses; it leaves no annex."""
    assert write(folder, "refused", *options, **more) == 2
    folder = folder / "refused"
    assert not folder.exists() or not list(folder.iterdir())
    (line,) = capsys.readouterr().err.strip().splitlines()
    return line


def test_synthetic_data_do_not_leave_as_operational(home, capsys):
    """The whole export is refused."""
    said = refused(home, capsys, "--purpose", "operational")
    assert "Invalid purpose 'operational' for SYNTHETIC data" in said


def line_of_text(text):
    """Return the line of the site file that begins with a text."""
    lines = SITE.splitlines()
    return next(k for k, line in enumerate(lines, start=1) if line.startswith(text))


def respelt(home, tmp_path, *, session=SESSION, site=SITE, drop=()):
    """Return a copy of the session with another session file or site file."""
    for name in ("field", "field-alarms"):
        shutil.copytree(home / name, tmp_path / name)
    (tmp_path / "field-alarms" / "session.toml").write_text(session)
    (tmp_path / "site.toml").write_text(site)
    for name in drop:
        (tmp_path / name).unlink()
    return tmp_path


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"session": SESSION.partition("[[check]]")[0]}, "Invalid section 4 (Function checks)"),
        ({"session": "identfier = 'a'"}, "session.toml', line 1: "),
        ({"session": SESSION.replace("cart coils", "coils")}, "Invalid sensor 'cart coils'"),
        ({"session": SESSION.replace('"end"', '"break"')}, "Invalid time of a check"),
        (
            {"session": SESSION.replace("= 5.0", "= 0.02")},
            "Invalid pause_between_lanes '0.02'. Must be at least",
        ),
        (
            {"site": SITE.replace("retention", "retension")},
            f"line {line_of_text('retention')}: Invalid annex key",
        ),
        ({"site": SITE.replace(CORNERS, "[2.52, 1.5], [2.5, 0.0]")}, "sides 1 and 3 cross"),
        ({"site": SITE.replace('"local"', '"EPSG:99"\norigin = [0, 0]')}, "EPSG:99"),
        (
            {"site": SITE.replace("SYNTHETIC: south", "north")},
            "Invalid origin 'SYNTHETIC: south",
        ),
        ({"site": SITE.replace('found = "9"', 'found = "11"')}, "found '11' of laid '10'"),
        ({"drop": ["field-alarms/alarms.csv"]}, "Must be a folder with field.json"),
        ({"drop": ["field-alarms/coverage.npz"]}, "no coverage.npz"),
        (
            {"drop": ["field/field.json"]},
            "Must be a folder with field.json, or one with alarms",
        ),
    ],
)
def test_what_is_missing_or_wrong_is_named(home, tmp_path, capsys, changes, message):
    """In one line, which names the file and its line, and before anything is written."""
    said = refused(respelt(home, tmp_path, **changes), capsys)
    assert message in said
    for name, begins in _LINES:
        if name in said:
            assert f"site.toml', line {line_of_text(begins)}: " in said


_LINES = (
    ("retension", "retention"), ("cross", "polygon"), ("EPSG", "crs ="),
    ("found '11'", "blind_seeds_found"),
)  # fmt: skip


def test_the_files_of_the_guide_fit_a_simulated_field():
    """Sensors, frame, checks and polygon of the examples are those of its blind lanes."""
    site = read_site("examples/site_of_a_simulated_field.toml")
    notes = read_session_notes("examples/session_of_a_simulated_field.toml")
    made = field(scenario("farmland"), seed=1)
    named = {note.name: note.identifier for note in notes.sensor}
    assert set(named) == {"cart coils", "cart radar"}  # as the simulator calls them
    sensors = {sensor.identifier for sensor in site.sensor}
    assert set(named.values()) == sensors
    for occasion in ("start", "end"):
        assert {c.sensor for c in notes.check if c.occasion == occasion} == sensors
    assert site.frame.frame.origin == ORIGIN
    lanes = shapely.union_all(
        [shapely.Polygon(lane.corners) for lane in made.lanes if lane.is_blind]
    )
    area = shapely.Polygon(site.area[0].polygon)
    assert shapely.intersection(area, lanes).area > 0.7 * area.area


def test_alarms_of_two_sessions_are_told_apart(home, tmp_path):
    """Detectors number from A0001 on; a name of two sessions gets that of its session."""
    paths = []
    for name, begins in (("morning", 0.0), ("noon", 3600.0)):
        for kind in ("", "-alarms"):
            paths.append(tmp_path / f"{name}{kind}")
            shutil.copytree(home / f"field{kind}", paths[-1])
        text = f"begins = {begins}\n{SESSION}".replace('"morning"', f'"{name}"')
        (paths[-1] / "session.toml").write_text(text)
    grid = build_grid(read_site(home / "site.toml"), open_sessions(paths), ())
    expected = {f"{name}/{a.identifier}" for name in ("morning", "noon") for a in ALARMS}
    assert set(grid.alarms) == expected
    assert len(grid.checks) == 4
    assert max(layer.looks.max() for layer in grid.layers) == 2


def test_ground_under_alarms_that_no_look_counts_for_is_said(grounds, page):
    """An alarm comes first among states, and hides nothing from section 9."""
    blind = next(g for g in grounds if g.label == LABELS[2])
    hidden = blind.area_unseen_under_alarms()
    assert hidden == pytest.approx(blind.areas()["ALARM"])
    assert hidden > 0
    assert f"lie another {hidden:.2f} m² that no look counts for" in " ".join(
        " ".join(page.texts).split()
    )


def test_other_faults_are_named(home, tmp_path, capsys):
    """A folder that is not empty, a session twice, a log of other alarms, a missing file."""
    assert write(home, "annex") == 2
    assert "Must be new or empty" in capsys.readouterr().err
    field = str(home / "field")
    found = [field, str(home / "field-alarms")]
    code = main(["evidence", *found, *found, "--site", str(home / "site.toml")])
    assert code == 2
    assert "it is given twice" in capsys.readouterr().err
    assert main(["evidence", field, "--site", str(home / "site.toml")]) == 2
    assert "no alarms.csv" in capsys.readouterr().err
    assert main(["evidence", found[1], "--site", str(home / "site.toml")]) == 2
    assert "alarms of no field. Must follow their field" in capsys.readouterr().err
    make_log(tmp_path / "log").write_text("{}\n")
    said = refused(home, capsys, "--dispositions", tmp_path / "log")
    assert "line 1" in said


def test_alarms_beyond_the_task_are_marked(home, tmp_path):
    """An alarm outside is kept and says so; one of a lane that is not there is refused."""
    folder = respelt(home, tmp_path, site=SITE.replace(CORNERS, "[1, 0], [1, 1.5]"))
    assert write(folder, "annex") == 0
    rows = {row["feature_id"]: row for row in table(folder / "annex" / "annex.gpkg", "alarms")}
    marks = [rows[name]["is_outside_task"] for name in sorted(rows)]
    assert marks == [False, False, True, False]


def test_a_failed_closing_check_invalidates(home, tmp_path):
    """All data since the check that passed are INVALID, with the reason, and said so."""
    session = SESSION.replace("response = 98.0", "response = 50.0")
    folder = respelt(home, tmp_path, session=session)
    assert write(folder, "annex") == 0
    rows = table(folder / "annex" / "annex.gpkg", "coverage")
    own = [row for row in rows if row["about"] == LABELS[1]]
    assert not [row for row in own if row["state"] == "OBSERVED_NO_ALARM"]
    invalid = [row for row in own if row["state"] == "INVALID"]
    assert {row["reason"] for row in invalid} == {"CHECK_FAILED"}
    assert sum(row["area_m2"] for row in invalid) > 1
    text = (folder / "annex" / "annex.html").read_text()
    assert "FAILED" in text


def test_lanes_that_no_detector_judged_are_not_observed(tmp_path):
    """Recorded is not judged: such a lane is NOT_SWEPT for the annex."""
    make_session(tmp_path, alarms=(make_alarm("A1", 0.5, 0.4),), lanes=("lane 01",))
    assert write(tmp_path, "annex") == 0
    rows = table(tmp_path / "annex" / "annex.gpkg", "coverage")
    place = shapely.Point(2.0 / 111_319.49, 0.4 / 110_574.3)
    own = [r for r in rows if r["about"] == LABELS[1] and r["shape"].contains(place)]
    assert [(row["state"], row["reason"]) for row in own] == [("NOT_OBSERVED", "NOT_SWEPT")]


def test_recorded_data_need_a_place_on_earth():
    """A local frame without a place is refused, unless the data are synthetic."""
    site = parse_site(SITE)
    assert map_frame(site, is_synthetic=True).is_fictitious
    with pytest.raises(ValueError, match="its place on Earth is not known"):
        map_frame(site, is_synthetic=False)
    place = 'origin_longitude_deg = "46.0"\norigin_latitude_deg = "40.0"\n'
    with pytest.raises(ValueError, match="Must be three numbers"):
        map_frame(parse_site(SITE + place), is_synthetic=False)
    frame = map_frame(
        parse_site(SITE + place + 'origin_height_m = "300"\n'), is_synthetic=False
    )
    assert frame.anchor() == (46.0, 40.0, 300.0)
    text = SITE.replace('crs = "local"', 'crs = "EPSG:32638"\norigin = [500000.0, 4400000.0]')
    frame = map_frame(parse_site(text), is_synthetic=False)
    assert frame.shift == (500000.0, 4400000.0)


def test_public_annexes_tell_no_place(home, tmp_path):
    """No shape, coordinate or surface leaves; areas and reasons do."""
    folder = respelt(home, tmp_path)
    assert write(folder, "public", "--level", "public") == 0
    public = folder / "public"
    assert not (public / "states.tif").exists()
    for name in ("coverage", "not_observed", "alarms", "tracks"):
        rows = table(public / "annex.gpkg", name)
        assert rows
        assert {row["shape"] for row in rows} == {None}
        assert {row["confidentiality"] for row in rows} == {"public"}
    assert all(np.isnan(row["easting_m"]) for row in table(public / "annex.gpkg", "alarms"))
    text = Text((public / "annex.html").read_text())
    assert "withheld" in " ".join(text.texts)
    assert not [alt for alt in text.images if alt.startswith("Map")]
    rows = [row for row in text.rows if len(row) == 4 and row[0] in LABELS]
    assert len(rows) >= 5
    assert not (public / "site.toml").exists()  # it holds the polygon of the task
    for path in public.iterdir():
        assert b"2.52" not in path.read_bytes(), path.name
    assert main(["verify", str(public)]) == 0
    site = (folder / "site.toml").read_text()
    (folder / "site.toml").write_text(site + "# later\n")
    assert main(["verify", str(public)]) == 2
    (folder / "site.toml").write_text(site)
    assert write(folder, "asked", "--level", "public", "--exact-positions") == 0
    assert (folder / "asked" / "states.tif").exists()


def test_a_form_is_written_or_nothing(home, tmp_path, capsys):
    """A field map fills a country's form; a required field without a source stops all."""
    path = tmp_path / "map.toml"
    path.write_text(
        'form = "points"\nlayer = "alarms"\n[[field]]\ntheirs = "imsma_id"\n'
        'ours = "feature_id"\nrequired = true\n[[field]]\ntheirs = "priority"\n'
    )
    folder = respelt(home, tmp_path)
    assert write(folder, "annex", "--field-map", path) == 0
    lines = (folder / "annex" / "form_map.csv").read_text().splitlines()
    assert lines[:2] == ["imsma_id,priority,data_kind", "A0001,,SYNTHETIC"]
    path.write_text(path.read_text() + "required = true\n")
    assert write(folder, "other", "--field-map", path) == 2
    assert "'priority' is mapped to nothing" in capsys.readouterr().err


def residual(**changes):
    """Return what may remain on a grid of four cells."""
    figures = {"mean": 0.4, "upper": 2.0, "none_remain": 0.67, "greatest_cell": 0.3}
    fields = {
        "origin": (0.0, 0.0),
        "cell": 1.0,
        "classes": ("AP",),
        "depth_bands": ((0.0, 0.1),),
        "expected": np.array([[[[0.1, 0.2], [0.05, math.nan]]]]),
        "upper": np.array([[[[0.4, 0.5], [0.2, math.nan]]]]),
        "confidence": 0.95,
        "cases": {"worst": figures, "independent": figures | {"mean": 0.2}},
        "others": {"no records": figures | {"mean": 0.1}},
        "words": {"no records": "all records left out"},
        "assumptions": ("background of 1e-3 items per m2",),
        "is_synthetic": True,
    } | changes
    return ResidualMap(**fields)


def test_what_may_remain_is_shown_with_its_bounds(home, tmp_path):
    """In section 15, a layer and a surface; the worst case first; the file comes back whole."""
    folder = respelt(home, tmp_path)
    path = save_residual(tmp_path / "residual.npz", residual())
    data = path.read_bytes()
    assert save_residual(path, load_residual(path)).read_bytes() == data
    assert write(folder, "annex", "--residual", path) == 0
    rows = table(folder / "annex" / "annex.gpkg", "residual_risk")
    assert [row["expected_items"] for row in rows] == [0.1, 0.2, 0.05]
    assert all(row["shape"].is_valid for row in rows)
    assert {row["data_kind"] for row in rows} == {"SYNTHETIC"}
    with rasterio.open(folder / "annex" / "residual.tif") as file:
        np.testing.assert_array_equal(
            file.read(2)[::-1], np.float32([[0.4, 0.5], [0.2, -9999]])
        )
    text = Text((folder / "annex" / "annex.html").read_text())
    cases = [row[0] for row in text.rows if row and row[0] in ("worst", "independent")]
    assert cases == ["worst", "independent"]
    assert ["no records", "0.1", "2", "0.67", "0.3", "all records left out"] in text.rows
    assert "Not a release authorisation" in " ".join(text.texts)


def test_an_estimate_of_the_library_fits(tmp_path):
    """What estimate_remaining returns comes back from its file as it was, worst case first."""
    grid = SiteGrid(origin=(0.0, 0.0), cell=1.0, shape=(2, 3))
    bands = ((0.0, 0.13),)
    model = SiteModel(
        grid=grid,
        classes=("AP",),
        depth_bands=bands,
        background={"AP": Background(mean=0.01, source="invented")},
    )
    seeds = CountedTrials(found=26, laid=30, source="blind seeds")
    search = Evidence(
        source="team 3",
        kind="manual",
        family="metal detector",
        footprint=np.ones(grid.shape),
        depth_bands=bands,
        classes=("AP",),
        pd={("AP", 0): seeds},
        provenance="task sheet",
        time="2026-05-04",
    )
    rng = np.random.default_rng(seed=1)
    found = estimate_remaining(model, [search], [], rng=rng, n_draws=40, is_synthetic=True)
    shown = residual_map(found)
    back = load_residual(save_residual(tmp_path / "residual.npz", shown))
    np.testing.assert_array_equal(back.expected, found.expected)
    np.testing.assert_array_equal(back.upper, found.upper)
    assert next(iter(back.cases)) == "worst"
    assert back.cases["worst"]["upper"] == found.combinations["worst"].upper
    assert set(back.others) == {item.name for item in found.scenarios}
    assert back.is_synthetic
    assert len(residual_layer(back)) == 6
    assert [s.name for s in residual_surfaces(back, is_synthetic=False)] == [
        "expected_items_per_cell",
        "upper_items_per_cell",
    ]


def test_an_estimate_is_never_zero(tmp_path):
    """Nor of another form, nor cut short."""
    with pytest.raises(ValueError, match="Must be greater than zero everywhere"):
        residual(expected=np.zeros((1, 1, 2, 2)))
    with pytest.raises(ValueError, match=r"Invalid upper with shape \(1, 1, 1, 1\)"):
        residual(upper=np.ones((1, 1, 1, 1)))
    with pytest.raises(ValueError, match=r"Invalid expected with shape \(2, 2\)"):
        residual(expected=np.ones((2, 2)))
    path = save_residual(tmp_path / "residual.npz", residual())
    data = path.read_bytes()
    for spoilt in (b"", data[:200], b"{}", data[:-30]):
        path.write_bytes(spoilt)
        with pytest.raises(ValueError, match="Must be a file of save_residual"):
            load_residual(path)


# Records


def sections(**changes):
    """Return fifteen sections."""
    words = {2: (SAFETY_TEXT, "A coil says nothing of what has no metal.")} | changes
    return [AnnexSection(number=k, paragraphs=words.get(k, ("said",))) for k in range(1, 16)]


@pytest.mark.parametrize("number", [2, 4, 9])
def test_required_sections_are_never_empty(number):
    """Blank words and tables without rows are empty, and the fixed text alone is, too."""
    good = sections()
    Annex(title="T", sections=good, is_synthetic=True, level="restricted")
    for words in ((), ("  ",)):
        fixed = (SAFETY_TEXT,) if number == 2 else ()
        bad = list(good)
        bad[number - 1] = AnnexSection(number=number, paragraphs=(*fixed, *words))
        with pytest.raises(ValueError, match=rf"Invalid section {number} \("):
            Annex(title="T", sections=bad, is_synthetic=True, level="restricted")
    with pytest.raises(ValueError, match="Must be 1 to 15"):
        Annex(title="T", sections=good[:14], is_synthetic=True, level="restricted")


def test_hostile_names_stay_text(tmp_path):
    """Names from files do not become part of the page."""
    hostile = "<script>alert(1)</script>&\u202e"
    made = sections()
    made[0] = AnnexSection(number=1, facts=((hostile, hostile),))
    annex = Annex(title=hostile, sections=made, is_synthetic=False, level="restricted")
    source = annex_report(tmp_path / "a.html", annex, figures={}).read_text()
    assert "<script" not in source
    assert "\u202e" not in source
    with pytest.raises(ValueError, match="Invalid figures"):
        annex_report(tmp_path / "a.html", annex, figures={"x": (b"", "", "")})


def test_ground_without_a_reason_is_refused():
    """Unseen cells state why; grids agree; areas beyond the task are none."""
    options = {"origin": (0.0, 0.0), "cell": 0.5, "reason_names": {1: "NOT_SWEPT"}}
    with pytest.raises(ValueError, match="1 cells that were not observed have none"):
        GroundMap(states=[[2, 4]], reasons=[[0, 0]], looks=[[0, 1]], **options)
    with pytest.raises(ValueError, match="a bit has no name"):
        GroundMap(states=[[2, 4]], reasons=[[1, 2]], looks=[[0, 1]], **options)
    with pytest.raises(ValueError, match="Invalid states"):
        GroundMap(states=[[2, 5]], reasons=[[1, 0]], looks=[[0, 1]], **options)
    with pytest.raises(ValueError, match="Invalid grids of shapes"):
        GroundMap(states=[[2, 4]], reasons=[[1]], looks=[[0, 1]], **options)
    with pytest.raises(ValueError, match="zero beyond the task"):
        GroundMap(states=[[-1]], reasons=[[0]], looks=[[0]], units=[[5]], **options)
    with pytest.raises(ValueError, match="Invalid annex key 'colour'"):
        check_statements({"colour": "grey"})


def test_random_grids_are_drawn_whole():
    """Whatever the states and the border of the task, polygons add up to it."""
    rng = np.random.default_rng(seed=2)
    for _ in range(5):
        states = rng.integers(0, 5, (12, 9))
        reasons = np.where(states == 4, 0, 1 << rng.integers(0, 3, states.shape))
        corners = rng.uniform(0.1, 0.9, (3, 2)) * [9, 12]
        task = shapely.Polygon(corners)
        boxes = shapely.box(*np.meshgrid(np.arange(9), np.arange(12)), *np.meshgrid(
            np.arange(1, 10), np.arange(1, 13)
        ))  # fmt: skip
        units = np.rint(shapely.area(shapely.intersection(boxes, task)) * 1e12).astype(int)
        ground = GroundMap(
            origin=(0.0, 0.0), cell=1.0, states=np.where(units > 0, states, -1),
            reasons=np.where(units > 0, reasons, 0), looks=np.zeros_like(states), units=units,
            reason_names={1: "A", 2: "B", 4: "C"},
        )  # fmt: skip
        coverage, unseen = ground_layers([ground], task=task)
        check_area_sum(coverage, task.area)
        assert ground.area == pytest.approx(task.area, abs=1e-9)
        area = sum(part.area for part in ground.unseen())
        assert sum(f.values["area_m2"] for f in unseen.features) == pytest.approx(
            area, abs=1e-6
        )


def test_checks_may_state_their_time(home, tmp_path):
    """A stated time is taken; checks after a break need one."""
    session = SESSION + CHECK.format(occasion="break", response=99.0) + "time = 8.0\n"
    folder = respelt(home, tmp_path, session=session)
    sessions = open_sessions([folder / "field", folder / "field-alarms"])
    grid = build_grid(read_site(folder / "site.toml"), sessions, ())
    assert [item.check.occasion for item in grid.checks] == ["start", "break", "end"]
    assert grid.checks[1].check.time == 8.0
