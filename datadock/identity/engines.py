"""What does the part of linking that grows with the pairs: DuckDB in this process, or Spark, as the catalog declares.

An engine makes candidate pairs and has Splink compare them; the rest (features, the choice of rules, expectation and
maximisation over counted patterns, clusters, ids) is the same code over what comes back, so the model is the same file.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import duckdb

from datadock.identity import blocking, engine
from datadock.identity.blocking import GROWN, BlockReport, Rule
from datadock.identity.workspace import Workspace


class Engine(Protocol):
    """Makes and compares pairs of the records of a connection; what it makes is read there as a table.

    Attributes:
        name: As a catalog declares it.
        software: Packages that it takes beyond those of every training.
        leaves_keys: Whether looking for pairs leaves the parts of the keys in the connection, as of ``key_parts``.
    """

    name: str
    software: tuple[str, ...]
    leaves_keys: bool

    def candidate_pairs(
        self,
        con: duckdb.DuckDBPyConnection,
        table: str,
        rules: list[Rule],
        target: str,
        *,
        only_new: str | None = None,
        apart: str = "",
        cap: int = GROWN,
    ) -> list[BlockReport]:
        """Make candidate pairs; see ``blocking.candidate_pairs``."""
        ...

    def compare(
        self,
        con: duckdb.DuckDBPyConnection,
        table: str,
        pairs: str,
        settings: dict[str, Any],
        target: str,
        *,
        term_frequencies: Mapping[str, str] | None = None,
        above: float | None = None,
        kind: str = "'0'",
    ) -> None:
        """Compare pairs; see ``engine.compare``."""
        ...

    def drop(self, con: duckdb.DuckDBPyConnection, target: str) -> None:
        """Give back what ``candidate_pairs`` or ``compare`` made."""
        ...


class DuckDB:
    """Pairs in the memory of this process, and on its disk where they do not fit."""

    name = "duckdb"
    software: tuple[str, ...] = ()
    leaves_keys = True
    candidate_pairs = staticmethod(blocking.candidate_pairs)
    compare = staticmethod(engine.compare)

    @staticmethod
    def drop(con: duckdb.DuckDBPyConnection, target: str) -> None:
        """Drop the table."""
        con.execute(f"drop table {target}")


DUCKDB = DuckDB()


@contextmanager
def open_engine(workspace: Workspace) -> Iterator[Engine]:
    """Open the engine that the catalog declares; a Spark session starts with the first pairs and ends here.

    Raises:
        DatadockError: When Spark is declared and not installed.
    """
    if workspace.catalog.identity.engine == "duckdb":
        yield DUCKDB
        return
    from datadock.identity.spark.engine import SparkEngine
    from datadock.identity.spark.session import Spark, check_installed

    check_installed()
    with tempfile.TemporaryDirectory(prefix="spark-", dir=workspace.warehouse.parent) as folder:
        settings = Spark(Path(folder), workspace.memory_limit, workspace.threads, workspace.spark_master)
        with SparkEngine(settings) as spark:
            yield spark
