"""What an identity step works with: the lake, the warehouse's contacts, the catalog, the run.

Also how the steps read and append the lake's golden tables. Deciding who is who is not here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from datadock.catalog import Catalog
from datadock.dock import Dock
from datadock.errors import WarehouseError
from datadock.identity.model import MODEL_FOLDER
from datadock.lake import Lake
from datadock.settings import PROJECT_ROOT
from datadock.warehouse.lake_tables import TABLES

PARTIES = ("person", "company")
CONTACTS = "warehouse.intermediate.int_source_contact"
FEATURES = "golden/features"
"""Delta table: what was last computed of each source contact; may be dropped, it is rebuilt."""

_FACTS = "datadock.facts"


@dataclass(frozen=True)
class Workspace:
    """Everything that an identity step is handed.

    Attributes:
        lake: The lake; golden tables are read and appended there.
        catalog: Declarations: kinds of fields, trust, sources without duplicates, survivorship.
        warehouse: DuckDB file that holds ``intermediate.int_source_contact``; opened read-only.
        run_id: Kept on every row written.
        run_at: Time of the run (UTC), kept on every row written.
        id_secret: Secret that new golden ids are derived with.
        memory_limit: DuckDB's memory, in its own notation.
        threads: DuckDB's threads.
        dbt_project: Folder of the dbt project, for steps that a mart and a preview share.
        spark_master: Address of a Spark cluster; empty means threads of this machine.
    """

    lake: Lake
    catalog: Catalog
    warehouse: Path
    run_id: str
    run_at: datetime
    id_secret: str = ""
    memory_limit: str = "2GB"
    threads: int = 2
    dbt_project: Path = PROJECT_ROOT / "dbt_project"
    spark_master: str = ""

    @property
    def model_folder(self) -> Path:
        """Folder of the model files."""
        return self.lake.path(MODEL_FOLDER)

    def threshold(self, party: str) -> float:
        """Return the bits from which records of a party type join, as declared."""
        return float(self.catalog.identity.threshold.model_dump()[party])

    @contextmanager
    def connection(self, *, with_contacts: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open an in-memory connection, with the warehouse attached read-only on demand.

        Raises:
            WarehouseError: When the warehouse file is missing, locked or lacks the contacts.
        """
        con = duckdb.connect(config={"memory_limit": self.memory_limit, "threads": self.threads})
        try:
            con.execute("set timezone = 'UTC'")
            con.execute("set enable_progress_bar = false")
            if with_contacts:
                self._attach(con)
            yield con
        finally:
            con.close()

    def _attach(self, con: duckdb.DuckDBPyConnection) -> None:
        try:
            con.execute(f"attach '{self.warehouse}' as warehouse (read_only)")
            con.execute(f"select 1 from {CONTACTS} limit 0").fetchall()
        except duckdb.Error as error:
            raise WarehouseError(
                f"the contacts in {self.warehouse} cannot be read: {error}",
                expected="a warehouse file with the table intermediate.int_source_contact, not held by another process",
                action="build the staging and intermediate models first, or wait until the other run has ended",
            ) from error

    def scan(self, table: str, columns: str = "*") -> str | None:
        """Return SQL that reads a lake table, or None where it does not exist or is empty."""
        files = self.lake.files(table)
        if not files:
            return None
        listed = ", ".join("'" + file.replace("'", "''") + "'" for file in files)
        return f"(select {columns} from read_parquet([{listed}], union_by_name = true))"

    def scan_or_empty(self, table: str, columns: Mapping[str, str]) -> str:
        """Return SQL that reads columns of a lake table; no row of these types where it does not exist."""
        empty = ", ".join(f"null::{kind} as {name}" for name, kind in columns.items())
        return self.scan(table, ", ".join(columns)) or f"(select {empty} where false)"

    def cursor(self, table: str) -> dict[str, Any]:
        """Return what the last append to a table recorded of its inputs; empty where there is none."""
        return self.lake.last_inputs(table)

    def facts(self, table: str) -> dict[str, Any]:
        """Return what the last append to a table told of its run; empty where there is none."""
        return self.lake.last_noted(table, _FACTS)

    def append(
        self,
        table: str,
        rows: pa.Table | pa.RecordBatchReader,
        inputs: dict[str, Any],
        facts: dict[str, Any] | None = None,
    ) -> None:
        """Append rows, once per run and inputs, and record the inputs, and what is told of the run, with them."""
        text = json.dumps(inputs, sort_keys=True)
        metadata = {"datadock.inputs": text, "datadock.run_id": self.run_id}
        if facts is not None:
            at = {"run_id": self.run_id, "at": self.run_at.isoformat()}
            metadata[_FACTS] = json.dumps({**at, **facts}, sort_keys=True, default=str)
        self.lake.append_once(table, rows, f"{table}:{self.run_id}:{text}", metadata=metadata)


def open_workspace(dock: Dock, run_id: str) -> Workspace:
    """Return the workspace of a deployment for a run, or for a question that is asked between runs."""
    return Workspace(
        lake=dock.lake,
        catalog=dock.catalog,
        warehouse=dock.settings.warehouse,
        run_id=run_id,
        run_at=datetime.now(UTC),
        id_secret=dock.id_secret,
        memory_limit=dock.settings.memory_limit,
        threads=dock.settings.threads,
        dbt_project=dock.settings.dbt_project,
        spark_master=dock.settings.spark_master,
    )


def apart_sql(workspace: Workspace) -> str:
    """Condition over ``l`` and ``r`` under which two records are never one person, or empty."""
    names_ = [source.name for source in workspace.catalog.sources.values() if source.deduplicated]
    listed = ", ".join(f"'{name}'" for name in names_)
    return f"l.source = r.source and l.source in ({listed})" if names_ else ""


def latest_rows(workspace: Workspace, table: str, key: str) -> str:
    """Return SQL of the newest row of every key in a lake table that is a log; no row where it does not exist."""
    stored = workspace.scan(table)
    if stored is None:
        columns = ", ".join(f'null::{kind} as "{name}"' for name, kind in TABLES[table].items())
        return f"select {columns} where false"
    return latest_of(stored, key)


def latest_of(relation: str, *keys: str, by: str = "generation") -> str:
    """Return SQL of the newest row of every key in a relation with generations, or with another order of arrival."""
    key, on = ", ".join(keys), " and ".join(f"o.{name} = n.{name}" for name in keys)
    # What is superseded is so by a row that came after the first generation: most rows pass without being grouped.
    later = (
        f"select {key}, max({by}) as {by} from {relation} "
        f"where {by} > (select min({by}) from {relation}) group by {key}"
    )
    return f"select o.* from {relation} o anti join ({later}) n on {on} and o.{by} < n.{by}"
