from datetime import UTC, datetime

import duckdb
import pyarrow as pa
import pytest

from datadock.lake import Lake
from datadock.warehouse.lake_views import Cursor, attach_lake, attach_meta, attach_new_rows, relation

AT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def lake(tmp_path):
    return Lake(tmp_path / "a lake d'été")


@pytest.fixture
def con():
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        yield connection


def land(lake, batch, payloads, day="2026-01-01"):
    count = len(payloads)
    table = pa.table(
        {
            "payload": payloads,
            "_source": ["crm"] * count,
            "_entity": ["contact"] * count,
            "_batch_id": [batch] * count,
            "_file": ["f"] * count,
            "_line": pa.array(range(1, count + 1), pa.int64()),
            "_received_at": pa.array([AT] * count, pa.timestamp("us", "UTC")),
            "_received_date": [day] * count,
        }
    )
    lake.append_once("raw/crm", table, f"crm:{batch}", partition_by=["_received_date"])


def new_rows(con, lake, version):
    versions = attach_lake(con, lake, ["crm"])
    attach_new_rows(con, lake, [Cursor("stg_crm__contact", "raw/crm", version)], versions)
    return [row[0] for row in con.execute("select payload from lake.new.stg_crm__contact order by 1").fetchall()]


def test_a_table_that_does_not_exist_yet_is_empty_and_has_its_columns(con, lake):
    versions = attach_lake(con, lake, ["crm"])
    assert set(versions.values()) == {-1}
    assert con.execute("select payload, _line from lake.raw.crm").fetchall() == []
    assert con.execute("select golden_id, given_name, provenance from lake.golden.contacts").fetchall() == []


def test_raw_rows_are_shown_with_their_partition(con, lake):
    land(lake, "b1", ["a"], day="2026-01-02")
    assert attach_lake(con, lake, ["crm"])["raw/crm"] == 1
    shown = con.execute("select payload, _batch_id, _line, _received_at, _received_date from lake.raw.crm").fetchall()
    assert shown == [("a", "b1", 1, AT, "2026-01-02")]


def test_views_stay_at_the_version_they_were_made_for(con, lake):
    land(lake, "b1", ["a"])
    attach_lake(con, lake, ["crm"])
    land(lake, "b2", ["b"])
    assert con.execute("select payload from lake.raw.crm").fetchall() == [("a",)]


def test_new_rows_are_those_after_the_cursor(con, lake):
    land(lake, "b1", ["a"])
    land(lake, "b2", ["b", "c"])
    land(lake, "b3", ["d"], day="2026-01-02")
    assert new_rows(con, lake, -1) == ["a", "b", "c", "d"]
    assert new_rows(con, lake, 1) == ["b", "c", "d"]
    assert new_rows(con, lake, 3) == []


def test_a_compaction_makes_no_row_new(con, lake):
    for batch in ("b1", "b2", "b3"):
        land(lake, batch, [batch])
    lake.open("raw/crm").optimize.compact()
    assert new_rows(con, lake, 2) == ["b3"]
    land(lake, "b4", ["b4"])
    assert new_rows(con, lake, 3) == ["b4"]
    assert new_rows(con, lake, 1) == ["b2", "b3", "b4"]


def test_a_cursor_that_cannot_be_read_any_more_makes_every_row_new(con, lake):
    land(lake, "b1", ["a"])
    land(lake, "b2", ["b"])
    lake.open("raw/crm").create_checkpoint()
    for version in (0, 1):
        (lake.path("raw/crm") / "_delta_log" / f"{version:020}.json").unlink()
    assert new_rows(con, lake, 1) == ["a", "b"]


def test_a_vacuum_after_a_compaction_makes_every_row_new(con, lake):
    for batch in ("b1", "b2", "b3"):
        land(lake, batch, [batch])
    lake.open("raw/crm").optimize.compact()
    lake.open("raw/crm").vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)
    assert new_rows(con, lake, 2) == ["b1", "b2", "b3"]


def test_a_table_keeps_columns_that_nobody_expected(con, lake):
    lake.append_once("golden/redirects", pa.table({"old_id": ["DK1"], "note": ["kept"]}), "one")
    attach_lake(con, lake, [])
    assert con.execute("select old_id, new_id, note from lake.golden.redirects").fetchall() == [("DK1", None, "kept")]


def test_the_run_and_the_versions_are_shown_to_the_models(con, lake):
    land(lake, "b1", ["a"])
    attach_meta(con, attach_lake(con, lake, ["crm"]), "run one", AT)
    assert con.execute("from lake.meta.run").fetchall() == [("run one", AT)]
    assert con.execute("select version from lake.meta.versions where table_name = 'raw/crm'").fetchall() == [(1,)]


def test_a_lake_table_has_one_name_in_duckdb():
    assert relation("raw/crm") == 'lake."raw"."crm"'
    assert relation("documents") == 'lake."main"."documents"'
