"""Test tables of integrators: templates, times, units, cells, and plain tables."""

import dataclasses
import math

import numpy as np
import numpy.testing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lanes import make_sensor, make_sweep
from pyproj import Proj

from minesense.io import FormatError, FormatWarning, read
from minesense.io.local_frame import heading_of_track, local_position
from minesense.io.positions import interpolate
from minesense.io.sweep_table import read_sweep_table, write_sweep_table
from minesense.io.table import read_table
from minesense.io.table_template import load_template
from minesense.io.table_times import TimeFormat
from minesense.io.text_table import find_separator
from minesense.sweep import Quality

TEMPLATE = """
name = "cart with two coils"
separator = ";"
decimal = ","
comment = "%"
zone = "+03:00"
height = "above ground"
missing = ["---"]

[sensor]
name = "two coils, two gates"
quantity = "voltage"
axis = [50e-6, 200e-6]
lever_arms = [[-0.2, 0.0, 0.1], [0.2, 0.0, 0.1]]

[columns.date]
name = "Datum"
format = "dd.MM.yyyy"

[columns.time]
name = ["Zeit", "Uhr"]
format = "HH:mm:ss,fff"

[columns.latitude]
name = "Breite"
unit = "deg"
held = true

[columns.longitude]
name = "Länge"
unit = "deg"

[columns.upward]
name = "Höhe"
unit = "cm"

[columns.fix]
name = "Status"
good = ["4"]

[[samples]]
name = "L1"
unit = "mV"
[[samples]]
name = "L2"
unit = "mV"
sample = 1
[[samples]]
name = "R1"
unit = "mV"
channel = 1
[[samples]]
name = "R2"
unit = "mV"
channel = 1
sample = 1
"""

TABLE = """% written by hand
Datum;Zeit;Breite;Länge;Höhe;Status;L1;L2;R1;R2;Note
01.05.2024;02:59:59,500;45,0000000;7,0;10,5;4;1,5;0,5;-1,5;0,25;start
01.05.2024;03:00:00,000;45,0000000;7,0;10,5;4;1,6;0,6;-1,6;0,26;
01.05.2024;03:00:00,500;45,0000100;7,0;11;5;1,7;---;-1,7;0,27;bump
01.05.2024;03:00:01,000;45,0000200;7,0;11;4;1,8;0,8;-1,8;0,28;
"""


@pytest.fixture
def files(tmp_path):
    """Return a table and its template."""
    template, table = tmp_path / "cart.toml", tmp_path / "lane 7.csv"
    template.write_text(TEMPLATE, encoding="utf-8")
    table.write_text(TABLE, encoding="utf-8")
    return table, template


@pytest.mark.filterwarnings("ignore:.*no good fix")
def test_a_table_by_its_template(files):
    """Times in UTC, SI units, gates of two coils, positions, flags, and the rest as text."""
    table, template = files
    result = read(table, template=template)
    sweep = result.to_sweep()
    assert result.format == "table"
    start = 1714521599.5  # 2024-04-30 23:59:59.5 UTC
    npt.assert_array_equal(sweep.time, start + 0.5 * np.arange(4))
    npt.assert_allclose(sweep.samples[0], [[1.5e-3, 0.5e-3], [-1.5e-3, 0.25e-3]], rtol=1e-6)
    assert sweep.sensor.unit == "V"
    assert sweep.sensor.quantity == "voltage"
    assert sweep.sensor.axis.tolist() == [50e-6, 200e-6]
    assert sweep.sensor.lever_arms[:, 0].tolist() == [-0.2, 0.2]
    # the second row repeats the first position: held, so halfway to the third in time
    npt.assert_allclose(sweep.position[:, 1], [0, 0.5556, 1.1113, 2.2226], atol=1e-3)
    npt.assert_allclose(sweep.position[:, 2], [0.105, 0.1075, 0.11, 0.11])
    npt.assert_allclose(sweep.heading, 0, atol=1e-9)
    coarse = (sweep.quality & Quality.POSE_COARSE) != 0
    lost = (sweep.quality & Quality.NOT_FINITE) != 0
    assert coarse.tolist() == [False, False, True, False]
    assert lost.tolist() == [False, False, True, False]
    assert result.header["columns"] == {"Note": ["start", "", "bump", ""]}
    assert result.header["comments"] == ["written by hand"]
    assert sweep.frame.origin.startswith("latitude 45.000000000, longitude 7.000000000")
    assert "above ground" in sweep.frame.origin


