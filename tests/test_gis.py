"""Test maps: coordinates, polygons, checks, and files that other programs open."""

import dataclasses
import json
import math
import sqlite3

import naive_geodesy as naive
import numpy as np
import numpy.testing as npt
import pyogrio
import pyogrio.raw
import pytest
import rasterio
import rasterio.warp
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from minesense.io.gis import (
    Column,
    GeometryError,
    Layer,
    MapFeature,
    MapFrame,
    Provenance,
    Release,
    Surface,
    admit,
    check_area_sum,
    check_frames,
    check_heights,
    check_layers,
    grid_patches,
    write_geopackage,
    write_geotiff,
    write_layer_csv,
    write_layer_geojson,
)
from minesense.io.gis.shapes import to_geographic
from minesense.sweep import Frame

MILLIMETRE = 1e-3
ORIGIN = (46.31, 39.87, 412.0)
SITE = MapFrame(origin=ORIGIN, name="stake 7")
SQUARE = shapely.Polygon([(0, 0), (10, 0), (10, 5), (0, 5)])


# Coordinates


@settings(deadline=None, derandomize=True, max_examples=60)
@given(
    longitude=st.floats(-180, 180),
    latitude=st.floats(-88, 88),
    height=st.floats(-400, 6000),
    east=st.floats(-13_000, 13_000),
    north=st.floats(-13_000, 13_000),
    up=st.floats(-50, 50),
)
def test_a_local_frame_agrees_with_its_definition(longitude, latitude, height, east, north, up):
    """Anywhere on Earth, places agree with vector geometry within a millimetre, both ways."""
    origin = (longitude, latitude, height)
    site = MapFrame(origin=origin)
    found = [float(x) for x in site.to_wgs84(east, north, up)]
    expected = naive.local_to_wgs84(origin, east, north, up)
    assert naive.distance(found, expected) < MILLIMETRE
    back = [float(x) for x in site.to_local(*found)]
    npt.assert_allclose(back, [east, north, up], atol=MILLIMETRE)
    flat = site.to_local(*site.to_wgs84(east, north)[:2])
    npt.assert_allclose([float(x) for x in flat], [east, north, 0.0], atol=MILLIMETRE)


@pytest.mark.parametrize("place", [(45.0, 40.0), (42.3, 12.0), (47.9, 71.5)])
def test_a_projected_frame_agrees_with_its_series(place):
    """UTM zone 38 agrees with Krueger's series within a millimetre."""
    easting, northing = naive.transverse_mercator(*place, central=45.0)
    site = MapFrame(crs="EPSG:32638")
    found = [float(x) for x in site.to_wgs84(easting, northing)]
    assert naive.distance(found, (*place, 0.0)) < MILLIMETRE
    back = site.to_local(*place)
    npt.assert_allclose([float(x) for x in back[:2]], [easting, northing], atol=MILLIMETRE)


def test_a_site_may_count_from_a_place_in_a_projected_system(tmp_path):
    """Shapes, tables and surfaces all add the place from which the site counts."""
    whole = MapFrame(crs="EPSG:32638")
    site = MapFrame(crs="EPSG:32638", shift=(512_300.0, 4_420_100.0))
    one, other = site.to_wgs84(7.0, -3.0), whole.to_wgs84(512_307.0, 4_420_097.0)
    npt.assert_array_equal(one, other)
    back = site.to_local(*one)
    npt.assert_allclose([float(x) for x in back[:2]], [7.0, -3.0], atol=MILLIMETRE)
    surface = Surface(name="a", values=np.ones((2, 2)), origin=(7.0, -3.0), cell=1.0)
    path = write_geotiff(tmp_path / "a.tif", [surface], frame=site, release=Release())
    with rasterio.open(path) as file:
        assert (file.bounds.left, file.bounds.bottom) == (512_307.0, 4_420_097.0)
        assert file.crs.to_epsg() == 32638


