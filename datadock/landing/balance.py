"""The balance of a source: what the ledger says came in against what stands in the tables."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from datadock.catalog.model import Source
from datadock.lake import Lake
from datadock.landing.tables import RESOLUTIONS
from datadock.names import BATCHES, QUARANTINE, raw_table


@dataclass(frozen=True)
class Balance:
    """Counts of one source over all its batches.

    Attributes:
        batches: Batches in the ledger.
        rows_in: Records that came in.
        rows_loaded: Records that loaded when they came in.
        rows_quarantined: Records that were refused when they came in.
        let_in_later: Refused records that a retry loaded since.
        rows_in_raw: Rows that stand in the raw table.
        rows_in_quarantine: Rows that stand in quarantine, open or settled.
        batches_off: Batches whose own counts do not agree with the tables, at most ten.
    """

    batches: int
    rows_in: int
    rows_loaded: int
    rows_quarantined: int
    let_in_later: int
    rows_in_raw: int
    rows_in_quarantine: int
    batches_off: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether every record that came in stands where the ledger says."""
        return (
            not self.batches_off
            and self.rows_in == self.rows_loaded + self.rows_quarantined
            and self.rows_in_raw == self.rows_loaded + self.let_in_later
            and self.rows_in_quarantine == self.rows_quarantined
        )

    def facts(self) -> dict[str, Any]:
        """Return expected and found counts, for a report."""
        return {
            "expected": "rows in = loaded + quarantined, in every batch; raw = loaded + let in later",
            **{name: value for name, value in asdict(self).items() if name != "batches_off"},
            "batches_off": list(self.batches_off),
        }


def balance_of(lake: Lake, source: Source) -> Balance:
    """Count a source's records in ledger, raw table and quarantine.

    Args:
        lake: The lake.
        source: The source.
    """
    ledger = _rows(lake, BATCHES).filter(pl.col("source") == source.name)
    refused = _rows(lake, QUARANTINE).filter(pl.col("_source") == source.name)
    loaded_later = _rows(lake, RESOLUTIONS).filter(pl.col("outcome") == "loaded")
    later = refused.join(loaded_later, on="rejection_id", how="semi")
    batches = (
        ledger.select("batch_id", "rows_in", "rows_loaded", "rows_quarantined")
        .join(_counted(_rows(lake, raw_table(source.name)), "raw"), on="batch_id", how="left")
        .join(_counted(refused, "refused"), on="batch_id", how="left")
        .join(_counted(later, "later"), on="batch_id", how="left")
        .with_columns(pl.col("raw", "refused", "later").fill_null(0))
        .collect()
    )
    off = batches.filter(
        (pl.col("rows_in") != pl.col("rows_loaded") + pl.col("rows_quarantined"))
        | (pl.col("raw") != pl.col("rows_loaded") + pl.col("later"))
        | (pl.col("refused") != pl.col("rows_quarantined"))
    )
    sums = batches.select(pl.col("rows_in", "rows_loaded", "rows_quarantined", "later", "raw", "refused").sum()).row(0)
    rows_in, loaded, quarantined, let_in, raw, in_quarantine = sums
    first_off = tuple(off["batch_id"].head(10))
    return Balance(batches.height, rows_in, loaded, quarantined, let_in, raw, in_quarantine, first_off)


def _rows(lake: Lake, table: str) -> pl.LazyFrame:
    files = lake.files(table)
    return pl.scan_parquet(files) if files else pl.LazyFrame(schema=_COLUMNS[table.split("/", 1)[0]])


def _counted(rows: pl.LazyFrame, name: str) -> pl.LazyFrame:
    return rows.group_by(pl.col("_batch_id").alias("batch_id")).agg(pl.len().cast(pl.Int64).alias(name))


_COLUMNS: dict[str, dict[str, Any]] = {
    "ledger": {
        "batch_id": pl.String,
        "source": pl.String,
        "rows_in": pl.Int64,
        "rows_loaded": pl.Int64,
        "rows_quarantined": pl.Int64,
    },
    "raw": {"_batch_id": pl.String},
    "quarantine": {
        "rejection_id": pl.String,
        "_source": pl.String,
        "_batch_id": pl.String,
        "outcome": pl.String,
    },
}
