"""The warehouse file: how it is created and opened, and the cursors that it keeps.

One process writes it at a time. dbt writes the tables; this module only makes the file and the
schema ``datadock`` with the models' cursors, and words the errors of a file that is locked.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from datadock.errors import WarehouseError
from datadock.settings import Settings
from datadock.warehouse.lake_views import Cursor
from datadock.warehouse.values_sql import literal

DATABASE = "warehouse"
STORAGE_VERSION = "v1.5.0"
IN_UTC = "set TimeZone = 'UTC'"
_CURSORS = """
create schema if not exists datadock;
create table if not exists datadock.cursors (
    model varchar not null,
    table_name varchar not null,
    version bigint not null,
    moved_at timestamp with time zone
)
"""


def connection_config(settings: Settings) -> dict[str, str | bool | int | float | list[str]]:
    """Return the DuckDB settings of every connection to the warehouse."""
    return {
        "threads": settings.threads,
        "memory_limit": settings.memory_limit,
        "temp_directory": str(settings.home_path / "warehouse" / "spill"),
        "preserve_insertion_order": "false",
    }


def ensure_warehouse(settings: Settings) -> Path:
    """Create the warehouse file where there is none, and return its path.

    Raises:
        WarehouseError: When it cannot be created or another process holds it.
    """
    path = settings.warehouse
    with _worded(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        con = duckdb.connect()
        try:
            con.execute(f"attach {literal(str(path))} as w (storage_version '{STORAGE_VERSION}')")
            con.execute("use w")
            con.execute(_CURSORS)
        finally:
            con.close()
    return path


def read_cursors(con: duckdb.DuckDBPyConnection) -> list[Cursor]:
    """Return the cursors that the warehouse keeps; none where it has no cursor table."""
    try:
        rows = con.execute("select model, table_name, version from datadock.cursors order by all").fetchall()
    except duckdb.CatalogException:
        return []
    return [Cursor(*row) for row in rows]


@contextmanager
def open_warehouse(settings: Settings, *, read_only: bool = True) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the warehouse file as it is now, in this process.

    Raises:
        WarehouseError: When there is no file or another process holds it.
    """
    path = settings.warehouse
    if not path.exists():
        raise WarehouseError(
            f"there is no warehouse at {path}",
            expected="the file that a run builds",
            action="run: datadock run",
        )
    with _worded(path):
        con = duckdb.connect(str(path), read_only=read_only, config=connection_config(settings))
    try:
        con.execute(IN_UTC)
        yield con
    finally:
        con.close()


def locked(path: Path, message: str) -> WarehouseError:
    """Word the refusal of a file that somebody else holds."""
    return WarehouseError(
        f"the warehouse {path} is in use: {message.splitlines()[0]}",
        expected="one process at a time on the warehouse file; readers open the published copies",
        action="end the process named above, or wait until its run has ended, then run again",
    )


@contextmanager
def _worded(path: Path) -> Iterator[None]:
    try:
        yield
    except duckdb.IOException as error:
        message = str(error)
        if "lock" in message.lower():
            raise locked(path, message) from error
        raise WarehouseError(
            f"the warehouse {path} cannot be opened: {message}",
            action="free space or mend the folder; the warehouse can be rebuilt from the lake: datadock run --full",
        ) from error
    except (duckdb.ConnectionException, OSError) as error:
        raise WarehouseError(
            f"the warehouse {path} cannot be opened: {error}",
            action="close what holds it, or mend the folder's rights, then run again",
        ) from error