def test_a_yaml_template_says_the_same(files, tmp_path):
    """Read by the safe loader."""
    _, template = files
    yaml = pytest.importorskip("yaml")
    import tomllib  # noqa: PLC0415 - of this test alone

    path = tmp_path / "cart.yaml"
    path.write_text(yaml.safe_dump(tomllib.loads(TEMPLATE)), encoding="utf-8")
    assert load_template(path) == load_template(template)
    path.write_text("!!python/object/apply:os.system ['true']\n")
    with pytest.raises(FormatError, match="template"):
        load_template(path)


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        ('unit = "cm"', 'unit = "furlong"', "columns.upward.unit"),
        ('unit = "cm"', 'unit = "s"', "columns.upward.unit"),
        ('unit = "mV"', 'unit = "K"', "samples 0.unit"),
        ('name = "L1"\nunit = "mV"', 'name = "L1"\nunit = "nT"', "one quantity"),
        ("[columns.fix]", "[columns.fixx]", "role"),
        ('zone = "+03:00"', "", "zone"),
        ('zone = "+03:00"', 'zone = "Europe/Zagreb"', "zone"),
        ('decimal = ","', 'decimal = ";"', "decimal"),
        ('separator = ";"', 'separator = ","', "decimal"),
        ('separator = ";"', 'separator = ";;"', "separator"),
        ("axis = [50e-6, 200e-6]", "axis = [50e-6]", "axis"),
        ("axis = [50e-6, 200e-6]", "axis = [5e-4, 2e-4]", "axis"),
        ("axis = [50e-6, 200e-6]", "", "axis"),
        ("sample = 1\n[[samples]]", "sample = 2\n[[samples]]", "samples"),
        ("lever_arms = [[-0.2, 0.0, 0.1], ", "lever_arms = [", "lever_arms"),
        ('format = "dd.MM.yyyy"', 'format = "dd.MM.QQQQ"', "format"),
        ('name = "Länge"', 'nme = "Länge"', "columns.longitude"),
        ("[columns.latitude]", "[columns.easting]", "columns"),
        ('comment = "%"', "comment = 3", "comment"),
        ('name = "cart with two coils"', "colour = 1", "without names"),
        ("50e-6", "nan", "axis"),
        ("0.2, 0.0, 0.1]]", "inf, 0.0, 0.1]]", "finite"),
        ("0.2, 0.0, 0.1]]", "1" + "0" * 400 + ", 0.0, 0.1]]", "finite"),
        ("[sensor]", "[sensor", "template"),
    ],
)
def test_a_wrong_template_is_told_so(files, old, new, match):
    """With the place in it."""
    table, template = files
    assert old in TEMPLATE
    template.write_text(TEMPLATE.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(FormatError, match=match):
        read(table, template=template)


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        ("1,6;0,6", "1.600,6;0,6", "line 4, column 7"),
        ("1,6;0,6", "1 600;0,6", "line 4, column 7"),
        ("1,6;0,6", "1,6 mV;0,6", "line 4, column 7"),
        ("1,6;0,6", "1.6;0,6", "line 4, column 7"),
        ("1,6;0,6", "1_6;0,6", "line 4, column 7"),
        ("1,6;0,6", "inf;0,6", "line 4, column 7"),
        ("1,6;0,6;", "1,6;", "line 4"),
        ("01.05.2024;03:00:00,000", "32.05.2024;03:00:00,000", "line 4, column 1"),
        ("03:00:00,000", "24:00:00,000", "line 4, column 2"),
        ("45,0000000;7,0;10,5;4;1,6", "95,0;7,0;10,5;4;1,6", "line 4, column 3"),
        ("Breite", "Breit", "column of latitude"),
        ("Datum;Zeit;Breite;Länge;Höhe;Status;L1;L2;R1;R2;Note\n", "", "column of"),
    ],
)
def test_a_wrong_cell_is_told_by_line_and_column(files, old, new, match):
    """Nothing is guessed."""
    table, template = files
    assert old in TABLE
    table.write_text(TABLE.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(FormatError, match=match):
        read(table, template=template)


@pytest.mark.filterwarnings("ignore:.*no good fix")
def test_a_last_row_that_is_cut_is_left_out(files):
    """With a warning; strict makes it an error."""
    table, template = files
    table.write_text(TABLE[:-20], encoding="utf-8")
    with pytest.warns(FormatWarning, match=r"line 6: the last row has 6 of 11 cells"):
        assert len(read(table, template=template).to_sweep()) == 3
    with pytest.raises(FormatError):
        read(table, template=template, strict=True)


@pytest.mark.filterwarnings("ignore:.*no good fix")
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r", "\r\r\n"])
def test_text_of_any_system(files, encoding, ending):
    """Latin-1 is a correction, line ends do not matter."""
    table, template = files
    table.write_bytes(TABLE.replace("\n", ending).encode(encoding))
    if encoding == "latin-1":
        with pytest.warns(FormatWarning, match="not UTF-8"):
            result = read(table, template=template)
        assert result.corrections[0].field == "text encoding"
    else:
        result = read(table, template=template)
    assert len(result.to_sweep()) == 4


def test_a_table_needs_a_template(files):
    """The error says so."""
    table, _ = files
    with pytest.raises(FormatError, match="explained by template"):
        read(table)


# -- time ----------------------------------------------------------------------------------


def plain_table(path, times, *, header="t [s],c [1]", values=None):
    """Write times and one channel; return it read by a small template."""
    values = range(len(times)) if values is None else values
    rows = [f"{t},{v}" for t, v in zip(times, values, strict=True)]
    path.write_text("\n".join([header, *rows]) + "\n")
    template = {
        "columns": {"time": {"name": "t [s]", "unit": "s"}},
        "samples": [{"name": "c [1]", "unit": "1"}],
    }
    return read_table(path, template=template)


@pytest.mark.filterwarnings("ignore:.*no columns of positions")
def test_doubles_and_steps_back(tmp_path):
    """A repeated row goes, another of the same time is flagged, a lone step back goes."""
    path = tmp_path / "log.csv"
    with pytest.warns(FormatWarning, match="1 rows repeat"):
        sweep = plain_table(path, [0, 1, 1, 2], values=[5, 6, 6, 7]).to_sweep()
    assert sweep.time.tolist() == [0, 1, 2]
    with pytest.warns(FormatWarning, match="TIME_DUPLICATE"):
        sweep = plain_table(path, [0, 1, 1, 2]).to_sweep()
    assert sweep.time.tolist() == [0, 1, math.nextafter(1, 2), 2]
    flags = (sweep.quality & Quality.TIME_DUPLICATE) != 0
    assert flags.tolist() == [False, True, True, False]
    with pytest.warns(FormatWarning, match="backward at 1 rows, the first is row 3"):
        sweep = plain_table(path, [0, 1, 0.5, 2]).to_sweep()
    assert sweep.samples.ravel().tolist() == [0, 1, 3]
    with pytest.warns(FormatWarning, match="new lane"):
        result = plain_table(path, [10, 11, 12, 0, 1, 2])
    assert [s.time.tolist() for s in result.sweeps] == [[10, 11, 12], [0, 1, 2]]
    assert [s.lane for s in result.sweeps] == ["log 1", "log 2"]
    with pytest.raises(ValueError, match="holds 2 sweeps"):
        result.to_sweep()
    with pytest.warns(FormatWarning, match="1 rows have no time"):
        assert len(plain_table(path, [0, "", 2]).to_sweep()) == 2
    with pytest.raises(FormatError, match="no row has one"):
        plain_table(path, ["", "nan"])


@pytest.mark.filterwarnings("ignore:.*no columns of positions")
def test_midnight_without_a_date(tmp_path):
    """Is taken for midnight once; a date is asked for."""
    path = tmp_path / "log.csv"
    path.write_text("t,c [1]\n23:59:58,1\n23:59:59,2\n0:00:00,3\n0:00:01,4\n")
    template = {
        "zone": "UTC",
        "columns": {"time": {"name": "t", "format": "H:mm:ss"}},
        "samples": [{"name": "c [1]", "unit": "1"}],
    }
    with pytest.warns(FormatWarning) as caught:
        sweep = read_table(path, template=template).to_sweep()
    assert sweep.time.tolist() == [86398, 86399, 86400, 86401]
    text = " ".join(str(w.message) for w in caught)
    assert "midnight" in text
    assert "no date" in text
    with pytest.warns(FormatWarning, match="midnight"):
        dated = read_table(path, template=template, date="1970-01-02").to_sweep()
    assert dated.time[0] == 86400 + 86398
    with pytest.warns(FormatWarning, match="midnight"):
        moved = read_table(path, template=template, date="1970-01-02", zone="-01:00").to_sweep()
    assert moved.time[0] == 86400 + 86398 + 3600
    named = tmp_path / "log-1970-01-03.csv"
    named.write_text(path.read_text())
    with pytest.warns(FormatWarning, match="midnight"):
        found = read_table(named, template={**template, "date": "name"}).to_sweep()
    assert found.time[0] == 2 * 86400 + 86398
    with pytest.raises(ValueError, match="date"):
        read_table(path, template=template, date="yesterday")


@pytest.mark.parametrize(
    ("form", "text", "expected"),
    [
        ("yyyy/MM/dd", "2024/02/29", (1709164800.0, 0.0)),
        ("yyyy/MM/dd", "2023/02/29", None),
        ("H:mm:ss.fff", "3:04:05.250", (0.0, 11045.25)),
        ("H:mm:ss.fff", "03:04:05", (0.0, 11045.0)),
        ("HH:mm:ss", "3:04:05", None),
        ("HH:mm:ss.SSS", "23:59:60.5", (0.0, 86400.5)),
        ("HH:mm:ss", "23:60:00", None),
        ("yyyy-MM-dd'T'HH:mm:ss.fff", "1970-01-02T00:00:01,5", (86400.0, 1.5)),
        ("d.M.yy", "1.2.70", None),
        ("d.M.yy", "1.2.99", (917827200.0, 0.0)),
        ("yyyyMMdd HHmmss", "19700102  000003", (86400.0, 3.0)),
    ],
)
def test_formats_of_dates_and_times(form, text, expected):
    """Letters mean what they mean elsewhere; what does not exist is refused."""
    found = TimeFormat(form).parse(text)
    if text == "1.2.70":
        assert found is not None  # 2070
        return
    assert found == expected


@pytest.mark.parametrize("form", ["", "hh:mm", "yyyy yyyy", "QQ", "'open"])
def test_formats_that_are_none(form):
    """Are refused."""
    with pytest.raises(ValueError, match="Invalid format"):
        TimeFormat(form)


# -- templates of GeoHammer ----------------------------------------------------------------

FOREIGN = """
name: Drone log
code: drone
file-type: CSV
match-regex: '.*Elapsed.*'
file-format:
  has-header: true
  comment-prefix: '#'
  decimal-separator: '.'
  separator: ','
data-mapping:
  latitude: {header: Latitude}
  longitude: {header: Longitude}
  altitude: {header: Altitude}
  date: {header: Date, format: yyyy/MM/dd}
  time: {header: Time, format: 'H:mm:ss.fff'}
  sgy-traces:
    - header: 'GPR:Trace'
  data-values:
    - {header: 'Coil [mV]', semantic: coil, units: mV}
    - {header: Velocity, units: m/s}
"""
DRONE = """Date,Time,Latitude,Longitude,Altitude,Coil [mV],Velocity,GPR:Trace
2024/05/01,9:00:00.0,45.0,7.0,2.0,1.0,0.5,0
2024/05/01,9:00:00.5,45.00001,7.0,2.0,2.0,0.5,1
"""


def test_a_template_of_geohammer(tmp_path):
    """Is taken as it is; which values are samples is the caller's to say."""
    template, table = tmp_path / "drone.yaml", tmp_path / "drone.csv"
    template.write_text(FOREIGN)
    table.write_text(DRONE)
    with pytest.raises(FormatError, match=r"samples.*'Coil \[mV\]', 'Velocity'"):
        read(table, template=template)
    with pytest.warns(FormatWarning, match="taken as UTC"):
        sweep = read(table, template=template, samples=["Coil [mV]"]).to_sweep()
    npt.assert_allclose(sweep.samples.ravel(), [1e-3, 2e-3])
    npt.assert_allclose(sweep.time, 1714554000 + np.array([0, 0.5]))
    npt.assert_allclose(sweep.position[1], [0, 1.1113, 2.0], atol=1e-3)
    with pytest.raises(FormatError, match="unit of 'Velocity'"):
        read(table, template=template, samples=["Velocity"], zone="UTC")
    speed = read(table, template=template, samples=["Velocity"], units=["m/s"], zone="UTC")
    assert speed.to_sweep().sensor.unit == "m/s"


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        ("date: {header: Date", "date: {source: FileName, regex: x", "option"),
        ("code: drone", "skip-lines-to: {x: 1}", "skip-lines-to"),
        ("code: drone", "shape: 3", "shape"),
        ("  latitude:", "  lattitude:", "lattitude"),
        ("file-type: CSV", "file-type: XLS", "file-type"),
        ("{header: Latitude}", "{head: Latitude}", "latitude"),
        ("decimal-separator: '.'", "decimal-separator: ':'", "decimal"),
    ],
)
def test_what_has_no_counterpart_is_refused(tmp_path, old, new, match):
    """Rather than left out."""
    template, table = tmp_path / "drone.yaml", tmp_path / "drone.csv"
    assert old in FOREIGN
    template.write_text(FOREIGN.replace(old, new, 1))
    table.write_text(DRONE)
    with pytest.raises(FormatError, match=match):
        read(table, template=template, samples=["Coil [mV]"], zone="UTC")


