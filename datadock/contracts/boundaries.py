"""Contracts of the boundaries behind the raw zone: the shape of what identity is handed and of what it hands on.

Shape only: columns, types, emptiness, form of an id. Keys and relations are dbt's tests, rates are the suites'.
pandera is slow to import, so the schemas are made when they are asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from datadock import names
from datadock.lake import Lake

if TYPE_CHECKING:
    import pandera.polars as pa

GOLDEN_ID = r"^DK[0-9A-HJKMNP-TV-Z]{26}[0-9A-HJKMNP-TV-Z*~$=U]$"
"""Form of a golden id: prefix, 26 characters of Crockford base 32, one check character."""


@dataclass(frozen=True)
class Boundary:
    """What each row of a lake table must look like.

    Attributes:
        table: The lake table.
        filled: Columns that are never empty, with their type.
        ids: Columns that hold golden ids, where they hold anything.
        listed: Columns that hold one of a few words.
    """

    table: str
    filled: dict[str, type[pl.DataType] | pl.DataType]
    ids: tuple[str, ...] = ()
    listed: dict[str, tuple[str, ...]] | None = None

    def schema(self) -> pa.DataFrameSchema:
        """Return the pandera schema."""
        import pandera.polars as pa

        columns = {name: pa.Column(kind, nullable=False) for name, kind in self.filled.items()}
        for name in self.ids:
            columns[name] = pa.Column(pl.String, pa.Check.str_matches(GOLDEN_ID), nullable=name not in self.filled)
        for name, words in (self.listed or {}).items():
            columns[name] = pa.Column(pl.String, pa.Check.isin(words), nullable=False)
        return pa.DataFrameSchema(columns)

    def broken(self, lake: Lake) -> tuple[int, list[dict[str, str]]]:
        """Return the number of rows looked at, and at most twenty breaks: column, rule, how many rows.

        Args:
            lake: The lake that holds the table.
        """
        import pandera.polars as pa

        files = lake.files(self.table)
        if not files:
            return 0, []
        wanted = {*self.filled, *self.ids, *(self.listed or {})}
        rows = pl.read_parquet(files, columns=sorted(wanted))
        try:
            self.schema().validate(rows, lazy=True)
        except pa.errors.SchemaErrors as errors:
            cases = errors.failure_cases.group_by("column", "check").len().sort("len", descending=True)
            return rows.height, [{k: str(v) for k, v in case.items()} for case in cases.head(20).to_dicts()]
        return rows.height, []


MEMBERSHIPS = Boundary(
    names.MEMBERSHIPS,
    {"source": pl.String, "source_key": pl.String, "valid_from": pl.Datetime("us", "UTC"), "cause": pl.String},
    ids=("golden_id",),
)
"""What identity hands on: which id a record bears; empty only where the record is gone."""

GOLDEN_CONTACTS = Boundary(
    names.CONTACTS,
    {"golden_id": pl.String, "recorded_at": pl.Datetime("us", "UTC"), "run_id": pl.String, "row_hash": pl.String},
    ids=("golden_id",),
    listed={"op": ("upsert", "retire")},
)
"""What the marts are built from: versions of golden contacts."""
