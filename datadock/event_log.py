"""Dagster's event log on SQLite with connections that stay open.

Dagster's own storage makes an engine for every event: SQLAlchemy then compiles every statement anew, and SQLite writes
its whole log back whenever the last connection closes. A run of a small deployment spent a fifth of its time so.
Only how a connection is made differs here; tables, files and every statement are Dagster's.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dagster import StringSource
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._serdes import ConfigurableClassData
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import StaticPool

_OPEN = 4
"""Files kept open at once: the index, the run under way, and what a page looks at."""


class SqliteEventLog(SqliteEventLogStorage):
    """Dagster's SQLite event log; its files are those of ``SqliteEventLogStorage`` and may be read by either."""

    def __init__(self, home: str, inst_data: ConfigurableClassData | None = None) -> None:
        """Open the log of an instance.

        Args:
            home: Folder of the instance; the log stands where Dagster's own would, in ``history/runs``.
            inst_data: What Dagster read from ``dagster.yaml``.
        """
        self._engines: OrderedDict[str, Engine] = OrderedDict()
        self._tables: set[str] = set()
        super().__init__(str(Path(home) / "history" / "runs"), inst_data)

    @classmethod
    def config_type(cls) -> Any:
        """Return what ``dagster.yaml`` may say: ``home``."""
        return {"home": StringSource}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> SqliteEventLog:
        """Return the storage that ``dagster.yaml`` asks for."""
        return cls(inst_data=inst_data, **config_value)

    def has_table(self, table_name: str) -> bool:
        """Return whether the index has a table; one that is there stays."""
        if table_name not in self._tables and super().has_table(table_name):
            self._tables.add(table_name)
        return table_name in self._tables

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock:
            engine = self._engine(shard)
            if shard not in self._initialized_dbs:
                self._initdb(engine)
                self._initialized_dbs.add(shard)
            with engine.connect() as connection, connection.begin():
                yield connection

    def _engine(self, shard: str) -> Engine:
        if shard not in self._engines:
            self._engines[shard] = create_engine(
                self.conn_string_for_shard(shard),
                poolclass=StaticPool,
                connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS, "check_same_thread": False},
            )
            event.listen(self._engines[shard], "connect", _settle)
            if len(self._engines) > _OPEN:
                self._engines.popitem(last=False)[1].dispose()
        self._engines.move_to_end(shard)
        return self._engines[shard]

    def _close(self) -> None:
        while self._engines:
            self._engines.popitem()[1].dispose()

    def wipe(self) -> None:
        """Remove every event."""
        with self._db_lock:
            self._close()
        super().wipe()

    def dispose(self) -> None:
        """Close what is open."""
        super().dispose()
        with self._db_lock:
            self._close()


def _settle(connection: Any, _: Any) -> None:
    # With a write-ahead log this survives a killed process; a power cut may lose the newest events, never the file.
    connection.execute("pragma synchronous = normal")
