"""Reference tables of the lake that are logs: a newer file adds what it says otherwise, and nothing else.

The newest row of a key holds; ``op`` is ``upsert``, or ``remove`` for what a newer file knows no more.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl

from datadock.lake import Lake
from datadock.refdata.publish import plain_texts


@dataclass(frozen=True)
class Change:
    """What a newer file changed in a log.

    Attributes:
        added: Keys that are new.
        changed: Keys of which something else is told.
        removed: Keys that are no more.
    """

    added: int
    changed: int
    removed: int


def write_difference(
    lake: Lake,
    table: str,
    rows: pl.DataFrame,
    key: Sequence[str],
    *,
    scope: pl.Expr,
    stamps: Mapping[str, Any],
    at: datetime,
    noted: Mapping[str, Any],
    kept: Collection[str] = (),
    anew: bool = False,
) -> Change:
    """Append what rows say otherwise than the log does.

    Args:
        lake: The lake.
        table: Name of the log.
        rows: All that holds now within the scope: the key and its values.
        key: Columns that name a row.
        scope: What is true of the log's rows that the new ones replace.
        stamps: Columns that every written row bears beside them; no difference by themselves.
        at: When (UTC).
        noted: What the commit records beside the generation.
        kept: Values of the key's first column that are not removed, though no row tells them.
        anew: Whether rows are written that say nothing new, for their stamps.
    """
    before = lake.last_inputs(table)
    fresh, other, gone = _compared(_stored(lake, table, key, scope), rows, key, anew=anew)
    gone = gone.filter(~pl.col(key[0]).is_in(list(kept)))
    if not fresh.height + other.height + gone.height and {**before, **noted} == before:
        return Change(0, 0, 0)
    generation = int(before.get("generation", 0)) + 1
    inputs = json.dumps({**before, **noted, "generation": generation}, sort_keys=True)
    parts = [
        frame.with_columns(op=pl.lit(op)) for frame, op in ((fresh, "upsert"), (other, "upsert"), (gone, "remove"))
    ]
    written = pl.concat(parts).with_columns(
        **{name: pl.lit(value) for name, value in stamps.items()},
        generation=pl.lit(generation, pl.Int64),
        recorded_at=pl.lit(at, pl.Datetime("us", "UTC")),
    )
    lake.append_once(table, plain_texts(written.to_arrow()), f"{table}:{inputs}", metadata={"datadock.inputs": inputs})
    return Change(fresh.height, other.height, gone.height)


def _compared(
    stored: pl.DataFrame | None, rows: pl.DataFrame, key: Sequence[str], *, anew: bool
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Give the rows that are new, those that say otherwise than the stored, and the stored that are no more."""
    if stored is None:
        return rows, rows.clear(), rows.clear()
    values = [name for name in rows.columns if name not in key]
    known = stored.select(*key, *(pl.col(name).alias(f"{name}__then") for name in values), known=pl.lit(value=True))
    both = rows.join(known, on=list(key), how="left", nulls_equal=True)
    differs = pl.any_horizontal([pl.lit(anew), *(pl.col(name).ne_missing(pl.col(f"{name}__then")) for name in values)])
    fresh = both.filter(pl.col("known").is_null()).select(rows.columns)
    other = both.filter(pl.col("known").is_not_null() & differs).select(rows.columns)
    gone = stored.join(rows, on=list(key), how="anti", nulls_equal=True).select(rows.columns)
    return fresh, other, gone


def _stored(lake: Lake, table: str, key: Sequence[str], scope: pl.Expr) -> pl.DataFrame | None:
    """Give the rows that hold within a scope; none where there is no table."""
    files = lake.files(table)
    if not files:
        return None
    log = pl.scan_parquet(files).filter(scope).collect()
    latest = log.sort("generation").unique(list(key), keep="last", maintain_order=True)
    return latest.filter(pl.col("op") == "upsert")