def test_an_origin_in_another_system_is_changed_once():
    """The origin may be given in a projected system, and then is the same place."""
    easting, northing = naive.transverse_mercator(*ORIGIN[:2], central=45.0)
    other = MapFrame(origin=(easting, northing, ORIGIN[2]), origin_crs="EPSG:32638")
    one = [float(x) for x in other.to_wgs84(30.0, 40.0)]
    assert naive.distance(one, [float(x) for x in SITE.to_wgs84(30.0, 40.0)]) < MILLIMETRE


def test_unknown_places_stay_unknown():
    """NaN comes back as NaN in its place, and shapes are kept."""
    longitude, latitude, height = SITE.to_wgs84([[0.0, math.nan]], [[0.0, 1.0]])
    assert longitude.shape == latitude.shape == height.shape == (1, 2)
    assert np.isnan(longitude).tolist() == [[False, True]]
    assert np.isnan(SITE.to_local(math.nan, 1.0)[0])


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"crs": "EPSG:999999"}, ValueError, "Invalid crs 'EPSG:999999'. Must be 'local' or"),
        ({"crs": "stake 7"}, ValueError, "Invalid crs 'stake 7'"),
        ({"crs": "EPSG:4326"}, ValueError, "easting and northing in metres"),
        ({"crs": "EPSG:2263"}, ValueError, "easting and northing in metres"),  # feet
        ({"crs": "EPSG:3857"}, ValueError, "its metres are not metres"),
        ({"crs": "EPSG:28408"}, ValueError, "accurate to 3 m. Must be at most max_datum_error"),
        ({"crs": "EPSG:32638", "origin": ORIGIN}, ValueError, "Invalid origin of a frame in"),
        ({}, ValueError, "Invalid origin None of a local frame"),
        ({"origin": (46.0, 95.0, 0.0)}, ValueError, "longitude within 180 and latitude"),
        ({"origin": (46.0, 40.0)}, ValueError, "2 numbers. Must be three"),
        ({"origin": (46.0, math.nan, 0.0)}, ValueError, "Invalid origin 'nan'"),
        ({"origin": (46.0, "north", 0.0)}, TypeError, "Invalid origin 'north'"),
        ({"origin": ORIGIN, "origin_crs": "EPSG:4284"}, ValueError, "change of its datum"),
        ({"origin": ORIGIN, "shift": (1, 0)}, ValueError, "zero in a local frame"),
        ({"origin": ORIGIN, "height_datum": "sea"}, ValueError, "Invalid height_datum 'sea'"),
    ],
)
def test_bad_frames_are_named(options, error, message):
    """The error names the argument, shows its value and states the rule."""
    with pytest.raises(error, match=message):
        MapFrame(**options)


def test_places_of_another_system_are_noticed():
    """UTM coordinates are too far for a local frame; local ones lie outside a UTM zone."""
    with pytest.raises(ValueError, match=r"km from the origin. Must lie within 20 km"):
        SITE.to_wgs84(500_000.0, 4_400_000.0)
    with pytest.raises(ValueError, match="1 of 2 lie outside the area of use of 'EPSG:32638'"):
        MapFrame(crs="EPSG:32638").to_wgs84([500_000.0, 12.0], [4_400_000.0, 30.0])
    with pytest.raises(ValueError, match="within 180 and 90 degrees"):
        SITE.to_local(400.0, 0.0)
    with pytest.raises(ValueError, match="Must lie within 20 km"):
        SITE.to_local(10.0, 10.0)


def test_datums_are_never_mixed():
    """Frames and heights of one site agree, or the error names both."""
    frame = Frame(origin="stake 7")
    check_frames([("a", frame), ("b", frame)], frame)
    with pytest.raises(ValueError, match=r"crs 'EPSG:32638' of 'lane 2'. Must be 'local'"):
        check_frames([("lane 1", frame), ("lane 2", Frame(crs="EPSG:32638"))], frame)
    with pytest.raises(ValueError, match=r"Invalid origin 'stake 8' of 'b'. Must be 'stake 7'"):
        check_frames([("a", frame), ("b", Frame(origin="stake 8"))], frame)
    assert check_heights([]) == "unstated"
    with pytest.raises(
        ValueError, match=r"Invalid height datum 'geoid' of 'b'. Must be 'ground'"
    ):
        check_heights([("a", "ground"), ("b", "geoid")])
    with pytest.raises(ValueError, match="Invalid height datum of 'a' 'sea'"):
        check_heights([("a", "sea")])