def test_columns_of_fixed_width(tmp_path):
    """As such templates describe them."""
    template = {
        "file-type": "ColumnsFixedWidth",
        "file-format": {
            "comment-prefix": "%",
            "decimal-separator": ".",
            "column-lengths": [24, 10, 8, 6],
        },
        "data-mapping": {
            "date-time": {"header": "GPST", "index": 0, "format": "yyyy/MM/dd HH:mm:ss.fff"},
            "latitude": {"index": 1},
            "longitude": {"index": 2},
            "data-values": [{"index": 3, "header": "Q"}],
        },
    }
    template["data-mapping"]["date-time"].pop("header")
    path = tmp_path / "log.pos"
    path.write_text(
        "% made by hand\n"
        "2024/05/01 09:00:00.500   45.0000   7.000   1.5\n"
        "2024/05/01 09:00:01.000   45.0001   7.000   2.5\n"
    )
    rules = dataclasses.replace(
        load_template(template),
        samples=load_template(
            {
                "header": False,
                "columns": {"elapsed": {"column": 1, "unit": "s"}},
                "samples": [{"column": 4, "unit": "nT"}],
            }
        ).samples,
    )
    with pytest.warns(FormatWarning, match="UTC"):
        sweep = read_table(path, template=rules).to_sweep()
    npt.assert_allclose(sweep.samples.ravel(), [1.5e-9, 2.5e-9])
    npt.assert_allclose(sweep.position[1, 1], 11.113, atol=1e-3)


