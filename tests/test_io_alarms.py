"""Test writing alarms and reading them back."""

import csv
import json
import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from minesense.alarm import SAFETY_TEXT, Alarm
from minesense.io import FormatError
from minesense.io.alarms import read_alarms, write_csv, write_geojson
from minesense.sweep import Frame

FRAME = Frame(crs="local", origin="north-west peg")


def alarm(identifier="a1", **changes):
    values = {
        "identifier": identifier,
        "lane": "lane 3",
        "time": 12.345678901234567,
        "easting": 1.1,
        "northing": -0.0,
        "position_error": 0.05,
        "depth": 0.1,
        "probability": 1 / 3,
        "score": 1e-300,
        "evidence": {"gpr energy": 2.5, "emi glrt": -1e22},
        "quality": 64,
        "model": "m, \"1\"\n'2'",
    }
    return Alarm(**{**values, **changes})


ALARMS = [
    alarm(),
    alarm("a2", easting=math.nan, depth=math.nan, probability=math.nan, evidence={}),
    alarm("ä3", evidence={"only here": 0.1}, model=""),
]


def same(a, b):
    """Whether two alarms are equal, NaN included."""
    return repr(a) == repr(b)


def write(form, alarms, path, **options):
    """Write in one of the two forms."""
    if form == "csv":
        write_csv(alarms, path, **options)
    else:
        write_geojson(alarms, path, **{"frame": FRAME, "synthetic": False, **options})


both = pytest.mark.parametrize("form", ["csv", "geojson"])


@both
def test_what_is_written_reads_back(tmp_path, form):
    """Every field to the last bit, NaN as NaN, order kept."""
    write(form, ALARMS, tmp_path / "a")
    found = read_alarms(tmp_path / "a")
    assert len(found) == 3
    assert all(
        same(dict(vars_of(a)), dict(vars_of(b))) for a, b in zip(found, ALARMS, strict=True)
    )


def vars_of(record):
    """Return the fields of an alarm, evidence sorted."""
    for name in Alarm.__dataclass_fields__:
        value = getattr(record, name)
        yield name, dict(sorted(value.items())) if name == "evidence" else value


@both
def test_no_alarms_and_no_evidence(tmp_path, form):
    write(form, [], tmp_path / "a")
    assert read_alarms(tmp_path / "a") == []


@both
def test_bytes_depend_on_the_alarms_alone(tmp_path, form):
    """No clock, no order of evidence; an existing file is replaced whole."""
    write(form, ALARMS, tmp_path / "a")
    turned = alarm(evidence={"emi glrt": -1e22, "gpr energy": 2.5})
    (tmp_path / "b").write_text("something longer\n" * 1000)
    write(form, [turned, *ALARMS[1:]], tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "b"]


def test_csv_as_others_read_it(tmp_path):
    """Units in the names of columns, NaN as an empty cell."""
    write_csv(ALARMS, tmp_path / "a.csv", synthetic=True)
    with (tmp_path / "a.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0])[:7] == [
        "identifier",
        "lane",
        "time_s",
        "easting_m",
        "northing_m",
        "position_error_m",
        "depth_m",
    ]
    assert rows[0]["easting_m"] == "1.1"
    assert rows[0]["evidence gpr energy"] == "2.5"
    assert (rows[1]["easting_m"], rows[1]["depth_m"], rows[1]["probability"]) == ("", "", "")
    assert {row["data_kind"] for row in rows} == {"SYNTHETIC"}
    write_csv(ALARMS, tmp_path / "a.csv")
    assert "SYNTHETIC" not in (tmp_path / "a.csv").read_text(encoding="utf-8")