# Polygons of grids


grids = arrays(
    np.int64, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.integers(-1, 2)
)


@settings(deadline=None, derandomize=True, max_examples=200)
@given(codes=grids)
def test_patches_are_those_of_a_flood(codes):
    """Patches, sizes and areas are exact, shapes valid, and cells lie where they should."""
    found = grid_patches(codes, origin=(-3.0, 40.0), cell=0.25)
    sizes = {}
    for patch in found:
        sizes.setdefault(patch.code, []).append(patch.n_cells)
        assert patch.polygon.is_valid
        assert patch.polygon.area == patch.n_cells * 0.0625  # powers of two: exact
        assert patch.polygon.exterior.is_ccw
        assert not any(hole.is_ccw for hole in patch.polygon.interiors)
    assert {code: sorted(n) for code, n in sizes.items()} == naive.patches(codes.tolist())
    for (row, column), code in np.ndenumerate(codes):
        centre = shapely.Point(-3.0 + 0.25 * (column + 0.5), 40.0 + 0.25 * (row + 0.5))
        inside = [patch.code for patch in found if patch.polygon.contains(centre)]
        assert inside == ([] if code < 0 else [code])


def test_bad_grids_are_named():
    """Codes are whole numbers on a grid."""
    with pytest.raises(ValueError, match=r"Invalid codes with shape \(3,\)"):
        grid_patches([1, 2, 3], origin=(0, 0), cell=1)
    with pytest.raises(ValueError, match="dtype float64"):
        grid_patches([[1.0]], origin=(0, 0), cell=1)
    assert grid_patches(np.full((2, 2), -1), origin=(0, 0), cell=1) == []


# Geometry checks


def area_of(shape):
    """Return an area that a column can hold."""
    return float(shape.area) if math.isfinite(shape.area) else None


def polygons(*shapes, ids=None, **options):
    """Return a layer of polygons."""
    names = ids or [f"P{k}" for k in range(len(shapes))]
    features = tuple(
        MapFeature(identifier=name, geometry=shape, values={"area_m2": area_of(shape)})
        for name, shape in zip(names, shapes, strict=True)
    )
    columns = (Column(name="area_m2", kind="number"), Column(name="band"))
    return Layer(name="land", geometry="Polygon", columns=columns, features=features, **options)


def faults_of(*layers, **options):
    """Return the faults that stop an export."""
    with pytest.raises(GeometryError) as caught:
        check_layers(layers, **options)
    return list(caught.value.faults)


BOW_TIE = shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])


@pytest.mark.parametrize(
    ("shape", "fault"),
    [
        (BOW_TIE, "Self-intersection"),
        (shapely.Polygon([(0, 0), (1, 1), (0, 0), (1, 1)]), "fewer than three corners"),
        (shapely.Polygon([(0, 0), (2, 0), (1, 0)]), "Self-intersection"),
        (shapely.Polygon([(0, 0), (1, 0), (1, 0), (1, 1)]), "a corner stands twice in a row"),
        (shapely.Polygon([(0, 0), (1, 0), (1, 1e-4), (0, 1)]), "corners 0.0001 m apart"),
        (shapely.Polygon([(0, 0), (9e6, 0), (1, 1)]), "a side of 9000000 m"),
        (shapely.Polygon([(0, 0), (math.inf, 0), (1, 1)]), "a coordinate is not finite"),
        (shapely.Point(0, 0), "a Point, must be a Polygon"),
        (
            shapely.Polygon([(0, 0), (9, 0), (9, 9), (0, 9)], [[(20, 20), (21, 20), (21, 21)]]),
            "Hole lies outside shell",
        ),
    ],
)
def test_bad_shapes_stop_the_export(shape, fault):
    """The feature is named, with what is wrong, and without its place."""
    good = shapely.Polygon([(50, 50), (51, 50), (51, 51)])
    faults = faults_of(polygons(good, shape))
    assert any(found.startswith(f"layer 'land', feature 'P1': {fault}") for found in faults)
    assert not any("P0" in found for found in faults)
    assert "[" not in "".join(faults)


