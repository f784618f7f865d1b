"""Records in columns as JSON text: the form in which every flat format enters the raw zone."""

from __future__ import annotations

import polars as pl
import pyarrow as pa


def encode(columns: pl.DataFrame | pa.Table) -> pa.Array:
    """Write each row as one JSON object, members in the order of the columns.

    Args:
        columns: Text columns, or nested ones of texts.

    Returns:
        One text per row.
    """
    frame = columns if isinstance(columns, pl.DataFrame) else pl.DataFrame(columns)
    encoded = frame.select(pl.struct(pl.all()).struct.json_encode()).to_series()
    texts = encoded.to_arrow(compat_level=pl.CompatLevel.oldest())
    return texts.cast(pa.string())
