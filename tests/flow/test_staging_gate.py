"""A staging table that lost rows stops the platform before golden; nothing is published; mended, all goes on."""

import json
import shutil
from dataclasses import replace

import pytest

import datadock.run
from datadock.lake import Lake
from datadock.landing import land_file
from datadock.settings import Settings
from datadock.summary import summarise
from datadock.validations import accept

SUITE = "staging__stg_loyalty_cards__contact"
LAKE_TABLES = ("golden/features", "golden/memberships", "golden/contacts", "quality/contact_points")


@pytest.fixture
def home(built_home, tmp_path):
    """A copy of the built home, to change."""
    shutil.copytree(built_home.folder, tmp_path / "home", symlinks=True)
    return replace(built_home, folder=tmp_path / "home")


def _standing(home):
    settings = Settings(home=home.folder)
    lake = Lake(settings.lake_root)
    return {table: lake.version(table) for table in LAKE_TABLES}, (settings.published / "current.duckdb").resolve()


def test_a_staging_table_that_lost_rows_stops_the_run_before_golden(home):
    (kept,) = home.folder.rglob(f"{SUITE}.json")
    content = json.loads(kept.read_text(encoding="utf-8"))
    rows = content["history"][-1]["values"]["rows"]
    content["history"][-1]["values"]["rows"] = 2 * rows
    kept.write_text(json.dumps(content), encoding="utf-8")
    card = home.folder / "landing" / "loyalty_cards" / "card.csv"
    card.write_bytes("N° carte;Nom;Code magasin\nF123456789;Zwickelbauer;M001\n".encode("latin-1"))
    before = _standing(home)
    stopped = home.build(lean=False)
    assert (stopped.status, _standing(home)) == ("failure", before)
    assert {step for step, _ in stopped.failures} == {"staging_expectations"}
    assert "staging__all" in stopped.failures[0][1]
    again = home.build(lean=False)
    assert (again.status, _standing(home)) == ("failure", before)
    accept(Settings(home=home.folder), SUITE, "a steward", "half of the cards were closed")
    assert home.build(lean=False).status == "success"
    versions, published = _standing(home)
    assert all(versions[table] > before[0][table] for table in LAKE_TABLES)
    assert published != before[1]


def test_what_lands_while_a_run_is_under_way_is_news_to_the_next_run(home, tmp_path, monkeypatch):
    def card(number):
        path = tmp_path / f"card-{number}.csv"
        path.write_bytes(f"N° carte;Nom;Code magasin\nF{number};Zwickelbauer;M001\n".encode("latin-1"))
        return path

    def land_meanwhile(dock, *given, **named):
        land_file(dock.lake, dock.catalog.source("loyalty_cards"), card(987654321))
        return summarise(dock, *given, **named)

    shutil.copy(card(123123123), home.folder / "landing" / "loyalty_cards")
    with monkeypatch.context() as patched:
        patched.setattr(datadock.run, "summarise", land_meanwhile)
        assert home.build().status == "success"
    assert home.build().status == "success"
    assert home.sql("select count(*) as n from intermediate.int_source_contact where family_name = 'Zwickelbauer'") == [
        {"n": 2}
    ]
    assert home.build().status == "nothing_new"