# -- plain tables ----------------------------------------------------------------------------


def test_units_must_be_stated(tmp_path):
    """Of time, position and amplitude; or given."""
    path = tmp_path / "lane.csv"
    path.write_text("time [s],easting [m],northing [m],coil\n0,0,0,1\n1,0,1,2\n")
    with pytest.raises(FormatError, match=r"column 4: invalid unit of 'coil'"):
        read(path)
    sweep = read(path, units={"coil": "nT"}).to_sweep()
    npt.assert_allclose(sweep.samples.ravel(), [1e-9, 2e-9])
    path.write_text("time [m],coil [1]\n0,1\n")
    with pytest.raises(FormatError, match=r"unit of 'time \[m\]' 'm'"):
        read(path)


def test_gates_of_one_channel(tmp_path):
    """With gate times the columns are gates."""
    path = tmp_path / "lane.csv"
    path.write_text("time [ms]\tlat [deg]\tlon [deg]\tg1 [V]\tg2 [V]\n0\t45\t7\t1\t2\n")
    sweep = read_sweep_table(path, axis=(1e-4, 2e-4)).to_sweep()
    assert sweep.samples.tolist() == [[[1.0, 2.0]]]
    assert sweep.sensor.axis.tolist() == [1e-4, 2e-4]
    assert read(path, units={}).to_sweep().samples.tolist() == [[[1.0], [2.0]]]