def test_geojson_in_a_local_frame(tmp_path):
    """Coordinates are metres, and the file says so; null where the place is unknown."""
    path = tmp_path / "a.geojson"
    write_geojson(ALARMS, path, frame=FRAME, synthetic=True, properties={"model": "m"})
    content = json.loads(path.read_text(encoding="utf-8"))
    assert content["type"] == "FeatureCollection"
    assert content["data"] == "SYNTHETIC"
    assert content["safety"] == SAFETY_TEXT
    assert content["properties"] == {"model": "m"}
    frame = content["minesense:frame"]
    assert (frame["crs"], frame["origin"]) == ("local", "north-west peg")
    assert "not WGS84" in frame["coordinates"]
    first, second, _ = content["features"]
    assert first["geometry"] == {"type": "Point", "coordinates": [1.1, -0.0]}
    assert first["properties"]["depth_m"] == 0.1
    assert first["properties"]["data_kind"] == "SYNTHETIC"
    assert second["geometry"] is None
    assert second["properties"]["easting_m"] is None
    write_geojson(ALARMS, path, frame=FRAME, synthetic=False)
    assert "SYNTHETIC" not in path.read_text(encoding="utf-8")


def test_geojson_with_known_places(tmp_path):
    """Longitude and latitude, in that order; never mixed with metres."""
    path = tmp_path / "a.geojson"
    places = {"a1": (12.5, 46.25), "a2": (math.nan, 46.0)}
    write_geojson(ALARMS, path, frame=FRAME, synthetic=False, geographic=places)
    content = json.loads(path.read_text(encoding="utf-8"))
    assert content["minesense:frame"]["coordinates"].startswith("WGS84")
    found = [f["geometry"] and f["geometry"]["coordinates"] for f in content["features"]]
    assert found == [[12.5, 46.25], None, None]
    assert content["features"][0]["properties"]["easting_m"] == 1.1


@both
@pytest.mark.parametrize(
    ("alarms", "error", "match"),
    [
        ([alarm(score=math.inf)], ValueError, "Invalid score 'inf' of alarm 'a1'"),
        ([alarm(evidence={"x": -math.inf})], ValueError, "Invalid x '-inf'"),
        (["alarm"], TypeError, "Must be an Alarm"),
    ],
)
def test_refused_before_a_file_appears(tmp_path, form, alarms, error, match):
    with pytest.raises(error, match=match):
        write(form, alarms, tmp_path / "a")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"frame": "local"}, TypeError, "Must be a Frame"),
        ({"geographic": {"a1": (46.0, 120.0)}}, ValueError, "longitude and latitude"),
        ({"properties": {"x": math.nan}}, ValueError, "JSON"),
        ({"properties": {"x": {1, 2}}}, TypeError, "JSON"),
    ],
)
def test_geojson_options_are_checked(tmp_path, options, error, match):
    with pytest.raises(error, match=match):
        write("geojson", ALARMS, tmp_path / "a", **options)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_keeps_the_old_file(tmp_path):
    path = tmp_path / "a.csv"
    write_csv(ALARMS, path)
    before = path.read_bytes()
    (tmp_path / ".a.csv.part").mkdir()  # stands in the way
    with pytest.raises(OSError, match="part"):
        write_csv([], path)
    assert path.read_bytes() == before


def csv_text(tmp_path):
    """Return a small CSV file as text."""
    write_csv([alarm(evidence={"e": 1.0}, model="m")], tmp_path / "base")
    text = (tmp_path / "base").read_text(encoding="utf-8")
    (tmp_path / "base").unlink()
    return text


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        ("easting_m", "easting", "each column once, with easting_m"),
        ("northing_m", "easting_m", "each column once"),
        ("1.1", "1;1", "row 2: invalid easting_m '1;1'"),
        ("1.1", "1_1", "invalid easting_m"),
        ("1.1", "inf", "invalid easting_m"),
        ("1.1", "9e999", "invalid easting_m"),
        ("1.1", "1.1,2", "invalid number of cells"),
        (",64,", ",6.4,", "invalid quality '6.4'"),
        (",64,", ",,", "invalid quality ''"),
        ("a1", '"a1"x', "comma-separated"),
    ],
)
def test_damaged_csv(tmp_path, old, new, match):
    text = csv_text(tmp_path)
    assert old in text
    (tmp_path / "a.csv").write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(FormatError, match=match):
        read_alarms(tmp_path / "a.csv")


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", "header line"),
        ("{", "feature collection"),
        ("{}", "FeatureCollection"),
        ('{"a":' * 100000, "feature collection"),
        ('{"type": "FeatureCollection", "features": [1]}', "feature 0: invalid properties"),
        (
            '{"type": "FeatureCollection", "features": [{"properties": {}}]}',
            "feature 0: invalid identifier None",
        ),
        (
            '{"type": "FeatureCollection", "features": [{"properties": {"evidence": [1]}}]}',
            "invalid properties",
        ),
        (
            '{"type": "FeatureCollection", "features": [{"properties": {"identifier": 1}}]}',
            "invalid identifier 1. Must be text",
        ),
    ],
)
def test_foreign_text(tmp_path, text, match):
    (tmp_path / "a").write_text(text)
    with pytest.raises(FormatError, match=match):
        read_alarms(tmp_path / "a")


