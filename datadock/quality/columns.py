"""From a function of one value to a function of a column: each distinct value is read once and joined back.

The rows of the result stand in the order of the input. Because the same function reads one value and
a column's distinct values, both give the same result by construction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate
from operator import attrgetter
from typing import Any, cast

import numpy as np
import polars as pl
import pyarrow as pa

from datadock.quality.evidence import CODES_DTYPE, EVIDENCE_DTYPE, Evidence

Schema = Mapping[str, Any]
"""Columns of a result with their Polars types."""

_BLOCK = 5_000
"""Values read at a time: few objects alive, so that the collector has little to walk through."""
_EVIDENCE_FIELDS = ("rule", "field", "before", "after", "reference")


def over_distinct(
    values: pl.Series,
    one: Callable[[str | None], object],
    schema: Schema,
    plain: Callable[[pl.Series], pl.DataFrame] | None = None,
) -> pl.DataFrame:
    """Read every distinct text of a column by a function and give one result row per input row.

    Args:
        values: Texts; null is None.
        one: Reads one text; its result has an attribute for every column of the schema.
        schema: Columns of the result; lists of texts and of ``Evidence`` are known by their types.
        plain: Reads what is plain among distinct texts by columns, and says the same of it: ``text`` and the columns
            of the schema.

    Returns:
        A frame of as many rows as ``values``.
    """
    keys = values.cast(pl.String).rename("text").to_frame()
    distinct = keys.unique()
    quick = plain(distinct["text"]).select("text", *schema) if plain else None
    rest = distinct if quick is None else distinct.join(quick, on="text", how="anti", nulls_equal=True)
    blocks = [] if quick is None else [quick]
    blocks += [_read(block, one, schema) for block in rest.iter_slices(_BLOCK)]
    read = pl.concat(blocks or [_read(rest, one, schema)], rechunk=True)
    at = read.select("text").with_row_index("at")
    order = keys.join(at, on="text", how="left", nulls_equal=True, maintain_order="left")["at"]
    return read.drop("text")[order]


def _read(distinct: pl.DataFrame, one: Callable[[str | None], object], schema: Schema) -> pl.DataFrame:
    results = [one(text) for text in distinct["text"]]
    return distinct.with_columns(as_columns(results, schema))


def as_columns(results: Sequence[object], schema: Schema) -> list[pl.Series]:
    """Give the attributes of some results as columns."""
    if results and getattr(results[0], "_fields", None) == tuple(schema):
        named: Iterable[Sequence[Any]] = zip(*cast("Sequence[tuple[Any, ...]]", results), strict=True)
    else:
        named = ([*map(attrgetter(name), results)] for name in schema)
    return [_column(name, values, dtype) for (name, dtype), values in zip(schema.items(), named, strict=True)]


def joined_evidence(parts: Sequence[tuple[Sequence[Sequence[Evidence]], pl.Series]]) -> pl.Series:
    """Give at every row the evidence of its parts, one behind the other.

    Args:
        parts: Of each part its distinct evidence, and which of it stands at every row (no null).

    Returns:
        ``evidence``. The items are laid out once and taken by their places: lists joined to lists cost ten times that.
    """
    flat = _structs([item for known, _ in parts for items in known for item in items])
    starts, lengths, before = [], [], 0
    for known, at in parts:
        sizes = np.fromiter((len(items) for items in known), np.int64, len(known))
        rows = at.to_numpy()
        starts.append((before + np.cumsum(sizes) - sizes)[rows])
        lengths.append(sizes[rows])
        before += int(sizes.sum())
    start, length = np.column_stack(starts).ravel(), np.column_stack(lengths).ravel()
    ends = np.cumsum(length)
    places = np.repeat(start - ends + length, length) + np.arange(ends[-1] if len(ends) else 0)
    offsets = np.concatenate([[0], ends[len(parts) - 1 :: len(parts)]])
    return _listed("evidence", pa.array(offsets, pa.int64()), flat.take(pa.array(places, pa.int64())))


def _column(name: str, values: Sequence[Any], dtype: Any) -> pl.Series:
    if dtype == EVIDENCE_DTYPE:
        return _evidence(name, values)
    if dtype == CODES_DTYPE:
        return _arrow(name, values, pa.array([text for codes in values for text in codes], pa.large_string()))
    return pl.Series(name, values, dtype)


def _evidence(name: str, values: Sequence[Sequence[Evidence]]) -> pl.Series:
    return _arrow(name, values, _structs([item for items in values for item in items]))


def _structs(flat: Sequence[Evidence]) -> Any:
    parts = [pa.array([*map(attrgetter(field), flat)], pa.large_string()) for field in _EVIDENCE_FIELDS]
    return pa.StructArray.from_arrays(parts, names=list(_EVIDENCE_FIELDS))


def _arrow(name: str, values: Sequence[Sequence[Any]], flat: Any) -> pl.Series:
    return _listed(name, pa.array(accumulate((len(items) for items in values), initial=0), pa.int64()), flat)


def _listed(name: str, offsets: Any, flat: Any) -> pl.Series:
    series = pl.from_arrow(pa.LargeListArray.from_arrays(offsets, flat))
    if not isinstance(series, pl.Series):  # pragma: no cover - an array is never a frame
        raise TypeError(type(series))
    return series.alias(name)
