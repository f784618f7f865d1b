"""Files of contours: what is read of them, what is refused and why, and errors that say what to do."""

import gzip
import json
import sqlite3
import struct

import pytest
import shapely

from benchmarks.iris_world import features, make_world, write_contours
from datadock.errors import DatadockError
from datadock.geography import read_contours
from datadock.geography.contours import twice_told
from datadock.geography.crs import named_crs

SQUARE = [[2.0, 48.0], [2.1, 48.0], [2.1, 48.1], [2.0, 48.1], [2.0, 48.0]]
BOWTIE = [[2.0, 48.0], [2.1, 48.1], [2.1, 48.0], [2.0, 48.1], [2.0, 48.0]]


def feature(code="751010101", ring=None, shape="Polygon", **properties):
    geometry = {"type": shape, "coordinates": [ring or SQUARE]} if shape == "Polygon" else shape
    return {"type": "Feature", "properties": {"CODE_IRIS": code, **properties}, "geometry": geometry}


def moved(x, y, scale=1.0):
    return [[x + scale * (a - 2), y + scale * (b - 48)] for a, b in SQUARE]


def test_codes_names_and_communes_are_read_in_any_writing(tmp_path):
    made = [
        feature("751010101", NOM_IRIS="Saint-Germain 1", INSEE_COM="75101"),
        {**feature(), "properties": {"DCOMIRIS": "751010102", "nom_iris": "Saint-Germain 2", "DEPCOM": "75101"}},
        {**feature(), "properties": {"code_iris": 10010000, "nom_iris": None, "insee_com": 1001}},
        {**feature(), "properties": {"code_iris": "2A0040101", "code_insee": "2A004"}},
    ]
    read = read_contours(write_contours(tmp_path / "iris.geojson", made))
    assert read.refused == []
    assert read.contours.drop("contour").rows() == [
        ("010010000", "01001", ""),
        ("2A0040101", "2A004", ""),
        ("751010101", "75101", "Saint-Germain 1"),
        ("751010102", "75101", "Saint-Germain 2"),
    ]
    assert shapely.from_wkb(read.contours["contour"][0]).equals(shapely.Polygon(SQUARE))


def test_the_good_features_of_a_bad_file_are_taken_and_the_bad_ones_listed(tmp_path):
    made = [
        feature("751010101"),
        feature("751010102", BOWTIE),
        feature(""),
        feature("75101"),
        feature("751010104", insee_com="75102"),
        feature("751010105"),
        feature("751010105", moved(2.2, 48.0)),
        feature("751010106", shape={"type": "Point", "coordinates": [2, 48]}),
        feature("751010107", shape={"type": "Polygon", "coordinates": "nothing"}),
        {**feature("751010108"), "geometry": None},
        feature("751010109", moved(48.0, 2.0)),
        "no feature",
    ]
    read = read_contours(write_contours(tmp_path / "iris.geojson", made))
    assert read.contours["code_iris"].to_list() == ["751010101"]
    assert [(one.feature, one.code, one.reason) for one in read.refused] == [
        (2, "751010102", "invalid geometry: Self-intersection[2.05 48.05]"),
        (3, "", "no code_iris among its properties: code_iris"),
        (4, "75101", "code_iris is no IRIS code of nine characters"),
        (5, "751010104", "insee_com 75102 is not the commune of its code"),
        (6, "751010105", "2 features of the file have this code"),
        (7, "751010105", "2 features of the file have this code"),
        (8, "751010106", "geometry is a Point"),
        (9, "751010107", "no geometry that can be read"),
        (10, "751010108", "no geometry that can be read"),
        (11, "751010109", "geometry lies outside of France"),
        (12, "", "no code_iris among its properties: none"),
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "iris.geojson is empty"),
        (b"code;name\n1;2\n", "iris.geojson is no GeoJSON"),
        (b'{"type": "Feature"}', "iris.geojson is no FeatureCollection but Feature"),
        (b"[]", "iris.geojson is no FeatureCollection but list"),
        (b'{"type": "FeatureCollection", "features": []}', "iris.geojson holds no feature"),
        (gzip.compress(b"{}")[:-9], "iris.geojson cannot be read"),
        (b"SQLite format 3\x00nothing", "iris.geojson cannot be read"),
        (json.dumps({"type": "FeatureCollection", "features": [feature(shape=None)]}).encode(), "holds no geometry"),
        (json.dumps({"type": "FeatureCollection", "features": [feature(ring=BOWTIE)]}).encode(), "1 x invalid"),
    ],
)  # fmt: skip
def test_a_file_of_which_nothing_can_be_taken_is_an_error_that_says_what_to_do(tmp_path, content, message):
    (tmp_path / "iris.geojson").write_bytes(content)
    with pytest.raises(DatadockError, match=message) as told:
        read_contours(tmp_path / "iris.geojson")
    assert told.value.expected
    assert told.value.action


