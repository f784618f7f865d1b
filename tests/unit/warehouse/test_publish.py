import subprocess
import sys

import duckdb
import pyarrow as pa
import pytest

from datadock.errors import WarehouseError
from datadock.lake import Lake
from datadock.settings import Settings
from datadock.warehouse.publish import connect_published, publish, published_file, query_published
from datadock.warehouse.store import ensure_warehouse, open_warehouse


@pytest.fixture
def deployment(tmp_path):
    settings = Settings(home=tmp_path / "home d'été")
    ensure_warehouse(settings)
    write(settings, "create schema marts", "create table marts.dim_contact as select 'DK1' as golden_id, 1 as n")
    write(settings, "create view marts.shown as select golden_id from marts.dim_contact")
    contacts = pa.table({"golden_id": ["DK1"], "family_name": ["Durand"]})
    Lake(settings.lake_root).append_once("golden/contacts", contacts, "one")
    raw = pa.table({"payload": ['{"Nom": "DURAND"}'], "_file": ["a.csv"], "_received_date": ["2026-01-01"]})
    names = ("_source", "_entity", "_batch_id")
    for name in names:
        raw = raw.append_column(name, pa.array(["x"]))
    raw = raw.append_column("_line", pa.array([1], pa.int64()))
    raw = raw.append_column("_received_at", pa.array([0], pa.timestamp("us", "UTC")))
    Lake(settings.lake_root).append_once("raw/crm", raw, "one", partition_by=["_received_date"])
    return settings


def write(settings, *statements):
    with open_warehouse(settings, read_only=False) as con:
        for statement in statements:
            con.execute(statement)


def test_one_statement_joins_a_raw_document_to_a_golden_contact_and_a_mart(deployment):
    publish(deployment)
    found = query_published(
        deployment,
        "select c.golden_id, c.family_name, r._file, m.n from raw.crm r"
        " join golden.contacts c on lower(c.family_name) = lower(r.payload ->> 'Nom')"
        " join marts.dim_contact m on m.golden_id = c.golden_id join marts.shown s on s.golden_id = m.golden_id",
    )
    assert found == (["golden_id", "family_name", "_file", "n"], [("DK1", "Durand", "a.csv", 1)])


def test_an_unchanged_warehouse_is_not_copied_again(deployment):
    first = publish(deployment)
    assert publish(deployment) == first
    write(deployment, "insert into marts.dim_contact values ('DK2', 2)")
    assert publish(deployment).name == "warehouse-2.duckdb"


def test_the_two_newest_copies_stay_and_the_pointer_names_the_newest(deployment):
    for number in range(4):
        write(deployment, f"insert into marts.dim_contact values ('new', {number})")
        publish(deployment)
    kept = sorted(path.name for path in deployment.published.iterdir())
    assert kept == ["current.duckdb", "warehouse-3.duckdb", "warehouse-4.duckdb"]
    assert published_file(deployment).name == "warehouse-4.duckdb"


def test_a_reader_keeps_what_it_opened_while_newer_copies_appear(deployment):
    publish(deployment)
    with connect_published(deployment) as con:
        for number in range(3):
            write(deployment, f"insert into marts.dim_contact values ('new', {number})")
            publish(deployment)
        assert con.execute("select count(*) from marts.dim_contact").fetchone() == (1,)
    assert query_published(deployment, "select count(*) from marts.dim_contact")[1] == [(4,)]


def test_a_run_may_write_while_readers_read(deployment):
    publish(deployment)
    with connect_published(deployment) as con:
        write(deployment, "insert into marts.dim_contact values ('DK2', 2)")
        assert con.execute("select count(*) from marts.dim_contact").fetchone() == (1,)


@pytest.mark.parametrize(
    "statement",
    [
        "create table t (a int)",
        "insert into marts.dim_contact values ('x', 1)",
        "drop view marts.dim_contact",
        "copy (select 1) to '/tmp/leak.csv'",
        "attach '/tmp/other.duckdb'",
        "set memory_limit = '1TB'",
        "select 1; drop view marts.dim_contact",
    ],
)
def test_whatever_would_write_is_refused(deployment, statement):
    publish(deployment)
    with pytest.raises(WarehouseError, match="refused") as refused:
        query_published(deployment, statement)
    assert refused.value.expected


@pytest.mark.parametrize(
    "query",
    ["select * from read_csv('/etc/passwd')", "select * from glob('/*')", "select nothing from marts.dim_contact"],
)
def test_a_query_sees_no_other_file_of_the_machine(deployment, query):
    publish(deployment)
    with pytest.raises(WarehouseError, match="failed"):
        query_published(deployment, query)


def test_rows_are_limited_on_request(deployment):
    publish(deployment)
    assert query_published(deployment, "select i from range(10) t(i)", limit=2)[1] == [(0,), (1,)]


def test_a_view_holds_when_the_copy_is_opened_by_its_own_name(deployment):
    with duckdb.connect(str(publish(deployment)), read_only=True) as con:
        assert con.execute("select golden_id from marts.shown").fetchall() == [("DK1",)]


def test_nothing_published_says_what_to_run(deployment):
    with pytest.raises(WarehouseError, match="nothing is published") as error:
        query_published(deployment, "select 1")
    assert error.value.action == "run: datadock run"


def test_a_warehouse_that_another_process_holds_is_named(deployment):
    script = "import duckdb, sys, time; c = duckdb.connect(sys.argv[1]); print('held', flush=True); time.sleep(60)"
    with subprocess.Popen(
        [sys.executable, "-c", script, str(deployment.warehouse)], stdout=subprocess.PIPE, text=True
    ) as holder:
        try:
            assert holder.stdout.readline() == "held\n"
            with pytest.raises(WarehouseError, match="in use") as error:
                publish(deployment)
            assert str(holder.pid) in str(error.value)
        finally:
            holder.kill()


def test_a_warehouse_that_is_not_there_says_what_to_run(tmp_path):
    with pytest.raises(WarehouseError, match="no warehouse"), open_warehouse(Settings(home=tmp_path)):
        pass


def test_a_folder_that_cannot_take_a_copy_leaves_the_last_one(deployment, monkeypatch):
    first = publish(deployment)
    write(deployment, "insert into marts.dim_contact values ('DK2', 2)")

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("datadock.warehouse.publish.shutil.copy2", full)
    with pytest.raises(WarehouseError, match="No space left"):
        publish(deployment)
    assert published_file(deployment) == first
    assert sorted(path.name for path in deployment.published.iterdir()) == ["current.duckdb", first.name]
