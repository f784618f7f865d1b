"""Naming the row behind a failure: a refused contract or a failed test says which row it was.

DuckDB says which constraint broke, not where; the model's own query is run once more to find out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import duckdb

from datadock.lake import Lake
from datadock.warehouse.dbt_plugin import Session
from datadock.warehouse.lake_views import attach_lake, attach_meta, attach_new_rows
from datadock.warehouse.store import DATABASE, IN_UTC, read_cursors
from datadock.warehouse.values_sql import literal

if TYPE_CHECKING:
    from datadock.warehouse.dbt import NodeResult

_NOT_NULL = re.compile(r"NOT NULL constraint failed: \S+?\.?\"?(\w+)\"?$", re.MULTILINE)
_SHOWN = 3


def cite(session: Session, nodes: Sequence[NodeResult], results: Any) -> Iterator[NodeResult]:
    """Add, to each node that failed, the rows that made it fail.

    Args:
        session: The run.
        nodes: The results.
        results: dbt's own results, with the SQL of each node.
    """
    done = getattr(results, "results", None) or []
    sql = {one.node.unique_id: getattr(one.node, "compiled_code", None) for one in done}
    for node in nodes:
        query = None if node.good else _question(node, sql.get(node.unique_id))
        yield node if query is None else replace(node, message=f"{node.message}{_rows(session, query)}")


def _question(node: NodeResult, compiled: str | None) -> str | None:
    if not compiled:
        return None
    if node.kind == "test" and node.status == "fail":
        return f"select * from ({compiled}) limit {_SHOWN}"
    broken = _NOT_NULL.search(node.message)
    if node.kind == "model" and broken:
        return f'select * from ({compiled}) where "{broken.group(1)}" is null limit {_SHOWN}'
    return None


def _rows(session: Session, query: str) -> str:
    lake = Lake(session.settings.lake_root)
    with duckdb.connect() as con:
        con.execute(IN_UTC)
        con.execute(f"attach {literal(str(session.settings.warehouse))} as {DATABASE} (read_only)")
        con.execute(f"use {DATABASE}")
        versions = attach_lake(con, lake, session.sources)
        attach_new_rows(con, lake, read_cursors(con), versions)
        attach_meta(con, versions, session.run_id, session.measured_at)
        try:
            found = con.execute(query)
            names = [column[0] for column in found.description or []]
            rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
        except duckdb.Error as error:
            return f"\n    (the rows could not be looked up: {error})"
    return "".join(f"\n    row: {_text(row)}" for row in rows)


def _text(row: dict[str, Any]) -> str:
    kept: Iterable[tuple[str, Any]] = ((name, value) for name, value in row.items() if value is not None)
    return json.dumps({name: str(value) for name, value in kept}, ensure_ascii=False)