def test_all_faults_are_named_at_once():
    """Duplicate and missing identifiers, and overlaps; neighbours may touch."""
    east = shapely.box(10, 0, 20, 5)
    check_layers([polygons(SQUARE, east)])
    over = shapely.box(9, 0, 20, 5)
    assert faults_of(polygons(SQUARE, over)) == [
        "layer 'land', features 'P0' and 'P1': overlap by 5 m2"
    ]
    faults = faults_of(polygons(SQUARE, over, BOW_TIE, ids=["A", "A", ""]))
    assert len(faults) == 4
    assert any("identifier stands 2 times" in fault for fault in faults)
    check_layers([polygons(SQUARE, over, may_overlap=True)])


def test_classes_and_bands_are_judged_apart():
    """Two depth bands of one place may overlap; one band may not."""
    layer = polygons(SQUARE, SQUARE, apart=("band",))
    assert faults_of(layer)
    bands = [
        dataclasses.replace(item, values=item.values | {"band": str(k)})
        for k, item in enumerate(layer.features)
    ]
    check_layers([dataclasses.replace(layer, features=tuple(bands))])


def points(*places, **values):
    """Return a layer of alarms."""
    features = tuple(
        MapFeature(identifier=f"A{k}", geometry=shapely.Point(place), values=values)
        for k, place in enumerate(places)
    )
    columns = (
        Column(name="is_outside_task", kind="truth"),
        Column(name="depth_m", kind="number"),
    )
    return Layer(name="alarms", geometry="Point", columns=columns, features=features)


def test_alarms_lie_inside_the_task_or_say_so():
    """An alarm outside is named; a mark lets it pass; a far one never passes."""
    check_layers([points((1, 1), (10, 5))], task=SQUARE)
    assert faults_of(points((1, 1), (11, 1)), task=SQUARE) == [
        "layer 'alarms', feature 'A1': lies outside the task and is not marked as "
        "is_outside_task"
    ]
    check_layers([points((11, 1), is_outside_task=True)], task=SQUARE)
    far = faults_of(points((11_000, 1), is_outside_task=True), task=SQUARE)
    assert far == ["layer 'alarms', feature 'A0': 11 km from the task"]


def test_areas_add_up_to_the_task():
    """A missing square metre, and an area that is not that of its shape, are found."""
    halves = polygons(shapely.box(0, 0, 4, 5), shapely.box(4, 0, 10, 5))
    check_area_sum(halves, 50.0)
    with pytest.raises(GeometryError, match=r"add up to 50.0000 m2, but the task has 51.0000"):
        check_area_sum(halves, 51.0)
    item = halves.features[0]
    wrong = dataclasses.replace(item, values={"area_m2": 19.0})
    spoilt = dataclasses.replace(halves, features=(wrong, halves.features[1]))
    with pytest.raises(GeometryError, match=r"'P0': states 19.0 m2, but its shape has 20"):
        check_area_sum(spoilt, 50.0)


# The gate


def test_nothing_synthetic_leaves_as_operational():
    """It raises, or says SYNTHETIC in every feature of every layer, also the empty ones."""
    layers = [points((1, 1)), polygons(SQUARE)]
    with pytest.raises(ValueError, match=r"SYNTHETIC data. Must be 'record'"):
        admit(layers, Release(purpose="operational"), is_synthetic=True)
    one = dataclasses.replace(
        layers[0].features[0], provenance=Provenance.SYNTHETIC
    )  # one is enough for all
    tainted = [dataclasses.replace(layers[0], features=(one,)), layers[1]]
    with pytest.raises(ValueError, match="SYNTHETIC"):
        admit(tainted, Release(purpose="operational"), is_synthetic=False)
    for layer in admit(tainted, Release(), is_synthetic=False):
        assert "SYNTHETIC" in layer.description
        assert {item.values["data_kind"] for item in layer.features} == {"SYNTHETIC"}
        assert {item.values["provenance"] for item in layer.features} == {"SYNTHETIC"}


