"""The raw table against its contract, for the asset check: a pandera schema made from the same rules as the door.

pandera takes seconds to import, so only the check that needs it does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl
import pyarrow as pa

from datadock.catalog.model import Source
from datadock.contracts.engine import connection
from datadock.contracts.rules import EntityRules, contract
from datadock.contracts.values import json_query
from datadock.lake import Lake
from datadock.names import raw_table

_SHAPE = ("payload", "_source", "_entity", "_batch_id", "_file", "_line", "_received_at")
_READABLE = "(select case when json_valid(payload) then payload else '{}' end as payload, _row from raw_rows)"
_SHA256 = r"^[0-9a-f]{64}$"


@dataclass(frozen=True)
class ContractReport:
    """What stands in a source's raw table against its contract.

    Attributes:
        rows: Rows that were checked.
        checks: Checks that were made on them.
        failures: Rows that break each check, by its name; empty where all hold.
    """

    rows: int
    checks: int
    failures: dict[str, int] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        """Whether every row keeps the contract."""
        return not self.failures

    def facts(self) -> dict[str, Any]:
        """Return expected and found, for a report."""
        return {
            "expected": f"{self.rows} rows that keep {self.checks} checks",
            "found": "all of them" if self.holds else "rows that break a check",
            "failures": self.failures,
        }


def contract_schema(source: Source) -> Any:
    """Return the pandera schema of a source's raw records: their shape, and one column per rule, true in every row."""
    import pandera.polars as pa_polars

    filled = pa_polars.Check.str_length(min_value=1)
    columns = {
        "payload": pa_polars.Column(pl.String, pa_polars.Check.str_startswith("{")),
        "_source": pa_polars.Column(pl.String, pa_polars.Check.equal_to(source.name)),
        "_entity": pa_polars.Column(pl.String, pa_polars.Check.isin(list(source.entities))),
        "_batch_id": pa_polars.Column(pl.String, pa_polars.Check.str_matches(_SHA256)),
        "_file": pa_polars.Column(pl.String, filled),
        "_line": pa_polars.Column(pl.Int64, pa_polars.Check.ge(1)),
        "_received_at": pa_polars.Column(pl.Datetime("us", "UTC")),
    }
    for rules in contract(source):
        for number in range(len(rules.rules)):
            kept = pa_polars.Check.equal_to(True)
            columns[_name(rules, number)] = pa_polars.Column(pl.Boolean, kept)
    return pa_polars.DataFrameSchema(columns, name=source.name)


def contract_report(lake: Lake, source: Source, files: Sequence[str] | None = None) -> ContractReport:
    """Check a source's raw rows against its contract.

    Args:
        lake: The lake.
        source: The declaration.
        files: Data files of the raw table to check; all of them where None.

    Returns:
        Counts; the rows themselves stay where they are.
    """
    checked = lake.files(raw_table(source.name)) if files is None else list(files)
    schema = contract_schema(source)
    failures: dict[str, int] = {}
    rows = 0
    for file in checked:
        frame = _judged(file, source)
        rows += frame.height
        for name, count in _failures(schema, frame).items():
            failures[name] = failures.get(name, 0) + count
    return ContractReport(rows, sum(len(column.checks) for column in schema.columns.values()), failures)


def _name(rules: EntityRules, number: int) -> str:
    rule = rules.rules[number]
    return f"{rules.entity}.{rule.field}: {rule.code}"


def _judged(file: str, source: Source) -> pl.DataFrame:
    """Read one data file's rows with a column per rule; a rule on list elements holds where all of them keep it."""
    rows = pl.read_parquet(file, columns=list(_SHAPE)).with_row_index("_row")
    duck = connection()
    numbered: pa.Table = rows.select("payload", pl.col("_row").cast(pl.Int64)).to_arrow()
    duck.register("raw_rows", numbered)
    for rules in contract(source):
        query = json_query(rules, _READABLE)
        flags = ", ".join(f"bool_and(rule_{number}) as rule_{number}" for number in range(len(rules.rules)))
        kept = pl.DataFrame(duck.sql(f"select _row, {flags} from ({query}) group by _row").to_arrow_table())
        names = {f"rule_{number}": _name(rules, number) for number in range(len(rules.rules))}
        rows = rows.join(kept.rename(names).with_columns(pl.col("_row").cast(pl.UInt32)), on="_row", how="left")
        rows = rows.with_columns(pl.col(list(names.values())).fill_null(value=True))
    return rows.drop("_row")


def _failures(schema: Any, frame: pl.DataFrame) -> dict[str, int]:
    from pandera.errors import SchemaErrors

    try:
        schema.validate(frame, lazy=True)
    except SchemaErrors as errors:
        counted = errors.failure_cases.group_by("column", "check").len()
        return {f"{column} ({check})": count for column, check, count in counted.iter_rows()}
    return {}
