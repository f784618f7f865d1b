"""The ledger of treatments in the lake: what was done on which set, and what takes it back. Append-only.

A treatment's id is derived from what it is, so that doing it again, or after it was killed, adds nothing. Its own row
is written last: rows of a treatment that has none do not count.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa

from datadock import names, signed
from datadock.errors import DatadockError
from datadock.lake import Lake
from datadock.warehouse.lake_tables import TABLES
from datadock.warehouse.values_sql import identifier

RNVP, MOVES, ENRICHMENT, IRIS = "rnvp", "moves", "enrichment", "iris"
KINDS = (RNVP, MOVES, ENRICHMENT, IRIS)
TREATED, WITHDRAWN = "treated", "withdrawn"
"""What a row of the ledger says: a treatment was done, or taken back."""


@dataclass(frozen=True)
class Treatment:
    """One treatment as the ledger tells it.

    Attributes:
        treatment_id: Its id: the kind and 12 hex digits.
        kind: One of ``KINDS``.
        asked_by: Who asked for it.
        reason: Why.
        asked_at: When (UTC).
        contacts_asked: How the set was named.
        contacts: Contacts of the set.
        unknown: What was named and is no contact.
        inputs: What decided the result: versions of references, digests of files.
        counts: What came of it, by name.
        withdrawn_by: Who took it back; None while it stands.
        withdrawn_at: When.
        withdrawn_why: Why.
    """

    treatment_id: str
    kind: str
    asked_by: str
    reason: str
    asked_at: datetime
    contacts_asked: str
    contacts: int
    unknown: tuple[str, ...] = ()
    inputs: dict[str, str] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    withdrawn_by: str | None = None
    withdrawn_at: datetime | None = None
    withdrawn_why: str | None = None

    @property
    def stands(self) -> bool:
        """Whether it was not taken back."""
        return self.withdrawn_by is None


def check_signed(by: str, why: str) -> None:
    """Refuse a treatment that nobody signs, or that has no reason.

    Raises:
        DatadockError: When who or why is missing.
    """
    signed.check_signed("a treatment", by, why, option="--why")


def treatments(lake: Lake) -> list[Treatment]:
    """Return every treatment, oldest first."""
    rows = [row for file in lake.files(names.TREATMENTS) for row in pl.read_parquet(file).to_dicts()]
    rows.sort(key=lambda row: (row["asked_at"], row["treatment_id"]))
    taken_back = {row["treatment_id"]: row for row in rows if row["act"] == WITHDRAWN}
    return [_treatment(row, taken_back.get(row["treatment_id"])) for row in rows if row["act"] == TREATED]


def _treatment(row: Mapping[str, Any], back: Mapping[str, Any] | None) -> Treatment:
    return Treatment(
        row["treatment_id"], row["kind"], row["asked_by"], row["reason"], row["asked_at"].astimezone(UTC),
        row["contacts_asked"], row["contacts"], tuple(row["unknown"] or ()), json.loads(row["inputs"]),
        json.loads(row["counts"]), *((None,) * 3 if back is None else (
            back["asked_by"], back["asked_at"].astimezone(UTC), back["reason"])),
    )  # fmt: skip


def find(lake: Lake, reference: str) -> Treatment:
    """Return the treatment whose id begins with a text.

    Raises:
        DatadockError: When there is none, or several.
    """
    found = [one for one in treatments(lake) if reference and one.treatment_id.startswith(reference)]
    if len(found) != 1:
        raise DatadockError(
            f"{len(found) or 'no'} treatment{'s' if len(found) != 1 else ''} begin with {reference!r}",
            expected="the id of one treatment",
            action="see them: datadock treat list",
        )
    return found[0]


def treatment_id(lake: Lake, kind: str, decides: Mapping[str, str]) -> str:
    """Derive the id of a treatment from what decides it; one that was taken back may be done anew, under another id.

    Args:
        lake: The lake, for those that were taken back.
        kind: One of ``KINDS``.
        decides: Digests of the set, of the inputs and of the rows.
    """
    known = {one.treatment_id: one for one in treatments(lake)}
    for turn in range(len(known) + 1):
        text = json.dumps([kind, dict(sorted(decides.items())), turn])
        derived = f"{kind}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
        if derived not in known or known[derived].stands:
            break
    return derived


def rows_of(lake: Lake, table: str, identifier: str) -> pl.DataFrame:
    """Return a treatment's rows in one of its tables."""
    files = lake.files(table)
    if not files:
        return pl.DataFrame(schema=dict.fromkeys(TABLES[table], pl.String()))
    return pl.scan_parquet(files).filter(pl.col("treatment_id") == identifier).collect()


def write_rows(lake: Lake, table: str, identifier: str, rows: pl.DataFrame) -> None:
    """Append a treatment's rows to one of its tables, once."""
    if rows.height:
        lake.append_once(table, typed(table, rows, treatment_id=identifier), f"treatment:{identifier}")


def write_act(lake: Lake, act: str, row: Mapping[str, Any]) -> bool:
    """Append the row of an act to the ledger, once; return whether it was new.

    Args:
        lake: The lake.
        act: ``treated`` or ``withdrawn``.
        row: Values of the ledger's columns by name.
    """
    table = typed(names.TREATMENTS, pl.DataFrame([row], infer_schema_length=None), act=act)
    return lake.append_once(names.TREATMENTS, table, f"treatment:{row['treatment_id']}:{act}") is not None


def typed(table: str, rows: pl.DataFrame, **constant: str) -> pa.Table:
    """Return rows with exactly the columns and types of a lake table; columns that they lack are null."""
    filled = rows.with_columns(pl.lit(value).alias(name) for name, value in constant.items())
    columns = ", ".join(
        f"{column if name in filled.columns else 'null'}::{kind} as {column}"
        for name, kind in TABLES[table].items()
        if (column := identifier(name))
    )
    with duckdb.connect() as con:
        con.execute("set TimeZone = 'UTC'")
        con.register("dd_rows", filled.to_arrow())
        return con.sql(f"select {columns} from dd_rows").to_arrow_table()


def digest_of(rows: pl.DataFrame) -> str:
    """Return a digest of rows, whatever their order."""
    lines = sorted(rows.write_ndjson().splitlines())
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