def test_an_operational_export_needs_people():
    """Entries that nobody confirmed raise; they are not left out."""
    layer = points((1, 1), (2, 2))
    confirmed = tuple(
        dataclasses.replace(item, provenance=Provenance.OPERATOR_CONFIRMED)
        for item in layer.features
    )
    release = Release(purpose="operational")
    admit([dataclasses.replace(layer, features=confirmed)], release, is_synthetic=False)
    mixed = dataclasses.replace(layer, features=(confirmed[0], layer.features[1]))
    with pytest.raises(ValueError, match=r"1 features of layer 'alarms' .* the first is 'A1'"):
        admit([mixed], release, is_synthetic=False)
    order = ["SYNTHETIC", "SENSOR_ANOMALY", "OPERATOR_CONFIRMED", "EOD_DISPOSED"]
    assert [p.name for p in sorted(Provenance)] == order


def test_public_exports_tell_no_place(tmp_path):
    """Positions are withheld unless asked for by name; restricted is the default."""
    columns = (Column(name="easting_m", kind="number"), Column(name="depth_m", kind="number"))
    item = MapFeature(
        identifier="A0",
        geometry=shapely.Point(1.25, 2.5),
        values={"easting_m": 1.25, "depth_m": 0.5},
    )
    layer = Layer(name="alarms", geometry="Point", columns=columns, features=(item,))
    (kept,) = admit([layer], Release(), is_synthetic=False)
    assert kept.features[0].values["confidentiality"] == "restricted"
    assert kept.features[0].geometry is not None
    (public,) = admit([layer], Release(level="public"), is_synthetic=False)
    assert public.features[0].geometry is None
    assert public.features[0].values["easting_m"] is None
    assert public.features[0].values["depth_m"] == 0.5
    path = write_layer_csv(tmp_path / "a.csv", public, frame=SITE)
    assert "1.25" not in path.read_text()
    asked = Release(level="public", exact_positions=True)
    assert admit([layer], asked, is_synthetic=False)[0].features[0].geometry is not None


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        ({"depth_m": math.inf}, ValueError, "Must be finite"),
        ({"depth_m": "deep"}, TypeError, "type str in column 'depth_m'"),
        ({"depth_m": True}, TypeError, "type bool"),
        ({"other": 1}, ValueError, "column 'other' of feature 'A0' in layer 'alarms'"),
    ],
)
def test_bad_values_are_named(values, error, message):
    """A layer holds what its columns say."""
    with pytest.raises(error, match=message):
        points((1, 1), **values)


# Files


def layers_for_files():
    """Return layers with all kinds of columns, holes, and features without shape."""
    ring = shapely.Polygon(
        [(0, 0), (0, 40), (60, 40), (60, 0)], [[(10, 10), (20, 10), (20, 20), (10, 20)]]
    )
    columns = (
        Column(name="reason"),
        Column(name="area_m2", kind="number"),
        Column(name="looks", kind="count"),
        Column(name="is_whole", kind="truth"),
    )
    values = {"reason": "GAP; höhe <&>", "area_m2": 2300.0, "looks": 3, "is_whole": False}
    land = Layer(
        name="not_observed",
        geometry="Polygon",
        columns=columns,
        features=(MapFeature(identifier="N1", geometry=ring, values=values),),
        description="ground without credit",
    )
    nothing = MapFeature(identifier="A2", values={"depth_m": math.nan})
    alarms = points((5.5, 7.25), depth_m=0.13)
    alarms = dataclasses.replace(alarms, features=(*alarms.features, nothing))
    empty = Layer(name="tracks", geometry="LineString", columns=(), features=())
    return admit([land, alarms, empty], Release(), is_synthetic=True)