@pytest.mark.parametrize(
    ("header", "separator"),
    [
        ("a,b;c,d,e", ","),
        ("a [x, y];b", ";"),
        ("a\tb\tc", "\t"),
        ("a b  c", " "),
        ('"a;b",c', ","),
    ],
)
def test_the_separator_is_found_from_the_header(header, separator):
    """What stands most often outside of brackets and quotes."""
    assert find_separator(header) == separator


def test_a_written_table_reads_back(tmp_path):
    """The same samples, bit for bit; times to a nanosecond; flags; gaps as empty cells."""
    sensor = dataclasses.replace(make_sensor(2, 3), kind="emi", radar=None, unit="V")
    rng = np.random.default_rng(seed=5)
    samples = rng.normal(size=(20, 2, 3)).astype(np.float32) * 1e-3
    samples[3] = np.nan
    position = rng.normal(size=(20, 3))
    position[4] = np.nan
    heading = np.where(np.arange(20) == 4, np.nan, 0.3)
    quality = np.zeros(20, np.int64)
    quality[3] |= int(Quality.NOT_FINITE)
    quality[4] |= int(Quality.POSE_NONE)
    quality[5] |= int(Quality.POSE_COARSE)
    sweep = make_sweep(
        samples,
        sensor=sensor,
        time=1.7e9 + 0.1 * np.arange(20),
        position=position,
        heading=heading,
        quality=quality,
    )
    path = write_sweep_table(sweep, tmp_path / "lane.csv")
    again = read(path).to_sweep()
    npt.assert_array_equal(again.samples, sweep.samples)
    npt.assert_array_equal(again.time, sweep.time)
    npt.assert_array_equal(again.position, sweep.position)
    npt.assert_array_equal(again.heading, sweep.heading)
    npt.assert_array_equal(again.quality, sweep.quality)
    npt.assert_array_equal(again.sensor.axis, sensor.axis)
    npt.assert_array_equal(again.sensor.lever_arms, sensor.lever_arms)
    other = write_sweep_table(again, tmp_path / "other.csv")
    lines = [p.read_text().splitlines() for p in (path, other)]
    assert lines[0][8:] == lines[1][8:]
    with pytest.raises(FileExistsError):
        write_sweep_table(sweep, path)
    with pytest.raises(ValueError, match="no traces"):
        write_sweep_table(sweep[:0], tmp_path / "none.csv")
    with pytest.raises(TypeError, match="Sweep"):
        write_sweep_table(samples, tmp_path / "none.csv")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["lane.csv", "other.csv"]