def test_the_system_is_stated_or_named_or_told_by_the_numbers_never_guessed(tmp_path):
    path = tmp_path / "iris.geojson"
    lambert = feature(ring=moved(652_000.0, 6_862_000.0, 10_000))
    assert read_contours(write_contours(path, [lambert])).crs == "EPSG:2154"
    assert read_contours(write_contours(path, [feature()])).crs == "EPSG:4326"
    assert read_contours(write_contours(path, [lambert], "EPSG:2154")).crs == "EPSG:2154"
    reunion = feature("974110101", moved(340_000.0, 7_690_000.0, 10_000))
    with pytest.raises(DatadockError, match="does not say in which system its numbers are"):
        read_contours(write_contours(path, [reunion]))
    read = read_contours(path, "EPSG:2975")
    assert shapely.from_wkb(read.contours["contour"][0]).centroid.distance(shapely.Point(55.46, -20.88)) < 0.1
    with pytest.raises(DatadockError, match="no contour that can be taken: 1 x geometry"):
        read_contours(write_contours(path, [lambert], "EPSG:4326"))
    with pytest.raises(DatadockError, match="unknown coordinate reference system: EPSG:99999"):
        read_contours(path, "EPSG:99999")
    names = ("urn:ogc:def:crs:OGC:1.3:CRS84", "urn:ogc:def:crs:EPSG::2154", "epsg:2154", "2154")
    assert [named_crs(name) for name in names] == ["EPSG:4326", "EPSG:2154", "EPSG:2154", "EPSG:2154"]


def test_a_code_in_two_files_is_refused_in_both(tmp_path):
    one = read_contours(write_contours(tmp_path / "a.geojson", [feature("751010101"), feature("751010102")]))
    two = read_contours(write_contours(tmp_path / "b.geojson", [feature("751010102")]))
    first, second = twice_told([one, two])
    assert first.contours["code_iris"].to_list() == ["751010101"]
    assert second.contours.height == 0
    assert [(file.file, file.refused[0].reason) for file in (first, second)] == [
        ("a.geojson", "another file holds it, too"),
        ("b.geojson", "another file holds it, too"),
    ]


def write_geopackage(path, made, code=2154):
    con = sqlite3.connect(path)
    con.executescript(
        "create table gpkg_spatial_ref_sys (srs_id integer, organization text, organization_coordsys_id integer);"
        "create table gpkg_geometry_columns (table_name text, column_name text, srs_id integer);"
        "create table iris (fid integer, geom blob, code_iris text, nom_iris text, code_insee text);"
        "insert into gpkg_geometry_columns values ('iris', 'geom', 7)"
    )
    con.execute("insert into gpkg_spatial_ref_sys values (7, 'EPSG', ?)", [code])
    for at, one in enumerate(made):
        shape = shapely.from_geojson(json.dumps(one["geometry"]))
        header = b"GP\x00\x03" + struct.pack("<i4d", 7, *(shape.bounds[side] for side in (0, 2, 1, 3)))
        told = one["properties"]
        row = [at, header + shapely.to_wkb(shape), told["code_iris"], told["nom_iris"], told["insee_com"]]
        con.execute("insert into iris values (?, ?, ?, ?, ?)", row)
    con.commit()
    con.close()
    return path


def test_a_geopackage_says_what_the_geojson_says(tmp_path):
    made = features(make_world(seed=2, communes=2, most=6))
    package = read_contours(write_geopackage(tmp_path / "iris.gpkg", made))
    assert (package.crs, package.refused) == ("EPSG:2154", [])
    assert package.contours.equals(read_contours(write_contours(tmp_path / "iris.geojson", made)).contours)