def test_a_geopackage_opens_elsewhere(tmp_path):
    """GDAL and SQLite find layers, columns, nulls, system and the word SYNTHETIC."""
    path = write_geopackage(tmp_path / "map.gpkg", layers_for_files(), frame=SITE)
    assert pyogrio.list_layers(path)[:, 0].tolist() == ["not_observed", "alarms", "tracks"]
    meta, _, shapes, data = pyogrio.raw.read(path, layer="not_observed")
    assert meta["crs"] == "EPSG:4326"
    row = {name: values[0] for name, values in zip(meta["fields"], data, strict=True)}
    assert row["reason"] == "GAP; höhe <&>"
    assert (row["area_m2"], row["looks"], row["is_whole"]) == (2300.0, 3, False)
    assert (row["data_kind"], row["confidentiality"]) == ("SYNTHETIC", "restricted")
    shape = shapely.from_wkb(shapes[0])
    assert shape.is_valid
    back = [
        [float(x) for x in SITE.to_local(*corner)[:2]]
        for corner in shape.geoms[0].exterior.coords
    ]
    corners = [(0, 0), (60, 0), (60, 40), (0, 40)]
    for corner in corners:
        assert min(math.dist(corner, place) for place in back) < MILLIMETRE
    assert naive.signed_area(back) == pytest.approx(2400.0, abs=1e-3)
    with sqlite3.connect(path) as base:
        rows = base.execute(
            "SELECT feature_id, depth_m, geom IS NULL FROM alarms ORDER BY feature_id"
        ).fetchall()
        assert rows == [("A0", 0.13, 0), ("A2", None, 1)]
        said = dict(base.execute("SELECT table_name, description FROM gpkg_contents"))
        assert all("SYNTHETIC" in text and "restricted" in text for text in said.values())
        assert base.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert base.execute("SELECT DISTINCT last_change FROM gpkg_contents").fetchall() == [
            ("1970-01-01T00:00:00.000Z",)
        ]
    base.close()


def test_the_same_map_has_the_same_bytes(tmp_path):
    """Whatever the clock says, and whatever was in the file before."""
    layers = layers_for_files()
    surface = Surface(
        name="looks", values=np.arange(6.0).reshape(2, 3), origin=(0, 0), cell=0.5
    )
    found = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "map.gpkg").write_bytes(b"something else")
        write_geopackage(folder / "map.gpkg", layers, frame=SITE)
        write_geotiff(folder / "s.tif", [surface], frame=SITE, release=Release())
        for layer in layers:
            write_layer_geojson(folder / f"{layer.name}.geojson", layer, frame=SITE)
            write_layer_csv(folder / f"{layer.name}.csv", layer, frame=SITE)
        found.append({path.name: path.read_bytes() for path in sorted(folder.iterdir())})
    assert found[0] == found[1]
    assert len(found[0]) == 8


def test_a_geopackage_needs_layers_that_were_admitted(tmp_path):
    """Nothing leaves without its marks; names are fit for SQL; a failure leaves no file."""
    layer = points((1, 1))
    with pytest.raises(ValueError, match="Must have passed admit"):
        write_geopackage(tmp_path / "a.gpkg", [layer], frame=SITE)
    (good,) = admit([layer], Release(), is_synthetic=False)
    with pytest.raises(ValueError, match="Invalid layer name 'alarms'"):
        write_geopackage(tmp_path / "a.gpkg", [good, good], frame=SITE)
    bad = dataclasses.replace(good, name='x"; DROP')
    with pytest.raises(ValueError, match="Must be small letters"):
        write_geopackage(tmp_path / "a.gpkg", [bad], frame=SITE)
    with pytest.raises(ValueError, match="Invalid changed '2026'"):
        write_geopackage(tmp_path / "a.gpkg", [good], frame=SITE, changed="2026")
    far = dataclasses.replace(good.features[0], geometry=shapely.Point(1e6, 0))
    with pytest.raises(ValueError, match="km from the origin"):
        write_geopackage(
            tmp_path / "a.gpkg", [dataclasses.replace(good, features=(far,))], frame=SITE
        )
    assert list(tmp_path.iterdir()) == []


