"""Test field maps: a country's form is filled as stated, or not at all."""

import re

import pytest
import shapely

from minesense.io.gis import (
    Column,
    Layer,
    MapFeature,
    MapFrame,
    Release,
    admit,
    read_field_map,
    write_form_csv,
)

SITE = MapFrame(origin=(46.0, 40.0, 0.0))
TEXT = """\
# of the form of 2026
form = "hazard_point"
layer = "alarms"

[[field]]
theirs = "imsma_id"
ours = "feature_id"
required = true
max_length = 50

[[field]]
theirs = "depth_cm"
ours = "depth_m"
unit = "cm"

[[field]]
theirs = "status"
ours = "disposition"
required = true
[field.values]
open = "reported"
dug = "excavated"

[[field]]
theirs = "Longitude"
ours = "longitude_deg"

[[field]]
theirs = "priority"

[[field]]
theirs = "source"
constant = "sensor survey"
"""


def layer(*rows, synthetic=False):
    """Return a layer of alarms: (identifier, depth, disposition)."""
    columns = (Column(name="depth_m", kind="number"), Column(name="disposition"))
    features = tuple(
        MapFeature(
            identifier=name,
            geometry=shapely.Point(0, 0),
            values={"depth_m": depth, "disposition": word},
        )
        for name, depth, word in rows
    )
    made = Layer(name="alarms", geometry="Point", columns=columns, features=features)
    (admitted,) = admit([made], Release(), is_synthetic=synthetic)
    return admitted


def field_map(tmp_path, text=TEXT):
    """Return the field map of a text."""
    path = tmp_path / "map.toml"
    path.write_text(text)
    return read_field_map(path)


def test_a_form_is_filled_as_stated(tmp_path):
    """Names, choices, units, constants, empty fields, and the mark that all must carry."""
    rows = layer(("A1", 0.13, "open"), ("A2", None, "dug"))
    path = write_form_csv(tmp_path / "f.csv", rows, field_map(tmp_path), frame=SITE)
    assert path.read_text().splitlines() == [
        "imsma_id,depth_cm,status,Longitude,priority,source,data_kind",
        "A1,13.0,reported,46.0,,sensor survey,recorded",
        "A2,,excavated,46.0,,sensor survey,recorded",
    ]
    rows = layer(("A1", 0.13, "open"), synthetic=True)
    path = write_form_csv(path, rows, field_map(tmp_path), frame=SITE)
    assert path.read_text().splitlines()[1].endswith(",SYNTHETIC")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (("A1", 0.1, None), "field 'status', feature 'A1': required, and empty"),
        (("A1", 0.1, "lost"), "'lost' has no choice name. Must be one of open, dug"),
        (("A" * 51, 0.1, "dug"), "51 characters. Must be at most 50"),
    ],
)
def test_what_does_not_fit_stops_the_export(tmp_path, row, message):
    """Nothing is cut, guessed or left out, and no file appears."""
    with pytest.raises(ValueError, match=re.escape(message)):
        write_form_csv(tmp_path / "f.csv", layer(row), field_map(tmp_path), frame=SITE)
    assert not (tmp_path / "f.csv").exists()


def changed(old, new):
    """Return the text with one line changed, and its number."""
    lines = TEXT.splitlines()
    number = lines.index(old) + 1
    lines[number - 1] = new
    return "\n".join(lines), number


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('unit = "cm"', 'unt = "cm"', "unknown key 'unt'"),
        ('unit = "cm"', 'unit = "inch"', "unit 'inch'. Must be one of m, cm"),
        ("max_length = 50", 'max_length = "50"', "max_length '50'. Must be of type int"),
        ("max_length = 50", "max_length = -1", "max_length -1"),
        ("required = true", "required = 1", "required 1. Must be of type bool"),
        ('layer = "alarms"', 'layers = "alarms"', "unknown key 'layers'"),
        ('form = "hazard_point"', "form = 3", "form 3. Must be text"),
        ('theirs = "depth_cm"', 'theirs = "imsma_id"', "'imsma_id' stands twice"),
        ('constant = "sensor survey"', "constant = 1.5", "constant 1.5"),
    ],
)
def test_faults_name_their_line(tmp_path, old, new, message):
    """An unknown key, a wrong type or value is told with the line it stands in."""
    text, number = changed(old, new)
    with pytest.raises(ValueError, match=re.escape(f"line {number}: {message}")):
        field_map(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("form = ", "Must be TOML"),
        ('form = "a"\nlayer = "b"', "line 1: no fields"),
        ('form = "a"\nlayer = "b"\nfield = [3]', "line 3: a field 3"),
        (TEXT + '[[field]]\nours = "x"', "line 34: a field without 'theirs'"),
        (TEXT + '[[field]]\ntheirs = "t"\nours = "x"\nconstant = "y"', "line 37: both"),
    ],
)
def test_files_that_are_no_map_are_refused(tmp_path, text, message):
    """The message says what is wrong where."""
    with pytest.raises(ValueError, match=re.escape(message)):
        field_map(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[[field]]\ntheirs = "status"\nrequired = true', "'status' is mapped to nothing"),
        ('[[field]]\ntheirs = "t"\nours = "colour"', "'colour' of field 't' is no column"),
        ('[[field]]\ntheirs = "t"\nours = "depth_m"\nunit = "ha"', "cannot be given in 'ha'"),
        ('[[field]]\ntheirs = "t"\nours = "disposition"\nunit = "m"', "cannot be given in 'm'"),
    ],
)
def test_maps_that_do_not_fit_the_layer_stop_the_export(tmp_path, text, message):
    """A required field without a source stops even an export without features."""
    found = field_map(tmp_path, f'form = "f"\nlayer = "alarms"\n{text}')
    with pytest.raises(ValueError, match=re.escape(message)):
        write_form_csv(tmp_path / "f.csv", layer(("A1", 0.1, "dug")), found, frame=SITE)
    other = field_map(tmp_path, TEXT.replace('"alarms"', '"tracks"'))
    with pytest.raises(ValueError, match="Invalid layer 'alarms' for field map"):
        write_form_csv(tmp_path / "f.csv", layer(), other, frame=SITE)
