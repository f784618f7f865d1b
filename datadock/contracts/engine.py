"""The in-memory DuckDB that landing computes with: one per process, a connection per user of it."""

from __future__ import annotations

from functools import cache

import duckdb


@cache
def _engine() -> duckdb.DuckDBPyConnection:
    """Return the process's engine; starting one takes longer than landing a small file."""
    return duckdb.connect(config={"threads": 1})


def connection() -> duckdb.DuckDBPyConnection:
    """Return a connection of its own: one thread, rows in the order they came, times in UTC."""
    opened = _engine().cursor()
    opened.execute("set timezone = 'UTC'")
    return opened
