"""Contours that a home loads: each load changes its own communes, and is noted with version, licence and hash."""

import polars as pl
import pytest

from benchmarks.iris_world import addresses, features, make_world, write_ban, write_contours
from datadock.dock import exclusive
from datadock.errors import DatadockError
from datadock.lake import Lake
from datadock.refdata import current_reference, install_ban, install_iris, loaded_iris, record_versions
from datadock.refdata.loaded import file_digest
from datadock.settings import Settings

TOLD = {"version": "2024", "source": "IGN", "licence": "Licence Ouverte 2.0"}
WORLD = make_world(seed=4, communes=2, fewest=3, most=8)


@pytest.fixture
def home(tmp_path):
    return Settings(home=tmp_path / "home")


def held(home):
    """The contours in force: code to version."""
    log = pl.read_parquet(Lake(home.lake_root).files("reference/iris_contours"))
    latest = log.sort("generation").unique("code_iris", keep="last").filter(pl.col("op") == "upsert")
    return dict(latest.select("code_iris", "version").rows())


def test_a_load_replaces_the_contours_of_its_communes_and_leaves_the_others(home, tmp_path):
    first, second = WORLD
    all_of_it = install_iris(home, [write_contours(tmp_path / "all.geojson", features(WORLD))], **TOLD)
    assert all_of_it.change.added == len(first.iris) + len(second.iris)
    fewer = [one for one in features([first]) if one["properties"]["code_iris"] != first.iris[0]]
    fewer[0]["geometry"]["coordinates"][0] = fewer[0]["geometry"]["coordinates"][0][::-1]
    later = install_iris(home, [write_contours(tmp_path / "one.geojson", fewer)], **(TOLD | {"version": "2025"}))
    assert (later.change.added, later.change.changed, later.change.removed) == (0, 0, 1)
    assert held(home) == dict.fromkeys((*first.iris[1:], *second.iris), "2024")
    assert [(item.file, item.version) for item in loaded_iris(home)] == [
        ("all.geojson", "2024"),
        ("one.geojson", "2025"),
    ]


def test_the_same_file_again_changes_nothing_and_other_words_about_it_are_taken(home, tmp_path):
    path = write_contours(tmp_path / "iris.geojson", features(WORLD))
    ((item, new),) = install_iris(home, [path], **TOLD).files
    assert (new, item.sha256, item.crs, item.contours) == (True, file_digest(path), "EPSG:2154", len(held(home)))
    version = Lake(home.lake_root).version("reference/iris_contours")
    assert install_iris(home, [path], **TOLD).files == [(item, False)]
    assert Lake(home.lake_root).version("reference/iris_contours") == version
    install_iris(home, [path], **(TOLD | {"version": "2024-01-01"}))
    assert set(held(home).values()) == {"2024-01-01"}


def test_a_refused_contour_leaves_the_one_before_in_place(home, tmp_path):
    install_iris(home, [write_contours(tmp_path / "iris.geojson", features(WORLD))], **TOLD)
    bad = features(WORLD)
    bad[0]["geometry"] = None
    told = install_iris(home, [write_contours(tmp_path / "iris.geojson", bad)], **(TOLD | {"version": "2025"}))
    assert [(one.feature, one.code) for one in told.refused] == [(1, WORLD[0].iris[0])]
    assert told.change.removed == 0
    assert set(held(home)) == {code for commune in WORLD for code in commune.iris}


def test_a_load_is_noted_in_the_ledger_with_source_version_and_hash(home, tmp_path):
    path = write_contours(tmp_path / "iris.geojson", features(WORLD))
    record_versions(home, current_reference(home))
    install_iris(home, [path], **TOLD)
    (row,) = record_versions(home, current_reference(home))
    assert (row.table, row.source, row.version, row.sha256) == ("iris.geojson", "IGN", "2024", file_digest(path))


def test_a_bad_file_among_good_ones_or_a_run_under_way_changes_nothing(home, tmp_path):
    good = write_contours(tmp_path / "a.geojson", features(WORLD))
    (tmp_path / "b.geojson").write_text("{}")
    with pytest.raises(DatadockError, match=r"b\.geojson is no FeatureCollection"):
        install_iris(home, [tmp_path], **TOLD)
    with exclusive(home.home_path), pytest.raises(DatadockError, match="another run is under way"):
        install_iris(home, [good], **TOLD)
    assert (loaded_iris(home), Lake(home.lake_root).version("reference/iris_contours")) == ([], -1)


def test_a_newer_ban_file_logs_the_positions_that_it_tells_otherwise(home, tmp_path):
    rows, path = addresses(WORLD, streets=2, numbers=3), tmp_path / "adresses-99.csv.gz"
    install_ban(home, [write_ban(path, rows)])
    newer = rows.with_columns(longitude=pl.when(pl.col("number") == 1).then(1.5).otherwise("longitude"))
    install_ban(home, [write_ban(path, newer.filter(pl.col("number") < 3))])
    log = pl.read_parquet(Lake(home.lake_root).files("reference/positions"))
    counts = log.group_by("generation", "op").len().sort("generation", "op").rows()
    assert counts == [(1, "upsert", 12), (2, "remove", 4), (2, "upsert", 4)]