def test_the_decimal_sign_of_a_sweep_table(tmp_path):
    """Is the caller's to say, and the error of a table that has the other tells how."""
    path = tmp_path / "lane.csv"
    path.write_text("time [s];northing [m];easting [m];coil [V]\n0,5;1;0;2,25\n1,5;2;0;-4,5\n")
    with pytest.raises(FormatError, match=r"line 2, column 1.*pass decimal=','"):
        read(path)
    sweep = read(path, decimal=",").to_sweep()
    assert sweep.time.tolist() == [0.5, 1.5]
    assert sweep.samples.ravel().tolist() == [2.25, -4.5]
    with pytest.raises(ValueError, match="Invalid decimal"):
        read(path, decimal=";")
    path.write_text("time [s],coil [V]\n0,5\n")
    with pytest.raises(FormatError, match="a point where commas separate"):
        read(path, decimal=",")


# -- places --------------------------------------------------------------------------------


@given(
    latitude=st.floats(-80, 80),
    longitude=st.floats(-179, 179),
    north=st.floats(-0.004, 0.004),
    east=st.floats(-0.004, 0.004),
)
def test_local_metres_are_those_of_a_projection(latitude, longitude, north, east):
    """
    Within a kilometre an azimuthal projection of pyproj gives the same to 0.1 mm.

    Nearer than 1e-10 of a turn of the Earth it gives zero, which is up to 0.7 mm off.
    """
    there = (latitude + north, longitude + east)
    found = local_position([there[0]], [there[1]], origin=(latitude, longitude))
    peer = Proj(proj="aeqd", lat_0=latitude, lon_0=longitude, ellps="WGS84")(there[1], there[0])
    room = 1e-4 if any(peer) else 7e-4
    npt.assert_allclose([found[0][0], found[1][0]], peer, atol=room)


