"""Records in columns as JSON text: the form in which every flat format enters the raw zone.

The dearest step of a landing. A column without a character that JSON escapes, which is nearly
every one, is joined as it stands; only the others are encoded value by value.
"""

from __future__ import annotations

import numpy as np
import orjson
import polars as pl
import pyarrow as pa

from datadock.contracts.engine import connection
from datadock.warehouse.values_sql import literal

_QUOTE, _BACKSLASH, _FIRST_PLAIN = 0x22, 0x5C, 0x20


class Encoder:
    """Writes rows of text columns as JSON objects, members in the order of the columns."""

    def __init__(self) -> None:
        self._connection = connection()

    def encode(self, columns: pa.Table) -> pa.Array:
        """Return one JSON text per row.

        Args:
            columns: Text columns without nulls.
        """
        plain = columns.rename_columns([f"column_{number}" for number in range(columns.num_columns)])
        pieces: list[str] = []
        text = "{"
        for number, name in enumerate(columns.column_names):
            text += ("," if number else "") + orjson.dumps(name).decode() + ":"
            if _needs_escapes(plain.column(number)):
                pieces += [literal(text), f"to_json(column_{number})"]
                text = ""
            else:
                pieces += [literal(text + '"'), f"column_{number}"]
                text = '"'
        self._connection.register("flat", plain)
        try:
            query = f"select concat({', '.join([*pieces, literal(text + '}')])}) as payload from flat"
            return self._connection.sql(query).to_arrow_table().column(0).combine_chunks()
        finally:
            self._connection.unregister("flat")


def _needs_escapes(column: pa.ChunkedArray) -> bool:
    """Tell whether a value holds a quote, a backslash or a control character."""
    for chunk in column.chunks:
        if not len(chunk):
            continue
        _, offsets, data = chunk.buffers()
        places = np.frombuffer(offsets, np.int32)[chunk.offset : chunk.offset + len(chunk) + 1]
        text = np.frombuffer(data, np.uint8)[places[0] : places[-1]] if data is not None else np.empty(0, np.uint8)
        if text.size and (
            text.min() < _FIRST_PLAIN or bool((text == _QUOTE).any()) or bool((text == _BACKSLASH).any())
        ):
            return True
    return False


def encode_nested(frame: pl.DataFrame) -> pa.Array:
    """Return one JSON text per row of columns that may be nested; see the parquet reader."""
    encoded = frame.select(pl.struct(pl.all()).struct.json_encode()).to_series()
    return encoded.to_arrow().cast(pa.string())
