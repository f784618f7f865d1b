"""Which rows of the warehouse came since a step last looked: those of the batches that staging has read meanwhile.

A step keeps what staging had read when it looked (``staged``) and is told next time which batches came since
(``arrived_batches``). Where that cannot be known, since a model's definition changed or files of the raw zone were
rewritten, everything counts as new.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from typing import Any

import duckdb

from datadock.errors import LakeError
from datadock.lake import Lake
from datadock.warehouse.values_sql import literal

BATCHES = "dd_batches"
"""Temp table of ``arrived_batches``: batch_id."""


def staged(con: duckdb.DuckDBPyConnection, entities: Collection[str]) -> dict[str, Any]:
    """Return what the intermediate tables of some entities are made from; empty where the warehouse does not tell.

    Args:
        con: Connection with the warehouse attached as ``warehouse``.
        entities: Entities of the customer model: ``contact``, ``event``, ...

    Returns:
        ``definitions``, a digest of the models' definitions, and ``read``: staging model to raw table and the Delta
        version up to which the model has read it.
    """
    try:
        cursors = con.execute(
            "select model, table_name, version from warehouse.datadock.cursors where starts_with(table_name, 'raw/')"
        ).fetchall()
        models = con.execute("select model, definition from warehouse.datadock.models order by model").fetchall()
    except duckdb.CatalogException:
        return {}
    wanted = {f"model.datadock.int_{'source_contact' if entity == 'contact' else entity}" for entity in entities}
    known = [(model, definition) for model, definition in models if model in wanted]
    if len(known) < len(wanted):
        return {}
    read = {
        model: [table, version] for model, table, version in sorted(cursors) if model.rpartition("__")[2] in entities
    }
    return {"definitions": hashlib.sha256(repr(known).encode()).hexdigest()[:16], "read": read}


def arrived_batches(
    con: duckdb.DuckDBPyConnection, lake: Lake, before: Mapping[str, Any] | None, now: Mapping[str, Any]
) -> bool:
    """Create the temp table ``dd_batches`` of the batches that came since; tell whether they are all that is new.

    Args:
        con: Connection.
        lake: The lake, for its raw tables.
        before: What ``staged`` returned when the step last looked; empty or None where it never did.
        now: What it returns now.

    Returns:
        False where every row counts as new; the table is empty then.
    """
    con.execute(f"create or replace temp table {BATCHES} (batch_id varchar)")
    if not before or not now or before["definitions"] != now["definitions"] or set(before["read"]) != set(now["read"]):
        return False
    moved = {
        (table, before["read"][model][1], version)
        for model, (table, version) in now["read"].items()
        if before["read"][model][1] != version
    }
    files: set[str] = set()
    for table, earlier, version in sorted(moved):
        added = added_files(lake, table, earlier, version)
        if added is None:
            return False
        files |= added
    if files:
        listed = ", ".join(literal(file) for file in sorted(files))
        con.execute(
            f"insert into {BATCHES} select distinct _batch_id from read_parquet([{listed}], hive_partitioning = false)"
        )
    return True


def added_files(lake: Lake, table: str, earlier: int, version: int) -> set[str] | None:
    """Return the data files that came between two versions of a table.

    Args:
        lake: The lake.
        table: A Delta table.
        earlier: The version that was read, -1 for none.
        version: The later version.

    Returns:
        The files; None where files were taken away, or a version is gone.
    """
    try:
        before = set(lake.files(table, earlier)) if earlier >= 0 else set()
        now = set(lake.files(table, version))
    except LakeError:
        return None
    return now - before if before <= now and version >= earlier else None
