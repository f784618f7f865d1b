"""Quarantine: what was refused and why, and the way back in by the same door.

An entry is open until a resolution row closes it: loaded, or dismissed. A record that is let in
keeps its batch, file, position and time of reception, so the balance of its batch stays checkable.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson
import polars as pl
import pyarrow as pa

from datadock.catalog import Catalog
from datadock.catalog.model import Source
from datadock.contracts import Door
from datadock.errors import DatadockError
from datadock.lake import Lake
from datadock.landing.json_lines import json_fault
from datadock.landing.limits import Limits
from datadock.landing.tables import QUARANTINE_SCHEMA, RAW_PARTITION, RAW_SCHEMA, RESOLUTION_SCHEMA, RESOLUTIONS
from datadock.names import QUARANTINE, raw_table

_SLICE = 5_000
_LOADED, _DISMISSED = "loaded", "dismissed"
_PAYLOAD = pa.schema([("payload", pa.string())])


@dataclass(frozen=True)
class ReasonCount:
    """How many open records of a source are there for one reason."""

    source: str
    stage: str
    reason: str
    records: int
    newest: str


@dataclass(frozen=True)
class Rejection:
    """One refused record.

    Attributes:
        rejection_id: Its id.
        source: Its source.
        file: The file it came in.
        line: Its position there, from 1; 0 where the file as a whole was refused.
        received_at: When the file came in, ISO.
        stage: ``read`` or ``contract``.
        reason: Code of the first reason.
        reasons: Every reason: code, field, found, expected.
        payload: The record as JSON, where it could be read.
        raw: Its bytes, or their beginning; as text, bytes that are no text escaped.
        batch_id: Its batch; the archive holds all bytes under this name.
    """

    rejection_id: str
    source: str
    file: str
    line: int
    received_at: str
    stage: str
    reason: str
    reasons: list[dict[str, str]]
    payload: str | None
    raw: str
    batch_id: str


@dataclass
class RetryOutcome:
    """What came of a retry."""

    tried: int = 0
    loaded: int = 0
    still_refused: int = 0
    reasons: dict[str, int] = field(default_factory=dict)


class Quarantine:
    """The refused records of a lake.

    Args:
        lake: The lake.
    """

    def __init__(self, lake: Lake) -> None:
        self.lake = lake

    def summary(self, source: str | None = None) -> list[ReasonCount]:
        """Count open records by source, stage and reason, the most frequent first."""
        counted = (
            self._open(source)
            .group_by("_source", "stage", "reason")
            .agg(pl.len().alias("records"), pl.col("_received_at").max().alias("newest"))
            .sort("records", "_source", "reason", descending=[True, False, False])
            .collect()
        )
        return [
            ReasonCount(row["_source"], row["stage"], row["reason"], row["records"], row["newest"].isoformat())
            for row in counted.iter_rows(named=True)
        ]

    def list(self, source: str | None = None, reason: str | None = None, *, limit: int = 50) -> list[Rejection]:
        """Return open records, the oldest first.

        Args:
            source: Only this source.
            reason: Only this reason.
            limit: Most records to return.
        """
        found = self._open(source)
        if reason is not None:
            found = found.filter(pl.col("reason") == reason)
        rows = found.sort("_received_at", "_batch_id", "_file", "_line").head(limit).collect()
        return [_rejection(row) for row in rows.iter_rows(named=True)]

    def show(self, rejection_id: str) -> Rejection:
        """Return one record, open or settled, by its id or the first characters of it.

        Raises:
            DatadockError: When no record, or more than one, has such an id.
        """
        rows = self._all().filter(pl.col("rejection_id").str.starts_with(rejection_id)).head(2).collect()
        if rows.height != 1:
            raise DatadockError(
                f"{'no' if not rows.height else 'more than one'} refused record has an id that begins with "
                f"{rejection_id!r}",
                expected="the id of one record",
                action="datadock quarantine list --reason REASON",
            )
        return _rejection(rows.row(0, named=True))

    def dismiss(self, rejection_id: str) -> Rejection:
        """Close an entry without loading it: the record is of no use.

        Raises:
            DatadockError: When there is no such record.
        """
        record = self.show(rejection_id)
        self._resolve([record.rejection_id], [record.batch_id], _DISMISSED)
        return record

    def retry(
        self,
        catalog: Catalog,
        *,
        source: str | None = None,
        rejection_id: str | None = None,
        payload: str | None = None,
    ) -> RetryOutcome:
        """Apply today's contract to open records; what passes enters its raw table.

        Args:
            catalog: The declarations of today.
            source: Only this source.
            rejection_id: Only this record (its id or the first characters of it).
            payload: The corrected record, a JSON object; with ``rejection_id``.

        Raises:
            DatadockError: When there is no such record, or the payload is no JSON object.
        """
        found = self._open(source)
        if rejection_id is not None:
            found = found.filter(pl.col("rejection_id") == self.show(rejection_id).rejection_id)
        outcome = RetryOutcome()
        rows = found.sort("_source", "_batch_id", "_file", "_line").collect()
        if payload is not None:
            rows = rows.with_columns(pl.lit(_checked(payload, rejection_id)).alias("payload"))
        for (name,), group in rows.group_by(["_source"], maintain_order=True):
            declared = catalog.source(str(name))
            for part in group.iter_slices(_SLICE):
                self._retry(declared, part, outcome)
        return outcome

    def _retry(self, source: Source, rows: pl.DataFrame, outcome: RetryOutcome) -> None:
        outcome.tried += rows.height
        readable = rows.filter(pl.col("payload").is_not_null())
        for reason in rows.filter(pl.col("payload").is_null())["reason"]:
            outcome.reasons[reason] = outcome.reasons.get(reason, 0) + 1
        broken = Door(source).judge(readable.select("payload").to_arrow().cast(_PAYLOAD), flat=False)
        for reasons in broken.values():
            outcome.reasons[reasons[0].code] = outcome.reasons.get(reasons[0].code, 0) + 1
        passed = readable.with_row_index("_row").filter(~pl.col("_row").is_in(list(broken)))
        outcome.still_refused += rows.height - passed.height
        outcome.loaded += passed.height
        if passed.height:
            self._load(source, passed)
            self._resolve(passed["rejection_id"].to_list(), passed["_batch_id"].to_list(), _LOADED)

    def _load(self, source: Source, passed: pl.DataFrame) -> None:
        """Append records to their raw table, each under a transaction of its own in one commit."""
        table = raw_table(source.name)
        while True:
            there = self.lake.transactions_among(table, [f"retry:{record}" for record in passed["rejection_id"]])
            missing = [record for record in passed["rejection_id"] if f"retry:{record}" not in there]
            rows = passed.filter(pl.col("rejection_id").is_in(missing)).select(
                "payload",
                "_source",
                pl.lit(source.main_entity).alias("_entity"),
                "_batch_id",
                "_file",
                "_line",
                "_received_at",
                pl.col("_received_at").dt.strftime("%Y-%m-%d").alias("_received_date"),
            )
            names = [f"retry:{record}" for record in missing]
            data = rows.to_arrow().cast(RAW_SCHEMA)
            if not names or self.lake.append_once(table, data, names, partition_by=RAW_PARTITION) is not None:
                return

    def _resolve(self, records: Sequence[str], batches: Sequence[str], outcome: str) -> None:
        closed = set(self._resolutions().select("rejection_id").collect()["rejection_id"])
        rows = [
            {"rejection_id": record, "resolved_at": datetime.now(UTC), "outcome": outcome, "batch_id": batch}
            for record, batch in zip(records, batches, strict=True)
            if record not in closed
        ]
        if rows:
            transactions = [f"resolve:{row['rejection_id']}" for row in rows]
            self.lake.append_once(RESOLUTIONS, pa.Table.from_pylist(rows, schema=RESOLUTION_SCHEMA), transactions)

    def _all(self) -> pl.LazyFrame:
        return _scan(self.lake, QUARANTINE, QUARANTINE_SCHEMA)

    def _resolutions(self) -> pl.LazyFrame:
        return _scan(self.lake, RESOLUTIONS, RESOLUTION_SCHEMA)

    def _open(self, source: str | None) -> pl.LazyFrame:
        records = self._all() if source is None else self._all().filter(pl.col("_source") == source)
        return records.join(self._resolutions().select("rejection_id"), on="rejection_id", how="anti")


def _scan(lake: Lake, table: str, schema: pa.Schema) -> pl.LazyFrame:
    files = lake.files(table)
    return pl.scan_parquet(files) if files else pl.DataFrame(schema.empty_table()).lazy()


def _rejection(row: dict[str, Any]) -> Rejection:
    return Rejection(
        rejection_id=row["rejection_id"],
        source=row["_source"],
        file=row["_file"],
        line=row["_line"],
        received_at=row["_received_at"].isoformat(),
        stage=row["stage"],
        reason=row["reason"],
        reasons=orjson.loads(row["reasons"]),
        payload=row["payload"],
        raw=(row["raw_bytes"] or b"").decode("utf-8", "backslashreplace"),
        batch_id=row["_batch_id"],
    )


def _checked(payload: str, rejection_id: str | None) -> str:
    """Return a corrected payload, made sure that it is one record for one entry."""
    if rejection_id is None:
        raise DatadockError("a corrected record without the id of what it corrects", expected="--id with --payload")
    refusal = json_fault(payload.encode(), 1, Limits())
    if refusal is not None:
        reason = refusal.reasons[0]
        raise DatadockError(
            f"the corrected record cannot be taken: {reason.code}: {reason.found}", expected=reason.expected
        )
    return payload