@pytest.mark.parametrize("value", [True, "1.5", [], 10**400, "x"])
def test_geojson_values_of_another_kind(tmp_path, value):
    path = tmp_path / "a.geojson"
    write_geojson([alarm()], path, frame=FRAME, synthetic=False)
    content = json.loads(path.read_text(encoding="utf-8"))
    content["features"][0]["properties"]["quality"] = value
    if value != 10**400:
        path.write_text(json.dumps(content), encoding="utf-8")
        with pytest.raises(FormatError, match="invalid quality"):
            read_alarms(path)
    content["features"][0]["properties"]["quality"] = 0
    content["features"][0]["properties"]["score"] = value
    path.write_text(json.dumps(content), encoding="utf-8")
    if value != "1.5":
        with pytest.raises(FormatError, match="invalid score"):
            read_alarms(path)


def test_size_and_encoding(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"a,\xff")
    with pytest.raises(FormatError, match="offset 2: invalid text"):
        read_alarms(path)
    with path.open("wb") as file:
        file.truncate(64 * 2**20 + 1)
    with pytest.raises(FormatError, match="invalid file size"):
        read_alarms(path)


numbers = st.floats(allow_infinity=False)
words = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), max_size=12)


@both
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    texts=st.tuples(words, words),
    values=st.lists(numbers, min_size=7, max_size=7),
    evidence=st.dictionaries(words, st.floats(allow_nan=False, allow_infinity=False)),
)
def test_any_alarm_reads_back(tmp_path, form, texts, values, evidence):
    names = ("time", "easting", "northing", "position_error", "depth", "probability", "score")
    one = alarm(
        texts[0],
        lane=texts[1],
        evidence=evidence,
        quality=len(evidence),
        **dict(zip(names, values, strict=True)),
    )
    write(form, [one], tmp_path / "a")
    (found,) = read_alarms(tmp_path / "a")
    assert same(dict(vars_of(found)), dict(vars_of(one)))


@both
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=60), place=st.integers(0, 5000))
def test_damaged_files_end_in_alarms_or_an_error(tmp_path, form, data, place):
    write(form, ALARMS, tmp_path / "a")
    whole = (tmp_path / "a").read_bytes()
    place %= len(whole)
    (tmp_path / "a").write_bytes(whole[:place] + data + whole[place + len(data) :])
    try:
        found = read_alarms(tmp_path / "a")
    except FormatError:
        return
    assert all(isinstance(one, Alarm) for one in found)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (FRAME, ""),
        (Frame(), ""),  # no origin is stated to differ from
        (Frame(origin="south-east peg"), "invalid origin of minesense:frame 'north-west peg'"),
        (Frame(crs="EPSG:32638"), "invalid crs of minesense:frame 'local'"),
    ],
)
def test_a_frame_that_is_asked_for_is_the_one_stated(tmp_path, asked, message):
    """Of GeoJSON, which states one; CSV states none."""
    write("csv", ALARMS[:1], tmp_path / "a")
    assert len(read_alarms(tmp_path / "a", frame=asked)) == 1
    write("geojson", ALARMS[:1], tmp_path / "a")
    if not message:
        assert len(read_alarms(tmp_path / "a", frame=asked)) == 1
        return
    with pytest.raises(FormatError, match=message):
        read_alarms(tmp_path / "a", frame=asked)
