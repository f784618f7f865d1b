"""What every page reads from: the opened stores, the catalog, the run; and rows as plain dictionaries.

A page asks for rows and names the tables it needs; where one does not exist yet, it gets none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb

from datadock.catalog import Catalog
from datadock.lake import Lake
from datadock.reports.mask import masked
from datadock.settings import Settings

Row = dict[str, Any]


@dataclass(frozen=True)
class Reading:
    """One look at a deployment.

    Attributes:
        connection: The opened stores.
        there: Tables that exist, ``schema.table``.
        settings: The deployment.
        catalog: Its declarations.
        lake: Its lake.
        run_id: The run that is reported.
        now: When the report is written.
    """

    connection: duckdb.DuckDBPyConnection
    there: frozenset[str]
    settings: Settings
    catalog: Catalog
    lake: Lake
    run_id: str
    now: datetime

    def rows(self, sql: str, *needs: str, values: Sequence[Any] = ()) -> list[Row]:
        """Return the rows of a query; none where a table it needs does not exist."""
        if not self.there >= set(needs):
            return []
        cursor = self.connection.execute(sql, list(values))
        columns = [column[0] for column in cursor.description or []]
        return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]

    def one(self, sql: str, *needs: str, values: Sequence[Any] = ()) -> Row:
        """Return the first row of a query; an empty one where there is none."""
        found = self.rows(sql, *needs, values=values)
        return found[0] if found else {}

    def personal(self, value: Any) -> str:
        """Return a value as the reports may show it: masked, unless the deployment says otherwise."""
        if value is None:
            return ""
        return str(value) if self.settings.report_personal_data else masked(str(value))

    def key(self, source_key: str) -> str:
        """Return a source key as the reports may show it: whole, unless it is an e-mail address."""
        if self.settings.report_personal_data or "@" not in source_key:
            return source_key
        return "|".join(masked(part) if "@" in part else part for part in source_key.split("|"))
