"""The lake as DuckDB sees it: an in-memory database ``lake`` with one view per Delta table.

A view reads the files of one pinned version, never the folder. ``lake.new`` holds, per dbt model,
the rows that came after the model's cursor. Nothing here is ever stored in the warehouse file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import duckdb
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from datadock import names
from datadock.errors import LakeError
from datadock.lake import Lake
from datadock.warehouse.lake_tables import TABLES, columns_of
from datadock.warehouse.values_sql import identifier, literal

DATABASE = "lake"


@dataclass(frozen=True)
class Cursor:
    """How far a model has read a lake table.

    Attributes:
        model: Name of the dbt model.
        table: Name of the lake table.
        version: Delta version up to which its rows are in the model.
    """

    model: str
    table: str
    version: int


def attach_lake(con: duckdb.DuckDBPyConnection, lake: Lake, sources: Iterable[str]) -> dict[str, int]:
    """Attach the database ``lake`` with a view per table of the lake, pinned at the latest versions.

    Args:
        con: Connection to attach to.
        lake: The lake.
        sources: Sources whose raw table is expected; empty where it does not exist yet.

    Returns:
        The pinned version of each table, -1 where it does not exist.
    """
    con.execute(f"attach if not exists ':memory:' as {DATABASE}")
    tables = [names.raw_table(source) for source in sorted(set(sources))] + list(TABLES)
    versions = {}
    for table in tables:
        opened = lake.open(table)
        versions[table] = -1 if opened is None else opened.version()
        files = [] if opened is None else lake.files_of(table, opened)
        _create_view(con, relation(table), _select(table, files, _partitions(opened)))
    return versions


def relation(table: str) -> str:
    """Return the DuckDB relation of a lake table: ``raw/x`` is ``lake.raw.x``, ``x`` is ``lake.main.x``."""
    schema, _, name = table.rpartition("/")
    return f"{DATABASE}.{identifier(schema or 'main')}.{identifier(name)}"


def attach_new_rows(
    con: duckdb.DuckDBPyConnection, lake: Lake, cursors: Iterable[Cursor], versions: Mapping[str, int]
) -> None:
    """Create ``lake.new."<model> <table>"``: the rows of a lake table after the model's cursor.

    A model that follows one table reads them as ``lake.new.<model>``.

    Where files were only added, these are the added files. Where a compaction rewrote old ones, the
    change data feed says which rows are new. Where the old version cannot be read any more, all
    rows count as new: models replace by key, so reading a row twice changes nothing.
    """
    con.execute(f"create schema if not exists {DATABASE}.new")
    known: dict[tuple[str, int], str] = {}
    for cursor in cursors:
        if cursor.table not in versions:
            continue
        at = (cursor.table, cursor.version)
        if at not in known:
            known[at] = _new_rows(con, lake, cursor, versions[cursor.table])
        for name in (cursor.model, f"{cursor.model} {cursor.table}"):
            _create_view(con, f"{DATABASE}.new.{identifier(name)}", known[at])


def attach_meta(
    con: duckdb.DuckDBPyConnection, versions: Mapping[str, int], run_id: str, measured_at: datetime
) -> None:
    """Create ``lake.meta.versions`` (table_name, version) and ``lake.meta.run`` (run_id, measured_at)."""
    con.execute(f"create schema if not exists {DATABASE}.meta")
    con.execute(f"create or replace table {DATABASE}.meta.versions (table_name varchar, version bigint)")
    con.execute(
        f"insert into {DATABASE}.meta.versions select unnest(?::varchar[]), unnest(?::bigint[])",
        [list(versions), list(versions.values())],
    )
    con.execute(f"create or replace table {DATABASE}.meta.run (run_id varchar, measured_at timestamptz)")
    con.execute(f"insert into {DATABASE}.meta.run values (?, ?)", [run_id, measured_at])


def _create_view(con: duckdb.DuckDBPyConnection, name: str, select: str) -> None:
    con.execute(f"create schema if not exists {name.rpartition('.')[0]}")
    con.execute(f"create or replace view {name} as {select}")


def _partitions(opened: DeltaTable | None) -> list[str]:
    return [] if opened is None else list(opened.metadata().partition_columns)


def _select(table: str, files: list[str], partitions: list[str]) -> str:
    """Return the SELECT over data files, with the expected columns even where there is no file."""
    expected = columns_of(table)
    empty = ", ".join(f"cast(null as {kind}) as {identifier(name)}" for name, kind in expected.items())
    if not files:
        return f"select {empty or 'null as nothing'} where false"
    listed = ", ".join(literal(file) for file in files)
    hive = "hive_partitioning = true, hive_types_autocast = false" if partitions else "hive_partitioning = false"
    if table.startswith(f"{names.RAW}/"):
        chosen = ", ".join(identifier(name) for name in expected)
        return f"select {chosen} from read_parquet([{listed}], {hive})"
    rows = f"from read_parquet([{listed}], {hive}, union_by_name = true)"
    return f"{rows} union all by name (select {empty} where false)" if empty else rows


def _new_rows(con: duckdb.DuckDBPyConnection, lake: Lake, cursor: Cursor, version: int) -> str:
    if version <= cursor.version:
        return _select(cursor.table, [], [])
    opened = lake.open(cursor.table)
    now = lake.files_of(cursor.table, opened) if opened is not None else []
    if cursor.version < 0 or opened is None:
        return _select(cursor.table, now, _partitions(opened))
    try:
        before = set(lake.files(cursor.table, cursor.version))
    except LakeError:
        return _select(cursor.table, now, _partitions(opened))
    if before <= set(now):
        return _select(cursor.table, [file for file in now if file not in before], _partitions(opened))
    return _change_feed(con, lake, opened, cursor, version)


def _change_feed(con: duckdb.DuckDBPyConnection, lake: Lake, opened: DeltaTable, cursor: Cursor, version: int) -> str:
    """Copy the rows inserted after a version into the in-memory database and return a SELECT over them.

    A vacuum may have taken files that the feed still names; then all rows are returned.
    """
    copy = f"{DATABASE}.new.{identifier(f'feed {cursor.table} {cursor.version}')}"
    try:
        feed = opened.load_cdf(starting_version=cursor.version + 1, ending_version=version)
        con.register("change_feed", feed)
        con.execute(
            f"create or replace table {copy} as select * exclude (_change_type, _commit_version, _commit_timestamp) "
            "from change_feed where _change_type in ('insert', 'update_postimage')"
        )
    except (DeltaError, OSError, duckdb.Error):
        return _select(cursor.table, lake.files_of(cursor.table, opened), _partitions(opened))
    finally:
        con.unregister("change_feed")
    return f"from {copy}"
