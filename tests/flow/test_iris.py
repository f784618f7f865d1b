"""IRIS of contacts for real: BAN and contours of a made-up world loaded by the command, contacts run, marts read."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from benchmarks.iris_world import addresses, features, make_world, write_ban, write_contours
from datadock.catalog import load_catalog
from datadock.dock import open_dock
from datadock.lake import Lake
from datadock.quality.reference import load_reference
from datadock.run import run_platform
from datadock.settings import PROJECT_ROOT, Settings
from datadock.warehouse.publish import query_published
from datadock.warehouse.scaffold import scaffold

CLIENTS = """\
description: Clients.
owner: a@example.org
trust: 0.8
deduplicated: true
format: {type: csv}
entities:
  contact:
    key: id
    fields: {given_name: prenom, family_name: nom, email: mail, address_line: rue, postcode: cp, city: ville,
             country: pays, latitude: lat, longitude: lon}
"""
WORLD = make_world(seed=3, communes=4, fewest=4, most=12)
ROWS = addresses(WORLD[:3], streets=4, numbers=10)
PLACES = {commune.code: load_reference().by_insee[commune.code] for commune in WORLD}
NUMBERED = [
    (f"n{at}", f"{row['number']} {row['street']}", row["code_insee"], row["truth"])
    for at, row in enumerate(ROWS.iter_rows(named=True))
]
FIRST = ROWS.row(0, named=True)


def _client(key, street="", postcode="", city="", latitude="", longitude="", country=""):
    return f"{key},Anne,Nom{key},{key}@example.org,{street},{postcode},{city},{country},{latitude},{longitude}"


def _at(key, street, code, *position):
    return _client(key, street, PLACES[code].codes[0], PLACES[code].name.title(), *position)


OTHERS = [
    _client("single", "3 rue Haute", "01400", "L Abergement Clemenciat"),
    _client("paris", "3 rue de Rivoli", "75001", "Paris"),
    _client("abroad", "Hauptstrasse 3", "10115", "Berlin", country="Allemagne"),
    _client("nowhere"),
    _client("nohome", latitude=FIRST["latitude"], longitude=FIRST["longitude"]),
    _at("unknown", "3 rue des Inconnus", WORLD[0].code),
    _at("unplaced", "3 rue des Lilas", WORLD[3].code),
    _at("declared", "4 rue des Inconnus", WORLD[0].code, FIRST["latitude"], FIRST["longitude"]),
    _at("outside", "5 rue des Inconnus", WORLD[1].code, FIRST["latitude"], FIRST["longitude"]),
]
HEADER = "id,prenom,nom,mail,rue,cp,ville,pays,lat,lon\n"


def _settings(base):
    (base / "catalog" / "sources").mkdir(parents=True)
    (base / "catalog" / "sources" / "clients.yml").write_text(CLIENTS)
    left_out = shutil.ignore_patterns("target", "logs", "staging")
    shutil.copytree(PROJECT_ROOT / "dbt_project", base / "dbt_project", ignore=left_out)
    scaffold(load_catalog(base / "catalog"), base / "dbt_project")
    return Settings(home=base / "home", catalog=base / "catalog", dbt_project=base / "dbt_project",
                    modules_off="expectations,reports")  # fmt: skip


def _run(settings):
    ended = run_platform(open_dock(settings))
    assert ended.failures == ()
    return ended


def _command(settings, *words):
    """What ``datadock refdata`` prints."""
    environment = {**os.environ, "DATADOCK_HOME": str(settings.home), "DATADOCK_CATALOG": str(settings.catalog)}
    done = subprocess.run([Path(sys.executable).with_name("datadock"), "refdata", *words],
                          env=environment, capture_output=True, text=True, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def _rows(settings, query):
    return [tuple(row) for row in query_published(settings, query, limit=10_000)[1]]


def _by_key(settings, columns, table):
    query = f"select source_key, {columns} from marts.dim_contact_source join {table} using (golden_id) order by all"
    return {row[0]: row[1:] for row in _rows(settings, query)}


def _load(settings, folder, made, version):
    path = write_contours(folder / "iris.geojson.gz", made)
    return _command(settings, "load-iris", str(path), "--version", version, "--json")


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    base = tmp_path_factory.mktemp("iris")
    found = _settings(base)
    (found.landing / "clients").mkdir(parents=True)
    lines = [*(_at(key, street, code) for key, street, code, _ in NUMBERED), *OTHERS]
    (found.landing / "clients" / "one.csv").write_text(HEADER + "\n".join(lines) + "\n")
    _run(found)
    assert set(_by_key(found, "reason", "marts.contact_without_iris").values()) == {
        ("contours_absents",), ("sans_adresse",), ("etranger",)}  # fmt: skip
    _command(found, "load-ban", str(write_ban(base / "adresses-99.csv.gz", ROWS)))
    told = json.loads(_load(found, base, features(WORLD), "2024"))
    assert told["change"] == {"added": sum(len(commune.iris) for commune in WORLD), "changed": 0, "removed": 0}
    _run(found)
    return found


def test_every_contact_gets_the_iris_of_its_address_with_origin_version_and_day(settings):
    found = _by_key(settings, "value, reason, origin, origin_version, as_of = current_date",
                    "(from marts.contact_enrichment where attribute = 'iris')")  # fmt: skip
    contours = ("IGN, INSEE: Contours... IRIS", "2024", True)
    assert {key: found[key] for key, *_ in NUMBERED} == {key: (truth, None, *contours) for key, _, _, truth in NUMBERED}
    assert found["single"][:2] == ("010010000", None)
    assert found["single"][2].startswith("INSEE, population by IRIS")
    assert found["declared"] == (FIRST["truth"], None, *contours)
    told = {key: found[key][:2] for key in ("paris", "unplaced", "outside")}
    assert told == {"paris": (None, "contours_absents"), "unplaced": (None, "sans_coordonnees"),
                    "outside": (None, "hors_contours")}  # fmt: skip


def test_it_is_told_how_each_iris_was_found(settings):
    found = _by_key(settings, "iris_by, precision, position_version is not null, assigned_on is not null",
                    "marts.contact_iris")  # fmt: skip
    assert {found[key] for key, *_ in NUMBERED} == {("contours", "numero", True, True)}
    assert found["single"] == ("commune", None, False, True)
    assert found["declared"] == ("contours", "declaree", False, True)
    assert found["nohome"] == ("contours", "declaree", False, True)


def test_who_has_no_iris_is_listed_with_the_reason(settings):
    assert _by_key(settings, "reason", "marts.contact_without_iris") == {
        "abroad": ("etranger",),
        "nowhere": ("sans_adresse",),
        "outside": ("hors_contours",),
        "paris": ("contours_absents",),
        "unknown": ("adresse_inutilisable",),
        "unplaced": ("sans_coordonnees",),
    }


def test_newer_contours_change_what_they_touch_and_off_removes_iris(settings, tmp_path):
    before = _by_key(settings, "code_iris, iris_version", "marts.contact_iris")
    made = features(WORLD)
    made[0]["geometry"], made[1]["geometry"] = made[1]["geometry"], made[0]["geometry"]
    told = json.loads(_load(settings, tmp_path, made, "2025"))
    assert told["change"] == {"added": 0, "changed": 2, "removed": 0}
    lake = Lake(settings.lake_root)
    _run(settings)
    one, two = (feature["properties"]["code_iris"] for feature in made[:2])
    other = {one: (two, "2025"), two: (one, "2025")}
    expected = {key: other.get(code, (code, version)) for key, (code, version) in before.items()}
    assert _by_key(settings, "code_iris, iris_version", "marts.contact_iris") == expected
    log = pl.read_parquet(lake.files("quality/places"))
    newest = log.filter(pl.col("generation") == log["generation"].max())
    assert set(newest["code_iris"]) <= set(other)
    assert _run(settings).status == "nothing_new"
    assert "iris.geojson.gz" in _command(settings, "status")
    (settings.catalog / "enrichments.yml").write_text("off: [iris]\n")
    _run(settings)
    assert _rows(settings, "select count(*) from marts.contact_enrichment where attribute = 'iris'") == [(0,)]
    assert _rows(settings, "select count(*) from marts.contact_iris") == [(0,)]
