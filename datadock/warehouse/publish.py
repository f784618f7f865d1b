"""Published copies of the warehouse: what readers open while a run builds the next one.

A copy never changes once it has its name; `current.duckdb` points at the newest. Queries see the
copy's schemas and the lake's tables side by side, and can change neither.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from datadock.errors import WarehouseError
from datadock.lake import Lake
from datadock.settings import Settings
from datadock.warehouse.lake_tables import TABLES
from datadock.warehouse.lake_views import DATABASE as LAKE
from datadock.warehouse.lake_views import attach_lake
from datadock.warehouse.store import DATABASE, IN_UTC, open_warehouse
from datadock.warehouse.values_sql import identifier, literal

_KEPT = 2
_POINTER = "current.duckdb"
_READING = frozenset({duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN})


def publish(settings: Settings) -> Path:
    """Copy the warehouse under a new name and point `current.duckdb` at it.

    Call it only when the blocking checks have passed. The two newest copies stay; a reader that
    still has an older one open keeps reading it.

    Returns:
        The published file; the one that was there where the warehouse has not changed since.

    Raises:
        WarehouseError: When the warehouse is locked, or the copy cannot be written.
    """
    folder = settings.published
    with open_warehouse(settings, read_only=False) as con:
        con.execute("checkpoint")
        last = published_file(settings)
        if last is not None and _same(last, settings.warehouse):
            return last
        try:
            folder.mkdir(parents=True, exist_ok=True)
            target = folder / f"warehouse-{_next_number(folder)}.duckdb"
            _copy(settings.warehouse, target)
            _point(folder, target)
        except OSError as error:
            raise WarehouseError(
                f"the warehouse could not be published to {folder}: {error}",
                expected="a writable folder with room for a copy of the warehouse",
                action="free space or mend the folder, then run again; readers still see the last copy",
            ) from error
    for number, path in sorted(_copies(folder).items())[:-_KEPT]:
        del number
        path.unlink(missing_ok=True)
    return target


def published_file(settings: Settings) -> Path | None:
    """Return the newest published copy, or None where nothing was published yet."""
    pointer = settings.published / _POINTER
    return pointer.resolve() if pointer.exists() else None


@contextmanager
def connect_published(settings: Settings, *, lake: bool = True) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the newest published copy for reading, with the lake beside it.

    Tables appear under their layer: `raw.crm_contacts`, `golden.contacts`, `staging.…`, `marts.…`.
    Nothing else on the machine can be read, and no file can be written.

    Args:
        settings: The deployment.
        lake: Show the lake's tables, too.

    Raises:
        WarehouseError: When nothing was published yet.
    """
    published = published_file(settings)
    if published is None:
        raise WarehouseError(
            f"nothing is published in {settings.published} yet",
            expected="the copy of the warehouse that a run leaves there",
            action="run: datadock run",
        )
    con = duckdb.connect(config={"memory_limit": settings.memory_limit, "threads": settings.threads})
    try:
        con.execute(IN_UTC)
        con.execute(f"attach {literal(str(published))} as {DATABASE} (read_only)")
        files = _attach_readable_lake(con, settings) if lake else []
        _show_everything(con)
        con.execute(f"set allowed_paths = [{', '.join(literal(file) for file in files)}]")
        con.execute("set enable_external_access = false")
        con.execute("set lock_configuration = true")
        yield con
    finally:
        con.close()


def query_published(
    settings: Settings, query: str, *, limit: int | None = None
) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Run one reading statement on the newest published copy and the lake.

    Args:
        settings: The deployment.
        query: One SELECT (or EXPLAIN).
        limit: Most rows to return; all where None.

    Returns:
        Column names and rows.

    Raises:
        WarehouseError: When nothing is published, the statement would write, or it is wrong.
    """
    with connect_published(settings) as con:
        try:
            statements = con.extract_statements(query)
            writing = [one for one in statements if one.type not in _READING]
            if writing or len(statements) != 1:
                kind = writing[0].type.name if writing else f"{len(statements)} statements"
                raise WarehouseError(
                    f"the query was refused: found {kind}",
                    expected="one SELECT; published copies and the lake are read-only",
                    action="land records to change data, or change the models under dbt_project",
                )
            found = con.execute(statements[0])
            columns = [column[0] for column in found.description or []]
            return columns, found.fetchall() if limit is None else found.fetchmany(limit)
        except duckdb.Error as error:
            raise WarehouseError(
                f"the query failed: {error}", action="see the tables with: select * from information_schema.tables"
            ) from error


def _attach_readable_lake(con: duckdb.DuckDBPyConnection, settings: Settings) -> list[str]:
    """Attach the lake's tables that exist; return the files that may be read."""
    lake = Lake(settings.lake_root)
    sources = [path.name for path in sorted((lake.root / "raw").glob("*")) if (path / "_delta_log").is_dir()]
    versions = attach_lake(con, lake, sources)
    return [file for table, version in versions.items() if version >= 0 for file in lake.files(table, version)]


def _show_everything(con: duckdb.DuckDBPyConnection) -> None:
    """Show each table of the attached databases under its schema alone."""
    found = con.execute(
        "select database_name, schema_name, table_name from duckdb_tables() "
        "union all select database_name, schema_name, view_name from duckdb_views() where not internal"
    ).fetchall()
    at_top = {name for name in TABLES if "/" not in name}
    for database, schema, name in sorted(found):
        if database in (DATABASE, LAKE) and schema != "datadock":
            shown = "main" if schema == "main" and name in at_top else schema
            con.execute(f"create schema if not exists {identifier(shown)}")
            con.execute(
                f"create or replace view {identifier(shown)}.{identifier(name)} as "
                f"from {identifier(database)}.{identifier(schema)}.{identifier(name)}"
            )


def _copy(warehouse: Path, target: Path) -> None:
    with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".publishing-", delete=False) as draft:
        path = Path(draft.name)
    try:
        shutil.copy2(warehouse, path)
        with path.open("rb+") as handle:
            os.fsync(handle.fileno())
        path.chmod(0o444)
        path.replace(target)
    finally:
        path.unlink(missing_ok=True)


def _point(folder: Path, target: Path) -> None:
    link = folder / f".{_POINTER}.new"
    link.unlink(missing_ok=True)
    link.symlink_to(target.name)
    link.replace(folder / _POINTER)


def _same(copy: Path, warehouse: Path) -> bool:
    one, other = copy.stat(), warehouse.stat()
    return (one.st_size, one.st_mtime_ns) == (other.st_size, other.st_mtime_ns)


def _copies(folder: Path) -> dict[int, Path]:
    found = {}
    for path in folder.glob("warehouse-*.duckdb"):
        number = path.stem.removeprefix("warehouse-")
        if number.isdigit():
            found[int(number)] = path
    return found


def _next_number(folder: Path) -> int:
    return max(_copies(folder), default=0) + 1
