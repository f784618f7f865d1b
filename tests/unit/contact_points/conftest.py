"""A deployment of a few records: a warehouse with the tables that contact points are read from, and a lake."""

from dataclasses import replace
from datetime import UTC, datetime

import duckdb
import polars as pl
import pyarrow as pa
import pytest

from datadock.catalog.fields import MODEL
from datadock.catalog.load import Catalog
from datadock.catalog.model import ContactRules, Source
from datadock.contact_points import update_points, update_values
from datadock.identity import Workspace
from datadock.lake import Lake
from datadock.warehouse.values_sql import SQL_TYPES

DAY = "2026-03-01"
LINEAGE = {"record_updated_at": "timestamptz", "_batch_id": "varchar", "_file": "varchar", "_line": "bigint",
           "_received_at": "timestamptz"}  # fmt: skip
LINK = {"contact_source": "varchar", "contact_key": "varchar"}
TABLES = {
    "int_source_contact": ("contact", {"party_type": "varchar"}),
    "int_contact_address": ("contact_address", LINK),
    "int_event": ("event", LINK),
    "int_move": ("move", LINK),
}


class Dock:
    """The few records, as they are now; ``run`` brings values and contact points up to them.

    Args:
        folder: Where everything stands.
        told: Whether the warehouse tells what its staging models have read, as dbt leaves it behind.
    """

    def __init__(self, folder, told=True):
        self.told, self.definition = told, 0
        fields = {name: name for name in MODEL["contact"]}
        source = Source.model_validate(
            {
                "name": "crm",
                "description": "d",
                "owner": "o",
                "format": {"type": "csv"},
                "entities": {"contact": {"key": "id", "fields": fields}},
            }
        )
        catalog = Catalog(folder, {"crm": source})
        self.workspace = Workspace(
            Lake(folder / "lake"), catalog, folder / "w.duckdb", "run-1", datetime(2026, 3, 1, 5, tzinfo=UTC)
        )
        self.rows = {table: {} for table in TABLES}
        self.runs = 0

    def contact(self, key, **fields):
        """Put a version of a contact record; None removes the record."""
        self._put("int_source_contact", key, {"party_type": "person"} | fields)

    def remove(self, key):
        """Take a record away, as a source does that is declared otherwise."""
        del self.rows["int_source_contact"][key]
        self.definition += 1

    def listed(self, key, contact, **fields):
        self._put("int_contact_address", key, {"contact_source": "crm", "contact_key": contact} | fields)

    def event(self, kind, day, contact="1", subject=None, **fields):
        key = f"{kind}-{len(self.rows['int_event'])}"
        given = {"contact_source": "crm", "contact_key": contact, "event_type": kind, "happened_at": day}
        self._put("int_event", key, given | {"subject": subject} | fields)

    def move(self, key, contact, **fields):
        self._put("int_move", key, {"contact_source": "crm", "contact_key": contact} | fields)

    def _put(self, table, key, fields):
        known = {"source": "crm", "source_key": key, "_received_at": DAY, "_batch_id": f"batch-{self.runs + 1}"}
        self.rows[table][key] = known | fields

    def rules(self, **rules):
        catalog = replace(self.workspace.catalog, contact_rules=ContactRules.model_validate(rules))
        self.workspace = replace(self.workspace, catalog=catalog)

    def run(self, day=DAY, references=None):
        """Build the warehouse anew and bring values and points up to it; return both reports."""
        self.runs += 1
        at = datetime.fromisoformat(f"{day}T05:00:00+00:00")
        self.workspace = replace(self.workspace, run_id=f"run-{self.runs}", run_at=at)
        self.workspace.warehouse.unlink(missing_ok=True)
        with duckdb.connect(str(self.workspace.warehouse)) as con:
            con.execute("set timezone = 'UTC'")
            con.execute("create schema intermediate")
            for table, (entity, own) in TABLES.items():
                model = {name: SQL_TYPES[kind] for name, (_, kind) in MODEL[entity].items()}
                columns = {"source": "varchar", "source_key": "varchar", **own, **model, **LINEAGE}
                listed = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
                con.execute(f"create table intermediate.{table} ({listed})")
                for row in self.rows[table].values():
                    names = ", ".join(f'"{name}"' for name in row)
                    marks = ", ".join("?" * len(row))
                    con.execute(f"insert into intermediate.{table} ({names}) values ({marks})", list(row.values()))
            if self.told:
                self._tell(con)
        return update_values(self.workspace, references), update_points(self.workspace)

    def _tell(self, con):
        """Land the batch of this run, and note that every staging model has read it."""
        batch = pa.table({"_batch_id": [f"batch-{self.runs}"]})
        self.workspace.lake.append_once("raw/crm", batch, f"batch-{self.runs}")
        version = self.workspace.lake.version("raw/crm")
        con.execute("create schema datadock")
        con.execute("create table datadock.cursors (model varchar, table_name varchar, version bigint)")
        con.execute("create table datadock.models (model varchar, definition varchar)")
        for table, (entity, _) in TABLES.items():
            con.execute("insert into datadock.cursors values (?, 'raw/crm', ?)", [f"stg_crm__{entity}", version])
            con.execute("insert into datadock.models values (?, ?)", [f"model.datadock.{table}", str(self.definition)])

    def log(self, table="quality/contact_points"):
        files = self.workspace.lake.files(table)
        return pl.read_parquet(files).sort("generation") if files else pl.DataFrame()

    def state(self, *columns, kind=None, op="open"):
        """Return columns of the newest row of every point, in the order of field and value."""
        newest = self.log().group_by("point_id", maintain_order=True).last()
        if kind:
            newest = newest.filter(pl.col("kind") == kind)
        if op:
            newest = newest.filter(pl.col("op") == op)
        return newest.sort("source_key", "field", "value").select(columns).rows()

    def changes(self):
        """Return what the last run wrote, as (field, change, reason)."""
        log = self.log()
        last = log.filter(pl.col("run_id") == f"run-{self.runs}")
        return last.sort("source_key", "field", "value").select("field", "change", "reason").rows()


@pytest.fixture
def dock(tmp_path):
    return Dock(tmp_path)


@pytest.fixture
def two_docks(tmp_path):
    """Return two deployments: one whose warehouse tells what came, and one that has to look at everything."""
    for name in ("some", "all"):
        (tmp_path / name).mkdir()
    return Dock(tmp_path / "some"), Dock(tmp_path / "all", told=False)