def positions_of(nested):
    """Return every position of nested coordinates."""
    if isinstance(nested[0], float):
        return [nested]
    return [place for part in nested for place in positions_of(part)]


def test_geojson_follows_its_rfc(tmp_path):
    """Longitude first, rings turn as they should, no crs, nulls for what is unknown."""
    land, alarms, _ = layers_for_files()
    path = write_layer_geojson(tmp_path / "a.geojson", land, frame=SITE, properties={"a": 1})
    document = json.loads(path.read_text())
    assert "crs" not in document
    assert (document["type"], document["data_kind"]) == ("FeatureCollection", "SYNTHETIC")
    geometry = document["features"][0]["geometry"]
    exterior, hole = geometry["coordinates"]
    assert exterior[0] == exterior[-1]
    assert naive.signed_area(exterior[:-1]) > 0 > naive.signed_area(hole[:-1])
    assert exterior[0][0] == pytest.approx(ORIGIN[0], abs=1e-3)
    path = write_layer_geojson(tmp_path / "b.geojson", alarms, frame=SITE)
    known, unknown = json.loads(path.read_text())["features"]
    assert known["geometry"]["type"] == "Point"
    assert unknown["geometry"] is None
    assert unknown["properties"]["depth_m"] is None
    meta, *_ = pyogrio.raw.read(path)
    assert meta["crs"] == "EPSG:4326"


@pytest.mark.parametrize("longitude", [179.9999, -179.9999, 180.0, -180.0])
def test_shapes_are_cut_at_the_antimeridian(tmp_path, longitude):
    """Every part lies on one side, areas add up, and nothing wraps around the world."""
    site = MapFrame(origin=(longitude, -17.0, 0.0))
    hole = [(-30, 10), (30, 10), (30, 20), (-30, 20)]
    shape = shapely.Polygon([(-100, 0), (100, 0), (100, 60), (-100, 60)], [hole])
    (layer,) = admit([polygons(shape)], Release(), is_synthetic=False)
    path = write_layer_geojson(tmp_path / "a.geojson", layer, frame=site)
    geometry = json.loads(path.read_text())["features"][0]["geometry"]
    assert geometry["type"] == "MultiPolygon"
    longitudes = [place[0] for place in positions_of(geometry["coordinates"])]
    assert max(map(abs, longitudes)) <= 180
    parts = shapely.geometry.shape(geometry).geoms
    assert all(part.is_valid and part.exterior.is_ccw for part in parts)
    assert all(part.bounds[2] - part.bounds[0] < 0.01 for part in parts)
    # square metres of a degree at 17 degrees south, from its definition
    east = naive.distance((10, -17, 0), (10.001, -17, 0))
    north = naive.distance((10, -17.0, 0), (10, -16.999, 0))
    area = sum(part.area for part in parts) * 1e6 * east * north
    assert area == pytest.approx(shape.area, rel=1e-4)
    line = to_geographic(shapely.LineString([(-100, 0), (100, 0)]), site)
    assert len(line.geoms) == 2


def test_long_sides_do_not_stray():
    """A side of 2 km is straight on the ground to a millimetre, not only on the map."""
    site = MapFrame(origin=(46.0, 60.0, 0.0))
    line = to_geographic(shapely.LineString([(0, 0), (2000, 300)]), site)
    for share in np.linspace(0, 1, 301):
        place = line.interpolate(share, normalized=True)
        east, north, _ = (float(x) for x in site.to_local(place.x, place.y))
        assert abs(east * 300 - north * 2000) / math.hypot(300, 2000) < MILLIMETRE


