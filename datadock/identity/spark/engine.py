"""The engine ``spark``: records go to Spark as parquet files, pairs come back as parquet files.

The connection reads what comes back through views, so that pairs never have to fit into this process. Which engine
runs is ``engines``' to say.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import duckdb

from datadock.identity.blocking import GROWN, BlockReport, Rule
from datadock.identity.engine import answered_sql, blocked_sql, predict, shown_sql
from datadock.identity.spark import dialect
from datadock.identity.spark.blocking import Blocks, columns_of
from datadock.identity.spark.session import Spark, open_session

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


def _all_of(relation: str) -> str:
    return f"from {relation}"


class SparkEngine:
    """Pairs made and compared by Spark.

    Args:
        spark: Where the session runs; it starts with the first pairs.
    """

    name = "spark"
    software: tuple[str, ...] = ("pyspark",)
    leaves_keys = False

    def __init__(self, spark: Spark) -> None:
        self.spark = spark
        self._stack = ExitStack()
        self._files = 0
        self._made: set[str] = set()

    def __enter__(self) -> SparkEngine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @cached_property
    def session(self) -> SparkSession:
        """The session, opened when it is first asked for.

        Raises:
            DatadockError: When no Java starts.
        """
        return self._stack.enter_context(open_session(self.spark))

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
        """Make candidate pairs; see ``blocking.candidate_pairs``. The target is a view."""
        held = columns(con, table)
        lists = lists_of(held)
        used = [name for name in columns_of(rules, apart) if name in held]
        fresh = f"rid in (select rid from {only_new})" if only_new else "true"
        people = self._hand_over(con, f"select {', '.join(('rid', *used))}, {fresh} as fresh from {table}")
        blocks = Blocks(self.session, people, rules, lists, cap)
        self._bring_back(con, blocks.pairs(apart), target)
        reports = blocks.reports()
        self.session.catalog.clearCache()
        return reports

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
        """Compare pairs; see ``engine.compare``. The target is a view."""
        from datadock.identity.spark.splink_api import CompiledSparkAPI

        # Splink joins the lookups to the records itself, so these come without, and those hold what records have.
        lookups = {
            name: self._hand_over(con, f"select distinct {name}, tf_{name} from {table} where {name} is not null")
            for name in term_frequencies or ()
        }
        answer = predict(
            CompiledSparkAPI(spark_session=self.session, break_lineage_method="persist"),  # type: ignore[no-untyped-call]
            self._hand_over(con, shown_sql(table, settings, ())),
            dialect.settings(settings, lists_of(columns(con, table))),
            lookups,
            self._blocked(con, pairs, kind),
            above=above,
        )
        self._bring_back(con, self.session.table(answer.physical_name), target, answered_sql)
        self.session.catalog.clearCache()

    def drop(self, con: duckdb.DuckDBPyConnection, target: str) -> None:
        """Drop the view; its files go with the session's folder."""
        con.execute(f"drop view {target}")

    def _hand_over(self, con: duckdb.DuckDBPyConnection, sql: str) -> DataFrame:
        """What a query gives, as a frame over a parquet file."""
        path = self._next_path()
        con.execute(f"copy ({sql}) to '{path}' (format parquet)")
        return self.session.read.parquet(str(path))

    def _bring_back(
        self,
        con: duckdb.DuckDBPyConnection,
        frame: DataFrame,
        target: str,
        select: Callable[[str], str] = "from {}".format,
    ) -> None:
        """Make a view of a connection over the parquet files of a frame; Spark knows it by the same name."""
        path = self._next_path()
        frame.write.parquet(str(path))
        self.session.read.parquet(str(path)).createOrReplaceTempView(target)
        self._made.add(target)
        files = f"read_parquet('{path}/*.parquet')"
        con.execute(f"create or replace temp view {target} as {select(files)}")

    def _blocked(self, con: duckdb.DuckDBPyConnection, pairs: str, kind: str) -> DataFrame:
        """Pairs as Splink takes them; those that Spark made do not pass through the connection."""
        sql = blocked_sql(pairs, kind)
        return self.session.sql(sql) if pairs in self._made else self._hand_over(con, sql)

    def _next_path(self) -> Path:
        self._files += 1
        return self.spark.folder / f"{self._files:04}.parquet"


def columns(con: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    """Return the columns of a table, or of a query in parentheses, with DuckDB's types."""
    return {row[0]: row[1] for row in con.execute(f"describe from {table}").fetchall()}


def lists_of(held: Mapping[str, str]) -> Collection[str]:
    """Return the columns that hold lists."""
    return {name for name, kind in held.items() if kind.endswith("[]")}
