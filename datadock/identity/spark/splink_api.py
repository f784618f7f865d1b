"""Splink's access to Spark, with its SQL written by sqlglot's own Spark dialect.

Splink 5.0 writes it by a dialect of its own, a subclass of sqlglot's; the compiled sqlglot, which dagster-dbt brings,
refuses to be subclassed (tobymao/sqlglot#7923). The one thing that Splink's dialect adds is ``dialect``'s.
"""

from __future__ import annotations

from splink import SparkAPI

from datadock.identity.spark import dialect


class CompiledSparkAPI(SparkAPI):
    """``SparkAPI`` that works with the compiled sqlglot too."""

    def _setup_for_execute_sql(self, sql: str, physical_name: str) -> str:  # noqa: ARG002  # the signature is Splink's
        return dialect.splink_sql(sql)
