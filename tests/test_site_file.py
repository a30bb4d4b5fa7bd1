"""Test that site files are read as they are written, and that faults in them are named."""

import math
from pathlib import Path

import numpy as np
import pytest

from minesense.evidence import (
    Area,
    CannotSee,
    Footprint,
    Gate,
    parse_site,
    read_site,
    site_document,
)
from minesense.evidence.polygons import check_ring, signed_area
from minesense.evidence.site_file import line_of

PATH = Path(__file__).parents[1] / "examples" / "site.toml"
TEXT = PATH.read_text()


def line_with(text, words):
    """Return the first line that holds some words, from 1."""
    return next(k for k, line in enumerate(text.splitlines(), 1) if words in line)


def test_the_example_says_what_it_says():
    """Every part of the file arrives."""
    site = read_site(PATH)
    gates = site.sensor[0].gates
    assert (gates.head_height.most, gates.speed_lower.least, gates.speed_lower.unlimited) == (
        0.10,
        0.0,
        True,
    )
    assert gates.speed_lower.most == math.inf
    assert site.area[0].square_metres == 23.0
    assert [str(date) for date in site.task.dates] == ["2026-05-04", "2026-05-06"]
    assert site.sensor[0].instrument["serial"] == "0007"
    assert site.frame.frame.origin == "peg P1"
    assert site_document(site)["sensor"][0]["gates"]["tilt"]["limit"] == 0.26
    assert site_document(site)["task"]["dates"] == ["2026-05-04", "2026-05-06"]


def test_the_footprint_is_read_by_straight_lines():
    """Between the heights of the table; beyond it there is none."""
    footprint = read_site(PATH).sensor[0].footprint[0]
    heights = np.array([0.0, 0.025, 0.05, 0.075, 0.10, 0.1001, -0.001])
    expected = [0.20, 0.19, 0.18, 0.16, 0.14, 0.0, 0.0]
    assert footprint.radius(heights) == pytest.approx(expected)
    assert footprint.radius(np.array([np.nextafter(0.1, 1)])).tolist() == [0.14]  # rounded


GATE_NAMES = [
    line.split(" = ")[0]
    for line in TEXT.split("[sensor.gates]\n")[1].split("\n\n")[0].splitlines()
]


@pytest.mark.parametrize("name", GATE_NAMES)
def test_a_missing_gate_is_named(name):
    """No gate has a default: a file without it is refused, whatever gate it is."""
    assert len(GATE_NAMES) == 15
    lines = [line for line in TEXT.splitlines() if not line.startswith(f"{name} = ")]
    with pytest.raises(ValueError, match="Missing field") as caught:
        parse_site("\n".join(lines), name="task.toml")
    line = line_with(TEXT, "[sensor.gates]")
    assert str(caught.value) == (
        f"Invalid site file 'task.toml', line {line}: Missing field - at "
        f"`$.sensor[0].gates.{name}`"
    )


