"""A read-only look at a deployment: lake tables and warehouse tables in one in-memory DuckDB connection.

Suites and reports measure through it. Lake tables appear as ``golden.<name>``, ``ledger.<name>`` and
``quarantine.<name>``, warehouse tables under their own schema; a table that does not exist yet has no view.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb

from datadock import names
from datadock.errors import WarehouseError
from datadock.lake import Lake
from datadock.settings import Settings

RESOLUTIONS = "quarantine/resolutions"

LAKE_TABLES = (
    names.BATCHES,
    names.DECISIONS,
    names.DOCUMENTS,
    names.QUARANTINE,
    RESOLUTIONS,
    names.PAIRS,
    names.MEMBERSHIPS,
    names.REDIRECTS,
    names.LINEAGE,
    names.CONTACTS,
    names.SUSPECTS,
    names.HOUSEHOLDS,
)


@contextmanager
def open_stores(settings: Settings, warehouse: Path | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the stores for reading, and close them at the end.

    Args:
        settings: The deployment.
        warehouse: The DuckDB file to read; the one that dbt builds by default. None of it is needed to exist.

    Raises:
        WarehouseError: When another process writes the warehouse.
        LakeError: When a lake table cannot be read.
    """
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": settings.memory_limit,
        "threads": settings.threads,
    }
    with duckdb.connect(config=config) as connection:
        connection.execute("set TimeZone = 'UTC'")
        lake = Lake(settings.lake_root)
        for table in LAKE_TABLES:
            view_of_lake(connection, table, lake.files(table))
        _attach(connection, warehouse or settings.warehouse)
        yield connection


def view_of_lake(connection: duckdb.DuckDBPyConnection, table: str, files: list[str]) -> None:
    """Show a lake table as ``<folder>.<name>``; nothing is shown where it has no files."""
    if not files:
        return
    schema, _, name = table.rpartition("/")
    schema = schema or "main"
    listed = ", ".join("'" + file.replace("'", "''") + "'" for file in files)
    connection.execute(f'create schema if not exists "{schema}"')
    connection.execute(
        f'create or replace view "{schema}"."{name}" as '
        f"select * from read_parquet([{listed}], union_by_name = true, hive_partitioning = true)"
    )


def _attach(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    if not path.exists():
        return
    try:
        connection.execute(f"attach '{str(path).replace(chr(39), chr(39) * 2)}' as warehouse (read_only)")
    except duckdb.Error as error:
        raise WarehouseError(
            f"the warehouse {path} cannot be opened for reading: {error}",
            expected="no other process writing it",
            action="wait for the run that builds it to end, then try again",
        ) from error
    found = connection.execute(
        "select schema_name, table_name from duckdb_tables() where database_name = 'warehouse' "
        "union all select schema_name, view_name from duckdb_views() "
        "where database_name = 'warehouse' and not internal and schema_name in ('staging', 'intermediate', 'marts')"
    ).fetchall()
    for schema, name in found:
        connection.execute(f'create schema if not exists "{schema}"')
        # A view whose table waits to be built anew, under a changed definition, has nothing to show yet.
        with suppress(duckdb.CatalogException):
            connection.execute(f'create view "{schema}"."{name}" as select * from warehouse."{schema}"."{name}"')


def tables(connection: duckdb.DuckDBPyConnection) -> frozenset[str]:
    """Return what can be read, as ``schema.table``."""
    found = connection.execute("select schema_name, view_name from duckdb_views() where database_name = 'memory'")
    return frozenset(f"{schema}.{name}" for schema, name in found.fetchall())


def has(connection: duckdb.DuckDBPyConnection, *relations: str) -> bool:
    """Tell whether every one of some relations exists."""
    return tables(connection) >= set(relations)
