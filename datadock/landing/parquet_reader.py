"""The parquet reader: nested records as JSON text, every scalar as text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from datadock.landing.archives import local_file
from datadock.landing.limits import Limits
from datadock.landing.payload import encode_nested
from datadock.landing.records import Chunk, Member, refuse, refused_only

_ROWS = 20_000
_ERRORS = (pa.ArrowException, OSError, pl.exceptions.PolarsError, OverflowError)


def read_parquet(member: Member, limits: Limits) -> Iterator[Chunk]:
    """Read a parquet file.

    Args:
        member: The file.
        limits: Limits of the landing.
    """
    with local_file(member) as path:
        line = 1
        expected = 0
        try:
            with pq.ParquetFile(path) as file:
                expected = file.metadata.num_rows
                for batch in file.iter_batches(_ROWS):
                    yield _chunk(batch, line, limits)
                    line += batch.num_rows
        except _ERRORS as error:
            yield refused_only(
                refuse(
                    line if line > 1 else 0,
                    "broken_parquet",
                    b"",
                    found=str(error)[:500],
                    expected=f"{expected or 'some'} readable rows",
                )
            )
            return
        if line == 1:
            yield refused_only(refuse(0, "empty_file", b"", found="no record", expected="at least one record"))


def _chunk(batch: pa.RecordBatch, line: int, limits: Limits) -> Chunk:
    frame = pl.DataFrame(pa.Table.from_batches([batch]))
    texts = frame.select(_as_text(pl.col(name), dtype).alias(name) for name, dtype in frame.schema.items())
    payload = encode_nested(texts)
    sizes = np.asarray(pa.compute.binary_length(payload))
    long = np.flatnonzero(sizes > limits.max_record_bytes)
    lines = np.arange(line, line + len(payload))
    expected = f"at most {limits.max_record_bytes} bytes"
    refused = [
        refuse(
            int(lines[row]),
            "record_too_long",
            payload[int(row)].as_py().encode(),
            found=f"{sizes[row]} bytes",
            expected=expected,
        )
        for row in long
    ]
    kept = np.delete(np.arange(len(payload)), long)
    header = tuple(frame.columns)
    return Chunk(
        pa.array(lines[kept], pa.int64()), payload=payload.take(pa.array(kept)), header=header, refused=refused
    )


def _as_text(value: pl.Expr, dtype: Any) -> pl.Expr:
    """Give the text of every scalar in a column, keeping lists and structs."""
    if isinstance(dtype, pl.Struct):
        return pl.when(value.is_not_null()).then(
            pl.struct(_as_text(value.struct.field(field.name), field.dtype).alias(field.name) for field in dtype.fields)
        )
    if isinstance(dtype, pl.List | pl.Array):
        items = value.arr.to_list() if isinstance(dtype, pl.Array) else value
        return items.list.eval(_as_text(pl.element(), dtype.inner))
    if isinstance(dtype, pl.Datetime):
        if dtype.time_zone is None:
            return value.dt.strftime("%Y-%m-%d %H:%M:%S%.6f")
        return value.dt.convert_time_zone("UTC").dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")
    if isinstance(dtype, pl.Binary):
        return value.bin.encode("base64")
    if isinstance(dtype, pl.Null):
        return value.cast(pl.String)
    return value.cast(pl.String)