BAD = {  # what is replaced, by what, the line that is named by its words, the path, the rule
    "unknown gate": ("tilt = {", "tlit = {", "tlit", "$.sensor[0].gates.tlit", "Unknown field"),
    "unknown in gate": (
        'reason = "SOP 3.3"',
        'reason = "SOP 3.3", why = "x"',
        "speed_upper",
        "$.sensor[0].gates.speed_upper.why",
        "Unknown field",
    ),
    "unknown table": ("[alarm]", "[alarms]", "[alarms]", "$.alarms", "Unknown field"),
    "wrong type": (
        "limit = 0.26",
        'limit = "0.26"',
        "tilt",
        "$.sensor[0].gates.tilt.limit",
        "Expected `float | null`, got `str`",
    ),
    "no reason": (
        'limit = 0.26, reason = "SOP 3.2: 15 degrees"',
        "limit = 0.26",
        "tilt",
        "$.sensor[0].gates.tilt.reason",
        "Missing field",
    ),
    "empty reason": (
        'reason = "SOP 3.2: 15 degrees"',
        'reason = " "',
        "tilt",
        "$.sensor[0].gates.tilt.reason",
        "Must be text",
    ),
    "limit and unlimited": (
        "limit = 0.26,",
        "limit = 0.26, unlimited = true,",
        "tilt",
        "$.sensor[0].gates.tilt.limit",
        "Must be one of both",
    ),
    "neither": (
        "limit = 0.26, ",
        "unlimited = false, ",
        "tilt",
        "$.sensor[0].gates.tilt.limit",
        "Invalid limit None",
    ),
    "NaN": ("limit = 0.26", "limit = nan", "tilt", "$.sensor[0].gates.tilt.limit", "finite"),
    "infinite": (
        "limit = 0.26",
        "limit = inf",
        "tilt",
        "$.sensor[0].gates.tilt.limit",
        "finite",
    ),
    "negative": (
        "limit = 0.26",
        "limit = -0.26",
        "tilt",
        "$.sensor[0].gates.tilt.limit",
        "not negative",
    ),
    "overlap": (
        "overlap = { limit = 0.10",
        "overlap = { limit = 0.51",
        "overlap = ",
        "$.sensor[0].gates.overlap",
        "at most 0.5",
    ),
    "half a look": (
        "looks = { limit = 1,",
        "looks = { limit = 1.5,",
        "looks = ",
        "$.sensor[0].gates.looks",
        "whole number",
    ),
    "speeds": (
        "speed_lower = { unlimited = true,",
        "speed_lower = { limit = 2.0,",
        "speed_lower",
        "$.sensor[0].gates.speed_lower",
        "at most speed_upper",
    ),
    "jumps": (
        "possible_speed = { limit = 6.0",
        "possible_speed = { limit = 0.5",
        "possible_speed",
        "$.sensor[0].gates.possible_speed",
        "at least speed_upper",
    ),
    "no spacing": (
        "sample_spacing = { limit = 0.05",
        "sample_spacing = { limit = 0",
        "sample_spacing",
        "$.sensor[0].gates.sample_spacing",
        "greater than zero",
    ),
    "crossing": (
        "[6.0, 4.0], [0.0, 4.0]]\nholes",
        "[0.0, 4.0], [6.0, 4.0]]\nholes",
        "polygon =",
        "$.area[0].polygon",
        "sides 2 and 4 cross",
    ),
    "two corners": (
        "polygon = [[0.0, 0.0], [6.0, 0.0], [6.0, 4.0], [0.0, 4.0]]",
        "polygon = [[0.0, 0.0], [6.0, 0.0]]",
        "polygon =",
        "$.area[0].polygon",
        "at least three",
    ),
    "a corner twice": (
        "[6.0, 0.0], [6.0, 4.0]",
        "[6.0, 0.0], [6.0, 0.0], [6.0, 4.0]",
        "polygon =",
        "$.area[0].polygon",
        "corner 3 is corner 2, which occurs twice",
    ),
    "hole outside": (
        "[5.5, 2.5], [5.5, 3.5]",
        "[7.5, 2.5], [7.5, 3.5]",
        "holes =",
        "$.area[0].holes",
        "reaches beyond",
    ),
    "corner of three": (
        "[0.0, 0.0], [6.0, 0.0]",
        "[0.0, 0.0, 0.0], [6.0, 0.0]",
        "polygon =",
        "$.area[0].polygon[0]",
        "Expected `array` of length 2",
    ),
    "crs in words": (
        'crs = "local"',
        'crs = "UTM"',
        "crs =",
        "$.frame.crs",
        "Invalid crs 'UTM'",
    ),
    "crs without origin": (
        'crs = "local"',
        'crs = "EPSG:32638"',
        "[frame]",
        "$.frame.origin",
        "Invalid origin None",
    ),
    "certain detection": (
        "p_det = 0.90",
        "p_det = 1.0",
        "p_det =",
        "$.sensor[0].footprint[0].p_det",
        "between 0 and 1, both excluded",
    ),
    "heights that fall": (
        "heights = [0.00, 0.05, 0.10]",
        "heights = [0.00, 0.10, 0.05]",
        "heights =",
        "$.sensor[0].footprint[0].heights",
        "strictly increasing",
    ),
    "radii short": (
        "radii = [0.20, 0.18, 0.14]",
        "radii = [0.20, 0.18]",
        "radii =",
        "$.sensor[0].footprint[0].radii",
        "shape (2,)",
    ),
    "depth upward": (
        "depth_to = 0.10\ngiven_by",
        "depth_to = 0.0\ngiven_by",
        "depth_to = 0.0",
        "$.target[0].depth_to",
        "greater than 0.0",
    ),
    "target left out": (
        '[[sensor.cannot_see]]\ntarget = "AP plastic"\ndepth_from = 0.0\ndepth_to = 0.10\n'
        'reason = "no metal in it"\n',
        "",
        "[[sensor]]",
        "$.sensor",
        "neither a footprint nor",
    ),
    "date": ("2026-05-06]", "6]", "dates", "$.task.dates[1]", "Expected `date`"),
    "clock": ('clock = "utc"', 'clock = "sun"', "clock =", "$.task.clock", "Must be one of"),
    "number as text": (
        'serial = "0007"',
        "serial = 7",
        "instrument",
        "$.sensor[0].instrument.serial",
        "Expected `str`",
    ),
    "long id": (
        "SHA-EXAMPLE-0012",
        "S" * 51,
        "imsma_id",
        "$.task.imsma_id",
        "at most 50 characters",
    ),
}


