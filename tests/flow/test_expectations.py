"""Great Expectations for real: suites judged on a small warehouse, Data Docs built, nothing loaded from outside."""

import json

import duckdb
import pytest

from datadock.catalog import load_catalog
from datadock.errors import CheckError, WarehouseError
from datadock.expect import declared_tables, run_suites
from datadock.lake import Lake
from datadock.reports import build_reports
from datadock.reports.offline import external_references, html_addresses
from datadock.settings import Settings
from datadock.validations import read_kept
from datadock.warehouse.lake_tables import RAW
from datadock.warehouse.staging_sql import staging_select
from expectations import Plan, Rule, plans

pytestmark = pytest.mark.slow

SOURCE = """
description: Cards.
owner: shop@demo.example
format: {type: csv}
freshness: {warn_after_days: 8}
entities:
  contact:
    key: id
    fields:
      family_name: name
      birth_date: {from: born, formats: ["%d/%m/%Y"]}
      email: mail
"""


def _people(count, born="12/03/1984", mail=True):
    return [
        {"id": str(number), "name": "Zwickelbauer", "born": born, **({"mail": "z@poste.example"} if mail else {})}
        for number in range(count)
    ]


def _stage(settings, records):
    """Land records by hand and build their staging table, as dbt would."""
    columns = ", ".join(f'"{name}" {kind}' for name, kind in RAW.items())
    lake = Lake(settings.lake_root)
    batch = str(len(lake.files("raw/cards")))
    with duckdb.connect() as connection:
        connection.execute(f"set TimeZone = 'UTC'; create table raw ({columns})")
        connection.executemany(
            f"insert into raw values (?, 'cards', 'contact', '{batch}', 'a.csv', ?, now(), '2024-01-0{len(batch)}')",
            [(json.dumps(record), line) for line, record in enumerate(records, 1)],
        )
        lake.append_once(
            "raw/cards", connection.sql("from raw").to_arrow_table(), batch, partition_by=["_received_date"]
        )
    settings.warehouse.parent.mkdir(parents=True, exist_ok=True)
    source = load_catalog(settings.catalog).source("cards")
    with duckdb.connect(str(settings.warehouse)) as connection:
        listed = ", ".join(f"'{file}'" for file in lake.files("raw/cards"))
        relation = f"read_parquet([{listed}], hive_partitioning = true)"
        select = staging_select(source, "contact", relation)
        connection.execute("set TimeZone = 'UTC'; create schema if not exists staging")
        connection.execute(f"create or replace table staging.stg_cards__contact as {select}")


@pytest.fixture
def settings(tmp_path):
    folder = tmp_path / "catalog" / "sources"
    folder.mkdir(parents=True)
    (folder / "cards.yml").write_text(SOURCE, encoding="utf-8")
    return Settings(home=tmp_path / "home", catalog=tmp_path / "catalog")


def _judge(settings, run_id):
    declared = declared_tables(load_catalog(settings.catalog))
    (result,) = run_suites(settings, plans("staging", declared), run_id, declared=declared)
    return result


def test_a_sound_table_holds_its_suite_and_a_spoilt_column_is_named_with_what_was_found(settings):
    _stage(settings, _people(20))
    first = _judge(settings, "run-1")
    assert (first.suite, first.success, len(first.outcomes)) == ("staging__stg_cards__contact", True, 8)
    _stage(settings, [*_people(20), *_people(40, born="1984-03-12", mail=False)[20:]])
    second = _judge(settings, "run-2")
    failed = {outcome.measure: (outcome.observed, outcome.severity) for outcome in second.failed}
    assert failed == {
        "email filled": ("50.0\u202f%", "warning"),
        "birth_date filled": ("50.0\u202f%", "warning"),
        "birth_date readable": ("66.7\u202f%", "warning"),
    }
    (filled,) = [outcome for outcome in second.failed if outcome.measure == "email filled"]
    assert filled.threshold == "at least 90.0\u202f% (last run: 100.0\u202f%)"


def test_data_docs_carry_their_assets_name_run_and_table_and_show_no_value_of_a_person(settings):
    _stage(settings, _people(20))
    _judge(settings, "run-1")
    report = build_reports(settings, "run-1")
    assert external_references(settings.reports) == []
    page = settings.reports / report.suites["staging__stg_cards__contact"]
    text = page.read_text(encoding="utf-8")
    for shown in ("run-1", "staging.stg_cards__contact", "Birth dates lie between 1900 and today", "Why this limit"):
        assert shown in text
    everything = "".join(path.read_text(encoding="utf-8") for path in settings.reports.rglob("*.html"))
    assert "Zwickelbauer" not in everything
    assert "z@poste" not in everything
    for gone in ("newsletter", "s3.us-east-2", "vega-embed@", "vegaEmbed("):
        assert gone not in everything
    for site_page in settings.reports.rglob("*.html"):
        for address in html_addresses(site_page.read_text(encoding="utf-8")):
            if not address.startswith(("#", "data:")):
                assert (site_page.parent / address.split("#")[0]).exists(), (site_page, address)


def test_data_docs_are_built_anew_only_when_a_suite_ran(settings):
    _stage(settings, _people(3))
    _judge(settings, "run-1")
    build_reports(settings, "run-1")
    mark = settings.reports / "data_docs" / "mark"
    mark.touch()
    build_reports(settings, "run-2")
    assert mark.exists()
    _judge(settings, "run-3")
    build_reports(settings, "run-3")
    assert not mark.exists()


def test_a_table_that_is_not_there_yet_is_not_judged(settings):
    declared = declared_tables(load_catalog(settings.catalog))
    assert run_suites(settings, plans("staging", declared), "run-1", declared=declared) == []
    assert read_kept(settings, "staging__stg_cards__contact") is None


def test_nothing_to_measure_passes_and_says_so(settings):
    _stage(settings, [{"id": "1", "name": "Zwickelbauer"}])
    result = _judge(settings, "run-1")
    plausible = [outcome for outcome in result.outcomes if outcome.measure == "birth_date plausible"]
    assert [(outcome.success, outcome.observed, outcome.value) for outcome in plausible] == [
        (True, "nothing to measure", None)
    ]


def test_a_suite_that_does_not_fit_its_table_is_an_error_and_no_failed_check(settings):
    _stage(settings, _people(2))
    rule = Rule(measure="x", sql="max(no_such_column)", words="w", reason="r", at_least=1)
    plan = Plan("staging", "stg_cards__contact", "staging.stg_cards__contact", (rule,), ("staging.stg_cards__contact",))
    with pytest.raises(CheckError, match="no_such_column"):
        run_suites(settings, [plan], "run-1")


def test_a_warehouse_that_another_connection_writes_is_a_clear_error(settings):
    _stage(settings, _people(2))
    with duckdb.connect(str(settings.warehouse)), pytest.raises(WarehouseError, match="cannot be opened"):
        _judge(settings, "run-1")
