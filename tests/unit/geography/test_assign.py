"""The IRIS of points: every point of a made-up world gets its true one, in bulk as one by one."""

import numpy as np
import polars as pl
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.iris_world import degrees, features, make_world, points, write_contours
from datadock.geography import Contours, assign_iris, read_contours

WORLD = make_world(seed=5, communes=5, most=25)


def frame(*rows):
    return pl.DataFrame(
        rows,
        schema={"longitude": pl.Float64, "latitude": pl.Float64, "code_insee": pl.String},
        orient="row",
    )


def squares(*told):
    """Contours from (code, x0, y0, x1, y1), in tenths of a degree."""
    boxes = shapely.to_wkb([shapely.box(*(side / 10 for side in sides)) for _, *sides in told])
    rows = {"code_iris": [code for code, *_ in told], "code_insee": [code[:5] for code, *_ in told], "contour": boxes}
    return Contours(pl.DataFrame(rows, schema={"code_iris": pl.String, "code_insee": pl.String, "contour": pl.Binary}))


@pytest.fixture(scope="module")
def contours(tmp_path_factory):
    path = write_contours(tmp_path_factory.mktemp("world") / "iris.geojson", features(WORLD))
    return Contours(read_contours(path).contours)


def test_every_point_of_a_world_gets_its_true_iris(contours):
    told = points(WORLD, 5000)
    found = assign_iris(told, contours, {})
    wrong = told.hstack(found).filter(pl.col("code_iris").ne_missing(pl.col("truth")))
    assert wrong.height == 0
    assert found["iris_by"].unique().to_list() == ["contours"]
    assert found.select("iris_code", "reason").null_count().row(0) == (5000, 5000)


def test_a_lambert_and_a_wgs84_file_agree_on_every_contour_and_point(contours, tmp_path):
    path = write_contours(tmp_path / "iris.geojson.gz", features(WORLD, "EPSG:4326"))
    other = read_contours(path)
    assert other.crs == "EPSG:4326"
    assert other.contours["code_iris"].to_list() == contours.ordered["code_iris"].to_list()
    told = points(WORLD, 5000, seed=9)
    assert assign_iris(told, Contours(other.contours), {}).equals(assign_iris(told, contours, {}))


ANYWHERE = st.tuples(st.integers(-1, 9), st.integers(-1, 9)).map(lambda at: (at[0] / 20, at[1] / 20))
CODES = st.sampled_from(["33063", "33064", "33065", "", None])
POINT = st.one_of(
    st.tuples(ANYWHERE, CODES).map(lambda one: (*one[0], one[1])),
    CODES.map(lambda code: (None, None, code)),
    st.just((float("nan"), 0.1, "33063")),
)
DRAWN = st.lists(
    st.tuples(st.sampled_from(["33063", "33064"]), st.integers(1, 4), st.integers(0, 3), st.integers(0, 3)),
    unique_by=lambda one: one[:2],
    max_size=6,
)


@given(st.lists(POINT, max_size=30), DRAWN)
def test_bulk_equals_one_by_one(told, drawn):
    contours = squares(*((f"{code}000{at}", x, y, x + 1, y + 1) for code, at, x, y in drawn))
    only = {"33065": "330650000"}
    bulk = assign_iris(frame(*told), contours, only)
    assert bulk.rows() == [_plainly(point, contours, only) for point in told]


def _plainly(point, contours, only):
    """The rule for one point, as it would be told: no tree, no frame."""
    longitude, latitude, commune = point
    commune = commune or ""
    if commune in only:
        return (only[commune], "commune", None, None)
    asked = [
        (code, geometry)
        for code, geometry in zip(contours.ordered["code_iris"], contours.geometries, strict=True)
        if not commune or code[:5] == commune
    ]
    if not asked:
        return (None, None, None, "contours_absents")
    if longitude is None or latitude is None or np.isnan(longitude):
        return (None, None, None, "sans_coordonnees")
    held = [code for code, geometry in asked if geometry.intersects(shapely.Point(longitude, latitude))]
    if not held:
        return (None, None, None, "hors_contours")
    return (min(held), "contours", "LIMITE" if len(held) > 1 else None, None)


def test_a_point_on_a_border_or_in_two_contours_takes_the_lowest_code_and_says_so():
    drawn = squares(("330630102", 0, 0, 1, 1), ("330630101", 1, 0, 2, 1), ("330630103", 0, 0.5, 1, 1))
    found = assign_iris(frame((0.1, 0.02, "33063"), (0.05, 0.07, "33063"), (0.05, 0.02, "33063")), drawn, {})
    assert found.rows() == [
        ("330630101", "contours", "LIMITE", None),
        ("330630102", "contours", "LIMITE", None),
        ("330630102", "contours", None, None),
    ]


def test_the_commune_decides_where_it_has_one_iris_unless_its_contours_show_several():
    drawn = squares(("330630101", 0, 0, 1, 1), ("330640000", 2, 0, 3, 1))
    only = {"33063": "330630000", "33064": "330640000"}
    asked = frame((0.05, 0.05, "33063"), (None, None, "33064"))
    assert assign_iris(asked, drawn, only)["code_iris"].to_list() == ["330630000", "330640000"]
    split = squares(("330630101", 0, 0, 1, 1), ("330630102", 1, 0, 2, 1))
    assert assign_iris(asked, split, only).rows() == [
        ("330630101", "contours", None, None),
        ("330640000", "commune", None, None),
    ]


def test_a_point_in_another_communes_contour_is_outside_of_its_own():
    drawn = squares(("330630101", 0, 0, 1, 1), ("330640101", 1, 0, 2, 1))
    asked = frame((0.15, 0.05, "33063"), (0.15, 0.05, None), (0.55, 0.05, None), (0.15, 0.05, "33065"))
    assert assign_iris(asked, drawn, {}).select("code_iris", "reason").rows() == [
        (None, "hors_contours"),
        ("330640101", None),
        (None, "hors_contours"),
        (None, "contours_absents"),
    ]


def test_no_points_and_no_contours_are_no_trouble():
    assert assign_iris(frame(), squares(), {}).rows() == []
    assert assign_iris(frame((2.0, 48.0, "75101")), squares(), {}).rows() == [(None, None, None, "contours_absents")]


def test_the_ground_of_the_world_is_where_lambert_says():
    assert np.allclose(degrees(np.array([[652_469.02, 6_862_035.26]])), [[2.352220, 48.856661]], atol=2e-4)