@pytest.mark.parametrize(("old", "new", "where", "path", "rule"), BAD.values(), ids=BAD)
def test_faults_are_named_with_file_line_and_path(old, new, where, path, rule):
    """The message leads to the place in the file."""
    assert TEXT.count(old) >= 1
    text = TEXT.replace(old, new, 1)
    with pytest.raises(ValueError, match="Invalid site file") as caught:
        parse_site(text, name="task.toml")
    said = str(caught.value)
    assert said.startswith(f"Invalid site file 'task.toml', line {line_with(text, where)}: ")
    assert said.endswith(f" - at `{path}`")
    assert rule in said


def test_a_coordinate_system_must_be_known_and_in_metres():
    """Looked up with pyproj; degrees and feet are refused."""
    pytest.importorskip("pyproj")
    for code, is_good in (
        ("EPSG:32638", True),
        ("EPSG:99999", False),
        ("EPSG:4326", False),
        ("EPSG:2263", False),  # feet
    ):
        text = TEXT.replace('crs = "local"', f'crs = "{code}"').replace("# origin", "origin")
        if is_good:
            assert parse_site(text).frame.origin == (500000.0, 4400000.0)
            continue
        with pytest.raises(ValueError, match=f"line 21: Invalid crs '{code}'.*frame.crs"):
            parse_site(text)


def test_areas_that_overlap_are_refused():
    """Ground must not count twice."""
    second = (
        '\n[[area]]\nname = "B"\npolygon = [[5.0, 1.0], [8.0, 1.0], [8.0, 2.0], [5.0, 2.0]]\n'
    )
    with pytest.raises(ValueError, match=r"'north strip' and 'B' have 1 m2 or more in common"):
        parse_site(TEXT + second)
    beside = second.replace("[5.0", "[6.0")
    assert len(parse_site(TEXT + beside).area) == 2


def test_what_is_no_toml_is_named(tmp_path):
    """Text and bytes that no parser understands."""
    with pytest.raises(ValueError, match=r"Invalid file 'x.toml': .*line 1, column 8"):
        parse_site("cell = = 1", name="x.toml")
    path = tmp_path / "site.toml"
    path.write_bytes(b"cell = \xff")
    with pytest.raises(ValueError, match="byte 7 is not UTF-8"):
        read_site(path)
    with pytest.raises(OSError, match="No such file"):
        read_site(tmp_path / "none.toml")