def test_tables_name_their_units(tmp_path):
    """Cells are empty where nothing is known, and no text is taken for a formula."""
    _, alarms, _ = layers_for_files()
    lines = write_layer_csv(tmp_path / "a.csv", alarms, frame=SITE).read_text().split("\n")
    assert lines[0] == (
        "feature_id,longitude_deg,latitude_deg,is_outside_task,depth_m,data_kind,provenance,"
        "confidentiality"
    )
    first = lines[1].split(",")
    place = [float(x) for x in SITE.to_wgs84(5.5, 7.25)]
    found = (float(first[1]), float(first[2]), place[2])
    assert naive.distance(found, place) < MILLIMETRE
    assert lines[2] == "A2,,,,,SYNTHETIC,SYNTHETIC,restricted"
    layer = Layer(
        name="t",
        geometry="",
        columns=(Column(name="note"),),
        features=(MapFeature(identifier="1", values={"note": "=HYPERLINK(1)"}),),
    )
    (layer,) = admit([layer], Release(), is_synthetic=False)
    assert "'=HYPERLINK" in write_layer_csv(tmp_path / "t.csv", layer, frame=SITE).read_text()


def test_a_geotiff_lies_where_the_grid_does(tmp_path):
    """Rasterio finds each cell's figure at the cell's longitude and latitude."""
    site = MapFrame(origin=(46.31, 39.87, 1800.0))
    values = np.random.default_rng(seed=1).random((40, 60))
    values[3, 5] = math.nan
    surface = Surface(
        name="expected_items", values=values, origin=(-700.0, 500.0), cell=5.0,
        is_synthetic=True, legend={0: "NOT_OBSERVED"},
    )  # fmt: skip
    path = write_geotiff(tmp_path / "a.tif", [surface, surface], frame=site, release=Release())
    with rasterio.open(path) as file:
        assert file.count == 2
        assert file.tags()["DATA_KIND"] == "SYNTHETIC"
        assert file.tags(1)["CODE_0"] == "NOT_OBSERVED"
        assert file.descriptions == ("expected_items", "expected_items")
        for row, column in ((0, 0), (39, 59), (3, 5), (20, 7)):
            east, north = -700.0 + 5 * (column + 0.5), 500.0 + 5 * (row + 0.5)
            longitude, latitude, _ = naive.local_to_wgs84(site.origin, east, north, 0.0)
            (x,), (y,) = rasterio.warp.transform("EPSG:4326", file.crs, [longitude], [latitude])
            assert math.dist((x, y), (east, north)) < 0.01
            found = next(file.sample([(x, y)]))[0]
            expected = -9999.0 if math.isnan(values[row, column]) else values[row, column]
            assert found == np.float32(expected)


def test_bad_surfaces_are_named(tmp_path):
    """Grids agree; synthetic surfaces do not leave as operational; public ones not at all."""
    one = Surface(name="a", values=np.ones((2, 2)), origin=(0, 0), cell=1.0, is_synthetic=True)
    other = dataclasses.replace(one, name="b", cell=2.0)
    write = write_geotiff
    path = tmp_path / "a.tif"
    with pytest.raises(ValueError, match=r"Invalid surface 'b'. Must lie on the grid of 'a'"):
        write(path, [one, other], frame=SITE, release=Release())
    with pytest.raises(ValueError, match="SYNTHETIC"):
        write(path, [one], frame=SITE, release=Release(purpose="operational"))
    with pytest.raises(ValueError, match="Must show them"):
        write(path, [one], frame=SITE, release=Release(level="public"))
    with pytest.raises(ValueError, match="there are none"):
        write(path, [], frame=SITE, release=Release())
    huge = dataclasses.replace(one, cell=7000.0)
    with pytest.raises(ValueError, match="m off on the map"):
        write(path, [huge], frame=SITE, release=Release())
    with pytest.raises(ValueError, match="Invalid values of surface 'c'"):
        Surface(name="c", values=np.full((2, 2), math.inf), origin=(0, 0), cell=1.0)
    assert not path.exists()