def test_headings_hold_at_a_standstill():
    """And are unknown where the place is."""
    nan = math.nan
    east = np.array([nan, 0.0, 0.0, 1.0, 1.0, 1.0, nan, 1.0])
    north = np.array([nan, 0.0, 0.0, 0.0, 0.0, 0.0, nan, 5.0])
    heading = heading_of_track(east, north)
    assert np.isnan(heading[[0, 6]]).all()
    npt.assert_allclose(heading[[1, 2, 3, 4]], math.pi / 2)
    npt.assert_allclose(heading[[5, 7]], 0, atol=1e-12)
    assert heading_of_track(np.zeros(2), np.zeros(2)).tolist() == [0, 0]


@given(
    times=st.lists(st.integers(0, 40), min_size=1, max_size=12, unique=True).map(sorted),
    max_gap=st.integers(1, 10),
)
def test_nothing_is_interpolated_over_a_gap(times, max_gap):
    """By the definition, at every tenth of a second."""
    stamps = np.array(times, float)
    at = np.arange(-20, 420) / 10
    found = interpolate(stamps, 3 * stamps[:, None], at, max_gap=float(max_gap))[:, 0]
    for t, value in zip(at, found, strict=True):
        before, after = stamps[stamps <= t], stamps[stamps >= t]
        known = len(before) and len(after)
        known = known and (t in stamps or after[0] - before[-1] <= max_gap)
        if known:
            npt.assert_allclose(value, 3 * t, atol=1e-9)
        else:
            assert math.isnan(value)