def test_names_must_differ():
    """Areas, targets, sensors."""
    for block, words in (
        ("[[target]]", "occurs twice"),
        ("[[area]]", "occurs twice"),
    ):
        head, _, rest = TEXT.partition(block)
        entry = block + rest.split("\n\n")[0] + "\n\n"
        with pytest.raises(ValueError, match=words):
            parse_site(head + entry + block + rest)


def test_the_line_of_a_path_is_found_whatever_the_layout():
    """Comments, texts over several lines, arrays over several lines, dotted and quoted keys."""
    text = "\n".join(
        [
            'note = """',
            "tilt = 1",
            '[sensor]"""',
            "a.b = 1 # [x]",
            "list = [",
            "  [1, 2], # tilt = 3",
            '  ["]", "c"]]',
            '["quoted".table]',
            "tilt = 4",
            "[[sensor]]",
            "[sensor.gates]",
            "tilt = { limit = 1, reason = '[' }",
            "[[sensor]]",
            "[sensor.gates]",
            "tilt = 2",
            "other = '''",
            "tilt = 9'''",
            "end = 1",
        ]
    )
    for path, line in (
        ("$.a.b", 4),
        ("$.list[1]", 5),
        ("$.quoted.table.tilt", 9),
        ("$.sensor[0].gates.tilt.limit", 12),
        ("$.sensor[1].gates.tilt", 15),
        ("$.sensor[1].gates.none", 14),
        ("$.sensor[1].gates.end", 18),
        ("$.nothing", 1),
    ):
        assert line_of(text, path) == line, path


@pytest.mark.parametrize(
    ("ring", "message"),
    [
        ([[0, 0], [2, 0], [1, 0]], "Must not cross itself"),  # folds back
        ([[0, 0], [4, 0], [4, 4], [2, 0], [0, 4]], "Must not cross itself"),  # touches
        ([[0, 0], [2, 2], [2, 0], [0, 2]], "sides 1 and 3 cross"),
        ([[0, 0], [1, 0], [np.nan, 1]], "Invalid ring: 1 of 6"),
    ],
)
def test_rings_that_enclose_nothing_definite_are_refused(ring, message):
    """Sides that cross, touch or fold back."""
    with pytest.raises(ValueError, match=message):
        check_ring(ring, "ring")


def test_rings_are_turned_and_closed_ones_opened():
    """Counterclockwise, the first corner once."""
    ring = check_ring([[0, 0], [0, 3], [2, 3], [2, 0], [0, 0]], "ring")
    assert (len(ring), signed_area(ring)) == (4, 6.0)
    many = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    circle = check_ring(np.column_stack([np.cos(many), np.sin(many)]) + 1e6, "ring")
    assert signed_area(circle) == pytest.approx(np.pi, rel=1e-4)


def test_holes_must_lie_apart():
    """Two holes over one another would be taken off twice."""
    square = ((0, 0), (9, 0), (9, 9), (0, 9))
    hole = ((1, 1), (4, 1), (4, 4), (1, 4))
    for other in (((2, 2), (3, 2), (3, 3)), ((3, 3), (6, 3), (6, 6), (3, 6))):
        with pytest.raises(ValueError, match="two have ground in common"):
            Area(name="A", polygon=square, holes=(hole, other))


def test_records_refuse_what_a_file_could_not_say():
    """The same rules hold for records made in Python."""
    band = {"target": "AP", "depth_from": 0.0, "depth_to": 0.1}
    with pytest.raises(ValueError, match="Invalid reason ''"):
        CannotSee(reason="", **band)
    with pytest.raises(ValueError, match="at least two, from zero upward"):
        Footprint(p_det=0.9, heights=(0.1,), radii=(0.1,), source="x", **band)
    with pytest.raises(ValueError, match="nor all be zero"):
        Footprint(p_det=0.9, heights=(0.0, 0.1), radii=(0.0, 0.0), source="x", **band)
    with pytest.raises(ValueError, match="Invalid reason"):
        Gate(limit=1.0, reason="")
