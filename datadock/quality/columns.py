"""From a function of one value to a function of a column: each distinct value is read once and joined back.

The rows of the result stand in the order of the input. Because the same function reads one value and
a column's distinct values, both give the same result by construction.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from operator import attrgetter
from typing import Any

import polars as pl
import pyarrow as pa

from datadock.quality.evidence import CODES_DTYPE, EVIDENCE_DTYPE, Evidence

Schema = Mapping[str, Any]
"""Columns of a result with their Polars types."""

_BLOCK = 5_000
"""Values read at a time: few objects alive, so that the collector has little to walk through."""
_EVIDENCE_FIELDS = ("rule", "field", "before", "after", "reference")


def over_distinct(values: pl.DataFrame, one: Callable[..., object], schema: Schema) -> pl.DataFrame:
    """Read every distinct row of some text columns by a function and give one result row per input row.

    Args:
        values: Text columns, given to the function in their order; null is None.
        one: Reads one row; its result has an attribute for every column of the schema.
        schema: Columns of the result; lists of texts and of ``Evidence`` are known by their types.

    Returns:
        A frame of as many rows as ``values``.
    """
    names = [f"__{place}" for place in range(values.width)]
    keys = values.rename(dict(zip(values.columns, names, strict=True))).cast(pl.String)
    distinct = keys.unique()
    blocks = [_read(block, one, schema) for block in distinct.iter_slices(_BLOCK)] or [_read(distinct, one, schema)]
    read = pl.concat(blocks, rechunk=True)
    return keys.join(read, on=names, how="left", nulls_equal=True, maintain_order="left").drop(names)


def _read(distinct: pl.DataFrame, one: Callable[..., object], schema: Schema) -> pl.DataFrame:
    results = [one(*row) for row in distinct.iter_rows()]
    return distinct.with_columns(as_columns(results, schema))


def as_columns(results: Sequence[object], schema: Schema) -> list[pl.Series]:
    """Give the attributes of some results as columns."""
    return [_column(name, [*map(attrgetter(name), results)], dtype) for name, dtype in schema.items()]


def _column(name: str, values: Sequence[Any], dtype: Any) -> pl.Series:
    if dtype == EVIDENCE_DTYPE:
        return _evidence(name, values)
    if dtype == CODES_DTYPE:
        return _arrow(name, values, pa.array([text for codes in values for text in codes], pa.large_string()))
    return pl.Series(name, values, dtype)


def _evidence(name: str, values: Sequence[Sequence[Evidence]]) -> pl.Series:
    flat = [item for items in values for item in items]
    parts = [pa.array([getattr(item, field) for item in flat], pa.large_string()) for field in _EVIDENCE_FIELDS]
    return _arrow(name, values, pa.StructArray.from_arrays(parts, names=list(_EVIDENCE_FIELDS)))


def _arrow(name: str, values: Sequence[Sequence[Any]], flat: Any) -> pl.Series:
    offsets = pa.array(accumulate((len(items) for items in values), initial=0), pa.int64())
    series = pl.from_arrow(pa.LargeListArray.from_arrays(offsets, flat))
    if not isinstance(series, pl.Series):  # pragma: no cover - an array is never a frame
        raise TypeError(type(series))
    return series.alias(name)
